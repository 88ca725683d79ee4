//! The tree of units, held in memory: at most a few hundred thousand nodes, read by every page, rarely changed.
//!
//! What a page of one unit asks takes time by the number of its children and ancestors, not of its subtree: children are found by
//! skipping their subtrees ([`Tree::children`]), and branches are counted when the tree is built ([`Tree::branches`]). Only a
//! search and the tree of a past day pass over all nodes. Earlier versions of units are held too: there are as many as there were
//! changes, and after the reorganisation of a whole country about two for each unit.
//!
//! Invariant: a code below a parent belongs to the same unit forever. So every path that was ever stored can be resolved to its
//! unit by its codes, however often that unit or an ancestor has moved since: see [`Tree::former`].

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::NaiveDate;
use domain::{
    accounts::Viewer,
    folding::fold,
    ids::UnitId,
    units::{Opening, Phase, Shift, Shifts, UnitKind, UnitPath, UnitRef},
};
use tokio::sync::Mutex;

use crate::{
    Error, Result,
    store::{RecordId, Store, SurrealValue, Variables, record, vars},
};
use former::Version;
use path_ranges::FormerCode;
use reorganisation::Latest;

mod became;
mod change;
pub(crate) mod chosen;
mod counterparts;
mod desk;
mod former;
mod history;
mod moving;
mod path_ranges;
mod phases;
pub(crate) mod pick;
mod reorganisation;
mod split;
mod stored_shifts;
#[cfg(test)]
pub(crate) mod tests;

pub use became::BecameQuery;
pub(crate) use change::SAME_TREE;
pub use change::{CloseForm, NewUnitForm, PhaseForm, RenameForm};
pub use desk::{BelowQuery, ListQuery, UnitDesk};
pub(crate) use history::{NewVersion, REFORM, ReformRow, VersionRow};
pub use moving::{MergeForm, MoveForm};
pub(crate) use path_ranges::PathRanges;
pub(crate) use phases::{Phased, set_phases};
pub use reorganisation::{
    AssignForm, AssignmentUpload, QueueQuery, ReceiveForm, Received, ReorganisationUpload, Reorganisations,
};
pub use split::SplitForm;

/// How often reading the rows is retried when the tree changes concurrently.
const TRIES: usize = 5;

/// A snapshot of the tree. Open units are ordered by path, so a subtree is a range. Closed units are stored beside them.
#[derive(Debug, Default)]
pub struct Tree {
    by_path: BTreeMap<UnitPath, Node>,
    paths: BTreeMap<UnitId, UnitPath>,
    closed: BTreeMap<UnitId, Closed>,
    /// Closed units with a successor by the path they had when they closed.
    ended: BTreeMap<UnitPath, UnitId>,
    /// Closed units by their successor.
    inherited: BTreeMap<UnitId, Vec<UnitId>>,
    /// Closed units without a successor.
    unsucceeded: Vec<UnitId>,
    /// The owner of each code below a unit, current or former. Entries are never reassigned.
    codes: BTreeMap<(Option<UnitId>, String), UnitId>,
    /// Former codes of units.
    formerly: Vec<FormerCode>,
    /// Versions of units that have changed or closed, by unit and first day.
    versions: Vec<Version>,
    version: i64,
    moving: Shifts,
    /// Whether units that moved with their parent have no version of their new place yet: see [`moving`].
    unwritten: bool,
    /// Meanwhile, the parent below which such a unit is stored, and its code there.
    moved_along: BTreeMap<UnitId, (UnitId, String)>,
}

/// An open unit, with the values that its forms need.
#[derive(Debug)]
struct Node {
    unit: UnitRef,
    folded: String,
    /// Number of branches below.
    branches: u32,
    phase: Option<Phase>,
    live_from: Option<NaiveDate>,
    contact: Option<String>,
    /// The first day of its current version.
    since: NaiveDate,
    opened_on: NaiveDate,
    version: u32,
}

/// A closed unit.
#[derive(Debug)]
struct Closed {
    /// The unit as it was when it closed, with the path it would have now.
    unit: UnitRef,
    /// Its path when it closed.
    last_path: UnitPath,
    opened_on: NaiveDate,
    on: NaiveDate,
    successor: Option<UnitId>,
}

impl Tree {
    /// An open unit.
    pub fn get(&self, id: UnitId) -> Option<&UnitRef> {
        self.at(self.paths.get(&id)?)
    }

    /// The open unit with this id.
    pub fn named(&self, id: &str) -> Option<&UnitRef> {
        self.get(id.parse().ok()?)
    }

    /// The unit with this id, open or closed: for the names on old rows.
    pub fn known(&self, id: &str) -> Option<&UnitRef> {
        let id = id.parse().ok()?;
        self.get(id).or_else(|| self.closed.get(&id).map(|closed| &closed.unit))
    }

    /// The unit itself if it is open, else the open unit that succeeded it.
    pub fn successor(&self, id: &str) -> Option<&UnitRef> {
        self.successor_of(id.parse().ok()?)
    }

    fn successor_of(&self, mut id: UnitId) -> Option<&UnitRef> {
        // Each unit closes once, so the chain is no longer than the number of closed units.
        for _ in 0..=self.closed.len() {
            match (self.get(id), self.closed.get(&id)) {
                (Some(unit), _) => return Some(unit),
                (None, Some(Closed { successor: Some(next), .. })) => id = *next,
                (None, closed) => return closed.map(|closed| &closed.unit),
            }
        }
        None
    }

    /// Like [`Self::successor`] with the name of the original unit: for documents and meetings of that time.
    pub fn successor_as_named(&self, id: &str) -> Option<UnitRef> {
        let (named, successor) = (self.known(id)?, self.successor(id)?);
        Some(UnitRef { name: named.name.clone(), ..successor.clone() })
    }

    pub fn at(&self, path: &UnitPath) -> Option<&UnitRef> {
        self.by_path.get(path).map(|node| &node.unit)
    }

    /// Every unit, in the order of paths.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &UnitRef> {
        self.by_path.values().map(|node| &node.unit)
    }

    /// The closed units whose [`Self::successor`] is this one.
    pub(crate) fn inherited(&self, id: UnitId) -> impl Iterator<Item = UnitId> {
        self.inherited.get(&id).into_iter().flatten().copied()
    }

    /// Units that closed without a successor, with the paths they would have now. They remain responsible for themselves.
    pub(crate) fn without_successor(&self) -> impl Iterator<Item = &UnitRef> {
        self.unsucceeded.iter().filter_map(|id| self.closed.get(id)).map(|closed| &closed.unit)
    }

    /// The paths that closed units had when they closed.
    pub(crate) fn closed_paths(&self) -> impl Iterator<Item = &UnitPath> {
        self.closed.values().map(|closed| &closed.last_path)
    }

    /// Ids of all units whose subtree includes a branch now: those from the root down to it, the units they succeeded, and closed
    /// units above it without a successor. Items addressed to one of these units reach the branch.
    pub(crate) fn reaching(&self, branch: &UnitPath) -> BTreeSet<UnitId> {
        let open = self.trail(branch);
        let ended = self.without_successor().filter(|unit| unit.path.contains(branch));
        open.chain(ended).flat_map(|unit| [unit.id].into_iter().chain(self.inherited(unit.id))).collect()
    }

    /// Ids of the units whose subtree includes a branch now, as [`Self::reaching`], without those they succeeded: a unit that is
    /// excepted from an audience and ends excepts nobody any more.
    pub(crate) fn holding(&self, branch: &UnitPath) -> BTreeSet<UnitId> {
        let ended = self.without_successor().filter(|unit| unit.path.contains(branch));
        self.trail(branch).chain(ended).map(|unit| unit.id).collect()
    }

    /// Every open unit in the order of paths, with the phase of its own and the first day of its current version.
    pub(crate) fn states(&self) -> impl Iterator<Item = (&UnitRef, Option<Phase>, NaiveDate)> {
        self.by_path.values().map(|node| (&node.unit, node.phase, node.since))
    }

    /// The unit and all below it, in the order of codes.
    pub fn subtree<'a>(&'a self, path: &'a UnitPath) -> impl Iterator<Item = &'a UnitRef> {
        self.nodes(path).map(|node| &node.unit)
    }

    /// What members registered in a unit call their branch: the nearest unit that is a home, the unit itself included. The unit
    /// itself where there is none.
    pub fn home<'a>(&'a self, unit: &'a UnitRef) -> &'a UnitRef {
        if unit.kind.is_home() {
            return unit;
        }
        let above: Vec<UnitPath> = unit.path.ancestors_and_self().collect();
        above.iter().rev().filter_map(|path| self.at(path)).find(|above| above.kind.is_home()).unwrap_or(unit)
    }

    /// The units in which the members of a branch are registered: the branch, and units below it whose members belong to it. For
    /// another unit, the unit itself if members are registered in it.
    pub(crate) fn registering<'a>(&'a self, branch: &'a UnitRef) -> impl Iterator<Item = &'a UnitRef> {
        let is_own = move |unit: &&UnitRef| unit.id == branch.id || (branch.kind.is_home() && self.home(unit).id == branch.id);
        self.subtree(&branch.path).filter(|unit| unit.kind.holds_members()).filter(is_own)
    }

    /// `statement`, which names a unit as `$unit`, once for each unit of [`Self::registering`]. Returns the query, its bindings and
    /// these units in the order of the statements.
    pub(crate) fn in_each_registering(&self, branch: &UnitRef, statement: &str) -> (String, Variables, Vec<&UnitRef>) {
        let units: Vec<&UnitRef> = self.registering(branch).filter_map(|unit| self.get(unit.id)).collect();
        let (sql, vars) = in_each(units.iter().map(|unit| unit.id), statement);
        (sql, vars, units)
    }

    /// The unit in which the viewer is registered.
    pub(crate) fn registered(&self, viewer: &Viewer) -> UnitId {
        self.at(&viewer.standpoint.branch).map_or(viewer.branch.id, |unit| unit.id)
    }

    /// The units one level below, in the order of codes. Skips their subtrees, so it takes time by their number only.
    pub fn children<'a>(&'a self, path: &'a UnitPath) -> impl Iterator<Item = &'a UnitRef> {
        self.child_nodes(path).map(|node| &node.unit)
    }

    /// Number of branches below a unit.
    pub fn branches(&self, path: &UnitPath) -> u32 {
        self.by_path.get(path).map_or(0, |node| node.branches)
    }

    /// From the root down to the unit itself.
    pub fn trail<'a>(&'a self, path: &'a UnitPath) -> impl Iterator<Item = &'a UnitRef> {
        path.ancestors_and_self().filter_map(|ancestor| self.at(&ancestor).map(|unit| unit.id)).filter_map(|id| self.get(id))
    }

    pub fn len(&self) -> usize {
        self.by_path.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }

    /// The unit that had this path when it closed on that day, if another one succeeded it.
    fn ended_at(&self, path: &UnitPath, on: NaiveDate) -> Option<UnitId> {
        self.ended.get(path).copied().filter(|id| self.closed.get(id).is_some_and(|closed| closed.on == on))
    }

    /// Whether the unit may have moved without a version of its new place yet.
    pub(crate) fn lacks_version(&self, unit: &UnitRef) -> bool {
        self.unwritten && self.moving.reach(&unit.path)
    }

    /// Increases with every change of the tree.
    pub(crate) const fn version(&self) -> i64 {
        self.version
    }

    /// Whether a move of a subtree is in progress, so that rows still have old paths.
    pub(crate) fn is_moving(&self) -> bool {
        !self.moving.is_empty()
    }

    /// The effective phase of a unit: its own, or that of its nearest ancestor that has one. For a former path, that of the unit it
    /// leads to now.
    pub fn phase(&self, path: &UnitPath) -> Phase {
        self.ruling(path).and_then(|node| node.phase).unwrap_or_default()
    }

    /// Like [`Self::phase`], with the day and the contact that belong to it.
    pub fn opening(&self, path: &UnitPath) -> Opening {
        self.ruling(path).map_or_else(Opening::default, |node| Opening {
            phase: node.phase.unwrap_or_default(),
            live_from: node.live_from,
            contact: node.contact.clone(),
        })
    }

    /// The unit that once had this path, or its successor. None for a path that no unit ever had.
    pub fn former(&self, path: &UnitPath) -> Option<&UnitRef> {
        let mut id = self.once_at(path)?;
        let mut met = BTreeSet::new();
        while let Some(closed) = self.closed.get(&id).filter(|_| met.insert(id)) {
            match closed.successor {
                Some(successor) => id = successor,
                None => return Some(&closed.unit),
            }
        }
        self.get(id)
    }

    /// The unit that has or had this path, open or closed.
    fn once_at(&self, path: &UnitPath) -> Option<UnitId> {
        let mut at = None;
        for code in path.as_str().trim_matches('/').split('/') {
            at = Some(*self.codes.get(&(at, code.to_owned()))?);
        }
        at
    }

    /// The current path for rows that were stored with `path`.
    pub(crate) fn current(&self, path: &UnitPath) -> UnitPath {
        if self.by_path.contains_key(path) {
            return path.clone();
        }
        self.former(path).map_or_else(|| path.clone(), |unit| unit.path.clone())
    }

    fn ruling(&self, path: &UnitPath) -> Option<&Node> {
        // During a move, rows still have old paths.
        let above: Vec<UnitPath> = self.current(path).ancestors_and_self().collect();
        above.iter().rev().filter_map(|path| self.by_path.get(path)).find(|node| node.phase.is_some())
    }

    fn node(&self, id: UnitId) -> Option<&Node> {
        self.by_path.get(self.paths.get(&id)?)
    }

    fn nodes<'a>(&'a self, path: &'a UnitPath) -> impl Iterator<Item = &'a Node> {
        self.by_path.range(path.clone()..).map(|(_, node)| node).take_while(move |node| path.contains(&node.unit.path))
    }

    fn child_nodes<'a>(&'a self, path: &'a UnitPath) -> impl Iterator<Item = &'a Node> {
        let depth = depth(path) + 1;
        // The first text after the unit itself, later after the subtree of the last node.
        let mut from = Bound::Excluded(path.as_str().to_owned());
        let next = move || {
            let bounds: (Bound<&str>, Bound<&str>) = (from.as_ref().map(String::as_str), Bound::Unbounded);
            let (below, node) = self.by_path.range::<str, _>(bounds).next().filter(|(below, _)| path.contains(below))?;
            from = Bound::Included(below.range_end());
            Some(node)
        };
        std::iter::from_fn(next).filter(move |node| depth == self::depth(&node.unit.path))
    }

    fn parent(&self, path: &UnitPath) -> Option<&UnitRef> {
        self.at(&path.parent()?)
    }

    /// The unit that has or had this code below `parent`.
    fn owner(&self, parent: UnitId, code: &str) -> Option<UnitId> {
        self.codes.get(&(Some(parent), code.to_owned())).copied()
    }

    /// `code`, or if another unit has or had it below `parent`, the first unused number of the same length.
    fn free_code(&self, parent: UnitId, code: &str, of: UnitId, given: &BTreeSet<String>) -> String {
        let is_free = |code: &str| self.owner(parent, code).is_none_or(|owner| owner == of) && !given.contains(code);
        if is_free(code) {
            return code.to_owned();
        }
        let width = code.len();
        // There is one number more than there are codes, so one of them is free.
        let most = self.codes.len() + given.len() + 1;
        (1..=most).map(|number| format!("{number:0width$}")).find(|code| is_free(code)).unwrap_or_default()
    }
}

/// `statement`, which names a unit as `$unit`, once for each of these units, with the bindings.
pub(crate) fn in_each(units: impl IntoIterator<Item = UnitId>, statement: &str) -> (String, Variables) {
    let (mut sql, mut vars) = (String::new(), vars! {});
    for (at, unit) in units.into_iter().enumerate() {
        sql += &statement.replace("$unit", &format!("$unit_{at}"));
        sql.push(';');
        vars.insert(format!("unit_{at}"), unit.to_string());
    }
    if sql.is_empty() {
        // A query without statements is an error.
        sql.push_str("RETURN NONE;");
    }
    (sql, vars)
}

fn depth(path: &UnitPath) -> usize {
    path.as_str().bytes().filter(|byte| *byte == b'/').count()
}

/// Holds the current tree and replaces it as a whole when units change.
#[derive(Debug)]
pub struct Units {
    tree: RwLock<Arc<Tree>>,
    /// The tree of the past day that was asked for last. After a reorganisation this is the day before it for nearly everybody.
    past: RwLock<Option<PastTree>>,
    /// Held while the tree of a past day is built, so that requests after a change of the tree do not all build it.
    building: Mutex<()>,
    latest: RwLock<Option<Latest>>,
}

/// The tree of a past day, built from this version of the tree.
#[derive(Debug)]
struct PastTree {
    version: i64,
    day: NaiveDate,
    tree: Arc<Tree>,
}

impl Units {
    pub(crate) async fn load(store: &Store) -> Result<Self> {
        let units =
            Self { tree: RwLock::default(), past: RwLock::default(), building: Mutex::default(), latest: RwLock::default() };
        units.reload(store).await?;
        Ok(units)
    }

    pub(crate) async fn reload(&self, store: &Store) -> Result<()> {
        let rows = Rows::read(store).await?;
        // It passes over all units, so other requests of this thread must not wait for it.
        let built = tokio::task::spawn_blocking(move || rows.tree()).await;
        let tree = built.map_err(|error| Error::Internal(format!("the tree of units: {error}")))??;
        let former = self.replace(Arc::new(tree));
        // After the lock is released: nobody else may hold it.
        drop(former);
        Ok(())
    }

    /// Returns the tree that is no longer needed: concurrent loads may finish out of order.
    fn replace(&self, tree: Arc<Tree>) -> Arc<Tree> {
        let mut held = self.tree.write().unwrap_or_else(PoisonError::into_inner);
        if tree.version >= held.version { std::mem::replace(&mut *held, tree) } else { tree }
    }

    /// The current tree. Do not keep it longer than one use-case.
    pub fn tree(&self) -> Arc<Tree> {
        Arc::clone(&self.tree.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The units that were open on a day, with their names and paths of that day. Without phases, whose history is not stored.
    ///
    /// # Errors
    /// [`Error::Internal`] when the task that builds it fails.
    pub(crate) async fn tree_as_of(&self, day: NaiveDate) -> Result<Arc<Tree>> {
        let now = self.tree();
        let version = now.version;
        if let Some(tree) = self.held_as_of(version, day) {
            return Ok(tree);
        }
        // One at a time: each takes as much memory as the tree of today.
        let _building = self.building.lock().await;
        if let Some(tree) = self.held_as_of(version, day) {
            return Ok(tree);
        }
        // It passes over all units, so other requests of this thread must not wait for it.
        let built = tokio::task::spawn_blocking(move || now.as_of(day)).await;
        let tree = Arc::new(built.map_err(|error| Error::Internal(format!("the tree of {day}: {error}")))?);
        let past = PastTree { version, day, tree: Arc::clone(&tree) };
        *self.past.write().unwrap_or_else(PoisonError::into_inner) = Some(past);
        Ok(tree)
    }

    fn held_as_of(&self, version: i64, day: NaiveDate) -> Option<Arc<Tree>> {
        let held = self.past.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|past| (past.version, past.day) == (version, day)).map(|past| Arc::clone(&past.tree))
    }
}

/// The stored rows of the tree.
struct Rows {
    version: i64,
    units: Vec<UnitRow>,
    forms: Vec<FormRow>,
    running: Vec<RunningRow>,
    /// Of all running operations.
    shifts: Vec<Shift>,
}

/// The row of a new unit that was not entered in a form: from an import, the command line or the sample.
#[derive(Debug, Clone, SurrealValue)]
pub(crate) struct NewUnit {
    pub(crate) id: RecordId,
    pub(crate) kind: String,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) opened_on: String,
    pub(crate) phase: Option<String>,
}

impl NewUnit {
    /// A unit that inherits the phase of its parent.
    pub(crate) fn new(unit: &UnitRef, opened_on: NaiveDate) -> Self {
        Self {
            id: record("unit", unit.id),
            kind: unit.kind.key().to_owned(),
            code: unit.path.code().to_owned(),
            name: unit.name.clone(),
            path: unit.path.to_string(),
            opened_on: opened_on.to_string(),
            phase: None,
        }
    }
}

#[derive(Debug, SurrealValue)]
struct UnitRow {
    id: String,
    kind: String,
    code: String,
    name: String,
    path: String,
    opened_on: String,
    phase: Option<String>,
    live_from: Option<String>,
    contact: Option<String>,
    closed_on: Option<String>,
    parent: Option<String>,
    successor: Option<String>,
    version: Option<i64>,
}

#[derive(Debug, SurrealValue)]
struct FormRow {
    unit: String,
    kind: String,
    parent: Option<String>,
    code: String,
    name: String,
    from: String,
    until: Option<String>,
    cause: String,
}

/// An unfinished change of the tree.
#[derive(Debug, SurrealValue)]
struct RunningRow {
    id: String,
    kind: String,
    shifts: Vec<ShiftRow>,
    step: Option<i64>,
}

#[derive(Debug, Clone, SurrealValue)]
struct ShiftRow {
    from: String,
    to: String,
}

impl ShiftRow {
    fn decode(&self) -> Result<Shift> {
        let path = |text: &str| UnitPath::parse(text).map_err(|_| Error::Damaged(format!("the shift of {text}")));
        Ok(Shift { from: path(&self.from)?, to: path(&self.to)? })
    }
}

impl From<&Shift> for ShiftRow {
    fn from(shift: &Shift) -> Self {
        Self { from: shift.from.to_string(), to: shift.to.to_string() }
    }
}

const VERSION: &str = "RETURN (SELECT VALUE version FROM ONLY tree:units) ?? 0;";

const UNITS: &str = "SELECT record::id(id) AS id, kind, code, name, path, opened_on, phase, live_from, contact, closed_on, parent, \
     successor, version FROM unit";

const RUNNING: &str = "SELECT record::id(id) AS id, kind, shifts, step FROM unit_operation WHERE state = 'running'";

const FORMS: &str = "SELECT unit, kind, parent, code, name, from, until, cause FROM unit_version";

impl Rows {
    /// Queries do not share a snapshot, so all is read again when the version of the tree has changed afterwards. Each table has a
    /// query of its own, because a query has a time limit, and its answer is held in memory until all of it is read.
    async fn read(store: &Store) -> Result<Self> {
        for _ in 0..TRIES {
            let version: i64 = store.read(VERSION, ()).await?.row(0)?.unwrap_or_default();
            let units = store.read(UNITS, ()).await?.rows(0)?;
            let forms = store.read(FORMS, ()).await?.rows(0)?;
            let mut running: Vec<RunningRow> = store.read(RUNNING, ()).await?.rows(0)?;
            let mut shifts = Vec::new();
            for operation in &mut running {
                for shift in std::mem::take(&mut operation.shifts) {
                    shifts.push(shift.decode()?);
                }
                shifts.extend(stored_shifts::read(store, &operation.id).await?);
            }
            let rows = Self { version, units, forms, running, shifts };
            if store.read(VERSION, ()).await?.row::<i64>(0)?.unwrap_or_default() == version {
                return Ok(rows);
            }
        }
        Err(Error::Busy)
    }

    /// The pack may have been changed, or be that of another organisation.
    fn refuse_unknown_levels(&self) -> Result<()> {
        let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
        for row in self.units.iter().filter(|row| UnitKind::from_key(&row.kind).is_none()) {
            *unknown.entry(&row.kind).or_default() += 1;
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let found: Vec<String> = unknown.iter().map(|(level, units)| format!("{level:?} ({units})")).collect();
        let known: Vec<&str> = UnitKind::all().map(UnitKind::key).collect();
        Err(Error::Levels(format!(
            "the store has units of levels that the terminology pack does not define, with the number of units: {}. The pack defines {}. \
             Choose the pack this store was filled with by HANDBOOK_TERMS (--terms), or add these levels to it",
            found.join(", "),
            known.join(", ")
        )))
    }

    fn tree(self) -> Result<Tree> {
        self.refuse_unknown_levels()?;
        let mut tree = Tree { version: self.version, ..Tree::default() };
        tree.moving.extend(self.shifts);
        for running in &self.running {
            tree.unwritten |= running.kind == moving::REORGANISE && running.step.unwrap_or_default() < moving::AFTER_VERSIONS;
        }
        let stored: BTreeMap<UnitPath, UnitId> = if tree.unwritten { stored_paths(&self.units) } else { BTreeMap::new() };
        let mut closed = Vec::new();
        for row in self.units {
            let damaged = || Error::Damaged(format!("unit {}", row.id));
            let id: UnitId = row.id.parse().map_err(|_| damaged())?;
            let path = UnitPath::parse(&row.path).map_err(|_| damaged())?;
            let unit = UnitRef {
                id,
                kind: UnitKind::from_key(&row.kind).ok_or_else(damaged)?,
                // A moving unit has its new path immediately; its row is updated later with the rest of the subtree.
                path: if row.closed_on.is_none() {
                    tree.moving.apply(&path).unwrap_or_else(|| path.clone())
                } else {
                    path.clone()
                },
                name: row.name,
            };
            let date = |text: &str| text.parse::<NaiveDate>().map_err(|_| Error::Damaged(format!("a day of unit {id}: {text}")));
            let reference = |text: Option<String>| {
                text.map(|text| text.parse::<UnitId>()).transpose().map_err(|_| Error::Damaged(format!("unit {id}")))
            };
            if let Some(on) = row.closed_on {
                let parent = reference(row.parent)?;
                let (last_path, successor) = (unit.path.clone(), reference(row.successor)?);
                let (opened_on, on) = (date(&row.opened_on)?, date(&on)?);
                closed.push((parent, row.code, Closed { unit, last_path, opened_on, on, successor }));
                continue;
            }
            let opened_on = date(&row.opened_on)?;
            let node = Node {
                folded: fold(&unit.name),
                branches: 0,
                phase: row
                    .phase
                    .as_deref()
                    .map(|key| Phase::from_key(key).ok_or_else(|| Error::Damaged(format!("unit {id}"))))
                    .transpose()?,
                live_from: row.live_from.as_deref().map(date).transpose()?,
                contact: row.contact,
                since: opened_on,
                opened_on,
                version: u32::try_from(row.version.unwrap_or_default()).unwrap_or_default(),
                unit,
            };
            let above = path.parent().filter(|_| node.unit.path != path);
            if let Some(parent) = above.and_then(|above| stored.get(&above).copied()) {
                tree.moved_along.insert(id, (parent, path.code().to_owned()));
            }
            tree.insert(node);
        }
        tree.note_codes(&self.forms)?;
        // The codes of units whose former place is not in their versions yet.
        for (unit, (parent, code)) in &tree.moved_along {
            tree.codes.entry((Some(*parent), code.clone())).or_insert(*unit);
        }
        tree.note_versions(self.forms, &closed)?;
        tree.place_closed(closed);
        tree.note_former();
        tree.count_branches();
        Ok(tree)
    }
}

/// Units by their stored path, which they keep until the batches of a move have reached them, or for ever when they have closed.
fn stored_paths(units: &[UnitRow]) -> BTreeMap<UnitPath, UnitId> {
    units.iter().filter_map(|row| Some((UnitPath::parse(&row.path).ok()?, row.id.parse().ok()?))).collect()
}

impl Tree {
    fn insert(&mut self, node: Node) {
        self.paths.insert(node.unit.id, node.unit.path.clone());
        self.by_path.insert(node.unit.path.clone(), node);
    }

    /// Fills in [`Node::branches`] in one pass over the nodes, which come from the root down.
    fn count_branches(&mut self) {
        let mut counts = vec![0; self.by_path.len()];
        // The units above the current one, with their position.
        let mut above: Vec<(usize, &UnitPath)> = Vec::new();
        for (at, (path, node)) in self.by_path.iter().enumerate() {
            while above.last().is_some_and(|(_, unit)| !unit.contains(path)) {
                above.pop();
            }
            if node.unit.kind.meets_as_branch() {
                for (unit, _) in &above {
                    counts[*unit] += 1;
                }
            }
            above.push((at, path));
        }
        for (node, count) in self.by_path.values_mut().zip(counts) {
            node.branches = count;
        }
    }

    fn note_codes(&mut self, forms: &[FormRow]) -> Result<()> {
        let now = self.by_path.values().map(|node| {
            let path = &node.unit.path;
            ((self.parent(path).map(|parent| parent.id), path.code().to_owned()), node.unit.id)
        });
        self.codes = now.collect();
        for form in forms {
            let damaged = || Error::Damaged(format!("a form of unit {}", form.unit));
            let unit: UnitId = form.unit.parse().map_err(|_| damaged())?;
            let parent = form.parent.as_deref().map(str::parse).transpose().map_err(|_| damaged())?;
            self.codes.insert((parent, form.code.clone()), unit);
            let path = self.paths.get(&unit).filter(|_| form.until.is_none());
            if let Some(node) = path.cloned().and_then(|path| self.by_path.get_mut(&path)) {
                node.since = form.from.parse().map_err(|_| damaged())?;
            }
        }
        Ok(())
    }

    /// Places closed units below the current path of their parent. Each round places those whose parent has been placed; a unit
    /// without a parent keeps its stored path.
    fn place_closed(&mut self, mut waiting: Vec<(Option<UnitId>, String, Closed)>) {
        for (parent, code, closed) in &waiting {
            self.codes.insert((*parent, code.clone()), closed.unit.id);
        }
        loop {
            let before = waiting.len();
            let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(parent, ..)| {
                parent.is_some_and(|parent| self.paths.contains_key(&parent) || self.closed.contains_key(&parent))
            });
            waiting = rest;
            for (parent, code, mut closed) in ready {
                let above =
                    parent.and_then(|parent| self.get(parent).or_else(|| self.closed.get(&parent).map(|above| &above.unit)));
                if let Some(path) = above.and_then(|above| above.path.child(&code).ok()) {
                    closed.unit.path = path;
                }
                self.closed.insert(closed.unit.id, closed);
            }
            if waiting.len() == before {
                break;
            }
        }
        self.closed.extend(waiting.into_iter().map(|(.., closed)| (closed.unit.id, closed)));
        self.unsucceeded = self.closed.iter().filter(|(_, closed)| closed.successor.is_none()).map(|(id, _)| *id).collect();
        let ended = self.closed.iter().filter(|(_, closed)| closed.successor.is_some());
        self.ended = ended.clone().map(|(id, closed)| (closed.last_path.clone(), *id)).collect();
        let successors: Vec<(UnitId, UnitId)> =
            ended.filter_map(|(id, _)| self.successor_of(*id).map(|successor| (successor.id, *id))).collect();
        for (successor, id) in successors {
            self.inherited.entry(successor).or_default().push(id);
        }
    }
}
