//! Errors of use-cases, with one variant for each failure that a caller can handle.

use domain::{
    documents::steps::StepRefused,
    files::{FileRefused, OffsetRefused},
    forms::FormErrors,
};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in, or the session has ended.
    #[error("not signed in")]
    NotSignedIn,
    /// The resource does not exist, *or* the person may not learn that it exists.
    #[error("not found")]
    NotFound,
    /// The person may see the resource, but lacks the permission for this action.
    #[error("not allowed")]
    NotAllowed,
    /// The person has proved their identity, but the unit does not use the handbook yet. `activation` is a secret for the device;
    /// it opens the page that shows when the unit goes live.
    #[error("the unit is not live yet")]
    NotLive { activation: String },
    /// The form has problems that the person can correct.
    #[error("the form has problems")]
    Invalid(FormErrors),
    /// The step is not allowed in the current state.
    #[error(transparent)]
    Step(#[from] StepRefused),
    /// The file is not accepted.
    #[error("the file is not taken: {0:?}")]
    File(FileRefused),
    /// The bytes do not continue the upload at its current offset.
    #[error(transparent)]
    Offset(#[from] OffsetRefused),
    /// Too many concurrent requests for the same resource; the caller can retry.
    #[error("busy")]
    Busy,
    /// Another process uses the data folder.
    #[error("another process is using this data folder")]
    InUse,
    /// This program does not support the schema of the store.
    #[error("{0}")]
    Schema(String),
    /// The store has units of levels that the terminology pack does not define.
    #[error("{0}")]
    Levels(String),
    /// The key is missing, or the store was filled with another one.
    #[error("{0}")]
    Key(String),
    /// The store failed.
    #[error("the store failed: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Stored data is malformed.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// An operation on a key, a file or a cipher failed.
    #[error("{0}")]
    Internal(String),
}

impl From<FormErrors> for Error {
    fn from(errors: FormErrors) -> Self {
        Self::Invalid(errors)
    }
}

impl From<FileRefused> for Error {
    fn from(refused: FileRefused) -> Self {
        Self::File(refused)
    }
}
