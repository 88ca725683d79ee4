//! Counts documents within a person's reach that have a word or a pair of adjacent words, and finds similar words in them.
//!
//! Invariant: documents out of reach are never counted. The ranking and the suggested words depend on these numbers and would
//! reveal such documents.

use std::collections::{BTreeSet, HashMap};

use tantivy::{
    DocSet, InvertedIndexReader, Searcher, SegmentReader, TERMINATED, Term,
    postings::TermInfo,
    query::FuzzyTermQuery,
    schema::{Field, IndexRecordOption},
};

use super::{
    document_set::DocumentSet,
    frequent::FrequentTerms,
    index::{FOLDED, Fields},
    lists::List,
    parsed_query::QueryWord,
    ranking::RankingInput,
};

/// For posting lists up to this length, deleted documents are subtracted; in longer lists they make no difference.
const FEW: u32 = 200;

pub(super) struct Counts<'s> {
    searcher: &'s Searcher,
    fields: &'s Fields,
    frequent: &'s FrequentTerms,
    within: &'s [Option<DocumentSet>],
    /// Number of documents within reach.
    pub(super) all: usize,
    words: HashMap<String, usize>,
    pairs: HashMap<String, usize>,
    similar: HashMap<String, BTreeSet<String>>,
}

impl<'s> Counts<'s> {
    pub(super) fn new(RankingInput { searcher, fields, frequent, within, .. }: RankingInput<'s>) -> Self {
        let segments = searcher.segment_readers().iter().zip(within);
        let all = segments.map(|(segment, within)| within.as_ref().map_or(segment.num_docs() as usize, DocumentSet::count)).sum();
        Self { searcher, fields, frequent, within, all, words: HashMap::new(), pairs: HashMap::new(), similar: HashMap::new() }
    }

    /// Number of documents with the folded word in their own text or in that of their files.
    pub(super) fn word(&mut self, folded: &str) -> tantivy::Result<usize> {
        if let Some(known) = self.words.get(folded) {
            return Ok(*known);
        }
        let count = self.count([self.fields.text[FOLDED], self.fields.attached[FOLDED]], folded)?;
        self.words.insert(folded.to_owned(), count);
        Ok(count)
    }

    /// Number of documents in which the two words of the pair are adjacent.
    pub(super) fn pair(&mut self, pair: &str) -> tantivy::Result<usize> {
        if let Some(known) = self.pairs.get(pair) {
            return Ok(*known);
        }
        let count = self.count([self.fields.pairs, self.fields.attached_pairs], pair)?;
        self.pairs.insert(pair.to_owned(), count);
        Ok(count)
    }

    /// Whether some document has the typed word: as it is, as the beginning of a longer word where it may be unfinished, as two
    /// words typed without a space, or as a document number.
    pub(super) fn knows(&mut self, word: &QueryWord) -> tantivy::Result<bool> {
        let folded = &word.forms.folded;
        if self.word(folded)? > 0 || self.pair(folded)? > 0 {
            return Ok(true);
        }
        let keys = [self.fields.cited, self.fields.sign];
        let texts = [self.fields.text[FOLDED], self.fields.attached[FOLDED]];
        Ok(self.count(keys, folded)? > 0 || (word.is_unfinished && self.begins(texts, folded)?))
    }

    /// Whether the two words are adjacent in some document; the second may be unfinished.
    pub(super) fn knows_pair(&mut self, pair: &str, is_unfinished: bool) -> tantivy::Result<bool> {
        Ok(self.pair(pair)? > 0 || (is_unfinished && self.begins([self.fields.pairs, self.fields.attached_pairs], pair)?))
    }

    /// Words of documents within reach that are one typing error away from this one.
    pub(super) fn similar(&mut self, folded: &str) -> tantivy::Result<BTreeSet<String>> {
        if let Some(known) = self.similar.get(folded) {
            return Ok(known.clone());
        }
        let mut similar = BTreeSet::new();
        for (segment, within) in self.segments() {
            for field in [self.fields.text[FOLDED], self.fields.attached[FOLDED]] {
                let automaton = FuzzyTermQuery::new(Term::from_field_text(field, folded), 1, true).automaton()?;
                let index = segment.inverted_index(field)?;
                let mut stream = index.terms().search(automaton).into_stream()?;
                while let Some((key, info)) = stream.next() {
                    if let Ok(key) = std::str::from_utf8(key)
                        && key != folded
                        && !similar.contains(key)
                        && is_within(segment, &index, info, within)?
                    {
                        similar.insert(key.to_owned());
                    }
                }
            }
        }
        self.similar.insert(folded.to_owned(), similar.clone());
        Ok(similar)
    }

    /// Whether some document has a word with this prefix in one of the fields.
    fn begins(&self, fields: [Field; 2], beginning: &str) -> tantivy::Result<bool> {
        // An upper bound of the prefix: no word has this character.
        let end = format!("{beginning}\u{10ffff}");
        for (segment, within) in self.segments() {
            for field in fields {
                let index = segment.inverted_index(field)?;
                let mut stream = index.terms().range().gt(beginning.as_bytes()).lt(end.as_bytes()).into_stream()?;
                while let Some((_, info)) = stream.next() {
                    if is_within(segment, &index, info, within)? {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// The largest number of documents with the term among the fields.
    fn count(&self, fields: [Field; 2], term: &str) -> tantivy::Result<usize> {
        let mut count = 0;
        for (segment, within) in self.segments() {
            let [own, attached] = fields.map(|field| count_within(segment, self.frequent, field, term, within));
            count += own?.max(attached?);
        }
        Ok(count)
    }

    fn segments(&self) -> impl Iterator<Item = (&'s SegmentReader, Option<&'s DocumentSet>)> + use<'s> {
        self.searcher.segment_readers().iter().zip(self.within).map(|(segment, within)| (segment, within.as_ref()))
    }
}

/// Whether a document within reach has the term.
fn is_within(
    segment: &SegmentReader,
    index: &InvertedIndexReader,
    info: &TermInfo,
    within: Option<&DocumentSet>,
) -> tantivy::Result<bool> {
    let mut list = index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    while list.doc() != TERMINATED {
        if within.map_or_else(|| !segment.is_deleted(list.doc()), |within| within.contains(list.doc())) {
            return Ok(true);
        }
        list.advance();
    }
    Ok(false)
}

/// The number of documents of a segment with the word; only those within reach if `within` is given.
fn count_within(
    segment: &SegmentReader,
    frequent: &FrequentTerms,
    field: Field,
    word: &str,
    within: Option<&DocumentSet>,
) -> tantivy::Result<usize> {
    let term = Term::from_field_text(field, word);
    let index = segment.inverted_index(field)?;
    let Some(info) = index.get_term_info(&term)? else { return Ok(0) };
    let taken_out = segment.alive_bitset().filter(|_| info.doc_freq <= FEW);
    if within.is_none() && taken_out.is_none() {
        return Ok(info.doc_freq as usize);
    }
    let Some(within) = within else {
        let list = index.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
        return Ok(taken_out.map_or(info.doc_freq, |alive| list.doc_freq_given_deletes(alive)) as usize);
    };
    let list = List::open(&index, field, &info, IndexRecordOption::Basic)?;
    Ok(count_shared(segment, frequent, &list, within))
}

/// The number of documents of the list that are in the set.
fn count_shared(segment: &SegmentReader, frequent: &FrequentTerms, list: &List, within: &DocumentSet) -> usize {
    if let Some(documents) = frequent.of(segment, list) {
        return documents.count_shared(within);
    }
    let mut count = 0;
    list.each(|document| count += usize::from(within.contains(document)));
    count
}
