//! Imports into the registry: what is read, what is rejected, and the state after an interruption.

use std::{fmt::Write as _, time::Duration};

use backend::{
    Backend, Error,
    imports::{UploadForm, csv_line},
    units::BelowQuery,
};
use chrono::NaiveDate;
use domain::{
    accounts::Viewer,
    events::{EventBody, EventKind},
    forms::Problem,
    ids::ImportId,
    imports::{Column, Counts, Failure, ImportKind, ImportPage, ImportState, Reason, RefusedLine},
    members::Sex,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use crate::{
    support::{Fixture, on_disk, organisation},
    units::rename,
};

const HEADER: &str = "Số thẻ,Họ và tên,Giới tính,Ngày sinh,Ngày vào Đảng,Ngày chính thức,CCCD,Điện thoại,Mã chi bộ\n";

fn person(number: u32) -> String {
    format!("60{number:06},Nguyễn Văn {number},Nam,01/02/1980,03/02/2008,03/02/2009,9520{number:08},09{number:08},51/001/01\n")
}

fn people(numbers: std::ops::Range<u32>) -> String {
    numbers.fold(HEADER.to_owned(), |mut file, number| {
        let _ = write!(file, "{}", person(number));
        file
    })
}

fn counts(fresh: u64, changed: u64, unchanged: u64, refused: u64) -> Counts {
    Counts { fresh, changed, unchanged, refused }
}

async fn upload(backend: &Backend, viewer: &Viewer, kind: ImportKind, unit: &str, content: &[u8]) -> ImportId {
    let form = UploadForm { kind: kind.key(), unit, file_name: "danh-sach.csv" };
    let mut upload = backend.imports().receive(viewer, form).await.expect("may import");
    for piece in content.chunks(100_000) {
        upload.write(piece.to_vec()).await.expect("writes");
    }
    let import = upload.finish().await.expect("arrives").import;
    backend.imports().settled(import).await.expect("is looked at");
    import
}

async fn previewed(backend: &Backend, org: &Fixture, content: &[u8]) -> ImportPage {
    let registrar = &org.coast_registrar.viewer;
    let import = upload(backend, registrar, ImportKind::Members, &org.coast.id.to_string(), content).await;
    backend.imports().page(registrar, import).await.expect("has a page")
}

async fn confirmed(backend: &Backend, org: &Fixture, import: ImportId) -> ImportPage {
    let registrar = &org.coast_registrar.viewer;
    backend.imports().confirm(registrar, import, "").await.expect("is confirmed");
    backend.imports().settled(import).await.expect("is written");
    backend.imports().page(registrar, import).await.expect("has a page")
}

pub(crate) async fn imported(backend: &Backend, org: &Fixture, content: &[u8]) -> ImportPage {
    let page = previewed(backend, org, content).await;
    assert_eq!(page.import.state, ImportState::Previewed, "{:?} {:?}", page.import.failure, page.missing);
    confirmed(backend, org, page.import.id).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_before_the_confirmation_and_everything_after_it() {
    let (backend, _, org) = organisation().await;
    let before = backend.statistics().page(&org.coast_secretary.viewer, None).await.expect("a page");
    let page = previewed(&backend, &org, people(1..301).as_bytes()).await;
    assert_eq!(page.import.counts, counts(300, 0, 0, 0));
    assert_eq!(page.missing, []);
    backend.catch_up().await.expect("catches up");
    let still = backend.statistics().page(&org.coast_secretary.viewer, None).await.expect("a page");
    assert_eq!(still.total, before.total);

    let done = confirmed(&backend, &org, page.import.id).await;
    assert_eq!((done.import.state, done.import.counts), (ImportState::Done, counts(300, 0, 0, 0)));
    backend.catch_up().await.expect("catches up");
    let after = backend.statistics().page(&org.coast_secretary.viewer, None).await.expect("a page");
    let members = |page: &domain::statistics::StatisticsPage| page.total.figures.map_or(0, |figures| figures.members);
    assert_eq!(members(&after), members(&before) + 300);
    assert!(matches!(backend.imports().confirm(&org.coast_registrar.viewer, page.import.id, "").await, Err(Error::NotAllowed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_file_again_changes_nothing_and_an_edited_one_only_its_changes() {
    let (backend, _, org) = organisation().await;
    let file = people(1..101);
    assert_eq!(imported(&backend, &org, file.as_bytes()).await.import.counts, counts(100, 0, 0, 0));
    assert_eq!(imported(&backend, &org, file.as_bytes()).await.import.counts, counts(0, 0, 100, 0));

    // One person marries, one moves to the branch of the school, one is new.
    let changed = file.replace("Nguyễn Văn 7,", "Nguyễn Văn Bảy,").replace(
        "60000008,Nguyễn Văn 8,Nam,01/02/1980,03/02/2008,03/02/2009,952000000008,0900000008,51/001/01",
        "60000008,Nguyễn Văn 8,Nam,01/02/1980,03/02/2008,03/02/2009,952000000008,0900000008,02",
    ) + &person(500);
    assert_eq!(imported(&backend, &org, changed.as_bytes()).await.import.counts, counts(1, 2, 98, 0));
    assert_eq!(imported(&backend, &org, changed.as_bytes()).await.import.counts, counts(0, 0, 101, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_imported_into_any_unit_of_the_own_offices() {
    let (backend, _, org) = organisation().await;
    let registrar = &org.coast_registrar.viewer;
    let (harbour, hills) = (org.harbour.id.to_string(), org.hills.id.to_string());
    let blank = backend.imports().blank(registrar, "", "").await.expect("may import");
    assert_eq!(blank.units.selected.expect("the highest unit").unit.id, org.coast.id);
    let page = backend.imports().blank(registrar, &harbour, "truong").await.expect("may import");
    assert_eq!(page.units.selected.expect("is selected").unit.id, org.harbour.id);
    let found: Vec<_> = page.units.found.units.iter().map(|choice| choice.unit.id).collect();
    assert_eq!(found, [org.school.id]);

    let import = upload(&backend, registrar, ImportKind::Members, &harbour, people(1..3).as_bytes()).await;
    let page = backend.imports().page(registrar, import).await.expect("has a page");
    assert_eq!(page.import.unit.expect("a unit").id, org.harbour.id);

    // A unit outside the offices is refused like an unknown one, and not selected.
    let mut refused = Vec::new();
    for unit in [hills.as_str(), "01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
        let form = UploadForm { kind: ImportKind::Members.key(), unit, file_name: "danh-sach.csv" };
        match backend.imports().receive(registrar, form).await {
            Err(Error::Invalid(errors)) => refused.push(errors.problem("unit").cloned()),
            Err(error) => panic!("{unit}: {error:?}"),
            Ok(_) => panic!("{unit} is accepted"),
        }
        let blank = backend.imports().blank(registrar, unit, "").await.expect("may import");
        assert_eq!(blank.units.selected.expect("the highest unit").unit.id, org.coast.id, "{unit}");
    }
    assert_eq!(refused, [Some(Problem::NotOffered), Some(Problem::NotOffered)]);
}

/// With every kind of line ending, the first person is read and rows have the numbers that an editor shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_kind_of_line_ending_loses_a_person() {
    let (backend, _, org) = organisation().await;
    let bad = person(3).replace("01/02/1980", "31/02/1980");
    let file = people(1..3) + &bad + &person(4);
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let table: Vec<(&str, Vec<u8>, u64)> = vec![
        ("LF", file.clone().into(), 4),
        ("CR LF", file.replace('\n', "\r\n").into(), 4),
        ("CR", file.replace('\n', "\r").into(), 4),
        ("mixed", file.replacen('\n', "\r\n", 1).replacen(",51/001/01\n", ",51/001/01\r", 1).into(), 4),
        ("mark and CR LF", format!("\u{feff}{}", file.replace('\n', "\r\n")).into(), 4),
        ("empty lines at the end", format!("{}\r\n\r\n", file.replace('\n', "\r\n")).into(), 4),
        ("no line end at the end", file.trim_end().replace('\n', "\r\n").into(), 4),
        ("a title above", format!("DANH SÁCH\r\n\r\n{}", file.replace('\n', "\r\n")).into(), 6),
        ("UTF-16 with tabs", wide(&format!("\u{feff}{}", file.replace(',', "\t").replace('\n', "\r\n"))), 4),
    ];
    for (name, content, row) in table {
        let page = previewed(&backend, &org, &content).await;
        assert_eq!(page.import.counts, counts(3, 0, 0, 1), "{name}: {:?}", page.refused);
        assert_eq!(page.refused[0].row, row, "{name}");
    }
    // The same for units.
    let units = "Mã,Mã cấp trên,Cấp,Tên đơn vị\r\n11,001,Chi bộ,Chi bộ thôn Mới\r\n12,001,Sai,Chi bộ xóm\r\n";
    for content in [units.to_owned(), units.replace("\r\n", "\r"), units.replace("\r\n", "\n")] {
        let registrar = &org.coast_registrar.viewer;
        let import = upload(&backend, registrar, ImportKind::Units, &org.coast.id.to_string(), content.as_bytes()).await;
        let page = backend.imports().page(registrar, import).await.expect("has a page");
        assert_eq!((page.import.counts, page.refused[0].row), (counts(1, 0, 0, 1), 3), "{content:?}");
    }
}

/// An unclosed quotation mark is reported, and the people after it are read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unclosed_quotation_mark_loses_nobody_else() {
    let (backend, _, org) = organisation().await;
    for end in ["\n", "\r\n"] {
        let file = people(1..9).replace("Nguyễn Văn 3,", "\"Nguyễn Văn 3,").replace('\n', end);
        let page = previewed(&backend, &org, file.as_bytes()).await;
        assert_eq!(page.import.counts, counts(7, 0, 0, 1), "{:?}", page.refused);
        let line = &page.refused[0];
        assert_eq!((line.row, line.column, &line.reason), (4, Some(Column::FullName), &Reason::OpenQuote));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn legacy_encodings_become_unicode() {
    let (backend, _, org) = organisation().await;
    let row = |name: &[u8]| [b"60000001,", name, b",Nam,01/02/1980,03/02/2008,03/02/2009,,,51/001/01\r\n"].concat();
    let header = b"so the,ho ten,phai,ngay sinh,ngay vao dang,ngay chinh thuc,cccd,dien thoai,chi bo\r\n";
    for name in [&b"Ph\xB9m \xA7\xD7nh To\xB6n"[..], b"Pha\xEFm \xD1\xECnh Toa\xFBn", "Phạm Đình Toản".as_bytes()] {
        let content = [&header[..], &row(name)].concat();
        imported(&backend, &org, &content).await;
        let found = backend.members().search(&org.coast_registrar.viewer, "60000001", None, None).await.expect("searches");
        let names: Vec<&str> = found.members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["Phạm Đình Toản"]);
    }
}

/// Every bad input is reported with its row, column and reason; the other rows are imported.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_row_is_a_line_of_the_report() {
    let (backend, _, org) = organisation().await;
    let row = |changes: &[(usize, &str)]| {
        let number = 900 + u32::try_from(changes.iter().map(|(at, _)| at).sum::<usize>()).expect("small");
        let line = person(number);
        let mut cells: Vec<String> = line.trim().split(',').map(str::to_owned).collect();
        for (at, value) in changes {
            (*value).clone_into(&mut cells[*at]);
        }
        cells.join(",") + "\n"
    };
    let value = |problem| Reason::Value(problem);
    let bad: Vec<(String, Column, Reason)> = vec![
        (row(&[(6, "05109000123")]), Column::NationalId, value(Problem::Digits { expected: 12 })),
        (row(&[(3, "01/01/2190")]), Column::BirthDate, value(Problem::DateRange)),
        (row(&[(3, "31/12/1899")]), Column::BirthDate, value(Problem::DateRange)),
        (row(&[(3, "30/02/1980")]), Column::BirthDate, value(Problem::NoSuchDay)),
        (row(&[(8, "51/001/99")]), Column::Branch, Reason::UnknownUnit),
        (row(&[(8, "51/002/01")]), Column::Branch, Reason::UnknownUnit),
        (row(&[(8, "51/001")]), Column::Branch, Reason::NotABranch),
        (row(&[(8, "")]), Column::Branch, value(Problem::Required)),
        (row(&[(2, "=cmd|' /C calc'!A0")]), Column::Sex, value(Problem::NotOffered)),
        (row(&[(1, "")]), Column::FullName, value(Problem::Required)),
        (row(&[(0, "thẻ số 5")]), Column::CardNumber, value(Problem::Characters)),
        (row(&[(0, "60000001")]), Column::CardNumber, Reason::CardTwice { row: 2 }),
        (row(&[(6, "952000000001")]), Column::NationalId, Reason::IdTwice { row: 2 }),
        // The farmer is in the hills, outside the coast; the fisherman's ID belongs to another record.
        (row(&[(0, "51.000017")]), Column::CardNumber, Reason::Elsewhere),
        (row(&[(6, &org.fisherman.national_id)]), Column::NationalId, Reason::IdTaken),
    ];
    let mut file = HEADER.to_owned() + &person(1);
    for (line, ..) in &bad {
        file += line;
    }
    let mut file = file.into_bytes();
    file.extend(b"51000777,Nguy\xEA\xDEn V\xE3n,Nam,01/02/1980,03/02/2008,,,,01\n");
    let page = previewed(&backend, &org, &file).await;
    assert_eq!(page.import.counts, counts(1, 0, 0, bad.len() as u64 + 1), "{:#?}", page.refused);
    let expected =
        bad.iter().map(|(_, column, reason)| (*column, reason.clone())).chain([(Column::FullName, Reason::Undecodable)]);
    for ((at, (column, reason)), line) in expected.enumerate().zip(&page.refused) {
        let RefusedLine { row, column: found, reason: why, value, .. } = line;
        assert_eq!((*row, *found, why), (at as u64 + 3, Some(column), &reason), "{value}");
    }
    assert_eq!(page.refused[0].value, "•••••••••23", "an ID is never shown whole");

    // In the exported file, a formula is escaped as text.
    let formula = page.refused.iter().find(|line| line.column == Some(Column::Sex)).expect("is there");
    assert_eq!(csv_line(&[&formula.value]), "\"'=cmd|' /C calc'!A0\"\r\n");
    let done = confirmed(&backend, &org, page.import.id).await;
    assert_eq!(done.import.counts, page.import.counts);
    let report = backend.imports().report(&org.coast_registrar.viewer, page.import.id).await.expect("is kept");
    assert_eq!(report.count() as u64, done.refused_lines);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_bad_rows_are_counted_and_the_first_are_shown() {
    let (backend, _, org) = organisation().await;
    let file = HEADER.to_owned() + &"x,,,,,,,,\n".repeat(20_000);
    let page = previewed(&backend, &org, file.as_bytes()).await;
    assert_eq!(page.import.counts, counts(0, 0, 0, 20_000));
    assert_eq!(page.refused.len(), 100);
    assert_eq!(page.refused_lines, 5 * 20_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_header_is_reported_and_fixed_by_choosing_columns() {
    let (backend, _, org) = organisation().await;
    let registrar = &org.coast_registrar.viewer;
    let file = people(1..4).replace("Số thẻ", "Mã hồ sơ").replace("Mã chi bộ", "Nơi");
    let page = previewed(&backend, &org, file.as_bytes()).await;
    assert_eq!(page.missing, [Column::CardNumber, Column::Branch]);
    assert!(matches!(backend.imports().confirm(registrar, page.import.id, "").await, Err(Error::NotAllowed)));

    let mut columns: Vec<String> =
        page.headers.iter().map(|(_, column)| column.map(Column::key).unwrap_or_default().to_owned()).collect();
    columns[0] = Column::CardNumber.key().to_owned();
    columns[8] = Column::CardNumber.key().to_owned();
    let twice = backend.imports().remap(registrar, page.import.id, &columns).await;
    assert!(matches!(twice, Err(Error::Invalid(_))), "{twice:?}");
    columns[8] = Column::Branch.key().to_owned();
    backend.imports().remap(registrar, page.import.id, &columns).await.expect("is taken");
    backend.imports().settled(page.import.id).await.expect("is looked at again");
    assert_eq!(confirmed(&backend, &org, page.import.id).await.import.counts, counts(3, 0, 0, 0));

    // The mapping is stored for the next file with the same header.
    let page = previewed(&backend, &org, file.as_bytes()).await;
    assert_eq!((page.missing, page.import.counts), (vec![], counts(0, 0, 3, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn common_encodings_and_separators_are_read() {
    let (backend, _, org) = organisation().await;
    let file = people(1..3);
    let with_mark = format!("\u{feff}{}", people(3..5).replace(',', ";"));
    let tabs = people(5..7).replace(',', "\t");
    // Windows-1258 encodes some marks as a separate byte after the letter.
    let old = b"s\xF4\xCC th\xE8,h\xF2 t\xEAn,ph\xE1i,ng\xE0y sinh,ng\xE0y v\xE0o \xF0a\xD2ng,chi b\xF4\xF2\n51000008,Tr\xE2\xCCn Th\xEC \xC1nh,n\xFE\xDE,1/2/1980,3/2/2008,01\n";
    for (name, content, fresh) in
        [("utf-8", file.as_bytes(), 2), ("mark", with_mark.as_bytes(), 2), ("tabs", tabs.as_bytes(), 2), ("1258", &old[..], 1)]
    {
        let page = previewed(&backend, &org, content).await;
        assert_eq!(page.import.failure, None, "{name}");
        if name == "1258" {
            let headers: Vec<&str> = page.headers.iter().map(|(header, _)| header.as_str()).collect();
            assert!(headers.contains(&"ngày sinh"), "{headers:?}");
        } else {
            assert_eq!(page.import.counts, counts(fresh, 0, 0, 0), "{name} {:?}", page.refused);
        }
    }
}

fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let day = Format::new().set_num_format("dd/mm/yyyy");
    sheet.write_string(0, 0, "DANH SÁCH ĐẢNG VIÊN").expect("writes");
    for (at, header) in HEADER.trim().split(',').enumerate() {
        sheet.write_string(2, u16::try_from(at).expect("few"), header).expect("writes");
    }
    for row in 3..8_u32 {
        sheet.write_string(row, 0, format!("61{row:06}")).expect("writes");
        sheet.write_string(row, 1, "Trần Thị Ánh").expect("writes");
        sheet.write_string(row, 2, "Nữ").expect("writes");
        sheet
            .write_datetime_with_format(
                row,
                3,
                ExcelDateTime::from_ymd(1980, 2, u8::try_from(row).expect("small")).expect("a day"),
                &day,
            )
            .expect("writes");
        sheet.write_string(row, 4, "2008-02-03").expect("writes");
        // Numbers as spreadsheets store them, without leading zeros.
        sheet.write_number(row, 6, 52_080_000_000.0 + f64::from(row)).expect("writes");
        sheet.write_number(row, 7, 912_345_670.0 + f64::from(row)).expect("writes");
        sheet.write_string(row, 8, "01").expect("writes");
    }
    // A text of eleven digits was typed like this.
    sheet.write_string(7, 6, "52080000007").expect("writes");
    book.save_to_buffer().expect("saves")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spreadsheets_are_read_with_dates_and_without_leading_zeros() {
    let (backend, _, org) = organisation().await;
    let page = previewed(&backend, &org, &workbook()).await;
    assert_eq!(page.import.counts, counts(4, 0, 0, 1), "{:?}", page.refused);
    assert_eq!((page.refused[0].row, page.refused[0].column), (8, Some(Column::NationalId)));
    assert_eq!(confirmed(&backend, &org, page.import.id).await.import.counts, counts(4, 0, 0, 1));

    let broken = previewed(&backend, &org, &workbook()[..4_000]).await;
    assert_eq!((broken.import.state, broken.import.failure), (ImportState::Failed, Some(Failure::Unreadable)));
}

/// A workbook with these sheets; each row is split at `|`.
fn sheets(sheets: &[(&str, bool, &[&str])]) -> Vec<u8> {
    let mut book = Workbook::new();
    for (name, is_hidden, rows) in sheets {
        let sheet = book.add_worksheet();
        sheet.set_name(*name).expect("a name");
        // The active sheet is never hidden.
        if *is_hidden {
            sheet.set_hidden(true);
        } else {
            sheet.set_active(true);
        }
        for (at, row) in (0..).zip(*rows) {
            for (column, cell) in (0..).zip(row.split('|')).filter(|(_, cell)| !cell.is_empty()) {
                match cell.strip_prefix('#').map(str::parse::<f64>) {
                    Some(Ok(number)) => sheet.write_number(at, column, number).expect("writes"),
                    _ => sheet.write_string(at, column, cell).expect("writes"),
                };
            }
        }
    }
    book.save_to_buffer().expect("saves")
}

const LIST: &str = "Số thẻ|Họ và tên|Giới tính|Ngày sinh|Ngày vào Đảng|Mã chi bộ";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sheet_with_the_list_is_read_and_the_others_are_named() {
    let (backend, _, org) = organisation().await;
    let person = "62000001|Bùi Trang Thấy|Nữ|12/03/1981|19/05/2005|51/001/01";
    let book = sheets(&[
        ("GIOI_TINH", true, &["Tên trường dữ liệu", "Nam", "Nữ"]),
        ("Hướng dẫn", false, &["Cách ghi", "Mỗi người một dòng", "Họ và tên ghi chữ có dấu"]),
        ("Danh sách", false, &[LIST, person]),
        ("Trống", false, &[]),
    ]);
    let page = previewed(&backend, &org, &book).await;
    assert_eq!(page.import.counts, counts(1, 0, 0, 0), "{:?} {:?}", page.missing, page.refused);
    assert_eq!((page.sheet.as_deref(), &page.unread_sheets[..]), (Some("Danh sách"), &["Hướng dẫn".to_owned()][..]));
}

/// The common layout of lists on paper: two header rows, numbers below them, birth dates by sex, and a total row.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_in_print_layout_are_read() {
    let (backend, _, org) = organisation().await;
    let book = sheets(&[(
        "Danh sách",
        false,
        &[
            "DANH SÁCH ĐẢNG VIÊN",
            "",
            "STT|Số thẻ đảng viên|Họ và tên|Ngày sinh||Ngày vào Đảng|Mã chi bộ",
            "|||Nam|Nữ||",
            "(1)|(2)|(3)|(4)|(5)|(6)|(7)",
            "#1|62000011|Kiều Hai Dòng|12/03/1981||19/05/2005|51/001/01",
            "#2|62000012|Kiều Cột Nữ||12/03/1982|19/05/2005|51/001/01",
            "#3|62000013|Kiều Cả Hai|12/03/1982|12/03/1982|19/05/2005|51/001/01",
            "#4",
            "Tổng cộng: 3 đồng chí",
        ],
    )]);
    let page = imported(&backend, &org, &book).await;
    assert_eq!(page.import.counts, counts(2, 0, 0, 1), "{:?}", page.refused);
    assert_eq!((page.refused[0].row, &page.refused[0].reason), (8, &Reason::BothSexes));
    let rows = page.import.rows.expect("is counted");
    assert_eq!((rows.rows, rows.passed, page.import.unaccounted()), (5, 2, 0));
    assert_eq!(page.remarks.iter().map(|line| line.value.as_str()).collect::<Vec<_>>(), ["Tổng cộng: 3 đồng chí"]);
    let registrar = &org.coast_registrar.viewer;
    for (card, sex, born) in [("62000011", Sex::Male, "1981-03-12"), ("62000012", Sex::Female, "1982-03-12")] {
        let found = backend.members().search(registrar, card, None, None).await.expect("searches");
        let record = backend.members().record(registrar, found.members[0].id).await.expect("is there").record;
        assert_eq!((record.sex, record.birth_date.to_string().as_str()), (sex, born), "{card}");
    }
}

/// A spreadsheet drops the leading zeros of a number: with and without them it is the same person.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leading_zeros_of_a_card_number_make_no_new_member() {
    let (backend, _, org) = organisation().await;
    let list = |card: &str, phone: &str| {
        let row = format!("{card}|Tạ Thẻ Không|Nữ|01/02/1970|19/05/2005|51/001/01|{phone}");
        sheets(&[("Danh sách", false, &[&format!("{LIST}|Điện thoại"), &row])])
    };
    assert_eq!(imported(&backend, &org, &list("00770123", "")).await.import.counts, counts(1, 0, 0, 0));
    assert_eq!(imported(&backend, &org, &list("#770123", "0912000231")).await.import.counts, counts(0, 1, 0, 0));
    let found = backend.members().search(&org.coast_registrar.viewer, "00770123", None, None).await.expect("searches");
    assert_eq!(found.members.len(), 1, "the card keeps its zeros");
    // In the other order: the number came first.
    assert_eq!(imported(&backend, &org, &list("#880123", "")).await.import.counts, counts(1, 0, 0, 0));
    assert_eq!(previewed(&backend, &org, &list("0880123", "0912000232")).await.import.counts, counts(0, 1, 0, 0));
    // In one file they are the same row twice.
    let rows = ["00990123", "#990123"].map(|card| format!("{card}|Tạ Thẻ Không|Nữ|01/02/1971|19/05/2005|51/001/01"));
    let page = previewed(&backend, &org, &sheets(&[("Danh sách", false, &[LIST, &rows[0], &rows[1]])])).await;
    assert_eq!((page.import.counts, &page.refused[0].reason), (counts(1, 0, 0, 1), &Reason::CardTwice { row: 2 }));
}

/// Contradictory dates are listed in the preview with the person; the row is imported as a record to be checked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn impossible_dates_are_shown_before_anything_is_written() {
    let (backend, _, org) = organisation().await;
    let file = HEADER.to_owned()
        + &person(1)
        + &person(2).replace("01/02/1980", "01/02/2009")
        + &person(3).replace("03/02/2009", "03/02/2007")
        + &person(4).replace("03/02/2008,03/02/2009", "03/02/2108,")
        + &person(5);
    let page = previewed(&backend, &org, file.as_bytes()).await;
    assert_eq!(page.import.counts, counts(5, 0, 0, 0), "{:?}", page.refused);
    let told: Vec<_> = page.remarks.iter().map(|line| (line.row, line.name.as_str(), line.column, line.reason.clone())).collect();
    let expected = [
        (3, "Nguyễn Văn 2", Some(Column::AdmittedOn), Reason::TooYoung),
        (4, "Nguyễn Văn 3", Some(Column::OfficialOn), Reason::BeforeAdmission),
        (5, "Nguyễn Văn 4", Some(Column::AdmittedOn), Reason::InFuture),
    ];
    assert_eq!(told, expected);
    assert_eq!((page.remark_lines, page.refused_lines), (3, 0));
    let done = confirmed(&backend, &org, page.import.id).await;
    assert_eq!(done.remarks, page.remarks, "also for the written file");
}

/// The number of rows read equals the number counted, for any file; the person is shown with the row number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_counts_of_an_import_add_up_to_the_rows_of_the_file() {
    let (backend, _, org) = organisation().await;
    imported(&backend, &org, people(1..4).as_bytes()).await;
    let bad = person(9).replace("01/02/1980", "31/02/1980");
    let file = people(1..3) + &person(3).replace("Nguyễn Văn 3", "Nguyễn Văn Ba") + &person(7) + &bad + ",,,,,,,,,ghi chú\n";
    for end in ["\n", "\r\n", "\r"] {
        let page = previewed(&backend, &org, file.replace('\n', end).as_bytes()).await;
        assert_eq!(page.import.counts, counts(1, 1, 2, 1));
        let rows = page.import.rows.expect("is counted");
        assert_eq!((rows.rows, rows.passed, page.import.unaccounted()), (6, 1, 0), "{end:?}");
        assert_eq!((page.refused[0].row, page.refused[0].name.as_str()), (6, "Nguyễn Văn 9"), "{end:?}");
    }
    let done = imported(&backend, &org, file.replace('\n', "\r\n").as_bytes()).await;
    assert_eq!((done.import.rows.map(|rows| rows.rows), done.import.unaccounted()), (Some(6), 0), "also for the written file");
    let listed = backend.imports().list(&org.coast_registrar.viewer).await.expect("has a list");
    assert!(listed.imports.iter().all(|import| import.rows.is_some() && import.unaccounted() == 0));
}

/// Inputs that were read wrongly, or rejected without a helpful message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unusual_files_are_read_or_rejected_with_a_reason() {
    let (backend, _, org) = organisation().await;
    // The `sep=` line with which a spreadsheet declares the separator.
    let page =
        previewed(&backend, &org, format!("sep=;\r\n{}", people(1..3).replace(',', ";").replace('\n', "\r\n")).as_bytes()).await;
    assert_eq!(page.import.counts, counts(2, 0, 0, 0));
    // Header cells that contain line breaks.
    let broken = people(1..3).replacen("Họ và tên,Giới tính", "\"Họ và\r\ntên\",\"Giới\r\ntính\"", 1);
    let page = previewed(&backend, &org, broken.as_bytes()).await;
    assert_eq!(page.import.counts, counts(2, 0, 0, 0), "{:?}", page.missing);
    let single = |from: &str, to: &str| HEADER.to_owned() + &person(1).replace(from, to);
    let value = |problem| Reason::Value(problem);
    for (file, reason) in [
        (single("952000000001", "\"9,52E+11\""), Reason::LostDigits),
        (single("01/02/1980", "02/25/1980"), Reason::MonthFirst),
        (single("01/02/1980", "31/02/1980"), value(Problem::NoSuchDay)),
        (single("01/02/1980", "1980"), Reason::PartOfDate),
        (single("Nguyễn Văn 1", "Nguy?n V?n A"), Reason::LostLetters),
        (single("Nguyễn Văn 1", "Nguyá»…n VÄƒn A"), Reason::ForeignLetters),
        (single("Nguyễn Văn 1", "12345"), value(Problem::NoLetters)),
        (single("Nguyễn Văn 1", "A"), value(Problem::NoLetters)),
    ] {
        let page = previewed(&backend, &org, file.as_bytes()).await;
        assert_eq!(page.refused.first().map(|line| &line.reason), Some(&reason), "{file}");
        assert_eq!(page.import.unaccounted(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unreadable_files_end_with_a_reason() {
    let (backend, _, org) = organisation().await;
    let endless = format!("{HEADER}1,\"{}", "x".repeat(3 << 20));
    for (content, failure) in [
        (&b""[..], Failure::Empty),
        (HEADER.as_bytes(), Failure::Empty),
        (b"\x00\x01\x02\x03".as_slice(), Failure::Unreadable),
        (b"PK\x03\x04 is no spreadsheet".as_slice(), Failure::Unreadable),
        (endless.as_bytes(), Failure::EndlessRow),
    ] {
        let page = previewed(&backend, &org, content).await;
        assert_eq!((page.import.state, page.import.failure), (ImportState::Failed, Some(failure)));
    }
}

/// The same for a spreadsheet, which the reader reports as broken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_stored_file_ends_the_import_with_a_reason() {
    let (backend, _, folder) = on_disk().await;
    let org = Fixture::insert(&backend).await;
    let harms: [fn(&mut Vec<u8>); 3] = [|bytes| bytes[100] ^= 1, |bytes| bytes.truncate(30), Vec::clear];
    for content in [people(1..4).into_bytes(), workbook()] {
        for harm in harms {
            let import = previewed(&backend, &org, &content).await.import.id;
            let file = folder.path().join("imports").join(import.to_string());
            let mut bytes = std::fs::read(&file).expect("is kept");
            harm(&mut bytes);
            std::fs::write(&file, bytes).expect("writes");
            let page = confirmed(&backend, &org, import).await;
            assert_eq!((page.import.state, page.import.failure), (ImportState::Failed, Some(Failure::Damaged)));
            assert_eq!(backend.imports().resume().await.expect("resumes"), 0, "it is not retried");
            assert!(!file.exists());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_import_ends_as_if_nothing_had_happened() {
    let file = people(1..1_201) + &person(1) + "x,,,,,,,,\n";
    let whole = {
        let (backend, _, org) = organisation().await;
        let page = imported(&backend, &org, file.as_bytes()).await;
        (page.import.counts, page.refused, again(&backend, &org, &file).await)
    };
    let (backend, _, org) = organisation().await;
    let registrar = &org.coast_registrar.viewer;
    let page = previewed(&backend, &org, file.as_bytes()).await;
    let import = page.import.id;
    backend.imports().confirm(registrar, import, "").await.expect("is confirmed");
    let interrupted = async {
        let mut stops = 0;
        loop {
            let now = backend.imports().progress(registrar, import).await.expect("has a progress");
            assert_ne!(now.state, ImportState::Failed, "after {stops} interruptions");
            if now.state == ImportState::Done {
                return stops;
            }
            if stops < 2 && now.done >= 200 * (stops + 1) {
                backend.imports().stop().await;
                stops += 1;
            }
            // It skips running imports, and there may be nothing left to do.
            backend.imports().resume().await.expect("resumes");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let stops = tokio::time::timeout(Duration::from_mins(2), interrupted).await;
    let stops = stops.expect("the import is neither done nor failed after two minutes");
    assert!(stops > 0, "it was never interrupted");
    backend.imports().settled(import).await.expect("is written");
    let page = backend.imports().page(registrar, import).await.expect("has a page");
    assert_eq!((page.import.counts, page.refused, again(&backend, &org, &file).await), whole);
    assert_eq!(whole.0, counts(1_200, 0, 0, 2));
}

async fn again(backend: &Backend, org: &Fixture, file: &str) -> Counts {
    imported(backend, org, file.as_bytes()).await.import.counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_outside_the_subtree_sees_or_moves_an_import() {
    let (backend, _, org) = organisation().await;
    let page = previewed(&backend, &org, people(1..3).as_bytes()).await;
    let import = page.import.id;
    let imports = backend.imports();
    for person in
        [&org.farm_secretary, &org.fisherman, &org.secretary, &org.coast_secretary, &org.province_chief_editor, &org.operator]
    {
        let viewer = &person.viewer;
        let name = &person.name;
        assert!(matches!(imports.page(viewer, import).await, Err(Error::NotFound)), "{name}");
        assert!(matches!(imports.progress(viewer, import).await, Err(Error::NotFound)), "{name}");
        assert!(matches!(imports.report(viewer, import).await, Err(Error::NotFound)), "{name}");
        assert!(matches!(imports.confirm(viewer, import, "").await, Err(Error::NotFound)), "{name}");
        assert!(matches!(imports.cancel(viewer, import).await, Err(Error::NotFound)), "{name}");
        assert!(matches!(imports.remap(viewer, import, &[]).await, Err(Error::NotFound)), "{name}");
        let form = UploadForm { kind: "members", unit: &org.coast.id.to_string(), file_name: "x.csv" };
        assert!(matches!(imports.receive(viewer, form).await, Err(Error::NotFound | Error::Invalid(_))), "{name}");
    }
    // The coast's registrar has rights for the coast, not for the province.
    let form = UploadForm { kind: "members", unit: &org.province.id.to_string(), file_name: "x.csv" };
    assert!(matches!(imports.receive(&org.coast_registrar.viewer, form).await, Err(Error::Invalid(_))));
    imports.cancel(&org.coast_registrar.viewer, import).await.expect("gives it up");
    let listed = imports.list(&org.coast_registrar.viewer).await.expect("has a list");
    assert_eq!(listed.imports.iter().map(|import| import.state).collect::<Vec<_>>(), [ImportState::Cancelled]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stored_files_contain_no_plain_id_or_phone_and_expire() {
    let (backend, clock, folder) = on_disk().await;
    let org = Fixture::insert(&backend).await;
    let page = previewed(&backend, &org, people(1..201).as_bytes()).await;
    let imports = folder.path().join("imports");
    let waiting = std::fs::read(imports.join(page.import.id.to_string())).expect("lies there");
    assert!(!waiting.windows(12).any(|bytes| bytes == b"952000000007"));
    imported(&backend, &org, people(1..201).as_bytes()).await;
    for file in walk(folder.path()) {
        let bytes = std::fs::read(&file).expect("reads");
        for secret in [&b"952000000007"[..], b"0900000007"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{}", file.display());
        }
    }
    std::fs::write(imports.join(format!("{}.0123456789abcdef.part", page.import.id)), b"").expect("writes");
    clock.advance(chrono::TimeDelta::days(8));
    assert_eq!(backend.imports().purge().await.expect("purges"), 1);
    assert_eq!(walk(&imports), Vec::<std::path::PathBuf>::new());
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_are_imported_in_any_order_and_again_without_a_change() {
    let (backend, _, org) = organisation().await;
    let registrar = &org.coast_registrar.viewer;
    let file = "Mã,Mã cấp trên,Cấp,Tên đơn vị\n\
                01,001,Chi bộ,Chi bộ thôn Gành Đá\n\
                11,001,Chi bộ,Chi bộ thôn Mới\n\
                12,51/001,Chi bộ,Chi bộ xóm Chài\n\
                01,001,Chi bộ,Hai lần\n\
                13,002,Chi bộ,Ở ngoài\n\
                14,001,Xã,Sai cấp\n\
                15,12,Chi bộ,Dưới chi bộ\n";
    let unit = org.coast.id.to_string();
    let import = upload(&backend, registrar, ImportKind::Units, &unit, file.as_bytes()).await;
    let page = backend.imports().page(registrar, import).await.expect("has a page");
    assert_eq!(page.import.counts, counts(2, 0, 1, 4), "{:#?}", page.refused);
    confirmed(&backend, &org, import).await;
    let tree = backend.units().tree();
    let path = domain::units::UnitPath::parse("/51/001/12/").expect("a path");
    assert_eq!(tree.at(&path).map(|unit| unit.name.as_str()), Some("Chi bộ xóm Chài"));

    let renamed = file.replace("Chi bộ thôn Mới", "Chi bộ thôn Mới Hai");
    let import = upload(&backend, registrar, ImportKind::Units, &unit, renamed.as_bytes()).await;
    let page = confirmed(&backend, &org, import).await;
    assert_eq!(page.import.counts, counts(0, 1, 2, 4));
    let import = upload(&backend, registrar, ImportKind::Units, &unit, renamed.as_bytes()).await;
    assert_eq!(backend.imports().page(registrar, import).await.expect("a page").import.counts, counts(0, 0, 3, 4));
    // And members into the new units.
    let file = people(1..3).replace("51/001/01", "12");
    assert_eq!(imported(&backend, &org, file.as_bytes()).await.import.counts, counts(2, 0, 0, 0));
}

/// A file with one unit, the harbour.
fn harbour_named(name: &str) -> String {
    format!("Mã,Mã cấp trên,Cấp,Tên đơn vị\n01,001,Chi bộ,{name}\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_units_is_checked_again_when_its_day_is_changed() {
    let (backend, _, org) = organisation().await;
    let registrar = &org.coast_registrar.viewer;
    let name = || backend.units().tree().get(org.harbour.id).expect("is open").name.clone();
    rename(&backend, registrar, org.harbour.id, "Chi bộ thôn Gành Đá Đông", "2026-11-20").await.expect("is renamed");
    let (unit, file) = (org.coast.id.to_string(), harbour_named("Chi bộ thôn Gành Đá Tây"));
    let import = upload(&backend, registrar, ImportKind::Units, &unit, file.as_bytes()).await;
    assert_eq!(backend.imports().page(registrar, import).await.expect("has a page").import.counts, counts(0, 1, 0, 0));

    let confirmed = async |as_of: &str| {
        backend.imports().confirm(registrar, import, as_of).await.expect("is checked or written");
        backend.imports().settled(import).await.expect("ends");
        let page = backend.imports().page(registrar, import).await.expect("has a page");
        assert_eq!(page.as_of.to_string(), as_of);
        page
    };
    // The second time for a preview that has nothing to write.
    for _ in 0..2 {
        let page = confirmed("2026-11-19").await;
        assert_eq!((page.import.state, page.import.counts), (ImportState::Previewed, counts(0, 0, 0, 1)));
        let since = NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day");
        let lines: Vec<_> = page.refused.into_iter().map(|line| (line.row, line.column, line.reason)).collect();
        assert_eq!(lines, [(2, Some(Column::Name), Reason::ChangedLater { since })]);
    }
    let page = confirmed("2026-11-20").await;
    assert_eq!((page.import.state, page.import.counts), (ImportState::Previewed, counts(0, 1, 0, 0)));
    assert_eq!(name(), "Chi bộ thôn Gành Đá Đông");
    let page = confirmed("2026-11-20").await;
    assert_eq!((page.import.state, page.import.counts), (ImportState::Done, counts(0, 1, 0, 0)));
    assert_eq!(name(), "Chi bộ thôn Gành Đá Tây");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_of_a_unit_follow_each_other_whatever_the_days_of_its_changes() {
    for seed in 1..=3 {
        let mut rng = StdRng::seed_from_u64(seed);
        let (backend, _, org) = organisation().await;
        let registrar = &org.coast_registrar.viewer;
        let (harbour, coast) = (org.harbour.id.to_string(), org.coast.id.to_string());
        let imports = backend.imports();
        let mut versions = 0;
        for step in 1..=21_u32 {
            let on = format!("2026-11-{:02}", rng.random_range(step.saturating_sub(5).max(1)..=step));
            let name = format!("Chi bộ {step}");
            if rng.random_bool(0.5) {
                // Refused before the first day of the current version.
                rename(&backend, registrar, org.harbour.id, &name, &on).await.ok();
            } else {
                let import = upload(&backend, registrar, ImportKind::Units, &coast, harbour_named(&name).as_bytes()).await;
                let mut page = imports.page(registrar, import).await.expect("has a page");
                while page.import.state == ImportState::Previewed
                    && (page.as_of.to_string() != on || page.import.counts.to_write() > 0)
                {
                    imports.confirm(registrar, import, &on).await.expect("is checked or written");
                    imports.settled(import).await.expect("ends");
                    page = imports.page(registrar, import).await.expect("has a page");
                }
            }
            let page = backend.unit_desk().page(registrar, &harbour, None, BelowQuery::default()).await.expect("a page");
            assert_eq!((page.history[0].until, &page.history[0].name), (None, &page.unit.name), "seed {seed}, step {step}");
            for newer in page.history.windows(2) {
                assert_eq!(newer[1].until, newer[0].from.pred_opt(), "seed {seed}, step {step}: {:?}", page.history);
            }
            versions = page.history.len();
        }
        assert!(versions > 2, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_changes_no_number_or_branch_of_somebody_with_a_role_above() {
    let (backend, _, org) = organisation().await;
    let row = |phone: &str, id: &str, branch: &str| {
        format!("{HEADER}51000013,Nguyễn Đức Thắng,Nữ,03/02/1980,03/02/2008,,{id},{phone},51/001/{branch}\n")
    };
    for (column, file) in [
        (Column::Phone, row("0901112222", "", "02")),
        (Column::NationalId, row("", "952000099999", "02")),
        (Column::Branch, row("", "", "01")),
    ] {
        let page = previewed(&backend, &org, file.as_bytes()).await;
        assert_eq!(page.import.counts, counts(0, 0, 0, 1), "{column:?}");
        assert_eq!((page.refused[0].column, &page.refused[0].reason), (Some(column), &Reason::HeldAbove));
    }
    let page = imported(&backend, &org, row("", "951000000013", "02").as_bytes()).await;
    assert_eq!(page.import.counts, counts(0, 1, 0, 0), "a row that changes no number is imported");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_of_an_account_is_notified_of_numbers_changed_by_an_import() {
    let (backend, _, org) = organisation().await;
    let person = &org.fisherman;
    let row = |id: &str, phone: &str| {
        let file = format!("{HEADER}51000001,{},Nữ,03/02/1980,03/02/2008,,{id},{phone},51/001/01\n", person.name);
        file.into_bytes()
    };
    let told = async || {
        let page = backend.home().page(&person.viewer).await.expect("a page");
        let mut told: Vec<_> = page.account_changes.into_iter().map(|change| (change.notice.key(), change.office)).collect();
        told.sort_unstable();
        told
    };
    let coast = Some(org.coast.name.clone());
    assert_eq!(imported(&backend, &org, &row(&person.national_id, "0912000777")).await.import.counts, counts(0, 1, 0, 0));
    assert_eq!(told().await, [("phone", coast.clone())], "the national ID is the one there was");
    backend.members().own(&person.viewer).await.expect("the own record");
    assert_eq!(imported(&backend, &org, &row("952000099998", "0912000777")).await.import.counts, counts(0, 1, 0, 0));
    assert_eq!(told().await, [("national_id", coast)], "the phone is the one there was");
}

/// Common spellings, one per row: mobile phones are parsed; for the others the member is imported without the phone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_phone_rejects_nobody() {
    let (backend, _, org) = organisation().await;
    let phones = [
        ("+84 912.345.671", true),
        ("84-912-345-672", true),
        ("(84) 912 345 673", true),
        ("0084912345674", true),
        ("+84 (0) 912 345 675", true),
        ("01682345676", true),
        ("0255 3822 677", false),
        ("0912345678/0987654321", false),
        ("912345679", false),
        ("0912 345 680 (vợ)", true),
        ("\u{202a}+84 912 000 051\u{202c}", true),
    ];
    let file = phones.iter().enumerate().fold(HEADER.to_owned(), |mut file, (at, (phone, _))| {
        let _ =
            writeln!(file, "7719000{at:02},Hà Máy {at},Nữ,12/03/1981,19/05/2005,19/05/2006,9530000000{at:02},{phone},51/001/01");
        file
    });
    let page = imported(&backend, &org, file.as_bytes()).await;
    assert_eq!(page.import.counts, counts(11, 0, 0, 0));
    let left_out: Vec<(u64, &Reason)> = page.remarks.iter().map(|line| (line.row, &line.reason)).collect();
    assert_eq!(left_out, [8, 9, 10].map(|row| (row, &Reason::PhoneLeftOut)));
    let registrar = &org.coast_registrar.viewer;
    for (at, (phone, is_read)) in phones.iter().enumerate() {
        let found = backend.members().search(registrar, &format!("7719000{at:02}"), None, None).await.expect("a page").members;
        let record = backend.members().record(registrar, found[0].id).await.expect("a record");
        assert_eq!(record.record.phone.is_some(), *is_read, "{phone}");
        assert_eq!(record.quality_issues.contains(&domain::members::QualityIssue::MissingPhone), !is_read, "{phone}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_numbers_match_in_every_spelling() {
    let (backend, _, org) = organisation().await;
    let rows = [
        ("77150001", "\u{d0}ỗ Văn \u{d0}ăng", ""),
        ("77150002", "Đỗ Văn Đăng", ""),
        ("77160002", "H'Hen Êban", ""),
        ("77160004", "K’Brơi", ""),
        ("77160007", "Thích Nữ Diệu-Liên", ""),
        ("77.050004\u{200b}", "Đỗ Thẻ Ẩn", "099190\u{200b}000052"),
        ("77160009", "Nguye\u{302}\u{303}n Thi\u{323} Ngo\u{323}c Ye\u{302}\u{301}n", ""),
    ];
    let file = rows.iter().fold(HEADER.to_owned(), |mut file, (card, name, id)| {
        let _ = writeln!(file, "{card},{name},Nữ,12/03/1981,19/05/2005,19/05/2006,{id},,51/001/01");
        file
    });
    assert_eq!(imported(&backend, &org, file.as_bytes()).await.import.counts, counts(7, 0, 0, 0));
    let registrar = &org.coast_registrar.viewer;
    let found = async |typed: &str| {
        let page = backend.members().search(registrar, typed, None, None).await.expect("a page");
        page.members.into_iter().map(|member| member.name).collect::<Vec<_>>()
    };
    assert_eq!(found("do van dang").await, ["Đỗ Văn Đăng", "Đỗ Văn Đăng"], "stored as it is read");
    let named = found("\u{f0}ăng").await;
    assert_eq!(named.iter().filter(|name| *name == "Đỗ Văn Đăng").count(), 2, "{named:?}");
    let duplicates = backend.members().quality(registrar, Some(domain::members::QualityIssue::Twin), None).await.expect("a page");
    assert_eq!(duplicates.counts[&domain::members::QualityIssue::Twin], 2);
    for (typed, name) in [
        ("h’hen", "H'Hen Êban"),
        ("K'Brơi", "K’Brơi"),
        ("K'Bro\u{31b}i", "K’Brơi"),
        ("Diệu Liên", "Thích Nữ Diệu-Liên"),
        ("ngoc yen", "Nguyễn Thị Ngọc Yến"),
        ("77050004", "Đỗ Thẻ Ẩn"),
        ("099190000052", "Đỗ Thẻ Ẩn"),
    ] {
        assert_eq!(found(typed).await, [name], "{typed}");
    }
}

/// IDs known elsewhere are rejected with a neutral reason; after a number of them, all new ones are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_does_not_reveal_members_elsewhere() {
    let (backend, _, org) = organisation().await;
    let elsewhere: Vec<String> = (0..25).map(|at| format!("9549{at:08}")).collect();
    for id in &elsewhere {
        crate::activation::register(&backend, id, None, &org.farm).await;
    }
    let row = |at: usize, id: &str| format!("6100{at:04},Nguyễn Văn Lạ,Nam,01/02/1980,03/02/2008,,{id},,51/001/01\n");
    let own = row(0, &org.fisherman.national_id);
    let file = elsewhere.iter().enumerate().fold(format!("{HEADER}{own}"), |file, (at, id)| file + &row(at + 1, id));
    let file = file + &row(90, "954000000090") + &row(91, &org.teacher.national_id);
    let mut events = backend.events().listen();
    let page = previewed(&backend, &org, file.as_bytes()).await;
    assert_eq!(page.import.counts, counts(0, 0, 0, 28));
    let reasons: Vec<&Reason> = page.refused.iter().map(|line| &line.reason).collect();
    assert_eq!((reasons[0], reasons[27]), (&Reason::IdTaken, &Reason::IdTaken), "the reason is given for the own people");
    assert!(reasons[1..27].iter().all(|reason| **reason == Reason::ToBeVerified), "{reasons:?}");
    backend.catch_up().await.expect("reads the log");
    let met = std::iter::from_fn(|| events.try_recv().ok()).find(|event| event.kind() == EventKind::ForeignIdsMet);
    let met = met.expect("is logged");
    assert_eq!(met.actor, Some(org.coast_registrar.id));
    assert_eq!(met.body, EventBody::ForeignIdsMet { source: page.import.id.ulid(), met: 25 });
    // Nor with another column.
    let remap = async |page: &ImportPage| {
        let columns: Vec<String> =
            page.headers.iter().map(|(_, column)| column.map(Column::key).unwrap_or_default().to_owned()).collect();
        backend.imports().remap(&org.coast_registrar.viewer, page.import.id, &columns).await
    };
    let refused = remap(&page).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");

    let few = previewed(&backend, &org, format!("{HEADER}{}{}", row(1, &elsewhere[0]), row(90, "954000000090")).as_bytes()).await;
    assert_eq!(few.import.counts, counts(1, 0, 0, 1), "a few do not reject the others");
    remap(&few).await.expect("a few do not keep the columns as they are");
    backend.imports().settled(few.import.id).await.expect("is looked at again");
}

/// The limit counts the foreign people that the columns name, not the number of checks of the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checking_again_counts_no_more_foreign_ids_but_other_columns_do() {
    let (backend, _, org) = organisation().await;
    let elsewhere: Vec<String> = (0..30).map(|at| format!("9549{at:08}")).collect();
    for id in &elsewhere {
        crate::activation::register(&backend, id, None, &org.farm).await;
    }
    let row =
        |at: usize, id: &str, note: &str| format!("6100{at:04},Nguyễn Văn Lạ,Nam,01/02/1980,03/02/2008,,{id},{note},51/001/01\n");
    let header = HEADER.replace("Điện thoại", "Ghi chú");
    let (ids, notes) = elsewhere.split_at(15);
    let rows: String = ids.iter().zip(notes).enumerate().map(|(at, (id, note))| row(at, id, note)).collect();
    let file = header + &rows + &row(90, "954000000090", "954000000091");
    let page = previewed(&backend, &org, file.as_bytes()).await;
    assert_eq!(page.import.counts, counts(1, 0, 0, 15));

    let (registrar, import) = (&org.coast_registrar.viewer, page.import.id);
    let mut columns: Vec<String> =
        page.headers.iter().map(|(_, column)| column.map(Column::key).unwrap_or_default().to_owned()).collect();
    let looked_at = async |columns: &[String]| {
        backend.imports().remap(registrar, import, columns).await.expect("is looked at again");
        backend.imports().settled(import).await.expect("is looked at");
        backend.imports().page(registrar, import).await.expect("has a page").import.counts
    };
    for _ in 0..2 {
        assert_eq!(looked_at(&columns).await, counts(1, 0, 0, 15), "the same people");
    }
    columns.swap(6, 7);
    assert_eq!(looked_at(&columns).await, counts(0, 0, 0, 16), "with five more, no new ID is accepted");
    let refused = backend.imports().remap(registrar, import, &columns).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}
