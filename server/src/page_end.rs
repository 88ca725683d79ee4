//! The end of a page. What the browser half starts with is written behind the page by the framework, after `</html>`, where no
//! element may stand.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

const BODY: &str = "</body>";
const HTML: &str = "</html>";

/// A page is complete before it is sent; none comes near this size.
const PAGE_MAX: usize = 32 * 1024 * 1024;

/// Moves the end of a page to its end.
pub(crate) async fn close(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if !is_html(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(page) = to_bytes(body, PAGE_MAX).await else {
        tracing::error!("a page could not be written to its end");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(closed(page)))
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// What stands between the two ends are marks of the framework, which nobody looks for there.
fn closed(page: Bytes) -> Bytes {
    let Ok(text) = std::str::from_utf8(&page) else { return page };
    let Some(html) = text.rfind(HTML) else { return page };
    let Some(body) = text[..html].rfind(BODY) else { return page };
    let behind = text[html + HTML.len()..].trim_start_matches("<!>");
    let whole = [&text[..body], behind, BODY, HTML].concat();
    whole.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stands_behind_the_end() {
        for (page, told) in [
            ("<html><body>1</body></html><script>2</script>", "<html><body>1<script>2</script></body></html>"),
            ("<html><body>1</body></html>", "<html><body>1</body></html>"),
            ("<html><body>1<!></body><!><!></html><!><script>2</script>", "<html><body>1<!><script>2</script></body></html>"),
            ("no page", "no page"),
        ] {
            assert_eq!(closed(Bytes::from_static(page.as_bytes())), told);
        }
    }
}
