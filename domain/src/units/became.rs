//! What became of a unit (đơn vị cũ nay ở đâu).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Leader, UnitForm, UnitKind, UnitRef, UnitRow};
use crate::{forms::Problem, ids::UnitId};

/// The page “what became of”: units found by a name or code that they have or had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BecamePage {
    pub today: NaiveDate,
    /// The day of the search; `None` for any day.
    pub on: Option<NaiveDate>,
    /// Why nothing was searched: the day that was typed is none of the past.
    pub day_problem: Option<Problem>,
    /// [`Self::FOUND`] at most. The best matches come first; of equal ones units with an earlier form.
    pub found: Vec<Became>,
    /// Whether there are more.
    pub more: bool,
    /// Of the unit, when a single one is shown.
    pub branches: Option<BranchesThen>,
}

impl BecamePage {
    /// Maximum number of units shown.
    pub const FOUND: usize = 10;
}

/// A unit, and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Became {
    pub then: UnitThen,
    /// What happened since, oldest first; empty when nothing did.
    pub steps: Vec<BecameStep>,
    /// The unit today, or the one that succeeded it, directly or through others.
    pub now: UnitRef,
    /// Name of the parent of `now`.
    pub parent: Option<String>,
    /// Whether `now` exists; `false` when the last of the line ended without a successor.
    pub is_open: bool,
    /// Where the other parts are, if it was divided and `now` has only the main part.
    pub parts: Vec<PartNow>,
    /// Leaders of `now`, today.
    pub leaders: Vec<Leader>,
}

/// The unit of today that has a part of a divided one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartNow {
    pub unit: UnitRef,
    /// Name of the parent of the unit.
    pub parent: Option<String>,
    /// Whether the unit exists.
    pub is_open: bool,
}

/// A unit as it was on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitThen {
    pub id: UnitId,
    pub kind: UnitKind,
    pub name: String,
    pub code: String,
    /// Name of the parent on that day.
    pub parent: Option<String>,
    /// The last day of this form, the day of the search, or today.
    pub day: NaiveDate,
}

/// An event in the life of a unit, or of the one that succeeded it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BecameStep {
    /// It got another name, code or place.
    Changed(UnitForm),
    /// A new unit was split off.
    Divided { on: NaiveDate, fresh: UnitRef },
    /// A reorganisation divided it between the unit of its main part and others, with their names of that day.
    Parted { on: NaiveDate, main: UnitRef, others: Vec<UnitRef> },
    /// It ended; `into` is the unit that took over, with its name of that day. `alone`: that unit began then, from this one only.
    Ended { on: NaiveDate, into: Option<UnitRef>, alone: bool },
}

impl BecameStep {
    /// The first day of the new state.
    pub const fn day(&self) -> NaiveDate {
        match self {
            Self::Changed(form) => form.from,
            Self::Divided { on, .. } | Self::Parted { on, .. } | Self::Ended { on, .. } => *on,
        }
    }
}

/// A page of the branches that a unit had on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchesThen {
    pub rows: Vec<BranchThen>,
    /// Number of all branches the viewer may see.
    pub all: u32,
    /// Counted from 1.
    pub page: u32,
    /// At least 1.
    pub pages: u32,
}

/// A branch on a day, and where it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchThen {
    pub name: String,
    pub code: String,
    /// The branch today, or the one that succeeded it.
    pub now: UnitRef,
    /// Name of the parent of `now`.
    pub parent: Option<String>,
    /// Whether `now` exists.
    pub is_open: bool,
}

/// The units that have or had a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByCode {
    /// Codes from the highest given unit down, joined by `/`.
    pub code: String,
    pub units: Vec<UnitRow>,
    /// Whether there are more.
    pub more: bool,
}
