//! The figures follow what people do, and never reveal a small group.

use backend::{Backend, Error, demo::registry::Registry, feedback::OpinionForm};
use chrono::TimeDelta;
use domain::{
    documents::reading::Seen,
    statistics::{Figures, StatisticsPage},
    tables::TableQuery,
};
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    documents::{chief, published},
    support::{Fixture, organisation, read_through, start},
};

async fn pages(backend: &Backend, org: &Fixture) -> Vec<StatisticsPage> {
    let mut pages = Vec::new();
    for unit in [&org.province, &org.coast, &org.hills, &org.harbour, &org.school, &org.farm] {
        pages.push(backend.statistics().page(&org.province_statistician.viewer, Some(unit.id)).await.expect("a page"));
    }
    pages
}

/// Saves an empty import, which makes the counters count again.
async fn recount(backend: &Backend) {
    Registry::new(backend, 9, start()).save().await.expect("saves");
}

async fn total(backend: &Backend, org: &Fixture) -> Figures {
    let page = backend.statistics().page(&org.province_statistician.viewer, None).await.expect("a page");
    page.total.figures.expect("a large group")
}

#[tokio::test]
async fn counting_by_events_equals_counting_from_the_tables() {
    for seed in [1, 2, 3] {
        println!("seed {seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        let (backend, clock, org) = organisation().await;
        let people = [&org.fisherman, &org.exempt, &org.teacher, &org.farmer, &org.secretary, &org.probationary];
        let mut documents = Vec::new();
        for _ in 0..60 {
            clock.advance(TimeDelta::hours(rng.random_range(0..20)));
            let person = people[rng.random_range(0..people.len())];
            match rng.random_range(0..5) {
                0 => documents.push(published(&backend, &org.coast_editor.viewer, &org.coast, &org.coast).await),
                1 if !documents.is_empty() => {
                    let id = documents.swap_remove(rng.random_range(0..documents.len()));
                    backend
                        .documents()
                        .withdraw(&chief(&org.coast_editor.viewer), id, "Sai số liệu.")
                        .await
                        .expect("is withdrawn");
                }
                2 if !documents.is_empty() => {
                    let (key, about) = (clock.ulid().to_string(), documents[0].to_string());
                    let form = OpinionForm { opinion: &key, document: &about, audience: "branch", text: "Ý kiến." };
                    // People whom it does not reach are rejected, which must not count either.
                    let _ = backend.feedback().send(&person.viewer, form).await;
                }
                _ if !documents.is_empty() => {
                    let id = documents[rng.random_range(0..documents.len())];
                    // Some only open it.
                    let _ = backend.documents().read(&person.viewer, id).await;
                    if rng.random_bool(0.7) {
                        let _ = backend.documents().mark_read(&person.viewer, id, Seen::Said).await;
                    }
                }
                _ => {}
            }
            backend.catch_up().await.expect("reads the log");
        }
        let counted = pages(&backend, &org).await;
        recount(&backend).await;
        assert_eq!(pages(&backend, &org).await, counted, "seed {seed}");
        backend.catch_up().await.expect("reads the log");
        assert_eq!(pages(&backend, &org).await, counted, "rows counted from the tables do not count again");
    }
}

#[tokio::test]
async fn exempt_members_count_nowhere_and_activity_ends_after_a_week() {
    let (backend, clock, org) = organisation().await;
    let before = total(&backend, &org).await;
    assert_eq!((before.members, before.activated, before.active), (18, 17, 0));
    let id = published(&backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
    for person in [&org.fisherman, &org.exempt] {
        read_through(&backend, &person.viewer, id).await;
    }
    backend.catch_up().await.expect("reads the log");
    let after = total(&backend, &org).await;
    assert_eq!((after.documents, after.reads, after.active), (1, 1, 2), "the fisherman and the editor");
    backend.documents().read(&org.teacher.viewer, id).await.expect("opens");
    backend.catch_up().await.expect("reads the log");
    let opened = total(&backend, &org).await;
    assert_eq!((opened.reads, opened.active), (1, 3), "who opens it uses the handbook and has read nothing");
    clock.advance(TimeDelta::days(6));
    assert_eq!(total(&backend, &org).await.active, 3);
    clock.advance(TimeDelta::days(1));
    assert_eq!(total(&backend, &org).await.active, 0);
}

#[tokio::test]
async fn a_unit_outside_the_own_subtree_is_not_found() {
    let (backend, _, org) = organisation().await;
    let statistics = backend.statistics();
    for (person, unit, seen) in [
        (&org.coast_secretary, &org.coast, true),
        (&org.coast_secretary, &org.harbour, true),
        (&org.coast_secretary, &org.hills, false),
        (&org.coast_secretary, &org.province, false),
        (&org.secretary, &org.school, false),
        (&org.fisherman, &org.harbour, false),
        (&org.coast_editor, &org.coast, false),
    ] {
        let page = statistics.page(&person.viewer, Some(unit.id)).await;
        assert_eq!(page.is_ok(), seen, "{} {}", person.name, unit.name);
        assert!(seen || matches!(page, Err(Error::NotFound)));
    }
    assert!(matches!(statistics.page(&org.fisherman.viewer, None).await, Err(Error::NotFound)));
    let own = statistics.page(&org.coast_secretary.viewer, None).await.expect("the own unit");
    assert_eq!((own.total.unit.id, own.trail.len()), (org.coast.id, 1));
}

#[tokio::test]
async fn small_groups_are_hidden() {
    let (backend, _, org) = organisation().await;
    let viewer = &org.province_statistician.viewer;
    let hills = backend.statistics().page(viewer, Some(org.hills.id)).await.expect("a page");
    assert_eq!(hills.total.figures, None, "three members");
    let province = backend.statistics().page(viewer, None).await.expect("a page");
    assert!(province.children.iter().all(|child| child.figures.is_none()), "a single hidden row could be derived from the total");
    let coast = backend.statistics().page(viewer, Some(org.coast.id)).await.expect("a page");
    assert_eq!(coast.total.figures, None, "nor on its own page");
    assert!(coast.children.iter().any(|child| child.figures.is_none()), "nor as a sum of what is shown there");
    let own = backend.statistics().page(&org.coast_secretary.viewer, Some(org.coast.id)).await.expect("a page");
    assert!(own.total.figures.is_some(), "without figures above nothing can be derived");
}

#[tokio::test]
async fn the_table_follows_its_query_and_its_order_reveals_no_hidden_figure() {
    let (backend, _, org) = organisation().await;
    let statistics = backend.statistics();
    let whole = statistics.page(&org.coast_secretary.viewer, None).await.expect("a page");
    let table = async |words: Option<&str>, order: Option<&str>| {
        let query = TableQuery::parse(words, order, None);
        statistics.table(&org.coast_secretary.viewer, None, &query).await.expect("a page")
    };
    assert_eq!(table(None, Some("no-such-order")).await, whole);
    let found = table(Some(&org.school.name), None).await;
    assert_eq!(found.children.iter().map(|row| row.unit.id).collect::<Vec<_>>(), [org.school.id]);
    assert_eq!((found.found, found.all), (1, whole.children.len()));
    assert_eq!((&found.total, &found.help), (&whole.total, &whole.help), "the rest of the page is unchanged");
    let nothing = table(Some("%' OR 1=1"), Some("-share")).await;
    assert_eq!((nothing.children.len(), nothing.found), (0, 0));

    let viewer = &org.province_statistician.viewer;
    let hidden = statistics.page(viewer, None).await.expect("a page");
    assert!(hidden.children.iter().all(|child| child.figures.is_none()));
    for order in ["members", "-members", "share", "-share", "opinions"] {
        let query = TableQuery::parse(None, Some(order), None);
        assert_eq!(statistics.table(viewer, None, &query).await.expect("a page").children, hidden.children, "{order}");
    }
}

/// Writes continue while the counters are rebuilt from the tables: every read, opinion and document counts exactly once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn recounting_under_concurrent_writes_loses_and_doubles_nothing() {
    let (backend, clock, org) = organisation().await;
    let readers = [&org.fisherman, &org.teacher, &org.probationary, &org.secretary, &org.deputy];
    let writing = async {
        for round in 0..8 {
            clock.advance(TimeDelta::seconds(15));
            let id = published(&backend, &org.coast_editor.viewer, &org.coast, &org.coast).await;
            for reader in readers {
                read_through(&backend, &reader.viewer, id).await;
            }
            let (key, about) = (clock.ulid().to_string(), id.to_string());
            let form = OpinionForm { opinion: &key, document: &about, audience: "branch", text: "Ý kiến." };
            backend.feedback().send(&readers[round % readers.len()].viewer, form).await.expect("sends");
        }
    };
    let counting = async {
        for _ in 0..8 {
            recount(&backend).await;
            backend.catch_up().await.expect("reads the log");
        }
    };
    tokio::join!(writing, counting);
    backend.catch_up().await.expect("reads the log");
    let figures = total(&backend, &org).await;
    assert_eq!((figures.documents, figures.reads, figures.opinions), (8, 40, 8));

    let counted = pages(&backend, &org).await;
    clock.advance(TimeDelta::minutes(6));
    recount(&backend).await;
    assert_eq!(pages(&backend, &org).await, counted, "from the tables alone");
}
