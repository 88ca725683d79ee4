//! The folder of the files of imports, and the imports that run in this process.

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use domain::ids::ImportId;
use tokio::{sync::watch, task::JoinHandle};

use super::preview::RowProgress;
use crate::StoreLocation;

/// The folder of the files of imports, and the imports that run in this process.
pub struct ImportWorkspace {
    pub(super) folder: PathBuf,
    /// Whether the folder is private to this process and deleted when it ends.
    pub(super) is_temporary: bool,
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
    pub(crate) fn for_store(location: &StoreLocation) -> Self {
        let (folder, is_temporary) = match location {
            StoreLocation::Folder(folder) => (folder.join("imports"), false),
            StoreLocation::Memory | StoreLocation::Server { .. } => {
                let name = format!("handbook-imports-{}-{:016x}", std::process::id(), rand::random::<u64>());
                (std::env::temp_dir().join(name), true)
            }
        };
        Self { folder, is_temporary, turn: tokio::sync::Mutex::default(), at_work: Mutex::default() }
    }

    pub(super) fn file(&self, import: &str) -> PathBuf {
        self.folder.join(import)
    }

    pub(super) fn report(&self, import: &str) -> PathBuf {
        self.folder.join(format!("{import}.report"))
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
        if self.is_temporary && self.folder.exists() {
            // Files that cannot be removed are sealed.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}
