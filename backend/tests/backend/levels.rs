//! Levels of the terminology pack: what their units can do, and that members of a group belong to the branch above it.

use backend::{
    Backend, Error,
    accounts::SignInForm,
    courses::AssignForm,
    demo::registry::{NewMeeting, NewMember, Registry},
    feedback::OpinionForm,
    members::TransferForm,
    units::{BelowQuery, NewUnitForm, ReceiveForm, Received},
};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    accounts::{Password, Preferences, Viewer},
    feedback::ReceivedShown,
    forms::Problem,
    ids::{MeetingId, MemberId},
    imports::{Counts, ImportKind, ImportPage, Reason},
    levels::{LevelNames, Meets, OwnLevel, own_levels, use_levels},
    meetings::{AttendanceKind, MeetingForm, MeetingKind, MeetingState},
    members::{NationalId, Sex, Standing},
    units::{
        UnitLink, UnitPath, UnitRef, UnitStep,
        reorganisation::{PlanList, ReorganisationState},
    },
};

use crate::{
    courses::draft,
    documents::published,
    engines::on_both_engines,
    meetings::{held, took_part},
    support::{Fixture, PASSWORD, backend, level, start},
    units::{move_below, registrar},
};

on_both_engines! {
    a_member_of_a_group_belongs_to_the_branch_above_it,
    an_office_on_a_branch_ends_when_its_holder_leaves_the_branch,
    a_branch_meets_with_its_groups,
    attendance_at_the_branch_follows_when_two_records_become_one,
    attendance_at_a_former_branch_follows_when_two_records_become_one,
    leaders_of_a_branch_read_opinions_of_its_groups,
    leaders_of_a_branch_see_who_of_its_groups_has_not_read,
    leaders_of_a_branch_see_no_learners_of_an_excepted_group,
    codes_are_issued_for_a_branch_with_its_groups,
    a_unit_begins_on_a_level_and_a_day_that_the_pack_allows,
    a_branch_below_a_ward_or_four_levels_down_is_a_branch,
}

/// A group below the harbour's branch, with one member and a meeting of the branch.
struct Group {
    unit: UnitRef,
    member: MemberId,
    viewer: Viewer,
    meeting: MeetingId,
}

/// The number of the group's member.
const NATIONAL_ID: &str = "951000000901";

async fn grouped(backend: &Backend, org: &Fixture) -> Group {
    let since = start() - TimeDelta::days(300);
    let mut registry = Registry::new(backend, 7, since);
    let unit = registry.unit(Some(&org.harbour), level("group"), "1", "Tổ Tàu xa bờ").expect("a code");
    let member = registry
        .member(&NewMember {
            code: "51.000901",
            full_name: "Lê Văn Tổ",
            sex: Sex::Male,
            birth_date: NaiveDate::from_ymd_opt(1985, 6, 7).expect("a day"),
            admitted_on: NaiveDate::from_ymd_opt(2010, 2, 3).expect("a day"),
            standing: Standing::Official,
            national_id: &NationalId::parse(NATIONAL_ID).expect("twelve digits"),
            phone: None,
            unit: &unit,
        })
        .expect("registers");
    let hash = registry.hash(&Password::parse(PASSWORD).expect("long enough")).await.expect("hashes");
    registry.account(member, &unit, since + TimeDelta::days(10), &hash, Preferences::default());
    let meeting = registry.meeting(&NewMeeting {
        unit: &org.harbour,
        kind: MeetingKind::Regular,
        form: MeetingForm::InPerson,
        state: MeetingState::Announced,
        title: "Sinh hoạt chi bộ tháng 12",
        starts_at: start() + TimeDelta::days(9),
        venue: "Nhà văn hóa thôn",
        chair: "Huỳnh Thị Bến",
        agenda: Vec::new(),
    });
    registry.save().await.expect("saves");
    Group { unit, member, viewer: signed_in(backend, NATIONAL_ID).await, meeting }
}

/// As a session returns the person now.
async fn signed_in(backend: &Backend, national_id: &str) -> Viewer {
    let form = SignInForm { national_id, password: PASSWORD, device: "" };
    let token = backend.accounts().sign_in(form).await.expect("signs in").token;
    backend.accounts().session(&token).await.expect("reads").expect("a session").viewer
}

async fn a_member_of_a_group_belongs_to_the_branch_above_it(backend: &Backend, org: &Fixture) {
    let group = grouped(backend, org).await;
    assert_eq!(group.viewer.branch, org.harbour);
    assert_eq!(group.viewer.standpoint.branch, group.unit.path);
    let tree = backend.units().tree();
    assert_eq!(
        [&group.unit, &org.harbour, &org.coast].map(|unit| tree.home(unit).id),
        [org.harbour.id, org.harbour.id, org.coast.id]
    );
    // A transfer to a group or back is one to any other unit in which members are registered.
    let to = group.unit.id.to_string();
    let form = TransferForm { member: &org.fisherman.id.to_string(), to: &to, reason: "Đi tàu xa bờ." };
    backend.members().request_transfer(&org.coast_registrar.viewer, form).await.expect("is requested");
    let form = TransferForm { to: &org.coast.id.to_string(), ..form };
    let refused = backend.members().request_transfer(&org.coast_registrar.viewer, form).await;
    assert!(matches!(refused, Err(Error::Invalid(errors)) if errors.problem("to") == Some(&Problem::NotOffered)));
}

async fn an_office_on_a_branch_ends_when_its_holder_leaves_the_branch(backend: &Backend, org: &Fixture) {
    let group = grouped(backend, org).await;
    let (secretary, deputy) = (&org.secretary.viewer, &org.deputy);
    // The deputy after a transfer that the secretary requests.
    let transferred = async |to: &UnitRef, accepted_by: &Viewer| {
        let (member, to) = (deputy.id.to_string(), to.id.to_string());
        let form = TransferForm { member: &member, to: &to, reason: "Phân công lại." };
        let id = backend.members().request_transfer(secretary, form).await.expect("is requested").to_string();
        backend.members().decide_transfer(accepted_by, &id, "accept", "").await.expect("is accepted");
        signed_in(backend, &deputy.national_id).await
    };
    let leads = |viewer: &Viewer| viewer.offices.iter().map(|office| office.unit.id).collect::<Vec<_>>();
    let in_group = transferred(&group.unit, secretary).await;
    assert_eq!((&in_group.branch, &in_group.standpoint.branch), (&org.harbour, &group.unit.path));
    assert_eq!(leads(&in_group), [org.harbour.id], "a group is a part of the branch");
    let elsewhere = transferred(&org.farm, &org.farm_secretary.viewer).await;
    assert_eq!((&elsewhere.branch, leads(&elsewhere)), (&org.farm, Vec::new()), "nobody leads a branch they left");
}

async fn a_branch_meets_with_its_groups(backend: &Backend, org: &Fixture) {
    let group = grouped(backend, org).await;
    for viewer in [&group.viewer, &org.fisherman.viewer] {
        let coming = backend.meetings().list(viewer).await.expect("a list").coming;
        assert_eq!(coming.iter().map(|meeting| meeting.id).collect::<Vec<_>>(), [group.meeting]);
        let home = backend.home().page(viewer).await.expect("a page");
        assert_eq!(home.next_meeting.map(|meeting| meeting.id), Some(group.meeting));
    }
    assert!(backend.meetings().list(&org.teacher.viewer).await.expect("a list").coming.is_empty(), "another branch");
}

async fn attendance_at_the_branch_follows_when_two_records_become_one(backend: &Backend, org: &Fixture) {
    let group = grouped(backend, org).await;
    let (kept, gone) = (org.fisherman.id, group.member);
    let meetings = [
        (&org.harbour, vec![(gone, AttendanceKind::Present), (org.deputy.id, AttendanceKind::Present)]),
        (&org.harbour, vec![(gone, AttendanceKind::Present), (kept, AttendanceKind::Excused)]),
        (&org.coast, vec![(gone, AttendanceKind::Remote)]),
    ];
    let ids = held(backend, &meetings).await;
    backend.members().merge(&org.coast_registrar.viewer, kept, gone).await.expect("merges");
    let expected = [
        (Some(AttendanceKind::Present), Some(2)),
        // Of two rows, that of the kept record stays.
        (Some(AttendanceKind::Excused), Some(1)),
        (Some(AttendanceKind::Remote), Some(1)),
    ];
    for (id, expected) in ids.into_iter().zip(expected) {
        assert_eq!(took_part(backend, &org.fisherman.viewer, id).await, expected);
    }
}

async fn attendance_at_a_former_branch_follows_when_two_records_become_one(backend: &Backend, org: &Fixture) {
    let group = grouped(backend, org).await;
    let (kept, gone, viewer) = (org.fisherman.id, group.member, registrar(org));
    let ids = held(backend, &[(&org.harbour, vec![(gone, AttendanceKind::Present)])]).await;
    move_below(backend, &viewer, group.unit.id, org.school.id, "1").await.expect("moves");
    backend.members().merge(&viewer, kept, gone).await.expect("merges");
    let expected = (Some(AttendanceKind::Present), Some(1));
    assert_eq!(took_part(backend, &org.fisherman.viewer, ids[0]).await, expected);
}

async fn leaders_of_a_branch_read_opinions_of_its_groups(backend: &Backend, org: &Fixture) {
    let group = grouped(backend, org).await;
    let document = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    let invited = backend.documents().invitation(&group.viewer, document).await.expect("is invited");
    assert_eq!((invited.branch.id, invited.committee.id), (org.harbour.id, org.coast.id));
    assert!(invited.branch_readers.contains(&org.secretary.name), "{:?}", invited.branch_readers);
    let (opinion, about) = (invited.opinion.to_string(), document.to_string());
    for audience in ["branch", "committee"] {
        let opinion = if audience == "branch" { opinion.clone() } else { backend.clock().ulid().to_string() };
        let form = OpinionForm { opinion: &opinion, document: &about, audience, text: "Tàu cần neo đậu." };
        let sent = backend.feedback().send(&group.viewer, form).await.expect("is sent");
        let reader = if audience == "branch" { &org.secretary } else { &org.coast_secretary };
        let received = backend.feedback().received(&reader.viewer, ReceivedShown::All, None).await.expect("a list").list.opinions;
        assert!(received.iter().any(|one| one.id == sent && one.branch.id == org.harbour.id), "{audience}");
    }
    backend.catch_up().await.expect("reads the log");
    let different = backend.statistics().recount().await.expect("counts");
    assert!(different.is_empty(), "{different:?}");
}

async fn leaders_of_a_branch_see_who_of_its_groups_has_not_read(backend: &Backend, org: &Fixture) {
    let group = grouped(backend, org).await;
    let editor = &org.coast_editor.viewer;
    let document = published(backend, editor, &org.coast, &org.coast).await;
    let names = async |unit| {
        let page = backend.documents().readers(&org.secretary.viewer, document, Some(unit)).await.expect("a page");
        page.names.map(|names| {
            let rows = names.not_opened.into_iter().chain(names.opened).chain(names.not_activated).chain(names.read);
            rows.map(|row| row.member).collect::<Vec<_>>()
        })
    };
    let of_branch = names(org.harbour.id).await.expect("with names");
    assert!(of_branch.contains(&group.member) && of_branch.contains(&org.fisherman.id), "{of_branch:?}");
    assert_eq!(names(group.unit.id).await, None, "the leaders of the branch lead the branch, not the group");
    let roster = backend.unit_desk().roster(&registrar(org), &org.harbour.id.to_string()).await.expect("a roster");
    assert!(roster.members.iter().all(|row| row.member != group.member), "a split posts the branch's own members");
}

async fn leaders_of_a_branch_see_no_learners_of_an_excepted_group(backend: &Backend, org: &Fixture) {
    let group = grouped(backend, org).await;
    let (courses, editor) = (backend.courses(), &org.coast_editor.viewer);
    let id = draft(backend, editor, &[], 1).await;
    let version = courses.form(editor, id, "").await.expect("a form").course.version.to_string();
    let (course, unit, except) = (id.to_string(), org.coast.id.to_string(), [group.unit.id.to_string()]);
    let form = AssignForm {
        course: &course,
        version: &version,
        unit: &unit,
        parts: &[],
        except: &except,
        standings: &[],
        due_on: "30/11/2026",
    };
    courses.assign(editor, form).await.expect("is assigned");
    let page = courses.completion_page(&org.secretary.viewer, id, Some(org.harbour.id)).await.expect("a page");
    let learners: Vec<MemberId> = page.learners.iter().map(|row| row.member).collect();
    assert!(learners.contains(&org.fisherman.id) && !learners.contains(&group.member), "{learners:?}");
}

async fn codes_are_issued_for_a_branch_with_its_groups(backend: &Backend, org: &Fixture) {
    let group = grouped(backend, org).await;
    let (accounts, secretary) = (backend.accounts(), &org.secretary.viewer);
    let page = accounts.branch_codes(secretary, org.harbour.id).await.expect("reads");
    assert!(page.members.iter().any(|candidate| candidate.member == group.member));
    let members = [group.member.to_string(), org.not_activated.id.to_string()];
    let issued = accounts.issue_paper_codes(secretary, org.harbour.id, &members).await.expect("issues");
    assert_eq!(issued.iter().map(|code| code.unit.id).collect::<Vec<_>>(), [org.harbour.id; 2], "one sheet for the branch");
    let listed = |page: domain::accounts::codes::BranchCodes| page.codes.into_iter().map(|code| code.member).collect::<Vec<_>>();
    let of_branch = listed(accounts.branch_codes(secretary, org.harbour.id).await.expect("reads"));
    assert!(of_branch.contains(&group.member) && of_branch.contains(&org.not_activated.id), "{of_branch:?}");
    let codes = accounts.branch_codes(secretary, org.harbour.id).await.expect("reads").codes;
    let of_group = codes.iter().find(|code| code.member == group.member).expect("is listed");
    let revoked = accounts.revoke_paper_code(secretary, of_group.id).await.expect("is revoked");
    assert_eq!(revoked, (group.member, org.harbour.id), "back to the list of the branch");
    let registrar = &org.coast_registrar.viewer;
    assert_eq!(listed(accounts.branch_codes(registrar, group.unit.id).await.expect("reads")), [group.member]);
    let branches = accounts.code_branches(registrar, "", None).expect("a page").units;
    assert_eq!(branches.iter().map(|branch| branch.unit.id).collect::<Vec<_>>(), [org.harbour.id, org.school.id]);

    let page =
        backend.unit_desk().page(registrar, &org.harbour.id.to_string(), None, BelowQuery::default()).await.expect("a page");
    assert!(page.links.contains(&UnitLink::Codes) && page.steps.contains(&UnitStep::New) && page.branches == 0);
    let page =
        backend.unit_desk().page(registrar, &group.unit.id.to_string(), None, BelowQuery::default()).await.expect("a page");
    assert!(page.links.contains(&UnitLink::Codes));
    assert!(!page.steps.contains(&UnitStep::New) && !page.steps.contains(&UnitStep::Split), "{:?}", page.steps);
    let past = NaiveDate::from_ymd_opt(2026, 11, 20);
    let page =
        backend.unit_desk().page(registrar, &org.harbour.id.to_string(), past, BelowQuery::default()).await.expect("a page");
    assert_eq!(page.members, Some(7), "as of a day, with the members of its groups");
}

async fn a_unit_begins_on_a_level_and_a_day_that_the_pack_allows(backend: &Backend, org: &Fixture) {
    let operator = &org.operator.viewer;
    let create = async |parent: &UnitRef, kind: &str, on: &str| {
        let form = NewUnitForm { parent: &parent.id.to_string(), kind, code: "77", name: "Đơn vị mới", on };
        match backend.unit_desk().create(operator, form).await {
            Ok(_) => None,
            Err(Error::Invalid(errors)) => errors.problem("kind").cloned(),
            Err(error) => panic!("{error}"),
        }
    };
    let ended = Problem::LevelEnded { last: NaiveDate::from_ymd_opt(2025, 6, 30).expect("a day") };
    assert_eq!(create(&org.province, "district", "2026-11-01").await, Some(ended));
    assert_eq!(create(&org.harbour, "base", "2026-11-01").await, Some(Problem::WrongPlace));
    assert_eq!(create(&org.province, "section", "2026-11-01").await, Some(Problem::WrongPlace), "below a commune or a base only");
    assert_eq!(create(&org.province, "county", "2026-11-01").await, Some(Problem::NotOffered));
    assert_eq!(create(&org.coast, "section", "2026-11-01").await, None);
}

async fn a_branch_below_a_ward_or_four_levels_down_is_a_branch(backend: &Backend, org: &Fixture) {
    let mut registry = Registry::new(backend, 8, start() - TimeDelta::days(300));
    let base = registry.unit(Some(&org.coast), level("base"), "90", "Đảng bộ Sở Y tế").expect("a code");
    let section = registry.unit(Some(&base), level("section"), "1", "Đảng bộ bộ phận Bệnh viện").expect("a code");
    let deep = registry.unit(Some(&section), level("branch"), "1", "Chi bộ Khoa Nội").expect("a code");
    let group = registry.unit(Some(&deep), level("group"), "1", "Tổ Một").expect("a code");
    registry.save().await.expect("saves");
    let tree = backend.units().tree();
    assert_eq!([&group, &deep, &org.harbour].map(|unit| tree.home(unit).id), [deep.id, deep.id, org.harbour.id]);
    let registrar = &org.coast_registrar.viewer;
    let page = async |unit: &UnitRef| {
        let id = unit.id.to_string();
        backend.unit_desk().page(registrar, &id, None, BelowQuery::default()).await.expect("a page")
    };
    assert_eq!(page(&org.coast).await.branches, 3, "groups are not counted");
    assert_eq!((page(&base).await.branches, page(&deep).await.branches), (1, 0));
    let both = [page(&deep).await, page(&org.harbour).await].map(|page| (page.steps, page.links));
    assert_eq!(both[0], both[1]);
}

/// A file of twelve units, `c1` to `c12`, each below the one before.
fn chain(level: impl Fn(usize) -> String) -> String {
    let row = |at: usize| {
        let parent = if at == 1 { String::new() } else { format!("c{}", at - 1) };
        format!("c{at},{parent},{},Đơn vị {at}\n", level(at))
    };
    let rows: String = (1..=12).map(row).collect();
    format!("Mã,Mã cấp trên,Cấp,Tên đơn vị\n{rows}")
}

/// Imports units that began at the start of the year, from the command line.
async fn imported(backend: &Backend, file: &str) -> ImportPage {
    let (imports, began) = (backend.imports(), NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day"));
    let mut upload = imports.receive_from_operator(ImportKind::Units, None, "don-vi.csv").expect("is accepted");
    upload.set_as_of(began);
    upload.write(file.as_bytes().to_vec()).await.expect("writes");
    let import = upload.finish().await.expect("arrives").import;
    imports.check(import).await.expect("is checked");
    imports.write(import, Some(began)).await.expect("is written");
    imports.page_for_operator(import).await.expect("has a page")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_below_the_lowest_level_are_refused_each_with_its_reason() {
    let (backend, _) = backend().await;
    let levels = ["trung ương", "tỉnh", "xã", "đảng ủy cơ sở", "đảng ủy bộ phận", "chi bộ"];
    let page = imported(&backend, &chain(|at| (*levels.get(at - 1).unwrap_or(&"tổ đảng")).to_owned())).await;
    assert_eq!(page.import.counts, Counts { fresh: 7, refused: 5, ..Counts::default() }, "{:?}", page.refused);
    let reasons: Vec<_> = page.refused.iter().map(|line| (line.row, &line.reason)).collect();
    let rows: Vec<_> = (9..=13).map(|row| (row, &Reason::WrongLevel)).collect();
    assert_eq!(reasons, rows);
    assert_eq!(backend.units().tree().len(), 7);

    // In the wrong order, and below a unit that exists.
    let file = "Mã,Mã cấp trên,Cấp,Tên đơn vị\na,c1,chi bộ,Chi bộ\nb,a,tỉnh,Tỉnh\nc,c6,xã,Xã\nd,nowhere,xã,Xã\n";
    let page = imported(&backend, file).await;
    let reasons: Vec<_> = page.refused.iter().map(|line| (line.row, &line.reason)).collect();
    assert_eq!(reasons, [(3, &Reason::WrongLevel), (4, &Reason::WrongLevel), (5, &Reason::UnknownParent)]);
}

// The levels are chosen per process, and each test runs in its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tree_of_twelve_levels_is_imported_and_reorganised() {
    let own = (1..=12).map(|at| {
        let (name, is_last) = (format!("Cấp số {at}"), at == 12);
        OwnLevel {
            key: format!("l{at}"),
            name: LevelNames { vi: name.clone(), en: name.clone(), bn: name },
            meets: Some(if is_last { Meets::AsBranch } else { Meets::AsCommittee }),
            holds_members: is_last,
            is_home: is_last,
            issues_documents: !is_last,
            ..OwnLevel::default()
        }
    });
    use_levels(own_levels(&own.collect::<Vec<_>>()).expect("a valid pack"));
    let (backend, _) = backend().await;
    let page = imported(&backend, &chain(|at| format!("Cấp số {at}"))).await;
    assert_eq!(page.import.counts, Counts { fresh: 12, ..Counts::default() }, "{:?}", page.refused);
    let path = |text: &str| UnitPath::parse(text).expect("a path");
    let tree = backend.units().tree();
    let deepest = tree.at(&path("/c1/c2/c3/c4/c5/c6/c7/c8/c9/c10/c11/c12/")).expect("is open");
    let mut registry = Registry::new(&backend, 7, start());
    let member = registry.member(&NewMember {
        code: "51.000901",
        full_name: "Lê Văn Tổ",
        sex: Sex::Male,
        birth_date: NaiveDate::from_ymd_opt(1985, 6, 7).expect("a day"),
        admitted_on: NaiveDate::from_ymd_opt(2010, 2, 3).expect("a day"),
        standing: Standing::Official,
        national_id: &NationalId::parse(NATIONAL_ID).expect("twelve digits"),
        phone: None,
        unit: deepest,
    });
    let member = member.expect("registers");
    let hash = registry.hash(&Password::parse(PASSWORD).expect("long enough")).await.expect("hashes");
    registry.account(member, deepest, start(), &hash, Preferences::default());
    registry.save().await.expect("saves");
    assert_eq!(signed_in(&backend, NATIONAL_ID).await.branch.path, deepest.path);

    // Levels can be left out: the ten units in between go on without it.
    let reorganisations = backend.reorganisations();
    let form = ReceiveForm { on: "2026-11-21", reorganisation: "", file_name: "sap-xep.csv" };
    let mut upload = reorganisations.receive_from_operator(form).await.expect("is accepted");
    upload.write("Mã cũ,Mã mới,Mã cấp trên mới\nc12,m12,c1\n".into()).await.expect("writes");
    let Received::Accepted(id) = upload.finish().await.expect("is read") else { panic!("the file is refused") };
    let page = reorganisations.preview_for_operator(id, PlanList::Refused, 1).await.expect("is planned");
    assert_eq!((page.hindrance, page.refused), (None, Vec::new()));
    reorganisations.confirm_for_operator(id, &page.version).await.expect("is confirmed");
    let progress = reorganisations.carry_out_for_operator(id).await.expect("is carried out");
    assert_eq!(progress.state, ReorganisationState::Done);
    assert_eq!(signed_in(&backend, NATIONAL_ID).await.branch.path, path("/c1/m12/"));
    assert_eq!(backend.units().tree().len(), 12);
    backend.catch_up().await.expect("reads the log");
    assert_eq!(backend.statistics().recount().await.expect("counts"), []);
}
