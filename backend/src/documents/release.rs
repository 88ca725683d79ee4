//! What is out, read back as a draft: for the page of a document nobody works on, and for who begins a new draft of it.

use domain::documents::{DocumentField, Relation, desk::DocumentDraft, steps::Situation};

use super::{Document, Documents, related::RelatedRow};
use crate::{
    Error, Result,
    store::{SurrealValue, record, vars},
};

/// What the desk alone needs of a published document.
#[derive(Debug, Default, SurrealValue)]
struct ReleaseRow {
    field: Option<String>,
    related: Option<Vec<RelatedRow>>,
    expires_on: Option<String>,
    must_read_by: Option<String>,
    pin: Option<String>,
    correction: Option<String>,
}

impl Documents<'_> {
    pub(super) async fn as_draft(&self, out: Document, body: String, situation: Situation) -> Result<DocumentDraft> {
        let sql = "SELECT field, related, expires_on, must_read_by, pin, correction FROM ONLY $document";
        let row: Option<ReleaseRow> =
            self.backend.store().read(sql, vars! { document: record("document", out.id) }).await?.row(0)?;
        let row = row.unwrap_or_default();
        let damaged = || Error::Damaged(format!("document {}", out.id));
        let day = |text: Option<String>| text.map(|day| day.parse().map_err(|_| damaged())).transpose();
        let related = self.signs(row.related.as_deref().unwrap_or_default()).await?;
        Ok(DocumentDraft {
            id: out.id,
            kind: out.kind,
            field: row.field.as_deref().map(|key| DocumentField::from_key(key).ok_or_else(damaged)).transpose()?,
            must_read_by: day(row.must_read_by)?,
            expires_on: day(row.expires_on)?,
            number: out.number.unwrap_or_default(),
            title: out.title,
            signer: out.signer.unwrap_or_default(),
            issuer: out.issuer,
            audience: out.audience.unit,
            parts: out.audience.parts,
            standings: out.audience.standings,
            supersedes: related.of(Relation::Supersedes),
            amends: related.of(Relation::Amends),
            guides: related.of(Relation::Guides),
            is_pinned: row.pin.is_some(),
            correction: row.correction.unwrap_or_default(),
            body,
            situation,
            version: out.version,
            saved_at: out.saved_at,
        })
    }
}
