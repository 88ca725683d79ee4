//! Plans a reorganisation: what becomes of each unit, computed from the tree, the rows of the files and the day. No I/O.
//!
//! - A **target** is a unit of the new tree that rows name: a code below a unit above. It *continues* one of its sources, or begins.
//! - A source that its target does not continue **ends**, with the target as its successor.
//! - A unit of a closed level that is not in the files ends when all units below it leave.
//! - What hangs below a unit that ends **moves** to its successor, unless it is in the files itself.
//! - A unit that continues gets a **phase** of its own where members could no longer sign in without it: see [`phases`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

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

use super::super::{Tree, change::since};
use crate::keys::fingerprint;

mod phases;

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

/// A unit that continues and gets a phase of its own, because members could no longer sign in without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phased {
    pub(super) unit: UnitId,
    pub(super) phase: Phase,
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

/// The first two codes of a path in a file, or its only one.
type Start<'q> = (&'q str, Option<&'q str>);

fn start(codes: &[String]) -> Option<Start<'_>> {
    let (first, below) = codes.split_first()?;
    Some((first, below.first().map(String::as_str)))
}

/// The units where the paths of the rows start. Many units can have the same code, such as branches, so each start is looked up once
/// and not for each row.
struct Starts<'q> {
    /// Open units.
    open: HashMap<Start<'q>, Vec<&'q UnitRef>>,
    /// Units that have or had the codes; at the end of a single code, only those that changed on the day or later.
    ever: HashMap<Start<'q>, Vec<UnitId>>,
}

impl<'q> Starts<'q> {
    fn new(question: &'q Question<'q>) -> Self {
        let Question { tree, rows, on, divided, .. } = *question;
        let entries = rows.iter().filter_map(|row| row.read.as_ref().ok());
        let paths = entries.flat_map(|entry| [Some(&entry.old), entry.parent.as_ref()]).flatten();
        let starts: HashSet<Start<'q>> = paths.filter_map(|codes| start(codes)).collect();
        let firsts: HashSet<&str> = starts.iter().map(|(first, _)| *first).collect();
        let mut tops: HashMap<&str, Vec<&UnitRef>> = HashMap::new();
        for unit in tree.all().filter(|unit| firsts.contains(unit.path.code())) {
            tops.entry(unit.path.code()).or_default().push(unit);
        }
        let mut former_tops: HashMap<&str, Vec<UnitId>> = HashMap::new();
        for ((_, code), unit) in tree.codes.iter().filter(|((_, code), _)| firsts.contains(code.as_str())) {
            former_tops.entry(code).or_default().push(*unit);
        }
        let is_changed = |unit: UnitId| {
            let ended = tree.closed.get(&unit).is_some_and(|closed| closed.on == on);
            ended || divided.contains_key(&unit) || tree.node(unit).is_some_and(|node| node.since >= on)
        };
        let (mut open, mut ever) = (HashMap::new(), HashMap::new());
        for start in starts {
            let (first, second) = start;
            let tops = tops.get(first).into_iter().flatten().copied();
            let former_tops = former_tops.get(first).into_iter().flatten().copied();
            let (now, then): (Vec<&UnitRef>, Vec<UnitId>) = match second {
                Some(code) => (
                    tops.filter_map(|top| child(tree, top, code)).collect(),
                    former_tops.filter_map(|top| tree.owner(top, code)).collect(),
                ),
                None => (tops.collect(), former_tops.filter(|unit| is_changed(*unit)).collect()),
            };
            open.insert(start, now);
            ever.insert(start, then);
        }
        Self { open, ever }
    }
}

/// The open unit with a code right below another one.
fn child<'t>(tree: &'t Tree, above: &UnitRef, code: &str) -> Option<&'t UnitRef> {
    tree.at(&above.path.child(code).ok()?)
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

    /// The open units at the end of these codes.
    fn open_at(&self, codes: &'q [String]) -> Vec<&'q UnitRef> {
        let tree = self.tree;
        let starts = start(codes).and_then(|start| self.starts.open.get(&start));
        let below = codes.get(2..).unwrap_or_default();
        let down = |top: &'q UnitRef| below.iter().try_fold(top, |above, code| child(tree, above, code));
        starts.into_iter().flatten().copied().filter_map(down).collect()
    }

    /// Those of [`Self::open_at`] that the viewer may know of: others are answered like codes that no unit has.
    fn readable_at(&self, codes: &'q [String]) -> Vec<&'q UnitRef> {
        let mut found = self.open_at(codes);
        found.retain(|unit| self.may_read(&unit.path));
        found
    }

    /// The units, open or closed, that have or had these codes one below the other.
    fn ever_at(&self, codes: &'q [String]) -> impl Iterator<Item = UnitId> {
        let tree = self.tree;
        let starts = start(codes).and_then(|start| self.starts.ever.get(&start));
        let below = codes.get(2..).unwrap_or_default();
        starts.into_iter().flatten().filter_map(move |top| below.iter().try_fold(*top, |above, code| tree.owner(above, code)))
    }

    /// The only unit of several, or the only one the viewer may change.
    fn only(&self, found: &[&'q UnitRef]) -> Option<&'q UnitRef> {
        match found {
            [unit] => Some(*unit),
            several => {
                let mut own = several.iter().filter(|unit| self.may(&unit.path));
                own.next().filter(|_| own.next().is_none()).copied()
            }
        }
    }

    fn read_rows(&mut self) {
        for (at, row) in self.question.rows.iter().enumerate() {
            let entry = match &row.read {
                Ok(entry) => entry,
                Err(problem) => {
                    self.refuse(at, problem.clone());
                    continue;
                }
            };
            if self.is_carried_out(entry) {
                self.plan.already += 1;
                continue;
            }
            let found = self.readable_at(&entry.old);
            match self.only(&found) {
                Some(unit) if self.may_change(unit) => {
                    self.olds[at] = Some(unit);
                    self.by_code.entry(&entry.code).or_default().push(at);
                }
                Some(_) => self.refuse(at, RowProblem::NotAllowed),
                None if found.is_empty() => self.refuse(at, RowProblem::UnknownCode),
                None => self.refuse(at, RowProblem::AmbiguousCode),
            }
        }
    }

    /// Whether a unit that had the old codes has become on this day what the row says.
    fn is_carried_out(&self, entry: &'q Entry) -> bool {
        self.ever_at(&entry.old).any(|unit| self.has_become(unit, entry))
    }

    fn has_become(&self, id: UnitId, entry: &Entry) -> bool {
        let (tree, on) = (self.tree, self.question.on);
        // Another unit with this code, elsewhere, is not that of the row.
        let Some(now) = tree.successor_of(id).filter(|now| self.may(&now.path)) else { return false };
        let closed = tree.closed.get(&id).filter(|closed| closed.on == on && closed.successor.is_some());
        let closed = closed.filter(|closed| ends_with(&closed.last_path, &entry.old));
        if entry.part == Part::Part {
            return match (self.question.divided.get(&id), tree.node(id), closed) {
                (_, None, None) | (None, Some(_), _) => false,
                // Nothing was below it, so the targets are not known.
                (None, None, Some(_)) => true,
                // Another target is another division.
                (Some(targets), ..) => targets.iter().chain([&now.id]).any(|target| self.is_target(*target, entry)),
            };
        }
        let unit = if let Some(node) = tree.node(id) {
            let is_new = node.since >= on && !ends_with(&node.unit.path, &entry.old);
            is_new.then_some(&node.unit)
        } else {
            closed.map(|_| now)
        };
        unit.is_some_and(|unit| is_at(&unit.path, entry) && entry.name.as_ref().is_none_or(|name| *name == unit.name))
    }

    /// Whether a unit has, or had when it closed, the new code of the row, below its new parent.
    fn is_target(&self, unit: UnitId, entry: &Entry) -> bool {
        let open = self.tree.get(unit).map(|unit| &unit.path);
        let path = open.or_else(|| self.tree.closed.get(&unit).map(|closed| &closed.last_path));
        path.is_some_and(|path| is_at(path, entry))
    }

    /// Looks at the rows of each old unit together.
    fn check_rows(&mut self) {
        let mut by_unit: BTreeMap<&UnitPath, Vec<usize>> = BTreeMap::new();
        for (at, old) in self.olds.iter().enumerate() {
            if let Some(old) = old {
                by_unit.entry(&old.path).or_default().push(at);
            }
        }
        for rows in by_unit.into_values() {
            let Some(old) = rows.first().and_then(|at| self.olds[*at]) else { continue };
            let of = |part: Part| rows.iter().copied().filter(|at| self.part(*at) == part).collect::<Vec<_>>();
            let (wholes, mains, parts) = (of(Part::Whole), of(Part::Main), of(Part::Part));
            self.check_parts(old, &wholes, &mains, &parts);
            if let Some(main) = wholes.first().or(mains.first()) {
                self.main.insert(old.id, *main);
            }
            if !parts.is_empty() {
                self.parts.insert(old.id, parts);
            }
            let since = since(self.tree, old.id);
            for at in rows {
                if since > self.question.on {
                    self.refuse(at, RowProblem::ChangedLater { since });
                }
            }
        }
    }

    fn check_parts(&mut self, old: &UnitRef, wholes: &[usize], mains: &[usize], parts: &[usize]) {
        if let Some(whole) = wholes.first().copied() {
            for at in wholes.iter().skip(1) {
                self.refuse_by(*at, whole, |row| RowProblem::WholeTwice { row });
            }
            for at in mains.iter().chain(parts) {
                self.refuse_by(*at, whole, |row| RowProblem::PartsAndWhole { row });
            }
        }
        if let Some(main) = mains.first().copied() {
            for at in mains.iter().skip(1) {
                self.refuse_by(*at, main, |row| RowProblem::TwoMainParts { row });
            }
        }
        let mut met: HashMap<(String, Option<Vec<String>>), usize> = HashMap::new();
        for at in parts {
            if mains.is_empty() {
                self.refuse(*at, RowProblem::NoMainPart);
            }
            if old.kind.holds_members() {
                self.refuse(*at, RowProblem::HoldsMembers);
            }
            let Some(entry) = self.entry(*at) else { continue };
            if let Some(other) = met.insert((entry.code.clone(), entry.parent.clone()), *at) {
                self.refuse_by(*at, other, |row| RowProblem::PartTwice { row });
            }
        }
        if old.path.parent().is_none() {
            for at in wholes.iter().chain(mains).chain(parts) {
                let keeps = |entry: &Entry| entry.part == Part::Whole && entry.parent.is_none() && entry.code == old.path.code();
                if !self.entry(*at).is_some_and(keeps) {
                    self.refuse(*at, RowProblem::Root);
                }
            }
        }
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

    /// Units of a closed level end when each unit below them is in the files, or ends so itself.
    fn find_ending(&mut self) {
        let Question { is_closed, on, .. } = *self.question;
        let closed: Vec<&UnitRef> = self.tree.all().rev().filter(|unit| is_closed(unit.kind, on)).collect();
        if closed.is_empty() {
            return;
        }
        // The units that rows name as parents go on.
        let mut parents = BTreeSet::new();
        for at in 0..self.olds.len() {
            let Some(codes) = self.entry(at).and_then(|entry| entry.parent.as_ref()) else { continue };
            if self.olds[at].is_some() && self.rows_at(at, codes).is_empty() {
                parents.extend(self.open_at(codes).into_iter().map(|unit| unit.id));
            }
        }
        // In the reverse order of paths, a unit comes after those below it.
        for unit in closed {
            if self.is_named(unit.id) || parents.contains(&unit.id) {
                continue;
            }
            let mut below = self.tree.children(&unit.path).peekable();
            if below.peek().is_some() && below.all(|child| self.is_named(child.id) || self.ending.contains(&child.id)) {
                self.ending.insert(unit.id);
            }
        }
    }

    /// Other rows whose new unit can be above that of this row, by the code.
    fn rows_at(&self, at: usize, codes: &[String]) -> Vec<usize> {
        let (Some(old), Some(code)) = (self.olds[at], codes.last()) else { return Vec::new() };
        let rows = self.by_code.get(code.as_str()).map(Vec::as_slice).unwrap_or_default();
        let is_higher = |other: &usize| self.olds[*other].is_some_and(|other| old.kind.hangs_on(other.kind));
        rows.iter().copied().filter(|other| *other != at && is_higher(other)).collect()
    }

    fn place_rows(&mut self) {
        for at in 0..self.olds.len() {
            if self.olds[at].is_some()
                && let Err(problem) = self.target(at)
            {
                self.refuse(at, problem);
            }
        }
    }

    /// The target of a row.
    fn target(&mut self, at: usize) -> Result<usize, RowProblem> {
        match &self.found[at] {
            Found::Settled(settled) => return settled.clone(),
            Found::Underway => return Err(RowProblem::Cycle),
            Found::NotYet => self.found[at] = Found::Underway,
        }
        let settled = self.find(at);
        self.found[at] = Found::Settled(settled.clone());
        settled
    }

    /// Recursion is as deep as there are levels: the unit above is of a higher level.
    fn find(&mut self, at: usize) -> Result<usize, RowProblem> {
        let (Some(old), Some(entry)) = (self.olds[at], self.entry(at)) else { return Err(RowProblem::UnknownCode) };
        let above = match (&entry.parent, self.tree.parent(&old.path)) {
            (_, None) => None,
            (Some(codes), Some(_)) => Some(self.given(at, codes)?),
            (None, Some(parent)) => Some(self.becomes(parent.id)?),
        };
        // A unit above that stays, where the old one ends.
        if let Some(Above::Open(unit)) = above
            && self.tree.get(unit).is_some_and(|unit| !self.may(&unit.path))
        {
            return Err(RowProblem::NotAllowed);
        }
        let next = self.targets.len();
        let target = *self.index.entry((above, entry.code.as_str())).or_insert(next);
        if target == next {
            self.targets.push(Target { above, code: entry.code.clone(), rows: Vec::new(), continues: None, begun: 0 });
        }
        self.targets[target].rows.push(at);
        Ok(target)
    }

    /// The unit above that a row names: one of the files, or one that stays.
    fn given(&mut self, at: usize, codes: &'q [String]) -> Result<Above, RowProblem> {
        let mut targets = BTreeSet::new();
        for row in self.rows_at(at, codes) {
            if let Ok(target) = self.target(row)
                && self.is_at(target, codes)
            {
                targets.insert(target);
            }
        }
        if let Some(target) = targets.pop_first() {
            return if targets.is_empty() { Ok(Above::Target(target)) } else { Err(RowProblem::AmbiguousParent) };
        }
        let Some(old) = self.olds[at] else { return Err(RowProblem::UnknownCode) };
        let open = self.readable_at(codes);
        let higher: Vec<&UnitRef> = open.iter().copied().filter(|unit| old.kind.hangs_on(unit.kind)).collect();
        if higher.is_empty() {
            return Err(self.why_none(old, &open, codes));
        }
        let Some(unit) = self.only(&higher) else { return Err(RowProblem::AmbiguousParent) };
        if self.is_named(unit.id) || self.ending.contains(&unit.id) {
            return Err(RowProblem::ParentEnds);
        }
        if !self.may(&unit.path) {
            return Err(RowProblem::NotAllowed);
        }
        match self.tree.node(unit.id).map(|node| node.opened_on) {
            Some(opened_on) if opened_on > self.question.on => Err(RowProblem::ChangedLater { since: opened_on }),
            _ => Ok(Above::Open(unit.id)),
        }
    }

    /// Why no unit above was found: units with that code are of a wrong level, or there is none.
    fn why_none(&self, old: &UnitRef, open: &[&UnitRef], codes: &[String]) -> RowProblem {
        let rows = codes.last().and_then(|code| self.by_code.get(code.as_str()));
        let mut others = open.iter().copied().chain(rows.into_iter().flatten().filter_map(|row| self.olds[*row])).peekable();
        if others.peek().is_none() {
            return RowProblem::UnknownParent;
        }
        if others.any(|other| old.path.contains(&other.path)) { RowProblem::Cycle } else { RowProblem::WrongLevel }
    }

    /// Whether the target is at the end of these codes.
    fn is_at(&self, target: usize, codes: &[String]) -> bool {
        let (Some(target), Some((code, above))) = (self.targets.get(target), codes.split_last()) else { return false };
        let is_below = || match target.above {
            Some(Above::Target(target)) => self.is_at(target, above),
            Some(Above::Open(unit)) => self.tree.get(unit).is_some_and(|unit| ends_with(&unit.path, above)),
            None => false,
        };
        target.code == *code && (above.is_empty() || is_below())
    }

    /// What a unit becomes.
    fn becomes(&mut self, unit: UnitId) -> Result<Above, RowProblem> {
        if let Some(row) = self.main.get(&unit).copied() {
            return self.target(row).map(Above::Target).map_err(|problem| match problem {
                RowProblem::Cycle => RowProblem::Cycle,
                _ => RowProblem::UnknownParent,
            });
        }
        if self.parts.contains_key(&unit) {
            return Err(RowProblem::UnknownParent);
        }
        let above = self.tree.get(unit).and_then(|unit| self.tree.parent(&unit.path));
        match above.filter(|_| self.ending.contains(&unit)) {
            Some(above) => self.becomes(above.id),
            None => Ok(Above::Open(unit)),
        }
    }

    /// Decides which unit each target continues, and fills in the plan.
    fn settle(&mut self) {
        for target in 0..self.targets.len() {
            self.targets[target].continues = self.continued(target);
        }
        for (begun, target) in self.targets.iter_mut().filter(|target| target.continues.is_none()).enumerate() {
            target.begun = begun;
        }
        for target in 0..self.targets.len() {
            self.check_target(target);
            self.note_target(target);
        }
        self.note_ended();
        self.move_children();
        self.note_undecided();
        self.note_phases();
        let tree = self.tree;
        let path = |unit: UnitId| tree.get(unit).map(|unit| &unit.path);
        self.plan.continued.sort_by_key(|continued| path(continued.unit));
        self.plan.ended.sort_by_key(|ended| path(ended.unit));
        self.plan.moved.sort_by_key(|moved| path(moved.unit));
        self.plan.phased.sort_by_key(|phased| path(phased.unit));
        self.plan.queued.sort_by_key(|queued| path(queued.unit));
        self.plan.divided.sort_by_key(|unit| path(*unit));
    }

    /// The unit with the same code, if it is a source as a whole or with its main part; else the only source, if it is whole.
    fn continued(&mut self, target: usize) -> Option<UnitId> {
        let Target { above, ref code, ref rows, .. } = self.targets[target];
        let rows = rows.clone();
        let mut same: Vec<&UnitRef> = rows
            .iter()
            .filter(|at| self.part(**at) != Part::Part)
            .filter_map(|at| self.olds[*at])
            .filter(|old| old.path.code() == code)
            .collect();
        same.sort_by(|one, other| one.path.cmp(&other.path));
        if let Some(first) = same.first().copied() {
            // Of several, the one that stays below its parent.
            let mut stays = |old: &UnitRef| {
                let parent = self.tree.parent(&old.path).map(|parent| parent.id);
                parent.and_then(|parent| self.becomes(parent).ok()) == above
            };
            return Some(same.into_iter().find(|old| stays(old)).unwrap_or(first).id);
        }
        let [only] = rows.as_slice() else { return None };
        let is_whole = |old: &&UnitRef| self.main.get(&old.id) == Some(only) && !self.parts.contains_key(&old.id);
        self.olds[*only].filter(is_whole).map(|old| old.id)
    }

    fn place(&self, target: usize) -> Place {
        let target = &self.targets[target];
        target.continues.map_or(Place::Begun(target.begun), Place::Open)
    }

    fn above(&self, above: Above) -> Place {
        match above {
            Above::Open(unit) => Place::Open(unit),
            Above::Target(target) => self.place(target),
        }
    }

    fn kind(&self, target: usize) -> Option<UnitKind> {
        Some(self.olds[*self.targets[target].rows.first()?]?.kind)
    }

    fn check_target(&mut self, target: usize) {
        let (rows, above) = (self.targets[target].rows.clone(), self.targets[target].above);
        let (Some(first), Some(kind)) = (rows.first().copied(), self.kind(target)) else { return };
        for at in &rows {
            if self.olds[*at].is_some_and(|old| old.kind != kind) {
                self.refuse(*at, RowProblem::LevelsDiffer);
            }
        }
        let higher = match above {
            Some(Above::Open(unit)) => self.tree.get(unit).map(|unit| unit.kind),
            Some(Above::Target(above)) => self.kind(above),
            None => None,
        };
        if higher.is_some_and(|higher| !kind.hangs_on(higher)) {
            self.refuse(first, RowProblem::WrongLevel);
        }
        let mut named = rows.iter().filter_map(|at| Some((*at, self.entry(*at)?.name.as_ref()?)));
        let name = named.next();
        let others: Vec<usize> =
            named.filter(|(_, other)| name.is_some_and(|(_, name)| name != *other)).map(|(at, _)| at).collect();
        if let Some((other, _)) = name {
            for at in others {
                self.refuse_by(at, other, |row| RowProblem::NamesDiffer { row });
            }
        }
        let continues = self.targets[target].continues;
        if name.is_none() && continues.is_none() {
            self.refuse(first, RowProblem::NameMissing);
        }
        if let Some(Place::Open(parent)) = above.map(|above| self.above(above))
            && let Some(owner) = self.tree.owner(parent, &self.targets[target].code)
            && Some(owner) != continues
        {
            self.refuse(first, RowProblem::CodeTaken);
        }
    }

    fn note_target(&mut self, target: usize) {
        let Target { above, ref code, ref rows, continues, .. } = self.targets[target];
        let above = above.map(|above| self.above(above));
        let name = rows.iter().find_map(|at| self.entry(*at)?.name.clone());
        let code = code.clone();
        match (continues.and_then(|unit| self.tree.get(unit)), above, self.kind(target)) {
            (Some(unit), above, _) => {
                let parent = self.tree.parent(&unit.path).map(|parent| Place::Open(parent.id));
                let name = name.unwrap_or_else(|| unit.name.clone());
                if name != unit.name || code != unit.path.code() || above != parent {
                    self.plan.continued.push(Continued { unit: unit.id, name, code, above });
                } else {
                    self.plan.already += rows_continuing(self, target, unit);
                }
            }
            (None, Some(above), Some(kind)) => {
                self.plan.begun.push(Begun { kind, name: name.unwrap_or_default(), code, above, phase: None });
            }
            _ => {}
        }
    }

    fn note_ended(&mut self) {
        for (unit, row) in &self.main {
            let Found::Settled(Ok(target)) = self.found[*row] else { continue };
            if self.targets[target].continues != Some(*unit) {
                let offices = self.entry(*row).map(|entry| entry.offices).unwrap_or_default();
                let successor = self.place(target);
                self.plan.ended.push(Ended { unit: *unit, successor, offices });
            }
        }
        let ending: Vec<UnitId> = self.ending.iter().copied().collect();
        for unit in ending {
            let row = self.row_below(unit);
            let Some(old) = self.tree.get(unit) else { continue };
            if !self.may_change(old) {
                if let Some(row) = row {
                    self.refuse(row, RowProblem::NotAllowed);
                }
                continue;
            }
            let since = since(self.tree, unit);
            if let (true, Some(row)) = (since > self.question.on, row) {
                self.refuse(row, RowProblem::ChangedLater { since });
            }
            // Refused rows above it have no target; then nothing is done.
            if let Ok(successor) = self.becomes(unit) {
                self.plan.ended.push(Ended { unit, successor: self.above(successor), offices: OfficesRule::End });
            }
        }
    }

    /// A row of a unit below this one, for its problems.
    fn row_below(&self, unit: UnitId) -> Option<usize> {
        let unit = self.tree.get(unit)?;
        self.tree.subtree(&unit.path).find_map(|below| self.main.get(&below.id).copied())
    }

    /// The units below a unit of the files that are not in the files themselves.
    fn left_below(&self, unit: UnitId) -> Vec<&'q UnitRef> {
        let tree = self.tree;
        let Some(unit) = tree.get(unit) else { return Vec::new() };
        tree.children(&unit.path).filter(|child| !self.is_named(child.id) && !self.ending.contains(&child.id)).collect()
    }

    /// Moves what hangs below units that end, and puts what hangs below divided ones into the queue.
    fn move_children(&mut self) {
        let mut given: HashMap<Place, BTreeSet<String>> = HashMap::new();
        for target in &self.targets {
            if let Some(above) = target.above {
                given.entry(self.above(above)).or_default().insert(target.code.clone());
            }
        }
        let mut homeless = Vec::new();
        let main: Vec<(UnitId, usize)> = self.main.iter().map(|(unit, row)| (*unit, *row)).collect();
        for (unit, row) in main {
            let Found::Settled(Ok(target)) = self.found[row] else { continue };
            let below = self.left_below(unit);
            self.queue(unit, target, &below);
            if self.targets[target].continues == Some(unit) {
                continue;
            }
            let place = self.place(target);
            for child in below {
                let since = since(self.tree, child.id);
                if since > self.question.on {
                    self.refuse(row, RowProblem::ChangedLater { since });
                }
                // Units that keep their code come first, so that no other one gets that code.
                let code = child.path.code();
                let is_free = self.owner(place, code).is_none_or(|owner| owner == child.id);
                if is_free && given.entry(place).or_default().insert(code.to_owned()) {
                    self.plan.moved.push(Moved { unit: child.id, code: code.to_owned(), above: place });
                } else {
                    homeless.push((child, place));
                }
            }
        }
        homeless.sort_by(|(one, _), (other, _)| one.path.cmp(&other.path));
        let mut reached: HashMap<(Place, usize), u64> = HashMap::new();
        for (child, place) in homeless {
            let width = child.path.code().len();
            let given = given.entry(place).or_default();
            let number = reached.entry((place, width)).or_default();
            // As `Tree::free_code`: the first unused number of the same length.
            let code = loop {
                *number += 1;
                let code = format!("{number:0width$}");
                if !given.contains(&code) && self.owner(place, &code).is_none_or(|owner| owner == child.id) {
                    break code;
                }
            };
            given.insert(code.clone());
            self.plan.moved.push(Moved { unit: child.id, code, above: place });
        }
    }

    /// The unit that has or had a code below a unit of the new tree.
    fn owner(&self, above: Place, code: &str) -> Option<UnitId> {
        match above {
            Place::Open(unit) => self.tree.owner(unit, code),
            Place::Begun(_) => None,
        }
    }

    fn queue(&mut self, unit: UnitId, main: usize, below: &[&UnitRef]) {
        let Some(parts) = self.parts.get(&unit) else { return };
        let own = self.place(main);
        let targets = parts.iter().filter_map(|row| match self.found[*row] {
            Found::Settled(Ok(target)) => Some(self.place(target)),
            _ => None,
        });
        let candidates: BTreeSet<Place> = targets.filter(|place| *place != own).collect();
        let candidates: Vec<Place> = candidates.into_iter().collect();
        self.plan.divided.push(unit);
        if below.is_empty() {
            self.plan.bare.push(Queued { unit, from: unit, candidates });
            return;
        }
        let queued = below.iter().map(|child| Queued { unit: child.id, from: unit, candidates: candidates.clone() });
        self.plan.queued.extend(queued);
    }

    /// Units of a closed level below which a unit of the files was and no longer is.
    fn note_undecided(&mut self) {
        let mut left = BTreeSet::new();
        for (unit, row) in &self.main {
            let Found::Settled(Ok(target)) = self.found[*row] else { continue };
            let parent = self.tree.get(*unit).and_then(|unit| self.tree.parent(&unit.path));
            let above = self.targets[target].above.map(|above| self.above(above));
            if let Some(parent) = parent.filter(|parent| above != Some(Place::Open(parent.id))) {
                left.insert((&parent.path, parent.id, parent.kind));
            }
        }
        let stays = |unit: UnitId| !self.is_named(unit) && !self.ending.contains(&unit);
        let undecided =
            left.into_iter().filter(|(_, unit, kind)| (self.question.is_closed)(*kind, self.question.on) && stays(*unit));
        self.plan.undecided = undecided.map(|(_, unit, _)| unit).collect();
    }

    /// Fills in the paths.
    fn finish(self) -> Plan {
        let Self { tree, mut plan, .. } = self;
        let paths = NewPaths::new(tree, &plan);
        let begun_at: Vec<UnitPath> = (0..plan.begun.len()).filter_map(|at| paths.of(Place::Begun(at))).collect();
        let ended: HashMap<UnitId, Place> = plan.ended.iter().map(|ended| (ended.unit, ended.successor)).collect();
        // The units whose path does not follow from that of the unit above, and their new paths.
        let (mut shifts, mut above): (Vec<Shift>, Vec<Shift>) = (Vec::new(), Vec::new());
        for unit in tree.all() {
            while above.last().is_some_and(|shift| !shift.from.contains(&unit.path)) {
                above.pop();
            }
            let implied = above.last().and_then(|shift| unit.path.moved(&shift.from, &shift.to));
            let now = match ended.get(&unit.id) {
                Some(successor) => paths.of(*successor),
                None if paths.placed.contains_key(&unit.id) => paths.of(Place::Open(unit.id)),
                None => None,
            };
            let Some(now) = now else { continue };
            if now != *implied.as_ref().unwrap_or(&unit.path) {
                let shift = Shift { from: unit.path.clone(), to: now };
                shifts.push(shift.clone());
                above.push(shift);
            }
        }
        shifts.sort_by_cached_key(|shift| std::cmp::Reverse(shift.from.ancestors_and_self().count()));
        let tops = paths.tops(&plan, &ended);
        plan.tops = tops;
        plan.begun_at = begun_at;
        plan.shifts = shifts;
        plan
    }
}

/// The rows that only confirm that a unit continues as it is.
fn rows_continuing(planner: &Planner<'_>, target: usize, unit: &UnitRef) -> usize {
    let is_own = |at: &&usize| planner.olds[**at].is_some_and(|old| old.id == unit.id);
    let is_divided = planner.parts.contains_key(&unit.id) && !planner.question.divided.contains_key(&unit.id);
    if is_divided { 0 } else { planner.targets[target].rows.iter().filter(is_own).count() }
}

/// Whether a path has the new code of a row, below its new parent.
fn is_at(path: &UnitPath, entry: &Entry) -> bool {
    let is_below = match (&entry.parent, path.parent()) {
        (Some(codes), Some(parent)) => ends_with(&parent, codes),
        (None, _) => true,
        (Some(_), None) => false,
    };
    path.code() == entry.code && is_below
}

/// Whether the last codes of the path are these.
fn ends_with(path: &UnitPath, codes: &[String]) -> bool {
    path.as_str().ends_with(&format!("/{}/", codes.join("/")))
}

/// The paths of the new tree.
pub(super) struct NewPaths<'p> {
    tree: &'p Tree,
    begun: &'p [Begun],
    /// Units with another code or parent, and those of the files.
    placed: HashMap<UnitId, (Option<Place>, &'p str)>,
    names: HashMap<UnitId, &'p str>,
}

impl<'p> NewPaths<'p> {
    pub(super) fn new(tree: &'p Tree, plan: &'p Plan) -> Self {
        let continued = plan.continued.iter().map(|unit| (unit.unit, (unit.above, unit.code.as_str())));
        let moved = plan.moved.iter().map(|unit| (unit.unit, (Some(unit.above), unit.code.as_str())));
        let names = plan.continued.iter().map(|unit| (unit.unit, unit.name.as_str()));
        Self { tree, begun: &plan.begun, placed: continued.chain(moved).collect(), names: names.collect() }
    }

    /// The unit above, and the code below it.
    pub(super) fn above(&self, place: Place) -> Option<(Option<Place>, &str)> {
        match place {
            Place::Begun(at) => self.begun.get(at).map(|begun| (Some(begun.above), begun.code.as_str())),
            Place::Open(unit) => self.placed.get(&unit).copied().or_else(|| {
                let unit = self.tree.get(unit)?;
                Some((self.tree.parent(&unit.path).map(|parent| Place::Open(parent.id)), unit.path.code()))
            }),
        }
    }

    /// The name that the files give to a unit that continues.
    pub(super) fn name(&self, unit: UnitId) -> Option<&'p str> {
        self.names.get(&unit).copied()
    }

    /// The path of a unit. Recursion is as deep as there are levels.
    pub(super) fn of(&self, place: Place) -> Option<UnitPath> {
        let (above, code) = self.above(place)?;
        match above {
            Some(above) => self.of(above)?.child(code).ok(),
            None => UnitPath::parse(&format!("/{code}/")).ok(),
        }
    }

    /// The unit right below the root above a unit; the root itself has none.
    fn top(&self, place: Place) -> Option<Place> {
        let (above, _) = self.above(place)?;
        match self.above(above?)? {
            (None, _) => Some(place),
            (Some(_), _) => self.top(above?),
        }
    }

    /// Where something changes: the new place of each unit, and what the unit above its old place becomes.
    fn tops(&self, plan: &Plan, ended: &HashMap<UnitId, Place>) -> BTreeSet<Place> {
        let continued = plan.continued.iter().map(|unit| unit.unit);
        let old = continued.chain(plan.ended.iter().map(|unit| unit.unit)).filter_map(|unit| {
            let top = self.tree.get(unit)?.path.ancestors_and_self().nth(1)?;
            let top = self.tree.at(&top)?.id;
            Some(ended.get(&top).copied().unwrap_or(Place::Open(top)))
        });
        let new = plan.continued.iter().map(|unit| Place::Open(unit.unit));
        let new = new.chain((0..plan.begun.len()).map(Place::Begun)).chain(plan.ended.iter().map(|unit| unit.successor));
        old.chain(new).filter_map(|place| self.top(place)).collect()
    }
}

#[cfg(test)]
mod tests;
