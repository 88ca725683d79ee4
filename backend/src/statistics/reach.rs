//! The number of members of an audience, as far as a person may know it.
//!
//! Invariant: for people without the right to read the records, it is computed only from the figures of whole units that the
//! pages of units show them ([`Statistics::members`]), and from the choice itself. So no series of questions gives more than these
//! figures do. A rounded number would: with units of known numbers added one by one, the sum at which it changes gives that of a
//! hidden unit.

use domain::{
    audience::{Audience, Places},
    members::Standing,
    policy::{Action, Standpoint},
    statistics::MemberCount,
    units::UnitPath,
};

use super::Statistics;
use crate::units::Tree;

impl Statistics<'_> {
    /// The number of active members of an audience in the subtree of `top`, without exempt ones. Always exact for people who may
    /// read the records of all of these members, since they can count them.
    pub(crate) fn members_asked(&self, standpoint: &Standpoint, tree: &Tree, top: &UnitPath, audience: &Audience) -> MemberCount {
        let places = audience.within(top);
        if places.within.iter().all(|place| standpoint.may(Action::ReadMembers, place)) {
            return MemberCount::Exact(self.backend.counters().members_asked(top, audience));
        }
        let is_for_all = audience.is_for_standings(&[Standing::Official, Standing::Probationary]);
        let shown = |place: &UnitPath| self.members(standpoint, tree, tree.at(place)?);
        told(&places, is_for_all, top, shown)
    }
}

/// What the figures of whole units say of the members in these places below `top`; of all standings if `is_for_all`. `shown` is the
/// figure of a unit, none where it is hidden.
fn told(places: &Places, is_for_all: bool, top: &UnitPath, shown: impl Fn(&UnitPath) -> Option<u32>) -> MemberCount {
    let (mut members, mut has_more, mut has_fewer) = (0_u32, false, !is_for_all);
    for place in &places.within {
        let Some(mut left) = shown(place) else {
            has_more = true;
            continue;
        };
        for excepted in places.without.iter().filter(|excepted| place.contains(excepted)) {
            match shown(excepted) {
                Some(fewer) => left = left.saturating_sub(fewer),
                None => has_fewer = true,
            }
        }
        members = members.saturating_add(left);
    }
    match (has_more, has_fewer) {
        (false, true) if members > 0 => MemberCount::AtMost(members),
        (false, _) => MemberCount::Exact(members),
        (true, false) if members > 0 => MemberCount::AtLeast(members),
        (true, _) => shown(top).map_or(MemberCount::Hidden, MemberCount::AtMost),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::units::UnitRef;

    use super::{super::groups::hides, *};
    use crate::units::tests::tree_of;

    const UNITS: [&str; 7] = ["/51/", "/51/001/", "/51/001/01/", "/51/001/02/", "/51/002/", "/51/002/01/", "/51/002/02/"];

    /// Units of [`UNITS`] in which the members are registered.
    const BRANCHES: [usize; 4] = [2, 3, 5, 6];

    const SIZES: [u32; 5] = [0, 1, 4, 5, 7];

    fn path(text: &str) -> UnitPath {
        UnitPath::parse(text).expect("a path")
    }

    /// The tree of [`UNITS`] with these numbers of members in the branches.
    struct Organisation<'t> {
        tree: &'t Tree,
        own: [(UnitPath, u32); 4],
    }

    impl Organisation<'_> {
        fn members(&self, unit: &UnitPath) -> u32 {
            self.own.iter().filter(|(branch, _)| unit.contains(branch)).map(|(_, members)| members).sum()
        }

        fn shown(&self, unit: &UnitPath) -> Option<u32> {
            let trail: Vec<UnitRef> = self.tree.trail(unit).cloned().collect();
            (!hides(self.tree, &trail, |path| self.members(path))).then(|| self.members(unit))
        }

        fn members_in(&self, places: &Places) -> u32 {
            let sum = |paths: &[UnitPath]| paths.iter().map(|path| self.members(path)).sum::<u32>();
            sum(&places.within) - sum(&places.without)
        }
    }

    /// The province, or any part of it, without one of the units below.
    fn audiences(tree: &Tree, top: &UnitPath) -> Vec<Places> {
        let units = || UNITS[1..].iter().map(|unit| tree.at(&path(unit)).expect("a unit").clone());
        let parts: Vec<Vec<UnitRef>> = (0_u32..1 << 6)
            .map(|chosen| units().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, unit)| unit).collect())
            .collect();
        let except: Vec<Vec<UnitRef>> = units().map(|unit| vec![unit]).chain([Vec::new()]).collect();
        let whole = Audience::of(tree.at(top).expect("a unit").clone());
        let without = |parts: &Vec<UnitRef>| {
            let of = |except: &Vec<UnitRef>| Audience { parts: parts.clone(), except: except.clone(), ..whole.clone() };
            except.iter().map(|except| of(except).within(top)).collect::<Vec<_>>()
        };
        parts.iter().flat_map(without).collect()
    }

    /// In all provinces of two communes with two branches of these sizes.
    #[test]
    fn answers_are_true_of_what_is_hidden_too() {
        let paths = UNITS.map(path);
        let (tree, top) = (tree_of(&paths), &paths[0]);
        let audiences = audiences(&tree, top);
        for at in 0..SIZES.len().pow(4) {
            let mut left = at;
            let own = BRANCHES.map(|branch| {
                let size = SIZES[left % SIZES.len()];
                left /= SIZES.len();
                (paths[branch].clone(), size)
            });
            let organisation = Organisation { tree: &tree, own };
            let figures: BTreeMap<&UnitPath, Option<u32>> = paths.iter().map(|path| (path, organisation.shown(path))).collect();
            for places in &audiences {
                let members = organisation.members_in(places);
                for is_for_all in [true, false] {
                    let is_true = match told(places, is_for_all, top, |path| figures[path]) {
                        MemberCount::Exact(told) => told == members && (is_for_all || told == 0),
                        MemberCount::AtMost(most) => most >= members,
                        MemberCount::AtLeast(least) => least <= members && is_for_all,
                        MemberCount::Hidden => figures[top].is_none(),
                    };
                    assert!(is_true, "{places:?} of {:?}", organisation.own);
                }
            }
        }
    }

    #[test]
    fn hidden_units_are_left_out_of_the_sum() {
        let shown = |path: &UnitPath| match path.as_str() {
            "/51/" => Some(90),
            "/51/001/" => Some(40),
            "/51/001/01/" => Some(30),
            _ => None,
        };
        let answer = |within: &[&str], without: &[&str], is_for_all: bool| {
            let paths = |texts: &[&str]| texts.iter().map(|text| path(text)).collect::<Vec<_>>();
            told(&Places { within: paths(within), without: paths(without) }, is_for_all, &path("/51/"), shown)
        };
        assert_eq!(answer(&["/51/"], &["/51/001/"], true), MemberCount::Exact(50));
        assert_eq!(answer(&["/51/"], &["/51/001/", "/51/002/"], true), MemberCount::AtMost(50));
        assert_eq!(answer(&["/51/001/"], &[], false), MemberCount::AtMost(40), "of one standing");
        assert_eq!(answer(&["/51/001/", "/51/002/"], &["/51/001/01/"], true), MemberCount::AtLeast(10));
        assert_eq!(answer(&["/51/001/", "/51/002/"], &[], false), MemberCount::AtMost(90), "neither 40 nor more");
        assert_eq!(answer(&["/51/002/"], &[], true), MemberCount::AtMost(90));
        assert_eq!(answer(&[], &[], true), MemberCount::Exact(0));
    }
}
