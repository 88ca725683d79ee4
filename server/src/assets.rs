//! The files of the site: the build output under `/pkg`, and the few public files at the root.

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

/// Lists the files of the build; read by the server, not served to browsers.
const MANIFEST: &str = "assets.json";

/// Names under `/pkg` contain a hash of the content, so a name never changes its content.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// May be cached, but must be revalidated.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("public, no-cache");

/// The folder of the site as found at the start.
pub(crate) struct Site {
    pub(crate) assets: Arc<Assets>,
    folder: PathBuf,
    /// File names at the root of the folder.
    files: Vec<String>,
    folders: Vec<String>,
}

impl Site {
    /// A missing folder is not an error: pages are then served without style and script, which suffices for tests.
    ///
    /// # Errors
    /// A sentence for the operator if the folder or its manifest cannot be read.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut site = Self { assets: Arc::default(), folder: folder.to_owned(), files: Vec::new(), folders: Vec::new() };
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                tracing::warn!(folder = %folder.display(), "no site folder: serving pages without style and script");
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

    /// Adds one route for each name at the root, so that a file cannot shadow a page by accident.
    pub(crate) fn routes(&self) -> Router<Shared> {
        let keep = |value: HeaderValue| {
            // A missing file may exist after the next build, so errors are not cached.
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
