//! CSRF protection: other sites can make a browser send a changing request with its cookies, so it must come from a page of this
//! site.

use app::{context::request::RequestContext, text};
use axum::{
    Extension,
    extract::Request,
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

pub(crate) async fn guard(Extension(context): Extension<RequestContext>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_ours(request.headers()) {
        return next.run(request).await;
    }
    tracing::warn!("refused a changing request from another site");
    (StatusCode::FORBIDDEN, text::server::other_site(context.page.preferences.locale)).into_response()
}

/// Browsers since 2023 send `Sec-Fetch-Site`; older ones at least `Origin`. A client without either is not a browser with a form
/// of this site.
fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let origin = text(header::ORIGIN.as_str()).and_then(|origin| origin.parse::<Uri>().ok());
    match (origin.as_ref().and_then(Uri::authority), text(header::HOST.as_str())) {
        (Some(origin), Some(host)) => origin.as_str().eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_pages_of_this_site_may_change_something() {
        let host = ("host", "handbook.example:8080");
        for ours in [
            &[host, ("sec-fetch-site", "same-origin")][..],
            &[host, ("sec-fetch-site", "none")],
            &[host, ("origin", "https://handbook.example:8080")],
        ] {
            assert!(is_ours(&headers(ours)), "{ours:?}");
        }
        for foreign in [
            &[host][..],
            &[host, ("sec-fetch-site", "cross-site")],
            &[host, ("sec-fetch-site", "same-site")],
            // `Sec-Fetch-Site` takes precedence over the other headers.
            &[host, ("sec-fetch-site", "cross-site"), ("origin", "https://handbook.example:8080")],
            &[host, ("origin", "https://evil.example")],
            &[host, ("origin", "https://handbook.example")],
            &[host, ("origin", "null")],
            &[("origin", "https://handbook.example:8080")],
        ] {
            assert!(!is_ours(&headers(foreign)), "{foreign:?}");
        }
    }
}
