//! `cargo xtask bench reorganisation FOLDER`: time of the reorganisation of a country by file, with what members notice meanwhile,
//! and whether its result is the tree that the files describe, even if the program is killed on the way.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use super::{Meter, Profile, done, emptied, migrate::copy};
use crate::{process, project::Project};

/// The file whose number of rows tells stores of different countries apart.
const UNITS: &str = "tree-2024.csv";

/// Number of lines about the progress, four a second, after which the program is in the transaction that changes the tree. It plans
/// before, which takes a second or two; the transaction takes longer.
const PLANNED_AFTER: usize = 12;

/// Begins the lines about the rows that follow the tree: `progress 20 of 4000; …`.
const PROGRESS: &str = "progress ";

#[derive(Args)]
pub(super) struct Reorganisation {
    /// Folder with the files tree-2024.csv, provinces-2025.csv, reorganisation-2025.csv and tree-2025.csv.
    folder: PathBuf,
    /// Members of all branches.
    #[arg(long, default_value_t = 500_000)]
    members: u32,
    /// Branches below each commune.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=99))]
    branches: u32,
    /// Seed of the ids.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Kill the program (SIGKILL) this many times on the way, and start it again.
    #[arg(long, default_value_t = 0)]
    kill: u32,
    /// Data folder of the store before the reorganisation, which is not changed. By default in `target/bench-stores`.
    #[arg(long)]
    data: Option<PathBuf>,
}

pub(super) fn bench_reorganisation(project: &Project, profile: Profile, wanted: &Reorganisation) -> Result<()> {
    let source = fs::canonicalize(&wanted.folder).with_context(|| format!("there is no {}", wanted.folder.display()))?;
    let units = fs::read_to_string(source.join(UNITS)).with_context(|| format!("cannot read {UNITS}"))?.lines().count();
    let folder_argument = source.to_str().context("the name of the folder is not UTF-8")?.to_owned();
    let Reorganisation { members, branches, seed, kill, .. } = *wanted;
    let meter = Meter::compile(project, profile)?;
    let name = format!("reorganisation-{units}-{members}-{branches}-{seed}");
    let arguments = [folder_argument, members.to_string(), branches.to_string(), seed.to_string()];
    let before = meter.kept_as(project, &name, "reorganisation", &arguments, wanted.data.as_deref())?;
    let folder = emptied(project)?;
    let data = folder.join("data");
    process::step("copying the store", || copy(&before, &data))?;

    let mut took = Duration::ZERO;
    for moment in moments(kill) {
        println!("==> reorganising, to be killed at {moment}");
        let ran = run(&meter, &data, &source, Some(moment))?;
        ensure!(!ran.is_done, "it was done before it could be killed at {moment}");
        took += ran.took;
    }
    println!("==> reorganising");
    took += run(&meter, &data, &source, None)?.took;
    process::step("comparing with the files", || process::run(meter.command("check-reorganisation", &data).arg(&source)))?;
    println!();
    println!("    {} units in {UNITS}, {branches} branches below each commune, {members} members", units.saturating_sub(1));
    println!("    reorganised in {}, with all starts; killed {kill} times", process::human(took));
    done(&folder)
}

/// When to kill the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// While the tree is changed.
    CarryingOut,
    /// When this part of all rows has followed: the first number of the second.
    Followed(u64, u64),
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CarryingOut => write!(f, "the change of the tree"),
            Self::Followed(part, all) => write!(f, "{part}/{all} of the rows"),
        }
    }
}

impl Moment {
    /// Whether a line about the progress says that the moment has come; `told` is the number of these lines, this one included.
    fn has_come(self, (rows, estimate): (u64, u64), told: usize) -> bool {
        match self {
            Self::CarryingOut => told >= PLANNED_AFTER,
            Self::Followed(part, all) => {
                estimate > 0 && u128::from(rows) * u128::from(all) >= u128::from(estimate) * u128::from(part)
            }
        }
    }
}

/// The first at the change of the tree, the others while rows follow, evenly spread. A single one is half-way. The number of rows is
/// an estimate, usually too high, so the last part of them is left out: the program would be done before.
fn moments(kills: u32) -> Vec<Moment> {
    let kills = u64::from(kills);
    match kills {
        1 => vec![Moment::Followed(1, 2)],
        _ => {
            (0..kills).map(|number| if number == 0 { Moment::CarryingOut } else { Moment::Followed(number, kills + 1) }).collect()
        }
    }
}

/// The numbers of a line about the progress.
fn progress(line: &str) -> Option<(u64, u64)> {
    let (rows, rest) = line.strip_prefix(PROGRESS)?.split_once(" of ")?;
    let (estimate, _) = rest.split_once(';')?;
    Some((rows.parse().ok()?, estimate.parse().ok()?))
}

struct Ran {
    took: Duration,
    /// Whether the program ended by itself.
    is_done: bool,
}

/// Starts the program and prints its output. Kills it at the moment, if one is given.
fn run(meter: &Meter, data: &Path, source: &Path, kill_at: Option<Moment>) -> Result<Ran> {
    let start = Instant::now();
    let mut command = meter.command("replay", data);
    command.arg(source).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start `{}`", process::describe(&command)))?;
    let output = child.stdout.take().context("the program has no output")?;
    let is_killed = follow(output, start, kill_at)?;
    if is_killed {
        child.kill()?;
    }
    let status = child.wait()?;
    ensure!(is_killed || status.success(), "the program ended with {status}");
    Ok(Ran { took: start.elapsed(), is_done: !is_killed })
}

/// Prints each line with its time, until the moment has come. Returns whether it has.
fn follow(output: impl Read, start: Instant, until: Option<Moment>) -> Result<bool> {
    let mut told = 0;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("    {:>12}  {line}", process::human(start.elapsed()));
        let Some(numbers) = progress(&line) else { continue };
        told += 1;
        if until.is_some_and(|moment| moment.has_come(numbers, told)) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_are_spread_over_the_work() {
        assert_eq!(moments(0), []);
        assert_eq!(moments(1), [Moment::Followed(1, 2)]);
        assert_eq!(moments(3), [Moment::CarryingOut, Moment::Followed(1, 4), Moment::Followed(2, 4)]);
    }

    #[test]
    fn a_moment_is_told_by_lines_of_the_program() {
        let moment = Moment::Followed(1, 3);
        assert!(!moment.has_come((0, 0), 1), "nothing is known of the rows yet");
        assert!(!moment.has_come((13, 40), 2));
        assert!(moment.has_come((20, 40), 3));
        let lines = |count: usize| vec!["progress 0 of 0; slowest page 3 ms"; count].join("\n") + "\ncarried out in 1.0 s";
        let comes = |count: usize, until| follow(lines(count).as_bytes(), Instant::now(), until).unwrap();
        assert!(comes(PLANNED_AFTER, Some(Moment::CarryingOut)));
        assert!(!comes(PLANNED_AFTER - 1, Some(Moment::CarryingOut)));
        assert!(!comes(PLANNED_AFTER, Some(moment)));
        assert!(!comes(PLANNED_AFTER, None));
        assert_eq!(progress("progress 20 of 40; slowest page 9 ms"), Some((20, 40)));
    }
}
