//! A reader opens an opinion, and answers it.

use domain::{
    accounts::Viewer,
    events::EventBody,
    feedback::{Opinion, OpinionState, OpinionText},
    forms::{FormReader, Problem},
    ids::OpinionId,
    policy::Action,
    units::UnitPath,
};

use super::{Desk, Feedback, OpinionRow};
use crate::{
    Error, Result,
    change::Change,
    store::{StoreError, record, vars},
};

impl Feedback<'_> {
    /// The opinion for one of its readers. Records the first opening by somebody other than the author, which the author can see.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not addressed to the person.
    pub async fn open(&self, viewer: &Viewer, id: OpinionId) -> Result<Opinion> {
        let mut row = self.addressed(viewer, id).await?;
        if row.state == OpinionState::Received.key() && row.member != viewer.member.to_string() {
            self.record_seen(viewer, id).await?;
            row = self.addressed(viewer, id).await?;
        }
        row.decode(&self.backend.units().tree())
    }

    /// Stores the answer, which the author finds with the opinion.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the opinion is not addressed to the person, [`Error::NotAllowed`] when they may read but not
    /// answer it; [`Error::Invalid`] for problems they can fix, [`Problem::Stale`] on `text` when it already has another answer.
    pub async fn answer(&self, viewer: &Viewer, opinion: &str, text: &str) -> Result<OpinionId> {
        let id: OpinionId = opinion.parse().map_err(|_| Error::NotFound)?;
        let row = self.addressed(viewer, id).await?;
        let path = UnitPath::parse(&row.path).map_err(|_| Error::Damaged(format!("opinion {id}")))?;
        if !viewer.standpoint.may_by_office(Action::AnswerOpinion, &path) {
            return Err(Error::NotAllowed);
        }
        let mut reader = FormReader::new("answer");
        let Some(text) = reader.read("text", text, OpinionText::parse) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let clock = self.backend.clock();
        let vars = vars! {
            opinion: record("opinion", id),
            text: text.as_str(),
            by: viewer.name.as_str(),
            now: clock.now(),
        };
        let body = EventBody::OpinionAnswered(id);
        let change = Change::new(ANSWER, vars).event(clock, Some(viewer.member), &viewer.standpoint.branch, body);
        match self.backend.transact(change).await {
            Ok(_) => Ok(id),
            // Answered meanwhile.
            Err(StoreError::Thrown(_)) => {
                let stored = self.addressed(viewer, id).await?.answer;
                // Submitting the same answer twice is not a conflict.
                match stored {
                    Some(stored) if stored.by == viewer.name && stored.text == text.as_str() => Ok(id),
                    _ => Err(reader.refused("text", Problem::Stale).into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn addressed(&self, viewer: &Viewer, id: OpinionId) -> Result<OpinionRow> {
        let row = self.row(id).await?;
        if Desk::of(viewer).iter().any(|desk| desk.holds(&row)) { Ok(row) } else { Err(Error::NotFound) }
    }

    async fn record_seen(&self, viewer: &Viewer, id: OpinionId) -> Result<()> {
        let clock = self.backend.clock();
        let vars = vars! { opinion: record("opinion", id), now: clock.now() };
        let (reader, branch) = (Some(viewer.member), &viewer.standpoint.branch);
        let change = Change::new(SEEN, vars).event(clock, reader, branch, EventBody::OpinionSeen(id));
        match self.backend.transact(change).await {
            // Thrown: another reader opened it first.
            Ok(_) | Err(StoreError::Thrown(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

const SEEN: &str = "IF (SELECT VALUE state FROM ONLY $opinion) != 'received' { THROW 'seen' }; \
                    UPDATE $opinion SET state = 'seen', seen_at = $now RETURN NONE;";

/// An answered opinion also counts as seen.
const ANSWER: &str = "LET $state = (SELECT VALUE state FROM ONLY $opinion); \
                      IF $state != 'received' AND $state != 'seen' { THROW 'answered' }; \
                      UPDATE $opinion SET state = 'answered', seen_at = seen_at ?? $now, \
                      answer = { text: $text, by: $by, at: $now } RETURN NONE;";
