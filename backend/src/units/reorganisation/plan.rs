//! Plans a reorganisation: what becomes of each unit, computed from the tree, the rows of the files and the day. No I/O.
//!
//! - A **target** is a unit of the new tree that rows name: a code below a unit above. It *continues* one of its sources, or begins.
//! - A source that its target does not continue **ends**, with the target as its successor.
//! - A unit of a closed level that is not in the files ends when all units below it leave.
//! - What hangs below a unit that ends **moves** to its successor, unless it is in the files itself.

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
    /// The most advanced phase of the units it is made of, so that no member loses access.
    pub(super) phase: Phase,
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
        let Self { continued, begun, ended, queued, shifts, refused, .. } = self;
        fingerprint(&format!("{on} {continued:?} {begun:?} {ended:?} {queued:?} {shifts:?} {refused:?}"))
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
        let tree = self.tree;
        let path = |unit: UnitId| tree.get(unit).map(|unit| &unit.path);
        self.plan.continued.sort_by_key(|continued| path(continued.unit));
        self.plan.ended.sort_by_key(|ended| path(ended.unit));
        self.plan.moved.sort_by_key(|moved| path(moved.unit));
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
                let phases = rows.iter().filter_map(|at| self.olds[*at]).map(|old| self.tree.phase(&old.path));
                let phase = phases.max().unwrap_or_default();
                self.plan.begun.push(Begun { kind, name: name.unwrap_or_default(), code, above, phase });
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
mod tests {
    use domain::{
        members::Standing,
        policy::{Grant, Role},
        units::Shifts,
    };
    use proptest::prelude::*;
    use ulid::Ulid;

    use super::*;
    use crate::units::{FormRow, Rows, UnitRow};

    const BEFORE: &str = "2020-01-01";
    const ON: &str = "2025-07-01";

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn id(at: usize) -> UnitId {
        UnitId::new(Ulid::from_parts(1, at as u128))
    }

    fn kind(key: &str) -> UnitKind {
        UnitKind::from_key(key).expect("a level")
    }

    fn path(text: &str) -> UnitPath {
        UnitPath::parse(text).expect("a path")
    }

    fn codes(text: &str) -> Vec<String> {
        text.split('/').map(str::to_owned).collect()
    }

    /// A row `old new`, with a parent, a name and a part.
    fn row(old: &str, new: &str, parent: &str, name: &str, part: Part) -> Row {
        let entry = Entry {
            old: codes(old),
            code: new.to_owned(),
            parent: (!parent.is_empty()).then(|| codes(parent)),
            name: (!name.is_empty()).then(|| name.to_owned()),
            part,
            offices: OfficesRule::End,
        };
        Row { file: 0, row: 0, old_code: old.to_owned(), new_code: new.to_owned(), new_name: name.to_owned(), read: Ok(entry) }
    }

    fn whole(old: &str, new: &str) -> Row {
        row(old, new, "", "", Part::Whole)
    }

    #[derive(Clone)]
    struct Unit {
        id: UnitId,
        kind: UnitKind,
        parent: Option<UnitId>,
        code: String,
        name: String,
        opened_on: String,
        /// The day it ended, and its successor.
        closed: Option<(String, UnitId)>,
    }

    /// A version of a unit: the unit, its parent, name, code, first and last day.
    type StoredForm = (UnitId, Option<UnitId>, String, String, String, Option<String>);

    /// Units and their versions, as they would be stored.
    #[derive(Clone)]
    struct Model {
        units: Vec<Unit>,
        forms: Vec<StoredForm>,
    }

    impl Model {
        /// Provinces `P0` to `P2` with three communes each, `C0` to `C8`, which have two branches each.
        fn new() -> Self {
            let mut model = Self { units: Vec::new(), forms: Vec::new() };
            let root = model.add("central", None, "R");
            for province in 0..3 {
                let above = model.add("province", Some(root), &format!("P{province}"));
                for commune in 0..3 {
                    let commune = model.add("commune", Some(above), &format!("C{}", 3 * province + commune));
                    for branch in ["01", "02"] {
                        model.add("branch", Some(commune), branch);
                    }
                }
            }
            model
        }

        fn add(&mut self, level: &str, parent: Option<UnitId>, code: &str) -> UnitId {
            let unit = id(self.units.len());
            let (code, name, opened_on) = (code.to_owned(), format!("Tên {code}"), BEFORE.to_owned());
            self.forms.push((unit, parent, code.clone(), name.clone(), opened_on.clone(), None));
            self.units.push(Unit { id: unit, kind: kind(level), parent, code, name, opened_on, closed: None });
            unit
        }

        fn get(&self, unit: UnitId) -> &Unit {
            self.units.iter().find(|known| known.id == unit).expect("is known")
        }

        fn path(&self, unit: UnitId) -> UnitPath {
            let unit = self.get(unit);
            match unit.parent {
                Some(parent) => self.path(parent).child(&unit.code).expect("a path"),
                None => path(&format!("/{}/", unit.code)),
            }
        }

        /// `paths` are those that ended units keep.
        fn tree(&self, paths: &BTreeMap<UnitId, UnitPath>) -> Tree {
            let units = self.units.iter().map(|unit| UnitRow {
                id: unit.id.to_string(),
                kind: unit.kind.key().to_owned(),
                code: unit.code.clone(),
                name: unit.name.clone(),
                path: paths.get(&unit.id).cloned().unwrap_or_else(|| self.path(unit.id)).to_string(),
                opened_on: unit.opened_on.clone(),
                phase: None,
                live_from: None,
                contact: None,
                closed_on: unit.closed.as_ref().map(|(on, _)| on.clone()),
                parent: unit.closed.as_ref().and(unit.parent).map(|parent| parent.to_string()),
                successor: unit.closed.as_ref().map(|(_, successor)| successor.to_string()),
                version: None,
            });
            let forms = self.forms.iter().map(|(unit, parent, code, name, from, until)| FormRow {
                unit: unit.to_string(),
                kind: self.get(*unit).kind.key().to_owned(),
                parent: parent.map(|parent| parent.to_string()),
                code: code.clone(),
                name: name.clone(),
                from: from.clone(),
                until: until.clone(),
                cause: "reorganised".to_owned(),
            });
            let rows = Rows { version: 1, units: units.collect(), forms: forms.collect(), running: Vec::new() };
            rows.tree().expect("a tree")
        }

        /// The units of a day with their parents, codes and names.
        fn on(&self, day: &str) -> BTreeMap<UnitId, (Option<UnitId>, String, String)> {
            let lasts = |from: &String, until: &Option<String>| {
                from.as_str() <= day && until.as_ref().is_none_or(|until| until.as_str() >= day)
            };
            let then = self.forms.iter().filter(|(.., from, until)| lasts(from, until));
            then.map(|(unit, parent, code, name, ..)| (*unit, (*parent, code.clone(), name.clone()))).collect()
        }

        fn change(&mut self, unit: UnitId, to: Option<(Option<UnitId>, &str, &str)>) {
            let last = self.forms.iter_mut().rev().find(|(known, ..)| *known == unit).expect("has a version");
            last.5 = Some("2025-06-30".to_owned());
            let Some((parent, code, name)) = to else { return };
            let (code, name) = (code.to_owned(), name.to_owned());
            self.forms.push((unit, parent, code.clone(), name.clone(), ON.to_owned(), None));
            let known = self.units.iter_mut().find(|known| known.id == unit).expect("is known");
            (known.parent, known.code, known.name) = (parent, code, name);
        }

        /// Carries out a plan.
        fn apply(&mut self, plan: &Plan) {
            let first = self.units.len();
            let of = |place: Place| match place {
                Place::Open(unit) => unit,
                Place::Begun(at) => id(first + at),
            };
            for begun in &plan.begun {
                let (unit, parent) = (id(self.units.len()), Some(of(begun.above)));
                let (code, name, opened_on) = (begun.code.clone(), begun.name.clone(), ON.to_owned());
                self.forms.push((unit, parent, code.clone(), name.clone(), opened_on.clone(), None));
                self.units.push(Unit { id: unit, kind: begun.kind, parent, code, name, opened_on, closed: None });
            }
            for ended in &plan.ended {
                self.change(ended.unit, None);
                let known = self.units.iter_mut().find(|known| known.id == ended.unit).expect("is known");
                known.closed = Some((ON.to_owned(), of(ended.successor)));
            }
            for next in &plan.continued {
                self.change(next.unit, Some((next.above.map(of), next.code.as_str(), next.name.as_str())));
            }
            for next in &plan.moved {
                let name = self.get(next.unit).name.clone();
                self.change(next.unit, Some((Some(of(next.above)), next.code.as_str(), name.as_str())));
            }
        }
    }

    /// Divided units with the targets of their other parts.
    type Divided = [(UnitId, BTreeSet<UnitId>)];

    fn planned(tree: &Tree, rows: &[Row], is_closed: fn(UnitKind, NaiveDate) -> bool, divided: &Divided) -> Plan {
        let divided = divided.iter().cloned().collect();
        plan(&Question { tree, rows, on: day(ON), standpoint: None, is_closed, divided: &divided })
    }

    fn never(_: UnitKind, _: NaiveDate) -> bool {
        false
    }

    fn communes_end(kind: UnitKind, _: NaiveDate) -> bool {
        kind.key() == "commune"
    }

    fn problems(rows: &[Row]) -> Vec<RowProblem> {
        let tree = Model::new().tree(&BTreeMap::new());
        planned(&tree, rows, never, &[]).refused.into_values().collect()
    }

    #[test]
    fn each_bad_row_has_its_reason() {
        let main = |old: &str, new: &str| row(old, new, "", "", Part::Main);
        let part = |old: &str, new: &str| row(old, new, "", "Mới", Part::Part);
        let below = |old: &str, new: &str, parent: &str| row(old, new, parent, "", Part::Whole);
        let named = |old: &str, name: &str| row(old, "C0", "", name, Part::Whole);
        for (rows, expected) in [
            (vec![whole("X", "C1")], vec![RowProblem::UnknownCode]),
            (vec![whole("01", "07")], vec![RowProblem::AmbiguousCode]),
            (vec![whole("C0", "C0"), whole("C0", "C1")], vec![RowProblem::WholeTwice { row: 0 }]),
            (vec![part("C0", "N1")], vec![RowProblem::NoMainPart]),
            (vec![main("C0", "C0"), main("C0", "C1"), whole("C1", "C1")], vec![RowProblem::TwoMainParts { row: 0 }]),
            (vec![whole("C0", "C0"), part("C0", "N1")], vec![RowProblem::PartsAndWhole { row: 0 }]),
            (vec![main("C0", "C0"), part("C0", "N1"), part("C0", "N1")], vec![RowProblem::PartTwice { row: 0 }]),
            (vec![main("C0/01", "01"), part("C0/01", "07")], vec![RowProblem::HoldsMembers]),
            (vec![whole("R", "S")], vec![RowProblem::Root]),
            (vec![below("C0", "C0", "X")], vec![RowProblem::UnknownParent]),
            (vec![below("C0", "C0", "P1"), whole("P1", "P2"), whole("P2", "P2")], vec![RowProblem::ParentEnds]),
            (vec![below("C0", "C0", "C1")], vec![RowProblem::WrongLevel]),
            (vec![below("P0", "P0", "C0")], vec![RowProblem::Cycle]),
            (vec![named("C0", "Một"), named("C1", "Hai")], vec![RowProblem::NamesDiffer { row: 0 }]),
            (vec![whole("C0", "N1"), whole("C1", "N1")], vec![RowProblem::NameMissing]),
            (vec![whole("C0", "C1")], vec![RowProblem::CodeTaken]),
            (
                vec![row("C0", "N1", "R", "Mới", Part::Whole), row("P0", "N1", "R", "Mới", Part::Whole)],
                vec![RowProblem::LevelsDiffer],
            ),
        ] {
            assert_eq!(problems(&rows), expected, "{:?}", rows.iter().map(|row| &row.old_code).collect::<Vec<_>>());
        }
        let mut unread = whole("C0", "C0");
        unread.read = Err(RowProblem::UnknownParent);
        assert_eq!(problems(&[unread]), [RowProblem::UnknownParent], "as read from the file");
    }

    #[test]
    fn rights_and_days_are_checked() {
        let model = Model::new();
        let mut late = model.clone();
        late.units[2].opened_on = "2025-07-02".to_owned();
        late.forms[2].4 = "2025-07-02".to_owned();
        let (tree, late) = (model.tree(&BTreeMap::new()), late.tree(&BTreeMap::new()));
        let rows = [whole("C0", "C1"), whole("C1", "C1")];
        let since = day("2025-07-02");
        assert_eq!(planned(&late, &rows, never, &[]).refused[&0], RowProblem::ChangedLater { since });
        let registrar = |at: &str| Standpoint {
            branch: path("/R/P0/C0/01/"),
            standing: Standing::Official,
            grants: vec![Grant { role: Role::Registrar, path: path(at) }],
        };
        let refused = |at: &str| {
            let standpoint = registrar(at);
            let question = Question {
                tree: &tree,
                rows: &rows,
                on: day(ON),
                standpoint: Some(&standpoint),
                is_closed: never,
                divided: &BTreeMap::new(),
            };
            plan(&question).refused
        };
        assert!(refused("/R/P0/").is_empty());
        assert_eq!(refused("/R/P0/C0/").len(), 2, "the parent is not covered");
        let problems: Vec<_> = refused("/R/P1/").into_values().collect();
        assert_eq!(problems, [RowProblem::NotAllowed, RowProblem::UnknownCode], "only the first is above the own branch");
    }

    #[test]
    fn units_outside_the_rights_are_answered_like_unknown_ones() {
        let tree = Model::new().tree(&BTreeMap::new());
        let standpoint = Standpoint {
            branch: path("/R/P0/C0/01/"),
            standing: Standing::Official,
            grants: vec![Grant { role: Role::Registrar, path: path("/R/P0/C0/") }],
        };
        let to = |old: &str, new: &str, parent: &str| row(old, new, parent, "", Part::Whole);
        let planned = |rows: &[Row], is_closed: fn(UnitKind, NaiveDate) -> bool| {
            let divided = BTreeMap::new();
            let question =
                Question { tree: &tree, rows, on: day(ON), standpoint: Some(&standpoint), is_closed, divided: &divided };
            plan(&question)
        };
        for (row, expected) in [
            (to("C1/01", "01", "C0"), RowProblem::UnknownCode),
            (to("X/01", "01", "C0"), RowProblem::UnknownCode),
            (to("P0", "P0", ""), RowProblem::NotAllowed),
            (to("C0/01", "01", "C1"), RowProblem::UnknownParent),
            (to("C0/01", "01", "X"), RowProblem::UnknownParent),
            (to("C0/01", "01", "P0"), RowProblem::NotAllowed),
            // Many branches have this code, but only one of them is known to the viewer.
            (to("01", "01", "P0"), RowProblem::NotAllowed),
        ] {
            let (old, parent) = (row.old_code.clone(), format!("{:?}", row.read));
            let found = planned(&[row], never);
            assert_eq!(found.refused.values().collect::<Vec<_>>(), [&expected], "{old} {parent}");
            assert!(found.is_empty() && found.moved.is_empty() && found.undecided.is_empty(), "{old} {found:?}");
        }
        // The unit above one of a closed level is outside.
        let found = planned(&[to("C0/01", "01", ""), to("C0/02", "02", "")], communes_end);
        assert_eq!(found.refused.values().cloned().collect::<Vec<_>>(), [RowProblem::NotAllowed, RowProblem::NotAllowed]);
        assert!(found.ended.is_empty() && found.continued.is_empty());
    }

    #[test]
    fn units_of_a_closed_level_end_when_all_below_them_leave() {
        let tree = Model::new().tree(&BTreeMap::new());
        let to = |old: &str, new: &str| row(old, new, "P0", "", Part::Whole);
        let all = planned(&tree, &[to("C0/01", "B1"), to("C0/02", "B2")], communes_end, &[]);
        assert!(all.refused.is_empty() && all.undecided.is_empty());
        assert_eq!(all.ended.len(), 1);
        let province = tree.at(&path("/R/P0/")).expect("a province").id;
        assert_eq!(all.ended[0].successor, Place::Open(province));
        let shifts: Shifts = all.shifts.iter().cloned().collect();
        assert_eq!(shifts.apply(&path("/R/P0/C0/01/")), Some(path("/R/P0/B1/")));
        assert_eq!(shifts.apply(&path("/R/P0/C0/")), Some(path("/R/P0/")));
        let some = planned(&tree, &[to("C0/01", "B1")], communes_end, &[]);
        let commune = tree.at(&path("/R/P0/C0/")).expect("a commune").id;
        assert_eq!((some.undecided, some.ended), (vec![commune], Vec::new()));
    }

    #[test]
    fn a_row_is_not_taken_for_that_of_another_unit_with_the_same_code() {
        let mut model = Model::new();
        let first = planned(&model.tree(&BTreeMap::new()), &[whole("C0/01", "05")], never, &[]);
        model.apply(&first);
        let tree = model.tree(&BTreeMap::new());
        let again = planned(&tree, &[whole("C0/01", "05"), whole("C1/01", "05")], never, &[]);
        assert!(again.refused.is_empty());
        assert_eq!((again.already, again.continued.len()), (1, 1));
        // Where the code stays and the unit above is another one.
        let to = |old: &str| row(old, "C3", "P0", "", Part::Whole);
        let moved = planned(&tree, &[to("P1/C3")], never, &[]);
        model.apply(&moved);
        let again = planned(&model.tree(&BTreeMap::new()), &[to("P1/C3")], never, &[]);
        assert_eq!((again.already, again.refused.len()), (1, 0));
    }

    #[test]
    fn a_unit_that_its_parent_follows_goes_along() {
        let mut model = Model::new();
        let tree = model.tree(&BTreeMap::new());
        // P1 becomes a part of P0; its communes follow, one of them under another code.
        let rows = [whole("P0", "P0"), whole("P1", "P0"), row("C3", "N3", "P0", "", Part::Whole)];
        let found = planned(&tree, &rows, never, &[]);
        assert!(found.refused.is_empty());
        assert_eq!((found.ended.len(), found.moved.len()), (1, 2));
        model.apply(&found);
        let paths = BTreeMap::from([(found.ended[0].unit, path("/R/P1/"))]);
        let after = model.tree(&paths);
        assert_eq!(after.former(&path("/R/P1/C3/01/")).expect("is known").path, path("/R/P0/N3/01/"));
        assert_eq!(after.former(&path("/R/P1/C4/02/")).expect("is known").path, path("/R/P0/C4/02/"));
    }

    /// What becomes of a unit: a part of another one, or the same under a fresh code.
    fn fates(count: usize) -> impl Strategy<Value = Vec<usize>> {
        // Twice as many numbers as units: a number behind them is a fresh code.
        proptest::collection::vec((0..2 * count, 0..3_u8), count).prop_map(move |drawn| {
            let stays: Vec<bool> = drawn.iter().map(|(_, stays)| *stays > 0).collect();
            let fate = |(at, (to, _)): (usize, (usize, u8))| {
                let is_target = to >= count || stays[to];
                if stays[at] || !is_target { at } else { to }
            };
            drawn.into_iter().enumerate().map(fate).collect()
        })
    }

    fn rows_of(provinces: &[usize], communes: &[usize], parts: &[(usize, usize)]) -> Vec<Row> {
        let code = |letter: char, at: usize| format!("{letter}{at}");
        let mut rows: Vec<Row> = provinces
            .iter()
            .enumerate()
            .map(|(at, to)| row(&code('P', at), &code('P', *to), "", if *to < 3 { "" } else { "Tỉnh" }, Part::Whole))
            .collect();
        for (at, to) in communes.iter().enumerate() {
            let of: Vec<usize> = parts.iter().filter(|(from, part)| *from == at && part != to).map(|(_, part)| *part).collect();
            let is_divided = !of.is_empty();
            let part = if is_divided { Part::Main } else { Part::Whole };
            // A commune that becomes a part of another one is below what the province of that one becomes.
            let parent = |to: usize| if to < 9 { code('P', provinces[to / 3]) } else { code('P', provinces[at / 3]) };
            let name = |to: usize| if to < 9 { "" } else { "Xã" };
            rows.push(row(&code('C', at), &code('C', *to), &parent(*to), name(*to), part));
            let of: BTreeSet<usize> = of.into_iter().collect();
            rows.extend(of.into_iter().map(|to| row(&code('C', at), &code('C', to), &parent(to), name(to), Part::Part)));
        }
        rows
    }

    proptest! {
        #[test]
        fn a_plan_leaves_one_tree_with_all_branches_and_a_true_history(
            provinces in fates(3), communes in fates(9), parts in proptest::collection::vec((0..9_usize, 0..9_usize), 0..3),
        ) {
            let mut model = Model::new();
            let (before, old) = (model.on("2025-06-30"), model.tree(&BTreeMap::new()));
            let rows = rows_of(&provinces, &communes, &parts);
            let found = planned(&old, &rows, never, &[]);
            if !found.refused.is_empty() {
                return Ok(());
            }
            let closed: BTreeMap<UnitId, UnitPath> =
                found.ended.iter().map(|ended| (ended.unit, old.get(ended.unit).expect("is open").path.clone())).collect();
            let first = model.units.len();
            model.apply(&found);
            let new = model.tree(&closed);
            prop_assert_eq!(new.len(), old.len() - found.ended.len() + found.begun.len());
            prop_assert_eq!(new.all().filter(|unit| unit.path.parent().is_none()).count(), 1);
            for unit in new.all() {
                let above = unit.path.parent();
                prop_assert!(above.is_none_or(|above| new.at(&above).is_some_and(|above| unit.kind.hangs_on(above.kind))));
                prop_assert_eq!(&model.path(unit.id), &unit.path);
            }
            let shifts: Shifts = found.shifts.iter().cloned().collect();
            for unit in old.all() {
                let now = new.successor(&unit.id.to_string()).expect("goes on").path.clone();
                prop_assert_eq!(shifts.apply(&unit.path).unwrap_or_else(|| unit.path.clone()), now.clone(), "{}", unit.path);
                prop_assert_eq!(&new.former(&unit.path).expect("is known").path, &now);
                // Units with members keep their ids.
                prop_assert!(!unit.kind.holds_members() || new.get(unit.id).is_some());
            }
            for shift in &found.shifts {
                prop_assert!(!new.all().any(|unit| shift.from.contains(&unit.path)), "nothing is where something left: {:?}", shift);
            }
            prop_assert_eq!(model.on("2025-06-30"), before);
            let after: BTreeSet<UnitId> = model.on(ON).into_keys().collect();
            prop_assert_eq!(after, new.all().map(|unit| unit.id).collect::<BTreeSet<_>>());
            let targets = |unit: UnitId| {
                let candidates = found.queued.iter().filter(|queued| queued.from == unit).flat_map(|queued| &queued.candidates);
                candidates.map(|place| match place {
                    Place::Open(unit) => *unit,
                    Place::Begun(at) => id(first + at),
                }).collect::<BTreeSet<UnitId>>()
            };
            let divided: Vec<_> = found.divided.iter().map(|unit| (*unit, targets(*unit))).collect();
            let again = planned(&new, &rows, never, &divided);
            prop_assert!(again.is_empty() && again.refused.is_empty(), "{:?}", again);
        }
    }
}
