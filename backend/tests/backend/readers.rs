//! Readers: figures by unit, names for the own branch, reminders.

use backend::{
    Backend, Error,
    accounts::SignInForm,
    documents::DraftForm,
    members::{StateForm, TransferForm},
};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    accounts::Viewer,
    documents::{
        DocumentSummary, PersonalList,
        readers::{ReaderRow, Readers, ReadersPage, Reminding},
        reading::{OwnReceipt, Recording, Seen},
    },
    events::EventBody,
    ids::{DocumentId, UnitId},
    policy::{Action, Grant, Role},
    units::UnitRef,
};

use crate::{
    documents::{chief, form, published, release},
    engines::on_both_engines,
    support::{Fixture, PASSWORD, Person, read_through},
    units::{merge, move_below, registrar},
};

on_both_engines! {
    figures_follow_readers_units_and_the_tree,
    figures_exclude_former_and_exempt_members,
    one_person_with_two_records_reads_once,
    only_the_standings_of_the_audience_are_counted,
    the_branch_sees_names_and_those_above_see_numbers,
    readers_of_a_withdrawn_document_are_shown_to_its_editors_only,
    documents_for_a_unit_are_listed_with_their_share_of_readers,
    opening_is_not_reading,
    a_read_reported_too_early_is_refused,
    opening_for_an_office_is_not_recorded,
    members_who_have_not_read_are_reminded_once_a_day,
    only_those_with_the_right_send_a_reminder,
}

async fn readers(backend: &Backend, viewer: &Viewer, id: DocumentId, unit: Option<UnitId>) -> ReadersPage {
    backend.documents().readers(viewer, id, unit).await.expect("a page")
}

/// Members reached and readers, from the view of somebody responsible for this unit only.
async fn share(backend: &Backend, org: &Fixture, id: DocumentId, unit: &UnitRef) -> Option<(u32, u32)> {
    let page = readers(backend, &org.answering_for(unit), id, Some(unit.id)).await;
    page.total.share.map(|share| (share.members, share.done))
}

async fn read(backend: &Backend, person: &Person, id: DocumentId) {
    // As a session returns them now.
    let form = SignInForm { national_id: &person.national_id, password: PASSWORD, device: "" };
    let token = backend.accounts().sign_in(form).await.expect("signs in").token;
    let viewer = backend.accounts().session(&token).await.expect("reads").expect("a session").viewer;
    read_through(backend, &viewer, id).await;
}

/// Names of those in the list who have not read it, in three groups: never signed in, not opened, opened.
fn waiting(readers: &Readers) -> [Vec<&str>; 3] {
    [&readers.not_activated, &readers.not_opened, &readers.opened].map(|rows| names(rows))
}

fn names(rows: &[ReaderRow]) -> Vec<&str> {
    rows.iter().map(|row| row.name.as_str()).collect()
}

fn is_not_found<T>(outcome: Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::NotFound))
}

fn is_refused<T>(outcome: Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::NotAllowed))
}

async fn figures_follow_readers_units_and_the_tree(backend: &Backend, org: &Fixture) {
    let id = published(backend, &org.province_chief_editor.viewer, &org.province, &org.province).await;
    assert_eq!(share(backend, org, id, &org.province).await, Some((18, 0)));
    for person in [&org.fisherman, &org.secretary, &org.farmer, &org.exempt] {
        read(backend, person, id).await;
    }
    // Reading twice counts once; exempt members are not counted.
    read(backend, &org.farmer, id).await;
    assert_eq!(share(backend, org, id, &org.province).await, Some((18, 3)));
    assert_eq!(share(backend, org, id, &org.coast).await, Some((15, 2)));
    assert_eq!(share(backend, org, id, &org.hills).await, None, "three people are a small group");

    let (member, to) = (org.fisherman.id.to_string(), org.farm.id.to_string());
    let form = TransferForm { member: &member, to: &to, reason: "Chuyển nơi cư trú." };
    let asked = backend.members().request_transfer(&org.secretary.viewer, form).await.expect("is asked for");
    backend.members().decide_transfer(&org.farm_secretary.viewer, &asked.to_string(), "accept", "").await.expect("is accepted");
    backend.catch_up().await.expect("reads the log");
    assert_eq!(share(backend, org, id, &org.coast).await, Some((14, 1)), "reads follow the reader");
    assert_eq!(share(backend, org, id, &org.province).await, Some((18, 3)));

    let registrar = registrar(org);
    move_below(backend, &registrar, org.harbour.id, org.hills.id, "07").await.expect("moves");
    backend.catch_up().await.expect("reads the log");
    assert_eq!(share(backend, org, id, &org.coast).await, Some((10, 0)));
    assert_eq!(share(backend, org, id, &org.hills).await, Some((8, 3)), "the readers follow the branch");
    read(backend, &org.deputy, id).await;
    assert_eq!(share(backend, org, id, &org.hills).await, Some((8, 4)), "old receipts and new ones");

    move_below(backend, &registrar, org.harbour.id, org.coast.id, "09").await.expect("moves back, under another code");
    backend.catch_up().await.expect("reads the log");
    assert_eq!(share(backend, org, id, &org.coast).await, Some((14, 2)));
    merge(backend, &registrar, org.hills.id, org.coast.id).await.expect("is merged");
    backend.catch_up().await.expect("reads the log");
    assert_eq!(share(backend, org, id, &org.coast).await, Some((18, 4)));
    assert_eq!(share(backend, org, id, &org.province).await, Some((18, 4)));
}

async fn figures_exclude_former_and_exempt_members(backend: &Backend, org: &Fixture) {
    let id = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    for person in [&org.fisherman, &org.deputy] {
        read(backend, person, id).await;
    }
    assert_eq!(share(backend, org, id, &org.coast).await, Some((15, 2)));
    let registrar = &org.coast_registrar.viewer;
    let version = |page: domain::members::MemberFormPage| page.draft.version.to_string();
    let left = StateForm {
        id: &org.deputy.id.to_string(),
        version: &version(backend.members().form(registrar, org.deputy.id).await.expect("a form")),
        state: "left",
        day: "2026-11-21",
    };
    backend.members().set_state(registrar, left).await.expect("leaves");
    backend.catch_up().await.expect("reads the log");
    assert_eq!(share(backend, org, id, &org.coast).await, Some((14, 1)));
    let names = readers(backend, &org.secretary.viewer, id, None).await.names.expect("names");
    let Readers { not_activated, not_opened, opened, read } = names;
    let listed: Vec<ReaderRow> = [not_activated, not_opened, opened, read].concat();
    assert!(listed.iter().all(|row| row.member != org.deputy.id) && listed.len() == 4);
}

async fn one_person_with_two_records_reads_once(backend: &Backend, org: &Fixture) {
    let id = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    for person in [&org.fisherman, &org.probationary] {
        read(backend, person, id).await;
    }
    let other = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    read(backend, &org.probationary, other).await;
    backend.members().merge(&org.coast_registrar.viewer, org.fisherman.id, org.probationary.id).await.expect("merges");
    backend.catch_up().await.expect("reads the log");
    for document in [id, other] {
        assert_eq!(share(backend, org, document, &org.coast).await, Some((14, 1)));
        let page = readers(backend, &org.secretary.viewer, document, None).await.names.expect("names");
        assert_eq!(names(&page.read), ["Võ Văn Khơi"]);
    }
}

async fn only_the_standings_of_the_audience_are_counted(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let id = backend.documents().blank(editor).await.expect("a form").draft.id;
    let (key, issuer) = (id.to_string(), org.coast.id.to_string());
    let draft = DraftForm { standings: "probationary", ..form(&key, "0", &issuer, &issuer) };
    backend.documents().save_draft(editor, draft).await.expect("is saved");
    release(backend, editor, id).await;
    let page = readers(backend, &org.secretary.viewer, id, None).await;
    assert_eq!(page.total.share.map(|share| (share.members, share.done)), Some((1, 0)));
    assert_eq!(waiting(&page.names.expect("names")), [vec![], vec!["Phạm Thị Mai"], vec![]]);
    assert_eq!(share(backend, org, id, &org.coast).await, None, "one person of fifteen is a small group");
    read(backend, &org.probationary, id).await;
    let page = readers(backend, &org.secretary.viewer, id, None).await;
    assert_eq!(page.total.share.map(|share| (share.members, share.done)), Some((1, 1)));
}

async fn the_branch_sees_names_and_those_above_see_numbers(backend: &Backend, org: &Fixture) {
    let id = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    read(backend, &org.fisherman, id).await;
    read(backend, &org.exempt, id).await;
    let documents = backend.documents();
    for leader in [&org.secretary, &org.deputy] {
        let page = readers(backend, &leader.viewer, id, None).await;
        assert_eq!((page.total.unit.id, page.trail.len()), (org.harbour.id, 1));
        assert_eq!(page.total.share.map(|share| (share.members, share.done)), Some((5, 1)));
        let found = page.names.expect("names");
        let not_opened = vec!["Huỳnh Thị Bến", "Tiêu Viết Lộng", "Phạm Thị Mai"];
        assert_eq!(waiting(&found), [vec!["Đỗ Văn Chưa"], not_opened, vec![]]);
        assert_eq!(names(&found.read), ["Bùi Văn Cựu", "Võ Văn Khơi"], "also people outside the audience who read it");
        assert!(found.read.iter().all(|row| row.on == Some(backend.clock().today())));
    }
    // The hills have three members. People who see the number of the province are shown neither those of the coast, nor those of its
    // smallest branch.
    let (all, some) = ([Some((15, 1)), Some((5, 1)), Some((10, 0))], [None, None, Some((10, 0))]);
    for (above, told) in [
        (&org.coast_secretary, all),
        (&org.coast_committee_member, all),
        (&org.province_statistician, some),
        (&org.coast_editor, some),
        (&org.province_chief_editor, some),
    ] {
        let page = readers(backend, &above.viewer, id, None).await;
        assert_eq!((page.total.unit.id, page.names), (org.coast.id, None), "{}", above.name);
        let rows = [&page.total].into_iter().chain(&page.children);
        let shares: Vec<_> = rows.map(|row| row.share.map(|share| (share.members, share.done))).collect();
        assert_eq!(shares, told, "{}", above.name);
        assert_eq!(readers(backend, &above.viewer, id, Some(org.harbour.id)).await.names, None, "{}", above.name);
    }
    for stranger in [&org.farm_secretary, &org.farmer, &org.hills_editor] {
        assert!(is_not_found(documents.readers(&stranger.viewer, id, None).await), "{}", stranger.name);
        assert!(is_not_found(documents.readers(&stranger.viewer, id, Some(org.harbour.id)).await), "{}", stranger.name);
    }
    assert!(is_not_found(documents.readers(&org.secretary.viewer, id, Some(org.school.id)).await), "another branch");
    assert!(is_not_found(documents.readers(&org.secretary.viewer, id, Some(org.coast.id)).await), "the unit above");
    assert!(is_not_found(documents.readers(&org.province_chief_editor.viewer, id, Some(org.hills.id)).await), "not allowed");
    assert!(is_refused(documents.readers(&org.fisherman.viewer, id, None).await));
    assert!(!documents.read(&org.fisherman.viewer, id).await.expect("reads").shows_readers);
    for looker in [&org.secretary, &org.coast_secretary, &org.coast_editor, &org.province_statistician] {
        assert!(documents.read(&looker.viewer, id).await.expect("reads").shows_readers, "{}", looker.name);
    }
}

async fn readers_of_a_withdrawn_document_are_shown_to_its_editors_only(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let id = published(backend, editor, &org.coast, &org.coast).await;
    read(backend, &org.fisherman, id).await;
    backend.documents().withdraw(&chief(editor), id, "Sai số liệu.").await.expect("is withdrawn");
    let page = readers(backend, editor, id, None).await;
    assert_eq!((page.is_withdrawn, page.may_remind), (true, false));
    let shares: Vec<_> = page.children.iter().map(|row| row.share.map(|share| (share.members, share.done))).collect();
    assert_eq!(shares, [None, Some((10, 0))]);
    for other in [&org.secretary, &org.coast_secretary, &org.fisherman] {
        assert!(is_not_found(backend.documents().readers(&other.viewer, id, None).await), "{}", other.name);
    }
    assert!(is_refused(backend.documents().remind(&chief(editor), id, org.coast.id).await));
}

async fn documents_for_a_unit_are_listed_with_their_share_of_readers(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let id = backend.documents().blank(editor).await.expect("a form").draft.id;
    let (key, issuer) = (id.to_string(), org.coast.id.to_string());
    let draft = DraftForm { must_read_by: "30/11/2026", ..form(&key, "0", &issuer, &issuer) };
    backend.documents().save_draft(editor, draft).await.expect("is saved");
    release(backend, editor, id).await;
    backend.clock().advance(TimeDelta::hours(1));
    let later = published(backend, editor, &org.coast, &org.harbour).await;
    let elsewhere = published(backend, editor, &org.coast, &org.school).await;
    read(backend, &org.fisherman, later).await;

    let page = backend.documents().followed(&org.secretary.viewer).await.expect("a list");
    assert_eq!(page.unit.id, org.harbour.id);
    let rows: Vec<_> =
        page.rows.iter().map(|row| (row.document.id, row.share.map(|share| (share.members, share.done)))).collect();
    assert_eq!(rows, [(id, Some((5, 0))), (later, Some((5, 1)))], "what must be read first, and nothing of other branches");
    let above = backend.documents().followed(&org.coast_secretary.viewer).await.expect("a list");
    let rows: Vec<_> = above.rows.iter().map(|row| row.document.id).collect();
    assert_eq!(rows, [id], "what is for one branch is not for the coast");
    assert!(!rows.contains(&elsewhere));
    for other in [&org.fisherman, &org.coast_editor] {
        assert!(is_not_found(backend.documents().followed(&other.viewer).await), "{}", other.name);
    }
}

/// What the first page and the list of unread documents show of a reminder.
async fn reminders(backend: &Backend, member: &Viewer, id: DocumentId) -> (Option<String>, Option<String>) {
    let by = |document: &DocumentSummary| document.reminded.as_ref().map(|reminded| reminded.by.clone());
    let home = backend.home().page(member).await.expect("a page").newest;
    let list = backend.documents().personal(member, PersonalList::Unread, None).await.expect("a list").rows;
    let list: Vec<DocumentSummary> = list.into_iter().map(|row| row.document).collect();
    let of_document = |rows: &[DocumentSummary]| rows.iter().find(|row| row.id == id).and_then(by);
    (of_document(&home), of_document(&list))
}

/// The record that the page of the document shows the person.
async fn recorded(backend: &Backend, viewer: &Viewer, id: DocumentId) -> (Option<NaiveDate>, Option<NaiveDate>) {
    match backend.documents().read(viewer, id).await.expect("opens").recording {
        Recording::Member(OwnReceipt { opened_on, read_on, .. }) => (Some(opened_on), read_on),
        Recording::Looks | Recording::Elsewhere => (None, None),
    }
}

async fn opening_is_not_reading(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let id = backend.documents().blank(editor).await.expect("a form").draft.id;
    let (key, issuer) = (id.to_string(), org.coast.id.to_string());
    let draft = DraftForm { must_read_by: "30/11/2026", ..form(&key, "0", &issuer, &issuer) };
    backend.documents().save_draft(editor, draft).await.expect("is saved");
    release(backend, editor, id).await;
    let (documents, secretary, member) = (backend.documents(), &org.secretary.viewer, &org.fisherman.viewer);
    documents.remind(secretary, id, org.harbour.id).await.expect("reminds");
    let today = backend.clock().today();

    assert_eq!(recorded(backend, member, id).await, (Some(today), None));
    backend.clock().advance(TimeDelta::days(1));
    assert_eq!(recorded(backend, member, id).await, (Some(today), None), "the first time");
    let page = readers(backend, secretary, id, None).await;
    assert_eq!((page.total.share.map(|share| share.done), page.opened), (Some(0), Some(1)));
    let found = page.names.expect("names");
    assert_eq!(waiting(&found)[2], ["Võ Văn Khơi"]);
    assert_eq!(found.opened[0].on, Some(today));
    let unread = documents.personal(member, PersonalList::Unread, None).await.expect("a list").rows;
    assert_eq!(unread.iter().map(|row| row.document.id).collect::<Vec<_>>(), [id]);
    assert_eq!(backend.home().page(member).await.expect("a page").must_read, 1);
    assert!(reminders(backend, member, id).await.0.is_some(), "the reminder stays");

    documents.mark_read(member, id, Seen::Said).await.expect("is recorded");
    let later = backend.clock().today();
    documents.mark_read(member, id, Seen::End).await.expect("twice is once");
    backend.clock().advance(TimeDelta::days(1));
    assert_eq!(recorded(backend, member, id).await, (Some(today), Some(later)));
    let page = readers(backend, secretary, id, None).await;
    assert_eq!((page.total.share.map(|share| share.done), page.opened), (Some(1), Some(1)));
    assert_eq!(page.names.expect("names").read[0].on, Some(later));
    assert_eq!(documents.personal(member, PersonalList::Unread, None).await.expect("a list").rows, []);
    assert_eq!(backend.home().page(member).await.expect("a page").must_read, 0);
    assert_eq!(reminders(backend, member, id).await, (None, None));
    assert_eq!(share(backend, org, id, &org.harbour).await, Some((5, 1)));
}

async fn a_read_reported_too_early_is_refused(backend: &Backend, org: &Fixture) {
    let id = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    let (documents, member) = (backend.documents(), &org.fisherman.viewer);
    assert!(is_refused(documents.mark_read(member, id, Seen::End).await), "never opened");
    let length = match documents.read(member, id).await.expect("opens").recording {
        Recording::Member(receipt) => receipt.length,
        other => panic!("{other:?}"),
    };
    backend.clock().advance(length.to_reach_the_end() - TimeDelta::milliseconds(1));
    assert!(is_refused(documents.mark_read(member, id, Seen::End).await));
    assert_eq!(share(backend, org, id, &org.coast).await, Some((15, 0)));
    backend.clock().advance(TimeDelta::milliseconds(1));
    documents.mark_read(member, id, Seen::End).await.expect("is recorded");
    assert_eq!(share(backend, org, id, &org.coast).await, Some((15, 1)));

    let other = &org.teacher.viewer;
    documents.read(other, id).await.expect("opens");
    backend.clock().advance(length.to_read_it_all() - TimeDelta::milliseconds(1));
    assert!(
        length.to_read_it_all() == length.to_reach_the_end() || is_refused(documents.mark_read(other, id, Seen::InView).await)
    );
    backend.clock().advance(TimeDelta::milliseconds(1));
    documents.mark_read(other, id, Seen::InView).await.expect("is recorded");
    // A member who confirms reading without having opened it is recorded as having opened it too.
    documents.mark_read(&org.probationary.viewer, id, Seen::Said).await.expect("is recorded");
    let page = readers(backend, &org.answering_for(&org.coast), id, None).await;
    assert_eq!((page.total.share.map(|share| share.done), page.opened), (Some(3), Some(3)));
}

async fn opening_for_an_office_is_not_recorded(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let id = published(backend, editor, &org.coast, &org.harbour).await;
    let documents = backend.documents();
    // It is addressed to the harbour. The others open it by their offices.
    for looker in [&org.coast_secretary, &org.coast_editor, &org.coast_committee_member] {
        let page = documents.read(&looker.viewer, id).await.expect("looks");
        assert_eq!(page.recording, Recording::Elsewhere, "{}", looker.name);
        assert!(is_refused(documents.mark_read(&looker.viewer, id, Seen::Said).await), "{}", looker.name);
    }
    // The secretary of the harbour is one of its members, and checks the list.
    let secretary = &org.secretary.viewer;
    let page = documents.read_without_trace(secretary, id).await.expect("looks");
    assert!(page.recording == Recording::Looks && page.html.contains("Tải tài liệu"));
    backend.catch_up().await.expect("reads the log");
    let page = readers(backend, secretary, id, None).await;
    assert_eq!((page.total.share.map(|share| share.done), page.opened), (Some(0), Some(0)));
    assert_eq!(documents.personal(secretary, PersonalList::Recent, None).await.expect("a list").rows, []);
    // Reading it as a member is recorded, and without an office every opening is.
    read(backend, &org.secretary, id).await;
    assert!(matches!(
        documents.read_without_trace(&org.fisherman.viewer, id).await.expect("reads").recording,
        Recording::Member(_)
    ));
    let page = readers(backend, secretary, id, None).await;
    assert_eq!((page.total.share.map(|share| share.done), page.opened), (Some(1), Some(2)));
    for stranger in [&org.teacher, &org.farmer, &org.hills_editor] {
        assert!(is_not_found(documents.read_without_trace(&stranger.viewer, id).await), "{}", stranger.name);
        assert!(is_not_found(documents.mark_read(&stranger.viewer, id, Seen::Said).await), "{}", stranger.name);
    }
}

async fn members_who_have_not_read_are_reminded_once_a_day(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let id = published(backend, editor, &org.coast, &org.coast).await;
    read(backend, &org.probationary, id).await;
    backend.clock().advance(TimeDelta::hours(1));
    let newer = published(backend, editor, &org.coast, &org.coast).await;
    let (documents, secretary, member) = (backend.documents(), &org.secretary.viewer, &org.fisherman.viewer);
    assert_eq!(reminders(backend, member, id).await, (None, None));

    backend.catch_up().await.expect("reads the log");
    let mut events = backend.events().listen();
    assert_eq!(documents.remind(secretary, id, org.harbour.id).await.expect("reminds"), Reminding::Done);
    backend.clock().advance(TimeDelta::minutes(5));
    assert_eq!(documents.remind(&org.deputy.viewer, id, org.harbour.id).await.expect("answers"), Reminding::TooSoon);
    let last = readers(backend, secretary, id, None).await.reminded.expect("the last time");
    assert_eq!((last.by.as_str(), last.is_of_today), ("Huỳnh Thị Bến", true), "the second one changed nothing");
    assert_eq!(backend.catch_up().await.expect("reads the log"), 1, "nor is it in the log");
    let event = events.try_recv().expect("one event");
    assert_eq!((event.body, event.actor), (EventBody::ReadersReminded(id), Some(org.secretary.id)));
    assert_eq!(event.unit, org.harbour.path);

    let by = Some(org.harbour.name.clone());
    assert_eq!(reminders(backend, member, id).await, (by.clone(), by));
    let home = backend.home().page(member).await.expect("a page").newest;
    assert_eq!(home.iter().map(|row| row.id).collect::<Vec<_>>(), [id, newer], "before what is newer");
    assert_eq!(reminders(backend, &org.probationary.viewer, id).await, (None, None), "those who have read it are not reminded");
    assert_eq!(reminders(backend, &org.teacher.viewer, id).await, (None, None), "another branch was not reminded");

    // The next day another unit sends a reminder; the member sees the latest.
    backend.clock().advance(TimeDelta::days(1));
    assert!(!readers(backend, secretary, id, None).await.reminded.expect("the last time").is_of_today);
    assert_eq!(documents.remind(&chief(editor), id, org.coast.id).await.expect("reminds"), Reminding::Done);
    let by = Some(org.coast.name.clone());
    assert_eq!(reminders(backend, member, id).await, (by.clone(), by.clone()));
    assert_eq!(reminders(backend, &org.teacher.viewer, id).await, (by.clone(), by));
    assert_eq!(documents.remind(secretary, id, org.harbour.id).await.expect("reminds again"), Reminding::Done);

    read(backend, &org.fisherman, id).await;
    assert_eq!(reminders(backend, member, id).await, (None, None), "it disappears after reading");
    let found = readers(backend, secretary, id, None).await.names.expect("names");
    assert!(names(&found.read).contains(&"Võ Văn Khơi") && !waiting(&found).concat().contains(&"Võ Văn Khơi"));

    backend.clock().advance(TimeDelta::days(31));
    assert_eq!(reminders(backend, &org.teacher.viewer, id).await, (None, None), "an old reminder is not shown");
}

async fn only_those_with_the_right_send_a_reminder(backend: &Backend, org: &Fixture) {
    let id = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    let documents = backend.documents();
    // They have rights to read the unit, but neither lead it nor publish.
    for looker in [&org.coast_editor, &org.coast_committee_member, &org.province_statistician] {
        assert!(is_refused(documents.remind(&looker.viewer, id, org.harbour.id).await), "{}", looker.name);
        assert!(!readers(backend, &looker.viewer, id, Some(org.harbour.id)).await.may_remind, "{}", looker.name);
    }
    assert!(is_refused(documents.remind(&org.coast_secretary.viewer, id, org.harbour.id).await), "only leaders of the branch");
    for stranger in [&org.fisherman, &org.farm_secretary, &org.hills_editor, &org.school_secretary] {
        assert!(is_not_found(documents.remind(&stranger.viewer, id, org.harbour.id).await), "{}", stranger.name);
    }
    let mut hills_chief = org.hills_editor.viewer.clone();
    hills_chief.standpoint.grants = vec![Grant { role: Role::ChiefEditor, path: org.hills.path.clone() }];
    assert!(is_not_found(documents.remind(&hills_chief, id, org.hills.id).await));
    // Whoever publishes above this audience may remind any part of it.
    assert!(org.province_chief_editor.viewer.standpoint.may_by_office(Action::PublishDocument, &org.coast.path));
    let outcome = documents.remind(&org.province_chief_editor.viewer, id, org.school.id).await;
    assert_eq!(outcome.expect("reminds"), Reminding::Done);
    let outcome = documents.remind(&org.coast_secretary.viewer, id, org.coast.id).await;
    assert_eq!(outcome.expect("reminds their own unit"), Reminding::Done);
}
