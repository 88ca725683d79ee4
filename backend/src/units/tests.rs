use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use ulid::Ulid;

use super::*;
use crate::{Backend, Clock, Keys, StoreLocation};

/// A level of the default pack.
pub(crate) fn level(key: &str) -> UnitKind {
    UnitKind::from_key(key).expect("a level of the party")
}

/// The moment of the fixed clock in tests of changes of the tree.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-21T08:00:00Z".parse().expect("a moment")
}

/// Opens a store, also one that another backend has just closed.
pub(crate) async fn open(location: &StoreLocation) -> Backend {
    let opened = async {
        loop {
            match Backend::open(location, Keys::from_master(&[7; 32]), Clock::fixed(now(), 1)).await {
                Ok(backend) => return backend,
                // The engine of the previous backend closes its files in the background.
                Err(Error::InUse | Error::Store(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), opened).await.expect("the engine closes its files")
}

/// A tree of open units at these paths, without any history.
pub(crate) fn tree_of<'a>(paths: impl IntoIterator<Item = &'a UnitPath>) -> Tree {
    let mut tree = Tree::default();
    for (at, path) in paths.into_iter().enumerate() {
        let id = UnitId::new(Ulid::from_parts(1, at as u128));
        tree.insert(Node {
            unit: UnitRef { id, kind: level("branch"), name: path.to_string(), path: path.clone() },
            folded: String::new(),
            branches: 0,
            phase: None,
            live_from: None,
            contact: None,
            since: NaiveDate::default(),
            opened_on: NaiveDate::default(),
            version: 0,
        });
    }
    tree.count_branches();
    tree
}

/// Any set of paths, also with units whose parent is missing.
fn some_paths() -> impl Strategy<Value = BTreeSet<UnitPath>> {
    proptest::collection::btree_set("(/(0|01|1|1-|10|a)){1,4}/", 0..60)
        .prop_map(|texts| texts.iter().filter_map(|text| UnitPath::parse(text).ok()).collect())
}

proptest! {
    #[test]
    fn children_are_the_units_of_the_subtree_one_level_below(paths in some_paths()) {
        let tree = tree_of(&paths);
        for path in &paths {
            let naive: Vec<&UnitRef> = tree.subtree(path).filter(|unit| depth(&unit.path) == depth(path) + 1).collect();
            prop_assert_eq!(tree.children(path).collect::<Vec<_>>(), naive, "{}", path);
        }
    }

    #[test]
    fn branches_are_counted_once_for_each_unit_above(paths in some_paths()) {
        let tree = tree_of(&paths);
        for path in &paths {
            let naive = tree.subtree(path).filter(|unit| unit.path != *path && unit.kind.meets_as_branch()).count();
            prop_assert_eq!(tree.branches(path), u32::try_from(naive).expect("few"), "{}", path);
        }
    }
}
