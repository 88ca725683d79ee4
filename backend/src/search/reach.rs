//! Whose documents a person may find, in the terms of the index: the units those are for, and by.
//!
//! The index keeps the ids of units, not their places, and the tree says where those are at the moment of the query. So a unit that
//! moves takes its documents along without a word of the index changing, and what was for a unit that ended is found by those for
//! whom its heir's documents are.
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

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reach {
    is_everything: bool,
    /// Units whose documents reach the person as a member, and the standing with which they do: not every document is for all.
    line: HashSet<String>,
    standing: Standing,
    /// Units such that an office lets the person read what is for them.
    audiences: HashSet<String>,
    /// Units such that an office lets the person read what is by them.
    issuers: HashSet<String>,
}

impl Reach {
    pub(super) fn of(standpoint: &Standpoint, tree: &Tree) -> Self {
        let readable = standpoint.seats(Action::ReadDocument);
        let written = standpoint.seats(Action::WriteDocument);
        let mut reach = Self {
            is_everything: readable.iter().chain(&written).any(|seat| is_whole(seat, tree)),
            line: HashSet::new(),
            standing: standpoint.standing,
            audiences: HashSet::new(),
            issuers: HashSet::new(),
        };
        if reach.is_everything {
            return reach;
        }
        let below = |seats: &[&UnitPath]| -> HashSet<String> {
            seats.iter().flat_map(|seat| tree.subtree(seat)).flat_map(|unit| answered_for(unit, tree)).collect()
        };
        reach.line = tree.trail(&standpoint.branch).flat_map(|unit| answered_for(unit, tree)).collect();
        reach.audiences = below(&readable);
        reach.issuers = below(&written);
        for unit in tree.without_heir() {
            if standpoint.may_as_member(Action::ReadDocument, &unit.path) {
                reach.line.extend(answered_for(unit, tree));
            }
            if standpoint.may_by_office(Action::ReadDocument, &unit.path) {
                reach.audiences.extend(answered_for(unit, tree));
            }
            if standpoint.may_by_office(Action::WriteDocument, &unit.path) {
                reach.issuers.extend(answered_for(unit, tree));
            }
        }
        reach
    }

    pub(super) const fn is_everything(&self) -> bool {
        self.is_everything
    }

    pub(super) const fn line(&self) -> (&HashSet<String>, Standing) {
        (&self.line, self.standing)
    }

    pub(super) const fn audiences(&self) -> &HashSet<String> {
        &self.audiences
    }

    pub(super) const fn issuers(&self) -> &HashSet<String> {
        &self.issuers
    }
}

/// The unit and those it took over.
fn answered_for(unit: &UnitRef, tree: &Tree) -> impl Iterator<Item = String> {
    [unit.id].into_iter().chain(tree.inherited(unit.id)).map(|unit| unit.to_string())
}

/// Whether all there is lies below: then nothing needs to be listed.
fn is_whole(seat: &UnitPath, tree: &Tree) -> bool {
    tree.all().next().is_some_and(|first| seat.contains(&first.path))
        && tree.all().next_back().is_some_and(|last| seat.contains(&last.path))
        && tree.without_heir().all(|unit| seat.contains(&unit.path))
}
