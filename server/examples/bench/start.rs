//! Starting: how long it takes until a store of many members is open, with a snapshot of the counters and without.

use std::time::Instant;

use anyhow::Result;
use backend::{
    Backend,
    demo::{
        many,
        registry::{NewMember, Registry},
    },
};
use chrono::{Months, TimeDelta};
use domain::{
    members::{NationalId, Sex, Standing},
    units::{UnitKind, UnitRef},
};

use crate::{Task, Times, open, print_duration};

/// Members held in memory before they are written.
const AT_ONCE: usize = 100_000;

pub(crate) async fn measure(Task { backend, folder, documents: members, count, seed }: Task) -> Result<()> {
    many::organise(&backend, seed).await?;
    let start = Instant::now();
    register(&backend, members, seed).await?;
    print_duration("members stored", start);

    drop(backend);
    let start = Instant::now();
    let backend = open(&folder).await?;
    print_duration("started, counted from the tables", start);
    let start = Instant::now();
    let bytes = backend.statistics().save_counters(TimeDelta::zero()).await?.unwrap_or_default();
    print_duration("counters saved", start);
    println!("{members} members, snapshot of {:.1} MB", f64::from(u32::try_from(bytes)?) / 1e6);

    drop(backend);
    let mut times = Times::default();
    for _ in 0..count {
        let start = Instant::now();
        let backend = open(&folder).await?;
        times.note(start);
        drop(backend);
    }
    times.tell("started from the snapshot");
    Ok(())
}

/// People of all branches, without accounts.
async fn register(backend: &Backend, members: usize, seed: u64) -> Result<()> {
    let tree = backend.units().tree();
    let branches: Vec<&UnitRef> = tree.all().filter(|unit| unit.kind == UnitKind::Branch).collect();
    let (today, since) = (backend.clock().today(), backend.clock().now() - TimeDelta::days(30));
    let (birth_date, admitted_on) = (today - Months::new(12 * 45), today - Months::new(12 * 20));
    for (chunk, first) in (1_u64..).zip((0..members).step_by(AT_ONCE)) {
        let mut registry = Registry::new(backend, seed.wrapping_add(chunk), since);
        for number in first..members.min(first + AT_ONCE) {
            registry.member(&NewMember {
                code: &format!("51.{number:08}"),
                full_name: "Nguyễn Văn Chung",
                sex: Sex::Male,
                birth_date,
                admitted_on,
                standing: if number % 11 == 0 { Standing::Exempt } else { Standing::Official },
                national_id: &NationalId::parse(&format!("0510{number:08}"))
                    .map_err(|problem| anyhow::anyhow!("a national ID: {problem:?}"))?,
                phone: None,
                unit: branches[number % branches.len()],
            })?;
        }
        registry.save().await?;
    }
    Ok(())
}
