//! Automation: everything a person or a build machine runs, as `cargo xtask <verb>`.
//!
//! Responsible for the steps from a fresh clone to a running, tested or packaged handbook: the toolchain, the browser half, the
//! static files, the server, the checks. Not responsible for anything the running handbook does.
//!
//! Reading order: [`setup`] → [`build`] (→ [`frontend`], [`style`], [`site`]) → [`run`] and [`mod@test`].
//!
//! Invariant: a child `cargo` is only started through [`toolchain::Toolchain::cargo`]. All verbs use one toolchain and one set of
//! flags, so that they share half an hour of compiled dependencies.

mod apt;
mod bench;
mod build;
mod deny;
mod digest;
mod dist;
mod frontend;
mod node;
mod process;
mod project;
mod run;
mod screenshots;
mod setup;
mod site;
mod size;
mod style;
mod test;
mod toolchain;
mod wasm_std;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{project::Project, setup::Need};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Sets up, builds, runs and tests the handbook.")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Install what is missing on this machine; takes seconds if nothing is.
    Setup,
    /// Build the browser half, the static files and the server.
    Build(build::Arguments),
    /// Build, load the sample organisation once, and serve it.
    Run(run::Arguments),
    /// Run all checks: format, lints, tests, size budget, browser journeys.
    Test(test::Arguments),
    /// Print the size of every asset; fail if a budget is exceeded.
    Size,
    /// Take the screenshots of the README.
    Screenshots,
    /// Build the optimised server and copy it with the static files into `target/dist`.
    Dist,
    /// Measure the optimised server.
    Bench(bench::Arguments),
    /// Run cargo with the toolchain and flags of the other verbs, so that artefacts are shared.
    Cargo {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    perform(Cli::parse().verb).unwrap_or_else(|error| {
        // Print the causes only: a stack trace of xtask does not help.
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn perform(verb: Verb) -> Result<ExitCode> {
    let project = Project::locate()?;
    match verb {
        Verb::Setup => {
            setup::setup(&project, Need::Everything)?;
        }
        Verb::Build(arguments) => build::build(&project, &arguments)?,
        Verb::Run(arguments) => run::run(&project, &arguments)?,
        Verb::Test(arguments) => return test::test(&project, &arguments),
        Verb::Size => size::print_and_check(&project)?,
        Verb::Screenshots => screenshots::screenshots(&project)?,
        Verb::Dist => dist::dist(&project)?,
        Verb::Bench(arguments) => bench::bench(&project, &arguments)?,
        Verb::Cargo { arguments } => {
            let toolchain = setup::setup(&project, Need::Compiler)?;
            process::run(toolchain.cargo(&project).args(arguments))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
