//! The acting unit on the pages of a person's offices.
//!
//! A person with offices on several units sees the data of all of them, or of one: the last choice is kept in a cookie.
//!
//! Invariant: the choice grants no right. The server removes rights by it ([`domain::accounts::Viewer::acting_for`]), on list
//! pages only, never where an address names a unit.

use domain::{accounts::Viewer, ids::UnitId, policy::Action, units::UnitRef};

/// Addresses of the list pages with an acting unit, and the actions an office must cover to count there. For a page that is
/// reached from two of them, the first match counts.
pub(crate) const PLACES: [(&str, &[Action]); 20] = [
    ("/readers", &[Action::ReadStatistics]),
    ("/courses/results", &[Action::ReadStatistics]),
    ("/desk", &[Action::WriteDocument]),
    ("/desk/new", &[Action::WriteDocument]),
    ("/courses/manage", &[Action::ManageCourses]),
    ("/courses/manage/new", &[Action::ManageCourses]),
    ("/branch", &[Action::ReadOpinions, Action::WriteDocument]),
    ("/committee", &[Action::ReadStatistics]),
    ("/units", &[Action::ReadUnit]),
    ("/reorganisations", &[Action::ManageUnit]),
    ("/reorganisations/new", &[Action::ManageUnit]),
    ("/reorganisations/queue", &[Action::ManageUnit]),
    ("/members", &[Action::ReadMembers]),
    ("/corrections", &[Action::ManageMembers]),
    ("/transfers", &[Action::TransferMember]),
    ("/quality", &[Action::ReadMembers]),
    ("/imports", &[Action::ManageMembers, Action::ManageUnit]),
    ("/imports/new", &[Action::ManageMembers, Action::ManageUnit]),
    ("/codes", &[Action::IssueCodes]),
    ("/audit", &[Action::ReadAudit]),
];

/// Pages that show a single unit: the highest one unless another was chosen.
const OF_ONE_UNIT: [&str; 2] = ["/readers", "/committee"];

/// Pages reached from two list pages: prefix and suffix of the address, and the list pages.
const SHARED: [(&str, &str, [&str; 2]); 2] =
    [("/readers/", "", ["/readers", "/desk"]), ("/courses/", "/results", ["/courses/results", "/courses/manage"])];

/// Actions an office must cover to count at this address; `None` where there is no acting unit.
pub fn actions_at(path: &str, query: &str) -> Option<&'static [Action]> {
    place_at(path, query).map(|(_, actions)| actions)
}

fn place_at(path: &str, query: &str) -> Option<(&'static str, &'static [Action])> {
    let names_unit = query.trim_start_matches('?').split('&').any(|pair| pair.starts_with("unit="));
    PLACES.into_iter().find(|(place, _)| *place == path && !names_unit)
}

/// The list pages that a page belongs to.
fn places_of(path: &str) -> impl Iterator<Item = (&'static str, &'static [Action])> {
    let shared = SHARED.into_iter().find(|(start, end, _)| path.starts_with(*start) && path.ends_with(*end));
    PLACES.into_iter().filter(move |(place, _)| match shared {
        Some((_, _, places)) => places.contains(place),
        None => path.strip_prefix(*place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    })
}

/// The possible acting units at an address, and the current one; `None` for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    pub units: Vec<UnitRef>,
    pub shown: Option<UnitRef>,
    /// Whether all units can be shown at once.
    pub takes_all: bool,
    /// The address of the list page where the unit is chosen.
    pub place: &'static str,
}

impl Acting {
    /// `None` where there is no acting unit. Pages below a list page use all offices, whatever was chosen: the unit shown there
    /// is the only one, or the one in the address.
    pub fn at(viewer: &Viewer, chosen: Option<UnitId>, path: &str, query: &str) -> Option<Self> {
        let held = |actions: &[Action]| viewer.units_for(actions).into_iter().cloned().collect::<Vec<UnitRef>>();
        let exact = place_at(path, query);
        let (place, units) = if let Some((place, actions)) = exact {
            (place, held(actions))
        } else {
            places_of(path).map(|(place, actions)| (place, held(actions))).find(|(_, units)| !units.is_empty())?
        };
        let takes_all = units.len() > 1 && !OF_ONE_UNIT.contains(&place);
        let shown = if exact.is_some() {
            let chosen = units.iter().find(|unit| Some(unit.id) == chosen);
            if takes_all { chosen } else { chosen.or(units.first()) }
        } else {
            let is_named = |unit: &UnitRef| [path, query].iter().any(|part| part.contains(&unit.id.to_string()));
            if let [only] = &*units { Some(only) } else { units.iter().find(|unit| is_named(unit)) }
        };
        let shown = shown.cloned();
        (!units.is_empty()).then_some(Self { units, shown, takes_all, place })
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        accounts::Office,
        ids::MemberId,
        members::Standing,
        policy::{Role, Standpoint},
        units::UnitPath,
    };

    use super::*;
    use crate::terms::tests::level;

    const ID: &str = "01JD000000000000000000000";

    fn unit(path: &str) -> UnitRef {
        let id = format!("{ID}{}", path.len()).parse().expect("an id");
        UnitRef { id, kind: level("branch"), name: path.to_owned(), path: UnitPath::parse(path).expect("a path") }
    }

    fn viewer(offices: &[&UnitRef]) -> Viewer {
        let branch = offices[0].clone();
        let offices = offices.iter().map(|unit| Office { role: Role::Secretary, unit: (*unit).clone() }).collect();
        let standpoint = Standpoint { branch: branch.path.clone(), standing: Standing::Official, grants: Vec::new() };
        let (member, name): (MemberId, _) = (format!("{ID}0").parse().expect("an id"), "Huỳnh Thị Bến".to_owned());
        Viewer { member, name, branch, standpoint, offices, resting: Vec::new() }
    }

    #[test]
    fn a_single_unit_is_shown_on_every_page_of_a_place() {
        let commune = unit("/1/3/");
        let viewer = viewer(&[&commune]);
        let pages = [
            ("/committee", "/committee"),
            ("/committee/01A", "/committee"),
            ("/readers/01A", "/readers"),
            ("/courses/results", "/courses/results"),
            ("/courses/01A/results", "/courses/results"),
            ("/units/01A/roles", "/units"),
            ("/members/01A", "/members"),
            ("/codes/sheet", "/codes"),
        ];
        for (path, place) in pages {
            let acting = Acting::at(&viewer, None, path, "?sort=name").unwrap_or_else(|| panic!("{path}"));
            assert_eq!((acting.shown.as_ref(), acting.place), (Some(&commune), place), "{path}");
        }
    }

    #[test]
    fn a_place_shows_all_units_or_the_one_that_was_chosen() {
        let (hills, commune) = (unit("/1/2/33/"), unit("/1/3/"));
        let viewer = viewer(&[&hills, &commune]);
        let shown = |chosen, path, query| Acting::at(&viewer, chosen, path, query).map(|acting| (acting.shown, acting.takes_all));
        assert_eq!(shown(None, "/branch", ""), Some((None, true)));
        assert_eq!(shown(Some(hills.id), "/branch", "?after=A"), Some((Some(hills.clone()), true)));
        assert_eq!(shown(None, "/committee", ""), Some((Some(commune), false)), "the highest, as on the page");
        assert_eq!(shown(Some(hills.id), "/committee", ""), Some((Some(hills.clone()), false)));
        let ordered = format!("/committee/{}", hills.id);
        assert_eq!(shown(None, ordered.as_str(), "?sort=name"), Some((Some(hills.clone()), false)), "the address names it");
        for (path, query) in [("/members", "?q=a&unit=B"), ("/branch/01A", ""), ("/courses/01A/results", "")] {
            assert_eq!(shown(Some(hills.id), path, query), Some((None, true)), "{path} is opened by all offices");
        }
        for elsewhere in ["/", "/library", "/branches", "/courses/01A", "/desk", "/desk/01A"] {
            assert_eq!(shown(Some(hills.id), elsewhere, ""), None, "{elsewhere}");
        }
    }
}
