//! Reads spreadsheets: lists the sheets, and reads the rows of one, cell by cell.

use std::{borrow::Cow, collections::HashSet};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx};
use chrono::NaiveDate;
use domain::imports::{COLUMNS_MAX, Failure, XLSX_ROWS_MAX};

use super::{
    file::{Cell, Epoch, ImportError, Open, RowVisitor, composed, is_year, text_cell},
    sealed::SealedReader,
    workbook::Workbook,
};
use crate::Result;

/// The visible sheets, in their order.
pub(super) fn visible_sheets(reader: SealedReader) -> Result<Vec<String>, ImportError> {
    let book: Xlsx<SealedReader> = Xlsx::new(reader).map_err(|_| Failure::Unreadable)?;
    let is_seen = |sheet: &&calamine::Sheet| sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet;
    Ok(book.sheets_metadata().iter().filter(is_seen).map(|sheet| sheet.name.clone()).collect())
}

/// Visits the rows of one sheet; of the first one when `sheet` is empty.
pub(super) fn each_xlsx_row(open: &Open<'_>, sheet: &str, visit: &mut RowVisitor<'_>) -> Result<(), ImportError> {
    let unreadable = |_| ImportError::File(Failure::Unreadable);
    // Each reader takes ownership of the file.
    let (epoch, unvalued) = match Workbook::open(open()?) {
        Some(mut book) => {
            let epoch = if book.is_1904 { Epoch::Of1904 } else { Epoch::Of1900 };
            (epoch, book.unvalued(sheet).ok_or(Failure::NotCalculated)?)
        }
        None => (Epoch::Of1900, HashSet::new()),
    };
    let mut book: Xlsx<SealedReader> = Xlsx::new(open()?).map_err(unreadable)?;
    // Imports of older versions read the first sheet and did not store its name.
    let first = book.sheet_names().into_iter().next().unwrap_or_default();
    let mut cells = book.worksheet_cells_reader(if sheet.is_empty() { &first } else { sheet }).map_err(unreadable)?;
    let mut current = 0_u64;
    let mut row: Vec<Cell<'_>> = Vec::new();
    while let Some(cell) = cells.next_cell().map_err(unreadable)? {
        let (at, column) = cell.get_position();
        let is_unvalued = unvalued.contains(&(at, column));
        let at = u64::from(at);
        if at > current {
            if visit(current + 1, &row)?.is_break() {
                return Ok(());
            }
            row.clear();
            current = at;
        }
        // Cells must be in order. A file in which they are not is malicious.
        if at < current || at >= XLSX_ROWS_MAX {
            return Err(Failure::Unreadable.into());
        }
        let column = usize::try_from(column).unwrap_or(COLUMNS_MAX);
        if column < COLUMNS_MAX {
            if row.len() <= column {
                row.resize(column + 1, Cell::Empty);
            }
            row[column] = if is_unvalued { Cell::Unvalued } else { xlsx_cell(cell.get_value(), epoch) };
        }
    }
    visit(current + 1, &row).map(|_| ()).map_err(ImportError::from)
}

fn xlsx_cell(value: &DataRef<'_>, epoch: Epoch) -> Cell<'static> {
    let text = |text: &str| match text_cell(composed(text)) {
        Cell::Text(text) if text.contains('\u{fffd}') => Cell::Undecodable(text.into_owned()),
        Cell::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
        _ => Cell::Empty,
    };
    match value {
        #[expect(clippy::cast_precision_loss, reason = "as the spreadsheet itself counts")]
        DataRef::Int(number) => Cell::Number(*number as f64, epoch),
        DataRef::Float(number) => Cell::Number(*number, epoch),
        DataRef::String(string) => text(string),
        DataRef::SharedString(string) => text(string),
        DataRef::Bool(is_so) => Cell::Text(Cow::Borrowed(if *is_so { "true" } else { "false" })),
        // A year typed into a cell formatted as a date.
        DataRef::DateTime(moment) if is_year(moment.as_f64()) => Cell::Number(moment.as_f64(), epoch),
        DataRef::DateTime(moment) => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            let day = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into());
            day.map_or_else(|| Cell::Number(moment.as_f64(), epoch), Cell::Day)
        }
        DataRef::DateTimeIso(moment) => match moment.get(..10).and_then(|day| day.parse().ok()) {
            Some(day) => Cell::Day(day),
            None => text(moment),
        },
        DataRef::DurationIso(duration) => text(duration),
        DataRef::Error(_) => Cell::Error,
        DataRef::Empty => Cell::Empty,
    }
}
