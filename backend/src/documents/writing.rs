//! Writing that is not saved yet: kept by the server every few seconds, offered again at the next opening; and who else is at it.
//!
//! Each person has a row of their own for each draft, so nobody's typing is ever in another's way. A save is [`Documents::save_draft`];
//! nothing here touches a draft.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    difference::DiffPiece,
    documents::{Body, Title, steps::DocumentStep},
    forms::{FormReader, Problem},
    ids::DocumentId,
    writing::{Kept, Preview, Unsaved, Writing, words},
};

use super::{Documents, DraftForm, convert::writes_somewhere, difference, spawn_blocking};
use crate::{
    Error, Result,
    change::Change,
    markdown,
    store::{KEYS, RecordId, SurrealValue, Variables, pair, pairs_of, vars},
};

/// Who was seen at a draft this long ago is still at it: the script tells every 15 seconds, a page without script once.
const PRESENT_FOR: TimeDelta = TimeDelta::seconds(45);

/// What was typed is kept this long after it was last looked at.
const KEPT_FOR: TimeDelta = TimeDelta::days(30);

/// Texts never saved that are kept for one person, and those of them that are offered.
const UNFINISHED_MAX: usize = 20;
const UNFINISHED_OFFERED: usize = 5;

/// Names told of others who are at the same draft.
const OTHERS_MAX: usize = 5;

/// What the form holds at the moment.
#[derive(Debug, Clone, Copy)]
pub struct TypedForm<'f> {
    pub id: &'f str,
    pub version: &'f str,
    pub title: &'f str,
    pub body: &'f str,
}

#[derive(Debug, SurrealValue)]
struct KeyRow {
    document: String,
}

#[derive(Debug, SurrealValue)]
struct TypedRow {
    document: String,
    title: Option<String>,
    body: Option<String>,
    version: Option<i64>,
    typed_at: Option<DateTime<Utc>>,
}

impl TypedRow {
    fn decode(self) -> Result<Option<Unsaved>> {
        let damaged = || Error::Damaged(format!("writing at {}", self.document));
        let (Some(title), Some(body), Some(version), Some(at)) = (&self.title, &self.body, self.version, self.typed_at) else {
            return Ok(None);
        };
        Ok(Some(Unsaved {
            document: self.document.parse().map_err(|_| damaged())?,
            version: u32::try_from(version).map_err(|_| damaged())?,
            title: title.clone(),
            body: body.clone(),
            at,
        }))
    }
}

const TYPED: &str = "SELECT document, title, body, version, typed_at FROM ONLY $writing";

/// Of documents never saved, the newest first.
const UNFINISHED: &str = "SELECT document, title, body, version, typed_at, seen_at FROM writing WHERE member = $member AND version = 0 \
                          ORDER BY seen_at DESC LIMIT $most";

const SEEN: &str =
    "UPSERT $writing SET document = $document, member = $member, opened_at = opened_at ?? $now, seen_at = $now RETURN NONE;";

/// The same, without the texts.
const UNFINISHED_KEYS: &str =
    "SELECT document, seen_at FROM writing WHERE member = $member AND version = 0 ORDER BY seen_at DESC LIMIT $most";

/// The part of a save that ends what was typed before it. Wants `$writing`, see [`writing_of`].
pub(super) const SAVED: &str = "UPDATE $writing SET title = NONE, body = NONE, version = NONE, typed_at = NONE RETURN NONE;";

/// The part of a step after which nobody can write at the draft: whoever was at it no longer is. Wants [`gone_vars`].
pub(super) fn gone() -> String {
    format!(
        "LET $present = (SELECT VALUE id FROM {KEYS} WHERE seen_at > $gone); UPDATE $present SET seen_at = $gone RETURN NONE;"
    )
}

/// Bindings of [`gone`].
pub(super) fn gone_vars(id: DocumentId, now: DateTime<Utc>) -> Variables {
    vars! { keys: pairs_of("writing", id), gone: now - PRESENT_FOR }
}

/// The person's row of a draft.
pub(super) fn writing_of(viewer: &Viewer, id: DocumentId) -> RecordId {
    pair("writing", id, viewer.member)
}

impl Documents<'_> {
    /// The text as its readers will see it, saved or not.
    ///
    /// # Errors
    /// [`Error::NotFound`] for who writes nowhere, [`Error::Invalid`] for a text that is too long.
    pub async fn preview(&self, viewer: &Viewer, body: String) -> Result<Preview> {
        writes_somewhere(viewer)?;
        let mut form = FormReader::new("draft");
        let characters = form.read("body", &body, |body| {
            let characters = body.chars().count();
            if characters > Body::MAX as usize { Err(Problem::TooLong { max: Body::MAX }) } else { Ok(characters) }
        });
        form.finish()?;
        spawn_blocking(move || Preview {
            html: markdown::render(&body).html,
            words: words(&body),
            characters: characters.and_then(|characters| u32::try_from(characters).ok()).unwrap_or(u32::MAX),
            minutes: Body::parse(&body).map_or(1, |body| body.minutes()),
        })
        .await
    }

    /// Notes that the person is at the draft, and tells what they typed before and who else is at it. Nothing for who may only look.
    ///
    /// # Errors
    /// As [`Documents::draft`].
    pub async fn begin_writing(&self, viewer: &Viewer, id: DocumentId) -> Result<Writing> {
        let desk = self.on_desk(viewer, id).await?;
        if desk.step(DocumentStep::Edit).is_err() {
            return Ok(Writing::default());
        }
        let vars = self.seen_vars(viewer, id);
        let mut answers = self.backend.transact(Change::new(&format!("{SEEN} {TYPED};"), vars)).await?;
        // `BEGIN` and the note come first.
        let typed = answers.row::<TypedRow>(2)?.map(TypedRow::decode).transpose()?.flatten();
        // Saved all the same, e.g. by a second window.
        let is_saved = |typed: &Unsaved| typed.body.trim() == desk.body && typed.title.trim() == desk.title();
        Ok(Writing {
            unsaved: typed.filter(|typed| !is_saved(typed)).into_iter().collect(),
            others: self.others(viewer, id).await?,
        })
    }

    /// What the person typed of documents that were never saved.
    ///
    /// # Errors
    /// [`Error::NotFound`] for who writes nowhere.
    pub async fn unfinished(&self, viewer: &Viewer) -> Result<Writing> {
        writes_somewhere(viewer)?;
        let vars = vars! { member: viewer.member.to_string(), most: i64::try_from(UNFINISHED_OFFERED).unwrap_or(1) };
        let rows: Vec<TypedRow> = self.backend.store().read(UNFINISHED, vars).await?.rows(0)?;
        let unsaved: Vec<Option<Unsaved>> = rows.into_iter().map(TypedRow::decode).collect::<Result<_>>()?;
        Ok(Writing { unsaved: unsaved.into_iter().flatten().collect(), others: Vec::new() })
    }

    /// Keeps what the form holds at the moment, in place of what it held before. An empty form keeps nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::NotAllowed`] as [`Documents::draft`], [`Error::Step`] when it is no draft any more;
    /// [`Error::Invalid`] for what is longer than could ever be saved.
    pub async fn keep_typed(&self, viewer: &Viewer, form: TypedForm<'_>) -> Result<Kept> {
        let id: DocumentId = form.id.parse().map_err(|_| Error::NotFound)?;
        let version: u32 = form.version.parse().map_err(|_| Error::NotFound)?;
        let stored = self.writable(viewer, id, version).await?;
        self.keep(viewer, id, version, form.title, form.body).await?;
        Ok(Kept { at: self.backend.clock().now(), version: stored, others: self.others(viewer, id).await? })
    }

    /// Keeps a text that came too late to be saved, because the draft was sent on or thrown away while somebody wrote at it: as a text
    /// of their own that was never saved. Returns where; nothing for who had not opened the draft, and for other `errors` of the save.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is longer than could ever be saved.
    pub async fn keep_late(&self, viewer: &Viewer, form: DraftForm<'_>, error: &Error) -> Result<Option<DocumentId>> {
        let Ok(id) = form.id.parse::<DocumentId>() else { return Ok(None) };
        if form.version == "0" || !matches!(error, Error::Step(_) | Error::NotFound | Error::NotAllowed) {
            return Ok(None);
        }
        let opened = "SELECT VALUE member FROM ONLY $writing";
        let opened: Option<String> =
            self.backend.store().read(opened, vars! { writing: writing_of(viewer, id) }).await?.row(0)?;
        if opened.is_none() {
            return Ok(None);
        }
        let apart = DocumentId::new(self.backend.clock().ulid());
        self.keep(viewer, apart, 0, form.title, form.body).await?;
        self.backend.transact(Change::new(SAVED, vars! { writing: writing_of(viewer, id) })).await?;
        Ok(Some(apart))
    }

    async fn keep(&self, viewer: &Viewer, id: DocumentId, version: u32, title: &str, body: &str) -> Result<()> {
        let mut reader = FormReader::new("draft");
        // Too long to be saved as it is, but not too long to be shortened.
        for (field, typed, max) in [("title", title, Title::MAX), ("body", body, Body::MAX)] {
            reader.read(field, typed, |typed| {
                if typed.chars().count() > 2 * max as usize { Err(Problem::TooLong { max }) } else { Ok(()) }
            });
        }
        reader.finish()?;
        let mut vars = self.seen_vars(viewer, id);
        let typed = if title.trim().is_empty() && body.trim().is_empty() {
            SAVED
        } else {
            vars.extend(vars! { title: title, body: body.replace("\r\n", "\n"), version: i64::from(version) });
            "UPDATE $writing SET title = $title, body = $body, version = $version, typed_at = $now RETURN NONE;"
        };
        self.backend.transact(Change::new(&format!("{SEEN} {typed}"), vars)).await?;
        if version == 0 {
            self.forget_oldest(viewer).await?;
        }
        Ok(())
    }

    /// Notes that the person is still at the draft.
    ///
    /// # Errors
    /// As [`Self::keep_typed`].
    pub async fn still_writing(&self, viewer: &Viewer, id: DocumentId) -> Result<Kept> {
        let stored = self.writable(viewer, id, 1).await?;
        self.backend.transact(Change::new(SEEN, self.seen_vars(viewer, id))).await?;
        Ok(Kept { at: self.backend.clock().now(), version: stored, others: self.others(viewer, id).await? })
    }

    /// How what was typed differs from the stored text: for who saves after somebody else did.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::NotAllowed`] as [`Documents::draft`].
    pub async fn conflict(&self, viewer: &Viewer, id: DocumentId, typed: String) -> Result<Vec<DiffPiece>> {
        let stored = self.on_desk(viewer, id).await?.body;
        let typed = typed.replace("\r\n", "\n");
        spawn_blocking(move || difference(&stored, typed.trim())).await
    }

    /// Throws away what the person typed and did not save.
    ///
    /// # Errors
    /// [`Error::NotFound`] for who writes nowhere.
    pub async fn forget_typed(&self, viewer: &Viewer, id: DocumentId) -> Result<()> {
        writes_somewhere(viewer)?;
        self.backend.transact(Change::new(SAVED, vars! { writing: writing_of(viewer, id) })).await?;
        Ok(())
    }

    /// Deletes what nobody has looked at for a month.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn purge_writing(&self) -> Result<u64> {
        Ok(self.backend.store().purge("writing", "seen_at", self.backend.clock().now() - KEPT_FOR).await?)
    }

    /// The stored version of a draft this person may write at; 0 for one that is not stored yet.
    async fn writable(&self, viewer: &Viewer, id: DocumentId, version: u32) -> Result<u32> {
        match self.on_desk(viewer, id).await {
            Ok(desk) => {
                desk.step(DocumentStep::Edit)?;
                Ok(desk.version())
            }
            // An id that was made for an empty form. One that belongs to others looks the same, and stays theirs.
            Err(Error::NotFound) if version == 0 => writes_somewhere(viewer).map(|()| 0),
            Err(error) => Err(error),
        }
    }

    /// Names of those who were at the draft within [`PRESENT_FOR`].
    async fn others(&self, viewer: &Viewer, id: DocumentId) -> Result<Vec<String>> {
        let vars = vars! {
            keys: pairs_of("writing", id),
            since: self.backend.clock().now() - PRESENT_FOR,
            member: viewer.member.to_string(),
        };
        let sql = format!("SELECT VALUE member FROM {KEYS} WHERE seen_at > $since AND member != $member LIMIT {OTHERS_MAX}");
        let members: Vec<String> = self.backend.store().read(sql, vars).await?.rows(0)?;
        Ok(self.names(members).await?.into_values().collect())
    }

    /// Nobody needs more unfinished texts than that.
    async fn forget_oldest(&self, viewer: &Viewer) -> Result<()> {
        let vars = vars! { member: viewer.member.to_string(), most: i64::try_from(2 * UNFINISHED_MAX).unwrap_or(1) };
        let rows: Vec<KeyRow> = self.backend.store().read(UNFINISHED_KEYS, vars).await?.rows(0)?;
        let over: Vec<RecordId> =
            rows.iter().skip(UNFINISHED_MAX).map(|row| pair("writing", &row.document, viewer.member)).collect();
        if !over.is_empty() {
            self.backend.transact(Change::new("DELETE $over RETURN NONE", vars! { over: over })).await?;
        }
        Ok(())
    }

    fn seen_vars(&self, viewer: &Viewer, id: DocumentId) -> Variables {
        vars! {
            writing: writing_of(viewer, id),
            document: id.to_string(),
            member: viewer.member.to_string(),
            now: self.backend.clock().now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn what_was_typed_is_found_by_its_key_or_by_its_member() {
        let store = migrated().await;
        store.assert_no_scan(TYPED, vars! { writing: pair("writing", Ulid::nil(), Ulid::nil()) }).await;
        store.assert_no_scan(UNFINISHED, vars! { member: "01", most: 5_i64 }).await;
        store.assert_no_scan(UNFINISHED_KEYS, vars! { member: "01", most: 5_i64 }).await;
        store.assert_no_scan(&crate::store::over("writing", "seen_at"), vars! { now: Utc::now() }).await;
    }
}
