//! How far the units have come with a course: numbers for those above, names for who leads the branch itself.
//!
//! Invariant: numbers are counted over a range of an index, never by looking at members. Small groups are hidden as in the statistics.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    accounts::Viewer,
    courses::{Completion, CompletionPage, CourseState, DeskCourse, LearnerRow, Progress, UnitCompletion},
    ids::{CourseId, UnitId},
    locale::local_date,
    members::Standing,
    policy::Action,
    statistics::hide_small,
    units::{UnitPath, UnitRef},
};

use super::{COLUMNS, Course, CourseRow, Courses, Given};
use crate::{
    Error, Result,
    store::{SurrealValue, Variables, pair, vars},
    units::Tree,
};

/// Courses in the list.
const FOLLOWED: usize = 50;

/// Members of a branch that are listed.
const ROSTER: usize = 1_000;

impl Courses<'_> {
    /// The courses given to units the person answers for, or above them; the latest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] for who answers for none.
    pub async fn following(&self, viewer: &Viewer) -> Result<Vec<DeskCourse>> {
        let seats = viewer.standpoint.seats(Action::ReadStatistics);
        if seats.is_empty() {
            return Err(Error::NotFound);
        }
        let tree = self.backend.units().tree();
        let mut courses: Vec<Course> = Vec::new();
        for seat in seats {
            let (sql, vars) = followed_ranges(seat);
            let mut answers = self.backend.store().read(sql, vars).await?;
            for at in 0..seat.ancestors_and_self().count() {
                for row in answers.rows::<CourseRow>(at)? {
                    let course = row.understand(&tree)?;
                    if courses.iter().all(|known| known.id != course.id) {
                        courses.push(course);
                    }
                }
            }
        }
        courses.sort_by_key(|course| std::cmp::Reverse((course.saved_at, course.id)));
        courses.truncate(FOLLOWED);
        Ok(courses.into_iter().map(Course::desk_row).collect())
    }

    /// How many members of a unit and of those one level below have completed the course; of the highest unit the person may look at
    /// when none is named. With names for who leads this very branch.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person may not know of the course, or for a unit it does not concern or that is not theirs to look
    /// at; [`Error::NotAllowed`] for who only studies it, and for a draft.
    pub async fn completion_page(&self, viewer: &Viewer, id: CourseId, unit: Option<UnitId>) -> Result<CompletionPage> {
        let course = self.course(id).await?;
        let tree = self.backend.units().tree();
        let is_managed = course.is_managed_by(viewer);
        let Some(given) = &course.given else {
            return Err(if is_managed { Error::NotAllowed } else { Error::NotFound });
        };
        let may_look = |path: &UnitPath| is_managed || viewer.standpoint.may(Action::ReadStatistics, path);
        let concerned = |unit: &&UnitRef| given.audience.path.contains(&unit.path) && may_look(&unit.path);
        let is_named = unit.is_some();
        let unit = match unit {
            Some(unit) => tree.get(unit).filter(concerned),
            None => Self::highest_concerned(viewer, &tree, given, &may_look),
        };
        let Some(unit) = unit else {
            return Err(if course.reaches(viewer) && !is_named { Error::NotAllowed } else { Error::NotFound });
        };
        let leads = viewer.standpoint.may_on_the_spot(Action::ReadReaders, &unit.path);
        let children: Vec<&UnitRef> = tree.children(&unit.path).collect();
        let done = self.done(id, unit, &children).await?;
        let row = |unit: &UnitRef, done: u32| {
            let members = self.members(given, &unit.path);
            UnitCompletion {
                completion: Some(Completion { members, done: done.min(members) }),
                opens: tree.children(&unit.path).next().is_some(),
                unit: unit.clone(),
            }
        };
        let mut total = row(unit, done.first().copied().unwrap_or_default());
        let mut rows: Vec<UnitCompletion> =
            children.iter().zip(done.iter().skip(1)).map(|(child, done)| row(child, *done)).collect();
        hide(&mut rows);
        if !leads {
            hide(std::slice::from_mut(&mut total));
        }
        let trail = tree.trail(&unit.path).filter(concerned).cloned().collect();
        Ok(CompletionPage {
            course: id,
            learners: if leads && children.is_empty() { self.learners(&course, given, unit.id).await? } else { Vec::new() },
            title: course.title,
            issuer: course.issuer,
            state: course.state,
            due_on: given.due_on,
            trail,
            total,
            children: rows,
        })
    }

    /// The audience itself for who may look at all of it, else the highest unit in it that is theirs.
    fn highest_concerned<'t>(
        viewer: &Viewer,
        tree: &'t Tree,
        given: &Given,
        may_look: &impl Fn(&UnitPath) -> bool,
    ) -> Option<&'t UnitRef> {
        let audience = &given.audience.path;
        if may_look(audience) {
            return tree.at(audience);
        }
        let seats = viewer.standpoint.seats(Action::ReadStatistics);
        let inside = seats.into_iter().filter(|seat| audience.contains(seat));
        inside.min_by_key(|path| path.as_str().len()).and_then(|path| tree.at(path))
    }

    /// Members of a subtree the course is for.
    fn members(&self, given: &Given, path: &UnitPath) -> u32 {
        let counters = self.backend.counters();
        if given.standings.is_empty() {
            return counters.members(path);
        }
        given.standings.iter().map(|standing| counters.members_of(path, *standing)).sum()
    }

    /// How many have completed the course in the unit, and in each of those below.
    async fn done(&self, course: CourseId, unit: &UnitRef, children: &[&UnitRef]) -> Result<Vec<u32>> {
        let paths: Vec<&UnitPath> = std::iter::once(&unit.path).chain(children.iter().map(|child| &child.path)).collect();
        let (sql, vars) = done_ranges(course, &paths);
        let mut answers = self.backend.store().read(sql, vars).await?;
        (0..paths.len())
            .map(|at| {
                let count: Option<i64> = answers.rows(at)?.into_iter().next();
                Ok(u32::try_from(count.unwrap_or_default()).unwrap_or(u32::MAX))
            })
            .collect()
    }

    /// Members of a branch whom the course is for, in the order of a name list. Who is exempt is listed when they did it all the same.
    async fn learners(&self, course: &Course, given: &Given, branch: UnitId) -> Result<Vec<LearnerRow>> {
        let store = self.backend.store();
        let people: Vec<PersonRow> = store.read(roster(), vars! { unit: branch.to_string() }).await?.rows(0)?;
        let ids: Vec<_> = people.iter().map(|person| pair("course_completion", course.id, &person.id)).collect();
        let done: Vec<DoneRow> = if ids.is_empty() {
            Vec::new()
        } else {
            store.read("SELECT member, at FROM $ids", vars! { ids: ids }).await?.rows(0)?
        };
        let today = self.backend.clock().today();
        let mut rows = Vec::with_capacity(people.len());
        for person in people {
            let damaged = || Error::Damaged(format!("member {}", person.id));
            let standing = Standing::from_key(&person.standing).ok_or_else(damaged)?;
            let is_asked =
                if given.standings.is_empty() { standing != Standing::Exempt } else { given.standings.contains(&standing) };
            let done_on: Option<NaiveDate> = done.iter().find(|done| done.member == person.id).map(|done| local_date(done.at));
            if is_asked || done_on.is_some() {
                rows.push(LearnerRow {
                    member: person.id.parse().map_err(|_| damaged())?,
                    progress: Progress::of(done_on, given.due_on, today),
                    name: person.full_name,
                    done_on,
                });
            }
        }
        Ok(rows)
    }
}

fn hide(rows: &mut [UnitCompletion]) {
    hide_small(rows, |row| row.completion.map(|completion| completion.members), |row| row.completion = None);
}

#[derive(Debug, SurrealValue)]
struct PersonRow {
    id: String,
    full_name: String,
    standing: String,
}

#[derive(Debug, SurrealValue)]
struct DoneRow {
    member: String,
    at: DateTime<Utc>,
}

fn roster() -> String {
    format!(
        "SELECT record::id(id) AS id, full_name, standing, sort_key FROM member WHERE unit = $unit AND state = 'active' \
         ORDER BY sort_key LIMIT {ROSTER}"
    )
}

/// What was given to a unit above the seat, a range for each, and what was given to the seat or below it.
fn followed_ranges(seat: &UnitPath) -> (String, Variables) {
    let state = CourseState::Draft.key();
    let mut vars = vars! { from: seat.to_string(), until: seat.range_end() };
    let mut sql = String::new();
    for (at, path) in seat.ancestors_and_self().filter(|path| path != seat).enumerate() {
        sql += &format!("SELECT {COLUMNS} FROM course WHERE audience_path = $path_{at} AND state != '{state}' LIMIT {FOLLOWED};");
        vars.insert(format!("path_{at}"), path.to_string());
    }
    sql += &format!(
        "SELECT {COLUMNS} FROM course WHERE audience_path >= $from AND audience_path < $until AND state != '{state}' \
         ORDER BY saved_at DESC LIMIT {FOLLOWED};"
    );
    (sql, vars)
}

/// One count of a range for each unit.
fn done_ranges(course: CourseId, paths: &[&UnitPath]) -> (String, Variables) {
    let (mut sql, mut vars) = (String::new(), vars! {});
    for (at, path) in paths.iter().enumerate() {
        sql += &format!(
            "SELECT VALUE count FROM (SELECT count() FROM course_completion WHERE place >= $from_{at} AND place < $until_{at} GROUP ALL);"
        );
        vars.insert(format!("from_{at}"), format!("{course}{path}"));
        vars.insert(format!("until_{at}"), format!("{course}{}", path.range_end()));
    }
    (sql, vars)
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn numbers_and_names_come_from_index_ranges() {
        let store = migrated().await;
        let path = UnitPath::parse("/01/51/001/").expect("a path");
        let (sql, vars) = done_ranges(CourseId::new(Ulid::nil()), &[&path]);
        store.assert_no_scan(&sql, vars).await;
        let (sql, vars) = followed_ranges(&path);
        store.assert_no_scan(&sql, vars).await;
        store.assert_no_scan(&roster(), vars! { unit: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
    }
}
