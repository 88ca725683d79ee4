//! The other secrets a browser keeps for us, beside the session's: all of 256 bits, none readable by scripts.

use http::{HeaderValue, header};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use crate::error::{AppError, Kind};

/// A cookie of ours, and the seconds for which the browser keeps it. The store keeps the time that counts.
#[derive(Debug, Clone, Copy)]
pub struct Cookie {
    pub name: &'static str,
    max_age: u32,
}

/// The visit to a door.
pub const DOOR: Cookie = Cookie { name: "__Host-door", max_age: 30 * 60 };

/// The device on which somebody has signed in before.
pub const DEVICE: Cookie = Cookie { name: "__Host-device", max_age: 400 * 24 * 60 * 60 };

/// The sheet of codes that was just issued.
pub const SHEET: Cookie = Cookie { name: "__Host-sheet", max_age: 10 * 60 };

impl Cookie {
    /// Hands the secret to the browser with this response.
    ///
    /// # Errors
    /// [`Kind::Internal`] outside a request.
    pub(crate) fn give(self, secret: &str) -> Result<(), AppError> {
        self.append(secret, self.max_age)
    }

    /// Makes the browser forget it.
    ///
    /// # Errors
    /// [`Kind::Internal`] outside a request.
    pub(crate) fn take_back(self) -> Result<(), AppError> {
        self.append("", 0)
    }

    /// The cookie's line in a response.
    pub fn carrying(self, secret: &str) -> String {
        self.line(secret, self.max_age)
    }

    fn line(self, secret: &str, max_age: u32) -> String {
        format!("{}={secret}; Path=/; Max-Age={max_age}; Secure; HttpOnly; SameSite=Lax", self.name)
    }

    fn append(self, secret: &str, max_age: u32) -> Result<(), AppError> {
        let cookie = self.line(secret, max_age);
        let cookie = HeaderValue::from_str(&cookie).map_err(|_| AppError::new(Kind::Internal))?;
        let options: ResponseOptions = use_context().ok_or_else(|| AppError::new(Kind::Internal))?;
        options.append_header(header::SET_COOKIE, cookie);
        Ok(())
    }
}
