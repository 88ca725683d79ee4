//! Opinions (ý kiến) of members, and their answers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{
    forms::{Problem, bounded_text},
    ids::{DocumentId, OpinionId},
    units::UnitRef,
};

/// The text of an opinion: 1 to 5,000 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpinionText(String);

impl OpinionText {
    pub const MAX: u32 = 5_000;

    /// # Errors
    /// As [`bounded_text`].
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        bounded_text(typed, Self::MAX).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The readers of an opinion; chosen before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OpinionAudience {
    /// Secretary and deputies of the author's branch.
    Branch,
    /// The same, and the secretary and deputies of the grassroots committee above.
    Committee,
    /// Secretary and deputies of the branch, and the editors of the unit that issued the document.
    Editors,
}

crate::keyed!(OpinionAudience);

impl OpinionAudience {
    /// # Errors
    /// [`Problem::Required`], [`Problem::NotOffered`].
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        if typed.is_empty() { Err(Problem::Required) } else { Self::from_key(typed).ok_or(Problem::NotOffered) }
    }
}

/// State of an opinion. It only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OpinionState {
    /// Đã nhận: stored.
    Received,
    /// Đã xem: opened by the secretary.
    Seen,
    /// Đã trả lời.
    Answered,
    /// Đã giải quyết.
    Resolved,
}

crate::keyed!(OpinionState);

/// The code on a receipt, e.g. `K7QD-M2XA`: the last eight characters of the opinion's id, easy to read out on the phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptCode(String);

impl ReceiptCode {
    pub fn of(opinion: OpinionId) -> Self {
        let id = opinion.to_string();
        Self(format!("{}-{}", &id[18..22], &id[22..]))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An answer to an opinion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub text: String,
    pub by: String,
    pub at: DateTime<Utc>,
}

/// An opinion, as its author and its readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    pub id: OpinionId,
    pub code: ReceiptCode,
    pub author: String,
    pub branch: UnitRef,
    pub document: DocumentId,
    pub document_title: String,
    pub text: String,
    pub audience: OpinionAudience,
    pub state: OpinionState,
    pub sent_at: DateTime<Utc>,
    pub seen_at: Option<DateTime<Utc>>,
    pub answer: Option<Answer>,
}

/// A list of opinions, newest first unless stated otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpinionList {
    pub opinions: Vec<Opinion>,
    pub next: Option<OpinionId>,
}

/// Filter of the received opinions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReceivedShown {
    /// Unanswered, oldest first.
    #[default]
    Waiting,
    /// All, newest first.
    All,
}

impl ReceivedShown {
    /// Parses the filter of an address; unknown keys mean [`Self::Waiting`].
    pub fn from_key(key: Option<&str>) -> Self {
        if key == Some("all") { Self::All } else { Self::Waiting }
    }
}

/// The secretary's list: a unit and its opinions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchOpinions {
    pub unit: UnitRef,
    pub list: OpinionList,
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;

    #[test]
    fn a_receipt_code_is_short_and_belongs_to_its_opinion() {
        let id = OpinionId::new(Ulid::from_parts(1, 0x1234_5678_9abc));
        let code = ReceiptCode::of(id);
        assert_eq!(code.as_str().len(), 9);
        assert!(id.to_string().ends_with(&code.as_str().replace('-', "")));
    }

    #[test]
    fn the_length_counts_characters_not_bytes() {
        assert!(OpinionText::parse(&"ộ".repeat(5_000)).is_ok());
        assert_eq!(OpinionText::parse(&"ộ".repeat(5_001)), Err(Problem::TooLong { max: 5_000 }));
        assert_eq!(OpinionText::parse(" \n\t "), Err(Problem::Required));
    }
}
