//! Imports units: resolves their paths in any order of the rows, then writes them from the root down.
//!
//! A file of units is small (the largest organisation has 250,000), so it is planned as a whole. An interrupted import starts
//! again from the beginning: units that are written already are unchanged.
//!
//! Invariant: each transaction writes to the tree that its changes were planned on. When something else changes the tree meanwhile,
//! the rest of the file is planned again.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use chrono::NaiveDate;
use domain::{
    ids::UnitId,
    imports::{Column, Counts, Reason, RefusedLine},
    units::{Phase, UnitChange, UnitKind, UnitPath, UnitRef},
};
use ulid::Ulid;

use super::{
    ImportRow,
    file::{Cell, ImportError},
    preview::{CancelOnDrop, Outcome, RowProgress, Source, in_a_thread},
    read::{self, ColumnPositions, NEXT, RowReader},
};
use crate::{
    Backend, Error, Keys, Result,
    bulk::Bulk,
    change::Change,
    store::{RecordId, StoreError, SurrealValue, record, vars},
    units::{NewUnit, NewVersion, REFORM, ReformRow, SAME_TREE, Tree},
};

/// Units written in one transaction.
const BATCH: usize = 100;

/// How often the file is planned again without a unit written in between.
const TRIES: usize = 5;

const SET_PHASES: &str = "FOR $row IN $phases { LET $id = $row.id; \
     UPDATE $id SET phase = $row.phase, version = (version ?? 0) + 1 RETURN NONE; };";

/// The changes to write, from the root down.
pub(super) struct Plan {
    /// The tree they were planned on.
    tree: Arc<Tree>,
    steps: Vec<Step>,
    pub(super) outcome: Outcome,
}

struct Step {
    path: UnitPath,
    row: Unit,
    /// The stored unit; `None` for a new one.
    known: Option<Known>,
}

/// A unit of the file.
#[derive(Debug, Clone)]
struct Unit {
    row: u64,
    codes: Vec<String>,
    /// The code was a number, so it may have lost its leading zeros.
    is_number: bool,
    parent: Option<Vec<String>>,
    kind: UnitKind,
    name: String,
    opened_on: Option<NaiveDate>,
    phase: Option<Phase>,
}

/// A stored unit.
#[derive(Debug, Clone)]
struct Known {
    id: UnitId,
    kind: UnitKind,
    name: String,
    phase: Option<Phase>,
    /// The first day of its current version.
    since: NaiveDate,
}

/// The rows that this run of the import has written: planned again, they are not unchanged.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    fresh: HashSet<u64>,
    changed: HashSet<u64>,
}

impl Written {
    fn note(&mut self, steps: &[Step]) {
        for step in steps {
            let rows = if step.known.is_none() { &mut self.fresh } else { &mut self.changed };
            rows.insert(step.row.row);
        }
    }

    fn len(&self) -> usize {
        self.fresh.len() + self.changed.len()
    }
}

/// The new phase of a unit.
#[derive(Debug, Clone, SurrealValue)]
struct PhaseRow {
    id: RecordId,
    phase: String,
}

/// Reads the file and computes its changes.
pub(super) async fn plan(
    backend: &Backend,
    import: &ImportRow,
    mapping: &[Option<Column>],
    progress: &RowProgress,
    written: &Written,
) -> Result<Plan, ImportError> {
    let source = Source::of(backend, import)?;
    // Another process may have changed the tree.
    backend.units().reload(backend.store()).await?;
    let planner = Planner::new(backend.units().tree(), import.scope()?, import.day()?, written.clone());
    let positions = ColumnPositions::new(mapping);
    let _cancel = CancelOnDrop::over(progress);
    let progress = progress.clone();
    let (mut plan, report) = in_a_thread(move || {
        let (mut units, mut refused, mut passed) = (Vec::new(), BTreeMap::new(), Vec::new());
        let met = source.each_row(&mut |row, cells| {
            progress.advance(row)?;
            if positions.is_blank(cells) {
                passed.push(read::passed(row, cells));
                return Ok(NEXT);
            }
            match read_unit(row, cells, &positions) {
                Ok(unit) => units.push(unit),
                Err(lines) => {
                    refused.insert(row, lines);
                }
            }
            Ok(NEXT)
        })?;
        let mut plan = planner.plan(units, &mut refused);
        plan.outcome.counts.refused = refused.len() as u64;
        plan.outcome.met = met;
        let mut report = source.new_report()?;
        for lines in refused.values() {
            report.add(lines)?;
        }
        for line in &passed {
            report.pass(line.as_ref())?;
        }
        Ok((plan, report))
    })
    .await?;
    // Not in the thread, which still runs for a while after its task is dropped.
    plan.outcome.reported = report.finish().await?;
    Ok(plan)
}

fn read_unit(row: u64, cells: &[Cell<'_>], positions: &ColumnPositions) -> Result<Unit, Vec<RefusedLine>> {
    let mut reader = RowReader::new(row, cells, positions);
    if !reader.is_whole() {
        return Err(reader.problems);
    }
    let codes = reader.required(Column::Code, read::codes);
    let is_number = read::is_number(reader.cell(Column::Code));
    let parent = reader.optional(Column::Parent, read::codes);
    let kind = reader.required(Column::Kind, read::unit_kind);
    let name = reader.required(Column::Name, read::unit_name);
    let opened_on = reader.optional(Column::OpenedOn, read::date);
    let phase = reader.optional(Column::Phase, read::phase);
    match (codes, kind, name) {
        (Some(codes), Some(kind), Some(name)) if reader.problems.is_empty() => {
            Ok(Unit { row, codes, is_number, parent, kind, name, opened_on, phase })
        }
        _ => Err(reader.problems),
    }
}

/// The stored tree, with former paths of its units.
struct Planner {
    tree: Arc<Tree>,
    scope: Option<UnitPath>,
    known: HashMap<UnitPath, Known>,
    closed: HashSet<UnitPath>,
    /// The day of new names, and of new units whose row has none.
    as_of: NaiveDate,
    written: Written,
}

impl Planner {
    fn new(tree: Arc<Tree>, scope: Option<UnitPath>, as_of: NaiveDate, written: Written) -> Self {
        let known = tree.states().map(|(unit, phase, since)| {
            let known = Known { id: unit.id, kind: unit.kind, name: unit.name.clone(), phase, since };
            (unit.path.clone(), known)
        });
        let (known, closed) = (known.collect(), tree.closed_paths().cloned().collect());
        Self { tree, scope, known, closed, as_of, written }
    }

    fn plan(&self, units: Vec<Unit>, refused: &mut BTreeMap<u64, Vec<RefusedLine>>) -> Plan {
        let mut resolver = PathResolver::new(self, &units);
        let placed: Vec<Result<UnitPath, (Column, Reason)>> = (0..units.len()).map(|at| resolver.resolve(at)).collect();
        let mut taken: HashMap<UnitPath, u64> = HashMap::new();
        let mut steps = Vec::new();
        let mut counts = Counts::default();
        for (unit, placed) in units.into_iter().zip(placed) {
            let judged = placed.and_then(|path| {
                if let Some(row) = taken.insert(path.clone(), unit.row) {
                    taken.insert(path, row);
                    return Err((Column::Code, Reason::UnitTwice { row }));
                }
                let known = self.known.get(&path).cloned();
                match known.as_ref().filter(|known| known.name != unit.name && known.since > self.as_of) {
                    Some(known) => Err((Column::Name, Reason::ChangedLater { since: known.since })),
                    None => Ok((path, known)),
                }
            });
            let (path, known) = match judged {
                Ok(judged) => judged,
                Err((column, reason)) => {
                    let line = RefusedLine {
                        row: unit.row,
                        name: unit.name.clone(),
                        column: Some(column),
                        value: unit.shown(column),
                        reason,
                    };
                    refused.entry(unit.row).or_default().push(line);
                    continue;
                }
            };
            match &known {
                None => counts.fresh += 1,
                Some(known) if unit.says_the_same(known) => {
                    match (self.written.fresh.contains(&unit.row), self.written.changed.contains(&unit.row)) {
                        (true, _) => counts.fresh += 1,
                        (false, true) => counts.changed += 1,
                        (false, false) => counts.unchanged += 1,
                    }
                    continue;
                }
                Some(_) => counts.changed += 1,
            }
            steps.push(Step { path, row: unit, known });
        }
        // A path sorts after its prefixes, so parents come first.
        steps.sort_by(|one, other| one.path.cmp(&other.path));
        Plan { tree: Arc::clone(&self.tree), steps, outcome: Outcome { counts, ..Outcome::default() } }
    }
}

impl Unit {
    fn says_the_same(&self, known: &Known) -> bool {
        self.name == known.name && self.phase.is_none_or(|phase| Some(phase) == known.phase)
    }

    fn shown(&self, column: Column) -> String {
        match column {
            Column::Parent => self.parent.as_ref().map(|codes| codes.join("/")).unwrap_or_default(),
            Column::Kind => self.kind.key().to_owned(),
            Column::Name => self.name.clone(),
            _ => self.codes.join("/"),
        }
    }

    fn code(&self) -> &str {
        self.codes.last().map(String::as_str).unwrap_or_default()
    }
}

/// Resolves the path of each unit of the file, through its parents in the same file.
struct PathResolver<'p> {
    planner: &'p Planner,
    units: &'p [Unit],
    by_code: HashMap<&'p str, Vec<usize>>,
    /// Stored units within the scope of the file, by their code.
    known_by_code: HashMap<&'p str, Vec<(&'p UnitPath, UnitKind)>>,
    /// Stored units by the path of their parent and their code without leading zeros; `None` where several match. Empty when no
    /// code of the file is a number.
    zeroed: HashMap<(UnitPath, String), Option<UnitPath>>,
    /// The row of the first unit without a parent.
    first_top: Option<u64>,
    /// Resolved units of the file by their paths.
    placed: HashMap<UnitPath, usize>,
    found: Vec<Found>,
}

#[derive(Clone)]
enum Found {
    NotYet,
    /// One of its parents is being resolved: meeting it again is a cycle.
    Underway,
    Settled(Result<UnitPath, (Column, Reason)>),
}

impl<'p> PathResolver<'p> {
    fn new(planner: &'p Planner, units: &'p [Unit]) -> Self {
        let mut by_code: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, unit) in units.iter().enumerate() {
            by_code.entry(unit.code()).or_default().push(at);
        }
        let mut known_by_code: HashMap<&str, Vec<(&UnitPath, UnitKind)>> = HashMap::new();
        let is_within = |path: &UnitPath| planner.scope.as_ref().is_none_or(|scope| scope.contains(path));
        for (path, known) in planner.known.iter().filter(|(path, _)| is_within(path)) {
            known_by_code.entry(path.code()).or_default().push((path, known.kind));
        }
        let mut zeroed: HashMap<(UnitPath, String), Option<UnitPath>> = HashMap::new();
        if units.iter().any(|unit| unit.is_number) {
            for path in planner.known.keys().filter(|path| path.code().starts_with('0')) {
                let Some(above) = path.parent() else { continue };
                let bare = path.code().trim_start_matches('0').to_owned();
                zeroed.entry((above, bare)).and_modify(|known| *known = None).or_insert_with(|| Some(path.clone()));
            }
        }
        let first_top = units.iter().filter(|unit| is_top(unit)).map(|unit| unit.row).min();
        let (placed, found) = (HashMap::new(), vec![Found::NotYet; units.len()]);
        Self { planner, units, by_code, known_by_code, zeroed, first_top, placed, found }
    }

    fn resolve(&mut self, at: usize) -> Result<UnitPath, (Column, Reason)> {
        match &self.found[at] {
            Found::Settled(settled) => return settled.clone(),
            Found::Underway => return Err((Column::Parent, Reason::WrongLevel)),
            Found::NotYet => self.found[at] = Found::Underway,
        }
        let settled = self.find(at);
        if let Ok(path) = &settled {
            self.placed.entry(path.clone()).or_insert(at);
        }
        self.found[at] = Found::Settled(settled.clone());
        settled
    }

    fn find(&mut self, at: usize) -> Result<UnitPath, (Column, Reason)> {
        let unit = &self.units[at];
        let parent = self.parent(at)?;
        let path = match &parent {
            Some((path, kind)) if unit.kind.hangs_on(*kind) => match self.with_zeros(path, unit) {
                Some(known) => Ok(known),
                None => path.child(unit.code()),
            },
            Some(_) => return Err((Column::Kind, Reason::WrongLevel)),
            None => UnitPath::parse(&format!("/{}/", unit.code())),
        }
        .map_err(|_| (Column::Code, Reason::UnknownUnit))?;
        let planner = self.planner;
        if planner.scope.as_ref().is_some_and(|scope| !scope.contains(&path)) {
            return Err((Column::Parent, Reason::UnknownParent));
        }
        if planner.closed.contains(&path) {
            return Err((Column::Code, Reason::ClosedUnit));
        }
        match planner.known.get(&path) {
            Some(known) if known.kind != unit.kind => Err((Column::Kind, Reason::KindDiffers)),
            None if planner.tree.former(&path).is_some() => Err((Column::Code, Reason::PathUsed)),
            None => match unit.kind.closed_after() {
                Some(last) if unit.opened_on.unwrap_or(planner.as_of) > last => Err((Column::Kind, Reason::LevelEnded { last })),
                _ => Ok(path),
            },
            Some(_) => Ok(path),
        }
    }

    /// The stored unit whose code has lost its leading zeros in the spreadsheet.
    fn with_zeros(&self, above: &UnitPath, unit: &Unit) -> Option<UnitPath> {
        let is_known = || above.child(unit.code()).is_ok_and(|path| self.planner.known.contains_key(&path));
        if !unit.is_number || is_known() {
            return None;
        }
        self.zeroed.get(&(above.clone(), unit.code().to_owned())).cloned().flatten()
    }

    /// The parent and its level; `None` for the root.
    fn parent(&mut self, at: usize) -> Result<Option<(UnitPath, UnitKind)>, (Column, Reason)> {
        let unit = &self.units[at];
        let unknown = (Column::Parent, Reason::UnknownParent);
        if let Some((_, above)) = unit.codes.split_last().filter(|(_, above)| !above.is_empty()) {
            return self.by_path(above, unit.kind).map(Some).ok_or((Column::Code, Reason::UnknownParent));
        }
        match unit.parent.as_deref() {
            Some([code]) => self.by_code(at, code).map(Some),
            Some(codes) => self.by_path(codes, unit.kind).map(Some).ok_or(unknown),
            None => self.top(unit),
        }
    }

    /// The parent of a unit whose row has none.
    fn top(&self, unit: &Unit) -> Result<Option<(UnitPath, UnitKind)>, (Column, Reason)> {
        let of = |unit: &UnitRef| Some((unit.path.clone(), unit.kind));
        let root = self.planner.tree.all().next();
        match (&self.planner.scope, root) {
            (Some(scope), _) => {
                let scope = self.planner.tree.at(scope).ok_or((Column::Parent, Reason::UnknownParent))?;
                // The file may contain the unit it is for.
                let is_itself = scope.path.code() == unit.code() && scope.kind == unit.kind;
                match scope.path.parent() {
                    Some(above) if is_itself => Ok(self.planner.tree.at(&above).and_then(of)),
                    None if is_itself => Ok(None),
                    _ => Ok(of(scope)),
                }
            }
            (None, Some(root)) if root.path.code() != unit.code() => Err((Column::Parent, Reason::UnknownParent)),
            (None, None) if self.first_top.is_some_and(|first| first < unit.row) => {
                // A tree has one root.
                Err((Column::Parent, Reason::UnknownParent))
            }
            (None, _) => Ok(None),
        }
    }

    /// The unit at the end of these codes, in the tree or in the file. Among the units of the file, only those of a higher level
    /// than `kind` are resolved, so the recursion is at most as deep as there are levels in the pack.
    fn by_path(&mut self, codes: &[String], kind: UnitKind) -> Option<(UnitPath, UnitKind)> {
        let path = UnitPath::parse(&format!("/{}/", codes.join("/"))).ok()?;
        let below = self.planner.scope.as_ref().and_then(|scope| UnitPath::parse(&format!("{scope}{}/", codes.join("/"))).ok());
        for path in [Some(path), below].into_iter().flatten() {
            if let Some(known) = self.planner.known.get(&path) {
                return Some((path, known.kind));
            }
            let above = self.placed.get(&path).map(|at| self.units[*at].kind);
            if let Some(above) = above.filter(|above| *above < kind) {
                return Some((path, above));
            }
            // Each unit is resolved once, however many share its code.
            for number in 0.. {
                let Some(at) = self.named(path.code(), number) else { break };
                let may_be = self.units[at].kind < kind && matches!(self.found[at], Found::NotYet);
                if may_be && self.resolve(at).as_ref() == Ok(&path) {
                    return Some((path, self.units[at].kind));
                }
            }
        }
        None
    }

    /// One of the units of the file with this code, counted from 0.
    fn named(&self, code: &str, number: usize) -> Option<usize> {
        self.by_code.get(code)?.get(number).copied()
    }

    /// The only unit with this code, in the tree or in the file, on which the one at `at` may hang: of a higher level, so the
    /// recursion ends.
    fn by_code(&mut self, at: usize, code: &str) -> Result<(UnitPath, UnitKind), (Column, Reason)> {
        let kind = self.units[at].kind;
        let known = self.known_by_code.get(code).into_iter().flatten();
        let known = known.filter(|(_, above)| kind.hangs_on(*above)).map(|(path, above)| ((*path).clone(), *above));
        // Two are ambiguous, so no more are needed.
        let mut found: BTreeMap<UnitPath, UnitKind> = known.take(2).collect();
        let mut reason = Reason::UnknownParent;
        for number in 0.. {
            let Some(other) = self.named(code, number).filter(|_| found.len() < 2) else { break };
            if other == at || matches!(self.found[other], Found::Underway) {
                reason = Reason::WrongLevel;
            } else if kind.hangs_on(self.units[other].kind)
                && let Ok(path) = self.resolve(other)
            {
                found.insert(path, self.units[other].kind);
            }
        }
        match found.len() {
            0 => Err((Column::Parent, reason)),
            1 => found.pop_first().ok_or((Column::Parent, Reason::UnknownParent)),
            _ => Err((Column::Parent, Reason::AmbiguousUnit)),
        }
    }
}

fn is_top(unit: &Unit) -> bool {
    unit.parent.is_none() && unit.codes.len() == 1
}

/// Writes the changes of the file, from the root down.
///
/// # Errors
/// [`Error::Busy`] when the tree keeps changing, or while the version of a unit's new place is not written yet.
pub(super) async fn write_units(
    backend: &Backend,
    import: &ImportRow,
    mapping: &[Option<Column>],
    progress: &RowProgress,
) -> Result<Outcome, ImportError> {
    let (mut written, mut tries) = (Written::default(), TRIES);
    while tries > 0 {
        let before = written.len();
        let plan = plan(backend, import, mapping, &progress.anew(), &written).await?;
        if write(backend, import, &plan, &mut written, progress).await? {
            backend.units().reload(backend.store()).await?;
            return Ok(plan.outcome);
        }
        tries = if written.len() > before { TRIES } else { tries - 1 };
    }
    Err(Error::Busy.into())
}

/// Writes the changes of a plan. Returns whether all are written: not when something else has changed the tree.
async fn write(
    backend: &Backend,
    import: &ImportRow,
    plan: &Plan,
    written: &mut Written,
    progress: &RowProgress,
) -> Result<bool, ImportError> {
    let (made_at, on) = (import.millis(), import.day()?);
    for (version, (at, steps)) in (plan.tree.version()..).zip(plan.steps.chunks(BATCH).enumerate()) {
        let mut bulk = Bulk::default();
        let (mut forms, mut phases) = (Vec::new(), Vec::new());
        for step in steps {
            match &step.known {
                None => create(&mut bulk, backend.keys(), step, made_at, &import.as_of),
                Some(known) => {
                    forms.extend(rename(backend, &plan.tree, step, known, on)?);
                    let phase = step.row.phase.map(|phase| phase.key().to_owned());
                    phases.extend(phase.map(|phase| PhaseRow { id: record("unit", known.id), phase }));
                }
            }
        }
        let (inserts, rows) = bulk.into_transaction();
        let vars = vars! { tree: version, forms: forms, phases: phases };
        let change = Change::new(SAME_TREE, vars).then(&inserts).bind(rows).then(REFORM).then(SET_PHASES);
        match backend.transact(change).await {
            Ok(_) => {}
            Err(StoreError::Thrown(reason)) if reason == "tree" => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        written.note(steps);
        progress.tell((at * BATCH) as u64);
    }
    Ok(true)
}

fn create(bulk: &mut Bulk, keys: &Keys, step: &Step, made_at: u64, as_of: &str) {
    // The same each time this import processes this unit.
    let hash = keys.lookup("import unit", step.path.as_str());
    let within = u128::from_str_radix(hash.get(..20).unwrap_or_default(), 16).unwrap_or_default();
    let id = Ulid::from_parts(made_at, within).to_string();
    let opened_on = step.row.opened_on.map_or_else(|| as_of.to_owned(), |day| day.to_string());
    bulk.push(
        "unit",
        NewUnit {
            id: record("unit", &id),
            kind: step.row.kind.key().to_owned(),
            code: step.path.code().to_owned(),
            name: step.row.name.clone(),
            path: step.path.to_string(),
            opened_on,
            phase: step.row.phase.map(|phase| phase.key().to_owned()),
        },
    );
}

/// The next version of a unit with a new name, from the day of the file on. A phase has no history.
fn rename(backend: &Backend, tree: &Tree, step: &Step, known: &Known, on: NaiveDate) -> Result<Option<ReformRow>> {
    if step.row.name == known.name {
        return Ok(None);
    }
    let unit = tree.get(known.id).ok_or(Error::NotFound)?;
    if tree.lacks_version(unit) {
        return Err(Error::Busy);
    }
    let parent = unit.path.parent().and_then(|above| tree.at(&above)).map(|above| above.id);
    let (name, code) = (step.row.name.as_str(), unit.path.code());
    NewVersion { unit: unit.id, name, code, parent, change: UnitChange::Renamed, on }.row(backend, tree).map(Some)
}

/// The unit of the event of an import: the root when the file is for the whole tree.
pub(super) fn home(tree: &Tree, scope: Option<&UnitPath>) -> Option<UnitRef> {
    scope.map_or_else(|| tree.all().next(), |scope| tree.at(scope)).cloned()
}

#[cfg(test)]
mod tests {
    use domain::imports::ImportKind;

    use super::*;
    use crate::{
        StoreLocation,
        units::tests::{level, open},
    };

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn unit(row: u64, code: &str, parent: &str, kind: UnitKind) -> Unit {
        let codes = |text: &str| text.split('/').map(str::to_owned).collect();
        Unit {
            row,
            codes: codes(code),
            is_number: false,
            parent: (!parent.is_empty()).then(|| codes(parent)),
            kind,
            name: format!("Đơn vị {code}"),
            opened_on: None,
            phase: None,
        }
    }

    fn planned(units: Vec<Unit>) -> (Vec<String>, Vec<(u64, Reason)>) {
        let planner = Planner {
            tree: Arc::default(),
            scope: None,
            known: HashMap::new(),
            closed: HashSet::from([UnitPath::parse("/01/51/009/").expect("a path")]),
            as_of: day("2026-11-21"),
            written: Written::default(),
        };
        let mut refused = BTreeMap::new();
        let plan = planner.plan(units, &mut refused);
        let lines = refused.into_values().flatten().map(|line| (line.row, line.reason)).collect();
        (plan.steps.into_iter().map(|step| step.path.to_string()).collect(), lines)
    }

    #[test]
    fn units_are_resolved_in_any_order() {
        let [central, province, commune, branch] = ["central", "province", "commune", "branch"].map(level);
        let (paths, refused) = planned(vec![
            unit(2, "07", "001", branch),
            unit(3, "001", "01/51", commune),
            unit(4, "51", "01", province),
            unit(5, "01", "", central),
            unit(6, "01/51/001/08", "", branch),
        ]);
        assert_eq!(refused, []);
        assert_eq!(paths, ["/01/", "/01/51/", "/01/51/001/", "/01/51/001/07/", "/01/51/001/08/"]);
    }

    #[test]
    fn a_level_that_has_ended_is_imported_for_earlier_days_only() {
        let dated =
            |row, code: &str, on: Option<&str>| Unit { opened_on: on.map(day), ..unit(row, code, "51", level("district")) };
        let (paths, refused) = planned(vec![
            unit(2, "51", "", level("province")),
            dated(3, "a", Some("2025-06-30")),
            dated(4, "b", Some("2025-07-01")),
            dated(5, "c", None),
            unit(6, "07", "a", level("branch")),
            unit(7, "1", "51/a/07", level("group")),
            unit(8, "2", "51/a", level("group")),
        ]);
        assert_eq!(paths, ["/51/", "/51/a/", "/51/a/07/", "/51/a/07/1/"]);
        let ended = || Reason::LevelEnded { last: day("2025-06-30") };
        assert_eq!(refused, [(4, ended()), (5, ended()), (8, Reason::WrongLevel)]);
    }

    #[test]
    fn a_long_chain_of_units_is_refused_without_deep_recursion() {
        let chain = (2..50_000).rev().map(|row| unit(row, &format!("c{row}"), &format!("x/c{}", row - 1), level("commune")));
        let (paths, refused) = planned(chain.collect());
        assert_eq!((paths.len(), refused.len()), (0, 49_998));
    }

    #[test]
    fn a_number_without_leading_zeros_finds_its_unit() {
        let path = |path: &str| UnitPath::parse(path).expect("a path");
        let since = day("2026-11-01");
        let known = |kind| Known { id: UnitId::new(Ulid::nil()), kind, name: "Đơn vị".to_owned(), phase: None, since };
        let paths = [("/01/", level("central")), ("/01/51/", level("province")), ("/01/51/001/", level("commune"))];
        let planner = Planner {
            tree: Arc::default(),
            scope: None,
            known: paths.into_iter().map(|(at, kind)| (path(at), known(kind))).collect(),
            closed: HashSet::new(),
            as_of: day("2026-11-21"),
            written: Written::default(),
        };
        let number = Unit { is_number: true, name: "Tên mới".to_owned(), ..unit(2, "1", "01/51", level("commune")) };
        let text = Unit { is_number: false, ..number.clone() };
        for (unit, expected) in [(number, "/01/51/001/"), (text, "/01/51/1/")] {
            let plan = planner.plan(vec![unit], &mut BTreeMap::new());
            assert_eq!(plan.steps.iter().map(|step| step.path.to_string()).collect::<Vec<_>>(), [expected]);
        }
    }

    /// As in a file that gives the parents by codes that are not unique. Neither the number of rows with a code nor that of the rows
    /// that refer to it may make the other one slow.
    #[test]
    fn a_code_of_very_many_units_is_looked_up_in_little_time() {
        const COUNT: u64 = 20_000;
        let (province, commune, branch) = (level("province"), level("commune"), level("branch"));
        let mut units = vec![unit(1, "r", "", level("central"))];
        units.extend((0..COUNT).map(|at| unit(10 + at, &format!("p{at}"), "r", province)));
        units.extend((0..COUNT).map(|at| unit(100_000 + at, "01", &format!("p{at}"), commune)));
        units.extend((0..COUNT).map(|at| unit(200_000 + at, &format!("b{at}"), "01", branch)));
        units.extend((0..COUNT).map(|at| unit(300_000 + at, "02", &format!("r/p{at}/01"), branch)));
        let (paths, refused) = planned(units);
        assert_eq!(paths.len() as u64, 1 + 3 * COUNT);
        assert_eq!(refused.len() as u64, COUNT);
        assert!(refused.iter().all(|(row, reason)| (200_000..300_000).contains(row) && *reason == Reason::AmbiguousUnit));
    }

    #[test]
    fn cycles_second_roots_wrong_levels_and_closed_units_are_refused() {
        let [central, province, commune, branch] = ["central", "province", "commune", "branch"].map(level);
        let (paths, refused) = planned(vec![
            unit(2, "01", "", central),
            unit(3, "51", "01", province),
            unit(4, "02", "", central),
            unit(5, "a", "b", commune),
            unit(6, "b", "a", commune),
            unit(7, "52", "51", province),
            unit(9, "009", "51", commune),
            unit(10, "51", "01", province),
            unit(11, "07", "nowhere", branch),
            unit(12, "x/y/07", "", branch),
        ]);
        assert_eq!(paths, ["/01/", "/01/51/"]);
        let rows: Vec<u64> = refused.iter().map(|(row, _)| *row).collect();
        assert_eq!(rows, [4, 5, 6, 7, 9, 10, 11, 12]);
        assert_eq!(refused[4].1, Reason::ClosedUnit);
        assert_eq!(refused[5].1, Reason::UnitTwice { row: 3 });
    }

    /// Uploads a file of the operator for the whole tree and waits for its preview.
    async fn previewed(backend: &Backend, file: &str, as_of: &str) -> ImportRow {
        let imports = backend.imports();
        let mut upload = imports.receive_from_operator(ImportKind::Units, None, "units.csv").expect("is accepted");
        upload.set_as_of(day(as_of));
        upload.write(file.as_bytes().to_vec()).await.expect("writes");
        let id = upload.finish().await.expect("arrives").import;
        imports.settled(id).await.expect("is previewed");
        imports.row(id).await.expect("exists")
    }

    async fn confirmed(backend: &Backend, previewed: &ImportRow) -> ImportRow {
        let imports = backend.imports();
        imports.allow(previewed, previewed.day().expect("a day")).await.expect("is confirmed");
        imports.row(previewed.key().expect("an id")).await.expect("exists")
    }

    async fn finished(backend: &Backend, confirmed: &ImportRow) -> Result<ImportRow, ImportError> {
        let imports = backend.imports();
        imports.finish(confirmed, &RowProgress::default()).await?;
        Ok(imports.row(confirmed.key().expect("an id")).await.expect("exists"))
    }

    async fn imported(backend: &Backend, file: &str, as_of: &str) -> ImportRow {
        let confirmed = confirmed(backend, &previewed(backend, file, as_of).await).await;
        finished(backend, &confirmed).await.expect("is written")
    }

    const TREE: &str = "Mã,Cấp,Tên đơn vị\n1,Trung ương,Trung ương\n1/01,Tỉnh,Tỉnh Một\n";

    fn name_of(backend: &Backend, path: &str) -> Option<String> {
        backend.units().tree().at(&UnitPath::parse(path).expect("a path")).map(|unit| unit.name.clone())
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_file_is_planned_again_when_the_tree_changes_before_it_is_written() {
        let backend = open(&StoreLocation::Memory).await;
        imported(&backend, TREE, "2026-11-01").await;
        let file = format!("{}1/02,Tỉnh,Tỉnh Hai\n", TREE.replace("Tỉnh Một", "Tỉnh Mới"));
        let row = confirmed(&backend, &previewed(&backend, &file, "2026-11-20").await).await;
        let plan = plan(&backend, &row, &row.columns(), &RowProgress::default(), &Written::default()).await.expect("plans");
        assert_eq!(plan.steps.len(), 2);

        imported(&backend, &TREE.replace("Tỉnh Một", "Tỉnh Khác"), "2026-11-19").await;
        let mut written = Written::default();
        let is_written = write(&backend, &row, &plan, &mut written, &RowProgress::default()).await.expect("notices");
        assert_eq!((is_written, written.len()), (false, 0));
        let names = |paths: [&str; 2]| paths.map(|path| name_of(&backend, path));
        assert_eq!(names(["/1/01/", "/1/02/"]), [Some("Tỉnh Khác".to_owned()), None]);

        let done = finished(&backend, &row).await.expect("is written");
        assert_eq!((done.fresh, done.changed, done.unchanged, done.refused), (1, 1, 1, 0));
        assert_eq!(names(["/1/01/", "/1/02/"]), ["Tỉnh Mới", "Tỉnh Hai"].map(|name| Some(name.to_owned())));
    }

    /// The versions of a unit in the order of days: first day, last day, name.
    async fn versions(backend: &Backend, path: &str) -> Vec<String> {
        let unit = backend.units().tree().at(&UnitPath::parse(path).expect("a path")).expect("a unit").id.to_string();
        let sql = "SELECT VALUE `from` + ' ' + (until ?? '') + ' ' + name FROM unit_version WHERE unit = $unit";
        let mut answers = backend.store().read(sql, vars! { unit: unit }).await.expect("reads");
        let mut versions: Vec<String> = answers.rows(0).expect("texts");
        versions.sort();
        versions
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_name_of_a_day_before_the_latest_change_of_its_unit_is_refused() {
        let backend = open(&StoreLocation::Memory).await;
        imported(&backend, TREE, "2026-11-01").await;
        let file = |name: &str| TREE.replace("Tỉnh Một", name);
        let refused = async |row: &ImportRow| {
            let page = backend.imports().page_for_operator(row.key().expect("an id")).await.expect("has a page");
            page.refused.into_iter().map(|line| (line.row, line.column, line.value, line.reason)).collect::<Vec<_>>()
        };
        let later =
            |name: &str, since| vec![(3, Some(Column::Name), name.to_owned(), Reason::ChangedLater { since: day(since) })];

        // The first day of a unit that has never changed.
        let before = previewed(&backend, &file("Tỉnh Cũ"), "2026-10-31").await;
        assert_eq!((before.changed, before.refused), (0, 1));
        assert_eq!(refused(&before).await, later("Tỉnh Cũ", "2026-11-01"));

        // It can be written when it is previewed, but not any more when it is confirmed.
        let row = previewed(&backend, &file("Tỉnh Hai"), "2026-11-10").await;
        assert_eq!((row.changed, row.refused), (1, 0));
        imported(&backend, &file("Tỉnh Ba"), "2026-11-15").await;
        let done = finished(&backend, &confirmed(&backend, &row).await).await.expect("ends");
        assert_eq!((done.changed, done.unchanged, done.refused), (0, 1, 1));
        assert_eq!(refused(&done).await, later("Tỉnh Hai", "2026-11-15"));
        let expected = ["2026-11-01 2026-11-14 Tỉnh Một", "2026-11-15  Tỉnh Ba"];
        assert_eq!(versions(&backend, "/1/01/").await, expected);

        // The same name, and a phase, which has no history, can be of any day.
        let phase = "Mã,Cấp,Tên đơn vị,Giai đoạn triển khai\n1,Trung ương,Trung ương,\n1/01,Tỉnh,Tỉnh Ba,pilot\n";
        let done = imported(&backend, phase, "2026-11-10").await;
        assert_eq!((done.changed, done.unchanged, done.refused), (1, 1, 0));
        assert_eq!(versions(&backend, "/1/01/").await, expected);

        // On the day of the latest change, the version that began on it was never in effect.
        let done = imported(&backend, &file("Tỉnh Hai"), "2026-11-15").await;
        assert_eq!((done.changed, done.refused), (1, 0));
        let expected = ["2026-11-01 2026-11-14 Tỉnh Một", "2026-11-15  Tỉnh Hai", "2026-11-15 2026-11-14 Tỉnh Ba"];
        assert_eq!(versions(&backend, "/1/01/").await, expected);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn rows_written_before_the_file_is_planned_again_are_counted_by_what_they_changed() {
        let backend = open(&StoreLocation::Memory).await;
        imported(&backend, TREE, "2026-11-01").await;
        let file = format!("{}1/02,Tỉnh,Tỉnh Hai\n", TREE.replace("Tỉnh Một", "Tỉnh Mới"));
        let row = confirmed(&backend, &previewed(&backend, &file, "2026-11-20").await).await;
        let (columns, mut written) = (row.columns(), Written::default());
        let first = plan(&backend, &row, &columns, &RowProgress::default(), &written).await.expect("plans");
        assert!(write(&backend, &row, &first, &mut written, &RowProgress::default()).await.expect("writes"));
        let again = plan(&backend, &row, &columns, &RowProgress::default(), &written).await.expect("plans");
        assert!(again.steps.is_empty());
        assert_eq!(again.outcome.counts, first.outcome.counts);
        assert_eq!(again.outcome.counts, Counts { fresh: 1, changed: 1, unchanged: 1, refused: 0 });
    }

    /// Begins an operation of this kind that moved `/1/01/` to `/1/03/`, without any of its batches.
    async fn move_province(backend: &Backend, kind: &str) {
        let sql = "CREATE unit_operation SET kind = $kind, unit = 'x', target = 'x', shifts = [{ from: '/1/01/', to: '/1/03/' }], \
                   effective_on = '2026-11-20', state = 'running', started_at = $now RETURN NONE; \
                   UPDATE unit SET code = '03' WHERE path = '/1/01/' RETURN NONE; \
                   UPSERT tree:units SET version = version + 1 RETURN NONE;";
        let vars = vars! { kind: kind, now: backend.clock().now() };
        backend.store().write(sql, vars).await.expect("writes");
        backend.units().reload(backend.store()).await.expect("reads");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn units_below_a_unit_that_is_moving_are_written_at_their_new_place() {
        let backend = open(&StoreLocation::Memory).await;
        imported(&backend, TREE, "2026-11-01").await;
        move_province(&backend, "move").await;
        let file = "Mã,Cấp,Tên đơn vị\n1/03,Tỉnh,Tỉnh Mới\n1/03/001,Xã,Xã Mới\n";
        let done = imported(&backend, file, "2026-11-21").await;
        assert_eq!((done.fresh, done.changed, done.refused), (1, 1, 0));
        assert_eq!(name_of(&backend, "/1/03/"), Some("Tỉnh Mới".to_owned()));
        assert_eq!(name_of(&backend, "/1/03/001/"), Some("Xã Mới".to_owned()));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_unit_is_renamed_only_when_the_version_of_its_new_place_is_written() {
        let backend = open(&StoreLocation::Memory).await;
        imported(&backend, TREE, "2026-11-01").await;
        move_province(&backend, "reorganise").await;
        let file = "Mã,Cấp,Tên đơn vị\n1/03,Tỉnh,Tỉnh Mới\n";
        let row = confirmed(&backend, &previewed(&backend, file, "2026-11-21").await).await;
        assert!(matches!(finished(&backend, &row).await, Err(ImportError::Other(Error::Busy))));
        backend
            .store()
            .write("UPDATE unit_operation SET step = 1; UPDATE tree:units SET version += 1", ())
            .await
            .expect("writes");
        assert_eq!(finished(&backend, &row).await.expect("is written").changed, 1);
        assert_eq!(name_of(&backend, "/1/03/"), Some("Tỉnh Mới".to_owned()));
    }
}
