//! Which documents, meetings and courses a person may find, in terms of the index: by the units they are for, and by.
//!
//! The index stores the ids of units, not their paths; the tree gives the paths at the time of the query. So the index does not
//! change when a unit moves, and what was for a unit that ended is found by those whom documents for its successor reach.
//!
//! Invariant: this narrows a search to what the policy allows, so that no number of results and no suggestion reveals anything
//! else. It never decides alone: each result is read from the store and checked against the policy before it is shown.

use std::collections::{BTreeSet, HashSet};

use domain::{
    ids::UnitId,
    members::Standing,
    policy::{Action, Standpoint},
    units::{UnitPath, UnitRef},
};

use crate::units::Tree;

#[derive(Debug)]
pub(super) struct Reach {
    is_every_document: bool,
    is_every_meeting: bool,
    is_every_course: bool,
    /// Units whose documents and courses reach the person as a member, and the person's standing, because some are for certain
    /// standings only.
    line: HashSet<String>,
    /// Units that hold the person now: what excepts one of them does not reach the person.
    holding: HashSet<String>,
    standing: Standing,
    /// Units for which an office gives access to the documents addressed to them.
    audiences: HashSet<String>,
    top_units: Vec<TopUnit>,
    /// Units for which an office gives access to the documents issued by them.
    issuers: HashSet<String>,
    /// Units of which the person may read the meetings of members.
    meetings: HashSet<String>,
    /// Units of which the person may read the meetings of the committee.
    committees: HashSet<String>,
    /// Units whose courses an office of the person may end.
    givers: HashSet<String>,
}

/// A unit on which the person holds such an office. A document for a unit that reaches it is also readable if one of the units
/// below is among its parts, and it is not within an excepted unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TopUnit {
    /// Units whose documents reach it.
    pub(super) reaching: HashSet<String>,
    /// Units whose subtree includes it.
    pub(super) holding: HashSet<String>,
    /// The units of its subtree.
    pub(super) below: HashSet<String>,
}

impl Reach {
    pub(super) fn of(standpoint: &Standpoint, tree: &Tree) -> Self {
        let [readable, written, met, given] =
            [Action::ReadDocument, Action::WriteDocument, Action::ReadMeeting, Action::ManageCourses]
                .map(|action| standpoint.top_units(action));
        let is_every = |top_units: &[&UnitPath]| top_units.iter().any(|top_unit| is_whole(top_unit, tree));
        let mut reach = Self {
            is_every_document: is_every(&readable) || is_every(&written),
            is_every_meeting: is_every(&met),
            is_every_course: is_every(&given),
            line: ids(tree.reaching(&standpoint.branch)),
            holding: ids(tree.holding(&standpoint.branch)),
            standing: standpoint.standing,
            audiences: HashSet::new(),
            top_units: Vec::new(),
            issuers: HashSet::new(),
            meetings: HashSet::new(),
            committees: HashSet::new(),
            givers: HashSet::new(),
        };
        let below = |top_units: &[&UnitPath]| -> HashSet<String> {
            top_units.iter().flat_map(|top_unit| tree.subtree(top_unit)).flat_map(|unit| answered_for(unit, tree)).collect()
        };
        // Access to everything needs no list.
        if !reach.is_every_document {
            reach.audiences = below(&readable);
            reach.top_units = readable.iter().map(|top_unit| TopUnit::of(top_unit, tree)).collect();
            reach.issuers = below(&written);
        }
        if !reach.is_every_meeting {
            reach.committees = below(&met);
            reach.meetings.clone_from(&reach.committees);
            if standpoint.may_as_member(Action::ReadMeeting, &standpoint.branch) {
                reach.meetings.extend(reach.line.iter().cloned());
            }
        }
        if !reach.is_every_course {
            reach.givers = below(&given);
        }
        for unit in tree.without_successor() {
            reach.take_ended(unit, standpoint, tree);
        }
        reach
    }

    /// Adds a unit that ended and has no successor.
    fn take_ended(&mut self, unit: &UnitRef, standpoint: &Standpoint, tree: &Tree) {
        let own = || answered_for(unit, tree);
        let by_office = |action| standpoint.may_by_office(action, &unit.path);
        if !self.is_every_document && by_office(Action::ReadDocument) {
            self.audiences.extend(own());
        }
        if !self.is_every_document && by_office(Action::WriteDocument) {
            self.issuers.extend(own());
        }
        if !self.is_every_meeting && standpoint.may(Action::ReadMeeting, &unit.path) {
            self.meetings.extend(own());
        }
        if !self.is_every_meeting && by_office(Action::ReadMeeting) {
            self.committees.extend(own());
        }
        if !self.is_every_course && by_office(Action::ManageCourses) {
            self.givers.extend(own());
        }
    }

    pub(super) const fn is_every_document(&self) -> bool {
        self.is_every_document
    }

    pub(super) const fn is_every_meeting(&self) -> bool {
        self.is_every_meeting
    }

    pub(super) const fn is_every_course(&self) -> bool {
        self.is_every_course
    }

    pub(super) const fn line(&self) -> (&HashSet<String>, Standing) {
        (&self.line, self.standing)
    }

    pub(super) const fn audiences(&self) -> &HashSet<String> {
        &self.audiences
    }

    pub(super) const fn holding(&self) -> &HashSet<String> {
        &self.holding
    }

    pub(super) fn top_units(&self) -> &[TopUnit] {
        &self.top_units
    }

    pub(super) const fn issuers(&self) -> &HashSet<String> {
        &self.issuers
    }

    pub(super) const fn meetings(&self) -> &HashSet<String> {
        &self.meetings
    }

    pub(super) const fn committees(&self) -> &HashSet<String> {
        &self.committees
    }

    pub(super) const fn givers(&self) -> &HashSet<String> {
        &self.givers
    }
}

impl TopUnit {
    fn of(path: &UnitPath, tree: &Tree) -> Self {
        let ended = tree.without_successor().filter(|unit| path.contains(&unit.path));
        Self {
            reaching: ids(tree.reaching(path)),
            holding: ids(tree.holding(path)),
            below: tree.subtree(path).chain(ended).flat_map(|unit| answered_for(unit, tree)).collect(),
        }
    }
}

fn ids(units: BTreeSet<UnitId>) -> HashSet<String> {
    units.iter().map(ToString::to_string).collect()
}

/// The unit and those it succeeded.
fn answered_for(unit: &UnitRef, tree: &Tree) -> impl Iterator<Item = String> {
    [unit.id].into_iter().chain(tree.inherited(unit.id)).map(|unit| unit.to_string())
}

/// Whether the subtree is the whole tree, so that no units need to be listed.
fn is_whole(top_unit: &UnitPath, tree: &Tree) -> bool {
    tree.all().next().is_some_and(|first| top_unit.contains(&first.path))
        && tree.all().next_back().is_some_and(|last| top_unit.contains(&last.path))
        && tree.without_successor().all(|unit| top_unit.contains(&unit.path))
}
