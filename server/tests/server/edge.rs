//! Headers of every response, and requests that are rejected before they reach a use-case.

use crate::{app::TestApp, browser::Browser, organisation::PATIENCE};

async fn status_of(browser: &Browser, headers: &[(&str, &str)]) -> (u16, String) {
    let mut request = browser.request("POST", "/api/account/sign_out").form(&[("", "")]);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.text().await.expect("a body"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_form_from_another_site_changes_nothing() {
    let app = TestApp::spawn().await;
    let mut browser = app.signed_in(&app.org.fisherman).await;
    for foreign in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[],
    ] {
        let (status, body) = status_of(&browser, foreign).await;
        assert_eq!(status, 403, "{foreign:?}");
        assert!(body.contains("không đến từ trang của Sổ tay"), "{body}");
    }
    assert_eq!(browser.get("/").await.status, 200, "still signed in");
    let origin = browser.url("");
    assert_eq!(status_of(&browser, &[("origin", &origin)]).await.0, 200);
    assert_eq!(browser.get("/").await.status, 303, "now signed out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_response_has_the_security_headers() {
    let app = TestApp::spawn().await;
    let mut browser = app.browser();
    for path in ["/sign-in", "/nowhere", "/api/home/page", "/favicon.svg", "/healthz"] {
        let answer = browser.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name} of {path}");
        }
        assert!(answer.header("permissions-policy").is_some_and(|policy| policy.contains("camera=()")));
        assert_eq!(answer.header("x-request-id").map(str::len), Some(26));
        assert_eq!(answer.header("strict-transport-security"), None, "not over plain HTTP");
    }
    let request = browser.request("GET", "/sign-in").header("x-forwarded-proto", "https");
    let encrypted = request.send().await.expect("an answer");
    assert_eq!(encrypted.headers()["strict-transport-security"], "max-age=31536000; includeSubDomains");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_scripts_with_the_nonce_of_the_response_run_and_styles_are_linked() {
    let app = TestApp::spawn().await;
    let mut browser = app.browser();
    let (first, second) = (browser.get("/sign-in").await, browser.get("/sign-in").await);
    let policies: Vec<&str> =
        [&first, &second].into_iter().map(|answer| answer.header("content-security-policy").expect("a policy")).collect();
    assert_ne!(policies[0], policies[1], "a nonce is used once");
    let policy = policies[0];
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
    assert!(policy.ends_with("; require-trusted-types-for 'script'; trusted-types default handbook"), "{policy}");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
    let tags: Vec<&str> = first.body.split("<script").skip(1).map(|rest| rest.split('>').next().unwrap_or_default()).collect();
    assert!(!tags.is_empty(), "the page has a script");
    for found in tags {
        assert!(found.contains(&format!("nonce=\"{nonce}\"")), "<script{found}");
    }
    assert!(policy.contains("style-src 'self';"), "{policy}");
    for inline in ["<style", " style=\""] {
        assert!(!first.body.contains(inline), "inline styles are refused by the policy: {inline}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn built_files_are_immutable_public_ones_are_revalidated_and_pages_are_not_cached() {
    let app = TestApp::spawn().await;
    let mut browser = app.browser();
    let built = browser.get("/pkg/handbook.0123.css").await;
    assert_eq!((built.status, built.header("cache-control")), (200, Some("public, max-age=31536000, immutable")));
    let missing = browser.get("/pkg/handbook.9999.css").await;
    assert_eq!((missing.status, missing.header("cache-control")), (404, None));
    for public in ["/favicon.svg", "/icons/192.png"] {
        let answer = browser.get(public).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, Some("public, no-cache")), "{public}");
    }
    assert_eq!(browser.get("/sign-in").await.header("cache-control"), Some("private, no-store"));
    assert_eq!(browser.get("/assets.json").await.status, 404, "internal");
    assert_eq!(browser.get("/pkg/../assets.json").await.status, 404);

    let compressed = browser.request("GET", "/pkg/handbook.0123.css").header("accept-encoding", "br, gzip").send().await;
    let compressed = compressed.expect("an answer");
    assert_eq!(compressed.headers()["content-encoding"], "br");
    assert_eq!(compressed.text().await.expect("a body"), "compressed before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_are_compressed_when_the_browser_can() {
    let app = TestApp::spawn().await;
    for encoding in ["br", "gzip"] {
        let request = app.browser().request("GET", "/sign-in").header("accept-encoding", encoding);
        let page = request.send().await.expect("an answer");
        assert_eq!(page.headers()["content-encoding"], encoding);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_unknown_address_is_a_helpful_page_with_the_right_status() {
    let app = TestApp::spawn().await;
    let mut browser = app.signed_in(&app.org.fisherman).await;
    for path in ["/nowhere", "/library/not-an-id", "/committee", "/desk", "/branch", "/problem/not_found"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.body.contains("Không tìm thấy trang") && page.is_whole(), "{path}: {}", page.body);
    }
    let stranger = app.browser().get("/nowhere").await;
    assert_eq!(stranger.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_malformed_request_is_a_client_error_with_a_message() {
    let app = TestApp::spawn().await;
    let mut browser = app.signed_in(&app.org.coast_editor).await;
    let missing = browser.post_json("/api/documents/publish", &[]).await;
    assert_eq!(missing.status, 422, "{}", missing.body);
    assert!(missing.body.contains("\"kind\":\"invalid\"") && missing.body.contains("Có chỗ chưa đúng"), "{}", missing.body);
    let wrong_method = browser.get_json("/api/documents/publish").await;
    assert_eq!(wrong_method.status, 405);
    assert!(!wrong_method.body.is_empty());
    let long = "x".repeat(3 * 1024 * 1024);
    let too_large = browser.post_json("/api/documents/publish", &[("id", &long)]).await;
    assert_eq!(too_large.status, 413);
    assert!(too_large.body.contains("quá dài"), "{}", too_large.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn operators_see_health_and_metrics_but_not_who_reads_what() {
    let app = TestApp::spawn().await;
    let document = app.published(&app.org.harbour).await;
    let mut browser = app.signed_in(&app.org.fisherman).await;
    browser.get(&format!("/library/{document}?from=home")).await;
    assert_eq!(browser.get("/healthz").await.status, 200);
    assert_eq!(browser.get("/readyz").await.status, 200);
    assert_eq!(browser.get("/metrics").await.status, 404, "not at the public address");
    let counted = async {
        loop {
            let numbers = Browser::new(app.metrics_address).get("/metrics").await;
            assert_eq!(numbers.status, 200);
            // Jobs are counted concurrently with serving.
            if numbers.body.contains("handbook_jobs_overdue_seconds{kind=\"purge_files\"}") {
                return numbers;
            }
            tokio::task::yield_now().await;
        }
    };
    let numbers = tokio::time::timeout(PATIENCE, counted).await.expect("the jobs are counted");
    assert!(numbers.body.contains("handbook_jobs{kind=\"send_sms\",state=\"parked\"} 0"), "{}", numbers.body);
    assert!(numbers.body.contains("handbook_requests_total{") && numbers.body.contains("route=\"/library/{id}\""));
    assert!(numbers.body.contains("handbook_request_seconds_bucket{"));
    for personal in [document.to_string(), app.org.fisherman.national_id.clone(), "from=home".to_owned()] {
        assert!(!numbers.body.contains(&personal), "{personal}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_signed_out_visitor_is_redirected_to_the_sign_in_and_back() {
    let app = TestApp::spawn().await;
    let nobody = app.browser();
    let asked = async |method: &str, path: &str, accept: &str| {
        let answer = nobody.request(method, path).header("accept", accept).send().await.expect("an answer");
        let location = answer.headers().get("location").map(|to| to.to_str().expect("text").to_owned());
        (answer.status().as_u16(), location)
    };
    let document = app.published(&app.org.harbour).await;
    for accept in ["text/html", "*/*", "application/json"] {
        for (page, next) in [
            ("/".to_owned(), "/".to_owned()),
            ("/units/01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(), "/units/01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned()),
            (format!("/library/{document}/download"), format!("/library/{document}/download")),
            ("/search?q=%C4%91%E1%BA%A3ng&year=2026".to_owned(), "/search?q=%25C4%2591%25E1%25BA%25A3ng%26year=2026".to_owned()),
        ] {
            let sign_in = Some(format!("/sign-in?next={next}"));
            assert_eq!(asked("GET", &page, accept).await, (303, sign_in.clone()), "{page}");
            assert_eq!(asked("HEAD", &page, accept).await, (303, sign_in), "{page}");
        }
        assert_eq!(asked("GET", "/api/home/page", accept).await.0, 401, "scripts get the status");
        let typed_by_hand = asked("GET", "/problem/not_signed_in", accept).await;
        assert_eq!(typed_by_hand, (404, None), "the sign-in would lead back here for ever");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_choice_of_language_leads_to_no_other_site() {
    let app = TestApp::spawn().await;
    let answer = raw(app.address, "/\\evil.example?lang=en").await;
    assert!(answer.starts_with("HTTP/1.1 303") && answer.contains("\r\nlocation: /\r\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_path_with_dot_segments_is_not_found() {
    let app = TestApp::spawn().await;
    for target in ["/desk/../sign-in", "/desk/%2e%2E/sign-in", "/./sign-in", "/sign-in/.", "/sign-in/%2e"] {
        let answer = raw(app.address, target).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{target}: {answer}");
    }
    assert!(raw(app.address, "/sign-in").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn printed_and_shared_addresses_use_the_configured_origin_whatever_the_host_header() {
    let app = TestApp::spawn().await;
    let (secretary, unit) = (app.signed_in(&app.org.secretary).await, app.org.harbour.id.to_string());
    let form = [("unit", unit.as_str()), ("members[]", &app.org.fisherman.id.to_string())];
    let mut secretary = secretary;
    let issued = secretary.post("/api/account/issue_codes", &format!("/units/{unit}/codes"), &form).await;
    assert_eq!(issued.location(), Some("/codes/sheet"), "{}", issued.body);
    let document = app.published(&app.org.harbour).await;
    for page in ["/codes/sheet".to_owned(), format!("/library/{document}")] {
        let shown = secretary.request("GET", &page).header("host", "evil.example").header("accept", "text/html").send().await;
        let body = shown.expect("an answer").text().await.expect("a body");
        assert!(body.contains(&app.address.to_string()) && !body.contains("evil.example"), "{page}: {body}");
    }
}

/// The response to a request that no client would send.
async fn raw(address: std::net::SocketAddr, target: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let mut stream = tokio::net::TcpStream::connect(address).await.expect("connects");
    let request = format!("GET {target} HTTP/1.1\r\nhost: {address}\r\naccept: text/html\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}
