//! Writing: the text in work, its form, and the versions it is saved in.

use chrono::{DateTime, Utc};
use domain::{
    accounts::Viewer,
    audience::Audience,
    documents::{
        Body, DocumentField, DocumentKind, DocumentNumber, Relation, Title,
        desk::{DocumentDraft, DraftPage, Held, PartChoices, Remark},
        steps::{DocumentStep, Hand, Situation, Work},
    },
    events::EventKind,
    folding::fold,
    forms::{self, FormErrors, FormReader, Problem, bounded_line},
    ids::DocumentId,
    locale::utc_of_local,
    members::Standing,
    policy::Action,
    units::{UnitKind, UnitPath, UnitRef},
};

use super::{
    Document, Documents, Particulars, ParticularsRow, RelatedRow,
    particulars::{Columns, copied},
    signs::Signs,
    steps::looked_at,
    writing::{SAVED, writing_of},
};
use crate::{
    Error, Result, events, markdown,
    store::{RecordId, SurrealValue, Value, Variables, pair, record, vars},
    units::Tree,
};

/// Units a choice offers at most: a list a person can still go through.
const CHOICES: usize = 400;

/// Parts of an audience that are listed at most; others are looked for by name.
const PARTS_LISTED: usize = 200;

/// Characters of a signer's name and office.
const SIGNER_MAX: u32 = 120;

/// Declares the form and, from the same list, what is given back of it: a field that is typed is also kept.
macro_rules! draft_form {
    ($($(#[$attribute:meta])* $field:ident,)+) => {
        /// The editor's form as it was typed.
        #[derive(Debug, Clone, Copy, Default)]
        pub struct DraftForm<'f> {
            $($(#[$attribute])* pub $field: &'f str,)+
            /// Of the audience, only these: ids of units below it, and keys of levels for all its units of that level. None: all of it.
            pub parts: &'f [String],
        }

        impl<'f> DraftForm<'f> {
            /// The names of the fields, each with what was typed. Without `parts`.
            pub fn fields(&self) -> Vec<(&'static str, &'f str)> {
                vec![$((stringify!($field), self.$field)),+]
            }
        }
    };
}

draft_form! {
    id,
    /// The version the editor started from; `0` for a document not stored yet.
    version,
    kind,
    number,
    title,
    /// Who signed it, as it stands on paper.
    signer,
    field,
    issuer,
    audience,
    /// Keys of standings, separated by commas; empty for everybody in the audience.
    standings,
    /// Numbers of documents, separated by commas.
    supersedes,
    amends,
    guides,
    must_read_by,
    expires_on,
    /// Anything but nothing for "stands first".
    pinned,
    correction,
    body,
}

/// Whom a form is for that is not saved yet. As in [`DraftForm`].
#[derive(Debug, Clone, Copy)]
pub struct ReachForm<'f> {
    pub audience: &'f str,
    pub parts: &'f [String],
    pub standings: &'f str,
}

/// The form once every field was understood.
struct Draft {
    particulars: Particulars,
    is_pinned: bool,
    correction: Option<Remark>,
    body: Body,
}

/// The columns of [`DraftRow`].
pub(super) const DRAFT_COLUMNS: Columns = Columns(
    "record::id(id) AS id, stage, version, saved_at, saved_by, authors, attachments, publish_at, pinned, correction, held, held_at",
);

/// A text in work as it lies in the store.
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

/// A text in work whose columns were understood.
#[derive(Debug, Clone)]
pub(super) struct InWork {
    pub(super) id: DocumentId,
    pub(super) particulars: Particulars,
    pub(super) work: Work,
    pub(super) version: u32,
    pub(super) saved_at: DateTime<Utc>,
    saved_by: String,
    pub(super) authors: Vec<String>,
    /// Ids of its files, in their order.
    pub(super) attachments: Vec<String>,
    pub(super) publish_at: Option<DateTime<Utc>>,
    is_pinned: bool,
    pub(super) correction: Option<String>,
    /// Why it lies on the desk again without anybody of its editors having asked for that, and since when.
    held: Option<(Held, DateTime<Utc>)>,
}

impl InWork {
    /// The moment after which it would not be out any more: the end of its last day here.
    pub(super) fn expires_at(&self) -> Option<DateTime<Utc>> {
        utc_of_local(self.particulars.expires_on?.succ_opt()?.and_hms_opt(0, 0, 0)?)
    }

    /// Whether the form says the same as what is stored, but for the text.
    fn has_particulars_of(&self, draft: &Draft) -> bool {
        self.particulars.say_the_same(&draft.particulars)
            && self.is_pinned == draft.is_pinned
            && self.correction.as_deref() == draft.correction.as_ref().map(Remark::as_str)
    }

    /// Authority flows down: nobody publishes beside or above the issuer. A unit may have moved since the text was saved, and with one
    /// that left its audience the text would reach others than those who were looked at.
    pub(super) fn reaches_only_below(&self) -> bool {
        let Particulars { issuer, audience, .. } = &self.particulars;
        issuer.path.contains(&audience.unit.path) && audience.is_whole()
    }
}

impl DraftRow {
    pub(super) fn understand(self, tree: &Tree) -> Result<InWork> {
        let damaged = || Error::Damaged(format!("draft {}", self.id));
        let issuer = tree.heir(&self.particulars.issuer).ok_or_else(damaged)?.clone();
        Ok(InWork {
            id: self.id.parse().map_err(|_| damaged())?,
            particulars: self.particulars.understand(tree, issuer).ok_or_else(damaged)?,
            work: Work::from_key(&self.stage).ok_or_else(damaged)?,
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

/// A document in both its texts.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) work: Option<InWork>,
    pub(super) out: Option<Document>,
    /// The text of `work`, or of `out` when nothing is in work.
    pub(super) body: String,
}

/// A document as its editors see it: what is in work, what is out, and what this person may do.
#[derive(Debug)]
pub(super) struct OnDesk {
    pub(super) work: Option<InWork>,
    pub(super) out: Option<Document>,
    /// The text of `work`, or of `out` when nothing is in work.
    pub(super) body: String,
    pub(super) hand: Hand,
}

impl OnDesk {
    pub(super) fn situation(&self) -> Situation {
        Situation { work: self.work.as_ref().map(|work| work.work), out: self.out.as_ref().map(|out| out.out) }
    }

    /// The unit that issues the newest text.
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

    /// Refuses a step this person may not take, or that leads nowhere from here; says where it leads.
    ///
    /// # Errors
    /// [`Error::NotAllowed`], [`Error::Step`].
    pub(super) fn step(&self, step: DocumentStep) -> Result<Situation> {
        if !self.hand.may(step) {
            return Err(Error::NotAllowed);
        }
        Ok(self.situation().after(step)?)
    }
}

impl Documents<'_> {
    /// An empty form under a fresh id. Nothing is stored yet.
    ///
    /// # Errors
    /// [`Error::NotFound`] for who writes nowhere.
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn blank(&self, viewer: &Viewer) -> Result<DraftPage> {
        let tree = self.backend.units().tree();
        let unit = highest(&tree, &viewer.standpoint.seats(Action::WriteDocument))?.clone();
        let clock = self.backend.clock();
        let particulars = Particulars::new(DocumentKind::News, String::new(), unit.clone(), unit);
        let draft = particulars.form(DocumentId::new(clock.ulid()), &Signs::default(), clock.now());
        let hand = Hand { writes: true, ..Hand::default() };
        Ok(self.draft_page(viewer, &tree, draft, hand))
    }

    /// The text in work, or what became of it, in the form.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person may not know of the document, [`Error::NotAllowed`] when they only read what is out.
    pub async fn draft(&self, viewer: &Viewer, id: DocumentId) -> Result<DraftPage> {
        let tree = self.backend.units().tree();
        let desk = self.on_desk(viewer, id).await?;
        let (wanted, open_remarks) = self.last_verdict(id, desk.version()).await?;
        let publish_at = desk.work.as_ref().and_then(|work| work.publish_at);
        let withdrawn = self.withdrawal(id, &desk).await?;
        let review = looked_at(&desk, self.review_key(id).await?.as_deref());
        let held = desk.work.as_ref().and_then(|work| work.held);
        let hand = desk.hand;
        let draft = self.drafted(desk).await?;
        let page = self.draft_page(viewer, &tree, draft, hand);
        Ok(DraftPage { review, wanted, open_remarks, publish_at, withdrawn, held, ..page })
    }

    /// The same, with parts of the audience to choose from whose names hold what was typed.
    ///
    /// # Errors
    /// As [`Self::draft`].
    pub async fn draft_finding(&self, viewer: &Viewer, id: DocumentId, typed: &str) -> Result<DraftPage> {
        let mut page = self.draft(viewer, id).await?;
        if !typed.trim().is_empty() {
            let tree = self.backend.units().tree();
            page.parts = self.part_choices(&tree, &viewer.standpoint.seats(Action::WriteDocument), &page.draft.whom(), typed);
        }
        Ok(page)
    }

    /// How many members and branches a form would reach.
    ///
    /// # Errors
    /// [`Error::NotFound`] for who writes nowhere; [`Error::Invalid`] of the form `draft` as [`Self::save_draft`].
    #[expect(clippy::unused_async, reason = "a use-case like the others")]
    pub async fn reach_of(&self, viewer: &Viewer, form: ReachForm<'_>) -> Result<(u32, u32)> {
        let is_own = |path: &UnitPath| viewer.standpoint.may_by_office(Action::WriteDocument, path);
        if viewer.standpoint.seats(Action::WriteDocument).is_empty() {
            return Err(Error::NotFound);
        }
        let tree = self.backend.units().tree();
        let mut reader = FormReader::new("draft");
        let chosen = reader.read("audience", form.audience, |typed| unit(&tree, typed, is_own));
        let parts = reader.read("parts", &form.parts.join(" "), |_| match &chosen {
            Some(audience) => parts_of(&tree, audience, form.parts, is_own),
            None => Ok(Vec::new()),
        });
        let standings = reader.read("standings", form.standings, standings_of);
        let (Some(unit), Some(parts), Some(standings)) = (chosen, parts, standings) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        Ok(self.reach(&tree, &Audience { unit, parts, standings }))
    }

    /// Stores the form as the next version of the draft, or as a new draft.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what the editor can mend, [`Problem::Stale`] on `body` when somebody saved meanwhile: the typed text
    /// comes back, the stored one stays, nothing is lost. [`Error::Busy`] when a unit is being moved; [`Error::Step`] when it is no draft any more; [`Error::NotFound`] and
    /// [`Error::NotAllowed`] as [`Self::draft`].
    pub async fn save_draft(&self, viewer: &Viewer, form: DraftForm<'_>) -> Result<DocumentId> {
        let id: DocumentId = form.id.parse().map_err(|_| Error::NotFound)?;
        let version: u32 = form.version.parse().map_err(|_| Error::NotFound)?;
        let mut is_correction = false;
        if version > 0 {
            let desk = self.on_desk(viewer, id).await?;
            desk.step(DocumentStep::Edit)?;
            is_correction = desk.situation().out.is_some();
        } else if viewer.standpoint.seats(Action::WriteDocument).is_empty() {
            return Err(Error::NotFound);
        }
        let (reader, draft) = self.understand(viewer, &form, is_correction).await?;
        let (change, kind) = if version == 0 {
            (format!("{UNKNOWN} {IN_PLACE} {FREE} CREATE $draft SET authors = [$editor], "), EventKind::DocumentDrafted)
        } else {
            let authors = "authors = array::union(authors, [$editor])";
            (format!("{UNCHANGED} {IN_PLACE} {FREE} UPDATE $draft SET {authors}, "), EventKind::DocumentSaved)
        };
        let sql = format!("{change}{} RETURN NONE; {TEXT} {SAVED} {}", draft_set(), events::APPEND);
        let mut vars = self.draft_vars(viewer, id, version, &draft);
        events::append(&mut vars, self.backend.clock(), kind, Some(viewer.member), &draft.particulars.issuer.path, id);
        match self.backend.store().write(&sql, vars).await {
            Ok(_) => {
                self.backend.events().wake();
                Ok(id)
            }
            Err(Error::Thrown(reason)) if reason.contains(TAKEN) => {
                Err(self.taken(viewer, reader, "number", &draft, id).await?.into())
            }
            Err(Error::Thrown(reason)) if reason.contains(MOVED) => Err(Error::Busy),
            Err(Error::Exists | Error::Thrown(_)) if self.is_saved(viewer, id, version, &draft).await? => Ok(id),
            Err(Error::Exists | Error::Thrown(_)) => {
                // Sent on or thrown away in this moment: there is nothing to compare with and to save again.
                self.on_desk(viewer, id).await?.step(DocumentStep::Edit)?;
                Err(reader.refused("body", Problem::Stale).into())
            }
            Err(Error::Taken { .. }) => Err(self.taken(viewer, reader, "number", &draft, id).await?.into()),
            Err(error) => Err(error),
        }
    }

    async fn taken(&self, viewer: &Viewer, reader: FormReader, field: &str, draft: &Draft, id: DocumentId) -> Result<FormErrors> {
        let Particulars { number, issuer, .. } = &draft.particulars;
        self.number_taken(viewer, reader, field, (number.as_deref().unwrap_or_default(), issuer.id, id)).await
    }

    /// What is in work and out of a document, for whom it concerns at the desk.
    ///
    /// # Errors
    /// As [`Self::draft`].
    pub(super) async fn on_desk(&self, viewer: &Viewer, id: DocumentId) -> Result<OnDesk> {
        let Stored { work, out, body } = self.stored(id).await?;
        if work.is_none() && out.is_none() {
            return Err(Error::NotFound);
        }
        let hand = self.hand(viewer, id, work.as_ref(), out.as_ref()).await?;
        if hand.may_read() {
            Ok(OnDesk { work, out, body, hand })
        } else if out.is_some_and(|out| out.is_readable_for(viewer)) {
            Err(Error::NotAllowed)
        } else {
            Err(Error::NotFound)
        }
    }

    /// What this person may do with a document, for its files.
    ///
    /// # Errors
    /// As [`Self::draft`].
    pub(crate) async fn hand_of(&self, viewer: &Viewer, id: DocumentId) -> Result<Hand> {
        Ok(self.on_desk(viewer, id).await?.hand)
    }

    /// What is in work and out of a document, whoever asks.
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
        let work = answers.row::<DraftRow>(0)?.map(|row| row.understand(&tree)).transpose()?;
        let out = answers.row::<super::DocumentRow>(2)?.map(|row| row.understand(&tree)).transpose()?;
        let body: Option<String> = answers.row(if work.is_some() { 1 } else { 3 })?;
        Ok(Stored { work, out, body: body.unwrap_or_default() })
    }

    /// What this person may do with the document.
    async fn hand(&self, viewer: &Viewer, id: DocumentId, work: Option<&InWork>, out: Option<&Document>) -> Result<Hand> {
        let standpoint = &viewer.standpoint;
        // Both: who answers for what is out may stop it, also when a draft moves it to another issuer.
        let mut issuers =
            [work.map(|work| &work.particulars.issuer), out.map(|out| &out.particulars.issuer)].into_iter().flatten();
        let may = |action| issuers.clone().all(|issuer| standpoint.may_by_office(action, &issuer.path));
        let (writes, publishes) = (may(Action::WriteDocument), may(Action::PublishDocument));
        let member = viewer.member.to_string();
        let is_author = work.is_some_and(|work| work.authors.contains(&member));
        let issuers_path = work.map(|work| &work.particulars.issuer.path);
        let own_approval = match issuers.next() {
            Some(issuer) if publishes && is_author => self.own_approval(issuer.id).await?,
            _ => false,
        };
        let (reviews, comments) = match work {
            Some(work) if work.work == Work::InReview => self.asked_of(id, work.version, &member).await?,
            _ => (false, false),
        };
        // Who was asked and has left the office, or the unit, is not asked any more.
        let reviews = reviews && writes;
        let comments = comments && issuers_path.is_some_and(|issuer| issuer.contains(&standpoint.branch));
        Ok(Hand { writes, publishes, reviews, comments, is_author, own_approval })
    }

    /// What the form holds.
    pub(super) async fn drafted(&self, desk: OnDesk) -> Result<DocumentDraft> {
        let situation = desk.situation();
        let OnDesk { work, out, body, .. } = desk;
        let Some(work) = work else {
            let out = out.ok_or(Error::NotFound)?;
            return self.as_draft(out, body, situation).await;
        };
        let signs = self.signs(&work.particulars.related).await?;
        Ok(DocumentDraft {
            is_pinned: work.is_pinned,
            correction: work.correction.unwrap_or_default(),
            body,
            situation,
            version: work.version,
            ..work.particulars.form(work.id, &signs, work.saved_at)
        })
    }

    /// Whether exactly this form was stored before: the same button pressed twice is no conflict with oneself.
    async fn is_saved(&self, viewer: &Viewer, id: DocumentId, version: u32, draft: &Draft) -> Result<bool> {
        let desk = self.on_desk(viewer, id).await?;
        Ok(desk.work.is_some_and(|work| {
            work.version == version + 1
                && work.saved_by == viewer.member.to_string()
                && work.has_particulars_of(draft)
                && desk.body == draft.body.as_str()
        }))
    }

    async fn understand(&self, viewer: &Viewer, form: &DraftForm<'_>, is_correction: bool) -> Result<(FormReader, Draft)> {
        let tree = self.backend.units().tree();
        let today = self.backend.clock().today();
        let mut reader = FormReader::new("draft");
        let title = reader.read("title", form.title, Title::parse);
        let kind = reader.read("kind", form.kind, |typed| match typed {
            "" => Err(Problem::Required),
            typed => DocumentKind::from_key(typed).ok_or(Problem::NotOffered),
        });
        let number = reader.read("number", form.number, DocumentNumber::parse_optional);
        let signer = reader.read("signer", form.signer, |typed| forms::optional(typed, |typed| bounded_line(typed, SIGNER_MAX)));
        let field = reader.read("field", form.field, |typed| {
            forms::optional(typed, |typed| DocumentField::from_key(typed).ok_or(Problem::NotOffered))
        });
        let issuer = reader.read("issuer", form.issuer, |typed| {
            unit(&tree, typed, |path| viewer.standpoint.may_by_office(Action::WriteDocument, path))
        });
        let audience = reader.read("audience", form.audience, |typed| {
            // Authority flows down: nobody publishes beside or above the issuer. Without an issuer there is nothing to compare.
            unit(&tree, typed, |path| issuer.as_ref().is_none_or(|issuer| issuer.path.contains(path)))
        });
        let parts = reader.read("parts", &form.parts.join(" "), |_| match (&issuer, &audience) {
            (Some(issuer), Some(audience)) => parts_of(&tree, audience, form.parts, |path| issuer.path.contains(path)),
            // Without both there is nothing to compare.
            _ => Ok(Vec::new()),
        });
        let standings = reader.read("standings", form.standings, standings_of);
        let mut related = Vec::new();
        for (relation, typed) in
            [(Relation::Supersedes, form.supersedes), (Relation::Amends, form.amends), (Relation::Guides, form.guides)]
        {
            let found = self.named(viewer, typed).await?;
            let rows = reader.read(relation.key(), typed, |_| found);
            related.extend(
                rows.into_iter()
                    .flatten()
                    .map(|document| RelatedRow { document: document.to_string(), relation: relation.key().to_owned() }),
            );
        }
        let coming = |typed: &str| {
            let day = forms::optional(typed, forms::day)?;
            if day.is_some_and(|day| day < today) { Err(Problem::DateRange) } else { Ok(day) }
        };
        let must_read_by = reader.read("must_read_by", form.must_read_by, coming);
        let expires_on = reader.read("expires_on", form.expires_on, coming);
        let correction = reader.read("correction", form.correction, |typed| match forms::optional(typed, Remark::parse)? {
            // Who has read the old text must be able to learn what is different, also when it comes back after a withdrawal.
            None if is_correction => Err(Problem::Required),
            remark => Ok(remark),
        });
        let body = reader.read("body", form.body, Body::parse);
        let understood = || {
            let particulars = Particulars {
                kind: kind?,
                number: number?.map(|number| number.as_str().to_owned()),
                title: title?.as_str().to_owned(),
                signer: signer?,
                field: field?,
                issuer: issuer?,
                audience: Audience { unit: audience?, parts: parts?, standings: standings? },
                related,
                must_read_by: must_read_by?,
                expires_on: expires_on?,
            };
            Some(Draft { particulars, is_pinned: !form.pinned.is_empty(), correction: correction?, body: body? })
        };
        match understood() {
            Some(draft) if reader.is_clean() => Ok((reader, draft)),
            _ => Err(reader.finish().err().unwrap_or_default().into()),
        }
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

    /// The page without what only the store knows.
    fn draft_page(&self, viewer: &Viewer, tree: &Tree, draft: DocumentDraft, hand: Hand) -> DraftPage {
        let seats = viewer.standpoint.seats(Action::WriteDocument);
        let whom = draft.whom();
        let (members, branches) = self.reach(tree, &whom);
        let audiences = choices(tree, &seats, &draft.audience, |_| true);
        let counters = self.backend.counters();
        DraftPage {
            audience_members: audiences.iter().map(|unit| counters.members(&unit.path)).collect(),
            preview: markdown::render(&draft.body).html,
            hand,
            members,
            branches,
            issuers: choices(tree, &seats, &draft.issuer, |unit| unit.kind != UnitKind::Branch),
            audiences,
            parts: self.part_choices(tree, &seats, &whom, ""),
            draft,
            review: None,
            wanted: None,
            publish_at: None,
            withdrawn: None,
            held: None,
            open_remarks: 0,
        }
    }

    /// Units below the audience to choose parts from: all that are the person's, or where those are too many, the highest ones below
    /// the audience, or those whose names hold what was typed; and what is chosen already.
    fn part_choices(&self, tree: &Tree, seats: &[&UnitPath], whom: &Audience, typed: &str) -> PartChoices {
        let top = &whom.unit.path;
        let below = move || tree.subtree(top).filter(move |unit| unit.path != *top);
        let mut roots = seats.to_vec();
        if roots.iter().all(|seat| !seat.contains(top)) {
            roots.push(top);
        }
        let own = roots.iter().flat_map(|root| tree.subtree(root).filter(move |unit| unit.path != **root));
        let own: Vec<&UnitRef> = own.take(PARTS_LISTED + 1).collect();
        let is_cut = own.len() > PARTS_LISTED;
        let words = fold(typed);
        let mut units: Vec<&UnitRef> = match (words.is_empty(), is_cut) {
            (false, _) => below().filter(|unit| fold(&unit.name).contains(&words)).take(PARTS_LISTED).collect(),
            (true, false) => own,
            (true, true) => highest_below(tree, top),
        };
        for part in &whom.parts {
            if units.iter().all(|unit| unit.id != part.id) {
                units.push(part);
            }
        }
        units.sort_by(|a, b| a.path.cmp(&b.path));
        let counted = |kind: UnitKind| (kind, below().filter(|unit| unit.kind == kind).count());
        let is_choice = |(_, units): &(UnitKind, usize)| (2..=Audience::PARTS_MAX).contains(units);
        let levels = UnitKind::ALL.into_iter().map(counted).filter(is_choice);
        let counters = self.backend.counters();
        PartChoices {
            units: units.into_iter().map(|unit| (unit.clone(), counters.members(&unit.path))).collect(),
            levels: levels.map(|(kind, units)| (kind, u32::try_from(units).unwrap_or(u32::MAX))).collect(),
            is_cut,
        }
    }

    /// Members of an audience, and branches in it.
    pub(super) fn reach(&self, tree: &Tree, audience: &Audience) -> (u32, u32) {
        let places = audience.places();
        let branches = places.iter().flat_map(|place| tree.subtree(place)).filter(|unit| unit.kind == UnitKind::Branch).count();
        let members = self.backend.counters().members_asked(&audience.unit.path, audience);
        (members, u32::try_from(branches).unwrap_or(u32::MAX))
    }
}

/// Where a saved version lies.
pub(super) fn revision_of(id: DocumentId, version: u32) -> RecordId {
    pair("document_revision", id, format!("{version:06}"))
}

/// What a save sets in the draft's row: the particulars, and what is kept beside them.
fn draft_set() -> String {
    format!(
        "{}, pinned = $pinned, correction = $correction, stage = 'draft', version = $next, minutes = $minutes, saved_at = $now, \
         saved_by = $editor",
        copied("$particulars")
    )
}

/// The text, and the revision that keeps it.
const TEXT: &str = "UPSERT $draft_text SET body = $body RETURN NONE; \
                    CREATE $revision SET title = $particulars.title, body = $body, at = $now, by = $editor RETURN NONE;";

/// Stops the transaction when there is such a document already: a new draft is of a new document.
const UNKNOWN: &str = "IF (SELECT VALUE version FROM ONLY $document) != NONE { THROW 'known' };";

/// Why [`FREE`] stops the transaction.
const TAKEN: &str = "number taken";

/// Stops the transaction when the issuer's number belongs to another document that is or was out. Drafts among themselves are kept
/// apart by their index. Both values are bound by themselves: the engine looks them up in an index.
const FREE: &str = "IF $number != NONE AND array::len(SELECT VALUE id FROM document WHERE issuer = $issuer AND number = $number \
                    AND id != $document) > 0 { THROW 'number taken' };";

/// Stops the transaction when somebody saved, or sent the draft on, since the editor began.
const UNCHANGED: &str = "LET $found = (SELECT version, stage FROM ONLY $draft); \
                         IF $found.version != $version OR $found.stage != 'draft' { THROW 'stale' };";

/// Why [`IN_PLACE`] stops the transaction.
const MOVED: &str = "moved";

/// Stops the transaction when one of its units moved since the tree was read: what follows a move would have passed already, and the
/// text would lie where nobody looks.
const IN_PLACE: &str = "IF (SELECT VALUE path FROM ONLY $issuer_unit) != $particulars.issuer_path \
                        OR (SELECT VALUE path FROM ONLY $audience_unit) != $particulars.audience_path { THROW 'moved' };";

pub(super) fn highest<'t>(tree: &'t Tree, seats: &[&UnitPath]) -> Result<&'t UnitRef> {
    seats.iter().min_by_key(|path| path.as_str().len()).and_then(|path| tree.at(path)).ok_or(Error::NotFound)
}

fn unit(tree: &Tree, typed: &str, fits: impl Fn(&UnitPath) -> bool) -> Result<UnitRef, Problem> {
    if typed.is_empty() {
        return Err(Problem::Required);
    }
    tree.named(typed).filter(|unit| fits(&unit.path)).cloned().ok_or(Problem::NotOffered)
}

fn standings_of(typed: &str) -> Result<Vec<Standing>, Problem> {
    let keys = typed.split(',').map(str::trim).filter(|key| !key.is_empty());
    keys.map(|key| Standing::from_key(key).ok_or(Problem::NotOffered)).collect()
}

/// The parts of an audience that were chosen, in the order of the tree and none within another; none when they are all of it.
/// `is_known` tells which other units the person may hear of: of all others the answer is that they are not offered.
fn parts_of(
    tree: &Tree,
    audience: &UnitRef,
    typed: &[String],
    is_known: impl Fn(&UnitPath) -> bool,
) -> Result<Vec<UnitRef>, Problem> {
    let mut parts: Vec<&UnitRef> = Vec::new();
    for typed in typed {
        if let Some(level) = UnitKind::from_key(typed) {
            let of_level = tree.subtree(&audience.path).filter(|unit| unit.kind == level && unit.id != audience.id);
            let before = parts.len();
            parts.extend(of_level);
            if parts.len() == before {
                return Err(Problem::NotOffered);
            }
            continue;
        }
        let part = tree.named(typed).filter(|unit| is_known(&unit.path)).ok_or(Problem::NotOffered)?;
        if !audience.path.contains(&part.path) {
            return Err(Problem::NotBelow);
        }
        parts.push(part);
    }
    parts.sort_by(|a, b| a.path.cmp(&b.path));
    parts.dedup_by(|below, above| above.path.contains(&below.path));
    if is_all_of(tree, audience, &parts) {
        return Ok(Vec::new());
    }
    if parts.len() > Audience::PARTS_MAX {
        return Err(Problem::TooMany { max: u32::try_from(Audience::PARTS_MAX).unwrap_or(u32::MAX) });
    }
    Ok(parts.into_iter().cloned().collect())
}

/// Whether these parts together are all of a unit: it is one of them, or each of those one level below is all of them.
fn is_all_of(tree: &Tree, unit: &UnitRef, parts: &[&UnitRef]) -> bool {
    if parts.iter().all(|part| !unit.path.contains(&part.path)) {
        return parts.iter().any(|part| part.path.contains(&unit.path));
    }
    if parts.iter().any(|part| part.id == unit.id) {
        return true;
    }
    let mut children = tree.children(&unit.path).peekable();
    children.peek().is_some() && children.all(|child| is_all_of(tree, child, parts))
}

/// Level by level what lies below a unit, as long as the list stays readable.
fn highest_below<'t>(tree: &'t Tree, top: &'t UnitPath) -> Vec<&'t UnitRef> {
    let mut listed: Vec<&UnitRef> = Vec::new();
    let mut level: Vec<&UnitRef> = tree.children(top).collect();
    while !level.is_empty() && listed.len() + level.len() <= PARTS_LISTED {
        listed.extend(&level);
        level = level.iter().flat_map(|unit| tree.children(&unit.path)).collect();
    }
    if listed.is_empty() {
        listed.extend(level.iter().take(PARTS_LISTED));
    }
    listed
}

/// The seats and, level by level, what lies below them, as long as the list stays readable; and what is chosen already.
fn choices(tree: &Tree, seats: &[&UnitPath], chosen: &UnitRef, fits: impl Fn(&UnitRef) -> bool) -> Vec<UnitRef> {
    let mut level: Vec<&UnitRef> = seats.iter().filter_map(|path| tree.at(path)).collect();
    let mut offered: Vec<UnitRef> = Vec::new();
    while !level.is_empty() && offered.len() + level.len() <= CHOICES {
        offered.extend(level.iter().map(|unit| (*unit).clone()));
        level = level.iter().flat_map(|unit| tree.children(&unit.path)).filter(|unit| fits(unit)).collect();
    }
    if !offered.iter().any(|unit| unit.id == chosen.id) {
        offered.push(chosen.clone());
    }
    offered.sort_by(|a, b| a.path.cmp(&b.path));
    offered
}
