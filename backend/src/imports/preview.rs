//! Reads a file without writing its rows: finds its columns and counts the verdicts on its rows.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use domain::{
    events::EventBody,
    imports::{Column, Counts, Failure, ImportKind},
};
use tokio::task::spawn_blocking;

use super::{
    ImportRow,
    check::{FileKeys, Ledger, RowParser},
    columns::{Header, HeaderSearch},
    file::{Format, ImportError, ReadRows, RowVisitor, check_size, each_row},
    read::NEXT,
    report::{ReportCounts, ReportWriter},
    sealed::SealedReader,
    sheets::visible_sheets,
    units::{self, Written},
};
use crate::{
    Backend, Clock, Error, Keys, Result,
    change::Change,
    store::{record, vars},
};

/// Maximum number of sheets of a spreadsheet that are searched.
pub(super) const SHEETS_MAX: usize = 30;

/// The file of an import and its format.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) report: PathBuf,
    pub(super) format: Format,
    /// The sheet of a spreadsheet to read.
    pub(super) sheet: String,
    pub(super) header_row: u64,
    /// Non-empty rows down to the header; `None` in imports of older versions.
    depth: Option<u64>,
    pub(super) keys: Keys,
    pub(super) clock: Clock,
}

impl Source {
    pub(super) fn of(backend: &Backend, import: &ImportRow) -> Result<Self> {
        let workspace = backend.workspace();
        Ok(Self {
            path: workspace.file(&import.id),
            name: import.id.clone(),
            report: workspace.report(&import.id),
            format: import.format.parse()?,
            sheet: import.sheet.clone().unwrap_or_default(),
            header_row: u64::try_from(import.header_row).unwrap_or_default(),
            depth: import.depth.and_then(|depth| u64::try_from(depth).ok()),
            keys: backend.keys().clone(),
            clock: backend.clock().clone(),
        })
    }

    pub(super) fn open(&self) -> Result<SealedReader> {
        SealedReader::open(&self.path, &self.name, &self.keys)
    }

    /// Reads the rows below the header. Returns the counts of the file.
    pub(super) fn each_row(&self, visit: &mut RowVisitor<'_>) -> Result<ReadRows, ImportError> {
        let met = each_row(&|| self.open(), self.format, &self.sheet, self.header_row, visit)?;
        Ok(ReadRows { rows: met.rows.saturating_sub(self.depth.unwrap_or(met.above)), ..met })
    }

    pub(super) fn new_report(&self) -> Result<ReportWriter> {
        ReportWriter::create(&self.report, &self.report_name(), &self.keys, &self.clock)
    }

    pub(super) fn report_name(&self) -> String {
        report_name(&self.name)
    }
}

/// Name under which a report is sealed.
pub(super) fn report_name(import: &str) -> String {
    format!("{import} report")
}

/// Rows read so far, and whether the reader must stop.
#[derive(Debug, Clone, Default)]
pub(super) struct RowProgress {
    pub(super) rows: Arc<AtomicU64>,
    stopped: Arc<AtomicBool>,
}

impl RowProgress {
    /// Progress of another run under the same counter; it is not stopped when the earlier run was.
    pub(super) fn anew(&self) -> Self {
        self.tell(0);
        Self { rows: Arc::clone(&self.rows), ..Self::default() }
    }

    pub(super) fn tell(&self, row: u64) {
        self.rows.store(row, Relaxed);
    }

    /// # Errors
    /// [`Error::Busy`] when the work must stop.
    pub(super) fn advance(&self, row: u64) -> Result<()> {
        self.tell(row);
        if self.stopped.load(Relaxed) { Err(Error::Busy) } else { Ok(()) }
    }
}

/// Stops the reading thread when the task that waits for it is dropped.
pub(super) struct CancelOnDrop(RowProgress);

impl CancelOnDrop {
    pub(super) fn over(progress: &RowProgress) -> Self {
        Self(progress.clone())
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.stopped.store(true, Relaxed);
    }
}

/// The header of a file and its sheet.
pub(super) struct Found {
    pub(super) header: Header,
    /// The sheet of a spreadsheet, and its other visible sheets.
    pub(super) sheet: Option<String>,
    pub(super) unread: Vec<String>,
}

/// Finds the header. Of several sheets, the first one with the most known words is read.
pub(super) async fn header(source: &Source, kind: ImportKind) -> Result<Found, ImportError> {
    let source = source.clone();
    in_a_thread(move || {
        check_size(source.open()?, source.format)?;
        let search = |sheet: &str| {
            let mut search = HeaderSearch::new(kind);
            each_row(&|| source.open(), source.format, sheet, 0, &mut |row, cells| {
                let more = search.add_row(row, cells);
                Ok(if more { NEXT } else { std::ops::ControlFlow::Break(()) })
            })?;
            Ok::<_, ImportError>(search.found())
        };
        if source.format != Format::Xlsx {
            let header = search("")?.ok_or(Failure::Empty)?;
            return Ok(Found { header, sheet: None, unread: Vec::new() });
        }
        let (mut best, mut filled): (Option<(Header, String)>, Vec<String>) = (None, Vec::new());
        for sheet in visible_sheets(source.open()?)?.into_iter().take(SHEETS_MAX) {
            let Some(header) = search(&sheet)? else { continue };
            filled.push(sheet.clone());
            if best.as_ref().is_none_or(|(best, _)| header.known > best.known) {
                best = Some((header, sheet));
            }
        }
        let (header, sheet) = best.ok_or(Failure::Empty)?;
        filled.retain(|other| *other != sheet);
        Ok(Found { header, sheet: Some(sheet), unread: filled })
    })
    .await
}

/// Result of reading a file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Outcome {
    pub(super) counts: Counts,
    pub(super) reported: ReportCounts,
    pub(super) met: ReadRows,
}

/// Reads all rows, counts the verdicts and writes the report.
pub(super) async fn examine(
    backend: &Backend,
    import: &ImportRow,
    mapping: &[Option<Column>],
    progress: &RowProgress,
) -> Result<Outcome, ImportError> {
    let source = Source::of(backend, import)?;
    let _cancel = CancelOnDrop::over(progress);
    let progress = progress.clone();
    match import.kind()? {
        ImportKind::Members => {
            let mut ledger = load_ledger(backend, import, mapping, &source).await?;
            let (counts, met, report, (foreign, ids)) = in_a_thread(move || {
                let mut counts = Counts::default();
                let mut report = source.new_report()?;
                let met = source.each_row(&mut |row, cells| {
                    progress.advance(row)?;
                    ledger.check(row, cells).note(&mut counts, &mut report)?;
                    Ok(NEXT)
                })?;
                Ok((counts, met, report, (ledger.foreign_rows(), ledger.foreign_ids())))
            })
            .await?;
            // Not in the thread, which still runs for a while after its task is dropped.
            let reported = report.finish().await?;
            if foreign > 0 {
                note_foreign_ids(backend, import, foreign, ids).await?;
            }
            Ok(Outcome { counts, reported, met })
        }
        ImportKind::Units => Ok(units::plan(backend, import, mapping, &progress, &Written::default()).await?.outcome),
    }
}

/// Loads the records that the rows of the file are checked against.
pub(super) async fn load_ledger(
    backend: &Backend,
    import: &ImportRow,
    mapping: &[Option<Column>],
    source: &Source,
) -> Result<Ledger, ImportError> {
    let (source, mut parser) = (source.clone(), RowParser::new(backend, import.scope()?, mapping));
    let (parser, keys) = in_a_thread(move || {
        let mut keys = FileKeys::default();
        source.each_row(&mut |row, cells| Ok(keys.add(&mut parser, row, cells)))?;
        Ok((parser, keys))
    })
    .await?;
    Ok(Ledger::load(backend, parser, &keys, import.millis(), import.met_before()).await?)
}

/// Logs that a file contained national IDs of people outside the importer's subtree: a few are a mistake, many are a search.
async fn note_foreign_ids(backend: &Backend, import: &ImportRow, met: u64, ids: Vec<String>) -> Result<()> {
    let Some(path) = import.scope()? else { return Ok(()) };
    let vars = vars! { import: record("import", &import.id), ids: ids };
    let change = Change::new("UPDATE $import SET foreign_ids = $ids RETURN NONE;", vars).event(
        backend.clock(),
        import.actor(),
        &path,
        EventBody::ForeignIdsMet { source: import.key()?.ulid(), met },
    );
    backend.transact(change).await?;
    Ok(())
}

/// Reading blocks, and a malicious spreadsheet may make its reader panic; neither may stop the server.
pub(super) async fn in_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImportError> + Send + 'static,
) -> Result<T, ImportError> {
    match spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(stopped) if stopped.is_panic() => Err(ImportError::File(Failure::Unreadable)),
        Err(_) => Err(ImportError::Other(Error::Busy)),
    }
}
