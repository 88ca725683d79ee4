//! Measures a start: opening a store, and the size of the counter snapshot.

use std::{path::Path, pin::pin, time::Instant};

use anyhow::Result;
use backend::{Backend, Clock, KeySource, Progress, StoreLocation, demo::many};
use chrono::TimeDelta;

use crate::{keys, open, print_duration};

/// Opens the store, prints the progress lines of `/readyz` meanwhile, and `ready` once it is open.
pub(crate) async fn open_telling(folder: &Path) -> Result<()> {
    let (location, progress) = (StoreLocation::Folder(folder.to_owned()), Progress::default());
    let mut lines = progress.subscribe();
    let mut opening = pin!(Backend::open_with(&location, KeySource::Given(keys()), Clock::system(), &progress));
    let mut last = None;
    let backend = loop {
        tokio::select! {
            opened = &mut opening => break opened?,
            changed = lines.changed() => changed?,
        }
        let line = lines.borrow_and_update().clone();
        if line != last {
            if let Some(line) = &line {
                println!("{line}");
            }
            last = line;
        }
    };
    println!("ready");
    drop(backend);
    Ok(())
}

pub(crate) async fn forget_counters(folder: &Path) -> Result<()> {
    Ok(open(folder).await?.statistics().forget_counters().await?)
}

pub(crate) async fn save_counters(folder: &Path) -> Result<()> {
    let backend = open(folder).await?;
    let start = Instant::now();
    let bytes = backend.statistics().save_counters(TimeDelta::zero()).await?.unwrap_or_default();
    print_duration("counters saved", start);
    let members = many::members(&backend).await?;
    println!("{members} members, snapshot of {:.1} MB", f64::from(u32::try_from(bytes)?) / 1e6);
    Ok(())
}
