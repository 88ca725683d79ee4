//! What waits for who holds an office, in numbers.
//!
//! Every number is looked up over an index and within bounds, since the first page asks for it: what is older than the bound does not
//! count any more.

use domain::{
    accounts::Viewer,
    home::{WorkItem, WorkKind},
    policy::Action,
};

use super::Home;
use crate::Result;

impl Home<'_> {
    /// What waits for the person by their offices: a line for each kind of work that is theirs, also when there is none of it now.
    /// Empty for who holds no office that brings any.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn work(&self, viewer: &Viewer) -> Result<Vec<WorkItem>> {
        let backend = self.backend;
        let standpoint = &viewer.standpoint;
        let mut work = Vec::new();
        let mut note = |kind, count: Option<u64>| work.extend(count.map(|count| WorkItem { kind, count }));
        note(WorkKind::Answers, backend.feedback().count_unanswered(viewer).await?);
        note(WorkKind::Reviews, backend.documents().count_in_review(viewer).await?);
        note(WorkKind::Unread, backend.documents().count_not_read_by_all(viewer).await?);
        if !standpoint.seats(Action::ReadMembers).is_empty() {
            let waiting = backend.members().waiting(viewer).await?;
            note(WorkKind::Transfers, Some(waiting.transfers));
            note(WorkKind::Corrections, waiting.corrections);
            // Who keeps the registry mends its records; who leads a unit only sees them.
            note(WorkKind::Flaws, waiting.corrections.is_some().then_some(waiting.flaws));
        }
        note(WorkKind::Codes, backend.accounts().count_without_password(viewer));
        Ok(work)
    }
}
