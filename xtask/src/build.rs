//! `cargo xtask build`: the browser half, the static files, the server, in sequence.
//!
//! Two concurrent compilations on two cores are slower than a sequence, and the browser half comes first because it fails early.

use anyhow::Result;
use clap::Args;

use crate::{
    frontend, process,
    project::Project,
    setup::{self, Need},
    site, size, style,
    toolchain::Toolchain,
};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Build only the static files, not the server.
    #[arg(long)]
    site: bool,
}

pub(crate) fn build(project: &Project, arguments: &Arguments) -> Result<()> {
    let toolchain = setup::setup(project, Need::Build)?;
    if arguments.site { build_site(project, &toolchain) } else { build_all(project, &toolchain) }
}

pub(crate) fn build_all(project: &Project, toolchain: &Toolchain) -> Result<()> {
    build_site(project, toolchain)?;
    build_server(project, toolchain)
}

/// Builds everything a browser loads, into `target/site`.
pub(crate) fn build_site(project: &Project, toolchain: &Toolchain) -> Result<()> {
    // The style sheets first: they take little time, so their errors appear before minutes of compiling.
    let style = style::build(project)?;
    let frontend = frontend::build(project, toolchain)?;
    process::step("writing target/site", || site::write(project, &frontend, &style))?;
    size::print(project)
}

/// Builds the server of the dev profile: dependencies are optimised a little, which keeps the first build of a clone short.
pub(crate) fn build_server(project: &Project, toolchain: &Toolchain) -> Result<()> {
    let is_first = !project.server_binary().exists();
    let estimate = if is_first {
        "about 13 minutes on 2 cores this first time (a database engine, half of it in C++), seconds from then on"
    } else {
        "only what changed"
    };
    process::step(&format!("compiling the server: {estimate}"), || {
        process::run(toolchain.cargo(project).args(["build", "-p", "server"]))
    })
}
