//! Server functions of course managers.

use std::collections::BTreeMap;

use backend::courses::{AnotherTryForm, AssignForm, CourseForm, QuestionForm, RulesForm};
use domain::{
    courses::{AssignPage, CourseDesk, CourseFormPage, QuestionPage},
    forms::{FormErrors, Outcome},
    ids::CourseId,
    units::PickedUnits,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::{
    context::request::{backend, viewer},
    error::{AppError, known, respond},
    forms::Submitted,
    units::picker,
};

/// The courses of the viewer's units.
#[server(prefix = "/api", endpoint = "courses/desk", input = GetUrl)]
pub async fn desk() -> Result<CourseDesk, AppError> {
    respond(async { Ok::<_, AppError>(backend()?.courses().desk(&viewer()?).await?) }.await)
}

/// A form for a new course.
#[server(prefix = "/api", endpoint = "courses/blank", input = GetUrl)]
pub async fn blank() -> Result<CourseFormPage, AppError> {
    respond(async { Ok::<_, AppError>(backend()?.courses().blank(&viewer()?).await?) }.await)
}

/// The form of a course, with documents to add that match `q`.
#[server(prefix = "/api", endpoint = "courses/form", input = GetUrl)]
pub async fn form(id: String, q: Option<String>) -> Result<CourseFormPage, AppError> {
    let result = async {
        let typed = q.unwrap_or_default();
        Ok::<_, AppError>(backend()?.courses().form(&viewer()?, known(&id)?, &typed).await?)
    };
    respond(result.await)
}

/// Stores a new course (version `0`) or the next version of one.
#[server(prefix = "/api", endpoint = "courses/save")]
pub async fn save(
    id: String,
    version: String,
    #[server(default)] issuer: String,
    title: String,
    description: String,
) -> Result<Outcome, AppError> {
    let typed = [("issuer", issuer.as_str()), ("title", &title), ("description", &description)];
    let submitted = Submitted::new("course", &typed);
    let form = CourseForm { id: &id, version: &version, issuer: &issuer, title: &title, description: &description };
    let result = async { Ok(saved(backend()?.courses().save(&viewer()?, form).await?, "")) }.await;
    submitted.settle(result).await
}

/// Adds, moves or removes a document.
#[server(prefix = "/api", endpoint = "courses/arrange")]
pub async fn arrange(id: String, version: String, document: String, step: String) -> Result<Outcome, AppError> {
    let result = async {
        let course = backend()?.courses().arrange(&viewer()?, &id, &version, &document, &step).await?;
        Ok(arranged(course, "documents"))
    }
    .await;
    Submitted::new("documents", &[]).settle(shown(result, &id, "documents")).await
}

/// The form of one question; of a new one when `number` is `None`.
#[server(prefix = "/api", endpoint = "courses/question", input = GetUrl)]
pub async fn question(id: String, number: Option<String>) -> Result<QuestionPage, AppError> {
    let result = async {
        let viewer = viewer()?;
        let number = number.as_deref().map(known).transpose()?;
        Ok::<_, AppError>(backend()?.courses().question(&viewer, known(&id)?, number).await?)
    };
    respond(result.await)
}

/// Stores a question.
#[server(prefix = "/api", endpoint = "courses/save_question")]
pub async fn save_question(
    course: String,
    version: String,
    #[server(default)] number: String,
    text: String,
    #[server(default)] kind: String,
    #[server(default)] options: BTreeMap<String, String>,
    #[server(default)] right: Vec<String>,
    #[server(default)] explanation: String,
) -> Result<Outcome, AppError> {
    let mut read: Vec<(usize, &str)> =
        options.iter().filter_map(|(number, typed)| Some((number.parse().ok()?, typed.as_str()))).collect();
    read.sort_unstable_by_key(|(number, _)| *number);
    let ticked: Vec<usize> = right.iter().filter_map(|number| number.parse().ok()).collect();
    let names: Vec<String> = read.iter().map(|(number, _)| format!("options[{number}]")).collect();
    let right = right.join(" ");
    let mut typed = vec![("text", text.as_str()), ("kind", &kind), ("right", &right), ("explanation", &explanation)];
    typed.extend(names.iter().map(String::as_str).zip(read.iter().map(|(_, typed)| *typed)));
    let submitted = Submitted::new("question", &typed);
    let form = QuestionForm {
        course: &course,
        version: &version,
        number: &number,
        text: &text,
        kind: &kind,
        options: &read,
        right: &ticked,
        explanation: &explanation,
    };
    let result = async { Ok(arranged(backend()?.courses().save_question(&viewer()?, form).await?, "quiz")) }.await;
    submitted.settle(result).await
}

/// Moves or removes a question.
#[server(prefix = "/api", endpoint = "courses/arrange_question")]
pub async fn arrange_question(id: String, version: String, number: String, step: String) -> Result<Outcome, AppError> {
    let result = async {
        let course = backend()?.courses().arrange_question(&viewer()?, &id, &version, &number, &step).await?;
        Ok(arranged(course, "quiz"))
    }
    .await;
    Submitted::new("questions", &[]).settle(shown(result, &id, "quiz")).await
}

/// Stores pass mark, time limit and tries.
#[server(prefix = "/api", endpoint = "courses/save_rules")]
pub async fn save_rules(
    course: String,
    version: String,
    pass_percent: String,
    #[server(default)] minutes: String,
    tries: String,
) -> Result<Outcome, AppError> {
    let typed = [("pass_percent", pass_percent.as_str()), ("minutes", &minutes), ("tries", &tries)];
    let submitted = Submitted::new("rules", &typed);
    let form = RulesForm { course: &course, version: &version, pass_percent: &pass_percent, minutes: &minutes, tries: &tries };
    let result = async { Ok(saved(backend()?.courses().save_rules(&viewer()?, form).await?, "#quiz")) }.await;
    submitted.settle(result).await
}

/// Data for the confirmation of an assignment, with the units picked in its form so far.
#[server(prefix = "/api", endpoint = "courses/assignment", input = GetUrl)]
pub async fn assignment(
    id: String,
    unit: Option<String>,
    q: Option<String>,
    picked: Option<PickedUnits>,
) -> Result<AssignPage, AppError> {
    let result = async {
        let viewer = viewer()?;
        let unit = unit.as_deref().map(known).transpose()?;
        let (typed, picked) = (q.unwrap_or_default(), picked.unwrap_or_default());
        Ok::<_, AppError>(backend()?.courses().assignment(&viewer, known(&id)?, unit, &typed, &picked).await?)
    };
    respond(result.await)
}

/// The audience of an assignment that is not sent, as a sentence.
#[server(prefix = "/api", endpoint = "courses/reach")]
pub async fn course_reach(
    course: String,
    unit: String,
    #[server(default)] parts: Vec<String>,
    #[server(default)] except: Vec<String>,
    #[server(default)] standings: Vec<String>,
) -> Result<String, AppError> {
    use crate::{context::request::request_context, terms, text};

    let l = request_context().map(|context| context.page.preferences.locale).unwrap_or_default();
    let result = async {
        let form = AssignForm {
            course: &course,
            version: "",
            unit: &unit,
            parts: &parts,
            except: &except,
            standings: &standings,
            due_on: "",
        };
        let reach = backend()?.courses().reach_of(&viewer()?, form).await?;
        Ok::<_, AppError>(text::courses::reach_now(l, terms::reach(l, reach)))
    };
    // The script shows the message unchanged.
    respond(result.await).map_err(|mut error| {
        if let Some(found) = error.fields.first() {
            error.message = terms::problem(l, &found.problem);
        }
        error
    })
}

/// Assigns a course to a unit's members.
#[allow(clippy::too_many_arguments, reason = "one for each field of the form")]
#[server(prefix = "/api", endpoint = "courses/assign")]
pub async fn assign(
    course: String,
    version: String,
    unit: String,
    #[server(default)] parts: Vec<String>,
    #[server(default)] except: Vec<String>,
    #[server(default)] standings: Vec<String>,
    due_on: String,
    #[server(default)] then: String,
    #[server(default)] find: String,
) -> Result<Outcome, AppError> {
    let (limited, left_out, chosen) = (parts.join(" "), except.join(" "), standings.join(" "));
    let typed =
        [("parts", limited.as_str()), ("except", &left_out), ("standings", &chosen), ("due_on", &due_on), ("find", &find)];
    let submitted = Submitted::new("assign", &typed);
    let form = AssignForm {
        course: &course,
        version: &version,
        unit: &unit,
        parts: &parts,
        except: &except,
        standings: &standings,
        due_on: &due_on,
    };
    let result = async {
        // A search for units comes back with all that was typed.
        if then == picker::FIND {
            return Ok(Outcome::Invalid(FormErrors::default()));
        }
        let id = backend()?.courses().assign(&viewer()?, form).await?;
        Ok(Outcome::Done { to: format!("/courses/manage/{id}?assigned=1"), reload: true })
    }
    .await;
    submitted.settle(result).await
}

/// Ends a course.
#[server(prefix = "/api", endpoint = "courses/end")]
pub async fn end_course(course: String) -> Result<Outcome, AppError> {
    let result = async {
        let id = known(&course)?;
        backend()?.courses().end(&viewer()?, id).await?;
        Ok(Outcome::Done { to: format!("/courses/manage/{id}"), reload: true })
    }
    .await;
    Submitted::new("end", &[]).settle(result).await
}

/// Grants another try to members of a unit who have none left: to `members` when `to` is `chosen`, otherwise to all of them.
/// `act` is the idempotency key of the form.
#[server(prefix = "/api", endpoint = "courses/give_try")]
pub async fn give_try(
    course: String,
    unit: String,
    act: String,
    #[server(default)] to: String,
    #[server(default)] members: Vec<String>,
) -> Result<Outcome, AppError> {
    let chosen = (to == "chosen").then_some(members.as_slice());
    let form = AnotherTryForm { course: &course, unit: &unit, act: &act, members: chosen };
    let result = async {
        let given = u8::from(backend()?.courses().give_another_try(&viewer()?, form).await?);
        Ok(Outcome::Done { to: format!("/courses/{course}/results?unit={unit}&given={given}"), reload: true })
    }
    .await;
    Submitted::new("another_try", &[]).settle(result).await
}

/// Creates a draft with the same content. `copy` is the idempotency key of the form.
#[server(prefix = "/api", endpoint = "courses/copy")]
pub async fn copy_course(course: String, copy: String) -> Result<Outcome, AppError> {
    let result = async {
        let id = backend()?.courses().copy(&viewer()?, known(&course)?, known(&copy)?).await?;
        Ok(Outcome::Done { to: format!("/courses/manage/{id}"), reload: true })
    }
    .await;
    Submitted::new("copy", &[]).settle(result).await
}

fn saved(id: CourseId, place: &str) -> Outcome {
    Outcome::Done { to: format!("/courses/manage/{id}?saved=1{place}"), reload: true }
}

/// Redirects to the list where an item was moved.
fn arranged(id: CourseId, place: &str) -> Outcome {
    Outcome::Done { to: format!("/courses/manage/{id}#{place}"), reload: true }
}

/// A list has no field for an error message: the response is the current page, with a notice that it has changed.
fn shown(result: Result<Outcome, AppError>, id: &str, place: &str) -> Result<Outcome, AppError> {
    match result {
        Err(AppError { form: Some(errors), .. }) if errors.is_stale() => {
            Ok(Outcome::Done { to: format!("/courses/manage/{id}?changed=1#{place}"), reload: true })
        }
        result => result,
    }
}
