//! Parses cells into values, one row at a time.

use std::{borrow::Cow, ops::ControlFlow};

use chrono::{Datelike, NaiveDate};
use domain::{
    folding::fold,
    forms::{Problem, bounded_line, day},
    imports::{Column, Reason, RefusedLine},
    legacy_letters,
    members::{CardNumber, FullName, NationalId, PhoneNumber, Sex, Standing, can_be_birth_date},
    units::{Phase, UnitKind, is_code},
};

use encoding_rs::WINDOWS_1252;

use super::file::{Cell, is_year};

/// Maximum number of characters of a value in a line of the report.
const SHOWN_MAX: usize = 60;

/// The cell of each column, by the mapping of the file.
#[derive(Debug, Clone)]
pub(super) struct ColumnPositions([Option<usize>; Column::ALL.len()]);

impl ColumnPositions {
    pub(super) fn new(mapping: &[Option<Column>]) -> Self {
        Self(Column::ALL.map(|column| mapping.iter().position(|mapped| *mapped == Some(column))))
    }

    pub(super) fn has(&self, column: Column) -> bool {
        self.0[column as usize].is_some()
    }

    /// Whether all mapped columns are empty.
    pub(super) fn is_blank(&self, cells: &[Cell<'_>]) -> bool {
        self.0.iter().flatten().all(|at| cells.get(*at).is_none_or(Cell::is_empty))
    }
}

/// The line of the report for a row without values in the mapped columns. Rows of numbers only, as in prepared lists, are not
/// reported.
pub(super) fn passed(row: u64, cells: &[Cell<'_>]) -> Option<RefusedLine> {
    let text = cells.iter().map(Cell::shown).find(|text| text.chars().any(char::is_alphabetic))?;
    let value = printable(&text);
    Some(RefusedLine { row, name: String::new(), column: None, value, reason: Reason::NothingToRead })
}

/// Reads one row, column by column, and collects its problems.
pub(super) struct RowReader<'r> {
    row: u64,
    cells: &'r [Cell<'r>],
    positions: &'r ColumnPositions,
    pub(super) problems: Vec<RefusedLine>,
    /// Remarks on a row that is imported.
    pub(super) remarks: Vec<RefusedLine>,
}

impl<'r> RowReader<'r> {
    pub(super) fn new(row: u64, cells: &'r [Cell<'r>], positions: &'r ColumnPositions) -> Self {
        Self { row, cells, positions, problems: Vec::new(), remarks: Vec::new() }
    }

    /// Whether the ends of the cells are certain; reports the row when not.
    pub(super) fn is_whole(&mut self) -> bool {
        let Some(open) = self.cells.iter().position(|cell| matches!(cell, Cell::OpenQuote(_))) else { return true };
        let column = Column::ALL.into_iter().find(|column| self.positions.0[*column as usize] == Some(open));
        let value = column.map_or_else(String::new, |column| shown(column, &self.cells[open]));
        self.problems.push(RefusedLine { row: self.row, name: self.name(), column, value, reason: Reason::OpenQuote });
        false
    }

    /// The value; `None` when the cell is empty or cannot be parsed.
    pub(super) fn optional<T>(&mut self, column: Column, read: impl FnOnce(&Cell<'_>) -> Result<T, Reason>) -> Option<T> {
        let read = match self.cell(column)? {
            Cell::Empty => return None,
            Cell::Undecodable(_) => Err(Reason::Undecodable),
            Cell::Error => Err(Reason::CellError),
            Cell::Unvalued => Err(Reason::Unvalued),
            Cell::OpenQuote(_) => Err(Reason::OpenQuote),
            cell => read(cell),
        };
        match read {
            Ok(value) => Some(value),
            Err(reason) => {
                self.refuse(column, reason);
                None
            }
        }
    }

    /// The same, but an empty cell is a problem.
    pub(super) fn required<T>(&mut self, column: Column, read: impl FnOnce(&Cell<'_>) -> Result<T, Reason>) -> Option<T> {
        let problems = self.problems.len();
        let value = self.optional(column, read);
        if value.is_none() && self.problems.len() == problems {
            self.refuse(column, Reason::Value(Problem::Required));
        }
        value
    }

    pub(super) fn refuse(&mut self, column: Column, reason: Reason) {
        let line = self.line(column, reason);
        self.problems.push(line);
    }

    pub(super) fn remark(&mut self, column: Column, reason: Reason) {
        let line = self.line(column, reason);
        self.remarks.push(line);
    }

    fn line(&self, column: Column, reason: Reason) -> RefusedLine {
        let value = self.cell(column).map(|cell| shown(column, cell)).unwrap_or_default();
        RefusedLine { row: self.row, name: self.name(), column: Some(column), value, reason }
    }

    pub(super) fn cell(&self, column: Column) -> Option<&'r Cell<'r>> {
        self.cells.get(self.positions.0[column as usize]?)
    }

    /// Whether the cell of this column has a value.
    pub(super) fn is_filled(&self, column: Column) -> bool {
        self.cell(column).is_some_and(|cell| !cell.is_empty())
    }

    /// The name in the row, so that readers of the report need not count rows.
    fn name(&self) -> String {
        let cell = [Column::FullName, Column::Name].into_iter().find_map(|column| self.cell(column));
        cell.map(|cell| printable(&cell.shown())).unwrap_or_default()
    }
}

/// A text as shown in a line of the report.
fn printable(text: &str) -> String {
    text.chars().take(SHOWN_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A value as shown in the report.
fn shown(column: Column, cell: &Cell<'_>) -> String {
    let text = printable(&cell.shown());
    match column {
        Column::NationalId => NationalId::mask(&text),
        Column::Phone => PhoneNumber::mask(&text),
        _ => text,
    }
}

/// The text of a cell. Refuses numbers whose digits the spreadsheet has dropped, and strips the marks that spreadsheets put
/// around digits to keep them as text: `="0912…"` and `'0912…`.
pub(super) fn text_of<'c>(cell: &'c Cell<'_>) -> Result<Cow<'c, str>, Reason> {
    match cell {
        Cell::Number(number, _) if number.fract() != 0.0 || number.abs() >= 1e15 => Err(Reason::LostDigits),
        Cell::Text(text) if is_shortened(text) => Err(Reason::LostDigits),
        cell => Ok(bare(cell.shown())),
    }
}

fn bare(text: Cow<'_, str>) -> Cow<'_, str> {
    let quoted = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    // Some programs write a curved apostrophe.
    let marked =
        || text.strip_prefix(['\'', '\u{2018}', '\u{2019}', '`']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    match quoted.or_else(marked) {
        Some(inner) => Cow::Owned(inner.trim().to_owned()),
        None => text,
    }
}

/// `9,919E+10`: the short form of a long number, which spreadsheets also write into CSV files.
fn is_shortened(text: &str) -> bool {
    let Some((digits, power)) = text.split_once(['E', 'e']) else { return false };
    let is_number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit()) && part.contains(['.', ',']);
    let power = power.strip_prefix('+').unwrap_or_default();
    is_number(digits)
        && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','))
        && !power.is_empty()
        && power.bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn card_number(cell: &Cell<'_>) -> Result<CardNumber, Reason> {
    CardNumber::parse(&text_of(cell)?).map_err(Reason::Value)
}

/// A name in Unicode letters.
pub(super) fn full_name(cell: &Cell<'_>) -> Result<FullName, Reason> {
    FullName::entered(&written(cell)?).map_err(Reason::Value)
}

/// A text whose letters are intact: not of another encoding, and not replaced by question marks.
pub(super) fn written<'c>(cell: &'c Cell<'_>) -> Result<Cow<'c, str>, Reason> {
    let text = cell.shown();
    let is_replaced = |word: &str| {
        word.chars().zip(word.chars().skip(1)).any(|(c, next)| c == '?' && next.is_alphabetic())
            || word.chars().zip(word.chars().skip(1)).any(|(c, next)| c.is_alphabetic() && next == '?')
    };
    if text.split_whitespace().any(is_replaced) {
        return Err(Reason::LostLetters);
    }
    if legacy_letters::is_suspicious(&text) || is_doubly_encoded(&text) {
        return Err(Reason::ForeignLetters);
    }
    Ok(text)
}

/// UTF-8 that was read as Windows-1252 and saved again: `Nguyá»…n`.
fn is_doubly_encoded(text: &str) -> bool {
    let (bytes, _, has_other) = WINDOWS_1252.encode(text);
    !has_other && !text.is_ascii() && std::str::from_utf8(&bytes).is_ok()
}

/// A number cell has lost its leading zeros; with ten or eleven digits it can only be an ID of a province whose code begins with
/// zeros. A text is used as typed, without a guess.
pub(super) fn national_id(cell: &Cell<'_>) -> Result<NationalId, Reason> {
    let text = text_of(cell)?;
    let text = match cell {
        Cell::Number(..) if matches!(text.len(), 10 | 11) => format!("{text:0>12}").into(),
        _ => text,
    };
    NationalId::parse(&text).map_err(Reason::Value)
}

/// The leading zero is restored in the same way.
pub(super) fn phone(cell: &Cell<'_>) -> Result<PhoneNumber, Reason> {
    let text = text_of(cell)?;
    let text = match cell {
        Cell::Number(..) if text.len() == 9 => format!("0{text}").into(),
        _ => text,
    };
    PhoneNumber::parse(&text).map_err(Reason::Value)
}

/// A date in the years in which members and units can have been born, admitted or founded.
pub(super) fn date(cell: &Cell<'_>) -> Result<NaiveDate, Reason> {
    let day = match cell {
        Cell::Day(day) => *day,
        // The serial number of a day and the number of a year look the same, and no member of a current list was born in 1905.
        Cell::Number(number, _) if is_year(*number) => return Err(Reason::PartOfDate),
        Cell::Number(number, epoch) => epoch.day(*number).ok_or(Reason::Value(Problem::Date))?,
        // Some programs write a time after the date.
        cell => {
            let text = bare(cell.shown());
            let text = text.strip_suffix(" 00:00:00").or_else(|| text.strip_suffix(" 0:00")).unwrap_or(&text);
            day(text).map_err(|problem| why_no_day(text, problem))?
        }
    };
    if (1800..2200).contains(&day.year()) { Ok(day) } else { Err(Reason::Value(Problem::DateRange)) }
}

fn why_no_day(text: &str, problem: Problem) -> Reason {
    let parts: Vec<&str> = text.split(['/', '-', '.']).collect();
    if is_part_of_date(text) {
        Reason::PartOfDate
    } else if let [month, day_of, year] = parts[..]
        && problem == Problem::NoSuchDay
        && day(&format!("{day_of}/{month}/{year}")).is_ok()
    {
        Reason::MonthFirst
    } else {
        Reason::Value(problem)
    }
}

/// `1960` or `04/1960`: without a day.
fn is_part_of_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['/', '-', '.']).map(str::trim).collect();
    let is_number = |part: &&str, longest: usize| (1..=longest).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    match &parts[..] {
        [year] => year.len() == 4 && is_number(year, 4),
        [month, year] => is_number(month, 2) && year.len() == 4 && is_number(year, 4),
        _ => false,
    }
}

/// A birth date before 1900 or in the future is always a mistake.
pub(super) fn birth_date(cell: &Cell<'_>, today: NaiveDate) -> Result<NaiveDate, Reason> {
    let birth_date = date(cell)?;
    if can_be_birth_date(birth_date, today) { Ok(birth_date) } else { Err(Reason::Value(Problem::DateRange)) }
}

/// Value of a column for one sex: a mark or a birth date. `None` for a mark.
pub(super) fn mark_or_birth_date(cell: &Cell<'_>, today: NaiveDate) -> Result<Option<NaiveDate>, Reason> {
    match fold(&cell.shown()).as_str() {
        "x" | "v" | "1" | "co" | "true" | "nam" | "nu" | "\u{2713}" | "\u{2714}" | "\u{d7}" => Ok(None),
        _ => birth_date(cell, today).map(Some),
    }
}

pub(super) fn sex(cell: &Cell<'_>) -> Result<Sex, Reason> {
    match fold(&cell.shown()).as_str() {
        "nam" | "male" | "m" | "1" => Ok(Sex::Male),
        "nu" | "female" | "f" | "0" => Ok(Sex::Female),
        _ => Err(Reason::Value(Problem::NotOffered)),
    }
}

pub(super) fn standing(cell: &Cell<'_>) -> Result<Standing, Reason> {
    match fold(&cell.shown()).as_str() {
        "chinh thuc" | "dang vien chinh thuc" | "hoi vien chinh thuc" | "ct" | "official" => Ok(Standing::Official),
        "du bi" | "dang vien du bi" | "db" | "probationary" | "moi" | "hoi vien moi" | "new" => Ok(Standing::Probationary),
        "mien"
        | "mien sinh hoat"
        | "mien cong tac"
        | "mien cong tac va sinh hoat"
        | "mien cong tac, sinh hoat"
        | "msh"
        | "exempt" => Ok(Standing::Exempt),
        _ => Err(Reason::Value(Problem::NotOffered)),
    }
}

/// The level of a unit, by any of the names that the terminology pack gives it.
pub(super) fn unit_kind(cell: &Cell<'_>) -> Result<UnitKind, Reason> {
    UnitKind::from_words(&cell.shown()).ok_or(Reason::Value(Problem::NotOffered))
}

pub(super) fn phase(cell: &Cell<'_>) -> Result<Phase, Reason> {
    match fold(&cell.shown()).as_str() {
        "planned" | "ke hoach" | "chua trien khai" => Ok(Phase::Planned),
        "pilot" | "thi diem" => Ok(Phase::Pilot),
        "live" | "chinh thuc" | "da trien khai" => Ok(Phase::Live),
        _ => Err(Reason::Value(Problem::NotOffered)),
    }
}

pub(super) fn unit_name(cell: &Cell<'_>) -> Result<String, Reason> {
    let name = bounded_line(&written(cell)?, 200).map_err(Reason::Value)?;
    if name.chars().any(char::is_alphabetic) { Ok(name) } else { Err(Reason::Value(Problem::NoLetters)) }
}

/// Codes from the root down, or the unit's own code only: one or more, as in the cell.
pub(super) fn codes(cell: &Cell<'_>) -> Result<Vec<String>, Reason> {
    let text = text_of(cell)?;
    let codes: Vec<String> = text.trim_matches('/').split('/').map(|code| code.trim().to_owned()).collect();
    if codes.iter().all(|code| is_code(code)) { Ok(codes) } else { Err(Reason::Value(Problem::Characters)) }
}

/// Whether the code may have lost its leading zeros.
pub(super) fn is_number(cell: Option<&Cell<'_>>) -> bool {
    matches!(cell, Some(Cell::Number(..)))
}

/// Continues with the next row.
pub(super) const NEXT: ControlFlow<()> = ControlFlow::Continue(());

#[cfg(test)]
mod tests {
    use super::{super::file::Epoch, *};
    use crate::units::tests::level;

    fn text(text: &str) -> Cell<'_> {
        Cell::Text(Cow::Borrowed(text))
    }

    fn number(number: f64) -> Cell<'static> {
        Cell::Number(number, Epoch::Of1900)
    }

    #[test]
    fn marks_of_spreadsheets_around_digits_are_stripped() {
        for typed in ["=\"099190000041\"", "'099190000041", "’099190000041", "099190000041"] {
            assert_eq!(national_id(&text(typed)).map(|id| id.expose().to_owned()), Ok("099190000041".to_owned()), "{typed}");
        }
        assert_eq!(card_number(&text("'77.040001")).map(|card| card.as_str().to_owned()), Ok("77040001".to_owned()));
        assert_eq!(date(&text("'12/03/1981")), Ok(NaiveDate::from_ymd_opt(1981, 3, 12).expect("a day")));
        for typed in ["9,919E+10", "9.919E+10"] {
            assert_eq!(national_id(&text(typed)), Err(Reason::LostDigits), "{typed}");
            assert_eq!(card_number(&text(typed)), Err(Reason::LostDigits), "{typed}");
        }
        assert!(card_number(&text("12E+5/7")).is_err_and(|reason| reason != Reason::LostDigits));
    }

    #[test]
    fn a_year_is_not_a_date() {
        for cell in [number(1960.0), number(2005.0), text("1960"), text("04/1960"), text("4-1960"), text(" 12 / 1960 ")] {
            assert_eq!(date(&cell), Err(Reason::PartOfDate), "{cell:?}");
        }
        assert_eq!(date(&number(22_008.0)), Ok(NaiveDate::from_ymd_opt(1960, 4, 2).expect("a day")));
        assert_eq!(date(&Cell::Number(28_195.0, Epoch::Of1904)), Ok(NaiveDate::from_ymd_opt(1981, 3, 12).expect("a day")));
        assert_eq!(date(&text("31/02/1980")), Err(Reason::Value(Problem::NoSuchDay)));
        assert_eq!(date(&text("1980-25-02")), Err(Reason::Value(Problem::NoSuchDay)));
        assert_eq!(date(&text("2/25/1980")), Err(Reason::MonthFirst));
        assert_eq!(date(&number(1_201_980.0)), Err(Reason::Value(Problem::DateRange)), "a day of the year 5190");
        assert_eq!(date(&text("ngày 1")), Err(Reason::Value(Problem::Date)));
    }

    #[test]
    fn names_need_letters_that_are_intact() {
        let name = |typed: &'static str| full_name(&text(typed)).map(|name| name.as_str().to_owned());
        assert_eq!(name("Nguyễn Văn Đức"), Ok("Nguyễn Văn Đức".to_owned()));
        assert_eq!(name("Ní"), Ok("Ní".to_owned()));
        for typed in ["12345", "A", "1A", "..."] {
            assert_eq!(name(typed), Err(Reason::Value(Problem::NoLetters)), "{typed}");
        }
        for typed in ["=cmd|' /C calc'!A0", "<img src=x> 27"] {
            assert_eq!(name(typed), Err(Reason::Value(Problem::NameSigns)), "{typed}");
        }
        for typed in ["Nguy?n V?n ??c", "Tr?n Th? B"] {
            assert_eq!(name(typed), Err(Reason::LostLetters), "{typed}");
        }
        for typed in ["Nguyá»…n VÄƒn An", "Lê V¨n H¬ng"] {
            assert_eq!(name(typed), Err(Reason::ForeignLetters), "{typed}");
        }
        assert_eq!(unit_name(&text("123")), Err(Reason::Value(Problem::NoLetters)));
    }

    #[test]
    fn leading_zeros_are_restored_where_it_is_unambiguous() {
        let id = |cell: &Cell<'_>| national_id(cell).map(|id| id.expose().to_owned());
        let refused = Err(Reason::Value(Problem::Digits { expected: 12 }));
        assert_eq!(id(&number(51_090_001_234.0)), Ok("051090001234".to_owned()));
        assert_eq!(id(&number(1_090_001_234.0)), Ok("001090001234".to_owned()));
        assert_eq!(id(&text("051090001234")), Ok("051090001234".to_owned()));
        assert_eq!(id(&text("51090001234")), refused, "a text of eleven digits is not completed");
        assert_eq!(id(&number(212_345_678.0)), refused, "nine digits are an old number");
        let call = |cell: &Cell<'_>| phone(cell).map(|phone| phone.expose().to_owned());
        assert_eq!(call(&number(912_345_678.0)), Ok("0912345678".to_owned()));
        assert_eq!(call(&number(84_912_345_678.0)), Ok("0912345678".to_owned()));
        assert!(call(&text("912345678")).is_err());
        assert_eq!(card_number(&number(51.000_123)), Err(Reason::LostDigits));
    }

    #[test]
    fn dates_are_read_from_serial_numbers_and_texts() {
        let expected = NaiveDate::from_ymd_opt(1981, 3, 12).expect("a day");
        for cell in [number(29_657.0), Cell::Day(expected), text("12/3/1981"), text("1981-03-12"), text("12/03/1981 00:00:00")] {
            assert_eq!(date(&cell), Ok(expected), "{cell:?}");
        }
        let today = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day");
        assert_eq!(birth_date(&text("1/1/2190"), today), Err(Reason::Value(Problem::DateRange)));
        assert_eq!(birth_date(&text("31/12/1899"), today), Err(Reason::Value(Problem::DateRange)));
    }

    #[test]
    fn the_report_masks_national_ids_and_phones() {
        assert_eq!(shown(Column::NationalId, &text("05109000123")), "•••••••••23");
        assert_eq!(shown(Column::Phone, &text("12345")), "•••••");
        assert_eq!(shown(Column::FullName, &text("=cmd|' /C calc'!A0")), "=cmd|' /C calc'!A0");
    }

    #[test]
    fn words_of_both_languages_are_understood() {
        assert_eq!(sex(&text("Nữ")), Ok(Sex::Female));
        assert_eq!(standing(&text("Miễn công tác và sinh hoạt")), Ok(Standing::Exempt));
        for cell in ["Dự bị", "Mới", "new"] {
            assert_eq!(standing(&text(cell)), Ok(Standing::Probationary), "{cell}");
        }
        assert_eq!(unit_kind(&text("Chi bộ")), Ok(level("branch")));
        assert_eq!(phase(&text("Thí điểm")), Ok(Phase::Pilot));
        assert_eq!(codes(&text("01/51/001/07")).map(|codes| codes.len()), Ok(4));
        assert!(codes(&text("01//07")).is_err());
    }
}
