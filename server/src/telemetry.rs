//! The log, for a person or for a collector. Written to the standard error; the standard output is for results.

use anyhow::{Context, Result};
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogFormat, StoreSettings};

/// # Errors
/// A sentence if the filter is invalid.
pub(crate) fn start(settings: &StoreSettings) -> Result<()> {
    let filter = EnvFilter::try_new(&settings.log_filter)
        .with_context(|| format!("The setting HANDBOOK_LOG_FILTER (--log-filter) cannot be {:?}", settings.log_filter))?;
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log {
        LogFormat::Pretty => log.with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    }
    .map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))
}
