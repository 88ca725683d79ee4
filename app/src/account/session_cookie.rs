//! The cookie that carries a session's secret.
//!
//! `__Host-` makes browsers refuse it from a subdomain, for a path or without encryption; scripts cannot read it.

use http::{HeaderValue, header};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use crate::error::{AppError, Kind};

pub const SESSION_COOKIE: &str = "__Host-handbook";

/// Seconds the browser keeps it: 400 days, the most browsers allow. The store ends a session that was idle for 30 days; a shorter
/// time here would sign out people who use the handbook every day.
const MAX_AGE: u32 = 400 * 24 * 60 * 60;

/// Hands the secret to the browser with this response.
///
/// # Errors
/// [`Kind::Internal`] when `token` is not what a session's secret looks like, or outside a request.
pub(crate) fn give(token: &str) -> Result<(), AppError> {
    append(&carrying(token))
}

/// The cookie's line in a response.
pub fn carrying(token: &str) -> String {
    format!("{SESSION_COOKIE}={token}; Path=/; Max-Age={MAX_AGE}; Secure; HttpOnly; SameSite=Lax")
}

/// Makes the browser forget it.
///
/// # Errors
/// [`Kind::Internal`] outside a request.
pub(super) fn take_back() -> Result<(), AppError> {
    append(&format!("{SESSION_COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"))
}

fn append(cookie: &str) -> Result<(), AppError> {
    let cookie = HeaderValue::from_str(cookie).map_err(|_| AppError::new(Kind::Internal))?;
    let options: ResponseOptions = use_context().ok_or_else(|| AppError::new(Kind::Internal))?;
    options.append_header(header::SET_COOKIE, cookie);
    Ok(())
}
