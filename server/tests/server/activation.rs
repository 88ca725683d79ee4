//! The first sign-in over HTTP, in a browser without script, and what it must not reveal.

use std::{fs, path::Path, time::Duration};

use backend::{
    Backend,
    accounts::SignInForm,
    demo::registry::{NewMember, Registry, plan},
    sms::Sms,
};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    ids::MemberId,
    members::{NationalId, PhoneNumber, Sex, Standing},
    units::UnitRef,
};
use tokio::time::{sleep, timeout};

use crate::{
    app::TestApp,
    browser::{Answer, Browser},
    organisation::{PASSWORD, PATIENCE, start},
};

const NEW_PASSWORD: &str = "thuyen ve ben luc 5 gio";
const PHONE: &str = "0987654321";

async fn register(backend: &Backend, national_id: &str, phone: &str, unit: &UnitRef) -> MemberId {
    let seed = national_id.parse().expect("digits");
    let mut registry = Registry::new(backend, seed, start() - TimeDelta::days(1));
    let id = registry
        .member(&NewMember {
            code: &national_id[4..],
            full_name: "Trần Thị Lựu",
            sex: Sex::Female,
            birth_date: NaiveDate::from_ymd_opt(1952, 4, 30).expect("a day"),
            admitted_on: NaiveDate::from_ymd_opt(1975, 4, 30).expect("a day"),
            standing: Standing::Official,
            national_id: &NationalId::parse(national_id).expect("twelve digits"),
            phone: Some(&PhoneNumber::parse(phone).expect("ten digits")),
            unit,
        })
        .expect("registers");
    registry.save().await.expect("saves");
    id
}

/// The text of the only message in the outbox, once it is there.
async fn message(outbox: &Path) -> String {
    let message = async {
        loop {
            let files = fs::read_dir(outbox).into_iter().flatten().map(|entry| entry.expect("a file").path());
            if let Some(file) = files.filter(|file| file.extension().is_some_and(|extension| extension == "txt")).last() {
                return fs::read_to_string(file).expect("reads");
            }
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, message).await.expect("a message in the outbox")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_secretary_prints_a_card_and_a_member_without_a_phone_signs_in() {
    let app = TestApp::spawn().await;
    let mut secretary = app.signed_in(&app.org.secretary).await;
    let page = format!("/units/{}/codes", app.org.harbour.id);
    let form = secretary.get(&page).await;
    let waiting = app.org.not_activated.id.to_string();
    assert!(
        form.body.contains(&format!("value=\"{waiting}\" checked")),
        "members without an account are preselected: {}",
        form.body
    );

    let unit = app.org.harbour.id.to_string();
    let none = secretary.post("/api/account/issue_codes", &page, &[("unit", &unit)]).await;
    assert_eq!((none.status, none.location()), (302, Some(page.as_str())));
    assert!(secretary.get(&page).await.body.contains("members[]-error"), "somebody must be chosen");

    let issued = secretary.post("/api/account/issue_codes", &page, &[("unit", &unit), ("members[]", &waiting)]).await;
    assert_eq!((issued.status, issued.location()), (302, Some("/codes/sheet")), "{}", issued.body);
    let sheet = secretary.get("/codes/sheet").await.body;
    let code =
        sheet.split("class=\"code-card-code\">").nth(1).and_then(|rest| rest.split('<').next()).expect("a code").to_owned();
    assert!(sheet.contains(&app.org.not_activated.name) && sheet.contains("<path d=\"M0 0h7v1h-7z"), "{sheet}");
    let mut stranger = app.signed_in(&app.org.deputy).await;
    assert!(!stranger.get("/codes/sheet").await.body.contains(&code), "the sheet is on that device only");

    let mut member = app.browser();
    let from = format!("/welcome?code={code}");
    assert!(member.get(&from).await.body.contains(&code), "the QR code fills the code in");
    let id = app.org.not_activated.national_id.as_str();
    let wrong = member.post("/api/account/welcome", &from, &[("national_id", "951999999999"), ("code", &code)]).await;
    assert_eq!((wrong.status, wrong.location()), (302, Some(from.as_str())), "somebody else's ID");
    let right = member.post("/api/account/welcome", &from, &[("national_id", id), ("code", &code)]).await;
    assert_eq!((right.status, right.location()), (302, Some("/welcome/password")));
    let short = member.post("/api/account/choose_password", "/welcome/password", &[("password", "ngắn quá")]).await;
    assert_eq!((short.status, short.location()), (302, Some("/welcome/password")));
    let told = member.get("/welcome/password").await.body;
    assert!(told.contains("ít nhất 12 ký tự") && !told.contains("ngắn quá"), "{told}");
    let chosen = member.post("/api/account/choose_password", "/welcome/password", &[("password", NEW_PASSWORD)]).await;
    assert_eq!((chosen.status, chosen.location()), (302, Some("/")));
    assert!(member.has_cookie("__Host-handbook") && member.has_cookie("__Host-device") && !member.has_cookie("__Host-door"));
    assert!(member.get("/").await.body.contains(&app.org.harbour.name));

    let mut again = app.browser();
    let used = again.post("/api/account/welcome", &from, &[("national_id", id), ("code", &code)]).await;
    assert_eq!((used.status, used.location()), (302, Some(from.as_str())), "a code is used once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_step_without_an_activation_redirects_to_the_start() {
    let app = TestApp::spawn().await;
    for (path, form) in [
        ("/api/account/way", ("way", "sms")),
        ("/api/account/code", ("code", "123456")),
        ("/api/account/choose_password", ("password", NEW_PASSWORD)),
    ] {
        let answer = app.browser().post(path, "/welcome/way", &[form]).await;
        assert_eq!((answer.status, answer.location()), (302, Some("/welcome?over=1")), "{path}");
    }
    for page in ["/welcome/way", "/welcome/code", "/welcome/password", "/welcome/later"] {
        let answer = app.browser().get(page).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains("href=\"/welcome\""), "{page} leads to the start: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_of_a_planned_unit_reads_when_it_begins() {
    let app = TestApp::spawn().await;
    let day = NaiveDate::from_ymd_opt(2027, 1, 15).expect("a day");
    plan(&app.backend, &app.org.hills, day, "Bà Cao Thị Sổ, 0255 3 812 345").await.expect("plans");
    let mut browser = app.browser();
    let form = [("national_id", app.org.farmer.national_id.as_str()), ("password", PASSWORD), ("next", "/")];
    let answer = browser.post("/api/account/sign_in", "/sign-in", &form).await;
    assert_eq!((answer.status, answer.location()), (302, Some("/welcome/later")));
    assert!(!browser.has_cookie("__Host-handbook"));
    let page = browser.get("/welcome/later").await.body;
    assert!(
        page.contains("15/01/2027") && page.contains("Bà Cao Thị Sổ, 0255 3 812 345") && page.contains(&app.org.farm.name),
        "{page}"
    );
}

/// The visible parts of a response: status, headers and page, without what differs each time.
fn shown(answer: &Answer) -> String {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "content-security-policy"].contains(&name.as_str()))
        .map(|(name, value)| {
            let value = value.to_str().expect("text");
            // Secrets have the same length.
            let value = value.split_once('=').filter(|_| name == "set-cookie").map_or_else(
                || value.to_owned(),
                |(cookie, rest)| {
                    let (secret, attributes) = rest.split_once(';').expect("attributes");
                    format!("{cookie}={} characters;{attributes}", secret.len())
                },
            );
            format!("{name}: {value}")
        })
        .collect();
    headers.sort();
    let mut pieces = answer.body.split("nonce=\"");
    let first = pieces.next().unwrap_or_default().to_owned();
    let body = pieces.fold(first, |page, piece| page + piece.split_once('"').map_or(piece, |(_, rest)| rest));
    format!("{} {headers:?}\n{body}", answer.status)
}

/// Everything that somebody sees who has only an ID: the sign-in page, and each page of the activation.
async fn begun(browser: &mut Browser, id: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let wrong = [("national_id", id), ("password", "sai-mat-khau-2026"), ("next", "/")];
    seen.push(shown(&browser.post("/api/account/sign_in", "/sign-in", &wrong).await));
    seen.push(shown(&browser.get("/sign-in").await));
    seen.push(shown(&browser.post_json("/api/account/sign_in", &wrong).await));
    let with_code = [("national_id", id), ("code", "ACDEF-23456")];
    seen.push(shown(&browser.post("/api/account/welcome", "/welcome", &with_code).await));
    seen.push(shown(&browser.get("/welcome").await));
    seen.push(shown(&browser.post("/api/account/welcome", "/welcome", &[("national_id", id)]).await));
    seen.push(shown(&browser.get("/welcome/way").await));
    for _ in 0..4 {
        seen.push(shown(&browser.post("/api/account/way", "/welcome/way", &[("way", "sms")]).await));
    }
    seen.push(shown(&browser.get("/welcome/way").await));
    seen.push(shown(&browser.get("/welcome/code?way=sms").await));
    for code in ["000000", "ACDEF-23456", "x"] {
        seen.push(shown(&browser.post("/api/account/code", "/welcome/code?way=sms", &[("code", code)]).await));
        seen.push(shown(&browser.get("/welcome/code?way=sms").await));
        seen.push(shown(&browser.post_json("/api/account/code", &[("code", code)]).await));
    }
    seen.push(shown(&browser.get_json("/api/account/door").await));
    seen.push(shown(&browser.get("/welcome/password").await));
    seen.push(shown(&browser.get("/welcome/later").await));
    seen.push(shown(&browser.post("/api/account/choose_password", "/welcome/password", &[("password", NEW_PASSWORD)]).await));
    seen.into_iter().map(|page| page.replace(id, "…")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ids_of_six_kinds_get_identical_responses() {
    let app = TestApp::spawn().await;
    let outbox = tempfile::tempdir().expect("a folder");
    app.backend.send_messages_by(Sms::outbox(outbox.path(), app.backend.clock()));
    register(&app.backend, "952000000001", PHONE, &app.org.harbour).await;
    register(&app.backend, "952000000002", PHONE, &app.org.farm).await;
    let day = NaiveDate::from_ymd_opt(2027, 1, 15).expect("a day");
    plan(&app.backend, &app.org.hills, day, "Bà Cao Thị Sổ").await.expect("plans");
    for _ in 0..10 {
        for _ in 0..10 {
            let wrong = SignInForm { national_id: &app.org.teacher.national_id, password: "sai-mat-khau-2026", device: "" };
            assert!(app.backend.accounts().sign_in(wrong).await.is_err());
        }
        app.backend.clock().advance(TimeDelta::minutes(61));
    }
    let mut first: Option<Vec<String>> = None;
    for (kind, id) in [
        ("known", app.org.fisherman.national_id.as_str()),
        ("unknown", "951999999999"),
        ("locked", &app.org.teacher.national_id),
        ("not activated, with a phone", "952000000001"),
        ("not live", "952000000002"),
        ("not activated, without a phone", &app.org.not_activated.national_id),
    ] {
        let seen = begun(&mut app.browser(), id).await;
        match &first {
            None => first = Some(seen),
            Some(first) => {
                for (step, (one, other)) in first.iter().zip(&seen).enumerate() {
                    assert_eq!(one, other, "step {step} of an ID that is {kind}");
                }
            }
        }
    }
    assert!(message(outbox.path()).await.contains("•••••••321"), "members with a phone were sent a code");
}
