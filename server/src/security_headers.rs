//! Security headers of all responses.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use leptos::nonce::Nonce;

/// Constant headers.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), \
         payment=(), usb=()",
    ),
    (HeaderName::from_static("x-permitted-cross-domain-policies"), "none"),
];

/// Generates the request's nonce, which the page's own scripts carry, and sets the headers.
pub(crate) async fn set(mut request: Request, next: Next) -> Response {
    let nonce = Nonce::new();
    let is_encrypted = came_encrypted(request.headers());
    request.extensions_mut().insert(nonce.clone());

    let mut response = next.run(request).await;

    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy(&nonce)) {
        // Files set a stricter policy.
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    }
    if is_encrypted {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    response
}

/// Scripts need the nonce, styles are from files of this site; nothing is fetched from, sent to or framed by other sites. Scripts
/// make markup of strings only through two Trusted Types policies: `default` rejects what would run (`scripts/start.js`), since
/// the WebAssembly half writes markup as strings; `handbook` accepts what this server sent, in scripts that load more of their
/// page.
fn policy(nonce: &Nonce) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default handbook"
    )
}

/// The program speaks plain HTTP; a proxy that terminates TLS says so in a header.
fn came_encrypted(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"))
}
