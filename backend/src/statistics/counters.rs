//! The counters: a number of each kind for every unit, rolled up to the root on each event.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    events::{Event, EventKind},
    ids::{EventId, MemberId},
    locale::local_date,
    statistics::Figures,
    units::UnitPath,
};

use crate::{
    Clock, Error, Result, events,
    store::{Store, SurrealValue, keys_after, pairs_after, vars},
    units::Units,
};

/// Days, today among them, within which a use makes a member active.
const WINDOW: usize = 7;

/// Rows read at a time while counting afresh.
const PAGE: usize = 2_000;

/// How far back the log is compared with what the tables said when they were counted.
const OVERLAP: TimeDelta = TimeDelta::seconds(60);

/// The figures of all units. One per process, fed by the event log; the same numbers come out of the tables by [`Self::rebuild`].
///
/// Members are known one by one (their branch and the day of their last use), since a second use of the same person within the
/// week must not count again: about 40 bytes for each.
///
/// Invariant: exempt members, and those who left, are not in it and count nowhere.
#[derive(Debug)]
pub struct Counters {
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    /// The latest day seen; ages in [`Node::last_use`] are counted back from it.
    day: NaiveDate,
    nodes: HashMap<UnitPath, Node>,
    members: HashMap<MemberId, Member>,
    branches: Vec<UnitPath>,
    changed_at: Option<DateTime<Utc>>,
    counted_at: DateTime<Utc>,
    /// Events that were in the log when the tables were counted, as far back as [`OVERLAP`].
    known: BTreeSet<EventId>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Node {
    /// `active` stays 0 here; it is the sum of `last_use`.
    figures: Figures,
    /// Members whose last use was so many days ago.
    last_use: [u32; WINDOW],
}

#[derive(Debug, Clone, Copy)]
struct Member {
    /// Index into [`State::branches`].
    branch: u32,
    last_use: Option<NaiveDate>,
}

impl Counters {
    /// Counts everything from the tables. Nobody may write meanwhile, or what they write may count twice or not at all; a process
    /// does this before it serves.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn rebuild(store: &Store, _units: &Units, clock: &Clock) -> Result<Self> {
        Ok(Self { state: RwLock::new(State::count(store, clock).await?) })
    }

    /// The same for counters that are in use already.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn reload(&self, store: &Store, _units: &Units, clock: &Clock) -> Result<()> {
        let fresh = State::count(store, clock).await?;
        *self.write() = fresh;
        Ok(())
    }

    /// Adds what an event of the log changes.
    pub(crate) fn count(&self, event: &Event) {
        let mut state = self.write();
        if event.at >= state.counted_at - OVERLAP && !state.known.contains(&event.id) {
            state.apply(event);
        }
    }

    /// Active members of a subtree, without the exempt.
    pub(crate) fn members(&self, path: &UnitPath) -> u32 {
        self.read().nodes.get(path).map_or(0, |node| node.figures.members)
    }

    /// The figures of a subtree as of a day, which must not be before the last event's.
    pub(crate) fn figures(&self, path: &UnitPath, today: NaiveDate) -> Figures {
        let state = self.read();
        let Some(node) = state.nodes.get(path) else {
            return Figures::default();
        };
        let passed = usize::try_from((today - state.day).num_days()).unwrap_or_default();
        let active = node.last_use.iter().take(WINDOW.saturating_sub(passed)).sum();
        Figures { active, ..node.figures }
    }

    /// When something last happened that counts.
    pub(crate) fn changed_at(&self) -> Option<DateTime<Utc>> {
        self.read().changed_at
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    async fn count(store: &Store, clock: &Clock) -> Result<Self> {
        let now = clock.now();
        let mut state = Self {
            day: local_date(now),
            nodes: HashMap::new(),
            members: HashMap::new(),
            branches: Vec::new(),
            changed_at: None,
            counted_at: now,
            known: BTreeSet::new(),
        };
        state.count_members(store).await?;
        state.count_documents(store).await?;
        state.count_reads(store).await?;
        state.count_opinions(store).await?;
        // The days before the window make no one active; one more, since a day begins at another hour in another zone.
        let window = TimeDelta::days(i64::try_from(WINDOW).unwrap_or(i64::MAX) + 1);
        for event in events::read_from(store, now - window).await? {
            if event.at >= now - OVERLAP {
                state.known.insert(event.id);
            }
            if counts(event.kind) {
                state.note(event.at, event.actor);
            }
        }
        Ok(state)
    }

    async fn count_members(&mut self, store: &Store) -> Result<()> {
        let mut branches: HashMap<String, u32> = HashMap::new();
        let columns = "record::id(id) AS id, path, standing, state";
        let mut after = String::new();
        loop {
            let rows: Vec<MemberRow> = page(store, columns, "member", &after).await?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.id);
            for row in rows.into_iter().filter(MemberRow::counts) {
                let damaged = || Error::Damaged(format!("member {}", row.id));
                let branch = match branches.get(&row.path) {
                    Some(branch) => *branch,
                    None => {
                        let branch = u32::try_from(self.branches.len()).map_err(|_| damaged())?;
                        self.branches.push(UnitPath::parse(&row.path).map_err(|_| damaged())?);
                        branches.insert(row.path.clone(), branch);
                        branch
                    }
                };
                let member = row.id.parse().map_err(|_| damaged())?;
                self.members.insert(member, Member { branch, last_use: None });
                let path = self.branches[branch as usize].clone();
                self.add(&path, |figures| figures.members += 1);
            }
        }
        let columns = "record::id(id) AS id, activated_at != NONE AS activated";
        let mut after = String::new();
        loop {
            let rows: Vec<AccountRow> = page(store, columns, "account", &after).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for row in rows.into_iter().filter(|row| row.activated) {
                let member = row.id.parse().map_err(|_| Error::Damaged(format!("account {}", row.id)))?;
                self.activate(member);
            }
        }
    }

    async fn count_documents(&mut self, store: &Store) -> Result<()> {
        let columns = "record::id(id) AS id, issuer_path, state, published_at";
        let mut after = String::new();
        loop {
            let rows: Vec<PublishedRow> = page(store, columns, "document", &after).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for row in rows {
                let Some(published_at) = row.published_at else { continue };
                let path = UnitPath::parse(&row.issuer_path).map_err(|_| Error::Damaged(format!("document {}", row.id)))?;
                self.changed_at = self.changed_at.max(Some(published_at));
                if row.state == "published" {
                    self.add(&path, |figures| figures.documents += 1);
                }
            }
        }
    }

    async fn count_reads(&mut self, store: &Store) -> Result<()> {
        let mut after = (String::new(), String::new());
        loop {
            let sql =
                format!("SELECT record::id(id)[0] AS document, record::id(id)[1] AS member, path, at FROM $keys LIMIT {PAGE}");
            let keys = pairs_after("read_receipt", &after.0, &after.1);
            let rows: Vec<ReceiptRow> = store.read(sql, vars! { keys: keys }).await?.rows(0)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = (last.document.clone(), last.member.clone());
            for row in rows {
                let damaged = |()| Error::Damaged(format!("read receipt of {}", row.document));
                let member: MemberId = row.member.parse().map_err(|_| damaged(()))?;
                let path = UnitPath::parse(&row.path).map_err(|_| damaged(()))?;
                if self.note(row.at, Some(member)) {
                    self.add(&path, |figures| figures.reads += 1);
                }
            }
        }
    }

    async fn count_opinions(&mut self, store: &Store) -> Result<()> {
        let columns = "record::id(id) AS id, member, path, sent_at";
        let mut after = String::new();
        loop {
            let rows: Vec<OpinionRow> = page(store, columns, "opinion", &after).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for row in rows {
                let damaged = || Error::Damaged(format!("opinion {}", row.id));
                let member: MemberId = row.member.parse().map_err(|_| damaged())?;
                let path = UnitPath::parse(&row.path).map_err(|_| damaged())?;
                if self.note(row.sent_at, Some(member)) {
                    self.add(&path, |figures| figures.opinions += 1);
                }
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        if !counts(event.kind) {
            return;
        }
        let is_counted = self.note(event.at, event.actor);
        match event.kind {
            EventKind::DocumentPublished => {
                self.changed_at = self.changed_at.max(Some(event.at));
                self.add(&event.unit, |figures| figures.documents += 1);
            }
            EventKind::DocumentWithdrawn => {
                self.changed_at = self.changed_at.max(Some(event.at));
                self.add(&event.unit, |figures| figures.documents = figures.documents.saturating_sub(1));
            }
            EventKind::DocumentRead if is_counted => self.add(&event.unit, |figures| figures.reads += 1),
            EventKind::OpinionSent if is_counted => self.add(&event.unit, |figures| figures.opinions += 1),
            EventKind::AccountActivated => {
                if let Ok(member) = event.subject.parse() {
                    self.changed_at = self.changed_at.max(Some(event.at));
                    self.activate(member);
                }
            }
            _ => {}
        }
    }

    /// Notes that somebody used the handbook. Says whether they are one of those who count.
    fn note(&mut self, at: DateTime<Utc>, actor: Option<MemberId>) -> bool {
        let Some(member) = actor.and_then(|actor| self.members.get(&actor).copied().map(|member| (actor, member))) else {
            return false;
        };
        let (actor, member) = member;
        self.changed_at = self.changed_at.max(Some(at));
        let day = local_date(at);
        self.move_to(day);
        if member.last_use.is_none_or(|last| last < day) {
            let branch = self.branches[member.branch as usize].clone();
            let (was, is) = (member.last_use.and_then(|last| self.age(last)), self.age(day));
            for path in branch.ancestors_and_self() {
                let node = self.nodes.entry(path).or_default();
                if let Some(age) = was {
                    node.last_use[age] -= 1;
                }
                if let Some(age) = is {
                    node.last_use[age] += 1;
                }
            }
            self.members.insert(actor, Member { last_use: Some(day), ..member });
        }
        true
    }

    fn activate(&mut self, member: MemberId) {
        if let Some(member) = self.members.get(&member) {
            let branch = self.branches[member.branch as usize].clone();
            self.add(&branch, |figures| figures.activated += 1);
        }
    }

    fn add(&mut self, path: &UnitPath, change: impl Fn(&mut Figures)) {
        for path in path.ancestors_and_self() {
            change(&mut self.nodes.entry(path).or_default().figures);
        }
    }

    /// How many days before the latest day, when that is within the window.
    fn age(&self, day: NaiveDate) -> Option<usize> {
        usize::try_from((self.day - day).num_days()).ok().filter(|age| *age < WINDOW)
    }

    /// Begins a new day: every age grows. Once a day for all units, so no event pays for it.
    fn move_to(&mut self, day: NaiveDate) {
        let Ok(passed @ 1..) = usize::try_from((day - self.day).num_days()) else {
            return;
        };
        for node in self.nodes.values_mut() {
            let before = node.last_use;
            node.last_use = [0; WINDOW];
            for (age, members) in before.into_iter().enumerate().take(WINDOW.saturating_sub(passed)) {
                node.last_use[age + passed] = members;
            }
        }
        self.day = day;
    }
}

/// Kinds that count: uses, and the activation of an account. A registration comes with a reload, since the log names no standing.
const fn counts(kind: EventKind) -> bool {
    kind.counts_as_use() || matches!(kind, EventKind::AccountActivated)
}

/// The rows of a table whose keys follow `after`, in the order of keys.
async fn page<T: SurrealValue>(store: &Store, columns: &str, table: &'static str, after: &str) -> Result<Vec<T>> {
    let sql = format!("SELECT {columns} FROM $keys LIMIT {PAGE}");
    store.read(sql, vars! { keys: keys_after(table, after) }).await?.rows(0)
}

#[derive(Debug, SurrealValue)]
struct MemberRow {
    id: String,
    path: String,
    standing: String,
    state: String,
}

impl MemberRow {
    fn counts(&self) -> bool {
        self.state == "active" && self.standing != "exempt"
    }
}

#[derive(Debug, SurrealValue)]
struct AccountRow {
    id: String,
    activated: bool,
}

#[derive(Debug, SurrealValue)]
struct PublishedRow {
    id: String,
    issuer_path: String,
    state: String,
    published_at: Option<DateTime<Utc>>,
}

#[derive(Debug, SurrealValue)]
struct ReceiptRow {
    document: String,
    member: String,
    path: String,
    at: DateTime<Utc>,
}

#[derive(Debug, SurrealValue)]
struct OpinionRow {
    id: String,
    member: String,
    path: String,
    sent_at: DateTime<Utc>,
}
