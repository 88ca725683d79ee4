//! What the program does by itself while it serves.

use std::time::Duration;

use backend::Backend;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

/// How often sessions and forms whose time is over are deleted.
const PURGE_EVERY: Duration = Duration::from_hours(1);

/// How often the recorded durations are folded into their histograms.
const UPKEEP_EVERY: Duration = Duration::from_secs(10);

/// How often a move of units is looked for whose process is no more. Its own one does not wait for this.
const RESUME_EVERY: Duration = Duration::from_mins(5);

/// Starts the jobs; they end with the returned set.
pub(crate) fn start(backend: &Backend, recorder: PrometheusHandle) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    let follower = backend.clone();
    jobs.spawn(async move { follower.follow_events().await });
    jobs.spawn(purge(backend.clone()));
    jobs.spawn(resume(backend.clone()));
    jobs.spawn(async move {
        let mut ticks = interval(UPKEEP_EVERY);
        loop {
            ticks.tick().await;
            recorder.run_upkeep();
        }
    });
    jobs
}

async fn purge(backend: Backend) {
    let mut ticks = interval(PURGE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match backend.accounts().purge().await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "sessions and forms whose time is over were deleted"),
            Err(error) => tracing::error!(%error, "cannot delete what is over; will try again in an hour"),
        }
    }
}

async fn resume(backend: Backend) {
    let mut ticks = interval(RESUME_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = backend.unit_desk().resume().await {
            tracing::error!(%error, "a moved unit is not followed by all yet; will go on in a few minutes");
        }
    }
}
