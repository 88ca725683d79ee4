//! Where things are in this clone.

use std::{
    env,
    path::{Path, PathBuf, absolute},
};

use anyhow::{Context as _, Result, ensure};

/// The folders every verb works with, all absolute.
pub(crate) struct Project {
    /// The clone.
    pub(crate) root: PathBuf,
    /// Cargo's target folder: `CARGO_TARGET_DIR` where set (a build cache shared by several clones), else `target`.
    pub(crate) target: PathBuf,
    /// The static files as they are served. Always in the clone: two clones on one cache must not serve each other's.
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

    /// The server as `cargo xtask build` makes it.
    pub(crate) fn server_binary(&self) -> PathBuf {
        self.target.join("debug").join(format!("handbook{}", env::consts::EXE_SUFFIX))
    }
}

/// The user's folder for things that can be made again.
pub(crate) fn user_cache() -> Result<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let cache = cache.or_else(|| env::home_dir().map(|home| home.join(".cache")));
    Ok(cache.context("set HOME or XDG_CACHE_HOME: there is no folder for cached files")?.join("handbook"))
}
