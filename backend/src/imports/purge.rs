//! Deletes the files of old imports.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::ImportId;

use super::{
    Imports, remove,
    row::{ImportRow, SELECT},
    workspace::TEMPORARY,
};
use crate::{
    Error, Result,
    change::Change,
    events,
    store::{KEYS, RecordId, pairs_before, vars},
};

/// How long an unconfirmed file and a report are kept.
const KEPT: TimeDelta = TimeDelta::days(7);

/// Age of the last change in a temporary folder after which nobody uses it: a process keeps files for [`KEPT`].
const UNUSED: Duration = Duration::from_hours(8 * 24);

/// Rows deleted in one transaction.
const PURGED_AT_ONCE: usize = 200;

impl Imports<'_> {
    /// Cancels imports that were not confirmed in time, and deletes old reports and the temporary folders of killed processes. Returns
    /// the number of cancelled imports.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn purge(&self) -> Result<usize> {
        let before = self.backend.clock().now() - KEPT;
        let sql = format!("{SELECT} FROM import WHERE state = 'previewed'");
        let rows: Vec<ImportRow> = self.backend.store().read(sql, ()).await?.rows(0)?;
        let mut given_up = 0;
        for row in rows.iter().filter(|row| row.started_at < before) {
            match self.give_up(row.key()?).await {
                Ok(()) => given_up += 1,
                // It was confirmed concurrently.
                Err(Error::NotAllowed) => {}
                Err(error) => return Err(error),
            }
        }
        self.sweep(before).await?;
        remove_unused_folders(&std::env::temp_dir(), SystemTime::now());
        self.forget_written(before).await?;
        Ok(given_up)
    }

    /// Deletes the lists of members written by imports before this time. The counters no longer need them.
    async fn forget_written(&self, before: DateTime<Utc>) -> Result<()> {
        let sql = format!("SELECT VALUE id FROM {KEYS} LIMIT {PURGED_AT_ONCE}");
        loop {
            let keys = pairs_before("import_written", events::lowest(before));
            let rows: Vec<RecordId> = self.backend.store().read(&*sql, vars! { keys: keys }).await?.rows(0)?;
            if rows.is_empty() {
                return Ok(());
            }
            self.backend.transact(Change::new("DELETE $rows RETURN NONE", vars! { rows: rows })).await?;
        }
    }

    /// Deletes files created before this time whose import has ended or does not exist.
    async fn sweep(&self, before: DateTime<Utc>) -> Result<()> {
        let Ok(entries) = fs::read_dir(self.backend.workspace().folder()) else { return Ok(()) };
        for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            // The file itself, its report, and unfinished reports.
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split('.').next());
            let Some(id) = name.and_then(|id| id.parse::<ImportId>().ok()) else { continue };
            let is_old = DateTime::from_timestamp_millis(i64::try_from(id.ulid().timestamp_ms()).unwrap_or(i64::MAX))
                .is_some_and(|made| made < before);
            if !is_old {
                continue;
            }
            let is_over = match self.row(id).await {
                Ok(row) => row.state()?.is_over(),
                Err(Error::NotFound) => true,
                Err(error) => return Err(error),
            };
            if is_over {
                remove(&path);
            }
        }
        Ok(())
    }
}

/// Deletes temporary folders of imports that nothing has changed for [`UNUSED`]. Their processes were killed, or have no files in
/// them.
fn remove_unused_folders(parent: &Path, now: SystemTime) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.filter_map(Result::ok) {
        let is_temporary = entry.file_name().to_str().is_some_and(|name| name.starts_with(TEMPORARY));
        // A link is not followed: others can write to the parent folder.
        if !is_temporary || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let changed = entry.metadata().and_then(|metadata| metadata.modified());
        let is_unused = changed.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > UNUSED));
        if is_unused && let Err(error) = fs::remove_dir_all(entry.path()) {
            // It may belong to another user.
            tracing::debug!(%error, folder = %entry.path().display(), "cannot remove an unused folder of imports");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_is_removed_when_nobody_has_used_it_for_long() {
        let parent = tempfile::tempdir().expect("a folder");
        let made = |name: &str| {
            let folder = parent.path().join(name);
            fs::create_dir(&folder).expect("is made");
            fs::write(folder.join("one"), b"sealed").expect("writes");
            folder
        };
        let (killed, other) = (made(&format!("{TEMPORARY}1-0123456789abcdef")), made("other"));
        let at = fs::metadata(&killed).expect("exists").modified().expect("has a time");
        remove_unused_folders(parent.path(), at + UNUSED);
        assert!(killed.join("one").exists());
        remove_unused_folders(parent.path(), at + UNUSED + Duration::from_secs(1));
        assert!(!killed.exists() && other.join("one").exists());
    }
}
