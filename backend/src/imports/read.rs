//! Cells to values: what of a row can be understood by itself, and what not.

use std::ops::ControlFlow;

use chrono::NaiveDate;
use domain::{
    folding::fold,
    forms::{Problem, bounded_line, day},
    imports::{Column, Reason, RefusedLine},
    members::{CardNumber, FullName, NationalId, PhoneNumber, Sex, Standing, can_be_birth_date},
    units::{Phase, UnitKind, is_code},
};

use super::file::{Cell, serial_day};

/// Characters of a value that a line of the report shows.
const SHOWN_MAX: usize = 60;

/// Of secrets, the last digits only.
const TAIL: usize = 3;

/// Which cell of a row a column is, by the mapping of the file.
#[derive(Debug, Clone)]
pub(super) struct Places([Option<usize>; Column::ALL.len()]);

impl Places {
    pub(super) fn new(mapping: &[Option<Column>]) -> Self {
        Self(Column::ALL.map(|column| mapping.iter().position(|mapped| *mapped == Some(column))))
    }

    pub(super) fn has(&self, column: Column) -> bool {
        self.0[column as usize].is_some()
    }
}

/// Reads one row, column by column, and collects what is wrong.
pub(super) struct RowReader<'r> {
    row: u64,
    cells: &'r [Cell<'r>],
    places: &'r Places,
    pub(super) problems: Vec<RefusedLine>,
}

impl<'r> RowReader<'r> {
    pub(super) fn new(row: u64, cells: &'r [Cell<'r>], places: &'r Places) -> Self {
        Self { row, cells, places, problems: Vec::new() }
    }

    /// Whether it can be told where the cells of the row end; notes it when not.
    pub(super) fn is_whole(&mut self) -> bool {
        let Some(open) = self.cells.iter().position(|cell| matches!(cell, Cell::OpenQuote(_))) else { return true };
        let column = Column::ALL.into_iter().find(|column| self.places.0[*column as usize] == Some(open));
        let value = column.map_or_else(String::new, |column| shown(column, &self.cells[open]));
        self.problems.push(RefusedLine { row: self.row, column, value, reason: Reason::OpenQuote });
        false
    }

    /// The value, or nothing when the cell is empty or cannot be read.
    pub(super) fn optional<T>(&mut self, column: Column, read: impl FnOnce(&Cell<'_>) -> Result<T, Reason>) -> Option<T> {
        let cell = self.cells.get(self.places.0[column as usize]?)?;
        let read = match cell {
            Cell::Empty => return None,
            Cell::Undecodable(_) => Err(Reason::Undecodable),
            Cell::Error => Err(Reason::CellError),
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

    /// The same where an empty cell is wrong.
    pub(super) fn required<T>(&mut self, column: Column, read: impl FnOnce(&Cell<'_>) -> Result<T, Reason>) -> Option<T> {
        let problems = self.problems.len();
        let value = self.optional(column, read);
        if value.is_none() && self.problems.len() == problems {
            self.refuse(column, Reason::Value(Problem::Required));
        }
        value
    }

    pub(super) fn refuse(&mut self, column: Column, reason: Reason) {
        let cell = self.places.0[column as usize].and_then(|at| self.cells.get(at));
        let value = cell.map(|cell| shown(column, cell)).unwrap_or_default();
        self.problems.push(RefusedLine { row: self.row, column: Some(column), value, reason });
    }
}

/// A value as the report shows it.
fn shown(column: Column, cell: &Cell<'_>) -> String {
    let text = cell.shown();
    let length = text.chars().count();
    if column.is_secret() {
        // Of a short one even the last digits would be too much.
        let hidden = length.saturating_sub(if length > 2 * TAIL { TAIL } else { 0 });
        return text.chars().take(SHOWN_MAX).enumerate().map(|(at, c)| if at < hidden { '•' } else { c }).collect();
    }
    text.chars().take(SHOWN_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Refuses numbers of which a spreadsheet keeps less than was typed.
fn text_of<'c>(cell: &'c Cell<'_>) -> Result<std::borrow::Cow<'c, str>, Reason> {
    match cell {
        Cell::Number(number) if number.fract() != 0.0 || number.abs() >= 1e15 => Err(Reason::LostDigits),
        cell => Ok(cell.shown()),
    }
}

pub(super) fn card_number(cell: &Cell<'_>) -> Result<CardNumber, Reason> {
    CardNumber::parse(&text_of(cell)?).map_err(Reason::Value)
}

pub(super) fn full_name(cell: &Cell<'_>) -> Result<FullName, Reason> {
    FullName::parse(&cell.shown()).map_err(Reason::Value)
}

/// A number cell has lost the zeros in front; ten or eleven digits can only be an ID of a province whose code begins with them. A text
/// is what somebody typed, and is not guessed at.
pub(super) fn national_id(cell: &Cell<'_>) -> Result<NationalId, Reason> {
    let text = text_of(cell)?;
    let text = match cell {
        Cell::Number(_) if matches!(text.len(), 10 | 11) => format!("{text:0>12}").into(),
        _ => text,
    };
    NationalId::parse(&text).map_err(Reason::Value)
}

/// The zero in front is restored in the same way.
pub(super) fn phone(cell: &Cell<'_>) -> Result<PhoneNumber, Reason> {
    let text = text_of(cell)?;
    let text = match cell {
        Cell::Number(_) if text.len() == 9 => format!("0{text}").into(),
        _ => text,
    };
    PhoneNumber::parse(&text).map_err(Reason::Value)
}

pub(super) fn date(cell: &Cell<'_>) -> Result<NaiveDate, Reason> {
    match cell {
        Cell::Day(day) => Ok(*day),
        Cell::Number(number) => serial_day(*number).ok_or(Reason::Value(Problem::Date)),
        // Some programs write a time behind the day.
        cell => {
            let text = cell.shown();
            let text = text.strip_suffix(" 00:00:00").or_else(|| text.strip_suffix(" 0:00")).unwrap_or(&text);
            day(text).map_err(Reason::Value)
        }
    }
}

/// A birth before 1900 or in the future cannot be read otherwise than as a slip.
pub(super) fn birth_date(cell: &Cell<'_>, today: NaiveDate) -> Result<NaiveDate, Reason> {
    let birth_date = date(cell)?;
    if can_be_birth_date(birth_date, today) { Ok(birth_date) } else { Err(Reason::Value(Problem::DateRange)) }
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
        "chinh thuc" | "dang vien chinh thuc" | "ct" | "official" => Ok(Standing::Official),
        "du bi" | "dang vien du bi" | "db" | "probationary" => Ok(Standing::Probationary),
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

pub(super) fn unit_kind(cell: &Cell<'_>) -> Result<UnitKind, Reason> {
    match fold(&cell.shown()).as_str() {
        "central" | "trung uong" | "toan quoc" => Ok(UnitKind::Central),
        "province" | "tinh" | "thanh pho" | "tinh, thanh pho" | "tinh uy" | "thanh uy" | "dang uy truc thuoc trung uong" => {
            Ok(UnitKind::Province)
        }
        "commune"
        | "xa"
        | "phuong"
        | "dac khu"
        | "xa, phuong"
        | "xa, phuong, dac khu"
        | "co so"
        | "to chuc co so"
        | "dang bo co so"
        | "dang uy xa"
        | "dang uy phuong" => Ok(UnitKind::Commune),
        "branch" | "chi bo" | "chi hoi" => Ok(UnitKind::Branch),
        _ => Err(Reason::Value(Problem::NotOffered)),
    }
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
    bounded_line(&cell.shown(), 200).map_err(Reason::Value)
}

/// Codes from the top down, or the unit's own: one or more, as they stand in the cell.
pub(super) fn codes(cell: &Cell<'_>) -> Result<Vec<String>, Reason> {
    let text = text_of(cell)?;
    let codes: Vec<String> = text.trim_matches('/').split('/').map(|code| code.trim().to_owned()).collect();
    if codes.iter().all(|code| is_code(code)) { Ok(codes) } else { Err(Reason::Value(Problem::Characters)) }
}

/// Goes on to the next row.
pub(super) const NEXT: ControlFlow<()> = ControlFlow::Continue(());

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn text(text: &str) -> Cell<'_> {
        Cell::Text(Cow::Borrowed(text))
    }

    #[test]
    fn zeros_a_spreadsheet_dropped_come_back_where_there_is_no_doubt() {
        let id = |cell: &Cell<'_>| national_id(cell).map(|id| id.expose().to_owned());
        let refused = Err(Reason::Value(Problem::Digits { expected: 12 }));
        assert_eq!(id(&Cell::Number(51_090_001_234.0)), Ok("051090001234".to_owned()));
        assert_eq!(id(&Cell::Number(1_090_001_234.0)), Ok("001090001234".to_owned()));
        assert_eq!(id(&text("051090001234")), Ok("051090001234".to_owned()));
        assert_eq!(id(&text("51090001234")), refused, "a text of eleven digits is a slip");
        assert_eq!(id(&Cell::Number(212_345_678.0)), refused, "nine digits are an old number");
        let call = |cell: &Cell<'_>| phone(cell).map(|phone| phone.expose().to_owned());
        assert_eq!(call(&Cell::Number(912_345_678.0)), Ok("0912345678".to_owned()));
        assert_eq!(call(&Cell::Number(84_912_345_678.0)), Ok("0912345678".to_owned()));
        assert!(call(&text("912345678")).is_err());
        assert_eq!(card_number(&Cell::Number(51.000_123)), Err(Reason::LostDigits));
    }

    #[test]
    fn dates_are_read_from_serial_numbers_and_texts() {
        let expected = NaiveDate::from_ymd_opt(1981, 3, 12).expect("a day");
        for cell in
            [Cell::Number(29_657.0), Cell::Day(expected), text("12/3/1981"), text("1981-03-12"), text("12/03/1981 00:00:00")]
        {
            assert_eq!(date(&cell), Ok(expected), "{cell:?}");
        }
        let today = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day");
        assert_eq!(birth_date(&text("1/1/2190"), today), Err(Reason::Value(Problem::DateRange)));
        assert_eq!(birth_date(&text("31/12/1899"), today), Err(Reason::Value(Problem::DateRange)));
    }

    #[test]
    fn of_secrets_the_report_shows_the_last_digits_only() {
        assert_eq!(shown(Column::NationalId, &text("05109000123")), "••••••••123");
        assert_eq!(shown(Column::Phone, &text("12345")), "•••••");
        assert_eq!(shown(Column::FullName, &text("=cmd|' /C calc'!A0")), "=cmd|' /C calc'!A0");
    }

    #[test]
    fn words_of_both_languages_are_understood() {
        assert_eq!(sex(&text("Nữ")), Ok(Sex::Female));
        assert_eq!(standing(&text("Miễn công tác và sinh hoạt")), Ok(Standing::Exempt));
        assert_eq!(unit_kind(&text("Chi bộ")), Ok(UnitKind::Branch));
        assert_eq!(phase(&text("Thí điểm")), Ok(Phase::Pilot));
        assert_eq!(codes(&text("01/51/001/07")).map(|codes| codes.len()), Ok(4));
        assert!(codes(&text("01//07")).is_err());
    }
}
