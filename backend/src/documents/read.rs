//! Reading one document, and the invitation to write an opinion on it.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    accounts::Viewer,
    documents::{
        CorrectionNote, DocumentCopy, DocumentPage, Heading, OpinionInvitation, ReadingPlace, WithdrawnDocument,
        reading::{Length, OwnReceipt, Recording},
        steps::PublicationState,
    },
    ids::{DocumentId, OpinionId},
    locale::local_date,
    policy::Action,
    units::UnitRef,
};

use super::{
    COLUMNS, Document, DocumentRow, Documents, OPENED, READ,
    bookmarks::BOOKMARK,
    progress::{READING, ReadingRow},
};
use crate::{
    Error, Result, feedback, files, markdown,
    store::{SurrealValue, pair, record, vars},
};

/// The document an opinion is addressed to.
#[derive(Debug)]
pub(crate) struct Addressed {
    pub(crate) title: String,
    pub(crate) issuer: UnitRef,
}

impl Documents<'_> {
    /// The document with its text. Records the first opening by a member of the audience, and the time of each opening. Opening
    /// is not reading: see [`Self::mark_read`].
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, or it is hidden from this person: a draft, a document for another part of the
    /// tree, or a withdrawn one (see [`Self::withdrawn`]).
    pub async fn read(&self, viewer: &Viewer, id: DocumentId) -> Result<DocumentPage> {
        let found = self.readable(viewer, id).await?;
        if found.opened.is_none() && found.document.reaches(viewer) {
            self.record_opening(viewer, &found.document).await?;
        }
        if found.document.out == PublicationState::Published {
            self.note_opening(viewer, &found.document, found.reading.as_ref()).await?;
            self.note_corrected(viewer, &found.document).await?;
        }
        self.page(viewer, found, false).await
    }

    /// The same for a person viewing it for an office (the list of readers, a draft of a new text), without recording anything. A
    /// person without such an office reads as a member.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_without_trace(&self, viewer: &Viewer, id: DocumentId) -> Result<DocumentPage> {
        let found = self.readable(viewer, id).await?;
        if found.document.is_looked_at_by(viewer, &self.backend.units().tree()) {
            self.page(viewer, found, true).await
        } else {
            self.read(viewer, id).await
        }
    }

    async fn page(&self, viewer: &Viewer, found: Found, looks: bool) -> Result<DocumentPage> {
        let recording = found.recording(viewer, looks, self.backend.clock().today());
        let Found { document, body, read, reading, bookmarked, more, .. } = found;
        let (id, tree) = (document.id, self.backend.units().tree());
        let audience = &document.particulars.audience;
        let rendered = markdown::render(&body);
        Ok(DocumentPage {
            recording,
            summary: document.summary(read.is_some()),
            reach: self.backend.statistics().members_asked(&viewer.standpoint, &tree, &audience.unit.path, audience).exact(),
            place: reading.map(|reading| reading_place(reading, &rendered.contents)).transpose()?.flatten(),
            html: rendered.html,
            contents: rendered.contents,
            takes_opinions: document.takes_opinions_of(viewer),
            correction: more.corrected_at.map(|at| CorrectionNote { on: local_date(at), note: more.correction }),
            related: self.related(viewer, id, &document.particulars.related).await?,
            bookmarked,
            attachments: files::of_document(self.backend, id).await?,
            shows_readers: document.unit_shares(viewer, &tree, None).is_some(),
            imprint: document.particulars.imprint(),
        })
    }

    /// The page of a withdrawn document, for a member who had opened, read or bookmarked it: when and why it was withdrawn.
    ///
    /// # Errors
    /// [`Error::NotFound`] for everybody else, and for a document that was not withdrawn.
    pub async fn withdrawn(&self, viewer: &Viewer, id: DocumentId) -> Result<WithdrawnDocument> {
        let found = self.found_for(viewer, id).await?;
        if !found.was_withdrawn_from(viewer) {
            return Err(Error::NotFound);
        }
        let Found { document, read, bookmarked, more, .. } = found;
        Ok(WithdrawnDocument {
            summary: document.summary(read.is_some()),
            on: more.withdrawn_at.map(local_date),
            because: more.withdrawn_because,
            related: self.related(viewer, id, &document.particulars.related).await?,
            bookmarked,
        })
    }

    /// Whether this document's address shows a page to the person.
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

    /// The document for a download. Records no reading.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::read`].
    pub async fn copy(&self, viewer: &Viewer, id: DocumentId) -> Result<DocumentCopy> {
        let Found { document, body, read, .. } = self.readable(viewer, id).await?;
        Ok(DocumentCopy {
            summary: document.summary(read.is_some()),
            html: markdown::render(&body).html,
            imprint: document.particulars.imprint(),
        })
    }

    /// What is shown before an opinion is written, above all who will read it.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::read`]; [`Error::NotAllowed`] for an editor outside the audience.
    pub async fn invitation(&self, viewer: &Viewer, id: DocumentId) -> Result<OpinionInvitation> {
        let Found { document, read, .. } = self.readable(viewer, id).await?;
        if !document.takes_opinions_of(viewer) {
            return Err(Error::NotAllowed);
        }
        let tree = self.backend.units().tree();
        Ok(OpinionInvitation {
            document: document.summary(read.is_some()),
            branch: viewer.branch.clone(),
            branch_readers: feedback::readers_of(self.backend, viewer.branch.id).await?,
            committee: feedback::committee_of(&tree, &viewer.branch).clone(),
            editors: feedback::has_editors(self.backend, document.particulars.issuer.id)
                .await?
                .then_some(document.particulars.issuer),
            opinion: OpinionId::new(self.backend.clock().ulid()),
        })
    }

    /// The addressees' document of an opinion: its title and issuer.
    ///
    /// # Errors
    /// As [`Self::invitation`].
    pub(crate) async fn addressed(&self, viewer: &Viewer, id: DocumentId) -> Result<Addressed> {
        let document = self.fetched(&[id]).await?.pop().ok_or(Error::NotFound)?;
        if document.takes_opinions_of(viewer) {
            Ok(Addressed { title: document.particulars.title, issuer: document.particulars.issuer })
        } else if document.is_readable_for(viewer) {
            Err(Error::NotAllowed)
        } else {
            Err(Error::NotFound)
        }
    }

    /// The stored state of a document this person may read.
    pub(super) async fn readable(&self, viewer: &Viewer, id: DocumentId) -> Result<Found> {
        let found = self.found_for(viewer, id).await?;
        if found.document.is_readable_for(viewer) { Ok(found) } else { Err(Error::NotFound) }
    }

    /// The stored state of a document and of the person's reading of it, without a permission check.
    async fn found_for(&self, viewer: &Viewer, id: DocumentId) -> Result<Found> {
        let vars = vars! {
            document: record("document", id),
            text: record("document_text", id),
            receipt: pair(OPENED, id, viewer.member),
            read: pair(READ, id, viewer.member),
            reading: pair("reading", viewer.member, id),
            bookmark: pair("bookmark", viewer.member, id),
            version: pair("version_receipt", id, viewer.member),
        };
        let mut answers = self.backend.store().read(found(), vars).await?;
        let row: DocumentRow = answers.row(0)?.ok_or(Error::NotFound)?;
        Ok(Found {
            document: row.decode(&self.backend.units().tree())?,
            more: answers.row(1)?.ok_or(Error::NotFound)?,
            body: answers.row(2)?.ok_or_else(|| Error::Damaged(format!("document {id} has no text")))?,
            opened: answers.row(3)?,
            read: answers.row(4)?,
            reading: answers.row(5)?,
            bookmarked: answers.row::<String>(6)?.is_some(),
            version: answers.row(7)?,
        })
    }
}

pub(super) struct Found {
    pub(super) document: Document,
    more: MoreRow,
    pub(super) body: String,
    /// When the person first opened the document, in any version.
    pub(super) opened: Option<DateTime<Utc>>,
    /// When they first read it.
    pub(super) read: Option<DateTime<Utc>>,
    reading: Option<ReadingRow>,
    bookmarked: bool,
    version: Option<VersionRow>,
}

/// The corrected version the person opened last.
#[derive(Debug, SurrealValue)]
struct VersionRow {
    version: i64,
    at: DateTime<Utc>,
    read_at: Option<DateTime<Utc>>,
}

impl Found {
    /// When the person opened and read the current version.
    pub(super) fn own_times(&self) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        if !self.document.is_corrected {
            return (self.opened, self.read);
        }
        let own = self.version.as_ref().filter(|row| row.version == i64::from(self.document.version));
        (own.map(|row| row.at), own.and_then(|row| row.read_at))
    }

    /// What the person, who has just opened the document, sees of their own record.
    fn recording(&self, viewer: &Viewer, looks: bool, today: NaiveDate) -> Recording {
        if !self.document.reaches(viewer) {
            Recording::Elsewhere
        } else if looks {
            Recording::Looks
        } else {
            let (opened, read) = self.own_times();
            Recording::Member(OwnReceipt {
                opened_on: opened.or(read).map_or(today, local_date),
                read_on: read.map(local_date),
                length: Length::of(&self.body),
            })
        }
    }

    /// Whether it was withdrawn from a member who had opened, read or bookmarked it.
    fn was_withdrawn_from(&self, viewer: &Viewer) -> bool {
        self.document.out == PublicationState::Withdrawn
            && self.document.is_meant_for(viewer, Action::ReadDocument)
            && (self.opened.is_some() || self.read.is_some() || self.bookmarked)
    }
}

/// Columns that only the page of a document shows.
#[derive(Debug, SurrealValue)]
struct MoreRow {
    corrected_at: Option<DateTime<Utc>>,
    correction: Option<String>,
    withdrawn_at: Option<DateTime<Utc>>,
    withdrawn_because: Option<String>,
}

fn found() -> String {
    format!(
        "SELECT {COLUMNS} FROM ONLY $document; \
         SELECT corrected_at, correction, withdrawn_at, withdrawn_because FROM ONLY $document; \
         SELECT VALUE body FROM ONLY $text; SELECT VALUE at FROM ONLY $receipt; SELECT VALUE at FROM ONLY $read; {READING}; {BOOKMARK}; \
         SELECT version, at, read_at FROM ONLY $version;"
    )
}

/// The position to continue at; none when nothing was begun or everything was read.
fn reading_place(reading: ReadingRow, contents: &[Heading]) -> Result<Option<ReadingPlace>> {
    let part = reading.part()?;
    if !part.is_begun() || part.is_end() {
        return Ok(None);
    }
    let heading = contents.iter().find(|heading| Some(&heading.anchor) == reading.heading.as_ref()).cloned();
    Ok(Some(ReadingPlace { heading, part }))
}
