//! Path ranges: the paths under which rows of a subtree are stored, when the rows keep the paths of former trees.
//!
//! A path is a walk down the codes (see [`Tree::former`]). It ends in the subtree if it has entered it once more often than it
//! has left it. Each step of a walk that crosses the border begins a range of paths. So the rows of a subtree are counted by a
//! few ranges, whatever their number, and no row is rewritten when a unit moves.

use std::collections::BTreeSet;

use domain::{ids::UnitId, units::UnitPath};

use super::Tree;

/// A code below a parent (`None`: of a root) that led to a unit before this unit moved or ended.
#[derive(Debug)]
pub(super) struct FormerCode {
    parent: Option<UnitId>,
    code: String,
    unit: UnitId,
    /// Current paths of both; of an ended unit, that of its successor.
    parent_at: Option<UnitPath>,
    unit_at: UnitPath,
}

/// Ranges of paths. A path belongs to the subtree if one more range of `within` than of `without` contains it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PathRanges {
    pub(crate) within: Vec<UnitPath>,
    pub(crate) without: Vec<UnitPath>,
}

impl PathRanges {
    /// Subtracts what these ranges add: for a subtree that is left out of one counted beside it.
    pub(crate) fn reversed(self) -> Self {
        Self { within: self.without, without: self.within }
    }
}

impl Tree {
    /// The ranges of all paths under which rows of this subtree were ever written.
    pub(crate) fn path_ranges(&self, path: &UnitPath) -> PathRanges {
        let mut written = PathRanges::default();
        if let Some(unit) = self.at(path) {
            // Under every former path of the parent, the current code leads here too.
            let above = self.parent(path).map(|parent| parent.id);
            written.within.extend(self.below_all_paths(above, path.code(), &mut BTreeSet::from([unit.id])));
        }
        for former in &self.formerly {
            let from = former.parent_at.as_ref().is_some_and(|parent| path.contains(parent));
            let to = path.contains(&former.unit_at);
            let ranges = match (from, to) {
                (false, true) => &mut written.within,
                (true, false) => &mut written.without,
                _ => continue,
            };
            ranges.extend(self.below_all_paths(former.parent, &former.code, &mut BTreeSet::from([former.unit])));
        }
        written
    }

    /// Every path under which rows were ever stored of these units, of the units that succeeded them, and of all units that are or
    /// were above one of them. While a move is unfinished, some rows still have their former path.
    pub(crate) fn paths_upwards(&self, units: impl IntoIterator<Item = UnitId>) -> BTreeSet<UnitPath> {
        let mut waiting: Vec<UnitId> = units.into_iter().collect();
        let mut met = BTreeSet::new();
        while let Some(unit) = waiting.pop() {
            if met.insert(unit) {
                let above = self.paths.get(&unit).and_then(|path| self.parent(path)).map(|above| above.id);
                let successor = self.closed.get(&unit).and_then(|closed| closed.successor);
                waiting.extend(above.into_iter().chain(successor));
                waiting.extend(self.former_codes(unit).filter_map(|former| former.parent));
            }
        }
        met.into_iter().flat_map(|unit| self.all_paths(unit, &mut BTreeSet::new())).collect()
    }

    /// Fills in the former codes for [`Self::path_ranges`]; the rest of the tree must be complete.
    pub(super) fn note_former(&mut self) {
        let place = |id: UnitId| self.successor_of(id).map(|unit| unit.path.clone());
        let is_current = |parent: Option<UnitId>, code: &str, unit: UnitId| {
            self.paths.get(&unit).is_some_and(|path| path.code() == code && self.parent(path).map(|unit| unit.id) == parent)
        };
        let former = self.codes.iter().filter(|((parent, code), unit)| !is_current(*parent, code, **unit));
        self.formerly = former
            .filter_map(|((parent, code), unit)| {
                let (parent, code, unit) = (*parent, code.clone(), *unit);
                Some(FormerCode { parent_at: parent.and_then(place), unit_at: place(unit)?, parent, code, unit })
            })
            .collect();
        // By unit, so that `all_paths` finds those of one unit without a pass over all.
        self.formerly.sort_by_key(|former| former.unit);
    }

    /// The former codes of one unit.
    fn former_codes(&self, unit: UnitId) -> impl Iterator<Item = &FormerCode> {
        let first = self.formerly.partition_point(|former| former.unit < unit);
        self.formerly.iter().skip(first).take_while(move |former| former.unit == unit)
    }

    /// Every path that leads to `parent`, with the code appended. A stored path visits no unit twice; `met` are the units
    /// visited.
    fn below_all_paths(&self, parent: Option<UnitId>, code: &str, met: &mut BTreeSet<UnitId>) -> Vec<UnitPath> {
        let Some(parent) = parent else { return UnitPath::parse(&format!("/{code}/")).into_iter().collect() };
        self.all_paths(parent, met).iter().filter_map(|path| path.child(code).ok()).collect()
    }

    fn all_paths(&self, unit: UnitId, met: &mut BTreeSet<UnitId>) -> Vec<UnitPath> {
        if !met.insert(unit) {
            return Vec::new();
        }
        let mut paths = Vec::new();
        if let Some(path) = self.paths.get(&unit) {
            let above = self.parent(path).map(|parent| parent.id);
            paths.extend(self.below_all_paths(above, path.code(), met));
        }
        for former in self.former_codes(unit) {
            paths.extend(self.below_all_paths(former.parent, &former.code, met));
        }
        met.remove(&unit);
        paths
    }
}

#[cfg(test)]
mod tests {
    use domain::units::{UnitKind, UnitRef};
    use proptest::prelude::*;
    use ulid::Ulid;

    use super::*;
    use crate::units::{FormRow, Rows, UnitRow, tests::level};

    /// Units 0 (central), 1 to 3 (provinces), 4 to 7 (communes), 8 to 13 (branches), and all paths they ever had.
    struct Model {
        units: Vec<Unit>,
        forms: Vec<FormRow>,
        known: Vec<UnitPath>,
    }

    struct Unit {
        kind: UnitKind,
        parent: Option<usize>,
        code: String,
        /// The unit it was merged into.
        successor: Option<usize>,
    }

    fn id(at: usize) -> UnitId {
        UnitId::new(Ulid::from_parts(1, at as u128))
    }

    impl Model {
        fn new() -> Self {
            let kinds = [(level("central"), 1), (level("province"), 3), (level("commune"), 4), (level("branch"), 6)];
            let kinds = kinds.into_iter().flat_map(|(kind, count)| std::iter::repeat_n(kind, count));
            let parents = [
                None,
                Some(0),
                Some(0),
                Some(0),
                Some(1),
                Some(1),
                Some(2),
                Some(3),
                Some(4),
                Some(4),
                Some(5),
                Some(6),
                Some(7),
                Some(7),
            ];
            let units = kinds
                .zip(parents)
                .enumerate()
                .map(|(at, (kind, parent))| Unit { kind, parent, code: format!("{at:02}"), successor: None })
                .collect();
            let mut model = Self { units, forms: Vec::new(), known: Vec::new() };
            model.note();
            model
        }

        fn path(&self, at: usize) -> UnitPath {
            let unit = &self.units[at];
            match unit.parent {
                Some(parent) => self.path(parent).child(&unit.code).expect("a path"),
                None => UnitPath::parse(&format!("/{}/", unit.code)).expect("a path"),
            }
        }

        fn is_open(&self, at: usize) -> bool {
            self.units[at].successor.is_none()
        }

        /// Records the current paths, under which rows would be written now.
        fn note(&mut self) {
            for at in 0..self.units.len() {
                let unit = &self.units[at];
                let parent = unit.parent.map(|parent| id(parent).to_string());
                let (unit, code) = (id(at).to_string(), unit.code.clone());
                self.forms.push(FormRow {
                    unit,
                    kind: self.units[at].kind.key().to_owned(),
                    parent,
                    code,
                    name: String::new(),
                    from: "2020-01-01".to_owned(),
                    until: None,
                    cause: "created".to_owned(),
                });
                if self.is_open(at) {
                    self.known.push(self.path(at));
                }
            }
        }

        fn move_below(&mut self, at: usize, target: usize, number: usize) {
            if self.is_open(at) && self.is_open(target) && self.units[at].kind.hangs_on(self.units[target].kind) {
                self.units[at].parent = Some(target);
                // A new code, because a code belongs to one unit for ever.
                self.units[at].code = format!("{at:02}-{number}");
                self.note();
            }
        }

        fn merge(&mut self, at: usize, target: usize, number: usize) {
            if at != target
                && at > 0
                && self.is_open(at)
                && self.is_open(target)
                && self.units[at].kind == self.units[target].kind
            {
                self.units[at].successor = Some(target);
                for child in 0..self.units.len() {
                    if self.units[child].parent == Some(at) && self.is_open(child) {
                        self.move_below(child, target, number);
                    }
                }
                self.note();
            }
        }

        fn tree(&self) -> Tree {
            let units = (0..self.units.len()).map(|at| {
                let unit = &self.units[at];
                UnitRow {
                    id: id(at).to_string(),
                    kind: unit.kind.key().to_owned(),
                    code: unit.code.clone(),
                    name: String::new(),
                    path: self.path(at).to_string(),
                    opened_on: "2020-01-01".to_owned(),
                    phase: None,
                    live_from: None,
                    contact: None,
                    closed_on: unit.successor.map(|_| "2021-01-01".to_owned()),
                    parent: unit.successor.and(unit.parent).map(|parent| id(parent).to_string()),
                    successor: unit.successor.map(|successor| id(successor).to_string()),
                    version: None,
                }
            });
            let forms = self.forms.iter().map(|form| FormRow {
                unit: form.unit.clone(),
                kind: form.kind.clone(),
                parent: form.parent.clone(),
                code: form.code.clone(),
                name: form.name.clone(),
                from: form.from.clone(),
                until: Some("2020-12-31".to_owned()),
                cause: form.cause.clone(),
            });
            let rows =
                Rows { version: 1, units: units.collect(), forms: forms.collect(), running: Vec::new(), shifts: Vec::new() };
            rows.tree().expect("a tree")
        }
    }

    fn lies_in(written: &PathRanges, path: &UnitPath) -> i32 {
        let count = |ranges: &[UnitPath]| ranges.iter().filter(|range| range.contains(path)).count();
        i32::try_from(count(&written.within)).expect("few") - i32::try_from(count(&written.without)).expect("few")
    }

    #[test]
    fn each_unit_has_one_range_in_a_tree_without_moves() {
        let model = Model::new();
        let tree = model.tree();
        for at in 0..model.units.len() {
            let path = model.path(at);
            assert_eq!(tree.path_ranges(&path), PathRanges { within: vec![path], without: Vec::new() });
        }
    }

    #[test]
    fn paths_upwards_are_the_line_to_the_root_in_a_tree_without_moves() {
        let model = Model::new();
        let tree = model.tree();
        for at in 0..model.units.len() {
            let line: BTreeSet<UnitPath> = model.path(at).ancestors_and_self().collect();
            assert_eq!(tree.paths_upwards([id(at)]), line);
        }
    }

    #[test]
    fn a_moved_unit_counts_at_its_new_place_only() {
        let mut model = Model::new();
        let old = model.path(8);
        model.move_below(4, 2, 1);
        let tree = model.tree();
        let (left, joined) = (tree.path_ranges(&model.path(1)), tree.path_ranges(&model.path(2)));
        assert_eq!((lies_in(&left, &old), lies_in(&joined, &old)), (0, 1));
        assert_eq!((left.without.len(), joined.within.len()), (1, 2), "{left:?} {joined:?}");
        assert_eq!(lies_in(&tree.path_ranges(&model.path(0)), &old), 1, "the central unit contains it before and after");
    }

    proptest! {
        #[test]
        fn every_stored_path_is_in_the_ranges_of_its_current_subtree_only(steps in proptest::collection::vec((0usize..14, 0usize..14, any::<bool>()), 0..10)) {
            let mut model = Model::new();
            for (number, (at, target, merges)) in steps.into_iter().enumerate() {
                if merges { model.merge(at, target, number) } else { model.move_below(at, target, number) }
            }
            let tree = model.tree();
            let open: Vec<UnitRef> = tree.all().cloned().collect();
            for unit in &open {
                let written = tree.path_ranges(&unit.path);
                for path in &model.known {
                    let now = tree.former(path).expect("a unit").path.clone();
                    prop_assert_eq!(lies_in(&written, path), i32::from(unit.path.contains(&now)), "{} in {}: {:?}", path, unit.path, written);
                }
            }
        }

        #[test]
        fn paths_upwards_are_those_of_all_units_that_were_above(steps in proptest::collection::vec((0usize..14, 0usize..14, any::<bool>()), 0..10)) {
            let mut model = Model::new();
            for (number, (at, target, merges)) in steps.into_iter().enumerate() {
                if merges { model.merge(at, target, number) } else { model.move_below(at, target, number) }
            }
            let tree = model.tree();
            for path in &model.known {
                let found = tree.paths_upwards(tree.once_at(path));
                for above in path.ancestors_and_self() {
                    let now = &tree.former(&above).expect("a unit").path;
                    prop_assert!(found.contains(&above) && found.contains(now), "{} and {} of {}: {:?}", above, now, path, found);
                }
            }
        }
    }
}
