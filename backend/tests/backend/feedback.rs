//! Opinions from the member to the answer.

use backend::{Backend, Error, feedback::OpinionForm};
use domain::{
    accounts::Viewer,
    events::EventKind,
    feedback::OpinionState,
    forms::Problem,
    ids::{DocumentId, OpinionId},
};

use crate::{
    documents::published,
    support::{Fixture, on_disk, organisation},
};

async fn send(backend: &Backend, viewer: &Viewer, document: DocumentId, audience: &str, text: &str) -> OpinionId {
    let id = backend.documents().invitation(viewer, document).await.expect("is invited").opinion.to_string();
    let document = document.to_string();
    backend.feedback().send(viewer, OpinionForm { opinion: &id, document: &document, audience, text }).await.expect("is sent")
}

async fn an_opinion_is_delivered_once(backend: &Backend, org: &Fixture) {
    let document = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    backend.catch_up().await.expect("reads the log");
    let id = backend.documents().invitation(&org.fisherman.viewer, document).await.expect("is invited").opinion;
    let (key, about) = (id.to_string(), document.to_string());
    let senders: Vec<_> = (0..6)
        .map(|_| {
            let (backend, viewer) = (backend.clone(), org.fisherman.viewer.clone());
            let (key, about) = (key.clone(), about.clone());
            tokio::spawn(async move {
                let form = OpinionForm { opinion: &key, document: &about, audience: "branch", text: "Xin gửi sớm." };
                backend.feedback().send(&viewer, form).await
            })
        })
        .collect();
    for sender in senders {
        assert_eq!(sender.await.expect("runs").expect("is sent"), id);
    }
    let form = OpinionForm { opinion: &key, document: &about, audience: "branch", text: "Xin gửi sớm." };
    assert_eq!(backend.feedback().send(&org.fisherman.viewer, form).await.expect("again"), id);
    assert_eq!(backend.catch_up().await.expect("reads the log"), 1);
    assert_eq!(backend.feedback().own(&org.fisherman.viewer, None).await.expect("a list").opinions.len(), 1);
    for (viewer, text) in [(&org.fisherman.viewer, "Khác."), (&org.probationary.viewer, "Xin gửi sớm.")] {
        match backend.feedback().send(viewer, OpinionForm { text, ..form }).await {
            Err(Error::Invalid(errors)) => assert_eq!(errors.problem("text"), Some(&Problem::Stale)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_form_is_one_opinion_and_one_event() {
    let (backend, _, org) = organisation().await;
    an_opinion_is_delivered_once(&backend, &org).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_form_is_one_opinion_and_one_event_on_disk() {
    let (backend, _, _folder) = on_disk().await;
    let org = Fixture::insert(&backend).await;
    an_opinion_is_delivered_once(&backend, &org).await;
}

#[tokio::test]
async fn exactly_those_who_were_named_read_an_opinion() {
    let (backend, _, org) = organisation().await;
    let document = published(&backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    let everyone = [
        &org.fisherman, &org.secretary, &org.deputy, &org.teacher, &org.school_secretary, &org.coast_secretary,
        &org.coast_committee_member, &org.coast_editor, &org.province_chief_editor, &org.province_statistician,
        &org.former_secretary, &org.farm_secretary, &org.hills_editor, &org.operator,
    ];
    let table = [
        ("branch", vec![&org.secretary, &org.deputy]),
        ("committee", vec![&org.secretary, &org.deputy, &org.coast_secretary]),
        ("editors", vec![&org.secretary, &org.deputy, &org.coast_editor]),
    ];
    for (audience, readers) in table {
        let id = send(&backend, &org.fisherman.viewer, document, audience, "Ý kiến.").await;
        for person in everyone {
            let reads = readers.iter().any(|reader| reader.id == person.id);
            let opened = backend.feedback().open(&person.viewer, id).await;
            let listed = backend.feedback().received(&person.viewer, None).await;
            let listed = listed.is_ok_and(|received| received.list.opinions.iter().any(|opinion| opinion.id == id));
            assert_eq!((opened.is_ok(), listed), (reads, reads), "{audience} {}: {opened:?}", person.name);
            assert!(reads || matches!(opened, Err(Error::NotFound)));
            let own = person.id == org.fisherman.id;
            assert_eq!(backend.feedback().receipt(&person.viewer, id).await.is_ok(), own, "{}", person.name);
        }
    }
}

#[tokio::test]
async fn the_author_sees_that_it_was_seen_and_answered() {
    let (backend, _, org) = organisation().await;
    let document = published(&backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    let id = send(&backend, &org.fisherman.viewer, document, "editors", "Ý kiến.").await;
    let feedback = backend.feedback();
    let state = async || feedback.receipt(&org.fisherman.viewer, id).await.expect("own").state;
    assert_eq!(state().await, OpinionState::Received);
    feedback.open(&org.secretary.viewer, id).await.expect("opens");
    assert_eq!(state().await, OpinionState::Seen);
    let key = id.to_string();
    assert!(matches!(feedback.answer(&org.coast_editor.viewer, &key, "Vâng.").await, Err(Error::NotAllowed)));
    assert!(matches!(feedback.answer(&org.farm_secretary.viewer, &key, "Vâng.").await, Err(Error::NotFound)));
    feedback.answer(&org.secretary.viewer, &key, "Đã tiếp thu.").await.expect("answers");
    feedback.answer(&org.secretary.viewer, &key, "Đã tiếp thu.").await.expect("the same button twice");
    let other = feedback.answer(&org.deputy.viewer, &key, "Khác.").await;
    assert!(matches!(other, Err(Error::Invalid(_))), "{other:?}");
    let receipt = feedback.receipt(&org.fisherman.viewer, id).await.expect("own");
    assert_eq!((receipt.state, receipt.answer.map(|answer| answer.text)), (OpinionState::Answered, Some("Đã tiếp thu.".to_owned())));
}

#[tokio::test]
async fn nobody_sends_where_nothing_reaches_them() {
    let (backend, _, org) = organisation().await;
    let document = published(&backend, &org.coast_editor.viewer, &org.coast, &org.harbour).await;
    let key = backend.clock().ulid().to_string();
    let about = document.to_string();
    let form = OpinionForm { opinion: &key, document: &about, audience: "branch", text: "Ý kiến." };
    for text in ["Ý kiến.", ""] {
        let refused = backend.feedback().send(&org.farmer.viewer, OpinionForm { text, ..form }).await;
        assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
    }
    match backend.feedback().send(&org.fisherman.viewer, OpinionForm { text: " ", audience: "", ..form }).await {
        Err(Error::Invalid(errors)) => assert_eq!(errors.problems.len(), 2),
        other => panic!("{other:?}"),
    }
    let mut events = backend.events().listen();
    send(&backend, &org.exempt.viewer, document, "branch", "Ý kiến của người được miễn.").await;
    backend.catch_up().await.expect("reads the log");
    let kinds: Vec<_> = std::iter::from_fn(|| events.try_recv().ok()).map(|event| event.kind).collect();
    assert!(kinds.contains(&EventKind::OpinionSent), "{kinds:?}");
}
