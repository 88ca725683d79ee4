//! The only module that uses SurrealDB: connections, bindings, results, error classification, and retries of conflicts.
//!
//! Invariant: other modules use types of the `surrealdb` crate only through [`Row`] and [`vars!`].
//!
//! Invariant: a query of an embedded engine is never cancelled: see [`Store::run`].
//!
//! Invariant: every statement's error is reported. `Response::check` is never used, since on a failed transaction it returns the
//! first "not executed" error instead of the conflict that caused it.

use std::{
    borrow::Cow,
    fmt::Display,
    fs::{File, TryLockError},
    ops::Bound,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use rand::Rng;
pub(crate) use surrealdb::types::{Bytes, RecordId, SurrealValue, SurrealValue as Row, Value, Variables, vars};
use surrealdb::{
    IndexedResults, Surreal,
    engine::any::{self, Any},
    opt::{Config, auth::Database},
    types::{Array, QueryError, RecordIdKey, RecordIdKeyRange},
};
use tokio::sync::Semaphore;

use self::tokens::WriteToken;
use crate::{Error, StoreLocation};

/// Errors of the store. A use-case maps [`Self::Thrown`], [`Self::Exists`] and [`Self::Taken`] to problems of its form. The
/// operator `?` converts them to [`Error::Internal`], since no caller can handle them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The transaction conflicted with others in every retry.
    #[error("busy")]
    Busy,
    /// A `THROW` in the transaction aborted it with this text.
    #[error("refused: {0}")]
    Thrown(String),
    /// The record to be created already exists.
    #[error("the record exists")]
    Exists,
    /// A unique index refused the row.
    #[error("the index {index} already has this value")]
    Taken { index: String },
    /// Another process uses the data folder.
    #[error("another process is using this data folder")]
    InUse,
    /// Stored rows are malformed.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// The folder cannot be used, or the task of a query stopped.
    #[error("{0}")]
    Internal(String),
    /// The engine failed.
    #[error(transparent)]
    Engine(Box<surrealdb::Error>),
}

impl From<surrealdb::Error> for StoreError {
    fn from(error: surrealdb::Error) -> Self {
        Self::Engine(Box::new(error))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy,
            StoreError::InUse => Self::InUse,
            StoreError::Damaged(what) => Self::Damaged(what),
            StoreError::Internal(what) => Self::Internal(what),
            StoreError::Engine(error) => Self::Store(error),
            StoreError::Thrown(_) | StoreError::Exists | StoreError::Taken { .. } => {
                Self::Internal(format!("no use-case expects this answer of the store: {error}"))
            }
        }
    }
}

/// The result of an operation of the store.
pub(crate) type Result<T, E = StoreError> = std::result::Result<T, E>;

const NAMESPACE: &str = "handbook";
const DATABASE: &str = "handbook";

/// The server runs one request per WebSocket at a time, so requests are spread over several connections. Embedded engines need
/// one.
const SERVER_CONNECTIONS: usize = 4;

/// Concurrent queries of an embedded engine: per processor, and the minimum. A request runs one or a few queries at a time, the
/// first page up to eight. Queries above this limit wait in FIFO order.
const RUNNING_PER_PROCESSOR: usize = 16;
const RUNNING_MIN: usize = 64;

/// Timeout of a statement. No page needs a statement that takes this long.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Attempts of a transaction before [`StoreError::Busy`]. Conflicts are resolved in milliseconds.
const TRIES: u32 = 8;

/// How long to wait for a process that has released its lock but not yet closed the engine.
const LEAVING_TRIES: u32 = 100;
const LEAVING_PAUSE: Duration = Duration::from_millis(100);

/// Rows deleted in one transaction.
const PURGED_AT_ONCE: usize = 1_000;

/// The modules below the use-cases, which write without [`crate::Backend::transact`]. Each has a token that only it can create,
/// and the trait can only be implemented in this file.
mod tokens {
    /// Permits [`super::Store::write_directly`].
    pub(crate) trait WriteToken {}

    /// Bulk inserts also fill stores of older versions, which no backend can open.
    impl WriteToken for crate::bulk::DirectWrite {}
    /// It implements changes.
    impl WriteToken for crate::change::DirectWrite {}
    /// Leases are below the jobs that changes enqueue.
    impl WriteToken for crate::jobs::lease::DirectWrite {}
    /// The key is checked before the backend exists.
    impl WriteToken for crate::key_check::DirectWrite {}
    /// Migrations run before the backend exists.
    impl WriteToken for crate::migrations::DirectWrite {}
    /// The lease of the migrations is taken before the backend exists.
    impl WriteToken for crate::migrations::lease::DirectWrite {}
}

/// Handles to the database. The handles themselves are never cloned, because a clone is a new session.
pub(crate) struct Store {
    handles: Vec<Arc<Surreal<Any>>>,
    next: AtomicUsize,
    /// Whether the engine runs in this process.
    is_embedded: bool,
    /// Permits for queries of the embedded engine, granted in FIFO order.
    permits: Arc<Semaphore>,
    /// Held until the process ends, so that a second process cannot use the folder.
    lock: Option<File>,
    /// The executed statements, in order.
    #[cfg(test)]
    asked: std::sync::Mutex<Vec<String>>,
    /// Rows read since a test started counting.
    #[cfg(test)]
    counted: std::sync::Mutex<Option<u64>>,
}

impl Store {
    pub(crate) async fn connect(location: &StoreLocation) -> Result<Self> {
        let (url, credentials, count, lock) = match location {
            StoreLocation::Memory => ("mem://".to_owned(), None, 1, None),
            StoreLocation::Folder(folder) => {
                let lock = lock(folder)?;
                (format!("rocksdb://{}", folder.join("store").display()), None, 1, Some(lock))
            }
            StoreLocation::Server { url, credentials } => (url.clone(), credentials.as_ref(), SERVER_CONNECTIONS, None),
        };
        let mut handles = Vec::with_capacity(count);
        for _ in 0..count {
            let config = Config::new().query_timeout(STATEMENT_TIMEOUT).transaction_timeout(STATEMENT_TIMEOUT);
            let handle = connect(&url, config).await?;
            if let Some((user, password)) = credentials {
                handle
                    .signin(Database {
                        namespace: NAMESPACE.to_owned(),
                        database: DATABASE.to_owned(),
                        username: user.clone(),
                        password: password.clone(),
                    })
                    .await?;
            }
            handle.use_ns(NAMESPACE).use_db(DATABASE).await?;
            handles.push(Arc::new(handle));
        }
        let is_embedded = !matches!(location, StoreLocation::Server { .. });
        let permits = Arc::new(Semaphore::new(running_max()));
        Ok(Self {
            handles,
            next: AtomicUsize::new(0),
            is_embedded,
            permits,
            lock,
            #[cfg(test)]
            asked: std::sync::Mutex::default(),
            #[cfg(test)]
            counted: std::sync::Mutex::default(),
        })
    }

    /// Whether no other process can use this data while this one runs.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.lock.is_some()
    }

    /// Runs statements that change no row. Builds for development and tests check this; a release does not search every statement.
    pub(crate) async fn read(&self, sql: impl Into<Cow<'_, str>>, vars: impl Into<Bindings>) -> Result<Answers> {
        let (sql, vars): (Cow<'_, str>, _) = (sql.into(), vars.into().0);
        debug_assert!(!changes_rows(&sql), "rows are changed by a transaction: {sql}");
        #[cfg(test)]
        self.count(&sql, &vars).await;
        self.run(&sql, vars).await
    }

    /// Runs statements as one transaction and retries it on a conflict. `sql` must be safe to retry: ids are generated before,
    /// not inside. The last statement, `RETURN …`, can return a value. Use-cases call [`crate::Backend::transact`] instead; only
    /// the modules that have a [`WriteToken`] can call this.
    pub(crate) async fn write_directly(&self, _: impl WriteToken, sql: &str, vars: impl Into<Bindings>) -> Result<Answers> {
        self.commit(sql, vars.into().0).await
    }

    /// As [`Self::write_directly`], for tests.
    #[cfg(test)]
    pub(crate) async fn write(&self, sql: &str, vars: impl Into<Bindings>) -> Result<Answers> {
        self.commit(sql, vars.into().0).await
    }

    async fn commit(&self, sql: &str, vars: Variables) -> Result<Answers> {
        let transaction = format!("BEGIN; {} COMMIT;", terminated(sql));
        for attempt in 0..TRIES {
            match self.run(&transaction, vars.clone()).await {
                Err(StoreError::Busy) => tokio::time::sleep(backoff(attempt)).await,
                settled => return settled,
            }
        }
        Err(StoreError::Busy)
    }

    /// Deletes the expired rows of a table; `column` is their time of expiry. Returns the number of deleted rows.
    pub(crate) async fn purge(&self, table: &str, column: &str, now: DateTime<Utc>) -> Result<u64> {
        let sql = over(table, column);
        let mut purged = 0;
        loop {
            let rows: Vec<RecordId> = self.read(sql.as_str(), vars! { now: now }).await?.rows(0)?;
            let count = rows.len();
            if count > 0 {
                self.commit("DELETE $rows RETURN NONE", vars! { rows: rows }).await?;
                purged += count as u64;
            }
            if count < PURGED_AT_ONCE {
                return Ok(purged);
            }
        }
    }

    /// An embedded engine runs within the calling future and panics later when that future was dropped before completion, as on a
    /// closed connection or a timeout. So the query runs in a task of its own, which outlives the caller and holds its permit
    /// until it has ended. A caller that is dropped before the task starts costs nothing. A database server does not have this
    /// problem.
    ///
    /// A permit is held for one query only, and no query waits for another, so exhausted permits cannot cause a deadlock.
    async fn run(&self, sql: &str, vars: Variables) -> Result<Answers> {
        #[cfg(test)]
        self.note(sql);
        let handle = Arc::clone(&self.handles[self.next.fetch_add(1, Relaxed) % self.handles.len()]);
        if !self.is_embedded {
            return ask(&handle, sql, vars).await;
        }
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|closed| StoreError::Internal(format!("no query can begin: {closed}")))?;
        let sql = sql.to_owned();
        let asked = tokio::spawn(async move {
            let answers = ask(&handle, &sql, vars).await;
            drop(permit);
            answers
        });
        asked.await.map_err(|stopped| StoreError::Internal(format!("a query stopped: {stopped}")))?
    }
}

/// Whether one of the statements creates, changes or deletes rows. Only keywords are in upper case.
fn changes_rows(sql: &str) -> bool {
    let words = sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.into_iter().any(|word| matches!(word, "CREATE" | "INSERT" | "UPSERT" | "UPDATE" | "DELETE" | "RELATE"))
}

/// Concurrent queries of an embedded engine.
fn running_max() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).saturating_mul(RUNNING_PER_PROCESSOR).max(RUNNING_MIN)
}

async fn ask(handle: &Surreal<Any>, sql: &str, vars: Variables) -> Result<Answers> {
    settle(handle.query(sql).bind(vars).await.map_err(classify)?)
}

/// Selects expired rows of a table; `column` is their time of expiry.
pub(crate) fn over(table: &str, column: &str) -> String {
    format!("SELECT VALUE id FROM {table} WHERE {column} <= $now LIMIT {PURGED_AT_ONCE}")
}

/// Named values for a statement: `vars! { name: value }`, or `()` for none.
pub(crate) struct Bindings(Variables);

impl Bindings {
    pub(crate) fn into_variables(self) -> Variables {
        self.0
    }

    /// Merges two sets of bindings. `others` takes precedence.
    pub(crate) fn and(mut self, others: Variables) -> Self {
        self.0.extend(others);
        self
    }
}

impl From<()> for Bindings {
    fn from((): ()) -> Self {
        Self(Variables::new())
    }
}

impl From<Variables> for Bindings {
    fn from(vars: Variables) -> Self {
        Self(vars)
    }
}

/// The answers of a query whose statements all succeeded, by position. Each statement has one, including `LET`, `BEGIN` and
/// `COMMIT`.
#[derive(Debug)]
pub(crate) struct Answers(IndexedResults);

impl Answers {
    pub(crate) fn rows<T: Row>(&mut self, statement: usize) -> Result<Vec<T>> {
        self.0.take(statement).map_err(damaged)
    }

    pub(crate) fn row<T: Row>(&mut self, statement: usize) -> Result<Option<T>> {
        self.0.take(statement).map_err(damaged)
    }
}

/// The id of a record whose key is one of our ids.
pub(crate) fn record(table: &'static str, key: impl Display) -> RecordId {
    RecordId::new(table, key.to_string())
}

/// The id of a record with a key of two parts: `read_receipt:[document, member]`.
pub(crate) fn pair(table: &'static str, first: impl Display, second: impl Display) -> RecordId {
    RecordId::new(table, Array::from(vec![first.to_string(), second.to_string()]))
}

/// The key of a record as a text: as it is, or in debug format if it is of another type, which the program does not create.
pub(crate) fn key_text(id: &RecordId) -> String {
    match &id.key {
        RecordIdKey::String(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// The source of a `SELECT` for the records of the range bound as `$keys`, in key order.
///
/// For a plain range the engine reads all records before it applies a `LIMIT`. For a range returned by a function it stops at the
/// limit (`SELECT` planner of `SurrealDB` 3.3.5: only such sources push the limit down into the scan).
pub(crate) const KEYS: &str = "array::first([$keys])";

/// All records of a table whose key, one of our ids, follows `key`: see [`KEYS`].
pub(crate) fn keys_after(table: &'static str, key: impl Display) -> RecordId {
    RecordId::new(table, RecordIdKeyRange::from((Bound::Excluded(key.to_string()), Bound::Unbounded)))
}

/// All records of a table, or those after `last`: see [`KEYS`].
pub(crate) fn rows_after(table: &'static str, last: Option<RecordId>) -> RecordId {
    let start = last.map_or(Bound::Unbounded, |last| Bound::Excluded(last.key));
    RecordId::new(table, RecordIdKeyRange { start, end: Bound::Unbounded })
}

/// The records of a table after `after`, or from its first one, up to and including `last`.
pub(crate) fn rows_until(table: &'static str, after: Option<RecordId>, last: RecordId) -> RecordId {
    let start = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.key));
    RecordId::new(table, RecordIdKeyRange { start, end: Bound::Included(last.key) })
}

/// All records of a table with a key between two bounds.
pub(crate) fn keys_between(table: &'static str, from: Bound<String>, until: Bound<String>) -> RecordId {
    RecordId::new(table, RecordIdKeyRange::from((bound(from), bound(until))))
}

/// Like [`keys_after`], for a table whose keys are created by [`pair`].
pub(crate) fn pairs_after(table: &'static str, first: impl Display, second: impl Display) -> RecordId {
    let key = Array::from(vec![first.to_string(), second.to_string()]);
    RecordId::new(table, RecordIdKeyRange::from((Bound::Excluded(key), Bound::Unbounded)))
}

/// All records of a table with keys created by [`pair`] that have this first part, one of our ids.
pub(crate) fn pairs_of(table: &'static str, first: impl Display) -> RecordId {
    let range = (Bound::Included(key_of(vec![first.to_string()])), behind(first));
    RecordId::new(table, RecordIdKeyRange::from(range))
}

/// The records of [`pairs_of`] whose second part follows `second`.
pub(crate) fn pairs_of_after(table: &'static str, first: impl Display, second: impl Display) -> RecordId {
    let range = (Bound::Excluded(key_of(vec![first.to_string(), second.to_string()])), behind(first));
    RecordId::new(table, RecordIdKeyRange::from(range))
}

/// All records of a table with keys created by [`pair`] whose first part precedes `first`.
pub(crate) fn pairs_before(table: &'static str, first: impl Display) -> RecordId {
    RecordId::new(table, RecordIdKeyRange::from((Bound::Unbounded, Bound::Excluded(key_of(vec![first.to_string()])))))
}

fn key_of(parts: Vec<String>) -> RecordIdKey {
    RecordIdKey::from(Array::from(parts))
}

/// A bound after every key that begins with the id. Ids do not contain `!`, which sorts before all of their characters.
fn behind(first: impl Display) -> Bound<RecordIdKey> {
    Bound::Excluded(key_of(vec![format!("{first}!")]))
}

fn bound(key: Bound<String>) -> Bound<RecordIdKey> {
    key.map(RecordIdKey::from)
}

/// Connects, and waits for the engine of an ending process that has released the folder's lock but is still closing its files.
async fn connect(url: &str, config: Config) -> Result<Surreal<Any>> {
    let mut patience = LEAVING_TRIES;
    loop {
        match any::connect((url, config.clone())).await {
            Err(error) if is_held(&error) => {
                patience -= 1;
                if patience == 0 {
                    return Err(StoreError::InUse);
                }
                tokio::time::sleep(LEAVING_PAUSE).await;
            }
            connected => return Ok(connected?),
        }
    }
}

/// Whether another process holds the engine's own lock of the folder.
fn is_held(error: &surrealdb::Error) -> bool {
    let message = error.message();
    message.contains("While lock file") || message.contains("lock hold by current process")
}

fn lock(folder: &Path) -> Result<File> {
    let failed = |error: &dyn Display| StoreError::Internal(format!("cannot use the data folder {}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    let file = File::create(folder.join("lock")).map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => Err(failed(&error)),
    }
}

fn terminated(sql: &str) -> Cow<'_, str> {
    let sql = sql.trim();
    if sql.ends_with(';') { Cow::Borrowed(sql) } else { Cow::Owned(format!("{sql};")) }
}

/// 5 ms, doubled for each attempt up to 80 ms, plus a random jitter of up to the same time, so that two conflicting transactions
/// do not conflict again.
fn backoff(attempt: u32) -> Duration {
    let base = 5 << attempt.min(4);
    Duration::from_millis(base + rand::rng().random_range(0..=base))
}

/// Returns the most specific of all statement errors.
fn settle(mut results: IndexedResults) -> Result<Answers> {
    let mut errors: Vec<_> = results.take_errors().into_iter().collect();
    if errors.is_empty() {
        return Ok(Answers(results));
    }
    errors.sort_unstable_by_key(|(statement, _)| *statement);
    let telling = errors.into_iter().map(|(_, error)| error).min_by_key(|error| match error {
        error if is_conflict(error) => 0,
        error if error.is_thrown() => 1,
        error if matches!(error.query_details(), Some(QueryError::NotExecuted | QueryError::Cancelled)) => 3,
        _ => 2,
    });
    match telling {
        Some(error) => Err(classify(error)),
        None => Ok(Answers(results)),
    }
}

fn classify(error: surrealdb::Error) -> StoreError {
    if is_conflict(&error) {
        return StoreError::Busy;
    }
    if error.is_thrown() {
        let message = error.message();
        return StoreError::Thrown(message.rsplit(": ").next().unwrap_or(message).to_owned());
    }
    if error.is_already_exists() {
        return StoreError::Exists;
    }
    if let Some(index) = violated_index(error.message()) {
        return StoreError::Taken { index: index.to_owned() };
    }
    error.into()
}

/// The engine has no separate error kind for a unique violation; its message is "Database index `x` already contains …".
fn violated_index(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("atabase index `")?;
    let (index, rest) = rest.split_once('`')?;
    rest.trim_start().starts_with("already contains").then_some(index)
}

fn is_conflict(error: &surrealdb::Error) -> bool {
    matches!(error.query_details(), Some(QueryError::TransactionConflict))
        || error.message().contains("can be retried")
        || error.cause().is_some_and(is_conflict)
}

fn damaged(error: surrealdb::Error) -> StoreError {
    StoreError::Damaged(error.to_string())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{
        Clock,
        migrations::{self, Progress},
    };

    /// An empty store in memory with the current schema.
    pub(crate) async fn migrated() -> Store {
        let store = Store::connect(&StoreLocation::Memory).await.expect("opens");
        migrations::run(&store, &Clock::system(), &Progress::default()).await.expect("has the schema");
        store
    }

    impl Store {
        pub(super) fn note(&self, sql: &str) {
            self.asked.lock().expect("is whole").push(sql.to_owned());
        }

        /// Simulates a second process on the same data, as with a database server.
        pub(crate) fn another_process(&self) -> Self {
            Self {
                handles: self.handles.iter().map(Arc::clone).collect(),
                next: AtomicUsize::new(0),
                is_embedded: self.is_embedded,
                permits: Arc::new(Semaphore::new(running_max())),
                lock: None,
                asked: std::sync::Mutex::default(),
                counted: std::sync::Mutex::default(),
            }
        }

        /// The number of requests so far.
        pub(crate) fn questions(&self) -> usize {
            self.asked.lock().expect("is whole").len()
        }

        /// The statements of all requests after the first `skipped`, in order.
        pub(crate) fn statements(&self, skipped: usize) -> Vec<String> {
            self.asked.lock().expect("is whole").iter().skip(skipped).cloned().collect()
        }

        /// Asserts that no statement scans a whole table.
        pub(crate) async fn assert_no_scan(&self, sql: &str, vars: impl Into<Bindings>) {
            let scans = self.scans(sql, vars.into().0).await;
            assert!(scans.is_empty(), "{scans:#?}");
        }

        /// The number of rows that the engine reads from tables and indexes to run the statements.
        pub(crate) async fn rows_read(&self, sql: &str, vars: impl Into<Bindings>) -> u64 {
            let vars = vars.into().0;
            let mut rows = 0;
            for statement in sql.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
                let explained = self.run(&format!("EXPLAIN ANALYZE FORMAT JSON {statement}"), vars.clone()).await;
                let plan = explained.expect("is explained").0.take::<Value>(0).expect("a plan").into_json_value();
                rows += rows_of_scans(&plan);
            }
            rows
        }

        /// Starts counting the rows that the engine reads for the `SELECT`s of [`Self::read`].
        pub(crate) fn count_rows_read(&self) {
            *self.counted.lock().expect("is not poisoned") = Some(0);
        }

        /// The rows counted since [`Self::count_rows_read`].
        pub(crate) fn counted_rows(&self) -> u64 {
            self.counted.lock().expect("is not poisoned").take().expect("is counted")
        }

        pub(super) async fn count(&self, sql: &str, vars: &Variables) {
            if self.counted.lock().expect("is not poisoned").is_none() {
                return;
            }
            let selects: Vec<&str> = sql.split(';').map(str::trim).filter(|statement| statement.starts_with("SELECT")).collect();
            let rows = self.rows_read(&selects.join(";"), vars.clone()).await;
            if let Some(counted) = &mut *self.counted.lock().expect("is not poisoned") {
                *counted += rows;
            }
        }

        /// Returns the query plans of the statements that scan a whole table.
        async fn scans(&self, sql: &str, vars: Variables) -> Vec<String> {
            let mut scans = Vec::new();
            for statement in sql.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
                let explained = self.run(&format!("EXPLAIN FORMAT JSON {statement}"), vars.clone()).await;
                let plan = explained.expect("is explained").0.take::<Value>(0).expect("a plan");
                let plan = plan.into_json_value().to_string();
                assert!(plan.contains("operator"), "unknown format of a plan: {statement}\n{plan}");
                if plan.contains("TableScan") {
                    scans.push(format!("{statement}\n{plan}"));
                }
            }
            scans
        }
    }

    /// The number of rows returned by the leaves of a plan.
    fn rows_of_scans(step: &serde_json::Value) -> u64 {
        match step["children"].as_array() {
            Some(children) if !children.is_empty() => children.iter().map(rows_of_scans).sum(),
            _ => step["metrics"]["output_rows"].as_u64().expect("a step says how many rows it put out"),
        }
    }

    #[tokio::test]
    async fn a_table_scan_is_detected() {
        let store = migrated().await;
        for walk in
            ["SELECT * FROM opinion WHERE text = 'a'", "SELECT * FROM member", "SELECT * FROM document ORDER BY title LIMIT 1"]
        {
            let scans = store.scans(&format!("SELECT * FROM member WHERE id_hash = 'a'; {walk};"), Variables::new()).await;
            assert_eq!(scans.len(), 1, "{walk}: {scans:#?}");
            assert!(scans[0].starts_with(walk), "{scans:#?}");
        }
    }

    async fn store() -> Store {
        let store = Store::connect(&StoreLocation::Memory).await.expect("opens");
        store.read("DEFINE TABLE t SCHEMALESS; DEFINE INDEX t_name ON t FIELDS name UNIQUE;", ()).await.expect("defines");
        store
    }

    #[test]
    fn statements_that_change_rows_are_detected() {
        for sql in
            ["CREATE t:1", "LET $a = 1; UPDATE $b SET c = 1", "FOR $a IN $b { DELETE $a }", "UPSERT t:1", "INSERT INTO t $a"]
        {
            assert!(changes_rows(sql), "{sql}");
        }
        for sql in ["SELECT updated FROM t", "SELECT * FROM t WHERE state = 'create'", "INFO FOR DB", "RETURN 1"] {
            assert!(!changes_rows(sql), "{sql}");
        }
    }

    #[tokio::test]
    #[should_panic(expected = "rows are changed by a transaction")]
    async fn rows_cannot_be_changed_by_a_read() {
        let _ = store().await.read("CREATE t:1", ()).await;
    }

    #[tokio::test]
    async fn a_page_of_keys_reads_no_more_than_the_page() {
        let store = store().await;
        store
            .write("FOR $n IN 100..200 { CREATE type::record('t', <string>$n) SET name = <string>$n; }", ())
            .await
            .expect("creates");
        let sql = format!("EXPLAIN ANALYZE FORMAT JSON SELECT VALUE record::id(id) FROM {KEYS} LIMIT 3");
        let explained = store.run(&sql, vars! { keys: keys_after("t", "120") }).await.expect("is explained").0.take::<Value>(0);
        let plan = explained.expect("a plan").into_json_value().to_string();
        let read: Vec<_> = plan.match_indices("\"output_rows\":").map(|(at, words)| &plan[at + words.len()..][..2]).collect();
        assert!(!read.is_empty() && read.iter().all(|rows| *rows == "3,"), "{plan}");
    }

    #[tokio::test]
    async fn a_failing_statement_after_a_good_one_is_reported() {
        let store = store().await;
        let outcome = store.read("RETURN 1; SELECT * FROM type::no_such_function(1);", ()).await;
        assert!(outcome.is_err(), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_unique_violation_names_its_index_inside_a_transaction_too() {
        let store = store().await;
        store.write("CREATE t SET name = $name;", vars! { name: "a" }).await.expect("first");
        let outcome = store.write("CREATE t:x SET name = 'b'; CREATE t SET name = $name;", vars! { name: "a" }).await;
        assert!(matches!(&outcome, Err(StoreError::Taken { index }) if index == "t_name"), "{outcome:?}");
        let mut found = store.read("SELECT VALUE name FROM t", ()).await.expect("reads");
        assert_eq!(found.rows::<String>(0).expect("names"), ["a"], "the other statement was rolled back");
    }

    #[tokio::test]
    async fn a_throw_and_an_existing_record_are_told_apart() {
        let store = store().await;
        let thrown = store.write("THROW 'stale';", ()).await;
        assert!(matches!(&thrown, Err(StoreError::Thrown(reason)) if reason == "stale"), "{thrown:?}");
        store.write("CREATE t:one SET name = 'a';", ()).await.expect("first");
        let existing = store.write("CREATE t:one SET name = 'c';", ()).await;
        assert!(matches!(existing, Err(StoreError::Exists)), "{existing:?}");
    }

    #[tokio::test]
    async fn the_answer_of_a_transaction_is_its_return() {
        let store = store().await;
        let mut answers = store.write("CREATE t:one SET name = 'a' RETURN NONE; RETURN 42;", ()).await.expect("writes");
        assert_eq!(answers.row::<i64>(2).expect("a number"), Some(42));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn writers_of_one_row_all_get_through() {
        let store = Arc::new(store().await);
        store.write("CREATE t:counter SET n = 0", ()).await.expect("creates");
        let mut writers = Vec::new();
        for _ in 0..8 {
            let store = Arc::clone(&store);
            writers.push(tokio::spawn(async move {
                for _ in 0..5 {
                    store.write("UPDATE t:counter SET n += 1 RETURN NONE;", ()).await.expect("gets through");
                }
            }));
        }
        for writer in writers {
            writer.await.expect("runs");
        }
        let mut found = store.read("SELECT VALUE n FROM ONLY t:counter", ()).await.expect("reads");
        assert_eq!(found.row::<i64>(0).expect("a number"), Some(40));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_query_completes_after_its_caller_was_dropped() {
        let store = store().await;
        let sql = "LET $slept = sleep(20ms); CREATE type::record('t', $key) SET name = $key RETURN NONE;";
        let written = async |count: usize| {
            loop {
                let mut found = store.read("SELECT VALUE id FROM t", ()).await.expect("the store answers");
                if found.rows::<RecordId>(0).expect("ids").len() == count {
                    break;
                }
            }
        };
        for key in 0..30_usize {
            // Polled once, then dropped.
            tokio::select! {
                biased;
                done = store.write(sql, vars! { key: key.to_string() }) => panic!("does not wait: {done:?}"),
                () = std::future::ready(()) => {}
            }
            // One at a time: two could conflict, and the dropped caller does not retry.
            tokio::time::timeout(Duration::from_secs(30), written(key + 1)).await.expect("the query runs to its end");
        }
    }

    /// Single-threaded, so that started queries proceed only at the test's own await points.
    #[tokio::test]
    async fn a_query_holds_its_permit_until_it_ends_and_an_unstarted_one_holds_none() {
        const PATIENCE: Duration = Duration::from_secs(30);
        let store = store().await;
        let all = running_max();
        let other_permits = Arc::clone(&store.permits).acquire_many_owned(u32::try_from(all - 1).expect("a few"));
        let other_permits = other_permits.await.expect("is open");
        let create = async |key: &str| {
            let sql = "CREATE type::record('t', $key) SET name = $key RETURN NONE;";
            // Polled once, then dropped.
            tokio::select! {
                biased;
                done = store.write(sql, vars! { key: key.to_owned() }) => panic!("does not wait: {done:?}"),
                () = std::future::ready(()) => {}
            }
        };
        create("begun").await;
        assert_eq!(store.permits.available_permits(), 0, "the query holds its permit after its caller was dropped");
        create("waits").await;
        drop(tokio::time::timeout(PATIENCE, store.permits.acquire()).await.expect("has ended").expect("is open"));
        drop(other_permits);
        assert_eq!(store.permits.available_permits(), all);
        let read = tokio::time::timeout(PATIENCE, store.read("SELECT VALUE name FROM t", ())).await.expect("in time");
        assert_eq!(read.expect("reads").rows::<String>(0).expect("names"), ["begun"]);
    }

    #[tokio::test]
    async fn a_second_process_finds_the_folder_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let location = StoreLocation::Folder(folder.path().to_owned());
        let first = Store::connect(&location).await.expect("opens");
        let second = Store::connect(&location).await;
        assert!(matches!(second, Err(StoreError::InUse)), "the second process gets an error");
        drop(first);
    }
}
