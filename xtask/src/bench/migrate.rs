//! `cargo xtask bench migrate`: time of the first start of this version on a large store of an older one, and whether every row
//! is migrated exactly once, even if the program is killed meanwhile.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use clap::Args;

use super::{Meter, Profile, done, emptied, opening};
use crate::{digest::files_below, process, project::Project};

#[derive(Args)]
pub(super) struct Migrate {
    /// Receipts in the store.
    #[arg(long, default_value_t = 5_000_000)]
    receipts: u64,
    /// Kill the program this many seconds after its start, and start it again.
    #[arg(long)]
    kill: Option<u64>,
    /// Data folder of the older version, which is not changed. By default the store is in `target/bench-stores`.
    #[arg(long)]
    data: Option<PathBuf>,
}

pub(super) fn bench_migrate(project: &Project, profile: Profile, migrate: &Migrate) -> Result<()> {
    let meter = Meter::compile(project, profile)?;
    let receipts = migrate.receipts.to_string();
    let older = meter.kept(project, "receipts", std::slice::from_ref(&receipts), migrate.data.as_deref())?;
    let folder = emptied(project)?;
    let data = folder.join("data");
    process::step("copying the store of the older version", || copy(&older, &data))?;
    if let Some(seconds) = migrate.kill {
        println!("==> starting the program, to be killed");
        opening::killed(&meter, &data, Duration::from_secs(seconds))?;
    }
    println!("==> starting the program");
    let migrated = opening::opened(&meter, &data, "error")?;
    println!("==> starting it once more, with nothing to migrate");
    let again = opening::opened(&meter, &data, "error")?;
    process::step("checking every receipt", || process::run(meter.command("check-receipts", &data).arg(&receipts)))?;
    println!();
    if let Some(seconds) = migrate.kill {
        println!("    killed after {seconds} s; the time below is that of the second start");
    }
    println!("    {receipts} receipts: migrated and ready after {}", process::human(migrated));
    println!("    the next start: {}", process::human(again));
    done(&folder)
}

/// Copies a folder recursively.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    for file in files_below(from)? {
        let target = to.join(file.strip_prefix(from)?);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&file, &target)?;
    }
    Ok(())
}
