//! The work of imports in background tasks: the preview and the writing, resumed after an interruption.

use std::sync::PoisonError;

use domain::{
    events::{EventBody, ImportedRows},
    ids::{ImportId, MemberId},
    imports::{Column, Counts, Failure, ImportKind, ImportState},
    units::UnitPath,
};
use tokio::{sync::watch, task::spawn_blocking};

use super::{
    Imports, columns,
    file::ImportError,
    preview::{self, Outcome, RowProgress},
    remove,
    row::ImportRow,
    run, sealed, units,
    workspace::RunningImport,
};
use crate::{
    Error, Result,
    change::Change,
    store::{RecordId, StoreError, Variables, pair, record, vars},
};

impl Imports<'_> {
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

    /// Resumes interrupted imports whose file this process has, starts those that were confirmed on other servers, and marks lost
    /// ones as failed. Returns the number of started imports. A server calls it every [`HOLD_EVERY`](super::HOLD_EVERY).
    ///
    /// # Errors
    /// Those of the store.
    pub async fn resume(&self) -> Result<usize> {
        let mut idle = Vec::new();
        for row in self.open_rows().await? {
            // A run renews the hold itself.
            if self.backend.workspace().progress(row.key()?).is_none() {
                idle.push(row);
            }
        }
        let held = self.hold(&idle).await?;
        let mut resumed = 0;
        for row in &idle {
            if !row.state()?.is_at_work() {
                continue;
            }
            if held.contains(&row.id) {
                self.start(row.key()?);
                resumed += 1;
            } else if self.is_lost(row) {
                self.fail(row, Failure::Lost).await?;
            }
        }
        Ok(resumed)
    }

    /// Stops all imports of this process. [`Self::resume`] resumes them.
    pub async fn stop(&self) {
        let works: Vec<RunningImport> = {
            let mut at_work = self.backend.workspace().at_work.lock().unwrap_or_else(PoisonError::into_inner);
            at_work.drain().map(|(_, work)| work).collect()
        };
        for work in works {
            work.task.abort();
            // The result is that of an aborted task.
            let _ = work.task.await;
        }
        self.release().await;
    }

    /// Starts the import if this process holds it or can take it. Otherwise the process that has its file does, in
    /// [`Self::resume`].
    pub(super) async fn start_here(&self, row: &ImportRow) -> Result<()> {
        match self.hold(std::slice::from_ref(row)).await {
            Ok(held) if held.contains(&row.id) => self.start(row.key()?),
            Ok(_) => {}
            Err(error) => tracing::warn!(import = %row.id, %error, "cannot start an import now; it is started within a minute"),
        }
        Ok(())
    }

    /// Starts the import in a background task. If it already runs in this process, its task checks the import once more at the
    /// end, because it may have read the row before the latest change.
    pub(super) fn start(&self, import: ImportId) {
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
                    () = imports.keep_hold(import) => {
                        tracing::warn!(%import, "the hold on an import has lapsed; stopped its run, which is resumed by the process that holds it next");
                        Ok(())
                    }
                };
                if let Err(error) = outcome {
                    tracing::error!(%import, error = &error as &dyn std::error::Error, "an import stopped; it will be resumed");
                }
                if !backend.workspace().goes_on(import, &own) {
                    break;
                }
            }
        });
        at_work.insert(import, RunningImport { task, ended, progress, again: false });
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

    pub(super) async fn fail(&self, row: &ImportRow, failure: Failure) -> Result<()> {
        let clock = self.backend.clock();
        let counts = self.written_so_far(row).await?;
        let vars = vars! {
            import: record("import", &row.id),
            failure: failure.key(),
            now: clock.now(),
            written: written(row.kind()?, counts).filter(|count| *count > 0),
            holder: row.holder.clone(),
        };
        // It may have been completed, or taken by another process, since its row was read.
        let sql = "LET $fails = $import.state IN ['checking', 'running'] AND $import.holder = $holder; \
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
        // The process that has taken it needs the file.
        if self.row(row.key()?).await?.state()?.is_over() {
            remove(&self.backend.workspace().file(&row.id));
        }
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

    pub(super) async fn finish(&self, row: &ImportRow, progress: &RowProgress) -> Result<(), ImportError> {
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
