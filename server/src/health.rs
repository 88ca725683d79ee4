//! For those who run the program: is it alive, can it serve, how does it do.

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

/// Upper edges of the histograms of durations, in seconds.
const DURATIONS: [f64; 11] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// How long one look at the store is good for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A store that takes longer than this is as good as none; everybody who asks meanwhile waits for the same look.
const LOOK_MAX: Duration = Duration::from_secs(5);

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready))
}

/// For an address of their own: the numbers are for those who run the program.
pub(crate) fn numbers_routes() -> Router<Shared> {
    routes().route("/metrics", get(numbers))
}

/// The one recorder of the process: whoever starts a second application in it, as tests do, shares it.
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
                tracing::warn!("the numbers are recorded elsewhere; /metrics stays empty");
            }
            handle
        })
        .clone()
}

async fn ready(State(shared): State<Shared>) -> (StatusCode, Cow<'static, str>) {
    // One look serves all who ask within a second: a stranger may ask often, and a look writes.
    let mut last = shared.readiness.lock().await;
    let is_ready = match *last {
        Some((at, is_ready)) if at.elapsed() < LOOK_AGAIN => is_ready,
        _ => {
            let is_ready = match timeout(LOOK_MAX, shared.backend.ready()).await {
                Ok(Ok(())) => true,
                Ok(Err(error)) => {
                    tracing::error!(%error, "the store does not take what is written");
                    false
                }
                Err(_) => {
                    tracing::error!("the store does not answer within {} s", LOOK_MAX.as_secs());
                    false
                }
            };
            *last = Some((Instant::now(), is_ready));
            is_ready
        }
    };
    match (is_ready, shared.backend.jobs().parked()) {
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "the store does not take what is written\n".into()),
        (true, 0) => (StatusCode::OK, "ready\n".into()),
        // Pages are served all the same.
        (true, parked) => (StatusCode::OK, format!("ready\njobs that failed too often and are parked: {parked}\n").into()),
    }
}

async fn numbers() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], recorder().render())
}
