//! Documents: the library a member reads from, the desk an editor writes at, and what both have in common.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    accounts::Viewer,
    audience::Audience,
    documents::{DocumentSummary, steps::PublicationState},
    ids::{DocumentId, MemberId},
    locale::local_date,
    members::Standing,
    policy::Action,
    units::UnitRef,
};

mod approval;
mod bookmarks;
mod choices;
mod convert;
mod corrections;
mod desk;
mod difference;
mod draft;
mod form;
mod import_docx;
mod library;
mod must_read;
mod particulars;
mod personal_lists;
mod progress;
mod read;
mod readers;
mod receipts;
mod related;
mod release;
mod reminders;
mod review;
mod revisions;
mod rules;
mod save;
mod signs;
mod steps;
mod unread;
mod walk;
mod writing;

pub use convert::{ConvertedFile, DOCX_BYTES_MAX, HTML_BYTES_MAX};
pub use difference::difference;
pub use form::{DraftForm, ReachForm};
pub use import_docx::ImportDocxForm;
pub(crate) use particulars::{Particulars, ParticularsRow};
pub(crate) use progress::HAND_OVER;
pub(crate) use related::RelatedRow;
pub(crate) use review::AT_THE_DESK;
pub use review::{RemarkForm, SubmitForm};
pub use steps::PublishForm;
pub use writing::TypedForm;

use particulars::Columns;

use crate::{
    Backend, Error, Result,
    store::{Store, SurrealValue, Value, pair, record, vars},
    units::Tree,
};

/// The use-cases on documents.
#[derive(Clone, Copy)]
pub struct Documents<'a> {
    backend: &'a Backend,
}

impl<'a> Documents<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }
}

/// The columns of [`DocumentRow`].
const COLUMNS: Columns = Columns(
    "record::id(id) AS id, state, version, minutes, saved_at, published_at, shelf, must, pin, corrected_at, corrected_version",
);

/// What was published, as it lies in the store, without its text. What is in work lies in `draft` ([`draft::DraftRow`]).
#[derive(Debug, SurrealValue)]
struct DocumentRow {
    id: String,
    #[surreal(flatten)]
    particulars: ParticularsRow,
    state: String,
    version: i64,
    minutes: i64,
    saved_at: DateTime<Utc>,
    published_at: Option<DateTime<Utc>>,
    shelf: Option<String>,
    must: Option<String>,
    pin: Option<String>,
    corrected_at: Option<DateTime<Utc>>,
    corrected_version: Option<i64>,
}

/// A document whose columns were understood.
#[derive(Debug, Clone)]
struct Document {
    id: DocumentId,
    /// Its issuer has the name it had then.
    particulars: Particulars,
    out: PublicationState,
    version: u32,
    minutes: u32,
    saved_at: DateTime<Utc>,
    published_at: Option<DateTime<Utc>>,
    /// Where it stands in the library, while it does.
    shelf: Option<String>,
    /// While it must be read.
    must_read_by: Option<NaiveDate>,
    pinned: bool,
    /// When a text went out in place of one that members may have read.
    corrected_at: Option<DateTime<Utc>>,
    /// Whether it is counted who has opened that text.
    is_corrected: bool,
}

impl DocumentRow {
    fn decode(self, tree: &Tree) -> Result<Document> {
        let damaged = || Error::Damaged(format!("document {}", self.id));
        let issuer = tree.successor_as_named(&self.particulars.issuer).ok_or_else(damaged)?;
        let particulars = self.particulars.decode(tree, issuer).ok_or_else(damaged)?;
        Ok(Document {
            id: self.id.parse().map_err(|_| damaged())?,
            out: PublicationState::from_key(&self.state).ok_or_else(damaged)?,
            version: u32::try_from(self.version).map_err(|_| damaged())?,
            minutes: u32::try_from(self.minutes).map_err(|_| damaged())?,
            must_read_by: particulars.must_read_by.filter(|_| self.must.is_some()),
            particulars,
            pinned: self.pin.is_some(),
            corrected_at: self.corrected_at,
            is_corrected: self.corrected_version == Some(self.version),
            shelf: self.shelf,
            saved_at: self.saved_at,
            published_at: self.published_at,
        })
    }
}

/// The audience of a text, of its columns. None when one of them says what it cannot.
fn audience(tree: &Tree, unit: &str, parts: Option<&[String]>, standings: Option<&[String]>) -> Option<Audience> {
    let mut parts: Vec<UnitRef> =
        parts.unwrap_or_default().iter().map(|part| tree.successor(part).cloned()).collect::<Option<_>>()?;
    // One unit may have taken over two of them.
    let mut known = BTreeSet::new();
    parts.retain(|part| known.insert(part.id));
    Some(Audience {
        unit: tree.successor(unit)?.clone(),
        parts,
        standings: standings.unwrap_or_default().iter().map(|key| Standing::from_key(key)).collect::<Option<_>>()?,
    })
}

impl Document {
    /// Whether the person may know that the document exists, and read it.
    fn is_readable_for(&self, viewer: &Viewer) -> bool {
        let standpoint = &viewer.standpoint;
        let by_office =
            self.out == PublicationState::Published && self.particulars.audience.is_held_by(standpoint, Action::ReadDocument);
        self.reaches(viewer) || by_office || standpoint.may_by_office(Action::WriteDocument, &self.particulars.issuer.path)
    }

    /// Whether it is out and meant for the person as a member: what the library and the own lists are made of.
    fn reaches(&self, viewer: &Viewer) -> bool {
        self.out == PublicationState::Published && self.is_meant_for(viewer, Action::ReadDocument)
    }

    /// Whether the person is of its audience.
    fn is_meant_for(&self, viewer: &Viewer, action: Action) -> bool {
        self.particulars.audience.includes(&viewer.standpoint, action)
    }

    /// Whether it reaches the person as a member, and still does.
    fn takes_opinions_of(&self, viewer: &Viewer) -> bool {
        self.out == PublicationState::Published && self.is_meant_for(viewer, Action::SendOpinion)
    }

    fn summary(&self, read: bool) -> DocumentSummary {
        DocumentSummary {
            id: self.id,
            kind: self.particulars.kind,
            number: self.particulars.number.clone(),
            title: self.particulars.title.clone(),
            issuer: self.particulars.issuer.clone(),
            published_on: self.published_at.map(local_date),
            minutes: self.minutes,
            read,
            must_read_by: self.must_read_by,
            pinned: self.pinned,
            reminded: None,
            corrected_on: None,
        }
    }
}

impl Documents<'_> {
    /// Documents by their ids, whoever asks: those there are, in no particular order.
    async fn fetched(&self, ids: &[DocumentId]) -> Result<Vec<Document>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let tree = self.backend.units().tree();
        let records: Vec<_> = ids.iter().map(|id| record("document", id)).collect();
        let rows: Vec<DocumentRow> = self.backend.store().read(SUBJECTS.as_str(), vars! { documents: records }).await?.rows(0)?;
        rows.into_iter().map(|row| row.decode(&tree)).collect()
    }
}

/// Does what may take long with a long text beside the tasks of the server, of which each waits for all others on its thread.
async fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::Internal(format!("work on a text stopped: {error}")))
}

impl Documents<'_> {
    /// Whether it is published and the person may read it.
    pub(crate) async fn is_open_to(&self, viewer: &Viewer, id: DocumentId) -> Result<bool> {
        Ok(!self.readable_of(viewer, &[id]).await?.is_empty())
    }

    /// Rows of those of `ids` which are published and which the person may read, in no particular order.
    pub(crate) async fn found(&self, viewer: &Viewer, ids: &[DocumentId]) -> Result<Vec<DocumentSummary>> {
        let documents = self.readable_of(viewer, ids).await?;
        self.summaries(viewer, &documents.iter().collect::<Vec<_>>()).await
    }

    /// Whom those of these documents which are published reach.
    pub(crate) async fn audiences(&self, ids: &[DocumentId]) -> Result<Vec<(DocumentId, Audience)>> {
        let mut documents = self.fetched(ids).await?;
        documents.retain(|document| document.out == PublicationState::Published);
        Ok(documents.into_iter().map(|document| (document.id, document.particulars.audience)).collect())
    }

    async fn readable_of(&self, viewer: &Viewer, ids: &[DocumentId]) -> Result<Vec<Document>> {
        let mut documents = self.fetched(ids).await?;
        documents.retain(|document| document.out == PublicationState::Published && document.is_readable_for(viewer));
        Ok(documents)
    }
}

/// Point gets.
static SUBJECTS: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| format!("SELECT {COLUMNS} FROM $documents"));

/// That a member has read a document; a row of [`OPENED`] tells that they have opened it. The ids of both are made of document and
/// member.
const READ: &str = "document_read";

/// That a member has opened a document. Until reading and opening were told apart this was called a read receipt.
const OPENED: &str = "read_receipt";

/// Point gets.
const READ_MARKS: &str = "SELECT VALUE record::id(id)[0] FROM $receipts";

/// Those of `ids` which the member has read.
pub(crate) async fn read_marks(store: &Store, member: MemberId, ids: &[DocumentId]) -> Result<Vec<DocumentId>> {
    marks(store, READ, member, ids).await
}

/// Those of `ids` for which the member has a row in this table, [`READ`] or [`OPENED`].
async fn marks(store: &Store, table: &'static str, member: MemberId, ids: &[DocumentId]) -> Result<Vec<DocumentId>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let receipts: Vec<_> = ids.iter().map(|id| pair(table, id, member)).collect();
    let read: Vec<String> = store.read(READ_MARKS, vars! { receipts: receipts }).await?.rows(0)?;
    read.into_iter().map(|id| id.parse().map_err(|_| Error::Damaged(format!("a reading of {id}")))).collect()
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod plans {
    use ulid::Ulid;

    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn read_marks_and_named_documents_are_point_gets() {
        let store = migrated().await;
        let receipts = vec![pair(READ, Ulid::nil(), Ulid::nil())];
        store.assert_no_scan(READ_MARKS, vars! { receipts: receipts }).await;
        let documents = vec![record("document", Ulid::nil())];
        store.assert_no_scan(&SUBJECTS, vars! { documents: documents }).await;
    }
}
