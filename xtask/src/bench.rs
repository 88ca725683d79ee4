//! Benchmarks of the optimised program on this machine, next to `PostgreSQL` on the same data in the same run, if that is
//! installed.
//!
//! Data is generated from a seed, so two runs measure the same work.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand};

use crate::{
    digest, process,
    project::Project,
    setup::{self, Need},
    test,
};

mod import;
mod library;
mod migrate;
mod opening;
mod postgres;
mod preview;
mod reorganisation;
mod search;
mod start;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Measure the dev profile, which `run` and `test` build too: slower, but quicker to compile.
    #[arg(long, global = true)]
    dev: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Generate a file of members and import it into an empty store.
    Import(import::Import),
    /// Generate a library of documents, index it, and search it.
    Search(search::Search),
    /// Generate a library of documents with readers, and open its lists.
    Library(library::Library),
    /// Generate a store of an older version with many receipts, and start the program on it.
    Migrate(migrate::Migrate),
    /// Generate a registry, and measure the preview of a short file of members.
    Preview(preview::Preview),
    /// Fill a store with the real units of a country, and replay the reorganisation of 1 July 2025.
    Reorganisation(reorganisation::Reorganisation),
    /// Generate a registry, and open it repeatedly.
    Start(start::Start),
}

pub(crate) fn bench(project: &Project, arguments: &Arguments) -> Result<()> {
    let profile = if arguments.dev { Profile::Dev } else { Profile::Release };
    match &arguments.what {
        What::Import(import) => import::bench_import(project, profile, import),
        What::Search(search) => search::bench_search(project, profile, search),
        What::Library(library) => library::bench_library(project, profile, library),
        What::Migrate(migrate) => migrate::bench_migrate(project, profile, migrate),
        What::Preview(preview) => preview::bench_preview(project, profile, preview),
        What::Reorganisation(reorganisation) => reorganisation::bench_reorganisation(project, profile, reorganisation),
        What::Start(start) => start::bench_start(project, profile, start),
    }
}

/// How the measured program is compiled.
#[derive(Clone, Copy)]
enum Profile {
    Release,
    Dev,
}

impl Profile {
    /// Compiles the server's package, or the `parts` of it, and returns the folder of the programs.
    fn compile(self, project: &Project, parts: &[&str]) -> Result<PathBuf> {
        let toolchain = setup::setup(project, Need::Build)?;
        let (what, folder, selection) = match self {
            Self::Release => ("optimised program: about 35 minutes on 2 cores the first time", "release", "-p server --release"),
            // The selection of the tests, so that dependencies are not compiled again.
            Self::Dev => ("program of the dev profile", "debug", test::HOST_SELECTION),
        };
        process::step(&format!("compiling the {what}"), || {
            process::run(toolchain.cargo(project).arg("build").args(selection.split(' ')).args(parts))
        })?;
        Ok(project.target.join(folder))
    }
}

/// The measuring half: an example of the server's package (`server/examples/bench/`).
struct Meter {
    binary: PathBuf,
}

impl Meter {
    fn compile(project: &Project, profile: Profile) -> Result<Self> {
        let folder = profile.compile(project, &["--example", "bench"])?;
        Ok(Self { binary: folder.join("examples").join(format!("bench{}", env::consts::EXE_SUFFIX)) })
    }

    /// Runs the command `what` in a data folder.
    fn command(&self, what: &str, data: &Path) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(what).arg(data);
        command
    }

    /// A store that takes long to fill, filled by `what` with these numbers on first use, then kept: in `given`, else in the
    /// target folder.
    ///
    /// It is filled in a temporary folder, then moved, so that an interrupted run leaves no incomplete store.
    fn kept(&self, project: &Project, what: &str, numbers: &[String], given: Option<&Path>) -> Result<PathBuf> {
        self.kept_as(project, &format!("{what}-{}", numbers.join("-")), what, numbers, given)
    }

    /// Like [`Self::kept`], in a folder with this name, for arguments that are not all part of it.
    fn kept_as(&self, project: &Project, name: &str, what: &str, arguments: &[String], given: Option<&Path>) -> Result<PathBuf> {
        let data = given.map_or_else(|| project.root.join("target/bench-stores").join(name), Path::to_owned);
        if data.exists() {
            ensure!(data.join("store").is_dir(), "{} is not a data folder", data.display());
            println!("==> using the store in {}", data.display());
            return Ok(data);
        }
        let beside = data.with_extension("filling");
        if beside.exists() {
            fs::remove_dir_all(&beside)?;
        }
        fs::create_dir_all(&beside)?;
        process::step(&format!("filling a store: {what} {}", arguments.join(" ")), || {
            process::run(self.command(what, &beside).args(arguments))
        })?;
        fs::rename(&beside, &data).with_context(|| format!("cannot move {} to {}", beside.display(), data.display()))?;
        println!("    kept for the next time in {}", data.display());
        Ok(data)
    }
}

/// A registry for measurements.
#[derive(Args)]
struct Registry {
    /// Members in the registry.
    #[arg(long, default_value_t = 1_000_000)]
    members: u32,
    /// Seed of the ids.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Data folder of the registry, reused if it exists. By default in `target/bench-stores`.
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Registry {
    /// The data folder, filled if necessary.
    fn provide(&self, project: &Project, meter: &Meter) -> Result<PathBuf> {
        meter.kept(project, "members", &[self.members.to_string(), self.seed.to_string()], self.data.as_deref())
    }
}

/// Runs the command `what` of the measuring half in an empty folder and returns the folder.
fn measured(project: &Project, profile: Profile, what: &str, numbers: &[String]) -> Result<PathBuf> {
    let meter = Meter::compile(project, profile)?;
    let folder = emptied(project)?;
    process::run(meter.command(what, &folder.join("data")).args(numbers))?;
    Ok(folder)
}

/// An empty folder for a measurement.
fn emptied(project: &Project) -> Result<PathBuf> {
    let folder = project.root.join("target/bench");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Prints the number of cores and the size of the folder, and removes it.
fn done(folder: &Path) -> Result<()> {
    tell_machine(folder)?;
    fs::remove_dir_all(folder)?;
    Ok(())
}

fn tell_machine(folder: &Path) -> Result<()> {
    println!("    {} cores; the folder is {}", thread::available_parallelism().map_or(0, usize::from), size(folder)?);
    Ok(())
}

/// The size of a folder in readable units.
fn size(folder: &Path) -> Result<String> {
    let mut bytes = 0;
    for file in digest::files_below(folder)? {
        bytes += fs::metadata(file)?.len();
    }
    Ok(format!("{} MiB", bytes >> 20))
}
