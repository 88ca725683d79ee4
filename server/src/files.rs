//! Uploads and downloads of document files: resumable uploads for scripts, one form without script; downloads support ranges.
//!
//! The upload protocol is a subset of <https://tus.io>: a POST announces name and size, each PATCH continues at its
//! `Upload-Offset`, a HEAD returns the offset, at which an interrupted client resumes.

use std::{convert::Infallible, time::Duration};

use app::{
    context::request::RequestContext,
    error::{AppError, Kind},
    files::refused_text,
    terms, text,
};
use axum::{
    Extension, Json, Router,
    body::{Body, Bytes},
    extract::{
        DefaultBodyLimit, Form, Multipart, Path, State,
        multipart::{Field, MultipartRejection},
        rejection::FormRejection,
    },
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use backend::{
    Backend, Error,
    files::{Arrived, NewUpload, OpenFile},
};
use domain::{
    Locale,
    accounts::Viewer,
    files::{Arrival, FileRefused, OffsetRefused},
    forms::FormErrors,
    ids::{AttachmentId, DocumentId, UploadId},
};
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

use crate::{
    answers::{self, problem, see_other},
    state::Shared,
};

mod names;
mod ranges;

use names::disposition;
use ranges::{RequestedRange, asked};

/// The offset of the next byte, and the total length.
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");

/// A connection without data for this long is closed.
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// Bytes of each small field of the form.
const FIELD_MAX: usize = 200;

/// Bytes read from the file store at a time, and how many of these pieces are buffered for a slow connection.
const PIECE: u64 = 256 * 1024;
const AHEAD: usize = 2;

/// Policy of a file that a browser displays after all: it may do nothing.
const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");

/// Phones are shared: no file is cached; readers may save it.
const CACHING: HeaderValue = HeaderValue::from_static("private, no-store");

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/files/upload", post(whole_form).layer(DefaultBodyLimit::disable()))
        .route("/files/uploads", post(announce))
        .route("/files/uploads/{id}", get(arrival).patch(append).delete(cancel))
        .route("/files/{id}", get(content))
        .route("/files/{id}/preview", get(preview))
}

/// The caller, with their language.
struct Caller {
    viewer: Option<Viewer>,
    locale: Locale,
}

impl Caller {
    fn of(context: RequestContext) -> Self {
        Self { locale: context.page.preferences.locale, viewer: context.page.viewer }
    }

    fn viewer(&self) -> Result<&Viewer, Error> {
        self.viewer.as_ref().ok_or(Error::NotSignedIn)
    }

    /// The error for a script: a sentence, and the reason if a file is rejected.
    fn refuse(&self, error: Error) -> Response {
        match error {
            Error::File(refused) => {
                upload_response(StatusCode::UNPROCESSABLE_ENTITY, refused_text(self.locale, refused), Some(refused))
            }
            Error::Offset(OffsetRefused::Elsewhere { received }) => {
                let text = terms::error_text(self.locale, Kind::Invalid);
                ([(OFFSET, received)], upload_response(StatusCode::CONFLICT, text, None)).into_response()
            }
            Error::Offset(OffsetRefused::Beyond) => {
                upload_response(StatusCode::PAYLOAD_TOO_LARGE, text::files::refused_longer(self.locale), None)
            }
            error => {
                let kind = AppError::from(error).kind.for_viewer(self.viewer.as_ref());
                upload_response(kind.status(), terms::error_text(self.locale, kind), None)
            }
        }
    }

    /// The error as plain text, for a browser that navigates to the address.
    fn plain(&self, error: Error) -> Response {
        problem(self.locale, AppError::from(error).kind.for_viewer(self.viewer.as_ref()))
    }
}

fn upload_response(status: StatusCode, message: &str, refused: Option<FileRefused>) -> Response {
    (status, Json(UploadAnswer { message, refused })).into_response()
}

#[derive(Serialize)]
struct UploadAnswer<'t> {
    message: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<FileRefused>,
}

#[derive(Deserialize)]
struct Announced {
    document: String,
    name: String,
    size: u64,
}

/// Outcome of an upload, for the script.
#[derive(Serialize)]
struct UploadOutcome {
    /// Whether somebody must decide first.
    waiting: bool,
}

async fn announce(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    new: Result<Form<Announced>, FormRejection>,
) -> Response {
    let caller = Caller::of(context);
    let new = match new {
        Ok(Form(new)) => new,
        Err(rejection) => return upload_response(rejection.status(), terms::error_text(caller.locale, Kind::Invalid), None),
    };
    let announced = async {
        let document = new.document.parse().map_err(|_| Error::NotFound)?;
        let new = NewUpload { document, name: &new.name, size: new.size };
        backend.files().begin(caller.viewer()?, new).await
    };
    match announced.await {
        Ok(upload) => {
            let headers = [(header::LOCATION, format!("/files/uploads/{upload}")), (OFFSET, "0".to_owned())];
            (StatusCode::CREATED, headers).into_response()
        }
        Err(error) => caller.refuse(error),
    }
}

async fn arrival(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
) -> Response {
    let caller = Caller::of(context);
    let found = async {
        let upload = id.parse().map_err(|_| Error::NotFound)?;
        backend.files().arrival(caller.viewer()?, upload).await
    };
    match found.await {
        Ok(arrival) => so_far(StatusCode::NO_CONTENT, arrival),
        Err(error) => caller.refuse(error),
    }
}

fn so_far(status: StatusCode, arrival: Arrival) -> Response {
    (status, [(OFFSET, arrival.received), (LENGTH, arrival.size)]).into_response()
}

async fn append(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let caller = Caller::of(context);
    let (Ok(upload), Some(offset)) = (id.parse::<UploadId>(), number(&headers, &OFFSET)) else {
        return caller.refuse(Error::NotFound);
    };
    let Some(viewer) = caller.viewer.clone() else { return caller.refuse(Error::NotSignedIn) };
    let announced = number(&headers, &header::CONTENT_LENGTH);
    // In a task of its own, so that a disconnect does not discard the data received.
    let taken = tokio::spawn(async move { take(&backend, &viewer, upload, offset, announced, body).await });
    match taken.await.unwrap_or_else(|error| Err(Error::Internal(format!("taking a file stopped: {error}")))) {
        Ok(UploadProgress::Partly(arrival)) => so_far(StatusCode::NO_CONTENT, arrival),
        Ok(UploadProgress::Whole(arrived)) => Json(UploadOutcome { waiting: !arrived.warnings.is_empty() }).into_response(),
        Err(error) => caller.refuse(error),
    }
}

enum UploadProgress {
    Partly(Arrival),
    Whole(Arrived),
}

async fn take(
    backend: &Backend,
    viewer: &Viewer,
    upload: UploadId,
    offset: u64,
    announced: Option<u64>,
    body: Body,
) -> Result<UploadProgress, Error> {
    let mut intake = backend.files().resume(viewer, upload, offset, announced).await?;
    let mut bytes = body.into_data_stream();
    // Ends with the chunk, or when the connection breaks or times out.
    while let Ok(Some(Ok(bytes))) = timeout(SILENCE_MAX, bytes.next()).await {
        if let Err(error) = intake.write(&bytes).await {
            intake.pause().await?;
            return Err(error);
        }
    }
    let arrival = intake.pause().await?;
    if arrival.is_whole() {
        return Ok(UploadProgress::Whole(backend.files().finish(viewer, upload).await?));
    }
    Ok(UploadProgress::Partly(arrival))
}

async fn cancel(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
) -> Response {
    let caller = Caller::of(context);
    let cancelled = async {
        let upload = id.parse().map_err(|_| Error::NotFound)?;
        backend.files().cancel(caller.viewer()?, upload).await
    };
    match cancelled.await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => caller.refuse(error),
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// The form without script: the document's id, then the whole file.
async fn whole_form(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    let caller = Caller::of(context.clone());
    let Some(viewer) = caller.viewer.clone() else { return see_other("/sign-in") };
    let Ok(form) = form else { return problem(caller.locale, Kind::Invalid) };
    let received = tokio::spawn({
        let backend = backend.clone();
        async move { receive(&backend, &viewer, form).await }
    });
    match received.await.unwrap_or_else(|error| Err((None, Error::Internal(format!("taking a file stopped: {error}"))))) {
        Ok(arrived) => see_other(&format!("/desk/{}/files?added=1", arrived.document)),
        Err((Some(document), Error::File(refused))) => send_back(&backend, &context, document, refused).await,
        Err((_, error)) => caller.plain(error),
    }
}

/// The error, with the document if known.
type FormFailure = (Option<DocumentId>, Error);

async fn receive(backend: &Backend, viewer: &Viewer, mut form: Multipart) -> Result<Arrived, FormFailure> {
    let broken = |_| (None, Error::Invalid(FormErrors::default()));
    let mut document = None;
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("document") => document = small(field).await.and_then(|id| id.parse().ok()),
            Some("file") => {
                let document = document.ok_or((None, Error::NotFound))?;
                return whole_file(backend, viewer, document, field).await.map_err(|error| (Some(document), error));
            }
            _ => {}
        }
    }
    Err((document, document.map_or(Error::NotFound, |_| FileRefused::Empty.into())))
}

async fn small(mut field: Field<'_>) -> Option<String> {
    let mut text = Vec::new();
    while let Ok(Some(bytes)) = field.chunk().await {
        text.extend_from_slice(&bytes);
        if text.len() > FIELD_MAX {
            return None;
        }
    }
    String::from_utf8(text).ok()
}

async fn whole_file(backend: &Backend, viewer: &Viewer, document: DocumentId, mut field: Field<'_>) -> Result<Arrived, Error> {
    let name = field.file_name().unwrap_or_default().to_owned();
    let mut intake = backend.files().receive(viewer, document, &name).await?;
    let mut length = 0;
    loop {
        let taken = match timeout(SILENCE_MAX, field.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                length += bytes.len();
                intake.write(&bytes).await
            }
            Ok(Ok(None)) if length == 0 => Err(FileRefused::Empty.into()),
            Ok(Ok(None)) => return intake.complete(viewer).await,
            // The connection broke: nobody receives a response, and the upload cannot resume.
            _ => Err(Error::Invalid(FormErrors::default())),
        };
        if let Err(error) = taken {
            intake.drop_all().await?;
            // Drains a body that is too large for a while, so that the client reads the response.
            return Err(error);
        }
    }
}

/// Shows the form again with the reason of the rejection.
async fn send_back(backend: &Backend, context: &RequestContext, document: DocumentId, refused: FileRefused) -> Response {
    let page = format!("/desk/{document}/files");
    let values = [("refused".to_owned(), refused.key().to_owned())].into();
    let errors = FormErrors { form: "upload".to_owned(), values, problems: Vec::new() };
    answers::send_back(backend, context, &page, &errors).await
}

async fn content(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let caller = Caller::of(context);
    let opened = async {
        let attachment: AttachmentId = id.parse().map_err(|_| Error::NotFound)?;
        backend.files().open(caller.viewer()?, attachment).await
    };
    let file = match opened.await {
        Ok(file) => file,
        Err(error) => return caller.plain(error),
    };
    let tag = format!("\"{}\"", file.sha256);
    let mut response = match asked(&headers, &tag, file.bytes) {
        RequestedRange::Known => StatusCode::NOT_MODIFIED.into_response(),
        RequestedRange::Nowhere => {
            let size = format!("bytes */{}", file.bytes);
            return (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, size)]).into_response();
        }
        RequestedRange::Whole => stretch(&method, &file, 0, file.bytes),
        RequestedRange::Part(from, until) => {
            let range = format!("bytes {from}-{}/{}", until - 1, file.bytes);
            let part = stretch(&method, &file, from, until);
            (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, range)], part).into_response()
        }
    };
    let kept = response.headers_mut();
    kept.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind.media_type()));
    kept.insert(header::CONTENT_DISPOSITION, disposition(&file.name));
    protect(kept, &tag);
    kept.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

/// Streams bytes `from..until` at the speed of the connection.
fn stretch(method: &Method, file: &OpenFile, from: u64, until: u64) -> Response {
    let length = [(header::CONTENT_LENGTH, until - from)];
    if *method == Method::HEAD {
        return (length, Body::empty()).into_response();
    }
    let (sender, pieces) = mpsc::channel::<Bytes>(AHEAD);
    let file = file.clone();
    tokio::spawn(async move {
        let mut from = from;
        while from < until {
            let next = until.min(from + PIECE);
            let sent = match file.read(from, next).await {
                Ok(bytes) => sender.send(bytes.into()).await,
                // The body ends early; `Content-Length` tells the client that something is missing.
                Err(error) => return tracing::error!(%error, "a file cannot be read to its end"),
            };
            // The client has disconnected.
            if sent.is_err() {
                return;
            }
            from = next;
        }
    });
    (length, Body::from_stream(ReceiverStream::new(pieces).map(Ok::<_, Infallible>))).into_response()
}

async fn preview(
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let caller = Caller::of(context);
    let opened = async {
        let attachment: AttachmentId = id.parse().map_err(|_| Error::NotFound)?;
        backend.files().open_preview(caller.viewer()?, attachment).await
    };
    let picture = match opened.await {
        Ok(picture) => picture,
        Err(error) => return caller.plain(error),
    };
    let tag = format!("\"{}\"", picture.sha256);
    let mut response = match asked(&headers, &tag, picture.content.len() as u64) {
        RequestedRange::Known => StatusCode::NOT_MODIFIED.into_response(),
        _ => ([(header::CONTENT_TYPE, picture.media_type)], picture.content).into_response(),
    };
    protect(response.headers_mut(), &tag);
    response
}

fn protect(headers: &mut HeaderMap, tag: &str) {
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, CACHING);
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
}
