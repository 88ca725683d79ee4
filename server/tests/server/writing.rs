//! Writing over HTTP. DOCX files imported into a draft: as text for the script, into the form without it, and only for editors.
//! The unsaved texts of an editor whose office has ended.

use backend::units::{ReceiveForm, Received};
use domain::{
    ids::DocumentId,
    policy::{Grant, Role},
    units::reorganisation::{PlanList, ReorganisationState},
};

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

/// Makes the hills a part of the coast. The offices on them end.
async fn end_the_hills(app: &TestApp) {
    let mut registrar = app.org.operator.viewer.clone();
    registrar.standpoint.grants.push(Grant { role: Role::Registrar, path: app.org.province.path.clone() });
    let (reorganisations, on) = (app.backend.reorganisations(), app.backend.clock().today().to_string());
    let announced = ReceiveForm { on: &on, reorganisation: "", file_name: "sap-xep.csv" };
    let mut upload = reorganisations.receive(&registrar, announced).await.expect("may reorganise");
    let file = "Mã cũ,Mã mới,Chức vụ\n001,001,\n002,001,kết thúc\n";
    upload.write(file.as_bytes().to_vec()).await.expect("writes");
    let Received::Accepted(id) = upload.finish().await.expect("is read") else { panic!("the file is refused") };
    let page = reorganisations.preview(&registrar, id, PlanList::Refused, 1).await.expect("is planned");
    reorganisations.confirm(&registrar, id, &page.version).await.expect("is confirmed");
    let done = async {
        while reorganisations.progress_for_operator(id).await.expect("is known").state != ReorganisationState::Done {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), done).await.expect("a job carries it out");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_editor_whose_unit_ends_while_writing_reads_and_discards_the_unsaved_text() {
    let app = TestApp::spawn().await;
    let mut editor = app.signed_in(&app.org.hills_editor).await;
    let (id, hills) = (DocumentId::new(app.backend.clock().ulid()).to_string(), app.org.hills.id.to_string());
    let typed = [("id", id.as_str()), ("version", "0"), ("title", "Họp dân"), ("body", "Viết dở.")];
    assert_eq!(editor.post_json("/api/documents/keep_typed", &typed).await.status, 200);
    assert_eq!(editor.get("/desk/new").await.status, 200);
    end_the_hills(&app).await;

    // Sent from the page that was opened before.
    let form = [
        ("id", id.as_str()),
        ("version", "0"),
        ("kind", "guidance"),
        ("number", ""),
        ("title", "Họp dân"),
        ("issuer", hills.as_str()),
        ("audience", hills.as_str()),
        ("body", "Viết xong."),
    ];
    let sent = editor.post("/api/documents/save_draft", "/desk/new", &form).await;
    let resumed = sent.location().expect("leads to what was kept").to_owned();
    assert!(resumed.starts_with("/desk/new?resume="), "{resumed}");
    for address in [resumed.as_str(), "/desk", "/desk/new"] {
        let answer = editor.get(address).await;
        assert_eq!((answer.status, answer.location()), (302, Some("/desk/unsaved")), "{address}");
    }
    let page = editor.get("/desk/unsaved").await;
    assert!(page.status == 200 && page.body.contains("Viết xong.") && page.body.contains("Họp dân"), "{}", page.body);
    assert!(editor.get("/record").await.body.contains("href=\"/desk/unsaved\""), "is linked from one's record");

    let mut member = app.signed_in(&app.org.fisherman).await;
    let other = member.get("/desk/unsaved").await;
    assert!(other.status == 200 && !other.body.contains("Viết xong."), "{}", other.body);
    assert!(!member.get("/record").await.body.contains("href=\"/desk/unsaved\""), "there is nothing to see");
    assert_eq!(member.get("/desk").await.status, 404);

    let unsaved = app.backend.documents().unsaved(&app.org.hills_editor.viewer).await.expect("a list");
    let kept = unsaved.first().expect("a text").document.to_string();
    let forget = [("id", kept.as_str()), ("from", "unsaved")];
    let discarded = editor.post("/api/documents/forget_typed", "/desk/unsaved", &forget).await;
    assert_eq!((discarded.status, discarded.location()), (302, Some("/desk/unsaved")));
    let page = editor.get("/desk/unsaved").await;
    assert!(page.status == 200 && !page.body.contains("Viết xong."), "{}", page.body);
    assert_eq!(editor.get("/desk").await.status, 404);
}
