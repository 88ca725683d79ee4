//! Writing many rows fast.

use std::{
    sync::{Arc, Mutex, PoisonError},
    vec::IntoIter,
};

use chrono::{DateTime, Utc};
use domain::{events::EventKind, ids::MemberId, units::UnitPath};
use tokio::task::JoinSet;

use super::dice::Dice;
use crate::{
    Backend, Error, Result,
    store::{RecordId, Row, SurrealValue, Value, Variables, record},
};

/// An `INSERT` costs the square of its rows: many small ones are faster than a big one.
const ROWS_PER_STATEMENT: usize = 25;

/// One transaction is one wait for the disk.
const STATEMENTS_PER_TRANSACTION: usize = 16;

/// More writers only stand in each other's way.
const WRITERS: usize = 2;

/// Rows waiting to be written, in the order they came.
#[derive(Debug, Default)]
pub(crate) struct Bulk {
    statements: Vec<(&'static str, Vec<Value>)>,
    rows: usize,
}

impl Bulk {
    /// `row` carries its id.
    pub(crate) fn push(&mut self, table: &'static str, row: impl Row) {
        self.rows += 1;
        let open =
            self.statements.iter_mut().rev().take(8).find(|(name, rows)| *name == table && rows.len() < ROWS_PER_STATEMENT);
        match open {
            Some((_, rows)) => rows.push(row.into_value()),
            None => self.statements.push((table, vec![row.into_value()])),
        }
    }

    /// A row of the event log.
    pub(crate) fn log(
        &mut self,
        dice: &mut Dice,
        at: DateTime<Utc>,
        kind: EventKind,
        actor: Option<MemberId>,
        unit: &UnitPath,
        subject: impl ToString,
    ) {
        let row = LogRow {
            id: record("event", dice.ulid_at(at)),
            at,
            actor: actor.map(|member| member.to_string()),
            kind: kind.key().to_owned(),
            unit: unit.to_string(),
            subject: subject.to_string(),
        };
        self.push("event", row);
    }

    /// Writes all rows and says how many they were. What is written before a failure stays.
    pub(crate) async fn save(self, backend: &Backend) -> Result<usize> {
        let queue = Arc::new(Mutex::new(self.statements.into_iter()));
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            writers.spawn(write(backend.clone(), Arc::clone(&queue)));
        }
        while let Some(outcome) = writers.join_next().await {
            outcome.map_err(|error| Error::Internal(format!("a writer stopped: {error}")))??;
        }
        Ok(self.rows)
    }
}

/// Tables and the rows to be inserted into them, a statement each.
type Queue = Arc<Mutex<IntoIter<(&'static str, Vec<Value>)>>>;

async fn write(backend: Backend, queue: Queue) -> Result<()> {
    loop {
        let batch: Vec<_> =
            queue.lock().unwrap_or_else(PoisonError::into_inner).by_ref().take(STATEMENTS_PER_TRANSACTION).collect();
        if batch.is_empty() {
            return Ok(());
        }
        let mut sql = String::new();
        let mut vars = Variables::new();
        for (index, (table, rows)) in batch.into_iter().enumerate() {
            sql += &format!("INSERT INTO {table} $rows_{index} RETURN NONE;");
            vars.insert(format!("rows_{index}"), rows);
        }
        backend.store().write(&sql, vars).await?;
    }
}

#[derive(Debug, SurrealValue)]
struct LogRow {
    id: RecordId,
    at: DateTime<Utc>,
    actor: Option<String>,
    kind: String,
    unit: String,
    subject: String,
}
