//! `cargo xtask bench library`: time of the library page and of the list of unread documents, for members of a large organisation
//! who have read most of what reaches them.

use std::path::Path;

use anyhow::Result;
use clap::Args;

use super::{Profile, done, measured, postgres::Cluster};
use crate::project::Project;

#[derive(Args)]
pub(super) struct Library {
    /// Documents in the library.
    #[arg(long, default_value_t = 100_000)]
    documents: u32,
    /// Members who read, each in another branch.
    #[arg(long, default_value_t = 100)]
    readers: u32,
    /// Seed of the documents and readers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn bench_library(project: &Project, profile: Profile, library: &Library) -> Result<()> {
    let numbers = [library.documents.to_string(), library.readers.to_string(), library.seed.to_string()];
    let folder = measured(project, profile, "library", &numbers)?;
    compare(&folder)?;
    done(&folder)
}

/// The same columns. A list is read unit by unit from the top, the fastest way to write it.
const TABLES: &str = "CREATE TABLE document (id text PRIMARY KEY, audience text NOT NULL, shelf text NOT NULL, kind text NOT NULL, \
    number text, title text NOT NULL); \
    CREATE TABLE receipt (member text NOT NULL, document text NOT NULL); \
    CREATE TABLE reader (member text NOT NULL, paths text[] NOT NULL); \
    CREATE TABLE took (list text NOT NULL, ms float NOT NULL);";
const INDEXED: &str = "CREATE INDEX ON document (audience, shelf); CREATE INDEX ON document (audience, kind, shelf); \
    ALTER TABLE receipt ADD PRIMARY KEY (member, document); ANALYZE;";
const LISTS: [(&str, &str); 3] = [
    (
        "first page",
        "SELECT d.*, EXISTS (SELECT FROM receipt r WHERE r.member = q.member AND r.document = d.id) FROM unnest(q.paths) p \
         CROSS JOIN LATERAL (SELECT * FROM document WHERE audience = p ORDER BY shelf DESC LIMIT 21) d ORDER BY d.shelf DESC LIMIT 21",
    ),
    (
        "of one kind",
        "SELECT d.*, EXISTS (SELECT FROM receipt r WHERE r.member = q.member AND r.document = d.id) FROM unnest(q.paths) p \
         CROSS JOIN LATERAL (SELECT * FROM document WHERE audience = p AND kind = 'resolution' ORDER BY shelf DESC LIMIT 21) d \
         ORDER BY d.shelf DESC LIMIT 21",
    ),
    (
        "unread",
        "SELECT d.* FROM unnest(q.paths) p CROSS JOIN LATERAL (SELECT * FROM document WHERE audience = p AND NOT EXISTS \
         (SELECT FROM receipt r WHERE r.member = q.member AND r.document = document.id) ORDER BY shelf DESC LIMIT 21) d \
         ORDER BY d.shelf DESC LIMIT 21",
    ),
];
const TOLD: &str = "SELECT format('p50 %s ms, p99 %s ms, the slowest %s ms', round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1), \
    round(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::numeric, 1), round(max(ms)::numeric, 1)) FROM took WHERE list = ";

/// Runs the same lists in `PostgreSQL`.
fn compare(folder: &Path) -> Result<()> {
    let Some(cluster) = Cluster::installed("the same lists")? else { return Ok(()) };
    cluster.run(TABLES)?;
    for table in ["document", "receipt", "reader"] {
        cluster.fill(table, &folder.join(format!("data.{table}s")))?;
    }
    cluster.run(INDEXED)?;
    for (list, sql) in LISTS {
        // Ten rounds; the first warms the caches.
        cluster.run(&format!(
            "DO $$ DECLARE q record; line record; begun timestamptz; BEGIN FOR round IN 0..10 LOOP FOR q IN SELECT * FROM reader LOOP \
             begun := clock_timestamp(); FOR line IN {sql} LOOP END LOOP; \
             IF round > 0 THEN INSERT INTO took VALUES ('{list}', extract(epoch FROM clock_timestamp() - begun) * 1000); END IF; \
             END LOOP; END LOOP; END $$"
        ))?;
        println!("PostgreSQL, {list}: {}", cluster.run(&format!("{TOLD}'{list}'"))?);
    }
    Ok(())
}
