//! Whose documents a person may find, in the terms of the index: the units those are for, and by.
//!
//! The index keeps the ids of units, not their places, and the tree says where those are at the moment of the query. So a unit that
//! moves takes its documents along without a word of the index changing.
//!
//! Invariant: this narrows a search to what the policy allows; it never decides alone. What was found is read from the store and asked
//! about again before it is shown.

use std::collections::HashSet;

use domain::{
    policy::{Action, Standpoint},
    units::{UnitPath, UnitRef},
};

use crate::units::Tree;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reach {
    is_everything: bool,
    /// Units such that a document for them may be read.
    audiences: HashSet<String>,
    /// Units such that a document by them may be read.
    issuers: HashSet<String>,
}

impl Reach {
    pub(super) fn of(standpoint: &Standpoint, tree: &Tree) -> Self {
        let readable = standpoint.seats(Action::ReadDocument);
        let written = standpoint.seats(Action::WriteDocument);
        let is_everything = readable.iter().chain(&written).any(|seat| is_whole(seat, tree));
        if is_everything {
            return Self { is_everything, ..Self::default() };
        }
        let closed =
            |may: &dyn Fn(&UnitPath) -> bool| -> Vec<String> { tree.ended().filter(|unit| may(&unit.path)).map(key).collect() };
        let mut audiences: HashSet<String> = tree.trail(&standpoint.branch).map(key).collect();
        audiences.extend(readable.iter().flat_map(|seat| tree.subtree(seat)).map(key));
        audiences.extend(closed(&|path| standpoint.may(Action::ReadDocument, path)));
        let mut issuers: HashSet<String> = written.iter().flat_map(|seat| tree.subtree(seat)).map(key).collect();
        issuers.extend(closed(&|path| standpoint.may_by_office(Action::WriteDocument, path)));
        Self { is_everything, audiences, issuers }
    }

    pub(super) const fn is_everything(&self) -> bool {
        self.is_everything
    }

    pub(super) const fn audiences(&self) -> &HashSet<String> {
        &self.audiences
    }

    pub(super) const fn issuers(&self) -> &HashSet<String> {
        &self.issuers
    }
}

fn key(unit: &UnitRef) -> String {
    unit.id.to_string()
}

/// Whether all there is lies below: then nothing needs to be listed.
fn is_whole(seat: &UnitPath, tree: &Tree) -> bool {
    tree.all().next().is_some_and(|first| seat.contains(&first.path))
        && tree.all().next_back().is_some_and(|last| seat.contains(&last.path))
        && tree.ended().all(|unit| seat.contains(&unit.path))
}
