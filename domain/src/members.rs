//! People in the registry.

use std::{borrow::Cow, fmt};

use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};
use unicode_normalization::char::is_combining_mark;

use crate::forms::{Problem, bare, bounded_line, bounded_text};

mod corrections;
mod records;
mod search;
mod transfers;

pub use corrections::{Correction, CorrectionField, CorrectionState, CorrectionsPage};
pub use records::{
    Hits, MemberDraft, MemberFormPage, MemberLine, MembersPage, MergePage, Posting, QualityPage, RECORD_HOLDER,
    RECORD_HOLDER_NAME, Record, RecordPage, RecordRights, StatePage, Waiting,
};
pub use search::{MemberQuery, NameQuery};
pub use transfers::{BranchChoice, Transfer, TransferPage, TransferState, TransfersPage};

/// A Vietnamese citizen number (số định danh cá nhân): exactly 12 digits. Never shown in full except to its owner; see
/// [`Self::masked`].
#[derive(Clone, PartialEq, Eq)]
pub struct NationalId(String);

impl NationalId {
    pub const DIGITS: u32 = 12;

    /// Ignores spaces, dots and dashes between the digits, as people copy them from a card.
    ///
    /// # Errors
    /// [`Problem::Required`] when empty, [`Problem::Digits`] when it is not 12 ASCII digits, separators aside.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let digits: String = bare(typed).filter(|c| !matches!(c, '.' | '-')).collect();
        if digits.is_empty() {
            return Err(Problem::Required);
        }
        if digits.len() == Self::DIGITS as usize && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(digits))
        } else {
            Err(Problem::Digits { expected: Self::DIGITS })
        }
    }

    /// The digits, for hashing and encryption only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `••••••••••34`. Given the birth date and the sex, four digits would leave about a hundred candidates; two leave ten
    /// thousand.
    pub fn masked(&self) -> String {
        Self::mask(&self.0)
    }

    /// Masks any text typed in place of a number.
    pub fn mask(written: &str) -> String {
        masked(written, 2)
    }

    /// Fully masked, for viewers who may only know that there is one.
    pub fn hidden(&self) -> String {
        "•".repeat(self.0.len())
    }
}

impl fmt::Debug for NationalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NationalId(…)")
    }
}

/// A Vietnamese phone number in national form: `0` and nine digits.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    pub const DIGITS: u32 = 10;

    /// Accepts `+84 912…`, `0084 912…`, `+84 (0) 912…`, `84912…` and `0912…`, with separators and a remark in brackets. A mobile
    /// number of eleven digits is converted to its ten-digit form of 2018. Landlines, which cannot receive SMS, are rejected.
    ///
    /// # Errors
    /// [`Problem::Required`] when empty, [`Problem::Digits`] when it is not a number of ten digits.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let refused = || Problem::Digits { expected: Self::DIGITS };
        let digits: String = bare(without_remarks(typed).as_ref())
            .filter(|c| !matches!(c, '.' | '-' | '+' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}'))
            .collect();
        if digits.is_empty() {
            return Err(if bare(typed).next().is_none() { Problem::Required } else { refused() });
        }
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(refused());
        }
        let abroad = digits.strip_prefix("0084").or_else(|| digits.strip_prefix("84").filter(|rest| rest.len() >= 9));
        // Some write the 0 after the country code too.
        let national = match abroad {
            Some(rest) => format!("0{}", rest.strip_prefix('0').unwrap_or(rest)),
            None => digits,
        };
        let national = moved_in_2018(&national).unwrap_or(national);
        if national.len() == Self::DIGITS as usize && national.starts_with('0') { Ok(Self(national)) } else { Err(refused()) }
    }

    /// The digits, for hashing and encryption only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `•••••••678`.
    pub fn masked(&self) -> String {
        Self::mask(&self.0)
    }

    /// Masks any text typed in place of a number.
    pub fn mask(written: &str) -> String {
        masked(written, 3)
    }
}

/// Masks all but the last `shown` characters; all of a number of which these would be half.
fn masked(number: &str, shown: usize) -> String {
    let length = number.chars().count();
    let hidden = if length > 2 * shown { length - shown } else { length };
    number.chars().enumerate().map(|(at, c)| if at < hidden { '•' } else { c }).collect()
}

/// A number without its remarks: `0912 345 680 (vợ)`. Brackets around digits belong to the number.
fn without_remarks(typed: &str) -> Cow<'_, str> {
    if !typed.contains('(') {
        return Cow::Borrowed(typed);
    }
    // The input may be long, so this does not recurse into brackets.
    let (mut kept, mut rest) = (String::with_capacity(typed.len()), typed);
    while let Some((number, (remark, behind))) =
        rest.split_once('(').and_then(|(number, more)| Some((number, more.split_once(')')?)))
    {
        kept.push_str(number);
        if !remark.chars().any(char::is_alphabetic) {
            kept.extend(["(", remark, ")"]);
        }
        rest = behind;
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// Prefixes of eleven-digit mobile numbers, and their replacements of 15 September 2018 (Decision 798/QĐ-BTTTT).
const MOVED: [(&str, &str); 20] = [
    ("0120", "070"),
    ("0121", "079"),
    ("0122", "077"),
    ("0126", "076"),
    ("0128", "078"),
    ("0123", "083"),
    ("0124", "084"),
    ("0125", "085"),
    ("0127", "081"),
    ("0129", "082"),
    ("0162", "032"),
    ("0163", "033"),
    ("0164", "034"),
    ("0165", "035"),
    ("0166", "036"),
    ("0167", "037"),
    ("0168", "038"),
    ("0169", "039"),
    ("0186", "056"),
    ("0188", "058"),
];

fn moved_in_2018(national: &str) -> Option<String> {
    let mut moved = MOVED.into_iter().chain([("0199", "059")]);
    let (rest, now) = moved.find_map(|(before, now)| Some((national.strip_prefix(before)?, now)))?;
    (rest.len() == 7).then(|| format!("{now}{rest}"))
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}

/// A person's full name, family name first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullName(String);

impl FullName {
    /// # Errors
    /// As [`bounded_line`], at most 100 characters.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        bounded_line(typed, 100).map(Self)
    }

    /// A newly entered name, which must contain letters. Names already in the registry are read by [`Self::parse`].
    ///
    /// # Errors
    /// As [`Self::parse`]; [`Problem::NoLetters`] with fewer than two letters; [`Problem::NameSigns`] when it does not begin with
    /// a letter, and for characters other than those between the parts of a name. Digits are allowed: some lists number
    /// namesakes.
    pub fn entered(typed: &str) -> Result<Self, Problem> {
        let name = Self::parse(typed)?;
        if name.0.chars().filter(|c| c.is_alphabetic()).count() < 2 {
            return Err(Problem::NoLetters);
        }
        if name.0.starts_with(char::is_alphabetic) && name.0.chars().all(is_of_name) { Ok(name) } else { Err(Problem::NameSigns) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Bengali needs joiners between its letters.
fn is_of_name(c: char) -> bool {
    c.is_alphanumeric()
        || is_combining_mark(c)
        || matches!(c, ' ' | '\'' | '‘' | '’' | '-' | '‐' | '‑' | '–' | '.' | ',' | '(' | ')' | '\u{200c}' | '\u{200d}')
}

/// The reason for a request or a refusal: 1 to 500 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    pub const MAX: u32 = 500;

    /// # Errors
    /// As [`bounded_text`].
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        bounded_text(typed, Self::MAX).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The standing of a member (diện đảng viên).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Standing {
    /// Chính thức.
    Official,
    /// Dự bị.
    Probationary,
    /// Miễn công tác và sinh hoạt: outside Regulation 339; never counted in a denominator.
    Exempt,
}

crate::keyed!(Standing);

/// Sex, as recorded in the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Sex {
    Female,
    Male,
}

crate::keyed!(Sex);

/// Whether a person is a current member of this organisation, and if not, why (tình trạng hồ sơ). Only active members count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MemberState {
    /// Đang sinh hoạt.
    Active,
    /// Chuyển sinh hoạt đảng: to an organisation outside this handbook.
    Transferred,
    /// Ra khỏi Đảng.
    Left,
    /// Từ trần.
    Deceased,
    /// The same person as another record, which keeps the history.
    Merged,
}

crate::keyed!(MemberState);

impl MemberState {
    /// The states a registrar may set after this one. Mistakes can be reversed, except a merge.
    pub const fn successors(self) -> &'static [Self] {
        match self {
            Self::Active => &[Self::Transferred, Self::Left, Self::Deceased],
            Self::Transferred | Self::Left | Self::Deceased => &[Self::Active],
            Self::Merged => &[],
        }
    }
}

/// The number of a member's card (số thẻ đảng viên): unique in the organisation, the key by which an import identifies a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CardNumber(String);

impl CardNumber {
    pub const MAX: u32 = 20;

    /// Ignores spaces and dots between the characters; letters become capitals.
    ///
    /// # Errors
    /// [`Problem::Required`], [`Problem::TooLong`], [`Problem::Characters`] for anything but ASCII letters, digits, `-` and `/`.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let number: String = bare(typed).filter(|c| *c != '.').map(|c| c.to_ascii_uppercase()).collect();
        if number.is_empty() {
            return Err(Problem::Required);
        }
        if number.chars().count() > Self::MAX as usize {
            return Err(Problem::TooLong { max: Self::MAX });
        }
        if number.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'/')) {
            Ok(Self(number))
        } else {
            Err(Problem::Characters)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A date of a record, named like the column and the form control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DateField {
    /// Ngày sinh.
    BirthDate,
    /// Ngày vào Đảng.
    AdmittedOn,
    /// Ngày chính thức.
    OfficialOn,
}

crate::keyed!(DateField);

/// An issue of a record that needs work (hồ sơ cần rà soát).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum QualityIssue {
    /// Without a national ID the person cannot sign in.
    MissingId,
    /// No phone: the first sign-in needs a paper code.
    MissingPhone,
    /// Dates that contradict each other or the calendar; see [`check_dates`].
    ImpossibleDate,
    /// Another record has the same name and birth date.
    Twin,
}

crate::keyed!(QualityIssue);

/// The minimum age at admission (Charter, article 1).
pub const YEARS_AT_ADMISSION: u32 = 18;

/// Whether the day is a plausible birth date: not before 1900, and not in the future.
pub fn can_be_birth_date(birth_date: NaiveDate, today: NaiveDate) -> bool {
    birth_date.year() >= 1900 && birth_date <= today
}

/// The implausible dates of a member: born before 1900 or in the future, admitted before the age of [`YEARS_AT_ADMISSION`] or in
/// the future, official before admitted or in the future.
pub fn check_dates(
    birth_date: NaiveDate,
    admitted_on: NaiveDate,
    official_on: Option<NaiveDate>,
    today: NaiveDate,
) -> Vec<DateField> {
    let of_age = birth_date.checked_add_months(Months::new(12 * YEARS_AT_ADMISSION));
    let mut impossible = Vec::new();
    if !can_be_birth_date(birth_date, today) {
        impossible.push(DateField::BirthDate);
    }
    if admitted_on > today || of_age.is_none_or(|of_age| admitted_on < of_age) {
        impossible.push(DateField::AdmittedOn);
    }
    if official_on.is_some_and(|official_on| official_on < admitted_on || official_on > today) {
        impossible.push(DateField::OfficialOn);
    }
    impossible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_letters_of_any_script_and_the_signs_between_its_parts() {
        for typed in [
            "Nguyễn Thị Hương",
            "H'Hen Niê",
            "K’ Brếp",
            "Y-Bhiu Ayun",
            "Đỗ Văn A (Ba Tơ)",
            "Trần Văn Bé, Jr.",
            "Nguyễn Văn 2",
            "শেখ মুজিবুর রহমান",
            "ক্ষিতি র\u{200d}্যাব",
            "José Ñáñez–Núñez",
        ] {
            assert_eq!(FullName::entered(typed).map(|name| name.as_str().to_owned()), Ok(typed.to_owned()));
        }
        for typed in [
            "Nguyễn <b onmouseover=alert(1)>A",
            "<img src=x> 27",
            "=HYPERLINK(\"http://evil\",\"x\") 20",
            "=cmd|' /C calc'!A0 21",
            "@SUM(1) 22",
            "+Nguyễn Văn A",
            "-Nguyễn Văn A",
            "'Nguyễn Văn A",
            "(Nguyễn Văn A)",
            "1. Nguyễn Văn A",
            "Nguyễn Văn A*",
            "Nguyễn Văn A/B",
            "Nguyễn \"Ba\" Văn",
        ] {
            assert_eq!(FullName::entered(typed), Err(Problem::NameSigns), "{typed}");
            assert!(FullName::parse(typed).is_ok(), "a stored name can be read: {typed}");
        }
    }

    #[test]
    fn a_national_id_is_twelve_digits_with_any_spacing() {
        assert_eq!(NationalId::parse(" 051 090 001 234 ").map(|id| id.masked()), Ok("••••••••••34".to_owned()));
        assert_eq!(NationalId::mask("05109000123"), "•••••••••23");
        assert_eq!(NationalId::mask("0510"), "••••");
        assert_eq!(NationalId::parse("099190\u{200b}000052\u{202c}").expect("valid").expose(), "099190000052");
        assert_eq!(NationalId::parse(""), Err(Problem::Required));
        for typed in ["05109000123", "0510900012345", "05109000123a", "０５１０９０００１２３４"] {
            assert_eq!(NationalId::parse(typed), Err(Problem::Digits { expected: 12 }), "{typed}");
        }
    }

    #[test]
    fn a_phone_number_is_one_number_in_every_spelling() {
        let spellings = [
            "0912 345 678",
            "+84 912.345.678",
            "84912345678",
            "84-912-345-678",
            "(84) 912 345 678",
            "0084912345678",
            "+84 (0) 912 345 678",
            "0912 345 678 (vợ)",
            "\u{202a}+84 912 345 678\u{202c}",
            "\u{2068}0912345678\u{2069}",
            "0912\u{200b}345678",
            "0912–345–678",
        ];
        for typed in spellings {
            assert_eq!(PhoneNumber::parse(typed).expect(typed).expose(), "0912345678");
        }
        assert_eq!(PhoneNumber::parse("0912345678").map(|phone| phone.masked()), Ok("•••••••678".to_owned()));
        assert_eq!(PhoneNumber::mask("12345"), "•••••");
        assert_eq!(PhoneNumber::parse("01682345676").expect("moved").expose(), "0382345676");
        assert_eq!(PhoneNumber::parse("+84 199 234 5676").expect("moved").expose(), "0592345676");
        for typed in ["912345678", "0255 3822 677", "024 3822 6777", "0912345678/0987654321", "01112345678", "(vợ)", "091234567x"]
        {
            assert_eq!(PhoneNumber::parse(typed), Err(Problem::Digits { expected: 10 }), "{typed}");
        }
        assert_eq!(PhoneNumber::parse(" \u{200e} "), Err(Problem::Required));
        assert_eq!(PhoneNumber::parse("(0912) 345 (vợ) 678 (nhà)").expect("remarks").expose(), "0912345678");
        assert!(PhoneNumber::parse(&"()".repeat(500_000)).is_err(), "any number of brackets");
    }

    #[test]
    fn a_card_number_is_one_number_in_every_spelling() {
        assert_eq!(CardNumber::parse(" 51.001 234").expect("valid").as_str(), "51001234");
        assert_eq!(CardNumber::parse("qn-12/3").expect("valid").as_str(), "QN-12/3");
        assert_eq!(CardNumber::parse("\u{feff}77.050004\u{200b}").expect("valid").as_str(), "77050004");
        assert_eq!(CardNumber::parse("=cmd|1"), Err(Problem::Characters));
        assert_eq!(CardNumber::parse(&"1".repeat(21)), Err(Problem::TooLong { max: 20 }));
    }

    #[test]
    fn secrets_do_not_leak_through_debug() {
        let id = NationalId::parse("051090001234").expect("valid");
        assert_eq!(format!("{id:?}"), "NationalId(…)");
    }

    #[test]
    fn contradicting_dates_of_a_record_are_found() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let today = day("2026-11-21");
        let table: [(&str, &str, Option<&str>, &[DateField]); 9] = [
            ("1981-03-14", "2005-05-19", Some("2006-05-19"), &[]),
            ("2008-11-21", "2026-11-21", None, &[]),
            ("2008-11-22", "2026-11-21", None, &[DateField::AdmittedOn]),
            ("1899-12-31", "1930-02-03", None, &[DateField::BirthDate]),
            ("2190-01-01", "2005-05-19", None, &[DateField::BirthDate, DateField::AdmittedOn]),
            ("1981-03-14", "2026-11-22", None, &[DateField::AdmittedOn]),
            ("1981-03-14", "2005-05-19", Some("2005-05-18"), &[DateField::OfficialOn]),
            ("1981-03-14", "2005-05-19", Some("2027-05-19"), &[DateField::OfficialOn]),
            ("2004-02-29", "2022-02-28", None, &[]),
        ];
        for (birth, admitted, official, expected) in table {
            assert_eq!(
                check_dates(day(birth), day(admitted), official.map(day), today),
                expected,
                "{birth} {admitted} {official:?}"
            );
        }
    }
}
