//! The excerpt of a document that was found: its title and the passage with most of the words, as pieces of plain text.
//!
//! A passage begins and ends at a sentence boundary if one is near the words found, else at a boundary within a sentence.
//!
//! Invariant: no markup is made here. A piece says whether it matches the query; the page decides how to show that.

use std::collections::{BTreeMap, BTreeSet};

use domain::search::Piece;

use super::{
    index::Attached,
    marks::{MarkedText, Marks, MatchSpan},
    parsed_query::ParsedQuery,
    words::words,
};

/// Words of an excerpt if no sentence ends near its end.
const WORDS: usize = 36;

/// Words before the first match: at most this many if its sentence begins within them, at most `CLAUSE` if a part of it does,
/// else `LEAD`.
const SENTENCE: usize = 18;
const CLAUSE: usize = 12;
const LEAD: usize = 6;

/// An excerpt ends with a sentence that ends within these bounds.
const WORDS_MIN: usize = 14;
const WORDS_MAX: usize = 48;

/// Separator of blocks on one line, such as a heading and its text, or two items of a list.
const BLOCK: &str = " · ";

/// The excerpt of a document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Passage {
    pub(super) title: Vec<Piece>,
    pub(super) excerpt: Vec<Piece>,
    /// Name of the file the excerpt is from; `None` for the document itself.
    pub(super) attachment: Option<String>,
}

/// The texts of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts<'t> {
    pub(super) title: &'t str,
    /// Texts that are searched but not shown here: number, issuer, kind.
    pub(super) about: [&'t str; 3],
    pub(super) plain: &'t str,
    pub(super) files: &'t [Attached],
}

impl<'t> Texts<'t> {
    /// Title, text, `about`, then name and text of each file.
    fn all(self) -> impl Iterator<Item = &'t str> {
        let files = self.files.iter().flat_map(|file| [file.name.as_str(), file.text.as_str()]);
        [self.title, self.plain].into_iter().chain(self.about).chain(files)
    }
}

/// Number of texts in [`Texts::all`] that belong to the document itself.
const OWN: usize = 5;

pub(super) fn marks<'t>(texts: Texts<'t>, asked: &ParsedQuery) -> Marks<'t> {
    Marks::of(asked, texts.all())
}

/// The passage to show. If words matched that the document itself does not have, it is taken from the file with most of the
/// query.
pub(super) fn passage(texts: Texts<'_>, marks: &Marks<'_>, asked: &ParsedQuery) -> Passage {
    let title = &marks.texts[0];
    let title = pieces(title.text, 0, title.text.len(), &title.spots);
    let met = |texts: &[MarkedText<'_>]| -> BTreeSet<usize> {
        texts.iter().flat_map(|text| &text.spots).map(|spot| spot.word).collect()
    };
    let (own, files) = marks.texts.split_at(OWN);
    let met_here = met(own);
    let best = files
        .chunks_exact(2)
        .zip(texts.files)
        .map(|(parts, file)| (met(parts), &parts[1], file))
        .filter(|(met, ..)| !met.is_subset(&met_here))
        .rev()
        .max_by_key(|(met, ..)| met.len());
    if let Some((_, text, file)) = best {
        return Passage { title, excerpt: excerpt(marks, text, asked), attachment: Some(file.name.clone()) };
    }
    Passage { title, excerpt: excerpt(marks, &own[1], asked), attachment: None }
}

/// The passage of the text with most of the words, the first of equal ones; empty if there is no match.
fn excerpt(marks: &Marks<'_>, marked: &MarkedText<'_>, asked: &ParsedQuery) -> Vec<Piece> {
    let Some((first, last)) = densest(marks, &marked.spots, asked) else { return Vec::new() };
    let (begin, from_start) = beginning(marked, marked.spots[first].at);
    let (end, to_end) = ending(marked, begin, marked.spots[last].at);
    let from = marked.places[begin].0;
    let until = if to_end { sentence_end(marked, end) } else { marked.places[end - 1].1 };
    let inside = marked.spots.iter().filter(|spot| spot.from >= from && spot.until <= until).copied().collect::<Vec<MatchSpan>>();
    let mut pieces = one_line(pieces(marked.text, from, until, &inside));
    if !from_start {
        pieces.insert(0, Piece { text: "… ".to_owned(), found: false });
    }
    if !to_end {
        pieces.push(Piece { text: " …".to_owned(), found: false });
    }
    pieces
}

/// First and last match of the best passage.
fn densest(marks: &Marks<'_>, spots: &[MatchSpan], asked: &ParsedQuery) -> Option<(usize, usize)> {
    let mut counts = vec![0_usize; asked.words.len()];
    let (mut end, mut different, mut together, mut best) = (0, 0, 0_usize, None);
    let is_joined = |at: usize| at + 1 < spots.len() && marks.follows(&spots[at], &spots[at + 1]);
    for (begin, spot) in spots.iter().enumerate() {
        while end < spots.len() && spots[end].at < spot.at + WORDS - LEAD {
            let count = &mut counts[spots[end].word];
            different += usize::from(*count == 0);
            *count += 1;
            together += usize::from(end > begin && is_joined(end - 1));
            end += 1;
        }
        // Prefer many different words and words in the order typed, then many matches.
        let worth = (different + together.min(asked.words.len()), (end - begin).min(8));
        if best.is_none_or(|(_, known)| worth > known) {
            best = Some(((begin, end - 1), worth));
        }
        let count = &mut counts[spot.word];
        *count -= 1;
        different -= usize::from(*count == 0);
        together -= usize::from(begin + 1 < end && is_joined(begin));
    }
    best.map(|(found, _)| found)
}

/// The boundary between two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    Word,
    Clause,
    Sentence,
}

/// The boundary after a word of the text.
fn gap(marked: &MarkedText<'_>, at: usize) -> Gap {
    let Some(next) = marked.places.get(at + 1) else { return Gap::Sentence };
    let (from, until) = marked.places[at];
    let between = &marked.text[until..next.0];
    if between.contains('\n') {
        return Gap::Sentence;
    }
    let mut signs = between.chars().filter(|c| !matches!(c, '"' | '”' | '“' | '’' | ')' | ']'));
    match (signs.next(), signs.next()) {
        // The number of an article or a list item does not end a sentence, nor does an initial of a name.
        (Some('.'), Some(' ')) if ends_sentence(&marked.text[from..until]) => Gap::Sentence,
        (Some('!' | '?' | '…'), Some(' ')) => Gap::Sentence,
        (Some(',' | ';' | ':'), Some(' ')) => Gap::Clause,
        _ if between.contains(" – ") || between.contains(" — ") || between.contains(" - ") || between.contains(" (") => {
            Gap::Clause
        }
        _ => Gap::Word,
    }
}

fn ends_sentence(word: &str) -> bool {
    let length = word.chars().count();
    if word.chars().all(|c| c.is_ascii_digit()) { length > 2 } else { length > 1 && word.chars().any(char::is_lowercase) }
}

/// The first word of the excerpt, and whether a sentence begins there.
fn beginning(marked: &MarkedText<'_>, spot: usize) -> (usize, bool) {
    let mut clause = None;
    for back in 0..=SENTENCE.min(spot) {
        let begin = spot - back;
        let before = begin.checked_sub(1).map_or(Gap::Sentence, |before| gap(marked, before));
        if before == Gap::Sentence {
            return (begin, true);
        }
        if before == Gap::Clause && back <= CLAUSE {
            clause = Some(begin);
        }
    }
    (clause.unwrap_or(spot.saturating_sub(LEAD)), false)
}

/// The index after the last word of the excerpt, and whether a sentence ends there. Includes as many of the words up to `last` as
/// fit.
fn ending(marked: &MarkedText<'_>, begin: usize, last: usize) -> (usize, bool) {
    let most = (begin + WORDS_MAX).min(marked.places.len());
    let ends = |kind: Gap| (begin + 1..=most).rev().filter(move |end| gap(marked, end - 1) >= kind);
    let is_long = |end: &usize| *end >= begin + WORDS_MIN || *end == marked.places.len();
    let best = ends(Gap::Sentence).filter(is_long).find(|end| *end > last).or_else(|| ends(Gap::Sentence).find(is_long));
    // The shortest excerpt with all of them reads best.
    let best = best
        .map(|longest| (last + 1..longest).find(|end| gap(marked, end - 1) == Gap::Sentence && is_long(end)).unwrap_or(longest));
    if let Some(end) = best {
        return (end, true);
    }
    let usual = (begin + WORDS).min(marked.places.len());
    (ends(Gap::Clause).find(|end| *end > last.min(usual) && *end >= begin + WORDS_MIN).unwrap_or(usual), false)
}

/// The end of the sentence, after its punctuation and closing quotes and brackets.
fn sentence_end(marked: &MarkedText<'_>, end: usize) -> usize {
    let until = marked.places[end - 1].1;
    let rest = &marked.text[until..];
    let signs = rest.find(|c: char| c.is_whitespace() || c.is_alphanumeric()).unwrap_or(rest.len());
    until + signs
}

fn pieces(text: &str, from: usize, until: usize, spots: &[MatchSpan]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = from;
    for spot in spots {
        // One word of the text can match two words of the query.
        if spot.from < at {
            continue;
        }
        push(&mut pieces, &text[at..spot.from], false);
        push(&mut pieces, &text[spot.from..spot.until], true);
        at = spot.until;
    }
    push(&mut pieces, &text[at..until.max(at)], false);
    pieces
}

/// Marks adjacent matches as one.
fn push(pieces: &mut Vec<Piece>, text: &str, found: bool) {
    if text.is_empty() {
        return;
    }
    if let [.., before, between] = pieces.as_mut_slice()
        && found
        && before.found
        && between.text == " "
    {
        before.text = format!("{} {text}", before.text);
        pieces.pop();
        return;
    }
    pieces.push(Piece { text: text.to_owned(), found });
}

/// Joins blocks on one line. A block that ends with punctuation needs no separator.
fn one_line(mut pieces: Vec<Piece>) -> Vec<Piece> {
    // The last character, and whether white space follows it.
    let (mut last, mut is_spaced) = (' ', true);
    for piece in &mut pieces {
        let mut line = String::with_capacity(piece.text.len());
        for c in piece.text.chars() {
            match c {
                '\n' if is_spaced => {}
                '\n' if matches!(last, '.' | ':' | ';' | ',' | '!' | '?' | '…' | '·') => line.push(' '),
                '\n' => line.push_str(BLOCK),
                c => line.push(c),
            }
            is_spaced = c.is_whitespace();
            last = if is_spaced { last } else { c };
        }
        piece.text = line;
    }
    pieces
}

/// Whether the words of each phrase follow each other in one of the texts; pairs of the index cover two words, not three.
pub(super) fn has_phrases<'t>(asked: &ParsedQuery, texts: impl IntoIterator<Item = &'t str>) -> bool {
    if asked.phrases.is_empty() {
        return true;
    }
    let texts: Vec<Vec<String>> = texts.into_iter().map(|text| words(text).map(|word| word.folded).collect()).collect();
    asked.phrases.iter().all(|phrase| texts.iter().any(|text| text.windows(phrase.len()).any(|window| window == phrase)))
}

/// Weight of a pair of spellings found next to each other, against 1 for a spelling found alone.
const TOGETHER: usize = 1_000;

/// The query in the spelling of the documents: for each word the spelling that is most often next to the other words.
pub(super) fn spelt(asked: &ParsedQuery, documents: &[&Marks<'_>]) -> String {
    let mut alone: BTreeMap<usize, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut beside: BTreeMap<(usize, &str, usize, &str), usize> = BTreeMap::new();
    for marks in documents {
        for spot in marks.texts.iter().flat_map(|text| &text.spots) {
            *alone.entry(spot.word).or_default().entry(marks.spelling(spot)).or_default() += 1;
        }
        for (before, after) in marks.side_by_side() {
            *beside.entry((before.word, marks.spelling(before), after.word, marks.spelling(after))).or_default() += 1;
        }
    }
    // The best spelling of all words up to this one, for each spelling of this one.
    let mut ways: Vec<(usize, Vec<&str>)> = vec![(0, Vec::new())];
    for (at, occurrence) in asked.order.iter().enumerate() {
        let typed = [(&asked.typed[occurrence.from..occurrence.until], 0)];
        let known = alone.get(&occurrence.word).filter(|known| !known.is_empty());
        let spellings: Vec<(&str, usize)> =
            known.map_or_else(|| typed.to_vec(), |known| known.iter().map(|(spelling, count)| (*spelling, *count)).collect());
        let mut longer = Vec::with_capacity(spellings.len());
        for (spelling, count) in spellings {
            let best = ways.iter().map(|(weight, way)| {
                let before =
                    at.checked_sub(1).filter(|_| occurrence.follows).and_then(|at| Some((asked.order[at].word, *way.last()?)));
                let pair = before.and_then(|(word, before)| beside.get(&(word, before, occurrence.word, spelling)));
                (weight + count.min(TOGETHER - 1) + TOGETHER * pair.copied().unwrap_or_default(), way)
            });
            if let Some((weight, way)) = best.max_by_key(|(weight, _)| *weight) {
                longer.push((weight, [&way[..], &[spelling]].concat()));
            }
        }
        ways = longer;
    }
    let Some((_, words)) = ways.into_iter().max_by_key(|(weight, _)| *weight) else { return asked.typed.clone() };
    asked.rewritten(&words.into_iter().map(str::to_owned).enumerate().collect()).typed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(pieces: &[Piece]) -> String {
        pieces.iter().map(|piece| if piece.found { format!("[{}]", piece.text) } else { piece.text.clone() }).collect()
    }

    fn passage_of(title: &str, plain: &str, files: &[Attached], typed: &str) -> Passage {
        let asked = ParsedQuery::parse(typed);
        let texts = Texts { title, about: ["", "Xã Vạn Tường", ""], plain, files };
        passage(texts, &marks(texts, &asked), &asked)
    }

    fn excerpt_of(plain: &str, typed: &str) -> String {
        shown(&passage_of("", plain, &[], typed).excerpt)
    }

    #[test]
    fn the_densest_passage_is_shown_with_some_words_before_it() {
        let filler = "một hai ba bốn năm sáu bảy tám chín mười ".repeat(10);
        let text = format!("đảng ủy họp. {filler}thu nộp đảng phí hằng tháng {filler}");
        let shown = excerpt_of(&text, "đảng phí");
        assert!(shown.starts_with("… ") && shown.ends_with(" …") && shown.contains("thu nộp [đảng phí] hằng"), "{shown}");
        assert!(excerpt_of(&text, "khác lạ").is_empty());
    }

    #[test]
    fn a_passage_is_whole_sentences_where_it_can_be() {
        let text = "Mục 1. Mở đầu\nHôm nay trời mưa. Chi bộ họp lúc bảy giờ tối, ngày chủ nhật, để bàn việc thu đảng phí của quý \
                    này, có mặt tất cả mọi người (trừ bốn đồng chí đi biển). Sau đó ai về nhà nấy. Hết chuyện.";
        assert_eq!(
            excerpt_of(text, "thu đảng phí"),
            "Chi bộ họp lúc bảy giờ tối, ngày chủ nhật, để bàn việc [thu đảng phí] của quý này, có mặt tất cả mọi người (trừ bốn đồng \
             chí đi biển)."
        );
        let long = format!("{}, và rồi nộp đảng phí, rồi {}.", "đi ".repeat(40).trim(), "về ".repeat(60).trim());
        let shown = excerpt_of(&long, "đảng phí");
        assert!(shown.starts_with("… và rồi nộp [đảng phí], rồi") && shown.ends_with(" …"), "{shown}");
    }

    #[test]
    fn blocks_are_parted_once() {
        assert_eq!(excerpt_of("Việc phải làm:\nthu phí;\nA · B · \nnộp", "phí"), "thu [phí]; A · B · nộp");
        assert_eq!(excerpt_of("Đảng phí\nThu hằng tháng", "phí"), "Đảng [phí] · Thu hằng tháng");
    }

    #[test]
    fn a_passage_does_not_begin_before_its_paragraph() {
        assert_eq!(excerpt_of("Mục lục\nĐiều 1. Đảng phí", "phí"), "Điều 1. Đảng [phí]");
    }

    #[test]
    fn a_query_is_spelt_as_words_stand_together() {
        let texts = |plain| Texts { title: "Nghị quyết", about: ["", "", ""], plain, files: &[] };
        let asked = ParsedQuery::parse("nghi quyet moi truong");
        let plain = "Mỗi ngày, mỗi trường, mỗi việc, mỗi người. Nghị quyết môi trường biển; môi trường.";
        let document = marks(texts(plain), &asked);
        assert_eq!(spelt(&asked, &[&document]), "nghị quyết môi trường");
        let asked = ParsedQuery::parse("339 lạ");
        assert_eq!(spelt(&asked, &[]), "339 lạ");
    }

    #[test]
    fn a_passage_is_from_a_file_when_only_that_has_the_words() {
        let file = |name: &str, text: &str| Attached { name: name.to_owned(), text: text.to_owned() };
        let files = [file("Biểu 1.xlsx", "Mức thu"), file("Phụ lục.pdf", "Mức thu đảng phí của xã")];
        let from = |typed: &str| passage_of("Thông báo", "Thu hằng tháng.", &files, typed);
        let found = from("thu đảng phí");
        assert_eq!(
            (shown(&found.excerpt).as_str(), found.attachment.as_deref()),
            ("Mức [thu đảng phí] của xã", Some("Phụ lục.pdf"))
        );
        assert_eq!(from("mức thu").attachment.as_deref(), Some("Biểu 1.xlsx"), "the first of equal ones");
        assert_eq!(from("biểu").attachment.as_deref(), Some("Biểu 1.xlsx"), "by its name");
        let found = from("thu xã hằng tháng");
        assert_eq!(
            (shown(&found.excerpt).as_str(), found.attachment),
            ("[Thu hằng tháng].", None),
            "nothing is missing in the document"
        );
    }

    #[test]
    fn a_phrase_of_three_words_stands_together() {
        let asked = ParsedQuery::parse("\"sổ tay đảng viên\"");
        assert!(has_phrases(&asked, ["", "Về Sổ tay, sổ tay Đảng viên điện tử"]));
        assert!(!has_phrases(&asked, ["sổ tay đảng", "tay đảng, đảng viên"]));
    }

    proptest! {
        #[test]
        fn pieces_are_the_text(text in "\\PC{0,80}", typed in "\\PC{0,12}") {
            let pieces = passage_of(&text, "", &[], &typed).title;
            prop_assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), text);
        }

        #[test]
        fn any_text_has_an_excerpt_or_none(text in any::<String>(), typed in "\\PC{0,12}") {
            excerpt_of(&text, &typed);
        }

        #[test]
        fn an_excerpt_of_words_is_no_longer_than_it_may_be(text in "([abc]{1,3}[ .,\n;]{1,2}){0,150}", typed in "[abc]{1,3}") {
            let shown = excerpt_of(&text, &typed);
            prop_assert!(words(&shown).count() <= WORDS_MAX + LEAD, "{}", shown);
        }
    }
}
