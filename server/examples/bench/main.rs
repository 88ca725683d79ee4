//! The measuring half of `cargo xtask bench`: a library of invented documents in a folder, asked through the use-cases. An example of the
//! server's package, so that it is built of the same parts as the program.

use std::{
    env,
    path::{Path, PathBuf},
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

mod library;
mod search;
mod start;

/// What to make and ask, and where.
struct Task {
    backend: Backend,
    folder: PathBuf,
    /// Or members.
    documents: usize,
    /// Queries, readers, or starts.
    count: usize,
    seed: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let mut next = |what: &'static str| arguments.next().context(what);
    let what = next("say what to measure")?;
    let folder = PathBuf::from(next("the folder is missing")?);
    let documents = next("the number of documents or members is missing")?.parse()?;
    let count = next("the number of queries, readers or starts is missing")?.parse()?;
    let seed = next("the seed is missing")?.parse()?;
    let backend = open(&folder).await?;
    let task = Task { backend, folder, documents, count, seed };
    match what.as_str() {
        "search" => search::measure(&task).await,
        "library" => library::measure(&task).await,
        "start" => start::measure(task).await,
        _ => bail!("{what} cannot be measured"),
    }
}

async fn open(folder: &Path) -> Result<Backend> {
    Ok(Backend::open(&StoreLocation::Folder(folder.to_owned()), Keys::from_master(&[7; 32]), Clock::system()).await?)
}

/// Times of one kind of question.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn note(&mut self, since: Instant) {
        self.0.push(since.elapsed());
    }

    fn tell(mut self, what: &str) {
        self.0.sort();
        let at = |share: usize| {
            self.0.get((self.0.len() * share / 100).min(self.0.len() - 1)).map_or(0.0, |took| took.as_secs_f64() * 1000.0)
        };
        println!("{what}: {} asked, p50 {:.1} ms, p99 {:.1} ms, the slowest {:.1} ms", self.0.len(), at(50), at(99), at(100));
    }
}

fn print_duration(what: &str, since: Instant) {
    println!("{what} in {:.1} s", since.elapsed().as_secs_f64());
}

fn viewer(member: MemberId, branch: &UnitRef, office: Option<&UnitRef>) -> Viewer {
    let grants = office.map(|unit| Grant { role: Role::ChiefEditor, path: unit.path.clone() }).into_iter().collect();
    Viewer {
        member,
        name: "Người đọc".to_owned(),
        branch: branch.clone(),
        standpoint: Standpoint { branch: branch.path.clone(), standing: Standing::Official, grants },
        offices: Vec::new(),
        resting: Vec::new(),
    }
}

/// The units whose documents reach the person, as an array of `PostgreSQL`.
fn paths(reader: &Viewer) -> String {
    let paths: Vec<String> = reader.standpoint.branch.ancestors_and_self().map(|path| path.to_string()).collect();
    format!("{{{}}}", paths.join(","))
}

/// As a line of `COPY` has it.
fn copied(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace(['\t', '\r'], " ")
}

fn bytes(folder: &Path) -> Result<u64> {
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}
