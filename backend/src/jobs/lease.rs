//! Leases: who may run a job, and until when.
//!
//! A lease is a random name in the job's row and the time of its end. It is taken by one compare-and-set transaction and renewed
//! while the job runs; every later write names it and changes nothing when the row has another one.
//!
//! **Clocks.** The end of a lease is written by the clock of the process that holds it, and judged by others with their own. Others
//! take a job over only when by their clock the lease ended [`MARGIN`] ago. The holder ends its run when it could not renew the
//! lease in time, measured without looking at the clock again. So two processes whose clocks differ by less than the margin never run
//! one job at the same time, and a killed process delays its jobs by the lease and twice the margin at most. Beyond the margin, or when a
//! process is suspended in the middle of a run, two runs may overlap; then what is written with [`LeasedJob::end`] still happens once.
//! A process whose clock is ahead begins jobs early by the difference, as it does everything else.

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;

use super::{JobKind, JobState, job_id, seal_name};
use crate::{
    Clock, Error, Keys, Result,
    store::{RecordId, Store, StoreError, SurrealValue, Variables, vars},
};

/// How long after its end a lease is respected by others. Clocks may be a minute apart.
pub(super) const MARGIN: TimeDelta = TimeDelta::seconds(90);

/// What [`LeasedJob::end`] throws when the lease is lost.
const LOST: &str = "lease";

/// A job that this process runs, with its lease.
#[derive(Debug, Clone)]
pub(crate) struct LeasedJob {
    pub(super) kind: JobKind,
    pub(super) key: String,
    lease: String,
    /// Runs begun, this one included.
    pub(super) attempts: u32,
    payload: Option<String>,
}

/// What is read of a job to run it.
#[derive(Debug, SurrealValue)]
struct TakenRow {
    attempts: i64,
    payload: Option<String>,
}

const TAKE: &str = "LET $taken = (UPDATE $job SET state = 'running', lease = $lease, due_at = $until, attempts += 1, again_at = NONE \
         WHERE (state = 'waiting' AND due_at <= $now) OR (state = 'running' AND due_at <= $lapsed) RETURN AFTER); \
     RETURN $taken;";

const RENEW: &str = "LET $held = (UPDATE $job SET due_at = $until WHERE lease = $lease RETURN AFTER); RETURN array::len($held);";

/// Ends a run that succeeded. `$ended_next` is when the job runs again, if it does; what enqueued it meanwhile has a say too.
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

/// Ends a run that failed. The next one comes after whatever enqueued the job meanwhile.
const FAIL: &str = "UPDATE $job SET state = $state, lease = NONE, due_at = $due_at, again_at = NONE, last_error = $error \
     WHERE lease = $lease RETURN NONE;";

const GIVE_BACK: &str =
    "UPDATE $job SET state = 'waiting', lease = NONE, due_at = $now, attempts -= 1 WHERE lease = $lease RETURN NONE;";

impl LeasedJob {
    /// Takes a job that is due by this clock, or whose lease has lapsed. None when it is neither any more.
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
        // `BEGIN` has the first answer.
        let row: Option<TakenRow> = store.write(TAKE, vars).await?.rows(2)?.into_iter().next();
        Ok(row.map(|row| Self {
            kind,
            key: key.to_owned(),
            lease,
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            payload: row.payload,
        }))
    }

    /// Prolongs the lease. False when it is another's, or the job is gone.
    pub(super) async fn renew(&self, store: &Store, clock: &Clock) -> Result<bool> {
        let vars = vars! { job: self.id(), lease: self.lease.clone(), until: end(self.kind, clock.now()) };
        let held: Option<i64> = store.write(RENEW, vars).await?.row(2)?;
        Ok(held.unwrap_or_default() > 0)
    }

    /// The statement that ends the job as part of the transaction of its effect, so that the effect happens once; once in a
    /// transaction. The transaction fails, see [`is_lost`], when another process has the job by now.
    pub(crate) fn end(&self, vars: &mut Variables, next: Option<DateTime<Utc>>) -> &'static str {
        vars.extend(vars! { ended_job: self.id(), ended_lease: self.lease.clone(), ended_next: next });
        END
    }

    /// Notes that the run failed: it waits until `due_at`, or is parked.
    pub(super) async fn fail(&self, store: &Store, error: &str, due_at: DateTime<Utc>, is_parked: bool) -> Result<()> {
        let state = if is_parked { JobState::Parked } else { JobState::Waiting };
        let vars = vars! {
            job: self.id(),
            lease: self.lease.clone(),
            state: state.key(),
            due_at: due_at,
            error: error.to_owned(),
        };
        store.write(FAIL, vars).await?;
        Ok(())
    }

    /// Lets another process run the job at once, as if this one had not begun it.
    pub(super) async fn give_back(&self, store: &Store, now: DateTime<Utc>) -> Result<()> {
        let vars = vars! { job: self.id(), lease: self.lease.clone(), now: now };
        store.write(GIVE_BACK, vars).await?;
        Ok(())
    }

    /// What the job was enqueued with.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it does not open with the key in use, or is something else.
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

/// Whether a transaction was refused because the job is another's by now.
pub(crate) fn is_lost(error: &StoreError) -> bool {
    matches!(error, StoreError::Thrown(thrown) if thrown == LOST)
}

fn end(kind: JobKind, now: DateTime<Utc>) -> DateTime<Utc> {
    now + kind.rules().lease
}

/// Ends the leases of whoever had this store before: for the start of a process that has it for itself.
pub(crate) async fn end_all(store: &Store, clock: &Clock) -> Result<()> {
    let mut left: Vec<RecordId> = Vec::new();
    for kind in JobKind::ALL {
        let sql = "SELECT VALUE id FROM job WHERE kind = $kind AND state = 'running'";
        left.extend(store.read(sql, vars! { kind: kind.key() }).await?.rows::<RecordId>(0)?);
    }
    if left.is_empty() {
        return Ok(());
    }
    tracing::info!(jobs = left.len(), "jobs that were interrupted are run again");
    let sql = "UPDATE $left SET state = 'waiting', lease = NONE, again_at = NONE, due_at = $now RETURN NONE;";
    store.write(sql, vars! { left: left, now: clock.now() }).await?;
    Ok(())
}
