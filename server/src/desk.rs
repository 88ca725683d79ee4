//! Uploads of DOCX files into a draft. Small enough to be buffered in memory, a few at a time.

use std::time::Duration;

use app::{
    context::request::RequestContext,
    error::{AppError, Kind},
    terms,
};
use axum::{
    Extension, Json, Router,
    extract::{
        DefaultBodyLimit, Multipart, Path, State,
        multipart::{Field, MultipartRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use backend::{
    Backend, Error,
    documents::{DOCX_BYTES_MAX, ImportDocxForm},
};
use domain::{
    Locale,
    accounts::Viewer,
    documents::LeftOut,
    forms::{FormErrors, FormReader, Problem},
    ids::DocumentId,
};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    answers::{self, problem, see_other},
    state::Shared,
};

/// Bytes of the file and of the small fields before it.
const BODY_MAX: usize = DOCX_BYTES_MAX + 64 * 1024;

/// Bytes of each small field of the form.
const FIELD_MAX: usize = 200;

/// Limits the files in memory, from the first byte until they are converted.
static ARRIVING: Semaphore = Semaphore::const_new(4);

/// How long a request waits for a free place.
const PATIENCE: Duration = Duration::from_secs(20);

/// Time limit of an upload, after which its place is freed. The largest file needs a line of 1.4 Mbit/s.
const ARRIVAL_MAX: Duration = Duration::from_mins(2);

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/desk/{id}/docx", post(import_docx).layer(DefaultBodyLimit::max(BODY_MAX)))
}

/// With script the converted text is returned and inserted by the editor; without, it is kept in the form as if typed.
async fn import_docx(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    let locale = context.page.preferences.locale;
    let wants_text = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"));
    let Some(viewer) = &context.page.viewer else {
        return if wants_text { problem(locale, Kind::NotSignedIn) } else { see_other("/sign-in?next=/desk") };
    };
    // Check before the body is read.
    if !backend.documents().writes(viewer) {
        return problem(locale, Kind::NotFound.for_viewer(Some(viewer)));
    }
    let Ok(form) = form else { return problem(locale, Kind::Invalid) };
    let Ok(Ok(_place)) = timeout(PATIENCE, ARRIVING.acquire()).await else { return problem(locale, Kind::Busy) };
    // A timeout is handled like a broken connection.
    let received = timeout(ARRIVAL_MAX, receive(form)).await;
    let sent = match received.unwrap_or_else(|_| Err(refused(Problem::Unreadable))) {
        Ok(sent) => sent,
        Err(refusal) if wants_text => return refusal_response(locale, &refusal),
        Err(refusal) => return answers::send_back(&backend, &context, &format!("/desk/{id}"), &refusal).await,
    };
    if wants_text {
        return match backend.documents().from_docx(viewer, sent.file).await {
            Ok(taken) => {
                let told = terms::left_out(locale, &taken.left_out);
                Json(TakenText { title: taken.title, text: taken.text, whole: taken.whole, told }).into_response()
            }
            Err(Error::Invalid(errors)) => refusal_response(locale, &errors),
            Err(error) => problem(locale, AppError::from(error).kind.for_viewer(Some(viewer))),
        };
    }
    let page = if sent.version == "0" { "/desk/new".to_owned() } else { format!("/desk/{id}") };
    match store(&backend, viewer, &id, sent).await {
        Ok((document, left_out)) => {
            let resume = if page == "/desk/new" { document.to_string() } else { "1".to_owned() };
            let page = if page == "/desk/new" { page } else { format!("/desk/{document}") };
            let keys = left_out.into_iter().map(LeftOut::key).collect::<Vec<_>>().join(",");
            let told = if keys.is_empty() { String::new() } else { format!("&left_out={keys}") };
            see_other(&format!("{page}?resume={resume}{told}"))
        }
        Err(Error::Invalid(errors)) => {
            let errors = FormErrors { form: "take_in".to_owned(), ..errors };
            answers::send_back(&backend, &context, &page, &errors).await
        }
        Err(error) => problem(locale, AppError::from(error).kind.for_viewer(Some(viewer))),
    }
}

/// The response to the script, which merges it into the current form.
#[derive(serde::Serialize)]
struct TakenText {
    title: Option<String>,
    text: String,
    whole: String,
    /// A sentence about what is not in the text.
    told: Option<String>,
}

#[derive(Default)]
struct Sent {
    version: String,
    mode: String,
    file_name: String,
    file: Vec<u8>,
}

async fn store(backend: &Backend, viewer: &Viewer, id: &str, sent: Sent) -> backend::Result<(DocumentId, Vec<LeftOut>)> {
    let form = ImportDocxForm { id, version: &sent.version, mode: &sent.mode, file_name: &sent.file_name };
    backend.documents().import_docx(viewer, form, sent.file).await
}

async fn receive(mut form: Multipart) -> Result<Sent, FormErrors> {
    let mut sent = Sent::default();
    // The connection broke or the body is too large: either way there is no file to convert.
    let broken = |_| refused(Problem::Unreadable);
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("version") => sent.version = small(field).await?,
            Some("mode") => sent.mode = small(field).await?,
            Some("file") => {
                sent.file_name = field.file_name().unwrap_or_default().chars().take(FIELD_MAX).collect();
                sent.file = field.bytes().await.map_err(broken)?.into();
            }
            _ => {}
        }
    }
    Ok(sent)
}

async fn small(mut field: Field<'_>) -> Result<String, FormErrors> {
    let mut text = Vec::new();
    while let Some(bytes) = field.chunk().await.map_err(|_| refused(Problem::Unreadable))? {
        text.extend_from_slice(&bytes);
        if text.len() > FIELD_MAX {
            return Err(refused(Problem::Unreadable));
        }
    }
    String::from_utf8(text).map_err(|_| refused(Problem::Unreadable))
}

fn refused(problem: Problem) -> FormErrors {
    FormReader::new("take_in").refused("file", problem)
}

/// The problem as a sentence for the script.
fn refusal_response(locale: Locale, errors: &FormErrors) -> Response {
    let message = errors.problems.first().map(|found| terms::problem(locale, &found.problem)).unwrap_or_default();
    (StatusCode::UNPROCESSABLE_ENTITY, message).into_response()
}
