//! Figures of a subtree, and which of them may be shown.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::units::{Phase, UnitRef};

/// Figures of units with fewer members are hidden: in a group of four everybody can tell who the one is.
pub const SMALLEST_GROUP: u32 = 5;

/// Maximum rows of the list of units that need help.
const HELP_MAX: usize = 5;

/// Counts over a unit's subtree. Exempt members are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Active members.
    pub members: u32,
    /// Of these, with an activated account.
    pub activated: u32,
    /// Of these, active within the last 7 days.
    pub active: u32,
    /// Documents published by units of the subtree.
    pub documents: u32,
    /// Documents read by members of the subtree, counted once per member and document. Opening does not count.
    pub reads: u32,
    /// Opinions by members of the subtree.
    pub opinions: u32,
}

impl Figures {
    /// The share of members without an activated account, in thousandths.
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
    /// Whether it has children to open.
    pub has_children: bool,
    /// The phase of the roll-out.
    #[serde(default)]
    pub phase: Phase,
}

/// How many of the members concerned have completed a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Members concerned, without the exempt ones.
    pub members: u32,
    pub done: u32,
}

/// The number of members of an audience, as far as a person may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberCount {
    Exact(u32),
    /// Fewer by those who are left out and whose number is hidden: the members of an excepted unit, or those of other standings.
    AtMost(u32),
    /// More by the members of units whose number is hidden.
    AtLeast(u32),
    Hidden,
}

impl MemberCount {
    pub const fn exact(self) -> Option<u32> {
        if let Self::Exact(members) = self { Some(members) } else { None }
    }
}

/// How many members and branches an audience has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    pub members: MemberCount,
    pub branches: u32,
}

/// A unit's row in a drill-down of shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitShare {
    pub unit: UnitRef,
    /// None where the group is too small to show.
    pub share: Option<Share>,
    /// Whether it has children to open.
    pub opens: bool,
}

/// The statistics page of a committee. Also sent to open pages when figures change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatisticsPage {
    /// From the highest unit the viewer may see down to the unit itself.
    pub trail: Vec<UnitRef>,
    pub total: UnitFigures,
    /// The requested rows of the units one level below.
    pub children: Vec<UnitFigures>,
    /// Number of units one level below that match the search.
    pub found: usize,
    /// Number of units one level below.
    pub all: usize,
    /// See [`needing_help`].
    pub help: Vec<UnitFigures>,
    /// Time of the last counted event.
    pub changed_at: Option<DateTime<Utc>>,
}

/// The units with the largest shares of members who have not activated the account, largest first, five at most. Complete
/// units and those with hidden figures are left out.
pub fn needing_help(children: &[UnitFigures]) -> Vec<UnitFigures> {
    let lacks = |figures: &Figures| figures.activated < figures.members;
    let mut rows: Vec<&UnitFigures> = children.iter().filter(|row| row.figures.as_ref().is_some_and(lacks)).collect();
    rows.sort_by_key(|row| Reverse(row.figures.map(Figures::missing_per_mille)));
    rows.into_iter().take(HELP_MAX).cloned().collect()
}

/// Whether figures of a group of this size would reveal individuals.
pub const fn is_small(members: u32) -> bool {
    members > 0 && members < SMALLEST_GROUP
}

/// Which of the child units must be hidden, by their numbers of members: those below [`SMALLEST_GROUP`], and the next smallest as
/// well if the total minus the shown rows would still reveal a small group. `beside` is the number of members of the unit itself,
/// who are in no row. If the total is hidden, it must not be the sum of the shown rows either.
///
/// Invariant: the hidden rows and `beside` together have 0 or at least [`SMALLEST_GROUP`] members, unless the whole group is
/// smaller.
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
    use crate::{ids::UnitId, levels::tests::level, units::UnitPath};

    fn row(name: &str, figures: Option<(u32, u32)>) -> UnitFigures {
        let id: UnitId = "01JD0000000000000000000000".parse().expect("an id");
        let path = UnitPath::parse("/51/001/").expect("a path");
        UnitFigures {
            unit: UnitRef { id, kind: level("branch"), name: name.to_owned(), path },
            figures: figures.map(|(activated, members)| Figures { members, activated, ..Figures::default() }),
            has_children: false,
            phase: Phase::default(),
        }
    }

    #[test]
    fn the_lowest_shares_come_first_without_complete_and_hidden_units() {
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
        assert_eq!(shown(&[34, 1, 2, 20], false), [Some(34), None, None, None], "the difference would be three people");
        assert_eq!(shown(&[34, 1, 4, 20], false), [Some(34), None, None, Some(20)]);
        assert_eq!(shown(&[34, 20], false), [Some(34), Some(20)]);
        assert_eq!(shown(&[0, 34], false), [Some(0), Some(34)]);
        assert_eq!(shown(&[34, 0, 20], true), [Some(34), Some(0), None], "the total is not the sum of the shown rows");
        assert_eq!(shown(&[34, 1, 20], true), [Some(34), None, None]);
        assert_eq!(hidden(&[34, 20], 2, false), [false, true], "the difference would be two members of the unit itself");
        assert_eq!(hidden(&[34, 20], 5, true), [false, false]);
    }

    proptest! {
        #[test]
        fn hidden_rows_together_are_not_a_small_group(
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
