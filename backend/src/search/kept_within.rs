//! Keeps what people may find between queries.
//!
//! It depends on nothing but the index, the tree and the standpoint. A person sends a query with every few letters they type, and
//! the members of a branch share a standpoint.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use domain::policy::Standpoint;

use super::within::Within;
use crate::units::Tree;

/// Most standpoints kept, and the size in bytes above which older ones are dropped.
const KEPT: usize = 256;
const KEPT_BYTES: usize = 32 << 20;

#[derive(Default)]
pub(super) struct KeptWithin(Mutex<Kept>);

/// What people may find in one version of the index and of the tree.
#[derive(Default)]
struct Kept {
    version: u64,
    /// The tree by its address, which is not used again while this exists: a reload always makes another tree.
    tree: Weak<Tree>,
    /// The last used ones at the end.
    within: Vec<(Standpoint, Arc<Within>)>,
}

impl KeptWithin {
    pub(super) fn get(&self, version: u64, tree: &Arc<Tree>, standpoint: &Standpoint) -> Option<Arc<Within>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.is_of(version, tree) {
            return None;
        }
        let at = kept.within.iter().position(|(known, _)| known == standpoint)?;
        let found = kept.within.remove(at);
        let within = Arc::clone(&found.1);
        kept.within.push(found);
        Some(within)
    }

    pub(super) fn put(&self, version: u64, tree: &Arc<Tree>, standpoint: &Standpoint, within: &Arc<Within>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.is_of(version, tree) {
            *kept = Kept { version, tree: Arc::downgrade(tree), within: Vec::new() };
        }
        kept.within.retain(|(known, _)| known != standpoint);
        kept.within.push((standpoint.clone(), Arc::clone(within)));
        let mut size: usize = kept.within.iter().map(|(_, within)| within.size()).sum();
        while kept.within.len() > 1 && (kept.within.len() > KEPT || size > KEPT_BYTES) {
            size -= kept.within.remove(0).1.size();
        }
    }
}

impl Kept {
    fn is_of(&self, version: u64, tree: &Arc<Tree>) -> bool {
        self.version == version && std::ptr::eq(self.tree.as_ptr(), Arc::as_ptr(tree))
    }
}

#[cfg(test)]
mod tests {
    use domain::{members::Standing, units::UnitPath};

    use super::*;

    fn standpoint(number: usize) -> Standpoint {
        let branch = UnitPath::parse(&format!("/01/{number}/")).expect("a path");
        Standpoint { branch, standing: Standing::Official, grants: Vec::new() }
    }

    #[test]
    fn what_may_be_found_is_kept_for_one_version_of_the_index_and_of_the_tree() {
        let (kept, tree, within) = (KeptWithin::default(), Arc::new(Tree::default()), Arc::new(Within::default()));
        kept.put(1, &tree, &standpoint(1), &within);
        assert!(kept.get(1, &tree, &standpoint(1)).is_some_and(|found| Arc::ptr_eq(&found, &within)));
        assert!(kept.get(1, &tree, &standpoint(2)).is_none());
        assert!(kept.get(2, &tree, &standpoint(1)).is_none(), "the index has changed");
        assert!(kept.get(1, &Arc::new(Tree::default()), &standpoint(1)).is_none(), "the tree was read again");
        let other = Standpoint { standing: Standing::Probationary, ..standpoint(1) };
        assert!(kept.get(1, &tree, &other).is_none());
        kept.put(2, &tree, &standpoint(2), &within);
        assert!(kept.get(2, &tree, &standpoint(1)).is_none(), "what is older is dropped");
    }

    #[test]
    fn the_last_used_are_kept() {
        let (kept, tree, within) = (KeptWithin::default(), Arc::new(Tree::default()), Arc::new(Within::default()));
        for number in 0..KEPT {
            kept.put(1, &tree, &standpoint(number), &within);
        }
        assert!(kept.get(1, &tree, &standpoint(0)).is_some());
        kept.put(1, &tree, &standpoint(KEPT), &within);
        assert!(kept.get(1, &tree, &standpoint(0)).is_some());
        assert!(kept.get(1, &tree, &standpoint(1)).is_none());
    }
}
