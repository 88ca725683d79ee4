//! The first page for people with an office.

use backend::{Backend, documents::DraftForm, feedback::OpinionForm, members::TransferForm};
use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    home::{
        Pending,
        WorkKind::{self, Answers, Codes, Corrections, QualityIssues, Reassignments, Reviews, Transfers, Unread},
    },
};

use crate::{
    documents::{draft, form, published, release, submit},
    engines::on_both_engines,
    support::{Fixture, read_through},
};

on_both_engines! {
    pending_work_is_shown_to_the_office_it_is_for,
    counts_are_cached_briefly_and_per_person,
}

async fn work(backend: &Backend, viewer: &Viewer) -> Vec<(WorkKind, u64)> {
    backend.home().page(viewer).await.expect("a page").work.into_iter().map(|item| (item.kind, item.count)).collect()
}

async fn pending_work_is_shown_to_the_office_it_is_for(backend: &Backend, org: &Fixture) {
    let (secretary, registrar, chief) = (&org.secretary.viewer, &org.coast_registrar.viewer, &org.province_chief_editor.viewer);
    assert_eq!(work(backend, &org.fisherman.viewer).await, [], "without an office");
    assert_eq!(work(backend, secretary).await, [(Answers, 0), (Unread, 0), (Transfers, 0), (Codes, 1)]);
    assert_eq!(work(backend, &org.coast_secretary.viewer).await, [(Answers, 0), (Transfers, 0), (Codes, 1)]);
    assert_eq!(
        work(backend, registrar).await,
        [
            (Transfers, 0),
            (Corrections, 0),
            (QualityIssues, quality_issues(backend, registrar).await),
            (Reassignments, 0),
            (Codes, 1)
        ]
    );
    assert_eq!(work(backend, &org.operator.viewer).await, [(Reassignments, 0)]);
    assert_eq!(work(backend, chief).await, [(Answers, 0), (Reviews, 0)]);

    let editor = &org.coast_editor.viewer;
    let document = published(backend, editor, &org.coast, &org.coast).await;
    let (key, about) = (backend.clock().ulid().to_string(), document.to_string());
    let opinion = OpinionForm { opinion: &key, document: &about, audience: "branch", text: "Ý kiến." };
    backend.feedback().send(&org.fisherman.viewer, opinion).await.expect("is sent");
    let waiting = draft(backend, editor, &org.coast, &org.coast).await;
    submit(backend, editor, waiting).await;
    let (member, to) = (org.farmer.id.to_string(), org.harbour.id.to_string());
    let transfer = TransferForm { member: &member, to: &to, reason: "Chuyển nơi cư trú." };
    backend.members().request_transfer(&org.farm_secretary.viewer, transfer).await.expect("is asked for");
    assert_eq!(work(backend, secretary).await, [(Answers, 1), (Unread, 0), (Transfers, 1), (Codes, 1)]);
    assert_eq!(
        work(backend, &org.coast_secretary.viewer).await,
        [(Answers, 0), (Transfers, 1), (Codes, 1)],
        "what was meant for the branch"
    );
    assert_eq!(work(backend, chief).await, [(Answers, 0), (Reviews, 1)]);
    assert_eq!(work(backend, editor).await, [(Answers, 0)], "the author does not approve");

    let id = backend.documents().blank(editor).await.expect("a form").draft.id;
    let (key, issuer) = (id.to_string(), org.coast.id.to_string());
    let must = DraftForm { must_read_by: "30/11/2026", standings: "probationary", ..form(&key, "0", &issuer, &issuer) };
    backend.documents().save_draft(editor, must).await.expect("is saved");
    release(backend, editor, id).await;
    assert_eq!(work(backend, secretary).await[1], (Unread, 1));
    backend.documents().read(&org.probationary.viewer, id).await.expect("opens");
    assert_eq!(work(backend, secretary).await[1], (Unread, 1), "opening is not reading");
    read_through(backend, &org.probationary.viewer, id).await;
    assert_eq!(work(backend, secretary).await[1], (Unread, 0));
}

async fn counts_are_cached_briefly_and_per_person(backend: &Backend, org: &Fixture) {
    let (secretary, deputy) = (&org.secretary.viewer, &org.deputy.viewer);
    let before = pending(backend, secretary).await;
    assert_eq!((before.at("/branch"), before.at("/codes"), before.all_work()), (0, 1, 1));
    let document = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    let (key, about) = (backend.clock().ulid().to_string(), document.to_string());
    let opinion = OpinionForm { opinion: &key, document: &about, audience: "branch", text: "Ý kiến." };
    backend.feedback().send(&org.fisherman.viewer, opinion).await.expect("is sent");
    assert_eq!(pending(backend, secretary).await, before, "still cached");
    assert_eq!(pending(backend, deputy).await.at("/branch"), 1, "cached per person");
    let resting = secretary.clone().at_rest();
    assert_eq!(pending(backend, &resting).await.work, [], "without the office there are none");
    assert_eq!(pending(backend, secretary).await.at("/branch"), 1, "cached per standpoint");

    let key = backend.clock().ulid().to_string();
    let opinion = OpinionForm { opinion: &key, document: &about, audience: "branch", text: "Ý kiến khác." };
    backend.feedback().send(&org.fisherman.viewer, opinion).await.expect("is sent");
    assert_eq!(pending(backend, secretary).await.at("/branch"), 1);
    backend.home().forget_pending(org.secretary.id);
    assert_eq!(pending(backend, secretary).await.at("/branch"), 2, "after an action of the person");
    backend.clock().advance(TimeDelta::seconds(31));
    let key = backend.clock().ulid().to_string();
    let opinion = OpinionForm { opinion: &key, document: &about, audience: "branch", text: "Ý kiến sau cùng." };
    backend.feedback().send(&org.fisherman.viewer, opinion).await.expect("is sent");
    assert_eq!(pending(backend, secretary).await.at("/branch"), 3, "the cache has expired");
}

async fn pending(backend: &Backend, viewer: &Viewer) -> Pending {
    backend.home().pending(viewer).await.expect("counts")
}

async fn quality_issues(backend: &Backend, registrar: &Viewer) -> u64 {
    backend.members().search(registrar, "", None, None).await.expect("a page").waiting.quality_issues
}
