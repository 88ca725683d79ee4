//! `handbook import units` and `members`: imports a file into the registry from the command line of the server.

use std::{
    fs::File,
    io::{BufWriter, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use app::imports::{column_name, failure_text};
use backend::{Backend, Error, imports::Imports};
use domain::{
    Locale,
    forms::day,
    ids::ImportId,
    imports::{Counts, ImportKind, ImportPage, ImportState, Progress},
};

use crate::{config::ImportSettings, jobs, reorganisations::reorganise, startup::open, telemetry, uploads::write_report};

/// Bytes read from the file at a time.
pub(crate) const PIECE: usize = 1024 * 1024;

/// Interval of progress lines.
pub(crate) const TOLD_EVERY: Duration = Duration::from_secs(1);

/// # Errors
/// A sentence for the operator; also if rows were refused, so that scripts notice.
pub(crate) async fn import(settings: ImportSettings) -> Result<()> {
    let Some(kind) = settings.kind.kind() else { return Box::pin(reorganise(settings)).await };
    telemetry::start(&settings.store)?;
    ensure!(settings.on.is_none(), "--on is for a reorganisation; imports of units and members have --as-of");
    let [path] = settings.files.as_slice() else { bail!("units and members are imported from one file at a time") };
    let as_of = match settings.as_of.as_deref().map(day) {
        None => None,
        Some(Ok(day)) => Some(day),
        Some(Err(_)) => bail!("--as-of must be a day such as 2026-11-21"),
    };
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let backend = open(&settings.store).await?;
    let source = Source { kind, path, file };
    let outcome = run(&backend, &settings, source, as_of).await;
    backend.imports().stop().await;
    jobs::save_counters_at_the_end(&backend).await;
    outcome
}

/// The file to import.
struct Source<'s> {
    kind: ImportKind,
    path: &'s Path,
    file: File,
}

async fn run(backend: &Backend, settings: &ImportSettings, source: Source<'_>, as_of: Option<chrono::NaiveDate>) -> Result<()> {
    let imports = backend.imports();
    let began = Instant::now();
    let Source { kind, path, mut file } = source;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut upload = match imports.receive_from_operator(kind, settings.unit.as_deref(), &name) {
        Ok(upload) => upload,
        Err(Error::NotFound) => bail!("there is no unit {} in this store", settings.unit.as_deref().unwrap_or_default()),
        Err(error) => return Err(error.into()),
    };
    if let Some(day) = as_of {
        upload.set_as_of(day);
    }
    loop {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).with_context(|| format!("cannot read {}", path.display()))?;
        if read == 0 {
            break;
        }
        piece.truncate(read);
        upload.write(piece).await?;
    }
    let received = upload.finish().await?;

    let interrupted = imports.interrupted(kind, &received.file_hash).await?.filter(|_| !settings.dry_run);
    let import = match interrupted {
        Some(earlier) => {
            tell("Resuming an interrupted import of this file.");
            imports.drop_for_operator(received.import).await?;
            watched(imports, earlier, imports.go_on(earlier)).await?;
            earlier
        }
        None => {
            watched(imports, received.import, imports.check(received.import)).await?;
            let page = imports.page_for_operator(received.import).await?;
            ensure_readable(&page)?;
            print_counts("If it is written", page.import.counts)?;
            print_rows(&page)?;
            if settings.dry_run {
                report(imports, &page, settings, path).await?;
                accounted(&page)?;
                imports.drop_for_operator(received.import).await?;
                return refused(&page);
            }
            watched(imports, received.import, imports.write(received.import, as_of)).await?;
            received.import
        }
    };
    let page = imports.page_for_operator(import).await?;
    ensure_readable(&page)?;
    print_counts("Written", page.import.counts)?;
    print_rows(&page)?;
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = page.import.counts.total() as f64 / seconds.max(0.001);
    print(&format!("{} rows in {seconds:.1} s: {rate:.0} rows a second.\n", page.import.counts.total()))?;
    report(imports, &page, settings, path).await?;
    accounted(&page)?;
    refused(&page)
}

fn ensure_readable(page: &ImportPage) -> Result<()> {
    if page.import.state == ImportState::Failed {
        let why = page.import.failure.map_or("it cannot be imported", |failure| failure_text(Locale::En, failure));
        bail!("{}: {why}", page.import.file_name);
    }
    let missing: Vec<&str> = page.missing.iter().map(|column| column_name(Locale::En, *column)).collect();
    ensure!(missing.is_empty(), "{}: the header has no column for {}", page.import.file_name, missing.join(", "));
    Ok(())
}

/// Checks that the counts cover every row of the file.
fn accounted(page: &ImportPage) -> Result<()> {
    let lost = page.import.unaccounted();
    ensure!(lost == 0, "{lost} rows of the file are missing from the counts: do not rely on them, and report this");
    Ok(())
}

/// Prints the number of rows, and how the file was read.
fn print_rows(page: &ImportPage) -> Result<()> {
    let Some(rows) = page.import.rows else { return Ok(()) };
    let mut told = format!("Rows in the file: {}", rows.rows);
    if rows.passed > 0 {
        told += &format!(", of which {} have nothing in the imported columns and were left out", rows.passed);
    }
    told += ".\n";
    if rows.converted > 0 {
        told += &format!("{} rows in TCVN3 or VNI letters were converted to Unicode.\n", rows.converted);
    }
    if let Some(sheet) = page.sheet.as_ref().filter(|_| !page.unread_sheets.is_empty()) {
        told += &format!("Only the sheet {sheet} was read, not: {}.\n", page.unread_sheets.join(", "));
    }
    print(&told)
}

fn refused(page: &ImportPage) -> Result<()> {
    let rows = page.import.counts.refused;
    ensure!(rows == 0, "{rows} rows were refused; the report says why");
    Ok(())
}

/// Waits for the work and prints its progress.
async fn watched(imports: Imports<'_>, import: ImportId, work: impl Future<Output = backend::Result<()>>) -> Result<()> {
    let mut ticks = tokio::time::interval(TOLD_EVERY);
    ticks.tick().await;
    tokio::pin!(work);
    loop {
        tokio::select! {
            outcome = &mut work => return outcome.context("the import was interrupted; run the same command again to resume it"),
            _ = ticks.tick() => {
                let Progress { state, done, total } = imports.progress_for_operator(import).await?;
                match state {
                    ImportState::Running => tell(&format!("writing: {done} of {total} rows")),
                    _ => tell(&format!("checking: {done} rows")),
                }
            }
        }
    }
}

async fn report(imports: Imports<'_>, page: &ImportPage, settings: &ImportSettings, file: &Path) -> Result<()> {
    let lines = page.refused_lines + page.remark_lines;
    if lines == 0 {
        return Ok(());
    }
    let path = settings.report.clone().unwrap_or_else(|| report_path(file));
    let report = imports.report_for_operator(page.import.id).await?;
    let told = || format!("cannot write the report {}", path.display());
    let mut out = BufWriter::new(File::create(&path).with_context(told)?);
    write_report(&mut out, report, settings.language).and_then(|()| out.flush()).with_context(told)?;
    print(&format!("The report of {lines} lines is {}\n", path.display()))
}

/// `members.csv` → `members.report.csv`.
pub(crate) fn report_path(file: &Path) -> PathBuf {
    file.with_extension("report.csv")
}

fn print_counts(what: &str, counts: Counts) -> Result<()> {
    let Counts { fresh, changed, unchanged, refused } = counts;
    print(&format!("{what}: {fresh} new, {changed} changed, {unchanged} unchanged, {refused} refused.\n"))
}

pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to the standard output")
}

pub(crate) fn tell(text: &str) {
    // A failure to write to the standard error is ignored.
    let _ = writeln!(std::io::stderr(), "{text}");
}
