//! Looking a query up: which documents a person may find have its words, and in which order they come.
//!
//! The engine's own queries are not used. They weigh each word's whole list, while a member may find only what reaches one branch: a
//! few thousand of a hundred thousand documents. Here the rarest word leads, a document outside the reader's reach is dropped before
//! anything else is asked about it, and the weight is made of whole numbers, so that a page goes on exactly where the one before
//! ended.
//!
//! The order, from above: a document whose number was typed; then by how closely the words are met, the worst of them counting (as
//! typed, with another tone, with other marks, completed or with an error forgiven); and within that by how rare the words are, how
//! often they occur, whether they are in the title, and whether they stand together.

use std::collections::{BTreeSet, HashSet};

use domain::search::{SearchPlace, SearchQuery};
use tantivy::{
    BitSet, DocAddress, DocId, DocSet, InvertedIndexReader, Searcher, SegmentReader, TERMINATED, Term,
    collector::Count,
    columnar::Column,
    fieldnorm::FieldNormReader,
    postings::{Postings, SegmentPostings},
    query::{AllQuery, FuzzyTermQuery},
    schema::{Field, IndexRecordOption},
};

use super::{
    asked::{Asked, Sought},
    index::{EXACT, FOLDED, Fields, ID_HIGH, ID_LOW, KIND, LETTERS, LEVEL, YEAR, id, kind_code, level_code},
    reach::Reach,
};

/// A document whose number was typed.
const NUMBER: u64 = 4;

/// How closely a word is met, the closest last.
const LOOSE: u64 = 0;
const SAME_FOLDED: u64 = 1;
const SAME_LETTERS: u64 = 2;
const SAME: u64 = 3;

/// Weights within one closeness stay below this.
const STEP: u64 = 10_000_000;

/// What a word met so closely counts.
const CLOSENESS: [f64; 4] = [0.3, 0.6, 0.8, 1.0];

/// What a word in the title counts against one in the text.
const TITLE: f64 = 3.0;

/// What two words next to each other count, in the title and in the text, for each word.
const TITLE_PAIR: f64 = 2.0;
const TEXT_PAIR: f64 = 0.8;

/// Words an unfinished or mistyped one may stand for.
const OTHER_WORDS: usize = 48;

/// A document that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) place: SearchPlace,
    pub(super) address: DocAddress,
}

/// What words have to be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// Whether an error in a long word is forgiven.
    pub(super) forgive: bool,
    /// How many words may be missing.
    pub(super) missing: usize,
}

/// Everything that was found, in no order.
pub(super) fn look(
    searcher: &Searcher,
    fields: &Fields,
    asked: &Asked,
    query: &SearchQuery,
    reach: &[Option<BitSet>],
    terms: Terms,
) -> tantivy::Result<Vec<Found>> {
    let rarity = rarity(searcher, fields, asked)?;
    let mut found = Vec::new();
    for (ordinal, segment) in (0..).zip(searcher.segment_readers()) {
        let Some(within) = reach.get(ordinal as usize) else { continue };
        let mut eyes = Eyes::open(segment, fields, asked, query, &rarity, terms)?;
        for document in eyes.candidates() {
            let is_known = within.as_ref().is_none_or(|within| within.contains(document)) && !segment.is_deleted(document);
            if !is_known || !eyes.passes(document) {
                continue;
            }
            if let Some(weight) = eyes.weigh(document) {
                let place = SearchPlace { weight, document: eyes.id(document) };
                found.push(Found { place, address: DocAddress::new(ordinal, document) });
            }
        }
    }
    Ok(found)
}

/// The documents of each segment the reader may find; none where it is all of them.
pub(super) fn reachable(searcher: &Searcher, fields: &Fields, reach: &Reach) -> tantivy::Result<Vec<Option<BitSet>>> {
    let mut all = Vec::new();
    for segment in searcher.segment_readers() {
        if reach.is_everything() {
            all.push(None);
            continue;
        }
        let mut within = BitSet::with_max_value(segment.max_doc());
        add(&mut within, segment, fields.audience, reach.audiences())?;
        add(&mut within, segment, fields.issuer, reach.issuers())?;
        all.push(Some(within));
    }
    Ok(all)
}

/// Sets beyond this size are compared with the units of the index instead of looked up one by one.
const FEW: usize = 64;

fn add(within: &mut BitSet, segment: &SegmentReader, field: Field, units: &HashSet<String>) -> tantivy::Result<()> {
    let index = segment.inverted_index(field)?;
    let mut mark = |postings: &mut SegmentPostings| {
        while postings.doc() != TERMINATED {
            within.insert(postings.doc());
            postings.advance();
        }
    };
    if units.len() <= FEW {
        for unit in units {
            if let Some(mut postings) = index.read_postings(&Term::from_field_text(field, unit), IndexRecordOption::Basic)? {
                mark(&mut postings);
            }
        }
        return Ok(());
    }
    let mut stream = index.terms().stream()?;
    while let Some((key, info)) = stream.next() {
        if std::str::from_utf8(key).is_ok_and(|unit| units.contains(unit)) {
            mark(&mut index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?);
        }
    }
    Ok(())
}

/// Years of what the reader may find, the newest first.
pub(super) fn years(searcher: &Searcher, reach: &[Option<BitSet>]) -> tantivy::Result<Vec<u16>> {
    let mut years = BTreeSet::new();
    for (segment, within) in searcher.segment_readers().iter().zip(reach) {
        let column = segment.fast_fields().u64(YEAR)?;
        for document in segment.doc_ids_alive() {
            if within.as_ref().is_none_or(|within| within.contains(document)) {
                years.extend(column.first(document));
            }
        }
    }
    Ok(years.into_iter().rev().filter_map(|year| u16::try_from(year).ok()).collect())
}

/// How much each word tells: the rarer, the more.
fn rarity(searcher: &Searcher, fields: &Fields, asked: &Asked) -> tantivy::Result<Vec<f64>> {
    let all = f64::from(u32::try_from(searcher.num_docs()).unwrap_or(u32::MAX));
    asked
        .words
        .iter()
        .map(|word| {
            let having = searcher.doc_freq(&Term::from_field_text(fields.text[FOLDED], &word.forms.folded))?;
            let having = f64::from(u32::try_from(having).unwrap_or(u32::MAX));
            Ok(((all - having).max(0.0) + 0.5).ln().max(0.0) - (having + 0.5).ln() + 1.0)
        })
        .map(|rarity: tantivy::Result<f64>| rarity.map(|rarity| rarity.max(0.3)))
        .collect()
}

/// The lists of one segment that a query needs.
struct Eyes<'q> {
    words: Vec<Word>,
    pairs: Vec<Pair>,
    signs: Vec<SegmentPostings>,
    asked: &'q Asked,
    rarity: &'q [f64],
    missing: usize,
    lengths: FieldNormReader,
    title_lengths: FieldNormReader,
    usual_length: f64,
    ids: [Column<u64>; 2],
    filters: Vec<(Column<u64>, u64)>,
}

/// The lists of a word.
struct Word {
    /// By form; folded is always asked, the others only for a word with marks.
    text: [Option<SegmentPostings>; 3],
    title: [Option<SegmentPostings>; 3],
    /// Words it may stand for.
    other: Vec<SegmentPostings>,
    other_title: Vec<SegmentPostings>,
    is_marked: bool,
    must: bool,
}

struct Pair {
    text: Option<SegmentPostings>,
    title: Option<SegmentPostings>,
    must: bool,
}

impl<'q> Eyes<'q> {
    fn open(
        segment: &SegmentReader,
        fields: &Fields,
        asked: &'q Asked,
        query: &SearchQuery,
        rarity: &'q [f64],
        terms: Terms,
    ) -> tantivy::Result<Self> {
        let words =
            asked.words.iter().map(|word| Word::open(segment, fields, word, terms.forgive)).collect::<tantivy::Result<_>>()?;
        let list = |field: Field, text: &str| list_of(segment, field, text);
        let mut pairs = Vec::new();
        for pair in &asked.pairs {
            let (text, title) = (list(fields.pairs, &pair.pair)?, list(fields.title_pairs, &pair.pair)?);
            pairs.push(Pair { text, title, must: pair.is_phrase });
        }
        let mut signs = Vec::new();
        for sign in &asked.signs {
            signs.extend(list(fields.sign, sign)?);
        }
        let columns = segment.fast_fields();
        let wanted = [(KIND, query.kind.map(kind_code)), (LEVEL, query.level.map(level_code)), (YEAR, query.year.map(u64::from))];
        let mut filters = Vec::new();
        for (name, value) in wanted {
            if let Some(value) = value {
                filters.push((columns.u64(name)?, value));
            }
        }
        let tokens = segment.inverted_index(fields.text[FOLDED])?.total_num_tokens();
        Ok(Self {
            words,
            pairs,
            signs,
            asked,
            rarity,
            missing: terms.missing,
            lengths: segment.get_fieldnorms_reader(fields.text[FOLDED])?,
            title_lengths: segment.get_fieldnorms_reader(fields.title[FOLDED])?,
            usual_length: real(tokens) / f64::from(segment.max_doc().max(1)),
            ids: [columns.u64(ID_HIGH)?, columns.u64(ID_LOW)?],
            filters,
        })
    }

    /// Documents that may have the words, in order: those of the rarest one that must be there, and those with the number.
    fn candidates(&self) -> Vec<DocId> {
        let mut lists: Vec<&SegmentPostings> = Vec::new();
        if self.missing > 0 {
            lists.extend(self.words.iter().flat_map(Word::lists));
        } else if let Some(rarest) = self.words.iter().min_by_key(|word| word.held()) {
            lists.extend(rarest.lists());
        }
        lists.extend(&self.signs);
        let mut candidates = Vec::new();
        for list in lists {
            let mut list = list.clone();
            while list.doc() != TERMINATED {
                candidates.push(list.doc());
                list.advance();
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }

    fn passes(&self, document: DocId) -> bool {
        self.filters.iter().all(|(column, value)| column.first(document) == Some(*value))
    }

    fn id(&self, document: DocId) -> domain::ids::DocumentId {
        let [high, low] = &self.ids;
        id(high.first(document).unwrap_or_default(), low.first(document).unwrap_or_default())
    }

    /// The weight of a document that has the words; documents are asked about in order.
    fn weigh(&mut self, document: DocId) -> Option<u64> {
        let has_number = self.signs.iter_mut().fold(false, |met, sign| at(sign, document).is_some() || met);
        let length = 0.4 + 0.6 * f64::from(self.lengths.fieldnorm(document)) / self.usual_length.max(1.0);
        let title_length = 0.8 + f64::from(self.title_lengths.fieldnorm(document)) / 60.0;
        let (mut closeness, mut weight, mut missing, mut in_title) = (SAME, 0.0, 0, 0);
        for (word, rarity) in self.words.iter_mut().zip(self.rarity) {
            let met = word.meet(document);
            let Some((close, often)) = met.text else {
                if word.must || (!has_number && missing == self.missing) {
                    return None;
                }
                missing += 1;
                continue;
            };
            closeness = closeness.min(close);
            let often = f64::from(often);
            weight += rarity * CLOSENESS[index(close)] * often / (often + 1.2 * length);
            if let Some(close) = met.title {
                weight += rarity * CLOSENESS[index(close)] * TITLE / title_length;
                in_title += 1;
            }
        }
        if missing > 0 {
            closeness = LOOSE;
        }
        let words = real(self.words.len() as u64).max(1.0);
        let told = self.rarity.iter().sum::<f64>() / words;
        for pair in &mut self.pairs {
            let in_title = pair.title.as_mut().is_some_and(|list| at(list, document).is_some());
            let in_text = pair.text.as_mut().is_some_and(|list| at(list, document).is_some());
            if pair.must && !in_title && !in_text {
                return None;
            }
            weight += told * (if in_title { TITLE_PAIR } else { 0.0 } + if in_text { TEXT_PAIR } else { 0.0 });
        }
        if in_title == self.asked.words.len() {
            weight *= 1.2;
        }
        let step = if has_number { NUMBER } else { closeness };
        Some(step * STEP + whole(weight * 10_000.0).min(STEP - 1))
    }
}

/// How a word is met in a document: how closely, and how often.
struct Met {
    text: Option<(u64, u32)>,
    title: Option<u64>,
}

impl Word {
    fn open(segment: &SegmentReader, fields: &Fields, word: &Sought, forgive: bool) -> tantivy::Result<Self> {
        let forms = [&word.forms.exact, &word.forms.letters, &word.forms.folded];
        let mut opened = Self {
            text: [None, None, None],
            title: [None, None, None],
            other: Vec::new(),
            other_title: Vec::new(),
            is_marked: word.is_marked,
            must: word.is_quoted,
        };
        for form in [EXACT, LETTERS, FOLDED] {
            if word.is_marked || form == FOLDED {
                for (field, lists) in [(fields.text[form], &mut opened.text), (fields.title[form], &mut opened.title)] {
                    lists[form] = list_of(segment, field, forms[form])?;
                }
            }
        }
        let (text, title) = (segment.inverted_index(fields.text[FOLDED])?, segment.inverted_index(fields.title[FOLDED])?);
        for other in others(&text, fields.text[FOLDED], word, forgive)? {
            opened.other.extend(list(&text, fields.text[FOLDED], &other)?);
            opened.other_title.extend(list(&title, fields.title[FOLDED], &other)?);
        }
        if !word.is_quoted {
            // Two words typed as one, and the number of another document the text names.
            let keys =
                [(fields.pairs, &word.forms.folded), (fields.cited, &word.forms.folded), (fields.sign, &word.forms.folded)];
            for (field, key) in keys {
                opened.other.extend(list_of(segment, field, key)?);
            }
            let (field, key) = (fields.title_pairs, &word.forms.folded);
            opened.other_title.extend(list_of(segment, field, key)?);
        }
        Ok(opened)
    }

    /// All documents with the word are in one of these: what is met more closely is met folded too.
    fn lists(&self) -> impl Iterator<Item = &SegmentPostings> {
        self.text[FOLDED].iter().chain(&self.other)
    }

    fn held(&self) -> u32 {
        self.lists().map(SegmentPostings::doc_freq).sum()
    }

    fn meet(&mut self, document: DocId) -> Met {
        let mut text = meet(&mut self.text, document, self.is_marked);
        let mut title = meet(&mut self.title, document, self.is_marked).map(|(close, _)| close);
        if text.is_none() {
            let often: u32 = self.other.iter_mut().filter_map(|list| at(list, document)).sum();
            text = (often > 0).then_some((LOOSE, often));
            title = self.other_title.iter_mut().fold(None, |met, list| at(list, document).map(|_| LOOSE).or(met));
        }
        Met { text, title }
    }
}

fn meet(lists: &mut [Option<SegmentPostings>; 3], document: DocId, is_marked: bool) -> Option<(u64, u32)> {
    let mut often = |form: usize| lists[form].as_mut().and_then(|list| at(list, document));
    if !is_marked {
        // Typed without marks: any marks are what was meant.
        return often(FOLDED).map(|often| (SAME, often));
    }
    let folded = often(FOLDED)?;
    Some(match (often(EXACT), often(LETTERS)) {
        (Some(exact), _) => (SAME, exact),
        (None, Some(letters)) => (SAME_LETTERS, letters),
        (None, None) => (SAME_FOLDED, folded),
    })
}

/// How often the word of the list is in the document.
fn at(list: &mut SegmentPostings, document: DocId) -> Option<u32> {
    let mut here = list.doc();
    if here < document {
        here = list.seek(document);
    }
    (here == document).then(|| list.term_freq().max(1))
}

fn list(index: &InvertedIndexReader, field: Field, text: &str) -> tantivy::Result<Option<SegmentPostings>> {
    Ok(index.read_postings(&Term::from_field_text(field, text), IndexRecordOption::WithFreqs)?)
}

fn list_of(segment: &SegmentReader, field: Field, text: &str) -> tantivy::Result<Option<SegmentPostings>> {
    let index = segment.inverted_index(field)?;
    list(&index, field, text)
}

/// Words of the index that this one may stand for, folded.
fn others(index: &InvertedIndexReader, field: Field, word: &Sought, forgive: bool) -> tantivy::Result<Vec<String>> {
    let folded = &word.forms.folded;
    let mut others: Vec<(u32, String)> = Vec::new();
    let mut take = |key: &[u8], often: u32| {
        if let Ok(key) = std::str::from_utf8(key)
            && key != folded
        {
            others.push((often, key.to_owned()));
        }
    };
    if word.is_unfinished {
        // Behind everything that begins so; no word has this character.
        let end = format!("{folded}\u{10ffff}");
        let mut stream = index.terms().range().gt(folded.as_bytes()).lt(end.as_bytes()).into_stream()?;
        while let Some((key, info)) = stream.next() {
            take(key, info.doc_freq);
        }
    }
    if forgive && word.is_forgiven() {
        let automaton = FuzzyTermQuery::new(Term::from_field_text(field, folded), 1, true).automaton()?;
        let mut stream = index.terms().search(automaton).into_stream()?;
        while let Some((key, info)) = stream.next() {
            take(key, info.doc_freq);
        }
    }
    others.sort_unstable_by(|a, b| b.cmp(a));
    others.dedup();
    others.truncate(OTHER_WORDS);
    Ok(others.into_iter().map(|(_, word)| word).collect())
}

/// How many documents the index holds.
pub(super) fn count(searcher: &Searcher) -> tantivy::Result<usize> {
    searcher.search(&AllQuery, &Count)
}

fn index(close: u64) -> usize {
    usize::try_from(close).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "weights need no more")]
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
