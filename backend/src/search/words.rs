//! Vietnamese words as the search compares them: each in three forms, from the strictest to the most tolerant.
//!
//! | form | `Hoà` | `hòa` | `hoá` | `Đường` | ignores |
//! |---|---|---|---|---|---|
//! | exact | `hoa`+grave | `hoa`+grave | `hoa`+acute | `đươ̛ng`+grave | case, and which vowel carries the tone |
//! | letters | `hoa` | `hoa` | `hoa` | `đương` | the tone |
//! | folded | `hoa` | `hoa` | `hoa` | `duong` | all marks, and `đ` for `d` |
//!
//! A Vietnamese syllable has one tone. It is stored after the letters, so it does not matter which of two vowels carried it: the
//! two spellings `hoà` and `hòa`, both taught and both typed, are one word. So are `lý` and `lí`, `kỹ` and `kĩ`, `quý` and `quí`.
//!
//! Folding alone would be simpler, but `đường` in a query does not mean `dương`; and a second syllable decides the meaning of the
//! first, so pairs of adjacent words are terms of their own ([`Words`] yields them to the index through [`Forms::pair`]).

use std::sync::LazyLock;

use domain::folding::fold;
use unicode_normalization::char::{canonical_combining_class, decompose_canonical, is_combining_mark};

/// Letters of a word that are compared; no Vietnamese syllable has more than seven.
const LETTERS_MAX: usize = 40;

/// The tones: huyền, sắc, ngã, hỏi, nặng.
const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];

/// The forms of a word of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Forms {
    /// Byte range in the text.
    pub(super) from: usize,
    pub(super) until: usize,
    pub(super) exact: String,
    pub(super) letters: String,
    pub(super) folded: String,
}

impl Forms {
    /// Whether the word has a mark that folding removes.
    pub(super) fn is_marked(&self) -> bool {
        self.exact != self.folded
    }

    /// The term of two adjacent words: both without the space, as they are sometimes typed.
    pub(super) fn pair(before: &Self, after: &Self) -> String {
        format!("{}{}", before.folded, after.folded)
    }
}

/// Iterator over the words of a text, in order.
pub(super) struct Words<'t> {
    text: &'t str,
    at: usize,
}

pub(super) fn words(text: &str) -> Words<'_> {
    Words { text, at: 0 }
}

impl<'t> Words<'t> {
    /// Reads the next word into `forms`, whose strings are reused: an index has millions of words.
    pub(super) fn read(&mut self, forms: &mut Forms) -> bool {
        let Some(word) = self.next_word(forms) else { return false };
        form(word, forms);
        true
    }

    /// Advances to the next word. Its forms are only computed if `is_asked_for` accepts its first letter, folded, and its second
    /// one, as [`second_letter`] returns it, if that is known. Returns whether they were, or `None` at the end.
    pub(super) fn read_if(&mut self, forms: &mut Forms, is_asked_for: impl Fn(char, Option<char>) -> bool) -> Option<bool> {
        let word = self.next_word(forms)?;
        let is_read = first_folded(word).is_none_or(|first| is_asked_for(first, second_folded(word)));
        if is_read {
            form(word, forms);
        }
        Some(is_read)
    }

    fn next_word(&mut self, forms: &mut Forms) -> Option<&'t str> {
        let Some(from) = word_start(self.text, self.at) else {
            self.at = self.text.len();
            return None;
        };
        (forms.from, forms.until) = (from, word_end(self.text, from));
        self.at = forms.until;
        Some(&self.text[from..forms.until])
    }
}

/// The position of the first word from a character boundary on.
fn word_start(text: &str, mut at: usize) -> Option<usize> {
    while let Some(first) = text.as_bytes().get(at) {
        let is_start = if first.is_ascii() { first.is_ascii_alphanumeric() } else { length_if(text, at, begins) > 0 };
        if is_start {
            return Some(at);
        }
        at += if first.is_ascii() { 1 } else { text[at..].chars().next().map_or(1, char::len_utf8) };
    }
    None
}

/// The end of the word that contains the character boundary `at`.
fn word_end(text: &str, mut at: usize) -> usize {
    while let Some(first) = text.as_bytes().get(at) {
        let length = if first.is_ascii() { usize::from(first.is_ascii_alphanumeric()) } else { length_if(text, at, belongs) };
        if length == 0 {
            break;
        }
        at += length;
    }
    at
}

/// The length in bytes of the character at this boundary, which is not ASCII, if it is accepted, else 0. `accepts` must accept all
/// letters.
fn length_if(text: &str, at: usize, accepts: fn(char) -> bool) -> usize {
    match &text.as_bytes()[at..] {
        // The letters of Vietnamese, recognised by their bytes: decoding and classifying characters is most of the cost of reading
        // a text. U+00C0 to U+00FF without × and ÷; U+0100 to U+023F; U+1E00 to U+1EFF.
        [0xc3, second, ..] if !matches!(second, 0x97 | 0xb7) => 2,
        [0xc4..=0xc8, _, ..] => 2,
        [0xe1, 0xb8..=0xbb, _, ..] => 3,
        _ => text[at..].chars().next().filter(|c| accepts(*c)).map_or(0, char::len_utf8),
    }
}

/// The first letter of a word without its marks.
fn first_folded(word: &str) -> Option<char> {
    let first = word.chars().next()?;
    if first.is_ascii() {
        return Some(first.to_ascii_lowercase());
    }
    let mut folded = None;
    decompose_canonical(first, |part| {
        if folded.is_none() && canonical_combining_class(part) == 0 {
            folded = part.to_lowercase().next().map(|lower| if matches!(lower, 'đ' | 'ð') { 'd' } else { lower });
        }
    });
    folded
}

/// In place of the second letter of a word that has one letter.
const NO_LETTER: char = '\0';

/// The second letter of a folded word, for comparison with that of a word that is not folded yet: there, [`spell_alike`] may still
/// replace a `y`.
pub(super) fn second_letter(folded: &str) -> char {
    folded.chars().nth(1).map_or(NO_LETTER, unlike_y)
}

fn unlike_y(letter: char) -> char {
    if letter == 'y' { 'i' } else { letter }
}

/// The second letter as of [`second_letter`]; `None` if only the forms of the word can tell.
fn second_folded(word: &str) -> Option<char> {
    let mut letters = word.chars();
    latin_folded(letters.next()?)?;
    let Some(second) = letters.next() else { return Some(NO_LETTER) };
    latin_folded(second).map(unlike_y)
}

/// The folded form of a Latin letter or a digit, if it is one ASCII character.
fn latin_folded(letter: char) -> Option<char> {
    if letter.is_ascii() {
        return Some(letter.to_ascii_lowercase());
    }
    let at = match letter {
        LATIN_FIRST..=LATIN_LAST => u32::from(letter) - u32::from(LATIN_FIRST),
        VIETNAMESE_FIRST..=VIETNAMESE_LAST => LATIN_COUNT + u32::from(letter) - u32::from(VIETNAMESE_FIRST),
        _ => return None,
    };
    LATIN_FOLDED.get(at as usize).copied().flatten()
}

/// The letters with marks of Latin scripts, and those of Vietnamese with two marks.
const LATIN_FIRST: char = '\u{c0}';
const LATIN_LAST: char = '\u{23f}';
const VIETNAMESE_FIRST: char = '\u{1e00}';
const VIETNAMESE_LAST: char = '\u{1eff}';
const LATIN_COUNT: u32 = 0x23f - 0xc0 + 1;

/// [`latin_folded`] of these letters, in order.
static LATIN_FOLDED: LazyLock<Vec<Option<char>>> = LazyLock::new(|| {
    let mut forms = Forms::default();
    let mut folded = |letter: char| {
        form(&letter.to_string(), &mut forms);
        let mut letters = forms.folded.chars();
        letters.next().filter(|first| first.is_ascii() && letters.next().is_none())
    };
    (LATIN_FIRST..=LATIN_LAST).chain(VIETNAMESE_FIRST..=VIETNAMESE_LAST).map(&mut folded).collect()
});

impl Iterator for Words<'_> {
    type Item = Forms;

    fn next(&mut self) -> Option<Forms> {
        let mut forms = Forms::default();
        self.read(&mut forms).then_some(forms)
    }
}

/// Whether the character can begin a word.
fn begins(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() && !is_combining_mark(c) }
}

/// Whether the character continues a word. Invisible characters do not split a word.
fn belongs(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() || is_combining_mark(c) || is_invisible(c) }
}

/// Zero-width characters and bidirectional controls.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn form(word: &str, forms: &mut Forms) {
    let Forms { exact, letters, folded, .. } = forms;
    letters.clear();
    folded.clear();
    exact.clear();
    // Tones are collected here until the letters are complete.
    let tones = exact;
    for c in word.chars().filter(|c| c.is_ascii() || !is_invisible(*c)).take(LETTERS_MAX) {
        if c.is_ascii() {
            letters.push(c.to_ascii_lowercase());
            folded.push(c.to_ascii_lowercase());
            continue;
        }
        decompose_canonical(c, |part| {
            if TONES.contains(&part) {
                tones.push(part);
            } else if canonical_combining_class(part) != 0 {
                letters.push(part);
            } else {
                for lower in part.to_lowercase() {
                    // Old fonts use the Icelandic letter for `đ`.
                    letters.push(if lower == '\u{f0}' { 'đ' } else { lower });
                    folded.push(if matches!(lower, 'đ' | '\u{f0}') { 'd' } else { lower });
                }
            }
        });
    }
    spell_alike(letters);
    spell_alike(folded);
    let exact = tones;
    exact.insert_str(0, letters);
}

/// Replaces a `y` alone after one of these letters by `i`, which is as common a spelling.
fn spell_alike(word: &mut String) {
    if word.strip_suffix('y').is_some_and(|head| matches!(head, "h" | "k" | "l" | "m" | "s" | "t" | "qu")) {
        word.pop();
        word.push('i');
    }
}

/// The key of a document number: `339-QĐ/TW`, `339 qđ tw` and `0339qdtw` have the same.
pub(super) fn sign_key(text: &str) -> String {
    let folded: String = fold(text).chars().filter(|c| c.is_alphanumeric()).collect();
    folded.trim_start_matches('0').to_owned()
}

/// The whole key, and the one from the first digit on: a form is called `Mẫu 03-SH/ĐU`, and searched for as `03-SH/ĐU`.
pub(super) fn sign_keys(number: &str) -> Vec<String> {
    let whole = sign_key(number);
    let mut keys: Vec<String> = number.find(|c: char| c.is_ascii_digit()).map(|at| sign_key(&number[at..])).into_iter().collect();
    keys.push(whole);
    keys.dedup();
    keys.retain(|key| !key.is_empty());
    keys
}

/// Whether a key has both digits and letters, as only document numbers do.
pub(super) fn is_sign(key: &str) -> bool {
    key.bytes().any(|b| b.is_ascii_digit()) && key.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> Forms {
        let all: Vec<_> = words(text).collect();
        assert_eq!(all.len(), 1, "{text}: {all:?}");
        all.into_iter().next().expect("one")
    }

    #[test]
    fn a_tone_is_the_same_on_either_vowel() {
        for (a, b) in [("hoà", "hòa"), ("thuý", "thúy"), ("khoẻ", "KHỎE"), ("lý", "lí"), ("quý", "quí"), ("kỹ", "kĩ")]
        {
            assert_eq!(one(a).exact, one(b).exact, "{a} {b}");
        }
        for (a, b) in [("hoà", "hoá"), ("thuỷ", "thủ"), ("ý", "í")] {
            assert_ne!(one(a).exact, one(b).exact, "{a} {b}");
        }
    }

    #[test]
    fn the_forms_forgive_more_and_more() {
        let (road, sun, street) = (one("Đường"), one("Dương"), one("đưỡng"));
        assert_eq!(road.folded, "duong");
        assert_eq!(road.folded, sun.folded);
        assert_ne!(road.letters, sun.letters);
        assert_eq!(road.letters, street.letters);
        assert_ne!(road.exact, street.exact);
        assert!(road.is_marked() && !one("ban").is_marked());
    }

    #[test]
    fn marks_kept_apart_and_unseen_characters_make_no_difference() {
        assert_eq!(one("nghi\u{323}").exact, one("nghị").exact);
        assert_eq!(one("e\u{302}\u{301}").exact, one("ế").exact);
        assert_eq!(one("qu\u{200b}yế\u{202e}t").exact, one("quyết").exact);
        assert_eq!(words("\u{200b}\u{202e} -/* \u{301}").count(), 0);
    }

    #[test]
    fn the_second_letter_is_known_without_the_forms_or_not_at_all() {
        let letters: Vec<char> = (0..=0x1_ffff).filter_map(char::from_u32).filter(|c| begins(*c)).collect();
        for letter in letters {
            for text in [format!("a{letter}"), format!("{letter}b"), letter.to_string()] {
                let second = second_folded(&text);
                assert!(second.is_none_or(|second| second == second_letter(&one(&text).folded)), "{text} {second:?}");
            }
        }
        for (word, second) in [("Ấn", 'n'), ("kỷ", 'i'), ("Ý", NO_LETTER), ("2026", '0'), ("đổi", 'o')] {
            assert_eq!(second_folded(word), Some(second), "{word}");
        }
        for word in ["a\u{301}n", "q\u{200b}u", "সদস্য"] {
            assert_eq!(second_folded(word), None, "{word}");
        }
    }

    /// As characters are classified without a look at their bytes.
    fn words_by_character(text: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(begin) = text[at..].find(begins) {
            let from = at + begin;
            at = from + text[from..].find(|c: char| !belongs(c)).unwrap_or(text.len() - from);
            found.push((from, at));
        }
        found
    }

    #[test]
    fn every_character_is_in_a_word_or_between_words_as_its_class_says() {
        for c in (0..=0x1_ffff).filter_map(char::from_u32) {
            for text in [format!("{c}"), format!("a{c}b"), format!(" {c} ")] {
                let found: Vec<_> = words(&text).map(|word| (word.from, word.until)).collect();
                assert_eq!(found, words_by_character(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn bengali_words_are_whole() {
        let all: Vec<_> = words("সদস্য পুস্তিকা").map(|word| word.letters).collect();
        assert_eq!(all.len(), 2, "{all:?}");
    }

    #[test]
    fn a_number_has_one_key_however_it_is_typed() {
        for typed in ["339-QĐ/TW", "339 qđ tw", "339qdtw", "0339-QD-TW"] {
            assert_eq!(sign_key(typed), "339qdtw", "{typed}");
        }
        assert_eq!(sign_keys("Mẫu 03-SH/ĐU"), ["3shdu", "mau03shdu"]);
        assert_eq!(sign_keys("57-NQ/TW"), ["57nqtw"]);
        assert!(is_sign("57nqtw") && !is_sign("57") && !is_sign("quyet"));
    }

    proptest! {
        #[test]
        fn any_text_falls_into_words_at_its_characters(text in "\\PC{0,60}") {
            let mut end = 0;
            for word in words(&text) {
                prop_assert!(end <= word.from && word.from < word.until && text.is_char_boundary(word.until));
                prop_assert!(!word.folded.is_empty() && word.exact.starts_with(&word.letters));
                end = word.until;
            }
        }

        #[test]
        fn words_are_found_as_by_character(text in "[ a-c.×÷ăấđÀÿẠỹȿ\u{300}\u{323}\u{200b}সদ\u{9be}\n]{0,40}") {
            let found: Vec<_> = words(&text).map(|word| (word.from, word.until)).collect();
            prop_assert_eq!(found, words_by_character(&text));
        }

        #[test]
        fn words_that_begin_otherwise_are_passed_over(text in "\\PC{0,60}") {
            let all: Vec<Forms> = words(&text).collect();
            let mut reader = words(&text);
            let mut forms = Forms::default();
            for word in all {
                let first = word.folded.chars().next();
                let is_begun = |c, second: Option<char>| {
                    Some(c) == first && second.is_none_or(|second| second == second_letter(&word.folded))
                };
                prop_assert_eq!(reader.read_if(&mut forms, is_begun), Some(true));
                prop_assert_eq!(&forms, &word);
            }
            prop_assert_eq!(reader.read_if(&mut forms, |_, _| false), None);
        }
    }
}
