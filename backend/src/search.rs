//! Searching documents, meetings and courses: an index beside the store, and the use-case that asks it.
//!
//! **Why an index of its own.** The store knows whole columns and ranges of them; words, their forms and their weight it does not. The
//! engine is `tantivy`, because it runs inside the process, keeps its files in one folder and needs no service; only this module and
//! those below it name it. Of its queries only the lists of words are used: see `ranking.rs` for the reason.
//!
//! **What the index is.** A copy that can be made again at any time: of published documents, meetings, and courses that were given to
//! somebody, never of drafts, with nothing personal in it. It lies in `search/` beside the store, is not part of a backup, and is made anew when it is missing, damaged, of
//! another version of this program or of another store. Several processes at one server have one each, in a folder that goes with
//! the process.
//!
//! **How it follows.** [`crate::Backend::catch_up`] hands each event on (`SearchIndex::note`); a task of its own
//! ([`Backend::follow_search`]) reads what they name and commits, so neither readers nor writers wait for the disk. With each
//! commit goes the moment up to which the log was read: a restart reads only what came after.
//!
//! Invariant: what a person finds is what the policy lets them read. The query is narrowed to what reaches them (`reach.rs`,
//! `within.rs`), and each one is read from the store and asked about again before it is shown.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
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
use tantivy::{Searcher, TantivyDocument, TantivyError, schema::Value};
use tokio::sync::Notify;
use ulid::Ulid;

use crate::{Backend, Error, Result, StoreLocation, units::Tree};

mod closest;
mod counts;
mod entries;
mod excerpt;
mod follow;
mod index;
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
use index::{Attached, IndexLocation, OpenIndex, WHAT, what};
use marks::Marks;
use parsed_query::ParsedQuery;
use ranking::{Found, RankingInput};
use reach::Reach;
use within::Within;

/// Items on a page.
const PAGE: usize = 20;

/// Items whose words are looked at to spell a suggestion.
const SPELT_BY: usize = 3;

/// How far the log may run ahead of the last commit when no document changes.
const COMMIT_EVERY: TimeDelta = TimeDelta::minutes(10);

/// The process's index.
pub(crate) struct SearchIndex {
    location: IndexLocation,
    held: RwLock<Option<Arc<OpenIndex>>>,
    waiting: Mutex<Waiting>,
    woken: Notify,
    /// One brings the index up to date at a time.
    turn: tokio::sync::Mutex<()>,
}

/// What the log has told of that is not in the index yet.
#[derive(Debug, Default)]
struct Waiting {
    due: Due,
    horizon: Option<DateTime<Utc>>,
    committed: Option<DateTime<Utc>>,
}

/// What has to be read anew.
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

    /// Takes an event into account. Cheap: the work is the follower's.
    pub(crate) fn note(&self, event: &Event) {
        let mut waiting = self.waiting();
        waiting.note(event);
        if !waiting.due.is_empty() {
            self.woken.notify_one();
        }
    }

    /// Forgets the index: after rows were written that the log does not name, or when it is damaged. The follower makes it anew.
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

    /// Whether there is something to write; the horizon alone only now and then.
    fn is_due(&self) -> bool {
        let is_ahead = match (self.horizon, self.committed) {
            (Some(horizon), Some(committed)) => horizon - committed > COMMIT_EVERY,
            _ => false,
        };
        is_ahead || !self.due.is_empty()
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
        let reach = Reach::of(&viewer.standpoint, &tree);
        let question = query.clone();
        let answer = tokio::task::spawn_blocking(move || IndexAnswer::at(&held, asked, &question, &reach)).await;
        let answer = match answer.map_err(|error| TantivyError::InternalError(error.to_string())) {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) | Err(error) => {
                // A damaged file shows itself here at the latest. A new index costs a minute, a broken one every search.
                tracing::error!(%error, "the search index does not answer and is made anew");
                index.discard().await?;
                return Ok(SearchPage { is_ready: false, ..page });
            }
        };
        page.years.clone_from(&answer.within.choices.years);
        page.issuers = issuers(&answer.within.choices.issuers, query.issuer, &tree);
        page.closeness = answer.closeness;
        page.total = u32::try_from(answer.total).unwrap_or(u32::MAX);
        page.next = answer.next;
        let items = self.items(viewer, &answer).await?;
        let shown = tokio::task::spawn_blocking(move || show(page, &answer, &items)).await;
        shown.map_err(|error| Error::Internal(format!("results cannot be shown: {error}")))
    }

    /// What was found as it is in the store, of that what the person may still read.
    async fn items(&self, viewer: &Viewer, answer: &IndexAnswer) -> Result<Vec<SearchItem>> {
        let documents: Vec<DocumentId> = answer.of(SearchKind::Documents).map(DocumentId::new).collect();
        let meetings: Vec<MeetingId> = answer.of(SearchKind::Meetings).map(MeetingId::new).collect();
        let courses: Vec<CourseId> = answer.of(SearchKind::Courses).map(CourseId::new).collect();
        let documents = self.backend.documents().found(viewer, &documents).await?;
        let meetings = self.backend.meetings().found(viewer, &meetings).await?;
        let courses = self.backend.courses().found(viewer, &courses).await?;
        let documents = documents.into_iter().map(SearchItem::Document);
        let meetings = meetings.into_iter().map(SearchItem::Meeting);
        Ok(documents.chain(meetings).chain(courses.into_iter().map(SearchItem::Course)).collect())
    }
}

/// What the index answered, with the texts of the page.
struct IndexAnswer {
    closeness: Closeness,
    /// What was looked for: as typed, and what may have been meant, the likeliest first.
    typed: ParsedQuery,
    meant: Vec<ParsedQuery>,
    total: usize,
    texts: Vec<Text>,
    next: Option<SearchPlace>,
    within: Arc<Within>,
}

/// What the index holds of an item, to cut the passage from that is shown.
struct Text {
    what: Option<SearchKind>,
    item: Ulid,
    /// By which of [`IndexAnswer::meant`] it was found; none for what was typed.
    meant: Option<usize>,
    plain: String,
    attached: Vec<Attached>,
}

impl IndexAnswer {
    fn at(held: &OpenIndex, typed: ParsedQuery, query: &SearchQuery, reach: &Reach) -> tantivy::Result<Self> {
        let searcher = held.searcher();
        let within = held.within(&searcher, reach)?;
        let input = RankingInput { searcher: &searcher, fields: &held.fields, query, within: &within.entries, wanted: PAGE + 1 };
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
        let texts =
            found.iter().map(|(found, meant)| Text::read(&searcher, held, found, *meant)).collect::<tantivy::Result<_>>()?;
        Ok(Self { closeness, typed, meant, total, texts, next, within })
    }

    /// The ids of what was found of this kind.
    fn of(&self, what: SearchKind) -> impl Iterator<Item = Ulid> {
        self.texts.iter().filter(move |text| text.what == Some(what)).map(|text| text.item)
    }

    fn asked(&self, text: &Text) -> &ParsedQuery {
        text.meant.and_then(|meant| self.meant.get(meant)).unwrap_or(&self.typed)
    }
}

impl Text {
    fn read(searcher: &Searcher, held: &OpenIndex, found: &Found, meant: Option<usize>) -> tantivy::Result<Self> {
        let document: TantivyDocument = searcher.doc(found.address)?;
        let texts = |field| document.get_all(field).filter_map(|value| value.as_str().map(str::to_owned));
        let mut parts = texts(held.fields.attached_plain);
        let mut attached = Vec::new();
        while let (Some(name), Some(text)) = (parts.next(), parts.next()) {
            attached.push(Attached { name, text });
        }
        let plain = texts(held.fields.plain).next().unwrap_or_default();
        let columns = searcher.segment_reader(found.address.segment_ord).fast_fields();
        let what = columns.u64(WHAT)?.first(found.address.doc_id).and_then(what);
        Ok(Self { what, item: found.place.item, meant, plain, attached })
    }

    /// All there is to search of the item and its files.
    fn parts<'t>(&'t self, item: &'t SearchItem) -> impl Iterator<Item = &'t str> {
        let files = self.attached.iter().flat_map(|file| [file.name.as_str(), file.text.as_str()]);
        [item.title(), item.unit().name.as_str(), self.plain.as_str()].into_iter().chain(files)
    }
}

/// The page with those of the items that may still be shown.
fn show(mut page: SearchPage, answer: &IndexAnswer, items: &[SearchItem]) -> SearchPage {
    let mut marked: Vec<(Option<usize>, SearchItem, Texts<'_>, Marks<'_>)> = Vec::with_capacity(answer.texts.len());
    let titles: Vec<String> = items.iter().map(|item| plain::shown(item.title())).collect();
    for text in &answer.texts {
        let asked = answer.asked(text);
        let at = items.iter().position(|item| item.id() == text.item);
        let Some(at) = at.filter(|at| excerpt::has_phrases(asked, text.parts(&items[*at]))) else {
            // Withdrawn a moment ago, or two pairs of a phrase that do not follow each other.
            page.total = page.total.saturating_sub(1);
            continue;
        };
        let texts = Texts { title: &titles[at], about: about(&items[at]), plain: &text.plain, files: &text.attached };
        marked.push((text.meant, titled(&items[at], &titles[at]), texts, excerpt::marks(texts, asked)));
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

/// What an item is searched by and does not say in its text: number, unit, kind.
fn about(item: &SearchItem) -> [&str; 3] {
    let unit = item.unit().name.as_str();
    match item {
        SearchItem::Document(document) => [document.number.as_deref().unwrap_or_default(), unit, kind_words(document.kind)],
        SearchItem::Meeting(meeting) => ["", unit, meeting_words(meeting.kind)],
        SearchItem::Course(_) => ["", unit, COURSE_WORDS],
    }
}

/// The units to choose from: those with the most documents, and always the one that was chosen.
fn issuers(counts: &BTreeMap<String, usize>, chosen: Option<UnitId>, tree: &Tree) -> Vec<UnitRef> {
    let mut units: Vec<(usize, UnitRef)> =
        counts.iter().filter_map(|(id, count)| Some((*count, tree.known(id)?.clone()))).collect();
    units.sort_by_key(|(count, unit)| (chosen != Some(unit.id), Reverse(*count)));
    units.truncate(SearchPage::ISSUERS_MAX);
    let mut units: Vec<UnitRef> = units.into_iter().map(|(_, unit)| unit).collect();
    units.sort_by(|a, b| (&a.path, a.id).cmp(&(&b.path, b.id)));
    units
}
