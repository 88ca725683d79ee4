//! Background work while serving: the runner of durable jobs (`backend::jobs`), and loops for what belongs to this process: its
//! tail of the event log, its index, its counters and the import files in its folder.

use std::time::Duration;

use anyhow::{Result, bail};
use backend::{
    Backend,
    condition::Condition,
    imports::HOLD_EVERY,
    jobs::{JobFigures, JobState, Runner},
};
use chrono::TimeDelta;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    sync::oneshot,
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval, timeout},
};

/// How often unconfirmed import files are removed.
const PURGE_EVERY: Duration = Duration::from_mins(10);

/// How often one of the processes saves the counters, and how often each process checks whether a save is due.
const SAVE_COUNTERS_EVERY: TimeDelta = TimeDelta::minutes(15);
const SAVE_COUNTERS_LOOK: Duration = Duration::from_mins(1);

/// Counters saved this recently are not saved again at a stop: the next start has little to count.
const SAVED_BEFORE_STOP: TimeDelta = TimeDelta::minutes(1);

/// Time limit of the save at a stop: service managers do not wait much longer.
const LAST_SAVE_MAX: Duration = Duration::from_secs(30);

/// How often jobs are counted.
const COUNT_EVERY: Duration = Duration::from_secs(15);

/// How long running jobs may take to end at a stop; a store that no longer accepts writes is not waited for.
const STOP_MAX: Duration = Duration::from_secs(15);

/// How often recorded durations are merged into their histograms.
const UPKEEP_EVERY: Duration = Duration::from_secs(10);

/// How often the store is checked for accepting writes, how often after a refusal, and after how many refusals in a row the
/// program ends.
const LOOK_EVERY: Duration = Duration::from_secs(10);
const LOOK_CLOSELY: Duration = Duration::from_secs(2);
const LOOKS: u32 = 3;

/// Tasks that run until the program ends.
pub(crate) struct Background {
    loops: JoinSet<()>,
    runner: JoinHandle<()>,
    stop_runner: oneshot::Sender<()>,
}

impl Background {
    pub(crate) fn start(backend: &Backend, recorder: PrometheusHandle) -> Self {
        let mut loops = JoinSet::new();
        let follower = backend.clone();
        loops.spawn(async move { follower.follow_events().await });
        let follower = backend.clone();
        loops.spawn(async move { follower.follow_search().await });
        loops.spawn(save_counters(backend.clone()));
        loops.spawn(purge_imports(backend.clone()));
        loops.spawn(resume_imports(backend.clone()));
        loops.spawn(count_jobs(backend.clone()));
        loops.spawn(async move {
            let mut ticks = interval(UPKEEP_EVERY);
            loop {
                ticks.tick().await;
                recorder.run_upkeep();
            }
        });
        let (stop_runner, stopped) = oneshot::channel();
        let runner = Runner::new(backend);
        let runner = tokio::spawn(async move {
            runner
                .run(async {
                    // The signal was sent, or its sender was dropped.
                    let _ = stopped.await;
                })
                .await;
        });
        Self { loops, runner, stop_runner }
    }

    /// Waits for running jobs to end, or returns them to other processes.
    pub(crate) async fn stop(self) {
        let Self { mut loops, mut runner, stop_runner } = self;
        // An error means that the runner has ended already.
        let _ = stop_runner.send(());
        if timeout(STOP_MAX, &mut runner).await.is_err() {
            tracing::warn!("some jobs did not end in time: they run again when their leases expire");
            runner.abort();
        }
        loops.shutdown().await;
    }
}

/// Longer than the store's own limit of a statement, until which it retries.
const CONDITION_MAX: Duration = Duration::from_secs(45);

/// Returns an error when the engine has stopped writing permanently although its disk accepts writes.
pub(crate) async fn watch_store(backend: &Backend) -> Result<()> {
    let mut stuck = 0;
    loop {
        tokio::time::sleep(if stuck == 0 { LOOK_EVERY } else { LOOK_CLOSELY }).await;
        match timeout(CONDITION_MAX, backend.condition()).await {
            Ok(Condition::Stuck) => stuck += 1,
            Ok(Condition::Well | Condition::DiskFull | Condition::Away) => stuck = 0,
            // A slow store is neither a reason to end nor a sign that it writes again.
            Err(_) => tracing::error!("the store does not respond within {} s", CONDITION_MAX.as_secs()),
        }
        if stuck == LOOKS {
            bail!(
                "the store stopped writing, as after a full disk, and does not recover by itself: ending the program so that it is restarted"
            );
        }
    }
}

/// Updates the job metrics, and logs parked jobs for the operator.
async fn count_jobs(backend: Backend) {
    let mut ticks = interval(COUNT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match backend.jobs().figures().await {
            Ok(figures) => figures.iter().for_each(record_figures),
            Err(error) => tracing::warn!(%error, "cannot count the jobs; will retry"),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are never that many jobs")]
fn record_figures(figures: &JobFigures) {
    let JobFigures { kind, waiting, running, parked, overdue } = *figures;
    for (state, count) in [(JobState::Waiting, waiting), (JobState::Running, running), (JobState::Parked, parked)] {
        metrics::gauge!("handbook_jobs", "kind" => kind.key(), "state" => state.key()).set(count as f64);
    }
    metrics::gauge!("handbook_jobs_overdue_seconds", "kind" => kind.key()).set(overdue.num_seconds() as f64);
}

async fn purge_imports(backend: Backend) {
    let mut ticks = interval(PURGE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = backend.imports().purge().await {
            tracing::error!(%error, "cannot remove the files of old imports; will retry in ten minutes");
        }
    }
}

/// Holds the imports whose files this server has, and resumes them after a crash or a failure, or a confirmation on another server.
async fn resume_imports(backend: Backend) {
    let mut ticks = interval(HOLD_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match backend.imports().resume().await {
            Ok(0) => {}
            Ok(imports) => tracing::info!(imports, "resumed interrupted imports"),
            Err(error) => tracing::error!(%error, "cannot resume interrupted imports; will retry"),
        }
    }
}

/// Saves the counters regularly, so that a start after a crash has little to count.
async fn save_counters(backend: Backend) {
    let mut ticks = interval(SAVE_COUNTERS_LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match backend.statistics().save_counters(SAVE_COUNTERS_EVERY).await {
            Ok(None) => {}
            Ok(Some(bytes)) => tracing::debug!(bytes, "saved the counters"),
            Err(error) => tracing::error!(%error, "cannot save the counters; will retry"),
        }
    }
}

/// Saves the counters before the program ends.
pub(crate) async fn save_counters_at_the_end(backend: &Backend) {
    match timeout(LAST_SAVE_MAX, backend.statistics().save_counters(SAVED_BEFORE_STOP)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "cannot save the counters; the next start takes longer"),
        Err(_) => tracing::warn!("the counters were not saved in time; the next start takes longer"),
    }
}
