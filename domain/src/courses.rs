//! Courses (khóa học, chuyên đề học tập): documents to read, with an optional quiz, assigned to a subtree with a due day.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};
use ulid::Ulid;

use crate::forms::{Problem, bounded_text};

mod pages;
mod quiz;

pub use pages::{
    AnotherTry, AskedQuestion, AssignPage, Certificate, CompletionPage, CourseDesk, CourseDraft, CourseFormPage, CoursePage,
    CourseReminder, CourseRow, CoursesPage, DeskCourse, LearnerRow, NextStep, QuestionPage, QuizFacts, QuizPage, ResultPage,
    ReviewedOption, ReviewedQuestion, TryRow, UnitChoice,
};
pub use quiz::{AnswerOption, GRACE, LastTry, Question, QuestionKind, QuizRules, Score, Tries, score, shuffled};

/// State of a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CourseState {
    /// Bản thảo: visible to its authors only.
    Draft,
    /// Đã giao: open to its audience.
    Assigned,
    /// Đã kết thúc: cannot be started any more; members who completed it keep the certificate.
    Ended,
}

crate::keyed!(CourseState);

/// A transition made by a course manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CourseStep {
    Edit,
    Assign,
    End,
}

/// The step is not allowed in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a course that is {from:?} cannot take the step {step:?}")]
pub struct CourseStepRefused {
    pub from: CourseState,
    pub step: CourseStep,
}

impl CourseState {
    /// # Errors
    /// [`CourseStepRefused`] when the step is not allowed in this state. An assigned course is not edited, so that everybody gets
    /// the same questions; it can be copied.
    pub const fn next(self, step: CourseStep) -> Result<Self, CourseStepRefused> {
        match (self, step) {
            (Self::Draft, CourseStep::Edit) => Ok(Self::Draft),
            (Self::Draft, CourseStep::Assign) => Ok(Self::Assigned),
            (Self::Assigned, CourseStep::End) => Ok(Self::Ended),
            (from, step) => Err(CourseStepRefused { from, step }),
        }
    }
}

/// The progress of one member, as others may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Chưa hoàn thành.
    ToDo,
    /// Quá hạn: past the due day, still possible to complete.
    Overdue,
    /// Đã hoàn thành.
    Done,
    /// Hoàn thành muộn.
    DoneLate,
}

impl Progress {
    /// From the day of completion, if any.
    pub fn of(done_on: Option<NaiveDate>, due_on: NaiveDate, today: NaiveDate) -> Self {
        match done_on {
            Some(day) if day <= due_on => Self::Done,
            Some(_) => Self::DoneLate,
            None if today <= due_on => Self::ToDo,
            None => Self::Overdue,
        }
    }

    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done | Self::DoneLate)
    }
}

/// The description of a course in Markdown, at most 20,000 characters. May be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description(String);

impl Description {
    pub const MAX: u32 = 20_000;

    /// # Errors
    /// [`Problem::TooLong`], [`Problem::Characters`] as [`bounded_text`].
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        match bounded_text(typed, Self::MAX) {
            Ok(text) => Ok(Self(text)),
            Err(Problem::Required) => Ok(Self::default()),
            Err(problem) => Err(problem),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Maximum documents of a course.
pub const MAX_DOCUMENTS: usize = 50;

/// Maximum questions of a quiz.
pub const MAX_QUESTIONS: usize = 50;

/// Number of a certificate (số giấy xác nhận), e.g. `2026-K7QD-M2XA`: the year and eight characters that are easy to read out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serial(String);

impl Serial {
    /// Derives the number from the day of completion and the id of the completion.
    pub fn new(done_on: NaiveDate, id: Ulid) -> Self {
        let id = id.to_string();
        Self(format!("{}-{}-{}", done_on.year(), &id[18..22], &id[22..]))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An edit of the list of documents or of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Arrangement {
    /// Moves the item to the end.
    Add,
    Up,
    Down,
    Remove,
}

crate::keyed!(Arrangement);

impl Arrangement {
    /// Applies the edit to the item at `at`. Moves beyond an end have no effect.
    pub fn apply<T>(self, items: &mut Vec<T>, at: usize) {
        match self {
            Self::Up if at > 0 && at < items.len() => items.swap(at, at - 1),
            Self::Down if at + 1 < items.len() => items.swap(at, at + 1),
            Self::Remove if at < items.len() => {
                items.remove(at);
            }
            _ => {}
        }
    }
}

/// When the time limit of a try ends.
pub fn ends_at(started_at: DateTime<Utc>, rules: QuizRules) -> Option<DateTime<Utc>> {
    rules.minutes.map(|minutes| started_at + chrono::TimeDelta::minutes(minutes.into()))
}

/// Whether answers that arrive at `at` still count.
pub fn is_in_time(ends_at: Option<DateTime<Utc>>, at: DateTime<Utc>) -> bool {
    ends_at.is_none_or(|end| at <= end + GRACE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_goes_forward_only() {
        use CourseState::{Assigned, Draft, Ended};
        use CourseStep::{Assign, Edit, End};
        let table = [
            (Draft, Edit, Some(Draft)),
            (Draft, Assign, Some(Assigned)),
            (Draft, End, None),
            (Assigned, Edit, None),
            (Assigned, Assign, None),
            (Assigned, End, Some(Ended)),
            (Ended, Edit, None),
            (Ended, Assign, None),
            (Ended, End, None),
        ];
        for (from, step, to) in table {
            assert_eq!(from.next(step).ok(), to, "{from:?} {step:?}");
        }
    }

    #[test]
    fn the_due_day_itself_is_in_time() {
        let day = |day| NaiveDate::from_ymd_opt(2026, 11, day).expect("a day");
        let due = day(20);
        for (done, today, expected) in [
            (None, 20, Progress::ToDo),
            (None, 21, Progress::Overdue),
            (Some(20), 25, Progress::Done),
            (Some(21), 25, Progress::DoneLate),
        ] {
            assert_eq!(Progress::of(done.map(day), due, day(today)), expected, "{done:?} {today}");
        }
    }

    #[test]
    fn the_time_limit_has_a_grace_period() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a moment");
        let rules = QuizRules { minutes: Some(10), ..QuizRules::default() };
        let end = ends_at(at("2026-11-21T08:00:00Z"), rules);
        assert_eq!(end, Some(at("2026-11-21T08:10:00Z")));
        assert!(is_in_time(end, at("2026-11-21T08:10:10Z")));
        assert!(!is_in_time(end, at("2026-11-21T08:10:11Z")));
        assert!(is_in_time(ends_at(at("2026-11-21T08:00:00Z"), QuizRules::default()), at("2027-11-21T08:00:00Z")));
    }

    #[test]
    fn a_description_may_be_empty_but_is_bounded() {
        assert_eq!(Description::parse("  ").map(|text| text.as_str().to_owned()), Ok(String::new()));
        assert_eq!(Description::parse(&"a".repeat(20_001)), Err(Problem::TooLong { max: 20_000 }));
    }

    #[test]
    fn a_step_beyond_an_end_changes_nothing() {
        let arranged = |step: Arrangement, at| {
            let mut items = vec!['a', 'b', 'c'];
            step.apply(&mut items, at);
            items.into_iter().collect::<String>()
        };
        assert_eq!(arranged(Arrangement::Up, 2), "acb");
        assert_eq!(arranged(Arrangement::Down, 0), "bac");
        assert_eq!(arranged(Arrangement::Remove, 1), "ac");
        for (step, at) in [(Arrangement::Up, 0), (Arrangement::Down, 2), (Arrangement::Remove, 3), (Arrangement::Up, 9)] {
            assert_eq!(arranged(step, at), "abc", "{step:?} {at}");
        }
    }

    #[test]
    fn a_serial_is_the_year_and_eight_characters() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day");
        let serial = Serial::new(day, Ulid::from_parts(1_700_000_000_000, 42));
        assert_eq!(serial.as_str(), "2026-0000-001A");
    }
}
