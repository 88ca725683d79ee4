//! What the layers below leave unsaid: a sentence where an answer would be empty, the right status where it would be wrong.

use app::{
    context::server::Visit,
    error::{AppError, Kind},
    forms::{keep_form, local, sign_in_page},
    terms, text,
};
use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, header, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Response},
};
use backend::Backend;
use domain::{
    Locale,
    forms::{FormErrors, is_local},
};

/// The errors of server functions are small; more than this is none of theirs.
const ERROR_MAX: usize = 64 * 1024;

pub(crate) async fn complete(Extension(visit): Extension<Visit>, request: Request, next: Next) -> Response {
    let locale = visit.page.preferences.locale;
    let is_api = request.uri().path().starts_with("/api/");
    let page = request.method().is_safe().then(|| request.uri().clone()).filter(is_page);
    let response = next.run(request).await;
    match (response.status(), page) {
        // Browsers, installers and checkers take 401 for a broken page.
        (StatusCode::UNAUTHORIZED, Some(page)) => {
            see_other(&sign_in_page(page.path_and_query().map_or("/", PathAndQuery::as_str)))
        }
        (StatusCode::INTERNAL_SERVER_ERROR, _) if is_api => argument_error(locale, response).await,
        (status, _) => match sentence(locale, status) {
            Some(sentence) if says_nothing(&response) => (status, sentence).into_response(),
            _ => response,
        },
    }
}

/// What a person goes to, not a script.
fn is_page(uri: &Uri) -> bool {
    !["/api/", "/live", "/files/uploads/"].iter().any(|place| uri.path().starts_with(place))
}

/// Shows a form that is not accepted again, on its page.
pub(crate) async fn send_back(backend: &Backend, visit: &Visit, page: &str, errors: &FormErrors) -> Response {
    let locale = visit.page.preferences.locale;
    let cookie = match keep_form(backend, visit, errors, page).await {
        Ok(cookie) => cookie,
        Err(error) => return problem(locale, AppError::from(error).kind),
    };
    // An id that is none of ours makes no header.
    match HeaderValue::from_str(&cookie) {
        Ok(cookie) if is_local(page) => ([(header::SET_COOKIE, cookie)], see_other(page)).into_response(),
        _ => problem(locale, Kind::NotFound),
    }
}

/// To a page of ours.
pub(crate) fn see_other(to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, local(to))]).into_response()
}

/// What went wrong, as a sentence, for what is no page.
pub(crate) fn problem(locale: Locale, kind: Kind) -> Response {
    let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, terms::error_text(locale, kind)).into_response()
}

/// Empty, or with the technical words of a layer.
fn says_nothing(response: &Response) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

fn sentence(locale: Locale, status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => Some(text::server::wrong_method(locale)),
        StatusCode::PAYLOAD_TOO_LARGE => Some(text::server::too_large(locale)),
        StatusCode::SERVICE_UNAVAILABLE => Some(text::server::too_slow(locale)),
        _ => None,
    }
}

/// Arguments that do not parse fail before the server function runs, and the framework calls that our mistake (500). It is the
/// caller's, and the error in the body says so.
async fn argument_error(locale: Locale, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, ERROR_MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let told = serde_json::from_slice::<AppError>(&bytes).ok().filter(|error| error.kind == Kind::Invalid);
    let Some(mut error) = told else { return Response::from_parts(parts, Body::from(bytes)) };
    terms::error_text(locale, error.kind).clone_into(&mut error.message);
    parts.status = StatusCode::UNPROCESSABLE_ENTITY;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let body = serde_json::to_vec(&error).map_or_else(|_| Body::from(bytes), Body::from);
    Response::from_parts(parts, body)
}
