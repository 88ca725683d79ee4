//! The organisation's tree (cây tổ chức).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::UnitId;

/// The level of a unit. Names on screen come from the terminology pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// Trung ương.
    Central,
    /// Tỉnh, thành phố.
    Province,
    /// Xã, phường, đặc khu: a grassroots committee.
    Commune,
    /// Chi bộ: a leaf that meets.
    Branch,
}

impl UnitKind {
    pub const ALL: [Self; 4] = [Self::Central, Self::Province, Self::Commune, Self::Branch];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Central => "central",
            Self::Province => "province",
            Self::Commune => "commune",
            Self::Branch => "branch",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

/// How far the roll-out has come in a unit (lộ trình triển khai). It holds for the subtree, down to units that have a phase of
/// their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// In the tree, not in use yet: its members cannot sign in, and are told when and whom to ask.
    Planned,
    /// Trying it out.
    Pilot,
    /// In use.
    #[default]
    Live,
}

impl Phase {
    pub const ALL: [Self; 3] = [Self::Planned, Self::Pilot, Self::Live];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Pilot => "pilot",
            Self::Live => "live",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.key() == key)
    }

    /// Whether members of such a unit can sign in.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Planned)
    }
}

/// The codes from the root down, each closed by `/`: `/01/51/001/07/`. A unit's subtree is exactly the paths it starts.
///
/// Invariant: starts and ends with `/`; between them codes of ASCII letters, digits and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitPath(String);

/// The text is not a path of unit codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a unit path")]
pub struct NotAPath;

impl UnitPath {
    /// # Errors
    /// [`NotAPath`] when it breaks the invariant above.
    pub fn parse(text: &str) -> Result<Self, NotAPath> {
        let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).ok_or(NotAPath)?;
        if inner.split('/').all(is_code) { Ok(Self(text.to_owned())) } else { Err(NotAPath) }
    }

    /// # Errors
    /// [`NotAPath`] when `code` is not a unit code.
    pub fn child(&self, code: &str) -> Result<Self, NotAPath> {
        if is_code(code) { Ok(Self(format!("{}{code}/", self.0))) } else { Err(NotAPath) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` is this unit or below it.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The unit this one hangs on; none for the root.
    pub fn parent(&self) -> Option<Self> {
        let (above, _) = self.0[..self.0.len() - 1].rsplit_once('/')?;
        (!above.is_empty()).then(|| Self(format!("{above}/")))
    }

    /// The unit's own code, the last of the path.
    pub fn code(&self) -> &str {
        self.0[..self.0.len() - 1].rsplit('/').next().unwrap_or_default()
    }

    /// The path this one becomes when the subtree `from`, in which it lies, is moved to `to`.
    pub fn moved(&self, from: &Self, to: &Self) -> Option<Self> {
        Some(Self(format!("{}{}", to.0, self.0.strip_prefix(&from.0)?)))
    }

    /// From the root down to this unit itself: at most as many as the tree is deep.
    pub fn ancestors_and_self(&self) -> impl Iterator<Item = Self> + '_ {
        self.0.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(at, _)| Self(self.0[..=at].to_owned()))
    }

    /// The first text after every path of this subtree: the end of an index range.
    pub fn range_end(&self) -> String {
        // '0' follows '/' in ASCII.
        format!("{}0", &self.0[..self.0.len() - 1])
    }
}

/// Whether this text can be the code of a unit: ASCII letters, digits and `-`.
pub fn is_code(code: &str) -> bool {
    !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl fmt::Display for UnitPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for UnitPath {
    type Error = NotAPath;

    fn try_from(text: String) -> Result<Self, NotAPath> {
        Self::parse(&text)
    }
}

impl From<UnitPath> for String {
    fn from(path: UnitPath) -> Self {
        path.0
    }
}

/// A unit as other things name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitRef {
    pub id: UnitId,
    pub kind: UnitKind,
    pub name: String,
    pub path: UnitPath,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> UnitPath {
        UnitPath::parse(text).expect("a valid path")
    }

    #[test]
    fn a_neighbour_with_a_longer_code_is_not_below() {
        assert!(!path("/01/5/").contains(&path("/01/51/")));
        assert!(path("/01/").contains(&path("/01/51/")));
        assert!(path("/01/").contains(&path("/01/")));
        assert!(!path("/01/51/").contains(&path("/01/")));
    }

    #[test]
    fn parent_code_and_moves() {
        assert_eq!(path("/01/51/001/").parent(), Some(path("/01/51/")));
        assert_eq!(path("/01/").parent(), None);
        assert_eq!(path("/01/51/").code(), "51");
        assert_eq!(path("/01/51/7/").moved(&path("/01/51/"), &path("/01/60/51/")), Some(path("/01/60/51/7/")));
        assert_eq!(path("/01/5/").moved(&path("/01/51/"), &path("/01/60/")), None);
    }

    #[test]
    fn ancestors_come_from_the_root() {
        let all: Vec<_> = path("/01/51/001/").ancestors_and_self().map(String::from).collect();
        assert_eq!(all, ["/01/", "/01/51/", "/01/51/001/"]);
    }

    #[test]
    fn what_is_not_a_path_is_refused() {
        for text in ["", "/", "//", "01/", "/01", "/0 1/", "/01//02/", "/01/%/"] {
            assert_eq!(UnitPath::parse(text), Err(NotAPath), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_subtree_is_an_index_range(a in "(/[0-9a-z-]{1,3}){1,4}/", b in "(/[0-9a-z-]{1,3}){1,4}/") {
            let (a, b) = (path(&a), path(&b));
            let in_range = b.as_str() >= a.as_str() && b.as_str() < a.range_end().as_str();
            prop_assert_eq!(a.contains(&b), in_range);
        }
    }
}
