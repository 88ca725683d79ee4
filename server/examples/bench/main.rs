//! The measuring half of `cargo xtask bench`: generates documents, members or receipts in a folder and measures use-cases on
//! them. An example of the server's package, so that it is built with the same dependencies and features as the program.
//!
//! The first argument is the command, the second the data folder. Each run does one thing, so that `xtask` can time a start.

use std::{
    env,
    path::{Path, PathBuf},
    str::FromStr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use backend::{Backend, Clock, Keys, StoreLocation};
use domain::{
    accounts::Viewer,
    ids::MemberId,
    members::Standing,
    policy::{Grant, Role, Standpoint},
    units::UnitRef,
};
use mimalloc::MiMalloc;
use tracing_subscriber::EnvFilter;

mod library;
mod members;
mod preview;
mod receipts;
mod reorganisation;
mod search;
mod start;

/// The allocator of the program, so that the figures are the program's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// A library to generate or to query.
struct Task {
    backend: Backend,
    folder: PathBuf,
    documents: usize,
    /// Number of queries or readers.
    count: usize,
    seed: u64,
}

impl Task {
    async fn open(folder: &Path, numbers: &mut Numbers) -> Result<Self> {
        let documents = numbers.read("documents")?;
        let count = numbers.read("queries or readers")?;
        let seed = numbers.read("the seed")?;
        Ok(Self { backend: open(folder).await?, folder: folder.to_owned(), documents, count, seed })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    // Logs nothing without `RUST_LOG`.
    tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env()).with_writer(std::io::stderr).init();
    let mut arguments = env::args().skip(1);
    let what = arguments.next().context("the command is missing")?;
    let folder = PathBuf::from(arguments.next().context("the folder is missing")?);
    let mut numbers = Numbers(arguments);
    match what.as_str() {
        "search" => search::measure(&Task::open(&folder, &mut numbers).await?).await,
        "library" => library::measure(&Task::open(&folder, &mut numbers).await?).await,
        "members" => members::fill(&folder, numbers.read("members")?, numbers.read("the seed")?).await,
        "preview" => preview::measure(&folder, numbers.read("rows")?, numbers.read("rounds")?).await,
        "open" => start::open_telling(&folder).await,
        "forget-counters" => start::forget_counters(&folder).await,
        "save-counters" => start::save_counters(&folder).await,
        "receipts" => receipts::fill(&folder, numbers.read("receipts")?).await,
        "check-receipts" => receipts::check(&folder, numbers.read("receipts")?).await,
        "reorganisation" => {
            let source = reorganisation::Source(numbers.folder()?);
            let (members, branches) = (numbers.read("members")?, numbers.read("branches")?);
            let numbers = reorganisation::Numbers { members, branches, seed: numbers.read("the seed")? };
            Box::pin(reorganisation::fill(&folder, &source, numbers)).await
        }
        "replay" => Box::pin(reorganisation::replay(&folder, &reorganisation::Source(numbers.folder()?))).await,
        "check-reorganisation" => Box::pin(reorganisation::check(&folder, &reorganisation::Source(numbers.folder()?))).await,
        _ => bail!("unknown command {what}"),
    }
}

/// The arguments after the folder.
struct Numbers(std::iter::Skip<env::Args>);

impl Numbers {
    fn folder(&mut self) -> Result<PathBuf> {
        self.0.next().map(PathBuf::from).context("the folder with the units is missing")
    }

    fn read<T: FromStr>(&mut self, what: &str) -> Result<T>
    where
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        let text = self.0.next().with_context(|| format!("{what}: the number is missing"))?;
        text.parse().with_context(|| format!("{what}: {text} is not a number"))
    }
}

/// The key of all stores made here.
fn keys() -> Keys {
    Keys::from_master(&[7; 32])
}

async fn open(folder: &Path) -> Result<Backend> {
    Ok(Backend::open(&StoreLocation::Folder(folder.to_owned()), keys(), Clock::system()).await?)
}

/// Times of one kind of query.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn note(&mut self, since: Instant) {
        self.0.push(since.elapsed());
    }

    fn tell(mut self, what: &str) {
        if self.0.is_empty() {
            println!("{what}: not asked");
            return;
        }
        self.0.sort();
        let at = |share: usize| {
            self.0.get((self.0.len() * share / 100).min(self.0.len() - 1)).map_or(0.0, |took| took.as_secs_f64() * 1000.0)
        };
        println!(
            "{what}: {} asked, p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, the slowest {:.1} ms",
            self.0.len(),
            at(50),
            at(95),
            at(99),
            at(100)
        );
    }
}

fn print_duration(what: &str, since: Instant) {
    println!("{what} in {:.1} s", since.elapsed().as_secs_f64());
}

fn viewer(member: MemberId, branch: &UnitRef, office: Option<(Role, &UnitRef)>) -> Viewer {
    let grants = office.map(|(role, unit)| Grant { role, path: unit.path.clone() }).into_iter().collect();
    Viewer {
        member,
        name: "Người đọc".to_owned(),
        branch: branch.clone(),
        standpoint: Standpoint { branch: branch.path.clone(), standing: Standing::Official, grants },
        offices: Vec::new(),
        resting: Vec::new(),
    }
}

/// The units whose documents reach the person, as a `PostgreSQL` array.
fn paths(reader: &Viewer) -> String {
    let paths: Vec<String> = reader.standpoint.branch.ancestors_and_self().map(|path| path.to_string()).collect();
    format!("{{{}}}", paths.join(","))
}

/// A value of the text format of `COPY`.
fn copied(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace(['\t', '\r'], " ")
}

fn bytes(folder: &Path) -> Result<u64> {
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}
