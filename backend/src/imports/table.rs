//! Small tables for other use-cases, such as the units of a reorganisation: a file is sealed while it is uploaded, read once as
//! texts, and removed.

use std::{io::Write, path::PathBuf};

use domain::imports::{Failure, Reason};
use tokio::task::spawn_blocking;

use super::{
    file::{Cell, Detector, Format, ImportError, check_size, each_row},
    preview::{SHEETS_MAX, in_a_thread},
    read::{NEXT, text_of, written},
    remove,
    sealed::{SealedReader, SealedWriter},
    sheets::visible_sheets,
};
use crate::{Backend, Error, Keys, Result};

/// A cell as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextCell {
    /// As a spreadsheet shows it.
    pub(crate) text: String,
    /// Why it cannot be used as a code or a number.
    pub(crate) problem: Option<Reason>,
    /// Why it cannot be used as a name.
    pub(crate) letters: Option<Reason>,
}

impl TextCell {
    fn of(cell: &Cell<'_>) -> Self {
        let unusable = match cell {
            Cell::Undecodable(_) => Some(Reason::Undecodable),
            Cell::Error => Some(Reason::CellError),
            Cell::Unvalued => Some(Reason::Unvalued),
            Cell::OpenQuote(_) => Some(Reason::OpenQuote),
            _ => None,
        };
        let text = text_of(cell).map_or_else(|_| cell.shown().into_owned(), std::borrow::Cow::into_owned);
        Self {
            problem: unusable.clone().or_else(|| text_of(cell).err()),
            letters: unusable.or_else(|| written(cell).err()),
            text,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.problem.is_none()
    }
}

/// A row with a value, and its number as spreadsheets count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextRow {
    pub(crate) row: u64,
    pub(crate) cells: Vec<TextCell>,
}

/// A table being uploaded. The file is removed when this is dropped.
pub(crate) struct TableUpload {
    path: PathBuf,
    name: String,
    keys: Keys,
    open: Option<(SealedWriter, Detector)>,
    bytes_max: u64,
    is_too_big: bool,
}

impl TableUpload {
    /// # Errors
    /// [`Error::Internal`] when the file cannot be created.
    pub(crate) fn begin(backend: &Backend, bytes_max: u64) -> Result<Self> {
        // A name like that of an import, so that a file left by a killed process is removed with those.
        let name = backend.clock().ulid().to_string();
        let path = backend.workspace().file(&name);
        let writer = SealedWriter::create(&path, &name, backend.keys(), backend.clock())?;
        let open = Some((writer, Detector::default()));
        Ok(Self { path, name, keys: backend.keys().clone(), open, bytes_max, is_too_big: false })
    }

    /// Writes the next bytes. Bytes beyond the size limit are dropped.
    ///
    /// # Errors
    /// [`Error::Internal`] when writing fails.
    pub(crate) async fn write(&mut self, bytes: Vec<u8>) -> Result<()> {
        let Some((mut writer, mut detector)) = self.open.take() else { return Err(unfinished()) };
        self.is_too_big |= writer.length() + bytes.len() as u64 > self.bytes_max;
        let is_wanted = !self.is_too_big;
        let written = spawn_blocking(move || {
            if is_wanted {
                detector.feed(&bytes);
                writer.write_all(&bytes)?;
            }
            Ok::<_, std::io::Error>((writer, detector))
        });
        let written = written.await.map_err(|error| Error::Internal(format!("sealing a file stopped: {error}")))?;
        self.open = Some(written.map_err(|error| Error::Internal(format!("cannot write a file: {error}")))?);
        Ok(())
    }

    /// The rows of each sheet; text files have one. Reading stops after `rows_max` rows of a sheet.
    ///
    /// # Errors
    /// [`Error::Internal`] when the file cannot be sealed or read.
    pub(crate) async fn finish(mut self, rows_max: usize) -> Result<Result<Vec<Vec<TextRow>>, Failure>> {
        let Some((writer, detector)) = self.open.take() else { return Err(unfinished()) };
        let sealed = spawn_blocking(move || writer.finish()).await;
        sealed.map_err(|error| Error::Internal(format!("sealing a file stopped: {error}")))??;
        let format = match detector.finish() {
            _ if self.is_too_big => return Ok(Err(Failure::TooBig)),
            Ok(format) => format,
            Err(failure) => return Ok(Err(failure)),
        };
        let (path, name, keys) = (self.path.clone(), self.name.clone(), self.keys.clone());
        let open = move || SealedReader::open(&path, &name, &keys);
        match in_a_thread(move || tables(&open, format, rows_max)).await {
            Ok(tables) => Ok(Ok(tables)),
            Err(ImportError::File(failure)) => Ok(Err(failure)),
            Err(ImportError::Other(error)) => Err(error),
        }
    }
}

impl Drop for TableUpload {
    fn drop(&mut self) {
        self.open = None;
        remove(&self.path);
    }
}

fn tables(open: &dyn Fn() -> Result<SealedReader>, format: Format, rows_max: usize) -> Result<Vec<Vec<TextRow>>, ImportError> {
    check_size(open()?, format)?;
    let sheets = if format == Format::Xlsx { visible_sheets(open()?)? } else { vec![String::new()] };
    let mut tables = Vec::new();
    for sheet in sheets.into_iter().take(SHEETS_MAX) {
        let mut rows = Vec::new();
        each_row(open, format, &sheet, 0, &mut |row, cells| {
            rows.push(TextRow { row, cells: cells.iter().map(TextCell::of).collect() });
            Ok(if rows.len() < rows_max { NEXT } else { std::ops::ControlFlow::Break(()) })
        })?;
        tables.push(rows);
    }
    Ok(tables)
}

fn unfinished() -> Error {
    Error::Internal("the upload is already finished".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, StoreLocation};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_table_is_read_as_texts_and_its_file_removed() {
        let keys = Keys::from_master(&[7; 32]);
        let backend = Backend::open(&StoreLocation::Memory, keys, Clock::system()).await.expect("opens");
        let mut upload = TableUpload::begin(&backend, 100).expect("begins");
        let path = upload.path.clone();
        for piece in ["Mã cũ;Mã", " mới\n01;", "02\n\n1.2E+10;x"] {
            upload.write(piece.as_bytes().to_vec()).await.expect("writes");
        }
        let tables = upload.finish(10).await.expect("is sealed").expect("is read");
        let rows: Vec<(u64, Vec<&str>)> =
            tables[0].iter().map(|row| (row.row, row.cells.iter().map(|cell| cell.text.as_str()).collect())).collect();
        assert_eq!(rows, [(1, vec!["Mã cũ", "Mã mới"]), (2, vec!["01", "02"]), (4, vec!["1.2E+10", "x"])]);
        assert_eq!(tables[0][2].cells[0].problem, Some(Reason::LostDigits));
        assert!(!path.exists());

        let mut upload = TableUpload::begin(&backend, 10).expect("begins");
        upload.write(b"0123456789,".to_vec()).await.expect("is dropped");
        assert_eq!(upload.finish(10).await.expect("is sealed"), Err(Failure::TooBig));
    }
}
