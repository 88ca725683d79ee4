//! Taking a quiz: one try at a time, within its time limit, handed in once.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{
    accounts::Viewer,
    courses::{
        AskedQuestion, LastTry, NextStep, Question, QuizPage, ResultPage, ReviewedOption, ReviewedQuestion, Score, Tries, TryRow,
        ends_at, is_in_time, score, shuffled,
    },
    events::EventBody,
    ids::{CourseId, MemberId},
};

use super::{
    Course, Courses, count,
    learn::{COMPLETION, LearnerCourse, next_step},
};
use crate::{
    Error, Result,
    change::Change,
    store::{RecordId, StoreError, SurrealValue, Variables, pair, vars},
};

/// Most tries of a member at one course that are read, the latest first.
const TRIES: usize = 100;

/// The selected options, as received: positions in the displayed order, by the position of the question.
pub type Ticked = BTreeMap<String, Vec<String>>;

/// The outcome of received answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrived {
    /// They are stored; the try is still open.
    Kept,
    /// The try has ended: it was handed in or its time has expired.
    Ended,
}

/// The stored row of a try.
#[derive(Debug, Clone, SurrealValue)]
pub(super) struct Attempt {
    number: i64,
    seed: i64,
    started_at: DateTime<Utc>,
    ends_at: Option<DateTime<Utc>>,
    answers: Vec<Vec<i64>>,
    saved_at: Option<DateTime<Utc>>,
    handed_in_at: Option<DateTime<Utc>>,
    right: Option<i64>,
    total: Option<i64>,
    passed: Option<bool>,
}

impl Attempt {
    pub(super) const fn is_open(&self) -> bool {
        self.handed_in_at.is_none()
    }

    /// The result of the try for its member; none while it is open.
    pub(super) fn finished_row(&self) -> Option<TryRow> {
        let number = |number: Option<i64>| u32::try_from(number.unwrap_or_default()).unwrap_or_default();
        Some(TryRow {
            number: self.number(),
            at: self.handed_in_at?,
            score: Score { right: number(self.right), total: number(self.total) },
            passed: self.passed.unwrap_or_default(),
        })
    }

    pub(super) fn last(&self) -> LastTry {
        LastTry { number: self.number(), started_at: self.started_at, handed_in_at: self.handed_in_at }
    }

    fn number(&self) -> u32 {
        u32::try_from(self.number).unwrap_or_default()
    }

    /// The position in the question of each option, in the displayed order.
    fn order(&self, question: &Question, at: usize) -> Vec<usize> {
        shuffled(question.options.len(), self.seed.cast_unsigned(), at)
    }

    fn answers(&self) -> Vec<Vec<usize>> {
        self.answers.iter().map(|chosen| chosen.iter().filter_map(|at| usize::try_from(*at).ok()).collect()).collect()
    }

    /// The selected options by position in the question. Unknown positions are skipped.
    fn parse_answers(&self, questions: &[Question], ticked: &Ticked) -> Vec<Vec<usize>> {
        let chosen = |(at, question): (usize, &Question)| {
            let order = self.order(question, at);
            let shown = ticked.get(&at.to_string()).into_iter().flatten().filter_map(|place| place.parse::<usize>().ok());
            let mut chosen: Vec<usize> = shown.filter_map(|place| order.get(place).copied()).collect();
            chosen.sort_unstable();
            chosen.dedup();
            chosen
        };
        questions.iter().enumerate().map(chosen).collect()
    }
}

impl Courses<'_> {
    /// Starts a try, or continues the open one. Idempotent.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAllowed`] as [`Self::read`]; [`Error::NotAllowed`] also when documents must be read
    /// first, no try is left, the quiz is passed, or the course has ended or is no longer assigned to them.
    pub async fn start(&self, viewer: &Viewer, id: CourseId) -> Result<()> {
        let studied = self.studied(viewer, id).await?;
        let documents = self.documents(viewer, &studied.course).await?;
        match next_step(viewer, &studied, &documents) {
            NextStep::GoOn => return Ok(()),
            NextStep::StartQuiz => {}
            _ => return Err(Error::NotAllowed),
        }
        let LearnerCourse { course, attempts, .. } = studied;
        let clock = self.backend.clock();
        let now = clock.now();
        let number = attempts.first().map_or(0, Attempt::number) + 1;
        let mut seed = [0; 8];
        clock.fill(&mut seed);
        let vars = vars! {
            attempt: attempt_id(viewer.member, id, number),
            member: viewer.member.to_string(),
            course: id.to_string(),
            number: i64::from(number),
            seed: i64::from_be_bytes(seed),
            now: now,
            ends_at: ends_at(now, course.rules),
        };
        match self.backend.transact(Change::new(START, vars)).await {
            // The request was repeated.
            Ok(_) | Err(StoreError::Exists) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The open try, if there is one.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAllowed`] as [`Self::read`].
    pub async fn quiz(&self, viewer: &Viewer, id: CourseId) -> Result<Option<QuizPage>> {
        let LearnerCourse { course, attempts, .. } = self.studied(viewer, id).await?;
        let Some(open) = attempts.iter().find(|attempt| attempt.is_open()) else { return Ok(None) };
        let questions = self.text(id).await?.questions;
        let answers = open.answers();
        let asked = |(at, question): (usize, &Question)| {
            let order = open.order(question, at);
            let chosen = answers.get(at).map_or(&[][..], Vec::as_slice);
            AskedQuestion {
                text: question.text.clone(),
                kind: question.kind,
                options: order.iter().map(|place| question.options[*place].text.clone()).collect(),
                chosen: (0..order.len()).filter(|shown| chosen.contains(&order[*shown])).collect(),
            }
        };
        let now = self.backend.clock().now();
        Ok(Some(QuizPage {
            course: id,
            title: course.title,
            number: open.number(),
            rules: course.rules,
            tries_left: course.rules.tries_left(count(attempts.len())),
            ends_at: open.ends_at,
            seconds_left: open.ends_at.map(|end| u32::try_from((end - now).num_seconds()).unwrap_or_default()),
            saved_at: open.saved_at,
            questions: questions.iter().enumerate().map(asked).collect(),
        }))
    }

    /// Stores the answers so far, or hands the try in. Answers received after the time limit are ignored, and the try ends with
    /// the answers stored before.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person has no such try.
    pub async fn answer(&self, viewer: &Viewer, id: CourseId, number: u32, ticked: &Ticked, hands_in: bool) -> Result<Arrived> {
        let course = self.course(id).await?;
        let tries = self.tries(viewer, id).await?;
        let attempt = tries.iter().find(|attempt| attempt.number() == number).ok_or(Error::NotFound)?;
        if !attempt.is_open() || self.end_late_try(viewer, &course, &tries).await? {
            return Ok(Arrived::Ended);
        }
        let questions = self.text(id).await?.questions;
        let answers = attempt.parse_answers(&questions, ticked);
        let now = self.backend.clock().now();
        if hands_in {
            self.hand_in(viewer, &course, attempt, &questions, &answers, now).await?;
            return Ok(Arrived::Ended);
        }
        let vars = vars! { attempt: attempt_id(viewer.member, id, number), answers: stored(&answers), now: now };
        self.backend.transact(Change::new(KEEP, vars)).await?;
        Ok(Arrived::Kept)
    }

    /// The result of a try.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the person has no such try, or it is still open.
    pub async fn result(&self, viewer: &Viewer, id: CourseId, number: u32) -> Result<ResultPage> {
        let studied = self.studied(viewer, id).await?;
        let attempt = studied.attempts.iter().find(|attempt| attempt.number() == number).ok_or(Error::NotFound)?;
        let handed_in = attempt.finished_row().ok_or(Error::NotFound)?;
        let is_over = studied.completed.is_some() || studied.tries == Tries::UsedUp;
        let review = if is_over { review(&self.text(id).await?.questions, attempt) } else { Vec::new() };
        let was_ended = attempt.ends_at == Some(handed_in.at);
        let tries_left = studied.tries_left();
        let documents = self.documents(viewer, &studied.course).await?;
        let next = next_step(viewer, &studied, &documents);
        let LearnerCourse { course, tries, .. } = studied;
        Ok(ResultPage {
            course: id,
            title: course.title,
            issuer: course.issuer,
            was_ended,
            handed_in,
            rules: course.rules,
            tries,
            tries_left,
            review,
            next,
        })
    }

    /// The member's tries, the latest first.
    pub(super) async fn tries(&self, viewer: &Viewer, id: CourseId) -> Result<Vec<Attempt>> {
        let vars = vars! { member: viewer.member.to_string(), course: id.to_string() };
        Ok(self.backend.store().read(own_tries(), vars).await?.rows(0)?)
    }

    /// The last try of each pair of member and course, if there is one, in the order of `asked`.
    pub(super) async fn last_tries(&self, asked: &[(MemberId, CourseId)]) -> Result<Vec<Option<Attempt>>> {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let (sql, vars) = last_tries(asked);
        let mut answers = self.backend.store().read(sql, vars).await?;
        (0..asked.len()).map(|at| Ok(answers.rows(at)?.into_iter().next())).collect()
    }

    /// Hands in an expired try with the answers stored so far. Returns whether there was one.
    pub(super) async fn end_late_try(&self, viewer: &Viewer, course: &Course, tries: &[Attempt]) -> Result<bool> {
        let now = self.backend.clock().now();
        let late = tries.iter().find(|attempt| attempt.is_open() && !is_in_time(attempt.ends_at, now));
        let Some((attempt, end)) = late.and_then(|attempt| attempt.ends_at.map(|end| (attempt, end))) else { return Ok(false) };
        let questions = self.text(course.id).await?.questions;
        self.hand_in(viewer, course, attempt, &questions, &attempt.answers(), end).await?;
        Ok(true)
    }

    /// Marks the try, once. Passing completes the course, since all documents were read before the try started.
    async fn hand_in(
        &self,
        viewer: &Viewer,
        course: &Course,
        attempt: &Attempt,
        questions: &[Question],
        answers: &[Vec<usize>],
        at: DateTime<Utc>,
    ) -> Result<()> {
        let score = score(questions, answers);
        let passed = score.passes(course.rules.pass_percent);
        let clock = self.backend.clock();
        let mut vars = self.completion(viewer, course.id);
        vars.extend(vars! {
            attempt: attempt_id(viewer.member, course.id, attempt.number()),
            answers: stored(answers),
            done_at: at,
            right: i64::from(score.right),
            total: i64::from(score.total),
            passed: passed,
        });
        let (actor, branch) = (Some(viewer.member), &viewer.standpoint.branch);
        let mut change = Change::new(HAND_IN, vars);
        if passed {
            let completed = EventBody::CourseCompleted(course.id);
            change = change.then(&complete()).event_if("$completed = NONE", clock, actor, branch, completed);
        }
        let change = change.event(clock, actor, branch, EventBody::QuizTaken(course.id));
        match self.backend.transact(change).await {
            // Thrown when the try was already marked.
            Ok(_) | Err(StoreError::Thrown(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

const START: &str = "CREATE $attempt SET member = $member, course = $course, number = $number, seed = $seed, started_at = $now, \
                     ends_at = $ends_at, answers = [] RETURN NONE;";

/// Stores answers, unless the try was handed in.
const KEEP: &str = "UPDATE $attempt SET answers = $answers, saved_at = $now WHERE handed_in_at = NONE RETURN NONE;";

const HAND_IN: &str = "IF (SELECT VALUE handed_in_at FROM ONLY $attempt) != NONE { THROW 'handed in' }; \
     UPDATE $attempt SET answers = $answers, handed_in_at = $done_at, right = $right, total = $total, passed = $passed RETURN NONE;";

/// Creates the completion unless it exists; sets `$completed`. It has an event of its own, in addition to that of the try.
fn complete() -> String {
    format!(
        "LET $completed = (SELECT VALUE id FROM ONLY $completion); \
         IF $completed = NONE {{ CREATE $completion SET {COMPLETION} RETURN NONE }};"
    )
}

/// The columns of [`Attempt`].
const ATTEMPT: &str = "number, seed, started_at, ends_at, answers, saved_at, handed_in_at, right, total, passed";

fn own_tries() -> String {
    format!("SELECT {ATTEMPT} FROM course_try WHERE member = $member AND course = $course ORDER BY number DESC LIMIT {TRIES}")
}

fn last_tries(asked: &[(MemberId, CourseId)]) -> (String, Variables) {
    let (mut sql, mut vars) = (String::new(), vars! {});
    for (at, (member, course)) in asked.iter().enumerate() {
        sql += &format!(
            "SELECT {ATTEMPT} FROM course_try WHERE member = $member_{at} AND course = $course_{at} ORDER BY number DESC LIMIT 1;"
        );
        vars.insert(format!("member_{at}"), member.to_string());
        vars.insert(format!("course_{at}"), course.to_string());
    }
    (sql, vars)
}

fn attempt_id(member: MemberId, course: CourseId, number: u32) -> RecordId {
    pair("course_try", member, format!("{course}.{number}"))
}

fn stored(answers: &[Vec<usize>]) -> Vec<Vec<i64>> {
    answers.iter().map(|chosen| chosen.iter().filter_map(|at| i64::try_from(*at).ok()).collect()).collect()
}

/// The questions with the correct answers, in the displayed order.
fn review(questions: &[Question], attempt: &Attempt) -> Vec<ReviewedQuestion> {
    let answers = attempt.answers();
    let reviewed = |(at, question): (usize, &Question)| {
        let chosen = answers.get(at).map_or(&[][..], Vec::as_slice);
        let option = |place: usize| ReviewedOption {
            text: question.options[place].text.clone(),
            right: question.options[place].right,
            chosen: chosen.contains(&place),
        };
        ReviewedQuestion {
            text: question.text.clone(),
            options: attempt.order(question, at).into_iter().map(option).collect(),
            right: question.is_answered_by(chosen),
            explanation: question.explanation.clone(),
        }
    };
    questions.iter().enumerate().map(reviewed).collect()
}

/// Moves the tries, completions and granted tries of the member `$key` to `$kept` when the records are merged. On a conflict the
/// row of the kept record remains.
pub(crate) const INHERIT: &str = "\
     LET $kept_path = (SELECT VALUE path FROM ONLY $kept); \
     LET $completions = (SELECT * FROM course_completion WHERE member = $key); \
     FOR $row IN $completions { \
         LET $new = type::record('course_completion', [$row.course, $kept_key]); \
         IF (SELECT VALUE id FROM ONLY $new) = NONE { CREATE $new SET course = $row.course, member = $kept_key, unit = $row.unit, \
             path = $kept_path, counted = $row.counted, at = $row.at, serial = $row.serial RETURN NONE }; \
         DELETE $row.id RETURN NONE \
     }; \
     LET $attempts = (SELECT * FROM course_try WHERE member = $key); \
     FOR $row IN $attempts { \
         LET $new = type::record('course_try', [$kept_key, $row.course + '.' + <string>$row.number]); \
         IF (SELECT VALUE id FROM ONLY $new) = NONE { CREATE $new SET member = $kept_key, course = $row.course, number = $row.number, \
             seed = $row.seed, started_at = $row.started_at, ends_at = $row.ends_at, answers = $row.answers, saved_at = $row.saved_at, \
             handed_in_at = $row.handed_in_at, right = $row.right, total = $row.total, passed = $row.passed RETURN NONE }; \
         DELETE $row.id RETURN NONE \
     }; \
     LET $more_tries = (SELECT * FROM another_try WHERE target = $key); \
     FOR $row IN $more_tries { \
         LET $new = type::record('another_try', [$row.course, $kept_key]); \
         IF (SELECT VALUE id FROM ONLY $new) = NONE { CREATE $new SET by = $row.by, act = $row.act, acts = $row.acts, \
             at = $row.at RETURN NONE }; \
         DELETE $row.id RETURN NONE \
     };";

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::store::{record, tests::migrated};

    #[tokio::test]
    async fn tries_are_found_by_index() {
        let store = migrated().await;
        let vars = || vars! { member: "01ARZ3NDEKTSV4RRFFQ69G5FAV", course: "01ARZ3NDEKTSV4RRFFQ69G5FAW" };
        store.assert_no_scan(&own_tries(), vars()).await;
        let (sql, asked) = last_tries(&[(MemberId::new(Ulid::nil()), CourseId::new(Ulid::nil()))]);
        store.assert_no_scan(&sql, asked).await;
        let selects = INHERIT.split("= (SELECT *").skip(1).filter_map(|part| part.split_once(");")).map(|(select, _)| select);
        let mut checked = 0;
        for select in selects {
            store.assert_no_scan(&format!("SELECT *{select}"), vars! { key: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
            checked += 1;
        }
        assert_eq!(checked, 3);
    }

    #[tokio::test]
    async fn a_merge_moves_granted_tries_with_all_their_acts() {
        let store = migrated().await;
        let given = "CREATE type::record('another_try', ['C', 'A']) SET by = 'R', act = '2', acts = ['2', '1'], at = time::now()";
        store.write(given, ()).await.expect("writes");
        let vars = vars! { key: "A", kept_key: "B", kept: record("member", "B") };
        store.write(INHERIT, vars).await.expect("hands over");
        let sql = "SELECT VALUE [target, act, array::join(acts, ' ')] FROM another_try";
        let given: Vec<Vec<String>> = store.read(sql, ()).await.expect("reads").rows(0).expect("rows");
        assert_eq!(given, [["B", "2", "2 1"]]);
    }
}
