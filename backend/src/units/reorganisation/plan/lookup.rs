//! Finds units by the codes of a file.

use std::collections::{HashMap, HashSet};

use domain::{
    ids::UnitId,
    units::{UnitPath, UnitRef},
};

use super::{Planner, Question};
use crate::units::Tree;

/// The first two codes of a path in a file, or its only one.
type Start<'q> = (&'q str, Option<&'q str>);

fn start(codes: &[String]) -> Option<Start<'_>> {
    let (first, below) = codes.split_first()?;
    Some((first, below.first().map(String::as_str)))
}

/// The units where the paths of the rows start. Many units can have the same code, such as branches, so each start is looked up once
/// and not for each row.
pub(super) struct Starts<'q> {
    /// Open units.
    open: HashMap<Start<'q>, Vec<&'q UnitRef>>,
    /// Units that have or had the codes; at the end of a single code, only those that changed on the day or later.
    ever: HashMap<Start<'q>, Vec<UnitId>>,
}

impl<'q> Starts<'q> {
    pub(super) fn new(question: &'q Question<'q>) -> Self {
        let Question { tree, rows, on, divided, .. } = *question;
        let entries = rows.iter().filter_map(|row| row.read.as_ref().ok());
        let paths = entries.flat_map(|entry| [Some(&entry.old), entry.parent.as_ref()]).flatten();
        let starts: HashSet<Start<'q>> = paths.filter_map(|codes| start(codes)).collect();
        let firsts: HashSet<&str> = starts.iter().map(|(first, _)| *first).collect();
        let mut tops: HashMap<&str, Vec<&UnitRef>> = HashMap::new();
        for unit in tree.all().filter(|unit| firsts.contains(unit.path.code())) {
            tops.entry(unit.path.code()).or_default().push(unit);
        }
        let mut former_tops: HashMap<&str, Vec<UnitId>> = HashMap::new();
        for ((_, code), unit) in tree.codes.iter().filter(|((_, code), _)| firsts.contains(code.as_str())) {
            former_tops.entry(code).or_default().push(*unit);
        }
        let is_changed = |unit: UnitId| {
            let ended = tree.closed.get(&unit).is_some_and(|closed| closed.on == on);
            ended || divided.contains_key(&unit) || tree.node(unit).is_some_and(|node| node.since >= on)
        };
        let (mut open, mut ever) = (HashMap::new(), HashMap::new());
        for start in starts {
            let (first, second) = start;
            let tops = tops.get(first).into_iter().flatten().copied();
            let former_tops = former_tops.get(first).into_iter().flatten().copied();
            let (now, then): (Vec<&UnitRef>, Vec<UnitId>) = match second {
                Some(code) => (
                    tops.filter_map(|top| child(tree, top, code)).collect(),
                    former_tops.filter_map(|top| tree.owner(top, code)).collect(),
                ),
                None => (tops.collect(), former_tops.filter(|unit| is_changed(*unit)).collect()),
            };
            open.insert(start, now);
            ever.insert(start, then);
        }
        Self { open, ever }
    }
}

/// The open unit with a code right below another one.
fn child<'t>(tree: &'t Tree, above: &UnitRef, code: &str) -> Option<&'t UnitRef> {
    tree.at(&above.path.child(code).ok()?)
}

impl<'q> Planner<'q> {
    /// The open units at the end of these codes.
    pub(super) fn open_at(&self, codes: &'q [String]) -> Vec<&'q UnitRef> {
        let tree = self.tree;
        let starts = start(codes).and_then(|start| self.starts.open.get(&start));
        let below = codes.get(2..).unwrap_or_default();
        let down = |top: &'q UnitRef| below.iter().try_fold(top, |above, code| child(tree, above, code));
        starts.into_iter().flatten().copied().filter_map(down).collect()
    }

    /// Those of [`Self::open_at`] that the viewer may know of: others are answered like codes that no unit has.
    pub(super) fn readable_at(&self, codes: &'q [String]) -> Vec<&'q UnitRef> {
        let mut found = self.open_at(codes);
        found.retain(|unit| self.may_read(&unit.path));
        found
    }

    /// The units, open or closed, that have or had these codes one below the other.
    pub(super) fn ever_at(&self, codes: &'q [String]) -> impl Iterator<Item = UnitId> {
        let tree = self.tree;
        let starts = start(codes).and_then(|start| self.starts.ever.get(&start));
        let below = codes.get(2..).unwrap_or_default();
        starts.into_iter().flatten().filter_map(move |top| below.iter().try_fold(*top, |above, code| tree.owner(above, code)))
    }

    /// The only unit of several, or the only one the viewer may change.
    pub(super) fn only(&self, found: &[&'q UnitRef]) -> Option<&'q UnitRef> {
        match found {
            [unit] => Some(*unit),
            several => {
                let mut own = several.iter().filter(|unit| self.may(&unit.path));
                own.next().filter(|_| own.next().is_none()).copied()
            }
        }
    }
}

/// Whether the last codes of the path are these.
pub(super) fn ends_with(path: &UnitPath, codes: &[String]) -> bool {
    path.as_str().ends_with(&format!("/{}/", codes.join("/")))
}
