//! Paths in this clone.

use std::{
    env,
    path::{Path, PathBuf, absolute},
};

use anyhow::{Context as _, Result, ensure};

/// The folders used by all verbs, as absolute paths.
pub(crate) struct Project {
    /// The root of the clone.
    pub(crate) root: PathBuf,
    /// Cargo's target folder: `CARGO_TARGET_DIR` if set (a build cache shared by several clones), else `target`.
    pub(crate) target: PathBuf,
    /// The static files as served. Always in the clone: two clones with one cache must not serve each other's.
    pub(crate) site: PathBuf,
}

impl Project {
    pub(crate) fn locate() -> Result<Self> {
        // Read at run time: a cached xtask may have been compiled in another clone.
        let manifest_dir = env::var_os("CARGO_MANIFEST_DIR").context("start it as `cargo xtask <verb>`")?;
        let root = Path::new(&manifest_dir).parent().context("the xtask crate has no parent folder")?.to_owned();
        ensure!(root.join("Cargo.lock").is_file(), "{} is not the handbook's workspace", root.display());
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) if !dir.is_empty() => absolute(dir)?,
            _ => root.join("target"),
        };
        let site = root.join("target/site");
        Ok(Self { root, target, site })
    }

    /// The server built by `cargo xtask build`.
    pub(crate) fn server_binary(&self) -> PathBuf {
        self.target.join("debug").join(format!("handbook{}", env::consts::EXE_SUFFIX))
    }
}

/// The user's cache folder.
pub(crate) fn user_cache() -> Result<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let cache = cache.or_else(|| env::home_dir().map(|home| home.join(".cache")));
    Ok(cache.context("set HOME or XDG_CACHE_HOME: there is no folder for cached files")?.join("handbook"))
}
