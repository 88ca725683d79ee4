//! Compares a reorganised store with the files.

use std::{fs, path::Path, time::Instant};

use anyhow::{Context as _, Result, ensure};
use backend::{
    Backend,
    demo::country::{self, PlaceColumns},
    units::Tree,
};

use super::{FIRST_DAY, LAST_DAY, Source, TREE_AFTER, TREE_BEFORE, Units, day, parent_code, sums, sums_file, units_of};
use crate::{open, print_duration};

/// The columns whose paths are compared with those of the units.
const PLACES: [PlaceColumns; 6] = [
    PlaceColumns::of("member"),
    PlaceColumns::of("office"),
    PlaceColumns::of("meeting"),
    PlaceColumns::of("opinion"),
    PlaceColumns { table: "document", unit: "issuer", path: "issuer_path" },
    PlaceColumns { table: "document", unit: "audience", path: "audience_path" },
];

/// Differences that are printed.
const SHOWN: usize = 10;

pub(crate) async fn check(folder: &Path, source: &Source) -> Result<()> {
    let start = Instant::now();
    let backend = open(folder).await?;
    let tree = backend.units().tree();
    let after = source.units(TREE_AFTER)?;
    let mut wrong = differences("the tree", &units_of(&tree)?, &after);
    let before = backend.unit_desk().tree_as_of(day(LAST_DAY)?).await?;
    wrong += differences("the tree as of 30 June", &units_of(&before)?, &source.units(TREE_BEFORE)?);
    let then = backend.unit_desk().tree_as_of(day(FIRST_DAY)?).await?;
    wrong += differences("the tree as of 1 July", &units_of(&then)?, &after);
    wrong += misplaced_branches(&before, &tree, source)?;
    for columns in PLACES {
        let placed = country::placed(&backend, columns).await?;
        let (PlaceColumns { table, unit, path }, ended) = (columns, placed.of_ended_units);
        println!(
            "{table}: {} rows, {ended} of them with a {unit} that ended, {} with a {path} astray",
            placed.rows, placed.astray
        );
        wrong += placed.astray;
    }
    wrong += changed_sums(&backend, folder).await?;
    let recounted = backend.statistics().recount().await?;
    println!("figures of {} units differ when all rows are counted again", recounted.len());
    wrong += recounted.len();
    print_duration("checked", start);
    ensure!(wrong == 0, "{wrong} differences");
    Ok(())
}

/// Compares name by name and parent by parent, and returns the number of differences.
fn differences(what: &str, found: &Units, expected: &Units) -> usize {
    let missing = expected.iter().filter(|(code, unit)| found.get(*code) != Some(*unit));
    let unexpected = found.keys().filter(|code| !expected.contains_key(*code));
    let lines: Vec<String> = missing
        .map(|(code, unit)| format!("{code}: {:?} instead of {unit:?}", found.get(code)))
        .chain(unexpected.map(|code| format!("{code}: not expected")))
        .collect();
    println!("{what}: {} units, {} differences from the file", found.len(), lines.len());
    for line in lines.iter().take(SHOWN) {
        println!("    {line}");
    }
    lines.len()
}

/// The number of branches that are not below what their commune became.
fn misplaced_branches(before: &Tree, now: &Tree, source: &Source) -> Result<usize> {
    let became = source.became()?;
    let (mut branches, mut wrong) = (0, 0);
    for branch in before.all().filter(|unit| unit.kind.holds_members()) {
        branches += 1;
        let expected = became.get(&parent_code(branch)).with_context(|| format!("{} is in no file", branch.path))?;
        let is_right = now.get(branch.id).is_some_and(|found| parent_code(found) == *expected && found.name == branch.name);
        wrong += usize::from(!is_right);
    }
    println!("{branches} branches, {wrong} of them not below what their commune became");
    Ok(wrong)
}

/// Prints the sums before and after; returns the number of those that differ.
async fn changed_sums(backend: &Backend, folder: &Path) -> Result<usize> {
    let before = fs::read_to_string(sums_file(folder)).context("the sums before the reorganisation")?;
    let after = sums(backend).await?;
    let mut changed = before.lines().count().abs_diff(after.lines().count());
    for (before, after) in before.lines().zip(after.lines()) {
        if before == after {
            println!("{after}, as before");
        } else {
            println!("{after}, before: {before}");
            changed += 1;
        }
    }
    Ok(changed)
}
