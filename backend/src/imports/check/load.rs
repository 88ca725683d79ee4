//! Selects the records of the registry that a file is checked against.
//!
//! For a few rows, the records they can refer to are looked up by the keys of these rows. For a file with many rows or a registry
//! with few records, all records are scanned in the order of their ids instead, because looking up one row takes as long as
//! scanning a dozen records. Both ways give the same verdicts.

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

/// Records read in one query.
const PAGE: usize = 5_000;

/// Maximum number of rows of a file whose records are looked up.
const ROWS_MAX: usize = 5_000;

/// Records scanned in the time it takes to look up those of one row: measured 9 for a row of a known member, 18 for one of a new
/// member.
const RECORDS_PER_ROW: usize = 15;

/// Values of one `IN`; with more, the engine scans the whole table.
const IN_MAX: usize = 32;

/// The keys to look up the records that the rows of a file can refer to.
#[derive(Debug, Default)]
pub(in super::super) struct FileKeys {
    rows: usize,
    cards: BTreeSet<CardNumber>,
    id_hashes: BTreeSet<String>,
    twin_keys: BTreeSet<String>,
}

impl FileKeys {
    /// Adds the keys of the next row. Breaks when the file has too many rows for look-ups.
    pub(in super::super) fn add(&mut self, parser: &mut RowParser, row: u64, cells: &[Cell<'_>]) -> ControlFlow<()> {
        self.rows += 1;
        if !self.are_all() {
            return ControlFlow::Break(());
        }
        let positions = parser.positions.clone();
        // A row that cannot be parsed is not compared with the registry.
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

    /// Number of records that can be scanned before look-ups are faster.
    fn records_before_look_ups(&self) -> usize {
        if self.are_all() { self.cards.len().saturating_mul(RECORDS_PER_ROW) } else { usize::MAX }
    }
}

impl Ledger {
    /// `keys` are those of the file. `made_at` is in milliseconds: an import that starts again gives a new record the same id.
    /// `met_before` are national IDs known outside the subtree, in the form of [`Self::foreign_ids`].
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

    /// Scans up to `limit` records in the order of their ids. If the registry has more, looks up those the keys refer to.
    async fn read_registry(&mut self, backend: &Backend, keys: &FileKeys, limit: usize) -> Result<()> {
        match self.read_in_order(backend.store(), limit).await? {
            None => self.held = self.all_held_outside(backend).await?,
            Some(last) => {
                self.look_up(backend.store(), keys, &last).await?;
                self.held = self.held_outside(backend, keys).await?;
            }
        }
        tracing::debug!(records = self.slots.len(), "loaded records of the registry to check a file");
        Ok(())
    }

    /// Returns the id of the last record read; `None` when the registry has no more records.
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

    /// Looks up the records the keys refer to. Those up to `last_read` are already loaded.
    async fn look_up(&mut self, store: &Store, keys: &FileKeys, last_read: &str) -> Result<()> {
        let mut found = BTreeMap::new();
        let cards = keys.cards.iter().map(|card| card.as_str().to_owned()).collect();
        find(store, BY_CARD, cards, &mut found).await?;
        // A set, because two cards of the file may differ in their leading zeros only.
        let respelt: BTreeSet<String> = {
            let met: HashSet<&str> = found.values().map(|row| row.code.as_str()).collect();
            keys.cards.iter().filter(|card| !met.contains(card.as_str())).flat_map(with_other_zeros).collect()
        };
        find(store, BY_CARD, respelt.into_iter().collect(), &mut found).await?;
        find(store, BY_ID_HASH, keys.id_hashes.iter().cloned().collect(), &mut found).await?;
        find(store, BY_TWIN_KEY, keys.twin_keys.iter().cloned().collect(), &mut found).await?;
        // In the order of ids, as in a full scan: the first of several duplicates is kept.
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

    /// Members who hold a role outside the subtree of the file, today or later.
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

    /// The same for the members whose cards are in the file.
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

/// A card of digits with every other number of leading zeros: each may be the same card.
fn with_other_zeros(card: &CardNumber) -> Vec<String> {
    let Some(bare) = without_zeros(card) else { return Vec::new() };
    let most = (CardNumber::MAX as usize).saturating_sub(bare.len());
    (0..=most).map(|zeros| "0".repeat(zeros) + bare).filter(|other| other != card.as_str()).collect()
}

/// Adds the records that have one of these values; each value occurs once.
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
