//! Files of documents: uploaded in pieces, inspected, checked by the guard, stored by content hash, and served to readers of
//! their document.
//!
//! The bytes are in the file store (`files/storage.rs`), the metadata in the database. The row of a document names its files, in
//! `draft.attachments` and `document.attachments`; that row decides who may read them.
//!
//! Invariant: files are served only by [`Files::open`] and [`Files::open_preview`], which check the policy.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use domain::{
    accounts::Viewer,
    documents::steps::EditorPermissions,
    files::{AttachmentSummary, FileKind, Missing},
    guard::{Warning, WarningKind},
    ids::{AttachmentId, DocumentId},
    units::UnitRef,
};
use tokio::sync::Semaphore;

use crate::{
    Backend, Error, Result, StoreLocation,
    store::{SurrealValue, record, vars},
};

mod desk;
mod extractor;
mod finish;
mod purge;
mod receive;
mod serve;
mod storage;

pub use conversion::extract::{Extracted, Wanted, extract};
pub use extractor::Extractor;
pub use finish::Arrived;
pub(crate) use purge::discard_files;
pub use receive::{NewUpload, UploadWriter};
pub use serve::{OpenFile, OpenPreview};
pub use storage::FileStorage;

/// Files that are inspected concurrently; each is held in memory as a whole.
const AT_ONCE: usize = 2;

/// Storage and extractor of files in this process.
pub(crate) struct FileService {
    /// Beside the store, unless the operator sets another one.
    default_storage: FileStorage,
    chosen: OnceLock<FileStorage>,
    extractor: OnceLock<Extractor>,
    turns: Arc<Semaphore>,
}

impl FileService {
    pub(crate) fn for_store(location: &StoreLocation) -> Result<Self> {
        Ok(Self {
            default_storage: FileStorage::for_store(location)?,
            chosen: OnceLock::new(),
            extractor: OnceLock::new(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    fn storage(&self) -> &FileStorage {
        self.chosen.get().unwrap_or(&self.default_storage)
    }
}

impl Backend {
    /// Sets the file storage. Call once, at startup.
    pub fn keep_files_in(&self, storage: FileStorage) {
        if self.file_service().chosen.set(storage).is_err() {
            tracing::error!("the file storage is already set; ignoring the second call");
        }
    }

    /// Sets the extractor of files. Call once, at startup; without it, files have no text and no preview.
    pub fn read_files_by(&self, extractor: Extractor) {
        if self.file_service().extractor.set(extractor).is_err() {
            tracing::error!("the file extractor is already set; ignoring the second call");
        }
    }
}

/// The use-cases on files.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    backend: &'a Backend,
}

impl<'a> Files<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    fn service(&self) -> &'a FileService {
        self.backend.file_service()
    }

    fn storage(&self) -> &'a FileStorage {
        self.service().storage()
    }
}

/// The files of a published document, in their order. The caller must check that the viewer may read the document.
pub(crate) async fn of_document(backend: &Backend, document: DocumentId) -> Result<Vec<AttachmentSummary>> {
    let named = named_by(backend, document).await?;
    rows(backend, &named).await?.iter().map(AttachmentRow::summary).collect()
}

/// Files by their ids, in their order. The caller must check that the viewer may read the text that names them.
pub(crate) async fn summaries(backend: &Backend, ids: &[String]) -> Result<Vec<AttachmentSummary>> {
    rows(backend, ids).await?.iter().map(AttachmentRow::summary).collect()
}

/// The files of the published text.
async fn named_by(backend: &Backend, document: DocumentId) -> Result<Vec<String>> {
    #[derive(SurrealValue)]
    struct Naming {
        attachments: Option<Vec<String>>,
    }

    let sql = "SELECT attachments FROM ONLY $document";
    let found: Option<Naming> = backend.store().read(sql, vars! { document: record("document", document) }).await?.row(0)?;
    Ok(found.and_then(|naming| naming.attachments).unwrap_or_default())
}

const COLUMNS: &str = "record::id(id) AS id, document, state, name, kind, bytes, sha256, pages, preview, text_missing, \
                       preview_missing, warnings, decided_by, decided_at, reason, added_by, added_at";

/// The stored row of a file.
#[derive(Debug, Clone, SurrealValue)]
struct AttachmentRow {
    id: String,
    document: String,
    state: String,
    name: String,
    kind: String,
    bytes: i64,
    sha256: String,
    pages: Option<i64>,
    preview: Option<String>,
    text_missing: Option<String>,
    preview_missing: Option<String>,
    warnings: Vec<WarningRow>,
    decided_by: Option<String>,
    decided_at: Option<DateTime<Utc>>,
    reason: Option<String>,
    added_by: String,
    added_at: DateTime<Utc>,
}

#[derive(Debug, Clone, SurrealValue)]
struct WarningRow {
    kind: String,
    count: i64,
}

impl From<&Warning> for WarningRow {
    fn from(warning: &Warning) -> Self {
        Self { kind: warning.kind.key().to_owned(), count: warning.count.into() }
    }
}

impl AttachmentRow {
    fn damaged(&self) -> Error {
        Error::Damaged(format!("attachment {}", self.id))
    }

    fn kind(&self) -> Result<FileKind> {
        FileKind::from_key(&self.kind).ok_or_else(|| self.damaged())
    }

    fn document(&self) -> Result<DocumentId> {
        self.document.parse().map_err(|_| self.damaged())
    }

    fn summary(&self) -> Result<AttachmentSummary> {
        Ok(AttachmentSummary {
            id: self.id.parse().map_err(|_| self.damaged())?,
            name: self.name.clone(),
            kind: self.kind()?,
            bytes: u64::try_from(self.bytes).map_err(|_| self.damaged())?,
            pages: self.pages.and_then(|pages| u32::try_from(pages).ok()),
            has_preview: self.preview.is_some(),
        })
    }

    fn warnings(&self) -> Result<Vec<Warning>> {
        self.warnings
            .iter()
            .map(|warning| {
                let kind = WarningKind::from_key(&warning.kind).ok_or_else(|| self.damaged())?;
                Ok(Warning { kind, count: u32::try_from(warning.count).unwrap_or(u32::MAX) })
            })
            .collect()
    }
}

fn missing(key: Option<&str>) -> Option<Missing> {
    key.and_then(Missing::from_key)
}

/// Rows by id, in the order of `ids`. Deleted ones are skipped.
async fn rows(backend: &Backend, ids: &[String]) -> Result<Vec<AttachmentRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let records: Vec<_> = ids.iter().map(|id| record("attachment", id)).collect();
    let sql = format!("SELECT {COLUMNS} FROM $attachments");
    let mut rows: Vec<AttachmentRow> = backend.store().read(sql, vars! { attachments: records }).await?.rows(0)?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
    Ok(rows)
}

async fn row(backend: &Backend, id: AttachmentId) -> Result<AttachmentRow> {
    let sql = format!("SELECT {COLUMNS} FROM ONLY $attachment");
    let found = backend.store().read(sql, vars! { attachment: record("attachment", id) }).await?.row(0)?;
    found.ok_or(Error::NotFound)
}

/// A document at the desk, from its draft and its published text.
#[derive(Debug)]
struct DeskText {
    title: String,
    issuer: UnitRef,
    /// Whether the text can be edited, so that its files may change.
    is_open: bool,
    attachments: Vec<String>,
    /// The person's permissions for it.
    permissions: EditorPermissions,
}

#[derive(Debug, SurrealValue)]
struct WorkRow {
    title: String,
    issuer: String,
    stage: Option<String>,
    attachments: Option<Vec<String>>,
}

/// The document, for editors of its issuer and people who were asked to review it.
///
/// # Errors
/// [`Error::NotFound`] when the viewer may not know of it, [`Error::NotAllowed`] for its readers.
async fn on_desk(backend: &Backend, viewer: &Viewer, document: DocumentId) -> Result<DeskText> {
    let permissions = backend.documents().permissions_of(viewer, document).await?;
    let sql = "SELECT title, issuer, stage, attachments FROM ONLY $draft; SELECT title, issuer, attachments FROM ONLY $document;";
    let vars = vars! { draft: record("draft", document), document: record("document", document) };
    let mut answers = backend.store().read(sql, vars).await?;
    let (draft, out) = (answers.row::<WorkRow>(0)?, answers.row::<WorkRow>(1)?);
    let row = draft.or(out).ok_or(Error::NotFound)?;
    let damaged = || Error::Damaged(format!("document {document}"));
    Ok(DeskText {
        title: row.title,
        issuer: backend.units().tree().successor_as_named(&row.issuer).ok_or_else(damaged)?,
        is_open: row.stage.as_deref() == Some("draft"),
        attachments: row.attachments.unwrap_or_default(),
        permissions,
    })
}

/// Like [`on_desk`], only for people who may write the document.
///
/// # Errors
/// As [`on_desk`]; [`Error::NotAllowed`] for a viewer who was only asked to review it.
async fn writing(backend: &Backend, viewer: &Viewer, document: DocumentId) -> Result<DeskText> {
    let work = on_desk(backend, viewer, document).await?;
    if work.permissions.writes { Ok(work) } else { Err(Error::NotAllowed) }
}
