//! Moves a subtree, or merges a unit into another: one short transaction that changes the tree, then batches that update the
//! paths stored in other tables.
//!
//! Each batch is a transaction that updates rows still at an old path, so it is idempotent, and any process can continue where
//! another one stopped: only the shifts are stored. Immutable rows (events) and those that are too many (read receipts) keep
//! their old paths, which [`Tree::former`] and [`Tree::path_ranges`] resolve.

use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};
use domain::{
    accounts::Viewer,
    events::EventBody,
    forms::{FormReader, Problem},
    ids::UnitId,
    members::QualityIssue,
    policy::Action,
    units::{Shift, Shifts, UnitChange, UnitCode, UnitPath, UnitRef},
};

use super::{
    ShiftRow, Tree, UnitDesk,
    change::{END_OFFICES, Failed, managed, managed_parent, since, stale, unit_change},
    history::{END, NewVersion, REFORM, ReformRow, day_before, moved_along, open_versions},
    phases::with_phase,
    stored_shifts,
};
use crate::{
    Backend, Error, Result,
    change::Change,
    jobs::{JobKind, NewJob},
    members::rows::{end_posting, quality_issue_id},
    store::{KEYS, RecordId, StoreError, SurrealValue, Variables, keys_after, record, vars},
};

/// Rows in a batch, so that its transaction stays short.
const BATCH: usize = if cfg!(test) { 20 } else { 250 };

/// Batches done while the request waits. The rest is done by a job.
const WAITED_FOR: usize = 24;

/// Time for which the job leaves the batches to the process of the request.
const WAITED_AT_MOST: TimeDelta = TimeDelta::seconds(10);

/// Batches in one run of the job.
const FOLLOWED_AT_ONCE: usize = 200;

/// The chosen values of a move.
#[derive(Debug, Clone, Copy)]
pub struct MoveForm<'f> {
    pub unit: &'f str,
    pub version: &'f str,
    /// The new parent.
    pub target: &'f str,
    pub code: &'f str,
    pub on: &'f str,
}

/// The chosen values of a merge.
#[derive(Debug, Clone, Copy)]
pub struct MergeForm<'f> {
    pub unit: &'f str,
    pub version: &'f str,
    /// The unit that takes over.
    pub target: &'f str,
    pub on: &'f str,
}

/// A column with paths to update. `within` are conditions on the leading column of its index.
struct PathColumn {
    table: &'static str,
    column: &'static str,
    within: &'static [&'static str],
}

const fn follower(table: &'static str, column: &'static str, within: &'static [&'static str]) -> PathColumn {
    PathColumn { table, column, within }
}

const ALL: &[&str] = &["true"];
const CORRECTIONS: &[&str] = &["state = 'requested'", "state = 'accepted'", "state = 'declined'"];
const TRANSFERS: &[&str] = &["state = 'requested'", "state = 'accepted'", "state = 'declined'", "state = 'withdrawn'"];

const REASSIGNMENTS: &[&str] = &["state = 'waiting'", "state = 'assigned'", "state = 'kept'"];

/// All columns with a path except those of immutable rows. A closed unit keeps its path.
const FOLLOWERS: &[PathColumn] = &[
    follower("unit", "path", &["closed_on = NONE"]),
    follower("office", "path", ALL),
    follower("member", "path", ALL),
    follower("document", "issuer_path", ALL),
    follower("document", "audience_path", ALL),
    follower("draft", "issuer_path", ALL),
    follower("draft", "audience_path", ALL),
    follower("course", "issuer_path", ALL),
    follower("course", "audience_path", ALL),
    follower("meeting", "path", ALL),
    follower("opinion", "path", ALL),
    follower("opinion", "issuer_path", ALL),
    follower("flaw", "path", ALL),
    follower("correction", "path", CORRECTIONS),
    follower("transfer", "from_path", TRANSFERS),
    follower("transfer", "to_path", TRANSFERS),
    follower("import", "path", ALL),
    follower("reorganisation", "path", ALL),
    follower("reassignment", "path", REASSIGNMENTS),
];

#[derive(Debug, SurrealValue)]
struct OperationRow {
    id: String,
    kind: String,
    unit: String,
    target: String,
    shifts: Vec<ShiftRow>,
    merges: Option<Vec<MergeRow>>,
    effective_on: String,
    step: Option<i64>,
    reached: Option<String>,
}

/// A unit that ended, and the one that takes over its members.
#[derive(Debug, Clone, SurrealValue)]
pub(super) struct MergeRow {
    pub(super) from: String,
    pub(super) to: String,
}

/// An unfinished move, merge or reorganisation.
struct Operation {
    id: String,
    is_reorganisation: bool,
    /// Units that ended, and the ones that take over their members.
    merged: Vec<(UnitId, UnitId)>,
    shifts: Shifts,
    on: NaiveDate,
    at: Position,
    /// The stored one.
    noted: Position,
}

/// How far the batches of an operation are: everything before it is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Position {
    /// 0: versions of units that moved with their parent; then the columns of [`columns`].
    step: usize,
    /// The key of the last unit, or the path from which on rows are to be updated.
    reached: Option<String>,
}

impl Position {
    /// The beginning of the next step.
    fn next(&self) -> Self {
        Self { step: self.step + 1, reached: None }
    }

    /// The bindings of [`NOTE`].
    fn vars(&self, done: usize) -> Variables {
        vars! {
            step: i64::try_from(self.step).unwrap_or(i64::MAX),
            reached: self.reached.clone(),
            done: i64::try_from(done).unwrap_or(i64::MAX),
        }
    }
}

/// Kind of an operation that a file caused: see `reorganisation.rs`.
pub(super) const REORGANISE: &str = "reorganise";

/// The step after that of versions.
pub(super) const AFTER_VERSIONS: i64 = 1;

/// The steps after that of versions: each column, with each condition on the leading column of its index.
fn columns() -> impl Iterator<Item = (&'static PathColumn, &'static str)> {
    FOLLOWERS.iter().flat_map(|column| column.within.iter().map(move |condition| (column, *condition)))
}

impl UnitDesk<'_> {
    /// Moves a unit with its subtree below another one. If its members could then no longer sign in, it gets its present phase as
    /// its own.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `unit_move`: [`Problem::WrongPlace`] on `target` if it is within the unit's subtree or its
    /// level does not allow the unit below it, [`Problem::CodeTaken`] on `code`, [`Problem::Stale`] on `target`. [`Error::Busy`]
    /// while another move or merge is unfinished or an import is running. [`Error::NotFound`], [`Error::NotAllowed`] without the right on the unit and on
    /// both parents.
    pub async fn move_below(&self, viewer: &Viewer, form: MoveForm<'_>) -> Result<UnitId> {
        let moved = self.again(|| self.start_move(viewer, form)).await?;
        self.finish_or_enqueue().await?;
        Ok(moved)
    }

    /// Merges a unit into another one of the same level, which takes over its members, its units and all rows written for it. If
    /// these members could then no longer sign in, the other unit gets the phase of the merged one as its own.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `unit_merge`. Otherwise as [`Self::move_below`].
    pub async fn merge(&self, viewer: &Viewer, form: MergeForm<'_>) -> Result<UnitId> {
        let into = self.again(|| self.start_merge(viewer, form)).await?;
        self.finish_or_enqueue().await?;
        Ok(into)
    }

    /// Does a part of the unfinished moves and merges. Returns whether all are done; the job runs until they are.
    ///
    /// # Errors
    /// Those of the store; the next call continues.
    pub(crate) async fn follow_moves(&self) -> Result<bool> {
        self.advance(FOLLOWED_AT_ONCE).await
    }

    /// Finishes what an earlier process left unfinished.
    ///
    /// # Errors
    /// Those of the store; the next call continues.
    pub async fn resume(&self) -> Result<()> {
        while !self.advance(WAITED_FOR).await? {}
        Ok(())
    }

    /// Small changes are finished within the request; large ones are left to a job.
    pub(super) async fn finish_or_enqueue(&self) -> Result<()> {
        if !self.advance(WAITED_FOR).await? {
            let change = Change::default().jobs(self.backend.clock(), self.following(TimeDelta::zero()));
            self.backend.transact(change).await?;
        }
        Ok(())
    }

    async fn start_move(&self, viewer: &Viewer, form: MoveForm<'_>) -> Result<UnitId, Failed> {
        let tree = self.backend.units().tree();
        let unit = managed(viewer, &tree, form.unit)?;
        managed_parent(viewer, &tree, unit)?;
        let mut reader = FormReader::new("unit_move");
        let target = reader.read("target", form.target, |typed| {
            let target = open_target(viewer, &tree, typed)?;
            let fits = !unit.path.contains(&target.path) && unit.kind.hangs_on(target.kind);
            if fits { Ok(target) } else { Err(Problem::WrongPlace) }
        });
        let code = reader.read("code", form.code, |typed| {
            let code = UnitCode::parse(typed)?;
            let owner = target.and_then(|target| tree.owner(target.id, code.as_str()));
            if owner.is_none_or(|owner| owner == unit.id) { Ok(code) } else { Err(Problem::CodeTaken) }
        });
        let on = reader.read("on", form.on, |typed| self.day(typed, since(&tree, unit.id)));
        let (Some(target), Some(code), Some(on)) = (target, code, on) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let to = target.path.child(code.as_str()).map_err(|_| Error::NotFound)?;
        if to == unit.path {
            return Ok(unit.id);
        }
        if tree.is_moving() || self.backend.reorganisations().is_importing().await? {
            return Err(Error::Busy.into());
        }
        let shifts = vec![Shift { from: unit.path.clone(), to: to.clone() }];
        let next = NewVersion {
            unit: unit.id,
            name: &unit.name,
            code: code.as_str(),
            parent: Some(target.id),
            change: UnitChange::Moved,
            on,
        };
        let clock = self.backend.clock();
        let change = unit_change(&tree, unit.id, form.version)?
            .then(REFORM)
            .bind(vars! { forms: vec![next.row(self.backend, &tree)?] })
            .then(START)
            .bind(self.operation("move", unit, target, &shifts, on, viewer))
            .jobs(clock, self.following(WAITED_AT_MOST))
            .event(clock, Some(viewer.member), &to, EventBody::UnitMoved { unit: unit.id, shifts });
        let phased = tree.phase_when_moved(unit, target);
        let change = with_phase(change, phased.as_ref(), clock, viewer.member, &to);
        self.settle(change).await.map_err(|failed| stale(failed, reader, "target"))?;
        Ok(unit.id)
    }

    async fn start_merge(&self, viewer: &Viewer, form: MergeForm<'_>) -> Result<UnitId, Failed> {
        let tree = self.backend.units().tree();
        let unit = managed(viewer, &tree, form.unit)?;
        let parent = managed_parent(viewer, &tree, unit)?;
        let mut reader = FormReader::new("unit_merge");
        let target = reader.read("target", form.target, |typed| {
            let target = open_target(viewer, &tree, typed)?;
            if target.kind == unit.kind && target.id != unit.id { Ok(target) } else { Err(Problem::WrongPlace) }
        });
        let children: Vec<&UnitRef> = tree.children(&unit.path).collect();
        let earliest = children.iter().chain([&unit]).chain(&target).map(|unit| since(&tree, unit.id)).max();
        let on = reader.read("on", form.on, |typed| self.day(typed, earliest.unwrap_or_default()));
        let (Some(target), Some(on)) = (target, on) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        if tree.is_moving() || self.backend.reorganisations().is_importing().await? {
            return Err(Error::Busy.into());
        }
        let (shifts, codes) = plan_merge(&tree, unit, target, &children);
        let forms: Vec<_> = children
            .iter()
            .zip(&codes)
            .map(|(child, code)| {
                let (name, parent) = (child.name.as_str(), Some(target.id));
                NewVersion { unit: child.id, name, code, parent, change: UnitChange::Merged, on }.row(self.backend, &tree)
            })
            .collect::<Result<_>>()?;
        let sql = "UPDATE $unit SET closed_on = $on, parent = $parent, successor = $target, version = $version + 1 RETURN NONE;";
        let clock = self.backend.clock();
        let change = unit_change(&tree, unit.id, form.version)?
            .then(sql)
            .then(END)
            .then(REFORM)
            .then(END_OFFICES)
            .bind(self.ending(viewer, &tree, unit, parent, on)?)
            .bind(vars! { forms: forms })
            .then(START)
            .bind(self.operation("merge", unit, target, &shifts, on, viewer))
            .jobs(clock, self.following(WAITED_AT_MOST))
            .event(clock, Some(viewer.member), &target.path, EventBody::UnitMerged { unit: unit.id, shifts });
        let phased = tree.phase_when_merged(unit, target);
        let change = with_phase(change, phased.as_ref(), clock, viewer.member, &target.path);
        self.settle(change).await.map_err(|failed| stale(failed, reader, "target"))?;
        Ok(target.id)
    }

    /// The job that continues if this process ends.
    pub(super) fn following(&self, after: TimeDelta) -> Vec<NewJob> {
        vec![NewJob::periodic(JobKind::FollowMoves, self.backend.clock().now() + after)]
    }

    /// Bindings of [`START`].
    fn operation(
        &self,
        kind: &str,
        unit: &UnitRef,
        target: &UnitRef,
        shifts: &[Shift],
        on: NaiveDate,
        viewer: &Viewer,
    ) -> Variables {
        vars! {
            operation: record("unit_operation", self.backend.clock().ulid()),
            operation_kind: kind,
            moved: unit.id.to_string(),
            target: target.id.to_string(),
            shifts: shifts.iter().map(ShiftRow::from).collect::<Vec<_>>(),
            effective_on: on.to_string(),
            started_by: viewer.member.to_string(),
            started_at: self.backend.clock().now(),
        }
    }

    /// Does at most `batches` batches. Returns whether all is done.
    pub(super) async fn advance(&self, batches: usize) -> Result<bool> {
        let mut left = batches;
        while let Some(mut operation) = self.running().await? {
            // A query for each merged unit, so not in every run; at the end for members who joined one of them meanwhile.
            let is_done = (operation.at.step > 0 || self.reposted(&operation, &mut left).await?)
                && self.versioned(&mut operation, &mut left).await?
                && self.followed(&mut operation, &mut left).await?
                && self.reposted(&operation, &mut left).await?;
            if !is_done {
                self.note(&mut operation).await?;
                return Ok(false);
            }
            self.finish(&operation).await?;
        }
        Ok(true)
    }

    async fn running(&self) -> Result<Option<Operation>> {
        let sql = "SELECT record::id(id) AS id, kind, unit, target, shifts, merges, effective_on, step, reached \
                   FROM unit_operation WHERE state = 'running' LIMIT 1";
        let row: Option<OperationRow> = self.backend.store().read(sql, ()).await?.row(0)?;
        let Some(row) = row else { return Ok(None) };
        let mut operation = row.decode()?;
        operation.shifts.extend(stored_shifts::read(self.backend.store(), &operation.id).await?);
        Ok(Some(operation))
    }

    /// Posts the members of merged units to the ones that take over.
    async fn reposted(&self, operation: &Operation, left: &mut usize) -> Result<bool> {
        let tree = self.backend.units().tree();
        for (from, to) in &operation.merged {
            let Some(to) = tree.get(*to) else { continue };
            loop {
                let sql =
                    format!("SELECT VALUE record::id(id) FROM member WHERE unit = $unit AND state = 'active' LIMIT {BATCH}");
                let members: Vec<String> = self.backend.store().read(sql, vars! { unit: from.to_string() }).await?.rows(0)?;
                if members.is_empty() {
                    break;
                }
                if *left == 0 {
                    return Ok(false);
                }
                *left -= 1;
                let reposts = reposts(self.backend, members);
                self.backend.transact(Change::new(&repost(), repost_vars(reposts, *from, to, operation.on))).await?;
            }
        }
        Ok(true)
    }

    /// Writes the versions of units that moved with their parent, because it ended in a reorganisation. All units are looked at in
    /// the order of their keys, before their paths are updated.
    ///
    /// A page is written once: its transaction fails if the position is not the expected one.
    async fn versioned(&self, operation: &mut Operation, left: &mut usize) -> Result<bool> {
        if operation.at.step > 0 || !operation.is_reorganisation {
            return Ok(true);
        }
        // The process that changed the tree may be another one.
        if !self.backend.units().tree().unwritten {
            self.backend.units().reload(self.backend.store()).await?;
        }
        let tree = self.backend.units().tree();
        loop {
            let after = operation.at.reached.clone().unwrap_or_default();
            let keys = vars! { keys: keys_after("unit", after) };
            let rows: Vec<MovedUnitRow> = self.backend.store().read(moved_units(), keys).await?.rows(0)?;
            let Some(last) = rows.last() else { break };
            if *left == 0 {
                return Ok(false);
            }
            *left -= 1;
            operation.at.reached = Some(last.id.clone());
            let forms = self.forms_of_moved(operation, &tree, rows).await?;
            let done = forms.len();
            if done > 0 {
                let change = Change::new(SAME_POSITION, operation.expected()).then(REFORM).bind(vars! { forms: forms });
                self.write_at(operation, change, done).await?;
            }
        }
        operation.at = operation.at.next();
        let change = Change::new(SAME_POSITION, operation.expected()).then(TOUCH);
        self.write_at(operation, change, 0).await?;
        self.backend.units().reload(self.backend.store()).await?;
        Ok(true)
    }

    /// The next versions of those units of a page whose parent has ended and that have no version below its successor.
    async fn forms_of_moved(&self, operation: &Operation, tree: &Tree, rows: Vec<MovedUnitRow>) -> Result<Vec<ReformRow>> {
        let mut found = Vec::new();
        for row in rows.into_iter().filter(|row| row.closed_on.is_none()) {
            let damaged = || Error::Damaged(format!("unit {}", row.id));
            let path = UnitPath::parse(&row.path).map_err(|_| damaged())?;
            let unit: UnitId = row.id.parse().map_err(|_| damaged())?;
            let ended = path.parent().and_then(|parent| tree.ended_at(&parent, operation.on));
            if let (Some(ended), Some(node)) = (ended, tree.node(unit)) {
                found.push((path, ended, node));
            }
        }
        let keys: Vec<String> = found.iter().map(|(.., node)| node.unit.id.to_string()).collect();
        let known = open_versions(self.backend, &keys).await?;
        let mut forms = Vec::new();
        for (path, ended, node) in found {
            let parent = tree.parent(&node.unit.path).ok_or(Error::NotFound)?.id;
            let is_written = known.get(&node.unit.id.to_string()).is_some_and(|open| open.parent == Some(parent.to_string()));
            if !is_written {
                forms.push(moved_along(self.backend, node, (path.code(), ended), parent, operation.on));
            }
        }
        Ok(forms)
    }

    /// Updates all rows that are still at an old path.
    ///
    /// Rows are read in the order of their paths, from the first old subtree to the end of the last one. A row that no shift
    /// concerns, because it is between two subtrees or was updated already, is passed: the next page begins at the next old subtree.
    /// So every page updates rows or proceeds, whatever the number of shifts.
    async fn followed(&self, operation: &mut Operation, left: &mut usize) -> Result<bool> {
        let outermost: Vec<UnitPath> = operation.shifts.outermost().cloned().collect();
        let (Some(first), Some(last)) = (outermost.first(), outermost.last()) else { return Ok(true) };
        let columns: Vec<_> = columns().collect();
        operation.at.step = operation.at.step.max(1);
        while let Some((PathColumn { table, column, .. }, condition)) = columns.get(operation.at.step - 1).copied() {
            let from = operation.at.reached.clone().unwrap_or_else(|| first.to_string());
            let range = vars! { from: from, until: last.range_end() };
            let rows: Vec<PathRow> = self.backend.store().read(found_at(table, column, condition), range).await?.rows(0)?;
            if rows.is_empty() {
                operation.at = operation.at.next();
                continue;
            }
            if *left == 0 {
                return Ok(false);
            }
            *left -= 1;
            let is_last = rows.len() < BATCH;
            let page = Page::of(rows, &operation.shifts)?;
            operation.at = match page.next(&outermost) {
                Some(_) if is_last && page.moved.is_empty() => operation.at.next(),
                Some(reached) => Position { step: operation.at.step, reached: Some(reached) },
                None => operation.at.next(),
            };
            if !page.moved.is_empty() {
                // A row whose path was changed meanwhile is skipped.
                let follow = format!(
                    "FOR $row IN $rows {{ LET $id = $row.id; \
                     UPDATE $id SET {column} = $row.next WHERE {column} = $row.path RETURN NONE; }};"
                );
                let done = page.moved.len();
                self.write_at(operation, Change::new(&follow, vars! { rows: page.moved }), done).await?;
            }
        }
        Ok(true)
    }

    /// Commits a batch together with the position after it.
    async fn write_at(&self, operation: &mut Operation, change: Change, done: usize) -> Result<()> {
        let change = change.then(NOTE).bind(operation.at.vars(done)).bind(vars! { operation: operation.record() });
        match self.backend.transact(change).await {
            Ok(_) => {}
            // Another process does the batches.
            Err(StoreError::Thrown(_)) => return Err(Error::Busy),
            Err(error) => return Err(error.into()),
        }
        operation.noted = operation.at.clone();
        Ok(())
    }

    /// Stores the position after pages without rows to update, so that the next run does not read them again.
    async fn note(&self, operation: &mut Operation) -> Result<()> {
        if operation.noted == operation.at { Ok(()) } else { self.write_at(operation, Change::default(), 0).await }
    }

    async fn finish(&self, operation: &Operation) -> Result<()> {
        let mut change = Change::default();
        if !operation.merged.is_empty() {
            let row = |(from, to): &(UnitId, UnitId)| MergeRow { from: from.to_string(), to: to.to_string() };
            change = change.then(REDIRECT).bind(vars! { merges: operation.merged.iter().map(row).collect::<Vec<_>>() });
        }
        if operation.is_reorganisation {
            let vars = vars! { reorganisation: record("reorganisation", &operation.id) };
            change = change.then(REORGANISED).bind(vars);
            change = self.backend.reorganisations().forgetting_rows(change, &operation.id).await?;
        }
        change = stored_shifts::forgotten(self.backend.store(), change, &operation.id).await?;
        // Increments the version: a tree without unfinished moves is another tree.
        let sql = "UPDATE $operation SET state = 'done', finished_at = $now RETURN NONE; \
                   UPSERT tree:units SET version = (version ?? 0) + 1 RETURN NONE;";
        let vars = vars! { operation: operation.record(), now: self.backend.clock().now() };
        self.backend.transact(change.bind(vars).then(sql)).await?;
        self.backend.units().reload(self.backend.store()).await
    }
}

impl OperationRow {
    fn decode(self) -> Result<Operation> {
        let damaged = || Error::Damaged(format!("the operation {}", self.id));
        let unit = |text: &str| text.parse::<UnitId>().map_err(|_| damaged());
        let merged = match (self.kind.as_str(), &self.merges) {
            ("merge", _) => vec![(unit(&self.unit)?, unit(&self.target)?)],
            (_, Some(merges)) => merges.iter().map(|merge| Ok((unit(&merge.from)?, unit(&merge.to)?))).collect::<Result<_>>()?,
            (_, None) => Vec::new(),
        };
        let shifts: Vec<Shift> = self.shifts.iter().map(ShiftRow::decode).collect::<Result<_>>()?;
        let step = usize::try_from(self.step.unwrap_or_default()).map_err(|_| damaged())?;
        let at = Position { step, reached: self.reached.clone() };
        Ok(Operation {
            is_reorganisation: self.kind == REORGANISE,
            merged,
            shifts: shifts.into_iter().collect(),
            on: self.effective_on.parse().map_err(|_| damaged())?,
            noted: at.clone(),
            at,
            id: self.id,
        })
    }
}

impl Operation {
    fn record(&self) -> RecordId {
        record("unit_operation", &self.id)
    }

    /// The bindings of [`SAME_POSITION`].
    fn expected(&self) -> Variables {
        vars! {
            operation: self.record(),
            noted_step: i64::try_from(self.noted.step).unwrap_or(i64::MAX),
            noted_reached: self.noted.reached.clone(),
        }
    }
}

/// Fails if another process has done a batch of the operation meanwhile.
const SAME_POSITION: &str = "LET $noted = (SELECT step, reached FROM ONLY $operation); \
     IF ($noted.step ?? 0) != $noted_step OR $noted.reached != $noted_reached { THROW 'overtaken' };";

const NOTE: &str = "UPDATE $operation SET step = $step, reached = $reached, done = (done ?? 0) + $done RETURN NONE;";

/// A tree whose units have their versions is another tree.
const TOUCH: &str = "UPSERT tree:units SET version = (version ?? 0) + 1 RETURN NONE;";

const REORGANISED: &str = "UPDATE $reorganisation SET state = 'done', finished_at = $now WHERE state = 'following' RETURN NONE;";

/// A unit as it is stored, perhaps still at its old path.
#[derive(Debug, SurrealValue)]
struct MovedUnitRow {
    id: String,
    path: String,
    closed_on: Option<String>,
}

fn moved_units() -> String {
    format!("SELECT record::id(id) AS id, path, closed_on FROM {KEYS} LIMIT {BATCH}")
}

/// An open unit that the viewer may change, as a choice of a form.
fn open_target<'t>(viewer: &Viewer, tree: &'t Tree, typed: &str) -> Result<&'t UnitRef, Problem> {
    if typed.is_empty() {
        return Err(Problem::Required);
    }
    let known = tree.known(typed).filter(|unit| viewer.standpoint.may_by_office(Action::ManageUnit, &unit.path));
    let known = known.ok_or(Problem::Unknown)?;
    tree.get(known.id).ok_or(Problem::Closed)
}

pub(super) const START: &str = "CREATE $operation SET kind = $operation_kind, unit = $moved, target = $target, shifts = $shifts, \
     effective_on = $effective_on, state = 'running', started_by = $started_by, started_at = $started_at RETURN NONE;";

/// Posts members to another branch: their current posting ends the day before, and their pending requests move along. Those who
/// joined the old branch on the day or later have no time in it: since the day they joined, they are in the other one.
///
/// Members who already left the old branch are skipped, because two processes may post the same members.
pub(super) fn repost() -> String {
    let end = end_posting("member", "key", "ended", "last");
    format!("FOR $change IN $reposts {{ {REPOSTED} IF $is_late = false {{ {end} }}; {FOLLOWING} }};")
}

/// Binds one member of [`repost`], and skips those who have left the old branch.
const REPOSTED: &str = "\
     LET $member = $change.member; LET $ended = $change.ended; LET $key = $change.key; LET $flaws = $change.flaws; \
     IF (SELECT VALUE unit FROM ONLY $member) != $from_unit { CONTINUE }; \
     LET $joined = (SELECT VALUE posted_from FROM ONLY $member); LET $is_late = $joined != NONE AND $joined > $last;";

/// Moves the member, with their issues and pending requests.
const FOLLOWING: &str = "\
     LET $since = IF $is_late { $joined } ELSE { $on }; \
     UPDATE $member SET unit = $to_unit, path = $to_path, posted_from = $since RETURN NONE; \
     UPDATE $flaws SET path = $to_path RETURN NONE; \
     LET $corrections = (SELECT VALUE id FROM correction WHERE member = $key AND state = 'requested'); \
     UPDATE $corrections SET path = $to_path RETURN NONE; \
     LET $leaving = (SELECT VALUE id FROM transfer WHERE member = $key AND state = 'requested'); \
     UPDATE $leaving SET from_unit = $to_unit, from_path = $to_path RETURN NONE;";

/// Pending transfers to merged units are redirected to the ones that take over. Those between units that are one now
/// are done: nobody decides them, and the event of the merge stands for them in the log.
const REDIRECT: &str = "FOR $merge IN $merges { LET $merged = $merge.from; LET $to_unit = $merge.to; \
     LET $joining = (SELECT VALUE id FROM transfer WHERE state = 'requested' AND to_unit IN [$merged, $to_unit]); \
     UPDATE $joining SET to_unit = $to_unit RETURN NONE; \
     UPDATE $joining SET state = 'accepted', decided_at = $now WHERE from_unit = to_unit RETURN NONE; };";

#[derive(Debug, SurrealValue)]
pub(super) struct PostingChange {
    member: RecordId,
    key: String,
    /// Id of the row for the ended posting.
    ended: RecordId,
    flaws: Vec<RecordId>,
}

/// Values of [`repost`] for each member.
pub(super) fn reposts(backend: &Backend, members: impl IntoIterator<Item = String>) -> Vec<PostingChange> {
    let repost = |key: String| PostingChange {
        member: record("member", &key),
        ended: record("posting", backend.clock().ulid()),
        flaws: QualityIssue::ALL.into_iter().map(|kind| quality_issue_id(kind, &key)).collect(),
        key,
    };
    members.into_iter().map(repost).collect()
}

/// All bindings of [`repost`].
pub(super) fn repost_vars(reposts: Vec<PostingChange>, from: UnitId, to: &UnitRef, on: NaiveDate) -> Variables {
    vars! {
        reposts: reposts,
        from_unit: from.to_string(),
        to_unit: to.id.to_string(),
        to_path: to.path.to_string(),
        on: on.to_string(),
        last: day_before(on).to_string(),
    }
}

#[derive(Debug, SurrealValue)]
struct PathRow {
    id: RecordId,
    path: String,
}

#[derive(Debug, SurrealValue)]
struct ShiftedRow {
    id: RecordId,
    path: String,
    next: String,
}

/// A page of rows, in the order of their paths.
struct Page {
    moved: Vec<ShiftedRow>,
    /// The path of the last row, and whether a shift concerns it.
    last: Option<(UnitPath, bool)>,
}

impl Page {
    fn of(rows: Vec<PathRow>, shifts: &Shifts) -> Result<Self> {
        let mut page = Self { moved: Vec::with_capacity(rows.len()), last: None };
        for row in rows {
            let path = UnitPath::parse(&row.path).map_err(|_| Error::Damaged(format!("the path {}", row.path)))?;
            if page.last.as_ref().is_some_and(|(last, _)| *last > path) {
                return Err(Error::Internal(format!("the row at {path} was not read in the order of paths")));
            }
            let next = shifts.apply(&path).filter(|next| *next != path);
            page.last = Some((path, next.is_some()));
            page.moved.extend(next.map(|next| ShiftedRow { id: row.id, path: row.path, next: next.to_string() }));
        }
        Ok(page)
    }

    /// Where the next page begins: at the path of the last row, which other rows may have, or at the next old subtree. `None` if
    /// there is none.
    fn next(&self, outermost: &[UnitPath]) -> Option<String> {
        let (last, is_moved) = self.last.as_ref()?;
        if *is_moved {
            return Some(last.to_string());
        }
        let behind = outermost.partition_point(|from| from <= last);
        outermost.get(behind).map(UnitPath::to_string)
    }
}

fn found_at(table: &str, column: &str, condition: &str) -> String {
    format!(
        "SELECT id, {column} AS path FROM {table} WHERE {condition} AND {column} >= $from AND {column} < $until LIMIT {BATCH}"
    )
}

/// The new paths of a merged unit and its children, and the codes of the children. A child whose code is or was in use below the
/// target gets the next free one.
fn plan_merge(tree: &Tree, unit: &UnitRef, into: &UnitRef, children: &[&UnitRef]) -> (Vec<Shift>, Vec<String>) {
    let mut given = BTreeSet::new();
    let mut shifts = Vec::new();
    let mut codes = Vec::with_capacity(children.len());
    // Children that keep their code come first, so that no other one gets that code.
    let kept: BTreeSet<&str> =
        children.iter().map(|child| child.path.code()).filter(|code| tree.owner(into.id, code).is_none()).collect();
    given.extend(kept.iter().map(|code| (*code).to_owned()));
    for child in children {
        let code = child.path.code();
        let owned = tree.owner(into.id, code).is_some_and(|owner| owner != child.id);
        let code = if owned { tree.free_code(into.id, code, child.id, &given) } else { code.to_owned() };
        if owned {
            given.insert(code.clone());
            if let Ok(to) = into.path.child(&code) {
                shifts.push(Shift { from: child.path.clone(), to });
            }
        }
        codes.push(code);
    }
    shifts.push(Shift { from: unit.path.clone(), to: into.path.clone() });
    (shifts, codes)
}

#[cfg(test)]
mod tests;
