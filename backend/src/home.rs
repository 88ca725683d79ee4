//! The first page of the handbook.

use domain::{
    accounts::Viewer,
    documents::{DocumentSummary, LibraryQuery},
    home::{HomePage, Pending},
    meetings::MeetingState,
};
use tokio::try_join;

mod pending;
mod work;

pub(crate) use pending::LastCounts;

use crate::{Backend, Result};

/// Rows of each list.
const DOCUMENTS: usize = 5;
const OPINIONS: usize = 3;

/// Most documents with a reminder; they precede the newest ones.
const REMINDED: usize = 3;

/// Most documents corrected since the member read them; they follow those with a reminder.
const CORRECTED: usize = 3;

/// The use-case of the first page.
#[derive(Clone, Copy)]
pub struct Home<'a> {
    backend: &'a Backend,
}

impl<'a> Home<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// The next meeting, pending items, the newest documents, the latest own opinions, and decided corrections.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn page(&self, viewer: &Viewer) -> Result<HomePage> {
        self.page_with(viewer, self.count_pending(viewer).await?).await
    }

    /// Like [`Self::page`], with numbers that the page's frame also shows.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn page_with(&self, viewer: &Viewer, pending: Pending) -> Result<HomePage> {
        let (meetings, members, feedback) = (self.backend.meetings(), self.backend.members(), self.backend.feedback());
        let (documents, courses) = (self.backend.documents(), self.backend.courses());
        let reorganisations = self.backend.reorganisations();
        // Boxed to keep the future of the page small: `try_join!` stores all joined futures inline.
        let (meetings, news, newest, opinions, asked, course, reorganised) = try_join!(
            Box::pin(meetings.list(viewer)),
            Box::pin(members.news(viewer)),
            Box::pin(self.newest(viewer)),
            Box::pin(feedback.newest(viewer, OPINIONS)),
            Box::pin(documents.count_asked(viewer)),
            Box::pin(courses.reminder(viewer)),
            Box::pin(reorganisations.notice(viewer)),
        )?;
        let (corrections_decided, code_open, account_changes) = news;
        Ok(HomePage {
            next_meeting: meetings.coming.into_iter().find(|meeting| meeting.state != MeetingState::Cancelled),
            newest,
            opinions: opinions.opinions,
            must_read: pending.must_read,
            asked,
            course,
            corrections_decided,
            code_open,
            account_changes,
            work: pending.work,
            reorganised,
        })
    }

    /// Documents with a reminder, then documents corrected since the member read them, then the newest ones.
    async fn newest(&self, viewer: &Viewer) -> Result<Vec<DocumentSummary>> {
        let (documents, all) = (self.backend.documents(), LibraryQuery::default());
        let (mut rows, corrected, newest) = try_join!(
            Box::pin(documents.reminded(viewer, REMINDED)),
            Box::pin(documents.corrected_since_read(viewer, CORRECTED)),
            Box::pin(documents.shelved(viewer, &all, DOCUMENTS)),
        )?;
        for newest in corrected.into_iter().chain(newest) {
            if rows.len() < DOCUMENTS && rows.iter().all(|known| known.id != newest.id) {
                rows.push(newest);
            }
        }
        Ok(rows)
    }
}
