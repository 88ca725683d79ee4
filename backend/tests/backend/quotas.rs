//! What strangers may leave in the store.

use std::net::IpAddr;

use backend::{
    Backend, Error,
    accounts::{Origin, SignInForm},
    flash::Sender,
};
use chrono::TimeDelta;
use domain::forms::{FormErrors, FormReader, Problem, bounded_text};

use crate::support::{PASSWORD, organisation};

/// A form that is not accepted, with a text of so many letters.
fn form(letters: usize) -> FormErrors {
    let mut form = FormReader::new("opinion");
    form.read("text", &"x".repeat(letters), |typed| bounded_text(typed, 3));
    form.finish().expect_err("too long")
}

fn from(address: &str) -> Sender {
    let address: IpAddr = address.parse().expect("an address");
    Sender::Stranger(Origin { address: Some(address), device: None, session: None })
}

/// Leaves forms until no more are taken, and says how many were.
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
async fn the_long_text_of_a_stranger_is_not_kept_and_that_of_a_member_is() {
    let (backend, _, org) = organisation().await;
    let long = form(100_000);
    let token = backend.flashes().put(&long, &from("203.0.113.7")).await.expect("keeps");
    let kept = backend.flashes().take(&token).await.expect("reads").expect("is there");
    assert_eq!((kept.value("text"), kept.problem("text")), (None, Some(&Problem::TooLong { max: 3 })), "the problem is told");

    let member = Sender::Member(org.fisherman.id);
    let token = backend.flashes().put(&long, &member).await.expect("keeps");
    assert_eq!(backend.flashes().take(&token).await.expect("reads"), Some(long.clone()));

    // The session may have ended while its owner wrote: the device tells that it is no stranger's.
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
async fn a_network_leaves_so_much_and_no_more_and_others_are_not_concerned() {
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
async fn whoever_rents_many_networks_of_the_new_kind_is_counted_as_one() {
    let (backend, _, _) = organisation().await;
    let one = leave_many(&backend, &from("2001:db8:1:1::1"), 3_000).await;
    let mut all = one;
    for network in 2..20 {
        all += leave_many(&backend, &from(&format!("2001:db8:1:{network}::1")), 3_000).await;
    }
    assert!(all <= 4 * one + 4, "{all} of all, {one} of one");
}

#[tokio::test]
async fn one_member_leaves_so_much_and_no_more() {
    let (backend, _, org) = organisation().await;
    let count = leave_many(&backend, &Sender::Member(org.fisherman.id), 600_000).await;
    assert!((5..20).contains(&count), "{count} forms of 600 kB");
    backend.flashes().put(&form(600_000), &Sender::Member(org.secretary.id)).await.expect("another member");
}
