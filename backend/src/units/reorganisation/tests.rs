//! Reorganisations from the file to the end of the batches, on both engines.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use domain::{
    accounts::Viewer,
    forms::Problem,
    ids::{MemberId, ReorganisationId, UnitId},
    imports::ImportKind,
    members::{NationalId, Sex, Standing},
    offices::{Period, Term},
    policy::{Grant, Role, Standpoint},
    units::{
        BecameStep, Phase, UnitChange, UnitPath, UnitRef,
        reorganisation::{
            FileRefusal, Hindrance, PlanList, PlanNumbers, ReassignmentState, ReorganisationColumn, ReorganisationState,
            RowProblem,
        },
    },
};

use super::{AssignForm, QueueQuery, ReceiveForm, Received};
use crate::{
    Backend, Error, StoreLocation,
    demo::registry::{NewMember, Registry},
    offices::NewOffice,
    store::{record, tests::migrated, vars},
    units::{
        BecameQuery, BelowQuery, MergeForm, NewUnitForm, PhaseForm, RenameForm, Tree,
        tests::{level, now, open},
    },
};

const ON: &str = "2026-11-20";

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Two provinces, `51` with the communes `001` and `002`, `52` with `003`. Each commune has three branches `01` to `03`, each branch
/// a member who is its secretary; the first of them is also secretary of the commune and of the province. The first of all is the
/// registrar of the whole tree.
struct Organisation {
    viewer: Viewer,
    units: BTreeMap<&'static str, UnitRef>,
}

impl Organisation {
    async fn new(backend: &Backend) -> Self {
        let mut registry = Registry::new(backend, 1, now() - TimeDelta::days(400));
        let central = registry.unit(None, level("central"), "01", "Trung ương").expect("a code");
        let mut units = BTreeMap::new();
        let mut first = None;
        let mut number = 0;
        for (province, communes) in [("51", ["001", "002"].as_slice()), ("52", ["003"].as_slice())] {
            let above = registry.unit(Some(&central), level("province"), province, "Tỉnh").expect("a code");
            for code in communes {
                let commune = registry.unit(Some(&above), level("commune"), code, &format!("Xã {code}")).expect("a code");
                for branch in ["01", "02", "03"] {
                    let branch = registry.unit(Some(&commune), level("branch"), branch, "Chi bộ").expect("a code");
                    number += 1;
                    let member = registry
                        .member(&NewMember {
                            code: &format!("51.{number:06}"),
                            full_name: "Võ Văn Khơi",
                            sex: Sex::Male,
                            birth_date: day("1980-02-03"),
                            admitted_on: day("2008-02-03"),
                            standing: Standing::Official,
                            national_id: &NationalId::parse(&format!("951000{number:06}")).expect("twelve digits"),
                            phone: None,
                            unit: &branch,
                        })
                        .expect("registers");
                    registry.office(member, Role::Secretary, &branch, None);
                    if first.is_none() {
                        registry.office(member, Role::Registrar, &central, None);
                    }
                    if branch.path.code() == "01" {
                        registry.office(member, Role::Secretary, &commune, None);
                        registry.office(member, Role::Deputy, &above, None);
                    }
                    first.get_or_insert((member, branch));
                }
                units.insert(*code, commune);
            }
            units.insert(province, above);
        }
        registry.save().await.expect("saves");
        backend.statistics().recount().await.expect("counts");
        let (member, branch): (MemberId, UnitRef) = first.expect("a branch");
        let grants = [Role::Operator, Role::Registrar].map(|role| Grant { role, path: central.path.clone() }).to_vec();
        let viewer = Viewer {
            member,
            name: "Mai Văn Máy".to_owned(),
            standpoint: Standpoint { branch: branch.path.clone(), standing: Standing::Official, grants },
            branch,
            offices: Vec::new(),
            resting: Vec::new(),
        };
        Self { viewer, units }
    }

    /// The viewer with the offices of a registrar of one unit.
    fn registrar_of(&self, unit: &str) -> Viewer {
        let mut viewer = self.viewer.clone();
        viewer.standpoint.grants = vec![Grant { role: Role::Registrar, path: self.units[unit].path.clone() }];
        viewer
    }
}

async fn sent(backend: &Backend, viewer: &Viewer, known: &str, file: &str) -> Received {
    let form = ReceiveForm { on: ON, reorganisation: known, file_name: "danh-sach.csv" };
    let mut upload = backend.reorganisations().receive(viewer, form).await.expect("may reorganise");
    upload.write(file.as_bytes().to_vec()).await.expect("writes");
    upload.finish().await.expect("is read")
}

async fn received(backend: &Backend, viewer: &Viewer, file: &str) -> ReorganisationId {
    match sent(backend, viewer, "", file).await {
        Received::Accepted(id) => id,
        Received::Refused(refusal) => panic!("{refusal:?}"),
    }
}

/// The province `52` becomes a part of `51`; `002` and `003` become parts of a renamed `001`, and of a new commune.
const MERGER: &str = "Mã cũ,Mã mới,Mã cấp trên mới,Tên mới,Phần,Chức vụ\n\
    51,51,,Tỉnh Mới,,\n52,51,,Tỉnh Mới,toàn bộ,giữ\n001,001,51,Phường Mới,,\n002,001,51,Phường Mới,,\n003,103,51,Xã Biển,,\n";

async fn confirmed(backend: &Backend, organisation: &Organisation, file: &str) -> ReorganisationId {
    let id = received(backend, &organisation.viewer, file).await;
    let reorganisations = backend.reorganisations();
    let page = reorganisations.preview(&organisation.viewer, id, PlanList::Refused, 1).await.expect("is planned");
    assert_eq!((page.hindrance, page.refused), (None, Vec::new()));
    reorganisations.confirm(&organisation.viewer, id, &page.version).await.expect("is confirmed");
    id
}

async fn state(backend: &Backend, id: ReorganisationId) -> ReorganisationState {
    backend.reorganisations().progress_for_operator(id).await.expect("exists").state
}

/// Open units by id, with their path and name.
fn units(tree: &Tree) -> BTreeMap<UnitId, (String, String)> {
    tree.all().map(|unit| (unit.id, (unit.path.to_string(), unit.name.clone()))).collect()
}

/// The paths of open units, without their ids.
fn paths(tree: &Tree) -> Vec<String> {
    tree.all().map(|unit| unit.path.to_string()).collect()
}

async fn stored(backend: &Backend) -> Vec<String> {
    let sql = "SELECT VALUE code + ' ' + path FROM member; SELECT VALUE code + ' ' + path FROM unit WHERE closed_on = NONE; \
               SELECT VALUE role + ' ' + path + ' ' + (until ?? '') FROM office; \
               SELECT VALUE code + ' ' + name + ' ' + `from` + ' ' + (until ?? '') + ' ' + cause FROM unit_version";
    let mut answers = backend.store().read(sql, ()).await.expect("reads");
    let mut found: Vec<String> = (0..4).flat_map(|at| answers.rows::<String>(at).expect("texts")).collect();
    found.sort();
    found
}

const MERGED: [&str; 12] = [
    "/01/",
    "/01/51/",
    "/01/51/001/",
    "/01/51/001/01/",
    "/01/51/001/02/",
    "/01/51/001/03/",
    "/01/51/001/04/",
    "/01/51/001/05/",
    "/01/51/001/06/",
    "/01/51/103/",
    "/01/51/103/01/",
    "/01/51/103/02/",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merger_of_two_provinces_keeps_members_history_and_figures() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let (before, root) = (units(&backend.units().tree()), backend.units().tree().all().next().expect("a root").path.clone());
    let members = backend.counters().members(&root);
    let id = received(&backend, &organisation.viewer, MERGER).await;
    let page = backend.reorganisations().preview(&organisation.viewer, id, PlanList::Ended, 1).await.expect("is planned");
    let numbers = page.numbers;
    assert_eq!((numbers.rows, numbers.refused, numbers.units_before, numbers.units_after), (5, 0, 15, 13));
    assert_eq!((numbers.ended, numbers.begun, numbers.renamed, numbers.recoded, numbers.moved), (2, 0, 3, 4, 4));
    assert_eq!((numbers.members, numbers.branches), (Some(9), 9));
    assert_eq!((numbers.offices_kept, numbers.offices_ended), (5, 1), "003, 001, 51 and the deputy of 52; the secretary of 002");
    let names: Vec<_> = page.rows.iter().map(|row| row.before.as_ref().expect("was there").code.clone()).collect();
    assert_eq!(names, ["002", "52"]);
    let page = backend.reorganisations().preview(&organisation.viewer, id, PlanList::Offices, 1).await.expect("is planned");
    let over: Vec<_> =
        page.rows.iter().flat_map(|row| &row.offices).map(|office| (office.role, office.name.as_deref())).collect();
    assert_eq!((page.rows.len(), over), (1, vec![(Role::Secretary, Some("Võ Văn Khơi"))]));

    backend.reorganisations().confirm(&organisation.viewer, id, &page.version).await.expect("is confirmed");
    backend.run_due_jobs().await.expect("runs");
    assert_eq!(state(&backend, id).await, ReorganisationState::Done);
    let tree = backend.units().tree();
    assert_eq!(paths(&tree)[..12], MERGED);
    assert!(!tree.is_moving());
    assert_eq!(tree.get(organisation.units["001"].id).expect("continues").name, "Phường Mới");
    assert_eq!(tree.successor(&organisation.units["52"].id.to_string()).expect("has one").path.as_str(), "/01/51/");
    let old = &organisation.units["002"].path.child("02").expect("a path");
    assert_eq!(tree.former(old).expect("is known").path.as_str(), "/01/51/001/05/");

    // Yesterday's tree is the old one, and that of the day the new one.
    let desk = backend.unit_desk();
    assert_eq!(units(&desk.tree_as_of(day("2026-11-19")).await.expect("reads")), before);
    assert_eq!(units(&desk.tree_as_of(day(ON)).await.expect("reads")), units(&tree));
    let moved = tree.former(old).expect("is known").id.to_string();
    let page = desk.page(&organisation.viewer, &moved, None, BelowQuery::default()).await.expect("is open");
    let history: Vec<_> = page.history.iter().map(|form| (form.change, form.code.as_str(), form.from)).collect();
    assert_eq!(history[0], (UnitChange::Reorganised, "05", day(ON)));
    assert_eq!((history[1].0, history[1].1), (UnitChange::Created, "02"));

    // Every member is where the branch is, and every figure as counted from the tables.
    backend.catch_up().await.expect("reads the log");
    assert_eq!(backend.counters().members(&root), members);
    assert_eq!(backend.statistics().recount().await.expect("counts"), []);
    let sql = "SELECT VALUE unit + ' ' + path FROM member";
    let found: Vec<String> = backend.store().read(sql, ()).await.expect("reads").rows(0).expect("texts");
    assert_eq!(found.len(), 9);
    for row in found {
        let (unit, path) = row.split_once(' ').expect("two parts");
        assert_eq!(tree.named(unit).expect("is open").path.as_str(), path);
    }
    let sql = "SELECT VALUE until FROM office WHERE unit = $unit AND until != NONE";
    let vars = vars! { unit: organisation.units["002"].id.to_string() };
    let ended: Vec<String> = backend.store().read(sql, vars).await.expect("reads").rows(0).expect("days");
    assert_eq!(ended, ["2026-11-19"]);
    let sql = "SELECT VALUE from FROM office WHERE unit = $unit AND role = 'deputy' AND until = NONE";
    let vars = vars! { unit: organisation.units["51"].id.to_string() };
    let kept: Vec<String> = backend.store().read(sql, vars).await.expect("reads").rows(0).expect("days");
    assert_eq!(kept.len(), 3, "two of its own, one that goes on: {kept:?}");

    // The stored numbers are shown by the rights of the reader.
    let result = backend.reorganisations().preview(&organisation.viewer, id, PlanList::Ended, 1).await.expect("is done");
    assert_eq!((result.numbers.ended, result.numbers.members), (2, Some(9)));
    let mut operator = organisation.viewer.clone();
    operator.standpoint.grants.retain(|grant| grant.role == Role::Operator);
    let result = backend.reorganisations().preview(&operator, id, PlanList::Ended, 1).await.expect("is done");
    assert_eq!((result.numbers.ended, result.numbers.members), (2, None), "who does not read the registry");

    // The same file again.
    let again = received(&backend, &organisation.viewer, MERGER).await;
    let page = backend.reorganisations().preview(&organisation.viewer, again, PlanList::Refused, 1).await.expect("is planned");
    assert_eq!((page.refused, page.hindrance), (Vec::new(), Some(Hindrance::Nothing)));
    assert_eq!((page.numbers.rows, page.numbers.already), (5, 5));
    let refused = backend.reorganisations().confirm(&organisation.viewer, again, &page.version).await;
    let Err(Error::Invalid(errors)) = refused else { panic!("{refused:?}") };
    assert_eq!(errors.problem("version"), Some(&Problem::Undecided));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_office_that_began_later_goes_on_and_one_that_was_taken_back_does_not() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let (member, today) = (organisation.viewer.member, day("2026-11-21"));
    for (unit, role, from, until) in [
        ("52", Role::CommitteeMember, today, None),
        ("52", Role::Editor, day("2026-01-01"), None),
        // Granted and ended today.
        ("52", Role::Registrar, today, Some(day(ON))),
        ("51", Role::Editor, today, Some(day(ON))),
        ("002", Role::Secretary, today, Some(day(ON))),
    ] {
        let period = Period { from, until };
        let office = NewOffice { member, role, unit: &organisation.units[unit], period, by: None, given_from: None };
        backend.offices().write(office).await.expect("is granted");
    }
    let sql = "UPDATE office SET ended_by = 'another' WHERE until != NONE AND until < `from`";
    backend.store().write(sql, ()).await.expect("writes");

    let id = received(&backend, &organisation.viewer, MERGER).await;
    let reorganisations = backend.reorganisations();
    let page = reorganisations.preview(&organisation.viewer, id, PlanList::Offices, 1).await.expect("is planned");
    assert_eq!((page.numbers.offices_kept, page.numbers.offices_ended), (7, 1), "five and one of all, and two of these");
    assert_eq!(page.rows.iter().map(|row| row.offices.len()).sum::<usize>(), 1, "the secretary of 002");
    reorganisations.confirm(&organisation.viewer, id, &page.version).await.expect("is confirmed");
    backend.run_due_jobs().await.expect("runs");
    assert_eq!(state(&backend, id).await, ReorganisationState::Done);

    let offices = async |unit: &str| {
        let sql = "SELECT VALUE role + ' ' + `from` + ' ' + (until ?? 'now') + ' ' + (ended_by ?? 'nobody') FROM office \
                   WHERE unit = $unit AND member = $member AND role != 'deputy'";
        let vars = vars! { unit: organisation.units[unit].id.to_string(), member: member.to_string() };
        let mut found: Vec<String> = backend.store().read(sql, vars).await.expect("reads").rows(0).expect("texts");
        found.sort();
        found
    };
    let kept = ["committee_member 2026-11-21 now nobody", "editor 2026-11-20 now nobody", "editor 2026-11-21 2026-11-20 another"];
    assert_eq!(offices("51").await, kept, "since the day, or since it was granted");
    let ended = [
        format!("committee_member 2026-11-21 2026-11-19 {member}"),
        format!("editor 2026-01-01 2026-11-19 {member}"),
        "registrar 2026-11-21 2026-11-20 another".to_owned(),
    ];
    assert_eq!(offices("52").await, ended);
    assert_eq!(offices("002").await, ["secretary 2026-11-21 2026-11-20 another"]);
    let later = Period { from: today, until: Some(day("2026-11-19")) };
    assert_eq!([day("2026-11-19"), day(ON), today].map(|day| later.on(day)), [Term::Over; 3], "it never counted there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_reorganisation_has_the_same_result_as_an_uninterrupted_one() {
    let whole = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&whole).await;
    confirmed(&whole, &organisation, MERGER).await;
    whole.run_due_jobs().await.expect("runs");
    let expected = stored(&whole).await;
    for stops_after in [0, 1, 2, 3] {
        let folder = tempfile::tempdir().expect("a folder");
        let location = StoreLocation::Folder(folder.path().to_owned());
        let backend = open(&location).await;
        let organisation = Organisation::new(&backend).await;
        let before = units(&backend.units().tree());
        let id = confirmed(&backend, &organisation, MERGER).await;
        assert!(matches!(
            backend.reorganisations().carry_out(id, None).await.expect("changes the tree"),
            super::carry_out::Attempt::Done
        ));
        assert_eq!(paths(&backend.units().tree())[..12], MERGED, "at once");
        let desk = backend.unit_desk();
        assert!(!desk.advance(stops_after).await.expect("goes on"), "there is more to do");
        assert_eq!(units(&desk.tree_as_of(day("2026-11-19")).await.expect("reads")), before, "after {stops_after}");
        assert_eq!(units(&desk.tree_as_of(day(ON)).await.expect("reads")), units(&backend.units().tree()));
        for on in ["2026-11-19", ON].map(day) {
            let (tree, then) = (backend.units().tree(), desk.tree_as_of(on).await.expect("reads"));
            for unit in then.all() {
                let mut line: Vec<UnitId> = tree.line_on(unit.id, on).iter().map(|(id, _)| *id).collect();
                line.reverse();
                let trail: Vec<UnitId> = then.trail(&unit.path).map(|above| above.id).collect();
                assert_eq!(line, trail, "{} on {on}, after {stops_after}", unit.path);
            }
        }
        let old = organisation.units["002"].path.child("02").expect("a path");
        assert_eq!(backend.units().tree().former(&old).expect("is known").path.as_str(), "/01/51/001/05/");
        drop(backend);

        let backend = open(&location).await;
        assert_eq!(state(&backend, id).await, ReorganisationState::Following);
        backend.run_due_jobs().await.expect("runs");
        assert_eq!(state(&backend, id).await, ReorganisationState::Done);
        assert_eq!(stored(&backend).await, expected, "stopped after {stops_after}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tree_that_changed_after_the_confirmation_is_left_alone() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let id = confirmed(&backend, &organisation, MERGER).await;
    let unit = organisation.units["003"].id.to_string();
    let form = RenameForm { unit: &unit, version: "0", name: "Xã Khác", on: "2026-11-21" };
    backend.unit_desk().rename(&organisation.viewer, form).await.expect("renames");
    let before = units(&backend.units().tree());
    backend.run_due_jobs().await.expect("runs");
    assert_eq!(state(&backend, id).await, ReorganisationState::Changed);
    assert_eq!(units(&backend.units().tree()), before);
    let page = backend.reorganisations().preview(&organisation.viewer, id, PlanList::Refused, 1).await.expect("is planned");
    let problems: Vec<_> = page.refused.into_iter().map(|row| (row.row, row.problem)).collect();
    assert_eq!(problems, [(6, RowProblem::ChangedLater { since: day("2026-11-21") })]);
    backend.reorganisations().cancel(&organisation.viewer, id).await.expect("cancels");
    assert!(matches!(backend.reorganisations().cancel(&organisation.viewer, id).await, Err(Error::NotAllowed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_is_running_until_its_hold_has_lapsed() {
    let backend = open(&StoreLocation::Memory).await;
    let mut upload = backend.imports().receive_from_operator(ImportKind::Units, None, "don-vi.csv").expect("begins");
    upload.write("Mã,Tên\n01,Trung ương\n".as_bytes().to_vec()).await.expect("writes");
    let import = upload.finish().await.expect("is stored").import;
    backend.imports().settled(import).await.expect("is checked");
    let sql = "UPDATE $import SET state = 'running' RETURN NONE;";
    backend.store().write(sql, vars! { import: record("import", import) }).await.expect("writes");
    let is_importing = async || backend.reorganisations().is_importing().await.expect("reads");
    // A minute, and the margin for clocks that differ.
    backend.clock().advance(TimeDelta::seconds(149));
    assert!(is_importing().await);
    backend.clock().advance(TimeDelta::seconds(1));
    assert!(!is_importing().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reorganisation_waits_for_a_running_import() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let mut upload = backend.imports().receive_from_operator(ImportKind::Units, None, "don-vi.csv").expect("begins");
    upload.write("Mã,Tên\n01,Trung ương\n".as_bytes().to_vec()).await.expect("writes");
    let import = record("import", upload.finish().await.expect("is stored").import);
    let set = async |state: &str| {
        let sql = "UPDATE $import SET state = $state, held_until = $until RETURN NONE;";
        let vars = vars! { import: import.clone(), state: state, until: now() + TimeDelta::hours(1) };
        backend.store().write(sql, vars).await.expect("writes");
    };
    set("running").await;
    let id = received(&backend, &organisation.viewer, MERGER).await;
    let reorganisations = backend.reorganisations();
    let page = reorganisations.preview(&organisation.viewer, id, PlanList::Refused, 1).await.expect("is planned");
    assert_eq!(page.hindrance, Some(Hindrance::Importing));
    let early = reorganisations.confirm(&organisation.viewer, id, &page.version).await;
    assert!(matches!(early, Err(Error::Busy)), "{early:?}");
    let (unit, target) = (organisation.units["002"].id.to_string(), organisation.units["001"].id.to_string());
    let form = MergeForm { unit: &unit, version: "0", target: &target, on: "2026-11-21" };
    let by_hand = backend.unit_desk().merge(&organisation.viewer, form).await;
    assert!(matches!(by_hand, Err(Error::Busy)), "{by_hand:?}");
    set("cancelled").await;
    reorganisations.confirm(&organisation.viewer, id, &page.version).await.expect("is confirmed");
    reorganisations.confirm(&organisation.viewer, id, &page.version).await.expect("from another window");
    let other = reorganisations.confirm(&organisation.viewer, id, "another").await;
    assert!(matches!(other, Err(Error::NotAllowed)), "{other:?}");
    set("running").await;
    assert!(matches!(reorganisations.carry_out(id, None).await, Err(Error::Busy)), "begun after the confirmation");
    // More often than a job is attempted: waiting is not a failure.
    for _ in 0..15 {
        assert!(backend.run_due_jobs().await.expect("runs") > 0, "it is tried again");
        assert_eq!(state(&backend, id).await, ReorganisationState::Confirmed);
        backend.clock().advance(TimeDelta::seconds(15));
    }
    set("cancelled").await;
    backend.run_due_jobs().await.expect("runs");
    assert_eq!(state(&backend, id).await, ReorganisationState::Done);
    reorganisations.confirm(&organisation.viewer, id, &page.version).await.expect("leads to the result");
    let rows = async || {
        let sql = "SELECT VALUE content FROM reorganisation_rows";
        let found: Vec<String> = backend.store().read(sql, ()).await.expect("reads").rows(0).expect("texts");
        found
    };
    assert!(rows().await.is_empty(), "those of a reorganisation that is done are deleted");
    let other = received(&backend, &organisation.viewer, MERGER).await;
    assert!(!rows().await.is_empty());
    reorganisations.cancel(&organisation.viewer, other).await.expect("cancels");
    assert!(rows().await.is_empty(), "and those of a cancelled one");
}

#[tokio::test]
async fn shifts_have_rows_of_their_own_until_the_batches_are_done() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let id = confirmed(&backend, &organisation, MERGER).await;
    let stored = async || {
        let sql = "SELECT VALUE array::len(shifts) FROM unit_operation; SELECT VALUE content FROM unit_shifts;";
        let mut answers = backend.store().read(sql, ()).await.expect("reads");
        (answers.rows::<i64>(0).expect("numbers"), answers.rows::<String>(1).expect("texts").len())
    };
    backend.reorganisations().carry_out(id, None).await.expect("is carried out");
    let (in_the_row, records) = stored().await;
    assert_eq!(in_the_row, [0]);
    assert!(records > 1, "{records} records");
    let tree = backend.units().tree();
    assert!(tree.is_moving());
    assert_eq!(tree.get(organisation.units["52"].id), None);
    let branch = tree.get(organisation.viewer.branch.id).expect("is open");
    assert!(tree.moving.len() > records, "a record has several");
    assert_eq!(branch.path.as_str(), "/01/51/001/01/");
    backend.unit_desk().resume().await.expect("finishes");
    assert_eq!(state(&backend, id).await, ReorganisationState::Done);
    assert_eq!(stored().await, (vec![0], 0));
    assert!(!backend.units().tree().is_moving());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_below_a_divided_one_are_assigned() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let file = "Mã cũ,Mã mới,Mã cấp trên mới,Tên mới,Phần\n001,001,51,Xã Giữ,phần chính\n001,009,51,Xã Chín,một phần\n";
    let id = confirmed(&backend, &organisation, file).await;
    backend.run_due_jobs().await.expect("runs");
    assert_eq!(state(&backend, id).await, ReorganisationState::Done);
    let reorganisations = backend.reorganisations();
    let page = reorganisations.queue(&organisation.viewer, QueueQuery::default()).await.expect("may read");
    assert_eq!((page.rows.len(), page.waiting), (3, 3));
    assert_eq!(page.rows[0].candidates.iter().map(|unit| unit.path.as_str()).collect::<Vec<_>>(), ["/01/51/009/"]);

    // Searched by name or code, and by the divided unit.
    let found = async |words: Option<&str>, from: Option<domain::ids::UnitId>| {
        let query = QueueQuery { words, from, ..QueueQuery::default() };
        reorganisations.queue(&organisation.viewer, query).await.expect("may read").rows.len()
    };
    assert_eq!(found(Some(page.rows[0].unit.path.code()), None).await, 1);
    assert_eq!(found(Some("không có đơn vị này"), None).await, 0);
    assert_eq!(found(Some(" "), Some(page.rows[0].from_unit)).await, 3);
    assert_eq!(found(None, Some(organisation.units["003"].id)).await, 0);
    assert_eq!(reorganisations.waiting(&organisation.viewer).await.expect("may read"), 3);
    let query = QueueQuery { from: Some(page.rows[0].from_unit), ..QueueQuery::default() };
    let (own, other) = (organisation.registrar_of("51"), organisation.registrar_of("003"));
    assert!(reorganisations.queue(&own, query).await.expect("may read").from.is_some());
    let query = QueueQuery { from: Some(organisation.units["002"].id), ..QueueQuery::default() };
    assert_eq!(reorganisations.queue(&other, query).await.expect("may read").from, None, "not the name of a unit elsewhere");

    // One by one.
    let (first, target) = (page.rows[0].id.to_string(), page.rows[0].candidates[0].id.to_string());
    let stranger = AssignForm { reassignment: &first, target: &organisation.units["003"].id.to_string() };
    assert!(matches!(reorganisations.assign(&organisation.viewer, stranger).await, Err(Error::Invalid(_))));
    let elsewhere = organisation.registrar_of("52");
    let form = AssignForm { reassignment: &first, target: &target };
    assert!(matches!(reorganisations.assign(&elsewhere, form).await, Err(Error::NotFound | Error::NotAllowed)));
    let moved = reorganisations.assign(&organisation.viewer, form).await.expect("moves");
    assert_eq!(reorganisations.assign(&organisation.viewer, form).await.expect("again"), moved);
    let tree = backend.units().tree();
    assert_eq!(tree.get(moved).expect("is open").path.as_str(), "/01/51/009/01/");
    let then = backend.unit_desk().tree_as_of(day(ON)).await.expect("reads");
    assert_eq!(then.get(moved).expect("was open").path.as_str(), "/01/51/009/01/", "effective on the same day");

    // By file.
    let upload = async |file: &str| {
        let mut upload = reorganisations.assign_file(&organisation.viewer, "gan.csv").await.expect("may assign");
        upload.write(file.as_bytes().to_vec()).await.expect("writes");
        upload.finish().await.expect("is read").expect("has rows")
    };
    let refused = upload("Mã đơn vị,Mã đơn vị nhận\n51/001/02,009\n51/001/03,003\n").await;
    assert_eq!((refused.assigned, refused.refused.len(), refused.refused[0].row), (0, 1, 3), "all or nothing");
    let done = upload("Mã đơn vị,Mã đơn vị nhận\n51/001/02,009\n51/001/03,001\n").await;
    assert_eq!((done.assigned, done.kept, done.refused), (1, 1, Vec::new()));
    let query = QueueQuery { state: Some(ReassignmentState::Assigned), ..QueueQuery::default() };
    assert_eq!(reorganisations.queue(&organisation.viewer, query).await.expect("may read").rows.len(), 2);
    assert_eq!(reorganisations.queue(&organisation.viewer, QueueQuery::default()).await.expect("may read").waiting, 0);

    // The division again: nothing is to be done.
    let again = received(&backend, &organisation.viewer, file).await;
    let page = reorganisations.preview(&organisation.viewer, again, PlanList::Refused, 1).await.expect("is planned");
    assert_eq!((page.refused, page.hindrance), (Vec::new(), Some(Hindrance::Nothing)));

    // Another part on the same day is another division.
    let another = "Mã cũ,Mã mới,Mã cấp trên mới,Tên mới,Phần\n001,001,51,Xã Giữ,phần chính\n001,011,51,Xã Mười Một,một phần\n";
    let second = received(&backend, &organisation.viewer, another).await;
    let page = reorganisations.preview(&organisation.viewer, second, PlanList::Begun, 1).await.expect("is planned");
    assert_eq!((page.hindrance, page.numbers.refused, page.numbers.begun), (None, 0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_divided_unit_is_followed_to_all_its_parts() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let file = "Mã cũ,Mã mới,Mã cấp trên mới,Tên mới,Phần\n\
        001,201,51,Xã Thượng,phần chính\n001,202,51,Xã Hạ,một phần\n003,103,52,Xã Biển,\n";
    let id = confirmed(&backend, &organisation, file).await;
    backend.run_due_jobs().await.expect("runs");
    assert_eq!(state(&backend, id).await, ReorganisationState::Done);
    let became = async |codes: &str| {
        let query = BecameQuery { words: Some(codes), ..BecameQuery::default() };
        let mut page = backend.unit_desk().became(&organisation.viewer, query).await.expect("a page");
        page.found.remove(0)
    };
    let divided = async || {
        let divided = became("51/001").await;
        let [BecameStep::Parted { on, main, others }] = divided.steps.as_slice() else { panic!("{:?}", divided.steps) };
        assert_eq!((*on, main.name.as_str(), others.len(), others[0].name.as_str()), (day(ON), "Xã Thượng", 1, "Xã Hạ"));
        let parts: Vec<&str> = divided.parts.iter().map(|part| part.unit.name.as_str()).collect();
        assert_eq!((divided.now.name.as_str(), parts), ("Xã Thượng", vec!["Xã Hạ"]));
    };
    divided().await;
    let queue = backend.reorganisations().queue(&organisation.viewer, QueueQuery::default()).await.expect("may read");
    let (first, target) = (queue.rows[0].id.to_string(), queue.rows[0].candidates[0].id.to_string());
    let form = AssignForm { reassignment: &first, target: &target };
    backend.reorganisations().assign(&organisation.viewer, form).await.expect("moves");
    divided().await;

    // A unit of which every branch is in the file has none in the queue.
    let file = "Mã cũ,Mã mới,Mã cấp trên mới,Tên mới,Phần\n002,203,51,Xã Đông,phần chính\n002,204,51,Xã Tây,một phần\n\
        51/002/01,01,203,,\n51/002/02,02,203,,\n51/002/03,03,204,,\n";
    let id = confirmed(&backend, &organisation, file).await;
    backend.run_due_jobs().await.expect("runs");
    assert_eq!(state(&backend, id).await, ReorganisationState::Done);
    let bare = became("51/002").await;
    assert!(matches!(bare.steps.as_slice(), [BecameStep::Parted { .. }]), "{:?}", bare.steps);
    assert_eq!(bare.parts.iter().map(|part| part.unit.name.as_str()).collect::<Vec<_>>(), ["Xã Tây"]);
    let query = QueueQuery { state: Some(ReassignmentState::Kept), ..QueueQuery::default() };
    let kept = backend.reorganisations().queue(&organisation.viewer, query).await.expect("may read");
    assert!(kept.rows.is_empty(), "{:?}", kept.rows);

    let whole = became("52/003").await;
    let [BecameStep::Changed(form)] = whole.steps.as_slice() else { panic!("{:?}", whole.steps) };
    assert_eq!((form.name.as_str(), form.code.as_str(), whole.parts.len()), ("Xã Biển", "103", 0), "it continues");

    // A unit that ends and is the only one to make up a new unit.
    let (desk, viewer) = (backend.unit_desk(), &organisation.viewer);
    let (parent, sea) = (organisation.units["52"].id.to_string(), organisation.units["003"].id.to_string());
    let today = "2026-11-21";
    let form = NewUnitForm { parent: &parent, kind: "commune", code: "110", name: "Xã Đảo", on: today };
    let island = desk.create(viewer, form).await.expect("creates").to_string();
    let version = desk.page(viewer, &sea, None, BelowQuery::default()).await.expect("is open").version.to_string();
    desk.merge(viewer, MergeForm { unit: &sea, version: &version, target: &island, on: today }).await.expect("merges");
    let whole = became("52/103").await;
    let [BecameStep::Ended { into: Some(into), alone: true, .. }] = whole.steps.as_slice() else { panic!("{:?}", whole.steps) };
    assert_eq!((into.name.as_str(), whole.parts.len()), ("Xã Đảo", 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_is_not_moved_before_the_first_day_of_its_target() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let viewer = &organisation.viewer;
    let file = "Mã cũ,Mã mới,Mã cấp trên mới,Tên mới,Phần\n001,001,51,Xã Giữ,phần chính\n001,009,51,Xã Chín,một phần\n";
    confirmed(&backend, &organisation, file).await;
    backend.run_due_jobs().await.expect("runs");
    let (reorganisations, desk) = (backend.reorganisations(), backend.unit_desk());
    let page = reorganisations.queue(viewer, QueueQuery::default()).await.expect("may read");
    let (row, ninth) = (page.rows[0].id.to_string(), page.rows[0].candidates[0].id.to_string());

    // The candidate is merged into a unit that began a day after the reorganisation.
    let (parent, later) = (organisation.units["51"].id.to_string(), "2026-11-21");
    let form = NewUnitForm { parent: &parent, kind: "commune", code: "010", name: "Xã Mười", on: later };
    let tenth = desk.create(viewer, form).await.expect("creates").to_string();
    desk.merge(viewer, MergeForm { unit: &ninth, version: "0", target: &tenth, on: later }).await.expect("merges");
    let moved = reorganisations.assign(viewer, AssignForm { reassignment: &row, target: &tenth }).await.expect("moves");
    let path = async |on: &str| {
        let tree = desk.tree_as_of(day(on)).await.expect("reads");
        tree.get(moved).map(|unit| unit.path.to_string())
    };
    assert_eq!(path(ON).await.as_deref(), Some("/01/51/001/01/"), "else it would be nowhere");
    assert_eq!(path(later).await.as_deref(), Some("/01/51/010/01/"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_units_that_are_assigned_keep_their_access() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let (viewer, reorganisations) = (&organisation.viewer, backend.reorganisations());
    let file = "Mã cũ,Mã mới,Mã cấp trên mới,Tên mới,Phần\n001,001,51,Xã Giữ,phần chính\n001,009,51,Xã Chín,một phần\n";
    confirmed(&backend, &organisation, file).await;
    backend.run_due_jobs().await.expect("runs");
    let queue = async || reorganisations.queue(viewer, QueueQuery::default()).await.expect("may read").rows;
    let rows = queue().await;
    assert_eq!((rows[0].phase, rows[0].phased.len()), (Phase::Live, 0));
    let ninth = rows[0].candidates[0].id;
    let form = PhaseForm { unit: &ninth.to_string(), version: "0", phase: "planned", live_from: "", contact: "" };
    backend.unit_desk().set_phase(viewer, form).await.expect("sets the phase");
    let rows = queue().await;
    assert_eq!((rows[0].phase, rows[0].phased.as_slice()), (Phase::Live, [ninth].as_slice()));

    // One by one, and by file.
    let form = AssignForm { reassignment: &rows[0].id.to_string(), target: &ninth.to_string() };
    reorganisations.assign(viewer, form).await.expect("moves");
    let mut upload = reorganisations.assign_file(viewer, "gan.csv").await.expect("may assign");
    upload.write("Mã đơn vị,Mã đơn vị nhận\n51/001/02,009\n51/001/03,001\n".as_bytes().to_vec()).await.expect("writes");
    let done = upload.finish().await.expect("is read").expect("has rows");
    assert_eq!((done.assigned, done.kept, done.phased, done.refused), (1, 1, 1, Vec::new()));
    let tree = backend.units().tree();
    assert_eq!(tree.phase(&UnitPath::parse("/01/51/009/").expect("a path")), Phase::Planned);
    for path in ["/01/51/009/01/", "/01/51/009/02/"] {
        assert_eq!(tree.phase(&UnitPath::parse(path).expect("a path")), Phase::Live, "{path}");
        let sql = "SELECT VALUE detail FROM event WHERE kind = 'unit_phase_changed' AND unit = $unit";
        let events: Vec<String> = backend.store().read(sql, vars! { unit: path }).await.expect("reads").rows(0).expect("texts");
        assert_eq!(events, ["live"], "the audit trail tells it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_begins_has_the_most_advanced_phase_of_its_parts() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    for (unit, phase) in [("51", "planned"), ("001", "pilot")] {
        let unit = organisation.units[unit].id.to_string();
        let form = PhaseForm { unit: &unit, version: "0", phase, live_from: "", contact: "" };
        backend.unit_desk().set_phase(&organisation.viewer, form).await.expect("sets the phase");
    }
    confirmed(&backend, &organisation, "Mã cũ,Mã mới,Tên mới\n001,011,Xã Mới\n002,011,Xã Mới\n").await;
    backend.run_due_jobs().await.expect("runs");
    let tree = backend.units().tree();
    let path = |text: &str| UnitPath::parse(text).expect("a path");
    assert!(tree.at(&path("/01/51/011/01/")).is_some());
    assert_eq!(tree.phase(&path("/01/51/011/01/")), Phase::Pilot, "its members could sign in before");
    assert_eq!(tree.phase(&path("/01/51/")), Phase::Planned);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_a_unit_that_becomes_a_part_of_another_one_keep_their_access() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    for (unit, phase) in [("51", "planned"), ("52", "pilot")] {
        let unit = organisation.units[unit].id.to_string();
        let form = PhaseForm { unit: &unit, version: "0", phase, live_from: "", contact: "" };
        backend.unit_desk().set_phase(&organisation.viewer, form).await.expect("sets the phase");
    }
    let file = "Mã cũ,Mã mới,Mã cấp trên mới\n001,001,51\n003,001,51\n";
    let id = received(&backend, &organisation.viewer, file).await;
    let page = backend.reorganisations().preview(&organisation.viewer, id, PlanList::Phased, 1).await.expect("is planned");
    let phased: Vec<_> = page.rows.iter().map(|row| row.unit).collect();
    assert_eq!((page.numbers.phased, phased), (1, vec![Some(organisation.units["001"].id)]));
    backend.reorganisations().confirm(&organisation.viewer, id, &page.version).await.expect("is confirmed");
    backend.run_due_jobs().await.expect("runs");
    assert_eq!(state(&backend, id).await, ReorganisationState::Done);
    let tree = backend.units().tree();
    let path = |text: &str| UnitPath::parse(text).expect("a path");
    let moved = tree.former(&path("/01/52/003/02/")).expect("is known");
    assert!(path("/01/51/001/").contains(&moved.path));
    assert_eq!(tree.phase(&moved.path), Phase::Pilot, "its members could sign in before");
    assert_eq!([tree.phase(&path("/01/51/")), tree.phase(&path("/01/51/002/"))], [Phase::Planned; 2]);
    let sql = "SELECT VALUE detail FROM event WHERE kind = 'unit_phase_changed' AND unit = '/01/51/001/'";
    let events: Vec<String> = backend.store().read(sql, ()).await.expect("reads").rows(0).expect("texts");
    assert_eq!(events, ["pilot"], "the audit trail tells it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_can_sign_in_before_their_paths_are_updated() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let root = backend.units().tree().all().next().expect("a root").id;
    for (unit, phase) in [(root, "planned"), (organisation.units["52"].id, "pilot")] {
        let unit = unit.to_string();
        let form = PhaseForm { unit: &unit, version: "0", phase, live_from: "", contact: "" };
        backend.unit_desk().set_phase(&organisation.viewer, form).await.expect("sets the phase");
    }
    let id = confirmed(&backend, &organisation, MERGER).await;
    let attempt = backend.reorganisations().carry_out(id, None).await.expect("changes the tree");
    assert!(matches!(attempt, super::carry_out::Attempt::Done));
    let path = |text: &str| UnitPath::parse(text).expect("a path");
    let sql = "SELECT VALUE code FROM member WHERE path = '/01/52/003/02/'";
    let waiting: Vec<String> = backend.store().read(sql, ()).await.expect("reads").rows(0).expect("codes");
    assert_eq!(waiting.len(), 1, "nothing is updated yet");
    let tree = backend.units().tree();
    assert_eq!(tree.phase(&path("/01/52/003/02/")), Phase::Pilot);
    assert_eq!(tree.phase(&path("/01/51/103/02/")), Phase::Pilot, "where it is now");
    assert_eq!(tree.phase(&path("/01/")), Phase::Planned);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registrar_reorganises_within_the_own_province_only() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let registrar = organisation.registrar_of("51");
    let own = "Mã cũ,Mã mới\n002,001\n001,001\n";
    let id = received(&backend, &registrar, own).await;
    let page = backend.reorganisations().preview(&registrar, id, PlanList::Refused, 1).await.expect("is planned");
    assert_eq!((page.refused, page.hindrance), (Vec::new(), None));
    let other = Viewer { member: MemberId::new(ulid::Ulid::nil()), ..organisation.registrar_of("52") };
    let hidden = backend.reorganisations().preview(&other, id, PlanList::Refused, 1).await;
    assert!(matches!(hidden, Err(Error::NotFound)));
    let across = received(&backend, &registrar, "Mã cũ,Mã mới,Mã cấp trên mới\n003,003,51\n51,59,\n").await;
    let page = backend.reorganisations().preview(&registrar, across, PlanList::Refused, 1).await.expect("is planned");
    let problems: Vec<_> = page.refused.iter().map(|row| row.problem.clone()).collect();
    assert_eq!(problems, [RowProblem::UnknownCode, RowProblem::NotAllowed]);
    let refused = backend.reorganisations().confirm(&registrar, across, &page.version).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_the_number_of_members_unless_it_is_hidden() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let mut operator = organisation.viewer.clone();
    operator.standpoint.grants.retain(|grant| grant.role == Role::Operator);
    // Three more in the province 52, so that its commune is no small group.
    let tree = backend.units().tree();
    let branch = tree.at(&UnitPath::parse("/01/52/003/01/").expect("a path")).expect("a branch");
    let mut registry = Registry::new(&backend, 2, now() - TimeDelta::days(400));
    for number in 0..3 {
        let member = NewMember {
            code: &format!("52.00000{number}"),
            full_name: "Võ Văn Khơi",
            sex: Sex::Male,
            birth_date: day("1981-02-03"),
            admitted_on: day("2008-02-03"),
            standing: Standing::Official,
            national_id: &NationalId::parse(&format!("951900{number:06}")).expect("twelve digits"),
            phone: None,
            unit: branch,
        };
        registry.member(&member).expect("registers");
    }
    registry.save().await.expect("saves");
    let members = async |file: &str| {
        let id = received(&backend, &operator, file).await;
        let page = backend.reorganisations().preview(&operator, id, PlanList::Refused, 1).await.expect("is planned");
        assert_eq!(page.refused, Vec::new());
        page.numbers.members
    };
    assert_eq!(members("Mã cũ,Mã mới,Tên mới\n003,003,Xã Mới\n").await, Some(6));
    assert_eq!(members("Mã cũ,Mã mới,Tên mới\n001,001,Xã Mới\n").await, None, "three members");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_shows_nothing_of_units_outside_the_rights() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let ward = organisation.registrar_of("001");
    let file = "Mã cũ,Mã mới,Mã cấp trên mới\n003/01,01,001\n003/02,07,001\n999/01,08,001\n001/01,01,001\n\
                001/02,02,003\n001/03,03,999\n51,51,\n";
    let id = received(&backend, &ward, file).await;
    let page = async |list| backend.reorganisations().preview(&ward, id, list, 1).await.expect("is planned");
    let refused: Vec<_> = page(PlanList::Refused).await.refused.into_iter().map(|row| (row.row, row.problem)).collect();
    let (code, parent) = (RowProblem::UnknownCode, RowProblem::UnknownParent);
    assert_eq!(
        refused,
        [(2, code.clone()), (3, code.clone()), (4, code), (6, parent.clone()), (7, parent), (8, RowProblem::NotAllowed)]
    );
    let lists = [
        PlanList::Ended,
        PlanList::Begun,
        PlanList::Renamed,
        PlanList::Recoded,
        PlanList::Moved,
        PlanList::Phased,
        PlanList::Queued,
        PlanList::Undecided,
    ];
    for list in lists {
        let page = page(list).await;
        assert_eq!(page.rows, Vec::new(), "{list:?}");
        let PlanNumbers { ended, begun, renamed, recoded, moved, phased, queued, undecided, branches, .. } = page.numbers;
        assert_eq!([ended, begun, renamed, recoded, moved, phased, queued, undecided, branches], [0; 9]);
        assert_eq!((page.numbers.offices_kept, page.numbers.offices_ended), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_is_told_once_where_the_branch_is_now() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let reorganisations = backend.reorganisations();
    assert_eq!(reorganisations.notice(&organisation.viewer).await.expect("reads"), None);
    let id = confirmed(&backend, &organisation, MERGER).await;
    backend.run_due_jobs().await.expect("runs");
    let told = reorganisations.notice(&organisation.viewer).await.expect("reads").expect("is told");
    assert_eq!(
        (told.before, told.after),
        (vec!["Tỉnh".to_owned(), "Xã 001".to_owned()], vec!["Tỉnh Mới".to_owned(), "Phường Mới".to_owned()])
    );
    assert_eq!((told.reorganisation, told.since), (id, day(ON)));
    assert_eq!(told.leaders.len(), 1, "the secretary of the commune");
    reorganisations.dismiss(&organisation.viewer, id).await.expect("is noted");
    assert_eq!(reorganisations.notice(&organisation.viewer).await.expect("reads"), None);
    confirmed(&backend, &organisation, "Mã cũ,Mã mới\n103,104\n").await;
    backend.run_due_jobs().await.expect("runs");
    assert_eq!(reorganisations.notice(&organisation.viewer).await.expect("reads"), None, "another one of the same day");
    backend.clock().advance(TimeDelta::days(91));
    let other = Viewer { member: MemberId::new(ulid::Ulid::nil()), ..organisation.viewer };
    assert_eq!(reorganisations.notice(&other).await.expect("reads"), None, "after some months");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_refused_or_added() {
    let backend = open(&StoreLocation::Memory).await;
    let organisation = Organisation::new(&backend).await;
    let viewer = &organisation.viewer;
    let refused = sent(&backend, viewer, "", "Mã cũ,Tên\n1,2\n").await;
    assert_eq!(refused, Received::Refused(FileRefusal::Missing(ReorganisationColumn::NewCode)));
    let id = received(&backend, viewer, "Mã cũ,Mã mới\n002,001\n").await;
    let known = id.to_string();
    assert_eq!(sent(&backend, viewer, &known, "Mã cũ,Mã mới\n001,001\n").await, Received::Accepted(id));
    let page = backend.reorganisations().preview(viewer, id, PlanList::Ended, 1).await.expect("is planned");
    assert_eq!((page.reorganisation.files.len(), page.numbers.rows, page.rows.len()), (2, 2, 1));
    let tomorrow = "22/11/2026";
    backend.reorganisations().set_day(viewer, id, tomorrow).await.expect("may be planned before");
    let page = backend.reorganisations().preview(viewer, id, PlanList::Ended, 1).await.expect("is planned");
    assert_eq!(page.hindrance, Some(Hindrance::InFuture));
    let early = backend.reorganisations().confirm(viewer, id, &page.version).await;
    let Err(Error::Invalid(errors)) = early else { panic!("{early:?}") };
    assert_eq!(errors.problem("version"), Some(&Problem::DateRange));
    backend.reorganisations().set_day(viewer, id, ON).await.expect("may be planned before");
    let stale = backend.reorganisations().confirm(viewer, id, &page.version).await;
    let Err(Error::Invalid(errors)) = stale else { panic!("{stale:?}") };
    assert_eq!(errors.problem("version"), Some(&Problem::Stale));
    let rows = backend.store().read("SELECT VALUE state FROM $id", vars! { id: record("reorganisation", id) });
    assert_eq!(rows.await.expect("reads").rows::<String>(0).expect("a state"), ["previewed"]);
}

#[tokio::test]
async fn the_queries_of_reorganisations_use_an_index() {
    let store = migrated().await;
    store.assert_no_scan(&super::listed(), vars! { from: "/01/51/", until: "/01/510" }).await;
    store.assert_no_scan(&super::own(), vars! { member: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
    store.assert_no_scan(super::IMPORTING, vars! { lapsed: now() }).await;
}
