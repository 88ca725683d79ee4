//! The paths of the new tree, and the shifts from the old ones.

use std::collections::{BTreeSet, HashMap};

use domain::{
    ids::UnitId,
    units::{Shift, UnitPath},
};

use super::{Begun, Place, Plan, Planner};
use crate::units::Tree;

impl Planner<'_> {
    /// Fills in the paths.
    pub(super) fn finish(self) -> Plan {
        let Self { tree, mut plan, .. } = self;
        let paths = NewPaths::new(tree, &plan);
        let begun_at: Vec<UnitPath> = (0..plan.begun.len()).filter_map(|at| paths.of(Place::Begun(at))).collect();
        let ended: HashMap<UnitId, Place> = plan.ended.iter().map(|ended| (ended.unit, ended.successor)).collect();
        // The units whose path does not follow from that of the unit above, and their new paths.
        let (mut shifts, mut above): (Vec<Shift>, Vec<Shift>) = (Vec::new(), Vec::new());
        for unit in tree.all() {
            while above.last().is_some_and(|shift| !shift.from.contains(&unit.path)) {
                above.pop();
            }
            let implied = above.last().and_then(|shift| unit.path.moved(&shift.from, &shift.to));
            let now = match ended.get(&unit.id) {
                Some(successor) => paths.of(*successor),
                None if paths.placed.contains_key(&unit.id) => paths.of(Place::Open(unit.id)),
                None => None,
            };
            let Some(now) = now else { continue };
            if now != *implied.as_ref().unwrap_or(&unit.path) {
                let shift = Shift { from: unit.path.clone(), to: now };
                shifts.push(shift.clone());
                above.push(shift);
            }
        }
        shifts.sort_by_cached_key(|shift| std::cmp::Reverse(shift.from.ancestors_and_self().count()));
        let tops = paths.tops(&plan, &ended);
        plan.tops = tops;
        plan.begun_at = begun_at;
        plan.shifts = shifts;
        plan
    }
}

/// The paths of the new tree.
pub(in super::super) struct NewPaths<'p> {
    tree: &'p Tree,
    begun: &'p [Begun],
    /// Units with another code or parent, and those of the files.
    placed: HashMap<UnitId, (Option<Place>, &'p str)>,
    names: HashMap<UnitId, &'p str>,
}

impl<'p> NewPaths<'p> {
    pub(in super::super) fn new(tree: &'p Tree, plan: &'p Plan) -> Self {
        let continued = plan.continued.iter().map(|unit| (unit.unit, (unit.above, unit.code.as_str())));
        let moved = plan.moved.iter().map(|unit| (unit.unit, (Some(unit.above), unit.code.as_str())));
        let names = plan.continued.iter().map(|unit| (unit.unit, unit.name.as_str()));
        Self { tree, begun: &plan.begun, placed: continued.chain(moved).collect(), names: names.collect() }
    }

    /// The unit above, and the code below it.
    pub(in super::super) fn above(&self, place: Place) -> Option<(Option<Place>, &str)> {
        match place {
            Place::Begun(at) => self.begun.get(at).map(|begun| (Some(begun.above), begun.code.as_str())),
            Place::Open(unit) => self.placed.get(&unit).copied().or_else(|| {
                let unit = self.tree.get(unit)?;
                Some((self.tree.parent(&unit.path).map(|parent| Place::Open(parent.id)), unit.path.code()))
            }),
        }
    }

    /// The name that the files give to a unit that continues.
    pub(in super::super) fn name(&self, unit: UnitId) -> Option<&'p str> {
        self.names.get(&unit).copied()
    }

    /// The path of a unit. Recursion is as deep as there are levels.
    pub(in super::super) fn of(&self, place: Place) -> Option<UnitPath> {
        let (above, code) = self.above(place)?;
        match above {
            Some(above) => self.of(above)?.child(code).ok(),
            None => UnitPath::parse(&format!("/{code}/")).ok(),
        }
    }

    /// The unit right below the root above a unit; the root itself has none.
    fn top(&self, place: Place) -> Option<Place> {
        let (above, _) = self.above(place)?;
        match self.above(above?)? {
            (None, _) => Some(place),
            (Some(_), _) => self.top(above?),
        }
    }

    /// Where something changes: the new place of each unit, and what the unit above its old place becomes.
    fn tops(&self, plan: &Plan, ended: &HashMap<UnitId, Place>) -> BTreeSet<Place> {
        let continued = plan.continued.iter().map(|unit| unit.unit);
        let old = continued.chain(plan.ended.iter().map(|unit| unit.unit)).filter_map(|unit| {
            let top = self.tree.get(unit)?.path.ancestors_and_self().nth(1)?;
            let top = self.tree.at(&top)?.id;
            Some(ended.get(&top).copied().unwrap_or(Place::Open(top)))
        });
        let new = plan.continued.iter().map(|unit| Place::Open(unit.unit));
        let new = new.chain((0..plan.begun.len()).map(Place::Begun)).chain(plan.ended.iter().map(|unit| unit.successor));
        old.chain(new).filter_map(|place| self.top(place)).collect()
    }
}
