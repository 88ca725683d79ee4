//! Quizzes (bài kiểm tra): questions, marking, and the rules of tries.

use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::forms::{FormReader, Problem, bounded_line, bounded_text, optional};

/// How many options are to be selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum QuestionKind {
    /// Một đáp án đúng.
    Single,
    /// Một hoặc nhiều đáp án đúng: exactly the right options must be selected.
    Multiple,
}

crate::keyed!(QuestionKind);

/// An answer option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerOption {
    pub text: String,
    pub right: bool,
}

/// A question with its solution. Never sent to a browser before a try is handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub text: String,
    pub kind: QuestionKind,
    pub options: Vec<AnswerOption>,
    /// Explanation of the solution, shown after the try. May be empty.
    pub explanation: String,
}

impl Question {
    pub const OPTIONS: RangeInclusive<usize> = 2..=8;
    pub const TEXT_MAX: u32 = 1_000;
    pub const OPTION_MAX: u32 = 500;
    pub const EXPLANATION_MAX: u32 = 2_000;

    /// Reads the form of a question. `options` are the values of the fields `options[1]`, `options[2]` …; empty ones are left
    /// out. `right` are the numbers of the options marked as right.
    ///
    /// Reports fewer than two options on the first empty option; no right option on `right`; several right options of a single
    /// choice on `kind`.
    pub fn read(
        form: &mut FormReader,
        text: &str,
        kind: &str,
        options: &[(usize, &str)],
        right: &[usize],
        explanation: &str,
    ) -> Option<Self> {
        let text = form.read("text", text, |typed| bounded_text(typed, Self::TEXT_MAX));
        let kind = form.read("kind", kind, |typed| match typed {
            "" => Err(Problem::Required),
            typed => QuestionKind::from_key(typed).ok_or(Problem::NotOffered),
        });
        let mut read = Vec::new();
        let mut all_fine = true;
        for (number, typed) in options.iter().filter(|(number, _)| (1..=*Self::OPTIONS.end()).contains(number)) {
            match form.read(&option_field(*number), typed, |typed| optional(typed, |typed| bounded_line(typed, Self::OPTION_MAX)))
            {
                Some(Some(text)) => read.push(AnswerOption { text, right: right.contains(number) }),
                Some(None) if right.contains(number) => {
                    form.refuse(&option_field(*number), Problem::Required);
                    all_fine = false;
                }
                Some(None) => {}
                None => all_fine = false,
            }
        }
        if all_fine && read.len() < *Self::OPTIONS.start() {
            let blank =
                options.iter().find(|(_, typed)| typed.trim().is_empty()).map_or(*Self::OPTIONS.start(), |(number, _)| *number);
            form.refuse(&option_field(blank), Problem::Required);
            all_fine = false;
        }
        let rights = read.iter().filter(|option| option.right).count();
        if all_fine && rights == 0 {
            form.refuse("right", Problem::Required);
            all_fine = false;
        }
        if all_fine && rights > 1 && kind == Some(QuestionKind::Single) {
            form.refuse("kind", Problem::Mismatch);
            all_fine = false;
        }
        let explanation = form.read("explanation", explanation, |typed| {
            optional(typed, |typed| bounded_text(typed, Self::EXPLANATION_MAX)).map(Option::unwrap_or_default)
        });
        match (text, kind, explanation) {
            (Some(text), Some(kind), Some(explanation)) if all_fine => Some(Self { text, kind, options: read, explanation }),
            _ => None,
        }
    }

    /// Whether `chosen` is exactly the set of right options. There are no partial marks.
    pub fn is_answered_by(&self, chosen: &[usize]) -> bool {
        !chosen.is_empty()
            && chosen.iter().all(|at| *at < self.options.len())
            && self.options.iter().enumerate().all(|(at, option)| option.right == chosen.contains(&at))
    }
}

/// Name of an option's form field, counted from 1.
pub(super) fn option_field(number: usize) -> String {
    format!("options[{number}]")
}

/// The rules of a quiz's tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuizRules {
    /// Pass mark in percent of the questions.
    pub pass_percent: u32,
    /// Time limit of a try in minutes; `None` for no limit.
    pub minutes: Option<u32>,
    /// Tries per member; 0 for no limit.
    pub tries: u32,
}

impl Default for QuizRules {
    fn default() -> Self {
        Self { pass_percent: 80, minutes: None, tries: 0 }
    }
}

impl QuizRules {
    /// The percentages offered in the form.
    pub const PERCENTS: [u32; 8] = [50, 60, 70, 75, 80, 85, 90, 100];
    pub const MINUTES: [u32; 9] = [5, 10, 15, 20, 30, 45, 60, 90, 120];
    pub const TRIES: [u32; 6] = [0, 1, 2, 3, 5, 10];

    /// # Errors
    /// Reported to `form`: [`Problem::NotOffered`] on `pass_percent`, `minutes`, `tries`.
    pub fn read(form: &mut FormReader, pass_percent: &str, minutes: &str, tries: &str) -> Option<Self> {
        let one_of = |typed: &str, offered: &[u32]| {
            typed.parse().ok().filter(|number| offered.contains(number)).ok_or(Problem::NotOffered)
        };
        let pass_percent = form.read("pass_percent", pass_percent, |typed| one_of(typed, &Self::PERCENTS));
        let minutes = form.read("minutes", minutes, |typed| optional(typed, |typed| one_of(typed, &Self::MINUTES)));
        let tries = form.read("tries", tries, |typed| one_of(typed, &Self::TRIES));
        Some(Self { pass_percent: pass_percent?, minutes: minutes?, tries: tries? })
    }

    /// Tries left after `taken`; `None` when unlimited.
    pub fn tries_left(self, taken: u32) -> Option<u32> {
        (self.tries > 0).then(|| self.tries.saturating_sub(taken))
    }

    /// Whether the member whose last try is `last` can still pass. `given` is when another try was granted: it adds one if none
    /// was left at that time, and is used up when a try begins. So a grant to a member with tries left has no effect, and two
    /// grants count as one.
    pub fn tries_after(self, last: LastTry, given: Option<DateTime<Utc>>) -> Tries {
        match last.handed_in_at {
            Some(end) if self.tries_left(last.number) == Some(0) => {
                let is_given = given.is_some_and(|given| last.started_at < given && end <= given);
                if is_given { Tries::Given } else { Tries::UsedUp }
            }
            _ => Tries::Left,
        }
    }
}

/// The last try a member began at a quiz.
#[derive(Debug, Clone, Copy)]
pub struct LastTry {
    /// Counted from 1.
    pub number: u32,
    pub started_at: DateTime<Utc>,
    /// `None` while it is open.
    pub handed_in_at: Option<DateTime<Utc>>,
}

/// Whether a member who has not passed a quiz can still pass it (lượt làm bài).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tries {
    /// All were used and another one was granted that has not begun.
    Given,
    /// Some are left, one is open, the number is unlimited, or there is no quiz.
    Left,
    /// None is left unless another one is granted.
    UsedUp,
}

/// Grace period for answers in transit: the page sends them when its own clock reaches the limit.
pub const GRACE: TimeDelta = TimeDelta::seconds(10);

/// Number of right answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    pub right: u32,
    pub total: u32,
}

impl Score {
    /// Whether the pass mark is reached. A quiz without questions cannot be passed.
    pub const fn passes(self, percent: u32) -> bool {
        self.total > 0 && self.right * 100 >= percent * self.total
    }
}

/// Marks the answers: for each question the indices of the chosen options. A missing answer is wrong.
pub fn score(questions: &[Question], answers: &[Vec<usize>]) -> Score {
    let chosen = |at: usize| answers.get(at).map_or(&[][..], Vec::as_slice);
    let right = questions.iter().enumerate().filter(|(at, question)| question.is_answered_by(chosen(*at))).count();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Score { right: count(right), total: count(questions.len()) }
}

/// The display order of a question's options in the try with this seed, as indices into the question's options.
///
/// Stable across machines and versions: a page that is loaded again shows the same order, and submitted answers are decoded with
/// it.
pub fn shuffled(options: usize, seed: u64, question: usize) -> Vec<usize> {
    let mut state = seed ^ (question as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // SplitMix64 (Steele, Lea, Flood 2014): small, and sufficient to shuffle eight options.
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let mut order: Vec<usize> = (0..options).collect();
    for at in (1..options).rev() {
        let other = usize::try_from(next() % (at as u64 + 1)).unwrap_or_default();
        order.swap(at, other);
    }
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn question(kind: QuestionKind, rights: &[bool]) -> Question {
        let options = rights.iter().map(|right| AnswerOption { text: "…".to_owned(), right: *right }).collect();
        Question { text: "?".to_owned(), kind, options, explanation: String::new() }
    }

    #[test]
    fn a_part_of_the_right_options_is_wrong() {
        let single = question(QuestionKind::Single, &[false, true, false]);
        let multiple = question(QuestionKind::Multiple, &[true, false, true]);
        let table: [(&Question, &[usize], bool); 11] = [
            (&single, &[1], true),
            (&single, &[0], false),
            (&single, &[], false),
            (&single, &[0, 1], false),
            (&single, &[9], false),
            (&multiple, &[0, 2], true),
            (&multiple, &[2, 0], true),
            (&multiple, &[0], false),
            (&multiple, &[0, 1, 2], false),
            (&multiple, &[], false),
            (&multiple, &[0, 2, 7], false),
        ];
        for (question, chosen, right) in table {
            assert_eq!(question.is_answered_by(chosen), right, "{question:?} {chosen:?}");
        }
    }

    #[test]
    fn the_pass_mark_itself_passes() {
        for (right, total, percent, passes) in
            [(4, 5, 80, true), (3, 5, 80, false), (2, 3, 67, false), (3, 3, 100, true), (0, 0, 50, false), (0, 5, 0, true)]
        {
            assert_eq!(Score { right, total }.passes(percent), passes, "{right} of {total}, {percent} %");
        }
    }

    #[test]
    fn a_missing_answer_is_wrong() {
        let quiz = [question(QuestionKind::Single, &[true, false]), question(QuestionKind::Single, &[true, false])];
        assert_eq!(score(&quiz, &[vec![0]]), Score { right: 1, total: 2 });
        assert_eq!(score(&quiz, &[]), Score { right: 0, total: 2 });
        assert_eq!(score(&quiz, &[vec![0], vec![0], vec![0]]), Score { right: 2, total: 2 });
    }

    #[test]
    fn tries_run_out_or_never_do() {
        let rules = |tries| QuizRules { tries, ..QuizRules::default() };
        assert_eq!(rules(2).tries_left(1), Some(1));
        assert_eq!(rules(2).tries_left(3), Some(0));
        assert_eq!(rules(0).tries_left(1_000), None);
    }

    #[test]
    fn a_granted_try_counts_only_when_none_was_left() {
        let at = |minute: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::minutes(minute);
        let of = |tries: u32, number: u32, end: Option<i64>, given: Option<i64>| {
            let last = LastTry { number, started_at: at(10), handed_in_at: end.map(at) };
            QuizRules { tries, ..QuizRules::default() }.tries_after(last, given.map(at))
        };
        for (tries, number, end, given, expected) in [
            (2, 1, Some(20), None, Tries::Left),
            (2, 1, Some(20), Some(30), Tries::Left),
            (2, 2, None, None, Tries::Left),
            (2, 2, Some(20), None, Tries::UsedUp),
            (2, 2, Some(20), Some(30), Tries::Given),
            (2, 2, Some(20), Some(20), Tries::Given),
            // Granted before the last try was handed in, or before it began: that grant is used up.
            (2, 2, Some(20), Some(15), Tries::UsedUp),
            (2, 3, Some(20), Some(5), Tries::UsedUp),
            (2, 3, Some(10), Some(10), Tries::UsedUp),
            (2, 3, Some(20), Some(30), Tries::Given),
            (0, 9, Some(20), None, Tries::Left),
        ] {
            assert_eq!(of(tries, number, end, given), expected, "{tries} {number} {end:?} {given:?}");
        }
    }

    #[test]
    fn a_form_reports_each_problem_of_a_question() {
        let read = |kind: &str, options: &[(usize, &str)], right: &[usize]| {
            let mut form = FormReader::new("question");
            let question = Question::read(&mut form, "Mấy ngày?", kind, options, right, "");
            let problems = form.finish().err().map(|errors| errors.problems).unwrap_or_default();
            (question, problems.into_iter().map(|found| (found.field, found.problem)).collect::<Vec<_>>())
        };
        let (fine, problems) = read("single", &[(1, "Một"), (2, " "), (3, "Hai")], &[3]);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(fine.map(|question| question.options.iter().map(|option| option.right).collect()), Some(vec![false, true]));
        let refused = |kind, options: &[(usize, &str)], right: &[usize]| read(kind, options, right).1;
        assert_eq!(refused("single", &[(1, "Một")], &[1]), [("options[2]".to_owned(), Problem::Required)]);
        assert_eq!(refused("single", &[(1, "Một"), (2, "Hai")], &[]), [("right".to_owned(), Problem::Required)]);
        assert_eq!(refused("single", &[(1, "Một"), (2, "Hai")], &[1, 2]), [("kind".to_owned(), Problem::Mismatch)]);
        assert_eq!(refused("multiple", &[(1, "Một"), (2, "Hai")], &[1, 2]), []);
        assert_eq!(refused("multiple", &[(1, "Một"), (2, "Hai"), (3, "")], &[3]), [("options[3]".to_owned(), Problem::Required)]);
        assert_eq!(refused("", &[(1, "Một"), (2, "Hai")], &[1]), [("kind".to_owned(), Problem::Required)]);
    }

    proptest! {
        #[test]
        fn every_option_is_shown_once_and_the_same_way_again(options in 0usize..9, seed: u64, question in 0usize..50) {
            let order = shuffled(options, seed, question);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..options).collect::<Vec<_>>());
            prop_assert_eq!(order, shuffled(options, seed, question));
        }
    }

    #[test]
    fn orders_differ_from_try_to_try() {
        let orders: std::collections::BTreeSet<_> = (0..40).map(|seed| shuffled(4, seed, 0)).collect();
        assert!(orders.len() > 10, "{orders:?}");
    }
}
