//! Unsaved text: stored by the server every few seconds and offered again when the draft is reopened; and the presence of other
//! editors.
//!
//! Each person has a row of their own for each draft, so concurrent editors never overwrite each other's text.
//! [`Documents::save_draft`] saves; nothing here changes a draft.

use chrono::{DateTime, Days, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    difference::DiffPiece,
    documents::{Body, Title, steps::DocumentStep},
    forms::{FormReader, Problem},
    ids::DocumentId,
    policy::{Action, Role},
    writing::{Kept, Preview, UNSAVED_LISTED, Unsaved, Writing, words},
};

use super::{Documents, DraftForm, convert::writes_somewhere, difference, spawn_blocking};
use crate::{
    Error, Result,
    change::Change,
    markdown,
    store::{KEYS, RecordId, SurrealValue, Variables, pair, pairs_of, vars},
};

/// How long an editor counts as present after the last report: the script reports every 15 seconds, a page without script once.
const PRESENT_FOR: TimeDelta = TimeDelta::seconds(45);

/// How long unsaved text is kept after it was last seen.
const KEPT_FOR: TimeDelta = TimeDelta::days(30);

/// How long after an office has ended a new document is kept that was never stored as typed.
const WROTE_WITHIN: Days = Days::new(2);

/// Unsaved new documents kept for one person, and how many of them are offered.
const UNFINISHED_MAX: usize = 20;
const UNFINISHED_OFFERED: usize = 5;

/// Names of other editors shown at most.
const OTHERS_MAX: usize = 5;

/// The current content of the form.
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

/// New documents never saved, newest first.
const UNFINISHED: &str = "SELECT document, title, body, version, typed_at, seen_at FROM writing WHERE member = $member AND version = 0 \
                          ORDER BY seen_at DESC LIMIT $most";

/// Unsaved texts of all documents, newest first.
const UNSAVED: &str = "SELECT document, title, body, version, typed_at, seen_at FROM writing WHERE member = $member \
                       AND typed_at != NONE ORDER BY seen_at DESC LIMIT $most";

/// The roles held on a day or in the days before it.
const ROLES: &str =
    "SELECT VALUE role FROM office WHERE member = $member AND from <= $today AND (until = NONE OR until >= $since)";

const HAS_UNSAVED: &str = "SELECT VALUE document FROM writing WHERE member = $member AND typed_at != NONE LIMIT 1";

const IS_UNSAVED: &str = "SELECT VALUE document FROM ONLY $writing WHERE typed_at != NONE";

const SEEN: &str =
    "UPSERT $writing SET document = $document, member = $member, opened_at = opened_at ?? $now, seen_at = $now RETURN NONE;";

/// The same, without the texts.
const UNFINISHED_KEYS: &str =
    "SELECT document, seen_at FROM writing WHERE member = $member AND version = 0 ORDER BY seen_at DESC LIMIT $most";

/// The part of a save that clears the text typed before it. Binds `$writing`, see [`writing_of`].
pub(super) const SAVED: &str = "UPDATE $writing SET title = NONE, body = NONE, version = NONE, typed_at = NONE RETURN NONE;";

/// The part of a step after which the draft cannot be edited: ends the presence of its editors. Binds [`gone_vars`].
pub(super) fn gone() -> String {
    format!(
        "LET $present = (SELECT VALUE id FROM {KEYS} WHERE seen_at > $gone); UPDATE $present SET seen_at = $gone RETURN NONE;"
    )
}

/// Bindings of [`gone`].
pub(super) fn gone_vars(id: DocumentId, now: DateTime<Utc>) -> Variables {
    vars! { keys: pairs_of("writing", id), gone: now - PRESENT_FOR }
}

/// The person's row for a draft.
pub(super) fn writing_of(viewer: &Viewer, id: DocumentId) -> RecordId {
    pair("writing", id, viewer.member)
}

impl Documents<'_> {
    /// The rendered text as readers will see it, saved or not.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person who writes for no unit, [`Error::Invalid`] for a text that is too long.
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

    /// Records the person's presence at the draft, and returns their unsaved text and the other editors. Empty for a person who
    /// may only view it.
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
        // Statements 0 and 1 are `BEGIN` and the upsert.
        let typed = answers.row::<TypedRow>(2)?.map(TypedRow::decode).transpose()?.flatten();
        // The text was saved after all, for example in a second window.
        let is_saved = |typed: &Unsaved| typed.body.trim() == desk.body && typed.title.trim() == desk.title();
        Ok(Writing {
            unsaved: typed.filter(|typed| !is_saved(typed)).into_iter().collect(),
            others: self.others(viewer, id).await?,
        })
    }

    /// The person's unsaved new documents.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person who writes for no unit.
    pub async fn unfinished(&self, viewer: &Viewer) -> Result<Writing> {
        writes_somewhere(viewer)?;
        let vars = vars! { member: viewer.member.to_string(), most: i64::try_from(UNFINISHED_OFFERED).unwrap_or(1) };
        let rows: Vec<TypedRow> = self.backend.store().read(UNFINISHED, vars).await?.rows(0)?;
        let unsaved: Vec<Option<Unsaved>> = rows.into_iter().map(TypedRow::decode).collect::<Result<_>>()?;
        Ok(Writing { unsaved: unsaved.into_iter().flatten().collect(), others: Vec::new() })
    }

    /// The person's unsaved texts of all documents. Also for a person who may not write any more: an office can end while its
    /// holder writes.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn unsaved(&self, viewer: &Viewer) -> Result<Vec<Unsaved>> {
        let vars = vars! { member: viewer.member.to_string(), most: i64::try_from(UNSAVED_LISTED).unwrap_or(1) };
        let rows: Vec<TypedRow> = self.backend.store().read(UNSAVED, vars).await?.rows(0)?;
        let unsaved: Vec<Option<Unsaved>> = rows.into_iter().map(TypedRow::decode).collect::<Result<_>>()?;
        Ok(unsaved.into_iter().flatten().collect())
    }

    /// Whether the person has unsaved text: of `document`, or of any document. Also for a person who may not write any more, see
    /// [`Self::unsaved`].
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn has_unsaved(&self, viewer: &Viewer, document: Option<DocumentId>) -> Result<bool> {
        let (sql, vars) = match document {
            Some(id) => (IS_UNSAVED, vars! { writing: writing_of(viewer, id) }),
            None => (HAS_UNSAVED, vars! { member: viewer.member.to_string() }),
        };
        let found: Option<String> = self.backend.store().read(sql, vars).await?.row(0)?;
        Ok(found.is_some())
    }

    /// Stores the current content of the form, replacing the previous content. An empty form clears it.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::NotAllowed`] as [`Documents::draft`], [`Error::Step`] when its state is no longer draft;
    /// [`Error::Invalid`] for a text longer than could ever be saved.
    pub async fn keep_typed(&self, viewer: &Viewer, form: TypedForm<'_>) -> Result<Kept> {
        let id: DocumentId = form.id.parse().map_err(|_| Error::NotFound)?;
        let version: u32 = form.version.parse().map_err(|_| Error::NotFound)?;
        let stored = self.writable(viewer, id, version).await?;
        self.keep(viewer, id, version, form.title, form.body).await?;
        Ok(Kept { at: self.backend.clock().now(), version: stored, others: self.others(viewer, id).await? })
    }

    /// Stores a text that could not be saved because the draft was submitted or discarded meanwhile, or because the person's
    /// office has ended, as an unsaved new document. Returns its id.
    ///
    /// A new document of a person who writes for no unit any more keeps its id, so the same form sent again replaces the text.
    /// Other texts get an id of their own, because theirs is that of a stored document.
    ///
    /// `None` for other errors of the save, and for a person who had not opened the draft. A new document has not been opened if
    /// the browser runs no script: its text is stored for a person whose office covers writing and is held, or has ended within
    /// two days.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a text longer than could ever be saved.
    pub async fn keep_late(&self, viewer: &Viewer, form: DraftForm<'_>, error: &Error) -> Result<Option<DocumentId>> {
        let Ok(id) = form.id.parse::<DocumentId>() else { return Ok(None) };
        if !matches!(error, Error::Step(_) | Error::NotFound | Error::NotAllowed) {
            return Ok(None);
        }
        let opened = "SELECT VALUE member FROM ONLY $writing";
        let opened: Option<String> =
            self.backend.store().read(opened, vars! { writing: writing_of(viewer, id) }).await?.row(0)?;
        let is_new = form.version == "0";
        // A person whose offices are suspended is asked for the password, and the form is kept until then.
        let may_be_unopened = is_new && viewer.resting.is_empty();
        if opened.is_none() && !(may_be_unopened && self.wrote_lately(viewer).await?) {
            return Ok(None);
        }
        // The save of a new document by a person who writes somewhere is refused only for an id that is taken.
        let is_free = is_new && writes_somewhere(viewer).is_err();
        let apart = if is_free { id } else { DocumentId::new(self.backend.clock().ulid()) };
        self.keep(viewer, apart, 0, form.title, form.body).await?;
        if apart != id {
            self.backend.transact(Change::new(SAVED, vars! { writing: writing_of(viewer, id) })).await?;
        }
        Ok(Some(apart))
    }

    /// Whether the person holds an office that covers writing documents, or held one within [`WROTE_WITHIN`].
    async fn wrote_lately(&self, viewer: &Viewer) -> Result<bool> {
        let today = self.backend.clock().today();
        let since = today.checked_sub_days(WROTE_WITHIN).unwrap_or(today);
        let vars = vars! { member: viewer.member.to_string(), today: today.to_string(), since: since.to_string() };
        let roles: Vec<String> = self.backend.store().read(ROLES, vars).await?.rows(0)?;
        Ok(roles.iter().filter_map(|role| Role::from_key(role)).any(|role| role.covers(Action::WriteDocument)))
    }

    async fn keep(&self, viewer: &Viewer, id: DocumentId, version: u32, title: &str, body: &str) -> Result<()> {
        let mut reader = FormReader::new("draft");
        // Accepts up to twice the limit, so that a long text can still be shortened.
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

    /// Records that the person is still editing the draft.
    ///
    /// # Errors
    /// As [`Self::keep_typed`].
    pub async fn still_writing(&self, viewer: &Viewer, id: DocumentId) -> Result<Kept> {
        let stored = self.writable(viewer, id, 1).await?;
        self.backend.transact(Change::new(SEEN, self.seen_vars(viewer, id))).await?;
        Ok(Kept { at: self.backend.clock().now(), version: stored, others: self.others(viewer, id).await? })
    }

    /// The difference between the stored and the typed text, for a person whose save conflicted.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::NotAllowed`] as [`Documents::draft`].
    pub async fn conflict(&self, viewer: &Viewer, id: DocumentId, typed: String) -> Result<Vec<DiffPiece>> {
        let stored = self.on_desk(viewer, id).await?.body;
        let typed = typed.replace("\r\n", "\n");
        spawn_blocking(move || difference(&stored, typed.trim())).await
    }

    /// Discards the person's unsaved text. Also for a person who may not write any more, see [`Self::unsaved`].
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn forget_typed(&self, viewer: &Viewer, id: DocumentId) -> Result<()> {
        self.backend.transact(Change::new(SAVED, vars! { writing: writing_of(viewer, id) })).await?;
        Ok(())
    }

    /// Deletes unsaved text not seen for a month.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn purge_writing(&self) -> Result<u64> {
        Ok(self.backend.store().purge("writing", "seen_at", self.backend.clock().now() - KEPT_FOR).await?)
    }

    /// The stored version of a draft this person may edit; `0` for one not yet stored.
    async fn writable(&self, viewer: &Viewer, id: DocumentId, version: u32) -> Result<u32> {
        match self.on_desk(viewer, id).await {
            Ok(desk) => {
                desk.step(DocumentStep::Edit)?;
                Ok(desk.version())
            }
            // An id created for an empty form. Another person's draft that is hidden from this person looks the same, and is not
            // touched.
            Err(Error::NotFound) if version == 0 => writes_somewhere(viewer).map(|()| 0),
            Err(error) => Err(error),
        }
    }

    /// Names of other editors present within [`PRESENT_FOR`].
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

    /// Deletes the oldest unsaved new documents beyond [`UNFINISHED_MAX`].
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
    async fn unsaved_text_is_found_by_key_or_by_member() {
        let store = migrated().await;
        store.assert_no_scan(TYPED, vars! { writing: pair("writing", Ulid::nil(), Ulid::nil()) }).await;
        store.assert_no_scan(UNFINISHED, vars! { member: "01", most: 5_i64 }).await;
        store.assert_no_scan(UNSAVED, vars! { member: "01", most: 5_i64 }).await;
        store.assert_no_scan(UNFINISHED_KEYS, vars! { member: "01", most: 5_i64 }).await;
        store.assert_no_scan(IS_UNSAVED, vars! { writing: pair("writing", Ulid::nil(), Ulid::nil()) }).await;
        store.assert_no_scan(HAS_UNSAVED, vars! { member: "01" }).await;
        store.assert_no_scan(ROLES, vars! { member: "01", today: "2026-11-21", since: "2026-11-19" }).await;
        store.assert_no_scan(&crate::store::over("writing", "seen_at"), vars! { now: Utc::now() }).await;
    }
}
