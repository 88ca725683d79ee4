//! The `Content-Disposition` of a download.

use std::fmt::Write;

use axum::http::HeaderValue;

/// `attachment` with the name twice: in ASCII, and as it is (RFC 6266, RFC 8187).
pub(super) fn disposition(name: &str) -> HeaderValue {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ' ') { c } else { '_' }).collect();
    let exact = name.bytes().fold(String::new(), |mut exact, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~') {
            exact.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(exact, "%{byte:02X}");
        }
        exact
    });
    let text = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_inject_parameters_or_headers() {
        for (name, expected) in [
            ("a b.pdf", "attachment; filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf"),
            ("Nghị.pdf", "attachment; filename=\"Ngh_.pdf\"; filename*=UTF-8''Ngh%E1%BB%8B.pdf"),
            (
                "a\"; x=\"b\r\nSet-Cookie: c",
                "attachment; filename=\"a__ x__b__Set-Cookie_ c\"; filename*=UTF-8''a%22%3B%20x%3D%22b%0D%0ASet-Cookie%3A%20c",
            ),
        ] {
            assert_eq!(disposition(name), expected);
        }
    }
}
