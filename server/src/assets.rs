//! The files of the site: what the build made under `/pkg`, and the few public ones at the root.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use app::shell::Assets;
use axum::{
    Router,
    http::{HeaderValue, header},
    response::Response,
    routing::get_service,
};
use tower_http::{
    services::{ServeDir, ServeFile},
    set_header::SetResponseHeaderLayer,
};

use crate::state::Shared;

/// Names the build's files; for the program, not for browsers.
const MANIFEST: &str = "assets.json";

/// What is under `/pkg` has a fingerprint of its content in its name: another content has another name.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// May be kept, but must be asked for again.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("public, no-cache");

/// The folder of the site as it was when the program started.
pub(crate) struct Site {
    pub(crate) assets: Arc<Assets>,
    folder: PathBuf,
    /// Names at the root of the folder.
    files: Vec<String>,
    folders: Vec<String>,
}

impl Site {
    /// A missing folder is no error: pages then come without style and script, which is enough for tests.
    ///
    /// # Errors
    /// A sentence when the folder or its manifest cannot be read.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut site = Self { assets: Arc::default(), folder: folder.to_owned(), files: Vec::new(), folders: Vec::new() };
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                tracing::warn!(folder = %folder.display(), "there is no site folder: pages come without style and script");
                return Ok(site);
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read the site folder {}", folder.display())),
        };
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read the site folder {}", folder.display()))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let is_copy = Path::new(&name).extension().is_some_and(|extension| extension == "br" || extension == "gz");
            if entry.path().is_dir() {
                site.folders.push(name);
            } else if !is_copy && !name.starts_with(MANIFEST) {
                site.files.push(name);
            }
        }
        let manifest = folder.join(MANIFEST);
        if manifest.exists() {
            let text = fs::read(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
            let assets = serde_json::from_slice(&text).with_context(|| format!("{} is damaged", manifest.display()))?;
            site.assets = Arc::new(assets);
        }
        Ok(site)
    }

    /// One route for each name at the root, so that no file hides a page by accident.
    pub(crate) fn routes(&self) -> Router<Shared> {
        let keep = |value: HeaderValue| {
            // What is missing now may be there after the next build.
            let told = move |response: &Response| (!response.status().is_client_error()).then(|| value.clone());
            SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, told)
        };
        let mut router = Router::new();
        for name in &self.folders {
            let files = ServeDir::new(self.folder.join(name))
                .precompressed_br()
                .precompressed_gzip()
                .append_index_html_on_directories(false);
            let kept = if name == "pkg" { FOR_EVER } else { ASK_AGAIN };
            router = router.nest_service(&format!("/{name}"), get_service(files).layer(keep(kept)));
        }
        for name in &self.files {
            let file = ServeFile::new(self.folder.join(name)).precompressed_br().precompressed_gzip();
            router = router.route(&format!("/{name}"), get_service(file).layer(keep(ASK_AGAIN)));
        }
        router
    }
}
