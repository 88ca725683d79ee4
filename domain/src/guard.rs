//! The upload guard (cảnh báo nội dung): signs in a text that it must not be published as it is.
//!
//! The guard warns and never decides: a person does, and the decision is logged. It reports patterns that are nearly always a
//! mistake, and ignores those that are common in running text: the word "bí mật", a single number. `guard/judged.txt` lists texts
//! with the expected result.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};
use unicode_normalization::UnicodeNormalization;

use crate::files::{FileKind, Missing};

mod marks;
mod numbers;
mod wording;

/// The smallest number of different numbers that counts as a list.
const LIST: usize = 3;

/// Only the beginning of a longer text is scanned: about 700 pages. In bytes.
const LOOKED_AT: usize = 2 << 20;

/// Kinds of warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum WarningKind {
    /// A mark of a state secret.
    SecrecyMark,
    /// A list of citizen numbers: 12 digits each.
    IdNumbers,
    PhoneNumbers,
}

crate::keyed!(WarningKind);

/// A warning: its kind, and the number of matches. Never the matches themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Warning {
    pub kind: WarningKind,
    pub count: u32,
}

/// The keys of the kinds, for the log: `secrecy_mark,phone_numbers`.
pub fn kinds(warnings: &[Warning]) -> String {
    warnings.iter().map(|warning| warning.kind.key()).collect::<Vec<_>>().join(",")
}

/// Scans a text, plain or Markdown. At most one warning of each kind, in the order of [`WarningKind::ALL`].
pub fn scan(text: &str) -> Vec<Warning> {
    let text = text.get(..text.floor_char_boundary(LOOKED_AT)).unwrap_or_default();
    // NFKC: full-width digits and decomposed letters look the same to a reader.
    let text: String = text.nfkc().filter(|c| !crate::forms::is_unseen(*c)).collect();
    let numbers = numbers::find(&text);
    [
        (WarningKind::SecrecyMark, marks::count(&text), 1),
        (WarningKind::IdNumbers, numbers.ids.len(), LIST),
        (WarningKind::PhoneNumbers, numbers.phones.len(), LIST),
    ]
    .into_iter()
    .filter(|(_, found, least)| found >= least)
    .map(|(kind, found, _)| Warning { kind, count: u32::try_from(found).unwrap_or(u32::MAX) })
    .collect()
}

/// Scans a file: its text, and its original name.
pub fn scan_file(name: &str, text: &str) -> Vec<Warning> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    scan(&format!("{stem}\n\n{text}"))
}

/// How much of a file the guard could check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    Whole,
    /// Some of its text could not be read.
    Part,
    /// No text could be read, or it is a picture, audio or video file: a person must check it.
    Nothing,
}

impl Coverage {
    /// `missing` is why there is no text, or only part of it.
    pub const fn of(kind: FileKind, missing: Option<Missing>) -> Self {
        match missing {
            _ if !kind.has_text() => Self::Nothing,
            None => Self::Whole,
            Some(Missing::Part) => Self::Part,
            Some(Missing::Nothing | Missing::Protected | Missing::Failed) => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Vec<(WarningKind, u32)> {
        scan(text).into_iter().map(|warning| (warning.kind, warning.count)).collect()
    }

    #[test]
    fn a_mark_on_its_own_is_found() {
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
        assert_eq!(found(&parts), [(WarningKind::SecrecyMark, 1)], "decomposed letters");
        assert_eq!(found("TỐI\u{200b} M\u{200d}ẬT"), [(WarningKind::SecrecyMark, 1)], "zero-width characters");
    }

    /// Texts with the expected result, one per line: `mark` or `none`, a tab, the text with `\\n` and `\\t` for its line breaks
    /// and tabs.
    const JUDGED: &str = include_str!("guard/judged.txt");

    #[test]
    fn recall_and_false_alarms_on_the_judged_texts_are_within_bounds() {
        let (mut marks, mut missed, mut harmless, mut alarms) = (0, Vec::new(), 0, Vec::new());
        for line in JUDGED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (verdict, text) = line.split_once('\t').expect("a verdict and a text");
            let text = text.replace("\\n", "\n").replace("\\t", "\t");
            // Both normal forms.
            for text in [text.clone(), text.nfd().collect()] {
                let is_found = scan(&text).iter().any(|warning| warning.kind == WarningKind::SecrecyMark);
                match verdict {
                    "mark" => {
                        marks += 1;
                        missed.extend((!is_found).then_some(text));
                    }
                    "none" => {
                        harmless += 1;
                        alarms.extend(is_found.then_some(text));
                    }
                    other => panic!("{other} is no verdict"),
                }
            }
        }
        let share = |part: usize, whole: usize| {
            f64::from(u32::try_from(part).expect("few")) / f64::from(u32::try_from(whole).expect("few"))
        };
        let (recall, alarm) = (share(marks - missed.len(), marks), share(alarms.len(), harmless));
        println!("recall {recall:.3} of {marks}, false alarms {alarm:.3} of {harmless}");
        println!("missed: {missed:#?}\nfalse alarms: {alarms:#?}");
        assert!(marks >= 120 && harmless >= 120, "each is checked in two normal forms");
        assert!(recall >= 0.98 && alarm <= 0.05, "missed: {missed:#?}\nfalse alarms: {alarms:#?}");
    }

    #[test]
    fn numbers_without_their_leading_zeros_are_found() {
        assert_eq!(found("Người 0\t99190000421\nNgười 1\t99190000422\nNgười 2\t99190000423"), [(WarningKind::IdNumbers, 3)]);
        assert_eq!(found("1090001234\n1090001235\n1190001236"), [(WarningKind::IdNumbers, 3)], "two leading zeros are lost");
        assert_eq!(
            found("051090001234\n51090001234\n1090001235\n1090001236"),
            [(WarningKind::IdNumbers, 3)],
            "written twice, counted once"
        );
        assert_eq!(found("912345678\n387654321\n701234567"), [(WarningKind::PhoneNumbers, 3)]);
        for figures in [
            "12500000000\n11300000000\n10200000000",
            "0.51090001234\t0.51090001235\t0.51090001236",
            "51090001234.5\n51090001235.5\n51090001236.5",
            "45678912345\n56789123456\n67891234567\n51190001234\n51290001234\n51090001234",
            "BN51090001234 BN51090001235 BN51090001236",
            "125478963\n214785236\n145236987\n912345678",
        ] {
            assert_eq!(found(figures), [], "{figures}");
        }
    }

    #[test]
    fn the_name_of_a_file_is_scanned_too() {
        for (name, text, is_found) in [
            ("TỐI MẬT.pdf", "", true),
            ("Bao_cao_TOI_MAT.pdf", "", true),
            ("Tài liệu tuyệt mật.docx", "chữ", true),
            ("Kế hoạch (MẬT).docx", "chữ", true),
            ("Kế hoạch bảo mật.docx", "MẬT", true),
            ("Kế hoạch bảo mật.docx", "chữ", false),
            ("Danh_sach_mat_tran.pdf", "", false),
        ] {
            assert_eq!(!scan_file(name, text).is_empty(), is_found, "{name}");
        }
    }

    #[test]
    fn coverage_follows_from_what_could_not_be_read() {
        for (kind, missing, coverage) in [
            (FileKind::Pdf, None, Coverage::Whole),
            (FileKind::Pdf, Some(Missing::Nothing), Coverage::Nothing),
            (FileKind::Pdf, Some(Missing::Failed), Coverage::Nothing),
            (FileKind::Xlsx, Some(Missing::Protected), Coverage::Nothing),
            (FileKind::Pdf, Some(Missing::Part), Coverage::Part),
            (FileKind::Png, None, Coverage::Nothing),
            (FileKind::Mp4, None, Coverage::Nothing),
        ] {
            assert_eq!(Coverage::of(kind, missing), coverage, "{kind:?} {missing:?}");
        }
    }

    #[test]
    fn the_word_in_running_text_is_not_a_mark() {
        for text in [
            "Bảo vệ bí mật nhà nước là nghĩa vụ của mỗi đảng viên.",
            "Văn bản đóng dấu MẬT không được đăng lên Sổ tay.",
            "Không đăng tài liệu MẬT, TỐI MẬT, TUYỆT MẬT lên mạng.",
            "Mật ong Trà Bồng",
            "LUẬT BẢO VỆ BÍ MẬT NHÀ NƯỚC",
            "BÍ MẬT",
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
        assert_eq!(found("0510900012341 0510900012352 0510900012363"), [], "thirteen digits are not an ID");
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
    fn each_kind_is_reported_once_without_the_matches() {
        let text = "MẬT\nMẬT\n051090001234 051090001235 051090001236\n0912345678 0912345679 0912345680";
        let warnings = scan(text);
        assert_eq!(kinds(&warnings), "secrecy_mark,id_numbers,phone_numbers");
        assert_eq!(warnings.iter().map(|warning| warning.count).collect::<Vec<_>>(), [2, 3, 3]);
    }

    /// The time must grow linearly with the length: with quadratic growth such lines take minutes.
    #[test]
    fn scanning_takes_linear_time() {
        for (piece, times) in [
            ("<a<a‹a", 150_000),
            ("độ mật x ", 6_000),
            ("thời hạn bảo vệ bí mật nhà nước 1 ", 10_000),
            ("a|", 10_000),
            ("Bí mật nhà nước|", 5_000),
        ] {
            let line = piece.repeat(times);
            let begun = std::time::Instant::now();
            marks::count(&format!("{line}\n{line}"));
            let took = begun.elapsed();
            assert!(took < std::time::Duration::from_secs(20), "{took:?} for {piece}");
        }
    }

    #[test]
    fn a_field_far_into_a_line_is_found() {
        let far = "x ".repeat(10_000);
        assert_eq!(marks::count(&format!("{far}Độ mật: Tối mật")), 1);
        assert_eq!(marks::count(&format!("{far}thời hạn bảo vệ bí mật nhà nước: 10 năm")), 1);
        assert_eq!(marks::count(&format!("<a{far}\n<b>MẬT</b>")), 1);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in any::<String>()) {
            let _ = scan(&text);
        }

        #[test]
        fn a_list_is_found_wherever_it_stands(
            before in "[a-zăâđê \n]{0,40}", after in "[ \n][a-zăâđê \n]{0,40}", numbers in prop::collection::btree_set("0[0-9]{11}", 3..9)
        ) {
            let list = numbers.iter().map(String::as_str).collect::<Vec<_>>().join("; ");
            let count = u32::try_from(numbers.len()).unwrap_or_default();
            let warnings = scan(&format!("{before} {list}{after}"));
            let expected = Warning { kind: WarningKind::IdNumbers, count };
            prop_assert!(warnings.contains(&expected), "{warnings:?}");
        }
    }
}
