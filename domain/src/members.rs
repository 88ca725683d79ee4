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
        assert!(PhoneNumber::parse("912345678").is_err());
    }

    #[test]
    fn secrets_do_not_leak_through_debug() {
        let id = NationalId::parse("051090001234").expect("valid");
        assert_eq!(format!("{id:?}"), "NationalId(…)");
    }
}
