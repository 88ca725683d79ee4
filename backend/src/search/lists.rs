//! The lists of the index a query needs of one segment: which documents have a word, and how often.

use std::collections::BTreeMap;

use tantivy::{
    BitSet, DocId, DocSet, InvertedIndexReader, SegmentReader, TERMINATED, Term,
    postings::{Postings, SegmentPostings},
    query::FuzzyTermQuery,
    schema::{Field, IndexRecordOption},
};

use super::{
    asked::Sought,
    index::{EXACT, FOLDED, Fields, LETTERS},
};

/// How closely a word is met, the closest last.
pub(super) const LOOSE: u64 = 0;
const SAME_FOLDED: u64 = 1;
const SAME_LETTERS: u64 = 2;
pub(super) const SAME: u64 = 3;

/// Words an unfinished or mistyped one may stand for.
const OTHER_WORDS: usize = 48;

/// The lists of a word in one part of the documents.
#[derive(Default)]
struct Lists {
    /// By form; folded is always asked, the others only for a word with marks.
    forms: [Option<SegmentPostings>; 3],
    /// Words it may stand for.
    other: Vec<SegmentPostings>,
}

/// The lists of a word.
pub(super) struct Word {
    text: Lists,
    title: Lists,
    attached: Lists,
    is_marked: bool,
    pub(super) must: bool,
}

/// The lists of two words next to each other.
pub(super) struct Pair {
    pub(super) text: Option<SegmentPostings>,
    pub(super) title: Option<SegmentPostings>,
    pub(super) attached: Option<SegmentPostings>,
    pub(super) must: bool,
}

/// How a word is met in a document: how closely, how often, and where.
pub(super) struct Met {
    pub(super) close: u64,
    pub(super) often: u32,
    /// How closely in the title.
    pub(super) title: Option<u64>,
    /// Whether only an attached file has it.
    pub(super) is_attached: bool,
}

impl Word {
    pub(super) fn open(segment: &SegmentReader, fields: &Fields, word: &Sought, forgive: bool) -> tantivy::Result<Self> {
        let (mut text, mut title, mut attached) = (Lists::default(), Lists::default(), Lists::default());
        let forms = [&word.forms.exact, &word.forms.letters, &word.forms.folded];
        for form in [EXACT, LETTERS, FOLDED] {
            if word.is_marked || form == FOLDED {
                text.forms[form] = list_of(segment, fields.text[form], forms[form])?;
                title.forms[form] = list_of(segment, fields.title[form], forms[form])?;
                attached.forms[form] = list_of(segment, fields.attached[form], forms[form])?;
            }
        }
        let parts = [(fields.text, &mut text), (fields.title, &mut title), (fields.attached, &mut attached)]
            .map(|(fields, lists)| (fields[FOLDED], lists));
        let dictionaries = [fields.text[FOLDED], fields.attached[FOLDED]];
        let others = others(segment, dictionaries, word, forgive)?;
        for (field, lists) in parts {
            let index = segment.inverted_index(field)?;
            for other in &others {
                lists.other.extend(list(&index, field, other)?);
            }
        }
        if !word.is_quoted {
            // Two words typed as one, and the number of another document the text names.
            let key = &word.forms.folded;
            for field in [fields.pairs, fields.cited, fields.sign] {
                text.other.extend(list_of(segment, field, key)?);
            }
            title.other.extend(list_of(segment, fields.title_pairs, key)?);
            attached.other.extend(list_of(segment, fields.attached_pairs, key)?);
        }
        Ok(Self { text, title, attached, is_marked: word.is_marked, must: word.is_quoted })
    }

    /// All documents with the word are in one of these.
    pub(super) fn lists(&self) -> impl Iterator<Item = &SegmentPostings> {
        self.text.all().chain(self.attached.all())
    }

    pub(super) fn held(&self) -> u32 {
        self.lists().map(SegmentPostings::doc_freq).sum()
    }

    pub(super) fn meet(&mut self, document: DocId) -> Option<Met> {
        if let Some((close, often)) = self.text.meet(document, self.is_marked) {
            let title = self.title.meet(document, self.is_marked).map(|(close, _)| close);
            return Some(Met { close, often, title, is_attached: false });
        }
        if let Some((close, often)) = self.attached.meet(document, self.is_marked) {
            return Some(Met { close: close.saturating_sub(1), often, title: None, is_attached: true });
        }
        if let Some(often) = self.text.meet_other(document) {
            let title = self.title.meet_other(document).map(|_| LOOSE);
            return Some(Met { close: LOOSE, often, title, is_attached: false });
        }
        let often = self.attached.meet_other(document)?;
        Some(Met { close: LOOSE, often, title: None, is_attached: true })
    }
}

impl Lists {
    /// What is met more closely is met folded too.
    fn all(&self) -> impl Iterator<Item = &SegmentPostings> {
        self.forms[FOLDED].iter().chain(&self.other)
    }

    /// How closely the word itself is met, and how often.
    fn meet(&mut self, document: DocId, is_marked: bool) -> Option<(u64, u32)> {
        let mut often = |form: usize| self.forms[form].as_mut().and_then(|list| at(list, document));
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

    /// How often words are met that it may stand for.
    fn meet_other(&mut self, document: DocId) -> Option<u32> {
        let often = self.other.iter_mut().filter_map(|list| at(list, document)).sum();
        (often > 0).then_some(often)
    }
}

/// Whether one of the lists has the document. All of them are asked: each goes on with the documents.
pub(super) fn has<'l>(lists: impl IntoIterator<Item = &'l mut SegmentPostings>, document: DocId) -> bool {
    lists.into_iter().filter_map(|list| at(list, document)).count() > 0
}

/// How often the word of the list is in the document.
fn at(list: &mut SegmentPostings, document: DocId) -> Option<u32> {
    let mut here = list.doc();
    if here < document {
        here = list.seek(document);
    }
    (here == document).then(|| list.term_freq().max(1))
}

/// How many documents have the word; of those within reach, where not all are.
pub(super) fn count_within(segment: &SegmentReader, field: Field, word: &str, within: Option<&BitSet>) -> tantivy::Result<usize> {
    let term = Term::from_field_text(field, word);
    let Some(mut list) = segment.inverted_index(field)?.read_postings(&term, IndexRecordOption::Basic)? else { return Ok(0) };
    let Some(within) = within else { return Ok(list.doc_freq() as usize) };
    let mut count = 0;
    while list.doc() != TERMINATED {
        count += usize::from(within.contains(list.doc()));
        list.advance();
    }
    Ok(count)
}

fn list(index: &InvertedIndexReader, field: Field, text: &str) -> tantivy::Result<Option<SegmentPostings>> {
    Ok(index.read_postings(&Term::from_field_text(field, text), IndexRecordOption::WithFreqs)?)
}

pub(super) fn list_of(segment: &SegmentReader, field: Field, text: &str) -> tantivy::Result<Option<SegmentPostings>> {
    let index = segment.inverted_index(field)?;
    list(&index, field, text)
}

/// Words of the index that this one may stand for, folded, the most frequent ones.
fn others(segment: &SegmentReader, fields: [Field; 2], word: &Sought, forgive: bool) -> tantivy::Result<Vec<String>> {
    let folded = &word.forms.folded;
    let mut others: BTreeMap<String, u32> = BTreeMap::new();
    let mut take = |key: &[u8], often: u32| {
        if let Ok(key) = std::str::from_utf8(key)
            && key != folded
        {
            let known = others.entry(key.to_owned()).or_default();
            *known = often.max(*known);
        }
    };
    for field in fields {
        let index = segment.inverted_index(field)?;
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
    }
    let mut others: Vec<(u32, String)> = others.into_iter().map(|(word, often)| (often, word)).collect();
    others.sort_unstable_by(|a, b| b.cmp(a));
    others.truncate(OTHER_WORDS);
    Ok(others.into_iter().map(|(_, word)| word).collect())
}
