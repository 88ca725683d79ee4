//! The parts and the excepted units of an audience: as chosen in a form, and as the condition of a query.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    audience::Audience,
    documents::desk::PartChoices,
    forms::{FormReader, Problem},
    ids::UnitId,
    members::Standing,
    policy::Standpoint,
    units::{PickedUnits, UnitKind, UnitPath, UnitRef},
};

use super::{
    Tree,
    pick::{found_below, pickable},
};
use crate::{
    Backend,
    store::{Variables, vars},
};

/// Whether a unit is in the audience of a row for one above it, as far as its parts and excepted units say. [`unit_vars`] binds
/// `$reaching` and `$holding`.
pub(crate) const IN_PART: &str =
    "(parts = NONE OR parts CONTAINSANY $reaching) AND (except = NONE OR except CONTAINSNONE $holding)";

/// The bindings of [`IN_PART`]: [`Tree::reaching`] and [`Tree::holding`] of the unit.
pub(crate) fn unit_vars(unit: &UnitPath, tree: &Tree) -> Variables {
    let ids = |units: BTreeSet<UnitId>| units.iter().map(ToString::to_string).collect::<Vec<_>>();
    vars! { reaching: ids(tree.reaching(unit)), holding: ids(tree.holding(unit)) }
}

/// The chosen units as typed: ids, and for parts also keys of levels, each for all units of that level below the audience's unit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TypedUnits<'f> {
    pub(crate) parts: &'f [String],
    pub(crate) except: &'f [String],
}

impl TypedUnits<'_> {
    /// Reads the fields `parts` and `except` of a form. Without a valid unit there is nothing to check them against. `is_known`
    /// says which units the person may see: any other unit is reported as not offered.
    ///
    /// A level is stored as the units it has now; one that is created later is not added.
    pub(crate) fn read(
        self,
        reader: &mut FormReader,
        tree: &Tree,
        unit: Option<&UnitRef>,
        is_known: impl Fn(&UnitPath) -> bool,
    ) -> Option<ChosenUnits> {
        let parts = reader.read("parts", &self.parts.join(" "), |_| match unit {
            Some(unit) => parts_of(tree, unit, self.parts, &is_known),
            None => Ok(Vec::new()),
        });
        let are_parts_valid = parts.is_some();
        let chosen = reader.read("except", &self.except.join(" "), |_| match (unit, parts) {
            (Some(unit), Some(parts)) => without(tree, unit, parts, self.except, &is_known),
            _ => Ok(ChosenUnits::default()),
        });
        chosen.filter(|_| unit.is_some() && are_parts_valid)
    }
}

/// The chosen units, in the order of the tree, none within another of the same list. Both are empty for the whole audience.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ChosenUnits {
    pub(crate) parts: Vec<UnitRef>,
    pub(crate) except: Vec<UnitRef>,
}

impl ChosenUnits {
    pub(crate) fn of(self, unit: UnitRef, standings: Vec<Standing>) -> Audience {
        Audience { parts: self.parts, except: self.except, standings, ..Audience::of(unit) }
    }
}

/// Units below an audience's unit that can be chosen as parts or left out: those that were searched for, the levels, and those
/// already chosen. `picked` is a form that is not saved; `is_known` says which of its units the person may see.
pub(crate) fn part_choices(
    backend: &Backend,
    standpoint: &Standpoint,
    tree: &Tree,
    whom: &Audience,
    is_known: impl Fn(&UnitPath) -> bool,
    picked: &PickedUnits,
) -> PartChoices {
    let typed = picked.parts.split(' ').chain(picked.except.split(' '));
    let typed = typed.filter_map(|id| tree.named(id)).filter(|unit| is_known(&unit.path));
    let mut selected: Vec<&UnitRef> = whom.parts.iter().chain(&whom.except).chain(typed).collect();
    selected.sort_by(|a, b| a.path.cmp(&b.path));
    selected.dedup_by_key(|unit| unit.id);
    let mut levels: BTreeMap<UnitKind, u32> = BTreeMap::new();
    for below in tree.subtree(&whom.unit.path).filter(|below| below.id != whom.unit.id) {
        *levels.entry(below.kind).or_default() += 1;
    }
    let max = u32::try_from(Audience::PARTS_MAX).unwrap_or(u32::MAX);
    PartChoices {
        selected: selected.into_iter().map(|unit| pickable(backend, standpoint, tree, unit)).collect(),
        found: found_below(backend, standpoint, tree, &whom.unit.path, &picked.find),
        levels: levels.into_iter().filter(|(_, units)| (2..=max).contains(units)).collect(),
        reach: None,
    }
}

/// Empty when the parts cover all of the unit.
fn parts_of<'t>(
    tree: &'t Tree,
    unit: &'t UnitRef,
    typed: &[String],
    is_known: impl Fn(&UnitPath) -> bool,
) -> Result<Vec<&'t UnitRef>, Problem> {
    let mut parts: Vec<&UnitRef> = Vec::new();
    let mut levels: BTreeSet<UnitKind> = BTreeSet::new();
    for typed in typed {
        if let Some(level) = UnitKind::from_key(typed) {
            if !levels.insert(level) {
                continue;
            }
            let of_level = tree.subtree(&unit.path).filter(|below| below.kind == level && below.id != unit.id);
            let before = parts.len();
            parts.extend(of_level);
            if parts.len() == before {
                return Err(Problem::NotOffered);
            }
        } else {
            parts.push(named(tree, unit, typed, &is_known)?);
        }
    }
    let parts = outermost(parts);
    Ok(if is_all_of(tree, unit, &parts) { Vec::new() } else { parts })
}

/// The parts without the excepted units. An excepted unit that is a part, or above some, removes them.
fn without(
    tree: &Tree,
    unit: &UnitRef,
    mut parts: Vec<&UnitRef>,
    typed: &[String],
    is_known: impl Fn(&UnitPath) -> bool,
) -> Result<ChosenUnits, Problem> {
    let except = typed.iter().map(|typed| named(tree, unit, typed, &is_known)).collect::<Result<Vec<_>, _>>()?;
    let mut except = outermost(except);
    if !parts.is_empty() {
        let is_nested = |path: &UnitPath| holder(&parts, path).is_some() || !inside(&parts, path).is_empty();
        if !except.iter().all(|excepted| is_nested(&excepted.path)) {
            return Err(Problem::NotBelow);
        }
        parts.retain(|part| holder(&except, &part.path).is_none());
        if parts.is_empty() {
            return Err(Problem::Nobody);
        }
        except.retain(|excepted| holder(&parts, &excepted.path).is_some());
    }
    let whole = [unit];
    let roots: &[&UnitRef] = if parts.is_empty() { &whole } else { &parts };
    if roots.iter().all(|root| is_all_of(tree, root, &except)) {
        return Err(Problem::Nobody);
    }
    within(parts.len(), Audience::PARTS_MAX)?;
    within(except.len(), Audience::EXCEPT_MAX)?;
    let owned = |units: Vec<&UnitRef>| units.into_iter().cloned().collect();
    Ok(ChosenUnits { parts: owned(parts), except: owned(except) })
}

/// A unit that the person may see, below the audience's.
fn named<'t>(tree: &'t Tree, unit: &UnitRef, typed: &str, is_known: impl Fn(&UnitPath) -> bool) -> Result<&'t UnitRef, Problem> {
    let named = tree.named(typed).filter(|unit| is_known(&unit.path)).ok_or(Problem::NotOffered)?;
    if unit.path.contains(&named.path) { Ok(named) } else { Err(Problem::NotBelow) }
}

fn within(count: usize, max: usize) -> Result<(), Problem> {
    if count > max { Err(Problem::TooMany { max: u32::try_from(max).unwrap_or(u32::MAX) }) } else { Ok(()) }
}

/// The units in the order of paths, without those below another one.
fn outermost(mut units: Vec<&UnitRef>) -> Vec<&UnitRef> {
    units.sort_by(|a, b| a.path.cmp(&b.path));
    units.dedup_by(|below, above| above.path.contains(&below.path));
    units
}

/// The one of these [`outermost`] units that contains the path.
fn holder<'t>(outermost: &[&'t UnitRef], path: &UnitPath) -> Option<&'t UnitRef> {
    let after = outermost.partition_point(|unit| unit.path <= *path);
    outermost.get(after.checked_sub(1)?).copied().filter(|unit| unit.path.contains(path))
}

/// Those of these [`outermost`] units that the path contains.
fn inside<'u, 't>(outermost: &'u [&'t UnitRef], path: &UnitPath) -> &'u [&'t UnitRef] {
    let rest = &outermost[outermost.partition_point(|unit| unit.path < *path)..];
    &rest[..rest.partition_point(|unit| path.contains(&unit.path))]
}

/// Whether these [`outermost`] units cover a unit: it is within one of them, or they cover each of its children. Not if members can
/// be registered in the unit itself, beside its children. Visits only the children of units that contain some of them.
fn is_all_of(tree: &Tree, unit: &UnitRef, outermost: &[&UnitRef]) -> bool {
    if holder(outermost, &unit.path).is_some() {
        return true;
    }
    let within = inside(outermost, &unit.path);
    if within.is_empty() || unit.kind.holds_members() {
        return false;
    }
    let mut children = tree.children(&unit.path).peekable();
    children.peek().is_some() && children.all(|child| is_all_of(tree, child, within))
}
