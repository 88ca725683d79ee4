//! Whether the store accepts writes. On a full disk the engine stops writing and does not resume when space is free again; the
//! process must be restarted.

use std::{fs, io::Write, path::Path};

use crate::{
    Backend, Result,
    change::Change,
    store::{StoreError, record, vars},
};

/// The result of a health check of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Well,
    /// Neither the store nor its disk accepts writes: disk space must be freed. Reads still work.
    DiskFull,
    /// The disk accepts writes, the engine does not.
    Stuck,
    /// The store is unreachable or accepts no writes, and this process has no access to its disk.
    Away,
}

/// The bytes written to the folder to test its disk.
const SAMPLE: [u8; 16 * 1024] = [1; 16 * 1024];

impl Backend {
    /// Writes a row, so that a store that can only read does not pass as healthy.
    ///
    /// # Errors
    /// [`crate::Error::Store`] when the write fails.
    pub async fn ready(&self) -> Result<()> {
        // The table has no index. For a new row of an indexed table the engine first allocates a number, and when that write
        // fails it retries until the statement times out.
        let vars = vars! { probe: record("upkeep", "probe"), now: self.clock().now() };
        match self.transact(Change::new("UPSERT $probe SET done_at = $now RETURN NONE", vars)).await {
            // Another process wrote the row concurrently.
            Ok(_) | Err(StoreError::Busy) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Distinguishes a full disk from an engine that has stopped writing.
    pub async fn condition(&self) -> Condition {
        let Err(error) = self.ready().await else { return Condition::Well };
        let Some(folder) = self.folder().map(Path::to_owned) else { return Condition::Away };
        let sampled = tokio::task::spawn_blocking(move || sample(&folder)).await;
        let condition = if matches!(sampled, Ok(Ok(()))) { Condition::Stuck } else { Condition::DiskFull };
        tracing::error!(%error, ?condition, "the store does not accept writes");
        condition
    }
}

fn sample(folder: &Path) -> std::io::Result<()> {
    let path = folder.join("probe");
    let written = fs::File::create(&path).and_then(|mut file| {
        file.write_all(&SAMPLE)?;
        file.sync_all()
    });
    // A file that cannot be removed is overwritten by the next check.
    let _ = fs::remove_file(&path);
    written
}
