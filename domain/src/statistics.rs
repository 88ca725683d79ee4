//! Figures of a subtree, and what of them may be shown.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::units::{Phase, UnitRef};

/// Units with fewer members than this are shown without figures: in a group of four everybody knows who the one is.
pub const SMALLEST_GROUP: u32 = 5;

/// Most rows of the list of those who need help: more would be a table again.
const HELP_MAX: usize = 5;

/// Counts over a unit's subtree. Exempt members count nowhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Active members.
    pub members: u32,
    /// Of these, with an activated account.
    pub activated: u32,
    /// Of these, who did something within the last 7 days.
    pub active: u32,
    /// Documents published by units of the subtree.
    pub documents: u32,
    /// Documents read by members of the subtree, each member and document once. Opening is not reading.
    pub reads: u32,
    /// Opinions by members of the subtree.
    pub opinions: u32,
}

impl Figures {
    /// The part of the members without an activated account, in thousandths.
    pub fn missing_per_mille(self) -> u64 {
        u64::from(self.members.saturating_sub(self.activated)) * 1000 / u64::from(self.members.max(1))
    }
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.members += other.members;
        self.activated += other.activated;
        self.active += other.active;
        self.documents += other.documents;
        self.reads += other.reads;
        self.opinions += other.opinions;
    }
}

/// A unit's row in the drill-down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitFigures {
    pub unit: UnitRef,
    /// None where the group is too small to show.
    pub figures: Option<Figures>,
    /// Whether there is a level below to look into.
    pub has_children: bool,
    /// How far the roll-out has come there.
    #[serde(default)]
    pub phase: Phase,
}

/// How many of some members have done what was asked of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Members who were asked, the exempt aside.
    pub members: u32,
    pub done: u32,
}

/// A unit's row where shares are followed level by level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitShare {
    pub unit: UnitRef,
    /// None where the group is too small to show.
    pub share: Option<Share>,
    /// Whether there is something below to look into.
    pub opens: bool,
}

/// The page of a committee. Also what an open page receives when something changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatisticsPage {
    /// From the highest unit the viewer may look at down to the unit itself.
    pub trail: Vec<UnitRef>,
    pub total: UnitFigures,
    /// The units one level below, as many as are asked for.
    pub children: Vec<UnitFigures>,
    /// How many units one level below have the words that are asked for.
    pub found: usize,
    /// How many units there are one level below.
    pub all: usize,
    /// See [`needing_help`].
    pub help: Vec<UnitFigures>,
    /// When the last counted event happened.
    pub changed_at: Option<DateTime<Utc>>,
}

/// The units where the largest part of the members has not activated the account, the largest first, a few at most; none where all
/// have or the figures are hidden.
pub fn needing_help(children: &[UnitFigures]) -> Vec<UnitFigures> {
    let lacks = |figures: &Figures| figures.activated < figures.members;
    let mut rows: Vec<&UnitFigures> = children.iter().filter(|row| row.figures.as_ref().is_some_and(lacks)).collect();
    rows.sort_by_key(|row| Reverse(row.figures.map(Figures::missing_per_mille)));
    rows.into_iter().take(HELP_MAX).cloned().collect()
}

/// Whether figures about so many people would be figures about persons.
pub const fn is_small(members: u32) -> bool {
    members > 0 && members < SMALLEST_GROUP
}

/// Which of the units below one must be hidden, by their numbers of members: those below [`SMALLEST_GROUP`], and the next smallest
/// as well where the total less what is shown would still be the figures of so small a group. `beside` are members of the unit itself
/// whom no row below shows. A total that is hidden itself must not be the sum of what is shown below it either.
///
/// Invariant: what is hidden together, with `beside`, is nobody or [`SMALLEST_GROUP`] members at least, unless all of them are fewer.
pub fn hidden(sizes: &[u32], beside: u32, is_total_hidden: bool) -> Vec<bool> {
    let mut hidden: Vec<bool> = sizes.iter().map(|members| is_small(*members)).collect();
    let together = sizes.iter().filter(|members| is_small(**members)).fold(beside, |sum, members| sum.saturating_add(*members));
    if is_small(together) || (is_total_hidden && together == 0) {
        let peopled = sizes.iter().enumerate().filter(|(at, members)| **members > 0 && !hidden[*at]);
        if let Some((smallest, _)) = peopled.min_by_key(|(_, members)| **members) {
            hidden[smallest] = true;
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        ids::UnitId,
        units::{UnitKind, UnitPath},
    };

    fn row(name: &str, figures: Option<(u32, u32)>) -> UnitFigures {
        let id: UnitId = "01JD0000000000000000000000".parse().expect("an id");
        let path = UnitPath::parse("/51/001/").expect("a path");
        UnitFigures {
            unit: UnitRef { id, kind: UnitKind::Branch, name: name.to_owned(), path },
            figures: figures.map(|(activated, members)| Figures { members, activated, ..Figures::default() }),
            has_children: false,
            phase: Phase::default(),
        }
    }

    #[test]
    fn those_with_the_lowest_share_are_named_first_and_the_complete_and_the_hidden_never() {
        let rows = [
            row("half", Some((10, 20))),
            row("all", Some((20, 20))),
            row("hidden", None),
            row("few", Some((1, 20))),
            row("empty", Some((0, 0))),
            row("most", Some((19, 20))),
        ];
        let named: Vec<String> = needing_help(&rows).into_iter().map(|row| row.unit.name).collect();
        assert_eq!(named, ["few", "half", "most"]);
    }

    #[test]
    fn the_list_of_those_who_need_help_stays_short() {
        let rows: Vec<UnitFigures> = (0..20).map(|n| row("unit", Some((n, 20)))).collect();
        assert_eq!(needing_help(&rows).len(), HELP_MAX);
    }

    fn shown(sizes: &[u32], is_total_hidden: bool) -> Vec<Option<u32>> {
        sizes.iter().zip(hidden(sizes, 0, is_total_hidden)).map(|(members, hidden)| (!hidden).then_some(*members)).collect()
    }

    #[test]
    fn small_groups_take_another_row_with_them_until_they_are_large_enough_together() {
        assert_eq!(shown(&[34, 4, 20], false), [Some(34), None, None]);
        assert_eq!(shown(&[34, 4, 3], false), [Some(34), None, None]);
        assert_eq!(shown(&[34, 1, 2, 20], false), [Some(34), None, None, None], "three people would be the difference");
        assert_eq!(shown(&[34, 1, 4, 20], false), [Some(34), None, None, Some(20)]);
        assert_eq!(shown(&[34, 20], false), [Some(34), Some(20)]);
        assert_eq!(shown(&[0, 34], false), [Some(0), Some(34)]);
        assert_eq!(shown(&[34, 0, 20], true), [Some(34), Some(0), None], "the total is not the sum of what is shown");
        assert_eq!(shown(&[34, 1, 20], true), [Some(34), None, None]);
        assert_eq!(hidden(&[34, 20], 2, false), [false, true], "two members of the unit itself would be the difference");
        assert_eq!(hidden(&[34, 20], 5, true), [false, false]);
    }

    proptest! {
        #[test]
        fn what_is_hidden_is_no_small_group_together(
            sizes in proptest::collection::vec(0u32..60, 1..12), beside in 0u32..7, is_total_hidden: bool,
        ) {
            let hidden = hidden(&sizes, beside, is_total_hidden);
            let together = sizes.iter().zip(&hidden).filter(|(_, hidden)| **hidden).map(|(members, _)| members).sum::<u32>() + beside;
            prop_assert!(!is_small(together) || is_small(sizes.iter().sum::<u32>() + beside));
            prop_assert!(!is_total_hidden || together > 0 || sizes.iter().all(|members| *members == 0));
            prop_assert!(sizes.iter().zip(&hidden).all(|(members, hidden)| *hidden || !is_small(*members)));
        }
    }
}
