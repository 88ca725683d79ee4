use backend::{
    Backend, Error,
    accounts::{Origin, SignInForm, SignedIn},
    demo::registry::Registry,
    flash::Sender,
};
use chrono::TimeDelta;
use domain::{
    Locale,
    accounts::{Preferences, TextSize, Theme},
    events::{EventBody, SignIn},
    forms::{FormErrors, FormReader, Problem, bounded_text},
};

use crate::support::{PASSWORD, Person, on_disk, organisation, reopened, start};

async fn sign_in(backend: &Backend, national_id: &str, password: &str) -> Result<SignedIn, Error> {
    backend.accounts().sign_in(SignInForm { national_id, password, device: "Phone" }).await
}

async fn signed_in(backend: &Backend, person: &Person) -> SignedIn {
    sign_in(backend, &person.national_id, PASSWORD).await.expect("signs in")
}

fn refusal(outcome: Result<SignedIn, Error>) -> FormErrors {
    match outcome {
        Err(Error::Invalid(errors)) => errors,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("signed in"),
    }
}

#[tokio::test]
async fn a_session_knows_the_person_as_the_registry_does() {
    let (backend, _, org) = organisation().await;
    for person in [&org.fisherman, &org.secretary, &org.exempt, &org.probationary, &org.province_chief_editor, &org.operator] {
        let token = signed_in(&backend, person).await.token;
        let session = backend.accounts().session(&token).await.expect("reads").expect("is open");
        assert_eq!(session.viewer, person.viewer);
        assert_eq!(session.preferences, Preferences::default());
    }
}

#[tokio::test]
async fn an_id_may_be_typed_as_it_is_printed() {
    let (backend, _, org) = organisation().await;
    let id = &org.fisherman.national_id;
    let spaced = format!(" {} {}.{}-{} ", &id[..3], &id[3..6], &id[6..9], &id[9..]);
    assert!(sign_in(&backend, &spaced, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_token_is_long_and_never_the_same() {
    let (backend, _, org) = organisation().await;
    let (first, second) = (signed_in(&backend, &org.fisherman).await.token, signed_in(&backend, &org.fisherman).await.token);
    assert_ne!(first, second);
    assert_eq!(first.len(), 43, "256 bits in base64");
}

#[tokio::test]
async fn every_reason_to_refuse_is_one_answer() {
    let (backend, _, org) = organisation().await;
    let wrong = refusal(sign_in(&backend, &org.fisherman.national_id, "sai-mat-khau-2026").await);
    assert_eq!(wrong.problem("password"), Some(&Problem::WrongCredentials));
    assert_eq!(wrong.problems.len(), 1);
    assert_eq!(wrong.value("national_id"), Some(org.fisherman.national_id.as_str()), "the typed ID is kept");
    assert_eq!(wrong.value("password"), None, "a password is never returned");

    for (who, national_id) in [("unknown", "951999999999"), ("not activated", &org.not_activated.national_id)] {
        let refused = refusal(sign_in(&backend, national_id, PASSWORD).await);
        assert_eq!(refused.problems, wrong.problems, "{who}");
    }
}

#[tokio::test]
async fn an_invalid_id_is_reported_at_its_field() {
    let (backend, _, _) = organisation().await;
    let refused = refusal(sign_in(&backend, "123", "").await);
    assert_eq!(refused.form, "sign_in");
    assert_eq!(refused.problem("national_id"), Some(&Problem::Digits { expected: 12 }));
    assert_eq!(refused.problem("password"), Some(&Problem::Required));
    let endless = refusal(sign_in(&backend, "951000000001", &"a".repeat(100_000)).await);
    assert_eq!(endless.problem("password"), Some(&Problem::TooLong { max: 256 }));
}

#[tokio::test]
async fn sign_ins_and_failures_of_members_are_logged_but_not_those_of_strangers() {
    let (backend, clock, org) = organisation().await;
    // A time different from the one at which the backend was opened.
    clock.advance(TimeDelta::minutes(1));
    let mut events = backend.events().listen();
    let token = signed_in(&backend, &org.fisherman).await.token;
    refusal(sign_in(&backend, &org.fisherman.national_id, "sai-mat-khau-2026").await);
    refusal(sign_in(&backend, "951999999999", "sai-mat-khau-2026").await);
    backend.accounts().sign_out(&token).await.expect("signs out");
    backend.catch_up().await.expect("reads the log");
    let mut seen = Vec::new();
    while let Ok(event) = events.try_recv() {
        assert_eq!(event.unit, org.harbour.path);
        seen.push((event.actor, event.body));
    }
    seen.sort_by_key(|(_, body)| body.kind().key());
    let Some((_, EventBody::SignedIn(SignIn::Opened(session)))) = seen.get(1) else { panic!("{seen:?}") };
    let (fisherman, session) = (org.fisherman.id, *session);
    let expected = [
        (None, EventBody::SignInRefused { member: fisherman, again: false }),
        (Some(fisherman), EventBody::SignedIn(SignIn::Opened(session))),
        (Some(fisherman), EventBody::SignedOut(session)),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn signing_out_ends_the_session_of_that_device_only() {
    let (backend, _, org) = organisation().await;
    let (phone, tablet) = (signed_in(&backend, &org.fisherman).await.token, signed_in(&backend, &org.fisherman).await.token);
    backend.accounts().sign_out(&phone).await.expect("signs out");
    backend.accounts().sign_out(&phone).await.expect("again is no error");
    assert!(backend.accounts().session(&phone).await.expect("reads").is_none());
    assert!(backend.accounts().session(&tablet).await.expect("reads").is_some());
    for token in ["", "x", "session:1"] {
        assert!(backend.accounts().session(token).await.expect("reads").is_none(), "{token:?}");
    }
}

#[tokio::test]
async fn a_session_ends_after_thirty_days_without_use() {
    let (backend, clock, org) = organisation().await;
    let token = signed_in(&backend, &org.fisherman).await.token;
    for _ in 0..3 {
        clock.advance(TimeDelta::days(29));
        assert!(backend.accounts().session(&token).await.expect("reads").is_some(), "used within thirty days");
    }
    clock.advance(TimeDelta::days(30));
    assert!(backend.accounts().session(&token).await.expect("reads").is_none());
}

#[tokio::test]
async fn an_office_that_has_ended_gives_no_rights() {
    let (backend, clock, org) = organisation().await;
    let token = signed_in(&backend, &org.former_secretary).await.token;
    let viewer = backend.accounts().session(&token).await.expect("reads").expect("is open").viewer;
    assert!(viewer.offices.is_empty() && viewer.standpoint.grants.is_empty());

    // The office is held on its last day too.
    clock.advance(TimeDelta::days(1));
    let token = signed_in(&backend, &org.secretary).await.token;
    let viewer = backend.accounts().session(&token).await.expect("reads").expect("is open").viewer;
    assert_eq!(viewer, org.secretary.viewer);
}

#[tokio::test]
async fn preferences_are_kept_for_the_next_sign_in() {
    let (backend, _, org) = organisation().await;
    let token = signed_in(&backend, &org.fisherman).await.token;
    let chosen = Preferences { locale: Locale::Bn, text_size: TextSize::Largest, theme: Theme::Dark };
    let saved = backend.accounts().save_preferences(&org.fisherman.viewer, "bn", "3", "dark").await.expect("saves");
    assert_eq!(saved, chosen);
    assert_eq!(backend.accounts().session(&token).await.expect("reads").expect("is open").preferences, chosen);
    assert_eq!(signed_in(&backend, &org.fisherman).await.preferences, chosen);
    assert_eq!(signed_in(&backend, &org.secretary).await.preferences, Preferences::default(), "nobody else's");
}

#[tokio::test]
async fn invalid_preferences_are_refused() {
    let (backend, _, org) = organisation().await;
    let refused = backend.accounts().save_preferences(&org.fisherman.viewer, "fr", "9", "").await;
    let Err(Error::Invalid(errors)) = refused else { panic!("{refused:?}") };
    assert_eq!(errors.form, "preferences");
    for field in ["locale", "text_size", "theme"] {
        assert_eq!(errors.problem(field), Some(&Problem::NotOffered), "{field}");
    }
}

/// A sender without a network address.
fn nobody() -> Sender {
    Sender::Stranger(Origin::default())
}

fn broken_form() -> FormErrors {
    let mut form = FormReader::new("opinion");
    form.read("text", "Điểm tập kết rác gần chỗ phơi cá", |typed| bounded_text(typed, 3));
    form.finish().expect_err("too long")
}

#[tokio::test]
async fn a_flash_is_read_once() {
    let (backend, _, _) = organisation().await;
    let errors = broken_form();
    let token = backend.flashes().put(&errors, &nobody()).await.expect("keeps");
    assert_eq!(backend.flashes().take(&token).await.expect("reads"), Some(errors));
    assert_eq!(backend.flashes().take(&token).await.expect("reads"), None);
    assert_eq!(backend.flashes().take("unknown").await.expect("reads"), None);
}

#[tokio::test]
async fn a_flash_expires_after_half_an_hour() {
    let (backend, clock, _) = organisation().await;
    let token = backend.flashes().put(&broken_form(), &nobody()).await.expect("keeps");
    clock.advance(TimeDelta::minutes(30));
    assert_eq!(backend.flashes().take(&token).await.expect("reads"), None);
}

#[tokio::test]
async fn purging_deletes_expired_rows_and_nothing_else() {
    let (backend, clock, org) = organisation().await;
    signed_in(&backend, &org.fisherman).await;
    backend.flashes().put(&broken_form(), &nobody()).await.expect("keeps");
    assert_eq!(backend.accounts().purge().await.expect("purges"), 0);
    clock.advance(TimeDelta::days(20));
    let open = signed_in(&backend, &org.secretary).await.token;
    clock.advance(TimeDelta::days(11));
    assert_eq!(backend.accounts().purge().await.expect("purges"), 3, "the fisherman's session, the flash and its count");
    assert!(backend.accounts().session(&open).await.expect("reads").is_some());
}

#[tokio::test]
async fn sessions_survive_a_restart() {
    let (backend, clock, folder) = on_disk().await;
    let org = crate::support::Fixture::insert(&backend).await;
    let token = signed_in(&backend, &org.fisherman).await.token;
    drop(backend);
    let again = reopened(folder.path(), &clock).await;
    let session = again.accounts().session(&token).await.expect("reads").expect("is open");
    assert_eq!(session.viewer, org.fisherman.viewer);
}

#[tokio::test]
async fn one_national_id_belongs_to_one_member() {
    let (backend, _, org) = organisation().await;
    let mut registry = Registry::new(&backend, 2, start() - TimeDelta::days(1));
    let duplicate = backend::demo::registry::NewMember {
        code: "51.999999",
        full_name: "Võ Văn Khơi",
        sex: domain::members::Sex::Male,
        birth_date: start().date_naive() - TimeDelta::days(15_000),
        admitted_on: start().date_naive() - TimeDelta::days(1_000),
        standing: domain::members::Standing::Official,
        national_id: &domain::members::NationalId::parse(&org.fisherman.national_id).expect("twelve digits"),
        phone: None,
        unit: &org.farm,
    };
    registry.member(&duplicate).expect("collects");
    let refused = registry.save().await.expect_err("is refused").to_string();
    assert!(refused.contains("member_id_hash"), "{refused}");
}
