//! `cargo xtask bench start`: how long the program takes to open a store of many members, with a snapshot of the counters and without.

use anyhow::Result;
use clap::Args;

use super::{done, measured};
use crate::project::Project;

#[derive(Args)]
pub(super) struct Start {
    /// Members in the registry.
    #[arg(long, default_value_t = 1_000_000)]
    members: u32,
    /// Starts from the snapshot.
    #[arg(long, default_value_t = 5)]
    starts: u32,
    /// Another seed makes other ids.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) fn bench_start(project: &Project, start: &Start) -> Result<()> {
    let numbers = [start.members.to_string(), start.starts.to_string(), start.seed.to_string()];
    let folder = measured(project, "start", &numbers)?;
    done(&folder)
}
