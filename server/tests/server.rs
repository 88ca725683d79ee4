//! Black-box tests of the whole program over HTTP: what a browser without script gets, and what it must not get.

#![expect(clippy::expect_used, reason = "tests")]

#[path = "server/activation.rs"]
mod activation;
#[path = "server/app.rs"]
mod app;
#[path = "server/browser.rs"]
mod browser;
#[path = "server/edge.rs"]
mod edge;
#[path = "server/federation.rs"]
mod federation;
#[path = "server/files.rs"]
mod files;
#[path = "server/frame.rs"]
mod frame;
#[path = "server/hammer.rs"]
mod hammer;
#[path = "server/hostile.rs"]
mod hostile;
#[path = "server/imports.rs"]
mod imports;
#[path = "server/journeys.rs"]
mod journeys;
#[cfg(unix)]
#[path = "server/killed.rs"]
mod killed;
#[path = "server/library.rs"]
mod library;
#[path = "server/live.rs"]
mod live;
#[path = "server/matrix.rs"]
mod matrix;
// The same small organisation as in the tests of `backend`.
#[path = "../../backend/tests/backend/support.rs"]
#[allow(dead_code, reason = "each of the two test programs uses a part of it")]
mod organisation;
#[path = "server/pages.rs"]
mod pages;
#[path = "server/program.rs"]
mod program;
#[path = "server/provider.rs"]
mod provider;
#[path = "server/reorganisations.rs"]
mod reorganisations;
#[path = "../../backend/tests/backend/samples.rs"]
mod samples;
#[path = "server/sessions.rs"]
mod sessions;
#[path = "server/start.rs"]
mod start;
#[path = "server/terms.rs"]
mod terms;
#[path = "server/units.rs"]
mod units;
#[path = "server/writing.rs"]
mod writing;
