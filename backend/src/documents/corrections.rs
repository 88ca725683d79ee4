//! Corrections reach the members who opened the text before: their lists mark the document until they open it again, and its
//! editors see how many have opened and read the corrected text.
//!
//! A receipt records that a member opened a document, in whichever version. A document corrected since counting began also has a
//! receipt of the version opened last (`version_receipt`), so documents that were never corrected cost nothing.

use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    documents::{DocumentSummary, steps::PublicationState},
    ids::DocumentId,
    locale::local_date,
    units::UnitPath,
};

use super::{
    COLUMNS, Document, Documents, OPENED, marks,
    readers::signed,
    walk::{for_member, line, line_vars, over_line, rows_of},
};
use crate::{
    Error, Result,
    change::Change,
    store::{SurrealValue, Variables, pair, record, vars},
    units::{PathRanges, Tree},
};

/// Age after which a correction is no longer shown.
const NEWS: TimeDelta = TimeDelta::days(365);

/// Corrections read for each unit, newest first.
const LOOKED_AT: usize = 20;

/// The columns of a receipt by which openings and readings of the corrected text are counted.
pub(super) const OPENED_CORRECTED: &str = "place";
pub(super) const READ_CORRECTED: &str = "read_place";

#[derive(Debug, SurrealValue)]
struct OpenedRow {
    document: String,
    version: i64,
}

impl Documents<'_> {
    /// Records that a member in the audience has opened the corrected text.
    pub(super) async fn note_corrected(&self, viewer: &Viewer, document: &Document) -> Result<()> {
        if !document.is_corrected
            || !document.reaches(viewer)
            || !self.not_opened(viewer, &[document]).await?.contains(&document.id)
        {
            return Ok(());
        }
        match self.write_receipt(viewer, document, "NONE").await {
            // Opened twice concurrently: the other request has written the same receipt.
            Err(Error::Busy) => Ok(()),
            written => written,
        }
    }

    /// Records that a member in the audience has read the corrected text.
    pub(super) async fn note_corrected_read(&self, viewer: &Viewer, document: &Document) -> Result<()> {
        self.write_receipt(viewer, document, "$now").await
    }

    /// `read_at` is a `SurrealQL` expression.
    async fn write_receipt(&self, viewer: &Viewer, document: &Document, read_at: &str) -> Result<()> {
        let vars = vars! {
            receipt: pair("version_receipt", document.id, viewer.member),
            document: document.id.to_string(),
            member: viewer.member.to_string(),
            version: i64::from(document.version),
            prefix: prefix(document.id, document.version),
            reader: record("member", viewer.member),
            now: self.backend.clock().now(),
        };
        self.backend.transact(Change::new(&receipt(read_at), vars)).await?;
        Ok(())
    }

    /// Marks the documents that the person opened before their correction and has not opened since.
    pub(super) async fn mark_corrected(
        &self,
        viewer: &Viewer,
        documents: &[&Document],
        summaries: &mut [DocumentSummary],
    ) -> Result<()> {
        let is_corrected = |document: &&Document| document.is_corrected && document.out == PublicationState::Published;
        let mut corrected: Vec<&Document> = documents.iter().copied().filter(is_corrected).collect();
        let ids: Vec<DocumentId> = corrected.iter().map(|document| document.id).collect();
        let opened = marks(self.backend.store(), OPENED, viewer.member, &ids).await?;
        corrected.retain(|document| opened.contains(&document.id));
        let left = self.not_opened(viewer, &corrected).await?;
        for document in corrected.into_iter().filter(|document| left.contains(&document.id)) {
            for summary in summaries.iter_mut().filter(|summary| summary.id == document.id) {
                summary.corrected_on = document.corrected_at.map(local_date);
            }
        }
        Ok(())
    }

    /// At most `count` documents that the person opened before their correction and has not opened since, newest correction
    /// first.
    pub(crate) async fn corrected_since_read(&self, viewer: &Viewer, count: usize) -> Result<Vec<DocumentSummary>> {
        let tree = self.backend.units().tree();
        let mut vars = line_vars(viewer, &tree);
        vars.insert("since", self.backend.clock().now() - NEWS);
        let mut answers = self.backend.store().read(latest(viewer), vars).await?;
        let rows = rows_of(&mut answers, 0..line(viewer).len())?;
        let mut documents: Vec<Document> = rows.into_iter().map(|row| row.decode(&tree)).collect::<Result<_>>()?;
        documents.retain(|document| document.is_corrected && document.reaches(viewer));
        documents.sort_by_key(|document| std::cmp::Reverse(document.corrected_at));
        let mut summaries = self.summaries(viewer, &documents.iter().collect::<Vec<_>>()).await?;
        summaries.retain(|summary| summary.corrected_on.is_some());
        summaries.truncate(count);
        Ok(summaries)
    }

    /// For each subtree, the number of members of the audience who have opened (or read, by `column`) the corrected text.
    pub(super) async fn corrected_in(
        &self,
        column: &str,
        document: &Document,
        paths: &[&UnitPath],
        tree: &Tree,
    ) -> Result<Vec<u32>> {
        let mut opened = Vec::with_capacity(paths.len());
        for path in paths {
            let (sql, vars, signs) = opened_ranges(column, document, &document.written_in(path, tree));
            if signs.is_empty() {
                opened.push(0);
                continue;
            }
            let mut answers = self.backend.store().read(sql, vars).await?;
            let mut count = 0_i64;
            for (at, sign) in signs.into_iter().enumerate() {
                count += sign * answers.rows::<i64>(at)?.into_iter().next().unwrap_or_default();
            }
            opened.push(u32::try_from(count).unwrap_or_default());
        }
        Ok(opened)
    }

    /// Which of these documents the person has not opened in their current version.
    async fn not_opened(&self, viewer: &Viewer, documents: &[&Document]) -> Result<Vec<DocumentId>> {
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let receipts: Vec<_> = documents.iter().map(|one| pair("version_receipt", one.id, viewer.member)).collect();
        let rows: Vec<OpenedRow> = self.backend.store().read(VERSIONS, vars! { receipts: receipts }).await?.rows(0)?;
        let is_opened = |document: &Document| {
            rows.iter().any(|row| row.document == document.id.to_string() && row.version == i64::from(document.version))
        };
        Ok(documents.iter().filter(|document| !is_opened(document)).map(|document| document.id).collect())
    }
}

/// Point gets.
const VERSIONS: &str = "SELECT document, version FROM $receipts";

/// The reader's current branch and standing, from the member's record.
const READER: &str = "LET $row = (SELECT path, state, standing FROM ONLY $reader); \
                      LET $counts = $row.state = 'active' AND $row.standing != 'exempt';";

/// Writes the receipt of a reader who opens or reads the current text; `read_at` is a `SurrealQL` expression. An earlier version
/// never overwrites a later one. Within a version, the first opening and the first reading are kept.
fn receipt(read_at: &str) -> String {
    format!(
        "{READER} LET $has = (SELECT version, at, read_at FROM ONLY $receipt); \
         LET $is_same = $has != NONE AND $has.version = $version; \
         IF $has = NONE OR $has.version <= $version {{ \
             UPSERT $receipt SET document = $document, member = $member, version = $version, prefix = $prefix, \
             at = IF $is_same {{ $has.at }} ELSE {{ $now }}, \
             read_at = IF $is_same {{ $has.read_at ?? {read_at} }} ELSE {{ {read_at} }}, \
             place = IF $counts {{ $prefix + $row.standing + $row.path }} ELSE {{ NONE }} RETURN NONE \
         }};"
    )
}

/// The prefix of a receipt's `place`.
fn prefix(document: DocumentId, version: u32) -> String {
    format!("{document}{version:06}")
}

/// The newest corrections for each unit on the path from the root to the viewer's branch, one index range each.
fn latest(viewer: &Viewer) -> String {
    over_line(viewer, |reached| {
        format!(
            "SELECT {COLUMNS} FROM document WHERE {reached} AND corrected_at > $since AND {} \
             ORDER BY corrected_at DESC LIMIT {LOOKED_AT};",
            for_member()
        )
    })
}

/// One count over an index range for each standing and each range of paths, with the sign of each count.
fn opened_ranges(column: &str, document: &Document, written: &[PathRanges]) -> (String, Variables, Vec<i64>) {
    let (mut sql, mut vars, mut signs) = (String::new(), vars! {}, Vec::new());
    let prefix = prefix(document.id, document.version);
    for (path, sign, standing) in signed(written, document.counted()) {
        let at = signs.len();
        sql += &format!(
            "SELECT VALUE count FROM (SELECT count() FROM version_receipt WHERE {column} >= $from_{at} AND {column} < $until_{at} \
             GROUP ALL);"
        );
        vars.insert(format!("from_{at}"), format!("{prefix}{standing}{path}"));
        vars.insert(format!("until_{at}"), format!("{prefix}{standing}{}", path.range_end()));
        signs.push(sign);
    }
    (sql, vars, signs)
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::{documents::walk::tests::viewer_at, store::tests::migrated};

    #[tokio::test]
    async fn a_reading_is_counted_where_its_opening_is() {
        let store = migrated().await;
        let create = "CREATE version_receipt:['D', 'A'] SET document = 'D', member = 'A', version = 2, prefix = 'D', at = time::now(), \
                      place = 'one', read_at = NONE";
        store.write(create, ()).await.expect("writes");
        for (change, place) in [
            ("read_at = time::now()", Some("one")),
            ("place = 'two'", Some("two")),
            ("place = NONE", None),
            ("place = 'three'", Some("three")),
            ("read_at = NONE", None),
        ] {
            let sql =
                format!("UPDATE version_receipt SET {change} RETURN NONE; SELECT VALUE read_place ?? '' FROM version_receipt");
            let found: Vec<String> = store.write(&sql, ()).await.expect("writes").rows(2).expect("rows");
            assert_eq!(found, [place.unwrap_or_default()], "{change}");
        }
    }

    #[tokio::test]
    async fn the_first_times_of_a_version_are_kept_and_an_earlier_version_is_ignored() {
        let store = migrated().await;
        let at = |minute: u32| chrono::DateTime::UNIX_EPOCH + TimeDelta::minutes(minute.into());
        let written = async |read_at: &str, version: u32, minute: u32| {
            let vars = vars! {
                receipt: pair("version_receipt", Ulid::nil(), Ulid::nil()),
                document: "D",
                member: "M",
                version: i64::from(version),
                prefix: prefix(DocumentId::new(Ulid::nil()), version),
                reader: record("member", Ulid::nil()),
                now: at(minute),
            };
            store.write(&receipt(read_at), vars).await.expect("writes");
            let sql = "SELECT version, at, read_at FROM version_receipt";
            let rows: Vec<TimesRow> = store.read(sql, ()).await.expect("reads").rows(0).expect("rows");
            rows.into_iter().map(|row| (row.version, row.at, row.read_at)).collect::<Vec<_>>()
        };
        assert_eq!(written("NONE", 2, 1).await, [(2, at(1), None)]);
        assert_eq!(written("$now", 2, 2).await, [(2, at(1), Some(at(2)))], "reading is not the first opening");
        assert_eq!(written("NONE", 2, 3).await, [(2, at(1), Some(at(2)))], "a later opening keeps the reading");
        assert_eq!(written("$now", 2, 4).await, [(2, at(1), Some(at(2)))]);
        assert_eq!(written("NONE", 3, 5).await, [(3, at(5), None)]);
        assert_eq!(written("$now", 2, 6).await, [(3, at(5), None)], "the later version is kept");
    }

    #[derive(Debug, SurrealValue)]
    struct TimesRow {
        version: i64,
        at: chrono::DateTime<chrono::Utc>,
        read_at: Option<chrono::DateTime<chrono::Utc>>,
    }

    #[tokio::test]
    async fn corrections_are_found_by_index_and_receipts_by_their_keys() {
        let store = migrated().await;
        let viewer = viewer_at("/01/51/001/07/");
        let mut vars = line_vars(&viewer, &Tree::default());
        vars.insert("since", chrono::Utc::now());
        store.assert_no_scan(&latest(&viewer), vars).await;
        let receipts = vec![pair("version_receipt", Ulid::nil(), Ulid::nil())];
        store.assert_no_scan(VERSIONS, vars! { receipts: receipts }).await;
        for column in [OPENED_CORRECTED, READ_CORRECTED] {
            let rows = format!("version_receipt WHERE {column} >= $from AND {column} < $until");
            let count = format!("SELECT VALUE count FROM (SELECT count() FROM {rows} GROUP ALL)");
            store.assert_no_scan(&count, vars! { from: "a", until: "b" }).await;
        }
    }
}
