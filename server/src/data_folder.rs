//! The data folder must be private: it holds opinions, drafts and the key.

use std::{fs, io, path::Path};

use anyhow::{Context, Result};

/// Contents by which the program recognises its own folder.
const OURS: [&str; 3] = ["lock", "secret.key", "store"];

/// Creates the folder, or removes the permissions of other users that an older version or a plain `mkdir` left.
///
/// # Errors
/// A sentence for the operator.
pub(crate) fn prepare(folder: &Path) -> Result<()> {
    let told = || format!("cannot use the data folder {}", folder.display());
    if !folder.exists() {
        return create(folder).with_context(|| format!("cannot create the data folder {}", folder.display()));
    }
    if !is_open(folder).with_context(told)? {
        return Ok(());
    }
    // A folder with other contents, such as `/tmp`, is left as it is.
    let is_empty = fs::read_dir(folder).with_context(told)?.next().is_none();
    if is_empty || OURS.iter().any(|name| folder.join(name).exists()) {
        note_closed(folder, close(folder)).with_context(told)?;
    } else {
        tracing::warn!(folder = %folder.display(), "other users of this machine can read the data folder: give the program a folder of its own");
    }
    Ok(())
}

/// The program cannot change permissions of a folder owned by another user, such as a container volume, but can use it.
fn note_closed(folder: &Path, closed: io::Result<()>) -> io::Result<()> {
    let folder = folder.display();
    match closed {
        Ok(()) => {
            tracing::warn!(%folder, "other users of this machine could read the data folder; removed their permissions");
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            tracing::warn!(%folder, %error, "other users of this machine can read the data folder: ask its owner to remove their permissions");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Warns if other users can read the key.
pub(crate) fn check_key_permissions(file: &Path) {
    // A missing or unreadable key is reported when it is read.
    if is_open(file).unwrap_or(false) {
        tracing::warn!(file = %file.display(), "other users of this machine can read the key: chmod 600 it");
    }
}

#[cfg(unix)]
fn create(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(unix)]
fn is_open(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;

    Ok(fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

#[cfg(unix)]
fn close(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn create(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(not(unix))]
fn close(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::{os::unix::fs::PermissionsExt, path::PathBuf};

    use tempfile::TempDir;

    use super::*;

    #[expect(clippy::expect_used, reason = "a helper of tests")]
    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("works on the disk").permissions().mode() & 0o777
    }

    #[expect(clippy::expect_used, reason = "a helper of tests")]
    fn folder(home: &TempDir, mode: u32, holds: Option<&str>) -> PathBuf {
        let folder = home.path().join("data");
        fs::create_dir(&folder).expect("works on the disk");
        if let Some(name) = holds {
            fs::write(folder.join(name), "").expect("works on the disk");
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).expect("works on the disk");
        folder
    }

    #[test]
    fn a_new_folder_is_for_nobody_else() {
        let home = tempfile::tempdir().expect("works on the disk");
        let folder = home.path().join("var/data");
        prepare(&folder).expect("works on the disk");
        assert_eq!(mode(&folder), 0o700);
    }

    #[test]
    fn the_own_folder_is_closed_and_that_of_others_is_left_alone() {
        for (holds, before, after) in [
            (Some("secret.key"), 0o755, 0o700),
            (Some("store"), 0o750, 0o700),
            (None, 0o777, 0o700),
            (Some("other"), 0o755, 0o755),
            (Some("store"), 0o700, 0o700),
        ] {
            let home = tempfile::tempdir().expect("works on the disk");
            let folder = folder(&home, before, holds);
            prepare(&folder).expect("works on the disk");
            assert_eq!(mode(&folder), after, "{holds:?} {before:o}");
        }
    }

    #[test]
    fn a_folder_that_another_user_owns_does_not_stop_the_start() {
        let closed = |kind: io::ErrorKind| note_closed(Path::new("data"), Err(kind.into())).is_ok();
        assert!(closed(io::ErrorKind::PermissionDenied));
        assert!(!closed(io::ErrorKind::ReadOnlyFilesystem));
    }

    #[test]
    fn a_key_that_others_can_read_is_noticed() {
        let home = tempfile::tempdir().expect("works on the disk");
        let file = home.path().join("secret.key");
        fs::write(&file, "").expect("works on the disk");
        for (mode, open) in [(0o644, true), (0o640, true), (0o600, false), (0o400, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("works on the disk");
            assert_eq!(is_open(&file).expect("works on the disk"), open, "{mode:o}");
        }
    }
}
