//! What is shown of a document that was found: its title and the passage with most of the words, as pieces of plain text.
//!
//! Invariant: no markup is made here. A piece says whether it was searched for, the page says how that looks.

use std::collections::{BTreeMap, BTreeSet};

use domain::search::Piece;

use super::{
    asked::{Asked, Sought},
    index::Attached,
    words::{Forms, is_similar, words},
};

/// Words of an excerpt, and how many of them stand before the first that was found.
const WORDS: usize = 36;
const LEAD: usize = 6;

/// Between a heading and its text, or two items of a list, on one line.
const BLOCK: &str = " · ";

/// Words of a text that are looked at: about forty printed pages. A longer text shows its first passages.
const LOOKED_AT: usize = 20_000;

/// A word of the text that was searched for.
#[derive(Debug, Clone, Copy)]
struct Spot {
    /// Which word of the text.
    at: usize,
    from: usize,
    until: usize,
    /// Which word of the query.
    word: usize,
    closeness: u8,
}

/// How closely a word of the text is the one that was searched for.
fn closeness(sought: &Sought, word: &Forms, forgive: bool) -> Option<u8> {
    if sought.is_marked && word.exact == sought.forms.exact {
        Some(4)
    } else if sought.is_marked && word.letters == sought.forms.letters {
        Some(3)
    } else if word.folded == sought.forms.folded {
        Some(2)
    } else if sought.is_met_by(word) {
        Some(1)
    } else if forgive && sought.is_forgiven() && is_similar(&word.folded, &sought.forms.folded) {
        Some(0)
    } else {
        None
    }
}

/// The words of the query in a text. Of each word only where it is met most closely: who types `đường` is not shown `dương` while
/// there is a `đường`.
fn spots(text: &str, asked: &Asked, forgive: bool) -> (Vec<Spot>, Vec<(usize, usize)>) {
    let mut spots: Vec<Spot> = Vec::new();
    let mut places = Vec::new();
    let mut best = vec![0; asked.words.len()];
    let mut reader = words(text);
    let mut forms = Forms::default();
    while places.len() < LOOKED_AT && reader.read(&mut forms) {
        for (word, sought) in asked.words.iter().enumerate() {
            if let Some(closeness) = closeness(sought, &forms, forgive) {
                best[word] = best[word].max(closeness);
                spots.push(Spot { at: places.len(), from: forms.from, until: forms.until, word, closeness });
            }
        }
        places.push((forms.from, forms.until));
    }
    spots.retain(|spot| spot.closeness == best[spot.word]);
    (spots, places)
}

/// Whether a word of the text goes on with the one before it as the query does.
fn follows(before: &Spot, after: &Spot) -> bool {
    after.at == before.at + 1 && after.word == before.word + 1
}

/// The words of the query to mark in a text. Typed without marks, `dang phi` may be any of `đang`, `đăng` and `đảng`: where it is met as
/// `đảng phí`, the others are not what was meant.
fn meant(text: &str, asked: &Asked, forgive: bool) -> (Vec<Spot>, Vec<(usize, usize)>) {
    let (mut spots, places) = spots(text, asked, forgive);
    let as_written = |spot: &Spot| text[spot.from..spot.until].to_lowercase();
    let mut together: Vec<BTreeSet<String>> = vec![BTreeSet::new(); asked.words.len()];
    for [before, after] in spots.array_windows() {
        if follows(before, after) {
            together[before.word].insert(as_written(before));
            together[after.word].insert(as_written(after));
        }
    }
    spots.retain(|spot| {
        let together = &together[spot.word];
        asked.words[spot.word].is_marked || together.is_empty() || together.contains(&as_written(spot))
    });
    (spots, places)
}

/// A title with what was found in it.
pub(super) fn title(title: &str, asked: &Asked, forgive: bool) -> Vec<Piece> {
    let (spots, _) = meant(title, asked, forgive);
    pieces(title, 0, title.len(), &spots)
}

/// The passage of the text where most of the words are, the first of equal ones; nothing when none is there.
pub(super) fn excerpt(text: &str, asked: &Asked, forgive: bool) -> Vec<Piece> {
    let (spots, places) = meant(text, asked, forgive);
    let Some(first) = densest(&spots, asked) else { return Vec::new() };
    let begin = beginning(text, &places, spots[first].at);
    let end = (begin + WORDS).min(places.len());
    let (from, until) = (places[begin].0, if end == places.len() { text.trim_end().len() } else { places[end - 1].1 });
    let inside: Vec<Spot> = spots.into_iter().filter(|spot| spot.from >= from && spot.until <= until).collect();
    let mut pieces = pieces(text, from, until, &inside);
    for piece in &mut pieces {
        piece.text = piece.text.replace('\n', BLOCK);
    }
    if begin > 0 && !text[..from].ends_with('\n') {
        pieces.insert(0, Piece { text: "… ".to_owned(), found: false });
    }
    if end < places.len() {
        pieces.push(Piece { text: " …".to_owned(), found: false });
    }
    pieces
}

/// The passage to show of a document, and the name of the file it is from when that is not the document itself: when words were met
/// that no part of the document has, of the file that has most of the query.
pub(super) fn passage(
    own: &[&str],
    text: &str,
    files: &[Attached],
    asked: &Asked,
    forgive: bool,
) -> (Vec<Piece>, Option<String>) {
    let met = |texts: &[&str]| -> BTreeSet<usize> {
        texts.iter().flat_map(|text| spots(text, asked, forgive).0).map(|spot| spot.word).collect()
    };
    if !files.is_empty() {
        let own = met(&[own, &[text]].concat());
        let best = files
            .iter()
            .map(|file| (met(&[&file.name, &file.text]), file))
            .filter(|(met, _)| !met.is_subset(&own))
            .rev()
            .max_by_key(|(met, _)| met.len());
        if let Some((_, file)) = best {
            return (excerpt(&file.text, asked, forgive), Some(file.name.clone()));
        }
    }
    (excerpt(text, asked, forgive), None)
}

/// The spot with which the best passage begins.
fn densest(spots: &[Spot], asked: &Asked) -> Option<usize> {
    let mut counts = vec![0_usize; asked.words.len()];
    let (mut end, mut different, mut together, mut best) = (0, 0, 0_usize, None);
    let is_joined = |at: usize| at + 1 < spots.len() && follows(&spots[at], &spots[at + 1]);
    for (begin, spot) in spots.iter().enumerate() {
        while end < spots.len() && spots[end].at < spot.at + WORDS - LEAD {
            let count = &mut counts[spots[end].word];
            different += usize::from(*count == 0);
            *count += 1;
            together += usize::from(end > begin && is_joined(end - 1));
            end += 1;
        }
        // Many different words first and words that stand as they were typed, then many.
        let worth = (different + together.min(asked.words.len()), (end - begin).min(8));
        if best.is_none_or(|(_, known)| worth > known) {
            best = Some((begin, worth));
        }
        let count = &mut counts[spot.word];
        *count -= 1;
        different -= usize::from(*count == 0);
        together -= usize::from(begin + 1 < end && is_joined(begin));
    }
    best.map(|(begin, _)| begin)
}

/// A few words before the spot, not before its paragraph.
fn beginning(text: &str, places: &[(usize, usize)], spot: usize) -> usize {
    let mut begin = spot;
    while begin > 0 && spot - begin < LEAD && !text[places[begin - 1].1..places[begin].0].contains('\n') {
        begin -= 1;
    }
    begin
}

fn pieces(text: &str, from: usize, until: usize, spots: &[Spot]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = from;
    for spot in spots {
        // One word of the text can be two of the query.
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

/// Found words next to each other are marked as one.
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

/// Whether the words of each phrase follow each other in one of the texts: the pairs of the index tell of two words, not of three.
pub(super) fn has_phrases<'t>(asked: &Asked, texts: impl IntoIterator<Item = &'t str>) -> bool {
    if asked.phrases.is_empty() {
        return true;
    }
    let texts: Vec<Vec<String>> = texts.into_iter().map(|text| words(text).map(|word| word.folded).collect()).collect();
    asked.phrases.iter().all(|phrase| texts.iter().any(|text| text.windows(phrase.len()).any(|window| window == phrase)))
}

/// What a word met next to another one of the query counts against one that stands alone: `chuyển` before `đổi số` is meant, `chuyên`
/// somewhere else is not.
const TOGETHER: usize = 10;

/// The query in the words of a text it was met in, when it was met in others than were typed.
pub(super) fn instead(asked: &Asked, texts: [&str; 2]) -> Option<String> {
    let mut met: Vec<BTreeMap<(u8, String), usize>> = vec![BTreeMap::new(); asked.words.len()];
    for text in texts {
        let (spots, _) = spots(text, asked, true);
        for (index, spot) in spots.iter().enumerate() {
            let near = spots[index.saturating_sub(2)..spots.len().min(index + 3)].iter();
            let is_together = near.filter(|other| other.word != spot.word).any(|other| other.at.abs_diff(spot.at) == 1);
            let word = text[spot.from..spot.until].to_lowercase();
            *met[spot.word].entry((spot.closeness, word)).or_default() += if is_together { TOGETHER } else { 1 };
        }
    }
    let met: Option<Vec<(u8, String)>> = met
        .into_iter()
        .map(|words| words.into_iter().max_by_key(|((closeness, _), count)| (*closeness, *count)).map(|(word, _)| word))
        .collect();
    let met = met?;
    let is_other = met.iter().any(|(closeness, _)| *closeness == 0);
    is_other.then(|| met.into_iter().map(|(_, word)| word).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(pieces: &[Piece]) -> String {
        pieces.iter().map(|piece| if piece.found { format!("[{}]", piece.text) } else { piece.text.clone() }).collect()
    }

    #[test]
    fn what_was_searched_for_is_marked_where_it_is_met_most_closely() {
        let asked = Asked::parse("đường bộ");
        let text = "Tránh Dương và đường. Đường bộ và bờ.";
        assert_eq!(shown(&title(text, &asked, false)), "Tránh Dương và [đường]. [Đường bộ] và bờ.");
        let plain = Asked::parse("duong");
        assert_eq!(shown(&title(text, &plain, false)), "Tránh [Dương] và [đường]. [Đường] bộ và bờ.");
    }

    #[test]
    fn typed_without_marks_words_that_stand_together_are_meant() {
        let asked = Asked::parse("dang phi");
        let text = "Đang đăng ký. Phí đường bộ. Thu đảng phí; Đảng thu phí, phi đội.";
        assert_eq!(
            shown(&title(text, &asked, false)),
            "Đang đăng ký. [Phí] đường bộ. Thu [đảng phí]; [Đảng] thu [phí], phi đội."
        );
        assert_eq!(shown(&title("Đang phi", &asked, false)), "[Đang phi]");
        let far = "chữ ".repeat(40);
        let text = format!("đăng một phi hai đăng ba phi. {far}thu đảng phí. {far}");
        assert!(shown(&excerpt(&text, &asked, false)).contains("thu [đảng phí]"));
    }

    #[test]
    fn the_densest_passage_is_shown_with_some_words_before_it() {
        let filler = "một hai ba bốn năm sáu bảy tám chín mười ".repeat(10);
        let text = format!("đảng ủy họp. {filler}thu nộp đảng phí hằng tháng. {filler}");
        let excerpt = excerpt(&text, &Asked::parse("đảng phí"), false);
        let shown = shown(&excerpt);
        assert!(shown.starts_with("… ") && shown.ends_with(" …") && shown.contains("thu nộp [đảng phí] hằng"), "{shown}");
        assert!(super::excerpt(&text, &Asked::parse("khác lạ"), false).is_empty());
    }

    #[test]
    fn a_passage_does_not_begin_before_its_paragraph() {
        let excerpt = excerpt("Mục lục\nĐiều 1. Đảng phí", &Asked::parse("phí"), false);
        assert_eq!(shown(&excerpt), "Điều 1. Đảng [phí]");
    }

    #[test]
    fn errors_are_forgiven_only_when_asked_to() {
        let asked = Asked::parse("chuyn đổi");
        let text = "Chuyển đổi số";
        assert_eq!(shown(&title(text, &asked, false)), "Chuyển [đổi] số");
        assert_eq!(shown(&title(text, &asked, true)), "[Chuyển đổi] số");
        assert_eq!(instead(&asked, [text, ""]).as_deref(), Some("chuyển đổi"));
        let often = "Chuyên đề chuyên sâu, chuyên gia: chuyển đổi";
        assert_eq!(instead(&asked, [text, often]).as_deref(), Some("chuyển đổi"));
        assert_eq!(instead(&Asked::parse("chuyen doi"), [text, ""]), None);
    }

    #[test]
    fn a_passage_is_from_a_file_when_only_that_has_the_words() {
        let file = |name: &str, text: &str| Attached { name: name.to_owned(), text: text.to_owned() };
        let files = [file("Biểu 1.xlsx", "Mức thu"), file("Phụ lục.pdf", "Mức thu đảng phí của xã")];
        let from = |typed: &str| passage(&["Thông báo", "Xã Vạn Tường"], "Thu hằng tháng.", &files, &Asked::parse(typed), false);
        let (pieces, name) = from("thu đảng phí");
        assert_eq!((shown(&pieces).as_str(), name.as_deref()), ("Mức [thu đảng phí] của xã", Some("Phụ lục.pdf")));
        assert_eq!(from("mức thu").1.as_deref(), Some("Biểu 1.xlsx"), "the first of equal ones");
        assert_eq!(from("biểu").1.as_deref(), Some("Biểu 1.xlsx"), "by its name");
        let (pieces, name) = from("thu xã hằng tháng");
        assert_eq!((shown(&pieces).as_str(), name), ("[Thu hằng tháng].", None), "nothing is missing in the document");
    }

    #[test]
    fn a_phrase_of_three_words_stands_together() {
        let asked = Asked::parse("\"sổ tay đảng viên\"");
        assert!(has_phrases(&asked, ["", "Về Sổ tay, sổ tay Đảng viên điện tử"]));
        assert!(!has_phrases(&asked, ["sổ tay đảng", "tay đảng, đảng viên"]));
    }

    proptest! {
        #[test]
        fn pieces_are_the_text(text in "\\PC{0,80}", typed in "\\PC{0,12}") {
            let pieces = title(&text, &Asked::parse(&typed), true);
            prop_assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), text);
        }

        #[test]
        fn any_text_has_an_excerpt_or_none(text in any::<String>(), typed in "\\PC{0,12}") {
            excerpt(&text, &Asked::parse(&typed), true);
        }
    }
}
