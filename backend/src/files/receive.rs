//! Resumable uploads. Received bytes are stored, so that a broken connection loses little.
//!
//! Each chunk is stored as pieces in the file store; the row of the upload lists them in order, with the number of bytes
//! received. A piece counts only once the row lists it. So of two clients that send the same bytes one gets the other's offset,
//! and a process that ends in between leaves only an unreferenced object.

use chrono::{DateTime, Utc};
use domain::{
    accounts::Viewer,
    files::{Arrival, FILE_BYTES_MAX, FileName, FileRefused, OPEN_UPLOADS_MAX, OffsetRefused},
    ids::{DocumentId, UploadId},
};

use super::{Arrived, Files, writing};
use crate::{
    Backend, Error, Result,
    change::Change,
    store::{StoreError, SurrealValue, record, vars},
};

/// Size of a piece in bytes; the last one of a chunk may be shorter.
const PIECE: usize = 1 << 20;

/// Maximum number of pieces of an upload: fifty full ones, and many of broken connections.
const PIECES_MAX: usize = 1_000;

/// The name and size that a client declares.
#[derive(Debug, Clone, Copy)]
pub struct NewUpload<'f> {
    pub document: DocumentId,
    pub name: &'f str,
    pub size: u64,
}

/// A stored upload.
#[derive(Debug, Clone, SurrealValue)]
pub(super) struct UploadRow {
    pub(super) id: String,
    pub(super) member: String,
    pub(super) document: String,
    pub(super) name: String,
    pub(super) size: i64,
    pub(super) resumable: bool,
    pub(super) received: i64,
    pub(super) pieces: Vec<String>,
    pub(super) began_at: DateTime<Utc>,
}

pub(super) const COLUMNS: &str = "record::id(id) AS id, member, document, name, size, resumable, received, pieces, began_at";

impl UploadRow {
    pub(super) fn arrival(&self) -> Arrival {
        let bytes = |stored: i64| u64::try_from(stored).unwrap_or_default();
        Arrival { size: bytes(self.size), received: bytes(self.received) }
    }

    pub(super) fn upload(&self) -> Result<UploadId> {
        self.id.parse().map_err(|_| self.damaged())
    }

    pub(super) fn document(&self) -> Result<DocumentId> {
        self.document.parse().map_err(|_| self.damaged())
    }

    fn damaged(&self) -> Error {
        Error::Damaged(format!("upload {}", self.id))
    }
}

impl Files<'_> {
    /// Starts an upload of known size, which is sent in any number of chunks.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::NotAllowed`] when the viewer may not write for the document's issuer, [`Error::File`].
    pub async fn begin(&self, viewer: &Viewer, new: NewUpload<'_>) -> Result<UploadId> {
        match new.size {
            0 => Err(FileRefused::Empty.into()),
            size if size > FILE_BYTES_MAX => Err(FileRefused::TooBig.into()),
            size => Ok(self.announce(viewer, new.document, new.name, size, true).await?.upload()?),
        }
    }

    /// Starts an upload of unknown size in a single request, from a plain form.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub async fn receive(&self, viewer: &Viewer, document: DocumentId, name: &str) -> Result<UploadWriter> {
        let row = self.announce(viewer, document, name, FILE_BYTES_MAX, false).await?;
        Ok(UploadWriter { backend: self.backend.clone(), row, pending: Vec::new() })
    }

    async fn announce(&self, viewer: &Viewer, document: DocumentId, name: &str, size: u64, resumable: bool) -> Result<UploadRow> {
        let work = writing(self.backend, viewer, document).await?;
        if !work.is_open {
            return Err(FileRefused::Closed.into());
        }
        let clock = self.backend.clock();
        let row = UploadRow {
            id: clock.ulid().to_string(),
            member: viewer.member.to_string(),
            document: document.to_string(),
            name: FileName::announced(name),
            size: i64::try_from(size).unwrap_or(i64::MAX),
            resumable,
            received: 0,
            pieces: Vec::new(),
            began_at: clock.now(),
        };
        let vars = vars! {
            upload: record("upload", &row.id),
            member: row.member.clone(),
            document: row.document.clone(),
            name: row.name.clone(),
            size: row.size,
            resumable: resumable,
            now: row.began_at,
        };
        let sql = format!(
            "LET $open = (SELECT VALUE id FROM upload WHERE member = $member); \
             IF array::len($open) >= {OPEN_UPLOADS_MAX} {{ THROW 'many' }}; \
             CREATE $upload SET member = $member, document = $document, name = $name, size = $size, resumable = $resumable, \
             received = 0, pieces = [], began_at = $now RETURN NONE;"
        );
        match self.backend.transact(Change::new(&sql, vars)).await {
            Ok(_) => Ok(row),
            Err(StoreError::Thrown(_)) => Err(FileRefused::TooManyOpen.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns how many bytes of an upload were received.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer has no such upload.
    pub async fn arrival(&self, viewer: &Viewer, upload: UploadId) -> Result<Arrival> {
        Ok(self.own_upload(viewer, upload).await?.arrival())
    }

    /// Resumes an upload at `offset`; `announced` is the number of bytes the client declares to send.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::arrival`], [`Error::Offset`].
    pub async fn resume(&self, viewer: &Viewer, upload: UploadId, offset: u64, announced: Option<u64>) -> Result<UploadWriter> {
        let row = self.own_upload(viewer, upload).await?;
        row.arrival().room(offset, announced)?;
        Ok(UploadWriter { backend: self.backend.clone(), row, pending: Vec::new() })
    }

    /// Cancels an incomplete upload.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::arrival`].
    pub async fn cancel(&self, viewer: &Viewer, upload: UploadId) -> Result<DocumentId> {
        let row = self.own_upload(viewer, upload).await?;
        self.forget(&row).await?;
        row.document()
    }

    pub(super) async fn forget(&self, row: &UploadRow) -> Result<()> {
        let change = Change::new("DELETE $upload RETURN NONE;", vars! { upload: record("upload", &row.id) });
        self.backend.transact(change).await?;
        self.storage().remove_pieces(&row.id).await
    }

    pub(super) async fn own_upload(&self, viewer: &Viewer, upload: UploadId) -> Result<UploadRow> {
        let sql = format!("SELECT {COLUMNS} FROM ONLY $upload");
        let row: Option<UploadRow> = self.backend.store().read(sql, vars! { upload: record("upload", upload) }).await?.row(0)?;
        let row = row.filter(|row| row.member == viewer.member.to_string()).ok_or(Error::NotFound)?;
        // The viewer's office may have ended meanwhile.
        writing(self.backend, viewer, row.document()?).await?;
        Ok(row)
    }
}

/// Writer of one chunk of an upload.
pub struct UploadWriter {
    backend: Backend,
    row: UploadRow,
    pending: Vec<u8>,
}

impl UploadWriter {
    /// Writes the next bytes.
    ///
    /// # Errors
    /// [`Error::Offset`] when they exceed the declared size, or another client has continued the upload; [`Error::File`] when a
    /// plain form sends too much.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let arrival = self.row.arrival();
        let taken = arrival.received + self.pending.len() as u64;
        if taken + bytes.len() as u64 > arrival.size {
            return Err(if self.row.resumable { OffsetRefused::Beyond.into() } else { FileRefused::TooBig.into() });
        }
        self.pending.extend_from_slice(bytes);
        while self.pending.len() >= PIECE {
            let rest = self.pending.split_off(PIECE);
            let piece = std::mem::replace(&mut self.pending, rest);
            self.keep(piece).await?;
        }
        Ok(())
    }

    /// Stores the buffered bytes, at the end of the chunk or where the connection broke.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn pause(&mut self) -> Result<Arrival> {
        let piece = std::mem::take(&mut self.pending);
        if !piece.is_empty() {
            self.keep(piece).await?;
        }
        Ok(self.row.arrival())
    }

    /// Completes an upload from a plain form: the received bytes are the file.
    ///
    /// # Errors
    /// As [`Files::finish`].
    pub async fn complete(mut self, viewer: &Viewer) -> Result<Arrived> {
        self.pause().await?;
        let vars = vars! { upload: record("upload", &self.row.id) };
        self.backend.transact(Change::new("UPDATE $upload SET size = received RETURN NONE;", vars)).await?;
        self.backend.files().finish(viewer, self.row.upload()?).await
    }

    /// Deletes the upload: a plain form cannot be resumed.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Internal`].
    pub async fn drop_all(self) -> Result<()> {
        self.backend.files().forget(&self.row).await
    }

    pub fn document(&self) -> Result<DocumentId> {
        self.row.document()
    }

    async fn keep(&mut self, bytes: Vec<u8>) -> Result<()> {
        if self.row.pieces.len() >= PIECES_MAX {
            return Err(FileRefused::Broken.into());
        }
        let storage = self.backend.files().storage();
        let piece = self.backend.clock().ulid().to_string();
        let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        storage.put_piece(&self.row.id, &piece, bytes).await?;
        let vars = vars! {
            upload: record("upload", &self.row.id),
            piece: piece.clone(),
            before: self.row.received,
            after: self.row.received + length,
        };
        let sql = "LET $found = (SELECT VALUE received FROM ONLY $upload); \
                   IF $found = NONE OR $found != $before { THROW 'elsewhere' }; \
                   UPDATE $upload SET received = $after, pieces += $piece RETURN NONE;";
        match self.backend.transact(Change::new(sql, vars)).await {
            Ok(_) => {
                self.row.received += length;
                self.row.pieces.push(piece);
                Ok(())
            }
            Err(error) => {
                storage.remove_piece(&self.row.id, &piece).await?;
                match error {
                    StoreError::Thrown(_) => Err(self.elsewhere().await),
                    error => Err(error.into()),
                }
            }
        }
    }

    /// The offset that another client of this upload has reached; [`Error::NotFound`] when the upload was cancelled.
    async fn elsewhere(&self) -> Error {
        let sql = "SELECT VALUE received FROM ONLY $upload";
        let read = async {
            let mut found = self.backend.store().read(sql, vars! { upload: record("upload", &self.row.id) }).await?;
            found.row::<i64>(0)
        };
        match read.await {
            Ok(Some(received)) => OffsetRefused::Elsewhere { received: u64::try_from(received).unwrap_or_default() }.into(),
            Ok(None) => Error::NotFound,
            Err(error) => error.into(),
        }
    }
}
