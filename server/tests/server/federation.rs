//! Sign-in by a provider, a conforming one and many kinds of faulty ones.

use std::time::{Duration, Instant};

use backend::Clock;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    app::TestApp,
    browser::{Answer, Browser},
    organisation::start,
    provider::{FakeProvider, Lies, Manners, parameters},
};

const LEAVE: &str = "/sign-in/with/vneid?next=/library";
const COOKIE: &str = "__Host-handbook-federation";

/// The program with one provider. Both use the day of the small organisation as the current day.
async fn federated() -> (TestApp, FakeProvider) {
    let provider = FakeProvider::start(Clock::fixed(start(), 2)).await;
    let app = TestApp::spawn_with(&provider.settings()).await;
    (app, provider)
}

/// Follows the button and returns the address of the provider's page.
async fn leave(browser: &mut Browser) -> String {
    let away = browser.get(LEAVE).await;
    assert_eq!(away.status, 303, "{}", away.body);
    away.location().expect("an address").to_owned()
}

/// The reason in the redirect after a failed return.
fn redirect_reason(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    let address = answer.location().expect("an address");
    assert!(address.starts_with("/sign-in?with=vneid&"), "{address}");
    parameters(&format!("http://handbook{address}"))["told"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_authenticated_by_the_provider_reaches_the_requested_page() {
    let (app, provider) = federated().await;
    let mut browser = app.browser();
    let page = browser.get("/sign-in?next=/library").await;
    assert!(page.body.contains("Đăng nhập bằng VNeID") && page.body.contains("/sign-in/with/vneid?next="), "{}", page.body);

    let address = leave(&mut browser).await;
    let asked = parameters(&address);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "handbook"),
        ("scope", "openid profile"),
        ("prompt", "login"),
        ("code_challenge_method", "S256"),
        ("ui_locales", "vi"),
    ] {
        assert_eq!(asked.get(name).map(String::as_str), Some(value), "{address}");
    }
    assert_eq!(asked["redirect_uri"], browser.url("/sign-in/callback/vneid"));
    let back = browser.get(&provider.vouch(&address, &app.org.fisherman.national_id, Lies::default())).await;
    assert_eq!((back.status, back.location()), (303, Some("/library")));
    assert!(!browser.has_cookie(COOKIE), "a departure is good for one return");
    assert_eq!(browser.get("/library").await.status, 200);
    assert!(browser.get("/more").await.body.contains(&app.org.fisherman.name));
    // A signed-in person is not sent to the provider again.
    assert_eq!(browser.get(LEAVE).await.location(), Some("/library"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_without_a_password_chooses_one() {
    let (app, provider) = federated().await;
    let mut browser = app.browser();
    let address = leave(&mut browser).await;
    let back = browser.get(&provider.vouch(&address, &app.org.not_activated.national_id, Lies::default())).await;
    assert_eq!((back.status, back.location()), (303, Some("/welcome/password")));
    assert!(!browser.has_cookie("__Host-handbook"), "not signed in before a password is chosen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_person_who_is_not_in_the_registry_is_told_whom_to_ask() {
    let (app, provider) = federated().await;
    let mut browser = app.browser();
    let address = leave(&mut browser).await;
    let back = browser.get(&provider.vouch(&address, "951999999999", Lies::default())).await;
    assert_eq!(redirect_reason(&back), "unknown");
    let page = browser.get(back.location().expect("an address")).await;
    assert!(page.body.contains("Hãy hỏi bí thư chi bộ để kiểm tra hồ sơ"), "{}", page.body);
    assert!(!page.body.contains("951999999999"), "the ID is not shown");
    assert!(page.body.contains("name=\"next\" value=\"/library\""), "the requested page is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_that_is_not_for_this_sign_in_opens_nothing() {
    let (app, provider) = federated().await;
    let lies = [
        ("wrong nonce", Lies { nonce: Some("another".to_owned()), ..Lies::default() }),
        ("wrong audience", Lies { audience: Some("another-client".to_owned()), ..Lies::default() }),
        ("wrong issuer", Lies { issuer: Some("https://evil.example".to_owned()), ..Lies::default() }),
        ("expired", Lies { expired: Some(TimeDelta::seconds(1)), ..Lies::default() }),
        ("without the claim", Lies { nameless: true, ..Lies::default() }),
        ("of a time to come", Lies { issued_in: Some(TimeDelta::minutes(2)), ..Lies::default() }),
        ("for several, handed to nobody", saying(json!({ "aud": ["handbook", "another-client"] }))),
        ("handed to somebody else", saying(json!({ "aud": ["handbook", "another-client"], "azp": "another-client" }))),
        ("handed to somebody else, for us", saying(json!({ "azp": "another-client" }))),
        ("for several, not for us", saying(json!({ "aud": ["another-client", "a-third"], "azp": "handbook" }))),
    ];
    for (name, lies) in lies {
        let mut browser = app.browser();
        let address = leave(&mut browser).await;
        let back = browser.get(&provider.vouch(&address, &app.org.fisherman.national_id, lies)).await;
        assert_eq!(redirect_reason(&back), "unfinished", "{name}");
        assert!(!browser.has_cookie("__Host-handbook") && !browser.has_cookie(COOKIE), "{name}");
    }
    let mut browser = app.browser();
    let address = leave(&mut browser).await;
    let back = browser.get(&provider.vouch(&address, "12345", Lies::default())).await;
    assert_eq!(redirect_reason(&back), "unfinished", "not a national ID");
}

fn saying(claims: Value) -> Lies {
    Lies { claims: claims.as_object().expect("an object").clone(), ..Lies::default() }
}

/// Unused claims may have any form: many providers deviate from the standard there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unused_claims_may_have_any_form() {
    let (app, provider) = federated().await;
    for claims in [
        json!({ "amr": "otp" }),
        json!({ "amr": ["otp", "pwd"], "acr": 2, "auth_time": "yesterday" }),
        json!({ "email_verified": "true", "updated_at": "2026-11-21T08:00:00Z", "address": "Gành Đá", "sub": 12, "locale": "" }),
        json!({ "aud": ["handbook"] }),
        json!({ "aud": ["handbook", "another-client"], "azp": "handbook" }),
        json!({ "aud": "handbook", "azp": "handbook", "exp": 4_102_444_800.5 }),
    ] {
        let mut browser = app.browser();
        let address = leave(&mut browser).await;
        let back = browser.get(&provider.vouch(&address, &app.org.fisherman.national_id, saying(claims.clone()))).await;
        assert_eq!((back.status, back.location()), (303, Some("/library")), "{claims}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_departure_is_good_for_one_return_whatever_code_comes_with_it() {
    let (app, provider) = federated().await;
    let mut browser = app.browser();
    let address = leave(&mut browser).await;
    let mut thief = browser.clone();
    let first = provider.vouch(&address, &app.org.fisherman.national_id, Lies::default());
    let second = provider.vouch(&address, &app.org.teacher.national_id, Lies::default());
    assert_eq!(browser.get(&first).await.location(), Some("/library"));
    assert_eq!(redirect_reason(&thief.get(&second).await), "unfinished", "a code that was not used, with a departure that was");
    assert!(!thief.has_cookie("__Host-handbook"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_signed_by_a_key_the_provider_does_not_publish_opens_nothing() {
    let (app, provider) = federated().await;
    let mut browser = app.browser();
    let address = leave(&mut browser).await;
    provider.behave(Manners { signing: 1, ..Manners::default() });
    let back = browser.get(&provider.vouch(&address, &app.org.fisherman.national_id, Lies::default())).await;
    assert_eq!(redirect_reason(&back), "unfinished");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn new_keys_of_the_provider_are_fetched_when_a_token_uses_them() {
    let (app, provider) = federated().await;
    let mut browser = app.browser();
    let address = leave(&mut browser).await;
    provider.behave(Manners { signing: 1, published: 1, ..Manners::default() });
    let back = browser.get(&provider.vouch(&address, &app.org.fisherman.national_id, Lies::default())).await;
    assert_eq!(back.location(), Some("/library"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_the_browser_that_left_can_come_back_and_only_once() {
    let (app, provider) = federated().await;
    let id = &app.org.fisherman.national_id;

    let mut browser = app.browser();
    let back = provider.vouch(&leave(&mut browser).await, id, Lies::default());
    let mut other = app.browser();
    assert_eq!(redirect_reason(&other.get(&back).await), "unfinished", "another browser");
    let foreign = provider.vouch(&leave(&mut other).await, id, Lies::default());
    let state = back.split("state=").nth(1).expect("a state");
    let mixed = foreign.replace(foreign.split("state=").nth(1).expect("a state"), state);
    assert_eq!(redirect_reason(&other.get(&mixed).await), "unfinished", "the state of another departure");

    let mut thief = browser.clone();
    assert_eq!(browser.get(&back).await.location(), Some("/library"));
    assert_eq!(redirect_reason(&browser.get(&back).await), "unfinished", "the departure is over");
    assert_eq!(redirect_reason(&thief.get(&back).await), "unfinished", "the code was used, whoever still has the cookie");
    assert!(!thief.has_cookie("__Host-handbook"));

    let mut late = app.browser();
    let back = provider.vouch(&leave(&mut late).await, id, Lies::default());
    app.backend.clock().advance(TimeDelta::minutes(10));
    assert_eq!(redirect_reason(&late.get(&back).await), "unfinished", "too late");
}

/// Every return without a code, and every address that is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_endpoints_answer_unauthenticated_requests_as_in_the_table() {
    let (app, _provider) = federated().await;
    for (path, expected) in [
        ("/sign-in/callback/vneid", "unfinished"),
        ("/sign-in/callback/vneid?code=1", "unfinished"),
        ("/sign-in/callback/vneid?code=1&state=2", "unfinished"),
        ("/sign-in/callback/vneid?error=access_denied&state=2", "unfinished"),
        ("/sign-in/callback/vneid?state=1&state=2", "unfinished"),
        ("/sign-in/callback/vneid?code=%FF", "unfinished"),
    ] {
        assert_eq!(redirect_reason(&app.browser().get(path).await), expected, "{path}");
    }
    let mut left = app.browser();
    let state = parameters(&leave(&mut left).await)["state"].clone();
    let broken_off = left.get(&format!("/sign-in/callback/vneid?error=access_denied&state={state}")).await;
    assert_eq!(redirect_reason(&broken_off), "unfinished");
    assert!(broken_off.location().is_some_and(|address| address.ends_with("next=%2Flibrary")));
    for path in ["/sign-in/with/other", "/sign-in/callback/other?code=1&state=2", "/sign-in/with/vneid/more"] {
        assert_eq!(app.browser().get(path).await.status, 404, "{path}");
    }
    let posted = app.browser().post("/sign-in/with/vneid", "/sign-in", &[]).await;
    assert_eq!(posted.status, 405);
    for (next, expected) in
        [("https://evil.example", "/"), ("//evil.example", "/"), ("/library%3Fkind=news", "/library?kind=news")]
    {
        let mut browser = app.signed_in(&app.org.fisherman).await;
        let on = browser.get(&format!("/sign-in/with/vneid?next={next}")).await;
        assert_eq!(on.location(), Some(expected), "{next}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_a_provider_fails_the_other_ways_to_sign_in_work_at_once() {
    let (app, provider) = federated().await;
    provider.behave(Manners { failing: Some(503), ..Manners::default() });
    let mut browser = app.browser();
    let away = browser.get(LEAVE).await;
    assert_eq!(redirect_reason(&away), "unreachable");
    let page = browser.get(away.location().expect("an address")).await;
    assert_eq!(page.status, 200);
    for offered in ["VNeID đang không trả lời", "name=\"password\"", "href=\"/welcome\""] {
        assert!(page.body.contains(offered), "{offered}: {}", page.body);
    }
    assert!(!browser.has_cookie(COOKIE));

    // It fails between departure and return.
    let (app, provider) = federated().await;
    let mut browser = app.browser();
    let back = provider.vouch(&leave(&mut browser).await, &app.org.fisherman.national_id, Lies::default());
    provider.behave(Manners { failing: Some(500), ..Manners::default() });
    assert_eq!(redirect_reason(&browser.get(&back).await), "unreachable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_missing_or_slow_provider_is_not_waited_for() {
    let (app, provider) = federated().await;
    provider.stop().await;
    let began = Instant::now();
    assert_eq!(redirect_reason(&app.browser().get(LEAVE).await), "unreachable");
    assert!(began.elapsed() < Duration::from_secs(4), "no connection, no waiting");

    let (app, provider) = federated().await;
    provider.behave(Manners { slow: Duration::from_mins(1), ..Manners::default() });
    let began = Instant::now();
    let crowd = (0..5).map(|_| {
        let mut browser = app.browser();
        async move { redirect_reason(&browser.get(LEAVE).await) }
    });
    let mut asking: tokio::task::JoinSet<String> = crowd.collect();
    while let Some(answer) = asking.join_next().await {
        assert_eq!(answer.expect("an answer"), "unreachable");
    }
    assert!(began.elapsed() < Duration::from_secs(12), "concurrent requests wait once, not in sequence: {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_server_and_the_browser_go_to_the_providers_own_hosts_only() {
    let (app, provider) = federated().await;
    provider.behave(Manners { pages_at: Some("http://127.0.0.1:9".to_owned()), ..Manners::default() });
    assert_eq!(redirect_reason(&app.browser().get(LEAVE).await), "unreachable", "a page of another host");

    let (app, provider) = federated().await;
    provider.behave(Manners { tokens_at: Some("http://127.0.0.1:9".to_owned()), ..Manners::default() });
    let mut browser = app.browser();
    let back = provider.vouch(&leave(&mut browser).await, &app.org.fisherman.national_id, Lies::default());
    assert_eq!(redirect_reason(&browser.get(&back).await), "unreachable", "tokens elsewhere");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_providers_there_are_no_buttons_and_no_addresses() {
    let app = TestApp::spawn().await;
    let mut browser = app.browser();
    assert!(!browser.get("/sign-in").await.body.contains("/sign-in/with/"));
    assert_eq!(browser.get(LEAVE).await.status, 404);
}
