//! Small groups: hides figures of a page so that none of fewer members than [`SMALLEST_GROUP`] is shown or can be computed from
//! the others. Used for statistics and for the pages that follow readers and courses.
//!
//! [`SMALLEST_GROUP`]: domain::statistics::SMALLEST_GROUP

use domain::{
    statistics::{hidden, is_small},
    units::{UnitPath, UnitRef},
};

use crate::units::Tree;

/// Whether the figures of the last unit of a trail are hidden: because it is small, or because they would reveal those of a
/// smaller sibling to a person who sees all units above. A unit hidden in its parent's table is hidden on its own page too.
pub(super) fn hides(tree: &Tree, trail: &[UnitRef], members: impl Fn(&UnitPath) -> u32) -> bool {
    let Some(top) = trail.first() else { return true };
    let mut is_hidden = is_small(members(&top.path));
    for pair in trail.windows(2) {
        let [above, unit] = pair else { continue };
        let below = hidden_below(tree, &above.path, is_hidden, &members);
        let rows = tree.children(&above.path).zip(below);
        is_hidden = rows.into_iter().any(|(row, hidden)| row.id == unit.id && hidden);
    }
    is_hidden
}

/// Which of the child units are hidden, in the order of [`Tree::children`].
pub(super) fn hidden_below(tree: &Tree, unit: &UnitPath, is_total_hidden: bool, members: impl Fn(&UnitPath) -> u32) -> Vec<bool> {
    let sizes: Vec<u32> = tree.children(unit).map(|child| members(&child.path)).collect();
    let beside = sizes.iter().fold(members(unit), |left, below| left.saturating_sub(*below));
    hidden(&sizes, beside, is_total_hidden)
}

#[cfg(test)]
mod tests {
    use domain::statistics::SMALLEST_GROUP;
    use proptest::prelude::*;

    use super::*;
    use crate::units::tests::tree_of;

    /// Number of members at each unit itself, by path.
    struct Organisation {
        tree: Tree,
        own: Vec<(UnitPath, u32)>,
    }

    impl Organisation {
        /// A province of communes with these branches; the first number of each commune is its own.
        fn new(communes: &[Vec<u32>], beside: u32) -> Self {
            let path = |text: &str| UnitPath::parse(text).expect("a path");
            let mut own = vec![(path("/51/"), beside)];
            for (at, commune) in communes.iter().enumerate() {
                own.extend(commune.iter().enumerate().map(|(branch, members)| match branch {
                    0 => (path(&format!("/51/{at:03}/")), *members),
                    _ => (path(&format!("/51/{at:03}/{branch:02}/")), *members),
                }));
            }
            Self { tree: tree_of(own.iter().map(|(path, _)| path)), own }
        }

        fn members(&self, path: &UnitPath) -> u32 {
            self.own.iter().filter(|(at, _)| path.contains(at)).map(|(_, members)| members).sum()
        }

        /// Units whose figures are visible to a person who opens every page from the province down.
        fn seen(&self) -> Vec<UnitPath> {
            let mut seen = Vec::new();
            for (path, _) in &self.own {
                let trail: Vec<UnitRef> = self.tree.trail(path).cloned().collect();
                let is_hidden = hides(&self.tree, &trail, |path| self.members(path));
                seen.extend((!is_hidden).then(|| path.clone()));
                let below = hidden_below(&self.tree, path, is_hidden, |path| self.members(path));
                let rows = self.tree.children(path).zip(below);
                seen.extend(rows.filter(|(_, hidden)| !hidden).map(|(row, _)| row.path.clone()));
            }
            seen
        }

        /// Small groups whose figures follow from sums and differences of visible ones.
        fn exposed(&self) -> Option<Vec<&UnitPath>> {
            let peopled: Vec<&(UnitPath, u32)> = self.own.iter().filter(|(_, members)| *members > 0).collect();
            let sum_of = |unit: &UnitPath| peopled.iter().map(|(at, _)| f64::from(unit.contains(at))).collect::<Vec<f64>>();
            let mut known = Equations::default();
            for unit in self.seen() {
                known.add(sum_of(&unit));
            }
            (1_u32..1 << peopled.len()).find_map(|chosen| {
                let group: Vec<_> = (0..peopled.len()).filter(|at| chosen >> at & 1 == 1).map(|at| peopled[at]).collect();
                let size: u32 = group.iter().map(|(_, members)| members).sum();
                let wanted = (0..peopled.len()).map(|at| f64::from(chosen >> at & 1)).collect();
                (size < SMALLEST_GROUP && known.give(wanted)).then(|| group.iter().map(|(at, _)| at).collect())
            })
        }
    }

    /// Known sums, each reduced by the preceding ones.
    #[derive(Default)]
    struct Equations(Vec<(usize, Vec<f64>)>);

    impl Equations {
        fn reduced(&self, mut sum: Vec<f64>) -> Option<(usize, Vec<f64>)> {
            for (pivot, known) in &self.0 {
                let factor = sum[*pivot] / known[*pivot];
                sum.iter_mut().zip(known).for_each(|(left, known)| *left -= factor * known);
            }
            let pivot = sum.iter().position(|left| left.abs() > 1e-9)?;
            Some((pivot, sum))
        }

        fn add(&mut self, sum: Vec<f64>) {
            self.0.extend(self.reduced(sum));
        }

        fn give(&self, sum: Vec<f64>) -> bool {
            self.reduced(sum).is_none()
        }
    }

    #[test]
    fn the_search_finds_what_can_be_worked_out() {
        let mut known = Equations::default();
        for sum in [[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0]] {
            known.add(sum.to_vec());
        }
        assert!(known.give(vec![0.0, 1.0, 1.0, 0.0]), "the total less what is shown");
        assert!(!known.give(vec![0.0, 1.0, 0.0, 0.0]));
    }

    /// All provinces of two communes with up to three branches of these sizes.
    #[test]
    fn no_small_group_can_be_worked_out_from_any_two_communes() {
        let sizes = [0, 1, 2, 4, 6];
        let commune = |at: usize| vec![0, sizes[at % 5], sizes[at / 5 % 5], sizes[at / 25]];
        for (one, other) in (0..125).flat_map(|one| (one..125).map(move |other| (one, other))) {
            let communes = [commune(one), commune(other)];
            let organisation = Organisation::new(&communes, 0);
            assert_eq!(organisation.exposed(), None, "{communes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_small_group_can_be_worked_out_in_any_tree(
            communes in proptest::collection::vec(proptest::collection::vec(0_u32..9, 1..4), 1..4), beside in 0_u32..4,
        ) {
            let organisation = Organisation::new(&communes, beside);
            prop_assert_eq!(organisation.exposed(), None);
        }
    }
}
