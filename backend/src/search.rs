//! Searching the library: an index beside the store, and the use-case that asks it.
//!
//! **Why an index of its own.** The store knows whole columns and ranges of them; words, their forms and their weight it does not. The
//! engine is `tantivy`, because it runs inside the process, keeps its files in one folder and needs no service; only this module and
//! those below it name it. Of its queries only the lists of words are used: see `look.rs` for the reason.
//!
//! **What the index is.** A copy that can be made again at any time: of published documents only, never of drafts, with nothing
//! personal in it. It lies in `search/` beside the store, is not part of a backup, and is made anew when it is missing, damaged, of
//! another version of this program or of another store. Several processes at one server have one each, in a folder that goes with
//! the process.
//!
//! **How it follows.** [`crate::Backend::catch_up`] hands each event on ([`SearchIndex::note`]); a task of its own
//! ([`Backend::follow_search`]) reads the documents they name and commits, so neither readers nor writers wait for the disk. With each
//! commit goes the moment up to which the log was read: a restart reads only what came after.
//!
//! Invariant: what a person finds is what the policy lets them read. The query is narrowed to the documents that reach them
//! (`reach.rs`, `within.rs`), and each one is read from the store and asked about again before it is shown.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    documents::DocumentSummary,
    events::{Event, EventKind},
    ids::{DocumentId, UnitId},
    search::{Closeness, SearchHit, SearchPage, SearchPlace, SearchQuery},
    units::UnitRef,
};
use tantivy::{BitSet, Searcher, TantivyDocument, TantivyError, schema::Value};
use tokio::sync::Notify;

use crate::{Backend, Error, Place, Result, units::Tree};

mod asked;
mod entries;
mod excerpt;
mod follow;
mod index;
mod lists;
mod look;
mod plain;
mod reach;
mod within;
mod words;

#[cfg(test)]
mod tests;

use asked::Asked;
use entries::kind_words;
use index::{Attached, Held, Shelf};
use look::{Found, Terms};
use reach::Reach;
use within::Choices;

/// Documents on a page.
const PAGE: usize = 20;

/// When so few documents have all words, errors in long words are forgiven.
const FEW: usize = 3;

/// How far the log may run ahead of the last commit when no document changes.
const COMMIT_EVERY: TimeDelta = TimeDelta::minutes(10);

/// The process's index.
pub(crate) struct SearchIndex {
    shelf: Shelf,
    held: RwLock<Option<Arc<Held>>>,
    waiting: Mutex<Waiting>,
    woken: Notify,
    /// One brings the index up to date at a time.
    turn: tokio::sync::Mutex<()>,
}

/// What the log has told of that is not in the index yet.
#[derive(Debug, Default)]
struct Waiting {
    documents: BTreeSet<DocumentId>,
    /// Units whose name has changed.
    issuers: BTreeSet<String>,
    horizon: Option<DateTime<Utc>>,
    committed: Option<DateTime<Utc>>,
}

impl SearchIndex {
    pub(crate) fn beside(place: &Place) -> Self {
        let shelf = match place {
            Place::Memory => Shelf::Memory,
            Place::Folder(folder) => Shelf::Folder(folder.join("search")),
            Place::Server { .. } => {
                let name = format!("handbook-search-{}-{:016x}", std::process::id(), rand::random::<u64>());
                Shelf::Temporary(std::env::temp_dir().join(name))
            }
        };
        Self {
            shelf,
            held: RwLock::default(),
            waiting: Mutex::default(),
            woken: Notify::new(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Takes an event into account. Cheap: the work is the follower's.
    pub(crate) fn note(&self, event: &Event) {
        let mut waiting = self.waiting();
        waiting.note(event);
        if !waiting.documents.is_empty() || !waiting.issuers.is_empty() {
            self.woken.notify_one();
        }
    }

    /// Forgets the index: after rows were written that the log does not name, or when it is damaged. The follower makes it anew.
    pub(crate) async fn discard(&self) -> Result<()> {
        let _turn = self.turn.lock().await;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(folder) = self.shelf.folder().map(PathBuf::from) {
            tokio::task::spawn_blocking(move || index::remove(&folder))
                .await
                .map_err(|error| Error::Internal(format!("the search index cannot be removed: {error}")))?
                .map_err(|error| Error::Internal(format!("the search index cannot be removed: {error}")))?;
        }
        self.woken.notify_one();
        Ok(())
    }

    fn held(&self) -> Option<Arc<Held>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, held: Held) -> Arc<Held> {
        let held = Arc::new(held);
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&held));
        held
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn note(&mut self, event: &Event) {
        match event.kind {
            EventKind::DocumentPublished
            | EventKind::DocumentCorrected
            | EventKind::DocumentWithdrawn
            | EventKind::DocumentExpired => self.documents.extend(event.subject.parse::<DocumentId>()),
            EventKind::UnitRenamed => self.issuers.extend([event.subject.clone()]),
            _ => {}
        }
        self.horizon = self.horizon.max(Some(event.at));
    }

    /// Whether there is something to write; the horizon alone only now and then.
    fn is_due(&self) -> bool {
        let is_ahead = match (self.horizon, self.committed) {
            (Some(horizon), Some(committed)) => horizon - committed > COMMIT_EVERY,
            _ => false,
        };
        is_ahead || !self.documents.is_empty() || !self.issuers.is_empty()
    }
}

/// The use-cases of searching.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    backend: &'a Backend,
}

impl<'a> Search<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// A page of what the person may read and what was asked for, the best first.
    ///
    /// Nothing typed is an error. While the index is made anew, the page says so and is empty.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn find(&self, viewer: &Viewer, query: &SearchQuery) -> Result<SearchPage> {
        let index = self.backend.search_index();
        let asked = Asked::parse(&query.typed);
        let mut page = SearchPage {
            typed: asked.typed.clone(),
            is_cut: asked.is_cut,
            is_asked: !asked.words.is_empty(),
            ..SearchPage::default()
        };
        let Some(held) = index.held() else { return Ok(page) };
        page.is_ready = true;
        let tree = self.backend.units().tree();
        let reach = Reach::of(&viewer.standpoint, &tree);
        let (question, asked) = (query.clone(), Arc::new(asked));
        let looked = {
            let asked = Arc::clone(&asked);
            tokio::task::spawn_blocking(move || Looked::at(&held, &asked, &question, &reach)).await
        };
        let looked = match looked.map_err(|error| TantivyError::InternalError(error.to_string())) {
            Ok(Ok(looked)) => looked,
            Ok(Err(error)) | Err(error) => {
                // A damaged file shows itself here at the latest. A new index costs a minute, a broken one every search.
                tracing::error!(%error, "the search index does not answer and is made anew");
                index.discard().await?;
                return Ok(SearchPage { is_ready: false, ..page });
            }
        };
        page.years = looked.choices.years;
        page.issuers = issuers(looked.choices.issuers, query.issuer, &tree);
        page.closeness = looked.closeness;
        page.total = u32::try_from(looked.total).unwrap_or(u32::MAX);
        page.next = looked.next;
        let ids: Vec<DocumentId> = looked.texts.iter().map(|text| text.document).collect();
        let documents = self.backend.documents().found(viewer, &ids).await?;
        let shown = tokio::task::spawn_blocking(move || show(page, looked.texts, &documents, &asked)).await;
        shown.map_err(|error| Error::Internal(format!("results cannot be shown: {error}")))
    }
}

/// What the index answered, with the texts of the page.
struct Looked {
    closeness: Closeness,
    total: usize,
    texts: Vec<Text>,
    next: Option<SearchPlace>,
    choices: Choices,
}

/// What the index holds of a document, to cut the passage from that is shown.
struct Text {
    document: DocumentId,
    plain: String,
    attached: Vec<Attached>,
}

impl Looked {
    fn at(held: &Held, asked: &Asked, query: &SearchQuery, reach: &Reach) -> tantivy::Result<Self> {
        let searcher = held.searcher();
        let within = within::reachable(&searcher, &held.fields, reach)?;
        let choices = within::choices(&searcher, &within)?;
        let (closeness, mut found) = closest(&searcher, held, asked, query, &within)?;
        let total = found.len();
        found.retain(|found| query.after.is_none_or(|after| found.place < after));
        if found.len() > PAGE {
            found.select_nth_unstable_by_key(PAGE, |found| Reverse(found.place));
        }
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        found.sort_unstable_by_key(|found| Reverse(found.place));
        let next = found.last().filter(|_| more).map(|last| last.place);
        let texts = found.iter().map(|found| Text::read(&searcher, held, found)).collect::<tantivy::Result<_>>()?;
        Ok(Self { closeness, total, texts, next, choices })
    }
}

impl Text {
    fn read(searcher: &Searcher, held: &Held, found: &Found) -> tantivy::Result<Self> {
        let document: TantivyDocument = searcher.doc(found.address)?;
        let texts = |field| document.get_all(field).filter_map(|value| value.as_str().map(str::to_owned));
        let mut parts = texts(held.fields.attached_plain);
        let mut attached = Vec::new();
        while let (Some(name), Some(text)) = (parts.next(), parts.next()) {
            attached.push(Attached { name, text });
        }
        Ok(Self { document: found.place.document, plain: texts(held.fields.plain).next().unwrap_or_default(), attached })
    }

    /// All there is to search of the document and its files.
    fn parts<'t>(&'t self, document: &'t DocumentSummary) -> impl Iterator<Item = &'t str> {
        let files = self.attached.iter().flat_map(|file| [file.name.as_str(), file.text.as_str()]);
        [document.title.as_str(), document.issuer.name.as_str(), self.plain.as_str()].into_iter().chain(files)
    }
}

/// The page with those of the documents that may still be shown.
fn show(mut page: SearchPage, texts: Vec<Text>, documents: &[DocumentSummary], asked: &Asked) -> SearchPage {
    let forgive = page.closeness != Closeness::AllWords;
    for text in texts {
        let document = documents.iter().find(|document| document.id == text.document);
        let Some(document) = document.filter(|document| excerpt::has_phrases(asked, text.parts(document))) else {
            // Withdrawn a moment ago, or two pairs of a phrase that do not follow each other.
            page.total = page.total.saturating_sub(1);
            continue;
        };
        if page.instead.is_none() && page.hits.is_empty() && page.closeness == Closeness::SimilarWords {
            page.instead = excerpt::instead(asked, [&document.title, &text.plain]);
        }
        page.hits.push(hit(document.clone(), &text, asked, forgive));
    }
    page
}

/// Asks for all words as they are, then for similar ones, then for most of them: each only when the one before found little.
fn closest(
    searcher: &Searcher,
    held: &Held,
    asked: &Asked,
    query: &SearchQuery,
    within: &[Option<BitSet>],
) -> tantivy::Result<(Closeness, Vec<Found>)> {
    if asked.words.is_empty() {
        return Ok((Closeness::AllWords, Vec::new()));
    }
    let look = |forgive, missing| look::look(searcher, &held.fields, asked, query, within, Terms { forgive, missing });
    let found = look(false, 0)?;
    if found.len() >= FEW {
        return Ok((Closeness::AllWords, found));
    }
    let is_forgiving = asked.words.iter().any(asked::Sought::is_forgiven);
    let similar = if is_forgiving { look(true, 0)? } else { Vec::new() };
    if similar.len() > found.len() {
        return Ok((Closeness::SimilarWords, similar));
    }
    if !found.is_empty() {
        return Ok((Closeness::AllWords, found));
    }
    // Two words may lack one, eight three.
    let free = asked.words.iter().filter(|word| !word.is_quoted).count();
    let missing = free.min(asked.words.len() - 1).min(asked.words.len().div_ceil(3));
    if missing == 0 {
        return Ok((Closeness::AllWords, found));
    }
    Ok((Closeness::MostWords, look(true, missing)?))
}

fn hit(mut document: DocumentSummary, text: &Text, asked: &Asked, forgive: bool) -> SearchHit {
    document.title = plain::shown(&document.title);
    let number = document.number.as_deref().unwrap_or_default();
    let own = [&document.title, number, &document.issuer.name, kind_words(document.kind)];
    let (excerpt, attachment) = excerpt::passage(&own, &text.plain, &text.attached, asked, forgive);
    SearchHit { title: excerpt::title(&document.title, asked, forgive), excerpt, attachment, document }
}

/// The units to choose from: those with the most documents, and always the one that was chosen.
fn issuers(counts: BTreeMap<String, usize>, chosen: Option<UnitId>, tree: &Tree) -> Vec<UnitRef> {
    let mut units: Vec<(usize, UnitRef)> =
        counts.into_iter().filter_map(|(id, count)| Some((count, tree.known(&id)?.clone()))).collect();
    units.sort_by_key(|(count, unit)| (chosen != Some(unit.id), Reverse(*count)));
    units.truncate(SearchPage::ISSUERS_MAX);
    let mut units: Vec<UnitRef> = units.into_iter().map(|(_, unit)| unit).collect();
    units.sort_by(|a, b| (&a.path, a.id).cmp(&(&b.path, b.id)));
    units
}
