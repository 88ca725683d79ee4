//! The counters: a number of each kind for every unit, rolled up to the root on each event.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    audience::Audience,
    events::{Event, EventKind},
    ids::{DocumentId, EventId, MemberId},
    locale::local_date,
    members::Standing,
    statistics::Figures,
    units::UnitPath,
};

use crate::{
    Clock, Error, Result, events,
    store::{KEYS, Store, SurrealValue, keys_after, pairs_after, record, vars},
    units::{Tree, Units},
};

/// Days, today among them, within which a use makes a member active.
const WINDOW: usize = 7;

/// Rows read at a time while counting afresh.
const PAGE: usize = 2_000;

/// What is older than this when the counting begins is counted from the tables, the rest from the log. No transaction takes as long.
const SETTLED: TimeDelta = TimeDelta::seconds(60);

/// The figures of all units. One per process, fed by the event log; the same numbers come out of the tables when they are counted afresh.
///
/// Members are known one by one (their branch and the day of their last use), since a second use of the same person within the
/// week must not count again: about 40 bytes for each.
///
/// Invariant: members who are exempt or no longer active are known, but count nowhere.
/// Invariant: paths are those of the tree of now; what was written at an old one counts where its unit is.
#[derive(Debug)]
pub struct Counters {
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    /// The latest day seen; ages in [`Node::last_use`] are counted back from it.
    day: NaiveDate,
    /// What was counted at a unit itself, and below it too.
    own: HashMap<UnitPath, Node>,
    nodes: HashMap<UnitPath, Node>,
    members: HashMap<MemberId, Member>,
    branches: Vec<UnitPath>,
    known_branches: HashMap<UnitPath, u32>,
    published: HashSet<DocumentId>,
    changed_at: Option<DateTime<Utc>>,
    /// Reads and opinions from this moment on count when the log tells of them, older ones were in the tables.
    settled: DateTime<Utc>,
    /// Events since then that are counted already.
    known: BTreeSet<EventId>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Node {
    /// `active` stays 0 here; it is the sum of `last_use`.
    figures: Figures,
    /// Members whose last use was so many days ago.
    last_use: [u32; WINDOW],
    /// Of the members, those on probation.
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
    /// Counts everything from the tables and the end of the log; what is written meanwhile counts when the log tells of it.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn rebuild(store: &Store, units: &Units, clock: &Clock) -> Result<Self> {
        Ok(Self { state: RwLock::new(State::count(store, units, clock).await?) })
    }

    /// The same for counters that are in use already. Nothing else may be counted meanwhile.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn reload(&self, store: &Store, units: &Units, clock: &Clock) -> Result<()> {
        let fresh = State::count(store, units, clock).await?;
        *self.write() = fresh;
        Ok(())
    }

    /// Adds what an event of the log changes.
    pub(crate) fn count(&self, event: &Event, tree: &Tree) {
        let mut state = self.write();
        if event.at >= state.settled && !state.known.contains(&event.id) {
            state.apply(event, tree);
        }
    }

    /// Reads afresh how some members stand: where they are posted, whether they count and can sign in.
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
            for row in rows {
                let (id, path) = row.understand(tree)?;
                state.place(id, &path, &row, activated.contains(&row.id));
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

    /// Active members of a subtree, without the exempt.
    pub(crate) fn members(&self, path: &UnitPath) -> u32 {
        self.read().nodes.get(path).map_or(0, |node| node.figures.members)
    }

    /// Those of one standing among them.
    pub(crate) fn members_of(&self, path: &UnitPath, standing: Standing) -> u32 {
        self.read().nodes.get(path).map_or(0, |node| match standing {
            Standing::Official => node.figures.members.saturating_sub(node.probationary),
            Standing::Probationary => node.probationary,
            Standing::Exempt => 0,
        })
    }

    /// Active members of an audience in a subtree, without the exempt.
    pub(crate) fn members_asked(&self, path: &UnitPath, audience: &Audience) -> u32 {
        let among = |path: &UnitPath| match audience.standings.as_slice() {
            [] => self.members(path),
            standings => standings.iter().map(|standing| self.members_of(path, *standing)).sum(),
        };
        audience.within(path).iter().map(among).sum()
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
    /// Reads and opinions count once each, as either the table or the log has them; all else is the same however often it is
    /// counted, and the log is read first: what comes into it later finds these counters already there.
    async fn count(store: &Store, units: &Units, clock: &Clock) -> Result<Self> {
        let now = clock.now();
        // The days before the window make no one active; one more, since a day begins at another hour in another zone.
        let window = TimeDelta::days(i64::try_from(WINDOW).unwrap_or(i64::MAX) + 1);
        let log = events::read_from(store, now - window).await?;
        units.reload(store).await?;
        let tree = units.tree();
        let mut state = Self {
            day: local_date(now),
            own: HashMap::new(),
            nodes: HashMap::new(),
            members: HashMap::new(),
            branches: Vec::new(),
            known_branches: HashMap::new(),
            published: HashSet::new(),
            changed_at: None,
            settled: now - SETTLED,
            known: BTreeSet::new(),
        };
        state.count_members(store, &tree).await?;
        state.count_documents(store, &tree).await?;
        state.count_reads(store, &tree).await?;
        state.count_opinions(store, &tree).await?;
        for event in log {
            if event.at < state.settled {
                state.note_event(&event);
            } else {
                state.apply(&event, &tree);
                state.known.insert(event.id);
            }
        }
        Ok(state)
    }

    async fn count_members(&mut self, store: &Store, tree: &Tree) -> Result<()> {
        let mut after = String::new();
        loop {
            let rows: Vec<MemberRow> = page(store, MEMBER, "member", &after).await?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.id);
            for row in rows {
                let (id, path) = row.understand(tree)?;
                self.place(id, &path, &row, false);
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
        let is_counted = self.note_event(event);
        let path = tree.current(&event.unit);
        match event.kind {
            EventKind::DocumentPublished => {
                if let Ok(document) = event.subject.parse() {
                    self.publish(document, &path);
                }
            }
            EventKind::DocumentWithdrawn | EventKind::DocumentExpired => {
                if let Ok(document) = event.subject.parse() {
                    self.withdraw(document, &path);
                }
            }
            EventKind::DocumentRead if is_counted => self.add(&path, |figures| figures.reads += 1),
            EventKind::OpinionSent if is_counted => self.add(&path, |figures| figures.opinions += 1),
            EventKind::AccountActivated => {
                if let Ok(member) = event.subject.parse() {
                    self.activate(member);
                }
            }
            EventKind::UnitMoved | EventKind::UnitMerged => self.follow(tree),
            _ => {}
        }
    }

    /// Notes the use an event shows, and that something changed. Says whether its actor is one of those who count.
    fn note_event(&mut self, event: &Event) -> bool {
        if changes_figures(event.kind) {
            self.changed_at = self.changed_at.max(Some(event.at));
        }
        event.kind.counts_as_use() && self.note(event.at, event.actor)
    }

    /// Notes that somebody used the handbook. Says whether they are one of those who count.
    fn note(&mut self, at: DateTime<Utc>, actor: Option<MemberId>) -> bool {
        let Some((actor, member)) = actor.and_then(|actor| self.members.get(&actor).map(|member| (actor, *member))) else {
            return false;
        };
        if member.counts {
            self.changed_at = self.changed_at.max(Some(at));
        }
        let day = local_date(at);
        self.move_to(day);
        if member.last_use.is_none_or(|last| last < day) {
            self.count_member(member, -1);
            let member = Member { last_use: Some(day), ..member };
            self.count_member(member, 1);
            self.members.insert(actor, member);
        }
        member.counts
    }

    /// Puts a member where they are now; the day of their last use stays.
    fn place(&mut self, id: MemberId, path: &UnitPath, row: &MemberRow, activated: bool) {
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

    /// Adds a member to all figures from the branch up, or with -1 takes them out.
    fn count_member(&mut self, member: Member, by: i32) {
        if !member.counts {
            return;
        }
        let age = member.last_use.and_then(|day| self.age(day));
        let change = |number: &mut u32| *number = number.saturating_add_signed(by);
        let branch = self.branches[member.branch as usize].clone();
        self.change(&branch, |node| {
            change(&mut node.figures.members);
            if member.on_probation {
                change(&mut node.probationary);
            }
            if member.activated {
                change(&mut node.figures.activated);
            }
            if let Some(age) = age {
                change(&mut node.last_use[age]);
            }
        });
    }

    /// Takes what was counted to where its units are now, in whichever order the log told of their moves.
    fn follow(&mut self, tree: &Tree) {
        self.nodes.clear();
        for (path, own) in std::mem::take(&mut self.own) {
            let path = tree.current(&path);
            for above in path.ancestors_and_self() {
                self.nodes.entry(above).or_default().add(&own);
            }
            self.own.entry(path).or_default().add(&own);
        }
        for branch in &mut self.branches {
            *branch = tree.current(branch);
        }
        self.known_branches = self.branches.iter().zip(0..).map(|(path, number)| (path.clone(), number)).collect();
    }

    /// The number of a branch, by which its members know it.
    fn branch(&mut self, path: &UnitPath) -> u32 {
        if let Some(known) = self.known_branches.get(path) {
            return *known;
        }
        // More branches than this are more than there are people.
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

    /// How many days before the latest day, when that is within the window.
    fn age(&self, day: NaiveDate) -> Option<usize> {
        usize::try_from((self.day - day).num_days()).ok().filter(|age| *age < WINDOW)
    }

    /// Begins a new day: every age grows. Once a day for all units, so no event pays for it.
    fn move_to(&mut self, day: NaiveDate) {
        let Ok(passed @ 1..) = usize::try_from((day - self.day).num_days()) else {
            return;
        };
        for node in self.nodes.values_mut().chain(self.own.values_mut()) {
            let before = node.last_use;
            node.last_use = [0; WINDOW];
            for (age, members) in before.into_iter().enumerate().take(WINDOW.saturating_sub(passed)) {
                node.last_use[age + passed] = members;
            }
        }
        self.day = day;
    }
}

impl Node {
    fn add(&mut self, other: &Self) {
        self.figures += other.figures;
        self.probationary += other.probationary;
        for (own, more) in self.last_use.iter_mut().zip(other.last_use) {
            *own += more;
        }
    }
}

/// Kinds that change figures, whoever acts.
const fn changes_figures(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::DocumentPublished
            | EventKind::DocumentWithdrawn
            | EventKind::DocumentExpired
            | EventKind::AccountActivated
            | EventKind::UnitMoved
            | EventKind::UnitMerged
            | EventKind::UnitSplit
            | EventKind::MemberRegistered
            | EventKind::MemberChanged
            | EventKind::MemberMerged
            | EventKind::TransferAccepted
    )
}

/// The rows of a table whose keys follow `after`, in the order of keys.
async fn page<T: SurrealValue>(store: &Store, columns: &str, table: &'static str, after: &str) -> Result<Vec<T>> {
    let sql = format!("SELECT {columns} FROM {KEYS} LIMIT {PAGE}");
    store.read(sql, vars! { keys: keys_after(table, after) }).await?.rows(0)
}

const MEMBER: &str = "record::id(id) AS id, path, standing, state";

#[derive(Debug, SurrealValue)]
struct MemberRow {
    id: String,
    path: String,
    standing: String,
    state: String,
}

impl MemberRow {
    fn understand(&self, tree: &Tree) -> Result<(MemberId, UnitPath)> {
        let damaged = || Error::Damaged(format!("member {}", self.id));
        let path = UnitPath::parse(&self.path).map_err(|_| damaged())?;
        Ok((self.id.parse().map_err(|_| damaged())?, tree.current(&path)))
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
