//! People while units are reorganised by file: members who change their branch on the day itself, and editors who write for a unit
//! that ends.

use backend::{
    Backend, Error,
    accounts::SignInForm,
    documents::{DraftForm, TypedForm},
    members::TransferForm,
    units::{BelowQuery, ReceiveForm, Received},
};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    accounts::Viewer,
    forms::Problem,
    ids::{DocumentId, MemberId, ReorganisationId, UnitId},
    units::reorganisation::{PlanList, ReorganisationState},
};

use crate::{
    documents::{draft, form, refused},
    support::{Fixture, PASSWORD, Person, organisation},
    units::registrar,
};

const YESTERDAY: &str = "2026-11-20";
const TODAY: &str = "2026-11-21";

/// The farm's branch becomes a part of the harbour's.
const BRANCHES: &str = "Mã cũ,Mã mới,Mã cấp trên mới\n51/001/01,01,51/001\n51/002/01,01,51/001\n";

/// The hills become a part of the coast. The offices on them end, unless the column says otherwise.
const COMMUNES: &str = "Mã cũ,Mã mới,Chức vụ\n001,001,\n002,001,";

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Sends a file and confirms it.
async fn confirmed(backend: &Backend, org: &Fixture, on: &str, file: &str) -> ReorganisationId {
    let (reorganisations, viewer) = (backend.reorganisations(), registrar(org));
    let announced = ReceiveForm { on, reorganisation: "", file_name: "sap-xep.csv" };
    let mut upload = reorganisations.receive(&viewer, announced).await.expect("may reorganise");
    upload.write(file.as_bytes().to_vec()).await.expect("writes");
    let Received::Accepted(id) = upload.finish().await.expect("is read") else { panic!("the file is refused") };
    let page = reorganisations.preview(&viewer, id, PlanList::Refused, 1).await.expect("is planned");
    assert_eq!((page.hindrance, page.refused), (None, Vec::new()));
    reorganisations.confirm(&viewer, id, &page.version).await.expect("is confirmed");
    id
}

/// Carries out a file.
async fn reorganise(backend: &Backend, org: &Fixture, on: &str, file: &str) {
    let id = confirmed(backend, org, on, file).await;
    let progress = backend.reorganisations().carry_out_for_operator(id).await.expect("is carried out");
    assert_eq!(progress.state, ReorganisationState::Done);
    backend.catch_up().await.expect("reads the log");
}

/// As a session returns the person now.
async fn signed_in(backend: &Backend, person: &Person) -> Viewer {
    let form = SignInForm { national_id: &person.national_id, password: PASSWORD, device: "" };
    let token = backend.accounts().sign_in(form).await.expect("signs in").token;
    backend.accounts().session(&token).await.expect("reads").expect("a session").viewer
}

/// The person's unsaved texts, newest first.
async fn bodies(backend: &Backend, viewer: &Viewer) -> Vec<String> {
    let unsaved = backend.documents().unsaved(viewer).await.expect("a list");
    unsaved.into_iter().map(|unsaved| unsaved.body).collect()
}

/// Asks to transfer the teacher to the farm. Returns the id of the request.
async fn asked(backend: &Backend, org: &Fixture) -> String {
    let form = TransferForm { member: &org.teacher.id.to_string(), to: &org.farm.id.to_string(), reason: "Về quê chồng." };
    backend.members().request_transfer(&org.coast_registrar.viewer, form).await.expect("is requested").to_string()
}

/// The branches of a member with the first and the last day in each, the newest first.
async fn postings(backend: &Backend, org: &Fixture, member: MemberId) -> Vec<(String, NaiveDate, Option<NaiveDate>)> {
    let page = backend.members().record(&registrar(org), member).await.expect("may read");
    page.record.postings.into_iter().map(|posting| (posting.branch, posting.from, posting.until)).collect()
}

/// The number of members of the harbour's branch on a past day.
async fn members_of_harbour(backend: &Backend, org: &Fixture, on: &str) -> Option<u32> {
    let (viewer, harbour) = (registrar(org), org.harbour.id.to_string());
    backend.unit_desk().page(&viewer, &harbour, Some(day(on)), BelowQuery::default()).await.expect("a page").members
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_commands_at_once_both_wait_for_the_end() {
    let (backend, _, org) = organisation().await;
    let id = confirmed(&backend, &org, TODAY, BRANCHES).await;
    let carry_out = || {
        let backend = backend.clone();
        tokio::spawn(async move { backend.reorganisations().carry_out_for_operator(id).await })
    };
    for command in [carry_out(), carry_out()] {
        let progress = command.await.expect("does not panic").expect("waits");
        assert_eq!(progress.state, ReorganisationState::Done);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_transferred_on_the_day_or_later_is_in_one_branch_at_a_time() {
    for (on, last, then) in [(TODAY, YESTERDAY, 6), (YESTERDAY, "2026-11-19", 9)] {
        let (backend, _, org) = organisation().await;
        let transfer = asked(&backend, &org).await;
        let accepted = backend.members().decide_transfer(&org.farm_secretary.viewer, &transfer, "accept", "").await;
        accepted.expect("a member joins the farm");
        reorganise(&backend, &org, on, BRANCHES).await;

        let harbour = org.harbour.name.clone();
        let of_teacher = postings(&backend, &org, org.teacher.id).await;
        let [(now, since, None), (before, _, Some(until))] = of_teacher.as_slice() else { panic!("{on}: {of_teacher:?}") };
        assert_eq!((now, *since), (&harbour, day(TODAY)), "{on}: since the transfer");
        assert_eq!((before, *until), (&org.school.name, day(TODAY)), "{on}");
        let of_farmer = postings(&backend, &org, org.farmer.id).await;
        let [(now, since, None), (before, _, Some(until))] = of_farmer.as_slice() else { panic!("{on}: {of_farmer:?}") };
        assert_eq!((now, *since), (&harbour, day(on)), "{on}: since the reorganisation");
        assert_eq!((before, *until), (&org.farm.name, day(last)), "{on}");

        // The six of the harbour; with the three of the farm if it was a part by then. The teacher came a day later.
        assert_eq!(members_of_harbour(&backend, &org, YESTERDAY).await, Some(then), "{on}");
        assert_eq!(signed_in(&backend, &org.teacher).await.branch.id, org.harbour.id, "{on}");
        assert_eq!(backend.statistics().recount().await.expect("counts"), [], "{on}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_to_a_branch_that_ends_is_accepted_by_the_one_that_takes_over() {
    let (backend, _, org) = organisation().await;
    let transfer = asked(&backend, &org).await;
    reorganise(&backend, &org, TODAY, BRANCHES).await;

    let secretary = &org.secretary.viewer;
    let incoming = backend.members().transfers(secretary).await.expect("may read").incoming;
    let shown: Vec<_> = incoming.iter().map(|transfer| (transfer.member, transfer.to.as_str())).collect();
    assert_eq!(shown, [(org.teacher.id, org.harbour.name.as_str())]);
    backend.members().decide_transfer(secretary, &transfer, "accept", "").await.expect("is accepted");
    backend.catch_up().await.expect("reads the log");
    assert_eq!(signed_in(&backend, &org.teacher).await.branch.id, org.harbour.id);
    assert_eq!(backend.statistics().recount().await.expect("counts"), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_between_branches_that_become_one_is_done() {
    for (file, goes_on_as_farm) in [
        ("Mã cũ,Mã mới,Mã cấp trên mới\n51/001/02,02,51/001\n51/002/01,02,51/001\n", false),
        ("Mã cũ,Mã mới,Mã cấp trên mới\n51/002/01,01,51/002\n51/001/02,01,51/002\n", true),
    ] {
        let (backend, _, org) = organisation().await;
        let transfer = asked(&backend, &org).await;
        reorganise(&backend, &org, TODAY, file).await;

        let viewer = registrar(&org);
        let page = backend.members().transfers(&viewer).await.expect("may read");
        assert_eq!((page.incoming, page.outgoing), (Vec::new(), Vec::new()), "{file}");
        let before = postings(&backend, &org, org.teacher.id).await;
        let late = backend.members().decide_transfer(&viewer, &transfer, "accept", "").await;
        let Err(Error::Invalid(errors)) = late else { panic!("{file}: {late:?}") };
        assert_eq!(errors.problem("decision"), Some(&Problem::Stale), "{file}");
        backend.catch_up().await.expect("reads the log");
        let branch = if goes_on_as_farm { &org.farm } else { &org.school };
        assert_eq!(signed_in(&backend, &org.teacher).await.branch.id, branch.id, "{file}");
        assert_eq!(postings(&backend, &org, org.teacher.id).await, before, "{file}");
        assert_eq!(backend.statistics().recount().await.expect("counts"), [], "{file}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_text_of_an_editor_whose_unit_ends_is_not_lost() {
    for (keeps, cell) in [(true, "giữ"), (false, "kết thúc")] {
        let (backend, _, org) = organisation().await;
        let documents = backend.documents();
        let id = draft(&backend, &org.hills_editor.viewer, &org.hills, &org.hills).await;
        documents.begin_writing(&org.hills_editor.viewer, id).await.expect("opens");
        reorganise(&backend, &org, TODAY, &format!("{COMMUNES}{cell}\n")).await;

        // Sent from the page that was opened before.
        let (key, hills, coast) = (id.to_string(), org.hills.id.to_string(), org.coast.id.to_string());
        let late = DraftForm { body: "Viết thêm.", ..form(&key, "1", &hills, &hills) };
        let editor = signed_in(&backend, &org.hills_editor).await;
        let held: Vec<UnitId> = editor.offices.iter().map(|office| office.unit.id).collect();
        let saved = documents.save_draft(&editor, late).await;
        if keeps {
            assert_eq!(held, [org.coast.id]);
            assert_eq!(refused(saved).problem("issuer"), Some(&Problem::NotOffered), "the unit that took over must be chosen");
            let again = DraftForm { body: "Viết thêm.", ..form(&key, "1", &coast, &coast) };
            documents.save_draft(&editor, again).await.expect("is saved");
        } else {
            assert!(held.is_empty(), "{held:?}");
            let error = saved.expect_err("the office has ended");
            let kept = documents.keep_late(&editor, late, &error).await.expect("is kept");
            assert!(kept.is_some_and(|kept| kept != id), "as a text of its own");
            assert_eq!(bodies(&backend, &editor).await, ["Viết thêm."], "is read without an office");
        }

        // Whoever writes for the unit that took over goes on.
        let shown = documents.draft(&org.coast_editor.viewer, id).await.expect("is on the desk").draft;
        assert_eq!((shown.issuer.id, shown.audience.id), (org.coast.id, org.coast.id), "{cell}");
        assert_eq!(shown.body == "Viết thêm.", keeps, "{}", shown.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_typed_before_the_office_ended_belongs_to_the_writer() {
    let (backend, _, org) = organisation().await;
    let (documents, before) = (backend.documents(), &org.hills_editor.viewer);
    let stored = draft(&backend, before, &org.hills, &org.hills).await;
    let new = documents.blank(before).await.expect("a form").draft.id;
    for (id, version, body) in [(stored, "1", "Sửa dở."), (new, "0", "Viết dở.")] {
        backend.clock().advance(TimeDelta::seconds(1));
        let typed = TypedForm { id: &id.to_string(), version, title: "Họp dân", body };
        documents.keep_typed(before, typed).await.expect("is kept");
    }
    reorganise(&backend, &org, TODAY, &format!("{COMMUNES}kết thúc\n")).await;
    let editor = signed_in(&backend, &org.hills_editor).await;
    assert!(editor.offices.is_empty(), "{:?}", editor.offices);
    assert_eq!(bodies(&backend, &editor).await, ["Viết dở.", "Sửa dở."]);
    assert_eq!(bodies(&backend, &org.coast_editor.viewer).await, Vec::<String>::new(), "nobody else's");
    let has = async |viewer: &Viewer, document: Option<DocumentId>| documents.has_unsaved(viewer, document).await.expect("looks");
    assert!(has(&editor, None).await && has(&editor, Some(stored)).await);
    let other = &org.coast_editor.viewer;
    assert!(!has(other, None).await && !has(other, Some(stored)).await, "nobody else has");

    // The form of the new document is sent after the office has ended.
    backend.clock().advance(TimeDelta::seconds(1));
    let (key, hills) = (new.to_string(), org.hills.id.to_string());
    let late = DraftForm { body: "Viết xong.", ..form(&key, "0", &hills, &hills) };
    let error = documents.save_draft(&editor, late).await.expect_err("the office has ended");
    documents.keep_late(&editor, late, &error).await.expect("is kept").expect("somewhere");
    assert_eq!(bodies(&backend, &editor).await, ["Viết xong.", "Sửa dở."]);

    documents.forget_typed(&org.coast_editor.viewer, stored).await.expect("has none");
    assert_eq!(bodies(&backend, &editor).await, ["Viết xong.", "Sửa dở."], "only one's own is discarded");
    documents.forget_typed(&editor, stored).await.expect("is discarded");
    assert!(has(&editor, None).await && !has(&editor, Some(stored)).await, "only that of the new document");
    assert_eq!(bodies(&backend, &editor).await, ["Viết xong."]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_document_sent_after_the_office_ended_is_kept_once() {
    let (backend, _, org) = organisation().await;
    let documents = backend.documents();
    // Without script nothing is stored before the form is sent.
    let new = documents.blank(&org.hills_editor.viewer).await.expect("a form").draft.id;
    reorganise(&backend, &org, TODAY, &format!("{COMMUNES}kết thúc\n")).await;
    let editor = signed_in(&backend, &org.hills_editor).await;
    assert!(editor.offices.is_empty(), "{:?}", editor.offices);

    let (key, hills) = (new.to_string(), org.hills.id.to_string());
    for body in ["Viết xong.", "Viết xong.", "Viết thêm."] {
        backend.clock().advance(TimeDelta::seconds(1));
        let late = DraftForm { body, ..form(&key, "0", &hills, &hills) };
        let error = documents.save_draft(&editor, late).await.expect_err("the office has ended");
        assert_eq!(documents.keep_late(&editor, late, &error).await.expect("is kept"), Some(new));
        assert_eq!(bodies(&backend, &editor).await, [body], "the form sent again replaces the text");
    }

    let late = form(&key, "0", &hills, &hills);
    let member = &org.fisherman.viewer;
    let error = documents.save_draft(member, late).await.expect_err("writes for no unit");
    assert_eq!(documents.keep_late(member, late, &error).await.expect("looks"), None, "never wrote");
    assert_eq!(bodies(&backend, member).await, Vec::<String>::new());

    let resting = org.coast_editor.viewer.clone().at_rest();
    let error = documents.save_draft(&resting, late).await.expect_err("the office is suspended");
    assert_eq!(documents.keep_late(&resting, late, &error).await.expect("looks"), None, "is asked for the password");

    backend.clock().advance(TimeDelta::days(3));
    let other = DocumentId::new(backend.clock().ulid()).to_string();
    let late = form(&other, "0", &hills, &hills);
    let error = documents.save_draft(&editor, late).await.expect_err("the office has ended");
    assert_eq!(documents.keep_late(&editor, late, &error).await.expect("looks"), None, "ended long ago");
}
