//! Reminders to read a document: one row for each document and unit, however many members it has.
//!
//! The recipients are determined on reading: a member sees the reminders of the units from the root down to their branch, except
//! those for documents they have read since.

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    documents::{
        DocumentSummary,
        readers::{Reminded, Reminder, Reminding},
        steps::PublicationState,
    },
    events::EventBody,
    ids::{DocumentId, UnitId},
    locale::{local_date, midnight},
    policy::Action,
    units::UnitRef,
};

use super::{Document, Documents, read_marks, readers::no_shares};
use crate::{
    Error, Result,
    change::Change,
    statistics::UnitShares,
    store::{StoreError, SurrealValue, Variables, pair, vars},
};

/// Age after which a reminder has no effect.
const HOLDS: TimeDelta = TimeDelta::days(30);

/// Reminders of one unit that are read, newest first.
const LATEST: usize = 20;

impl Document {
    /// Whether the person may remind this unit's members: those who lead the unit itself, and those who publish to this audience
    /// ([`Action::PublishDocument`]).
    pub(super) fn may_be_reminded_of(&self, viewer: &Viewer, unit_shares: &UnitShares<'_>) -> bool {
        let publishes = viewer.standpoint.may_by_office(Action::PublishDocument, &self.particulars.audience.unit.path);
        self.out == PublicationState::Published && (unit_shares.at_exact_unit || publishes)
    }
}

impl Documents<'_> {
    /// Reminds the members of a unit who have not read the document. At most once a day.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::readers`]; [`Error::NotAllowed`] for a person who may see the readers but not remind them,
    /// and for a withdrawn document.
    pub async fn remind(&self, viewer: &Viewer, id: DocumentId, unit: UnitId) -> Result<Reminding> {
        let document = self.fetched(&[id]).await?.pop().ok_or(Error::NotFound)?;
        let tree = self.backend.units().tree();
        let unit_shares =
            document.unit_shares(viewer, &tree, Some(unit)).ok_or_else(|| no_shares(&document, viewer, Some(unit)))?;
        if !document.may_be_reminded_of(viewer, &unit_shares) {
            return Err(Error::NotAllowed);
        }
        let clock = self.backend.clock();
        let vars = vars! {
            reminder: pair("reminder", id, unit),
            document: id.to_string(),
            unit: unit.to_string(),
            by: viewer.member.to_string(),
            today: midnight(clock.today()),
        };
        let reminded = EventBody::ReadersReminded(id);
        let change = Change::new(REMIND, vars).event(clock, Some(viewer.member), &unit_shares.unit.path, reminded);
        match self.backend.transact(change).await {
            Ok(_) => Ok(Reminding::Done),
            Err(StoreError::Thrown(reason)) if reason == TOO_SOON => Ok(Reminding::TooSoon),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn last_reminder(&self, document: DocumentId, unit: UnitId) -> Result<Option<Reminder>> {
        let vars = vars! { reminder: pair("reminder", document, unit) };
        let row: Option<LastRow> = self.backend.store().read("SELECT at, by FROM ONLY $reminder", vars).await?.row(0)?;
        let Some(LastRow { at, by }) = row else { return Ok(None) };
        let names = self.backend.members().names(std::iter::once(by.as_str())).await?;
        let is_of_today = local_date(at) == self.backend.clock().today();
        Ok(Some(Reminder { at, by: names.get(&by).cloned().unwrap_or_default(), is_of_today }))
    }

    /// At most `count` documents the person was reminded of and has not read, newest reminder first.
    pub(crate) async fn reminded(&self, viewer: &Viewer, count: usize) -> Result<Vec<DocumentSummary>> {
        let mut asked = self.asked_again(viewer).await?;
        let ids: Vec<DocumentId> = asked.iter().map(|asked| asked.document).collect();
        let read = read_marks(self.backend.store(), viewer.member, &ids).await?;
        asked.retain(|asked| !read.contains(&asked.document));
        let mut documents = self.fetched(&asked.iter().map(|asked| asked.document).collect::<Vec<_>>()).await?;
        documents.retain(|document| document.reaches(viewer));
        let summary = |asked: AskedAgain| {
            let document = documents.iter().find(|document| document.id == asked.document)?;
            Some(DocumentSummary { reminded: Some(asked.into_reminded()), ..document.summary(false) })
        };
        Ok(asked.into_iter().filter_map(summary).take(count).collect())
    }

    /// Marks the documents among these that the person was reminded of.
    pub(super) async fn mark_reminded(&self, viewer: &Viewer, documents: &mut [DocumentSummary]) -> Result<()> {
        if documents.iter().all(|document| document.read) {
            return Ok(());
        }
        let asked = self.asked_again(viewer).await?;
        for document in documents.iter_mut().filter(|document| !document.read) {
            document.reminded = asked.iter().find(|asked| asked.document == document.id).cloned().map(AskedAgain::into_reminded);
        }
        Ok(())
    }

    /// Reminders by the units from the root down to the person's branch, newest first, each document once.
    async fn asked_again(&self, viewer: &Viewer) -> Result<Vec<AskedAgain>> {
        let tree = self.backend.units().tree();
        let line: Vec<&UnitRef> = tree.trail(&viewer.standpoint.branch).collect();
        let (sql, vars) = reminder_ranges(&line, self.backend.clock().now() - HOLDS);
        let mut answers = self.backend.store().read(sql, vars).await?;
        let mut asked: Vec<AskedAgain> = Vec::new();
        for (at, unit) in line.into_iter().enumerate() {
            for ReminderRow { document, at } in answers.rows(at)? {
                let document = document.parse().map_err(|_| Error::Damaged(format!("a reminder of {document}")))?;
                asked.push(AskedAgain { document, at, by: unit.name.clone() });
            }
        }
        asked.sort_by_key(|asked| Reverse(asked.at));
        let mut known = std::collections::HashSet::new();
        asked.retain(|asked| known.insert(asked.document));
        Ok(asked)
    }
}

/// A document that a unit has reminded its members of.
#[derive(Debug, Clone)]
struct AskedAgain {
    document: DocumentId,
    at: DateTime<Utc>,
    by: String,
}

impl AskedAgain {
    fn into_reminded(self) -> Reminded {
        Reminded { on: local_date(self.at), by: self.by }
    }
}

#[derive(Debug, SurrealValue)]
struct LastRow {
    at: DateTime<Utc>,
    by: String,
}

#[derive(Debug, SurrealValue)]
struct ReminderRow {
    document: String,
    at: DateTime<Utc>,
}

/// The reason thrown by [`REMIND`].
const TOO_SOON: &str = "too soon";

const REMIND: &str = "LET $last = (SELECT VALUE at FROM ONLY $reminder); \
                      IF $last != NONE AND $last >= $today { THROW 'too soon' }; \
                      UPSERT $reminder SET document = $document, unit = $unit, by = $by, at = $log_at RETURN NONE;";

/// One index range for each unit of the path.
fn reminder_ranges(line: &[&UnitRef], since: DateTime<Utc>) -> (String, Variables) {
    let (mut sql, mut vars) = (String::new(), vars! { since: since });
    for (at, unit) in line.iter().enumerate() {
        sql += &format!(
            "SELECT document, at FROM reminder WHERE unit = $unit_{at} AND at > $since ORDER BY at DESC LIMIT {LATEST};"
        );
        vars.insert(format!("unit_{at}"), unit.id.to_string());
    }
    (sql, vars)
}

#[cfg(test)]
mod tests {
    use domain::units::UnitPath;
    use ulid::Ulid;

    use super::*;
    use crate::{store::tests::migrated, units::tests::level};

    #[tokio::test]
    async fn reminders_are_read_by_index() {
        let store = migrated().await;
        let unit = UnitRef {
            id: UnitId::new(Ulid::nil()),
            kind: level("branch"),
            name: String::new(),
            path: UnitPath::parse("/01/51/").expect("a path"),
        };
        let (sql, vars) = reminder_ranges(&[&unit, &unit], Utc::now());
        store.assert_no_scan(&sql, vars).await;
    }
}
