//! What became of a unit: found by a name or code that it has or had, followed through every change to the unit of today.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::{
    accounts::Viewer,
    events::{EventBody, EventKind},
    folding::fold,
    ids::UnitId,
    policy::Action,
    units::{Became, BecamePage, BecameStep, BranchThen, BranchesThen, ByCode, PartNow, UnitChange, UnitForm, UnitRef, UnitThen},
};

use super::{
    Tree, UnitDesk,
    desk::{LISTED, count, cut, fits_words, rank_of, visible},
    former::{Form, Version, best, codes_of, rank},
};
use crate::{
    Error, Result,
    store::{SurrealValue, vars},
};

/// Most units that may have been split off from one unit and are looked up for its page.
const DIVIDED: usize = 20;

/// Most reorganisations that may have divided a unit and are looked up for its page, the latest ones.
const REORGANISED: usize = 20;

/// Selects units for [`UnitDesk::became`].
#[derive(Debug, Clone, Copy, Default)]
pub struct BecameQuery<'a> {
    /// Words of a name, a code, or a path of codes such as `01/51/001`.
    pub words: Option<&'a str>,
    /// The id of a single unit, in place of words.
    pub unit: Option<&'a str>,
    /// The day on which it had the name or code; `None` for any day.
    pub on: Option<NaiveDate>,
    /// The page of its branches, counted from 1. Clamped to the existing pages.
    pub page: u32,
}

/// A unit that was found, as it was on a day.
struct Found<'t> {
    unit: UnitId,
    form: Form<'t>,
    day: NaiveDate,
}

#[derive(Debug, SurrealValue)]
struct SplitRow {
    detail: Option<String>,
}

/// The event by which a unit was split off.
const SPLIT_FROM: &str = "SELECT detail FROM event WHERE subject = $subject AND kind = $kind LIMIT 1";

#[derive(Debug, SurrealValue)]
struct PartsRow {
    candidates: Vec<String>,
}

/// The other parts of a unit that was divided by a reorganisation: the same in each row of the queue.
const PARTS: &str = "SELECT candidates FROM reassignment WHERE effective_on = $on AND from_unit = $unit LIMIT 1";

/// A division by a reorganisation.
struct Parted {
    unit: UnitId,
    on: NaiveDate,
    others: Vec<UnitId>,
}

impl UnitDesk<'_> {
    /// The units that have or had a name or code, each with what happened to it and where it is now. A unit is found only by
    /// viewers who may see the unit of today that it became.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a day in the future, and for a single unit that does not exist, did not exist on that day, or is
    /// not visible to the viewer.
    pub async fn became(&self, viewer: &Viewer, query: BecameQuery<'_>) -> Result<BecamePage> {
        let tree = self.backend.units().tree();
        let today = self.backend.clock().today();
        let (on, past) = self.past(query.on).await?;
        let mut found = match query.unit {
            Some(id) => vec![single(&tree, id, on, today).ok_or(Error::NotFound)?],
            None => match on {
                Some(day) => found_on(&tree, past.as_deref(), day, query.words.unwrap_or_default()),
                None => found_ever(&tree, viewer, query.words.unwrap_or_default(), today),
            },
        };
        found.retain(|found| may_follow(viewer, &tree, found.unit));
        if query.unit.is_some() && found.is_empty() {
            return Err(Error::NotFound);
        }
        let more = found.len() > BecamePage::FOUND;
        found.truncate(BecamePage::FOUND);
        let branches = match found.as_slice() {
            [only] => self.branches_then(viewer, &tree, only, query.page).await?,
            _ => None,
        };
        let mut shown = Vec::with_capacity(found.len());
        for found in &found {
            shown.extend(self.fate(viewer, &tree, found, today).await?);
        }
        Ok(BecamePage { today, on, day_problem: None, found: shown, more, branches })
    }

    /// The units that have or had a code, or a path of codes such as `01.51.001`, whatever their place today.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none that the viewer may see.
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn by_code(&self, viewer: &Viewer, typed: &str) -> Result<ByCode> {
        let tree = self.backend.units().tree();
        let codes = codes_of(typed).unwrap_or_else(|| vec![typed.trim()]);
        let mut units = self.rows_by_code(viewer, &tree, &codes);
        if units.is_empty() {
            return Err(Error::NotFound);
        }
        let more = units.len() > LISTED;
        units.truncate(LISTED);
        Ok(ByCode { code: codes.join("/"), units, more })
    }

    /// What happened to a unit since a day, and where it is now.
    async fn fate(&self, viewer: &Viewer, tree: &Tree, found: &Found<'_>, today: NaiveDate) -> Result<Option<Became>> {
        let Some(now) = tree.successor_of(found.unit) else { return Ok(None) };
        let mut steps = tree.steps_since(found.unit, found.day);
        steps.extend(self.divisions(tree, found).await?);
        let mut parts: Vec<PartNow> = Vec::new();
        for parted in self.parted(viewer, tree, found).await? {
            tree.note_parted(&mut steps, &parted);
            let others = parted.others.iter().filter_map(|other| tree.successor_of(*other)).filter(|other| other.id != now.id);
            for other in others {
                if parts.iter().all(|part| part.unit.id != other.id) {
                    parts.push(PartNow {
                        parent: tree.parent(&other.path).map(|parent| parent.name.clone()),
                        is_open: tree.get(other.id).is_some(),
                        unit: other.clone(),
                    });
                }
            }
        }
        // The sort is stable: a unit is renamed before it ends on the same day.
        steps.sort_by_key(BecameStep::day);
        let is_open = tree.get(now.id).is_some();
        let leaders = if is_open { self.leaders(now.id, today).await? } else { Vec::new() };
        Ok(Some(Became {
            then: UnitThen {
                id: found.unit,
                kind: found.form.kind,
                name: found.form.name.to_owned(),
                code: found.form.code.to_owned(),
                parent: found.form.parent.and_then(|parent| tree.name_on(parent, found.day)),
                day: found.day,
            },
            steps,
            now: now.clone(),
            parent: tree.parent(&now.path).map(|parent| parent.name.clone()),
            is_open,
            parts,
            leaders,
        }))
    }

    /// The units that were split off from this one since the day.
    async fn divisions(&self, tree: &Tree, found: &Found<'_>) -> Result<Vec<BecameStep>> {
        let began = tree.begun_by_split(found.form.parent, found.day).take(DIVIDED);
        let mut steps = Vec::new();
        for version in began {
            let Some(fresh) = tree.known(&version.unit.to_string()) else { continue };
            let vars = vars! { subject: version.unit.to_string(), kind: EventKind::UnitSplit.key() };
            let row: Option<SplitRow> = self.backend.store().read(SPLIT_FROM, vars).await?.row(0)?;
            let Some(SplitRow { detail }) = row else { continue };
            let body = EventBody::parse(EventKind::UnitSplit, &version.unit.to_string(), detail.as_deref());
            let Some(EventBody::UnitSplit { from: Some(from), .. }) = body else { continue };
            if tree.once_at(&from) == Some(found.unit) {
                let fresh = UnitRef { name: version.name.clone(), ..fresh.clone() };
                steps.push(BecameStep::Divided { on: version.from, fresh });
            }
        }
        Ok(steps)
    }

    /// Divisions by reorganisations of the unit since the day, and of those that succeeded it. Parts that the viewer may not see are
    /// left out.
    async fn parted(&self, viewer: &Viewer, tree: &Tree, found: &Found<'_>) -> Result<Vec<Parted>> {
        let mut all = Vec::new();
        for (unit, since, until) in tree.line_since(found.unit, found.day) {
            for on in tree.reorganised(since, until) {
                let vars = vars! { on: on.to_string(), unit: unit.to_string() };
                let row: Option<PartsRow> = self.backend.store().read(PARTS, vars).await?.row(0)?;
                let candidates = row.map(|row| row.candidates).unwrap_or_default();
                let others = candidates.iter().filter_map(|other| other.parse::<UnitId>().ok());
                let others: Vec<UnitId> = others.filter(|other| may_follow(viewer, tree, *other)).collect();
                if !others.is_empty() {
                    all.push(Parted { unit, on, others });
                }
            }
        }
        Ok(all)
    }

    /// The branches below a unit on a day, and where each is now; `None` for a unit without.
    async fn branches_then(&self, viewer: &Viewer, tree: &Tree, found: &Found<'_>, page: u32) -> Result<Option<BranchesThen>> {
        if found.form.kind.knows_members() {
            return Ok(None);
        }
        let (_, past) = self.past(Some(found.day)).await?;
        let then = past.as_deref().unwrap_or(tree);
        let Some(unit) = then.get(found.unit) else { return Ok(None) };
        let branches: Vec<(&UnitRef, &UnitRef)> = then
            .subtree(&unit.path)
            .filter(|branch| branch.id != unit.id && branch.kind.meets_as_branch())
            .filter_map(|branch| Some((branch, tree.successor_of(branch.id)?)))
            .filter(|(_, now)| viewer.standpoint.may(Action::ReadUnit, &now.path))
            .collect();
        let (page, pages, some) = cut(&branches, page);
        let row = |(branch, now): &(&UnitRef, &UnitRef)| BranchThen {
            name: branch.name.clone(),
            code: branch.path.code().to_owned(),
            now: (*now).clone(),
            parent: tree.parent(&now.path).map(|parent| parent.name.clone()),
            is_open: tree.get(now.id).is_some(),
        };
        let rows = some.iter().map(row).collect();
        Ok(Some(BranchesThen { rows, all: count(branches.iter()), page, pages }))
    }
}

/// Whether the viewer may see the unit of today that a unit became.
fn may_follow(viewer: &Viewer, tree: &Tree, unit: UnitId) -> bool {
    tree.successor_of(unit).is_some_and(|now| viewer.standpoint.may(Action::ReadUnit, &now.path))
}

/// One unit: as of the day, else as it was before its last change or its end, else as it is.
fn single<'t>(tree: &'t Tree, id: &str, on: Option<NaiveDate>, today: NaiveDate) -> Option<Found<'t>> {
    let unit: UnitId = id.parse().ok()?;
    if let Some(day) = on {
        return Some(Found { unit, form: tree.form_on(unit, day)?, day });
    }
    let former = tree.versions_of(unit).iter().rev().find(|version| version.until.is_some() && version.was_in_effect());
    if let Some((version, day)) = former.and_then(|version| Some((version, version.until?))) {
        return Some(Found { unit, form: version.form(), day });
    }
    Some(Found { unit, form: tree.form_on(unit, today)?, day: today })
}

/// The units with this name or code on a day.
fn found_on<'t>(tree: &'t Tree, past: Option<&Tree>, day: NaiveDate, typed: &str) -> Vec<Found<'t>> {
    let words = fold(typed);
    if words.is_empty() {
        return Vec::new();
    }
    let then = past.unwrap_or(tree);
    let ids: Vec<UnitId> = match codes_of(typed) {
        // The tree of a past day has no codes but those in its paths.
        Some(codes) => {
            let end = format!("/{}/", codes.join("/"));
            then.all().filter(|unit| unit.path.as_str().ends_with(&end)).map(|unit| unit.id).collect()
        }
        None => then.by_path.values().filter(|node| fits_words(node, &words)).map(|node| node.unit.id).collect(),
    };
    let mut found: Vec<Found<'_>> =
        ids.into_iter().filter_map(|unit| Some(Found { unit, form: tree.form_on(unit, day)?, day })).collect();
    sort_by_rank(&mut found, &words);
    found
}

/// The best [`rank`] first, the others in their order.
fn sort_by_rank(found: &mut [Found<'_>], words: &str) {
    found.sort_by_cached_key(|found| rank(found.form.folded, found.form.code, words));
}

/// The best matches first; of equal ones the units that had this name or code, the latest first, then those that have it.
fn found_ever<'t>(tree: &'t Tree, viewer: &Viewer, typed: &str, today: NaiveDate) -> Vec<Found<'t>> {
    let words = fold(typed);
    if words.is_empty() {
        return Vec::new();
    }
    let (former, current): (Vec<&Version>, Vec<UnitId>) = match codes_of(typed) {
        Some(codes) => {
            let units = tree.having(&codes);
            let versions = units.iter().flat_map(|unit| tree.versions_of(*unit));
            (versions.filter(|version| version.was_in_effect()).collect(), units.iter().copied().collect())
        }
        None => {
            let current = visible(tree, viewer).filter(|node| fits_words(node, &words));
            let current = best(current.map(|node| (rank_of(node, &words), node.unit.id)), BecamePage::FOUND + 1);
            (tree.former_versions(&words), current)
        }
    };
    let mut latest: BTreeMap<UnitId, (NaiveDate, &Version)> = BTreeMap::new();
    for version in former {
        let Some(until) = version.until.filter(|_| may_follow(viewer, tree, version.unit)) else { continue };
        let held = latest.entry(version.unit).or_insert((until, version));
        if held.0 < until {
            *held = (until, version);
        }
    }
    let mut found: Vec<Found<'_>> =
        latest.into_values().map(|(day, version)| Found { unit: version.unit, form: version.form(), day }).collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.day));
    let met: BTreeSet<UnitId> = found.iter().map(|found| found.unit).collect();
    let others = current.into_iter().filter(|unit| !met.contains(unit));
    found.extend(others.filter_map(|unit| Some(Found { unit, form: tree.form_on(unit, today)?, day: today })));
    sort_by_rank(&mut found, &words);
    found
}

impl Tree {
    /// What happened to a unit after a day, and to those that succeeded it after they did.
    fn steps_since(&self, unit: UnitId, day: NaiveDate) -> Vec<BecameStep> {
        let (mut unit, mut day) = (unit, day);
        let mut steps = Vec::new();
        // Each unit closes once, so the chain is no longer than the number of closed units.
        for _ in 0..=self.closed.len() {
            let later = self.versions_of(unit).iter().filter(|version| version.from > day && version.was_in_effect());
            steps.extend(later.map(|version| BecameStep::Changed(self.entry(version))));
            let Some(closed) = self.closed.get(&unit) else { break };
            let into = closed.successor.and_then(|next| {
                let name = self.name_on(next, closed.on);
                let known = self.known(&next.to_string())?.clone();
                Some(UnitRef { name: name.unwrap_or_else(|| known.name.clone()), ..known })
            });
            let alone = closed.successor.is_some_and(|next| self.began_from_one(next, closed.on));
            steps.push(BecameStep::Ended { on: closed.on, into, alone });
            let Some(next) = closed.successor else { break };
            // What the successor went through earlier, or on that very day, is not part of this story.
            (unit, day) = (next, closed.on);
        }
        steps
    }

    /// The unit and those that succeeded it: for each, the day after which its events are part of the story, and the day of its end.
    fn line_since(&self, unit: UnitId, day: NaiveDate) -> Vec<(UnitId, NaiveDate, Option<NaiveDate>)> {
        let (mut unit, mut day) = (unit, day);
        let mut line = Vec::new();
        for _ in 0..=self.closed.len() {
            let closed = self.closed.get(&unit);
            line.push((unit, day, closed.map(|closed| closed.on)));
            let Some((next, on)) = closed.and_then(|closed| Some((closed.successor?, closed.on))) else { break };
            (unit, day) = (next, on);
        }
        line
    }

    /// The days of reorganisations after a day, until another one, the latest first.
    fn reorganised(&self, after: NaiveDate, until: Option<NaiveDate>) -> Vec<NaiveDate> {
        let is_within = |day: &NaiveDate| *day > after && until.is_none_or(|until| *day <= until);
        let reorganised = self.versions.iter().filter(|version| version.cause == UnitChange::Reorganised);
        let days: BTreeSet<NaiveDate> = reorganised.map(|version| version.from).filter(is_within).collect();
        days.into_iter().rev().take(REORGANISED).collect()
    }

    /// Shows a division in place of the end of the divided unit, which its main part succeeded; or beside it if it goes on.
    fn note_parted(&self, steps: &mut Vec<BecameStep>, parted: &Parted) {
        let named = |unit: UnitId| {
            let known = self.known(&unit.to_string())?.clone();
            let name = self.name_on(unit, parted.on).unwrap_or_else(|| known.name.clone());
            Some(UnitRef { name, ..known })
        };
        let on = parted.on;
        let closed = self.closed.get(&parted.unit).filter(|closed| closed.on == on);
        let main = closed.map_or(Some(parted.unit), |closed| closed.successor).and_then(named);
        let Some(main) = main else { return };
        let others = parted.others.iter().filter_map(|other| named(*other)).collect();
        let is_its_end = |step: &BecameStep| match step {
            BecameStep::Ended { on: day, into: Some(into), .. } => *day == on && into.id == main.id,
            _ => false,
        };
        let at = steps.iter().position(is_its_end).filter(|_| closed.is_some());
        let step = BecameStep::Parted { on, main, others };
        match at.and_then(|at| steps.get_mut(at)) {
            Some(ended) => *ended = step,
            None => steps.push(step),
        }
    }

    /// Whether the unit began on this day, and no more than one unit that ended then became it.
    fn began_from_one(&self, unit: UnitId, on: NaiveDate) -> bool {
        let ended = self.closed.get(&unit).map(|closed| closed.opened_on);
        let began = self.node(unit).map(|node| node.opened_on).or(ended);
        let sources = self.closed.values().filter(|closed| closed.successor == Some(unit) && closed.on == on);
        began == Some(on) && sources.take(2).count() == 1
    }

    fn entry(&self, version: &Version) -> UnitForm {
        UnitForm {
            change: version.cause,
            from: version.from,
            until: version.until,
            name: version.name.clone(),
            code: version.code.clone(),
            parent: version.parent.and_then(|parent| self.name_on(parent, version.from)),
        }
    }

    /// The name of a unit on a day; of one that did not exist then, its last name.
    fn name_on(&self, unit: UnitId, day: NaiveDate) -> Option<String> {
        let then = self.form_on(unit, day).map(|form| form.name);
        let name = then.or_else(|| self.known(&unit.to_string()).map(|known| known.name.as_str()))?;
        Some(name.to_owned())
    }

    /// The first versions of units that were split off below a parent after a day, the latest first.
    fn begun_by_split(&self, parent: Option<UnitId>, day: NaiveDate) -> impl Iterator<Item = &Version> {
        let is_begun = move |version: &&Version| {
            version.cause == UnitChange::Split && version.parent == parent && version.from > day && version.was_in_effect()
        };
        let mut begun: Vec<&Version> = self.versions.iter().filter(is_begun).collect();
        begun.sort_by_key(|version| std::cmp::Reverse(version.from));
        begun.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn the_query_of_splits_uses_an_index() {
        let vars = vars! { subject: "01ARZ3NDEKTSV4RRFFQ69G5FAV", kind: EventKind::UnitSplit.key() };
        migrated().await.assert_no_scan(SPLIT_FROM, vars).await;
    }

    #[tokio::test]
    async fn the_query_of_parts_uses_an_index() {
        let vars = vars! { on: "2025-07-01", unit: "01ARZ3NDEKTSV4RRFFQ69G5FAV" };
        migrated().await.assert_no_scan(PARTS, vars).await;
    }
}
