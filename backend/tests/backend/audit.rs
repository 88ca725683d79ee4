//! The audit trail: who sees which events, and that the sample is sealed like all other data.

use backend::{Error, audit::AuditQuery, offices::GrantForm};
use chrono::TimeDelta;
use domain::{
    audit::{AskedMember, AuditGroup},
    events::EventKind,
    policy::Role,
};

use crate::{
    documents::{chief, published},
    support::{Fixture, organisation, read_through},
};

async fn give(backend: &backend::Backend, org: &Fixture, role: &str) {
    let unit = org.harbour.id.to_string();
    let form = GrantForm { unit: &unit, card: "51.000001", role, from: "2026-11-21", until: "" };
    backend.offices().grant(&org.coast_registrar.viewer, form).await.expect("gives");
}

#[tokio::test]
async fn a_registrar_reads_who_did_what_in_the_own_subtree_newest_first() {
    let (backend, clock, org) = organisation().await;
    give(&backend, &org, "deputy").await;
    clock.advance(TimeDelta::seconds(1));
    give(&backend, &org, "editor").await;
    let page = backend.audit().page(&org.coast_registrar.viewer, AuditQuery::default()).await.expect("a page");
    assert_eq!(page.unit.id, org.coast.id);
    let newest = &page.entries[0];
    assert_eq!((newest.kind, newest.role), (EventKind::RoleGranted, Some(Role::Editor)));
    assert_eq!(newest.actor.as_deref(), Some(org.coast_registrar.name.as_str()));
    assert_eq!(newest.subject.as_deref(), Some(org.fisherman.name.as_str()));
    assert_eq!(newest.unit.as_deref(), Some(org.harbour.name.as_str()));
    assert!(newest.by_viewer);
    assert_eq!(page.entries[1].role, Some(Role::Deputy));
    assert!(page.entries.windows(2).all(|two| two[0].id > two[1].id));
    // The hills are in another subtree.
    let names = [&org.farmer, &org.farm_secretary, &org.hills_editor].map(|person| person.name.clone());
    assert!(page.entries.iter().all(|entry| entry.subject.as_ref().is_none_or(|name| !names.contains(name))));
    let of_all = backend.audit().page(&org.operator.viewer, AuditQuery::default()).await.expect("a page");
    assert!(of_all.entries.iter().any(|entry| entry.subject.as_ref() == Some(&names[0])));
}

#[tokio::test]
async fn pages_follow_on_without_gap_or_repetition() {
    let (backend, _, org) = organisation().await;
    for document in 0..70 {
        let id = published(&backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
        if document % 2 == 0 {
            backend.documents().withdraw(&chief(&org.coast_editor.viewer), id, "Sai số liệu.").await.expect("is withdrawn");
        }
    }
    let mut seen = Vec::new();
    let mut query = AuditQuery { group: Some(AuditGroup::Documents), ..AuditQuery::default() };
    loop {
        let page = backend.audit().page(&org.coast_registrar.viewer, query).await.expect("a page");
        assert!(page.entries.len() <= 50 && page.looked_back_to.is_none());
        seen.extend(page.entries.iter().map(|entry| entry.id));
        let Some(next) = page.next else { break };
        query.before = Some(next);
    }
    assert_eq!(seen.len(), 70 * 3 + 35, "drafted, sent, published, every other withdrawn");
    assert!(seen.windows(2).all(|two| two[0] > two[1]));
}

#[tokio::test]
async fn private_events_of_members_are_not_shown_to_registrars() {
    let (backend, _, org) = organisation().await;
    let id = published(&backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    read_through(&backend, &org.fisherman.viewer, id).await;
    let opinion = backend.clock().ulid().to_string();
    let form =
        backend::feedback::OpinionForm { opinion: &opinion, document: &id.to_string(), audience: "branch", text: "Đồng ý." };
    backend.feedback().send(&org.fisherman.viewer, form).await.expect("sends");
    let page = backend.audit().page(&org.coast_registrar.viewer, AuditQuery::default()).await.expect("a page");
    assert!(page.entries.iter().any(|entry| entry.kind == EventKind::DocumentPublished));
    assert!(page.entries.iter().all(|entry| !entry.kind.is_private()));
}

#[tokio::test]
async fn events_can_be_filtered_by_person_and_kind() {
    let (backend, _, org) = organisation().await;
    give(&backend, &org, "deputy").await;
    let registrar = &org.coast_registrar.viewer;
    let roles = AuditQuery { group: Some(AuditGroup::Roles), ..AuditQuery::default() };
    let page = backend.audit().page(registrar, roles).await.expect("a page");
    assert_eq!(page.entries.len(), 1);
    let id = org.fisherman.id.to_string();
    for member in ["51.000001", id.as_str()] {
        let page = backend.audit().page(registrar, AuditQuery { member: Some(member), ..AuditQuery::default() }).await;
        let page = page.expect("a page");
        assert_eq!(page.asked, AskedMember::Named(org.fisherman.name.clone()));
        let kinds: Vec<_> = page.entries.iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [EventKind::RoleGranted, EventKind::AccountActivated, EventKind::MemberRegistered]);
    }
    // A person of another commune is reported as unknown, like a missing one.
    let farmer = org.farmer.id.to_string();
    for member in ["99.999999", "=cmd", farmer.as_str()] {
        let page = backend.audit().page(registrar, AuditQuery { member: Some(member), ..AuditQuery::default() }).await;
        assert_eq!(page.expect("a page").asked, AskedMember::Unknown, "{member}");
    }
}

#[tokio::test]
async fn the_trail_is_readable_only_with_the_right_and_in_its_subtree() {
    let (backend, _, org) = organisation().await;
    let page = async |person: &crate::support::Person, unit: Option<domain::ids::UnitId>| {
        backend.audit().page(&person.viewer, AuditQuery { unit, ..AuditQuery::default() }).await
    };
    for unit in [None, Some(org.coast.id), Some(org.harbour.id)] {
        assert!(page(&org.coast_registrar, unit).await.is_ok());
    }
    assert!(matches!(page(&org.coast_registrar, Some(org.province.id)).await, Err(Error::NotAllowed)));
    assert!(matches!(page(&org.coast_registrar, Some(org.hills.id)).await, Err(Error::NotFound)));
    for person in [&org.fisherman, &org.secretary, &org.coast_editor, &org.province_statistician] {
        assert!(matches!(page(person, None).await, Err(Error::NotFound)), "{}", person.name);
    }
}

#[tokio::test]
async fn a_member_sees_who_changed_the_own_record_and_nobody_elses() {
    let (backend, _, org) = organisation().await;
    give(&backend, &org, "deputy").await;
    let own = backend.audit().own(&org.fisherman.viewer, None).await.expect("the own trail");
    let told: Vec<_> = own.entries.iter().map(|entry| (entry.kind, entry.actor.as_deref())).collect();
    assert_eq!(
        told,
        [
            (EventKind::RoleGranted, Some(org.coast_registrar.name.as_str())),
            (EventKind::AccountActivated, Some(org.fisherman.name.as_str())),
            (EventKind::MemberRegistered, None),
        ]
    );
    assert_eq!(own.next, None);
    let others = backend.audit().own(&org.teacher.viewer, None).await.expect("the own trail");
    assert!(others.entries.iter().all(|entry| entry.subject.as_deref() == Some(org.teacher.name.as_str())));
}

#[tokio::test]
async fn a_long_own_trail_has_pages() {
    let (backend, clock, org) = organisation().await;
    for _ in 0..60 {
        clock.advance(TimeDelta::seconds(1));
        backend.accounts().save_preferences(&org.fisherman.viewer, "en", "1", "dark").await.expect("saves");
    }
    let first = backend.audit().own(&org.fisherman.viewer, None).await.expect("a page");
    assert_eq!(first.entries.len(), 50);
    let second = backend.audit().own(&org.fisherman.viewer, first.next).await.expect("a page");
    assert_eq!((second.entries.len(), second.next), (12, None));
    assert!(second.entries[0].id < first.entries[49].id);
}

#[tokio::test]
async fn rows_written_in_bulk_are_sealed_too() {
    let (backend, clock, org) = organisation().await;
    clock.advance(TimeDelta::hours(1));
    let sealed = backend.audit().seal().await.expect("seals");
    give(&backend, &org, "deputy").await;
    clock.advance(TimeDelta::hours(1));
    assert_eq!(backend.audit().seal().await.expect("seals"), 1);
    let report = backend.audit().verify().await.expect("checks");
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!((report.events, report.links, report.unsealed), (sealed + 1, 2, 0));
    assert!(sealed >= 37, "19 registered, 18 activated");
}
