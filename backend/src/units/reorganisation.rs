//! Reorganisation of units by file: files are read and planned, the plan is shown and confirmed, and a job carries it out.
//!
//! - **Rows** of the files are stored (`reorganisation_rows`) until the reorganisation is done or cancelled. The files are not
//!   kept.
//! - **Plan** (`plan.rs`): a pure function of the tree, the rows and the day. A preview is planned again whenever it is shown, so
//!   it is always that of today's tree.
//! - **Confirm** stores the version of the plan that was seen. The job plans again and does nothing if the version differs.
//! - **Carry out** (`carry_out.rs`): one transaction changes all units of the files with their history and offices, fills the
//!   queue, and starts the operation whose batches `moving.rs` continues.
//! - **Queue** (`queue.rs`): units below divided ones are moved to the parts they belong to, one by one or by file.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    accounts::Viewer,
    forms::{FormReader, Problem, day},
    ids::{MemberId, ReorganisationId, UnitId},
    policy::{Action, Standpoint},
    units::{
        UnitPath,
        reorganisation::{
            FILE_BYTES_MAX, FILES_MAX, FileRefusal, PlanList, ROWS_MAX, ReassignmentState, RefusedRow, ReorganisationFile,
            ReorganisationPage, ReorganisationProgress, ReorganisationState, ReorganisationSummary, ReorganisationsPage,
        },
    },
};
use tokio::task::spawn_blocking;

use super::Tree;
use crate::{
    Backend, Error, Result,
    change::Change,
    imports::TableUpload,
    jobs::{JobKind, NewJob, lease::MARGIN},
    store::{KEYS, RecordId, StoreError, SurrealValue, Variables, pair, pairs_of, record, vars},
};

mod carry_out;
mod notice;
mod plan;
mod preview;
mod queue;
mod read;
#[cfg(test)]
mod tests;

pub(super) use notice::Latest;
pub use queue::{AssignForm, AssignmentUpload, QueueQuery};

use plan::{Plan, Question, Row, level_is_closed_on};

/// Most reorganisations in the list.
const LISTED: usize = 50;

/// Rows of a file in one record.
const ROWS_AT_ONCE: usize = 250;

/// Maximum number of characters stored of a file name.
const NAME_MAX: usize = 120;

/// See [`Backend::reorganisations`].
#[derive(Clone, Copy)]
pub struct Reorganisations<'a> {
    backend: &'a Backend,
}

/// The form that announces a file.
#[derive(Debug, Clone, Copy)]
pub struct ReceiveForm<'f> {
    /// First day of the new tree. For another file of a reorganisation it is ignored.
    pub on: &'f str,
    /// Id of the reorganisation that gets another file; empty for a new one.
    pub reorganisation: &'f str,
    pub file_name: &'f str,
}

/// Result of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    Accepted(ReorganisationId),
    Refused(FileRefusal),
}

/// A file being uploaded.
pub struct ReorganisationUpload {
    backend: Backend,
    table: TableUpload,
    file_name: String,
    target: UploadTarget,
}

/// The reorganisation that gets the file.
enum UploadTarget {
    New { on: NaiveDate, path: UnitPath, started_by: Option<MemberId> },
    Known(ReorganisationId),
}

impl ReorganisationUpload {
    /// Writes the next bytes. Bytes beyond the size limit are dropped; [`Self::finish`] then refuses the file.
    ///
    /// # Errors
    /// [`Error::Internal`] when writing fails.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.table.write(bytes).await
    }

    /// Reads the file and stores its rows.
    ///
    /// # Errors
    /// Those of the store; [`Error::NotAllowed`] when the reorganisation is no longer open.
    pub async fn finish(self) -> Result<Received> {
        let Self { backend, table, file_name, target } = self;
        let reorganisations = backend.reorganisations();
        let known = match &target {
            UploadTarget::Known(id) => Some(reorganisations.row(*id).await?),
            UploadTarget::New { .. } => None,
        };
        let files = known.as_ref().map_or(0, |row| row.files.len());
        let before: u32 = known.iter().flat_map(|row| &row.files).map(FileRow::count).sum();
        if files >= usize::try_from(FILES_MAX).unwrap_or(usize::MAX) {
            return Ok(Received::Refused(FileRefusal::TooManyFiles { max: FILES_MAX }));
        }
        let rows_max = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
        let tables = match table.finish(rows_max + read::HEADER_WITHIN + 1).await? {
            Ok(tables) => tables,
            Err(failure) => return Ok(Received::Refused(FileRefusal::File(failure))),
        };
        let rows = match read::rows(&tables, u32::try_from(files).unwrap_or(u32::MAX)) {
            Ok(rows) => rows,
            Err(refusal) => return Ok(Received::Refused(refusal)),
        };
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        if before.saturating_add(count) > ROWS_MAX {
            return Ok(Received::Refused(FileRefusal::TooManyRows { max: ROWS_MAX }));
        }
        let file = FileRow { name: file_name, rows: i64::from(count) };
        let id = reorganisations.store_file(target, file, files, &rows).await?;
        Ok(Received::Accepted(id))
    }
}

/// A plan on the tree of its time.
struct Planned {
    tree: Arc<Tree>,
    rows: Arc<Vec<Row>>,
    plan: Arc<Plan>,
    version: String,
}

impl<'a> Reorganisations<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// The reorganisations of the viewer's subtrees.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may manage no unit.
    pub async fn list(&self, viewer: &Viewer) -> Result<ReorganisationsPage> {
        let top_units = top_units(viewer)?;
        let mut rows: Vec<ReorganisationRow> = Vec::new();
        for top_unit in &top_units {
            let vars = vars! { from: top_unit.to_string(), until: top_unit.range_end() };
            rows.extend(self.backend.store().read(listed(), vars).await?.rows::<ReorganisationRow>(0)?);
        }
        let vars = vars! { member: viewer.member.to_string() };
        rows.extend(self.backend.store().read(own(), vars).await?.rows::<ReorganisationRow>(0)?);
        rows.sort_by(|one, other| other.started_at.cmp(&one.started_at).then_with(|| other.id.cmp(&one.id)));
        rows.dedup_by(|one, other| one.id == other.id);
        rows.truncate(LISTED);
        let mut reorganisations = Vec::with_capacity(rows.len());
        for row in &rows {
            reorganisations.push(self.summary(row).await?);
        }
        let waiting = self.count_queue(&top_units, ReassignmentState::Waiting).await?;
        Ok(ReorganisationsPage { today: self.backend.clock().today(), reorganisations, waiting })
    }

    /// Starts the upload of a file.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may manage no unit, and for an unknown reorganisation; [`Error::NotAllowed`] for one
    /// that is not open; [`Error::Invalid`] of the form `reorganisation` with the field `on`.
    pub async fn receive(&self, viewer: &Viewer, typed: ReceiveForm<'_>) -> Result<ReorganisationUpload> {
        let top_units = top_units(viewer)?;
        let path = shared(&top_units).ok_or(Error::NotFound)?;
        self.begin(Some(viewer), path, typed).await
    }

    /// Like [`Self::receive`], for the operator on the command line.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub async fn receive_from_operator(&self, typed: ReceiveForm<'_>) -> Result<ReorganisationUpload> {
        let root = self.backend.units().tree().all().next().map(|unit| unit.path.clone());
        self.begin(None, root.ok_or(Error::NotFound)?, typed).await
    }

    async fn begin(&self, viewer: Option<&Viewer>, path: UnitPath, typed: ReceiveForm<'_>) -> Result<ReorganisationUpload> {
        let target = if typed.reorganisation.is_empty() {
            let mut form = FormReader::new("reorganisation");
            let on = form.read("on", typed.on, day);
            let Some(on) = on else { return Err(form.finish().err().map_or(Error::NotFound, Error::Invalid)) };
            UploadTarget::New { on, path, started_by: viewer.map(|viewer| viewer.member) }
        } else {
            let id = typed.reorganisation.parse().map_err(|_| Error::NotFound)?;
            let row = self.visible(viewer, id).await?;
            if !row.state()?.is_open() {
                return Err(Error::NotAllowed);
            }
            UploadTarget::Known(id)
        };
        // Old browsers send the whole path.
        let name = typed.file_name.rsplit(['/', '\\']).next().unwrap_or_default();
        let file_name = name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
        let table = TableUpload::begin(self.backend, FILE_BYTES_MAX)?;
        Ok(ReorganisationUpload { backend: self.backend.clone(), table, file_name, target })
    }

    /// Stores the rows of a file; `files` is the number of files before.
    async fn store_file(&self, target: UploadTarget, file: FileRow, files: usize, rows: &[Row]) -> Result<ReorganisationId> {
        let clock = self.backend.clock();
        let (id, mut change) = match target {
            UploadTarget::New { on, path, started_by } => {
                let id = ReorganisationId::new(clock.ulid());
                let row = NewReorganisation {
                    id: record("reorganisation", id),
                    state: ReorganisationState::Previewed.key().to_owned(),
                    effective_on: on.to_string(),
                    path: path.to_string(),
                    files: vec![file],
                    started_by: started_by.map(|member| member.to_string()),
                    started_at: clock.now(),
                };
                (id, Change::new("INSERT INTO reorganisation $row RETURN NONE;", vars! { row: row }))
            }
            UploadTarget::Known(id) => {
                let sql = "IF $reorganisation.state NOT IN ['previewed', 'changed'] OR array::len($reorganisation.files) != $files \
                               { THROW 'state' }; \
                           UPDATE $reorganisation SET files += [$file], state = 'previewed' RETURN NONE;";
                let files = i64::try_from(files).unwrap_or(i64::MAX);
                (id, Change::new(sql, vars! { reorganisation: record("reorganisation", id), files: files, file: file }))
            }
        };
        for (at, some) in rows.chunks(ROWS_AT_ONCE).enumerate() {
            let content = serde_json::to_string(some).map_err(|error| Error::Internal(format!("the rows of a file: {error}")))?;
            let (row, text) = (format!("row_{at}"), format!("text_{at}"));
            let mut vars = Variables::new();
            vars.insert(row.clone(), pair(ROWS, id, format!("{files:03} {at:05}")));
            vars.insert(text.clone(), content);
            change = change.then(&format!("CREATE ${row} SET content = ${text} RETURN NONE;")).bind(vars);
        }
        self.step(change).await?;
        Ok(id)
    }

    /// Changes the day.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub async fn set_day(&self, viewer: &Viewer, id: ReorganisationId, on: &str) -> Result<()> {
        self.visible(Some(viewer), id).await?;
        let mut form = FormReader::new("reorganisation");
        let on = form.read("on", on, day);
        form.finish()?;
        let sql = "IF $reorganisation.state NOT IN ['previewed', 'changed'] { THROW 'state' }; \
                   UPDATE $reorganisation SET effective_on = $on RETURN NONE;";
        let vars = vars! { reorganisation: record("reorganisation", id), on: on.unwrap_or_default().to_string() };
        self.step(Change::new(sql, vars)).await
    }

    /// The page of a reorganisation.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it does not exist, or the viewer may not read it.
    pub async fn preview(&self, viewer: &Viewer, id: ReorganisationId, list: PlanList, page: u32) -> Result<ReorganisationPage> {
        let row = self.visible(Some(viewer), id).await?;
        self.page(&row, Some(&viewer.standpoint), list, page).await
    }

    /// Like [`Self::preview`], for the operator.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn preview_for_operator(&self, id: ReorganisationId, list: PlanList, page: u32) -> Result<ReorganisationPage> {
        self.page(&self.row(id).await?, None, list, page).await
    }

    /// All refused rows, for download. None when the reorganisation is not open.
    ///
    /// # Errors
    /// As [`Self::preview`].
    pub async fn refused(&self, viewer: &Viewer, id: ReorganisationId) -> Result<Vec<RefusedRow>> {
        let row = self.visible(Some(viewer), id).await?;
        self.refused_of(&row, Some(&viewer.standpoint)).await
    }

    /// Like [`Self::refused`], for the operator.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn refused_for_operator(&self, id: ReorganisationId) -> Result<Vec<RefusedRow>> {
        self.refused_of(&self.row(id).await?, None).await
    }

    /// Confirms the plan with this version, so that a job carries it out.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `reorganisation_confirm`, on `version`: [`Problem::Stale`] when the plan is another one
    /// now, [`Problem::DateRange`] when the day is in the future, [`Problem::Undecided`] when rows are refused or there is
    /// nothing to do. [`Error::Busy`] while another change of the tree is unfinished or an import is running.
    /// [`Error::NotAllowed`] when it is not open, unless this version is confirmed already.
    pub async fn confirm(&self, viewer: &Viewer, id: ReorganisationId, version: &str) -> Result<()> {
        let row = self.visible(Some(viewer), id).await?;
        self.confirm_as(&row, Some(viewer), version).await
    }

    /// Like [`Self::confirm`], for the operator.
    ///
    /// # Errors
    /// As [`Self::confirm`].
    pub async fn confirm_for_operator(&self, id: ReorganisationId, version: &str) -> Result<()> {
        self.confirm_as(&self.row(id).await?, None, version).await
    }

    async fn confirm_as(&self, row: &ReorganisationRow, viewer: Option<&Viewer>, version: &str) -> Result<()> {
        if !row.state()?.is_open() {
            return if row.is_confirmed(version)? { Ok(()) } else { Err(Error::NotAllowed) };
        }
        let planned = self.plan(row, viewer.map(|viewer| &viewer.standpoint)).await?;
        let mut form = FormReader::new("reorganisation_confirm");
        let on = row.on()?;
        form.read("version", version, |version| {
            if on > self.backend.clock().today() {
                Err(Problem::DateRange)
            } else if version != planned.version {
                Err(Problem::Stale)
            } else if planned.plan.refused.is_empty() && !planned.plan.is_empty() {
                Ok(())
            } else {
                Err(Problem::Undecided)
            }
        });
        form.finish()?;
        if planned.tree.is_moving() || self.is_importing().await? {
            return Err(Error::Busy);
        }
        let clock = self.backend.clock();
        let sql = "IF $reorganisation.state NOT IN ['previewed', 'changed'] { THROW 'state' }; \
                   UPDATE $reorganisation SET state = 'confirmed', version = $version, confirmed_by = $by, confirmed_at = $now \
                   RETURN NONE;";
        let vars = vars! {
            reorganisation: record("reorganisation", &row.id),
            version: version,
            by: viewer.map(|viewer| viewer.member.to_string()),
            now: clock.now(),
        };
        let job = NewJob::now(self.backend.keys(), clock, JobKind::Reorganise, row.id.clone(), &row.id)?;
        let done = self.step(Change::new(sql, vars).jobs(clock, vec![job])).await;
        // Sent from two windows at the same moment.
        let is_late = matches!(done, Err(Error::NotAllowed));
        if is_late && self.row(row.key()?).await?.is_confirmed(version)? { Ok(()) } else { done }
    }

    /// The progress.
    ///
    /// # Errors
    /// As [`Self::preview`].
    pub async fn progress(&self, viewer: &Viewer, id: ReorganisationId) -> Result<ReorganisationProgress> {
        self.progress_of(&self.visible(Some(viewer), id).await?).await
    }

    /// Like [`Self::progress`], for the operator.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn progress_for_operator(&self, id: ReorganisationId) -> Result<ReorganisationProgress> {
        self.progress_of(&self.row(id).await?).await
    }

    /// Cancels a reorganisation before the tree has changed.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] when it is too late.
    pub async fn cancel(&self, viewer: &Viewer, id: ReorganisationId) -> Result<()> {
        self.visible(Some(viewer), id).await?;
        self.set_cancelled(id).await
    }

    /// Like [`Self::cancel`], for the operator.
    ///
    /// # Errors
    /// As [`Self::cancel`].
    pub async fn cancel_for_operator(&self, id: ReorganisationId) -> Result<()> {
        self.row(id).await?;
        self.set_cancelled(id).await
    }

    async fn set_cancelled(&self, id: ReorganisationId) -> Result<()> {
        let sql = "IF $reorganisation.state NOT IN ['previewed', 'changed', 'confirmed'] { THROW 'state' }; \
                   UPDATE $reorganisation SET state = 'cancelled', finished_at = $now RETURN NONE;";
        let vars = vars! { reorganisation: record("reorganisation", id), now: self.backend.clock().now() };
        self.step(self.forgetting_rows(Change::new(sql, vars), &id.to_string()).await?).await
    }

    /// Adds to a change that the rows of the files are deleted: only a plan needs them.
    pub(super) async fn forgetting_rows(&self, change: Change, reorganisation: &str) -> Result<Change> {
        let sql = format!("SELECT VALUE id FROM {KEYS}");
        let keys = vars! { keys: pairs_of(ROWS, reorganisation) };
        let rows: Vec<RecordId> = self.backend.store().read(sql, keys).await?.rows(0)?;
        if rows.is_empty() {
            return Ok(change);
        }
        Ok(change.then("DELETE $file_rows RETURN NONE;").bind(vars! { file_rows: rows }))
    }

    /// Commits a change that throws in a state that does not allow it.
    async fn step(&self, change: Change) -> Result<()> {
        match self.backend.transact(change).await {
            Ok(_) => Ok(()),
            Err(StoreError::Thrown(_)) => Err(Error::NotAllowed),
            Err(error) => Err(error.into()),
        }
    }

    /// Plans on today's tree, with these rights; `None` for the operator.
    async fn plan(&self, row: &ReorganisationRow, standpoint: Option<&Standpoint>) -> Result<Planned> {
        let (tree, on) = (self.backend.units().tree(), row.on()?);
        let rows = Arc::new(self.rows(row).await?);
        let divided = self.divided(on).await?;
        let (standpoint, own_tree, own_rows) = (standpoint.cloned(), Arc::clone(&tree), Arc::clone(&rows));
        let planning = spawn_blocking(move || {
            let question = Question {
                tree: &own_tree,
                rows: &own_rows,
                on,
                standpoint: standpoint.as_ref(),
                is_closed: level_is_closed_on,
                divided: &divided,
            };
            let plan = plan::plan(&question);
            let version = plan.version(on);
            (plan, version)
        });
        let (plan, version) = planning.await.map_err(|error| Error::Internal(format!("planning stopped: {error}")))?;
        Ok(Planned { tree, rows, plan: Arc::new(plan), version })
    }

    async fn rows(&self, row: &ReorganisationRow) -> Result<Vec<Row>> {
        let sql = format!("SELECT VALUE content FROM {KEYS}");
        let keys = vars! { keys: pairs_of(ROWS, &row.id) };
        let found: Vec<String> = self.backend.store().read(sql, keys).await?.rows(0)?;
        let mut rows = Vec::new();
        for content in found {
            rows.extend(serde_json::from_str::<Vec<Row>>(&content).map_err(|_| row.damaged())?);
        }
        Ok(rows)
    }

    /// Whether an import is being written. It writes the paths of the tree it began with, also behind the batches that update paths.
    pub(super) async fn is_importing(&self) -> Result<bool> {
        let lapsed = vars! { lapsed: self.backend.clock().now() - MARGIN };
        let running: Vec<RecordId> = self.backend.store().read(IMPORTING, lapsed).await?.rows(0)?;
        Ok(!running.is_empty())
    }

    /// Units that were divided on a day already, with the targets of their other parts.
    async fn divided(&self, on: NaiveDate) -> Result<BTreeMap<UnitId, BTreeSet<UnitId>>> {
        let found: Vec<DividedRow> = self.backend.store().read(DIVIDED, vars! { on: on.to_string() }).await?.rows(0)?;
        let mut divided: BTreeMap<UnitId, BTreeSet<UnitId>> = BTreeMap::new();
        for DividedRow { from_unit, candidates } in found {
            let Ok(unit) = from_unit.parse() else { continue };
            divided.entry(unit).or_default().extend(candidates.iter().filter_map(|unit| unit.parse::<UnitId>().ok()));
        }
        Ok(divided)
    }

    async fn row(&self, id: ReorganisationId) -> Result<ReorganisationRow> {
        let sql = format!("SELECT {COLUMNS} FROM $reorganisation");
        let vars = vars! { reorganisation: record("reorganisation", id) };
        let rows: Vec<ReorganisationRow> = self.backend.store().read(sql, vars).await?.rows(0)?;
        rows.into_iter().next().ok_or(Error::NotFound)
    }

    /// A reorganisation that the viewer began, or that was begun within their subtrees.
    async fn visible(&self, viewer: Option<&Viewer>, id: ReorganisationId) -> Result<ReorganisationRow> {
        let row = self.row(id).await?;
        let may = |viewer: &Viewer| {
            let is_own = row.started_by == Some(viewer.member.to_string()) && top_units(viewer).is_ok();
            let path = UnitPath::parse(&row.path);
            is_own || path.is_ok_and(|path| viewer.standpoint.may_by_office(Action::ManageUnit, &path))
        };
        if viewer.is_none_or(may) { Ok(row) } else { Err(Error::NotFound) }
    }

    async fn summary(&self, row: &ReorganisationRow) -> Result<ReorganisationSummary> {
        let records = |member: &Option<String>| member.iter().map(|member| record("member", member)).collect::<Vec<_>>();
        let vars = vars! { started: records(&row.started_by), confirmed: records(&row.confirmed_by) };
        let mut found = self.backend.store().read(NAMES, vars).await?;
        let started_by = found.rows::<String>(0)?.into_iter().next();
        let confirmed_by = found.rows::<String>(1)?.into_iter().next();
        Ok(ReorganisationSummary {
            id: row.key()?,
            state: row.state()?,
            on: row.on()?,
            files: row.files.iter().map(|file| ReorganisationFile { name: file.name.clone(), rows: file.count() }).collect(),
            started_by,
            started_at: row.started_at,
            confirmed_by,
            confirmed_at: row.confirmed_at,
            finished_at: row.finished_at,
        })
    }
}

/// The highest units whose tree the viewer may change.
fn top_units(viewer: &Viewer) -> Result<Vec<UnitPath>> {
    let top_units: Vec<UnitPath> = viewer.standpoint.top_units(Action::ManageUnit).into_iter().cloned().collect();
    if top_units.is_empty() { Err(Error::NotFound) } else { Ok(top_units) }
}

/// The lowest unit that contains all of these.
fn shared(paths: &[UnitPath]) -> Option<UnitPath> {
    let first = paths.first()?;
    let above: Vec<UnitPath> = first.ancestors_and_self().collect();
    above.into_iter().rev().find(|above| paths.iter().all(|path| above.contains(path)))
}

const ROWS: &str = "reorganisation_rows";

const COLUMNS: &str = "record::id(id) AS id, state, effective_on, path, files, version, numbers, started_by, started_at, \
                       confirmed_by, confirmed_at, finished_at";

const NAMES: &str = "SELECT VALUE full_name FROM $started; SELECT VALUE full_name FROM $confirmed;";

const IMPORTING: &str = "SELECT VALUE id FROM import WHERE state = 'running' AND held_until > $lapsed LIMIT 1";

const DIVIDED: &str = "SELECT from_unit, candidates FROM reassignment WHERE effective_on = $on";

fn listed() -> String {
    format!("SELECT {COLUMNS} FROM reorganisation WHERE path >= $from AND path < $until ORDER BY started_at DESC LIMIT {LISTED}")
}

fn own() -> String {
    format!("SELECT {COLUMNS} FROM reorganisation WHERE started_by = $member ORDER BY started_at DESC LIMIT {LISTED}")
}

#[derive(Debug, SurrealValue)]
struct DividedRow {
    from_unit: String,
    candidates: Vec<String>,
}

#[derive(Debug, Clone, SurrealValue)]
struct FileRow {
    name: String,
    rows: i64,
}

impl FileRow {
    fn count(&self) -> u32 {
        u32::try_from(self.rows).unwrap_or_default()
    }
}

#[derive(Debug, SurrealValue)]
struct NewReorganisation {
    id: RecordId,
    state: String,
    effective_on: String,
    path: String,
    files: Vec<FileRow>,
    started_by: Option<String>,
    started_at: DateTime<Utc>,
}

#[derive(Debug, Clone, SurrealValue)]
struct ReorganisationRow {
    id: String,
    state: String,
    effective_on: String,
    path: String,
    files: Vec<FileRow>,
    version: Option<String>,
    numbers: Option<String>,
    started_by: Option<String>,
    started_at: DateTime<Utc>,
    confirmed_by: Option<String>,
    confirmed_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl ReorganisationRow {
    fn damaged(&self) -> Error {
        Error::Damaged(format!("the reorganisation {}", self.id))
    }

    fn key(&self) -> Result<ReorganisationId> {
        self.id.parse().map_err(|_| self.damaged())
    }

    fn state(&self) -> Result<ReorganisationState> {
        ReorganisationState::from_key(&self.state).ok_or_else(|| self.damaged())
    }

    /// Whether the plan with this version was confirmed, and not refused or cancelled since.
    fn is_confirmed(&self, version: &str) -> Result<bool> {
        let state = self.state()?;
        let goes_on = state == ReorganisationState::Confirmed || state.is_carried_out();
        Ok(goes_on && self.version.as_deref() == Some(version))
    }

    fn on(&self) -> Result<NaiveDate> {
        self.effective_on.parse().map_err(|_| self.damaged())
    }
}
