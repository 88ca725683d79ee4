//! `cargo xtask bench search`: time of a search in a large library, through the use-case with policy and store.

use std::{path::Path, time::Instant};

use anyhow::Result;
use clap::Args;

use super::{Profile, done, measured, postgres::Cluster};
use crate::project::Project;

#[derive(Args)]
pub(super) struct Search {
    /// Documents in the library.
    #[arg(long, default_value_t = 100_000)]
    documents: u32,
    /// Number of queries.
    #[arg(long, default_value_t = 1_000)]
    queries: u32,
    /// Seed of the documents and queries.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn bench_search(project: &Project, profile: Profile, search: &Search) -> Result<()> {
    let numbers = [search.documents.to_string(), search.queries.to_string(), search.seed.to_string()];
    let folder = measured(project, profile, "search", &numbers)?;
    compare(&folder)?;
    done(&folder)
}

/// Full-text search of the same documents without marks, the same queries with the same audiences, ranked and with excerpts.
const SEARCHED: &str = "CREATE EXTENSION unaccent; \
    CREATE FUNCTION words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$ SELECT to_tsvector('simple', unaccent('unaccent', $1)) $$; \
    CREATE TABLE document (audience text NOT NULL, number text, title text NOT NULL, body text NOT NULL); \
    CREATE TABLE query (typed text NOT NULL, paths text[] NOT NULL); CREATE TABLE took (ms float NOT NULL);";
const INDEXED: &str = "ALTER TABLE document ADD words tsvector GENERATED ALWAYS AS \
    (setweight(words(coalesce(number, '') || ' ' || title), 'A') || words(left(body, 100000))) STORED; \
    CREATE INDEX ON document USING gin (words); CREATE INDEX ON document (audience); ANALYZE document;";
const ASKED: &str = "DO $$ DECLARE q record; begun timestamptz; BEGIN FOR round IN 1..2 LOOP TRUNCATE took; FOR q IN SELECT * FROM query LOOP \
    begun := clock_timestamp(); \
    PERFORM ts_headline('simple', body, plainto_tsquery('simple', unaccent(q.typed))) FROM (SELECT title, body FROM document \
    WHERE words @@ plainto_tsquery('simple', unaccent(q.typed)) AND audience = ANY (q.paths) \
    ORDER BY ts_rank(words, plainto_tsquery('simple', unaccent(q.typed))) DESC LIMIT 20) best; \
    INSERT INTO took VALUES (extract(epoch FROM clock_timestamp() - begun) * 1000); END LOOP; END LOOP; END $$";
const TOLD: &str = "SELECT format('p50 %s ms, p99 %s ms, the slowest %s ms', round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1), \
    round(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::numeric, 1), round(max(ms)::numeric, 1)) FROM took";

/// Runs the same searches in `PostgreSQL`.
fn compare(folder: &Path) -> Result<()> {
    let Some(cluster) = Cluster::installed("the same searches")? else { return Ok(()) };
    cluster.run(SEARCHED)?;
    cluster.fill("document", &folder.join("data.documents"))?;
    cluster.fill("query", &folder.join("data.queries"))?;
    let start = Instant::now();
    cluster.run(INDEXED)?;
    println!("index made in {:.1} s", start.elapsed().as_secs_f64());
    cluster.run(ASKED)?;
    println!("PostgreSQL full text, members: {}", cluster.run(TOLD)?);
    Ok(())
}
