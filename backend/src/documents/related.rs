//! Relations between documents: one supersedes, amends or guides another.

use std::cmp::Reverse;

use domain::{
    accounts::Viewer,
    documents::{RelatedDocument, Relation, steps::PublicationState},
    ids::DocumentId,
};

use super::{COLUMNS, Document, DocumentRow, Documents, walk::line};
use crate::{
    Error, Result,
    store::{SurrealValue, vars},
};

/// Referring documents shown at most, newest first.
const MOST: usize = 50;

/// Referring documents read at most: each province and commune may guide one regulation of the top, and a reader may read few of
/// them.
const LOOKED_AT: usize = 5_000;

/// A related document, as stored.
#[derive(Debug, Clone, PartialEq, Eq, SurrealValue)]
pub(crate) struct RelatedRow {
    pub(crate) document: String,
    pub(crate) relation: String,
}

impl RelatedRow {
    fn relation(&self) -> Result<Relation> {
        Relation::from_key(&self.relation).ok_or_else(|| Error::Damaged(format!("a relation to {}", self.document)))
    }
}

impl Documents<'_> {
    /// The documents this one refers to and those that refer to it, as far as the person may read them: newer ones first.
    pub(super) async fn related(&self, viewer: &Viewer, id: DocumentId, named: &[RelatedRow]) -> Result<Vec<RelatedDocument>> {
        let tree = self.backend.units().tree();
        let vars = vars! { id: id.to_string(), line: line(viewer) };
        let rows: Vec<DocumentRow> = self.backend.store().read(naming(viewer), vars).await?.rows(0)?;
        let mut found: Vec<Document> = rows.into_iter().map(|row| row.decode(&tree)).collect::<Result<_>>()?;
        found.retain(|document| document.is_readable_for(viewer));
        found.sort_by_key(|document| Reverse((document.published_at, document.id)));
        found.truncate(MOST);
        let mut related = Vec::new();
        for document in &found {
            for naming in document.particulars.related.iter().filter(|naming| naming.document == id.to_string()) {
                related.extend(shown(viewer, document, naming.relation()?, true));
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
    let is_out = document.out == PublicationState::Published && document.is_readable_for(viewer);
    is_out.then(|| RelatedDocument {
        relation,
        is_newer,
        id: document.id,
        number: document.particulars.number.clone(),
        title: document.particulars.title.clone(),
    })
}

/// Published documents that refer to `$id`. A person without an office reads only those for a unit on their own path, `$line`.
fn naming(viewer: &Viewer) -> String {
    let within = if viewer.standpoint.grants.is_empty() { "AND audience_path IN $line " } else { "" };
    format!(
        "SELECT {COLUMNS} FROM document WHERE related.*.document CONTAINS $id AND state = 'published' {within}\
         LIMIT {LOOKED_AT}"
    )
}

#[cfg(test)]
mod tests {
    use domain::policy::{Grant, Role};

    use super::*;
    use crate::{documents::walk::tests::viewer_at, store::tests::migrated};

    #[tokio::test]
    async fn what_names_a_document_is_found_by_index() {
        let store = migrated().await;
        let fill = "FOR $n IN 1000..1040 { CREATE type::record('document', <string>$n) SET kind = 'news', title = 't', issuer = 'U', \
                    issuer_path = '/01/', issuer_level = 'central', audience = 'U', audience_path = '/01/', state = 'published', \
                    version = 1, minutes = 1, saved_at = time::now(), saved_by = 'M', shelf = <string>$n, \
                    related = [{ document: <string>($n % 10), relation: 'guides' }] }";
        store.write(fill, ()).await.expect("fills");
        let member = viewer_at("/01/51/001/07/");
        let mut leader = member.clone();
        leader.standpoint.grants.push(Grant { role: Role::Secretary, path: member.standpoint.branch.clone() });
        for viewer in [member, leader] {
            let vars = || vars! { id: "7", line: line(&viewer) };
            store.assert_no_scan(&naming(&viewer), vars()).await;
            assert_eq!(store.rows_read(&naming(&viewer), vars()).await, 4, "reads only the 4 of 40 that refer to it");
        }
    }
}
