//! The index itself: its fields, its files, and writing to it.
//!
//! A word stands in three fields, one for each of its forms (see [`super::words`]), and the words of title and number in three more.
//! What is attached to a document stands in fields of its own, because a document is about what it says itself first.
//! Neighbouring words make a word of their own in `pairs`: phrases, nearness and words typed without the space between them are then
//! as cheap to look up as any word, and no positions need to be kept.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    documents::{DocumentField, DocumentKind},
    ids::DocumentId,
    members::Standing,
    units::UnitKind,
};
use serde::{Deserialize, Serialize};
use tantivy::{
    BitSet, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, TantivyDocument, TantivyError, Term,
    schema::{FAST, Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{Token, TokenStream, Tokenizer, TokenizerManager},
};

use super::{
    reach::Reach,
    within::{self, Choices},
    words::{Forms, Words, is_sign, sign_key, sign_keys, words},
};

/// Counts up when fields or words are made otherwise: an index of another version is made anew.
const VERSION: u32 = 3;

/// Memory for documents that are not written yet. A few come by turns, or all at once when the index is made anew.
const BUDGET: usize = 20_000_000;
const REBUILD_BUDGET: usize = 100_000_000;

/// What is indexed of a document.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: DocumentId,
    pub(super) kind: DocumentKind,
    pub(super) level: UnitKind,
    pub(super) field: Option<DocumentField>,
    pub(super) year: u16,
    /// Ids of the units it is for and by.
    pub(super) audience: String,
    /// Of the audience, only members of these standings; empty for all.
    pub(super) standings: Vec<Standing>,
    pub(super) issuer: String,
    pub(super) number: Option<String>,
    pub(super) title: String,
    /// Words that are not in the text but are searched for: of the kind, of the issuer.
    pub(super) about: String,
    /// Without markup.
    pub(super) text: String,
    pub(super) attached: Vec<Attached>,
}

/// A file that goes with a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Attached {
    pub(super) name: String,
    pub(super) text: String,
}

/// How far an index has come: kept with each commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    version: u32,
    /// Tells the store the index was made from.
    store: String,
    /// Milliseconds: everything the log held at this moment is in the index.
    pub(super) horizon: i64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) id: Field,
    pub(super) audience: Field,
    pub(super) issuer: Field,
    pub(super) title: [Field; 3],
    pub(super) text: [Field; 3],
    pub(super) title_pairs: Field,
    pub(super) pairs: Field,
    pub(super) attached: [Field; 3],
    pub(super) attached_pairs: Field,
    /// The number as one key.
    pub(super) sign: Field,
    /// Numbers of other documents the text names.
    pub(super) cited: Field,
    pub(super) plain: Field,
    /// Name and text of each file, in turn.
    pub(super) attached_plain: Field,
}

/// Names of the columns.
pub(super) const ID_HIGH: &str = "id_high";
pub(super) const ID_LOW: &str = "id_low";
pub(super) const KIND: &str = "kind";
pub(super) const LEVEL: &str = "level";
pub(super) const FIELD: &str = "field";
pub(super) const YEAR: &str = "year";
pub(super) const STANDINGS: &str = "standings";
/// A field and a column.
pub(super) const ISSUER: &str = "issuer";

/// The forms of a word by the index of their field.
pub(super) const EXACT: usize = 0;
pub(super) const LETTERS: usize = 1;
pub(super) const FOLDED: usize = 2;

/// An index that is open.
pub(super) struct Held {
    index: Index,
    reader: IndexReader,
    pub(super) fields: Fields,
    store: String,
    writer: Mutex<Option<IndexWriter>>,
    columns: [Field; 7],
    /// What there is to choose from for those who may read everything, and of which version of the index: an editor's every query
    /// would look at each document for it.
    choices: Mutex<Option<(u64, Arc<Choices>)>>,
}

impl Held {
    /// In memory, empty.
    pub(super) fn in_memory(store: &str) -> tantivy::Result<Self> {
        let (schema, ..) = schema();
        Self::around(Index::create_in_ram(schema), store)
    }

    /// In a folder, empty; what is in the folder is removed.
    pub(super) fn fresh(folder: &Path, store: &str) -> tantivy::Result<Self> {
        remove(folder)?;
        std::fs::create_dir_all(folder)?;
        let (schema, ..) = schema();
        Self::around(Index::create_in_dir(folder, schema)?, store)
    }

    /// The one in the folder and how far it has come, when it is whole, of this version and of this store.
    pub(super) fn existing(folder: &Path, store: &str) -> tantivy::Result<Option<(Self, Progress)>> {
        if !folder.join("meta.json").exists() {
            return Ok(None);
        }
        let index = Index::open_in_dir(folder)?;
        let payload = index.load_metas()?.payload.unwrap_or_default();
        let Ok(progress) = serde_json::from_str::<Progress>(&payload) else { return Ok(None) };
        let (schema, ..) = schema();
        if progress.version != VERSION || progress.store != store || index.schema() != schema {
            return Ok(None);
        }
        let damaged = index.validate_checksum()?;
        if !damaged.is_empty() {
            tracing::warn!(?damaged, "files of the search index are damaged");
            return Ok(None);
        }
        Ok(Some((Self::around(index, store)?, progress)))
    }

    fn around(mut index: Index, store: &str) -> tantivy::Result<Self> {
        let (_, fields, columns) = schema();
        let tokenizers = TokenizerManager::default();
        tokenizers.register("exact", Form(EXACT));
        tokenizers.register("letters", Form(LETTERS));
        tokenizers.register("folded", Form(FOLDED));
        tokenizers.register("pairs", Pairs);
        index.set_tokenizers(tokenizers);
        // One version at a time is read; the next is taken by hand after each commit.
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { index, reader, fields, store: store.to_owned(), writer: Mutex::default(), columns, choices: Mutex::default() })
    }

    pub(super) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    /// What there is to choose from within reach.
    pub(super) fn choices(&self, searcher: &Searcher, reach: &Reach, within: &[Option<BitSet>]) -> tantivy::Result<Arc<Choices>> {
        if !reach.is_everything() {
            return within::choices(searcher, within).map(Arc::new);
        }
        let version = searcher.generation().generation_id();
        let mut known = self.choices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, choices)) = known.as_ref()
            && *of == version
        {
            return Ok(Arc::clone(choices));
        }
        let choices = Arc::new(within::choices(searcher, within)?);
        *known = Some((version, Arc::clone(&choices)));
        Ok(choices)
    }

    /// Puts documents in, in place of what was known of them.
    pub(super) fn put(&self, entries: Vec<Entry>, is_rebuilding: bool) -> tantivy::Result<()> {
        self.write(is_rebuilding, |writer| {
            for entry in entries {
                if !is_rebuilding {
                    writer.delete_term(self.id_term(entry.id));
                }
                writer.add_document(self.document(entry))?;
            }
            Ok(())
        })
    }

    /// Takes documents out.
    pub(super) fn take_out(&self, ids: &[DocumentId]) -> tantivy::Result<()> {
        self.write(false, |writer| {
            for id in ids {
                writer.delete_term(self.id_term(*id));
            }
            Ok(())
        })
    }

    /// From now on all that was put in is found, and all that was taken out is not. Survives the process.
    pub(super) fn commit(&self, horizon: i64) -> tantivy::Result<()> {
        let progress = Progress { version: VERSION, store: self.store.clone(), horizon };
        let payload = serde_json::to_string(&progress).map_err(|error| TantivyError::InternalError(error.to_string()))?;
        self.write(false, |writer| {
            let mut prepared = writer.prepare_commit()?;
            prepared.set_payload(&payload);
            prepared.commit()?;
            Ok(())
        })?;
        self.reader.reload()
    }

    /// Ends the writer that had the memory for many documents; waits until it has put its files in order.
    pub(super) fn settle(&self) -> tantivy::Result<()> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            writer.wait_merging_threads()?;
        }
        self.reader.reload()
    }

    /// The documents whose issuer is this unit: its name is among their words.
    pub(super) fn issued_by(&self, unit: &str) -> tantivy::Result<Vec<DocumentId>> {
        let term = Term::from_field_text(self.fields.issuer, unit);
        let query = tantivy::query::TermQuery::new(term, IndexRecordOption::Basic);
        let searcher = self.searcher();
        let found = searcher.search(&query, &tantivy::collector::DocSetCollector)?;
        let mut ids = Vec::with_capacity(found.len());
        for address in found {
            let columns = searcher.segment_reader(address.segment_ord).fast_fields();
            let value = |name: &str| Ok::<_, TantivyError>(columns.u64(name)?.first(address.doc_id).unwrap_or_default());
            ids.push(id(value(ID_HIGH)?, value(ID_LOW)?));
        }
        Ok(ids)
    }

    fn write(&self, is_rebuilding: bool, work: impl FnOnce(&mut IndexWriter) -> tantivy::Result<()>) -> tantivy::Result<()> {
        let mut held = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            let budget = if is_rebuilding { REBUILD_BUDGET } else { BUDGET };
            *held = Some(self.index.writer_with_num_threads(1, budget)?);
        }
        match held.as_mut() {
            Some(writer) => work(writer),
            None => Err(TantivyError::InternalError("no writer".to_owned())),
        }
    }

    fn id_term(&self, id: DocumentId) -> Term {
        Term::from_field_text(self.fields.id, &id.to_string())
    }

    fn document(&self, entry: Entry) -> TantivyDocument {
        let fields = &self.fields;
        let [id_high, id_low, kind, level, field, year, standings] = self.columns;
        let ulid = entry.id.ulid().0;
        let mut document = TantivyDocument::new();
        document.add_text(fields.id, entry.id.to_string());
        // A ULID is two columns wide.
        document.add_u64(id_high, u64::try_from(ulid >> 64).unwrap_or_default());
        document.add_u64(id_low, u64::try_from(ulid & u128::from(u64::MAX)).unwrap_or_default());
        document.add_u64(kind, kind_code(entry.kind));
        document.add_u64(level, level_code(entry.level));
        document.add_u64(field, entry.field.map(field_code).unwrap_or_default());
        document.add_u64(year, u64::from(entry.year));
        document.add_u64(standings, standings_code(&entry.standings));
        document.add_text(fields.audience, &entry.audience);
        document.add_text(fields.issuer, &entry.issuer);
        let number = entry.number.unwrap_or_default();
        for key in sign_keys(&number) {
            document.add_text(fields.sign, key);
        }
        let attached = entry.attached.iter().flat_map(|attached| cited(&attached.text));
        for key in cited(&entry.title).into_iter().chain(cited(&entry.text)).chain(attached) {
            document.add_text(fields.cited, key);
        }
        for form in [EXACT, LETTERS, FOLDED] {
            for part in [&entry.title, &number] {
                document.add_text(fields.title[form], part);
            }
            for part in [&entry.title, &number, &entry.about, &entry.text] {
                document.add_text(fields.text[form], part);
            }
            for Attached { name, text } in &entry.attached {
                document.add_text(fields.attached[form], name);
                document.add_text(fields.attached[form], text);
            }
        }
        document.add_text(fields.title_pairs, &entry.title);
        for part in [&entry.title, &entry.about, &entry.text] {
            document.add_text(fields.pairs, part);
        }
        document.add_text(fields.plain, entry.text);
        for Attached { name, text } in entry.attached {
            for part in [name, text] {
                document.add_text(fields.attached_pairs, &part);
                document.add_text(fields.attached_plain, part);
            }
        }
        document
    }
}

/// Removes the files of an index.
pub(super) fn remove(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn id(high: u64, low: u64) -> DocumentId {
    DocumentId::new(ulid::Ulid((u128::from(high) << 64) | u128::from(low)))
}

pub(super) fn kind_code(kind: DocumentKind) -> u64 {
    code(DocumentKind::ALL.iter().position(|known| *known == kind))
}

pub(super) fn level_code(level: UnitKind) -> u64 {
    code(UnitKind::ALL.iter().position(|known| *known == level))
}

/// Zero is for a document without a field.
pub(super) fn field_code(field: DocumentField) -> u64 {
    code(DocumentField::ALL.iter().position(|known| *known == field)) + 1
}

/// A bit for each standing a document is for.
pub(super) fn standings_code(standings: &[Standing]) -> u64 {
    let meant = if standings.is_empty() { &Standing::ALL } else { standings };
    meant.iter().fold(0, |code, standing| code | standing_bit(*standing))
}

pub(super) fn standing_bit(standing: Standing) -> u64 {
    1 << code(Standing::ALL.iter().position(|known| *known == standing))
}

fn code(position: Option<usize>) -> u64 {
    u64::try_from(position.unwrap_or_default()).unwrap_or_default()
}

/// Keys of the numbers a text names, such as `339-QĐ/TW`.
fn cited(text: &str) -> HashSet<String> {
    text.split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| word.contains(['/', '-']) && word.starts_with(|c: char| c.is_ascii_digit()))
        .map(sign_key)
        .filter(|key| is_sign(key) && key.len() <= 40)
        .collect()
}

fn schema() -> (Schema, Fields, [Field; 7]) {
    let words = |tokenizer: &str, record| {
        TextOptions::default()
            .set_indexing_options(TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(record))
    };
    let key = || {
        let raw = TextFieldIndexing::default().set_tokenizer("raw").set_fieldnorms(false);
        TextOptions::default().set_indexing_options(raw.set_index_option(IndexRecordOption::Basic))
    };
    let counted = IndexRecordOption::WithFreqs;
    let mut builder = Schema::builder();
    let fields = Fields {
        id: builder.add_text_field("id", key()),
        audience: builder.add_text_field("audience", key()),
        issuer: builder.add_text_field(ISSUER, key().set_fast("raw")),
        title: [
            builder.add_text_field("title_exact", words("exact", counted)),
            builder.add_text_field("title_letters", words("letters", counted)),
            builder.add_text_field("title_folded", words("folded", counted)),
        ],
        text: [
            builder.add_text_field("text_exact", words("exact", counted)),
            builder.add_text_field("text_letters", words("letters", counted)),
            builder.add_text_field("text_folded", words("folded", counted)),
        ],
        title_pairs: builder.add_text_field("title_pairs", words("pairs", IndexRecordOption::Basic)),
        pairs: builder.add_text_field("pairs", words("pairs", IndexRecordOption::Basic)),
        attached: [
            builder.add_text_field("attached_exact", words("exact", counted)),
            builder.add_text_field("attached_letters", words("letters", counted)),
            builder.add_text_field("attached_folded", words("folded", counted)),
        ],
        attached_pairs: builder.add_text_field("attached_pairs", words("pairs", IndexRecordOption::Basic)),
        sign: builder.add_text_field("sign", key()),
        cited: builder.add_text_field("cited", key()),
        plain: builder.add_text_field("plain", STORED),
        attached_plain: builder.add_text_field("attached_plain", STORED),
    };
    let columns = [ID_HIGH, ID_LOW, KIND, LEVEL, FIELD, YEAR, STANDINGS].map(|name| builder.add_u64_field(name, FAST));
    (builder.build(), fields, columns)
}

/// One form of each word of a text.
#[derive(Debug, Clone, Copy)]
struct Form(usize);

/// Each two words that stand next to each other in a sentence of a text.
#[derive(Debug, Clone, Copy)]
struct Pairs;

struct FormStream<'t> {
    words: Words<'t>,
    forms: Forms,
    form: usize,
    token: Token,
}

struct PairStream<'t> {
    text: &'t str,
    words: Words<'t>,
    before: Forms,
    forms: Forms,
    token: Token,
}

impl Tokenizer for Form {
    type TokenStream<'t> = FormStream<'t>;

    fn token_stream<'t>(&'t mut self, text: &'t str) -> FormStream<'t> {
        FormStream { words: words(text), forms: Forms::default(), form: self.0, token: Token::default() }
    }
}

impl Tokenizer for Pairs {
    type TokenStream<'t> = PairStream<'t>;

    fn token_stream<'t>(&'t mut self, text: &'t str) -> PairStream<'t> {
        let mut words = words(text);
        let mut forms = Forms::default();
        words.read(&mut forms);
        PairStream { text, words, before: Forms::default(), forms, token: Token::default() }
    }
}

impl TokenStream for FormStream<'_> {
    fn advance(&mut self) -> bool {
        if !self.words.read(&mut self.forms) {
            return false;
        }
        let Self { forms, token, .. } = self;
        place(token, forms);
        let form = match self.form {
            EXACT => &mut forms.exact,
            LETTERS => &mut forms.letters,
            _ => &mut forms.folded,
        };
        std::mem::swap(&mut token.text, form);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

impl TokenStream for PairStream<'_> {
    fn advance(&mut self) -> bool {
        loop {
            std::mem::swap(&mut self.before, &mut self.forms);
            if !self.words.read(&mut self.forms) {
                return false;
            }
            if !parts(&self.text[self.before.until..self.forms.from]) {
                break;
            }
        }
        place(&mut self.token, &self.forms);
        self.token.text.clear();
        self.token.text.push_str(&self.before.folded);
        self.token.text.push_str(&self.forms.folded);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// Whether what lies between two words parts them: they are not of one sentence.
pub(super) fn parts(between: &str) -> bool {
    between.contains('\n') || between.split(['.', '!', '?']).skip(1).any(|behind| behind.starts_with([' ', '"', '”', ')']))
}

fn place(token: &mut Token, forms: &Forms) {
    token.position = token.position.wrapping_add(1);
    token.offset_from = forms.from;
    token.offset_to = forms.until;
}

/// Where the files of the index are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shelf {
    Memory,
    Folder(PathBuf),
    /// Nobody else finds it here: it goes with the process.
    Temporary(PathBuf),
}

impl Shelf {
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Memory => None,
            Self::Folder(folder) | Self::Temporary(folder) => Some(folder),
        }
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        if let Self::Temporary(folder) = self {
            // What cannot be removed is what the store holds, in a folder of this user.
            let _ = remove(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_a_text_names_are_found_in_it() {
        let text = "Thực hiện Quy định số 339-QĐ/TW, ngày 10/12/2025 và (57-NQ/TW); xem 12-a.";
        let mut found: Vec<_> = cited(text).into_iter().collect();
        found.sort();
        assert_eq!(found, ["12a", "339qdtw", "57nqtw"]);
    }

    #[test]
    fn words_of_two_sentences_are_no_pair() {
        let mut pairs = Pairs;
        let mut stream = pairs.token_stream("Về đánh giá\nĐảng viên dự. Phòng, chống bão (lũ) số 57-NQ/TW");
        let mut found = Vec::new();
        while stream.advance() {
            found.push(stream.token().text.clone());
        }
        assert_eq!(
            found,
            ["vedanh", "danhgia", "dangvien", "viendu", "phongchong", "chongbao", "baolu", "luso", "so57", "57nq", "nqtw"]
        );
    }

    #[test]
    fn a_document_for_some_standings_is_for_no_other() {
        use Standing::{Exempt, Official, Probationary};

        for (standings, meant) in [
            (&[][..], &Standing::ALL[..]),
            (&[Probationary][..], &[Probationary][..]),
            (&[Official, Exempt][..], &[Official, Exempt][..]),
        ] {
            let code = standings_code(standings);
            for standing in Standing::ALL {
                assert_eq!(code & standing_bit(standing) != 0, meant.contains(&standing), "{standings:?} {standing:?}");
            }
        }
    }

    #[test]
    fn an_id_comes_back_from_its_columns() {
        let ulid: ulid::Ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("an id");
        let (high, low) = (u64::try_from(ulid.0 >> 64), u64::try_from(ulid.0 & u128::from(u64::MAX)));
        assert_eq!(id(high.expect("fits"), low.expect("fits")).ulid(), ulid);
    }
}
