//! A small organisation, and a backend that starts at a fixed time.

use std::{path::Path, time::Duration};

use backend::{
    Backend, Clock, Error, Keys, StoreLocation,
    demo::registry::{NewMember, Registry},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    accounts::{Office, Password, Preferences, Viewer},
    documents::reading::Seen,
    ids::{DocumentId, MemberId},
    members::{FullName, NationalId, Sex, Standing},
    policy::{Grant, Role, Standpoint},
    units::{UnitKind, UnitRef},
};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// Far longer than any condition takes, even on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The password of every person with an account.
pub(crate) const PASSWORD: &str = "ca-voi-xanh-2026";

/// A level of the pack in use.
pub(crate) fn level(key: &str) -> UnitKind {
    UnitKind::from_key(key).expect("a level of the pack")
}

/// 2026-11-21, 15:00 in the organisation's time zone.
pub(crate) fn start() -> DateTime<Utc> {
    "2026-11-21T08:00:00Z".parse().expect("a moment")
}

/// An empty in-memory backend; its clock stands still until the test advances it.
pub(crate) async fn backend() -> (Backend, Clock) {
    open(&StoreLocation::Memory).await
}

/// The same on disk. The folder is deleted with the returned value.
pub(crate) async fn on_disk() -> (Backend, Clock, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let (backend, clock) = open(&StoreLocation::Folder(folder.path().to_owned())).await;
    (backend, clock, folder)
}

/// Opens the store of a folder again. The engine releases its files a moment after the last handle of the old backend is dropped.
pub(crate) async fn reopened(folder: &Path, clock: &Clock) -> Backend {
    let location = StoreLocation::Folder(folder.to_owned());
    let opened = async {
        loop {
            match Backend::open(&location, Keys::from_master(&[7; 32]), clock.clone()).await {
                Ok(backend) => return backend,
                Err(Error::Store(_) | Error::InUse) => sleep(Duration::from_millis(5)).await,
                Err(error) => panic!("{error:?}"),
            }
        }
    };
    timeout(PATIENCE, opened).await.expect("the engine lets go of its files")
}

/// Opens a document and confirms that it was read.
pub(crate) async fn read_through(backend: &Backend, viewer: &Viewer, id: DocumentId) {
    backend.documents().read(viewer, id).await.expect("opens");
    backend.documents().mark_read(viewer, id, Seen::Said).await.expect("is recorded");
}

/// An in-memory backend with the small organisation.
pub(crate) async fn organisation() -> (Backend, Clock, Fixture) {
    let (backend, clock) = backend().await;
    let fixture = Fixture::insert(&backend).await;
    (backend, clock, fixture)
}

async fn open(location: &StoreLocation) -> (Backend, Clock) {
    let clock = Clock::fixed(start(), 1);
    let backend = Backend::open(location, Keys::from_master(&[7; 32]), clock.clone()).await.expect("opens");
    (backend, clock)
}

/// A person of the small organisation.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: MemberId,
    pub(crate) name: String,
    pub(crate) national_id: String,
    /// The viewer that a session of this person returns.
    pub(crate) viewer: Viewer,
}

/// A province with two communes: the coast with the branches harbour and school, and the hills with one branch.
///
/// Everybody except `not_activated` has an account. People of the school's branch hold the offices of the province and the coast.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) province: UnitRef,
    pub(crate) coast: UnitRef,
    pub(crate) hills: UnitRef,
    pub(crate) harbour: UnitRef,
    pub(crate) school: UnitRef,
    pub(crate) farm: UnitRef,
    // In the harbour's branch.
    pub(crate) fisherman: Person,
    pub(crate) secretary: Person,
    pub(crate) deputy: Person,
    pub(crate) probationary: Person,
    pub(crate) exempt: Person,
    pub(crate) not_activated: Person,
    // In the school's branch.
    pub(crate) teacher: Person,
    pub(crate) school_secretary: Person,
    pub(crate) coast_secretary: Person,
    pub(crate) coast_committee_member: Person,
    pub(crate) coast_editor: Person,
    pub(crate) coast_registrar: Person,
    pub(crate) province_chief_editor: Person,
    pub(crate) province_statistician: Person,
    pub(crate) operator: Person,
    /// Was secretary of the coast until yesterday.
    pub(crate) former_secretary: Person,
    // In the farm's branch.
    pub(crate) farmer: Person,
    pub(crate) farm_secretary: Person,
    pub(crate) hills_editor: Person,
}

impl Fixture {
    /// A person responsible for the figures of this unit and for nothing else, so little is hidden from them.
    pub(crate) fn answering_for(&self, unit: &UnitRef) -> Viewer {
        let mut viewer = self.province_statistician.viewer.clone();
        for grant in &mut viewer.standpoint.grants {
            grant.path = unit.path.clone();
        }
        viewer
    }

    pub(crate) async fn insert(backend: &Backend) -> Self {
        Self::insert_marked(backend, "").await
    }

    /// The same with `mark` appended to every name that allows it.
    pub(crate) async fn insert_marked(backend: &Backend, mark: &'static str) -> Self {
        let since = start() - TimeDelta::days(400);
        let marked = |name: &str| format!("{name}{mark}");
        let mut registry = Registry::new(backend, 1, since);
        let province = registry.unit(None, level("province"), "51", &marked("Tỉnh Trà Khúc")).expect("a code");
        let coast = registry.unit(Some(&province), level("commune"), "001", &marked("Xã Bình Châu Đông")).expect("a code");
        let hills = registry.unit(Some(&province), level("commune"), "002", &marked("Xã Sơn Trà Bồng")).expect("a code");
        let harbour = registry.unit(Some(&coast), level("branch"), "01", &marked("Chi bộ thôn Gành Đá")).expect("a code");
        let school =
            registry.unit(Some(&coast), level("branch"), "02", &marked("Chi bộ Trường Trung học cơ sở")).expect("a code");
        let farm = registry.unit(Some(&hills), level("branch"), "01", &marked("Chi bộ thôn Suối Quế")).expect("a code");
        let hash = registry.hash(&Password::parse(PASSWORD).expect("long enough")).await.expect("hashes");

        let mut people = People { registry, hash, since, mark, count: 0 };
        let fixture = Self {
            fisherman: people.add("Võ Văn Khơi", &harbour, Standing::Official, None),
            secretary: people.add("Huỳnh Thị Bến", &harbour, Standing::Official, Some((Role::Secretary, &harbour))),
            deputy: people.add("Tiêu Viết Lộng", &harbour, Standing::Official, Some((Role::Deputy, &harbour))),
            probationary: people.add("Phạm Thị Mai", &harbour, Standing::Probationary, None),
            exempt: people.add("Bùi Văn Cựu", &harbour, Standing::Exempt, None),
            not_activated: people.add_without_account("Đỗ Văn Chưa", &harbour),
            teacher: people.add("Lê Thị Thước", &school, Standing::Official, None),
            school_secretary: people.add("Ngô Thị Bảng", &school, Standing::Official, Some((Role::Secretary, &school))),
            coast_secretary: people.add("Trần Quốc Hải", &school, Standing::Official, Some((Role::Secretary, &coast))),
            coast_committee_member: people.add("Phan Thị Ủy", &school, Standing::Official, Some((Role::CommitteeMember, &coast))),
            coast_editor: people.add("Đặng Minh Biên", &school, Standing::Official, Some((Role::Editor, &coast))),
            coast_registrar: people.add("Cao Thị Sổ", &school, Standing::Official, Some((Role::Registrar, &coast))),
            province_chief_editor: people.add(
                "Nguyễn Đức Thắng",
                &school,
                Standing::Official,
                Some((Role::ChiefEditor, &province)),
            ),
            province_statistician: people.add("Hồ Thị Đếm", &school, Standing::Official, Some((Role::Statistician, &province))),
            operator: people.add("Mai Văn Máy", &school, Standing::Official, Some((Role::Operator, &province))),
            former_secretary: people.former("Trịnh Văn Cũ", &school, Role::Secretary, &coast),
            farmer: people.add("Đinh Thị Quế", &farm, Standing::Official, None),
            farm_secretary: people.add("Hồ Văn Suối", &farm, Standing::Official, Some((Role::Secretary, &farm))),
            hills_editor: people.add("Lý Thị Đèo", &farm, Standing::Official, Some((Role::Editor, &hills))),
            province,
            coast,
            hills,
            harbour,
            school,
            farm,
        };
        people.registry.save().await.expect("saves");
        fixture
    }
}

struct People<'b> {
    registry: Registry<'b>,
    hash: String,
    since: DateTime<Utc>,
    mark: &'static str,
    count: u32,
}

impl People<'_> {
    fn add(&mut self, name: &str, branch: &UnitRef, standing: Standing, office: Option<(Role, &UnitRef)>) -> Person {
        let mut person = self.register(name, branch, standing);
        self.activate(&person);
        if let Some((role, unit)) = office {
            self.registry.office(person.id, role, unit, None);
            person.viewer.standpoint.grants.push(Grant { role, path: unit.path.clone() });
            person.viewer.offices.push(Office { role, unit: unit.clone() });
        }
        person
    }

    fn add_without_account(&mut self, name: &str, branch: &UnitRef) -> Person {
        self.register(name, branch, Standing::Official)
    }

    fn former(&mut self, name: &str, branch: &UnitRef, role: Role, unit: &UnitRef) -> Person {
        let person = self.register(name, branch, Standing::Official);
        self.activate(&person);
        self.registry.office(person.id, role, unit, Some(NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day")));
        person
    }

    fn register(&mut self, name: &str, branch: &UnitRef, standing: Standing) -> Person {
        self.count += 1;
        let national_id = format!("951000{:06}", self.count);
        let marked = format!("{name}{}", self.mark);
        let name = if FullName::parse(&marked).is_ok() { marked.as_str() } else { name };
        let id = self
            .registry
            .member(&NewMember {
                code: &format!("51.{:06}", self.count),
                full_name: name,
                sex: Sex::Female,
                birth_date: NaiveDate::from_ymd_opt(1980, 2, 3).expect("a day"),
                admitted_on: NaiveDate::from_ymd_opt(2008, 2, 3).expect("a day"),
                standing,
                national_id: &NationalId::parse(&national_id).expect("twelve digits"),
                phone: None,
                unit: branch,
            })
            .expect("registers");
        let viewer = Viewer {
            member: id,
            name: name.to_owned(),
            branch: branch.clone(),
            standpoint: Standpoint { branch: branch.path.clone(), standing, grants: Vec::new() },
            offices: Vec::new(),
            resting: Vec::new(),
        };
        Person { id, name: name.to_owned(), national_id, viewer }
    }

    fn activate(&mut self, person: &Person) {
        let at = self.since + TimeDelta::days(10);
        self.registry.account(person.id, &person.viewer.branch, at, &self.hash, Preferences::default());
    }
}
