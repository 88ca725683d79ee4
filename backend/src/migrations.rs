//! Schema migrations: numbered files, each applied once and never changed afterwards.
//!
//! On an empty store each file is one transaction. On a store in use a file is a list of steps ([`mod@steps`]), and the row of
//! the migration records which of them are done: after an interruption the next start resumes after the last recorded step. Until
//! the last step is done the row has a special hash (see [`unfinished`]), so that other versions of the program refuse the store.
//! One process at a time migrates ([`lease`]).
//!
//! # Index builds of the engine (`SurrealDB` 3.3.5, `surrealdb-core/src/kvs/index`)
//!
//! - Every index is built by a task that commits 250 rows at a time, each batch with a checkpoint. `DEFINE INDEX` waits for that
//!   task within its own transaction: when the transaction times out, the definition is rolled back and the partial index is
//!   deleted. So a large index would never be completed, however often the program is restarted.
//! - `DEFINE INDEX … CONCURRENTLY` returns when the task has started. The definition is committed immediately, and the statement
//!   timeout does not apply to the task. Concurrent changes of rows are indexed too. Queries do not use an index before it is
//!   ready.
//! - `INFO FOR INDEX` returns `building.status` (`started`, `cleaning`, `indexing`, `ready`, `aborted`, `error`), the number of
//!   processed rows (`initial`), and the `error`.
//! - When the process dies, the status remains. The task owns the build for 60 seconds after its last commit. After that, a check
//!   that the engine runs every 30 seconds resumes the build from the checkpoint, one index at a time. So after a `kill -9` a
//!   build pauses for one to two minutes and then resumes without a request.
//! - A failed build, such as that of a `UNIQUE` index on duplicate values, remains in `error`; `REBUILD INDEX` restarts it.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::{
    Clock, Error, Result,
    keys::hex,
    store::{KEYS, RecordId, Store, SurrealValue, Variables, record, rows_after, rows_until, vars},
};

#[cfg(test)]
mod fixtures;
pub(crate) mod lease;
mod steps;

use lease::{Candidate, Lease, Stopped};
use steps::{Batched, Index, Step};

/// Permits the writes of this module: see [`Store::write_directly`].
pub(crate) struct DirectWrite(());

struct Migration {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal),+ $(,)?) => {
        &[$(Migration { version: $version, name: $name, sql: include_str!(concat!("../schema/", $name, ".surql")) }),+]
    };
}

/// Invariant: versions count up from 1 without a gap.
const MIGRATIONS: &[Migration] = migrations![
    1 "0001_organisation",
    2 "0002_library",
    3 "0003_events",
    4 "0004_units",
    5 "0005_members",
    6 "0006_imports",
    7 "0007_sign_in",
    8 "0008_trail",
    9 "0009_desk",
    10 "0010_files",
    11 "0011_reading",
    12 "0012_courses",
    13 "0013_writing",
    14 "0014_readers",
    15 "0015_reminders",
    16 "0016_import_sums",
    17 "0017_two_texts",
    18 "0018_corrections",
    19 "0019_read",
    20 "0020_recovery",
    21 "0021_another_try",
    22 "0022_corrected_read",
    23 "0023_owners",
    24 "0024_parts",
    25 "0025_acts",
    26 "0026_same_opinion",
    27 "0027_tries_of_a_course",
    28 "0028_foreign_ids",
    29 "0029_counter_snapshots",
    30 "0030_jobs",
    31 "0031_levels",
    32 "0032_reorganisation",
    33 "0033_except",
    34 "0034_venue",
    35 "0035_import_holders",
    36 "0036_shifts",
];

/// Rows that a batched step changes in one transaction: about a second of work, of the 30 that a transaction may take.
const PAGE: usize = if cfg!(test) { 500 } else { 2_000 };

/// Interval between two checks of an index build: the first, and the longest.
const LOOK_MIN: Duration = Duration::from_millis(10);
const LOOK_MAX: Duration = Duration::from_secs(1);

/// Minimum interval between two log lines about the same step.
const LOG_AGAIN: Duration = Duration::from_secs(10);

/// The progress of the migrations of one start. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Progress(watch::Sender<Option<String>>);

impl Progress {
    /// A line for operators, such as `migrating 0014_readers: read_receipt_place, 43 %`; `None` while no migration runs.
    pub fn subscribe(&self) -> watch::Receiver<Option<String>> {
        self.0.subscribe()
    }

    fn tell(&self, line: String) {
        self.0.send_replace(Some(line));
    }
}

/// Applies pending migrations, or waits for another process that does. Returns when the schema is complete.
///
/// # Errors
/// [`Error::Schema`] when the store contains a migration that is unknown to this program, or one whose text was changed, or when
/// an index cannot be built.
pub(crate) async fn run(store: &Store, clock: &Clock, progress: &Progress) -> Result<()> {
    // With exclusive access, any holder of the lease is dead.
    let patience = if store.is_exclusive() { Duration::ZERO } else { lease::PATIENCE };
    run_patiently(store, clock, progress, patience).await
}

async fn run_patiently(store: &Store, clock: &Clock, progress: &Progress, patience: Duration) -> Result<()> {
    prepare(store).await?;
    let mut candidate = Candidate::new(patience);
    loop {
        if is_up_to_date(&applied(store).await?) {
            progress.0.send_replace(None);
            return Ok(());
        }
        let Some(lease) = candidate.take(store, progress).await? else { continue };
        let mut work = MigrationRun::new(lease, clock, progress);
        match work.all().await {
            Ok(()) => work.lease.leave().await,
            Err(Stopped::TakenOver) => tracing::warn!("another process has taken over the migrations"),
            Err(Stopped::Failed(error)) => {
                work.lease.leave().await;
                return Err(error);
            }
        }
    }
}

/// The number of migrations of an up-to-date store.
pub(crate) fn steps() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Applies the migrations up to this version to an empty store, to measure or test later ones.
pub(crate) async fn apply_until(store: &Store, clock: &Clock, version: u32) -> Result<()> {
    prepare(store).await?;
    let (mut candidate, progress) = (Candidate::new(Duration::ZERO), Progress::default());
    let lease = loop {
        if let Some(lease) = candidate.take(store, &progress).await? {
            break lease;
        }
    };
    let work = MigrationRun::new(lease, clock, &progress);
    for migration in MIGRATIONS.iter().filter(|migration| migration.version <= version) {
        work.whole(migration).await.map_err(|stopped| match stopped {
            Stopped::TakenOver => Error::Busy,
            Stopped::Failed(error) => error,
        })?;
    }
    work.lease.leave().await;
    Ok(())
}

/// Whether all migrations are applied, each once and completely.
pub(crate) async fn is_complete(store: &Store) -> Result<bool> {
    Ok(is_up_to_date(&applied(store).await?))
}

#[derive(Debug, SurrealValue)]
struct Applied {
    version: i64,
    name: String,
    /// The hash of the text, or [`unfinished`].
    hash: String,
    /// The names of the completed steps. Absent in finished migrations of older versions of the program, and empty in those of a
    /// store that was new.
    done: Option<Vec<String>>,
    /// The last row changed by the current batched step; `walked` is the number of changed rows.
    position: Option<RecordId>,
    walked: Option<i64>,
}

impl Applied {
    fn is_finished(&self) -> bool {
        !self.hash.starts_with(UNFINISHED)
    }
}

/// The migrations recorded in the store. Fails when this program does not know one of them.
async fn applied(store: &Store) -> Result<Vec<Applied>> {
    let sql = "SELECT version, name, hash, done, position, walked FROM migration ORDER BY version";
    let applied = store.read(sql, ()).await?.rows(0)?;
    check(&applied)?;
    Ok(applied)
}

fn is_up_to_date(applied: &[Applied]) -> bool {
    applied.len() == MIGRATIONS.len() && applied.iter().all(Applied::is_finished)
}

/// Defines the tables of the migrations' state. One transaction, because processes that start together may both define them.
async fn prepare(store: &Store) -> Result<()> {
    let sql = "DEFINE TABLE IF NOT EXISTS migration SCHEMAFULL TYPE NORMAL PERMISSIONS NONE;
               DEFINE FIELD IF NOT EXISTS version ON migration TYPE int;
               DEFINE FIELD IF NOT EXISTS name ON migration TYPE string;
               DEFINE FIELD IF NOT EXISTS hash ON migration TYPE string;
               DEFINE FIELD IF NOT EXISTS applied_at ON migration TYPE datetime;
               DEFINE FIELD IF NOT EXISTS done ON migration TYPE option<array<string>>;
               DEFINE FIELD IF NOT EXISTS position ON migration TYPE option<record>;
               DEFINE FIELD IF NOT EXISTS walked ON migration TYPE option<int>;
               DEFINE TABLE IF NOT EXISTS migration_lease SCHEMAFULL TYPE NORMAL PERMISSIONS NONE;
               DEFINE FIELD IF NOT EXISTS holder ON migration_lease TYPE option<string>;
               DEFINE FIELD IF NOT EXISTS beat ON migration_lease TYPE int;
               DEFINE FIELD IF NOT EXISTS doing ON migration_lease TYPE option<string>;";
    store.write_directly(DirectWrite(()), sql, ()).await?;
    Ok(())
}

/// The migrations of one process, which holds the lease.
struct MigrationRun<'s> {
    lease: Lease<'s>,
    clock: &'s Clock,
    progress: &'s Progress,
    logged: Option<Instant>,
}

/// The next step.
struct Next {
    migration: &'static Migration,
    /// None when the program that began the migration had more steps than this one.
    step: Option<Step>,
    is_last: bool,
    done: Vec<String>,
    reached: Reached,
}

/// The progress of a batched step: the last row it has changed, and the number of changed rows.
#[derive(Debug, Clone, Default)]
struct Reached {
    position: Option<RecordId>,
    walked: i64,
}

/// An update of the row of a migration.
enum Note {
    /// A page was changed, up to this row.
    Page(Reached),
    StepDone,
}

#[derive(Debug, SurrealValue)]
struct Info {
    building: Building,
}

#[derive(Debug, SurrealValue)]
struct Building {
    status: String,
    initial: Option<i64>,
    error: Option<String>,
}

#[derive(Debug, SurrealValue)]
struct Count {
    count: i64,
}

const NOTE: &str = "UPSERT $applied SET version = $version, name = $name, hash = $hash, applied_at = $now, done = $done, \
                    position = $position, walked = $walked RETURN NONE;";

impl<'s> MigrationRun<'s> {
    fn new(lease: Lease<'s>, clock: &'s Clock, progress: &'s Progress) -> Self {
        Self { lease, clock, progress, logged: None }
    }

    async fn all(&mut self) -> Result<(), Stopped> {
        if applied(self.lease.store).await?.is_empty() {
            for migration in MIGRATIONS {
                self.whole(migration).await?;
            }
            return Ok(());
        }
        while let Some(next) = self.next().await? {
            self.take(&next).await?;
        }
        Ok(())
    }

    /// Applies a migration and records it in one transaction, so that a crash leaves both or neither. For an empty store.
    async fn whole(&self, migration: &'static Migration) -> Result<(), Stopped> {
        tracing::info!(migration = migration.name, "applying migration");
        let next = Next { migration, step: None, is_last: true, done: Vec::new(), reached: Reached::default() };
        self.lease.write(&format!("{} {NOTE}", migration.sql), self.note(&next, Note::StepDone)).await
    }

    /// None when all migrations are done.
    async fn next(&self) -> Result<Option<Next>, Stopped> {
        let mut applied = applied(self.lease.store).await?;
        let at = applied.iter().take_while(|applied| applied.is_finished()).count();
        let Some(migration) = MIGRATIONS.get(at) else { return Ok(None) };
        let begun = (at < applied.len()).then(|| applied.swap_remove(at));
        let earlier: Vec<String> = applied.into_iter().take(at).filter_map(|applied| applied.done).flatten().collect();
        let (done, reached) = begun.map_or_else(Default::default, |begun| {
            (begun.done.unwrap_or_default(), Reached { position: begun.position, walked: begun.walked.unwrap_or_default() })
        });
        let mut left = steps::steps(migration.version, migration.sql)
            .into_iter()
            .filter(|step| !done.iter().any(|done| done == step.name()))
            // A later migration repeats an update for stores that finished the earlier one without it.
            .filter(|step| !matches!(step, Step::Batched(_)) || !earlier.iter().any(|done| done == step.name()));
        let step = left.next();
        let is_last = left.next().is_none();
        Ok(Some(Next { migration, step, is_last, done, reached }))
    }

    async fn take(&mut self, next: &Next) -> Result<(), Stopped> {
        self.logged = None;
        self.tell(next, None);
        match &next.step {
            Some(Step::Sql(sql)) => return self.lease.write(&format!("{sql} {NOTE}"), self.note(next, Note::StepDone)).await,
            Some(Step::Index(index)) => self.build(next, index).await?,
            Some(Step::Batched(batched)) => self.walk(next, batched).await?,
            None => {}
        }
        self.lease.write(NOTE, self.note(next, Note::StepDone)).await
    }

    /// Builds an index and returns when it is ready.
    async fn build(&mut self, next: &Next, index: &Index) -> Result<(), Stopped> {
        self.lease.write(&index.define(), ()).await?;
        let rows = self.count(&index.table).await?;
        let (mut pause, mut is_first) = (LOOK_MIN, true);
        loop {
            let found: Option<Info> = self.lease.store.read(index.info(), ()).await?.row(0)?;
            let Some(Info { building }) = found else {
                return Err(Error::Damaged(format!("the engine does not know the index {}", index.name)).into());
            };
            match building.status.as_str() {
                "ready" => return Ok(()),
                // It failed in an earlier start, and the cause may have been removed.
                "error" | "aborted" if is_first => self.lease.write(&index.rebuild(), ()).await?,
                "error" | "aborted" => return Err(refused(index, building.error.as_deref()).into()),
                _ => {}
            }
            is_first = false;
            self.tell(next, Some(percent(building.initial.unwrap_or_default(), rows)));
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LOOK_MAX);
            self.lease.renew().await?;
        }
    }

    /// Runs a batched step to its end.
    async fn walk(&mut self, next: &Next, batched: &Batched) -> Result<(), Stopped> {
        let rows = self.count(batched.table).await?;
        let mut from = next.reached.clone();
        while let Some(reached) = self.page(next, batched, from).await? {
            self.tell(next, Some(percent(reached.walked, rows)));
            from = reached;
        }
        Ok(())
    }

    /// Changes the next page of rows. None when there are none left.
    async fn page(&self, next: &Next, batched: &Batched, from: Reached) -> Result<Option<Reached>, Stopped> {
        let sql = format!("SELECT VALUE id FROM {KEYS} LIMIT {PAGE}");
        let vars = vars! { keys: rows_after(batched.table, from.position.clone()) };
        let mut rows: Vec<RecordId> = self.lease.store.read(sql, vars).await?.rows(0)?;
        let count = i64::try_from(rows.len()).unwrap_or_default();
        let Some(last) = rows.pop() else { return Ok(None) };
        let range = rows_until(batched.table, from.position, last.clone());
        let reached = Reached { position: Some(last), walked: from.walked + count };
        let mut vars = self.note(next, Note::Page(reached.clone()));
        vars.insert("rows", range);
        self.lease.write(&format!("{} {NOTE}", batched.sql), vars).await?;
        Ok(Some(reached))
    }

    async fn count(&self, table: &str) -> Result<i64, Stopped> {
        let counted: Option<Count> = self.lease.store.read(format!("SELECT count() FROM {table} GROUP ALL"), ()).await?.row(0)?;
        Ok(counted.map_or(0, |counted| counted.count))
    }

    /// The bindings of [`NOTE`].
    fn note(&self, next: &Next, note: Note) -> Variables {
        let migration = next.migration;
        let mut done = next.done.clone();
        let (reached, is_finished) = match note {
            Note::Page(reached) => (Some(reached), false),
            Note::StepDone => {
                done.extend(next.step.as_ref().map(|step| step.name().to_owned()));
                (None, next.is_last)
            }
        };
        let walked = reached.as_ref().map(|reached| reached.walked);
        vars! {
            applied: record("migration", migration.name),
            version: i64::from(migration.version),
            name: migration.name.to_owned(),
            hash: if is_finished { hash(migration.sql) } else { unfinished(migration.sql) },
            now: self.clock.now(),
            done: done,
            position: reached.and_then(|reached| reached.position),
            walked: walked,
        }
    }

    fn tell(&mut self, next: &Next, percent: Option<i64>) {
        let (migration, step) = (next.migration.name, next.step.as_ref().map_or("", Step::name));
        if self.logged.is_none_or(|logged| logged.elapsed() >= LOG_AGAIN) {
            tracing::info!(migration, step, percent, "migrating");
            self.logged = Some(Instant::now());
        }
        let line = match percent {
            Some(percent) => format!("migrating {migration}: {step}, {percent} %"),
            None => format!("migrating {migration}: {step}"),
        };
        self.lease.doing = Some(line.clone());
        self.progress.tell(line);
    }
}

/// At most 99, because rows may be added during the step.
fn percent(part: i64, whole: i64) -> i64 {
    (part.saturating_mul(100) / whole.max(1)).clamp(0, 99)
}

/// The error for an index that cannot be built. The engine's message for duplicates contains the values of the row, so it is
/// replaced.
fn refused(index: &Index, error: Option<&str>) -> Error {
    let (Index { name, table, .. }, error) = (index, error.unwrap_or_default());
    let why = if error.contains("already contains") { "two of its rows have the same values" } else { error };
    Error::Schema(format!("the index {name} of the table {table} cannot be built: {why}"))
}

fn check(applied: &[Applied]) -> Result<()> {
    for (at, found) in applied.iter().enumerate() {
        let Some(known) = MIGRATIONS.get(at) else {
            return Err(Error::Schema(format!(
                "this data was last used by a newer version of the program: it knows the schema step {}, this one does not; \
                 start the newer version, or restore a backup made before it",
                found.name
            )));
        };
        let is_known = found.hash == hash(known.sql) || found.hash == unfinished(known.sql);
        if found.version != i64::from(known.version) || !is_known {
            return Err(Error::Schema(format!(
                "the schema step {} in this data differs from the one of this program; it may not be changed once applied",
                found.name
            )));
        }
    }
    Ok(())
}

fn hash(sql: &str) -> String {
    hex(&Sha256::digest(sql.as_bytes()).into())
}

const UNFINISHED: &str = "unfinished ";

/// Stored instead of the hash while some steps of a migration are pending. Older versions of the program refuse it.
fn unfinished(sql: &str) -> String {
    format!("{UNFINISHED}{}", hash(sql))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;
    use crate::{
        StoreLocation,
        store::{StoreError, Value},
    };

    /// A generous timeout, even for a busy machine.
    const PATIENCE: Duration = Duration::from_mins(1);

    async fn empty() -> Store {
        Store::connect(&StoreLocation::Memory).await.expect("opens")
    }

    fn clock() -> Clock {
        Clock::fixed(DateTime::UNIX_EPOCH + TimeDelta::days(20_000), 1)
    }

    async fn up_to_date(store: &Store) -> Result<()> {
        run(store, &clock(), &Progress::default()).await
    }

    /// A process that takes the lease immediately, even if another one holds it.
    async fn started<'s>(store: &'s Store, clock: &'s Clock, progress: &'s Progress) -> MigrationRun<'s> {
        prepare(store).await.expect("defines");
        let lease = Candidate::new(Duration::ZERO).take(store, progress).await.expect("asks").expect("takes");
        MigrationRun::new(lease, clock, progress)
    }

    /// A store with the schema of this version.
    pub(super) async fn at_version(version: u32) -> Store {
        let store = empty().await;
        apply_until(&store, &clock(), version).await.expect("applies");
        store
    }

    /// A store of version 4 with rows in tables that later migrations change, and more than one page of receipts.
    async fn in_use() -> Store {
        let store = at_version(4).await;
        let rows = "FOR $key IN ['A', 'B'] { CREATE type::record('member', $key) SET code = $key, full_name = 'Võ Văn Khơi', \
                    sort_key = 'khoi', sex = 'male', birth_date = '1972-05-12', admitted_on = '2001-02-03', standing = 'official', \
                    state = 'active', unit = 'U', path = '/01/' }; \
                    CREATE posting:1 SET member = 'A', unit = 'T', from = '2001-02-03', until = '2020-01-01'; \
                    CREATE posting:2 SET member = 'A', unit = 'U', from = '2020-01-02'; \
                    CREATE meeting:1 SET unit = 'U', path = '/01/', kind = 'regular', form = 'mixed', state = 'reported', \
                    title = 'Sinh hoạt', starts_at = d'2026-10-05T07:00:00Z', place = 'Nhà văn hóa', agenda = []; \
                    FOR $at IN 1000..1600 { \
                    CREATE type::record('read_receipt', ['E' + <string> $at, 'A']) SET path = '/01/', at = d'2026-10-01T02:03:04Z', counted = true };";
        store.write(rows, ()).await.expect("writes");
        store
    }

    async fn json(store: &Store, sql: &str) -> serde_json::Value {
        let found: Option<Value> = store.read(sql, ()).await.expect("reads").row(0).expect("a value");
        found.expect("is there").into_json_value()
    }

    /// All definitions of the store.
    async fn schema(store: &Store) -> Vec<serde_json::Value> {
        let database = json(store, "INFO FOR DB").await;
        let mut found = Vec::new();
        for table in database["tables"].as_object().expect("tables").keys() {
            found.push(json(store, &format!("INFO FOR TABLE {table}")).await);
        }
        found.push(database);
        found
    }

    /// The rows of [`in_use`] that the migrations change, and the rows of the migrations.
    async fn rows(store: &Store) -> serde_json::Value {
        let sql = "RETURN { members: (SELECT * FROM member), postings: (SELECT * FROM posting), \
                   receipts: (SELECT * FROM read_receipt), meetings: (SELECT * FROM meeting), \
                   migrations: (SELECT * FROM migration) }";
        json(store, sql).await
    }

    async fn times(store: &Store, after: i64) -> Vec<DateTime<Utc>> {
        let sql = "SELECT VALUE applied_at FROM migration WHERE version > $after";
        let mut times: Vec<DateTime<Utc>> = store.read(sql, vars! { after: after }).await.expect("reads").rows(0).expect("times");
        assert_eq!(times.len() + usize::try_from(after).expect("a few"), MIGRATIONS.len());
        times.dedup();
        times
    }

    #[test]
    fn versions_count_up_without_a_gap() {
        for (at, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.version as usize, at + 1, "{}", migration.name);
            assert!(migration.name.starts_with(&format!("{:04}_", migration.version)), "{}", migration.name);
        }
    }

    #[tokio::test]
    async fn running_again_changes_nothing_and_an_altered_step_is_refused() {
        let store = empty().await;
        up_to_date(&store).await.expect("applies");
        up_to_date(&store).await.expect("again");
        store.write("UPDATE migration SET hash = 'other' WHERE version = 2", ()).await.expect("alters");
        let refused = up_to_date(&store).await;
        assert!(matches!(refused, Err(Error::Schema(_))), "{refused:?}");
    }

    #[tokio::test]
    async fn data_of_a_newer_program_is_refused_with_a_way_out() {
        let store = empty().await;
        up_to_date(&store).await.expect("applies");
        store
            .write("CREATE migration SET version = 99, name = '0099_future', hash = 'x', applied_at = time::now()", ())
            .await
            .expect("adds");
        let refused = up_to_date(&store).await.expect_err("is refused");
        assert!(refused.to_string().contains("newer version"), "{refused}");
    }

    #[tokio::test]
    async fn postings_of_an_older_version_move_into_the_records() {
        let store = at_version(4).await;
        let old = "FOR $key IN ['A', 'B'] { CREATE type::record('member', $key) SET code = $key, full_name = 'Võ Văn Khơi', \
                   sort_key = 'khoi', sex = 'male', birth_date = '1972-05-12', admitted_on = '2001-02-03', standing = 'official', \
                   state = 'active', unit = 'U', path = '/01/' }; \
                   CREATE posting SET member = 'A', unit = 'T', from = '2001-02-03', until = '2020-01-01'; \
                   CREATE posting SET member = 'A', unit = 'U', from = '2020-01-02'; \
                   CREATE posting SET member = 'B', unit = 'U', from = '2010-01-01', until = '2025-01-01';";
        store.write(old, ()).await.expect("writes");
        up_to_date(&store).await.expect("goes on");
        let sql =
            "SELECT VALUE posted_from FROM member:A; SELECT VALUE posted_from FROM member:B; SELECT VALUE from FROM posting";
        let mut found = store.read(sql, ()).await.expect("reads");
        assert_eq!(found.rows::<Option<String>>(0).expect("a day"), [Some("2020-01-02".to_owned())]);
        assert_eq!(found.rows::<Option<String>>(1).expect("no day"), [None]);
        let mut ended = found.rows::<String>(2).expect("days");
        ended.sort();
        assert_eq!(ended, ["2001-02-03", "2010-01-01"], "ended postings are unchanged");
    }

    #[tokio::test]
    async fn receipts_of_an_older_version_get_the_paths_of_their_readers() {
        let store = at_version(13).await;
        let old = "FOR $key IN ['A', 'B', 'C'] { CREATE type::record('member', $key) SET code = $key, full_name = 'Võ Văn Khơi', \
                   sort_key = 'khoi', sex = 'male', birth_date = '1972-05-12', admitted_on = '2001-02-03', unit = 'U', \
                   standing = IF $key = 'B' { 'exempt' } ELSE { 'official' }, state = 'active', path = '/01/02/'; \
                   CREATE type::record('read_receipt', ['D', $key]) SET path = '/01/03/', at = time::now(), counted = true }; \
                   DELETE member:C; FOR $at IN 0..1200 { \
                   CREATE type::record('read_receipt', ['E' + <string> $at, 'A']) SET path = '/01/03/', at = time::now(), counted = true };";
        store.write(old, ()).await.expect("writes");
        up_to_date(&store).await.expect("goes on");
        let unplaced = "SELECT VALUE id FROM read_receipt WHERE member != 'B' AND member != 'C' AND place = NONE";
        let unplaced: Vec<RecordId> = store.read(unplaced, ()).await.expect("reads").rows(0).expect("rows");
        assert_eq!(unplaced, [], "more than one batch");
        let first = "SELECT VALUE [member, place, path] FROM read_receipt ORDER BY id LIMIT 3";
        let mut found = store.read(first, ()).await.expect("reads");
        let row = |member: &str, place: Option<&str>| {
            vec![Some(member.to_owned()), place.map(str::to_owned), Some("/01/03/".to_owned())]
        };
        let expected = [row("A", Some("Dofficial/01/02/")), row("B", None), row("C", None)];
        assert_eq!(found.rows::<Vec<Option<String>>>(0).expect("rows"), expected, "the path at the time of reading is unchanged");
    }

    #[tokio::test]
    async fn receipts_are_placed_once_and_before_their_indexes_are_built() {
        let store = in_use().await;
        let skipped = store.questions();
        up_to_date(&store).await.expect("goes on");
        let statements = store.statements(skipped);
        let of = |words: &str| (0..statements.len()).filter(|at| statements[*at].contains(words)).collect::<Vec<_>>();
        let (pages, indexes) = (of("UPDATE $rows SET place"), of("DEFINE INDEX IF NOT EXISTS read_receipt_place"));
        assert_eq!((pages.len(), indexes.len()), (2, 1), "600 receipts in pages of {PAGE}");
        assert!(pages.iter().all(|page| *page < indexes[0]), "{pages:?} {indexes:?}");
    }

    #[tokio::test]
    async fn receipts_of_a_store_that_finished_version_14_without_them_are_placed() {
        let store = at_version(14).await;
        let old = "CREATE member:A SET code = 'A', full_name = 'Võ Văn Khơi', sort_key = 'khoi', sex = 'male', \
                   birth_date = '1972-05-12', admitted_on = '2001-02-03', standing = 'official', state = 'active', unit = 'U', \
                   path = '/01/02/'; \
                   CREATE type::record('read_receipt', ['D', 'A']) SET path = '/01/', at = time::now(), counted = true; \
                   UPDATE migration SET done = NONE;";
        store.write(old, ()).await.expect("writes");
        up_to_date(&store).await.expect("goes on");
        let places: Vec<Option<String>> =
            store.read("SELECT VALUE place FROM read_receipt", ()).await.expect("reads").rows(0).expect("rows");
        assert_eq!(places, [Some("Dofficial/01/02/".to_owned())]);
    }

    #[tokio::test]
    async fn what_was_opened_under_an_older_version_stays_opened_with_its_time_and_is_not_read() {
        let store = at_version(15).await;
        let old = "CREATE type::record('read_receipt', ['D', 'A']) SET path = '/01/', at = d'2026-10-01T02:03:04Z', counted = true, \
                   place = 'Dofficial/01/'";
        store.write(old, ()).await.expect("writes");
        up_to_date(&store).await.expect("goes on");
        let sql = "SELECT VALUE [member, place, <string> at] FROM read_receipt; SELECT VALUE member FROM document_read";
        let mut found = store.read(sql, ()).await.expect("reads");
        let opened: Vec<Vec<String>> = found.rows(0).expect("rows");
        assert_eq!(opened, [["A", "Dofficial/01/", "2026-10-01T02:03:04Z"]]);
        assert_eq!(found.rows::<String>(1).expect("rows"), [] as [&str; 0]);
    }

    #[tokio::test]
    async fn meetings_of_an_older_version_get_a_venue_and_keep_their_place() {
        let store = at_version(33).await;
        let old = "FOR $at IN 0..600 { \
                   CREATE type::record('meeting', 'M' + <string> $at) SET unit = 'U', path = '/01/', kind = 'regular', \
                   form = 'mixed', state = 'reported', title = 'Sinh hoạt', starts_at = d'2026-10-05T07:00:00Z', \
                   place = 'Nhà văn hóa ' + <string> $at, agenda = [] };";
        store.write(old, ()).await.expect("writes");
        up_to_date(&store).await.expect("goes on");
        let copied = "SELECT VALUE id FROM meeting WHERE venue = place";
        let copied: Vec<RecordId> = store.read(copied, ()).await.expect("reads").rows(0).expect("rows");
        assert_eq!(copied.len(), 600, "more than one batch");
        let one: Vec<String> =
            store.read("SELECT VALUE venue FROM meeting:M599", ()).await.expect("reads").rows(0).expect("rows");
        assert_eq!(one, ["Nhà văn hóa 599"]);
    }

    #[tokio::test]
    async fn an_interrupted_migration_ends_with_the_same_store() {
        let (fresh, through, interrupted) = (empty().await, in_use().await, in_use().await);
        up_to_date(&fresh).await.expect("applies");
        up_to_date(&through).await.expect("goes on");
        let (clock, progress) = (clock(), Progress::default());
        let mut steps = 0;
        loop {
            // One start is killed in the middle of a step, the next one after it.
            let killed = started(&interrupted, &clock, &progress).await;
            let Some(next) = killed.next().await.expect("reads") else { break };
            match &next.step {
                Some(Step::Index(index)) => killed.lease.write(&index.define(), ()).await.expect("begins"),
                Some(Step::Batched(batched)) => {
                    let reached = killed.page(&next, batched, next.reached.clone()).await.expect("changes a page");
                    assert!(reached.is_some(), "{} has rows to change", batched.name);
                }
                // Other steps are atomic.
                _ => {}
            }
            let (version, name) = (next.migration.version, next.step.as_ref().map(|step| step.name().to_owned()));
            let mut killed = started(&interrupted, &clock, &progress).await;
            let next = killed.next().await.expect("reads").expect("is not done");
            assert_eq!((next.migration.version, next.step.as_ref().map(Step::name)), (version, name.as_deref()));
            killed.take(&next).await.expect("takes the step");
            steps += 1;
        }
        assert!(steps > MIGRATIONS.len(), "{steps}");
        up_to_date(&interrupted).await.expect("has nothing left to do");
        let expected = schema(&fresh).await;
        assert_eq!(schema(&through).await, expected);
        assert_eq!(schema(&interrupted).await, expected);
        assert_eq!(rows(&interrupted).await, rows(&through).await);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_two_concurrent_starts_only_one_migrates() {
        for (store, version) in [(empty().await, 0), (in_use().await, 4)] {
            let other = store.another_process();
            let ahead = Clock::fixed(clock().now() + TimeDelta::minutes(1), 2);
            let behind = Clock::fixed(clock().now() - TimeDelta::minutes(1), 3);
            let progress = (Progress::default(), Progress::default());
            let (one, two) = tokio::join!(run(&store, &ahead, &progress.0), run(&other, &behind, &progress.1));
            one.expect("has the schema");
            two.expect("has the schema");
            let times = times(&store, version).await;
            assert!(times == [ahead.now()] || times == [behind.now()], "{times:?}");
        }
    }

    #[tokio::test]
    async fn a_second_process_waits_and_reports_why() {
        let (store, clock, progress) = (in_use().await, clock(), Progress::default());
        let mut work = started(&store, &clock, &progress).await;
        let next = work.next().await.expect("reads").expect("a step");
        work.tell(&next, Some(43));
        work.lease.renew().await.expect("holds the lease");
        let (other, late, others) =
            (store.another_process(), Clock::fixed(clock.now() + TimeDelta::hours(1), 2), Progress::default());
        let mut lines = others.subscribe();
        let first = async {
            let line = "waiting for another process: migrating 0005_members: definitions, 43 %";
            lines.wait_for(|found| found.as_deref() == Some(line)).await.expect("is told");
            work.all().await.expect("goes on");
            work.lease.leave().await;
        };
        let second = run_patiently(&other, &late, &others, PATIENCE * 60);
        let both = async { tokio::join!(first, second) };
        let ((), waited) = tokio::time::timeout(PATIENCE, both).await.expect("does not wait for the lease to be over");
        waited.expect("has the schema");
        assert_eq!(times(&store, 4).await, [clock.now()]);
        assert_eq!(*others.subscribe().borrow(), None);
    }

    #[tokio::test]
    async fn a_stale_lease_is_taken_over_and_its_holder_writes_nothing_more() {
        let (store, clock, progress) = (in_use().await, clock(), Progress::default());
        let mut stopped = started(&store, &clock, &progress).await;
        let next = stopped.next().await.expect("reads").expect("a step");
        let (other, others) = (store.another_process(), Progress::default());
        let late = Clock::fixed(clock.now() + TimeDelta::minutes(1), 2);
        let second = run_patiently(&other, &late, &others, Duration::from_millis(1));
        tokio::time::timeout(PATIENCE, second).await.expect("takes over").expect("has the schema");
        let before = rows(&store).await;
        let refused = stopped.take(&next).await.expect_err("is refused");
        assert!(matches!(refused, Stopped::TakenOver), "{refused}");
        assert_eq!(rows(&store).await, before);
        assert_eq!(times(&store, 4).await, [late.now()]);
    }

    #[tokio::test]
    async fn a_program_without_steps_refuses_an_unfinished_migration() {
        let (store, clock, progress) = (in_use().await, clock(), Progress::default());
        let mut killed = started(&store, &clock, &progress).await;
        let next = killed.next().await.expect("reads").expect("a step");
        killed.take(&next).await.expect("takes the step");
        let hashes: Vec<String> =
            store.read("SELECT VALUE hash FROM migration", ()).await.expect("reads").rows(0).expect("hashes");
        let unknown: Vec<_> = hashes.iter().zip(MIGRATIONS).filter(|(found, known)| **found != hash(known.sql)).collect();
        assert_eq!(unknown.len(), 1, "{hashes:?}");
    }

    #[tokio::test]
    async fn an_index_on_a_table_with_rows_has_them_all_and_is_used() {
        let store = in_use().await;
        up_to_date(&store).await.expect("goes on");
        let sql = "SELECT VALUE id FROM read_receipt WHERE member = 'A'";
        store.assert_no_scan(sql, ()).await;
        let found: Vec<RecordId> = store.read(sql, ()).await.expect("reads").rows(0).expect("rows");
        assert_eq!(found.len(), 600);
        assert_eq!(store.rows_read(sql, ()).await, 600);
        assert_eq!(json(&store, "INFO FOR INDEX read_receipt_member ON read_receipt").await["building"]["status"], "ready");
    }

    #[tokio::test]
    async fn an_index_that_cannot_be_built_is_reported_without_values_and_built_later() {
        let store = empty().await;
        store.read("DEFINE TABLE t SCHEMALESS;", ()).await.expect("defines");
        store.write("CREATE t:1 SET name = 'Khơi'; CREATE t:2 SET name = 'Khơi';", ()).await.expect("writes");
        let (clock, progress) = (clock(), Progress::default());
        let index = || steps::steps(0, "DEFINE INDEX t_name ON t FIELDS name UNIQUE;").pop();
        let next =
            || Next { migration: &MIGRATIONS[0], step: index(), is_last: true, done: Vec::new(), reached: Reached::default() };
        for _ in 0..2 {
            let refused = started(&store, &clock, &progress).await.take(&next()).await.expect_err("is refused").to_string();
            assert!(refused.contains("t_name") && refused.contains("same values") && !refused.contains("Khơi"), "{refused}");
        }
        store.write("DELETE t:2", ()).await.expect("deletes");
        started(&store, &clock, &progress).await.take(&next()).await.expect("is built");
        let taken = store.write("CREATE t:3 SET name = 'Khơi'", ()).await;
        assert!(matches!(&taken, Err(StoreError::Taken { index }) if index == "t_name"), "{taken:?}");
    }
}
