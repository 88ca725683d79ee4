//! The organisation's tree (cây tổ chức).

use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

pub use crate::levels::{Meets, UnitKind};
use crate::{
    forms::{Problem, bounded_line},
    ids::{MemberId, UnitId},
    policy::{Action, Role},
    statistics::Share,
};

mod became;
pub mod reorganisation;

pub use became::{Became, BecamePage, BecameStep, BranchThen, BranchesThen, ByCode, PartNow, UnitThen};

/// The phase of the roll-out in a unit (lộ trình triển khai). It applies to the subtree, except below units with a phase of their
/// own.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Phase {
    /// In the tree, not in use yet: its members cannot sign in, and are shown when it opens and whom to contact.
    Planned,
    /// Trying it out.
    Pilot,
    /// In use.
    #[default]
    Live,
}

crate::keyed!(Phase);

impl Phase {
    /// Whether members of units in this phase can sign in.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Planned)
    }

    /// What is set on a unit whose members are in this phase and would come into `otherwise`: this phase, if they could then no
    /// longer sign in.
    pub fn kept(self, otherwise: Self) -> Option<Self> {
        (self.is_open() && !otherwise.is_open()).then_some(self)
    }
}

/// The codes from the root down, each followed by `/`: `/01/51/001/07/`. The subtree of a unit is the set of paths with this
/// prefix.
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

    /// The parent path; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (above, _) = self.0[..self.0.len() - 1].rsplit_once('/')?;
        (!above.is_empty()).then(|| Self(format!("{above}/")))
    }

    /// The unit's own code, the last of the path.
    pub fn code(&self) -> &str {
        self.0[..self.0.len() - 1].rsplit('/').next().unwrap_or_default()
    }

    /// The new path when the subtree `from`, which contains this one, is moved to `to`.
    pub fn moved(&self, from: &Self, to: &Self) -> Option<Self> {
        Some(Self(format!("{}{}", to.0, self.0.strip_prefix(&from.0)?)))
    }

    /// From the root down to this unit itself.
    pub fn ancestors_and_self(&self) -> impl Iterator<Item = Self> + '_ {
        self.0.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(at, _)| Self(self.0[..=at].to_owned()))
    }

    /// The upper bound (exclusive) of an index range over this subtree.
    pub fn range_end(&self) -> String {
        // '0' follows '/' in ASCII.
        format!("{}0", &self.0[..self.0.len() - 1])
    }
}

/// Whether this text is a valid unit code: ASCII letters, digits and `-`.
pub fn is_code(code: &str) -> bool {
    !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// A move of a subtree from one path to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    pub from: UnitPath,
    pub to: UnitPath,
}

impl Shift {
    /// Applies the first of the shifts whose subtree contains `path`.
    pub fn apply(shifts: &[Self], path: &UnitPath) -> Option<UnitPath> {
        shifts.iter().find_map(|shift| path.moved(&shift.from, &shift.to))
    }
}

/// The moves of one change of the tree. Of several subtrees that contain a path, the lowest one says where it goes, as in the
/// stored order of [`Shift::apply`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shifts {
    /// The new path of each old subtree.
    to: BTreeMap<UnitPath, UnitPath>,
    /// All new paths.
    targets: BTreeSet<UnitPath>,
}

impl Shifts {
    pub fn is_empty(&self) -> bool {
        self.to.is_empty()
    }

    pub fn len(&self) -> usize {
        self.to.len()
    }

    /// The new path of a row that was stored with `path`; `None` where it does not move.
    pub fn apply(&self, path: &UnitPath) -> Option<UnitPath> {
        let above: Vec<UnitPath> = path.ancestors_and_self().collect();
        above.iter().rev().find_map(|from| path.moved(from, self.to.get(from)?))
    }

    /// Whether `path` is a unit that was moved, or below one.
    pub fn reach(&self, path: &UnitPath) -> bool {
        path.ancestors_and_self().any(|above| self.targets.contains(&above))
    }

    /// The old subtrees that are not inside another one, in the order of paths.
    pub fn outermost(&self) -> impl Iterator<Item = &UnitPath> {
        let mut last: Option<&UnitPath> = None;
        self.to.keys().filter(move |from| {
            let is_inside = last.is_some_and(|last| last.contains(from));
            if !is_inside {
                last = Some(*from);
            }
            !is_inside
        })
    }

    /// In the order in which shifts are stored: the lowest subtrees first.
    pub fn in_stored_order(&self) -> Vec<Shift> {
        let mut shifts: Vec<Shift> = self.to.iter().map(|(from, to)| Shift { from: from.clone(), to: to.clone() }).collect();
        shifts.sort_by_cached_key(|shift| std::cmp::Reverse(shift.from.ancestors_and_self().count()));
        shifts
    }
}

impl FromIterator<Shift> for Shifts {
    /// Of several shifts of one subtree, the first is kept.
    fn from_iter<I: IntoIterator<Item = Shift>>(shifts: I) -> Self {
        let mut collected = Self::default();
        collected.extend(shifts);
        collected
    }
}

impl Extend<Shift> for Shifts {
    fn extend<I: IntoIterator<Item = Shift>>(&mut self, shifts: I) {
        for Shift { from, to } in shifts {
            self.targets.insert(to.clone());
            self.to.entry(from).or_insert(to);
        }
    }
}

/// Paths compare as their texts, so a map of paths can be searched from any text, such as [`UnitPath::range_end`].
impl Borrow<str> for UnitPath {
    fn borrow(&self) -> &str {
        &self.0
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

/// The code of a unit, as used in its path and in files of the registry.
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

/// A reference to a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitRef {
    pub id: UnitId,
    pub kind: UnitKind,
    pub name: String,
    pub path: UnitPath,
}

/// The phase that applies to a unit, and what its members are shown until it opens. Set on the unit itself or above it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub phase: Phase,
    /// The day the unit goes live, if known.
    pub live_from: Option<NaiveDate>,
    /// Contact, in the words of the person who set the phase.
    pub contact: Option<String>,
}

impl Opening {
    pub const CONTACT_MAX: u32 = 200;
}

/// The change that started an entry of a unit's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum UnitChange {
    Created,
    Renamed,
    Moved,
    /// It moved to another unit, because its parent was merged into that one.
    Merged,
    /// It was created by a split.
    Split,
    /// Another unit was merged into it: the entry has the name and code of that unit, and `from` is the day of the merge.
    Absorbed,
    /// A reorganisation by file created, renamed, recoded or moved it.
    Reorganised,
}

crate::keyed!(UnitChange);

/// An entry of a unit's history (lịch sử đơn vị).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitForm {
    pub change: UnitChange,
    pub from: NaiveDate,
    /// The last day; `None` for the current entry.
    pub until: Option<NaiveDate>,
    pub name: String,
    pub code: String,
    /// Name of the parent unit.
    pub parent: Option<String>,
}

/// Operations on a unit; each has a page of its own. The key is the last segment of the page's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum UnitStep {
    /// Create a child unit.
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
    /// Name of the parent unit.
    pub parent: Option<String>,
    /// Active members of the subtree, without the exempt ones; `None` for a past day and where hidden from the viewer.
    pub members: Option<u32>,
    /// In search results: the earlier name or code that was found, of this unit or of one that it took over.
    #[serde(default)]
    pub formerly: Option<Formerly>,
}

/// A name and code that a unit had before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formerly {
    pub name: String,
    pub code: String,
}

/// A unit in the expandable tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeRow {
    pub unit: UnitRef,
    pub phase: Phase,
    pub size: UnitSize,
    /// Whether it has children that the viewer may see.
    pub opens: bool,
    /// The children, [`Self::BELOW`] at most; empty while the row is collapsed.
    pub below: Vec<Self>,
    /// Number of children left out of [`Self::below`].
    pub more: u32,
}

impl TreeRow {
    /// Maximum children listed below an expanded row.
    pub const BELOW: usize = 50;
}

/// The size of a unit, as far as the viewer may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitSize {
    /// Hidden from the viewer, as on the statistics page: see [`crate::statistics::hidden`].
    Hidden,
    /// Active members of the subtree, without the exempt ones, for a viewer without the right to its statistics.
    Members(u32),
    /// The same members, and how many of them have activated the account.
    Activated(Share),
    /// On a past day: only the numbers of today are counted.
    NotRecorded,
}

/// The tree of the viewer's units, or the search results in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitsPage {
    pub today: NaiveDate,
    /// The past day that is shown; `None` for today.
    pub on: Option<NaiveDate>,
    /// Why today is shown: the day that was typed is none of the past.
    pub day_problem: Option<Problem>,
    /// Filled without a search.
    pub tree: Vec<TreeRow>,
    /// Search results.
    pub units: Vec<UnitRow>,
    /// Whether the results are truncated.
    pub more: bool,
}

/// A page of a unit's children.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitsBelow {
    pub rows: Vec<UnitRow>,
    /// Number of all children the viewer may see, whatever the search.
    pub all: u32,
    /// Counted from 1.
    pub page: u32,
    /// At least 1.
    pub pages: u32,
}

/// A leader of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    pub role: Role,
    pub name: String,
}

/// The end of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    pub on: NaiveDate,
    /// The unit it was merged into.
    pub successor: Option<UnitRef>,
}

/// Links to other pages of the registry for a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitLink {
    Members,
    Roles,
    /// Paper codes for the first sign-in, of a branch or a unit in which members are registered.
    Codes,
    Statistics,
    Audit,
}

/// The page of one unit, today or on a past day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitPage {
    pub unit: UnitRef,
    /// From the highest unit the viewer may see down to the unit itself.
    pub trail: Vec<UnitRef>,
    pub today: NaiveDate,
    /// The past day that is shown; `None` for today.
    pub on: Option<NaiveDate>,
    pub leaders: Vec<Leader>,
    /// Active members, without the exempt ones; on a past day for branches only. `None` where hidden from the viewer, see
    /// [`UnitSize::Hidden`], and for a closed unit.
    pub members: Option<u32>,
    /// Number of branches below.
    pub branches: u32,
    /// The children the viewer may see.
    pub children: UnitsBelow,
    pub opening: Opening,
    /// The phase set on the unit itself; `None` where it inherits that of its parent.
    pub own_phase: Option<Phase>,
    pub closing: Option<Closing>,
    /// Whether the unit or one above it was just moved and its documents and members are still being updated.
    pub moving: bool,
    pub version: u32,
    /// The operations the viewer may do.
    pub steps: Vec<UnitStep>,
    /// The links open to the viewer.
    pub links: Vec<UnitLink>,
    /// Newest first.
    pub history: Vec<UnitForm>,
    /// The units on the other side of a change; `None` where nothing has changed.
    #[serde(default)]
    pub counterparts: Option<Counterparts>,
}

/// Units with the same people on both sides of a change.
///
/// On the page of today: the units of an earlier day whose people the unit has today (trước đây gồm). On the page of a past day:
/// the units of today that have its people (nay thuộc).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterparts {
    /// The past day.
    pub on: NaiveDate,
    /// [`Self::LISTED`] at most.
    pub rows: Vec<Counterpart>,
    /// Number of units left out of [`Self::rows`].
    pub more: u32,
}

impl Counterparts {
    /// Maximum number of rows.
    pub const LISTED: usize = 30;
}

/// A unit on the other side of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterpart {
    /// As it was on its side of the change.
    pub unit: UnitRef,
    /// Whether only a part of it corresponds.
    pub is_part: bool,
    /// Number of branches that correspond.
    pub branches: u32,
    /// Their members on the past day; `None` where hidden or too many branches to count.
    pub members: Option<u32>,
}

/// What a unit is chosen for: it decides which units a person is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PickPurpose {
    /// The audience of a document.
    Document,
    /// The audience of a course.
    Course,
    /// The unit of a role.
    Role,
    /// The unit whose subtree an import may change.
    Import,
}

crate::keyed!(PickPurpose);

impl PickPurpose {
    /// The rights on the units that are offered: one of them is enough.
    pub const fn actions(self) -> &'static [Action] {
        match self {
            Self::Document => &[Action::WriteDocument],
            Self::Course => &[Action::ManageCourses],
            Self::Role => &[Action::GrantRoles],
            Self::Import => &[Action::ManageMembers, Action::ManageUnit],
        }
    }
}

/// A unit to choose, with what tells it from others of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickableUnit {
    pub unit: UnitRef,
    /// Name of the parent; `None` for the root.
    pub parent: Option<String>,
    /// Number of active members; `None` where hidden from the viewer.
    pub members: Option<u32>,
}

/// Units to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitChoices {
    pub units: Vec<PickableUnit>,
    /// How many more there are.
    pub more: u32,
}

/// Units of which a form takes one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneUnitChoices {
    pub selected: Option<PickableUnit>,
    pub found: UnitChoices,
}

/// Units of an audience in a form that is not saved: what was searched for, and the ids selected so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PickedUnits {
    pub find: String,
    pub audience: String,
    /// Separated by spaces.
    pub parts: String,
    pub except: String,
    pub standings: String,
}

/// Possible new parents of a unit, or units it can be merged into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitTargets {
    pub unit: UnitRef,
    pub code: String,
    pub version: u32,
    pub today: NaiveDate,
    /// Active members that move along; `None` where hidden from the viewer.
    pub members: Option<u32>,
    /// Units below that move along.
    pub units: u32,
    /// The phase of the unit.
    pub phase: Phase,
    /// Those found where members could no longer sign in. So the unit that moves, or the one it is merged into, gets this phase as
    /// its own.
    pub phased: Vec<UnitId>,
    pub found: Vec<UnitRow>,
    pub more: bool,
}

/// A member who can be moved to a new branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterRow {
    pub member: MemberId,
    pub name: String,
}

/// The members of a branch to split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    pub unit: UnitRef,
    pub version: u32,
    pub today: NaiveDate,
    /// The phase that the new branch gets as its own, because its members could no longer sign in without it.
    pub phase: Option<Phase>,
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
    fn the_lowest_moved_subtree_says_where_a_path_goes() {
        let shift = |from: &str, to: &str| Shift { from: path(from), to: path(to) };
        let stored = [shift("/1/2/3/", "/1/9/3/"), shift("/1/2/", "/1/8/"), shift("/1/22/", "/1/7/")];
        let shifts: Shifts = stored.iter().cloned().collect();
        for (from, to) in [
            ("/1/2/3/4/", Some("/1/9/3/4/")),
            ("/1/2/", Some("/1/8/")),
            ("/1/2/33/", Some("/1/8/33/")),
            ("/1/22/1/", Some("/1/7/1/")),
            ("/1/", None),
            ("/1/23/", None),
        ] {
            assert_eq!(shifts.apply(&path(from)), to.map(path), "{from}");
            assert_eq!(shifts.apply(&path(from)), Shift::apply(&stored, &path(from)), "{from}");
        }
        assert_eq!(shifts.outermost().collect::<Vec<_>>(), [&path("/1/2/"), &path("/1/22/")]);
        assert!(shifts.reach(&path("/1/9/3/5/")) && shifts.reach(&path("/1/7/")) && !shifts.reach(&path("/1/9/4/")));
        assert_eq!(shifts.in_stored_order()[0], stored[0], "the lowest first");
    }

    #[test]
    fn ancestors_come_from_the_root() {
        let all: Vec<_> = path("/01/51/001/").ancestors_and_self().map(String::from).collect();
        assert_eq!(all, ["/01/", "/01/51/", "/01/51/001/"]);
    }

    #[test]
    fn a_map_of_paths_is_searched_by_text() {
        let map = std::collections::BTreeMap::from([(path("/01/5/"), 5), (path("/01/51/"), 51), (path("/01/5-1/"), 1)]);
        let after =
            map.range::<str, _>((std::ops::Bound::Included(path("/01/5/").range_end().as_str()), std::ops::Bound::Unbounded));
        assert_eq!(after.map(|(_, number)| *number).collect::<Vec<_>>(), [51], "the first path after the subtree");
        assert_eq!(map.get("/01/5-1/"), Some(&1));
    }

    #[test]
    fn an_invalid_path_is_refused() {
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

        #[test]
        fn a_look_up_equals_the_search_in_stored_order(
            shifts in proptest::collection::btree_map("(/[0-9]{1,2}){1,3}/", "(/[0-9]){1,3}/", 0..12), at in "(/[0-9]{1,2}){1,4}/",
        ) {
            let shifts: Shifts = shifts.iter().map(|(from, to)| Shift { from: path(from), to: path(to) }).collect();
            prop_assert_eq!(shifts.apply(&path(&at)), Shift::apply(&shifts.in_stored_order(), &path(&at)));
            let is_outermost = |from: &UnitPath| !shifts.to.keys().any(|other| other != from && other.contains(from));
            prop_assert!(shifts.outermost().eq(shifts.to.keys().filter(|from| is_outermost(from))));
        }
    }
}
