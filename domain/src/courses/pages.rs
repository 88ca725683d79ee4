//! View models of the course pages.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{CourseState, Progress, Question, QuestionKind, QuizRules, Score, Tries};
use crate::{
    documents::{DocumentSummary, desk::PartChoices},
    ids::{CourseId, MemberId},
    members::Standing,
    statistics::{Reach, UnitShare},
    units::UnitRef,
};

/// A course in a member's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseRow {
    pub id: CourseId,
    pub title: String,
    /// The unit that gives the course.
    pub issuer: UnitRef,
    pub due_on: NaiveDate,
    pub progress: Progress,
    pub done_on: Option<NaiveDate>,
    pub tries: Tries,
}

/// A member's courses, to do and done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoursesPage {
    /// Most urgent first; courses without a try left come last.
    pub to_do: Vec<CourseRow>,
    /// Latest first.
    pub done: Vec<CourseRow>,
    /// Whether the viewer manages courses.
    pub gives: bool,
    /// Whether the viewer may see the progress of others.
    pub follows: bool,
}

/// The member's most urgent course, for the first page. One without a try left only when there is no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseReminder {
    pub id: CourseId,
    pub title: String,
    /// Name of the unit that gives the course.
    pub issuer: String,
    pub due_on: NaiveDate,
    pub is_overdue: bool,
    pub tries: Tries,
}

/// The facts of a quiz shown before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuizFacts {
    pub questions: u32,
    pub rules: QuizRules,
    /// `None` when unlimited.
    pub tries_left: Option<u32>,
}

/// A try that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TryRow {
    pub number: u32,
    pub at: DateTime<Utc>,
    pub score: Score,
    pub passed: bool,
}

/// The next step of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextStep {
    /// Some documents have not been opened yet.
    Read {
        missing: u32,
    },
    StartQuiz,
    /// Resume the open try.
    GoOn,
    /// All documents are read and there is no quiz.
    Confirm,
    /// Completed: the certificate is available.
    Certificate,
    /// No try is left.
    Failed,
    /// The course ended before it was completed.
    Ended,
    /// The course is no longer for the member, who was moved to another branch.
    Elsewhere,
}

/// The page of a course for its learners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoursePage {
    pub course: CourseRow,
    /// Sanitised HTML.
    pub html: String,
    /// The documents that are still readable, in reading order.
    pub documents: Vec<DocumentSummary>,
    pub quiz: Option<QuizFacts>,
    /// Latest first.
    pub tries: Vec<TryRow>,
    pub next: NextStep,
}

/// A question without its solution, with the options in the order of this try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedQuestion {
    pub text: String,
    pub kind: QuestionKind,
    pub options: Vec<String>,
    /// The selected options, as indices into `options`.
    pub chosen: Vec<usize>,
}

/// An open try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuizPage {
    pub course: CourseId,
    pub title: String,
    pub number: u32,
    pub rules: QuizRules,
    pub tries_left: Option<u32>,
    pub ends_at: Option<DateTime<Utc>>,
    /// Measured when the page was rendered.
    pub seconds_left: Option<u32>,
    pub saved_at: Option<DateTime<Utc>>,
    pub questions: Vec<AskedQuestion>,
}

/// An option with its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedOption {
    pub text: String,
    pub right: bool,
    pub chosen: bool,
}

/// A question with its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedQuestion {
    pub text: String,
    pub options: Vec<ReviewedOption>,
    pub right: bool,
    pub explanation: String,
}

/// The result of a try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultPage {
    pub course: CourseId,
    pub title: String,
    /// The unit that gives the course.
    pub issuer: UnitRef,
    pub handed_in: TryRow,
    pub rules: QuizRules,
    pub tries: Tries,
    pub tries_left: Option<u32>,
    /// Whether the time limit ended the try: the answers saved until then were marked.
    pub was_ended: bool,
    /// The solutions; only after passing or when no try is left.
    pub review: Vec<ReviewedQuestion>,
    /// What can be done at the course now.
    pub next: NextStep,
}

/// The printed certificate of completion (giấy xác nhận hoàn thành).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub course: CourseId,
    pub name: String,
    /// The branch at the time of completion.
    pub branch: String,
    pub title: String,
    pub issuer: UnitRef,
    pub done_on: NaiveDate,
    pub serial: String,
}

/// One member of the viewer's own branch. Never includes the score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnerRow {
    pub member: MemberId,
    pub name: String,
    pub progress: Progress,
    pub done_on: Option<NaiveDate>,
    pub tries: Tries,
}

/// The form that grants another try to members of a unit who have none left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnotherTry {
    /// Idempotency key, new for each rendered page.
    pub act: String,
    /// When another try was last granted to all of the unit.
    pub given_at: Option<DateTime<Utc>>,
    /// Whether it is granted to selected members, because the viewer sees their names; otherwise to all of them.
    pub by_name: bool,
}

/// Completion of a course by unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletionPage {
    pub course: CourseId,
    pub title: String,
    pub issuer: UnitRef,
    pub state: CourseState,
    pub due_on: NaiveDate,
    /// From the highest unit the viewer may see down to the unit itself.
    pub trail: Vec<UnitRef>,
    pub total: UnitShare,
    pub children: Vec<UnitShare>,
    /// By name, for the leaders of this very branch.
    pub learners: Vec<LearnerRow>,
    /// For managers of the course, while tries can run out.
    pub another_try: Option<AnotherTry>,
}

/// A course in the list of its managers and of those who follow progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskCourse {
    pub id: CourseId,
    pub title: String,
    pub issuer: UnitRef,
    pub audience: Option<UnitRef>,
    /// Limits the audience to these units; empty for all of it.
    pub parts: Vec<UnitRef>,
    /// Units left out of the audience.
    pub except: Vec<UnitRef>,
    pub state: CourseState,
    pub due_on: Option<NaiveDate>,
    pub documents: u32,
    pub questions: u32,
    pub saved_at: DateTime<Utc>,
}

/// The courses of the viewer's units by state, latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseDesk {
    pub unit: UnitRef,
    pub drafts: Vec<DeskCourse>,
    pub assigned: Vec<DeskCourse>,
    pub ended: Vec<DeskCourse>,
}

/// The stored form of a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseDraft {
    pub id: CourseId,
    pub title: String,
    pub description: String,
    pub issuer: UnitRef,
    pub state: CourseState,
    /// Incremented by every save; a save names the version it started from. 0: not stored yet.
    pub version: u32,
    pub saved_at: DateTime<Utc>,
    pub rules: QuizRules,
    /// Set once the course is assigned.
    pub audience: Option<UnitRef>,
    /// Limits the audience to these units; empty for all of it.
    pub parts: Vec<UnitRef>,
    /// Units left out of the audience.
    pub except: Vec<UnitRef>,
    pub due_on: Option<NaiveDate>,
}

/// The page of one course for its managers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseFormPage {
    pub course: CourseDraft,
    /// Units on whose behalf the viewer may give the course.
    pub issuers: Vec<UnitRef>,
    /// Sanitised HTML of the description.
    pub html: String,
    /// In reading order; documents that are no longer readable are left out.
    pub documents: Vec<DocumentSummary>,
    /// Search results; the newest documents when nothing was searched for.
    pub found: Vec<DocumentSummary>,
    pub questions: Vec<Question>,
    /// Idempotency key of a copy, new for each rendered page.
    pub copy: CourseId,
}

/// The form of one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionPage {
    pub course: CourseId,
    pub title: String,
    pub version: u32,
    /// Counted from 1; `None` for a new question.
    pub number: Option<u32>,
    pub question: Question,
}

/// A unit to choose, with its number of members unless it is hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitChoice {
    pub unit: UnitRef,
    pub members: Option<u32>,
}

/// The confirmation page of an assignment: audience and due day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignPage {
    pub course: CourseDraft,
    pub documents: u32,
    pub questions: u32,
    /// From the unit that gives the course down to the chosen one.
    pub trail: Vec<UnitRef>,
    pub chosen: UnitRef,
    /// Of the chosen unit, or of the selected ones below it.
    pub reach: Reach,
    /// Units below the chosen one to limit the assignment to, or to leave out.
    pub parts: PartChoices,
    /// Standings to which it can be restricted.
    pub standings: Vec<Standing>,
    /// Documents that do not reach all members of the chosen unit, or of the selected ones below it.
    pub out_of_reach: Vec<DocumentSummary>,
    /// The units one level below the chosen one, or the search results.
    pub units: Vec<UnitChoice>,
}
