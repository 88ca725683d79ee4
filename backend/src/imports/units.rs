//! Imports units: resolves their paths in any order of the rows, then writes them from the root down.
//!
//! A file of units is small (the largest organisation has 250,000), so it is planned as a whole. An interrupted import starts
//! again from the beginning: units that are written already are unchanged.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use chrono::NaiveDate;
use domain::{
    imports::{Column, Counts, Reason, RefusedLine},
    units::{Phase, UnitKind, UnitPath, UnitRef},
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
    store::{RecordId, SurrealValue, Variables, record},
    units::{NewUnit, Tree, VersionRow},
};

/// Units written in one transaction.
const BATCH: usize = 100;

/// Makes concurrent changes of the tree conflict with the import.
const TOUCH: &str = "UPSERT tree:units SET version = (version ?? 0) + 1 RETURN NONE;";

/// The changes to write, from the root down.
pub(super) struct Plan {
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
    id: String,
    kind: UnitKind,
    name: String,
    phase: Option<String>,
    opened_on: String,
}

#[derive(Debug, SurrealValue)]
struct KnownRow {
    id: String,
    kind: String,
    name: String,
    path: String,
    phase: Option<String>,
    opened_on: String,
    closed_on: Option<String>,
}

/// Reads the file and computes its changes.
pub(super) async fn plan(
    backend: &Backend,
    import: &ImportRow,
    mapping: &[Option<Column>],
    progress: &RowProgress,
) -> Result<Plan, ImportError> {
    let source = Source::of(backend, import)?;
    let as_of = import.as_of.parse().map_err(|_| Error::Damaged(format!("import {}", import.id)))?;
    let planner = Planner::load(backend, import.scope()?, as_of).await?;
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
    /// The day a new unit begins whose row has none.
    as_of: NaiveDate,
}

impl Planner {
    async fn load(backend: &Backend, scope: Option<UnitPath>, as_of: NaiveDate) -> Result<Self> {
        let sql = "SELECT record::id(id) AS id, kind, name, path, phase, opened_on, closed_on FROM unit";
        let rows: Vec<KnownRow> = backend.store().read(sql, ()).await?.rows(0)?;
        let (mut known, mut closed) = (HashMap::new(), HashSet::new());
        for row in rows {
            let damaged = || Error::Damaged(format!("unit {}", row.id));
            let path = UnitPath::parse(&row.path).map_err(|_| damaged())?;
            let kind = UnitKind::from_key(&row.kind).ok_or_else(damaged)?;
            if row.closed_on.is_some() {
                closed.insert(path);
            } else {
                let unit = Known { id: row.id, kind, name: row.name, phase: row.phase, opened_on: row.opened_on };
                known.insert(path, unit);
            }
        }
        Ok(Self { tree: backend.units().tree(), scope, known, closed, as_of })
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
                Ok(path)
            });
            let (path, known) = match judged {
                Ok(path) => {
                    let known = self.known.get(&path).cloned();
                    (path, known)
                }
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
                    counts.unchanged += 1;
                    continue;
                }
                Some(_) => counts.changed += 1,
            }
            steps.push(Step { path, row: unit, known });
        }
        // A path sorts after its prefixes, so parents come first.
        steps.sort_by(|one, other| one.path.cmp(&other.path));
        Plan { steps, outcome: Outcome { counts, ..Outcome::default() } }
    }
}

impl Unit {
    fn says_the_same(&self, known: &Known) -> bool {
        self.name == known.name && self.phase.is_none_or(|phase| Some(phase.key()) == known.phase.as_deref())
    }

    fn shown(&self, column: Column) -> String {
        match column {
            Column::Parent => self.parent.as_ref().map(|codes| codes.join("/")).unwrap_or_default(),
            Column::Kind => self.kind.key().to_owned(),
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
pub(super) async fn write_units(
    backend: &Backend,
    import: &ImportRow,
    mapping: &[Option<Column>],
    progress: &RowProgress,
) -> Result<Outcome, ImportError> {
    let plan = plan(backend, import, mapping, progress).await?;
    let made_at = import.millis();
    for (at, steps) in plan.steps.chunks(BATCH).enumerate() {
        let mut bulk = Bulk::default();
        let mut sql = String::new();
        let mut vars = Variables::new();
        for (number, step) in steps.iter().enumerate() {
            match &step.known {
                None => create(&mut bulk, backend.keys(), step, made_at, &import.as_of),
                Some(known) => change(&mut sql, &mut vars, number, step, known, &import.as_of, backend),
            }
        }
        let (inserts, more) = bulk.into_transaction();
        backend.transact(Change::new(&sql, vars).then(&inserts).bind(more).then(TOUCH)).await?;
        progress.tell((at * BATCH) as u64);
    }
    backend.units().reload(backend.store()).await?;
    Ok(plan.outcome)
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

/// A new name ends the current version of the unit and begins another one on the day the file is dated; a phase has no history.
fn change(sql: &mut String, vars: &mut Variables, number: usize, step: &Step, known: &Known, as_of: &str, backend: &Backend) {
    let mut bind = |name: &str, value: String| vars.insert(format!("{name}_{number}"), value);
    bind("name", step.row.name.clone());
    bind("unit", known.id.clone());
    vars.insert(format!("id_{number}"), record("unit", &known.id));
    *sql += &format!("UPDATE $id_{number} SET name = $name_{number}, version = (version ?? 0) + 1 RETURN NONE;");
    if let Some(phase) = step.row.phase {
        vars.insert(format!("phase_{number}"), phase.key().to_owned());
        *sql += &format!("UPDATE $id_{number} SET phase = $phase_{number} RETURN NONE;");
    }
    if step.row.name == known.name {
        return;
    }
    let parent = step.path.parent().and_then(|above| Some(backend.units().tree().at(&above)?.id.to_string()));
    let last =
        as_of.parse().ok().and_then(|day: NaiveDate| day.pred_opt()).map_or_else(|| as_of.to_owned(), |day| day.to_string());
    vars.insert(format!("last_{number}"), last.clone());
    let version = |id: RecordId, name: &str, from: &str, until: Option<&str>, cause: &str| VersionRow {
        id,
        unit: known.id.clone(),
        kind: known.kind.key().to_owned(),
        code: step.path.code().to_owned(),
        name: name.to_owned(),
        parent: parent.clone(),
        from: from.to_owned(),
        until: until.map(str::to_owned),
        cause: cause.to_owned(),
    };
    // A unit that never changed has no row for its first version yet.
    vars.insert(
        format!("first_{number}"),
        version(record("unit_version", &known.id), &known.name, &known.opened_on, Some(&last), "created"),
    );
    let id = record("unit_version", backend.clock().ulid());
    vars.insert(format!("next_{number}"), version(id, &step.row.name, as_of, None, "renamed"));
    *sql += &format!(
        "IF (SELECT VALUE id FROM unit_version WHERE unit = $unit_{number} LIMIT 1) = [] \
             {{ INSERT INTO unit_version $first_{number} RETURN NONE; }};
         UPDATE unit_version SET until = $last_{number} WHERE unit = $unit_{number} AND until = NONE RETURN NONE;
         INSERT INTO unit_version $next_{number} RETURN NONE;"
    );
}

/// The unit of the event of an import: the root when the file is for the whole tree.
pub(super) fn home(tree: &Tree, scope: Option<&UnitPath>) -> Option<UnitRef> {
    scope.map_or_else(|| tree.all().next(), |scope| tree.at(scope)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::tests::level;

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
        let known =
            |kind| Known { id: "x".to_owned(), kind, name: "Đơn vị".to_owned(), phase: None, opened_on: String::new() };
        let paths = [("/01/", level("central")), ("/01/51/", level("province")), ("/01/51/001/", level("commune"))];
        let planner = Planner {
            tree: Arc::default(),
            scope: None,
            known: paths.into_iter().map(|(at, kind)| (path(at), known(kind))).collect(),
            closed: HashSet::new(),
            as_of: day("2026-11-21"),
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
}
