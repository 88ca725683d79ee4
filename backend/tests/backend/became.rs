//! What became of a unit is found by every name and code it ever had, for those who may see the unit of today.

use backend::{
    Backend, Clock, Error,
    units::{BecameQuery, BelowQuery, ListQuery, MergeForm, MoveForm, RenameForm, SplitForm},
};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    accounts::Viewer,
    ids::UnitId,
    tables::Order,
    units::{Became, BecamePage, BecameStep, TreeRow, UnitChange, UnitPage, UnitRef, UnitSize},
};

use crate::{
    support::{Fixture, organisation},
    units::registrar,
};

async fn version(backend: &Backend, viewer: &Viewer, unit: UnitId) -> String {
    page(backend, viewer, unit, None).await.version.to_string()
}

async fn page(backend: &Backend, viewer: &Viewer, unit: UnitId, on: Option<NaiveDate>) -> UnitPage {
    backend.unit_desk().page(viewer, &unit.to_string(), on, BelowQuery::default()).await.expect("a page")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

async fn rename(backend: &Backend, viewer: &Viewer, unit: UnitId, name: &str, on: &str) {
    let version = version(backend, viewer, unit).await;
    let form = RenameForm { unit: &unit.to_string(), version: &version, name, on };
    backend.unit_desk().rename(viewer, form).await.expect("is renamed");
}

async fn merge(backend: &Backend, viewer: &Viewer, unit: UnitId, target: UnitId, on: &str) {
    let version = version(backend, viewer, unit).await;
    let form = MergeForm { unit: &unit.to_string(), version: &version, target: &target.to_string(), on };
    backend.unit_desk().merge(viewer, form).await.expect("is merged");
}

async fn move_below(backend: &Backend, viewer: &Viewer, unit: UnitId, target: UnitId, code: &str, on: &str) {
    let version = version(backend, viewer, unit).await;
    let form = MoveForm { unit: &unit.to_string(), version: &version, target: &target.to_string(), code, on };
    backend.unit_desk().move_below(viewer, form).await.expect("is moved");
}

/// On the 25th the harbour moves to the hills with the code 11, on the 26th it is renamed, on the 27th it is merged into the farm,
/// on the 28th the hills are merged into the coast. It is the 29th.
async fn changed() -> (Backend, Clock, Fixture, Viewer) {
    let (backend, clock, org) = organisation().await;
    let viewer = registrar(&org);
    clock.advance(TimeDelta::days(8));
    move_below(&backend, &viewer, org.harbour.id, org.hills.id, "11", "2026-11-25").await;
    rename(&backend, &viewer, org.harbour.id, "Chi bộ Cảng cá", "2026-11-26").await;
    merge(&backend, &viewer, org.harbour.id, org.farm.id, "2026-11-27").await;
    merge(&backend, &viewer, org.hills.id, org.coast.id, "2026-11-28").await;
    backend.catch_up().await.expect("reads the log");
    (backend, clock, org, viewer)
}

async fn became(backend: &Backend, viewer: &Viewer, words: &str, on: Option<&str>) -> BecamePage {
    let query = BecameQuery { words: Some(words), on: on.map(day), ..BecameQuery::default() };
    backend.unit_desk().became(viewer, query).await.expect("a page")
}

/// The events in short: the day, and what it was.
fn steps_of(became: &Became) -> Vec<(String, String)> {
    let step = |step: &BecameStep| match step {
        BecameStep::Changed(form) => format!("{:?} {} {}", form.change, form.name, form.code),
        BecameStep::Divided { fresh, .. } => format!("Divided {}", fresh.name),
        BecameStep::Parted { main, others, .. } => format!("Parted {} {}", main.name, others.len()),
        BecameStep::Ended { into, .. } => format!("Ended {}", into.as_ref().map_or("", |unit| unit.name.as_str())),
    };
    became.steps.iter().map(|at| (at.day().to_string(), step(at))).collect()
}

fn owned<const N: usize>(steps: [(&str, &str); N]) -> Vec<(String, String)> {
    steps.map(|(day, step)| (day.to_owned(), step.to_owned())).to_vec()
}

#[tokio::test]
async fn a_unit_is_followed_through_moves_renames_and_two_merges() {
    let (backend, _, org, viewer) = changed().await;
    // Without marks, by a name it had before it was renamed, and by both codes.
    for words in ["ganh da", "Gành Đá", "51/001/01", "51.002.11"] {
        let page = became(&backend, &viewer, words, None).await;
        assert_eq!(page.found.iter().map(|found| found.then.id).collect::<Vec<_>>(), [org.harbour.id], "{words}");
        assert_eq!(page.found[0].now.id, org.farm.id, "{words}");
    }
    let page = became(&backend, &viewer, "ganh da", None).await;
    let harbour = &page.found[0];
    assert_eq!((harbour.then.name.as_str(), harbour.then.code.as_str()), ("Chi bộ thôn Gành Đá", "11"));
    assert_eq!((harbour.then.parent.as_deref(), harbour.then.day), (Some("Xã Sơn Trà Bồng"), day("2026-11-25")));
    let farm = org.farm.name.as_str();
    // The farm followed its commune, where the harbour once had its code.
    let (ended, followed) = (format!("Ended {farm}"), format!("Merged {farm} {}", harbour.now.path.code()));
    let expected =
        [("2026-11-26", "Renamed Chi bộ Cảng cá 11"), ("2026-11-27", ended.as_str()), ("2026-11-28", followed.as_str())];
    assert_eq!(steps_of(harbour), owned(expected));
    assert_eq!((harbour.parent.as_deref(), harbour.is_open), (Some(org.coast.name.as_str()), true));
    assert!(harbour.leaders.iter().any(|leader| leader.name == org.farm_secretary.name), "{:?}", harbour.leaders);

    let first = became(&backend, &viewer, "ganh da", Some("2026-11-24")).await;
    assert_eq!((first.found[0].then.code.as_str(), first.found[0].then.day), ("01", day("2026-11-24")));
    assert_eq!(steps_of(&first.found[0])[0], ("2026-11-25".to_owned(), "Moved Chi bộ thôn Gành Đá 11".to_owned()));
    assert_eq!(steps_of(&first.found[0]).len(), 4);
    let later = became(&backend, &viewer, "ganh da", Some("2026-11-26")).await;
    assert!(later.found.is_empty(), "it had another name");
    assert!(became(&backend, &viewer, "%' OR 1=1", None).await.found.is_empty());
    assert!(became(&backend, &viewer, "  ", None).await.found.is_empty());
}

#[tokio::test]
async fn the_branches_of_a_closed_commune_are_shown_with_their_place_today() {
    let (backend, _, org, viewer) = changed().await;
    let page = became(&backend, &viewer, "son tra", None).await;
    assert_eq!(page.found.len(), 1);
    let hills = &page.found[0];
    assert_eq!((hills.then.day, hills.now.id), (day("2026-11-27"), org.coast.id));
    let ended = format!("Ended {}", org.coast.name);
    assert_eq!(steps_of(hills), owned([("2026-11-28", ended.as_str())]));
    let branches = page.branches.expect("a single unit");
    assert_eq!((branches.all, branches.page, branches.pages), (1, 1, 1));
    assert_eq!((branches.rows[0].name.as_str(), branches.rows[0].code.as_str()), (org.farm.name.as_str(), "01"));
    assert_eq!((branches.rows[0].now.id, branches.rows[0].parent.as_deref()), (org.farm.id, Some(org.coast.name.as_str())));

    let on = Some(day("2026-11-25"));
    let id = org.hills.id.to_string();
    let query = BecameQuery { unit: Some(&id), on, page: 9, ..BecameQuery::default() };
    let branches = backend.unit_desk().became(&viewer, query).await.expect("a page").branches.expect("branches");
    let rows: Vec<_> = branches.rows.iter().map(|row| (row.code.as_str(), row.now.id)).collect();
    assert_eq!(rows, [("01", org.farm.id), ("11", org.farm.id)], "the harbour was there, and is part of the farm");
}

#[tokio::test]
async fn a_branch_that_was_divided_names_the_new_one() {
    let (backend, clock, org) = organisation().await;
    let viewer = &org.coast_registrar.viewer;
    clock.advance(TimeDelta::days(8));
    let members = [org.fisherman.id.to_string()];
    let version = version(&backend, viewer, org.harbour.id).await;
    let form = SplitForm {
        unit: &org.harbour.id.to_string(),
        version: &version,
        code: "05",
        name: "Chi bộ mới",
        on: "2026-11-27",
        members: &members,
    };
    backend.unit_desk().split(viewer, form).await.expect("is split");
    let of = async |words: &str| steps_of(&became(&backend, viewer, words, Some("2026-11-26")).await.found[0]);
    assert_eq!(of("ganh da").await, owned([("2026-11-27", "Divided Chi bộ mới")]));
    assert!(of("truong trung hoc").await.is_empty(), "its neighbour was not");
}

#[tokio::test]
async fn only_those_who_may_see_the_unit_of_today_find_the_former_one() {
    let (backend, _, org, viewer) = changed().await;
    let id = org.hills.id.to_string();
    let single = async |viewer: &Viewer| {
        backend.unit_desk().became(viewer, BecameQuery { unit: Some(&id), ..BecameQuery::default() }).await
    };
    // The coast took over: its registrar sees what it consists of.
    for allowed in [&viewer, &org.coast_registrar.viewer, &org.province_statistician.viewer, &org.fisherman.viewer] {
        assert!(!became(&backend, allowed, "son tra", None).await.found.is_empty(), "{}", allowed.name);
        single(allowed).await.expect("a page");
        backend.unit_desk().page(allowed, &id, None, BelowQuery::default()).await.expect("the page of the closed unit");
    }
    let mut elsewhere = org.province_statistician.viewer.clone();
    for grant in &mut elsewhere.standpoint.grants {
        grant.path = org.school.path.clone();
    }
    elsewhere.standpoint.branch = org.school.path.clone();
    assert!(became(&backend, &elsewhere, "ganh da", None).await.found.is_empty(), "it is part of the farm, beside the school");
    let harbour = org.harbour.id.to_string();
    let query = BecameQuery { unit: Some(&harbour), ..BecameQuery::default() };
    assert!(matches!(backend.unit_desk().became(&elsewhere, query).await, Err(Error::NotFound)));
    assert!(matches!(backend.unit_desk().by_code(&elsewhere, "51.002.11").await, Err(Error::NotFound)));
    let unknown = BecameQuery { unit: Some("01ARZ3NDEKTSV4RRFFQ69G5FAV"), ..BecameQuery::default() };
    assert!(matches!(backend.unit_desk().became(&viewer, unknown).await, Err(Error::NotFound)));
    let future = BecameQuery { words: Some("son tra"), on: Some(day("2030-01-01")), ..BecameQuery::default() };
    assert!(matches!(backend.unit_desk().became(&viewer, future).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn searches_and_addresses_by_code_lead_to_the_unit_of_today() {
    let (backend, _, org, viewer) = changed().await;
    let desk = backend.unit_desk();
    let found = desk.list(&viewer, Some("cang ca"), None).await.expect("a list").units;
    assert_eq!(found.iter().map(|row| row.unit.id).collect::<Vec<_>>(), [org.farm.id]);
    let formerly = found[0].formerly.as_ref().expect("found by a former name");
    assert_eq!((formerly.name.as_str(), formerly.code.as_str()), ("Chi bộ Cảng cá", "11"));
    let found = desk.list(&viewer, Some("binh chau"), None).await.expect("a list").units;
    assert_eq!(found.iter().map(|row| (row.unit.id, row.formerly.is_none())).collect::<Vec<_>>(), [(org.coast.id, true)]);

    for code in ["51.001.01", "51/002/11", "11", "001.01"] {
        let found = desk.by_code(&viewer, code).await.expect("is found").units;
        assert_eq!(found.iter().map(|row| row.unit.id).collect::<Vec<_>>(), [org.farm.id], "{code}");
        assert!(found[0].formerly.is_some(), "{code}");
    }
    let several = desk.by_code(&viewer, "01").await.expect("is found").units;
    assert!(several.iter().any(|row| row.unit.id == org.farm.id), "{several:?}");
    for code in ["", "99", "51.999", "../x", "%"] {
        assert!(matches!(desk.by_code(&viewer, code).await, Err(Error::NotFound)), "{code}");
    }
}

fn rows_of(tree: &[TreeRow]) -> Vec<&TreeRow> {
    tree.iter().flat_map(|row| std::iter::once(row).chain(rows_of(&row.below))).collect()
}

#[tokio::test]
async fn the_tree_of_a_past_day_has_the_units_and_names_of_that_day() {
    let (backend, _, org, viewer) = changed().await;
    let open = [&org.province, &org.coast, &org.hills].map(|unit: &UnitRef| unit.id.to_string()).join(",");
    let paths = async |viewer: &Viewer, on: &str| -> Vec<String> {
        let query = ListQuery { open: Some(&open), on: Some(day(on)), ..ListQuery::default() };
        let page = backend.unit_desk().list_by(viewer, query).await.expect("a list");
        assert_eq!(page.on, Some(day(on)));
        assert!(rows_of(&page.tree).iter().all(|row| row.size == UnitSize::NotRecorded));
        rows_of(&page.tree).iter().map(|row| format!("{} {}", row.unit.path, row.unit.name)).collect()
    };
    let then = paths(&viewer, "2026-11-26").await;
    let expected: Vec<String> = [
        ("/51/", org.province.name.as_str()),
        ("/51/001/", org.coast.name.as_str()),
        ("/51/001/02/", org.school.name.as_str()),
        ("/51/002/", org.hills.name.as_str()),
        ("/51/002/01/", org.farm.name.as_str()),
        ("/51/002/11/", "Chi bộ Cảng cá"),
    ]
    .map(|(path, name)| format!("{path} {name}"))
    .to_vec();
    assert_eq!(then, expected);
    // The registrar of the coast sees the units that it took over.
    let own = paths(&org.coast_registrar.viewer, "2026-11-26").await;
    assert_eq!(own, expected[1..].to_vec());
    let member = paths(&org.teacher.viewer, "2026-11-26").await;
    assert_eq!(member.len(), 3, "the own line: {member:?}");
    let future = ListQuery { on: Some(day("2030-01-01")), ..ListQuery::default() };
    assert!(matches!(backend.unit_desk().list_by(&viewer, future).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn the_tree_is_sorted_level_by_level() {
    let (backend, _, org) = organisation().await;
    let open = [&org.province, &org.coast].map(|unit: &UnitRef| unit.id.to_string()).join(",");
    let names = async |order: &str| -> Vec<String> {
        let query = ListQuery { open: Some(&open), order: Order::parse(order), ..ListQuery::default() };
        let page = backend.unit_desk().list_by(&registrar(&org), query).await.expect("a list");
        rows_of(&page.tree).into_iter().map(|row| row.unit.name.clone()).collect()
    };
    let [province, coast, hills, harbour, school] =
        [&org.province, &org.coast, &org.hills, &org.harbour, &org.school].map(|unit| unit.name.clone());
    assert_eq!(names("name").await, [&province, &coast, &harbour, &school, &hills].map(Clone::clone));
    assert_eq!(names("-name").await, [&province, &hills, &coast, &school, &harbour].map(Clone::clone));
}

#[tokio::test]
async fn a_level_of_the_tree_hides_the_numbers_that_the_pages_of_its_units_hide() {
    let (backend, _, org) = organisation().await;
    let open = [&org.province, &org.coast, &org.hills].map(|unit: &UnitRef| unit.id.to_string()).join(",");
    let mut hidden = 0;
    for viewer in [&org.province_chief_editor.viewer, &org.coast_editor.viewer, &org.operator.viewer] {
        let listed = backend.unit_desk().list(viewer, None, Some(&open)).await.expect("a list");
        for row in rows_of(&listed.tree) {
            let shown = match row.size {
                UnitSize::Members(members) => Some(members),
                _ => None,
            };
            let members = page(&backend, viewer, row.unit.id, None).await.members;
            assert_eq!(shown, members, "{} for {}", row.unit.name, viewer.name);
            hidden += usize::from(shown.is_none());
        }
    }
    assert!(hidden > 0, "there are small groups");
}

#[tokio::test]
async fn a_unit_names_the_units_it_consisted_of_without_small_numbers() {
    let (backend, _, org, viewer) = changed().await;
    let coast = page(&backend, &viewer, org.coast.id, None).await;
    let before = coast.counterparts.expect("it took over the hills");
    assert_eq!(before.on, day("2026-11-27"));
    let rows: Vec<_> = before.rows.iter().map(|row| (row.unit.id, row.is_part, row.branches, row.members)).collect();
    // The registrar may read the records, so no number is hidden.
    let school = page(&backend, &viewer, org.school.id, Some(day("2026-11-27"))).await.members;
    let farm = page(&backend, &viewer, org.farm.id, Some(day("2026-11-27"))).await.members;
    assert_eq!(rows, [(org.coast.id, false, 1, school), (org.hills.id, false, 1, farm)]);
    assert!(school.is_some() && farm.is_some());

    let hills = page(&backend, &viewer, org.hills.id, Some(day("2026-11-26"))).await;
    let after = hills.counterparts.expect("it is part of the coast");
    assert_eq!(after.rows.iter().map(|row| (row.unit.id, row.is_part)).collect::<Vec<_>>(), [(org.coast.id, true)]);
    let statistician = &org.province_statistician.viewer;
    let shown = page(&backend, statistician, org.hills.id, Some(day("2026-11-24"))).await.counterparts.expect("units of today");
    assert!(shown.rows.iter().all(|row| row.members.is_none()), "the three people of the farm: {shown:?}");
    assert_eq!(page(&backend, &viewer, org.school.id, None).await.counterparts, None, "nothing came to it");
    assert_eq!(coast.history[0].change, UnitChange::Absorbed);
}
