//! The unit one acts for at the places of one's offices.
//!
//! Whoever holds offices on several units sees all of them there, or one of them: what was chosen last is kept in a cookie.
//!
//! Invariant: the choice gives no right. The server takes rights away with it ([`domain::accounts::Viewer::acting_for`]), only where a
//! place lists things, and never where an address names a unit.

use domain::{accounts::Viewer, ids::UnitId, policy::Action, units::UnitRef};

/// Addresses of places where one acts for a unit, and what an office must cover to count there.
const PLACES: [(&str, &[Action]); 16] = [
    ("/desk", &[Action::WriteDocument]),
    ("/desk/new", &[Action::WriteDocument]),
    ("/courses/manage", &[Action::ManageCourses]),
    ("/courses/manage/new", &[Action::ManageCourses]),
    ("/branch", &[Action::ReadOpinions, Action::WriteDocument]),
    ("/readers", &[Action::ReadStatistics]),
    ("/committee", &[Action::ReadStatistics]),
    ("/units", &[Action::ReadUnit]),
    ("/members", &[Action::ReadMembers]),
    ("/corrections", &[Action::ManageMembers]),
    ("/transfers", &[Action::TransferMember]),
    ("/quality", &[Action::ReadMembers]),
    ("/imports", &[Action::ManageMembers, Action::ManageUnit]),
    ("/imports/new", &[Action::ManageMembers, Action::ManageUnit]),
    ("/codes", &[Action::IssueCodes]),
    ("/audit", &[Action::ReadAudit]),
];

/// Places that show one unit, the highest where none was chosen.
const OF_ONE_UNIT: [&str; 2] = ["/readers", "/committee"];

/// What an office must cover to count at this address; none where one does not act for a unit.
pub fn actions_at(path: &str, query: &str) -> Option<&'static [Action]> {
    let names_unit = query.trim_start_matches('?').split('&').any(|pair| pair.starts_with("unit="));
    PLACES.into_iter().find(|(place, _)| *place == path && !names_unit).map(|(_, actions)| actions)
}

/// The units one could act for at an address, and the one of them that is shown; none for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    pub units: Vec<UnitRef>,
    pub shown: Option<UnitRef>,
    /// Whether all of them can be shown at once.
    pub takes_all: bool,
}

impl Acting {
    /// None where the person acts for no unit.
    pub fn at(viewer: &Viewer, chosen: Option<UnitId>, path: &str, query: &str) -> Option<Self> {
        let units: Vec<UnitRef> = viewer.units_for(actions_at(path, query)?).into_iter().cloned().collect();
        let takes_all = units.len() > 1 && !OF_ONE_UNIT.contains(&path);
        let chosen = units.iter().find(|unit| Some(unit.id) == chosen);
        let shown = if takes_all { chosen } else { chosen.or(units.first()) }.cloned();
        (!units.is_empty()).then_some(Self { units, shown, takes_all })
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        accounts::Office,
        ids::MemberId,
        members::Standing,
        policy::{Role, Standpoint},
        units::{UnitKind, UnitPath},
    };

    use super::*;

    const ID: &str = "01JD000000000000000000000";

    fn unit(path: &str) -> UnitRef {
        let id = format!("{ID}{}", path.len()).parse().expect("an id");
        UnitRef { id, kind: UnitKind::Branch, name: path.to_owned(), path: UnitPath::parse(path).expect("a path") }
    }

    #[test]
    fn a_place_shows_all_units_or_the_one_that_was_chosen() {
        let (hills, commune) = (unit("/1/2/33/"), unit("/1/3/"));
        let offices = [&hills, &commune].map(|unit| Office { role: Role::Secretary, unit: unit.clone() }).to_vec();
        let standpoint = Standpoint { branch: hills.path.clone(), standing: Standing::Official, grants: Vec::new() };
        let (member, name): (MemberId, _) = (format!("{ID}0").parse().expect("an id"), "Huỳnh Thị Bến".to_owned());
        let viewer = Viewer { member, name, branch: hills.clone(), standpoint, offices, resting: Vec::new() };
        let shown = |chosen, path, query| Acting::at(&viewer, chosen, path, query).map(|acting| (acting.shown, acting.takes_all));
        assert_eq!(shown(None, "/branch", ""), Some((None, true)));
        assert_eq!(shown(Some(hills.id), "/branch", "?after=A"), Some((Some(hills.clone()), true)));
        assert_eq!(shown(None, "/committee", ""), Some((Some(commune), false)), "the highest, as on the page");
        assert_eq!(shown(Some(hills.id), "/committee", ""), Some((Some(hills.clone()), false)));
        assert_eq!(shown(Some(hills.id), "/members", "?q=a&unit=B"), None, "the address names a unit");
        for elsewhere in ["/", "/library", "/branch/01A", "/desk"] {
            assert_eq!(shown(Some(hills.id), elsewhere, ""), None, "{elsewhere}");
        }
    }
}
