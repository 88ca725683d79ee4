//! Looking a query up: which documents a person may find have its words, and in which order they come.
//!
//! The engine's own queries are not used. They weigh each word's whole list, while a member may find only what reaches one branch: a
//! few thousand of a hundred thousand documents. Here the rarest word leads, a document outside the reader's reach is dropped before
//! anything else is asked about it, and the weight is made of whole numbers, so that a page goes on exactly where the one before
//! ended.
//!
//! The order, from above: a document whose number was typed; then by how closely the words are met, the worst of them counting (as
//! typed, with another tone, with other marks, completed or with an error forgiven); and within that by how rare the words are, how
//! often they occur, whether they are in the title, and whether they stand together. A word that only stands in an attached file is
//! met one step less closely, and counts half.

use domain::search::{SearchPlace, SearchQuery};
use tantivy::{
    BitSet, DocAddress, DocId, DocSet, Searcher, SegmentReader, TERMINATED, collector::Count, columnar::Column,
    fieldnorm::FieldNormReader, postings::SegmentPostings, query::AllQuery, schema::Field,
};

use super::{
    asked::Asked,
    index::{FIELD, FOLDED, Fields, ID_HIGH, ID_LOW, ISSUER, KIND, LEVEL, YEAR, field_code, id, kind_code, level_code},
    lists::{LOOSE, Met, Pair, SAME, Word, count_within, has, list_of},
};

/// A document whose number was typed.
const NUMBER: u64 = 4;

/// Weights within one closeness stay below this.
const STEP: u64 = 10_000_000;

/// What a word met so closely counts.
const CLOSENESS: [f64; 4] = [0.3, 0.6, 0.8, 1.0];

/// What a word in the title counts against one in the text.
const TITLE: f64 = 3.0;

/// What two words next to each other count, in the title and in the text, for each word.
const TITLE_PAIR: f64 = 2.0;
const TEXT_PAIR: f64 = 0.8;

/// Words of a usual document, as those of the sample are on average: in a longer one each tells less.
const USUAL_LENGTH: f64 = 840.0;

/// What a word in an attached file counts against one in the text.
const ATTACHED: f64 = 0.5;

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
    let rarity = rarity(searcher, fields, asked, reach)?;
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

/// How much each word tells the reader: the rarer among the documents within reach, the more. Those beyond it do not count, because
/// places in the order of results are shown and would tell of them.
fn rarity(searcher: &Searcher, fields: &Fields, asked: &Asked, reach: &[Option<BitSet>]) -> tantivy::Result<Vec<f64>> {
    let segments = || searcher.segment_readers().iter().zip(reach);
    let all: usize = segments().map(|(segment, within)| within.as_ref().map_or(segment.num_docs() as usize, BitSet::len)).sum();
    let mut rarity = Vec::with_capacity(asked.words.len());
    for word in &asked.words {
        let mut having = 0;
        for (segment, within) in segments() {
            let count = |field: Field| count_within(segment, field, &word.forms.folded, within.as_ref());
            having += count(fields.text[FOLDED])?.max(count(fields.attached[FOLDED])?);
        }
        let (all, having) = (real(all as u64), real(having as u64));
        rarity.push((((all - having).max(0.0) + 0.5).ln().max(0.0) - (having + 0.5).ln() + 1.0).max(0.3));
    }
    Ok(rarity)
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
    attached_lengths: FieldNormReader,
    ids: [Column<u64>; 2],
    /// What a column must say; none where no document of the segment can.
    filters: Vec<(Column<u64>, Option<u64>)>,
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
            let list = |field: Field| list(field, &pair.pair);
            let (text, title, attached) = (list(fields.pairs)?, list(fields.title_pairs)?, list(fields.attached_pairs)?);
            pairs.push(Pair { text, title, attached, must: pair.is_phrase });
        }
        let mut signs = Vec::new();
        for sign in &asked.signs {
            signs.extend(list(fields.sign, sign)?);
        }
        let columns = segment.fast_fields();
        let wanted = [
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
        if let (Some(unit), Some(issuers)) = (query.issuer, columns.str(ISSUER)?) {
            filters.push((issuers.ords().clone(), issuers.dictionary().term_ord(unit.to_string())?));
        }
        Ok(Self {
            words,
            pairs,
            signs,
            asked,
            rarity,
            missing: terms.missing,
            lengths: segment.get_fieldnorms_reader(fields.text[FOLDED])?,
            title_lengths: segment.get_fieldnorms_reader(fields.title[FOLDED])?,
            attached_lengths: segment.get_fieldnorms_reader(fields.attached[FOLDED])?,
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
        self.filters.iter().all(|(column, value)| value.is_some() && column.first(document) == *value)
    }

    fn id(&self, document: DocId) -> domain::ids::DocumentId {
        let [high, low] = &self.ids;
        id(high.first(document).unwrap_or_default(), low.first(document).unwrap_or_default())
    }

    /// The weight of a document that has the words; documents are asked about in order.
    fn weigh(&mut self, document: DocId) -> Option<u64> {
        let has_number = has(&mut self.signs, document);
        let length = |norms: &FieldNormReader| 0.4 + 0.6 * f64::from(norms.fieldnorm(document)) / USUAL_LENGTH;
        let (text_length, attached_length) = (length(&self.lengths), length(&self.attached_lengths));
        let title_length = 0.8 + f64::from(self.title_lengths.fieldnorm(document)) / 60.0;
        let (mut closeness, mut weight, mut missing, mut in_title) = (SAME, 0.0, 0, 0);
        for (word, rarity) in self.words.iter_mut().zip(self.rarity) {
            let Some(Met { close, often, title, is_attached }) = word.meet(document) else {
                if word.must || (!has_number && missing == self.missing) {
                    return None;
                }
                missing += 1;
                continue;
            };
            closeness = closeness.min(close);
            let (length, share) = if is_attached { (attached_length, ATTACHED) } else { (text_length, 1.0) };
            let often = f64::from(often);
            weight += share * rarity * CLOSENESS[index(close)] * often / (often + 1.2 * length);
            if let Some(close) = title {
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
            let in_title = has(&mut pair.title, document);
            let in_text = has(&mut pair.text, document);
            let in_attached = !in_text && has(&mut pair.attached, document);
            if pair.must && !in_title && !in_text && !in_attached {
                return None;
            }
            let counts = [(in_title, TITLE_PAIR), (in_text, TEXT_PAIR), (in_attached, ATTACHED * TEXT_PAIR)];
            weight += told * counts.iter().filter(|(is_met, _)| *is_met).map(|(_, count)| count).sum::<f64>();
        }
        if in_title == self.asked.words.len() {
            weight *= 1.2;
        }
        let step = if has_number { NUMBER } else { closeness };
        Some(step * STEP + whole(weight * 10_000.0).min(STEP - 1))
    }
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
