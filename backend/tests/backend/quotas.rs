//! Limits on what unauthenticated visitors store.

use std::net::IpAddr;

use backend::{
    Backend, Error,
    accounts::{Origin, SignInForm},
    flash::Sender,
};
use chrono::TimeDelta;
use domain::forms::{FormErrors, FormReader, Problem, bounded_text};

use crate::support::{PASSWORD, organisation};

/// A rejected form with a text of this many letters.
fn form(letters: usize) -> FormErrors {
    let mut form = FormReader::new("opinion");
    form.read("text", &"x".repeat(letters), |typed| bounded_text(typed, 3));
    form.finish().expect_err("too long")
}

fn from(address: &str) -> Sender {
    let address: IpAddr = address.parse().expect("an address");
    Sender::Stranger(Origin { address: Some(address), device: None, session: None })
}

/// Stores forms until they are rejected, and returns their number.
async fn leave_many(backend: &Backend, sender: &Sender, letters: usize) -> usize {
    for count in 0..1_000 {
        match backend.flashes().put(&form(letters), sender).await {
            Ok(_) => {}
            Err(Error::Busy) => return count,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("there is no end");
}

#[tokio::test]
async fn a_long_text_is_kept_for_a_member_and_not_for_a_stranger() {
    let (backend, _, org) = organisation().await;
    let long = form(100_000);
    let token = backend.flashes().put(&long, &from("203.0.113.7")).await.expect("keeps");
    let kept = backend.flashes().take(&token).await.expect("reads").expect("is there");
    assert_eq!((kept.value("text"), kept.problem("text")), (None, Some(&Problem::TooLong { max: 3 })), "the problem is reported");

    let member = Sender::Member(org.fisherman.id);
    let token = backend.flashes().put(&long, &member).await.expect("keeps");
    assert_eq!(backend.flashes().take(&token).await.expect("reads"), Some(long.clone()));

    // The session may have expired while its owner wrote: the device identifies them.
    let typed = SignInForm { national_id: &org.fisherman.national_id, password: PASSWORD, device: "Phone" };
    let device = backend.accounts().sign_in(typed).await.expect("signs in").device;
    let token =
        backend.flashes().put(&long, &Sender::Stranger(Origin { address: None, device: Some(device), session: None })).await;
    assert_eq!(backend.flashes().take(&token.expect("keeps")).await.expect("reads"), Some(long.clone()));
    let made_up = Sender::Stranger(Origin { address: None, device: Some("made-up".to_owned()), session: None });
    let token = backend.flashes().put(&long, &made_up).await.expect("keeps");
    assert_eq!(backend.flashes().take(&token).await.expect("reads").expect("is there").value("text"), None);
}

#[tokio::test]
async fn the_rows_of_a_network_are_limited_and_other_networks_are_not_affected() {
    let (backend, clock, org) = organisation().await;
    let count = leave_many(&backend, &from("203.0.113.7"), 3_000).await;
    assert!((100..400).contains(&count), "{count} forms of 3 kB");
    assert_eq!(leave_many(&backend, &from("203.0.113.250"), 3_000).await, 0, "a neighbour");
    backend.flashes().put(&form(3_000), &from("203.0.114.7")).await.expect("another network");
    backend.flashes().put(&form(3_000), &Sender::Member(org.fisherman.id)).await.expect("a member");
    clock.advance(TimeDelta::minutes(31));
    backend.flashes().put(&form(3_000), &from("203.0.113.7")).await.expect("half an hour later");
}

#[tokio::test]
async fn many_ipv6_networks_of_one_owner_count_as_one() {
    let (backend, _, _) = organisation().await;
    let one = leave_many(&backend, &from("2001:db8:1:1::1"), 3_000).await;
    let mut all = one;
    for network in 2..20 {
        all += leave_many(&backend, &from(&format!("2001:db8:1:{network}::1")), 3_000).await;
    }
    assert!(all <= 4 * one + 4, "{all} of all, {one} of one");
}

#[tokio::test]
async fn the_rows_of_one_member_are_limited() {
    let (backend, _, org) = organisation().await;
    let count = leave_many(&backend, &Sender::Member(org.fisherman.id), 600_000).await;
    assert!((5..20).contains(&count), "{count} forms of 600 kB");
    backend.flashes().put(&form(600_000), &Sender::Member(org.secretary.id)).await.expect("another member");
}
