//! The two texts of a document, in work and published: every pair of events on the real store, and changes of units and offices
//! meanwhile.

use backend::{
    Backend, Error,
    documents::{DraftForm, PublishForm, SubmitForm},
    files::Extractor,
    units::MergeForm,
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    documents::{
        desk::{Held, NUMBER_HOLDER, NUMBER_HOLDER_TITLE},
        steps::{DocumentEvent, DocumentStatus, DocumentStep, DraftState, PublicationState},
    },
    events::EventKind,
    forms::Problem,
    ids::DocumentId,
    locale::local_date,
};

use crate::{
    desk::{save, statuses, with_status},
    documents::{approve, chief, draft, form, published, refused, release, review, shown, submit, tomorrow, typed, version},
    engines::on_both_engines,
    files::{attached, logged},
    samples::pdf,
    support::{Fixture, organisation},
};

on_both_engines! {
    a_correction_in_review_does_not_republish_a_withdrawn_document,
    a_scheduled_correction_does_not_republish_a_withdrawn_document,
    a_republication_needs_confirmation_and_a_note_to_readers,
    a_correction_due_after_the_expiry_needs_confirmation,
    an_approval_covers_the_files_and_the_text_that_were_shown,
    a_correction_needs_a_note_before_it_is_sent,
    a_concurrent_decision_does_not_undo_a_withdrawal,
    a_text_that_cannot_be_published_says_why,
    an_audience_that_moved_away_stops_a_scheduled_text,
    only_people_who_may_approve_are_asked_to,
    a_review_by_somebody_without_the_right_is_open_to_all_who_may_approve,
    the_error_for_a_used_number_names_its_document,
}

/// A published document with a correction in work, in this state.
async fn correcting(backend: &Backend, org: &Fixture, work: DraftState) -> DocumentId {
    with_status(backend, org, DocumentStatus { work: Some(work), out: Some(PublicationState::Published) }).await
}

// --- Every pair of events ----------------------------------------------------------------------------------------------------

/// Days until a text is published, and the day on which a held text is checked.
const DUE: i64 = 4;
const HELD: i64 = 60;

/// Days a text is valid: the first one if it expires first, the first one otherwise, and the one in work.
const SHORT: i64 = 1;
const LONG: i64 = 90;
const WORK: i64 = 30;

struct Trial<'t> {
    backend: &'t Backend,
    editor: &'t Viewer,
    id: DocumentId,
    coast: String,
    /// Counter for numbers used in this test, each once.
    numbers: &'t mut u32,
    /// Expiry of the published text and of the one in work, and when that is published.
    out_until: NaiveDate,
    work_until: NaiveDate,
    due: DateTime<Utc>,
}

impl Trial<'_> {
    /// Saves a version with a note to readers and its own number, valid until this day.
    async fn save(&mut self, version: &str, until: NaiveDate) -> Result<(), Error> {
        *self.numbers += 1;
        let (key, until, number) = (self.id.to_string(), until.to_string(), format!("{}-HD/ĐU", self.numbers));
        let typed = DraftForm {
            expires_on: &until,
            correction: "Sửa một chữ.",
            number: &number,
            ..form(&key, version, &self.coast, &self.coast)
        };
        self.backend.documents().save_draft(self.editor, typed).await.map(|_| ())
    }

    fn day(&self, days: i64) -> NaiveDate {
        local_date(self.backend.clock().now() + TimeDelta::days(days))
    }

    async fn schedule(&mut self) -> Result<(), Error> {
        self.due = self.backend.clock().now() + TimeDelta::days(DUE);
        approve(self.backend, self.editor, self.id, Some(&typed(self.due))).await
    }

    async fn begin(&mut self, status: DocumentStatus, first: DocumentEvent, second: DocumentEvent) {
        let documents = self.backend.documents();
        let is_held = first == DocumentEvent::Held || (second == DocumentEvent::Held && first != DocumentEvent::Over);
        (self.out_until, self.work_until) = (self.day(if is_held { LONG } else { SHORT }), self.day(WORK));
        if let Some(out) = status.out {
            self.save("0", self.out_until).await.expect("is saved");
            release(self.backend, self.editor, self.id).await;
            if out == PublicationState::Withdrawn {
                documents.withdraw(&chief(self.editor), self.id, "Sai số liệu.").await.expect("is withdrawn");
            }
        }
        let Some(work) = status.work else { return };
        if status.out.is_some() {
            documents.revise(self.editor, self.id).await.expect("is begun");
        }
        let version = if status.out.is_some() { "1" } else { "0" };
        self.save(version, self.work_until).await.expect("is saved");
        if work != DraftState::Draft {
            submit(self.backend, self.editor, self.id).await;
        }
        if work == DraftState::Scheduled {
            self.schedule().await.expect("is scheduled");
        }
    }

    async fn happens(&mut self, event: DocumentEvent) -> Result<(), Error> {
        let (documents, editor, id, boss) = (self.backend.documents(), self.editor, self.id, chief(self.editor));
        if matches!(event, DocumentEvent::Due | DocumentEvent::Step(DocumentStep::Publish)) {
            self.out_until = self.work_until;
        }
        let step = match event {
            DocumentEvent::Step(step) => step,
            DocumentEvent::Over => return self.wait((self.out_until - self.day(0)).num_days() + 1).await,
            DocumentEvent::Due => return self.wait((self.due - self.backend.clock().now()).num_days() + 1).await,
            // The program was down until long after the text had expired.
            DocumentEvent::Held => return self.wait(HELD).await,
        };
        match step {
            DocumentStep::Edit => {
                self.work_until = self.day(WORK);
                let version = version(self.backend, editor, id).await;
                self.save(&version, self.work_until).await
            }
            DocumentStep::Discard => documents.discard(editor, id, &version(self.backend, editor, id).await).await,
            DocumentStep::Submit => {
                let draft = documents.draft(editor, id).await?.draft;
                // A new text after a published one needs a note to readers.
                if draft.correction.is_empty() && draft.status.out.is_some() {
                    self.save(&draft.version.to_string(), self.day(WORK)).await?;
                }
                submit(self.backend, editor, id).await;
                Ok(())
            }
            DocumentStep::Recall => documents.recall(editor, id).await,
            DocumentStep::WantChanges => documents.want_changes(&boss, id, "Thiếu ngày tháng.").await,
            DocumentStep::Schedule => self.schedule().await,
            DocumentStep::Publish => approve(self.backend, editor, id, None).await,
            DocumentStep::Revise => documents.revise(editor, id).await,
            DocumentStep::Withdraw => documents.withdraw(&boss, id, "Sai số liệu.").await,
        }
    }

    async fn wait(&self, days: i64) -> Result<(), Error> {
        self.backend.clock().advance(TimeDelta::days(days));
        self.backend.documents().publish_due().await.map(|_| ())
    }

    async fn status(&self) -> DocumentStatus {
        match self.backend.documents().draft(&chief(self.editor), self.id).await {
            Ok(page) => page.draft.status,
            Err(Error::NotFound) => DocumentStatus { work: None, out: None },
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn every_pair_of_events_on_an_unpublished_text_ends_as_in_the_table() {
    every_pair(None).await;
}

#[tokio::test]
async fn every_pair_of_events_on_a_published_text_ends_as_in_the_table() {
    every_pair(Some(PublicationState::Published)).await;
}

#[tokio::test]
async fn every_pair_of_events_on_a_withdrawn_text_ends_as_in_the_table() {
    every_pair(Some(PublicationState::Withdrawn)).await;
}

async fn every_pair(out: Option<PublicationState>) {
    let (backend, _, org) = organisation().await;
    let mut numbers = 0;
    for from in statuses().into_iter().filter(|from| from.out == out) {
        for first in DocumentEvent::all() {
            let Some(between) = from.then(first) else { continue };
            for second in DocumentEvent::all() {
                let Some(to) = between.then(second) else { continue };
                let about = format!("{first:?}, then {second:?} from {from:?}");
                let today = local_date(backend.clock().now());
                let mut trial = Trial {
                    backend: &backend,
                    editor: &org.coast_editor.viewer,
                    id: DocumentId::new(backend.clock().ulid()),
                    coast: org.coast.id.to_string(),
                    numbers: &mut numbers,
                    out_until: today,
                    work_until: today,
                    due: backend.clock().now(),
                };
                trial.begin(from, first, second).await;
                assert_eq!(trial.status().await, from, "{about}: the beginning");
                trial.happens(first).await.unwrap_or_else(|error| panic!("{about}: the first: {error:?}"));
                assert_eq!(trial.status().await, between, "{about}: the first");
                trial.happens(second).await.unwrap_or_else(|error| panic!("{about}: the second: {error:?}"));
                assert_eq!(trial.status().await, to, "{about}: the second");
                clear(&backend, trial.editor, trial.id).await;
            }
        }
    }
}

/// Rows left by one trial must not become due in the next one.
async fn clear(backend: &Backend, editor: &Viewer, id: DocumentId) {
    let documents = backend.documents();
    let Ok(page) = documents.draft(editor, id).await else { return };
    if matches!(page.draft.status.work, Some(DraftState::InReview | DraftState::Scheduled)) {
        documents.recall(editor, id).await.expect("is taken back");
    }
    if page.draft.status.work.is_some() {
        documents.discard(editor, id, &page.draft.version.to_string()).await.expect("is thrown away");
    }
    if page.draft.status.is_out() {
        documents.withdraw(&chief(editor), id, "Hết thử.").await.expect("is withdrawn");
    }
}

// --- A withdrawal ------------------------------------------------------------------------------------------------------------

async fn a_correction_in_review_does_not_republish_a_withdrawn_document(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let id = correcting(backend, org, DraftState::InReview).await;
    let (version, seen) = shown(backend, editor, id).await;
    let mut listener = backend.events().listen();
    documents.withdraw(&chief(editor), id, "Sai số liệu.").await.expect("is withdrawn");
    let log = logged(backend, &mut listener).await;
    for told in [EventKind::DocumentWithdrawn, EventKind::DraftRecalled] {
        assert_eq!(log.iter().filter(|(kind, _)| *kind == told).count(), 1, "{told:?} in {log:?}");
    }

    // A page opened before still offers to approve it.
    let open = PublishForm { id: &id.to_string(), version: &version, review: &seen, when: "now", at: "", again: "" };
    for again in ["", "yes"] {
        let done = documents.publish(&chief(editor), PublishForm { again, ..open }).await;
        assert!(matches!(done, Err(Error::Step(_))), "{done:?}");
    }
    assert!(matches!(documents.read(&org.fisherman.viewer, id).await, Err(Error::NotFound)));
    let page = documents.draft(editor, id).await.expect("is on the desk");
    assert_eq!(page.draft.status, DocumentStatus { work: Some(DraftState::Draft), out: Some(PublicationState::Withdrawn) });
    assert_eq!(page.draft.body, "Bản đính chính.", "the text is not lost");
    assert_eq!(page.held.map(|(why, _)| why), Some(Held::Withdrawn));
    assert_eq!(page.withdrawn.and_then(|withdrawn| withdrawn.reason).as_deref(), Some("Sai số liệu."));
    assert!(documents.desk(&org.province_chief_editor.viewer).await.expect("a desk").asked.is_empty(), "nothing is pending");
}

async fn a_scheduled_correction_does_not_republish_a_withdrawn_document(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let id = correcting(backend, org, DraftState::Scheduled).await;
    documents.withdraw(&chief(editor), id, "Sai số liệu.").await.expect("is withdrawn");
    backend.clock().advance(TimeDelta::days(3));
    assert_eq!(documents.publish_due().await.expect("looks"), 0);
    assert!(matches!(documents.read(&org.fisherman.viewer, id).await, Err(Error::NotFound)));
    let page = documents.draft(editor, id).await.expect("is on the desk");
    assert_eq!((page.draft.status.work, page.publish_at), (Some(DraftState::Draft), None));
}

async fn a_republication_needs_confirmation_and_a_note_to_readers(backend: &Backend, org: &Fixture) {
    let (documents, editor, reader) = (backend.documents(), &org.coast_editor.viewer, &org.fisherman.viewer);
    let id = correcting(backend, org, DraftState::InReview).await;
    documents.read(reader, id).await.expect("is read");
    documents.withdraw(&chief(editor), id, "Sai số liệu.").await.expect("is withdrawn");
    submit(backend, editor, id).await;

    let approval = documents.approval(&chief(editor), id).await.expect("a page");
    let change = approval.change.expect("a text in work");
    assert!(!change.is_out && approval.page.draft.status.comes_back());
    assert_eq!(change.withdrawn.and_then(|withdrawn| withdrawn.reason).as_deref(), Some("Sai số liệu."), "the page shows it");

    let (version, seen) = shown(backend, editor, id).await;
    let now = PublishForm { id: &id.to_string(), version: &version, review: &seen, when: "now", at: "", again: "" };
    let later = tomorrow(backend);
    for silent in [now, PublishForm { when: "later", at: &later, ..now }, PublishForm { again: "no", ..now }] {
        let errors = refused(documents.publish(&chief(editor), silent).await);
        assert_eq!(errors.problem("again"), Some(&Problem::Required), "{silent:?}");
    }
    documents.publish(&chief(editor), PublishForm { again: "yes", ..now }).await.expect("is out again");
    let page = documents.read(reader, id).await.expect("is out");
    assert_eq!(page.correction.and_then(|told| told.note).as_deref(), Some("Sửa số điện thoại."), "the note is kept");
}

async fn a_correction_due_after_the_expiry_needs_confirmation(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let id = documents.blank(editor).await.expect("a form").draft.id;
    let (key, coast) = (id.to_string(), org.coast.id.to_string());
    let typed = DraftForm { expires_on: "2026-11-22", ..form(&key, "0", &coast, &coast) };
    documents.save_draft(editor, typed).await.expect("is saved");
    release(backend, editor, id).await;
    documents.revise(editor, id).await.expect("is begun");
    save(backend, editor, id, "Bản kéo dài.").await;
    submit(backend, editor, id).await;
    let (version, seen) = shown(backend, editor, id).await;
    let at = |at| PublishForm { id: &key, version: &version, review: &seen, when: "later", at, again: "" };
    let errors = refused(documents.publish(&chief(editor), at("2026-11-23T00:00")).await);
    assert_eq!(errors.problem("again"), Some(&Problem::Required));
    documents.publish(&chief(editor), at("2026-11-22T23:59")).await.expect("comes before the end");
    documents.recall(editor, id).await.expect("is taken back");
    submit(backend, editor, id).await;

    // It expires while it waits for approval: the page shown is out of date.
    let (version, seen) = shown(backend, editor, id).await;
    backend.clock().advance(TimeDelta::days(3));
    documents.publish_due().await.expect("looks");
    let stale = PublishForm { id: &key, version: &version, review: &seen, when: "now", at: "", again: "yes" };
    assert_eq!(refused(documents.publish(&chief(editor), stale).await).problem("version"), Some(&Problem::Stale));
    let seen = review(backend, editor, id).await;
    let silent = PublishForm { review: &seen, again: "", ..stale };
    assert_eq!(refused(documents.publish(&chief(editor), silent).await).problem("again"), Some(&Problem::Required));
    documents.publish(&chief(editor), PublishForm { again: "yes", ..silent }).await.expect("is out again");
}

/// Two windows, a saved text, an added file, another published correction: the form names everything it showed.
async fn an_approval_covers_the_files_and_the_text_that_were_shown(backend: &Backend, org: &Fixture) {
    backend.read_files_by(Extractor::within());
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let id = published(backend, editor, &org.coast, &org.coast).await;
    documents.revise(editor, id).await.expect("is begun");
    save(backend, editor, id, "Bản đính chính.").await;
    attached(backend, editor, id, "Bảng kê.pdf", &pdf("Bảng kê")).await;
    submit(backend, editor, id).await;

    let approval = documents.approval(&chief(editor), id).await.expect("a page");
    let change = approval.change.expect("a text in work");
    assert!(change.is_out && change.out.as_ref().is_some_and(|out| out.version == 1), "{change:?}");
    assert_eq!(change.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["Bảng kê.pdf"]);
    assert!(change.old_files.is_empty());
    let told: String = change.pieces.iter().map(|piece| piece.text.as_str()).collect();
    assert!(told.contains("Bản đính chính.") && told.contains("Tải tài liệu về máy."), "both texts: {told}");
    assert_eq!(documents.review(editor, id).await.expect("a page").change, change, "the page of the review shows the same");
    assert!(matches!(documents.approval(&org.fisherman.viewer, id).await, Err(Error::NotAllowed)));

    let (key, seen) = (id.to_string(), approval.page.review.expect("waits for approval"));
    let form = PublishForm { id: &key, version: "2", review: &seen, when: "now", at: "", again: "" };
    for forged in [String::new(), seen.replace("published-1", "published-2"), format!("{seen}+01ARZ3NDEKTSV4RRFFQ69G5FAV")] {
        let errors = refused(documents.publish(&chief(editor), PublishForm { review: &forged, ..form }).await);
        assert_eq!(errors.problem("version"), Some(&Problem::Stale), "{forged}");
    }
    documents.recall(editor, id).await.expect("is taken back");
    attached(backend, editor, id, "Phụ lục.pdf", &pdf("Phụ lục")).await;
    submit(backend, editor, id).await;
    let errors = refused(documents.publish(&chief(editor), form).await);
    assert_eq!(errors.problem("version"), Some(&Problem::Stale), "a file that was not shown");
    approve(backend, editor, id, None).await.expect("as it is shown now");
    assert_eq!(documents.read(&org.fisherman.viewer, id).await.expect("is out").attachments.len(), 2);
}

async fn a_correction_needs_a_note_before_it_is_sent(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    for is_withdrawn in [false, true] {
        let id = published(backend, editor, &org.coast, &org.coast).await;
        if is_withdrawn {
            documents.withdraw(&chief(editor), id, "Sai số liệu.").await.expect("is withdrawn");
        }
        documents.revise(editor, id).await.expect("is begun");
        let form = SubmitForm { id: &id.to_string(), version: "1", ..SubmitForm::default() };
        let errors = refused(documents.submit(editor, form).await);
        assert_eq!(errors.problem("correction"), Some(&Problem::Required), "withdrawn: {is_withdrawn}");
        save(backend, editor, id, "Bản đính chính.").await;
        submit(backend, editor, id).await;
    }
}

/// Both people press their buttons at the same time, repeatedly. Whichever commits first, the document ends withdrawn: an approval
/// that came first is withdrawn too.
async fn a_concurrent_decision_does_not_undo_a_withdrawal(backend: &Backend, org: &Fixture) {
    let (editor, boss) = (&org.coast_editor.viewer, chief(&org.coast_editor.viewer));
    for (work, is_due) in [
        (DraftState::InReview, false),
        (DraftState::InReview, false),
        (DraftState::Scheduled, true),
        (DraftState::Scheduled, true),
    ] {
        let id = correcting(backend, org, work).await;
        let (version, seen) = shown(backend, editor, id).await;
        if is_due {
            backend.clock().advance(TimeDelta::days(1));
        }
        let documents = backend.documents();
        let key = id.to_string();
        let form = PublishForm { id: &key, version: &version, review: &seen, when: "now", at: "", again: "yes" };
        let goes_out =
            async { if is_due { documents.publish_due().await.map(|_| None) } else { documents.publish(&boss, form).await } };
        let (withdrawn, out) = tokio::join!(documents.withdraw(&boss, id, "Sai số liệu."), goes_out);
        withdrawn.expect("stopping a text never fails");
        let at = documents.draft(editor, id).await.expect("on the desk").draft.status;
        assert_eq!(at.out, Some(PublicationState::Withdrawn), "{out:?}");
        assert_ne!(at.work, Some(DraftState::Scheduled));
        documents.publish_due().await.expect("looks");
        assert!(matches!(documents.read(&org.fisherman.viewer, id).await, Err(Error::NotFound)));
    }
}

// --- Around them -------------------------------------------------------------------------------------------------------------

async fn a_text_that_cannot_be_published_says_why(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let id = documents.blank(editor).await.expect("a form").draft.id;
    let (key, coast) = (id.to_string(), org.coast.id.to_string());
    let typed = DraftForm { expires_on: "2026-11-23", ..form(&key, "0", &coast, &coast) };
    documents.save_draft(editor, typed).await.expect("is saved");
    submit(backend, editor, id).await;
    approve(backend, editor, id, Some(&tomorrow(backend))).await.expect("is scheduled");
    backend.clock().advance(TimeDelta::days(9));
    documents.publish_due().await.expect("looks");
    let page = documents.draft(editor, id).await.expect("is on the desk");
    assert_eq!(page.held, Some((Held::Over, backend.clock().now())));
    documents.save_draft(editor, form(&key, "1", &coast, &coast)).await.expect("is mended");
    submit(backend, editor, id).await;
    assert_eq!(documents.draft(editor, id).await.expect("is in review").held, None, "it was corrected");
}

/// The branch that a text is for is merged into one of another commune while the text is scheduled.
async fn an_audience_that_moved_away_stops_a_scheduled_text(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let id = draft(backend, editor, &org.coast, &org.harbour).await;
    submit(backend, editor, id).await;
    approve(backend, editor, id, Some(&tomorrow(backend))).await.expect("is scheduled");
    let waits = draft(backend, editor, &org.coast, &org.harbour).await;
    submit(backend, editor, waits).await;
    let (version, seen) = shown(backend, editor, waits).await;

    let (harbour, farm) = (org.harbour.id.to_string(), org.farm.id.to_string());
    let merge = MergeForm { unit: &harbour, version: "0", target: &farm, on: "2026-11-21" };
    backend.unit_desk().merge(&org.operator.viewer, merge).await.expect("is merged");
    let form = PublishForm { id: &waits.to_string(), version: &version, review: &seen, when: "now", at: "", again: "" };
    let errors = refused(documents.publish(&chief(editor), form).await);
    assert_eq!(errors.problem("audience"), Some(&Problem::NotOffered), "nobody publishes beside the issuer");

    backend.clock().advance(TimeDelta::days(2));
    documents.publish_due().await.expect("looks");
    let page = documents.draft(editor, id).await.expect("is on the desk");
    assert_eq!((page.draft.status.work, page.held.map(|(why, _)| why)), (Some(DraftState::Draft), Some(Held::Audience)));
}

async fn only_people_who_may_approve_are_asked_to(backend: &Backend, org: &Fixture) {
    let (documents, editor, boss) = (backend.documents(), &org.coast_editor, &org.province_chief_editor);
    let id = draft(backend, &editor.viewer, &org.coast, &org.coast).await;
    let key = id.to_string();
    let people = documents.review(&editor.viewer, id).await.expect("a page").reviewers;
    let offered: Vec<_> = people.iter().map(|person| (person.member, person.may_approve)).collect();
    assert_eq!(offered, [(boss.id, true), (editor.id, false)], "the author cannot decide");

    let (author, above) = (editor.id.to_string(), boss.id.to_string());
    let ask = SubmitForm { id: &key, version: "1", ..SubmitForm::default() };
    for reviewer in [author.as_str(), &org.hills_editor.id.to_string(), &org.fisherman.id.to_string()] {
        let errors = refused(documents.submit(&editor.viewer, SubmitForm { reviewer, ..ask }).await);
        assert_eq!(errors.problem("reviewer"), Some(&Problem::NotOffered), "{reviewer}");
    }
    let stranger = org.fisherman.id.to_string();
    let errors = refused(documents.submit(&editor.viewer, SubmitForm { colleague: &stranger, ..ask }).await);
    assert_eq!(errors.problem("colleague"), Some(&Problem::NotOffered));

    // The chief editor wrote this one: an editor of the coast is asked for remarks and cannot decide.
    let own = draft(backend, &boss.viewer, &org.coast, &org.coast).await;
    let form = SubmitForm { id: &own.to_string(), version: "1", colleague: &author, ..SubmitForm::default() };
    assert!(documents.review(&boss.viewer, own).await.expect("a page").needs_another);
    documents.submit(&boss.viewer, form).await.expect("is sent");
    let page = documents.review(&editor.viewer, own).await.expect("was asked");
    assert!(
        page.permissions.comments && !page.permissions.reviews && !page.permissions.may(DocumentStep::WantChanges),
        "{:?}",
        page.permissions
    );
    assert_eq!(page.review.expect("is under way").commenters, std::slice::from_ref(&editor.name));
    assert!(
        documents.desk(&editor.viewer).await.expect("a desk").asked.iter().any(|row| row.document.id == own && row.comments_only)
    );

    documents.submit(&editor.viewer, SubmitForm { reviewer: &above, colleague: &above, ..ask }).await.expect("is sent");
    let asked = documents.desk(&boss.viewer).await.expect("a desk").asked;
    assert_eq!(asked.iter().filter(|row| row.document.id == id).map(|row| row.comments_only).collect::<Vec<_>>(), [false]);
}

/// The office of the reviewer ends; or, in stores of older versions, a person was asked who never had the right.
async fn a_review_by_somebody_without_the_right_is_open_to_all_who_may_approve(backend: &Backend, org: &Fixture) {
    let (documents, editor, boss) = (backend.documents(), &org.coast_editor.viewer, &org.province_chief_editor);
    let id = draft(backend, editor, &org.coast, &org.coast).await;
    let above = boss.id.to_string();
    let form = SubmitForm { id: &id.to_string(), version: "1", reviewer: &above, ..SubmitForm::default() };
    documents.submit(editor, form).await.expect("is sent");
    let other = chief(editor);
    let waits = |rows: Vec<domain::documents::desk::ReviewRow>| rows.iter().any(|row| row.document.id == id);
    assert!(!waits(documents.desk(&other).await.expect("a desk").asked), "somebody else was asked");
    assert!(!documents.review(editor, id).await.expect("a page").review.expect("is under way").is_stuck);

    // The reviewer wrote in it: attaching a file makes an author.
    backend.read_files_by(Extractor::within());
    documents.recall(editor, id).await.expect("is taken back");
    attached(backend, &boss.viewer, id, "Phụ lục.pdf", &pdf("Phụ lục")).await;
    let errors = refused(documents.submit(editor, form).await);
    assert_eq!(errors.problem("reviewer"), Some(&Problem::NotOffered), "an author is not asked to approve");
    documents.submit(editor, SubmitForm { reviewer: "", ..form }).await.expect("is sent to any");
    assert!(waits(documents.desk(&other).await.expect("a desk").asked), "it waits for every chief editor");
    assert!(!waits(documents.desk(&boss.viewer).await.expect("a desk").asked), "except for its author");
    assert_eq!(backend.home().page(&other).await.expect("opens").asked, 1);
}

async fn the_error_for_a_used_number_names_its_document(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let coast = org.coast.id.to_string();
    let first = documents.blank(editor).await.expect("a form").draft.id;
    let key = first.to_string();
    let numbered = DraftForm { number: "12-HD/ĐU", title: "Hướng dẫn neo đậu", ..form(&key, "0", &coast, &coast) };
    documents.save_draft(editor, numbered).await.expect("is saved");
    let second = documents.blank(editor).await.expect("a form").draft.id.to_string();
    let same = DraftForm { number: "12-HD/ĐU", ..form(&second, "0", &coast, &coast) };
    for is_out in [false, true] {
        if is_out {
            release(backend, editor, first).await;
        }
        let errors = refused(documents.save_draft(editor, same).await);
        assert_eq!(errors.problem("number"), Some(&Problem::NumberTaken));
        assert_eq!(errors.value(NUMBER_HOLDER), Some(&*key), "out: {is_out}");
        assert_eq!(errors.value(NUMBER_HOLDER_TITLE), Some("Hướng dẫn neo đậu"));
    }
}
