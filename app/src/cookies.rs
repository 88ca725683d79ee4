//! Cookies with secrets: names, lifetimes and attributes.

use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderValue, header};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use crate::error::{AppError, Kind};

/// A secret stored by the browser, sent over encrypted connections only and hidden from scripts. `max_age` is the lifetime in the
/// browser; the store decides how long the secret is valid.
///
/// `__Host-` makes browsers refuse it from a subdomain, for a path or without encryption.
#[derive(Debug, Clone, Copy)]
pub struct SecretCookie {
    pub name: &'static str,
    pub max_age: Duration,
}

/// The session. 400 days are the maximum of browsers. The store ends a session after 30 idle days; a shorter lifetime here would
/// sign out people who use the handbook every day.
pub const SESSION: SecretCookie = SecretCookie { name: "__Host-handbook", max_age: Duration::days(400) };

/// The secret of an activation.
pub const ACTIVATION: SecretCookie = SecretCookie { name: "__Host-door", max_age: Duration::minutes(30) };

/// A device with an earlier sign-in.
pub const DEVICE: SecretCookie = SecretCookie { name: "__Host-device", max_age: Duration::days(400) };

/// The sheet of codes that was just issued.
pub const SHEET: SecretCookie = SecretCookie { name: "__Host-sheet", max_age: Duration::minutes(10) };

/// The problems of a rejected form. Its path is the form's page, so no other page receives it.
pub const FLASH: SecretCookie = SecretCookie { name: "__Secure-handbook-form", max_age: Duration::minutes(30) };

impl SecretCookie {
    /// A cookie with this secret, for all pages.
    pub fn holding(self, secret: &str) -> Cookie<'static> {
        self.holding_at(secret, "/")
    }

    /// A cookie with this secret, for the pages below `path`.
    pub fn holding_at(self, secret: &str, path: &str) -> Cookie<'static> {
        self.built(secret, path, self.max_age)
    }

    /// A cookie that deletes the one for all pages.
    pub fn removed(self) -> Cookie<'static> {
        self.removed_at("/")
    }

    /// A cookie that deletes the one for `path`.
    pub fn removed_at(self, path: &str) -> Cookie<'static> {
        self.built("", path, Duration::ZERO)
    }

    /// Sets the cookie in this response.
    ///
    /// # Errors
    /// [`Kind::Internal`] when `secret` is not a valid header value, or outside a request.
    pub(crate) fn give(self, secret: &str) -> Result<(), AppError> {
        respond_with(&self.holding(secret))
    }

    /// Deletes the cookie in this response.
    ///
    /// # Errors
    /// [`Kind::Internal`] outside a request.
    pub(crate) fn take_back(self) -> Result<(), AppError> {
        respond_with(&self.removed())
    }

    fn built(self, secret: &str, path: &str, max_age: Duration) -> Cookie<'static> {
        Cookie::build((self.name, secret.to_owned()))
            .path(path.to_owned())
            .max_age(max_age)
            .secure(true)
            .http_only(true)
            .same_site(SameSite::Lax)
            .build()
    }
}

/// The value of a request cookie; `None` when it is empty.
pub fn sent<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).flatten();
    cookies.find(|cookie| cookie.name() == name && !cookie.value().is_empty())?.value_raw()
}

/// The value of `Set-Cookie`; `None` when it contains characters that are not allowed in a header.
pub fn header_value(cookie: &Cookie<'_>) -> Option<HeaderValue> {
    HeaderValue::from_str(&cookie.to_string()).ok()
}

/// Adds the cookie to the response of this server function.
///
/// # Errors
/// [`Kind::Internal`] when it is not a valid header value, or outside a request.
pub(crate) fn respond_with(cookie: &Cookie<'_>) -> Result<(), AppError> {
    let internal = || AppError::new(Kind::Internal);
    let line = header_value(cookie).ok_or_else(internal)?;
    use_context::<ResponseOptions>().ok_or_else(internal)?.append_header(header::SET_COOKIE, line);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_from_scripts_and_sent_encrypted() {
        let days = 400 * 24 * 60 * 60;
        for (cookie, line) in [
            (SESSION.holding("a"), format!("__Host-handbook=a; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age={days}")),
            (DEVICE.holding("b"), format!("__Host-device=b; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age={days}")),
            (ACTIVATION.holding("c"), "__Host-door=c; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=1800".to_owned()),
            (SHEET.holding("d"), "__Host-sheet=d; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600".to_owned()),
            (
                FLASH.holding_at("e", "/desk/01A"),
                "__Secure-handbook-form=e; HttpOnly; SameSite=Lax; Secure; Path=/desk/01A; Max-Age=1800".to_owned(),
            ),
        ] {
            assert_eq!(cookie.to_string(), line);
        }
    }

    #[test]
    fn a_cookie_is_deleted_where_it_was_set() {
        let line = "__Host-handbook=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0";
        assert_eq!(SESSION.removed().to_string(), line);
        let line = "__Secure-handbook-form=; HttpOnly; SameSite=Lax; Secure; Path=/desk/01A; Max-Age=0";
        assert_eq!(FLASH.removed_at("/desk/01A").to_string(), line);
    }

    #[test]
    fn a_line_break_is_not_a_header_value() {
        assert_eq!(header_value(&FLASH.holding_at("a", "/desk\r\nX: y")), None);
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; __Host-handbook=secret; b=x=y"));
        headers.append(header::COOKIE, HeaderValue::from_static("c="));
        assert_eq!(sent(&headers, "__Host-handbook"), Some("secret"));
        assert_eq!(sent(&headers, "handbook"), None);
        assert_eq!(sent(&headers, "b"), Some("x=y"));
        assert_eq!(sent(&headers, "c"), None);
    }
}
