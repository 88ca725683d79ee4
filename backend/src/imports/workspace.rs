//! The folder of the files of imports, and the imports that run in this process.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use chrono::{DateTime, Utc};
use domain::ids::ImportId;
use tokio::{sync::watch, task::JoinHandle};

use super::preview::RowProgress;
use crate::{Backend, Clock, StoreLocation};

/// Beginning of the names of temporary folders.
pub(super) const TEMPORARY: &str = "handbook-imports-";

/// The folder of the files in the data folder.
const FOLDER: &str = "imports";

/// The folder of the files of imports, and the imports that run in this process.
pub struct ImportWorkspace {
    default_folder: PathBuf,
    /// Whether the default folder is private to this process and deleted when it ends.
    is_temporary: bool,
    chosen: OnceLock<PathBuf>,
    /// The name of this process.
    holder: String,
    /// Whether other processes can use the store at the same time.
    pub(super) is_shared: bool,
    /// When this process opened the store.
    pub(super) opened_at: DateTime<Utc>,
    /// Held while a file is written: concurrent imports would only contend with each other.
    pub(super) turn: tokio::sync::Mutex<()>,
    pub(super) at_work: Mutex<HashMap<ImportId, RunningImport>>,
}

pub(super) struct RunningImport {
    pub(super) task: JoinHandle<()>,
    /// Closed when the task has ended.
    pub(super) ended: watch::Receiver<()>,
    pub(super) progress: RowProgress,
    /// Set when the import was started again while the task may have been finishing, so that the task checks it once more.
    pub(super) again: bool,
}

impl ImportWorkspace {
    pub(crate) fn for_store(location: &StoreLocation, clock: &Clock) -> Self {
        let (default_folder, is_temporary) = match location {
            StoreLocation::Folder(folder) => (folder.join(FOLDER), false),
            StoreLocation::Memory | StoreLocation::Server { .. } => {
                let name = format!("{TEMPORARY}{}-{:016x}", std::process::id(), rand::random::<u64>());
                (std::env::temp_dir().join(name), true)
            }
        };
        Self {
            default_folder,
            is_temporary,
            chosen: OnceLock::new(),
            holder: format!("{:032x}", rand::random::<u128>()),
            is_shared: matches!(location, StoreLocation::Server { .. }),
            opened_at: clock.now(),
            turn: tokio::sync::Mutex::default(),
            at_work: Mutex::default(),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        self.chosen.get().unwrap_or(&self.default_folder)
    }

    pub(super) fn holder(&self) -> String {
        self.holder.clone()
    }

    pub(super) fn file(&self, import: &str) -> PathBuf {
        self.folder().join(import)
    }

    pub(super) fn report(&self, import: &str) -> PathBuf {
        self.folder().join(format!("{import}.report"))
    }

    pub(super) fn progress(&self, import: ImportId) -> Option<RowProgress> {
        let at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        at_work.get(&import).filter(|work| !work.task.is_finished()).map(|work| work.progress.clone())
    }

    /// Whether the task that closes `ended` must check the import once more. If not, the import is removed from the running ones,
    /// and the next start spawns another task.
    pub(super) fn goes_on(&self, import: ImportId, ended: &watch::Receiver<()>) -> bool {
        let mut at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        // A stopped task is no longer registered here, though another one for the same import may be.
        let Some(work) = at_work.get_mut(&import).filter(|work| work.ended.same_channel(ended)) else { return false };
        let again = std::mem::take(&mut work.again);
        if !again {
            at_work.remove(&import);
        }
        again
    }
}

impl Drop for ImportWorkspace {
    fn drop(&mut self) {
        if self.is_temporary && self.default_folder.exists() {
            // If that fails, the purge of another process removes it later.
            let _ = fs::remove_dir_all(&self.default_folder);
        }
    }
}

impl Backend {
    /// Keeps the files of imports in this data folder, with a store on a database server. A process that is started later with the
    /// same folder can work on them. Call once, at startup; without it the files are in a temporary folder of the process.
    pub fn keep_imports_in(&self, data: &Path) {
        if self.workspace().chosen.set(data.join(FOLDER)).is_err() {
            tracing::error!("the folder of imports is already set; ignoring the second call");
        }
    }
}
