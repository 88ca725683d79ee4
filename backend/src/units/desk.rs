//! Views of units: the list, the page of a unit, the choices of forms.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::{
    accounts::Viewer,
    folding::{fold, name_order},
    ids::UnitId,
    policy::{Action, Role, Standpoint},
    statistics::{Figures, Share, is_small},
    units::{
        Closing, Leader, Opening, TreeRow, UnitLink, UnitPage, UnitPath, UnitRef, UnitRow, UnitSize, UnitStep, UnitTargets,
        UnitsBelow, UnitsPage,
    },
};

use super::{Tree, change::managed, change::managed_parent, history};
use crate::{
    Backend, Error, Result,
    store::{SurrealValue, record, vars},
};

/// Maximum number of rows of a list; with more, the search must be narrowed.
const LISTED: usize = 50;

/// Maximum number of choices of a form.
const OFFERED: usize = 12;

/// Maximum number of expanded units of the tree; each costs a pass over its subtree.
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

    /// Without a query: the tree of the viewer's units, in which the units in `open` (comma-separated ids) are expanded; without
    /// `open`, a single top unit is. With words or a code: the matching units of the viewer's subtrees. A viewer without an
    /// office sees the units from their branch upwards.
    ///
    /// # Errors
    /// Those of the store.
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn list(&self, viewer: &Viewer, query: Option<&str>, open: Option<&str>) -> Result<UnitsPage> {
        let tree = self.backend.units().tree();
        let words = fold(query.unwrap_or_default());
        if words.is_empty() {
            return Ok(UnitsPage { tree: self.rows(viewer, &tree, open), units: Vec::new(), more: false });
        }
        let found: Vec<&UnitRef> = visible(&tree, viewer).filter(|unit| matches(&tree, unit, &words)).take(LISTED + 1).collect();
        let more = found.len() > LISTED;
        let units = found.into_iter().take(LISTED).map(|unit| self.row(&viewer.standpoint, &tree, unit)).collect();
        Ok(UnitsPage { tree: Vec::new(), units, more })
    }

    /// A single unit: its parents, leaders, units below and history; today, or as of a past day.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such unit, the viewer may not see it, or it did not exist on that day.
    pub async fn page(&self, viewer: &Viewer, id: &str, on: Option<NaiveDate>, below: BelowQuery<'_>) -> Result<UnitPage> {
        let now = self.backend.units().tree();
        let standpoint = &viewer.standpoint;
        // The permission is that of today, also for a past day.
        let known = now.known(id).filter(|unit| standpoint.may(Action::ReadUnit, &unit.path)).ok_or(Error::NotFound)?;
        let today = self.backend.clock().today();
        let on = on.filter(|on| *on != today);
        let past = match on {
            Some(on) if on > today => return Err(Error::NotFound),
            Some(on) => Some(history::tree_as_of(self.backend, on).await?),
            None => None,
        };
        let tree = past.as_ref().unwrap_or(&now);
        let unit = tree.get(known.id).or((on.is_none()).then_some(known)).ok_or(Error::NotFound)?.clone();
        let closed = now.closed.get(&known.id);
        let moving = now.moving.iter().any(|shift| shift.to.contains(&known.path));
        Ok(UnitPage {
            trail: trail(tree, &now, standpoint, &unit),
            today,
            on,
            leaders: self.leaders(unit.id, on.unwrap_or(today)).await?,
            members: self.members(standpoint, (&now, tree), known, on).await?,
            branches: branches(tree, &unit.path),
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
        let mut found: Vec<&UnitRef> = viewer
            .standpoint
            .top_units(Action::ManageUnit)
            .into_iter()
            .flat_map(|top_unit| tree.subtree(top_unit))
            .filter(|other| fits(other) && (words.is_empty() || matches(&tree, other, &words)))
            .collect();
        // Nearest first: those with the same parent, then by level from the lowest.
        found.sort_by_key(|other| (!parent.path.contains(&other.path), std::cmp::Reverse(other.kind), other.path.clone()));
        let more = found.len() > OFFERED;
        found.truncate(OFFERED);
        Ok(UnitTargets {
            code: unit.path.code().to_owned(),
            version: tree.node(unit.id).map_or(0, |node| node.version),
            today: self.backend.clock().today(),
            members: self.backend.statistics().members(&viewer.standpoint, &tree, unit),
            units: count(tree.subtree(&unit.path).skip(1)),
            found: found.into_iter().map(|unit| self.row(&viewer.standpoint, &tree, unit)).collect(),
            more,
            unit: unit.clone(),
        })
    }

    /// The tree as of a day.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn tree_as_of(&self, day: NaiveDate) -> Result<Tree> {
        history::tree_as_of(self.backend, day).await
    }

    /// The first level of the tree, with its expanded units.
    fn rows(&self, viewer: &Viewer, tree: &Tree, open: Option<&str>) -> Vec<TreeRow> {
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
        let open: BTreeSet<UnitId> = match (open, top_units.as_slice()) {
            (Some(open), _) => open.split(',').filter_map(|id| id.parse().ok()).take(OPEN).collect(),
            (None, [only]) => BTreeSet::from([only.id]),
            (None, _) => BTreeSet::new(),
        };
        let grown = |unit: &UnitRef| self.grown(standpoint, tree, unit.clone(), self.size(standpoint, tree, unit), &open);
        top_units.into_iter().map(grown).collect()
    }

    /// Recursion is bounded by the depth of the tree, at most one level for each of the pack.
    fn grown(&self, standpoint: &Standpoint, tree: &Tree, unit: UnitRef, size: UnitSize, open: &BTreeSet<UnitId>) -> TreeRow {
        let opens = tree.subtree(&unit.path).nth(1).is_some();
        let mut row = closed_row(tree, unit, size, opens);
        if opens && open.contains(&row.unit.id) {
            let below = self.sizes_below(standpoint, tree, &row.unit);
            row.more = count(below.iter().skip(TreeRow::BELOW));
            let listed = below.into_iter().take(TreeRow::BELOW);
            row.below = listed.map(|(unit, size)| self.grown(standpoint, tree, unit, size, open)).collect();
        }
        row
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
        tree.children(&unit.path).map(|child| (child.clone(), self.size(standpoint, tree, child))).collect()
    }

    fn row(&self, standpoint: &Standpoint, tree: &Tree, unit: &UnitRef) -> UnitRow {
        UnitRow {
            phase: tree.phase(&unit.path),
            parent: tree.parent(&unit.path).map(|parent| parent.name.clone()),
            members: self.backend.statistics().members(standpoint, tree, unit),
            unit: unit.clone(),
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
        let visible = |child: &&UnitRef| {
            now.known(&child.id.to_string()).is_some_and(|child| standpoint.may(Action::ReadUnit, &child.path))
        };
        let row = |child: &UnitRef| {
            if past {
                UnitRow { unit: child.clone(), phase: domain::units::Phase::Live, parent: None, members: None }
            } else {
                self.row(standpoint, tree, child)
            }
        };
        let below: Vec<&UnitRef> = tree.children(&unit.path).filter(visible).collect();
        let all = count(below.iter());
        let words = fold(query.words.unwrap_or_default());
        let found: Vec<&UnitRef> = below.into_iter().filter(|child| words.is_empty() || matches(tree, child, &words)).collect();
        let pages = count(found.chunks(LISTED)).max(1);
        let page = query.page.clamp(1, pages);
        let first = usize::try_from(page - 1).unwrap_or(usize::MAX);
        let rows = found.chunks(LISTED).nth(first).unwrap_or_default().iter().copied().map(row).collect();
        UnitsBelow { rows, all, page, pages }
    }

    async fn leaders(&self, unit: UnitId, day: NaiveDate) -> Result<Vec<Leader>> {
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
        let mut there: BTreeSet<String> = BTreeSet::new();
        for unit in units {
            // Members whose posting has ended since, and current ones.
            let mut found = self.backend.store().read(THERE_ON, vars! { unit: unit.to_string(), on: on.to_string() }).await?;
            there.extend(found.rows::<String>(0)?);
            there.extend(found.rows::<String>(1)?);
        }
        let there = count(there.into_iter());
        // A number hidden today must not be revealed by that of the day before.
        let is_told = !is_small(there) && today.is_none_or(|members| members.is_some());
        Ok((is_told || standpoint.may(Action::ReadMembers, &unit.path)).then_some(there))
    }
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
fn visible<'t>(tree: &'t Tree, viewer: &'t Viewer) -> impl Iterator<Item = &'t UnitRef> {
    let standpoint = &viewer.standpoint;
    let top_units = standpoint.top_units(Action::ReadUnit);
    let line: Vec<&UnitRef> =
        tree.trail(&standpoint.branch).filter(|unit| !standpoint.may_by_office(Action::ReadUnit, &unit.path)).collect();
    top_units.into_iter().flat_map(|top_unit| tree.subtree(top_unit)).chain(line)
}

/// All words are in the name, or the query is the code.
fn matches(tree: &Tree, unit: &UnitRef, words: &str) -> bool {
    let Some(node) = tree.node(unit.id) else { return false };
    unit.path.code().eq_ignore_ascii_case(words) || words.split(' ').all(|word| node.folded.contains(word))
}

/// The units above, from the highest one the viewer may see: the position as of that day, the permission of today.
fn trail(tree: &Tree, now: &Tree, standpoint: &Standpoint, unit: &UnitRef) -> Vec<UnitRef> {
    let may = |above: &&UnitRef| {
        let known = now.known(&above.id.to_string());
        known.is_some_and(|known| standpoint.may(Action::ReadUnit, &known.path))
    };
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

fn branches(tree: &Tree, path: &UnitPath) -> u32 {
    count(tree.subtree(path).skip(1).filter(|unit| unit.kind.meets_as_branch()))
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
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
