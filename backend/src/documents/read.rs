//! Reading one document, and being asked for an opinion on it.

use domain::{
    accounts::Viewer,
    documents::{DocumentPage, OpinionInvitation, steps::Out},
    events::EventKind,
    ids::{DocumentId, OpinionId},
    members::Standing,
    units::UnitRef,
};

use super::{COLUMNS, Document, DocumentRow, Documents};
use crate::{
    Error, Result, events, feedback, markdown,
    store::{pair, record, vars},
};

/// A document somebody writes an opinion on.
#[derive(Debug)]
pub(crate) struct Addressed {
    pub(crate) title: String,
    pub(crate) issuer: UnitRef,
}

impl Documents<'_> {
    /// The document with its text. The first time a member whom it reaches opens it, that is noted.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, or none this person may know of: a draft, or one for another part of the tree.
    pub async fn read(&self, viewer: &Viewer, id: DocumentId) -> Result<DocumentPage> {
        let (document, body, read) = self.readable(viewer, id).await?;
        if !read && document.out == Out::Published && document.reaches(viewer) {
            self.record_first_read(viewer, &document).await?;
        }
        let rendered = markdown::render(&body);
        Ok(DocumentPage {
            summary: document.summary(read),
            reach: self.backend.counters().members(&document.audience.path),
            html: rendered.html,
            contents: rendered.contents,
            takes_opinions: document.takes_opinions_of(viewer),
            signer: document.signer,
            audience: document.audience,
        })
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
        let sql = format!("SELECT {COLUMNS} FROM ONLY $document");
        let row: Option<DocumentRow> =
            self.backend.store().read(sql, vars! { document: record("document", id) }).await?.row(0)?;
        let document = row.ok_or(Error::NotFound)?.understand(&self.backend.units().tree())?;
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
        let sql = format!(
            "SELECT {COLUMNS} FROM ONLY $document; SELECT VALUE body FROM ONLY $text; SELECT VALUE id FROM ONLY $receipt;"
        );
        let vars = vars! {
            document: record("document", id),
            text: record("document_text", id),
            receipt: pair("read_receipt", id, viewer.member),
        };
        let mut answers = self.backend.store().read(sql, vars).await?;
        let row: DocumentRow = answers.row(0)?.ok_or(Error::NotFound)?;
        let document = row.understand(&self.backend.units().tree())?;
        if !document.is_readable_for(viewer) {
            return Err(Error::NotFound);
        }
        let body = answers.row(1)?.ok_or_else(|| Error::Damaged(format!("document {id} has no text")))?;
        let read = answers.row::<crate::store::RecordId>(2)?.is_some();
        Ok((document, body, read))
    }

    async fn record_first_read(&self, viewer: &Viewer, document: &Document) -> Result<()> {
        let branch = &viewer.standpoint.branch;
        let clock = self.backend.clock();
        let mut vars = vars! {
            receipt: pair("read_receipt", document.id, viewer.member),
            path: branch.to_string(),
            counted: viewer.standpoint.standing != Standing::Exempt,
        };
        events::append(&mut vars, clock, EventKind::DocumentRead, Some(viewer.member), branch, document.id);
        let sql = format!("CREATE $receipt SET path = $path, at = $log_at, counted = $counted RETURN NONE; {}", events::APPEND);
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
