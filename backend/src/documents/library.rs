//! The library: published documents for the member's branch, newest first.

use std::cmp::Reverse;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use domain::{
    accounts::Viewer,
    documents::{DocumentSummary, LibraryPage, LibraryQuery},
    ids::{DocumentId, PublishedKey},
    locale::{local_date, midnight},
    units::UnitRef,
};
use tokio::try_join;

use super::{
    COLUMNS, Document, DocumentRow, Documents,
    personal_lists::key,
    read_marks,
    walk::{TOP, Walk, for_member, line, line_vars, over_line, rows_of},
};
use crate::{Result, events::lowest, store::Answers, units::Tree};

/// Documents per page.
const PAGE: usize = 20;

/// Pinned documents shown at most; pinning more would defeat its purpose.
const PINNED: usize = 5;

/// Documents of each range that are read to find the first one for the member.
const OLDEST: usize = 25;

/// What surrounds the list.
struct Head {
    pinned: Vec<Document>,
    years: Vec<i32>,
}

impl Documents<'_> {
    /// A page of the documents for the person's branch.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, viewer: &Viewer, query: &LibraryQuery) -> Result<LibraryPage> {
        // As many as needed if all pinned ones are among them, so that the page does not wait for its head.
        let pinned_max = if query.is_filtered() { 0 } else { PINNED };
        let (Head { pinned, years }, mut documents) =
            try_join!(Box::pin(self.list_head(viewer, query)), Box::pin(self.walked(viewer, query, PAGE + 1 + pinned_max)))?;
        documents.retain(|document| pinned.iter().all(|pinned| pinned.id != document.id));
        let more = documents.len() > PAGE;
        documents.truncate(PAGE);
        let next = documents.last().filter(|_| more).and_then(|last| last.shelf.as_deref()).map(key).transpose()?;
        // Pinned documents are shown above the first page only, and left out of every page so that none appears twice.
        let shown = if query.after.is_none() { pinned } else { Vec::new() };
        let all: Vec<&Document> = shown.iter().chain(&documents).collect();
        let mut summaries = self.summaries(viewer, &all).await?;
        let documents = summaries.split_off(shown.len());
        Ok(LibraryPage { pinned: summaries, documents, units: self.issuers(viewer), years, next })
    }

    /// At most `count` documents for the person's branch, newest first.
    pub(crate) async fn shelved(&self, viewer: &Viewer, query: &LibraryQuery, count: usize) -> Result<Vec<DocumentSummary>> {
        let documents = self.walked(viewer, query, count).await?;
        self.summaries(viewer, &documents.iter().collect::<Vec<_>>()).await
    }

    /// List rows for the documents, in the same order.
    pub(super) async fn summaries(&self, viewer: &Viewer, documents: &[&Document]) -> Result<Vec<DocumentSummary>> {
        let ids: Vec<DocumentId> = documents.iter().map(|document| document.id).collect();
        let read = read_marks(self.backend.store(), viewer.member, &ids).await?;
        self.marked_summaries(viewer, documents, &read).await
    }

    /// List rows for the documents, in the same order; `read` are those that the person has read.
    pub(super) async fn marked_summaries(
        &self,
        viewer: &Viewer,
        documents: &[&Document],
        read: &[DocumentId],
    ) -> Result<Vec<DocumentSummary>> {
        let mut summaries: Vec<DocumentSummary> =
            documents.iter().map(|document| document.summary(read.contains(&document.id))).collect();
        self.mark_corrected(viewer, documents, &mut summaries).await?;
        Ok(summaries)
    }

    async fn walked(&self, viewer: &Viewer, query: &LibraryQuery, count: usize) -> Result<Vec<Document>> {
        let (above, mut below) = match query.year {
            Some(year) => keys_of_year(year),
            None => (String::new(), TOP.to_owned()),
        };
        if let Some(after) = query.after {
            below = below.min(after.to_string());
        }
        Walk::new(*self, viewer).for_list(count).filtered(query).between(&above, &below).next(count).await
    }

    async fn list_head(&self, viewer: &Viewer, query: &LibraryQuery) -> Result<Head> {
        let is_pinned = !query.is_filtered();
        let sql = format!("{} {}", oldest(viewer, 1), if is_pinned { pins(viewer) } else { String::new() });
        let tree = self.backend.units().tree();
        let mut answers = self.backend.store().read(sql, line_vars(viewer, &tree)).await?;
        let units = line(viewer).len();
        let first = match first_key(&mut answers, units, 1, viewer, &tree)? {
            FirstKey::Known(first) => first,
            // A unit begins with a document for other members.
            FirstKey::Uncertain(_) => {
                let mut answers = self.backend.store().read(oldest(viewer, OLDEST), line_vars(viewer, &tree)).await?;
                first_key(&mut answers, units, OLDEST, viewer, &tree)?.key()
            }
        };
        let mut rows = if is_pinned { rows_of(&mut answers, units..2 * units)? } else { Vec::new() };
        rows.sort_by_cached_key(|row| Reverse(row.pin.clone()));
        let mut pinned: Vec<Document> = rows.into_iter().map(|row| row.decode(&tree)).collect::<Result<_>>()?;
        pinned.retain(|document| document.reaches(viewer));
        pinned.truncate(PINNED);
        Ok(Head { pinned, years: years(first.as_deref(), self.backend.clock().today()) })
    }

    fn issuers(&self, viewer: &Viewer) -> Vec<UnitRef> {
        self.backend.units().tree().trail(&viewer.standpoint.branch).cloned().collect()
    }
}

/// The key range of a year in the library.
fn keys_of_year(year: i32) -> (String, String) {
    let start = |year: i32| NaiveDate::from_ymd_opt(year, 1, 1).map(|day| lowest(midnight(day)).to_string());
    match (start(year), start(year.saturating_add(1))) {
        (Some(from), Some(until)) => (from, until),
        // Outside the calendar's range: an empty key range.
        _ => (TOP.to_owned(), String::new()),
    }
}

/// The years from that of the oldest document to the current one, newest first.
fn years(oldest: Option<&str>, today: NaiveDate) -> Vec<i32> {
    let oldest = oldest.and_then(|shelf| shelf.parse::<PublishedKey>().ok());
    let at = oldest.and_then(|key| DateTime::<Utc>::from_timestamp_millis(key.ulid().timestamp_ms().cast_signed()));
    at.map_or_else(Vec::new, |at| (local_date(at).year()..=today.year()).rev().collect())
}

/// The key of the oldest document for the member.
enum FirstKey {
    Known(Option<String>),
    /// All documents that were read of some unit are for others; the member's first one in it may come after them.
    Uncertain(Option<String>),
}

impl FirstKey {
    fn key(self) -> Option<String> {
        let (Self::Known(key) | Self::Uncertain(key)) = self;
        key
    }
}

/// Takes it from the first statements, those of [`oldest`] with this `count`.
fn first_key(answers: &mut Answers, units: usize, count: usize, viewer: &Viewer, tree: &Tree) -> Result<FirstKey> {
    let (mut first, mut is_certain): (Option<String>, bool) = (None, true);
    for statement in 0..units {
        let mut documents = Vec::new();
        for row in answers.rows::<DocumentRow>(statement)? {
            documents.push(row.decode(tree)?);
        }
        let own = documents.iter().find(|document| document.reaches(viewer));
        // If the whole batch is for others, the member's first document comes after it.
        let is_cut = own.is_none() && documents.len() == count;
        is_certain &= !is_cut;
        let begin = own.or_else(|| documents.last().filter(|_| is_cut));
        first = begin.and_then(|document| document.shelf.clone()).into_iter().chain(first).min();
    }
    Ok(if is_certain { FirstKey::Known(first) } else { FirstKey::Uncertain(first) })
}

fn oldest(viewer: &Viewer, count: usize) -> String {
    over_line(viewer, |reached| {
        format!("SELECT {COLUMNS} FROM document WHERE {reached} AND shelf > '' ORDER BY shelf LIMIT {count};")
    })
}

fn pins(viewer: &Viewer) -> String {
    over_line(viewer, |reached| {
        format!(
            "SELECT {COLUMNS} FROM document WHERE {reached} AND pin > '' AND {} ORDER BY pin DESC LIMIT {PINNED};",
            for_member()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{documents::walk::tests::viewer_at, store::tests::migrated};

    #[tokio::test]
    async fn pins_and_the_oldest_document_are_read_by_index() {
        let store = migrated().await;
        let viewer = viewer_at("/01/51/001/07/");
        store.assert_no_scan(&oldest(&viewer, OLDEST), line_vars(&viewer, &Tree::default())).await;
        store.assert_no_scan(&pins(&viewer), line_vars(&viewer, &Tree::default())).await;
    }

    #[test]
    fn a_year_is_a_range_of_the_shelf_in_the_zone_of_the_organisation() {
        let (from, until) = keys_of_year(2026);
        let shelf = |at: &str| lowest(at.parse().expect("a moment")).to_string();
        let (last, first) = (shelf("2026-12-31T16:59:59Z"), shelf("2025-12-31T17:00:01Z"));
        assert!(from < first && last < until);
        assert!(shelf("2025-12-31T16:59:59Z") < from && shelf("2026-12-31T17:00:01Z") > until);
        for year in [i32::MIN, -262_144, -262_143, -262_142, -1, 0, 1_969, 10_945, 262_142, 262_143, i32::MAX] {
            let (from, until) = keys_of_year(year);
            assert!(from >= until, "{year} must be an empty range");
        }
    }

    #[test]
    fn years_go_back_to_the_oldest_document() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day");
        let oldest = lowest("2024-12-31T18:00:00Z".parse().expect("a moment")).to_string();
        assert_eq!(years(Some(&oldest), today), [2026, 2025]);
        assert_eq!(years(None, today), [] as [i32; 0]);
    }
}
