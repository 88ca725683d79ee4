//! How far a member has come in a text, on whatever device.

use std::collections::HashMap;

use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    documents::Part,
    ids::{DocumentId, ShelfKey},
};

use super::{Document, Documents};
use crate::{
    Error, Result,
    store::{SurrealValue, pair, vars},
};

/// Opened again within this time, a text was not put down in between.
const ONE_SITTING: TimeDelta = TimeDelta::minutes(10);

/// Bytes of an anchor; ours have at most twelve words.
const HEADING_MAX: usize = 300;

/// What is kept of a member's reading of one document.
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
    /// Keeps the place the person has come to: the furthest, so that leafing back or an old message from another device loses nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such document for this person, or for what is no part of a text.
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
        self.backend.store().write(ADVANCE, vars).await.map(|_| ())
    }

    /// Notes that the person has the document open.
    pub(super) async fn note_opening(&self, viewer: &Viewer, document: &Document, known: Option<&ReadingRow>) -> Result<()> {
        let now = self.backend.clock().now();
        let opened = known.and_then(|known| known.opened.parse::<ShelfKey>().ok());
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
        self.backend.store().write(OPEN, vars).await.map(|_| ())
    }

    /// How far the person has come in each of these, where they have begun.
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

fn part(stored: i64) -> Result<Part> {
    let thousandths = u16::try_from(stored).ok().and_then(|thousandths| Part::try_from(thousandths).ok());
    thousandths.ok_or_else(|| Error::Damaged(format!("{stored} thousandths of a text")))
}

/// Whether this can be the anchor of a heading, as the renderer makes them.
fn is_anchor(text: &str) -> bool {
    text.len() <= HEADING_MAX && text.starts_with("s-") && text.chars().all(|c| c.is_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn places_are_point_gets() {
        let store = migrated().await;
        let reading = || pair("reading", Ulid::nil(), Ulid::nil());
        store.assert_no_scan(READING, vars! { reading: reading() }).await;
        store.assert_no_scan(PARTS, vars! { readings: vec![reading()] }).await;
    }

    #[test]
    fn an_anchor_is_one_the_renderer_makes() {
        assert!(is_anchor("s-ii-nhiem-vu-2"));
        for other in ["", "s", "nhiem-vu", "s-<b>", "s-a b", "s-\"onclick", &format!("s-{}", "a".repeat(400))] {
            assert!(!is_anchor(other), "{other}");
        }
    }
}
