//! Generates receipts in a store of an older version, and checks them after the migration.

use std::{path::Path, time::Instant};

use anyhow::{Result, ensure};
use backend::{StoreLocation, demo::older};

use crate::{keys, open, print_duration};

/// Receipts between two progress lines.
const TOLD_EVERY: u64 = 250_000;

pub(crate) async fn fill(folder: &Path, receipts: u64) -> Result<()> {
    let start = Instant::now();
    let tell = |written: u64| {
        if written.is_multiple_of(TOLD_EVERY) {
            println!("{written} of {receipts} receipts after {:.0} s", start.elapsed().as_secs_f64());
        }
    };
    older::fill(&StoreLocation::Folder(folder.to_owned()), &keys(), receipts, tell).await?;
    print_duration("receipts stored", start);
    Ok(())
}

pub(crate) async fn check(folder: &Path, receipts: u64) -> Result<()> {
    let backend = open(folder).await?;
    let start = Instant::now();
    let found = older::check(&backend, receipts).await?;
    print_duration("all receipts read", start);
    println!(
        "{} of {receipts} receipts, {} of them wrong, {} wrong counts in the indexes, checksum {}",
        found.receipts, found.wrong, found.wrong_in_indexes, found.checksum
    );
    ensure!(found.is_right(receipts), "not every receipt was migrated once");
    Ok(())
}
