//! The event log: appended in the transaction of each change, tailed once per process, fanned out to those who listen.

use std::{
    collections::BTreeSet,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    events::{Event, EventKind},
    ids::{EventId, MemberId},
    units::UnitPath,
};
use tokio::sync::{Notify, broadcast};
use ulid::Ulid;

use crate::{
    Backend, Clock, Error, Result,
    store::{KEYS, Store, SurrealValue, Variables, keys_between, keys_from, record, vars},
};

/// Transactions of several processes may commit out of the order of their ids: the tail re-reads this far back.
const OVERLAP: TimeDelta = TimeDelta::seconds(5);

/// A transaction that is tried again, or of a process whose clock is behind, may commit later still: the tail looks this far back now and
/// then, and a start that goes on from a snapshot of the counters does.
pub(crate) const SETTLE: TimeDelta = TimeDelta::minutes(5);

/// How often the tail looks back by [`SETTLE`].
const LOOK_BACK_EVERY: TimeDelta = TimeDelta::minutes(1);

/// How long the tail sleeps when nobody in this process wrote anything.
const POLL: Duration = Duration::from_millis(500);

/// Most events read at a time.
const PAGE: usize = 500;

/// Listeners that fall further behind are told to read afresh.
const BACKLOG: usize = 4096;

/// The statement that appends the row of [`append`]; part of every writing transaction.
pub(crate) const APPEND: &str = "CREATE $log_id SET at = $log_at, actor = $log_actor, kind = $log_kind, unit = $log_unit, \
                                 subject = $log_subject, detail = $log_detail RETURN NONE;";

/// The statement that appends the row of [`append_also`].
pub(crate) const APPEND_ALSO: &str = "CREATE $also_id SET at = $also_at, actor = $also_actor, kind = $also_kind, unit = $also_unit, \
                                      subject = $also_subject, detail = $also_detail RETURN NONE;";

/// The event, and its bindings for a transaction that ends with [`APPEND`].
pub(crate) fn append(
    vars: &mut Variables,
    clock: &Clock,
    kind: EventKind,
    actor: Option<MemberId>,
    unit: &UnitPath,
    subject: impl ToString,
) -> Event {
    append_with(vars, clock, kind, actor, unit, subject, None)
}

/// As [`append`], with a few words more for the audit trail.
pub(crate) fn append_with(
    vars: &mut Variables,
    clock: &Clock,
    kind: EventKind,
    actor: Option<MemberId>,
    unit: &UnitPath,
    subject: impl ToString,
    detail: Option<String>,
) -> Event {
    let at = clock.now();
    let event =
        Event { id: EventId::new(clock.ulid_at(at)), at, actor, kind, unit: unit.clone(), subject: subject.to_string(), detail };
    bind(vars, "log", &event);
    event
}

/// What the transaction of `first` did besides, as a row of its own: see [`APPEND_ALSO`].
pub(crate) fn append_also(vars: &mut Variables, clock: &Clock, first: &Event, kind: EventKind, detail: Option<String>) {
    bind(vars, "also", &Event { id: EventId::new(clock.ulid_at(first.at)), kind, detail, ..first.clone() });
}

/// What an event says of a read or an opinion: whether it counts, as its row in the table says. Members count or not as they stand then.
pub(crate) const COUNTED: &str = "counted";
pub(crate) const NOT_COUNTED: &str = "not_counted";

pub(crate) fn counted(counts: bool) -> String {
    if counts { COUNTED } else { NOT_COUNTED }.to_owned()
}

/// The bindings of one row; `row` is what their names begin with.
fn bind(vars: &mut Variables, row: &str, event: &Event) {
    vars.insert(format!("{row}_id"), record("event", event.id));
    vars.insert(format!("{row}_at"), event.at);
    vars.insert(format!("{row}_actor"), event.actor.map(|member| member.to_string()));
    vars.insert(format!("{row}_kind"), event.kind.key());
    vars.insert(format!("{row}_unit"), event.unit.to_string());
    vars.insert(format!("{row}_subject"), event.subject.clone());
    vars.insert(format!("{row}_detail"), event.detail.clone());
}

/// Tails the event log for this process.
pub struct Events {
    sender: broadcast::Sender<Event>,
    woken: Notify,
    tail: Mutex<Tail>,
    /// One reads on at a time: an event must not count twice.
    turn: tokio::sync::Mutex<()>,
}

/// How far the log was read, and what of the time before that was handed on already.
struct Tail {
    position: Position,
    looked_back_at: DateTime<Utc>,
}

/// A position in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// The time of the latest event read.
    pub(crate) horizon: DateTime<Utc>,
    /// The events read of the last [`SETTLE`] before that.
    pub(crate) seen: BTreeSet<EventId>,
}

impl Position {
    /// The end of the log. What is in the log now is counted from the tables; only what comes later is news.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn end(store: &Store, clock: &Clock) -> Result<Self> {
        let horizon = clock.now();
        let seen = read_from(store, horizon - SETTLE).await?.into_iter().map(|event| event.id).collect();
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

    /// Lets nobody read on, and nothing be counted, while the guard lives.
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

    /// Tells the tail that this process has just written.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }

    /// Everything from now on.
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
                tracing::error!(%error, "cannot read the event log; will try again");
            }
        }
    }

    /// Reads what is new in the log, counts it and hands it to the listeners. Returns how many events were new.
    ///
    /// # Errors
    /// [`Error::Store`] when the log cannot be read; nothing is lost, the next call reads it again.
    pub async fn catch_up(&self) -> Result<usize> {
        let events = self.events();
        let _turn = events.turn.lock().await;
        let now = self.clock().now();
        let (from, looks_back) = {
            let tail = events.tail();
            let looks_back = now - tail.looked_back_at >= LOOK_BACK_EVERY;
            (tail.position.horizon - if looks_back { SETTLE } else { OVERLAP }, looks_back)
        };
        let (mut next, mut count) = (lowest(from).to_string(), 0);
        loop {
            let page = page_from(self.store(), &next).await?;
            let is_last = page.len() < PAGE;
            if let Some(last) = page.last() {
                next = last.id.to_string();
            }
            count += self.take(page).await?;
            if is_last {
                break;
            }
        }
        if looks_back {
            events.tail().looked_back_at = now;
        }
        Ok(count)
    }

    /// Counts what is new of these events and hands it to the listeners. Returns how many events were new.
    async fn take(&self, mut found: Vec<Event>) -> Result<usize> {
        let events = self.events();
        {
            let tail = events.tail();
            found.retain(|event| !tail.position.seen.contains(&event.id));
        }
        let count = found.len();
        // Other processes change the tree too.
        if found.iter().any(|event| changes_tree(event.kind)) {
            self.units().reload(self.store()).await?;
        }
        for event in found {
            self.count(&event).await?;
            self.search_index().note(&event);
            let mut tail = events.tail();
            tail.position.seen.insert(event.id);
            tail.position.horizon = tail.position.horizon.max(event.at);
            drop(tail);
            // No listener is no error.
            let _ = events.sender.send(event);
        }
        let mut tail = events.tail();
        let position = &mut tail.position;
        let oldest = EventId::new(lowest(position.horizon - SETTLE - OVERLAP));
        position.seen = position.seen.split_off(&oldest);
        Ok(count)
    }

    /// Reads the tree and counts everything afresh: after so many rows were written that the log does not name each. Returns the units
    /// whose figures were others before.
    pub(crate) async fn recount(&self) -> Result<Vec<UnitPath>> {
        let _turn = self.events().turn.lock().await;
        self.counters().reload(self.store(), self.units(), self.clock()).await
    }

    /// Lets the figures follow an event. Of members it touched, the log names no standing: they are read again.
    async fn count(&self, event: &Event) -> Result<()> {
        let (store, tree, counters) = (self.store(), self.units().tree(), self.counters());
        // Members of an import may use the handbook before the log tells of the import.
        if let Some(actor) = event.actor.filter(|actor| event.kind.counts_as_use() && !counters.knows(*actor)) {
            counters.refresh(store, &tree, &[actor]).await?;
        }
        match event.kind {
            EventKind::MembersImported => counters.refresh_imported(store, &tree, &event.subject).await?,
            kind if changes_members(kind) => {
                let members = self.members_of(event).await?;
                counters.refresh(store, &tree, &members).await?;
            }
            _ => {}
        }
        // The last, because what fails is counted again, and a read must not count twice.
        match event.kind {
            EventKind::MemberMerged => counters.count_merge(event, store, self.units(), self.clock()).await,
            _ => {
                counters.count(event, &tree);
                Ok(())
            }
        }
    }

    /// The members an event is about: its subject or the one it names, the member of a request, those of a unit that was split off.
    async fn members_of(&self, event: &Event) -> Result<Vec<MemberId>> {
        let named = event.detail.clone().unwrap_or_default();
        let sql = "SELECT VALUE record::id(id) FROM [$subject, $named]; \
                   SELECT VALUE member FROM [$transfer, $correction]; \
                   SELECT VALUE record::id(id) FROM member WHERE unit = $unit;";
        let vars = vars! {
            subject: record("member", &event.subject),
            named: record("member", named),
            transfer: record("transfer", &event.subject),
            correction: record("correction", &event.subject),
            unit: event.subject.clone(),
        };
        let mut answers = self.store().read(sql, vars).await?;
        let mut members = Vec::new();
        for statement in 0..3 {
            members.extend(answers.rows::<String>(statement)?.iter().filter_map(|id| id.parse::<MemberId>().ok()));
        }
        Ok(members)
    }
}

/// Kinds after which the tree in memory is an old one.
const fn changes_tree(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::UnitCreated
            | EventKind::UnitRenamed
            | EventKind::UnitMoved
            | EventKind::UnitMerged
            | EventKind::UnitSplit
            | EventKind::UnitClosed
            | EventKind::UnitPhaseChanged
            | EventKind::UnitsImported
    )
}

/// Kinds after which some members count elsewhere, or not any more.
const fn changes_members(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::MemberRegistered
            | EventKind::MemberChanged
            | EventKind::MemberMerged
            | EventKind::AccountActivated
            | EventKind::TransferAccepted
            | EventKind::CorrectionAccepted
            | EventKind::UnitSplit
    )
}

/// All events from a moment on, in the order of their ids.
pub(crate) async fn read_from(store: &Store, from: DateTime<Utc>) -> Result<Vec<Event>> {
    let mut events: Vec<Event> = Vec::new();
    let mut next = lowest(from).to_string();
    loop {
        let page = page_from(store, &next).await?;
        let full = page.len() == PAGE;
        for event in page {
            if events.last().is_none_or(|last| last.id < event.id) {
                events.push(event);
            }
        }
        match events.last() {
            Some(last) if full => next = last.id.to_string(),
            _ => return Ok(events),
        }
    }
}

/// The first events from this id on, at most [`PAGE`].
async fn page_from(store: &Store, next: &str) -> Result<Vec<Event>> {
    let sql = format!("SELECT record::id(id) AS id, {COLUMNS} FROM {KEYS} LIMIT {PAGE}");
    let rows: Vec<EventRow> = store.read(sql, vars! { keys: keys_from("event", next) }).await?.rows(0)?;
    rows.into_iter().map(Event::try_from).collect()
}

/// A way back through the log, newest first.
///
/// The engine reads a range of keys from its beginning only, so the way goes from one window of time to the one before it: wide
/// where little happened, narrow where much did.
pub(crate) struct WayBack {
    before: EventId,
    /// Of the next window, in milliseconds.
    width: u64,
}

/// Width of the first window: a minute.
const WINDOW: u64 = 60_000;

impl WayBack {
    pub(crate) fn from(before: Option<EventId>, clock: &Clock) -> Self {
        // The clock of another process may be ahead of this one.
        let newest = || EventId::new(lowest(clock.now() + TimeDelta::minutes(5)));
        Self { before: before.unwrap_or_else(newest), width: WINDOW }
    }

    /// How far back it has come: everything from here on was looked at.
    pub(crate) const fn place(&self) -> EventId {
        self.before
    }

    pub(crate) fn is_at_the_start(&self) -> bool {
        self.before.ulid().timestamp_ms() == 0
    }

    /// The events of the next window, newest first, at most `count`; none where nothing happened.
    pub(crate) async fn step(&mut self, store: &Store, count: usize) -> Result<Vec<Event>> {
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
        let sql = format!("SELECT id AS place, record::id(id) AS id, {COLUMNS} FROM $keys ORDER BY place DESC LIMIT {count}");
        let rows: Vec<EventRow> = store.read(sql, vars! { keys: keys }).await?.rows(0)?;
        let events: Vec<Event> = rows.into_iter().map(Event::try_from).collect::<Result<_>>()?;
        match events.last() {
            Some(last) if events.len() == count => self.before = last.id,
            _ => {
                self.before = lower;
                self.width = self.width.saturating_mul(4);
            }
        }
        Ok(events)
    }
}

pub(crate) const COLUMNS: &str = "at, actor, kind, unit, subject, detail";

/// The first id a moment can have. Ids know no moment before 1970 and none in ten thousand years.
pub(crate) fn lowest(at: DateTime<Utc>) -> Ulid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    Ulid::from_parts(millis.min((1 << Ulid::TIME_BITS) - 1), 0)
}

/// An event as it lies in the store.
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

impl TryFrom<EventRow> for Event {
    type Error = Error;

    fn try_from(row: EventRow) -> Result<Self> {
        let damaged = || Error::Damaged(format!("event {}", row.id));
        Ok(Self {
            id: row.id.parse().map_err(|_| damaged())?,
            at: row.at,
            actor: row.actor.map(|member| member.parse()).transpose().map_err(|_| damaged())?,
            kind: EventKind::from_key(&row.kind).ok_or_else(damaged)?,
            unit: UnitPath::parse(&row.unit).map_err(|_| damaged())?,
            subject: row.subject,
            detail: row.detail,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Keys, Place, store::tests::migrated};

    #[tokio::test]
    async fn what_commits_late_is_found_by_looking_back() {
        let clock = Clock::fixed("2026-11-21T08:00:00Z".parse().expect("a moment"), 1);
        let backend = Backend::open(&Place::Memory, Keys::from_master(&[7; 32]), clock.clone()).await.expect("opens");
        let write = async |at: &Clock| {
            let mut vars = vars! {};
            append(&mut vars, at, EventKind::SignedIn, None, &UnitPath::parse("/01/").expect("a path"), "x");
            backend.store().write(APPEND, vars).await.expect("appends");
        };
        write(&clock).await;
        assert_eq!(backend.catch_up().await.expect("reads"), 1);
        // Of a process whose clock is behind, or of a transaction that was tried again for long.
        write(&Clock::fixed(clock.now() - TimeDelta::minutes(2), 2)).await;
        assert_eq!(backend.catch_up().await.expect("reads"), 0, "it looked back moments ago");
        clock.advance(LOOK_BACK_EVERY);
        assert_eq!(backend.catch_up().await.expect("reads"), 1);
        clock.advance(LOOK_BACK_EVERY);
        assert_eq!(backend.catch_up().await.expect("reads"), 0, "once");
    }

    #[tokio::test]
    async fn more_than_a_page_is_read_at_once() {
        let clock = Clock::fixed("2026-11-21T08:00:00Z".parse().expect("a moment"), 1);
        let backend = Backend::open(&Place::Memory, Keys::from_master(&[7; 32]), clock.clone()).await.expect("opens");
        let many = 2 * PAGE + 1;
        for _ in 0..many {
            let mut vars = vars! {};
            append(&mut vars, &clock, EventKind::SignedIn, None, &UnitPath::parse("/01/").expect("a path"), "x");
            backend.store().write(APPEND, vars).await.expect("appends");
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
            let mut vars = vars! {};
            ids.push(append(&mut vars, &clock, EventKind::SignedIn, None, &unit, "x").id);
            store.write(APPEND, vars).await.expect("appends");
        }
        let back = async |before: Option<EventId>| {
            let mut way = WayBack::from(before, &clock);
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
