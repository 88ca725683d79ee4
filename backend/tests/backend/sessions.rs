//! Devices, the password, confirming it again, and the sign-in by a provider.

use backend::{
    Backend, Error,
    accounts::{Origin, PasswordForm, Session, SignInForm, Vouched},
};
use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    events::{EventBody, Revoked},
    feedback::ReceivedShown,
    forms::{FormErrors, Problem},
    ids::SessionId,
    members::NationalId,
};

use crate::support::{PASSWORD, Person, organisation};

const NEW_PASSWORD: &str = "thuyen ve ben luc 5 gio";

async fn sign_in(backend: &Backend, person: &Person, device: &str) -> String {
    let typed = SignInForm { national_id: &person.national_id, password: PASSWORD, device };
    backend.accounts().sign_in(typed).await.expect("signs in").token
}

async fn session(backend: &Backend, token: &str) -> Option<Session> {
    backend.accounts().session(token).await.expect("reads")
}

fn refusal<T>(outcome: Result<T, Error>) -> FormErrors {
    match outcome {
        Err(Error::Invalid(errors)) => errors,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("accepted"),
    }
}

#[tokio::test]
async fn devices_are_listed_this_one_first_then_by_last_use() {
    let (backend, clock, org) = organisation().await;
    let person = &org.fisherman;
    let phone = sign_in(&backend, person, "Android · Chrome").await;
    clock.advance(TimeDelta::days(2));
    sign_in(&backend, person, "Windows · Edge").await;
    clock.advance(TimeDelta::days(1));
    sign_in(&backend, person, "iPad · Safari").await;
    sign_in(&backend, &org.secretary, "iPhone · Safari").await;

    let devices = backend.accounts().devices(&person.viewer, &phone).await.expect("lists");
    let names: Vec<_> = devices.iter().map(|device| (device.device.as_str(), device.is_here)).collect();
    assert_eq!(names, [("Android · Chrome", true), ("iPad · Safari", false), ("Windows · Edge", false)]);
    assert_eq!(devices[2].seen_at, devices[2].opened_at);
    assert_eq!(clock.now() - devices[0].opened_at, TimeDelta::days(3));

    clock.advance(TimeDelta::days(28));
    let later = backend.accounts().devices(&person.viewer, &phone).await.expect("lists");
    assert_eq!(later.len(), 2, "expired sessions are not shown: {later:?}");
}

#[tokio::test]
async fn a_revoked_device_is_signed_out_at_once_and_only_that_one() {
    let (backend, _, org) = organisation().await;
    let person = &org.fisherman;
    let (phone, stolen) = (sign_in(&backend, person, "Phone").await, sign_in(&backend, person, "Stolen").await);
    let devices = backend.accounts().devices(&person.viewer, &phone).await.expect("lists");
    let id = devices.iter().find(|device| device.device == "Stolen").expect("is listed").id;

    let other = backend.accounts().revoke(&org.secretary.viewer, id).await;
    assert!(matches!(other, Err(Error::NotFound)), "not by anybody else: {other:?}");
    backend.accounts().revoke(&person.viewer, id).await.expect("revokes");
    assert!(session(&backend, &stolen).await.is_none());
    assert!(session(&backend, &phone).await.is_some());
    let again = backend.accounts().revoke(&person.viewer, id).await;
    assert!(matches!(again, Err(Error::NotFound)), "{again:?}");
    let unknown = backend.accounts().revoke(&person.viewer, SessionId::new(backend.clock().ulid())).await;
    assert!(matches!(unknown, Err(Error::NotFound)), "{unknown:?}");
}

#[tokio::test]
async fn all_other_devices_are_revoked_in_one_step_and_the_log_says_so() {
    let (backend, clock, org) = organisation().await;
    let person = &org.fisherman;
    let here = sign_in(&backend, person, "Phone").await;
    let others = [sign_in(&backend, person, "One").await, sign_in(&backend, person, "Two").await];
    let secretary = sign_in(&backend, &org.secretary, "Phone").await;
    clock.advance(TimeDelta::minutes(1));
    backend.catch_up().await.expect("reads the log");
    let mut events = backend.events().listen();

    assert_eq!(backend.accounts().revoke_others(&person.viewer, &here).await.expect("revokes"), 2);
    assert_eq!(backend.accounts().revoke_others(&person.viewer, &here).await.expect("nothing left"), 0);
    for token in &others {
        assert!(session(&backend, token).await.is_none());
    }
    assert!(session(&backend, &here).await.is_some() && session(&backend, &secretary).await.is_some());
    backend.catch_up().await.expect("reads the log");
    let event = events.try_recv().expect("one event");
    assert_eq!(event.actor, Some(person.id));
    assert_eq!(event.body, EventBody::SessionRevoked(Revoked::Others { member: person.id, count: 2 }));
    assert!(events.try_recv().is_err(), "nothing happened the second time");
}

#[tokio::test]
async fn changing_the_password_ends_every_other_session_and_renews_this_one() {
    let (backend, _, org) = organisation().await;
    let person = &org.fisherman;
    let (here, other) = (sign_in(&backend, person, "Phone").await, sign_in(&backend, person, "Tablet").await);
    let typed = PasswordForm { current: PASSWORD, new: NEW_PASSWORD };
    let renewed = backend.accounts().change_password(&person.viewer, &here, typed).await.expect("changes");
    assert!(session(&backend, &here).await.is_none() && session(&backend, &other).await.is_none());
    assert_eq!(session(&backend, &renewed).await.expect("is open").viewer, person.viewer);
    let devices = backend.accounts().devices(&person.viewer, &renewed).await.expect("lists");
    assert_eq!(devices.iter().map(|device| device.device.as_str()).collect::<Vec<_>>(), ["Phone"]);

    let old = SignInForm { national_id: &person.national_id, password: PASSWORD, device: "" };
    refusal(backend.accounts().sign_in(old).await);
    backend.accounts().sign_in(SignInForm { password: NEW_PASSWORD, ..old }).await.expect("signs in with the new one");
}

#[tokio::test]
async fn a_new_password_must_be_good_and_the_old_one_right() {
    let (backend, _, org) = organisation().await;
    let person = &org.fisherman;
    let token = sign_in(&backend, person, "Phone").await;
    for (current, new, field, problem) in [
        ("", NEW_PASSWORD, "current_password", Problem::Required),
        ("sai-mat-khau-2026", NEW_PASSWORD, "current_password", Problem::WrongPassword),
        (PASSWORD, "", "new_password", Problem::Required),
        (PASSWORD, "ngắn quá", "new_password", Problem::TooShort { min: 12 }),
        (PASSWORD, "123456789012", "new_password", Problem::CommonPassword),
    ] {
        let typed = PasswordForm { current, new };
        let errors = refusal(backend.accounts().change_password(&person.viewer, &token, typed).await);
        assert_eq!(errors.form, "password");
        assert_eq!(errors.problem(field), Some(&problem), "{current:?} {new:?}");
        assert!(errors.values.is_empty(), "no password is returned");
    }
    assert!(session(&backend, &token).await.is_some());
}

#[tokio::test]
async fn rights_of_offices_are_suspended_after_twelve_hours_until_the_password_is_entered() {
    let (backend, clock, org) = organisation().await;
    let person = &org.secretary;
    let token = sign_in(&backend, person, "Phone").await;
    clock.advance(TimeDelta::hours(12) - TimeDelta::seconds(1));
    assert_eq!(session(&backend, &token).await.expect("is open").viewer, person.viewer);
    clock.advance(TimeDelta::seconds(1));
    let rested: Viewer = session(&backend, &token).await.expect("is open").viewer;
    assert!(rested.offices.is_empty() && rested.standpoint.grants.is_empty());
    assert_eq!(rested.resting, person.viewer.offices);
    assert_eq!(rested, person.viewer.clone().at_rest());
    let received = backend.feedback().received(&rested, ReceivedShown::All, None).await;
    assert!(matches!(received, Err(Error::NotFound)), "no office, no right: {received:?}");

    let wrong = refusal(backend.accounts().confirm(&rested, &token, "sai-mat-khau-2026").await);
    assert_eq!((wrong.form.as_str(), wrong.problem("password")), ("confirm", Some(&Problem::WrongPassword)));
    let renewed = backend.accounts().confirm(&rested, &token, PASSWORD).await.expect("confirms");
    assert_eq!(session(&backend, &renewed).await.expect("is open").viewer, person.viewer);
    assert!(session(&backend, &token).await.is_none(), "a copy of the old secret is invalid");
    let devices = backend.accounts().devices(&person.viewer, &renewed).await.expect("lists");
    assert_eq!(devices.len(), 1, "it is still the same device");
}

#[tokio::test]
async fn an_ended_session_cannot_be_restored_by_a_password() {
    let (backend, _, org) = organisation().await;
    let token = sign_in(&backend, &org.secretary, "Phone").await;
    backend.accounts().sign_out(&token).await.expect("signs out");
    let confirmed = backend.accounts().confirm(&org.secretary.viewer, &token, PASSWORD).await;
    assert!(matches!(confirmed, Err(Error::NotSignedIn)), "{confirmed:?}");
    let typed = PasswordForm { current: PASSWORD, new: NEW_PASSWORD };
    let changed = backend.accounts().change_password(&org.secretary.viewer, &token, typed).await;
    assert!(matches!(changed, Err(Error::NotSignedIn)), "{changed:?}");
    sign_in(&backend, &org.secretary, "Phone").await;
}

#[tokio::test]
async fn a_stolen_session_cannot_be_used_to_guess_the_password() {
    let (backend, clock, org) = organisation().await;
    let token = sign_in(&backend, &org.secretary, "Phone").await;
    let viewer = &org.secretary.viewer;
    for _ in 0..10 {
        let errors = refusal(backend.accounts().confirm(viewer, &token, "sai-mat-khau-2026").await);
        assert_eq!(errors.problem("password"), Some(&Problem::WrongPassword));
    }
    let errors = refusal(backend.accounts().confirm(viewer, &token, PASSWORD).await);
    assert!(matches!(errors.problem("password"), Some(Problem::TooManyTries { minutes: 1..=16 })), "{errors:?}");
    let typed = PasswordForm { current: PASSWORD, new: NEW_PASSWORD };
    let errors = refusal(backend.accounts().change_password(viewer, &token, typed).await);
    assert!(matches!(errors.problem("current_password"), Some(Problem::TooManyTries { .. })), "not in another way: {errors:?}");
    // The owner can still sign in elsewhere.
    sign_in(&backend, &org.secretary, "Tablet").await;

    clock.advance(TimeDelta::minutes(16));
    backend.accounts().confirm(viewer, &token, PASSWORD).await.expect("after a while");
}

fn id(person: &Person) -> NationalId {
    NationalId::parse(&person.national_id).expect("twelve digits")
}

#[tokio::test]
async fn a_providers_claim_opens_a_session_or_an_activation_and_nothing_for_strangers() {
    let (backend, _, org) = organisation().await;
    let Vouched::SignedIn(signed_in) = backend.accounts().sign_in_federated(&id(&org.secretary), "Phone").await.expect("decides")
    else {
        panic!("the secretary has an account");
    };
    assert_eq!(session(&backend, &signed_in.token).await.expect("is open").viewer, org.secretary.viewer);

    let activation = backend.accounts().sign_in_federated(&id(&org.not_activated), "Phone").await.expect("decides");
    assert!(matches!(activation, Vouched::Activation(token) if token.len() == 43), "a password must be chosen first");

    let stranger = NationalId::parse("951999999999").expect("twelve digits");
    let unknown = backend.accounts().sign_in_federated(&stranger, "Phone").await.expect("decides");
    assert!(matches!(unknown, Vouched::Unknown));
}

#[tokio::test]
async fn a_departure_returns_unaltered_and_not_too_late() {
    let (backend, clock, _) = organisation().await;
    let (departure, sealed) = backend.accounts().depart("vneid", "/library").expect("departs");
    assert_eq!([&departure.state, &departure.nonce, &departure.verifier].map(String::len), [43, 43, 43]);
    assert!(!sealed.contains(&departure.state));
    for altered in ["", "x", &sealed[1..], &sealed.replace(&sealed[40..44], "AAAA")] {
        assert!(backend.accounts().returned(altered).await.expect("reads").is_none(), "{altered:?}");
    }
    let back = backend.accounts().returned(&sealed).await.expect("reads").expect("returns");
    assert_eq!((back.provider, back.state, back.next), ("vneid".to_owned(), departure.state, "/library".to_owned()));
    assert!(backend.accounts().returned(&sealed).await.expect("reads").is_none(), "once");
    let (_, late) = backend.accounts().depart("vneid", "/library").expect("departs");
    clock.advance(TimeDelta::minutes(10));
    assert!(backend.accounts().returned(&late).await.expect("reads").is_none(), "too late");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_guesses_are_limited_like_sequential_ones() {
    let (backend, _, org) = organisation().await;
    let token = sign_in(&backend, &org.fisherman, "Android · Chrome").await;
    let mut guesses = tokio::task::JoinSet::new();
    for guess in 0..40 {
        let (backend, viewer, token) = (backend.clone(), org.fisherman.viewer.clone(), token.clone());
        guesses.spawn(async move { backend.accounts().confirm(&viewer, &token, &format!("mat khau doan mo {guess}")).await });
    }
    let mut judged = 0;
    while let Some(outcome) = guesses.join_next().await {
        match outcome.expect("ends") {
            Err(Error::Invalid(errors)) => judged += usize::from(errors.problem("password") == Some(&Problem::WrongPassword)),
            Err(Error::Busy) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!((1..=10).contains(&judged), "{judged} guesses were judged");
    let right = refusal(backend.accounts().confirm(&org.fisherman.viewer, &token, PASSWORD).await);
    assert!(matches!(right.problem("password"), Some(Problem::TooManyTries { .. })), "{right:?}");
}

#[tokio::test]
async fn signing_in_replaces_the_previous_session_of_the_device() {
    let (backend, _, org) = organisation().await;
    let first = sign_in(&backend, &org.fisherman, "Android · Chrome").await;
    let elsewhere = sign_in(&backend, &org.fisherman, "iPad · Safari").await;
    let here = Origin { session: Some(first.clone()), ..Origin::default() };
    let typed = SignInForm { national_id: &org.teacher.national_id, password: PASSWORD, device: "Android · Chrome" };
    let second = backend.accounts().at(here.clone()).sign_in(typed).await.expect("signs in").token;
    assert!(session(&backend, &first).await.is_none(), "the phone is the teacher's now");
    assert!(session(&backend, &second).await.is_some() && session(&backend, &elsewhere).await.is_some());
    let refused = SignInForm { password: "khong phai mat khau", ..typed };
    let here = Origin { session: Some(second.clone()), ..here };
    refusal(backend.accounts().at(here).sign_in(refused).await);
    assert!(session(&backend, &second).await.is_some(), "a rejected sign-in ends no session");
}
