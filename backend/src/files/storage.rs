//! Storage of file contents: a folder next to the store, a bucket shared by several servers, or memory.
//!
//! Whole files are named by the SHA-256 of their content, `files/ab/cdef…`: equal files are stored once, and the content under a
//! name never changes. Pieces of uploads are under `files/parts/`.
//!
//! Invariant: no other module names a type of the `object_store` crate.

use std::{
    path::{Path as Folder, PathBuf},
    sync::Arc,
};

use object_store::{
    Error as StoreError, ObjectStore, ObjectStoreExt, PutPayload, aws::AmazonS3Builder, local::LocalFileSystem, memory::InMemory,
    path::Path, prefix::PrefixStore,
};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use crate::{Error, Result, StoreLocation, keys::hex};

const FILES: &str = "files";

/// Not a prefix of two hex digits.
const PARTS: &str = "parts";

/// The file store.
#[derive(Clone)]
pub struct FileStorage {
    objects: Arc<dyn ObjectStore>,
    /// The data folder, if the objects are in it. Files written there are synced before they count.
    folder: Option<PathBuf>,
}

impl FileStorage {
    /// In the folder `files` of the data folder.
    ///
    /// # Errors
    /// [`Error::Internal`] when the folder cannot be created.
    pub fn folder(data: &Folder) -> Result<Self> {
        let told = |error: &dyn std::fmt::Display| Error::Internal(format!("cannot use the folder {}: {error}", data.display()));
        std::fs::create_dir_all(data.join(FILES)).map_err(|error| told(&error))?;
        let objects = LocalFileSystem::new_with_prefix(data).map_err(|error| told(&error))?;
        Ok(Self { objects: Arc::new(objects.with_automatic_cleanup(true)), folder: Some(data.to_owned()) })
    }

    /// In a bucket: `s3://bucket` or `s3://bucket/folder`. Region, endpoint and keys come from the environment variables `AWS_*`.
    ///
    /// # Errors
    /// [`Error::Internal`] with a message for the operator.
    pub fn bucket(url: &str) -> Result<Self> {
        let told = |error: &dyn std::fmt::Display| Error::Internal(format!("cannot use the bucket {url}: {error}"));
        let place = url.strip_prefix("s3://").ok_or_else(|| told(&"it must be s3://bucket or s3://bucket/folder"))?;
        let (bucket, folder) = place.split_once('/').unwrap_or((place, ""));
        let objects = AmazonS3Builder::from_env().with_bucket_name(bucket).build().map_err(|error| told(&error))?;
        Ok(Self { objects: Arc::new(PrefixStore::new(objects, folder)), folder: None })
    }

    /// In memory of this process.
    pub fn memory() -> Self {
        Self { objects: Arc::new(InMemory::new()), folder: None }
    }

    pub(crate) fn for_store(location: &StoreLocation) -> Result<Self> {
        match location {
            StoreLocation::Folder(data) => Self::folder(data),
            StoreLocation::Memory | StoreLocation::Server { .. } => Ok(Self::memory()),
        }
    }

    /// Stores a whole file and returns its hash. Idempotent.
    pub(super) async fn put(&self, content: Vec<u8>) -> Result<String> {
        let hash = hex(&Sha256::digest(&content).into());
        self.write(&whole(&hash)?, content).await?;
        Ok(hash)
    }

    async fn write(&self, place: &Path, content: Vec<u8>) -> Result<()> {
        self.objects.put(place, PutPayload::from(content)).await.map_err(failed)?;
        let Some(folder) = &self.folder else { return Ok(()) };
        let file = folder.join(place.as_ref());
        let written = spawn_blocking(move || std::fs::File::open(file)?.sync_all()).await;
        let written = written.map_err(|error| Error::Internal(format!("writing a file stopped: {error}")))?;
        written.map_err(|error| Error::Internal(format!("cannot sync a file to disk: {error}")))
    }

    /// Bytes `from..until` of a whole file.
    pub(super) async fn read(&self, hash: &str, from: u64, until: u64) -> Result<Vec<u8>> {
        let bytes = self.objects.get_range(&whole(hash)?, from..until).await.map_err(failed)?;
        Ok(bytes.into())
    }

    pub(super) async fn read_all(&self, hash: &str) -> Result<Vec<u8>> {
        let found = self.objects.get(&whole(hash)?).await.map_err(failed)?;
        Ok(found.bytes().await.map_err(failed)?.into())
    }

    pub(super) async fn remove(&self, hash: &str) -> Result<()> {
        gone(self.objects.delete(&whole(hash)?).await)
    }

    pub(super) async fn put_piece(&self, upload: &str, piece: &str, bytes: Vec<u8>) -> Result<()> {
        self.write(&part(upload, piece), bytes).await
    }

    pub(super) async fn piece(&self, upload: &str, piece: &str) -> Result<Vec<u8>> {
        let found = self.objects.get(&part(upload, piece)).await.map_err(failed)?;
        Ok(found.bytes().await.map_err(failed)?.into())
    }

    pub(super) async fn remove_piece(&self, upload: &str, piece: &str) -> Result<()> {
        gone(self.objects.delete(&part(upload, piece)).await)
    }

    /// Removes all pieces of an upload, including those that its row does not list.
    pub(super) async fn remove_pieces(&self, upload: &str) -> Result<()> {
        let listed = self.objects.list_with_delimiter(Some(&Path::from_iter([FILES, PARTS, upload]))).await.map_err(failed)?;
        for object in listed.objects {
            gone(self.objects.delete(&object.location).await)?;
        }
        Ok(())
    }

    /// Ids of the uploads that have pieces.
    pub(super) async fn uploads(&self) -> Result<Vec<String>> {
        let listed = self.objects.list_with_delimiter(Some(&Path::from_iter([FILES, PARTS]))).await.map_err(failed)?;
        Ok(listed.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned)).collect())
    }
}

/// The first two digits are a folder, because file systems are slow with a million entries in one.
fn whole(hash: &str) -> Result<Path> {
    let (folder, name) = hash.split_at_checked(2).ok_or_else(|| Error::Damaged(format!("{hash} names no file")))?;
    Ok(Path::from_iter([FILES, folder, name]))
}

fn part(upload: &str, piece: &str) -> Path {
    Path::from_iter([FILES, PARTS, upload, piece])
}

/// Removing a missing object is no error.
fn gone(removed: object_store::Result<()>) -> Result<()> {
    match removed {
        Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: StoreError) -> Error {
    match error {
        StoreError::NotFound { path, .. } => Error::Damaged(format!("the file store has lost {path}")),
        error => Error::Internal(format!("the file store failed: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn keeps_what_it_is_given(storage: &FileStorage) {
        let hash = storage.put(b"ABC".to_vec()).await.expect("puts");
        assert_eq!(hash, "b5d4045c3f466fa91fe2cc6abe79232a1a57cdf104f7a26e716e0a1e2789df78");
        assert_eq!(storage.put(b"ABC".to_vec()).await.expect("again"), hash);
        assert_eq!(storage.read(&hash, 1, 3).await.expect("reads"), b"BC");
        storage.remove(&hash).await.expect("removes");
        storage.remove(&hash).await.expect("is idempotent");
        assert!(matches!(storage.read(&hash, 0, 1).await, Err(Error::Damaged(_))));

        for piece in ["one", "two"] {
            storage.put_piece("upload", piece, piece.as_bytes().to_vec()).await.expect("puts");
        }
        assert_eq!(storage.piece("upload", "two").await.expect("reads"), b"two");
        assert_eq!(storage.uploads().await.expect("lists"), ["upload"]);
        storage.remove_pieces("upload").await.expect("removes");
        assert_eq!(storage.uploads().await.expect("lists"), Vec::<String>::new());
    }

    #[tokio::test]
    async fn memory_and_folder_are_the_same() {
        keeps_what_it_is_given(&FileStorage::memory()).await;
        let data = tempfile::tempdir().expect("a folder");
        keeps_what_it_is_given(&FileStorage::folder(data.path()).expect("opens")).await;
        assert!(!data.path().join("files/parts").exists(), "empty folders go too");
    }

    #[test]
    fn an_invalid_bucket_url_is_an_error() {
        for url in ["http://example.org/bucket", "s3:/bucket", "bucket"] {
            assert!(FileStorage::bucket(url).is_err(), "{url}");
        }
    }
}
