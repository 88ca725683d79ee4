//! Compares what is found with the policy, on rows as the desk writes them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{
    accounts::Viewer,
    documents::{DocumentField, DocumentKind},
    events::{Event, EventBody},
    ids::{CourseId, DocumentId, EventId, MeetingId, UnitId},
    meetings::MeetingKind,
    members::Standing,
    policy::{Action, Grant, Role, Standpoint},
    search::{Closeness, Piece, SearchKind, SearchPage, SearchQuery},
    units::{UnitPath, UnitRef},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use ulid::Ulid;

use crate::{
    Backend, Clock, Keys, StoreLocation,
    demo::registry::Registry,
    store::{record, vars},
    units::{Tree, tests::level},
};

fn now() -> DateTime<Utc> {
    "2026-11-21T08:00:00Z".parse().expect("a moment")
}

async fn backend() -> Backend {
    Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), Clock::fixed(now(), 1)).await.expect("opens")
}

/// A document as publishing stores it.
#[derive(Debug, Clone)]
struct Written {
    id: DocumentId,
    title: String,
    body: String,
    field: Option<DocumentField>,
    issuer: UnitRef,
    audience: UnitRef,
    parts: Vec<UnitRef>,
    except: Vec<UnitRef>,
    standings: Vec<Standing>,
    attachments: Vec<String>,
    is_out: bool,
}

impl Written {
    fn new(backend: &Backend, issuer: &UnitRef, audience: &UnitRef) -> Self {
        Self {
            id: DocumentId::new(backend.clock().ulid()),
            title: "Văn bản chung".to_owned(),
            body: "Nội dung chung.".to_owned(),
            field: None,
            issuer: issuer.clone(),
            audience: audience.clone(),
            parts: Vec::new(),
            except: Vec::new(),
            standings: Vec::new(),
            attachments: Vec::new(),
            is_out: true,
        }
    }

    async fn save(&self, backend: &Backend) {
        let standings: Vec<&str> = self.standings.iter().map(|standing| standing.key()).collect();
        let vars = vars! {
            document: record("document", self.id),
            text: record("document_text", self.id),
            title: self.title.as_str(),
            body: self.body.as_str(),
            field: self.field.map(DocumentField::key),
            issuer: self.issuer.id.to_string(),
            issuer_path: self.issuer.path.to_string(),
            issuer_level: self.issuer.kind.key(),
            audience: self.audience.id.to_string(),
            audience_path: self.audience.path.to_string(),
            parts: named(&self.parts),
            except: named(&self.except),
            standings: (!standings.is_empty()).then_some(standings),
            attachments: self.attachments.clone(),
            state: if self.is_out { "published" } else { "withdrawn" },
            at: now(),
            by: self.id.to_string(),
            shelf: self.is_out.then(|| self.id.to_string()),
        };
        let sql = "UPSERT $document CONTENT { kind: 'guidance', title: $title, field: $field, issuer: $issuer, issuer_path: $issuer_path, \
                   issuer_level: $issuer_level, audience: $audience, audience_path: $audience_path, parts: $parts, \
                   except: $except, standings: $standings, attachments: $attachments, state: $state, version: 1, minutes: 1, saved_at: $at, saved_by: $by, \
                   published_at: $at, shelf: $shelf } RETURN NONE; \
                   UPSERT $text CONTENT { body: $body } RETURN NONE;";
        backend.store().write(sql, vars).await.expect("writes");
    }

    /// Notifies the index of the document, as the log would.
    fn tell(&self, backend: &Backend, body: fn(DocumentId) -> EventBody) {
        note(backend, &self.issuer, body(self.id));
    }

    /// The rule in words: published, and either addressed to this member or within the reach of an office that reads or writes.
    fn may_be_found_by(&self, reader: &Viewer, tree: &Tree) -> bool {
        let standpoint = &reader.standpoint;
        let successor = |unit: &UnitRef| tree.successor(&unit.id.to_string()).expect("is known").path.clone();
        let (issuer, audience) = (successor(&self.issuer), successor(&self.audience));
        let is_in_part = self.parts.is_empty() || self.parts.iter().any(|part| successor(part).contains(&standpoint.branch));
        let is_excepted = |path: &UnitPath| excepted(&self.except, tree).iter().any(|unit| unit.contains(path));
        let is_in_part = is_in_part && !is_excepted(&standpoint.branch);
        let holds_part = |top_unit: &&UnitPath| {
            let mut parts = self.parts.iter().map(successor).filter(|part| audience.contains(part));
            parts.any(|part| top_unit.contains(&part)) && !is_excepted(top_unit)
        };
        let is_meant = is_in_part && (self.standings.is_empty() || self.standings.contains(&standpoint.standing));
        self.is_out
            && ((is_meant && standpoint.may_as_member(Action::ReadDocument, &audience))
                || standpoint.may_by_office(Action::ReadDocument, &audience)
                || standpoint.top_units(Action::ReadDocument).iter().any(holds_part)
                || standpoint.may_by_office(Action::WriteDocument, &issuer))
    }
}

/// Ids of units as a column.
fn named(units: &[UnitRef]) -> Option<Vec<String>> {
    (!units.is_empty()).then(|| units.iter().map(|unit| unit.id.to_string()).collect())
}

/// The places of those of the excepted units that did not end in another one.
fn excepted(units: &[UnitRef], tree: &Tree) -> Vec<UnitPath> {
    let now = units.iter().filter_map(|unit| tree.successor(&unit.id.to_string()).filter(|successor| successor.id == unit.id));
    now.map(|unit| unit.path.clone()).collect()
}

/// Some units below this one, each with a chance of one in `of`.
fn some_below(units: &[UnitRef], above: &UnitRef, dice: &mut StdRng, of: u32) -> Vec<UnitRef> {
    let below = units.iter().filter(|unit| above.path.contains(&unit.path) && unit.id != above.id);
    below.filter(|_| dice.random_range(0..of) == 0).cloned().collect()
}

/// Notifies the index of an event of this unit, as the log would.
fn note(backend: &Backend, unit: &UnitRef, body: EventBody) {
    let id = EventId::new(backend.clock().ulid());
    backend.search_index().note(&Event { id, at: now(), actor: None, unit: unit.path.clone(), body });
}

fn reader(branch: &UnitRef, standing: Standing, grants: Vec<Grant>) -> Viewer {
    Viewer {
        member: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("an id"),
        name: "Người đọc".to_owned(),
        branch: branch.clone(),
        standpoint: Standpoint { branch: branch.path.clone(), standing, grants },
        offices: Vec::new(),
        resting: Vec::new(),
    }
}

async fn find(backend: &Backend, reader: &Viewer, typed: &str) -> SearchPage {
    let query = SearchQuery { typed: typed.to_owned(), ..SearchQuery::default() };
    backend.search().find(reader, &query).await.expect("answers")
}

fn ids(page: &SearchPage) -> Vec<DocumentId> {
    page.hits.iter().filter_map(|hit| hit.item.document()).map(|document| document.id).collect()
}

/// A root with provinces, communes and branches below it; the first is the root.
async fn tree(backend: &Backend, dice: &mut StdRng, count: usize) -> Vec<UnitRef> {
    let mut registry = Registry::new(backend, 1, now());
    let root = registry.unit(None, level("central"), "01", "Trung ương").expect("a code");
    let mut units = vec![root];
    for number in 1..count {
        let above: Vec<&UnitRef> = units.iter().filter(|unit| unit.kind != level("branch")).collect();
        let parent = (*above.choose(dice).expect("the root at least")).clone();
        let kind = match parent.kind.key() {
            "central" => level("province"),
            "province" => level("commune"),
            _ => level("branch"),
        };
        let unit = registry.unit(Some(&parent), kind, &format!("{number:02}"), &format!("Đơn vị {number}"));
        units.push(unit.expect("a code"));
    }
    registry.save().await.expect("saves");
    units
}

/// Ends the unit as a merge or a closure does.
async fn end(backend: &Backend, unit: &UnitRef, parent: UnitId, successor: Option<UnitId>) {
    let vars = vars! {
        unit: record("unit", unit.id),
        parent: parent.to_string(),
        successor: successor.map(|unit| unit.to_string()),
    };
    let sql = "UPDATE $unit SET closed_on = '2026-11-01', parent = $parent, successor = $successor RETURN NONE";
    backend.store().write(sql, vars).await.expect("writes");
    backend.units().reload(backend.store()).await.expect("reads");
}

/// Closes some units and merges others; only units without children, so that nothing else has to move.
async fn end_some(backend: &Backend, dice: &mut StdRng, units: &[UnitRef]) {
    for unit in units.iter().skip(1).rev() {
        let tree = backend.units().tree();
        if tree.subtree(&unit.path).count() > 1 || dice.random_range(0..3) > 0 {
            continue;
        }
        let parent = tree.at(&unit.path.parent().expect("not the root")).expect("is open").id;
        let others: Vec<UnitId> = tree.all().filter(|other| other.id != unit.id).map(|other| other.id).collect();
        let successor = if dice.random_range(0..4) == 0 { None } else { others.choose(dice).copied() };
        end(backend, unit, parent, successor).await;
    }
}

/// Over random trees with units that ended, merged, and merged again; over audiences, standings, offices and postings.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_finds_exactly_what_the_policy_says() {
    for seed in 1..=3 {
        let mut dice = StdRng::seed_from_u64(seed);
        let backend = backend().await;
        let units = tree(&backend, &mut dice, 30).await;
        let mut documents = Vec::new();
        for _ in 0..60 {
            let issuer = units.choose(&mut dice).expect("one");
            let below: Vec<_> = units.iter().filter(|unit| issuer.path.contains(&unit.path)).collect();
            let audience = below.choose(&mut dice).expect("itself at least");
            let standings = Standing::ALL.into_iter().filter(|_| dice.random_range(0..3) == 0).collect();
            let mut parts: Vec<UnitRef> = units.iter().filter(|unit| audience.path.contains(&unit.path)).cloned().collect();
            parts.retain(|_| dice.random_range(0..4) == 0);
            let except = some_below(&units, audience, &mut dice, 5);
            let is_out = dice.random_range(0..6) > 0;
            let document = Written { parts, except, standings, is_out, ..Written::new(&backend, issuer, audience) };
            document.save(&backend).await;
            documents.push(document);
        }
        backend.search().catch_up().await.expect("makes the index");
        check(&backend, &mut dice, &documents, seed).await;
        end_some(&backend, &mut dice, &units).await;
        // The index needs no update for this.
        check(&backend, &mut dice, &documents, seed).await;
        backend.search_index().discard().await.expect("is removed");
        backend.search().catch_up().await.expect("makes it anew");
        check(&backend, &mut dice, &documents, seed).await;
    }
}

async fn check(backend: &Backend, dice: &mut StdRng, documents: &[Written], seed: u64) {
    let tree = backend.units().tree();
    let units: Vec<UnitRef> = tree.all().cloned().collect();
    for _ in 0..25 {
        let branch = units.choose(dice).expect("one");
        let grants = (0..dice.random_range(0..3))
            .map(|_| Grant { role: *Role::ALL.choose(dice).expect("one"), path: units.choose(dice).expect("one").path.clone() })
            .collect();
        let reader = reader(branch, *Standing::ALL.choose(dice).expect("one"), grants);
        let told = || format!("seed {seed}, {:?}", reader.standpoint);
        let meant: Vec<&Written> = documents.iter().filter(|document| document.may_be_found_by(&reader, &tree)).collect();
        let mut query = SearchQuery { typed: "văn bản chung".to_owned(), ..SearchQuery::default() };
        let mut found = BTreeSet::new();
        loop {
            let page = backend.search().find(&reader, &query).await.expect("answers");
            assert_eq!(page.total as usize, meant.len(), "{}: the total reveals nothing else", told());
            let issuers: BTreeSet<UnitId> = page.issuers.iter().map(|unit| unit.id).collect();
            assert_eq!(issuers, meant.iter().map(|document| document.issuer.id).collect(), "{}: nor do the filters", told());
            assert_eq!(page.years.is_empty(), meant.is_empty(), "{}", told());
            found.extend(ids(&page));
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        assert_eq!(found, meant.iter().map(|document| document.id).collect(), "{}", told());
    }
}

/// A meeting of the unit, as it is stored.
async fn call(backend: &Backend, unit: &UnitRef, kind: MeetingKind, title: &str) -> MeetingId {
    let id = MeetingId::new(backend.clock().ulid());
    let vars = vars! {
        meeting: record("meeting", id),
        unit: unit.id.to_string(),
        path: unit.path.to_string(),
        kind: kind.key(),
        title: title,
        at: now(),
    };
    let sql = "UPSERT $meeting CONTENT { unit: $unit, path: $path, kind: $kind, form: 'mixed', state: 'announced', title: $title, \
               starts_at: $at, place: 'Nhà văn hóa', venue: 'Nhà văn hóa', \
               agenda: [{ title: 'Bàn việc chung', minutes: 5, papers: [] }] } RETURN NONE;";
    backend.store().write(sql, vars).await.expect("writes");
    id
}

/// A course as it is stored.
struct Course<'c> {
    issuer: &'c UnitRef,
    audience: &'c UnitRef,
    parts: Vec<UnitRef>,
    except: Vec<UnitRef>,
    standings: Vec<Standing>,
    state: &'static str,
}

impl Course<'_> {
    async fn save(&self, backend: &Backend) -> CourseId {
        let id = CourseId::new(backend.clock().ulid());
        let standings: Vec<&str> = self.standings.iter().map(|standing| standing.key()).collect();
        let vars = vars! {
            course: record("course", id),
            text: record("course_text", id),
            issuer: self.issuer.id.to_string(),
            issuer_path: self.issuer.path.to_string(),
            audience: self.audience.id.to_string(),
            audience_path: self.audience.path.to_string(),
            parts: named(&self.parts),
            except: named(&self.except),
            standings: (!standings.is_empty()).then_some(standings),
            state: self.state,
            at: now(),
            by: id.to_string(),
        };
        let sql = "UPSERT $course CONTENT { title: 'Khóa học chung', issuer: $issuer, issuer_path: $issuer_path, state: $state, \
                   version: 1, saved_at: $at, saved_by: $by, documents: [], questions: 0, pass_percent: 80, tries: 0, \
                   audience: $audience, audience_path: $audience_path, parts: $parts, except: $except, \
                   standings: $standings, due_on: '2026-12-01' } RETURN NONE; \
                   UPSERT $text CONTENT { description: 'Nội dung chung.', questions: [] } RETURN NONE;";
        backend.store().write(sql, vars).await.expect("writes");
        id
    }
}

/// Compares with the access rules of their pages, over random trees with units that ended and merged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finds_a_meeting_or_a_course_is_who_may_open_it() {
    for seed in 1..=2 {
        let mut dice = StdRng::seed_from_u64(seed);
        let backend = backend().await;
        let units = tree(&backend, &mut dice, 25).await;
        let (mut meetings, mut courses) = (Vec::new(), Vec::new());
        for _ in 0..30 {
            let kind = *MeetingKind::ALL.choose(&mut dice).expect("one");
            meetings.push(call(&backend, units.choose(&mut dice).expect("one"), kind, "Họp chung").await);
            let issuer = units.choose(&mut dice).expect("one");
            let below: Vec<_> = units.iter().filter(|unit| issuer.path.contains(&unit.path)).collect();
            let audience = below.choose(&mut dice).expect("itself at least");
            let standings = Standing::ALL.into_iter().filter(|_| dice.random_range(0..3) == 0).collect();
            let state = *["assigned", "ended", "draft"].choose(&mut dice).expect("one");
            let (parts, except) = (some_below(&units, audience, &mut dice, 4), some_below(&units, audience, &mut dice, 6));
            let id = Course { issuer, audience, parts, except, standings, state }.save(&backend).await;
            courses.push((id, state));
        }
        // Adds a document for everybody, so that editors of everything have no document list.
        Written::new(&backend, &units[0], &units[0]).save(&backend).await;
        backend.search().catch_up().await.expect("makes the index");
        check_openings(&backend, &mut dice, &meetings, &courses, seed).await;
        end_some(&backend, &mut dice, &units).await;
        check_openings(&backend, &mut dice, &meetings, &courses, seed).await;
    }
}

async fn check_openings(
    backend: &Backend,
    dice: &mut StdRng,
    meetings: &[MeetingId],
    courses: &[(CourseId, &'static str)],
    seed: u64,
) {
    let units: Vec<UnitRef> = backend.units().tree().all().cloned().collect();
    for round in 0..20 {
        let branch = units.choose(dice).expect("one");
        let mut grants: Vec<Grant> = (0..dice.random_range(0..3))
            .map(|_| Grant { role: *Role::ALL.choose(dice).expect("one"), path: units.choose(dice).expect("one").path.clone() })
            .collect();
        if round < 3 {
            grants
                .push(Grant { role: [Role::Editor, Role::Secretary, Role::CommitteeMember][round], path: units[0].path.clone() });
        }
        let reader = reader(branch, *Standing::ALL.choose(dice).expect("one"), grants);
        let mut open = BTreeSet::new();
        for id in meetings {
            if backend.meetings().read(&reader, *id).await.is_ok() {
                open.insert((SearchKind::Meetings, id.ulid()));
            }
        }
        for (id, _) in courses.iter().filter(|(_, state)| *state != "draft") {
            let is_own = backend.courses().read(&reader, *id).await.is_ok();
            if is_own || backend.courses().form(&reader, *id, "").await.is_ok() {
                open.insert((SearchKind::Courses, id.ulid()));
            }
        }
        for what in [SearchKind::Meetings, SearchKind::Courses] {
            let mut query = SearchQuery { typed: "chung".to_owned(), what: Some(what), ..SearchQuery::default() };
            let expected: BTreeSet<Ulid> = open.iter().filter(|(of, _)| *of == what).map(|(_, id)| *id).collect();
            let mut found = BTreeSet::new();
            loop {
                let page = backend.search().find(&reader, &query).await.expect("answers");
                assert_eq!(page.total as usize, expected.len(), "seed {seed}, {what:?}, {:?}", reader.standpoint);
                found.extend(page.hits.iter().map(|hit| hit.item.id()));
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
            assert_eq!(found, expected, "seed {seed}, {what:?}, {:?}", reader.standpoint);
        }
    }
}

#[tokio::test]
async fn the_index_hears_of_meetings_and_a_whole_title_comes_first() {
    let mut dice = StdRng::seed_from_u64(7);
    let backend = backend().await;
    let units = tree(&backend, &mut dice, 2).await;
    let member = reader(&units[0], Standing::Official, Vec::new());
    let body = "Họp ra quân dọn bãi biển. ".repeat(5);
    let document =
        Written {
            title: "Dọn bãi biển và họp ra quân".to_owned(), body, ..Written::new(&backend, &units[0], &units[0])
        };
    document.save(&backend).await;
    backend.search().catch_up().await.expect("makes the index");
    let meeting = call(&backend, &units[0], MeetingKind::Regular, "Họp ra quân dọn bãi biển").await;
    note(&backend, &units[0], EventBody::MeetingAnnounced(meeting));
    backend.search().catch_up().await.expect("follows");
    let order =
        async |typed: &str| -> Vec<Ulid> { find(&backend, &member, typed).await.hits.iter().map(|hit| hit.item.id()).collect() };
    let both = [meeting.ulid(), document.id.ulid()];
    assert_eq!(order("hop ra quan don bai bien").await, both, "the whole title");
    assert_eq!(order("ra quân dọn bãi").await, [both[1], both[0]], "a document before a meeting otherwise");
    let query = SearchQuery { typed: "ra quân".to_owned(), issuer: Some(units[0].id), ..SearchQuery::default() };
    let narrowed = backend.search().find(&member, &query).await.expect("answers");
    assert_eq!((ids(&narrowed), narrowed.total), (vec![document.id], 1), "a meeting has no issuer");

    let sql = "UPDATE $meeting SET title = 'Họp cuối năm' RETURN NONE";
    backend.store().write(sql, vars! { meeting: record("meeting", meeting) }).await.expect("writes");
    note(&backend, &units[0], EventBody::MeetingReported(meeting));
    backend.search().catch_up().await.expect("follows");
    assert_eq!(order("ra quân dọn bãi").await, [document.id.ulid()]);
    assert_eq!(order("họp cuối năm").await, [meeting.ulid()]);
}

/// Documents of other readers change neither the numbers a reader sees nor the suggested words.
#[tokio::test]
async fn the_answer_is_the_same_whatever_lies_beyond_reach() {
    let mut dice = StdRng::seed_from_u64(5);
    let backend = backend().await;
    let units = tree(&backend, &mut dice, 12).await;
    let (root, mine) = (&units[0], units.iter().find(|unit| unit.kind == level("province")).expect("a province"));
    let member = reader(mine, Standing::Official, Vec::new());
    for (title, body) in [("Chuyển đổi số", "Chuyển đổi số ở thôn."), ("Thu gom rác", "Rác và chuyển đổi nghề.")]
    {
        let document = Written { title: title.to_owned(), body: body.to_owned(), ..Written::new(&backend, root, mine) };
        document.save(&backend).await;
    }
    backend.search().catch_up().await.expect("makes the index");
    let queries = [
        "chuyn doi",
        "chuyển đổi",
        "rac",
        "chuyen doi kỷ luật",
        "kỷ luậtt",
        "khiển trách",
        "“kỷ luật”",
        "thu gm rac",
        "thu gim rac",
        "gm rca",
        "chuyeenr ddooir",
    ];
    let mut before = Vec::new();
    for typed in queries {
        before.push(find(&backend, &member, typed).await);
    }
    let secret = Written {
        title: "Kỷ luật khiển trách, chuyn doi".to_owned(),
        body: "Chuyện đời và kỷ luật. Thu gim rác, thu gam rác, gm rca. ".repeat(50),
        ..Written::new(&backend, root, root)
    };
    let elsewhere = units.iter().find(|unit| !mine.path.contains(&unit.path) && unit.id != root.id).unwrap_or(mine);
    assert_ne!(elsewhere.id, mine.id);
    let others = Written { standings: vec![Standing::Probationary], ..secret.clone() };
    let apart = Written { id: DocumentId::new(backend.clock().ulid()), parts: vec![elsewhere.clone()], ..secret.clone() };
    let aside = Written { id: DocumentId::new(backend.clock().ulid()), audience: elsewhere.clone(), ..secret };
    for document in [others, apart, aside] {
        document.save(&backend).await;
        document.tell(&backend, EventBody::DocumentPublished);
    }
    let course = Course {
        issuer: elsewhere,
        audience: elsewhere,
        parts: Vec::new(),
        except: Vec::new(),
        standings: Vec::new(),
        state: "assigned",
    }
    .save(&backend)
    .await;
    // The committee of the member's own province is beyond reach, too.
    for (unit, kind) in [(elsewhere, MeetingKind::Regular), (mine, MeetingKind::Committee)] {
        let meeting = call(&backend, unit, kind, "Kỷ luật khiển trách, chuyn doi, thu gim rác").await;
        note(&backend, unit, EventBody::MeetingAnnounced(meeting));
    }
    note(&backend, elsewhere, EventBody::CourseAssigned(course));
    backend.search().catch_up().await.expect("follows");
    assert_eq!(backend.search().size().await.expect("counts"), 8);
    for (typed, before) in queries.into_iter().zip(before) {
        assert_eq!(find(&backend, &member, typed).await, before, "{typed}");
    }
}

#[tokio::test]
async fn what_is_corrected_is_read_anew_and_what_is_over_is_taken_out() {
    let mut dice = StdRng::seed_from_u64(2);
    let backend = backend().await;
    let units = tree(&backend, &mut dice, 2).await;
    let member = reader(&units[0], Standing::Official, Vec::new());
    let mut document = Written { title: "Phao cứu sinh".to_owned(), ..Written::new(&backend, &units[0], &units[0]) };
    document.save(&backend).await;
    backend.search().catch_up().await.expect("makes the index");
    assert_eq!(ids(&find(&backend, &member, "phao").await), [document.id]);

    document.title = "Áo cứu hộ".to_owned();
    document.save(&backend).await;
    document.tell(&backend, EventBody::DocumentCorrected);
    backend.search().catch_up().await.expect("follows");
    assert!(find(&backend, &member, "phao").await.hits.is_empty());
    assert_eq!(ids(&find(&backend, &member, "áo cứu hộ").await), [document.id]);

    document.standings = vec![Standing::Probationary];
    document.save(&backend).await;
    document.tell(&backend, EventBody::DocumentCorrected);
    backend.search().catch_up().await.expect("follows");
    assert_eq!(find(&backend, &member, "áo cứu hộ").await.total, 0, "its audience has changed");

    document.standings = Vec::new();
    document.parts = vec![units[1].clone()];
    document.save(&backend).await;
    document.tell(&backend, EventBody::DocumentCorrected);
    backend.search().catch_up().await.expect("follows");
    assert_eq!(find(&backend, &member, "áo cứu hộ").await.total, 0, "its parts have changed");

    document.is_out = false;
    document.save(&backend).await;
    document.tell(&backend, EventBody::DocumentExpired);
    backend.search().catch_up().await.expect("follows");
    assert_eq!(backend.search().size().await.expect("counts"), 0);
}

#[tokio::test]
async fn field_and_issuer_narrow_a_search() {
    let mut dice = StdRng::seed_from_u64(3);
    let backend = backend().await;
    let units = tree(&backend, &mut dice, 6).await;
    let mut all = Vec::new();
    for (number, field) in
        [None, Some(DocumentField::Digital), Some(DocumentField::Youth)].into_iter().cycle().take(12).enumerate()
    {
        let document = Written { field, ..Written::new(&backend, &units[number % 2], &units[0]) };
        document.save(&backend).await;
        all.push(document);
    }
    backend.search().catch_up().await.expect("makes the index");
    let member = reader(&units[0], Standing::Official, Vec::new());
    let query = SearchQuery { typed: "chung".to_owned(), ..SearchQuery::default() };
    for (field, issuer) in
        [(Some(DocumentField::Digital), None), (None, Some(&units[1])), (Some(DocumentField::Youth), Some(&units[0]))]
    {
        let asked = SearchQuery { field, issuer: issuer.map(|unit| unit.id), ..query.clone() };
        let page = backend.search().find(&member, &asked).await.expect("answers");
        let expected = all.iter().filter(|document| field.is_none() || document.field == field);
        let expected = expected.filter(|document| issuer.is_none_or(|unit| document.issuer.id == unit.id));
        assert_eq!(ids(&page).into_iter().collect::<BTreeSet<_>>(), expected.map(|document| document.id).collect(), "{asked:?}");
        assert!(page.total > 0 && page.issuers.len() == 2, "the choices do not depend on what was chosen");
    }
    for nobody in [units[5].id, "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("an id")] {
        let asked = SearchQuery { issuer: Some(nobody), ..query.clone() };
        assert_eq!(backend.search().find(&member, &asked).await.expect("answers").total, 0);
    }
    let other_kind = SearchQuery { kind: Some(DocumentKind::News), ..query };
    assert_eq!(backend.search().find(&member, &other_kind).await.expect("answers").total, 0);
}

#[tokio::test]
async fn a_title_that_hides_or_reorders_letters_is_found_and_shown_plainly() {
    let mut dice = StdRng::seed_from_u64(6);
    let backend = backend().await;
    let units = tree(&backend, &mut dice, 2).await;
    let member = reader(&units[0], Standing::Official, Vec::new());
    let title = "Quy\u{200b} ch\u{202e}ế \u{2066}mi\u{feff}ễn \u{200d}phí";
    let document = Written { title: title.to_owned(), ..Written::new(&backend, &units[0], &units[0]) };
    document.save(&backend).await;
    backend.search().catch_up().await.expect("makes the index");
    for typed in ["quy chế miễn phí", "quy che mien phi", "“quy chế miễn phí”"] {
        let page = find(&backend, &member, typed).await;
        let shown: String = page.hits[0].title.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!((shown.as_str(), page.total), ("Quy chế miễn phí", 1), "{typed}");
    }
}

#[tokio::test]
async fn what_is_attached_is_found_behind_what_is_said_and_the_file_is_named() {
    let mut dice = StdRng::seed_from_u64(4);
    let backend = backend().await;
    let units = tree(&backend, &mut dice, 2).await;
    let member = reader(&units[0], Standing::Official, Vec::new());
    let attached = Written { attachments: attach(&backend).await, ..Written::new(&backend, &units[0], &units[0]) };
    attached.save(&backend).await;
    let said = Written { body: "Bảng giá quế của xã. ".repeat(20), ..Written::new(&backend, &units[0], &units[0]) };
    said.save(&backend).await;
    backend.search().catch_up().await.expect("makes the index");
    for typed in ["bảng giá quế", "bang gia que", "“bảng giá quế”", "bang gia qu"] {
        let page = find(&backend, &member, typed).await;
        assert_eq!(ids(&page), [said.id, attached.id], "{typed}");
        let from: Vec<_> = page.hits.iter().map(|hit| hit.attachment.as_deref()).collect();
        assert_eq!(from, [None, Some("Phụ lục 1.pdf")], "{typed}");
    }
    let page = find(&backend, &member, "noi dung bảng giá quế").await;
    assert_eq!(ids(&page), [attached.id], "words of the text and of the file together");
    assert!(page.hits[0].excerpt.contains(&Piece { text: "Bảng giá quế".to_owned(), found: true }), "{:?}", page.hits[0]);
    assert_eq!(find(&backend, &member, "phu luc 1").await.hits[0].attachment.as_deref(), Some("Phụ lục 1.pdf"), "by its name");
    assert_eq!(find(&backend, &member, "noi dung").await.hits[0].attachment, None);
    let page = find(&backend, &member, "thuonng lai").await;
    assert_eq!((page.closeness, ids(&page)), (Closeness::SimilarWords, vec![attached.id]), "errors are tolerated there, too");
    assert_eq!(find(&backend, &member, "bí mật").await.total, 0, "a file awaiting a decision is not searched");
}

/// Three files: one with text, one without, and one awaiting a decision, which must not be found.
async fn attach(backend: &Backend) -> Vec<String> {
    let files = [
        ("Phụ lục 1.pdf", "pdf", "attached", Some("Bảng giá quế năm 2026 của thương lái")),
        ("Ảnh.png", "png", "attached", None),
        ("Mật.pdf", "pdf", "waiting", Some("Bảng giá quế bí mật")),
    ];
    let mut ids = Vec::new();
    for (name, kind, state, text) in files {
        let id = backend.clock().ulid().to_string();
        let vars = vars! {
            file: record("attachment", &id),
            text_of: record("attachment_text", &id),
            name: name, kind: kind, state: state, text: text, at: now(), by: id.as_str(),
        };
        let sql = "CREATE $file CONTENT { document: $by, state: $state, name: $name, kind: $kind, bytes: 1, sha256: $by, warnings: [], \
                   added_by: $by, added_at: $at } RETURN NONE; \
                   IF $text != NONE { CREATE $text_of CONTENT { text: $text } RETURN NONE };";
        backend.store().write(sql, vars).await.expect("writes");
        ids.push(id);
    }
    ids
}
