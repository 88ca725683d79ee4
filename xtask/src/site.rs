//! The folder from which the server serves static files: `target/site`.
//!
//! Names under `/pkg` contain a hash of the content, so that browsers may cache the files indefinitely. Compressible files also
//! have compressed copies (`.br`, `.gz`) at the strongest level, which costs seconds once. `assets.json` gives the names to the
//! server.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::Path,
};

use anyhow::{Context as _, Result};
use flate2::{Compression, write::GzEncoder};
use serde::{Deserialize, Serialize};

use crate::{
    digest::{self, Fingerprint, files_below, fingerprint},
    frontend::Frontend,
    project::Project,
    style::Style,
};

/// `target/site/assets.json`.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Manifest {
    /// Addresses from the root of the site: `/pkg/handbook.<fingerprint>.js`.
    pub(crate) js: String,
    pub(crate) wasm: String,
    pub(crate) css: String,
    /// Scripts of pages rendered by the server only, by file name in `scripts/`.
    pub(crate) scripts: BTreeMap<String, String>,
    /// Changes with any static file; the service worker uses it as the name of its cache.
    pub(crate) build: String,
}

impl Manifest {
    pub(crate) const FILE: &str = "assets.json";

    pub(crate) fn read(project: &Project) -> Result<Self> {
        let file = project.site.join(Self::FILE);
        let text = fs::read(&file).with_context(|| format!("{} is missing: run `cargo xtask build`", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is damaged: run `cargo xtask build`", file.display()))
    }
}

/// Updates the folder. Obsolete files are removed last, after the manifest no longer refers to them.
pub(crate) fn write(project: &Project, frontend: &Frontend, style: &Style) -> Result<()> {
    let mut site = Site { folder: &project.site, files: BTreeSet::new(), content: Fingerprint::new() };
    let js = site.put_hashed("js", &frontend.js)?;
    let wasm = site.put_hashed("wasm", &frontend.wasm)?;
    let css = site.put_hashed("css", style.main.as_bytes())?;
    let scripts = site.put_scripts(&project.root.join("scripts"))?;
    let public = project.root.join("public");
    for file in files_below(&public)? {
        let name = file.strip_prefix(&public)?.to_string_lossy().replace('\\', "/");
        site.put(&name, &digest::read(&file)?)?;
    }
    let (mut files, content) = (site.files, site.content);
    let manifest = Manifest { js, wasm, css, scripts, build: content.finish() };
    digest::write(&project.site.join(Manifest::FILE), serde_json::to_vec_pretty(&manifest)?)?;
    files.insert(project.site.join(Manifest::FILE));
    for file in files_below(&project.site)? {
        if !files.contains(&file) {
            fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    Ok(())
}

/// The folder while it is written.
struct Site<'a> {
    folder: &'a Path,
    /// All current files.
    files: BTreeSet<std::path::PathBuf>,
    content: Fingerprint,
}

impl Site<'_> {
    /// Writes a file under a name with the hash of its content, and returns its address.
    fn put_hashed(&mut self, extension: &str, content: &[u8]) -> Result<String> {
        self.put_named("handbook", extension, content)
    }

    fn put_named(&mut self, name: &str, extension: &str, content: &[u8]) -> Result<String> {
        let name = format!("pkg/{name}.{}.{extension}", fingerprint(content));
        self.put(&name, content)?;
        Ok(format!("/{name}"))
    }

    /// Writes each script of the folder, if the folder exists. Scripts import nothing, so each is a separate file.
    fn put_scripts(&mut self, folder: &Path) -> Result<BTreeMap<String, String>> {
        let mut scripts = BTreeMap::new();
        for file in files_below(folder)? {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            scripts.insert(name.clone(), self.put_named(&name, "js", &digest::read(&file)?)?);
        }
        Ok(scripts)
    }

    fn put(&mut self, name: &str, content: &[u8]) -> Result<()> {
        let content_before = std::mem::replace(&mut self.content, Fingerprint::new());
        self.content = content_before.with(name).with(content);
        let file = self.folder.join(name);
        let is_new = fs::read(&file).map_or(true, |present| present != content);
        if is_new {
            digest::write(&file, content)?;
        }
        self.files.insert(file.clone());
        if compresses_well(name) {
            for (suffix, compress) in [("br", brotli as fn(&[u8]) -> Result<Vec<u8>>), ("gz", gzip)] {
                let compressed = self.folder.join(format!("{name}.{suffix}"));
                if is_new || !compressed.exists() {
                    digest::write(&compressed, compress(content)?)?;
                }
                self.files.insert(compressed);
            }
        }
        Ok(())
    }
}

fn compresses_well(name: &str) -> bool {
    const EXTENSIONS: [&str; 10] = ["css", "html", "ico", "js", "json", "svg", "txt", "wasm", "webmanifest", "xml"];
    Path::new(name).extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
}

/// Compresses at the strongest level, with the largest window that all browsers accept.
pub(crate) fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, size_hint: content.len(), ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*content, &mut compressed, &parameters)?;
    Ok(compressed)
}

fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn compressed_copies_give_the_content_back() {
        let content = "Sổ tay đảng viên ".repeat(1_000).into_bytes();
        let mut from_brotli = Vec::new();
        brotli::BrotliDecompress(&mut brotli(&content).unwrap().as_slice(), &mut from_brotli).unwrap();
        let mut from_gzip = Vec::new();
        flate2::read::GzDecoder::new(gzip(&content).unwrap().as_slice()).read_to_end(&mut from_gzip).unwrap();
        assert!(from_brotli == content && from_gzip == content);
    }

    #[test]
    fn a_site_holds_what_it_was_given_and_nothing_older() {
        let root = std::env::temp_dir().join(format!("handbook-xtask-{}-site", std::process::id()));
        let project = Project { root: root.clone(), target: root.join("target"), site: root.join("target/site") };
        digest::write(&root.join("public/icons/mark.svg"), "<svg/>").unwrap();
        digest::write(&root.join("public/icons/mark.png"), "png").unwrap();
        digest::write(&root.join("scripts/search.js"), "find()").unwrap();
        let style = |main: &str| Style { main: main.to_owned() };
        let frontend = Frontend { js: b"js".to_vec(), wasm: b"wasm".to_vec() };

        write(&project, &frontend, &style("a{}")).unwrap();
        let first = Manifest::read(&project).unwrap();
        write(&project, &frontend, &style("a{}")).unwrap();
        assert_eq!(Manifest::read(&project).unwrap().build, first.build, "nothing changed");
        fs::remove_file(root.join("public/icons/mark.png")).unwrap();
        write(&project, &frontend, &style("c{}")).unwrap();
        let second = Manifest::read(&project).unwrap();

        assert!(second.js == first.js && second.css != first.css && second.build != first.build);
        let exists = |address: &str| project.site.join(address.trim_start_matches('/')).exists();
        assert!(exists(&second.css) && exists(&format!("{}.br", second.css)) && exists(&format!("{}.gz", second.wasm)));
        assert!(!exists(&first.css) && !exists(&format!("{}.br", first.css)) && !exists("icons/mark.png"));
        assert!(second.scripts.keys().eq(["search"]) && exists(&second.scripts["search"]));
        assert!(exists("icons/mark.svg") && exists("icons/mark.svg.br"));
        fs::remove_dir_all(root).unwrap();
    }
}
