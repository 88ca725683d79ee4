//! Units to choose from in a form: found by name or code, a few at a time.

use std::cmp::Ordering;

use domain::{
    accounts::Viewer,
    folding::fold,
    policy::Standpoint,
    units::{PickPurpose, PickableUnit, UnitChoices, UnitPath, UnitRef},
};

use super::{Tree, UnitDesk, depth, desk::fits_words};
use crate::{Backend, Error, Result};

/// Units offered at a time.
const OFFERED: usize = 20;

impl UnitDesk<'_> {
    /// Units that the person may choose for this purpose, below the unit `within`, whose names contain all words of `typed` or
    /// whose code it is; the highest ones when nothing is typed.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person without an office for this purpose, and for a unit outside their offices.
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn pick(&self, viewer: &Viewer, purpose: PickPurpose, within: &str, typed: &str) -> Result<UnitChoices> {
        let tree = self.backend.units().tree();
        let unit = tree.named(within).filter(|unit| viewer.standpoint.may_by_office(purpose.action(), &unit.path));
        let unit = unit.ok_or(Error::NotFound)?;
        Ok(found_below(self.backend, &viewer.standpoint, &tree, &unit.path, typed))
    }
}

/// The units below this one that match, the highest first.
pub(super) fn found_below(backend: &Backend, standpoint: &Standpoint, tree: &Tree, top: &UnitPath, typed: &str) -> UnitChoices {
    let (found, more) = matching(tree, top, typed);
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

/// At most [`OFFERED`] units with their depth, and how many more match.
fn matching<'t>(tree: &'t Tree, top: &'t UnitPath, typed: &str) -> (Vec<(usize, &'t UnitRef)>, usize) {
    let words = fold(typed);
    let below = tree.nodes(top).filter(|node| node.unit.path != *top);
    let fitting = below.filter(|node| words.is_empty() || fits_words(node, &words));
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
        let below = (10..35).map(|code| format!("/01/{code}/"));
        let paths: Vec<UnitPath> =
            ["/01/".to_owned(), "/01/10/01/".to_owned()].into_iter().chain(below).map(|at| path(&at)).collect();
        let (tree, top) = (tree_of(&paths), path("/01/"));
        let (found, more) = matching(&tree, &top, "");
        let offered: Vec<&str> = found.iter().map(|(_, unit)| unit.path.as_str()).collect();
        assert_eq!((offered.len(), offered[0], offered[19], more), (20, "/01/10/", "/01/29/", 6));
        let (one, more) = matching(&tree, &top, "01");
        assert_eq!((one.len(), more), (1, 0), "by its code");
    }
}
