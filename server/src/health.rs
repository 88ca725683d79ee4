//! Liveness, readiness and metrics.

use std::{
    borrow::Cow,
    sync::OnceLock,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::time::timeout;

use crate::state::Shared;

/// Upper bounds of the buckets of duration histograms, in seconds.
const DURATIONS: [f64; 11] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// How long one check of the store is cached.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Time limit of a check; concurrent requests wait for the same one.
const LOOK_MAX: Duration = Duration::from_secs(5);

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready))
}

/// The metrics, for a separate address that only operators can reach.
pub(crate) fn numbers_routes() -> Router<Shared> {
    routes().route("/metrics", get(numbers))
}

/// The one recorder of the process, shared if a second application starts in it, as in tests.
pub(crate) fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let builder = PrometheusBuilder::new();
            let recorder = match builder.set_buckets(&DURATIONS) {
                Ok(builder) => builder.build_recorder(),
                Err(_) => PrometheusBuilder::new().build_recorder(),
            };
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another metrics recorder is installed; /metrics stays empty");
            }
            handle
        })
        .clone()
}

async fn ready(State(shared): State<Shared>) -> (StatusCode, Cow<'static, str>) {
    // One check serves all requests within a second: anybody may send them, and a check writes.
    let mut last = shared.readiness.lock().await;
    let is_ready = match *last {
        Some((at, is_ready)) if at.elapsed() < LOOK_AGAIN => is_ready,
        _ => {
            let is_ready = match timeout(LOOK_MAX, shared.backend.ready()).await {
                Ok(Ok(())) => true,
                Ok(Err(error)) => {
                    tracing::error!(%error, "the store does not accept writes");
                    false
                }
                Err(_) => {
                    tracing::error!("the store does not respond within {} s", LOOK_MAX.as_secs());
                    false
                }
            };
            *last = Some((Instant::now(), is_ready));
            is_ready
        }
    };
    match (is_ready, shared.backend.jobs().parked()) {
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "the store does not accept writes\n".into()),
        (true, 0) => (StatusCode::OK, "ready\n".into()),
        // Pages are still served.
        (true, parked) => (StatusCode::OK, format!("ready\njobs that failed too often and are parked: {parked}\n").into()),
    }
}

async fn numbers() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], recorder().render())
}
