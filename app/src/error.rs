//! What a page or a caller is told when something fails: a kind they can act on, and a sentence.

use domain::forms::{FieldProblem, FormErrors};
use leptos::{
    prelude::*,
    server_fn::{codec::JsonEncoding, error::FromServerFnError},
};
use serde::{Deserialize, Serialize};

/// What can be done about it. The HTTP status follows from the kind, here and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Sign in and try again.
    NotSignedIn,
    /// Not there, or not for this person.
    NotFound,
    /// There, but this person may not do that.
    NotAllowed,
    /// Something in the request must be mended.
    Invalid,
    /// Try again in a moment.
    Busy,
    /// The server was not reached.
    Offline,
    /// Our mistake; it is in the log.
    Internal,
}

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::NotSignedIn, Self::NotFound, Self::NotAllowed, Self::Invalid, Self::Busy, Self::Offline, Self::Internal];

    pub const fn status(self) -> u16 {
        match self {
            Self::NotSignedIn => 401,
            Self::NotFound => 404,
            Self::NotAllowed => 403,
            Self::Invalid => 422,
            Self::Busy | Self::Offline => 503,
            Self::Internal => 500,
        }
    }

    pub const fn key(self) -> &'static str {
        match self {
            Self::NotSignedIn => "not_signed_in",
            Self::NotFound => "not_found",
            Self::NotAllowed => "not_allowed",
            Self::Invalid => "invalid",
            Self::Busy => "busy",
            Self::Offline => "offline",
            Self::Internal => "internal",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

/// The error of every server function; in JSON `{kind, message, fields}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppError {
    pub kind: Kind,
    /// A sentence in the caller's language that says what to do.
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub fields: Vec<FieldProblem>,
    /// The form that cannot be accepted, on its way to [`crate::forms::Submitted::settle`].
    #[serde(skip)]
    pub form: Option<Box<FormErrors>>,
}

impl AppError {
    pub fn new(kind: Kind) -> Self {
        Self { kind, message: String::new(), fields: Vec::new(), form: None }
    }
}

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.message.is_empty() { self.kind.key() } else { &self.message })
    }
}

impl std::error::Error for AppError {}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        use ServerFnErrorErr::{Args, Deserialization, MissingArg, Request};
        Self::new(match error {
            Request(_) => Kind::Offline,
            Args(_) | MissingArg(_) | Deserialization(_) => Kind::Invalid,
            _ => Kind::Internal,
        })
    }
}

#[cfg(feature = "ssr")]
mod server {
    use super::{AppError, Kind};
    use crate::{context::server::visit, terms};

    impl From<backend::Error> for AppError {
        fn from(error: backend::Error) -> Self {
            use backend::Error;
            let kind = match &error {
                Error::NotSignedIn => Kind::NotSignedIn,
                Error::NotFound => Kind::NotFound,
                Error::NotAllowed | Error::NotLive { .. } | Error::Step(_) => Kind::NotAllowed,
                Error::Invalid(_) => Kind::Invalid,
                Error::Busy => Kind::Busy,
                _ => {
                    tracing::error!(error = &error as &dyn std::error::Error, "a use-case failed");
                    Kind::Internal
                }
            };
            let mut told = Self::new(kind);
            if let Error::Invalid(errors) = error {
                told.fields.clone_from(&errors.problems);
                told.form = Some(Box::new(errors));
            }
            told
        }
    }

    /// Sets the response's status and puts the sentence in: the last step of every read server function.
    ///
    /// # Errors
    /// What came in.
    pub fn respond<T>(result: Result<T, impl Into<AppError>>) -> Result<T, AppError> {
        result.map_err(|error| {
            let mut error = error.into();
            let locale = visit().map(|visit| visit.page.preferences.locale).unwrap_or_default();
            terms::error_text(locale, error.kind).clone_into(&mut error.message);
            if let Some(options) = leptos::prelude::use_context::<leptos_axum::ResponseOptions>()
                && let Ok(status) = http::StatusCode::from_u16(error.kind.status())
            {
                options.set_status(status);
            }
            error
        })
    }
}

#[cfg(feature = "ssr")]
pub use server::respond;
