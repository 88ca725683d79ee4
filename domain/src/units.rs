//! The organisation's tree (cây tổ chức).

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{
    forms::{Problem, bounded_line},
    ids::{MemberId, UnitId},
    policy::Role,
    statistics::Share,
};

/// The level of a unit. Names on screen come from the terminology pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
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

crate::keyed!(UnitKind);

impl UnitKind {
    /// Whether a unit of this level may hang on one of `above`: levels may be left out, never turned round.
    pub fn hangs_on(self, above: Self) -> bool {
        self > above
    }
}

/// How far the roll-out has come in a unit (lộ trình triển khai). It holds for the subtree, down to units that have a phase of
/// their own.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Phase {
    /// In the tree, not in use yet: its members cannot sign in, and are told when and whom to ask.
    Planned,
    /// Trying it out.
    Pilot,
    /// In use.
    #[default]
    Live,
}

crate::keyed!(Phase);

impl Phase {
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

/// A subtree on its way from one path to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    pub from: UnitPath,
    pub to: UnitPath,
}

impl Shift {
    /// Where the first of the shifts that holds `path` brings it.
    pub fn apply(shifts: &[Self], path: &UnitPath) -> Option<UnitPath> {
        shifts.iter().find_map(|shift| path.moved(&shift.from, &shift.to))
    }
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

/// The code of a unit, as it stands in its path and in the registry's files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitCode(String);

impl UnitCode {
    pub const MAX: u32 = 20;

    /// # Errors
    /// [`Problem::Required`], [`Problem::TooLong`], [`Problem::Characters`] for anything but ASCII letters, digits and `-`.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let code = bounded_line(typed, Self::MAX)?;
        if is_code(&code) { Ok(Self(code)) } else { Err(Problem::Characters) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitName(String);

impl UnitName {
    pub const MAX: u32 = 150;

    /// # Errors
    /// As [`bounded_line`].
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        bounded_line(typed, Self::MAX).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
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

/// The phase that holds for a unit, and what its members are told until it is open. Set on the unit itself or above it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub phase: Phase,
    /// The day the unit goes live, when it is known.
    pub live_from: Option<NaiveDate>,
    /// Whom to ask, in the words of who set the phase.
    pub contact: Option<String>,
}

impl Opening {
    pub const CONTACT_MAX: u32 = 200;
}

/// How a unit got the form it has in its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum UnitChange {
    Created,
    Renamed,
    Moved,
    /// It went over to another unit, because its own was merged into that one.
    Merged,
    /// It came out of a unit that was split.
    Split,
    /// Another unit was merged into it: the form is that of the other one, from the day it went over.
    Absorbed,
}

crate::keyed!(UnitChange);

/// A form a unit had (lịch sử đơn vị).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitForm {
    pub change: UnitChange,
    pub from: NaiveDate,
    /// The last day; none while it holds.
    pub until: Option<NaiveDate>,
    pub name: String,
    pub code: String,
    /// Name of the unit it hung on.
    pub parent: Option<String>,
}

/// What can be done with a unit; each is a page of one question. The key is the last part of the page's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum UnitStep {
    /// Create a unit below.
    New,
    Rename,
    Phase,
    Move,
    Merge,
    Split,
    Close,
}

crate::keyed!(UnitStep);

/// A unit in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitRow {
    pub unit: UnitRef,
    pub phase: Phase,
    /// Name of the unit it hangs on.
    pub parent: Option<String>,
    /// Active members of the subtree, the exempt aside; none for a day of the past and where they are hidden from the viewer.
    pub members: Option<u32>,
}

/// A unit in the tree that is opened level by level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeRow {
    pub unit: UnitRef,
    pub phase: Phase,
    pub size: UnitSize,
    /// Whether there is a level below which the viewer may look at.
    pub opens: bool,
    /// The units one level below, [`Self::BELOW`] at most; none while the unit is not open.
    pub below: Vec<Self>,
    /// Units one level below that are left out of [`Self::below`].
    pub more: u32,
}

impl TreeRow {
    /// Most units listed below one that is open.
    pub const BELOW: usize = 50;
}

/// What the viewer may see of how many belong to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitSize {
    /// Hidden from the viewer, here as on the page of statistics: see [`crate::statistics::hidden`].
    Hidden,
    /// Active members of the subtree, the exempt aside, for who has no right to its statistics.
    Members(u32),
    /// The same members, and how many of them have activated the account.
    Activated(Share),
}

/// The tree of the units a person answers for, or what a search among them found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitsPage {
    /// Without a search.
    pub tree: Vec<TreeRow>,
    /// What a search found.
    pub units: Vec<UnitRow>,
    /// Whether more were found than are listed.
    pub more: bool,
}

/// A page of the units one level below a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitsBelow {
    pub rows: Vec<UnitRow>,
    /// All that the viewer may look at, whatever was searched for.
    pub all: u32,
    /// Counted from 1.
    pub page: u32,
    /// At least 1.
    pub pages: u32,
}

/// Who leads a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    pub role: Role,
    pub name: String,
}

/// How a unit ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    pub on: NaiveDate,
    /// The unit that took over, when it was merged.
    pub successor: Option<UnitRef>,
}

/// Other parts of the registry that begin at a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitLink {
    Members,
    Roles,
    /// Paper codes for the first sign-in, of a branch.
    Codes,
    Statistics,
    Audit,
}

/// All about one unit, today or on a day of the past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitPage {
    pub unit: UnitRef,
    /// From the highest unit the viewer may look at down to the unit itself.
    pub trail: Vec<UnitRef>,
    pub today: NaiveDate,
    /// The day of the past that is shown; none for today.
    pub on: Option<NaiveDate>,
    pub leaders: Vec<Leader>,
    /// Active members, the exempt aside; of a past day for branches only. None where they are hidden from the viewer, see
    /// [`UnitSize::Hidden`], and for a unit that is closed.
    pub members: Option<u32>,
    /// Branches below.
    pub branches: u32,
    /// The units one level below which the viewer may look at.
    pub children: UnitsBelow,
    pub opening: Opening,
    /// The phase set on the unit itself; none where it is that of the unit above.
    pub own_phase: Option<Phase>,
    pub closing: Option<Closing>,
    /// Whether the unit or one above it has just been moved and papers and members are still following.
    pub moving: bool,
    pub version: u32,
    /// What the viewer may do with it.
    pub steps: Vec<UnitStep>,
    /// Where the viewer may go on from it.
    pub links: Vec<UnitLink>,
    /// The newest first.
    pub history: Vec<UnitForm>,
}

/// Units a unit can be moved below or merged into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitTargets {
    pub unit: UnitRef,
    pub code: String,
    pub version: u32,
    pub today: NaiveDate,
    /// Active members that go along; none where they are hidden from the viewer.
    pub members: Option<u32>,
    /// Units below that go along.
    pub units: u32,
    pub found: Vec<UnitRow>,
    pub more: bool,
}

/// A member who may go over to a new branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterRow {
    pub member: MemberId,
    pub name: String,
}

/// The members of a branch that is to be split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    pub unit: UnitRef,
    pub version: u32,
    pub today: NaiveDate,
    pub members: Vec<RosterRow>,
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
    fn a_code_is_letters_digits_and_dashes() {
        assert_eq!(UnitCode::parse(" CB-07 ").expect("a code").as_str(), "CB-07");
        for (typed, problem) in [
            ("", Problem::Required),
            ("0 7", Problem::Characters),
            ("../7", Problem::Characters),
            ("chi bộ", Problem::Characters),
            ("123456789012345678901", Problem::TooLong { max: 20 }),
        ] {
            assert_eq!(UnitCode::parse(typed), Err(problem), "{typed}");
        }
    }

    #[test]
    fn a_unit_hangs_on_a_higher_level_only() {
        assert!(UnitKind::Branch.hangs_on(UnitKind::Province));
        assert!(!UnitKind::Branch.hangs_on(UnitKind::Branch));
        assert!(!UnitKind::Province.hangs_on(UnitKind::Commune));
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
