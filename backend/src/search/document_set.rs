//! A set of documents of a segment, as one bit for each.
//!
//! In place of the set of `tantivy`, which has no operation on two sets.

use tantivy::DocId;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DocumentSet(Vec<u64>);

impl DocumentSet {
    /// An empty set of documents below `max`.
    pub(super) fn empty(max: DocId) -> Self {
        Self(vec![0; max.div_ceil(u64::BITS) as usize])
    }

    pub(super) fn insert(&mut self, document: DocId) {
        if let Some(bits) = self.0.get_mut(index(document)) {
            *bits |= bit(document);
        }
    }

    pub(super) fn remove(&mut self, document: DocId) {
        if let Some(bits) = self.0.get_mut(index(document)) {
            *bits &= !bit(document);
        }
    }

    pub(super) fn contains(&self, document: DocId) -> bool {
        self.0.get(index(document)).is_some_and(|bits| bits & bit(document) != 0)
    }

    /// The number of documents.
    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// The number of documents that are also in the other set.
    pub(super) fn count_shared(&self, other: &Self) -> usize {
        self.0.iter().zip(&other.0).map(|(bits, other)| (bits & other).count_ones() as usize).sum()
    }

    /// Adds the documents of the other set.
    pub(super) fn unite(&mut self, other: &Self) {
        for (bits, other) in self.0.iter_mut().zip(&other.0) {
            *bits |= other;
        }
    }

    /// Adds the documents that are in both sets.
    pub(super) fn unite_shared(&mut self, one: &Self, other: &Self) {
        for (bits, (one, other)) in self.0.iter_mut().zip(one.0.iter().zip(&other.0)) {
            *bits |= one & other;
        }
    }

    /// Removes the documents that are not in the other set.
    pub(super) fn keep(&mut self, other: &Self) {
        for (bits, other) in self.0.iter_mut().zip(&other.0) {
            *bits &= other;
        }
    }

    /// Removes the documents that are in the other set.
    pub(super) fn remove_all(&mut self, other: &Self) {
        for (bits, other) in self.0.iter_mut().zip(&other.0) {
            *bits &= !other;
        }
    }

    /// The documents in ascending order.
    pub(super) fn documents(&self) -> impl Iterator<Item = DocId> {
        let places = (0_u32..).map(|at| at * u64::BITS).zip(&self.0).filter(|(_, bits)| **bits != 0);
        places.flat_map(|(first, bits)| Ones(*bits).map(move |bit| first + bit))
    }

    /// The size in bytes.
    pub(super) fn size(&self) -> usize {
        size_of_val(self.0.as_slice())
    }
}

/// The positions of the ones of a number, the lowest first.
struct Ones(u64);

impl Iterator for Ones {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.0 == 0 {
            return None;
        }
        let lowest = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        Some(lowest)
    }
}

fn index(document: DocId) -> usize {
    (document / u64::BITS) as usize
}

fn bit(document: DocId) -> u64 {
    1 << (document % u64::BITS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::btree_set, prelude::*};

    use super::*;

    const MAX: DocId = 200;

    fn set(documents: &BTreeSet<DocId>) -> DocumentSet {
        let mut set = DocumentSet::empty(MAX);
        for document in documents {
            set.insert(*document);
        }
        set
    }

    proptest! {
        #[test]
        fn a_set_is_as_one_of_the_standard_library(
            one in btree_set(0..MAX, 0..90), other in btree_set(0..MAX, 0..90), third in btree_set(0..MAX, 0..90)
        ) {
            let (a, b, c) = (set(&one), set(&other), set(&third));
            prop_assert_eq!(a.documents().collect::<BTreeSet<_>>(), one.clone());
            prop_assert!(a.documents().is_sorted());
            prop_assert_eq!(a.count(), one.len());
            prop_assert_eq!(a.count_shared(&b), one.intersection(&other).count());
            for document in 0..MAX {
                prop_assert_eq!(a.contains(document), one.contains(&document));
            }
            let mut united = a.clone();
            united.unite(&b);
            prop_assert_eq!(united, set(&one.union(&other).copied().collect()));
            let mut kept = a.clone();
            kept.keep(&b);
            prop_assert_eq!(kept, set(&one.intersection(&other).copied().collect()));
            let mut more = a.clone();
            more.unite_shared(&b, &c);
            let both: BTreeSet<DocId> = other.intersection(&third).copied().collect();
            prop_assert_eq!(more, set(&one.union(&both).copied().collect()));
            let mut without = a.clone();
            without.remove_all(&b);
            let mut fewer = a;
            for document in &other {
                fewer.remove(*document);
            }
            prop_assert_eq!(&fewer, &without);
            prop_assert_eq!(fewer, set(&one.difference(&other).copied().collect()));
        }
    }
}
