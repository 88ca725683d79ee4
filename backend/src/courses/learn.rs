//! Taking a course: the list of assigned courses, the page of a course, its completion.

use std::cmp::Reverse;

use domain::{
    accounts::Viewer,
    courses::{
        Certificate, CoursePage, CourseReminder, CourseRow as Row, CourseState, CoursesPage, NextStep, Progress, QuizFacts,
        Serial, Tries,
    },
    documents::DocumentSummary,
    events::EventBody,
    ids::CourseId,
    members::Standing,
    policy::Action,
    units::UnitPath,
};

use super::{COLUMNS, Completed, Course, CourseRow, Courses, count, tries::Attempt};
use crate::{
    Error, Result,
    change::Change,
    markdown,
    store::{StoreError, Variables, pair, vars},
    units::{
        Tree,
        chosen::{IN_PART, unit_vars},
    },
};

/// Most current courses of one unit that reach a branch.
const REACHING: usize = 50;

/// Most completed courses in the list.
const DONE: usize = 100;

impl Courses<'_> {
    /// The member's assigned and completed courses.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, viewer: &Viewer) -> Result<CoursesPage> {
        let to_do = self.waiting(viewer).await?;
        let vars = vars! { member: viewer.member.to_string() };
        let completed: Vec<Completed> = self.backend.store().read(own_completions(), vars).await?.rows(0)?;
        let ids: Vec<String> = completed.iter().map(|done| done.course.clone()).collect();
        let courses = self.courses(&ids).await?;
        let done = completed.iter().filter_map(|done| {
            let course = courses.iter().find(|course| course.id.to_string() == done.course)?;
            self.row(course, Some(done), Tries::Left)
        });
        let standpoint = &viewer.standpoint;
        Ok(CoursesPage {
            to_do,
            done: done.collect(),
            gives: !standpoint.top_units(Action::ManageCourses).is_empty(),
            follows: !standpoint.top_units(Action::ReadStatistics).is_empty(),
        })
    }

    /// The course that is due next.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reminder(&self, viewer: &Viewer) -> Result<Option<CourseReminder>> {
        let next = self.waiting(viewer).await?.into_iter().next();
        Ok(next.map(|row| CourseReminder {
            id: row.id,
            title: row.title,
            issuer: row.issuer.name,
            due_on: row.due_on,
            is_overdue: row.progress == Progress::Overdue,
            tries: row.tries,
        }))
    }

    /// The page of a course: its documents with their reading state, its quiz with the tries so far, and the next step. Reading
    /// the page ends a try whose time has expired.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person may not know of it, [`Error::NotAllowed`] for a person who manages or follows it, but
    /// to whom it is not assigned.
    pub async fn read(&self, viewer: &Viewer, id: CourseId) -> Result<CoursePage> {
        let studied = self.studied(viewer, id).await?;
        let LearnerCourse { course, attempts, completed, tries } = &studied;
        let text = self.text(id).await?;
        let documents = self.documents(viewer, course).await?;
        let quiz = (course.questions > 0).then(|| QuizFacts {
            questions: course.questions,
            rules: course.rules,
            tries_left: studied.tries_left(),
        });
        let next = next_step(viewer, &studied, &documents);
        Ok(CoursePage {
            course: self.row(course, completed.as_ref(), *tries).ok_or(Error::NotFound)?,
            html: markdown::render(&text.description).html,
            documents,
            quiz,
            tries: attempts.iter().filter_map(Attempt::finished_row).collect(),
            next,
        })
    }

    /// Completes a course without a quiz after all documents were read. Idempotent.
    ///
    /// # Errors
    /// [`Error::NotFound`] as [`Self::read`]; [`Error::NotAllowed`] when another step must be done first, or the course has
    /// ended.
    pub async fn complete(&self, viewer: &Viewer, id: CourseId) -> Result<()> {
        let studied = self.studied(viewer, id).await?;
        let documents = self.documents(viewer, &studied.course).await?;
        match next_step(viewer, &studied, &documents) {
            NextStep::Certificate => return Ok(()),
            NextStep::Confirm => {}
            _ => return Err(Error::NotAllowed),
        }
        let clock = self.backend.clock();
        let mut vars = self.completion(viewer, id);
        vars.extend(vars! { done_at: clock.now() });
        let (actor, branch) = (Some(viewer.member), &viewer.standpoint.branch);
        let change = Change::new(&format!("CREATE $completion SET {COMPLETION} RETURN NONE;"), vars);
        let change = change.event(clock, actor, branch, EventBody::CourseCompleted(id));
        match self.backend.transact(change).await {
            // The request was repeated.
            Ok(_) | Err(StoreError::Exists) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The certificate of a course the person has completed.
    ///
    /// # Errors
    /// [`Error::NotFound`] when they have not completed it.
    pub async fn certificate(&self, viewer: &Viewer, id: CourseId) -> Result<Certificate> {
        let done = self.completions(viewer, &[id]).await?.pop().ok_or(Error::NotFound)?;
        let course = self.course(id).await?;
        let tree = self.backend.units().tree();
        let branch = tree.known(&done.unit).map_or_else(|| viewer.branch.name.clone(), |unit| tree.home(unit).name.clone());
        Ok(Certificate {
            course: id,
            name: viewer.name.clone(),
            branch,
            title: course.title,
            issuer: course.issuer,
            done_on: done.done_on(),
            serial: done.serial,
        })
    }

    /// A course that the person may take or has started, with the tries so far and the completion.
    pub(super) async fn studied(&self, viewer: &Viewer, id: CourseId) -> Result<LearnerCourse> {
        let course = self.course(id).await?;
        let mut attempts = self.tries(viewer, id).await?;
        let is_own = course.state != CourseState::Draft && course.reaches(viewer) || !attempts.is_empty();
        if self.end_late_try(viewer, &course, &attempts).await? {
            attempts = self.tries(viewer, id).await?;
        }
        let completed = self.completions(viewer, &[id]).await?.pop();
        if is_own || completed.is_some() {
            let tries = match completed {
                Some(_) => None,
                None => self.tries_of(&viewer.standpoint.branch, &[(viewer.member, &course)]).await?.pop(),
            };
            Ok(LearnerCourse { course, attempts, completed, tries: tries.unwrap_or(Tries::Left) })
        } else if course.is_managed_by(viewer) || course.is_visible_to(viewer) {
            Err(Error::NotAllowed)
        } else {
            Err(Error::NotFound)
        }
    }

    /// The bindings of a completion, except its time, `done_at`.
    pub(super) fn completion(&self, viewer: &Viewer, id: CourseId) -> Variables {
        let clock = self.backend.clock();
        vars! {
            completion: pair("course_completion", id, viewer.member),
            course_key: id.to_string(),
            member: viewer.member.to_string(),
            unit: self.backend.units().tree().registered(viewer).to_string(),
            path: viewer.standpoint.branch.to_string(),
            counted: viewer.standpoint.standing != Standing::Exempt,
            serial: Serial::new(clock.today(), clock.ulid()).as_str(),
        }
    }

    /// Assigned courses that the member has not completed, the most urgent first; those without tries left come last.
    async fn waiting(&self, viewer: &Viewer) -> Result<Vec<Row>> {
        let tree = self.backend.units().tree();
        let branch = &viewer.standpoint.branch;
        let (sql, vars) = reaching_ranges(branch, &tree);
        let mut answers = self.backend.store().read(sql, vars).await?;
        let mut courses = Vec::new();
        for at in 0..branch.ancestors_and_self().count() {
            for row in answers.rows::<CourseRow>(at)? {
                courses.push(row.decode(&tree)?);
            }
        }
        courses.retain(|course| course.state == CourseState::Assigned && course.reaches(viewer));
        let ids: Vec<CourseId> = courses.iter().map(|course| course.id).collect();
        let completed = self.completions(viewer, &ids).await?;
        courses.retain(|course| !completed.iter().any(|done| done.course == course.id.to_string()));
        let asked: Vec<_> = courses.iter().map(|course| (viewer.member, course)).collect();
        let tries = self.tries_of(branch, &asked).await?;
        let mut rows: Vec<Row> = courses.iter().zip(tries).filter_map(|(course, tries)| self.row(course, None, tries)).collect();
        rows.sort_by_key(|row| (row.tries, row.due_on, Reverse(row.id)));
        Ok(rows)
    }

    /// None for a course that is not assigned.
    fn row(&self, course: &Course, completed: Option<&Completed>, tries: Tries) -> Option<Row> {
        let due_on = course.given.as_ref()?.due_on;
        let done_on = completed.map(Completed::done_on);
        Some(Row {
            id: course.id,
            title: course.title.clone(),
            issuer: course.issuer.clone(),
            due_on,
            progress: Progress::of(done_on, due_on, self.backend.clock().today()),
            done_on,
            tries,
        })
    }
}

/// A course of a member and their progress.
#[derive(Debug)]
pub(super) struct LearnerCourse {
    pub(super) course: Course,
    /// The latest first.
    pub(super) attempts: Vec<Attempt>,
    pub(super) completed: Option<Completed>,
    pub(super) tries: Tries,
}

impl LearnerCourse {
    /// The number of tries left; none when they are not limited.
    pub(super) fn tries_left(&self) -> Option<u32> {
        if self.tries == Tries::Given { Some(1) } else { self.course.rules.tries_left(count(self.attempts.len())) }
    }
}

/// The next step in a course that a member may take or has started. An open try can be finished even after a transfer, but
/// nothing new can be started in a course that is no longer assigned to the member.
pub(super) fn next_step(viewer: &Viewer, studied: &LearnerCourse, documents: &[DocumentSummary]) -> NextStep {
    let LearnerCourse { course, attempts, completed, tries } = studied;
    let missing = count(documents.iter().filter(|document| !document.is_read()).count());
    if completed.is_some() {
        NextStep::Certificate
    } else if attempts.iter().any(Attempt::is_open) {
        NextStep::GoOn
    } else if course.state == CourseState::Ended {
        NextStep::Ended
    } else if !course.reaches(viewer) {
        NextStep::Elsewhere
    } else if *tries == Tries::UsedUp {
        NextStep::Failed
    } else if missing > 0 {
        NextStep::Read { missing }
    } else if course.questions > 0 {
        NextStep::StartQuiz
    } else {
        NextStep::Confirm
    }
}

/// The columns of a completion, from [`Courses::completion`].
pub(super) const COMPLETION: &str =
    "course = $course_key, member = $member, unit = $unit, path = $path, counted = $counted, at = $done_at, serial = $serial";

fn own_completions() -> String {
    format!("SELECT course, member, at, unit, serial FROM course_completion WHERE member = $member ORDER BY at DESC LIMIT {DONE}")
}

/// One index range for each unit from the root down to the branch: a course reaches the branch when its audience is one of these.
fn reaching_ranges(branch: &UnitPath, tree: &Tree) -> (String, Variables) {
    let (mut sql, mut vars) = (String::new(), unit_vars(branch, tree));
    for (at, path) in branch.ancestors_and_self().enumerate() {
        sql += &format!(
            "SELECT {COLUMNS} FROM course WHERE audience_path = $path_{at} AND shelf > '' AND {IN_PART} \
             ORDER BY shelf DESC LIMIT {REACHING};"
        );
        vars.insert(format!("path_{at}"), path.to_string());
    }
    (sql, vars)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn assigned_courses_are_found_by_index_ranges() {
        let store = migrated().await;
        let (sql, vars) = reaching_ranges(&UnitPath::parse("/01/51/001/07/").expect("a path"), &Tree::default());
        store.assert_no_scan(&sql, vars).await;
        store.assert_no_scan(&own_completions(), vars! { member: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
    }
}
