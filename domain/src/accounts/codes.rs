//! One-time codes that prove the identity of a person without a password: six digits by SMS, ten characters on paper.

use std::fmt;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    forms::{Problem, bare},
    ids::{CodeId, MemberId},
    locale::local_date,
    units::UnitRef,
};

/// A code as typed. Its length decides which kind it is.
#[derive(Clone, PartialEq, Eq)]
pub enum TypedCode {
    /// From a short message (mã qua tin nhắn).
    Sms(String),
    /// From a paper card (mã giấy).
    Paper(String),
}

impl TypedCode {
    pub const SMS_DIGITS: usize = 6;
    pub const PAPER_CHARACTERS: usize = 10;

    /// Alphabet of paper codes. Of each group of lookalikes `0 O`, `1 I L`, `5 S`, `2 Z`, `8 B` at most one is used, so a card
    /// can be read in bad light. 28 symbols, so ten of them carry 48 bits.
    pub const ALPHABET: [char; 28] = [
        '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M', 'N', 'P', 'Q', 'R', 'T', 'U',
        'V', 'W', 'X', 'Y',
    ];

    /// Ignores spaces, dots and dashes, accepts lower case, and reads letters outside the alphabet as the digits they look like.
    ///
    /// # Errors
    /// [`Problem::Required`] when empty; [`Problem::CodeRefused`] for anything that cannot be a code.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let code: String = bare(typed)
            .filter(|c| !matches!(c, '-' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}'))
            .map(|c| match c.to_ascii_uppercase() {
                'S' => '5',
                'Z' => '2',
                'B' => '8',
                other => other,
            })
            .collect();
        if code.is_empty() {
            return Err(Problem::Required);
        }
        if code.len() == Self::SMS_DIGITS && code.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self::Sms(code));
        }
        if code.chars().count() == Self::PAPER_CHARACTERS && code.chars().all(|c| Self::ALPHABET.contains(&c)) {
            return Ok(Self::Paper(code));
        }
        Err(Problem::CodeRefused)
    }

    /// The characters, for hashing only.
    pub fn expose(&self) -> &str {
        match self {
            Self::Sms(code) | Self::Paper(code) => code,
        }
    }
}

impl fmt::Debug for TypedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedCode(…)")
    }
}

/// A paper code as printed: two groups of five.
pub fn grouped(code: &str) -> String {
    let (first, second) = code.split_at_checked(code.len() / 2).unwrap_or((code, ""));
    format!("{first}-{second}")
}

/// The progress of an activation. Until `is_proved` it is the same for every national ID.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationView {
    /// Whether the activation is still open; otherwise a new one must be started.
    pub is_open: bool,
    /// Whether the person has proved their identity, so that a password can be chosen.
    pub is_proved: bool,
    /// Set after the proof only: when the person's unit starts to use the handbook, and whom to contact.
    pub later: Option<Later>,
}

/// The person's unit does not use the handbook yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    pub unit: String,
    pub live_from: Option<NaiveDate>,
    /// Contact, as the unit's registrar wrote it.
    pub contact: Option<String>,
}

/// The last whole day on which a code is valid: the only date shown for a card, to its owner and to those who track it.
pub fn last_day(expires_at: DateTime<Utc>) -> NaiveDate {
    local_date(expires_at - TimeDelta::days(1))
}

/// The state of a paper code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeState {
    /// Còn dùng được.
    Open,
    Used,
    Expired,
    Revoked,
}

/// An issued code; never the code itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeRow {
    pub id: CodeId,
    pub member: MemberId,
    pub name: String,
    pub state: CodeState,
    pub issued_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// A member of a branch for whom a code may be issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub member: MemberId,
    pub name: String,
    /// Whether they already have a password.
    pub is_activated: bool,
    /// They hold a role outside the viewer's subtree: only the units above may issue their codes.
    #[serde(default)]
    pub held_above: bool,
    /// The last whole day of their current card, if it is still valid: a new card revokes it.
    #[serde(default)]
    pub card_until: Option<NaiveDate>,
}

/// The page that issues codes for a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchCodes {
    pub unit: UnitRef,
    /// Ordered by name.
    pub members: Vec<Candidate>,
    /// Newest first.
    pub codes: Vec<CodeRow>,
}

/// The page that issues a code for one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberCodes {
    pub member: Candidate,
    pub unit: UnitRef,
    pub codes: Vec<CodeRow>,
}

/// A branch for whose members the viewer may issue codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeBranch {
    pub unit: UnitRef,
    /// Members without a password.
    pub waiting: u32,
}

/// The branches for whose members the viewer may issue codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeBranches {
    pub units: Vec<CodeBranch>,
    /// Members without a password in all of them, whether or not they match the search.
    pub waiting: u32,
    /// Cursor of the next page: a path, exclusive.
    pub next: Option<String>,
}

/// Cards to print and cut apart. The codes are shown only this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeSheet {
    pub unit: UnitRef,
    /// Address of the first sign-in, without scheme, as it is typed.
    pub address: String,
    /// The last whole day on which the codes are valid.
    pub expires_on: NaiveDate,
    pub cards: Vec<CodeCard>,
}

/// The card of one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeCard {
    pub name: String,
    /// In two groups of five.
    pub code: String,
    /// The address with the code, as modules of a QR code.
    pub qr: QrPath,
}

/// A QR code as a single SVG path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrPath {
    /// Modules per side, without the quiet zone.
    pub width: u32,
    pub path: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_is_accepted_in_every_spelling() {
        assert_eq!(TypedCode::parse(" 123 456 "), Ok(TypedCode::Sms("123456".to_owned())));
        for typed in [
            "ACDEF-23456",
            "acdef23456",
            "ACDEF – 23456",
            "A C D E F 2 3 4 5 6",
            "acdefz3456",
            "ACDEF-234S6",
            "\u{2068}ACDEF\u{2011}23456\u{2069}",
        ] {
            assert_eq!(TypedCode::parse(typed), Ok(TypedCode::Paper("ACDEF23456".to_owned())), "{typed}");
        }
        assert_eq!(TypedCode::parse(" - "), Err(Problem::Required));
        for typed in
            ["12345", "1234567", "ACDEF-2345", "ACDEF-23451", "ACDEF-2345O", "１２３４５６", "ộộộộộộộộộộ", "'; DROP TABLE"]
        {
            assert_eq!(TypedCode::parse(typed), Err(Problem::CodeRefused), "{typed}");
        }
    }

    #[test]
    fn no_symbol_of_a_paper_code_looks_like_another() {
        for (digit, letters) in [('0', "OQD"), ('1', "IL"), ('5', "S"), ('2', "Z"), ('8', "B")] {
            let both = TypedCode::ALPHABET.contains(&digit) && letters.chars().any(|c| TypedCode::ALPHABET.contains(&c));
            assert!(!both, "{digit} and {letters}");
        }
    }

    #[test]
    fn codes_do_not_leak_through_debug() {
        assert_eq!(format!("{:?}", TypedCode::Sms("123456".to_owned())), "TypedCode(…)");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_what_is_read(picked in proptest::collection::vec(0..28_usize, TypedCode::PAPER_CHARACTERS)) {
            let code: String = picked.iter().map(|at| TypedCode::ALPHABET[*at]).collect();
            prop_assert_eq!(TypedCode::parse(&grouped(&code)), Ok(TypedCode::Paper(code)));
        }

        #[test]
        fn nothing_typed_panics(typed in "\\PC{0,40}") {
            let _ = TypedCode::parse(&typed);
            let _ = grouped(&typed);
        }
    }
}
