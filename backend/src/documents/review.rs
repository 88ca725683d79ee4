//! Review: a draft is submitted, commented on passage by passage, and decided.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    accounts::Viewer,
    documents::{
        desk::{OpenReview, Remark, ReviewPage, ReviewRemark, Reviewer, Verdict},
        steps::{DocumentStep, DraftState, EditorPermissions},
    },
    events::EventBody,
    forms::{self, FormReader, Problem},
    guard::{self, Warning},
    ids::{DocumentId, MemberId, UnitId},
    members::CardNumber,
    policy::{Action, Role},
    units::{UnitPath, UnitRef},
};

use super::{
    Documents,
    draft::{DRAFT_COLUMNS, DraftRow, InWork},
    writing::{gone, gone_vars},
};
use crate::{
    Error, Result,
    change::Change,
    feedback, markdown,
    store::{RecordId, StoreError, SurrealValue, Variables, pair, pairs_of, record, vars},
    units::Tree,
};

/// Maximum length of a quoted passage, in characters.
const QUOTE_MAX: u32 = 1_000;

/// Passages offered for comments.
const PASSAGES_MAX: usize = 300;

/// Comments on one document that are shown.
const REMARKS_MAX: usize = 500;

/// Reviews of one document that are read to find the last decision.
const REVIEWS_MAX: usize = 50;

/// The form that submits a draft for review, as typed.
#[derive(Debug, Clone, Copy, Default)]
pub struct SubmitForm<'f> {
    pub id: &'f str,
    /// The version shown on the page.
    pub version: &'f str,
    /// Id of one of the offered reviewers; empty for any chief editor.
    pub reviewer: &'f str,
    /// Id of an editor of the desk who is asked for comments only; may be empty.
    pub colleague: &'f str,
    /// The same for any member below the issuing unit, by card number.
    pub commenter: &'f str,
    pub due: &'f str,
    pub note: &'f str,
    /// Kinds of the warnings that were confirmed, as [`guard::kinds`] writes them; empty when there were none.
    pub warned: &'f str,
}

/// A comment as typed.
#[derive(Debug, Clone, Copy, Default)]
pub struct RemarkForm<'f> {
    pub id: &'f str,
    /// One of the passages the page offers; empty for the whole text.
    pub passage: &'f str,
    /// A passage as selected or copied; takes precedence over `passage`.
    pub quote: &'f str,
    pub text: &'f str,
}

const REVIEW_COLUMNS: &str = "record::id(id) AS key, version, state, asked_by, asked_at, reviewer, commenter, colleague, due, note, decided_by, decided_at, reason";

#[derive(Debug, Clone, SurrealValue)]
struct ReviewRow {
    key: String,
    version: i64,
    state: String,
    asked_by: String,
    asked_at: DateTime<Utc>,
    reviewer: Option<String>,
    commenter: Option<String>,
    colleague: Option<String>,
    due: Option<String>,
    note: Option<String>,
    decided_by: Option<String>,
    decided_at: Option<DateTime<Utc>>,
    reason: Option<String>,
}

#[derive(Debug, SurrealValue)]
struct RemarkRow {
    key: String,
    version: i64,
    quote: Option<String>,
    text: String,
    by: String,
    at: DateTime<Utc>,
    settled_by: Option<String>,
}

impl ReviewRow {
    /// Members asked for comments only.
    fn commenters(&self) -> impl Iterator<Item = &String> {
        self.colleague.iter().chain(&self.commenter)
    }
}

impl Documents<'_> {
    /// The page where a draft is submitted, commented on and decided.
    ///
    /// # Errors
    /// As [`Documents::draft`]; [`Error::NotFound`] when there is no draft.
    pub async fn review(&self, viewer: &Viewer, id: DocumentId) -> Result<ReviewPage> {
        let desk = self.on_desk(viewer, id).await?;
        let work = desk.work.clone().ok_or(Error::NotFound)?;
        let tree = self.backend.units().tree();
        let open = self.reviews(id).await?.into_iter().find(|review| review.state == "open");
        let rows = self.remark_rows(id).await?;
        let mut people: Vec<String> = Vec::new();
        if let Some(row) = &open {
            people.extend([&row.asked_by].into_iter().chain(&row.reviewer).chain(row.commenters()).cloned());
        }
        for row in &rows {
            people.extend([Some(row.by.clone()), row.settled_by.clone()].into_iter().flatten());
        }
        let names = self.names(people).await?;
        let name = |member: &str| names.get(member).cloned().unwrap_or_default();
        let is_asking = work.work == DraftState::Draft && desk.permissions.may(DocumentStep::Submit);
        let is_looked_at = is_asking || work.work == DraftState::InReview;
        let people = if is_looked_at { self.people_of_desk(&work).await? } else { Vec::new() };
        let may_approve = |member: &str| people.iter().any(|person| person.may_approve && person.member.to_string() == member);
        let review = match (open, work.work) {
            (Some(row), DraftState::InReview) => Some(OpenReview {
                asked_by: name(&row.asked_by),
                asked_at: row.asked_at,
                is_stuck: row.reviewer.as_deref().is_some_and(|member| !may_approve(member)),
                reviewer: row.reviewer.as_deref().map(name),
                commenters: row.commenters().map(|member| name(member)).collect(),
                due: row.due.as_deref().and_then(|day| day.parse().ok()),
                note: row.note,
            }),
            _ => None,
        };
        let remarks = rows.into_iter().map(|row| {
            let settled_by = row.settled_by.as_deref().map(name);
            let version = u32::try_from(row.version).map_err(|_| Error::Damaged(format!("remark on {id}")))?;
            Ok(ReviewRemark {
                by: name(&row.by),
                key: row.key,
                quote: row.quote,
                text: row.text,
                at: row.at,
                version,
                settled_by,
            })
        });
        let remarks = remarks.collect::<Result<Vec<_>>>()?;
        let reviewers = if is_asking { people } else { Vec::new() };
        let needs_another = is_asking && !reviewers.iter().any(|person| person.may_approve);
        let change = self.change_of(&desk).await?;
        let reach = self.reach(&tree, viewer, &work.particulars.audience);
        let (permissions, publish_at) = (desk.permissions, work.publish_at);
        let draft = self.drafted(desk).await?;
        let warnings = warnings_of(&draft.title, &draft.body).await?;
        let passages = passages(&draft.body);
        Ok(ReviewPage {
            warnings,
            preview: markdown::render(&draft.body).html,
            draft,
            permissions,
            reach,
            review,
            remarks,
            reviewers,
            needs_another,
            change,
            passages,
            publish_at,
            today: self.backend.clock().today(),
        })
    }

    /// Submits a draft for review.
    ///
    /// # Errors
    /// As [`Documents::draft`]; [`Error::Step`] when its state is not draft. [`Error::Invalid`] on the form `submit`:
    /// [`Problem::Stale`] on `version`, [`Problem::NotOffered`] on `reviewer`, [`Problem::UnknownCard`] on `commenter` when no
    /// member in the issuing unit's subtree has that card, [`Problem::DateRange`] on `due` for a day in the past,
    /// [`Problem::Undecided`] on `warned` when a warning of the guard was not confirmed, [`Problem::NotOffered`] on `audience`
    /// when it is no longer below the issuer, [`Problem::Required`] on `correction` when an earlier text was published and the
    /// correction note is missing.
    pub async fn submit(&self, viewer: &Viewer, form: SubmitForm<'_>) -> Result<()> {
        let id: DocumentId = form.id.parse().map_err(|_| Error::NotFound)?;
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::Submit)?;
        let work = desk.work.as_ref().ok_or(Error::NotFound)?;
        let today = self.backend.clock().today();
        let offered = self.people_of_desk(work).await?;
        let mut reader = FormReader::new("submit");
        let of_desk = |typed: &str| offered.iter().find(|person| person.member.to_string() == typed).ok_or(Problem::NotOffered);
        // Only a person who may approve can be the reviewer; otherwise the review would never be decided.
        let approver =
            |typed: &str| of_desk(typed).and_then(|person| person.may_approve.then_some(person).ok_or(Problem::NotOffered));
        let reviewer = reader.read("reviewer", form.reviewer, |typed| forms::optional(typed, approver));
        let colleague = reader.read("colleague", form.colleague, |typed| forms::optional(typed, of_desk));
        let card = reader.read("commenter", form.commenter, |typed| forms::optional(typed, CardNumber::parse));
        let due = reader.read("due", form.due, |typed| match forms::optional(typed, forms::day)? {
            Some(day) if day < today => Err(Problem::DateRange),
            day => Ok(day),
        });
        let note = reader.read("note", form.note, |typed| forms::optional(typed, Remark::parse));
        let warnings = guard::kinds(&warnings_of(&work.particulars.title, &desk.body).await?);
        let warned = reader.read("warned", form.warned, |typed| if typed == warnings { Ok(()) } else { Err(Problem::Undecided) });
        if desk.out.is_some() && work.correction.is_none() {
            reader.refuse("correction", Problem::Required);
        }
        let found = (reviewer, colleague, card, due, note, warned);
        let (Some(reviewer), Some(colleague), Some(card), Some(due), Some(note), Some(()), true) =
            (found.0, found.1, found.2, found.3, found.4, found.5, reader.is_clean())
        else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let commenter = match card {
            None => None,
            Some(card) => match self.member_by_card(&card, form.commenter, &work.particulars.issuer).await? {
                Some(member) => Some(member),
                None => return Err(reader.refused("commenter", Problem::UnknownCard).into()),
            },
        };
        if form.version != work.version.to_string() {
            return Err(reader.refused("version", Problem::Stale).into());
        }
        if !work.reaches_only_below() {
            return Err(reader.refused("audience", Problem::NotOffered).into());
        }
        let clock = self.backend.clock();
        let mut vars = vars! {
            draft: record("draft", id),
            version: i64::from(work.version),
            review: record("review", clock.ulid()),
            document: id.to_string(),
            asked_by: viewer.member.to_string(),
            asked_at: clock.now(),
            reviewer: reviewer.map(|person| person.member.to_string()),
            colleague: colleague.map(|person| person.member.to_string()),
            commenter: commenter,
            due: due.map(|day| day.to_string()),
            note: note.map(|note| note.as_str().to_owned()),
        };
        vars.extend(gone_vars(id, clock.now()));
        let (actor, issuer) = (Some(viewer.member), &work.particulars.issuer.path);
        let mut change =
            Change::new(&submission(), vars).then(&gone()).event(clock, actor, issuer, EventBody::DraftSubmitted(id));
        if !warnings.is_empty() {
            let overruled = EventBody::WarningOverruled { document: id, warnings: Some(warnings) };
            change = change.event(clock, actor, issuer, overruled);
        }
        match self.backend.transact(change).await {
            Ok(_) => Ok(()),
            Err(StoreError::Thrown(_)) => Err(reader.refused("version", Problem::Stale).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Comments on a passage, or on the whole text.
    ///
    /// # Errors
    /// As [`Documents::draft`]; [`Error::NotFound`] when there is no draft; [`Error::Invalid`] on the form `remark`.
    pub async fn remark(&self, viewer: &Viewer, form: RemarkForm<'_>) -> Result<()> {
        let id: DocumentId = form.id.parse().map_err(|_| Error::NotFound)?;
        let desk = self.on_desk(viewer, id).await?;
        let work = desk.work.as_ref().ok_or(Error::NotFound)?;
        let mut reader = FormReader::new("remark");
        let passage = |typed: &str| forms::optional(typed, |typed| forms::bounded_text(typed, QUOTE_MAX));
        let chosen = reader.read("passage", form.passage, passage);
        let quote = reader.read("quote", form.quote, passage);
        let text = reader.read("text", form.text, Remark::parse);
        let (Some(chosen), Some(quote), Some(text)) = (chosen, quote, text) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let clock = self.backend.clock();
        let vars = vars! {
            remark: pair("review_remark", id, clock.ulid()),
            version: i64::from(work.version),
            quote: quote.or(chosen),
            text: text.as_str(),
            by: viewer.member.to_string(),
            at: clock.now(),
        };
        let sql = "CREATE $remark SET version = $version, quote = $quote, text = $text, by = $by, at = $at RETURN NONE";
        let remarked = EventBody::DraftCommented(id);
        let change = Change::new(sql, vars).event(clock, Some(viewer.member), &work.particulars.issuer.path, remarked);
        self.backend.transact(change).await?;
        Ok(())
    }

    /// Marks a comment as settled, or reopens it.
    ///
    /// # Errors
    /// As [`Documents::draft`]; [`Error::NotAllowed`] for a person who was asked for comments only, except on their own comments.
    pub async fn settle(&self, viewer: &Viewer, id: DocumentId, key: &str, is_settled: bool) -> Result<()> {
        let desk = self.on_desk(viewer, id).await?;
        let rows = self.remark_rows(id).await?;
        let row = rows.into_iter().find(|row| row.key == key).ok_or(Error::NotFound)?;
        let member = viewer.member.to_string();
        let EditorPermissions { writes, publishes, reviews, .. } = desk.permissions;
        if !(writes || publishes || reviews || row.by == member) {
            return Err(Error::NotAllowed);
        }
        let vars = vars! { remark: pair("review_remark", id, key), by: is_settled.then_some(member) };
        self.backend.transact(Change::new("UPDATE $remark SET settled_by = $by RETURN NONE", vars)).await?;
        Ok(())
    }

    /// Whether this member was asked to review, and to comment on, the version in review.
    pub(super) async fn asked_of(&self, id: DocumentId, version: u32, member: &str) -> Result<(bool, bool)> {
        let reviews = self.reviews(id).await?;
        let open = reviews.iter().find(|review| review.state == "open" && review.version == i64::from(version));
        Ok(open.map_or((false, false), |review| {
            (review.reviewer.as_deref() == Some(member), review.commenters().any(|asked| asked == member))
        }))
    }

    /// The key of the open review.
    pub(super) async fn review_key(&self, id: DocumentId) -> Result<Option<String>> {
        Ok(self.reviews(id).await?.into_iter().find(|review| review.state == "open").map(|review| review.key))
    }

    /// The record of the open review.
    pub(super) async fn open_review(&self, id: DocumentId) -> Result<Option<RecordId>> {
        Ok(self.review_key(id).await?.map(|key| record("review", key)))
    }

    /// The reason given when the last review asked for changes, unless the draft was submitted or published since; and the number
    /// of open comments.
    pub(super) async fn last_verdict(&self, id: DocumentId, version: u32) -> Result<(Option<Verdict>, u32)> {
        let remarks = self.remark_rows(id).await?;
        let open = remarks.iter().filter(|row| row.settled_by.is_none()).count();
        let last = self.reviews(id).await?.into_iter().next().filter(|review| review.state == "changes_wanted");
        // A later verdict on an older version still applies: the versions saved since respond to it.
        let Some(review) = last.filter(|review| review.version <= i64::from(version)) else {
            return Ok((None, u32::try_from(open).unwrap_or(u32::MAX)));
        };
        let by = review.decided_by.unwrap_or_default();
        let names = self.names([by.clone()]).await?;
        let verdict = review.decided_at.zip(review.reason).map(|(at, reason)| Verdict {
            by: names.get(&by).cloned().unwrap_or_default(),
            at,
            reason,
        });
        Ok((verdict, u32::try_from(open).unwrap_or(u32::MAX)))
    }

    /// Reviews requested from this person, as `(document, due, asked by, comments only)`, except those of an office or unit that
    /// the person has left.
    pub(super) async fn asked_for(&self, viewer: &Viewer) -> Result<Vec<(DocumentId, Option<NaiveDate>, String, bool)>> {
        let mut answers = self.backend.store().read(ASKED, vars! { member: viewer.member.to_string() }).await?;
        let mut asked = Vec::new();
        for (at, comments_only) in [(0, false), (1, true), (2, true)] {
            for row in answers.rows::<AskedRow>(at)? {
                let id = row.document.parse().map_err(|_| Error::Damaged(format!("review of {}", row.document)))?;
                asked.push((id, row.due.and_then(|day| day.parse().ok()), row.asked_by, comments_only));
            }
        }
        if asked.is_empty() {
            return Ok(asked);
        }
        let drafts: Vec<_> = asked.iter().map(|(id, ..)| record("draft", id)).collect();
        let found: Vec<IssuedRow> = self.backend.store().read(ISSUERS, vars! { drafts: drafts }).await?.rows(0)?;
        let tree = self.backend.units().tree();
        let issuers: BTreeMap<String, &UnitRef> =
            found.into_iter().filter_map(|row| tree.successor(&row.issuer).map(|issuer| (row.id, issuer))).collect();
        asked.retain(|(id, _, _, comments_only)| {
            issuers.get(&id.to_string()).is_some_and(|issuer| is_still_asked(viewer, issuer, *comments_only))
        });
        // If asked twice about one draft, the request for a decision is kept.
        asked.sort_by_key(|(id, _, _, comments_only)| (*id, *comments_only));
        asked.dedup_by_key(|(id, ..)| *id);
        Ok(asked)
    }

    /// Reviews pending for any chief editor, as in [`Self::asked_for`]: no reviewer was named, or one who may not approve. The
    /// number of queries does not depend on the number of drafts.
    pub(super) async fn for_any_chief(&self, viewer: &Viewer) -> Result<Vec<(DocumentId, Option<NaiveDate>, String, bool)>> {
        let member = viewer.member.to_string();
        let tree = self.backend.units().tree();
        let top_units = viewer.standpoint.top_units(Action::PublishDocument);
        let mut works: Vec<InWork> = Vec::new();
        if !top_units.is_empty() {
            let (sql, vars) = of_top_units(&waiting_drafts(), &top_units);
            let mut answers = self.backend.store().read(sql, vars).await?;
            for at in 0..top_units.len() {
                for draft in answers.rows::<DraftRow>(at)? {
                    works.push(draft.decode(&tree)?);
                }
            }
        }
        if works.is_empty() {
            return Ok(Vec::new());
        }
        let approvers = self.approvers(&works).await?;
        let (sql, vars) = open_reviews(&works);
        let mut answers = self.backend.store().read(sql, vars).await?;
        let mut waiting = Vec::new();
        for (at, work) in works.iter().enumerate() {
            let open = answers.row::<ReviewRow>(at)?;
            let Some(review) = open.filter(|review| review.reviewer.as_deref() != Some(&*member)) else { continue };
            let is_author = work.authors.contains(&member);
            let is_anybodys = review.reviewer.as_ref().is_none_or(|asked| !approvers.may_approve(&tree, work, asked));
            if is_anybodys && (!is_author || approvers.may_approve(&tree, work, &member)) {
                waiting.push((work.id, review.due.and_then(|day| day.parse().ok()), review.asked_by, false));
            }
        }
        Ok(waiting)
    }

    /// All reviews pending for this person.
    pub(super) async fn awaited(&self, viewer: &Viewer) -> Result<Vec<(DocumentId, Option<NaiveDate>, String, bool)>> {
        let mut asked = self.for_any_chief(viewer).await?;
        asked.extend(self.asked_for(viewer).await?);
        asked.sort_by_key(|(id, _, _, comments_only)| (*id, *comments_only));
        asked.dedup_by_key(|(id, ..)| *id);
        Ok(asked)
    }

    /// Number of reviews pending for this person, counted up to 100.
    pub(crate) async fn count_asked(&self, viewer: &Viewer) -> Result<u32> {
        Ok(u32::try_from(self.awaited(viewer).await?.len()).unwrap_or(u32::MAX))
    }

    /// Number of drafts in review in the units the person publishes for, counted up to 100. `None` for a person who publishes for
    /// no unit.
    pub(crate) async fn count_in_review(&self, viewer: &Viewer) -> Result<Option<u64>> {
        let top_units = viewer.standpoint.top_units(Action::PublishDocument);
        if top_units.is_empty() {
            return Ok(None);
        }
        let (sql, vars) = of_top_units(IN_REVIEW, &top_units);
        let mut answers = self.backend.store().read(sql, vars).await?;
        let mut count = 0;
        for at in 0..top_units.len() {
            count += answers.rows::<String>(at)?.len() as u64;
        }
        Ok(Some(count))
    }

    /// Full names by member id.
    pub(super) async fn names(&self, members: impl IntoIterator<Item = String>) -> Result<BTreeMap<String, String>> {
        let members: Vec<String> = members.into_iter().collect();
        self.backend.members().names(members.iter().map(String::as_str)).await
    }

    /// The reviews of a document, newest first.
    async fn reviews(&self, id: DocumentId) -> Result<Vec<ReviewRow>> {
        Ok(self.backend.store().read(REVIEWS.as_str(), vars! { document: id.to_string() }).await?.rows(0)?)
    }

    async fn remark_rows(&self, id: DocumentId) -> Result<Vec<RemarkRow>> {
        let sql = format!(
            "SELECT record::id(id)[1] AS key, version, quote, text, by, at, settled_by FROM $remarks LIMIT {REMARKS_MAX}"
        );
        Ok(self.backend.store().read(sql, vars! { remarks: pairs_of("review_remark", id) }).await?.rows(0)?)
    }

    /// The people who can be asked: editors of the issuing unit and of the units above it, those who may approve this draft
    /// first.
    async fn people_of_desk(&self, work: &InWork) -> Result<Vec<Reviewer>> {
        let tree = self.backend.units().tree();
        let mut held: Vec<(Role, String, UnitRef)> = Vec::new();
        for unit in tree.trail(&work.particulars.issuer.path) {
            for (role, member) in feedback::holders(self.backend, unit.id, Action::WriteDocument).await? {
                held.push((role, member, unit.clone()));
            }
        }
        let names = self.names(held.iter().map(|(_, member, _)| member.clone())).await?;
        let own_approval = self.own_approval(work.particulars.issuer.id).await?;
        let mut people: Vec<Reviewer> = Vec::new();
        for (role, member, unit) in held {
            let may_approve = role.covers(Action::PublishDocument) && (own_approval || !work.authors.contains(&member));
            let id: MemberId = member.parse().map_err(|_| Error::Damaged(format!("office of {member}")))?;
            match people.iter_mut().find(|person| person.member == id) {
                Some(person) => person.may_approve |= may_approve,
                None => {
                    let name = names.get(&member).cloned().unwrap_or_default();
                    people.push(Reviewer { member: id, name, unit, may_approve });
                }
            }
        }
        people.sort_by_key(|person| (!person.may_approve, std::cmp::Reverse(person.unit.path.as_str().len())));
        Ok(people)
    }

    /// Who may approve these drafts, in two queries.
    async fn approvers(&self, works: &[InWork]) -> Result<Approvers> {
        let tree = self.backend.units().tree();
        let units: BTreeSet<UnitId> =
            works.iter().flat_map(|work| tree.trail(&work.particulars.issuer.path)).map(|unit| unit.id).collect();
        let issuers: BTreeSet<UnitId> = works.iter().map(|work| work.particulars.issuer.id).collect();
        Ok(Approvers {
            holders: feedback::holders_of(self.backend, &units, Action::PublishDocument).await?,
            own_approval: self.with_own_approval(&issuers).await?,
        })
    }

    /// A member posted in the subtree, by card number.
    async fn member_by_card(&self, card: &CardNumber, typed: &str, unit: &UnitRef) -> Result<Option<String>> {
        // Older cards have other spellings of the number: also look it up as typed.
        let sql = "SELECT record::id(id) AS id, path FROM member WHERE code = $card; \
                   SELECT record::id(id) AS id, path FROM member WHERE code = $typed";
        let mut answers = self.backend.store().read(sql, vars! { card: card.as_str(), typed: typed.trim() }).await?;
        let mut found = answers.rows::<Posted>(0)?.into_iter().chain(answers.rows(1)?);
        Ok(found.find(|member| member.path.starts_with(unit.path.as_str())).map(|member| member.id))
    }
}

/// The guard's warnings on everything a reader sees. Runs on the blocking pool: a long text takes time.
async fn warnings_of(title: &str, body: &str) -> Result<Vec<Warning>> {
    let text = format!("{title}\n{body}");
    super::spawn_blocking(move || guard::scan(&text)).await
}

const SUBMIT: &str = "LET $found = (SELECT version, stage FROM ONLY $draft); \
                      IF $found.version != $version OR $found.stage != 'draft' { THROW 'changed' }; \
                      UPDATE $draft SET stage = 'in_review', held = NONE, held_at = NONE RETURN NONE; \
                      CREATE $review SET document = $document, version = $version, state = 'open', asked_by = $asked_by, \
                      asked_at = $asked_at, reviewer = $reviewer_now, colleague = $colleague_now, commenter = $commenter_now, \
                      due = $due, note = $note RETURN NONE;";

/// [`SUBMIT`] after the statements that look up the people who are asked.
fn submission() -> String {
    format!("{}{}{}{SUBMIT}", asked_now("reviewer"), asked_now("colleague"), asked_now("commenter"))
}

/// Sets `$<person>_now` to the record of the person `$<person>`: the remaining one if it was merged since the person was chosen.
/// A merge writes the same row of `office_turn`, so of two concurrent transactions one is retried and sees the other: either the
/// merge moves the review, or the review asks the remaining record.
fn asked_now(person: &str) -> String {
    format!(
        "IF ${person} != NONE {{ UPSERT type::record('office_turn', ${person}) SET n = (n ?? 0) + 1 RETURN NONE }}; \
         LET ${person}_now = IF ${person} = NONE {{ NONE }} ELSE {{ \
             (SELECT VALUE merged_into FROM ONLY type::record('member', ${person})) ?? ${person} }}; "
    )
}

static REVIEWS: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    format!("SELECT {REVIEW_COLUMNS} FROM review WHERE document = $document ORDER BY asked_at DESC LIMIT {REVIEWS_MAX}")
});

const IN_REVIEW: &str = "SELECT VALUE record::id(id) FROM draft WHERE issuer_path >= $from AND issuer_path < $until \
                         AND stage = 'in_review' LIMIT 100";

const ASKED: &str = "SELECT document, due, asked_by FROM review WHERE reviewer = $member AND state = 'open' LIMIT 50; \
                     SELECT document, due, asked_by FROM review WHERE commenter = $member AND state = 'open' LIMIT 50; \
                     SELECT document, due, asked_by FROM review WHERE colleague = $member AND state = 'open' LIMIT 50;";

/// Transfers the desk role of the member `$key` to the kept record `$kept_key` when the two are merged: authors still cannot
/// approve what they wrote under the other record, and reviews pending for it become pending for the kept one. Authors have no
/// index, but hold or held an office on the issuing unit or above it.
pub(crate) const AT_THE_DESK: &str = "\
     LET $seats = (SELECT VALUE path FROM office WHERE member = $key); \
     FOR $seat IN array::distinct($seats) { \
         LET $seat_end = string::concat(string::slice($seat, 0, string::len($seat) - 1), '0'); \
         LET $written = (SELECT VALUE id FROM draft WHERE issuer_path >= $seat AND issuer_path < $seat_end AND authors CONTAINS $key); \
         UPDATE $written SET authors = array::union(array::complement(authors, [$key]), [$kept_key]) RETURN NONE \
     }; \
     LET $to_review = (SELECT VALUE id FROM review WHERE reviewer = $key AND state = 'open'); \
     UPDATE $to_review SET reviewer = $kept_key RETURN NONE; \
     LET $to_comment = (SELECT VALUE id FROM review WHERE commenter = $key AND state = 'open'); \
     UPDATE $to_comment SET commenter = $kept_key RETURN NONE; \
     LET $to_remark = (SELECT VALUE id FROM review WHERE colleague = $key AND state = 'open'); \
     UPDATE $to_remark SET colleague = $kept_key RETURN NONE;";

const ISSUERS: &str = "SELECT record::id(id) AS id, issuer FROM $drafts WHERE stage = 'in_review'";

/// Drafts in review in a subtree.
fn waiting_drafts() -> String {
    format!(
        "SELECT {DRAFT_COLUMNS} FROM draft WHERE issuer_path >= $from AND issuer_path < $until AND stage = 'in_review' LIMIT 50"
    )
}

/// Repeats a statement over the subtree between `$from` and `$until` for each top unit.
fn of_top_units(statement: &str, top_units: &[&UnitPath]) -> (String, Variables) {
    let (mut sql, mut vars) = (String::new(), vars! {});
    for (at, top_unit) in top_units.iter().enumerate() {
        let (from, until) = (format!("from_{at}"), format!("until_{at}"));
        sql += &statement.replace("$from", &format!("${from}")).replace("$until", &format!("${until}"));
        sql.push(';');
        vars.insert(from, top_unit.to_string());
        vars.insert(until, top_unit.range_end());
    }
    (sql, vars)
}

/// The open review of each of these drafts, one statement each.
fn open_reviews(works: &[InWork]) -> (String, Variables) {
    let (mut sql, mut vars) = (String::new(), vars! {});
    for (at, work) in works.iter().enumerate() {
        sql += &format!("SELECT {REVIEW_COLUMNS} FROM review WHERE document = $document_{at} AND state = 'open' LIMIT 1;");
        vars.insert(format!("document_{at}"), work.id.to_string());
    }
    (sql, vars)
}

/// Passages of a text that can be commented on without copying: its paragraphs, headings and list items, without their markers.
fn passages(body: &str) -> Vec<String> {
    let mut passages: Vec<String> = Vec::new();
    let mut paragraph = String::new();
    let mut close = |paragraph: &mut String| {
        let text: String = paragraph.trim().chars().take(QUOTE_MAX as usize).collect();
        paragraph.clear();
        if text.chars().any(char::is_alphanumeric) {
            passages.push(text);
        }
    };
    for line in body.lines() {
        let text = line.trim();
        let begins = text.starts_with(['#', '-', '+', '>', '|'])
            || text.starts_with("* ")
            || text.split_once(['.', ')']).is_some_and(is_numbered);
        if text.is_empty() || begins {
            close(&mut paragraph);
        }
        let words = text.trim_start_matches(['#', '-', '+', '>', '|', ' ']).trim_start_matches("* ").trim_end_matches(['|', ' ']);
        if !paragraph.is_empty() {
            paragraph.push(' ');
        }
        paragraph.push_str(words);
        if text.starts_with(['#', '|']) {
            close(&mut paragraph);
        }
    }
    close(&mut paragraph);
    passages.truncate(PASSAGES_MAX);
    passages
}

/// Whether the text before the delimiter of a numbered item is a number.
fn is_numbered((number, rest): (&str, &str)) -> bool {
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && rest.starts_with(' ')
}

/// Who may approve drafts of some units.
struct Approvers {
    /// Members with an office of the unit itself that publishes.
    holders: BTreeMap<UnitId, BTreeSet<String>>,
    /// The units that let authors approve their own text.
    own_approval: BTreeSet<UnitId>,
}

impl Approvers {
    /// Whether a member may approve this draft.
    fn may_approve(&self, tree: &Tree, work: &InWork, member: &str) -> bool {
        let mut line = tree.trail(&work.particulars.issuer.path);
        let publishes = line.any(|unit| self.holders.get(&unit.id).is_some_and(|holders| holders.contains(member)));
        let is_author = work.authors.iter().any(|author| author == member);
        publishes && (!is_author || self.own_approval.contains(&work.particulars.issuer.id))
    }
}

/// Whether the reviewer may still see the draft: by an office of the desk or, if asked for comments only, as a member below the
/// issuer.
fn is_still_asked(viewer: &Viewer, issuer: &UnitRef, comments_only: bool) -> bool {
    let standpoint = &viewer.standpoint;
    standpoint.may_by_office(Action::WriteDocument, &issuer.path) || (comments_only && issuer.path.contains(&standpoint.branch))
}

#[derive(Debug, SurrealValue)]
struct IssuedRow {
    id: String,
    issuer: String,
}

#[derive(Debug, SurrealValue)]
struct AskedRow {
    document: String,
    due: Option<String>,
    asked_by: String,
}

#[derive(Debug, SurrealValue)]
struct Posted {
    id: String,
    path: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn reviews_are_read_by_index() {
        let store = migrated().await;
        store.assert_no_scan(&REVIEWS, vars! { document: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
        store.assert_no_scan(IN_REVIEW, vars! { from: "/01/", until: "/010" }).await;
        store.assert_no_scan(ASKED, vars! { member: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
        store.assert_no_scan(&waiting_drafts(), vars! { from: "/01/", until: "/010" }).await;
    }

    const MEMBER: &str = "CREATE type::record('member', $key) SET code = $key, full_name = 'Võ Văn Khơi', sort_key = 'khoi', \
                          sex = 'male', birth_date = '1972-05-12', admitted_on = '2001-02-03', standing = 'official', \
                          state = 'active', unit = 'U', path = '/01/'";

    const DRAFT: &str = "CREATE $draft SET kind = 'news', title = 'Tin', issuer = 'U', issuer_path = '/01/', \
                         issuer_level = 'central', audience = 'U', audience_path = '/01/', stage = 'draft', version = 1, \
                         minutes = 1, saved_at = time::now(), saved_by = 'E', authors = ['E']";

    /// The statements of a merge that concern a review: see `members::merge`.
    fn merge() -> String {
        format!(
            "UPSERT type::record('office_turn', $key) SET n = (n ?? 0) + 1 RETURN NONE; {AT_THE_DESK} \
             UPDATE type::record('member', $key) SET state = 'merged', merged_into = $kept_key RETURN NONE;"
        )
    }

    /// The bindings of [`submission`], with the same person asked twice.
    fn submitted(draft: &str, asked: &str) -> Variables {
        vars! {
            draft: record("draft", draft),
            version: 1_i64,
            review: record("review", draft),
            document: draft.to_owned(),
            asked_by: "E",
            asked_at: DateTime::<Utc>::UNIX_EPOCH,
            reviewer: Some(asked.to_owned()),
            colleague: None::<String>,
            commenter: Some(asked.to_owned()),
            due: None::<String>,
            note: None::<String>,
        }
    }

    async fn people_asked(store: &crate::store::Store) -> Vec<Vec<String>> {
        let sql = "SELECT VALUE [reviewer, commenter] FROM review";
        store.read(sql, ()).await.expect("reads").rows(0).expect("people")
    }

    #[tokio::test]
    async fn a_review_asked_of_a_record_merged_meanwhile_asks_the_remaining_one() {
        let store = migrated().await;
        for key in ["A", "B"] {
            store.write(MEMBER, vars! { key: key }).await.expect("creates");
        }
        store.write(DRAFT, vars! { draft: record("draft", "D") }).await.expect("creates");
        // The page that offered A was shown before.
        store.write(&merge(), vars! { key: "A", kept_key: "B" }).await.expect("merges");
        store.write(&submission(), submitted("D", "A")).await.expect("submits");
        assert_eq!(people_asked(&store).await, [["B", "B"]]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_review_asked_during_a_merge_never_waits_for_the_merged_record() {
        let store = migrated().await;
        let rounds = 20;
        for round in 0..rounds {
            let (gone, kept, draft) = (format!("A{round}"), format!("B{round}"), format!("D{round}"));
            for key in [&gone, &kept] {
                store.write(MEMBER, vars! { key: key.clone() }).await.expect("creates");
            }
            store.write(DRAFT, vars! { draft: record("draft", &draft) }).await.expect("creates");
            let (merge, submission) = (merge(), submission());
            let merging = store.write(&merge, vars! { key: gone.clone(), kept_key: kept });
            let submitting = store.write(&submission, submitted(&draft, &gone));
            let (merged, submitted) = tokio::join!(merging, submitting);
            merged.expect("merges");
            submitted.expect("submits");
        }
        let asked = people_asked(&store).await;
        assert_eq!(asked.len(), rounds);
        assert!(asked.iter().flatten().all(|member| member.starts_with('B')), "{asked:?}");
    }

    #[test]
    fn passages_are_paragraphs_headings_and_list_items() {
        let body = "## Trước chuyến biển\n\nTải tài liệu\nvề máy.\n\n- Mang theo **thẻ**\n- Giữ vệ sinh\n1. Một\n2. Hai\n\n| Ngày | Giờ |\n| --- | --- |\n| Thứ Hai | 7:30 |\n***\n12 giờ. Nghỉ.";
        let expected = [
            "Trước chuyến biển",
            "Tải tài liệu về máy.",
            "Mang theo **thẻ**",
            "Giữ vệ sinh",
            "1. Một",
            "2. Hai",
            "Ngày | Giờ",
            "Thứ Hai | 7:30",
            "*** 12 giờ. Nghỉ.",
        ];
        assert_eq!(passages(body), expected);
        assert_eq!(passages(&"a".repeat(5_000))[0].len(), 1_000);
        assert!(passages(" \n\n---\n").is_empty());
    }
}
