//! Durable background jobs. Each is a row of the table `job`, written in the transaction that causes it and deleted when it is
//! done.
//!
//! - **Enqueue**: `enqueue` returns a statement for the caller's transaction, so a job exists if and only if its cause was
//!   committed. The id is `[kind, key]`. Enqueuing a waiting job again only makes it due earlier; enqueuing a running one makes
//!   it run again.
//! - **Run**: a [`Runner`] in each process takes due jobs under a *lease*, see `jobs/lease.rs`. When a process was killed,
//!   another one takes its jobs after their leases have expired. A restart on an embedded store does not wait for that: no other
//!   process can hold a lease.
//! - **Fail**: a run that fails, panics or exceeds the time limit of its kind is retried with exponential back-off. After the
//!   maximum number of attempts of its kind a job is *parked*: it is kept, logged as an error, and waits for the operator
//!   (`handbook jobs`). A run whose process died counts as an attempt, so a job that kills its process is parked too. A parked
//!   job keeps its key.
//! - **Wait**: a run that cannot begin because other work must end first is repeated after a pause. It is not an attempt.
//! - **Periodic** kinds have one row that becomes due again after each run. They are never parked, because work that must happen
//!   every few seconds cannot wait for an operator.
//!
//! **Delivery.** A job runs at least once. An effect in the store happens exactly once when its transaction contains
//! `LeasedJob::end`, which deletes the job and fails when the lease is lost. Effects outside the store may happen twice when the
//! process dies before it has recorded them: a short message is sent to the gateway again, with the same idempotency key.
//!
//! An import is not a job, because its file is in the data folder of one server: a process that has the file resumes it
//! (`imports/hold.rs`).

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

use crate::{
    Clock, Error, Keys, Result,
    store::{RecordId, SurrealValue, Variables, pair},
};

pub(crate) mod lease;
mod overview;
mod perform;
mod runner;

pub use overview::{JobEntry, JobFigures, JobState, Jobs};
pub use runner::Runner;

pub(crate) use perform::Outcome;

/// The key of the only job of a periodic kind.
const PERIODIC_KEY: &str = "one";

/// What a job does. The keys are also metric labels and command-line names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum JobKind {
    /// Sends one short message.
    SendSms,
    /// Creates the short message that notifies the owner of an account of a change.
    NotifyOwner,
    /// Publishes documents that are due and removes expired ones from the library.
    PublishDue,
    /// Seals the event log.
    SealEvents,
    /// Updates the paths in rows of a unit that was moved or merged.
    FollowMoves,
    /// Changes the tree as a confirmed reorganisation says.
    Reorganise,
    /// Deletes expired sessions, activations, counters and forms.
    PurgeExpired,
    /// Deletes unsaved text of the desk.
    PurgeWriting,
    /// Deletes unused uploads and files.
    PurgeFiles,
}

domain::keyed!(JobKind);

/// How a kind is run.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// Time from the end of a run to the next one; none for a kind that use-cases enqueue.
    every: Option<Duration>,
    /// Length of the lease. It is renewed while the job runs.
    lease: Duration,
    /// Time limit of a run. A longer run has failed.
    limit: Duration,
    /// Jobs of the kind that one process runs concurrently.
    at_once: usize,
    /// Attempts after which a job is parked; none to never park it.
    attempts: Option<u32>,
}

impl Rules {
    const fn once(limit: Duration, at_once: usize, attempts: u32) -> Self {
        Self { every: None, lease: Duration::from_mins(1), limit, at_once, attempts: Some(attempts) }
    }

    const fn periodic(every: Duration, limit: Duration) -> Self {
        Self { every: Some(every), lease: Duration::from_secs(30), limit, at_once: 1, attempts: None }
    }
}

impl JobKind {
    const fn rules(self) -> Rules {
        match self {
            // The gateway's timeout is ten seconds. Twelve attempts take between 25 and 50 minutes.
            Self::SendSms => Rules::once(Duration::from_secs(15), 32, 12),
            Self::NotifyOwner => Rules::once(Duration::from_mins(1), 4, 12),
            // The runner polls every second, so a document is published within five.
            Self::PublishDue => Rules::periodic(Duration::from_secs(4), Duration::from_mins(2)),
            // Planning and the transaction take seconds. Waiting for another change of the tree is not an attempt.
            Self::Reorganise => Rules::once(Duration::from_mins(10), 1, 12),
            Self::SealEvents | Self::FollowMoves => Rules::periodic(Duration::from_mins(1), Duration::from_mins(10)),
            Self::PurgeExpired | Self::PurgeWriting | Self::PurgeFiles => {
                Rules::periodic(Duration::from_mins(10), Duration::from_mins(30))
            }
        }
    }

    fn periodic() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.rules().every.is_some())
    }
}

/// A job to be enqueued.
pub(crate) struct NewJob {
    kind: JobKind,
    key: String,
    due_at: DateTime<Utc>,
    payload: Option<String>,
}

impl NewJob {
    /// The only job of a periodic kind, due at `due_at` or earlier.
    pub(crate) fn periodic(kind: JobKind, due_at: DateTime<Utc>) -> Self {
        Self { kind, key: PERIODIC_KEY.to_owned(), due_at, payload: None }
    }

    /// A job due now. Jobs with the same key must have the same payload.
    ///
    /// # Errors
    /// [`Error::Internal`] when the payload cannot be serialised or sealed.
    pub(crate) fn now(keys: &Keys, clock: &Clock, kind: JobKind, key: String, payload: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(payload).map_err(|error| Error::Internal(format!("the payload of a job: {error}")))?;
        let payload = Some(keys.seal(clock, &seal_name(kind, &key), &text)?);
        Ok(Self { kind, key, due_at: clock.now(), payload })
    }
}

/// The name a payload is bound to, so that a payload copied to another job cannot be decrypted.
fn seal_name(kind: JobKind, key: &str) -> String {
    format!("job {}/{key}", kind.key())
}

/// Returns the statement that enqueues the jobs and adds its bindings to `vars`. At most once per transaction. The runner finds
/// the jobs within a second of the commit, or immediately after [`crate::Backend::wake_jobs`].
pub(crate) fn enqueue(vars: &mut Variables, clock: &Clock, jobs: Vec<NewJob>) -> &'static str {
    let rows: Vec<Enqueued> = jobs.into_iter().map(|job| Enqueued::new(clock.now(), job)).collect();
    vars.insert("enqueued_jobs", rows);
    ENQUEUE
}

/// The counter `asked` is incremented even when nothing else changes: a run that takes the job concurrently must not miss what
/// this transaction commits.
const ENQUEUE: &str = "FOR $enqueued IN $enqueued_jobs { \
         LET $enqueued_id = $enqueued.id; LET $enqueued_row = $enqueued.row; LET $enqueued_due = $enqueued_row.due_at; \
         LET $enqueued_state = (SELECT VALUE state FROM $enqueued_id)[0]; \
         IF $enqueued_state = NONE { \
             CREATE $enqueued_id CONTENT $enqueued_row RETURN NONE \
         } ELSE IF $enqueued_state = 'waiting' { \
             UPDATE $enqueued_id SET asked += 1, due_at = IF due_at > $enqueued_due { $enqueued_due } ELSE { due_at } RETURN NONE \
         } ELSE IF $enqueued_state = 'running' { \
             UPDATE $enqueued_id SET asked += 1, \
                 again_at = IF again_at = NONE OR again_at > $enqueued_due { $enqueued_due } ELSE { again_at } RETURN NONE \
         } \
     };";

#[derive(Debug, Clone, SurrealValue)]
struct Enqueued {
    id: RecordId,
    row: NewRow,
}

#[derive(Debug, Clone, SurrealValue)]
struct NewRow {
    kind: String,
    key: String,
    state: String,
    due_at: DateTime<Utc>,
    attempts: i64,
    asked: i64,
    payload: Option<String>,
    enqueued_at: DateTime<Utc>,
}

impl Enqueued {
    fn new(now: DateTime<Utc>, job: NewJob) -> Self {
        let NewJob { kind, key, due_at, payload } = job;
        let row = NewRow {
            kind: kind.key().to_owned(),
            key: key.clone(),
            state: JobState::Waiting.key().to_owned(),
            due_at,
            attempts: 0,
            asked: 1,
            payload,
            enqueued_at: now,
        };
        Self { id: job_id(kind, &key), row }
    }
}

fn job_id(kind: JobKind, key: &str) -> RecordId {
    pair("job", kind.key(), key)
}

#[cfg(test)]
mod tests;
