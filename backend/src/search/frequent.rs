//! The documents of frequent words and pairs as sets, kept between queries.
//!
//! Queries consist of the same few hundred frequent words, whose posting lists contain a large part of all documents. A member's
//! query counts the documents within reach in them, an editor's query intersects them. With sets, both read one bit of each
//! document instead of decoding the lists.
//!
//! Invariant: a segment never changes, so a set is valid as long as its segment exists. Deleted documents are in the sets of
//! words, as they are in the posting lists.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tantivy::{SegmentReader, index::SegmentId, schema::Field};

use super::{document_set::DocumentSet, lists::List};

/// A posting list is kept if it has at least this many documents, and this share of the documents of its segment: reading a
/// shorter one costs little more than its set.
const LENGTH_MIN: u32 = 256;
const SHARE: u32 = 32;

/// Size in bytes of all sets. A set has a bit for each document: 12 kB for 100,000.
const KEPT_BYTES: usize = 64 << 20;

#[derive(Default)]
pub(super) struct FrequentTerms(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    sets: HashMap<Key, Used>,
    size: usize,
    /// Increases with each use of a set.
    turn: u64,
}

struct Used {
    documents: Arc<DocumentSet>,
    turn: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    /// A posting list, by its position in the file of the field.
    List(SegmentId, Field, usize),
    /// The documents that are not deleted, by the number of the last deletion.
    Alive(SegmentId, Option<u64>),
}

impl FrequentTerms {
    /// The documents of a long posting list that was not advanced yet, `None` for a short one.
    pub(super) fn of(&self, segment: &SegmentReader, list: &List) -> Option<Arc<DocumentSet>> {
        let length = list.doc_freq();
        if length < LENGTH_MIN || length < segment.max_doc() / SHARE {
            return None;
        }
        let key = Key::List(segment.segment_id(), list.field, list.start);
        Some(self.known(key).unwrap_or_else(|| {
            let mut documents = DocumentSet::empty(segment.max_doc());
            list.each(|document| documents.insert(document));
            self.keep(key, documents)
        }))
    }

    /// The documents of the segment that are not deleted, `None` for all of them.
    pub(super) fn alive(&self, segment: &SegmentReader) -> Option<Arc<DocumentSet>> {
        let alive = segment.alive_bitset()?;
        let key = Key::Alive(segment.segment_id(), segment.delete_opstamp());
        Some(self.known(key).unwrap_or_else(|| {
            let mut documents = DocumentSet::empty(segment.max_doc());
            alive.iter_alive().for_each(|document| documents.insert(document));
            self.keep(key, documents)
        }))
    }

    fn known(&self, key: Key) -> Option<Arc<DocumentSet>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.turn += 1;
        let turn = kept.turn;
        let used = kept.sets.get_mut(&key)?;
        used.turn = turn;
        Some(Arc::clone(&used.documents))
    }

    /// Keeps a set; drops those that were not used for the longest time if there is no room.
    fn keep(&self, key: Key, documents: DocumentSet) -> Arc<DocumentSet> {
        let documents = Arc::new(documents);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.turn += 1;
        let used = Used { documents: Arc::clone(&documents), turn: kept.turn };
        kept.size += documents.size();
        if let Some(before) = kept.sets.insert(key, used) {
            kept.size -= before.documents.size();
        }
        if kept.size > KEPT_BYTES {
            kept.halve();
        }
        documents
    }
}

impl Kept {
    /// Drops the half that was used least recently: one by one, each new set would search all others.
    fn halve(&mut self) {
        let mut turns: Vec<u64> = self.sets.values().map(|used| used.turn).collect();
        turns.sort_unstable();
        let median = turns.get(turns.len() / 2).copied().unwrap_or_default();
        self.sets.retain(|_, used| used.turn >= median);
        self.size = self.sets.values().map(|used| used.documents.size()).sum();
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};
    use ulid::Ulid;

    use super::*;
    use crate::search::{
        index::{FOLDED, OpenIndex},
        lists::list_of,
        ranking::tests::library,
    };

    fn check(held: &OpenIndex) -> usize {
        let searcher = held.searcher();
        let mut long = 0;
        for segment in searcher.segment_readers() {
            for word in ["dang", "vien", "rac", "khac"] {
                let Some(list) = list_of(segment, held.fields.text[FOLDED], word).expect("reads") else { continue };
                let mut expected = Vec::new();
                list.each(|document| expected.push(document));
                for _ in 0..2 {
                    let Some(documents) = held.frequent.of(segment, &list) else { continue };
                    assert_eq!(documents.documents().collect::<Vec<_>>(), expected, "{word}");
                    long += 1;
                }
            }
            let alive: Vec<_> = segment.doc_ids_alive().collect();
            match held.frequent.alive(segment) {
                Some(documents) => assert_eq!(documents.documents().collect::<Vec<_>>(), alive),
                None => assert_eq!(alive.len(), segment.max_doc() as usize),
            }
        }
        long
    }

    #[test]
    fn a_kept_set_has_the_documents_of_its_list_also_after_deletions() {
        let held = library(&mut StdRng::seed_from_u64(3), 2_000);
        assert!(check(&held) > 0);
        held.take_out(&(0..40).map(|number| Ulid(number * 7)).collect::<Vec<_>>()).expect("deletes");
        held.commit(0).expect("writes");
        check(&held);
        held.take_out(&[Ulid(1)]).expect("deletes");
        held.commit(0).expect("writes");
        check(&held);
    }

    #[test]
    fn the_sets_used_last_are_kept_when_there_is_no_room() {
        let frequent = FrequentTerms::default();
        let key = |number| Key::Alive(SegmentId::from_uuid_string(&format!("{number:032x}")).expect("an id"), None);
        let documents = DocumentSet::empty(8 << 20);
        let room = u32::try_from(KEPT_BYTES / documents.size()).expect("a few");
        for number in 0..room {
            frequent.keep(key(number), documents.clone());
        }
        assert!(frequent.known(key(0)).is_some());
        frequent.keep(key(room), documents);
        assert!(frequent.known(key(0)).is_some() && frequent.known(key(room)).is_some());
        assert!(frequent.known(key(1)).is_none());
        assert!(frequent.0.lock().expect("no panic").size <= KEPT_BYTES);
    }
}
