//! Measures the pages of the library and the unread count, for members who have read most of what reaches them.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufWriter, Write as _},
    time::Instant,
};

use anyhow::Result;
use backend::demo::many;
use domain::{
    accounts::Viewer,
    documents::{DocumentKind, LibraryQuery, PersonalList},
    ids::{DocumentId, MemberId},
    units::{UnitKind, UnitRef},
};

use crate::{Task, Times, copied, paths, print_duration, viewer};

/// Measured queries per reader and list, after one to warm the caches.
const ROUNDS: usize = 10;

/// Pages loaded after the first.
const TURNED: usize = 5;

/// Of ten documents that reach a member, this many are read.
const READ_OF_TEN: usize = 7;

pub(crate) async fn measure(task: &Task) -> Result<()> {
    let backend = &task.backend;
    many::organise(backend, task.seed).await?;
    let start = Instant::now();
    fs::create_dir_all(&task.folder)?;
    let mut rows = BufWriter::new(File::create(task.folder.with_extension("documents"))?);
    let mut written = Ok(());
    let mut shelves: HashMap<String, Vec<DocumentId>> = HashMap::new();
    let sink = |document: many::Invented<'_>| {
        let many::Invented { id, kind, shelf, number, title, audience, .. } = document;
        let row = [id.to_string().as_str(), audience.path.as_str(), shelf, kind.key(), number, title].map(copied).join("\t");
        written = std::mem::replace(&mut written, Ok(())).and_then(|()| writeln!(rows, "{row}"));
        shelves.entry(audience.path.to_string()).or_default().push(id);
    };
    many::publish(backend, task.seed, task.documents, 1, sink).await?;
    written?;
    rows.flush()?;
    print_duration("documents stored", start);

    let start = Instant::now();
    let readers = readers(task, &shelves).await?;
    print_duration("receipts stored", start);
    for (what, query) in [
        ("library, first page", LibraryQuery::default()),
        ("library, of one kind", LibraryQuery { kind: Some(DocumentKind::Resolution), ..LibraryQuery::default() }),
        ("library, of one level", LibraryQuery { level: UnitKind::from_key("province"), ..LibraryQuery::default() }),
    ] {
        let mut times = Times::default();
        for round in 0..=ROUNDS {
            for reader in &readers {
                let start = Instant::now();
                backend.documents().list(reader, &query).await?;
                if round > 0 {
                    times.note(start);
                }
            }
        }
        times.tell(what);
    }
    let mut turned = Times::default();
    for reader in &readers {
        let mut query = LibraryQuery::default();
        for _ in 0..TURNED {
            query.after = backend.documents().list(reader, &query).await?.next;
            let start = Instant::now();
            backend.documents().list(reader, &query).await?;
            turned.note(start);
        }
    }
    turned.tell("library, pages further down");
    // The first query reads everything that reaches the reader; later ones only what is new.
    for (what, rounds) in [("unread, the first time", 1), ("unread", ROUNDS)] {
        let mut times = Times::default();
        for _ in 0..rounds {
            for reader in &readers {
                let start = Instant::now();
                backend.documents().personal(reader, PersonalList::Unread, None).await?;
                times.note(start);
            }
        }
        times.tell(what);
    }
    Ok(())
}

/// Members of branches far apart, who have read most of what reaches them.
async fn readers(task: &Task, shelves: &HashMap<String, Vec<DocumentId>>) -> Result<Vec<Viewer>> {
    let tree = task.backend.units().tree();
    let branches: Vec<&UnitRef> = tree.all().filter(|unit| unit.kind.holds_members()).collect();
    let readers: Vec<Viewer> = (0..task.count)
        .map(|at| viewer(MemberId::new(task.backend.clock().ulid()), branches[at * 97 % branches.len()], None))
        .collect();
    let mut receipts = BufWriter::new(File::create(task.folder.with_extension("receipts"))?);
    let mut reads = Vec::new();
    for reader in &readers {
        let reaching = reader.standpoint.branch.ancestors_and_self().filter_map(|path| shelves.get(path.as_str()));
        for (at, document) in reaching.flatten().enumerate() {
            if at % 10 < READ_OF_TEN {
                writeln!(receipts, "{}\t{document}", reader.member)?;
                reads.push((*document, reader.member, &reader.branch));
            }
        }
    }
    receipts.flush()?;
    many::read(&task.backend, &reads).await?;
    println!("{} readers, {} receipts", readers.len(), reads.len());
    let lines: String = readers.iter().map(|reader| format!("{}\t{}\n", reader.member, paths(reader))).collect();
    fs::write(task.folder.with_extension("readers"), lines)?;
    Ok(readers)
}
