//! Carries out the reorganisation, or goes on with it after the program was killed, while members open pages.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use backend::{
    Backend, Error,
    demo::country,
    units::{BelowQuery, ReceiveForm, Received},
};
use domain::{
    documents::LibraryQuery,
    ids::{MemberId, ReorganisationId, UnitId},
    policy::Role,
    units::reorganisation::{PlanList, ReorganisationState},
};

use super::{COMMUNES, FIRST_DAY, PROVINCES, Source, root};
use crate::{Times, open, print_duration, viewer};

/// Interval of progress lines.
const TOLD_EVERY: Duration = Duration::from_millis(250);

/// Members who open pages meanwhile.
const VISITORS: usize = 500;

/// The pages they open: the first three for their branch, the others as statistician of the whole organisation.
const PAGES: [&str; 7] =
    ["home", "page of a unit", "library", "page of a province", "tree of units", "search of units", "statistics"];

/// Words of many units, also of their former versions.
const WORDS: &str = "chi bộ số 7";

pub(crate) async fn replay(folder: &Path, source: &Source) -> Result<()> {
    let start = Instant::now();
    let backend = open(folder).await?;
    print_duration("open", start);
    let visit = Arc::new(Visit::default());
    let visitors = country::some_members(&backend, VISITORS).await?;
    let visiting = tokio::spawn(Arc::clone(&visit).run(backend.clone(), visitors));

    let noted = folder.join("reorganisation.txt");
    let id = match fs::read_to_string(&noted) {
        Ok(id) => id.trim().parse::<ReorganisationId>().context("the id of the reorganisation")?,
        Err(_) => {
            let id = upload(&backend, source).await?;
            fs::write(&noted, id.to_string())?;
            id
        }
    };
    confirm(&backend, id).await?;
    carry_out(&backend, id, &visit).await?;
    visit.is_over.store(true, Relaxed);
    let (pages, gone) = visiting.await.context("the visitors stopped")??;
    for (what, times) in PAGES.into_iter().zip(pages) {
        times.tell(&format!("{what}, meanwhile"));
    }
    println!("{gone} pages were asked for with the tree of a moment before, and answered as not found");
    println!("peak memory {}", peak_memory());
    print_duration("this run", start);
    Ok(())
}

/// Uploads both files.
async fn upload(backend: &Backend, source: &Source) -> Result<ReorganisationId> {
    let start = Instant::now();
    let mut id: Option<ReorganisationId> = None;
    for file_name in [PROVINCES, COMMUNES] {
        let earlier = id.map(|id| id.to_string()).unwrap_or_default();
        let form = ReceiveForm { on: FIRST_DAY, reorganisation: &earlier, file_name };
        let mut upload = backend.reorganisations().receive_from_operator(form).await?;
        upload.write(source.content(file_name)?).await?;
        match upload.finish().await? {
            Received::Accepted(received) => id = Some(received),
            Received::Refused(refusal) => bail!("{file_name} is refused: {refusal:?}"),
        }
    }
    print_duration("both files read", start);
    id.context("no file was read")
}

/// Shows the plan and confirms it, unless that was done before.
async fn confirm(backend: &Backend, id: ReorganisationId) -> Result<()> {
    let reorganisations = backend.reorganisations();
    if !reorganisations.progress_for_operator(id).await?.state.is_open() {
        return Ok(());
    }
    let start = Instant::now();
    let page = reorganisations.preview_for_operator(id, PlanList::Refused, 1).await?;
    print_duration("previewed", start);
    println!("{:?}", page.numbers);
    ensure!(page.refused.is_empty(), "{} rows are refused, first: {:?}", page.numbers.refused, page.refused.first());
    ensure!(page.hindrance.is_none(), "it cannot be confirmed: {:?}", page.hindrance);
    reorganisations.confirm_for_operator(id, &page.version).await?;
    Ok(())
}

async fn carry_out(backend: &Backend, id: ReorganisationId, visit: &Visit) -> Result<()> {
    let reorganisations = backend.reorganisations();
    let start = Instant::now();
    // `xtask` waits for the lines about the progress.
    println!("carrying out");
    let mut ticks = tokio::time::interval(TOLD_EVERY);
    let mut work = std::pin::pin!(reorganisations.carry_out_for_operator(id));
    let progress = loop {
        tokio::select! {
            outcome = &mut work => break outcome?,
            _ = ticks.tick() => {
                let progress = reorganisations.progress_for_operator(id).await?;
                let slowest = visit.slowest.load(Relaxed);
                println!("progress {} of {}; slowest page {slowest} ms; peak memory {}", progress.done, progress.estimate, peak_memory());
            }
        }
    };
    ensure!(progress.state == ReorganisationState::Done, "it is not done: {progress:?}");
    print_duration("carried out", start);
    Ok(())
}

/// Opens pages one after the other, as different members.
#[derive(Default)]
struct Visit {
    is_over: AtomicBool,
    /// In milliseconds.
    slowest: AtomicU64,
}

impl Visit {
    /// Returns the times of each kind of page, and how often a page was not found because the tree changed after the viewer was
    /// read.
    async fn run(self: Arc<Self>, backend: Backend, members: Vec<(MemberId, UnitId)>) -> Result<([Times; PAGES.len()], usize)> {
        let (mut times, mut gone): ([Times; PAGES.len()], usize) = Default::default();
        for (member, unit) in members.into_iter().cycle() {
            if self.is_over.load(Relaxed) {
                break;
            }
            let tree = backend.units().tree();
            let branch = tree.get(unit).with_context(|| format!("the branch {unit} is not open"))?;
            let (own, id) = (viewer(member, branch, None), unit.to_string());
            let central = viewer(member, branch, Some((Role::Statistician, root(&tree)?)));
            let province = branch.path.ancestors_and_self().nth(1).and_then(|path| tree.at(&path).map(|unit| unit.id));
            let province = province.context("a branch without a province")?.to_string();
            drop(tree);
            for (at, times) in times.iter_mut().enumerate() {
                let start = Instant::now();
                let opened = match at {
                    0 => backend.home().page(&own).await.map(drop),
                    1 => backend.unit_desk().page(&own, &id, None, BelowQuery::default()).await.map(drop),
                    2 => backend.documents().list(&own, &LibraryQuery::default()).await.map(drop),
                    3 => backend.unit_desk().page(&central, &province, None, BelowQuery::default()).await.map(drop),
                    4 => backend.unit_desk().list(&central, None, None).await.map(drop),
                    5 => backend.unit_desk().list(&central, Some(WORDS), None).await.map(drop),
                    _ => backend.statistics().page(&central, None).await.map(drop),
                };
                match opened {
                    Ok(()) => times.note(start),
                    Err(Error::NotFound) => gone += 1,
                    Err(error) => return Err(error.into()),
                }
                let took = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.slowest.fetch_max(took, Relaxed);
            }
        }
        Ok((times, gone))
    }
}

/// `VmHWM`, the high-water mark of resident memory; known on Linux only.
fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map_or_else(|| "not known".to_owned(), |kib| format!("{} MiB", kib / 1024))
}
