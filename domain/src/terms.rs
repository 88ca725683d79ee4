//! Terminology packs: an organisation's names of levels, roles and members. The rules are the same for all.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

/// The terminology pack (bộ thuật ngữ). Set once for an installation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Display, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Terms {
    /// Đảng: chi bộ, bí thư, đảng viên.
    #[default]
    Party,
    /// Hội: chi hội, chủ tịch, hội viên.
    Association,
}

crate::keyed!(Terms);

impl Terms {
    /// Whether this is the pack of an installation without a setting.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl FromStr for Terms {
    type Err = &'static str;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        Self::from_key(key).ok_or("it must be party or association")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_is_named_by_its_key() {
        for terms in Terms::ALL {
            assert_eq!(terms.to_string().parse(), Ok(terms));
        }
        assert!("trade-union".parse::<Terms>().is_err());
    }
}
