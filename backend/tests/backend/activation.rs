//! The first sign-in and the forgotten password, with each kind of proof.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

use backend::{
    Backend, Clock, Error,
    accounts::{Origin, PasswordForm, SignInForm, SignedIn},
    demo::registry::{NewMember, Registry, plan},
    sms::Sms,
};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    Locale,
    accounts::{Preferences, codes::Later},
    events::EventKind,
    forms::{FormErrors, Problem},
    ids::MemberId,
    members::{NationalId, PhoneNumber, Sex, Standing},
    units::UnitRef,
};
use tempfile::TempDir;

use crate::support::{Fixture, PASSWORD, organisation, start};

pub(crate) const NEW_PASSWORD: &str = "thuyen ve ben luc 5 gio";
pub(crate) const PHONE: &str = "0987654321";
pub(crate) const WITH_PHONE: &str = "952000000001";
pub(crate) const UNKNOWN: &str = "951999999999";

/// The small organisation, a member of the harbour with a phone but no account, and an outbox for SMS.
pub(crate) struct ActivationFixture {
    pub(crate) backend: Backend,
    pub(crate) clock: Clock,
    pub(crate) org: Fixture,
    pub(crate) newcomer: MemberId,
    outbox: TempDir,
    /// Messages that were read already.
    seen: Mutex<BTreeSet<PathBuf>>,
}

impl ActivationFixture {
    pub(crate) async fn open() -> Self {
        let (backend, clock, org) = organisation().await;
        let outbox = tempfile::tempdir().expect("a folder");
        backend.send_messages_by(Sms::outbox(outbox.path(), &clock));
        let newcomer = register(&backend, WITH_PHONE, Some(PHONE), &org.harbour).await;
        Self { backend, clock, org, newcomer, outbox, seen: Mutex::default() }
    }

    pub(crate) async fn begin_activation(&self, national_id: &str) -> String {
        self.backend.accounts().begin_activation(national_id).await.expect("an activation begins")
    }

    pub(crate) async fn send(&self, activation: &str) -> Result<(), Error> {
        self.backend.accounts().send_code(activation, |code| format!("Ma: {code}")).await
    }

    pub(crate) async fn try_code(&self, activation: &str, code: &str) -> Result<(), Error> {
        self.backend.accounts().try_code(activation, code).await
    }

    pub(crate) async fn choose(&self, activation: &str, password: &str) -> Result<SignedIn, Error> {
        self.backend.accounts().choose_password(activation, password, "Phone", Preferences::default()).await
    }

    pub(crate) async fn sign_in(&self, national_id: &str, password: &str) -> Result<SignedIn, Error> {
        self.backend.accounts().sign_in(SignInForm { national_id, password, device: "Phone" }).await
    }

    /// A paper code for the newcomer, issued by the branch secretary.
    pub(crate) async fn paper_code(&self) -> String {
        let issued = self.backend.accounts().issue_paper_code(&self.org.secretary.viewer, self.newcomer).await;
        issued.expect("issues").code
    }

    /// The code in the only message sent since the last call.
    async fn sent_code(&self) -> String {
        let text = self.sent().await;
        text.split("Ma: ").nth(1).expect("a code").trim().to_owned()
    }

    pub(crate) fn outbox(&self) -> &Path {
        self.outbox.path()
    }

    /// Runs the jobs that are due and returns the only message sent since the last call.
    pub(crate) async fn sent(&self) -> String {
        self.backend.run_due_jobs().await.expect("runs");
        let mut seen = self.seen.lock().expect("not poisoned");
        let fresh: Vec<PathBuf> = messages(self.outbox.path()).into_iter().filter(|file| !seen.contains(file)).collect();
        assert_eq!(fresh.len(), 1, "{fresh:?}");
        let text = fs::read_to_string(&fresh[0]).expect("reads");
        seen.extend(fresh);
        text
    }
}

/// The files of the messages in an outbox.
pub(crate) fn messages(outbox: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(outbox).into_iter().flatten().map(|entry| entry.expect("a file").path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "txt")).collect()
}

pub(crate) async fn register(backend: &Backend, national_id: &str, phone: Option<&str>, unit: &UnitRef) -> MemberId {
    let mut registry = Registry::new(backend, national_id.parse().expect("digits"), start() - TimeDelta::days(1));
    let id = registry
        .member(&NewMember {
            code: &national_id[4..],
            full_name: "Trần Thị Lựu",
            sex: Sex::Female,
            birth_date: NaiveDate::from_ymd_opt(1952, 4, 30).expect("a day"),
            admitted_on: NaiveDate::from_ymd_opt(1975, 4, 30).expect("a day"),
            standing: Standing::Official,
            national_id: &NationalId::parse(national_id).expect("twelve digits"),
            phone: phone.map(|phone| PhoneNumber::parse(phone).expect("ten digits")).as_ref(),
            unit,
        })
        .expect("registers");
    registry.save().await.expect("saves");
    id
}

pub(crate) fn refusal<T>(outcome: Result<T, Error>) -> FormErrors {
    match outcome {
        Err(Error::Invalid(errors)) => errors,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("accepted"),
    }
}

#[tokio::test]
async fn a_member_without_a_phone_signs_in_with_a_paper_code() {
    let fixture = ActivationFixture::open().await;
    // A time different from the one at which the backend was opened.
    fixture.clock.advance(TimeDelta::minutes(1));
    let mut events = fixture.backend.events().listen();
    let code = fixture.paper_code().await;
    let activation = fixture.begin_activation(WITH_PHONE).await;
    let visit = fixture.backend.accounts().activation(&activation).await.expect("reads");
    assert!(visit.is_open && !visit.is_proved);
    assert!(matches!(fixture.choose(&activation, NEW_PASSWORD).await, Err(Error::NotFound)), "not proved yet");

    let typed = format!("{} {}", &code[..5], code[5..].to_lowercase());
    fixture.try_code(&activation, &typed).await.expect("the code is right however it is typed");
    assert!(fixture.backend.accounts().activation(&activation).await.expect("reads").is_proved);
    let preferences = Preferences { locale: Locale::Bn, ..Preferences::default() };
    let chosen =
        fixture.backend.accounts().choose_password(&activation, NEW_PASSWORD, "Phone", preferences).await.expect("chooses");
    let session = fixture.backend.accounts().session(&chosen.token).await.expect("reads").expect("is open");
    assert_eq!(session.viewer.member, fixture.newcomer);
    assert_eq!(session.preferences, preferences, "the language of the activation is kept");
    assert!(!fixture.backend.accounts().activation(&activation).await.expect("reads").is_open, "the activation has ended");

    fixture.sign_in(WITH_PHONE, NEW_PASSWORD).await.expect("signs in with it from now on");
    fixture.backend.catch_up().await.expect("reads the log");
    let mut kinds = Vec::new();
    while let Ok(event) = events.try_recv() {
        assert_eq!(event.unit, fixture.org.harbour.path);
        kinds.push(event.kind());
    }
    kinds.sort_by_key(|kind| kind.key());
    let expected = [EventKind::AccountActivated, EventKind::PaperCodeIssued, EventKind::SignedIn, EventKind::SignedIn];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_member_with_a_phone_signs_in_with_a_code_by_sms() {
    let fixture = ActivationFixture::open().await;
    let activation = fixture.begin_activation(WITH_PHONE).await;
    fixture.send(&activation).await.expect("sends");
    let code = fixture.sent_code().await;
    assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");

    let elsewhere = fixture.begin_activation(WITH_PHONE).await;
    let refused = refusal(fixture.try_code(&elsewhere, &code).await);
    assert_eq!(refused.problem("code"), Some(&Problem::CodeRefused), "only in the browser that requested it");

    fixture.try_code(&activation, &code).await.expect("is right");
    fixture.choose(&activation, NEW_PASSWORD).await.expect("chooses");
    let again = fixture.begin_activation(WITH_PHONE).await;
    assert_eq!(refusal(fixture.try_code(&again, &code).await).problem("code"), Some(&Problem::CodeRefused));
}

#[tokio::test]
async fn the_outbox_is_private_and_holds_no_whole_number() {
    let fixture = ActivationFixture::open().await;
    let activation = fixture.begin_activation(WITH_PHONE).await;
    fixture.send(&activation).await.expect("sends");
    let text = fixture.sent().await;
    assert!(text.contains("•••••••321") && !text.contains("987654"), "{text}");
    #[cfg(unix)]
    for entry in fs::read_dir(fixture.outbox.path()).expect("a folder") {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(entry.expect("a file").metadata().expect("has").permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_sent_code_is_valid_for_ten_minutes_and_five_attempts() {
    let fixture = ActivationFixture::open().await;
    let activation = fixture.begin_activation(WITH_PHONE).await;
    fixture.send(&activation).await.expect("sends");
    let late = fixture.sent_code().await;
    fixture.clock.advance(TimeDelta::minutes(10));
    assert_eq!(refusal(fixture.try_code(&activation, &late).await).problem("code"), Some(&Problem::CodeRefused));

    fixture.send(&activation).await.expect("sends again");
    let code = fixture.sent_code().await;
    let wrong = if code == "111111" { "222222" } else { "111111" };
    for _ in 0..5 {
        refusal(fixture.try_code(&activation, wrong).await);
    }
    assert_eq!(
        refusal(fixture.try_code(&activation, &code).await).problem("code"),
        Some(&Problem::CodeRefused),
        "guessed at too often"
    );
    fixture.send(&activation).await.expect("a new one");
    fixture.try_code(&activation, &fixture.sent_code().await).await.expect("can be used");
}

#[tokio::test]
async fn members_and_strangers_alike_get_at_most_three_messages_an_hour() {
    let fixture = ActivationFixture::open().await;
    let mut told = Vec::new();
    for national_id in [WITH_PHONE, UNKNOWN, &fixture.org.not_activated.national_id] {
        for _ in 0..3 {
            fixture.send(&fixture.begin_activation(national_id).await).await.expect("sends");
        }
        told.push(refusal(fixture.send(&fixture.begin_activation(national_id).await).await));
    }
    assert_eq!(told[0].problem("way"), Some(&Problem::TooManyTries { minutes: 60 }));
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
    fixture.clock.advance(TimeDelta::minutes(61));
    fixture.send(&fixture.begin_activation(WITH_PHONE).await).await.expect("sends after an hour");
}

#[tokio::test]
async fn a_rejected_code_gets_the_same_answer_whatever_the_reason() {
    let fixture = ActivationFixture::open().await;
    let secretary = &fixture.org.secretary.viewer;
    let accounts = || fixture.backend.accounts();

    let anothers = accounts().issue_paper_code(secretary, fixture.org.not_activated.id).await.expect("issues").code;
    let superseded = fixture.paper_code().await;
    let revoked = fixture.paper_code().await;
    let open = accounts().member_codes(secretary, fixture.newcomer).await.expect("reads").codes[0].id;
    accounts().revoke_paper_code(secretary, open).await.expect("revokes");
    let used = fixture.paper_code().await;
    let activation = fixture.begin_activation(WITH_PHONE).await;
    fixture.try_code(&activation, &used).await.expect("is right");
    fixture.choose(&activation, NEW_PASSWORD).await.expect("chooses");
    let expired = fixture.paper_code().await;
    fixture.clock.advance(TimeDelta::days(30));

    let mut told = Vec::new();
    for (national_id, code) in [
        (WITH_PHONE, anothers.as_str()),
        (WITH_PHONE, &superseded),
        (WITH_PHONE, &revoked),
        (WITH_PHONE, &used),
        (WITH_PHONE, &expired),
        (WITH_PHONE, "ACDEF-23456"),
        (WITH_PHONE, "123456"),
        (WITH_PHONE, "not a code"),
        (UNKNOWN, &expired),
    ] {
        told.push(refusal(fixture.try_code(&fixture.begin_activation(national_id).await, code).await));
    }
    assert_eq!(told[0].problem("code"), Some(&Problem::CodeRefused));
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
}

#[tokio::test]
async fn a_paper_code_sets_one_password_however_many_activations_use_it() {
    let fixture = ActivationFixture::open().await;
    let code = fixture.paper_code().await;
    let (first, second) = (fixture.begin_activation(WITH_PHONE).await, fixture.begin_activation(WITH_PHONE).await);
    for activation in [&first, &second] {
        fixture.try_code(activation, &code).await.expect("is right, and not spent yet");
    }
    fixture.choose(&first, NEW_PASSWORD).await.expect("chooses");
    // A new password ends all other activations of that person.
    assert!(matches!(fixture.choose(&second, "con meo nha ba tu leo rao").await, Err(Error::NotFound)));
    fixture.sign_in(WITH_PHONE, NEW_PASSWORD).await.expect("the first one holds");
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_an_activation_and_other_sessions_end() {
    let fixture = ActivationFixture::open().await;
    let fisherman = &fixture.org.fisherman;
    let stolen = fixture.sign_in(&fisherman.national_id, PASSWORD).await.expect("signs in").token;
    let issued = fixture.backend.accounts().issue_paper_code(&fixture.org.deputy.viewer, fisherman.id).await.expect("issues");
    let activation = fixture.begin_activation(&fisherman.national_id).await;
    fixture.try_code(&activation, &issued.code).await.expect("is right");
    let own = fixture.choose(&activation, NEW_PASSWORD).await.expect("chooses").token;
    assert!(fixture.backend.accounts().session(&stolen).await.expect("reads").is_none());
    assert!(fixture.backend.accounts().session(&own).await.expect("reads").is_some());
    assert!(fixture.sign_in(&fisherman.national_id, PASSWORD).await.is_err(), "the old one is gone");
}

#[tokio::test]
async fn a_weak_password_is_refused() {
    let fixture = ActivationFixture::open().await;
    let activation = fixture.begin_activation(WITH_PHONE).await;
    fixture.try_code(&activation, &fixture.paper_code().await).await.expect("is right");
    for (password, problem) in [
        ("", Problem::Required),
        ("ngắn quá", Problem::TooShort { min: 12 }),
        ("matkhau123456", Problem::CommonPassword),
        ("Trần Thị Lựu 1952", Problem::CommonPassword),
        (WITH_PHONE, Problem::CommonPassword),
        ("luu 0987654321", Problem::CommonPassword),
    ] {
        assert_eq!(refusal(fixture.choose(&activation, password).await).problem("password"), Some(&problem), "{password}");
    }
    fixture.choose(&activation, NEW_PASSWORD).await.expect("the activation and its code are still valid");
}

#[tokio::test]
async fn an_activation_expires_after_half_an_hour() {
    let fixture = ActivationFixture::open().await;
    let code = fixture.paper_code().await;
    let activation = fixture.begin_activation(WITH_PHONE).await;
    fixture.try_code(&activation, &code).await.expect("is right");
    fixture.clock.advance(TimeDelta::minutes(30));
    assert!(!fixture.backend.accounts().activation(&activation).await.expect("reads").is_open);
    for outcome in [
        fixture.try_code(&activation, &code).await,
        fixture.send(&activation).await,
        fixture.choose(&activation, NEW_PASSWORD).await.map(|_| ()),
    ] {
        assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
    }
    let activation = fixture.begin_activation(WITH_PHONE).await;
    fixture.try_code(&activation, &code).await.expect("the code was not spent");
    for nonsense in ["", "x", "door:1"] {
        assert!(!fixture.backend.accounts().activation(nonsense).await.expect("reads").is_open);
    }
}

#[tokio::test]
async fn proved_members_of_a_planned_unit_see_when_it_begins_and_whom_to_ask() {
    let fixture = ActivationFixture::open().await;
    let code = fixture.paper_code().await;
    let day = NaiveDate::from_ymd_opt(2027, 1, 15).expect("a day");
    plan(&fixture.backend, &fixture.org.coast, day, "Bà Cao Thị Sổ, 0255 3 812 345").await.expect("plans");
    let later = Later {
        unit: fixture.org.harbour.name.clone(),
        live_from: Some(day),
        contact: Some("Bà Cao Thị Sổ, 0255 3 812 345".to_owned()),
    };

    let fisherman = &fixture.org.fisherman.national_id;
    let wrong = refusal(fixture.sign_in(fisherman, "sai-mat-khau-2026").await);
    assert_eq!(wrong.problem("password"), Some(&Problem::WrongCredentials), "as everywhere");
    let Err(Error::NotLive { activation }) = fixture.sign_in(fisherman, PASSWORD).await else { panic!("is let in") };
    assert_eq!(fixture.backend.accounts().activation(&activation).await.expect("reads").later.as_ref(), Some(&later));
    assert!(matches!(fixture.choose(&activation, NEW_PASSWORD).await, Err(Error::NotLive { .. })), "cannot be bypassed");

    let activation = fixture.begin_activation(WITH_PHONE).await;
    assert_eq!(fixture.backend.accounts().activation(&activation).await.expect("reads").later, None, "nothing before the code");
    fixture.try_code(&activation, &code).await.expect("is right");
    assert_eq!(fixture.backend.accounts().activation(&activation).await.expect("reads").later, Some(later));
    assert!(matches!(fixture.choose(&activation, NEW_PASSWORD).await, Err(Error::NotLive { .. })));

    let codes =
        fixture.backend.accounts().member_codes(&fixture.org.secretary.viewer, fixture.newcomer).await.expect("reads").codes;
    assert_eq!(codes[0].state, domain::accounts::codes::CodeState::Open, "the code is kept for that day");
    fixture.sign_in(&fixture.org.farmer.national_id, PASSWORD).await.expect("the hills are live");
}

#[tokio::test]
async fn an_invalid_id_is_reported_at_once() {
    let fixture = ActivationFixture::open().await;
    let activation = fixture.backend.accounts().at(Origin::default()).begin_activation("123").await;
    let errors = refusal(activation);
    assert_eq!((errors.form.as_str(), errors.problem("national_id")), ("welcome", Some(&Problem::Digits { expected: 12 })));
}

#[tokio::test]
async fn a_changed_password_ends_earlier_codes_and_activations() {
    let fixture = ActivationFixture::open().await;
    let code = fixture.paper_code().await;
    let activation = fixture.begin_activation(WITH_PHONE).await;
    fixture.try_code(&activation, &code).await.expect("is right");
    let token = fixture.choose(&activation, NEW_PASSWORD).await.expect("chooses").token;
    let viewer = fixture.backend.accounts().session(&token).await.expect("reads").expect("is open").viewer;

    // A person with a card, an activation proved by it, and another one with a code that was sent.
    let card = fixture.paper_code().await;
    let proved = fixture.begin_activation(WITH_PHONE).await;
    fixture.try_code(&proved, &card).await.expect("is right");
    let waiting = fixture.begin_activation(WITH_PHONE).await;
    fixture.send(&waiting).await.expect("is sent");
    let sent = fixture.sent_code().await;

    let typed = PasswordForm { current: NEW_PASSWORD, new: "thuyen ve ben luc 6 gio" };
    fixture.backend.accounts().change_password(&viewer, &token, typed).await.expect("changes");
    assert!(matches!(fixture.choose(&proved, "thuyen ve ben luc 7 gio").await, Err(Error::NotFound)), "the proved activation");
    assert!(matches!(fixture.try_code(&waiting, &sent).await, Err(Error::NotFound)), "the code that was sent");
    let fresh = fixture.begin_activation(WITH_PHONE).await;
    assert_eq!(refusal(fixture.try_code(&fresh, &card).await).problem("code"), Some(&Problem::CodeRefused), "the card");
    assert!(fixture.sign_in(WITH_PHONE, "thuyen ve ben luc 6 gio").await.is_ok());
}

#[tokio::test]
async fn a_chosen_password_ends_the_other_activations() {
    let fixture = ActivationFixture::open().await;
    let code = fixture.paper_code().await;
    let (one, other) = (fixture.begin_activation(WITH_PHONE).await, fixture.begin_activation(WITH_PHONE).await);
    fixture.try_code(&one, &code).await.expect("is right");
    fixture.send(&other).await.expect("is sent");
    let sent = fixture.sent_code().await;
    fixture.try_code(&other, &sent).await.expect("is right");
    fixture.choose(&one, NEW_PASSWORD).await.expect("chooses");
    assert!(matches!(fixture.choose(&other, "thuyen ve ben luc 7 gio").await, Err(Error::NotFound)));
}

#[tokio::test]
async fn numbers_and_codes_copied_with_invisible_characters_are_parsed() {
    let fixture = ActivationFixture::open().await;
    let code = fixture.paper_code().await;
    let activation = fixture.begin_activation("\u{2068}9520 0000\u{200b}0001\u{2069}").await;
    fixture.try_code(&activation, &format!("\u{feff}{code}\u{200e}")).await.expect("is right");
    fixture.choose(&activation, NEW_PASSWORD).await.expect("chooses");
    fixture.sign_in("\u{202a}952000000001\u{202c}", NEW_PASSWORD).await.expect("signs in");
}
