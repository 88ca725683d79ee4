use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use backend::{
    Backend, Error,
    accounts::SignInForm,
    demo::{self, Summary},
    units::Tree,
};
use domain::{
    documents::LibraryQuery,
    feedback::ReceivedShown,
    members::Standing,
    policy::{Action, Role},
    units::UnitPath,
};

use crate::{
    search::typed_queries_find_the_expected_documents,
    support::{on_disk, organisation},
};

/// Everything that needs the whole sample, in one test, because loading it is expensive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_organisation_is_true_to_life_and_loads_in_a_minute() {
    let (backend, _, _folder) = on_disk().await;
    let started = Instant::now();
    let summary = demo::load(&backend, 1).await.expect("loads");
    let took = started.elapsed();
    println!("{summary:?} in {took:?}");
    assert!(took < Duration::from_mins(1), "{took:?}");

    let Summary { units, members, accounts, documents, reads, meetings, opinions } = summary;
    assert!((115..=125).contains(&units), "{units} units");
    assert!((2_900..=3_200).contains(&members), "{members} members");
    assert!((78..=90).contains(&(accounts * 100 / members)), "{accounts} accounts");
    assert_eq!(documents, 80);
    assert!((10_000..=14_000).contains(&reads), "{reads} reads");
    assert!(meetings > 400, "{meetings} meetings");
    assert!((280..=310).contains(&opinions), "{opinions} opinions");

    the_tree_has_every_level_and_a_past(&backend).await;
    for sign_in in demo::sign_ins() {
        let form = SignInForm { national_id: sign_in.national_id, password: sign_in.password, device: "" };
        let token = backend.accounts().sign_in(form).await.unwrap_or_else(|error| panic!("{}: {error:?}", sign_in.role)).token;
        let viewer = backend.accounts().session(&token).await.expect("reads").expect("is open").viewer;
        assert_eq!(viewer.name, sign_in.name);
        let library = backend.documents().list(&viewer, &LibraryQuery::default()).await.expect("reads");
        assert_eq!(library.documents.len(), 20, "{} has a full first page", sign_in.role);
        let held: Vec<Role> = viewer.offices.iter().map(|office| office.role).collect();
        match sign_in.role {
            "Operator" => assert_eq!(held, [Role::Operator]),
            "Member exempt from activities" => assert_eq!(viewer.standpoint.standing, Standing::Exempt),
            "Member on probation" => assert_eq!(viewer.standpoint.standing, Standing::Probationary),
            "Member, fisherman at sea" => {
                assert!(held.is_empty());
                let list = backend.feedback().own(&viewer, None).await.expect("reads");
                assert!(list.opinions.len() >= 3, "one in each state");
                let home = backend.home().page(&viewer).await.expect("reads");
                let next = home.next_meeting.expect("a meeting ahead");
                assert_eq!(next.days_away, 2);
                assert!(next.papers > next.papers_read, "there is something to read before it");
            }
            "Branch secretary" => {
                let received = backend.feedback().received(&viewer, ReceivedShown::All, None).await.expect("reads");
                assert!(received.list.opinions.len() > 3, "{} opinions", received.list.opinions.len());
            }
            "Editor, ward" | "Editor, commune" => {
                let desk = backend.documents().desk(&viewer).await.expect("reads");
                assert!(!desk.drafts.is_empty() && !desk.published.is_empty(), "{}", sign_in.role);
            }
            "Statistician, province" => {
                assert!(!viewer.standpoint.top_units(Action::ReadStatistics).is_empty());
                let page = backend.statistics().page(&viewer, None).await.expect("reads");
                let total = page.total.figures.expect("a large group");
                let share = total.active * 100 / total.members;
                println!("{total:?}");
                assert!((50..=70).contains(&share), "{share} % active");
                assert!(page.children.len() >= 6);
            }
            _ => {}
        }
    }
    // Two courses are assigned.
    typed_queries_find_the_expected_documents(&backend, meetings + 2).await;
}

/// The tree of today has no districts; that of their last day has one, with two communes below it.
async fn the_tree_has_every_level_and_a_past(backend: &Backend) {
    fn levels(tree: &Tree) -> BTreeSet<&'static str> {
        tree.all().map(|unit| unit.kind.key()).collect()
    }
    let path = |text: &str| UnitPath::parse(text).expect("a path");
    let day = |text: &str| text.parse().expect("a day");
    let now = backend.units().tree();
    assert_eq!(levels(&now), BTreeSet::from(["central", "province", "commune", "base", "section", "branch", "group"]));
    for (last, first) in [("/01/51/H01/003/", "/01/51/003/"), ("/01/51/H01/004/", "/01/51/004/")] {
        let moved = now.at(&path(first)).expect("a commune");
        assert_eq!(now.former(&path(last)), Some(moved));
    }
    let before = backend.unit_desk().tree_as_of(day("2025-06-30")).await.expect("a tree");
    assert!(levels(&before).contains("district"));
    assert_eq!((before.len(), before.children(&path("/01/51/H01/")).count()), (now.len() + 1, 2));
    let after = backend.unit_desk().tree_as_of(day("2025-07-01")).await.expect("a tree");
    assert!(after.all().eq(now.all()), "nothing has changed since");
}

#[tokio::test]
async fn the_sample_goes_into_an_empty_store_only() {
    let (backend, _, _) = organisation().await;
    let outcome = demo::load(&backend, 1).await;
    assert!(matches!(&outcome, Err(Error::Internal(told)) if told.contains("empty")), "{outcome:?}");
}
