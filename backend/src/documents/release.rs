//! Reads a published text back as a draft: for the page of a document without a draft, and to begin a new draft of it.

use domain::documents::{desk::DocumentDraft, steps::DocumentStatus};

use super::{Document, Documents};
use crate::{
    Result,
    store::{record, vars},
};

impl Documents<'_> {
    pub(super) async fn as_draft(&self, out: Document, body: String, status: DocumentStatus) -> Result<DocumentDraft> {
        let sql = "SELECT VALUE correction FROM ONLY $document";
        let correction: Option<String> =
            self.backend.store().read(sql, vars! { document: record("document", out.id) }).await?.row(0)?;
        let signs = self.signs(&out.particulars.related).await?;
        Ok(DocumentDraft {
            is_pinned: out.pinned,
            correction: correction.unwrap_or_default(),
            body,
            status,
            version: out.version,
            ..out.particulars.form(out.id, &signs, out.saved_at)
        })
    }
}
