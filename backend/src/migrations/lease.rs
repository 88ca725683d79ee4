//! Ensures that one process at a time migrates a store.
//!
//! The lease is one row with a counter. Its holder increments the counter with every write and on every poll of an index build.
//! Another process takes the lease over once the counter has not changed for [`PATIENCE`], measured by its own monotonic clock.
//! No time is stored and no clocks are compared, so clock skew does no harm.
//!
//! Invariant: a holder that lost its lease changes nothing. Each of its transactions increments the counter, and only while the
//! row names it as the holder, so a transaction either conflicts with the takeover or fails.

use std::time::{Duration, Instant};

use crate::{
    Error, Result,
    migrations::Progress,
    store::{Bindings, RecordId, Store, StoreError, SurrealValue, record, vars},
};

/// Time without a change of the counter after which a lease is taken over. Longer than any transaction may take.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// Interval of polls of a lease that another process holds.
const PAUSE: Duration = Duration::from_millis(500);

/// Interval of log lines about the same wait.
const LOG_AGAIN: Duration = Duration::from_secs(10);

const HELD_BY_ANOTHER: &str = "lease_held";
const TAKEN_OVER: &str = "lease_taken_over";

const TAKE: &str = "LET $found = (SELECT holder, beat FROM ONLY $lease); \
                    IF $found.holder != NONE AND $found.beat != $still { THROW 'lease_held' }; \
                    UPSERT $lease SET holder = $holder, beat = ($found.beat ?? 0) + 1, doing = NONE RETURN NONE;";

const COUNT_UP: &str = "IF (SELECT VALUE holder FROM ONLY $lease) != $holder { THROW 'lease_taken_over' }; \
                        UPDATE $lease SET beat += 1, doing = $doing RETURN NONE;";

const LEAVE: &str = "UPDATE $lease SET holder = NONE, doing = NONE WHERE holder = $holder RETURN NONE;";

/// Permits the writes of this module: see [`Store::write_directly`].
pub(crate) struct DirectWrite(());

/// Reason for which a process stops migrating.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    /// Another process has taken over the lease.
    #[error("another process has taken the migrations over")]
    TakenOver,
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Thrown(reason) if reason == TAKEN_OVER => Self::TakenOver,
            error => Self::Failed(error.into()),
        }
    }
}

/// The right to migrate the store.
pub(super) struct Lease<'s> {
    pub(super) store: &'s Store,
    holder: String,
    /// Progress shown to waiting processes.
    pub(super) doing: Option<String>,
}

impl Lease<'_> {
    /// As [`Store::write_directly`], while the lease is held.
    ///
    /// # Errors
    /// [`Stopped::TakenOver`] when the lease is lost.
    pub(super) async fn write(&self, sql: &str, vars: impl Into<Bindings>) -> Result<(), Stopped> {
        let own = vars! { lease: row(), holder: self.holder.clone(), doing: self.doing.clone() };
        self.store.write_directly(DirectWrite(()), &format!("{COUNT_UP} {sql}"), vars.into().and(own)).await?;
        Ok(())
    }

    /// Increments the counter to show that this process is alive.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(super) async fn renew(&self) -> Result<(), Stopped> {
        self.write("", ()).await
    }

    pub(super) async fn leave(self) {
        let left = self.store.write_directly(DirectWrite(()), LEAVE, vars! { lease: row(), holder: self.holder }).await;
        if let Err(error) = left {
            tracing::warn!(%error, "could not release the lease of the migrations; other processes wait for its timeout");
        }
    }
}

/// A process that waits for the lease.
pub(super) struct Candidate {
    patience: Duration,
    /// The last counter seen, and since when it has not changed.
    seen: Option<(i64, Instant)>,
    logged: Option<Instant>,
}

#[derive(Debug, SurrealValue)]
struct Row {
    holder: Option<String>,
    beat: i64,
    doing: Option<String>,
}

impl Candidate {
    /// `patience` is the time without a change after which the lease is taken over.
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, seen: None, logged: None }
    }

    /// Takes the lease. `None`, after a pause, while another process holds it.
    pub(super) async fn take<'s>(&mut self, store: &'s Store, progress: &Progress) -> Result<Option<Lease<'s>>> {
        let found: Option<Row> = store.read("SELECT holder, beat, doing FROM $lease", vars! { lease: row() }).await?.row(0)?;
        let still = match found {
            Some(Row { holder: Some(_), beat, doing }) => {
                if !self.has_stood_still(beat) {
                    self.wait(progress, doing).await;
                    return Ok(None);
                }
                Some(beat)
            }
            _ => None,
        };
        let holder = format!("{:032x}", rand::random::<u128>());
        match store.write_directly(DirectWrite(()), TAKE, vars! { lease: row(), holder: holder.clone(), still: still }).await {
            Ok(_) => Ok(Some(Lease { store, holder, doing: None })),
            Err(StoreError::Thrown(reason)) if reason == HELD_BY_ANOTHER => Ok(None),
            // Several processes try at once.
            Err(StoreError::Busy) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn has_stood_still(&mut self, beat: i64) -> bool {
        match self.seen {
            Some((seen, since)) if seen == beat => since.elapsed() >= self.patience,
            _ => {
                self.seen = Some((beat, Instant::now()));
                self.patience.is_zero()
            }
        }
    }

    async fn wait(&mut self, progress: &Progress, doing: Option<String>) {
        let doing = doing.unwrap_or_else(|| "migrating".to_owned());
        if self.logged.is_none_or(|logged| logged.elapsed() >= LOG_AGAIN) {
            tracing::info!(doing, "waiting for another process that migrates the store");
            self.logged = Some(Instant::now());
        }
        progress.tell(format!("waiting for another process: {doing}"));
        tokio::time::sleep(PAUSE).await;
    }
}

fn row() -> RecordId {
    record("migration_lease", "1")
}
