//! Places the rows: the target of each, and the unit above it.

use std::collections::BTreeSet;

use domain::{
    ids::UnitId,
    units::{UnitRef, reorganisation::RowProblem},
};

use super::{Above, Found, Planner, Question, Target, lookup::ends_with};

impl<'q> Planner<'q> {
    /// Units of a closed level end when each unit below them is in the files, or ends so itself.
    pub(super) fn find_ending(&mut self) {
        let Question { is_closed, on, .. } = *self.question;
        let closed: Vec<&UnitRef> = self.tree.all().rev().filter(|unit| is_closed(unit.kind, on)).collect();
        if closed.is_empty() {
            return;
        }
        // The units that rows name as parents go on.
        let mut parents = BTreeSet::new();
        for at in 0..self.olds.len() {
            let Some(codes) = self.entry(at).and_then(|entry| entry.parent.as_ref()) else { continue };
            if self.olds[at].is_some() && self.rows_at(at, codes).is_empty() {
                parents.extend(self.open_at(codes).into_iter().map(|unit| unit.id));
            }
        }
        // In the reverse order of paths, a unit comes after those below it.
        for unit in closed {
            if self.is_named(unit.id) || parents.contains(&unit.id) {
                continue;
            }
            let mut below = self.tree.children(&unit.path).peekable();
            if below.peek().is_some() && below.all(|child| self.is_named(child.id) || self.ending.contains(&child.id)) {
                self.ending.insert(unit.id);
            }
        }
    }

    /// Other rows whose new unit can be above that of this row, by the code.
    fn rows_at(&self, at: usize, codes: &[String]) -> Vec<usize> {
        let (Some(old), Some(code)) = (self.olds[at], codes.last()) else { return Vec::new() };
        let rows = self.by_code.get(code.as_str()).map(Vec::as_slice).unwrap_or_default();
        let is_higher = |other: &usize| self.olds[*other].is_some_and(|other| old.kind.hangs_on(other.kind));
        rows.iter().copied().filter(|other| *other != at && is_higher(other)).collect()
    }

    pub(super) fn place_rows(&mut self) {
        for at in 0..self.olds.len() {
            if self.olds[at].is_some()
                && let Err(problem) = self.target(at)
            {
                self.refuse(at, problem);
            }
        }
    }

    /// The target of a row.
    fn target(&mut self, at: usize) -> Result<usize, RowProblem> {
        match &self.found[at] {
            Found::Settled(settled) => return settled.clone(),
            Found::Underway => return Err(RowProblem::Cycle),
            Found::NotYet => self.found[at] = Found::Underway,
        }
        let settled = self.find(at);
        self.found[at] = Found::Settled(settled.clone());
        settled
    }

    /// Recursion is as deep as there are levels: the unit above is of a higher level.
    fn find(&mut self, at: usize) -> Result<usize, RowProblem> {
        let (Some(old), Some(entry)) = (self.olds[at], self.entry(at)) else { return Err(RowProblem::UnknownCode) };
        let above = match (&entry.parent, self.tree.parent(&old.path)) {
            (_, None) => None,
            (Some(codes), Some(_)) => Some(self.given(at, codes)?),
            (None, Some(parent)) => Some(self.becomes(parent.id)?),
        };
        // A unit above that stays, where the old one ends.
        if let Some(Above::Open(unit)) = above
            && self.tree.get(unit).is_some_and(|unit| !self.may(&unit.path))
        {
            return Err(RowProblem::NotAllowed);
        }
        let next = self.targets.len();
        let target = *self.index.entry((above, entry.code.as_str())).or_insert(next);
        if target == next {
            self.targets.push(Target { above, code: entry.code.clone(), rows: Vec::new(), continues: None, begun: 0 });
        }
        self.targets[target].rows.push(at);
        Ok(target)
    }

    /// The unit above that a row names: one of the files, or one that stays.
    fn given(&mut self, at: usize, codes: &'q [String]) -> Result<Above, RowProblem> {
        let mut targets = BTreeSet::new();
        for row in self.rows_at(at, codes) {
            if let Ok(target) = self.target(row)
                && self.is_at(target, codes)
            {
                targets.insert(target);
            }
        }
        if let Some(target) = targets.pop_first() {
            return if targets.is_empty() { Ok(Above::Target(target)) } else { Err(RowProblem::AmbiguousParent) };
        }
        let Some(old) = self.olds[at] else { return Err(RowProblem::UnknownCode) };
        let open = self.readable_at(codes);
        let higher: Vec<&UnitRef> = open.iter().copied().filter(|unit| old.kind.hangs_on(unit.kind)).collect();
        if higher.is_empty() {
            return Err(self.why_none(old, &open, codes));
        }
        let Some(unit) = self.only(&higher) else { return Err(RowProblem::AmbiguousParent) };
        if self.is_named(unit.id) || self.ending.contains(&unit.id) {
            return Err(RowProblem::ParentEnds);
        }
        if !self.may(&unit.path) {
            return Err(RowProblem::NotAllowed);
        }
        match self.tree.node(unit.id).map(|node| node.opened_on) {
            Some(opened_on) if opened_on > self.question.on => Err(RowProblem::ChangedLater { since: opened_on }),
            _ => Ok(Above::Open(unit.id)),
        }
    }

    /// Why no unit above was found: units with that code are of a wrong level, or there is none.
    fn why_none(&self, old: &UnitRef, open: &[&UnitRef], codes: &[String]) -> RowProblem {
        let rows = codes.last().and_then(|code| self.by_code.get(code.as_str()));
        let mut others = open.iter().copied().chain(rows.into_iter().flatten().filter_map(|row| self.olds[*row])).peekable();
        if others.peek().is_none() {
            return RowProblem::UnknownParent;
        }
        if others.any(|other| old.path.contains(&other.path)) { RowProblem::Cycle } else { RowProblem::WrongLevel }
    }

    /// Whether the target is at the end of these codes.
    fn is_at(&self, target: usize, codes: &[String]) -> bool {
        let (Some(target), Some((code, above))) = (self.targets.get(target), codes.split_last()) else { return false };
        let is_below = || match target.above {
            Some(Above::Target(target)) => self.is_at(target, above),
            Some(Above::Open(unit)) => self.tree.get(unit).is_some_and(|unit| ends_with(&unit.path, above)),
            None => false,
        };
        target.code == *code && (above.is_empty() || is_below())
    }

    /// What a unit becomes.
    pub(super) fn becomes(&mut self, unit: UnitId) -> Result<Above, RowProblem> {
        if let Some(row) = self.main.get(&unit).copied() {
            return self.target(row).map(Above::Target).map_err(|problem| match problem {
                RowProblem::Cycle => RowProblem::Cycle,
                _ => RowProblem::UnknownParent,
            });
        }
        if self.parts.contains_key(&unit) {
            return Err(RowProblem::UnknownParent);
        }
        let above = self.tree.get(unit).and_then(|unit| self.tree.parent(&unit.path));
        match above.filter(|_| self.ending.contains(&unit)) {
            Some(above) => self.becomes(above.id),
            None => Ok(Above::Open(unit)),
        }
    }
}
