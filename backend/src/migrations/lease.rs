//! One process migrates a store at a time.
//!
//! The lease is one row. Its holder counts the row up with everything it writes and whenever it looks at an index that is being built.
//! Another process takes the lease over once the count has stood still for [`PATIENCE`], measured by its own monotonic clock. No time is
//! stored and no clocks are compared, so clocks that differ do no harm.
//!
//! Invariant: a holder that was taken for dead changes nothing any more. Each of its transactions counts the row up, and only while the
//! row names it, so a transaction either conflicts with the takeover or is refused.

use std::time::{Duration, Instant};

use crate::{
    Error, Result,
    migrations::Progress,
    store::{Bindings, RecordId, Store, StoreError, SurrealValue, record, vars},
};

/// How long a lease must stand still before it is taken over. Longer than any transaction may take.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// Between two looks at a lease that another process holds.
const PAUSE: Duration = Duration::from_millis(500);

/// Between two lines of the log about the same wait.
const LOG_AGAIN: Duration = Duration::from_secs(10);

const HELD_BY_ANOTHER: &str = "lease_held";
const TAKEN_OVER: &str = "lease_taken_over";

const TAKE: &str = "LET $found = (SELECT holder, beat FROM ONLY $lease); \
                    IF $found.holder != NONE AND $found.beat != $still { THROW 'lease_held' }; \
                    UPSERT $lease SET holder = $holder, beat = ($found.beat ?? 0) + 1, doing = NONE RETURN NONE;";

const COUNT_UP: &str = "IF (SELECT VALUE holder FROM ONLY $lease) != $holder { THROW 'lease_taken_over' }; \
                        UPDATE $lease SET beat += 1, doing = $doing RETURN NONE;";

const LEAVE: &str = "UPDATE $lease SET holder = NONE, doing = NONE WHERE holder = $holder RETURN NONE;";

/// Why a process stops migrating.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    /// Another process has taken the lease over.
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
    /// What those who wait are told.
    pub(super) doing: Option<String>,
}

impl Lease<'_> {
    /// Writes as [`Store::write`] does, as long as the lease is held.
    ///
    /// # Errors
    /// [`Stopped::TakenOver`] when it is not any more.
    pub(super) async fn write(&self, sql: &str, vars: impl Into<Bindings>) -> Result<(), Stopped> {
        let own = vars! { lease: row(), holder: self.holder.clone(), doing: self.doing.clone() };
        self.store.write(&format!("{COUNT_UP} {sql}"), vars.into().and(own)).await?;
        Ok(())
    }

    /// Tells the others that this process still works.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(super) async fn renew(&self) -> Result<(), Stopped> {
        self.write("", ()).await
    }

    pub(super) async fn leave(self) {
        let left = self.store.write(LEAVE, vars! { lease: row(), holder: self.holder }).await;
        if let Err(error) = left {
            tracing::warn!(%error, "the lease of the migrations was not given back; others wait until it is over");
        }
    }
}

/// A process that wants the lease.
pub(super) struct Candidate {
    patience: Duration,
    /// The count last seen, and since when it has been the same.
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
    /// One that takes over what has stood still for this long.
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
        match store.write(TAKE, vars! { lease: row(), holder: holder.clone(), still: still }).await {
            Ok(_) => Ok(Some(Lease { store, holder, doing: None })),
            Err(StoreError::Thrown(reason)) if reason == HELD_BY_ANOTHER => Ok(None),
            // Several want it at once.
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
