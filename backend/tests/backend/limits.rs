//! Guessing is limited, members and strangers see the same, and nobody locks out the owner.

use backend::{
    Backend, Error,
    accounts::{Origin, SignInForm, SignedIn},
};
use chrono::TimeDelta;
use domain::forms::Problem;

use crate::{
    doors::{Doors, NEW_PASSWORD, UNKNOWN, WITH_PHONE, refusal},
    support::{Fixture, PASSWORD, on_disk, reopened},
};

const WRONG: &str = "sai-mat-khau-2026";

async fn sign_in_from(backend: &Backend, origin: &Origin, national_id: &str, password: &str) -> Result<SignedIn, Error> {
    backend.accounts().at(origin.clone()).sign_in(SignInForm { national_id, password, device: "Phone" }).await
}

fn told(outcome: Result<SignedIn, Error>) -> Problem {
    refusal(outcome).problem("password").expect("a problem").clone()
}

#[tokio::test]
async fn ten_wrong_passwords_an_hour_and_no_more_for_members_and_strangers_alike() {
    let doors = Doors::open().await;
    for national_id in [doors.org.fisherman.national_id.as_str(), UNKNOWN, WITH_PHONE] {
        for _ in 0..10 {
            assert_eq!(told(doors.sign_in(national_id, WRONG).await), Problem::WrongCredentials);
        }
        let full = told(doors.sign_in(national_id, PASSWORD).await);
        assert_eq!(full, Problem::TooManyTries { minutes: 60 }, "{national_id}: even the right one is not looked at");
    }
    doors.sign_in(&doors.org.secretary.national_id, PASSWORD).await.expect("others are not concerned");
    doors.clock.advance(TimeDelta::minutes(59));
    assert_eq!(told(doors.sign_in(&doors.org.fisherman.national_id, PASSWORD).await), Problem::TooManyTries { minutes: 1 });
    doors.clock.advance(TimeDelta::minutes(2));
    doors.sign_in(&doors.org.fisherman.national_id, PASSWORD).await.expect("after the hour");
}

#[tokio::test]
async fn a_right_password_starts_the_count_anew() {
    let doors = Doors::open().await;
    let id = &doors.org.fisherman.national_id;
    for _ in 0..2 {
        for _ in 0..9 {
            assert_eq!(told(doors.sign_in(id, WRONG).await), Problem::WrongCredentials);
        }
        doors.sign_in(id, PASSWORD).await.expect("signs in");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tries_at_once_are_not_more_than_one_after_the_other() {
    let doors = Doors::open().await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (backend, id) = (doors.backend.clone(), doors.org.fisherman.national_id.clone());
        tries.spawn(async move { sign_in_from(&backend, &Origin::default(), &id, WRONG).await });
    }
    let mut looked_at = 0;
    while let Some(tried) = tries.join_next().await {
        match tried.expect("no panic") {
            // So many at once may also be told to come again.
            Err(Error::Busy) => {}
            outcome => looked_at += usize::from(told(outcome) == Problem::WrongCredentials),
        }
    }
    assert!(looked_at <= 10, "{looked_at}");
}

#[tokio::test]
async fn nobody_elsewhere_locks_out_a_known_device() {
    let doors = Doors::open().await;
    let id = &doors.org.fisherman.national_id;
    let device = doors.sign_in(id, PASSWORD).await.expect("signs in").device;
    let own = Origin { address: None, device: Some(device.clone()), session: None };
    for _ in 0..10 {
        told(doors.sign_in(id, WRONG).await);
    }
    assert!(matches!(told(doors.sign_in(id, PASSWORD).await), Problem::TooManyTries { .. }));
    let again = sign_in_from(&doors.backend, &own, id, PASSWORD).await.expect("the owner comes in");
    assert_eq!(again.device, device, "the device stays known");

    let mates = sign_in_from(&doors.backend, &own, &doors.org.secretary.national_id, PASSWORD).await.expect("on a shared phone");
    assert_ne!(mates.device, device, "known for each member by another secret");
    for _ in 0..10 {
        assert_eq!(told(sign_in_from(&doors.backend, &own, id, WRONG).await), Problem::WrongCredentials);
    }
    let full = told(sign_in_from(&doors.backend, &own, id, PASSWORD).await);
    assert!(matches!(full, Problem::TooManyTries { .. }), "whoever holds the phone does not guess for ever: {full:?}");
}

#[tokio::test]
async fn after_a_hundred_failures_in_a_row_only_the_doors_help() {
    let doors = Doors::open().await;
    let id = &doors.org.fisherman.national_id;
    let device = doors.sign_in(id, PASSWORD).await.expect("signs in").device;
    for _ in 0..10 {
        for _ in 0..10 {
            assert_eq!(told(doors.sign_in(id, WRONG).await), Problem::WrongCredentials);
        }
        doors.clock.advance(TimeDelta::minutes(61));
    }
    assert_eq!(told(doors.sign_in(id, PASSWORD).await), Problem::WrongCredentials, "as a wrong one");
    let own = Origin { address: None, device: Some(device), session: None };
    sign_in_from(&doors.backend, &own, id, PASSWORD).await.expect("but the owner's device, which starts the count anew");
    doors.sign_in(id, PASSWORD).await.expect("for all devices");
}

#[tokio::test]
async fn a_new_password_through_a_door_ends_the_count_of_failures() {
    let doors = Doors::open().await;
    let id = &doors.org.fisherman.national_id;
    for _ in 0..10 {
        told(doors.sign_in(id, WRONG).await);
    }
    let issued = doors.backend.accounts().issue_paper_code(&doors.org.secretary.viewer, doors.org.fisherman.id).await;
    let door = doors.knock(id).await;
    doors.try_code(&door, &issued.expect("issues").code).await.expect("codes are counted apart from passwords");
    let device = doors.choose(&door, NEW_PASSWORD).await.expect("chooses").device;
    let own = Origin { address: None, device: Some(device), session: None };
    sign_in_from(&doors.backend, &own, id, NEW_PASSWORD).await.expect("the device is known now");
}

#[tokio::test]
async fn a_network_that_fails_too_often_waits_but_for_known_devices() {
    let doors = Doors::open().await;
    let id = &doors.org.fisherman.national_id;
    let device = doors.sign_in(id, PASSWORD).await.expect("signs in").device;
    let village = |last: u8| Origin { address: Some([203, 0, 113, last].into()), device: None, session: None };
    for at in 0..300_u32 {
        let origin = village(u8::try_from(at % 250).expect("small"));
        let accounts = doors.backend.accounts().at(origin);
        let door = accounts.knock(&format!("9530{at:08}")).await.expect("a visit");
        let refused = refusal(accounts.try_code(&door, "ACDEF23456").await);
        assert_eq!(refused.problem("code"), Some(&Problem::CodeRefused));
    }
    assert!(matches!(told(sign_in_from(&doors.backend, &village(7), id, PASSWORD).await), Problem::TooManyTries { .. }));
    let known = Origin { device: Some(device), ..village(7) };
    sign_in_from(&doors.backend, &known, id, PASSWORD).await.expect("a known device is not concerned");
    let elsewhere = Origin { address: Some([198, 51, 100, 7].into()), device: None, session: None };
    sign_in_from(&doors.backend, &elsewhere, id, PASSWORD).await.expect("nor is another network");
}

#[tokio::test]
async fn counts_survive_a_restart() {
    let (backend, clock, folder) = on_disk().await;
    let org = Fixture::insert(&backend).await;
    for _ in 0..10 {
        told(sign_in_from(&backend, &Origin::default(), &org.fisherman.national_id, WRONG).await);
    }
    drop(backend);
    let again = reopened(folder.path(), &clock).await;
    let full = told(sign_in_from(&again, &Origin::default(), &org.fisherman.national_id, PASSWORD).await);
    assert!(matches!(full, Problem::TooManyTries { .. }), "{full:?}");
}
