//! The steps of a document after it is written: to review, back, out, and back in. Each is one transaction that holds only if
//! nobody saved or decided since the page was shown.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    documents::{
        desk::{Remark, Withdrawal},
        steps::{DocumentStep, Out, StepRefused, Work},
    },
    events::EventKind,
    forms::{FormReader, Problem},
    ids::{DocumentId, MemberId},
    locale::utc_of_local,
    units::UnitPath,
};

use super::{
    Documents,
    draft::{OnDesk, revision_of},
};
use crate::{
    Error, Result, events,
    files::DISCARD_FILES,
    store::{SurrealValue, Variables, pairs_of, record, vars},
};

/// Texts that go out, or leave, in one round of the job.
const ROUND: usize = 50;

/// The answer to "when does it go out?", as it was typed.
#[derive(Debug, Clone, Copy)]
pub struct PublishForm<'f> {
    pub id: &'f str,
    /// The version that was looked at: what goes out is that text, not one saved in this moment.
    pub version: &'f str,
    /// The review it was looked at in, as the page named it. Files have no version: they can change only between two reviews.
    pub review: &'f str,
    /// `now` or `later`.
    pub when: &'f str,
    /// Local time, `2026-11-21T08:00`; looked at for `later` only.
    pub at: &'f str,
}

/// A text that goes out.
struct Release<'r> {
    document: DocumentId,
    version: u32,
    stage: Work,
    is_correction: bool,
    expires_at: Option<DateTime<Utc>>,
    issuer: &'r UnitPath,
    by: Option<MemberId>,
}

impl Documents<'_> {
    /// Approves a text: it goes out now, or at a time to come. Returns that time.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAllowed`] as [`Self::draft`], and for who wrote the text where the unit does not allow that;
    /// [`Error::Step`] from anywhere but review (and, to go out now, the schedule). [`Error::Invalid`] of the form `publish`:
    /// [`Problem::Stale`] on `version` when another text was saved or sent meanwhile, [`Problem::Over`] on `at` for a time that is
    /// over: nobody is told that something is scheduled which is out already. [`Problem::Required`] on `when` without a choice;
    /// [`Problem::Expired`] on `version` when it would not hold any more by then; [`Problem::NotOffered`] on `audience` when that
    /// was moved away from below the issuer.
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
            // Nothing is chosen beforehand: who only fills in a time must not publish at once.
            "" => Err(Problem::Required),
            _ => Err(Problem::NotOffered),
        });
        let at = reader.read("at", form.at, |typed| if is_later { moment(typed, now).map(Some) } else { Ok(None) });
        let (Some(()), Some(at)) = (when, at) else { return Err(reader.finish().err().unwrap_or_default().into()) };
        if form.version != work.version.to_string() || form.review != self.review_key(id).await?.unwrap_or_default() {
            return Err(reader.refused("version", Problem::Stale).into());
        }
        if !work.reaches_only_below() {
            return Err(reader.refused("audience", Problem::NotOffered).into());
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
                    is_correction: desk.situation().is_out(),
                    expires_at: work.expires_at(),
                    issuer: &work.issuer.path,
                    by: Some(viewer.member),
                };
                self.release(release).await
            }
        };
        match done {
            Ok(()) => Ok(at),
            Err(Error::Thrown(_)) => Err(reader.refused("version", Problem::Stale).into()),
            Err(Error::Taken { .. }) => Err(reader.refused("version", Problem::NumberTaken).into()),
            Err(error) => Err(error),
        }
    }

    async fn schedule(&self, viewer: &Viewer, desk: &OnDesk, at: DateTime<Utc>) -> Result<()> {
        let vars = vars! { at: at, by: viewer.member.to_string() };
        let change = "UPDATE $draft SET stage = 'scheduled', publish_at = $at, approved_by = $by RETURN NONE;";
        let decided = Decided { state: "approved", reason: None };
        self.change(viewer, desk, EventKind::DocumentScheduled, Some(at.to_rfc3339()), change, vars, Some(decided)).await
    }

    /// Takes a text back from review, or from the schedule, to write on.
    ///
    /// # Errors
    /// As [`Self::publish`]; [`Error::Step`] when it is neither in review nor scheduled.
    pub async fn recall(&self, viewer: &Viewer, id: DocumentId) -> Result<()> {
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::Recall)?;
        let decided = Decided { state: "recalled", reason: None };
        let done = self.change(viewer, &desk, EventKind::DraftRecalled, None, BACK, vars! {}, Some(decided)).await;
        self.told(viewer, id, DocumentStep::Recall, done).await
    }

    /// Sends a text back to its authors.
    ///
    /// # Errors
    /// As [`Self::publish`]; [`Error::Invalid`] of the form `changes` without a reason.
    pub async fn want_changes(&self, viewer: &Viewer, id: DocumentId, reason: &str) -> Result<()> {
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::WantChanges)?;
        let mut reader = FormReader::new("changes");
        let Some(reason) = reader.read("reason", reason, Remark::parse) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let decided = Decided { state: "changes_wanted", reason: Some(reason) };
        let done = self.change(viewer, &desk, EventKind::ChangesWanted, None, BACK, vars! {}, Some(decided)).await;
        self.told(viewer, id, DocumentStep::WantChanges, done).await
    }

    /// Throws the draft away. What is or was out stays; its revisions stay readable too.
    ///
    /// # Errors
    /// As [`Self::publish`]; [`Error::Step`] when it is no draft. [`Error::Invalid`] of the form `discard`: [`Problem::Stale`] on
    /// `version` when another text was saved since the question was asked.
    pub async fn discard(&self, viewer: &Viewer, id: DocumentId, version: &str) -> Result<()> {
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::Discard)?;
        if version != desk.version().to_string() {
            return Err(FormReader::new("discard").refused("version", Problem::Stale).into());
        }
        let change = format!("DELETE $draft RETURN NONE; DELETE $draft_text RETURN NONE; {DISCARD_FILES}");
        let done = self.change(viewer, &desk, EventKind::DraftDiscarded, None, &change, vars! {}, None).await;
        self.told(viewer, id, DocumentStep::Discard, done).await
    }

    /// Begins a new draft of what went out: its text and particulars, to be corrected or published again.
    ///
    /// # Errors
    /// As [`Self::publish`]; [`Error::Step`] when something is in work already.
    pub async fn revise(&self, viewer: &Viewer, id: DocumentId) -> Result<()> {
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::Revise)?;
        // Numbers go on behind drafts that were thrown away: one number is never two texts.
        let (newest, out) = (self.newest_revision(id).await?, desk.version());
        let version = if newest > out { newest + 1 } else { out };
        let mut vars = vars! {
            draft: record("draft", id),
            draft_text: record("draft_text", id),
            document: record("document", id),
            text: record("document_text", id),
            version: i64::from(version),
            revision: (version != out).then(|| revision_of(id, version)),
            now: self.backend.clock().now(),
            editor: viewer.member.to_string(),
        };
        let issuer = &desk.issuer()?.path;
        events::append(&mut vars, self.backend.clock(), EventKind::DocumentDrafted, Some(viewer.member), issuer, id);
        match self.backend.store().write(&format!("{REVISE} {}", events::APPEND), vars).await {
            Ok(_) => {
                self.backend.events().wake();
                Ok(())
            }
            // Somebody else began in this moment: that is the draft.
            Err(Error::Exists) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes a published document out of everybody's library. Receipts, opinions and revisions stay, and the reason is told to
    /// those who look for it.
    ///
    /// # Errors
    /// As [`Self::publish`]; [`Error::Invalid`] of the form `withdraw` without a reason; [`Error::Step`] when it is not published.
    pub async fn withdraw(&self, viewer: &Viewer, id: DocumentId, reason: &str) -> Result<()> {
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::Withdraw)?;
        let mut reader = FormReader::new("withdraw");
        let Some(reason) = reader.read("reason", reason, Remark::parse) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let issuer = desk.out.as_ref().ok_or(Error::NotFound)?.issuer.path.clone();
        let done = self.take_out(id, &issuer, Some(viewer.member), Some(reason.as_str().to_owned())).await;
        self.told(viewer, id, DocumentStep::Withdraw, done).await
    }

    /// Publishes what is due and takes out what is over. Returns how many documents changed. A job runs this every few seconds, in
    /// every process: whoever comes second finds nothing to do.
    ///
    /// # Errors
    /// [`Error::Store`] and [`Error::Busy`]; what was not done is found again the next time.
    pub async fn keep_time(&self) -> Result<usize> {
        let now = self.backend.clock().now();
        let tree = self.backend.units().tree();
        let vars = vars! { now: now, from: DateTime::<Utc>::UNIX_EPOCH };
        let mut answers = self.backend.store().read(due(), vars).await?;
        let mut changed = 0;
        for row in answers.rows::<DueRow>(0)? {
            match self.release_due(&row, now).await {
                Ok(()) => changed += 1,
                // Somebody was quicker, or took it back.
                Err(Error::Thrown(_)) => {}
                // One that cannot go out must not keep back the others.
                Err(error) => tracing::error!(document = %row.id, %error, "a scheduled document did not go out; will try again"),
            }
        }
        for row in answers.rows::<OverRow>(1)? {
            let document = row.id.parse().map_err(|_| Error::Damaged(format!("document {}", row.id)))?;
            let issuer = tree.heir(&row.issuer).ok_or_else(|| Error::Damaged(format!("issuer of {}", row.id)))?;
            match self.take_out(document, &issuer.path, None, None).await {
                Ok(()) => changed += 1,
                // Taken out by somebody, or replaced by a text that holds longer.
                Err(Error::Thrown(_)) => {}
                Err(error) => tracing::error!(%document, %error, "a document that is over is still out; will try again"),
            }
        }
        Ok(changed)
    }

    /// Publishes a scheduled text. One that cannot go out any more, by its number, its audience or its own end, lies on the desk again.
    async fn release_due(&self, row: &DueRow, now: DateTime<Utc>) -> Result<()> {
        let id = row.id.parse().map_err(|_| Error::Damaged(format!("draft {}", row.id)))?;
        let stored = self.stored(id).await?;
        let scheduled = stored.work.filter(|work| work.work == Work::Scheduled);
        let work = scheduled.ok_or_else(|| Error::Thrown("changed".to_owned()))?;
        if !work.reaches_only_below() || work.expires_at().is_some_and(|over| over <= now) {
            return self.return_to_desk(id, &work.issuer.path).await;
        }
        let release = Release {
            document: id,
            version: work.version,
            stage: Work::Scheduled,
            is_correction: stored.out.is_some_and(|out| out.out == Out::Published),
            expires_at: work.expires_at(),
            issuer: &work.issuer.path,
            by: row.approved_by.as_deref().and_then(|member| member.parse().ok()),
        };
        match self.release(release).await {
            Err(Error::Taken { .. }) => self.return_to_desk(id, &work.issuer.path).await,
            done => done,
        }
    }

    /// Why and when what was out was taken back.
    pub(super) async fn withdrawal(&self, id: DocumentId, desk: &OnDesk) -> Result<Option<Withdrawal>> {
        if desk.out.as_ref().is_none_or(|out| out.out != Out::Withdrawn) {
            return Ok(None);
        }
        let sql = "SELECT withdrawn_at, withdrawn_because FROM ONLY $document";
        let row: Option<WithdrawnRow> =
            self.backend.store().read(sql, vars! { document: record("document", id) }).await?.row(0)?;
        Ok(row.and_then(|row| row.withdrawn_at.map(|at| Withdrawal { at, reason: row.withdrawn_because })))
    }

    /// Puts a text on the shelf of its audience in place of the one before. A correction keeps the place of what it corrects.
    async fn release(&self, release: Release<'_>) -> Result<()> {
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
        let kind = if release.is_correction { EventKind::DocumentCorrected } else { EventKind::DocumentPublished };
        events::append(&mut vars, clock, kind, release.by, release.issuer, id);
        self.backend.store().write(&format!("{STILL} {RELEASE} {}", events::APPEND), vars).await?;
        self.backend.events().wake();
        Ok(())
    }

    /// A scheduled text that cannot go out: it must not be tried for ever.
    async fn return_to_desk(&self, id: DocumentId, issuer: &UnitPath) -> Result<()> {
        tracing::warn!(document = %id, "a scheduled document cannot go out any more; it lies on the desk again");
        let mut vars = vars! { draft: record("draft", id) };
        events::append(&mut vars, self.backend.clock(), EventKind::DraftRecalled, None, issuer, id);
        self.backend.store().write(&format!("{BACK} {}", events::APPEND), vars).await?;
        self.backend.events().wake();
        Ok(())
    }

    async fn take_out(&self, id: DocumentId, issuer: &UnitPath, by: Option<MemberId>, reason: Option<String>) -> Result<()> {
        let clock = self.backend.clock();
        let kind = if by.is_some() { EventKind::DocumentWithdrawn } else { EventKind::DocumentExpired };
        let mut vars =
            vars! { document: record("document", id), now: clock.now(), reason: reason, by: by.map(|by| by.to_string()) };
        events::append(&mut vars, clock, kind, by, issuer, id);
        let sql = format!(
            "LET $old = (SELECT state, expires_at FROM ONLY $document); \
             IF $old.state != 'published' OR ($by = NONE AND ($old.expires_at = NONE OR $old.expires_at > $now)) \
             {{ THROW 'changed' }}; \
             UPDATE $document SET state = 'withdrawn', shelf = NONE, must = NONE, pin = NONE, expires_at = NONE, \
             withdrawn_at = $now, withdrawn_because = $reason RETURN NONE; {}",
            events::APPEND
        );
        self.backend.store().write(&sql, vars).await?;
        self.backend.events().wake();
        Ok(())
    }

    /// One step of a text in work: `change`, the end of its review, the event.
    #[expect(clippy::too_many_arguments, reason = "the parts of one transaction")]
    async fn change(
        &self,
        viewer: &Viewer,
        desk: &OnDesk,
        kind: EventKind,
        detail: Option<String>,
        change: &str,
        mut vars: Variables,
        decided: Option<Decided>,
    ) -> Result<()> {
        let work = desk.work.as_ref().ok_or(Error::NotFound)?;
        let review = match &decided {
            Some(_) => self.open_review(work.id).await?,
            None => None,
        };
        let clock = self.backend.clock();
        let (state, reason) = decided.map_or(("recalled", None), |decided| (decided.state, decided.reason));
        vars.extend(vars! {
            draft: record("draft", work.id),
            draft_text: record("draft_text", work.id),
            version: i64::from(work.version),
            stage: work.work.key(),
            review: review,
            review_state: state,
            reason: reason.map(|reason| reason.as_str().to_owned()),
            decided_by: viewer.member.to_string(),
            decided_at: clock.now(),
        });
        events::append_with(&mut vars, clock, kind, Some(viewer.member), &work.issuer.path, work.id, detail);
        self.backend.store().write(&format!("{STILL} {change} {DECIDE} {}", events::APPEND), vars).await?;
        self.backend.events().wake();
        Ok(())
    }

    /// Why a step that was fine a moment ago is not any more.
    async fn told(&self, viewer: &Viewer, id: DocumentId, step: DocumentStep, done: Result<()>) -> Result<()> {
        match done {
            Err(Error::Thrown(_)) => {
                let desk = self.on_desk(viewer, id).await?;
                // Fine again: somebody saved a newer text. Look at it, then decide.
                Err(desk.step(step).err().unwrap_or(Error::Step(StepRefused { from: desk.situation(), step })))
            }
            done => done,
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

/// What ends a review.
struct Decided {
    state: &'static str,
    reason: Option<Remark>,
}

/// A local time to come.
fn moment(typed: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Problem> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(Problem::Required);
    }
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(typed, format).ok()).ok_or(Problem::Date)?;
    let at = utc_of_local(local).ok_or(Problem::Date)?;
    if at <= now {
        Err(Problem::Over)
    } else if at - now > TimeDelta::days(366) {
        Err(Problem::DateRange)
    } else {
        Ok(at)
    }
}

/// Stops the transaction when somebody saved or decided since the page was shown.
const STILL: &str = "LET $d = (SELECT * FROM ONLY $draft); \
                     IF $d.version != $version OR $d.stage != $stage { THROW 'changed' }; \
                     IF $review != NONE AND (SELECT VALUE state FROM ONLY $review) != 'open' { THROW 'changed' };";

/// Back on the desk.
const BACK: &str = "UPDATE $draft SET stage = 'draft', publish_at = NONE, approved_by = NONE RETURN NONE;";

/// Ends the open review, if there is one.
const DECIDE: &str = "IF $review != NONE { UPDATE $review SET state = $review_state, decided_by = $decided_by, \
                      decided_at = $decided_at, reason = $reason RETURN NONE };";

/// Behind [`STILL`]: what is in work becomes what is out.
const RELEASE: &str = "\
    LET $old = (SELECT state, shelf, published_at FROM ONLY $document); \
    LET $stays = $old.state = 'published'; \
    LET $place = IF $stays { $old.shelf } ELSE { $shelf }; \
    UPSERT $document SET kind = $d.kind, number = $d.number, title = $d.title, signer = $d.signer, field = $d.field, \
        issuer = $d.issuer, issuer_path = $d.issuer_path, issuer_level = $d.issuer_level, audience = $d.audience, \
        audience_path = $d.audience_path, standings = $d.standings, attachments = $d.attachments, related = $d.related, \
        state = 'published', version = $d.version, minutes = $d.minutes, saved_at = $d.saved_at, saved_by = $d.saved_by, \
        published_at = IF $stays { $old.published_at } ELSE { $now }, shelf = $place, \
        must_read_by = $d.must_read_by, must = IF $d.must_read_by != NONE { $place } ELSE { NONE }, \
        pin = IF $d.pinned = true { $place } ELSE { NONE }, expires_on = $d.expires_on, expires_at = $expires_at, \
        corrected_at = IF $stays { $now } ELSE { NONE }, correction = IF $stays { $d.correction } ELSE { NONE }, \
        withdrawn_at = NONE, withdrawn_because = NONE RETURN NONE; \
    UPSERT $text SET body = (SELECT VALUE body FROM ONLY $draft_text) RETURN NONE; \
    DELETE $draft RETURN NONE; DELETE $draft_text RETURN NONE; \
    IF $review != NONE { UPDATE $review SET state = 'approved', decided_by = $by, decided_at = $now RETURN NONE };";

/// What is out becomes a draft beside it.
const REVISE: &str = "\
    LET $d = (SELECT * FROM ONLY $document); \
    CREATE $draft SET kind = $d.kind, number = $d.number, title = $d.title, signer = $d.signer, field = $d.field, \
        issuer = $d.issuer, issuer_path = $d.issuer_path, issuer_level = $d.issuer_level, audience = $d.audience, \
        audience_path = $d.audience_path, standings = $d.standings, attachments = $d.attachments, related = $d.related, \
        stage = 'draft', version = $version, minutes = $d.minutes, saved_at = $now, saved_by = $editor, authors = [], \
        expires_on = $d.expires_on, must_read_by = $d.must_read_by, pinned = IF $d.pin != NONE { true } ELSE { NONE } RETURN NONE; \
    LET $body = (SELECT VALUE body FROM ONLY $text); \
    CREATE $draft_text SET body = $body RETURN NONE; \
    IF $revision != NONE { CREATE $revision SET title = $d.title, body = $body, at = $now, by = $editor RETURN NONE };";

/// What is due to go out, and what is over.
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
    async fn what_is_due_is_found_by_index() {
        let now: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().expect("a moment");
        migrated().await.assert_no_scan(&due(), vars! { now: now, from: DateTime::<Utc>::UNIX_EPOCH }).await;
    }

    #[test]
    fn a_time_is_local_and_to_come() {
        let now: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().expect("a moment");
        let at = |typed: &str| moment(typed, now).map(|at| at.to_rfc3339());
        assert_eq!(at("2026-11-21T15:01"), Ok("2026-11-21T08:01:00+00:00".to_owned()));
        assert_eq!(at("22/11/2026 07:30"), Ok("2026-11-22T00:30:00+00:00".to_owned()));
        assert_eq!(at("2026-11-21T15:00"), Err(Problem::Over), "now is over");
        assert_eq!(at("2029-01-01T00:00"), Err(Problem::DateRange), "nobody means that");
        assert_eq!(at("mai"), Err(Problem::Date));
        assert_eq!(at(" "), Err(Problem::Required));
    }
}
