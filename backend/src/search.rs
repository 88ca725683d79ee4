//! Full-text search of documents, meetings and courses: an index beside the store, and the use-case that queries it.
//!
//! **Why a separate index.** The store indexes whole columns, not words, their forms or their weights. The engine is `tantivy`,
//! because it runs inside the process, stores its files in one folder and needs no service. Only this module and its submodules
//! use it. Only its posting lists are used, not its queries: see `ranking.rs` for the reason.
//!
//! **Content.** The index is a copy that can be rebuilt at any time. It contains published documents, meetings and assigned
//! courses, never drafts or personal data. It is stored in `search/` beside the store and is not part of a backup. It is rebuilt
//! when it is missing, damaged, or belongs to another version of this program or another store. Processes that share a database
//! server each have their own index, in a temporary folder.
//!
//! **Updates.** [`crate::Backend::catch_up`] passes each event to `SearchIndex::note`. A separate task
//! ([`Backend::follow_search`]) reads the affected rows and commits, so neither readers nor writers wait for the disk. Each
//! commit stores the time up to which the log was read, so a restart reads only later events.
//!
//! Invariant: search results contain only what the policy lets the person read. The query is restricted to what reaches them
//! (`reach.rs`, `within.rs`), and each result is read from the store and checked again before it is shown.

use std::{
    cmp::Reverse,
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    events::{Event, EventBody},
    ids::{CourseId, DocumentId, MeetingId, UnitId},
    search::{Closeness, SearchHit, SearchItem, SearchKind, SearchPage, SearchPlace, SearchQuery},
    units::UnitRef,
};
use tantivy::{DocAddress, Searcher, TantivyDocument, TantivyError, schema::Value};
use tokio::{sync::Notify, task::JoinError, try_join};
use ulid::Ulid;

use crate::{Backend, Error, Result, StoreLocation, units::Tree};

mod closest;
mod counts;
mod document_set;
mod entries;
mod excerpt;
mod follow;
mod frequent;
mod index;
mod kept_within;
mod lists;
mod marks;
mod outline;
mod parsed_query;
mod plain;
mod ranking;
mod reach;
mod readings;
mod remnants;
mod typos;
mod within;
mod words;

#[cfg(test)]
mod tests;

use closest::{Closest, closest};
use entries::{COURSE_WORDS, kind_words, meeting_words};
use excerpt::{Passage, Texts};
use index::{Attached, Fields, IndexLocation, OpenIndex, WHAT, what};
use marks::Marks;
use parsed_query::ParsedQuery;
use ranking::{Found, RankingInput};
use within::Within;

/// Items on a page.
const PAGE: usize = 20;

/// Items whose words are used to spell a suggestion.
const SPELT_BY: usize = 3;

/// Most time between the last commit and the end of the log when no document changes.
const COMMIT_EVERY: TimeDelta = TimeDelta::minutes(10);

/// The search index of this process.
pub(crate) struct SearchIndex {
    location: IndexLocation,
    held: RwLock<Option<Arc<OpenIndex>>>,
    waiting: Mutex<Waiting>,
    woken: Notify,
    /// Held while the index is updated, so that updates do not overlap.
    turn: tokio::sync::Mutex<()>,
}

/// Changes from the log that are not in the index yet.
#[derive(Debug, Default)]
struct Waiting {
    due: Due,
    horizon: Option<DateTime<Utc>>,
    committed: Option<DateTime<Utc>>,
}

/// What must be read again.
#[derive(Debug, Default)]
struct Due {
    entries: BTreeSet<(SearchKind, Ulid)>,
    /// Units whose name has changed.
    units: BTreeSet<String>,
}

impl Due {
    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.units.is_empty()
    }

    fn entry(&mut self, what: SearchKind, id: Ulid) {
        self.entries.insert((what, id));
    }
}

impl SearchIndex {
    pub(crate) fn for_store(location: &StoreLocation) -> Self {
        let location = match location {
            StoreLocation::Memory => IndexLocation::Memory,
            StoreLocation::Folder(folder) => IndexLocation::Folder(folder.join("search")),
            StoreLocation::Server { .. } => {
                let name = format!("handbook-search-{}-{:016x}", std::process::id(), rand::random::<u64>());
                IndexLocation::Temporary(std::env::temp_dir().join(name))
            }
        };
        Self {
            location,
            held: RwLock::default(),
            waiting: Mutex::default(),
            woken: Notify::new(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Records an event. Cheap: the update task does the work.
    pub(crate) fn note(&self, event: &Event) {
        let mut waiting = self.waiting();
        waiting.note(event);
        if !waiting.due.is_empty() {
            self.woken.notify_one();
        }
    }

    /// Deletes the index, after rows were written without events or when it is damaged. The update task rebuilds it.
    pub(crate) async fn discard(&self) -> Result<()> {
        let _turn = self.turn.lock().await;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(folder) = self.location.folder().map(PathBuf::from) {
            tokio::task::spawn_blocking(move || index::remove(&folder))
                .await
                .map_err(|error| Error::Internal(format!("the search index cannot be removed: {error}")))?
                .map_err(|error| Error::Internal(format!("the search index cannot be removed: {error}")))?;
        }
        self.woken.notify_one();
        Ok(())
    }

    fn held(&self) -> Option<Arc<OpenIndex>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, held: OpenIndex) -> Arc<OpenIndex> {
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
        match &event.body {
            EventBody::DocumentPublished(id)
            | EventBody::DocumentCorrected(id)
            | EventBody::DocumentWithdrawn(id)
            | EventBody::DocumentExpired(id) => self.due.entry(SearchKind::Documents, id.ulid()),
            EventBody::MeetingAnnounced(id) | EventBody::MeetingReported(id) => self.due.entry(SearchKind::Meetings, id.ulid()),
            EventBody::CourseAssigned(id) | EventBody::CourseEnded(id) => self.due.entry(SearchKind::Courses, id.ulid()),
            EventBody::UnitRenamed(id) => {
                self.due.units.insert(id.to_string());
            }
            _ => {}
        }
        self.horizon = self.horizon.max(Some(event.at));
    }

    /// Whether a commit is due. The horizon alone is committed every [`COMMIT_EVERY`].
    fn is_due(&self) -> bool {
        let is_ahead = match (self.horizon, self.committed) {
            (Some(horizon), Some(committed)) => horizon - committed > COMMIT_EVERY,
            _ => false,
        };
        is_ahead || !self.due.is_empty()
    }
}

/// The use-cases on search.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    backend: &'a Backend,
}

impl<'a> Search<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// A page of results that the person may read, the best first.
    ///
    /// Any input is valid. While the index is being rebuilt, the page is empty and `is_ready` is false.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn find(&self, viewer: &Viewer, query: &SearchQuery) -> Result<SearchPage> {
        let index = self.backend.search_index();
        let asked = ParsedQuery::parse(&query.typed);
        let mut page = SearchPage {
            typed: asked.typed.clone(),
            is_cut: asked.is_cut,
            is_asked: !asked.words.is_empty(),
            ..SearchPage::default()
        };
        let Some(held) = index.held() else { return Ok(page) };
        page.is_ready = true;
        let tree = self.backend.units().tree();
        let (question, standpoint, units) = (query.clone(), viewer.standpoint.clone(), Arc::clone(&tree));
        let answer = tokio::task::spawn_blocking(move || {
            let searcher = held.searcher();
            let within = held.within(&searcher, &standpoint, &units)?;
            IndexAnswer::at(&held, &searcher, asked, &question, within)
        })
        .await;
        let Some(answer) = self.usable(answer).await? else { return Ok(SearchPage { is_ready: false, ..page }) };
        let answer = Arc::new(answer);
        // Begins at once, so that the texts are read from the index while the rows are read from the store.
        let reading = Arc::clone(&answer);
        let texts = tokio::task::spawn_blocking(move || reading.texts());
        let items = self.items(viewer, &answer).await;
        let Some(texts) = self.usable(texts.await).await? else { return Ok(SearchPage { is_ready: false, ..page }) };
        let items = items?;
        page.years.clone_from(&answer.within.choices.years);
        page.issuers = issuers(&answer.within.choices.issuers, query.issuer, &tree);
        page.closeness = answer.closeness;
        page.total = u32::try_from(answer.total).unwrap_or(u32::MAX);
        page.next = answer.next;
        let shown = tokio::task::spawn_blocking(move || show(page, &answer, &texts, &items)).await;
        shown.map_err(|error| Error::Internal(format!("results cannot be shown: {error}")))
    }

    /// What was read from the index. `None` if it cannot be read; it is then rebuilt.
    async fn usable<T>(&self, read: std::result::Result<tantivy::Result<T>, JoinError>) -> Result<Option<T>> {
        match read.map_err(|error| TantivyError::InternalError(error.to_string())) {
            Ok(Ok(read)) => Ok(Some(read)),
            Ok(Err(error)) | Err(error) => {
                // A damaged file is detected here at the latest. A rebuild takes a minute; a damaged index fails every search.
                tracing::error!(%error, "cannot query the search index; rebuilding it");
                self.backend.search_index().discard().await?;
                Ok(None)
            }
        }
    }

    /// The items of the answer, read from the store, that the person may still read.
    async fn items(&self, viewer: &Viewer, answer: &IndexAnswer) -> Result<Vec<SearchItem>> {
        let documents: Vec<DocumentId> = answer.of(SearchKind::Documents).map(DocumentId::new).collect();
        let meetings: Vec<MeetingId> = answer.of(SearchKind::Meetings).map(MeetingId::new).collect();
        let courses: Vec<CourseId> = answer.of(SearchKind::Courses).map(CourseId::new).collect();
        let (in_documents, in_meetings, in_courses) = (self.backend.documents(), self.backend.meetings(), self.backend.courses());
        let (documents, meetings, courses) = try_join!(
            Box::pin(in_documents.found(viewer, &documents)),
            Box::pin(in_meetings.found(viewer, &meetings)),
            Box::pin(in_courses.found(viewer, &courses)),
        )?;
        let documents = documents.into_iter().map(SearchItem::Document);
        let meetings = meetings.into_iter().map(SearchItem::Meeting);
        Ok(documents.chain(meetings).chain(courses.into_iter().map(SearchItem::Course)).collect())
    }
}

/// The answer of the index.
struct IndexAnswer {
    searcher: Searcher,
    fields: Fields,
    closeness: Closeness,
    /// The query as typed.
    typed: ParsedQuery,
    /// Possible corrections of the query, the likeliest first.
    meant: Vec<ParsedQuery>,
    total: usize,
    /// The items of the page.
    found: Vec<FoundItem>,
    next: Option<SearchPlace>,
    within: Arc<Within>,
}

/// An item of the page.
#[derive(Debug, Clone, Copy)]
struct FoundItem {
    what: Option<SearchKind>,
    item: Ulid,
    address: DocAddress,
    /// Index into [`IndexAnswer::meant`] of the correction that found it; none for the query as typed.
    meant: Option<usize>,
}

/// The indexed texts of an item, from which the excerpt is taken.
struct Text {
    found: FoundItem,
    plain: String,
    attached: Vec<Attached>,
}

impl IndexAnswer {
    fn at(
        held: &OpenIndex,
        searcher: &Searcher,
        typed: ParsedQuery,
        query: &SearchQuery,
        within: Arc<Within>,
    ) -> tantivy::Result<Self> {
        let input = RankingInput {
            searcher,
            fields: &held.fields,
            frequent: &held.frequent,
            query,
            within: &within.entries,
            wanted: PAGE + 1,
        };
        let Closest { closeness, meant, mut found, behind } = closest(input, &typed)?;
        let total = found.len() + behind;
        found.retain(|(found, _)| query.after.is_none_or(|after| found.place < after));
        if found.len() > PAGE {
            found.select_nth_unstable_by_key(PAGE, |(found, _)| Reverse(found.place));
        }
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        found.sort_unstable_by_key(|(found, _)| Reverse(found.place));
        let next = found.last().filter(|_| more).map(|(last, _)| last.place);
        let found = found.iter().map(|(found, meant)| FoundItem::read(searcher, found, *meant));
        let found = found.collect::<tantivy::Result<_>>()?;
        let (searcher, fields) = (searcher.clone(), held.fields);
        Ok(Self { searcher, fields, closeness, typed, meant, total, found, next, within })
    }

    /// The ids of the found items of this kind.
    fn of(&self, what: SearchKind) -> impl Iterator<Item = Ulid> {
        self.found.iter().filter(move |found| found.what == Some(what)).map(|found| found.item)
    }

    /// The texts of the found items, in the same order.
    fn texts(&self) -> tantivy::Result<Vec<Text>> {
        self.found.iter().map(|found| Text::read(&self.searcher, &self.fields, *found)).collect()
    }

    fn asked(&self, text: &Text) -> &ParsedQuery {
        text.found.meant.and_then(|meant| self.meant.get(meant)).unwrap_or(&self.typed)
    }
}

impl FoundItem {
    fn read(searcher: &Searcher, found: &Found, meant: Option<usize>) -> tantivy::Result<Self> {
        let columns = searcher.segment_reader(found.address.segment_ord).fast_fields();
        let what = columns.u64(WHAT)?.first(found.address.doc_id).and_then(what);
        Ok(Self { what, item: found.place.item, address: found.address, meant })
    }
}

impl Text {
    fn read(searcher: &Searcher, fields: &Fields, found: FoundItem) -> tantivy::Result<Self> {
        let document: TantivyDocument = searcher.doc(found.address)?;
        let texts = |field| document.get_all(field).filter_map(|value| value.as_str().map(str::to_owned));
        let mut parts = texts(fields.attached_plain);
        let mut attached = Vec::new();
        while let (Some(name), Some(text)) = (parts.next(), parts.next()) {
            attached.push(Attached { name, text });
        }
        let plain = texts(fields.plain).next().unwrap_or_default();
        Ok(Self { found, plain, attached })
    }

    /// All searchable texts of the item and its files.
    fn parts<'t>(&'t self, item: &'t SearchItem) -> impl Iterator<Item = &'t str> {
        let files = self.attached.iter().flat_map(|file| [file.name.as_str(), file.text.as_str()]);
        [item.title(), item.unit().name.as_str(), self.plain.as_str()].into_iter().chain(files)
    }
}

/// The page with the items that may still be shown.
fn show(mut page: SearchPage, answer: &IndexAnswer, texts: &[Text], items: &[SearchItem]) -> SearchPage {
    let mut marked: Vec<(Option<usize>, SearchItem, Texts<'_>, Marks<'_>)> = Vec::with_capacity(texts.len());
    let titles: Vec<String> = items.iter().map(|item| plain::shown(item.title())).collect();
    for text in texts {
        let asked = answer.asked(text);
        let at = items.iter().position(|item| item.id() == text.found.item);
        let Some(at) = at.filter(|at| excerpt::has_phrases(asked, text.parts(&items[*at]))) else {
            // The item was withdrawn concurrently, or the word pairs of a phrase are not adjacent.
            page.total = page.total.saturating_sub(1);
            continue;
        };
        let texts = Texts { title: &titles[at], about: about(&items[at]), plain: &text.plain, files: &text.attached };
        marked.push((text.found.meant, titled(&items[at], &titles[at]), texts, excerpt::marks(texts, asked)));
    }
    if let Some(best) = answer.meant.first() {
        let spelt = marked.iter().filter(|(meant, ..)| *meant == Some(0)).take(SPELT_BY).map(|(.., marks)| marks);
        let spelt = excerpt::spelt(best, &spelt.collect::<Vec<_>>());
        page.instead = Some(spelt).filter(|spelt| *spelt != page.typed);
    }
    for (meant, item, texts, marks) in marked {
        let asked = meant.and_then(|meant| answer.meant.get(meant)).unwrap_or(&answer.typed);
        let Passage { title, excerpt, attachment } = excerpt::passage(texts, &marks, asked);
        page.hits.push(SearchHit { item, title, excerpt, attachment });
    }
    page
}

fn titled(item: &SearchItem, title: &str) -> SearchItem {
    let mut item = item.clone();
    let own = match &mut item {
        SearchItem::Document(document) => &mut document.title,
        SearchItem::Meeting(meeting) => &mut meeting.title,
        SearchItem::Course(course) => &mut course.title,
    };
    title.clone_into(own);
    item
}

/// Searchable texts of an item that are not part of its body: number, unit, kind.
fn about(item: &SearchItem) -> [&str; 3] {
    let unit = item.unit().name.as_str();
    match item {
        SearchItem::Document(document) => [document.number.as_deref().unwrap_or_default(), unit, kind_words(document.kind)],
        SearchItem::Meeting(meeting) => ["", unit, meeting_words(meeting.kind)],
        SearchItem::Course(_) => ["", unit, COURSE_WORDS],
    }
}

/// The units of the filter: those with the most documents, and always the selected one. `most_first` are the units with documents.
///
/// Only those shown are looked up in the tree: an editor reads documents of thousands of units.
fn issuers(most_first: &[UnitId], chosen: Option<UnitId>, tree: &Tree) -> Vec<UnitRef> {
    let selected = most_first.iter().filter(|unit| chosen == Some(**unit));
    let others = most_first.iter().filter(|unit| chosen != Some(**unit));
    let known = selected.chain(others).filter_map(|unit| tree.known(&unit.to_string()));
    let mut units: Vec<UnitRef> = known.take(SearchPage::ISSUERS_MAX).cloned().collect();
    units.sort_by(|a, b| (&a.path, a.id).cmp(&(&b.path, b.id)));
    units
}
