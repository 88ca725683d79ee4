//! Moves the end of the document to its end: the framework writes the hydration data after `</html>`, where no element is
//! allowed.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

const BODY: &str = "</body>";
const HTML: &str = "</html>";

/// Pages are buffered before they are sent; all are far smaller.
const PAGE_MAX: usize = 32 * 1024 * 1024;

/// Moves `</body></html>` to the end of the response.
pub(crate) async fn close(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if !is_html(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(page) = to_bytes(body, PAGE_MAX).await else {
        tracing::error!("cannot buffer a page");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(closed(page)))
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Drops what is between `</body>` and `</html>`: only marks of the framework, which nothing looks for there.
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
