//! Courses: documents to read and a quiz, assigned to a subtree with a due day; writing, taking and following them.
//!
//! A member's progress is stored in two tables: tries, of which the last may be open, and one completion per course, from which
//! the certificate is derived. The library records which documents were read (`document_read`). A member without tries left can
//! be granted another one (`another_try`).
//!
//! Invariant: this module returns the correct answers of a quiz only to people who manage the course, and to members who have
//! passed or have no tries left.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    accounts::Viewer,
    audience::Audience,
    courses::{AnswerOption, CourseState, CourseStep, Question, QuestionKind, QuizRules},
    documents::DocumentSummary,
    ids::{CourseId, DocumentId},
    locale::local_date,
    policy::Action,
    search::FoundCourse,
    units::UnitRef,
};

mod another_try;
mod assign;
mod completion;
mod desk;
mod learn;
mod questions;
mod tries;
mod used_up;

pub use another_try::AnotherTryForm;
pub use assign::AssignForm;
pub use desk::CourseForm;
pub use questions::{QuestionForm, RulesForm};
pub(crate) use tries::INHERIT;
pub use tries::{Arrived, Ticked};

use crate::{
    Backend, Error, Result,
    store::{SurrealValue, pair, record, vars},
    units::Tree,
};

/// The use-cases on courses.
#[derive(Clone, Copy)]
pub struct Courses<'a> {
    backend: &'a Backend,
}

impl<'a> Courses<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// The course, if it exists. Does not check permissions.
    async fn course(&self, id: CourseId) -> Result<Course> {
        let sql = format!("SELECT {COLUMNS} FROM ONLY $course");
        let row: Option<CourseRow> = self.backend.store().read(sql, vars! { course: record("course", id) }).await?.row(0)?;
        row.ok_or(Error::NotFound)?.decode(&self.backend.units().tree())
    }

    /// The existing courses among these ids.
    async fn courses(&self, ids: &[String]) -> Result<Vec<Course>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let tree = self.backend.units().tree();
        let records: Vec<_> = ids.iter().map(|id| record("course", id)).collect();
        let sql = format!("SELECT {COLUMNS} FROM $courses");
        let rows: Vec<CourseRow> = self.backend.store().read(sql, vars! { courses: records }).await?.rows(0)?;
        rows.into_iter().map(|row| row.decode(&tree)).collect()
    }

    /// The assigned courses among `ids` that the person may take or manage, in no particular order.
    pub(crate) async fn found(&self, viewer: &Viewer, ids: &[CourseId]) -> Result<Vec<FoundCourse>> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let courses = self.courses(&ids).await?;
        Ok(courses.into_iter().filter_map(|course| course.found(viewer)).collect())
    }

    async fn text(&self, id: CourseId) -> Result<CourseText> {
        let sql = "SELECT description, questions FROM ONLY $text";
        let row: Option<TextRow> = self.backend.store().read(sql, vars! { text: record("course_text", id) }).await?.row(0)?;
        row.ok_or_else(|| Error::Damaged(format!("the course {id} has no text")))?.decode(id)
    }

    /// The course, if the viewer manages it.
    async fn managed(&self, viewer: &Viewer, id: CourseId) -> Result<Course> {
        let course = self.course(id).await?;
        if course.is_managed_by(viewer) {
            Ok(course)
        } else if course.is_visible_to(viewer) {
            Err(Error::NotAllowed)
        } else {
            Err(Error::NotFound)
        }
    }

    /// The documents that the person may read, in the order of the course.
    async fn documents(&self, viewer: &Viewer, course: &Course) -> Result<Vec<DocumentSummary>> {
        let mut found = self.backend.documents().found(viewer, &course.documents).await?;
        found.sort_by_key(|document| course.documents.iter().position(|id| *id == document.id));
        Ok(found)
    }

    /// The member's completions of these courses.
    async fn completions(&self, viewer: &Viewer, courses: &[CourseId]) -> Result<Vec<Completed>> {
        if courses.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = courses.iter().map(|course| pair("course_completion", course, viewer.member)).collect();
        Ok(self.backend.store().read(COMPLETED, vars! { ids: ids }).await?.rows(0)?)
    }
}

/// Reads completions by id.
const COMPLETED: &str = "SELECT course, member, at, unit, serial FROM $ids";

/// The stored row of a completion.
#[derive(Debug, Clone, SurrealValue)]
struct Completed {
    course: String,
    member: String,
    at: DateTime<Utc>,
    unit: String,
    serial: String,
}

impl Completed {
    fn done_on(&self) -> NaiveDate {
        local_date(self.at)
    }
}

/// The columns of [`CourseRow`].
const COLUMNS: &str = "record::id(id) AS id, title, issuer, state, version, saved_at, saved_by, documents, questions, pass_percent, \
                       minutes, tries, audience, parts, except, standings, due_on, shelf";

/// The stored row of a course, without its text.
#[derive(Debug, SurrealValue)]
struct CourseRow {
    id: String,
    title: String,
    issuer: String,
    state: String,
    version: i64,
    saved_at: DateTime<Utc>,
    saved_by: String,
    documents: Vec<String>,
    questions: i64,
    pass_percent: i64,
    minutes: Option<i64>,
    tries: i64,
    audience: Option<String>,
    parts: Option<Vec<String>>,
    except: Option<Vec<String>>,
    standings: Option<Vec<String>>,
    due_on: Option<String>,
    shelf: Option<String>,
}

/// A decoded row of a course.
#[derive(Debug)]
struct Course {
    id: CourseId,
    title: String,
    issuer: UnitRef,
    state: CourseState,
    version: u32,
    saved_at: DateTime<Utc>,
    saved_by: String,
    documents: Vec<DocumentId>,
    questions: u32,
    rules: QuizRules,
    given: Option<Given>,
}

/// The audience and due day of an assigned course.
#[derive(Debug, Clone)]
struct Given {
    audience: Audience,
    due_on: NaiveDate,
}

impl CourseRow {
    fn decode(self, tree: &Tree) -> Result<Course> {
        let damaged = || Error::Damaged(format!("course {}", self.id));
        let count = |number: i64| u32::try_from(number).map_err(|_| damaged());
        let given = match (&self.audience, &self.due_on) {
            (Some(audience), Some(due_on)) => Some(Given {
                audience: crate::documents::audience(
                    tree,
                    audience,
                    self.parts.as_deref(),
                    self.except.as_deref(),
                    self.standings.as_deref(),
                )
                .ok_or_else(damaged)?,
                due_on: due_on.parse().map_err(|_| damaged())?,
            }),
            _ => None,
        };
        Ok(Course {
            id: self.id.parse().map_err(|_| damaged())?,
            issuer: tree.successor_as_named(&self.issuer).ok_or_else(damaged)?,
            state: CourseState::from_key(&self.state).ok_or_else(damaged)?,
            version: count(self.version)?,
            documents: self.documents.iter().map(|id| id.parse().map_err(|_| damaged())).collect::<Result<_>>()?,
            questions: count(self.questions)?,
            rules: QuizRules {
                pass_percent: count(self.pass_percent)?,
                minutes: self.minutes.map(count).transpose()?,
                tries: count(self.tries)?,
            },
            title: self.title,
            saved_at: self.saved_at,
            saved_by: self.saved_by,
            given,
        })
    }
}

impl Course {
    /// Whether the person may write, assign and end it.
    fn is_managed_by(&self, viewer: &Viewer) -> bool {
        viewer.standpoint.may_by_office(Action::ManageCourses, &self.issuer.path)
    }

    /// Whether it is assigned to the person as a member.
    fn reaches(&self, viewer: &Viewer) -> bool {
        self.given.as_ref().is_some_and(|given| given.audience.includes(&viewer.standpoint, Action::TakeCourse))
    }

    /// Whether the person may know of it without having started it: they may take it, or follow the progress of others.
    fn is_visible_to(&self, viewer: &Viewer) -> bool {
        self.reaches(viewer)
            || self.given.as_ref().is_some_and(|given| {
                viewer.standpoint.top_units(Action::ReadStatistics).iter().any(|top_unit| given.audience.touches(top_unit))
            })
    }

    /// The course as a search result. None for a draft, and for a course that the person may neither take nor manage.
    fn found(self, viewer: &Viewer) -> Option<FoundCourse> {
        let is_own = self.reaches(viewer);
        if self.state == CourseState::Draft || !(is_own || self.is_managed_by(viewer)) {
            return None;
        }
        let due_on = self.given?.due_on;
        Some(FoundCourse { id: self.id, title: self.title, issuer: self.issuer, due_on, state: self.state, is_own })
    }

    fn step(&self, step: CourseStep) -> Result<CourseState> {
        self.state.next(step).map_err(|_| Error::NotAllowed)
    }
}

/// The text of a course, which only the pages of one course need.
#[derive(Debug)]
struct CourseText {
    description: String,
    questions: Vec<Question>,
}

#[derive(Debug, SurrealValue)]
struct TextRow {
    description: String,
    questions: Vec<QuestionRow>,
}

/// A stored question.
#[derive(Debug, Clone, SurrealValue)]
pub(crate) struct QuestionRow {
    pub(crate) text: String,
    pub(crate) kind: String,
    pub(crate) options: Vec<OptionRow>,
    pub(crate) explanation: String,
}

#[derive(Debug, Clone, SurrealValue)]
pub(crate) struct OptionRow {
    pub(crate) text: String,
    pub(crate) right: bool,
}

impl TextRow {
    fn decode(self, id: CourseId) -> Result<CourseText> {
        let question = |row: QuestionRow| {
            Ok(Question {
                kind: QuestionKind::from_key(&row.kind).ok_or_else(|| Error::Damaged(format!("the questions of {id}")))?,
                text: row.text,
                options: row.options.into_iter().map(|option| AnswerOption { text: option.text, right: option.right }).collect(),
                explanation: row.explanation,
            })
        };
        let questions = self.questions.into_iter().map(question).collect::<Result<_>>()?;
        Ok(CourseText { description: self.description, questions })
    }
}

impl From<&Question> for QuestionRow {
    fn from(question: &Question) -> Self {
        Self {
            text: question.text.clone(),
            kind: question.kind.key().to_owned(),
            options: question.options.iter().map(|option| OptionRow { text: option.text.clone(), right: option.right }).collect(),
            explanation: question.explanation.clone(),
        }
    }
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn completions_are_point_gets() {
        let store = migrated().await;
        let ids = vec![pair("course_completion", Ulid::nil(), Ulid::nil())];
        store.assert_no_scan(COMPLETED, vars! { ids: ids }).await;
    }
}
