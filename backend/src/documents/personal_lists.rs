//! A member's personal lists: must-read, unread, begun, bookmarked, recent.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{
    accounts::Viewer,
    documents::{DocumentSummary, PersonalList, PersonalListPage, PersonalListRow, steps::PublicationState},
    ids::{DocumentId, PublishedKey},
    locale::local_date,
    policy::Action,
};

use super::{Document, Documents, walk::TOP};
use crate::{
    Error, Result,
    store::{SurrealValue, vars},
};

/// Rows per page.
const PAGE: usize = 20;

impl Documents<'_> {
    /// A page of one of the person's lists.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn personal(&self, viewer: &Viewer, list: PersonalList, after: Option<PublishedKey>) -> Result<PersonalListPage> {
        let (rows, next) = match list {
            PersonalList::MustRead => (self.rows(viewer, self.must_read(viewer).await?).await?, None),
            PersonalList::Unread => self.unread_rows(viewer, after).await?,
            PersonalList::Continue => self.kept_rows(viewer, KeptKind::Unfinished, after).await?,
            PersonalList::Bookmarks => self.kept_rows(viewer, KeptKind::Marked, after).await?,
            PersonalList::Recent => self.kept_rows(viewer, KeptKind::Opened, after).await?,
        };
        Ok(PersonalListPage { list, rows, next, today: self.backend.clock().today() })
    }

    async fn unread_rows(
        &self,
        viewer: &Viewer,
        after: Option<PublishedKey>,
    ) -> Result<(Vec<PersonalListRow>, Option<PublishedKey>)> {
        let mut documents = self.unread(viewer, after, PAGE + 1).await?;
        let more = documents.len() > PAGE;
        documents.truncate(PAGE);
        let last = documents.last().filter(|_| more).and_then(|last| last.shelf.as_deref());
        let next = last.map(key).transpose()?;
        let summaries = documents.iter().map(|document| document.summary(false)).collect();
        Ok((self.rows(viewer, summaries).await?, next))
    }

    async fn rows(&self, viewer: &Viewer, mut documents: Vec<DocumentSummary>) -> Result<Vec<PersonalListRow>> {
        self.mark_reminded(viewer, &mut documents).await?;
        let ids: Vec<DocumentId> = documents.iter().map(|document| document.id).collect();
        let parts = self.parts(viewer, &ids).await?;
        let row = |document: DocumentSummary| PersonalListRow {
            percent: parts.get(&document.id).map(|part| part.percent()),
            on: None,
            withdrawn: false,
            document,
        };
        Ok(documents.into_iter().map(row).collect())
    }

    /// A page of the rows stored for the person, without documents they may no longer read.
    async fn kept_rows(
        &self,
        viewer: &Viewer,
        kept: KeptKind,
        after: Option<PublishedKey>,
    ) -> Result<(Vec<PersonalListRow>, Option<PublishedKey>)> {
        let mut below = after.map_or_else(|| TOP.to_owned(), |key| key.to_string());
        loop {
            let vars = vars! { member: viewer.member.to_string(), below: below };
            let mut entries: Vec<KeptRow> = self.backend.store().read(kept.range(), vars).await?.rows(0)?;
            // Rows without a key sort before all keys, so the first of them ends the list.
            entries.retain(|entry| entry.key.is_some());
            let more = entries.len() > PAGE;
            entries.truncate(PAGE);
            let next = entries.last().filter(|_| more).and_then(|last| last.key.as_deref()).map(key).transpose()?;
            let rows = self.decode_rows(viewer, kept, entries).await?;
            match next {
                // No row is left to show: continue with the next page.
                Some(next) if rows.is_empty() => below = next.to_string(),
                next => return Ok((rows, next)),
            }
        }
    }

    async fn decode_rows(&self, viewer: &Viewer, kept: KeptKind, entries: Vec<KeptRow>) -> Result<Vec<PersonalListRow>> {
        let damaged = || Error::Damaged(format!("a list of {}", viewer.member));
        let ids: Vec<DocumentId> =
            entries.iter().map(|entry| entry.document.parse().map_err(|_| damaged())).collect::<Result<_>>()?;
        let mut documents = self.fetched(&ids).await?;
        documents.retain(|document| kept.shows(document, viewer));
        let summaries = self.summaries(viewer, &documents.iter().collect::<Vec<_>>()).await?;
        let parts = self.parts(viewer, &ids).await?;
        let mut found: HashMap<DocumentId, (DocumentSummary, bool)> = documents
            .iter()
            .zip(summaries)
            .map(|(document, summary)| (document.id, (summary, document.out == PublicationState::Withdrawn)))
            .collect();
        let mut rows = Vec::with_capacity(found.len());
        for (id, entry) in ids.into_iter().zip(entries) {
            let Some((document, withdrawn)) = found.remove(&id) else { continue };
            let at = entry.key.as_deref().map(key).transpose()?.and_then(moment);
            let percent = parts.get(&id).filter(|_| !withdrawn).map(|part| part.percent());
            rows.push(PersonalListRow { document, percent, on: at.map(local_date), withdrawn });
        }
        Ok(rows)
    }
}

/// What is stored of documents for each member, ordered by time.
#[derive(Debug, Clone, Copy)]
enum KeptKind {
    Opened,
    Unfinished,
    Marked,
}

impl KeptKind {
    /// The page starts at the end of the range: the engine can use no further condition on the index.
    fn range(self) -> String {
        let (table, column) = match self {
            Self::Opened => ("reading", "opened"),
            Self::Unfinished => ("reading", "unfinished"),
            Self::Marked => ("bookmark", "marked"),
        };
        let count = PAGE + 1;
        format!(
            "SELECT document, {column} AS key FROM {table} WHERE member = $member AND {column} < $below \
             ORDER BY {column} DESC LIMIT {count}"
        )
    }

    /// Whether the list shows the document. A withdrawn one is listed for its audience, since its page gives the reason.
    fn shows(self, document: &Document, viewer: &Viewer) -> bool {
        match document.out {
            PublicationState::Published => document.is_readable_for(viewer),
            PublicationState::Withdrawn => {
                !matches!(self, Self::Unfinished) && document.is_meant_for(viewer, Action::ReadDocument)
            }
        }
    }
}

#[derive(Debug, SurrealValue)]
struct KeptRow {
    document: String,
    key: Option<String>,
}

pub(super) fn key(text: &str) -> Result<PublishedKey> {
    text.parse().map_err(|_| Error::Damaged(format!("a key of a list: {text}")))
}

fn moment(key: PublishedKey) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(key.ulid().timestamp_ms().cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn a_page_of_a_list_reads_its_rows_and_no_more() {
        let store = migrated().await;
        let fill = "FOR $n IN 1000..1200 { \
                        CREATE type::record('reading', ['M', <string>$n]) SET member = 'M', document = <string>$n, part = 1, \
                        opened = <string>$n, unfinished = IF $n % 2 = 0 { <string>$n } ELSE { NONE }; \
                        CREATE type::record('bookmark', ['M', <string>$n]) SET member = 'M', document = <string>$n, marked = <string>$n \
                    }";
        store.write(fill, ()).await.expect("fills");
        for kept in [KeptKind::Opened, KeptKind::Unfinished, KeptKind::Marked] {
            for below in [TOP, "1100"] {
                let vars = || vars! { member: "M", below: below };
                store.assert_no_scan(&kept.range(), vars()).await;
                let read = store.rows_read(&kept.range(), vars()).await;
                assert_eq!(read, 21, "{kept:?} below {below}");
            }
        }
    }
}
