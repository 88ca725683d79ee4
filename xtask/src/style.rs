//! The style sheets: bundles `@import`s, compiles for the oldest supported browsers, minifies.

use anyhow::{Context as _, Result, ensure};

use crate::{node, process, project::Project};

const BROWSERS: &str = "chrome >= 96, safari >= 15, firefox >= 90";

pub(crate) struct Style {
    /// Linked by every page.
    pub(crate) main: String,
}

pub(crate) fn build(project: &Project) -> Result<Style> {
    let folder = project.root.join("style");
    let bundle = |name: &str| {
        let mut lightningcss = node::tool(project, "lightningcss");
        lightningcss.args(["--bundle", "--minify", "--targets", BROWSERS]).arg(folder.join(name));
        process::read(&mut lightningcss).with_context(|| format!("style/{name} is not valid"))
    };
    ensure!(folder.join("main.css").is_file(), "style/main.css is missing");
    process::step("bundling the style sheets", || Ok(Style { main: bundle("main.css")? }))
}
