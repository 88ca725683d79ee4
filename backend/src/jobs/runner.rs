//! Runs the jobs that are due, in each process. See [`super`] for what that promises.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    JobKind, NewJob, Outcome, PERIODIC_KEY, job_id,
    lease::{LeasedJob, MARGIN, is_lost},
    perform::perform,
};
use crate::{
    Backend, Clock, Error, Result,
    change::Change,
    store::{RecordId, SurrealValue, Variables, vars},
};

/// How often the runner looks for jobs that other processes enqueued, or that became due.
const POLL: Duration = Duration::from_secs(1);

/// The pause after a failure of the store, which may be away for minutes.
const POLL_AFTER_ERROR: Duration = Duration::from_secs(5);

/// How often the runner makes sure that periodic jobs are due after their period at the latest.
const KEEP_PERIODIC: Duration = Duration::from_mins(1);

/// How long jobs that run may take to end when the process is asked to stop. A gateway has ten seconds to answer, and a message it may
/// have taken is sent again when its answer is not awaited.
const STOP: Duration = Duration::from_secs(12);

/// Before the second attempt; doubled before each later one.
const BACKOFF: Duration = Duration::from_secs(2);
const BACKOFF_MAX: Duration = Duration::from_mins(15);

/// Characters kept of an error.
const ERROR_MAX: usize = 500;

/// Runs the jobs of a store. Any number of processes, or runners in one, may run at a time.
#[derive(Clone)]
pub struct Runner {
    backend: Backend,
    clock: Clock,
    limit: Option<Duration>,
    /// By kind, in the order of [`JobKind::ALL`].
    permits: Arc<[Arc<Semaphore>]>,
}

/// A job that could be taken.
#[derive(Debug, SurrealValue)]
struct Due {
    kind: String,
    key: String,
}

impl Runner {
    pub fn new(backend: &Backend) -> Self {
        let permits = JobKind::ALL.into_iter().map(|kind| Arc::new(Semaphore::new(kind.rules().at_once))).collect();
        Self { backend: backend.clone(), clock: backend.clock().clone(), limit: None, permits }
    }

    /// The same with another clock for leases and times, as in a process on another machine.
    #[must_use]
    pub fn by_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The same with one time limit for runs of all kinds.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Runs jobs until `stop` is over; those that run then have a few seconds to end, or are given back to other processes.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let given_up = watch::Sender::new(false);
        let mut running = JoinSet::new();
        let mut kept: Option<Instant> = None;
        loop {
            let begun = async {
                if kept.is_none_or(|at| at.elapsed() >= KEEP_PERIODIC) {
                    if kept.is_none() {
                        self.enqueue_periodic().await?;
                    } else {
                        self.keep_periodic().await?;
                    }
                    kept = Some(Instant::now());
                }
                self.begin_due(&mut running, &given_up).await
            };
            let pause = match begun.await {
                Ok(_) => POLL,
                Err(error) => {
                    tracing::error!(%error, "cannot look for jobs that are due; will try again");
                    POLL_AFTER_ERROR
                }
            };
            tokio::select! {
                () = &mut stop => break,
                () = self.backend.job_wake().notified() => {}
                // A place is free: more of the kind may wait.
                Some(_) = running.join_next() => {}
                () = sleep(pause) => {}
            }
        }
        if timeout(STOP, all_ended(&mut running)).await.is_err() {
            tracing::info!(jobs = running.len(), "some jobs did not end in time and are left to the next process");
            given_up.send_replace(true);
            all_ended(&mut running).await;
        }
    }

    /// Runs what is due, and what becomes due by that, until nothing is. Returns how many runs that were.
    ///
    /// # Errors
    /// [`crate::Error::Store`] when jobs cannot be read. That one fails is noted in its row.
    pub async fn run_due(&self) -> Result<usize> {
        let mut runs = 0;
        let given_up = watch::Sender::new(false);
        let mut running = JoinSet::new();
        loop {
            let begun = self.begin_due(&mut running, &given_up).await?;
            if begun == 0 {
                return Ok(runs);
            }
            runs += begun;
            all_ended(&mut running).await;
        }
    }

    /// Makes the jobs of the periodic kinds due now. Those that are there already stay.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub async fn enqueue_periodic(&self) -> Result<()> {
        self.enqueue_periodic_after(|_| Duration::ZERO).await
    }

    /// Makes sure that the jobs of the periodic kinds are there, and due after their period at the latest. One that is due later was
    /// written by a clock that was ahead: of another process, or this one before it was set back.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub async fn keep_periodic(&self) -> Result<()> {
        self.enqueue_periodic_after(|kind| kind.rules().every.unwrap_or_default()).await
    }

    async fn enqueue_periodic_after(&self, pause: impl Fn(JobKind) -> Duration) -> Result<()> {
        let now = self.clock.now();
        let jobs = JobKind::periodic().map(|kind| NewJob::periodic(kind, now + pause(kind))).collect();
        self.backend.transact(Change::default().jobs(&self.clock, jobs)).await?;
        Ok(())
    }

    /// Takes as many jobs as there are places for and begins them. Returns how many.
    async fn begin_due(&self, running: &mut JoinSet<()>, given_up: &watch::Sender<bool>) -> Result<usize> {
        let mut begun = 0;
        for Due { kind, key } in self.due().await? {
            let Some(kind) = JobKind::from_key(&kind) else { continue };
            let Some(permit) = self.permit(kind) else { continue };
            match LeasedJob::take(self.backend.store(), &self.clock, kind, &key).await {
                Ok(Some(taken)) => {
                    running.spawn(self.clone().carry_out(taken, permit, given_up.subscribe()));
                    begun += 1;
                }
                // Another one is at it; those behind it must not wait for that.
                Ok(None) | Err(Error::Busy) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(begun)
    }

    /// What could be taken now, at most as many of a kind as there are places.
    async fn due(&self) -> Result<Vec<Due>> {
        let now = self.clock.now();
        let free = |kind: JobKind| self.semaphore(kind).available_permits();
        let periodic: Vec<RecordId> =
            JobKind::periodic().filter(|kind| free(*kind) > 0).map(|kind| job_id(kind, PERIODIC_KEY)).collect();
        let mut sql = DUE_PERIODIC.to_owned();
        let mut statements = 1;
        for kind in JobKind::ALL.into_iter().filter(|kind| kind.rules().every.is_none() && free(*kind) > 0) {
            sql += &due_of(kind, free(kind));
            statements += 2;
        }
        let vars = vars! { periodic: periodic, now: now, lapsed: now - MARGIN };
        let mut answers = self.backend.store().read(sql, vars).await?;
        let mut due = Vec::new();
        for statement in 0..statements {
            due.extend(answers.rows::<Due>(statement)?);
        }
        Ok(due)
    }

    fn semaphore(&self, kind: JobKind) -> &Arc<Semaphore> {
        // In the order in which the kinds are declared, as in `ALL`.
        &self.permits[kind as usize]
    }

    fn permit(&self, kind: JobKind) -> Option<OwnedSemaphorePermit> {
        Arc::clone(self.semaphore(kind)).try_acquire_owned().ok()
    }

    /// Runs one job to its end, to its time limit, until its lease is lost or the process gives up. The run is a task of its own, so
    /// that it may panic.
    async fn carry_out(self, job: LeasedJob, _permit: OwnedSemaphorePermit, mut given_up: watch::Receiver<bool>) {
        let rules = job.kind.rules();
        if rules.attempts.is_some_and(|most| job.attempts > most) {
            // Its last run was begun and neither succeeded nor failed.
            return self.note_failure(&job, "its process died while it ran").await;
        }
        let limit = self.limit.unwrap_or(rules.limit);
        let (backend, work) = (self.backend.clone(), job.clone());
        // A set, so that the task ends when this future is dropped.
        let mut run = JoinSet::new();
        run.spawn(async move { perform(&backend, &work).await });
        let ended = tokio::select! {
            ended = run.join_next() => ended,
            () = sleep(limit) => {
                drop(run);
                return self.note_failure(&job, &format!("it was not done within {limit:?}")).await;
            }
            () = self.hold(&job) => {
                tracing::warn!(%job, "a job's lease could not be renewed: its run is ended and another process takes over");
                return;
            }
            () = async {
                // The sender is there as long as this task.
                let _ = given_up.wait_for(|given_up| *given_up).await;
            } => {
                drop(run);
                if let Err(error) = job.give_back(self.backend.store(), self.clock.now()).await {
                    tracing::warn!(%job, %error, "a job is not given back: it runs again when its lease has lapsed");
                }
                return;
            }
        };
        match ended {
            Some(Ok(Ok(outcome))) => self.note_success(&job, outcome).await,
            Some(Ok(Err(error))) => self.note_failure(&job, &error.to_string()).await,
            // What a panic says may be about a person; the process has printed it.
            Some(Err(_)) | None => self.note_failure(&job, "it panicked").await,
        }
    }

    /// Renews the lease again and again. Ends when it is lost, or could not be renewed in time.
    async fn hold(&self, job: &LeasedJob) {
        let length = job.kind.rules().lease;
        let mut lapses = Instant::now() + length;
        loop {
            sleep(length / 3).await;
            let began = Instant::now();
            match timeout_at(lapses, job.renew(self.backend.store(), &self.clock)).await {
                Ok(Ok(true)) => lapses = began + length,
                Ok(Ok(false)) | Err(_) => return,
                Ok(Err(error)) => tracing::warn!(%job, %error, "a job's lease is not renewed; will try again"),
            }
        }
    }

    async fn note_success(&self, job: &LeasedJob, outcome: Outcome) {
        let now = self.clock.now();
        let next = match (outcome, job.kind.rules().every) {
            (Outcome::Ended, _) => return,
            (Outcome::Lost, _) => return warn_of_loss(job),
            (Outcome::Again, _) => Some(now),
            (Outcome::Done, every) => every.map(|every| now + every),
        };
        let mut vars = Variables::new();
        let sql = job.end(&mut vars, next);
        match self.backend.transact(Change::new(sql, vars)).await {
            Ok(_) => {}
            Err(error) if is_lost(&error) => warn_of_loss(job),
            Err(error) => tracing::error!(%job, %error, "that a job is done could not be noted: it will run again"),
        }
    }

    async fn note_failure(&self, job: &LeasedJob, error: &str) {
        let (now, rules, attempts) = (self.clock.now(), job.kind.rules(), job.attempts);
        let is_parked = rules.attempts.is_some_and(|most| attempts >= most);
        if is_parked {
            tracing::error!(%job, attempts, error, "a job is parked: see `handbook jobs`");
        } else if rules.every.is_some() {
            tracing::error!(%job, attempts, error, "a job failed; will try again");
        } else {
            tracing::warn!(%job, attempts, error, "a job failed; will try again");
        }
        let due_at = if is_parked { now } else { self.next_attempt(now, attempts, rules.every) };
        let error: String = error.chars().take(ERROR_MAX).collect();
        if let Err(error) = job.fail(self.backend.store(), &error, due_at, is_parked).await {
            tracing::error!(%job, %error, "that a job failed could not be noted: it will run again when its lease has lapsed");
        }
    }

    /// Exponential, at most the period of a periodic job, and between half and the whole of that at random: what failed together is
    /// not tried together again.
    fn next_attempt(&self, now: DateTime<Utc>, attempts: u32, every: Option<Duration>) -> DateTime<Utc> {
        let most = every.unwrap_or(BACKOFF_MAX).min(BACKOFF_MAX);
        let whole = BACKOFF.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(most);
        let mut byte = [0];
        self.clock.fill(&mut byte);
        now + whole / 2 + (whole / 2).mul_f64(f64::from(byte[0]) / 255.0)
    }
}

impl Backend {
    /// Runs the jobs that are due in this process, for tests and the command line. Returns how many runs that were.
    ///
    /// # Errors
    /// As [`Runner::run_due`].
    pub async fn run_due_jobs(&self) -> Result<usize> {
        Runner::new(self).run_due().await
    }
}

fn warn_of_loss(job: &LeasedJob) {
    tracing::warn!(%job, "a job ended here when another process had it already");
}

async fn all_ended(running: &mut JoinSet<()>) {
    while running.join_next().await.is_some() {}
}

const DUE_PERIODIC: &str = "SELECT kind, key FROM $periodic \
     WHERE (state = 'waiting' AND due_at <= $now) OR (state = 'running' AND due_at <= $lapsed);";

/// Those due longest come first.
pub(super) fn due_of(kind: JobKind, count: usize) -> String {
    let of = |state: &str, bound: &str| {
        format!(
            " SELECT kind, key, due_at FROM job WHERE kind = '{}' AND state = '{state}' AND due_at <= {bound} \
             ORDER BY due_at LIMIT {count};",
            kind.key()
        )
    };
    of("waiting", "$now") + &of("running", "$lapsed")
}
