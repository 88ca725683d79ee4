//! A member's reading position in a text, shared by all devices.

use std::collections::HashMap;

use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    documents::Part,
    ids::{DocumentId, PublishedKey},
};

use super::{Document, Documents};
use crate::{
    Error, Result,
    change::Change,
    store::{StoreError, SurrealValue, pair, vars},
};

/// Reopening within this time continues the same sitting.
const ONE_SITTING: TimeDelta = TimeDelta::minutes(10);

/// Maximum length of an anchor, in bytes; rendered anchors have at most twelve words.
const HEADING_MAX: usize = 300;

/// The stored reading state of a member in one document.
#[derive(Debug, SurrealValue)]
pub(super) struct ReadingRow {
    pub(super) opened: String,
    pub(super) heading: Option<String>,
    pub(super) part: i64,
}

pub(super) const READING: &str = "SELECT opened, heading, part FROM ONLY $reading";

impl ReadingRow {
    pub(super) fn part(&self) -> Result<Part> {
        part(self.part)
    }
}

impl Documents<'_> {
    /// Stores the furthest position reached, so that scrolling back or a delayed request from another device loses nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] when this person cannot read such a document, or when `thousandths` is out of range.
    pub async fn note_progress(&self, viewer: &Viewer, id: DocumentId, heading: &str, thousandths: u16) -> Result<()> {
        let part = Part::try_from(thousandths).map_err(|_| Error::NotFound)?;
        let document = self.fetched(&[id]).await?.into_iter().next().ok_or(Error::NotFound)?;
        if !document.is_readable_for(viewer) {
            return Err(Error::NotFound);
        }
        let vars = vars! {
            reading: pair("reading", viewer.member, id),
            member: viewer.member.to_string(),
            document: id.to_string(),
            now: self.backend.clock().ulid().to_string(),
            heading: is_anchor(heading).then(|| heading.to_owned()),
            part: i64::from(part.thousandths()),
            is_end: part.is_end(),
        };
        self.backend.transact(Change::new(ADVANCE, vars)).await?;
        Ok(())
    }

    /// Records that the person has opened the document.
    pub(super) async fn note_opening(&self, viewer: &Viewer, document: &Document, known: Option<&ReadingRow>) -> Result<()> {
        let now = self.backend.clock().now();
        let opened = known.and_then(|known| known.opened.parse::<PublishedKey>().ok());
        let since = i64::try_from(opened.map_or(0, |key| key.ulid().timestamp_ms())).unwrap_or_default();
        if now.timestamp_millis() - since < ONE_SITTING.num_milliseconds() {
            return Ok(());
        }
        let part = known.map(ReadingRow::part).transpose()?.unwrap_or_default();
        let vars = vars! {
            reading: pair("reading", viewer.member, document.id),
            member: viewer.member.to_string(),
            document: document.id.to_string(),
            now: self.backend.clock().ulid_at(now).to_string(),
            is_open: part.is_begun() && !part.is_end(),
        };
        match self.backend.transact(Change::new(OPEN, vars)).await {
            // Opened several times concurrently: the other requests have written the same row.
            Ok(_) | Err(StoreError::Busy) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// How far the person has read in each of these documents, if begun.
    pub(super) async fn parts(&self, viewer: &Viewer, ids: &[DocumentId]) -> Result<HashMap<DocumentId, Part>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let readings: Vec<_> = ids.iter().map(|id| pair("reading", viewer.member, id)).collect();
        let rows: Vec<PartRow> = self.backend.store().read(PARTS, vars! { readings: readings }).await?.rows(0)?;
        rows.into_iter()
            .map(|row| {
                let id = row.document.parse().map_err(|_| Error::Damaged(format!("the reading of {}", row.document)))?;
                Ok((id, part(row.part)?))
            })
            .filter(|read| read.as_ref().map_or(true, |(_, part)| part.is_begun()))
            .collect()
    }
}

/// Point gets.
const PARTS: &str = "SELECT document, part FROM $readings";

#[derive(Debug, SurrealValue)]
struct PartRow {
    document: String,
    part: i64,
}

const OPEN: &str = "LET $part = (SELECT VALUE part FROM ONLY $reading) ?? 0; \
                    UPSERT $reading SET member = $member, document = $document, opened = $now, part = $part, \
                    unfinished = IF $is_open { $now } ELSE { NONE } RETURN NONE;";

const ADVANCE: &str = "LET $was = (SELECT opened, part FROM ONLY $reading); \
                       IF $was = NONE OR $was.part < $part { \
                           LET $opened = $was.opened ?? $now; \
                           UPSERT $reading SET member = $member, document = $document, opened = $opened, heading = $heading, \
                           part = $part, unfinished = IF $is_end { NONE } ELSE { $opened } RETURN NONE \
                       };";

/// Moves the lists of the member `$key` to `$kept_key` when two records turn out to be one person's. Of two positions in one
/// document the further one is kept, of two bookmarks the earlier one.
pub(crate) const HAND_OVER: &str = "\
     LET $readings = (SELECT * FROM reading WHERE member = $key); \
     FOR $was IN $readings { \
         LET $to = type::record('reading', [$kept_key, $was.document]); LET $has = (SELECT part FROM ONLY $to); LET $from = $was.id; \
         IF $has = NONE OR $has.part < $was.part { \
             UPSERT $to SET member = $kept_key, document = $was.document, opened = $was.opened, unfinished = $was.unfinished, \
             heading = $was.heading, part = $was.part RETURN NONE \
         }; \
         DELETE $from RETURN NONE \
     }; \
     LET $marks = (SELECT * FROM bookmark WHERE member = $key); \
     FOR $was IN $marks { \
         LET $to = type::record('bookmark', [$kept_key, $was.document]); LET $has = (SELECT marked FROM ONLY $to); LET $from = $was.id; \
         IF $has = NONE OR $was.marked < $has.marked { \
             UPSERT $to SET member = $kept_key, document = $was.document, marked = $was.marked RETURN NONE \
         }; \
         DELETE $from RETURN NONE \
     }; \
     LET $stale = [type::record('unread', $key), type::record('unread', $kept_key)]; DELETE $stale RETURN NONE;";

fn part(stored: i64) -> Result<Part> {
    let thousandths = u16::try_from(stored).ok().and_then(|thousandths| Part::try_from(thousandths).ok());
    thousandths.ok_or_else(|| Error::Damaged(format!("{stored} thousandths of a text")))
}

/// Whether this can be an anchor of a heading, as the renderer produces them.
fn is_anchor(text: &str) -> bool {
    text.len() <= HEADING_MAX && text.starts_with("s-") && text.chars().all(|c| c.is_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn reading_positions_are_point_gets() {
        let store = migrated().await;
        let reading = || pair("reading", Ulid::nil(), Ulid::nil());
        store.assert_no_scan(READING, vars! { reading: reading() }).await;
        store.assert_no_scan(PARTS, vars! { readings: vec![reading()] }).await;
    }

    type Kept<T> = (String, String, String, T);

    #[tokio::test]
    async fn what_two_records_of_one_person_kept_becomes_one() {
        let store = migrated().await;
        let fill = "FOR $row IN [['A', 'X', 300], ['A', 'Y', 100], ['B', 'Y', 500], ['C', 'X', 900]] { \
                        CREATE type::record('reading', [$row[0], $row[1]]) SET member = $row[0], document = $row[1], opened = '1', \
                        part = $row[2]; \
                        CREATE type::record('bookmark', [$row[0], $row[1]]) SET member = $row[0], document = $row[1], \
                        marked = <string>$row[2] \
                    }; CREATE unread:A SET branch = 'U', standing = 'official', tree = 1, at = time::now(), from = '', upto = '', unread = []";
        store.write(fill, ()).await.expect("fills");
        store.write(HAND_OVER, vars! { key: "A", kept_key: "B" }).await.expect("hands over");
        let sql = "SELECT VALUE [record::id(id)[0], document, member, part] FROM reading ORDER BY id; \
                   SELECT VALUE [record::id(id)[0], document, member, marked] FROM bookmark ORDER BY id; \
                   SELECT VALUE id FROM unread";
        let mut answers = store.read(sql, ()).await.expect("reads");
        let row = |member: &str, document: &str| (member.to_owned(), document.to_owned(), member.to_owned());
        let with = |(owner, document, member), kept| (owner, document, member, kept);
        let readings: Vec<Kept<i64>> = answers.rows(0).expect("rows");
        assert_eq!(readings, [with(row("B", "X"), 300), with(row("B", "Y"), 500), with(row("C", "X"), 900)]);
        let marks: Vec<Kept<String>> = answers.rows(1).expect("rows");
        let marked: Vec<_> = marks.iter().map(|(owner, document, _, marked)| [owner.as_str(), document, marked]).collect();
        assert_eq!(marked, [["B", "X", "300"], ["B", "Y", "100"], ["C", "X", "900"]]);
        assert_eq!(answers.rows::<crate::store::RecordId>(2).expect("rows").len(), 0);
        for table in ["reading", "bookmark"] {
            store.assert_no_scan(&format!("SELECT * FROM {table} WHERE member = $key"), vars! { key: "A" }).await;
        }
    }

    #[test]
    fn an_anchor_is_one_the_renderer_makes() {
        assert!(is_anchor("s-ii-nhiem-vu-2"));
        for other in ["", "s", "nhiem-vu", "s-<b>", "s-a b", "s-\"onclick", &format!("s-{}", "a".repeat(400))] {
            assert!(!is_anchor(other), "{other}");
        }
    }
}
