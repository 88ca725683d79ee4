//! Whom a document or a course is for (nơi nhận): the one rule for every list, count and page.
//!
//! Invariant: membership in an audience and its subtrees are computed by [`Audience`] only, never from its columns elsewhere.
//! Filters in the store and in the search index may return false positives, never false negatives.

use crate::{
    members::Standing,
    policy::{Action, Standpoint},
    units::{UnitPath, UnitRef},
};

/// The members of a unit's subtree, optionally limited to some of its parts, without some of its units, and limited to some
/// standings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    pub unit: UnitRef,
    /// Units below `unit`: only members of their subtrees. Empty for all. A part that was moved out of `unit` adds nobody.
    pub parts: Vec<UnitRef>,
    /// Units below `unit` or below its parts: without the members of their subtrees. One that was moved elsewhere excepts nobody.
    ///
    /// A unit that ended is not in this list, and excepts nobody either: its members are now those of its successor, whose
    /// membership decides.
    pub except: Vec<UnitRef>,
    /// Only members of these standings; empty for all.
    pub standings: Vec<Standing>,
    /// Number of excepted units that ended since the audience was chosen.
    pub ended: usize,
}

/// Disjoint subtrees, without some smaller ones. Each of `without` lies in one of `within`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    pub within: Vec<UnitPath>,
    pub without: Vec<UnitPath>,
}

impl Audience {
    /// Maximum number of parts. Readers are counted by one index range for each part and standing.
    pub const PARTS_MAX: usize = 400;

    /// Maximum number of excepted units.
    pub const EXCEPT_MAX: usize = 100;

    /// The whole subtree of a unit.
    pub const fn of(unit: UnitRef) -> Self {
        Self { unit, parts: Vec::new(), except: Vec::new(), standings: Vec::new(), ended: 0 }
    }

    /// Whether the person is in the audience and has the member right `action` there.
    pub fn includes(&self, standpoint: &Standpoint, action: Action) -> bool {
        let holds_branch = |unit: &UnitRef| unit.path.contains(&standpoint.branch);
        let is_in_part = self.parts.is_empty() || self.parts.iter().any(holds_branch);
        let standing_fits = self.standings.is_empty() || self.standings.contains(&standpoint.standing);
        is_in_part && !self.except.iter().any(holds_branch) && standing_fits && standpoint.may_as_member(action, &self.unit.path)
    }

    /// The subtrees of the audience. Empty when all parts were moved out of the unit, or all are excepted.
    pub fn places(&self) -> Places {
        let Subtrees { within, without } = self.subtrees();
        Places { within: within.into_iter().cloned().collect(), without: without.into_iter().cloned().collect() }
    }

    /// The same, intersected with the subtree of `unit_path`.
    pub fn within(&self, unit_path: &UnitPath) -> Places {
        let Subtrees { within, without } = self.subtrees();
        let is_excepted = |unit_path: &UnitPath| holder(&without, unit_path).is_some();
        let within = within.iter().filter_map(|subtree| inner(subtree, unit_path)).filter(|inside| !is_excepted(inside));
        let within: Vec<&UnitPath> = within.collect();
        let without = without.iter().filter(|excepted| holder(&within, excepted).is_some());
        Places { without: without.map(|excepted| (*excepted).clone()).collect(), within: within.into_iter().cloned().collect() }
    }

    /// Whether an office grants the person `action` on the whole audience or on one of its parts, including a part that was moved
    /// into another one. An office on an excepted unit, or below one, grants nothing by its parts.
    pub fn is_held_by(&self, standpoint: &Standpoint, action: Action) -> bool {
        let holds_part = |top_unit: &UnitPath| {
            let mut parts = self.parts.iter().filter_map(|part| inner(&self.unit.path, &part.path));
            parts.any(|part| top_unit.contains(part)) && !self.except.iter().any(|unit| unit.path.contains(top_unit))
        };
        standpoint.may_by_office(action, &self.unit.path) || standpoint.top_units(action).into_iter().any(holds_part)
    }

    /// Whether part of the subtree of `unit_path` is in the audience.
    pub fn touches(&self, unit_path: &UnitPath) -> bool {
        let Subtrees { within, without } = self.subtrees();
        let mut inside = within.iter().filter_map(|subtree| inner(subtree, unit_path));
        inside.any(|inside| holder(&without, inside).is_none())
    }

    /// Whether the whole subtree of `unit_path` is in the audience, standings aside.
    pub fn covers(&self, unit_path: &UnitPath) -> bool {
        let Subtrees { within, without } = self.subtrees();
        holder(&within, unit_path).is_some() && without.iter().all(|excepted| inner(excepted, unit_path).is_none())
    }

    /// Whether members registered in this very unit are in the audience, standings aside.
    pub fn reaches_members_of(&self, unit_path: &UnitPath) -> bool {
        let Subtrees { within, without } = self.subtrees();
        holder(&within, unit_path).is_some() && holder(&without, unit_path).is_none()
    }

    /// Whether every member of the other audience is in this one.
    pub fn covers_all_of(&self, other: &Self) -> bool {
        let (own, others) = (self.subtrees(), other.subtrees());
        let is_excepted_there = |excepted: &UnitPath| holder(&others.without, excepted).is_some();
        let is_covered = |subtree: &UnitPath| {
            let mut missing = own.without.iter().filter(|excepted| inner(excepted, subtree).is_some());
            holder(&own.within, subtree).is_some() && missing.all(|excepted| is_excepted_there(excepted))
        };
        others.within.iter().all(|subtree| is_covered(subtree)) && self.is_for_standings(&other.standings)
    }

    /// Whether it includes all members of these standings, or all members when `standings` is empty.
    pub fn is_for_standings(&self, standings: &[Standing]) -> bool {
        self.standings.is_empty() || (!standings.is_empty() && standings.iter().all(|standing| self.standings.contains(standing)))
    }

    /// Whether all parts still lie below the unit and all excepted units still exist: otherwise it has other members than those
    /// it was chosen for.
    pub fn is_whole(&self) -> bool {
        self.ended == 0 && self.parts.iter().all(|part| self.unit.path.contains(&part.path))
    }

    /// Whether both name the same units and standings. Paths and names are ignored: they may date from different days.
    pub fn names_the_same(&self, other: &Self) -> bool {
        let ids = |units: &[UnitRef]| units.iter().map(|unit| unit.id).collect::<Vec<_>>();
        self.unit.id == other.unit.id
            && ids(&self.parts) == ids(&other.parts)
            && ids(&self.except) == ids(&other.except)
            && self.standings == other.standings
            && self.ended == other.ended
    }

    fn subtrees(&self) -> Subtrees<'_> {
        let except = outermost(self.except.iter().map(|unit| &unit.path).collect());
        let mut within = if self.parts.is_empty() {
            vec![&self.unit.path]
        } else {
            outermost(self.parts.iter().filter_map(|part| inner(&self.unit.path, &part.path)).collect())
        };
        within.retain(|subtree| holder(&except, subtree).is_none());
        let without = except.into_iter().filter(|excepted| holder(&within, excepted).is_some()).collect();
        Subtrees { within, without }
    }
}

/// [`Places`] by reference. Both lists are in the order of paths.
struct Subtrees<'p> {
    within: Vec<&'p UnitPath>,
    without: Vec<&'p UnitPath>,
}

/// The paths in order, without those below another one.
fn outermost(mut paths: Vec<&UnitPath>) -> Vec<&UnitPath> {
    paths.sort_unstable();
    paths.dedup_by(|below, above| above.contains(below));
    paths
}

/// The one of these disjoint subtrees, in the order of paths, that contains `path`. Everything between a path and one above it
/// is below the latter, so it can only be the last one before `path`.
fn holder<'p>(disjoint: &[&'p UnitPath], path: &UnitPath) -> Option<&'p UnitPath> {
    let after = disjoint.partition_point(|subtree| *subtree <= path);
    disjoint.get(after.checked_sub(1)?).copied().filter(|subtree| subtree.contains(path))
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
    use proptest::{
        collection::vec,
        prelude::*,
        sample::{Index, select, subsequence},
    };
    use ulid::Ulid;

    use super::*;
    use crate::{
        ids::UnitId,
        levels::tests::level,
        policy::{
            Grant, Role,
            tests::{RandomTree, offices},
        },
    };

    fn path(text: &str) -> UnitPath {
        UnitPath::parse(text).expect("a path")
    }

    fn unit(at: &str) -> UnitRef {
        UnitRef { id: UnitId::new(Ulid::nil()), kind: level("commune"), name: at.to_owned(), path: path(at) }
    }

    fn audience(at: &str, parts: &[&str]) -> Audience {
        Audience { parts: parts.iter().map(|part| unit(part)).collect(), ..Audience::of(unit(at)) }
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
        assert_eq!(some.places(), Places { within: vec![path("/01/51/001/"), path("/01/51/003/")], without: Vec::new() });
        assert!(!some.is_whole());
        assert_eq!(texts(&some.within(&path("/01/51/001/02/")).within), ["/01/51/001/02/"]);
        assert_eq!(texts(&some.within(&path("/01/")).within), ["/01/51/001/", "/01/51/003/"]);
        assert!(some.touches(&path("/01/51/")) && !some.touches(&path("/01/51/002/")) && !some.touches(&path("/01/52/001/")));

        let nobody = audience("/01/51/", &["/01/52/001/"]);
        assert!(
            nobody.places().within.is_empty()
                && !nobody.includes(&member("/01/51/001/", Standing::Official), Action::ReadDocument)
        );
        assert!(!nobody.includes(&member("/01/52/001/", Standing::Official), Action::ReadDocument));
    }

    #[test]
    fn excepted_units_and_what_is_below_them_are_left_out() {
        let some = Audience { except: vec![unit("/01/51/001/02/"), unit("/01/51/003/")], ..audience("/01/51/", &[]) };
        for (branch, is_reached) in [
            ("/01/51/001/01/", true),
            ("/01/51/001/02/", false),
            ("/01/51/001/02/07/", false),
            ("/01/51/001/021/", true),
            ("/01/51/003/01/", false),
            ("/01/52/001/", false),
        ] {
            let member = member(branch, Standing::Official);
            assert_eq!(some.includes(&member, Action::ReadDocument), is_reached, "{branch}");
            assert_eq!(some.covers(&path(branch)), is_reached, "{branch}");
        }
        assert!(some.touches(&path("/01/51/001/")) && !some.covers(&path("/01/51/001/")));
        let places = some.within(&path("/01/51/001/"));
        assert_eq!((texts(&places.within), texts(&places.without)), (vec!["/01/51/001/"], vec!["/01/51/001/02/"]));
        assert_eq!(some.within(&path("/01/51/003/")), Places::default());
        assert!(some.is_whole() && !Audience { ended: 1, ..some.clone() }.is_whole());
        let leads = |at: &str| Standpoint {
            grants: vec![Grant { role: Role::Secretary, path: path(at) }],
            ..member("/01/52/001/", Standing::Official)
        };
        assert!(some.is_held_by(&leads("/01/51/"), Action::ReadDocument));
        assert!(!some.is_held_by(&leads("/01/51/003/"), Action::ReadDocument));
        // A part within an excepted unit, as after a move: its leaders do not read what its members do not.
        let moved = Audience { except: vec![unit("/01/51/003/")], ..audience("/01/51/", &["/01/51/001/", "/01/51/003/07/"]) };
        assert_eq!(texts(&moved.places().within), ["/01/51/001/"]);
        assert!(moved.is_held_by(&leads("/01/51/001/"), Action::ReadDocument));
        assert!(!moved.is_held_by(&leads("/01/51/003/07/"), Action::ReadDocument));
    }

    #[test]
    fn an_audience_that_excepts_as_much_or_more_is_covered() {
        let except =
            |audience: Audience, units: &[&str]| Audience { except: units.iter().map(|at| unit(at)).collect(), ..audience };
        let (whole, without) = (audience("/01/51/", &[]), except(audience("/01/51/", &[]), &["/01/51/003/07/"]));
        assert!(whole.covers_all_of(&without) && !without.covers_all_of(&whole));
        assert!(without.covers_all_of(&except(audience("/01/51/", &[]), &["/01/51/003/"])));
        assert!(without.covers_all_of(&audience("/01/51/", &["/01/51/001/", "/01/51/003/08/"])));
        assert!(!without.covers_all_of(&audience("/01/51/", &["/01/51/003/"])));
        let some = Audience { standings: vec![Standing::Official], ..whole.clone() };
        assert!(whole.covers_all_of(&some) && !some.covers_all_of(&whole));
    }

    /// Every unit of a tree in which each has two children, as far as the paths of the property reach.
    fn every_unit() -> Vec<UnitPath> {
        let mut units = vec!["/01/".to_owned()];
        let mut from = 0;
        for _ in 0..5 {
            let until = units.len();
            let next: Vec<String> = units[from..].iter().flat_map(|above| [format!("{above}1/"), format!("{above}2/")]).collect();
            units.extend(next);
            from = until;
        }
        units.iter().map(|unit| path(unit)).collect()
    }

    proptest! {
        /// Compared with the sentence “members below the unit, below a part if there are any, below no excepted unit, with a
        /// standing if there are any”, for members of every unit of a tree.
        #[test]
        fn lists_counts_and_pages_follow_from_who_is_included(
            at in "/01(/[12]){0,2}/",
            parts in proptest::collection::vec("/01(/[12]){0,4}/", 0..5),
            except in proptest::collection::vec("/01(/[12]){0,4}/", 0..4),
            standings in proptest::sample::subsequence(Standing::ALL.to_vec(), 0..=Standing::ALL.len()),
        ) {
            let units = |paths: &[String]| paths.iter().map(|path| unit(path)).collect::<Vec<_>>();
            let audience =
                Audience { parts: units(&parts), except: units(&except), standings: standings.clone(), ..Audience::of(unit(&at)) };
            let every = every_unit();
            let is_meant = |branch: &UnitPath| {
                let is_below = |above: &String| branch.as_str().starts_with(above.as_str());
                is_below(&at) && (parts.is_empty() || parts.iter().any(is_below)) && !except.iter().any(is_below)
            };
            let places = audience.places();
            let held = |places: &Places, branch: &UnitPath| {
                let count = |paths: &[UnitPath]| paths.iter().filter(|path| path.contains(branch)).count();
                (count(&places.within), count(&places.without))
            };
            for branch in &every {
                let is_meant = is_meant(branch);
                for standing in Standing::ALL {
                    let is_included = audience.includes(&member(branch.as_str(), standing), Action::ReadDocument);
                    prop_assert_eq!(is_included, is_meant && (standings.is_empty() || standings.contains(&standing)));
                }
                let (within, without) = held(&places, branch);
                prop_assert!(within <= 1 && without <= within);
                prop_assert_eq!(within > without, is_meant);
                prop_assert_eq!(audience.reaches_members_of(branch), is_meant);
            }
            for above in every.iter().step_by(3) {
                let below: Vec<&UnitPath> = every.iter().filter(|unit| above.contains(unit)).collect();
                prop_assert_eq!(audience.covers(above), below.iter().all(|unit| is_meant(unit)));
                prop_assert_eq!(audience.touches(above), below.iter().any(|unit| is_meant(unit)));
                let inside = audience.within(above);
                for branch in &every {
                    let (within, without) = held(&inside, branch);
                    prop_assert!(within <= 1 && without <= within);
                    prop_assert_eq!(within > without, is_meant(branch) && above.contains(branch));
                }
            }
        }

        /// Compared with the rule in words, over random trees in which parents are followed one by one, for several audiences
        /// and a person with several offices.
        #[test]
        fn several_audiences_reach_members_and_offices_by_the_rule(
            tree in RandomTree::strategy(),
            drawn in vec(
                (
                    any::<Index>(),
                    vec(any::<Index>(), 0..4),
                    vec(any::<Index>(), 0..3),
                    subsequence(Standing::ALL.to_vec(), 0..=Standing::ALL.len()),
                ),
                1..4,
            ),
            standing in select(Standing::ALL.to_vec()),
            offices in offices(),
        ) {
            let offices: Vec<(Role, usize)> = offices.iter().map(|(role, unit)| (*role, tree.unit(unit))).collect();
            let refs = |units: &[usize]| units.iter().map(|at| unit(tree.paths[*at].as_str())).collect::<Vec<_>>();
            for (of, parts, except, standings) in drawn {
                let (of, parts, except) = (tree.unit(&of), tree.units(&parts), tree.units(&except));
                let audience = Audience {
                    parts: refs(&parts),
                    except: refs(&except),
                    standings: standings.clone(),
                    ..Audience::of(unit(tree.paths[of].as_str()))
                };
                let is_excepted = |unit: usize| except.iter().any(|except| tree.is_below(unit, *except));
                // A member below the unit, below a part if there are any, below no excepted unit, and with one of the standings if
                // there are any.
                for branch in 0..tree.paths.len() {
                    let is_in_part = parts.is_empty() || parts.iter().any(|part| tree.is_below(branch, *part));
                    let is_meant = tree.is_below(branch, of)
                        && is_in_part
                        && !is_excepted(branch)
                        && (standings.is_empty() || standings.contains(&standing));
                    let person = tree.person(branch, standing, &offices);
                    for (action, is_members) in
                        [(Action::ReadDocument, true), (Action::TakeCourse, true), (Action::WriteDocument, false)]
                    {
                        let is_included = audience.includes(&person, action);
                        prop_assert_eq!(is_included, is_members && is_meant, "{:?} {}", action, person.branch);
                    }
                }
                // An office on the unit or above it; or on a part below the unit or above such a part, but not on an excepted
                // unit or below one.
                let parts_below = parts.iter().filter(|part| tree.is_below(**part, of)).collect::<Vec<_>>();
                for action in Action::ALL {
                    let is_held = offices.iter().filter(|(role, _)| role.covers(action)).any(|(_, held)| {
                        let holds_part = parts_below.iter().any(|part| tree.is_below(**part, *held));
                        tree.is_below(of, *held) || (holds_part && !is_excepted(*held))
                    });
                    // The branch is of no importance for an office.
                    let person = tree.person(0, standing, &offices);
                    prop_assert_eq!(audience.is_held_by(&person, action), is_held, "{:?}", action);
                }
            }
        }

        #[test]
        fn a_covered_audience_has_no_member_of_its_own(
            first in (proptest::collection::vec("/01(/[12]){0,3}/", 0..3), proptest::collection::vec("/01(/[12]){0,3}/", 0..3)),
            second in (proptest::collection::vec("/01(/[12]){0,3}/", 0..3), proptest::collection::vec("/01(/[12]){0,3}/", 0..3)),
        ) {
            let units = |paths: &[String]| paths.iter().map(|path| unit(path)).collect::<Vec<_>>();
            let of = |(parts, except): &(Vec<String>, Vec<String>)| {
                Audience { parts: units(parts), except: units(except), ..Audience::of(unit("/01/")) }
            };
            let (first, second) = (of(&first), of(&second));
            let includes = |audience: &Audience, branch: &UnitPath| {
                audience.includes(&member(branch.as_str(), Standing::Official), Action::ReadDocument)
            };
            let has_all = every_unit().iter().all(|branch| !includes(&second, branch) || includes(&first, branch));
            prop_assert_eq!(first.covers_all_of(&second), has_all);
        }
    }
}
