//! Durable background jobs: a row of the table `job` for each, written in the transaction of what makes it necessary and removed
//! when it is done.
//!
//! - **Enqueue**: `enqueue` returns a statement for the caller's transaction, so a job exists exactly if its cause was committed.
//!   `[kind, key]` is the id. A key that waits already is not doubled, it only becomes due earlier; one that is running runs once more.
//! - **Run**: a [`Runner`] in each process takes due jobs under a *lease*, see `jobs/lease.rs`. A job whose process was killed is taken by
//!   another one when its lease has lapsed. On an embedded store the next start does not wait for that: no other process can be there.
//! - **Fail**: an error, a panic or a run beyond the kind's time limit is tried again with exponential back-off. After the kind's number
//!   of attempts a job is *parked*: it stays, is logged as an error, and waits for the operator (`handbook jobs`). A run whose
//!   process died counts as an attempt, so a job that kills its process is parked too. A parked job keeps its key.
//! - **Periodic** kinds have one row that becomes due again after each run. They are never parked: nothing that must happen every few
//!   seconds may wait for an operator.
//!
//! **Delivery.** A job runs at least once. An effect in the store happens exactly once when its transaction contains
//! `LeasedJob::end`, which removes the job and fails when the lease is lost. Effects elsewhere may happen twice when the
//! process dies before it has noted that they did: a short message is handed to the gateway again, with the same idempotency key.
//!
//! What lies in a process's own folder is no job: imports are resumed by the process that has the file (`server/src/jobs.rs`).

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

/// The key of a periodic kind's one job.
const PERIODIC_KEY: &str = "one";

/// What a job does. Keys are labels of metrics and names on the command line too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum JobKind {
    /// Sends one short message.
    SendSms,
    /// Makes the short message that tells the owner of an account what was done to it.
    NotifyOwner,
    /// Publishes documents that are due and takes out those that are over.
    PublishDue,
    /// Seals the event log.
    SealEvents,
    /// Lets rows follow a unit that was moved or merged.
    FollowMoves,
    /// Deletes sessions, activations, counters and forms whose time is over.
    PurgeExpired,
    /// Deletes what was typed at the desk and never saved.
    PurgeWriting,
    /// Removes uploads and files that nobody needs any more.
    PurgeFiles,
}

domain::keyed!(JobKind);

/// How a kind is run.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// Time from the end of a run to the next one; none for a kind that is enqueued by use-cases.
    every: Option<Duration>,
    /// Length of the lease. It is renewed while the job runs.
    lease: Duration,
    /// A run that takes longer has failed.
    limit: Duration,
    /// Jobs of the kind that one process runs at a time.
    at_once: usize,
    /// Attempts after which a job is parked; none for never.
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
            // The gateway has ten seconds. Twelve attempts take between 25 and 50 minutes.
            Self::SendSms => Rules::once(Duration::from_secs(15), 32, 12),
            Self::NotifyOwner => Rules::once(Duration::from_mins(1), 4, 12),
            // With the second of the runner's own poll a document is out within five.
            Self::PublishDue => Rules::periodic(Duration::from_secs(4), Duration::from_mins(2)),
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
    /// The one job of a periodic kind, to run at `due_at` at the latest.
    pub(crate) fn periodic(kind: JobKind, due_at: DateTime<Utc>) -> Self {
        Self { kind, key: PERIODIC_KEY.to_owned(), due_at, payload: None }
    }

    /// A job due now. Jobs with the same key have the same payload.
    ///
    /// # Errors
    /// [`Error::Internal`] when the payload cannot be written or sealed.
    pub(crate) fn now(keys: &Keys, clock: &Clock, kind: JobKind, key: String, payload: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(payload).map_err(|error| Error::Internal(format!("the payload of a job: {error}")))?;
        let payload = Some(keys.seal(clock, &seal_name(kind, &key), &text)?);
        Ok(Self { kind, key, due_at: clock.now(), payload })
    }
}

/// What the payload is bound to, so that one copied to another job does not open.
fn seal_name(kind: JobKind, key: &str) -> String {
    format!("job {}/{key}", kind.key())
}

/// The statement that enqueues the jobs, and its bindings; once in a transaction. The runner finds them within a second of the commit, or at
/// once after [`crate::Backend::wake_jobs`].
pub(crate) fn enqueue(vars: &mut Variables, clock: &Clock, jobs: Vec<NewJob>) -> &'static str {
    let rows: Vec<Enqueued> = jobs.into_iter().map(|job| Enqueued::new(clock.now(), job)).collect();
    vars.insert("enqueued_jobs", rows);
    ENQUEUE
}

/// The counter `asked` is written also where nothing else changes: a run that takes the job at this moment must not miss what this
/// transaction commits.
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
