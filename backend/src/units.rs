//! The tree of units, held in memory: small (50,000 nodes at most), read by every page, changed rarely.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::NaiveDate;
use domain::{
    ids::UnitId,
    units::{Phase, UnitKind, UnitPath, UnitRef},
};

use crate::{
    Error, Result,
    store::{Store, SurrealValue},
};

/// The tree as it stood when it was loaded. Ordered by path, so a subtree is a range.
#[derive(Debug, Default)]
pub struct Tree {
    by_path: BTreeMap<UnitPath, UnitRef>,
    paths: BTreeMap<UnitId, UnitPath>,
    /// The units that have a phase of their own.
    openings: BTreeMap<UnitPath, Opening>,
}

/// How far the roll-out has come in a unit, from when on it is live, and whom to ask until then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opening {
    pub phase: Phase,
    pub live_from: Option<NaiveDate>,
    pub contact: Option<String>,
}

impl Tree {
    pub fn get(&self, id: UnitId) -> Option<&UnitRef> {
        self.by_path.get(self.paths.get(&id)?)
    }

    /// The unit whose id this text is.
    pub fn named(&self, id: &str) -> Option<&UnitRef> {
        self.get(id.parse().ok()?)
    }

    pub fn at(&self, path: &UnitPath) -> Option<&UnitRef> {
        self.by_path.get(path)
    }

    /// The unit and all below it, in the order of codes.
    pub fn subtree<'a>(&'a self, path: &'a UnitPath) -> impl Iterator<Item = &'a UnitRef> {
        self.by_path.range(path.clone()..).map(|(_, unit)| unit).take_while(move |unit| path.contains(&unit.path))
    }

    /// The units one level below.
    pub fn children<'a>(&'a self, path: &'a UnitPath) -> impl Iterator<Item = &'a UnitRef> {
        let depth = depth(path) + 1;
        self.subtree(path).filter(move |unit| depth == self::depth(&unit.path))
    }

    /// From the root down to the unit itself.
    pub fn trail<'a>(&'a self, path: &'a UnitPath) -> impl Iterator<Item = &'a UnitRef> {
        path.ancestors_and_self().filter_map(|ancestor| self.at(&ancestor).map(|unit| unit.id)).filter_map(|id| self.get(id))
    }

    /// The phase of a unit: its own, or of the nearest unit above that has one.
    pub fn phase(&self, path: &UnitPath) -> Phase {
        self.opening(path).phase
    }

    /// See [`Self::phase`].
    pub fn opening(&self, path: &UnitPath) -> Opening {
        let own: Vec<&Opening> = path.ancestors_and_self().filter_map(|at| self.openings.get(&at)).collect();
        own.last().map(|opening| (*opening).clone()).unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.by_path.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }
}

fn depth(path: &UnitPath) -> usize {
    path.as_str().bytes().filter(|byte| *byte == b'/').count()
}

/// Hands out the tree and replaces it as a whole when units change.
#[derive(Debug)]
pub struct Units {
    tree: RwLock<Arc<Tree>>,
}

#[derive(Debug, SurrealValue)]
struct UnitRow {
    id: String,
    kind: String,
    name: String,
    path: String,
    phase: Option<String>,
    live_from: Option<String>,
    contact: Option<String>,
}

impl Units {
    pub(crate) async fn load(store: &Store) -> Result<Self> {
        let units = Self { tree: RwLock::default() };
        units.reload(store).await?;
        Ok(units)
    }

    pub(crate) async fn reload(&self, store: &Store) -> Result<()> {
        let sql = "SELECT record::id(id) AS id, kind, name, path, phase, live_from, contact FROM unit";
        let rows: Vec<UnitRow> = store.read(sql, ()).await?.rows(0)?;
        let mut tree = Tree::default();
        for row in rows {
            let unit = UnitRef {
                id: row.id.parse().map_err(|_| Error::Damaged(format!("unit {}", row.id)))?,
                kind: UnitKind::from_key(&row.kind).ok_or_else(|| Error::Damaged(format!("unit {}", row.id)))?,
                path: UnitPath::parse(&row.path).map_err(|_| Error::Damaged(format!("unit {}", row.id)))?,
                name: row.name,
            };
            if let Some(phase) = row.phase.as_deref().and_then(Phase::from_key) {
                let live_from = row.live_from.and_then(|day| day.parse().ok());
                tree.openings.insert(unit.path.clone(), Opening { phase, live_from, contact: row.contact });
            }
            tree.paths.insert(unit.id, unit.path.clone());
            tree.by_path.insert(unit.path.clone(), unit);
        }
        *self.tree.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tree);
        Ok(())
    }

    /// The tree of this moment. Hold it for one use-case, not longer.
    pub fn tree(&self) -> Arc<Tree> {
        Arc::clone(&self.tree.read().unwrap_or_else(PoisonError::into_inner))
    }
}
