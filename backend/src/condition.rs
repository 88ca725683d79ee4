//! Whether the store takes what is written. On a full disk the engine stops writing and, once there is room again, does not begin anew:
//! only a new start of the process helps then.

use std::{fs, io::Write, path::Path};

use crate::{
    Backend, Result,
    change::Change,
    store::{StoreError, record, vars},
};

/// What a look at the store shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Well,
    /// The store takes nothing, and neither does its disk: room must be made. Reading goes on meanwhile.
    DiskFull,
    /// The disk takes what is written, the engine does not.
    Stuck,
    /// The store cannot be reached or takes nothing, and its disk is not ours to look at.
    Away,
}

/// What is written to the folder to see whether its disk takes anything.
const SAMPLE: [u8; 16 * 1024] = [1; 16 * 1024];

impl Backend {
    /// Writes a row, so that a store that only reads is not taken for a whole one.
    ///
    /// # Errors
    /// [`crate::Error::Store`] when it is not taken.
    pub async fn ready(&self) -> Result<()> {
        // In a table without an index: for a new row of any other the engine asks for a number first, and when that cannot be written
        // it tries again until the time of the statement is over.
        let vars = vars! { probe: record("upkeep", "probe"), now: self.clock().now() };
        match self.transact(Change::new("UPSERT $probe SET done_at = $now RETURN NONE", vars)).await {
            // Another process wrote it at the same moment.
            Ok(_) | Err(StoreError::Busy) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells a disk without room from an engine that has stopped writing.
    pub async fn condition(&self) -> Condition {
        let Err(error) = self.ready().await else { return Condition::Well };
        let Some(folder) = self.folder().map(Path::to_owned) else { return Condition::Away };
        let sampled = tokio::task::spawn_blocking(move || sample(&folder)).await;
        let condition = if matches!(sampled, Ok(Ok(()))) { Condition::Stuck } else { Condition::DiskFull };
        tracing::error!(%error, ?condition, "the store does not take what is written");
        condition
    }
}

fn sample(folder: &Path) -> std::io::Result<()> {
    let path = folder.join("probe");
    let written = fs::File::create(&path).and_then(|mut file| {
        file.write_all(&SAMPLE)?;
        file.sync_all()
    });
    // What cannot be removed is written over the next time.
    let _ = fs::remove_file(&path);
    written
}
