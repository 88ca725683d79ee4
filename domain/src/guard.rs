//! The upload guard (cảnh báo nội dung): what in a text suggests that it must not go out as it is.
//!
//! It warns and does not decide: a person does, and the decision is logged. So it looks for what is nearly always a mistake, and
//! leaves alone what running text is full of: the word "bí mật", a single number.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Fewer different numbers than this are no list.
const LIST: usize = 3;

/// Of a longer text only the beginning is looked at: about 700 pages.
const LOOKED_AT: usize = 2 << 20;

/// The marks of state secrets (dấu độ mật), as regulations prescribe them: capital letters, standing by themselves.
const MARKS: [&str; 3] = ["MẬT", "TỐI MẬT", "TUYỆT MẬT"];

/// What may stand before a mark on its line.
const HEADS: [&str; 4] = ["ĐỘ MẬT", "MỨC ĐỘ MẬT", "DẤU MẬT", "CẤP ĐỘ MẬT"];

/// What the guard warns of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// A mark of a state secret.
    SecrecyMark,
    /// A list of citizen numbers: 12 digits each.
    IdNumbers,
    PhoneNumbers,
}

impl WarningKind {
    pub const ALL: [Self; 3] = [Self::SecrecyMark, Self::IdNumbers, Self::PhoneNumbers];

    pub const fn key(self) -> &'static str {
        match self {
            Self::SecrecyMark => "secrecy_mark",
            Self::IdNumbers => "id_numbers",
            Self::PhoneNumbers => "phone_numbers",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

/// A warning: what, and how many. Never the thing itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Warning {
    pub kind: WarningKind,
    pub count: u32,
}

/// The keys of the kinds, for the log: `secrecy_mark,phone_numbers`.
pub fn kinds(warnings: &[Warning]) -> String {
    warnings.iter().map(|warning| warning.kind.key()).collect::<Vec<_>>().join(",")
}

/// Looks through a text, plain or Markdown. At most one warning of each kind, in the order of [`WarningKind::ALL`].
pub fn look(text: &str) -> Vec<Warning> {
    let text = text.get(..text.floor_char_boundary(LOOKED_AT)).unwrap_or_default();
    // Digits of full width and letters put together from parts are the same to a reader.
    let text: String = text.nfkc().filter(|c| !crate::forms::is_unseen(*c)).collect();
    let marks = text.lines().flat_map(cells).filter(|cell| is_mark(cell)).count();
    let numbers = numbers(&text);
    let ids = numbers.iter().filter(|number| phone(number).is_none()).count();
    let phones = numbers.iter().filter_map(|number| phone(number)).collect::<BTreeSet<_>>().len();
    [(WarningKind::SecrecyMark, marks, 1), (WarningKind::IdNumbers, ids, LIST), (WarningKind::PhoneNumbers, phones, LIST)]
        .into_iter()
        .filter(|(_, found, least)| found >= least)
        .map(|(kind, found, _)| Warning { kind, count: u32::try_from(found).unwrap_or(u32::MAX) })
        .collect()
}

/// What stands by itself on a line: cells of a table, and pieces that a wide gap or a tabulator keeps apart. Letterheads put the mark
/// beside the name of the unit.
fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.split(['|', '\t']).flat_map(|part| part.split("   ")).map(str::trim).filter(|cell| !cell.is_empty())
}

/// Boxes and emphasis around a mark do not matter, nor does what introduces it.
fn is_mark(cell: &str) -> bool {
    // A mark is short; looking at long lines would be for nothing.
    if cell.len() > 120 {
        return false;
    }
    let bare = |text: &str| {
        let text = text.trim_matches(|c: char| !c.is_alphanumeric());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut text = bare(cell);
    if let Some((head, rest)) = cell.split_once(':')
        && HEADS.contains(&bare(head).to_uppercase().as_str())
    {
        text = bare(rest);
    }
    MARKS.contains(&text.as_str()) || MARKS.contains(&joined(&text).as_str())
}

/// Spaced letters, `M Ậ T` and `T Ố I  M Ậ T`, as words.
fn joined(text: &str) -> String {
    let letters: Vec<&str> = text.split(' ').collect();
    if letters.len() < 3 || letters.iter().any(|letter| letter.chars().count() != 1) {
        return String::new();
    }
    let word = letters.concat();
    match word.strip_suffix("MẬT") {
        Some("") | None => word,
        Some(first) => format!("{first} MẬT"),
    }
}

/// The numbers of a text that are a citizen's or a phone's, without what groups their digits: a space, a dot, a hyphen or a bracket.
fn numbers(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        // Groups of digits that nothing but one such sign keeps apart.
        let mut groups: Vec<String> = Vec::new();
        let mut before = ' ';
        for c in line.chars().chain(['\n']) {
            match c {
                '0'..='9' if before.is_ascii_digit() => groups.last_mut().into_iter().for_each(|group| group.push(c)),
                // What is part of a word, like the number of a boat, is none of these.
                '0'..='9' => groups.push(match before {
                    '+' => format!("+{c}"),
                    before if before.is_alphabetic() => format!("?{c}"),
                    _ => c.to_string(),
                }),
                ' ' | '.' | '-' | ')' if before.is_ascii_digit() => {}
                ' ' if before == ')' => {}
                _ => {
                    if c.is_alphabetic() && before.is_ascii_digit() {
                        groups.pop();
                    }
                    whole_numbers(&groups, &mut found);
                    groups.clear();
                }
            }
            before = c;
        }
    }
    found
}

/// A group that is a number by itself is one. Others are put together until they are, but only from a 0 or a + on and in groups as
/// people write them: sums of money and columns of figures are neither.
fn whole_numbers(groups: &[String], found: &mut BTreeSet<String>) {
    let is_whole = |digits: &str| (digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit())) || phone(digits).is_some();
    let mut together = String::new();
    for group in groups {
        if is_whole(group) {
            together.clear();
            found.insert(group.clone());
            continue;
        }
        let goes_on = if together.is_empty() { group.starts_with(['0', '+']) } else { !group.starts_with(['+', '?']) };
        if !goes_on || group.len() < 3 {
            together.clear();
            continue;
        }
        together.push_str(group);
        if is_whole(&together) {
            found.insert(std::mem::take(&mut together));
        }
    }
}

/// The nine digits that follow the 0 or the code of the country: of mobile phones (3, 5, 7, 8, 9) and of landlines (2, ten digits).
fn phone(digits: &str) -> Option<&str> {
    let national = match digits.strip_prefix('+') {
        Some(abroad) => {
            let national = abroad.strip_prefix("84")?;
            national.strip_prefix('0').unwrap_or(national)
        }
        None => digits.strip_prefix("84").filter(|rest| rest.len() >= 9).or_else(|| digits.strip_prefix('0'))?,
    };
    match (national.as_bytes().first()?, national.len()) {
        (b'3' | b'5' | b'7' | b'8' | b'9', 9) | (b'2', 10) => Some(national),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Vec<(WarningKind, u32)> {
        look(text).into_iter().map(|warning| (warning.kind, warning.count)).collect()
    }

    #[test]
    fn a_mark_that_stands_by_itself_is_found() {
        for text in [
            "MẬT",
            "TỈNH ỦY TRÀ KHÚC\n\nTỐI MẬT\n\nBÁO CÁO",
            "**TUYỆT MẬT**",
            "[ MẬT ]",
            "| TỐI MẬT | Số: 12-BC/TU |",
            "# MẬT",
            "Độ mật: TỐI MẬT",
            "ĐỘ MẬT: MẬT",
            "TỈNH ỦY TRÀ KHÚC      MẬT",
            "SỐ 12\tTUYỆT  MẬT",
            "T Ố I  M Ậ T",
            "M Ậ T",
            "- MẬT -",
        ] {
            assert_eq!(found(text), [(WarningKind::SecrecyMark, 1)], "{text}");
        }
        let parts: String = "TỐI MẬT".nfd().collect();
        assert_eq!(found(&parts), [(WarningKind::SecrecyMark, 1)], "letters put together from parts");
        assert_eq!(found("TỐI\u{200b} M\u{200d}ẬT"), [(WarningKind::SecrecyMark, 1)], "letters that hide");
    }

    #[test]
    fn the_word_in_running_text_is_no_mark() {
        for text in [
            "Bảo vệ bí mật nhà nước là nghĩa vụ của mỗi đảng viên.",
            "Văn bản đóng dấu MẬT không được đăng lên Sổ tay.",
            "Không đăng tài liệu MẬT, TỐI MẬT, TUYỆT MẬT lên mạng.",
            "Mật",
            "Mật ong Trà Bồng",
            "LUẬT BẢO VỆ BÍ MẬT NHÀ NƯỚC",
            "BÍ MẬT",
            "Tối mật",
            "",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn three_different_citizen_numbers_are_a_list() {
        let two = "051090001234, 051090001235";
        assert_eq!(found(two), []);
        assert_eq!(found(&format!("{two}, 051090001234")), [], "the same one twice is one");
        for third in ["051090001236", "051 090 001 236", "051.090.001.236", "０５１０９０００１２３６"] {
            assert_eq!(found(&format!("{two}\n{third}")), [(WarningKind::IdNumbers, 3)], "{third}");
        }
        for gap in ["\t", " ", ". ", " | "] {
            let table = format!("1{gap}051090001234\n2{gap}051090001235\n3{gap}051090001236");
            assert_eq!(found(&table), [(WarningKind::IdNumbers, 3)], "{table}");
        }
        assert_eq!(found("0510900012341 0510900012352 0510900012363"), [], "thirteen digits are none");
    }

    #[test]
    fn three_different_phones_are_a_list() {
        for list in [
            "0912345678 0912345679 0912345680",
            "0912.345.678; 0912 345 679; 0912-345-680",
            "+84912345678, +84 912 345 679, 84912345680",
            "(0255) 3822 123\n(0255) 3822 124\n(0255) 3822 125",
            "| An | 0912345678 |\n| Bình | 0387654321 |\n| Cúc | 0701234567 |",
        ] {
            assert_eq!(found(list), [(WarningKind::PhoneNumbers, 3)], "{list}");
        }
        assert_eq!(found("0912345678, +84912345678 và 84 912 345 678"), [], "one phone written three ways");
        assert_eq!(found("Năm 2024 thu 1.250.000.000 đồng, 2025 thu 1.350.000.000 đồng, 2026 thu 1.450.000.000 đồng"), []);
        for figures in [
            "125.034.002.100 đồng, 125.034.002.200 đồng, 125.034.002.300 đồng",
            "84.912.345.678 84.912.345.679 84.912.345.680",
            "0.5 0.7 0.9 1.2 3.4 5.6\n0.5 0.7 0.9 1.2 3.4 5.7\n0.5 0.7 0.9 1.2 3.4 5.8",
            "01 02 03 04 05 06\n07 08 09 10 11 12\n01 03 05 07 08 10",
            "1.250 3.400 2.100\n1.251 3.400 2.100\n1.252 3.400 2.100",
        ] {
            assert_eq!(found(figures), [], "{figures}");
        }
        assert_eq!(found("QNg0912345678TS QNg0912345679TS QNg0912345680TS"), [], "parts of words");
    }

    #[test]
    fn all_that_is_found_is_told_once_each_without_the_things_themselves() {
        let text = "MẬT\nMẬT\n051090001234 051090001235 051090001236\n0912345678 0912345679 0912345680";
        let warnings = look(text);
        assert_eq!(kinds(&warnings), "secrecy_mark,id_numbers,phone_numbers");
        assert_eq!(warnings.iter().map(|warning| warning.count).collect::<Vec<_>>(), [2, 3, 3]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in any::<String>()) {
            let _ = look(&text);
        }

        #[test]
        fn a_list_is_found_wherever_it_stands(
            before in "[a-zăâđê \n]{0,40}", after in "[ \n][a-zăâđê \n]{0,40}", numbers in prop::collection::btree_set("0[0-9]{11}", 3..9)
        ) {
            let list = numbers.iter().map(String::as_str).collect::<Vec<_>>().join("; ");
            let count = u32::try_from(numbers.len()).unwrap_or_default();
            let warnings = look(&format!("{before} {list}{after}"));
            let expected = Warning { kind: WarningKind::IdNumbers, count };
            prop_assert!(warnings.contains(&expected), "{warnings:?}");
        }
    }
}
