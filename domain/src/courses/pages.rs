//! What the pages of courses show.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{CourseState, Progress, Question, QuestionKind, QuizRules, Score, Tries};
use crate::{
    documents::DocumentSummary,
    ids::{CourseId, MemberId},
    members::Standing,
    statistics::UnitShare,
    units::UnitRef,
};

/// A course in a member's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseRow {
    pub id: CourseId,
    pub title: String,
    /// The unit that gives it.
    pub issuer: UnitRef,
    pub due_on: NaiveDate,
    pub progress: Progress,
    pub done_on: Option<NaiveDate>,
    pub tries: Tries,
}

/// What a member has to study and has studied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoursesPage {
    /// The most urgent first; those without a try left come last.
    pub to_do: Vec<CourseRow>,
    /// The latest first.
    pub done: Vec<CourseRow>,
    /// Whether the reader gives courses.
    pub gives: bool,
    /// Whether the reader sees how far others are.
    pub follows: bool,
}

/// The most urgent course somebody has to do, for the first page. One without a try left only when there is no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseReminder {
    pub id: CourseId,
    pub title: String,
    /// Name of the unit that gives it.
    pub issuer: String,
    pub due_on: NaiveDate,
    pub is_overdue: bool,
    pub tries: Tries,
}

/// What is told of a quiz before it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuizFacts {
    pub questions: u32,
    pub rules: QuizRules,
    /// None: any number.
    pub tries_left: Option<u32>,
}

/// A try somebody has handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TryRow {
    pub number: u32,
    pub at: DateTime<Utc>,
    pub score: Score,
    pub passed: bool,
}

/// What a member can do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextStep {
    /// Some documents were not opened yet.
    Read {
        missing: u32,
    },
    StartQuiz,
    /// A try is open.
    GoOn,
    /// All is read, there is no quiz.
    Confirm,
    /// Done: there is a certificate.
    Certificate,
    /// No try is left.
    Failed,
    /// The course has ended before it was done.
    Ended,
    /// It is not for the member any more, who was posted elsewhere.
    Elsewhere,
}

/// One course as its learners see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoursePage {
    pub course: CourseRow,
    /// Sanitised HTML.
    pub html: String,
    /// Those that can still be read, in the order to read them.
    pub documents: Vec<DocumentSummary>,
    pub quiz: Option<QuizFacts>,
    /// The latest first.
    pub tries: Vec<TryRow>,
    pub next: NextStep,
}

/// A question without a word of what is right, its options in the order of this try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedQuestion {
    pub text: String,
    pub kind: QuestionKind,
    pub options: Vec<String>,
    /// What was ticked so far, by place in `options`.
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
    /// Until then, when the page was made.
    pub seconds_left: Option<u32>,
    pub saved_at: Option<DateTime<Utc>>,
    pub questions: Vec<AskedQuestion>,
}

/// An option afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedOption {
    pub text: String,
    pub right: bool,
    pub chosen: bool,
}

/// A question afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedQuestion {
    pub text: String,
    pub options: Vec<ReviewedOption>,
    pub right: bool,
    pub explanation: String,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultPage {
    pub course: CourseId,
    pub title: String,
    /// The unit that gives it.
    pub issuer: UnitRef,
    pub handed_in: TryRow,
    pub rules: QuizRules,
    pub tries: Tries,
    pub tries_left: Option<u32>,
    /// Whether time was over before it was handed in: what was saved until then was marked.
    pub was_ended: bool,
    /// What is right: only for who has passed or has no try left.
    pub review: Vec<ReviewedQuestion>,
}

/// What is printed for who has completed a course (giấy xác nhận hoàn thành).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub course: CourseId,
    pub name: String,
    /// The branch of that time.
    pub branch: String,
    pub title: String,
    pub issuer: UnitRef,
    pub done_on: NaiveDate,
    pub serial: String,
}

/// One member of the own branch. Never the score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnerRow {
    pub member: MemberId,
    pub name: String,
    pub progress: Progress,
    pub done_on: Option<NaiveDate>,
    pub tries: Tries,
}

/// What who gives a course is asked before another try is given to those of a unit who have none left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnotherTry {
    /// Made anew for each page shown: an act sent twice is one.
    pub act: String,
    /// When it was given last to all of the unit.
    pub given_at: Option<DateTime<Utc>>,
    /// Whether it is given to chosen people, because the viewer sees their names; otherwise to all of them.
    pub by_name: bool,
}

/// How far the units have come with a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletionPage {
    pub course: CourseId,
    pub title: String,
    pub issuer: UnitRef,
    pub state: CourseState,
    pub due_on: NaiveDate,
    /// From the highest unit the viewer may look at down to the unit itself.
    pub trail: Vec<UnitRef>,
    pub total: UnitShare,
    pub children: Vec<UnitShare>,
    /// Names, for who leads this very branch.
    pub learners: Vec<LearnerRow>,
    /// For who gives the course, while tries can run out.
    pub another_try: Option<AnotherTry>,
}

/// A course of those who give it, or follow how far others are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskCourse {
    pub id: CourseId,
    pub title: String,
    pub issuer: UnitRef,
    pub audience: Option<UnitRef>,
    pub state: CourseState,
    pub due_on: Option<NaiveDate>,
    pub documents: u32,
    pub questions: u32,
    pub saved_at: DateTime<Utc>,
}

/// The courses of the own units by state, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseDesk {
    pub unit: UnitRef,
    pub drafts: Vec<DeskCourse>,
    pub assigned: Vec<DeskCourse>,
    pub ended: Vec<DeskCourse>,
}

/// A course as its form holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseDraft {
    pub id: CourseId,
    pub title: String,
    pub description: String,
    pub issuer: UnitRef,
    pub state: CourseState,
    /// Grows with every save; a save names the version it started from. 0: not stored yet.
    pub version: u32,
    pub saved_at: DateTime<Utc>,
    pub rules: QuizRules,
    /// Once it is assigned.
    pub audience: Option<UnitRef>,
    pub due_on: Option<NaiveDate>,
}

/// The page of one course for those who give it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseFormPage {
    pub course: CourseDraft,
    /// Units in whose name the viewer may give it.
    pub issuers: Vec<UnitRef>,
    /// Sanitised HTML of the description.
    pub html: String,
    /// In the order to read them; those that cannot be read any more are left out.
    pub documents: Vec<DocumentSummary>,
    /// What a search for more has found; the newest when nothing was asked.
    pub found: Vec<DocumentSummary>,
    pub questions: Vec<Question>,
    /// Made anew for each page shown: a copy asked for twice is one.
    pub copy: CourseId,
}

/// The form of one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionPage {
    pub course: CourseId,
    pub title: String,
    pub version: u32,
    /// Counted from 1; none for a new one.
    pub number: Option<u32>,
    pub question: Question,
}

/// A unit to choose, with those it would reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitChoice {
    pub unit: UnitRef,
    pub members: u32,
}

/// How many of a unit's members have a standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingCount {
    pub standing: Standing,
    pub members: u32,
}

/// The question before a course goes out: to whom, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignPage {
    pub course: CourseDraft,
    pub documents: u32,
    pub questions: u32,
    /// From the unit that gives it down to the chosen one.
    pub trail: Vec<UnitRef>,
    pub chosen: UnitRef,
    pub members: u32,
    pub branches: u32,
    pub standings: Vec<StandingCount>,
    /// Documents that do not reach all of the chosen unit.
    pub out_of_reach: Vec<DocumentSummary>,
    /// One level below the chosen one, or what was found by name.
    pub units: Vec<UnitChoice>,
}
