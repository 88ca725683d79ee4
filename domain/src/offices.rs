//! Roles over time: who holds which role on a unit, in which period, and who granted it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    forms::Problem,
    ids::{MemberId, OfficeId},
    policy::{Action, Role, Standpoint},
    units::{OneUnitChoices, UnitPath, UnitRef},
};

/// The days on which a role is held, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    pub from: NaiveDate,
    pub until: Option<NaiveDate>,
}

/// The relation of a period to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// The role begins later.
    Coming,
    Held,
    /// The period has ended. This includes a role revoked on or before its first day, and one that began after the unit had
    /// ended, as of a day that was set later. Their periods end before they begin.
    Over,
}

impl Period {
    /// A period that has not ended on `today`.
    ///
    /// # Errors
    /// [`Problem::DateRange`] when it ends before it begins, or has ended.
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
    /// The roles this person may grant on `unit`.
    pub fn gives(&self, unit: &UnitPath) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| self.gives_from(*role, unit).is_some()).collect()
    }

    /// The highest unit from which this person may grant `role` on `unit`; `None` when they may not.
    ///
    /// Invariant: the result is `unit` or above it, so nobody grants a role above their own.
    pub fn gives_from(&self, role: Role, unit: &UnitPath) -> Option<&UnitPath> {
        let grants = self.grants.iter().filter(|grant| grant.role.gives(role) && grant.path.contains(unit));
        grants.map(|grant| &grant.path).min_by_key(|path| path.as_str().len())
    }

    /// Whether this person may do `action` with the record or the account of somebody who holds roles on the units `held`.
    ///
    /// Invariant: only persons on the unit of a role or above it may act on its holder. Whoever can recover an account or change
    /// its numbers can act as its owner, so nobody may do that from below.
    pub fn may_with_holder<'u>(&self, action: Action, held: impl IntoIterator<Item = &'u UnitPath>) -> bool {
        held.into_iter().all(|unit| self.may_by_office(action, unit))
    }

    /// Whether this person may end a role on `unit` that was granted from the unit `given_from`; never one granted from above
    /// their own units.
    pub fn ends(&self, role: Role, unit: &UnitPath, given_from: Option<&UnitPath>) -> bool {
        self.gives_from(role, unit).is_some_and(|own| given_from.is_none_or(|given| own.contains(given)))
    }
}

/// A past, current or future role of a person on a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldOffice {
    pub id: OfficeId,
    pub role: Role,
    pub member: MemberId,
    pub name: String,
    /// Name of the person's branch; `None` when it is closed.
    pub branch: Option<String>,
    pub period: Period,
    pub term: Term,
    /// `None` when the role was imported with the registry.
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
    /// Current and future roles, in the order of [`Role::ALL`].
    pub current: Vec<HeldOffice>,
    /// Past roles, latest first.
    pub over: Vec<HeldOffice>,
    /// The roles the viewer may grant here; empty for a read-only view.
    pub gives: Vec<Role>,
    /// The person preselected from their record, to be granted a role.
    pub candidate: Option<Candidate>,
}

/// The page where the unit is chosen on which a role is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChooseUnitPage {
    pub units: OneUnitChoices,
    /// The person who is to be granted a role, from whose record the viewer came.
    pub candidate: Option<Candidate>,
    /// Why the page is shown again: no unit was selected, or one that is not offered.
    pub problem: Option<Problem>,
}

/// A person who can be granted a role.
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
        assert_eq!(term("2026-11-21", Some("2026-11-20")), Term::Over, "revoked on its first day");
        assert_eq!(term("2026-12-01", Some("2026-11-30")), Term::Over, "revoked before it began");
    }

    #[test]
    fn a_past_or_reversed_period_is_refused() {
        let today = day("2026-11-21");
        let new = |from: &str, until: &str| Period::new(day(from), Some(day(until)), today);
        assert!(new("2026-11-21", "2026-11-21").is_ok());
        assert_eq!(new("2026-11-22", "2026-11-21"), Err(Problem::DateRange));
        assert_eq!(new("2026-01-01", "2026-11-20"), Err(Problem::DateRange));
    }

    /// The whole table: which role grants which, on the unit itself, below it, above it, beside it.
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
    fn only_persons_on_the_unit_of_a_role_or_above_act_on_its_holder() {
        let registrar = standing_at(&[(Role::Registrar, "/1/2/")]);
        for (held, allowed) in [("/1/2/", true), ("/1/2/3/", true), ("/1/", false), ("/1/9/", false)] {
            assert_eq!(registrar.may_with_holder(Action::ManageMembers, [&path(held)]), allowed, "{held}");
            let both = [path("/1/2/3/"), path(held)];
            assert_eq!(registrar.may_with_holder(Action::IssueCodes, &both), allowed, "{held} and one below");
        }
        assert!(registrar.may_with_holder(Action::ManageMembers, []), "no role held");
        assert!(!registrar.may_with_holder(Action::WriteDocument, [&path("/1/2/")]), "only by a role that covers it");
    }

    #[test]
    fn a_role_granted_from_above_is_not_ended_from_below() {
        let below = standing_at(&[(Role::Registrar, "/1/2/")]);
        let above = standing_at(&[(Role::Registrar, "/1/2/"), (Role::Registrar, "/1/")]);
        let (unit, top) = (path("/1/2/3/"), path("/1/"));
        assert!(!below.ends(Role::Secretary, &unit, Some(&top)));
        assert!(above.ends(Role::Secretary, &unit, Some(&top)));
        assert!(below.ends(Role::Secretary, &unit, Some(&path("/1/2/"))));
        assert!(below.ends(Role::Secretary, &unit, None));
        assert!(!below.ends(Role::Operator, &unit, None), "a role that cannot be granted cannot be ended");
    }
}
