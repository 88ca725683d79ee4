//! A store as an older version of the program left it, with many receipts, to measure the migrations that follow.
//!
//! Everything follows from the number of receipts, so each migrated row can be compared with its expected value.
//!
//! Invariant: rows are written with the columns of `VERSION`, so none of the current row types is used here.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::members::FullName;
use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::{
    Backend, Clock, Error, Keys, Result, StoreLocation,
    bulk::Bulk,
    keys::hex,
    members::rows::derived,
    migrations,
    store::{KEYS, RecordId, Store, SurrealValue, Variables, pair, record, rows_after, vars},
};

/// Schema version: the last one before receipts got their columns `member` and `place`, and the indexes on them.
const VERSION: u32 = 13;

/// Number of provinces, communes of each, and branches of each.
const TREE: [u64; 3] = [34, 10, 6];
const BRANCHES: u64 = TREE[0] * TREE[1] * TREE[2];

const DOCUMENTS: u64 = 1_000;

/// Documents each member has opened.
const OPENED: u64 = 50;

/// Distance between their numbers.
const APART: u64 = DOCUMENTS / OPENED;

/// Members written in one batch, with their receipts.
const BATCH: u64 = 1_000;

/// Receipts read in one page.
const PAGE: usize = 5_000;

/// Members and documents whose receipts are counted through the indexes.
const SAMPLE: u64 = 20;

/// Time of the oldest rows, in milliseconds since 1970.
const BEGAN: u64 = 1_600_000_000_000;

/// Fills an empty location with a store of version 13. Calls `told` with the number of receipts written so far.
///
/// # Errors
/// Those of the store; also when the location is not empty.
pub async fn fill(location: &StoreLocation, keys: &Keys, receipts: u64, told: impl FnMut(u64)) -> Result<()> {
    fill_store(&Arc::new(Store::connect(location).await?), keys, receipts, told).await
}

/// The receipts of [`fill`] after migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Number of receipts.
    pub receipts: u64,
    /// Number of receipts that differ from the expected value.
    pub wrong: u64,
    /// Among a sample of members and documents, those for which an index has a wrong number of receipts.
    pub wrong_in_indexes: u64,
    /// SHA-256 of all receipts in key order, in hex.
    pub checksum: String,
}

impl Migrated {
    /// Whether all of `receipts` exist exactly once with the expected values.
    pub fn is_right(&self, receipts: u64) -> bool {
        (self.receipts, self.wrong, self.wrong_in_indexes) == (receipts, 0, 0)
    }
}

/// Reads all receipts of a store that was filled with this number of them.
///
/// # Errors
/// [`Error::Internal`] when the schema is not fully migrated; those of the store.
pub async fn check(backend: &Backend, receipts: u64) -> Result<Migrated> {
    check_store(backend.store(), receipts).await
}

async fn fill_store(store: &Arc<Store>, keys: &Keys, receipts: u64, mut told: impl FnMut(u64)) -> Result<()> {
    let clock = Clock::system();
    migrations::apply_until(store, &clock, VERSION).await?;
    let mut bulk = Bulk::default();
    write_units(&mut bulk);
    (0..DOCUMENTS).for_each(|number| bulk.push("document", DocumentRow::new(number)));
    bulk.save_in(Arc::clone(store)).await?;
    let members = receipts.div_ceil(OPENED);
    let mut first = 0;
    while first < members {
        let until = members.min(first + BATCH);
        let mut bulk = Bulk::default();
        for number in first..until {
            bulk.push("member", MemberRow::new(Reader(number), keys, &clock)?);
        }
        for number in first * OPENED..receipts.min(until * OPENED) {
            bulk.push("read_receipt", ReceiptRow::new(&Receipt::numbered(number)));
        }
        bulk.save_in(Arc::clone(store)).await?;
        told(receipts.min(until * OPENED));
        first = until;
    }
    Ok(())
}

fn write_units(bulk: &mut Bulk) {
    let [provinces, communes, branches] = TREE;
    let mut units = vec![("central", "/01/".to_owned())];
    for province in 0..provinces {
        units.push(("province", format!("/01/{province:02}/")));
        for commune in 0..communes {
            units.push(("commune", format!("/01/{province:02}/{commune:03}/")));
        }
    }
    units.extend((0..provinces * communes * branches).map(|number| ("branch", branch_path(number))));
    for (kind, path) in units {
        bulk.push("unit", UnitRow::new(kind, path));
    }
}

async fn check_store(store: &Store, receipts: u64) -> Result<Migrated> {
    if !migrations::is_complete(store).await? {
        return Err(Error::Internal("the store does not have the whole schema".to_owned()));
    }
    let sql = format!("SELECT id, record::id(id) AS key, member, path, at, counted, place FROM {KEYS} LIMIT {PAGE}");
    let (mut found, mut wrong, mut sum, mut last) = (0, 0, Sha256::new(), None);
    loop {
        let rows: Vec<MigratedRow> = store.read(&*sql, vars! { keys: rows_after("read_receipt", last) }).await?.rows(0)?;
        let Some(row) = rows.last() else { break };
        last = Some(row.id.clone());
        for row in &rows {
            found += 1;
            wrong += u64::from(!row.is_right(receipts));
            sum.update(row.text());
        }
    }
    let wrong_in_indexes = wrong_members(store, receipts).await? + wrong_documents(store, receipts).await?;
    Ok(Migrated { receipts: found, wrong, wrong_in_indexes, checksum: hex(&sum.finalize().into()) })
}

/// Number of sampled members whose receipts in the index differ from the expected ones.
async fn wrong_members(store: &Store, receipts: u64) -> Result<u64> {
    let members = receipts.div_ceil(OPENED);
    let mut wrong = 0;
    for at in 0..SAMPLE.min(members) {
        let reader = Reader(at * members / SAMPLE.min(members));
        let expected = receipts.min((reader.0 + 1) * OPENED) - reader.0 * OPENED;
        let vars = vars! { member: id(reader.0).to_string() };
        let found = count(store, "SELECT count() FROM read_receipt WHERE member = $member GROUP ALL", vars).await?;
        wrong += u64::from(found != expected);
    }
    Ok(wrong)
}

/// Number of sampled documents whose readers in the index differ from the expected ones.
async fn wrong_documents(store: &Store, receipts: u64) -> Result<u64> {
    let members = receipts.div_ceil(OPENED);
    let mut wrong = 0;
    for at in 0..SAMPLE {
        let document = at * (DOCUMENTS / SAMPLE) + at;
        let is_expected = |member: &u64| {
            Reader(*member).counts() && Receipt::of(document, *member).is_some_and(|receipt| receipt.number < receipts)
        };
        let expected = (0..members).filter(is_expected).count() as u64;
        let from = id(document).to_string();
        let vars = vars! { end: format!("{from}~"), from: from };
        let sql = "SELECT count() FROM read_receipt WHERE place >= $from AND place < $end GROUP ALL";
        wrong += u64::from(count(store, sql, vars).await? != expected);
    }
    Ok(wrong)
}

async fn count(store: &Store, sql: &str, vars: Variables) -> Result<u64> {
    let counted: Option<Count> = store.read(sql, vars).await?.row(0)?;
    Ok(counted.and_then(|counted| u64::try_from(counted.count).ok()).unwrap_or_default())
}

#[derive(Debug, SurrealValue)]
struct Count {
    count: i64,
}

/// The id of the unit, document or member with this number.
fn id(number: u64) -> Ulid {
    Ulid::from_parts(BEGAN + number, u128::from(number))
}

/// `None` for any other id.
fn number_of(text: &str) -> Option<u64> {
    let found = Ulid::from_string(text).ok()?;
    u64::try_from(found.random()).ok().filter(|number| id(*number) == found)
}

fn branch_path(number: u64) -> String {
    let [_, communes, branches] = TREE;
    let (province, commune, branch) = (number / (communes * branches), number / branches % communes, number % branches);
    format!("/01/{province:02}/{commune:03}/{branch:02}/")
}

/// The moment `minutes` after the oldest one.
fn moment(minutes: u64) -> DateTime<Utc> {
    let at = i64::try_from(BEGAN).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
    at + TimeDelta::minutes(i64::try_from(minutes).unwrap_or_default())
}

/// The day `days` after 1 January of a year.
fn day(year: i32, days: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default() + TimeDelta::days(i64::try_from(days).unwrap_or_default())
}

/// The member with this number.
#[derive(Clone, Copy)]
struct Reader(u64);

impl Reader {
    fn branch(self) -> u64 {
        self.0 % BRANCHES
    }

    fn standing(self) -> &'static str {
        match self.0 % 11 {
            0 => "exempt",
            1 => "probationary",
            _ => "official",
        }
    }

    fn is_active(self) -> bool {
        !self.0.is_multiple_of(17)
    }

    /// Whether the member is counted in statistics.
    fn counts(self) -> bool {
        self.is_active() && self.standing() != "exempt"
    }
}

/// A receipt of an opening.
struct Receipt {
    number: u64,
    document: u64,
    reader: Reader,
}

impl Receipt {
    fn numbered(number: u64) -> Self {
        let (member, at) = (number / OPENED, number % OPENED);
        Self { number, document: (member * 7 + at * APART) % DOCUMENTS, reader: Reader(member) }
    }

    /// `None` for a document the member has not opened.
    fn of(document: u64, member: u64) -> Option<Self> {
        let ahead = (document + DOCUMENTS - member * 7 % DOCUMENTS) % DOCUMENTS;
        let is_one = document < DOCUMENTS && ahead.is_multiple_of(APART);
        is_one.then(|| Self { number: member * OPENED + ahead / APART, document, reader: Reader(member) })
    }

    /// The member's branch when reading: some members have moved since.
    fn path(&self) -> String {
        let branch = self.reader.branch();
        branch_path(if self.reader.0.is_multiple_of(5) { (branch + 1) % BRANCHES } else { branch })
    }

    fn at(&self) -> DateTime<Utc> {
        moment(self.number % 1_000_000)
    }

    /// Receipts of the first versions have no value.
    fn counted(&self) -> Option<bool> {
        (!self.number.is_multiple_of(10)).then(|| self.reader.standing() != "exempt")
    }

    /// The value that the migration writes.
    fn place(&self) -> Option<String> {
        let Self { document, reader, .. } = self;
        reader.counts().then(|| format!("{}{}{}", id(*document), reader.standing(), branch_path(reader.branch())))
    }
}

/// A receipt in the columns of the current schema.
#[derive(Debug, SurrealValue)]
struct MigratedRow {
    id: RecordId,
    key: Vec<String>,
    member: Option<String>,
    path: String,
    at: DateTime<Utc>,
    counted: Option<bool>,
    place: Option<String>,
}

impl MigratedRow {
    fn is_right(&self, receipts: u64) -> bool {
        let [document, member] = self.key.as_slice() else { return false };
        let (Some(first), Some(second)) = (number_of(document), number_of(member)) else { return false };
        let expected = Receipt::of(first, second).filter(|receipt| receipt.number < receipts);
        expected.is_some_and(|expected| {
            self.member.as_ref() == Some(member)
                && self.path == expected.path()
                && self.at == expected.at()
                && self.counted == expected.counted()
                && self.place == expected.place()
        })
    }

    fn text(&self) -> String {
        let Self { key, member, path, at, counted, place, .. } = self;
        format!("{key:?} {member:?} {path} {at} {counted:?} {place:?}\n")
    }
}

#[derive(Debug, SurrealValue)]
struct UnitRow {
    id: RecordId,
    kind: &'static str,
    code: String,
    name: String,
    path: String,
    opened_on: String,
}

impl UnitRow {
    fn new(kind: &'static str, path: String) -> Self {
        let code = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        Self {
            id: record("unit", unit_id(&path)),
            kind,
            name: format!("Đơn vị {code}"),
            code,
            path,
            opened_on: day(2000, 0).to_string(),
        }
    }
}

/// Derived from the path, so that a member's row refers to its branch.
fn unit_id(path: &str) -> Ulid {
    let digits: String = path.chars().filter(char::is_ascii_digit).collect();
    id(digits.parse().unwrap_or_default())
}

#[derive(Debug, SurrealValue)]
struct DocumentRow {
    id: RecordId,
    kind: &'static str,
    number: String,
    title: String,
    issuer: String,
    issuer_path: &'static str,
    issuer_level: &'static str,
    audience: String,
    audience_path: &'static str,
    state: &'static str,
    version: i64,
    minutes: i64,
    saved_at: DateTime<Utc>,
    saved_by: String,
    published_at: DateTime<Utc>,
    shelf: String,
}

impl DocumentRow {
    /// One document of the root, for everybody.
    fn new(number: u64) -> Self {
        let (root, at) = (unit_id("/01/").to_string(), moment(number));
        Self {
            id: record("document", id(number)),
            kind: "resolution",
            number: format!("{}-NQ/TW", number + 1),
            title: format!("Nghị quyết số {}", number + 1),
            issuer: root.clone(),
            issuer_path: "/01/",
            issuer_level: "central",
            audience: root,
            audience_path: "/01/",
            state: "published",
            version: 1,
            minutes: 1,
            saved_at: at,
            saved_by: id(0).to_string(),
            published_at: at,
            shelf: id(number).to_string(),
        }
    }
}

#[derive(Debug, SurrealValue)]
struct MemberRow {
    id: RecordId,
    code: String,
    full_name: String,
    sort_key: String,
    given: String,
    sex: &'static str,
    birth_date: String,
    admitted_on: String,
    official_on: Option<String>,
    standing: &'static str,
    state: &'static str,
    unit: String,
    path: String,
    id_hash: String,
    id_cipher: String,
    twin_key: String,
    version: i64,
    posted_from: Option<String>,
}

impl MemberRow {
    fn new(reader: Reader, keys: &Keys, clock: &Clock) -> Result<Self> {
        let (number, key, path) = (reader.0, id(reader.0), branch_path(reader.branch()));
        let (full_name, national_id) = (format!("Nguyễn Văn {number}"), format!("0510{number:08}"));
        let birth_date = day(1950, number % 15_000);
        let name = FullName::parse(&full_name).map_err(|_| Error::Internal(format!("the name of {key}")))?;
        let derived = derived(keys, &name, birth_date);
        let is_probationary = reader.standing() == "probationary";
        Ok(Self {
            id: record("member", key),
            code: format!("51{number:08}"),
            full_name,
            sort_key: derived.sort_key,
            given: derived.given,
            sex: if number.is_multiple_of(3) { "female" } else { "male" },
            birth_date: birth_date.to_string(),
            admitted_on: day(2015, number % 365).to_string(),
            official_on: (!is_probationary).then(|| day(2016, number % 365).to_string()),
            standing: reader.standing(),
            state: if reader.is_active() { "active" } else { "transferred" },
            unit: unit_id(&path).to_string(),
            path,
            id_hash: keys.lookup("id", &national_id),
            id_cipher: keys.seal(clock, &key.to_string(), &national_id)?,
            twin_key: derived.twin_key,
            version: 1,
            posted_from: reader.is_active().then(|| day(2015, number % 365).to_string()),
        })
    }
}

/// A receipt in the columns of [`VERSION`].
#[derive(Debug, SurrealValue)]
struct ReceiptRow {
    id: RecordId,
    path: String,
    at: DateTime<Utc>,
    counted: Option<bool>,
}

impl ReceiptRow {
    fn new(receipt: &Receipt) -> Self {
        Self {
            id: pair("read_receipt", id(receipt.document), id(receipt.reader.0)),
            path: receipt.path(),
            at: receipt.at(),
            counted: receipt.counted(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::Progress;

    #[test]
    fn a_receipt_is_identified_by_its_document_and_member() {
        for number in [0, 1, 49, 50, 51, 12_345, 4_999_999] {
            let receipt = Receipt::numbered(number);
            let found = Receipt::of(receipt.document, receipt.reader.0).map(|receipt| receipt.number);
            assert_eq!(found, Some(number));
            assert_eq!(number_of(&id(number).to_string()), Some(number));
        }
        assert!(Receipt::of(1, 0).is_none(), "not opened");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_migrated_store_checks_out_and_differences_are_found() {
        const RECEIPTS: u64 = 1_234;
        let store = Arc::new(Store::connect(&StoreLocation::Memory).await.expect("opens"));
        let keys = Keys::from_master(&[7; 32]);
        fill_store(&store, &keys, RECEIPTS, |_| {}).await.expect("fills");
        let early = check_store(&store, RECEIPTS).await;
        assert!(matches!(early, Err(Error::Internal(_))), "{early:?}");

        migrations::run(&store, &Clock::system(), &Progress::default()).await.expect("migrates");
        let right = check_store(&store, RECEIPTS).await.expect("reads");
        assert!(right.is_right(RECEIPTS), "{right:?}");
        let sealed: Vec<String> = store
            .read("SELECT VALUE id_cipher FROM $member", vars! { member: record("member", id(3)) })
            .await
            .expect("reads")
            .rows(0)
            .expect("rows");
        assert_eq!(keys.open(&id(3).to_string(), &sealed[0]).expect("opens"), "051000000003");

        let (first, second) = (Receipt::numbered(150), Receipt::numbered(151));
        let row = |receipt: &Receipt| pair("read_receipt", id(receipt.document), id(receipt.reader.0));
        let vars = vars! { unplaced: row(&first), gone: row(&second) };
        store.write("UPDATE $unplaced SET place = 'elsewhere'; DELETE $gone;", vars).await.expect("writes");
        let found = check_store(&store, RECEIPTS).await.expect("reads");
        assert_eq!((found.receipts, found.wrong), (RECEIPTS - 1, 1));
        assert!(!found.is_right(RECEIPTS) && found.checksum != right.checksum);
    }
}
