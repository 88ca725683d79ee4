//! The most each candidate of a query can weigh, from its lists as wholes.
//!
//! Asking every list about one document after the other costs a seek in each. Where there are many candidates, each list is read once
//! from its beginning to its end into a set instead; which words and pairs a candidate has, and where, is then a few bits.
//!
//! Invariant: [`Outline::most`] is never less than what weighing gives, so leaving a document out by it changes no order.

use tantivy::{BitSet, DocId, DocSet, TERMINATED, postings::SegmentPostings};

use super::{
    lists::{Pair, Word},
    ranking::{ALL_BESIDE, ALL_IN_TITLE, ATTACHED, Rarity, TEXT_PAIR, TITLE, TITLE_PAIR},
};

/// Which candidates of a segment have which parts of a query.
pub(super) struct Outline {
    /// Those with all words.
    pub(super) having: BitSet,
    /// Of them, by word, those with it in the title.
    titles: Vec<BitSet>,
    /// By pair: in the title, in the text, in a file. What it counts there goes along.
    pairs: Vec<[(BitSet, f64); 3]>,
}

impl Outline {
    /// `candidates` have the first word of `order`.
    pub(super) fn of(words: &[Word], order: &[usize], pairs: &[Pair], candidates: BitSet) -> Self {
        let having = order.iter().skip(1).fold(candidates, |having, word| shared(&having, words[*word].lists()));
        let titles = words.iter().map(|word| shared(&having, word.title_lists())).collect();
        let pairs = pairs.iter().map(|pair| {
            [(&pair.title, TITLE_PAIR), (&pair.text, TEXT_PAIR), (&pair.attached, ATTACHED * TEXT_PAIR)]
                .map(|(lists, count)| (shared(&having, lists.iter()), count))
        });
        Self { titles, pairs: pairs.collect(), having }
    }

    /// The most a document with all words can weigh within one closeness; `title` is the length of its title against the usual.
    pub(super) fn most(&self, document: DocId, rarity: &Rarity, title: f64) -> f64 {
        // How often a word occurs counts less than once its rarity.
        let mut weight: f64 = rarity.words.iter().sum();
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

/// Those of the set that are in one of the lists.
fn shared<'l>(set: &BitSet, lists: impl Iterator<Item = &'l SegmentPostings>) -> BitSet {
    let mut shared = BitSet::with_max_value(set.max_value());
    for list in lists {
        let mut list = list.clone();
        while list.doc() != TERMINATED {
            if set.contains(list.doc()) {
                shared.insert(list.doc());
            }
            list.advance();
        }
    }
    shared
}
