//! Reads the rows: which unit each is about, which are carried out already, and whether those of one unit agree.

use std::collections::{BTreeMap, HashMap};

use domain::{
    ids::UnitId,
    units::{
        UnitPath, UnitRef,
        reorganisation::{Part, RowProblem},
    },
};

use super::{Entry, Planner, lookup::ends_with};
use crate::units::change::since;

impl<'q> Planner<'q> {
    pub(super) fn read_rows(&mut self) {
        for (at, row) in self.question.rows.iter().enumerate() {
            let entry = match &row.read {
                Ok(entry) => entry,
                Err(problem) => {
                    self.refuse(at, problem.clone());
                    continue;
                }
            };
            if self.is_carried_out(entry) {
                self.plan.already += 1;
                continue;
            }
            let found = self.readable_at(&entry.old);
            match self.only(&found) {
                Some(unit) if self.may_change(unit) => {
                    self.olds[at] = Some(unit);
                    self.by_code.entry(&entry.code).or_default().push(at);
                }
                Some(_) => self.refuse(at, RowProblem::NotAllowed),
                None if found.is_empty() => self.refuse(at, RowProblem::UnknownCode),
                None => self.refuse(at, RowProblem::AmbiguousCode),
            }
        }
    }

    /// Whether a unit that had the old codes has become on this day what the row says.
    fn is_carried_out(&self, entry: &'q Entry) -> bool {
        self.ever_at(&entry.old).any(|unit| self.has_become(unit, entry))
    }

    fn has_become(&self, id: UnitId, entry: &Entry) -> bool {
        let (tree, on) = (self.tree, self.question.on);
        // Another unit with this code, elsewhere, is not that of the row.
        let Some(now) = tree.successor_of(id).filter(|now| self.may(&now.path)) else { return false };
        let closed = tree.closed.get(&id).filter(|closed| closed.on == on && closed.successor.is_some());
        let closed = closed.filter(|closed| ends_with(&closed.last_path, &entry.old));
        if entry.part == Part::Part {
            return match (self.question.divided.get(&id), tree.node(id), closed) {
                (_, None, None) | (None, Some(_), _) => false,
                // Nothing was below it, so the targets are not known.
                (None, None, Some(_)) => true,
                // Another target is another division.
                (Some(targets), ..) => targets.iter().chain([&now.id]).any(|target| self.is_target(*target, entry)),
            };
        }
        let unit = if let Some(node) = tree.node(id) {
            let is_new = node.since >= on && !ends_with(&node.unit.path, &entry.old);
            is_new.then_some(&node.unit)
        } else {
            closed.map(|_| now)
        };
        unit.is_some_and(|unit| is_at(&unit.path, entry) && entry.name.as_ref().is_none_or(|name| *name == unit.name))
    }

    /// Whether a unit has, or had when it closed, the new code of the row, below its new parent.
    fn is_target(&self, unit: UnitId, entry: &Entry) -> bool {
        let open = self.tree.get(unit).map(|unit| &unit.path);
        let path = open.or_else(|| self.tree.closed.get(&unit).map(|closed| &closed.last_path));
        path.is_some_and(|path| is_at(path, entry))
    }

    /// Looks at the rows of each old unit together.
    pub(super) fn check_rows(&mut self) {
        let mut by_unit: BTreeMap<&UnitPath, Vec<usize>> = BTreeMap::new();
        for (at, old) in self.olds.iter().enumerate() {
            if let Some(old) = old {
                by_unit.entry(&old.path).or_default().push(at);
            }
        }
        for rows in by_unit.into_values() {
            let Some(old) = rows.first().and_then(|at| self.olds[*at]) else { continue };
            let of = |part: Part| rows.iter().copied().filter(|at| self.part(*at) == part).collect::<Vec<_>>();
            let (wholes, mains, parts) = (of(Part::Whole), of(Part::Main), of(Part::Part));
            self.check_parts(old, &wholes, &mains, &parts);
            if let Some(main) = wholes.first().or(mains.first()) {
                self.main.insert(old.id, *main);
            }
            if !parts.is_empty() {
                self.parts.insert(old.id, parts);
            }
            let since = since(self.tree, old.id);
            for at in rows {
                if since > self.question.on {
                    self.refuse(at, RowProblem::ChangedLater { since });
                }
            }
        }
    }

    fn check_parts(&mut self, old: &UnitRef, wholes: &[usize], mains: &[usize], parts: &[usize]) {
        if let Some(whole) = wholes.first().copied() {
            for at in wholes.iter().skip(1) {
                self.refuse_by(*at, whole, |row| RowProblem::WholeTwice { row });
            }
            for at in mains.iter().chain(parts) {
                self.refuse_by(*at, whole, |row| RowProblem::PartsAndWhole { row });
            }
        }
        if let Some(main) = mains.first().copied() {
            for at in mains.iter().skip(1) {
                self.refuse_by(*at, main, |row| RowProblem::TwoMainParts { row });
            }
        }
        let mut met: HashMap<(String, Option<Vec<String>>), usize> = HashMap::new();
        for at in parts {
            if mains.is_empty() {
                self.refuse(*at, RowProblem::NoMainPart);
            }
            if old.kind.holds_members() {
                self.refuse(*at, RowProblem::HoldsMembers);
            }
            let Some(entry) = self.entry(*at) else { continue };
            if let Some(other) = met.insert((entry.code.clone(), entry.parent.clone()), *at) {
                self.refuse_by(*at, other, |row| RowProblem::PartTwice { row });
            }
        }
        if old.path.parent().is_none() {
            for at in wholes.iter().chain(mains).chain(parts) {
                let keeps = |entry: &Entry| entry.part == Part::Whole && entry.parent.is_none() && entry.code == old.path.code();
                if !self.entry(*at).is_some_and(keeps) {
                    self.refuse(*at, RowProblem::Root);
                }
            }
        }
    }
}

/// Whether a path has the new code of a row, below its new parent.
fn is_at(path: &UnitPath, entry: &Entry) -> bool {
    let is_below = match (&entry.parent, path.parent()) {
        (Some(codes), Some(parent)) => ends_with(&parent, codes),
        (None, _) => true,
        (Some(_), None) => false,
    };
    path.code() == entry.code && is_below
}
