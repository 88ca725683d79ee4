//! Marks of state secrets (dấu độ mật): where a text bears one, as opposed to mentioning secrecy.
//!
//! A mark is the whole content of a line or a cell, or follows a letterhead or "Độ mật:", or is part of a sentence in which a
//! document describes itself. The same words in running text are not marks: "bảo mật", "mật ong", a law on the protection of
//! state secrets.

use unicode_normalization::UnicodeNormalization;

use super::wording::{HEADS, ISSUERS, LETTERHEADS, LEVELS, LOOSE_HEADS, NOUNS, OLD_LETTERS, STAMPS, TITLE_ENDS, URGENCY};

/// A longer cell is running text. In bytes.
const CELL_MAX: usize = 240;

/// A shorter line does not continue on the next one. In letters.
const WRAPPED_MIN: usize = 40;

/// Number of cells of the text that bear a mark.
pub(super) fn count(text: &str) -> usize {
    let mut found = 0;
    let mut before = Before::default();
    for line in text.lines() {
        let line = without_markup(line);
        found += in_line(&line, &before);
        before.then(&line);
    }
    found
}

/// Context above a line. Every cell of the line needs it, so it is computed once.
#[derive(Default)]
struct Before {
    /// Whether a line that begins with a lower-case letter continues the sentence of the line directly above.
    flows_on: bool,
    /// Whether the last line that was not empty introduces the subject of a law, a plan or a chapter on the next one.
    is_title: bool,
}

impl Before {
    fn then(&mut self, line: &str) {
        let line = line.trim_end();
        self.flows_on = line.chars().count() > WRAPPED_MIN && !line.ends_with(['.', ':', ';', '!', '?']);
        if line.is_empty() {
            return;
        }
        let words = words(line).collect::<Vec<_>>().join(" ").to_lowercase();
        self.is_title = ["chương", "mục", "phần", "điều", "bài"].iter().any(|start| starts_with_word(&words, start))
            || TITLE_ENDS.iter().any(|end| words.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with(' ')));
    }
}

/// The beginning of a text: a field has its value there, and a line may have any length.
fn near(text: &str) -> &str {
    &text[..text.floor_char_boundary(CELL_MAX)]
}

fn in_line(line: &str, before: &Before) -> usize {
    let cells = cells(line);
    let is_alone = cells.len() == 1;
    let mut found = 0;
    for (at, cell) in cells.iter().enumerate() {
        let is_introduced = at > 0 && is_head(cells[at - 1]) && level_of(cell).is_some_and(|(_, rest)| rest.is_empty());
        let is_short = cell.len() <= CELL_MAX;
        let is_mark = is_introduced
            || (is_short && (stands_alone(cell, is_alone, before) || has_marked_piece(cell) || begins_or_ends(cell)))
            || is_given(cell)
            || speaks_of_itself(cell);
        found += usize::from(is_mark);
    }
    found
}

/// Removes emphasis, tags and the underscores of file names, expands abbreviations, and replaces lookalike capitals of other
/// scripts.
fn without_markup(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((text, tag)) = rest.split_once('<') {
        plain.push_str(text);
        let is_tag = tag.starts_with(|c: char| c == '/' || c.is_ascii_alphabetic());
        match is_tag.then(|| tag.bytes().take(CELL_MAX).position(|b| b == b'>')).flatten() {
            Some(end) => rest = tag.get(end + 1..).unwrap_or_default(),
            None => {
                plain.push('<');
                rest = tag;
            }
        }
    }
    plain.push_str(rest);
    let looks = |c: char| match c {
        '_' => ' ',
        'А' => 'A',
        'Е' => 'E',
        'І' => 'I',
        'М' => 'M',
        'О' => 'O',
        'Т' => 'T',
        'У' => 'Y',
        other => other,
    };
    if ["MËT", "mËt", "MAÄT", "maät"].iter().any(|word| plain.contains(word)) {
        for (old, new) in OLD_LETTERS {
            plain = plain.replace(old, new);
        }
    }
    let plain: String = plain.chars().filter(|c| !matches!(c, '*' | '~' | '`' | '\\')).map(looks).collect();
    if plain.contains("BMNN") {
        return plain.replace("BVBMNN", "Bảo vệ bí mật nhà nước").replace("BMNN", "Bí mật nhà nước");
    }
    plain
}

/// The separate parts of a line: table cells, and pieces divided by wide gaps, tabs or the columns of a letterhead.
fn cells(line: &str) -> Vec<&str> {
    let mut cells: Vec<&str> = line.split(['|', '\t']).flat_map(|part| part.split("   ")).collect();
    for phrase in LETTERHEADS {
        cells = cells.into_iter().flat_map(|cell| cell.split(phrase)).collect();
    }
    cells.retain(|cell| cell.contains(char::is_alphanumeric));
    cells.into_iter().map(str::trim).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn starts_with_word(text: &str, start: &str) -> bool {
    text.strip_prefix(start).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// Whether the cell is nothing but a mark. Spaces are ignored, so that spaced letters, `M Ậ T`, form a word.
fn stands_alone(cell: &str, is_alone: bool, before: &Before) -> bool {
    let letters: Vec<char> = cell.chars().filter(|c| c.is_alphanumeric()).collect();
    let Some(first) = letters.iter().copied().find(|c| c.is_alphabetic()) else { return false };
    if first.is_lowercase() && before.flows_on {
        return false;
    }
    if STAMPS.iter().any(|stamp| is_whole(&letters, stamp)) {
        return true;
    }
    let page = without_page(&letters);
    let is_capital = !page.iter().any(|c| c.is_lowercase());
    let letters = without_urgency(if is_capital { page } else { &letters });
    match NOUNS.iter().find_map(|noun| {
        strip(letters, noun).filter(|(rest, _)| is_level(rest) || is_whole(rest, "bí mật") || says_state_secret(rest))
    }) {
        Some((_, bare)) => !bare || first.is_uppercase(),
        None if is_level(letters) => match (is_whole(letters, "mật"), is_exactly_level(letters)) {
            // "Mật" is honey in a table of goods.
            (true, true) => is_capital || is_alone,
            // Without diacritics the word is ambiguous.
            (true, false) => is_capital && is_alone,
            (false, is_exact) => is_exact || first.is_uppercase(),
        },
        None => says_state_secret(letters) && first.is_uppercase() && !cell.starts_with('#') && !before.is_title,
    }
}

fn is_level(letters: &[char]) -> bool {
    LEVELS.iter().any(|level| is_whole(letters, level))
}

fn is_exactly_level(letters: &[char]) -> bool {
    LEVELS.iter().any(|level| matches!(strip(letters, level), Some(([], false))))
}

/// "Bí mật nhà nước", "thuộc danh mục bí mật nhà nước độ Tối mật", "bảo vệ bí mật nhà nước" and nothing else.
fn says_state_secret(letters: &[char]) -> bool {
    let mut rest = letters;
    for optional in [&["thuộc", "chứa", "có", "bảo vệ"][..], &["nội dung", "phạm vi", "danh mục", "diện"]] {
        // "Danh mục bí mật nhà nước" is the name of the list of secrets.
        if optional.contains(&"danh mục") && rest.len() == letters.len() && strip(rest, "nội dung").is_none() {
            continue;
        }
        if let Some((after, _)) = optional.iter().find_map(|word| strip(rest, word)) {
            rest = after;
        }
    }
    let Some((rest, _)) = strip(rest, "bí mật nhà nước") else { return false };
    let rest = ["độ", "mức", "loại"].iter().find_map(|word| strip(rest, word)).map_or(rest, |(rest, _)| rest);
    rest.is_empty() || is_level(rest)
}

/// Removes a page number.
fn without_page(letters: &[char]) -> &[char] {
    let mut rest = letters;
    // A loop, because a long line may repeat it many times.
    loop {
        while let [first, after @ ..] = rest
            && first.is_ascii_digit()
        {
            rest = after;
        }
        while let [before @ .., last] = rest
            && last.is_ascii_digit()
        {
            rest = before;
        }
        match strip(rest, "trang") {
            Some((after, false)) => rest = after,
            _ => break,
        }
    }
    match rest.split_at_checked(rest.len().saturating_sub("trang".len())) {
        Some((before, end)) if is_whole(end, "trang") => before,
        _ => rest,
    }
}

/// A piece between two separators is a mark by itself: "TÀI LIỆU NỘI BỘ - MẬT", "Tuyệt mật - Bản số 1", "Số 15/KH-CA (Mật)".
fn has_marked_piece(cell: &str) -> bool {
    // More than one level is a list of choices, and a question is not a mark.
    if levels_named(cell) != 1 || cell.trim_end().ends_with('?') {
        return false;
    }
    let is_sign = |c: char| matches!(c, '-' | '–' | '—' | '/' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '.' | '•' | '·');
    let pieces: Vec<&str> = cell.split(is_sign).map(str::trim).filter(|piece| !piece.is_empty()).collect();
    let length = words(cell).count();
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return false };
    // "A. MẬT" is a choice of a quiz.
    if pieces.len() < 2 || first.chars().count() <= 2 {
        return false;
    }
    let most = if cell.chars().any(char::is_lowercase) { 8 } else { 14 };
    let is_capital = |piece: &str| !piece.chars().any(char::is_lowercase);
    if length <= most && [first, last].iter().any(|piece| is_capital(piece) && is_marked(piece)) {
        return true;
    }
    let numbered = starts_with_word(&first.to_lowercase(), "số") && cell.trim_end().ends_with([')', ']']) && is_marked(last);
    let second = words(pieces[1]).next().unwrap_or_default().to_lowercase();
    let beside = matches!(&*second, "bản" | "số" | "không" | "chỉ" | "cấm" | "lưu" | "a" | "b" | "c");
    numbered || (length <= most && beside && first.starts_with(char::is_uppercase) && is_marked(first))
}

/// A level, with an optional noun before it.
fn is_marked(piece: &str) -> bool {
    let letters: Vec<char> = piece.chars().filter(|c| c.is_alphanumeric()).collect();
    is_exactly_level(&letters)
        || NOUNS.iter().any(|noun| matches!(strip(&letters, noun), Some((rest, false)) if is_exactly_level(rest)))
}

fn without_urgency(letters: &[char]) -> &[char] {
    let mut rest = letters;
    for word in URGENCY {
        if let Some((after, false)) = strip(rest, word).filter(|(after, _)| !after.is_empty()) {
            rest = after;
        }
        let length = word.chars().filter(|c| *c != ' ').count();
        if let Some((before, end)) = rest.split_at_checked(rest.len().saturating_sub(length))
            && !before.is_empty()
            && is_whole(end, word)
        {
            rest = before;
        }
    }
    rest
}

/// The rest after the word, and whether diacritics were missing: stamps and systems without Vietnamese letters drop them. A wrong
/// diacritic makes a different word.
fn strip<'l>(letters: &'l [char], word: &str) -> Option<(&'l [char], bool)> {
    let mut rest = letters;
    let mut bare = false;
    for wanted in word.chars().filter(|c| *c != ' ') {
        let (first, after) = rest.split_first()?;
        let first = first.to_lowercase().next().unwrap_or(*first);
        if first != wanted {
            if !lacks_marks(first, wanted) {
                return None;
            }
            bare = true;
        }
        rest = after;
    }
    Some((rest, bare))
}

fn is_whole(letters: &[char], word: &str) -> bool {
    strip(letters, word).is_some_and(|(rest, _)| rest.is_empty())
}

/// Whether the letter differs from the wanted one by missing diacritics only: `A`, `Â` and `Ạ` for `Ậ`.
fn lacks_marks(letter: char, wanted: char) -> bool {
    if wanted == 'đ' {
        return matches!(letter, 'd' | 'ð');
    }
    let mut wanted = std::iter::once(wanted).nfd();
    let mut found = std::iter::once(letter).nfd();
    if wanted.next() != found.next() {
        return false;
    }
    let marks: Vec<char> = wanted.collect();
    found.all(|mark| marks.contains(&mark))
}

/// The level at the beginning of a text, in any case, and the rest after it.
fn level_of(text: &str) -> Option<(&'static str, &str)> {
    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    LEVELS.iter().find_map(|level| Some((*level, after(text, level)?)))
}

/// The rest after the words, which must end there. Diacritics may be missing.
fn after<'t>(text: &'t str, wanted: &str) -> Option<&'t str> {
    let mut rest = text;
    for (at, word) in wanted.split(' ').enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(' ')?.trim_start();
        }
        let length = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (found, more) = rest.split_at(length);
        let found: Vec<char> = found.chars().collect();
        if !is_whole(&found, word) {
            return None;
        }
        rest = more;
    }
    Some(rest)
}

fn is_head(cell: &str) -> bool {
    HEADS.iter().any(|head| after(cell, head).is_some_and(|rest| !rest.contains(char::is_alphanumeric)))
}

/// How often a level is named, except in "bí mật", "bảo mật" and "độ mật".
fn levels_named(text: &str) -> usize {
    let mut before = String::new();
    words(text)
        .filter(|word| {
            let word = word.to_lowercase();
            let is_level = word == "mật"
                && !matches!(before.as_str(), "bí" | "bảo" | "độ" | "dấu" | "cơ" | "giải" | "gan" | "túi" | "sỏi" | "đường");
            before = word;
            is_level
        })
        .count()
}

fn names_level(text: &str) -> bool {
    levels_named(text) > 0
}

/// A mark in capital letters with other content beside it: "TỐI MẬT - HỎA TỐC, bản số 2", "TỈNH ỦY TRÀ KHÚC MẬT", "KẾ HOẠCH
/// (MẬT)".
fn begins_or_ends(cell: &str) -> bool {
    let is_capital = |text: &str| !text.chars().any(char::is_lowercase);
    let start = NOUNS.iter().find_map(|noun| after(cell, noun).map(str::trim_start));
    let Some((level, rest)) = level_of(start.unwrap_or(cell)) else { return ends_with_mark(cell) };
    let word = words(rest).next().unwrap_or_default().to_lowercase();
    if names_level(rest) || matches!(&*word, "là" | "và" | "hoặc") {
        return false;
    }
    let marked = &cell[..cell.len() - rest.len()];
    let follows = matches!(&*word, "số" | "bản" | "cấp") || rest.trim_start().starts_with(['-', '–', '—', '(']);
    let before_unit = ISSUERS.iter().any(|issuer| starts_with_word(&rest.trim_start().to_lowercase(), issuer));
    if is_capital(marked) && (follows || (is_capital(cell) && (before_unit || (start.is_none() && level != "mật")))) {
        return true;
    }
    let is_apart = rest.trim_start().starts_with(['-', '–', '—', '(', ',', '.']);
    if start.is_some() && is_apart && matches!(&*word, "không" | "cấm" | "chỉ" | "lưu") {
        return true;
    }
    ends_with_mark(cell)
}

/// A level in capital letters at the end of a cell: in brackets, after a number, after the name of a unit.
fn ends_with_mark(cell: &str) -> bool {
    let Some(level) = ["TUYỆT MẬT", "TỐI MẬT", "MẬT"].into_iter().find(|level| {
        let end = cell.trim_end_matches(|c: char| !c.is_alphanumeric());
        end.strip_suffix(level).is_some_and(|rest| rest.ends_with(|c: char| !c.is_alphanumeric()))
    }) else {
        return false;
    };
    let Some((start, end)) = cell.rsplit_once(level) else { return false };
    if names_level(start) {
        return false;
    }
    let sign = start.trim_end().chars().next_back();
    if matches!(sign, Some('(' | '[' | '{')) && end.trim_start().starts_with([')', ']', '}']) {
        return true;
    }
    let lower = start.to_lowercase();
    let last = words(&lower).last().unwrap_or_default();
    let is_numbered = starts_with_word(&lower, "số") && lower.contains('/') && words(&lower).count() <= 8;
    let is_unit = !start.chars().any(char::is_lowercase)
        && ISSUERS.iter().any(|issuer| starts_with_word(&lower, issuer))
        && !matches!(last, "bí" | "bảo" | "cơ" | "liệu" | "bản" | "văn" | "sơ" | "độ" | "dấu" | "giải");
    is_numbered || is_unit
}

/// A field with the level or with its term: "Độ mật: Tuyệt mật", "Thời hạn bảo vệ bí mật nhà nước: 10 năm".
fn is_given(cell: &str) -> bool {
    let mut start = 0;
    while let Some(rest) = cell.get(start..) {
        let head = HEADS.iter().find_map(|head| after(rest, head));
        if head.is_some_and(gives_level) {
            return true;
        }
        let loose = LOOSE_HEADS.iter().find_map(|head| after(rest, head)).and_then(|rest| rest.trim_start().strip_prefix(':'));
        if start == 0 && loose.and_then(level_of).is_some_and(|(_, rest)| !rest.contains(char::is_alphanumeric)) {
            return true;
        }
        let term = after(rest, "thời hạn bảo vệ bí mật nhà nước");
        let term = term.or_else(|| after(rest, "bảo vệ bí mật nhà nước").filter(|_| start == 0)).map(str::trim_start);
        if term.is_some_and(|term| gives_term(term) || (start == 0 && term.is_empty() && rest.starts_with(['T', 't']))) {
            return true;
        }
        let Some(end) = rest.find(' ') else { return false };
        start += end + 1;
    }
    false
}

/// "10 năm", "đến ngày 1/1/2030".
fn gives_term(text: &str) -> bool {
    let value = near(text.trim_start_matches([':', ' ']));
    (value.starts_with(|c: char| c.is_ascii_digit()) && value.to_lowercase().contains("năm"))
        || after(value, "đến ngày").is_some()
}

fn gives_level(rest: &str) -> bool {
    let value =
        rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '-' | '–' | '—' | '=' | '.' | '…' | '"' | '“'));
    let has_sign = rest.len() - value.len() > rest.len() - rest.trim_start().len();
    let value = near(value);
    // More than one level is a list of choices.
    let is_one = |rest: &str| !names_level(rest) && (has_sign || !rest.contains(char::is_alphanumeric));
    let letters: Vec<char> = value.chars().filter(|c| c.is_alphanumeric()).collect();
    if has_sign && is_exactly_level(&letters) {
        return true;
    }
    value.starts_with(char::is_alphanumeric) && level_of(value).is_some_and(|(_, rest)| is_one(rest))
}

/// A sentence in which a document describes itself as secret.
fn speaks_of_itself(cell: &str) -> bool {
    if !cell.contains("ật") && !cell.contains("ẬT") {
        return false;
    }
    let lower = cell.to_lowercase();
    let words: Vec<&str> = words(&lower).collect();
    words.windows(2).enumerate().any(|(at, pair)| {
        let is_this = pair[1] == "này" && matches!(pair[0], "liệu" | "bản" | "văn" | "sơ" | "cáo" | "hoạch" | "điện" | "án");
        let is_here = pair == ["đây", "là"];
        (is_this || is_here) && says_secret(words.get(at + 2..).unwrap_or_default(), is_here)
    })
}

fn says_secret(words: &[&str], is_here: bool) -> bool {
    let mut words = words;
    while let Some((_, rest)) = words.split_first().filter(|(first, _)| matches!(**first, "được" | "đã" | "phải" | "cần"))
    {
        words = rest;
    }
    let near = words.get(..words.len().min(8)).unwrap_or_default();
    let says = match near {
        _ if is_here => true,
        ["là" | "thuộc" | "chứa" | "mang" | "đóng" | "xác" | "xếp", ..] => true,
        ["có", what, ..] => matches!(*what, "nội" | "độ" | "dấu" | "mức" | "chứa" | "bí" | "mật" | "tối" | "tuyệt" | "thông"),
        _ => false,
    };
    let level = near.iter().position(|word| *word == "mật").filter(|at| {
        let before = at.checked_sub(1).and_then(|before| near.get(before)).copied().unwrap_or_default();
        let protects = at.checked_sub(2).and_then(|before| near.get(before)).copied() == Some("vệ");
        match before {
            "bí" => !protects && near.get(at + 1..at + 3) == Some(&["nhà", "nước"][..]),
            "bảo" | "cơ" | "giải" => false,
            // "Đây là mật ong rừng."
            _ => !is_here || *at > 0 && matches!(before, "tối" | "tuyệt" | "liệu" | "bản" | "văn" | "sơ" | "điện" | "độ" | "dấu"),
        }
    });
    says && level.is_some_and(|level| !near[..level].iter().any(|word| matches!(*word, "không" | "chưa" | "hết" | "về")))
}
