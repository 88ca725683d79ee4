//! Opinions: written on a document, tracked by their author, read and answered at the branch.

pub mod fns;
mod opinion_state;
mod own_page;
mod receipt_page;
mod received_opinion_page;
mod received_page;
mod write_page;

pub(crate) use opinion_state::OpinionStateTag;
pub use own_page::OpinionsPage;
pub use receipt_page::ReceiptPage;
pub use received_opinion_page::ReceivedOpinionPage;
pub use received_page::ReceivedPage;
pub use write_page::WriteOpinionPage;

use domain::{Locale, feedback::Answer};

use crate::{
    text,
    ui::{HERE, Line},
};

/// Maximum characters of an excerpt in a row.
const FIRST_WORDS: usize = 90;

/// An excerpt of a text on one line, cut between words.
pub(crate) fn first_words(text: &str) -> String {
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        length += word.chars().count() + 1;
        if !line.is_empty() {
            if length > FIRST_WORDS {
                return line + "…";
            }
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// Author and time of an answer.
fn answer_by(l: Locale, answer: &Answer) -> Line {
    Line::around(text::feedback::answer_by(l, HERE, l.date_time(answer.at)), &Line::name(&answer.by))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_shown_whole_on_one_line() {
        assert_eq!(first_words(" Luồng vào cảng\ncạn quá. "), "Luồng vào cảng cạn quá.");
        assert_eq!(first_words(""), "");
    }

    #[test]
    fn a_long_text_is_cut_between_words() {
        let line = first_words(&"Đề nghị nạo vét luồng ".repeat(20));
        assert!(line.chars().count() <= FIRST_WORDS + 1);
        assert!(["Đề…", "nghị…", "nạo…", "vét…", "luồng…"].iter().any(|end| line.ends_with(end)), "{line}");
    }

    #[test]
    fn one_endless_word_does_not_vanish() {
        assert!(!first_words(&"a".repeat(200)).is_empty());
    }
}
