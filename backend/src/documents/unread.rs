//! A member's unread documents, without checking every document each time.
//!
//! A row records that a document was read; nothing records that it was not. So the list walks the documents that reach the
//! member, newest first, and looks up the read rows of each batch by id. For a member who has read most documents, that is a long
//! walk to a few results. So the result is cached in a note: all documents between two published keys were checked, and the note
//! lists the unread ones. The next walk checks newer documents, then the note, and only then older ones. So each document is
//! checked once a day, however often the list is opened.
//!
//! Invariant: a note is a cache, not the source of truth. It is valid for a branch, a standing and a version of the tree, and for
//! a day; documents corrected since then, whose audience may have changed, are added to it; each document it lists is checked
//! again before it is shown.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::Viewer,
    ids::{DocumentId, PublishedKey},
};

use super::{
    COLUMNS, Document, Documents, read_marks,
    walk::{TOP, Walk, line, line_vars, over_line, rows_of},
};
use crate::{
    Error, Result,
    change::Change,
    events::lowest,
    store::{SurrealValue, record, vars},
};

/// Age after which an unread document is no longer listed.
const NEWS: TimeDelta = TimeDelta::days(365);

/// Time within which a document with an earlier key may still appear next to a newer one, published by a slower process.
const SETTLED: TimeDelta = TimeDelta::minutes(15);

/// Version of the rule by which a note treats a document as read; notes of other versions are ignored.
const RULE: i64 = 2;

/// How long a note is valid.
const LIFETIME: TimeDelta = TimeDelta::days(1);

/// Documents a note lists at most. It then covers the range down to the last of them.
const NOTED: usize = 300;

/// Documents checked in one batch.
const BATCH: usize = 100;

/// Recent corrections that are taken into account.
const CORRECTED: usize = 200;

impl Documents<'_> {
    /// At most `count` unread documents published within a year that reach the person, newest first, below a published key.
    pub(super) async fn unread(&self, viewer: &Viewer, below: Option<PublishedKey>, count: usize) -> Result<Vec<Document>> {
        self.find_unread(viewer, below, count).await.map(|search| search.found)
    }

    async fn find_unread<'a>(
        &'a self,
        viewer: &'a Viewer,
        below: Option<PublishedKey>,
        count: usize,
    ) -> Result<UnreadSearch<'a>> {
        let now = self.backend.clock().now();
        let floor = lowest(now - NEWS).to_string();
        let settled = lowest(now - SETTLED).to_string();
        let top = below.map_or_else(|| TOP.to_owned(), |key| key.to_string());
        let mut search =
            UnreadSearch { documents: *self, viewer, wanted: count, found: Vec::new(), looked_at: 0, settled_entries: 0 };
        let known = self.note_of(viewer, now).await?;

        // Documents newer than the note, or all of them without one.
        let start = known.as_ref().map_or(floor.as_str(), |note| note.upto.as_str().max(&floor));
        let mut from = if top.as_str() > start { search.over(start, &top).await? } else { start.to_owned() };
        let mut note = match known {
            Some(note) if from == start => note,
            // The page is full before the note was reached: the range checked becomes a new note.
            _ if below.is_none() => Note { at: now, from: from.clone(), upto: settled.clone(), unread: Vec::new() },
            _ => return Ok(search),
        };
        let mut entries = search.entries();
        let newer = entries.len();
        // Documents listed in the note.
        let (within, passed): (Vec<Entry>, Vec<Entry>) =
            note.unread.drain(..).partition(|entry| entry.shelf.as_str() < top.as_str());
        let left = search.among(within).await?;
        entries.extend(search.entries().into_iter().skip(newer));
        entries.extend(left);
        // Documents older than the note. If the page begins below the note, the ranges do not join.
        let older = search.found.len();
        if !search.is_full() && note.from > floor {
            let joins = top >= note.from;
            from = search.over(&floor, note.from.as_str().min(&top)).await?;
            if joins {
                note.from = from;
                entries.extend(search.entries().into_iter().skip(older));
            }
        }
        if below.is_none() {
            note.upto = settled;
        }
        entries.extend(passed);
        note.name(entries);
        if search.looked_at + search.settled_entries > 2 * count {
            self.keep_note(viewer, &note).await?;
        }
        Ok(search)
    }

    /// The member's note, if still valid.
    async fn note_of(&self, viewer: &Viewer, now: DateTime<Utc>) -> Result<Option<Note>> {
        let tree = self.backend.units().tree();
        if tree.is_moving() {
            return Ok(None);
        }
        let vars = vars! { note: record("unread", viewer.member) };
        let row: Option<NoteRow> = self.backend.store().read(NOTE, vars).await?.row(0)?;
        let holds = |row: &NoteRow| {
            row.branch == tree.registered(viewer).to_string()
                && row.standing == viewer.standpoint.standing.key()
                && row.tree == tree.version()
                && row.rule == Some(RULE)
                && row.at <= now
                && now - row.at < LIFETIME
        };
        let Some(row) = row.filter(holds) else { return Ok(None) };
        let mut note = row.decode().ok_or_else(|| Error::Damaged(format!("what {} has not read", viewer.member)))?;
        let mut entries = std::mem::take(&mut note.unread);
        entries.extend(self.corrected(viewer, &note).await?);
        note.name(entries);
        Ok(Some(note))
    }

    /// Documents published again since the note was written: they may reach the member only now, with their original key.
    async fn corrected(&self, viewer: &Viewer, note: &Note) -> Result<Vec<Entry>> {
        let tree = self.backend.units().tree();
        let mut vars = line_vars(viewer, &tree);
        vars.insert("since", note.at - SETTLED);
        let mut answers = self.backend.store().read(corrections(viewer), vars).await?;
        let mut entries = Vec::new();
        for row in rows_of(&mut answers, 0..line(viewer).len())? {
            let document = row.decode(&tree)?;
            if document.reaches(viewer) {
                entries.extend(Entry::of(&document));
            }
        }
        Ok(entries)
    }

    async fn keep_note(&self, viewer: &Viewer, note: &Note) -> Result<()> {
        let tree = self.backend.units().tree();
        if tree.is_moving() {
            return Ok(());
        }
        let vars = vars! {
            note: record("unread", viewer.member),
            branch: tree.registered(viewer).to_string(),
            standing: viewer.standpoint.standing.key(),
            tree: tree.version(),
            rule: RULE,
            at: note.at,
            from: note.from.clone(),
            upto: note.upto.clone(),
            unread: note.unread.iter().map(Entry::text).collect::<Vec<_>>(),
        };
        self.backend.transact(Change::new(KEEP, vars)).await?;
        Ok(())
    }
}

const NOTE: &str = "SELECT branch, standing, tree, rule, at, from, upto, unread FROM ONLY $note";

const KEEP: &str = "UPSERT $note SET branch = $branch, standing = $standing, tree = $tree, rule = $rule, at = $at, from = $from, upto = $upto, \
                    unread = $unread RETURN NONE";

fn corrections(viewer: &Viewer) -> String {
    over_line(viewer, |reached| {
        format!("SELECT {COLUMNS} FROM document WHERE {reached} AND corrected_at > $since LIMIT {CORRECTED};")
    })
}

/// A document and its published key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    shelf: String,
    document: DocumentId,
}

impl Entry {
    fn of(document: &Document) -> Option<Self> {
        Some(Self { shelf: document.shelf.clone()?, document: document.id })
    }

    fn text(&self) -> String {
        format!("{}/{}", self.shelf, self.document)
    }

    fn parse(text: &str) -> Option<Self> {
        let (shelf, document) = text.split_once('/')?;
        Some(Self { shelf: shelf.to_owned(), document: document.parse().ok()? })
    }
}

/// The unread documents among all those between two published keys, both included.
#[derive(Debug)]
struct Note {
    at: DateTime<Utc>,
    from: String,
    upto: String,
    /// Newest first.
    unread: Vec<Entry>,
}

impl Note {
    fn name(&mut self, mut entries: Vec<Entry>) {
        entries.retain(|entry| self.from <= entry.shelf && entry.shelf <= self.upto);
        entries.sort_unstable_by(|a, b| b.cmp(a));
        entries.dedup();
        if entries.len() > NOTED {
            entries.truncate(NOTED);
            self.from = entries.last().map_or_else(String::new, |last| last.shelf.clone());
        }
        self.unread = entries;
    }
}

#[derive(Debug, SurrealValue)]
struct NoteRow {
    branch: String,
    standing: String,
    tree: i64,
    rule: Option<i64>,
    at: DateTime<Utc>,
    from: String,
    upto: String,
    unread: Vec<String>,
}

impl NoteRow {
    fn decode(self) -> Option<Note> {
        let unread = self.unread.iter().map(|entry| Entry::parse(entry)).collect::<Option<_>>()?;
        Some(Note { at: self.at, from: self.from, upto: self.upto, unread })
    }
}

/// One search for unread documents.
struct UnreadSearch<'a> {
    documents: Documents<'a>,
    viewer: &'a Viewer,
    wanted: usize,
    found: Vec<Document>,
    /// Document rows read.
    looked_at: usize,
    /// Entries of the note that have been read, or are no longer available.
    settled_entries: usize,
}

impl UnreadSearch<'_> {
    const fn is_full(&self) -> bool {
        self.found.len() >= self.wanted
    }

    fn entries(&self) -> Vec<Entry> {
        self.found.iter().filter_map(Entry::of).collect()
    }

    /// Checks the documents between two keys, and returns the key down to which all were checked.
    async fn over(&mut self, above: &str, below: &str) -> Result<String> {
        let mut walk = Walk::new(self.documents, self.viewer).between(above, below);
        let mut count = self.wanted;
        loop {
            let some = walk.next(count).await?;
            let is_last = some.len() < count;
            let ids: Vec<DocumentId> = some.iter().map(|document| document.id).collect();
            let read = self.read_of(&ids).await?;
            for document in some {
                let place = document.shelf.clone().unwrap_or_default();
                if !read.contains(&document.id) {
                    self.found.push(document);
                }
                if self.is_full() {
                    self.looked_at += walk.looked_at;
                    return Ok(place);
                }
            }
            if is_last {
                self.looked_at += walk.looked_at;
                return Ok(above.to_owned());
            }
            count = BATCH;
        }
    }

    /// Checks the entries of a note, newest first, and returns those beyond the wanted count.
    async fn among(&mut self, entries: Vec<Entry>) -> Result<Vec<Entry>> {
        let mut entries = entries.into_iter();
        while !self.is_full() {
            let some: Vec<Entry> = entries.by_ref().take(self.wanted.max(BATCH / 2)).collect();
            if some.is_empty() {
                break;
            }
            let ids: Vec<DocumentId> = some.iter().map(|entry| entry.document).collect();
            let read = self.read_of(&ids).await?;
            let open: Vec<DocumentId> = ids.into_iter().filter(|id| !read.contains(id)).collect();
            let mut documents = self.documents.fetched(&open).await?;
            documents.retain(|document| document.reaches(self.viewer));
            let mut left = Vec::new();
            for entry in some {
                let Some(at) = documents.iter().position(|document| document.id == entry.document) else {
                    self.settled_entries += 1;
                    continue;
                };
                if self.is_full() {
                    left.push(entry);
                } else {
                    self.found.push(documents.swap_remove(at));
                }
            }
            if self.is_full() {
                left.extend(entries);
                return Ok(left);
            }
        }
        Ok(entries.collect())
    }

    async fn read_of(&self, ids: &[DocumentId]) -> Result<HashSet<DocumentId>> {
        let read = read_marks(self.documents.backend.store(), self.viewer.member, ids).await?;
        Ok(read.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use domain::{documents::PersonalList, ids::UnitId};
    use ulid::Ulid;

    use super::*;
    use crate::{
        Backend, Clock, Keys, StoreLocation,
        demo::registry::Registry,
        documents::{READ, walk::tests::viewer_at},
        store::{pair, tests::migrated},
        units::{Tree, tests::level},
    };

    #[tokio::test]
    async fn the_note_and_the_corrections_are_found_by_index() {
        let store = migrated().await;
        let viewer = viewer_at("/01/51/001/07/");
        store.assert_no_scan(NOTE, vars! { note: record("unread", viewer.member) }).await;
        let mut vars = line_vars(&viewer, &Tree::default());
        vars.insert("since", Utc::now());
        store.assert_no_scan(&corrections(&viewer), vars).await;
    }

    fn noon() -> DateTime<Utc> {
        "2026-11-21T05:00:00Z".parse().expect("a moment")
    }

    /// A branch with a member, and one document for each of the last `hours` hours, oldest first.
    async fn library(hours: i64) -> (Backend, Viewer, Vec<DocumentId>) {
        let backend =
            Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), Clock::fixed(noon(), 1)).await.expect("opens");
        let mut registry = Registry::new(&backend, 1, noon());
        let province = registry.unit(None, level("province"), "51", "Tỉnh").expect("a code");
        let branch = registry.unit(Some(&province), level("branch"), "07", "Chi bộ").expect("a code");
        registry.save().await.expect("saves");
        let mut viewer = viewer_at(branch.path.as_str());
        viewer.branch = branch.clone();
        let mut documents = Vec::new();
        for hour in (1..=hours).rev() {
            let audience = if hour % 3 == 0 { &province } else { &branch };
            documents.push(publish(&backend, audience.id, audience.path.as_str(), noon() - TimeDelta::hours(hour)).await);
        }
        (backend, viewer, documents)
    }

    async fn publish(backend: &Backend, audience: UnitId, path: &str, at: DateTime<Utc>) -> DocumentId {
        let id = DocumentId::new(backend.clock().ulid_at(at));
        let sql = "CREATE $document SET kind = 'news', title = 't', issuer = $unit, issuer_path = $path, issuer_level = 'province', \
                   audience = $unit, audience_path = $path, state = 'published', version = 1, minutes = 1, saved_at = $at, \
                   saved_by = 'M', published_at = $at, shelf = $shelf RETURN NONE";
        let vars = vars! {
            document: record("document", id), unit: audience.to_string(), path: path.to_owned(), at: at, shelf: id.to_string(),
        };
        backend.store().write(sql, vars).await.expect("publishes");
        id
    }

    async fn read(backend: &Backend, viewer: &Viewer, documents: &[DocumentId]) {
        for document in documents {
            let vars = vars! { receipt: pair(READ, document, viewer.member), at: noon() };
            let sql = "CREATE $receipt SET path = '/51/07/', at = $at, counted = true, seen = 'end' RETURN NONE";
            backend.store().write(sql, vars).await.expect("reads");
        }
    }

    async fn search(backend: &Backend, viewer: &Viewer, count: usize) -> (Vec<DocumentId>, usize) {
        let documents = backend.documents();
        let search = documents.find_unread(viewer, None, count).await.expect("looks");
        (search.found.iter().map(|document| document.id).collect(), search.looked_at)
    }

    #[tokio::test]
    async fn documents_already_read_are_checked_once() {
        let (backend, viewer, documents) = library(500).await;
        let unread = [documents[3], documents[250], documents[490]];
        let others: Vec<DocumentId> = documents.iter().filter(|id| !unread.contains(id)).copied().collect();
        read(&backend, &viewer, &others).await;
        let expected = [unread[2], unread[1], unread[0]];

        let (found, looked_at) = search(&backend, &viewer, 21).await;
        assert_eq!(found, expected);
        assert!((500..=520).contains(&looked_at), "{looked_at}");
        for _ in 0..2 {
            assert_eq!(search(&backend, &viewer, 21).await, (expected.to_vec(), 0), "only the note is read");
        }
        // A new document is checked, and one read since is dropped.
        let fresh = publish(&backend, viewer.branch.id, viewer.branch.path.as_str(), noon()).await;
        read(&backend, &viewer, &[unread[1]]).await;
        assert_eq!(search(&backend, &viewer, 21).await, (vec![fresh, unread[2], unread[0]], 1));
    }

    #[tokio::test]
    async fn pages_and_notes_join_without_gaps_or_duplicates() {
        let (backend, viewer, documents) = library(420).await;
        let read_ones: Vec<DocumentId> = documents.iter().enumerate().filter(|(at, _)| at % 5 != 0).map(|(_, id)| *id).collect();
        read(&backend, &viewer, &read_ones).await;
        let expected: Vec<DocumentId> = documents.iter().rev().filter(|id| !read_ones.contains(id)).copied().collect();
        assert_eq!(expected.len(), 84);
        for round in 0..3 {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = backend.documents().personal(&viewer, PersonalList::Unread, after).await.expect("a page");
                found.extend(page.rows.iter().map(|row| row.document.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "round {round}");
        }
    }

    #[tokio::test]
    async fn a_note_is_valid_for_a_branch_a_standing_and_a_day() {
        let (backend, viewer, documents) = library(120).await;
        read(&backend, &viewer, &documents).await;
        assert_eq!(search(&backend, &viewer, 21).await, (Vec::new(), 120));
        assert_eq!(search(&backend, &viewer, 21).await, (Vec::new(), 0));
        let mut probationary = viewer.clone();
        probationary.standpoint.standing = domain::members::Standing::Probationary;
        assert_eq!(search(&backend, &probationary, 21).await.1, 120, "a note is not valid for another standing");
        assert_eq!(search(&backend, &viewer, 21).await.1, 120);
        backend.clock().advance(TimeDelta::hours(25));
        assert_eq!(search(&backend, &viewer, 21).await.1, 120, "a note expires after a day");
    }

    #[tokio::test]
    async fn a_correction_with_a_new_audience_is_found_under_its_original_key() {
        let (backend, viewer, documents) = library(80).await;
        let elsewhere = publish(&backend, UnitId::new(Ulid::nil()), "/51/99/", noon() - TimeDelta::minutes(90)).await;
        read(&backend, &viewer, &documents).await;
        assert_eq!(search(&backend, &viewer, 21).await.0, []);
        backend.clock().advance(TimeDelta::minutes(1));
        let sql = "UPDATE $document SET audience = $unit, issuer = $unit, audience_path = $path, corrected_at = $now";
        let vars = vars! {
            document: record("document", elsewhere),
            unit: viewer.branch.id.to_string(),
            path: viewer.branch.path.to_string(),
            now: backend.clock().now(),
        };
        backend.store().write(sql, vars).await.expect("corrects");
        assert_eq!(search(&backend, &viewer, 21).await, (vec![elsewhere], 0));
    }

    #[tokio::test]
    async fn documents_older_than_a_year_are_not_listed() {
        let (backend, viewer, documents) = library(3).await;
        publish(&backend, viewer.branch.id, viewer.branch.path.as_str(), noon() - TimeDelta::days(366)).await;
        let newest: Vec<DocumentId> = documents.into_iter().rev().collect();
        assert_eq!(search(&backend, &viewer, 21).await.0, newest);
    }

    #[test]
    fn a_note_at_its_limit_covers_the_range_down_to_its_last_entry() {
        let entry = |n: u64| {
            let key = Ulid::from_parts(n, 0);
            Entry { shelf: key.to_string(), document: DocumentId::new(key) }
        };
        let ends = [entry(0), entry(1_000_000)].map(|entry| entry.shelf);
        let mut note = Note { at: noon(), from: ends[0].clone(), upto: ends[1].clone(), unread: Vec::new() };
        note.name((1..=400).map(entry).collect());
        assert_eq!((note.unread.len(), &note.from), (NOTED, &entry(101).shelf));
        assert_eq!(Entry::parse(&note.unread[0].text()), Some(entry(400)));
    }
}
