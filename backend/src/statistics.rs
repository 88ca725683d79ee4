//! Figures of a subtree for those who answer for it, kept in memory.

use domain::{
    accounts::Viewer,
    ids::UnitId,
    policy::Action,
    statistics::{StatisticsPage, UnitFigures, hidden, is_small},
    units::{UnitPath, UnitRef},
};

mod counters;
mod shares;

pub use counters::Counters;
pub(crate) use shares::{Look, share};

use crate::{Backend, Error, Result, units::Tree};

/// The use-cases on statistics.
#[derive(Clone, Copy)]
pub struct Statistics<'a> {
    backend: &'a Backend,
}

impl<'a> Statistics<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// The figures of a unit and of those one level below; of the highest unit the person answers for when none is named.
    /// Costs no query.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a unit outside the person's subtrees.
    #[expect(clippy::unused_async, reason = "a use-case like the others; a snapshot from the store may come")]
    pub async fn page(&self, viewer: &Viewer, unit: Option<UnitId>) -> Result<StatisticsPage> {
        let tree = self.backend.units().tree();
        let standpoint = &viewer.standpoint;
        let unit = match unit {
            Some(unit) => tree.get(unit),
            None => {
                let seats = standpoint.seats(Action::ReadStatistics);
                seats.into_iter().min_by_key(|path| path.as_str().len()).and_then(|path| tree.at(path))
            }
        };
        let unit = unit.filter(|unit| standpoint.may(Action::ReadStatistics, &unit.path)).ok_or(Error::NotFound)?;
        let today = self.backend.clock().today();
        let counters = self.backend.counters();
        let row = |unit: &UnitRef| UnitFigures {
            figures: Some(counters.figures(&unit.path, today)),
            has_children: has_children(&tree, unit),
            phase: tree.phase(&unit.path),
            unit: unit.clone(),
        };
        let trail: Vec<UnitRef> =
            tree.trail(&unit.path).filter(|above| standpoint.may(Action::ReadStatistics, &above.path)).cloned().collect();
        let is_hidden = hides(&tree, &trail, |path| counters.members(path));
        let mut total = row(unit);
        if is_hidden {
            total.figures = None;
        }
        let mut children: Vec<UnitFigures> = tree.children(&unit.path).map(row).collect();
        let sizes: Vec<u32> = children.iter().map(|row| row.figures.map_or(0, |figures| figures.members)).collect();
        for (row, _) in children.iter_mut().zip(hidden(&sizes, is_hidden)).filter(|(_, hidden)| *hidden) {
            row.figures = None;
        }
        Ok(StatisticsPage { trail, total, children, changed_at: counters.changed_at() })
    }
}

/// Whether the figures of the last unit of a trail are hidden: because it is small, or because they would give away a smaller one
/// beside it to who sees all above. What is hidden in its parent's table stays hidden on its own page.
fn hides(tree: &Tree, trail: &[UnitRef], members: impl Fn(&UnitPath) -> u32) -> bool {
    let Some(top) = trail.first() else { return true };
    let mut is_hidden = is_small(members(&top.path));
    for pair in trail.windows(2) {
        let [above, unit] = pair else { continue };
        let beside: Vec<&UnitRef> = tree.children(&above.path).collect();
        let sizes: Vec<u32> = beside.iter().map(|unit| members(&unit.path)).collect();
        let rows = beside.iter().zip(hidden(&sizes, is_hidden));
        is_hidden = rows.into_iter().any(|(row, hidden)| row.id == unit.id && hidden);
    }
    is_hidden
}

fn has_children(tree: &Tree, unit: &UnitRef) -> bool {
    tree.subtree(&unit.path).nth(1).is_some()
}
