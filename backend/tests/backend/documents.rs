//! Documents, from the view of members and editors.

use std::fmt::Debug;

use backend::{
    Backend, Error,
    documents::{DraftForm, PublishForm, SubmitForm},
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    documents::{DocumentKind, LibraryQuery, reading::Seen, steps::DocumentState},
    events::EventKind,
    forms::{FormErrors, Problem},
    ids::{DocumentId, PublishedKey},
    policy::Role,
    units::UnitRef,
};

use crate::{
    engines::on_both_engines,
    support::{Fixture, backend},
};

on_both_engines! {
    a_document_reaches_its_audience_and_nobody_else,
    the_first_opening_and_the_first_reading_count_once_however_many_at_once,
    a_stale_save_keeps_both_texts,
    an_editor_stays_within_the_own_subtree,
    an_issuer_uses_a_number_once,
    the_library_is_paged_newest_first_without_gap_or_repetition,
    the_desk_shows_every_state,
}

/// An editor's form with every field filled in.
pub(crate) fn form<'f>(id: &'f str, version: &'f str, issuer: &'f str, audience: &'f str) -> DraftForm<'f> {
    DraftForm {
        id,
        version,
        kind: "guidance",
        title: "Hướng dẫn đi biển dài ngày",
        issuer,
        audience,
        body: "## Trước chuyến biển\n\nTải tài liệu về máy.",
        ..DraftForm::default()
    }
}

pub(crate) async fn draft(backend: &Backend, editor: &Viewer, issuer: &UnitRef, audience: &UnitRef) -> DocumentId {
    let id = backend.documents().blank(editor).await.expect("a form").draft.id.to_string();
    let (issuer, audience) = (issuer.id.to_string(), audience.id.to_string());
    backend.documents().save_draft(editor, form(&id, "0", &issuer, &audience)).await.expect("is saved")
}

pub(crate) async fn published(backend: &Backend, editor: &Viewer, issuer: &UnitRef, audience: &UnitRef) -> DocumentId {
    let id = draft(backend, editor, issuer, audience).await;
    release(backend, editor, id).await;
    id
}

/// Sends a draft to review and publishes it.
pub(crate) async fn release(backend: &Backend, editor: &Viewer, id: DocumentId) {
    submit(backend, editor, id).await;
    approve(backend, editor, id, None).await.expect("is published");
}

/// Approves what is shown now, for publication now or at this local time.
pub(crate) async fn approve(backend: &Backend, editor: &Viewer, id: DocumentId, at: Option<&str>) -> Result<(), Error> {
    let (version, review) = shown(backend, editor, id).await;
    let (when, at) = at.map_or(("now", ""), |at| ("later", at));
    let form = PublishForm { id: &id.to_string(), version: &version, review: &review, when, at, again: "yes" };
    backend.documents().publish(&chief(editor), form).await.map(|_| ())
}

/// The version and the review in an approval form that is rendered now.
pub(crate) async fn shown(backend: &Backend, editor: &Viewer, id: DocumentId) -> (String, String) {
    let page = backend.documents().draft(editor, id).await.expect("is on the desk");
    (page.draft.version.to_string(), page.review.unwrap_or_default())
}

/// The local time in one day, in the format of a form.
pub(crate) fn tomorrow(backend: &Backend) -> String {
    typed(backend.clock().now() + TimeDelta::days(1))
}

/// A local time in the format of a form.
pub(crate) fn typed(at: DateTime<Utc>) -> String {
    (at + TimeDelta::hours(7)).format("%Y-%m-%dT%H:%M").to_string()
}

/// The errors of a rejected form.
pub(crate) fn refused(done: Result<impl Debug, Error>) -> FormErrors {
    match done {
        Err(Error::Invalid(errors)) => errors,
        other => panic!("{other:?}"),
    }
}

/// Sends a draft for review by any chief editor.
pub(crate) async fn submit(backend: &Backend, editor: &Viewer, id: DocumentId) {
    let version = version(backend, editor, id).await;
    let form = SubmitForm { id: &id.to_string(), version: &version, ..SubmitForm::default() };
    backend.documents().submit(editor, form).await.expect("is sent");
}

/// The current review, as the approval page names it; empty for none.
pub(crate) async fn review(backend: &Backend, editor: &Viewer, id: DocumentId) -> String {
    backend.documents().draft(editor, id).await.expect("is on the desk").review.unwrap_or_default()
}

pub(crate) async fn version(backend: &Backend, editor: &Viewer, id: DocumentId) -> String {
    backend.documents().draft(editor, id).await.expect("is on the desk").draft.version.to_string()
}

/// A person other than this editor who may approve their text.
pub(crate) fn chief(editor: &Viewer) -> Viewer {
    let mut chief = editor.clone();
    chief.member = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("an id");
    for grant in &mut chief.standpoint.grants {
        grant.role = Role::ChiefEditor;
    }
    chief
}

async fn a_document_reaches_its_audience_and_nobody_else(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let id = draft(backend, editor, &org.coast, &org.harbour).await;
    let documents = backend.documents();
    assert!(matches!(documents.read(&org.fisherman.viewer, id).await, Err(Error::NotFound)), "a draft is invisible");
    assert!(matches!(documents.invitation(&org.fisherman.viewer, id).await, Err(Error::NotFound)));
    assert!(documents.draft(editor, id).await.is_ok(), "but not for its editor");

    release(backend, editor, id).await;
    let page = documents.read(&org.fisherman.viewer, id).await.expect("is readable");
    assert!(page.takes_opinions && !page.summary.read && page.html.contains("Tải tài liệu"), "{page:?}");
    assert!(!documents.read(&org.fisherman.viewer, id).await.expect("again").summary.read, "opened twice is not read");
    for stranger in [&org.teacher, &org.farmer, &org.farm_secretary, &org.hills_editor] {
        assert!(matches!(documents.read(&stranger.viewer, id).await, Err(Error::NotFound)), "{}", stranger.name);
        assert!(matches!(documents.invitation(&stranger.viewer, id).await, Err(Error::NotFound)), "{}", stranger.name);
        let library = documents.list(&stranger.viewer, &LibraryQuery::default()).await.expect("a page");
        assert!(library.documents.is_empty(), "{}", stranger.name);
        let after = LibraryQuery { after: Some(PublishedKey::new(id.ulid())), ..LibraryQuery::default() };
        let library = documents.list(&stranger.viewer, &after).await.expect("a place is no document");
        assert!(library.documents.is_empty(), "{}", stranger.name);
    }
    documents.withdraw(&chief(editor), id, "Sai số liệu.").await.expect("is withdrawn");
    assert!(matches!(documents.read(&org.fisherman.viewer, id).await, Err(Error::NotFound)));
}

async fn the_first_opening_and_the_first_reading_count_once_however_many_at_once(backend: &Backend, org: &Fixture) {
    let id = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    backend.catch_up().await.expect("reads the log");
    let mut events = backend.events().listen();
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let (backend, viewer) = (backend.clone(), org.fisherman.viewer.clone());
            tokio::spawn(async move { backend.documents().read(&viewer, id).await })
        })
        .collect();
    for reader in readers {
        reader.await.expect("runs").expect("reads");
    }
    assert_eq!(backend.catch_up().await.expect("reads the log"), 1);
    let event = events.try_recv().expect("one event");
    assert_eq!((event.kind(), event.actor), (EventKind::DocumentOpened, Some(org.fisherman.id)));

    let presses: Vec<_> = (0..8)
        .map(|_| {
            let (backend, viewer) = (backend.clone(), org.fisherman.viewer.clone());
            tokio::spawn(async move { backend.documents().mark_read(&viewer, id, Seen::Said).await })
        })
        .collect();
    for press in presses {
        press.await.expect("runs").expect("is recorded");
    }
    assert_eq!(backend.catch_up().await.expect("reads the log"), 1);
    let event = events.try_recv().expect("one event");
    assert_eq!((event.kind(), event.actor), (EventKind::DocumentRead, Some(org.fisherman.id)));
}

async fn a_stale_save_keeps_both_texts(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let id = draft(backend, editor, &org.coast, &org.coast).await;
    let (key, coast, harbour) = (id.to_string(), org.coast.id.to_string(), org.harbour.id.to_string());
    let documents = backend.documents();
    let first = DraftForm { body: "Bản thứ hai.", ..form(&key, "1", &coast, &coast) };
    documents.save_draft(editor, first).await.expect("is saved");
    documents.save_draft(editor, first).await.expect("the same button twice is no conflict");
    for other in [
        DraftForm { audience: &harbour, ..first },
        DraftForm { signer: "Nguyễn Văn An", ..first },
        DraftForm { must_read_by: "2027-01-31", ..first },
        DraftForm { pinned: "1", ..first },
    ] {
        match documents.save_draft(editor, other).await {
            Err(Error::Invalid(errors)) => assert_eq!(errors.problem("body"), Some(&Problem::Stale), "{other:?}"),
            done => panic!("{other:?} is not what was saved: {done:?}"),
        }
    }
    let late = DraftForm { body: "Bản của người khác.", ..form(&key, "1", &coast, &coast) };
    match documents.save_draft(&org.province_chief_editor.viewer, late).await {
        Err(Error::Invalid(errors)) => {
            assert_eq!(errors.problem("body"), Some(&Problem::Stale));
            assert_eq!(errors.value("body"), Some("Bản của người khác."), "the typed text comes back");
        }
        other => panic!("{other:?}"),
    }
    let stored = documents.draft(editor, id).await.expect("the draft").draft;
    assert_eq!((stored.body.as_str(), stored.version), ("Bản thứ hai.", 2), "the stored text stays");
}

async fn an_editor_stays_within_the_own_subtree(backend: &Backend, org: &Fixture) {
    let documents = backend.documents();
    let id = documents.blank(&org.coast_editor.viewer).await.expect("a form").draft.id.to_string();
    let (coast, hills, farm) = (org.coast.id.to_string(), org.hills.id.to_string(), org.farm.id.to_string());
    for (issuer, audience, field) in
        [(&hills, &farm, "issuer"), (&coast, &farm, "audience"), (&coast, &org.province.id.to_string(), "audience")]
    {
        match documents.save_draft(&org.coast_editor.viewer, form(&id, "0", issuer, audience)).await {
            Err(Error::Invalid(errors)) => assert_eq!(errors.problem(field), Some(&Problem::NotOffered)),
            other => panic!("{other:?}"),
        }
    }
    // A branch issues no documents, unless an office of the editor is there.
    let harbour = org.harbour.id.to_string();
    match documents.save_draft(&org.coast_editor.viewer, form(&id, "0", &harbour, &harbour)).await {
        Err(Error::Invalid(errors)) => assert_eq!(errors.problem("issuer"), Some(&Problem::NotOffered)),
        other => panic!("{other:?}"),
    }
    let member = documents.save_draft(&org.fisherman.viewer, form(&id, "0", &coast, &coast)).await;
    assert!(matches!(member, Err(Error::NotFound)), "{member:?}");
    assert!(matches!(documents.desk(&org.fisherman.viewer).await, Err(Error::NotFound)));
    let stored = draft(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    submit(backend, &org.coast_editor.viewer, stored).await;
    let key = stored.to_string();
    let review = review(backend, &org.coast_editor.viewer, stored).await;
    let now = PublishForm { id: &key, version: "1", review: &review, when: "now", at: "", again: "" };
    assert!(matches!(documents.publish(&org.hills_editor.viewer, now).await, Err(Error::NotFound)));
    let author = documents.publish(&org.coast_editor.viewer, now).await;
    assert!(matches!(author, Err(Error::NotAllowed)), "{author:?}");
    documents.publish(&org.province_chief_editor.viewer, now).await.expect("the chief editor above may");
    let refused = documents.publish(&org.fisherman.viewer, now).await;
    assert!(matches!(refused, Err(Error::NotAllowed)), "{refused:?}");
    let again = documents.publish(&org.province_chief_editor.viewer, now).await;
    assert!(matches!(again, Err(Error::Step(_))), "{again:?}");
}

async fn an_issuer_uses_a_number_once(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    let coast = org.coast.id.to_string();
    let documents = backend.documents();
    for (at, taken) in [(0, false), (1, true)] {
        let id = documents.blank(editor).await.expect("a form").draft.id.to_string();
        let saved = documents.save_draft(editor, DraftForm { number: "12-HD/ĐU", ..form(&id, "0", &coast, &coast) }).await;
        match saved {
            Err(Error::Invalid(errors)) if taken => assert_eq!(errors.problem("number"), Some(&Problem::NumberTaken)),
            other => assert!(other.is_ok() && !taken, "{at}: {other:?}"),
        }
    }
}

async fn the_library_is_paged_newest_first_without_gap_or_repetition(backend: &Backend, org: &Fixture) {
    let mut expected = Vec::new();
    for at in 0..45 {
        backend.clock().advance(TimeDelta::minutes(1));
        let (editor, issuer) =
            if at % 3 == 0 { (&org.province_chief_editor, &org.province) } else { (&org.coast_editor, &org.coast) };
        let audience = if at % 3 == 2 { &org.harbour } else { issuer };
        expected.push(published(backend, &editor.viewer, issuer, audience).await);
    }
    expected.reverse();
    let mut found = Vec::new();
    let mut query = LibraryQuery::default();
    loop {
        let page = backend.documents().list(&org.fisherman.viewer, &query).await.expect("a page");
        found.extend(page.documents.iter().map(|document| document.id));
        query.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(found, expected);
    let news = LibraryQuery { kind: Some(DocumentKind::News), ..LibraryQuery::default() };
    assert!(backend.documents().list(&org.fisherman.viewer, &news).await.expect("a page").documents.is_empty());
}

async fn the_desk_shows_every_state(backend: &Backend, org: &Fixture) {
    let editor = &org.coast_editor.viewer;
    draft(backend, editor, &org.coast, &org.coast).await;
    let out = published(backend, editor, &org.coast, &org.harbour).await;
    let back = published(backend, editor, &org.coast, &org.harbour).await;
    backend.documents().withdraw(&chief(editor), back, "Sai số liệu.").await.expect("is withdrawn");
    let desk = backend.documents().desk(editor).await.expect("a desk");
    assert_eq!((desk.drafts.len(), desk.published.len(), desk.withdrawn.len()), (1, 1, 1));
    assert_eq!((desk.published[0].id, desk.published[0].state), (out, DocumentState::Published));
}

#[tokio::test]
async fn an_empty_store_has_an_empty_desk_for_nobody() {
    let (backend, _) = backend().await;
    assert_eq!(backend.units().tree().len(), 0);
}
