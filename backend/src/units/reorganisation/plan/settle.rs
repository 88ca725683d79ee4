//! Decides which unit each target continues, and what the others become: they end, move or wait in the queue.

use std::collections::{BTreeSet, HashMap};

use domain::{
    ids::UnitId,
    units::{
        UnitKind, UnitRef,
        reorganisation::{OfficesRule, Part, RowProblem},
    },
};

use super::{Above, Begun, Continued, Ended, Found, Moved, Place, Planner, Queued, Target};
use crate::units::change::since;

impl<'q> Planner<'q> {
    /// Decides which unit each target continues, and fills in the plan.
    pub(super) fn settle(&mut self) {
        for target in 0..self.targets.len() {
            self.targets[target].continues = self.continued(target);
        }
        for (begun, target) in self.targets.iter_mut().filter(|target| target.continues.is_none()).enumerate() {
            target.begun = begun;
        }
        for target in 0..self.targets.len() {
            self.check_target(target);
            self.note_target(target);
        }
        self.note_ended();
        self.move_children();
        self.note_undecided();
        self.note_phases();
        let tree = self.tree;
        let path = |unit: UnitId| tree.get(unit).map(|unit| &unit.path);
        self.plan.continued.sort_by_key(|continued| path(continued.unit));
        self.plan.ended.sort_by_key(|ended| path(ended.unit));
        self.plan.moved.sort_by_key(|moved| path(moved.unit));
        self.plan.phased.sort_by_key(|phased| path(phased.unit));
        self.plan.queued.sort_by_key(|queued| path(queued.unit));
        self.plan.divided.sort_by_key(|unit| path(*unit));
    }

    /// The unit with the same code, if it is a source as a whole or with its main part; else the only source, if it is whole.
    fn continued(&mut self, target: usize) -> Option<UnitId> {
        let Target { above, ref code, ref rows, .. } = self.targets[target];
        let rows = rows.clone();
        let mut same: Vec<&UnitRef> = rows
            .iter()
            .filter(|at| self.part(**at) != Part::Part)
            .filter_map(|at| self.olds[*at])
            .filter(|old| old.path.code() == code)
            .collect();
        same.sort_by(|one, other| one.path.cmp(&other.path));
        if let Some(first) = same.first().copied() {
            // Of several, the one that stays below its parent.
            let mut stays = |old: &UnitRef| {
                let parent = self.tree.parent(&old.path).map(|parent| parent.id);
                parent.and_then(|parent| self.becomes(parent).ok()) == above
            };
            return Some(same.into_iter().find(|old| stays(old)).unwrap_or(first).id);
        }
        let [only] = rows.as_slice() else { return None };
        let is_whole = |old: &&UnitRef| self.main.get(&old.id) == Some(only) && !self.parts.contains_key(&old.id);
        self.olds[*only].filter(is_whole).map(|old| old.id)
    }

    pub(super) fn place(&self, target: usize) -> Place {
        let target = &self.targets[target];
        target.continues.map_or(Place::Begun(target.begun), Place::Open)
    }

    fn above(&self, above: Above) -> Place {
        match above {
            Above::Open(unit) => Place::Open(unit),
            Above::Target(target) => self.place(target),
        }
    }

    fn kind(&self, target: usize) -> Option<UnitKind> {
        Some(self.olds[*self.targets[target].rows.first()?]?.kind)
    }

    fn check_target(&mut self, target: usize) {
        let (rows, above) = (self.targets[target].rows.clone(), self.targets[target].above);
        let (Some(first), Some(kind)) = (rows.first().copied(), self.kind(target)) else { return };
        for at in &rows {
            if self.olds[*at].is_some_and(|old| old.kind != kind) {
                self.refuse(*at, RowProblem::LevelsDiffer);
            }
        }
        let higher = match above {
            Some(Above::Open(unit)) => self.tree.get(unit).map(|unit| unit.kind),
            Some(Above::Target(above)) => self.kind(above),
            None => None,
        };
        if higher.is_some_and(|higher| !kind.hangs_on(higher)) {
            self.refuse(first, RowProblem::WrongLevel);
        }
        let mut named = rows.iter().filter_map(|at| Some((*at, self.entry(*at)?.name.as_ref()?)));
        let name = named.next();
        let others: Vec<usize> =
            named.filter(|(_, other)| name.is_some_and(|(_, name)| name != *other)).map(|(at, _)| at).collect();
        if let Some((other, _)) = name {
            for at in others {
                self.refuse_by(at, other, |row| RowProblem::NamesDiffer { row });
            }
        }
        let continues = self.targets[target].continues;
        if name.is_none() && continues.is_none() {
            self.refuse(first, RowProblem::NameMissing);
        }
        if let Some(Place::Open(parent)) = above.map(|above| self.above(above))
            && let Some(owner) = self.tree.owner(parent, &self.targets[target].code)
            && Some(owner) != continues
        {
            self.refuse(first, RowProblem::CodeTaken);
        }
    }

    fn note_target(&mut self, target: usize) {
        let Target { above, ref code, ref rows, continues, .. } = self.targets[target];
        let above = above.map(|above| self.above(above));
        let name = rows.iter().find_map(|at| self.entry(*at)?.name.clone());
        let code = code.clone();
        match (continues.and_then(|unit| self.tree.get(unit)), above, self.kind(target)) {
            (Some(unit), above, _) => {
                let parent = self.tree.parent(&unit.path).map(|parent| Place::Open(parent.id));
                let name = name.unwrap_or_else(|| unit.name.clone());
                if name != unit.name || code != unit.path.code() || above != parent {
                    self.plan.continued.push(Continued { unit: unit.id, name, code, above });
                } else {
                    self.plan.already += rows_continuing(self, target, unit);
                }
            }
            (None, Some(above), Some(kind)) => {
                self.plan.begun.push(Begun { kind, name: name.unwrap_or_default(), code, above, phase: None });
            }
            _ => {}
        }
    }

    fn note_ended(&mut self) {
        for (unit, row) in &self.main {
            let Found::Settled(Ok(target)) = self.found[*row] else { continue };
            if self.targets[target].continues != Some(*unit) {
                let offices = self.entry(*row).map(|entry| entry.offices).unwrap_or_default();
                let successor = self.place(target);
                self.plan.ended.push(Ended { unit: *unit, successor, offices });
            }
        }
        let ending: Vec<UnitId> = self.ending.iter().copied().collect();
        for unit in ending {
            let row = self.row_below(unit);
            let Some(old) = self.tree.get(unit) else { continue };
            if !self.may_change(old) {
                if let Some(row) = row {
                    self.refuse(row, RowProblem::NotAllowed);
                }
                continue;
            }
            let since = since(self.tree, unit);
            if let (true, Some(row)) = (since > self.question.on, row) {
                self.refuse(row, RowProblem::ChangedLater { since });
            }
            // Refused rows above it have no target; then nothing is done.
            if let Ok(successor) = self.becomes(unit) {
                self.plan.ended.push(Ended { unit, successor: self.above(successor), offices: OfficesRule::End });
            }
        }
    }

    /// A row of a unit below this one, for its problems.
    fn row_below(&self, unit: UnitId) -> Option<usize> {
        let unit = self.tree.get(unit)?;
        self.tree.subtree(&unit.path).find_map(|below| self.main.get(&below.id).copied())
    }

    /// The units below a unit of the files that are not in the files themselves.
    fn left_below(&self, unit: UnitId) -> Vec<&'q UnitRef> {
        let tree = self.tree;
        let Some(unit) = tree.get(unit) else { return Vec::new() };
        tree.children(&unit.path).filter(|child| !self.is_named(child.id) && !self.ending.contains(&child.id)).collect()
    }

    /// Moves what hangs below units that end, and puts what hangs below divided ones into the queue.
    fn move_children(&mut self) {
        let mut given: HashMap<Place, BTreeSet<String>> = HashMap::new();
        for target in &self.targets {
            if let Some(above) = target.above {
                given.entry(self.above(above)).or_default().insert(target.code.clone());
            }
        }
        let mut homeless = Vec::new();
        let main: Vec<(UnitId, usize)> = self.main.iter().map(|(unit, row)| (*unit, *row)).collect();
        for (unit, row) in main {
            let Found::Settled(Ok(target)) = self.found[row] else { continue };
            let below = self.left_below(unit);
            self.queue(unit, target, &below);
            if self.targets[target].continues == Some(unit) {
                continue;
            }
            let place = self.place(target);
            for child in below {
                let since = since(self.tree, child.id);
                if since > self.question.on {
                    self.refuse(row, RowProblem::ChangedLater { since });
                }
                // Units that keep their code come first, so that no other one gets that code.
                let code = child.path.code();
                let is_free = self.owner(place, code).is_none_or(|owner| owner == child.id);
                if is_free && given.entry(place).or_default().insert(code.to_owned()) {
                    self.plan.moved.push(Moved { unit: child.id, code: code.to_owned(), above: place });
                } else {
                    homeless.push((child, place));
                }
            }
        }
        homeless.sort_by(|(one, _), (other, _)| one.path.cmp(&other.path));
        let mut reached: HashMap<(Place, usize), u64> = HashMap::new();
        for (child, place) in homeless {
            let width = child.path.code().len();
            let given = given.entry(place).or_default();
            let number = reached.entry((place, width)).or_default();
            // As `Tree::free_code`: the first unused number of the same length.
            let code = loop {
                *number += 1;
                let code = format!("{number:0width$}");
                if !given.contains(&code) && self.owner(place, &code).is_none_or(|owner| owner == child.id) {
                    break code;
                }
            };
            given.insert(code.clone());
            self.plan.moved.push(Moved { unit: child.id, code, above: place });
        }
    }

    /// The unit that has or had a code below a unit of the new tree.
    fn owner(&self, above: Place, code: &str) -> Option<UnitId> {
        match above {
            Place::Open(unit) => self.tree.owner(unit, code),
            Place::Begun(_) => None,
        }
    }

    fn queue(&mut self, unit: UnitId, main: usize, below: &[&UnitRef]) {
        let Some(parts) = self.parts.get(&unit) else { return };
        let own = self.place(main);
        let targets = parts.iter().filter_map(|row| match self.found[*row] {
            Found::Settled(Ok(target)) => Some(self.place(target)),
            _ => None,
        });
        let candidates: BTreeSet<Place> = targets.filter(|place| *place != own).collect();
        let candidates: Vec<Place> = candidates.into_iter().collect();
        self.plan.divided.push(unit);
        if below.is_empty() {
            self.plan.bare.push(Queued { unit, from: unit, candidates });
            return;
        }
        let queued = below.iter().map(|child| Queued { unit: child.id, from: unit, candidates: candidates.clone() });
        self.plan.queued.extend(queued);
    }

    /// Units of a closed level below which a unit of the files was and no longer is.
    fn note_undecided(&mut self) {
        let mut left = BTreeSet::new();
        for (unit, row) in &self.main {
            let Found::Settled(Ok(target)) = self.found[*row] else { continue };
            let parent = self.tree.get(*unit).and_then(|unit| self.tree.parent(&unit.path));
            let above = self.targets[target].above.map(|above| self.above(above));
            if let Some(parent) = parent.filter(|parent| above != Some(Place::Open(parent.id))) {
                left.insert((&parent.path, parent.id, parent.kind));
            }
        }
        let stays = |unit: UnitId| !self.is_named(unit) && !self.ending.contains(&unit);
        let undecided =
            left.into_iter().filter(|(_, unit, kind)| (self.question.is_closed)(*kind, self.question.on) && stays(*unit));
        self.plan.undecided = undecided.map(|(_, unit, _)| unit).collect();
    }
}

/// The rows that only confirm that a unit continues as it is.
fn rows_continuing(planner: &Planner<'_>, target: usize, unit: &UnitRef) -> usize {
    let is_own = |at: &&usize| planner.olds[**at].is_some_and(|old| old.id == unit.id);
    let is_divided = planner.parts.contains_key(&unit.id) && !planner.question.divided.contains_key(&unit.id);
    if is_divided { 0 } else { planner.targets[target].rows.iter().filter(is_own).count() }
}
