//! Files of reorganisations: uploads of files that reorganise units or assign units of the queue, templates, and the list of
//! refused rows.

use app::{
    context::request::RequestContext,
    error::{AppError, Kind},
    reorganisations::{Template, refusal_text, refused_heads, refused_text},
};
use axum::{
    Extension, Router,
    extract::{
        DefaultBodyLimit, Multipart, Path, State,
        multipart::{Field, MultipartRejection},
    },
    http::header,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use backend::{
    Backend, Error,
    units::{ReceiveForm, Received},
};
use domain::{
    Locale,
    accounts::Viewer,
    forms::{FieldProblem, FormErrors, FormReader, Problem, day},
    ids::ReorganisationId,
    units::reorganisation::{AssignedFile, FILE_BYTES_MAX, FileRefusal, RefusedRow, ReorganisationFile},
};

use crate::{
    answers::{problem, see_other, send_back},
    state::Shared,
    uploads::{plain_line, small, table_file},
};

const FORM_PAGE: &str = "/reorganisations/new";
const QUEUE_PAGE: &str = "/reorganisations/queue";

/// A file beyond the limit is drained for a while, so that the client reads the response, but not indefinitely.
const BODY_MAX: u64 = FILE_BYTES_MAX + FILE_BYTES_MAX / 2;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/reorganisations/upload", post(upload).layer(DefaultBodyLimit::disable()))
        .route("/reorganisations/assign", post(assign).layer(DefaultBodyLimit::disable()))
        .route("/reorganisations/{id}/refused.csv", get(refused))
        .route("/reorganisations/template/{file}", get(template))
}

async fn upload(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    let locale = context.page.preferences.locale;
    let Some(viewer) = &context.page.viewer else { return see_other(&format!("/sign-in?next={FORM_PAGE}")) };
    let Ok(form) = form else { return problem(locale, Kind::Invalid) };
    match receive(&backend, viewer, form).await {
        Ok(reorganisation) => see_other(&format!("/reorganisations/{reorganisation}")),
        Err(refusal) => refusal.answer(&backend, &context, FORM_PAGE).await,
    }
}

/// Why a file was not accepted.
enum Refusal {
    Form(FormErrors),
    /// The connection broke, or the body is not a form.
    Line,
    Other(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(errors) => Self::Form(errors),
            other => Self::Other(other),
        }
    }
}

impl Refusal {
    async fn answer(self, backend: &Backend, context: &RequestContext, page: &str) -> Response {
        let locale = context.page.preferences.locale;
        match self {
            Self::Form(errors) => send_back(backend, context, page, &errors).await,
            Self::Line => problem(locale, Kind::Invalid),
            Self::Other(error) => problem(locale, AppError::from(error).kind),
        }
    }
}

/// Receives the day and all files as one reorganisation. If one of them is not accepted, none is.
async fn receive(backend: &Backend, viewer: &Viewer, mut form: Multipart) -> Result<ReorganisationId, Refusal> {
    let mut on = String::new();
    let mut known = None;
    while let Some(field) = form.next_field().await.map_err(|_| Refusal::Line)? {
        match field.name() {
            Some("on") => on = small(field).await.ok_or(Refusal::Line)?,
            Some("files") => match store(backend, viewer, &on, known, field).await {
                Ok(None) => {}
                Ok(reorganisation) => known = reorganisation,
                Err(refusal) => {
                    cancel_incomplete(backend, viewer, known).await;
                    return Err(refusal);
                }
            },
            _ => {}
        }
    }
    known.ok_or_else(|| Refusal::Form(no_file(&on)))
}

/// Stores one file. `None` if the browser sent a nameless, empty one, as it does when none was chosen.
async fn store(
    backend: &Backend,
    viewer: &Viewer,
    on: &str,
    known: Option<ReorganisationId>,
    mut field: Field<'_>,
) -> Result<Option<ReorganisationId>, Refusal> {
    let file_name = field.file_name().unwrap_or_default().to_owned();
    if file_name.is_empty() {
        return Ok(None);
    }
    let reorganisation = known.map(|known| known.to_string()).unwrap_or_default();
    let typed = ReceiveForm { on, reorganisation: &reorganisation, file_name: &file_name };
    let mut upload = backend.reorganisations().receive(viewer, typed).await?;
    let mut length = 0;
    while let Some(bytes) = field.chunk().await.map_err(|_| Refusal::Line)? {
        length += bytes.len() as u64;
        if length > BODY_MAX {
            break;
        }
        upload.write(bytes.into()).await?;
    }
    match upload.finish().await? {
        Received::Accepted(reorganisation) => Ok(Some(reorganisation)),
        Received::Refused(refusal) => Err(Refusal::Form(refused_file(on, &file_name, refusal))),
    }
}

/// Cancels a reorganisation of which a later file was not accepted.
async fn cancel_incomplete(backend: &Backend, viewer: &Viewer, known: Option<ReorganisationId>) {
    if let Some(known) = known
        && let Err(error) = backend.reorganisations().cancel(viewer, known).await
    {
        tracing::warn!(%error, "cannot cancel an incomplete reorganisation; it stays in the list");
    }
}

fn no_file(on: &str) -> FormErrors {
    let mut form = FormReader::new("reorganisation");
    form.read("on", on, day);
    form.refused("files", Problem::Required)
}

/// The page builds its sentence from the values `file` and `refusal`; without them it says that the file is unreadable.
fn refused_file(on: &str, file: &str, refusal: FileRefusal) -> FormErrors {
    let values =
        [("on", on.to_owned()), ("file", file.to_owned()), ("refusal", serde_json::to_string(&refusal).unwrap_or_default())];
    FormErrors {
        form: "reorganisation".to_owned(),
        values: values.into_iter().map(|(field, value)| (field.to_owned(), value)).collect(),
        problems: vec![FieldProblem::new("files", Problem::Unreadable)],
    }
}

async fn assign(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    let locale = context.page.preferences.locale;
    let Some(viewer) = &context.page.viewer else { return see_other(&format!("/sign-in?next={QUEUE_PAGE}")) };
    let Ok(form) = form else { return problem(locale, Kind::Invalid) };
    match receive_assignments(&backend, viewer, locale, form).await {
        Ok(AssignedFile { assigned, kept, phased, .. }) => {
            see_other(&format!("{QUEUE_PAGE}?assigned={assigned}&kept={kept}&phased={phased}"))
        }
        Err(refusal) => refusal.answer(&backend, &context, QUEUE_PAGE).await,
    }
}

async fn receive_assignments(
    backend: &Backend,
    viewer: &Viewer,
    locale: Locale,
    mut form: Multipart,
) -> Result<AssignedFile, Refusal> {
    while let Some(mut field) = form.next_field().await.map_err(|_| Refusal::Line)? {
        let file_name = field.file_name().unwrap_or_default().to_owned();
        if field.name() != Some("file") || file_name.is_empty() {
            continue;
        }
        let mut upload = backend.reorganisations().assign_file(viewer, &file_name).await?;
        let mut length = 0;
        while let Some(bytes) = field.chunk().await.map_err(|_| Refusal::Line)? {
            length += bytes.len() as u64;
            if length > BODY_MAX {
                break;
            }
            upload.write(bytes.into()).await?;
        }
        return match upload.finish().await? {
            Ok(done) if done.refused.is_empty() => Ok(done),
            Ok(refused) => {
                let told = serde_json::to_string(&refused).unwrap_or_default();
                Err(Refusal::Form(refused_assignments("refused", told)))
            }
            Err(refusal) => Err(Refusal::Form(refused_assignments("told", refusal_text(locale, &file_name, refusal)))),
        };
    }
    Err(Refusal::Form(FormReader::new("assign_file").refused("file", Problem::Required)))
}

/// The page shows the refused rows (`refused`), or the sentence about the file (`told`).
fn refused_assignments(field: &str, value: String) -> FormErrors {
    FormErrors {
        form: "assign_file".to_owned(),
        values: std::iter::once((field.to_owned(), value)).collect(),
        problems: vec![FieldProblem::new("file", Problem::Unreadable)],
    }
}

/// The refused rows of all files of a reorganisation.
async fn refused(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
) -> Response {
    let locale = context.page.preferences.locale;
    let Some(viewer) = &context.page.viewer else { return problem(locale, Kind::NotSignedIn) };
    let Ok(reorganisation) = id.parse::<ReorganisationId>() else { return problem(locale, Kind::NotFound) };
    let reorganisations = backend.reorganisations();
    let files = match reorganisations.list(viewer).await {
        Ok(page) => page.reorganisations.into_iter().find(|one| one.id == reorganisation).map(|one| one.files),
        Err(error) => return problem(locale, AppError::from(error).kind),
    };
    match reorganisations.refused(viewer, reorganisation).await {
        Ok(rows) => {
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{reorganisation}-refused.csv\"")),
            ];
            (headers, refused_csv(locale, &files.unwrap_or_default(), &rows)).into_response()
        }
        Err(error) => problem(locale, AppError::from(error).kind),
    }
}

/// The refused rows as a file for spreadsheets, in the reader's language.
pub(crate) fn refused_csv(locale: Locale, files: &[ReorganisationFile], rows: &[RefusedRow]) -> String {
    // Without a byte order mark, spreadsheets misread Vietnamese letters.
    let mut content = format!("\u{feff}{}", plain_line(&refused_heads(locale)));
    for refused in rows {
        let RefusedRow { file, row, old_code, new_code, new_name, .. } = refused;
        let file = usize::try_from(*file).ok().and_then(|at| files.get(at)).map_or("", |file| file.name.as_str());
        let (row, why) = (row.to_string(), refused_text(locale, files, refused));
        content += &plain_line(&[file, &row, old_code, new_code, new_name, &why]);
    }
    content
}

/// A template, for people who may reorganise units.
async fn template(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    Path(file): Path<String>,
) -> Response {
    let locale = context.page.preferences.locale;
    let Some(viewer) = &context.page.viewer else { return problem(locale, Kind::NotSignedIn) };
    if let Err(error) = backend.reorganisations().list(viewer).await {
        return problem(locale, AppError::from(error).kind);
    }
    let named = file.split_once('.').and_then(|(key, ending)| Some((Template::from_key(key)?, ending)));
    let Some((template, ending)) = named else { return problem(locale, Kind::NotFound) };
    table_file(locale, template.key(), ending, &template.rows(locale))
}
