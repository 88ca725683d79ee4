//! Which records of the registry a file is checked against.
//!
//! The records a few rows can mean are looked up by the keys of these rows. Where a file has many rows, or the registry few records, all
//! records are read in the order of their ids instead: looking up what a row can mean takes as long as reading a dozen of them that
//! way. Both ways lead to the same verdicts.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::ControlFlow,
};

use domain::members::CardNumber;
use ulid::Ulid;

use super::{super::read::NEXT, Cell, Ledger, RowParser, RowReader, Slot, prefix, short, without_zeros};
use crate::{
    Backend, Error, Result,
    store::{KEYS, Store, SurrealValue, keys_after, vars},
};

#[cfg(test)]
mod tests;

/// Records read at a time.
const PAGE: usize = 5_000;

/// Rows of a file whose records are looked up at most.
const ROWS_MAX: usize = 5_000;

/// How many records are read one after the other in the time in which those a row can mean are looked up: measured 9 for a row of
/// somebody who is known, 18 for one of somebody new.
const RECORDS_PER_ROW: usize = 15;

/// Values of one `IN`: for more the engine reads the whole table.
const IN_MAX: usize = 32;

/// The keys by which the records are found that the rows of a file can mean.
#[derive(Debug, Default)]
pub(in super::super) struct FileKeys {
    rows: usize,
    cards: BTreeSet<CardNumber>,
    id_hashes: BTreeSet<String>,
    twin_keys: BTreeSet<String>,
}

impl FileKeys {
    /// Adds the keys of the next row, and breaks off when the file has too many rows to look up.
    pub(in super::super) fn add(&mut self, parser: &mut RowParser, row: u64, cells: &[Cell<'_>]) -> ControlFlow<()> {
        self.rows += 1;
        if !self.are_all() {
            return ControlFlow::Break(());
        }
        let positions = parser.positions.clone();
        // A row that is refused by itself is not checked against the registry.
        if let Some(parsed) = parser.parse(&mut RowReader::new(row, cells, &positions)) {
            self.twin_keys.insert(parsed.derived(&parser.keys).twin_key);
            self.id_hashes.extend(parsed.national_id.map(|(_, hash)| hash));
            self.cards.insert(parsed.card);
        }
        NEXT
    }

    /// Whether these are the keys of all rows of the file.
    fn are_all(&self) -> bool {
        self.rows <= ROWS_MAX
    }

    /// How many records are read one after the other before looking up is faster.
    fn records_before_look_ups(&self) -> usize {
        if self.are_all() { self.cards.len().saturating_mul(RECORDS_PER_ROW) } else { usize::MAX }
    }
}

impl Ledger {
    /// `keys` are those of the file. `made_at` is a moment in milliseconds: the same import gives a new record the same id however often
    /// it is begun again. `met_before` are national IDs known outside the subtree, as [`Self::foreign_ids`] tells them.
    pub(in super::super) async fn load(
        backend: &Backend,
        parser: RowParser,
        keys: &FileKeys,
        made_at: u64,
        met_before: &[String],
    ) -> Result<Self> {
        let mut ledger = Self::empty(parser, made_at, met_before);
        ledger.read_registry(backend, keys, keys.records_before_look_ups()).await?;
        Ok(ledger)
    }

    fn empty(parser: RowParser, made_at: u64, met_before: &[String]) -> Self {
        Self {
            parser,
            made_at,
            slots: Vec::new(),
            cards: HashMap::new(),
            zeroed: HashMap::new(),
            ids: HashMap::new(),
            duplicates: HashMap::new(),
            foreign_rows: 0,
            foreign_ids: met_before.iter().map(|print| prefix(print)).collect(),
            held: HashSet::new(),
            units: Vec::new(),
            unit_numbers: HashMap::new(),
        }
    }

    /// Reads up to `limit` records in the order of their ids and, when there are more, looks up those the keys name.
    async fn read_registry(&mut self, backend: &Backend, keys: &FileKeys, limit: usize) -> Result<()> {
        match self.read_in_order(backend.store(), limit).await? {
            None => self.held = self.all_held_outside(backend).await?,
            Some(last) => {
                self.look_up(backend.store(), keys, &last).await?;
                self.held = self.held_outside(backend, keys).await?;
            }
        }
        tracing::debug!(records = self.slots.len(), "a file is checked against records of the registry");
        Ok(())
    }

    /// Returns the id of the last record read; none when the registry ended before the limit.
    async fn read_in_order(&mut self, store: &Store, limit: usize) -> Result<Option<String>> {
        let (mut left, mut last_read) = (limit, String::new());
        while left > 0 {
            let sql = in_order(left.min(PAGE));
            let rows: Vec<KnownRow> = store.read(sql, vars! { keys: keys_after("member", &last_read) }).await?.rows(0)?;
            let Some(last) = rows.last() else { return Ok(None) };
            last_read.clone_from(&last.id);
            left = left.saturating_sub(rows.len());
            for row in &rows {
                self.note(row)?;
            }
        }
        Ok(Some(last_read))
    }

    /// Looks up the records the keys name. Those up to `last_read` are known.
    async fn look_up(&mut self, store: &Store, keys: &FileKeys, last_read: &str) -> Result<()> {
        let mut found = BTreeMap::new();
        let cards = keys.cards.iter().map(|card| card.as_str().to_owned()).collect();
        find(store, BY_CARD, cards, &mut found).await?;
        // As a set: two cards of the file may differ in their zeros only.
        let respelt: BTreeSet<String> = {
            let met: HashSet<&str> = found.values().map(|row| row.code.as_str()).collect();
            keys.cards.iter().filter(|card| !met.contains(card.as_str())).flat_map(with_other_zeros).collect()
        };
        find(store, BY_CARD, respelt.into_iter().collect(), &mut found).await?;
        find(store, BY_ID_HASH, keys.id_hashes.iter().cloned().collect(), &mut found).await?;
        find(store, BY_TWIN_KEY, keys.twin_keys.iter().cloned().collect(), &mut found).await?;
        // In the order of ids, as when all are read: of several duplicates the first counts.
        found.values().filter(|row| row.id.as_str() > last_read).try_for_each(|row| self.note(row))
    }

    fn note(&mut self, row: &KnownRow) -> Result<()> {
        let damaged = || Error::Damaged(format!("member {}", row.id));
        let member = Ulid::from_string(&row.id).map_err(|_| damaged())?;
        let card = CardNumber::parse(&row.code).map_err(|_| damaged())?;
        let slot = Slot {
            member: member.0,
            print: row.import_print.as_deref().map(prefix).unwrap_or_default(),
            id: row.id_hash.as_deref().map(prefix).unwrap_or_default(),
            phone: row.phone_hash.as_deref().map(short).unwrap_or_default(),
            twin_key: row.twin_key.as_deref().map(short).unwrap_or_default(),
            unit: self.unit_number(&row.unit),
            row: 0,
            is_active: row.state == "active",
        };
        self.enter(&card, slot);
        Ok(())
    }

    /// Who holds a role outside the subtree the file is for, today or later.
    async fn all_held_outside(&self, backend: &Backend) -> Result<HashSet<u128>> {
        let branches = &self.parser.branches;
        let Some(scope) = &branches.scope else { return Ok(HashSet::new()) };
        let sql = format!("SELECT record::id(id) AS id, member, unit, until FROM {KEYS} LIMIT {PAGE}");
        let (today, mut after, mut held) = (self.parser.today.to_string(), String::new(), HashSet::new());
        loop {
            let rows: Vec<OfficeRow> =
                backend.store().read(&*sql, vars! { keys: keys_after("office", &after) }).await?.rows(0)?;
            let Some(last) = rows.last() else { return Ok(held) };
            after.clone_from(&last.id);
            let is_outside = |row: &&OfficeRow| {
                row.until.as_ref().is_none_or(|until| *until >= today)
                    && branches.tree.named(&row.unit).is_some_and(|unit| !scope.contains(&unit.path))
            };
            held.extend(rows.iter().filter(is_outside).filter_map(|row| packed_id(&row.member)));
        }
    }

    /// The same of the members whose cards are in the file.
    async fn held_outside(&self, backend: &Backend, keys: &FileKeys) -> Result<HashSet<u128>> {
        let mut held = HashSet::new();
        let Some(scope) = &self.parser.branches.scope else { return Ok(held) };
        let slots = keys.cards.iter().filter_map(|card| self.holder(card).ok().flatten());
        let members: BTreeSet<String> = slots.map(|slot| Ulid(self.slots[slot as usize].member).to_string()).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        for some in members.chunks(IN_MAX) {
            let holders = backend.offices().holders(some).await?;
            let outside = holders.iter().filter(|(_, holder)| !holder.is_within(scope));
            held.extend(outside.filter_map(|(member, _)| packed_id(member)));
        }
        Ok(held)
    }
}

fn packed_id(member: &str) -> Option<u128> {
    Ulid::from_string(member).ok().map(|id| id.0)
}

/// A card of digits with any other number of zeros in front: each may be the same card.
fn with_other_zeros(card: &CardNumber) -> Vec<String> {
    let Some(bare) = without_zeros(card) else { return Vec::new() };
    let most = (CardNumber::MAX as usize).saturating_sub(bare.len());
    (0..=most).map(|zeros| "0".repeat(zeros) + bare).filter(|other| other != card.as_str()).collect()
}

/// Adds the records that have one of these values, each of which is given once.
async fn find(store: &Store, condition: &str, values: Vec<String>, found: &mut BTreeMap<String, KnownRow>) -> Result<()> {
    let sql = found_by(condition);
    for some in values.chunks(IN_MAX) {
        let rows: Vec<KnownRow> = store.read(&*sql, vars! { wanted: some.to_vec() }).await?.rows(0)?;
        found.extend(rows.into_iter().map(|row| (row.id.clone(), row)));
    }
    Ok(())
}

const COLUMNS: &str = "record::id(id) AS id, code, unit, state, id_hash, phone_hash, twin_key, import_print";

const BY_CARD: &str = "code IN $wanted";
const BY_ID_HASH: &str = "id_hash IN $wanted";
/// Only active records can be duplicates.
const BY_TWIN_KEY: &str = "twin_key IN $wanted AND state = 'active'";

fn found_by(condition: &str) -> String {
    format!("SELECT {COLUMNS} FROM member WHERE {condition}")
}

fn in_order(limit: usize) -> String {
    format!("SELECT {COLUMNS} FROM {KEYS} LIMIT {limit}")
}

#[derive(Debug, SurrealValue)]
struct KnownRow {
    id: String,
    code: String,
    unit: String,
    state: String,
    id_hash: Option<String>,
    phone_hash: Option<String>,
    twin_key: Option<String>,
    import_print: Option<String>,
}

#[derive(Debug, SurrealValue)]
struct OfficeRow {
    id: String,
    member: String,
    unit: String,
    until: Option<String>,
}
