//! Imports: uploaded by a browser, imported by the command line, killed on the way.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use ::app::{imports::template, text::imports::missing_beyond};
use backend::imports::{csv_line, spreadsheet};
use domain::{
    Locale,
    imports::{Counts, ImportKind},
};

use crate::{
    app::TestApp,
    browser::Browser,
    program::{complaint, handbook},
};

const UNITS: &str = "Mã,Mã cấp trên,Cấp,Tên\n01,,Trung ương,Trung ương\n51,01,Tỉnh,Tỉnh Trà Khúc\n001,51,Xã,Xã Bình Châu\n\
                     01/51/001/07,,Chi bộ,Chi bộ Bảy\n01/51/001/08,,Chi bộ,Chi bộ Tám\n";

fn members(count: u32) -> String {
    let header = "card number;full name;sex;birth date;admitted on;CCCD;phone;branch\n".to_owned();
    (0..count).fold(header, |mut file, number| {
        let _ = writeln!(
            file,
            "70{number:06};Nguyễn Văn {number};male;1980-02-01;2008-02-03;0800{number:08};09{number:08};01/51/001/0{}",
            7 + number % 2
        );
        file
    })
}

/// Runs `handbook import` to its end and returns the exit code and the output.
fn import(data: &Path, kind: &str, file: &Path, more: &[&str]) -> (i32, String) {
    let mut command = handbook(&["import", kind]);
    let output = command.arg(file).arg("--data").arg(data).args(more).output().expect("runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &complaint(&output);
    (output.status.code().expect("ends by itself"), told)
}

#[test]
fn a_killed_import_resumes_and_leaves_no_duplicate() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (units, people) = (folder.path().join("units.csv"), folder.path().join("members.csv"));
    fs::write(&units, UNITS).expect("writes");
    fs::write(&people, members(3_000)).expect("writes");
    let (code, told) = import(&data, "units", &units, &[]);
    assert_eq!((code, told.contains("Written: 5 new")), (0, true), "{told}");

    let mut killed = 0;
    for wait in [1_500, 2_500] {
        let mut command = handbook(&["import", "members"]);
        command.arg(&people).arg("--data").arg(&data).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("starts");
        let until = Instant::now() + Duration::from_millis(wait);
        while Instant::now() < until && child.try_wait().expect("a process").is_none() {
            thread::sleep(Duration::from_millis(20));
        }
        // On Unix this is SIGKILL.
        killed += u32::from(child.kill().is_ok());
        child.wait().expect("ends");
    }
    assert!(killed > 0);
    let (code, told) = import(&data, "members", &people, &[]);
    assert_eq!(code, 0, "{told}");
    let (code, told) = import(&data, "members", &people, &["--dry-run"]);
    assert_eq!((code, told.contains("0 new, 0 changed, 3000 unchanged, 0 refused")), (0, true), "{told}");
}

#[test]
fn rejected_rows_exit_with_one_and_a_report_next_to_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (units, people) = (folder.path().join("units.csv"), folder.path().join("members.csv"));
    fs::write(&units, UNITS).expect("writes");
    fs::write(&people, members(3) + "=1+1;A;male;2190-01-01;2008-02-03;;;07\n").expect("writes");
    import(&data, "units", &units, &[]);
    let (code, told) = import(&data, "members", &people, &["--language", "en"]);
    assert_eq!((code, told.contains("3 new, 0 changed, 0 unchanged, 1 refused")), (1, true), "{told}");
    let report = fs::read_to_string(people.with_extension("report.csv")).expect("is there");
    assert!(
        report.starts_with("\u{feff}Row,Person or unit,Column,Value,Outcome,Reason\r\n5,A,Card number,\"'=1+1\",Refused,"),
        "{report}"
    );

    let (code, told) = import(&data, "members", &units, &[]);
    assert_eq!((code, told.contains("the header has no column for Card number")), (1, true), "{told}");
    let (code, told) = import(&data, "members", &people, &["--unit", "99"]);
    assert_eq!((code, told.contains("there is no unit 99")), (1, true), "{told}");
}

async fn send(browser: &Browser, unit: &str, file: Option<&str>) -> (u16, String) {
    let part = |name: &str, value: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let (name, content) = file.map_or(("", ""), |content| ("danh sách.csv", content));
    let body = part("kind", "members")
        + &part("unit", unit)
        + &format!(
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n{content}\r\n--x--\r\n"
        );
    let request = browser
        .request("POST", "/imports/upload")
        .header("content-type", "multipart/form-data; boundary=x")
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin")
        .body(body);
    let answer = request.send().await.expect("an answer");
    let location = answer.headers().get("location").map(|to| to.to_str().expect("text").to_owned());
    (answer.status().as_u16(), location.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_registrar_sends_a_file_and_reads_its_report() {
    let app = TestApp::spawn().await;
    let unit = app.org.coast.id.to_string();
    let mut registrar = app.signed_in(&app.org.coast_registrar).await;
    assert_eq!(registrar.get("/imports/new").await.status, 200);
    // Larger than any other form may be.
    let file = "so the,ho ten,phai,ngay sinh,ngay vao dang,chi bo\n".to_owned()
        + &format!("x,={},?,1,2,99\n", "A".repeat(60)).repeat(40_000);
    let (status, location) = send(&registrar, &unit, Some(&file)).await;
    assert_eq!(status, 303);
    let import = location.strip_prefix("/imports/").expect("leads to the import").to_owned();
    app.backend.imports().settled(import.parse().expect("an id")).await.expect("is looked at");
    let page = registrar.get(&location).await;
    assert!(page.status == 200 && page.body.contains("40.000"), "{}", page.body);
    let report = registrar.get(&format!("{location}/report.csv")).await;
    assert_eq!(report.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(report.header("content-disposition").is_some_and(|how| how.starts_with("attachment")));
    assert_eq!(report.body.lines().count(), 1 + 5 * 40_000);

    assert_eq!(send(&registrar, &unit, None).await, (303, "/imports/new".to_owned()));
    let mut member = app.signed_in(&app.org.fisherman).await;
    assert_eq!(send(&member, &unit, Some("x")).await.0, 404);
    assert_eq!(member.get(&format!("{location}/report.csv")).await.status, 404);
    assert_eq!(send(&app.browser(), &unit, Some("x")).await, (303, "/sign-in?next=/imports/new".to_owned()));
    let foreign = registrar.request("POST", "/imports/upload").header("sec-fetch-site", "cross-site").send().await;
    assert_eq!(foreign.expect("an answer").status().as_u16(), 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_number_of_columns_read_is_reported_if_the_file_has_more() {
    let app = TestApp::spawn().await;
    let unit = app.org.coast.id.to_string();
    let mut registrar = app.signed_in(&app.org.coast_registrar).await;
    let sentence = missing_beyond(Locale::Vi, "200");
    let mut told = Vec::new();
    for before in [10, 300] {
        let file = format!("{}phai,ngay sinh\n{}nam,1/2/1980\n", "ghi chu,".repeat(before), "x,".repeat(before));
        let (_, location) = send(&registrar, &unit, Some(&file)).await;
        let import = location.strip_prefix("/imports/").expect("leads to the import");
        app.backend.imports().settled(import.parse().expect("an id")).await.expect("is looked at");
        told.push(registrar.get(&location).await.body.contains(&sentence));
    }
    assert_eq!(told, [false, true], "the limit is reported if there are more");
}

/// The templates are accepted in every language, and their examples are refused instead of imported as people.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn templates_are_accepted_and_their_examples_are_refused() {
    let app = TestApp::spawn().await;
    for (locale, kind) in Locale::ALL.into_iter().flat_map(|locale| ImportKind::ALL.map(|kind| (locale, kind))) {
        let rows = template(locale, kind);
        let lines: String = rows.iter().map(|row| csv_line(&row.iter().map(String::as_str).collect::<Vec<_>>())).collect();
        for content in [lines.into_bytes(), spreadsheet(&rows).expect("a spreadsheet")] {
            let mut upload = app.backend.imports().receive_from_operator(kind, None, "template").expect("is taken");
            upload.write(content).await.expect("writes");
            let import = upload.finish().await.expect("arrives").import;
            app.backend.imports().settled(import).await.expect("is looked at");
            let page = app.backend.imports().page_for_operator(import).await.expect("has a page");
            let counts = Counts { refused: 2, ..Counts::default() };
            assert!(page.headers.iter().all(|(_, column)| column.is_some()), "{locale:?} {:?}", page.headers);
            assert_eq!((page.missing, page.import.counts), (vec![], counts), "{locale:?} {kind:?} {:?}", page.import.failure);
        }
    }
    // Only people who may import can download one.
    let mut registrar = app.signed_in(&app.org.coast_registrar).await;
    for (file, status) in [("members.csv", 200), ("members.xlsx", 200), ("members.doc", 404), ("x.csv", 404)] {
        assert_eq!(registrar.get(&format!("/imports/template/{file}")).await.status, status, "{file}");
    }
    let mut member = app.signed_in(&app.org.fisherman).await;
    assert_eq!(member.get("/imports/template/members.csv").await.status, 404);
    assert_eq!(app.browser().get("/imports/template/members.csv").await.status, 303);
}
