//! `cargo xtask bench start`: time to open a store of many members, with and without a snapshot of the counters.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::{Meter, Profile, Registry, opening::opened, tell_machine};
use crate::{process, project::Project};

/// Target for the time until the program is ready, with a snapshot.
const AIM: Duration = Duration::from_secs(5);

/// Log filter that shows where the counters come from.
const LOG: &str = "backend=info";

#[derive(Args)]
pub(super) struct Start {
    #[command(flatten)]
    registry: Registry,
    /// Number of starts from the snapshot.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    starts: u32,
}

pub(super) fn bench_start(project: &Project, profile: Profile, start: &Start) -> Result<()> {
    let meter = Meter::compile(project, profile)?;
    let data = start.registry.provide(project, &meter)?;
    process::step("removing the snapshots", || process::run(&mut meter.command("forget-counters", &data)))?;
    println!("==> starting without a snapshot");
    let counted = opened(&meter, &data, LOG)?;
    process::step("saving a snapshot", || process::run(&mut meter.command("save-counters", &data)))?;
    println!("==> starting from the snapshot");
    let mut times = (0..start.starts).map(|_| opened(&meter, &data, LOG)).collect::<Result<Vec<_>>>()?;
    times.sort();
    let median = times[times.len() / 2];
    println!();
    println!("    ready, counted from the tables: {:.2} s", counted.as_secs_f64());
    println!("    ready, from the snapshot, median of {}: {:.2} s", times.len(), median.as_secs_f64());
    let outcome = if median <= AIM { "met" } else { "missed" };
    println!("    the aim from the snapshot, at most {}: {outcome}", process::human(AIM));
    tell_machine(&data)
}
