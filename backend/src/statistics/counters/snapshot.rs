//! Snapshots of the counters in the store, so that a start counts the tail of the log instead of all tables.
//!
//! A snapshot belongs to a position in the log. It is a head and pieces of one megabyte: about 21 bytes per member, and a little
//! per unit. A snapshot is refused if anything about it is in doubt; then everything is counted from the tables.
//!
//! Invariant: a change of the encoding or of what is counted needs a new [`FORMAT`].

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use domain::{
    ids::{DocumentId, EventId, MemberId},
    statistics::Figures,
    units::UnitPath,
};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;
use ulid::Ulid;

use super::{Counters, Member, Node, State, WINDOW};
use crate::{
    Backend, Clock, Error, Result,
    change::Change,
    events::{Position, ReverseCursor, SETTLE},
    keys::hex,
    migrations,
    statistics::Statistics,
    store::{Bytes, RecordId, Store, StoreError, SurrealValue, pair, record, vars},
    units::Tree,
};

/// Version of the encoding.
const FORMAT: i64 = 1;

/// Bytes per piece.
const PIECE: usize = 1 << 20;

/// Pieces deleted per transaction.
const DELETED_AT_ONCE: usize = 50;

impl Statistics<'_> {
    /// Saves the counters with their position in the log, unless a process began to within `every`, or the log has no newer
    /// event. Returns the size in bytes, or `None` if nothing was saved.
    ///
    /// # Errors
    /// Those of the store. Older snapshots are kept.
    pub async fn save_counters(&self, every: TimeDelta) -> Result<Option<usize>> {
        let (store, clock) = (self.backend.store(), self.backend.clock());
        let now = clock.now();
        let vars = vars! { turn: record("counter_turn", "one"), now: now, since: now - every };
        match self.backend.transact(Change::new(TAKE_TURN, vars)).await {
            Ok(_) => {}
            Err(StoreError::Thrown(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        self.backend.catch_up().await?;
        let Some(newest) = newest(store, clock).await? else { return Ok(None) };
        if heads(store).await?.iter().any(|head| head.is_complete && head.newest == newest && head.is_of_this_version()) {
            return Ok(None);
        }
        self.save_counters_now().await
    }

    /// Deletes all snapshots, so that the next start counts from the tables. For measurements.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn forget_counters(&self) -> Result<()> {
        for head in heads(self.backend.store()).await? {
            forget(self.backend, &head).await?;
        }
        Ok(())
    }

    /// [`Self::save_counters`] without its conditions; `None` only for an empty log.
    pub(in crate::statistics) async fn save_counters_now(&self) -> Result<Option<usize>> {
        let clock = self.backend.clock();
        let Some(newest) = newest(self.backend.store(), clock).await? else { return Ok(None) };
        let content = encoded(self.backend).await?;
        let size = content.len();
        write(self.backend, clock.ulid(), newest, &content).await?;
        Ok(Some(size))
    }
}

/// Ignores a time in the future, which is from before the clock was set back.
const TAKE_TURN: &str = "LET $taken = (SELECT VALUE taken_at FROM ONLY $turn); \
                         IF $taken != NONE AND $taken > $since AND $taken <= $now { THROW 'taken' }; \
                         UPSERT $turn SET taken_at = $now RETURN NONE;";

/// The counters at one position of the log.
async fn encoded(backend: &Backend) -> Result<Vec<u8>> {
    let _pause = backend.events().pause().await;
    let counting = backend.clone();
    let encoding = spawn_blocking(move || {
        let position = counting.events().position();
        let mut content = Encoder::default();
        counting.counters().read().encode(&position, &mut content);
        content.0
    });
    encoding.await.map_err(|error| Error::Internal(format!("a snapshot of the counters stopped: {error}")))
}

/// The newest event of the log.
async fn newest(store: &Store, clock: &Clock) -> Result<Option<String>> {
    let mut back = ReverseCursor::from(None, clock);
    while !back.is_at_the_start() {
        if let Some(event) = back.step(store, 1).await?.first() {
            return Ok(Some(event.id.to_string()));
        }
    }
    Ok(None)
}

async fn write(backend: &Backend, id: Ulid, newest: String, content: &[u8]) -> Result<()> {
    let pieces = content.chunks(PIECE).len();
    let head = NewHead {
        id: record("counter_snapshot", id),
        format: FORMAT,
        steps: migrations::steps(),
        newest,
        pieces: number(pieces),
        size: number(content.len()),
        hash: hex(&Sha256::digest(content).into()),
        is_complete: false,
    };
    backend.transact(Change::new("INSERT INTO counter_snapshot $head RETURN NONE;", vars! { head: head })).await?;
    for (at, piece) in content.chunks(PIECE).enumerate() {
        let vars = vars! { piece: pair("counter_piece", id, at), content: Bytes::from(piece.to_vec()) };
        backend.transact(Change::new("CREATE $piece SET content = $content RETURN NONE;", vars)).await?;
    }
    let sql = "UPDATE $head SET is_complete = true RETURN NONE;";
    backend.transact(Change::new(sql, vars! { head: record("counter_snapshot", id) })).await?;
    forget_before(backend, &id.to_string()).await
}

/// Deletes all snapshots except this one and the newest complete one before it, which another process may be reading.
async fn forget_before(backend: &Backend, id: &str) -> Result<()> {
    let older: Vec<HeadRow> = heads(backend.store()).await?.into_iter().filter(|head| head.id.as_str() < id).collect();
    let kept = older.iter().find(|head| head.is_complete).map(|head| head.id.clone());
    for head in older.iter().filter(|head| Some(&head.id) != kept.as_ref()) {
        forget(backend, head).await?;
    }
    Ok(())
}

async fn forget(backend: &Backend, head: &HeadRow) -> Result<()> {
    let pieces: Vec<RecordId> = (0..head.pieces).map(|at| pair("counter_piece", &head.id, at)).collect();
    for some in pieces.chunks(DELETED_AT_ONCE) {
        backend.transact(Change::new("DELETE $pieces RETURN NONE", vars! { pieces: some.to_vec() })).await?;
    }
    let vars = vars! { head: record("counter_snapshot", &head.id) };
    backend.transact(Change::new("DELETE $head RETURN NONE", vars)).await?;
    Ok(())
}

/// All heads, newest first; usually two or three.
async fn heads(store: &Store) -> Result<Vec<HeadRow>> {
    let sql = "SELECT record::id(id) AS id, format, steps, newest, pieces, size, hash, is_complete FROM counter_snapshot \
               ORDER BY id DESC";
    Ok(store.read(sql, ()).await?.rows(0)?)
}

impl Counters {
    /// The counters of the newest usable snapshot, with the position in the log from which to continue. `None` if there is none.
    /// Each refused snapshot is logged.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn load(store: &Store, tree: &Tree, clock: &Clock) -> Result<Option<(Self, Position)>> {
        for head in heads(store).await? {
            let refused = match read(store, &head).await {
                Ok(content) => match State::decode(&content, tree) {
                    Some((_, position)) if position.horizon > clock.now() + SETTLE => "it is ahead of the clock",
                    Some((state, position)) => return Ok(Some((Self { state: state.into() }, position))),
                    None => "its content cannot be decoded",
                },
                Err(Unread::Refused(why)) => why,
                Err(Unread::Failed(error)) => return Err(error),
            };
            tracing::warn!(snapshot = %head.id, refused, "refused a snapshot of the counters");
        }
        Ok(None)
    }
}

/// Why the content of a snapshot is not used.
enum Unread {
    Refused(&'static str),
    Failed(Error),
}

impl From<StoreError> for Unread {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Damaged(_) => Self::Refused("a row of it is damaged"),
            error => Self::Failed(error.into()),
        }
    }
}

/// The content of a snapshot, checked against the size and hash in its head.
async fn read(store: &Store, head: &HeadRow) -> Result<Vec<u8>, Unread> {
    if !head.is_of_this_version() {
        return Err(Unread::Refused("it has another version"));
    }
    if !head.is_complete {
        return Err(Unread::Refused("it is incomplete"));
    }
    let sql = "SELECT VALUE record::id(id) FROM $newest";
    let known: Vec<String> = store.read(sql, vars! { newest: record("event", &head.newest) }).await?.rows(0)?;
    if known.is_empty() {
        return Err(Unread::Refused("its newest event is not in the log"));
    }
    let mut content = Vec::new();
    for at in 0..head.pieces {
        let sql = "SELECT VALUE content FROM $piece";
        let piece: Vec<Bytes> = store.read(sql, vars! { piece: pair("counter_piece", &head.id, at) }).await?.rows(0)?;
        let Some(piece) = piece.first() else { return Err(Unread::Refused("a piece of it is missing")) };
        content.extend_from_slice(piece);
    }
    if number(content.len()) != head.size || hex(&Sha256::digest(&content).into()) != head.hash {
        return Err(Unread::Refused("its content does not match its hash"));
    }
    Ok(content)
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[derive(Debug, SurrealValue)]
struct NewHead {
    id: RecordId,
    format: i64,
    steps: i64,
    newest: String,
    pieces: i64,
    size: i64,
    hash: String,
    is_complete: bool,
}

#[derive(Debug, SurrealValue)]
struct HeadRow {
    id: String,
    format: i64,
    steps: i64,
    newest: String,
    pieces: i64,
    size: i64,
    hash: String,
    is_complete: bool,
}

impl HeadRow {
    /// A migration may have changed what is counted.
    fn is_of_this_version(&self) -> bool {
        self.format == FORMAT && self.steps == migrations::steps()
    }
}

impl State {
    /// Figures that follow from the members are not written.
    fn encode(&self, position: &Position, to: &mut Encoder) {
        to.moment(position.horizon);
        to.events(&position.seen);
        to.moment(self.settled);
        to.events(&self.known);
        to.byte(u8::from(self.changed_at.is_some()));
        to.moment(self.changed_at.unwrap_or_default());
        to.number(self.day.num_days_from_ce().unsigned_abs());
        let own: Vec<_> = self.own.iter().filter(|(_, node)| node.is_written()).collect();
        to.count(own.len());
        for (path, Node { figures, .. }) in own {
            to.path(path);
            for figure in [figures.documents, figures.reads, figures.opinions] {
                to.number(figure);
            }
        }
        to.count(self.branches.len());
        for branch in &self.branches {
            to.path(branch);
        }
        to.count(self.published.len());
        for document in &self.published {
            to.id(document.ulid());
        }
        to.count(self.merged.len());
        for (member, into) in &self.merged {
            to.id(member.ulid());
            to.id(into.ulid());
        }
        to.count(self.members.len());
        for (id, member) in &self.members {
            to.id(id.ulid());
            to.number(member.branch);
            to.byte(member.packed(self.day));
        }
    }

    /// `None` if [`Self::encode`] cannot have written the content.
    fn decode(content: &[u8], tree: &Tree) -> Option<(Self, Position)> {
        let mut from = Decoder(content);
        let position = Position { horizon: from.moment()?, seen: from.events()? };
        let (settled, known) = (from.moment()?, from.events()?);
        let changed_at = (from.byte()? != 0, from.moment()?);
        let day = NaiveDate::from_num_days_from_ce_opt(i32::try_from(from.number()?).ok()?)?;
        let mut state = Self::empty(day, settled);
        state.known = known;
        state.changed_at = changed_at.0.then_some(changed_at.1);
        for _ in 0..from.count()? {
            let path = from.path()?;
            let [documents, reads, opinions] = [from.number()?, from.number()?, from.number()?];
            let figures = Figures { documents, reads, opinions, ..Figures::default() };
            state.own.entry(path).or_default().add(&Node { figures, ..Node::default() });
        }
        for _ in 0..from.count()? {
            state.branches.push(from.path()?);
        }
        for _ in 0..from.count()? {
            state.published.insert(DocumentId::new(from.id()?));
        }
        for _ in 0..from.count()? {
            state.merged.insert(MemberId::new(from.id()?), MemberId::new(from.id()?));
        }
        state.decode_members(&mut from)?;
        if !from.0.is_empty() {
            return None;
        }
        let places = state.places(tree);
        state.adopt(places, tree.version());
        Some((state, position))
    }

    fn decode_members(&mut self, from: &mut Decoder<'_>) -> Option<()> {
        let count = from.count()?;
        self.members.reserve(count);
        let mut by_branch = vec![Node::default(); self.branches.len()];
        for _ in 0..count {
            let id = MemberId::new(from.id()?);
            let branch = from.number()?;
            let member = Member::unpacked(branch, from.byte()?, self.day)?;
            by_branch.get_mut(usize::try_from(branch).ok()?)?.count(member, self.day, 1);
            self.members.insert(id, member);
        }
        for (branch, node) in self.branches.iter().zip(by_branch) {
            self.own.entry(branch.clone()).or_default().add(&node);
        }
        Some(())
    }
}

impl Node {
    /// Whether it has figures that do not follow from the members.
    fn is_written(&self) -> bool {
        (self.figures.documents, self.figures.reads, self.figures.opinions) != (0, 0, 0)
    }
}

/// The lowest bits of a packed member: days since the last use, or `WINDOW` if longer ago.
const AGE: u8 = 0b111;
const COUNTS: u8 = 1 << 3;
const ON_PROBATION: u8 = 1 << 4;
const ACTIVATED: u8 = 1 << 5;

const _: () = assert!(WINDOW <= AGE as usize, "the days of the window have room");

impl Member {
    fn packed(self, today: NaiveDate) -> u8 {
        let age = self.age(today).unwrap_or(WINDOW);
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        u8::try_from(age).unwrap_or(AGE)
            | flag(self.counts, COUNTS)
            | flag(self.on_probation, ON_PROBATION)
            | flag(self.activated, ACTIVATED)
    }

    fn unpacked(branch: u32, packed: u8, today: NaiveDate) -> Option<Self> {
        if packed & !(AGE | COUNTS | ON_PROBATION | ACTIVATED) != 0 {
            return None;
        }
        let age = packed & AGE;
        let last_use = if usize::from(age) < WINDOW { Some(today - TimeDelta::days(i64::from(age))) } else { None };
        let is_set = |flag: u8| packed & flag != 0;
        let (counts, on_probation, activated) = (is_set(COUNTS), is_set(ON_PROBATION), is_set(ACTIVATED));
        Some(Self { branch, last_use, counts, on_probation, activated })
    }
}

/// Writes numbers in little-endian order, and the length before each sequence.
#[derive(Default)]
struct Encoder(Vec<u8>);

impl Encoder {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn number(&mut self, number: u32) {
        self.0.extend(number.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        self.0.extend(u64::try_from(count).unwrap_or(u64::MAX).to_le_bytes());
    }

    fn id(&mut self, id: Ulid) {
        self.0.extend(id.0.to_le_bytes());
    }

    fn moment(&mut self, at: DateTime<Utc>) {
        self.0.extend(at.timestamp().to_le_bytes());
        self.number(at.timestamp_subsec_nanos());
    }

    fn path(&mut self, path: &UnitPath) {
        self.count(path.as_str().len());
        self.0.extend(path.as_str().as_bytes());
    }

    fn events(&mut self, events: &BTreeSet<EventId>) {
        self.count(events.len());
        for event in events {
            self.id(event.ulid());
        }
    }
}

/// Reads what [`Encoder`] wrote; returns `None` if the input is too short.
struct Decoder<'c>(&'c [u8]);

impl Decoder<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    /// A length, bounded by the remaining bytes: each element takes at least one.
    fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(u64::from_le_bytes(self.bytes()?)).ok()?;
        (count <= self.0.len()).then_some(count)
    }

    fn id(&mut self) -> Option<Ulid> {
        self.bytes().map(|bytes| Ulid(u128::from_le_bytes(bytes)))
    }

    fn moment(&mut self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(i64::from_le_bytes(self.bytes()?), self.number()?)
    }

    fn path(&mut self) -> Option<UnitPath> {
        let length = self.count()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        UnitPath::parse(std::str::from_utf8(text).ok()?).ok()
    }

    fn events(&mut self) -> Option<BTreeSet<EventId>> {
        let count = self.count()?;
        (0..count).map(|_| self.id().map(EventId::new)).collect()
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        events::{EventBody, SignIn},
        ids::SessionId,
        members::{NationalId, Sex, Standing},
    };

    use super::*;
    use crate::{
        Keys, StoreLocation,
        demo::registry::{NewMember, Registry},
        units::tests::level,
    };

    const START: &str = "2026-11-21T08:00:00Z";

    /// A province and a branch with seven members, two of whom have used the handbook.
    async fn filled() -> (Backend, Clock) {
        let clock = Clock::fixed(START.parse().expect("a moment"), 1);
        let backend = Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), clock.clone()).await.expect("opens");
        let mut registry = Registry::new(&backend, 1, clock.now() - TimeDelta::days(400));
        let province = registry.unit(None, level("province"), "51", "Tỉnh Trà Khúc").expect("a code");
        let branch = registry.unit(Some(&province), level("branch"), "01", "Chi bộ thôn Gành Đá").expect("a code");
        let mut members = Vec::new();
        for (number, standing) in (1..).zip([Standing::Official; 5].into_iter().chain([Standing::Probationary, Standing::Exempt]))
        {
            let member = NewMember {
                code: &format!("51.{number:06}"),
                full_name: "Võ Văn Khơi",
                sex: Sex::Male,
                birth_date: NaiveDate::from_ymd_opt(1980, 2, 3).expect("a day"),
                admitted_on: NaiveDate::from_ymd_opt(2008, 2, 3).expect("a day"),
                standing,
                national_id: &NationalId::parse(&format!("951000{number:06}")).expect("twelve digits"),
                phone: None,
                unit: &branch,
            };
            members.push(registry.member(&member).expect("registers"));
        }
        registry.save().await.expect("saves");
        for member in [members[0], members[5]] {
            clock.advance(TimeDelta::hours(30));
            sign_in(&backend, &clock, member, &branch.path).await;
        }
        (backend, clock)
    }

    async fn sign_in(backend: &Backend, clock: &Clock, member: MemberId, path: &UnitPath) {
        let body = EventBody::SignedIn(SignIn::Opened(SessionId::new(clock.ulid())));
        backend.transact(Change::default().event(clock, Some(member), path, body)).await.expect("appends");
    }

    async fn save(backend: &Backend) -> Option<usize> {
        backend.statistics().save_counters(TimeDelta::zero()).await.expect("saves")
    }

    async fn load(backend: &Backend, clock: &Clock) -> Option<(Counters, Position)> {
        Counters::load(backend.store(), &backend.units().tree(), clock).await.expect("the store answers")
    }

    #[tokio::test]
    async fn what_is_loaded_is_what_was_saved() {
        let (backend, clock) = filled().await;
        assert!(load(&backend, &clock).await.is_none(), "there is none yet");
        save(&backend).await.expect("is saved");
        let (counters, position) = load(&backend, &clock).await.expect("is loaded");
        assert_eq!(position, backend.events().position());
        let (loaded, held) = (counters.read(), backend.counters().read());
        assert!(loaded.differences(&held).is_empty());
        assert_eq!((loaded.changed_at, loaded.day, loaded.settled), (held.changed_at, held.day, held.settled));
        assert_eq!((loaded.members.len(), loaded.known.clone()), (7, held.known.clone()));
        for (id, member) in &held.members {
            let found = loaded.members[id];
            assert_eq!((found.packed(loaded.day), found.last_use), (member.packed(held.day), member.last_use));
            assert_eq!(loaded.branches[found.branch as usize], held.branches[member.branch as usize]);
        }
        let province = UnitPath::parse("/51/").expect("a path");
        let figures = counters.figures(&province, clock.today());
        assert_eq!((figures.members, figures.active), (6, 2));
    }

    #[tokio::test]
    async fn it_is_saved_once_in_a_while_and_not_for_nothing() {
        let (backend, clock) = filled().await;
        save(&backend).await.expect("is saved");
        assert_eq!(save(&backend).await, None, "nothing happened since");
        let path = UnitPath::parse("/51/01/").expect("a path");
        let member = *backend.counters().read().members.keys().next().expect("a member");
        sign_in(&backend, &clock, member, &path).await;
        let every = TimeDelta::minutes(15);
        let saved = async || backend.statistics().save_counters(every).await.expect("the store answers").is_some();
        clock.advance(TimeDelta::minutes(14));
        assert!(!saved().await, "some process has within the time");
        clock.advance(TimeDelta::minutes(1));
        assert!(saved().await);
        assert_eq!(count(&backend, "counter_snapshot").await, 2);
    }

    async fn count(backend: &Backend, table: &str) -> usize {
        let sql = format!("SELECT VALUE id FROM {table}");
        backend.store().read(sql, ()).await.expect("reads").rows::<RecordId>(0).expect("ids").len()
    }

    #[tokio::test]
    async fn two_snapshots_are_kept_with_their_pieces() {
        let (backend, clock) = filled().await;
        let content = encoded(&backend).await.expect("encodes");
        let newest = newest(backend.store(), &clock).await.expect("reads").expect("an event");
        for _ in 0..4 {
            clock.advance(TimeDelta::minutes(1));
            let long: Vec<u8> = content.iter().copied().chain(std::iter::repeat_n(0, PIECE)).collect();
            write(&backend, clock.ulid(), newest.clone(), &long).await.expect("writes");
        }
        assert_eq!((count(&backend, "counter_snapshot").await, count(&backend, "counter_piece").await), (2, 4));
        assert!(load(&backend, &clock).await.is_none(), "what follows the content is not understood");
        clock.advance(TimeDelta::minutes(1));
        write(&backend, clock.ulid(), newest, &content).await.expect("writes");
        assert!(load(&backend, &clock).await.is_some());
    }

    #[tokio::test]
    async fn what_is_cut_anywhere_is_not_understood() {
        let (backend, _) = filled().await;
        let (content, tree) = (encoded(&backend).await.expect("encodes"), backend.units().tree());
        assert!(State::decode(&content, &tree).is_some());
        for end in 0..content.len() {
            assert!(State::decode(&content[..end], &tree).is_none(), "{end} of {}", content.len());
        }
    }

    #[tokio::test]
    async fn a_snapshot_in_doubt_is_refused() {
        let cut = Bytes::from(b"cut".to_vec());
        for (damage, what) in [
            ("DELETE counter_piece", "a piece is missing"),
            ("UPDATE counter_piece SET content = $cut", "a piece was cut"),
            ("UPDATE counter_snapshot SET hash = 'other'", "the content is another one"),
            ("UPDATE counter_snapshot SET size += 1", "the length is another one"),
            ("UPDATE counter_snapshot SET is_complete = false", "the program was killed while it wrote"),
            ("UPDATE counter_snapshot SET format += 1", "another version of the program wrote it"),
            ("UPDATE counter_snapshot SET steps -= 1", "the schema was changed since"),
            ("DELETE event", "the log begins after it, or ends before it"),
        ] {
            let (backend, clock) = filled().await;
            save(&backend).await.expect("is saved");
            assert!(load(&backend, &clock).await.is_some());
            backend.store().write(damage, vars! { cut: cut.clone() }).await.expect("does damage");
            assert!(load(&backend, &clock).await.is_none(), "{what}");
        }
        let (backend, clock) = filled().await;
        save(&backend).await.expect("is saved");
        clock.advance(-TimeDelta::minutes(6));
        assert!(load(&backend, &clock).await.is_none(), "the clock was set back: events of now would not be read");
    }

    #[tokio::test]
    async fn an_older_snapshot_serves_where_the_newest_is_damaged() {
        let (backend, clock) = filled().await;
        save(&backend).await.expect("is saved");
        let before = backend.events().position();
        let member = *backend.counters().read().members.keys().next().expect("a member");
        clock.advance(TimeDelta::minutes(1));
        sign_in(&backend, &clock, member, &UnitPath::parse("/51/01/").expect("a path")).await;
        save(&backend).await.expect("is saved again");
        let newest = heads(backend.store()).await.expect("reads")[0].id.clone();
        let piece = pair("counter_piece", newest, 0);
        backend.store().write("DELETE $piece", vars! { piece: piece }).await.expect("does damage");
        let (_, position) = load(&backend, &clock).await.expect("is loaded");
        assert_eq!(position, before);
    }
}
