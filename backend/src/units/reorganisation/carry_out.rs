//! Carries out a confirmed reorganisation in one transaction, and starts the batches that follow.

use std::{collections::BTreeMap, time::Duration};

use chrono::{NaiveDate, TimeDelta};
use domain::{
    events::{EventBody, Reorganised},
    ids::{MemberId, OfficeId, ReassignmentId, ReorganisationId, UnitId},
    members::Standing,
    policy::Standpoint,
    units::{
        Shifts, UnitChange, UnitPath, UnitRef,
        reorganisation::{OfficesRule, PlanNumbers, ReassignmentState, ReorganisationProgress, ReorganisationState},
    },
};
use tokio::time::sleep;

use super::{
    Planned, ReorganisationRow, Reorganisations,
    plan::{Ended, NewPaths, Place, Plan},
};
use crate::{
    Error, Result,
    change::Change,
    events::NewEvent,
    jobs::{
        Outcome,
        lease::{LeasedJob, is_lost},
    },
    store::{RecordId, StoreError, SurrealValue, Variables, record, vars},
    units::{
        NewUnit, ShiftRow, Tree, VersionRow,
        change::SAME_TREE,
        history::{day_before, open_versions},
        moving::{MergeRow, REORGANISE},
        phases::{Phased, PhasedRow, set_phases},
        stored_shifts,
    },
};

/// Rows in one statement. As in `Bulk`: the cost of an `INSERT` is quadratic in its rows. A condition with more than thirty values
/// would not use an index.
const AT_ONCE: usize = 25;

/// Attempts on newer trees.
const TRIES: usize = 5;

/// Batches done before the progress is looked at, for the operator.
const BATCHES: usize = 200;

/// Interval between two looks at a reorganisation that another process carries out.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Nothing is done unless the reorganisation is confirmed with this version.
const CONFIRMED: &str = "IF $reorganisation.state != 'confirmed' OR $reorganisation.version != $version { THROW 'state' };";

/// Ends units with the offices on them, as [`END_OFFICES`](crate::units::change::END_OFFICES); `keys` are the ids of the units.
fn end(rows: &str, keys: &str) -> String {
    format!(
        "FOR $row IN ${rows} {{ LET $id = $row.id; \
             UPDATE $id SET closed_on = $on, parent = $row.parent, successor = $row.successor, version = (version ?? 0) + 1 \
                 RETURN NONE; }}; \
         LET $held = ({}); \
         UPDATE $held SET until = $last, ended_by = $by WHERE until = NONE OR (until > $last AND until >= `from`) RETURN NONE;",
        offices_on(keys)
    )
}

fn offices_on(keys: &str) -> String {
    format!("SELECT VALUE id FROM office WHERE unit IN ${keys}")
}

/// Renames and recodes units. Their paths follow in batches.
fn rename(rows: &str) -> String {
    format!(
        "FOR $row IN ${rows} {{ LET $id = $row.id; \
             UPDATE $id SET code = $row.code, name = $row.name, version = (version ?? 0) + 1 RETURN NONE; }};"
    )
}

/// Ends the current versions of units.
fn outdate(rows: &str) -> String {
    format!("UPDATE ${rows} SET until = $last RETURN NONE;")
}

/// Fails if the offices that go on are not those that were read.
fn hold(rows: &str) -> String {
    format!(
        "FOR $row IN ${rows} {{ LET $key = $row.unit; \
             LET $held = (SELECT VALUE id FROM office WHERE unit = $key AND (until = NONE OR (until > $last AND until >= `from`))); \
             IF array::len($held) != $row.offices {{ THROW 'offices' }}; }};"
    )
}

/// Begins offices, unless the member holds the same role there.
fn begin(rows: &str) -> String {
    format!(
        "FOR $office IN ${rows} {{ LET $member = $office.member; LET $role = $office.role; LET $unit = $office.unit; \
             LET $same = (SELECT VALUE id FROM office WHERE member = $member AND role = $role AND unit = $unit \
                 AND (until = NONE OR (until > $last AND until >= `from`))); \
             IF array::len($same) = 0 {{ INSERT INTO office $office RETURN NONE }}; }};"
    )
}

#[derive(Debug, Clone, SurrealValue)]
struct EndedRow {
    id: RecordId,
    parent: String,
    successor: String,
}

#[derive(Debug, Clone, SurrealValue)]
struct RenamedRow {
    id: RecordId,
    code: String,
    name: String,
}

#[derive(Debug, Clone, SurrealValue)]
struct KeptRow {
    unit: String,
    offices: i64,
}

#[derive(Debug, Clone, SurrealValue)]
struct OfficeRow {
    id: RecordId,
    member: String,
    role: String,
    unit: String,
    path: String,
    from: String,
    until: Option<String>,
    granted_by: Option<String>,
    granted_from: Option<String>,
}

#[derive(Debug, Clone, SurrealValue)]
struct QueueRow {
    id: RecordId,
    reorganisation: String,
    effective_on: String,
    unit: String,
    path: String,
    from_unit: String,
    candidates: Vec<String>,
    state: String,
}

/// How an attempt ended.
pub(super) enum Attempt {
    Done,
    /// The tree changed meanwhile.
    Again,
    /// It is no longer confirmed, or another process has done it.
    Over,
    Lost,
}

impl Reorganisations<'_> {
    /// The work of the job [`JobKind::Reorganise`](crate::jobs::JobKind::Reorganise).
    pub(crate) async fn run(&self, job: &LeasedJob) -> Result<Outcome> {
        let id: ReorganisationId = job.key().parse().map_err(|_| Error::Damaged(format!("the key of the job {job}")))?;
        match self.carry_out(id, Some(job)).await {
            Ok(Attempt::Done) => Ok(Outcome::Ended),
            Ok(Attempt::Lost) => Ok(Outcome::Lost),
            Ok(Attempt::Over | Attempt::Again) => Ok(Outcome::Done),
            // Another change of the tree or an import may take hours.
            Err(Error::Busy) => Ok(Outcome::Later),
            Err(error) => Err(error),
        }
    }

    /// For the operator: carries out a confirmed reorganisation and waits until all is done, whoever does it: the job of a server
    /// may be at the same work.
    ///
    /// # Errors
    /// [`Error::Busy`] while another change of the tree is unfinished or an import is running; those of the store.
    pub async fn carry_out_for_operator(&self, id: ReorganisationId) -> Result<ReorganisationProgress> {
        loop {
            let done = match self.row(id).await?.state()? {
                ReorganisationState::Confirmed => self.carry_out(id, None).await.map(drop),
                ReorganisationState::Following => self.backend.unit_desk().advance(BATCHES).await.map(drop),
                _ => return self.progress_for_operator(id).await,
            };
            match done {
                Ok(()) => {}
                Err(Error::Busy) if self.row(id).await?.state()? != ReorganisationState::Confirmed => sleep(LOOK_AGAIN).await,
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) async fn carry_out(&self, id: ReorganisationId, job: Option<&LeasedJob>) -> Result<Attempt> {
        for _ in 0..TRIES {
            let row = match self.row(id).await {
                Ok(row) => row,
                Err(Error::NotFound) => return Ok(Attempt::Over),
                Err(error) => return Err(error),
            };
            if row.state()? != ReorganisationState::Confirmed {
                return Ok(Attempt::Over);
            }
            // The tree of another process may be newer.
            self.backend.units().reload(self.backend.store()).await?;
            if self.backend.units().tree().is_moving() || self.is_importing().await? {
                return Err(Error::Busy);
            }
            match self.attempt(&row, job).await? {
                Attempt::Again => {}
                attempt => return Ok(attempt),
            }
        }
        Err(Error::Busy)
    }

    async fn attempt(&self, row: &ReorganisationRow, job: Option<&LeasedJob>) -> Result<Attempt> {
        let standpoint = self.confirmer(row).await?;
        let planned = self.plan(row, standpoint.as_ref()).await?;
        let is_same = row.version.as_deref() == Some(planned.version.as_str());
        let is_whole = planned.plan.refused.is_empty() && !planned.plan.is_empty();
        let mut change = if is_same && is_whole {
            self.change_of(row, &planned, standpoint.as_ref()).await?
        } else {
            tracing::info!(reorganisation = %row.id, "the tree or the rights changed after the confirmation; nothing is done");
            Change::new(CONFIRMED, confirmed(row)).then("UPDATE $reorganisation SET state = 'changed' RETURN NONE;")
        };
        if let Some(job) = job {
            let mut vars = Variables::new();
            let sql = job.end(&mut vars, None);
            change = change.then(sql).bind(vars);
        }
        match self.backend.transact(change).await {
            Ok(_) => {}
            Err(error) if is_lost(&error) => return Ok(Attempt::Lost),
            Err(StoreError::Thrown(reason)) if reason == "state" => return Ok(Attempt::Over),
            Err(StoreError::Thrown(_)) => return Ok(Attempt::Again),
            Err(error) => return Err(error.into()),
        }
        self.backend.units().reload(self.backend.store()).await?;
        Ok(Attempt::Done)
    }

    /// The rights of the person who confirmed it, as they are now; `None` for the operator.
    async fn confirmer(&self, row: &ReorganisationRow) -> Result<Option<Standpoint>> {
        let Some(member) = row.confirmed_by.as_deref() else { return Ok(None) };
        let grants = self.backend.offices().grants(member).await?;
        // Only the offices count for the rights on units.
        let branch = UnitPath::parse(&row.path).map_err(|_| row.damaged())?;
        Ok(Some(Standpoint { branch, standing: Standing::Official, grants }))
    }

    /// The transaction.
    async fn change_of(&self, row: &ReorganisationRow, planned: &Planned, standpoint: Option<&Standpoint>) -> Result<Change> {
        let tree: &Tree = &planned.tree;
        let plan: &Plan = &planned.plan;
        let on = row.on()?;
        let numbers = self.numbers(row, planned, standpoint).await?;
        let kept = self.kept_offices(row, plan).await?;
        let keys: Vec<String> = changed(plan).map(|unit| unit.to_string()).collect();
        let versions = open_versions(self.backend, &keys).await?;
        let work = Work {
            reorganisations: *self,
            row,
            tree,
            plan,
            paths: NewPaths::new(tree, plan),
            begun: plan.begun.iter().map(|_| UnitId::new(self.backend.clock().ulid())).collect(),
            on,
        };
        let mut change = Change::new(SAME_TREE, vars! { tree: tree.version() })
            .then(CONFIRMED)
            .bind(confirmed(row))
            .bind(vars! { on: on.to_string(), last: day_before(on).to_string(), by: row.confirmed_by.clone() });
        let held = kept
            .iter()
            .map(|(unit, offices)| KeptRow { unit: unit.to_string(), offices: i64::try_from(offices.len()).unwrap_or(i64::MAX) });
        change = many(change, "held", &held.collect::<Vec<_>>(), hold);
        change = work.units(change)?;
        let known: Vec<RecordId> = versions.values().map(|version| version.id.clone()).collect();
        change = many(change, "outdated", &known, outdate);
        let next = work.versions(|unit| versions.contains_key(&unit.to_string()))?;
        change = many(change, "versions", &next, insert("unit_version"));
        change = many(change, "begun_offices", &work.begun_offices(kept)?, begin);
        change = many(change, "queued", &work.queue()?, insert("reassignment"));
        change = work.operation(change, estimate(self, tree, plan))?;
        let (events, clock) = (work.events(numbers)?, self.backend.clock());
        let jobs = self.backend.unit_desk().following(TimeDelta::zero());
        let numbers = serde_json::to_string(&numbers).map_err(|error| Error::Internal(format!("numbers: {error}")))?;
        Ok(change
            .then("UPDATE $reorganisation SET state = 'following', numbers = $numbers RETURN NONE;")
            .bind(vars! { numbers: numbers })
            .events(events)
            .jobs(clock, jobs))
    }

    /// The offices that go on at successors, by the unit they are held on.
    async fn kept_offices(&self, row: &ReorganisationRow, plan: &Plan) -> Result<BTreeMap<UnitId, Vec<OfficeRow>>> {
        let last = day_before(row.on()?).to_string();
        let mut kept = BTreeMap::new();
        for ended in plan.ended.iter().filter(|ended| ended.offices == OfficesRule::Keep) {
            let vars = vars! { unit: ended.unit.to_string(), last: last.clone() };
            let rows: Vec<OfficeRow> = self.backend.store().read(KEPT, vars).await?.rows(0)?;
            kept.insert(ended.unit, rows);
        }
        Ok(kept)
    }
}

/// Offices held on the last day or later, without those that were taken back before they began.
const KEPT: &str = "SELECT id, member, role, unit, path, `from`, until, granted_by, granted_from FROM office \
     WHERE unit = $unit AND (until = NONE OR (until > $last AND until >= `from`))";

fn confirmed(row: &ReorganisationRow) -> Variables {
    vars! { reorganisation: record("reorganisation", &row.id), version: row.version.clone() }
}

/// The units of the files that are open today.
fn changed(plan: &Plan) -> impl Iterator<Item = UnitId> {
    plan.continued.iter().map(|continued| continued.unit).chain(plan.ended.iter().map(|ended| ended.unit))
}

/// Adds a statement for each part of the rows.
fn many<T: SurrealValue + Clone>(mut change: Change, name: &str, rows: &[T], sql: impl Fn(&str) -> String) -> Change {
    for (at, some) in rows.chunks(AT_ONCE).enumerate() {
        let name = format!("{name}_{at}");
        let mut vars = Variables::new();
        vars.insert(name.clone(), some.to_vec());
        change = change.then(&sql(&name)).bind(vars);
    }
    change
}

fn insert(table: &'static str) -> impl Fn(&str) -> String {
    move |rows| format!("INSERT INTO {table} ${rows} RETURN NONE;")
}

/// A rough number of the rows that the batches will update.
fn estimate(reorganisations: &Reorganisations<'_>, tree: &Tree, plan: &Plan) -> i64 {
    let counters = reorganisations.backend.counters();
    let moved: Shifts = plan.shifts.iter().cloned().collect();
    let rows = moved.outermost().map(|path| tree.subtree(path).count() as u64 + 2 * u64::from(counters.members(path)));
    i64::try_from(rows.sum::<u64>() + plan.moved.len() as u64).unwrap_or(i64::MAX)
}

/// What a transaction is made from.
struct Work<'w> {
    reorganisations: Reorganisations<'w>,
    row: &'w ReorganisationRow,
    tree: &'w Tree,
    plan: &'w Plan,
    paths: NewPaths<'w>,
    /// Ids of the units that begin.
    begun: Vec<UnitId>,
    on: NaiveDate,
}

impl Work<'_> {
    fn id(&self, place: Place) -> Result<UnitId> {
        match place {
            Place::Open(unit) => Ok(unit),
            Place::Begun(at) => self.begun.get(at).copied().ok_or_else(|| self.row.damaged()),
        }
    }

    fn path(&self, place: Place) -> Result<UnitPath> {
        self.paths.of(place).ok_or_else(|| self.row.damaged())
    }

    fn unit(&self, unit: UnitId) -> Result<&UnitRef> {
        self.tree.get(unit).ok_or_else(|| self.row.damaged())
    }

    /// The rows of `unit`.
    fn units(&self, change: Change) -> Result<Change> {
        let begun = self.begun_units()?;
        let renamed: Vec<RenamedRow> = self
            .plan
            .continued
            .iter()
            .map(|unit| RenamedRow { id: record("unit", unit.unit), code: unit.code.clone(), name: unit.name.clone() })
            .collect();
        let phased: Vec<PhasedRow> = self.plan.phased.iter().map(Phased::row).collect();
        let mut change = many(change, "begun", &begun, insert("unit"));
        for (at, some) in self.plan.ended.chunks(AT_ONCE).enumerate() {
            let (rows, keys) = (format!("ended_{at}"), format!("ended_keys_{at}"));
            let mut vars = Variables::new();
            vars.insert(rows.clone(), some.iter().map(|ended| self.ended(ended)).collect::<Result<Vec<_>>>()?);
            vars.insert(keys.clone(), some.iter().map(|ended| ended.unit.to_string()).collect::<Vec<_>>());
            change = change.then(&end(&rows, &keys)).bind(vars);
        }
        let change = many(change, "renamed", &renamed, rename);
        Ok(many(change, "phased", &phased, set_phases))
    }

    fn begun_units(&self) -> Result<Vec<NewUnit>> {
        let unit = |(at, id): (usize, &UnitId)| {
            let begun = self.plan.begun.get(at).ok_or_else(|| self.row.damaged())?;
            let path = self.path(Place::Begun(at))?;
            let unit = UnitRef { id: *id, kind: begun.kind, name: begun.name.clone(), path };
            let phase = begun.phase.map(|phase| phase.key().to_owned());
            Ok(NewUnit { phase, ..NewUnit::new(&unit, self.on) })
        };
        self.begun.iter().enumerate().map(unit).collect()
    }

    fn ended(&self, ended: &Ended) -> Result<EndedRow> {
        let parent = self.tree.parent(&self.unit(ended.unit)?.path).ok_or_else(|| self.row.damaged())?;
        Ok(EndedRow {
            id: record("unit", ended.unit),
            parent: parent.id.to_string(),
            successor: self.id(ended.successor)?.to_string(),
        })
    }

    /// The new rows of `unit_version`: the next versions of units that continue, the first ones of units that begin, and those of
    /// units that never changed and have none.
    fn versions(&self, has_version: impl Fn(UnitId) -> bool) -> Result<Vec<VersionRow>> {
        let mut rows = Vec::new();
        for unit in changed(self.plan).filter(|unit| !has_version(*unit)) {
            let (unit, node) = (self.unit(unit)?, self.tree.node(unit).ok_or_else(|| self.row.damaged())?);
            rows.push(VersionRow {
                id: self.new_id(),
                unit: unit.id.to_string(),
                kind: unit.kind.key().to_owned(),
                code: unit.path.code().to_owned(),
                name: unit.name.clone(),
                parent: self.tree.parent(&unit.path).map(|parent| parent.id.to_string()),
                from: node.opened_on.to_string(),
                until: Some(day_before(self.on).to_string()),
                cause: UnitChange::Created.key().to_owned(),
            });
        }
        for continued in &self.plan.continued {
            let above = continued.above.map(|above| self.id(above)).transpose()?;
            rows.push(VersionRow {
                id: self.new_id(),
                unit: continued.unit.to_string(),
                kind: self.unit(continued.unit)?.kind.key().to_owned(),
                code: continued.code.clone(),
                name: continued.name.clone(),
                parent: above.map(|above| above.to_string()),
                from: self.on.to_string(),
                until: None,
                cause: UnitChange::Reorganised.key().to_owned(),
            });
        }
        for (begun, id) in self.plan.begun.iter().zip(&self.begun) {
            rows.push(VersionRow {
                id: self.new_id(),
                unit: id.to_string(),
                kind: begun.kind.key().to_owned(),
                code: begun.code.clone(),
                name: begun.name.clone(),
                parent: Some(self.id(begun.above)?.to_string()),
                from: self.on.to_string(),
                until: None,
                cause: UnitChange::Reorganised.key().to_owned(),
            });
        }
        Ok(rows)
    }

    fn new_id(&self) -> RecordId {
        record("unit_version", self.reorganisations.backend.clock().ulid())
    }

    /// The offices that go on at successors, as rows of there: the old one ends with its unit. A member who holds the role there
    /// already has it once.
    fn begun_offices(&self, kept: BTreeMap<UnitId, Vec<OfficeRow>>) -> Result<Vec<OfficeRow>> {
        let mut begun = Vec::new();
        for (unit, offices) in kept {
            let ended = self.plan.ended.iter().find(|ended| ended.unit == unit).ok_or_else(|| self.row.damaged())?;
            let (successor, path) = (self.id(ended.successor)?.to_string(), self.path(ended.successor)?.to_string());
            begun.extend(offices.into_iter().map(|office| OfficeRow {
                id: record("office", OfficeId::new(self.reorganisations.backend.clock().ulid())),
                unit: successor.clone(),
                path: path.clone(),
                from: office.from.max(self.on.to_string()),
                ..office
            }));
        }
        Ok(begun)
    }

    /// The new rows of the queue. A divided unit without one below it has a row of its own, which is decided.
    fn queue(&self) -> Result<Vec<QueueRow>> {
        let row = |(queued, at, state): (&super::plan::Queued, Place, ReassignmentState)| {
            let candidates = queued.candidates.iter().map(|place| Ok(self.id(*place)?.to_string())).collect::<Result<_>>()?;
            Ok(QueueRow {
                id: record("reassignment", ReassignmentId::new(self.reorganisations.backend.clock().ulid())),
                reorganisation: self.row.id.clone(),
                effective_on: self.on.to_string(),
                unit: queued.unit.to_string(),
                path: self.path(at)?.to_string(),
                from_unit: queued.from.to_string(),
                candidates,
                state: state.key().to_owned(),
            })
        };
        let queued = self.plan.queued.iter().map(|queued| (queued, Place::Open(queued.unit), ReassignmentState::Waiting));
        let bare = self.plan.bare.iter().map(|bare| {
            let ended = self.plan.ended.iter().find(|ended| ended.unit == bare.unit);
            (bare, ended.map_or(Place::Open(bare.unit), |ended| ended.successor), ReassignmentState::Kept)
        });
        queued.chain(bare).map(row).collect()
    }

    fn operation(&self, change: Change, estimate: i64) -> Result<Change> {
        let root = self.tree.all().next().ok_or_else(|| self.row.damaged())?;
        let holds = |ended: &&Ended| self.tree.get(ended.unit).is_some_and(|unit| unit.kind.holds_members());
        let merges = self
            .plan
            .ended
            .iter()
            .filter(holds)
            .map(|ended| Ok(MergeRow { from: ended.unit.to_string(), to: self.id(ended.successor)?.to_string() }));
        let vars = vars! {
            operation: record("unit_operation", &self.row.id),
            operation_kind: REORGANISE,
            root: root.id.to_string(),
            shifts: Vec::<ShiftRow>::new(),
            merges: merges.collect::<Result<Vec<_>>>()?,
            started_at: self.reorganisations.backend.clock().now(),
            estimate: estimate,
        };
        let sql = "CREATE $operation SET kind = $operation_kind, unit = $root, target = $root, shifts = $shifts, merges = $merges, \
                   effective_on = $on, state = 'running', started_by = $by, started_at = $started_at, step = 0, done = 0, \
                   estimate = $estimate RETURN NONE;";
        stored_shifts::stored(change.then(sql).bind(vars), &self.row.id, &self.plan.shifts)
    }

    /// One event for the root, one for each unit right below it that is concerned, and one for each unit that gets a phase.
    fn events(&self, numbers: PlanNumbers) -> Result<Vec<NewEvent>> {
        let root = self.tree.all().next().ok_or_else(|| self.row.damaged())?;
        let changed = self.plan.continued.len() + self.plan.moved.len();
        let detail = Reorganised {
            reorganisation: self.row.key()?,
            ended: u64::from(numbers.ended),
            begun: u64::from(numbers.begun),
            changed: changed as u64,
        };
        let actor: Option<MemberId> = self.row.confirmed_by.as_ref().and_then(|member| member.parse().ok());
        let places = [Place::Open(root.id)].into_iter().chain(self.plan.tops.iter().copied());
        let event = |place: Place| {
            let body = EventBody::Reorganised { unit: self.id(place)?, detail: Some(detail) };
            Ok(NewEvent::now(self.reorganisations.backend.clock(), actor, &self.path(place)?, body))
        };
        let phased = |phased: &Phased| {
            let path = self.path(Place::Open(phased.unit))?;
            Ok(NewEvent::now(self.reorganisations.backend.clock(), actor, &path, phased.event()))
        };
        places.map(event).chain(self.plan.phased.iter().map(phased)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn the_queries_of_offices_use_an_index() {
        let store = migrated().await;
        let vars = vars! { unit: "01ARZ3NDEKTSV4RRFFQ69G5FAV", last: "2025-06-30" };
        store.assert_no_scan(KEPT, vars).await;
        let keys: Vec<String> = (0..AT_ONCE).map(|at| format!("01ARZ3NDEKTSV4RRFFQ69G5F{at:02}")).collect();
        store.assert_no_scan(&offices_on("keys"), vars! { keys: keys }).await;
    }
}
