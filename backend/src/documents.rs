//! Documents: the library for members, the desk for editors, and what both share.

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
use tokio::try_join;

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

pub use convert::{DOCX_BYTES_MAX, HTML_BYTES_MAX};
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

/// The stored row of a published document, without its text. Drafts are stored in `draft` ([`draft::DraftRow`]).
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

/// A decoded row of a document.
#[derive(Debug, Clone)]
struct Document {
    id: DocumentId,
    /// The issuer has the name of the time of publication.
    particulars: Particulars,
    out: PublicationState,
    version: u32,
    minutes: u32,
    saved_at: DateTime<Utc>,
    published_at: Option<DateTime<Utc>>,
    /// Its published key, while it is in the library.
    shelf: Option<String>,
    /// The day by which it must be read, while it is a must-read.
    must_read_by: Option<NaiveDate>,
    pinned: bool,
    /// When a correction replaced the published text.
    corrected_at: Option<DateTime<Utc>>,
    /// Whether openings of the corrected text are counted.
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

/// Decodes an audience from its columns. None when a column is invalid.
pub(crate) fn audience(
    tree: &Tree,
    unit: &str,
    parts: Option<&[String]>,
    except: Option<&[String]>,
    standings: Option<&[String]>,
) -> Option<Audience> {
    let mut parts: Vec<UnitRef> =
        parts.unwrap_or_default().iter().map(|part| tree.successor(part).cloned()).collect::<Option<_>>()?;
    // Two parts may have the same successor.
    let mut known = BTreeSet::new();
    parts.retain(|part| known.insert(part.id));
    let (mut remaining, mut ended) = (Vec::new(), 0);
    for excepted in except.unwrap_or_default() {
        let unit = tree.successor(excepted)?;
        if unit.id.to_string() == *excepted {
            remaining.push(unit.clone());
        } else {
            ended += 1;
        }
    }
    Some(Audience {
        unit: tree.successor(unit)?.clone(),
        parts,
        except: remaining,
        standings: standings.unwrap_or_default().iter().map(|key| Standing::from_key(key)).collect::<Option<_>>()?,
        ended,
    })
}

impl Document {
    /// Whether the person may read the document and know that it exists.
    fn is_readable_for(&self, viewer: &Viewer) -> bool {
        let standpoint = &viewer.standpoint;
        let by_office =
            self.out == PublicationState::Published && self.particulars.audience.is_held_by(standpoint, Action::ReadDocument);
        self.reaches(viewer) || by_office || standpoint.may_by_office(Action::WriteDocument, &self.particulars.issuer.path)
    }

    /// Whether it is published and its audience includes the person as a member: the condition of the library and the personal
    /// lists.
    fn reaches(&self, viewer: &Viewer) -> bool {
        self.out == PublicationState::Published && self.is_meant_for(viewer, Action::ReadDocument)
    }

    /// Whether its audience includes the person.
    fn is_meant_for(&self, viewer: &Viewer, action: Action) -> bool {
        self.particulars.audience.includes(&viewer.standpoint, action)
    }

    /// Whether it is published and the person may send opinions on it.
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
    /// The existing documents among `ids`, in no particular order. Does not check permissions.
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

/// Runs CPU-heavy work on a text outside the async worker threads, where it would block other tasks.
async fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::Internal(format!("work on a text stopped: {error}")))
}

impl Documents<'_> {
    /// Whether it is published and the person may read it.
    pub(crate) async fn is_open_to(&self, viewer: &Viewer, id: DocumentId) -> Result<bool> {
        Ok(!self.readable_of(viewer, &[id]).await?.is_empty())
    }

    /// The published documents among `ids` that the person may read, in no particular order.
    pub(crate) async fn found(&self, viewer: &Viewer, ids: &[DocumentId]) -> Result<Vec<DocumentSummary>> {
        // The marks of all of them, so that neither query waits for the other.
        let marks = read_marks(self.backend.store(), viewer.member, ids);
        let (documents, read) = try_join!(Box::pin(self.readable_of(viewer, ids)), Box::pin(marks))?;
        self.marked_summaries(viewer, &documents.iter().collect::<Vec<_>>(), &read).await
    }

    /// The audiences of the published documents among `ids`.
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

/// Reads documents by id.
static SUBJECTS: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| format!("SELECT {COLUMNS} FROM $documents"));

/// The table of members who have read a document; [`OPENED`] is that of members who have opened it. The ids of both consist of
/// document and member.
const READ: &str = "document_read";

/// The table of members who have opened a document. Its name dates from before reading and opening were recorded separately.
const OPENED: &str = "read_receipt";

/// Reads receipts by id.
const READ_MARKS: &str = "SELECT VALUE record::id(id)[0] FROM $receipts";

/// The documents among `ids` that the member has read.
pub(crate) async fn read_marks(store: &Store, member: MemberId, ids: &[DocumentId]) -> Result<Vec<DocumentId>> {
    marks(store, READ, member, ids).await
}

/// The documents among `ids` for which the member has a row in this table, [`READ`] or [`OPENED`].
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
