//! `handbook import reorganisation`: reorganises units by file from the command line of the server.

use std::{fs, io::Read, path::Path, time::Instant};

use anyhow::{Context, Result, bail, ensure};
use app::reorganisations::{refusal_text, refused_text};
use backend::{
    Backend, Error,
    units::{ReceiveForm, Received, Reorganisations},
};
use domain::{
    Locale,
    forms::day,
    ids::ReorganisationId,
    units::reorganisation::{Hindrance, PlanList, PlanNumbers, RefusedRow, ReorganisationPage, ReorganisationState},
};

use crate::{
    config::ImportSettings,
    imports::{PIECE, TOLD_EVERY, print, report_path, tell},
    jobs,
    reorganisation_files::refused_csv,
    startup::open,
    telemetry,
};

/// # Errors
/// A sentence for the operator; also if rows were refused, so that scripts notice.
pub(crate) async fn reorganise(settings: ImportSettings) -> Result<()> {
    telemetry::start(&settings.store)?;
    ensure!(settings.unit.is_none(), "--unit is for imports of units and members; a reorganisation names its units in the file");
    ensure!(settings.as_of.is_none(), "--as-of is for imports of units and members; a reorganisation has --on");
    let Some(on) = settings.on.as_deref() else {
        bail!("--on is missing: the first day of the new organisation, e.g. 2025-07-01")
    };
    ensure!(day(on).is_ok(), "--on must be a day such as 2025-07-01");
    let backend = open(&settings.store).await?;
    let outcome = run(&backend, &settings, on).await;
    jobs::save_counters_at_the_end(&backend).await;
    outcome
}

async fn run(backend: &Backend, settings: &ImportSettings, on: &str) -> Result<()> {
    let began = Instant::now();
    // An earlier run may have been interrupted after the tree changed.
    backend.unit_desk().resume().await?;
    let reorganisations = backend.reorganisations();
    let id = receive(reorganisations, settings, on).await?;
    let page = reorganisations.preview_for_operator(id, PlanList::Refused, 1).await?;
    print_numbers("If it is carried out", page.numbers)?;
    let refused = reorganisations.refused_for_operator(id).await?;
    print_refused(&page, &refused)?;
    if !refused.is_empty() {
        report(&page, &refused, settings)?;
    }
    if settings.dry_run || page.hindrance.is_some() {
        reorganisations.cancel_for_operator(id).await?;
        return unless_hindered(&page, settings.dry_run);
    }
    reorganisations.confirm_for_operator(id, &page.version).await?;
    let state = watched(reorganisations, id).await?;
    if state == ReorganisationState::Changed {
        bail!("the tree of units changed meanwhile, so nothing was done; run the same command again");
    }
    ensure!(state == ReorganisationState::Done, "the reorganisation is {}; run the same command again", state.key());
    let page = reorganisations.preview_for_operator(id, PlanList::Ended, 1).await?;
    print_numbers("Carried out", page.numbers)?;
    if page.numbers.queued > 0 {
        print(&format!("{} units wait to be assigned, at /reorganisations/queue.\n", page.numbers.queued))?;
    }
    print(&format!("Done in {:.1} s.\n", began.elapsed().as_secs_f64()))
}

/// Reads all files as one reorganisation. If one of them is not accepted, none is.
async fn receive(reorganisations: Reorganisations<'_>, settings: &ImportSettings, on: &str) -> Result<ReorganisationId> {
    let mut known: Option<ReorganisationId> = None;
    for path in &settings.files {
        let outcome = receive_one(reorganisations, path, on, known).await;
        match outcome {
            Ok(reorganisation) => known = Some(reorganisation),
            Err(error) => {
                if let Some(known) = known {
                    reorganisations.cancel_for_operator(known).await?;
                }
                return Err(error);
            }
        }
    }
    known.context("no file is given")
}

async fn receive_one(
    reorganisations: Reorganisations<'_>,
    path: &Path,
    on: &str,
    known: Option<ReorganisationId>,
) -> Result<ReorganisationId> {
    let told = || format!("cannot read {}", path.display());
    let mut file = fs::File::open(path).with_context(told)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let reorganisation = known.map(|known| known.to_string()).unwrap_or_default();
    let typed = ReceiveForm { on, reorganisation: &reorganisation, file_name: &name };
    let mut upload = match reorganisations.receive_from_operator(typed).await {
        Ok(upload) => upload,
        Err(Error::NotFound) => bail!("this store has no units yet"),
        Err(error) => return Err(error.into()),
    };
    loop {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).with_context(told)?;
        if read == 0 {
            break;
        }
        piece.truncate(read);
        upload.write(piece).await?;
    }
    match upload.finish().await? {
        Received::Accepted(reorganisation) => Ok(reorganisation),
        Received::Refused(refusal) => bail!("{}", refusal_text(Locale::En, &name, refusal)),
    }
}

/// Carries it out and prints the progress. Returns the state at the end.
async fn watched(reorganisations: Reorganisations<'_>, id: ReorganisationId) -> Result<ReorganisationState> {
    let mut ticks = tokio::time::interval(TOLD_EVERY);
    ticks.tick().await;
    let work = reorganisations.carry_out_for_operator(id);
    tokio::pin!(work);
    loop {
        tokio::select! {
            outcome = &mut work => {
                let progress = outcome.context("the reorganisation was interrupted; run the same command again to resume it")?;
                return Ok(progress.state);
            }
            _ = ticks.tick() => {
                let progress = reorganisations.progress_for_operator(id).await?;
                if progress.state == ReorganisationState::Following {
                    tell(&format!("updating: {} of about {} rows", progress.done, progress.estimate));
                } else {
                    tell("changing the tree of units");
                }
            }
        }
    }
}

fn unless_hindered(page: &ReorganisationPage, is_dry_run: bool) -> Result<()> {
    match page.hindrance {
        None => Ok(()),
        Some(Hindrance::Refused) => {
            bail!("{} rows were refused, so nothing was done; the report says why", page.numbers.refused)
        }
        Some(Hindrance::Nothing) => print("Every row is carried out already: nothing to do.\n"),
        Some(Hindrance::InFuture) if is_dry_run => print(&format!("It can be carried out from {}.\n", page.reorganisation.on)),
        Some(Hindrance::InFuture) => bail!("{} has not come yet, so nothing was done", page.reorganisation.on),
        Some(Hindrance::Importing) => bail!("an import is running; run the same command again when it is done"),
        Some(Hindrance::Busy) => bail!("another change of the tree of units is unfinished; run the same command again"),
    }
}

fn print_numbers(what: &str, numbers: PlanNumbers) -> Result<()> {
    let members = numbers.members.map(|members| format!(", {members} members")).unwrap_or_default();
    print(&format!(
        "{what}: {} units become {}.\n\
         Units: {} end, {} begin, {} get another name, {} another code, {} another parent.\n\
         Concerned: {} branches{members}. Roles: {} kept, {} ended.\n\
         Rows: {}, of which {} are carried out already and {} refused.\n",
        numbers.units_before,
        numbers.units_after,
        numbers.ended,
        numbers.begun,
        numbers.renamed,
        numbers.recoded,
        numbers.moved,
        numbers.branches,
        numbers.offices_kept,
        numbers.offices_ended,
        numbers.rows,
        numbers.already,
        numbers.refused,
    ))?;
    if numbers.divided > 0 {
        let (divided, queued) = (numbers.divided, numbers.queued);
        print(&format!("Divided: {divided} units; {queued} units below them have to be assigned afterwards.\n"))?;
    }
    if numbers.phased > 0 {
        let phased = numbers.phased;
        print(&format!("{phased} units get a phase of their own, so that members who can sign in today still can.\n"))?;
    }
    if numbers.undecided > 0 {
        print(&format!("{} units of a closed level stay open, because something remains below them.\n", numbers.undecided))?;
    }
    Ok(())
}

fn print_refused(page: &ReorganisationPage, refused: &[RefusedRow]) -> Result<()> {
    let mut told = String::new();
    for one in refused {
        let RefusedRow { file, row, old_code, new_code, .. } = one;
        let why = refused_text(Locale::En, &page.reorganisation.files, one);
        let file = usize::try_from(*file).ok().and_then(|at| page.reorganisation.files.get(at));
        let file = file.map_or("", |file| file.name.as_str());
        told += &format!("{file}, row {row}: {old_code} to {new_code}: {why}\n");
    }
    print(&told)
}

fn report(page: &ReorganisationPage, refused: &[RefusedRow], settings: &ImportSettings) -> Result<()> {
    let first = settings.files.first().context("no file is given")?;
    let path = settings.report.clone().unwrap_or_else(|| report_path(first));
    let content = refused_csv(settings.language, &page.reorganisation.files, refused);
    fs::write(&path, content).with_context(|| format!("cannot write the report {}", path.display()))?;
    print(&format!("The report of {} rows is {}\n", refused.len(), path.display()))
}
