//! Two processes on one store, whose clocks are a minute apart.

use domain::imports::{Failure, ImportKind, ImportState};

use super::*;
use crate::{Backend, Clock, KeySource, Keys, Progress, StoreLocation, store::Store};

const SECOND: TimeDelta = TimeDelta::seconds(1);

/// A process on a store that others use too.
async fn process(store: Store, clock: &Clock) -> Backend {
    // Nothing connects to the address: the store is open.
    let location = StoreLocation::Server { url: "ws://localhost".to_owned(), credentials: None };
    let keys = KeySource::Given(Keys::from_master(&[7; 32]));
    Backend::over(store, &location, keys, clock.clone(), &Progress::default()).await.expect("opens")
}

/// A process, and one whose clock is a minute ahead.
async fn processes() -> [(Backend, Clock); 2] {
    let now: DateTime<Utc> = "2026-12-01T08:00:00Z".parse().expect("a moment");
    let (clock, ahead) = (Clock::fixed(now, 1), Clock::fixed(now + TimeDelta::minutes(1), 2));
    let store = Store::connect(&StoreLocation::Memory).await.expect("opens");
    let another = store.another_process();
    [(process(store, &clock).await, clock), (process(another, &ahead).await, ahead)]
}

async fn previewed(backend: &Backend) -> ImportId {
    let mut upload = backend.imports().receive_from_operator(ImportKind::Units, None, "units.csv").expect("is accepted");
    let file = "Mã,Mã cấp trên,Cấp,Tên\n01,,Trung ương,Trung ương\n";
    upload.write(file.as_bytes().to_vec()).await.expect("writes");
    let import = upload.finish().await.expect("arrives").import;
    backend.imports().settled(import).await.expect("is previewed");
    import
}

/// Confirms the import in a process that does not have its file.
async fn confirmed_without_file(backend: &Backend, import: ImportId) {
    let waiting = backend.imports().write(import, None).await;
    assert!(matches!(waiting, Err(Error::Busy)), "{waiting:?}");
}

async fn state(backend: &Backend, import: ImportId) -> ImportState {
    backend.imports().row(import).await.expect("exists").state().expect("is a state")
}

/// Resumes imports in the process. Returns the number of those it started, and the state of the import.
async fn resumed(backend: &Backend, import: ImportId) -> (usize, ImportState) {
    let started = backend.imports().resume().await.expect("reads");
    (started, state(backend, import).await)
}

/// Whether the process holds the import, or takes it.
async fn holds(backend: &Backend, import: ImportId) -> bool {
    let rows = backend.imports().open_rows().await.expect("reads");
    backend.imports().hold(&rows).await.expect("writes").contains(&import.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_confirmed_on_another_server_is_written_by_the_one_with_its_file() {
    let [(owner, _), (other, _)] = processes().await;
    let import = previewed(&owner).await;
    confirmed_without_file(&other, import).await;
    assert_eq!(resumed(&other, import).await, (0, ImportState::Running));
    assert_eq!(owner.imports().resume().await.expect("starts"), 1);
    owner.imports().settled(import).await.expect("is written");
    assert_eq!(state(&other, import).await, ImportState::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_is_lost_when_its_server_was_away_for_long() {
    let [(owner, clock), (other, ahead)] = processes().await;
    let import = previewed(&owner).await;
    confirmed_without_file(&other, import).await;
    let away = MARGIN + AWAY_MAX;

    // The hold ends when, by the other clock, the import is confirmed.
    ahead.advance(away - SECOND);
    assert_eq!(resumed(&other, import).await, (0, ImportState::Running));
    clock.advance(away - SECOND);
    assert!(holds(&owner, import).await);
    ahead.advance(away - SECOND);
    assert_eq!(resumed(&other, import).await, (0, ImportState::Running), "its hold was renewed");

    ahead.advance(SECOND);
    let started = process(other.store().another_process(), &ahead).await;
    assert_eq!(resumed(&started, import).await, (0, ImportState::Running), "its server may have been stopped as well");
    assert_eq!(resumed(&other, import).await, (0, ImportState::Failed));
    let failed = owner.imports().page_for_operator(import).await.expect("has a page");
    assert_eq!(failed.import.failure, Some(Failure::Lost));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_with_the_same_folder_takes_an_import_that_nobody_holds() {
    let [(first, _), (second, ahead)] = processes().await;
    let data = tempfile::tempdir().expect("a folder");
    for backend in [&first, &second] {
        backend.keep_imports_in(data.path());
    }
    let import = previewed(&first).await;
    assert!(data.path().join("imports").join(import.to_string()).exists());

    ahead.advance(MARGIN - SECOND);
    assert!(!holds(&second, import).await, "a process whose clock is a minute ahead does not take a held import");
    ahead.advance(SECOND);
    assert!(holds(&second, import).await);
    assert!(!holds(&first, import).await);
    timeout(HOLD_EVERY, first.imports().keep_hold(import)).await.expect("a run in the first process stops");

    second.imports().stop().await;
    first.imports().write(import, None).await.expect("is released");
    assert_eq!(state(&second, import).await, ImportState::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_process_of_a_store_takes_every_import_at_once() {
    let keys = Keys::from_master(&[7; 32]);
    let backend = Backend::open(&StoreLocation::Memory, keys, Clock::system()).await.expect("opens");
    let import = previewed(&backend).await;
    let sql = "UPDATE $import SET holder = 'killed' RETURN NONE;";
    backend.store().write(sql, vars! { import: record("import", import) }).await.expect("writes");
    assert!(holds(&backend, import).await, "the process that held it has ended");
    std::fs::remove_file(backend.workspace().file(&import.to_string())).expect("is removed");
    confirmed_without_file(&backend, import).await;
    assert_eq!(resumed(&backend, import).await, (0, ImportState::Failed));
}
