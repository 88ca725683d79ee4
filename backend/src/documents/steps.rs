//! The workflow steps of a document after writing: submit, return, schedule, publish, withdraw. Each is one transaction that
//! commits only if nobody saved or decided since the page was shown.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    audience::Audience,
    documents::{
        desk::{Held, Remark, Withdrawal},
        steps::{DocumentStep, DraftState, PublicationState, StepRefused},
    },
    events::EventBody,
    forms::{self, FormReader, Problem},
    ids::{DocumentId, MemberId},
    locale::utc_of_local,
    units::UnitPath,
};

use super::{
    Document, Documents,
    draft::{InWork, OnDesk},
    particulars::copied,
    save::revision_of,
};
use crate::{
    Error, Result,
    change::Change,
    files::discard_files,
    store::{Answers, RecordId, StoreError, SurrealValue, Variables, pairs_of, record, vars},
};

/// Attempts at a withdrawal when the correction of the document changes state concurrently.
const WITHDRAW_TRIES: usize = 3;

/// Documents published, and expired, in one run of the job.
const ROUND: usize = 50;

/// The form that publishes or schedules a draft, as typed.
#[derive(Debug, Clone, Copy)]
pub struct PublishForm<'f> {
    pub id: &'f str,
    /// The version shown: that text is published, not one saved meanwhile.
    pub version: &'f str,
    /// The other state shown, as the page encoded it: the review, the files, and the published text (`looked_at`).
    pub review: &'f str,
    /// `now` or `later`.
    pub when: &'f str,
    /// Local time, `2026-11-21T08:00`; read for `later` only.
    pub at: &'f str,
    /// `yes` to confirm publishing again after a withdrawal.
    pub again: &'f str,
}

/// A publication of a draft.
struct Release<'r> {
    document: DocumentId,
    version: u32,
    stage: DraftState,
    /// The text it replaces.
    base: Base,
    /// The attachments published with it.
    files: &'r [String],
    expires_at: Option<DateTime<Utc>>,
    issuer: &'r UnitPath,
    by: Option<MemberId>,
}

/// The published or withdrawn text that an approval was based on. The transaction commits only while it is unchanged.
#[derive(Debug, Clone, Copy)]
struct Base(Option<(PublicationState, u32)>);

impl Base {
    fn of(out: Option<&Document>) -> Self {
        Self(out.map(|out| (out.out, out.version)))
    }

    fn is_out(self) -> bool {
        self.0.is_some_and(|(out, _)| out == PublicationState::Published)
    }

    fn bind(self, vars: &mut Variables, files: &[String]) {
        vars.extend(vars! {
            base_state: self.0.map(|(out, _)| out.key().to_owned()),
            base_version: self.0.map(|(_, version)| i64::from(version)),
            files: files.to_vec(),
        });
    }
}

/// Encodes all that an approval depends on besides the version: the review, the published or withdrawn text, the files, the
/// issuer and the audience (when units merge, a draft's issuer and audience become the successor without a new version). `None`
/// for a draft that is neither in review nor scheduled.
///
/// Files have no version: they change only between two reviews, and the content of a file's row never changes.
pub(super) fn looked_at(desk: &OnDesk, review: Option<&str>) -> Option<String> {
    let work = desk.work.as_ref().filter(|work| work.work != DraftState::Draft)?;
    let out = desk.out.as_ref().map(|out| format!("{}-{}", out.out.key(), out.version));
    let issuer = work.particulars.issuer.id.to_string();
    let Audience { unit, parts, except, .. } = &work.particulars.audience;
    let parts = [unit].into_iter().chain(parts).map(|unit| unit.id.to_string());
    let except = except.iter().map(|unit| format!("-{}", unit.id));
    let audience = parts.chain(except).collect::<Vec<_>>().join("+");
    Some([review.unwrap_or_default(), &out.unwrap_or_default(), &work.attachments.join("+"), &issuer, &audience].join("."))
}

impl Documents<'_> {
    /// Approves a draft: publishes it now, or schedules it. Returns the scheduled time.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAllowed`] as [`Self::draft`], and for an author where the unit does not allow own
    /// approval; [`Error::Step`] from any state but review (and, to publish now, scheduled). [`Error::Invalid`] on the form
    /// `publish`: [`Problem::Stale`] on `version` after a concurrent save or submission, [`Problem::Over`] on `at` for a time in
    /// the past, so that nothing is reported as scheduled that is published at once. [`Problem::Required`] on `when` without a
    /// choice; [`Problem::Required`] on `again` when it would republish a withdrawn document, or one that expires before then,
    /// without confirmation. [`Problem::Expired`] on `version` when the text itself expires before then; [`Problem::NotOffered`]
    /// on `audience` when it is no longer below the issuer.
    pub async fn publish(&self, viewer: &Viewer, form: PublishForm<'_>) -> Result<Option<DateTime<Utc>>> {
        let id: DocumentId = form.id.parse().map_err(|_| Error::NotFound)?;
        let desk = self.on_desk(viewer, id).await?;
        let now = self.backend.clock().now();
        let mut reader = FormReader::new("publish");
        let is_later = form.when == "later";
        desk.step(if is_later { DocumentStep::Schedule } else { DocumentStep::Publish })?;
        let work = desk.work.as_ref().ok_or(Error::NotFound)?;
        let when = reader.read("when", form.when, |typed| match typed {
            "now" | "later" => Ok(()),
            // No default: filling in only a time must not publish at once.
            "" => Err(Problem::Required),
            _ => Err(Problem::NotOffered),
        });
        let at = reader.read("at", form.at, |typed| if is_later { moment(typed, now).map(Some) } else { Ok(None) });
        let (Some(()), Some(at)) = (when, at) else { return Err(reader.finish().err().unwrap_or_default().into()) };
        // Checked before the shown state is compared: reloading the page would not help.
        if !work.reaches_only_below() {
            return Err(reader.refused("audience", Problem::NotOffered).into());
        }
        let review = self.review_key(id).await?;
        let shown = looked_at(&desk, review.as_deref()).unwrap_or_default();
        if form.version != work.version.to_string() || form.review != shown {
            return Err(reader.refused("version", Problem::Stale).into());
        }
        let comes_back = desk.status().comes_back() || self.is_over_by(id, at).await?;
        if comes_back && form.again != "yes" {
            return Err(reader.refused("again", Problem::Required).into());
        }
        if work.expires_at().is_some_and(|over| over <= at.unwrap_or(now)) {
            return Err(reader.refused("version", Problem::Expired).into());
        }
        let done = match at {
            Some(at) => self.schedule(viewer, &desk, at).await,
            None => {
                let release = Release {
                    document: id,
                    version: work.version,
                    stage: work.work,
                    base: Base::of(desk.out.as_ref()),
                    files: &work.attachments,
                    expires_at: work.expires_at(),
                    issuer: &work.particulars.issuer.path,
                    by: Some(viewer.member),
                };
                self.release(release).await
            }
        };
        match done? {
            Done::Yes => Ok(at),
            Done::Changed => Err(reader.refused("version", Problem::Stale).into()),
            Done::NumberTaken => {
                let number = work.particulars.number.as_deref().unwrap_or_default();
                Err(self.number_taken(viewer, reader, "version", (number, work.particulars.issuer.id, id)).await?.into())
            }
        }
    }

    /// Whether the published text expires by that time, so that publishing would bring it back.
    async fn is_over_by(&self, id: DocumentId, at: Option<DateTime<Utc>>) -> Result<bool> {
        let Some(at) = at else { return Ok(false) };
        let sql = "SELECT VALUE expires_at FROM ONLY $document";
        let over: Option<DateTime<Utc>> =
            self.backend.store().read(sql, vars! { document: record("document", id) }).await?.row(0)?;
        Ok(over.is_some_and(|over| over <= at))
    }

    async fn schedule(&self, viewer: &Viewer, desk: &OnDesk, at: DateTime<Utc>) -> Result<Done> {
        let work = desk.work.as_ref().ok_or(Error::NotFound)?;
        let mut vars = vars! { document: record("document", work.id), at: at, by: viewer.member.to_string() };
        Base::of(desk.out.as_ref()).bind(&mut vars, &work.attachments);
        let schedule = format!("{SAME} UPDATE $draft SET stage = 'scheduled', publish_at = $at, approved_by = $by RETURN NONE;");
        let decided = Decided { state: "approved", reason: None };
        let scheduled = EventBody::DocumentScheduled { document: work.id, at: Some(at) };
        self.decide(viewer, desk, scheduled, Change::new(&schedule, vars), Some(decided)).await
    }

    /// Takes a draft back from review, or from the schedule, for further writing.
    ///
    /// # Errors
    /// As [`Self::publish`]; [`Error::Step`] when it is neither in review nor scheduled.
    pub async fn recall(&self, viewer: &Viewer, id: DocumentId) -> Result<()> {
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::Recall)?;
        let decided = Decided { state: "recalled", reason: None };
        let back = Change::new(BACK, back_vars());
        let done = self.decide(viewer, &desk, EventBody::DraftRecalled(id), back, Some(decided)).await?;
        self.finish(viewer, id, DocumentStep::Recall, done).await
    }

    /// Returns a draft to its authors with a reason.
    ///
    /// # Errors
    /// As [`Self::publish`]; [`Error::Invalid`] on the form `changes` without a reason.
    pub async fn want_changes(&self, viewer: &Viewer, id: DocumentId, reason: &str) -> Result<()> {
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::WantChanges)?;
        let mut reader = FormReader::new("changes");
        let Some(reason) = reader.read("reason", reason, Remark::parse) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let decided = Decided { state: "changes_wanted", reason: Some(reason) };
        let back = Change::new(BACK, back_vars());
        let done = self.decide(viewer, &desk, EventBody::ChangesWanted(id), back, Some(decided)).await?;
        self.finish(viewer, id, DocumentStep::WantChanges, done).await
    }

    /// Discards the draft. The published or withdrawn text stays, and the revisions stay readable.
    ///
    /// # Errors
    /// As [`Self::publish`]; [`Error::Step`] when its state is not draft. [`Error::Invalid`] on the form `discard`:
    /// [`Problem::Stale`] on `version` when another version was saved since the confirmation page was shown.
    pub async fn discard(&self, viewer: &Viewer, id: DocumentId, version: &str) -> Result<()> {
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::Discard)?;
        if version != desk.version().to_string() {
            return Err(FormReader::new("discard").refused("version", Problem::Stale).into());
        }
        let discard = Change::new("DELETE $draft RETURN NONE; DELETE $draft_text RETURN NONE", ());
        let discard = discard_files(discard, id, self.backend.clock().now());
        let done = self.decide(viewer, &desk, EventBody::DraftDiscarded(id), discard, None).await?;
        self.finish(viewer, id, DocumentStep::Discard, done).await
    }

    /// Begins a new draft from the published or withdrawn text and its particulars, to correct it or publish it again.
    ///
    /// # Errors
    /// As [`Self::publish`]; [`Error::Step`] when a draft exists.
    pub async fn revise(&self, viewer: &Viewer, id: DocumentId) -> Result<()> {
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::Revise)?;
        // Versions continue after those of discarded drafts, so that a number never stands for two texts.
        let (newest, out) = (self.newest_revision(id).await?, desk.version());
        let version = if newest > out { newest + 1 } else { out };
        let vars = vars! {
            draft: record("draft", id),
            draft_text: record("draft_text", id),
            document: record("document", id),
            text: record("document_text", id),
            version: i64::from(version),
            revision: (version != out).then(|| revision_of(id, version)),
            now: self.backend.clock().now(),
            editor: viewer.member.to_string(),
        };
        let (issuer, drafted) = (&desk.issuer()?.path, EventBody::DocumentDrafted(id));
        let change = Change::new(&begin_again(), vars).event(self.backend.clock(), Some(viewer.member), issuer, drafted);
        match self.backend.transact(change).await {
            // `Exists`: another request created the draft concurrently.
            Ok(_) | Err(StoreError::Exists) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a published document from everybody's library. Receipts, opinions and revisions stay, and its former readers are
    /// shown the reason. A correction that is in review or scheduled returns to the desk as a draft.
    ///
    /// # Errors
    /// As [`Self::publish`]; [`Error::Invalid`] on the form `withdraw` without a reason; [`Error::Step`] when it is not
    /// published.
    pub async fn withdraw(&self, viewer: &Viewer, id: DocumentId, reason: &str) -> Result<()> {
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::Withdraw)?;
        let mut reader = FormReader::new("withdraw");
        let Some(reason) = reader.read("reason", reason, Remark::parse) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let mut done = self.withdraw_all(viewer, &desk, &reason).await?;
        for _ in 1..WITHDRAW_TRIES {
            if done != Done::Changed {
                break;
            }
            // Its correction was submitted or published concurrently: retry, which withdraws the new text as well.
            let desk = self.on_desk(viewer, id).await?;
            desk.step(DocumentStep::Withdraw)?;
            done = self.withdraw_all(viewer, &desk, &reason).await?;
        }
        self.finish(viewer, id, DocumentStep::Withdraw, done).await
    }

    /// Withdraws the published text and, with it, a draft in review or scheduled.
    async fn withdraw_all(&self, viewer: &Viewer, desk: &OnDesk, reason: &Remark) -> Result<Done> {
        let out = desk.out.as_ref().ok_or(Error::NotFound)?;
        let clock = self.backend.clock();
        let waits = desk.work.as_ref().filter(|work| work.work != DraftState::Draft);
        let vars = vars! {
            document: record("document", out.id),
            draft: record("draft", out.id),
            key: out.id.to_string(),
            now: clock.now(),
            reason: reason.as_str(),
            by: viewer.member.to_string(),
            stage: waits.map(|work| work.work.key().to_owned()),
            why: Held::Withdrawn.key(),
        };
        let (actor, issuer) = (Some(viewer.member), &out.particulars.issuer.path);
        let withdrawn = EventBody::DocumentWithdrawn(out.id);
        let mut change = Change::new(WITHDRAW, vars).then(TAKE_OUT).event(clock, actor, issuer, withdrawn);
        if waits.is_some() {
            let recalled = EventBody::DraftRecalled(out.id);
            change = change.then(BACK).then(END_REVIEWS).event(clock, actor, issuer, recalled);
        }
        Done::from_store(self.backend.transact(change).await)
    }

    /// Publishes scheduled documents that are due and removes expired ones. Returns how many documents changed. A job runs this
    /// every few seconds in every process; a concurrent second run finds nothing to do.
    ///
    /// # Errors
    /// [`Error::Store`] and [`Error::Busy`]; the next run retries what was not done.
    pub async fn publish_due(&self) -> Result<usize> {
        let now = self.backend.clock().now();
        let tree = self.backend.units().tree();
        let vars = vars! { now: now, from: DateTime::<Utc>::UNIX_EPOCH };
        let mut answers = self.backend.store().read(due(), vars).await?;
        let mut changed = 0;
        for row in answers.rows::<DueRow>(0)? {
            match self.release_due(&row, now).await {
                Ok(Done::Yes) => changed += 1,
                // Published by another process, or recalled.
                Ok(Done::Changed | Done::NumberTaken) => {}
                // A failing document must not block the others.
                Err(error) => tracing::error!(document = %row.id, %error, "failed to publish a scheduled document; will retry"),
            }
        }
        for row in answers.rows::<OverRow>(1)? {
            let document = row.id.parse().map_err(|_| Error::Damaged(format!("document {}", row.id)))?;
            let issuer = tree.successor(&row.issuer).ok_or_else(|| Error::Damaged(format!("issuer of {}", row.id)))?;
            match self.expire(document, &issuer.path).await {
                Ok(Done::Yes) => changed += 1,
                // Withdrawn, or replaced by a text that expires later.
                Ok(Done::Changed | Done::NumberTaken) => {}
                Err(error) => tracing::error!(%document, %error, "failed to remove an expired document; will retry"),
            }
        }
        Ok(changed)
    }

    /// Publishes a scheduled draft. Returns it to the desk if its number, its audience or its expiry no longer allows that.
    async fn release_due(&self, row: &DueRow, now: DateTime<Utc>) -> Result<Done> {
        let id = row.id.parse().map_err(|_| Error::Damaged(format!("draft {}", row.id)))?;
        let stored = self.stored(id).await?;
        let Some(work) = stored.work.filter(|work| work.work == DraftState::Scheduled) else { return Ok(Done::Changed) };
        if !work.reaches_only_below() {
            return self.return_to_desk(&work, Held::Audience).await;
        }
        if work.expires_at().is_some_and(|over| over <= now) {
            return self.return_to_desk(&work, Held::Over).await;
        }
        let release = Release {
            document: id,
            version: work.version,
            stage: DraftState::Scheduled,
            base: Base::of(stored.out.as_ref()),
            files: &work.attachments,
            expires_at: work.expires_at(),
            issuer: &work.particulars.issuer.path,
            by: row.approved_by.as_deref().and_then(|member| member.parse().ok()),
        };
        match self.release(release).await? {
            Done::NumberTaken => self.return_to_desk(&work, Held::NumberTaken).await,
            done @ (Done::Yes | Done::Changed) => Ok(done),
        }
    }

    /// When and why the published text was withdrawn.
    pub(super) async fn withdrawal(&self, id: DocumentId, desk: &OnDesk) -> Result<Option<Withdrawal>> {
        if desk.out.as_ref().is_none_or(|out| out.out != PublicationState::Withdrawn) {
            return Ok(None);
        }
        let sql = "SELECT withdrawn_at, withdrawn_because FROM ONLY $document";
        let row: Option<WithdrawnRow> =
            self.backend.store().read(sql, vars! { document: record("document", id) }).await?.row(0)?;
        Ok(row.and_then(|row| row.withdrawn_at.map(|at| Withdrawal { at, reason: row.withdrawn_because })))
    }

    /// Publishes a draft to its audience's library in place of the earlier text. A correction keeps the library position of the
    /// text it corrects.
    async fn release(&self, release: Release<'_>) -> Result<Done> {
        let clock = self.backend.clock();
        let now = clock.now();
        let id = release.document;
        let mut vars = vars! {
            draft: record("draft", id),
            draft_text: record("draft_text", id),
            document: record("document", id),
            text: record("document_text", id),
            version: i64::from(release.version),
            stage: release.stage.key(),
            review: self.open_review(id).await?,
            by: release.by.map(|member| member.to_string()),
            now: now,
            shelf: clock.ulid_at(now).to_string(),
            expires_at: release.expires_at,
        };
        release.base.bind(&mut vars, release.files);
        let released = if release.base.is_out() { EventBody::DocumentCorrected(id) } else { EventBody::DocumentPublished(id) };
        let change =
            Change::new(&format!("{STILL} {SAME} {}", go_out()), vars).event(clock, release.by, release.issuer, released);
        Done::from_store(self.backend.transact(change).await)
    }

    /// Returns a scheduled draft that cannot be published to the desk with the reason, so that it is not retried forever.
    async fn return_to_desk(&self, work: &InWork, why: Held) -> Result<Done> {
        tracing::warn!(document = %work.id, why = why.key(), "a scheduled document can no longer be published; returned to the desk");
        let vars = vars! {
            draft: record("draft", work.id),
            version: i64::from(work.version),
            stage: work.work.key(),
            review: None::<RecordId>,
            why: why.key(),
            now: self.backend.clock().now(),
        };
        let recalled = EventBody::DraftRecalled(work.id);
        let change = Change::new(&format!("{STILL} {BACK}"), vars).event(
            self.backend.clock(),
            None,
            &work.particulars.issuer.path,
            recalled,
        );
        Done::from_store(self.backend.transact(change).await)
    }

    /// Removes an expired document. A pending correction keeps its state: its approval asks, or has asked, to confirm publishing
    /// again.
    async fn expire(&self, id: DocumentId, issuer: &UnitPath) -> Result<Done> {
        let clock = self.backend.clock();
        let vars = vars! { document: record("document", id), now: clock.now(), reason: None::<String> };
        let still_over = "LET $old = (SELECT state, expires_at FROM ONLY $document); \
             IF $old.state != 'published' OR $old.expires_at = NONE OR $old.expires_at > $now { THROW 'changed' }";
        let change = Change::new(still_over, vars).then(TAKE_OUT).event(clock, None, issuer, EventBody::DocumentExpired(id));
        Done::from_store(self.backend.transact(change).await)
    }

    /// One step of a draft: `change`, the end of its review, the event.
    async fn decide(
        &self,
        viewer: &Viewer,
        desk: &OnDesk,
        body: EventBody,
        change: Change,
        decided: Option<Decided>,
    ) -> Result<Done> {
        let work = desk.work.as_ref().ok_or(Error::NotFound)?;
        let review = match &decided {
            Some(_) => self.open_review(work.id).await?,
            None => None,
        };
        let clock = self.backend.clock();
        let (state, reason) = decided.map_or(("recalled", None), |decided| (decided.state, decided.reason));
        let vars = vars! {
            draft: record("draft", work.id),
            draft_text: record("draft_text", work.id),
            version: i64::from(work.version),
            stage: work.work.key(),
            review: review,
            review_state: state,
            reason: reason.map(|reason| reason.as_str().to_owned()),
            decided_by: viewer.member.to_string(),
            decided_at: clock.now(),
        };
        let change = Change::new(STILL, vars).and(change).then(DECIDE);
        Done::from_store(
            self.backend.transact(change.event(clock, Some(viewer.member), &work.particulars.issuer.path, body)).await,
        )
    }

    /// The error of a step that was allowed a moment ago.
    async fn finish(&self, viewer: &Viewer, id: DocumentId, step: DocumentStep, done: Done) -> Result<()> {
        match done {
            Done::Yes => Ok(()),
            Done::Changed | Done::NumberTaken => {
                let desk = self.on_desk(viewer, id).await?;
                // Allowed again: somebody saved a newer version, which must be seen before deciding.
                Err(desk.step(step).err().unwrap_or(Error::Step(StepRefused { from: desk.status(), step })))
            }
        }
    }

    /// The number of the newest saved version; `0` for none.
    async fn newest_revision(&self, id: DocumentId) -> Result<u32> {
        let sql = "SELECT VALUE record::id(id)[1] FROM $revisions ORDER BY id DESC LIMIT 1";
        let newest: Option<String> =
            self.backend.store().read(sql, vars! { revisions: pairs_of("document_revision", id) }).await?.row(0)?;
        Ok(newest.and_then(|version| version.parse().ok()).unwrap_or_default())
    }
}

/// The outcome of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Yes,
    /// Saved or decided since the page was shown; nothing was written.
    Changed,
    /// Another document of the issuer has the number; nothing was written.
    NumberTaken,
}

/// The unique index of numbers of published documents.
const NUMBERS: &str = "document_number";

impl Done {
    fn from_store(answer: Result<Answers, StoreError>) -> Result<Self> {
        match answer {
            Ok(_) => Ok(Self::Yes),
            Err(StoreError::Thrown(_)) => Ok(Self::Changed),
            Err(StoreError::Taken { index }) if index == NUMBERS => Ok(Self::NumberTaken),
            Err(error) => Err(error.into()),
        }
    }
}

/// The decision that closes a review.
struct Decided {
    state: &'static str,
    reason: Option<Remark>,
}

/// Parses a local time in the future.
fn moment(typed: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Problem> {
    let at = utc_of_local(forms::moment(typed)?).ok_or(Problem::Date)?;
    if at <= now {
        Err(Problem::Over)
    } else if at - now > TimeDelta::days(366) {
        Err(Problem::DateRange)
    } else {
        Ok(at)
    }
}

/// Aborts the transaction when somebody saved or decided since the page was shown.
const STILL: &str = "LET $d = (SELECT * FROM ONLY $draft); \
                     IF $d.version != $version OR $d.stage != $stage { THROW 'changed' }; \
                     IF $review != NONE AND (SELECT VALUE state FROM ONLY $review) != 'open' { THROW 'changed' };";

/// After [`STILL`]: aborts the transaction when the published text or the files are not those that were shown.
const SAME: &str = "LET $base = (SELECT state, version FROM ONLY $document); \
                    IF $base.state != $base_state OR $base.version != $base_version OR ($d.attachments ?? []) != $files \
                    { THROW 'changed' };";

/// Returns a draft to the desk. `$why` is a [`Held`], and `$now` its time, when no editor asked for it.
const BACK: &str = "UPDATE $draft SET stage = 'draft', publish_at = NONE, approved_by = NONE, held = $why, \
                    held_at = IF $why != NONE { $now } ELSE { NONE } RETURN NONE;";

/// Bindings of [`BACK`] when an editor asked for it.
fn back_vars() -> Variables {
    vars! { why: None::<String>, now: None::<DateTime<Utc>> }
}

/// Aborts the transaction when the document is not published, or its draft is not in the expected state.
const WITHDRAW: &str = "IF (SELECT VALUE state FROM ONLY $document) != 'published' { THROW 'changed' }; \
                        LET $stands = (SELECT VALUE stage FROM ONLY $draft); \
                        IF (IF $stands = 'draft' { NONE } ELSE { $stands }) != $stage { THROW 'changed' };";

const TAKE_OUT: &str = "UPDATE $document SET state = 'withdrawn', shelf = NONE, must = NONE, pin = NONE, expires_at = NONE, \
                        withdrawn_at = $now, withdrawn_because = $reason RETURN NONE;";

/// Closes the review of a draft that is returned because its document is withdrawn.
const END_REVIEWS: &str = "UPDATE review SET state = 'recalled', decided_by = $by, decided_at = $now, reason = $reason \
                           WHERE document = $key AND state = 'open' RETURN NONE;";

/// Closes the open review, if any.
const DECIDE: &str = "IF $review != NONE { UPDATE $review SET state = $review_state, decided_by = $decided_by, \
                      decided_at = $decided_at, reason = $reason RETURN NONE };";

/// After [`STILL`]: the draft becomes the published text.
fn go_out() -> String {
    format!(
        "LET $old = (SELECT state, shelf, published_at FROM ONLY $document); \
         LET $stays = $old.state = 'published'; LET $was = $old.state != NONE; \
         LET $place = IF $stays {{ $old.shelf }} ELSE {{ $shelf }}; \
         UPSERT $document SET {}, attachments = $d.attachments, \
             state = 'published', version = $d.version, minutes = $d.minutes, saved_at = $d.saved_at, saved_by = $d.saved_by, \
             published_at = IF $stays {{ $old.published_at }} ELSE {{ $now }}, shelf = $place, \
             must = IF $d.must_read_by != NONE {{ $place }} ELSE {{ NONE }}, \
             pin = IF $d.pinned = true {{ $place }} ELSE {{ NONE }}, expires_at = $expires_at, \
             corrected_version = IF $was {{ $d.version }} ELSE {{ NONE }}, \
             corrected_at = IF $was {{ $now }} ELSE {{ NONE }}, correction = IF $was {{ $d.correction }} ELSE {{ NONE }}, \
             withdrawn_at = NONE, withdrawn_because = NONE RETURN NONE; \
         UPSERT $text SET body = (SELECT VALUE body FROM ONLY $draft_text) RETURN NONE; \
         DELETE $draft RETURN NONE; DELETE $draft_text RETURN NONE; \
         IF $review != NONE {{ UPDATE $review SET state = 'approved', decided_by = $by, decided_at = $now RETURN NONE }};",
        copied("$d")
    )
}

/// Copies the published text into a new draft.
fn begin_again() -> String {
    format!(
        "LET $d = (SELECT * FROM ONLY $document); \
         CREATE $draft SET {}, attachments = $d.attachments, \
             stage = 'draft', version = $version, minutes = $d.minutes, saved_at = $now, saved_by = $editor, authors = [], \
             pinned = IF $d.pin != NONE {{ true }} ELSE {{ NONE }} RETURN NONE; \
         LET $body = (SELECT VALUE body FROM ONLY $text); \
         CREATE $draft_text SET body = $body RETURN NONE; \
         IF $revision != NONE {{ CREATE $revision SET title = $d.title, body = $body, at = $now, by = $editor RETURN NONE }};",
        copied("$d")
    )
}

/// Drafts due to be published, and published texts that have expired.
fn due() -> String {
    format!(
        "SELECT record::id(id) AS id, approved_by FROM draft WHERE stage = 'scheduled' AND publish_at <= $now LIMIT {ROUND}; \
         SELECT record::id(id) AS id, issuer FROM document WHERE expires_at > $from AND expires_at <= $now LIMIT {ROUND};"
    )
}

#[derive(Debug, SurrealValue)]
struct DueRow {
    id: String,
    approved_by: Option<String>,
}

#[derive(Debug, SurrealValue)]
struct OverRow {
    id: String,
    issuer: String,
}

#[derive(Debug, SurrealValue)]
struct WithdrawnRow {
    withdrawn_at: Option<DateTime<Utc>>,
    withdrawn_because: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn due_and_expired_documents_are_found_by_index() {
        let now: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().expect("a moment");
        migrated().await.assert_no_scan(&due(), vars! { now: now, from: DateTime::<Utc>::UNIX_EPOCH }).await;
    }

    #[test]
    fn a_scheduled_time_is_local_and_in_the_future() {
        let now: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().expect("a moment");
        let at = |typed: &str| moment(typed, now).map(|at| at.to_rfc3339());
        assert_eq!(at("2026-11-21T15:01"), Ok("2026-11-21T08:01:00+00:00".to_owned()));
        assert_eq!(at("22/11/2026 07:30"), Ok("2026-11-22T00:30:00+00:00".to_owned()));
        assert_eq!(at("22.11.2026 7:30"), Ok("2026-11-22T00:30:00+00:00".to_owned()), "all usual spellings are accepted");
        assert_eq!(at("31/11/2026 07:30"), Err(Problem::NoSuchDay));
        assert_eq!(at("2026-11-21T15:00"), Err(Problem::Over), "the current minute has passed");
        assert_eq!(at("2029-01-01T00:00"), Err(Problem::DateRange), "more than a year ahead");
        assert_eq!(at("mai"), Err(Problem::Date));
        assert_eq!(at(" "), Err(Problem::Required));
    }
}
