//! The log of everything that changed: source of live updates, statistics and the audit trail.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{
    ids::{EventId, MemberId},
    units::UnitPath,
};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EventKind {
    SignedIn,
    SignedOut,
    SignInRefused,
    PreferencesChanged,
    DocumentDrafted,
    DocumentSaved,
    DocumentPublished,
    DocumentWithdrawn,
    /// A draft was sent to be reviewed.
    DraftSubmitted,
    /// Taken back from review, or from the schedule, to be written on.
    DraftRecalled,
    DraftCommented,
    DraftDiscarded,
    ChangesWanted,
    /// Approved, to be published at a time.
    DocumentScheduled,
    /// Published again with another text.
    DocumentCorrected,
    /// Left the library because its time was over.
    DocumentExpired,
    ReadersReminded,
    /// Whether authors may approve their own text.
    DeskRulesChanged,
    FileAttached,
    FileRemoved,
    /// The editor decided to keep what the upload guard warned of.
    WarningOverruled,
    CourseSaved,
    CourseAssigned,
    CourseEnded,
    /// Who gives a course gave another try at its quiz to members who had none left.
    TryGiven,
    /// A member handed in a quiz.
    QuizTaken,
    /// All documents read and the quiz, if there is one, passed.
    CourseCompleted,
    /// The first time a member opened a document.
    // Its key is older than the one below, when whoever opened a document was taken to have read it; the log is not rewritten.
    #[strum(to_string = "document_read")]
    DocumentOpened,
    /// A member has read a document.
    #[strum(to_string = "document_read_through")]
    DocumentRead,
    MeetingAnnounced,
    MeetingReported,
    OpinionSent,
    OpinionSeen,
    OpinionAnswered,
    MemberRegistered,
    AccountActivated,
    UnitCreated,
    UnitRenamed,
    UnitMoved,
    UnitMerged,
    UnitSplit,
    UnitClosed,
    UnitPhaseChanged,
    /// A record was corrected, by a registrar or by an import.
    MemberChanged,
    MemberMerged,
    CorrectionRequested,
    CorrectionAccepted,
    CorrectionDeclined,
    TransferRequested,
    TransferAccepted,
    TransferDeclined,
    TransferWithdrawn,
    /// One for a whole file; its rows are counted in the detail.
    MembersImported,
    UnitsImported,
    PaperCodeIssued,
    PaperCodeRevoked,
    SignInCodeSent,
    PasswordChanged,
    SessionRevoked,
    RoleGranted,
    RoleEnded,
    /// Somebody else looked at a member's record.
    RecordOpened,
    /// A file or a form held national IDs of people outside the own subtree; how many is in the detail.
    ForeignIdsMet,
}

crate::keyed!(EventKind);

impl EventKind {
    /// Whether it shows that its actor uses the handbook. A refused sign-in does not.
    pub const fn counts_as_use(self) -> bool {
        !matches!(self, Self::SignInRefused | Self::MemberRegistered | Self::AccountActivated | Self::SignInCodeSent)
    }
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Time-ordered.
    pub id: EventId,
    pub at: DateTime<Utc>,
    /// None when nobody was signed in.
    pub actor: Option<MemberId>,
    pub kind: EventKind,
    /// The unit it is counted for: of the actor's branch, or of the issuer of a document.
    pub unit: UnitPath,
    /// Id of the thing it happened to.
    pub subject: String,
    /// A few words more for the audit trail, e.g. the key of a role. Never personal data.
    pub detail: Option<String>,
}
