//! DOCX files imported into a draft over HTTP: as text for the script, into the form without it, and only for editors.

use crate::{
    app::TestApp,
    browser::{Answer, Browser},
    samples::docx,
};

/// The body of a form with a file.
fn body(version: &str, file: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--x\r\ncontent-disposition: form-data; name=\"version\"\r\n\r\n{version}\r\n\
         --x\r\ncontent-disposition: form-data; name=\"mode\"\r\n\r\nreplace\r\n\
         --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"Kế hoạch.docx\"\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--x--\r\n");
    body
}

async fn send(browser: &mut Browser, document: &str, accept: &str, origin: &str, body: Vec<u8>) -> Answer {
    browser.post_file(&format!("/desk/{document}/docx"), accept, origin, body).await
}

const JSON: &str = "application/json";
const HTML: &str = "text/html";
const SAME: &str = "same-origin";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_docx_is_returned_as_text_or_put_into_the_form() {
    let app = TestApp::spawn().await;
    let document = app.draft(&app.org.harbour).await.to_string();
    let mut editor = app.signed_in(&app.org.coast_editor).await;
    let file = docx("Neo đậu trước 17 giờ.");

    let text = send(&mut editor, &document, JSON, SAME, body("1", &file)).await;
    assert_eq!(text.status, 200);
    let taken: serde_json::Value = serde_json::from_str(&text.body).expect("JSON");
    let expected =
        serde_json::json!({ "title": null, "text": "Neo đậu trước 17 giờ.", "whole": "Neo đậu trước 17 giờ.", "told": null });
    assert_eq!(taken, expected);

    let form = send(&mut editor, &document, HTML, SAME, body("1", &file)).await;
    assert_eq!((form.status, form.location()), (303, Some(&*format!("/desk/{document}?resume=1"))));
    let page = editor.get(&format!("/desk/{document}?resume=1")).await;
    assert!(page.status == 200 && page.body.contains("Neo đậu trước 17 giờ."), "{}", page.body);

    let new = send(&mut editor, &document, HTML, SAME, body("0", &file)).await;
    assert!(new.status == 303 && new.location().is_some_and(|to| to.starts_with("/desk/new?resume=")), "{new:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_invalid_docx_is_reported_and_changes_nothing() {
    let app = TestApp::spawn().await;
    let document = app.draft(&app.org.harbour).await.to_string();
    let mut editor = app.signed_in(&app.org.coast_editor).await;
    let whole = body("1", &docx("Neo đậu trước 17 giờ."));
    let cut = whole[..whole.len() / 2].to_vec();
    for wrong in [body("1", b"%PDF-1.7"), body("1", b""), body("1", &vec![b'a'; 12 << 20]), cut, b"x".to_vec()] {
        let told = send(&mut editor, &document, JSON, SAME, wrong.clone()).await;
        assert!(told.status == 422 && !told.body.is_empty(), "{told:?}");
        let form = send(&mut editor, &document, HTML, SAME, wrong).await;
        assert_eq!((form.status, form.location()), (303, Some(&*format!("/desk/{document}"))));
        let page = editor.get(&format!("/desk/{document}")).await.body;
        assert!(page.contains("error-summary"), "the error is shown on the page");
    }
    let draft = app.backend.documents().draft(&app.org.coast_editor.viewer, document.parse().expect("an id")).await;
    assert_eq!(draft.expect("is there").draft.version, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_editors_import_a_docx_into_a_draft() {
    let app = TestApp::spawn().await;
    let document = app.draft(&app.org.harbour).await.to_string();
    let file = docx("Neo đậu trước 17 giờ.");
    let mut nobody = app.browser();
    assert_eq!(send(&mut nobody, &document, JSON, SAME, body("1", &file)).await.status, 401);
    let sent_on = send(&mut nobody, &document, HTML, SAME, body("1", &file)).await;
    assert_eq!((sent_on.status, sent_on.location()), (303, Some("/sign-in?next=/desk")));
    let mut member = app.signed_in(&app.org.fisherman).await;
    assert_eq!(send(&mut member, &document, HTML, SAME, body("1", &file)).await.status, 404);
    let mut elsewhere = app.signed_in(&app.org.hills_editor).await;
    assert_eq!(send(&mut elsewhere, &document, HTML, SAME, body("1", &file)).await.status, 404);
    let mut editor = app.signed_in(&app.org.coast_editor).await;
    let forged = send(&mut editor, &document, HTML, "cross-site", body("1", &file)).await;
    assert_eq!(forged.status, 403, "a page of another site cannot send it");
}
