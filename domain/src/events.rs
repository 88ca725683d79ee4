//! The log of everything that changed: source of live updates, statistics and the audit trail.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    ids::{EventId, MemberId},
    units::UnitPath,
};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    DocumentOpened,
    /// A member has read a document.
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

impl EventKind {
    pub const ALL: [Self; 63] = [
        Self::SignedIn,
        Self::SignedOut,
        Self::SignInRefused,
        Self::PreferencesChanged,
        Self::DocumentDrafted,
        Self::DocumentSaved,
        Self::DocumentPublished,
        Self::DocumentWithdrawn,
        Self::DraftSubmitted,
        Self::DraftRecalled,
        Self::DraftCommented,
        Self::DraftDiscarded,
        Self::ChangesWanted,
        Self::DocumentScheduled,
        Self::DocumentCorrected,
        Self::DocumentExpired,
        Self::ReadersReminded,
        Self::DeskRulesChanged,
        Self::FileAttached,
        Self::FileRemoved,
        Self::WarningOverruled,
        Self::CourseSaved,
        Self::CourseAssigned,
        Self::CourseEnded,
        Self::TryGiven,
        Self::QuizTaken,
        Self::CourseCompleted,
        Self::DocumentOpened,
        Self::DocumentRead,
        Self::MeetingAnnounced,
        Self::MeetingReported,
        Self::OpinionSent,
        Self::OpinionSeen,
        Self::OpinionAnswered,
        Self::MemberRegistered,
        Self::AccountActivated,
        Self::UnitCreated,
        Self::UnitRenamed,
        Self::UnitMoved,
        Self::UnitMerged,
        Self::UnitSplit,
        Self::UnitClosed,
        Self::UnitPhaseChanged,
        Self::MemberChanged,
        Self::MemberMerged,
        Self::CorrectionRequested,
        Self::CorrectionAccepted,
        Self::CorrectionDeclined,
        Self::TransferRequested,
        Self::TransferAccepted,
        Self::TransferDeclined,
        Self::TransferWithdrawn,
        Self::MembersImported,
        Self::UnitsImported,
        Self::PaperCodeIssued,
        Self::PaperCodeRevoked,
        Self::SignInCodeSent,
        Self::PasswordChanged,
        Self::SessionRevoked,
        Self::RoleGranted,
        Self::RoleEnded,
        Self::RecordOpened,
        Self::ForeignIdsMet,
    ];

    pub const fn key(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::SignInRefused => "sign_in_refused",
            Self::PreferencesChanged => "preferences_changed",
            Self::DocumentDrafted => "document_drafted",
            Self::DocumentSaved => "document_saved",
            Self::DocumentPublished => "document_published",
            Self::DocumentWithdrawn => "document_withdrawn",
            Self::DraftSubmitted => "draft_submitted",
            Self::DraftRecalled => "draft_recalled",
            Self::DraftCommented => "draft_commented",
            Self::DraftDiscarded => "draft_discarded",
            Self::ChangesWanted => "changes_wanted",
            Self::DocumentScheduled => "document_scheduled",
            Self::DocumentCorrected => "document_corrected",
            Self::DocumentExpired => "document_expired",
            Self::ReadersReminded => "readers_reminded",
            Self::DeskRulesChanged => "desk_rules_changed",
            Self::FileAttached => "file_attached",
            Self::FileRemoved => "file_removed",
            Self::WarningOverruled => "warning_overruled",
            Self::CourseSaved => "course_saved",
            Self::CourseAssigned => "course_assigned",
            Self::CourseEnded => "course_ended",
            Self::TryGiven => "try_given",
            Self::QuizTaken => "quiz_taken",
            Self::CourseCompleted => "course_completed",
            // What was opened was taken for read when the first of these were written; the log is not rewritten.
            Self::DocumentOpened => "document_read",
            Self::DocumentRead => "document_read_through",
            Self::MeetingAnnounced => "meeting_announced",
            Self::MeetingReported => "meeting_reported",
            Self::OpinionSent => "opinion_sent",
            Self::OpinionSeen => "opinion_seen",
            Self::OpinionAnswered => "opinion_answered",
            Self::MemberRegistered => "member_registered",
            Self::AccountActivated => "account_activated",
            Self::UnitCreated => "unit_created",
            Self::UnitRenamed => "unit_renamed",
            Self::UnitMoved => "unit_moved",
            Self::UnitMerged => "unit_merged",
            Self::UnitSplit => "unit_split",
            Self::UnitClosed => "unit_closed",
            Self::UnitPhaseChanged => "unit_phase_changed",
            Self::MemberChanged => "member_changed",
            Self::MemberMerged => "member_merged",
            Self::CorrectionRequested => "correction_requested",
            Self::CorrectionAccepted => "correction_accepted",
            Self::CorrectionDeclined => "correction_declined",
            Self::TransferRequested => "transfer_requested",
            Self::TransferAccepted => "transfer_accepted",
            Self::TransferDeclined => "transfer_declined",
            Self::TransferWithdrawn => "transfer_withdrawn",
            Self::MembersImported => "members_imported",
            Self::UnitsImported => "units_imported",
            Self::PaperCodeIssued => "paper_code_issued",
            Self::PaperCodeRevoked => "paper_code_revoked",
            Self::SignInCodeSent => "sign_in_code_sent",
            Self::PasswordChanged => "password_changed",
            Self::SessionRevoked => "session_revoked",
            Self::RoleGranted => "role_granted",
            Self::RoleEnded => "role_ended",
            Self::RecordOpened => "record_opened",
            Self::ForeignIdsMet => "foreign_ids_met",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }

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
