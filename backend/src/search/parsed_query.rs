//! A parsed query: words, phrases, document numbers. Quotes are the only syntax, so every input is valid.

use std::collections::BTreeMap;

use domain::{folding::compose, search::SearchQuery};

use super::{
    plain::is_shown,
    words::{Forms, is_sign, sign_key, words},
};

/// Number of words searched for; more are cut, for example when a whole page is pasted.
const WORDS_MAX: usize = 24;

/// Most words a document number is typed in: `Mẫu 03 - SH / ĐU` has four.
const SIGN_WORDS: usize = 6;

/// Fewest letters of a word in which a typing error is tolerated if a neighbouring word fits.
const FORGIVEN_FROM: usize = 3;

/// Fewest letters of an unfinished word for which longer words with this prefix are found.
const PREFIX_FROM: usize = 3;

const QUOTES: [char; 7] = ['"', '“', '”', '„', '«', '»', '‟'];

/// A query.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ParsedQuery {
    /// The part of the input that was parsed.
    pub(super) typed: String,
    pub(super) is_cut: bool,
    pub(super) words: Vec<QueryWord>,
    /// Adjacent words, each pair as typed without the space.
    pub(super) pairs: Vec<Neighbours>,
    /// The folded words of each phrase of three or more words; pairs cover two.
    pub(super) phrases: Vec<Vec<String>>,
    /// Keys of possible document numbers.
    pub(super) signs: Vec<String>,
    /// All words in the order typed.
    pub(super) order: Vec<Typed>,
}

/// An occurrence of a word in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Typed {
    /// Index in [`ParsedQuery::words`].
    pub(super) word: usize,
    /// Byte range in the input.
    pub(super) from: usize,
    pub(super) until: usize,
    /// Whether it follows the preceding word directly: no quotes begin or end between them.
    pub(super) follows: bool,
}

/// A word to search for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct QueryWord {
    pub(super) forms: Forms,
    /// Whether it was typed with marks, which are then preferred.
    pub(super) is_marked: bool,
    /// Whether it may be the beginning of a longer word.
    pub(super) is_unfinished: bool,
    /// A word of a phrase is required and matched exactly.
    pub(super) is_quoted: bool,
}

impl QueryWord {
    /// Whether one wrong letter is tolerated.
    pub(super) fn is_forgiven(&self) -> bool {
        !self.is_quoted && !self.forms.folded.contains(|c: char| c.is_ascii_digit()) && self.length() >= FORGIVEN_FROM
    }

    pub(super) fn length(&self) -> usize {
        letters(&self.forms)
    }

    /// Whether a word of a text equals this one apart from marks, or has it as a prefix where that suffices.
    pub(super) fn is_met_by(&self, word: &Forms) -> bool {
        word.folded == self.forms.folded || (self.is_unfinished && word.folded.starts_with(&self.forms.folded))
    }
}

/// Two adjacent words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Neighbours {
    pub(super) pair: String,
    /// Whether they must be adjacent in the text.
    pub(super) is_phrase: bool,
    /// Whether the second may be the beginning of a longer word.
    pub(super) is_unfinished: bool,
}

impl ParsedQuery {
    pub(super) fn parse(typed: &str) -> Self {
        let composed = compose(typed);
        // Take a little more than is kept, so that a query of megabytes costs no more than a line.
        let mut shown = composed.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_shown(*c));
        let typed: String = shown.by_ref().take(SearchQuery::TYPED_MAX).collect();
        let is_cut = shown.next().is_some();
        let typed = typed.trim().to_owned();
        let mut asked = Self { is_cut, ..Self::default() };
        let parts: Vec<&str> = typed.split(QUOTES).collect();
        // An unclosed quotation mark is ignored.
        let closed = parts.len() - 1 + parts.len() % 2;
        let mut from = 0;
        for (at, part) in parts.iter().enumerate() {
            asked.take_part(part, from, at % 2 == 1 && at < closed, at + 1 == parts.len());
            from += part.len();
            from += typed[from..].chars().next().map_or(0, char::len_utf8);
        }
        asked.typed = typed;
        asked
    }

    /// The same query with other words at some positions of [`Self::order`].
    pub(super) fn rewritten(&self, words: &BTreeMap<usize, String>) -> Self {
        let mut typed = String::with_capacity(self.typed.len());
        let mut end = 0;
        for (at, occurrence) in self.order.iter().enumerate() {
            if let Some(word) = words.get(&at) {
                typed.push_str(&self.typed[end..occurrence.from]);
                typed.push_str(word);
                end = occurrence.until;
            }
        }
        typed.push_str(&self.typed[end..]);
        Self { is_cut: self.is_cut, ..Self::parse(&typed) }
    }

    /// The word at this position of [`Self::order`].
    pub(super) fn sought(&self, at: usize) -> &QueryWord {
        &self.words[self.order[at].word]
    }

    fn take_part(&mut self, part: &str, from: usize, is_quoted: bool, is_last: bool) {
        let found: Vec<Forms> = words(part).collect();
        self.take_signs(part, &found);
        let ends_in_word = part.ends_with(|c: char| c.is_alphanumeric());
        if is_quoted && found.len() > 2 {
            self.phrases.push(found.iter().map(|forms| forms.folded.clone()).collect());
        }
        let mut before: Option<Forms> = None;
        let count = found.len();
        for (at, forms) in found.into_iter().enumerate() {
            if self.words.len() == WORDS_MAX {
                return;
            }
            let is_unfinished = is_last && !is_quoted && at + 1 == count && ends_in_word && letters(&forms) >= PREFIX_FROM;
            if let Some(before) = &before {
                let pair = Forms::pair(before, &forms);
                if !self.pairs.iter().any(|known| known.pair == pair && known.is_phrase >= is_quoted) {
                    self.pairs.push(Neighbours { pair, is_phrase: is_quoted, is_unfinished });
                }
            }
            let known = self.words.iter().position(|known| known.forms.exact == forms.exact);
            let word = known.unwrap_or(self.words.len());
            self.order.push(Typed { word, from: from + forms.from, until: from + forms.until, follows: before.is_some() });
            match self.words.get_mut(word) {
                Some(known) => {
                    known.is_quoted |= is_quoted;
                    known.is_unfinished |= is_unfinished;
                }
                None => {
                    self.words.push(QueryWord { is_marked: forms.is_marked(), is_unfinished, is_quoted, forms: forms.clone() });
                }
            }
            before = Some(forms);
        }
    }

    /// Every sequence of words that contains a digit may be a document number.
    fn take_signs(&mut self, part: &str, found: &[Forms]) {
        for from in 0..found.len().min(WORDS_MAX) {
            for until in from..found.len().min(from + SIGN_WORDS) {
                let key = sign_key(&part[found[from].from..found[until].until]);
                if is_sign(&key) && !self.signs.contains(&key) {
                    self.signs.push(key);
                }
            }
        }
    }
}

fn letters(forms: &Forms) -> usize {
    forms.folded.chars().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(asked: &ParsedQuery) -> Vec<&str> {
        asked.words.iter().map(|word| word.forms.folded.as_str()).collect()
    }

    #[test]
    fn words_come_once_and_the_last_may_go_on() {
        let asked = ParsedQuery::parse("  nghị quyết về nghị sự ");
        assert_eq!(folded(&asked), ["nghi", "quyet", "ve", "su"]);
        assert!(asked.words.iter().all(|word| !word.is_unfinished), "a short one is not completed");
        let asked = ParsedQuery::parse("chuyển đổi sốn");
        assert_eq!(asked.words.iter().map(|word| word.is_unfinished).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(asked.pairs.iter().map(|pair| pair.pair.as_str()).collect::<Vec<_>>(), ["chuyendoi", "doison"]);
    }

    #[test]
    fn quotes_make_phrases() {
        let asked = ParsedQuery::parse("“đảng phí” thu");
        assert_eq!(asked.words.iter().map(|word| word.is_quoted).collect::<Vec<_>>(), [true, true, false]);
        assert!(asked.pairs[0].is_phrase && asked.pairs.len() == 1, "{asked:?}");
        let open = ParsedQuery::parse("thu \"đảng phí");
        assert!(open.words.iter().all(|word| !word.is_quoted) && open.pairs.iter().all(|pair| !pair.is_phrase), "{open:?}");
    }

    #[test]
    fn words_are_put_in_the_place_of_others() {
        let asked = ParsedQuery::parse("Nghij “quyết” 57, nghij");
        assert_eq!(
            asked.order.iter().map(|typed| (typed.word, typed.follows)).collect::<Vec<_>>(),
            [(0, false), (1, false), (2, false), (0, true)]
        );
        let words = [(0, "nghị".to_owned()), (3, "sự".to_owned())].into();
        assert_eq!(asked.rewritten(&words).typed, "nghị “quyết” 57, sự");
        assert_eq!(asked.rewritten(&BTreeMap::new()), asked);
        assert_eq!(asked.sought(3).forms.folded, "nghij");
    }

    #[test]
    fn a_number_is_seen_however_it_is_typed() {
        for typed in ["339-QĐ/TW", "quy dinh 339 qd tw", "339qdtw", "so 339-QD/TW ve so tay"] {
            assert!(ParsedQuery::parse(typed).signs.iter().any(|key| key == "339qdtw"), "{typed}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_and_signs_alone_are_nothing() {
        let long = ParsedQuery::parse(&"đảng viên ".repeat(1000));
        assert!(long.is_cut && long.typed.chars().count() <= SearchQuery::TYPED_MAX);
        for nothing in ["", "   ", "%*?()[]{}^$|\\", "\u{200b}\u{202e}\u{feff}", "\"\"\"", "-- ;"] {
            let asked = ParsedQuery::parse(nothing);
            assert!(asked.words.is_empty() && asked.signs.is_empty(), "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn anything_can_be_typed(typed in any::<String>()) {
            let asked = ParsedQuery::parse(&typed);
            prop_assert!(asked.words.len() <= WORDS_MAX && asked.typed.chars().count() <= SearchQuery::TYPED_MAX);
            for occurrence in &asked.order {
                let word = words(&asked.typed[occurrence.from..occurrence.until]).next().expect("a word");
                prop_assert_eq!(&word.exact, &asked.words[occurrence.word].forms.exact);
            }
        }
    }
}
