//! The tools that come as npm packages: `wasm-opt`, `lightningcss`, `esbuild`, and the browser driver of the tests.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, ensure};

use crate::{
    digest::{self, Stamp, fingerprint},
    process,
    project::Project,
};

/// The oldest Node.js the packages run on.
const OLDEST_NODE: u32 = 20;

/// Installs the packages of `package-lock.json`, unless just these are installed.
pub(crate) fn provide_packages(project: &Project) -> Result<()> {
    let lock = digest::read(&project.root.join("package-lock.json"))?;
    let modules = project.root.join("node_modules");
    let stamp = Stamp::new(modules.join(".handbook-lock"), fingerprint(lock));
    let version = process::read(Command::new("node").arg("--version"))
        .with_context(|| format!("please install Node.js {OLDEST_NODE} or later, with npm"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    ensure!(major >= Some(OLDEST_NODE), "Node.js {version} is too old: please install {OLDEST_NODE} or later");
    if stamp.is_current() {
        println!("    Node.js {version}, packages as locked");
        return Ok(());
    }
    process::step("npm ci", || {
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        process::run(Command::new(npm).current_dir(&project.root).args(["ci", "--no-fund", "--no-audit"]))?;
        stamp.write()
    })
}

/// A program of the installed packages.
pub(crate) fn tool(project: &Project, name: &str) -> Command {
    let suffix = if cfg!(windows) { ".cmd" } else { "" };
    Command::new(project.root.join("node_modules/.bin").join(format!("{name}{suffix}")))
}

/// The locked version of a package: part of the fingerprint of what it makes.
pub(crate) fn locked_version(project: &Project, package: &str) -> Result<String> {
    let lock: serde_json::Value = serde_json::from_slice(&digest::read(&project.root.join("package-lock.json"))?)?;
    let version = &lock["packages"][format!("node_modules/{package}")]["version"];
    Ok(version.as_str().with_context(|| format!("package-lock.json does not name {package}"))?.to_owned())
}

/// The browser of the tests: what `CHROME` names, else the first one installed.
pub(crate) fn chromium() -> Option<PathBuf> {
    const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let named = env::var_os("CHROME").filter(|path| !path.is_empty()).map(PathBuf::from);
    named.or_else(|| NAMES.iter().find_map(|name| process::find(name)))
}
