//! Live figures.

use std::time::Duration;

use domain::statistics::StatisticsPage;
use reqwest::Response;
use tokio::time::timeout;

use crate::app::TestApp;

/// Far more than needed, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

struct Frames {
    response: Response,
    received: String,
}

impl Frames {
    fn of(response: Response) -> Self {
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, received: String::new() }
    }

    /// The next figures; none when the stream has ended.
    async fn next(&mut self) -> Option<StatisticsPage> {
        timeout(PATIENCE, self.figures()).await.expect("figures in time")
    }

    /// Waits for the end of the stream.
    async fn end(&mut self) {
        let end = async { while self.figures().await.is_some() {} };
        timeout(PATIENCE, end).await.expect("the stream ends in time");
    }

    /// As [`Self::next`], without a timeout.
    async fn figures(&mut self) -> Option<StatisticsPage> {
        loop {
            if let Some((frame, rest)) = self.received.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.received = rest;
                if let Some(data) = frame.strip_prefix("data: ") {
                    return Some(serde_json::from_str(data).expect("figures"));
                }
                continue;
            }
            let chunk = self.response.chunk().await.expect("a chunk")?;
            self.received.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_open_page_sees_the_opinion_another_member_sends() {
    let app = TestApp::spawn().await;
    let document = app.published(&app.org.harbour).await;
    let browser = app.signed_in(&app.org.coast_secretary).await;
    let path = format!("/live?unit={}", app.org.coast.id);
    let mut frames = Frames::of(browser.request("GET", &path).send().await.expect("an answer"));
    let before = frames.next().await.expect("figures at once").total.figures.expect("enough members");
    assert_eq!((before.members, before.opinions), (15, 0));

    let mut fisherman = app.signed_in(&app.org.fisherman).await;
    let opinion = app.backend.clock().ulid().to_string();
    let document = document.to_string();
    let form = [("opinion", opinion.as_str()), ("document", document.as_str()), ("audience", "branch"), ("text", "Đồng ý.")];
    assert_eq!(fisherman.post_json("/api/feedback/send", &form).await.status, 200);

    let shown = async {
        loop {
            let page = frames.figures().await.expect("the stream goes on");
            if page.total.figures.is_some_and(|figures| figures.opinions == 1) {
                return page;
            }
        }
    };
    let shown = timeout(PATIENCE, shown).await.expect("the opinion is counted in time");
    let harbour = shown.children.iter().find(|row| row.unit.id == app.org.harbour.id).expect("the branch");
    assert_eq!(harbour.figures.map(|figures| figures.opinions), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_open_page_ends_with_its_session_and_with_the_program() {
    let app = TestApp::spawn().await;
    let mut browser = app.signed_in(&app.org.coast_secretary).await;
    let other = app.signed_in(&app.org.province_statistician).await;
    let mut frames = Frames::of(browser.request("GET", "/live").send().await.expect("an answer"));
    let mut others = Frames::of(other.request("GET", "/live").send().await.expect("an answer"));
    frames.next().await.expect("figures");
    others.next().await.expect("figures");
    assert_eq!(browser.post_json("/api/account/sign_out", &[]).await.status, 200);
    frames.end().await;
    app.stop().await;
    others.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_streams_of_one_session_are_limited() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in(&app.org.coast_secretary).await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(Frames::of(browser.request("GET", "/live").send().await.expect("an answer")));
    }
    let ninth = browser.request("GET", "/live").send().await.expect("an answer");
    assert_eq!((ninth.status().as_u16(), ninth.headers().contains_key("retry-after")), (429, true));
    let other = app.signed_in(&app.org.province_statistician).await;
    Frames::of(other.request("GET", "/live").send().await.expect("an answer"));
    drop(open);
    // The server notices a disconnected reader when it next sends to it or checks it.
    let again = async {
        while browser.request("GET", "/live").send().await.expect("an answer").status().as_u16() != 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, again).await.expect("a place is free again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn live_figures_need_the_right_to_read_them() {
    let app = TestApp::spawn().await;
    let status = async |browser: &crate::browser::Browser, path: &str| {
        browser.request("GET", path).send().await.expect("an answer").status().as_u16()
    };
    let coast = format!("/live?unit={}", app.org.coast.id);
    let hills = format!("/live?unit={}", app.org.hills.id);
    assert_eq!(status(&app.browser(), &coast).await, 401);
    assert_eq!(status(&app.signed_in(&app.org.fisherman).await, &coast).await, 404);
    let secretary = app.signed_in(&app.org.coast_secretary).await;
    assert_eq!(status(&secretary, &hills).await, 404);
    assert_eq!(status(&secretary, "/live?unit=nonsense").await, 404);
    assert_eq!(status(&secretary, &coast).await, 200);
}
