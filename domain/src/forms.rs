//! Results of forms: done, or the problems to correct. One shape for every form, with and without script.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::folding::compose;

/// Whether `to` is a path of this site. Every target that a redirect or our script follows must pass this check. Browsers read
/// `\` as `/` and drop control characters and blanks, so those could introduce another host.
pub fn is_local(to: &str) -> bool {
    to.starts_with('/') && !to.starts_with("//") && to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// A problem of one field. The page renders it as a sentence that says what to do.
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
    /// Characters that are not allowed in this field.
    Characters,
    /// The number is taken by another document of the same issuer.
    NumberTaken,
    /// National ID and password do not match. One answer for unknown, locked and not activated accounts.
    WrongCredentials,
    /// Not the password of the person who is signed in.
    WrongPassword,
    /// Too many wrong passwords; try again in `minutes`.
    TooManyTries { minutes: u32 },
    /// Somebody saved a newer version meanwhile.
    Stale,
    /// Not a date in a known format, `21/11/2026` or `2026-11-21`.
    Date,
    /// A date that does not exist: `31/02/2026`.
    NoSuchDay,
    /// A name with fewer than two letters.
    NoLetters,
    /// A person's name with characters that no name has.
    NameSigns,
    /// A day outside the allowed range, e.g. a birth in the future.
    DateRange,
    /// Another record has this number.
    Taken,
    /// The code is or was used by another unit below the same parent.
    CodeTaken,
    /// The choice is not in the list, or no longer.
    Unknown,
    /// No member of the units concerned has this card number.
    UnknownCard,
    /// Not the number of a document this person may read.
    UnknownNumber,
    /// The password is one of the most common ones.
    CommonPassword,
    /// The two entries differ.
    Mismatch,
    /// The code is wrong, used, expired, revoked or belongs to somebody else: one answer for all.
    CodeRefused,
    /// The unit still has members; move them first.
    HasMembers,
    /// The unit still has units below it; move or close them first.
    HasUnits,
    /// The unit cannot be below itself or below a unit of that level.
    WrongPlace,
    /// Units of this level could begin until `last` only.
    LevelEnded { last: NaiveDate },
    /// The unit is closed.
    Closed,
    /// The member already holds this role on this unit in that period.
    AlreadyHeld,
    /// The person holds a role on a unit outside the viewer's subtree: only the units above may do this.
    HeldAbove,
    /// The same, where it can be done here once the roles have ended.
    RolesFirst,
    /// Only the record that would be merged holds roles, which would end: it must be the one to keep.
    KeepsRoles,
    /// The number must be verified by the units above. The problem does not reveal whether and where it is known.
    ToBeVerified,
    /// A file of the wrong type, or damaged.
    Unreadable,
    /// A file without the text of a Word document.
    NoWordText,
    /// The time has passed; choose a later one, or do it now.
    Over,
    /// It would have expired by that time.
    Expired,
    /// A warning without a decision.
    Undecided,
    /// Some of the material does not reach this audience.
    OutOfReach,
    /// More than `max` were selected.
    TooMany { max: u32 },
    /// Some of the selected units are not below the unit they would become a part of, or be left out of.
    NotBelow,
    /// Nobody is left in the audience.
    Nobody,
}

/// A problem and its field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// Name of the form control; the page links the summary to it.
    pub field: String,
    pub problem: Problem,
}

impl FieldProblem {
    pub fn new(field: &str, problem: Problem) -> Self {
        Self { field: field.to_owned(), problem }
    }
}

/// A rejected form with its values, so that nothing has to be typed again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormErrors {
    /// Key of the form on its page, e.g. `opinion`.
    pub form: String,
    /// Submitted values by field. Never a password.
    pub values: BTreeMap<String, String>,
    /// In the order of the fields on the page.
    pub problems: Vec<FieldProblem>,
}

impl FormErrors {
    pub fn problem(&self, field: &str) -> Option<&Problem> {
        self.problems.iter().find(|found| found.field == field).map(|found| &found.problem)
    }

    /// Whether the data changed since the form was rendered.
    pub fn is_stale(&self) -> bool {
        self.problems.iter().any(|found| found.problem == Problem::Stale)
    }

    pub fn value(&self, field: &str) -> Option<&str> {
        self.values.get(field).map(String::as_str)
    }
}

/// The response to every form that changes data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Success; continue at `to`, a path of this site. `reload` when the frame of the page changes too (sign-in, language).
    Done {
        to: String,
        #[serde(default)]
        reload: bool,
    },
    Invalid(FormErrors),
}

/// Collects the problems of a form field by field, so that all are reported at once.
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

    /// Parses one field and records its value and its problem.
    pub fn read<T>(&mut self, field: &str, typed: &str, parse: impl FnOnce(&str) -> Result<T, Problem>) -> Option<T> {
        self.errors.values.insert(field.to_owned(), typed.to_owned());
        self.check(field, parse(typed))
    }

    /// Like [`Self::read`], but the value is never sent back.
    pub fn read_secret<T>(&mut self, field: &str, typed: &str, parse: impl FnOnce(&str) -> Result<T, Problem>) -> Option<T> {
        self.check(field, parse(typed))
    }

    /// Records a problem found elsewhere, e.g. by the store.
    pub fn refuse(&mut self, field: &str, problem: Problem) {
        self.errors.problems.push(FieldProblem::new(field, problem));
    }

    /// Whether there is no problem so far.
    pub fn is_clean(&self) -> bool {
        self.errors.problems.is_empty()
    }

    /// # Errors
    /// All problems, if there are any.
    pub fn finish(self) -> Result<(), FormErrors> {
        if self.errors.problems.is_empty() { Ok(()) } else { Err(self.errors) }
    }

    /// The values with one more problem: for a refusal after [`Self::read`] found none.
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

/// Whether it changes the direction of the text after it, which then may read as something else.
const fn reorders(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Trims, removes characters that reorder others, and rejects a text that is empty, without a visible character, or too long. The
/// length counts characters.
///
/// # Errors
/// [`Problem::Required`], [`Problem::TooLong`]; [`Problem::Characters`] for control characters other than line breaks and tabs.
pub fn bounded_text(typed: &str, max: u32) -> Result<String, Problem> {
    let text = compose(&typed.replace("\r\n", "\n").replace(reorders, ""));
    let text = text.trim();
    if text.chars().all(|c| c.is_whitespace() || is_unseen(c)) {
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

/// As [`bounded_text`], on one line: line breaks become spaces, and characters that hide or reorder others are removed, so that a
/// title or a name is what it appears to be.
///
/// # Errors
/// As [`bounded_text`].
pub fn bounded_line(typed: &str, max: u32) -> Result<String, Problem> {
    bounded_text(&seen(typed).split_whitespace().collect::<Vec<_>>().join(" "), max)
}

/// Removes invisible characters. Bengali needs joiners between its letters (U+200C, U+200D); those stay.
fn seen(typed: &str) -> String {
    let mut kept = String::with_capacity(typed.len());
    for c in typed.chars() {
        let joins = matches!(c, '\u{200c}' | '\u{200d}') && kept.ends_with(|last| matches!(last, '\u{980}'..='\u{9ff}'));
        if joins || !is_unseen(c) {
            kept.push(c);
        }
    }
    kept
}

/// The significant characters of a number or a code: without white space and the invisible characters that copying adds.
pub(crate) fn bare(typed: &str) -> impl Iterator<Item = char> {
    typed.chars().filter(|c| !c.is_whitespace() && !is_unseen(*c))
}

/// Characters that hide, join or reorder others: zero-width, bidirectional and language marks, variation selectors.
pub const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{180b}'..='\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Parses a date as people write it, `21/11/2026`, `21-11-2026`, `21.11.2026`, or as browsers and files do, `2026-11-21`.
///
/// # Errors
/// [`Problem::Required`], [`Problem::Date`]; [`Problem::NoSuchDay`] for a well-formed date that does not exist.
pub fn day(typed: &str) -> Result<NaiveDate, Problem> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(Problem::Required);
    }
    let numbers: Vec<&str> = typed.split(['/', '-', '.']).map(str::trim).collect();
    let [first, month, last] = numbers[..] else { return Err(Problem::Date) };
    let (year, day) = if first.len() == 4 { (first, last) } else { (last, first) };
    let number = |text: &str, longest: usize| {
        let fits = (1..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if fits { text.parse::<u32>().ok() } else { None }
    };
    let parts = (number(year, 4).filter(|_| year.len() == 4), number(month, 2), number(day, 2));
    let (Some(year), Some(month), Some(day)) = parts else { return Err(Problem::Date) };
    i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day)).ok_or(Problem::NoSuchDay)
}

/// Parses a date as [`day`] does, followed by a time of 24 hours: `21/11/2026 7:30`, `2026-11-21T07:30:00`.
///
/// # Errors
/// Those of [`day`]; [`Problem::Date`] also for an invalid time.
pub fn moment(typed: &str) -> Result<NaiveDateTime, Problem> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(Problem::Required);
    }
    let (day_typed, time_typed) = typed.rsplit_once([' ', 'T']).ok_or(Problem::Date)?;
    let on = day(day_typed)?;
    time(time_typed).map(|at| on.and_time(at)).ok_or(Problem::Date)
}

fn time(typed: &str) -> Option<NaiveTime> {
    let number = |text: &str| {
        let fits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if fits { text.parse::<u32>().ok() } else { None }
    };
    let (hour, rest) = typed.split_once(':')?;
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "0"));
    NaiveTime::from_hms_opt(number(hour)?, number(minute)?, number(second)?)
}

/// Parses the field unless it is empty.
///
/// # Errors
/// Those of `parse`.
pub fn optional<T>(typed: &str, parse: impl FnOnce(&str) -> Result<T, Problem>) -> Result<Option<T>, Problem> {
    if typed.trim().is_empty() { Ok(None) } else { parse(typed).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_site_are_followed() {
        for path in ["/", "/library/01J?page=2#text", "/search?q=%C4%91"] {
            assert!(is_local(path), "{path:?}");
        }
        for path in [
            "",
            "library",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "https://evil.example",
            "javascript:0",
            "/a\r\nSet-Cookie: x",
            "/a b",
        ] {
            assert!(!is_local(path), "{path:?}");
        }
    }

    #[test]
    fn a_line_is_what_it_appears_to_be() {
        for (typed, kept) in [
            ("Nghị\u{200b} quyết", "Nghị quyết"),
            ("\u{202e}Nghị quyết\u{202c} số\n 5", "Nghị quyết số 5"),
            ("র\u{200d}্যালি", "র\u{200d}্যালি"),
            ("a\u{200d}b", "ab"),
            ("Nguye\u{302}\u{303}n Thi\u{323}", "Nguyễn Thị"),
            ("\u{d0}ỗ Văn \u{d0}ăng", "Đỗ Văn Đăng"),
        ] {
            assert_eq!(bounded_line(typed, 100).as_deref(), Ok(kept), "{typed:?}");
        }
        assert_eq!(bounded_line("\u{200b}\u{feff}", 100), Err(Problem::Required), "only invisible characters");
    }

    #[test]
    fn a_day_is_read_in_every_usual_spelling() {
        let expected = NaiveDate::from_ymd_opt(2026, 11, 1);
        for typed in ["1/11/2026", "01-11-2026", " 01.11.2026 ", "2026-11-01"] {
            assert_eq!(day(typed).ok(), expected, "{typed}");
        }
        for typed in ["11/2026", "1/11/26", "ngày 1", "+1/11/2026", "１/11/2026"] {
            assert_eq!(day(typed), Err(Problem::Date), "{typed}");
        }
        for typed in ["31/02/2026", "29/2/2026", "2026/13/01", "0/1/2026", "12/25/2026"] {
            assert_eq!(day(typed), Err(Problem::NoSuchDay), "{typed}");
        }
    }

    #[test]
    fn a_moment_is_a_day_in_every_usual_spelling_and_a_time() {
        for typed in ["21/11/2026 07:30", "21-11-2026 7:30", " 21.11.2026  07:30 ", "2026-11-21T07:30", "2026-11-21 07:30:00"] {
            assert_eq!(moment(typed).map(|at| at.to_string()), Ok("2026-11-21 07:30:00".to_owned()), "{typed}");
        }
        for (typed, problem) in [
            (" ", Problem::Required),
            ("mai", Problem::Date),
            ("21/11/2026", Problem::Date),
            ("21/11/2026 24:00", Problem::Date),
            ("21/11/2026 7h30", Problem::Date),
            ("31/02/2026 07:30", Problem::NoSuchDay),
        ] {
            assert_eq!(moment(typed), Err(problem), "{typed}");
        }
    }
}
