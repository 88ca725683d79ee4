//! Courses of the sample, and their completions.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    courses::{CourseState, Serial},
    documents::reading::Seen,
    events::EventBody,
    ids::{CourseId, DocumentId, MemberId},
    locale::local_date,
    members::Standing,
    units::UnitRef,
};

use super::{
    dice::Dice,
    files::{self, CourseEntry, QuestionEntry},
    library::{Published, ReceiptRow, local_time},
    people::{Organisation, Person},
};
use crate::{
    Backend, Error, Result,
    bulk::Bulk,
    courses::{OptionRow, QuestionRow},
    store::{RecordId, SurrealValue, pair, record},
};

/// Percentage of members using the handbook since a course was assigned who have completed it.
const ZEALOUS: i64 = 58;

/// Percentage of the others who have tried and failed.
const FAILED: i64 = 25;

/// Assigns the courses and writes the members' attempts. Adds missing readings of their documents, so it runs after the library.
pub(super) async fn give(backend: &Backend, seed: u64, organisation: &Organisation, published: &[Published]) -> Result<usize> {
    let mut bulk = Bulk::default();
    let mut dice = Dice::new(seed, 12);
    let now = backend.clock().now();
    for entry in files::courses()? {
        let course = Course::new(&mut dice, organisation, published, entry, now)?;
        course.write(&mut bulk, &mut dice);
        let reached = organisation.branches.iter().filter(|branch| course.audience.path.contains(&branch.unit.path));
        for branch in reached {
            for person in &branch.people {
                course.study(&mut bulk, &mut dice, person);
            }
        }
    }
    bulk.save(backend).await
}

struct Course {
    id: CourseId,
    entry: CourseEntry,
    editor: MemberId,
    issuer: UnitRef,
    audience: UnitRef,
    documents: Vec<DocumentId>,
    assigned_at: DateTime<Utc>,
    due_on: NaiveDate,
}

impl Course {
    fn new(
        dice: &mut Dice,
        organisation: &Organisation,
        published: &[Published],
        entry: CourseEntry,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let nobody = || Error::Internal(format!("the sample has no editor for {}", entry.issuer));
        let committee = organisation.committees.get(&entry.issuer).ok_or_else(nobody)?;
        let editor = committee.editors.first().map(|seat| organisation.at(*seat).1.id).ok_or_else(nobody)?;
        let document = |begins: &String| {
            let title = files::title(begins)?;
            let found = published.iter().find(|document| document.title == title);
            found.map(|document| document.id).ok_or_else(|| Error::Internal(format!("{title} is not published")))
        };
        let assigned_at = local_time(now, -entry.assigned_days_ago, 9 * 60 + 30);
        Ok(Self {
            id: CourseId::new(dice.ulid_at(assigned_at - TimeDelta::days(3))),
            editor,
            issuer: organisation.unit(&entry.issuer)?.clone(),
            audience: organisation.unit(&entry.audience)?.clone(),
            documents: entry.documents.iter().map(document).collect::<Result<_>>()?,
            assigned_at,
            due_on: local_date(now + TimeDelta::days(entry.due_in_days)),
            entry,
        })
    }
    fn write(&self, bulk: &mut Bulk, dice: &mut Dice) {
        let (entry, editor) = (&self.entry, self.editor.to_string());
        let drafted_at = self.assigned_at - TimeDelta::days(1);
        bulk.push(
            "course",
            CourseRow {
                id: record("course", self.id),
                title: entry.title.clone(),
                issuer: self.issuer.id.to_string(),
                issuer_path: self.issuer.path.to_string(),
                state: CourseState::Assigned.key(),
                version: 1,
                saved_at: self.assigned_at,
                saved_by: editor,
                documents: self.documents.iter().map(DocumentId::to_string).collect(),
                questions: whole(entry.questions.len()),
                pass_percent: i64::from(entry.pass_percent),
                minutes: entry.minutes.map(i64::from),
                tries: i64::from(entry.tries),
                audience: self.audience.id.to_string(),
                audience_path: self.audience.path.to_string(),
                due_on: self.due_on.to_string(),
                assigned_at: self.assigned_at,
                shelf: dice.ulid_at(self.assigned_at).to_string(),
            },
        );
        let question = |question: &QuestionEntry| QuestionRow {
            text: question.text.clone(),
            kind: question.kind.key().to_owned(),
            options: (1..)
                .zip(&question.options)
                .map(|(number, text)| OptionRow { text: text.clone(), right: question.right.contains(&number) })
                .collect(),
            explanation: question.explanation.clone(),
        };
        let questions = entry.questions.iter().map(question).collect();
        let text = TextRow { id: record("course_text", self.id), description: entry.description.trim().to_owned(), questions };
        bulk.push("course_text", text);
        let told = [(drafted_at, EventBody::CourseSaved(self.id)), (self.assigned_at, EventBody::CourseAssigned(self.id))];
        for (at, body) in told {
            bulk.log(dice, at, Some(self.editor), &self.issuer.path, body);
        }
    }

    /// Writes one person's attempts. The demo accounts still have the quiz to take, and have completed the course without a quiz.
    fn study(&self, bulk: &mut Bulk, dice: &mut Dice, person: &Person) {
        let Some(start) = person.uses_after(self.assigned_at) else { return };
        let has_quiz = !self.entry.questions.is_empty();
        let completes = if person.is_player() { !has_quiz } else { dice.chance(ZEALOUS) };
        let fails = has_quiz && !person.is_player() && !completes && dice.chance(FAILED);
        if !completes && !fails {
            return;
        }
        let at = dice.early_moment(start, person.last_use);
        for document in &self.documents {
            let receipt = ReceiptRow::new(*document, person.id, &person.unit.path, person.standing, at);
            bulk.push_once("document_read", receipt.read(at, Seen::End));
            bulk.push_once("read_receipt", receipt);
        }
        if has_quiz {
            self.hand_in(bulk, dice, person, at, completes);
        }
        if completes {
            bulk.log(dice, at, Some(person.id), &person.unit.path, EventBody::CourseCompleted(self.id));
            bulk.push(
                "course_completion",
                CompletionRow {
                    id: pair("course_completion", self.id, person.id),
                    course: self.id.to_string(),
                    member: person.id.to_string(),
                    unit: person.unit.id.to_string(),
                    path: person.unit.path.to_string(),
                    counted: person.standing != Standing::Exempt,
                    at,
                    serial: Serial::new(local_date(at), dice.ulid_at(at)).as_str().to_owned(),
                },
            );
        }
    }

    fn hand_in(&self, bulk: &mut Bulk, dice: &mut Dice, person: &Person, at: DateTime<Utc>, passes: bool) {
        let answers: Vec<Vec<i64>> = self
            .entry
            .questions
            .iter()
            .enumerate()
            .map(|(place, question)| {
                // A failing attempt answers only the first two questions correctly.
                let right = question.right.iter().map(|number| whole(number.saturating_sub(1))).collect();
                if passes || place < 2 { right } else { Vec::new() }
            })
            .collect();
        let right = if passes { answers.len() } else { answers.len().min(2) };
        let started_at = at - TimeDelta::minutes(dice.between(4, 15));
        bulk.push(
            "course_try",
            TryRow {
                id: pair("course_try", person.id, format!("{}.1", self.id)),
                member: person.id.to_string(),
                course: self.id.to_string(),
                number: 1,
                seed: dice.between(0, i64::MAX),
                started_at,
                ends_at: self.entry.minutes.map(|minutes| started_at + TimeDelta::minutes(minutes.into())),
                right: whole(right),
                total: whole(answers.len()),
                answers,
                handed_in_at: at,
                passed: passes,
            },
        );
        bulk.log(dice, at, Some(person.id), &person.unit.path, EventBody::QuizTaken(self.id));
    }
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[derive(Debug, SurrealValue)]
struct CourseRow {
    id: RecordId,
    title: String,
    issuer: String,
    issuer_path: String,
    state: &'static str,
    version: i64,
    saved_at: DateTime<Utc>,
    saved_by: String,
    documents: Vec<String>,
    questions: i64,
    pass_percent: i64,
    minutes: Option<i64>,
    tries: i64,
    audience: String,
    audience_path: String,
    due_on: String,
    assigned_at: DateTime<Utc>,
    shelf: String,
}

#[derive(Debug, SurrealValue)]
struct TextRow {
    id: RecordId,
    description: String,
    questions: Vec<QuestionRow>,
}

#[derive(Debug, SurrealValue)]
struct TryRow {
    id: RecordId,
    member: String,
    course: String,
    number: i64,
    seed: i64,
    started_at: DateTime<Utc>,
    ends_at: Option<DateTime<Utc>>,
    answers: Vec<Vec<i64>>,
    handed_in_at: DateTime<Utc>,
    right: i64,
    total: i64,
    passed: bool,
}

#[derive(Debug, SurrealValue)]
struct CompletionRow {
    id: RecordId,
    course: String,
    member: String,
    unit: String,
    path: String,
    counted: bool,
    at: DateTime<Utc>,
    serial: String,
}
