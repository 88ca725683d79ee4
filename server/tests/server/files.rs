//! Files of documents over HTTP: interrupted and resumed, in ranges, and only for their audience.

use std::time::Duration;

use backend::documents::{PublishForm, SubmitForm};
use domain::ids::{AttachmentId, DocumentId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    app::TestApp,
    browser::Browser,
    organisation::Person,
    samples::{docx, mp3, pdf},
};

/// A file of the coast's desk, in a draft for the harbour.
async fn attached(app: &TestApp, document: DocumentId, name: &str, content: &[u8]) -> AttachmentId {
    let editor = &app.org.coast_editor.viewer;
    let mut intake = app.backend.files().receive(editor, document, name).await.expect("begins");
    intake.write(content).await.expect("is taken");
    intake.complete(editor).await.expect("is attached").attachment
}

/// Sends the draft to review and publishes it.
async fn release(app: &TestApp, document: DocumentId) {
    let (documents, id) = (app.backend.documents(), document.to_string());
    let form = SubmitForm { id: &id, version: "1", reviewer: "", colleague: "", commenter: "", due: "", note: "", warned: "" };
    documents.submit(&app.org.coast_editor.viewer, form).await.expect("is sent");
    let review = app.review(document).await;
    let now = PublishForm { id: &id, version: "1", review: &review, when: "now", at: "", again: "" };
    documents.publish(&app.org.province_chief_editor.viewer, now).await.expect("is published");
}

async fn announce(browser: &Browser, document: &str, size: usize) -> (u16, String) {
    let request = browser.request("POST", "/files/uploads").header("sec-fetch-site", "same-origin").form(&[
        ("document", document),
        ("name", "Nghị quyết.mp3"),
        ("size", &size.to_string()),
    ]);
    let answer = request.send().await.expect("an answer");
    let location = answer.headers().get("location").map(|to| to.to_str().expect("text").to_owned());
    (answer.status().as_u16(), location.unwrap_or_default())
}

/// Sends bytes at an offset; returns the status, the server's offset, and the body.
async fn patch(browser: &Browser, address: &str, offset: usize, bytes: &[u8]) -> (u16, Option<u64>, String) {
    let request = browser
        .request("PATCH", address)
        .header("sec-fetch-site", "same-origin")
        .header("upload-offset", offset.to_string())
        .body(bytes.to_vec());
    upload_answer(request.send().await.expect("an answer")).await
}

async fn head(browser: &Browser, address: &str) -> (u16, Option<u64>, String) {
    upload_answer(browser.request("HEAD", address).send().await.expect("an answer")).await
}

async fn upload_answer(answer: reqwest::Response) -> (u16, Option<u64>, String) {
    let offset = answer.headers().get("upload-offset").map(|offset| offset.to_str().expect("text").parse().expect("a number"));
    (answer.status().as_u16(), offset, answer.text().await.expect("a body"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_interrupted_upload_resumes_at_its_offset() {
    let app = TestApp::spawn().await;
    let document = app.draft(&app.org.harbour).await;
    let editor = app.signed_in(&app.org.coast_editor).await;
    let content = mp3();
    let (status, address) = announce(&editor, &document.to_string(), content.len()).await;
    assert_eq!(status, 201);
    assert_eq!(head(&editor, &address).await, (204, Some(0), String::new()));

    // A broken connection: more bytes are announced than are sent.
    let mut line = TcpStream::connect(app.address).await.expect("connects");
    let cookie = editor.request("GET", "/").build().expect("a request").headers()["cookie"].to_str().expect("text").to_owned();
    let begun = format!(
        "PATCH {address} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\nUpload-Offset: 0\r\nContent-Length: {}\r\n\r\n",
        app.address,
        content.len()
    );
    line.write_all(begun.as_bytes()).await.expect("sends");
    line.write_all(&content[..300]).await.expect("sends");
    line.flush().await.expect("sends");
    line.shutdown().await.expect("breaks");
    let mut rest = Vec::new();
    let _ = line.read_to_end(&mut rest).await;
    let kept = async {
        while head(&editor, &address).await.1 != Some(300) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), kept).await.expect("what has arrived is kept");

    let (status, offset, _) = patch(&editor, &address, 0, &content).await;
    assert_eq!((status, offset), (409, Some(300)), "a new start gets the offset");
    let (status, _, body) = patch(&editor, &address, 300, &[&content[300..], b"more"].concat()).await;
    assert_eq!(status, 413, "more than was announced");
    assert!(!body.contains("50 MB"), "which is not too much: {body}");
    assert_eq!(head(&editor, &address).await.1, Some(300), "and nothing of it is stored");
    let (status, _, body) = patch(&editor, &address, 300, &content[300..]).await;
    assert_eq!((status, body.as_str()), (200, r#"{"waiting":false}"#));
    assert_eq!(head(&editor, &address).await.0, 404, "the upload does not exist any more");
    let files = app.backend.files().page(&app.org.coast_editor.viewer, document).await.expect("a page").files;
    assert_eq!((files.len(), files[0].file.name.as_str()), (1, "Nghị quyết.mp3"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rejected_file_has_a_reason() {
    let app = TestApp::spawn().await;
    let document = app.draft(&app.org.harbour).await.to_string();
    let mut editor = app.signed_in(&app.org.coast_editor).await;
    assert_eq!(announce(&editor, &document, 60 << 20).await.0, 422);
    assert_eq!(announce(&editor, "no document", 10).await.0, 404);
    // The error for an unreadable form is in the reader's language, not that of a library.
    let (urlencoded, multipart) = ("application/x-www-form-urlencoded", "multipart/form-data");
    for (address, kind, body) in [
        ("/files/uploads", urlencoded, "document=1&name=a&size=x"),
        ("/files/upload", multipart, "x"),
        ("/imports/upload", multipart, "x"),
        ("/desk/new/docx", multipart, "x"),
    ] {
        let request = editor.request("POST", address).header("sec-fetch-site", "same-origin").header("content-type", kind);
        let answer = request.body(body).send().await.expect("an answer");
        let (status, told) = (answer.status().as_u16(), answer.text().await.expect("text"));
        assert!(status == 422 && !told.to_lowercase().contains("invalid") && !told.is_empty(), "{address}: {status} {told}");
    }
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    let (_, address) = announce(&editor, &document, svg.len()).await;
    let (status, _, body) = patch(&editor, &address, 0, svg).await;
    assert!(status == 422 && body.contains("\"refused\":\"markup\"") && body.contains("SVG"), "{status} {body}");
    assert_eq!(head(&editor, &address).await.0, 404, "a refused file is gone");

    // The same without script: back to the page, which shows the reason.
    let (status, location) = form(&editor, &document, Some(("anh.png", svg))).await;
    assert_eq!((status, location.as_str()), (303, format!("/desk/{document}/files").as_str()));
    let (_, location) = form(&editor, &document, Some(("bai.mp3", &mp3()))).await;
    assert_eq!(location, format!("/desk/{document}/files?added=1"));
    let page = editor.get(&location).await;
    assert!(page.is_whole() && page.body.contains("bai.mp3"), "{}", page.body);
    assert_eq!(form(&editor, &document, None).await.0, 303);
    assert_eq!(form(&app.browser(), &document, None).await, (303, "/sign-in".to_owned()));
    let member = app.signed_in(&app.org.fisherman).await;
    assert_eq!(form(&member, &document, Some(("bai.mp3", &mp3()))).await.0, 404);
}

/// A plain form; returns the status and the redirect.
async fn form(browser: &Browser, document: &str, file: Option<(&str, &[u8])>) -> (u16, String) {
    let (name, content) = file.unwrap_or_default();
    let mut body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"document\"\r\n\r\n{document}\r\n\
         --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: image/png\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let request = browser
        .request("POST", "/files/upload")
        .header("content-type", "multipart/form-data; boundary=x")
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin")
        .body(body);
    let answer = request.send().await.expect("an answer");
    let location = answer.headers().get("location").map(|to| to.to_str().expect("text").to_owned());
    (answer.status().as_u16(), location.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_is_served_in_the_requested_ranges() {
    let app = TestApp::spawn().await;
    let document = app.draft(&app.org.harbour).await;
    // More than one piece of the file store.
    let content = [mp3(), (0..700_000_u32).map(|at| u8::try_from(at * 31 % 251).expect("small")).collect()].concat();
    let file = attached(&app, document, "Bài hát \"quê\".mp3", &content).await;
    let editor = app.signed_in(&app.org.coast_editor).await;
    let address = format!("/files/{file}");
    let get = async |headers: &[(&str, &str)]| {
        let request =
            headers.iter().fold(editor.request("GET", &address), |request, (name, value)| request.header(*name, *value));
        // A browser would accept a compressed response.
        let answer = request.header("accept-encoding", "br, gzip").send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        (status, headers, answer.bytes().await.expect("a body"))
    };
    let (status, headers, body) = get(&[]).await;
    let header = |name: &str| headers.get(name).map(|value| value.to_str().expect("text").to_owned()).unwrap_or_default();
    assert_eq!((status, body == content), (200, true));
    for (name, expected) in [
        ("content-type", "audio/mpeg"),
        ("content-length", &content.len().to_string()),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-store"),
        ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        (
            "content-disposition",
            "attachment; filename=\"B_i h_t _qu__.mp3\"; filename*=UTF-8''B%C3%A0i%20h%C3%A1t%20_qu%C3%AA_.mp3",
        ),
        ("content-encoding", ""),
    ] {
        assert_eq!(header(name), expected, "{name}");
    }
    let tag = header("etag");

    let (status, headers, body) = get(&[("range", "bytes=250000-599999")]).await;
    assert_eq!((status, body[..] == content[250_000..600_000]), (206, true));
    assert_eq!(headers["content-range"], format!("bytes 250000-599999/{}", content.len()));
    assert_eq!(headers["content-length"], "350000");
    let (status, _, body) = get(&[("range", "bytes=-5"), ("if-range", &tag)]).await;
    assert_eq!((status, body[..] == content[content.len() - 5..]), (206, true));
    let (status, _, body) = get(&[("range", "bytes=-5"), ("if-range", "\"other\"")]).await;
    assert_eq!((status, body.len()), (200, content.len()), "a part of another version is not served");
    let (status, headers, body) = get(&[("range", "bytes=9000000-")]).await;
    assert_eq!((status, body.len()), (416, 0));
    assert_eq!(headers["content-range"], format!("bytes */{}", content.len()));
    let (status, headers, body) = get(&[("if-none-match", &tag)]).await;
    assert_eq!((status, body.len(), headers["etag"].to_str().expect("text")), (304, 0, tag.as_str()));

    let answer = editor.request("HEAD", &address).send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["content-length"].to_str().ok()),
        (200, Some(content.len().to_string().as_str()))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_are_for_the_audience_of_their_document() {
    let app = TestApp::spawn().await;
    let document = app.draft(&app.org.harbour).await;
    let file = attached(&app, document, "nghi-quyet.pdf", &pdf("Nghị quyết số 57-NQ/TW")).await;
    let (_, upload) = announce(&app.signed_in(&app.org.coast_editor).await, &document.to_string(), 10).await;
    let org = &app.org;
    let everybody: [(&Person, bool, bool); 9] = [
        // The audience of the document, and those who may write it.
        (&org.coast_editor, true, true),
        (&org.province_chief_editor, true, true),
        (&org.fisherman, true, false),
        (&org.exempt, true, false),
        (&org.coast_secretary, true, false),
        (&org.teacher, false, false),
        (&org.farmer, false, false),
        (&org.hills_editor, false, false),
        (&org.operator, false, false),
    ];
    for is_out in [false, true] {
        if is_out {
            release(&app, document).await;
        }
        for (person, is_reached, writes) in everybody {
            let browser = app.signed_in(person).await;
            let expected = if writes || (is_out && is_reached) { 200 } else { 404 };
            for address in [format!("/files/{file}"), format!("/files/{file}/preview")] {
                let answer = browser.request("GET", &address).send().await.expect("an answer");
                assert_eq!(answer.status().as_u16(), expected, "{} {address}, out: {is_out}", person.name);
            }
            let foreign = head(&browser, &upload).await.0;
            assert_eq!(foreign, if person.id == org.coast_editor.id { 204 } else { 404 }, "{}", person.name);
            if !writes {
                // Readers of the document know that it exists.
                let refused = if is_out && is_reached { 403 } else { 404 };
                assert_eq!(announce(&browser, &document.to_string(), 10).await.0, refused, "{}", person.name);
                assert_eq!(patch(&browser, &upload, 0, b"0123456789").await.0, 404, "{}", person.name);
                let gone = browser.request("DELETE", &upload).header("sec-fetch-site", "same-origin").send().await;
                assert_eq!(gone.expect("an answer").status().as_u16(), 404, "{}", person.name);
            }
        }
    }
    let nobody = app.browser();
    for (address, status) in [(format!("/files/{file}"), 303), (format!("/files/{file}/preview"), 303), (upload.clone(), 401)] {
        assert_eq!(nobody.request("GET", &address).send().await.expect("an answer").status().as_u16(), status, "{address}");
    }
    assert_eq!(announce(&nobody, &document.to_string(), 10).await.0, 401);
    let editor = app.signed_in(&org.coast_editor).await;
    for method in ["PATCH", "DELETE"] {
        let foreign = editor.request(method, &upload).header("sec-fetch-site", "cross-site").send().await;
        assert_eq!(foreign.expect("an answer").status().as_u16(), 403, "{method} from another site");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_are_read_by_the_program_in_a_child_process() {
    let app = TestApp::spawn().await;
    let editor = &app.org.coast_editor.viewer;
    let document = app.draft(&app.org.harbour).await;
    let page = async || app.backend.files().page(editor, document).await.expect("a page");
    attached(&app, document, "nghi-quyet.pdf", &pdf("Nghị quyết số 57-NQ/TW")).await;
    let files = page().await.files;
    assert_eq!((files[0].text_missing, files[0].file.pages, files[0].file.has_preview), (None, Some(1), true));
    let mut intake = app.backend.files().receive(editor, document, "ke-hoach.docx").await.expect("begins");
    intake.write(&docx("TUYỆT MẬT\nKế hoạch")).await.expect("is taken");
    let arrived = intake.complete(editor).await.expect("arrives");
    assert_eq!(arrived.warnings.len(), 1, "the extracted text is checked here");
    // A file that loops or makes the reader crash is noted.
    attached(&app, document, "vong.pdf", &crate::samples::endless_pdf()).await;
    let files = page().await.files;
    assert!(files[1].text_missing.is_some() && !files[1].file.has_preview, "{:?}", files[1]);
}
