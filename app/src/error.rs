//! Errors of pages and server functions: a kind that callers can act on, and a sentence.

use domain::{
    accounts::Viewer,
    forms::{FieldProblem, FormErrors},
};
use leptos::{
    prelude::*,
    server_fn::{codec::JsonEncoding, error::FromServerFnError},
};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// The kind of an error. It determines the HTTP status, here and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// Sign in and try again.
    NotSignedIn,
    /// Enter the password again: the person's offices are suspended, and may be needed for this request.
    ConfirmPassword,
    /// Does not exist, or not for this person.
    NotFound,
    /// Exists, but this person may not do that.
    NotAllowed,
    /// The request is invalid and must be corrected.
    Invalid,
    /// Try again in a moment.
    Busy,
    /// The server could not be reached.
    Offline,
    /// An internal error; the log has the details.
    Internal,
}

domain::keyed!(Kind);

impl Kind {
    #[cfg(feature = "ssr")]
    pub const fn status(self) -> http::StatusCode {
        use http::StatusCode;
        match self {
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::ConfirmPassword | Self::NotAllowed => StatusCode::FORBIDDEN,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy | Self::Offline => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The kind as shown to this person: for a person with suspended offices, "not found" may be resolved by entering the
    /// password.
    #[must_use]
    pub fn for_viewer(self, viewer: Option<&Viewer>) -> Self {
        let rests = viewer.is_some_and(|viewer| !viewer.resting.is_empty());
        if rests && matches!(self, Self::NotFound | Self::NotAllowed) { Self::ConfirmPassword } else { self }
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
    /// The page that must be passed first, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Label of the link to it, where the person should read the reason first. Without a label a script redirects immediately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
    /// The rejected form, passed to [`crate::forms::Submitted::settle`].
    #[serde(skip)]
    pub form: Option<Box<FormErrors>>,
}

impl AppError {
    pub fn new(kind: Kind) -> Self {
        Self { kind, message: String::new(), fields: Vec::new(), to: None, way: None, form: None }
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
    use std::str::FromStr;

    use http::StatusCode;
    use leptos::prelude::use_context;
    use leptos_axum::ResponseOptions;

    use super::{AppError, Kind};
    use crate::{context::request::request_context, terms};

    /// Parses an id, or another value of ours, in an address or a form.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an invalid value.
    pub(crate) fn known<T: FromStr>(text: &str) -> Result<T, AppError> {
        text.parse().map_err(|_| AppError::new(Kind::NotFound))
    }

    impl From<backend::Error> for AppError {
        fn from(error: backend::Error) -> Self {
            use backend::Error;
            let kind = match &error {
                Error::NotSignedIn => Kind::NotSignedIn,
                Error::NotFound => Kind::NotFound,
                Error::NotAllowed | Error::NotLive { .. } | Error::Step(_) => Kind::NotAllowed,
                Error::Invalid(_) | Error::File(_) | Error::Offset(_) => Kind::Invalid,
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

    /// Sets the response's status and fills in the sentence: the last step of every read server function.
    ///
    /// # Errors
    /// The input error.
    pub fn respond<T>(result: Result<T, impl Into<AppError>>) -> Result<T, AppError> {
        result.map_err(|error| respond_to(error.into()))
    }

    /// The same for a value that is an error in any case.
    pub fn respond_to(mut error: AppError) -> AppError {
        let page = request_context().map(|context| context.page).unwrap_or_default();
        let locale = page.preferences.locale;
        error.kind = error.kind.for_viewer(page.viewer.as_ref());
        terms::error_text(locale, error.kind).clone_into(&mut error.message);
        set_status(error.kind.status());
        error
    }

    /// Sets the status of the response to this request.
    pub(crate) fn set_status(status: StatusCode) {
        if let Some(options) = use_context::<ResponseOptions>() {
            options.set_status(status);
        }
    }
}

#[cfg(feature = "ssr")]
pub(crate) use server::{known, set_status};
#[cfg(feature = "ssr")]
pub use server::{respond, respond_to};

#[cfg(test)]
mod tests {
    use serde::de::{IntoDeserializer, value::Error};

    use super::*;

    #[test]
    fn kinds_keep_their_names_in_addresses_and_json() {
        let names = ["not_signed_in", "confirm_password", "not_found", "not_allowed", "invalid", "busy", "offline", "internal"];
        assert_eq!(Kind::ALL.map(Kind::key), names);
        for (kind, name) in Kind::ALL.into_iter().zip(names) {
            assert_eq!(Kind::from_key(name), Some(kind));
            let read: Result<Kind, Error> = Kind::deserialize(name.into_deserializer());
            assert_eq!(read, Ok(kind));
        }
    }
}
