//! Reading one document, and being asked for an opinion on it.

use chrono::{DateTime, Utc};
use domain::{
    accounts::Viewer,
    documents::{
        CorrectionNote, DocumentCopy, DocumentPage, Heading, OpinionInvitation, ReadingPlace, WithdrawnDocument, steps::Out,
    },
    events::EventKind,
    ids::{DocumentId, OpinionId},
    locale::local_date,
    members::Standing,
    policy::Action,
    units::UnitRef,
};

use super::{
    COLUMNS, Document, DocumentRow, Documents,
    bookmarks::BOOKMARK,
    progress::{READING, ReadingRow},
    related::RelatedRow,
};
use crate::{
    Error, Result, events, feedback, files, markdown,
    store::{RecordId, SurrealValue, pair, record, vars},
};

/// A document somebody writes an opinion on.
#[derive(Debug)]
pub(crate) struct Addressed {
    pub(crate) title: String,
    pub(crate) issuer: UnitRef,
}

impl Documents<'_> {
    /// The document with its text. The first time a member whom it reaches opens it, that is noted; each time, that it was opened.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, or none this person may know of: a draft, one for another part of the tree, one that
    /// was withdrawn (see [`Self::withdrawn`]).
    pub async fn read(&self, viewer: &Viewer, id: DocumentId) -> Result<DocumentPage> {
        let Found { document, body, read, reading, bookmarked, more } = self.found_for(viewer, id).await?;
        if !document.is_readable_for(viewer) {
            return Err(Error::NotFound);
        }
        let body = body.ok_or_else(|| Error::Damaged(format!("document {id} has no text")))?;
        if !read && document.reaches(viewer) {
            self.record_first_read(viewer, &document).await?;
        }
        if document.out == Out::Published {
            self.note_opening(viewer, &document, reading.as_ref()).await?;
            self.note_corrected(viewer, &document).await?;
        }
        let rendered = markdown::render(&body);
        Ok(DocumentPage {
            summary: document.summary(read),
            reach: self.backend.counters().members(&document.audience.path),
            place: reading.map(|reading| place(reading, &rendered.contents)).transpose()?.flatten(),
            html: rendered.html,
            contents: rendered.contents,
            takes_opinions: document.takes_opinions_of(viewer),
            correction: more.corrected_at.map(|at| CorrectionNote { on: local_date(at), note: more.correction }),
            related: self.related(viewer, id, &more.related.unwrap_or_default()).await?,
            bookmarked,
            attachments: files::of_document(self.backend, id).await?,
            shows_readers: document.look_at_readers(viewer, &self.backend.units().tree(), None).is_some(),
            signer: document.signer,
            audience: document.audience,
        })
    }

    /// What is left of a document that was taken back, for a member who had read or marked it: that it was, and why.
    ///
    /// # Errors
    /// [`Error::NotFound`] for everybody else, and for what was not taken back.
    pub async fn withdrawn(&self, viewer: &Viewer, id: DocumentId) -> Result<WithdrawnDocument> {
        let found = self.found_for(viewer, id).await?;
        if !found.was_withdrawn_from(viewer) {
            return Err(Error::NotFound);
        }
        let Found { document, read, bookmarked, more, .. } = found;
        Ok(WithdrawnDocument {
            summary: document.summary(read),
            on: more.withdrawn_at.map(local_date),
            because: more.withdrawn_because,
            related: self.related(viewer, id, &more.related.unwrap_or_default()).await?,
            bookmarked,
        })
    }

    /// Whether there is a page at this document's address for the person.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn has_page(&self, viewer: &Viewer, id: DocumentId) -> Result<bool> {
        match self.found_for(viewer, id).await {
            Ok(found) => Ok(found.document.is_readable_for(viewer) || found.was_withdrawn_from(viewer)),
            Err(Error::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The document to take along as a file. That is not reading it.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::read`].
    pub async fn copy(&self, viewer: &Viewer, id: DocumentId) -> Result<DocumentCopy> {
        let (document, body, read) = self.readable(viewer, id).await?;
        Ok(DocumentCopy { summary: document.summary(read), html: markdown::render(&body).html, signer: document.signer })
    }

    /// What is shown before an opinion is written: above all, who will read it.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::read`]; [`Error::NotAllowed`] for an editor whom the document does not reach.
    pub async fn invitation(&self, viewer: &Viewer, id: DocumentId) -> Result<OpinionInvitation> {
        let (document, _, read) = self.readable(viewer, id).await?;
        if !document.takes_opinions_of(viewer) {
            return Err(Error::NotAllowed);
        }
        let tree = self.backend.units().tree();
        Ok(OpinionInvitation {
            document: document.summary(read),
            branch: viewer.branch.clone(),
            branch_readers: feedback::readers_of(self.backend, viewer.branch.id).await?,
            committee: feedback::committee_of(&tree, &viewer.branch).clone(),
            editors: feedback::has_editors(self.backend, document.issuer.id).await?.then_some(document.issuer),
            opinion: OpinionId::new(self.backend.clock().ulid()),
        })
    }

    /// What an opinion on the document is addressed to.
    ///
    /// # Errors
    /// As [`Self::invitation`].
    pub(crate) async fn addressed(&self, viewer: &Viewer, id: DocumentId) -> Result<Addressed> {
        let document = self.fetched(&[id]).await?.pop().ok_or(Error::NotFound)?;
        if document.takes_opinions_of(viewer) {
            Ok(Addressed { title: document.title, issuer: document.issuer })
        } else if document.is_readable_for(viewer) {
            Err(Error::NotAllowed)
        } else {
            Err(Error::NotFound)
        }
    }

    /// The document, its text, and whether the person has opened it before.
    async fn readable(&self, viewer: &Viewer, id: DocumentId) -> Result<(Document, String, bool)> {
        let Found { document, body, read, .. } = self.found_for(viewer, id).await?;
        if !document.is_readable_for(viewer) {
            return Err(Error::NotFound);
        }
        let body = body.ok_or_else(|| Error::Damaged(format!("document {id} has no text")))?;
        Ok((document, body, read))
    }

    /// Everything there is of a document and of the person's reading of it. Whether they may see it is not asked here.
    async fn found_for(&self, viewer: &Viewer, id: DocumentId) -> Result<Found> {
        let vars = vars! {
            document: record("document", id),
            text: record("document_text", id),
            receipt: pair("read_receipt", id, viewer.member),
            reading: pair("reading", viewer.member, id),
            bookmark: pair("bookmark", viewer.member, id),
        };
        let mut answers = self.backend.store().read(found(), vars).await?;
        let row: DocumentRow = answers.row(0)?.ok_or(Error::NotFound)?;
        Ok(Found {
            document: row.understand(&self.backend.units().tree())?,
            more: answers.row(1)?.ok_or(Error::NotFound)?,
            body: answers.row(2)?,
            read: answers.row::<RecordId>(3)?.is_some(),
            reading: answers.row(4)?,
            bookmarked: answers.row::<String>(5)?.is_some(),
        })
    }

    async fn record_first_read(&self, viewer: &Viewer, document: &Document) -> Result<()> {
        let branch = &viewer.standpoint.branch;
        let clock = self.backend.clock();
        let mut vars = vars! {
            receipt: pair("read_receipt", document.id, viewer.member),
            path: branch.to_string(),
            counted: viewer.standpoint.standing != Standing::Exempt,
            document: document.id.to_string(),
            reader: record("member", viewer.member),
        };
        events::append(&mut vars, clock, EventKind::DocumentRead, Some(viewer.member), branch, document.id);
        let sql = format!("{RECEIPT} {}", events::APPEND);
        match self.backend.store().write(&sql, vars).await {
            Ok(_) => {
                self.backend.events().wake();
                Ok(())
            }
            // Opened on two devices, or twice at once: the first one counts.
            Err(Error::Exists) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The receipt of who reads now, where the record says they are.
const RECEIPT: &str = "LET $row = (SELECT path, state, standing FROM ONLY $reader); \
                       LET $counts = $row.state = 'active' AND $row.standing != 'exempt'; \
                       CREATE $receipt SET path = $path, at = $log_at, counted = $counted, \
                       place = IF $counts { $document + $row.standing + $row.path } ELSE { NONE } RETURN NONE;";

struct Found {
    document: Document,
    more: MoreRow,
    body: Option<String>,
    read: bool,
    reading: Option<ReadingRow>,
    bookmarked: bool,
}

impl Found {
    /// Whether it was taken back from a member who had read or marked it.
    fn was_withdrawn_from(&self, viewer: &Viewer) -> bool {
        self.document.out == Out::Withdrawn
            && self.document.is_meant_for(viewer, Action::ReadDocument)
            && (self.read || self.bookmarked)
    }
}

/// What only the page of a document shows.
#[derive(Debug, SurrealValue)]
struct MoreRow {
    related: Option<Vec<RelatedRow>>,
    corrected_at: Option<DateTime<Utc>>,
    correction: Option<String>,
    withdrawn_at: Option<DateTime<Utc>>,
    withdrawn_because: Option<String>,
}

fn found() -> String {
    format!(
        "SELECT {COLUMNS} FROM ONLY $document; \
         SELECT related, corrected_at, correction, withdrawn_at, withdrawn_because FROM ONLY $document; \
         SELECT VALUE body FROM ONLY $text; SELECT VALUE id FROM ONLY $receipt; {READING}; {BOOKMARK};"
    )
}

/// Where to go on; none where nothing was begun, or everything read.
fn place(reading: ReadingRow, contents: &[Heading]) -> Result<Option<ReadingPlace>> {
    let part = reading.part()?;
    if !part.is_begun() || part.is_end() {
        return Ok(None);
    }
    let heading = contents.iter().find(|heading| Some(&heading.anchor) == reading.heading.as_ref()).cloned();
    Ok(Some(ReadingPlace { heading, part }))
}
