//! Numbers of pending work by office.
//!
//! The first page needs every number, so each is counted by a bounded index scan: older items beyond the bound are not counted.

use domain::{
    accounts::Viewer,
    home::{WorkItem, WorkKind},
    policy::Action,
};
use tokio::try_join;

use super::Home;
use crate::Result;

impl Home<'_> {
    /// Pending work of the person's offices: an item for each kind of work they may do, even if its number is zero. Empty for a
    /// person whose offices involve no such work.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn work(&self, viewer: &Viewer) -> Result<Vec<WorkItem>> {
        let backend = self.backend;
        let (feedback, documents, members) = (backend.feedback(), backend.documents(), backend.members());
        let reads_members = !viewer.standpoint.top_units(Action::ReadMembers).is_empty();
        let manages_units = !viewer.standpoint.top_units(Action::ManageUnit).is_empty();
        let reorganisations = backend.reorganisations();
        let (answers, reviews, unread, waiting, to_assign) = try_join!(
            Box::pin(feedback.count_unanswered(viewer)),
            Box::pin(documents.count_in_review(viewer)),
            Box::pin(documents.count_not_read_by_all(viewer)),
            Box::pin(async { if reads_members { members.waiting(viewer).await.map(Some) } else { Ok(None) } }),
            Box::pin(async { if manages_units { reorganisations.waiting(viewer).await.map(Some) } else { Ok(None) } }),
        )?;
        let mut work = Vec::new();
        let mut note = |kind, count: Option<u64>| work.extend(count.map(|count| WorkItem { kind, count }));
        note(WorkKind::Answers, answers);
        note(WorkKind::Reviews, reviews);
        note(WorkKind::Unread, unread);
        if let Some(waiting) = waiting {
            note(WorkKind::Transfers, Some(waiting.transfers));
            note(WorkKind::Corrections, waiting.corrections);
            // Registrars correct the records; leaders of units only see them.
            note(WorkKind::QualityIssues, waiting.corrections.is_some().then_some(waiting.quality_issues));
        }
        note(WorkKind::Reassignments, to_assign.map(u64::from));
        note(WorkKind::Codes, backend.accounts().count_without_password(viewer));
        Ok(work)
    }
}
