//! Roles through time: who holds which on a unit, from when until when, and who gave it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    forms::Problem,
    ids::{MemberId, OfficeId},
    policy::{Action, Role, Standpoint},
    units::{UnitPath, UnitRef},
};

/// The days on which a role is held, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    pub from: NaiveDate,
    pub until: Option<NaiveDate>,
}

/// Where a day lies to a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// The role begins later.
    Coming,
    Held,
    /// It is over. So is a role that was taken back on its first day: such a period ends before it begins.
    Over,
}

impl Period {
    /// A period that can still be worked with on `today`.
    ///
    /// # Errors
    /// [`Problem::DateRange`] when it ends before it begins, or is over.
    pub fn new(from: NaiveDate, until: Option<NaiveDate>, today: NaiveDate) -> Result<Self, Problem> {
        match until {
            Some(until) if until < from || until < today => Err(Problem::DateRange),
            until => Ok(Self { from, until }),
        }
    }

    pub fn on(self, day: NaiveDate) -> Term {
        if self.until.is_some_and(|until| until < day || until < self.from) {
            Term::Over
        } else if self.from > day {
            Term::Coming
        } else {
            Term::Held
        }
    }
}

impl Standpoint {
    /// The roles this person may give on `unit`.
    pub fn gives(&self, unit: &UnitPath) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| self.gives_from(*role, unit).is_some()).collect()
    }

    /// The highest unit from which this person gives `role` on `unit`; none when they may not.
    ///
    /// Invariant: it is `unit` or above it, so nobody gives a role above their own.
    pub fn gives_from(&self, role: Role, unit: &UnitPath) -> Option<&UnitPath> {
        let grants = self.grants.iter().filter(|grant| grant.role.gives(role) && grant.path.contains(unit));
        grants.map(|grant| &grant.path).min_by_key(|path| path.as_str().len())
    }

    /// Whether this person may do `action` with the record or the account of somebody who holds roles on the units `held`.
    ///
    /// Invariant: a role is in the hands of those on its unit or above it only. Whoever can recover an account or change its numbers
    /// can act as its owner, so nobody does that from below.
    pub fn may_with_holder<'u>(&self, action: Action, held: impl IntoIterator<Item = &'u UnitPath>) -> bool {
        held.into_iter().all(|unit| self.may_by_office(action, unit))
    }

    /// Whether this person may end a role on `unit` that was given from the unit `given_from`: not what was decided above them.
    pub fn ends(&self, role: Role, unit: &UnitPath, given_from: Option<&UnitPath>) -> bool {
        self.gives_from(role, unit).is_some_and(|own| given_from.is_none_or(|given| own.contains(given)))
    }
}

/// A role somebody holds, held or will hold on a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldOffice {
    pub id: OfficeId,
    pub role: Role,
    pub member: MemberId,
    pub name: String,
    /// Name of the branch the person is posted to; none when it is closed.
    pub branch: Option<String>,
    pub period: Period,
    pub term: Term,
    /// None when it came with the registry and nobody gave it here.
    pub given_by: Option<String>,
    pub ended_by: Option<String>,
    /// Whether the viewer may end it.
    pub may_end: bool,
}

/// The page of a unit's roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficesPage {
    pub unit: UnitRef,
    pub today: NaiveDate,
    /// Held now or coming, in the order of [`Role::ALL`].
    pub current: Vec<HeldOffice>,
    /// Over, the latest first.
    pub over: Vec<HeldOffice>,
    /// What the viewer may give here; empty for who only looks.
    pub gives: Vec<Role>,
    /// The person whose record led here, to be given a role.
    pub candidate: Option<Candidate>,
}

/// Somebody a role may be given to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub name: String,
    /// Number of the member's card.
    pub card: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{members::Standing, policy::Grant};

    fn path(text: &str) -> UnitPath {
        UnitPath::parse(text).expect("a valid path")
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn standing_at(grants: &[(Role, &str)]) -> Standpoint {
        Standpoint {
            branch: path("/7/7/"),
            standing: Standing::Official,
            grants: grants.iter().map(|(role, at)| Grant { role: *role, path: path(at) }).collect(),
        }
    }

    #[test]
    fn a_period_is_coming_held_or_over() {
        let today = day("2026-11-21");
        let term = |from: &str, until: Option<&str>| Period { from: day(from), until: until.map(day) }.on(today);
        assert_eq!(term("2026-11-22", None), Term::Coming);
        assert_eq!(term("2026-11-21", None), Term::Held);
        assert_eq!(term("2026-11-01", Some("2026-11-21")), Term::Held, "the last day counts");
        assert_eq!(term("2026-11-01", Some("2026-11-20")), Term::Over);
        assert_eq!(term("2026-11-21", Some("2026-11-20")), Term::Over, "taken back on its first day");
        assert_eq!(term("2026-12-01", Some("2026-11-30")), Term::Over, "taken back before it began");
    }

    #[test]
    fn what_is_over_or_upside_down_cannot_be_given() {
        let today = day("2026-11-21");
        let new = |from: &str, until: &str| Period::new(day(from), Some(day(until)), today);
        assert!(new("2026-11-21", "2026-11-21").is_ok());
        assert_eq!(new("2026-11-22", "2026-11-21"), Err(Problem::DateRange));
        assert_eq!(new("2026-01-01", "2026-11-20"), Err(Problem::DateRange));
    }

    /// The whole table: who gives what on the own unit, below it, above it, beside it.
    #[test]
    fn roles_are_given_on_the_own_subtree_by_those_whose_role_gives_them() {
        for own in Role::ALL {
            let person = standing_at(&[(own, "/1/2/")]);
            for role in Role::ALL {
                for (at, within) in [("/1/2/", true), ("/1/2/3/", true), ("/1/", false), ("/1/9/", false)] {
                    let expected = own.gives(role) && within;
                    assert_eq!(person.gives_from(role, &path(at)).is_some(), expected, "{own:?} gives {role:?} at {at}");
                }
            }
        }
    }

    #[test]
    fn who_holds_a_role_is_in_the_hands_of_those_on_its_unit_or_above() {
        let registrar = standing_at(&[(Role::Registrar, "/1/2/")]);
        for (held, allowed) in [("/1/2/", true), ("/1/2/3/", true), ("/1/", false), ("/1/9/", false)] {
            assert_eq!(registrar.may_with_holder(Action::ManageMembers, [&path(held)]), allowed, "{held}");
            let both = [path("/1/2/3/"), path(held)];
            assert_eq!(registrar.may_with_holder(Action::IssueCodes, &both), allowed, "{held} and one below");
        }
        assert!(registrar.may_with_holder(Action::ManageMembers, []), "who holds none");
        assert!(!registrar.may_with_holder(Action::WriteDocument, [&path("/1/2/")]), "only by a role that covers it");
    }

    #[test]
    fn what_was_given_from_above_is_not_ended_from_below() {
        let below = standing_at(&[(Role::Registrar, "/1/2/")]);
        let above = standing_at(&[(Role::Registrar, "/1/2/"), (Role::Registrar, "/1/")]);
        let (unit, top) = (path("/1/2/3/"), path("/1/"));
        assert!(!below.ends(Role::Secretary, &unit, Some(&top)));
        assert!(above.ends(Role::Secretary, &unit, Some(&top)));
        assert!(below.ends(Role::Secretary, &unit, Some(&path("/1/2/"))));
        assert!(below.ends(Role::Secretary, &unit, None));
        assert!(!below.ends(Role::Operator, &unit, None), "what one cannot give, one cannot end");
    }
}
