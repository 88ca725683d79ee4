//! Units to choose from in a form: found by name or code, a few at a time.

use domain::{
    accounts::Viewer,
    folding::fold,
    units::{PickPurpose, UnitChoices, UnitPath, UnitRef},
};

use super::{Tree, UnitDesk, depth, desk::fits_words};
use crate::{Error, Result, statistics::Counters};

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
        Ok(found_below(&tree, self.backend.counters(), &unit.path, typed))
    }
}

/// The units below this one that match, the highest first, with the number of members of each.
pub(crate) fn found_below(tree: &Tree, counters: &Counters, top: &UnitPath, typed: &str) -> UnitChoices {
    let words = fold(typed);
    let below = tree.nodes(top).filter(|node| node.unit.path != *top);
    let fitting = below.filter(|node| words.is_empty() || fits_words(node, &words));
    let mut found: Vec<(usize, &UnitRef)> = fitting.map(|node| (depth(&node.unit.path), &node.unit)).collect();
    found.sort_by(|(depth, unit), (other_depth, other)| depth.cmp(other_depth).then_with(|| unit.path.cmp(&other.path)));
    let more = found.len().saturating_sub(OFFERED);
    let units = found.into_iter().take(OFFERED).map(|(_, unit)| (unit.clone(), counters.members(&unit.path)));
    UnitChoices { units: units.collect(), more: u32::try_from(more).unwrap_or(u32::MAX) }
}
