//! `cargo xtask dist`: the files for deployment, an optimised binary and the static files beside it.

use std::{env, fs};

use anyhow::Result;

use crate::{
    build,
    digest::{self, files_below},
    process,
    project::Project,
    setup::{self, Need},
};

pub(crate) fn dist(project: &Project) -> Result<()> {
    let toolchain = setup::setup(project, Need::Build)?;
    build::build_site(project, &toolchain)?;
    process::step("compiling the optimised server: about 35 minutes on 2 cores the first time", || {
        process::run(toolchain.cargo(project).args(["build", "-p", "server", "--release"]))
    })?;
    let dist = project.root.join("target/dist");
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    for file in files_below(&project.site)? {
        digest::write(&dist.join("site").join(file.strip_prefix(&project.site)?), digest::read(&file)?)?;
    }
    let binary = format!("handbook{}", env::consts::EXE_SUFFIX);
    fs::copy(project.target.join("release").join(&binary), dist.join(&binary))?;
    println!("    {}: start it there with LEPTOS_SITE_ROOT=site ./{binary} serve", dist.display());
    Ok(())
}
