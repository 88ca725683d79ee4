//! Runs a query: which documents within reach have its words, and in which order they are returned.
//!
//! The queries of Tantivy are not used. They score the whole posting list of each word, while a member may only find what reaches
//! one branch: a few thousand of a hundred thousand documents. Here the rarest word leads, a document out of reach is dropped
//! before any other list is read, and the weight is an integer, so that a page continues exactly where the one before ended.
//!
//! The order, from the top: documents whose number was typed; documents whose whole title was typed; then by how closely the
//! words match, where the worst match counts (as typed, another tone, other marks, completed); and within that by how rare the
//! words are, how often they occur, whether they are in the title, and whether they are adjacent, the rarer the pair the more. A
//! word that only an attached file has matches one step less closely, and counts half. Weights of meetings and courses are halved
//! as well: many are alike, short, and consist of words that recur every month, and a search is mostly for a document.
//!
//! All matching documents are counted, but only those are weighed that may come before the last one of the page: the posting
//! lists give an upper bound of the weight, and for an editor of everything most documents are below (the idea of `MaxScore`: H.
//! Turtle, J. Flood, "Query evaluation: strategies and optimizations", 1995). If there are many candidates, each list is read
//! once as a whole (`outline.rs`), or as a set that is kept between queries (`frequent.rs`), and those with the highest bounds are
//! weighed first; nearly all others are then skipped.

use std::{cmp::Reverse, collections::BinaryHeap};

use domain::search::{SearchKind, SearchPlace, SearchQuery};
use tantivy::{
    DocAddress, DocId, Searcher, SegmentOrdinal, SegmentReader, collector::Count, columnar::Column, fieldnorm::FieldNormReader,
    query::AllQuery,
};
use ulid::Ulid;

use super::{
    counts::Counts,
    document_set::DocumentSet,
    frequent::FrequentTerms,
    index::{
        FIELD, FOLDED, Fields, ID_HIGH, ID_LOW, ISSUER, KIND, LEVEL, WHAT, YEAR, field_code, id, kind_code, level_code,
        what_code, whole as whole_title,
    },
    lists::{LOOSE, List, Pair, SAME, Word, WordMatch, WordMatchBound, has, list_of},
    outline::Outline,
    parsed_query::ParsedQuery,
};

/// Rank of a document whose number was typed.
pub(super) const NUMBER: u64 = 5;

/// Rank of a document whose whole title was typed.
const WHOLE_TITLE: u64 = 4;

/// Weights within one closeness are below this.
pub(super) const STEP: u64 = 10_000_000;

/// Factor for each closeness.
const CLOSENESS: [f64; 4] = [0.3, 0.6, 0.8, 1.0];

/// Factor of a word in the title relative to one in the text.
pub(super) const TITLE: f64 = 3.0;

/// Factors of two adjacent words, in the title and in the text, per word.
pub(super) const TITLE_PAIR: f64 = 2.0;
pub(super) const TEXT_PAIR: f64 = 0.8;

/// Words of an average document, as in the sample: in longer ones each word counts less.
const USUAL_LENGTH: f64 = 840.0;

/// Factors if all words are in the title, and if three or more words are in the document as typed, each next to the one before
/// it.
pub(super) const ALL_IN_TITLE: f64 = 1.2;
pub(super) const ALL_BESIDE: f64 = 1.5;

/// Factor of a word in an attached file relative to one in the text.
pub(super) const ATTACHED: f64 = 0.5;

/// Factor of a meeting or a course relative to a document.
const OTHER_SORT: f64 = 0.5;

/// Number of candidates above which reading whole lists is cheaper than seeking in them for each candidate: frequent words are kept
/// as sets, and other lists are short.
const MANY: usize = 200;

/// A document found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) place: SearchPlace,
    pub(super) address: DocAddress,
}

/// The documents found.
#[derive(Debug, Default)]
pub(super) struct Ranked {
    /// Unordered.
    pub(super) found: Vec<Found>,
    /// Number of further documents with the words that were not weighed, because enough others rank higher.
    pub(super) behind: usize,
}

impl Ranked {
    pub(super) fn total(&self) -> usize {
        self.found.len() + self.behind
    }
}

/// What is searched.
#[derive(Clone, Copy)]
pub(super) struct RankingInput<'s> {
    pub(super) searcher: &'s Searcher,
    pub(super) fields: &'s Fields,
    pub(super) query: &'s SearchQuery,
    pub(super) frequent: &'s FrequentTerms,
    pub(super) within: &'s [Option<DocumentSet>],
    /// Documents needed for a page: one more than it shows, which tells whether others follow.
    pub(super) wanted: usize,
}

/// How it is searched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// How many words may be missing.
    pub(super) missing: usize,
    /// How many documents are needed: the best after the position at which the query continues.
    pub(super) wanted: usize,
}

/// Runs a query.
pub(super) fn rank(
    input: RankingInput<'_>,
    counts: &mut Counts<'_>,
    asked: &ParsedQuery,
    terms: Terms,
) -> tantivy::Result<Ranked> {
    let rarity = Rarity::of(counts, asked)?;
    let mut ranking =
        Ranking { ranked: Ranked::default(), best: BinaryHeap::new(), wanted: terms.wanted, after: input.query.after };
    let mut outlined = Vec::new();
    for (ordinal, segment) in (0..).zip(input.searcher.segment_readers()) {
        let Some(within) = input.within.get(ordinal as usize) else { continue };
        let mut scorer = Scorer::open(segment, input, asked, &rarity, terms)?;
        let mut candidates = scorer.candidates(segment, input.frequent, within.as_ref());
        if !scorer.filters.is_empty() {
            candidates = scorer.passing(segment, &candidates);
        }
        if scorer.outlines(&candidates, terms) {
            outlined.push(OutlinedSegment::of(segment, input.frequent, ordinal, scorer, candidates));
        } else {
            for document in candidates.documents() {
                ranking.take(&mut scorer, ordinal, document);
            }
        }
    }
    ranking.take_outlined(outlined);
    Ok(ranking.ranked)
}

/// A segment with many candidates, and the upper bounds of their weights.
struct OutlinedSegment<'q> {
    ordinal: SegmentOrdinal,
    scorer: Scorer<'q>,
    /// The documents whose bounds are above the least one, or may be.
    bounds: Vec<(u64, DocId)>,
    /// All others, with their bound.
    others: DocumentSet,
    least: u64,
}

impl<'q> OutlinedSegment<'q> {
    fn of(
        segment: &SegmentReader,
        frequent: &FrequentTerms,
        ordinal: SegmentOrdinal,
        scorer: Scorer<'q>,
        candidates: DocumentSet,
    ) -> Self {
        let parts = (&scorer.words[..], &scorer.order[..], &scorer.pairs[..]);
        let outline = Outline::of(segment, frequent, parts, candidates);
        // A word that only matches through other words makes the whole match loose.
        let closest = if scorer.words.iter().all(Word::is_there) { SAME } else { LOOSE };
        let bound = |most: f64| closest * STEP + whole(most * 10_000.0).min(STEP - 1);
        let distinguished = outline.distinguished();
        let most = |document| outline.most(document, scorer.rarity, title_length(&scorer.title_lengths, document));
        let bounds = distinguished.documents().map(|document| (bound(most(document)), document)).collect();
        let least = bound(Outline::least(scorer.rarity));
        let mut others = outline.having;
        others.remove_all(&distinguished);
        Self { ordinal, scorer, bounds, others, least }
    }
}

/// The state of a run.
struct Ranking {
    ranked: Ranked,
    /// The weights of the best documents so far, the lowest on top.
    best: BinaryHeap<Reverse<u64>>,
    wanted: usize,
    after: Option<SearchPlace>,
}

impl Ranking {
    /// The lowest weight that still is among the best.
    fn least(&self) -> u64 {
        if self.best.len() < self.wanted { 0 } else { self.best.peek().map_or(0, |Reverse(least)| *least) }
    }

    /// Weighs a document, if it has the words and may be among the best.
    fn take(&mut self, scorer: &mut Scorer<'_>, segment: SegmentOrdinal, document: DocId) {
        match scorer.weigh(document, self.least()) {
            None => {}
            Some(Weight::Below) => self.ranked.behind += 1,
            Some(Weight::Of(weight)) => {
                let place = SearchPlace { weight, item: scorer.id(document) };
                self.ranked.found.push(Found { place, address: DocAddress::new(segment, document) });
                if self.after.is_none_or(|after| place < after) {
                    self.best.push(Reverse(weight));
                }
                if self.best.len() > self.wanted {
                    self.best.pop();
                }
            }
        }
    }

    /// Weighs the documents of the outlined segments, those with the highest bounds first: nearly all others are then skipped.
    fn take_outlined(&mut self, segments: Vec<OutlinedSegment<'_>>) {
        let bounds = segments
            .iter()
            .enumerate()
            .flat_map(|(at, segment)| segment.bounds.iter().map(move |(most, document)| (*most, at, *document)));
        let mut first: Vec<(u64, usize, DocId)> = bounds.collect();
        let mut rest = Vec::new();
        if first.len() > self.wanted {
            first.select_nth_unstable_by_key(self.wanted, |(most, ..)| Reverse(*most));
            rest = first.split_off(self.wanted);
        }
        for (at, segment) in segments.iter().enumerate() {
            let own = of_segment(&first, at);
            if !own.is_empty() {
                // Posting lists only move forward: the second round needs a copy that starts at the beginning.
                self.take_all(&mut segment.scorer.clone(), segment.ordinal, own);
            }
        }
        let (least, all) = (self.least(), rest.len());
        rest.retain(|(most, ..)| *most >= least);
        self.ranked.behind += all - rest.len();
        for (at, mut segment) in segments.into_iter().enumerate() {
            let mut own = of_segment(&rest, at);
            if segment.least >= self.least() {
                own.extend(segment.others.documents().map(|document| (segment.least, document)));
            } else {
                self.ranked.behind += segment.others.count();
            }
            self.take_all(&mut segment.scorer, segment.ordinal, own);
        }
    }

    /// Weighs documents that have the words; each comes with the upper bound of its weight.
    fn take_all(&mut self, scorer: &mut Scorer<'_>, segment: SegmentOrdinal, mut documents: Vec<(u64, DocId)>) {
        let (least, all) = (self.least(), documents.len());
        documents.retain(|(most, _)| *most >= least);
        self.ranked.behind += all - documents.len();
        documents.sort_unstable_by_key(|(_, document)| *document);
        for (most, document) in documents {
            if most < self.least() {
                self.ranked.behind += 1;
            } else {
                self.take(scorer, segment, document);
            }
        }
    }
}

/// The documents of one of the segments, with their bounds.
fn of_segment(documents: &[(u64, usize, DocId)], at: usize) -> Vec<(u64, DocId)> {
    documents.iter().filter(|(_, segment, _)| *segment == at).map(|(most, _, document)| (*most, *document)).collect()
}

/// Inverse document frequency of words and pairs. Only documents within reach are counted, because the order of results is
/// visible and would reveal others.
pub(super) struct Rarity {
    pub(super) words: Vec<f64>,
    pub(super) pairs: Vec<f64>,
}

impl Rarity {
    fn of(counts: &mut Counts<'_>, asked: &ParsedQuery) -> tantivy::Result<Self> {
        let all = real(counts.all as u64);
        let rarity = |having: usize| {
            let having = real(having as u64);
            (((all - having).max(0.0) + 0.5).ln().max(0.0) - (having + 0.5).ln() + 1.0).max(0.3)
        };
        let words =
            asked.words.iter().map(|word| Ok(rarity(counts.word(&word.forms.folded)?))).collect::<tantivy::Result<_>>()?;
        let pairs = asked.pairs.iter().map(|pair| Ok(rarity(counts.pair(&pair.pair)?))).collect::<tantivy::Result<_>>()?;
        Ok(Self { words, pairs })
    }
}

/// The weight of a document.
enum Weight {
    Of(u64),
    /// Less than the requested minimum.
    Below,
}

/// The posting lists and columns of one segment that a query needs.
#[derive(Clone)]
struct Scorer<'q> {
    words: Vec<Word>,
    /// Indices of the words, the rarest first: a missing word is then noticed early.
    order: Vec<usize>,
    pairs: Vec<Pair>,
    signs: Vec<List>,
    whole_titles: Vec<List>,
    asked: &'q ParsedQuery,
    rarity: &'q Rarity,
    missing: usize,
    lengths: FieldNormReader,
    title_lengths: FieldNormReader,
    attached_lengths: FieldNormReader,
    ids: [Column<u64>; 2],
    whats: Column<u64>,
    /// Columns with their required values; `None` if no document of the segment can have the value.
    filters: Vec<(Column<u64>, Option<u64>)>,
}

impl<'q> Scorer<'q> {
    fn open(
        segment: &SegmentReader,
        RankingInput { fields, query, .. }: RankingInput<'_>,
        asked: &'q ParsedQuery,
        rarity: &'q Rarity,
        terms: Terms,
    ) -> tantivy::Result<Self> {
        let words: Vec<Word> =
            asked.words.iter().map(|word| Word::open(segment, fields, word)).collect::<tantivy::Result<_>>()?;
        let mut order: Vec<usize> = (0..words.len()).collect();
        order.sort_by_key(|word| words[*word].held());
        let pairs = asked.pairs.iter().map(|pair| Pair::open(segment, fields, pair)).collect::<tantivy::Result<_>>()?;
        let mut signs = Vec::new();
        for sign in &asked.signs {
            signs.extend(list_of(segment, fields.sign, sign)?);
        }
        let key = whole_title(asked.order.iter().map(|occurrence| &asked.words[occurrence.word].forms.folded));
        let whole_titles = list_of(segment, fields.whole_title, &key)?.into_iter().collect();
        let columns = segment.fast_fields();
        let wanted = [
            (WHAT, query.what.map(what_code)),
            (KIND, query.kind.map(kind_code)),
            (LEVEL, query.level.map(level_code)),
            (FIELD, query.field.map(field_code)),
            (YEAR, query.year.map(u64::from)),
        ];
        let mut filters = Vec::new();
        for (name, value) in wanted {
            if value.is_some() {
                filters.push((columns.u64(name)?, value));
            }
        }
        if let Some(unit) = query.issuer {
            filters.push(match columns.str(ISSUER)? {
                Some(issuers) => (issuers.ords().clone(), issuers.dictionary().term_ord(unit.to_string())?),
                // The segment has no documents.
                None => (columns.u64(WHAT)?, None),
            });
        }
        Ok(Self {
            words,
            order,
            pairs,
            signs,
            whole_titles,
            asked,
            rarity,
            missing: terms.missing,
            lengths: segment.get_fieldnorms_reader(fields.text[FOLDED])?,
            title_lengths: segment.get_fieldnorms_reader(fields.title[FOLDED])?,
            attached_lengths: segment.get_fieldnorms_reader(fields.attached[FOLDED])?,
            ids: [columns.u64(ID_HIGH)?, columns.u64(ID_LOW)?],
            whats: columns.u64(WHAT)?,
            filters,
        })
    }

    /// Documents within reach that may match: those with the rarest required word, and those with the number.
    fn candidates(&self, segment: &SegmentReader, frequent: &FrequentTerms, within: Option<&DocumentSet>) -> DocumentSet {
        let mut lists: Vec<&List> = Vec::new();
        if self.missing > 0 {
            lists.extend(self.words.iter().flat_map(Word::lists));
        } else if let Some(rarest) = self.order.first() {
            lists.extend(self.words[*rarest].lists());
        }
        lists.extend(&self.signs);
        let mut candidates = DocumentSet::empty(segment.max_doc());
        for list in lists {
            match frequent.of(segment, list) {
                Some(documents) => candidates.unite(&documents),
                None => list.each(|document| candidates.insert(document)),
            }
        }
        if let Some(within) = within {
            candidates.keep(within);
        } else if let Some(alive) = frequent.alive(segment) {
            candidates.keep(&alive);
        }
        candidates
    }

    /// Whether to use an outline: the candidates are many, and having the words is the only condition.
    fn outlines(&self, candidates: &DocumentSet, terms: Terms) -> bool {
        candidates.count() > MANY
            && terms.wanted < usize::MAX
            && self.missing == 0
            && self.signs.is_empty()
            && self.whole_titles.is_empty()
            && !self.pairs.iter().any(|pair| pair.must)
    }

    /// The candidates that pass the filters.
    fn passing(&self, segment: &SegmentReader, candidates: &DocumentSet) -> DocumentSet {
        let mut passing = DocumentSet::empty(segment.max_doc());
        candidates.documents().filter(|document| self.passes(*document)).for_each(|document| passing.insert(document));
        passing
    }

    fn passes(&self, document: DocId) -> bool {
        self.filters.iter().all(|(column, value)| value.is_some() && column.first(document) == *value)
    }

    fn id(&self, document: DocId) -> Ulid {
        let [high, low] = &self.ids;
        id(high.first(document).unwrap_or_default(), low.first(document).unwrap_or_default())
    }

    /// The weight of a document that has the words, computed exactly only if it may reach `least`. Documents must be passed in
    /// order.
    fn weigh(&mut self, document: DocId, least: u64) -> Option<Weight> {
        let has_number = has(&mut self.signs, document);
        let has_whole_title = has(&mut self.whole_titles, document);
        let length = |norms: &FieldNormReader| 0.4 + 0.6 * f64::from(norms.fieldnorm(document)) / USUAL_LENGTH;
        let lengths = Lengths {
            text: length(&self.lengths),
            attached: length(&self.attached_lengths),
            title: title_length(&self.title_lengths, document),
        };
        // Required adjacency is only known after the exact computation.
        let is_simple = !has_number && !has_whole_title && !self.pairs.iter().any(|pair| pair.must);
        let most = self.most(document, lengths, has_number)?;
        if is_simple && SAME * STEP + most < least {
            return Some(Weight::Below);
        }
        self.exactly(document, lengths, has_number, has_whole_title).map(Weight::Of)
    }

    /// The upper bound of the weight of a document with the words within one closeness.
    fn most(&mut self, document: DocId, lengths: Lengths, has_number: bool) -> Option<u64> {
        let (mut weight, mut missing, mut in_title) = (0.0, 0, 0);
        for at in &self.order {
            let word = &mut self.words[*at];
            let Some(WordMatchBound { often, in_title: is_in_title }) = word.match_bound(document) else {
                if word.must || (!has_number && missing == self.missing) {
                    return None;
                }
                missing += 1;
                continue;
            };
            let often = f64::from(often);
            weight += self.rarity.words[*at] * often / (often + 1.2 * lengths.text.min(lengths.attached));
            if is_in_title {
                weight += self.rarity.words[*at] * TITLE / lengths.title;
                in_title += 1;
            }
        }
        let pair = if in_title > 1 { TITLE_PAIR + TEXT_PAIR } else { TEXT_PAIR };
        weight += pair * self.rarity.pairs.iter().sum::<f64>();
        weight *= if in_title == self.words.len() { ALL_IN_TITLE } else { 1.0 };
        weight *= if self.pairs.len() > 1 { ALL_BESIDE } else { 1.0 };
        Some(whole(weight * 10_000.0).min(STEP - 1))
    }

    fn exactly(&mut self, document: DocId, lengths: Lengths, has_number: bool, has_whole_title: bool) -> Option<u64> {
        let (mut closeness, mut weight, mut missing, mut in_title) = (SAME, 0.0, 0, 0);
        for (word, rarity) in self.words.iter_mut().zip(&self.rarity.words) {
            let Some(WordMatch { close, often, title, is_attached }) = word.meet(document) else {
                if word.must || (!has_number && missing == self.missing) {
                    return None;
                }
                missing += 1;
                continue;
            };
            closeness = closeness.min(close);
            let (length, share) = if is_attached { (lengths.attached, ATTACHED) } else { (lengths.text, 1.0) };
            let often = f64::from(often);
            weight += share * rarity * CLOSENESS[index(close)] * often / (often + 1.2 * length);
            if let Some(close) = title {
                weight += rarity * CLOSENESS[index(close)] * TITLE / lengths.title;
                in_title += 1;
            }
        }
        if missing > 0 {
            closeness = LOOSE;
        }
        let mut beside = 0;
        for (pair, rarity) in self.pairs.iter_mut().zip(&self.rarity.pairs) {
            let in_title = has(&mut pair.title, document);
            let in_text = has(&mut pair.text, document);
            let in_attached = !in_text && has(&mut pair.attached, document);
            if pair.must && !in_title && !in_text && !in_attached {
                return None;
            }
            let counts = [(in_title, TITLE_PAIR), (in_text, TEXT_PAIR), (in_attached, ATTACHED * TEXT_PAIR)];
            weight += rarity * counts.iter().filter(|(is_met, _)| *is_met).map(|(_, count)| count).sum::<f64>();
            beside += usize::from(in_title || in_text || in_attached);
        }
        if beside > 1 && beside == self.pairs.len() {
            weight *= ALL_BESIDE;
        }
        if in_title == self.asked.words.len() {
            weight *= ALL_IN_TITLE;
        }
        if self.whats.first(document) != Some(what_code(SearchKind::Documents)) {
            weight *= OTHER_SORT;
        }
        let step = match closeness {
            _ if has_number => NUMBER,
            SAME if has_whole_title => WHOLE_TITLE,
            closeness => closeness,
        };
        Some(step * STEP + whole(weight * 10_000.0).min(STEP - 1))
    }
}

/// Lengths of the parts of a document relative to the average.
#[derive(Debug, Clone, Copy)]
struct Lengths {
    text: f64,
    attached: f64,
    title: f64,
}

fn title_length(norms: &FieldNormReader, document: DocId) -> f64 {
    0.8 + f64::from(norms.fieldnorm(document)) / 60.0
}

/// The part of a weight below [`STEP`], which compares documents that match equally closely.
pub(super) fn within_closeness(weight: u64) -> f64 {
    real(weight % STEP)
}

/// Number of documents in the index.
pub(super) fn count(searcher: &Searcher) -> tantivy::Result<usize> {
    searcher.search(&AllQuery, &Count)
}

fn index(close: u64) -> usize {
    usize::try_from(close).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "weights need no more precision")]
fn real(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "weights are not negative and stay far below the bounds"
)]
fn whole(weight: f64) -> u64 {
    weight.max(0.0) as u64
}

#[cfg(test)]
pub(super) mod tests {
    use domain::{documents::DocumentKind, meetings::MeetingKind};
    use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

    use super::*;
    use crate::{
        search::index::{Attached, Entry, OpenIndex, Sort},
        units::tests::level,
    };

    const WORDS: [&str; 10] = ["đảng", "viên", "chuyển", "đổi", "số", "biển", "rác", "phí", "họp", "đang"];

    fn text(dice: &mut StdRng, most: usize) -> String {
        let count = dice.random_range(1..=most);
        (0..count).filter_map(|_| WORDS.choose(dice).copied()).collect::<Vec<_>>().join(" ")
    }

    /// An index of generated texts.
    pub(in crate::search) fn library(dice: &mut StdRng, count: u128) -> OpenIndex {
        let held = OpenIndex::in_memory("a store").expect("an index");
        let entries = (0..count).map(|number| Entry {
            id: Ulid(number),
            sort: if number < 800 {
                Sort::Meeting { kind: MeetingKind::Regular, unit: String::new(), papers: Vec::new() }
            } else {
                Sort::Document {
                    kind: DocumentKind::Guidance,
                    level: level("branch"),
                    field: None,
                    year: 2026,
                    number: None,
                    audience: String::new(),
                    parts: Vec::new(),
                    except: Vec::new(),
                    standings: Vec::new(),
                    issuer: String::new(),
                }
            },
            title: text(dice, 4),
            about: String::new(),
            text: text(dice, 40),
            attached: vec![Attached { name: "a.pdf".to_owned(), text: text(dice, 3) }],
        });
        // Each commit makes a segment.
        for some in entries.collect::<Vec<_>>().chunks(2_000) {
            held.put(some.to_vec(), true).expect("takes them in");
            held.commit(0).expect("writes");
        }
        held
    }

    /// By segment: all documents, or every second one.
    fn within(searcher: &Searcher, is_every: bool) -> Vec<Option<DocumentSet>> {
        let half = |segment: &SegmentReader| {
            let mut half = DocumentSet::empty(segment.max_doc());
            segment.doc_ids_alive().filter(|document| document % 2 == 0).for_each(|document| half.insert(document));
            half
        };
        searcher.segment_readers().iter().map(|segment| (!is_every).then(|| half(segment))).collect()
    }

    /// Weighing all documents one by one, without an outline, is the simple way.
    #[test]
    fn leaving_out_what_cannot_come_first_changes_neither_order_nor_number() {
        let mut dice = StdRng::seed_from_u64(8);
        let held = library(&mut dice, 6_000);
        held.take_out(&(0..60).map(|number| Ulid(number * 90)).collect::<Vec<_>>()).expect("deletes");
        held.commit(0).expect("writes");
        let searcher = held.searcher();
        assert!(searcher.segment_readers().len() > 1);
        let whats = [None, Some(SearchKind::Documents)];
        for (is_every, what) in [true, false].into_iter().flat_map(|is_every| whats.map(|what| (is_every, what))) {
            let within = within(&searcher, is_every);
            for typed in
                ["dang", "đảng", "đảng viên", "chuyen doi so", "so doi chuyển", "bien rac phi hop", "đảng viên họp đổi", "chuy"]
            {
                check(&held, &searcher, &within, SearchQuery { what, ..SearchQuery::default() }, typed);
            }
        }
    }

    /// Compares the first pages.
    fn check(held: &OpenIndex, searcher: &Searcher, within: &[Option<DocumentSet>], mut query: SearchQuery, typed: &str) {
        let asked = ParsedQuery::parse(typed);
        for _ in 0..3 {
            let (fields, frequent) = (&held.fields, &held.frequent);
            let input = RankingInput { searcher, fields, frequent, query: &query, within, wanted: 21 };
            let places = |wanted| {
                let mut counts = Counts::new(input);
                let ranked = rank(input, &mut counts, &asked, Terms { missing: 0, wanted }).expect("looks");
                let mut places: Vec<SearchPlace> = ranked.found.iter().map(|found| found.place).collect();
                places.retain(|place| query.after.is_none_or(|after| *place < after));
                places.sort_unstable_by_key(|place| Reverse(*place));
                places.truncate(21);
                (ranked.total(), ranked.behind, places)
            };
            let (total, behind, best) = places(21);
            let (all, none, expected) = places(usize::MAX);
            assert!(total > 0 && none == 0, "{typed}");
            assert_eq!((total, &best), (all, &expected), "{typed}");
            assert!(query.after.is_some() || behind > 0 || all < 10 * MANY, "{typed}: all {all} were weighed");
            query.after = best.get(19).copied();
        }
    }
}
