//! The event log: appended in the transaction of each change, tailed once per process and broadcast to listeners.

use std::{
    collections::BTreeSet,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    events::{Effect, Event, EventBody, EventKind},
    ids::{EventId, MemberId, UnitId},
    units::UnitPath,
};
use tokio::sync::{Notify, broadcast};
use ulid::Ulid;

use crate::{
    Backend, Clock, Error, Result,
    store::{KEYS, RecordId, Store, SurrealValue, Variables, keys_between, record, vars},
    units::Tree,
};

/// Transactions of several processes may commit out of id order, so the tail re-reads this far back.
const OVERLAP: TimeDelta = TimeDelta::seconds(5);

/// A retried transaction, or one of a process whose clock is behind, may commit even later. So the tail periodically re-reads
/// this far back, and so does a start from a snapshot of the counters.
pub(crate) const SETTLE: TimeDelta = TimeDelta::minutes(5);

/// How often the tail re-reads [`SETTLE`].
const LOOK_BACK_EVERY: TimeDelta = TimeDelta::minutes(1);

/// How long the tail sleeps unless a write in this process wakes it.
const POLL: Duration = Duration::from_millis(500);

/// Most events read at a time.
const PAGE: usize = 500;

/// Most malformed keys that are remembered, so that each is logged once.
const REPORTED_MAX: usize = 1_000;

/// The end of all keys that are texts. Keys of other types are not read: the check of the audit trail reports them.
const KEYS_END: &str = "\u{10FFFF}";

/// A listener that falls further behind receives a lag error and must reload.
const BACKLOG: usize = 4096;

/// The statement that appends an event bound by [`bind`] under this name.
pub(crate) fn create(row: &str) -> String {
    format!(
        "CREATE ${row}_id SET at = ${row}_at, actor = ${row}_actor, kind = ${row}_kind, unit = ${row}_unit, \
         subject = ${row}_subject, detail = ${row}_detail RETURN NONE;"
    )
}

/// Binds the columns of an event; `row` is the prefix of their names.
pub(crate) fn bind(vars: &mut Variables, row: &str, event: &Event) {
    let NewEvent { id, at, actor, kind, unit, subject, detail } = event.into();
    vars.insert(format!("{row}_id"), id);
    vars.insert(format!("{row}_at"), at);
    vars.insert(format!("{row}_actor"), actor);
    vars.insert(format!("{row}_kind"), kind);
    vars.insert(format!("{row}_unit"), unit);
    vars.insert(format!("{row}_subject"), subject);
    vars.insert(format!("{row}_detail"), detail);
}

/// An event as it is inserted.
#[derive(Debug, Clone, SurrealValue)]
pub(crate) struct NewEvent {
    pub(crate) id: RecordId,
    at: DateTime<Utc>,
    actor: Option<String>,
    kind: String,
    unit: String,
    subject: String,
    detail: Option<String>,
}

impl From<&Event> for NewEvent {
    fn from(event: &Event) -> Self {
        Self {
            id: record("event", event.id),
            at: event.at,
            actor: event.actor.map(|member| member.to_string()),
            kind: event.kind().key().to_owned(),
            unit: event.unit.to_string(),
            subject: event.body.subject().to_string(),
            detail: event.body.detail(),
        }
    }
}

impl NewEvent {
    /// An event at the current time.
    pub(crate) fn now(clock: &Clock, actor: Option<MemberId>, unit: &UnitPath, body: EventBody) -> Self {
        let at = clock.now();
        (&Event { id: EventId::new(clock.ulid_at(at)), at, actor, unit: unit.clone(), body }).into()
    }
}

/// Tails the event log for this process.
pub struct Events {
    sender: broadcast::Sender<Event>,
    woken: Notify,
    tail: Mutex<Tail>,
    /// Held while the log is read, so that no event is counted twice.
    turn: tokio::sync::Mutex<()>,
}

/// The position of the tail, and the time it last re-read [`SETTLE`].
struct Tail {
    position: Position,
    looked_back_at: DateTime<Utc>,
}

/// A position in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// The time of the latest event read.
    pub(crate) horizon: DateTime<Utc>,
    /// The events read of the [`SETTLE`] before that.
    pub(crate) seen: BTreeSet<EventId>,
}

impl Position {
    /// The end of the log. Events before it are counted from the tables; only later ones are new.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn end(store: &Store, clock: &Clock) -> Result<Self> {
        let horizon = clock.now();
        let seen = rows_from(store, horizon - SETTLE).await?.into_iter().map(|row| row.id).collect();
        Ok(Self { horizon, seen })
    }
}

impl Events {
    /// Events from this position on.
    pub(crate) fn starting_at(position: Position) -> Self {
        Self {
            sender: broadcast::channel(BACKLOG).0,
            woken: Notify::new(),
            tail: Mutex::new(Tail { position, looked_back_at: DateTime::<Utc>::MIN_UTC }),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Pauses reading and counting until the guard is dropped.
    pub(crate) async fn pause(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// How far the log was read.
    pub(crate) fn position(&self) -> Position {
        self.tail().position.clone()
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the tail after a write of this process.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }

    /// A receiver of all events from now on.
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }
}

impl Backend {
    /// Follows the log until the process ends. One task per process runs this.
    pub async fn follow_events(&self) {
        loop {
            tokio::select! {
                () = self.events().woken.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
            if let Err(error) = self.catch_up().await {
                tracing::error!(%error, "cannot read the event log; retrying");
            }
        }
    }

    /// Reads new events, counts them and sends them to the listeners. Returns the number of new events.
    ///
    /// # Errors
    /// [`Error::Store`] when the log cannot be read. No event is lost: the next call reads it again.
    pub async fn catch_up(&self) -> Result<usize> {
        let events = self.events();
        let _turn = events.turn.lock().await;
        let now = self.clock().now();
        let (from, looks_back) = {
            let tail = events.tail();
            let looks_back = now - tail.looked_back_at >= LOOK_BACK_EVERY;
            (tail.position.horizon - if looks_back { SETTLE } else { OVERLAP }, looks_back)
        };
        let (mut next, mut count) = (Some(lowest(from).to_string()), 0);
        while let Some(from) = next {
            let page = page_from(self.store(), from).await?;
            count += self.take(page.rows).await?;
            next = page.next;
        }
        if looks_back {
            events.tail().looked_back_at = now;
        }
        Ok(count)
    }

    /// Counts the new events among these rows and sends them to the listeners. Returns the number of new events.
    async fn take(&self, mut found: Vec<LoggedRow>) -> Result<usize> {
        let events = self.events();
        {
            let tail = events.tail();
            found.retain(|row| !tail.position.seen.contains(&row.id));
        }
        let count = found.len();
        // Another process may have changed the tree.
        if found.iter().filter_map(|row| row.event.as_ref()).any(|event| event.kind().changes_tree()) {
            self.units().reload(self.store()).await?;
        }
        for LoggedRow { id, at, event } in found {
            if let Some(event) = &event {
                self.count(event).await?;
                self.search_index().note(event);
            }
            let mut tail = events.tail();
            tail.position.seen.insert(id);
            tail.position.horizon = tail.position.horizon.max(at);
            drop(tail);
            if let Some(event) = event {
                // `send` fails when there are no listeners.
                let _ = events.sender.send(event);
            }
        }
        let mut tail = events.tail();
        let position = &mut tail.position;
        let oldest = EventId::new(lowest(position.horizon - SETTLE - OVERLAP));
        position.seen = position.seen.split_off(&oldest);
        Ok(count)
    }

    /// Reloads the tree and recounts everything, after bulk writes without an event for each row. Returns the units whose figures
    /// have changed.
    pub(crate) async fn recount(&self) -> Result<Vec<UnitPath>> {
        let _turn = self.events().turn.lock().await;
        self.counters().reload(self.store(), self.units(), self.clock()).await
    }

    /// Updates the figures for an event. The log does not contain the standing of members, so changed members are read again.
    async fn count(&self, event: &Event) -> Result<()> {
        let (store, tree, counters) = (self.store(), self.units().tree(), self.counters());
        // Imported members may use the handbook before the event of the import is logged.
        if let Some(actor) = event.actor.filter(|actor| event.kind().counts_as_use() && !counters.knows(*actor)) {
            counters.refresh(store, &tree, &[actor]).await?;
        }
        match event.body.effect() {
            Effect::Imported(import) => counters.refresh_imported(store, &tree, import).await?,
            Effect::Member(member) => counters.refresh(store, &tree, &[member]).await?,
            Effect::MembersOf(unit) => counters.refresh(store, &tree, &self.members_of(&tree, unit).await?).await?,
            Effect::Merged { member, other } => {
                let both: Vec<MemberId> = std::iter::once(member).chain(other).collect();
                counters.refresh(store, &tree, &both).await?;
                // Last, because a failed event is counted again and a read must not be counted twice.
                return counters.count_merge(event, store, self.units(), self.clock()).await;
            }
            Effect::Nothing
            | Effect::Published(_)
            | Effect::Withdrawn(_)
            | Effect::Read { .. }
            | Effect::Opinion { .. }
            | Effect::Moved => {}
        }
        counters.count(event, &tree);
        if matches!(event.body.effect(), Effect::Moved) {
            let backend = self.clone();
            let followed = tokio::task::spawn_blocking(move || backend.counters().follow(&tree)).await;
            followed.map_err(|error| Error::Internal(format!("the figures of moved units: {error}")))?;
        }
        Ok(())
    }

    /// The members of a unit, and of the one that has succeeded it since.
    async fn members_of(&self, tree: &Tree, unit: UnitId) -> Result<Vec<MemberId>> {
        let (sql, unit) = ("SELECT VALUE record::id(id) FROM member WHERE unit = $unit", unit.to_string());
        let mut ids: Vec<String> = self.store().read(sql, vars! { unit: unit.clone() }).await?.rows(0)?;
        if let Some(successor) = tree.successor(&unit).map(|unit| unit.id.to_string()).filter(|successor| *successor != unit) {
            ids.extend(self.store().read(sql, vars! { unit: successor }).await?.rows::<String>(0)?);
        }
        ids.iter().map(|id| id.parse().map_err(|_| Error::Damaged(format!("member {id}")))).collect()
    }
}

/// All events from a time on, in the order of their ids. Rows that this version cannot read are skipped.
pub(crate) async fn read_from(store: &Store, from: DateTime<Utc>) -> Result<Vec<Event>> {
    Ok(rows_from(store, from).await?.into_iter().filter_map(|row| row.event).collect())
}

async fn rows_from(store: &Store, from: DateTime<Utc>) -> Result<Vec<LoggedRow>> {
    let mut rows: Vec<LoggedRow> = Vec::new();
    let mut next = Some(lowest(from).to_string());
    while let Some(from) = next {
        let page = page_from(store, from).await?;
        for row in page.rows {
            if rows.last().is_none_or(|last| last.id < row.id) {
                rows.push(row);
            }
        }
        next = page.next;
    }
    Ok(rows)
}

/// Rows of the log in the order of their keys.
struct LogPage {
    rows: Vec<LoggedRow>,
    /// The key at which the next page begins: the last one of this page. None at the end of the log.
    next: Option<String>,
}

/// At most [`PAGE`] rows from this key on.
async fn page_from(store: &Store, from: String) -> Result<LogPage> {
    let sql = format!("SELECT record::id(id) AS id, {COLUMNS} FROM {KEYS} LIMIT {PAGE}");
    let keys = keys_between("event", Bound::Included(from), Bound::Excluded(KEYS_END.to_owned()));
    let found: Vec<EventRow> = store.read(sql, vars! { keys: keys }).await?.rows(0)?;
    let next = found.last().filter(|_| found.len() == PAGE).map(|last| last.id.clone());
    Ok(LogPage { rows: found.iter().filter_map(LoggedRow::decode).collect(), next })
}

/// A cursor that reads the log backwards, newest first.
///
/// The engine can only read a range of keys forwards, so the cursor moves back by time windows: wide where events are rare,
/// narrow where they are frequent.
pub(crate) struct ReverseCursor {
    before: EventId,
    /// Width of the next window, in milliseconds.
    width: u64,
}

/// Width of the first window in milliseconds: a minute.
const WINDOW: u64 = 60_000;

impl ReverseCursor {
    pub(crate) fn from(before: Option<EventId>, clock: &Clock) -> Self {
        // The clock of another process may be ahead of this one.
        let newest = || EventId::new(lowest(clock.now() + TimeDelta::minutes(5)));
        Self { before: before.unwrap_or_else(newest), width: WINDOW }
    }

    /// The position of the cursor: all later events were read.
    pub(crate) const fn position(&self) -> EventId {
        self.before
    }

    pub(crate) fn is_at_the_start(&self) -> bool {
        self.before.ulid().timestamp_ms() == 0
    }

    /// At most `count` rows of the next window, newest first. Empty for a window without events.
    pub(crate) async fn step(&mut self, store: &Store, count: usize) -> Result<Vec<LoggedRow>> {
        let upper = self.before.ulid().timestamp_ms();
        let (lower, keys) = loop {
            let lower = EventId::new(Ulid::from_parts(upper.saturating_sub(self.width), 0));
            let keys = keys_between("event", Bound::Included(lower.to_string()), Bound::Excluded(self.before.to_string()));
            let sql = "SELECT VALUE count FROM (SELECT count() FROM $keys GROUP ALL)";
            let held: Option<i64> = store.read(sql, vars! { keys: keys.clone() }).await?.rows(0)?.into_iter().next();
            // Counting is cheap, reading is not.
            if self.width == 1 || held.unwrap_or_default() <= 4 * i64::try_from(count).unwrap_or(i64::MAX) {
                break (lower, keys);
            }
            self.width = (self.width / 8).max(1);
        };
        let mut most = count;
        let (mut rows, has_more) = loop {
            let sql =
                format!("SELECT id AS position, record::id(id) AS id, {COLUMNS} FROM $keys ORDER BY position DESC LIMIT {most}");
            let found: Vec<EventRow> = store.read(sql, vars! { keys: keys.clone() }).await?.rows(0)?;
            let is_full = found.len() == most;
            let rows: Vec<LoggedRow> = found.iter().filter_map(LoggedRow::decode).collect();
            if !is_full || !rows.is_empty() {
                let has_more = is_full || rows.len() > count;
                break (rows, has_more);
            }
            // All of them are malformed, so none of them can be the new position.
            most = most.saturating_mul(2);
        };
        rows.truncate(count);
        match rows.last() {
            Some(last) if has_more => self.before = last.id,
            _ => {
                self.before = lower;
                self.width = self.width.saturating_mul(4);
            }
        }
        Ok(rows)
    }
}

pub(crate) const COLUMNS: &str = "at, actor, kind, unit, subject, detail";

/// The lowest id of a time, clamped to the range of ids: from 1970 for about ten thousand years.
pub(crate) fn lowest(at: DateTime<Utc>) -> Ulid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    Ulid::from_parts(millis.min((1 << Ulid::TIME_BITS) - 1), 0)
}

/// The stored row of an event.
#[derive(Debug, Clone, SurrealValue)]
pub(crate) struct EventRow {
    pub(crate) id: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: Option<String>,
    pub(crate) kind: String,
    pub(crate) unit: String,
    pub(crate) subject: String,
    pub(crate) detail: Option<String>,
}

/// A row of the log, decoded by this version.
#[derive(Debug)]
pub(crate) struct LoggedRow {
    pub(crate) id: EventId,
    pub(crate) at: DateTime<Utc>,
    /// None for a kind that only a later version can decode, and for a row without meaning for this one. Such a row changes
    /// nothing and is not shown to anybody, since this version cannot check whom it concerns. It is sealed like any other.
    pub(crate) event: Option<Event>,
}

/// The id in the key of a row. None for a key that this program does not create.
pub(crate) fn event_id(key: &str) -> Option<EventId> {
    key.parse().ok().filter(|id: &EventId| id.to_string() == key)
}

/// Logs a row with a malformed key: once, since the tail reads the same rows again and again.
fn report_malformed(key: &str) {
    static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    if reported.len() < REPORTED_MAX && reported.insert(key.to_owned()) {
        tracing::warn!(key, "a row of the event log has a malformed key and is left out; run `handbook check audit`");
    }
}

impl LoggedRow {
    /// None for a row with a malformed key, which only another program can have written: it has no position in the log.
    pub(crate) fn decode(row: &EventRow) -> Option<Self> {
        let Some(id) = event_id(&row.id) else {
            report_malformed(&row.id);
            return None;
        };
        let event = row.event(id);
        match &event {
            Some(_) => {}
            None if EventKind::from_key(&row.kind).is_none() => {
                tracing::debug!(event = %id, kind = row.kind, "a later version wrote this event; it is left out");
            }
            None => tracing::error!(event = %id, kind = row.kind, "an event is damaged and left out; run `handbook check audit`"),
        }
        Some(Self { id, at: row.at, event })
    }
}

impl EventRow {
    fn event(&self, id: EventId) -> Option<Event> {
        Some(Event {
            id,
            at: self.at,
            actor: self.actor.as_ref().map(|member| member.parse()).transpose().ok()?,
            unit: UnitPath::parse(&self.unit).ok()?,
            body: EventBody::parse(EventKind::from_key(&self.kind)?, &self.subject, self.detail.as_deref())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::SessionId;

    use super::*;
    use crate::{Keys, StoreLocation, change::Change, store::tests::migrated};

    #[tokio::test]
    async fn a_late_commit_is_found_by_looking_back() {
        let clock = Clock::fixed("2026-11-21T08:00:00Z".parse().expect("a moment"), 1);
        let backend = Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), clock.clone()).await.expect("opens");
        let write = async |at: &Clock| {
            let body = EventBody::SignedOut(SessionId::new(at.ulid()));
            let change = Change::default().event(at, None, &UnitPath::parse("/01/").expect("a path"), body);
            backend.transact(change).await.expect("appends");
        };
        write(&clock).await;
        assert_eq!(backend.catch_up().await.expect("reads"), 1);
        // Simulates a process whose clock is behind, or a transaction with many retries.
        write(&Clock::fixed(clock.now() - TimeDelta::minutes(2), 2)).await;
        assert_eq!(backend.catch_up().await.expect("reads"), 0, "the tail has just looked back");
        clock.advance(LOOK_BACK_EVERY);
        assert_eq!(backend.catch_up().await.expect("reads"), 1);
        clock.advance(LOOK_BACK_EVERY);
        assert_eq!(backend.catch_up().await.expect("reads"), 0, "once");
    }

    /// Simulates the roll-out of a newer version on another server.
    #[tokio::test]
    async fn a_row_of_an_unknown_kind_is_skipped_and_sealed_like_any_other() {
        let clock = Clock::fixed("2026-11-21T08:00:00Z".parse().expect("a moment"), 1);
        let backend = Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), clock.clone()).await.expect("opens");
        let mut heard = backend.events().listen();
        clock.advance(TimeDelta::seconds(1));
        let unknown = EventId::new(clock.ulid());
        let sql = "CREATE $event SET at = $at, kind = 'tea_served', unit = '/01/', subject = 'cup', detail = 'green'";
        backend.store().write(sql, vars! { event: record("event", unknown), at: clock.now() }).await.expect("appends");
        assert_eq!(backend.catch_up().await.expect("goes on"), 1);
        assert!(heard.try_recv().is_err(), "no listener receives it");
        let position = backend.events().position();
        assert_eq!((position.horizon, position.seen.contains(&unknown)), (clock.now(), true));
        assert_eq!(backend.catch_up().await.expect("reads"), 0, "once");

        clock.advance(TimeDelta::seconds(1));
        let body = EventBody::SignedOut(SessionId::new(clock.ulid()));
        let change = Change::default().event(&clock, None, &UnitPath::parse("/01/").expect("a path"), body.clone());
        backend.transact(change).await.expect("appends");
        assert_eq!(backend.catch_up().await.expect("reads"), 1);
        assert_eq!(heard.try_recv().map(|event| event.body), Ok(body));

        clock.advance(TimeDelta::hours(1));
        assert_eq!(backend.audit().seal().await.expect("seals"), 2);
        let report = backend.audit().verify().await.expect("checks");
        assert_eq!((report.is_whole(), report.events, report.unsealed), (true, 2, 0), "{:?}", report.findings);
    }

    /// Rows whose keys this program does not create: before, between and after those of its events.
    const MALFORMED: &str = "LET $row = { at: d'2026-11-21T08:00:00Z', kind: 'signed_out', unit: '/01/', subject: 'x' }; \
                             FOR $key IN [5, '01KAMALFORMED', '0', 'zzz', ['7']] { CREATE type::record('event', $key) CONTENT $row RETURN NONE };";

    #[tokio::test]
    async fn rows_with_malformed_keys_are_left_out_and_reported() {
        let clock = Clock::fixed("2026-11-21T08:00:00Z".parse().expect("a moment"), 1);
        let keys = || Keys::from_master(&[7; 32]);
        let store = migrated().await;
        store.write(MALFORMED, ()).await.expect("writes");
        let progress = crate::Progress::default();
        let opened = Backend::over(store, &StoreLocation::Memory, crate::KeySource::Given(keys()), clock.clone(), &progress);
        let backend = opened.await.expect("opens");
        clock.advance(TimeDelta::seconds(1));
        let body = EventBody::SignedOut(SessionId::new(clock.ulid()));
        let change = Change::default().event(&clock, None, &UnitPath::parse("/01/").expect("a path"), body);
        backend.transact(change).await.expect("appends");
        assert_eq!(backend.catch_up().await.expect("reads"), 1);
        let mut back = ReverseCursor::from(None, &clock);
        let mut found = 0;
        while !back.is_at_the_start() {
            found += back.step(backend.store(), 1).await.expect("reads").len();
        }
        assert_eq!(found, 1);

        clock.advance(TimeDelta::hours(1));
        assert_eq!(backend.audit().seal().await.expect("seals"), 1);
        let report = backend.audit().verify().await.expect("checks");
        let reported: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        assert_eq!((reported.len(), report.unsealed), (5, 0), "{reported:?}");
        for key in ["5", "01KAMALFORMED", "0", "zzz", "7"] {
            assert!(reported.iter().any(|line| line.contains(key)), "{key}: {reported:?}");
        }
        let sql = "SELECT VALUE count FROM (SELECT count() FROM event GROUP ALL)";
        let rows: Vec<i64> = backend.store().read(sql, ()).await.expect("reads").rows(0).expect("a count");
        assert_eq!(rows, [6], "none is deleted");
    }

    #[tokio::test]
    async fn more_than_a_page_is_read_at_once() {
        let clock = Clock::fixed("2026-11-21T08:00:00Z".parse().expect("a moment"), 1);
        let backend = Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), clock.clone()).await.expect("opens");
        let many = 2 * PAGE + 1;
        for _ in 0..many {
            let body = EventBody::SignedOut(SessionId::new(clock.ulid()));
            let change = Change::default().event(&clock, None, &UnitPath::parse("/01/").expect("a path"), body);
            backend.transact(change).await.expect("appends");
        }
        assert_eq!(backend.catch_up().await.expect("reads"), many);
        assert_eq!(backend.catch_up().await.expect("reads"), 0);
    }

    #[tokio::test]
    async fn the_log_is_read_backwards_from_any_event() {
        let store = migrated().await;
        let unit = UnitPath::parse("/01/").expect("a path");
        let clock = Clock::fixed("2026-11-21T08:00:00Z".parse().expect("a moment"), 1);
        let mut ids = Vec::new();
        for _ in 0..7 {
            clock.advance(TimeDelta::seconds(1));
            let id = EventId::new(clock.ulid());
            let body = EventBody::SignedOut(SessionId::new(clock.ulid()));
            let event = Event { id, at: clock.now(), actor: None, unit: unit.clone(), body };
            ids.push(id);
            store
                .write("INSERT INTO event $log RETURN NONE", vars! { log: vec![NewEvent::from(&event)] })
                .await
                .expect("appends");
        }
        let back = async |before: Option<EventId>| {
            let mut way = ReverseCursor::from(before, &clock);
            let mut found = Vec::new();
            while !way.is_at_the_start() {
                found.extend(way.step(&store, 3).await.expect("reads").into_iter().map(|event| event.id));
            }
            found
        };
        let reversed: Vec<_> = ids.iter().rev().copied().collect();
        assert_eq!(back(None).await, reversed);
        assert_eq!(back(Some(ids[4])).await, reversed[3..]);
        assert_eq!(back(Some(ids[0])).await, []);
    }
}
