//! Shares by unit: how many members have done what was asked of them, level by level, and who may see it.
//!
//! Invariant: numbers come from the counters and from index ranges, never from reading members. Small groups are hidden as in the
//! statistics. An editor chooses the audience, so a share is also hidden where the number of its members is not
//! [exact](domain::statistics::MemberCount::Exact) for the viewer: the difference of two audiences would be that of a small group.

use domain::{
    accounts::Viewer,
    audience::Audience,
    ids::UnitId,
    policy::{Action, Standpoint},
    statistics::{Share, UnitShare},
    units::{UnitPath, UnitRef},
};

use super::{
    Counters, Statistics,
    groups::{hidden_below, hides},
};
use crate::units::Tree;

/// A unit and its children, as one viewer may see them.
pub(crate) struct UnitShares<'t> {
    tree: &'t Tree,
    standpoint: Standpoint,
    pub(crate) unit: &'t UnitRef,
    /// The children that have members of the audience.
    pub(crate) children: Vec<&'t UnitRef>,
    /// From the highest unit visible to the viewer down to the unit itself.
    pub(crate) trail: Vec<UnitRef>,
    /// Whether the viewer leads this very unit.
    pub(crate) at_exact_unit: bool,
}

impl<'t> UnitShares<'t> {
    /// At the named unit, which must be the audience's or one below it, have members of the audience and be visible to the
    /// viewer; else `None`. Without a name, at the highest visible unit. `manages`: the viewer may see the whole audience.
    pub(crate) fn at(viewer: &Viewer, tree: &'t Tree, audience: &Audience, manages: bool, named: Option<UnitId>) -> Option<Self> {
        let top = &audience.unit.path;
        let may_look = |path: &UnitPath| manages || viewer.standpoint.may(Action::ReadStatistics, path);
        let holds_some = |path: &UnitPath| top.contains(path) && audience.touches(path);
        let concerned = |unit: &&UnitRef| holds_some(&unit.path) && may_look(&unit.path);
        let unit = match named {
            Some(unit) => tree.get(unit).filter(concerned)?,
            None if may_look(top) => tree.at(top)?,
            None => {
                let top_units = viewer.standpoint.top_units(Action::ReadStatistics);
                let inside = top_units.into_iter().filter(|top_unit| holds_some(top_unit));
                inside.min_by_key(|path| path.as_str().len()).and_then(|path| tree.at(path))?
            }
        };
        Some(Self {
            tree,
            standpoint: viewer.standpoint.clone(),
            unit,
            children: tree.children(&unit.path).filter(|child| audience.touches(&child.path)).collect(),
            trail: tree.trail(&unit.path).filter(concerned).cloned().collect(),
            at_exact_unit: viewer.standpoint.may_at_exact_unit(Action::ReadReaders, &unit.path),
        })
    }

    /// Names are only shown to those who lead the branch itself.
    pub(crate) fn shows_names(&self) -> bool {
        self.at_exact_unit && self.unit.kind.knows_members()
    }

    /// The unit, then its children: the paths to count.
    pub(crate) fn paths(&self) -> Vec<&'t UnitPath> {
        std::iter::once(self.unit).chain(self.children.iter().copied()).map(|unit| &unit.path).collect()
    }

    /// The shares of the unit and of its children. `done` is in the order of [`Self::paths`].
    pub(crate) fn shares(&self, statistics: Statistics<'_>, audience: &Audience, done: &[u32]) -> (UnitShare, Vec<UnitShare>) {
        let counters = statistics.backend.counters();
        let is_known = |path: &UnitPath| statistics.members_asked(&self.standpoint, self.tree, path, audience).exact().is_some();
        let row = |unit: &UnitRef, done: Option<&u32>| UnitShare {
            share: Some(share(counters, &unit.path, audience, done.copied().unwrap_or_default())),
            opens: self.tree.children(&unit.path).next().is_some(),
            unit: unit.clone(),
        };
        let mut done = done.iter();
        let members = |path: &UnitPath| counters.members_asked(path, audience);
        let is_hidden = !self.at_exact_unit && (hides(self.tree, &self.trail, members) || !is_known(&self.unit.path));
        let mut total = row(self.unit, done.next());
        if is_hidden {
            total.share = None;
        }
        let mut children: Vec<UnitShare> = self.children.iter().map(|child| row(child, done.next())).collect();
        let hidden = hidden_below(self.tree, &self.unit.path, is_hidden, members);
        let below = self.tree.children(&self.unit.path).zip(hidden);
        let hidden: Vec<UnitId> = below.filter(|(_, hidden)| *hidden).map(|(child, _)| child.id).collect();
        for row in children.iter_mut().filter(|row| hidden.contains(&row.unit.id) || !is_known(&row.unit.path)) {
            row.share = None;
        }
        (total, children)
    }
}

/// How many of the members asked are done. `done` is capped, because counters and tables are read at different times.
pub(crate) fn share(counters: &Counters, path: &UnitPath, audience: &Audience, done: u32) -> Share {
    let members = counters.members_asked(path, audience);
    Share { members, done: done.min(members) }
}
