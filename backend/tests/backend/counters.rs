//! The counters after a crash: the snapshot plus the log equals the tables.

use std::fmt::Write as _;

use backend::{
    Backend, Clock,
    demo::registry::{NewMember, Registry},
    feedback::OpinionForm,
    members::StateForm,
};
use chrono::{NaiveDate, TimeDelta};
use domain::{
    accounts::Viewer,
    documents::reading::Seen,
    ids::DocumentId,
    imports::ImportState,
    members::{MemberState, NationalId, Sex, Standing},
    policy::Standpoint,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tempfile::TempDir;

use crate::{
    documents::{chief, published},
    imports::imported,
    support::{Fixture, on_disk, read_through, reopened, start},
    units::{merge, registrar},
};

/// Number of people who are merged, imported and moved.
const POOL: u32 = 8;

/// A small organisation on disk whose program is killed at random.
struct World {
    backend: Option<Backend>,
    clock: Clock,
    folder: TempDir,
    org: Fixture,
    pool: Vec<Viewer>,
    documents: Vec<DocumentId>,
    imports: u32,
}

impl World {
    async fn new() -> Self {
        let (backend, clock, folder) = on_disk().await;
        let org = Fixture::insert(&backend).await;
        let mut registry = Registry::new(&backend, 2, start() - TimeDelta::days(300));
        let mut pool = Vec::new();
        for number in 1..=POOL {
            let id = registry
                .member(&NewMember {
                    code: &card(number),
                    full_name: "Nguyễn Văn Chung",
                    sex: Sex::Male,
                    birth_date: NaiveDate::from_ymd_opt(1980, 2, 1).expect("a day"),
                    admitted_on: NaiveDate::from_ymd_opt(2008, 2, 3).expect("a day"),
                    standing: Standing::Official,
                    national_id: &NationalId::parse(&national_id(number)).expect("twelve digits"),
                    phone: None,
                    unit: &org.harbour,
                })
                .expect("registers");
            pool.push(Viewer {
                member: id,
                standpoint: Standpoint { branch: org.harbour.path.clone(), standing: Standing::Official, grants: Vec::new() },
                ..org.fisherman.viewer.clone()
            });
        }
        registry.save().await.expect("saves");
        Self { backend: Some(backend), clock, folder, org, pool, documents: Vec::new(), imports: 0 }
    }

    fn backend(&self) -> &Backend {
        self.backend.as_ref().expect("runs")
    }

    /// Drops the backend without saving the counters, and opens it again.
    async fn crash(&mut self) {
        // Its tasks hold the store for a moment longer.
        self.backend().imports().stop().await;
        self.backend = None;
        self.backend = Some(reopened(self.folder.path(), &self.clock).await);
    }

    async fn save(&self) {
        self.backend().statistics().save_counters(TimeDelta::zero()).await.expect("saves");
    }

    /// Asserts that the counters equal the tables.
    async fn assert_exact(&self, when: &str) {
        let different = self.backend().statistics().recount().await.expect("counts");
        assert!(different.is_empty(), "{when}: {different:?}");
    }

    fn person(&self, rng: &mut StdRng) -> Viewer {
        let people = [&self.org.fisherman, &self.org.exempt, &self.org.teacher, &self.org.probationary];
        let at = rng.random_range(0..people.len() + self.pool.len());
        people.get(at).map_or_else(|| self.pool[at - people.len()].clone(), |person| person.viewer.clone())
    }

    async fn step(&mut self, rng: &mut StdRng) {
        let (backend, org) = (self.backend().clone(), self.org.clone());
        match rng.random_range(0..12) {
            0 => self.documents.push(published(&backend, &org.coast_editor.viewer, &org.coast, &org.coast).await),
            1 if self.documents.len() > 2 => {
                let id = self.documents.swap_remove(rng.random_range(0..self.documents.len()));
                backend.documents().withdraw(&chief(&org.coast_editor.viewer), id, "Sai số liệu.").await.expect("is withdrawn");
            }
            2 if !self.documents.is_empty() => {
                let (key, about) = (self.clock.ulid().to_string(), self.documents[0].to_string());
                let form =
                    OpinionForm { opinion: &key, document: &about, audience: "branch", text: &format!("Ý kiến {key}.") };
                backend.feedback().send(&self.person(rng), form).await.expect("sends");
            }
            3 => self.merge_two(rng).await,
            4 => self.import(rng).await,
            5 => self.leave_or_return(rng).await,
            _ if !self.documents.is_empty() => {
                let id = self.documents[rng.random_range(0..self.documents.len())];
                let person = self.person(rng);
                backend.documents().read(&person, id).await.expect("opens");
                if rng.random_bool(0.8) {
                    backend.documents().mark_read(&person, id, Seen::Said).await.expect("is recorded");
                }
            }
            _ => {}
        }
    }

    async fn merge_two(&mut self, rng: &mut StdRng) {
        if self.pool.len() < 3 {
            return;
        }
        let other = self.pool.swap_remove(rng.random_range(0..self.pool.len()));
        let keep = self.pool[rng.random_range(0..self.pool.len())].member;
        // A record of a former member cannot be kept: the merge is rejected, and both stay.
        if self.backend().members().merge(&self.org.coast_registrar.viewer, keep, other.member).await.is_err() {
            self.pool.push(other);
        }
    }

    /// Imports a new member, moves some of the others and makes some of them exempt.
    async fn import(&mut self, rng: &mut StdRng) {
        self.imports += 1;
        let mut file = "Số thẻ,Họ và tên,Giới tính,Ngày sinh,Ngày vào Đảng,Ngày chính thức,Diện,CCCD,Mã chi bộ\n".to_owned();
        for number in [100 + self.imports, rng.random_range(1..=POOL)] {
            let branch = if rng.random_bool(0.5) { "51/001/01" } else { "51/001/02" };
            let standing = if rng.random_bool(0.3) { "Miễn sinh hoạt" } else { "Chính thức" };
            let (card, id) = (card(number), national_id(number));
            writeln!(file, "{card},Nguyễn Văn Chung,Nam,01/02/1980,03/02/2008,03/02/2009,{standing},{id},{branch}")
                .expect("is text");
        }
        let page = imported(self.backend(), &self.org, file.as_bytes()).await;
        assert_eq!(page.import.state, ImportState::Done);
    }

    async fn leave_or_return(&self, rng: &mut StdRng) {
        let (members, registrar) = (self.backend().members(), &self.org.coast_registrar.viewer);
        let id = self.pool[rng.random_range(0..self.pool.len())].member;
        let record = members.record(registrar, id).await.expect("a record").record;
        let state = if record.state == MemberState::Active { "left" } else { "active" };
        let (id, version, day) = (id.to_string(), record.version.to_string(), self.clock.today().to_string());
        members.set_state(registrar, StateForm { id: &id, version: &version, state, day: &day }).await.expect("is written");
    }
}

fn card(number: u32) -> String {
    format!("51.{:06}", 900_000 + number)
}

fn national_id(number: u32) -> String {
    format!("051080{:06}", 700_000 + number)
}

/// After any sequence of events and kills, the snapshot plus the log equals the tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_crash_the_snapshot_and_the_log_equal_the_tables() {
    for seed in [1, 2, 3] {
        println!("seed {seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        let mut world = World::new().await;
        world.save().await;
        for step in 0..60 {
            let seconds = [0, 3, 40, 240, 7_200][rng.random_range(0..5)];
            world.clock.advance(TimeDelta::seconds(seconds));
            world.step(&mut rng).await;
            if rng.random_bool(0.6) {
                world.backend().catch_up().await.expect("reads the log");
            }
            if rng.random_bool(0.15) {
                world.save().await;
            }
            if rng.random_bool(0.15) {
                world.crash().await;
                if rng.random_bool(0.4) {
                    world.assert_exact(&format!("seed {seed}, step {step}")).await;
                }
            }
        }
        world.assert_exact(&format!("seed {seed}, at the end")).await;
        world.crash().await;
        world.assert_exact(&format!("seed {seed}, after the end")).await;
    }
}

/// Reads that both records had are counted once; the uses of both are those of the kept record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_changes_what_both_had_and_nothing_else() {
    let mut world = World::new().await;
    let (org, registrar) = (world.org.clone(), world.org.coast_registrar.viewer.clone());
    let [first, second] = [published_in(&world).await, published_in(&world).await];
    let (keep, gone) = (world.pool[0].clone(), world.pool[1].clone());
    read_through(world.backend(), &gone, first).await;
    world.clock.advance(TimeDelta::minutes(10));
    read_through(world.backend(), &keep, first).await;
    read_through(world.backend(), &gone, second).await;
    // The registrar who merges uses the handbook too, so they are counted before.
    world.backend().members().record(&registrar, keep.member).await.expect("a record");
    let total = async |backend: &Backend| {
        backend.catch_up().await.expect("reads the log");
        let page = backend.statistics().page(&org.answering_for(&org.coast), None).await.expect("a page");
        page.total.figures.expect("a large group")
    };
    let before = total(world.backend()).await;
    world.save().await;
    world.backend().members().merge(&registrar, keep.member, gone.member).await.expect("merges");
    let after = total(world.backend()).await;
    assert_eq!((after.reads, after.members, after.active), (before.reads - 1, before.members - 1, before.active - 1));
    world.crash().await;
    assert_eq!(total(world.backend()).await, after, "from the snapshot and the log");
    world.assert_exact("after the merge").await;
    world.clock.advance(TimeDelta::minutes(10));
    world.assert_exact("from the tables alone").await;
}

async fn published_in(world: &World) -> DocumentId {
    published(world.backend(), &world.org.coast_editor.viewer, &world.org.coast, &world.org.coast).await
}

/// The counts of units that move between the snapshot and the crash move with them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_of_a_snapshot_follow_units_merged_after_it() {
    let mut world = World::new().await;
    let id = published_in(&world).await;
    for person in [&world.org.fisherman, &world.org.teacher] {
        read_through(world.backend(), &person.viewer, id).await;
    }
    world.save().await;
    let (harbour, school) = (world.org.harbour.id, world.org.school.id);
    merge(world.backend(), &registrar(&world.org), harbour, school).await.expect("is merged");
    world.crash().await;
    let page = world.backend().statistics().page(&world.org.answering_for(&world.org.school), None).await.expect("a page");
    assert_eq!(page.total.figures.map(|figures| figures.reads), Some(2));
    world.assert_exact("after the merge of units").await;
}
