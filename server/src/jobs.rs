//! What the program does by itself while it serves.

use std::time::Duration;

use anyhow::{Result, bail};
use backend::{Backend, condition::Condition};
use chrono::TimeDelta;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};

/// How often sessions and forms whose time is over are deleted.
const PURGE_EVERY: Duration = Duration::from_mins(10);

/// How often the newest part of the event log is sealed.
const SEAL_EVERY: Duration = Duration::from_mins(1);

/// How often one of the processes saves the counters, and how often each looks whether it is time.
const SAVE_COUNTERS_EVERY: TimeDelta = TimeDelta::minutes(15);
const SAVE_COUNTERS_LOOK: Duration = Duration::from_mins(1);

/// How long before a stop the counters may have been saved, so that the next start still has little to count.
const SAVED_BEFORE_STOP: TimeDelta = TimeDelta::minutes(1);

/// Most time for that: service managers do not wait much longer.
const LAST_SAVE_MAX: Duration = Duration::from_secs(30);

/// How often imports and moves are looked for that nobody is at work on.
const RESUME_EVERY: Duration = Duration::from_mins(1);

/// How often the desk looks what is due to go out, and what is over.
const KEEP_TIME_EVERY: Duration = Duration::from_secs(5);

/// How often the recorded durations are folded into their histograms.
const UPKEEP_EVERY: Duration = Duration::from_secs(10);

/// How often it is looked whether the store takes what is written, and after how many looks in a row a new start is the only help.
const LOOK_EVERY: Duration = Duration::from_secs(10);
const LOOK_CLOSELY: Duration = Duration::from_secs(2);
const LOOKS: u32 = 3;

/// Starts the jobs; they end with the returned set.
pub(crate) fn start(backend: &Backend, recorder: PrometheusHandle) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    let follower = backend.clone();
    jobs.spawn(async move { follower.follow_events().await });
    let follower = backend.clone();
    jobs.spawn(async move { follower.follow_search().await });
    jobs.spawn(purge(backend.clone()));
    jobs.spawn(seal(backend.clone()));
    jobs.spawn(save_counters(backend.clone()));
    jobs.spawn(keep_time(backend.clone()));
    jobs.spawn(go_on_importing(backend.clone()));
    jobs.spawn(go_on_moving(backend.clone()));
    jobs.spawn(async move {
        let mut ticks = interval(UPKEEP_EVERY);
        loop {
            ticks.tick().await;
            recorder.run_upkeep();
        }
    });
    jobs
}

/// Longer than the store's own limit of a statement, which it tries until then.
const CONDITION_MAX: Duration = Duration::from_secs(45);

/// Ends when the engine has stopped writing for good although its disk takes what is written.
pub(crate) async fn watch_store(backend: &Backend) -> Result<()> {
    let mut stuck = 0;
    loop {
        tokio::time::sleep(if stuck == 0 { LOOK_EVERY } else { LOOK_CLOSELY }).await;
        match timeout(CONDITION_MAX, backend.condition()).await {
            Ok(Condition::Stuck) => stuck += 1,
            Ok(Condition::Well | Condition::DiskFull | Condition::Away) => stuck = 0,
            // A slow store is no reason to end, nor a sign that it writes again.
            Err(_) => tracing::error!("the store does not answer within {} s", CONDITION_MAX.as_secs()),
        }
        if stuck == LOOKS {
            bail!(
                "the store stopped writing, as after a full disk, and does not begin again by itself: the program ends so that it is started anew"
            );
        }
    }
}

async fn purge(backend: Backend) {
    let mut ticks = interval(PURGE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match backend.accounts().purge().await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "sessions and forms whose time is over were deleted"),
            Err(error) => tracing::error!(%error, "cannot delete what is over; will try again in ten minutes"),
        }
        if let Err(error) = backend.documents().purge_writing().await {
            tracing::error!(%error, "cannot delete what was typed and never saved; will try again in ten minutes");
        }
        if let Err(error) = backend.imports().purge().await {
            tracing::error!(%error, "cannot remove the files of old imports; will try again in ten minutes");
        }
        match backend.files().purge().await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "files and uploads that nobody needs any more were removed"),
            Err(error) => tracing::error!(%error, "cannot remove files that nobody needs; will try again in ten minutes"),
        }
    }
}

/// Documents that go out, or leave, at a time.
async fn keep_time(backend: Backend) {
    let mut ticks = interval(KEEP_TIME_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match backend.documents().keep_time().await {
            Ok(0) => {}
            Ok(documents) => tracing::info!(documents, "documents went out, or left, at their time"),
            Err(error) => tracing::error!(%error, "cannot publish what is due; will try again in a few seconds"),
        }
    }
}

/// Imports that a crash or a failure interrupted.
async fn go_on_importing(backend: Backend) {
    let mut ticks = interval(RESUME_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match backend.imports().resume().await {
            Ok(0) => {}
            Ok(imports) => tracing::info!(imports, "interrupted imports are gone on with"),
            Err(error) => tracing::error!(%error, "cannot go on with interrupted imports; will try again"),
        }
    }
}

async fn seal(backend: Backend) {
    let mut ticks = interval(SEAL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = backend.audit().seal().await {
            tracing::error!(%error, "cannot seal the event log; will try again in a minute");
        }
    }
}

/// The counters, so that a start after a crash has little to count.
async fn save_counters(backend: Backend) {
    let mut ticks = interval(SAVE_COUNTERS_LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match backend.statistics().save_counters(SAVE_COUNTERS_EVERY).await {
            Ok(None) => {}
            Ok(Some(bytes)) => tracing::debug!(bytes, "the counters are saved"),
            Err(error) => tracing::error!(%error, "cannot save the counters; will try again"),
        }
    }
}

/// The same before the program ends.
pub(crate) async fn save_counters_at_the_end(backend: &Backend) {
    match timeout(LAST_SAVE_MAX, backend.statistics().save_counters(SAVED_BEFORE_STOP)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the counters are not saved; the next start takes longer"),
        Err(_) => tracing::warn!("the counters were not saved in time; the next start takes longer"),
    }
}

/// Moved and merged units that a crash left half-followed.
async fn go_on_moving(backend: Backend) {
    let mut ticks = interval(RESUME_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = backend.unit_desk().resume().await {
            tracing::error!(%error, "a moved unit is not followed by all yet; will go on in a few minutes");
        }
    }
}
