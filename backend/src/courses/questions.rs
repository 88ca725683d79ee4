//! Editing the quiz of a course: single questions, their order, the rules of a try.

use domain::{
    accounts::Viewer,
    courses::{AnswerOption, Arrangement, CourseStep, MAX_QUESTIONS, Question, QuestionKind, QuestionPage, QuizRules},
    forms::{FormReader, Problem},
    ids::CourseId,
};

use super::{Course, Courses, QuestionRow, count, desk::stale};
use crate::{
    Error, Result,
    store::{StoreError, vars},
};

/// The form of a question, as typed.
#[derive(Debug, Clone, Copy)]
pub struct QuestionForm<'f> {
    pub course: &'f str,
    pub version: &'f str,
    /// Number of the question, from 1; empty for a new one.
    pub number: &'f str,
    pub text: &'f str,
    pub kind: &'f str,
    /// The texts of the options with their numbers, from 1.
    pub options: &'f [(usize, &'f str)],
    /// Numbers of the options marked as correct.
    pub right: &'f [usize],
    pub explanation: &'f str,
}

/// The form of the rules, as typed.
#[derive(Debug, Clone, Copy)]
pub struct RulesForm<'f> {
    pub course: &'f str,
    pub version: &'f str,
    pub pass_percent: &'f str,
    pub minutes: &'f str,
    pub tries: &'f str,
}

impl Courses<'_> {
    /// The form of an existing or new question.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person may not know of the course or the question does not exist, [`Error::NotAllowed`] for a
    /// person who may only take the course, and for an assigned course.
    pub async fn question(&self, viewer: &Viewer, id: CourseId, number: Option<u32>) -> Result<QuestionPage> {
        let course = self.managed(viewer, id).await?;
        course.step(CourseStep::Edit)?;
        let question = match number {
            Some(number) => {
                let mut questions = self.text(id).await?.questions;
                let at = question_index(number, questions.len()).ok_or(Error::NotFound)?;
                questions.swap_remove(at)
            }
            None => {
                let options = vec![AnswerOption { text: String::new(), right: false }; 4];
                Question { text: String::new(), kind: QuestionKind::Single, options, explanation: String::new() }
            }
        };
        Ok(QuestionPage { course: id, title: course.title, version: course.version, number, question })
    }

    /// Stores a question: replaces the one with this number, or appends it.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `question` as described at [`Question::read`]; on `text` [`Problem::Stale`] when the course
    /// was changed concurrently, [`Problem::TooLong`] when there are too many. Otherwise as [`Self::question`].
    pub async fn save_question(&self, viewer: &Viewer, form: QuestionForm<'_>) -> Result<CourseId> {
        let (course, version) = self.editable(viewer, form.course, form.version).await?;
        let mut reader = FormReader::new("question");
        let read = Question::read(&mut reader, form.text, form.kind, form.options, form.right, form.explanation);
        let Some(question) = read else { return Err(reader.finish().err().unwrap_or_default().into()) };
        let mut questions = self.text(course.id).await?.questions;
        if form.number.is_empty() {
            // The request was repeated.
            if course.version == version + 1 && questions.last() == Some(&question) {
                return Ok(course.id);
            }
            if questions.len() >= MAX_QUESTIONS {
                return Err(reader.refused("text", Problem::TooLong { max: count(MAX_QUESTIONS) }).into());
            }
            questions.push(question);
        } else {
            let number = form.number.parse().map_err(|_| Error::NotFound)?;
            let at = question_index(number, questions.len()).ok_or(Error::NotFound)?;
            if course.version == version + 1 && questions[at] == question {
                return Ok(course.id);
            }
            questions[at] = question;
        }
        self.store_questions(viewer, &course, version, &questions).await.map_err(|error| stale(error, reader, "text"))
    }

    /// Moves a question up or down, or removes it.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `questions`: [`Problem::Stale`] on `number` when the course was changed concurrently.
    /// Otherwise as [`Self::question`].
    pub async fn arrange_question(&self, viewer: &Viewer, id: &str, version: &str, number: &str, step: &str) -> Result<CourseId> {
        let (course, version) = self.editable(viewer, id, version).await?;
        let step = Arrangement::from_key(step).filter(|step| *step != Arrangement::Add).ok_or(Error::NotFound)?;
        let mut questions = self.text(course.id).await?.questions;
        let reader = FormReader::new("questions");
        let number: u32 = number.parse().map_err(|_| Error::NotFound)?;
        let Some(at) = question_index(number, questions.len()) else {
            return Err(reader.refused("number", Problem::Stale).into());
        };
        step.apply(&mut questions, at);
        self.store_questions(viewer, &course, version, &questions).await.map_err(|error| stale(error, reader, "number"))
    }

    /// Stores pass mark, time limit and number of tries.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `rules` as described at [`QuizRules::read`], [`Problem::Stale`] on `pass_percent` when the
    /// course was changed concurrently. Otherwise as [`Self::question`].
    pub async fn save_rules(&self, viewer: &Viewer, form: RulesForm<'_>) -> Result<CourseId> {
        let (course, version) = self.editable(viewer, form.course, form.version).await?;
        let mut reader = FormReader::new("rules");
        let Some(rules) = QuizRules::read(&mut reader, form.pass_percent, form.minutes, form.tries) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        if course.version == version + 1 && course.rules == rules {
            return Ok(course.id);
        }
        let values = vars! {
            pass_percent: i64::from(rules.pass_percent),
            minutes: rules.minutes.map(i64::from),
            tries: i64::from(rules.tries),
        };
        self.edit(viewer, &course, version, "pass_percent = $pass_percent, minutes = $minutes, tries = $tries", "", values)
            .await
            .map_err(|error| stale(error, reader, "pass_percent"))
    }

    async fn editable(&self, viewer: &Viewer, id: &str, version: &str) -> Result<(Course, u32)> {
        let id: CourseId = id.parse().map_err(|_| Error::NotFound)?;
        let version: u32 = version.parse().map_err(|_| Error::NotFound)?;
        let course = self.managed(viewer, id).await?;
        course.step(CourseStep::Edit)?;
        Ok((course, version))
    }

    async fn store_questions(
        &self,
        viewer: &Viewer,
        course: &Course,
        version: u32,
        questions: &[Question],
    ) -> Result<CourseId, StoreError> {
        let values = vars! {
            count: i64::from(count(questions.len())),
            questions: questions.iter().map(QuestionRow::from).collect::<Vec<_>>(),
        };
        let text = "UPDATE $text SET questions = $questions RETURN NONE;";
        self.edit(viewer, course, version, "questions = $count", text, values).await
    }
}

/// The index of the question with this number, counted from 1. None if there are fewer questions.
fn question_index(number: u32, questions: usize) -> Option<usize> {
    let at = usize::try_from(number).ok()?.checked_sub(1)?;
    (at < questions).then_some(at)
}
