//! Uploads of import files and downloads of reports: a file is sealed while it arrives, a report is generated while it is sent.
//! Neither is ever held in memory as a whole.

use std::io::Write as _;

use app::{
    context::request::RequestContext,
    error::{AppError, Kind},
    imports::{column_name, outcome_text, reason_text, report_heads, template},
    text,
};
use axum::{
    Extension, Router,
    body::{Body, Bytes},
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
    imports::{Report, UploadForm, csv_line, spreadsheet},
};
use domain::{
    Locale,
    accounts::Viewer,
    forms::{FormErrors, FormReader, Problem},
    ids::ImportId,
    imports::{CSV_BYTES_MAX, ImportKind, RefusedLine},
};
use tokio::{sync::mpsc, task::spawn_blocking};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

use crate::{
    answers::{problem, see_other, send_back},
    state::Shared,
};

const FORM_PAGE: &str = "/imports/new";

/// A body beyond the limit is drained for a while, so that the client reads the response, but not indefinitely.
const BODY_MAX: u64 = CSV_BYTES_MAX + CSV_BYTES_MAX / 2;

/// Bytes of each small field of the form.
const FIELD_MAX: usize = 200;

/// Bytes of a report sent at a time, and how many of these pieces are buffered for a slow connection.
const PIECE: usize = 32 * 1024;
const AHEAD: usize = 4;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/imports/upload", post(upload).layer(DefaultBodyLimit::disable()))
        .route("/imports/{id}/report.csv", get(report))
        .route("/imports/template/{file}", get(template_file))
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
        Ok(import) => see_other(&format!("/imports/{import}")),
        Err(Refusal::Form(errors)) => send_back(&backend, &context, FORM_PAGE, &errors).await,
        Err(Refusal::Line) => problem(locale, Kind::Invalid),
        Err(Refusal::Other(error)) => problem(locale, AppError::from(error).kind),
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

async fn receive(backend: &Backend, viewer: &Viewer, mut form: Multipart) -> Result<ImportId, Refusal> {
    let (mut kind, mut unit) = (String::new(), String::new());
    while let Some(field) = form.next_field().await.map_err(|_| Refusal::Line)? {
        match field.name() {
            Some("kind") => kind = small(field).await.ok_or(Refusal::Line)?,
            Some("unit") => unit = small(field).await.ok_or(Refusal::Line)?,
            Some("file") => return store(backend, viewer, &kind, &unit, field).await,
            _ => {}
        }
    }
    Err(Refusal::Form(no_file(&kind, &unit)))
}

/// The value of a small field; `None` if the connection breaks, or it is too long or not a text.
pub(crate) async fn small(mut field: Field<'_>) -> Option<String> {
    let mut text = Vec::new();
    while let Some(bytes) = field.chunk().await.ok()? {
        text.extend_from_slice(&bytes);
        if text.len() > FIELD_MAX {
            return None;
        }
    }
    String::from_utf8(text).ok()
}

async fn store(backend: &Backend, viewer: &Viewer, kind: &str, unit: &str, mut field: Field<'_>) -> Result<ImportId, Refusal> {
    let file_name = field.file_name().unwrap_or_default().to_owned();
    let mut upload = backend.imports().receive(viewer, UploadForm { kind, unit, file_name: &file_name }).await?;
    let mut length = 0;
    while let Some(bytes) = field.chunk().await.map_err(|_| Refusal::Line)? {
        length += bytes.len() as u64;
        if length > BODY_MAX {
            break;
        }
        upload.write(bytes.into()).await?;
    }
    // A browser sends a nameless, empty file if none was chosen.
    if length == 0 && file_name.is_empty() {
        return Err(Refusal::Form(no_file(kind, unit)));
    }
    Ok(upload.finish().await?.import)
}

fn no_file(kind: &str, unit: &str) -> FormErrors {
    let mut form = FormReader::new("upload");
    form.read("kind", kind, |_| Ok(()));
    form.read("unit", unit, |_| Ok(()));
    form.refused("file", Problem::Required)
}

async fn report(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
) -> Response {
    let locale = context.page.preferences.locale;
    let Some(viewer) = &context.page.viewer else { return problem(locale, Kind::NotSignedIn) };
    let Ok(import) = id.parse::<ImportId>() else { return problem(locale, Kind::NotFound) };
    match backend.imports().report(viewer, import).await {
        Ok(report) => {
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{import}-report.csv\"")),
            ];
            (headers, body(report, locale)).into_response()
        }
        Err(error) => problem(locale, AppError::from(error).kind),
    }
}

/// A template of an import file, for people who may import this kind.
async fn template_file(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    Path(file): Path<String>,
) -> Response {
    let locale = context.page.preferences.locale;
    let Some(viewer) = &context.page.viewer else { return problem(locale, Kind::NotSignedIn) };
    let kinds = match backend.imports().kinds(viewer).await {
        Ok(kinds) => kinds,
        Err(error) => return problem(locale, AppError::from(error).kind),
    };
    let named = file.split_once('.').and_then(|(kind, ending)| Some((ImportKind::from_key(kind)?, ending)));
    let Some((kind, ending)) = named.filter(|(kind, _)| kinds.contains(kind)) else { return problem(locale, Kind::NotFound) };
    table_file(locale, kind.key(), ending, &template(locale, kind))
}

/// A table as a file to fill in, `csv` or `xlsx`.
pub(crate) fn table_file(locale: Locale, name: &str, ending: &str, rows: &[Vec<String>]) -> Response {
    let (media_type, content) = match ending {
        "csv" => {
            let lines = rows.iter().map(|row| csv_line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
            // Without a byte order mark, spreadsheets misread Vietnamese letters.
            ("text/csv; charset=utf-8", Ok(format!("\u{feff}{}", lines.collect::<String>()).into_bytes()))
        }
        "xlsx" => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", spreadsheet(rows)),
        _ => return problem(locale, Kind::NotFound),
    };
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{ending}\"")),
    ];
    match content {
        Ok(content) => (headers, content).into_response(),
        Err(error) => problem(locale, AppError::from(error).kind),
    }
}

fn body(report: Report, locale: Locale) -> Body {
    let (sender, pieces) = mpsc::channel::<Bytes>(AHEAD);
    spawn_blocking(move || {
        let mut out = Outgoing { sender, pending: Vec::with_capacity(PIECE) };
        // If the client disconnects, or the report is damaged, the file ends early; the part sent is correct.
        if let Err(error) = write_report(&mut out, report, locale).and_then(|()| out.flush()) {
            tracing::warn!(%error, "a report was not sent completely");
        }
    });
    Body::from_stream(ReceiverStream::new(pieces).map(Ok::<_, std::convert::Infallible>))
}

/// Writes the report as a file for spreadsheets, in the reader's language.
///
/// # Errors
/// If it cannot be written or read.
pub(crate) fn write_report(out: &mut impl std::io::Write, report: Report, locale: Locale) -> std::io::Result<()> {
    // Without a byte order mark, spreadsheets misread Vietnamese letters.
    out.write_all("\u{feff}".as_bytes())?;
    out.write_all(plain_line(&report_heads(locale)).as_bytes())?;
    for line in report {
        let RefusedLine { row, name, column, value, reason } = line.map_err(std::io::Error::other)?;
        let (row, why) = (row.to_string(), reason_text(locale, column, &reason));
        let column = column.map(|column| column_name(locale, column)).unwrap_or_default();
        out.write_all(plain_line(&[&row, &name, column, &value, outcome_text(locale, &reason), &why]).as_bytes())?;
    }
    Ok(())
}

/// A line of a CSV file, with plain spaces in terms.
pub(crate) fn plain_line(cells: &[&str]) -> String {
    text::with_plain_spaces(&csv_line(cells))
}

/// A writer in a thread whose bytes are sent by a task.
struct Outgoing {
    sender: mpsc::Sender<Bytes>,
    pending: Vec<u8>,
}

impl std::io::Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let piece = std::mem::replace(&mut self.pending, Vec::with_capacity(PIECE));
        self.sender.blocking_send(piece.into()).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }
}
