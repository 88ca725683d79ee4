//! Opinions, from sending to the answer.

use std::collections::BTreeSet;

use backend::{Backend, Error, feedback::OpinionForm, offices::GrantForm};
use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    events::EventBody,
    feedback::{OpinionState, ReceivedShown},
    forms::Problem,
    ids::{DocumentId, OpinionId},
    policy::Role,
};

use crate::{documents::published, engines::on_both_engines, support::Fixture};

on_both_engines! {
    the_same_form_is_one_opinion_and_one_event,
    the_same_text_from_two_tabs_is_one_opinion_for_a_day,
    only_the_named_readers_read_an_opinion,
    unanswered_opinions_are_listed_oldest_first,
    the_author_sees_that_it_was_seen_and_answered,
    an_opinion_needs_a_document_that_reaches_its_author,
    editors_are_offered_as_readers_only_where_there_are_any,
    the_secretary_is_named_first_of_those_who_read,
}

pub(crate) async fn send(backend: &Backend, viewer: &Viewer, document: DocumentId, audience: &str, text: &str) -> OpinionId {
    let id = backend.documents().invitation(viewer, document).await.expect("is invited").opinion.to_string();
    let document = document.to_string();
    backend.feedback().send(viewer, OpinionForm { opinion: &id, document: &document, audience, text }).await.expect("is sent")
}

async fn the_same_form_is_one_opinion_and_one_event(backend: &Backend, org: &Fixture) {
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

async fn the_same_text_from_two_tabs_is_one_opinion_for_a_day(backend: &Backend, org: &Fixture) {
    let document = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    let member = &org.fisherman.viewer;
    let mut tabs = Vec::new();
    for _ in 0..4 {
        let id = backend.documents().invitation(member, document).await.expect("is invited").opinion.to_string();
        let (backend, viewer, about) = (backend.clone(), member.clone(), document.to_string());
        tabs.push(tokio::spawn(async move {
            let form = OpinionForm { opinion: &id, document: &about, audience: "branch", text: "Xin gửi sớm." };
            backend.feedback().send(&viewer, form).await
        }));
    }
    let mut receipts = Vec::new();
    for tab in tabs {
        receipts.push(tab.await.expect("runs").expect("is sent"));
    }
    receipts.dedup();
    let [first] = receipts[..] else { panic!("{receipts:?}") };
    let own = async || backend.feedback().own(member, None).await.expect("a list").opinions.len();
    assert_eq!(own().await, 1);

    backend.clock().advance(TimeDelta::hours(23));
    assert_eq!(send(backend, member, document, "branch", " Xin gửi sớm.").await, first, "also hours later");
    for (audience, text) in [("committee", "Xin gửi sớm."), ("branch", "Xin gửi sớm!")] {
        assert_ne!(send(backend, member, document, audience, text).await, first, "{audience} {text}");
    }
    assert_ne!(send(backend, &org.probationary.viewer, document, "branch", "Xin gửi sớm.").await, first, "another person");
    let other = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    assert_ne!(send(backend, member, other, "branch", "Xin gửi sớm.").await, first, "another document");
    assert_eq!(own().await, 4);
    backend.clock().advance(TimeDelta::hours(1));
    assert_ne!(send(backend, member, document, "branch", "Xin gửi sớm.").await, first, "the day has passed");
}

async fn only_the_named_readers_read_an_opinion(backend: &Backend, org: &Fixture) {
    let document = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    let everyone = [
        &org.fisherman,
        &org.secretary,
        &org.deputy,
        &org.teacher,
        &org.school_secretary,
        &org.coast_secretary,
        &org.coast_committee_member,
        &org.coast_editor,
        &org.province_chief_editor,
        &org.province_statistician,
        &org.coast_registrar,
        &org.former_secretary,
        &org.farm_secretary,
        &org.hills_editor,
        &org.operator,
    ];
    let table = [
        ("branch", vec![&org.secretary, &org.deputy]),
        ("committee", vec![&org.secretary, &org.deputy, &org.coast_secretary]),
        ("editors", vec![&org.secretary, &org.deputy, &org.coast_editor]),
    ];
    for (audience, readers) in table {
        let id = send(backend, &org.fisherman.viewer, document, audience, "Ý kiến.").await;
        for person in everyone {
            let reads = readers.iter().any(|reader| reader.id == person.id);
            let opened = backend.feedback().open(&person.viewer, id).await;
            let listed = backend.feedback().received(&person.viewer, ReceivedShown::Waiting, None).await;
            let listed = listed.is_ok_and(|received| received.list.opinions.iter().any(|opinion| opinion.id == id));
            assert_eq!((opened.is_ok(), listed), (reads, reads), "{audience} {}: {opened:?}", person.name);
            assert!(reads || matches!(opened, Err(Error::NotFound)));
            let own = person.id == org.fisherman.id;
            assert_eq!(backend.feedback().receipt(&person.viewer, id).await.is_ok(), own, "{}", person.name);
        }
    }
}

async fn unanswered_opinions_are_listed_oldest_first(backend: &Backend, org: &Fixture) {
    let document = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    let mut sent = Vec::new();
    for text in ["Một.", "Hai.", "Ba."] {
        backend.clock().advance(TimeDelta::seconds(1));
        sent.push(send(backend, &org.fisherman.viewer, document, "branch", text).await);
    }
    let listed = async |shown, after| {
        let received = backend.feedback().received(&org.secretary.viewer, shown, after).await.expect("a list");
        received.list.opinions.into_iter().map(|opinion| opinion.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(ReceivedShown::Waiting, None).await, sent);
    assert_eq!(listed(ReceivedShown::All, None).await, [sent[2], sent[1], sent[0]]);
    assert_eq!(listed(ReceivedShown::Waiting, Some(sent[0])).await, sent[1..]);
    backend.feedback().answer(&org.secretary.viewer, &sent[1].to_string(), "Đã ghi nhận.").await.expect("answers");
    assert_eq!(listed(ReceivedShown::Waiting, None).await, [sent[0], sent[2]]);
    assert_eq!(listed(ReceivedShown::Waiting, Some(sent[1])).await, [sent[2]], "answered while the page was open");
    assert_eq!(listed(ReceivedShown::All, None).await.len(), 3);
}

async fn the_author_sees_that_it_was_seen_and_answered(backend: &Backend, org: &Fixture) {
    let document = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    let id = send(backend, &org.fisherman.viewer, document, "editors", "Ý kiến.").await;
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
    assert_eq!(
        (receipt.state, receipt.answer.map(|answer| answer.text)),
        (OpinionState::Answered, Some("Đã tiếp thu.".to_owned()))
    );
}

async fn an_opinion_needs_a_document_that_reaches_its_author(backend: &Backend, org: &Fixture) {
    let document = published(backend, &org.coast_editor.viewer, &org.coast, &org.harbour).await;
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
    send(backend, &org.exempt.viewer, document, "branch", "Ý kiến của người được miễn.").await;
    backend.catch_up().await.expect("reads the log");
    let bodies: Vec<_> = std::iter::from_fn(|| events.try_recv().ok()).map(|event| event.body).collect();
    let is_sent = |body: &EventBody| matches!(body, EventBody::OpinionSent { counted: Some(false), .. });
    assert!(bodies.iter().any(is_sent), "{bodies:?}");
}

async fn editors_are_offered_as_readers_only_where_there_are_any(backend: &Backend, org: &Fixture) {
    let chief_editor = &org.province_chief_editor.viewer;
    for offered in [true, false] {
        if !offered {
            let (offices, registrar) = (backend.offices(), &org.coast_registrar.viewer);
            let held = offices.list(registrar, org.coast.id, None).await.expect("a list").current;
            let editor = held.iter().find(|office| office.role == Role::Editor).expect("an editor");
            offices.end(registrar, editor.id).await.expect("ends");
        }
        let document = published(backend, chief_editor, &org.coast, &org.harbour).await;
        let invitation = backend.documents().invitation(&org.fisherman.viewer, document).await.expect("is invited");
        assert_eq!(invitation.editors, offered.then(|| org.coast.clone()));
        let (key, about) = (invitation.opinion.to_string(), document.to_string());
        let form = OpinionForm { opinion: &key, document: &about, audience: "editors", text: "Ý kiến." };
        match backend.feedback().send(&org.fisherman.viewer, form).await {
            Err(Error::Invalid(errors)) if !offered => {
                assert_eq!(errors.problem("audience"), Some(&Problem::NotOffered));
                assert_eq!(errors.value("text"), Some("Ý kiến."), "the typed text comes back");
            }
            other => assert!(offered && other.is_ok(), "{other:?}"),
        }
    }
}

async fn the_secretary_is_named_first_of_those_who_read(backend: &Backend, org: &Fixture) {
    // With so many readers, the secretary is unlikely to be the first by chance.
    let (unit, today) = (org.harbour.id.to_string(), backend.clock().today().to_string());
    for deputy in [&org.fisherman, &org.exempt, &org.not_activated] {
        let card = format!("51.{}", &deputy.national_id[6..]);
        let form = GrantForm { unit: &unit, card: &card, role: "deputy", from: &today, until: "" };
        backend.offices().grant(&org.coast_registrar.viewer, form).await.expect("is given");
    }
    let document = published(backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    let invitation = backend.documents().invitation(&org.probationary.viewer, document).await.expect("is invited");
    let mut readers = invitation.branch_readers.into_iter();
    assert_eq!(readers.next().as_ref(), Some(&org.secretary.name));
    let deputies = [&org.deputy, &org.fisherman, &org.exempt, &org.not_activated].map(|deputy| deputy.name.clone());
    assert_eq!(readers.collect::<BTreeSet<_>>(), BTreeSet::from(deputies));
}
