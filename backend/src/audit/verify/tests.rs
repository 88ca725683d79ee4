//! Tests that verification detects manipulations by a person with write access to the store.

use chrono::TimeDelta;
use domain::{events::EventBody, ids::MemberId, policy::Role, units::UnitPath};

use super::*;
use crate::{
    Clock, Keys, StoreLocation,
    change::Change,
    store::{RecordId, SurrealValue, record, vars},
};

/// Events per link in these tests; few, to get several links from few events.
const LINK: usize = 5;

/// A backend with `count` sealed events, an hour after the last one.
async fn sealed(count: usize) -> (Backend, Clock, Vec<String>) {
    let start = "2026-11-21T08:00:00Z".parse().expect("a moment");
    let clock = Clock::fixed(start, 1);
    let backend = Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), clock.clone()).await.expect("opens");
    let mut ids = Vec::new();
    let mut rows = Vec::new();
    for at in 0..count {
        clock.advance(TimeDelta::seconds(1));
        let id = clock.ulid().to_string();
        rows.push(Raw { id: record("event", &id), ..Raw::new(&clock, &format!("subject {at}")) });
        ids.push(id);
    }
    insert(&backend, rows).await;
    clock.advance(TimeDelta::hours(1));
    let number = backend.audit().seal_by(LINK).await.expect("seals");
    assert_eq!(number, count as u64);
    (backend, clock, ids)
}

async fn append(backend: &Backend, clock: &Clock) {
    let unit = UnitPath::parse("/01/51/").expect("a path");
    let body = EventBody::RoleGranted { member: MemberId::new(clock.ulid()), role: Role::Registrar };
    backend.transact(Change::default().event(clock, None, &unit, body)).await.expect("appends");
}

async fn raw(backend: &Backend, sql: &str, event: &str) {
    backend.store().write(sql, vars! { event: record("event", event) }).await.expect("writes");
}

async fn report(backend: &Backend) -> Report {
    backend.audit().verify().await.expect("checks")
}

#[tokio::test]
async fn an_untouched_log_is_whole_and_new_events_are_unsealed() {
    let (backend, clock, ids) = sealed(13).await;
    append(&backend, &clock).await;
    let found = report(&backend).await;
    assert!(found.is_whole(), "{:?}", found.findings);
    assert_eq!((found.events, found.links, found.unsealed), (ids.len() as u64, 3, 1));
    assert_eq!(backend.audit().seal_by(LINK).await.expect("seals"), 0, "the new event has not settled");
    clock.advance(TimeDelta::minutes(6));
    assert_eq!(backend.audit().seal_by(LINK).await.expect("seals"), 1);
    let found = report(&backend).await;
    assert!(found.is_whole(), "{:?}", found.findings);
    assert_eq!((found.events, found.links, found.unsealed), (ids.len() as u64 + 1, 4, 0));
}

#[tokio::test]
async fn an_empty_log_is_whole() {
    let (backend, _, _) = sealed(0).await;
    assert_eq!(report(&backend).await, Report::default());
}

/// The number of the link of an event.
fn link_of(at: usize) -> u64 {
    (at / LINK + 1) as u64
}

#[tokio::test]
async fn a_change_of_any_field_is_found_and_named() {
    let (backend, _, ids) = sealed(22).await;
    // Includes the first and the last event of a link and of the log.
    let changes = [
        (0, "at = at + 1ns"),
        (2, "actor = '01ARZ3NDEKTSV4RRFFQ69G5FAV'"),
        (4, "actor = ''"),
        (5, "kind = 'role_ended'"),
        (8, "unit = '/01/52/'"),
        (11, "subject = 'subject 1'"),
        (14, "detail = 'Registrar'"),
        (21, "detail = NONE"),
    ];
    for (at, change) in changes {
        raw(&backend, &format!("UPDATE $event SET {change} RETURN NONE"), &ids[at]).await;
    }
    let found = report(&backend).await;
    assert_eq!((found.findings.len(), found.first_broken(), found.events), (changes.len(), Some(1), 14), "{found:?}");
    for ((at, change), finding) in changes.into_iter().zip(&found.findings) {
        let told = finding.to_string();
        assert_eq!(finding.link(), Some(link_of(at)), "{change}: {told}");
        assert!(told.contains(&ids[at]) && told.contains("2026-11-21 08:") && told.contains("was changed"), "{change}: {told}");
    }
}

#[tokio::test]
async fn a_removed_event_is_named() {
    let (backend, _, ids) = sealed(22).await;
    let gone = [0, 4, 5, 12, 21];
    for at in gone {
        raw(&backend, "DELETE $event", &ids[at]).await;
    }
    let found = report(&backend).await;
    assert_eq!((found.findings.len(), found.events), (gone.len(), 17), "{found:?}");
    for (at, finding) in gone.into_iter().zip(&found.findings) {
        let Finding::Missing { link, event, at: Some(_) } = finding else { panic!("{finding}") };
        assert_eq!((link, event), (&link_of(at), &ids[at]));
    }
}

#[tokio::test]
async fn an_inserted_event_is_named_at_every_position() {
    let (backend, _, ids) = sealed(22).await;
    let put = "CREATE $event SET at = time::now(), kind = 'signed_in', unit = '/01/', subject = 'x'";
    let before_all = "00000000000000000000000000".to_owned();
    // The next id after one of the log.
    let next = |id: &str| ulid::Ulid::from(u128::from(id.parse::<ulid::Ulid>().expect("an id")) + 1).to_string();
    let inserted = [before_all, next(&ids[3]), next(&ids[4])];
    for id in &inserted {
        raw(&backend, put, id).await;
    }
    let found = report(&backend).await;
    let named: Vec<_> = found
        .findings
        .iter()
        .map(|finding| match finding {
            Finding::Inserted { link, event, .. } => (*link, event.clone()),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(named, [1, 1, 2].into_iter().zip(inserted).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_change_of_a_link_is_detected() {
    let changes = [
        "previous = string::concat('f', string::slice(previous, 1, 63))",
        "hash = string::concat('f', string::slice(hash, 1, 63))",
        "entries = string::slice(entries, 0, 68)",
        "entries = 'nothing'",
        "entries = ''",
        "sealed_at = sealed_at + 1ns",
    ];
    // Two untouched links follow each, so that changes are distinguishable.
    let (backend, _, _) = sealed(LINK * (3 * changes.len() + 1)).await;
    let number = |at: usize| at as u64 * 3 + 2;
    for (at, change) in changes.into_iter().enumerate() {
        let sql = format!("UPDATE $link SET {change} RETURN NONE");
        backend.store().write(&sql, vars! { link: record("seal", key(number(at))) }).await.expect("writes");
    }
    let found = report(&backend).await;
    for (at, change) in changes.into_iter().enumerate() {
        assert!(found.findings.iter().any(|finding| finding.link() == Some(number(at))), "{change}: {:?}", found.findings);
    }
    assert_eq!(found.first_broken(), Some(2));
}

/// An attacker changes an event and recomputes its link.
#[tokio::test]
async fn a_rewritten_link_does_not_match_the_next() {
    let (backend, _, ids) = sealed(13).await;
    raw(&backend, "UPDATE $event SET subject = 'another'", &ids[6]).await;
    let sql = format!("SELECT {} FROM seal:`00000000000000000002`", LinkRow::COLUMNS);
    let link: LinkRow = backend.store().read(sql, vars! {}).await.expect("reads").row(0).expect("a row").expect("a link");
    let range = (Bound::Excluded(ids[4].clone()), Bound::Included(ids[9].clone()));
    let mut chain = Chain::new(2, &link.previous, link.sealed_at);
    let entries: String = events(backend.store(), range.0, range.1, PAGE)
        .await
        .expect("reads")
        .iter()
        .map(|event| chain.add(event))
        .flat_map(|entry| [entry.id, entry.print])
        .collect();
    let vars = vars! { hash: chain.finish(), entries: entries };
    let sql = "UPDATE seal:`00000000000000000002` SET hash = $hash, entries = $entries";
    backend.store().write(sql, vars).await.expect("writes");
    assert_eq!(report(&backend).await.findings, [Finding::LinkChanged { link: 2 }]);
}

#[tokio::test]
async fn removed_links_are_detected_in_the_middle_and_at_the_end() {
    let (backend, _, _) = sealed(13).await;
    backend.store().write("DELETE seal:`00000000000000000002`", vars! {}).await.expect("deletes");
    assert_eq!(report(&backend).await.findings, [Finding::LinkMissing { link: 2 }]);

    let (backend, clock, ids) = sealed(13).await;
    backend.store().write("DELETE seal:`00000000000000000003`", vars! {}).await.expect("deletes");
    assert_eq!(report(&backend).await.findings, [Finding::End]);
    // Deleting the events too is detected, and sealing refuses to continue.
    let last: Vec<_> = ids[10..].iter().map(|id| record("event", id)).collect();
    backend.store().write("DELETE $last RETURN NONE", vars! { last: last }).await.expect("deletes");
    assert_eq!(report(&backend).await.findings, [Finding::End]);
    append(&backend, &clock).await;
    clock.advance(TimeDelta::hours(1));
    assert!(matches!(backend.audit().seal_by(LINK).await, Err(Error::Damaged(_))));
    // Deleting the authenticated head is detected too.
    backend.store().write("DELETE seal_head:one", vars! {}).await.expect("deletes");
    assert_eq!(report(&backend).await.findings, [Finding::End]);
    assert!(matches!(backend.audit().seal_by(LINK).await, Err(Error::Damaged(_))));
}

#[tokio::test]
async fn two_sealers_make_one_chain() {
    let (backend, clock, _) = sealed(0).await;
    insert(&backend, (0..13).map(|at| Raw::new(&clock, &format!("subject {at}"))).collect()).await;
    clock.advance(TimeDelta::hours(1));
    let sealers = [(); 4].map(|()| {
        let backend = backend.clone();
        tokio::spawn(async move { backend.audit().seal_by(LINK).await.expect("seals") })
    });
    let mut sealed = 0;
    for sealer in sealers {
        sealed += sealer.await.expect("runs");
    }
    let found = report(&backend).await;
    assert!(found.is_whole(), "{:?}", found.findings);
    assert_eq!((sealed, found.events, found.links, found.unsealed), (13, 13, 3, 0));
}

#[test]
fn a_finding_says_what_and_when() {
    let at = "2026-11-21T08:00:00Z".parse().ok();
    let finding = Finding::Missing { link: 3, event: "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(), at };
    assert_eq!(finding.to_string(), "the event 01ARZ3NDEKTSV4RRFFQ69G5FAV of 2026-11-21 08:00:00 UTC was taken out (link 3)");
}

#[derive(Debug, SurrealValue)]
struct Raw {
    id: RecordId,
    at: DateTime<Utc>,
    kind: String,
    unit: String,
    subject: String,
    detail: Option<String>,
}

impl Raw {
    fn new(clock: &Clock, subject: &str) -> Self {
        let (kind, unit) = ("role_granted".to_owned(), "/01/51/".to_owned());
        let detail = Some("registrar".to_owned());
        Self { id: record("event", clock.ulid()), at: clock.now(), kind, unit, subject: subject.to_owned(), detail }
    }
}

/// Inserts rows in small statements: the cost of a statement is quadratic in its rows.
async fn insert(backend: &Backend, rows: Vec<Raw>) {
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let batch: Vec<Raw> = rows.by_ref().take(25).collect();
        backend.store().write("INSERT INTO event $rows RETURN NONE", vars! { rows: batch }).await.expect("inserts");
    }
}
