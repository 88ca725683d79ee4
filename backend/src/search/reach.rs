//! Whose documents, meetings and courses a person may find, in the terms of the index: the units those are for, and by.
//!
//! The index keeps the ids of units, not their places, and the tree says where those are at the moment of the query. So a unit that
//! moves takes its documents along without a word of the index changing, and what was for a unit that ended is found by those for
//! whom its successor's documents are.
//!
//! Invariant: this narrows a search to what the policy allows, so that no number of results and no suggestion tells of anything else;
//! it never decides alone. What was found is read from the store and asked about again before it is shown.

use std::collections::HashSet;

use domain::{
    members::Standing,
    policy::{Action, Standpoint},
    units::{UnitPath, UnitRef},
};

use crate::units::Tree;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach {
    is_every_document: bool,
    is_every_meeting: bool,
    is_every_course: bool,
    /// Units whose documents and courses reach the person as a member, and the standing with which they do: not all are for everybody.
    line: HashSet<String>,
    standing: Standing,
    /// Units such that an office lets the person read what is for them.
    audiences: HashSet<String>,
    /// For each unit on which the person holds such an office, those in whose subtree it counts, and those that count in its own: what
    /// is for some of the latter as parts of one of the former is read too.
    top_units: Vec<(HashSet<String>, HashSet<String>)>,
    /// Units such that an office lets the person read what is by them.
    issuers: HashSet<String>,
    /// Units whose meetings the person may read.
    meetings: HashSet<String>,
    /// Units such that an office lets the person end the courses they give.
    givers: HashSet<String>,
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
            line: tree.reaching(&standpoint.branch).iter().map(ToString::to_string).collect(),
            standing: standpoint.standing,
            audiences: HashSet::new(),
            top_units: Vec::new(),
            issuers: HashSet::new(),
            meetings: HashSet::new(),
            givers: HashSet::new(),
        };
        let below = |top_units: &[&UnitPath]| -> HashSet<String> {
            top_units.iter().flat_map(|top_unit| tree.subtree(top_unit)).flat_map(|unit| answered_for(unit, tree)).collect()
        };
        // What is all of them needs no list.
        if !reach.is_every_document {
            reach.audiences = below(&readable);
            reach.top_units = readable.iter().map(|top_unit| ids_of_top_unit(top_unit, tree)).collect();
            reach.issuers = below(&written);
        }
        if !reach.is_every_meeting {
            reach.meetings = below(&met);
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

    /// A unit that ended and answers for itself.
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

    pub(super) fn top_units(&self) -> &[(HashSet<String>, HashSet<String>)] {
        &self.top_units
    }

    pub(super) const fn issuers(&self) -> &HashSet<String> {
        &self.issuers
    }

    pub(super) const fn meetings(&self) -> &HashSet<String> {
        &self.meetings
    }

    pub(super) const fn givers(&self) -> &HashSet<String> {
        &self.givers
    }
}

/// The units in whose subtree the top unit counts, and those that count in its own.
fn ids_of_top_unit(top_unit: &UnitPath, tree: &Tree) -> (HashSet<String>, HashSet<String>) {
    let ended = tree.without_successor().filter(|unit| top_unit.contains(&unit.path));
    let below = tree.subtree(top_unit).chain(ended).flat_map(|unit| answered_for(unit, tree)).collect();
    (tree.reaching(top_unit).iter().map(ToString::to_string).collect(), below)
}

/// The unit and those it took over.
fn answered_for(unit: &UnitRef, tree: &Tree) -> impl Iterator<Item = String> {
    [unit.id].into_iter().chain(tree.inherited(unit.id)).map(|unit| unit.to_string())
}

/// Whether all there is lies below: then nothing needs to be listed.
fn is_whole(top_unit: &UnitPath, tree: &Tree) -> bool {
    tree.all().next().is_some_and(|first| top_unit.contains(&first.path))
        && tree.all().next_back().is_some_and(|last| top_unit.contains(&last.path))
        && tree.without_successor().all(|unit| top_unit.contains(&unit.path))
}
