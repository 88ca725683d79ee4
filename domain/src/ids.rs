//! Identifiers: ULIDs, so they sort by the time they were made, wrapped so that no two kinds mix.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// The text is not an identifier of ours: 26 characters of Crockford's base 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct NotAnId;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Ulid);

        impl $name {
            pub const fn new(ulid: Ulid) -> Self {
                Self(ulid)
            }

            pub const fn ulid(self) -> Ulid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                text.parse()
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Ulid::from_string(text).map(Self).map_err(|_| NotAnId)
            }
        }
    )+};
}

id! {
    /// A node of the organisation's tree.
    UnitId,
    /// A person in the registry.
    MemberId,
    /// A document, the same through all its revisions.
    DocumentId,
    /// A meeting of a unit.
    MeetingId,
    /// A course.
    CourseId,
    /// An opinion. Made where the form is shown, so that sending twice stores once.
    OpinionId,
    /// A row of the event log.
    EventId,
    /// A role held by a member on a unit.
    OfficeId,
    /// A member's request to correct the own record.
    CorrectionId,
    /// A member's way from one branch to another.
    TransferId,
    /// A file on its way into the registry.
    ImportId,
    /// A code for the first sign-in or a forgotten password; never the secret itself.
    CodeId,
    /// A signed-in device, as its owner sees it; never the secret token.
    SessionId,
    /// A place in one of a member's lists: the moment something was put there.
    PublishedKey,
    /// A file that belongs to a document.
    AttachmentId,
    /// A file that arrives piece by piece.
    UploadId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = UnitId::new(Ulid::from_parts(1_700_000_000_000, 42));
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "1", "../etc/passwd", "01ARZ3NDEKTSV4RRFFQ69G5FA", "unit:01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
            assert_eq!(text.parse::<UnitId>(), Err(NotAnId), "{text}");
        }
    }
}
