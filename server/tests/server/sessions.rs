//! Devices, the password and its confirmation, without script.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::timeout;

use crate::{app::TestApp, organisation::PASSWORD};

const NEW_PASSWORD: &str = "thuyen ve ben luc 5 gio";

/// The ids of the devices that the page offers to sign out.
fn offered(page: &str) -> Vec<String> {
    page.split("name=\"session\" value=\"").skip(1).map(|rest| rest[..26].to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stolen_cookie_is_invalid_as_soon_as_its_device_is_signed_out() {
    let app = TestApp::spawn().await;
    let mut thief = app.signed_in(&app.org.coast_secretary).await;
    let mut owner = app.signed_in(&app.org.coast_secretary).await;
    let mut live = thief.request("GET", "/live").send().await.expect("an answer");
    assert_eq!(live.status().as_u16(), 200);
    live.chunk().await.expect("a chunk").expect("figures");

    let page = owner.get("/devices").await;
    assert_eq!(page.status, 200);
    let others = offered(&page.body);
    assert_eq!(others.len(), 1, "this device is not offered: {}", page.body);
    let revoked = owner.post("/api/account/revoke_session", "/devices", &[("session", &others[0])]).await;
    assert_eq!((revoked.status, revoked.location()), (302, Some("/devices?revoked=1")));
    assert!(owner.get("/devices?revoked=1").await.body.contains("Đã đăng xuất thiết bị đó"));

    assert_eq!(thief.get_json("/api/home/page").await.status, 401);
    assert_eq!(thief.get("/committee").await.location(), Some("/sign-in?next=/committee"));
    let form = [("locale", "bn"), ("text_size", "1"), ("theme", "system")];
    assert_eq!(thief.post_json("/api/account/save_preferences", &form).await.status, 401);
    let ends = async { while live.chunk().await.expect("a chunk").is_some() {} };
    timeout(Duration::from_secs(30), ends).await.expect("the live figures end too");
    assert_eq!(owner.get("/").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_other_devices_are_signed_out_by_one_button() {
    let app = TestApp::spawn().await;
    let mut others = [app.signed_in(&app.org.fisherman).await, app.signed_in(&app.org.fisherman).await];
    let mut owner = app.signed_in(&app.org.fisherman).await;
    assert!(owner.get("/devices").await.body.contains("/api/account/revoke_other_sessions"));
    let revoked = owner.post("/api/account/revoke_other_sessions", "/devices", &[]).await;
    assert_eq!((revoked.status, revoked.location()), (302, Some("/devices?others_revoked=1")));
    for other in &mut others {
        assert_eq!(other.get_json("/api/home/page").await.status, 401);
    }
    let page = owner.get("/devices?others_revoked=1").await;
    assert!(page.body.contains("Không có thiết bị nào khác") && offered(&page.body).is_empty(), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_signs_out_other_peoples_devices() {
    let app = TestApp::spawn().await;
    let mut fisherman = app.signed_in(&app.org.fisherman).await;
    let _second = app.signed_in(&app.org.fisherman).await;
    let device = offered(&fisherman.get("/devices").await.body).remove(0);
    let mut secretary = app.signed_in(&app.org.secretary).await;
    for session in [device.as_str(), "not-an-id", ""] {
        let refused = secretary.post_json("/api/account/revoke_session", &[("session", session)]).await;
        assert_eq!(refused.status, 404, "{session}");
    }
    assert_eq!(offered(&fisherman.get("/devices").await.body), [device]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_password_keeps_this_device_and_no_other() {
    let app = TestApp::spawn().await;
    let mut other = app.signed_in(&app.org.fisherman).await;
    let mut browser = app.signed_in(&app.org.fisherman).await;
    let before = browser.clone();
    assert_eq!(browser.get("/password").await.status, 200);
    let form = |current, new| [("current_password", current), ("new_password", new)];
    let refused = browser.post("/api/account/change_password", "/password", &form("sai-mat-khau-2026", "ngắn quá")).await;
    assert_eq!((refused.status, refused.location()), (302, Some("/password")));
    let page = browser.get("/password").await;
    assert!(page.body.contains("Hãy nhập ít nhất 12 ký tự"), "{}", page.body);
    assert!(!page.body.contains("sai-mat-khau-2026") && !page.body.contains("ngắn quá"), "no password is returned");

    let changed = browser.post("/api/account/change_password", "/password", &form(PASSWORD, NEW_PASSWORD)).await;
    assert_eq!((changed.status, changed.location()), (302, Some("/devices?changed=1")));
    assert!(browser.get("/devices?changed=1").await.body.contains("Đã đổi mật khẩu"));
    for mut gone in [other.clone(), before] {
        assert_eq!(gone.get_json("/api/home/page").await.status, 401);
    }
    assert_eq!(other.get("/").await.location(), Some("/sign-in?next=/"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_office_asks_for_the_password_again_after_half_a_day() {
    let app = TestApp::spawn().await;
    let draft = app.draft(&app.org.harbour).await;
    let mut editor = app.signed_in(&app.org.coast_editor).await;
    app.backend.clock().advance(TimeDelta::hours(12));

    let desk = editor.get("/desk").await;
    assert_eq!(desk.status, 403, "it exists, but the rights of the office are suspended");
    assert!(desk.body.contains("Cần nhập lại mật khẩu") && desk.body.contains("href=\"/confirm?next=%2Fdesk\""), "{}", desk.body);
    assert!(desk.body.contains("href=\"/desk\""), "its link stays visible");
    let told = editor.get_json("/api/documents/desk").await;
    assert_eq!(told.status, 403);
    assert!(told.body.contains("\"kind\":\"confirm_password\""), "{}", told.body);
    assert_eq!(editor.get("/library").await.status, 200, "a member can still read");
    let live = editor.request("GET", "/live").send().await.expect("an answer");
    assert_eq!(live.status().as_u16(), 403);

    // The typed form is kept until the password is confirmed.
    let address = format!("/desk/{draft}");
    let draft = draft.to_string();
    let (issuer, audience) = (app.org.coast.id.to_string(), app.org.harbour.id.to_string());
    let form = [
        ("id", draft.as_str()),
        ("version", "1"),
        ("kind", "resolution"),
        ("number", ""),
        ("title", "Gõ lúc quyền đang nghỉ"),
        ("issuer", issuer.as_str()),
        ("audience", audience.as_str()),
        ("body", "Nội dung"),
    ];
    let asked = editor.post("/api/documents/save_draft", &address, &form).await;
    let confirm = format!("/confirm?next=%2Fdesk%2F{draft}");
    assert_eq!((asked.status, asked.location()), (302, Some(confirm.as_str())));
    let by_script = editor.clone().post_json("/api/documents/discard", &[("id", &draft), ("version", "1")]).await;
    assert!(by_script.status == 403 && by_script.body.contains("\"to\":\"/confirm?next="), "{}", by_script.body);

    let page = editor.get(&confirm).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(&app.org.coast.name), "the suspended office is named: {}", page.body);
    let wrong = [("password", "sai-mat-khau-2026"), ("next", address.as_str())];
    // In another window: the test's browser keeps one returned form, not one per page.
    let mut window = editor.clone();
    let refused = window.post("/api/account/confirm_password", &confirm, &wrong).await;
    assert_eq!((refused.status, refused.location()), (302, Some(confirm.as_str())));
    assert!(window.get(&confirm).await.body.contains("Mật khẩu không đúng"));

    let mut thief = editor.clone();
    let right = [("password", PASSWORD), ("next", address.as_str())];
    let confirmed = editor.post("/api/account/confirm_password", &confirm, &right).await;
    assert_eq!((confirmed.status, confirmed.location()), (302, Some(address.as_str())));
    let page = editor.get(&address).await;
    assert!(page.status == 200 && page.body.contains("Gõ lúc quyền đang nghỉ"), "{}", page.body);
    assert_eq!(thief.get_json("/api/home/page").await.status, 401, "a copy of the cookie is not restored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn confirming_leads_only_to_pages_of_this_site() {
    let app = TestApp::spawn().await;
    for (next, to) in [("/desk?state=draft", "/desk?state=draft"), ("https://evil.example", "/"), ("//evil.example", "/")] {
        let mut browser = app.signed_in(&app.org.coast_editor).await;
        let answer = browser.post("/api/account/confirm_password", "/confirm", &[("password", PASSWORD), ("next", next)]).await;
        assert_eq!(answer.location(), Some(to));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_missing_object_is_not_found_for_people_without_an_office() {
    let app = TestApp::spawn().await;
    let mut browser = app.signed_in(&app.org.fisherman).await;
    app.backend.clock().advance(TimeDelta::hours(13));
    assert_eq!(browser.get("/desk").await.status, 404);
    for page in ["/devices", "/password", "/confirm"] {
        assert_eq!(browser.get(page).await.status, 200, "{page}");
        assert_eq!(app.browser().get(page).await.location(), Some(format!("/sign-in?next={page}").as_str()));
    }
}
