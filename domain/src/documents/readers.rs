//! Readers of a document (theo dõi việc đọc): figures for the units above, names for the leaders of a branch, and reminders.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{DocumentKind, DocumentSummary};
use crate::{
    ids::{DocumentId, MemberId},
    statistics::{Share, UnitShare},
    units::UnitRef,
};

/// How many members of a unit and of the units one level below have read a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadersPage {
    pub document: DocumentId,
    pub kind: DocumentKind,
    pub number: Option<String>,
    pub title: String,
    pub issuer: UnitRef,
    /// Limits the audience to these units; empty for the whole audience.
    pub parts: Vec<UnitRef>,
    /// Units left out of the audience.
    pub except: Vec<UnitRef>,
    pub published_on: Option<NaiveDate>,
    pub must_read_by: Option<NaiveDate>,
    /// The document was withdrawn: no more reminders.
    pub is_withdrawn: bool,
    /// From the highest unit the viewer may see down to the unit itself.
    pub trail: Vec<UnitRef>,
    pub total: UnitShare,
    /// Members of the unit who have opened it, including those who have read it; `None` where the group is too small to show.
    pub opened: Option<u32>,
    pub children: Vec<UnitShare>,
    /// The same for the correction of a text that members may have read.
    pub corrected: Option<CorrectedReaders>,
    /// By name, for the leaders of this very branch.
    pub names: Option<Readers>,
    /// The last reminder to the unit's members.
    pub reminded: Option<Reminder>,
    /// Whether the viewer may send a reminder.
    pub may_remind: bool,
}

/// Readers of the corrected text, in the same units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectedReaders {
    pub on: NaiveDate,
    pub total: UnitShare,
    /// Members of the unit who have opened it. `None` where the group is too small to show.
    pub opened: Option<u32>,
    pub children: Vec<UnitShare>,
}

/// The members of a branch in a document's audience, grouped by what has to be done next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readers {
    /// Never signed in, so they see no reminder: they need to activate the account.
    pub not_activated: Vec<ReaderRow>,
    pub not_opened: Vec<ReaderRow>,
    /// Opened and not read yet; with the day of opening.
    pub opened: Vec<ReaderRow>,
    /// With the day of reading.
    pub read: Vec<ReaderRow>,
}

/// One member of the viewer's own branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReaderRow {
    pub member: MemberId,
    pub name: String,
    pub on: Option<NaiveDate>,
    /// Whether only the text before a correction was read, and the corrected one was not opened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub before_correction: bool,
    /// Whether the record has a phone: then a code is sent by SMS, otherwise a paper code is needed.
    pub has_phone: bool,
}

/// A reminder to a unit's members to read a document (nhắc đọc).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    pub at: DateTime<Utc>,
    /// Name of the sender.
    pub by: String,
    /// At most one reminder is sent per day.
    pub is_of_today: bool,
}

/// The result of sending a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reminding {
    Done,
    /// A reminder was already sent today.
    TooSoon,
}

/// The reminder as a member sees it, until the document is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminded {
    pub on: NaiveDate,
    /// The unit that sent it.
    pub by: String,
}

/// Documents that reach a whole unit, with the number of members who have read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedPage {
    pub unit: UnitRef,
    /// Must-read documents first, latest first.
    pub rows: Vec<FollowedRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedRow {
    pub document: DocumentSummary,
    /// `None` where the group is too small to show.
    pub share: Option<Share>,
}
