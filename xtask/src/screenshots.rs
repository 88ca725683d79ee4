//! `cargo xtask screenshots`: the screenshots of the README, taken in a browser from the sample organisation.

use anyhow::Result;

use crate::{
    build, node, process,
    project::Project,
    setup::{self, Need},
};

/// Writes them to `docs/pictures`. `end2end/screenshots.mjs` defines the pages and the maximum file size.
pub(crate) fn screenshots(project: &Project) -> Result<()> {
    let toolchain = setup::setup(project, Need::Everything)?;
    build::build_all(project, &toolchain)?;
    let folder = project.root.join("docs/pictures");
    process::step("taking the pictures of the README: about a minute", || {
        process::run(node::journeys(project)?.arg("--readme-pictures").arg(&folder))
    })?;
    println!("    {}", folder.display());
    Ok(())
}
