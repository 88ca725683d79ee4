//! An existing store opens only with its own key.

use std::{fs, path::Path};

use backend::{Backend, Clock, Error, StoreLocation};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::support::{Fixture, PATIENCE, start};

/// Opens the store after the process has released it.
async fn open(folder: &Path) -> Result<Backend, Error> {
    let (location, file) = (StoreLocation::Folder(folder.join("store")), folder.join("secret.key"));
    let opened = async {
        loop {
            match Backend::open_with_key_file(&location, &file, Clock::fixed(start(), 1)).await {
                Err(Error::InUse) => tokio::task::yield_now().await,
                opened => return opened,
            }
        }
    };
    timeout(PATIENCE, opened).await.expect("the process lets go of the store")
}

async fn filled() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let backend = open(folder.path()).await.expect("makes a key for an empty store");
    Fixture::insert(&backend).await;
    folder
}

fn refusal(opened: Result<Backend, Error>) -> String {
    match opened {
        Err(Error::Key(told)) => told,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("opened"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_or_different_key_is_refused_with_instructions() {
    let folder = filled().await;
    let file = folder.path().join("secret.key");
    let own = fs::read_to_string(&file).expect("a key");

    fs::remove_file(&file).expect("is lost");
    let told = refusal(open(folder.path()).await);
    assert!(told.contains("secret.key is missing") && told.contains("Put the file back"), "{told}");
    assert!(!file.exists(), "no new key is created");

    fs::write(&file, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc").expect("another key");
    let told = refusal(open(folder.path()).await);
    assert!(told.contains("is not the one this store was filled with"), "{told}");

    fs::write(&file, own).expect("is found again");
    open(folder.path()).await.expect("opens");
}
