//! What the counters need of an event beyond the log: the members an import wrote, and the reads a merge dropped. Both are stored
//! in rows written by the same transactions.
//!
//! If such rows are missing, because an older version wrote the event or they were purged, all members are re-read, or everything
//! is recounted.

use chrono::{DateTime, Utc};
use domain::{
    events::{Effect, Event},
    ids::{ImportId, MemberId},
};

use super::Counters;
use crate::{
    Clock, Error, Result,
    store::{KEYS, Store, SurrealValue, pairs_of_after, record, vars},
    units::{Tree, Units},
};

/// Transactions of an import read at a time.
const BATCHES: usize = 5;

/// Number of characters of an id.
const ID: usize = 26;

/// A counted read of a document that both records of a merge had read, one of which was deleted.
#[derive(Debug, Clone, PartialEq, Eq, SurrealValue)]
pub(super) struct LostRead {
    pub(super) path: String,
    pub(super) at: DateTime<Utc>,
}

/// The reads dropped by the merge of the event's subject into another record; `None` if no merge caused the event, or an older
/// version did.
pub(super) async fn lost_reads(store: &Store, event: &Event) -> Result<Option<Vec<LostRead>>> {
    Ok(merge_of(store, event).await?.and_then(|merge| merge.lost))
}

/// The merge of the event's subject into the record it names. Each merge has two events; the row belongs to one of them.
async fn merge_of(store: &Store, event: &Event) -> Result<Option<Merge>> {
    let Effect::Merged { member, other: Some(other) } = event.body.effect() else { return Ok(None) };
    let sql = "SELECT VALUE merged_into FROM $member; SELECT VALUE lost_reads FROM $merge;";
    let vars = vars! { member: record("member", member), merge: record("member_merge", member) };
    let mut answers = store.read(sql, vars).await?;
    let into: Vec<Option<String>> = answers.rows(0)?;
    let lost: Vec<Vec<LostRead>> = answers.rows(1)?;
    let is_gone = into.into_iter().flatten().next().is_some_and(|into| into == other.to_string());
    Ok(is_gone.then(|| Merge { lost: lost.into_iter().next() }))
}

struct Merge {
    /// `None` if an older version made the merge.
    lost: Option<Vec<LostRead>>,
}

impl Counters {
    /// Applies the event of a merge, whose members must be refreshed already. No other event may be counted meanwhile.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn count_merge(&self, event: &Event, store: &Store, units: &Units, clock: &Clock) -> Result<()> {
        let tree = units.tree();
        let lost = match merge_of(store, event).await? {
            Some(Merge { lost: None }) => {
                tracing::info!("an older version merged records: recounting everything");
                return self.reload(store, units, clock).await.map(drop);
            }
            Some(Merge { lost: Some(lost) }) => lost,
            None => Vec::new(),
        };
        let mut state = self.write();
        if state.is_news(event) {
            state.apply(event, &tree);
            state.take_back(lost, &tree)?;
        }
        Ok(())
    }

    /// [`Self::refresh`] for the members an import wrote.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn refresh_imported(&self, store: &Store, tree: &Tree, import: ImportId) -> Result<()> {
        let sql = "SELECT VALUE written FROM $import";
        let told: Vec<Option<i64>> = store.read(sql, vars! { import: record("import", import) }).await?.rows(0)?;
        let told = told.into_iter().flatten().next().and_then(|written| usize::try_from(written).ok());
        let (mut after, mut written) = (String::new(), 0);
        loop {
            let sql = format!("SELECT record::id(id)[1] AS batch, members FROM {KEYS} LIMIT {BATCHES}");
            let keys = pairs_of_after("import_written", import, &after);
            let rows: Vec<WrittenRow> = store.read(sql, vars! { keys: keys }).await?.rows(0)?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.batch);
            let mut members = Vec::new();
            for row in &rows {
                members.extend(row.members(import)?);
            }
            written += members.len();
            self.refresh(store, tree, &members).await?;
        }
        if told == Some(written) {
            return Ok(());
        }
        tracing::info!(%import, "the members written by an import are no longer recorded: re-reading all members");
        self.refresh_all(store, tree).await
    }
}

/// The members written by one transaction.
#[derive(Debug, SurrealValue)]
struct WrittenRow {
    batch: String,
    members: String,
}

impl WrittenRow {
    fn members(&self, import: ImportId) -> Result<Vec<MemberId>> {
        let damaged = || Error::Damaged(format!("the members written by the import {import}"));
        let id = |at: usize| self.members.get(at * ID..(at + 1) * ID).and_then(|id| id.parse().ok()).ok_or_else(damaged);
        (0..self.members.len().div_ceil(ID)).map(id).collect()
    }
}
