//! Another try at a quiz for members without tries left, granted by the course's managers.
//!
//! A grant to a unit is one row, however many members have failed. Whether it applies to a member is derived from their last try
//! on each read, see [`domain::courses::QuizRules::tries_after`]. Previous tries are unchanged.

use chrono::{DateTime, Utc};
use domain::{
    accounts::Viewer,
    courses::{AnotherTry, CourseState, Tries},
    events::EventBody,
    forms::{FormReader, Problem},
    ids::{CourseId, MemberId, UnitId},
    units::UnitPath,
};
use ulid::Ulid;

use super::{Course, Courses, Given, tries::Attempt};
use crate::{
    Error, Result,
    change::Change,
    statistics::UnitShares,
    store::{RecordId, StoreError, SurrealValue, pair, vars},
};

/// The form, as typed.
#[derive(Debug, Clone, Copy)]
pub struct AnotherTryForm<'f> {
    pub course: &'f str,
    pub unit: &'f str,
    /// Idempotency key, from [`AnotherTry::act`].
    pub act: &'f str,
    /// None for all members of the unit.
    pub members: Option<&'f [String]>,
}

impl Course {
    /// Whether the number of tries is limited.
    const fn limits_tries(&self) -> bool {
        self.questions > 0 && self.rules.tries > 0
    }

    /// Whether another try can be granted. No try can be started in an ended course.
    fn gives_tries(&self) -> bool {
        self.state == CourseState::Assigned && self.limits_tries()
    }
}

impl Courses<'_> {
    /// Grants one more try to members of a unit who have none left: to the named ones, or to all. Members with tries left, or
    /// with a granted try they have not started, get none. Idempotent by `act`, even if another form was sent in between. Returns
    /// false, and grants nothing, when the form is for the whole unit and no member has used up their tries.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person may not know of the course, for a unit it is not assigned to, and for members whose
    /// names the page does not show; [`Error::NotAllowed`] for a person who does not manage the course, when it is not assigned,
    /// and when its tries are not limited; [`Error::Invalid`] of the form `another_try`: on `members` [`Problem::Required`] when
    /// nobody is selected.
    pub async fn give_another_try(&self, viewer: &Viewer, form: AnotherTryForm<'_>) -> Result<bool> {
        let id: CourseId = form.course.parse().map_err(|_| Error::NotFound)?;
        let unit: UnitId = form.unit.parse().map_err(|_| Error::NotFound)?;
        let act = Ulid::from_string(form.act).map_err(|_| Error::NotFound)?;
        let course = self.managed(viewer, id).await?;
        let given = course.given.as_ref().filter(|_| course.gives_tries()).ok_or(Error::NotAllowed)?;
        let tree = self.backend.units().tree();
        let unit_shares = UnitShares::at(viewer, &tree, &given.audience, true, Some(unit)).ok_or(Error::NotFound)?;
        let targets: Vec<RecordId> = match form.members {
            None => vec![pair("another_try", id, unit)],
            Some(typed) => {
                let members = self.without_tries(&course, given, &unit_shares, typed).await?;
                members.into_iter().map(|member| pair("another_try", id, member)).collect()
            }
        };
        if targets.is_empty() {
            return Ok(true);
        }
        if form.members.is_none() && !self.anybody_without_tries(&course, given, unit_shares.unit).await? {
            // The same form may have been sent before.
            return self.is_given(&targets[0], act).await;
        }
        let clock = self.backend.clock();
        let vars = vars! { targets: targets, by: viewer.member.to_string(), act: act.to_string(), now: clock.now() };
        let change = Change::new(GIVE, vars).event(clock, Some(viewer.member), &unit_shares.unit.path, EventBody::TryGiven(id));
        match self.backend.transact(change).await {
            // The form was already processed.
            Ok(_) | Err(StoreError::Thrown(_)) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    async fn is_given(&self, target: &RecordId, act: Ulid) -> Result<bool> {
        let (sql, vars) =
            ("SELECT VALUE $act IN (acts ?? [act]) FROM ONLY $target", vars! { target: target.clone(), act: act.to_string() });
        let given: Option<bool> = self.backend.store().read(sql, vars).await?.row(0)?;
        Ok(given.unwrap_or_default())
    }

    /// The form on the page of a unit's results, for a manager of the course.
    pub(super) async fn another_try(&self, course: &Course, unit_shares: &UnitShares<'_>) -> Result<Option<AnotherTry>> {
        if !course.gives_tries() {
            return Ok(None);
        }
        let vars = vars! { ids: vec![pair("another_try", course.id, unit_shares.unit.id)] };
        let rows: Vec<GivenRow> = self.backend.store().read(GIVEN, vars).await?.rows(0)?;
        Ok(Some(AnotherTry {
            act: self.backend.clock().ulid().to_string(),
            given_at: rows.first().map(|row| row.at),
            by_name: unit_shares.shows_names(),
        }))
    }

    /// The remaining tries of these members of one branch at courses they have not completed, in the order of `asked`.
    pub(super) async fn tries_of(&self, branch: &UnitPath, asked: &[(MemberId, &Course)]) -> Result<Vec<Tries>> {
        let mut found = vec![Tries::Left; asked.len()];
        let limited: Vec<usize> = (0..asked.len()).filter(|at| asked[*at].1.limits_tries()).collect();
        let key = |at: usize| (asked[at].0, asked[at].1.id);
        let last = self.last_tries(&limited.iter().map(|at| key(*at)).collect::<Vec<_>>()).await?;
        let used_up: Vec<(usize, Attempt)> = limited
            .into_iter()
            .zip(last)
            .filter_map(|(at, last)| Some((at, last?)))
            .filter(|(at, last)| asked[*at].1.rules.tries_after(last.last(), None) == Tries::UsedUp)
            .collect();
        let given = self.given(branch, &used_up.iter().map(|(at, _)| key(*at)).collect::<Vec<_>>()).await?;
        for ((at, last), given) in used_up.into_iter().zip(given) {
            found[at] = asked[at].1.rules.tries_after(last.last(), given);
        }
        Ok(found)
    }

    /// The members among these of a branch who have no try left. Another one may have been granted concurrently.
    async fn without_tries(
        &self,
        course: &Course,
        given: &Given,
        unit_shares: &UnitShares<'_>,
        typed: &[String],
    ) -> Result<Vec<MemberId>> {
        if !unit_shares.shows_names() {
            return Err(Error::NotFound);
        }
        if typed.is_empty() {
            return Err(FormReader::new("another_try").refused("members", Problem::Required).into());
        }
        let learners = self.learners(course, given, unit_shares.unit).await?;
        let mut members = Vec::new();
        for typed in typed {
            let id: MemberId = typed.parse().map_err(|_| Error::NotFound)?;
            let learner = learners.iter().find(|learner| learner.member == id).ok_or(Error::NotFound)?;
            if learner.tries == Tries::UsedUp && !members.contains(&id) {
                members.push(id);
            }
        }
        Ok(members)
    }

    /// The time of the last grant of another try for each pair of member and course, by name or by a unit from the root to the
    /// branch.
    async fn given(&self, branch: &UnitPath, asked: &[(MemberId, CourseId)]) -> Result<Vec<Option<DateTime<Utc>>>> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let line: Vec<String> = self.backend.units().tree().trail(branch).map(|unit| unit.id.to_string()).collect();
        let mut ids: Vec<RecordId> = Vec::new();
        for (member, course) in asked {
            ids.push(pair("another_try", course, member));
            ids.extend(line.iter().map(|unit| pair("another_try", course, unit)));
        }
        let rows: Vec<GivenRow> = self.backend.store().read(GIVEN, vars! { ids: ids }).await?.rows(0)?;
        let latest = |(member, course): &(MemberId, CourseId)| {
            let (member, course) = (member.to_string(), course.to_string());
            let is_meant = |row: &&GivenRow| row.course == course && (row.target == member || line.contains(&row.target));
            rows.iter().filter(is_meant).map(|row| row.at).max()
        };
        Ok(asked.iter().map(latest).collect())
    }
}

#[derive(Debug, SurrealValue)]
struct GivenRow {
    course: String,
    target: String,
    at: DateTime<Utc>,
}

/// Reads grants by id.
const GIVEN: &str = "SELECT course, target, at FROM $ids";

/// Stores a grant. The last 32 acts are remembered, the newest first.
const GIVE: &str = "FOR $target IN $targets { \
     LET $acts = (SELECT VALUE acts ?? [act] FROM ONLY $target) ?? []; \
     IF $act IN $acts { THROW 'given' }; \
     LET $last = array::slice(array::prepend($acts, $act), 0, 32); \
     UPSERT $target SET by = $by, act = $act, acts = $last, at = $now RETURN NONE };";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn tries_that_were_given_are_point_gets() {
        let store = migrated().await;
        store.assert_no_scan(GIVEN, vars! { ids: vec![pair("another_try", Ulid::nil(), Ulid::nil())] }).await;
    }
}
