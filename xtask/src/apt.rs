//! Debian and Ubuntu packages. Installs only missing packages, and only with the necessary permission.

use std::{
    io::{IsTerminal as _, stdin},
    process::Command,
};

use anyhow::{Result, bail};

use crate::process;

#[derive(Default)]
pub(crate) struct Apt {
    /// Whether this process has updated the package lists; once is enough.
    updated: bool,
}

impl Apt {
    /// Installs the missing ones of the packages.
    pub(crate) fn install(&mut self, packages: &[&str]) -> Result<()> {
        let missing: Vec<_> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let wanted = missing.join(" ");
        if process::find("apt-get").is_none() {
            bail!("please install the equivalent of these Debian packages: {wanted}");
        }
        if !self.updated {
            process::run(as_root("apt-get", &wanted)?.args(["-q", "update"]))?;
            self.updated = true;
        }
        println!("    apt-get install {wanted}");
        let mut install = as_root("apt-get", &wanted)?;
        install.args(["-qq", "-y", "--no-install-recommends", "install"]).args(missing);
        process::run(install.env("DEBIAN_FRONTEND", "noninteractive"))
    }
}

/// A command run as root.
pub(crate) fn as_root(program: &str, purpose: &str) -> Result<Command> {
    if process::read(Command::new("id").arg("-u"))? == "0" {
        return Ok(Command::new(program));
    }
    let may_ask = stdin().is_terminal();
    let without_password = || process::read(Command::new("sudo").args(["-n", "true"])).is_ok();
    if process::find("sudo").is_some() && (may_ask || without_password()) {
        let mut sudo = Command::new("sudo");
        sudo.arg(program);
        return Ok(sudo);
    }
    bail!("root is required: {purpose}")
}

pub(crate) fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat", "${db:Status-Status}", package]);
    process::read(&mut query).is_ok_and(|status| status == "installed")
}
