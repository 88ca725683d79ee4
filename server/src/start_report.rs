//! Reports from browsers that could not start the WebAssembly half (`scripts/start.js`). Logs that it happened and the kind of
//! failure, but neither the person nor the page.

use axum::{Router, extract::Path, http::StatusCode, routing::post};

use crate::state::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/start-report/{what}", post(report))
}

async fn report(Path(what): Path<String>) -> StatusCode {
    match what.as_str() {
        "changed" => tracing::info!("the browser half did not start: something else had changed the page"),
        "failed" => tracing::warn!("the browser half stopped; the page was loaded again without it"),
        _ => return StatusCode::NOT_FOUND,
    }
    StatusCode::NO_CONTENT
}
