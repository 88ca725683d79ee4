//! `cargo xtask bench preview`: time from the end of the upload of a short file until its preview is shown, in a large registry.

use anyhow::Result;
use clap::Args;

use super::{Meter, Profile, Registry, tell_machine};
use crate::{process, project::Project};

#[derive(Args)]
pub(super) struct Preview {
    #[command(flatten)]
    registry: Registry,
    /// Rows in the file.
    #[arg(long, default_value_t = 34, value_parser = clap::value_parser!(u32).range(4..=5_000))]
    rows: u32,
    /// Number of uploads.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

pub(super) fn bench_preview(project: &Project, profile: Profile, preview: &Preview) -> Result<()> {
    let meter = Meter::compile(project, profile)?;
    let data = preview.registry.provide(project, &meter)?;
    println!("==> uploading the file {} times", preview.rounds);
    let mut command = meter.command("preview", &data);
    // Logs how many records each check has read.
    command.env("RUST_LOG", "backend::imports=debug");
    process::run(command.args([preview.rows.to_string(), preview.rounds.to_string()]))?;
    tell_machine(&data)
}
