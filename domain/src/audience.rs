//! Whom a document or a course is for (nơi nhận): the one rule for every list, count and page.
//!
//! Invariant: membership in an audience and its subtrees are computed by [`Audience`] only, never from its columns elsewhere.
//! Filters in the store and in the search index may return false positives, never false negatives.

use crate::{
    members::Standing,
    policy::{Action, Standpoint},
    units::{UnitPath, UnitRef},
};

/// The members of a unit's subtree, optionally limited to some of its parts and to some standings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    pub unit: UnitRef,
    /// Units below `unit`: only members of their subtrees. Empty for all. A part that was moved out of `unit` adds nobody.
    pub parts: Vec<UnitRef>,
    /// Only members of these standings; empty for all.
    pub standings: Vec<Standing>,
}

impl Audience {
    /// Maximum number of parts.
    pub const PARTS_MAX: usize = 50;

    /// Whether the person is in the audience and has the member right `action` there.
    pub fn includes(&self, standpoint: &Standpoint, action: Action) -> bool {
        let is_in_part = self.parts.is_empty() || self.parts.iter().any(|part| part.path.contains(&standpoint.branch));
        let standing_fits = self.standings.is_empty() || self.standings.contains(&standpoint.standing);
        is_in_part && standing_fits && standpoint.may_as_member(action, &self.unit.path)
    }

    /// The disjoint subtrees of the audience. Empty when all parts were moved out of the unit.
    pub fn unit_paths(&self) -> Vec<&UnitPath> {
        if self.parts.is_empty() {
            return vec![&self.unit.path];
        }
        let mut unit_paths: Vec<&UnitPath> = self.parts.iter().filter_map(|part| inner(&self.unit.path, &part.path)).collect();
        unit_paths.sort_unstable();
        unit_paths.dedup_by(|below, above| above.contains(below));
        unit_paths
    }

    /// The same, intersected with the subtree of `unit_path`.
    pub fn within(&self, unit_path: &UnitPath) -> Vec<UnitPath> {
        self.unit_paths().into_iter().filter_map(|part| inner(part, unit_path)).cloned().collect()
    }

    /// Whether an office grants the person `action` on the whole audience or on one of its parts, including a part that was moved
    /// into another one.
    pub fn is_held_by(&self, standpoint: &Standpoint, action: Action) -> bool {
        let is_held = |unit_path: &UnitPath| standpoint.may_by_office(action, unit_path);
        let mut parts = self.parts.iter().filter_map(|part| inner(&self.unit.path, &part.path));
        is_held(&self.unit.path) || parts.any(is_held)
    }

    /// Whether part of the subtree of `unit_path` is in the audience.
    pub fn touches(&self, unit_path: &UnitPath) -> bool {
        self.unit_paths().into_iter().any(|part| inner(part, unit_path).is_some())
    }

    /// Whether the whole subtree of `unit_path` is in the audience, standings aside.
    pub fn covers(&self, unit_path: &UnitPath) -> bool {
        self.unit_paths().into_iter().any(|part| part.contains(unit_path))
    }

    /// Whether it includes all members of these standings, or all members when `standings` is empty.
    pub fn is_for_standings(&self, standings: &[Standing]) -> bool {
        self.standings.is_empty() || (!standings.is_empty() && standings.iter().all(|standing| self.standings.contains(standing)))
    }

    /// Whether all parts still lie below the unit.
    pub fn is_whole(&self) -> bool {
        self.parts.iter().all(|part| self.unit.path.contains(&part.path))
    }

    /// Whether both name the same units and standings. Paths and names are ignored: they may date from different days.
    pub fn names_the_same(&self, other: &Self) -> bool {
        let parts = |audience: &Self| audience.parts.iter().map(|part| part.id).collect::<Vec<_>>();
        self.unit.id == other.unit.id && parts(self) == parts(other) && self.standings == other.standings
    }
}

/// The inner one of two nested subtrees.
fn inner<'p>(one: &'p UnitPath, other: &'p UnitPath) -> Option<&'p UnitPath> {
    if one.contains(other) {
        Some(other)
    } else if other.contains(one) {
        Some(one)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ulid::Ulid;

    use super::*;
    use crate::{ids::UnitId, levels::tests::level};

    fn path(text: &str) -> UnitPath {
        UnitPath::parse(text).expect("a path")
    }

    fn unit(at: &str) -> UnitRef {
        UnitRef { id: UnitId::new(Ulid::nil()), kind: level("commune"), name: at.to_owned(), path: path(at) }
    }

    fn audience(at: &str, parts: &[&str]) -> Audience {
        Audience { unit: unit(at), parts: parts.iter().map(|part| unit(part)).collect(), standings: Vec::new() }
    }

    fn member(branch: &str, standing: Standing) -> Standpoint {
        Standpoint { branch: path(branch), standing, grants: Vec::new() }
    }

    fn texts(unit_paths: &[UnitPath]) -> Vec<&str> {
        unit_paths.iter().map(UnitPath::as_str).collect()
    }

    #[test]
    fn parts_narrow_an_audience_and_standings_narrow_it_further() {
        let mut some = audience("/01/51/", &["/01/51/001/", "/01/51/003/07/"]);
        let reads =
            |audience: &Audience, branch: &str, standing| audience.includes(&member(branch, standing), Action::ReadDocument);
        for (branch, is_reached) in [
            ("/01/51/001/02/", true),
            ("/01/51/001/", true),
            ("/01/51/003/07/", true),
            ("/01/51/003/08/", false),
            ("/01/51/0012/01/", false),
            ("/01/51/", false),
            ("/01/52/001/", false),
        ] {
            assert_eq!(reads(&some, branch, Standing::Official), is_reached, "{branch}");
            assert_eq!(some.covers(&path(branch)), is_reached, "{branch}");
        }
        some.standings = vec![Standing::Probationary];
        assert!(reads(&some, "/01/51/001/02/", Standing::Probationary) && !reads(&some, "/01/51/001/02/", Standing::Official));
        assert!(!reads(&some, "/01/51/002/02/", Standing::Probationary));
        assert!(some.is_for_standings(&[Standing::Probationary]) && !some.is_for_standings(&[]));
    }

    #[test]
    fn nested_parts_count_once_and_parts_moved_away_not_at_all() {
        let some = audience("/01/51/", &["/01/51/003/", "/01/51/001/02/", "/01/51/001/", "/01/52/001/"]);
        assert_eq!(some.unit_paths(), [&path("/01/51/001/"), &path("/01/51/003/")]);
        assert!(!some.is_whole());
        assert_eq!(texts(&some.within(&path("/01/51/001/02/"))), ["/01/51/001/02/"]);
        assert_eq!(texts(&some.within(&path("/01/"))), ["/01/51/001/", "/01/51/003/"]);
        assert!(some.touches(&path("/01/51/")) && !some.touches(&path("/01/51/002/")) && !some.touches(&path("/01/52/001/")));

        let nobody = audience("/01/51/", &["/01/52/001/"]);
        assert!(
            nobody.unit_paths().is_empty() && !nobody.includes(&member("/01/51/001/", Standing::Official), Action::ReadDocument)
        );
        assert!(!nobody.includes(&member("/01/52/001/", Standing::Official), Action::ReadDocument));
    }

    proptest! {
        /// A member is included exactly when the branch lies in one of the subtrees, and it lies in at most one.
        #[test]
        fn the_places_are_those_whose_members_are_included(
            at in "/01(/[12]){0,2}/", parts in proptest::collection::vec("/01(/[12]){0,4}/", 0..5), branch in "/01(/[12]){0,4}/",
        ) {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let audience = audience(&at, &parts);
            let branch = path(&branch);
            let holding = audience.unit_paths().into_iter().filter(|unit_path| unit_path.contains(&branch)).count();
            let is_included = audience.includes(&member(branch.as_str(), Standing::Official), Action::ReadDocument);
            prop_assert_eq!(holding, usize::from(is_included));
            prop_assert_eq!(audience.covers(&branch), is_included);
            prop_assert_eq!(audience.touches(&branch), !audience.within(&branch).is_empty());
        }
    }
}
