//! The library: what reaches the member's branch, newest first.

use std::{cmp::Reverse, fmt::Write as _};

use domain::{
    accounts::Viewer,
    documents::{DocumentSummary, LibraryPage, LibraryQuery},
    ids::DocumentId,
    units::UnitPath,
};

use super::{COLUMNS, Document, DocumentRow, Documents, read_marks};
use crate::{
    Error, Result,
    store::{SurrealValue, Variables, record, vars},
};

/// Documents on a page.
const PAGE: usize = 20;

/// Sorts behind every shelf: those are ULIDs.
const TOP: &str = "~";

impl Documents<'_> {
    /// A page of what reaches the person's branch.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the page is asked to start after a document the person may not know.
    pub async fn shelf(&self, viewer: &Viewer, query: &LibraryQuery) -> Result<LibraryPage> {
        let mut documents = self.shelved(viewer, query, PAGE + 1).await?;
        let more = documents.len() > PAGE;
        documents.truncate(PAGE);
        let next = documents.last().filter(|_| more).map(|last| last.id);
        Ok(LibraryPage { documents, next })
    }

    /// At most `count` documents that reach the person's branch, newest first.
    pub(crate) async fn shelved(&self, viewer: &Viewer, query: &LibraryQuery, count: usize) -> Result<Vec<DocumentSummary>> {
        let store = self.backend.store();
        let tree = self.backend.units().tree();
        let below = match query.after {
            Some(after) => self.shelf_of(viewer, after).await?,
            None => TOP.to_owned(),
        };
        let branch = &viewer.standpoint.branch;
        let mut answers = store.read(ranges(branch, query, count), bindings(branch, query, below)).await?;
        let mut rows: Vec<DocumentRow> = Vec::new();
        for at in 0..branch.ancestors_and_self().count() {
            rows.extend(answers.rows::<DocumentRow>(at)?);
        }
        rows.sort_by_cached_key(|row| Reverse(row.shelf.clone()));
        rows.truncate(count);
        let documents: Vec<Document> = rows.into_iter().map(|row| row.understand(&tree)).collect::<Result<_>>()?;
        let ids: Vec<DocumentId> = documents.iter().map(|document| document.id).collect();
        let read = read_marks(store, viewer.member, &ids).await?;
        Ok(documents.iter().map(|document| document.summary(read.contains(&document.id))).collect())
    }

    /// Where a document that reaches the person stands.
    async fn shelf_of(&self, viewer: &Viewer, document: DocumentId) -> Result<String> {
        let found: Option<Shelf> = self
            .backend
            .store()
            .read("SELECT shelf, audience_path FROM ONLY $document", vars! { document: record("document", document) })
            .await?
            .row(0)?;
        let found = found.ok_or(Error::NotFound)?;
        let reaches = viewer.standpoint.branch.as_str().starts_with(&found.audience_path);
        found.shelf.filter(|_| reaches).ok_or(Error::NotFound)
    }
}

#[derive(Debug, SurrealValue)]
struct Shelf {
    shelf: Option<String>,
    audience_path: String,
}

/// One index range for each unit from the root down to the branch. A document reaches the branch exactly when its audience is one
/// of these.
fn ranges(branch: &UnitPath, query: &LibraryQuery, count: usize) -> String {
    let kind = if query.kind.is_some() { "AND kind = $kind " } else { "" };
    let level = if query.level.is_some() { "AND issuer_level = $level " } else { "" };
    let mut sql = String::new();
    for (at, _) in branch.ancestors_and_self().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(
            sql,
            "SELECT {COLUMNS} FROM document WHERE audience_path = $path_{at} AND shelf > '' AND shelf < $below {kind}{level}\
             ORDER BY shelf DESC LIMIT {count};"
        );
    }
    sql
}

fn bindings(branch: &UnitPath, query: &LibraryQuery, below: String) -> Variables {
    let mut vars = vars! { below: below };
    for (at, path) in branch.ancestors_and_self().enumerate() {
        vars.insert(format!("path_{at}"), path.to_string());
    }
    if let Some(kind) = query.kind {
        vars.insert("kind", kind.key());
    }
    if let Some(level) = query.level {
        vars.insert("level", level.key());
    }
    vars
}

#[cfg(test)]
mod tests {
    use domain::{documents::DocumentKind, units::UnitKind};

    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn every_range_of_the_library_is_an_index_range() {
        let store = migrated().await;
        let branch = UnitPath::parse("/01/51/001/07/").expect("a path");
        for (kind, level) in [(None, None), (Some(DocumentKind::News), None), (None, Some(UnitKind::Province))] {
            let query = LibraryQuery { kind, level, after: None };
            let vars = bindings(&branch, &query, TOP.to_owned());
            store.assert_no_scan(&ranges(&branch, &query, PAGE + 1), vars).await;
        }
    }
}
