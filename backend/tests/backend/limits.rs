//! Guessing is limited, members and strangers get the same responses, and nobody can lock out the owner.

use backend::{
    Backend, Error,
    accounts::{Origin, SignInForm, SignedIn},
};
use chrono::TimeDelta;
use domain::forms::Problem;

use crate::{
    activation::{ActivationFixture, NEW_PASSWORD, UNKNOWN, WITH_PHONE, refusal},
    support::{Fixture, PASSWORD, on_disk, reopened},
};

const WRONG: &str = "sai-mat-khau-2026";

async fn sign_in_from(backend: &Backend, origin: &Origin, national_id: &str, password: &str) -> Result<SignedIn, Error> {
    backend.accounts().at(origin.clone()).sign_in(SignInForm { national_id, password, device: "Phone" }).await
}

fn problem_of(outcome: Result<SignedIn, Error>) -> Problem {
    refusal(outcome).problem("password").expect("a problem").clone()
}

#[tokio::test]
async fn members_and_strangers_alike_have_ten_wrong_passwords_an_hour() {
    let fixture = ActivationFixture::open().await;
    for national_id in [fixture.org.fisherman.national_id.as_str(), UNKNOWN, WITH_PHONE] {
        for _ in 0..10 {
            assert_eq!(problem_of(fixture.sign_in(national_id, WRONG).await), Problem::WrongCredentials);
        }
        let full = problem_of(fixture.sign_in(national_id, PASSWORD).await);
        assert_eq!(full, Problem::TooManyTries { minutes: 60 }, "{national_id}: even the right one is not looked at");
    }
    fixture.sign_in(&fixture.org.secretary.national_id, PASSWORD).await.expect("others are not concerned");
    fixture.clock.advance(TimeDelta::minutes(59));
    assert_eq!(
        problem_of(fixture.sign_in(&fixture.org.fisherman.national_id, PASSWORD).await),
        Problem::TooManyTries { minutes: 1 }
    );
    fixture.clock.advance(TimeDelta::minutes(2));
    fixture.sign_in(&fixture.org.fisherman.national_id, PASSWORD).await.expect("after the hour");
}

#[tokio::test]
async fn a_right_password_resets_the_count() {
    let fixture = ActivationFixture::open().await;
    let id = &fixture.org.fisherman.national_id;
    for _ in 0..2 {
        for _ in 0..9 {
            assert_eq!(problem_of(fixture.sign_in(id, WRONG).await), Problem::WrongCredentials);
        }
        fixture.sign_in(id, PASSWORD).await.expect("signs in");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_attempts_are_limited_like_sequential_ones() {
    let fixture = ActivationFixture::open().await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (backend, id) = (fixture.backend.clone(), fixture.org.fisherman.national_id.clone());
        tries.spawn(async move { sign_in_from(&backend, &Origin::default(), &id, WRONG).await });
    }
    let mut looked_at = 0;
    while let Some(tried) = tries.join_next().await {
        match tried.expect("no panic") {
            // With so many at once, some may be told to retry.
            Err(Error::Busy) => {}
            outcome => looked_at += usize::from(problem_of(outcome) == Problem::WrongCredentials),
        }
    }
    assert!(looked_at <= 10, "{looked_at}");
}

#[tokio::test]
async fn failures_elsewhere_do_not_lock_out_a_known_device() {
    let fixture = ActivationFixture::open().await;
    let id = &fixture.org.fisherman.national_id;
    let device = fixture.sign_in(id, PASSWORD).await.expect("signs in").device;
    let own = Origin { address: None, device: Some(device.clone()), session: None };
    for _ in 0..10 {
        problem_of(fixture.sign_in(id, WRONG).await);
    }
    assert!(matches!(problem_of(fixture.sign_in(id, PASSWORD).await), Problem::TooManyTries { .. }));
    let again = sign_in_from(&fixture.backend, &own, id, PASSWORD).await.expect("the owner comes in");
    assert_eq!(again.device, device, "the device stays known");

    let mates =
        sign_in_from(&fixture.backend, &own, &fixture.org.secretary.national_id, PASSWORD).await.expect("on a shared phone");
    assert_ne!(mates.device, device, "with another secret for each member");
    for _ in 0..10 {
        assert_eq!(problem_of(sign_in_from(&fixture.backend, &own, id, WRONG).await), Problem::WrongCredentials);
    }
    let full = problem_of(sign_in_from(&fixture.backend, &own, id, PASSWORD).await);
    assert!(matches!(full, Problem::TooManyTries { .. }), "a phone's holder cannot guess for ever: {full:?}");
}

#[tokio::test]
async fn after_a_hundred_failures_in_a_row_only_an_activation_helps() {
    let fixture = ActivationFixture::open().await;
    let id = &fixture.org.fisherman.national_id;
    let device = fixture.sign_in(id, PASSWORD).await.expect("signs in").device;
    for _ in 0..10 {
        for _ in 0..10 {
            assert_eq!(problem_of(fixture.sign_in(id, WRONG).await), Problem::WrongCredentials);
        }
        fixture.clock.advance(TimeDelta::minutes(61));
    }
    assert_eq!(problem_of(fixture.sign_in(id, PASSWORD).await), Problem::WrongCredentials, "as a wrong one");
    let own = Origin { address: None, device: Some(device), session: None };
    sign_in_from(&fixture.backend, &own, id, PASSWORD).await.expect("but the owner's device, which starts the count anew");
    fixture.sign_in(id, PASSWORD).await.expect("for all devices");
}

#[tokio::test]
async fn a_new_password_resets_the_count_of_failures() {
    let fixture = ActivationFixture::open().await;
    let id = &fixture.org.fisherman.national_id;
    for _ in 0..10 {
        problem_of(fixture.sign_in(id, WRONG).await);
    }
    let issued = fixture.backend.accounts().issue_paper_code(&fixture.org.secretary.viewer, fixture.org.fisherman.id).await;
    let activation = fixture.begin_activation(id).await;
    fixture.try_code(&activation, &issued.expect("issues").code).await.expect("codes are counted apart from passwords");
    let device = fixture.choose(&activation, NEW_PASSWORD).await.expect("chooses").device;
    let own = Origin { address: None, device: Some(device), session: None };
    sign_in_from(&fixture.backend, &own, id, NEW_PASSWORD).await.expect("the device is known now");
}

#[tokio::test]
async fn a_network_with_too_many_failures_waits_except_for_known_devices() {
    let fixture = ActivationFixture::open().await;
    let id = &fixture.org.fisherman.national_id;
    let device = fixture.sign_in(id, PASSWORD).await.expect("signs in").device;
    let village = |last: u8| Origin { address: Some([203, 0, 113, last].into()), device: None, session: None };
    for at in 0..300_u32 {
        let origin = village(u8::try_from(at % 250).expect("small"));
        let accounts = fixture.backend.accounts().at(origin);
        let activation = accounts.begin_activation(&format!("9530{at:08}")).await.expect("an activation");
        let refused = refusal(accounts.try_code(&activation, "ACDEF23456").await);
        assert_eq!(refused.problem("code"), Some(&Problem::CodeRefused));
    }
    assert!(matches!(problem_of(sign_in_from(&fixture.backend, &village(7), id, PASSWORD).await), Problem::TooManyTries { .. }));
    let known = Origin { device: Some(device), ..village(7) };
    sign_in_from(&fixture.backend, &known, id, PASSWORD).await.expect("a known device is not concerned");
    let elsewhere = Origin { address: Some([198, 51, 100, 7].into()), device: None, session: None };
    sign_in_from(&fixture.backend, &elsewhere, id, PASSWORD).await.expect("nor is another network");
}

#[tokio::test]
async fn counts_survive_a_restart() {
    let (backend, clock, folder) = on_disk().await;
    let org = Fixture::insert(&backend).await;
    for _ in 0..10 {
        problem_of(sign_in_from(&backend, &Origin::default(), &org.fisherman.national_id, WRONG).await);
    }
    drop(backend);
    let again = reopened(folder.path(), &clock).await;
    let full = problem_of(sign_in_from(&again, &Origin::default(), &org.fisherman.national_id, PASSWORD).await);
    assert!(matches!(full, Problem::TooManyTries { .. }), "{full:?}");
}
