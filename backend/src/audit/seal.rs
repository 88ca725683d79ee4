//! The seal on the event log: a chain of hashes over what has settled.
//!
//! Each link covers at most [`LINK`] events and holds the hash of the link before, so that no event can be changed, taken out or
//! put in without breaking it. Writers of events know nothing of it: they would queue on the chain's end. One job of each process
//! seals behind them; the number of a link is its record id, so two processes never make the same one.
//!
//! **Why sealing waits.** The id of an event is made before its transaction commits, and a transaction that conflicts is run again
//! with the same id. An event may therefore appear in the log *before* one that is there already. What is sealed must be complete,
//! so only events are sealed whose time lies further back than any transaction lives: [`SETTLE`]. What comes later than that with
//! an earlier id did not come from this program, or from one whose clock is minutes off; the check reports it as put in.
//!
//! **What the chain proves.** Every link follows from the one before, and the length of the chain is vouched for by a key that is
//! not in the store. Who can write into the store can change nothing sealed without being found, and cannot shorten the chain.
//! They could take away the whole chain: the log of the program says how long it was.

use std::ops::Bound;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::Audit;
use crate::{
    Error, Keys, Result,
    change::Change,
    events::{COLUMNS, EventRow, lowest},
    keys::hex,
    store::{KEYS, Store, StoreError, SurrealValue, keys_between, record, vars},
};

/// Most events in a link.
const LINK: usize = 500;

/// A transaction is tried eight times, each try lasting half a minute at most.
const SETTLE: TimeDelta = TimeDelta::minutes(5);

/// What the first link has in place of the hash of the link before.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Hexadecimal digits of an event's own hash that a link keeps: enough to tell which event was changed, while the link's hash
/// proves that none was.
const PRINT: usize = 8;

/// Characters of an id.
const ID: usize = 26;

/// A link as it lies in the store.
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

    /// None for a row under a key that is no number.
    pub(super) fn number(&self) -> Option<u64> {
        self.number.parse().ok()
    }

    /// What the link says of each of its events; none when the list was tampered with.
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

/// One event of a link: its id and a short hash of what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) print: String,
}

/// The end of the chain as it was vouched for.
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

    /// Whether the chain ends with this link.
    pub(super) fn vouches_for(&self, keys: &Keys, number: u64, hash: &str) -> bool {
        *self == Self::new(keys, number, hash)
    }
}

/// Makes the hash of a link, event by event.
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

/// The bytes of an event that are hashed: every field with its length before it, so that no two events have the same.
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
        // Nothing is not the same as an empty text.
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

/// The key of a link's record: numbers sort as texts do.
pub(super) fn key(number: u64) -> String {
    format!("{number:020}")
}

/// The events of a range, at most `count`.
pub(super) async fn events(store: &Store, from: Bound<String>, until: Bound<String>, count: usize) -> Result<Vec<EventRow>> {
    let sql = format!("SELECT record::id(id) AS id, {COLUMNS} FROM {KEYS} LIMIT {count}");
    Ok(store.read(sql, vars! { keys: keys_between("event", from, until) }).await?.rows(0)?)
}

impl Audit<'_> {
    /// Seals what has settled since the last time, and says how many events that were. A job calls it.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the chain does not end where it was vouched for: to go on would cover that up.
    pub async fn seal(&self) -> Result<u64> {
        self.seal_by(LINK).await
    }

    /// The same in links of another length.
    pub(super) async fn seal_by(&self, length: usize) -> Result<u64> {
        let mut sealed = 0;
        while let Some(count) = self.seal_link(length).await? {
            sealed += count;
        }
        Ok(sealed)
    }

    /// Makes the next link; none when nothing is left to be sealed.
    async fn seal_link(&self, length: usize) -> Result<Option<u64>> {
        let (store, keys, now) = (self.backend.store(), self.backend.keys(), self.backend.clock().now());
        let end = self.end().await?;
        let from = match &end {
            Some(end) => Bound::Excluded(end.last.clone()),
            None => Bound::Included(String::new()),
        };
        let settled = Bound::Excluded(lowest(now - SETTLE).to_string());
        let events = events(store, from, settled, length).await?;
        if events.is_empty() {
            return Ok(None);
        }
        let (number, previous) = end.map_or_else(|| (1, GENESIS.to_owned()), |end| (end.number + 1, end.hash));
        let mut chain = Chain::new(number, &previous, now);
        let entries: Vec<Entry> = events.iter().map(|event| chain.add(event)).collect();
        if entries.iter().any(|entry| entry.id.len() != ID) {
            return Err(Error::Damaged("the event log has a row under a key that is none of ours".to_owned()));
        }
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
                tracing::info!(link = number, events = entries.len(), "events are sealed");
                Ok(Some(entries.len() as u64))
            }
            // Another process made this link: go on behind it.
            Err(StoreError::Exists) => Ok(Some(0)),
            Err(error) => Err(error.into()),
        }
    }

    /// The last link, after a look whether it is the one vouched for; none when nothing was ever sealed.
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

/// Where the chain ends.
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
