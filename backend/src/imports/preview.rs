//! Looking at a file without writing anything of it: which columns it has, what would become of its rows.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use domain::imports::{Column, Counts, Failure, ImportKind};
use tokio::task::spawn_blocking;

use super::{
    ImportRow,
    check::{Ledger, Verdict},
    columns::{Header, HeaderSearch},
    file::{Format, Trouble, check_size, each_row},
    read::NEXT,
    report::ReportWriter,
    sealed::SealedReader,
    units,
};
use crate::{Backend, Clock, Error, Keys, Result};

/// The file of an import, and how it is read.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) report: PathBuf,
    pub(super) format: Format,
    pub(super) header_row: u64,
    pub(super) keys: Keys,
    pub(super) clock: Clock,
}

impl Source {
    pub(super) fn of(backend: &Backend, import: &ImportRow) -> Result<Self> {
        let workshop = backend.workshop();
        Ok(Self {
            path: workshop.file(&import.id),
            name: import.id.clone(),
            report: workshop.report(&import.id),
            format: import.format.parse()?,
            header_row: u64::try_from(import.header_row).unwrap_or_default(),
            keys: backend.keys().clone(),
            clock: backend.clock().clone(),
        })
    }

    pub(super) fn open(&self) -> Result<SealedReader> {
        SealedReader::open(&self.path, &self.name, &self.keys)
    }

    pub(super) fn new_report(&self) -> Result<ReportWriter> {
        ReportWriter::create(&self.report, &self.report_name(), &self.keys, &self.clock)
    }

    pub(super) fn report_name(&self) -> String {
        report_name(&self.name)
    }
}

/// What a report is sealed under.
pub(super) fn report_name(import: &str) -> String {
    format!("{import} report")
}

/// Rows read so far, for whoever waits; and whether anybody still does.
#[derive(Debug, Clone, Default)]
pub(super) struct Pulse {
    pub(super) rows: Arc<AtomicU64>,
    stopped: Arc<AtomicBool>,
}

impl Pulse {
    pub(super) fn tell(&self, row: u64) {
        self.rows.store(row, Relaxed);
    }

    /// # Errors
    /// [`Error::Busy`] when the work is to stop.
    pub(super) fn beat(&self, row: u64) -> Result<()> {
        self.tell(row);
        if self.stopped.load(Relaxed) { Err(Error::Busy) } else { Ok(()) }
    }
}

/// Ends the reading thread when the task that waits for it is gone.
pub(super) struct Watch(Pulse);

impl Watch {
    pub(super) fn over(pulse: &Pulse) -> Self {
        Self(pulse.clone())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.stopped.store(true, Relaxed);
    }
}

/// Finds the header.
pub(super) async fn header(source: &Source, kind: ImportKind) -> Result<Header, Trouble> {
    let source = source.clone();
    in_a_thread(move || {
        check_size(source.open()?, source.format)?;
        let mut search = HeaderSearch::new(kind);
        each_row(source.open()?, source.format, 0, &mut |row, cells| {
            let more = search.look(row, cells);
            Ok(if more { NEXT } else { std::ops::ControlFlow::Break(()) })
        })?;
        search.found().ok_or(Trouble::File(Failure::Empty))
    })
    .await
}

/// Goes through all rows, counts what would become of them, and writes the report.
pub(super) async fn examine(
    backend: &Backend,
    import: &ImportRow,
    mapping: &[Option<Column>],
    pulse: &Pulse,
) -> Result<(Counts, u64), Trouble> {
    let source = Source::of(backend, import)?;
    let _watch = Watch::over(pulse);
    let pulse = pulse.clone();
    match import.kind()? {
        ImportKind::Members => {
            let mut ledger = Ledger::load(backend, import.scope()?, mapping, import.millis()).await?;
            in_a_thread(move || {
                let mut counts = Counts::default();
                let mut report = source.new_report()?;
                each_row(source.open()?, source.format, source.header_row, &mut |row, cells| {
                    pulse.beat(row)?;
                    match ledger.check(row, cells) {
                        Verdict::Fresh(_) => counts.fresh += 1,
                        Verdict::Changed(_) => counts.changed += 1,
                        Verdict::Unchanged => counts.unchanged += 1,
                        Verdict::Refused(lines) => {
                            counts.refused += 1;
                            report.add(&lines)?;
                        }
                    }
                    Ok(NEXT)
                })?;
                Ok((counts, report.finish()?))
            })
            .await
        }
        ImportKind::Units => {
            let plan = units::plan(backend, import, mapping, &pulse).await?;
            Ok((plan.counts, plan.lines))
        }
    }
}

/// Reading blocks, and spreadsheets made to do harm may make their reader panic: neither may stop the program.
pub(super) async fn in_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    match spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(stopped) if stopped.is_panic() => Err(Trouble::File(Failure::Unreadable)),
        Err(_) => Err(Trouble::Other(Error::Busy)),
    }
}
