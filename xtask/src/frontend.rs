//! Builds the browser half: compiles it, generates its JavaScript, optimises its size.
//!
//! `wasm-bindgen` is a library here, in the version of the crate that the browser half links, so the two always match.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    digest::{self, Fingerprint, Stamp},
    node, process,
    project::Project,
    toolchain::{Toolchain, WASM},
};

/// The features the compiler enables by default and the oldest supported browsers have (Chrome 96, Safari 15, Firefox 90).
/// `wasm-opt` rejects features that are not listed.
const WASM_OPT: [&str; 11] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// Bundles the snippets of crates, so that a page loads one script.
const ESBUILD: [&str; 6] = [
    "--bundle",
    "--minify",
    "--format=esm",
    "--target=chrome96,safari15,firefox90",
    "--legal-comments=none",
    "--log-level=warning",
];

/// The files of the browser half.
pub(crate) struct Frontend {
    pub(crate) js: Vec<u8>,
    pub(crate) wasm: Vec<u8>,
}

pub(crate) fn build(project: &Project, toolchain: &Toolchain) -> Result<Frontend> {
    let artefact = project.target.join(WASM).join("wasm/frontend.wasm");
    let estimate = if artefact.exists() { "about a minute when something changed" } else { "about 2 minutes on 2 cores" };
    process::step(&format!("compiling the browser half: {estimate}"), || {
        let mut cargo = toolchain.cargo(project);
        cargo.args(["build", "--lib", "-p", "frontend"]);
        process::run(cargo.args(["--target", WASM, "--profile", "wasm"]))
    })?;

    let folder = project.target.join("assets");
    let (js, wasm) = (folder.join("handbook.js"), folder.join("handbook.wasm"));
    // The hash of this source file covers the settings in it.
    let key = Fingerprint::new()
        .with(digest::read(&artefact)?)
        .with(node::locked_version(project, "binaryen")?)
        .with(node::locked_version(project, "esbuild")?)
        .with(include_str!("frontend.rs"));
    let stamp = Stamp::new(folder.join("stamp"), key.finish());
    if !stamp.is_current() {
        let raw = folder.join("raw");
        process::step("wasm-bindgen", || generate_bindings(&artefact, &raw))?;
        process::step("wasm-opt: about a minute", || optimise(project, &raw, &wasm))?;
        process::step("esbuild", || minify(project, &raw, &js))?;
        stamp.write()?;
    }
    Ok(Frontend { js: digest::read(&js)?, wasm: digest::read(&wasm)? })
}

fn generate_bindings(artefact: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        // Snippets of an earlier build would otherwise be bundled too.
        fs::remove_dir_all(folder)?;
    }
    let mut bindgen = Bindgen::new();
    bindgen.input_path(artefact).out_name("handbook").web(true)?.typescript(false);
    // The page passes the hashed address of the module.
    bindgen.omit_default_module_path(true).remove_name_section(true).remove_producers_section(true);
    bindgen.generate(folder).with_context(|| format!("wasm-bindgen cannot process {}", artefact.display()))
}

fn optimise(project: &Project, raw: &Path, wasm: &Path) -> Result<()> {
    let mut wasm_opt = node::tool(project, "wasm-opt");
    wasm_opt.args(WASM_OPT).arg(raw.join("handbook_bg.wasm"));
    process::run(wasm_opt.arg("-o").arg(wasm))
}

fn minify(project: &Project, raw: &Path, js: &Path) -> Result<()> {
    let mut esbuild = node::tool(project, "esbuild");
    esbuild.args(ESBUILD).arg(raw.join("handbook.js"));
    process::run(esbuild.arg(format!("--outfile={}", js.display())))
}
