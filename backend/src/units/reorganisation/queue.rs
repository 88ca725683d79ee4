//! The queue of units below divided ones: each stays below the successor of the divided unit until somebody moves it to the unit
//! of another part, or decides that it stays.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    accounts::Viewer,
    events::EventBody,
    folding::fold,
    forms::{FormReader, Problem},
    ids::{ReassignmentId, ReorganisationId, UnitId},
    policy::Action,
    units::{
        Shift, UnitChange, UnitPath, UnitRef,
        reorganisation::{
            AssignProblem, AssignedFile, FILE_BYTES_MAX, FileRefusal, ROWS_MAX, ROWS_SHOWN, Reassignment, ReassignmentState,
            ReassignmentsPage, RefusedAssignment,
        },
    },
};

use super::{Reorganisations, read, top_units};
use crate::{
    Backend, Error, Result,
    change::Change,
    events::NewEvent,
    imports::TableUpload,
    jobs::{JobKind, NewJob},
    store::{RecordId, StoreError, SurrealValue, Variables, record, vars},
    units::{
        ShiftRow, Tree,
        change::{Failed, SAME_TREE, opened, since},
        desk::fits_words,
        history::{NewVersion, REFORM, ReformRow},
        moving::START,
        phases::{Phased, set_phases},
        stored_shifts,
    },
};

/// Units moved by one statement.
const AT_ONCE: usize = 100;

/// Rows of the queue read at a time.
const PAGE: usize = 500;

/// Rows of one subtree that a search reads at most.
const SEARCHED: usize = 20_000;

/// Selects rows of the queue.
#[derive(Debug, Clone, Copy, Default)]
pub struct QueueQuery<'q> {
    /// `None` for those of all reorganisations.
    pub reorganisation: Option<ReorganisationId>,
    /// Words of the unit's name, or its code; `None` for all units.
    pub words: Option<&'q str>,
    /// The divided unit; `None` for all.
    pub from: Option<UnitId>,
    /// `None` for those that wait.
    pub state: Option<ReassignmentState>,
    /// Counted from 1. Clamped to the existing pages.
    pub page: u32,
}

/// A decision about a unit of the queue.
#[derive(Debug, Clone, Copy)]
pub struct AssignForm<'f> {
    /// Id of the row of the queue.
    pub reassignment: &'f str,
    /// Id of a candidate, or of the current parent to keep the unit there.
    pub target: &'f str,
}

/// A file with assignments being uploaded.
pub struct AssignmentUpload {
    backend: Backend,
    viewer: Viewer,
    table: TableUpload,
    file_name: String,
}

impl AssignmentUpload {
    /// Writes the next bytes.
    ///
    /// # Errors
    /// [`Error::Internal`] when writing fails.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.table.write(bytes).await
    }

    /// Reads the file and carries out its assignments, if no row is refused.
    ///
    /// # Errors
    /// Those of the store; [`Error::Busy`] while another change of the tree is unfinished.
    pub async fn finish(self) -> Result<Result<AssignedFile, FileRefusal>> {
        let Self { backend, viewer, table, file_name } = self;
        let rows_max = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
        let tables = match table.finish(rows_max + read::HEADER_WITHIN + 1).await? {
            Ok(tables) => tables,
            Err(failure) => return Ok(Err(FileRefusal::File(failure))),
        };
        let assignments = match read::assignments(&tables) {
            Ok(assignments) if assignments.len() > rows_max => {
                return Ok(Err(FileRefusal::TooManyRows { max: ROWS_MAX }));
            }
            Ok(assignments) => assignments,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let done = backend.reorganisations().assign_rows(&viewer, &assignments).await?;
        tracing::info!(file_name, rows = assignments.len(), refused = done.refused.len(), "read a file with assignments");
        Ok(Ok(done))
    }
}

#[derive(Debug, Clone, SurrealValue)]
struct QueueRow {
    id: String,
    reorganisation: String,
    effective_on: String,
    unit: String,
    from_unit: String,
    candidates: Vec<String>,
    state: String,
    decided_by: Option<String>,
    decided_at: Option<DateTime<Utc>>,
}

impl QueueRow {
    fn damaged(&self) -> Error {
        Error::Damaged(format!("the row {} of the queue", self.id))
    }

    fn state(&self) -> Result<ReassignmentState> {
        ReassignmentState::from_key(&self.state).ok_or_else(|| self.damaged())
    }

    fn on(&self) -> Result<NaiveDate> {
        self.effective_on.parse().map_err(|_| self.damaged())
    }

    /// The units it can be moved to, as they are now; without the unit it is below.
    fn candidates<'t>(&self, tree: &'t Tree, parent: UnitId) -> Vec<&'t UnitRef> {
        let mut met = BTreeSet::from([parent]);
        let open = self.candidates.iter().filter_map(|unit| tree.successor(unit)).filter(|unit| tree.get(unit.id).is_some());
        open.filter(|unit| met.insert(unit.id)).collect()
    }
}

/// A decision that was checked.
struct Decision<'t> {
    row: &'t QueueRow,
    unit: &'t UnitRef,
    parent: &'t UnitRef,
    target: &'t UnitRef,
}

#[derive(Debug, Clone, SurrealValue)]
struct DecidedRow {
    id: RecordId,
    state: String,
    target: String,
}

const COLUMNS: &str = "record::id(id) AS id, reorganisation, effective_on, unit, from_unit, candidates, state, \
                       decided_by, decided_at";

fn queued(of_one: bool, limit: usize, start: usize) -> String {
    let of_one = if of_one { " AND reorganisation = $reorganisation" } else { "" };
    format!(
        "SELECT {COLUMNS}, path FROM reassignment WHERE state = $state AND path >= $from AND path < $until{of_one} \
         ORDER BY path LIMIT {limit} START {start}"
    )
}

fn counted(of_one: bool) -> String {
    let of_one = if of_one { " AND reorganisation = $reorganisation" } else { "" };
    format!(
        "SELECT VALUE count FROM (SELECT count() AS count FROM reassignment \
         WHERE state = $state AND path >= $from AND path < $until{of_one} GROUP ALL)"
    )
}

impl Reorganisations<'_> {
    /// Units below divided units, within the viewer's subtrees.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may manage no unit.
    pub async fn queue(&self, viewer: &Viewer, query: QueueQuery<'_>) -> Result<ReassignmentsPage> {
        let (top_units, tree) = (top_units(viewer)?, self.backend.units().tree());
        let is_filtered = query.from.is_some() || query.words.is_some_and(|words| !words.trim().is_empty());
        let (found, page, pages) =
            if is_filtered { self.matching(&top_units, &tree, query).await? } else { self.listed(&top_units, query).await? };
        let names = self.deciders(&found).await?;
        let rows = found.iter().filter_map(|row| self.reassignment(viewer, &tree, row, &names).transpose());
        let rows = rows.collect::<Result<_>>()?;
        let waiting = self.count_queue(&top_units, ReassignmentState::Waiting).await?;
        let from = query.from.and_then(|from| tree.known(&from.to_string()));
        let from = from.filter(|unit| viewer.standpoint.may(Action::ReadUnit, &unit.path)).map(|unit| unit.name.clone());
        Ok(ReassignmentsPage { rows, from, waiting, page, pages })
    }

    /// Number of units that wait, within the viewer's subtrees.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may manage no unit.
    pub async fn waiting(&self, viewer: &Viewer) -> Result<u32> {
        self.count_queue(&top_units(viewer)?, ReassignmentState::Waiting).await
    }

    /// A page of all rows; its number, and the number of pages.
    async fn listed(&self, top_units: &[UnitPath], query: QueueQuery<'_>) -> Result<(Vec<QueueRow>, u32, u32)> {
        let state = query.state.unwrap_or(ReassignmentState::Waiting);
        let mut counts = Vec::with_capacity(top_units.len());
        for top_unit in top_units {
            counts.push(self.count_at(top_unit, state, query.reorganisation).await?);
        }
        let (page, pages, mut first) = paged(counts.iter().sum(), query.page);
        let mut found: Vec<QueueRow> = Vec::new();
        for (top_unit, count) in top_units.iter().zip(counts) {
            let left = ROWS_SHOWN.saturating_sub(found.len());
            if left > 0 && first < count {
                found.extend(self.queued_at(top_unit, state, query.reorganisation, (left, first)).await?);
            }
            first = first.saturating_sub(count);
        }
        Ok((found, page, pages))
    }

    /// The same of the rows that match. The table has no names, so the rows are read in pieces and compared with the tree.
    async fn matching(&self, top_units: &[UnitPath], tree: &Tree, query: QueueQuery<'_>) -> Result<(Vec<QueueRow>, u32, u32)> {
        let state = query.state.unwrap_or(ReassignmentState::Waiting);
        let (words, from) = (fold(query.words.unwrap_or_default()), query.from.map(|from| from.to_string()));
        let is_wanted = |row: &QueueRow| {
            let is_from = from.as_ref().is_none_or(|from| row.from_unit == *from);
            let node = || tree.node(row.unit.parse().ok()?);
            is_from && (words.is_empty() || node().is_some_and(|node| fits_words(node, &words)))
        };
        let mut found = Vec::new();
        for top_unit in top_units {
            for start in (0..SEARCHED).step_by(PAGE) {
                let some = self.queued_at(top_unit, state, query.reorganisation, (PAGE, start)).await?;
                let is_last = some.len() < PAGE;
                found.extend(some.into_iter().filter(&is_wanted));
                if is_last {
                    break;
                }
            }
        }
        let (page, pages, first) = paged(found.len(), query.page);
        Ok((found.into_iter().skip(first).take(ROWS_SHOWN).collect(), page, pages))
    }

    /// Number of rows of the queue in these subtrees.
    pub(super) async fn count_queue(&self, top_units: &[UnitPath], state: ReassignmentState) -> Result<u32> {
        let mut waiting = 0;
        for top_unit in top_units {
            waiting += self.count_at(top_unit, state, None).await?;
        }
        Ok(u32::try_from(waiting).unwrap_or(u32::MAX))
    }

    async fn count_at(&self, top: &UnitPath, state: ReassignmentState, of: Option<ReorganisationId>) -> Result<usize> {
        let counted: Vec<i64> = self.backend.store().read(counted(of.is_some()), range(top, state, of)).await?.rows(0)?;
        Ok(counted.first().and_then(|count| usize::try_from(*count).ok()).unwrap_or_default())
    }

    async fn queued_at(
        &self,
        top: &UnitPath,
        state: ReassignmentState,
        of: Option<ReorganisationId>,
        (limit, start): (usize, usize),
    ) -> Result<Vec<QueueRow>> {
        let sql = queued(of.is_some(), limit, start);
        Ok(self.backend.store().read(sql, range(top, state, of)).await?.rows(0)?)
    }

    /// The names of those who decided.
    async fn deciders(&self, rows: &[QueueRow]) -> Result<BTreeMap<String, String>> {
        let members: BTreeSet<&String> = rows.iter().filter_map(|row| row.decided_by.as_ref()).collect();
        let members: Vec<RecordId> = members.into_iter().map(|member| record("member", member)).collect();
        let sql = "SELECT record::id(id) AS id, full_name FROM $members";
        let found: Vec<NameRow> = self.backend.store().read(sql, vars! { members: members }).await?.rows(0)?;
        Ok(found.into_iter().map(|row| (row.id, row.full_name)).collect())
    }

    /// A row as the page shows it; none for a unit that has ended since, and for a divided one itself.
    fn reassignment(
        &self,
        viewer: &Viewer,
        tree: &Tree,
        row: &QueueRow,
        names: &BTreeMap<String, String>,
    ) -> Result<Option<Reassignment>> {
        let Some(unit) = tree.named(&row.unit).filter(|_| row.unit != row.from_unit) else { return Ok(None) };
        let Some(parent) = tree.parent(&unit.path) else { return Ok(None) };
        let candidates = row.candidates(tree, parent.id);
        let is_phased = |target: &UnitRef| tree.phase_when_moved(unit, target).is_some();
        Ok(Some(Reassignment {
            id: row.id.parse().map_err(|_| row.damaged())?,
            reorganisation: row.reorganisation.parse().map_err(|_| row.damaged())?,
            on: row.on()?,
            unit: unit.clone(),
            from: tree.known(&row.from_unit).map(|unit| unit.name.clone()).unwrap_or_default(),
            from_unit: row.from_unit.parse().map_err(|_| row.damaged())?,
            parent: parent.clone(),
            phase: tree.phase(&unit.path),
            phased: candidates.iter().filter(|target| is_phased(target)).map(|target| target.id).collect(),
            candidates: candidates.into_iter().cloned().collect(),
            state: row.state()?,
            members: self.backend.statistics().members(&viewer.standpoint, tree, unit),
            decided_by: row.decided_by.as_ref().and_then(|member| names.get(member)).cloned(),
            decided_at: row.decided_at,
        }))
    }

    /// Moves a unit of the queue to a candidate, or keeps it where it is. Idempotent. Returns the unit.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] of the form `assign`, on `target`: [`Problem::Unknown`] for a unit that is not a
    /// candidate, [`Problem::Stale`] when it was decided meanwhile. [`Error::Busy`] while another change of the tree is
    /// unfinished or an import is running. [`Error::NotAllowed`] without the right on the unit above and the target.
    pub async fn assign(&self, viewer: &Viewer, form: AssignForm<'_>) -> Result<UnitId> {
        let desk = self.backend.unit_desk();
        let unit = desk.again(|| self.try_assign(viewer, form)).await?;
        desk.finish_or_enqueue().await?;
        Ok(unit)
    }

    async fn try_assign(&self, viewer: &Viewer, form: AssignForm<'_>) -> Result<UnitId, Failed> {
        let id: ReassignmentId = form.reassignment.parse().map_err(|_| Error::NotFound)?;
        let sql = format!("SELECT {COLUMNS} FROM $row");
        let rows: Vec<QueueRow> = self.backend.store().read(sql, vars! { row: record("reassignment", id) }).await?.rows(0)?;
        let row = rows.into_iter().next().ok_or(Error::NotFound)?;
        let tree = self.backend.units().tree();
        let unit = tree.named(&row.unit).ok_or(Error::NotFound)?;
        let parent = tree.parent(&unit.path).ok_or(Error::NotFound)?;
        if !viewer.standpoint.may(Action::ReadUnit, &unit.path) {
            return Err(Error::NotFound.into());
        }
        let mut reader = FormReader::new("assign");
        let candidates = row.candidates(&tree, parent.id);
        let target = reader.read("target", form.target, |typed| {
            let known = candidates.iter().copied().chain([parent]).find(|unit| unit.id.to_string() == typed);
            known.ok_or(if typed.is_empty() { Problem::Required } else { Problem::Unknown })
        });
        let Some(target) = target else { return Err(reader.finish().err().unwrap_or_default().into()) };
        if !may_assign(viewer, parent, target) {
            return Err(Error::NotAllowed.into());
        }
        if row.state()? != ReassignmentState::Waiting {
            // Sent twice: the unit is there already.
            let is_same = target.id == parent.id;
            return if is_same { Ok(unit.id) } else { Err(reader.refused("target", Problem::Stale).into()) };
        }
        let decision = Decision { row: &row, unit, parent, target };
        match self.decide(viewer, &tree, &[decision]).await {
            Err(Failed::Write(StoreError::Thrown(reason))) if reason == "stale" => {
                Err(reader.refused("target", Problem::Stale).into())
            }
            decided => decided.map(|()| unit.id),
        }
    }

    /// Starts the upload of a file with assignments: columns with the code or path of the unit and of the target.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may manage no unit.
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn assign_file(&self, viewer: &Viewer, file_name: &str) -> Result<AssignmentUpload> {
        top_units(viewer)?;
        let table = TableUpload::begin(self.backend, FILE_BYTES_MAX)?;
        let file_name = file_name.chars().filter(|c| !c.is_control()).take(super::NAME_MAX).collect();
        Ok(AssignmentUpload { backend: self.backend.clone(), viewer: viewer.clone(), table, file_name })
    }

    async fn assign_rows(&self, viewer: &Viewer, assignments: &[read::Assignment]) -> Result<AssignedFile> {
        let top_units = top_units(viewer)?;
        let mut waiting: Vec<QueueRow> = Vec::new();
        for top_unit in &top_units {
            let before = waiting.len();
            loop {
                let start = waiting.len() - before;
                let page = self.queued_at(top_unit, ReassignmentState::Waiting, None, (PAGE, start)).await?;
                let is_last = page.len() < PAGE;
                waiting.extend(page);
                if is_last {
                    break;
                }
            }
        }
        let desk = self.backend.unit_desk();
        let done = desk.again(|| self.try_assign_rows(viewer, &waiting, assignments)).await?;
        desk.finish_or_enqueue().await?;
        Ok(done)
    }

    async fn try_assign_rows(
        &self,
        viewer: &Viewer,
        waiting: &[QueueRow],
        assignments: &[read::Assignment],
    ) -> Result<AssignedFile, Failed> {
        let tree = self.backend.units().tree();
        let by_code = by_code(&tree, waiting);
        let (mut result, mut decisions, mut met) = (AssignedFile::default(), Vec::new(), BTreeMap::new());
        for assignment in assignments {
            let judged = judge(viewer, &tree, &by_code, assignment).and_then(|decision| {
                match met.insert(decision.unit.id, assignment.row) {
                    Some(row) => Err(AssignProblem::UnitTwice { row }),
                    None => Ok(decision),
                }
            });
            match &judged {
                Ok(decision) if decision.target.id == decision.parent.id => result.kept += 1,
                Ok(decision) => {
                    result.assigned += 1;
                    result.phased += u32::from(tree.phase_when_moved(decision.unit, decision.target).is_some());
                }
                Err(_) => {}
            }
            match judged {
                Ok(decision) => decisions.push(decision),
                Err(problem) => result.refused.push(RefusedAssignment {
                    row: assignment.row,
                    unit: assignment.unit_text.clone(),
                    target: assignment.target_text.clone(),
                    problem,
                }),
            }
        }
        if !result.refused.is_empty() {
            return Ok(AssignedFile { refused: result.refused, ..AssignedFile::default() });
        }
        match self.decide(viewer, &tree, &decisions).await {
            // Somebody decided about one of them meanwhile.
            Err(Failed::Write(StoreError::Thrown(reason))) if reason == "stale" => Err(Error::Busy.into()),
            decided => decided.map(|()| result),
        }
    }

    /// Carries out decisions in one transaction. The moves are effective on the day of the reorganisation, or from the last change
    /// of the unit since, or the first day of a unit that took over a candidate. A unit whose members could then no longer sign in
    /// gets its present phase as its own.
    async fn decide(&self, viewer: &Viewer, tree: &Tree, decisions: &[Decision<'_>]) -> Result<(), Failed> {
        let clock = self.backend.clock();
        let moves: Vec<&Decision<'_>> = decisions.iter().filter(|decision| decision.target.id != decision.parent.id).collect();
        if !moves.is_empty() && (tree.is_moving() || self.is_importing().await?) {
            return Err(Error::Busy.into());
        }
        let rows: Vec<RecordId> = decisions.iter().map(|decision| record("reassignment", &decision.row.id)).collect();
        let vars = vars! { tree: tree.version(), decided: rows, by: viewer.member.to_string(), now: clock.now() };
        let mut change = Change::new(SAME_TREE, vars).then(STILL_WAITING);
        for (at, some) in decisions.chunks(AT_ONCE).enumerate() {
            let name = format!("decisions_{at}");
            let mut vars = Variables::new();
            vars.insert(name.clone(), some.iter().map(Decision::row).collect::<Vec<_>>());
            change = change.then(&decide(&name)).bind(vars);
        }
        if let Some(first) = moves.first() {
            let (forms, shifts, days) = self.moves(tree, &moves)?;
            for (at, some) in forms.chunks(AT_ONCE).enumerate() {
                let name = format!("forms_{at}");
                let mut vars = Variables::new();
                vars.insert(name.clone(), some.to_vec());
                change = change.then(&REFORM.replace("$forms ", &format!("${name} "))).bind(vars);
            }
            let phased: Vec<(Phased, &Shift)> = moves
                .iter()
                .zip(&shifts)
                .filter_map(|(decision, shift)| Some((tree.phase_when_moved(decision.unit, decision.target)?, shift)))
                .collect();
            for (at, some) in phased.chunks(AT_ONCE).enumerate() {
                let name = format!("phased_{at}");
                let mut vars = Variables::new();
                vars.insert(name.clone(), some.iter().map(|(phased, _)| phased.row()).collect::<Vec<_>>());
                change = change.then(&set_phases(&name)).bind(vars);
            }
            let event = |(decision, shift): (&&Decision<'_>, &Shift)| {
                let body = EventBody::UnitMoved { unit: decision.unit.id, shifts: vec![shift.clone()] };
                NewEvent::now(clock, Some(viewer.member), &shift.to, body)
            };
            let set = phased.iter().map(|(phased, shift)| NewEvent::now(clock, Some(viewer.member), &shift.to, phased.event()));
            let events: Vec<NewEvent> = moves.iter().zip(&shifts).map(event).chain(set).collect();
            let operation = clock.ulid().to_string();
            let vars = vars! {
                operation: record("unit_operation", &operation),
                operation_kind: "move",
                moved: first.unit.id.to_string(),
                target: first.target.id.to_string(),
                shifts: Vec::<ShiftRow>::new(),
                effective_on: days.to_string(),
                started_by: viewer.member.to_string(),
                started_at: clock.now(),
            };
            let job = NewJob::periodic(JobKind::FollowMoves, clock.now());
            change = stored_shifts::stored(change.then(START).bind(vars), &operation, &shifts)?;
            change = change.events(events).jobs(clock, vec![job]);
        }
        self.backend.unit_desk().settle(change).await
    }

    /// The next versions of moved units, their shifts, and the latest day of the moves.
    fn moves(&self, tree: &Tree, moves: &[&Decision<'_>]) -> Result<(Vec<ReformRow>, Vec<Shift>, NaiveDate)> {
        let mut given: BTreeMap<UnitId, BTreeSet<String>> = BTreeMap::new();
        let (mut forms, mut shifts, mut last) = (Vec::new(), Vec::new(), NaiveDate::MIN);
        for Decision { row, unit, target, .. } in moves {
            let given = given.entry(target.id).or_default();
            let code = tree.free_code(target.id, unit.path.code(), unit.id, given);
            given.insert(code.clone());
            let on = row.on()?.max(since(tree, unit.id)).max(opened(tree, target.id));
            last = last.max(on);
            let next = NewVersion {
                unit: unit.id,
                name: &unit.name,
                code: &code,
                parent: Some(target.id),
                change: UnitChange::Moved,
                on,
            };
            forms.push(next.row(self.backend, tree)?);
            let to = target.path.child(&code).map_err(|_| Error::NotFound)?;
            shifts.push(Shift { from: unit.path.clone(), to });
        }
        Ok((forms, shifts, last))
    }
}

/// Fails if one of the rows was decided meanwhile.
const STILL_WAITING: &str = "IF array::len((SELECT VALUE id FROM $decided WHERE state = 'waiting')) != array::len($decided) \
     { THROW 'stale' };";

fn decide(rows: &str) -> String {
    format!(
        "FOR $decision IN ${rows} {{ LET $id = $decision.id; \
             UPDATE $id SET state = $decision.state, assigned_to = $decision.target, decided_by = $by, decided_at = $now \
                 RETURN NONE; }};"
    )
}

impl Decision<'_> {
    fn row(&self) -> DecidedRow {
        let state = if self.target.id == self.parent.id { ReassignmentState::Kept } else { ReassignmentState::Assigned };
        DecidedRow { id: record("reassignment", &self.row.id), state: state.key().to_owned(), target: self.target.id.to_string() }
    }
}

#[derive(Debug, SurrealValue)]
struct NameRow {
    id: String,
    full_name: String,
}

/// The number of a page within the existing ones, the number of pages, and the rows before it.
fn paged(rows: usize, page: u32) -> (u32, u32, usize) {
    let pages = u32::try_from(rows.div_ceil(ROWS_SHOWN)).unwrap_or(u32::MAX).max(1);
    let page = page.clamp(1, pages);
    (page, pages, usize::try_from(page - 1).unwrap_or_default() * ROWS_SHOWN)
}

fn range(top: &UnitPath, state: ReassignmentState, of: Option<ReorganisationId>) -> Variables {
    vars! {
        state: state.key(),
        from: top.to_string(),
        until: top.range_end(),
        reorganisation: of.map(|of| of.to_string()),
    }
}

/// Whether the viewer may move what is below `parent` to `target`.
fn may_assign(viewer: &Viewer, parent: &UnitRef, target: &UnitRef) -> bool {
    [parent, target].iter().all(|unit| viewer.standpoint.may_by_office(Action::ManageUnit, &unit.path))
}

/// The rows of the queue by the current code of their unit.
fn by_code<'t>(tree: &'t Tree, waiting: &'t [QueueRow]) -> BTreeMap<&'t str, Vec<(&'t QueueRow, &'t UnitRef)>> {
    let mut by_code: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for row in waiting {
        if let Some(unit) = tree.named(&row.unit) {
            by_code.entry(unit.path.code()).or_default().push((row, unit));
        }
    }
    by_code
}

fn judge<'t>(
    viewer: &Viewer,
    tree: &'t Tree,
    by_code: &BTreeMap<&'t str, Vec<(&'t QueueRow, &'t UnitRef)>>,
    assignment: &read::Assignment,
) -> Result<Decision<'t>, AssignProblem> {
    let (unit, target) = match &assignment.read {
        Ok(read) => read,
        Err((column, reason)) => return Err(AssignProblem::Cell { column: *column, reason: reason.clone() }),
    };
    let with_code = unit.last().and_then(|code| by_code.get(code.as_str())).map(Vec::as_slice).unwrap_or_default();
    let found: Vec<_> = with_code.iter().filter(|(_, known)| ends_with(&known.path, unit)).collect();
    let (row, unit) = match found.as_slice() {
        [] => return Err(AssignProblem::UnknownUnit),
        [(row, unit)] => (*row, *unit),
        _ => return Err(AssignProblem::AmbiguousUnit),
    };
    let parent = tree.parent(&unit.path).ok_or(AssignProblem::UnknownUnit)?;
    let offered = row.candidates(tree, parent.id).into_iter().chain([parent]);
    let mut meant = offered.filter(|offered| ends_with(&offered.path, target));
    let target = match (meant.next(), meant.next()) {
        (Some(target), None) => target,
        (None, _) => return Err(AssignProblem::UnknownTarget),
        (Some(_), Some(_)) => return Err(AssignProblem::AmbiguousTarget),
    };
    if may_assign(viewer, parent, target) { Ok(Decision { row, unit, parent, target }) } else { Err(AssignProblem::NotAllowed) }
}

/// Whether the last codes of the path are these.
fn ends_with(path: &UnitPath, codes: &[String]) -> bool {
    path.as_str().ends_with(&format!("/{}/", codes.join("/")))
}

#[cfg(test)]
mod tests {
    use domain::{
        ids::MemberId,
        members::Standing,
        policy::{Grant, Role, Standpoint},
    };

    use super::*;
    use crate::{store::tests::migrated, units::tests::tree_of};

    #[test]
    fn a_code_of_two_targets_needs_their_path() {
        let path = |text: &str| UnitPath::parse(text).expect("a path");
        let paths = ["/01/", "/01/51/", "/01/51/001/", "/01/51/001/07/", "/01/52/", "/01/52/001/"].map(path);
        let tree = tree_of(&paths);
        let id = |at: &UnitPath| tree.at(at).expect("is open").id.to_string();
        let row = QueueRow {
            id: String::new(),
            reorganisation: String::new(),
            effective_on: "2025-07-01".to_owned(),
            unit: id(&paths[3]),
            from_unit: id(&paths[2]),
            candidates: vec![id(&paths[5])],
            state: ReassignmentState::Waiting.key().to_owned(),
            decided_by: None,
            decided_at: None,
        };
        let waiting = [row];
        let by_code = by_code(&tree, &waiting);
        let branch = tree.at(&paths[3]).expect("is open").clone();
        let grants = vec![Grant { role: Role::Registrar, path: paths[0].clone() }];
        let viewer = Viewer {
            member: MemberId::new(ulid::Ulid::nil()),
            name: String::new(),
            standpoint: Standpoint { branch: branch.path.clone(), standing: Standing::Official, grants },
            branch,
            offices: Vec::new(),
            resting: Vec::new(),
        };
        let judged = |target: &str| {
            let codes = target.split('/').map(str::to_owned).collect();
            let read = Ok((vec!["07".to_owned()], codes));
            let assignment = read::Assignment { row: 2, unit_text: String::new(), target_text: String::new(), read };
            judge(&viewer, &tree, &by_code, &assignment).map(|decision| decision.target.path.to_string())
        };
        assert_eq!(judged("001"), Err(AssignProblem::AmbiguousTarget));
        assert_eq!(judged("52/001"), Ok("/01/52/001/".to_owned()));
        assert_eq!(judged("51/001"), Ok("/01/51/001/".to_owned()));
        assert_eq!(judged("003"), Err(AssignProblem::UnknownTarget));
    }

    #[tokio::test]
    async fn the_queries_of_the_queue_use_an_index() {
        let store = migrated().await;
        let top = UnitPath::parse("/01/51/").expect("a path");
        for of in [None, Some("01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("an id"))] {
            let vars = || range(&top, ReassignmentState::Waiting, of);
            store.assert_no_scan(&queued(of.is_some(), 50, 0), vars()).await;
            store.assert_no_scan(&counted(of.is_some()), vars()).await;
        }
        store.assert_no_scan(super::super::DIVIDED, vars! { on: "2025-07-01" }).await;
    }
}
