//! Units an editor can choose from, and the reach of a chosen audience.

use domain::{
    audience::Audience,
    documents::desk::PartChoices,
    folding::fold,
    units::{UnitKind, UnitPath, UnitRef},
};

use super::Documents;
use crate::{Error, Result, units::Tree};

/// Maximum number of units offered: a list a person can still scan.
const CHOICES: usize = 400;

/// Maximum number of audience parts listed; the rest are found by name.
const PARTS_LISTED: usize = 200;

impl Documents<'_> {
    /// Units below the audience that can be chosen as parts: all units of the person, or, when those exceed [`PARTS_LISTED`], the
    /// highest ones below the audience, or those whose names contain `typed`. The parts already chosen are always included.
    pub(super) fn part_choices(&self, tree: &Tree, top_units: &[&UnitPath], whom: &Audience, typed: &str) -> PartChoices {
        let top = &whom.unit.path;
        let below = move || tree.subtree(top).filter(move |unit| unit.path != *top);
        let mut roots = top_units.to_vec();
        if roots.iter().all(|top_unit| !top_unit.contains(top)) {
            roots.push(top);
        }
        let own = roots.iter().flat_map(|root| tree.subtree(root).filter(move |unit| unit.path != **root));
        let own: Vec<&UnitRef> = own.take(PARTS_LISTED + 1).collect();
        let is_cut = own.len() > PARTS_LISTED;
        let words = fold(typed);
        let mut units: Vec<&UnitRef> = match (words.is_empty(), is_cut) {
            (false, _) => below().filter(|unit| fold(&unit.name).contains(&words)).take(PARTS_LISTED).collect(),
            (true, false) => own,
            (true, true) => highest_below(tree, top),
        };
        for part in &whom.parts {
            if units.iter().all(|unit| unit.id != part.id) {
                units.push(part);
            }
        }
        units.sort_by(|a, b| a.path.cmp(&b.path));
        let counted = |kind: UnitKind| (kind, below().filter(|unit| unit.kind == kind).count());
        let is_choice = |(_, units): &(UnitKind, usize)| (2..=Audience::PARTS_MAX).contains(units);
        let levels = UnitKind::all().map(counted).filter(is_choice);
        let counters = self.backend.counters();
        PartChoices {
            units: units.into_iter().map(|unit| (unit.clone(), counters.members(&unit.path))).collect(),
            levels: levels.map(|(kind, units)| (kind, u32::try_from(units).unwrap_or(u32::MAX))).collect(),
            is_cut,
        }
    }

    /// Number of members and of branches in an audience.
    pub(super) fn reach(&self, tree: &Tree, audience: &Audience) -> (u32, u32) {
        let places = audience.unit_paths();
        let branches = places.iter().flat_map(|place| tree.subtree(place)).filter(|unit| unit.kind.meets_as_branch()).count();
        let members = self.backend.counters().members_asked(&audience.unit.path, audience);
        (members, u32::try_from(branches).unwrap_or(u32::MAX))
    }
}

pub(super) fn highest<'t>(tree: &'t Tree, top_units: &[&UnitPath]) -> Result<&'t UnitRef> {
    top_units.iter().min_by_key(|path| path.as_str().len()).and_then(|path| tree.at(path)).ok_or(Error::NotFound)
}

/// Units below a unit, level by level, up to [`PARTS_LISTED`].
fn highest_below<'t>(tree: &'t Tree, top: &'t UnitPath) -> Vec<&'t UnitRef> {
    let mut listed: Vec<&UnitRef> = Vec::new();
    let mut level: Vec<&UnitRef> = tree.children(top).collect();
    while !level.is_empty() && listed.len() + level.len() <= PARTS_LISTED {
        listed.extend(&level);
        level = level.iter().flat_map(|unit| tree.children(&unit.path)).collect();
    }
    if listed.is_empty() {
        listed.extend(level.iter().take(PARTS_LISTED));
    }
    listed
}

/// The top units and the units below them that fit, level by level, up to [`CHOICES`]. The unit already chosen is always included.
pub(super) fn choices(tree: &Tree, top_units: &[&UnitPath], chosen: &UnitRef, fits: impl Fn(&UnitRef) -> bool) -> Vec<UnitRef> {
    let mut level: Vec<&UnitRef> = top_units.iter().filter_map(|path| tree.at(path)).collect();
    let mut offered: Vec<UnitRef> = Vec::new();
    let mut is_top = true;
    while !level.is_empty() {
        // A unit that does not fit may be above some that do.
        let fitting: Vec<&UnitRef> = level.iter().copied().filter(|unit| is_top || fits(unit)).collect();
        if offered.len() + fitting.len() > CHOICES {
            break;
        }
        offered.extend(fitting.into_iter().cloned());
        level = level.iter().flat_map(|unit| tree.children(&unit.path)).collect();
        is_top = false;
    }
    if !offered.iter().any(|unit| unit.id == chosen.id) {
        offered.push(chosen.clone());
    }
    offered.sort_by(|a, b| a.path.cmp(&b.path));
    offered
}
