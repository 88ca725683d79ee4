//! Journeys without script: links, forms, redirects.

use crate::{
    app::TestApp,
    organisation::{PASSWORD, Person},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_signs_in_finds_the_home_page_and_signs_out() {
    let app = TestApp::spawn().await;
    let mut browser = app.browser();
    let refused = browser.get("/").await;
    assert_eq!((refused.status, refused.location()), (303, Some("/sign-in?next=/")));

    let mut browser = app.signed_in(&app.org.fisherman).await;
    let home = browser.get("/").await;
    assert_eq!(home.status, 200);
    assert!(home.body.contains(&app.org.harbour.name), "{}", home.body);
    assert!(home.is_whole());

    let out = browser.post("/api/account/sign_out", "/more", &[]).await;
    assert_eq!((out.status, out.location()), (302, Some("/sign-in")));
    assert!(!browser.has_cookie("__Host-handbook"));
    assert_eq!(browser.get("/library").await.status, 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_was_signed_out_opens_nothing_even_with_its_old_cookie() {
    let app = TestApp::spawn().await;
    let mut browser = app.signed_in(&app.org.fisherman).await;
    let mut thief = browser.clone();
    assert_eq!(thief.get_json("/api/home/page").await.status, 200);
    browser.post("/api/account/sign_out", "/more", &[]).await;
    assert_eq!(thief.get_json("/api/home/page").await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unknown_and_not_activated_ids_and_a_wrong_password_get_the_same_answer() {
    let app = TestApp::spawn().await;
    let mut answers = Vec::new();
    for (id, password) in [
        (app.org.fisherman.national_id.as_str(), "not-the-password"),
        (app.org.not_activated.national_id.as_str(), PASSWORD),
        ("099999999999", PASSWORD),
    ] {
        let mut browser = app.browser();
        let form = [("national_id", id), ("password", password), ("next", "/library")];
        let answer = browser.post("/api/account/sign_in", "/sign-in?next=/library", &form).await;
        assert_eq!((answer.status, answer.location()), (302, Some("/sign-in?next=/library")));
        let page = browser.get("/sign-in?next=/library").await;
        assert!(page.body.contains(id), "the typed ID is kept");
        assert!(!page.body.contains(password), "the password is not");
        answers.push(page.body.replace(id, "…"));
    }
    let known = without_nonces(&answers[0]);
    assert!(known.contains("Số định danh hoặc mật khẩu không đúng"), "{known}");
    for other in &answers[1..] {
        assert_eq!(without_nonces(other), known);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_error_for_a_used_card_number_links_to_its_record() {
    let app = TestApp::spawn().await;
    let (member, unit) = (app.member(&app.org.harbour).await.to_string(), app.org.harbour.id.to_string());
    let id = app.backend.clock().ulid().to_string();
    let form = [
        ("id", id.as_str()),
        ("version", "0"),
        ("full_name", "Trương Thị Hai"),
        ("card", &member[10..]),
        ("sex", "female"),
        ("birth_date", "1991-05-19"),
        ("admitted_on", "2020-02-03"),
        ("official_on", ""),
        ("standing", "official"),
        ("national_id", ""),
        ("phone", ""),
        ("unit", unit.as_str()),
    ];
    let mut registrar = app.signed_in(&app.org.coast_registrar).await;
    let answer = registrar.post("/api/members/register", "/members/new", &form).await;
    assert_eq!((answer.status, answer.location()), (302, Some("/members/new")), "{}", answer.body);
    let page = registrar.get("/members/new").await;
    assert!(page.body.contains(&format!("<a href=\"/members/{member}\" translate=\"no\">")), "{}", page.body);
}

/// The page without what differs each time.
fn without_nonces(page: &str) -> String {
    let mut pieces = page.split("nonce=\"");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |page, piece| page + piece.split_once('"').map_or(piece, |(_, rest)| rest))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn typed_values_are_returned_once_with_the_problems() {
    let app = TestApp::spawn().await;
    let mut browser = app.browser();
    let answer = browser.post("/api/account/sign_in", "/sign-in", &[("national_id", "12345"), ("password", "")]).await;
    assert_eq!((answer.status, answer.location()), (302, Some("/sign-in")));
    let page = browser.get("/sign-in").await;
    assert!(page.body.contains("12345") && page.body.contains("Hãy nhập đủ 12 chữ số"), "{}", page.body);
    let again = browser.get("/sign-in").await;
    assert!(!again.body.contains("12345"), "a form is returned once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn signing_in_leads_only_to_pages_of_this_site() {
    let app = TestApp::spawn().await;
    let id = app.org.fisherman.national_id.as_str();
    for (next, to) in [("/library?kind=news", "/library?kind=news"), ("https://evil.example", "/"), ("//evil.example", "/")] {
        let form = [("national_id", id), ("password", PASSWORD), ("next", next)];
        let answer = app.browser().post("/api/account/sign_in", "/sign-in", &form).await;
        assert_eq!(answer.location(), Some(to));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_editor_publishes_and_only_the_audience_finds_it() {
    let app = TestApp::spawn().await;
    let mut editor = app.signed_in(&app.org.coast_editor).await;
    assert_eq!(editor.get("/desk/new").await.status, 200);

    let id = app.backend.clock().ulid().to_string();
    let (issuer, audience) = (app.org.coast.id.to_string(), app.org.harbour.id.to_string());
    let mut form = vec![
        ("id", id.as_str()),
        ("version", "0"),
        ("kind", "directive"),
        ("number", "05-CT/ĐU"),
        ("title", ""),
        ("issuer", issuer.as_str()),
        ("audience", audience.as_str()),
        ("body", "## Việc cần làm\n\n<script>alert(1)</script>Kiểm tra phao cứu sinh."),
    ];
    let refused = editor.post("/api/documents/save_draft", "/desk/new", &form).await;
    assert_eq!((refused.status, refused.location()), (302, Some("/desk/new")));
    let page = editor.get("/desk/new").await;
    assert!(page.body.contains("05-CT/ĐU") && page.body.contains("Kiểm tra phao cứu sinh"), "the typed text is kept");

    form[4] = ("title", "Chỉ thị về phao cứu sinh");
    let saved = editor.post("/api/documents/save_draft", "/desk/new", &form).await;
    assert_eq!((saved.status, saved.location()), (302, Some(format!("/desk/{id}?saved=1").as_str())));
    let address = format!("/library/{id}");
    let mut fisherman = app.signed_in(&app.org.fisherman).await;
    assert_eq!(fisherman.get(&address).await.status, 404, "a draft is not found");

    let review = format!("/desk/{id}/review");
    let sent = editor.post("/api/documents/submit", &review, &[("id", &id), ("version", "1")]).await;
    assert_eq!((sent.status, sent.location()), (302, Some(format!("/desk/{id}?submitted=1").as_str())));
    let question = format!("/desk/{id}/publish");
    let seen = app.review(id.parse().expect("an id")).await;
    let approval = [("id", id.as_str()), ("version", "1"), ("review", seen.as_str()), ("when", "now")];
    let own = editor.post("/api/documents/publish", &question, &approval).await;
    assert_eq!((own.status, own.location()), (302, Some("/problem/not_allowed")), "authors do not approve");
    let mut chief = app.signed_in(&app.org.province_chief_editor).await;
    assert!(chief.get(&question).await.body.contains("05-CT/ĐU"));
    let published = chief.post("/api/documents/publish", &question, &approval).await;
    assert_eq!((published.status, published.location()), (302, Some(format!("/desk/{id}?published=1").as_str())));

    let read = fisherman.get(&address).await;
    assert_eq!(read.status, 200);
    assert!(read.body.contains("Kiểm tra phao cứu sinh"), "{}", read.body);
    assert!(!read.body.contains("<script>alert(1)"), "what an editor writes is never a script");
    assert!(fisherman.get("/library").await.body.contains("Chỉ thị về phao cứu sinh"));
    let mut farmer = app.signed_in(&app.org.farmer).await;
    assert_eq!(farmer.get(&address).await.status, 404, "not even that it exists");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_opinion_is_sent_answered_and_its_answer_found() {
    let app = TestApp::spawn().await;
    let document = app.published(&app.org.harbour).await.to_string();
    let mut fisherman = app.signed_in(&app.org.fisherman).await;
    let write = format!("/library/{document}/opinion");
    let form_page = fisherman.get(&write).await;
    assert_eq!(form_page.status, 200);
    assert!(form_page.body.contains(&app.org.secretary.name), "the readers are shown before writing");

    let opinion = app.backend.clock().ulid().to_string();
    let form = |text| [("opinion", opinion.as_str()), ("document", document.as_str()), ("audience", "branch"), ("text", text)];
    let refused = fisherman.post("/api/feedback/send", &write, &form("   ")).await;
    assert_eq!((refused.status, refused.location()), (302, Some(write.as_str())));
    assert!(fisherman.get(&write).await.body.contains("” còn trống. Hãy điền hoặc chọn rồi gửi lại."));

    let receipt = format!("/opinions/{opinion}?sent=1");
    let text = "Xin thêm phao ở cửa lạch & đèn báo";
    for _ in 0..2 {
        let sent = fisherman.post("/api/feedback/send", &write, &form(text)).await;
        assert_eq!((sent.status, sent.location()), (302, Some(receipt.as_str())), "sent twice is sent once");
    }
    assert_eq!(fisherman.get(&receipt).await.status, 200);

    let mut secretary = app.signed_in(&app.org.secretary).await;
    assert!(secretary.get("/branch").await.body.contains("Xin thêm phao ở cửa lạch"));
    let open = format!("/branch/{opinion}");
    assert_eq!(secretary.get(&open).await.status, 200);
    let answer = [("opinion", opinion.as_str()), ("text", "Xã đã duyệt kinh phí.")];
    let answered = secretary.post("/api/feedback/answer", &open, &answer).await;
    assert_eq!((answered.status, answered.location()), (302, Some(format!("{open}?answered=1").as_str())));
    assert!(fisherman.get(&receipt).await.body.contains("Xã đã duyệt kinh phí."));
    let mut teacher = app.signed_in(&app.org.teacher).await;
    assert_eq!(teacher.get(&receipt).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_late_text_is_shown_next_to_the_stored_one_and_the_script_loads_that_page() {
    let app = TestApp::spawn().await;
    let document = app.published(&app.org.harbour).await.to_string();
    let opinion = app.backend.clock().ulid().to_string();
    let form = |text| [("opinion", opinion.as_str()), ("document", document.as_str()), ("audience", "branch"), ("text", text)];
    let mut fisherman = app.signed_in(&app.org.fisherman).await;
    let write = format!("/library/{document}/opinion");

    let sent = fisherman.request("POST", "/api/feedback/send").header("cookie", "handbook-typed=k3x9");
    let sent = sent.header("accept", "application/json").header("sec-fetch-site", "same-origin");
    let sent = sent.form(&form("Xin thêm phao.")).send().await.expect("an answer");
    let cookies: Vec<_> = sent.headers().get_all("set-cookie").iter().filter_map(|line| line.to_str().ok()).collect();
    assert!(cookies.contains(&"handbook-typed-k3x9=taken; SameSite=Lax; Path=/; Max-Age=600"), "{} {cookies:?}", sent.status());

    let again = fisherman.post("/api/feedback/send", &write, &form("Xin thêm đèn.")).await;
    assert_eq!((again.status, again.location()), (302, Some(write.as_str())));
    let page = fisherman.get(&write).await.body;
    assert!(page.contains("Ý kiến này đã được gửi trước đó") && page.contains("Xin thêm đèn.</textarea>"), "{page}");
    assert!(!page.contains(&format!("value=\"{opinion}\"")), "sent again it is another opinion");

    let mut secretary = app.signed_in(&app.org.secretary).await;
    let open = format!("/branch/{opinion}");
    let answer = |text| [("opinion", opinion.as_str()), ("text", text)];
    let to = "/api/feedback/answer";
    assert_eq!(secretary.post(to, &open, &answer("Xã đã duyệt.")).await.status, 302);
    let late = secretary.post(to, &open, &answer("Xã sẽ xem.")).await;
    assert_eq!((late.status, late.location()), (302, Some(open.as_str())));
    let page = secretary.get(&open).await.body;
    assert!(page.contains("Xã đã duyệt.") && page.contains("Xã sẽ xem.</textarea>"), "{page}");
    assert!(!page.contains("action=\"/api/feedback/answer\""), "a text that cannot be sent is not offered");

    let late = secretary.request("POST", to).header("referer", secretary.url(&open));
    let late = late.header("accept", "application/json").header("sec-fetch-site", "same-origin");
    let late = late.form(&answer("Xã sẽ xem.")).send().await.expect("an answer");
    assert_eq!(late.status().as_u16(), 200);
    let told: serde_json::Value = late.json().await.expect("json");
    assert_eq!(told, serde_json::json!({ "done": { "to": open, "reload": true } }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_record_that_changed_meanwhile_can_be_saved_after_the_message() {
    let app = TestApp::spawn().await;
    let member = app.member(&app.org.harbour).await.to_string();
    let edit = format!("/members/{member}/edit");
    let mut registrar = app.signed_in(&app.org.coast_registrar).await;
    let version = |page: &str| {
        let rest = page.split_once("name=\"version\" value=\"").expect("a version").1;
        rest.split('"').next().expect("a value").to_owned()
    };
    let opened = version(&registrar.get(&edit).await.body);
    let form = |version, name| {
        [
            ("id", member.as_str()),
            ("version", version),
            ("full_name", name),
            ("card", &member[10..]),
            ("sex", "female"),
            ("birth_date", "1990-05-19"),
            ("admitted_on", "2020-02-03"),
            ("official_on", ""),
            ("standing", "official"),
            ("national_id", ""),
            ("phone", ""),
            ("unit", ""),
        ]
    };
    let to = "/api/members/change";
    let saved = format!("/members/{member}?saved=changed");
    assert_eq!(registrar.post(to, &edit, &form(&opened, "Trương Thị Ba")).await.location(), Some(saved.as_str()));
    assert_eq!(registrar.post(to, &edit, &form(&opened, "Trương Thị Tư")).await.location(), Some(edit.as_str()));
    let page = registrar.get(&edit).await.body;
    assert!(page.contains("value=\"Trương Thị Tư\""), "{page}");
    let newest = version(&page);
    assert_ne!(newest, opened);
    assert_eq!(registrar.post(to, &edit, &form(&newest, "Trương Thị Tư")).await.location(), Some(saved.as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn text_sent_after_the_session_expired_is_restored_after_the_sign_in() {
    let app = TestApp::spawn().await;
    let document = app.published(&app.org.harbour).await.to_string();
    let mut browser = app.browser();
    let write = format!("/library/{document}/opinion");
    let opinion = app.backend.clock().ulid().to_string();
    let form = [
        ("opinion", opinion.as_str()),
        ("document", document.as_str()),
        ("audience", "branch"),
        ("text", "Viết khi phiên đã hết"),
    ];
    let asked = browser.post("/api/feedback/send", &write, &form).await;
    let sign_in = format!("/sign-in?next={write}");
    assert_eq!((asked.status, asked.location()), (302, Some(sign_in.as_str())));
    // In between, the page is opened once more without a session: that must not delete the stored form.
    assert_eq!(browser.get(&write).await.status, 303);
    let form = [("national_id", app.org.fisherman.national_id.as_str()), ("password", PASSWORD), ("next", write.as_str())];
    assert_eq!(browser.post("/api/account/sign_in", &sign_in, &form).await.location(), Some(write.as_str()));
    assert!(browser.get(&write).await.body.contains("Viết khi phiên đã hết"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_advice_for_members_who_never_signed_in_matches_what_the_page_offers_leaders() {
    let app = TestApp::spawn().await;
    let document = app.published(&app.org.harbour).await;
    let mut secretary = app.signed_in(&app.org.secretary).await;
    let page = secretary.get(&format!("/readers/{document}")).await.body;
    let group = page.split("id=\"not-activated\"").next().and_then(|before| before.rsplit("<section").next()).expect("a group");
    assert!(group.contains("thẻ giấy") && !group.contains("gọi điện"), "no phone number is shown to call: {group}");
    let code = format!("/members/{}/code", app.org.not_activated.id);
    assert!(page.contains(&format!("href=\"{code}\"")), "{page}");
    assert!(!page.contains("tel:"), "{page}");
    assert!(secretary.get(&code).await.body.contains("action=\"/api/account/issue_code\""));
}

/// Sends a form of `page` without a session, signs in and returns the page the person is redirected to.
async fn sent_before_signing_in(app: &TestApp, person: &Person, to: &str, page: &str, form: &[(&str, &str)]) -> String {
    let mut browser = app.browser();
    let asked = browser.post(to, page, form).await;
    let sign_in = format!("/sign-in?next={page}");
    assert_eq!((asked.status, asked.location()), (302, Some(sign_in.as_str())), "{to}");
    let form = [("national_id", person.national_id.as_str()), ("password", PASSWORD), ("next", page)];
    assert_eq!(browser.post("/api/account/sign_in", &sign_in, &form).await.location(), Some(page));
    browser.get(page).await.body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn quiz_answers_sent_after_the_session_expired_are_restored_after_the_sign_in() {
    let app = TestApp::spawn().await;
    let fisherman = &app.org.fisherman;
    let course = app.course(&app.org.harbour).await;
    app.backend.courses().start(&fisherman.viewer, course).await.expect("begins");
    let (id, quiz) = (course.to_string(), format!("/courses/{course}/quiz"));
    let form = |number, step| [("course", id.as_str()), ("number", number), ("step", step), ("answers[0][]", "1")];
    let address = "/api/courses/answer";
    for step in ["hand_in", "save"] {
        let page = sent_before_signing_in(&app, fisherman, address, &quiz, &form("1", step)).await;
        assert!(page.contains("value=\"1\" checked") && page.contains("data-restored"), "{step}: {page}");
        assert!(!page.contains("value=\"0\" checked"), "{step}: {page}");
    }
    let page = sent_before_signing_in(&app, fisherman, address, &quiz, &form("2", "save")).await;
    assert!(
        !page.contains("value=\"1\" checked") && !page.contains("data-restored"),
        "in another try the options stand in another order"
    );

    let nobody = app.browser();
    let request = nobody.request("POST", address).header("accept", "application/json").header("sec-fetch-site", "same-origin");
    let answer = request.header("referer", nobody.url(&quiz)).form(&form("1", "save")).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 401);
    let told: serde_json::Value = answer.json().await.expect("json");
    assert_eq!(told["to"], format!("/sign-in?next={quiz}"));
    assert!(told["way"].as_str().is_some_and(|way| way.contains("được giữ")), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn choices_sent_after_the_session_expired_are_restored_after_the_sign_in() {
    let app = TestApp::spawn().await;
    let (unit, page) = (app.org.harbour.id.to_string(), format!("/units/{}/codes", app.org.harbour.id));
    let (chosen, waiting) = (app.org.fisherman.id.to_string(), app.org.not_activated.id.to_string());
    let form = [("unit", unit.as_str()), ("members[]", chosen.as_str())];
    let back = sent_before_signing_in(&app, &app.org.secretary, "/api/account/issue_codes", &page, &form).await;
    assert!(back.contains(&format!("value=\"{chosen}\" checked")), "{back}");
    assert!(!back.contains(&format!("value=\"{waiting}\" checked")), "people who were not chosen are not ticked: {back}");

    let import = app.import("Số thẻ,Họ tên\n1,A\n").await.to_string();
    let page = format!("/imports/{import}");
    let form = [("id", import.as_str()), ("columns[0]", "phone"), ("columns[1]", "")];
    let back = sent_before_signing_in(&app, &app.org.coast_registrar, "/api/imports/remap", &page, &form).await;
    assert!(back.contains("value=\"phone\" selected"), "{back}");
    assert!(!back.contains("value=\"full_name\" selected"), "{back}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_committee_sees_its_figures_and_those_one_level_below() {
    let app = TestApp::spawn().await;
    let mut secretary = app.signed_in(&app.org.coast_secretary).await;
    let page = secretary.get("/committee").await;
    assert_eq!(page.status, 200);
    for unit in [&app.org.coast, &app.org.harbour, &app.org.school] {
        assert!(page.body.contains(&unit.name), "{}", unit.name);
    }
    assert_eq!(secretary.get(&format!("/committee/{}", app.org.harbour.id)).await.status, 200);
    for beyond in [&app.org.province, &app.org.hills, &app.org.farm] {
        assert_eq!(secretary.get(&format!("/committee/{}", beyond.id)).await.status, 404, "{}", beyond.name);
    }
    let mut statistician = app.signed_in(&app.org.province_statistician).await;
    let hills = statistician.get(&format!("/committee/{}", app.org.hills.id)).await;
    assert!(hills.body.contains("Ẩn"), "three people are too few to be counted in public");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn meetings_without_any_say_what_will_come_here() {
    let app = TestApp::spawn().await;
    let mut browser = app.signed_in(&app.org.fisherman).await;
    let page = browser.get("/meetings").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Chưa có buổi sinh hoạt nào sắp tới"));
    let unknown = format!("/meetings/{}", app.backend.clock().ulid());
    assert_eq!(browser.get(&unknown).await.status, 404);
    assert_eq!(browser.get("/meetings/not-an-id").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn language_size_and_theme_are_kept_with_the_account() {
    let app = TestApp::spawn().await;
    let mut browser = app.signed_in(&app.org.fisherman).await;
    let form = [("locale", "bn"), ("text_size", "3"), ("theme", "dark")];
    let saved = browser.post("/api/account/save_preferences", "/more", &form).await;
    assert_eq!((saved.status, saved.location()), (302, Some("/more?saved=1")));
    let mut elsewhere = app.signed_in(&app.org.fisherman).await;
    for browser in [&mut browser, &mut elsewhere] {
        let page = browser.get("/meetings").await;
        assert!(page.body.contains("lang=\"bn\""));
        assert!(page.body.contains("data-text-size=\"3\"") && page.body.contains("data-theme=\"dark\""));
        assert!(page.body.contains("আসন্ন"));
    }
    let theme = browser.post("/api/account/save_preferences", "/more", &[("theme", "light")]).await;
    assert_eq!((theme.status, theme.location()), (302, Some("/more?saved=1")));
    let page = browser.get("/meetings").await.body;
    let kept = ["lang=\"bn\"", "data-text-size=\"3\"", "data-theme=\"light\""];
    assert!(kept.iter().all(|said| page.contains(said)), "omitted fields stay");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_language_can_be_chosen_before_signing_in() {
    let app = TestApp::spawn().await;
    let mut browser = app.browser();
    assert!(browser.get("/sign-in").await.body.contains("lang=\"vi\""));
    let chosen = browser.get("/sign-in?next=/library&lang=en").await;
    assert_eq!((chosen.status, chosen.location()), (303, Some("/sign-in?next=/library")));
    assert!(browser.get("/sign-in?next=/library").await.body.contains("lang=\"en\""));
}
