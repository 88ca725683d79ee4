//! Completes responses of the inner layers: a message where a body is empty, the right status where it is wrong.

use std::sync::Arc;

use app::{
    context::request::RequestContext,
    cookies::header_value,
    error::{AppError, Kind},
    forms::{accepts_page, keep_form, local, sign_in_page},
    shell::Assets,
    terms, text,
};
use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Uri, header, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse, Response},
};
use backend::Backend;
use domain::{
    Locale,
    forms::{FormErrors, is_local},
};

use crate::cookies::chosen_locale;

/// Error bodies of server functions are small; a larger body is not one of them.
const ERROR_MAX: usize = 64 * 1024;

pub(crate) async fn complete(Extension(context): Extension<RequestContext>, request: Request, next: Next) -> Response {
    let locale = context.page.preferences.locale;
    let is_api = request.uri().path().starts_with("/api/");
    let page = request.method().is_safe().then(|| request.uri().clone()).filter(is_page);
    let response = next.run(request).await;
    match (response.status(), page) {
        // Browsers, installers and link checkers treat 401 as a broken page.
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

/// Answers 404 for a path with a `.` or `..` segment, also an encoded one. Browsers resolve these themselves; the router of the pages
/// would resolve them too, and show another page than the one whose scripts and limits apply to the path.
pub(crate) async fn refuse_dot_segments(request: Request, next: Next) -> Response {
    if has_dot_segment(request.uri().path()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    next.run(request).await
}

fn has_dot_segment(path: &str) -> bool {
    path.split('/').any(|segment| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | ".."))
}

/// Turns a 503 because of overload or a timeout into a response that offers a retry: a page with a link for a reader, an error of
/// the application for a script. Uses nothing but the request, and wraps all layers that may be overloaded.
pub(crate) async fn offer_again(State(assets): State<Arc<Assets>>, request: Request, next: Next) -> Response {
    let locale = chosen_locale(request.headers());
    let wants_page = accepts_page(request.headers());
    let is_reader = wants_page && request.method().is_safe() && is_page(request.uri());
    let is_script = !wants_page && request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    let is_busy = response.status() == StatusCode::SERVICE_UNAVAILABLE && says_nothing(&response);
    let (kind, body) = match (is_busy, is_reader, is_script) {
        (true, true, _) => ("text/html; charset=utf-8", again_page(locale, &assets.css)),
        (true, _, true) => ("application/json", busy_error(locale)),
        _ => return response,
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Response::from_parts(parts, Body::from(body))
}

/// The empty link address is that of the page itself.
fn again_page(locale: Locale, css: &str) -> String {
    let (lang, title, told) = (locale.tag(), terms::error_title(locale, Kind::Busy), text::server::too_slow(locale));
    let again = text::frame::try_again(locale);
    format!(
        "<!DOCTYPE html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <link rel=\"stylesheet\" href=\"{css}\"></head><body><main class=\"content\"><div class=\"page page-narrow\">\
         <h1>{title}</h1><p>{told}</p><p><a class=\"button\" href=\"\">{again}</a></p></div></main></body></html>"
    )
}

fn busy_error(locale: Locale) -> String {
    let mut error = AppError::new(Kind::Busy);
    text::server::too_slow(locale).clone_into(&mut error.message);
    serde_json::to_string(&error).unwrap_or_default()
}

/// Whether a person navigates to the address, rather than a script.
fn is_page(uri: &Uri) -> bool {
    !["/api/", "/live", "/files/uploads/"].iter().any(|place| uri.path().starts_with(place))
}

/// Shows a rejected form again on its page.
pub(crate) async fn send_back(backend: &Backend, context: &RequestContext, page: &str, errors: &FormErrors) -> Response {
    let locale = context.page.preferences.locale;
    let cookie = match keep_form(backend, context, errors, page).await {
        Ok(cookie) => cookie,
        Err(error) => return problem(locale, AppError::from(error).kind),
    };
    // An invalid id gives no header.
    match header_value(&cookie) {
        Some(cookie) if is_local(page) => ([(header::SET_COOKIE, cookie)], see_other(page)).into_response(),
        _ => problem(locale, Kind::NotFound),
    }
}

/// Redirects within this site; to the home page if `to` is not local (`domain::forms::is_local`). Every local redirect ends here.
pub(crate) fn see_other(to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, local(to))]).into_response()
}

/// The error as a sentence, for requests that are not pages.
pub(crate) fn problem(locale: Locale, kind: Kind) -> Response {
    (kind.status(), terms::error_text(locale, kind)).into_response()
}

/// Whether the body is empty or a technical message of a layer.
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

/// The framework reports arguments that do not parse as an internal error (500). They are the caller's error: 400, with a body
/// that says so.
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

#[cfg(test)]
mod tests {
    use axum::{Router, middleware::from_fn_with_state, routing::get};
    use tower::ServiceExt;

    use super::*;

    async fn asked(method: &str, address: &str, accept: &str) -> (Option<String>, String) {
        let busy =
            || async { (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "3")], text::server::too_slow(Locale::En)) };
        let down = || async { (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "text/html")], "a page that says so") };
        let assets = Arc::new(Assets { css: "/pkg/look.css".to_owned(), ..Assets::default() });
        let router =
            Router::new().route("/problem/busy", get(down)).fallback(busy).layer(from_fn_with_state(assets, offer_again));
        let request = Request::builder().method(method).uri(address).header(header::ACCEPT, accept);
        let request = request.header(header::ACCEPT_LANGUAGE, "en").body(Body::empty()).expect("a request");
        let response = router.oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let after = response.headers().get(header::RETRY_AFTER).map(|after| after.to_str().expect("text").to_owned());
        let body = to_bytes(response.into_body(), ERROR_MAX).await.expect("a body");
        (after, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[test]
    fn a_redirect_stays_on_this_site() {
        let to = |to: &str| see_other(to).headers()[header::LOCATION].to_str().expect("text").to_owned();
        assert_eq!(to("/library?kind=form#text"), "/library?kind=form#text");
        for elsewhere in ["//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example", "evil.example", ""] {
            assert_eq!(to(elsewhere), "/", "{elsewhere:?}");
        }
    }

    #[tokio::test]
    async fn a_refused_request_may_be_retried() {
        let (html, sentence) = ("text/html,application/xhtml+xml", text::server::too_slow(Locale::En));
        let (after, page) = asked("GET", "/library?kind=form", html).await;
        assert_eq!(after.as_deref(), Some("3"), "and when");
        for part in ["lang=\"en\"", "href=\"/pkg/look.css\"", sentence, "href=\"\"", text::frame::try_again(Locale::En)] {
            assert!(page.contains(part), "{part} is missing in {page}");
        }
        let (_, told) = asked("GET", "/api/library/list", "*/*").await;
        let error: AppError = serde_json::from_str(&told).expect("an application error");
        assert_eq!((error.kind, &*error.message), (Kind::Busy, sentence));
        for (method, address, accept) in [("POST", "/api/feedback/send", html), ("GET", "/live", "text/event-stream")] {
            assert_eq!(asked(method, address, accept).await.1, sentence, "{address}");
        }
        assert_eq!(asked("GET", "/problem/busy", html).await.1, "a page that says so");
    }
}
