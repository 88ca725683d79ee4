//! Reorganisations: uploaded by a browser, carried out by the command line.

use std::{fs, path::Path};

use ::app::{
    reorganisations::{Template, column_name},
    text,
};
use backend::{
    Clock,
    imports::{csv_line, spreadsheet},
    units::{ReceiveForm, Received},
};
use domain::{
    Locale,
    units::reorganisation::{Hindrance, PlanList, ReorganisationColumn},
};

use crate::{
    app::TestApp,
    browser::Browser,
    program::{complaint, handbook},
};

/// Sends a form with files, as a browser does.
async fn send(browser: &mut Browser, path: &str, fields: &[(&str, &str)], files: &[(&str, &str, &str)]) -> (u16, String) {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    for (field, name, content) in files {
        body += &format!(
            "--x\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n{content}\r\n"
        );
    }
    let answer = browser.post_file(path, "text/html", "same-origin", (body + "--x--\r\n").into_bytes()).await;
    (answer.status, answer.location().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_registrar_sends_two_files_and_downloads_the_refused_rows() {
    let app = TestApp::spawn().await;
    let mut registrar = app.signed_in(&app.org.coast_registrar).await;
    let day = [("on", "21/11/2026")];
    let files = [
        ("files", "mot.csv", "Mã cũ,Mã mới,Tên mới\n51/001/01,01,Chi bộ thôn Gành Đá Mới\n"),
        ("files", "hai.csv", "Mã cũ,Mã mới\nkhong-co,9\n51/002,8\n51,8\n"),
    ];
    let (status, location) = send(&mut registrar, "/reorganisations/upload", &day, &files).await;
    assert_eq!(status, 303);
    let reorganisation = location.strip_prefix("/reorganisations/").expect("leads to the preview").to_owned();
    let page = registrar.get(&location).await;
    for sentence in [
        text::reorganisations::refused_title(Locale::Vi),
        text::reorganisations::problem_unknown_code(Locale::Vi),
        text::reorganisations::problem_not_allowed(Locale::Vi),
    ] {
        let (said, sentence) = (page.body.replace('\u{a0}', " "), sentence.replace('\u{a0}', " "));
        assert!(page.status == 200 && said.contains(&sentence), "{sentence} is missing in {said}");
    }
    assert!(!page.body.contains("sure=1"), "it cannot be confirmed");
    assert!(!page.body.contains("Sơn Trà Bồng"), "nothing is said of a unit elsewhere");

    let report = registrar.get(&format!("{location}/refused.csv")).await;
    assert_eq!(report.header("content-type"), Some("text/csv; charset=utf-8"));
    let lines: Vec<&str> = report.body.lines().collect();
    assert_eq!(lines.len(), 1 + 3, "{lines:?}");
    assert!(lines[1].starts_with("hai.csv,2,khong-co,9,"), "{lines:?}");
    let reason = |line: &str| line.rsplit(',').next().unwrap_or_default().to_owned();
    assert_eq!(reason(lines[1]), reason(lines[2]), "a unit elsewhere is answered like one that does not exist");

    let mut member = app.signed_in(&app.org.fisherman).await;
    assert_eq!(member.get(&format!("{location}/refused.csv")).await.status, 404);
    assert_eq!(send(&mut member, "/reorganisations/upload", &day, &files).await.0, 404);
    let signed_out = send(&mut app.browser(), "/reorganisations/upload", &day, &files).await;
    assert_eq!(signed_out, (303, "/sign-in?next=/reorganisations/new".to_owned()));
    registrar.post("/api/reorganisations/cancel", &location, &[("id", reorganisation.as_str())]).await;
    assert!(registrar.get(&location).await.body.contains(text::reorganisations::cancelled_title(Locale::Vi)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_form_without_a_valid_file_or_day_is_sent_back() {
    let app = TestApp::spawn().await;
    let mut registrar = app.signed_in(&app.org.coast_registrar).await;
    let file = ("files", "mot.csv", "Mã cũ,Mã mới\n51/001/01,01\n");
    let column = column_name(Locale::Vi, ReorganisationColumn::NewCode);
    for (on, files, told) in [
        ("21/11/2026", vec![], text::reorganisations::files(Locale::Vi).to_owned()),
        ("21/11/2026", vec![("files", "", "")], text::reorganisations::files(Locale::Vi).to_owned()),
        ("31/02/2026", vec![file], text::problems::no_such_day(Locale::Vi).to_owned()),
        (
            "21/11/2026",
            vec![file, ("files", "hai.csv", "Mã cũ,Ghi chú\n51/001/01,x\n")],
            text::reorganisations::file_missing(Locale::Vi, "hai.csv", column),
        ),
    ] {
        let answer = send(&mut registrar, "/reorganisations/upload", &[("on", on)], &files).await;
        assert_eq!(answer, (303, "/reorganisations/new".to_owned()), "{told}");
        let page = registrar.get("/reorganisations/new").await;
        let said = page.body.replace('\u{a0}', " ");
        assert!(said.contains("error-summary") && said.contains(&told.replace('\u{a0}', " ")), "{told} is missing in {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn templates_are_accepted_and_their_examples_are_refused() {
    let app = TestApp::spawn().await;
    let reorganisations = app.backend.reorganisations();
    let on = app.backend.clock().today().to_string();
    for locale in Locale::ALL {
        let rows = Template::Reorganisation.rows(locale);
        let lines: String = rows.iter().map(|row| csv_line(&row.iter().map(String::as_str).collect::<Vec<_>>())).collect();
        for content in [lines.into_bytes(), spreadsheet(&rows).expect("a spreadsheet")] {
            let form = ReceiveForm { on: &on, reorganisation: "", file_name: "template" };
            let mut upload = reorganisations.receive_from_operator(form).await.expect("begins");
            upload.write(content).await.expect("writes");
            let received = upload.finish().await.expect("arrives");
            let Received::Accepted(id) = received else { panic!("{locale:?} {received:?}") };
            let page = reorganisations.preview_for_operator(id, PlanList::Refused, 1).await.expect("has a page");
            assert_eq!(page.numbers.refused, page.numbers.rows, "{locale:?} {:?}", page.refused);
            assert_eq!(page.hindrance, Some(Hindrance::Refused));
        }
    }

    let mut registrar = app.signed_in(&app.org.coast_registrar).await;
    for (file, status) in [("reorganisation.csv", 200), ("assign.xlsx", 200), ("reorganisation.doc", 404), ("units.csv", 404)] {
        assert_eq!(registrar.get(&format!("/reorganisations/template/{file}")).await.status, status, "{file}");
    }
    let mut member = app.signed_in(&app.org.fisherman).await;
    assert_eq!(member.get("/reorganisations/template/assign.csv").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_of_assignments_is_carried_out_as_a_whole_or_not_at_all() {
    let app = TestApp::spawn().await;
    let mut registrar = app.signed_in(&app.org.coast_registrar).await;
    let file = [("file", "phan.csv", "Mã đơn vị,Mã đơn vị nhận\nkhong-co,9\n")];
    let answer = send(&mut registrar, "/reorganisations/assign", &[], &file).await;
    assert_eq!(answer, (303, "/reorganisations/queue".to_owned()));
    let page = registrar.get("/reorganisations/queue").await;
    for sentence in [text::reorganisations::assign_refused(Locale::Vi), text::reorganisations::problem_unknown_unit(Locale::Vi)] {
        assert!(page.body.contains(sentence), "{sentence} is missing in {}", page.body);
    }
    let mut member = app.signed_in(&app.org.fisherman).await;
    assert_eq!(send(&mut member, "/reorganisations/assign", &[], &file).await.0, 404);
}

const UNITS: &str = "Mã,Mã cấp trên,Cấp,Tên\n01,,Trung ương,Trung ương\n51,01,Tỉnh,Tỉnh Trà Khúc\n001,51,Xã,Xã Bình Châu\n\
                     002,51,Xã,Xã Sơn Trà\n01/51/001/07,,Chi bộ,Chi bộ Bảy\n01/51/002/08,,Chi bộ,Chi bộ Tám\n";

const MERGED: &str = "Mã cũ,Mã mới,Mã cấp trên mới,Tên mới\n01/51/001,101,01/51,Xã Bình Sơn\n01/51/002,101,01/51,Xã Bình Sơn\n";

/// Runs `handbook import` to its end and returns the exit code and the output.
fn import(data: &Path, kind: &str, files: &[&Path], more: &[&str]) -> (i32, String) {
    let mut command = handbook(&["import", kind]);
    let output = command.args(files).arg("--data").arg(data).args(more).output().expect("runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &complaint(&output);
    (output.status.code().expect("ends by itself"), told)
}

#[test]
fn the_command_line_reorganises_units_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let [units, merged, wrong] = ["units.csv", "merged.csv", "wrong.csv"].map(|name| folder.path().join(name));
    fs::write(&units, UNITS).expect("writes");
    fs::write(&merged, MERGED).expect("writes");
    fs::write(&wrong, format!("{MERGED}01/51/009,102,01/51,Xã Chín\n")).expect("writes");
    let (code, told) = import(&data, "units", &[&units], &[]);
    assert_eq!(code, 0, "{told}");
    let today = Clock::system().today().to_string();

    let (code, told) = import(&data, "reorganisation", &[&wrong], &["--on", &today, "--language", "en"]);
    assert_eq!((code, told.contains("wrong.csv, row 4: 01/51/009 to 102: ")), (1, true), "{told}");
    let report = fs::read_to_string(wrong.with_extension("report.csv")).expect("is there");
    assert!(
        report.starts_with("\u{feff}File,Row,Old code,New code,New name,Reason\r\nwrong.csv,4,01/51/009,102,Xã Chín,"),
        "{report}"
    );

    let (code, told) = import(&data, "reorganisation", &[&merged], &["--on", &today, "--dry-run"]);
    assert_eq!((code, told.contains("6 units become 5.")), (0, true), "{told}");
    assert!(told.contains("Units: 2 end, 1 begin,"), "{told}");
    let (code, told) = import(&data, "reorganisation", &[&merged], &["--on", &today]);
    assert_eq!((code, told.contains("Carried out: 6 units become 5.")), (0, true), "{told}");
    let (code, told) = import(&data, "reorganisation", &[&merged], &["--on", &today]);
    assert_eq!((code, told.contains("nothing to do")), (0, true), "{told}");
}

#[test]
fn settings_of_another_import_are_refused_with_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = folder.path().join("units.csv");
    fs::write(&file, UNITS).expect("writes");
    for (kind, files, more, sentence) in [
        ("reorganisation", vec![&*file], vec![], "--on is missing"),
        ("reorganisation", vec![&*file], vec!["--on", "someday"], "--on must be a day"),
        ("reorganisation", vec![&*file], vec!["--on", "2025-07-01", "--as-of", "2025-07-01"], "--as-of is for imports"),
        ("units", vec![&*file], vec!["--on", "2025-07-01"], "--on is for a reorganisation"),
        ("units", vec![&*file, &*file], vec![], "one file at a time"),
    ] {
        let (code, told) = import(&data, kind, &files, &more);
        assert_eq!((code, told.contains(sentence)), (1, true), "{told}");
    }
}
