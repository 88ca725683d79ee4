//! Documents that must be read by a day.

use chrono::NaiveDate;
use domain::{accounts::Viewer, documents::DocumentSummary};

use super::{
    COLUMNS, Document, Documents,
    walk::{for_member, line, line_vars, over_line, rows_of},
};
use crate::Result;

/// Must-read documents of one unit that are listed at most. Older ones are long past their day.
const MOST: usize = 50;

impl Documents<'_> {
    /// The must-read documents: first those not yet read, or corrected since, the most urgent first; then those read whose day is
    /// not over.
    pub(super) async fn must_read(&self, viewer: &Viewer) -> Result<Vec<DocumentSummary>> {
        let tree = self.backend.units().tree();
        let mut answers = self.backend.store().read(asked(viewer), line_vars(viewer, &tree)).await?;
        let rows = rows_of(&mut answers, 0..line(viewer).len())?;
        let mut documents: Vec<Document> = rows.into_iter().map(|row| row.decode(&tree)).collect::<Result<_>>()?;
        documents.retain(|document| document.reaches(viewer));
        let summaries = self.summaries(viewer, &documents.iter().collect::<Vec<_>>()).await?;
        Ok(by_urgency(summaries, self.backend.clock().today()))
    }

    /// How many of them the person has not read.
    pub(crate) async fn count_must_read(&self, viewer: &Viewer) -> Result<u32> {
        let left = self.must_read(viewer).await?.iter().filter(|document| !document.is_read()).count();
        Ok(u32::try_from(left).unwrap_or(u32::MAX))
    }
}

fn by_urgency(mut documents: Vec<DocumentSummary>, today: NaiveDate) -> Vec<DocumentSummary> {
    documents.retain(|document| document.must_read_by.is_some_and(|day| !document.is_read() || day >= today));
    documents.sort_by_key(|document| (document.is_read(), document.must_read_by, document.id));
    documents
}

fn asked(viewer: &Viewer) -> String {
    over_line(viewer, |reached| {
        format!(
            "SELECT {COLUMNS} FROM document WHERE {reached} AND must > '' AND {} ORDER BY must DESC LIMIT {MOST};",
            for_member()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{documents::walk::tests::viewer_at, store::tests::migrated, units::Tree};

    #[tokio::test]
    async fn what_must_be_read_is_found_by_index_ranges() {
        let store = migrated().await;
        let viewer = viewer_at("/01/51/001/07/");
        store.assert_no_scan(&asked(&viewer), line_vars(&viewer, &Tree::default())).await;
    }
}
