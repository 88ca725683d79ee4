//! Folding Vietnamese text for comparison: no case, no tone or vowel marks, `đ` as `d`.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// `Nguyễn Đức` → `nguyen duc`. Runs of white space become one space, ends are trimmed.
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
                'đ' | 'Đ' => folded.push('d'),
                other => folded.extend(other.to_lowercase()),
            }
        }
        // A word of nothing but marks is none.
        if folded.len() == begin {
            folded.truncate(end);
        }
    }
    folded
}

/// Letters and their marks in one piece each (NFC). Old encodings and some systems keep them apart; what looks equal must be equal.
pub fn compose(text: &str) -> String {
    text.nfc().collect()
}

/// The order of a Vietnamese name list: given name first, then the whole name, folded. `Nguyễn Thị Ánh` → `anh nguyen thi anh`.
pub fn name_order(full_name: &str) -> String {
    let folded = fold(full_name);
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
        assert_eq!(fold("Nguyễn \u{301}"), "nguyen", "marks alone are no word");
        assert_eq!(fold("Nguyễn".nfd().collect::<String>().as_str()), fold("Nguyễn"));
    }

    #[test]
    fn marks_kept_apart_are_put_together() {
        assert_eq!(compose("Nguyê\u{303}n"), "Nguyễn");
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
