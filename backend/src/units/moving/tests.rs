//! Moves and merges, whole and interrupted.

use chrono::TimeDelta;
use domain::{
    ids::MemberId,
    members::{NationalId, Sex, Standing},
    offices::Period,
    policy::{Grant, Role, Standpoint},
    units::UnitStep,
};

use super::*;
use crate::{
    StoreLocation,
    demo::registry::{NewMember, Registry},
    members::TransferForm,
    offices::NewOffice,
    store::tests::migrated,
    units::{
        PhaseForm,
        tests::{level, now, open},
    },
};

/// A province with a commune of `branches` branches, one member each, and an empty commune.
async fn organisation(backend: &Backend, branches: usize) -> (Viewer, [UnitRef; 3]) {
    let mut registry = Registry::new(backend, 1, now() - TimeDelta::days(400));
    let province = registry.unit(None, level("province"), "51", "Tỉnh").expect("a code");
    let west = registry.unit(Some(&province), level("commune"), "001", "Xã Tây").expect("a code");
    let east = registry.unit(Some(&province), level("commune"), "002", "Xã Đông").expect("a code");
    let mut first = None;
    for number in 0..branches {
        let branch = registry.unit(Some(&west), level("branch"), &format!("{number:03}"), "Chi bộ").expect("a code");
        let member = registry
            .member(&NewMember {
                code: &format!("51.{number:06}"),
                full_name: "Võ Văn Khơi",
                sex: Sex::Male,
                birth_date: "1980-02-03".parse().expect("a day"),
                admitted_on: "2008-02-03".parse().expect("a day"),
                standing: Standing::Official,
                national_id: &NationalId::parse(&format!("951000{number:06}")).expect("twelve digits"),
                phone: None,
                unit: &branch,
            })
            .expect("registers");
        registry.office(member, Role::Secretary, &branch, None);
        first.get_or_insert((member, branch));
    }
    registry.save().await.expect("saves");
    let (member, branch): (MemberId, UnitRef) = first.expect("a branch");
    let grants = vec![Grant { role: Role::Operator, path: province.path.clone() }];
    let viewer = Viewer {
        member,
        name: "Mai Văn Máy".to_owned(),
        standpoint: Standpoint { branch: branch.path.clone(), standing: Standing::Official, grants },
        branch,
        offices: Vec::new(),
        resting: Vec::new(),
    };
    (viewer, [province, west, east])
}

/// All stored paths, sorted.
async fn paths(backend: &Backend) -> Vec<String> {
    let sql = "SELECT VALUE code + ' ' + path FROM member; SELECT VALUE code + ' ' + path FROM unit; SELECT VALUE path FROM office; \
               SELECT VALUE unit + ' ' + (until ?? '') FROM posting WHERE until != NONE";
    let mut answers = backend.store().read(sql, ()).await.expect("reads");
    let mut paths: Vec<String> = (0..3).flat_map(|at| answers.rows::<String>(at).expect("paths")).collect();
    paths.sort();
    paths.push(format!("{} postings ended", answers.rows::<String>(3).expect("postings").len()));
    paths
}

async fn start(backend: &Backend, viewer: &Viewer, [_, west, east]: &[UnitRef; 3], merges: bool) {
    let (unit, target) = (west.id.to_string(), east.id.to_string());
    let desk = backend.unit_desk();
    let (version, on) = ("0", "2026-11-21");
    if merges {
        let form = MergeForm { unit: &unit, version, target: &target, on };
        desk.start_merge(viewer, form).await.expect("starts");
    } else {
        let form = MoveForm { unit: &unit, version, target: &target, code: "001", on };
        desk.start_move(viewer, form).await.expect_err("of one level");
        let unit = backend.units().tree().at(&viewer.branch.path).expect("a branch").id.to_string();
        let form = MoveForm { unit: &unit, version, target: &target, code: "000", on };
        desk.start_move(viewer, form).await.expect("starts");
    }
}

#[tokio::test]
async fn an_interrupted_move_or_merge_has_the_same_result_as_an_uninterrupted_one() {
    for (merges, stops_after) in [(false, 1), (true, 4)] {
        let whole = open(&StoreLocation::Memory).await;
        let (viewer, units) = organisation(&whole, 60).await;
        start(&whole, &viewer, &units, merges).await;
        whole.unit_desk().resume().await.expect("finishes");
        let expected = paths(&whole).await;
        let outer = if merges { &units[1].path } else { &viewer.branch.path };
        assert!(expected.iter().all(|path| !path.contains(outer.as_str()) || path == &format!("001 {outer}")));

        let folder = tempfile::tempdir().expect("a folder");
        let location = StoreLocation::Folder(folder.path().to_owned());
        let backend = open(&location).await;
        let (viewer, units) = organisation(&backend, 60).await;
        start(&backend, &viewer, &units, merges).await;
        assert!(!backend.units().tree().moving.is_empty());
        assert_eq!(
            backend.units().tree().known(&viewer.branch.id.to_string()).map(|unit| unit.path.as_str()),
            Some("/51/002/000/")
        );
        assert!(!backend.unit_desk().advance(stops_after).await.expect("goes on"), "there is more to do");
        drop(backend);

        let backend = open(&location).await;
        assert!(!backend.units().tree().moving.is_empty(), "the start does not wait for it");
        assert_eq!(
            backend.units().tree().known(&viewer.branch.id.to_string()).map(|unit| unit.path.as_str()),
            Some("/51/002/000/"),
            "pages show the new path meanwhile"
        );
        backend.clock().advance(WAITED_AT_MOST);
        backend.run_due_jobs().await.expect("runs");
        assert_eq!(paths(&backend).await, expected, "stopped after {stops_after}");
        assert!(backend.units().tree().moving.is_empty());
        assert!(backend.unit_desk().advance(1).await.expect("nothing is left"));
    }
}

#[tokio::test]
async fn members_who_come_below_a_planned_unit_keep_their_access() {
    for merges in [false, true] {
        for (west_phase, east_phase, given) in
            [("pilot", "planned", Some("pilot")), ("planned", "planned", None), ("pilot", "live", None)]
        {
            let case = format!("{west_phase}, {east_phase}, merges: {merges}");
            let backend = open(&StoreLocation::Memory).await;
            let (viewer, units) = organisation(&backend, 2).await;
            let [_, west, east] = &units;
            let desk = backend.unit_desk();
            for (unit, phase) in [(west, west_phase), (east, east_phase)] {
                let unit = unit.id.to_string();
                let form = PhaseForm { unit: &unit, version: "0", phase, live_from: "", contact: "" };
                desk.set_phase(&viewer, form).await.expect("sets the phase");
            }
            let (unit, step) = if merges { (west.id, UnitStep::Merge) } else { (viewer.branch.id, UnitStep::Move) };
            let unit = unit.to_string();
            let version = if merges { "1" } else { "0" };
            let offered = desk.targets(&viewer, &unit, step, None).await.expect("has targets");
            assert_eq!(offered.phase.key(), west_phase, "{case}");
            assert_eq!(offered.phased, Vec::from_iter(given.map(|_| east.id)), "{case}");

            let (target, on) = (east.id.to_string(), "2026-11-21");
            let path = if merges {
                let form = MergeForm { unit: &unit, version, target: &target, on };
                desk.merge(&viewer, form).await.expect("merges");
                "/51/002/"
            } else {
                let form = MoveForm { unit: &unit, version, target: &target, code: "000", on };
                desk.move_below(&viewer, form).await.expect("moves");
                "/51/002/000/"
            };
            let tree = backend.units().tree();
            let at = |path: &str| tree.phase(&UnitPath::parse(path).expect("a path")).key();
            assert_eq!((at(path), at("/51/002/000/")), (given.unwrap_or(east_phase), given.unwrap_or(east_phase)), "{case}");
            let sql = "SELECT VALUE detail FROM event WHERE kind = 'unit_phase_changed' AND unit = $unit";
            let mut events = backend.store().read(sql, vars! { unit: path }).await.expect("reads");
            let mut told: Vec<String> = events.rows(0).expect("texts");
            told.sort_unstable();
            // The first phase of the target was set in its form.
            let set = merges.then_some(east_phase);
            let mut expected: Vec<&str> = set.into_iter().chain(given).collect();
            expected.sort_unstable();
            assert_eq!(told, expected, "{case}");
        }
    }
}

#[tokio::test]
async fn an_office_that_was_taken_back_is_not_ended_again_by_a_merge() {
    let backend = open(&StoreLocation::Memory).await;
    let (viewer, [_, west, east]) = organisation(&backend, 1).await;
    let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
    // Granted and ended today.
    let period = Period { from: day("2026-11-21"), until: Some(day("2026-11-20")) };
    let office = NewOffice { member: viewer.member, role: Role::Editor, unit: &west, period, by: None, given_from: None };
    backend.offices().write(office).await.expect("is granted");
    backend.store().write("UPDATE office SET ended_by = 'another' WHERE role = 'editor'", ()).await.expect("writes");

    let (unit, target) = (west.id.to_string(), east.id.to_string());
    let form = MergeForm { unit: &unit, version: "0", target: &target, on: "2026-11-20" };
    backend.unit_desk().start_merge(&viewer, form).await.expect("starts");
    let sql = "SELECT VALUE until + ' ' + ended_by FROM office WHERE unit = $unit";
    let ended: Vec<String> = backend.store().read(sql, vars! { unit: unit }).await.expect("reads").rows(0).expect("texts");
    assert_eq!(ended, ["2026-11-20 another"]);
}

#[tokio::test]
async fn accepting_a_transfer_between_branches_that_became_one_moves_nobody() {
    let backend = open(&StoreLocation::Memory).await;
    let (mut viewer, [province, west, _]) = organisation(&backend, 2).await;
    viewer.standpoint.grants.push(Grant { role: Role::Registrar, path: province.path });
    let tree = backend.units().tree();
    let branch = |code: &str| tree.at(&west.path.child(code).expect("a path")).expect("a branch").id.to_string();
    let (unit, target) = (branch("001"), branch("000"));
    let sql = "SELECT VALUE record::id(id) FROM member WHERE unit = $unit";
    let members: Vec<String> =
        backend.store().read(sql, vars! { unit: unit.clone() }).await.expect("reads").rows(0).expect("ids");
    let [member] = members.as_slice() else { panic!("{members:?}") };
    let form = TransferForm { member, to: &target, reason: "Về quê chồng." };
    let asked = backend.members().request_transfer(&viewer, form).await.expect("is requested").to_string();

    let form = MergeForm { unit: &unit, version: "0", target: &target, on: "2026-11-20" };
    backend.unit_desk().start_merge(&viewer, form).await.expect("starts");
    assert!(!backend.unit_desk().advance(1).await.expect("goes on"), "the member is in the other branch, the rest follows");
    backend.members().decide_transfer(&viewer, &asked, "accept", "").await.expect("is accepted");
    backend.unit_desk().resume().await.expect("finishes");
    let sql = "SELECT VALUE `from` + ' ' + until FROM posting WHERE member = $member; \
               SELECT VALUE unit + ' ' + posted_from FROM type::record('member', $member); SELECT VALUE state FROM transfer";
    let mut answers = backend.store().read(sql, vars! { member: member.clone() }).await.expect("reads");
    assert_eq!(answers.rows::<String>(0).expect("texts"), ["2008-02-03 2026-11-19"], "only that of the merged branch");
    assert_eq!(answers.rows::<String>(1).expect("texts"), [format!("{target} 2026-11-20")]);
    assert_eq!(answers.rows::<String>(2).expect("texts"), ["accepted"]);
}

#[tokio::test]
async fn a_job_continues_an_unfinished_merge() {
    let backend = open(&StoreLocation::Memory).await;
    let (viewer, units) = organisation(&backend, 60).await;
    start(&backend, &viewer, &units, true).await;
    assert_eq!(backend.run_due_jobs().await.expect("runs"), 0, "left to the process of the request");
    assert!(!backend.units().tree().moving.is_empty());
    backend.clock().advance(WAITED_AT_MOST);
    assert_eq!(backend.run_due_jobs().await.expect("runs"), 1);
    assert!(backend.units().tree().moving.is_empty());
}

#[tokio::test]
async fn queries_of_paths_to_update_use_an_index() {
    let store = migrated().await;
    let path = UnitPath::parse("/01/51/").expect("a path");
    for PathColumn { table, column, within } in FOLLOWERS {
        for condition in *within {
            let vars = vars! { from: path.to_string(), until: path.range_end() };
            store.assert_no_scan(&found_at(table, column, condition), vars).await;
        }
    }
}

#[test]
fn the_lowest_shift_that_contains_a_path_applies() {
    let path = |text: &str| UnitPath::parse(text).expect("a path");
    let shifts: Shifts =
        [Shift { from: path("/51/002/01/"), to: path("/51/001/03/") }, Shift { from: path("/51/002/"), to: path("/51/001/") }]
            .into_iter()
            .collect();
    assert_eq!(shifts.apply(&path("/51/002/01/7/")), Some(path("/51/001/03/7/")));
    assert_eq!(shifts.apply(&path("/51/002/02/")), Some(path("/51/001/02/")));
    assert_eq!(shifts.apply(&path("/51/003/")), None);
    assert_eq!(shifts.outermost().collect::<Vec<_>>(), [&path("/51/002/")]);
}

#[test]
fn a_page_without_rows_to_update_proceeds_to_the_next_old_subtree() {
    let path = |text: &str| UnitPath::parse(text).expect("a path");
    let shift = |from: &str, to: &str| Shift { from: path(from), to: path(to) };
    let shifts: Shifts = [shift("/1/2/", "/1/9/"), shift("/1/4/", "/1/9/")].into_iter().collect();
    let outermost: Vec<UnitPath> = shifts.outermost().cloned().collect();
    let next = |paths: &[&str]| {
        let row = |path: &&str| PathRow { id: record("office", "A"), path: (*path).to_owned() };
        let page = Page::of(paths.iter().map(row).collect(), &shifts)?;
        Ok::<_, Error>((page.moved.len(), page.next(&outermost)))
    };
    assert_eq!(next(&["/1/2/", "/1/2/3/"]).expect("in order"), (2, Some("/1/2/3/".to_owned())));
    assert_eq!(next(&["/1/2/", "/1/3/"]).expect("in order"), (1, Some("/1/4/".to_owned())));
    assert_eq!(next(&["/1/3/", "/1/3/"]).expect("in order"), (0, Some("/1/4/".to_owned())));
    assert_eq!(next(&["/1/4/", "/1/9/"]).expect("in order"), (1, None));
    assert!(next(&["/1/4/", "/1/2/"]).is_err(), "else rows would be passed over");
}
