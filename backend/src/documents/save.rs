//! Saves the form as the next version of the draft.

use domain::{
    accounts::Viewer,
    documents::{desk::Remark, steps::DocumentStep},
    events::EventBody,
    forms::{FormErrors, FormReader, Problem},
    ids::DocumentId,
    policy::Action,
};

use super::{
    Documents, Particulars,
    draft::InWork,
    form::{Draft, DraftForm},
    particulars::copied,
    writing::{SAVED, writing_of},
};
use crate::{
    Error, Result,
    change::Change,
    store::{RecordId, StoreError, Variables, pair, record, vars},
};

impl Documents<'_> {
    /// Stores the form as the next version of the draft, or as a new draft.
    ///
    /// # Errors
    /// [`Error::Invalid`] for problems the editor can fix, [`Problem::Stale`] on `body` after a concurrent save: the stored text
    /// is kept and the typed one is returned, so nothing is lost. [`Error::Busy`] while a unit is being moved; [`Error::Step`]
    /// when its state is no longer draft; [`Error::NotFound`] and [`Error::NotAllowed`] as [`Self::draft`].
    pub async fn save_draft(&self, viewer: &Viewer, form: DraftForm<'_>) -> Result<DocumentId> {
        let id: DocumentId = form.id.parse().map_err(|_| Error::NotFound)?;
        let version: u32 = form.version.parse().map_err(|_| Error::NotFound)?;
        let mut stored = None;
        if version > 0 {
            let desk = self.on_desk(viewer, id).await?;
            desk.step(DocumentStep::Edit)?;
            stored = Some(desk);
        } else if viewer.standpoint.top_units(Action::WriteDocument).is_empty() {
            return Err(Error::NotFound);
        }
        let (reader, draft) = self.parse_form(viewer, &form, stored.as_ref()).await?;
        let (save, body) = if version == 0 {
            let create = format!("{UNKNOWN} {IN_PLACE} {FREE} CREATE $draft SET authors = [$editor]");
            (create, EventBody::DocumentDrafted(id))
        } else {
            let update = format!("{UNCHANGED} {IN_PLACE} {FREE} UPDATE $draft SET authors = array::union(authors, [$editor])");
            (update, EventBody::DocumentSaved { document: id, restored: None })
        };
        let vars = self.draft_vars(viewer, id, version, &draft);
        let change = Change::new(&format!("{save}, {} RETURN NONE; {TEXT} {SAVED}", draft_set()), vars);
        let change = change.event(self.backend.clock(), Some(viewer.member), &draft.particulars.issuer.path, body);
        match self.backend.transact(change).await {
            Ok(_) => Ok(id),
            Err(StoreError::Thrown(reason)) if reason.contains(TAKEN) => {
                Err(self.taken(viewer, reader, "number", &draft, id).await?.into())
            }
            Err(StoreError::Thrown(reason)) if reason.contains(MOVED) => Err(Error::Busy),
            Err(StoreError::Exists | StoreError::Thrown(_)) if self.is_saved(viewer, id, version, &draft).await? => Ok(id),
            Err(StoreError::Exists | StoreError::Thrown(_)) => {
                // Submitted or discarded meanwhile: the step error applies, since there is nothing to compare with.
                self.on_desk(viewer, id).await?.step(DocumentStep::Edit)?;
                Err(reader.refused("body", Problem::Stale).into())
            }
            Err(StoreError::Taken { .. }) => Err(self.taken(viewer, reader, "number", &draft, id).await?.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the form says what the newest saved version says: that one can be sent for review, and nobody becomes an author of it.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::NotFound`], [`Error::NotAllowed`] and [`Error::Step`] as [`Self::save_draft`].
    pub async fn is_as_saved(&self, viewer: &Viewer, form: DraftForm<'_>) -> Result<bool> {
        let id: DocumentId = form.id.parse().map_err(|_| Error::NotFound)?;
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::Edit)?;
        let (_, draft) = self.parse_form(viewer, &form, Some(&desk)).await?;
        Ok(desk.work.is_some_and(|work| {
            work.version.to_string() == form.version && work.has_particulars_of(&draft) && desk.body == draft.body.as_str()
        }))
    }

    async fn taken(&self, viewer: &Viewer, reader: FormReader, field: &str, draft: &Draft, id: DocumentId) -> Result<FormErrors> {
        let Particulars { number, issuer, .. } = &draft.particulars;
        self.number_taken(viewer, reader, field, (number.as_deref().unwrap_or_default(), issuer.id, id)).await
    }

    /// Whether this very form was saved before: submitting it twice is not a conflict.
    async fn is_saved(&self, viewer: &Viewer, id: DocumentId, version: u32, draft: &Draft) -> Result<bool> {
        let desk = self.on_desk(viewer, id).await?;
        Ok(desk.work.is_some_and(|work| {
            work.version == version + 1
                && work.saved_by == viewer.member.to_string()
                && work.has_particulars_of(draft)
                && desk.body == draft.body.as_str()
        }))
    }

    fn draft_vars(&self, viewer: &Viewer, id: DocumentId, version: u32, draft: &Draft) -> Variables {
        let Particulars { number, issuer, audience, .. } = &draft.particulars;
        vars! {
            draft: record("draft", id),
            draft_text: record("draft_text", id),
            document: record("document", id),
            revision: revision_of(id, version + 1),
            writing: writing_of(viewer, id),
            version: i64::from(version),
            next: i64::from(version) + 1,
            particulars: draft.particulars.row(),
            number: number.clone(),
            issuer: issuer.id.to_string(),
            issuer_unit: record("unit", issuer.id),
            audience_unit: record("unit", audience.unit.id),
            pinned: draft.is_pinned.then_some(true),
            correction: draft.correction.as_ref().map(|remark| remark.as_str().to_owned()),
            minutes: i64::from(draft.body.minutes()),
            body: draft.body.as_str(),
            now: self.backend.clock().now(),
            editor: viewer.member.to_string(),
        }
    }
}

impl InWork {
    /// Whether the form equals the stored draft, apart from the body.
    fn has_particulars_of(&self, draft: &Draft) -> bool {
        self.particulars.say_the_same(&draft.particulars)
            && self.is_pinned == draft.is_pinned
            && self.correction.as_deref() == draft.correction.as_ref().map(Remark::as_str)
    }
}

/// The record of a saved version.
pub(super) fn revision_of(id: DocumentId, version: u32) -> RecordId {
    pair("document_revision", id, format!("{version:06}"))
}

/// The `SET` clause of a save: the particulars and the draft's own columns.
fn draft_set() -> String {
    format!(
        "{}, pinned = $pinned, correction = $correction, stage = 'draft', version = $next, minutes = $minutes, saved_at = $now, \
         saved_by = $editor",
        copied("$particulars")
    )
}

/// Stores the body, and a revision with it.
const TEXT: &str = "UPSERT $draft_text SET body = $body RETURN NONE; \
                    CREATE $revision SET title = $particulars.title, body = $body, at = $now, by = $editor RETURN NONE;";

/// Aborts the transaction when the document exists: a new draft belongs to a new document.
const UNKNOWN: &str = "IF (SELECT VALUE version FROM ONLY $document) != NONE { THROW 'known' };";

/// The reason thrown by [`FREE`].
const TAKEN: &str = "number taken";

/// Aborts the transaction when the issuer's number belongs to another document that is or was published. A unique index covers
/// drafts among themselves. Both values are bound on their own so that the engine uses the index.
const FREE: &str = "IF $number != NONE AND array::len(SELECT VALUE id FROM document WHERE issuer = $issuer AND number = $number \
                    AND id != $document) > 0 { THROW 'number taken' };";

/// Aborts the transaction when the draft was saved or submitted since the editor began.
const UNCHANGED: &str = "LET $found = (SELECT version, stage FROM ONLY $draft); \
                         IF $found.version != $version OR $found.stage != 'draft' { THROW 'stale' };";

/// The reason thrown by [`IN_PLACE`].
const MOVED: &str = "moved";

/// Aborts the transaction when one of its units moved since the tree was read: the update that follows a move would miss this
/// row, and it would keep a stale path.
const IN_PLACE: &str = "IF (SELECT VALUE path FROM ONLY $issuer_unit) != $particulars.issuer_path \
                        OR (SELECT VALUE path FROM ONLY $audience_unit) != $particulars.audience_path { THROW 'moved' };";
