//! Folding Vietnamese text for comparison: no case, no tone or vowel marks, `đ` as `d`.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The Icelandic letter that old fonts and converters write for `Đ`; both look the same on paper.
const ETH: char = '\u{d0}';

/// The same for `đ`.
const ETH_SMALL: char = '\u{f0}';

/// `Nguyễn Đức` → `nguyen duc`. Runs of white space become one space, and the ends are trimmed.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let end = folded.len();
        if end > 0 {
            folded.push(' ');
        }
        let begin = folded.len();
        for letter in word.nfd().filter(|letter| !is_combining_mark(*letter)) {
            match letter {
                'đ' | 'Đ' | ETH_SMALL | ETH => folded.push('d'),
                other => folded.extend(other.to_lowercase()),
            }
        }
        // A word that consists of marks only is dropped.
        if folded.len() == begin {
            folded.truncate(end);
        }
    }
    folded
}

/// Normalises to NFC, and replaces the Icelandic letter that looks like `Đ`. Legacy encodings and some systems write decomposed
/// text; equal-looking texts must compare equal.
pub fn compose(text: &str) -> String {
    text.nfc()
        .map(|letter| match letter {
            ETH => 'Đ',
            ETH_SMALL => 'đ',
            other => other,
        })
        .collect()
}

/// As [`fold`], for names of people: any apostrophe or dash separates words. `H'Hen`, `H’Hen` and `H Hen` are equal, and so are
/// `Diệu-Liên` and `Diệu Liên`.
pub fn fold_name(name: &str) -> String {
    let parted: String = name.chars().map(|c| if is_apostrophe(c) || is_dash(c) { ' ' } else { c }).collect();
    fold(&parted)
}

const fn is_apostrophe(c: char) -> bool {
    matches!(
        c,
        '\'' | '`'
            | '\u{b4}'
            | '\u{2b9}'..='\u{2bc}'
            | '\u{2c8}'
            | '\u{2ca}'
            | '\u{2cb}'
            | '\u{2018}'..='\u{201b}'
            | '\u{2032}'
            | '\u{2035}'
            | '\u{ff07}'
            | '\u{ff40}'
    )
}

const fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
}

/// Sort key of Vietnamese name lists: the given name, then the whole name, folded. `Nguyễn Thị Ánh` → `anh nguyen thi anh`.
pub fn name_order(full_name: &str) -> String {
    let folded = fold_name(full_name);
    let given = folded.rsplit(' ').next().unwrap_or_default();
    format!("{given} {folded}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_case_and_spaces_do_not_matter() {
        assert_eq!(fold("  Nguyễn\u{a0}Đức  THẮNG "), "nguyen duc thang");
        assert_eq!(fold("Nguyễn \u{301}"), "nguyen", "a word of marks only is dropped");
        assert_eq!(fold("Nguyễn".nfd().collect::<String>().as_str()), fold("Nguyễn"));
    }

    #[test]
    fn decomposed_marks_are_composed() {
        assert_eq!(compose("Nguyê\u{303}n"), "Nguyễn");
    }

    #[test]
    fn the_icelandic_letter_is_the_vietnamese_one() {
        assert_eq!(compose("\u{d0}ỗ Văn \u{f0}ăng"), "Đỗ Văn đăng");
        assert_eq!(fold("\u{d0}ỗ Văn \u{d0}ăng \u{f0}"), "do van dang d");
    }

    #[test]
    fn apostrophes_and_dashes_separate_the_words_of_a_name() {
        for (one, other) in [("H'Hen Êban", "h’hen êban"), ("K’Brơi", "K'Brơi"), ("K´Brơi", "kʼbroi"), ("Y-Thông", "y – thong")]
        {
            let apart: String = other.nfd().collect();
            assert_eq!(fold_name(one), fold_name(other), "{one} {other}");
            assert_eq!(fold_name(one), fold_name(&apart), "{one} {apart}");
        }
        assert_eq!(fold_name("Thích Nữ Diệu-Liên"), fold_name("thich nu dieu lien"));
        assert_eq!(name_order("H'Hen"), "hen h hen");
    }

    #[test]
    fn names_sort_by_given_name() {
        let mut names = ["Trần Văn Bình", "Nguyễn Thị Cúc", "Lê Đình Ân"];
        names.sort_by_key(|name| name_order(name));
        assert_eq!(names, ["Lê Đình Ân", "Trần Văn Bình", "Nguyễn Thị Cúc"]);
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
