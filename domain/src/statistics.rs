//! Figures of a subtree, and what of them may be shown.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::units::{Phase, UnitRef};

/// Units with fewer members than this are shown without figures: in a group of four everybody knows who the one is.
pub const SMALLEST_GROUP: u32 = 5;

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
    /// First reads of documents by members of the subtree.
    pub reads: u32,
    /// Opinions by members of the subtree.
    pub opinions: u32,
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
    pub children: Vec<UnitFigures>,
    /// When the last counted event happened.
    pub changed_at: Option<DateTime<Utc>>,
}

/// Hides what would expose a small group: units below [`SMALLEST_GROUP`], and, when that would leave exactly one hidden row to be
/// worked out from the total, the next smallest as well.
pub fn hide_small_groups(rows: &mut [UnitFigures]) {
    hide_small(rows, |row| row.figures.map(|figures| figures.members), |row| row.figures = None);
}

/// The same for shares.
pub fn hide_small_shares(rows: &mut [UnitShare]) {
    hide_small(rows, |row| row.share.map(|share| share.members), |row| row.share = None);
}

/// The same for rows of another kind: `members` tells how many people a row is about, none when it is hidden already.
fn hide_small<R>(rows: &mut [R], members: impl Fn(&R) -> Option<u32>, hide: impl Fn(&mut R)) {
    let mut hidden = 0;
    for row in rows.iter_mut() {
        if members(row).is_some_and(|members| members > 0 && members < SMALLEST_GROUP) {
            hide(row);
        }
        hidden += usize::from(members(row).is_none());
    }
    if hidden == 1 {
        let peopled = rows.iter_mut().filter(|row| members(row).is_some_and(|members| members > 0));
        if let Some(smallest) = peopled.min_by_key(|row| members(row).unwrap_or_default()) {
            hide(smallest);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ulid::Ulid;

    use super::*;
    use crate::{
        ids::UnitId,
        units::{UnitKind, UnitPath},
    };

    fn rows(sizes: &[u32]) -> Vec<UnitFigures> {
        sizes
            .iter()
            .map(|members| UnitFigures {
                unit: UnitRef {
                    id: UnitId::new(Ulid::nil()),
                    kind: UnitKind::Branch,
                    name: String::new(),
                    path: UnitPath::parse("/1/").expect("a path"),
                },
                figures: Some(Figures { members: *members, ..Figures::default() }),
                has_children: false,
                phase: Phase::default(),
            })
            .collect()
    }

    fn shown(sizes: &[u32]) -> Vec<Option<u32>> {
        let mut rows = rows(sizes);
        hide_small_groups(&mut rows);
        rows.iter().map(|row| row.figures.map(|figures| figures.members)).collect()
    }

    #[test]
    fn one_small_group_takes_a_second_row_with_it() {
        assert_eq!(shown(&[34, 4, 20]), [Some(34), None, None]);
        assert_eq!(shown(&[34, 4, 3]), [Some(34), None, None]);
        assert_eq!(shown(&[34, 20]), [Some(34), Some(20)]);
        assert_eq!(shown(&[0, 34]), [Some(0), Some(34)]);
    }

    proptest! {
        #[test]
        fn no_single_hidden_row_can_be_worked_out(sizes in proptest::collection::vec(0u32..60, 2..12)) {
            let hidden = shown(&sizes).iter().filter(|row| row.is_none()).count();
            let peopled = sizes.iter().filter(|members| **members > 0).count();
            prop_assert!(hidden != 1 || peopled == 1);
        }
    }
}
