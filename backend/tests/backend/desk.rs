//! The desk: every step of a document by every person, and the resulting texts.

use backend::{
    Backend, Error,
    documents::{DraftForm, PublishForm, RemarkForm, SubmitForm},
    files::Extractor,
};
use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    documents::{
        LibraryQuery,
        desk::Shown,
        reading::Seen,
        steps::{DocumentState, DocumentStatus, DocumentStep, DraftState, EditorPermissions, PublicationState},
    },
    events::EventKind,
    forms::Problem,
    guard,
    ids::DocumentId,
};

use crate::{
    documents::{approve, chief, draft, form, published, refused, release, review, submit, tomorrow, version},
    engines::on_both_engines,
    files::{attached, logged},
    samples::pdf,
    support::{Fixture, organisation},
};

on_both_engines! {
    a_scheduled_text_is_published_at_its_time_and_expires_at_its_end,
    a_correction_replaces_a_text_in_its_place,
    exactly_the_approved_version_is_published,
    versions_are_kept_compared_and_brought_back,
    a_review_asks_remarks_and_returns,
    a_text_the_guard_warns_of_goes_to_review_when_somebody_decided,
    a_correction_due_when_the_old_text_expires_stays_published,
    a_text_that_can_no_longer_be_published_returns_to_the_desk,
    files_changed_since_the_review_are_not_published,
    a_reviewer_who_left_sees_nothing_more,
    an_author_approves_only_where_the_rules_of_the_unit_allow_it,
    a_number_taken_meanwhile_brings_a_scheduled_text_back,
    the_desk_shows_pending_work_to_those_it_is_for,
}

const LATER: &str = "2026-11-22T08:00";

/// Brings a new document into a status. A review asks a member for remarks, and a scheduled text is published a day later.
pub(crate) async fn with_status(backend: &Backend, org: &Fixture, status: DocumentStatus) -> DocumentId {
    let editor = &org.coast_editor.viewer;
    let id = match status.out {
        None => draft(backend, editor, &org.coast, &org.harbour).await,
        Some(out) => {
            let id = published(backend, editor, &org.coast, &org.harbour).await;
            if out == PublicationState::Withdrawn {
                backend.documents().withdraw(&chief(editor), id, "Sai số liệu.").await.expect("is withdrawn");
            }
            if status.work.is_some() {
                backend.documents().revise(editor, id).await.expect("is begun again");
                save(backend, editor, id, "Bản đính chính.").await;
            }
            id
        }
    };
    if matches!(status.work, Some(DraftState::InReview | DraftState::Scheduled)) {
        let version = version(backend, editor, id).await;
        let card = card(backend, org, &org.fisherman.viewer).await;
        let form = SubmitForm { id: &id.to_string(), version: &version, commenter: &card, ..SubmitForm::default() };
        backend.documents().submit(editor, form).await.expect("is sent");
    }
    if status.work == Some(DraftState::Scheduled) {
        approve(backend, editor, id, Some(&tomorrow(backend))).await.expect("is scheduled");
    }
    id
}

pub(crate) async fn save(backend: &Backend, editor: &Viewer, id: DocumentId, body: &str) {
    let page = backend.documents().draft(editor, id).await.expect("is on the desk").draft;
    let (key, version) = (id.to_string(), page.version.to_string());
    let (issuer, audience) = (page.issuer.id.to_string(), page.audience.id.to_string());
    let typed = DraftForm { body, correction: "Sửa số điện thoại.", ..form(&key, &version, &issuer, &audience) };
    backend.documents().save_draft(editor, typed).await.expect("is saved");
}

/// The card number of a person.
async fn card(backend: &Backend, org: &Fixture, viewer: &Viewer) -> String {
    backend.members().record(&org.coast_registrar.viewer, viewer.member).await.expect("a record").record.card
}

pub(crate) fn statuses() -> Vec<DocumentStatus> {
    let works = [None, Some(DraftState::Draft), Some(DraftState::InReview), Some(DraftState::Scheduled)];
    let outs = [None, Some(PublicationState::Published), Some(PublicationState::Withdrawn)];
    let all = works.into_iter().flat_map(|work| outs.into_iter().map(move |out| DocumentStatus { work, out }));
    all.filter(|status| status.state().is_some()).collect()
}

/// Takes a step as a form does, on a page that shows this version and this review.
async fn take(
    backend: &Backend,
    viewer: &Viewer,
    id: DocumentId,
    (version, review): (&str, &str),
    step: DocumentStep,
) -> Result<(), Error> {
    let documents = backend.documents();
    let key = id.to_string();
    let publish = |when, at| PublishForm { id: &key, version, review, when, at, again: "yes" };
    match step {
        DocumentStep::Edit => {
            let page = documents.draft(viewer, id).await?.draft;
            let (issuer, audience) = (page.issuer.id.to_string(), page.audience.id.to_string());
            let typed = DraftForm { correction: "Sửa một chữ.", ..form(&key, version, &issuer, &audience) };
            documents.save_draft(viewer, typed).await.map(|_| ())
        }
        DocumentStep::Discard => documents.discard(viewer, id, version).await,
        DocumentStep::Submit => documents.submit(viewer, SubmitForm { id: &key, version, ..SubmitForm::default() }).await,
        DocumentStep::Recall => documents.recall(viewer, id).await,
        DocumentStep::WantChanges => documents.want_changes(viewer, id, "Thiếu ngày tháng.").await,
        DocumentStep::Schedule => documents.publish(viewer, publish("later", LATER)).await.map(|_| ()),
        DocumentStep::Publish => documents.publish(viewer, publish("now", "")).await.map(|_| ()),
        DocumentStep::Revise => documents.revise(viewer, id).await,
        DocumentStep::Withdraw => documents.withdraw(viewer, id, "Sai số liệu.").await,
    }
}

/// Every status × every step × every person, through the use-cases.
#[tokio::test]
async fn every_step_is_open_to_exactly_the_right_people() {
    let (backend, _, org) = organisation().await;
    let author = EditorPermissions { writes: true, is_author: true, ..EditorPermissions::default() };
    let other_editor = EditorPermissions { is_author: false, ..author };
    let chief_editor = EditorPermissions { publishes: true, ..other_editor };
    let people: [(&str, Viewer, EditorPermissions); 6] = [
        ("the author", org.coast_editor.viewer.clone(), author),
        ("another editor", another_member(&org.coast_editor.viewer), other_editor),
        ("the chief editor", org.province_chief_editor.viewer.clone(), chief_editor),
        ("a member", org.fisherman.viewer.clone(), EditorPermissions::default()),
        ("a secretary", org.coast_secretary.viewer.clone(), EditorPermissions::default()),
        ("an editor elsewhere", org.hills_editor.viewer.clone(), EditorPermissions::default()),
    ];
    for status in statuses() {
        // A rejected step changes nothing, so the document is reused for the next one.
        let mut stands = None;
        for step in DocumentStep::ALL {
            for (who, viewer, permissions) in &people {
                let id = match stands.take() {
                    Some(id) => id,
                    None => with_status(&backend, &org, status).await,
                };
                let editor = &org.coast_editor.viewer;
                let (version, review) = (version(&backend, editor, id).await, review(&backend, editor, id).await);
                let done = take(&backend, viewer, id, (&version, &review), step).await;
                // Members are asked for remarks here, and may therefore see a text in review.
                let is_asked = *who == "a member" && status.work == Some(DraftState::InReview);
                let reads = status.is_out() && !matches!(*who, "an editor elsewhere");
                let told = match done {
                    Ok(()) => "done",
                    Err(Error::NotAllowed) => "not allowed",
                    Err(Error::NotFound) => "not found",
                    Err(Error::Step(_)) => "leads nowhere",
                    Err(other) => panic!("{who} {step:?} in {status:?}: {other:?}"),
                };
                let expected = match () {
                    () if !permissions.may_read() && !is_asked && !reads => "not found",
                    () if !permissions.may(step) => "not allowed",
                    () if status.after(step).is_err() => "leads nowhere",
                    () => "done",
                };
                assert_eq!(told, expected, "{who} {step:?} in {status:?}");
                if told == "done" {
                    let page = backend.documents().draft(&org.province_chief_editor.viewer, id).await;
                    let after = status.after(step).expect("leads on");
                    match page {
                        Ok(page) => assert_eq!(page.draft.status, after, "{who} {step:?} in {status:?}"),
                        Err(Error::NotFound) => assert_eq!(after.state(), None, "{who} {step:?} in {status:?}"),
                        Err(error) => panic!("{error}"),
                    }
                } else {
                    stands = Some(id);
                }
            }
        }
    }
}

/// A person with the same offices who wrote nothing.
fn another_member(editor: &Viewer) -> Viewer {
    Viewer { member: "01ARZ3NDEKTSV4RRFFQ69G5FAB".parse().expect("an id"), ..editor.clone() }
}

async fn a_scheduled_text_is_published_at_its_time_and_expires_at_its_end(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let documents = backend.documents();
    let id = documents.blank(editor).await.expect("a form").draft.id;
    let (key, coast) = (id.to_string(), org.coast.id.to_string());
    let typed = DraftForm { expires_on: "2026-11-23", must_read_by: "2026-11-23", ..form(&key, "0", &coast, &coast) };
    documents.save_draft(editor, typed).await.expect("is saved");
    submit(backend, editor, id).await;

    let review = review(backend, editor, id).await;
    let at = |at| PublishForm { id: &key, version: "1", review: &review, when: "later", at, again: "" };
    for (form, field, problem) in [
        (PublishForm { when: "", ..at(LATER) }, "when", Problem::Required),
        (PublishForm { when: "bao giờ", ..at("") }, "when", Problem::NotOffered),
        (at("2026-11-24T00:00"), "version", Problem::Expired),
    ] {
        assert_eq!(refused(documents.publish(&chief(editor), form).await).problem(field), Some(&problem));
    }
    for (typed, problem) in [("2026-11-21T15:00", Problem::Over), ("", Problem::Required), ("mai", Problem::Date)] {
        assert_eq!(refused(documents.publish(&chief(editor), at(typed)).await).problem("at"), Some(&problem), "{typed}");
    }
    let due = documents.publish(&chief(editor), at(LATER)).await.expect("is scheduled").expect("a time");
    assert_eq!(due.to_rfc3339(), "2026-11-22T01:00:00+00:00");
    assert_eq!(documents.publish_due().await.expect("looks"), 0, "not yet");
    assert!(matches!(documents.read(&org.fisherman.viewer, id).await, Err(Error::NotFound)));

    backend.clock().advance(TimeDelta::hours(17));
    // Two processes run the job at the same time.
    let (one, other) = tokio::join!(documents.publish_due(), documents.publish_due());
    assert_eq!(one.expect("looks") + other.expect("looks"), 1, "once");
    assert!(documents.read(&org.fisherman.viewer, id).await.is_ok());

    // The end of the day on which it expires, in Vietnam.
    backend.clock().advance(TimeDelta::hours(40) - TimeDelta::seconds(1));
    assert_eq!(documents.publish_due().await.expect("looks"), 0);
    backend.clock().advance(TimeDelta::seconds(1));
    assert_eq!(documents.publish_due().await.expect("looks"), 1);
    assert!(matches!(documents.read(&org.fisherman.viewer, id).await, Err(Error::NotFound)));
    let page = documents.draft(editor, id).await.expect("is on the desk");
    assert_eq!(page.withdrawn.expect("is out no more").reason, None, "not withdrawn");
    assert_eq!(documents.publish_due().await.expect("looks"), 0);
}

async fn a_correction_replaces_a_text_in_its_place(backend: &Backend, org: &Fixture) {
    let (editor, reader) = (&org.coast_editor.viewer, &org.fisherman.viewer);
    let documents = backend.documents();
    let id = published(backend, editor, &org.coast, &org.coast).await;
    backend.clock().advance(TimeDelta::hours(1));
    let newer = published(backend, editor, &org.coast, &org.coast).await;
    documents.read(reader, id).await.expect("is opened");
    documents.mark_read(reader, id, Seen::Said).await.expect("is read");
    documents.revise(editor, id).await.expect("is begun again");
    documents.revise(editor, id).await.expect_err("something is in work already");

    let page = documents.draft(editor, id).await.expect("a draft").draft;
    assert_eq!((page.version, page.status.is_out()), (1, true));
    let (key, coast) = (id.to_string(), org.coast.id.to_string());
    let silent = DraftForm { body: "Số mới: 0255 3 822 222.", ..form(&key, "1", &coast, &coast) };
    let errors = refused(documents.save_draft(editor, silent).await);
    assert_eq!(errors.problem("correction"), Some(&Problem::Required), "a correction says what it corrects");
    save(backend, editor, id, "Số mới: 0255 3 822 222.").await;
    assert!(documents.read(reader, id).await.expect("is out").html.contains("Tải tài liệu"), "until it is approved");

    release(backend, editor, id).await;
    let read = documents.read(reader, id).await.expect("is out");
    assert!(read.html.contains("0255 3 822 222") && read.summary.read, "{read:?}");
    let shelf = documents.list(reader, &LibraryQuery::default()).await.expect("a page").documents;
    assert_eq!(shelf.iter().map(|row| row.id).collect::<Vec<_>>(), [newer, id], "it keeps its place");
    assert_eq!(documents.draft(editor, id).await.expect("on the desk").draft.correction, "Sửa số điện thoại.");

    documents.withdraw(&chief(editor), id, "Số máy không còn dùng.").await.expect("is withdrawn");
    documents.revise(editor, id).await.expect("is begun again");
    let again = documents.draft(editor, id).await.expect("a draft").draft;
    assert_eq!((again.version, again.status.is_out()), (2, false));
    save(backend, editor, id, "Số mới: 0255 3 822 333.").await;
    release(backend, editor, id).await;
    let shelf = documents.list(reader, &LibraryQuery::default()).await.expect("a page").documents;
    assert_eq!(shelf[0].id, id, "a republished text is new");
}

async fn exactly_the_approved_version_is_published(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let documents = backend.documents();
    let id = draft(backend, editor, &org.coast, &org.coast).await;
    submit(backend, editor, id).await;
    documents.recall(editor, id).await.expect("is taken back");
    save(backend, editor, id, "Bản khác.").await;
    submit(backend, editor, id).await;
    let key = id.to_string();
    let review = review(backend, editor, id).await;
    let stale = PublishForm { id: &key, version: "1", review: &review, when: "now", at: "", again: "" };
    assert_eq!(refused(documents.publish(&chief(editor), stale).await).problem("version"), Some(&Problem::Stale));
    // Two chief editors at the same time publish it once.
    let now = PublishForm { version: "2", ..stale };
    let (first, second) = (chief(editor), org.province_chief_editor.viewer.clone());
    let (one, other) = tokio::join!(documents.publish(&first, now), documents.publish(&second, now));
    assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1, "{one:?} {other:?}");
    assert!(documents.read(&org.fisherman.viewer, id).await.expect("is out").html.contains("Bản khác"));
}

async fn versions_are_kept_compared_and_brought_back(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let documents = backend.documents();
    let id = draft(backend, editor, &org.coast, &org.coast).await;
    save(backend, editor, id, "Bản hai.").await;
    let (key, unit) = (id.to_string(), org.coast.id.to_string());
    let same = DraftForm { body: "Bản hai.", correction: "Sửa số điện thoại.", ..form(&key, "2", &unit, &unit) };
    for (typed, as_saved) in
        [(same, true), (DraftForm { body: "Bản ba.", ..same }, false), (DraftForm { version: "1", ..same }, false)]
    {
        assert_eq!(documents.is_as_saved(editor, typed).await.expect("a draft"), as_saved, "{typed:?}");
    }
    let page = documents.revisions(editor, id, Some(1), Some(2)).await.expect("a page");
    assert_eq!(page.revisions.iter().map(|row| row.version).collect::<Vec<_>>(), [2, 1]);
    assert!(matches!(page.shown, Shown::Difference { old: 1, new: 2, .. }), "{:?}", page.shown);
    let nothing = documents.revisions(editor, id, Some(9), None).await;
    assert!(matches!(nothing, Err(Error::NotFound)), "{nothing:?}");

    documents.restore(editor, id, 1).await.expect("comes back");
    let stored = documents.draft(editor, id).await.expect("a draft").draft;
    assert!(stored.version == 3 && stored.body.contains("Tải tài liệu"), "{stored:?}");
    release(backend, editor, id).await;
    documents.revise(editor, id).await.expect("is begun again");
    save(backend, editor, id, "Bản bị bỏ.").await;
    let errors = refused(documents.discard(editor, id, "3").await);
    assert_eq!(errors.problem("version"), Some(&Problem::Stale), "an unseen version");
    documents.discard(editor, id, "4").await.expect("is thrown away");
    documents.revise(editor, id).await.expect("is begun again");
    let again = documents.revisions(editor, id, Some(5), None).await.expect("a page");
    assert!(matches!(&again.shown, Shown::Version { html, .. } if html.contains("Tải tài liệu")), "the published text");
    save(backend, editor, id, "Bản sáu.").await;
    let page = documents.revisions(editor, id, Some(4), None).await.expect("a page");
    assert_eq!(page.revisions.iter().map(|row| row.version).collect::<Vec<_>>(), [6, 5, 4, 3, 2, 1], "no number is used twice");
    assert!(matches!(&page.shown, Shown::Version { html, .. } if html.contains("Bản bị bỏ")), "discarded versions are kept");
    assert_eq!(page.revisions.iter().filter(|row| row.is_out).map(|row| row.version).collect::<Vec<_>>(), [3]);
}

async fn a_text_the_guard_warns_of_goes_to_review_when_somebody_decided(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let id = draft(backend, editor, &org.coast, &org.coast).await;
    save(backend, editor, id, "TUYỆT MẬT\n\nGọi 0901 234 567, 0901 234 568, 0901 234 569.").await;
    let (key, version) = (id.to_string(), version(backend, editor, id).await);
    let form = |warned| SubmitForm { id: &key, version: &version, warned, ..SubmitForm::default() };
    let warned = guard::kinds(&documents.review(editor, id).await.expect("opens").warnings);
    assert_eq!(warned, "secrecy_mark,phone_numbers");
    for undecided in ["", "secrecy_mark"] {
        let errors = refused(documents.submit(editor, form(undecided)).await);
        assert_eq!(errors.problem("warned"), Some(&Problem::Undecided), "{undecided:?}");
    }
    let mut listener = backend.events().listen();
    documents.submit(editor, form(&warned)).await.expect("is sent");
    let log = logged(backend, &mut listener).await;
    let decided = [(EventKind::DraftSubmitted, None), (EventKind::WarningOverruled, Some(warned))];
    assert!(log.ends_with(&decided), "{log:?}");
    let seen = documents.review(&org.province_chief_editor.viewer, id).await.expect("opens").warnings;
    assert_eq!(seen.len(), 2, "the approver sees them too");
}

/// A text that expires on this day.
async fn ending(backend: &Backend, editor: &Viewer, id: DocumentId, expires_on: &str) {
    let page = backend.documents().draft(editor, id).await.map(|page| page.draft).ok();
    let version = page.as_ref().map_or(0, |page| page.version).to_string();
    let (key, coast) = (id.to_string(), editor.offices[0].unit.id.to_string());
    let typed = DraftForm { expires_on, correction: "Kéo dài.", ..form(&key, &version, &coast, &coast) };
    backend.documents().save_draft(editor, typed).await.expect("is saved");
}

async fn schedule(backend: &Backend, editor: &Viewer, id: DocumentId, at: &str) {
    submit(backend, editor, id).await;
    approve(backend, editor, id, Some(at)).await.expect("is scheduled");
}

/// Both are due in the same run of the job: the expiry of the old text does not expire the new one.
async fn a_correction_due_when_the_old_text_expires_stays_published(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let id = documents.blank(editor).await.expect("a form").draft.id;
    ending(backend, editor, id, "2026-11-22").await;
    release(backend, editor, id).await;
    documents.revise(editor, id).await.expect("is begun again");
    ending(backend, editor, id, "2026-12-31").await;
    schedule(backend, editor, id, "2026-11-23T00:00").await;
    backend.clock().advance(TimeDelta::hours(48));
    assert_eq!(documents.publish_due().await.expect("looks"), 1, "the correction, and nothing else");
    assert_eq!(documents.publish_due().await.expect("looks"), 0);
    assert!(documents.read(&org.fisherman.viewer, id).await.is_ok(), "it is valid until the end of the year");
}

/// The program was down for longer than the text would have been valid.
async fn a_text_that_can_no_longer_be_published_returns_to_the_desk(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let late = documents.blank(editor).await.expect("a form").draft.id;
    ending(backend, editor, late, "2026-11-23").await;
    schedule(backend, editor, late, LATER).await;
    let other = draft(backend, editor, &org.coast, &org.coast).await;
    schedule(backend, editor, other, LATER).await;
    backend.clock().advance(TimeDelta::days(9));
    documents.publish_due().await.expect("looks");
    let page = documents.draft(editor, late).await.expect("is on the desk").draft;
    assert_eq!(page.status.state(), Some(DocumentState::Draft), "nobody sees it for five seconds");
    assert!(documents.read(&org.fisherman.viewer, other).await.is_ok(), "the others were published");
}

async fn files_changed_since_the_review_are_not_published(backend: &Backend, org: &Fixture) {
    backend.read_files_by(Extractor::within());
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let id = draft(backend, editor, &org.coast, &org.coast).await;
    submit(backend, editor, id).await;
    let (key, seen) = (id.to_string(), review(backend, editor, id).await);
    documents.recall(editor, id).await.expect("is taken back");
    attached(backend, editor, id, "Nghị quyết.pdf", &pdf("Bản khác")).await;
    submit(backend, editor, id).await;
    let stale = PublishForm { id: &key, version: "1", review: &seen, when: "now", at: "", again: "" };
    assert_eq!(refused(documents.publish(&chief(editor), stale).await).problem("version"), Some(&Problem::Stale));
    // A person who attaches a file is an author, so somebody else has to approve.
    documents.recall(editor, id).await.expect("is taken back");
    let chief = &org.province_chief_editor.viewer;
    attached(backend, chief, id, "Phụ lục.pdf", &pdf("Phụ lục")).await;
    submit(backend, editor, id).await;
    let review = review(backend, editor, id).await;
    let own = documents.publish(chief, PublishForm { review: &review, ..stale }).await;
    assert!(matches!(own, Err(Error::NotAllowed)), "{own:?}");
}

async fn a_reviewer_who_left_sees_nothing_more(backend: &Backend, org: &Fixture) {
    let (documents, editor, commenter) = (backend.documents(), &org.coast_editor.viewer, &org.fisherman.viewer);
    let id = draft(backend, editor, &org.coast, &org.coast).await;
    let (key, card) = (id.to_string(), card(backend, org, commenter).await);
    let reviewer = org.province_chief_editor.id.to_string();
    let form = SubmitForm { id: &key, version: "1", reviewer: &reviewer, commenter: &card, ..SubmitForm::default() };
    documents.submit(editor, form).await.expect("is sent");
    assert!(documents.review(commenter, id).await.is_ok());
    let listed = documents.revisions(commenter, id, None, None).await;
    assert!(matches!(listed, Err(Error::NotAllowed)), "asked about one text, not about all: {listed:?}");

    let mut moved = commenter.clone();
    moved.standpoint.branch = org.farm.path.clone();
    let mut left = org.province_chief_editor.viewer.clone();
    left.standpoint.grants.clear();
    assert!(documents.desk(commenter).await.expect("has something to look at").asked.iter().any(|row| row.document.id == id));
    for gone in [moved, left] {
        assert!(matches!(documents.desk(&gone).await, Err(Error::NotFound)), "{} is not told the title", gone.name);
        assert_eq!(backend.home().page(&gone).await.expect("opens").asked, 0, "{}", gone.name);
        assert!(matches!(documents.review(&gone, id).await, Err(Error::NotFound)), "{}", gone.name);
        assert!(matches!(documents.want_changes(&gone, id, "Không.").await, Err(Error::NotFound)), "{}", gone.name);
    }
}

async fn a_review_asks_remarks_and_returns(backend: &Backend, org: &Fixture) {
    let (editor, commenter) = (&org.coast_editor.viewer, &org.fisherman.viewer);
    let documents = backend.documents();
    let id = draft(backend, editor, &org.coast, &org.coast).await;
    let key = id.to_string();
    let reviewer = org.province_chief_editor.id.to_string();
    let card = card(backend, org, commenter).await;
    assert!(matches!(documents.review(commenter, id).await, Err(Error::NotFound)), "nobody has asked");
    let plain = SubmitForm { id: &key, version: "1", ..SubmitForm::default() };
    let wrong = [
        ("reviewer", SubmitForm { reviewer: "ai đó", ..plain }, Problem::NotOffered),
        ("commenter", SubmitForm { commenter: "99.999999", ..plain }, Problem::UnknownCard),
        ("due", SubmitForm { due: "2026-11-20", ..plain }, Problem::DateRange),
        ("version", SubmitForm { version: "7", ..plain }, Problem::Stale),
    ];
    for (field, form, problem) in wrong {
        assert_eq!(refused(documents.submit(editor, form).await).problem(field), Some(&problem), "{field}");
    }
    let form = SubmitForm { reviewer: &reviewer, commenter: &card, due: "2026-11-25", note: "Xem giúp.", ..plain };
    documents.submit(editor, form).await.expect("is sent");

    let page = documents.review(commenter, id).await.expect("was asked");
    let review = page.review.expect("is under way");
    assert_eq!((review.reviewer.as_deref(), review.commenters), (Some("Nguyễn Đức Thắng"), vec!["Võ Văn Khơi".to_owned()]));
    assert!(page.permissions.may_comment() && !page.permissions.may(DocumentStep::WantChanges), "{:?}", page.permissions);
    let remark = RemarkForm { id: &key, passage: "", quote: "Tải tài liệu về máy.", text: "Máy nào?" };
    documents.remark(commenter, remark).await.expect("is written down");
    assert!(matches!(documents.remark(&org.farmer.viewer, remark).await, Err(Error::NotFound)));
    assert!(matches!(documents.want_changes(commenter, id, "Không rõ.").await, Err(Error::NotAllowed)));

    let chief = &org.province_chief_editor.viewer;
    for (who, asked) in [(chief, 1), (commenter, 1), (editor, 0)] {
        assert_eq!(backend.home().page(who).await.expect("opens").asked, asked);
    }
    let asked = documents.desk(chief).await.expect("a desk").asked;
    assert_eq!(asked.iter().map(|row| (row.document.id, row.comments_only)).collect::<Vec<_>>(), [(id, false)]);
    assert!(documents.desk(commenter).await.expect("has something to look at").asked[0].comments_only);
    assert_eq!(refused(documents.want_changes(chief, id, "  ").await).problem("reason"), Some(&Problem::Required));
    documents.want_changes(chief, id, "Nêu rõ máy nào.").await.expect("is sent back");
    assert!(matches!(documents.review(commenter, id).await, Err(Error::NotFound)), "the review is over");
    assert!(matches!(documents.desk(commenter).await, Err(Error::NotFound)));
    let back = documents.draft(editor, id).await.expect("a draft");
    let wanted = back.wanted.expect("says why");
    assert_eq!((wanted.reason.as_str(), wanted.by.as_str(), back.open_remarks), ("Nêu rõ máy nào.", "Nguyễn Đức Thắng", 1));

    let remarks = documents.review(editor, id).await.expect("a page").remarks;
    documents.settle(editor, id, &remarks[0].key, true).await.expect("is settled");
    save(backend, editor, id, "Tải tài liệu về điện thoại.").await;
    submit(backend, editor, id).await;
    assert_eq!(documents.draft(editor, id).await.expect("in review").wanted, None, "it was answered");
    assert_eq!(documents.draft(editor, id).await.expect("in review").open_remarks, 0);
}

async fn an_author_approves_only_where_the_rules_of_the_unit_allow_it(backend: &Backend, org: &Fixture) {
    let chief = &org.province_chief_editor.viewer;
    let documents = backend.documents();
    let id = draft(backend, chief, &org.province, &org.province).await;
    assert!(documents.review(chief, id).await.expect("a page").needs_another, "there is one chief editor");
    submit(backend, chief, id).await;
    let key = id.to_string();
    let seen = review(backend, chief, id).await;
    let now = PublishForm { id: &key, version: "1", review: &seen, when: "now", at: "", again: "" };
    assert!(matches!(documents.publish(chief, now).await, Err(Error::NotAllowed)));
    for stranger in [&org.coast_editor, &org.hills_editor, &org.fisherman] {
        let set = documents.set_rules(&stranger.viewer, org.province.id, true).await;
        assert!(matches!(set, Err(Error::NotFound)), "{}", stranger.name);
    }
    documents.set_rules(chief, org.province.id, true).await.expect("is set");
    documents.publish(chief, now).await.expect("the unit allows it");
    let elsewhere = draft(backend, chief, &org.coast, &org.coast).await;
    submit(backend, chief, elsewhere).await;
    let key = elsewhere.to_string();
    let refused = documents.publish(chief, PublishForm { id: &key, ..now }).await;
    assert!(matches!(refused, Err(Error::NotAllowed)), "the coast has not: {refused:?}");
}

async fn a_number_taken_meanwhile_brings_a_scheduled_text_back(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let documents = backend.documents();
    let coast = org.coast.id.to_string();
    let scheduled = documents.blank(editor).await.expect("a form").draft.id;
    let key = scheduled.to_string();
    let numbered = DraftForm { number: "12-HD/ĐU", ..form(&key, "0", &coast, &coast) };
    documents.save_draft(editor, numbered).await.expect("is saved");
    submit(backend, editor, scheduled).await;
    let review = review(backend, editor, scheduled).await;
    let later = PublishForm { id: &key, version: "1", review: &review, when: "later", at: LATER, again: "" };
    documents.publish(&chief(editor), later).await.expect("is scheduled");

    // The number of a draft blocks others from using it, until another document has it.
    let other = documents.blank(editor).await.expect("a form").draft.id.to_string();
    let same = DraftForm { number: "12-HD/ĐU", ..form(&other, "0", &coast, &coast) };
    assert_eq!(refused(documents.save_draft(editor, same).await).problem("number"), Some(&Problem::NumberTaken));
    documents.recall(editor, scheduled).await.expect("is taken back");
    documents.discard(editor, scheduled, "1").await.expect("is thrown away");
    documents.save_draft(editor, same).await.expect("is free");
    let other: DocumentId = other.parse().expect("an id");
    release(backend, editor, other).await;
    let third = documents.blank(editor).await.expect("a form").draft.id.to_string();
    let errors = refused(documents.save_draft(editor, DraftForm { id: &third, ..same }).await);
    assert_eq!(errors.problem("number"), Some(&Problem::NumberTaken), "published texts count");
}

async fn the_desk_shows_pending_work_to_those_it_is_for(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    for status in statuses() {
        with_status(backend, org, status).await;
    }
    let desk = backend.documents().desk(editor).await.expect("a desk");
    let states = |rows: &[domain::documents::desk::DeskRow]| rows.iter().map(|row| (row.state, row.is_out)).collect::<Vec<_>>();
    for (rows, state) in [
        (&desk.drafts, DocumentState::Draft),
        (&desk.in_review, DocumentState::InReview),
        (&desk.scheduled, DocumentState::Scheduled),
    ] {
        let mut found = states(rows);
        found.sort_by_key(|(_, is_out)| *is_out);
        assert_eq!(found, [(state, false), (state, false), (state, true)]);
    }
    assert!(!desk.sets_rules);
    let elsewhere = backend.documents().desk(&org.hills_editor.viewer).await.expect("a desk");
    assert!(elsewhere.drafts.is_empty() && elsewhere.published.is_empty());
}
