//! Terminology packs: what an organisation calls its levels, roles and members. The rules are the same for all.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Whose words the pages speak (bộ thuật ngữ). Set once for an installation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Terms {
    /// Đảng: chi bộ, bí thư, đảng viên.
    #[default]
    Party,
    /// Hội: chi hội, chủ tịch, hội viên.
    Association,
}

impl Terms {
    /// Whether these are the words of an installation that has chosen none.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub const ALL: [Self; 2] = [Self::Party, Self::Association];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Party => "party",
            Self::Association => "association",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|terms| terms.key() == key)
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
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
