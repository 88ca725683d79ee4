//! `cargo xtask build`: the browser half, the static files, the server, one after the other.
//!
//! In this order, because two compilations at once on two cores are slower than one after the other, and because the
//! browser half is the one that fails early.

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
    /// Only what a browser loads, not the server.
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

/// Everything a browser loads, into `target/site`.
pub(crate) fn build_site(project: &Project, toolchain: &Toolchain) -> Result<()> {
    // The quick one first: a broken style sheet is told before minutes of compiling.
    let style = style::build(project)?;
    let frontend = frontend::build(project, toolchain)?;
    process::step("writing target/site", || site::write(project, &frontend, &style))?;
    size::print(project)
}

/// The server as tests use it: dependencies optimised a little, which is what a fresh clone can wait for.
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
