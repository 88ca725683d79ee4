//! In-memory counters: figures of every unit, rolled up to the root with each event.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    audience::{Audience, Places},
    events::{Effect, Event, EventKind},
    ids::{DocumentId, EventId, MemberId},
    locale::local_date,
    members::Standing,
    statistics::Figures,
    units::UnitPath,
};

mod differences;
mod snapshot;

use differences::LostRead;

use crate::{
    Clock, Error, Result, events,
    store::{KEYS, Store, SurrealValue, keys_after, pairs_after, record, vars},
    units::{Tree, Units},
};

/// Days, today included, within which a use makes a member active.
const WINDOW: usize = 7;

/// Rows read at a time during a rebuild.
const PAGE: usize = 2_000;

/// Rows older than this at the start of a rebuild are counted from the tables, newer ones from the log. No transaction takes as
/// long.
const SETTLED: TimeDelta = events::SETTLE;

/// How often a rebuild is tried if records are merged meanwhile.
const TRIES: usize = 3;

/// The figures of all units. One per process, updated from the event log; a rebuild from the tables gives the same numbers.
///
/// Members are stored individually (whether they count, their branch and the day of their last use), because a second use by the
/// same person within the week must not count again, and a change of a member is the difference to the former state: 53 bytes
/// each at the worst load factor of the table (5 million members: 280 MB).
///
/// Invariant: exempt and inactive members are stored, but count nowhere.
/// Invariant: paths are those of the current tree; what was written at a former path counts where its unit is now.
/// Invariant: every use of a merged record counts for the record it was merged into.
#[derive(Debug)]
pub struct Counters {
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    /// The latest day seen; [`Node::last_use`] counts days back from it.
    day: NaiveDate,
    /// By unit: what was counted at the unit itself; `nodes` includes the units below.
    own: HashMap<UnitPath, Node>,
    nodes: HashMap<UnitPath, Node>,
    members: HashMap<MemberId, Member>,
    /// Merged records, each with the record it was merged into.
    merged: HashMap<MemberId, MemberId>,
    branches: Vec<UnitPath>,
    known_branches: HashMap<UnitPath, u32>,
    published: HashSet<DocumentId>,
    changed_at: Option<DateTime<Utc>>,
    /// Reads and opinions from this time on are counted from the log; older ones were counted from the tables.
    settled: DateTime<Utc>,
    /// Events since `settled` that are already counted.
    known: BTreeSet<EventId>,
    /// Version of the tree whose paths these are. A reorganisation is several events of one change of the tree.
    followed: Option<i64>,
}

/// What a [`State`] keeps by path: the fields of the same names.
#[derive(Debug, Default)]
struct PlaceIndex {
    own: HashMap<UnitPath, Node>,
    nodes: HashMap<UnitPath, Node>,
    branches: Vec<UnitPath>,
    known_branches: HashMap<UnitPath, u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Node {
    /// `active` is always 0 here; it is the sum of `last_use`.
    figures: Figures,
    /// By number of days since the last use, the number of members.
    last_use: [u32; WINDOW],
    /// Probationary members among them.
    probationary: u32,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    /// Index into [`State::branches`].
    branch: u32,
    last_use: Option<NaiveDate>,
    /// Active and not exempt.
    counts: bool,
    on_probation: bool,
    activated: bool,
}

impl Counters {
    /// Counts everything from the tables and the end of the log. Events written meanwhile are counted when they arrive from the
    /// log.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn rebuild(store: &Store, units: &Units, clock: &Clock) -> Result<Self> {
        Ok(Self { state: RwLock::new(State::count(store, units, clock).await?) })
    }

    /// Rebuilds counters that are in use. No event may be counted meanwhile. Returns the units whose figures differed.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn reload(&self, store: &Store, units: &Units, clock: &Clock) -> Result<Vec<UnitPath>> {
        let fresh = State::count(store, units, clock).await?;
        let mut state = self.write();
        let different = fresh.differences(&state);
        *state = fresh;
        Ok(different)
    }

    /// Applies an event of the log. After a move of units, [`Self::follow`] is due.
    pub(crate) fn count(&self, event: &Event, tree: &Tree) {
        let mut state = self.write();
        if state.is_news(event) {
            state.apply(event, tree);
        }
    }

    /// Moves figures to the current paths of their units. No event may be counted meanwhile.
    ///
    /// Blocks. For a whole country this takes seconds, so the new figures are made while pages read the former ones.
    pub(crate) fn follow(&self, tree: &Tree) {
        let places = {
            let state = self.read();
            if state.followed == Some(tree.version()) {
                return;
            }
            state.places(tree)
        };
        let former = self.write().adopt(places, tree.version());
        // After the lock is released.
        drop(former);
    }

    /// Whether the member is stored, counted or not.
    pub(crate) fn knows(&self, member: MemberId) -> bool {
        self.read().members.contains_key(&member)
    }

    /// Re-reads some members: their branch, whether they count and whether their account is activated.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn refresh(&self, store: &Store, tree: &Tree, members: &[MemberId]) -> Result<()> {
        for some in members.chunks(PAGE) {
            let records: Vec<_> = some.iter().map(|member| record("member", member)).collect();
            let accounts: Vec<_> = some.iter().map(|member| record("account", member)).collect();
            let sql = format!("SELECT {MEMBER} FROM $records; SELECT {ACCOUNT} FROM $accounts;");
            let mut answers = store.read(sql, vars! { records: records, accounts: accounts }).await?;
            let rows: Vec<MemberRow> = answers.rows(0)?;
            let activated: BTreeSet<String> =
                answers.rows::<AccountRow>(1)?.into_iter().filter(|row| row.activated).map(|row| row.id).collect();
            let mut state = self.write();
            for row in &rows {
                let (id, path) = row.decode(tree)?;
                state.insert_member(id, &path, row, activated.contains(&row.id));
            }
            // After all members, because both records of a merge may be among them.
            for row in rows.iter().filter(|row| row.merged_into.is_some()) {
                state.join(row.key()?, row.merged_into()?);
            }
        }
        Ok(())
    }

    /// [`Self::refresh`] for all members.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn refresh_all(&self, store: &Store, tree: &Tree) -> Result<()> {
        let mut after = String::new();
        loop {
            let rows: Vec<IdRow> = page(store, "record::id(id) AS id", "member", &after).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.id);
            let damaged = |row: &IdRow| Error::Damaged(format!("member {}", row.id));
            let members: Vec<MemberId> =
                rows.iter().map(|row| row.id.parse().map_err(|_| damaged(row))).collect::<Result<_>>()?;
            self.refresh(store, tree, &members).await?;
        }
    }

    /// Number of active members of a subtree, without exempt ones.
    pub(crate) fn members(&self, path: &UnitPath) -> u32 {
        self.read().nodes.get(path).map_or(0, |node| node.figures.members)
    }

    /// Number of those with this standing.
    fn members_of(&self, path: &UnitPath, standing: Standing) -> u32 {
        self.read().nodes.get(path).map_or(0, |node| match standing {
            Standing::Official => node.figures.members.saturating_sub(node.probationary),
            Standing::Probationary => node.probationary,
            Standing::Exempt => 0,
        })
    }

    /// Number of active members of an audience in a subtree, without exempt ones.
    pub(crate) fn members_asked(&self, path: &UnitPath, audience: &Audience) -> u32 {
        let among = |path: &UnitPath| match audience.standings.as_slice() {
            [] => self.members(path),
            standings => standings.iter().map(|standing| self.members_of(path, *standing)).sum(),
        };
        let Places { within, without } = audience.within(path);
        let sum = |paths: &[UnitPath]| paths.iter().map(among).sum::<u32>();
        sum(&within).saturating_sub(sum(&without))
    }

    /// The figures of a subtree on a day, which must not be before that of the last event.
    pub(crate) fn figures(&self, path: &UnitPath, today: NaiveDate) -> Figures {
        let state = self.read();
        let Some(node) = state.nodes.get(path) else {
            return Figures::default();
        };
        let passed = usize::try_from((today - state.day).num_days()).unwrap_or_default();
        let active = node.last_use.iter().take(WINDOW.saturating_sub(passed)).sum();
        Figures { active, ..node.figures }
    }

    /// Time of the last event that counts.
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
    /// Runs [`Self::count_once`], again if records were merged meanwhile: their reads move within the table and may have been
    /// counted twice or not at all.
    async fn count(store: &Store, units: &Units, clock: &Clock) -> Result<Self> {
        let is_merge = |event: &Event| event.kind() == EventKind::MemberMerged;
        for _ in 1..TRIES {
            let begun = clock.now() - SETTLED;
            let before: BTreeSet<EventId> =
                events::read_from(store, begun).await?.iter().filter(|event| is_merge(event)).map(|event| event.id).collect();
            let state = Self::count_once(store, units, clock).await?;
            let after = events::read_from(store, begun).await?;
            if !after.iter().any(|event| is_merge(event) && !before.contains(&event.id)) {
                return Ok(state);
            }
        }
        tracing::info!("records were merged during every try of a rebuild; some reads may count twice or not at all");
        Self::count_once(store, units, clock).await
    }

    /// Reads and opinions are counted once each, either from the table or from the log. Everything else is idempotent. The log is
    /// read first, so later events apply to these counters.
    async fn count_once(store: &Store, units: &Units, clock: &Clock) -> Result<Self> {
        let now = clock.now();
        // A member is active within the window only; one more day, because days begin at different hours in different time zones.
        let window = TimeDelta::days(i64::try_from(WINDOW).unwrap_or(i64::MAX) + 1);
        let log = events::read_from(store, now - window).await?;
        units.reload(store).await?;
        let tree = units.tree();
        let mut state = Self { followed: Some(tree.version()), ..Self::empty(local_date(now), now - SETTLED) };
        state.count_members(store, &tree).await?;
        state.count_documents(store, &tree).await?;
        state.count_reads(store, &tree).await?;
        state.count_opinions(store, &tree).await?;
        for event in log {
            if event.at < state.settled {
                state.note_event(&event);
                continue;
            }
            state.apply(&event, &tree);
            state.known.insert(event.id);
            if event.kind() == EventKind::MemberMerged {
                // The table no longer has the older ones.
                let lost = differences::lost_reads(store, &event).await?.unwrap_or_default();
                let settled = state.settled;
                state.take_back(lost.into_iter().filter(|read| read.at >= settled), &tree)?;
            }
        }
        Ok(state)
    }

    fn empty(day: NaiveDate, settled: DateTime<Utc>) -> Self {
        Self {
            day,
            own: HashMap::new(),
            nodes: HashMap::new(),
            members: HashMap::new(),
            merged: HashMap::new(),
            branches: Vec::new(),
            known_branches: HashMap::new(),
            published: HashSet::new(),
            changed_at: None,
            settled,
            known: BTreeSet::new(),
            followed: None,
        }
    }

    /// Whether an event is not yet counted, neither from the tables nor from the log.
    fn is_news(&self, event: &Event) -> bool {
        event.at >= self.settled && !self.known.contains(&event.id)
    }

    /// The units whose figures differ from those of `other`.
    fn differences(&self, other: &Self) -> Vec<UnitPath> {
        let paths: BTreeSet<&UnitPath> = self.nodes.keys().chain(other.nodes.keys()).collect();
        let node = |state: &Self, path: &UnitPath| {
            let mut node = state.nodes.get(path).copied().unwrap_or_default();
            // Each counts days back from the latest day it has seen.
            let passed = usize::try_from((self.day.max(other.day) - state.day).num_days()).unwrap_or_default();
            node.grow_older(passed);
            node
        };
        paths.into_iter().filter(|path| node(self, path) != node(other, path)).cloned().collect()
    }

    async fn count_members(&mut self, store: &Store, tree: &Tree) -> Result<()> {
        let mut after = String::new();
        loop {
            let rows: Vec<MemberRow> = page(store, MEMBER, "member", &after).await?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.id);
            for row in rows {
                let (id, path) = row.decode(tree)?;
                self.insert_member(id, &path, &row, false);
                if row.merged_into.is_some() {
                    self.join(id, row.merged_into()?);
                }
            }
        }
        let mut after = String::new();
        loop {
            let rows: Vec<AccountRow> = page(store, ACCOUNT, "account", &after).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for row in rows.into_iter().filter(|row| row.activated) {
                let member = row.id.parse().map_err(|_| Error::Damaged(format!("account {}", row.id)))?;
                self.activate(member);
            }
        }
    }

    async fn count_documents(&mut self, store: &Store, tree: &Tree) -> Result<()> {
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
                    let document = row.id.parse().map_err(|_| Error::Damaged(format!("document {}", row.id)))?;
                    self.publish(document, &tree.current(&path));
                }
            }
        }
    }

    async fn count_reads(&mut self, store: &Store, tree: &Tree) -> Result<()> {
        let (mut after, settled) = ((String::new(), String::new()), self.settled);
        loop {
            let sql = format!(
                "SELECT record::id(id)[0] AS document, record::id(id)[1] AS member, path, at, counted FROM {KEYS} LIMIT {PAGE}"
            );
            let keys = pairs_after("document_read", &after.0, &after.1);
            let rows: Vec<ReceiptRow> = store.read(sql, vars! { keys: keys }).await?.rows(0)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = (last.document.clone(), last.member.clone());
            for row in rows.into_iter().filter(|row| row.at < settled) {
                let damaged = |()| Error::Damaged(format!("a reading of {}", row.document));
                let member: MemberId = row.member.parse().map_err(|_| damaged(()))?;
                let path = UnitPath::parse(&row.path).map_err(|_| damaged(()))?;
                self.note(row.at, Some(member));
                if row.counted {
                    self.add(&tree.current(&path), |figures| figures.reads += 1);
                }
            }
        }
    }

    async fn count_opinions(&mut self, store: &Store, tree: &Tree) -> Result<()> {
        let columns = "record::id(id) AS id, member, path, sent_at, counted";
        let (mut after, settled) = (String::new(), self.settled);
        loop {
            let rows: Vec<OpinionRow> = page(store, columns, "opinion", &after).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for row in rows.into_iter().filter(|row| row.sent_at < settled) {
                let damaged = || Error::Damaged(format!("opinion {}", row.id));
                let member: MemberId = row.member.parse().map_err(|_| damaged())?;
                let path = UnitPath::parse(&row.path).map_err(|_| damaged())?;
                let is_counted = self.note(row.sent_at, Some(member));
                if row.counted.unwrap_or(is_counted) {
                    self.add(&tree.current(&path), |figures| figures.opinions += 1);
                }
            }
        }
    }

    fn apply(&mut self, event: &Event, tree: &Tree) {
        // Older rows do not say whether they count: use the actor's current state.
        let counts = self.note_event(event);
        let path = tree.current(&event.unit);
        match event.body.effect() {
            Effect::Published(document) => self.publish(document, &path),
            Effect::Withdrawn(document) => self.withdraw(document, &path),
            Effect::Read { counted } if counted.unwrap_or(counts) => self.add(&path, |figures| figures.reads += 1),
            Effect::Opinion { counted } if counted.unwrap_or(counts) => self.add(&path, |figures| figures.opinions += 1),
            // Whether a member counts, and where, is read from the tables. Units that moved: see `Counters::follow`.
            Effect::Nothing
            | Effect::Moved
            | Effect::Read { .. }
            | Effect::Opinion { .. }
            | Effect::Member(_)
            | Effect::MembersOf(_)
            | Effect::Imported(_)
            | Effect::Merged { .. } => {}
        }
    }

    /// Records the use shown by an event, and the time of the change. Returns whether its actor counts.
    fn note_event(&mut self, event: &Event) -> bool {
        if event.body.effect().changes_figures() {
            self.changed_at = self.changed_at.max(Some(event.at));
        }
        event.kind().counts_as_use() && self.note(event.at, event.actor)
    }

    /// Records that somebody used the handbook. Returns whether they count.
    fn note(&mut self, at: DateTime<Utc>, actor: Option<MemberId>) -> bool {
        let actor = actor.map(|actor| self.successor(actor));
        let Some((actor, member)) = actor.and_then(|actor| self.members.get(&actor).map(|member| (actor, *member))) else {
            return false;
        };
        if member.counts {
            self.changed_at = self.changed_at.max(Some(at));
        }
        self.note_day(actor, local_date(at));
        member.counts
    }

    /// Records that a stored member used the handbook on this day.
    fn note_day(&mut self, id: MemberId, day: NaiveDate) {
        self.move_to(day);
        if let Some(member) = self.members.get(&id).copied().filter(|member| member.last_use.is_none_or(|last| last < day)) {
            self.count_member(member, -1);
            let member = Member { last_use: Some(day), ..member };
            self.count_member(member, 1);
            self.members.insert(id, member);
        }
    }

    /// The record that this one was finally merged into.
    fn successor(&self, mut id: MemberId) -> MemberId {
        // A record is merged once, so the chain is no longer than the number of merged records.
        for _ in 0..self.merged.len() {
            match self.merged.get(&id) {
                Some(next) => id = *next,
                None => break,
            }
        }
        id
    }

    /// Transfers the uses of a merged record to the record it was merged into.
    fn join(&mut self, id: MemberId, into: MemberId) {
        self.merged.insert(id, into);
        if let Some(day) = self.members.get(&id).and_then(|member| member.last_use) {
            self.note_day(self.successor(into), day);
        }
    }

    /// Subtracts reads that no longer count.
    fn take_back(&mut self, lost: impl IntoIterator<Item = LostRead>, tree: &Tree) -> Result<()> {
        for read in lost {
            let path = UnitPath::parse(&read.path).map_err(|_| Error::Damaged(format!("a lost read at {}", read.path)))?;
            self.add(&tree.current(&path), |figures| figures.reads = figures.reads.saturating_sub(1));
        }
        Ok(())
    }

    /// Inserts or moves a member; keeps the day of the last use.
    fn insert_member(&mut self, id: MemberId, path: &UnitPath, row: &MemberRow, activated: bool) {
        let before = self.members.get(&id).copied();
        if let Some(before) = before {
            self.count_member(before, -1);
        }
        let branch = self.branch(path);
        let last_use = before.and_then(|before| before.last_use);
        let on_probation = row.standing == Standing::Probationary.key();
        let member = Member { branch, last_use, counts: row.counts(), on_probation, activated };
        self.count_member(member, 1);
        self.members.insert(id, member);
    }

    fn publish(&mut self, document: DocumentId, path: &UnitPath) {
        if self.published.insert(document) {
            self.add(path, |figures| figures.documents += 1);
        }
    }

    fn withdraw(&mut self, document: DocumentId, path: &UnitPath) {
        if self.published.remove(&document) {
            self.add(path, |figures| figures.documents = figures.documents.saturating_sub(1));
        }
    }

    fn activate(&mut self, id: MemberId) {
        if let Some(member) = self.members.get(&id).copied().filter(|member| !member.activated) {
            self.count_member(member, -1);
            let member = Member { activated: true, ..member };
            self.count_member(member, 1);
            self.members.insert(id, member);
        }
    }

    /// Adds a member to all figures from the branch up; removes it if `by` is -1.
    fn count_member(&mut self, member: Member, by: i32) {
        if !member.counts {
            return;
        }
        let (branch, today) = (self.branches[member.branch as usize].clone(), self.day);
        self.change(&branch, |node| node.count(member, today, by));
    }

    /// The figures at the current paths of their units, whatever the order in which the log reported their moves.
    fn places(&self, tree: &Tree) -> PlaceIndex {
        let mut places = PlaceIndex::default();
        for (path, own) in &self.own {
            let path = tree.current(path);
            for above in path.ancestors_and_self() {
                places.nodes.entry(above).or_default().add(own);
            }
            places.own.entry(path).or_default().add(own);
        }
        places.branches = self.branches.iter().map(|branch| tree.current(branch)).collect();
        places.known_branches = places.branches.iter().zip(0..).map(|(path, number)| (path.clone(), number)).collect();
        places
    }

    /// Replaces everything that is kept by path, and returns what it was. What is counted from now on must be counted at the paths
    /// of this version of the tree.
    fn adopt(&mut self, places: PlaceIndex, version: i64) -> PlaceIndex {
        self.followed = Some(version);
        PlaceIndex {
            own: std::mem::replace(&mut self.own, places.own),
            nodes: std::mem::replace(&mut self.nodes, places.nodes),
            branches: std::mem::replace(&mut self.branches, places.branches),
            known_branches: std::mem::replace(&mut self.known_branches, places.known_branches),
        }
    }

    /// The index of a branch, as stored with its members.
    fn branch(&mut self, path: &UnitPath) -> u32 {
        if let Some(known) = self.known_branches.get(path) {
            return *known;
        }
        // There are fewer branches than this.
        let number = u32::try_from(self.branches.len()).unwrap_or(u32::MAX);
        self.branches.push(path.clone());
        self.known_branches.insert(path.clone(), number);
        number
    }

    fn add(&mut self, path: &UnitPath, change: impl Fn(&mut Figures)) {
        self.change(path, |node| change(&mut node.figures));
    }

    fn change(&mut self, path: &UnitPath, change: impl Fn(&mut Node)) {
        change(self.own.entry(path.clone()).or_default());
        for path in path.ancestors_and_self() {
            change(self.nodes.entry(path).or_default());
        }
    }

    /// Starts a new day: every age grows by one. Done once a day for all units rather than with each event.
    fn move_to(&mut self, day: NaiveDate) {
        let Ok(passed @ 1..) = usize::try_from((day - self.day).num_days()) else {
            return;
        };
        for node in self.nodes.values_mut().chain(self.own.values_mut()) {
            node.grow_older(passed);
        }
        self.day = day;
    }
}

impl Member {
    /// Days since the last use, if within the window.
    fn age(self, today: NaiveDate) -> Option<usize> {
        let age = (today - self.last_use?).num_days();
        usize::try_from(age).ok().filter(|age| *age < WINDOW)
    }
}

impl Node {
    /// Adds a member; removes it if `by` is -1.
    fn count(&mut self, member: Member, today: NaiveDate, by: i32) {
        if !member.counts {
            return;
        }
        let change = |number: &mut u32| *number = number.saturating_add_signed(by);
        change(&mut self.figures.members);
        if member.on_probation {
            change(&mut self.probationary);
        }
        if member.activated {
            change(&mut self.figures.activated);
        }
        if let Some(age) = member.age(today) {
            change(&mut self.last_use[age]);
        }
    }

    /// Ages all uses by this number of days.
    fn grow_older(&mut self, passed: usize) {
        let before = std::mem::take(&mut self.last_use);
        for (age, members) in before.into_iter().enumerate().take(WINDOW.saturating_sub(passed)) {
            self.last_use[age + passed] = members;
        }
    }

    fn add(&mut self, other: &Self) {
        self.figures += other.figures;
        self.probationary += other.probationary;
        for (own, more) in self.last_use.iter_mut().zip(other.last_use) {
            *own += more;
        }
    }
}

/// A page of rows of a table whose keys follow `after`, in key order.
async fn page<T: SurrealValue>(store: &Store, columns: &str, table: &'static str, after: &str) -> Result<Vec<T>> {
    let sql = format!("SELECT {columns} FROM {KEYS} LIMIT {PAGE}");
    Ok(store.read(sql, vars! { keys: keys_after(table, after) }).await?.rows(0)?)
}

const MEMBER: &str = "record::id(id) AS id, path, standing, state, merged_into";

#[derive(Debug, SurrealValue)]
struct MemberRow {
    id: String,
    path: String,
    standing: String,
    state: String,
    merged_into: Option<String>,
}

impl MemberRow {
    fn decode(&self, tree: &Tree) -> Result<(MemberId, UnitPath)> {
        let path = UnitPath::parse(&self.path).map_err(|_| self.damaged())?;
        Ok((self.key()?, tree.current(&path)))
    }

    fn key(&self) -> Result<MemberId> {
        self.id.parse().map_err(|_| self.damaged())
    }

    /// The record that this one was merged into.
    fn merged_into(&self) -> Result<MemberId> {
        self.merged_into.as_deref().and_then(|id| id.parse().ok()).ok_or_else(|| self.damaged())
    }

    fn damaged(&self) -> Error {
        Error::Damaged(format!("member {}", self.id))
    }

    fn counts(&self) -> bool {
        self.state == "active" && self.standing != "exempt"
    }
}

const ACCOUNT: &str = "record::id(id) AS id, activated_at != NONE AS activated";

#[derive(Debug, SurrealValue)]
struct IdRow {
    id: String,
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
    counted: bool,
}

#[derive(Debug, SurrealValue)]
struct OpinionRow {
    id: String,
    member: String,
    path: String,
    sent_at: DateTime<Utc>,
    counted: Option<bool>,
}
