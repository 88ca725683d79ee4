//! Roles: who grants and ends which, where, and that they take effect at once.

use backend::{
    Error,
    accounts::SignInForm,
    offices::{GrantForm, UnitChoiceForm},
};
use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    events::EventBody,
    forms::Problem,
    ids::OfficeId,
    offices::{HeldOffice, Term},
    policy::Role,
    units::UnitRef,
};

use crate::support::{Fixture, PASSWORD, Person, organisation};

/// A person's card number: the fixture numbers people by their national IDs.
fn card(person: &Person) -> String {
    format!("51.{}", &person.national_id[6..])
}

async fn grant(
    backend: &backend::Backend,
    viewer: &Viewer,
    to: &Person,
    role: &str,
    unit: &UnitRef,
    days: (&str, &str),
) -> backend::Result<OfficeId> {
    let unit = unit.id.to_string();
    let form = GrantForm { unit: &unit, card: &card(to), role, from: days.0, until: days.1 };
    backend.offices().grant(viewer, form).await
}

fn problem(outcome: backend::Result<OfficeId>, field: &str) -> Problem {
    match outcome {
        Err(Error::Invalid(errors)) => errors.problem(field).unwrap_or_else(|| panic!("{errors:?}")).clone(),
        other => panic!("{other:?}"),
    }
}

async fn current(backend: &backend::Backend, viewer: &Viewer, unit: &UnitRef) -> Vec<HeldOffice> {
    backend.offices().list(viewer, unit.id, None).await.expect("a list").current
}

#[tokio::test]
async fn a_role_takes_effect_and_ends_with_the_next_request_of_an_open_session() {
    let (backend, _, org) = organisation().await;
    let form = SignInForm { national_id: &org.fisherman.national_id, password: PASSWORD, device: "phone" };
    let token = backend.accounts().sign_in(form).await.expect("signs in").token;
    let roles = async || {
        let session = backend.accounts().session(&token).await.expect("reads").expect("is open");
        session.viewer.offices.iter().map(|office| office.role).collect::<Vec<_>>()
    };
    assert_eq!(roles().await, []);
    let registrar = &org.coast_registrar.viewer;
    let office = grant(&backend, registrar, &org.fisherman, "deputy", &org.harbour, ("21/11/2026", "")).await.expect("gives");
    assert_eq!(roles().await, [Role::Deputy]);
    assert_eq!(backend.offices().end(registrar, office).await.expect("ends"), org.harbour.id);
    assert_eq!(roles().await, []);
    assert_eq!(backend.offices().end(registrar, office).await.expect("again"), org.harbour.id, "ending twice is no error");
}

#[tokio::test]
async fn the_list_shows_holder_role_start_and_who_granted_it() {
    let (backend, clock, org) = organisation().await;
    let registrar = &org.coast_registrar.viewer;
    let gift = grant(&backend, registrar, &org.fisherman, "deputy", &org.harbour, ("2026-11-22", "2027-05-31")).await;
    let id = gift.expect("gives");
    let list = backend.offices().list(registrar, org.harbour.id, Some(org.fisherman.id)).await.expect("a list");
    let told: Vec<_> = list.current.iter().map(|office| (office.role, office.name.as_str(), office.term)).collect();
    assert_eq!(
        told,
        [
            (Role::Secretary, org.secretary.name.as_str(), Term::Held),
            (Role::Deputy, org.deputy.name.as_str(), Term::Held),
            (Role::Deputy, org.fisherman.name.as_str(), Term::Coming),
        ]
    );
    let given = &list.current[2];
    assert_eq!(given.given_by.as_deref(), Some(org.coast_registrar.name.as_str()));
    assert_eq!(given.branch.as_deref(), Some(org.harbour.name.as_str()));
    assert!(given.may_end && list.current[0].given_by.is_none());
    assert_eq!(list.gives.len(), 7, "every role but the operator's");
    assert_eq!(list.candidate.expect("a candidate").card, card(&org.fisherman).replace('.', ""), "in its canonical spelling");

    backend.offices().end(registrar, id).await.expect("takes it back");
    clock.advance(TimeDelta::days(2));
    let list = backend.offices().list(&org.secretary.viewer, org.harbour.id, Some(org.fisherman.id)).await.expect("a list");
    assert!(list.gives.is_empty() && list.candidate.is_none() && list.current.iter().all(|office| !office.may_end));
    let over: Vec<_> = list.over.iter().map(|office| (office.id, office.ended_by.as_deref())).collect();
    assert_eq!(over, [(id, Some(org.coast_registrar.name.as_str()))]);
}

#[tokio::test]
async fn a_role_is_granted_only_in_the_own_subtree_and_only_by_those_with_the_right() {
    let (backend, _, org) = organisation().await;
    let today = ("2026-11-21", "");
    let registrar = &org.coast_registrar.viewer;
    for unit in [&org.province, &org.hills, &org.farm] {
        let outcome = grant(&backend, registrar, &org.fisherman, "editor", unit, today).await;
        // The province is above the registrar's unit and visible to them as a member; the hills are not.
        let expected = if unit.id == org.province.id {
            matches!(outcome, Err(Error::NotAllowed))
        } else {
            matches!(outcome, Err(Error::NotFound))
        };
        assert!(expected, "{}: {outcome:?}", unit.name);
    }
    let outcome = grant(&backend, registrar, &org.fisherman, "operator", &org.coast, today).await;
    assert_eq!(problem(outcome, "role"), Problem::NotOffered);
    // An operator appoints registrars and nothing else.
    let operator = &org.operator.viewer;
    let outcome = grant(&backend, operator, &org.fisherman, "secretary", &org.coast, today).await;
    assert_eq!(problem(outcome, "role"), Problem::NotOffered);
    grant(&backend, operator, &org.farmer, "registrar", &org.hills, today).await.expect("gives");
    for person in [&org.secretary, &org.coast_secretary, &org.coast_editor, &org.province_statistician] {
        let outcome = grant(&backend, &person.viewer, &org.fisherman, "deputy", &org.harbour, today).await;
        assert!(matches!(outcome, Err(Error::NotAllowed)), "{}: {outcome:?}", person.name);
    }
    let outcome = grant(&backend, &org.farmer.viewer, &org.fisherman, "deputy", &org.harbour, today).await;
    assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
}

#[tokio::test]
async fn the_unit_of_a_role_is_chosen_among_those_of_the_own_offices() {
    let (backend, _, org) = organisation().await;
    let registrar = &org.coast_registrar.viewer;
    let choose = async |viewer: &Viewer, form: UnitChoiceForm<'_>| backend.offices().choose_unit(viewer, form).await;
    let blank = choose(registrar, UnitChoiceForm { member: Some(org.fisherman.id), ..UnitChoiceForm::default() });
    let blank = blank.await.expect("a page");
    assert_eq!((blank.units.selected, blank.problem), (None, None), "nothing is selected in advance");
    assert_eq!(blank.candidate.expect("a candidate").name, org.fisherman.name);

    let (harbour, hills) = (org.harbour.id.to_string(), org.hills.id.to_string());
    let form = UnitChoiceForm { unit: &harbour, find: "truong", is_final: true, ..UnitChoiceForm::default() };
    let page = choose(registrar, form).await.expect("a page");
    assert_eq!(page.units.selected.map(|choice| choice.unit.id), Some(org.harbour.id), "a search does not change the selection");
    let found: Vec<_> = page.units.found.units.iter().map(|choice| choice.unit.id).collect();
    assert_eq!((found, page.problem), (vec![org.school.id], None));

    // A unit outside the offices is refused like an unknown one; without one the form is sent for a search only.
    for (unit, expected) in [("", Problem::Required), ("x", Problem::NotOffered), (hills.as_str(), Problem::NotOffered)] {
        for is_final in [true, false] {
            let page = choose(registrar, UnitChoiceForm { unit, is_final, ..UnitChoiceForm::default() }).await.expect("a page");
            assert_eq!((page.units.selected, page.problem), (None, is_final.then(|| expected.clone())), "{unit}");
        }
    }
    for person in [&org.secretary, &org.coast_editor, &org.fisherman] {
        let refused = choose(&person.viewer, UnitChoiceForm { unit: &harbour, ..UnitChoiceForm::default() }).await;
        assert!(matches!(refused, Err(Error::NotFound)), "{}: {refused:?}", person.name);
    }
}

#[tokio::test]
async fn a_form_with_errors_lists_them() {
    let (backend, _, org) = organisation().await;
    let registrar = &org.coast_registrar.viewer;
    let harbour = org.harbour.id.to_string();
    let blank = GrantForm { unit: &harbour, card: "", role: "", from: "", until: "31/02/2027" };
    let Err(Error::Invalid(errors)) = backend.offices().grant(registrar, blank).await else { panic!("is refused") };
    for (field, problem) in
        [("card", Problem::Required), ("role", Problem::Required), ("from", Problem::Required), ("until", Problem::NoSuchDay)]
    {
        assert_eq!(errors.problem(field), Some(&problem), "{field}");
    }
    for until in ["2026-11-20", "2026-12-01"] {
        let outcome = grant(&backend, registrar, &org.fisherman, "deputy", &org.harbour, ("2026-12-02", until)).await;
        assert_eq!(problem(outcome, "until"), Problem::DateRange);
    }
    // A person of another commune is reported as unknown, like a missing one.
    let elsewhere = grant(&backend, registrar, &org.farmer, "deputy", &org.harbour, ("2026-11-21", "")).await;
    assert_eq!(problem(elsewhere, "card"), Problem::UnknownCard);
    let nobody = GrantForm { unit: &harbour, card: "99.999999", role: "deputy", from: "2026-11-21", until: "" };
    assert_eq!(problem(backend.offices().grant(registrar, nobody).await, "card"), Problem::UnknownCard);
}

#[tokio::test]
async fn a_role_is_held_once_at_a_time() {
    let (backend, _, org) = organisation().await;
    let registrar = &org.coast_registrar.viewer;
    let give =
        async |from: &str, until: &str| grant(&backend, registrar, &org.fisherman, "deputy", &org.harbour, (from, until)).await;
    give("2026-12-01", "2026-12-31").await.expect("the first");
    for (from, until) in [("2026-11-21", ""), ("2026-11-21", "2026-12-01"), ("2026-12-31", ""), ("2026-12-05", "2026-12-06")] {
        assert_eq!(problem(give(from, until).await, "role"), Problem::AlreadyHeld, "{from} {until}");
    }
    give("2026-11-21", "2026-11-30").await.expect("before it");
    let last = give("2027-01-01", "").await.expect("after it");
    backend.offices().end(registrar, last).await.expect("takes it back");
    give("2027-01-01", "").await.expect("what was taken back does not stand in the way");
    grant(&backend, registrar, &org.fisherman, "deputy", &org.school, ("2026-12-01", "")).await.expect("elsewhere");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_grants_of_the_same_role_grant_it_once() {
    let (backend, _, org) = organisation().await;
    let givers = (1..=6).map(|day| {
        let (backend, org) = (backend.clone(), org.clone());
        tokio::spawn(async move {
            let from = format!("2026-12-{day:02}");
            grant(&backend, &org.coast_registrar.viewer, &org.fisherman, "deputy", &org.harbour, (&from, "")).await
        })
    });
    let mut given = 0;
    for giver in givers.collect::<Vec<_>>() {
        match giver.await.expect("runs") {
            Ok(_) => given += 1,
            outcome => assert_eq!(problem(outcome, "role"), Problem::AlreadyHeld),
        }
    }
    assert_eq!(given, 1);
}

#[tokio::test]
async fn a_role_granted_from_above_is_not_ended_from_below() {
    let (backend, _, org) = organisation().await;
    let today = ("2026-11-21", "");
    let from_above = grant(&backend, &org.operator.viewer, &org.teacher, "registrar", &org.coast, today).await.expect("gives");
    let below = &org.coast_registrar.viewer;
    let refused = backend.offices().end(below, from_above).await;
    assert!(matches!(refused, Err(Error::NotAllowed)), "{refused:?}");
    let list = current(&backend, below, &org.coast).await;
    let held = list.iter().find(|office| office.id == from_above).expect("is listed");
    assert!(!held.may_end);
    backend.offices().end(&org.operator.viewer, from_above).await.expect("ends what was given from here");
    let own = grant(&backend, below, &org.teacher, "registrar", &org.coast, today).await.expect("gives");
    backend.offices().end(below, own).await.expect("ends");
    let unknown = backend.offices().end(&org.farmer.viewer, own).await;
    assert!(matches!(unknown, Err(Error::NotFound)), "{unknown:?}");
}

#[tokio::test]
async fn grants_and_ends_are_logged_with_the_role() {
    let (backend, _, org) = organisation().await;
    let mut log = backend.events().listen();
    let registrar = &org.coast_registrar;
    let office = grant(&backend, &registrar.viewer, &org.fisherman, "deputy", &org.harbour, ("2026-11-21", "")).await;
    backend.offices().end(&registrar.viewer, office.expect("gives")).await.expect("ends");
    backend.catch_up().await.expect("reads the log");
    let mut events = [log.try_recv().expect("an event"), log.try_recv().expect("an event")];
    // Both have the same time, because the clock stands still.
    events.sort_unstable_by_key(|event| event.kind().key());
    let (member, role) = (org.fisherman.id, Role::Deputy);
    for (event, body) in events.into_iter().zip([EventBody::RoleEnded { member, role }, EventBody::RoleGranted { member, role }])
    {
        assert_eq!((event.actor, event.unit, event.body), (Some(registrar.id), org.harbour.path.clone(), body));
    }
}

#[tokio::test]
async fn the_list_is_for_offices_and_not_for_members() {
    let (backend, _, org): (_, _, Fixture) = organisation().await;
    let offices = backend.offices();
    for (person, allowed) in [
        (&org.secretary, true),
        (&org.coast_registrar, true),
        (&org.province_statistician, true),
        (&org.operator, true),
        (&org.fisherman, false),
        (&org.exempt, false),
    ] {
        let outcome = offices.list(&person.viewer, org.harbour.id, None).await;
        assert_eq!(outcome.is_ok(), allowed, "{}", person.name);
        assert!(allowed || matches!(outcome, Err(Error::NotAllowed)), "{}", person.name);
    }
    for person in [&org.teacher, &org.farmer, &org.farm_secretary, &org.former_secretary] {
        let outcome = offices.list(&person.viewer, org.harbour.id, None).await;
        assert!(matches!(outcome, Err(Error::NotFound)), "{}: {outcome:?}", person.name);
    }
}
