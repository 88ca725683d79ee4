//! The page of a reorganisation: its numbers and lists.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ids::UnitId,
    policy::{Action, Role, Standpoint},
    units::{
        UnitPath, UnitRef,
        reorganisation::{
            Hindrance, OfficesRule, PlanList, PlanNumbers, PlanRow, PlannedOffice, PlannedUnit, ROWS_SHOWN, RefusedRow,
            ReorganisationPage, ReorganisationProgress, ReorganisationState, RowProblem,
        },
    },
};

use super::{
    Planned, ReorganisationRow, Reorganisations,
    plan::{Continued, NewPaths, Place, Plan, Row},
};
use crate::{
    Result,
    store::{SurrealValue, Variables, record, vars},
    units::{Tree, history::day_before},
};

/// Most units in a condition that uses an index, and conditions in one query.
const UNITS: usize = 30;
const CONDITIONS: usize = 10;

/// Progress of the batches of an operation.
#[derive(Debug, SurrealValue)]
struct DoneRow {
    done: Option<i64>,
    estimate: Option<i64>,
}

#[derive(Debug, SurrealValue)]
struct HeldRow {
    unit: String,
    role: String,
    member: String,
}

const HELD: &str = "SELECT unit, role, member FROM office \
                    WHERE unit IN $units AND (until = NONE OR (until > $last AND until >= `from`))";

impl Reorganisations<'_> {
    pub(super) async fn page(
        &self,
        row: &ReorganisationRow,
        standpoint: Option<&Standpoint>,
        list: PlanList,
        page: u32,
    ) -> Result<ReorganisationPage> {
        let today = self.backend.clock().today();
        let (reorganisation, progress) = (self.summary(row).await?, self.progress_of(row).await?);
        let mut stored: PlanNumbers =
            row.numbers.as_deref().and_then(|numbers| serde_json::from_str(numbers).ok()).unwrap_or_default();
        // Counted with the rights of the person who confirmed it.
        let path = UnitPath::parse(&row.path).map_err(|_| row.damaged())?;
        let sees_members = standpoint.is_none_or(|own| own.may_by_office(Action::ReadMembers, &path));
        stored.members = stored.members.filter(|_| sees_members);
        let blank = ReorganisationPage {
            reorganisation,
            progress,
            version: row.version.clone().unwrap_or_default(),
            today,
            numbers: stored,
            hindrance: None,
            list,
            rows: Vec::new(),
            refused: Vec::new(),
            page: 1,
            pages: 1,
        };
        let state = row.state()?;
        if !state.is_open() && state != ReorganisationState::Confirmed {
            return Ok(blank);
        }
        let planned = self.plan(row, standpoint).await?;
        let numbers = self.numbers(row, &planned, standpoint).await?;
        let hindrance = if !planned.plan.refused.is_empty() {
            Some(Hindrance::Refused)
        } else if planned.plan.is_empty() {
            Some(Hindrance::Nothing)
        } else if row.on()? > today {
            Some(Hindrance::InFuture)
        } else if self.is_importing().await? {
            Some(Hindrance::Importing)
        } else {
            planned.tree.is_moving().then_some(Hindrance::Busy)
        };
        let last = day_before(row.on()?).to_string();
        let with_offices = match list {
            PlanList::Offices => self.office_units(&units_over(&planned.plan), &last).await?.into_iter().collect(),
            _ => BTreeSet::new(),
        };
        let (mut rows, first, page, pages) = {
            let sheet = Sheet { planned: &planned, standpoint, paths: NewPaths::new(&planned.tree, &planned.plan), with_offices };
            let pages = u32::try_from(sheet.count(list).div_ceil(ROWS_SHOWN)).unwrap_or(u32::MAX).max(1);
            let page = page.clamp(1, pages);
            let first = usize::try_from(page - 1).unwrap_or_default() * ROWS_SHOWN;
            (sheet.rows(list, first), first, page, pages)
        };
        if list == PlanList::Offices {
            self.name_offices(&mut rows, &planned.tree, standpoint, &last).await?;
        }
        Ok(ReorganisationPage {
            version: planned.version.clone(),
            numbers,
            hindrance: hindrance.filter(|_| state.is_open()),
            rows,
            refused: if list == PlanList::Refused { refused(&planned, first, ROWS_SHOWN) } else { Vec::new() },
            page,
            pages,
            ..blank
        })
    }

    pub(super) async fn refused_of(&self, row: &ReorganisationRow, standpoint: Option<&Standpoint>) -> Result<Vec<RefusedRow>> {
        if !row.state()?.is_open() {
            return Ok(Vec::new());
        }
        Ok(refused(&self.plan(row, standpoint).await?, 0, usize::MAX))
    }

    pub(super) async fn progress_of(&self, row: &ReorganisationRow) -> Result<ReorganisationProgress> {
        let state = row.state()?;
        let sql = "SELECT done, estimate FROM $operation";
        let vars = vars! { operation: record("unit_operation", &row.id) };
        let found: Vec<DoneRow> = self.backend.store().read(sql, vars).await?.rows(0)?;
        let of = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
        let (done, estimate) = found.first().map_or((0, 0), |row| (of(row.done), of(row.estimate)));
        // The estimate becomes exact at the end.
        let estimate = if state == ReorganisationState::Done { done } else { estimate.max(done) };
        Ok(ReorganisationProgress { state, done, estimate })
    }

    /// The numbers of a plan.
    pub(super) async fn numbers(
        &self,
        row: &ReorganisationRow,
        planned: &Planned,
        standpoint: Option<&Standpoint>,
    ) -> Result<PlanNumbers> {
        let Planned { tree, plan, rows, .. } = planned;
        let concerned = concerned(tree, plan);
        // As in the queue. The sum is hidden if the number of one of the units is.
        let (statistics, counters) = (self.backend.statistics(), self.backend.counters());
        let of = |path: &UnitPath| match standpoint {
            Some(own) => tree.at(path).and_then(|unit| statistics.members(own, tree, unit)),
            None => Some(counters.members(path)),
        };
        let members = concerned.iter().try_fold(0_u32, |sum, path| Some(sum.saturating_add(of(path)?)));
        let (offices_kept, offices_ended) = self.offices(row, plan).await?;
        let (before, ended, begun) = (count(tree.len()), count(plan.ended.len()), count(plan.begun.len()));
        let continued: Vec<(&Continued, &UnitRef)> =
            plan.continued.iter().filter_map(|next| Some((next, tree.get(next.unit)?))).collect();
        let parent = |unit: &UnitRef| unit.path.parent().and_then(|parent| tree.at(&parent)).map(|unit| Place::Open(unit.id));
        Ok(PlanNumbers {
            rows: count(rows.len()),
            already: count(plan.already),
            refused: count(plan.refused.len()),
            units_before: before,
            units_after: before.saturating_sub(ended).saturating_add(begun),
            ended,
            begun,
            renamed: count(continued.iter().filter(|(next, unit)| next.name != unit.name).count()),
            recoded: count(continued.iter().filter(|(next, unit)| next.code != unit.path.code()).count())
                .saturating_add(count(recoded_below(tree, plan).count())),
            moved: count(continued.iter().filter(|(next, unit)| next.above != parent(unit)).count())
                .saturating_add(count(plan.moved.len())),
            phased: count(plan.phased.len()),
            divided: count(plan.divided.len()),
            queued: count(plan.queued.len()),
            undecided: count(plan.undecided.len()),
            branches: count(
                concerned.iter().flat_map(|path| tree.subtree(path)).filter(|unit| unit.kind.meets_as_branch()).count(),
            ),
            members,
            offices_kept,
            offices_ended,
        })
    }

    /// The offices on units of the files that go on, and those that end.
    async fn offices(&self, row: &ReorganisationRow, plan: &Plan) -> Result<(u32, u32)> {
        let last = day_before(row.on()?).to_string();
        let is_kept = |rule: OfficesRule| rule == OfficesRule::Keep;
        let kept = plan.ended.iter().filter(|ended| is_kept(ended.offices)).map(|ended| ended.unit);
        let kept: Vec<UnitId> = kept.chain(plan.continued.iter().map(|continued| continued.unit)).collect();
        let over = units_over(plan);
        Ok((count(self.office_units(&kept, &last).await?.len()), count(self.office_units(&over, &last).await?.len())))
    }

    /// The units of the offices on these units after a day: one for each office.
    async fn office_units(&self, units: &[UnitId], last: &str) -> Result<Vec<String>> {
        let keys: Vec<String> = units.iter().map(UnitId::to_string).collect();
        let mut found = Vec::new();
        for some in keys.chunks(UNITS * CONDITIONS) {
            let mut vars = Variables::new();
            vars.insert("last", last.to_owned());
            let mut sql = String::new();
            for (at, units) in some.chunks(UNITS).enumerate() {
                vars.insert(format!("units_{at}"), units.to_vec());
                sql += &offices_on(&format!("units_{at}"));
            }
            let mut answers = self.backend.store().read(sql, vars).await?;
            for at in 0..some.chunks(UNITS).len() {
                found.extend(answers.rows::<String>(at)?);
            }
        }
        Ok(found)
    }

    /// Adds the offices that end to the rows of a list. As on the page of a unit's roles, names are for those who read the unit by
    /// an office.
    async fn name_offices(&self, rows: &mut [PlanRow], tree: &Tree, standpoint: Option<&Standpoint>, last: &str) -> Result<()> {
        let keys: Vec<String> = rows.iter().filter_map(|row| Some(row.unit?.to_string())).collect();
        let mut held: Vec<HeldRow> = Vec::new();
        for units in keys.chunks(UNITS) {
            let vars = vars! { units: units.to_vec(), last: last.to_owned() };
            held.extend(self.backend.store().read(HELD, vars).await?.rows::<HeldRow>(0)?);
        }
        let members: Vec<&str> = held.iter().map(|office| office.member.as_str()).collect();
        let names = self.backend.members().names(members.into_iter()).await?;
        for row in rows {
            let Some(unit) = row.unit.and_then(|unit| tree.get(unit)) else { continue };
            let sees = standpoint.is_none_or(|own| own.may_by_office(Action::ReadUnit, &unit.path));
            let key = unit.id.to_string();
            let office = |held: &HeldRow| {
                let name = names.get(&held.member).filter(|_| sees).cloned();
                Some(PlannedOffice { role: Role::from_key(&held.role)?, name })
            };
            row.offices = held.iter().filter(|held| held.unit == key).filter_map(office).collect();
            row.offices.sort_by_key(|office| office.role);
        }
        Ok(())
    }
}

/// The units whose offices end with them.
fn units_over(plan: &Plan) -> Vec<UnitId> {
    plan.ended.iter().filter(|ended| ended.offices == OfficesRule::End).map(|ended| ended.unit).collect()
}

fn offices_on(units: &str) -> String {
    format!("SELECT VALUE unit FROM office WHERE unit IN ${units} AND (until = NONE OR (until > $last AND until >= `from`));")
}

/// The outermost subtrees in which something changes.
pub(super) fn concerned(tree: &Tree, plan: &Plan) -> Vec<UnitPath> {
    let units = plan.continued.iter().map(|continued| continued.unit).chain(plan.ended.iter().map(|ended| ended.unit));
    let mut paths: Vec<UnitPath> = units.filter_map(|unit| Some(tree.get(unit)?.path.clone())).collect();
    paths.sort_unstable();
    paths.dedup_by(|below, above| above.contains(below));
    paths
}

/// Units that are not in the files and get another code.
fn recoded_below<'p>(tree: &'p Tree, plan: &'p Plan) -> impl Iterator<Item = UnitId> + 'p {
    let is_recoded = move |unit: UnitId, code: &str| tree.get(unit).is_some_and(|unit| unit.path.code() != code);
    plan.moved.iter().filter(move |moved| is_recoded(moved.unit, &moved.code)).map(|moved| moved.unit)
}

fn refused(planned: &Planned, first: usize, most: usize) -> Vec<RefusedRow> {
    let row = |(at, problem): (&usize, &RowProblem)| {
        let Row { file, row, old_code, new_code, new_name, .. } = planned.rows.get(*at)?;
        Some(RefusedRow {
            file: *file,
            row: *row,
            old_code: old_code.clone(),
            new_code: new_code.clone(),
            new_name: new_name.clone(),
            problem: problem.clone(),
            other_file: planned
                .plan
                .others
                .get(at)
                .and_then(|other| planned.rows.get(*other))
                .map(|other| other.file)
                .filter(|other| other != file),
        })
    };
    planned.plan.refused.iter().skip(first).take(most).filter_map(row).collect()
}

/// The lists of a plan.
struct Sheet<'p> {
    planned: &'p Planned,
    /// The rights of the viewer; `None` for the operator.
    standpoint: Option<&'p Standpoint>,
    paths: NewPaths<'p>,
    /// Keys of the units of [`PlanList::Offices`].
    with_offices: BTreeSet<String>,
}

impl Sheet<'_> {
    fn tree(&self) -> &Tree {
        &self.planned.tree
    }

    /// The units of a list with their places afterwards.
    fn units(&self, list: PlanList) -> Vec<(Option<UnitId>, Option<Place>)> {
        let plan = &*self.planned.plan;
        let own = |unit: UnitId| (Some(unit), Some(Place::Open(unit)));
        let changed = |is_other: fn(&Continued, &UnitRef) -> bool| {
            let is_other = move |next: &&Continued| self.tree().get(next.unit).is_some_and(|unit| is_other(next, unit));
            plan.continued.iter().filter(is_other).map(|next| next.unit)
        };
        match list {
            PlanList::Refused => Vec::new(),
            PlanList::Ended => plan.ended.iter().map(|ended| (Some(ended.unit), Some(ended.successor))).collect(),
            PlanList::Offices => {
                let over = plan.ended.iter().filter(|ended| self.with_offices.contains(&ended.unit.to_string()));
                over.map(|ended| (Some(ended.unit), Some(ended.successor))).collect()
            }
            PlanList::Begun => (0..plan.begun.len()).map(|at| (None, Some(Place::Begun(at)))).collect(),
            PlanList::Renamed => changed(|next, unit| next.name != unit.name).map(own).collect(),
            PlanList::Recoded => {
                let recoded = changed(|next, unit| next.code != unit.path.code());
                recoded.chain(recoded_below(self.tree(), plan)).map(own).collect()
            }
            PlanList::Moved => {
                let moved = plan.moved.iter().map(|moved| moved.unit);
                let parent = |unit: UnitId| self.tree().get(unit).and_then(|unit| self.tree().parent(&unit.path));
                let is_moved = |unit: UnitId, above: Option<Place>| parent(unit).map(|parent| Place::Open(parent.id)) != above;
                let continued = plan.continued.iter().filter(|next| is_moved(next.unit, next.above)).map(|next| next.unit);
                continued.chain(moved).map(own).collect()
            }
            PlanList::Phased => plan.phased.iter().map(|phased| phased.unit).map(own).collect(),
            PlanList::Queued => plan.queued.iter().map(|queued| (Some(queued.unit), Some(Place::Open(queued.unit)))).collect(),
            PlanList::Undecided => plan.undecided.iter().map(|unit| (Some(*unit), None)).collect(),
        }
    }

    fn count(&self, list: PlanList) -> usize {
        if list == PlanList::Refused { self.planned.plan.refused.len() } else { self.units(list).len() }
    }

    fn rows(&self, list: PlanList, first: usize) -> Vec<PlanRow> {
        let queued: BTreeMap<UnitId, &[Place]> = match list {
            PlanList::Queued => {
                self.planned.plan.queued.iter().map(|queued| (queued.unit, queued.candidates.as_slice())).collect()
            }
            _ => BTreeMap::new(),
        };
        let units = self.units(list).into_iter().skip(first).take(ROWS_SHOWN);
        units
            .map(|(unit, place)| {
                let candidates = unit.and_then(|unit| queued.get(&unit)).copied().unwrap_or_default();
                PlanRow {
                    unit,
                    before: unit.and_then(|unit| self.before(unit)),
                    after: place.and_then(|place| self.after(place)),
                    candidates: candidates.iter().filter_map(|place| Some(self.after(*place)?.name)).collect(),
                    offices: Vec::new(),
                }
            })
            .collect()
    }

    fn may_read(&self, unit: &UnitPath) -> bool {
        self.standpoint.is_none_or(|standpoint| standpoint.may(Action::ReadUnit, unit))
    }

    /// Whether the viewer may know of the unit. One that begins is in the files.
    fn is_readable(&self, place: Place) -> bool {
        match place {
            Place::Begun(_) => true,
            Place::Open(unit) => self.tree().get(unit).is_some_and(|unit| self.may_read(&unit.path)),
        }
    }

    fn before(&self, unit: UnitId) -> Option<PlannedUnit> {
        let unit = self.tree().get(unit)?;
        let parent =
            self.tree().parent(&unit.path).filter(|parent| self.may_read(&parent.path)).map(|parent| parent.name.clone());
        Some(PlannedUnit { kind: unit.kind, code: unit.path.code().to_owned(), name: unit.name.clone(), parent })
    }

    fn after(&self, place: Place) -> Option<PlannedUnit> {
        let (above, code) = self.paths.above(place)?;
        let parent = above.filter(|above| self.is_readable(*above)).and_then(|above| self.name(above));
        let kind = match place {
            Place::Open(unit) => self.tree().get(unit)?.kind,
            Place::Begun(at) => self.planned.plan.begun.get(at)?.kind,
        };
        Some(PlannedUnit { kind, code: code.to_owned(), name: self.name(place)?, parent })
    }

    fn name(&self, place: Place) -> Option<String> {
        let plan = &self.planned.plan;
        match place {
            Place::Begun(at) => plan.begun.get(at).map(|begun| begun.name.clone()),
            Place::Open(unit) => self.paths.name(unit).map(str::to_owned).or_else(|| Some(self.tree().get(unit)?.name.clone())),
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn the_query_of_offices_uses_an_index() {
        let units: Vec<String> = (0..UNITS).map(|at| format!("01ARZ3NDEKTSV4RRFFQ69G5F{at:02}")).collect();
        let vars = vars! { units: units, last: "2025-06-30" };
        let store = migrated().await;
        store.assert_no_scan(offices_on("units").trim_end_matches(';'), vars.clone()).await;
        store.assert_no_scan(HELD, vars).await;
    }
}
