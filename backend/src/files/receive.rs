//! A file on its way in. What has arrived is kept, so that a line that breaks costs no more than its last moments.
//!
//! Each stretch of bytes becomes pieces of the file store; the row of the upload names them in their order and says how far it is. A
//! piece counts only once the row names it: of two senders of the same bytes one is told to go on elsewhere, and of a process that dies
//! between the two nothing remains but an object nobody asks for.

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

/// Bytes of a piece; the last one, and those of broken lines, are shorter.
const PIECE: usize = 1 << 20;

/// Pieces of one upload: fifty whole ones, and many broken lines.
const PIECES_MAX: usize = 1_000;

/// A file as it is announced.
#[derive(Debug, Clone, Copy)]
pub struct NewUpload<'f> {
    pub document: DocumentId,
    pub name: &'f str,
    pub size: u64,
}

/// An upload as it lies in the store.
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
    /// Announces a file of known size, which may then come in any number of stretches.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::NotAllowed`] for who does not write for the document's issuer, [`Error::File`].
    pub async fn begin(&self, viewer: &Viewer, new: NewUpload<'_>) -> Result<UploadId> {
        match new.size {
            0 => Err(FileRefused::Empty.into()),
            size if size > FILE_BYTES_MAX => Err(FileRefused::TooBig.into()),
            size => Ok(self.announce(viewer, new.document, new.name, size, true).await?.upload()?),
        }
    }

    /// A file that comes in one stretch, whatever its size: from a plain form.
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

    /// How far a file is.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, or it is somebody else's.
    pub async fn arrival(&self, viewer: &Viewer, upload: UploadId) -> Result<Arrival> {
        Ok(self.own_upload(viewer, upload).await?.arrival())
    }

    /// Goes on with a file at `offset`; `announced` is how many bytes the sender says will come.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::arrival`], [`Error::Offset`].
    pub async fn go_on(&self, viewer: &Viewer, upload: UploadId, offset: u64, announced: Option<u64>) -> Result<UploadWriter> {
        let row = self.own_upload(viewer, upload).await?;
        row.arrival().room(offset, announced)?;
        Ok(UploadWriter { backend: self.backend.clone(), row, pending: Vec::new() })
    }

    /// Gives a file up that has not arrived whole.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::arrival`].
    pub async fn give_up(&self, viewer: &Viewer, upload: UploadId) -> Result<DocumentId> {
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
        // An office may have ended meanwhile.
        writing(self.backend, viewer, row.document()?).await?;
        Ok(row)
    }
}

/// A stretch of a file that is arriving.
pub struct UploadWriter {
    backend: Backend,
    row: UploadRow,
    pending: Vec<u8>,
}

impl UploadWriter {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`Error::Offset`] when they are more than was announced, or somebody else has gone on meanwhile; [`Error::File`] when a plain
    /// form sends too much.
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

    /// Keeps what has come, at the end of the stretch and where it broke off.
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

    /// The plain form has come to its end: what is there is the file.
    ///
    /// # Errors
    /// As [`Files::finish`].
    pub async fn complete(mut self, viewer: &Viewer) -> Result<Arrived> {
        self.pause().await?;
        let vars = vars! { upload: record("upload", &self.row.id) };
        self.backend.transact(Change::new("UPDATE $upload SET size = received RETURN NONE;", vars)).await?;
        self.backend.files().finish(viewer, self.row.upload()?).await
    }

    /// Nothing is kept: a plain form cannot go on where it broke off.
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

    /// Where another sender of the same file has come to; nowhere when it was given up.
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
