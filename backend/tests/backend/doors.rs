//! The first sign-in and the forgotten password, door by door.

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

/// The small organisation, a member of the harbour without account but with a phone, and an outbox for short messages.
pub(crate) struct Doors {
    pub(crate) backend: Backend,
    pub(crate) clock: Clock,
    pub(crate) org: Fixture,
    pub(crate) newcomer: MemberId,
    outbox: TempDir,
    /// Messages that were looked at.
    seen: Mutex<BTreeSet<PathBuf>>,
}

impl Doors {
    pub(crate) async fn open() -> Self {
        let (backend, clock, org) = organisation().await;
        let outbox = tempfile::tempdir().expect("a folder");
        backend.send_messages_by(Sms::outbox(outbox.path(), &clock));
        let newcomer = register(&backend, WITH_PHONE, Some(PHONE), &org.harbour).await;
        Self { backend, clock, org, newcomer, outbox, seen: Mutex::default() }
    }

    pub(crate) async fn knock(&self, national_id: &str) -> String {
        self.backend.accounts().knock(national_id).await.expect("a visit begins")
    }

    pub(crate) async fn send(&self, door: &str) -> Result<(), Error> {
        self.backend.accounts().send_code(door, |code| format!("Ma: {code}")).await
    }

    pub(crate) async fn try_code(&self, door: &str, code: &str) -> Result<(), Error> {
        self.backend.accounts().try_code(door, code).await
    }

    pub(crate) async fn choose(&self, door: &str, password: &str) -> Result<SignedIn, Error> {
        self.backend.accounts().choose_password(door, password, "Phone", Preferences::default()).await
    }

    pub(crate) async fn sign_in(&self, national_id: &str, password: &str) -> Result<SignedIn, Error> {
        self.backend.accounts().sign_in(SignInForm { national_id, password, device: "Phone" }).await
    }

    /// A code on paper for the newcomer, issued by the branch secretary.
    pub(crate) async fn paper_code(&self) -> String {
        let issued = self.backend.accounts().issue_paper_code(&self.org.secretary.viewer, self.newcomer).await;
        issued.expect("issues").code
    }

    /// The code in the one message that was sent since the last look.
    async fn sent_code(&self) -> String {
        let text = self.sent().await;
        text.split("Ma: ").nth(1).expect("a code").trim().to_owned()
    }

    pub(crate) fn outbox(&self) -> &Path {
        self.outbox.path()
    }

    /// Lets the jobs send what is to be sent; the one message that was sent since the last look.
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
async fn a_member_without_phone_comes_in_with_a_paper_code() {
    let doors = Doors::open().await;
    // Away from the moment the backend was opened at.
    doors.clock.advance(TimeDelta::minutes(1));
    let mut events = doors.backend.events().listen();
    let code = doors.paper_code().await;
    let door = doors.knock(WITH_PHONE).await;
    let visit = doors.backend.accounts().door(&door).await.expect("reads");
    assert!(visit.is_open && !visit.is_proved);
    assert!(matches!(doors.choose(&door, NEW_PASSWORD).await, Err(Error::NotFound)), "nothing is proved yet");

    let typed = format!("{} {}", &code[..5], code[5..].to_lowercase());
    doors.try_code(&door, &typed).await.expect("the code is right however it is typed");
    assert!(doors.backend.accounts().door(&door).await.expect("reads").is_proved);
    let preferences = Preferences { locale: Locale::Bn, ..Preferences::default() };
    let chosen = doors.backend.accounts().choose_password(&door, NEW_PASSWORD, "Phone", preferences).await.expect("chooses");
    let session = doors.backend.accounts().session(&chosen.token).await.expect("reads").expect("is open");
    assert_eq!(session.viewer.member, doors.newcomer);
    assert_eq!(session.preferences, preferences, "the language of the visit goes on");
    assert!(!doors.backend.accounts().door(&door).await.expect("reads").is_open, "the visit is over");

    doors.sign_in(WITH_PHONE, NEW_PASSWORD).await.expect("signs in with it from now on");
    doors.backend.catch_up().await.expect("reads the log");
    let mut kinds = Vec::new();
    while let Ok(event) = events.try_recv() {
        assert_eq!(event.unit, doors.org.harbour.path);
        kinds.push(event.kind());
    }
    kinds.sort_by_key(|kind| kind.key());
    let expected = [EventKind::AccountActivated, EventKind::PaperCodeIssued, EventKind::SignedIn, EventKind::SignedIn];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_member_with_a_phone_comes_in_with_a_code_by_sms() {
    let doors = Doors::open().await;
    let door = doors.knock(WITH_PHONE).await;
    doors.send(&door).await.expect("sends");
    let code = doors.sent_code().await;
    assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");

    let elsewhere = doors.knock(WITH_PHONE).await;
    let refused = refusal(doors.try_code(&elsewhere, &code).await);
    assert_eq!(refused.problem("code"), Some(&Problem::CodeRefused), "it belongs to the browser that asked for it");

    doors.try_code(&door, &code).await.expect("is right");
    doors.choose(&door, NEW_PASSWORD).await.expect("chooses");
    let again = doors.knock(WITH_PHONE).await;
    assert_eq!(refusal(doors.try_code(&again, &code).await).problem("code"), Some(&Problem::CodeRefused));
}

#[tokio::test]
async fn the_outbox_is_private_and_holds_no_whole_number() {
    let doors = Doors::open().await;
    let door = doors.knock(WITH_PHONE).await;
    doors.send(&door).await.expect("sends");
    let text = doors.sent().await;
    assert!(text.contains("•••••••321") && !text.contains("987654"), "{text}");
    #[cfg(unix)]
    for entry in fs::read_dir(doors.outbox.path()).expect("a folder") {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(entry.expect("a file").metadata().expect("has").permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_sent_code_is_worth_ten_minutes_and_five_tries() {
    let doors = Doors::open().await;
    let door = doors.knock(WITH_PHONE).await;
    doors.send(&door).await.expect("sends");
    let late = doors.sent_code().await;
    doors.clock.advance(TimeDelta::minutes(10));
    assert_eq!(refusal(doors.try_code(&door, &late).await).problem("code"), Some(&Problem::CodeRefused));

    doors.send(&door).await.expect("sends again");
    let code = doors.sent_code().await;
    let wrong = if code == "111111" { "222222" } else { "111111" };
    for _ in 0..5 {
        refusal(doors.try_code(&door, wrong).await);
    }
    assert_eq!(refusal(doors.try_code(&door, &code).await).problem("code"), Some(&Problem::CodeRefused), "guessed at too often");
    doors.send(&door).await.expect("a new one");
    doors.try_code(&door, &doors.sent_code().await).await.expect("can be used");
}

#[tokio::test]
async fn three_messages_an_hour_and_no_more_for_members_and_strangers_alike() {
    let doors = Doors::open().await;
    let mut told = Vec::new();
    for national_id in [WITH_PHONE, UNKNOWN, &doors.org.not_activated.national_id] {
        for _ in 0..3 {
            doors.send(&doors.knock(national_id).await).await.expect("sends");
        }
        told.push(refusal(doors.send(&doors.knock(national_id).await).await));
    }
    assert_eq!(told[0].problem("way"), Some(&Problem::TooManyTries { minutes: 60 }));
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
    doors.clock.advance(TimeDelta::minutes(61));
    doors.send(&doors.knock(WITH_PHONE).await).await.expect("sends after an hour");
}

#[tokio::test]
async fn a_code_that_does_not_open_is_refused_in_one_way_whatever_the_reason() {
    let doors = Doors::open().await;
    let secretary = &doors.org.secretary.viewer;
    let accounts = || doors.backend.accounts();

    let anothers = accounts().issue_paper_code(secretary, doors.org.not_activated.id).await.expect("issues").code;
    let superseded = doors.paper_code().await;
    let revoked = doors.paper_code().await;
    let open = accounts().member_codes(secretary, doors.newcomer).await.expect("reads").codes[0].id;
    accounts().revoke_paper_code(secretary, open).await.expect("revokes");
    let used = doors.paper_code().await;
    let door = doors.knock(WITH_PHONE).await;
    doors.try_code(&door, &used).await.expect("is right");
    doors.choose(&door, NEW_PASSWORD).await.expect("chooses");
    let expired = doors.paper_code().await;
    doors.clock.advance(TimeDelta::days(30));

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
        told.push(refusal(doors.try_code(&doors.knock(national_id).await, code).await));
    }
    assert_eq!(told[0].problem("code"), Some(&Problem::CodeRefused));
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
}

#[tokio::test]
async fn one_paper_code_makes_one_password_however_many_visits_have_it() {
    let doors = Doors::open().await;
    let code = doors.paper_code().await;
    let (first, second) = (doors.knock(WITH_PHONE).await, doors.knock(WITH_PHONE).await);
    for door in [&first, &second] {
        doors.try_code(door, &code).await.expect("is right, and not spent yet");
    }
    doors.choose(&first, NEW_PASSWORD).await.expect("chooses");
    // A new password ends all other visits of that person.
    assert!(matches!(doors.choose(&second, "con meo nha ba tu leo rao").await, Err(Error::NotFound)));
    doors.sign_in(WITH_PHONE, NEW_PASSWORD).await.expect("the first one holds");
}

#[tokio::test]
async fn who_has_forgotten_the_password_comes_in_by_the_same_door_and_everybody_else_is_out() {
    let doors = Doors::open().await;
    let fisherman = &doors.org.fisherman;
    let stolen = doors.sign_in(&fisherman.national_id, PASSWORD).await.expect("signs in").token;
    let issued = doors.backend.accounts().issue_paper_code(&doors.org.deputy.viewer, fisherman.id).await.expect("issues");
    let door = doors.knock(&fisherman.national_id).await;
    doors.try_code(&door, &issued.code).await.expect("is right");
    let own = doors.choose(&door, NEW_PASSWORD).await.expect("chooses").token;
    assert!(doors.backend.accounts().session(&stolen).await.expect("reads").is_none());
    assert!(doors.backend.accounts().session(&own).await.expect("reads").is_some());
    assert!(doors.sign_in(&fisherman.national_id, PASSWORD).await.is_err(), "the old one is gone");
}

#[tokio::test]
async fn a_password_that_is_guessed_first_is_not_taken() {
    let doors = Doors::open().await;
    let door = doors.knock(WITH_PHONE).await;
    doors.try_code(&door, &doors.paper_code().await).await.expect("is right");
    for (password, problem) in [
        ("", Problem::Required),
        ("ngắn quá", Problem::TooShort { min: 12 }),
        ("matkhau123456", Problem::CommonPassword),
        ("Trần Thị Lựu 1952", Problem::CommonPassword),
        (WITH_PHONE, Problem::CommonPassword),
        ("luu 0987654321", Problem::CommonPassword),
    ] {
        assert_eq!(refusal(doors.choose(&door, password).await).problem("password"), Some(&problem), "{password}");
    }
    doors.choose(&door, NEW_PASSWORD).await.expect("the visit and its code are still good");
}

#[tokio::test]
async fn a_visit_is_over_after_half_an_hour() {
    let doors = Doors::open().await;
    let code = doors.paper_code().await;
    let door = doors.knock(WITH_PHONE).await;
    doors.try_code(&door, &code).await.expect("is right");
    doors.clock.advance(TimeDelta::minutes(30));
    assert!(!doors.backend.accounts().door(&door).await.expect("reads").is_open);
    for outcome in
        [doors.try_code(&door, &code).await, doors.send(&door).await, doors.choose(&door, NEW_PASSWORD).await.map(|_| ())]
    {
        assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
    }
    let door = doors.knock(WITH_PHONE).await;
    doors.try_code(&door, &code).await.expect("the code was not spent");
    for nonsense in ["", "x", "door:1"] {
        assert!(!doors.backend.accounts().door(nonsense).await.expect("reads").is_open);
    }
}

#[tokio::test]
async fn members_of_a_planned_unit_are_told_when_and_whom_to_ask_once_they_have_proved_who_they_are() {
    let doors = Doors::open().await;
    let code = doors.paper_code().await;
    let day = NaiveDate::from_ymd_opt(2027, 1, 15).expect("a day");
    plan(&doors.backend, &doors.org.coast, day, "Bà Cao Thị Sổ, 0255 3 812 345").await.expect("plans");
    let later = Later {
        unit: doors.org.harbour.name.clone(),
        live_from: Some(day),
        contact: Some("Bà Cao Thị Sổ, 0255 3 812 345".to_owned()),
    };

    let fisherman = &doors.org.fisherman.national_id;
    let wrong = refusal(doors.sign_in(fisherman, "sai-mat-khau-2026").await);
    assert_eq!(wrong.problem("password"), Some(&Problem::WrongCredentials), "as everywhere");
    let Err(Error::NotLive { door }) = doors.sign_in(fisherman, PASSWORD).await else { panic!("is let in") };
    assert_eq!(doors.backend.accounts().door(&door).await.expect("reads").later.as_ref(), Some(&later));
    assert!(matches!(doors.choose(&door, NEW_PASSWORD).await, Err(Error::NotLive { .. })), "no way around it");

    let door = doors.knock(WITH_PHONE).await;
    assert_eq!(doors.backend.accounts().door(&door).await.expect("reads").later, None, "nothing before the code");
    doors.try_code(&door, &code).await.expect("is right");
    assert_eq!(doors.backend.accounts().door(&door).await.expect("reads").later, Some(later));
    assert!(matches!(doors.choose(&door, NEW_PASSWORD).await, Err(Error::NotLive { .. })));

    let codes = doors.backend.accounts().member_codes(&doors.org.secretary.viewer, doors.newcomer).await.expect("reads").codes;
    assert_eq!(codes[0].state, domain::accounts::codes::CodeState::Open, "the code is kept for that day");
    doors.sign_in(&doors.org.farmer.national_id, PASSWORD).await.expect("the hills are live");
}

#[tokio::test]
async fn what_cannot_be_an_id_is_told_at_once() {
    let doors = Doors::open().await;
    let door = doors.backend.accounts().at(Origin::default()).knock("123").await;
    let errors = refusal(door);
    assert_eq!((errors.form.as_str(), errors.problem("national_id")), ("welcome", Some(&Problem::Digits { expected: 12 })));
}

#[tokio::test]
async fn a_changed_password_ends_codes_and_visits_of_before() {
    let doors = Doors::open().await;
    let code = doors.paper_code().await;
    let door = doors.knock(WITH_PHONE).await;
    doors.try_code(&door, &code).await.expect("is right");
    let token = doors.choose(&door, NEW_PASSWORD).await.expect("chooses").token;
    let viewer = doors.backend.accounts().session(&token).await.expect("reads").expect("is open").viewer;

    // Somebody has a card, a visit proved with it, and one with a code on its way.
    let card = doors.paper_code().await;
    let proved = doors.knock(WITH_PHONE).await;
    doors.try_code(&proved, &card).await.expect("is right");
    let waiting = doors.knock(WITH_PHONE).await;
    doors.send(&waiting).await.expect("is sent");
    let sent = doors.sent_code().await;

    let typed = PasswordForm { current: NEW_PASSWORD, new: "thuyen ve ben luc 6 gio" };
    doors.backend.accounts().change_password(&viewer, &token, typed).await.expect("changes");
    assert!(matches!(doors.choose(&proved, "thuyen ve ben luc 7 gio").await, Err(Error::NotFound)), "the proved visit");
    assert!(matches!(doors.try_code(&waiting, &sent).await, Err(Error::NotFound)), "the code on its way");
    let fresh = doors.knock(WITH_PHONE).await;
    assert_eq!(refusal(doors.try_code(&fresh, &card).await).problem("code"), Some(&Problem::CodeRefused), "the card");
    assert!(doors.sign_in(WITH_PHONE, "thuyen ve ben luc 6 gio").await.is_ok());
}

#[tokio::test]
async fn a_password_chosen_at_a_door_ends_the_other_visits() {
    let doors = Doors::open().await;
    let code = doors.paper_code().await;
    let (one, other) = (doors.knock(WITH_PHONE).await, doors.knock(WITH_PHONE).await);
    doors.try_code(&one, &code).await.expect("is right");
    doors.send(&other).await.expect("is sent");
    let sent = doors.sent_code().await;
    doors.try_code(&other, &sent).await.expect("is right");
    doors.choose(&one, NEW_PASSWORD).await.expect("chooses");
    assert!(matches!(doors.choose(&other, "thuyen ve ben luc 7 gio").await, Err(Error::NotFound)));
}

#[tokio::test]
async fn numbers_and_codes_copied_with_invisible_signs_are_read() {
    let doors = Doors::open().await;
    let code = doors.paper_code().await;
    let door = doors.knock("\u{2068}9520 0000\u{200b}0001\u{2069}").await;
    doors.try_code(&door, &format!("\u{feff}{code}\u{200e}")).await.expect("is right");
    doors.choose(&door, NEW_PASSWORD).await.expect("chooses");
    doors.sign_in("\u{202a}952000000001\u{202c}", NEW_PASSWORD).await.expect("signs in");
}
