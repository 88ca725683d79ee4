//! Bulk inserts.

use std::{
    sync::{Arc, Mutex, PoisonError},
    vec::IntoIter,
};

use tokio::task::JoinSet;

use crate::{
    Backend, Error, Result,
    store::{Row, Store, Value, Variables},
};

/// The cost of an `INSERT` is quadratic in its rows: many small ones are faster than a large one.
const ROWS_PER_STATEMENT: usize = 25;

/// How many of the last statements are searched for one with room: rows of a few tables alternate.
const OPEN_STATEMENTS: usize = 8;

/// Each transaction waits for the disk once.
const STATEMENTS_PER_TRANSACTION: usize = 16;

/// More writers only contend with each other.
const WRITERS: usize = 2;

/// Permits the writes of this module: see [`Store::write_directly`].
pub(crate) struct DirectWrite(());

/// Rows to be written, in the order they were added.
#[derive(Debug, Default)]
pub(crate) struct Bulk {
    statements: Vec<Statement>,
    rows: usize,
}

/// Rows of one table, written by one `INSERT`.
#[derive(Debug)]
struct Statement {
    verb: &'static str,
    table: &'static str,
    rows: Vec<Value>,
}

impl Bulk {
    /// Adds a row, which contains its id.
    pub(crate) fn push(&mut self, table: &'static str, row: impl Row) {
        self.insert("INSERT", table, row.into_value());
    }

    /// Adds a row, which is ignored if it already exists.
    pub(crate) fn push_once(&mut self, table: &'static str, row: impl Row) {
        self.insert("INSERT IGNORE", table, row.into_value());
    }

    fn insert(&mut self, verb: &'static str, table: &'static str, row: Value) {
        self.rows += 1;
        let has_room = |open: &&mut Statement| open.verb == verb && open.table == table && open.rows.len() < ROWS_PER_STATEMENT;
        match self.statements.iter_mut().rev().take(OPEN_STATEMENTS).find(has_room) {
            Some(open) => open.rows.push(row),
            None => self.statements.push(Statement { verb, table, rows: vec![row] }),
        }
    }

    /// All rows as statements and bindings of one transaction, for a caller that writes other rows in the same transaction.
    pub(crate) fn into_transaction(self) -> (String, Variables) {
        transaction(self.statements)
    }

    /// Writes all rows and returns their number. Rows written before a failure remain.
    pub(crate) async fn save(self, backend: &Backend) -> Result<usize> {
        self.save_in(backend.clone()).await
    }

    /// Like [`Self::save`], without a [`Backend`].
    pub(crate) async fn save_in<S>(self, store: S) -> Result<usize>
    where
        S: AsRef<Store> + Clone + Send + Sync + 'static,
    {
        let queue = Arc::new(Mutex::new(self.statements.into_iter()));
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            writers.spawn(write(store.clone(), Arc::clone(&queue)));
        }
        while let Some(outcome) = writers.join_next().await {
            outcome.map_err(|error| Error::Internal(format!("a writer stopped: {error}")))??;
        }
        Ok(self.rows)
    }
}

/// Statements that are still to be run.
type Queue = Arc<Mutex<IntoIter<Statement>>>;

async fn write(store: impl AsRef<Store>, queue: Queue) -> Result<()> {
    loop {
        let batch: Vec<_> =
            queue.lock().unwrap_or_else(PoisonError::into_inner).by_ref().take(STATEMENTS_PER_TRANSACTION).collect();
        if batch.is_empty() {
            return Ok(());
        }
        let (sql, vars) = transaction(batch);
        store.as_ref().write_directly(DirectWrite(()), &sql, vars).await?;
    }
}

fn transaction(statements: Vec<Statement>) -> (String, Variables) {
    let mut sql = String::new();
    let mut vars = Variables::new();
    for (index, Statement { verb, table, rows }) in statements.into_iter().enumerate() {
        sql += &format!("{verb} INTO {table} $rows_{index} RETURN NONE;");
        vars.insert(format!("rows_{index}"), rows);
    }
    (sql, vars)
}
