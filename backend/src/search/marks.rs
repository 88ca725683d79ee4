//! Which words of a document are marked as matches.
//!
//! A word typed with marks matches as typed if the document has it in this form; the same letters with other tones are other
//! words: `môi trường` does not mark `mỗi`. A word typed without marks may be any of several (`dang`: `đang`, `đăng`, `đảng`),
//! and the words next to it decide: in a document that has `đảng viên`, the query `dang vien` marks no `đăng xuất`. This is
//! decided for the document as a whole: title, text and files together.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    parsed_query::{ParsedQuery, QueryWord},
    words::{Forms, second_letter, words},
};

/// Words examined per text: about forty printed pages. For a longer text only matches up to there are shown.
const LOOKED_AT: usize = 20_000;

/// Letters of the longest Vietnamese syllable: a longer word may be two words without a space.
const SYLLABLE: usize = 7;

/// Words within this distance are read together if none are adjacent.
const NEAR: usize = 4;

/// A reading this many times rarer than the most frequent one is ignored.
const CHANCE: usize = 4;

/// A word of a text that matches the query.
#[derive(Debug, Clone, Copy)]
pub(super) struct MatchSpan {
    /// Index of the word in the text.
    pub(super) at: usize,
    pub(super) from: usize,
    pub(super) until: usize,
    /// Index of the word in the query.
    pub(super) word: usize,
    closeness: u8,
    /// Index of the spelling: see [`Marks::spelling`].
    written: usize,
}

/// A text and its matches.
#[derive(Debug)]
pub(super) struct MarkedText<'t> {
    pub(super) text: &'t str,
    pub(super) spots: Vec<MatchSpan>,
    /// All examined words, as byte ranges.
    pub(super) places: Vec<(usize, usize)>,
}

/// The matches in the texts of a document, the title first.
#[derive(Debug)]
pub(super) struct Marks<'t> {
    pub(super) texts: Vec<MarkedText<'t>>,
    /// The spellings found, in lower case.
    written: Vec<String>,
    /// Pairs of words that follow each other in the query.
    follow: BTreeSet<(usize, usize)>,
}

impl<'t> Marks<'t> {
    /// Finds the matches in the texts of a document; the first text is the title.
    pub(super) fn of(asked: &ParsedQuery, texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut marks = Self { texts: Vec::new(), written: Vec::new(), follow: follow(asked) };
        let mut spellings = BTreeMap::new();
        for text in texts {
            let marked = marks.read(asked, text, &mut spellings);
            marks.texts.push(marked);
        }
        marks.keep_closest(asked);
        marks.keep_meant(asked);
        marks
    }

    fn read(&mut self, asked: &ParsedQuery, text: &'t str, spellings: &mut BTreeMap<String, usize>) -> MarkedText<'t> {
        let beginnings = Beginnings::of(asked);
        let (mut spots, mut places) = (Vec::new(), Vec::new());
        let mut reader = words(text);
        let (mut forms, mut joined) = (Forms::default(), Joined::of(asked));
        while places.len() < LOOKED_AT
            && let Some(is_read) =
                reader.read_if(&mut forms, |first, second| joined.is_open() || beginnings.contains(first, second))
        {
            let at = places.len();
            places.push((forms.from, forms.until));
            if !is_read {
                continue;
            }
            let mut note = |word: usize, closeness: u8, at: usize, (from, until): (usize, usize)| {
                let spelling = text[from..until].to_lowercase();
                let next = spellings.len();
                let written = *spellings.entry(spelling).or_insert_with_key(|spelling| {
                    self.written.push(spelling.clone());
                    next
                });
                spots.push(MatchSpan { at, from, until, word, closeness, written });
            };
            if let Some(word) = joined.meet(&forms, at) {
                note(word, 1, at, (places[at - 1].0, places[at].1));
            }
            for (word, sought) in asked.words.iter().enumerate() {
                if let Some(closeness) = closeness(sought, &forms) {
                    note(word, closeness, at, places[at]);
                }
            }
        }
        spots.sort_by_key(|spot| spot.at);
        MarkedText { text, spots, places }
    }

    /// Keeps for each word only its closest matches.
    fn keep_closest(&mut self, asked: &ParsedQuery) {
        let mut best = vec![0; asked.words.len()];
        for spot in self.texts.iter().flat_map(|text| &text.spots) {
            best[spot.word] = best[spot.word].max(spot.closeness);
        }
        for text in &mut self.texts {
            text.spots.retain(|spot| spot.closeness == best[spot.word]);
        }
    }

    /// For a word typed without marks, keeps only the spellings that the adjacent words support.
    fn keep_meant(&mut self, asked: &ParsedQuery) {
        let beside =
            self.spellings(|before, after| after.at == before.at + 1 && self.follow.contains(&(before.word, after.word)));
        let near = self.spellings(|before, after| after.word != before.word && after.at > before.at);
        let title = self.texts.first().map(|title| &title.spots[..]).unwrap_or_default();
        let meant: Vec<BTreeSet<usize>> = (0..asked.words.len())
            .map(|word| {
                let in_title = || title.iter().filter(|spot| spot.word == word).map(|spot| spot.written).collect();
                let counted = |counts: &BTreeMap<(usize, usize), usize>| -> BTreeSet<usize> {
                    let counts: Vec<_> =
                        counts.range((word, 0)..(word + 1, 0)).map(|((_, written), count)| (*written, *count)).collect();
                    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
                    counts.into_iter().filter(|(_, count)| count * CHANCE >= most).map(|(written, _)| written).collect()
                };
                [counted(&beside), counted(&near), in_title()].into_iter().find(|meant| !meant.is_empty()).unwrap_or_default()
            })
            .collect();
        for text in &mut self.texts {
            text.spots.retain(|spot| {
                let meant = &meant[spot.word];
                asked.words[spot.word].is_marked || meant.is_empty() || meant.contains(&spot.written)
            });
        }
    }

    /// How often each spelling of a word occurs together with another word, as defined by `is_together`.
    fn spellings(&self, is_together: impl Fn(&MatchSpan, &MatchSpan) -> bool) -> BTreeMap<(usize, usize), usize> {
        let mut counts = BTreeMap::new();
        for (before, after) in self.together(is_together) {
            for spot in [before, after] {
                *counts.entry((spot.word, spot.written)).or_default() += 1;
            }
        }
        counts
    }

    /// Each occurrence of two adjacent words of the text that are also adjacent in the query.
    pub(super) fn side_by_side(&self) -> impl Iterator<Item = (&MatchSpan, &MatchSpan)> {
        self.together(|before, after| after.at == before.at + 1 && self.follow.contains(&(before.word, after.word)))
    }

    fn together(&self, is_together: impl Fn(&MatchSpan, &MatchSpan) -> bool) -> impl Iterator<Item = (&MatchSpan, &MatchSpan)> {
        let near = self.texts.iter().flat_map(|text| {
            text.spots.iter().enumerate().flat_map(move |(index, before)| {
                let after = text.spots[index + 1..].iter().take_while(|after| after.at <= before.at + NEAR);
                after.map(move |after| (before, after))
            })
        });
        near.filter(move |(before, after)| is_together(before, after))
    }

    /// The spelling of the match, in lower case.
    pub(super) fn spelling(&self, spot: &MatchSpan) -> &str {
        &self.written[spot.written]
    }

    /// Whether two words of the text follow each other as they do in the query.
    pub(super) fn follows(&self, before: &MatchSpan, after: &MatchSpan) -> bool {
        after.at == before.at + 1 && self.follow.contains(&(before.word, after.word))
    }
}

/// The first two letters of the words of a query. Asked once for each word of a text: few other words have the same.
struct Beginnings(Vec<(char, char)>);

impl Beginnings {
    fn of(asked: &ParsedQuery) -> Self {
        let words = asked.words.iter().map(|word| word.forms.folded.as_str());
        Self(words.filter_map(|folded| Some((folded.chars().next()?, second_letter(folded)))).collect())
    }

    /// Whether a word may have these letters; the second one if it is known.
    fn contains(&self, first: char, second: Option<char>) -> bool {
        self.0.iter().any(|(one, other)| *one == first && second.is_none_or(|second| second == *other))
    }
}

fn follow(asked: &ParsedQuery) -> BTreeSet<(usize, usize)> {
    asked.order.windows(2).filter(|two| two[1].follows).map(|two| (two[0].word, two[1].word)).collect()
}

/// How closely a word of the text matches a word of the query.
fn closeness(sought: &QueryWord, word: &Forms) -> Option<u8> {
    if sought.is_marked && word.exact == sought.forms.exact {
        Some(4)
    } else if sought.is_marked && word.letters == sought.forms.letters {
        Some(3)
    } else if word.folded == sought.forms.folded {
        Some(2)
    } else if sought.is_met_by(word) {
        Some(1)
    } else {
        None
    }
}

/// Matches two words of the text that were typed as one.
struct Joined {
    /// Words of the query that may be two words.
    words: Vec<(usize, String)>,
    before: String,
    at: usize,
}

impl Joined {
    fn of(asked: &ParsedQuery) -> Self {
        let long = asked.words.iter().enumerate().filter(|(_, word)| !word.is_quoted && word.length() > SYLLABLE);
        Self { words: long.map(|(at, word)| (at, word.forms.folded.clone())).collect(), before: String::new(), at: usize::MAX }
    }

    /// Whether any word of the text may be a part of one.
    fn is_open(&self) -> bool {
        !self.words.is_empty()
    }

    /// The word of the query that this word of the text forms together with the preceding one.
    fn meet(&mut self, forms: &Forms, at: usize) -> Option<usize> {
        if self.words.is_empty() {
            return None;
        }
        let is_next = self.at.checked_add(1) == Some(at);
        let parts = |word: &str| word.strip_prefix(self.before.as_str()) == Some(forms.folded.as_str());
        let met = self.words.iter().find(|(_, word)| is_next && parts(word)).map(|(word, _)| *word);
        self.before.clone_from(&forms.folded);
        self.at = at;
        met
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The marked words of each text.
    fn marked(typed: &str, texts: &[&str]) -> Vec<String> {
        let marks = Marks::of(&ParsedQuery::parse(typed), texts.iter().copied());
        let words =
            |text: &MarkedText<'_>| text.spots.iter().map(|spot| &text.text[spot.from..spot.until]).collect::<Vec<_>>().join(" ");
        marks.texts.iter().map(words).collect()
    }

    #[test]
    fn another_tone_is_not_marked_where_the_document_has_the_word_as_typed() {
        assert_eq!(marked("môi trường", &["Mỗi ngày", "Giữ môi trường, mỗi trường hợp"]), ["", "môi trường trường"]);
        assert_eq!(marked("môi", &["Mỗi ngày", "Mọi người"]), ["Mỗi", ""], "otherwise the closest form matches");
        assert_eq!(marked("đường bộ", &["Dương và đường", "Đường bộ và bờ"]), ["đường", "Đường bộ"]);
    }

    #[test]
    fn typed_without_marks_a_word_is_read_as_it_stands_beside_the_others() {
        let texts = ["Sổ tay đảng viên", "Đăng xuất. Đang đánh giá đảng viên dự bị; đánh đổi, già."];
        assert_eq!(marked("danh gia dang vien", &texts), ["đảng viên", "đánh giá đảng viên đánh"]);
        let texts = ["Việc chung", "Giữ môi trường; mỗi ngày; môi sinh; mới"];
        assert_eq!(marked("moi truong", &texts)[1], "môi trường môi");
        let often = format!("{} Mỗi trường hợp.", "Môi trường. ".repeat(6));
        assert!(!marked("moi truong", &["", &often])[1].contains("Mỗi"), "a single occurrence is ignored");
    }

    #[test]
    fn where_no_words_stand_side_by_side_those_near_each_other_are_meant() {
        let texts = ["", "Nghị quyết và nghĩa vụ của mọi người ở xa. Xin được nghỉ buổi họp."];
        assert_eq!(marked("xin nghi hop", &texts)[1], "Xin nghỉ họp");
    }

    #[test]
    fn a_word_alone_is_read_as_in_the_title() {
        assert_eq!(marked("dang", &["Đảng phí", "Đăng nhập, Đảng ủy, đang"]), ["Đảng", "Đảng"]);
        assert_eq!(marked("dang", &["Thu phí", "Đăng nhập, Đảng ủy"])[1], "Đăng Đảng", "all of them match");
    }

    /// The words that match, with the forms of every word.
    fn marked_by_forms(asked: &ParsedQuery, text: &str) -> Vec<(usize, usize)> {
        let met = |forms: &Forms| asked.words.iter().any(|sought| closeness(sought, forms).is_some());
        words(text).filter(met).map(|forms| (forms.from, forms.until)).collect()
    }

    proptest! {
        #[test]
        fn no_word_is_passed_over_that_matches(
            typed in "[kqliydđaáeếr]{1,3}( [kqluiydđaáeếy]{1,4}){0,2}",
            text in "([kqluiydđĐaáÁeếr\\u{301}\\u{200b}가]{1,4}[ .]){0,12}"
        ) {
            let asked = ParsedQuery::parse(&typed);
            let mut marks = Marks { texts: Vec::new(), written: Vec::new(), follow: follow(&asked) };
            let marked = marks.read(&asked, &text, &mut BTreeMap::new());
            let mut found: Vec<_> = marked.spots.iter().map(|spot| (spot.from, spot.until)).collect();
            found.dedup();
            prop_assert_eq!(found, marked_by_forms(&asked, &text));
        }
    }

    #[test]
    fn words_typed_as_one_and_unfinished_ones_are_marked() {
        assert_eq!(marked("chuyendoi so", &["Chuyển đổi số"]), ["Chuyển đổi số"]);
        assert_eq!(marked("cài đặt iph", &["Cài đặt iPhone"]), ["Cài đặt iPhone"]);
    }
}
