//! The tree of units, held in memory: small (50,000 nodes at most), read by every page, changed rarely.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use domain::{
    ids::UnitId,
    units::{UnitKind, UnitPath, UnitRef},
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

    /// Every unit, in the order of paths.
    pub fn all(&self) -> impl Iterator<Item = &UnitRef> {
        self.by_path.values()
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
}

impl Units {
    pub(crate) async fn load(store: &Store) -> Result<Self> {
        let units = Self { tree: RwLock::default() };
        units.reload(store).await?;
        Ok(units)
    }

    pub(crate) async fn reload(&self, store: &Store) -> Result<()> {
        let rows: Vec<UnitRow> = store.read("SELECT record::id(id) AS id, kind, name, path FROM unit", ()).await?.rows(0)?;
        let mut tree = Tree::default();
        for row in rows {
            let unit = UnitRef {
                id: row.id.parse().map_err(|_| Error::Damaged(format!("unit {}", row.id)))?,
                kind: UnitKind::from_key(&row.kind).ok_or_else(|| Error::Damaged(format!("unit {}", row.id)))?,
                path: UnitPath::parse(&row.path).map_err(|_| Error::Damaged(format!("unit {}", row.id)))?,
                name: row.name,
            };
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
