//! The index itself: its fields, its files, and writing to it.
//!
//! Documents, meetings and courses share one index: a query is corrected by the words of all of them, and the results have one
//! order. Access is indexed in separate fields: audience and issuer of a document, unit of a meeting of members and unit of a
//! committee that meets, audience and issuer of a course.
//!
//! A word is indexed in three fields, one for each of its forms (see [`super::words`]); the words of title and number in three
//! more. Attached files have their own fields, because a document's own text counts more. Adjacent words are also indexed as one
//! term in `pairs`: phrases, proximity and words typed without a space are then single term lookups, and no positions are stored.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    documents::{DocumentField, DocumentKind},
    meetings::MeetingKind,
    members::Standing,
    policy::Standpoint,
    search::SearchKind,
    units::UnitKind,
};
use serde::{Deserialize, Serialize};
use tantivy::{
    Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, TantivyDocument, TantivyError, Term,
    collector::DocSetCollector,
    query::TermQuery,
    schema::{FAST, Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{Token, TokenStream, Tokenizer, TokenizerManager},
};
use ulid::Ulid;

use super::{
    frequent::FrequentTerms,
    kept_within::KeptWithin,
    reach::Reach,
    within::Within,
    words::{Forms, Words, is_sign, sign_key, sign_keys, words},
};
use crate::units::Tree;

/// Incremented when fields or words change: an index of another version is rebuilt.
const VERSION: u32 = 7;

/// Memory in bytes for documents that are not written yet. Updates are few at a time; a rebuild writes all at once.
const BUDGET: usize = 20_000_000;
const REBUILD_BUDGET: usize = 100_000_000;

/// The indexed texts and access of a document, a meeting or a course.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: Ulid,
    pub(super) sort: Sort,
    pub(super) title: String,
    /// Searchable words that are not in the text: names of the kind and the unit.
    pub(super) about: String,
    /// Plain text, without markup.
    pub(super) text: String,
    pub(super) attached: Vec<Attached>,
}

/// The type of an entry and who may find it. Units are given by their ids.
#[derive(Debug, Clone)]
pub(super) enum Sort {
    Document {
        kind: DocumentKind,
        level: UnitKind,
        field: Option<DocumentField>,
        year: u16,
        number: Option<String>,
        audience: String,
        /// If not empty, only members of the audience in one of these units.
        parts: Vec<String>,
        /// Without the members of these units.
        except: Vec<String>,
        /// If not empty, only members of the audience with one of these standings.
        standings: Vec<Standing>,
        issuer: String,
    },
    Meeting {
        kind: MeetingKind,
        unit: String,
        /// Documents whose titles are indexed with it.
        papers: Vec<String>,
    },
    Course {
        audience: String,
        parts: Vec<String>,
        except: Vec<String>,
        standings: Vec<Standing>,
        issuer: String,
        papers: Vec<String>,
    },
}

impl Sort {
    const fn what(&self) -> SearchKind {
        match self {
            Self::Document { .. } => SearchKind::Documents,
            Self::Meeting { .. } => SearchKind::Meetings,
            Self::Course { .. } => SearchKind::Courses,
        }
    }
}

/// A file attached to a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Attached {
    pub(super) name: String,
    pub(super) text: String,
}

/// How far the index has followed the log; stored with each commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    version: u32,
    /// Identifies the store the index was made from.
    store: String,
    /// Milliseconds: all events of the log up to this time are in the index.
    pub(super) horizon: i64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) id: Field,
    pub(super) audience: Field,
    /// The parts of the audience that a document or a course is for; the audience itself if it is for all of it.
    pub(super) parts: Field,
    /// The units that are excepted from it.
    pub(super) except: Field,
    pub(super) issuer: Field,
    /// The unit of a meeting of members, and that of a meeting of its committee; audience and issuer of a course.
    pub(super) meets: Field,
    pub(super) committee: Field,
    pub(super) learns: Field,
    pub(super) gives: Field,
    /// Documents that a meeting or a course refers to.
    pub(super) paper: Field,
    /// All words of the title as one key.
    pub(super) whole_title: Field,
    pub(super) title: [Field; 3],
    pub(super) text: [Field; 3],
    pub(super) title_pairs: Field,
    pub(super) pairs: Field,
    pub(super) attached: [Field; 3],
    pub(super) attached_pairs: Field,
    /// The document number as one key.
    pub(super) sign: Field,
    /// Numbers of other documents in the text.
    pub(super) cited: Field,
    pub(super) plain: Field,
    /// Name and text of each file, alternating.
    pub(super) attached_plain: Field,
}

/// Names of the columns.
pub(super) const ID_HIGH: &str = "id_high";
pub(super) const ID_LOW: &str = "id_low";
pub(super) const WHAT: &str = "what";
pub(super) const KIND: &str = "kind";
pub(super) const LEVEL: &str = "level";
pub(super) const FIELD: &str = "field";
pub(super) const YEAR: &str = "year";
pub(super) const STANDINGS: &str = "standings";
/// Both a field and a column.
pub(super) const ISSUER: &str = "issuer";

/// The forms of a word by the index of their field.
pub(super) const EXACT: usize = 0;
pub(super) const LETTERS: usize = 1;
pub(super) const FOLDED: usize = 2;

/// An open index.
pub(super) struct OpenIndex {
    index: Index,
    reader: IndexReader,
    pub(super) fields: Fields,
    store: String,
    writer: Mutex<Option<IndexWriter>>,
    columns: [Field; 8],
    kept: KeptWithin,
    pub(super) frequent: FrequentTerms,
}

impl OpenIndex {
    /// Creates an empty index in memory.
    pub(super) fn in_memory(store: &str) -> tantivy::Result<Self> {
        let (schema, ..) = schema();
        Self::around(Index::create_in_ram(schema), store)
    }

    /// Creates an empty index in a folder; removes what is in the folder.
    pub(super) fn fresh(folder: &Path, store: &str) -> tantivy::Result<Self> {
        remove(folder)?;
        std::fs::create_dir_all(folder)?;
        let (schema, ..) = schema();
        Self::around(Index::create_in_dir(folder, schema)?, store)
    }

    /// Opens the index in the folder and returns its progress, if it is complete and of this version and store.
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
            tracing::warn!(?damaged, "the search index has damaged files");
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
        // Readers see one version at a time; it is reloaded explicitly after each commit.
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self {
            index,
            reader,
            fields,
            store: store.to_owned(),
            writer: Mutex::default(),
            columns,
            kept: KeptWithin::default(),
            frequent: FrequentTerms::default(),
        })
    }

    pub(super) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    /// The entries that a person at this standpoint may find.
    pub(super) fn within(&self, searcher: &Searcher, standpoint: &Standpoint, tree: &Arc<Tree>) -> tantivy::Result<Arc<Within>> {
        let version = searcher.generation().generation_id();
        if let Some(within) = self.kept.get(version, tree, standpoint) {
            return Ok(within);
        }
        let within = Arc::new(Within::of(searcher, &self.fields, &Reach::of(standpoint, tree))?);
        self.kept.put(version, tree, standpoint, &within);
        Ok(within)
    }

    /// Adds entries, replacing those with the same ids.
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

    /// Removes entries.
    pub(super) fn take_out(&self, ids: &[Ulid]) -> tantivy::Result<()> {
        self.write(false, |writer| {
            for id in ids {
                writer.delete_term(self.id_term(*id));
            }
            Ok(())
        })
    }

    /// Makes additions and removals visible to searches, and durable.
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

    /// Drops the writer with the large memory budget; waits until its merges are complete.
    pub(super) fn settle(&self) -> tantivy::Result<()> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            writer.wait_merging_threads()?;
        }
        self.reader.reload()
    }

    /// The entries with the name of this unit among their words.
    pub(super) fn naming_unit(&self, unit: &str) -> tantivy::Result<Vec<(SearchKind, Ulid)>> {
        self.naming(&[self.fields.issuer, self.fields.meets, self.fields.committee, self.fields.gives], unit)
    }

    /// The meetings and courses with the title of this document among their words.
    pub(super) fn naming_document(&self, document: &str) -> tantivy::Result<Vec<(SearchKind, Ulid)>> {
        self.naming(&[self.fields.paper], document)
    }

    fn naming(&self, fields: &[Field], key: &str) -> tantivy::Result<Vec<(SearchKind, Ulid)>> {
        let searcher = self.searcher();
        let mut found = Vec::new();
        for field in fields {
            let query = TermQuery::new(Term::from_field_text(*field, key), IndexRecordOption::Basic);
            for address in searcher.search(&query, &DocSetCollector)? {
                let columns = searcher.segment_reader(address.segment_ord).fast_fields();
                let value = |name: &str| Ok::<_, TantivyError>(columns.u64(name)?.first(address.doc_id).unwrap_or_default());
                let entry = id(value(ID_HIGH)?, value(ID_LOW)?);
                found.extend(what(value(WHAT)?).map(|what| (what, entry)));
            }
        }
        Ok(found)
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

    fn id_term(&self, id: Ulid) -> Term {
        Term::from_field_text(self.fields.id, &id.to_string())
    }

    fn document(&self, entry: Entry) -> TantivyDocument {
        let fields = &self.fields;
        let [id_high, id_low, what, ..] = self.columns;
        let ulid = entry.id.0;
        let mut document = TantivyDocument::new();
        document.add_text(fields.id, entry.id.to_string());
        // A ULID takes two columns.
        document.add_u64(id_high, u64::try_from(ulid >> 64).unwrap_or_default());
        document.add_u64(id_low, u64::try_from(ulid & u128::from(u64::MAX)).unwrap_or_default());
        document.add_u64(what, what_code(entry.sort.what()));
        document.add_text(fields.whole_title, whole(words(&entry.title).map(|word| word.folded)));
        let number = self.add_sort(&mut document, &entry.sort);
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

    /// Adds the access fields and the filter columns; returns the document number. All columns are written, because a column
    /// without any value in a segment cannot be read.
    fn add_sort(&self, document: &mut TantivyDocument, sort: &Sort) -> String {
        let fields = &self.fields;
        let (mut narrowed, mut meant, mut own_number) = ([NOTHING, NOTHING, NOTHING, 0], standings_code(&[]), String::new());
        match sort {
            Sort::Document { kind, level, field, year, number, audience, parts, except, standings, issuer } => {
                let field = field.map(field_code).unwrap_or_default();
                narrowed = [kind_code(*kind), level_code(*level), field, u64::from(*year)];
                meant = standings_code(standings);
                document.add_text(fields.audience, audience);
                self.add_units(document, audience, parts, except);
                document.add_text(fields.issuer, issuer);
                own_number = number.clone().unwrap_or_default();
            }
            Sort::Meeting { kind, unit, papers } => {
                document.add_text(if kind.is_for_members() { fields.meets } else { fields.committee }, unit);
                for paper in papers {
                    document.add_text(fields.paper, paper);
                }
            }
            Sort::Course { audience, parts, except, standings, issuer, papers } => {
                meant = standings_code(standings);
                document.add_text(fields.learns, audience);
                self.add_units(document, audience, parts, except);
                document.add_text(fields.gives, issuer);
                for paper in papers {
                    document.add_text(fields.paper, paper);
                }
            }
        }
        let [_, _, _, columns @ ..] = self.columns;
        let [kind, level, field, year] = narrowed;
        for (column, value) in columns.into_iter().zip([kind, level, field, year, meant]) {
            document.add_u64(column, value);
        }
        own_number
    }

    /// Adds the units that narrow an audience.
    fn add_units(&self, document: &mut TantivyDocument, audience: &str, parts: &[String], except: &[String]) {
        if parts.is_empty() {
            document.add_text(self.fields.parts, audience);
        }
        for part in parts {
            document.add_text(self.fields.parts, part);
        }
        for unit in except {
            document.add_text(self.fields.except, unit);
        }
    }
}

/// Removes the files of an index.
pub(super) fn remove(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn id(high: u64, low: u64) -> Ulid {
    Ulid((u128::from(high) << 64) | u128::from(low))
}

/// Column value of meetings and courses, which no filter matches.
const NOTHING: u64 = u64::MAX;

/// The words of a title as one key.
pub(super) fn whole(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut key = String::new();
    for word in words {
        if !key.is_empty() {
            key.push(' ');
        }
        key.push_str(word.as_ref());
    }
    key
}

pub(super) fn what_code(what: SearchKind) -> u64 {
    code(SearchKind::ALL.iter().position(|known| *known == what))
}

pub(super) fn what(code: u64) -> Option<SearchKind> {
    SearchKind::ALL.into_iter().find(|what| what_code(*what) == code)
}

pub(super) fn kind_code(kind: DocumentKind) -> u64 {
    code(DocumentKind::ALL.iter().position(|known| *known == kind))
}

/// The FNV-1a hash of the key: the position changes when the pack gets another level.
pub(super) fn level_code(level: UnitKind) -> u64 {
    level.key().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Zero is for a document without a field.
pub(super) fn field_code(field: DocumentField) -> u64 {
    code(DocumentField::ALL.iter().position(|known| *known == field)) + 1
}

/// A bit for each standing that a document is for.
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

/// Keys of the document numbers in a text, such as `339-QĐ/TW`.
fn cited(text: &str) -> HashSet<String> {
    text.split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| word.contains(['/', '-']) && word.starts_with(|c: char| c.is_ascii_digit()))
        .map(sign_key)
        .filter(|key| is_sign(key) && key.len() <= 40)
        .collect()
}

fn schema() -> (Schema, Fields, [Field; 8]) {
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
        parts: builder.add_text_field("parts", key()),
        except: builder.add_text_field("except", key()),
        issuer: builder.add_text_field(ISSUER, key().set_fast("raw")),
        meets: builder.add_text_field("meets", key()),
        committee: builder.add_text_field("committee", key()),
        learns: builder.add_text_field("learns", key()),
        gives: builder.add_text_field("gives", key()),
        paper: builder.add_text_field("paper", key()),
        whole_title: builder.add_text_field("whole_title", key()),
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
    let columns = [ID_HIGH, ID_LOW, WHAT, KIND, LEVEL, FIELD, YEAR, STANDINGS].map(|name| builder.add_u64_field(name, FAST));
    (builder.build(), fields, columns)
}

/// Tokenizes a text into one form of each word.
#[derive(Debug, Clone, Copy)]
struct Form(usize);

/// Tokenizes a text into pairs of adjacent words of a sentence.
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
        fill_token(token, forms);
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
        fill_token(&mut self.token, &self.forms);
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

/// Whether the characters between two words separate sentences.
pub(super) fn parts(between: &str) -> bool {
    between.contains('\n') || between.split(['.', '!', '?']).skip(1).any(|behind| behind.starts_with([' ', '"', '”', ')']))
}

fn fill_token(token: &mut Token, forms: &Forms) {
    token.position = token.position.wrapping_add(1);
    token.offset_from = forms.from;
    token.offset_to = forms.until;
}

/// Where the files of the index are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IndexLocation {
    Memory,
    Folder(PathBuf),
    /// Not shared with other processes; removed when the process ends.
    Temporary(PathBuf),
}

impl IndexLocation {
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Memory => None,
            Self::Folder(folder) | Self::Temporary(folder) => Some(folder),
        }
    }
}

impl Drop for IndexLocation {
    fn drop(&mut self) {
        if let Self::Temporary(folder) = self {
            // If this fails, the folder remains. It belongs to this user and holds only what the store holds.
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
        let ulid: Ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("an id");
        let (high, low) = (u64::try_from(ulid.0 >> 64), u64::try_from(ulid.0 & u128::from(u64::MAX)));
        assert_eq!(id(high.expect("fits"), low.expect("fits")), ulid);
    }
}
