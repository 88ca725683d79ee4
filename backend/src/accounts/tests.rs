//! Tests that the work does not depend on whose ID was typed, so that response times do not reveal who is a member. They compare
//! statements, password comparisons and rows instead of times, which depend on the load of the machine.

use std::{collections::BTreeMap, fmt::Debug, sync::atomic::Ordering::Relaxed};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    accounts::{Password, Preferences},
    forms::Problem,
    members::{NationalId, PhoneNumber, Sex, Standing},
    units::UnitRef,
};

use super::{CREATE_STRANGER, IN_A_ROW, SEEN_EVERY, SignInForm, fingerprint, passwords::COMPARED};
use crate::{
    Backend, Clock, Error, Keys, Result, StoreLocation,
    demo::registry::{NewMember, Registry, plan},
    events::create,
    store::{RecordId, SurrealValue, record, vars},
    units::tests::level,
};

const PASSWORD: &str = "ca-voi-xanh-2026";

const UNKNOWN: &str = "951999999999";
const LOCKED: &str = "951000000001";
const NOT_ACTIVATED: &str = "951000000002";
const WITHOUT_PHONE: &str = "951000000003";
const KNOWN: &str = "951000000004";
const NOT_LIVE: &str = "951000000005";

/// IDs that must be indistinguishable.
const KINDS: [(&str, &str); 6] = [
    ("unknown", UNKNOWN),
    ("locked", LOCKED),
    ("not activated", NOT_ACTIVATED),
    ("not activated and without a phone", WITHOUT_PHONE),
    ("known", KNOWN),
    ("not live", NOT_LIVE),
];

/// The number of leading [`KINDS`] that no password opens.
const CLOSED: usize = 4;

fn now() -> DateTime<Utc> {
    "2026-11-21T08:00:00Z".parse().expect("a moment")
}

/// A backend with a member for each of [`KINDS`] except the first.
async fn backend() -> Backend {
    let backend =
        Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), Clock::fixed(now(), 1)).await.expect("opens");
    let mut registry = Registry::new(&backend, 1, now() - TimeDelta::days(400));
    let province = registry.unit(None, level("province"), "51", "Tỉnh").expect("a code");
    let coast = registry.unit(Some(&province), level("commune"), "001", "Xã").expect("a code");
    let hills = registry.unit(Some(&province), level("commune"), "002", "Xã núi").expect("a code");
    let mut branch = |commune: &UnitRef| registry.unit(Some(commune), level("branch"), "01", "Chi bộ").expect("a code");
    let (harbour, farm) = (branch(&coast), branch(&hills));
    let hash = registry.hash(&Password::parse(PASSWORD).expect("long enough")).await.expect("hashes");
    let phone = PhoneNumber::parse("0987654321").expect("ten digits");
    let mut locked = None;
    for (national_id, unit, phone, has_account) in [
        (LOCKED, &harbour, Some(&phone), true),
        (NOT_ACTIVATED, &harbour, Some(&phone), false),
        (WITHOUT_PHONE, &harbour, None, false),
        (KNOWN, &harbour, Some(&phone), true),
        (NOT_LIVE, &farm, Some(&phone), true),
    ] {
        let member = registry
            .member(&NewMember {
                code: &national_id[4..],
                full_name: "Trần Thị Lựu",
                sex: Sex::Female,
                birth_date: day(1952),
                admitted_on: day(1975),
                standing: Standing::Official,
                national_id: &NationalId::parse(national_id).expect("twelve digits"),
                phone,
                unit,
            })
            .expect("registers");
        if has_account {
            registry.account(member, unit, now() - TimeDelta::days(300), &hash, Preferences::default());
        }
        if national_id == LOCKED {
            locked = Some(record("account", member));
        }
    }
    registry.save().await.expect("saves");
    plan(&backend, &hills, day(2027), "Bà Cao Thị Sổ").await.expect("plans");
    let vars = vars! { account: locked.expect("is registered"), failures: IN_A_ROW };
    backend.store().write("UPDATE $account SET failures = $failures RETURN NONE", vars).await.expect("is locked");
    backend
}

fn day(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 2, 3).expect("a day")
}

/// The work of a step.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    /// The executed statements, in order.
    statements: Vec<String>,
    /// The number of comparisons of a password with a hash.
    compared: usize,
    /// New rows of the log and of the table `stranger`.
    logged: usize,
    /// Lengths of the sealed payloads of new jobs.
    enqueued: Vec<usize>,
}

impl Cost {
    async fn of<T>(backend: &Backend, step: impl Future<Output = T>) -> (T, Self) {
        let (rows, jobs) = (logged(backend).await, jobs(backend).await);
        let (asked, compared) = (backend.store().questions(), COMPARED.load(Relaxed));
        let done = step.await;
        let statements = backend.store().statements(asked);
        let work = Self {
            // For an unknown ID the event is written to a separate table.
            statements: statements.iter().map(|sql| sql.replace(CREATE_STRANGER, &create("log"))).collect(),
            compared: COMPARED.load(Relaxed) - compared,
            logged: logged(backend).await - rows,
            enqueued: fresh_jobs(backend, &jobs).await,
        };
        (done, work)
    }
}

async fn logged(backend: &Backend) -> usize {
    let sql = "SELECT VALUE id FROM event; SELECT VALUE id FROM stranger";
    let mut found = backend.store().read(sql, ()).await.expect("reads");
    (0..2).map(|table| found.rows::<RecordId>(table).expect("rows").len()).sum()
}

/// The keys of all jobs, each with the length of its payload.
async fn jobs(backend: &Backend) -> BTreeMap<String, usize> {
    #[derive(Debug, SurrealValue)]
    struct Row {
        key: String,
        payload: Option<String>,
    }
    let rows: Vec<Row> = backend.store().read("SELECT key, payload FROM job", ()).await.expect("reads").rows(0).expect("rows");
    rows.into_iter().map(|row| (row.key, row.payload.map_or(0, |payload| payload.len()))).collect()
}

async fn fresh_jobs(backend: &Backend, before: &BTreeMap<String, usize>) -> Vec<usize> {
    jobs(backend).await.into_iter().filter(|(key, _)| !before.contains_key(key)).map(|(_, length)| length).collect()
}

/// Asserts that the work for each kind equals that for the first.
fn assert_alike<T: Debug + PartialEq>(done: &[(&str, T)]) {
    for (kind, work) in &done[1..] {
        assert_eq!(work, &done[0].1, "{kind}, compared with {}", done[0].0);
    }
}

fn problem<T>(done: Result<T>, field: &str) -> Option<Problem> {
    match done {
        Err(Error::Invalid(errors)) => errors.problem(field).cloned(),
        _ => None,
    }
}

#[tokio::test]
async fn a_refused_sign_in_takes_the_same_work_for_every_id() {
    let backend = backend().await;
    let accounts = backend.accounts();
    for (password, kinds) in [("sai-mat-khau-2026", &KINDS[..]), ("Sai mật khẩu 2026", &KINDS[..]), (PASSWORD, &KINDS[..CLOSED])]
    {
        let mut done = Vec::new();
        for &(kind, national_id) in kinds {
            let form = SignInForm { national_id, password, device: "Phone" };
            let (outcome, work) = Cost::of(&backend, accounts.sign_in(form)).await;
            assert_eq!(problem(outcome, "password"), Some(Problem::WrongCredentials), "{kind}");
            done.push((kind, work));
        }
        // Each spelling of the typed password is compared, and one row is logged.
        let spellings = Password::attempt(password).expect("a password").spellings().len();
        assert_eq!((done[0].1.compared, done[0].1.logged), (spellings, 1), "{password}");
        assert_alike(&done);
    }
}

#[tokio::test]
async fn an_activation_takes_the_same_work_for_every_id() {
    let backend = backend().await;
    let accounts = backend.accounts();
    let mut done = Vec::new();
    for (kind, national_id) in KINDS {
        let (activation, begun) = Cost::of(&backend, accounts.begin_activation(national_id)).await;
        let activation = activation.expect("a visit begins");
        let (sent, sending) = Cost::of(&backend, accounts.send_code(&activation, str::to_owned)).await;
        sent.expect("sends");
        let (view, looked) = Cost::of(&backend, accounts.activation(&activation)).await;
        assert!(view.is_ok_and(|view| view.is_open && !view.is_proved), "{kind}");
        let (tried, trying) = Cost::of(&backend, accounts.try_code(&activation, "ACDEF23456")).await;
        assert_eq!(problem(tried, "code"), Some(Problem::CodeRefused), "{kind}");
        assert_eq!((sending.logged, sending.enqueued.len()), (1, 1), "{kind}");
        done.push((kind, [begun, sending, looked, trying]));
    }
    assert_alike(&done);
}

#[tokio::test]
async fn of_concurrent_requests_of_a_device_one_updates_the_time_it_was_seen() {
    let backend = backend().await;
    let form = SignInForm { national_id: KNOWN, password: PASSWORD, device: "" };
    let token = backend.accounts().sign_in(form).await.expect("signs in").token;
    let session = record("session", fingerprint(&token));
    let seen = now() + SEEN_EVERY;
    // All of them have read the session before it was updated.
    for late in 0..3 {
        let at = seen + TimeDelta::milliseconds(late);
        backend.accounts().mark_seen(session.clone(), at).await.expect("updates");
    }
    let sql = "SELECT VALUE seen_at FROM $opened";
    let times: Vec<DateTime<Utc>> =
        backend.store().read(sql, vars! { opened: session }).await.expect("reads").rows(0).expect("a time");
    assert_eq!(times, [seen]);
}
