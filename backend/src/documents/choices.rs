//! Units an editor can choose from, and the reach of a chosen audience.

use domain::{
    accounts::Viewer,
    audience::{Audience, Places},
    documents::desk::PartChoices,
    policy::Action,
    statistics::Reach,
    units::{PickedUnits, UnitPath, UnitRef},
};

use super::{
    Documents,
    form::{ReachForm, typed_audience},
};
use crate::{
    Error, Result,
    units::{Tree, chosen::part_choices},
};

/// Maximum number of units offered: a list a person can still scan.
const CHOICES: usize = 400;

impl Documents<'_> {
    /// The choices of the form, and the reach of `picked`, a form that is not saved.
    pub(super) fn part_choices(
        &self,
        tree: &Tree,
        viewer: &Viewer,
        whom: &Audience,
        picked: Option<&PickedUnits>,
    ) -> PartChoices {
        let (backend, standpoint) = (self.backend, &viewer.standpoint);
        let Some(picked) = picked else {
            return part_choices(backend, standpoint, tree, whom, |_| true, &PickedUnits::default());
        };
        let is_own = |path: &UnitPath| viewer.standpoint.may_by_office(Action::WriteDocument, path);
        let unit = tree.named(&picked.audience).filter(|unit| is_own(&unit.path));
        let whom = Audience { unit: unit.unwrap_or(&whom.unit).clone(), ..whom.clone() };
        let choices = part_choices(backend, standpoint, tree, &whom, is_own, picked);
        PartChoices { reach: self.reach_of_picked(tree, viewer, picked), ..choices }
    }

    /// `None` where the selection has a problem, which saving reports.
    fn reach_of_picked(&self, tree: &Tree, viewer: &Viewer, picked: &PickedUnits) -> Option<Reach> {
        let ids = |typed: &str| typed.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>();
        let (parts, except) = (ids(&picked.parts), ids(&picked.except));
        let form = ReachForm { audience: &picked.audience, parts: &parts, except: &except, standings: &picked.standings };
        typed_audience(tree, viewer, form).ok().map(|audience| self.reach(tree, viewer, &audience))
    }

    /// The number of branches in an audience, and of members as far as the person may know it.
    pub(crate) fn reach(&self, tree: &Tree, viewer: &Viewer, audience: &Audience) -> Reach {
        let Places { within, without } = audience.places();
        let is_branch = |place: &UnitPath| tree.at(place).is_some_and(|unit| unit.kind.meets_as_branch());
        let within_one = |place: &UnitPath| tree.branches(place) + u32::from(is_branch(place));
        let branches = |places: &[UnitPath]| places.iter().map(within_one).sum::<u32>();
        Reach {
            members: self.backend.statistics().members_asked(&viewer.standpoint, tree, &audience.unit.path, audience),
            branches: branches(&within).saturating_sub(branches(&without)),
        }
    }
}

pub(super) fn highest<'t>(tree: &'t Tree, top_units: &[&UnitPath]) -> Result<&'t UnitRef> {
    top_units.iter().min_by_key(|path| path.as_str().len()).and_then(|path| tree.at(path)).ok_or(Error::NotFound)
}

/// The top units and the units below them, level by level, up to [`CHOICES`]. The unit already chosen is always included.
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
