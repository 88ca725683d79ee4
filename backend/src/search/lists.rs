//! The posting lists of one segment that a query needs: which documents have a word, and how often.

use std::collections::BTreeMap;

use tantivy::{
    DocId, DocSet, InvertedIndexReader, SegmentReader, TERMINATED, Term,
    postings::{Postings, SegmentPostings, TermInfo},
    schema::{Field, IndexRecordOption},
};

use super::{
    index::{EXACT, FOLDED, Fields, LETTERS},
    parsed_query::{Neighbours, QueryWord},
};

/// How closely a word matches, the closest last.
pub(super) const LOOSE: u64 = 0;
const SAME_FOLDED: u64 = 1;
const SAME_LETTERS: u64 = 2;
pub(super) const SAME: u64 = 3;

/// Limits of the words that an unfinished word may stand for, and of the pairs that end in it.
const OTHER_WORDS: usize = 48;
const OTHER_PAIRS: usize = 16;

/// A posting list.
#[derive(Clone)]
pub(super) struct List {
    pub(super) field: Field,
    /// Its position in the file of the field, which identifies it in the segment.
    pub(super) start: usize,
    postings: SegmentPostings,
}

impl List {
    pub(super) fn open(
        index: &InvertedIndexReader,
        field: Field,
        info: &TermInfo,
        option: IndexRecordOption,
    ) -> tantivy::Result<Self> {
        let postings = index.read_postings_from_terminfo(info, option)?;
        Ok(Self { field, start: info.postings_range.start, postings })
    }

    /// The number of its documents, deleted ones included.
    pub(super) fn doc_freq(&self) -> u32 {
        self.postings.doc_freq()
    }

    /// Calls `show` for each of its documents from the current one on, without advancing it.
    pub(super) fn each(&self, mut show: impl FnMut(DocId)) {
        let mut postings = self.postings.clone();
        while postings.doc() != TERMINATED {
            show(postings.doc());
            postings.advance();
        }
    }

    /// How often the word of the list is in the document.
    fn at(&mut self, document: DocId) -> Option<u32> {
        let mut here = self.postings.doc();
        if here < document {
            here = self.postings.seek(document);
        }
        (here == document).then(|| self.postings.term_freq().max(1))
    }
}

/// The posting lists of a word in one part of the documents.
#[derive(Clone, Default)]
struct Lists {
    /// By form; the folded form is always read, the others only for a word with marks.
    forms: [Option<List>; 3],
    /// Words that an unfinished word may stand for.
    other: Vec<List>,
}

/// The posting lists of a word.
#[derive(Clone)]
pub(super) struct Word {
    text: Lists,
    title: Lists,
    attached: Lists,
    is_marked: bool,
    pub(super) must: bool,
}

/// The posting lists of two adjacent words.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) text: Vec<List>,
    pub(super) title: Vec<List>,
    pub(super) attached: Vec<List>,
    pub(super) must: bool,
}

impl Pair {
    pub(super) fn open(segment: &SegmentReader, fields: &Fields, pair: &Neighbours) -> tantivy::Result<Self> {
        let mut keys = vec![pair.pair.clone()];
        if pair.is_unfinished {
            keys.extend(longer(segment, [fields.pairs, fields.attached_pairs], &pair.pair, OTHER_PAIRS)?);
        }
        let lists = |field: Field| -> tantivy::Result<Vec<List>> {
            let index = segment.inverted_index(field)?;
            keys.iter().filter_map(|key| list(&index, field, key).transpose()).collect()
        };
        Ok(Self {
            text: lists(fields.pairs)?,
            title: lists(fields.title_pairs)?,
            attached: lists(fields.attached_pairs)?,
            must: pair.is_phrase,
        })
    }
}

/// How a word matches a document: how closely, how often, and where.
pub(super) struct WordMatch {
    pub(super) close: u64,
    pub(super) often: u32,
    /// How closely it matches in the title.
    pub(super) title: Option<u64>,
    /// Whether only an attached file matches.
    pub(super) is_attached: bool,
}

impl Word {
    pub(super) fn open(segment: &SegmentReader, fields: &Fields, word: &QueryWord) -> tantivy::Result<Self> {
        // What is in the title is in the text too, and a closer form is in no document without the folded one.
        let mut text = Lists::of_forms(segment, fields.text, word)?;
        let mut title = if text.is_there() { Lists::of_forms(segment, fields.title, word)? } else { Lists::default() };
        let mut attached = Lists::of_forms(segment, fields.attached, word)?;
        let dictionaries = [fields.text[FOLDED], fields.attached[FOLDED]];
        let others =
            if word.is_unfinished { longer(segment, dictionaries, &word.forms.folded, OTHER_WORDS)? } else { Vec::new() };
        for (fields, lists) in [(fields.text, &mut text), (fields.title, &mut title), (fields.attached, &mut attached)] {
            let field = fields[FOLDED];
            let index = segment.inverted_index(field)?;
            for other in &others {
                lists.other.extend(list(&index, field, other)?);
            }
        }
        if !word.is_quoted {
            // Two words typed as one, and the number of another document in the text.
            let key = &word.forms.folded;
            for field in [fields.pairs, fields.cited, fields.sign] {
                text.other.extend(list_of(segment, field, key)?);
            }
            title.other.extend(list_of(segment, fields.title_pairs, key)?);
            attached.other.extend(list_of(segment, fields.attached_pairs, key)?);
        }
        Ok(Self { text, title, attached, is_marked: word.is_marked, must: word.is_quoted })
    }

    /// Lists that together contain all documents with the word.
    pub(super) fn lists(&self) -> impl Iterator<Item = &List> {
        self.text.all().chain(self.attached.all())
    }

    /// Lists that together contain all documents with the word in the title.
    pub(super) fn title_lists(&self) -> impl Iterator<Item = &List> {
        self.title.all()
    }

    /// Whether any document has the word itself, not only others it may stand for.
    pub(super) fn is_there(&self) -> bool {
        self.text.is_there() || self.attached.is_there()
    }

    pub(super) fn held(&self) -> u32 {
        self.lists().map(List::doc_freq).sum()
    }

    pub(super) fn meet(&mut self, document: DocId) -> Option<WordMatch> {
        if let Some((close, often)) = self.text.meet(document, self.is_marked) {
            let title = self.title.meet(document, self.is_marked).map(|(close, _)| close);
            return Some(WordMatch { close, often, title, is_attached: false });
        }
        if let Some((close, often)) = self.attached.meet(document, self.is_marked) {
            return Some(WordMatch { close: close.saturating_sub(1), often, title: None, is_attached: true });
        }
        if let Some(often) = self.text.meet_other(document) {
            let title = self.title.meet_other(document).map(|_| LOOSE);
            return Some(WordMatch { close: LOOSE, often, title, is_attached: false });
        }
        let often = self.attached.meet_other(document)?;
        Some(WordMatch { close: LOOSE, often, title: None, is_attached: true })
    }
}

impl Lists {
    /// The lists of the forms of a word in these fields.
    fn of_forms(segment: &SegmentReader, fields: [Field; 3], word: &QueryWord) -> tantivy::Result<Self> {
        let mut lists = Self::default();
        lists.forms[FOLDED] = list_of(segment, fields[FOLDED], &word.forms.folded)?;
        if word.is_marked && lists.is_there() {
            lists.forms[EXACT] = list_of(segment, fields[EXACT], &word.forms.exact)?;
            lists.forms[LETTERS] = list_of(segment, fields[LETTERS], &word.forms.letters)?;
        }
        Ok(lists)
    }

    /// Whether any document has the word itself.
    fn is_there(&self) -> bool {
        self.forms[FOLDED].is_some()
    }

    /// A closer match is also in the folded list.
    fn all(&self) -> impl Iterator<Item = &List> {
        self.forms[FOLDED].iter().chain(&self.other)
    }

    /// How closely the word itself matches, and how often.
    fn meet(&mut self, document: DocId, is_marked: bool) -> Option<(u64, u32)> {
        let mut often = |form: usize| self.forms[form].as_mut().and_then(|list| list.at(document));
        if !is_marked {
            // Typed without marks: any marks match.
            return often(FOLDED).map(|often| (SAME, often));
        }
        let folded = often(FOLDED)?;
        Some(match (often(EXACT), often(LETTERS)) {
            (Some(exact), _) => (SAME, exact),
            (None, Some(letters)) => (SAME_LETTERS, letters),
            (None, None) => (SAME_FOLDED, folded),
        })
    }

    /// How often the document has words that this one may stand for.
    fn meet_other(&mut self, document: DocId) -> Option<u32> {
        let often = self.other.iter_mut().filter_map(|list| list.at(document)).sum();
        (often > 0).then_some(often)
    }
}

/// An upper bound of a match, from the posting lists alone: how often the word occurs, and whether it may be in the title.
pub(super) struct WordMatchBound {
    pub(super) often: u32,
    pub(super) in_title: bool,
}

impl Word {
    /// The bound, or `None` if the document does not have the word.
    pub(super) fn match_bound(&mut self, document: DocId) -> Option<WordMatchBound> {
        let often = self.text.most(document).max(self.attached.most(document))?;
        Some(WordMatchBound { often, in_title: self.title.most(document).is_some() })
    }
}

impl Lists {
    /// Upper bound of the number of occurrences, in any form.
    fn most(&mut self, document: DocId) -> Option<u32> {
        let own = self.forms[FOLDED].as_mut().and_then(|list| list.at(document));
        own.or_else(|| self.meet_other(document))
    }
}

/// Whether one of the lists has the document. All lists are advanced, so that each stays at the current document.
pub(super) fn has<'l>(lists: impl IntoIterator<Item = &'l mut List>, document: DocId) -> bool {
    lists.into_iter().filter_map(|list| list.at(document)).count() > 0
}

fn list(index: &InvertedIndexReader, field: Field, text: &str) -> tantivy::Result<Option<List>> {
    let info = index.get_term_info(&Term::from_field_text(field, text))?;
    info.map(|info| List::open(index, field, &info, IndexRecordOption::WithFreqs)).transpose()
}

pub(super) fn list_of(segment: &SegmentReader, field: Field, text: &str) -> tantivy::Result<Option<List>> {
    let index = segment.inverted_index(field)?;
    list(&index, field, text)
}

/// The most frequent words of the index with this word as a prefix.
fn longer(segment: &SegmentReader, fields: [Field; 2], word: &str, most: usize) -> tantivy::Result<Vec<String>> {
    let mut longer: BTreeMap<String, u32> = BTreeMap::new();
    // An upper bound of the prefix: no word has this character.
    let end = format!("{word}\u{10ffff}");
    for field in fields {
        let index = segment.inverted_index(field)?;
        let mut stream = index.terms().range().gt(word.as_bytes()).lt(end.as_bytes()).into_stream()?;
        while let Some((key, info)) = stream.next() {
            if let Ok(key) = std::str::from_utf8(key) {
                let known = longer.entry(key.to_owned()).or_default();
                *known = info.doc_freq.max(*known);
            }
        }
    }
    let mut longer: Vec<(u32, String)> = longer.into_iter().map(|(word, often)| (often, word)).collect();
    longer.sort_unstable_by(|a, b| b.cmp(a));
    longer.truncate(most);
    Ok(longer.into_iter().map(|(_, word)| word).collect())
}
