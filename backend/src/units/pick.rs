//! Units to choose from in a form: found by name or code, a few at a time.

use std::cmp::Ordering;

use domain::{
    accounts::Viewer,
    folding::fold,
    policy::Standpoint,
    units::{OneUnitChoices, PickPurpose, PickableUnit, UnitChoices, UnitPath, UnitRef},
};

use super::{Node, Tree, UnitDesk, depth, desk::fits_words};
use crate::{Backend, Error, Result};

/// Units offered at a time.
const OFFERED: usize = 20;

impl UnitDesk<'_> {
    /// Units that the person may choose for this purpose, whose names contain all words of `typed` or whose code it is; the highest
    /// ones when nothing is typed. `within`: those below this unit; without it, all the units of their offices.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person without an office for this purpose, and for a unit outside their offices.
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn pick(&self, viewer: &Viewer, purpose: PickPurpose, within: Option<&str>, typed: &str) -> Result<UnitChoices> {
        let (tree, standpoint) = (self.backend.units().tree(), &viewer.standpoint);
        let Some(within) = within else { return found_anywhere(self.backend, standpoint, &tree, purpose, typed) };
        let unit = tree.named(within).filter(|unit| may_choose(standpoint, purpose, &unit.path)).ok_or(Error::NotFound)?;
        Ok(found_below(self.backend, standpoint, &tree, &unit.path, typed))
    }

    /// The units of a form that takes one, anywhere in the offices of the person, found as by [`Self::pick`]. `selected` is the id in
    /// the form; a unit that the person may not choose is left out like an unknown one.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person without an office for this purpose.
    pub(crate) fn pick_one(&self, viewer: &Viewer, purpose: PickPurpose, selected: &str, typed: &str) -> Result<OneUnitChoices> {
        let (tree, standpoint) = (self.backend.units().tree(), &viewer.standpoint);
        let found = found_anywhere(self.backend, standpoint, &tree, purpose, typed)?;
        let selected = tree.named(selected).filter(|unit| may_choose(standpoint, purpose, &unit.path));
        Ok(OneUnitChoices { selected: selected.map(|unit| pickable(self.backend, standpoint, &tree, unit)), found })
    }

    /// The first of the highest units that the person may choose for this purpose.
    pub(crate) fn highest(&self, viewer: &Viewer, purpose: PickPurpose) -> Option<PickableUnit> {
        let (tree, standpoint) = (self.backend.units().tree(), &viewer.standpoint);
        let unit = top_units(standpoint, purpose).into_iter().find_map(|path| tree.at(path))?;
        Some(pickable(self.backend, standpoint, &tree, unit))
    }
}

fn may_choose(standpoint: &Standpoint, purpose: PickPurpose, unit: &UnitPath) -> bool {
    purpose.actions().iter().any(|action| standpoint.may_by_office(*action, unit))
}

/// The highest units that the person may choose, in the order of paths; none lies below another.
fn top_units(standpoint: &Standpoint, purpose: PickPurpose) -> Vec<&UnitPath> {
    let mut top_units: Vec<&UnitPath> = purpose.actions().iter().flat_map(|action| standpoint.top_units(*action)).collect();
    top_units.sort_unstable();
    top_units.dedup_by(|below, above| above.contains(below));
    top_units
}

/// The units of the person's offices that match, the highest first.
fn found_anywhere(
    backend: &Backend,
    standpoint: &Standpoint,
    tree: &Tree,
    purpose: PickPurpose,
    typed: &str,
) -> Result<UnitChoices> {
    let top_units = top_units(standpoint, purpose);
    if top_units.is_empty() {
        return Err(Error::NotFound);
    }
    let nodes = top_units.into_iter().flat_map(|path| tree.nodes(path));
    Ok(found_among(backend, standpoint, tree, nodes, typed))
}

/// The units below this one that match, the highest first.
pub(super) fn found_below(backend: &Backend, standpoint: &Standpoint, tree: &Tree, top: &UnitPath, typed: &str) -> UnitChoices {
    found_among(backend, standpoint, tree, below(tree, top), typed)
}

fn found_among<'t>(
    backend: &Backend,
    standpoint: &Standpoint,
    tree: &Tree,
    nodes: impl Iterator<Item = &'t Node>,
    typed: &str,
) -> UnitChoices {
    let (found, more) = matching(nodes, typed);
    let units = found.into_iter().map(|(_, unit)| pickable(backend, standpoint, tree, unit));
    UnitChoices { units: units.collect(), more: u32::try_from(more).unwrap_or(u32::MAX) }
}

/// A unit with its parent, and with its number of members if the pages of units show it to the person.
pub(super) fn pickable(backend: &Backend, standpoint: &Standpoint, tree: &Tree, unit: &UnitRef) -> PickableUnit {
    PickableUnit {
        parent: tree.parent(&unit.path).map(|parent| parent.name.clone()),
        members: backend.statistics().members(standpoint, tree, unit),
        unit: unit.clone(),
    }
}

fn below<'t>(tree: &'t Tree, top: &'t UnitPath) -> impl Iterator<Item = &'t Node> {
    tree.nodes(top).filter(move |node| node.unit.path != *top)
}

/// At most [`OFFERED`] units with their depth, and how many more match.
fn matching<'t>(nodes: impl Iterator<Item = &'t Node>, typed: &str) -> (Vec<(usize, &'t UnitRef)>, usize) {
    let words = fold(typed);
    let fitting = nodes.filter(|node| words.is_empty() || fits_words(node, &words));
    let mut found: Vec<(usize, &UnitRef)> = fitting.map(|node| (depth(&node.unit.path), &node.unit)).collect();
    let more = found.len().saturating_sub(OFFERED);
    if more > 0 {
        // The tree can be large: only what is offered is sorted.
        found.select_nth_unstable_by(OFFERED, highest_first);
        found.truncate(OFFERED);
    }
    found.sort_by(highest_first);
    (found, more)
}

fn highest_first(one: &(usize, &UnitRef), other: &(usize, &UnitRef)) -> Ordering {
    one.0.cmp(&other.0).then_with(|| one.1.path.cmp(&other.1.path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::tests::tree_of;

    #[test]
    fn the_highest_units_are_offered_and_the_others_counted() {
        let path = |text: &str| UnitPath::parse(text).expect("a path");
        let provinces = (10..35).map(|code| format!("/01/{code}/"));
        let paths: Vec<UnitPath> =
            ["/01/".to_owned(), "/01/10/01/".to_owned()].into_iter().chain(provinces).map(|at| path(&at)).collect();
        let (tree, top) = (tree_of(&paths), path("/01/"));
        let (found, more) = matching(below(&tree, &top), "");
        let offered: Vec<&str> = found.iter().map(|(_, unit)| unit.path.as_str()).collect();
        assert_eq!((offered.len(), offered[0], offered[19], more), (20, "/01/10/", "/01/29/", 6));
        let (one, more) = matching(below(&tree, &top), "01");
        assert_eq!((one.len(), more), (1, 0), "by its code");
    }
}
