//! Progress of units with a course: numbers for the units above, names for the leaders of the branch itself.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::{
    accounts::Viewer,
    audience::{Audience, Places},
    courses::{CompletionPage, CourseState, DeskCourse, LearnerRow, Progress, Tries},
    ids::{CourseId, MemberId, UnitId},
    locale::local_date,
    policy::Action,
    units::{UnitPath, UnitRef},
};

use super::{COLUMNS, Course, CourseRow, Courses, Given};
use crate::{
    Error, Result,
    statistics::UnitShares,
    store::{SurrealValue, Variables, pair, vars},
};

/// Courses in the list.
const FOLLOWED: usize = 50;

impl Courses<'_> {
    /// The courses assigned to units whose statistics the person may read, or to units above them, the latest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person who may read the statistics of no unit.
    pub async fn following(&self, viewer: &Viewer) -> Result<Vec<DeskCourse>> {
        let top_units = viewer.standpoint.top_units(Action::ReadStatistics);
        if top_units.is_empty() {
            return Err(Error::NotFound);
        }
        let tree = self.backend.units().tree();
        let mut courses: Vec<Course> = Vec::new();
        for top_unit in top_units {
            let (sql, vars) = followed_ranges(top_unit);
            let mut answers = self.backend.store().read(sql, vars).await?;
            for at in 0..top_unit.ancestors_and_self().count() {
                for row in answers.rows::<CourseRow>(at)? {
                    let course = row.decode(&tree)?;
                    // A course for a unit above may be for other parts of it.
                    let concerns = course.given.as_ref().is_some_and(|given| given.audience.touches(top_unit));
                    if concerns && courses.iter().all(|known| known.id != course.id) {
                        courses.push(course);
                    }
                }
            }
        }
        courses.sort_by_key(|course| std::cmp::Reverse((course.saved_at, course.id)));
        courses.truncate(FOLLOWED);
        Ok(courses.into_iter().map(Course::desk_row).collect())
    }

    /// The numbers of members who have completed the course in a unit and in its children. Without `unit`, those of the highest
    /// unit that the person may see. Includes names for leaders of this branch.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person may not know of the course, or for a unit that it does not concern or that the person
    /// may not see; [`Error::NotAllowed`] for a person who may only take the course, and for a draft.
    pub async fn completion_page(&self, viewer: &Viewer, id: CourseId, unit: Option<UnitId>) -> Result<CompletionPage> {
        let course = self.course(id).await?;
        let tree = self.backend.units().tree();
        let is_managed = course.is_managed_by(viewer);
        let Some(given) = &course.given else {
            return Err(if is_managed { Error::NotAllowed } else { Error::NotFound });
        };
        let Some(unit_shares) = UnitShares::at(viewer, &tree, &given.audience, is_managed, unit) else {
            return Err(if course.reaches(viewer) && unit.is_none() { Error::NotAllowed } else { Error::NotFound });
        };
        let done = self.done(id, &given.audience, &unit_shares.paths()).await?;
        let (total, children) = unit_shares.shares(self.backend.statistics(), &given.audience, &done);
        Ok(CompletionPage {
            course: id,
            another_try: if is_managed { self.another_try(&course, &unit_shares).await? } else { None },
            learners: if unit_shares.shows_names() { self.learners(&course, given, unit_shares.unit).await? } else { Vec::new() },
            title: course.title,
            issuer: course.issuer,
            state: course.state,
            due_on: given.due_on,
            trail: unit_shares.trail,
            total,
            children,
        })
    }

    /// The number of members of the audience who have completed the course in each of these units.
    async fn done(&self, course: CourseId, audience: &Audience, paths: &[&UnitPath]) -> Result<Vec<u32>> {
        let places: Vec<Places> = paths.iter().map(|path| audience.within(path)).collect();
        let (sql, vars, ranges) = done_ranges(course, &places);
        let mut done = vec![0_i64; paths.len()];
        if ranges.is_empty() {
            return Ok(vec![0; paths.len()]);
        }
        let mut answers = self.backend.store().read(sql, vars).await?;
        for (at, (place, sign)) in ranges.into_iter().enumerate() {
            let count: Option<i64> = answers.rows(at)?.into_iter().next();
            done[place] += sign * count.unwrap_or_default();
        }
        Ok(done.into_iter().map(|count| u32::try_from(count).unwrap_or_default()).collect())
    }

    /// Members of a branch to whom the course is assigned, sorted by name. Exempt members are listed only if they completed it.
    pub(super) async fn learners(&self, course: &Course, given: &Given, branch: &UnitRef) -> Result<Vec<LearnerRow>> {
        let mut people = self.backend.members().roster(branch).await?;
        // The audience may be without one of several units below the branch.
        people.retain(|person| given.audience.reaches_members_of(&person.unit));
        let ids: Vec<_> = people.iter().map(|person| pair("course_completion", course.id, person.id)).collect();
        let done: Vec<DoneRow> = if ids.is_empty() {
            Vec::new()
        } else {
            self.backend.store().read("SELECT member, at FROM $ids", vars! { ids: ids }).await?.rows(0)?
        };
        let done: HashMap<String, DateTime<Utc>> = done.into_iter().map(|row| (row.member, row.at)).collect();
        let today = self.backend.clock().today();
        let mut rows: Vec<(UnitPath, LearnerRow)> = Vec::with_capacity(people.len());
        for person in people {
            let done_on = done.get(&person.id.to_string()).map(|at| local_date(*at));
            if person.is_asked(&given.audience.standings) || done_on.is_some() {
                let row = LearnerRow {
                    member: person.id,
                    progress: Progress::of(done_on, given.due_on, today),
                    name: person.name,
                    done_on,
                    tries: Tries::Left,
                };
                rows.push((person.unit, row));
            }
        }
        // Another try may have been granted to a unit below the branch.
        let places: BTreeSet<UnitPath> = rows.iter().map(|(unit, _)| unit.clone()).collect();
        for place in &places {
            let is_waiting = |(unit, row): &(UnitPath, LearnerRow)| unit == place && row.done_on.is_none();
            let to_do: Vec<(MemberId, &Course)> =
                rows.iter().filter(|row| is_waiting(row)).map(|(_, row)| (row.member, course)).collect();
            let tries = self.tries_of(place, &to_do).await?;
            for ((_, row), tries) in rows.iter_mut().filter(|row| is_waiting(row)).zip(tries) {
                row.tries = tries;
            }
        }
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }
}

#[derive(Debug, SurrealValue)]
struct DoneRow {
    member: String,
    at: DateTime<Utc>,
}

/// Courses assigned to units above the top unit, a range for each, and those assigned to the top unit or below it.
fn followed_ranges(top_unit: &UnitPath) -> (String, Variables) {
    let state = CourseState::Draft.key();
    let mut vars = vars! { from: top_unit.to_string(), until: top_unit.range_end() };
    let mut sql = String::new();
    for (at, path) in top_unit.ancestors_and_self().filter(|path| path != top_unit).enumerate() {
        sql += &format!("SELECT {COLUMNS} FROM course WHERE audience_path = $path_{at} AND state != '{state}' LIMIT {FOLLOWED};");
        vars.insert(format!("path_{at}"), path.to_string());
    }
    sql += &format!(
        "SELECT {COLUMNS} FROM course WHERE audience_path >= $from AND audience_path < $until AND state != '{state}' \
         ORDER BY saved_at DESC LIMIT {FOLLOWED};"
    );
    (sql, vars)
}

/// A count of an index range for each subtree, with its index in `places` and its sign.
fn done_ranges(course: CourseId, places: &[Places]) -> (String, Variables, Vec<(usize, i64)>) {
    let (mut sql, mut vars, mut ranges) = (String::new(), vars! {}, Vec::new());
    for (place, Places { within, without }) in places.iter().enumerate() {
        for (path, sign) in within.iter().map(|path| (path, 1)).chain(without.iter().map(|path| (path, -1))) {
            let at = ranges.len();
            sql += &format!(
                "SELECT VALUE count FROM (SELECT count() FROM course_completion WHERE place >= $from_{at} AND place < $until_{at} GROUP ALL);"
            );
            vars.insert(format!("from_{at}"), format!("{course}{path}"));
            vars.insert(format!("until_{at}"), format!("{course}{}", path.range_end()));
            ranges.push((place, sign));
        }
    }
    (sql, vars, ranges)
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn numbers_come_from_index_ranges() {
        let store = migrated().await;
        let path = UnitPath::parse("/01/51/001/").expect("a path");
        let places = Places { within: vec![path.clone()], without: vec![path.child("07").expect("a path")] };
        let (sql, vars, ranges) = done_ranges(CourseId::new(Ulid::nil()), &[places]);
        assert_eq!(ranges, [(0, 1), (0, -1)]);
        store.assert_no_scan(&sql, vars).await;
        let (sql, vars) = followed_ranges(&path);
        store.assert_no_scan(&sql, vars).await;
    }
}
