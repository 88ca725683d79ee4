//! Figures of subtrees, kept in memory, for the people responsible for them.

use domain::{
    accounts::Viewer,
    ids::UnitId,
    policy::{Action, Standpoint},
    statistics::{StatisticsPage, UnitFigures, needing_help},
    tables::{Cut, TableQuery},
    units::{UnitPath, UnitRef},
};

mod counters;
mod groups;
mod reach;
mod shares;

pub use counters::Counters;
use groups::hides;
pub(crate) use shares::{UnitShares, share};

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

    /// The figures of a unit and of its children. Without `unit`, those of the highest unit whose statistics the person may read.
    /// Runs no query.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a unit outside the person's subtrees.
    #[expect(clippy::unused_async, reason = "a use-case like the others; it may read a snapshot from the store later")]
    pub async fn page(&self, viewer: &Viewer, unit: Option<UnitId>) -> Result<StatisticsPage> {
        let tree = self.backend.units().tree();
        let standpoint = &viewer.standpoint;
        let unit = match unit {
            Some(unit) => tree.get(unit),
            None => {
                let top_units = standpoint.top_units(Action::ReadStatistics);
                top_units.into_iter().min_by_key(|path| path.as_str().len()).and_then(|path| tree.at(path))
            }
        };
        let unit = unit.filter(|unit| standpoint.may(Action::ReadStatistics, &unit.path)).ok_or(Error::NotFound)?;
        let (total, children) = self.level(standpoint, &tree, unit);
        Ok(StatisticsPage {
            trail: trail(standpoint, &tree, unit),
            total,
            found: children.len(),
            all: children.len(),
            help: needing_help(&children),
            children,
            changed_at: self.backend.counters().changed_at(),
        })
    }

    /// Like [`Self::page`], with only the children that the query selects for the table.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub async fn table(&self, viewer: &Viewer, unit: Option<UnitId>, query: &TableQuery) -> Result<StatisticsPage> {
        let page = self.page(viewer, unit).await?;
        let Cut { rows, found } = query.cut(page.children);
        Ok(StatisticsPage { children: rows, found, ..page })
    }

    /// Recounts everything from the tables. Returns the paths of the units whose figures have changed: none when the counters
    /// were correct and there are no concurrent writes. Saves the new figures when they differ.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn recount(&self) -> Result<Vec<UnitPath>> {
        self.backend.catch_up().await?;
        let different = self.backend.recount().await?;
        if !different.is_empty() {
            self.save_counters_now().await?;
        }
        Ok(different)
    }

    /// The figures of a unit that the person may read, and of its children in the order of [`Tree::children`]; none where they
    /// are hidden.
    pub(crate) fn level(&self, standpoint: &Standpoint, tree: &Tree, unit: &UnitRef) -> (UnitFigures, Vec<UnitFigures>) {
        let today = self.backend.clock().today();
        let counters = self.backend.counters();
        let row = |unit: &UnitRef| UnitFigures {
            figures: Some(counters.figures(&unit.path, today)),
            has_children: has_children(tree, unit),
            phase: tree.phase(&unit.path),
            unit: unit.clone(),
        };
        let members = |path: &_| counters.members(path);
        let is_hidden = hides(tree, &trail(standpoint, tree, unit), members);
        let mut total = row(unit);
        if is_hidden {
            total.figures = None;
        }
        let mut children: Vec<UnitFigures> = tree.children(&unit.path).map(row).collect();
        let hidden = groups::hidden_below(tree, &unit.path, is_hidden, members);
        for (row, _) in children.iter_mut().zip(hidden).filter(|(_, hidden)| *hidden) {
            row.figures = None;
        }
        (total, children)
    }

    /// The number of active members of a unit without exempt ones; none where the figures of [`Self::level`] are hidden. It is
    /// not hidden from people who may read the records of these members, since they can count them.
    pub(crate) fn members(&self, standpoint: &Standpoint, tree: &Tree, unit: &UnitRef) -> Option<u32> {
        let members = |path: &_| self.backend.counters().members(path);
        let is_shown = standpoint.may(Action::ReadMembers, &unit.path) || {
            let trail = if standpoint.may(Action::ReadStatistics, &unit.path) {
                trail(standpoint, tree, unit)
            } else {
                trail_for(Action::ReadUnit, standpoint, tree, unit)
            };
            !hides(tree, &trail, members)
        };
        is_shown.then(|| members(&unit.path))
    }

    /// [`Self::members`] of the units one level below, in the order of [`Tree::children`]. Which are hidden is determined once for
    /// all, so it takes time by their number.
    pub(crate) fn members_below(&self, standpoint: &Standpoint, tree: &Tree, unit: &UnitRef) -> Vec<Option<u32>> {
        let members = |path: &_| self.backend.counters().members(path);
        let is_hidden = hides(tree, &trail_for(Action::ReadUnit, standpoint, tree, unit), members);
        let hidden = groups::hidden_below(tree, &unit.path, is_hidden, members);
        let below = tree.children(&unit.path).zip(hidden);
        below
            .map(|(child, hidden)| {
                let has_office =
                    [Action::ReadMembers, Action::ReadStatistics].iter().any(|action| standpoint.may(*action, &child.path));
                if has_office { self.members(standpoint, tree, child) } else { (!hidden).then(|| members(&child.path)) }
            })
            .collect()
    }
}

/// The path from the highest unit whose figures the person may read down to the unit itself.
fn trail(standpoint: &Standpoint, tree: &Tree, unit: &UnitRef) -> Vec<UnitRef> {
    trail_for(Action::ReadStatistics, standpoint, tree, unit)
}

/// The path from the highest unit where the person may do `action` down to the unit itself. It has no gaps: between the units on
/// the person's own line and those of an office elsewhere there can be some where the person may not, but each is hidden or not by
/// the one above it.
fn trail_for(action: Action, standpoint: &Standpoint, tree: &Tree, unit: &UnitRef) -> Vec<UnitRef> {
    tree.trail(&unit.path).skip_while(|above| !standpoint.may(action, &above.path)).cloned().collect()
}

fn has_children(tree: &Tree, unit: &UnitRef) -> bool {
    tree.subtree(&unit.path).nth(1).is_some()
}
