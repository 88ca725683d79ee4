//! Follows the event log: adds published items to the index and removes withdrawn ones.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use domain::search::SearchKind;
use ulid::Ulid;

use super::{Due, Search, index::OpenIndex, ranking};
use crate::{
    Backend, Error, Result,
    events::{self, SETTLE},
    store::{keys_after, record, vars},
};

/// Rows per read from the store.
const BATCH: usize = 200;

/// Interval at which the follower retries, and checks whether to save the horizon.
const PAUSE: Duration = Duration::from_secs(10);

impl Search<'_> {
    /// Applies the events received by this process to the index; creates the index if there is none.
    ///
    /// # Errors
    /// Those of the store; [`Error::Internal`] if the index cannot be written. The next call retries.
    pub async fn catch_up(&self) -> Result<()> {
        let index = self.backend.search_index();
        let _turn = index.turn.lock().await;
        let held = match index.held() {
            Some(held) => held,
            None => self.open().await?,
        };
        let (due, horizon) = {
            let mut waiting = index.waiting();
            if !waiting.is_due() {
                return Ok(());
            }
            let horizon = waiting.horizon.unwrap_or_else(|| self.backend.clock().now());
            (std::mem::take(&mut waiting.due), horizon)
        };
        let done = self.follow(&held, &due, horizon).await;
        let mut waiting = index.waiting();
        match &done {
            Ok(()) => waiting.committed = Some(horizon),
            Err(_) => {
                waiting.due.entries.extend(due.entries);
                waiting.due.units.extend(due.units);
            }
        }
        done
    }

    /// Number of documents, meetings and courses in the index, for measurements and checks.
    ///
    /// # Errors
    /// [`Error::Internal`] if the index cannot be read.
    pub async fn size(&self) -> Result<usize> {
        let Some(held) = self.backend.search_index().held() else { return Ok(0) };
        blocking(move || ranking::count(&held.searcher())).await
    }

    /// Opens the index in the folder and applies the log since its horizon, or creates a new index.
    async fn open(&self) -> Result<Arc<OpenIndex>> {
        let index = self.backend.search_index();
        let store = self.store_name().await?;
        let folder = index.location.folder().map(PathBuf::from);
        if let Some(folder) = folder.clone() {
            let name = store.clone();
            let existing = blocking(move || {
                OpenIndex::existing(&folder, &name).or_else(|error| {
                    tracing::warn!(%error, "the search index cannot be opened");
                    Ok(None)
                })
            });
            if let Some((held, progress)) = existing.await? {
                let horizon = DateTime::from_timestamp_millis(progress.horizon).unwrap_or_default();
                if horizon <= self.backend.clock().now() + SETTLE {
                    return self.resume(held, horizon).await;
                }
                // The clock was set back: events of now have smaller ids than those that the index contains.
                tracing::warn!(%horizon, "the search index is ahead of the clock; creating it again");
            }
        }
        let begun = self.backend.clock().now();
        let held = blocking(move || match folder {
            Some(folder) => OpenIndex::fresh(&folder, &store),
            None => OpenIndex::in_memory(&store),
        })
        .await?;
        let held = Arc::new(held);
        let count = self.fill(&held).await?;
        if count > 0 || index.location.folder().is_some() {
            let held = Arc::clone(&held);
            blocking(move || {
                held.commit(begun.timestamp_millis())?;
                held.settle()
            })
            .await?;
        }
        tracing::info!(entries = count, "created the search index");
        let mut waiting = index.waiting();
        waiting.committed = Some(begun);
        waiting.horizon = waiting.horizon.max(Some(begun));
        drop(waiting);
        *index.held.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&held));
        Ok(held)
    }

    /// Uses an index that was stored, and notes the events since its horizon, as a start from a snapshot of the counters does.
    async fn resume(&self, held: OpenIndex, horizon: DateTime<Utc>) -> Result<Arc<OpenIndex>> {
        let index = self.backend.search_index();
        let news = events::read_from(self.backend.store(), horizon - SETTLE).await?;
        let mut waiting = index.waiting();
        waiting.committed = Some(horizon);
        waiting.horizon = waiting.horizon.max(Some(horizon));
        for event in news {
            waiting.note(&event);
        }
        drop(waiting);
        Ok(index.hold(held))
    }

    /// Indexes everything that can be found, into an empty index.
    async fn fill(&self, held: &Arc<OpenIndex>) -> Result<usize> {
        let mut count = 0;
        for what in SearchKind::ALL {
            count += self.fill_with(held, what).await?;
        }
        Ok(count)
    }

    async fn fill_with(&self, held: &Arc<OpenIndex>, what: SearchKind) -> Result<usize> {
        let table = match what {
            SearchKind::Documents => "document",
            SearchKind::Meetings => "meeting",
            SearchKind::Courses => "course",
        };
        let mut after = String::new();
        let mut count = 0;
        loop {
            let sql = format!("SELECT VALUE record::id(id) FROM $keys LIMIT {BATCH}");
            let keys = keys_after(table, &after);
            let ids: Vec<String> = self.backend.store().read(sql, vars! { keys: keys }).await?.rows(0)?;
            let Some(last) = ids.last() else { return Ok(count) };
            after.clone_from(last);
            let entries = self.entries(what, &ids).await?;
            count += entries.len();
            if !entries.is_empty() {
                let held = Arc::clone(held);
                blocking(move || held.put(entries, true)).await?;
            }
        }
    }

    async fn follow(&self, held: &Arc<OpenIndex>, due: &Due, horizon: DateTime<Utc>) -> Result<()> {
        let mut entries = due.entries.clone();
        for unit in &due.units {
            let (held, unit) = (Arc::clone(held), unit.clone());
            entries.extend(blocking(move || held.naming_unit(&unit)).await?);
        }
        for (_, document) in due.entries.iter().filter(|(what, _)| *what == SearchKind::Documents) {
            let (held, document) = (Arc::clone(held), document.to_string());
            entries.extend(blocking(move || held.naming_document(&document)).await?);
        }
        for what in SearchKind::ALL {
            let ids: Vec<Ulid> = entries.iter().filter(|(of, _)| *of == what).map(|(_, id)| *id).collect();
            for some in ids.chunks(BATCH) {
                let names: Vec<String> = some.iter().map(ToString::to_string).collect();
                let entries = self.entries(what, &names).await?;
                let (held, all) = (Arc::clone(held), some.to_vec());
                blocking(move || {
                    held.take_out(&all)?;
                    held.put(entries, false)
                })
                .await?;
            }
        }
        let held = Arc::clone(held);
        blocking(move || held.commit(horizon.timestamp_millis())).await
    }

    /// Identifies this store: the time at which its first migration was applied.
    async fn store_name(&self) -> Result<String> {
        let sql = "SELECT VALUE applied_at FROM ONLY $first";
        let made: Option<DateTime<Utc>> =
            self.backend.store().read(sql, vars! { first: record("migration", "0001_organisation") }).await?.row(0)?;
        Ok(made.map(|made| made.to_rfc3339()).unwrap_or_default())
    }
}

impl Backend {
    /// Keeps the search index up to date until the process ends. Run by one task per process.
    pub async fn follow_search(&self) {
        loop {
            if let Err(error) = self.search().catch_up().await {
                tracing::error!(%error, "cannot update the search index; will retry");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            tokio::select! {
                () = self.search_index().woken.notified() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}

/// Runs index work that may block on the disk.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> tantivy::Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(format!("the search index: {error}")))?;
    done.map_err(|error| Error::Internal(format!("the search index: {error}")))
}
