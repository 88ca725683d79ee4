//! `cargo xtask setup`: checks the machine, installs what is missing, and prints what it does.

use anyhow::{Context as _, Result};

use crate::{apt, apt::Apt, node, process, project::Project, toolchain::Toolchain};

/// How much of the set-up a verb needs. Each level includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// A Rust toolchain for both halves.
    Compiler,
    /// Also the tools of `build` and `run`.
    Build,
    /// Also lints and the test runner.
    Checks,
    /// Also a browser.
    Everything,
}

pub(crate) fn setup(project: &Project, need: Need) -> Result<Toolchain> {
    let mut apt = Apt::default();
    if need == Need::Compiler {
        return Toolchain::provide(&mut apt);
    }
    println!("==> checking this machine");
    let toolchain = Toolchain::provide(&mut apt)?;
    provide_cpp(&mut apt)?;
    node::provide_packages(project)?;
    if need >= Need::Checks {
        toolchain.provide_lints()?;
        provide_nextest(&toolchain)?;
    }
    if need == Need::Everything {
        provide_chromium(&mut apt)?;
        provide_fonts(&mut apt)?;
    }
    Ok(toolchain)
}

/// The store's engine is written in C++, and its bindings are generated with libclang.
fn provide_cpp(apt: &mut Apt) -> Result<()> {
    let has_programs = ["c++", "make", "clang"].iter().all(|name| process::find(name).is_some());
    let has_libclang = process::find("apt-get").is_none() || apt::is_installed("libclang-dev");
    if has_programs && has_libclang {
        println!("    C++ compiler and libclang");
        return Ok(());
    }
    apt.install(&["g++", "make", "clang", "libclang-dev"])
        .context("the store's engine needs a C++ compiler, make, clang and libclang's development files")
}

fn provide_nextest(toolchain: &Toolchain) -> Result<()> {
    if process::find("cargo-nextest").is_some() {
        println!("    cargo-nextest");
        return Ok(());
    }
    let mut cargo = toolchain.command("cargo");
    cargo.args(["install", "--locked", "cargo-nextest"]);
    process::step("compiling cargo-nextest: several minutes, once per machine", || process::run(&mut cargo))
}

/// The typefaces of most phones. Without them the browser tests measure the width of other letters, and Bengali has no letters.
fn provide_fonts(apt: &mut Apt) -> Result<()> {
    if process::find("apt-get").is_some() {
        apt.install(&["fonts-roboto", "fonts-noto-core"]).context("the browser tests need the typefaces of phones")?;
        println!("    Roboto and Noto");
    }
    Ok(())
}

fn provide_chromium(apt: &mut Apt) -> Result<()> {
    if node::chromium().is_none() {
        apt.install(&["chromium"]).context("the browser tests need Chromium or Chrome")?;
    }
    let found = node::chromium().context("Chromium is installed but not on PATH")?;
    println!("    {}", found.display());
    Ok(())
}
