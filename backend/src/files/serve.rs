//! Serves files to readers of a published document and to people at its desk.

use domain::{
    accounts::Viewer,
    files::FileKind,
    ids::{AttachmentId, DocumentId},
};

use super::{AttachmentRow, FileStorage, Files, named_by, row};
use crate::{Error, Result};

/// A file that the viewer may read.
#[derive(Clone)]
pub struct OpenFile {
    pub name: String,
    pub kind: FileKind,
    pub bytes: u64,
    /// SHA-256 of the content, in hex. Content with this hash never changes.
    pub sha256: String,
    storage: FileStorage,
}

impl OpenFile {
    /// Bytes `from..until`, all in memory.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the file is missing in the file store, [`Error::Internal`].
    pub async fn read(&self, from: u64, until: u64) -> Result<Vec<u8>> {
        self.storage.read(&self.sha256, from, until).await
    }
}

/// Preview picture of a file.
pub struct OpenPreview {
    pub media_type: &'static str,
    pub content: Vec<u8>,
    pub sha256: String,
}

impl Files<'_> {
    /// # Errors
    /// [`Error::NotFound`] when there is no such file, or the viewer may not read it.
    pub async fn open(&self, viewer: &Viewer, attachment: AttachmentId) -> Result<OpenFile> {
        let row = self.allowed(viewer, attachment).await?;
        Ok(OpenFile {
            kind: row.kind()?,
            bytes: u64::try_from(row.bytes).map_err(|_| row.damaged())?,
            name: row.name,
            sha256: row.sha256,
            storage: self.storage().clone(),
        })
    }

    /// # Errors
    /// As [`Self::open`]; also when the file has no preview.
    pub async fn open_preview(&self, viewer: &Viewer, attachment: AttachmentId) -> Result<OpenPreview> {
        let row = self.allowed(viewer, attachment).await?;
        let sha256 = row.preview.clone().ok_or(Error::NotFound)?;
        let content = self.storage().read_all(&sha256).await?;
        let media_type = if row.kind()? == FileKind::Jpeg { "image/jpeg" } else { "image/png" };
        Ok(OpenPreview { media_type, content, sha256 })
    }

    async fn allowed(&self, viewer: &Viewer, attachment: AttachmentId) -> Result<AttachmentRow> {
        let row = row(self.backend, attachment).await?;
        let document = row.document()?;
        if self.reaches(viewer, document, &row.id).await? {
            return Ok(row);
        }
        match self.backend.documents().permissions_of(viewer, document).await {
            Ok(_) => Ok(row),
            // A reader of the published text must not learn that the file exists.
            Err(Error::NotAllowed) => Err(Error::NotFound),
            Err(error) => Err(error),
        }
    }

    /// Whether the published text has the file and the viewer may read it.
    async fn reaches(&self, viewer: &Viewer, document: DocumentId, attachment: &str) -> Result<bool> {
        if !named_by(self.backend, document).await?.iter().any(|named| named == attachment) {
            return Ok(false);
        }
        self.backend.documents().is_open_to(viewer, document).await
    }
}
