//! Documents that name each other: one supersedes, amends or guides another.

use domain::{
    accounts::Viewer,
    documents::{RelatedDocument, Relation, steps::Out},
    ids::DocumentId,
};

use super::{COLUMNS, Document, DocumentRow, Documents};
use crate::{
    Error, Result,
    store::{SurrealValue, Value, vars},
};

/// Documents that name one are shown up to so many.
const MOST: usize = 50;

/// A document that one relates to, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, SurrealValue)]
pub(super) struct RelatedRow {
    pub(super) document: String,
    pub(super) relation: String,
}

impl RelatedRow {
    fn relation(&self) -> Result<Relation> {
        Relation::from_key(&self.relation).ok_or_else(|| Error::Damaged(format!("a relation to {}", self.document)))
    }
}

impl Documents<'_> {
    /// What the document with this id names, and what names it, as far as the person may read that: the newer ones first.
    pub(super) async fn related(&self, viewer: &Viewer, id: DocumentId, named: &[RelatedRow]) -> Result<Vec<RelatedDocument>> {
        let tree = self.backend.units().tree();
        let rows: Vec<NamingRow> = self.backend.store().read(naming(), vars! { id: id.to_string() }).await?.rows(0)?;
        let mut related = Vec::new();
        for NamingRow { row, related: names } in rows {
            let document = row.understand(&tree)?;
            for naming in names.iter().flatten().filter(|naming| naming.document == id.to_string()) {
                related.extend(shown(viewer, &document, naming.relation()?, true));
            }
        }
        let ids: Vec<DocumentId> = named.iter().filter_map(|named| named.document.parse().ok()).collect();
        let documents = self.fetched(&ids).await?;
        for named in named {
            if let Some(document) = documents.iter().find(|document| document.id.to_string() == named.document) {
                related.extend(shown(viewer, document, named.relation()?, false));
            }
        }
        Ok(related)
    }
}

fn shown(viewer: &Viewer, document: &Document, relation: Relation, is_newer: bool) -> Option<RelatedDocument> {
    let is_out = document.out == Out::Published && document.is_readable_for(viewer);
    is_out.then(|| RelatedDocument {
        relation,
        is_newer,
        id: document.id,
        number: document.number.clone(),
        title: document.title.clone(),
    })
}

#[derive(Debug, SurrealValue)]
struct NamingRow {
    #[surreal(flatten)]
    row: DocumentRow,
    related: Option<Vec<RelatedRow>>,
}

fn naming() -> String {
    format!("SELECT {COLUMNS}, related FROM document WHERE related.*.document CONTAINS $id LIMIT {MOST}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn what_names_a_document_is_found_by_index() {
        let store = migrated().await;
        store.assert_no_scan(&naming(), vars! { id: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
    }
}
