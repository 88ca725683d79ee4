//! Documents for parts of their audience: who has them, who does not learn of them, and what happens when parts move or end.

use backend::{
    Backend, Error,
    accounts::SignInForm,
    demo::registry::Registry,
    documents::{DraftForm, PublishForm, ReachForm},
    members::TransferForm,
};
use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    documents::{LibraryQuery, PersonalList},
    forms::Problem,
    ids::{DocumentId, UnitId},
    policy::Role,
    search::SearchQuery,
    statistics::{MemberCount, Reach, UnitShare},
    units::{PickPurpose, PickableUnit, PickedUnits, UnitRef},
};

use crate::{
    documents::{chief, form, release, review, submit, version},
    engines::on_both_engines,
    support::{Fixture, PASSWORD, Person, level, read_through, start},
    units::{merge, move_below, registrar},
};

on_both_engines! {
    parts_are_below_the_audience_and_not_nested,
    the_groups_of_a_branch_are_not_all_of_it,
    a_part_has_the_document_and_nobody_else_learns_of_it,
    the_reach_of_a_form_is_shown_to_those_who_may_write_it,
    no_difference_of_audiences_gives_the_number_of_a_hidden_unit,
    parts_follow_units_that_move_and_end,
    a_part_that_left_the_audience_is_not_reached,
    an_approval_covers_the_parts_that_were_shown,
    leaders_of_a_part_read_it_by_office,
    the_excepted_units_are_below_what_is_left,
    an_excepted_unit_has_nothing_and_learns_of_nothing,
    an_excepted_unit_that_moves_stays_excepted,
    the_members_of_an_excepted_unit_that_ends_follow_its_successor,
    units_are_offered_by_name_and_code_to_those_who_may_address_them,
}

fn keys(units: &[&UnitRef]) -> Vec<String> {
    units.iter().map(|unit| unit.id.to_string()).collect()
}

/// A draft of an issuer for parts of an audience, with a day by which to read it.
async fn save(backend: &Backend, editor: &Viewer, units: [&UnitRef; 2], parts: &[String]) -> Result<DocumentId, Error> {
    let id = backend.documents().blank(editor).await.expect("a form").draft.id.to_string();
    let [issuer, audience] = units.map(|unit| unit.id.to_string());
    let typed = DraftForm { parts, must_read_by: "30/11/2026", ..form(&id, "0", &issuer, &audience) };
    backend.documents().save_draft(editor, typed).await
}

/// The same, published.
pub(crate) async fn published_to(backend: &Backend, editor: &Viewer, units: [&UnitRef; 2], parts: &[&UnitRef]) -> DocumentId {
    let id = save(backend, editor, units, &keys(parts)).await.expect("is saved");
    release(backend, editor, id).await;
    id
}

/// The stored parts, or the problems of the typed ones.
async fn stored(backend: &Backend, editor: &Viewer, units: [&UnitRef; 2], typed: &[String]) -> Result<Vec<UnitId>, Problem> {
    match save(backend, editor, units, typed).await {
        Ok(id) => {
            let draft = backend.documents().draft(editor, id).await.expect("is on the desk").draft;
            Ok(draft.parts.iter().map(|part| part.id).collect())
        }
        Err(Error::Invalid(errors)) => Err(errors.problem("parts").cloned().expect("a problem of the parts")),
        Err(error) => panic!("{error:?}"),
    }
}

/// As a session returns them now.
async fn now(backend: &Backend, person: &Person) -> Viewer {
    let form = SignInForm { national_id: &person.national_id, password: PASSWORD, device: "" };
    let token = backend.accounts().sign_in(form).await.expect("signs in").token;
    backend.accounts().session(&token).await.expect("reads").expect("a session").viewer
}

async fn follow(backend: &Backend) {
    backend.catch_up().await.expect("reads the log");
    backend.search().catch_up().await.expect("brings the index up to date");
}

/// The head of a unit, who may read the records of all its members, so no number is hidden.
pub(crate) fn head_of(org: &Fixture, unit: &UnitRef) -> Viewer {
    let mut head = org.answering_for(unit);
    for grant in &mut head.standpoint.grants {
        grant.role = Role::Secretary;
    }
    head
}

/// Members reached and readers, from the view of the head of this unit.
async fn share(backend: &Backend, org: &Fixture, id: DocumentId, unit: &UnitRef) -> Option<(u32, u32)> {
    let page = backend.documents().readers(&head_of(org, unit), id, None).await.expect("a page");
    page.total.share.map(|share| (share.members, share.done))
}

/// Whether a member has the document: in every list and at its address, or in none.
async fn has(backend: &Backend, viewer: &Viewer, id: DocumentId) -> bool {
    let documents = backend.documents();
    let opened = documents.read(viewer, id).await;
    let is_readable = opened.is_ok();
    assert!(is_readable || matches!(opened, Err(Error::NotFound)), "{}: {opened:?}", viewer.name);
    let library = documents.list(viewer, &LibraryQuery::default()).await.expect("a page");
    let mut lists = vec![library.documents.iter().any(|row| row.id == id)];
    for list in [PersonalList::Unread, PersonalList::MustRead] {
        let page = documents.personal(viewer, list, None).await.expect("a page");
        lists.push(page.rows.iter().any(|row| row.document.id == id));
    }
    let query = SearchQuery { typed: "đi biển".to_owned(), ..SearchQuery::default() };
    lists.push(backend.search().find(viewer, &query).await.expect("answers").hits.iter().any(|hit| hit.item.id() == id.ulid()));
    let home = backend.home().page(viewer).await.expect("a page");
    lists.push(home.newest.iter().any(|row| row.id == id));
    lists.push(home.must_read == 1);
    lists.push(documents.invitation(viewer, id).await.is_ok());
    lists.push(documents.has_page(viewer, id).await.expect("asks"));
    lists.push(documents.copy(viewer, id).await.is_ok());
    lists.push(documents.bookmark(viewer, id).await.is_ok());
    assert!(lists.iter().all(|has| *has == is_readable), "{}: {is_readable} {lists:?}", viewer.name);
    is_readable
}

async fn parts_are_below_the_audience_and_not_nested(backend: &Backend, org: &Fixture) {
    let chief = &org.province_chief_editor.viewer;
    let all = [&org.province, &org.province];
    let typed = async |units: &[&UnitRef]| stored(backend, chief, all, &keys(units)).await;
    assert_eq!(typed(&[&org.school, &org.harbour]).await, Ok(vec![org.harbour.id, org.school.id]));
    assert_eq!(typed(&[&org.harbour, &org.coast, &org.harbour]).await, Ok(vec![org.coast.id]), "the coast has the harbour");
    assert_eq!(typed(&[&org.coast, &org.farm]).await, Ok(Vec::new()), "the farm is all of the hills");
    assert_eq!(typed(&[&org.province]).await, Ok(Vec::new()));
    let level = async |level: &str| stored(backend, chief, all, &[level.to_owned()]).await;
    assert_eq!(level("commune").await, Ok(Vec::new()));
    assert_eq!(level("province").await, Err(Problem::NotOffered), "there is none below it");
    assert_eq!(level("central").await, Err(Problem::NotOffered));
    let some = [vec!["branch".to_owned()], keys(&[&org.hills])].concat();
    assert_eq!(stored(backend, chief, [&org.province, &org.coast], &some).await, Err(Problem::NotBelow));

    let editor = &org.coast_editor.viewer;
    let coast = [&org.coast, &org.coast];
    let fresh = backend.clock().ulid().to_string();
    for hostile in ["", "x", "/51/001/01/", fresh.as_str()] {
        assert_eq!(stored(backend, editor, coast, &[hostile.to_owned()]).await, Err(Problem::NotOffered), "{hostile:?}");
    }
    assert_eq!(stored(backend, editor, coast, &keys(&[&org.farm])).await, Err(Problem::NotOffered), "a unit of others");
    assert_eq!(stored(backend, editor, coast, &keys(&[&org.province])).await, Err(Problem::NotOffered));
    let beside = stored(backend, editor, [&org.coast, &org.harbour], &keys(&[&org.school])).await;
    assert_eq!(beside, Err(Problem::NotBelow));
}

/// Other members are registered in the branch itself.
async fn the_groups_of_a_branch_are_not_all_of_it(backend: &Backend, org: &Fixture) {
    let mut registry = Registry::new(backend, 9, start() - TimeDelta::days(300));
    let groups = ["1", "2"].map(|code| registry.unit(Some(&org.harbour), level("group"), code, "Tổ").expect("a code"));
    registry.save().await.expect("saves");
    let (editor, ids) = (&org.coast_editor.viewer, [groups[0].id, groups[1].id]);
    let both = keys(&[&groups[0], &groups[1]]);
    assert_eq!(stored(backend, editor, [&org.coast, &org.harbour], &both).await, Ok(ids.into()));
    let with_school = [both.clone(), keys(&[&org.school])].concat();
    let parts = stored(backend, editor, [&org.coast, &org.coast], &with_school).await;
    assert_eq!(parts, Ok(vec![ids[0], ids[1], org.school.id]));

    let key = backend.documents().blank(editor).await.expect("a form").draft.id.to_string();
    let (coast, harbour) = (org.coast.id.to_string(), org.harbour.id.to_string());
    let typed = DraftForm { except: &both, ..form(&key, "0", &coast, &harbour) };
    let id = backend.documents().save_draft(editor, typed).await.expect("somebody is left");
    let draft = backend.documents().draft(editor, id).await.expect("is on the desk").draft;
    assert_eq!(draft.except.iter().map(|unit| unit.id).collect::<Vec<_>>(), ids);
}

async fn a_part_has_the_document_and_nobody_else_learns_of_it(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let documents = backend.documents();
    let id = save(backend, editor, [&org.coast, &org.coast], &keys(&[&org.harbour])).await.expect("is saved");
    let reviewed = documents.review(editor, id).await.expect("a page");
    assert_eq!(reviewed.reach, reach(MemberCount::Hidden, 1));
    submit(backend, editor, id).await;
    let asked = documents.approval(&chief(editor), id).await.expect("a page").page;
    assert_eq!(asked.reach, reach(MemberCount::Hidden, 1), "the approver sees the right number of branches");
    assert_eq!(asked.draft.parts.iter().map(|part| part.id).collect::<Vec<_>>(), [org.harbour.id]);
    documents.recall(editor, id).await.expect("is taken back");
    release(backend, editor, id).await;
    follow(backend).await;

    for outsider in [&org.teacher, &org.farmer, &org.school_secretary, &org.farm_secretary] {
        assert!(!has(backend, &outsider.viewer, id).await, "{}", outsider.name);
        for unit in [None, Some(org.school.id), Some(org.harbour.id), Some(org.coast.id)] {
            let page = documents.readers(&outsider.viewer, id, unit).await;
            assert!(matches!(page, Err(Error::NotFound)), "{}: {page:?}", outsider.name);
        }
        for unit in [org.school.id, org.harbour.id] {
            let reminded = documents.remind(&outsider.viewer, id, unit).await;
            assert!(matches!(reminded, Err(Error::NotFound)), "{}: {reminded:?}", outsider.name);
        }
    }
    for leader in [&org.school_secretary, &org.farm_secretary] {
        assert_eq!(documents.followed(&leader.viewer).await.expect("a list").rows, [], "{}", leader.name);
    }
    assert!(has(backend, &org.fisherman.viewer, id).await);
    let page = documents.read(&org.fisherman.viewer, id).await.expect("opens");
    assert_eq!((page.reach, page.imprint.parts.len()), (None, 1), "the number of the branch is hidden from its members");
    assert_eq!(documents.followed(&org.secretary.viewer).await.expect("a list").rows.len(), 1);

    read_through(backend, &org.fisherman.viewer, id).await;
    let page = documents.readers(&org.secretary.viewer, id, None).await.expect("a page");
    assert_eq!(page.total.share.map(|share| (share.members, share.done)), Some((5, 1)));
    assert!(page.names.is_some_and(|names| names.read.len() == 1));
    // By office, because the audience is the coast; the other branch is not addressed and not shown.
    let above = documents.readers(&org.coast_secretary.viewer, id, None).await.expect("a page");
    assert_eq!(above.total.share.map(|share| (share.members, share.done)), Some((5, 1)));
    assert_eq!(above.children.iter().map(|row| row.unit.id).collect::<Vec<_>>(), [org.harbour.id]);
    let school = documents.readers(&org.coast_secretary.viewer, id, Some(org.school.id)).await;
    assert!(matches!(school, Err(Error::NotFound)), "{school:?}");
    let page = documents.read(&org.coast_secretary.viewer, id).await.expect("by office");
    assert!(!page.takes_opinions, "not as a member");

    // Published again for the other branch: what was in one library is in the other.
    documents.revise(editor, id).await.expect("begins a correction");
    let (key, coast, school) = (id.to_string(), org.coast.id.to_string(), keys(&[&org.school]));
    let version = version(backend, editor, id).await;
    let other = DraftForm {
        parts: &school,
        correction: "Gửi lại đúng nơi.",
        must_read_by: "30/11/2026",
        ..form(&key, &version, &coast, &coast)
    };
    documents.save_draft(editor, other).await.expect("is saved");
    let change = documents.review(editor, id).await.expect("a page").change;
    assert_eq!(change.out.map(|out| out.parts.len()), Some(1), "the published text names its parts");
    release(backend, editor, id).await;
    follow(backend).await;
    assert!(has(backend, &org.teacher.viewer, id).await);
    assert!(matches!(documents.read(&org.fisherman.viewer, id).await, Err(Error::NotFound)));
    assert!(matches!(documents.withdrawn(&org.fisherman.viewer, id).await, Err(Error::NotFound)));
}

async fn the_reach_of_a_form_is_shown_to_those_who_may_write_it(backend: &Backend, org: &Fixture) {
    let (coast, parts) = (org.coast.id.to_string(), keys(&[&org.harbour]));
    let typed = ReachForm { audience: &coast, parts: &parts, except: &[], standings: "" };
    let documents = backend.documents();
    let editor = &org.coast_editor.viewer;
    // The hills have three members, so the numbers of the coast and of its smallest branch are hidden too.
    assert_eq!(documents.reach_of(editor, typed).await.expect("counts"), reach(MemberCount::Hidden, 1));
    let all = ReachForm { parts: &[], ..typed };
    assert_eq!(documents.reach_of(editor, all).await.expect("counts"), reach(MemberCount::Hidden, 2));

    let mut both = editor.clone();
    both.standpoint.grants.extend(org.coast_secretary.viewer.standpoint.grants.clone());
    let counted = async |form: ReachForm<'_>| documents.reach_of(&both, form).await.expect("counts");
    assert_eq!(counted(typed).await, reach(MemberCount::Exact(5), 1), "who may read the records can count them");
    assert_eq!(counted(ReachForm { except: &parts, ..all }).await, reach(MemberCount::Exact(10), 1));
    assert_eq!(counted(ReachForm { standings: "probationary", ..typed }).await, reach(MemberCount::Exact(1), 1));

    let (province, chief) = (org.province.id.to_string(), &org.province_chief_editor.viewer);
    let all = ReachForm { audience: &province, ..all };
    let told = async |form: ReachForm<'_>| documents.reach_of(chief, form).await.expect("counts");
    let (school, branches) = (keys(&[&org.school]), keys(&[&org.harbour, &org.school]));
    assert_eq!(told(all).await, reach(MemberCount::Exact(18), 3));
    assert_eq!(told(ReachForm { parts: &school, ..all }).await, reach(MemberCount::Exact(10), 1));
    assert_eq!(told(ReachForm { except: &school, ..all }).await, reach(MemberCount::Exact(8), 2));
    assert_eq!(told(ReachForm { except: &parts, ..all }).await, reach(MemberCount::AtMost(18), 2));
    assert_eq!(told(ReachForm { parts: &branches, ..all }).await, reach(MemberCount::AtLeast(10), 2));
    assert_eq!(told(ReachForm { standings: "probationary", ..all }).await, reach(MemberCount::AtMost(18), 3));

    assert!(matches!(documents.reach_of(&org.hills_editor.viewer, typed).await, Err(Error::Invalid(_))));
    assert!(matches!(documents.reach_of(&org.fisherman.viewer, typed).await, Err(Error::NotFound)));

    let page = documents.blank(editor).await.expect("a form");
    assert_eq!(units_of(&page.parts.found.units), [org.harbour.id, org.school.id]);
    assert_eq!(page.parts.levels.iter().map(|(_, units)| *units).collect::<Vec<_>>(), [2]);
    let id = save(backend, editor, [&org.coast, &org.coast], &parts).await.expect("is saved");
    let picked = PickedUnits { find: "truong".to_owned(), audience: coast.clone(), ..PickedUnits::default() };
    let found = documents.draft_picking(editor, id, &picked).await.expect("a page").parts;
    assert_eq!((units_of(&found.selected), units_of(&found.found.units)), (vec![org.harbour.id], vec![org.school.id]));
    let picked = PickedUnits { find: "không có".to_owned(), except: org.school.id.to_string(), ..picked };
    let none = documents.draft_picking(editor, id, &picked).await.expect("a page").parts;
    assert_eq!((units_of(&none.selected), units_of(&none.found.units)), (vec![org.harbour.id, org.school.id], vec![]));
    assert_eq!(none.reach, Some(reach(MemberCount::Hidden, 1)), "of the form, not of the saved draft");
}

fn reach(members: MemberCount, branches: u32) -> Reach {
    Reach { members, branches }
}

/// Everything that an editor is told of numbers of members.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    reaches: Vec<Option<Reach>>,
    choices: Vec<Option<u32>>,
    shares: Vec<(UnitShare, Vec<UnitShare>)>,
}

/// The answers to every form with up to two parts and one excepted unit, and the readers of these documents.
async fn told(backend: &Backend, org: &Fixture, editor: &Viewer, published: &[DocumentId]) -> Told {
    let units = [&org.coast, &org.hills, &org.harbour, &org.school, &org.farm];
    let pairs = units.iter().enumerate().flat_map(|(at, &one)| units[at..].iter().map(move |&other| keys(&[one, other])));
    let chosen: Vec<Vec<String>> = pairs.chain([Vec::new()]).collect();
    let excepted: Vec<Vec<String>> = units.iter().map(|&unit| keys(&[unit])).chain([Vec::new()]).collect();
    let mut reaches = Vec::new();
    for audience in units.into_iter().chain([&org.province]).map(|unit| unit.id.to_string()) {
        for parts in &chosen {
            for except in &excepted {
                for standings in ["", "official", "probationary"] {
                    let form = ReachForm { audience: &audience, parts, except, standings };
                    reaches.push(backend.documents().reach_of(editor, form).await.ok());
                }
            }
        }
    }
    let mut shares = Vec::new();
    for id in published {
        let page = backend.documents().readers(editor, *id, None).await.expect("a page");
        shares.push((page.total, page.children));
    }
    Told { reaches, choices: backend.documents().blank(editor).await.expect("a form").audience_members, shares }
}

/// A member goes from one hidden unit to another: whoever is shown the same figures as before cannot see it anywhere.
async fn no_difference_of_audiences_gives_the_number_of_a_hidden_unit(backend: &Backend, org: &Fixture) {
    let chief = &org.province_chief_editor.viewer;
    let mut published = Vec::new();
    for parts in [&[&org.harbour][..], &[&org.hills], &[&org.school], &[&org.school, &org.farm], &[]] {
        published.push(published_to(backend, chief, [&org.province; 2], parts).await);
    }
    let without = save_without(backend, org, &[], &keys(&[&org.farm])).await.expect("is saved");
    release(backend, chief, without).await;
    published.push(without);
    follow(backend).await;
    let before = told(backend, org, chief, &published).await;
    let of_coast = told(backend, org, &org.coast_editor.viewer, &[]).await;
    let exact = |count: &Option<Reach>| count.is_some_and(|reach| reach.members.exact().is_some());
    assert!(before.reaches.iter().any(exact) && before.shares.iter().any(|(total, _)| total.share.is_some()));

    let (member, to) = (org.farmer.id.to_string(), org.harbour.id.to_string());
    let form = TransferForm { member: &member, to: &to, reason: "Chuyển nơi cư trú." };
    let id = backend.members().request_transfer(&org.farm_secretary.viewer, form).await.expect("is asked for").to_string();
    backend.members().decide_transfer(&org.secretary.viewer, &id, "accept", "").await.expect("is accepted");
    follow(backend).await;
    let head = head_of(org, &org.province);
    let counted = backend.documents().readers(&head, published[0], None).await.expect("a page").total.share;
    assert_eq!(counted.map(|share| share.members), Some(6), "five before");
    assert_eq!(told(backend, org, chief, &published).await, before);
    assert_eq!(told(backend, org, &org.coast_editor.viewer, &[]).await, of_coast);
}

fn units_of(choices: &[PickableUnit]) -> Vec<UnitId> {
    choices.iter().map(|choice| choice.unit.id).collect()
}

async fn parts_follow_units_that_move_and_end(backend: &Backend, org: &Fixture) {
    let id = published_to(backend, &org.province_chief_editor.viewer, [&org.province; 2], &[&org.harbour]).await;
    follow(backend).await;
    assert!(has(backend, &now(backend, &org.fisherman).await, id).await);
    assert!(!has(backend, &now(backend, &org.farmer).await, id).await);
    read_through(backend, &now(backend, &org.deputy).await, id).await;
    assert_eq!(share(backend, org, id, &org.province).await, Some((5, 1)));
    assert_eq!(share(backend, org, id, &org.coast).await, Some((5, 1)));

    let registrar = registrar(org);
    move_below(backend, &registrar, org.harbour.id, org.hills.id, "07").await.expect("moves");
    follow(backend).await;
    assert!(has(backend, &now(backend, &org.fisherman).await, id).await, "the branch keeps it");
    for other in [&org.farmer, &org.teacher] {
        assert!(!has(backend, &now(backend, other).await, id).await, "{}", other.name);
    }
    assert_eq!(share(backend, org, id, &org.province).await, Some((5, 1)));
    let coast = backend.documents().readers(&org.answering_for(&org.coast), id, None).await;
    assert!(matches!(coast, Err(Error::NotFound)), "nobody there has it now: {coast:?}");

    merge(backend, &registrar, org.harbour.id, org.farm.id).await.expect("is merged");
    follow(backend).await;
    for person in [&org.fisherman, &org.farmer] {
        assert!(has(backend, &now(backend, person).await, id).await, "{}", person.name);
    }
    assert!(!has(backend, &now(backend, &org.teacher).await, id).await);
    assert_eq!(share(backend, org, id, &org.province).await, Some((8, 1)));
    let draft = backend.documents().draft(&org.province_chief_editor.viewer, id).await.expect("is on the desk").draft;
    assert_eq!(draft.parts.iter().map(|part| part.id).collect::<Vec<_>>(), [org.farm.id]);
}

async fn a_part_that_left_the_audience_is_not_reached(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let id = published_to(backend, editor, [&org.coast; 2], &[&org.harbour]).await;
    let waiting = save(backend, editor, [&org.coast; 2], &keys(&[&org.harbour])).await.expect("is saved");
    submit(backend, editor, waiting).await;
    move_below(backend, &registrar(org), org.harbour.id, org.hills.id, "07").await.expect("moves");
    follow(backend).await;
    for person in [&org.fisherman, &org.teacher, &org.farmer] {
        assert!(!has(backend, &now(backend, person).await, id).await, "{}", person.name);
    }
    let page = backend.documents().readers(editor, id, None).await.expect("a page");
    assert!(page.total.share.is_none_or(|share| share.members == 0) && page.children.is_empty(), "and not all of the coast");

    let (version, review) = (version(backend, editor, waiting).await, review(backend, editor, waiting).await);
    let key = waiting.to_string();
    let form = PublishForm { id: &key, version: &version, review: &review, when: "now", at: "", again: "" };
    match backend.documents().publish(&chief(editor), form).await {
        Err(Error::Invalid(errors)) => assert_eq!(errors.problem("audience"), Some(&Problem::NotOffered)),
        other => panic!("{other:?}"),
    }
}

async fn an_approval_covers_the_parts_that_were_shown(backend: &Backend, org: &Fixture) {
    let editor = &org.province_chief_editor.viewer;
    let id = save(backend, editor, [&org.province; 2], &keys(&[&org.harbour])).await.expect("is saved");
    submit(backend, editor, id).await;
    let (version, review) = (version(backend, editor, id).await, review(backend, editor, id).await);
    merge(backend, &registrar(org), org.harbour.id, org.school.id).await.expect("is merged");
    let key = id.to_string();
    let form = PublishForm { id: &key, version: &version, review: &review, when: "now", at: "", again: "" };
    match backend.documents().publish(&chief(editor), form).await {
        Err(Error::Invalid(errors)) => assert_eq!(errors.problem("version"), Some(&Problem::Stale)),
        other => panic!("{other:?}"),
    }
}

async fn leaders_of_a_part_read_it_by_office(backend: &Backend, org: &Fixture) {
    let (documents, chief) = (backend.documents(), &org.province_chief_editor.viewer);
    let id = published_to(backend, chief, [&org.province; 2], &[&org.harbour]).await;
    follow(backend).await;
    let query = SearchQuery { typed: "đi biển".to_owned(), ..SearchQuery::default() };
    let finds = async |person: &Person| {
        let hits = backend.search().find(&person.viewer, &query).await.expect("answers").hits;
        hits.iter().any(|hit| hit.item.id() == id.ulid())
    };
    // A member of the school, and secretary of the commune that contains the harbour.
    let leader = &org.coast_secretary;
    documents.readers(&leader.viewer, id, None).await.expect("follows who reads it");
    let page = documents.read(&leader.viewer, id).await.expect("reads it by office");
    assert!(!page.takes_opinions, "not as a member");
    assert!(finds(leader).await);
    for other in [&org.school_secretary, &org.farm_secretary, &org.teacher] {
        let opened = documents.read(&other.viewer, id).await;
        assert!(matches!(opened, Err(Error::NotFound)), "{}: {opened:?}", other.name);
        assert!(!finds(other).await, "{}", other.name);
    }
}

/// All members but the exempt one, who is not counted.
fn counted_members(org: &Fixture) -> [&Person; 18] {
    [
        &org.fisherman,
        &org.secretary,
        &org.deputy,
        &org.probationary,
        &org.not_activated,
        &org.teacher,
        &org.school_secretary,
        &org.coast_secretary,
        &org.coast_committee_member,
        &org.coast_editor,
        &org.coast_registrar,
        &org.province_chief_editor,
        &org.province_statistician,
        &org.operator,
        &org.former_secretary,
        &org.farmer,
        &org.farm_secretary,
        &org.hills_editor,
    ]
}

/// A draft of the province's chief editor for these parts of the province without these units.
async fn save_without(backend: &Backend, org: &Fixture, parts: &[String], except: &[String]) -> Result<DocumentId, Error> {
    let editor = &org.province_chief_editor.viewer;
    let id = backend.documents().blank(editor).await.expect("a form").draft.id.to_string();
    let province = org.province.id.to_string();
    let typed = DraftForm { parts, except, must_read_by: "30/11/2026", ..form(&id, "0", &province, &province) };
    backend.documents().save_draft(editor, typed).await
}

/// The stored parts and excepted units, or the problem of the typed ones.
async fn narrowed(backend: &Backend, org: &Fixture, parts: &[String], except: &[String]) -> Result<[Vec<UnitId>; 2], Problem> {
    match save_without(backend, org, parts, except).await {
        Ok(id) => {
            let draft = backend.documents().draft(&org.province_chief_editor.viewer, id).await.expect("is on the desk").draft;
            Ok([draft.parts, draft.except].map(|units| units.iter().map(|unit| unit.id).collect()))
        }
        Err(Error::Invalid(errors)) => Err(errors.problem("except").cloned().expect("a problem of the excepted units")),
        Err(error) => panic!("{error:?}"),
    }
}

async fn the_excepted_units_are_below_what_is_left(backend: &Backend, org: &Fixture) {
    let Fixture { province, coast, hills, harbour, school, farm, .. } = org;
    let typed = async |parts: &[&UnitRef], except: &[&UnitRef]| narrowed(backend, org, &keys(parts), &keys(except)).await;
    assert_eq!(typed(&[coast], &[harbour]).await, Ok([vec![coast.id], vec![harbour.id]]));
    assert_eq!(typed(&[], &[harbour, coast]).await, Ok([vec![], vec![coast.id]]), "the coast has the harbour");
    assert_eq!(typed(&[harbour, farm], &[harbour]).await, Ok([vec![farm.id], vec![]]), "a part that is excepted is none");
    assert_eq!(typed(&[farm, school], &[hills]).await, Ok([vec![school.id], vec![]]), "nor is one below it");
    assert_eq!(typed(&[harbour], &[school]).await, Err(Problem::NotBelow), "it is in no part");
    for everything in [vec![province], vec![coast, hills], vec![harbour, school, farm]] {
        assert_eq!(typed(&[], &everything).await, Err(Problem::Nobody));
    }
    assert_eq!(typed(&[coast], &[coast]).await, Err(Problem::Nobody));
    assert_eq!(typed(&[coast], &[harbour, school]).await, Err(Problem::Nobody));
    let level = narrowed(backend, org, &["branch".to_owned()], &keys(&[harbour])).await;
    assert_eq!(level, Ok([vec![], vec![harbour.id]]), "all of a level but one is all but that one");
    for hostile in ["", "x", "branch", "/51/001/01/"] {
        assert_eq!(narrowed(backend, org, &[], &[hostile.to_owned()]).await, Err(Problem::NotOffered), "{hostile:?}");
    }
}

async fn an_excepted_unit_has_nothing_and_learns_of_nothing(backend: &Backend, org: &Fixture) {
    let (documents, chief) = (backend.documents(), &org.province_chief_editor.viewer);
    let id = save_without(backend, org, &[], &keys(&[&org.harbour])).await.expect("is saved");
    let reviewed = documents.review(chief, id).await.expect("a page");
    assert_eq!(reviewed.reach, reach(MemberCount::AtMost(18), 2), "the number of the excepted unit is hidden");
    release(backend, chief, id).await;
    follow(backend).await;
    for outsider in [&org.fisherman, &org.probationary, &org.secretary, &org.deputy] {
        assert!(!has(backend, &outsider.viewer, id).await, "{}", outsider.name);
        for unit in [None, Some(org.harbour.id), Some(org.coast.id)] {
            let page = documents.readers(&outsider.viewer, id, unit).await;
            assert!(matches!(page, Err(Error::NotFound)), "{}: {page:?}", outsider.name);
        }
        let reminded = documents.remind(&outsider.viewer, id, org.harbour.id).await;
        assert!(matches!(reminded, Err(Error::NotFound)), "{}: {reminded:?}", outsider.name);
        assert!(documents.withdrawn(&outsider.viewer, id).await.is_err());
    }
    assert_eq!(documents.followed(&org.secretary.viewer).await.expect("a list").rows, []);
    for reader in [&org.teacher, &org.farmer] {
        assert!(has(backend, &reader.viewer, id).await, "{}", reader.name);
        assert_eq!(documents.read(&reader.viewer, id).await.expect("opens").reach, None, "nor do its readers see it");
    }
    let mut reached = 0;
    for person in counted_members(org) {
        let library = documents.list(&person.viewer, &LibraryQuery::default()).await.expect("a page");
        reached += usize::from(library.documents.iter().any(|row| row.id == id));
    }
    assert_eq!(reached, 13, "all but those of the harbour");
    read_through(backend, &org.teacher.viewer, id).await;
    assert_eq!(share(backend, org, id, &org.province).await, Some((13, 1)));
    let coast = documents.readers(&org.answering_for(&org.coast), id, None).await.expect("a page");
    assert_eq!(coast.total.share.map(|share| (share.members, share.done)), Some((10, 1)));
    assert_eq!(coast.children.iter().map(|row| row.unit.id).collect::<Vec<_>>(), [org.school.id]);
    assert_eq!(coast.except.iter().map(|unit| unit.id).collect::<Vec<_>>(), [org.harbour.id]);

    // A correction that no longer excepts it brings it to them, under its original key.
    documents.revise(chief, id).await.expect("begins a correction");
    let (key, province) = (id.to_string(), org.province.id.to_string());
    let newest = version(backend, chief, id).await;
    let all =
        DraftForm {
            correction: "Gửi cả chi bộ bến.", must_read_by: "30/11/2026", ..form(&key, &newest, &province, &province)
        };
    documents.save_draft(chief, all).await.expect("is saved");
    release(backend, chief, id).await;
    follow(backend).await;
    assert!(has(backend, &org.fisherman.viewer, id).await);
}

async fn an_excepted_unit_that_moves_stays_excepted(backend: &Backend, org: &Fixture) {
    let id = save_without(backend, org, &[], &keys(&[&org.harbour])).await.expect("is saved");
    release(backend, &org.province_chief_editor.viewer, id).await;
    move_below(backend, &registrar(org), org.harbour.id, org.hills.id, "07").await.expect("moves");
    follow(backend).await;
    assert!(!has(backend, &now(backend, &org.fisherman).await, id).await);
    assert!(has(backend, &now(backend, &org.farmer).await, id).await);
    assert_eq!(share(backend, org, id, &org.province).await, Some((13, 0)));
    assert_eq!(share(backend, org, id, &org.coast).await, Some((10, 0)));
}

async fn the_members_of_an_excepted_unit_that_ends_follow_its_successor(backend: &Backend, org: &Fixture) {
    let editor = &org.province_chief_editor.viewer;
    let except = keys(&[&org.harbour]);
    let id = save_without(backend, org, &[], &except).await.expect("is saved");
    release(backend, editor, id).await;
    let waiting = save_without(backend, org, &[], &except).await.expect("is saved");
    submit(backend, editor, waiting).await;
    merge(backend, &registrar(org), org.harbour.id, org.school.id).await.expect("is merged");
    follow(backend).await;
    for person in [&org.fisherman, &org.teacher] {
        assert!(has(backend, &now(backend, person).await, id).await, "{}", person.name);
    }
    assert_eq!(share(backend, org, id, &org.province).await, Some((18, 0)));
    assert_eq!(backend.documents().draft(editor, id).await.expect("is on the desk").draft.except, []);

    // It would reach members that the approval did not show.
    let (version, review) = (version(backend, editor, waiting).await, review(backend, editor, waiting).await);
    let key = waiting.to_string();
    let form = PublishForm { id: &key, version: &version, review: &review, when: "now", at: "", again: "" };
    match backend.documents().publish(&chief(editor), form).await {
        Err(Error::Invalid(errors)) => assert_eq!(errors.problem("audience"), Some(&Problem::NotOffered)),
        other => panic!("{other:?}"),
    }
}

async fn units_are_offered_by_name_and_code_to_those_who_may_address_them(backend: &Backend, org: &Fixture) {
    let pick = async |person: &Person, within: &UnitRef, typed: &str| {
        let within = within.id.to_string();
        let found = backend.unit_desk().pick(&person.viewer, PickPurpose::Document, Some(&within), typed).await;
        found.map(|found| (units_of(&found.units), found.more))
    };
    let editor = &org.coast_editor;
    let (harbour, school) = (org.harbour.id, org.school.id);
    assert!(matches!(pick(editor, &org.coast, "").await, Ok((found, 0)) if found == [harbour, school]));
    let chief = &org.province_chief_editor.viewer;
    let province = org.province.id.to_string();
    let offered = backend.unit_desk().pick(chief, PickPurpose::Document, Some(&province), "").await;
    for PickableUnit { unit, parent, members } in offered.expect("is offered").units {
        let is_of_coast = [harbour, school].contains(&unit.id);
        assert!(!is_of_coast || parent.as_deref() == Some(org.coast.name.as_str()), "{}: {parent:?}", unit.name);
        assert!(unit.id != org.hills.id || members.is_none(), "three members, hidden as on its page");
    }
    // With a branch elsewhere and an office below the coast: what hides the coast hides its smallest branch.
    let mut apart = editor.viewer.clone();
    apart.standpoint.branch = org.farm.path.clone();
    for grant in &mut apart.standpoint.grants {
        grant.path = org.harbour.path.clone();
    }
    let offered = backend.unit_desk().pick(&apart, PickPurpose::Document, None, "").await.expect("is offered").units;
    assert_eq!(offered.iter().map(|choice| (choice.unit.id, choice.members)).collect::<Vec<_>>(), [(harbour, None)]);
    assert!(matches!(pick(editor, &org.coast, "TRUONG").await, Ok((found, 0)) if found == [school]));
    assert!(matches!(pick(editor, &org.coast, "01").await, Ok((found, 0)) if found == [harbour]));
    assert!(matches!(pick(editor, &org.coast, "không có").await, Ok((found, 0)) if found.is_empty()));
    for (person, within) in [(editor, &org.hills), (editor, &org.province), (&org.fisherman, &org.harbour)] {
        let refused = pick(person, within, "").await;
        assert!(matches!(refused, Err(Error::NotFound)), "{}: {refused:?}", person.name);
    }
    let everywhere = pick(&org.province_chief_editor, &org.province, "").await.expect("is offered");
    assert_eq!(everywhere.0, [org.coast.id, org.hills.id, harbour, school, org.farm.id], "the highest first");

    // A form for one unit names no unit: all of the offices is offered, and by the right for its purpose only.
    let anywhere = async |person: &Person, purpose: PickPurpose, typed: &str| {
        backend.unit_desk().pick(&person.viewer, purpose, None, typed).await.map(|found| units_of(&found.units))
    };
    let (registrar, operator) = (&org.coast_registrar, &org.operator);
    for purpose in [PickPurpose::Role, PickPurpose::Import] {
        let offered = anywhere(registrar, purpose, "").await.expect("is offered");
        assert_eq!(offered, [org.coast.id, harbour, school], "{purpose:?}: with the unit of the office itself");
        assert_eq!(anywhere(registrar, purpose, "TRUONG").await.expect("is offered"), [school], "{purpose:?}");
        let all = anywhere(operator, purpose, "").await.expect("is offered");
        assert_eq!(all[..3], [org.province.id, org.coast.id, org.hills.id], "{purpose:?}: the highest first");
        for person in [editor, &org.secretary, &org.fisherman] {
            let refused = anywhere(person, purpose, "").await;
            assert!(matches!(refused, Err(Error::NotFound)), "{} {purpose:?}: {refused:?}", person.name);
        }
    }
    let refused = anywhere(registrar, PickPurpose::Document, "").await;
    assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
}
