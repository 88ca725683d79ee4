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
    /// The first time a member opened a document.
    DocumentRead,
    MeetingAnnounced,
    MeetingReported,
    OpinionSent,
    OpinionSeen,
    OpinionAnswered,
    MemberRegistered,
    AccountActivated,
}

impl EventKind {
    pub const ALL: [Self; 16] = [
        Self::SignedIn,
        Self::SignedOut,
        Self::SignInRefused,
        Self::PreferencesChanged,
        Self::DocumentDrafted,
        Self::DocumentSaved,
        Self::DocumentPublished,
        Self::DocumentWithdrawn,
        Self::DocumentRead,
        Self::MeetingAnnounced,
        Self::MeetingReported,
        Self::OpinionSent,
        Self::OpinionSeen,
        Self::OpinionAnswered,
        Self::MemberRegistered,
        Self::AccountActivated,
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
            Self::DocumentRead => "document_read",
            Self::MeetingAnnounced => "meeting_announced",
            Self::MeetingReported => "meeting_reported",
            Self::OpinionSent => "opinion_sent",
            Self::OpinionSeen => "opinion_seen",
            Self::OpinionAnswered => "opinion_answered",
            Self::MemberRegistered => "member_registered",
            Self::AccountActivated => "account_activated",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }

    /// Whether it shows that its actor uses the handbook. A refused sign-in does not.
    pub const fn counts_as_use(self) -> bool {
        !matches!(self, Self::SignInRefused | Self::MemberRegistered | Self::AccountActivated)
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
}
