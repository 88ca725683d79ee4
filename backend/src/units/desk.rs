//! Views of units: the list, the page of a unit, the choices of forms.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::NaiveDate;
use domain::{
    accounts::Viewer,
    folding::{fold, name_order},
    ids::UnitId,
    policy::{Action, Role, Standpoint},
    statistics::{Figures, Share, is_small},
    tables::{Order, TableQuery},
    units::{
        Closing, Formerly, Leader, Opening, Phase, TreeRow, UnitLink, UnitPage, UnitPath, UnitRef, UnitRow, UnitSize, UnitStep,
        UnitTargets, UnitsBelow, UnitsPage,
    },
};

use super::{
    Node, Tree,
    change::managed,
    change::managed_parent,
    former::{Version, best, codes_of, matches, rank},
    history,
};
use crate::{
    Backend, Error, Result,
    store::{SurrealValue, record, vars},
};

/// Maximum number of rows of a list; with more, the search must be narrowed.
pub(super) const LISTED: usize = 50;

/// Maximum number of choices of a form.
const OFFERED: usize = 12;

/// Maximum number of expanded units of the tree.
const OPEN: usize = 16;

/// See [`Backend::unit_desk`].
#[derive(Clone, Copy)]
pub struct UnitDesk<'a> {
    pub(super) backend: &'a Backend,
}

/// Selects units one level below.
#[derive(Debug, Clone, Copy, Default)]
pub struct BelowQuery<'a> {
    /// Words of the name, or the code; `None` for all units.
    pub words: Option<&'a str>,
    /// Counted from 1. Clamped to the existing pages.
    pub page: u32,
}

/// Selects what the page of all units shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListQuery<'a> {
    /// Words of the name, or the code, also earlier ones; `None` for the tree.
    pub words: Option<&'a str>,
    /// Comma-separated ids of the expanded units; `None` expands a single top unit.
    pub open: Option<&'a str>,
    /// The order of units below one; `None`: by code.
    pub order: Option<Order>,
    /// The past day of the tree; `None` for today.
    pub on: Option<NaiveDate>,
}

#[derive(Debug, SurrealValue)]
struct OfficeRow {
    member: String,
    role: String,
    from: String,
    until: Option<String>,
}

#[derive(Debug, SurrealValue)]
struct NameRow {
    id: String,
    full_name: String,
}

impl<'a> UnitDesk<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// [`Self::list_by`] of today, ordered by code.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, viewer: &Viewer, query: Option<&str>, open: Option<&str>) -> Result<UnitsPage> {
        self.list_by(viewer, ListQuery { words: query, open, ..ListQuery::default() }).await
    }

    /// Without words: the tree of the viewer's units, today or on a past day. With words or a code: the matching units of the
    /// viewer's subtrees, then those that had a matching name or code. A viewer without an office sees the units from their branch
    /// upwards.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a day in the future.
    pub async fn list_by(&self, viewer: &Viewer, query: ListQuery<'_>) -> Result<UnitsPage> {
        let tree = self.backend.units().tree();
        let today = self.backend.clock().today();
        let empty = UnitsPage { today, on: None, day_problem: None, tree: Vec::new(), units: Vec::new(), more: false };
        let typed = query.words.unwrap_or_default();
        let words = fold(typed);
        if words.is_empty() {
            let (on, past) = self.past(query.on).await?;
            let rows = match &past {
                Some(past) => rows_then(&viewer.standpoint, &tree, past, &query),
                None => self.rows(viewer, &tree, &query),
            };
            return Ok(UnitsPage { on, tree: rows, ..empty });
        }
        let mut units = match codes_of(typed) {
            Some(codes) => self.rows_by_code(viewer, &tree, &codes),
            None => self.rows_by_words(viewer, &tree, &words),
        };
        let more = units.len() > LISTED;
        units.truncate(LISTED);
        Ok(UnitsPage { units, more, ..empty })
    }

    /// A single unit: its parents, leaders, units below and history; today, or as of a past day.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such unit, the viewer may not see it, or it did not exist on that day.
    pub async fn page(&self, viewer: &Viewer, id: &str, on: Option<NaiveDate>, below: BelowQuery<'_>) -> Result<UnitPage> {
        let now = self.backend.units().tree();
        let standpoint = &viewer.standpoint;
        // The permission is that of today, also for a past day.
        let known = now.known(id).filter(|unit| may_see(standpoint, &now, unit.id)).ok_or(Error::NotFound)?;
        let today = self.backend.clock().today();
        let (on, past) = self.past(on).await?;
        let tree: &Tree = past.as_ref().unwrap_or(&now);
        let unit = tree.get(known.id).or((on.is_none()).then_some(known)).ok_or(Error::NotFound)?.clone();
        let closed = now.closed.get(&known.id);
        let moving = now.moving.reach(&known.path);
        Ok(UnitPage {
            trail: trail(tree, &now, standpoint, &unit),
            today,
            on,
            leaders: self.leaders(unit.id, on.unwrap_or(today)).await?,
            members: self.members(standpoint, (&now, tree), known, on).await?,
            branches: tree.branches(&unit.path),
            children: self.children(tree, &now, standpoint, &unit, on.is_some(), below),
            opening: if on.is_some() { Opening::default() } else { now.opening(&known.path) },
            own_phase: now.node(known.id).and_then(|node| node.phase),
            closing: closed.map(|closed| Closing {
                on: closed.on,
                successor: closed.successor.and_then(|unit| now.known(&unit.to_string())).cloned(),
            }),
            moving,
            version: now.node(known.id).map_or(0, |node| node.version),
            steps: if on.is_some() { Vec::new() } else { steps(viewer, &now, known, today) },
            links: if on.is_some() || closed.is_some() { Vec::new() } else { links(standpoint, known) },
            history: history::forms(self.backend, &now, known).await?,
            counterparts: self.counterparts(standpoint, &now, past.as_deref().zip(on), known).await?,
            unit,
        })
    }

    /// Units that match the words and below which the unit can be moved ([`UnitStep::Move`]) or into which it can be merged
    /// ([`UnitStep::Merge`]).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAllowed`] as the step itself.
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn targets(&self, viewer: &Viewer, id: &str, step: UnitStep, query: Option<&str>) -> Result<UnitTargets> {
        let tree = self.backend.units().tree();
        let unit = managed(viewer, &tree, id)?;
        let parent = managed_parent(viewer, &tree, unit)?;
        let fits = |other: &UnitRef| match step {
            UnitStep::Merge => other.kind == unit.kind && other.id != unit.id,
            _ => unit.kind.hangs_on(other.kind) && other.id != parent.id && !unit.path.contains(&other.path),
        };
        let words = fold(query.unwrap_or_default());
        let formerly = if words.is_empty() { BTreeMap::new() } else { tree.formerly(&words) };
        let asked = |node: &Node| words.is_empty() || fits_words(node, &words) || formerly.contains_key(&node.unit.id);
        let mut found: Vec<&UnitRef> = viewer
            .standpoint
            .top_units(Action::ManageUnit)
            .into_iter()
            .flat_map(|top_unit| tree.nodes(top_unit))
            .filter(|node| fits(&node.unit) && asked(node))
            .map(|node| &node.unit)
            .collect();
        // Nearest first: those with the same parent, then by level from the lowest.
        found.sort_by_key(|other| (!parent.path.contains(&other.path), std::cmp::Reverse(other.kind), other.path.clone()));
        let more = found.len() > OFFERED;
        found.truncate(OFFERED);
        let is_phased = |other: &UnitRef| {
            let phased = match step {
                UnitStep::Merge => tree.phase_when_merged(unit, other),
                _ => tree.phase_when_moved(unit, other),
            };
            phased.is_some()
        };
        let phased = found.iter().filter(|other| is_phased(other)).map(|other| other.id).collect();
        Ok(UnitTargets {
            code: unit.path.code().to_owned(),
            version: tree.node(unit.id).map_or(0, |node| node.version),
            today: self.backend.clock().today(),
            members: self.backend.statistics().members(&viewer.standpoint, &tree, unit),
            units: count(tree.subtree(&unit.path).skip(1)),
            phase: tree.phase(&unit.path),
            phased,
            found: found
                .into_iter()
                .map(|unit| {
                    let is_current = words.is_empty() || tree.node(unit.id).is_some_and(|node| fits_words(node, &words));
                    let former = formerly.get(&unit.id).copied().filter(|_| !is_current);
                    self.row_formerly(&viewer.standpoint, &tree, unit, former)
                })
                .collect(),
            more,
            unit: unit.clone(),
        })
    }

    /// The tree as of a day.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be built.
    pub async fn tree_as_of(&self, day: NaiveDate) -> Result<Arc<Tree>> {
        self.backend.units().tree_as_of(day).await
    }

    /// A past day and its tree; neither for today.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a day in the future.
    pub(super) async fn past(&self, on: Option<NaiveDate>) -> Result<(Option<NaiveDate>, Option<Arc<Tree>>)> {
        let today = self.backend.clock().today();
        match on.filter(|on| *on != today) {
            Some(on) if on > today => Err(Error::NotFound),
            Some(on) => Ok((Some(on), Some(self.tree_as_of(on).await?))),
            None => Ok((None, None)),
        }
    }

    /// The units that have this name or code, or had it: the best [`rank`] first, and of equal ones those that have it. One more than
    /// [`LISTED`] when there are more.
    fn rows_by_words(&self, viewer: &Viewer, tree: &Tree, words: &str) -> Vec<UnitRow> {
        let standpoint = &viewer.standpoint;
        let current = visible(tree, viewer).filter(|node| fits_words(node, words)).map(|node| (rank_of(node, words), node));
        let current = best(current, LISTED + 1);
        let met: BTreeSet<UnitId> = current.iter().map(|node| node.unit.id).collect();
        let former = tree.formerly(words).into_iter().filter_map(|(id, version)| Some((present(tree, id)?, version)));
        let former = former.filter(|(unit, _)| !met.contains(&unit.id) && standpoint.may(Action::ReadUnit, &unit.path));
        let former = former.map(|(unit, version)| (rank(&version.folded, &version.code, words), (unit, Some(version))));
        let current = current.into_iter().map(|node| (rank_of(node, words), (&node.unit, None)));
        let found = best(current.chain(former), LISTED + 1);
        found.into_iter().map(|(unit, version)| self.row_formerly(standpoint, tree, unit, version)).collect()
    }

    /// The units of today that have these codes one below the other, or took over a unit that had them.
    pub(super) fn rows_by_code(&self, viewer: &Viewer, tree: &Tree, codes: &[&str]) -> Vec<UnitRow> {
        let standpoint = &viewer.standpoint;
        let mut found: BTreeMap<UnitId, UnitId> = BTreeMap::new();
        for id in tree.having(codes) {
            if let Some(unit) = tree.successor_of(id).filter(|unit| standpoint.may(Action::ReadUnit, &unit.path)) {
                // The unit that has the code itself is preferred to one that it took over.
                let once = found.entry(unit.id).or_insert(id);
                if id == unit.id {
                    *once = id;
                }
            }
        }
        let code = codes.last().copied().unwrap_or_default();
        let row = |(now, once): (UnitId, UnitId)| {
            let unit = present(tree, now)?;
            let is_current = once == now && unit.path.code().eq_ignore_ascii_case(code);
            let with_code = tree.versions_of(once).iter().rev().find(|version| version.code.eq_ignore_ascii_case(code));
            Some(self.row_formerly(standpoint, tree, unit, with_code.filter(|_| !is_current)))
        };
        found.into_iter().filter_map(row).take(LISTED + 1).collect()
    }

    /// The first level of the tree, with its expanded units.
    fn rows(&self, viewer: &Viewer, tree: &Tree, query: &ListQuery<'_>) -> Vec<TreeRow> {
        let standpoint = &viewer.standpoint;
        let top_units: Vec<&UnitRef> =
            standpoint.top_units(Action::ReadUnit).into_iter().filter_map(|top_unit| tree.at(top_unit)).collect();
        if top_units.is_empty() {
            let line = tree.trail(&standpoint.branch);
            let mut rows: Vec<TreeRow> =
                line.map(|unit| closed_row(tree, unit.clone(), self.size(standpoint, tree, unit), false)).collect();
            rows.reverse();
            return rows;
        }
        let open = opened(query.open, &top_units);
        let levels = Levels { open, order: query.order, below: |unit: &UnitRef| self.rows_below(standpoint, tree, unit) };
        let row = |unit: &UnitRef| {
            let size = self.size(standpoint, tree, unit);
            levels.grown(closed_row(tree, unit.clone(), size, has_children(tree, unit)))
        };
        top_units.into_iter().map(row).collect()
    }

    /// The collapsed rows of the units below one.
    fn rows_below(&self, standpoint: &Standpoint, tree: &Tree, unit: &UnitRef) -> Vec<TreeRow> {
        let row = |(unit, size): (UnitRef, UnitSize)| {
            let opens = has_children(tree, &unit);
            closed_row(tree, unit, size, opens)
        };
        self.sizes_below(standpoint, tree, unit).into_iter().map(row).collect()
    }

    fn size(&self, standpoint: &Standpoint, tree: &Tree, unit: &UnitRef) -> UnitSize {
        if standpoint.may(Action::ReadStatistics, &unit.path) {
            shown(self.backend.statistics().level(standpoint, tree, unit).0.figures)
        } else {
            let members = self.backend.statistics().members(standpoint, tree, unit);
            members.map_or(UnitSize::Hidden, UnitSize::Members)
        }
    }

    fn sizes_below(&self, standpoint: &Standpoint, tree: &Tree, unit: &UnitRef) -> Vec<(UnitRef, UnitSize)> {
        if standpoint.may(Action::ReadStatistics, &unit.path) {
            let (_, rows) = self.backend.statistics().level(standpoint, tree, unit);
            return rows.into_iter().map(|row| (row.unit, shown(row.figures))).collect();
        }
        let members = self.backend.statistics().members_below(standpoint, tree, unit);
        let size = |members: Option<u32>| members.map_or(UnitSize::Hidden, UnitSize::Members);
        tree.children(&unit.path)
            .zip(members)
            .map(|(child, members)| {
                // The viewer may be responsible for the figures of some of them.
                let has_figures = standpoint.may(Action::ReadStatistics, &child.path);
                let size = if has_figures { self.size(standpoint, tree, child) } else { size(members) };
                (child.clone(), size)
            })
            .collect()
    }

    fn row(&self, standpoint: &Standpoint, tree: &Tree, unit: &UnitRef) -> UnitRow {
        self.row_formerly(standpoint, tree, unit, None)
    }

    /// A unit that was found by an earlier version of it, or of a unit that it took over.
    fn row_formerly(&self, standpoint: &Standpoint, tree: &Tree, unit: &UnitRef, former: Option<&Version>) -> UnitRow {
        UnitRow {
            phase: tree.phase(&unit.path),
            parent: tree.parent(&unit.path).map(|parent| parent.name.clone()),
            // A closed unit has no members.
            members: tree.get(unit.id).and_then(|unit| self.backend.statistics().members(standpoint, tree, unit)),
            unit: unit.clone(),
            formerly: former.map(|version| Formerly { name: version.name.clone(), code: version.code.clone() }),
        }
    }

    /// The units below that the viewer may see: without an office, only those on the path to their branch.
    fn children(
        &self,
        tree: &Tree,
        now: &Tree,
        standpoint: &Standpoint,
        unit: &UnitRef,
        past: bool,
        query: BelowQuery<'_>,
    ) -> UnitsBelow {
        let row = |child: &UnitRef| {
            if past {
                UnitRow { unit: child.clone(), phase: Phase::Live, parent: None, members: None, formerly: None }
            } else {
                self.row(standpoint, tree, child)
            }
        };
        let below: Vec<&Node> = tree.child_nodes(&unit.path).filter(|child| may_see(standpoint, now, child.unit.id)).collect();
        let all = count(below.iter());
        let words = fold(query.words.unwrap_or_default());
        let found: Vec<&Node> = below.into_iter().filter(|child| words.is_empty() || fits_words(child, &words)).collect();
        let (page, pages, some) = cut(&found, query.page);
        let rows = some.iter().map(|child| row(&child.unit)).collect();
        UnitsBelow { rows, all, page, pages }
    }

    pub(super) async fn leaders(&self, unit: UnitId, day: NaiveDate) -> Result<Vec<Leader>> {
        let sql = "SELECT member, role, from, until FROM office WHERE unit = $unit";
        let rows: Vec<OfficeRow> = self.backend.store().read(sql, vars! { unit: unit.to_string() }).await?.rows(0)?;
        let day = day.to_string();
        let mut holders: Vec<(Role, String)> = rows
            .into_iter()
            .filter(|row| row.from <= day && row.until.as_ref().is_none_or(|until| *until >= day))
            .filter_map(|row| Some((Role::from_key(&row.role)?, row.member)))
            .filter(|(role, _)| matches!(role, Role::Secretary | Role::Deputy | Role::CommitteeMember))
            .collect();
        holders.sort_unstable();
        holders.dedup();
        let records: Vec<_> = holders.iter().map(|(_, member)| record("member", member)).collect();
        let sql = "SELECT record::id(id) AS id, full_name FROM $records WHERE state = 'active'";
        let names: Vec<NameRow> = self.backend.store().read(sql, vars! { records: records }).await?.rows(0)?;
        let mut leaders: Vec<Leader> = holders
            .into_iter()
            .filter_map(|(role, member)| {
                let name = names.iter().find(|row| row.id == member)?.full_name.clone();
                Some(Leader { role, name })
            })
            .collect();
        leaders.sort_by_cached_key(|leader| (leader.role, name_order(&leader.name)));
        Ok(leaders)
    }

    /// The number of members: today from the counters; on a past day from the postings, for branches only, which are small.
    async fn members(
        &self,
        standpoint: &Standpoint,
        (now, then): (&Tree, &Tree),
        unit: &UnitRef,
        on: Option<NaiveDate>,
    ) -> Result<Option<u32>> {
        let today = now.get(unit.id).map(|unit| self.backend.statistics().members(standpoint, now, unit));
        let Some(on) = on else {
            return Ok(today.flatten());
        };
        if !unit.kind.knows_members() {
            return Ok(None);
        }
        let units: Vec<UnitId> =
            then.get(unit.id).map(|unit| then.registering(unit).map(|unit| unit.id).collect()).unwrap_or_default();
        let there = self.there_on(&units, on).await?;
        // A number hidden today must not be revealed by that of the day before.
        let is_told = !is_small(there) && today.is_none_or(|members| members.is_some());
        Ok((is_told || standpoint.may(Action::ReadMembers, &unit.path)).then_some(there))
    }

    /// The number of members registered in these units on a day.
    pub(super) async fn there_on(&self, units: &[UnitId], on: NaiveDate) -> Result<u32> {
        let mut there: BTreeSet<String> = BTreeSet::new();
        for unit in units {
            // Members whose posting has ended since, and current ones.
            let mut found = self.backend.store().read(THERE_ON, vars! { unit: unit.to_string(), on: on.to_string() }).await?;
            there.extend(found.rows::<String>(0)?);
            there.extend(found.rows::<String>(1)?);
        }
        Ok(count(there.into_iter()))
    }
}

/// The tree below its top units: which are expanded, in which order, and how the units below one are found.
struct Levels<F> {
    open: BTreeSet<UnitId>,
    order: Option<Order>,
    below: F,
}

impl<F: Fn(&UnitRef) -> Vec<TreeRow>> Levels<F> {
    /// Expands a row and those below it. Recursion is bounded by the depth of the tree, at most one level for each of the pack.
    fn grown(&self, mut row: TreeRow) -> TreeRow {
        if row.opens && self.open.contains(&row.unit.id) {
            let query = TableQuery { words: None, order: self.order, rows: TreeRow::BELOW };
            let cut = query.cut((self.below)(&row.unit));
            row.more = u32::try_from(cut.found.saturating_sub(cut.rows.len())).unwrap_or(u32::MAX);
            row.below = cut.rows.into_iter().map(|row| self.grown(row)).collect();
        }
        row
    }
}

/// The expanded units: those in the address, or a single top unit.
fn opened(asked: Option<&str>, top_units: &[&UnitRef]) -> BTreeSet<UnitId> {
    match (asked, top_units) {
        (Some(open), _) => open.split(',').filter_map(|id| id.parse().ok()).take(OPEN).collect(),
        (None, [only]) => BTreeSet::from([only.id]),
        (None, _) => BTreeSet::new(),
    }
}

/// The tree of a past day, of the units whose people the viewer is responsible for today.
fn rows_then(standpoint: &Standpoint, now: &Tree, past: &Tree, query: &ListQuery<'_>) -> Vec<TreeRow> {
    let row = |unit: &UnitRef, opens: bool| TreeRow {
        phase: Phase::Live,
        unit: unit.clone(),
        size: UnitSize::NotRecorded,
        opens,
        below: Vec::new(),
        more: 0,
    };
    let top_units = top_units_then(standpoint, now, past);
    if top_units.is_empty() {
        let branch = now.at(&standpoint.branch).and_then(|branch| past.get(branch.id));
        let line = branch.into_iter().flat_map(|branch| past.trail(&branch.path));
        let mut rows: Vec<TreeRow> = line.filter(|unit| may_see(standpoint, now, unit.id)).map(|unit| row(unit, false)).collect();
        rows.reverse();
        return rows;
    }
    let below = |unit: &UnitRef| {
        let children = past.children(&unit.path).filter(|child| may_see(standpoint, now, child.id));
        children.map(|child| row(child, has_children(past, child))).collect::<Vec<TreeRow>>()
    };
    let levels = Levels { open: opened(query.open, &top_units), order: query.order, below };
    top_units.into_iter().map(|unit| levels.grown(row(unit, has_children(past, unit)))).collect()
}

/// The highest units of a past day that became units which the viewer sees by an office today.
fn top_units_then<'p>(standpoint: &Standpoint, now: &Tree, past: &'p Tree) -> Vec<&'p UnitRef> {
    let is_seen =
        |unit: &UnitRef| now.successor_of(unit.id).is_some_and(|unit| standpoint.may_by_office(Action::ReadUnit, &unit.path));
    // The usual case of the highest committee, without a pass over the tree.
    if let Some(root) = past.all().next().filter(|root| is_seen(root)) {
        return vec![root];
    }
    let seen = standpoint.top_units(Action::ReadUnit).into_iter().flat_map(|top_unit| now.subtree(top_unit));
    let then = seen.flat_map(|unit| std::iter::once(unit.id).chain(now.inherited(unit.id))).filter_map(|id| past.get(id));
    let mut paths: Vec<&UnitPath> = then.map(|unit| &unit.path).collect();
    paths.sort_unstable();
    paths.dedup_by(|below, above| above.contains(below));
    paths.into_iter().filter_map(|path| past.at(path)).collect()
}

/// Whether the viewer may see a unit, open or closed: itself, or the unit of today that took it over.
pub(super) fn may_see(standpoint: &Standpoint, now: &Tree, unit: UnitId) -> bool {
    let itself = now.get(unit).or_else(|| now.closed.get(&unit).map(|closed| &closed.unit));
    itself.into_iter().chain(now.successor_of(unit)).any(|unit| standpoint.may(Action::ReadUnit, &unit.path))
}

/// A unit of today, or one that ended without a successor.
fn present(tree: &Tree, id: UnitId) -> Option<&UnitRef> {
    tree.successor_of(id).filter(|unit| unit.id == id)
}

/// A page of [`LISTED`] items: its number, clamped to the existing ones, the number of pages, and its items.
pub(super) fn cut<T>(items: &[T], page: u32) -> (u32, u32, &[T]) {
    let pages = count(items.chunks(LISTED)).max(1);
    let page = page.clamp(1, pages);
    let first = usize::try_from(page - 1).unwrap_or(usize::MAX);
    (page, pages, items.chunks(LISTED).nth(first).unwrap_or_default())
}

/// Members registered in a unit on a day.
const THERE_ON: &str = "SELECT VALUE member FROM posting WHERE unit = $unit AND from <= $on AND until >= $on; \
     SELECT VALUE record::id(id) FROM member WHERE unit = $unit AND posted_from != NONE AND posted_from <= $on;";

fn closed_row(tree: &Tree, unit: UnitRef, size: UnitSize, opens: bool) -> TreeRow {
    TreeRow { phase: tree.phase(&unit.path), unit, size, opens, below: Vec::new(), more: 0 }
}

/// Size of a unit from figures that may be hidden.
fn shown(figures: Option<Figures>) -> UnitSize {
    figures.map_or(UnitSize::Hidden, |figures| UnitSize::Activated(Share { members: figures.members, done: figures.activated }))
}

/// All open units that the viewer may see, the top units first.
pub(super) fn visible<'t>(tree: &'t Tree, viewer: &'t Viewer) -> impl Iterator<Item = &'t Node> {
    let standpoint = &viewer.standpoint;
    let top_units = standpoint.top_units(Action::ReadUnit);
    let line: Vec<&Node> = tree
        .trail(&standpoint.branch)
        .filter(|unit| !standpoint.may_by_office(Action::ReadUnit, &unit.path))
        .filter_map(|unit| tree.node(unit.id))
        .collect();
    top_units.into_iter().flat_map(|top_unit| tree.nodes(top_unit)).chain(line)
}

/// All words are in the name, or the query is the code.
pub(super) fn fits_words(node: &Node, words: &str) -> bool {
    matches(&node.folded, node.unit.path.code(), words)
}

/// The [`rank`] of a unit with its present name and code.
pub(super) fn rank_of(node: &Node, words: &str) -> usize {
    rank(&node.folded, node.unit.path.code(), words)
}

fn has_children(tree: &Tree, unit: &UnitRef) -> bool {
    tree.children(&unit.path).next().is_some()
}

/// The units above, from the highest one the viewer may see: the position as of that day, the permission of today.
fn trail(tree: &Tree, now: &Tree, standpoint: &Standpoint, unit: &UnitRef) -> Vec<UnitRef> {
    let may = |above: &&UnitRef| may_see(standpoint, now, above.id);
    let mut trail: Vec<UnitRef> = tree.trail(&unit.path).filter(may).cloned().collect();
    if trail.last().is_none_or(|last| last.id != unit.id) {
        trail.push(unit.clone());
    }
    trail
}

fn steps(viewer: &Viewer, tree: &Tree, unit: &UnitRef, today: NaiveDate) -> Vec<UnitStep> {
    let standpoint = &viewer.standpoint;
    if tree.get(unit.id).is_none() || !standpoint.may_by_office(Action::ManageUnit, &unit.path) {
        return Vec::new();
    }
    let above = managed_parent(viewer, tree, unit).is_ok();
    let offered = |step: &UnitStep| match step {
        UnitStep::New => unit.kind.levels_below(today).next().is_some(),
        UnitStep::Rename | UnitStep::Phase => true,
        UnitStep::Move | UnitStep::Merge | UnitStep::Close => above,
        UnitStep::Split => above && unit.kind.splits() && standpoint.may_by_office(Action::ManageMembers, &unit.path),
    };
    UnitStep::ALL.into_iter().filter(offered).collect()
}

fn links(standpoint: &Standpoint, unit: &UnitRef) -> Vec<UnitLink> {
    let may = |action| standpoint.may_by_office(action, &unit.path);
    [
        (UnitLink::Members, may(Action::ReadMembers)),
        (UnitLink::Roles, may(Action::GrantRoles)),
        (UnitLink::Codes, may(Action::IssueCodes) && unit.kind.knows_members()),
        (UnitLink::Statistics, may(Action::ReadStatistics)),
        (UnitLink::Audit, may(Action::ReadAudit)),
    ]
    .into_iter()
    .filter_map(|(link, may)| may.then_some(link))
    .collect()
}

pub(super) fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn the_query_of_past_members_uses_an_index() {
        let vars = vars! { unit: "01ARZ3NDEKTSV4RRFFQ69G5FAV", on: "2026-11-21" };
        migrated().await.assert_no_scan(THERE_ON, vars).await;
    }
}
