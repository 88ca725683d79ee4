//! The particulars of a document stay the same from the save to the correction, and readers see them.

use backend::{Backend, documents::DraftForm};
use chrono::{DateTime, NaiveDate};
use domain::{
    accounts::Viewer,
    documents::{
        DocumentField, DocumentKind, Relation,
        desk::DocumentDraft,
        steps::{DocumentStatus, DraftState},
    },
    ids::DocumentId,
    members::Standing,
};

use crate::{
    documents::{form, release, version},
    engines::on_both_engines,
    support::Fixture,
};

on_both_engines! {
    particulars_stay_through_every_step,
    excepted_units_stay_through_every_step,
}

/// Fields of a form that are not particulars but belong to its text and state. Excepted units have a test of their own: there is
/// no unit below the part that `expected` names.
const OTHERS: [&str; 6] = ["id", "body", "status", "version", "saved_at", "except"];

const NUMBERS: [&str; 3] = ["11-HD/ĐU", "12-HD/ĐU", "13-HD/ĐU"];

/// A form without the fields of its text and state.
fn alone(draft: DocumentDraft) -> DocumentDraft {
    DocumentDraft { body: String::new(), status: DocumentStatus::NEW, version: 0, saved_at: DateTime::UNIX_EPOCH, ..draft }
}

async fn at_the_desk(backend: &Backend, editor: &Viewer, id: DocumentId) -> DocumentDraft {
    alone(backend.documents().draft(editor, id).await.expect("is on the desk").draft)
}

/// The expected form of this document, with each particular different from the one of an empty form.
fn expected(org: &Fixture, blank: DocumentDraft) -> DocumentDraft {
    let [supersedes, amends, guides] = NUMBERS.map(str::to_owned);
    let expected = DocumentDraft {
        kind: DocumentKind::Directive,
        number: "7-CT/ĐU".to_owned(),
        title: "Chỉ thị về neo đậu".to_owned(),
        signer: "Nguyễn Văn An, Bí thư".to_owned(),
        field: Some(DocumentField::Economy),
        issuer: org.coast.clone(),
        audience: org.coast.clone(),
        parts: vec![org.harbour.clone()],
        standings: vec![Standing::Official],
        supersedes,
        amends,
        guides,
        must_read_by: NaiveDate::from_ymd_opt(2026, 11, 30),
        expires_on: NaiveDate::from_ymd_opt(2026, 12, 31),
        is_pinned: true,
        correction: "Sửa giờ neo đậu.".to_owned(),
        ..alone(blank.clone())
    };
    let fields = |draft: &DocumentDraft| match serde_json::to_value(draft) {
        Ok(serde_json::Value::Object(fields)) => fields,
        other => panic!("a form is an object: {other:?}"),
    };
    let empty = fields(&blank);
    for (field, value) in fields(&expected) {
        let is_set = Some(&value) != empty.get(&field);
        assert!(is_set || OTHERS.contains(&field.as_str()), "{field} is set in `expected` and in the form that is saved");
    }
    expected
}

async fn particulars_stay_through_every_step(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.province_chief_editor.viewer);
    let coast = org.coast.id.to_string();
    for number in NUMBERS {
        let id = documents.blank(editor).await.expect("a form").draft.id;
        let key = id.to_string();
        let typed = DraftForm { number, ..form(&key, "0", &coast, &coast) };
        documents.save_draft(editor, typed).await.expect("is saved");
        release(backend, editor, id).await;
    }
    let blank = documents.blank(editor).await.expect("a form").draft;
    let (id, key, parts) = (blank.id, blank.id.to_string(), [org.harbour.id.to_string()]);
    let expected = expected(org, blank);
    let typed = DraftForm {
        kind: "directive",
        number: "7-CT/ĐU",
        title: "Chỉ thị về neo đậu",
        signer: "Nguyễn Văn An, Bí thư",
        field: "economy",
        parts: &parts,
        standings: "official",
        supersedes: NUMBERS[0],
        amends: NUMBERS[1],
        guides: NUMBERS[2],
        must_read_by: "30/11/2026",
        expires_on: "31/12/2026",
        pinned: "yes",
        correction: "Sửa giờ neo đậu.",
        ..form(&key, "0", &coast, &coast)
    };
    documents.save_draft(editor, typed).await.expect("is saved");
    assert_eq!(at_the_desk(backend, editor, id).await, expected, "in work");

    release(backend, editor, id).await;
    // A note to readers belongs to one correction: nothing was corrected yet, and the next correction needs its own.
    let without_note = DocumentDraft { correction: String::new(), ..expected.clone() };
    assert_eq!(at_the_desk(backend, editor, id).await, without_note, "published");
    read_by_a_member(backend, org, id, &expected).await;

    documents.revise(editor, id).await.expect("a correction is begun");
    assert_eq!(at_the_desk(backend, editor, id).await, without_note, "in the correction");
    let newest = version(backend, editor, id).await;
    documents.save_draft(editor, DraftForm { version: &newest, body: "Bản hai.", ..typed }).await.expect("is saved");
    documents.restore(editor, id, 1).await.expect("the first text comes back");
    let restored = documents.draft(editor, id).await.expect("is on the desk").draft;
    assert!(restored.status.work == Some(DraftState::Draft) && restored.body.contains("Tải tài liệu"), "{restored:?}");
    assert_eq!(alone(restored), expected, "with the first text again");

    release(backend, editor, id).await;
    assert_eq!(at_the_desk(backend, editor, id).await, expected, "corrected");
    read_by_a_member(backend, org, id, &expected).await;
}

async fn excepted_units_stay_through_every_step(backend: &Backend, org: &Fixture) {
    let (documents, editor) = (backend.documents(), &org.province_chief_editor.viewer);
    let id = documents.blank(editor).await.expect("a form").draft.id;
    let (key, province, except) = (id.to_string(), org.province.id.to_string(), [org.harbour.id.to_string()]);
    let harbour = std::slice::from_ref(&org.harbour);
    let typed = DraftForm { except: &except, correction: "Sửa giờ.", ..form(&key, "0", &province, &province) };
    documents.save_draft(editor, typed).await.expect("is saved");
    let excepted = async || at_the_desk(backend, editor, id).await.except;
    assert_eq!(excepted().await, harbour, "in work");
    release(backend, editor, id).await;
    assert_eq!(excepted().await, harbour, "published");
    let reader = &org.teacher.viewer;
    assert_eq!(documents.read(reader, id).await.expect("is out").imprint.except, harbour);
    documents.revise(editor, id).await.expect("a correction is begun");
    assert_eq!(excepted().await, harbour, "in the correction");
    let newest = version(backend, editor, id).await;
    documents.save_draft(editor, DraftForm { version: &newest, except: &[], ..typed }).await.expect("is saved");
    assert_eq!(excepted().await, []);
    let change = documents.review(editor, id).await.expect("a page").change;
    assert_eq!(change.out.map(|out| out.except), Some(harbour.to_vec()), "the approval compares them");
    release(backend, editor, id).await;
    assert_eq!(documents.read(&org.fisherman.viewer, id).await.expect("is out").imprint.except, []);
}

/// Asserts what a member sees of them, on the page and in the downloaded file.
async fn read_by_a_member(backend: &Backend, org: &Fixture, id: DocumentId, expected: &DocumentDraft) {
    let reader = &org.fisherman.viewer;
    let page = backend.documents().read(reader, id).await.expect("is out");
    let summary = page.summary;
    assert_eq!((summary.kind, summary.number.as_deref()), (expected.kind, Some(expected.number.as_str())));
    assert_eq!((&summary.title, &summary.issuer), (&expected.title, &expected.issuer));
    assert_eq!((summary.must_read_by, summary.pinned), (expected.must_read_by, true));
    let imprint = page.imprint;
    assert_eq!(imprint.signer.as_ref(), Some(&expected.signer));
    assert_eq!((&imprint.audience, &imprint.parts), (&expected.audience, &expected.parts));
    let related: Vec<_> = page.related.iter().map(|other| (other.relation, other.number.as_deref(), other.is_newer)).collect();
    let relations = [Relation::Supersedes, Relation::Amends, Relation::Guides];
    let named = relations.into_iter().zip(NUMBERS).map(|(relation, number)| (relation, Some(number), false));
    assert_eq!(related, named.collect::<Vec<_>>());

    let copy = backend.documents().copy(reader, id).await.expect("is out");
    assert_eq!((copy.summary, copy.imprint), (summary, imprint), "in the file");
}
