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
    /// Records of members: opened, changed, moved.
    Records,
    /// Roles granted and ended.
    Roles,
    /// Changes of the unit tree.
    Units,
    /// Sign-in: sessions, passwords, codes.
    SignIn,
    /// Documents and meetings that were published.
    Documents,
    /// Handling of opinions.
    Opinions,
}

crate::keyed!(AuditGroup);

/// A row of the trail, with current names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub id: EventId,
    pub at: DateTime<Utc>,
    pub kind: EventKind,
    /// The actor; `None` for the program itself and for requests without a session.
    pub actor: Option<String>,
    /// Whether the viewer is the actor.
    pub by_viewer: bool,
    /// Name or title of the subject; `None` when there is none or it no longer exists.
    pub subject: Option<String>,
    /// Name of the unit; `None` when it no longer exists.
    pub unit: Option<String>,
    /// Level of the unit, which selects the name of a role.
    pub level: Option<UnitKind>,
    pub role: Option<Role>,
    /// Number of rows in a file.
    pub count: Option<u64>,
}

/// The person filter of the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedMember {
    Nobody,
    /// The card number or record belongs to nobody in the viewer's subtree.
    Unknown,
    Named(String),
}

/// The trail of a subtree, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    pub unit: UnitRef,
    pub asked: AskedMember,
    pub entries: Vec<AuditEntry>,
    /// Cursor of the next page; `None` at the end of the log.
    pub next: Option<EventId>,
    /// Set when the page is short because the scan limit was reached: the time of the oldest event that was scanned.
    pub looked_back_to: Option<DateTime<Utc>>,
}

/// Events of the viewer's own record and account, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnTrail {
    pub entries: Vec<AuditEntry>,
    pub next: Option<EventId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_has_events_and_private_events_are_not_done_by_an_office() {
        for group in AuditGroup::ALL {
            assert!(EventKind::ALL.iter().any(|kind| kind.group() == group && !kind.is_private()), "{group:?}");
        }
        for kind in [EventKind::RecordOpened, EventKind::MemberChanged, EventKind::RoleGranted, EventKind::DocumentPublished] {
            assert!(!kind.is_private(), "{kind:?}");
        }
    }
}
