//! The desk: what is pending for an editor, and the drafts and published texts of their units.

use std::cmp::Reverse;

use domain::{
    accounts::Viewer,
    documents::{
        desk::{DeskPage, DeskRow, ReviewRow},
        steps::{DocumentState, DocumentStatus, DraftState, PublicationState},
    },
    ids::DocumentId,
    policy::Action,
};

use super::{
    COLUMNS, Document, DocumentRow, Documents,
    choices::highest,
    draft::{DRAFT_COLUMNS, DraftRow, InWork},
    particulars::Columns,
};
use crate::{
    Error, Result,
    store::{record, vars},
};

/// Rows of each state on the desk.
const DESK_ROWS: usize = 50;

impl Documents<'_> {
    /// What is pending for this person, and the drafts and published texts of their units.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person who writes for no unit and was not asked for a review.
    pub async fn desk(&self, viewer: &Viewer) -> Result<DeskPage> {
        let tree = self.backend.units().tree();
        let top_units = viewer.standpoint.top_units(Action::WriteDocument);
        let asked = self.asked_rows(viewer).await?;
        if top_units.is_empty() && asked.is_empty() {
            return Err(Error::NotFound);
        }
        let unit = highest(&tree, &top_units).ok().cloned();
        let sets_rules = unit.as_ref().is_some_and(|unit| viewer.standpoint.may_by_office(Action::PublishDocument, &unit.path));
        let mut page = DeskPage {
            unit,
            asked,
            drafts: Vec::new(),
            in_review: Vec::new(),
            scheduled: Vec::new(),
            published: Vec::new(),
            withdrawn: Vec::new(),
            sets_rules,
        };
        for top_unit in top_units {
            let vars = vars! { from: top_unit.to_string(), until: top_unit.range_end() };
            let mut answers = self.backend.store().read(desk_ranges(), vars).await?;
            for (at, work) in DraftState::ALL.into_iter().enumerate() {
                let rows = match work {
                    DraftState::Draft => &mut page.drafts,
                    DraftState::InReview => &mut page.in_review,
                    DraftState::Scheduled => &mut page.scheduled,
                };
                for row in answers.rows::<DraftRow>(at)? {
                    rows.push(row.decode(&tree)?.desk_row());
                }
            }
            for (at, out) in PublicationState::ALL.into_iter().enumerate() {
                let rows = match out {
                    PublicationState::Published => &mut page.published,
                    PublicationState::Withdrawn => &mut page.withdrawn,
                };
                for row in answers.rows::<DocumentRow>(DraftState::ALL.len() + at)? {
                    rows.push(row.decode(&tree)?.desk_row());
                }
            }
        }
        for rows in [&mut page.drafts, &mut page.in_review, &mut page.scheduled, &mut page.published, &mut page.withdrawn] {
            rows.sort_by_key(|row| Reverse((row.saved_at, row.id)));
            rows.truncate(DESK_ROWS);
        }
        page.scheduled.sort_by_key(|row| row.publish_at);
        self.mark_what_is_out(&mut page).await?;
        Ok(page)
    }

    /// Reviews requested from this person, the most urgent first.
    async fn asked_rows(&self, viewer: &Viewer) -> Result<Vec<ReviewRow>> {
        let asked = self.awaited(viewer).await?;
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let names = self.names(asked.iter().map(|(_, _, by, _)| by.clone())).await?;
        let drafts: Vec<_> = asked.iter().map(|(id, ..)| record("draft", id)).collect();
        let sql = format!("SELECT {DRAFT_COLUMNS} FROM $drafts");
        let drafts: Vec<DraftRow> = self.backend.store().read(sql, vars! { drafts: drafts }).await?.rows(0)?;
        let tree = self.backend.units().tree();
        let works: Vec<InWork> = drafts.into_iter().map(|row| row.decode(&tree)).collect::<Result<_>>()?;
        let mut rows = Vec::new();
        for (id, due, by, comments_only) in asked {
            if let Some(work) = works.iter().find(|work| work.id == id && work.work == DraftState::InReview) {
                let document = work.clone().desk_row();
                rows.push(ReviewRow { document, due, asked_by: names.get(&by).cloned().unwrap_or_default(), comments_only });
            }
        }
        rows.sort_by_key(|row| (row.due.is_none(), row.due));
        Ok(rows)
    }

    /// Marks drafts whose document is published as well.
    async fn mark_what_is_out(&self, page: &mut DeskPage) -> Result<()> {
        let mut rows: Vec<&mut DeskRow> =
            [&mut page.drafts, &mut page.in_review, &mut page.scheduled].into_iter().flatten().collect();
        rows.extend(page.asked.iter_mut().map(|row| &mut row.document));
        let documents: Vec<_> = rows.iter().map(|row| record("document", row.id)).collect();
        if documents.is_empty() {
            return Ok(());
        }
        let sql = "SELECT VALUE record::id(id) FROM $documents WHERE state = 'published'";
        let out: Vec<String> = self.backend.store().read(sql, vars! { documents: documents }).await?.rows(0)?;
        let out: Vec<DocumentId> = out.iter().filter_map(|id| id.parse().ok()).collect();
        for row in &mut rows {
            row.is_out = out.contains(&row.id);
        }
        Ok(())
    }
}

impl InWork {
    /// The row without `is_out`, which [`Documents::mark_what_is_out`] sets.
    fn desk_row(self) -> DeskRow {
        let status = DocumentStatus { work: Some(self.work), out: None };
        DeskRow {
            id: self.id,
            kind: self.particulars.kind,
            title: self.particulars.title,
            state: status.state().unwrap_or(DocumentState::Draft),
            is_out: false,
            issuer: self.particulars.issuer,
            parts: u32::try_from(self.particulars.audience.parts.len()).unwrap_or(u32::MAX),
            except: u32::try_from(self.particulars.audience.except.len()).unwrap_or(u32::MAX),
            audience: self.particulars.audience.unit,
            saved_at: self.saved_at,
            publish_at: self.publish_at,
        }
    }
}

impl Document {
    fn desk_row(self) -> DeskRow {
        DeskRow {
            id: self.id,
            kind: self.particulars.kind,
            title: self.particulars.title,
            state: match self.out {
                PublicationState::Published => DocumentState::Published,
                PublicationState::Withdrawn => DocumentState::Withdrawn,
            },
            is_out: self.out == PublicationState::Published,
            issuer: self.particulars.issuer,
            parts: u32::try_from(self.particulars.audience.parts.len()).unwrap_or(u32::MAX),
            except: u32::try_from(self.particulars.audience.except.len()).unwrap_or(u32::MAX),
            audience: self.particulars.audience.unit,
            saved_at: self.saved_at,
            publish_at: None,
        }
    }
}

/// One index range for each state: drafts in the order of [`DraftState::ALL`], then published texts in that of
/// [`PublicationState::ALL`].
fn desk_ranges() -> String {
    let range = |columns: Columns, table: &str, state: String| {
        format!(
            "SELECT {columns} FROM {table} WHERE issuer_path >= $from AND issuer_path < $until AND {state} \
             ORDER BY saved_at DESC LIMIT {DESK_ROWS};"
        )
    };
    let works = DraftState::ALL.iter().map(|work| range(DRAFT_COLUMNS, "draft", format!("stage = '{}'", work.key())));
    let outs = PublicationState::ALL.iter().map(|out| range(COLUMNS, "document", format!("state = '{}'", out.key())));
    works.chain(outs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn the_desk_reads_index_ranges() {
        let store = migrated().await;
        store.assert_no_scan(&desk_ranges(), vars! { from: "/01/", until: "/010" }).await;
    }
}
