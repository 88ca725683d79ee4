//! Long tables of units: search, order and number of rows.
//!
//! Invariant: when ordered by figures, rows with hidden figures come last in both directions, so that their position reveals
//! nothing.

use std::{cmp::Reverse, fmt};

use strum::{IntoStaticStr, VariantArray};

use crate::{
    folding::fold,
    statistics::{UnitFigures, UnitShare},
    units::{TreeRow, UnitName, UnitRef, UnitSize},
};

/// Sort keys of a table of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum UnitColumn {
    Name,
    Members,
    /// Members who have completed the task, or have activated the account.
    Done,
    /// Their share of the members.
    Share,
    Active,
    Documents,
    Reads,
    Opinions,
}

crate::keyed!(UnitColumn);

/// Sort order of the rows; written as the column's key, with `-` before it for descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub by: UnitColumn,
    pub descending: bool,
}

impl Order {
    /// `None` for an unknown order.
    pub fn parse(text: &str) -> Option<Self> {
        let (key, descending) = text.strip_prefix('-').map_or((text, false), |key| (key, true));
        Some(Self { by: UnitColumn::from_key(key)?, descending })
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.descending { "-" } else { "" }, self.by.key())
    }
}

/// The query of a table, from its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableQuery {
    /// Words of the name, or the code.
    pub words: Option<String>,
    /// `None`: ordered by code.
    pub order: Option<Order>,
    /// From [`Self::FIRST`] to [`Self::MOST`].
    pub rows: usize,
}

impl TableQuery {
    /// Default number of rows.
    pub const FIRST: usize = 20;
    /// Maximum number of rows: beyond that a search is the better way.
    pub const MOST: usize = 1_000;

    /// Parses an address; invalid parts are ignored.
    pub fn parse(words: Option<&str>, order: Option<&str>, rows: Option<&str>) -> Self {
        let words: String = words.unwrap_or_default().trim().chars().take(UnitName::MAX as usize).collect();
        let rows = rows.and_then(|rows| rows.parse().ok()).unwrap_or(Self::FIRST);
        Self {
            words: (!words.is_empty()).then_some(words),
            order: order.and_then(Order::parse),
            rows: rows.clamp(Self::FIRST, Self::MOST),
        }
    }

    /// Filters, sorts and truncates rows that are ordered by code. The sort is stable.
    pub fn cut<T: Tabled>(&self, mut rows: Vec<T>) -> Cut<T> {
        if let Some(words) = &self.words {
            let folded = fold(words);
            rows.retain(|row| {
                let name = fold(&row.unit().name);
                row.unit().path.code().eq_ignore_ascii_case(words) || folded.split(' ').all(|word| name.contains(word))
            });
        }
        match self.order {
            None => {}
            Some(Order { by: UnitColumn::Name, descending: false }) => rows.sort_by_cached_key(|row| fold(&row.unit().name)),
            Some(Order { by: UnitColumn::Name, descending: true }) => {
                rows.sort_by_cached_key(|row| Reverse(fold(&row.unit().name)));
            }
            Some(Order { by, descending }) => rows.sort_by_cached_key(|row| {
                let value = row.value(by);
                (value.is_none(), value.map(|value| if descending { u64::MAX - value } else { value }))
            }),
        }
        let found = rows.len();
        rows.truncate(self.rows);
        Cut { rows, found }
    }
}

/// The shown rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut<T> {
    pub rows: Vec<T>,
    /// Number of matching rows, shown or not.
    pub found: usize,
}

/// A row of a table of units.
pub trait Tabled {
    fn unit(&self) -> &UnitRef;

    /// The sort value of the row; `None` where the figures are hidden or the row has none of this kind.
    fn value(&self, column: UnitColumn) -> Option<u64>;
}

impl Tabled for UnitFigures {
    fn unit(&self) -> &UnitRef {
        &self.unit
    }

    fn value(&self, column: UnitColumn) -> Option<u64> {
        let figures = self.figures?;
        match column {
            UnitColumn::Name => None,
            UnitColumn::Members => Some(figures.members.into()),
            UnitColumn::Done => Some(figures.activated.into()),
            UnitColumn::Share => Some(part(figures.activated, figures.members)),
            UnitColumn::Active => Some(figures.active.into()),
            UnitColumn::Documents => Some(figures.documents.into()),
            UnitColumn::Reads => Some(figures.reads.into()),
            UnitColumn::Opinions => Some(figures.opinions.into()),
        }
    }
}

impl Tabled for UnitShare {
    fn unit(&self) -> &UnitRef {
        &self.unit
    }

    fn value(&self, column: UnitColumn) -> Option<u64> {
        let share = self.share?;
        match column {
            UnitColumn::Members => Some(share.members.into()),
            UnitColumn::Done => Some(share.done.into()),
            UnitColumn::Share => Some(part(share.done, share.members)),
            UnitColumn::Name | UnitColumn::Active | UnitColumn::Documents | UnitColumn::Reads | UnitColumn::Opinions => None,
        }
    }
}

/// Rows of one level of the tree.
impl Tabled for TreeRow {
    fn unit(&self) -> &UnitRef {
        &self.unit
    }

    fn value(&self, column: UnitColumn) -> Option<u64> {
        match (column, self.size) {
            (UnitColumn::Members, UnitSize::Members(members)) => Some(members.into()),
            (UnitColumn::Members, UnitSize::Activated(share)) => Some(share.members.into()),
            (UnitColumn::Done, UnitSize::Activated(share)) => Some(share.done.into()),
            (UnitColumn::Share, UnitSize::Activated(share)) => Some(part(share.done, share.members)),
            _ => None,
        }
    }
}

/// In millionths; 0 when there are no members.
fn part(done: u32, members: u32) -> u64 {
    u64::from(done) * 1_000_000 / u64::from(members.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::UnitId, levels::tests::level, statistics::Share, units::UnitPath};

    fn row(code: &str, name: &str, share: Option<(u32, u32)>) -> UnitShare {
        let id: UnitId = "01JD0000000000000000000000".parse().expect("an id");
        let path = UnitPath::parse(&format!("/51/{code}/")).expect("a path");
        UnitShare {
            unit: UnitRef { id, kind: level("branch"), name: name.to_owned(), path },
            share: share.map(|(done, members)| Share { members, done }),
            opens: false,
        }
    }

    fn rows() -> Vec<UnitShare> {
        vec![
            row("01", "Chi bộ Đông", Some((5, 10))),
            row("02", "Chi bộ Ấp Bắc", None),
            row("03", "Chi bộ Bến Đình", Some((8, 8))),
            row("04", "Chi bộ An Hải", Some((10, 20))),
        ]
    }

    fn codes(query: &TableQuery) -> Vec<String> {
        query.cut(rows()).rows.iter().map(|row| row.unit.path.code().to_owned()).collect()
    }

    fn ordered(order: &str) -> Vec<String> {
        codes(&TableQuery::parse(None, Some(order), None))
    }

    #[test]
    fn equal_rows_stay_in_the_order_of_codes_and_hidden_ones_come_last() {
        assert_eq!(ordered(""), ["01", "02", "03", "04"]);
        assert_eq!(ordered("name"), ["04", "02", "03", "01"]);
        assert_eq!(ordered("-name"), ["01", "03", "02", "04"]);
        assert_eq!(ordered("share"), ["01", "04", "03", "02"]);
        assert_eq!(ordered("-share"), ["03", "01", "04", "02"]);
        assert_eq!(ordered("members"), ["03", "01", "04", "02"]);
        assert_eq!(ordered("-done"), ["04", "03", "01", "02"]);
    }

    #[test]
    fn the_position_of_a_hidden_row_does_not_depend_on_its_figures() {
        for column in UnitColumn::ALL.into_iter().filter(|column| *column != UnitColumn::Name) {
            for descending in [false, true] {
                let order = Some(Order { by: column, descending });
                let query = TableQuery { words: None, order, rows: TableQuery::MOST };
                let last = query.cut(rows()).rows.pop().expect("a row");
                if matches!(column, UnitColumn::Members | UnitColumn::Done | UnitColumn::Share) {
                    assert_eq!(last.share, None, "{column:?}");
                }
            }
        }
    }

    #[test]
    fn a_search_accepts_codes_and_words_without_diacritics() {
        let found = |words: &str| codes(&TableQuery::parse(Some(words), None, None));
        assert_eq!(found("ben dinh"), ["03"]);
        assert_eq!(found("  bộ  đông "), ["01"]);
        assert_eq!(found("04"), ["04"]);
        assert_eq!(found("   ").len(), 4);
        assert_eq!(found("%' OR 1=1"), [""; 0]);
    }

    #[test]
    fn rows_of_the_tree_are_sorted_by_share_with_hidden_ones_last() {
        let tree_row = |row: UnitShare| TreeRow {
            unit: row.unit,
            phase: crate::units::Phase::default(),
            size: row.share.map_or(UnitSize::Hidden, UnitSize::Activated),
            opens: false,
            below: Vec::new(),
            more: 0,
        };
        for (order, expected) in [("share", ["01", "04", "03", "02"]), ("-share", ["03", "01", "04", "02"])] {
            let query = TableQuery::parse(None, Some(order), None);
            let sorted = query.cut(rows().into_iter().map(tree_row).collect()).rows;
            assert_eq!(sorted.iter().map(|row| row.unit.path.code()).collect::<Vec<_>>(), expected, "{order}");
        }
    }

    #[test]
    fn the_rest_is_counted() {
        let many: Vec<UnitShare> = (0..90).map(|at| row(&format!("{at:02}"), "Chi bộ", Some((at, 100)))).collect();
        let cut = TableQuery::parse(None, Some("-share"), None).cut(many.clone());
        assert_eq!((cut.rows.len(), cut.found), (TableQuery::FIRST, 90));
        assert_eq!(cut.rows[0].unit.path.code(), "89");
        assert_eq!(TableQuery::parse(None, None, Some("60")).cut(many).rows.len(), 60);
    }

    #[test]
    fn invalid_parts_are_ignored() {
        let plain = TableQuery::parse(None, None, None);
        for (order, rows) in [("--name", "-1"), ("name;DROP", "0"), ("Name", "abc"), ("-", "99999999999999999999999"), ("", "")] {
            assert_eq!(TableQuery::parse(Some(" "), Some(order), Some(rows)), plain, "{order} {rows}");
        }
        assert_eq!(TableQuery::parse(None, None, Some("4000000000")).rows, TableQuery::MOST);
        assert_eq!(TableQuery::parse(Some(&"x".repeat(9_000)), None, None).words.map(|words| words.len()), Some(150));
        for column in UnitColumn::ALL {
            for descending in [false, true] {
                let order = Order { by: column, descending };
                assert_eq!(Order::parse(&order.to_string()), Some(order));
            }
        }
    }
}
