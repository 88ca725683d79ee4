//! The measuring half of `cargo xtask bench search`: a library of invented documents in a folder, an index of it, and queries through
//! the use-case. An example of the server's package, so that it is built of the same parts as the program.

use std::{
    env,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use backend::{
    Backend, Clock, Keys, Place,
    demo::{many, registry::Registry},
};
use domain::{
    accounts::Viewer,
    members::Standing,
    policy::{Grant, Role, Standpoint},
    search::SearchQuery,
    units::{UnitKind, UnitRef},
};

/// Provinces, communes of each, branches of each: a tree in which one branch is reached by a small part of all documents.
const PROVINCES: usize = 34;
const COMMUNES: usize = 10;
const BRANCHES: usize = 6;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let mut next = |what: &'static str| arguments.next().context(what);
    let folder = PathBuf::from(next("the folder is missing")?);
    let documents: usize = next("the number of documents is missing")?.parse()?;
    let queries: usize = next("the number of queries is missing")?.parse()?;
    let seed: u64 = next("the seed is missing")?.parse()?;

    let clock = Clock::system();
    let backend = Backend::open(&Place::Folder(folder.clone()), Keys::from_master(&[7; 32]), clock.clone()).await?;
    let mut registry = Registry::new(&backend, seed, clock.now());
    let root = registry.unit(None, UnitKind::Central, "01", "Trung ương")?;
    for province in 0..PROVINCES {
        let province = registry.unit(Some(&root), UnitKind::Province, &format!("{province:02}"), &format!("Tỉnh {province}"))?;
        for commune in 0..COMMUNES {
            let commune =
                registry.unit(Some(&province), UnitKind::Commune, &format!("{commune:03}"), &format!("Xã {commune}"))?;
            for branch in 0..BRANCHES {
                registry.unit(Some(&commune), UnitKind::Branch, &format!("{branch:02}"), &format!("Chi bộ {branch}"))?;
            }
        }
    }
    registry.save().await?;
    let start = Instant::now();
    // Beside the data, for the comparison.
    fs::create_dir_all(&folder)?;
    let mut rows = BufWriter::new(File::create(folder.with_extension("documents"))?);
    let mut written = Ok(());
    let sink = |document: many::Invented<'_>| {
        let row = [document.audience.path.as_str(), document.number, document.title, document.body].map(copied).join("\t");
        written = std::mem::replace(&mut written, Ok(())).and_then(|()| writeln!(rows, "{row}"));
    };
    let asked = many::publish(&backend, seed, documents, queries, sink).await?;
    written?;
    rows.flush()?;
    told("documents stored", start.elapsed());

    let start = Instant::now();
    backend.search().catch_up().await?;
    told("index made", start.elapsed());
    println!("{} documents, index of {} MB", backend.search().size().await?, bytes(&folder.join("search"))? / 1_000_000);

    let tree = backend.units().tree();
    let branches: Vec<&UnitRef> = tree.all().filter(|unit| unit.kind == UnitKind::Branch).collect();
    let members: Vec<Viewer> = (0..asked.len()).map(|at| viewer(branches[at * 97 % branches.len()], None)).collect();
    let paths = |reader: &Viewer| {
        let paths: Vec<String> = reader.standpoint.branch.ancestors_and_self().map(|path| path.to_string()).collect();
        format!("{{{}}}", paths.join(","))
    };
    let lines: String =
        asked.iter().zip(&members).map(|(typed, reader)| format!("{}\t{}\n", copied(typed), paths(reader))).collect();
    fs::write(folder.with_extension("queries"), lines)?;
    let editor = viewer(branches[0], Some(&root));
    for (who, readers) in [("members", members), ("an editor of all", vec![editor; asked.len()])] {
        let mut took = Vec::with_capacity(asked.len());
        let mut found = 0;
        // Once to bring the files into memory, once to measure.
        for is_measured in [false, true] {
            for (typed, reader) in asked.iter().zip(&readers) {
                let query = SearchQuery { typed: typed.clone(), ..SearchQuery::default() };
                let start = Instant::now();
                let page = backend.search().find(reader, &query).await?;
                if is_measured {
                    took.push(start.elapsed());
                    found += usize::from(!page.hits.is_empty());
                }
            }
        }
        took.sort();
        let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
        println!(
            "{who}: {} queries, {found} answered, p50 {:.1} ms, p99 {:.1} ms, the slowest {:.1} ms",
            took.len(),
            millis(at(50)),
            millis(at(99)),
            millis(at(100)),
        );
    }
    Ok(())
}

fn viewer(branch: &UnitRef, office: Option<&UnitRef>) -> Viewer {
    let grants = office.map(|unit| Grant { role: Role::ChiefEditor, path: unit.path.clone() }).into_iter().collect();
    Viewer {
        member: domain::ids::MemberId::new(ulid::Ulid::nil()),
        name: "Người đọc".to_owned(),
        branch: branch.clone(),
        standpoint: Standpoint { branch: branch.path.clone(), standing: Standing::Official, grants },
        offices: Vec::new(),
        resting: Vec::new(),
    }
}

/// As a line of `COPY` has it.
fn copied(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace(['\t', '\r'], " ")
}

fn told(what: &str, took: Duration) {
    println!("{what} in {:.1} s", took.as_secs_f64());
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

fn bytes(folder: &Path) -> Result<u64> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}
