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
//! Invariant: what a person finds is what the policy lets them read. The query is narrowed to the units whose documents reach them
//! (`reach.rs`), and each document is read from the store and asked about again before it is shown.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    documents::{DocumentKind, DocumentSummary},
    events::{Event, EventKind},
    ids::DocumentId,
    locale::local_date,
    search::{Closeness, SearchHit, SearchPage, SearchQuery},
    units::UnitKind,
};
use tantivy::{BitSet, Searcher, TantivyDocument, TantivyError, schema::Value};
use tokio::sync::Notify;

use crate::{
    Backend, Error, Place, Result, events,
    store::{SurrealValue, keys_after, record, vars},
};

mod asked;
mod excerpt;
mod index;
mod look;
mod plain;
mod reach;
mod words;

use asked::Asked;
use index::{Entry, Held, Shelf};
use look::{Found, Terms};
use reach::Reach;

/// Documents on a page.
const PAGE: usize = 20;

/// When so few documents have all words, errors in long words are forgiven.
const FEW: usize = 3;

/// Documents read from the store at a time.
const BATCH: usize = 200;

/// Transactions of several processes may commit out of the order of their ids: a start reads the log from this far before the horizon.
const OVERLAP: TimeDelta = TimeDelta::seconds(30);

/// How far the log may run ahead of the last commit when no document changes.
const COMMIT_EVERY: TimeDelta = TimeDelta::minutes(10);

/// How long the follower waits before it tries again, or looks whether the horizon has to be noted.
const PAUSE: Duration = Duration::from_secs(10);

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
            EventKind::DocumentPublished | EventKind::DocumentWithdrawn => {
                self.documents.extend(event.subject.parse::<DocumentId>())
            }
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
        page.years = looked.years;
        page.closeness = looked.closeness;
        page.total = u32::try_from(looked.total).unwrap_or(u32::MAX);
        page.next = looked.next;
        let ids: Vec<DocumentId> = looked.texts.iter().map(|(found, _)| found.place.document).collect();
        let documents = self.backend.documents().found(viewer, &ids).await?;
        let forgive = page.closeness != Closeness::AllWords;
        for (found, text) in looked.texts {
            let document = documents.iter().find(|document| document.id == found.place.document);
            let Some(document) = document.filter(|document| excerpt::has_phrases(&asked, [&document.title, &text])) else {
                // Withdrawn a moment ago, or two pairs of a phrase that do not follow each other.
                page.total = page.total.saturating_sub(1);
                continue;
            };
            if page.instead.is_none() && page.hits.is_empty() && page.closeness == Closeness::SimilarWords {
                page.instead = excerpt::instead(&asked, [&document.title, &text]);
            }
            page.hits.push(hit(document.clone(), &text, &asked, forgive));
        }
        Ok(page)
    }

    /// Brings the index up to date with what this process has heard of the log; makes it, when there is none.
    ///
    /// # Errors
    /// Those of the store; [`Error::Internal`] when the index cannot be written. The next call tries again.
    pub async fn catch_up(&self) -> Result<()> {
        let index = self.backend.search_index();
        let _turn = index.turn.lock().await;
        let held = match index.held() {
            Some(held) => held,
            None => self.open().await?,
        };
        let (documents, issuers, horizon) = {
            let mut waiting = index.waiting();
            if !waiting.is_due() {
                return Ok(());
            }
            let horizon = waiting.horizon.unwrap_or_else(|| self.backend.clock().now());
            (std::mem::take(&mut waiting.documents), std::mem::take(&mut waiting.issuers), horizon)
        };
        let done = self.follow(&held, &documents, &issuers, horizon).await;
        let mut waiting = index.waiting();
        match &done {
            Ok(()) => waiting.committed = Some(horizon),
            Err(_) => {
                waiting.documents.extend(documents);
                waiting.issuers.extend(issuers);
            }
        }
        done
    }

    /// Documents in the index: for measurements and checks.
    ///
    /// # Errors
    /// [`Error::Internal`] when the index cannot be read.
    pub async fn size(&self) -> Result<usize> {
        let Some(held) = self.backend.search_index().held() else { return Ok(0) };
        blocking(move || look::count(&held.searcher())).await
    }

    /// The index in the folder with what the log says since, or a new one.
    async fn open(&self) -> Result<Arc<Held>> {
        let index = self.backend.search_index();
        let store = self.store_name().await?;
        let folder = index.shelf.folder().map(PathBuf::from);
        if let Some(folder) = folder.clone() {
            let name = store.clone();
            let existing = blocking(move || {
                Held::existing(&folder, &name).or_else(|error| {
                    tracing::warn!(%error, "the search index cannot be opened");
                    Ok(None)
                })
            });
            if let Some((held, progress)) = existing.await? {
                let horizon = DateTime::from_timestamp_millis(progress.horizon).unwrap_or_default();
                let news = events::read_from(self.backend.store(), horizon - OVERLAP).await?;
                let mut waiting = index.waiting();
                waiting.committed = Some(horizon);
                waiting.horizon = waiting.horizon.max(Some(horizon));
                for event in news {
                    waiting.note(&event);
                }
                drop(waiting);
                return Ok(index.hold(held));
            }
        }
        let begun = self.backend.clock().now();
        let held = blocking(move || match folder {
            Some(folder) => Held::fresh(&folder, &store),
            None => Held::in_memory(&store),
        })
        .await?;
        let held = Arc::new(held);
        let count = self.fill(&held).await?;
        if count > 0 || index.shelf.folder().is_some() {
            let held = Arc::clone(&held);
            blocking(move || {
                held.commit(begun.timestamp_millis())?;
                held.settle()
            })
            .await?;
        }
        tracing::info!(documents = count, "the search index is made");
        let mut waiting = index.waiting();
        waiting.committed = Some(begun);
        waiting.horizon = waiting.horizon.max(Some(begun));
        drop(waiting);
        *index.held.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&held));
        Ok(held)
    }

    /// Puts all that is published into an empty index.
    async fn fill(&self, held: &Arc<Held>) -> Result<usize> {
        let mut after = String::new();
        let mut count = 0;
        loop {
            let sql = format!("SELECT VALUE record::id(id) FROM $keys LIMIT {BATCH}");
            let keys = keys_after("document", &after);
            let ids: Vec<String> = self.backend.store().read(sql, vars! { keys: keys }).await?.rows(0)?;
            let Some(last) = ids.last() else { return Ok(count) };
            after.clone_from(last);
            let entries = self.entries(&ids).await?;
            count += entries.len();
            if !entries.is_empty() {
                let held = Arc::clone(held);
                blocking(move || held.put(entries, true)).await?;
            }
        }
    }

    async fn follow(
        &self,
        held: &Arc<Held>,
        documents: &BTreeSet<DocumentId>,
        issuers: &BTreeSet<String>,
        horizon: DateTime<Utc>,
    ) -> Result<()> {
        let mut ids = documents.clone();
        for issuer in issuers {
            let (held, issuer) = (Arc::clone(held), issuer.clone());
            ids.extend(blocking(move || held.issued_by(&issuer)).await?);
        }
        let ids: Vec<DocumentId> = ids.into_iter().collect();
        for some in ids.chunks(BATCH) {
            let names: Vec<String> = some.iter().map(ToString::to_string).collect();
            let entries = self.entries(&names).await?;
            let (held, all) = (Arc::clone(held), some.to_vec());
            blocking(move || {
                held.take_out(&all)?;
                held.put(entries, false)
            })
            .await?;
        }
        let held = Arc::clone(held);
        blocking(move || held.commit(horizon.timestamp_millis())).await
    }

    /// What is to be indexed of those documents that are published.
    async fn entries(&self, ids: &[String]) -> Result<Vec<Entry>> {
        let tree = self.backend.units().tree();
        let documents: Vec<_> = ids.iter().map(|id| record("document", id)).collect();
        let mut answers = self.backend.store().read(ROWS, vars! { documents: documents }).await?;
        let rows: Vec<Row> = answers.rows(0)?;
        let published: Vec<Row> = rows.into_iter().filter(|row| row.state == "published").collect();
        let texts: Vec<_> = published.iter().map(|row| record("document_text", &row.id)).collect();
        let bodies: Vec<Text> = if texts.is_empty() {
            Vec::new()
        } else {
            self.backend.store().read(TEXTS, vars! { texts: texts }).await?.rows(0)?
        };
        let mut entries = Vec::with_capacity(published.len());
        for row in published {
            let damaged = || Error::Damaged(format!("document {}", row.id));
            let kind = DocumentKind::from_key(&row.kind).ok_or_else(damaged)?;
            let issuer = tree.known(&row.issuer).map(|unit| unit.name.as_str()).unwrap_or_default();
            let body = bodies.iter().find(|text| text.id == row.id).map(|text| text.body.as_str()).unwrap_or_default();
            let year = row.published_at.map(|at| local_date(at).year()).unwrap_or_default();
            entries.push(Entry {
                id: row.id.parse().map_err(|_| damaged())?,
                kind,
                level: UnitKind::from_key(&row.issuer_level).ok_or_else(damaged)?,
                year: u16::try_from(year).map_err(|_| damaged())?,
                audience: row.audience,
                issuer: row.issuer,
                number: row.number,
                about: format!("{}. {issuer}", kind_words(kind)),
                title: row.title,
                text: plain::plain(body),
            });
        }
        Ok(entries)
    }

    /// Tells this store from every other: the moment its first table was made.
    async fn store_name(&self) -> Result<String> {
        let sql = "SELECT VALUE applied_at FROM ONLY $first";
        let made: Option<DateTime<Utc>> =
            self.backend.store().read(sql, vars! { first: record("migration", "0001_organisation") }).await?.row(0)?;
        Ok(made.map(|made| made.to_rfc3339()).unwrap_or_default())
    }
}

impl Backend {
    /// Keeps the search index up to date until the process ends. One task per process runs this.
    pub async fn follow_search(&self) {
        loop {
            if let Err(error) = self.search().catch_up().await {
                tracing::error!(%error, "the search index is not up to date; will try again");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            tokio::select! {
                () = self.search_index().woken.notified() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}

/// What the index answered, with the texts of the page.
struct Looked {
    closeness: Closeness,
    total: usize,
    texts: Vec<(Found, String)>,
    next: Option<domain::search::SearchPlace>,
    years: Vec<u16>,
}

impl Looked {
    fn at(held: &Held, asked: &Asked, query: &SearchQuery, reach: &Reach) -> tantivy::Result<Self> {
        let searcher = held.searcher();
        let within = look::reachable(&searcher, &held.fields, reach)?;
        let years = look::years(&searcher, &within)?;
        let (closeness, mut found) = closest(&searcher, held, asked, query, &within)?;
        let total = found.len();
        found.retain(|found| query.after.is_none_or(|after| found.place < after));
        if found.len() > PAGE {
            found.select_nth_unstable_by(PAGE, |a, b| b.place.cmp(&a.place));
        }
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        found.sort_unstable_by(|a, b| b.place.cmp(&a.place));
        let next = found.last().filter(|_| more).map(|last| last.place);
        let mut texts = Vec::with_capacity(found.len());
        for found in found {
            let document: TantivyDocument = searcher.doc(found.address)?;
            let text = document.get_first(held.fields.plain).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
            texts.push((found, text));
        }
        Ok(Self { closeness, total, texts, next, years })
    }
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

fn hit(document: DocumentSummary, text: &str, asked: &Asked, forgive: bool) -> SearchHit {
    SearchHit {
        title: excerpt::title(&document.title, asked, forgive),
        excerpt: excerpt::excerpt(text, asked, forgive),
        document,
    }
}

/// What a kind is called in the language of the documents: people ask for "nghị quyết …" whether or not the title says it.
const fn kind_words(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Resolution => "Nghị quyết",
        DocumentKind::Directive => "Chỉ thị",
        DocumentKind::Regulation => "Quy định, quy chế",
        DocumentKind::Guidance => "Hướng dẫn",
        DocumentKind::StudyMaterial => "Tài liệu học tập, sinh hoạt chuyên đề",
        DocumentKind::News => "Tin tức, thông báo",
        DocumentKind::Form => "Biểu mẫu, mẫu đơn",
    }
}

/// Point gets.
const ROWS: &str =
    "SELECT record::id(id) AS id, kind, number, title, issuer, issuer_level, audience, state, published_at FROM $documents";
const TEXTS: &str = "SELECT record::id(id) AS id, body FROM $texts";

#[derive(Debug, SurrealValue)]
struct Row {
    id: String,
    kind: String,
    number: Option<String>,
    title: String,
    issuer: String,
    issuer_level: String,
    audience: String,
    state: String,
    published_at: Option<DateTime<Utc>>,
}

#[derive(Debug, SurrealValue)]
struct Text {
    id: String,
    body: String,
}

/// Runs work on the index where it may wait for the disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> tantivy::Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(format!("the search index: {error}")))?;
    done.map_err(|error| Error::Internal(format!("the search index: {error}")))
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn documents_are_read_by_point_gets() {
        let store = migrated().await;
        store.assert_no_scan(ROWS, vars! { documents: vec![record("document", Ulid::nil())] }).await;
        store.assert_no_scan(TEXTS, vars! { texts: vec![record("document_text", Ulid::nil())] }).await;
    }
}
