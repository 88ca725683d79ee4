//! Uploads: files are sealed piece by piece and their format is detected on the way. A file is never whole in memory nor on disk
//! in plain text.

use std::io::Write;

use chrono::NaiveDate;
use domain::{
    ids::{ImportId, MemberId},
    imports::{CSV_BYTES_MAX, Failure, ImportKind, ImportState, XLSX_BYTES_MAX},
};
use tokio::task::spawn_blocking;

use super::{
    EVERYTHING,
    file::{Detector, Format},
    hold::HELD,
    remove,
    row::NewImport,
    sealed::SealedWriter,
};
use crate::{Backend, Error, Result, change::Change, store::vars};

/// Maximum number of characters stored of a file name.
const NAME_MAX: usize = 120;

/// A file being uploaded. If dropped before [`Self::finish`], it is removed.
pub struct Upload {
    backend: Backend,
    id: ImportId,
    row: NewImport,
    open: Option<(SealedWriter, Detector)>,
    is_too_big: bool,
    is_kept: bool,
}

impl Upload {
    pub(super) fn begin(
        backend: &Backend,
        kind: ImportKind,
        path: &str,
        started_by: Option<MemberId>,
        file_name: &str,
    ) -> Result<Self> {
        let id = ImportId::new(backend.clock().ulid());
        let file = backend.workspace().file(&id.to_string());
        let writer = SealedWriter::create(&file, &id.to_string(), backend.keys(), backend.clock())?;
        // Old browsers send the whole path.
        let name = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
        let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
        let row = NewImport { file_name: name, ..NewImport::new(backend, id, kind, path, started_by) };
        Ok(Self {
            backend: backend.clone(),
            id,
            row,
            open: Some((writer, Detector::default())),
            is_too_big: false,
            is_kept: false,
        })
    }

    /// Dates the file, so that its preview is that of this day: a level of units may have ended since. Without it the file is of
    /// today.
    pub fn set_as_of(&mut self, day: NaiveDate) {
        self.row.as_of = day.to_string();
    }

    /// Writes the next bytes. Bytes beyond the size limit are dropped; [`Self::finish`] then records [`Failure::TooBig`].
    ///
    /// # Errors
    /// [`Error::Internal`] when writing fails.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<()> {
        let Some((mut writer, mut detector)) = self.open.take() else { return Err(unfinished()) };
        self.is_too_big |= writer.length() + bytes.len() as u64 > CSV_BYTES_MAX;
        let is_wanted = !self.is_too_big;
        let written = spawn_blocking(move || {
            if is_wanted {
                detector.feed(&bytes);
                writer.write_all(&bytes)?;
            }
            Ok::<_, std::io::Error>((writer, detector))
        });
        let written = written.await.map_err(|error| Error::Internal(format!("sealing a file stopped: {error}")))?;
        self.open = Some(written.map_err(|error| Error::Internal(format!("cannot write a file of an import: {error}")))?);
        Ok(())
    }

    /// Completes the file, stores the import and starts its preview in the background. An unreadable file is stored as a failed
    /// import without its content.
    ///
    /// # Errors
    /// [`Error::Internal`] when writing fails, [`Error::Store`].
    pub async fn finish(mut self) -> Result<Received> {
        let Some((writer, detector)) = self.open.take() else { return Err(unfinished()) };
        let sealed = spawn_blocking(move || writer.finish());
        let written = sealed.await.map_err(|error| Error::Internal(format!("sealing a file stopped: {error}")))??;
        let judged = match detector.finish() {
            _ if self.is_too_big => Err(Failure::TooBig),
            Ok(format) if written.length > bytes_max(format) => Err(Failure::TooBig),
            judged => judged,
        };
        self.row.file_hash.clone_from(&written.hash);
        self.row.holder = Some(self.backend.workspace().holder());
        self.row.held_until = Some(self.backend.clock().now() + HELD);
        match judged {
            Ok(format) => {
                self.row.format = format.to_string();
                self.is_kept = true;
            }
            Err(failure) => {
                ImportState::Failed.key().clone_into(&mut self.row.state);
                self.row.failure = Some(failure.key().to_owned());
            }
        }
        let row = std::mem::replace(&mut self.row, NewImport::new(&self.backend, self.id, ImportKind::Members, EVERYTHING, None));
        self.backend.transact(Change::new("INSERT INTO import $row RETURN NONE;", vars! { row: row })).await?;
        self.backend.imports().start(self.id);
        Ok(Received { import: self.id, file_hash: written.hash })
    }
}

/// A completed upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub import: ImportId,
    /// SHA-256 of the file.
    pub file_hash: String,
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_kept {
            self.open = None;
            remove(&self.backend.workspace().file(&self.id.to_string()));
        }
    }
}

fn unfinished() -> Error {
    Error::Internal("the upload is already finished".to_owned())
}

/// The size limit of a format, in bytes.
const fn bytes_max(format: Format) -> u64 {
    match format {
        Format::Csv { .. } => CSV_BYTES_MAX,
        Format::Xlsx => XLSX_BYTES_MAX,
    }
}
