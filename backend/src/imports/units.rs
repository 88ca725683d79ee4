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
    store::{StoreError, record, vars},
    units::{NewUnit, NewVersion, Phased, REFORM, ReformRow, SAME_TREE, Tree, set_phases},
};

mod resolve;
#[cfg(test)]
mod tests;

use resolve::PathResolver;

/// Units written in one transaction.
const BATCH: usize = 100;

/// How often the file is planned again without a unit written in between.
const TRIES: usize = 5;

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
            // All is written. The events of the rows have the tree reloaded too.
            if let Err(error) = backend.units().reload(backend.store()).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot reload the units after an import");
            }
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
                    phases.extend(step.row.phase.map(|phase| Phased { unit: known.id, phase }.row()));
                }
            }
        }
        let (inserts, rows) = bulk.into_transaction();
        let vars = vars! { tree: version, forms: forms, phases: phases };
        let change = Change::new(SAME_TREE, vars).then(&inserts).bind(rows).then(REFORM).then(&set_phases("phases"));
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
