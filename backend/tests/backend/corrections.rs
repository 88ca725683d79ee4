//! A correction reaches those who had read the previous text, and its editors see who has read the new one.

use backend::{Backend, Error, documents::DraftForm};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    accounts::Viewer,
    documents::{
        DocumentSummary, LibraryQuery, PersonalList,
        reading::{Recording, Seen},
    },
    ids::DocumentId,
    statistics::Share,
};

use crate::{
    desk::save,
    documents::{chief, form, published, release},
    engines::on_both_engines,
    support::{Fixture, read_through},
};

on_both_engines! {
    readers_of_the_wrong_text_are_notified_until_they_open_the_right_one,
    a_text_republished_after_a_withdrawal_is_notified_like_a_correction,
    a_corrected_must_read_has_to_be_opened_again,
    readers_of_the_corrected_text_are_counted_separately,
    reading_the_previous_text_on_an_open_page_is_not_reading_the_corrected_one,
}

pub(crate) async fn correct(backend: &Backend, editor: &Viewer, id: DocumentId, body: &str) {
    backend.documents().revise(editor, id).await.expect("is begun");
    save(backend, editor, id, body).await;
    release(backend, editor, id).await;
}

/// The day of correction in every list of this person that contains the document.
async fn corrected_days(backend: &Backend, viewer: &Viewer, id: DocumentId) -> Vec<Option<NaiveDate>> {
    let documents = backend.documents();
    let day = |rows: Vec<DocumentSummary>| rows.into_iter().find(|row| row.id == id).map(|row| row.corrected_on);
    let shelf = documents.list(viewer, &LibraryQuery::default()).await.expect("a library").documents;
    let recent = documents.personal(viewer, PersonalList::Recent, None).await.expect("a list").rows;
    let home = backend.home().page(viewer).await.expect("opens").newest;
    [shelf, recent.into_iter().map(|row| row.document).collect(), home].into_iter().filter_map(day).collect()
}

async fn readers_of_the_wrong_text_are_notified_until_they_open_the_right_one(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let (reader, other) = (&org.fisherman.viewer, &org.secretary.viewer);
    let id = published(backend, editor, &org.coast, &org.harbour).await;
    documents.read(reader, id).await.expect("is read");
    for _ in 0..6 {
        // Enough newer documents that the corrected one is not among the newest.
        backend.clock().advance(TimeDelta::minutes(1));
        published(backend, editor, &org.coast, &org.harbour).await;
    }
    assert_eq!(corrected_days(backend, reader, id).await, [None, None], "in the library and among what was opened");

    // Within minutes of the first opening, so that both are one sitting.
    correct(backend, editor, id, "Số mới: 0255 3 822 222.").await;
    let today = NaiveDate::from_ymd_opt(2026, 11, 21);
    assert_eq!(corrected_days(backend, reader, id).await, [today, today, today], "on the first page too");
    assert_eq!(corrected_days(backend, other, id).await, [None], "unread for those who had not read it");
    documents.read(other, id).await.expect("is read");
    assert_eq!(corrected_days(backend, other, id).await, [None, None]);

    let page = documents.read(reader, id).await.expect("is read again");
    assert_eq!(page.correction.expect("says so").note.as_deref(), Some("Sửa số điện thoại."));
    assert_eq!(corrected_days(backend, reader, id).await, [None, None], "until it is opened");
    correct(backend, editor, id, "Số mới nhất: 0255 3 822 333.").await;
    assert_eq!(corrected_days(backend, reader, id).await, [today, today, today], "the next correction is notified again");
    documents.withdraw(&chief(editor), id, "Sai số liệu.").await.expect("is withdrawn");
    assert!(corrected_days(backend, reader, id).await.iter().all(Option::is_none), "a withdrawn text is no correction");
}

async fn a_text_republished_after_a_withdrawal_is_notified_like_a_correction(backend: &Backend, org: &Fixture) {
    let (documents, editor, reader) = (backend.documents(), &org.coast_editor.viewer, &org.fisherman.viewer);
    let id = published(backend, editor, &org.coast, &org.harbour).await;
    documents.read(reader, id).await.expect("is read");
    documents.withdraw(&chief(editor), id, "Sai số liệu.").await.expect("is withdrawn");
    correct(backend, editor, id, "Số liệu đúng.").await;
    assert!(corrected_days(backend, reader, id).await.iter().all(Option::is_some));
    documents.read(reader, id).await.expect("is read again");
    assert!(corrected_days(backend, reader, id).await.iter().all(Option::is_none));
}

async fn a_corrected_must_read_has_to_be_opened_again(backend: &Backend, org: &Fixture) {
    let (documents, editor, reader) = (backend.documents(), &org.coast_editor.viewer, &org.fisherman.viewer);
    let id = documents.blank(editor).await.expect("a form").draft.id;
    let (key, issuer) = (id.to_string(), org.coast.id.to_string());
    let left = async || backend.home().page(reader).await.expect("opens").must_read;
    let first = DraftForm { must_read_by: "30/11/2026", ..form(&key, "0", &issuer, &issuer) };
    documents.save_draft(editor, first).await.expect("is saved");
    release(backend, editor, id).await;
    assert_eq!(left().await, 1);
    read_through(backend, reader, id).await;
    assert_eq!(left().await, 0);
    documents.revise(editor, id).await.expect("is begun");
    let version = documents.draft(editor, id).await.expect("is on the desk").draft.version.to_string();
    let body = "Số mới: 0255 3 822 222.";
    let right =
        DraftForm { must_read_by: "30/11/2026", body, correction: "Sửa số.", ..form(&key, &version, &issuer, &issuer) };
    documents.save_draft(editor, right).await.expect("is saved");
    release(backend, editor, id).await;
    assert_eq!(left().await, 1);
    documents.read(reader, id).await.expect("is read again");
    assert_eq!(left().await, 0);
}

async fn readers_of_the_corrected_text_are_counted_separately(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let (reader, secretary) = (&org.fisherman.viewer, &org.secretary.viewer);
    let id = published(backend, editor, &org.coast, &org.harbour).await;
    for reader in [&org.fisherman, &org.probationary, &org.deputy] {
        read_through(backend, &reader.viewer, id).await;
    }
    assert_eq!(documents.readers(secretary, id, None).await.expect("a page").corrected, None);
    backend.clock().advance(TimeDelta::days(1));
    correct(backend, editor, id, "Số mới.").await;
    // Readers of the document, and those who have opened and who have read the corrected text.
    let counted = async || {
        let page = documents.readers(secretary, id, None).await.expect("a page");
        let corrected = page.corrected.expect("it was corrected");
        let done = |share: Option<Share>| share.expect("is shown").done;
        (done(page.total.share), corrected.opened.expect("is shown"), done(corrected.total.share))
    };
    assert_eq!(counted().await, (3, 0, 0));
    for reader in [&org.fisherman, &org.fisherman, &org.exempt] {
        documents.read(&reader.viewer, id).await.expect("is opened");
    }
    assert_eq!(counted().await, (3, 1, 0), "exempt members do not count, and opening is not reading");
    let names = documents.readers(secretary, id, None).await.expect("a page").names.expect("names");
    let before: Vec<_> = names.read.iter().filter(|row| row.before_correction).map(|row| row.member).collect();
    assert!(before.contains(&org.deputy.id) && !before.contains(&org.fisherman.id), "{names:?}");

    let told = documents.mark_read(reader, id, Seen::End).await;
    assert!(matches!(told, Err(Error::NotAllowed)), "too soon after this text was opened: {told:?}");
    assert_eq!(own_reading(backend, reader, id).await, None, "another text was read");
    for reader in [&org.fisherman, &org.fisherman, &org.exempt] {
        documents.mark_read(&reader.viewer, id, Seen::Said).await.expect("is recorded");
    }
    assert_eq!(counted().await, (3, 1, 1), "a reader of both counts once");
    assert_eq!(own_reading(backend, reader, id).await, Some(backend.clock().today()));
    correct(backend, editor, id, "Số mới nhất.").await;
    assert_eq!(counted().await, (3, 0, 0), "of the published text");
}

async fn reading_the_previous_text_on_an_open_page_is_not_reading_the_corrected_one(backend: &Backend, org: &Fixture) {
    let (documents, editor, reader) = (backend.documents(), &org.coast_editor.viewer, &org.fisherman.viewer);
    let id = published(backend, editor, &org.coast, &org.harbour).await;
    let done = async || {
        let page = documents.readers(&org.secretary.viewer, id, None).await.expect("a page");
        let of_corrected = page.corrected.map(|corrected| corrected.total.share.expect("is shown").done);
        (page.total.share.expect("is shown").done, of_corrected)
    };
    documents.read(reader, id).await.expect("opens the first text");
    correct(backend, editor, id, "Số mới.").await;
    assert!(!documents.mark_read(reader, id, Seen::Said).await.expect("is answered"), "the page they see is the first one");
    assert_eq!(done().await, (0, Some(0)));
    assert!(corrected_days(backend, reader, id).await.iter().all(Option::is_some), "the correction is still shown");

    assert_eq!(own_reading(backend, reader, id).await, None, "opens the corrected one");
    assert!(documents.mark_read(reader, id, Seen::Said).await.expect("is answered"));
    assert_eq!(done().await, (1, Some(1)));
}

/// The day of reading that the page of the document shows its reader.
async fn own_reading(backend: &Backend, viewer: &Viewer, id: DocumentId) -> Option<NaiveDate> {
    match backend.documents().read(viewer, id).await.expect("opens").recording {
        Recording::Member(receipt) => receipt.read_on,
        Recording::Looks | Recording::Elsewhere => None,
    }
}
