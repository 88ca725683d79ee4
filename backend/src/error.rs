//! What can go wrong in a use-case. One variant for each thing a caller can do something about.

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
    /// The thing does not exist, *or* the person may not know that it does.
    #[error("not found")]
    NotFound,
    /// The person may see the thing, but not do this with it.
    #[error("not allowed")]
    NotAllowed,
    /// The person has proved who they are, but the unit does not use the handbook yet. The activation, a secret for the device, leads to
    /// the page that says when it will.
    #[error("the unit is not live yet")]
    NotLive { activation: String },
    /// The form has problems the person can mend.
    #[error("the form has problems")]
    Invalid(FormErrors),
    /// The step does not lead on from where the thing is.
    #[error(transparent)]
    Step(#[from] StepRefused),
    /// The file cannot be taken.
    #[error("the file is not taken: {0:?}")]
    File(FileRefused),
    /// The bytes do not continue what has arrived.
    #[error(transparent)]
    Offset(#[from] OffsetRefused),
    /// Too many people want the same at once; asking again helps.
    #[error("busy")]
    Busy,
    /// Another process uses the data folder.
    #[error("another process is using this data folder")]
    InUse,
    /// The schema in the store is not one this program can work with.
    #[error("{0}")]
    Schema(String),
    /// The key is missing, or not the one the store was filled with.
    #[error("{0}")]
    Key(String),
    /// The store failed.
    #[error("the store failed: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Stored data does not have the form it must have.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// A key, a file or a cipher failed.
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
