//! What members see of the library, on both engines. The tests write rows as the desk does, with every column it can set.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    documents::{
        DocumentField, DocumentKind, LibraryQuery, PersonalList, PersonalListPage, Relation, reading::Seen,
        steps::PublicationState,
    },
    ids::UnitId,
    members::{NationalId, Sex},
    policy::{Grant, Role, Standpoint},
    units::{UnitKind, UnitPath},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use tempfile::TempDir;
use ulid::Ulid;

use super::*;
use crate::{
    Clock, Keys, StoreLocation,
    demo::registry::{NewMember, Registry},
    units::{MergeForm, tests::level},
};

fn noon() -> DateTime<Utc> {
    "2026-11-21T05:00:00Z".parse().expect("a moment")
}

/// A backend on each engine, with the folder of the one on disk.
async fn engines() -> [(Backend, Option<TempDir>); 2] {
    let folder = tempfile::tempdir().expect("a folder");
    let open = async |location: &StoreLocation| {
        Backend::open(location, Keys::from_master(&[7; 32]), Clock::fixed(noon(), 1)).await.expect("opens")
    };
    let on_disk = open(&StoreLocation::Folder(folder.path().to_owned())).await;
    [(open(&StoreLocation::Memory).await, None), (on_disk, Some(folder))]
}

/// A province with a commune of two branches, and another commune.
struct Units {
    province: UnitRef,
    commune: UnitRef,
    harbour: UnitRef,
    school: UnitRef,
    hills: UnitRef,
}

async fn units(backend: &Backend) -> Units {
    let mut registry = Registry::new(backend, 1, noon() - TimeDelta::days(400));
    let province = registry.unit(None, level("province"), "51", "Tỉnh").expect("a code");
    let commune = registry.unit(Some(&province), level("commune"), "001", "Xã").expect("a code");
    let hills = registry.unit(Some(&province), level("commune"), "002", "Xã núi").expect("a code");
    let harbour = registry.unit(Some(&commune), level("branch"), "01", "Chi bộ bến").expect("a code");
    let school = registry.unit(Some(&commune), level("branch"), "02", "Chi bộ trường").expect("a code");
    registry.save().await.expect("saves");
    Units { province, commune, harbour, school, hills }
}

fn member_of(branch: &UnitRef, standing: Standing) -> Viewer {
    Viewer {
        member: MemberId::new(Ulid::from_parts(standing as u64, branch.id.ulid().random())),
        name: "Võ Văn Khơi".to_owned(),
        branch: branch.clone(),
        standpoint: Standpoint { branch: branch.path.clone(), standing, grants: Vec::new() },
        offices: Vec::new(),
        resting: Vec::new(),
    }
}

/// A document as the desk stores it.
#[derive(Clone)]
struct Put<'a> {
    issuer: &'a UnitRef,
    audience: &'a UnitRef,
    at: DateTime<Utc>,
    kind: DocumentKind,
    field: Option<DocumentField>,
    state: PublicationState,
    parts: Vec<UnitRef>,
    except: Vec<UnitRef>,
    standings: Vec<Standing>,
    must_read_by: Option<&'a str>,
    pinned: bool,
    related: Vec<(DocumentId, Relation)>,
    because: Option<&'a str>,
    body: &'a str,
}

/// An entry of the column `related`.
#[derive(SurrealValue)]
struct Entry {
    document: String,
    relation: String,
}

impl<'a> Put<'a> {
    fn by(issuer: &'a UnitRef, audience: &'a UnitRef) -> Self {
        Self {
            issuer,
            audience,
            at: noon() - TimeDelta::hours(1),
            kind: DocumentKind::News,
            field: None,
            state: PublicationState::Published,
            parts: Vec::new(),
            except: Vec::new(),
            standings: Vec::new(),
            must_read_by: None,
            pinned: false,
            related: Vec::new(),
            because: None,
            body: "## I. Mục tiêu\n\nMột.\n\n## II. Nhiệm vụ\n\nHai.",
        }
    }

    async fn save(self, backend: &Backend) -> DocumentId {
        let id = DocumentId::new(backend.clock().ulid_at(self.at));
        let is_out = self.state == PublicationState::Published;
        let shelf = is_out.then(|| id.to_string());
        let related: Vec<Entry> = self
            .related
            .iter()
            .map(|(document, relation)| Entry { document: document.to_string(), relation: relation.key().to_owned() })
            .collect();
        let sql = "CREATE $document SET kind = $kind, field = $field, title = $title, issuer = $issuer, issuer_path = $issuer_path, \
                   issuer_level = $issuer_level, audience = $audience, audience_path = $audience_path, state = $state, version = 1, \
                   minutes = 1, saved_at = $at, saved_by = 'M', published_at = $at, shelf = $shelf, parts = $parts, except = $except, \
                   standings = $standings, must = $must, must_read_by = $must_read_by, pin = $pin, related = $related, withdrawn_at = $withdrawn_at, \
                   withdrawn_because = $because RETURN NONE; CREATE $text SET body = $body RETURN NONE;";
        let ids = |units: &[UnitRef]| units.iter().map(|unit| unit.id.to_string()).collect::<Vec<_>>();
        let (parts, except) = (ids(&self.parts), ids(&self.except));
        let standings: Vec<&str> = self.standings.iter().map(|standing| standing.key()).collect();
        let vars = vars! {
            document: record("document", id),
            text: record("document_text", id),
            kind: self.kind.key(),
            field: self.field.map(DocumentField::key),
            title: format!("Văn bản {id}"),
            issuer: self.issuer.id.to_string(),
            issuer_path: self.issuer.path.to_string(),
            issuer_level: self.issuer.kind.key(),
            audience: self.audience.id.to_string(),
            audience_path: self.audience.path.to_string(),
            state: self.state.key(),
            at: self.at,
            must: shelf.clone().filter(|_| self.must_read_by.is_some()),
            must_read_by: self.must_read_by,
            pin: shelf.clone().filter(|_| self.pinned),
            shelf: shelf,
            parts: (!parts.is_empty()).then_some(parts),
            except: (!except.is_empty()).then_some(except),
            standings: (!standings.is_empty()).then_some(standings),
            related: (!related.is_empty()).then_some(related),
            withdrawn_at: (self.state == PublicationState::Withdrawn).then_some(self.at),
            because: self.because,
            body: self.body,
        };
        backend.store().write(sql, vars).await.expect("is written");
        id
    }
}

async fn withdraw(backend: &Backend, id: DocumentId, because: &str) {
    let sql = "UPDATE $document SET state = 'withdrawn', shelf = NONE, must = NONE, pin = NONE, withdrawn_at = $now, \
               withdrawn_because = $because RETURN NONE";
    let vars = vars! { document: record("document", id), now: backend.clock().now(), because: because };
    backend.store().write(sql, vars).await.expect("is withdrawn");
}

async fn library(backend: &Backend, viewer: &Viewer, query: LibraryQuery) -> Vec<DocumentId> {
    let (mut found, mut query) = (Vec::new(), query);
    loop {
        let page = backend.documents().list(viewer, &query).await.expect("a page");
        found.extend(page.pinned.iter().chain(&page.documents).map(|document| document.id));
        query.after = page.next;
        if page.next.is_none() {
            return found;
        }
    }
}

async fn list(backend: &Backend, viewer: &Viewer, list: PersonalList) -> Vec<DocumentId> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page: PersonalListPage = backend.documents().personal(viewer, list, after).await.expect("a page");
        found.extend(page.rows.iter().map(|row| row.document.id));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

fn is_not_found<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::NotFound))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn standings_narrow_the_audience_for_members_and_not_for_offices() {
    for (backend, _folder) in engines().await {
        let units = units(&backend).await;
        let put = Put { standings: vec![Standing::Probationary], ..Put::by(&units.province, &units.commune) };
        let id = put.save(&backend).await;
        let documents = backend.documents();
        let probationary = member_of(&units.harbour, Standing::Probationary);
        assert!(documents.read(&probationary, id).await.expect("is theirs").takes_opinions);
        let official = member_of(&units.harbour, Standing::Official);
        assert!(is_not_found(&documents.read(&official, id).await) && is_not_found(&documents.bookmark(&official, id).await));
        assert_eq!(library(&backend, &official, LibraryQuery::default()).await, []);
        let mut leader = official.clone();
        leader.standpoint.grants.push(Grant { role: Role::Secretary, path: units.commune.path.clone() });
        let page = documents.read(&leader, id).await.expect("by office");
        assert!(!page.takes_opinions, "not as a member");
        assert_eq!(library(&backend, &leader, LibraryQuery::default()).await, [], "the library lists documents for members only");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_for_another_part_shows_nowhere() {
    for (backend, _folder) in engines().await {
        let units = units(&backend).await;
        let documents = backend.documents();
        let put = Put { parts: vec![units.harbour.clone()], ..Put::by(&units.province, &units.commune) };
        let old = Put { at: noon() - TimeDelta::days(800), ..put.clone() }.save(&backend).await;
        let id = put.save(&backend).await;
        let related = vec![(id, Relation::Amends)];
        let naming = Put { related, audience: &units.commune, ..Put::by(&units.province, &units.commune) };
        let naming = Put { at: noon() - TimeDelta::hours(2), ..naming }.save(&backend).await;
        let (inside, outside) = (member_of(&units.harbour, Standing::Official), member_of(&units.school, Standing::Official));
        assert_eq!(library(&backend, &inside, LibraryQuery::default()).await, [id, naming, old]);
        assert_eq!(library(&backend, &outside, LibraryQuery::default()).await, [naming]);
        let years = async |viewer: &Viewer| documents.list(viewer, &LibraryQuery::default()).await.expect("a page").years;
        assert_eq!(years(&inside).await, [2026, 2025, 2024]);
        assert_eq!(years(&outside).await, [2026], "years must not reveal documents for others");
        let related = async |viewer: &Viewer| documents.read(viewer, naming).await.expect("reads").related.len();
        assert_eq!((related(&inside).await, related(&outside).await), (1, 0));
        assert!(is_not_found(&documents.mark_read(&outside, id, Seen::Said).await));
        assert!(is_not_found(&documents.note_progress(&outside, id, "", 300).await));
        withdraw(&backend, id, "Có sai sót").await;
        assert!(is_not_found(&documents.withdrawn(&outside, id).await));
        let mut leader = outside.clone();
        leader.standpoint.grants.push(Grant { role: Role::Secretary, path: units.commune.path.clone() });
        assert!(!documents.read(&leader, old).await.expect("by office").takes_opinions, "not as a member");
        leader.standpoint.grants[0].path = units.school.path.clone();
        assert!(is_not_found(&documents.read(&leader, old).await), "an office in another part");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_are_combined_and_a_year_is_that_of_the_organisation() {
    for (backend, _folder) in engines().await {
        let units = units(&backend).await;
        let viewer = member_of(&units.harbour, Standing::Official);
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a moment");
        let put = Put::by(&units.province, &units.commune);
        let new_year = Put { at: at("2025-12-31T17:30:00Z"), ..put.clone() }.save(&backend).await;
        let old_year = Put { at: at("2025-12-31T16:30:00Z"), field: Some(DocumentField::Youth), ..put.clone() };
        let old_year = old_year.save(&backend).await;
        let form = Put { kind: DocumentKind::Form, issuer: &units.commune, ..put.clone() }.save(&backend).await;
        let year = |year| LibraryQuery { year: Some(year), ..LibraryQuery::default() };
        assert_eq!(library(&backend, &viewer, year(2026)).await, [form, new_year]);
        assert_eq!(library(&backend, &viewer, year(2025)).await, [old_year]);
        assert_eq!(library(&backend, &viewer, year(i32::MAX)).await, []);
        let by = |unit: &UnitRef| LibraryQuery { unit: Some(unit.id), ..LibraryQuery::default() };
        assert_eq!(library(&backend, &viewer, by(&units.commune)).await, [form]);
        assert_eq!(library(&backend, &viewer, by(&units.hills)).await, []);
        let all = LibraryQuery {
            kind: Some(DocumentKind::News),
            level: Some(level("province")),
            field: Some(DocumentField::Youth),
            unit: Some(units.province.id),
            year: Some(2025),
            after: None,
        };
        assert_eq!(library(&backend, &viewer, all.clone()).await, [old_year]);
        assert_eq!(library(&backend, &viewer, LibraryQuery { year: Some(2026), ..all }).await, []);
        let page = backend.documents().list(&viewer, &LibraryQuery::default()).await.expect("a page");
        assert_eq!(page.years, [2026, 2025]);
        let names: Vec<UnitId> = page.units.iter().map(|unit| unit.id).collect();
        assert_eq!(names, [units.province.id, units.commune.id, units.harbour.id], "the path to the own branch, from the root");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pinned_stands_first_and_nowhere_else() {
    for (backend, _folder) in engines().await {
        let units = units(&backend).await;
        let viewer = member_of(&units.harbour, Standing::Official);
        let mut expected = Vec::new();
        let mut pinned = Vec::new();
        for hour in 1..=45 {
            let is_pinned = matches!(hour, 3 | 30);
            let put = Put { at: noon() - TimeDelta::hours(hour), pinned: is_pinned, ..Put::by(&units.province, &units.commune) };
            let id = put.save(&backend).await;
            if is_pinned { pinned.push(id) } else { expected.push(id) }
        }
        let first = backend.documents().list(&viewer, &LibraryQuery::default()).await.expect("a page");
        assert_eq!(first.pinned.iter().map(|document| document.id).collect::<Vec<_>>(), pinned);
        assert!(first.pinned.iter().all(|document| document.pinned) && first.documents.len() == 20);
        pinned.extend(&expected);
        assert_eq!(library(&backend, &viewer, LibraryQuery::default()).await, pinned);
        let news = LibraryQuery { kind: Some(DocumentKind::News), ..LibraryQuery::default() };
        assert_eq!(library(&backend, &viewer, news).await.len(), 45, "a filtered list sorts pinned documents by time");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_must_be_read_comes_by_urgency_until_it_is_read_and_its_day_is_over() {
    for (backend, _folder) in engines().await {
        let units = units(&backend).await;
        let viewer = member_of(&units.harbour, Standing::Official);
        let put = |day| Put { must_read_by: Some(day), ..Put::by(&units.province, &units.commune) };
        let later = put("2026-12-24").save(&backend).await;
        let late = put("2026-11-20").save(&backend).await;
        let soon = put("2026-11-21").save(&backend).await;
        let over = put("2026-11-19").save(&backend).await;
        Put::by(&units.province, &units.commune).save(&backend).await;
        assert_eq!(list(&backend, &viewer, PersonalList::MustRead).await, [over, late, soon, later]);
        let documents = backend.documents();
        assert_eq!(documents.count_must_read(&viewer).await.expect("counts"), 4);
        for read in [over, soon] {
            documents.read(&viewer, read).await.expect("opens");
        }
        assert_eq!(documents.count_must_read(&viewer).await.expect("counts"), 4, "opening is not reading");
        for read in [over, soon] {
            documents.mark_read(&viewer, read, Seen::Said).await.expect("is recorded");
        }
        assert_eq!(list(&backend, &viewer, PersonalList::MustRead).await, [late, later, soon]);
        assert_eq!(documents.count_must_read(&viewer).await.expect("counts"), 2);
        assert_eq!(backend.home().page(&viewer).await.expect("a page").must_read, 2);
    }
}

/// A draft whose reviewer may not approve it, so that it is pending for every chief editor.
async fn in_review(backend: &Backend, issuer: &UnitRef) {
    let id = DocumentId::new(backend.clock().ulid());
    let sql = "CREATE $draft SET kind = 'news', title = 't', issuer = $issuer, issuer_path = $path, issuer_level = $level, \
               audience = $issuer, audience_path = $path, stage = 'in_review', version = 1, minutes = 1, saved_at = $at, \
               saved_by = 'M', authors = ['M'] RETURN NONE; \
               CREATE review SET document = $document, version = 1, state = 'open', asked_by = 'M', asked_at = $at, \
               reviewer = 'N' RETURN NONE;";
    let vars = vars! {
        draft: record("draft", id),
        document: id.to_string(),
        issuer: issuer.id.to_string(),
        path: issuer.path.to_string(),
        level: issuer.kind.key(),
        at: noon(),
    };
    backend.store().write(sql, vars).await.expect("is sent");
}

#[tokio::test]
async fn the_number_of_queries_of_the_first_page_is_constant() {
    let [(backend, _), _] = engines().await;
    let units = units(&backend).await;
    let office = |role, at: &UnitRef| {
        let mut viewer = member_of(&units.harbour, Standing::Official);
        viewer.standpoint.grants.push(Grant { role, path: at.path.clone() });
        viewer
    };
    let (chief, secretary) = (office(Role::ChiefEditor, &units.province), office(Role::Secretary, &units.harbour));
    let must = || Put { must_read_by: Some("2026-11-25"), ..Put::by(&units.province, &units.commune) };
    in_review(&backend, &units.commune).await;
    must().save(&backend).await;
    let one = (questions(&backend, &chief).await, questions(&backend, &secretary).await);
    for issuer in [&units.commune, &units.hills, &units.harbour, &units.school, &units.province] {
        in_review(&backend, issuer).await;
        must().save(&backend).await;
    }
    let many = (questions(&backend, &chief).await, questions(&backend, &secretary).await);
    assert_eq!(many, one);
    assert_eq!(backend.home().page(&chief).await.expect("a page").asked, 6);
}

/// Number of queries for what is pending for this person.
async fn questions(backend: &Backend, viewer: &Viewer) -> usize {
    let before = backend.store().questions();
    backend.home().work(viewer).await.expect("counts");
    backend.documents().count_must_read(viewer).await.expect("counts");
    backend.documents().count_asked(viewer).await.expect("counts");
    backend.store().questions() - before
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_for_others_displace_nothing_from_a_truncated_list() {
    for (backend, _folder) in engines().await {
        let units = units(&backend).await;
        let put = |hour: i64| Put {
            at: noon() - TimeDelta::hours(hour),
            pinned: true,
            must_read_by: Some("2026-11-30"),
            ..Put::by(&units.province, &units.commune)
        };
        let own = put(90).save(&backend).await;
        for hour in 1..=55 {
            Put { standings: vec![Standing::Probationary], ..put(hour) }.save(&backend).await;
            Put { parts: vec![units.school.clone()], ..put(hour) }.save(&backend).await;
        }
        let viewer = member_of(&units.harbour, Standing::Official);
        let page = backend.documents().list(&viewer, &LibraryQuery::default()).await.expect("a page");
        assert_eq!(page.pinned.iter().map(|document| document.id).collect::<Vec<_>>(), [own]);
        assert_eq!(list(&backend, &viewer, PersonalList::MustRead).await, [own]);
        let probationary = member_of(&units.harbour, Standing::Probationary);
        let page = backend.documents().list(&probationary, &LibraryQuery::default()).await.expect("a page");
        assert_eq!(page.pinned.len(), 5);

        let regulation = Put::by(&units.province, &units.province).save(&backend).await;
        let guides = vec![(regulation, Relation::Guides)];
        let near = Put { at: noon() - TimeDelta::days(9), related: guides.clone(), ..Put::by(&units.commune, &units.commune) };
        let near = near.save(&backend).await;
        for _ in 0..60 {
            Put { related: guides.clone(), ..Put::by(&units.hills, &units.hills) }.save(&backend).await;
        }
        let related = |viewer: &Viewer| {
            let (backend, viewer) = (backend.clone(), viewer.clone());
            async move { backend.documents().read(&viewer, regulation).await.expect("reads").related }
        };
        let told = related(&viewer).await;
        assert_eq!(told.iter().map(|other| other.id).collect::<Vec<_>>(), [near]);
        let mut leader = viewer.clone();
        leader.standpoint.grants.push(Grant { role: Role::Secretary, path: units.province.path.clone() });
        assert_eq!(related(&leader).await.len(), 50, "a person who may read all of them sees the newest");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_page_is_complete_after_the_last_document_is_withdrawn() {
    for (backend, _folder) in engines().await {
        let units = units(&backend).await;
        let viewer = member_of(&units.harbour, Standing::Official);
        let mut ids = Vec::new();
        for hour in 1..=25 {
            let put = Put { at: noon() - TimeDelta::hours(hour), ..Put::by(&units.province, &units.commune) };
            ids.push(put.save(&backend).await);
        }
        let first = backend.documents().list(&viewer, &LibraryQuery::default()).await.expect("a page");
        assert_eq!(first.documents.iter().map(|document| document.id).collect::<Vec<_>>(), ids[..20]);
        withdraw(&backend, ids[19], "Sai số liệu.").await;
        assert_eq!(library(&backend, &viewer, LibraryQuery { after: first.next, ..LibraryQuery::default() }).await, ids[20..]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_furthest_position_of_all_devices_is_kept() {
    for (backend, _folder) in engines().await {
        let units = units(&backend).await;
        let viewer = member_of(&units.harbour, Standing::Official);
        let id = Put::by(&units.province, &units.commune).save(&backend).await;
        let documents = backend.documents();
        assert_eq!(documents.read(&viewer, id).await.expect("reads").place, None);
        assert_eq!(list(&backend, &viewer, PersonalList::Recent).await, [id], "an opening is listed as recent");
        assert_eq!(list(&backend, &viewer, PersonalList::Continue).await, []);

        documents.note_progress(&viewer, id, "s-ii-nhiem-vu", 600).await.expect("notes");
        documents.note_progress(&viewer, id, "s-i-muc-tieu", 200).await.expect("ignores an older position");
        let place = documents.read(&viewer, id).await.expect("reads").place.expect("a place");
        assert_eq!((place.heading.expect("a heading").title.as_str(), place.part.percent()), ("II. Nhiệm vụ", 60));
        assert_eq!(list(&backend, &viewer, PersonalList::Continue).await, [id]);
        let row = documents.personal(&viewer, PersonalList::Continue, None).await.expect("a page").rows.remove(0);
        assert_eq!(row.percent, Some(60));

        documents.note_progress(&viewer, id, "<script>", 700).await.expect("notes");
        let place = documents.read(&viewer, id).await.expect("reads").place.expect("a place");
        assert_eq!((place.heading, place.part.percent()), (None, 70), "an invalid anchor is dropped");

        documents.note_progress(&viewer, id, "", 1000).await.expect("notes");
        assert_eq!(documents.read(&viewer, id).await.expect("reads").place, None, "a text read to the end has no position");
        assert_eq!(list(&backend, &viewer, PersonalList::Continue).await, []);
        backend.clock().advance(TimeDelta::hours(1));
        documents.read(&viewer, id).await.expect("reads");
        assert_eq!(list(&backend, &viewer, PersonalList::Continue).await, [], "opening a read text does not begin it again");

        assert!(is_not_found(&documents.note_progress(&viewer, id, "", 1001).await));
        let stranger = member_of(&units.hills, Standing::Official);
        assert!(is_not_found(&documents.note_progress(&stranger, id, "", 10).await));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recent_documents_are_sorted_by_opening_and_one_sitting_is_one_opening() {
    for (backend, _folder) in engines().await {
        let units = units(&backend).await;
        let viewer = member_of(&units.harbour, Standing::Official);
        let documents = backend.documents();
        let first = Put::by(&units.province, &units.commune).save(&backend).await;
        let second = Put::by(&units.province, &units.commune).save(&backend).await;
        for (id, minutes) in [(first, 1), (second, 1), (first, 5)] {
            documents.read(&viewer, id).await.expect("reads");
            backend.clock().advance(TimeDelta::minutes(minutes));
        }
        assert_eq!(
            list(&backend, &viewer, PersonalList::Recent).await,
            [second, first],
            "reopening within one sitting is no new opening"
        );
        backend.clock().advance(TimeDelta::minutes(10));
        documents.read(&viewer, first).await.expect("reads");
        assert_eq!(list(&backend, &viewer, PersonalList::Recent).await, [first, second]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bookmarks_are_paged_by_time_and_can_be_removed() {
    for (backend, _folder) in engines().await {
        let units = units(&backend).await;
        let viewer = member_of(&units.harbour, Standing::Official);
        let documents = backend.documents();
        let mut expected = Vec::new();
        for _ in 0..45 {
            let id = Put::by(&units.province, &units.commune).save(&backend).await;
            backend.clock().advance(TimeDelta::seconds(1));
            documents.bookmark(&viewer, id).await.expect("marks");
            expected.push(id);
        }
        documents.bookmark(&viewer, expected[0]).await.expect("again");
        expected.reverse();
        assert_eq!(list(&backend, &viewer, PersonalList::Bookmarks).await, expected);
        assert!(documents.read(&viewer, expected[7]).await.expect("reads").bookmarked);
        documents.remove_bookmark(&viewer, expected[7]).await.expect("takes away");
        documents.remove_bookmark(&viewer, expected[7]).await.expect("twice");
        assert!(!documents.read(&viewer, expected.remove(7)).await.expect("reads").bookmarked);
        // A whole page of bookmarks on documents that are no longer readable is skipped.
        for id in &expected[0..22] {
            let sql = "UPDATE $document SET audience_path = $path, audience = $unit RETURN NONE";
            let vars = vars! {
                document: record("document", id), path: units.hills.path.to_string(), unit: units.hills.id.to_string(),
            };
            backend.store().write(sql, vars).await.expect("is for others now");
        }
        assert_eq!(list(&backend, &viewer, PersonalList::Bookmarks).await, expected[22..]);
        assert_eq!(list(&backend, &member_of(&units.school, Standing::Official), PersonalList::Bookmarks).await, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawn_document_gives_its_reason_to_its_former_readers_only() {
    for (backend, _folder) in engines().await {
        let units = units(&backend).await;
        let documents = backend.documents();
        let [read, marked, neither] = [Standing::Official, Standing::Probationary, Standing::Exempt];
        let [reader, marker, other] = [read, marked, neither].map(|standing| member_of(&units.harbour, standing));
        let outsider = member_of(&units.hills, Standing::Official);
        let id = Put::by(&units.province, &units.commune).save(&backend).await;
        documents.read(&reader, id).await.expect("reads");
        documents.note_progress(&reader, id, "", 300).await.expect("notes");
        documents.bookmark(&marker, id).await.expect("marks");
        assert!(is_not_found(&documents.withdrawn(&reader, id).await), "it was not withdrawn");
        withdraw(&backend, id, "Có sai sót về thẩm quyền").await;
        for viewer in [&reader, &marker] {
            assert!(is_not_found(&documents.read(viewer, id).await));
            let left = documents.withdrawn(viewer, id).await.expect("is told");
            assert_eq!(left.because.as_deref(), Some("Có sai sót về thẩm quyền"));
            assert!(documents.has_page(viewer, id).await.expect("asks"));
        }
        for viewer in [&other, &outsider] {
            assert!(is_not_found(&documents.withdrawn(viewer, id).await) && !documents.has_page(viewer, id).await.expect("asks"));
        }
        let recent = documents.personal(&reader, PersonalList::Recent, None).await.expect("a page");
        assert!(recent.rows.iter().any(|row| row.document.id == id && row.withdrawn && row.percent.is_none()));
        assert_eq!(list(&backend, &reader, PersonalList::Continue).await, [], "a withdrawn document cannot be continued");
        assert_eq!(list(&backend, &marker, PersonalList::Bookmarks).await, [id]);
        documents.remove_bookmark(&marker, id).await.expect("takes away");
        assert!(!documents.has_page(&marker, id).await.expect("asks"), "only the bookmark gave access");
        assert_eq!(library(&backend, &reader, LibraryQuery::default()).await, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relations_are_shown_from_both_sides_if_readable() {
    for (backend, _folder) in engines().await {
        let units = units(&backend).await;
        let viewer = member_of(&units.harbour, Standing::Official);
        let put = Put::by(&units.province, &units.commune);
        let old = Put { at: noon() - TimeDelta::days(9), ..put.clone() }.save(&backend).await;
        let elsewhere = Put { audience: &units.hills, ..put.clone() }.save(&backend).await;
        let related = vec![(old, Relation::Supersedes), (elsewhere, Relation::Guides), (old, Relation::Amends)];
        let new = Put { related, ..put.clone() }.save(&backend).await;
        let withdrawn = Put { related: vec![(old, Relation::Amends)], state: PublicationState::Withdrawn, ..put };
        withdrawn.save(&backend).await;
        let told = async |id| {
            let page = backend.documents().read(&viewer, id).await.expect("reads");
            page.related.into_iter().map(|other| (other.id, other.relation, other.is_newer)).collect::<Vec<_>>()
        };
        assert_eq!(told(new).await, [(old, Relation::Supersedes, false), (old, Relation::Amends, false)]);
        assert_eq!(told(old).await, [(new, Relation::Supersedes, true), (new, Relation::Amends, true)]);
    }
}

/// Random trees, audiences, standings and postings, with units merged in between: library, page, unread list and bookmarks show
/// exactly what the policy lets a member read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_sees_a_document_exactly_when_the_policy_says_so() {
    for seed in 0..3 {
        let mut dice = StdRng::seed_from_u64(seed);
        let backend =
            Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), Clock::fixed(noon(), seed)).await.expect("opens");
        let tree = grow(&backend, &mut dice).await;
        let mut documents = Vec::new();
        for _ in 0..40 {
            let audience = tree.choose(&mut dice).expect("a unit");
            let above: Vec<&UnitRef> = tree.iter().filter(|unit| unit.path.contains(&audience.path)).collect();
            let put = Put {
                at: noon() - TimeDelta::hours(dice.random_range(1..9_000)),
                state: if dice.random_bool(0.8) {
                    PublicationState::Published
                } else {
                    *PublicationState::ALL.choose(&mut dice).expect("one")
                },
                parts: tree.iter().filter(|unit| audience.path.contains(&unit.path) && dice.random_bool(0.2)).cloned().collect(),
                except: tree.iter().filter(|unit| audience.path.contains(&unit.path) && dice.random_bool(0.1)).cloned().collect(),
                standings: Standing::ALL.into_iter().filter(|_| dice.random_bool(0.25)).collect(),
                ..Put::by(above.choose(&mut dice).expect("a unit"), audience)
            };
            documents.push((put.clone().save(&backend).await, put));
        }
        let branches: Vec<&UnitRef> = tree.iter().filter(|unit| unit.kind == level("branch")).collect();
        let mut people: Vec<Viewer> = (0..8)
            .map(|_| member_of(branches.choose(&mut dice).expect("a branch"), *Standing::ALL.choose(&mut dice).expect("one")))
            .collect();
        let mut read = BTreeSet::new();
        for merges in 0..3 {
            for person in &people {
                check(&backend, person, &documents, &mut read, &mut dice, seed).await;
            }
            if merges < 2 {
                merge_two(&backend, &mut dice).await;
                let tree = backend.units().tree();
                for person in &mut people {
                    // As the next request resolves them.
                    person.branch = tree.successor(&person.branch.id.to_string()).expect("a unit").clone();
                    person.standpoint.branch = person.branch.path.clone();
                }
            }
        }
    }
}

async fn grow(backend: &Backend, dice: &mut StdRng) -> Vec<UnitRef> {
    let mut registry = Registry::new(backend, dice.random(), noon() - TimeDelta::days(400));
    let mut tree = vec![registry.unit(None, level("central"), "01", "Trung ương").expect("a code")];
    for at in 0..22 {
        let parents: Vec<UnitRef> = tree.iter().filter(|unit| unit.kind != level("branch")).cloned().collect();
        let parent = parents.choose(dice).expect("a parent");
        let kinds = ["central", "province", "commune", "branch"].map(level).into_iter();
        let kinds: Vec<UnitKind> = kinds.filter(|kind| kind.hangs_on(parent.kind)).collect();
        let kind = if at < 4 { kinds[0] } else { *kinds.choose(dice).expect("a kind") };
        tree.push(registry.unit(Some(parent), kind, &format!("{at:02}"), &format!("Đơn vị {at}")).expect("a code"));
    }
    for (at, kind) in [(90, level("branch")), (91, level("branch"))] {
        tree.push(registry.unit(Some(&tree[0].clone()), kind, &format!("{at}"), "Chi bộ").expect("a code"));
    }
    registry.save().await.expect("saves");
    tree
}

async fn merge_two(backend: &Backend, dice: &mut StdRng) {
    let tree = backend.units().tree();
    let branches: Vec<&UnitRef> = tree.all().filter(|unit| unit.kind == level("branch")).collect();
    let picked: Vec<&&UnitRef> = branches.choose_multiple(dice, 2).collect();
    let root = UnitPath::parse("/01/").expect("a path");
    let mut keeper = member_of(picked[0], Standing::Official);
    keeper.standpoint.grants.push(Grant { role: Role::Operator, path: root });
    let (unit, target) = (picked[0].id.to_string(), picked[1].id.to_string());
    let form = MergeForm { unit: &unit, version: "0", target: &target, on: "2026-11-21" };
    if backend.unit_desk().merge(&keeper, form).await.is_err() {
        // It was changed by an earlier merge: its version is no longer the first.
        let form = MergeForm { unit: &target, version: "0", target: &unit, on: "2026-11-21" };
        backend.unit_desk().merge(&keeper, form).await.expect("merges");
    }
}

async fn check(
    backend: &Backend,
    person: &Viewer,
    documents: &[(DocumentId, Put<'_>)],
    read: &mut BTreeSet<(MemberId, DocumentId)>,
    dice: &mut StdRng,
    seed: u64,
) {
    let tree = backend.units().tree();
    let use_cases = backend.documents();
    let may = |put: &Put<'_>| {
        let successor = |unit: &UnitRef| tree.successor(&unit.id.to_string()).expect("a unit").path.clone();
        let audience = successor(put.audience);
        put.state == PublicationState::Published
            && (put.standings.is_empty() || put.standings.contains(&person.standpoint.standing))
            && (put.parts.is_empty() || put.parts.iter().any(|part| successor(part).contains(&person.standpoint.branch)))
            // A unit that was merged is no longer excepted.
            && !put.except.iter().any(|unit| {
                tree.get(unit.id).is_some_and(|unit| unit.path.contains(&person.standpoint.branch))
            })
            && person.standpoint.may_as_member(Action::ReadDocument, &audience)
    };
    let expected: BTreeSet<DocumentId> = documents.iter().filter(|(_, put)| may(put)).map(|(id, _)| *id).collect();
    let seen: Vec<DocumentId> = library(backend, person, LibraryQuery::default()).await;
    assert_eq!(seen.iter().copied().collect::<BTreeSet<_>>(), expected, "the library, seed {seed}");
    assert_eq!(seen.len(), expected.len(), "each once");
    let news: BTreeSet<DocumentId> = documents
        .iter()
        .filter(|(id, put)| {
            expected.contains(id) && put.at > noon() - TimeDelta::days(365) && !read.contains(&(person.member, *id))
        })
        .map(|(id, _)| *id)
        .collect();
    let unread = list(backend, person, PersonalList::Unread).await;
    assert_eq!(unread.iter().copied().collect::<BTreeSet<_>>(), news, "what is unread, seed {seed}");
    for (id, _) in documents {
        let marked = use_cases.bookmark(person, *id).await;
        assert_eq!(marked.is_ok(), expected.contains(id), "seed {seed}: {marked:?}");
        if dice.random_bool(0.4) {
            let opened = use_cases.read(person, *id).await;
            assert_eq!(opened.is_ok(), expected.contains(id), "seed {seed}");
            if opened.is_ok() && dice.random_bool(0.7) {
                use_cases.mark_read(person, *id, Seen::Said).await.expect("is recorded");
                read.insert((person.member, *id));
            }
        }
    }
    let marked: BTreeSet<DocumentId> = list(backend, person, PersonalList::Bookmarks).await.into_iter().collect();
    assert!(expected.is_subset(&marked) && marked.iter().all(|id| expected.contains(id)), "bookmarks, seed {seed}");
}

/// Whatever units a text was moved between, and whatever was saved while the records were merged.
#[tokio::test]
async fn who_wrote_under_a_record_that_was_merged_is_the_author() {
    for (backend, _folder) in engines().await {
        let units = units(&backend).await;
        let mut registry = Registry::new(&backend, 2, noon() - TimeDelta::days(400));
        let mut person = |number: u8| {
            let born = NaiveDate::from_ymd_opt(1980, 2, 3).expect("a day");
            let id = NationalId::parse(&format!("05100000000{number}")).expect("an ID");
            let member = NewMember {
                code: &format!("5100000{number}"),
                full_name: "Võ Văn Khơi",
                sex: Sex::Male,
                birth_date: born,
                admitted_on: born + chrono::Months::new(12 * 28),
                standing: Standing::Official,
                national_id: &id,
                phone: None,
                unit: &units.harbour,
            };
            registry.member(&member).expect("is registered").to_string()
        };
        let [first, second, kept, other] = [1, 2, 3, 4].map(&mut person);
        registry.save().await.expect("saves");
        for (gone, into) in [(&first, &second), (&second, &kept)] {
            let vars = vars! { gone: record("member", gone), into: into.clone() };
            backend.store().write("UPDATE $gone SET merged_into = $into RETURN NONE", vars).await.expect("writes");
        }
        let documents = backend.documents();
        let authors = [first];
        assert!(documents.is_author(&authors, &kept).await.expect("reads"));
        assert!(documents.is_author(&authors, &second).await.expect("reads"));
        assert!(!documents.is_author(&authors, &other).await.expect("reads"));
        assert!(!documents.is_author(&[], &kept).await.expect("reads"));
    }
}
