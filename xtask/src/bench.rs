//! Figures of the optimised program on this machine, beside `PostgreSQL` on the same data in the same run where that is installed.
//!
//! What is measured is made from a seed, so two runs measure the same work.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::{
    process,
    project::Project,
    setup::{self, Need},
};

mod import;
mod library;
mod postgres;
mod search;
mod start;

#[derive(Args)]
pub(crate) struct Arguments {
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
    /// Generate a registry, and open it again and again.
    Start(start::Start),
}

pub(crate) fn bench(project: &Project, arguments: &Arguments) -> Result<()> {
    match &arguments.what {
        What::Import(import) => import::bench_import(project, import),
        What::Search(search) => search::bench_search(project, search),
        What::Library(library) => library::bench_library(project, library),
        What::Start(start) => start::bench_start(project, start),
    }
}

/// Compiles the measuring half, which is an example of the server's package (`server/examples/bench/`), and runs it in an empty
/// folder; returns that folder.
fn measured(project: &Project, what: &str, numbers: &[String]) -> Result<PathBuf> {
    let toolchain = setup::setup(project, Need::Build)?;
    process::step("compiling the optimised measurement: about 35 minutes on 2 cores the first time", || {
        process::run(toolchain.cargo(project).args(["build", "-p", "server", "--release", "--example", "bench"]))
    })?;
    let binary = project.target.join("release/examples").join(format!("bench{}", env::consts::EXE_SUFFIX));
    let folder = emptied(project)?;
    process::run(Command::new(&binary).arg(what).arg(folder.join("data")).args(numbers))?;
    Ok(folder)
}

/// A folder for what is measured.
fn emptied(project: &Project) -> Result<PathBuf> {
    let folder = project.root.join("target/bench");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Says on what was measured, and removes it.
fn done(folder: &Path) -> Result<()> {
    println!("    {} cores; the folder is {}", thread::available_parallelism().map_or(0, usize::from), size(folder)?);
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// How large a folder is, for people.
fn size(folder: &Path) -> Result<String> {
    let mut bytes = 0;
    for file in crate::digest::files_below(folder)? {
        bytes += fs::metadata(file)?.len();
    }
    Ok(format!("{} MiB", bytes >> 20))
}
