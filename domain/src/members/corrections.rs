//! A member requests a change of their own record (đề nghị đính chính), and a registrar decides.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::{CardNumber, FullName, NationalId, PhoneNumber, Sex};
use crate::{
    forms::{Problem, day},
    ids::{CorrectionId, MemberId},
};

/// A field that a member can request to correct. The standing is excluded: it is decided, not corrected. In the order of how
/// often they are requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CorrectionField {
    Phone,
    FullName,
    BirthDate,
    Sex,
    NationalId,
    Card,
    AdmittedOn,
    OfficialOn,
}

crate::keyed!(CorrectionField);

impl CorrectionField {
    /// The canonical form of the typed value: days as `2026-11-21`, numbers without separators, the sex as its key.
    ///
    /// # Errors
    /// Those of the field's own type; a sex may be given as its key or as `nam`, `nữ`.
    pub fn read(self, typed: &str) -> Result<String, Problem> {
        match self {
            Self::Phone => PhoneNumber::parse(typed).map(|phone| phone.expose().to_owned()),
            Self::FullName => FullName::entered(typed).map(|name| name.as_str().to_owned()),
            Self::BirthDate | Self::AdmittedOn | Self::OfficialOn => day(typed).map(|day| day.to_string()),
            Self::NationalId => NationalId::parse(typed).map(|id| id.expose().to_owned()),
            Self::Card => CardNumber::parse(typed).map(|card| card.as_str().to_owned()),
            Self::Sex => match crate::folding::fold(typed).as_str() {
                "" => Err(Problem::Required),
                "nam" => Ok(Sex::Male.key().to_owned()),
                "nu" => Ok(Sex::Female.key().to_owned()),
                key => Sex::from_key(key).map(|sex| sex.key().to_owned()).ok_or(Problem::NotOffered),
            },
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CorrectionState {
    Requested,
    Accepted,
    Declined,
}

crate::keyed!(CorrectionState);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    pub id: CorrectionId,
    pub member: MemberId,
    pub name: String,
    pub branch: String,
    pub field: CorrectionField,
    /// The current value in the record, for the registrar.
    pub now: Option<String>,
    /// In the form of [`CorrectionField::read`].
    pub wanted: String,
    pub reason: String,
    pub state: CorrectionState,
    pub requested_at: DateTime<Utc>,
    pub decided_at: Option<DateTime<Utc>>,
    pub note: Option<String>,
    /// Decided, and not seen by the member until now.
    pub is_news: bool,
}

/// Pending corrections, for the registrar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionsPage {
    pub waiting: Vec<Correction>,
    /// Number of all pending corrections.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wanted_value_has_one_canonical_form() {
        for (field, typed, written) in [
            (CorrectionField::Phone, "+84 912 345 678", "0912345678"),
            (CorrectionField::BirthDate, "2/9/1960", "1960-09-02"),
            (CorrectionField::Sex, "Nữ", "female"),
            (CorrectionField::Sex, "male", "male"),
            (CorrectionField::Card, "51.000 123", "51000123"),
            (CorrectionField::FullName, "  Lê   Lợi ", "Lê Lợi"),
        ] {
            assert_eq!(field.read(typed).as_deref(), Ok(written));
            assert_eq!(field.read(written).as_deref(), Ok(written), "reading it again changes nothing");
        }
        assert_eq!(CorrectionField::Sex.read("khác"), Err(Problem::NotOffered));
        assert_eq!(CorrectionField::NationalId.read("12"), Err(Problem::Digits { expected: 12 }));
    }
}
