//! Review: a text is sent to be looked at, remarked on passage by passage, and decided.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    accounts::Viewer,
    documents::{
        desk::{OpenReview, Remark, ReviewPage, ReviewRemark, Reviewer, Verdict},
        steps::{DocumentStep, Hand, Work},
    },
    events::EventKind,
    forms::{self, FormReader, Problem},
    guard,
    ids::{DocumentId, MemberId},
    members::CardNumber,
    policy::{Action, Role},
    units::UnitRef,
};

use super::Documents;
use crate::{
    Error, Result, events, feedback, markdown,
    store::{RecordId, SurrealValue, pair, pairs_of, record, vars},
};

/// Characters of a quoted passage.
const QUOTE_MAX: u32 = 1_000;

/// Remarks on one document that are shown.
const REMARKS_MAX: usize = 500;

/// Reviews of one document that are looked through for the last decision.
const REVIEWS_MAX: usize = 50;

/// The answer to "who shall look at it?", as it was typed.
#[derive(Debug, Clone, Copy)]
pub struct SubmitForm<'f> {
    pub id: &'f str,
    /// The version that was looked at.
    pub version: &'f str,
    /// Id of a member among those offered; empty for any chief editor.
    pub reviewer: &'f str,
    /// Number of the card of somebody who is asked for remarks only; may be empty.
    pub commenter: &'f str,
    pub due: &'f str,
    pub note: &'f str,
    /// Kinds of the warnings that were decided about, as [`guard::kinds`] writes them; empty where there were none.
    pub warned: &'f str,
}

/// A remark as it was typed.
#[derive(Debug, Clone, Copy)]
pub struct RemarkForm<'f> {
    pub id: &'f str,
    /// The passage; empty for the whole.
    pub quote: &'f str,
    pub text: &'f str,
}

const REVIEW_COLUMNS: &str =
    "record::id(id) AS key, version, state, asked_by, asked_at, reviewer, commenter, due, note, decided_by, decided_at, reason";

#[derive(Debug, Clone, SurrealValue)]
struct ReviewRow {
    key: String,
    version: i64,
    state: String,
    asked_by: String,
    asked_at: DateTime<Utc>,
    reviewer: Option<String>,
    commenter: Option<String>,
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

impl Documents<'_> {
    /// The page where a text is asked about, remarked on and decided.
    ///
    /// # Errors
    /// As [`Documents::draft`]; [`Error::NotFound`] when nothing is in work.
    pub async fn review(&self, viewer: &Viewer, id: DocumentId) -> Result<ReviewPage> {
        let desk = self.on_desk(viewer, id).await?;
        let work = desk.work.clone().ok_or(Error::NotFound)?;
        let tree = self.backend.units().tree();
        let open = self.reviews(id).await?.into_iter().find(|review| review.state == "open");
        let rows = self.remark_rows(id).await?;
        let mut people: Vec<String> = Vec::new();
        if let Some(row) = &open {
            people.extend([Some(row.asked_by.clone()), row.reviewer.clone(), row.commenter.clone()].into_iter().flatten());
        }
        for row in &rows {
            people.extend([Some(row.by.clone()), row.settled_by.clone()].into_iter().flatten());
        }
        let names = self.names(people).await?;
        let name = |member: &str| names.get(member).cloned().unwrap_or_default();
        let review = match (open, work.work) {
            (Some(row), Work::InReview) => Some(OpenReview {
                asked_by: name(&row.asked_by),
                asked_at: row.asked_at,
                reviewer: row.reviewer.as_deref().map(name),
                commenter: row.commenter.as_deref().map(name),
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
        let (reviewers, needs_another) = match work.work {
            Work::Draft if desk.hand.may(DocumentStep::Submit) => {
                let reviewers = self.reviewers(&work.issuer).await?;
                let could = |person: &Reviewer| person.is_chief && !work.authors.contains(&person.member.to_string());
                let needs_another = !reviewers.iter().any(could) && !self.own_approval(work.issuer.id).await?;
                (reviewers, needs_another)
            }
            _ => (Vec::new(), false),
        };
        let (members, branches) = self.reach(&tree, &work.audience.path, &work.standings);
        let (hand, publish_at) = (desk.hand, work.publish_at);
        let draft = self.drafted(desk).await?;
        let warnings = guard::look(&warned_of(&draft.title, &draft.body));
        Ok(ReviewPage {
            warnings,
            preview: markdown::render(&draft.body).html,
            draft,
            hand,
            members,
            branches,
            review,
            remarks,
            reviewers,
            needs_another,
            publish_at,
            today: self.backend.clock().today(),
        })
    }

    /// Sends a draft to be reviewed.
    ///
    /// # Errors
    /// As [`Documents::draft`]; [`Error::Step`] when it is no draft. [`Error::Invalid`] of the form `submit`: [`Problem::Stale`] on
    /// `version`, [`Problem::NotOffered`] on `reviewer`, [`Problem::Unknown`] on `commenter` for a card of nobody in the issuing
    /// unit's subtree, [`Problem::DateRange`] on `due` for a day that is over, [`Problem::Undecided`] on `warned` when the guard warns
    /// of something that nobody decided about, [`Problem::NotOffered`] on `audience` when that was moved away from below the issuer.
    pub async fn submit(&self, viewer: &Viewer, form: SubmitForm<'_>) -> Result<()> {
        let id: DocumentId = form.id.parse().map_err(|_| Error::NotFound)?;
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::Submit)?;
        let work = desk.work.as_ref().ok_or(Error::NotFound)?;
        let today = self.backend.clock().today();
        let offered = self.reviewers(&work.issuer).await?;
        let mut reader = FormReader::new("submit");
        let reviewer = reader.read("reviewer", form.reviewer, |typed| {
            let chosen =
                |typed: &str| offered.iter().find(|person| person.member.to_string() == typed).ok_or(Problem::NotOffered);
            forms::optional(typed, chosen)
        });
        let card = reader.read("commenter", form.commenter, |typed| forms::optional(typed, CardNumber::parse));
        let due = reader.read("due", form.due, |typed| match forms::optional(typed, forms::day)? {
            Some(day) if day < today => Err(Problem::DateRange),
            day => Ok(day),
        });
        let note = reader.read("note", form.note, |typed| forms::optional(typed, Remark::parse));
        let warnings = guard::kinds(&guard::look(&warned_of(&work.title, &desk.body)));
        let warned = reader.read("warned", form.warned, |typed| if typed == warnings { Ok(()) } else { Err(Problem::Undecided) });
        let (Some(reviewer), Some(card), Some(due), Some(note), Some(())) = (reviewer, card, due, note, warned) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let commenter = match card {
            None => None,
            Some(card) => match self.member_by_card(&card, form.commenter, &work.issuer).await? {
                Some(member) => Some(member),
                None => return Err(reader.refused("commenter", Problem::Unknown).into()),
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
            commenter: commenter,
            due: due.map(|day| day.to_string()),
            note: note.map(|note| note.as_str().to_owned()),
        };
        let submitted = events::append(&mut vars, clock, EventKind::DraftSubmitted, Some(viewer.member), &work.issuer.path, id);
        let mut sql = format!("{SUBMIT} {}", events::APPEND);
        if !warnings.is_empty() {
            events::append_also(&mut vars, clock, &submitted, EventKind::WarningOverruled, Some(warnings));
            sql.push_str(events::APPEND_ALSO);
        }
        match self.backend.store().write(&sql, vars).await {
            Ok(_) => {
                self.backend.events().wake();
                Ok(())
            }
            Err(Error::Thrown(_)) => Err(reader.refused("version", Problem::Stale).into()),
            Err(error) => Err(error),
        }
    }

    /// Remarks on a passage, or on the whole.
    ///
    /// # Errors
    /// As [`Documents::draft`]; [`Error::NotFound`] when nothing is in work; [`Error::Invalid`] of the form `remark`.
    pub async fn remark(&self, viewer: &Viewer, form: RemarkForm<'_>) -> Result<()> {
        let id: DocumentId = form.id.parse().map_err(|_| Error::NotFound)?;
        let desk = self.on_desk(viewer, id).await?;
        let work = desk.work.as_ref().ok_or(Error::NotFound)?;
        let mut reader = FormReader::new("remark");
        let quote =
            reader.read("quote", form.quote, |typed| forms::optional(typed, |typed| forms::bounded_text(typed, QUOTE_MAX)));
        let text = reader.read("text", form.text, Remark::parse);
        let (Some(quote), Some(text)) = (quote, text) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let clock = self.backend.clock();
        let mut vars = vars! {
            remark: pair("review_remark", id, clock.ulid()),
            version: i64::from(work.version),
            quote: quote,
            text: text.as_str(),
            by: viewer.member.to_string(),
            at: clock.now(),
        };
        events::append(&mut vars, clock, EventKind::DraftCommented, Some(viewer.member), &work.issuer.path, id);
        let sql = format!(
            "CREATE $remark SET version = $version, quote = $quote, text = $text, by = $by, at = $at RETURN NONE; {}",
            events::APPEND
        );
        self.backend.store().write(&sql, vars).await?;
        self.backend.events().wake();
        Ok(())
    }

    /// Marks a remark as settled, or as open again.
    ///
    /// # Errors
    /// As [`Documents::draft`]; [`Error::NotAllowed`] for who was only asked for remarks, but for the own one.
    pub async fn settle(&self, viewer: &Viewer, id: DocumentId, key: &str, is_settled: bool) -> Result<()> {
        let desk = self.on_desk(viewer, id).await?;
        let rows = self.remark_rows(id).await?;
        let row = rows.into_iter().find(|row| row.key == key).ok_or(Error::NotFound)?;
        let member = viewer.member.to_string();
        let Hand { writes, publishes, reviews, .. } = desk.hand;
        if !(writes || publishes || reviews || row.by == member) {
            return Err(Error::NotAllowed);
        }
        let vars = vars! { remark: pair("review_remark", id, key), by: is_settled.then_some(member) };
        self.backend.store().read("UPDATE $remark SET settled_by = $by RETURN NONE", vars).await?;
        Ok(())
    }

    /// Whether this member was asked to review, and to remark on, the version in review.
    pub(super) async fn asked_of(&self, id: DocumentId, version: u32, member: &str) -> Result<(bool, bool)> {
        let reviews = self.reviews(id).await?;
        let open = reviews.iter().find(|review| review.state == "open" && review.version == i64::from(version));
        let is = |asked: &Option<String>| asked.as_deref() == Some(member);
        Ok(open.map_or((false, false), |review| (is(&review.reviewer), is(&review.commenter))))
    }

    /// A name for the review under way.
    pub(super) async fn review_key(&self, id: DocumentId) -> Result<Option<String>> {
        Ok(self.reviews(id).await?.into_iter().find(|review| review.state == "open").map(|review| review.key))
    }

    /// The review under way.
    pub(super) async fn open_review(&self, id: DocumentId) -> Result<Option<RecordId>> {
        Ok(self.review_key(id).await?.map(|key| record("review", key)))
    }

    /// Why the text came back from its last review, unless it was sent on or out since; and how many remarks are open.
    pub(super) async fn last_verdict(&self, id: DocumentId, version: u32) -> Result<(Option<Verdict>, u32)> {
        let remarks = self.remark_rows(id).await?;
        let open = remarks.iter().filter(|row| row.settled_by.is_none()).count();
        let last = self.reviews(id).await?.into_iter().next().filter(|review| review.state == "changes_wanted");
        // Versions saved since then are answers to it.
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

    /// Reviews this member was asked for, as `(document, due, asked by, remarks only)`.
    pub(super) async fn asked_for(&self, member: MemberId) -> Result<Vec<(DocumentId, Option<NaiveDate>, String, bool)>> {
        let mut answers = self.backend.store().read(ASKED, vars! { member: member.to_string() }).await?;
        let mut asked = Vec::new();
        for (at, comments_only) in [(0, false), (1, true)] {
            for row in answers.rows::<AskedRow>(at)? {
                let id = row.document.parse().map_err(|_| Error::Damaged(format!("review of {}", row.document)))?;
                asked.push((id, row.due.and_then(|day| day.parse().ok()), row.asked_by, comments_only));
            }
        }
        Ok(asked)
    }

    /// How many reviews wait for this person; more than 100 are not counted.
    pub(crate) async fn count_asked(&self, viewer: &Viewer) -> Result<u32> {
        Ok(u32::try_from(self.asked_for(viewer.member).await?.len()).unwrap_or(u32::MAX))
    }

    /// Full names by member.
    pub(super) async fn names(&self, members: impl IntoIterator<Item = String>) -> Result<BTreeMap<String, String>> {
        let members: Vec<String> = members.into_iter().collect();
        self.backend.members().names(members.iter().map(String::as_str)).await
    }

    /// All reviews of a document, newest first.
    async fn reviews(&self, id: DocumentId) -> Result<Vec<ReviewRow>> {
        self.backend.store().read(REVIEWS.as_str(), vars! { document: id.to_string() }).await?.rows(0)
    }

    async fn remark_rows(&self, id: DocumentId) -> Result<Vec<RemarkRow>> {
        let sql = format!(
            "SELECT record::id(id)[1] AS key, version, quote, text, by, at, settled_by FROM $remarks LIMIT {REMARKS_MAX}"
        );
        self.backend.store().read(sql, vars! { remarks: pairs_of("review_remark", id) }).await?.rows(0)
    }

    /// Who can be asked: the editors of the issuing unit and of those above it, chief editors first.
    async fn reviewers(&self, issuer: &UnitRef) -> Result<Vec<Reviewer>> {
        let tree = self.backend.units().tree();
        let mut held: Vec<(Role, String, UnitRef)> = Vec::new();
        for unit in tree.trail(&issuer.path) {
            for (role, member) in feedback::holders(self.backend, unit.id, Action::WriteDocument).await? {
                held.push((role, member, unit.clone()));
            }
        }
        let names = self.names(held.iter().map(|(_, member, _)| member.clone())).await?;
        let mut reviewers: Vec<Reviewer> = Vec::new();
        for (role, member, unit) in held {
            let is_chief = role.covers(Action::PublishDocument);
            let id: MemberId = member.parse().map_err(|_| Error::Damaged(format!("office of {member}")))?;
            match reviewers.iter_mut().find(|person| person.member == id) {
                Some(person) => person.is_chief |= is_chief,
                None => {
                    let name = names.get(&member).cloned().unwrap_or_default();
                    reviewers.push(Reviewer { member: id, name, unit, is_chief });
                }
            }
        }
        reviewers.sort_by_key(|person| (!person.is_chief, std::cmp::Reverse(person.unit.path.as_str().len())));
        Ok(reviewers)
    }

    /// Somebody posted in the subtree, by the number of the card.
    async fn member_by_card(&self, card: &CardNumber, typed: &str, unit: &UnitRef) -> Result<Option<String>> {
        // Cards of before the number had one spelling are found as they were written.
        let sql = "SELECT record::id(id) AS id, path FROM member WHERE code = $card; \
                   SELECT record::id(id) AS id, path FROM member WHERE code = $typed";
        let mut answers = self.backend.store().read(sql, vars! { card: card.as_str(), typed: typed.trim() }).await?;
        let mut found = answers.rows::<Posted>(0)?.into_iter().chain(answers.rows(1)?);
        Ok(found.find(|member| member.path.starts_with(unit.path.as_str())).map(|member| member.id))
    }
}

/// What the guard looks at: all that a reader sees.
fn warned_of(title: &str, body: &str) -> String {
    format!("{title}\n{body}")
}

const SUBMIT: &str = "LET $found = (SELECT version, stage FROM ONLY $draft); \
                      IF $found.version != $version OR $found.stage != 'draft' { THROW 'changed' }; \
                      UPDATE $draft SET stage = 'in_review' RETURN NONE; \
                      CREATE $review SET document = $document, version = $version, state = 'open', asked_by = $asked_by, \
                      asked_at = $asked_at, reviewer = $reviewer, commenter = $commenter, due = $due, note = $note RETURN NONE;";

static REVIEWS: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    format!("SELECT {REVIEW_COLUMNS} FROM review WHERE document = $document ORDER BY asked_at DESC LIMIT {REVIEWS_MAX}")
});

const ASKED: &str = "SELECT document, due, asked_by FROM review WHERE reviewer = $member AND state = 'open' LIMIT 50; \
                     SELECT document, due, asked_by FROM review WHERE commenter = $member AND state = 'open' LIMIT 50;";

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
    async fn reviews_are_index_ranges() {
        let store = migrated().await;
        store.assert_no_scan(&REVIEWS, vars! { document: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
        store.assert_no_scan(ASKED, vars! { member: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
    }
}
