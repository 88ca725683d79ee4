//! Terminology packs: an organisation's levels, and its names of levels, roles and members. The rules are the same for all.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

use crate::{
    Locale,
    levels::{ASSOCIATION, Level, OwnLevel, PARTY, keep_levels},
};

/// A built-in terminology pack (bộ thuật ngữ).
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

    /// The levels of the pack, the highest first.
    pub fn levels(self) -> &'static [Level] {
        match self {
            Self::Party => &PARTY,
            Self::Association => &ASSOCIATION,
        }
    }
}

impl FromStr for Terms {
    type Err = &'static str;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        Self::from_key(key).ok_or("it must be party or association")
    }
}

/// The pack of an installation: a built-in one, or an own one based on it. Set once for an installation, and sent with each page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    /// The words that are not among [`Self::words`], and the levels of a built-in pack.
    #[serde(default, skip_serializing_if = "Terms::is_default")]
    pub base: Terms,
    /// The levels of an own pack, from the highest; empty for those of the base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<OwnLevel>,
    /// Words that replace those of the base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<OwnWord>,
}

/// A word that replaces one of the base pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnWord {
    pub locale: Locale,
    /// The name of the word in texts, `member` for `{@member}`.
    pub key: String,
    pub word: String,
}

impl Pack {
    /// The levels of the pack, the highest first. Own levels are kept for the life of the process and not checked again.
    pub fn levels(&self) -> &'static [Level] {
        if self.levels.is_empty() { self.base.levels() } else { keep_levels(&self.levels) }
    }
}

impl From<Terms> for Pack {
    fn from(base: Terms) -> Self {
        Self { base, ..Self::default() }
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

    #[test]
    fn pages_of_a_built_in_pack_carry_only_its_name() {
        let sent = |pack: Pack| serde_json::to_string(&pack).expect("json");
        assert_eq!(sent(Pack::default()), "{}");
        assert_eq!(sent(Terms::Association.into()), r#"{"base":"association"}"#);
    }
}
