//! Leases: which process may run a job, and until when.
//!
//! A lease is a random token in the job's row, with an expiry time. It is taken in a compare-and-set transaction and renewed
//! while the job runs. Every later write compares the token and changes nothing when the row has another one.
//!
//! **Clocks.** The expiry time is written with the clock of the holder and compared with the clocks of other processes. These
//! take a job over only when, by their own clock, the lease expired [`MARGIN`] ago. The holder ends its run when it could not
//! renew the lease in time, measured by a monotonic clock. So two processes whose clocks differ by less than the margin never run
//! one job at the same time, and a killed process delays its jobs by at most the lease and twice the margin. Beyond the margin,
//! or when a process is suspended during a run, two runs may overlap; writes with [`LeasedJob::end`] still happen once. A process
//! whose clock is ahead starts jobs early by the difference.

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;

use super::{JobKind, JobState, job_id, seal_name};
use crate::{
    Clock, Error, Keys, Result,
    store::{RecordId, Store, StoreError, SurrealValue, Variables, vars},
};

/// Time after the expiry of a lease in which other processes do not take it. Tolerates clocks that are a minute apart.
pub(crate) const MARGIN: TimeDelta = TimeDelta::seconds(90);

/// Thrown by [`LeasedJob::end`] when the lease is lost.
const LOST: &str = "lease";

/// Permits the writes of this module: see [`Store::write_directly`].
pub(crate) struct DirectWrite(());

/// A job that this process runs, and its lease.
#[derive(Debug, Clone)]
pub(crate) struct LeasedJob {
    pub(super) kind: JobKind,
    pub(super) key: String,
    lease: String,
    /// Runs started, including this one.
    pub(super) attempts: u32,
    payload: Option<String>,
}

/// Columns read when a job is taken.
#[derive(Debug, SurrealValue)]
struct TakenRow {
    attempts: i64,
    payload: Option<String>,
}

const TAKE: &str = "LET $taken = (UPDATE $job SET state = 'running', lease = $lease, due_at = $until, attempts += 1, again_at = NONE \
         WHERE (state = 'waiting' AND due_at <= $now) OR (state = 'running' AND due_at <= $lapsed) RETURN AFTER); \
     RETURN $taken;";

const RENEW: &str = "LET $held = (UPDATE $job SET due_at = $until WHERE lease = $lease RETURN AFTER); RETURN array::len($held);";

/// Ends a successful run. `$ended_next` is the time of the next run, if any; an earlier time enqueued meanwhile takes precedence.
const END: &str = "LET $ended_row = (SELECT lease, again_at FROM $ended_job)[0]; \
     IF $ended_row = NONE OR $ended_row.lease != $ended_lease { THROW 'lease' }; \
     LET $ended_again = $ended_row.again_at; \
     IF $ended_again = NONE AND $ended_next = NONE { \
         DELETE $ended_job RETURN NONE \
     } ELSE { \
         UPDATE $ended_job SET state = 'waiting', lease = NONE, attempts = 0, again_at = NONE, last_error = NONE, \
             due_at = IF $ended_next = NONE OR ($ended_again != NONE AND $ended_again < $ended_next) { $ended_again } \
                      ELSE { $ended_next } RETURN NONE \
     };";

/// Ends a failed run. The next one covers what enqueued the job meanwhile.
const FAIL: &str = "UPDATE $job SET state = $state, lease = NONE, due_at = $due_at, again_at = NONE, last_error = $error \
     WHERE lease = $lease RETURN NONE;";

const GIVE_BACK: &str =
    "UPDATE $job SET state = 'waiting', lease = NONE, due_at = $now, attempts -= 1 WHERE lease = $lease RETURN NONE;";

impl LeasedJob {
    /// Takes a job that is due by this clock or whose lease has expired. `None` when it is neither.
    pub(super) async fn take(store: &Store, clock: &Clock, kind: JobKind, key: &str) -> Result<Option<Self>> {
        let now = clock.now();
        let lease = clock.ulid().to_string();
        let vars = vars! {
            job: job_id(kind, key),
            lease: lease.clone(),
            now: now,
            until: end(kind, now),
            lapsed: now - MARGIN,
        };
        // `BEGIN` has the first result.
        let row: Option<TakenRow> = store.write_directly(DirectWrite(()), TAKE, vars).await?.rows(2)?.into_iter().next();
        Ok(row.map(|row| Self {
            kind,
            key: key.to_owned(),
            lease,
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            payload: row.payload,
        }))
    }

    /// Extends the lease. `false` when the lease is lost or the job is gone.
    pub(super) async fn renew(&self, store: &Store, clock: &Clock) -> Result<bool> {
        let vars = vars! { job: self.id(), lease: self.lease.clone(), until: end(self.kind, clock.now()) };
        let held: Option<i64> = store.write_directly(DirectWrite(()), RENEW, vars).await?.row(2)?;
        Ok(held.unwrap_or_default() > 0)
    }

    /// Returns the statement that ends the job in the transaction of its effect, so that the effect happens once. At most once
    /// per transaction, which fails, see [`is_lost`], when another process has taken the job.
    pub(crate) fn end(&self, vars: &mut Variables, next: Option<DateTime<Utc>>) -> &'static str {
        vars.extend(vars! { ended_job: self.id(), ended_lease: self.lease.clone(), ended_next: next });
        END
    }

    /// Records a failed run: the job waits until `due_at`, or is parked.
    pub(super) async fn fail(&self, store: &Store, error: &str, due_at: DateTime<Utc>, is_parked: bool) -> Result<()> {
        let state = if is_parked { JobState::Parked } else { JobState::Waiting };
        let vars = vars! {
            job: self.id(),
            lease: self.lease.clone(),
            state: state.key(),
            due_at: due_at,
            error: error.to_owned(),
        };
        store.write_directly(DirectWrite(()), FAIL, vars).await?;
        Ok(())
    }

    /// Releases the lease: another process can run the job at once, and this run does not count as an attempt.
    pub(super) async fn give_back(&self, store: &Store, now: DateTime<Utc>) -> Result<()> {
        let vars = vars! { job: self.id(), lease: self.lease.clone(), now: now };
        store.write_directly(DirectWrite(()), GIVE_BACK, vars).await?;
        Ok(())
    }

    /// The payload the job was enqueued with.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it cannot be opened with the current key, or has another type.
    pub(crate) fn payload<T: DeserializeOwned>(&self, keys: &Keys) -> Result<T> {
        let damaged = || Error::Damaged(format!("the payload of the job {self}"));
        let sealed = self.payload.as_deref().ok_or_else(damaged)?;
        serde_json::from_str(&keys.open(&seal_name(self.kind, &self.key), sealed)?).map_err(|_| damaged())
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    fn id(&self) -> RecordId {
        job_id(self.kind, &self.key)
    }
}

impl std::fmt::Display for LeasedJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.key(), self.key)
    }
}

/// Whether a transaction failed because another process has taken the job.
pub(crate) fn is_lost(error: &StoreError) -> bool {
    matches!(error, StoreError::Thrown(thrown) if thrown == LOST)
}

fn end(kind: JobKind, now: DateTime<Utc>) -> DateTime<Utc> {
    now + kind.rules().lease
}

/// Ends the leases of earlier processes, when a process starts with exclusive access to the store.
pub(crate) async fn end_all(store: &Store, clock: &Clock) -> Result<()> {
    let mut left: Vec<RecordId> = Vec::new();
    for kind in JobKind::ALL {
        let sql = "SELECT VALUE id FROM job WHERE kind = $kind AND state = 'running'";
        left.extend(store.read(sql, vars! { kind: kind.key() }).await?.rows::<RecordId>(0)?);
    }
    if left.is_empty() {
        return Ok(());
    }
    tracing::info!(jobs = left.len(), "interrupted jobs run again");
    let sql = "UPDATE $left SET state = 'waiting', lease = NONE, again_at = NONE, due_at = $now RETURN NONE;";
    store.write_directly(DirectWrite(()), sql, vars! { left: left, now: clock.now() }).await?;
    Ok(())
}
