//! Plans a reorganisation: what becomes of each unit, computed from the tree, the rows of the files and the day. No I/O.
//!
//! - A **target** is a unit of the new tree that rows name: a code below a unit above. It *continues* one of its sources, or begins.
//! - A source that its target does not continue **ends**, with the target as its successor.
//! - A unit of a closed level that is not in the files ends when all units below it leave.
//! - What hangs below a unit that ends **moves** to its successor, unless it is in the files itself.
//! - A unit that continues gets a **phase** of its own where members could no longer sign in without it: see [`phases`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use domain::{
    ids::UnitId,
    policy::{Action, Standpoint},
    units::{
        Phase, Shift, UnitKind, UnitPath, UnitRef,
        reorganisation::{OfficesRule, Part, RowProblem},
    },
};
use serde::{Deserialize, Serialize};

use super::super::{Tree, phases::Phased};
use crate::keys::fingerprint;

mod lookup;
mod paths;
mod phases;
mod rows;
mod settle;
mod targets;

use lookup::Starts;
pub(super) use paths::NewPaths;

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    /// Index of the file.
    pub(super) file: u32,
    #[expect(clippy::struct_field_names, reason = "the word of spreadsheets")]
    pub(super) row: u64,
    /// As in the file, for the list of refused rows.
    pub(super) old_code: String,
    pub(super) new_code: String,
    pub(super) new_name: String,
    pub(super) read: Result<Entry, RowProblem>,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The code of the old unit, after codes of units above it.
    pub(super) old: Vec<String>,
    pub(super) code: String,
    /// The code of the new parent, after codes of units above it.
    pub(super) parent: Option<Vec<String>>,
    pub(super) name: Option<String>,
    pub(super) part: Part,
    pub(super) offices: OfficesRule,
}

/// All that a plan depends on.
pub(super) struct Question<'q> {
    pub(super) tree: &'q Tree,
    pub(super) rows: &'q [Row],
    pub(super) on: NaiveDate,
    /// The rights of the viewer; `None` for the operator.
    pub(super) standpoint: Option<&'q Standpoint>,
    /// Whether a level has ended by a day: [`level_is_closed_on`].
    pub(super) is_closed: fn(UnitKind, NaiveDate) -> bool,
    /// Units that were divided on that day already, so that the units below them are in the queue, with the targets of their other
    /// parts.
    pub(super) divided: &'q BTreeMap<UnitId, BTreeSet<UnitId>>,
}

/// A unit of the new tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// It is open today.
    Open(UnitId),
    /// It begins: index into [`Plan::begun`].
    Begun(usize),
}

/// A unit that continues with another name, code or parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Continued {
    pub(super) unit: UnitId,
    pub(super) name: String,
    pub(super) code: String,
    /// `None` for the root.
    pub(super) above: Option<Place>,
}

/// A unit that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Begun {
    pub(super) kind: UnitKind,
    pub(super) name: String,
    pub(super) code: String,
    pub(super) above: Place,
    /// Its own phase; `None` where it follows the unit above.
    pub(super) phase: Option<Phase>,
}

/// A unit that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) unit: UnitId,
    pub(super) successor: Place,
    pub(super) offices: OfficesRule,
}

/// A unit that is not in the files and moves because its parent ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) unit: UnitId,
    pub(super) code: String,
    pub(super) above: Place,
}

/// A unit below a divided one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queued {
    pub(super) unit: UnitId,
    pub(super) from: UnitId,
    /// The targets of the other parts.
    pub(super) candidates: Vec<Place>,
}

/// What becomes of the units. The lists are in the order of today's paths, those of begun units in the order of the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) continued: Vec<Continued>,
    pub(super) begun: Vec<Begun>,
    pub(super) ended: Vec<Ended>,
    pub(super) moved: Vec<Moved>,
    /// Those of units that continue.
    pub(super) phased: Vec<Phased>,
    pub(super) divided: Vec<UnitId>,
    pub(super) queued: Vec<Queued>,
    /// Divided units without a unit to queue, each in the place of one: nobody decides about it, but its parts are known.
    pub(super) bare: Vec<Queued>,
    /// Units of a closed level that stay open, although a unit below them leaves.
    pub(super) undecided: Vec<UnitId>,
    /// In stored order: from the lowest subtree to the highest.
    pub(super) shifts: Vec<Shift>,
    /// The paths of [`Self::begun`].
    pub(super) begun_at: Vec<UnitPath>,
    /// The units right below the root in whose subtrees something changes.
    pub(super) tops: BTreeSet<Place>,
    /// Number of rows that are carried out already.
    pub(super) already: usize,
    /// Indexes of refused rows.
    pub(super) refused: BTreeMap<usize, RowProblem>,
    /// Of refused rows whose problem names another row: the index of that row.
    pub(super) others: BTreeMap<usize, usize>,
}

impl Plan {
    /// Whether nothing is to be done.
    pub(super) fn is_empty(&self) -> bool {
        self.continued.is_empty() && self.begun.is_empty() && self.ended.is_empty() && self.queued.is_empty()
    }

    /// Equal for equal plans.
    pub(super) fn version(&self, on: NaiveDate) -> String {
        let Self { continued, begun, ended, phased, queued, shifts, refused, .. } = self;
        fingerprint(&format!("{on} {continued:?} {begun:?} {ended:?} {phased:?} {queued:?} {shifts:?} {refused:?}"))
    }
}

/// Whether the level has ended by this day, as the terminology pack says: no unit of it begins, and those without units below them
/// end.
pub(super) fn level_is_closed_on(kind: UnitKind, day: NaiveDate) -> bool {
    !kind.may_begin_on(day)
}

/// Plans the rows.
pub(super) fn plan(question: &Question<'_>) -> Plan {
    let mut planner = Planner::new(question);
    planner.read_rows();
    planner.check_rows();
    planner.find_ending();
    planner.place_rows();
    planner.settle();
    planner.finish()
}

/// The unit above a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Above {
    /// A unit that stays.
    Open(UnitId),
    /// Index into [`Planner::targets`].
    Target(usize),
}

struct Target {
    above: Option<Above>,
    code: String,
    /// Indexes of the rows that name it.
    rows: Vec<usize>,
    continues: Option<UnitId>,
    /// Index into [`Plan::begun`] if it continues no unit.
    begun: usize,
}

#[derive(Clone)]
enum Found {
    NotYet,
    /// The unit above it is being looked up: meeting it again is a cycle.
    Underway,
    Settled(Result<usize, RowProblem>),
}

struct Planner<'q> {
    question: &'q Question<'q>,
    tree: &'q Tree,
    starts: Starts<'q>,
    /// By row: the old unit of a row that is neither refused nor carried out.
    olds: Vec<Option<&'q UnitRef>>,
    /// Rows by their new code.
    by_code: HashMap<&'q str, Vec<usize>>,
    /// By old unit: the row of the whole unit or of its main part, and the rows of its other parts.
    main: BTreeMap<UnitId, usize>,
    parts: BTreeMap<UnitId, Vec<usize>>,
    /// Units of a closed level that end.
    ending: BTreeSet<UnitId>,
    found: Vec<Found>,
    targets: Vec<Target>,
    index: HashMap<(Option<Above>, &'q str), usize>,
    plan: Plan,
}

impl<'q> Planner<'q> {
    fn new(question: &'q Question<'q>) -> Self {
        let Question { tree, rows, .. } = *question;
        Self {
            question,
            tree,
            starts: Starts::new(question),
            olds: vec![None; rows.len()],
            by_code: HashMap::new(),
            main: BTreeMap::new(),
            parts: BTreeMap::new(),
            ending: BTreeSet::new(),
            found: vec![Found::NotYet; rows.len()],
            targets: Vec::new(),
            index: HashMap::new(),
            plan: Plan::default(),
        }
    }

    /// Keeps the first problem of a row.
    fn refuse(&mut self, at: usize, problem: RowProblem) {
        self.plan.refused.entry(at).or_insert(problem);
    }

    /// As [`Self::refuse`], for a problem that names another row by its number.
    fn refuse_by(&mut self, at: usize, other: usize, problem: impl FnOnce(u64) -> RowProblem) {
        if !self.plan.refused.contains_key(&at) {
            let row = self.question.rows.get(other).map_or(0, |row| row.row);
            self.plan.others.insert(at, other);
            self.refuse(at, problem(row));
        }
    }

    fn may(&self, unit: &UnitPath) -> bool {
        self.question.standpoint.is_none_or(|standpoint| standpoint.may_by_office(Action::ManageUnit, unit))
    }

    /// Whether the viewer may know of the unit. A unit they may change is one of them.
    fn may_read(&self, unit: &UnitPath) -> bool {
        self.question.standpoint.is_none_or(|standpoint| standpoint.may(Action::ReadUnit, unit))
    }

    /// Whether the viewer may change the unit and what is below its parent.
    fn may_change(&self, unit: &UnitRef) -> bool {
        self.may(&unit.path) && unit.path.parent().is_none_or(|parent| self.may(&parent))
    }

    fn entry(&self, at: usize) -> Option<&'q Entry> {
        self.question.rows.get(at)?.read.as_ref().ok()
    }

    fn part(&self, at: usize) -> Part {
        self.entry(at).map(|entry| entry.part).unwrap_or_default()
    }

    /// Whether rows say what becomes of the unit.
    fn is_named(&self, unit: UnitId) -> bool {
        self.main.contains_key(&unit) || self.parts.contains_key(&unit)
    }
}

#[cfg(test)]
mod tests;
