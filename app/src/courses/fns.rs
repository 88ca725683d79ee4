//! Server functions of who studies, and of who follows how far others are.

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

/// What the viewer has to study and has studied.
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

/// Begins a try, or goes on with the open one.
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

/// The open try; none when there is none any more.
#[server(prefix = "/api", endpoint = "courses/quiz", input = GetUrl)]
pub async fn quiz(id: String) -> Result<Option<QuizPage>, AppError> {
    respond(async { Ok::<_, AppError>(backend()?.courses().quiz(&viewer()?, known(&id)?).await?) }.await)
}

/// Keeps what was ticked (`step` is `save`), or hands it in. `answers` holds places in the order shown by the place of the question.
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
    // By the number of the try: in another one the options stand in another order.
    let (number, ticked) = (number.to_string(), ticked.join(" "));
    Submitted::new("quiz", &[(&number, &ticked)]).settle(result).await
}

/// What came of a try.
#[server(prefix = "/api", endpoint = "courses/result", input = GetUrl)]
pub async fn try_result(id: String, number: String) -> Result<ResultPage, AppError> {
    respond(async { Ok::<_, AppError>(backend()?.courses().result(&viewer()?, known(&id)?, known(&number)?).await?) }.await)
}

/// The viewer's certificate.
#[server(name = ReadCertificate, prefix = "/api", endpoint = "courses/certificate", input = GetUrl)]
pub async fn certificate(id: String) -> Result<Certificate, AppError> {
    respond(async { Ok::<_, AppError>(backend()?.courses().certificate(&viewer()?, known(&id)?).await?) }.await)
}

/// Courses given to units the viewer answers for.
#[server(prefix = "/api", endpoint = "courses/following", input = GetUrl)]
pub async fn following() -> Result<Vec<DeskCourse>, AppError> {
    respond(async { Ok::<_, AppError>(backend()?.courses().following(&viewer()?).await?) }.await)
}

/// How far a unit and those below it have come.
#[server(prefix = "/api", endpoint = "courses/completion", input = GetUrl)]
pub async fn completion(id: String, unit: Option<String>) -> Result<CompletionPage, AppError> {
    let result = async {
        let unit = unit.as_deref().map(known).transpose()?;
        Ok::<_, AppError>(backend()?.courses().completion_page(&viewer()?, known(&id)?, unit).await?)
    };
    respond(result.await)
}
