//! What comes back from a form: done, or what to mend. One shape for every form, with and without script.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is wrong with one field. The page turns it into a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// Nothing was entered.
    Required,
    /// Fewer than `min` characters.
    TooShort { min: u32 },
    /// More than `max` characters.
    TooLong { max: u32 },
    /// Not exactly `expected` digits.
    Digits { expected: u32 },
    /// Not one of the choices the form offers.
    NotOffered,
    /// Characters that do not belong into this field.
    Characters,
    /// The number is taken by another document of the same issuer.
    NumberTaken,
    /// National ID and password do not belong together. One answer for unknown, locked and not activated accounts.
    WrongCredentials,
    /// Too many wrong passwords; try again in `minutes`.
    TooManyTries { minutes: u32 },
    /// Somebody saved a newer version meanwhile.
    Stale,
}

/// A problem and the field it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// Name of the form's control; the page links the summary to it.
    pub field: String,
    pub problem: Problem,
}

impl FieldProblem {
    pub fn new(field: &str, problem: Problem) -> Self {
        Self { field: field.to_owned(), problem }
    }
}

/// A form that could not be accepted, with what was typed, so that nobody types it twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormErrors {
    /// Which form of the page, e.g. `opinion`.
    pub form: String,
    /// What was typed, by field. Never a password.
    pub values: BTreeMap<String, String>,
    /// In the order of the fields on the page.
    pub problems: Vec<FieldProblem>,
}

impl FormErrors {
    pub fn problem(&self, field: &str) -> Option<&Problem> {
        self.problems.iter().find(|found| found.field == field).map(|found| &found.problem)
    }

    pub fn value(&self, field: &str) -> Option<&str> {
        self.values.get(field).map(String::as_str)
    }
}

/// The answer to every form that changes something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done; go on at `to`, a path of this site. `reload` when the frame of the page changes too (sign-in, language).
    Done {
        to: String,
        #[serde(default)]
        reload: bool,
    },
    Invalid(FormErrors),
}

/// Collects the problems of a form field by field, so that all are told at once.
///
/// ```
/// use domain::{feedback::OpinionText, forms::FormReader};
/// let mut form = FormReader::new("opinion");
/// let text = form.read("text", "   ", OpinionText::parse);
/// assert!(text.is_none());
/// assert_eq!(form.finish().unwrap_err().problems.len(), 1);
/// ```
#[derive(Debug)]
pub struct FormReader {
    errors: FormErrors,
}

impl FormReader {
    pub fn new(form: &str) -> Self {
        Self { errors: FormErrors { form: form.to_owned(), ..FormErrors::default() } }
    }

    /// Parses one field and remembers what was typed and what is wrong with it.
    pub fn read<T>(&mut self, field: &str, typed: &str, parse: impl FnOnce(&str) -> Result<T, Problem>) -> Option<T> {
        self.errors.values.insert(field.to_owned(), typed.to_owned());
        self.check(field, parse(typed))
    }

    /// Like [`Self::read`], but what was typed is never sent back.
    pub fn read_secret<T>(&mut self, field: &str, typed: &str, parse: impl FnOnce(&str) -> Result<T, Problem>) -> Option<T> {
        self.check(field, parse(typed))
    }

    /// Remembers a problem found elsewhere, e.g. by the store.
    pub fn refuse(&mut self, field: &str, problem: Problem) {
        self.errors.problems.push(FieldProblem::new(field, problem));
    }

    /// # Errors
    /// All problems, when there are any.
    pub fn finish(self) -> Result<(), FormErrors> {
        if self.errors.problems.is_empty() { Ok(()) } else { Err(self.errors) }
    }

    /// The typed values with these problems: for a refusal that comes after [`Self::read`] found nothing.
    pub fn refused(mut self, field: &str, problem: Problem) -> FormErrors {
        self.refuse(field, problem);
        self.errors
    }

    fn check<T>(&mut self, field: &str, parsed: Result<T, Problem>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(problem) => {
                self.refuse(field, problem);
                None
            }
        }
    }
}

/// Trims, and refuses an empty or too long text. The length counts characters, as the person sees them.
///
/// # Errors
/// [`Problem::Required`], [`Problem::TooLong`]; [`Problem::Characters`] for control characters other than line breaks and tabs.
pub fn bounded_text(typed: &str, max: u32) -> Result<String, Problem> {
    let text = typed.replace("\r\n", "\n");
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::Required);
    }
    if text.chars().count() > max as usize {
        return Err(Problem::TooLong { max });
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(Problem::Characters);
    }
    Ok(text.to_owned())
}

/// As [`bounded_text`], on one line: line breaks become spaces.
///
/// # Errors
/// As [`bounded_text`].
pub fn bounded_line(typed: &str, max: u32) -> Result<String, Problem> {
    bounded_text(&typed.split_whitespace().collect::<Vec<_>>().join(" "), max)
}
