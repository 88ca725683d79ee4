//! The use-cases of the handbook and their storage in SurrealDB.
//!
//! Each noun has a module whose struct borrows the [`Backend`]: `backend.documents().publish(&viewer, …)`. A use-case asks the
//! policy, applies the state rule and writes in **one** transaction, together with its row of the event log.
//!
//! Invariant: authorisation happens here and nowhere else, so that no entry point (page, server function, command line) can forget it.
//! Invariant: this crate knows nothing of HTTP and nothing of leptos.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

pub mod accounts;
pub mod audit;
mod bulk;
mod change;
pub mod clock;
pub mod condition;
pub mod courses;
pub mod demo;
pub mod documents;
mod error;
pub mod events;
pub mod feedback;
pub mod files;
pub mod flash;
pub mod home;
pub mod imports;
pub mod jobs;
mod key_check;
pub mod keys;
pub mod markdown;
pub mod meetings;
pub mod members;
mod migrations;
pub mod offices;
mod quota;
#[cfg(test)]
mod references;
pub mod search;
pub mod sms;
pub mod statistics;
mod store;
pub mod units;
mod unpacked;

use tokio::sync::Notify;

pub use clock::Clock;
pub use error::{Error, Result};
pub use key_check::KeySource;
pub use keys::Keys;
pub use migrations::Progress;

use crate::{
    accounts::{Accounts, NoticeWords},
    audit::Audit,
    courses::Courses,
    documents::Documents,
    events::{Events, Position},
    feedback::Feedback,
    files::{FileService, Files},
    flash::Flashes,
    home::{Home, LastCounts},
    imports::{ImportWorkspace, Imports},
    meetings::Meetings,
    members::Members,
    offices::Offices,
    search::{Search, SearchIndex},
    sms::Sms,
    statistics::{Counters, Statistics},
    store::Store,
    units::{UnitDesk, Units},
};

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// In this process and gone with it: for tests.
    Memory,
    /// In a folder of this machine, which one process at a time may use.
    Folder(PathBuf),
    /// In a SurrealDB server, `ws://host:port` or `wss://…`, which several processes share.
    Server { url: String, credentials: Option<(String, String)> },
}

/// Everything a use-case needs. Cheap to clone; one per process.
#[derive(Clone)]
pub struct Backend {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    folder: Option<PathBuf>,
    keys: Keys,
    clock: Clock,
    units: Units,
    events: Events,
    counters: Counters,
    sms: OnceLock<Sms>,
    notice_words: OnceLock<NoticeWords>,
    workspace: ImportWorkspace,
    search: SearchIndex,
    files: FileService,
    last_counts: LastCounts,
    /// Called when this process has enqueued a job.
    job_wake: Notify,
    parked_jobs: AtomicU64,
}

impl AsRef<Store> for Backend {
    fn as_ref(&self) -> &Store {
        &self.shared.store
    }
}

impl Backend {
    /// Opens the store, brings its schema up to date, loads the tree and the counters: from their newest snapshot and the log since,
    /// or from the tables where none can be used.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has the folder; [`Error::Schema`] when the data is from a newer or altered version;
    /// [`Error::Key`] when the store was filled with another key.
    pub async fn open(location: &StoreLocation, keys: Keys, clock: Clock) -> Result<Self> {
        Self::open_with(location, KeySource::Given(keys), clock, &Progress::default()).await
    }

    /// The same with the key in a file. For an empty store it is made; beside a store in use it must be there.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with_key_file(location: &StoreLocation, file: &Path, clock: Clock) -> Result<Self> {
        Self::open_with(location, KeySource::File(file), clock, &Progress::default()).await
    }

    /// The same with either key, telling how far the migrations are: on a large store they take minutes.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(location: &StoreLocation, keys: KeySource<'_>, clock: Clock, progress: &Progress) -> Result<Self> {
        let store = Store::connect(location).await?;
        Self::over(store, location, keys, clock, progress).await
    }

    /// The same over a store that is connected.
    async fn over(
        store: Store,
        location: &StoreLocation,
        keys: KeySource<'_>,
        clock: Clock,
        progress: &Progress,
    ) -> Result<Self> {
        migrations::run(&store, &clock, progress).await?;
        let keys = key_check::settle(&store, keys, &clock).await?;
        if store.is_exclusive() {
            // On a full disk people read on, and the leases end by themselves.
            if let Err(error) = jobs::lease::end_all(&store, &clock).await {
                tracing::warn!(%error, "interrupted jobs run again only when their leases have lapsed");
            }
        }
        let units = Units::load(&store).await?;
        let snapshot = Counters::load(&store, &units.tree(), &clock).await?;
        let goes_on = snapshot.is_some();
        let (counters, position) = match snapshot {
            Some(snapshot) => snapshot,
            None => {
                let position = Position::end(&store, &clock).await?;
                (Counters::rebuild(&store, &units, &clock).await?, position)
            }
        };
        let events = Events::starting_at(position);
        let workspace = ImportWorkspace::for_store(location);
        let search = SearchIndex::for_store(location);
        let files = FileService::for_store(location)?;
        let (sms, notice_words) = (OnceLock::new(), OnceLock::new());
        let folder = match location {
            StoreLocation::Folder(folder) => Some(folder.clone()),
            StoreLocation::Memory | StoreLocation::Server { .. } => None,
        };
        let last_counts = LastCounts::default();
        let shared = Shared {
            store,
            folder,
            keys,
            clock,
            units,
            events,
            counters,
            sms,
            notice_words,
            workspace,
            search,
            files,
            last_counts,
            job_wake: Notify::new(),
            parked_jobs: AtomicU64::new(0),
        };
        let backend = Self { shared: Arc::new(shared) };
        let events = backend.catch_up().await?;
        if goes_on {
            tracing::info!(events, "the counters go on from their snapshot with what the log tells since");
        } else {
            tracing::info!("the counters were counted from the tables");
        }
        backend.members().refold().await?;
        backend.unit_desk().resume().await?;
        Ok(backend)
    }

    /// Says how short messages go out. Once, at the start.
    pub fn send_messages_by(&self, sms: Sms) {
        if self.shared.sms.set(sms).is_err() {
            tracing::error!("the way of short messages was set already and stays");
        }
    }

    /// Says how the owners of accounts are told what was done to them. Once, at the start; without it nobody is told.
    pub fn word_notices_by(&self, words: NoticeWords) {
        if self.shared.notice_words.set(words).is_err() {
            tracing::error!("the words of notices were set already and stay");
        }
    }

    pub fn accounts(&self) -> Accounts<'_> {
        Accounts::new(self)
    }

    pub fn audit(&self) -> Audit<'_> {
        Audit::new(self)
    }

    pub fn courses(&self) -> Courses<'_> {
        Courses::new(self)
    }

    pub fn documents(&self) -> Documents<'_> {
        Documents::new(self)
    }

    pub fn feedback(&self) -> Feedback<'_> {
        Feedback::new(self)
    }

    pub fn files(&self) -> Files<'_> {
        Files::new(self)
    }

    pub fn flashes(&self) -> Flashes<'_> {
        Flashes::new(self)
    }

    pub fn home(&self) -> Home<'_> {
        Home::new(self)
    }

    pub fn imports(&self) -> Imports<'_> {
        Imports::new(self)
    }

    pub fn meetings(&self) -> Meetings<'_> {
        Meetings::new(self)
    }

    pub fn members(&self) -> Members<'_> {
        Members::new(self)
    }

    pub fn offices(&self) -> Offices<'_> {
        Offices::new(self)
    }

    pub fn search(&self) -> Search<'_> {
        Search::new(self)
    }

    pub fn statistics(&self) -> Statistics<'_> {
        Statistics::new(self)
    }

    pub fn units(&self) -> &Units {
        &self.shared.units
    }

    pub fn unit_desk(&self) -> UnitDesk<'_> {
        UnitDesk::new(self)
    }

    pub fn events(&self) -> &Events {
        &self.shared.events
    }

    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Where the embedded store lies.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.shared.folder.as_deref()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.shared.store
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.shared.keys
    }

    pub(crate) fn notice_words(&self) -> Option<NoticeWords> {
        self.shared.notice_words.get().copied()
    }

    pub(crate) fn sms_way(&self) -> Option<&Sms> {
        self.shared.sms.get()
    }

    /// Tells the runner of this process that it has just enqueued a job.
    pub(crate) fn wake_jobs(&self) {
        self.shared.job_wake.notify_one();
    }

    pub(crate) fn job_wake(&self) -> &Notify {
        &self.shared.job_wake
    }

    pub(crate) fn note_parked(&self, jobs: u64) {
        self.shared.parked_jobs.store(jobs, Relaxed);
    }

    pub(crate) fn parked(&self) -> u64 {
        self.shared.parked_jobs.load(Relaxed)
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    pub(crate) fn search_index(&self) -> &SearchIndex {
        &self.shared.search
    }

    pub(crate) fn file_service(&self) -> &FileService {
        &self.shared.files
    }

    pub(crate) fn last_counts(&self) -> &LastCounts {
        &self.shared.last_counts
    }

    pub(crate) fn workspace(&self) -> &ImportWorkspace {
        &self.shared.workspace
    }
}
