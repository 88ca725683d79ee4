//! The badges in the frame of every page.

use std::collections::HashSet;

use backend::offices::GrantForm;
use domain::home::WorkKind;
use serde_json::{Value, json};

use crate::{app::TestApp, browser::Browser};

/// Address and number of each place with pending work, as the script receives them.
async fn numbers(browser: &mut Browser) -> Vec<(String, String)> {
    let answer = browser.get_json("/api/home/badges").await;
    let badges: Vec<Value> = serde_json::from_str(&answer.body).expect("a list");
    let text = |badge: &Value, key: &str| badge[key].as_str().expect("a text").to_owned();
    badges.iter().map(|badge| (text(badge, "place"), text(badge, "number"))).collect()
}

fn owned_pairs(numbers: &[(&str, &str)]) -> Vec<(String, String)> {
    numbers.iter().map(|(place, number)| ((*place).to_owned(), (*number).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_frame_shows_each_person_their_own_numbers_only() {
    let app = TestApp::spawn().await;
    let document = app.published(&app.org.harbour).await;
    let opinion = app.opinion(&app.org.fisherman.viewer, document).await.to_string();
    app.in_review(&app.org.harbour).await;

    let mut fisherman = app.signed_in(&app.org.fisherman).await;
    assert_eq!(numbers(&mut fisherman).await, []);
    assert!(!fisherman.get("/library").await.body.contains("việc đang chờ"));
    let mut chief = app.signed_in(&app.org.province_chief_editor).await;
    assert_eq!(numbers(&mut chief).await, owned_pairs(&[("/desk", "1"), ("/more", "1")]));
    let mut farm_secretary = app.signed_in(&app.org.farm_secretary).await;
    assert_eq!(numbers(&mut farm_secretary).await, [], "the pending work is another branch's");
    assert_eq!(app.browser().get_json("/api/home/badges").await.status, 401);

    // Their unit has one unanswered opinion and one member without a password.
    let mut secretary = app.signed_in(&app.org.secretary).await;
    assert_eq!(numbers(&mut secretary).await, owned_pairs(&[("/branch", "1"), ("/codes", "1"), ("/more", "2")]));
    for path in ["/", "/more", "/library", "/members"] {
        let page = secretary.get(path).await;
        assert!(page.body.contains(r#"aria-label="2 việc đang chờ""#), "{path} shows the sum");
        assert!(page.body.contains(r#"aria-label="1 việc đang chờ""#), "{path} shows each");
    }
    assert!(secretary.get("/").await.body.contains("1 ý kiến chờ trả lời"), "the same as the first page");

    let answer = [("opinion", opinion.as_str()), ("text", "Đã ghi nhận.")];
    let answered = secretary.post("/api/feedback/answer", &format!("/branch/{opinion}"), &answer).await;
    assert_eq!(answered.status, 302, "{}", answered.body);
    assert_eq!(
        numbers(&mut secretary).await,
        owned_pairs(&[("/codes", "1"), ("/more", "1")]),
        "what one has done counts at once"
    );
    assert!(!secretary.get("/library").await.body.contains(r#"aria-label="2 việc đang chờ""#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_kind_of_work_has_a_place_for_those_it_is_counted_for() {
    let app = TestApp::spawn().await;
    let org = &app.org;
    let people = [
        &org.fisherman,
        &org.secretary,
        &org.deputy,
        &org.coast_committee_member,
        &org.coast_editor,
        &org.coast_registrar,
        &org.province_chief_editor,
        &org.province_statistician,
        &org.operator,
    ];
    let mut seen = HashSet::new();
    for person in people {
        let work = app.backend.home().work(&person.viewer).await.expect("counts");
        let page = app.signed_in(person).await.get("/more").await.body;
        for kind in work.into_iter().map(|item| item.kind) {
            let link = format!(r#"href="{}""#, kind.place());
            assert_eq!(page.matches(&link).count(), 2, "{}: {kind:?} in the rail and in the list of the phone", person.name);
            seen.insert(kind);
        }
    }
    assert_eq!(seen.len(), WorkKind::ALL.len(), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_number_says_what_it_counts() {
    let app = TestApp::spawn().await;
    let mut secretary = app.signed_in(&app.org.secretary).await;
    let answer = secretary.get_json("/api/home/badges").await;
    let badges: Value = serde_json::from_str(&answer.body).expect("a list");
    assert_eq!(badges[0], json!({ "place": "/codes", "number": "1", "label": "1 việc đang chờ" }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_person_with_offices_on_two_units_chooses_one_and_gains_no_right() {
    let app = TestApp::spawn().await;
    let (org, draft) = (&app.org, format!("/desk/{}", app.draft(&app.org.harbour).await));
    let mut editor = app.signed_in(&org.coast_editor).await;
    let page = editor.get("/desk").await.body;
    assert!(page.contains("Làm việc cho:"), "the unit is in the bar");
    assert!(!page.contains("?for="), "no choice with one unit");
    assert!(editor.get(&draft).await.body.contains("Làm việc cho:"), "and on the pages of the place");

    let (unit, day) = (org.harbour.id.to_string(), app.backend.clock().today().to_string());
    let card = format!("51.{}", &org.coast_editor.national_id[6..]);
    let form = GrantForm { unit: &unit, card: &card, role: "editor", from: &day, until: "" };
    app.backend.offices().grant(&org.coast_registrar.viewer, form).await.expect("is given");
    let page = editor.get("/desk").await.body;
    assert!(page.contains(&draft) && page.contains("Mọi đơn vị của tôi"), "all units, until one is chosen");
    assert!(page.contains(&format!("/desk?for={unit}")) && page.contains(&format!("/desk?for={}", org.coast.id)));

    let chosen = editor.get(&format!("/desk?for={unit}")).await;
    assert_eq!((chosen.status, chosen.location()), (303, Some("/desk")));
    let page = editor.get("/desk").await.body;
    assert!(!page.contains(&draft), "the text is the coast's");
    assert!(page.contains(r#"aria-current="true""#), "the choice is marked");
    let opened = editor.get(&draft).await;
    assert_eq!(opened.status, 200, "an addressed object is opened by all offices");
    assert!(opened.body.contains("Mọi đơn vị của tôi") && opened.body.contains(&format!("/desk?for={unit}")));
    assert!(!opened.body.contains(&format!("{draft}?for=")), "another unit is chosen at the place");
    assert!(editor.get("/library").await.is_whole());

    // A unit on which the person holds no office cannot be chosen.
    let hills = editor.get(&format!("/desk?for={}", org.hills.id)).await;
    assert_eq!((hills.status, hills.header("set-cookie")), (303, None));
    assert!(!editor.get("/desk").await.body.contains(&draft), "the previous choice stays");
    let every = editor.get("/desk?for=").await;
    assert_eq!((every.status, every.location()), (303, Some("/desk")));
    assert!(editor.get("/desk").await.body.contains(&draft));

    // A forged cookie opens nothing either.
    let stranger = app.signed_in(&org.hills_editor).await;
    let asked = stranger.request("GET", "/desk").header("cookie", format!("handbook-unit={}", org.coast.id));
    let answer = asked.header("accept", "text/html").send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    assert!(!answer.text().await.expect("a page").contains(&draft));
}
