//! Runs due jobs in each process. See [`super`] for the guarantees.

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

/// Interval at which the runner polls for jobs that other processes enqueued or that became due.
const POLL: Duration = Duration::from_secs(1);

/// Pause after a store error; the store may be unavailable for minutes.
const POLL_AFTER_ERROR: Duration = Duration::from_secs(5);

/// Interval at which the runner checks that periodic jobs are due within their period.
const KEEP_PERIODIC: Duration = Duration::from_mins(1);

/// Time for running jobs to end on shutdown. A gateway has ten seconds to answer, and a message is sent again if its answer is
/// lost.
const STOP: Duration = Duration::from_secs(12);

/// Pause before the second attempt; doubled for each later one.
const BACKOFF: Duration = Duration::from_secs(2);
const BACKOFF_MAX: Duration = Duration::from_mins(15);

/// Pause of a job that waits for other work to end.
const LATER: Duration = Duration::from_secs(15);

/// Maximum number of characters of a stored error.
const ERROR_MAX: usize = 500;

/// Runs the jobs of a store. Any number of processes, or runners in one process, may run concurrently.
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

    /// With another clock for leases and times, as on another machine.
    #[must_use]
    pub fn by_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// With one time limit for all kinds.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Runs jobs until `stop` completes. Running jobs then have a few seconds to end, or are released for other processes.
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
                    tracing::error!(%error, "cannot query due jobs; retrying");
                    POLL_AFTER_ERROR
                }
            };
            tokio::select! {
                () = &mut stop => break,
                () = self.backend.job_wake().notified() => {}
                // A permit is free: more jobs of the kind may be due.
                Some(_) = running.join_next() => {}
                () = sleep(pause) => {}
            }
        }
        if timeout(STOP, all_ended(&mut running)).await.is_err() {
            tracing::info!(jobs = running.len(), "some jobs did not end in time; released them for another process");
            given_up.send_replace(true);
            all_ended(&mut running).await;
        }
    }

    /// Runs due jobs, and those that become due by that, until there are none. Returns the number of runs.
    ///
    /// # Errors
    /// [`crate::Error::Store`] when jobs cannot be queried. A failed job is recorded in its row instead.
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

    /// Makes the jobs of the periodic kinds due now.
    ///
    /// # Errors
    /// [`crate::Error::Store`].
    pub async fn enqueue_periodic(&self) -> Result<()> {
        self.enqueue_periodic_after(|_| Duration::ZERO).await
    }

    /// Ensures that the jobs of the periodic kinds exist and are due within their period. One that is due later was written by a
    /// clock that was ahead, of another process or of this one.
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

    /// Takes and starts as many due jobs as there are permits for. Returns how many.
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
                // Another process has it; the jobs after it need not wait for that.
                Ok(None) | Err(Error::Busy) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(begun)
    }

    /// Jobs that could be taken now, at most as many of a kind as there are permits.
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
        // `ALL` has the kinds in the order of their declaration.
        &self.permits[kind as usize]
    }

    fn permit(&self, kind: JobKind) -> Option<OwnedSemaphorePermit> {
        Arc::clone(self.semaphore(kind)).try_acquire_owned().ok()
    }

    /// Runs one job until it ends, its time limit passes, its lease is lost or the runner stops. The run is a task of its own, so
    /// that it may panic.
    async fn carry_out(self, job: LeasedJob, _permit: OwnedSemaphorePermit, mut given_up: watch::Receiver<bool>) {
        let rules = job.kind.rules();
        if rules.attempts.is_some_and(|most| job.attempts > most) {
            // The last run was started, but neither succeeded nor failed.
            return self.note_failure(&job, "its process died while it ran").await;
        }
        let limit = self.limit.unwrap_or(rules.limit);
        let (backend, work) = (self.backend.clone(), job.clone());
        // A set, so that the task is aborted when this future is dropped.
        let mut run = JoinSet::new();
        run.spawn(async move { perform(&backend, &work).await });
        let ended = tokio::select! {
            ended = run.join_next() => ended,
            () = sleep(limit) => {
                drop(run);
                return self.note_failure(&job, &format!("it was not done within {limit:?}")).await;
            }
            () = self.hold(&job) => {
                tracing::warn!(%job, "could not renew the lease of a job; aborted its run, another process takes over");
                return;
            }
            () = async {
                // The sender outlives this task.
                let _ = given_up.wait_for(|given_up| *given_up).await;
            } => {
                drop(run);
                if let Err(error) = job.give_back(self.backend.store(), self.clock.now()).await {
                    tracing::warn!(%job, %error, "could not release a job; it runs again when its lease has expired");
                }
                return;
            }
        };
        match ended {
            Some(Ok(Ok(outcome))) => self.note_success(&job, outcome).await,
            Some(Ok(Err(error))) => self.note_failure(&job, &error.to_string()).await,
            // A panic message may contain personal data; it is on standard error only.
            Some(Err(_)) | None => self.note_failure(&job, "it panicked").await,
        }
    }

    /// Keeps renewing the lease. Returns when it is lost, or could not be renewed in time.
    async fn hold(&self, job: &LeasedJob) {
        let length = job.kind.rules().lease;
        let mut lapses = Instant::now() + length;
        loop {
            sleep(length / 3).await;
            let began = Instant::now();
            match timeout_at(lapses, job.renew(self.backend.store(), &self.clock)).await {
                Ok(Ok(true)) => lapses = began + length,
                Ok(Ok(false)) | Err(_) => return,
                Ok(Err(error)) => tracing::warn!(%job, %error, "could not renew the lease of a job; retrying"),
            }
        }
    }

    async fn note_success(&self, job: &LeasedJob, outcome: Outcome) {
        let now = self.clock.now();
        let next = match (outcome, job.kind.rules().every) {
            (Outcome::Ended, _) => return,
            (Outcome::Lost, _) => return warn_of_loss(job),
            (Outcome::Again, _) => Some(now),
            (Outcome::Later, _) => Some(now + LATER),
            (Outcome::Done, every) => every.map(|every| now + every),
        };
        let mut vars = Variables::new();
        let sql = job.end(&mut vars, next);
        match self.backend.transact(Change::new(sql, vars)).await {
            Ok(_) => {}
            Err(error) if is_lost(&error) => warn_of_loss(job),
            Err(error) => tracing::error!(%job, %error, "could not record the end of a job; it will run again"),
        }
    }

    async fn note_failure(&self, job: &LeasedJob, error: &str) {
        let (now, rules, attempts) = (self.clock.now(), job.kind.rules(), job.attempts);
        let is_parked = rules.attempts.is_some_and(|most| attempts >= most);
        if is_parked {
            tracing::error!(%job, attempts, error, "a job is parked: see `handbook jobs`");
        } else if rules.every.is_some() {
            tracing::error!(%job, attempts, error, "a job failed; retrying");
        } else {
            tracing::warn!(%job, attempts, error, "a job failed; retrying");
        }
        let due_at = if is_parked { now } else { self.next_attempt(now, attempts, rules.every) };
        let error: String = error.chars().take(ERROR_MAX).collect();
        if let Err(error) = job.fail(self.backend.store(), &error, due_at, is_parked).await {
            tracing::error!(%job, %error, "could not record the failure of a job; it runs again when its lease has expired");
        }
    }

    /// Exponential back-off, at most the period of a periodic job, with jitter between half and the whole of it, so that jobs
    /// that failed together are not retried together.
    fn next_attempt(&self, now: DateTime<Utc>, attempts: u32, every: Option<Duration>) -> DateTime<Utc> {
        let most = every.unwrap_or(BACKOFF_MAX).min(BACKOFF_MAX);
        let whole = BACKOFF.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(most);
        let mut byte = [0];
        self.clock.fill(&mut byte);
        now + whole / 2 + (whole / 2).mul_f64(f64::from(byte[0]) / 255.0)
    }
}

impl Backend {
    /// Runs due jobs in this process, for tests and the command line. Returns the number of runs.
    ///
    /// # Errors
    /// As [`Runner::run_due`].
    pub async fn run_due_jobs(&self) -> Result<usize> {
        Runner::new(self).run_due().await
    }
}

fn warn_of_loss(job: &LeasedJob) {
    tracing::warn!(%job, "a job ended after another process had taken it");
}

async fn all_ended(running: &mut JoinSet<()>) {
    while running.join_next().await.is_some() {}
}

const DUE_PERIODIC: &str = "SELECT kind, key FROM $periodic \
     WHERE (state = 'waiting' AND due_at <= $now) OR (state = 'running' AND due_at <= $lapsed);";

/// Longest due first.
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
