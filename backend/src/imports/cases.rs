//! Regression tests on files as offices send them, from their bytes to the values of their rows.

use std::ops::ControlFlow;

use chrono::NaiveDate;
use domain::{
    imports::{Column, Failure, ImportKind, Reason},
    members::Sex,
};

use super::{
    columns::{Header, HeaderSearch, guess},
    file::{Cell, Detector, Format, ImportError, ReadRows, check_size, each_row},
    read::{self, ColumnPositions, NEXT, RowReader},
    sealed::tests::opens,
    sheets::visible_sheets,
};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/fixtures/imports/", $name))
    };
}

/// A file with its header, read as an import reads it.
struct Opened {
    format: Format,
    sheet: String,
    header: Header,
    content: Vec<u8>,
}

fn opened(content: &[u8]) -> Opened {
    let mut detector = Detector::default();
    detector.feed(content);
    let format = detector.finish().expect("is a table");
    let open = opens(content);
    check_size(open().expect("opens"), format).expect("is not too large");
    let sheets = if format == Format::Xlsx { visible_sheets(open().expect("opens")).expect("has sheets") } else { Vec::new() };
    let sheet = sheets.first().cloned().unwrap_or_default();
    let mut search = HeaderSearch::new(ImportKind::Members);
    each_row(&open, format, &sheet, 0, &mut |row, cells| {
        Ok(if search.add_row(row, cells) { NEXT } else { ControlFlow::Break(()) })
    })
    .expect("reads");
    Opened { format, sheet, header: search.found().expect("has a header"), content: content.to_owned() }
}

impl Opened {
    fn each(&self, mut visit: impl FnMut(u64, &mut RowReader<'_>)) -> ReadRows {
        let positions = ColumnPositions::new(&guess(ImportKind::Members, &self.header.words));
        let open = opens(&self.content);
        each_row(&open, self.format, &self.sheet, self.header.row, &mut |row, cells: &[Cell<'_>]| {
            visit(row, &mut RowReader::new(row, cells, &positions));
            Ok(NEXT)
        })
        .expect("reads")
    }

    /// Value of each row in a column.
    fn column<T>(&self, column: Column, read: fn(&Cell<'_>) -> Result<T, Reason>) -> Vec<(u64, Result<T, Reason>)> {
        let mut found = Vec::new();
        self.each(|row, reader| {
            let value = reader.required(column, read);
            found.push((row, value.ok_or_else(|| reader.problems.remove(0).reason)));
        });
        found
    }

    fn names(&self) -> Vec<String> {
        let names = self.column(Column::FullName, read::full_name);
        names
            .into_iter()
            .map(|(row, name)| name.unwrap_or_else(|reason| panic!("{row}: {reason:?}")).as_str().to_owned())
            .collect()
    }
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

#[test]
fn a_bare_year_is_no_birth_date() {
    let file = opened(fixture!("year-only.xlsx"));
    let expected = [Err(Reason::PartOfDate), Err(Reason::PartOfDate), Ok(day(1960, 4, 2)), Err(Reason::PartOfDate)];
    let births: Vec<_> = file.column(Column::BirthDate, read::date).into_iter().map(|(_, birth)| birth).collect();
    assert_eq!(births, expected);
}

#[test]
fn a_hidden_sheet_is_not_read() {
    let file = opened(fixture!("hidden-first-sheet.xlsx"));
    assert_eq!(file.sheet, "Danh sách");
    assert_eq!(file.names(), ["Bùi Trang Hai", "Bùi Trang Thấy"]);
}

#[test]
fn a_workbook_of_1904_counts_from_there() {
    let file = opened(fixture!("date-1904.xlsx"));
    for (column, expected) in [(Column::BirthDate, day(1981, 3, 12)), (Column::AdmittedOn, day(2005, 5, 19))] {
        let days = file.column(column, read::date);
        assert_eq!(days, [(2, Ok(expected)), (3, Ok(expected))]);
    }
}

#[test]
fn letters_of_before_unicode_are_converted() {
    let file = opened(fixture!("tcvn3.xlsx"));
    assert_eq!(file.names(), ["Nguyễn Văn Đức", "Trần Thị Huệ"]);
    assert_eq!(file.column(Column::Sex, read::sex)[1].1, Ok(Sex::Female));
    assert_eq!(file.each(|_, _| {}).converted, 2);
    assert_eq!(opened(fixture!("tcvn3.csv")).names(), ["Phạm Đình Toản"]);
}

#[test]
fn unicode_text_of_a_spreadsheet_is_read() {
    assert_eq!(opened(fixture!("utf16-tabs.txt")).names(), ["Lý Hai Byte"]);
}

#[test]
fn a_card_keeps_the_zeros_in_front_of_it_only_where_it_is_text() {
    let cards = [opened(fixture!("card-as-text.xlsx")), opened(fixture!("card-as-number.xlsx"))].map(|file| {
        assert_eq!(file.names(), ["Tạ Thẻ Không"]);
        file.column(Column::CardNumber, read::card_number).remove(0).1.map(|card| card.as_str().to_owned())
    });
    assert_eq!(cards, [Ok("00770123".to_owned()), Ok("770123".to_owned())]);
}

#[test]
fn a_formula_without_a_value_is_named() {
    let file = opened(fixture!("formulas-without-value.xlsx"));
    assert_eq!(file.column(Column::Phone, read::phone)[0].1.as_ref().err(), Some(&Reason::Unvalued));
    assert_eq!(file.column(Column::FullName, read::full_name)[1].1, Err(Reason::Unvalued));
}

#[test]
fn two_header_rows_are_read_and_the_total_below_is_no_person() {
    let file = opened(fixture!("two-header-rows.xlsx"));
    assert_eq!((file.header.row, file.header.depth), (4, 3));
    let positions = ColumnPositions::new(&guess(ImportKind::Members, &file.header.words));
    let mut rows = Vec::new();
    each_row(&opens(&file.content), file.format, &file.sheet, file.header.row, &mut |row, cells: &[Cell<'_>]| {
        rows.push((row, positions.is_blank(cells), read::passed(row, cells).map(|line| line.value)));
        Ok(NEXT)
    })
    .expect("reads");
    let blank: Vec<_> = rows.iter().filter(|(_, is_blank, _)| *is_blank).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(blank, [&(7, true, Some("Tổng cộng: 2 đồng chí".to_owned()))]);
    assert!(positions.has(Column::Male) && positions.has(Column::Female) && !positions.has(Column::BirthDate));
}

#[test]
fn malformed_spreadsheets_are_refused_with_a_reason() {
    for content in [&b"PK\x03\x04 is no spreadsheet"[..], &fixture!("tcvn3.xlsx")[..3_000]] {
        let open = opens(content);
        let read = each_row(&open, Format::Xlsx, "Danh sách", 0, &mut |_, _| Ok(NEXT));
        assert!(matches!(read, Err(ImportError::File(Failure::Unreadable))));
    }
}
