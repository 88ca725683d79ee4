//! Imports into the registry: a file is stored sealed, checked, confirmed and written.
//!
//! An import is *checking* while its file is first read, *previewed* until somebody confirms it, and *running* until it is
//! written. The work runs in the background; [`Imports::resume`] resumes it after an interruption, including a crash.
//!
//! Invariant: before the confirmation only the row of the import and its sealed file are written.

use std::{
    collections::HashMap,
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, atomic::Ordering::Relaxed},
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    events::{EventBody, ImportedRows},
    forms::{FormReader, Problem, day},
    ids::{ImportId, MemberId},
    imports::{
        CSV_BYTES_MAX, Column, Counts, Failure, FileRows, ImportKind, ImportPage, ImportState, ImportSummary, ImportsPage,
        NewImportPage, Progress, XLSX_BYTES_MAX,
    },
    policy::Action,
    units::{PickPurpose, UnitPath},
};
use tokio::{
    sync::watch,
    task::{JoinHandle, spawn_blocking},
};

use crate::{
    Backend, Error, Result, StoreLocation,
    change::Change,
    events,
    store::{KEYS, RecordId, StoreError, SurrealValue, Variables, pair, pairs_before, record, vars},
};

#[cfg(test)]
mod cases;
mod check;
mod columns;
mod csv_rows;
mod file;
mod preview;
mod read;
mod report;
mod run;
mod sealed;
mod sheets;
mod spreadsheet;
mod table;
mod units;
mod upload;
mod workbook;

pub use report::{Report, csv_line};
pub use spreadsheet::spreadsheet;
pub(crate) use table::{TableUpload, TextCell, TextRow};
pub use upload::Upload;

use file::ImportError;
use preview::{Outcome, RowProgress};

/// Lines of the report shown on the page.
const LINES_SHOWN: usize = 100;

/// Most imports in the list.
const LISTED: usize = 50;

/// How long an unconfirmed file and a report are kept.
const KEPT: TimeDelta = TimeDelta::days(7);

/// Rows deleted in one transaction.
const PURGED_AT_ONCE: usize = 200;

/// How long a process holds an import before another one may take it over, and how often it renews the hold.
const HELD: TimeDelta = TimeDelta::seconds(60);
const HOLD_EVERY: std::time::Duration = std::time::Duration::from_secs(20);

/// Stands for the whole tree while it is empty.
const EVERYTHING: &str = "/";

/// The folder of the files of imports, and the imports that run in this process.
pub struct ImportWorkspace {
    folder: PathBuf,
    /// Whether the folder is private to this process and deleted when it ends.
    is_temporary: bool,
    /// Held while a file is written: concurrent imports would only contend with each other.
    turn: tokio::sync::Mutex<()>,
    at_work: Mutex<HashMap<ImportId, RunningImport>>,
}

struct RunningImport {
    task: JoinHandle<()>,
    /// Closed when the task has ended.
    ended: watch::Receiver<()>,
    progress: RowProgress,
    /// Set when the import was started again while the task may have been finishing, so that the task checks it once more.
    again: bool,
}

impl ImportWorkspace {
    pub(crate) fn for_store(location: &StoreLocation) -> Self {
        let (folder, is_temporary) = match location {
            StoreLocation::Folder(folder) => (folder.join("imports"), false),
            StoreLocation::Memory | StoreLocation::Server { .. } => {
                let name = format!("handbook-imports-{}-{:016x}", std::process::id(), rand::random::<u64>());
                (std::env::temp_dir().join(name), true)
            }
        };
        Self { folder, is_temporary, turn: tokio::sync::Mutex::default(), at_work: Mutex::default() }
    }

    fn file(&self, import: &str) -> PathBuf {
        self.folder.join(import)
    }

    fn report(&self, import: &str) -> PathBuf {
        self.folder.join(format!("{import}.report"))
    }

    fn progress(&self, import: ImportId) -> Option<RowProgress> {
        let at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        at_work.get(&import).filter(|work| !work.task.is_finished()).map(|work| work.progress.clone())
    }

    /// Whether the task that closes `ended` must check the import once more. If not, the import is removed from the running ones,
    /// and the next start spawns another task.
    fn goes_on(&self, import: ImportId, ended: &watch::Receiver<()>) -> bool {
        let mut at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        // A stopped task is no longer registered here, though another one for the same import may be.
        let Some(work) = at_work.get_mut(&import).filter(|work| work.ended.same_channel(ended)) else { return false };
        let again = std::mem::take(&mut work.again);
        if !again {
            at_work.remove(&import);
        }
        again
    }
}

impl Drop for ImportWorkspace {
    fn drop(&mut self) {
        if self.is_temporary && self.folder.exists() {
            // Files that cannot be removed are sealed with a key that no longer exists.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The use-cases on imports.
#[derive(Clone, Copy)]
pub struct Imports<'a> {
    backend: &'a Backend,
}

/// The form that announces a file.
#[derive(Debug, Clone, Copy)]
pub struct UploadForm<'f> {
    pub kind: &'f str,
    /// The unit whose subtree the file may change.
    pub unit: &'f str,
    pub file_name: &'f str,
}

impl<'a> Imports<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// The kinds that the viewer can import.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may import for no unit.
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn kinds(&self, viewer: &Viewer) -> Result<Vec<ImportKind>> {
        let may = |kind: &ImportKind| !viewer.standpoint.top_units(action(*kind)).is_empty();
        let kinds: Vec<ImportKind> = ImportKind::ALL.into_iter().filter(may).collect();
        if kinds.is_empty() { Err(Error::NotFound) } else { Ok(kinds) }
    }

    /// The kinds that the viewer can import, and units to import into: those found by the words or the code `find`, and the
    /// selected one. `unit` is its id; the highest one is selected in place of a unit for which the viewer may not import.
    ///
    /// # Errors
    /// As [`Self::kinds`].
    pub async fn blank(&self, viewer: &Viewer, unit: &str, find: &str) -> Result<NewImportPage> {
        let kinds = self.kinds(viewer).await?;
        let desk = self.backend.unit_desk();
        let mut units = desk.pick_one(viewer, PickPurpose::Import, unit, find)?;
        if units.selected.is_none() {
            units.selected = desk.highest(viewer, PickPurpose::Import);
        }
        Ok(NewImportPage { kinds, units })
    }

    /// The imports of the subtrees for which the viewer may import.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may import for no unit.
    pub async fn list(&self, viewer: &Viewer) -> Result<ImportsPage> {
        let mut rows: Vec<ImportRow> = Vec::new();
        let mut top_units: Vec<&UnitPath> =
            ImportKind::ALL.iter().flat_map(|kind| viewer.standpoint.top_units(action(*kind))).collect();
        top_units.sort_unstable();
        top_units.dedup_by(|below, above| above.contains(below));
        if top_units.is_empty() {
            return Err(Error::NotFound);
        }
        for top_unit in top_units {
            let sql = format!("{SELECT} FROM import WHERE path >= $from AND path < $end ORDER BY started_at DESC LIMIT {LISTED}");
            let vars = vars! { from: top_unit.to_string(), end: top_unit.range_end() };
            rows.extend(self.backend.store().read(sql, vars).await?.rows::<ImportRow>(0)?);
        }
        rows.retain(|row| row.is_kept_by(viewer));
        rows.sort_by(|one, other| other.started_at.cmp(&one.started_at).then_with(|| other.id.cmp(&one.id)));
        rows.truncate(LISTED);
        let mut imports = Vec::with_capacity(rows.len());
        for row in &rows {
            imports.push(self.summary_of(row).await?);
        }
        Ok(ImportsPage { imports })
    }

    /// Starts the upload of a file.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may import for no unit, [`Error::Invalid`] of the form `upload` with the fields
    /// `kind` and `unit`.
    pub async fn receive(&self, viewer: &Viewer, typed: UploadForm<'_>) -> Result<Upload> {
        let kinds = self.kinds(viewer).await?;
        let tree = self.backend.units().tree();
        let mut form = FormReader::new("upload");
        let kind = form.read("kind", typed.kind, |key| {
            ImportKind::from_key(key).filter(|kind| kinds.contains(kind)).ok_or(Problem::NotOffered)
        });
        let unit = form.read("unit", typed.unit, |id| tree.named(id).ok_or(Problem::NotOffered));
        let (Some(kind), Some(unit)) = (kind, unit) else {
            return Err(form.finish().err().map_or(Error::NotFound, Error::Invalid));
        };
        if !viewer.standpoint.may(action(kind), &unit.path) {
            return Err(form.refused("unit", Problem::NotOffered).into());
        }
        Upload::begin(self.backend, kind, unit.path.as_str(), Some(viewer.member), typed.file_name)
    }

    /// Starts the upload of a file of the operator, without a viewer: for the command line only. `unit` is a path of codes; none
    /// for the whole tree.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the unit does not exist.
    pub fn receive_from_operator(&self, kind: ImportKind, unit: Option<&str>, file_name: &str) -> Result<Upload> {
        let tree = self.backend.units().tree();
        let unit = match unit {
            Some(codes) => {
                let path = UnitPath::parse(&format!("/{}/", codes.trim_matches('/'))).map_err(|_| Error::NotFound)?;
                Some(tree.at(&path).ok_or(Error::NotFound)?)
            }
            None => tree.all().next(),
        };
        Upload::begin(self.backend, kind, unit.map_or(EVERYTHING, |unit| unit.path.as_str()), None, file_name)
    }

    /// The page of an import.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it does not exist, or the viewer may not read it.
    pub async fn page(&self, viewer: &Viewer, import: ImportId) -> Result<ImportPage> {
        let row = self.kept_by(viewer, import).await?;
        self.page_of(&row).await
    }

    /// Like [`Self::page`], for the operator.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn page_for_operator(&self, import: ImportId) -> Result<ImportPage> {
        self.page_of(&self.row(import).await?).await
    }

    /// The progress of an import.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it does not exist, or the viewer may not read it.
    pub async fn progress(&self, viewer: &Viewer, import: ImportId) -> Result<Progress> {
        let row = self.kept_by(viewer, import).await?;
        self.progress_of(&row).await
    }

    /// Like [`Self::progress`], for the operator.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn progress_for_operator(&self, import: ImportId) -> Result<Progress> {
        self.progress_of(&self.row(import).await?).await
    }

    /// The current row of the file; none when the import does not run in this process.
    fn at_row(&self, import: ImportId) -> Option<u64> {
        self.backend.workspace().progress(import).map(|progress| progress.rows.load(Relaxed))
    }

    /// Changes the mapping of the file's columns: for each the key of a column, or an empty text. The file is checked again.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `mapping` with the field `columns`: [`Problem::ToBeVerified`] when the file has reached the
    /// limit of national IDs known outside the subtree, since another column could contain more. [`Error::NotAllowed`] when the
    /// import is already confirmed.
    pub async fn remap(&self, viewer: &Viewer, import: ImportId, columns: &[String]) -> Result<()> {
        let row = self.kept_by(viewer, import).await?;
        let kind = row.kind()?;
        let mut form = FormReader::new("mapping");
        let mut taken = Vec::new();
        let read = |key: &String| match key.as_str() {
            "" => Ok(String::new()),
            key => {
                let column = Column::from_key(key).filter(|column| column.belongs_to() == kind).ok_or(Problem::NotOffered)?;
                if taken.contains(&column) {
                    return Err(Problem::Taken);
                }
                taken.push(column);
                Ok(key.to_owned())
            }
        };
        let mapping: Result<Vec<String>, Problem> = columns.iter().map(read).collect();
        let mapping = match mapping {
            Ok(mapping) if mapping.len() == row.headers.len() => mapping,
            Ok(_) => return Err(form.refused("columns", Problem::NotOffered).into()),
            Err(problem) => {
                form.refuse("columns", problem);
                return Err(form.finish().err().map_or(Error::NotFound, Error::Invalid));
            }
        };
        if row.foreign_ids.as_ref().is_some_and(|ids| ids.len() >= check::FOREIGN_IDS_MAX) {
            return Err(form.refused("columns", Problem::ToBeVerified).into());
        }
        let sql = "IF $import.state != 'previewed' { THROW 'state' }; \
                   UPDATE $import SET mapping = $mapping, state = 'checking', foreign_before = foreign_ids RETURN NONE;";
        self.step(sql, vars! { import: record("import", import), mapping: mapping }).await?;
        self.start(import);
        Ok(())
    }

    /// Confirms an import, so that it is written. `as_of` is the day of the data; empty for today.
    ///
    /// A file of units is first checked again when this is another day than that of its preview, or when the preview has nothing to
    /// write: which rows are refused depends on the day.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `confirm` with the field `as_of`; [`Error::NotAllowed`] when the import cannot be
    /// confirmed, or already was.
    pub async fn confirm(&self, viewer: &Viewer, import: ImportId, as_of: &str) -> Result<()> {
        let row = self.kept_by(viewer, import).await?;
        let today = self.backend.clock().today();
        let mut form = FormReader::new("confirm");
        let as_of = form.read("as_of", as_of, |typed| {
            let day = if typed.trim().is_empty() { today } else { day(typed)? };
            if day > today { Err(Problem::DateRange) } else { Ok(day) }
        });
        form.finish()?;
        if !self.missing(&row)?.is_empty() {
            return Err(Error::NotAllowed);
        }
        let as_of = as_of.unwrap_or(today);
        if row.kind()? == ImportKind::Units && (as_of != row.day()? || row.counts().to_write() == 0) {
            let sql = "IF $import.state != 'previewed' { THROW 'state' }; \
                       UPDATE $import SET as_of = $as_of, state = 'checking' RETURN NONE;";
            self.step(sql, vars! { import: record("import", import), as_of: as_of.to_string() }).await?;
        } else {
            self.allow(&row, as_of).await?;
        }
        self.start(import);
        Ok(())
    }

    /// Cancels an import before anything was written.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] when it is too late.
    pub async fn cancel(&self, viewer: &Viewer, import: ImportId) -> Result<()> {
        self.kept_by(viewer, import).await?;
        self.give_up(import).await
    }

    /// All lines of the report.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no report, or it was deleted.
    pub async fn report(&self, viewer: &Viewer, import: ImportId) -> Result<Report> {
        let row = self.kept_by(viewer, import).await?;
        self.report_of(&row)
    }

    /// Like [`Self::report`], for the operator.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn report_for_operator(&self, import: ImportId) -> Result<Report> {
        self.report_of(&self.row(import).await?)
    }

    /// For the operator: checks the file and waits until that is done.
    ///
    /// # Errors
    /// Those of the store. Problems of the file are on its page.
    pub async fn check(&self, import: ImportId) -> Result<()> {
        self.start(import);
        self.settled(import).await
    }

    /// For the operator: writes the file and waits until that is done.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] when the file cannot be written, or already was; those of the store.
    pub async fn write(&self, import: ImportId, as_of: Option<NaiveDate>) -> Result<()> {
        let row = self.row(import).await?;
        if !self.missing(&row)?.is_empty() {
            return Err(Error::NotAllowed);
        }
        self.allow(&row, as_of.unwrap_or_else(|| self.backend.clock().today())).await?;
        self.start(import);
        self.settled(import).await
    }

    /// For the operator: cancels an import before anything was written.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] when it is too late.
    pub async fn drop_for_operator(&self, import: ImportId) -> Result<()> {
        self.give_up(import).await
    }

    /// The operator's import of the same file that was interrupted during writing.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn interrupted(&self, kind: ImportKind, file_hash: &str) -> Result<Option<ImportId>> {
        let sql = format!("{SELECT} FROM import WHERE state = 'running'");
        let rows: Vec<ImportRow> = self.backend.store().read(sql, ()).await?.rows(0)?;
        let same = |row: &&ImportRow| row.started_by.is_none() && row.kind == kind.key() && row.file_hash == file_hash;
        Ok(rows.iter().find(same).and_then(|row| row.id.parse().ok()))
    }

    /// For the operator: resumes an interrupted import and waits until it is done.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn go_on(&self, import: ImportId) -> Result<()> {
        self.start(import);
        self.settled(import).await
    }

    /// Waits until the import no longer runs in this process.
    ///
    /// # Errors
    /// [`Error::Busy`] when it was interrupted and will be resumed later.
    pub async fn settled(&self, import: ImportId) -> Result<()> {
        let mut ended = {
            let at_work = self.backend.workspace().at_work.lock().unwrap_or_else(PoisonError::into_inner);
            at_work.get(&import).map(|work| work.ended.clone())
        };
        if let Some(ended) = &mut ended {
            // The sender is dropped with the task, however that ends.
            while ended.changed().await.is_ok() {}
        }
        if self.row(import).await?.state()?.is_at_work() { Err(Error::Busy) } else { Ok(()) }
    }

    /// Resumes interrupted imports of this process and of other processes that have ended. Returns their number.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn resume(&self) -> Result<usize> {
        let sql = format!("{SELECT} FROM import WHERE state = 'running'; {SELECT} FROM import WHERE state = 'checking'");
        let mut answers = self.backend.store().read(sql, ()).await?;
        let mut rows: Vec<ImportRow> = answers.rows(0)?;
        rows.extend(answers.rows::<ImportRow>(1)?);
        let now = self.backend.clock().now();
        let mut resumed = 0;
        for row in rows {
            // Only one process uses a folder; with a database server another process may have the file.
            let is_ours = self.backend.workspace().file(&row.id).exists();
            let is_held = self.backend.workspace().is_temporary && row.held_until.is_some_and(|until| until > now);
            let id = row.key()?;
            if is_held || self.backend.workspace().progress(id).is_some() {
                continue;
            }
            if is_ours {
                self.start(id);
                resumed += 1;
            } else if row.started_at < now - HELD {
                // The process that had the file has ended, and its folder was deleted.
                self.fail(&row, Failure::Lost).await?;
            }
        }
        Ok(resumed)
    }

    /// Stops all imports of this process. [`Self::resume`] resumes them.
    pub async fn stop(&self) {
        let works: Vec<(ImportId, RunningImport)> = {
            let mut at_work = self.backend.workspace().at_work.lock().unwrap_or_else(PoisonError::into_inner);
            at_work.drain().collect()
        };
        for (import, work) in works {
            work.task.abort();
            // The result is that of an aborted task.
            let _ = work.task.await;
            self.let_go(import).await;
        }
    }

    async fn let_go(&self, import: ImportId) {
        let change = Change::new("UPDATE $import SET held_until = NONE RETURN NONE", vars! { import: record("import", import) });
        if let Err(error) = self.backend.transact(change).await {
            tracing::warn!(%error, "cannot release an import; other processes resume it only when its hold expires");
        }
    }

    /// Cancels imports that were not confirmed in time and deletes old reports. Returns the number of cancelled imports.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn purge(&self) -> Result<usize> {
        let before = self.backend.clock().now() - KEPT;
        let sql = format!("{SELECT} FROM import WHERE state = 'previewed'");
        let rows: Vec<ImportRow> = self.backend.store().read(sql, ()).await?.rows(0)?;
        let mut given_up = 0;
        for row in rows.iter().filter(|row| row.started_at < before) {
            match self.give_up(row.key()?).await {
                Ok(()) => given_up += 1,
                // It was confirmed concurrently.
                Err(Error::NotAllowed) => {}
                Err(error) => return Err(error),
            }
        }
        self.sweep(before).await?;
        self.forget_written(before).await?;
        Ok(given_up)
    }

    /// Deletes the lists of members written by imports before this time. The counters no longer need them.
    async fn forget_written(&self, before: DateTime<Utc>) -> Result<()> {
        let sql = format!("SELECT VALUE id FROM {KEYS} LIMIT {PURGED_AT_ONCE}");
        loop {
            let keys = pairs_before("import_written", events::lowest(before));
            let rows: Vec<RecordId> = self.backend.store().read(&*sql, vars! { keys: keys }).await?.rows(0)?;
            if rows.is_empty() {
                return Ok(());
            }
            self.backend.transact(Change::new("DELETE $rows RETURN NONE", vars! { rows: rows })).await?;
        }
    }

    /// Deletes files created before this time whose import has ended or does not exist.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<()> {
        let folder = &self.backend.workspace().folder;
        let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
        for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            // The file itself, its report, and unfinished reports.
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split('.').next());
            let Some(id) = name.and_then(|id| id.parse::<ImportId>().ok()) else { continue };
            let is_old = DateTime::from_timestamp_millis(i64::try_from(id.ulid().timestamp_ms()).unwrap_or(i64::MAX))
                .is_some_and(|made| made < before);
            if !is_old {
                continue;
            }
            let is_over = match self.row(id).await {
                Ok(row) => row.state()?.is_over(),
                Err(Error::NotFound) => true,
                Err(error) => return Err(error),
            };
            if is_over {
                remove(&path);
            }
        }
        Ok(())
    }

    async fn allow(&self, row: &ImportRow, as_of: NaiveDate) -> Result<()> {
        let kind = row.kind()?;
        let mapping = pair("import_mapping", &row.path, columns::header_fingerprint(kind, &row.headers));
        let sql = "IF $import.state != 'previewed' { THROW 'state' }; \
                   UPDATE $import SET state = 'running', as_of = $as_of RETURN NONE; \
                   UPSERT $remembered SET mapping = $mapping, saved_at = $now RETURN NONE;";
        let vars = vars! {
            import: record("import", &row.id),
            as_of: as_of.to_string(),
            remembered: mapping,
            mapping: row.mapping.clone(),
            now: self.backend.clock().now(),
        };
        self.step(sql, vars).await
    }

    async fn give_up(&self, import: ImportId) -> Result<()> {
        let sql = "IF $import.state NOT IN ['previewed', 'checking'] { THROW 'state' }; \
                   UPDATE $import SET state = 'cancelled', finished_at = $now RETURN NONE;";
        self.step(sql, vars! { import: record("import", import), now: self.backend.clock().now() }).await?;
        let work = {
            let mut at_work = self.backend.workspace().at_work.lock().unwrap_or_else(PoisonError::into_inner);
            at_work.remove(&import)
        };
        if let Some(work) = work {
            work.task.abort();
            // The result is that of an aborted task.
            let _ = work.task.await;
        }
        let workspace = self.backend.workspace();
        remove(&workspace.file(&import.to_string()));
        remove(&workspace.report(&import.to_string()));
        Ok(())
    }

    async fn step(&self, sql: &str, vars: Variables) -> Result<()> {
        match self.backend.transact(Change::new(sql, vars)).await {
            Ok(_) => Ok(()),
            Err(StoreError::Thrown(_)) => Err(Error::NotAllowed),
            Err(error) => Err(error.into()),
        }
    }

    /// Starts the import in a background task. If it already runs in this process, its task checks the import once more at the
    /// end, because it may have read the row before the latest change.
    fn start(&self, import: ImportId) {
        let mut at_work = self.backend.workspace().at_work.lock().unwrap_or_else(PoisonError::into_inner);
        at_work.retain(|_, work| !work.task.is_finished());
        if let Some(work) = at_work.get_mut(&import) {
            work.again = true;
            return;
        }
        let (backend, progress) = (self.backend.clone(), RowProgress::default());
        let (ending, ended) = watch::channel(());
        let (reported, own) = (progress.clone(), ended.clone());
        let task = tokio::spawn(async move {
            let _ending = ending;
            let imports = backend.imports();
            loop {
                let reported = reported.anew();
                let outcome = tokio::select! {
                    outcome = imports.work(import, &reported) => outcome,
                    never = imports.hold(import) => match never {},
                };
                if let Err(error) = outcome {
                    tracing::error!(%import, error = &error as &dyn std::error::Error, "an import stopped; it will be resumed");
                    imports.let_go(import).await;
                }
                if !backend.workspace().goes_on(import, &own) {
                    break;
                }
            }
        });
        at_work.insert(import, RunningImport { task, ended, progress, again: false });
    }

    /// Renews the hold on an import until cancelled.
    async fn hold(&self, import: ImportId) -> Infallible {
        let mut ticks = tokio::time::interval(HOLD_EVERY);
        loop {
            ticks.tick().await;
            let until = self.backend.clock().now() + HELD;
            let vars = vars! { import: record("import", import), until: until };
            match self.backend.transact(Change::new("UPDATE $import SET held_until = $until RETURN NONE;", vars)).await {
                // On conflicts with other writers of the row, the next tick retries. The work itself is not affected.
                Ok(_) | Err(StoreError::Busy) => {}
                // Nor is it affected by a single failure of the store.
                Err(error) => {
                    tracing::warn!(%import, error = &error as &dyn std::error::Error, "cannot renew the hold on an import; retrying");
                }
            }
        }
    }

    async fn work(&self, import: ImportId, progress: &RowProgress) -> Result<()> {
        let mut row = self.row(import).await?;
        let outcome = match row.state()? {
            ImportState::Checking => self.run_preview(&mut row, progress).await,
            ImportState::Running => {
                let _turn = self.backend.workspace().turn.lock().await;
                self.finish(&row, progress).await
            }
            _ => return Ok(()),
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => self.fail_or_retry(&row, error).await,
        }
    }

    /// Fails an import whose file cannot be read. Other errors are retried.
    async fn fail_or_retry(&self, row: &ImportRow, error: ImportError) -> Result<()> {
        let is_elsewhere = matches!(error, ImportError::Other(Error::Busy | Error::Store(_)));
        if !is_elsewhere && self.is_damaged(row).await {
            tracing::error!(import = %row.id, "the stored file of an import is damaged; it must be uploaded again");
            return self.fail(row, Failure::Damaged).await;
        }
        match error {
            ImportError::File(failure) => self.fail(row, failure).await,
            ImportError::Other(error) => Err(error),
        }
    }

    /// Whether the stored file can no longer be decrypted. The spreadsheet reader reports that as a broken spreadsheet, so the
    /// whole file is checked.
    async fn is_damaged(&self, row: &ImportRow) -> bool {
        let (path, name, keys) = (self.backend.workspace().file(&row.id), row.id.clone(), self.backend.keys().clone());
        let checked = spawn_blocking(move || sealed::check(&path, &name, &keys)).await;
        matches!(checked, Ok(Err(Error::Damaged(_))))
    }

    async fn run_preview(&self, row: &mut ImportRow, progress: &RowProgress) -> Result<(), ImportError> {
        let outcome = self.examine(row, progress).await?;
        let sql = format!("UPDATE $import SET state = 'previewed', {COUNTED} WHERE state = 'checking' RETURN NONE;");
        let change = Change::new(&sql, counted(outcome)).bind(vars! { import: record("import", &row.id) });
        self.backend.transact(change).await?;
        Ok(())
    }

    async fn examine(&self, row: &mut ImportRow, progress: &RowProgress) -> Result<Outcome, ImportError> {
        let kind = row.kind()?;
        if row.headers.is_empty() {
            let preview::Found { header, sheet, unread } =
                preview::header(&preview::Source::of(self.backend, row)?, kind).await?;
            row.header_row = count(header.row);
            row.depth = Some(count(header.depth));
            row.headers = header.words;
            (row.sheet, row.unread_sheets) = (sheet, Some(unread));
            row.mapping = self.mapping(kind, row).await?;
            let sql = "UPDATE $import SET headers = $headers, header_row = $row, depth = $depth, mapping = $mapping, \
                       sheet = $sheet, unread_sheets = $unread RETURN NONE;";
            let vars = vars! {
                import: record("import", &row.id),
                headers: row.headers.clone(),
                row: row.header_row,
                depth: row.depth,
                mapping: row.mapping.clone(),
                sheet: row.sheet.clone(),
                unread: row.unread_sheets.clone(),
            };
            self.backend.transact(Change::new(sql, vars)).await?;
        }
        if self.missing(row)?.is_empty() {
            preview::examine(self.backend, row, &row.columns(), progress).await
        } else {
            Ok(Outcome::default())
        }
    }

    /// The mapping last confirmed for the same header, or one derived from the header's words.
    async fn mapping(&self, kind: ImportKind, row: &ImportRow) -> Result<Vec<String>> {
        let id = pair("import_mapping", &row.path, columns::header_fingerprint(kind, &row.headers));
        let sql = "SELECT VALUE mapping FROM $remembered";
        let remembered: Vec<Vec<String>> = self.backend.store().read(sql, vars! { remembered: id }).await?.rows(0)?;
        if let Some(known) = remembered.into_iter().next().filter(|known| known.len() == row.headers.len()) {
            return Ok(known);
        }
        let guessed = columns::guess(kind, &row.headers);
        Ok(guessed.into_iter().map(|column| column.map(Column::key).unwrap_or_default().to_owned()).collect())
    }

    async fn fail(&self, row: &ImportRow, failure: Failure) -> Result<()> {
        let clock = self.backend.clock();
        let counts = self.written_so_far(row).await?;
        let vars = vars! {
            import: record("import", &row.id),
            failure: failure.key(),
            now: clock.now(),
            written: written(row.kind()?, counts).filter(|count| *count > 0),
        };
        // A process that takes over an import without a hold may arrive after it was completed.
        let sql = "LET $fails = $import.state IN ['checking', 'running']; \
                   IF $fails { \
                       UPDATE $import SET state = 'failed', failure = $failure, finished_at = $now, written = $written RETURN NONE \
                   };";
        let mut change = Change::new(sql, vars);
        // Rows written before the failure remain and are counted.
        if counts.fresh + counts.changed > 0
            && let Some(End { actor, unit, body }) = self.end_of(row, counts)?
        {
            change = change.event_if("$fails", clock, actor, &unit, body);
        }
        self.backend.transact(change).await?;
        remove(&self.backend.workspace().file(&row.id));
        Ok(())
    }

    /// The figures of the rows written so far by a running import.
    async fn written_so_far(&self, row: &ImportRow) -> Result<Counts> {
        let mut counts = Counts::default();
        if row.kind()? == ImportKind::Members {
            for checkpoint in run::checkpoints(self.backend, &row.id).await? {
                counts += checkpoint.counts();
            }
        }
        Ok(counts)
    }

    async fn finish(&self, row: &ImportRow, progress: &RowProgress) -> Result<(), ImportError> {
        let outcome = match row.kind()? {
            ImportKind::Members => run::write_members(self.backend, row, &row.columns(), progress).await?,
            ImportKind::Units => units::write_units(self.backend, row, &row.columns(), progress).await?,
        };
        let sql = format!(
            "IF $import.state != 'running' {{ THROW 'state' }}; \
             UPDATE $import SET state = 'done', finished_at = $now, {COUNTED}, written = $written, held_until = NONE RETURN NONE; \
             DELETE $lanes RETURN NONE;"
        );
        let (clock, counts) = (self.backend.clock(), outcome.counts);
        let checkpoints: Vec<RecordId> = (0..run::WRITERS).map(|number| run::checkpoint_id(&row.id, number)).collect();
        let mut change = Change::new(&sql, counted(outcome)).bind(vars! {
            import: record("import", &row.id),
            now: clock.now(),
            written: written(row.kind()?, counts),
            lanes: checkpoints,
        });
        if let Some(End { actor, unit, body }) = self.end_of(row, counts)? {
            change = change.event(clock, actor, &unit, body);
        }
        match self.backend.transact(change).await {
            Ok(_) => {}
            // Another run has completed it.
            Err(StoreError::Thrown(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        remove(&self.backend.workspace().file(&row.id));
        Ok(())
    }

    /// The event of a completed import. None for a store without units, since the event needs a unit.
    fn end_of(&self, row: &ImportRow, counts: Counts) -> Result<Option<End>> {
        let Some(unit) = units::home(&self.backend.units().tree(), row.scope()?.as_ref()) else { return Ok(None) };
        let (import, kind) = (row.key()?, row.kind()?);
        let rows = Some(ImportedRows { fresh: counts.fresh, changed: counts.changed, refused: counts.refused });
        let body = match kind {
            ImportKind::Members => EventBody::MembersImported { import, rows },
            ImportKind::Units => EventBody::UnitsImported { import, rows },
        };
        Ok(Some(End { actor: row.actor(), unit: unit.path, body }))
    }

    async fn page_of(&self, row: &ImportRow) -> Result<ImportPage> {
        let headers = row.headers.iter().cloned().zip(row.columns()).collect();
        let (refused, remarks) = match self.report_of(row) {
            Ok(report) => report.first(LINES_SHOWN)?,
            Err(Error::NotFound) => (Vec::new(), Vec::new()),
            Err(error) => return Err(error),
        };
        Ok(ImportPage {
            import: self.summary_of(row).await?,
            progress: self.progress_of(row).await?,
            headers,
            missing: if row.headers.is_empty() { Vec::new() } else { self.missing(row)? },
            refused,
            refused_lines: u64::try_from(row.lines).unwrap_or_default(),
            remarks,
            remark_lines: row.remarks.and_then(|remarks| u64::try_from(remarks).ok()).unwrap_or_default(),
            sheet: row.sheet.clone(),
            unread_sheets: row.unread_sheets.clone().unwrap_or_default(),
            as_of: row.as_of.parse().unwrap_or_else(|_| self.backend.clock().today()),
        })
    }

    async fn summary_of(&self, row: &ImportRow) -> Result<ImportSummary> {
        let started_by = match &row.started_by {
            Some(member) => {
                let sql = "SELECT VALUE full_name FROM $member";
                let names: Vec<String> =
                    self.backend.store().read(sql, vars! { member: record("member", member) }).await?.rows(0)?;
                names.into_iter().next()
            }
            None => None,
        };
        Ok(ImportSummary {
            id: row.key()?,
            kind: row.kind()?,
            state: row.state()?,
            failure: row.failure.as_deref().and_then(Failure::from_key),
            file_name: row.file_name.clone(),
            unit: row.scope()?.and_then(|scope| self.backend.units().tree().at(&scope).cloned()),
            started_by,
            started_at: row.started_at,
            finished_at: row.finished_at,
            counts: row.counts(),
            rows: row.file_rows(),
        })
    }

    async fn progress_of(&self, row: &ImportRow) -> Result<Progress> {
        let state = row.state()?;
        let total = row.counts().total();
        let at_row = match row.id.parse() {
            Ok(id) => self.at_row(id).unwrap_or_default().saturating_sub(u64::try_from(row.header_row).unwrap_or_default()),
            Err(_) => 0,
        };
        let done = match (state, row.kind()?) {
            (ImportState::Running, ImportKind::Members) => {
                run::checkpoints(self.backend, &row.id).await?.into_iter().map(|checkpoint| checkpoint.counts().total()).sum()
            }
            (ImportState::Checking | ImportState::Running, _) => at_row,
            _ => total,
        };
        Ok(Progress { state, done, total: if state == ImportState::Checking { 0 } else { total } })
    }

    /// The required columns that the file lacks. A file for a single branch needs no column for the branch.
    fn missing(&self, row: &ImportRow) -> Result<Vec<Column>> {
        let columns = row.columns();
        let tree = self.backend.units().tree();
        let is_branch = row.scope()?.is_some_and(|scope| tree.at(&scope).is_some_and(|unit| unit.kind.holds_members()));
        let is_missing = |column: &Column| {
            column.is_required() && !columns.contains(&Some(*column)) && !(*column == Column::Branch && is_branch)
        };
        // Paper lists put the birth date into a column for men or one for women.
        let is_sided = [Column::Male, Column::Female].iter().all(|column| columns.contains(&Some(*column)));
        let is_missing = |column: &Column| is_missing(column) && !(is_sided && matches!(column, Column::Sex | Column::BirthDate));
        Ok(Column::of(row.kind()?).filter(is_missing).collect())
    }

    fn report_of(&self, row: &ImportRow) -> Result<Report> {
        Report::open(&self.backend.workspace().report(&row.id), &preview::report_name(&row.id), self.backend.keys())
    }

    async fn kept_by(&self, viewer: &Viewer, import: ImportId) -> Result<ImportRow> {
        let row = self.row(import).await?;
        if row.is_kept_by(viewer) { Ok(row) } else { Err(Error::NotFound) }
    }

    async fn row(&self, import: ImportId) -> Result<ImportRow> {
        let sql = format!("{SELECT} FROM $import");
        let rows: Vec<ImportRow> = self.backend.store().read(sql, vars! { import: record("import", import) }).await?.rows(0)?;
        rows.into_iter().next().ok_or(Error::NotFound)
    }
}

/// The event of a completed import.
struct End {
    actor: Option<MemberId>,
    unit: UnitPath,
    body: EventBody,
}

/// The number of members an import wrote; none for an import of units.
fn written(kind: ImportKind, counts: Counts) -> Option<i64> {
    (kind == ImportKind::Members).then_some(count(counts.fresh + counts.changed))
}

/// The permission an import requires.
const fn action(kind: ImportKind) -> Action {
    match kind {
        ImportKind::Units => Action::ManageUnit,
        ImportKind::Members => Action::ManageMembers,
    }
}

/// The assignments of the figures bound by [`counted`].
const COUNTED: &str = "fresh = $fresh, changed = $changed, unchanged = $unchanged, refused = $refused, lines = $lines, \
                       remarks = $remarks, rows_met = $rows_met, passed = $passed, converted = $converted";

fn counted(outcome: Outcome) -> Variables {
    let Outcome { counts, reported, met } = outcome;
    vars! {
        fresh: count(counts.fresh),
        changed: count(counts.changed),
        unchanged: count(counts.unchanged),
        refused: count(counts.refused),
        lines: count(reported.lines),
        remarks: count(reported.remarks),
        rows_met: count(met.rows),
        passed: count(reported.passed),
        converted: count(met.converted),
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Removes a file. If that fails, [`Imports::purge`] removes it later.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, file = %path.display(), "cannot remove a file of an import; it is removed later");
    }
}

const SELECT: &str = "SELECT record::id(id) AS id, kind, state, failure, file_name, file_hash, format, headers, header_row, mapping, \
                      path, as_of, started_by, started_at, finished_at, held_until, fresh, changed, unchanged, refused, lines, \
                      remarks, rows_met, passed, converted, depth, sheet, unread_sheets, foreign_ids, foreign_before";

#[derive(Debug, Clone, SurrealValue)]
struct ImportRow {
    id: String,
    kind: String,
    state: String,
    failure: Option<String>,
    file_name: String,
    file_hash: String,
    format: String,
    headers: Vec<String>,
    header_row: i64,
    mapping: Vec<String>,
    path: String,
    as_of: String,
    started_by: Option<String>,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    held_until: Option<DateTime<Utc>>,
    fresh: i64,
    changed: i64,
    unchanged: i64,
    refused: i64,
    lines: i64,
    remarks: Option<i64>,
    rows_met: Option<i64>,
    passed: Option<i64>,
    converted: Option<i64>,
    depth: Option<i64>,
    sheet: Option<String>,
    unread_sheets: Option<Vec<String>>,
    foreign_ids: Option<Vec<String>>,
    foreign_before: Option<Vec<String>>,
}

impl ImportRow {
    /// What its rows are compared with in addition to the registry: see [`check::Ledger`].
    fn met_before(&self) -> &[String] {
        self.foreign_before.as_deref().unwrap_or_default()
    }

    fn damaged(&self) -> Error {
        Error::Damaged(format!("import {}", self.id))
    }

    fn key(&self) -> Result<ImportId> {
        self.id.parse().map_err(|_| self.damaged())
    }

    /// Who uploaded the file; none for the operator.
    fn actor(&self) -> Option<MemberId> {
        self.started_by.as_ref().and_then(|member| member.parse().ok())
    }

    fn kind(&self) -> Result<ImportKind> {
        ImportKind::from_key(&self.kind).ok_or_else(|| self.damaged())
    }

    fn state(&self) -> Result<ImportState> {
        ImportState::from_key(&self.state).ok_or_else(|| self.damaged())
    }

    /// The day for which the data of the file is valid.
    fn day(&self) -> Result<NaiveDate> {
        self.as_of.parse().map_err(|_| self.damaged())
    }

    /// None for the whole tree.
    fn scope(&self) -> Result<Option<UnitPath>> {
        if self.path == EVERYTHING {
            return Ok(None);
        }
        UnitPath::parse(&self.path).map(Some).map_err(|_| self.damaged())
    }

    fn columns(&self) -> Vec<Option<Column>> {
        self.mapping.iter().map(|key| Column::from_key(key)).collect()
    }

    fn counts(&self) -> Counts {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        Counts {
            fresh: count(self.fresh),
            changed: count(self.changed),
            unchanged: count(self.unchanged),
            refused: count(self.refused),
        }
    }

    fn file_rows(&self) -> Option<FileRows> {
        let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        let rows = count(self.rows_met)?;
        Some(FileRows {
            rows,
            passed: count(self.passed).unwrap_or_default(),
            converted: count(self.converted).unwrap_or_default(),
        })
    }

    /// When it started, in Unix milliseconds: the time part of the ids it creates.
    fn millis(&self) -> u64 {
        u64::try_from(self.started_at.timestamp_millis()).unwrap_or_default()
    }

    fn is_kept_by(&self, viewer: &Viewer) -> bool {
        match (self.kind(), self.scope()) {
            (Ok(kind), Ok(Some(scope))) => viewer.standpoint.may(action(kind), &scope),
            _ => false,
        }
    }
}

/// The row of a new import.
#[derive(Debug, SurrealValue)]
struct NewImport {
    id: RecordId,
    kind: String,
    state: String,
    failure: Option<String>,
    file_name: String,
    file_hash: String,
    format: String,
    headers: Vec<String>,
    header_row: i64,
    mapping: Vec<String>,
    path: String,
    as_of: String,
    started_by: Option<String>,
    started_at: DateTime<Utc>,
    fresh: i64,
    changed: i64,
    unchanged: i64,
    refused: i64,
    lines: i64,
}

impl NewImport {
    fn new(backend: &Backend, id: ImportId, kind: ImportKind, path: &str, started_by: Option<MemberId>) -> Self {
        Self {
            id: record("import", id),
            kind: kind.key().to_owned(),
            state: ImportState::Checking.key().to_owned(),
            failure: None,
            file_name: String::new(),
            file_hash: String::new(),
            format: String::new(),
            headers: Vec::new(),
            header_row: 0,
            mapping: Vec::new(),
            path: path.to_owned(),
            as_of: backend.clock().today().to_string(),
            started_by: started_by.map(|member| member.to_string()),
            started_at: backend.clock().now(),
            fresh: 0,
            changed: 0,
            unchanged: 0,
            refused: 0,
            lines: 0,
        }
    }
}

/// The size limit of a format, in bytes.
const fn bytes_max(format: file::Format) -> u64 {
    match format {
        file::Format::Csv { .. } => CSV_BYTES_MAX,
        file::Format::Xlsx => XLSX_BYTES_MAX,
    }
}
