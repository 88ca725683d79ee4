//! The phases of the new tree. Members who can sign in today can sign in afterwards.
//!
//! - A unit that begins has the most advanced phase of its sources.
//! - A unit that continues has its own phase, or that of the unit above, as before. If members of its sources could then no longer
//!   sign in, it gets the most advanced phase of its sources as its own.

use std::collections::HashMap;

use domain::units::Phase;

use super::{NewPaths, Place, Planner};
use crate::units::{Tree, phases::Phased};

impl Planner<'_> {
    /// Fills in the phases. All other changes are in the plan already.
    pub(super) fn note_phases(&mut self) {
        let before = self.targets.iter().enumerate().map(|(at, target)| (self.place(at), self.most_advanced(&target.rows)));
        let phases = NewPhases { tree: self.tree, paths: NewPaths::new(self.tree, &self.plan), before: before.collect() };
        let begun: Vec<Option<Phase>> = (0..self.plan.begun.len()).map(|at| phases.set(Place::Begun(at))).collect();
        let continued = self.targets.iter().filter_map(|target| target.continues);
        let phased = continued.filter_map(|unit| Some(Phased { unit, phase: phases.set(Place::Open(unit))? })).collect();
        for (begun, phase) in self.plan.begun.iter_mut().zip(begun) {
            begun.phase = phase;
        }
        self.plan.phased = phased;
    }

    /// The most advanced phase of the old units of rows.
    fn most_advanced(&self, rows: &[usize]) -> Phase {
        let olds = rows.iter().filter_map(|at| self.olds[*at]);
        olds.map(|old| self.tree.phase(&old.path)).max().unwrap_or_default()
    }
}

struct NewPhases<'p> {
    tree: &'p Tree,
    paths: NewPaths<'p>,
    /// By target: the most advanced phase of its sources.
    before: HashMap<Place, Phase>,
}

impl NewPhases<'_> {
    /// The phase of a unit of the new tree. Recursion is as deep as there are levels.
    fn of(&self, place: Place) -> Phase {
        let unset = self.unset(place);
        self.set_over(place, unset).unwrap_or(unset)
    }

    /// The phase that the unit has if none is set: its own one of today, or that of the unit above.
    fn unset(&self, place: Place) -> Phase {
        let own = match place {
            Place::Open(unit) => self.tree.node(unit).and_then(|node| node.phase),
            Place::Begun(_) => None,
        };
        let above = || self.paths.above(place).and_then(|(above, _)| above);
        own.or_else(|| above().map(|above| self.of(above))).unwrap_or_default()
    }

    /// The phase to set on the unit; `None` if it needs none.
    fn set(&self, place: Place) -> Option<Phase> {
        self.set_over(place, self.unset(place))
    }

    fn set_over(&self, place: Place, unset: Phase) -> Option<Phase> {
        let before = *self.before.get(&place)?;
        match place {
            Place::Open(_) => before.kept(unset),
            Place::Begun(_) => (before != unset).then_some(before),
        }
    }
}
