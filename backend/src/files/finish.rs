//! Turns a complete upload into an attachment: detects its kind, extracts its text and runs the guard.

use std::sync::Arc;

use conversion::{detect::detect, pictures::redraw};
use domain::{
    accounts::Viewer,
    events::EventBody,
    files::{FILES_MAX, FileKind, FileName, FileRefused, Missing},
    guard::{Warning, scan_file},
    ids::{AttachmentId, DocumentId, UploadId},
};
use tokio::task::spawn_blocking;

use super::{Extracted, Files, Wanted, WarningRow, receive::UploadRow, row, writing};
use crate::{
    Error, Result,
    change::Change,
    store::{StoreError, Variables, record, vars},
};

/// Result of a finished upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    pub document: DocumentId,
    pub attachment: AttachmentId,
    /// Warnings of the guard. With any, an editor must decide before the file is attached.
    pub warnings: Vec<Warning>,
}

/// A file whose kind is detected; pictures are re-encoded.
struct InspectedFile {
    kind: FileKind,
    content: Vec<u8>,
    preview: Option<Vec<u8>>,
}

impl InspectedFile {
    fn at(content: Vec<u8>) -> Result<Self, FileRefused> {
        let kind = detect(&content)?;
        if kind.is_picture() {
            let drawn = redraw(kind, &content)?;
            return Ok(Self { kind, content: drawn.content, preview: Some(drawn.preview) });
        }
        Ok(Self { kind, content, preview: None })
    }
}

/// The values to store.
struct FileRecord {
    kind: FileKind,
    bytes: u64,
    sha256: String,
    text: Extracted,
    preview: Option<String>,
    preview_missing: Option<Missing>,
    pages: Option<u32>,
    warnings: Vec<Warning>,
}

impl Files<'_> {
    /// Turns a complete upload into an attachment. A refused file is deleted. Idempotent: a second call returns the same.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::arrival`], [`Error::Offset`] when bytes are missing, [`Error::File`].
    pub async fn finish(&self, viewer: &Viewer, upload: UploadId) -> Result<Arrived> {
        let found = match self.own_upload(viewer, upload).await {
            Err(Error::NotFound) => return self.finished(viewer, upload).await,
            found => found?,
        };
        let arrival = found.arrival();
        if !arrival.is_whole() {
            return Err(domain::files::OffsetRefused::Elsewhere { received: arrival.received }.into());
        }
        match self.inspect(&found).await {
            Ok(known) => self.keep(viewer, &found, known).await,
            Err(Error::File(refused)) => {
                self.forget(&found).await?;
                Err(refused.into())
            }
            Err(error) => Err(error),
        }
    }

    /// The result of an upload that was already finished.
    async fn finished(&self, viewer: &Viewer, upload: UploadId) -> Result<Arrived> {
        let attachment = AttachmentId::new(upload.ulid());
        let row = row(self.backend, attachment).await?;
        let document = row.document()?;
        writing(self.backend, viewer, document).await?;
        let warnings = if row.state == "waiting" { row.warnings()? } else { Vec::new() };
        Ok(Arrived { document, attachment, warnings })
    }

    async fn inspect(&self, upload: &UploadRow) -> Result<FileRecord> {
        let room = self.service();
        let turn = Arc::clone(&room.turns).acquire_owned().await;
        let turn = turn.map_err(|error| Error::Internal(format!("the semaphore of file inspections is closed: {error}")))?;
        let mut content = Vec::with_capacity(usize::try_from(upload.received).unwrap_or_default());
        for piece in &upload.pieces {
            content.extend(self.storage().piece(&upload.id, piece).await?);
        }
        // The permit moves into the task, which runs to its end even if the request is dropped.
        let looked = spawn_blocking(move || InspectedFile::at(content).map(|looked| (looked, turn)));
        // A panic of the picture reader means a broken picture.
        let (InspectedFile { kind, content, preview }, _turn) = looked.await.unwrap_or(Err(FileRefused::Broken))?;

        let read = async |wanted| match room.extractor.get() {
            Some(extractor) => extractor.read(wanted, kind, content.clone()).await,
            None => Extracted::missing(Missing::Failed),
        };
        let text = if kind.has_text() { read(Wanted::Text).await } else { Extracted::default() };
        let drawn = if kind == FileKind::Pdf { read(Wanted::Preview).await } else { Extracted::default() };
        let preview = preview.or_else(|| drawn.picture());

        let bytes = content.len() as u64;
        let seen = [&text.text, &text.aside].into_iter().flatten().cloned().collect::<Vec<_>>().join("\n\n");
        let name = upload.name.clone();
        let looked = spawn_blocking(move || scan_file(&name, &seen)).await;
        let warnings = looked.map_err(|error| Error::Internal(format!("the guard's scan of a file stopped: {error}")))?;
        let sha256 = self.storage().put(content).await?;
        let preview = match preview {
            Some(picture) => Some(self.storage().put(picture).await?),
            None => None,
        };
        Ok(FileRecord { kind, bytes, sha256, text, preview, preview_missing: drawn.missing, pages: drawn.pages, warnings })
    }

    async fn keep(&self, viewer: &Viewer, upload: &UploadRow, known: FileRecord) -> Result<Arrived> {
        let document = upload.document()?;
        let work = writing(self.backend, viewer, document).await?;
        let attachment = AttachmentId::new(upload.upload()?.ulid());
        let arrived = Arrived { document, attachment, warnings: known.warnings.clone() };
        let waits = !known.warnings.is_empty();
        let vars = vars! {
            upload: record("upload", &upload.id),
            draft: record("draft", document),
            attachment: record("attachment", attachment),
            key: attachment.to_string(),
            body: known.text.text.clone(),
            text: record("attachment_text", attachment),
            document: document.to_string(),
            state: if waits { "waiting" } else { "attached" },
            most: most(),
        };
        let sql = format!("{OPEN} {ROOM} DELETE $upload RETURN NONE; {CREATE}");
        let mut change = Change::new(&sql, vars).bind(columns(self, viewer, upload, known));
        if !waits {
            let attached = EventBody::FileAttached(document);
            change = change.then(APPEND_TO_DRAFT).event(self.backend.clock(), Some(viewer.member), &work.issuer.path, attached);
        }
        match self.backend.transact(change).await {
            Ok(_) => {
                self.storage().remove_pieces(&upload.id).await?;
                Ok(arrived)
            }
            // Finished by a concurrent request.
            Err(StoreError::Exists) => Ok(arrived),
            // The upload is kept: it can be finished when the text is being written again or has room.
            Err(StoreError::Thrown(reason)) => Err(refusal(&reason).into()),
            Err(error) => Err(error.into()),
        }
    }
}

fn columns(files: &Files<'_>, viewer: &Viewer, upload: &UploadRow, known: FileRecord) -> Variables {
    vars! {
        name: FileName::clean(&upload.name, known.kind).as_str().to_owned(),
        kind: known.kind.key(),
        bytes: i64::try_from(known.bytes).unwrap_or(i64::MAX),
        sha256: known.sha256,
        pages: known.pages.map(i64::from),
        preview: known.preview,
        text_missing: known.text.missing.map(|missing| missing.key().to_owned()),
        preview_missing: known.preview_missing.map(|missing| missing.key().to_owned()),
        warnings: known.warnings.iter().map(WarningRow::from).collect::<Vec<_>>(),
        member: viewer.member.to_string(),
        now: files.backend.clock().now(),
    }
}

/// Fails the transaction unless the text is being written and has room for another file.
pub(super) const OPEN: &str = "LET $found = (SELECT stage, attachments FROM ONLY $draft); \
                               IF $found = NONE OR $found.stage != 'draft' { THROW 'closed' }; \
                               IF array::len($found.attachments ?? []) >= $most { THROW 'full' };";

/// Follows [`OPEN`]. Files that wait for a decision count too; otherwise any number could wait.
const ROOM: &str = "LET $undecided = (SELECT VALUE id FROM attachment WHERE document = $document AND state = 'waiting'); \
                    IF array::len($found.attachments ?? []) + array::len($undecided) >= $most { THROW 'full' };";

/// The member who uploads a file becomes an author, who cannot approve the text.
pub(super) const APPEND_TO_DRAFT: &str = "UPDATE $draft SET attachments = array::append(attachments ?? [], $key), \
                                          authors = array::union(authors, [$member]) RETURN NONE;";

const CREATE: &str = "CREATE $attachment SET document = $document, state = $state, name = $name, kind = $kind, bytes = $bytes, \
                      sha256 = $sha256, pages = $pages, preview = $preview, text_missing = $text_missing, \
                      preview_missing = $preview_missing, warnings = $warnings, added_by = $member, added_at = $now RETURN NONE; \
                      IF $body != NONE { CREATE $text SET text = $body RETURN NONE };";

/// The reason thrown by [`OPEN`].
pub(super) fn refusal(reason: &str) -> FileRefused {
    if reason == "full" { FileRefused::TooMany } else { FileRefused::Closed }
}

/// The value of `$most` in [`OPEN`].
pub(super) fn most() -> i64 {
    FILES_MAX.into()
}
