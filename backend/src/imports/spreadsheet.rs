//! Writes a table as a spreadsheet to fill in.

use rust_xlsxwriter::{Format, Workbook, XlsxError};

use crate::{Error, Result};

/// A workbook with one sheet whose first row is the header. Its columns have the text format, so that typed numbers keep their
/// leading zeros.
///
/// # Errors
/// [`Error::Internal`] when a cell is longer than a spreadsheet allows.
pub fn spreadsheet(rows: &[Vec<String>]) -> Result<Vec<u8>> {
    written(rows).map_err(|error| Error::Internal(format!("cannot write a spreadsheet: {error}")))
}

fn written(rows: &[Vec<String>]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let (head, text) = (Format::new().set_bold().set_num_format("@"), Format::new().set_num_format("@"));
    let columns = u16::try_from(rows.iter().map(Vec::len).max().unwrap_or_default()).unwrap_or(u16::MAX);
    for column in 0..columns {
        sheet.set_column_width(column, 22)?;
        sheet.set_column_format(column, &text)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    for (row, cells) in (0_u32..).zip(rows) {
        for (column, cell) in (0..columns).zip(cells) {
            sheet.write_string_with_format(row, column, cell, if row == 0 { &head } else { &text })?;
        }
    }
    book.save_to_buffer()
}
