//! Tools from npm packages: `wasm-opt`, `lightningcss`, `esbuild`, and the browser driver of the tests.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, ensure};

use crate::{
    digest::{self, Stamp, fingerprint},
    process,
    project::Project,
};

/// Versions of Node.js supported by all packages, as `engines` in `package.json`.
const NODE: &str = "20.19 or a later 20, or 22.12 or later";

/// Installs the packages of `package-lock.json`, unless exactly these are installed.
pub(crate) fn provide_packages(project: &Project) -> Result<()> {
    let lock = digest::read(&project.root.join("package-lock.json"))?;
    let modules = project.root.join("node_modules");
    let stamp = Stamp::new(modules.join(".handbook-lock"), fingerprint(lock));
    let version = process::read(Command::new("node").arg("--version"))
        .with_context(|| format!("please install Node.js {NODE}, with npm"))?;
    ensure!(serves(&version), "the packages do not run on Node.js {version}: please install {NODE}");
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

/// Whether this version of Node.js, such as `v22.12.0`, is one of [`NODE`].
fn serves(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches('v').split('.').map_while(|number| number.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(20), Some(minor)) => minor >= 19,
        (Some(22), Some(minor)) => minor >= 12,
        (Some(major), Some(_)) => major > 22,
        _ => false,
    }
}

/// A program of an installed package.
pub(crate) fn tool(project: &Project, name: &str) -> Command {
    let suffix = if cfg!(windows) { ".cmd" } else { "" };
    Command::new(project.root.join("node_modules/.bin").join(format!("{name}{suffix}")))
}

/// The browser tests, run on the server and the static files of this clone.
pub(crate) fn journeys(project: &Project) -> Result<Command> {
    let script = project.root.join("end2end/run.mjs");
    ensure!(script.is_file(), "{} is missing", script.display());
    let mut node = Command::new("node");
    node.current_dir(&project.root).arg(script);
    node.env("HANDBOOK_BIN", project.server_binary()).env("HANDBOOK_SITE", &project.site);
    node.env_remove("HANDBOOK_BUILD_CACHE");
    Ok(node)
}

/// The locked version of a package, which is part of the hash of its output.
pub(crate) fn locked_version(project: &Project, package: &str) -> Result<String> {
    let lock: serde_json::Value = serde_json::from_slice(&digest::read(&project.root.join("package-lock.json"))?)?;
    let version = &lock["packages"][format!("node_modules/{package}")]["version"];
    Ok(version.as_str().with_context(|| format!("{package} is not in package-lock.json"))?.to_owned())
}

/// The browser of the tests: the value of `CHROME`, else the first one installed.
pub(crate) fn chromium() -> Option<PathBuf> {
    const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let named = env::var_os("CHROME").filter(|path| !path.is_empty()).map(PathBuf::from);
    named.or_else(|| NAMES.iter().find_map(|name| process::find(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_that_all_packages_run_on_serve() {
        for version in ["v20.19.0", "v20.20.1", "v22.12.0", "v23.0.0", "v24.1.0"] {
            assert!(serves(version), "{version}");
        }
        for version in ["v18.20.0", "v20.18.3", "v21.7.0", "v22.11.0", "v22", ""] {
            assert!(!serves(version), "{version}");
        }
    }
}
