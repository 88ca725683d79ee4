//! Requests every page repeatedly and concurrently: no response may hang or be incomplete.

use tokio::task::JoinSet;

use crate::{
    app::TestApp,
    browser::{Answer, Browser},
};

const AT_ONCE: usize = 20;

/// How often each client requests a page concurrently with the others.
const TIMES: usize = 10;

/// A page, the person who requests it, and the expected status.
#[derive(Clone)]
struct Asked {
    browser: Browser,
    path: String,
    status: u16,
}

impl Asked {
    async fn comes_whole(mut self) {
        let (path, status) = (&self.path, self.status);
        let answer = in_the_end(&mut self.browser, path, status).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert!(answer.is_whole(), "{path} is complete: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_page_is_complete_however_many_request_it_at_once() {
    let app = TestApp::spawn().await;
    let document = app.published(&app.org.harbour).await;
    let draft = app.draft(&app.org.harbour).await;
    let opinion = app.opinion(&app.org.fisherman.viewer, document).await;
    let member = app.signed_in(&app.org.fisherman).await;
    let secretary = app.signed_in(&app.org.secretary).await;
    let committee = app.signed_in(&app.org.coast_secretary).await;
    let editor = app.signed_in(&app.org.coast_editor).await;
    let pages = [
        (app.browser(), "/sign-in".to_owned(), 200),
        (app.browser(), "/welcome".to_owned(), 200),
        (app.browser(), "/welcome/way".to_owned(), 200),
        (app.browser(), "/nowhere".to_owned(), 404),
        (member.clone(), "/".to_owned(), 200),
        (member.clone(), "/library".to_owned(), 200),
        (member.clone(), format!("/library/{document}"), 200),
        (member.clone(), format!("/library/{document}/opinion"), 200),
        (member.clone(), "/meetings".to_owned(), 200),
        (member.clone(), format!("/meetings/{document}"), 404),
        (member.clone(), "/opinions".to_owned(), 200),
        (member.clone(), format!("/opinions/{opinion}"), 200),
        (member.clone(), "/more".to_owned(), 200),
        (member, "/problem/busy".to_owned(), 503),
        (secretary.clone(), "/branch".to_owned(), 200),
        (secretary.clone(), "/codes".to_owned(), 200),
        (secretary.clone(), "/codes/sheet".to_owned(), 404),
        (secretary.clone(), format!("/units/{}/codes", app.org.harbour.id), 200),
        (secretary.clone(), format!("/members/{}/code", app.org.fisherman.id), 200),
        (secretary, format!("/branch/{opinion}"), 200),
        (committee.clone(), "/committee".to_owned(), 200),
        (committee, format!("/committee/{}", app.org.harbour.id), 200),
        (editor.clone(), "/desk".to_owned(), 200),
        (editor.clone(), "/desk/new".to_owned(), 200),
        (editor.clone(), format!("/desk/{draft}"), 200),
        (editor, format!("/desk/{draft}/publish"), 200),
    ];
    let pages = pages.map(|(browser, path, status)| Asked { browser, path, status });
    for page in &pages {
        // All request the same page.
        at_once((0..AT_ONCE).map(|_| vec![page.clone(); TIMES])).await;
    }
    // Each requests all pages, starting with a different one.
    at_once((0..AT_ONCE).map(|asker| {
        let mut all = pages.to_vec();
        all.rotate_left(asker);
        all
    }))
    .await;
}

/// Each client requests its pages in sequence, all clients concurrently.
async fn at_once(askers: impl Iterator<Item = Vec<Asked>>) {
    let mut asking = JoinSet::new();
    for pages in askers {
        asking.spawn(async move {
            for page in pages {
                page.comes_whole().await;
            }
        });
    }
    while let Some(asked) = asking.join_next().await {
        asked.expect("every page comes");
    }
}

/// The final response for a client that retries under overload: the capacity depends on the machine.
async fn in_the_end(browser: &mut Browser, path: &str, status: u16) -> Answer {
    let mut answer = browser.get(path).await;
    let mut patience = 50;
    while answer.status == 503 && status != 503 && patience > 0 {
        assert!(answer.header("retry-after").is_some(), "{path}: {}", answer.body);
        patience -= 1;
        answer = browser.get(path).await;
    }
    answer
}
