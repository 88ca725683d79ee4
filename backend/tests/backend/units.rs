//! The tree stays consistent under all changes, its history can be read, and all rows follow a unit that moves.

use std::collections::{BTreeMap, BTreeSet};

use backend::{
    Backend, Error,
    accounts::SignInForm,
    demo::registry::Registry,
    units::{BelowQuery, CloseForm, MergeForm, MoveForm, NewUnitForm, PhaseForm, RenameForm, SplitForm},
};
use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    forms::Problem,
    ids::UnitId,
    policy::{Grant, Role},
    statistics::{Share, StatisticsPage},
    units::{Phase, TreeRow, UnitChange, UnitKind, UnitPage, UnitPath, UnitRef, UnitRow, UnitSize, UnitStep},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::{
    documents::{chief, published},
    support::{Fixture, PASSWORD, Person, level, organisation, read_through, start},
};

const TODAY: &str = "2026-11-21";

/// A person with every right of the registry and the figures of the whole province.
pub(crate) fn registrar(org: &Fixture) -> Viewer {
    let mut viewer = org.operator.viewer.clone();
    for role in [Role::Registrar, Role::Statistician] {
        viewer.standpoint.grants.push(Grant { role, path: org.province.path.clone() });
    }
    viewer
}

/// The person's viewer with their current unit.
async fn signed_in(backend: &Backend, person: &Person) -> Viewer {
    let form = SignInForm { national_id: &person.national_id, password: PASSWORD, device: "" };
    let token = backend.accounts().sign_in(form).await.expect("signs in").token;
    backend.accounts().session(&token).await.expect("reads").expect("a session").viewer
}

async fn page(backend: &Backend, viewer: &Viewer, unit: UnitId) -> UnitPage {
    backend.unit_desk().page(viewer, &unit.to_string(), None, BelowQuery::default()).await.expect("a page")
}

async fn create(backend: &Backend, viewer: &Viewer, parent: &UnitRef, kind: UnitKind, code: &str) -> Result<UnitId, Error> {
    let (parent, name) = (parent.id.to_string(), format!("Đơn vị {code}"));
    let form = NewUnitForm { parent: &parent, kind: kind.key(), code, name: &name, on: TODAY };
    backend.unit_desk().create(viewer, form).await
}

pub(crate) async fn move_below(
    backend: &Backend,
    viewer: &Viewer,
    unit: UnitId,
    target: UnitId,
    code: &str,
) -> Result<UnitId, Error> {
    let version = page(backend, viewer, unit).await.version.to_string();
    let (unit, target) = (unit.to_string(), target.to_string());
    backend.unit_desk().move_below(viewer, MoveForm { unit: &unit, version: &version, target: &target, code, on: TODAY }).await
}

pub(crate) async fn merge(backend: &Backend, viewer: &Viewer, unit: UnitId, target: UnitId) -> Result<UnitId, Error> {
    let version = page(backend, viewer, unit).await.version.to_string();
    let (unit, target) = (unit.to_string(), target.to_string());
    backend.unit_desk().merge(viewer, MergeForm { unit: &unit, version: &version, target: &target, on: TODAY }).await
}

async fn close(backend: &Backend, viewer: &Viewer, unit: UnitId) -> Result<UnitId, Error> {
    let version = page(backend, viewer, unit).await.version.to_string();
    backend.unit_desk().close(viewer, CloseForm { unit: &unit.to_string(), version: &version, on: TODAY }).await
}

pub(crate) async fn rename(backend: &Backend, viewer: &Viewer, unit: UnitId, name: &str, on: &str) -> Result<UnitId, Error> {
    let version = page(backend, viewer, unit).await.version.to_string();
    backend.unit_desk().rename(viewer, RenameForm { unit: &unit.to_string(), version: &version, name, on }).await
}

async fn split(backend: &Backend, viewer: &Viewer, unit: UnitId, code: &str, members: &[String]) -> Result<UnitId, Error> {
    let version = page(backend, viewer, unit).await.version.to_string();
    let (unit, name) = (unit.to_string(), format!("Chi bộ {code}"));
    let form = SplitForm { unit: &unit, version: &version, code, name: &name, on: TODAY, members };
    backend.unit_desk().split(viewer, form).await
}

fn problem<T: std::fmt::Debug>(outcome: Result<T, Error>, field: &str) -> Option<Problem> {
    match outcome {
        Err(Error::Invalid(errors)) => errors.problem(field).cloned(),
        other => panic!("{other:?} is no problem of a form"),
    }
}

/// Saves an empty import, which makes the tree and the counters reload.
async fn reload(backend: &Backend) {
    Registry::new(backend, 9, start()).save().await.expect("saves");
}

fn all_units(backend: &Backend, org: &Fixture) -> Vec<UnitRef> {
    backend.units().tree().subtree(&org.province.path).cloned().collect()
}

async fn figures(backend: &Backend, org: &Fixture) -> Vec<StatisticsPage> {
    let viewer = registrar(org);
    let mut pages = Vec::new();
    for unit in all_units(backend, org) {
        pages.push(backend.statistics().page(&viewer, Some(unit.id)).await.expect("a page"));
    }
    pages
}

/// The members of each open branch.
async fn postings(backend: &Backend, org: &Fixture) -> BTreeMap<String, Vec<UnitId>> {
    let viewer = registrar(org);
    let mut posted: BTreeMap<String, Vec<UnitId>> = BTreeMap::new();
    for unit in all_units(backend, org).into_iter().filter(|unit| unit.kind == level("branch")) {
        let roster = backend.unit_desk().roster(&viewer, &unit.id.to_string()).await.expect("a roster");
        for row in roster.members {
            posted.entry(row.member.to_string()).or_default().push(unit.id);
        }
    }
    posted
}

fn assert_is_a_tree(backend: &Backend, org: &Fixture) {
    let tree = backend.units().tree();
    let units = all_units(backend, org);
    assert_eq!(units.len(), tree.len(), "every unit is below the root");
    for unit in &units {
        assert_eq!(tree.get(unit.id), Some(unit));
        let Some(above) = unit.path.parent() else { continue };
        let above = tree.at(&above).unwrap_or_else(|| panic!("{} has no parent", unit.path));
        assert!(unit.kind.hangs_on(above.kind), "{:?} on {:?}", unit.kind, above.kind);
        assert_eq!(above.path.child(unit.path.code()).as_ref(), Ok(&unit.path), "the path is that of the ancestors' codes");
    }
    let paths: BTreeSet<_> = units.iter().map(|unit| &unit.path).collect();
    assert_eq!(paths.len(), units.len());
}

#[tokio::test]
async fn after_any_changes_the_tree_is_a_tree_and_nobody_is_lost() {
    for seed in 1..=4 {
        println!("seed {seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        let (backend, _, org) = organisation().await;
        let viewer = registrar(&org);
        let everybody: BTreeSet<String> = postings(&backend, &org).await.into_keys().collect();
        assert_eq!(everybody.len(), 19);
        let mut paths: BTreeMap<UnitPath, UnitId> = BTreeMap::new();
        for step in 0..40 {
            let units = all_units(&backend, &org);
            for unit in &units {
                let owner = paths.entry(unit.path.clone()).or_insert(unit.id);
                assert_eq!(*owner, unit.id, "{} belongs to one unit for ever", unit.path);
            }
            let (one, other) = (units.choose(&mut rng).expect("a unit"), units.choose(&mut rng).expect("a unit"));
            let code = format!("{:02}", rng.random_range(1..20));
            // Most are rejected for a reason; that must change nothing.
            match rng.random_range(0..6) {
                0 | 1 => {
                    let kinds: Vec<UnitKind> = UnitKind::all().collect();
                    let kind = *kinds.choose(&mut rng).expect("a kind");
                    create(&backend, &viewer, one, kind, &code).await.ok();
                }
                2 => {
                    move_below(&backend, &viewer, one.id, other.id, one.path.code()).await.ok();
                }
                3 => {
                    merge(&backend, &viewer, one.id, other.id).await.ok();
                }
                4 => {
                    let members: Vec<String> = postings(&backend, &org)
                        .await
                        .into_iter()
                        .filter(|(_, units)| units.contains(&one.id) && rng.random_bool(0.4))
                        .map(|(member, _)| member)
                        .collect();
                    split(&backend, &viewer, one.id, &code, &members).await.ok();
                }
                _ => {
                    close(&backend, &viewer, one.id).await.ok();
                }
            }
            assert_is_a_tree(&backend, &org);
            let posted = postings(&backend, &org).await;
            assert_eq!(posted.keys().cloned().collect::<BTreeSet<_>>(), everybody, "seed {seed}, step {step}");
            assert!(posted.values().all(|units| units.len() == 1), "{posted:?}");
            let day = start().date_naive();
            let as_of = backend.unit_desk().tree_as_of(day).await.expect("a tree");
            let then: Vec<&UnitRef> = as_of.subtree(&org.province.path).collect();
            assert_eq!(then, all_units(&backend, &org).iter().collect::<Vec<_>>(), "the tree of today is the one of this day");
        }
        for (path, unit) in &paths {
            let tree = backend.units().tree();
            let found = tree.former(path).unwrap_or_else(|| panic!("{path} is not resolved"));
            assert!(tree.get(*unit).is_none_or(|unit| unit.id == found.id), "{path}");
        }
        backend.catch_up().await.expect("reads the log");
        let counted = figures(&backend, &org).await;
        let held = format!("{:?}", backend.units().tree());
        reload(&backend).await;
        assert_eq!(format!("{:?}", backend.units().tree()), held, "the rows are the tree in memory");
        assert_eq!(figures(&backend, &org).await, counted, "seed {seed}");
    }
}

#[tokio::test]
async fn a_new_unit_is_below_the_own_one_and_its_code_is_never_reused() {
    let (backend, _, org) = organisation().await;
    let viewer = &org.coast_registrar.viewer;
    let id = create(&backend, viewer, &org.coast, level("branch"), "09").await.expect("is created");
    let shown = page(&backend, viewer, id).await;
    assert_eq!((shown.unit.path.as_str(), shown.members), ("/51/001/09/", Some(0)));
    assert_eq!(shown.history.len(), 1);
    assert_eq!(shown.history[0].change, UnitChange::Created);
    assert_eq!(problem(create(&backend, viewer, &org.coast, level("branch"), "09").await, "code"), Some(Problem::CodeTaken));
    close(&backend, viewer, id).await.expect("is closed");
    assert_eq!(problem(create(&backend, viewer, &org.coast, level("branch"), "09").await, "code"), Some(Problem::CodeTaken));
    assert_eq!(problem(create(&backend, viewer, &org.coast, level("province"), "10").await, "kind"), Some(Problem::WrongPlace));
    assert_eq!(problem(create(&backend, viewer, &org.harbour, level("branch"), "10").await, "kind"), Some(Problem::WrongPlace));
    create(&backend, viewer, &org.harbour, level("group"), "10").await.expect("a group is below a branch");
    assert_eq!(problem(create(&backend, viewer, &org.coast, level("group"), "11").await, "kind"), Some(Problem::WrongPlace));
    for code in ["", "0 9", "../x", "chi bộ"] {
        assert!(problem(create(&backend, viewer, &org.coast, level("branch"), code).await, "code").is_some(), "{code}");
    }
}

#[tokio::test]
async fn a_unit_outside_the_own_subtree_cannot_be_changed_nor_the_own_one_closed() {
    let (backend, _, org) = organisation().await;
    let desk = backend.unit_desk();
    for (person, unit, expected) in [
        (&org.coast_registrar, &org.coast, Ok(())),
        (&org.operator, &org.hills, Ok(())),
        (&org.coast_registrar, &org.province, Err("not allowed")),
        (&org.coast_registrar, &org.hills, Err("not found")),
        (&org.coast_secretary, &org.harbour, Err("not allowed")),
        (&org.fisherman, &org.harbour, Err("not allowed")),
        (&org.fisherman, &org.school, Err("not found")),
        (&org.farmer, &org.coast, Err("not found")),
    ] {
        let form = NewUnitForm { parent: &unit.id.to_string(), kind: "branch", code: "77", name: "Chi bộ mới", on: TODAY };
        let outcome = desk.create(&person.viewer, form).await.map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(outcome, expected.map_err(str::to_owned), "{} {}", person.name, unit.name);
    }
    let own = org.coast.id;
    assert!(matches!(close(&backend, &org.coast_registrar.viewer, own).await, Err(Error::NotAllowed)));
    assert!(matches!(merge(&backend, &org.coast_registrar.viewer, own, org.hills.id).await, Err(Error::NotAllowed)));
    let steps = page(&backend, &org.coast_registrar.viewer, own).await.steps;
    assert_eq!(steps, [UnitStep::New, UnitStep::Rename, UnitStep::Phase]);
    assert!(page(&backend, &org.fisherman.viewer, own).await.steps.is_empty());
    // A unit of another registrar's subtree is not offered.
    let outcome = move_below(&backend, &org.coast_registrar.viewer, org.harbour.id, org.hills.id, "09").await;
    assert_eq!(problem(outcome, "target"), Some(Problem::Unknown));
}

#[tokio::test]
async fn a_name_has_a_history_by_day() {
    let (backend, clock, org) = organisation().await;
    let viewer = registrar(&org);
    clock.advance(TimeDelta::days(10));
    rename(&backend, &viewer, org.harbour.id, "Chi bộ thôn Gành Đá Đông", "25/11/2026").await.expect("is renamed");
    let shown = page(&backend, &viewer, org.harbour.id).await;
    assert_eq!(shown.unit.name, "Chi bộ thôn Gành Đá Đông");
    let names: Vec<_> = shown.history.iter().map(|form| (form.name.as_str(), form.change)).collect();
    assert_eq!(names, [("Chi bộ thôn Gành Đá Đông", UnitChange::Renamed), ("Chi bộ thôn Gành Đá", UnitChange::Created)]);
    assert_eq!(shown.history[1].until.map(|day| day.to_string()).as_deref(), Some("2026-11-24"));
    let id = org.harbour.id.to_string();
    for (day, name) in [("2026-11-24", "Chi bộ thôn Gành Đá"), ("2026-11-25", "Chi bộ thôn Gành Đá Đông")] {
        let then = backend
            .unit_desk()
            .page(&viewer, &id, Some(day.parse().expect("a day")), BelowQuery::default())
            .await
            .expect("a page");
        assert_eq!((then.unit.name.as_str(), then.members), (name, Some(6)), "{day}");
        assert!(then.steps.is_empty(), "the past is read only");
    }
    let before = backend.unit_desk().page(&viewer, &id, Some("2020-01-01".parse().expect("a day")), BelowQuery::default()).await;
    assert!(matches!(before, Err(Error::NotFound)), "before it was opened");
    let outcome = rename(&backend, &viewer, org.harbour.id, "Tên khác", "24/11/2026").await;
    assert_eq!(problem(outcome, "on"), Some(Problem::DateRange), "before the version it ends");
    let outcome = rename(&backend, &viewer, org.harbour.id, "Tên khác", "2026-12-24").await;
    assert_eq!(problem(outcome, "on"), Some(Problem::DateRange), "in the future");
    let stale = RenameForm { unit: &id, version: "0", name: "Tên khác", on: "2026-11-30" };
    assert_eq!(problem(backend.unit_desk().rename(&viewer, stale).await, "name"), Some(Problem::Stale));
}

#[tokio::test]
async fn a_unit_with_people_or_units_is_not_closed() {
    let (backend, _, org) = organisation().await;
    let viewer = registrar(&org);
    assert_eq!(problem(close(&backend, &viewer, org.hills.id).await, "on"), Some(Problem::HasUnits));
    assert_eq!(problem(close(&backend, &viewer, org.farm.id).await, "on"), Some(Problem::HasMembers));
    merge(&backend, &viewer, org.farm.id, org.harbour.id).await.expect("is merged");
    close(&backend, &viewer, org.hills.id).await.expect("is empty now");
    let shown = page(&backend, &viewer, org.hills.id).await;
    assert_eq!(shown.closing.expect("closed").on.to_string(), TODAY);
    assert!(shown.steps.is_empty());
    let outcome = move_below(&backend, &viewer, org.school.id, org.hills.id, "02").await;
    assert_eq!(problem(outcome, "target"), Some(Problem::Closed));
}

#[tokio::test]
async fn a_unit_cannot_move_below_itself_or_its_own_level() {
    let (backend, _, org) = organisation().await;
    let viewer = registrar(&org);
    for target in [org.coast.id, org.harbour.id, org.hills.id] {
        let outcome = move_below(&backend, &viewer, org.coast.id, target, "001").await;
        assert_eq!(problem(outcome, "target"), Some(Problem::WrongPlace));
    }
    let outcome = move_below(&backend, &viewer, org.harbour.id, org.hills.id, "01").await;
    assert_eq!(problem(outcome, "code"), Some(Problem::CodeTaken), "the farm has it");
    assert!(matches!(move_below(&backend, &viewer, org.province.id, org.coast.id, "51").await, Err(Error::NotAllowed)));
}

#[tokio::test]
async fn everything_follows_a_unit_that_moves() {
    let (backend, _, org) = organisation().await;
    let viewer = registrar(&org);
    let document = published(&backend, &org.coast_editor.viewer, &org.coast, &org.harbour).await;
    read_through(&backend, &org.fisherman.viewer, document).await;
    backend.catch_up().await.expect("reads the log");
    let read = |page: &UnitPage| page.members;
    assert_eq!(read(&page(&backend, &viewer, org.hills.id).await), Some(3));

    move_below(&backend, &viewer, org.harbour.id, org.hills.id, "11").await.expect("moves");
    backend.catch_up().await.expect("reads the log");
    let moved = page(&backend, &viewer, org.harbour.id).await;
    assert_eq!((moved.unit.path.as_str(), moved.moving), ("/51/002/11/", false));
    assert_eq!(read(&page(&backend, &viewer, org.hills.id).await), Some(8));
    assert_eq!(backend.units().tree().former(&org.harbour.path).map(|unit| unit.id), Some(org.harbour.id));

    // A member who signs in now is at the new place and still finds the paper.
    let fisherman = signed_in(&backend, &org.fisherman).await;
    assert_eq!(fisherman.standpoint.branch.as_str(), "/51/002/11/");
    backend.documents().read(&fisherman, document).await.expect("still reads");

    let counted = figures(&backend, &org).await;
    reload(&backend).await;
    assert_eq!(figures(&backend, &org).await, counted, "what was read at the old path counts at the new one");
    // And back again: a unit may reuse its own old path.
    move_below(&backend, &viewer, org.harbour.id, org.coast.id, "01").await.expect("moves back");
    assert_eq!(page(&backend, &viewer, org.harbour.id).await.unit.path, org.harbour.path);
}

#[tokio::test]
async fn everything_of_a_merged_unit_goes_to_its_successor() {
    let (backend, _, org) = organisation().await;
    let viewer = registrar(&org);
    let document = published(&backend, &org.hills_editor.viewer, &org.hills, &org.hills).await;
    merge(&backend, &viewer, org.hills.id, org.coast.id).await.expect("is merged");
    backend.catch_up().await.expect("reads the log");
    let farm = page(&backend, &viewer, org.farm.id).await;
    // The harbour has its old code.
    assert_eq!(farm.unit.path.as_str(), "/51/001/03/");
    assert_eq!(farm.history[0].change, UnitChange::Merged);
    let hills = page(&backend, &viewer, org.hills.id).await;
    assert_eq!(hills.closing.and_then(|closing| closing.successor).map(|unit| unit.id), Some(org.coast.id));
    let coast = page(&backend, &viewer, org.coast.id).await;
    assert_eq!((coast.members, coast.history[0].change), (Some(18), UnitChange::Absorbed), "its history shows what it took over");
    assert_eq!(coast.history[0].name, hills.unit.name);
    let tree = backend.units().tree();
    assert_eq!(tree.former(&org.hills.path).map(|unit| unit.id), Some(org.coast.id));
    assert_eq!(tree.former(&org.farm.path).map(|unit| unit.id), Some(org.farm.id));

    let farmer = signed_in(&backend, &org.farmer).await;
    let read = backend.documents().read(&farmer, document).await.expect("is read as before");
    assert_eq!(read.summary.issuer.name, org.hills.name, "the issuer");
    backend
        .documents()
        .withdraw(&chief(&org.coast_editor.viewer), document, "Sai số liệu.")
        .await
        .expect("who took over answers for it");

    merge(&backend, &viewer, org.farm.id, org.harbour.id).await.expect("is merged");
    backend.catch_up().await.expect("reads the log");
    let farmer = org.farmer.id.to_string();
    assert_eq!(postings(&backend, &org).await.get(&farmer), Some(&vec![org.harbour.id]));
    assert!(page(&backend, &viewer, org.harbour.id).await.leaders.iter().all(|leader| leader.name != org.farm_secretary.name));
    let outcome = merge(&backend, &viewer, org.harbour.id, org.coast.id).await;
    assert_eq!(problem(outcome, "target"), Some(Problem::WrongPlace), "of another level");
    let counted = figures(&backend, &org).await;
    reload(&backend).await;
    assert_eq!(figures(&backend, &org).await, counted);
}

#[tokio::test]
async fn a_branch_is_split_by_choosing_who_goes() {
    let (backend, _, org) = organisation().await;
    let viewer = &org.coast_registrar.viewer;
    let going = [org.fisherman.id.to_string(), org.exempt.id.to_string()];
    let fresh = split(&backend, viewer, org.harbour.id, "05", &going).await.expect("is split");
    backend.catch_up().await.expect("reads the log");
    let shown = page(&backend, viewer, fresh).await;
    assert_eq!((shown.unit.path.as_str(), shown.members), ("/51/001/05/", Some(1)), "the exempt count nowhere");
    assert_eq!(page(&backend, viewer, org.harbour.id).await.members, Some(4));
    let yesterday = start().date_naive() - TimeDelta::days(1);
    let before = backend
        .unit_desk()
        .page(viewer, &org.harbour.id.to_string(), Some(yesterday), BelowQuery::default())
        .await
        .expect("a page");
    assert_eq!(before.members, Some(6), "the posting of the day before");
    assert_eq!(problem(split(&backend, viewer, org.harbour.id, "06", &[]).await, "members"), Some(Problem::Required));
    let stranger = [org.teacher.id.to_string()];
    assert_eq!(problem(split(&backend, viewer, org.harbour.id, "06", &stranger).await, "members"), Some(Problem::Unknown));
    assert!(matches!(split(&backend, &org.operator.viewer, org.harbour.id, "06", &going).await, Err(Error::NotAllowed)));
}

#[tokio::test]
async fn members_of_a_branch_that_is_split_keep_their_access() {
    let (backend, _, org) = organisation().await;
    let viewer = registrar(&org);
    for (unit, phase) in [(&org.coast, "planned"), (&org.harbour, "pilot")] {
        let version = page(&backend, &viewer, unit.id).await.version.to_string();
        let unit = unit.id.to_string();
        let form = PhaseForm { unit: &unit, version: &version, phase, live_from: "", contact: "" };
        backend.unit_desk().set_phase(&viewer, form).await.expect("is set");
    }
    for (unit, phase) in [(&org.harbour, Some(Phase::Pilot)), (&org.school, None)] {
        let roster = backend.unit_desk().roster(&viewer, &unit.id.to_string()).await.expect("a roster");
        assert_eq!(roster.phase, phase, "{}", unit.path);
    }
    let fresh = split(&backend, &viewer, org.harbour.id, "05", &[org.fisherman.id.to_string()]).await.expect("is split");
    assert_eq!(page(&backend, &viewer, fresh).await.own_phase, Some(Phase::Pilot));
    assert_eq!(signed_in(&backend, &org.fisherman).await.standpoint.branch.as_str(), "/51/001/05/");
}

#[tokio::test]
async fn a_phase_is_inherited_by_units_without_their_own() {
    let (backend, _, org) = organisation().await;
    let viewer = registrar(&org);
    let set = async |unit: &UnitRef, phase: &str| {
        let version = page(&backend, &viewer, unit.id).await.version.to_string();
        let (unit, contact) = (unit.id.to_string(), "Đồng chí Sổ, 0255 123 456");
        let form = PhaseForm { unit: &unit, version: &version, phase, live_from: "1/12/2026", contact };
        backend.unit_desk().set_phase(&viewer, form).await
    };
    assert_eq!(backend.units().tree().phase(&org.harbour.path), Phase::Live, "as it was before there were phases");
    set(&org.coast, "planned").await.expect("is set");
    set(&org.school, "pilot").await.expect("is set");
    let tree = backend.units().tree();
    assert_eq!(tree.phase(&org.harbour.path), Phase::Planned);
    assert_eq!(tree.phase(&org.school.path), Phase::Pilot);
    assert_eq!(tree.phase(&org.hills.path), Phase::Live);
    let opening = tree.opening(&org.harbour.path);
    assert_eq!(opening.contact.as_deref(), Some("Đồng chí Sổ, 0255 123 456"));
    assert_eq!(opening.live_from.map(|day| day.to_string()).as_deref(), Some("2026-12-01"));
    let figures = backend.statistics().page(&viewer, Some(org.coast.id)).await.expect("a page");
    assert_eq!(figures.total.phase, Phase::Planned);
    assert_eq!(figures.children.iter().map(|row| row.phase).collect::<Vec<_>>(), [Phase::Planned, Phase::Pilot]);
    set(&org.school, "").await.expect("follows the unit above again");
    assert_eq!(backend.units().tree().phase(&org.school.path), Phase::Planned);
    assert_eq!(problem(set(&org.school, "asleep").await, "phase"), Some(Problem::NotOffered));
}

#[tokio::test]
async fn a_search_finds_names_without_marks_in_the_own_subtree() {
    let (backend, _, org) = organisation().await;
    let desk = backend.unit_desk();
    let names = async |viewer: &Viewer, query: &str| -> Vec<String> {
        let found = desk.list(viewer, Some(query), None).await.expect("a list");
        found.units.into_iter().map(|row| row.unit.name).collect()
    };
    assert_eq!(names(&org.coast_registrar.viewer, "ganh da").await, ["Chi bộ thôn Gành Đá"]);
    assert!(names(&org.coast_registrar.viewer, "suối quế").await.is_empty(), "outside the own subtree");
    assert_eq!(names(&org.operator.viewer, "002").await, ["Xã Sơn Trà Bồng"]);
    let open = [&org.province, &org.coast].map(|unit| unit.id.to_string()).join(",");
    let own = desk.list(&org.fisherman.viewer, Some(" "), Some(&open)).await.expect("a list");
    assert_eq!(rows_of(&own.tree).len(), 3, "without a query the own line: {:?}", own.tree);
    let targets = desk.targets(&registrar(&org), &org.harbour.id.to_string(), UnitStep::Move, Some("son tra")).await;
    let targets = targets.expect("targets");
    assert_eq!(targets.found.iter().map(|row| row.unit.id).collect::<Vec<_>>(), [org.hills.id]);
    assert_eq!((targets.members, targets.units), (Some(5), 0));
}

#[tokio::test]
async fn concurrent_changes_of_the_tree_both_succeed() {
    let (backend, _, org) = organisation().await;
    let viewer = registrar(&org);
    let (first, second) = tokio::join!(
        create(&backend, &viewer, &org.coast, level("branch"), "31"),
        create(&backend, &viewer, &org.coast, level("branch"), "32"),
    );
    first.expect("the first");
    second.expect("the second");
    assert_is_a_tree(&backend, &org);
}

/// All rows of a tree, unordered.
fn rows_of(tree: &[TreeRow]) -> Vec<&TreeRow> {
    tree.iter().flat_map(|row| std::iter::once(row).chain(rows_of(&row.below))).collect()
}

#[tokio::test]
async fn the_tree_opens_level_by_level_and_hides_what_the_statistics_hide() {
    let (backend, _, org) = organisation().await;
    let open = [&org.province, &org.coast, &org.hills].map(|unit| unit.id.to_string()).join(",");
    let mut hidden = 0;
    for viewer in [&org.province_statistician.viewer, &org.coast_secretary.viewer, &org.answering_for(&org.hills)] {
        let page = backend.unit_desk().list(viewer, None, Some(&open)).await.expect("a list");
        let rows = rows_of(&page.tree);
        assert!(rows.len() > 1, "a level below is open");
        for row in rows {
            let figures = backend.statistics().page(viewer, Some(row.unit.id)).await.expect("a page").total.figures;
            let size = figures.map_or(UnitSize::Hidden, |figures| {
                UnitSize::Activated(Share { members: figures.members, done: figures.activated })
            });
            assert_eq!(row.size, size, "{}", row.unit.name);
            hidden += usize::from(row.size == UnitSize::Hidden);
        }
    }
    assert!(hidden > 0, "there are small groups");
    let page = backend.unit_desk().list(&org.coast_registrar.viewer, None, Some(&open)).await.expect("a list");
    let is_members = |row: &&TreeRow| matches!(row.size, UnitSize::Members(_));
    assert!(rows_of(&page.tree).iter().all(is_members), "who has no right to statistics sees none");
}

#[tokio::test]
async fn no_page_of_units_shows_a_number_that_the_statistics_hide() {
    let (backend, _, org) = organisation().await;
    let desk = backend.unit_desk();
    let counted = async |viewer: &Viewer, unit: &UnitRef| -> [Option<u32>; 4] {
        let found = desk.list(viewer, Some(&unit.name), None).await.expect("a list").units;
        let below = page(&backend, viewer, org.province.id).await.children.rows;
        let yesterday = Some(start().date_naive() - TimeDelta::days(1));
        let past = desk.page(viewer, &unit.id.to_string(), yesterday, BelowQuery::default()).await.expect("a page");
        let of = |rows: &[UnitRow]| rows.iter().find(|row| row.unit.id == unit.id).and_then(|row| row.members);
        [of(&found), of(&below), page(&backend, viewer, unit.id).await.members, past.members]
    };
    let statistician = &org.province_statistician.viewer;
    for unit in [&org.hills, &org.coast, &org.farm] {
        let figures = backend.statistics().page(statistician, Some(unit.id)).await.expect("a page").total.figures;
        assert_eq!(figures, None, "{}: three members, or the difference to them", unit.name);
        assert_eq!(counted(statistician, unit).await, [None; 4], "{}", unit.name);
        // An office without the right to figures sees no more.
        assert_eq!(counted(&org.province_chief_editor.viewer, unit).await, [None; 4], "{}", unit.name);
    }
    let province = backend.statistics().page(statistician, None).await.expect("a page").total.figures;
    assert_eq!(page(&backend, statistician, org.province.id).await.members, province.map(|figures| figures.members));
    let targets = desk.targets(&org.operator.viewer, &org.hills.id.to_string(), UnitStep::Merge, None).await.expect("targets");
    assert_eq!((targets.members, targets.found.iter().filter_map(|row| row.members).count()), (None, 0));

    // Whoever may open their records may see their number.
    assert_eq!(counted(&registrar(&org), &org.hills).await, [Some(3), Some(3), Some(3), None]);
    assert_eq!(page(&backend, &org.farm_secretary.viewer, org.farm.id).await.members, Some(3));
    let past = counted(&registrar(&org), &org.farm).await;
    assert_eq!(past[3], Some(3));
}

#[tokio::test]
async fn whatever_units_are_open_the_tree_shows_the_own_subtree_only() {
    let (backend, _, org) = organisation().await;
    let desk = backend.unit_desk();
    let asked = format!("{},,x,'\"><b>,{},{}", org.hills.id, org.province.id, org.coast.id);
    let page = desk.list(&org.coast_secretary.viewer, None, Some(&asked)).await.expect("a list");
    assert_eq!(page.tree.iter().map(|row| row.unit.id).collect::<Vec<_>>(), [org.coast.id]);
    assert!(!page.tree[0].below.is_empty());
    assert!(rows_of(&page.tree).iter().all(|row| org.coast.path.contains(&row.unit.path)));
    assert_eq!(desk.list(&org.coast_secretary.viewer, None, None).await.expect("a list"), page, "a single unit is open at first");
    let closed = desk.list(&org.coast_secretary.viewer, None, Some("")).await.expect("a list");
    assert!(closed.tree[0].opens && closed.tree[0].below.is_empty());

    let member = desk.list(&org.fisherman.viewer, None, Some(&asked)).await.expect("a list");
    let line: Vec<UnitId> = member.tree.iter().map(|row| row.unit.id).collect();
    assert_eq!(line, [org.harbour.id, org.coast.id, org.province.id], "the own line");
    assert!(member.tree.iter().all(|row| !row.opens && row.below.is_empty()));
}

#[tokio::test]
async fn units_below_are_paged_and_searched() {
    let (backend, _, org) = organisation().await;
    let viewer = registrar(&org);
    for number in 0..60 {
        create(&backend, &viewer, &org.coast, level("branch"), &format!("Z{number:02}")).await.expect("is created");
    }
    let coast = org.coast.id.to_string();
    let below = async |words: Option<&str>, page: u32| {
        backend.unit_desk().page(&viewer, &coast, None, BelowQuery { words, page }).await.expect("a page").children
    };
    let (first, second) = (below(None, 1).await, below(None, 2).await);
    assert_eq!((first.rows.len(), first.all, first.page, first.pages), (50, 62, 1, 2));
    assert_eq!((second.rows.len(), second.page), (12, 2));
    let ids: BTreeSet<UnitId> = first.rows.iter().chain(&second.rows).map(|row| row.unit.id).collect();
    assert_eq!(ids.len(), 62, "each on one page");
    assert_eq!(below(None, 0).await, first);
    assert_eq!(below(None, u32::MAX).await, second);
    let found = below(Some("don vi z07"), 9).await;
    assert_eq!((found.rows.len(), found.all, found.page, found.pages), (1, 62, 1, 1));
    let nothing = below(Some("%' OR 1=1 --"), 2).await;
    assert_eq!((nothing.rows.len(), nothing.all, nothing.page, nothing.pages), (0, 62, 1, 1));

    let page = backend.unit_desk().list(&viewer, None, Some(&coast)).await.expect("a list");
    assert!(page.tree[0].opens && page.tree[0].below.is_empty(), "what is open below a closed unit is not shown");
    let open = format!("{},{coast}", org.province.id);
    let page = backend.unit_desk().list(&viewer, None, Some(&open)).await.expect("a list");
    let row = rows_of(&page.tree).into_iter().find(|row| row.unit.id == org.coast.id).expect("the commune");
    assert_eq!((row.below.len(), row.more), (TreeRow::BELOW, 12));
}
