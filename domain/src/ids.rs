//! Identifiers: ULIDs, which sort by creation time, wrapped in one type for each kind of entity.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// The text is not a valid identifier: 26 characters of Crockford's base 32.
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
    /// An opinion. Created with the form, so that sending it twice stores one.
    OpinionId,
    /// A row of the event log.
    EventId,
    /// A role held by a member on a unit.
    OfficeId,
    /// A member's request for a correction of their record.
    CorrectionId,
    /// A transfer of a member from one branch to another.
    TransferId,
    /// An import of a file into the registry.
    ImportId,
    /// A reorganisation of units by file.
    ReorganisationId,
    /// A unit below a divided one, to be assigned to one of its parts.
    ReassignmentId,
    /// A code for the first sign-in or a forgotten password; never the secret itself.
    CodeId,
    /// A signed-in device, as its owner sees it; never the secret token.
    SessionId,
    /// The position in a member's list: the time when an entry was added.
    PublishedKey,
    /// A file attached to a document.
    AttachmentId,
    /// A file that is uploaded in chunks.
    UploadId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_round_trips_through_text() {
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
