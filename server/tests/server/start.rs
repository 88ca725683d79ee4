//! What the start of the browser half relies on, and forms whose session has expired.

use crate::{app::TestApp, browser::Browser};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_application_is_in_its_own_element_and_the_page_ends_after_it() {
    let app = TestApp::spawn().await;
    let mut member = app.signed_in(&app.org.fisherman).await;
    for path in ["/", "/library", "/more", "/courses", "/problem/busy", "/nowhere"] {
        let page = member.get(path).await;
        assert!(page.is_whole(), "{path}: {}", page.body);
        assert!(page.body.contains("<body><div id=\"app\">"), "{path}");
        assert!(page.body.contains("<meta name=\"format-detection\" content=\"telephone=no\">"), "{path}");
        assert_eq!(page.body.matches("<h1").count(), 1, "{path}");
    }
}

async fn report(browser: &Browser, what: &str, site: &str) -> u16 {
    let request = browser.request("POST", &format!("/start-report/{what}")).header("sec-fetch-site", site);
    request.send().await.expect("an answer").status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn browsers_report_a_failed_start_in_fixed_words() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    for (what, site, status) in [
        ("changed", "same-origin", 204),
        ("failed", "same-origin", 204),
        ("anything", "same-origin", 404),
        ("failed", "cross-site", 403),
    ] {
        assert_eq!(report(&browser, what, site).await, status, "{what} from {site}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_script_whose_session_expired_gets_the_sign_in_address_and_the_text_is_kept() {
    let app = TestApp::spawn().await;
    let document = app.published(&app.org.coast).await;
    let write = format!("/library/{document}/opinion");
    let mut nobody = app.browser();
    let form = [("document", document.to_string()), ("audience", "branch".to_owned()), ("text", "Xin gửi sớm hơn.".to_owned())];
    let request = nobody.request("POST", "/api/feedback/send");
    let url = nobody.url(&write);
    let request = request.header("accept", "application/json").header("sec-fetch-site", "same-origin").header("referer", url);
    let answer = request.form(&form).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 401);
    let cookie = answer.headers().get("set-cookie").and_then(|line| line.to_str().ok()).expect("a cookie").to_owned();
    assert!(cookie.contains(&format!("Path={write};")), "{cookie}");
    let told: serde_json::Value = answer.json().await.expect("json");
    assert_eq!(told["to"], format!("/sign-in?next={write}"));
    assert!(told["way"].as_str().is_some_and(|way| way.contains("được giữ")), "{told}");

    // Nothing was typed, so nothing is kept.
    let out = nobody.post_json("/api/account/save_preferences", &[]).await;
    assert_eq!(out.status, 401);
    let told: serde_json::Value = serde_json::from_str(&out.body).expect("json");
    assert!(told["way"].as_str().is_some_and(|way| !way.contains("được giữ")), "{told}");
    assert_eq!(out.header("set-cookie"), None);
}
