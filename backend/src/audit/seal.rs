//! The seal of the event log: a hash chain over settled events.
//!
//! Each link covers at most [`LINK`] events and contains the hash of the previous link, so that events cannot be changed, removed
//! or inserted without breaking the chain. Writers of events do not update the chain, since they would contend for its end. A job
//! in each process seals events afterwards; the number of a link is its record id, so two processes never create the same link.
//!
//! **Why sealing waits.** The id of an event is generated before its transaction commits, and a retried transaction keeps its
//! ids. So an event may appear in the log *before* an existing one. A sealed range must be complete, so only events older than
//! the longest possible transaction are sealed: [`SETTLE`]. An event that appears later with an earlier id was not written by
//! this program, or by one whose clock is minutes off; the check reports it as inserted.
//!
//! **What the chain proves.** Every link contains the hash of the previous one, and the length of the chain is authenticated by a
//! key that is not in the store. A person with write access to the store can neither change sealed events nor shorten the chain
//! unnoticed. They could delete the whole chain; the application log records its length.

use std::ops::Bound;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::Audit;
use crate::{
    Error, Keys, Result,
    change::Change,
    events::{COLUMNS, EventRow, event_id, lowest},
    keys::hex,
    store::{KEYS, Store, StoreError, SurrealValue, keys_between, record, vars},
};

/// Most events in a link.
const LINK: usize = 500;

/// The minimum age of a sealed event. A transaction is tried eight times, each time for at most half a minute.
const SETTLE: TimeDelta = TimeDelta::minutes(5);

/// The previous hash of the first link.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Hexadecimal digits of each event's own hash that a link stores: enough to identify a changed event. The link's hash proves
/// that none was changed.
const PRINT: usize = 8;

/// Length of an id in characters.
const ID: usize = 26;

/// The stored row of a link.
#[derive(Debug, Clone, SurrealValue)]
pub(super) struct LinkRow {
    number: String,
    pub(super) previous: String,
    pub(super) hash: String,
    pub(super) entries: String,
    pub(super) sealed_at: DateTime<Utc>,
}

impl LinkRow {
    pub(super) const COLUMNS: &str = "record::id(id) AS number, previous, hash, entries, sealed_at";

    /// None for a row whose key is not a number.
    pub(super) fn number(&self) -> Option<u64> {
        self.number.parse().ok()
    }

    /// The entries of the link's events; none when the list was tampered with.
    pub(super) fn entries(&self) -> Option<Vec<Entry>> {
        let whole = self.entries.is_ascii() && !self.entries.is_empty() && self.entries.len().is_multiple_of(ID + PRINT);
        whole.then(|| {
            let parts = self.entries.as_bytes().chunks_exact(ID + PRINT).map(|part| part.split_at(ID));
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            parts.map(|(id, print)| Entry { id: text(id), print: text(print) }).collect()
        })
    }

    fn last(&self) -> Option<&str> {
        self.entries.get(self.entries.len().checked_sub(ID + PRINT)?..)?.get(..ID)
    }
}

/// One event of a link: its id and a short hash of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) print: String,
}

/// The authenticated end of the chain.
#[derive(Debug, Clone, PartialEq, Eq, SurrealValue)]
pub(super) struct Head {
    pub(super) number: i64,
    voucher: String,
}

impl Head {
    fn new(keys: &Keys, number: u64, hash: &str) -> Self {
        Self { number: i64::try_from(number).unwrap_or(i64::MAX), voucher: keys.lookup("seal", &format!("{number}\0{hash}")) }
    }

    pub(super) async fn read(store: &Store) -> Result<Option<Self>> {
        Ok(store.read("SELECT number, voucher FROM $head", vars! { head: record("seal_head", "one") }).await?.row(0)?)
    }

    /// Whether this link is the authenticated end of the chain.
    pub(super) fn vouches_for(&self, keys: &Keys, number: u64, hash: &str) -> bool {
        *self == Self::new(keys, number, hash)
    }
}

/// Computes the hash of a link incrementally.
pub(super) struct Chain {
    hasher: Sha256,
}

impl Chain {
    pub(super) fn new(number: u64, previous: &str, sealed_at: DateTime<Utc>) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(previous);
        hasher.update(number.to_be_bytes());
        hasher.update(moment(sealed_at));
        Self { hasher }
    }

    pub(super) fn add(&mut self, event: &EventRow) -> Entry {
        let hash: [u8; 32] = Sha256::digest(canonical(event)).into();
        self.hasher.update(hash);
        Entry { id: event.id.clone(), print: hex(&hash)[..PRINT].to_owned() }
    }

    pub(super) fn finish(self) -> String {
        hex(&self.hasher.finalize().into())
    }
}

/// The canonical bytes of an event, which are hashed: every field is prefixed with its length, so that the encoding is injective.
fn canonical(event: &EventRow) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    let mut field = |content: &[u8]| {
        bytes.extend((content.len() as u64).to_be_bytes());
        bytes.extend(content);
    };
    field(event.id.as_bytes());
    field(&moment(event.at));
    for text in [&event.kind, &event.unit, &event.subject] {
        field(text.as_bytes());
    }
    for text in [&event.actor, &event.detail] {
        // None is encoded differently from an empty text.
        field(&[u8::from(text.is_some())]);
        field(text.as_deref().unwrap_or_default().as_bytes());
    }
    bytes
}

fn moment(at: DateTime<Utc>) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&at.timestamp().to_be_bytes());
    bytes[8..].copy_from_slice(&at.timestamp_subsec_nanos().to_be_bytes());
    bytes
}

/// The key of a link's record, zero-padded so that keys sort by number.
pub(super) fn key(number: u64) -> String {
    format!("{number:020}")
}

/// At most `count` events of a range.
pub(super) async fn events(store: &Store, from: Bound<String>, until: Bound<String>, count: usize) -> Result<Vec<EventRow>> {
    let sql = format!("SELECT record::id(id) AS id, {COLUMNS} FROM {KEYS} LIMIT {count}");
    Ok(store.read(sql, vars! { keys: keys_between("event", from, until) }).await?.rows(0)?)
}

/// At most `count` events from `from` on and before `until`, in one read unless all of its rows are malformed. Rows with
/// malformed keys are not sealed; the check reports them as inserted.
async fn next_events(store: &Store, mut from: Bound<String>, until: &str, count: usize) -> Result<Vec<EventRow>> {
    loop {
        let page = events(store, from, Bound::Excluded(until.to_owned()), count).await?;
        let last = page.last().filter(|_| page.len() == count).map(|last| last.id.clone());
        let valid: Vec<EventRow> = page.into_iter().filter(|row| event_id(&row.id).is_some()).collect();
        match last {
            Some(last) if valid.is_empty() => from = Bound::Excluded(last),
            _ => return Ok(valid),
        }
    }
}

impl Audit<'_> {
    /// Seals the events that have settled since the last call. Returns their number. Called by a job.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the chain does not end with the authenticated link. Sealing more would conceal the manipulation.
    pub async fn seal(&self) -> Result<u64> {
        self.seal_by(LINK).await
    }

    /// Like [`Self::seal`], with links of another length.
    pub(super) async fn seal_by(&self, length: usize) -> Result<u64> {
        let mut sealed = 0;
        while let Some(count) = self.seal_link(length).await? {
            sealed += count;
        }
        Ok(sealed)
    }

    /// Creates the next link and returns its number of events; none when there is nothing to seal.
    async fn seal_link(&self, length: usize) -> Result<Option<u64>> {
        let (store, keys, now) = (self.backend.store(), self.backend.keys(), self.backend.clock().now());
        let end = self.end().await?;
        let from = match &end {
            Some(end) => Bound::Excluded(end.last.clone()),
            None => Bound::Included(String::new()),
        };
        let events = next_events(store, from, &lowest(now - SETTLE).to_string(), length).await?;
        if events.is_empty() {
            return Ok(None);
        }
        let (number, previous) = end.map_or_else(|| (1, GENESIS.to_owned()), |end| (end.number + 1, end.hash));
        let mut chain = Chain::new(number, &previous, now);
        let entries: Vec<Entry> = events.iter().map(|event| chain.add(event)).collect();
        let hash = chain.finish();
        let head = Head::new(keys, number, &hash);
        let vars = vars! {
            link: record("seal", key(number)),
            row: NewLink {
                previous,
                hash,
                entries: entries.iter().flat_map(|entry| [entry.id.as_str(), &entry.print]).collect::<String>(),
                sealed_at: now,
            },
            head: record("seal_head", "one"),
            content: head,
        };
        let sql = "CREATE $link CONTENT $row RETURN NONE; UPSERT $head CONTENT $content RETURN NONE;";
        match self.backend.transact(Change::new(sql, vars)).await {
            Ok(_) => {
                tracing::info!(link = number, events = entries.len(), "sealed events");
                Ok(Some(entries.len() as u64))
            }
            // Another process created this link; continue after it.
            Err(StoreError::Exists) => Ok(Some(0)),
            Err(error) => Err(error.into()),
        }
    }

    /// The last link, after checking that it is the authenticated one; none when nothing was ever sealed.
    async fn end(&self) -> Result<Option<End>> {
        let store = self.backend.store();
        let Some(head) = Head::read(store).await? else {
            let sql = format!("SELECT VALUE sealed_at FROM {KEYS} LIMIT 1");
            let links = keys_between("seal", Bound::Included(String::new()), Bound::Unbounded);
            let found: Vec<DateTime<Utc>> = store.read(sql, vars! { keys: links }).await?.rows(0)?;
            return if found.is_empty() { Ok(None) } else { Err(tampered()) };
        };
        let number = u64::try_from(head.number).map_err(|_| tampered())?;
        let sql = format!("SELECT {} FROM $link", LinkRow::COLUMNS);
        let row: Option<LinkRow> = store.read(sql, vars! { link: record("seal", key(number)) }).await?.row(0)?;
        let row = row.filter(|row| head.vouches_for(self.backend.keys(), number, &row.hash)).ok_or_else(tampered)?;
        let last = row.last().ok_or_else(tampered)?.to_owned();
        Ok(Some(End { number, last, hash: row.hash }))
    }
}

/// The end of the chain.
struct End {
    number: u64,
    /// Id of the last event.
    last: String,
    hash: String,
}

fn tampered() -> Error {
    Error::Damaged("the seal on the event log does not end where it was made to end; run `handbook check audit`".to_owned())
}

#[derive(Debug, SurrealValue)]
struct NewLink {
    previous: String,
    hash: String,
    entries: String,
    sealed_at: DateTime<Utc>,
}
