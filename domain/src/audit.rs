//! The audit trail: who did what to whom, when.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{
    events::EventKind,
    ids::EventId,
    policy::Role,
    units::{UnitKind, UnitRef},
};

/// What an event is about: the filter of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AuditGroup {
    /// Records of members: who opened, corrected, moved them.
    Records,
    /// Roles given and ended.
    Roles,
    /// The tree.
    Units,
    /// Ways in: sessions, passwords, codes.
    SignIn,
    /// Documents and meetings, as they are issued.
    Documents,
    /// Opinions, as they are dealt with.
    Opinions,
}

crate::keyed!(AuditGroup);

impl EventKind {
    pub const fn group(self) -> AuditGroup {
        match self {
            Self::MemberRegistered
            | Self::MemberChanged
            | Self::MemberMerged
            | Self::MembersImported
            | Self::CorrectionRequested
            | Self::CorrectionAccepted
            | Self::CorrectionDeclined
            | Self::TransferRequested
            | Self::TransferAccepted
            | Self::TransferDeclined
            | Self::TransferWithdrawn
            | Self::RecordOpened
            | Self::ForeignIdsMet => AuditGroup::Records,
            Self::RoleGranted | Self::RoleEnded => AuditGroup::Roles,
            Self::UnitCreated
            | Self::UnitRenamed
            | Self::UnitMoved
            | Self::UnitMerged
            | Self::UnitSplit
            | Self::UnitClosed
            | Self::UnitPhaseChanged
            | Self::UnitsImported => AuditGroup::Units,
            Self::SignedIn
            | Self::SignedOut
            | Self::SignInRefused
            | Self::AccountActivated
            | Self::PreferencesChanged
            | Self::PaperCodeIssued
            | Self::PaperCodeRevoked
            | Self::SignInCodeSent
            | Self::PasswordChanged
            | Self::SessionRevoked => AuditGroup::SignIn,
            Self::DocumentDrafted
            | Self::DocumentSaved
            | Self::DocumentPublished
            | Self::DocumentWithdrawn
            | Self::DraftSubmitted
            | Self::DraftRecalled
            | Self::DraftCommented
            | Self::DraftDiscarded
            | Self::ChangesWanted
            | Self::DocumentScheduled
            | Self::DocumentCorrected
            | Self::DocumentExpired
            | Self::ReadersReminded
            | Self::DeskRulesChanged
            | Self::FileAttached
            | Self::FileRemoved
            | Self::WarningOverruled
            | Self::CourseSaved
            | Self::CourseAssigned
            | Self::CourseEnded
            | Self::TryGiven
            | Self::QuizTaken
            | Self::CourseCompleted
            | Self::DocumentOpened
            | Self::DocumentRead
            | Self::MeetingAnnounced
            | Self::MeetingReported => AuditGroup::Documents,
            Self::OpinionSent | Self::OpinionSeen | Self::OpinionAnswered => AuditGroup::Opinions,
        }
    }

    /// Whether it is the member's own affair: what somebody reads and to whom they write is in the log, for the statistics, but not
    /// on the page of those who keep the registry.
    pub const fn is_private(self) -> bool {
        matches!(
            self,
            Self::DocumentOpened
                | Self::DocumentRead
                | Self::QuizTaken
                | Self::CourseCompleted
                | Self::OpinionSent
                | Self::PreferencesChanged
        )
    }
}

/// One line of the trail, with the names of today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub id: EventId,
    pub at: DateTime<Utc>,
    pub kind: EventKind,
    /// Who did it; none when it was done by the program itself, or before anybody was signed in.
    pub actor: Option<String>,
    /// Whether that was the viewer.
    pub by_viewer: bool,
    /// Name or title of what it was done to; none when there is none, or it is no more.
    pub subject: Option<String>,
    /// Name of the unit; none when it is no more.
    pub unit: Option<String>,
    /// Its level, by which a role is named.
    pub level: Option<UnitKind>,
    pub role: Option<Role>,
    /// How many rows a file had.
    pub count: Option<u64>,
}

/// Whether the trail of one person was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedMember {
    Nobody,
    /// By a card or record of nobody in the viewer's subtree.
    Unknown,
    Named(String),
}

/// The trail of a subtree, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    pub unit: UnitRef,
    pub asked: AskedMember,
    pub entries: Vec<AuditEntry>,
    /// Where to go on; none when the log ends here.
    pub next: Option<EventId>,
    /// Set when the page stopped because it had looked at enough of the log, and not because it was full: how far back it looked.
    pub looked_back_to: Option<DateTime<Utc>>,
}

/// What happened to the viewer's own record and account, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnTrail {
    pub entries: Vec<AuditEntry>,
    pub next: Option<EventId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_has_events_and_what_is_private_is_not_done_by_an_office() {
        for group in AuditGroup::ALL {
            assert!(EventKind::ALL.iter().any(|kind| kind.group() == group && !kind.is_private()), "{group:?}");
        }
        for kind in [EventKind::RecordOpened, EventKind::MemberChanged, EventKind::RoleGranted, EventKind::DocumentPublished] {
            assert!(!kind.is_private(), "{kind:?}");
        }
    }
}
