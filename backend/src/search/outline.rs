//! Upper bounds of the weights of all candidates, from whole posting lists.
//!
//! Looking up one document after the other costs a seek in each list. For many candidates, each list is instead read once from
//! beginning to end into a set; which words and pairs a candidate has, and where, is then a few bits.
//!
//! Invariant: [`Outline::most`] is never less than the weight, so skipping a document by it does not change the order.

use tantivy::{DocId, SegmentReader};

use super::{
    document_set::DocumentSet,
    frequent::FrequentTerms,
    lists::{List, Pair, Word},
    ranking::{ALL_BESIDE, ALL_IN_TITLE, ATTACHED, Rarity, TEXT_PAIR, TITLE, TITLE_PAIR},
};

/// Which candidates of a segment have which parts of a query.
pub(super) struct Outline {
    /// All documents of the segment are below this.
    max: DocId,
    /// The candidates with all words.
    pub(super) having: DocumentSet,
    /// By word: those of them with the word in the title.
    titles: Vec<DocumentSet>,
    /// By pair: those with it in the title, in the text, in a file; each with the weight of the pair there.
    pairs: Vec<[(DocumentSet, f64); 3]>,
}

impl Outline {
    /// `candidates` must have the first word of `order`.
    pub(super) fn of(
        segment: &SegmentReader,
        frequent: &FrequentTerms,
        (words, order, pairs): (&[Word], &[usize], &[Pair]),
        candidates: DocumentSet,
    ) -> Self {
        let others = order.iter().skip(1);
        let having = others.fold(candidates, |having, word| shared(segment, frequent, &having, &mut words[*word].lists()));
        let titles = words.iter().map(|word| shared(segment, frequent, &having, &mut word.title_lists())).collect();
        let pairs = pairs.iter().map(|pair| {
            [(&pair.title, TITLE_PAIR), (&pair.text, TEXT_PAIR), (&pair.attached, ATTACHED * TEXT_PAIR)]
                .map(|(lists, count)| (shared(segment, frequent, &having, &mut lists.iter()), count))
        });
        Self { max: segment.max_doc(), titles, pairs: pairs.collect(), having }
    }

    /// The candidates with all words that also have a word in the title, or a pair. The bounds of all others are the same: see
    /// [`Self::least`].
    pub(super) fn distinguished(&self) -> DocumentSet {
        let mut distinguished = DocumentSet::empty(self.max);
        for documents in self.titles.iter().chain(self.pairs.iter().flatten().map(|(documents, _)| documents)) {
            distinguished.unite_shared(&self.having, documents);
        }
        distinguished
    }

    /// [`Self::most`] of a document with all words that has none in the title, and no pair.
    pub(super) fn least(rarity: &Rarity) -> f64 {
        rarity.words.iter().sum()
    }

    /// Upper bound of the weight within one closeness of a document with all words; `title` is the length of its title relative
    /// to the average.
    pub(super) fn most(&self, document: DocId, rarity: &Rarity, title: f64) -> f64 {
        // Repetitions of a word count less than its rarity once.
        let mut weight = Self::least(rarity);
        let mut in_title = 0;
        for (titled, rarity) in self.titles.iter().zip(&rarity.words) {
            if titled.contains(document) {
                weight += rarity * TITLE / title;
                in_title += 1;
            }
        }
        let mut beside = 0;
        for (places, rarity) in self.pairs.iter().zip(&rarity.pairs) {
            let met = places.iter().filter(|(documents, _)| documents.contains(document));
            let count: f64 = met.map(|(_, count)| count).sum();
            weight += rarity * count;
            beside += usize::from(count > 0.0);
        }
        if beside > 1 && beside == self.pairs.len() {
            weight *= ALL_BESIDE;
        }
        if in_title == self.titles.len() {
            weight *= ALL_IN_TITLE;
        }
        weight
    }
}

/// The documents of the set that are in one of the lists.
fn shared(
    segment: &SegmentReader,
    frequent: &FrequentTerms,
    set: &DocumentSet,
    lists: &mut dyn Iterator<Item = &List>,
) -> DocumentSet {
    let mut shared = DocumentSet::empty(segment.max_doc());
    for list in lists {
        match frequent.of(segment, list) {
            Some(documents) => shared.unite_shared(set, &documents),
            None => list.each(|document| {
                if set.contains(document) {
                    shared.insert(document);
                }
            }),
        }
    }
    shared
}
