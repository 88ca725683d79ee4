//! What comes back from a form: done, or what to mend. One shape for every form, with and without script.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::folding::compose;

/// Whether `to` leads to a page of this site. Everything that is followed, by a redirect or by our script, is put to this one question.
/// Browsers read `\` as `/` and drop control characters and blanks, so those could bring in the name of another host.
pub fn is_local(to: &str) -> bool {
    to.starts_with('/') && !to.starts_with("//") && to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

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
    /// Not the password of the person who is signed in.
    WrongPassword,
    /// Too many wrong passwords; try again in `minutes`.
    TooManyTries { minutes: u32 },
    /// Somebody saved a newer version meanwhile.
    Stale,
    /// Not a day of the calendar, `21/11/2026` or `2026-11-21`.
    Date,
    /// Written as a day, but the calendar has none such: `31/02/2026`.
    NoSuchDay,
    /// A name without letters, or of a single one.
    NoLetters,
    /// A person's name with signs that no name has.
    NameSigns,
    /// A day that cannot be for what is asked, e.g. a birth in the future.
    DateRange,
    /// Another record has this number.
    Taken,
    /// The code is or was another unit's below the same one.
    CodeTaken,
    /// What was chosen from a list is not on it, or not any more.
    Unknown,
    /// Nobody of the units that are asked has this card number.
    UnknownCard,
    /// A number of no document this person may read.
    UnknownNumber,
    /// The password is one of those that are guessed first.
    CommonPassword,
    /// The two entries differ.
    Mismatch,
    /// The code is wrong, used, expired, revoked or somebody else's: one answer for all.
    CodeRefused,
    /// The unit still has members; move them first.
    HasMembers,
    /// The unit still has units below it; move or close them first.
    HasUnits,
    /// A unit cannot be moved below itself or beside what it cannot hang on.
    WrongPlace,
    /// The unit is closed.
    Closed,
    /// The member holds this role here in that time.
    AlreadyHeld,
    /// The person holds a role on a unit above or beside those of who works here: only somebody above may do this.
    HeldAbove,
    /// The same, where those above need not do it themselves: once the roles have ended it can be done here.
    RolesFirst,
    /// Only the record that would go holds roles, which would end: that is the one to be kept.
    KeepsRoles,
    /// The number is for those above to look at. It does not say whether and where it is known.
    ToBeVerified,
    /// A file that is of another sort than asked for, or damaged.
    Unreadable,
    /// A file in which no text of a Word document is found.
    NoWordText,
    /// The moment is over; choose a later one, or do it now.
    Over,
    /// By then it would not hold any more.
    Expired,
    /// A warning that was not decided about.
    Undecided,
    /// Not all that is meant for these people reaches them.
    OutOfReach,
    /// More than `max` were chosen.
    TooMany { max: u32 },
    /// Some of the units chosen do not lie below the one they are to be a part of.
    NotBelow,
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

    /// Whether what the form was about has changed since its page was made.
    pub fn is_stale(&self) -> bool {
        self.problems.iter().any(|found| found.problem == Problem::Stale)
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

    /// Whether no problem was found so far.
    pub fn is_clean(&self) -> bool {
        self.errors.problems.is_empty()
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
    let text = compose(&typed.replace("\r\n", "\n"));
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

/// As [`bounded_text`], on one line: line breaks become spaces, and characters that hide or reorder others are left out. A title or
/// a name must be what it seems to be.
///
/// # Errors
/// As [`bounded_text`].
pub fn bounded_line(typed: &str, max: u32) -> Result<String, Problem> {
    bounded_text(&seen(typed).split_whitespace().collect::<Vec<_>>().join(" "), max)
}

/// A text without what nobody sees. Bengali is written with joiners between its letters (U+200C, U+200D); those stay.
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

/// What of a number or a code counts: without white space and what nobody sees, which come along when it is copied.
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

/// A day as people write it, `21/11/2026`, `21-11-2026`, `21.11.2026`, or as browsers and files do, `2026-11-21`.
///
/// # Errors
/// [`Problem::Required`], [`Problem::Date`]; [`Problem::NoSuchDay`] for what is written as a day and is none.
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

/// A day as [`day`] reads it, and behind it a time of 24 hours: `21/11/2026 7:30`, `2026-11-21T07:30:00`.
///
/// # Errors
/// Those of [`day`]; [`Problem::Date`] for what is no time too.
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

/// An empty field is none; anything else is parsed.
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
    fn a_line_is_what_it_seems_to_be() {
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
        assert_eq!(bounded_line("\u{200b}\u{feff}", 100), Err(Problem::Required), "nothing that anybody sees");
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
