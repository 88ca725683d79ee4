//! Resolves the paths of the units of a file, in any order of its rows.

use std::collections::{BTreeMap, HashMap};

use domain::{
    imports::{Column, Reason},
    units::{UnitKind, UnitPath, UnitRef},
};

use super::{Planner, Unit};

/// Resolves the path of each unit of the file, through its parents in the same file.
pub(super) struct PathResolver<'p> {
    planner: &'p Planner,
    units: &'p [Unit],
    by_code: HashMap<&'p str, Vec<usize>>,
    /// Stored units within the scope of the file, by their code.
    known_by_code: HashMap<&'p str, Vec<(&'p UnitPath, UnitKind)>>,
    /// Stored units by the path of their parent and their code without leading zeros; `None` where several match. Empty when no
    /// code of the file is a number.
    zeroed: HashMap<(UnitPath, String), Option<UnitPath>>,
    /// The row of the first unit without a parent.
    first_top: Option<u64>,
    /// Resolved units of the file by their paths.
    placed: HashMap<UnitPath, usize>,
    found: Vec<Found>,
}

#[derive(Clone)]
enum Found {
    NotYet,
    /// One of its parents is being resolved: meeting it again is a cycle.
    Underway,
    Settled(Result<UnitPath, (Column, Reason)>),
}

impl<'p> PathResolver<'p> {
    pub(super) fn new(planner: &'p Planner, units: &'p [Unit]) -> Self {
        let mut by_code: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, unit) in units.iter().enumerate() {
            by_code.entry(unit.code()).or_default().push(at);
        }
        let mut known_by_code: HashMap<&str, Vec<(&UnitPath, UnitKind)>> = HashMap::new();
        let is_within = |path: &UnitPath| planner.scope.as_ref().is_none_or(|scope| scope.contains(path));
        for (path, known) in planner.known.iter().filter(|(path, _)| is_within(path)) {
            known_by_code.entry(path.code()).or_default().push((path, known.kind));
        }
        let mut zeroed: HashMap<(UnitPath, String), Option<UnitPath>> = HashMap::new();
        if units.iter().any(|unit| unit.is_number) {
            for path in planner.known.keys().filter(|path| path.code().starts_with('0')) {
                let Some(above) = path.parent() else { continue };
                let bare = path.code().trim_start_matches('0').to_owned();
                zeroed.entry((above, bare)).and_modify(|known| *known = None).or_insert_with(|| Some(path.clone()));
            }
        }
        let first_top = units.iter().filter(|unit| is_top(unit)).map(|unit| unit.row).min();
        let (placed, found) = (HashMap::new(), vec![Found::NotYet; units.len()]);
        Self { planner, units, by_code, known_by_code, zeroed, first_top, placed, found }
    }

    pub(super) fn resolve(&mut self, at: usize) -> Result<UnitPath, (Column, Reason)> {
        match &self.found[at] {
            Found::Settled(settled) => return settled.clone(),
            Found::Underway => return Err((Column::Parent, Reason::WrongLevel)),
            Found::NotYet => self.found[at] = Found::Underway,
        }
        let settled = self.find(at);
        if let Ok(path) = &settled {
            self.placed.entry(path.clone()).or_insert(at);
        }
        self.found[at] = Found::Settled(settled.clone());
        settled
    }

    fn find(&mut self, at: usize) -> Result<UnitPath, (Column, Reason)> {
        let unit = &self.units[at];
        let parent = self.parent(at)?;
        let path = match &parent {
            Some((path, kind)) if unit.kind.hangs_on(*kind) => match self.with_zeros(path, unit) {
                Some(known) => Ok(known),
                None => path.child(unit.code()),
            },
            Some(_) => return Err((Column::Kind, Reason::WrongLevel)),
            None => UnitPath::parse(&format!("/{}/", unit.code())),
        }
        .map_err(|_| (Column::Code, Reason::UnknownUnit))?;
        let planner = self.planner;
        if planner.scope.as_ref().is_some_and(|scope| !scope.contains(&path)) {
            return Err((Column::Parent, Reason::UnknownParent));
        }
        if planner.closed.contains(&path) {
            return Err((Column::Code, Reason::ClosedUnit));
        }
        match planner.known.get(&path) {
            Some(known) if known.kind != unit.kind => Err((Column::Kind, Reason::KindDiffers)),
            None if planner.tree.former(&path).is_some() => Err((Column::Code, Reason::PathUsed)),
            None => match unit.kind.closed_after() {
                Some(last) if unit.opened_on.unwrap_or(planner.as_of) > last => Err((Column::Kind, Reason::LevelEnded { last })),
                _ => Ok(path),
            },
            Some(_) => Ok(path),
        }
    }

    /// The stored unit whose code has lost its leading zeros in the spreadsheet.
    fn with_zeros(&self, above: &UnitPath, unit: &Unit) -> Option<UnitPath> {
        let is_known = || above.child(unit.code()).is_ok_and(|path| self.planner.known.contains_key(&path));
        if !unit.is_number || is_known() {
            return None;
        }
        self.zeroed.get(&(above.clone(), unit.code().to_owned())).cloned().flatten()
    }

    /// The parent and its level; `None` for the root.
    fn parent(&mut self, at: usize) -> Result<Option<(UnitPath, UnitKind)>, (Column, Reason)> {
        let unit = &self.units[at];
        let unknown = (Column::Parent, Reason::UnknownParent);
        if let Some((_, above)) = unit.codes.split_last().filter(|(_, above)| !above.is_empty()) {
            return self.by_path(above, unit.kind).map(Some).ok_or((Column::Code, Reason::UnknownParent));
        }
        match unit.parent.as_deref() {
            Some([code]) => self.by_code(at, code).map(Some),
            Some(codes) => self.by_path(codes, unit.kind).map(Some).ok_or(unknown),
            None => self.top(unit),
        }
    }

    /// The parent of a unit whose row has none.
    fn top(&self, unit: &Unit) -> Result<Option<(UnitPath, UnitKind)>, (Column, Reason)> {
        let of = |unit: &UnitRef| Some((unit.path.clone(), unit.kind));
        let root = self.planner.tree.all().next();
        match (&self.planner.scope, root) {
            (Some(scope), _) => {
                let scope = self.planner.tree.at(scope).ok_or((Column::Parent, Reason::UnknownParent))?;
                // The file may contain the unit it is for.
                let is_itself = scope.path.code() == unit.code() && scope.kind == unit.kind;
                match scope.path.parent() {
                    Some(above) if is_itself => Ok(self.planner.tree.at(&above).and_then(of)),
                    None if is_itself => Ok(None),
                    _ => Ok(of(scope)),
                }
            }
            (None, Some(root)) if root.path.code() != unit.code() => Err((Column::Parent, Reason::UnknownParent)),
            (None, None) if self.first_top.is_some_and(|first| first < unit.row) => {
                // A tree has one root.
                Err((Column::Parent, Reason::UnknownParent))
            }
            (None, _) => Ok(None),
        }
    }

    /// The unit at the end of these codes, in the tree or in the file. Among the units of the file, only those of a higher level
    /// than `kind` are resolved, so the recursion is at most as deep as there are levels in the pack.
    fn by_path(&mut self, codes: &[String], kind: UnitKind) -> Option<(UnitPath, UnitKind)> {
        let path = UnitPath::parse(&format!("/{}/", codes.join("/"))).ok()?;
        let below = self.planner.scope.as_ref().and_then(|scope| UnitPath::parse(&format!("{scope}{}/", codes.join("/"))).ok());
        for path in [Some(path), below].into_iter().flatten() {
            if let Some(known) = self.planner.known.get(&path) {
                return Some((path, known.kind));
            }
            let above = self.placed.get(&path).map(|at| self.units[*at].kind);
            if let Some(above) = above.filter(|above| *above < kind) {
                return Some((path, above));
            }
            // Each unit is resolved once, however many share its code.
            for number in 0.. {
                let Some(at) = self.named(path.code(), number) else { break };
                let may_be = self.units[at].kind < kind && matches!(self.found[at], Found::NotYet);
                if may_be && self.resolve(at).as_ref() == Ok(&path) {
                    return Some((path, self.units[at].kind));
                }
            }
        }
        None
    }

    /// One of the units of the file with this code, counted from 0.
    fn named(&self, code: &str, number: usize) -> Option<usize> {
        self.by_code.get(code)?.get(number).copied()
    }

    /// The only unit with this code, in the tree or in the file, on which the one at `at` may hang: of a higher level, so the
    /// recursion ends.
    fn by_code(&mut self, at: usize, code: &str) -> Result<(UnitPath, UnitKind), (Column, Reason)> {
        let kind = self.units[at].kind;
        let known = self.known_by_code.get(code).map(Vec::as_slice).unwrap_or_default();
        let higher = known.iter().filter(|(_, above)| kind.hangs_on(*above)).map(|(path, above)| ((*path).clone(), *above));
        // Two are ambiguous, so no more are needed.
        let mut found: BTreeMap<UnitPath, UnitKind> = higher.take(2).collect();
        // Without a higher unit, those that are known are of a wrong level.
        let mut reason = if known.is_empty() { Reason::UnknownParent } else { Reason::WrongLevel };
        for number in 0.. {
            let Some(other) = self.named(code, number).filter(|_| found.len() < 2) else { break };
            let is_no_parent = other == at || matches!(self.found[other], Found::Underway);
            if is_no_parent || !kind.hangs_on(self.units[other].kind) {
                reason = Reason::WrongLevel;
            } else if let Ok(path) = self.resolve(other) {
                found.insert(path, self.units[other].kind);
            }
        }
        match found.len() {
            0 => Err((Column::Parent, reason)),
            1 => found.pop_first().ok_or((Column::Parent, Reason::UnknownParent)),
            _ => Err((Column::Parent, Reason::AmbiguousUnit)),
        }
    }
}

fn is_top(unit: &Unit) -> bool {
    unit.parent.is_none() && unit.codes.len() == 1
}
