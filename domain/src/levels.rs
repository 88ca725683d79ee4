//! Levels of units (các cấp tổ chức): the ordered list that a terminology pack defines, and what a unit of each level can do.
//!
//! The list belongs to the process, like the words of the pack. [`use_levels`] selects it before the store is opened on the server,
//! and before the first page renders in the browser. Rules ask for an ability of a level, not which level it is.

mod built_in;
mod own;

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::{PoisonError, RwLock},
};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use built_in::{ASSOCIATION, PARTY};
pub use own::{LevelNames, LevelsProblem, OwnLevel, keep_levels, own_levels};

use crate::{Locale, folding::fold};

/// Most levels of a pack. A path has one code for each, and its length is limited.
pub const LEVELS_MAX: usize = 16;

/// A name in each language, with a capital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names {
    pub vi: &'static str,
    pub en: &'static str,
    pub bn: &'static str,
}

impl Names {
    pub const fn of(self, l: Locale) -> &'static str {
        match l {
            Locale::Vi => self.vi,
            Locale::En => self.en,
            Locale::Bn => self.bn,
        }
    }
}

/// How the units of a level meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Meets {
    /// All members meet (sinh hoạt chi bộ).
    #[serde(rename = "branch")]
    AsBranch,
    /// The elected committee meets (họp cấp ủy).
    #[serde(rename = "committee")]
    AsCommittee,
}

/// A level of a pack. Texts are `'static`, because a list of levels lives as long as the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The name in stored rows, addresses and forms: ASCII letters, digits and `_`. It never changes once units are stored.
    pub key: &'static str,
    /// The position in the list; the highest level is 0.
    pub rank: usize,
    /// The full name, for forms.
    pub name: Names,
    /// A short name, for tags.
    pub short: Names,
    /// Other names in files, compared by [`fold`].
    pub aliases: &'static [&'static str],
    /// Keys of the levels that a unit of this level may hang on; `None` for any higher level.
    pub hangs_on: Option<&'static [&'static str]>,
    pub holds_members: bool,
    pub meets: Option<Meets>,
    pub issues_documents: bool,
    pub is_home: bool,
    /// The last day on which a unit of this level may begin.
    pub closed_after: Option<NaiveDate>,
}

impl Level {
    /// All names of the level in files, folded.
    fn words(&self) -> impl Iterator<Item = String> {
        let names = [self.key, self.name.vi, self.name.en, self.name.bn, self.short.vi, self.short.en, self.short.bn];
        names.into_iter().chain(self.aliases.iter().copied()).map(fold)
    }
}

/// The chosen list; [`PARTY`] before [`use_levels`].
static CHOSEN: RwLock<Option<&'static [Level]>> = RwLock::new(None);

/// Selects the levels of the process.
pub fn use_levels(levels: &'static [Level]) {
    *CHOSEN.write().unwrap_or_else(PoisonError::into_inner) = Some(levels);
}

/// The levels of the process, the highest first.
pub fn levels() -> &'static [Level] {
    CHOSEN.read().unwrap_or_else(PoisonError::into_inner).unwrap_or(&PARTY)
}

/// The level of a unit. Ordered from the highest to the lowest.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub struct UnitKind(&'static Level);

/// The key is not that of a level of the pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a level of this organisation")]
pub struct UnknownLevel(pub String);

impl UnitKind {
    /// All levels of the pack, the highest first.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator + Clone {
        Self::of(levels())
    }

    /// The levels of a list.
    pub fn of(levels: &'static [Level]) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator + Clone {
        levels.iter().map(Self)
    }

    /// The name in stored rows, addresses and forms.
    pub const fn key(self) -> &'static str {
        self.0.key
    }

    /// `None` for an unknown key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::all().find(|kind| kind.key() == key)
    }

    /// The level that a file names: by key, name, short name or alias, in any language. Case, tone marks and spaces do not matter.
    pub fn from_words(words: &str) -> Option<Self> {
        let words = fold(words);
        Self::all().find(|kind| kind.0.words().any(|known| known == words))
    }

    /// The full name, for forms.
    pub const fn name(self, l: Locale) -> &'static str {
        self.0.name.of(l)
    }

    /// The short name, for tags.
    pub const fn short_name(self, l: Locale) -> &'static str {
        self.0.short.of(l)
    }

    /// Whether a unit of this level may be a child of one of level `above`: of any higher level, or of those that the pack lists.
    pub fn hangs_on(self, above: Self) -> bool {
        above.0.rank < self.0.rank && self.0.hangs_on.is_none_or(|keys| keys.contains(&above.key()))
    }

    /// Whether a unit of this level may begin on this day.
    pub fn may_begin_on(self, day: NaiveDate) -> bool {
        self.0.closed_after.is_none_or(|last| day <= last)
    }

    /// The last day on which a unit of this level may begin.
    pub const fn closed_after(self) -> Option<NaiveDate> {
        self.0.closed_after
    }

    /// The levels of units that may begin on this day below a unit of this level.
    pub fn levels_below(self, day: NaiveDate) -> impl Iterator<Item = Self> {
        Self::all().filter(move |kind| kind.hangs_on(self) && kind.may_begin_on(day))
    }

    /// Whether members are registered in units of this level.
    pub const fn holds_members(self) -> bool {
        self.0.holds_members
    }

    /// How units of this level meet; `None` for a level without meetings of its own.
    pub const fn meets(self) -> Option<Meets> {
        self.0.meets
    }

    /// Whether all members of a unit of this level meet.
    pub const fn meets_as_branch(self) -> bool {
        matches!(self.0.meets, Some(Meets::AsBranch))
    }

    /// Whether units of this level issue documents and give courses.
    pub const fn issues_documents(self) -> bool {
        self.0.issues_documents
    }

    /// Whether a member calls a unit of this level “my branch”.
    pub const fn is_home(self) -> bool {
        self.0.is_home
    }

    /// Whether the leaders of a unit of this level know its members by name: it is their branch, or they are registered in it.
    pub const fn knows_members(self) -> bool {
        self.0.is_home || self.0.holds_members
    }

    /// Whether a branch can be split into two: its members are registered in it and meet in it.
    pub const fn splits(self) -> bool {
        self.0.holds_members && self.meets_as_branch()
    }

    /// What two equal levels have in common: lists of different packs are not compared in one process, except by tests.
    const fn identity(self) -> (usize, &'static str) {
        (self.0.rank, self.0.key)
    }
}

impl PartialEq for UnitKind {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for UnitKind {}

impl PartialOrd for UnitKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UnitKind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

impl Hash for UnitKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl fmt::Debug for UnitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl TryFrom<String> for UnitKind {
    type Error = UnknownLevel;

    fn try_from(key: String) -> Result<Self, UnknownLevel> {
        Self::from_key(&key).ok_or(UnknownLevel(key))
    }
}

impl From<UnitKind> for &'static str {
    fn from(kind: UnitKind) -> Self {
        kind.key()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A level of the default pack.
    pub(crate) fn level(key: &str) -> UnitKind {
        UnitKind::from_key(key).expect("a level of the party")
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn keys(kinds: impl Iterator<Item = UnitKind>) -> Vec<&'static str> {
        kinds.map(UnitKind::key).collect()
    }

    #[test]
    fn the_parent_of_a_unit_has_a_higher_level() {
        assert!(level("branch").hangs_on(level("province")));
        assert!(!level("branch").hangs_on(level("branch")));
        assert!(!level("province").hangs_on(level("commune")));
        assert!(level("group").hangs_on(level("branch")));
        assert!(!level("group").hangs_on(level("commune")), "the pack lists the levels it may hang on");
    }

    #[test]
    fn a_level_that_has_ended_is_not_offered_for_new_units() {
        let below = |above: &str, on: &str| keys(level(above).levels_below(day(on)));
        assert_eq!(below("province", "2025-06-30"), ["district", "commune", "base", "branch"]);
        assert_eq!(below("province", "2025-07-01"), ["commune", "base", "branch"]);
        assert_eq!(below("branch", "2026-11-21"), ["group"]);
        assert_eq!(below("group", "2026-11-21"), [] as [&str; 0]);
    }

    #[test]
    fn the_built_in_levels_follow_the_rules_of_own_packs() {
        for list in [&PARTY[..], &ASSOCIATION[..]] {
            let own: Vec<OwnLevel> = list.iter().map(OwnLevel::from).collect();
            let made = own_levels(&own).expect("is valid");
            assert_eq!(made, list);
        }
    }

    #[test]
    fn a_level_is_found_by_its_names_in_files() {
        for (words, key) in [
            ("Trung ương", "central"),
            ("  TỈNH,  thành phố ", "province"),
            ("Quận", "district"),
            ("thị xã", "district"),
            ("Đặc khu", "commune"),
            ("Đảng ủy cơ sở", "base"),
            ("đảng bộ bộ phận", "section"),
            ("Chi bộ", "branch"),
            ("chi hội", "branch"),
            ("Tổ đảng", "group"),
            ("Commune, ward", "commune"),
            ("group", "group"),
        ] {
            assert_eq!(UnitKind::from_words(words).map(UnitKind::key), Some(key), "{words}");
        }
        assert_eq!(UnitKind::from_words("Chi bộ cơ sở trực thuộc"), None);
        assert_eq!(UnitKind::from_words(""), None);
    }

    #[test]
    fn members_of_a_group_belong_to_the_branch_above_it() {
        for list in [&PARTY[..], &ASSOCIATION[..]] {
            let home = keys(UnitKind::of(list).filter(|kind| kind.is_home()));
            let holding = keys(UnitKind::of(list).filter(|kind| kind.holds_members()));
            assert_eq!((home, holding), (vec!["branch"], vec!["branch", "group"]));
        }
        assert!(level("branch").splits() && !level("group").splits());
        assert!(!level("branch").issues_documents() && level("section").issues_documents());
    }

    #[test]
    fn a_level_is_its_key_in_json() {
        assert_eq!(serde_json::to_string(&level("commune")).expect("json"), r#""commune""#);
        assert_eq!(serde_json::from_str::<UnitKind>(r#""commune""#).expect("a level"), level("commune"));
        let unknown = serde_json::from_str::<UnitKind>(r#""county""#).expect_err("is unknown").to_string();
        assert!(unknown.starts_with(r#""county" is not a level of this organisation"#), "{unknown}");
    }

    /// Packs of up to 16 levels, each with a bit set of the higher levels it may hang on; 0 for any.
    fn packs() -> impl Strategy<Value = &'static [Level]> {
        proptest::collection::vec(any::<u16>(), 1..=LEVELS_MAX).prop_map(|bits| {
            let key = |at: usize| format!("level_{at}");
            let own: Vec<OwnLevel> = bits
                .iter()
                .enumerate()
                .map(|(at, bits)| {
                    let above: Vec<String> = (0..at).filter(|above| bits >> above & 1 == 1).map(key).collect();
                    let name = format!("Cấp {at}");
                    OwnLevel {
                        key: key(at),
                        name: LevelNames { vi: name.clone(), en: name.clone(), bn: name },
                        hangs_on: (!above.is_empty()).then_some(above),
                        holds_members: true,
                        is_home: true,
                        ..OwnLevel::default()
                    }
                })
                .collect();
            own_levels(&own).expect("a valid pack")
        })
    }

    proptest! {
        #[test]
        fn a_unit_hangs_on_higher_levels_only_and_on_those_listed(pack in packs(), one in 0..LEVELS_MAX, other in 0..LEVELS_MAX) {
            let kinds: Vec<UnitKind> = UnitKind::of(pack).collect();
            let (one, other) = (kinds[one % kinds.len()], kinds[other % kinds.len()]);
            prop_assert!(!(one.hangs_on(other) && other.hangs_on(one)));
            if one.hangs_on(other) {
                prop_assert!(other < one);
            }
            let listed = pack[one.0.rank].hangs_on;
            prop_assert_eq!(one.hangs_on(other), other < one && listed.is_none_or(|keys| keys.contains(&other.key())));
        }

        #[test]
        fn levels_are_ordered_as_the_pack_lists_them(pack in packs()) {
            let kinds: Vec<UnitKind> = UnitKind::of(pack).collect();
            prop_assert!(kinds.is_sorted());
            prop_assert!(kinds.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }
}
