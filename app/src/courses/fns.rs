//! Server functions of learners, and of those who follow the progress of others.

use std::collections::BTreeMap;

use domain::{
    courses::{Certificate, CompletionPage, CoursePage, CoursesPage, DeskCourse, QuizPage, ResultPage},
    forms::Outcome,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::{
    context::request::{backend, viewer},
    error::{AppError, known, respond},
    forms::Submitted,
};

/// The viewer's courses, to do and done.
#[server(prefix = "/api", endpoint = "courses/list", input = GetUrl)]
pub async fn courses() -> Result<CoursesPage, AppError> {
    respond(async { Ok::<_, AppError>(backend()?.courses().list(&viewer()?).await?) }.await)
}

/// One course.
#[server(prefix = "/api", endpoint = "courses/read", input = GetUrl)]
pub async fn course(id: String) -> Result<CoursePage, AppError> {
    respond(async { Ok::<_, AppError>(backend()?.courses().read(&viewer()?, known(&id)?).await?) }.await)
}

/// Completes a course without a quiz.
#[server(prefix = "/api", endpoint = "courses/complete")]
pub async fn complete(course: String) -> Result<Outcome, AppError> {
    let result = async {
        let id = known(&course)?;
        backend()?.courses().complete(&viewer()?, id).await?;
        Ok(Outcome::Done { to: format!("/courses/{id}?done=1"), reload: true })
    }
    .await;
    Submitted::new("complete", &[]).settle(result).await
}

/// Begins a try, or resumes the open one.
#[server(prefix = "/api", endpoint = "courses/start")]
pub async fn start(course: String) -> Result<Outcome, AppError> {
    let result = async {
        let id = known(&course)?;
        backend()?.courses().start(&viewer()?, id).await?;
        Ok(Outcome::Done { to: format!("/courses/{id}/quiz"), reload: true })
    }
    .await;
    Submitted::new("start", &[]).settle(result).await
}

/// The open try; `None` when it was handed in or its time is over.
#[server(prefix = "/api", endpoint = "courses/quiz", input = GetUrl)]
pub async fn quiz(id: String) -> Result<Option<QuizPage>, AppError> {
    respond(async { Ok::<_, AppError>(backend()?.courses().quiz(&viewer()?, known(&id)?).await?) }.await)
}

/// Saves the selected options (`step` is `save`), or hands the try in. `answers` maps questions to indices in display order.
#[server(prefix = "/api", endpoint = "courses/answer")]
pub async fn answer(
    course: String,
    number: u32,
    step: String,
    #[server(default)] answers: BTreeMap<String, Vec<String>>,
) -> Result<Outcome, AppError> {
    use backend::courses::Arrived;

    let result = async {
        let id = known(&course)?;
        let arrived = backend()?.courses().answer(&viewer()?, id, number, &answers, step != "save").await?;
        let to = match arrived {
            Arrived::Kept => format!("/courses/{id}/quiz?saved=1"),
            Arrived::Ended => format!("/courses/{id}/tries/{number}"),
        };
        Ok(Outcome::Done { to, reload: true })
    }
    .await;
    let ticked: Vec<String> =
        answers.iter().flat_map(|(at, places)| places.iter().map(move |place| format!("{at}:{place}"))).collect();
    // Keyed by the number of the try: another try has another order of options.
    let (number, ticked) = (number.to_string(), ticked.join(" "));
    Submitted::new("quiz", &[(&number, &ticked)]).settle(result).await
}

/// The result of a try.
#[server(prefix = "/api", endpoint = "courses/result", input = GetUrl)]
pub async fn try_result(id: String, number: String) -> Result<ResultPage, AppError> {
    respond(async { Ok::<_, AppError>(backend()?.courses().result(&viewer()?, known(&id)?, known(&number)?).await?) }.await)
}

/// The viewer's certificate.
#[server(name = ReadCertificate, prefix = "/api", endpoint = "courses/certificate", input = GetUrl)]
pub async fn certificate(id: String) -> Result<Certificate, AppError> {
    respond(async { Ok::<_, AppError>(backend()?.courses().certificate(&viewer()?, known(&id)?).await?) }.await)
}

/// Courses assigned to units the viewer is responsible for.
#[server(prefix = "/api", endpoint = "courses/following", input = GetUrl)]
pub async fn following() -> Result<Vec<DeskCourse>, AppError> {
    respond(async { Ok::<_, AppError>(backend()?.courses().following(&viewer()?).await?) }.await)
}

/// Completion of a course in a unit and its children.
#[server(prefix = "/api", endpoint = "courses/completion", input = GetUrl)]
pub async fn completion(id: String, unit: Option<String>) -> Result<CompletionPage, AppError> {
    let result = async {
        let viewer = viewer()?;
        let unit = unit.as_deref().map(known).transpose()?;
        Ok::<_, AppError>(backend()?.courses().completion_page(&viewer, known(&id)?, unit).await?)
    };
    respond(result.await)
}
