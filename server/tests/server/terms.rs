//! No page of an organisation contains words of another kind of organisation, from any part of the program. Pages of an own pack
//! have its levels and words.

use std::collections::BTreeSet;

use ::app::text::{ONLY, use_pack};
use domain::{
    Locale,
    levels::{LevelNames, OwnLevel, PARTY, own_levels},
    terms::{OwnWord, Pack, Terms},
};

use crate::{
    app::TestApp,
    hostile::write_everything,
    pages::{NOT_SEEN, Page, Pages, one_of_each},
};

// The words are chosen per process, and each test runs in its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_page_of_an_association_has_words_of_a_party() {
    Box::pin(assert_no_words_of(Terms::Party, Terms::Association)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_page_of_a_party_has_words_of_an_association() {
    Box::pin(assert_no_words_of(Terms::Association, Terms::Party)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_of_an_own_pack_show_its_levels_and_words() {
    let mut levels: Vec<OwnLevel> = PARTY.iter().map(OwnLevel::from).filter(|level| level.key != "section").collect();
    for level in &mut levels {
        if level.key == "commune" {
            level.name.vi = "Công đoàn cấp trên cơ sở".to_owned();
            level.short.vi = "Công đoàn".to_owned();
        }
    }
    let name = LevelNames { vi: "Nhóm nghiệp vụ".to_owned(), en: "Circle".to_owned(), bn: "চক্র".to_owned() };
    levels.push(OwnLevel { key: "circle".to_owned(), name, issues_documents: true, ..OwnLevel::default() });
    own_levels(&levels).expect("a valid pack");
    let word = OwnWord { locale: Locale::Vi, key: "member".to_owned(), word: "đoàn viên".to_owned() };
    use_pack(Pack { base: Terms::Party, levels, words: vec![word] });

    let app = TestApp::spawn().await;
    let mut registrar = app.signed_in(&app.org.coast_registrar).await;
    let unit = registrar.get(&format!("/units/{}", app.org.coast.id)).await;
    assert!(unit.body.contains("Công đoàn"), "the short name of the level");
    assert!(unit.body.contains("đoàn viên") && !unit.body.contains("đảng viên"), "the word of the pack");
    let new = registrar.get(&format!("/units/{}/new", app.org.coast.id)).await;
    for (key, is_offered) in [("base", true), ("branch", true), ("circle", true), ("group", false), ("section", false)] {
        assert_eq!(new.body.contains(&format!("value=\"{key}\"")), is_offered, "{key}");
    }
    assert!(new.body.contains("Nhóm nghiệp vụ"), "the full name in the form");
    // The browser gets the levels and words with the page.
    let sent = registrar.get("/").await.body;
    for part in [r#"\"key\":\"circle\""#, "Công đoàn cấp trên cơ sở", r#"\"word\":\"đoàn viên\""#] {
        assert!(sent.contains(part), "{part}");
    }
}

async fn assert_no_words_of(other: Terms, own: Terms) {
    use_pack(own);
    let app = TestApp::spawn().await;
    write_everything(&app).await;
    let org = &app.org;
    // Names of units are content.
    let names = [&org.province, &org.coast, &org.hills, &org.harbour, &org.school, &org.farm].map(|unit| unit.name.clone());
    let words = ONLY.iter().filter(|(owner, locale, _)| *owner == other && *locale == Locale::Vi).flat_map(|(.., words)| *words);
    let words: Vec<&str> = words.copied().collect();
    let strange = |text: &str| {
        let own = names.iter().fold(text.replace('\u{a0}', " "), |text, name| text.replace(name, "")).to_lowercase();
        words.iter().filter_map(|word| Some(around(&own, own.find(word)?))).collect::<Vec<_>>()
    };

    let pages = Pages::all();
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    let mut look = |page: Page<'_>| {
        seen.insert(page.pattern.to_owned());
        found.extend(strange(&page.answer.body).into_iter().map(|text| format!("{}: {text}", page.address)));
    };
    pages.walk(app.browser(), ("", &[]), &mut look).await;
    for person in one_of_each(org) {
        pages.walk(app.signed_in(person).await, ("", &[]), &mut look).await;
    }
    let mut registrar = app.signed_in(&org.coast_registrar).await;
    for file in ["members", "units"] {
        let template = registrar.get(&format!("/imports/template/{file}.csv")).await;
        assert_eq!(template.status, 200, "{file}");
        found.extend(strange(&template.body).into_iter().map(|text| format!("{file}.csv: {text}")));
    }
    let missing: Vec<&String> =
        pages.patterns.iter().filter(|pattern| !seen.contains(*pattern) && !NOT_SEEN.contains(&pattern.as_str())).collect();
    assert!(missing.is_empty(), "nobody sees {missing:#?}");
    assert!(found.is_empty(), "{found:#?}");
}

/// The match with its surrounding text.
fn around(text: &str, at: usize) -> String {
    let from = (0..=at.saturating_sub(60)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    text[from..].chars().take(120).collect()
}
