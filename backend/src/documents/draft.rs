//! Drafts, as they are stored and as their editors see them.

use chrono::{DateTime, Utc};
use domain::{
    accounts::Viewer,
    documents::{
        DocumentKind,
        desk::{DocumentDraft, DraftPage, Held},
        steps::{DocumentStatus, DocumentStep, DraftState, EditorPermissions},
    },
    ids::DocumentId,
    locale::utc_of_local,
    policy::Action,
    units::{PickedUnits, UnitRef},
};

use super::{
    Document, DocumentRow, Documents, Particulars, ParticularsRow,
    choices::{choices, highest},
    particulars::Columns,
    signs::Signs,
    steps::looked_at,
};
use crate::{
    Error, Result, markdown,
    store::{SurrealValue, Value, record, vars},
    units::Tree,
};

/// The columns of [`DraftRow`].
pub(super) const DRAFT_COLUMNS: Columns = Columns(
    "record::id(id) AS id, stage, version, saved_at, saved_by, authors, attachments, publish_at, pinned, correction, held, held_at",
);

/// A draft as stored.
#[derive(Debug, Clone, SurrealValue)]
pub(super) struct DraftRow {
    id: String,
    #[surreal(flatten)]
    particulars: ParticularsRow,
    stage: String,
    version: i64,
    saved_at: DateTime<Utc>,
    saved_by: String,
    authors: Vec<String>,
    attachments: Option<Vec<String>>,
    publish_at: Option<DateTime<Utc>>,
    pinned: Option<bool>,
    correction: Option<String>,
    held: Option<String>,
    held_at: Option<DateTime<Utc>>,
}

/// A decoded draft.
#[derive(Debug, Clone)]
pub(super) struct InWork {
    pub(super) id: DocumentId,
    pub(super) particulars: Particulars,
    pub(super) work: DraftState,
    pub(super) version: u32,
    pub(super) saved_at: DateTime<Utc>,
    pub(super) saved_by: String,
    pub(super) authors: Vec<String>,
    /// Ids of its attachments, in order.
    pub(super) attachments: Vec<String>,
    pub(super) publish_at: Option<DateTime<Utc>>,
    pub(super) is_pinned: bool,
    pub(super) correction: Option<String>,
    /// Why the draft was held back and returned to the desk without a request of its editors, and since when.
    held: Option<(Held, DateTime<Utc>)>,
}

impl InWork {
    /// When the text would expire: the end of its last day in local time.
    pub(super) fn expires_at(&self) -> Option<DateTime<Utc>> {
        utc_of_local(self.particulars.expires_on?.succ_opt()?.and_hms_opt(0, 0, 0)?)
    }

    /// Authority flows down: nobody publishes beside or above the issuer. A unit may have moved since the draft was saved. If it
    /// left the issuer's subtree or the audience, the text would reach other members than those approved.
    pub(super) fn reaches_only_below(&self) -> bool {
        let Particulars { issuer, audience, .. } = &self.particulars;
        issuer.path.contains(&audience.unit.path) && audience.is_whole()
    }
}

impl DraftRow {
    pub(super) fn decode(self, tree: &Tree) -> Result<InWork> {
        let damaged = || Error::Damaged(format!("draft {}", self.id));
        let issuer = tree.successor(&self.particulars.issuer).ok_or_else(damaged)?.clone();
        Ok(InWork {
            id: self.id.parse().map_err(|_| damaged())?,
            particulars: self.particulars.decode(tree, issuer).ok_or_else(damaged)?,
            work: DraftState::from_key(&self.stage).ok_or_else(damaged)?,
            version: u32::try_from(self.version).map_err(|_| damaged())?,
            held: match &self.held {
                Some(key) => Some(Held::from_key(key).ok_or_else(damaged)?).zip(self.held_at),
                None => None,
            },
            attachments: self.attachments.unwrap_or_default(),
            saved_at: self.saved_at,
            saved_by: self.saved_by,
            authors: self.authors,
            publish_at: self.publish_at,
            is_pinned: self.pinned.unwrap_or_default(),
            correction: self.correction,
        })
    }
}

/// A document with its draft and its published text.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) work: Option<InWork>,
    pub(super) out: Option<Document>,
    /// The body of `work`, or of `out` when there is no draft.
    pub(super) body: String,
}

/// A document as its editors see it: the draft, the published text, and what this person may do.
#[derive(Debug)]
pub(super) struct OnDesk {
    pub(super) work: Option<InWork>,
    pub(super) out: Option<Document>,
    /// The body of `work`, or of `out` when there is no draft.
    pub(super) body: String,
    pub(super) permissions: EditorPermissions,
}

impl OnDesk {
    pub(super) fn status(&self) -> DocumentStatus {
        DocumentStatus { work: self.work.as_ref().map(|work| work.work), out: self.out.as_ref().map(|out| out.out) }
    }

    /// The unit that issues the draft, or else the published text.
    pub(super) fn issuer(&self) -> Result<&UnitRef> {
        let work = self.work.as_ref().map(|work| &work.particulars.issuer);
        work.or_else(|| self.out.as_ref().map(|out| &out.particulars.issuer)).ok_or(Error::NotFound)
    }

    pub(super) fn title(&self) -> String {
        let work = self.work.as_ref().map(|work| work.particulars.title.clone());
        work.or_else(|| self.out.as_ref().map(|out| out.particulars.title.clone())).unwrap_or_default()
    }

    pub(super) fn version(&self) -> u32 {
        self.work.as_ref().map_or_else(|| self.out.as_ref().map_or(0, |out| out.version), |work| work.version)
    }

    /// Returns the status after a step; refuses a step that this person may not take or that the current status does not allow.
    ///
    /// # Errors
    /// [`Error::NotAllowed`], [`Error::Step`].
    pub(super) fn step(&self, step: DocumentStep) -> Result<DocumentStatus> {
        if !self.permissions.may(step) {
            return Err(Error::NotAllowed);
        }
        Ok(self.status().after(step)?)
    }
}

impl Documents<'_> {
    /// An empty form with a new id. Stores nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person who writes for no unit.
    pub async fn blank(&self, viewer: &Viewer) -> Result<DraftPage> {
        self.blank_picking(viewer, None).await
    }

    /// The same, with the units picked in a form that is not saved.
    ///
    /// # Errors
    /// As [`Self::blank`].
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn blank_picking(&self, viewer: &Viewer, picked: Option<&PickedUnits>) -> Result<DraftPage> {
        let tree = self.backend.units().tree();
        let unit = highest(&tree, &viewer.standpoint.top_units(Action::WriteDocument))?.clone();
        let clock = self.backend.clock();
        let particulars = Particulars::new(DocumentKind::News, String::new(), unit.clone(), unit);
        let draft = particulars.form(DocumentId::new(clock.ulid()), &Signs::default(), clock.now());
        let permissions = EditorPermissions { writes: true, ..EditorPermissions::default() };
        Ok(self.draft_page(viewer, &tree, draft, permissions, picked))
    }

    /// The draft in the form, or the published text when there is no draft.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the document is hidden from the person, [`Error::NotAllowed`] when they may only read the
    /// published text.
    pub async fn draft(&self, viewer: &Viewer, id: DocumentId) -> Result<DraftPage> {
        let tree = self.backend.units().tree();
        let desk = self.on_desk(viewer, id).await?;
        let (wanted, open_remarks) = self.last_verdict(id, desk.version()).await?;
        let publish_at = desk.work.as_ref().and_then(|work| work.publish_at);
        let withdrawn = self.withdrawal(id, &desk).await?;
        let review = looked_at(&desk, self.review_key(id).await?.as_deref());
        let held = desk.work.as_ref().and_then(|work| work.held);
        let permissions = desk.permissions;
        let draft = self.drafted(desk).await?;
        let page = self.draft_page(viewer, &tree, draft, permissions, None);
        Ok(DraftPage { review, wanted, open_remarks, publish_at, withdrawn, held, ..page })
    }

    /// The same, with the units picked in a form that is not saved.
    ///
    /// # Errors
    /// As [`Self::draft`].
    pub async fn draft_picking(&self, viewer: &Viewer, id: DocumentId, picked: &PickedUnits) -> Result<DraftPage> {
        let mut page = self.draft(viewer, id).await?;
        page.parts = self.part_choices(&self.backend.units().tree(), viewer, &page.draft.whom(), Some(picked));
        Ok(page)
    }

    /// The draft and the published text, for a person with permissions on them.
    ///
    /// # Errors
    /// As [`Self::draft`].
    pub(super) async fn on_desk(&self, viewer: &Viewer, id: DocumentId) -> Result<OnDesk> {
        let Stored { work, out, body } = self.stored(id).await?;
        if work.is_none() && out.is_none() {
            return Err(Error::NotFound);
        }
        let permissions = self.permissions(viewer, id, work.as_ref(), out.as_ref()).await?;
        if permissions.may_read() {
            Ok(OnDesk { work, out, body, permissions })
        } else if out.is_some_and(|out| out.is_readable_for(viewer)) {
            Err(Error::NotAllowed)
        } else {
            Err(Error::NotFound)
        }
    }

    /// A person's permissions on a document, used for its attachments.
    ///
    /// # Errors
    /// As [`Self::draft`].
    pub(crate) async fn permissions_of(&self, viewer: &Viewer, id: DocumentId) -> Result<EditorPermissions> {
        Ok(self.on_desk(viewer, id).await?.permissions)
    }

    /// The draft and the published text, without a permission check.
    pub(super) async fn stored(&self, id: DocumentId) -> Result<Stored> {
        let sql = format!(
            "SELECT {DRAFT_COLUMNS} FROM ONLY $draft; SELECT VALUE body FROM ONLY $draft_text; \
             SELECT {} FROM ONLY $document; SELECT VALUE body FROM ONLY $text;",
            super::COLUMNS
        );
        let vars = vars! {
            draft: record("draft", id),
            draft_text: record("draft_text", id),
            document: record("document", id),
            text: record("document_text", id),
        };
        let mut answers = self.backend.store().read(sql, vars).await?;
        let tree = self.backend.units().tree();
        let work = answers.row::<DraftRow>(0)?.map(|row| row.decode(&tree)).transpose()?;
        let out = answers.row::<DocumentRow>(2)?.map(|row| row.decode(&tree)).transpose()?;
        let body: Option<String> = answers.row(if work.is_some() { 1 } else { 3 })?;
        Ok(Stored { work, out, body: body.unwrap_or_default() })
    }

    /// The person's permissions on the document.
    async fn permissions(
        &self,
        viewer: &Viewer,
        id: DocumentId,
        work: Option<&InWork>,
        out: Option<&Document>,
    ) -> Result<EditorPermissions> {
        let standpoint = &viewer.standpoint;
        // Both issuers are checked: the issuer of the published text may withdraw it, even if a draft moves it to another
        // issuer.
        let mut issuers =
            [work.map(|work| &work.particulars.issuer), out.map(|out| &out.particulars.issuer)].into_iter().flatten();
        let may = |action| issuers.clone().all(|issuer| standpoint.may_by_office(action, &issuer.path));
        let (writes, publishes) = (may(Action::WriteDocument), may(Action::PublishDocument));
        let member = viewer.member.to_string();
        let is_author = match work {
            Some(work) if publishes => self.is_author(&work.authors, &member).await?,
            Some(work) => work.authors.contains(&member),
            None => false,
        };
        let issuers_path = work.map(|work| &work.particulars.issuer.path);
        let own_approval = match issuers.next() {
            Some(issuer) if publishes && is_author => self.own_approval(issuer.id).await?,
            _ => false,
        };
        let (reviews, comments) = match work {
            Some(work) if work.work == DraftState::InReview => self.asked_of(id, work.version, &member).await?,
            _ => (false, false),
        };
        // A reviewer who has left the office or the unit is no longer asked.
        let reviews = reviews && writes;
        let comments = comments && issuers_path.is_some_and(|issuer| issuer.contains(&standpoint.branch));
        Ok(EditorPermissions { writes, publishes, reviews, comments, is_author, own_approval })
    }

    /// Whether one of the authors is this member, or a record that was merged into this member's.
    pub(super) async fn is_author(&self, authors: &[String], member: &str) -> Result<bool> {
        let mut records = authors.to_vec();
        while !records.is_empty() {
            if records.iter().any(|record| record == member) {
                return Ok(true);
            }
            // A record is merged once, so every chain ends.
            let ids: Vec<_> = records.iter().map(|id| record("member", id)).collect();
            let sql = "SELECT VALUE merged_into FROM $ids WHERE merged_into != NONE";
            records = self.backend.store().read(sql, vars! { ids: ids }).await?.rows(0)?;
        }
        Ok(false)
    }

    /// The content of the form.
    pub(super) async fn drafted(&self, desk: OnDesk) -> Result<DocumentDraft> {
        let status = desk.status();
        let OnDesk { work, out, body, .. } = desk;
        let Some(work) = work else {
            let out = out.ok_or(Error::NotFound)?;
            return self.as_draft(out, body, status).await;
        };
        let signs = self.signs(&work.particulars.related).await?;
        Ok(DocumentDraft {
            is_pinned: work.is_pinned,
            correction: work.correction.unwrap_or_default(),
            body,
            status,
            version: work.version,
            ..work.particulars.form(work.id, &signs, work.saved_at)
        })
    }

    /// The page without what must be read from the store.
    fn draft_page(
        &self,
        viewer: &Viewer,
        tree: &Tree,
        draft: DocumentDraft,
        permissions: EditorPermissions,
        picked: Option<&PickedUnits>,
    ) -> DraftPage {
        let top_units = viewer.standpoint.top_units(Action::WriteDocument);
        let whom = draft.whom();
        let audiences = choices(tree, &top_units, &draft.audience, |_| true);
        let statistics = self.backend.statistics();
        DraftPage {
            audience_members: audiences.iter().map(|unit| statistics.members(&viewer.standpoint, tree, unit)).collect(),
            preview: markdown::render(&draft.body).html,
            permissions,
            reach: self.reach(tree, viewer, &whom),
            issuers: choices(tree, &top_units, &draft.issuer, |unit| unit.kind.issues_documents()),
            audiences,
            parts: self.part_choices(tree, viewer, &whom, picked),
            draft,
            review: None,
            wanted: None,
            publish_at: None,
            withdrawn: None,
            held: None,
            open_remarks: 0,
        }
    }
}
