//! People in the registry.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::forms::{Problem, bounded_line};

/// A Vietnamese citizen number (số định danh cá nhân): exactly 12 digits. Never printed whole; see [`Self::masked`].
#[derive(Clone, PartialEq, Eq)]
pub struct NationalId(String);

impl NationalId {
    pub const DIGITS: u32 = 12;

    /// Spaces, dots and dashes between the digits are ignored, as people copy them from a card.
    ///
    /// # Errors
    /// [`Problem::Required`] when empty, [`Problem::Digits`] when, separators aside, it is not 12 ASCII digits.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let digits: String = typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-')).collect();
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

    /// `••••••••1234`.
    pub fn masked(&self) -> String {
        format!("••••••••{}", &self.0[8..])
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

    /// Accepts `+84 912…`, `84912…` and `0912…`, with separators.
    ///
    /// # Errors
    /// [`Problem::Required`] when empty, [`Problem::Digits`] when it is not a number of ten digits.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let digits: String = typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-' | '+' | '(' | ')')).collect();
        if digits.is_empty() {
            return Err(Problem::Required);
        }
        let national = match digits.strip_prefix("84") {
            Some(rest) if digits.len() == 11 => format!("0{rest}"),
            _ => digits,
        };
        if national.len() == Self::DIGITS as usize && national.starts_with('0') && national.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(national))
        } else {
            Err(Problem::Digits { expected: Self::DIGITS })
        }
    }

    /// The digits, for hashing and encryption only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `•••••••678`.
    pub fn masked(&self) -> String {
        format!("•••••••{}", &self.0[7..])
    }
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

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The standing of a member (diện đảng viên).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Chính thức.
    Official,
    /// Dự bị.
    Probationary,
    /// Miễn công tác và sinh hoạt: outside Regulation 339; never counts in a denominator.
    Exempt,
}

impl Standing {
    pub const ALL: [Self; 3] = [Self::Official, Self::Probationary, Self::Exempt];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Official => "official",
            Self::Probationary => "probationary",
            Self::Exempt => "exempt",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.key() == key)
    }
}

/// Sex as the registry knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    Female,
    Male,
}

impl Sex {
    pub const ALL: [Self; 2] = [Self::Female, Self::Male];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sex| sex.key() == key)
    }
}

/// Whether a person is a member of this organisation now, and if not, why not (tình trạng hồ sơ). Only active members count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// Đang sinh hoạt.
    Active,
    /// Chuyển sinh hoạt đảng: to an organisation that this handbook does not keep.
    Transferred,
    /// Ra khỏi Đảng.
    Left,
    /// Từ trần.
    Deceased,
    /// The same person as another record, which keeps the history.
    Merged,
}

impl MemberState {
    pub const ALL: [Self; 5] = [Self::Active, Self::Transferred, Self::Left, Self::Deceased, Self::Merged];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Transferred => "transferred",
            Self::Left => "left",
            Self::Deceased => "deceased",
            Self::Merged => "merged",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.key() == key)
    }
}

/// The number of a member's card (số thẻ đảng viên): unique in the organisation, the key by which an import knows a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CardNumber(String);

impl CardNumber {
    pub const MAX: u32 = 20;

    /// Spaces and dots between the characters are ignored; letters become capitals.
    ///
    /// # Errors
    /// [`Problem::Required`], [`Problem::TooLong`], [`Problem::Characters`] for anything but ASCII letters, digits, `-` and `/`.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let number: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '.').map(|c| c.to_ascii_uppercase()).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_national_id_is_twelve_digits_however_it_is_spaced() {
        assert_eq!(NationalId::parse(" 051 090 001 234 ").map(|id| id.masked()), Ok("••••••••1234".to_owned()));
        assert_eq!(NationalId::parse(""), Err(Problem::Required));
        for typed in ["05109000123", "0510900012345", "05109000123a", "０５１０９０００１２３４"] {
            assert_eq!(NationalId::parse(typed), Err(Problem::Digits { expected: 12 }), "{typed}");
        }
    }

    #[test]
    fn a_phone_number_is_one_number_in_every_spelling() {
        let spellings = ["0912 345 678", "+84 912.345.678", "84912345678"];
        for typed in spellings {
            assert_eq!(PhoneNumber::parse(typed).expect(typed).expose(), "0912345678");
        }
        assert_eq!(PhoneNumber::parse("0912345678").map(|phone| phone.masked()), Ok("•••••••678".to_owned()));
        assert!(PhoneNumber::parse("912345678").is_err());
    }

    #[test]
    fn a_card_number_is_one_number_in_every_spelling() {
        assert_eq!(CardNumber::parse(" 51.001 234").expect("valid").as_str(), "51001234");
        assert_eq!(CardNumber::parse("qn-12/3").expect("valid").as_str(), "QN-12/3");
        assert_eq!(CardNumber::parse("=cmd|1"), Err(Problem::Characters));
        assert_eq!(CardNumber::parse(&"1".repeat(21)), Err(Problem::TooLong { max: 20 }));
    }

    #[test]
    fn secrets_do_not_leak_through_debug() {
        let id = NationalId::parse("051090001234").expect("valid");
        assert_eq!(format!("{id:?}"), "NationalId(…)");
    }
}
