//! Whether any member of a unit has no try left, for granting another one to all of them.
//!
//! Only this is returned, neither names nor numbers: in small units a number would identify members.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    courses::Tries,
    ids::MemberId,
    members::Standing,
    units::{UnitPath, UnitRef},
};

use super::{Course, Courses, Given};
use crate::{
    Error, Result,
    store::{RecordId, SurrealValue, pair, record, vars},
};

/// Members examined per round.
const ROUND: usize = 200;

#[derive(Debug, SurrealValue)]
struct MemberRow {
    member: String,
}

#[derive(Debug, SurrealValue)]
struct PersonRow {
    id: String,
    path: String,
    standing: String,
}

impl Courses<'_> {
    /// Examines the members who have started the last regular try, and stops at the first without tries left.
    pub(super) async fn anybody_without_tries(&self, course: &Course, given: &Given, unit: &UnitRef) -> Result<bool> {
        let mut after = String::new();
        loop {
            let vars = vars! { course: course.id.to_string(), number: i64::from(course.rules.tries), last: after.as_str() };
            let begun: Vec<MemberRow> = self.backend.store().read(begun_last(), vars).await?.rows(0)?;
            if self.any_used_up(course, given, unit, &begun).await? {
                return Ok(true);
            }
            match begun.last() {
                Some(last) if begun.len() == ROUND => after.clone_from(&last.member),
                _ => return Ok(false),
            }
        }
    }

    async fn any_used_up(&self, course: &Course, given: &Given, unit: &UnitRef, begun: &[MemberRow]) -> Result<bool> {
        if begun.is_empty() {
            return Ok(false);
        }
        let members: Vec<RecordId> = begun.iter().map(|row| record("member", &row.member)).collect();
        let done: Vec<RecordId> = begun.iter().map(|row| pair("course_completion", course.id, &row.member)).collect();
        let mut answers = self.backend.store().read(PEOPLE, vars! { members: members, done: done }).await?;
        let people: Vec<PersonRow> = answers.rows(0)?;
        let done: BTreeSet<String> = answers.rows::<MemberRow>(1)?.into_iter().map(|row| row.member).collect();
        let standings = &given.audience.standings;
        let mut by_branch: BTreeMap<UnitPath, Vec<(MemberId, &Course)>> = BTreeMap::new();
        for person in people.iter().filter(|person| !done.contains(&person.id)) {
            let damaged = || Error::Damaged(format!("member {}", person.id));
            let path = UnitPath::parse(&person.path).map_err(|_| damaged())?;
            let standing = Standing::from_key(&person.standing).ok_or_else(damaged)?;
            let is_there = unit.path.contains(&path) && given.audience.reaches_members_of(&path);
            if is_there && (standings.is_empty() || standings.contains(&standing)) {
                let id = person.id.parse().map_err(|_| damaged())?;
                by_branch.entry(path).or_default().push((id, course));
            }
        }
        for (branch, asked) in &by_branch {
            if self.tries_of(branch, asked).await?.contains(&Tries::UsedUp) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The index is named explicitly, because another index starts with the member.
fn begun_last() -> String {
    format!(
        "SELECT member FROM course_try WITH INDEX course_try_course \
         WHERE course = $course AND number = $number AND member > $last ORDER BY member LIMIT {ROUND}"
    )
}

/// Reads people and completions by id.
const PEOPLE: &str =
    "SELECT record::id(id) AS id, path, standing FROM $members WHERE state = 'active'; SELECT member FROM $done;";

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn members_at_their_last_try_are_found_by_index() {
        let store = migrated().await;
        store.assert_no_scan(&begun_last(), vars! { course: "01", number: 2_i64, last: "" }).await;
        let (members, done) = (vec![record("member", Ulid::nil())], vec![pair("course_completion", Ulid::nil(), Ulid::nil())]);
        store.assert_no_scan(PEOPLE, vars! { members: members, done: done }).await;
    }
}
