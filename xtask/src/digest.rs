//! Content hashes, for names of immutable files and for stamps of completed steps.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// Hashes several parts. Each part is hashed with its length, so that moving a byte from one part to the next changes the result.
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    pub(crate) fn new() -> Self {
        Self(Sha256::new())
    }

    #[must_use]
    pub(crate) fn with(mut self, part: impl AsRef<[u8]>) -> Self {
        let part = part.as_ref();
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    /// 64 bits as 16 hexadecimal digits: enough to distinguish builds, short enough for a file name.
    pub(crate) fn finish(self) -> String {
        let digest = self.0.finalize();
        let start = digest.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        format!("{start:016x}")
    }
}

/// The hash of one content.
pub(crate) fn fingerprint(content: impl AsRef<[u8]>) -> String {
    Fingerprint::new().with(content).finish()
}

/// All files below a folder, sorted; empty if the folder does not exist.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

pub(crate) fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

pub(crate) fn write(file: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

/// A file with the hash of the inputs from which the output of a step was made.
///
/// Invariant: it is written after the output is complete, so an interrupted step runs again.
pub(crate) struct Stamp {
    file: PathBuf,
    key: String,
}

impl Stamp {
    pub(crate) fn new(file: impl Into<PathBuf>, key: String) -> Self {
        Self { file: file.into(), key }
    }

    pub(crate) fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|stored| stored == self.key)
    }

    pub(crate) fn write(&self) -> Result<()> {
        write(&self.file, &self.key)
    }
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    /// A temporary folder for one test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let folder = env::temp_dir().join(format!("handbook-xtask-{}-{name}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_fingerprint_depends_on_content_and_on_where_parts_end() {
        assert_eq!(fingerprint("a"), fingerprint("a"));
        assert_ne!(fingerprint("a"), fingerprint("b"));
        assert_eq!(fingerprint("a").len(), 16);
        let ab_c = Fingerprint::new().with("ab").with("c").finish();
        let a_bc = Fingerprint::new().with("a").with("bc").finish();
        assert_ne!(ab_c, a_bc);
    }

    #[test]
    fn files_are_found_deep_and_in_order() {
        let scratch = Scratch::new("folder");
        let files = ["a.css", "deep/a.css", "deep/b.css"].map(|name| scratch.0.join(name));
        for file in files.iter().rev() {
            write(file, "x").unwrap();
        }
        assert_eq!(files_below(&scratch.0).unwrap(), files);
        assert!(files_below(&scratch.0.join("absent")).unwrap().is_empty());
    }

    #[test]
    fn a_stamp_is_current_only_for_the_key_it_was_written_with() {
        let scratch = Scratch::new("stamp");
        let file = scratch.0.join("made");
        let stamp = Stamp::new(&file, "one".to_owned());
        assert!(!stamp.is_current());
        stamp.write().unwrap();
        assert!(stamp.is_current());
        assert!(!Stamp::new(&file, "two".to_owned()).is_current());
    }
}
