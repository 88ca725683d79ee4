//! Measures searches: an index of the library, and queries of members and of an editor of everything.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    time::Instant,
};

use anyhow::Result;
use backend::demo::many;
use domain::{accounts::Viewer, ids::MemberId, policy::Role, search::SearchQuery, units::UnitRef};

use crate::{Task, Times, bytes, copied, paths, print_duration, viewer};

pub(crate) async fn measure(Task { backend, folder, documents, count, seed }: &Task) -> Result<()> {
    let root = many::organise(backend, *seed).await?;
    let start = Instant::now();
    // Written beside the data folder, for the comparison with `PostgreSQL`.
    fs::create_dir_all(folder)?;
    let mut rows = BufWriter::new(File::create(folder.with_extension("documents"))?);
    let mut written = Ok(());
    let sink = |document: many::Invented<'_>| {
        let row = [document.audience.path.as_str(), document.number, document.title, document.body].map(copied).join("\t");
        written = std::mem::replace(&mut written, Ok(())).and_then(|()| writeln!(rows, "{row}"));
    };
    let asked = many::publish(backend, *seed, *documents, *count, sink).await?;
    written?;
    rows.flush()?;
    print_duration("documents stored", start);

    let start = Instant::now();
    backend.search().catch_up().await?;
    print_duration("index made", start);
    println!("{} documents, index of {} MB", backend.search().size().await?, bytes(&folder.join("search"))? / 1_000_000);

    let tree = backend.units().tree();
    let branches: Vec<&UnitRef> = tree.all().filter(|unit| unit.kind.holds_members()).collect();
    let nobody = MemberId::new(ulid::Ulid::nil());
    let members: Vec<Viewer> = (0..asked.len()).map(|at| viewer(nobody, branches[at * 97 % branches.len()], None)).collect();
    let lines: String =
        asked.iter().zip(&members).map(|(typed, reader)| format!("{}\t{}\n", copied(typed), paths(reader))).collect();
    fs::write(folder.with_extension("queries"), lines)?;
    let editor = viewer(nobody, branches[0], Some((Role::ChiefEditor, &root)));
    for (who, readers) in [("members", members), ("an editor of all", vec![editor; asked.len()])] {
        let mut times = Times::default();
        let mut found = 0;
        // Once to warm the caches, once to measure.
        for is_measured in [false, true] {
            for (typed, reader) in asked.iter().zip(&readers) {
                let query = SearchQuery { typed: typed.clone(), ..SearchQuery::default() };
                let start = Instant::now();
                let page = backend.search().find(reader, &query).await?;
                if is_measured {
                    times.note(start);
                    found += usize::from(!page.hits.is_empty());
                }
            }
        }
        times.tell(&format!("search, {who}, {found} answered"));
    }
    Ok(())
}
