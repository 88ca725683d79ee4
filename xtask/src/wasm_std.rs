//! Builds the standard library for WebAssembly for Debian's compiler, which comes with its sources only.
//!
//! Cargo builds it once as the dependency of an empty crate; the libraries are then moved to the compiler's library folder. From
//! then on a plain `--target wasm32-unknown-unknown` works. It is built for size, unlike rustup's.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    apt,
    digest::{self, fingerprint},
    process, project,
    toolchain::{Toolchain, WASM},
};

/// A file beside the libraries that names their compiler.
const STAMP: &str = "handbook-std";
const EMPTY_CRATE: &str = "handbook_std";

/// Whether the libraries exist and belong to the installed compiler. Libraries without this stamp belong to a package and are
/// accepted.
pub(crate) fn is_current(debian: &Toolchain) -> bool {
    let stamp = fs::read_to_string(debian.wasm_libraries().join(STAMP));
    let fits = stamp.is_ok_and(|stamp| debian.identity().is_ok_and(|identity| stamp.trim() == identity));
    let unstamped = !debian.wasm_libraries().join(STAMP).exists();
    debian.has_wasm_std() && (fits || unstamped)
}

pub(crate) fn install(debian: &Toolchain) -> Result<()> {
    let identity = debian.identity()?;
    let folder = project::user_cache()?.join("wasm-std").join(fingerprint(&identity));
    process::step("compiling the standard library for WebAssembly: about a minute, once per machine", || {
        compile(debian, &folder)
    })?;
    let libraries = libraries(&folder)?;
    let stamp = folder.join(STAMP);
    digest::write(&stamp, &identity)?;

    // Moved as a whole, so that an interrupted copy is not taken for a package's.
    let destination = debian.wasm_libraries();
    let beside = destination.with_extension("new");
    let purpose = format!("putting the standard library for WebAssembly into {}", destination.display());
    println!("    {purpose}");
    let root = |program: &str, arguments: &[&str]| {
        let mut command = apt::as_root(program, &purpose)?;
        command.args(arguments);
        Ok::<_, anyhow::Error>(command)
    };
    process::run(root("rm", &["-rf"])?.arg(&beside).arg(&destination))?;
    process::run(root("install", &["-D", "-m", "644", "-t"])?.arg(&beside).args(libraries).arg(stamp))?;
    process::run(root("mv", &[])?.arg(&beside).arg(&destination))
}

fn compile(debian: &Toolchain, folder: &Path) -> Result<()> {
    let manifest = format!(
        "[package]\nname = \"{EMPTY_CRATE}\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\n\n\
         [profile.release]\nopt-level = \"z\"\n\n[workspace]\n"
    );
    digest::write(&folder.join("Cargo.toml"), manifest)?;
    digest::write(&folder.join("lib.rs"), "#![no_std]\n")?;
    let mut cargo = debian.command("cargo");
    cargo.current_dir(folder).env("CARGO_TARGET_DIR", folder.join("target"));
    // Building the standard library is unstable in cargo. Set only here, because build scripts of many crates depend on this
    // variable.
    cargo.env("RUSTC_BOOTSTRAP", "1").args(["build", "--release", "--target", WASM]);
    cargo.args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"]);
    process::run(&mut cargo)
}

/// The compiled libraries, without the empty crate.
fn libraries(folder: &Path) -> Result<Vec<PathBuf>> {
    let deps = folder.join("target").join(WASM).join("release/deps");
    let mut libraries = Vec::new();
    for entry in fs::read_dir(&deps).with_context(|| format!("cannot list {}", deps.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".rlib") && !name.contains(EMPTY_CRATE) {
            libraries.push(path);
        }
    }
    let has = |name: &str| libraries.iter().any(|path| path.to_string_lossy().contains(name));
    ensure!(has("libstd-") && has("libcore-"), "{} holds no standard library: remove it and try again", folder.display());
    Ok(libraries)
}
