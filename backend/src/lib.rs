//! The use-cases of the handbook and their storage in SurrealDB.
//!
//! Each noun has a module whose struct borrows the [`Backend`]: `backend.documents().publish(&viewer, …)`. A use-case checks the
//! policy, applies the state rule and writes **one** transaction that includes its row of the event log.
//!
//! Invariant: authorisation happens here and nowhere else, so that no entry point (page, server function, command line) can skip
//! it.
//!
//! Invariant: this crate depends on neither HTTP nor leptos.

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

pub use conversion::markdown;
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
    units::{Reorganisations, UnitDesk, Units},
};

/// Where the data is stored.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// In the memory of this process, lost when it ends. For tests.
    Memory,
    /// In a local folder that one process at a time can use.
    Folder(PathBuf),
    /// In a SurrealDB server, `ws://host:port` or `wss://…`, which several processes share.
    Server { url: String, credentials: Option<(String, String)> },
}

/// The state that use-cases share. Cheap to clone; one per process.
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
    /// Notified when this process has enqueued a job.
    job_wake: Notify,
    parked_jobs: AtomicU64,
}

impl AsRef<Store> for Backend {
    fn as_ref(&self) -> &Store {
        &self.shared.store
    }
}

impl Backend {
    /// Opens the store, applies pending migrations, and loads the tree and the counters. The counters come from their newest
    /// snapshot and the log since, or from the tables when no snapshot can be used.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process uses the folder; [`Error::Schema`] when the data is from a newer or altered version;
    /// [`Error::Key`] when the store was filled with another key.
    pub async fn open(location: &StoreLocation, keys: Keys, clock: Clock) -> Result<Self> {
        Self::open_with(location, KeySource::Given(keys), clock, &Progress::default()).await
    }

    /// Like [`Self::open`] with the key in a file. The file is created for an empty store; for a store in use it must exist.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with_key_file(location: &StoreLocation, file: &Path, clock: Clock) -> Result<Self> {
        Self::open_with(location, KeySource::File(file), clock, &Progress::default()).await
    }

    /// Like [`Self::open`] with the key from either source. Reports the progress of migrations, which take minutes on a large
    /// store.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(location: &StoreLocation, keys: KeySource<'_>, clock: Clock, progress: &Progress) -> Result<Self> {
        let store = Store::connect(location).await?;
        Self::over(store, location, keys, clock, progress).await
    }

    /// Like [`Self::open_with`] for a connected store.
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
            // A full disk must not prevent reading. The leases expire by themselves.
            if let Err(error) = jobs::lease::end_all(&store, &clock).await {
                tracing::warn!(%error, "cannot end the leases of interrupted jobs; they run again when their leases expire");
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
        let workspace = ImportWorkspace::for_store(location, &clock);
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
            tracing::info!(events, "loaded the counters from their snapshot and replayed the log since");
        } else {
            tracing::info!("rebuilt the counters from the tables");
        }
        backend.members().refold().await?;
        Ok(backend)
    }

    /// Sets the transport of short messages. Call once, at startup.
    pub fn send_messages_by(&self, sms: Sms) {
        if self.shared.sms.set(sms).is_err() {
            tracing::error!("the SMS transport is already set; ignoring the second call");
        }
    }

    /// Sets the texts of notices to account owners. Call once, at startup; without it no notices are sent.
    pub fn word_notices_by(&self, words: NoticeWords) {
        if self.shared.notice_words.set(words).is_err() {
            tracing::error!("the texts of notices are already set; ignoring the second call");
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

    pub fn reorganisations(&self) -> Reorganisations<'_> {
        Reorganisations::new(self)
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

    /// The folder of the embedded store.
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

    /// Wakes the job runner of this process after a job was enqueued.
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
