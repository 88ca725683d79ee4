//! Who reads (theo dõi việc đọc): numbers for the units above, names for who leads a branch, and asking again who has not read.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{DocumentKind, DocumentSummary};
use crate::{
    ids::{DocumentId, MemberId},
    statistics::{Share, UnitShare},
    units::UnitRef,
};

/// How far a document has come in a unit and in those one level below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadersPage {
    pub document: DocumentId,
    pub kind: DocumentKind,
    pub number: Option<String>,
    pub title: String,
    pub issuer: UnitRef,
    /// The units below the audience it is for; empty where it is for all of the audience.
    pub parts: Vec<UnitRef>,
    pub published_on: Option<NaiveDate>,
    pub must_read_by: Option<NaiveDate>,
    /// It was taken back: nobody is asked to read it any more.
    pub is_withdrawn: bool,
    /// From the highest unit the viewer may look at down to the unit itself.
    pub trail: Vec<UnitRef>,
    pub total: UnitShare,
    /// How many members of the unit have opened it, with those who have read it; none where the group is too small to show.
    pub opened: Option<u32>,
    pub children: Vec<UnitShare>,
    /// The same of the text that corrected one that members may have read.
    pub corrected: Option<CorrectedReaders>,
    /// By name, for who leads this very branch.
    pub names: Option<Readers>,
    /// The last time the unit's members were asked again.
    pub reminded: Option<Reminder>,
    /// Whether the viewer may ask them.
    pub may_remind: bool,
}

/// How many have read the corrected text, in the same units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectedReaders {
    pub on: NaiveDate,
    pub total: UnitShare,
    /// How many of the unit have opened it. None where the group is too small to show.
    pub opened: Option<u32>,
    pub children: Vec<UnitShare>,
}

/// The members of a branch a document is for, by what is to be done next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readers {
    /// Never signed in, so no reminder is seen: they need a way in.
    pub not_activated: Vec<ReaderRow>,
    pub not_opened: Vec<ReaderRow>,
    /// Opened and not read yet; with the day they opened it.
    pub opened: Vec<ReaderRow>,
    /// With the day they had read it.
    pub read: Vec<ReaderRow>,
}

/// One member of the own branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReaderRow {
    pub member: MemberId,
    pub name: String,
    pub on: Option<NaiveDate>,
    /// Whether it was the text before a correction, and the corrected one was not opened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub before_correction: bool,
    /// Whether the record has a phone: then a code comes by SMS, otherwise one on paper is needed.
    pub has_phone: bool,
}

/// That a unit's members were asked again to read a document (nhắc đọc).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    pub at: DateTime<Utc>,
    /// The name of who asked them.
    pub by: String,
    /// They are not asked twice on one day.
    pub is_of_today: bool,
}

/// What came of asking them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reminding {
    Done,
    /// It was done today already.
    TooSoon,
}

/// What a member is told of it, until the document is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminded {
    pub on: NaiveDate,
    /// The unit that asked.
    pub by: String,
}

/// Documents that reach all of a unit, and how many of its members have read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedPage {
    pub unit: UnitRef,
    /// First what must be read, the latest first.
    pub rows: Vec<FollowedRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedRow {
    pub document: DocumentSummary,
    /// None where the group is too small to show.
    pub share: Option<Share>,
}
