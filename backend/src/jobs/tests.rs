//! Unit tests of rows, leases and clocks. Whole runs are tested in `tests/backend/jobs.rs`.

use std::cell::Cell;

use chrono::TimeDelta;
use domain::{accounts::AccountNotice, members::PhoneNumber};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::task::yield_now;

use super::{
    lease::{LeasedJob, MARGIN, is_lost},
    *,
};
use crate::{
    Backend, StoreLocation,
    store::{Store, StoreError, record, tests::migrated, vars},
};

const KIND: JobKind = JobKind::NotifyOwner;

fn clock() -> Clock {
    Clock::fixed("2026-11-21T08:00:00Z".parse().expect("a moment"), 1)
}

fn lease() -> TimeDelta {
    TimeDelta::from_std(KIND.rules().lease).expect("a short time")
}

fn job(due_at: DateTime<Utc>) -> NewJob {
    NewJob { kind: KIND, key: "k".to_owned(), due_at, payload: None }
}

async fn put(store: &Store, clock: &Clock, job: NewJob) {
    let mut vars = Variables::new();
    let sql = enqueue(&mut vars, clock, vec![job]);
    store.write(sql, vars).await.expect("enqueues");
}

async fn take(store: &Store, clock: &Clock) -> Option<LeasedJob> {
    LeasedJob::take(store, clock, KIND, "k").await.expect("the store answers")
}

/// State and time of the only job; `None` when there is no job.
async fn row(store: &Store) -> Option<(String, DateTime<Utc>)> {
    #[derive(Debug, SurrealValue)]
    struct Row {
        state: String,
        due_at: DateTime<Utc>,
    }
    let rows: Vec<Row> = store.read("SELECT state, due_at FROM job", ()).await.expect("reads").rows(0).expect("rows");
    assert!(rows.len() < 2, "{rows:?}");
    rows.into_iter().next().map(|row| (row.state, row.due_at))
}

async fn end(store: &Store, job: &LeasedJob, next: Option<DateTime<Utc>>) -> Result<(), StoreError> {
    let mut vars = Variables::new();
    let sql = job.end(&mut vars, next);
    store.write(sql, vars).await.map(|_| ())
}

/// A change needs a migration of the rows with the old key.
#[test]
fn keys_stay_what_they_are() {
    let kinds = "send_sms notify_owner publish_due seal_events follow_moves reorganise purge_expired purge_writing purge_files";
    assert_eq!(JobKind::ALL.map(JobKind::key).join(" "), kinds);
    assert_eq!(JobState::ALL.map(JobState::key).join(" "), "parked running waiting");
}

#[test]
fn all_has_the_kinds_in_the_order_of_declaration() {
    for (at, kind) in JobKind::ALL.into_iter().enumerate() {
        assert_eq!(kind as usize, at);
    }
}

#[tokio::test]
async fn enqueueing_a_waiting_key_again_makes_it_due_earlier() {
    let (store, clock) = (migrated().await, clock());
    let now = clock.now();
    put(&store, &clock, job(now + TimeDelta::hours(1))).await;
    put(&store, &clock, job(now + TimeDelta::hours(2))).await;
    assert_eq!(row(&store).await, Some(("waiting".to_owned(), now + TimeDelta::hours(1))));
    assert!(take(&store, &clock).await.is_none(), "not due");
    put(&store, &clock, job(now)).await;
    assert_eq!(row(&store).await, Some(("waiting".to_owned(), now)));
    let taken = take(&store, &clock).await.expect("is due");
    end(&store, &taken, None).await.expect("ends");
    assert_eq!(row(&store).await, None);
}

#[tokio::test]
async fn a_job_enqueued_while_it_runs_runs_once_more() {
    let (store, clock) = (migrated().await, clock());
    put(&store, &clock, job(clock.now())).await;
    let taken = take(&store, &clock).await.expect("is due");
    put(&store, &clock, job(clock.now() + TimeDelta::seconds(9))).await;
    put(&store, &clock, job(clock.now() + TimeDelta::seconds(7))).await;
    end(&store, &taken, None).await.expect("ends");
    assert_eq!(row(&store).await, Some(("waiting".to_owned(), clock.now() + TimeDelta::seconds(7))));
    clock.advance(TimeDelta::seconds(7));
    let taken = take(&store, &clock).await.expect("is due");
    assert_eq!(taken.attempts, 1, "attempts restart");
    end(&store, &taken, None).await.expect("ends");
    assert_eq!(row(&store).await, None);
}

/// The run may have read the store before the second cause was committed.
#[tokio::test]
async fn enqueueing_again_writes_the_row_so_that_it_conflicts_with_a_run_that_takes_it() {
    let (store, clock) = (migrated().await, clock());
    put(&store, &clock, job(clock.now())).await;
    let mut vars = Variables::new();
    let sql = enqueue(&mut vars, &clock, vec![job(clock.now())]);
    let asked = async || {
        let found: Option<i64> =
            store.read("SELECT VALUE asked FROM job", ()).await.expect("reads").rows(0).expect("rows").into_iter().next();
        found
    };
    assert_eq!(asked().await, Some(1));
    store.write(sql, vars).await.expect("enqueues");
    assert_eq!(asked().await, Some(2), "the row is written although nothing else of it changes");
}

#[tokio::test]
async fn a_lease_is_one_process_at_a_time_and_lapses_after_its_margin() {
    let (store, here) = (migrated().await, clock());
    let elsewhere = Clock::fixed(here.now() + TimeDelta::minutes(1), 2);
    put(&store, &here, job(here.now())).await;
    let first = take(&store, &here).await.expect("is due");
    assert!(take(&store, &here).await.is_none() && take(&store, &elsewhere).await.is_none());

    elsewhere.advance(lease());
    assert!(take(&store, &elsewhere).await.is_none(), "a process whose clock is a minute ahead does not take a held job");
    here.advance(lease() / 2);
    assert!(first.renew(&store, &here).await.expect("renews"));
    elsewhere.advance(lease() / 2);
    assert!(take(&store, &elsewhere).await.is_none(), "it was renewed");

    elsewhere.advance(MARGIN);
    let second = take(&store, &elsewhere).await.expect("has lapsed");
    assert_eq!(second.attempts, 2);
    assert!(!first.renew(&store, &here).await.expect("asks"), "the lease is lost");
    assert!(is_lost(&end(&store, &first, None).await.expect_err("is refused")));
    first.fail(&store, "late", here.now(), true).await.expect("changes nothing");
    first.give_back(&store, here.now()).await.expect("changes nothing");
    assert_eq!(row(&store).await, Some(("running".to_owned(), elsewhere.now() + lease())));
    end(&store, &second, None).await.expect("ends");
    assert!(is_lost(&end(&store, &second, None).await.expect_err("once only")));
}

#[tokio::test]
async fn an_effect_is_rolled_back_when_its_job_cannot_be_ended() {
    let (store, clock) = (migrated().await, clock());
    put(&store, &clock, job(clock.now())).await;
    let late = take(&store, &clock).await.expect("is due");
    clock.advance(lease() + MARGIN);
    let taken = take(&store, &clock).await.expect("has lapsed");
    let effect = async |job: &LeasedJob| {
        let mut vars = vars! { now: clock.now() };
        let end = job.end(&mut vars, None);
        store.write(&format!("CREATE upkeep SET done_at = $now RETURN NONE; {end}"), vars).await
    };
    effect(&late).await.expect_err("is refused");
    effect(&taken).await.expect("ends");
    let effects: Vec<RecordId> = store
        .read("SELECT VALUE id FROM upkeep WHERE done_at = $now", vars! { now: clock.now() })
        .await
        .expect("reads")
        .rows(0)
        .expect("ids");
    assert_eq!(effects.len(), 1);
}

#[tokio::test]
async fn a_released_job_does_not_count_as_an_attempt() {
    let (store, clock) = (migrated().await, clock());
    put(&store, &clock, job(clock.now())).await;
    take(&store, &clock).await.expect("is due").give_back(&store, clock.now()).await.expect("gives back");
    assert_eq!(take(&store, &clock).await.expect("is due").attempts, 1);
    lease::end_all(&store, &clock).await.expect("ends them");
    assert_eq!(take(&store, &clock).await.expect("is due at once").attempts, 2, "a started run counts");
}

#[tokio::test]
async fn many_runners_take_a_job_once() {
    let (store, clock) = (std::sync::Arc::new(migrated().await), clock());
    put(&store, &clock, job(clock.now())).await;
    let mut runners = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, clock) = (std::sync::Arc::clone(&store), clock.clone());
        runners.spawn(async move { take(&store, &clock).await.is_some() });
    }
    let taken = runners.join_all().await.into_iter().filter(|taken| *taken).count();
    assert_eq!(taken, 1);
}

/// A backend with an account of the member `A`, whose language is English.
async fn with_account(clock: &Clock) -> Backend {
    let backend = Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), clock.clone()).await.expect("opens");
    let sql = "CREATE $account SET password = 'a hash', locale = 'en' RETURN NONE";
    backend.store().write(sql, vars! { account: record("account", "A") }).await.expect("writes");
    backend.word_notices_by(|locale, notice| format!("{locale:?} {notice:?}"));
    backend
}

async fn notify(backend: &Backend) {
    let phone = PhoneNumber::parse("0987654321").expect("ten digits");
    let notices = backend.notify("A", Some(&phone), &[AccountNotice::PasswordChanged]).expect("is sealed");
    let mut vars = Variables::new();
    let sql = enqueue(&mut vars, backend.clock(), notices);
    backend.store().write(sql, vars).await.expect("enqueues");
}

/// Counts and deletes the messages.
async fn made(backend: &Backend) -> usize {
    let sql =
        "LET $made = (SELECT VALUE id FROM job WHERE kind = 'send_sms'); DELETE $made RETURN NONE; RETURN array::len($made)";
    let made: Option<i64> = backend.store().write(sql, ()).await.expect("writes").row(3).expect("a number");
    usize::try_from(made.expect("a number")).expect("a few")
}

async fn count(turns: &Cell<usize>) {
    loop {
        yield_now().await;
        turns.set(turns.get() + 1);
    }
}

/// No SMS gateway is configured, so the messages of each run stay and can be counted.
#[tokio::test]
async fn a_job_with_its_end_in_its_transaction_has_its_effect_once_however_often_it_is_killed() {
    const ROUNDS: usize = 200;
    const SEED: u64 = 20_261_122;
    let clock = clock();
    let backend = with_account(&clock).await;
    let mut dice = StdRng::seed_from_u64(SEED);

    notify(&backend).await;
    let turns = Cell::new(0);
    tokio::select! {
        biased;
        () = count(&turns) => {}
        runs = backend.run_due_jobs() => assert_eq!(runs.expect("runs"), 2, "the notice and its message"),
    }
    assert_eq!(made(&backend).await, 1);

    let (whole, mut killed) = (turns.get(), 0);
    for round in 0..ROUNDS {
        notify(&backend).await;
        // Killed once or twice at a random point, then run to the end.
        for _ in 0..=dice.random_range(0..2) {
            let turns = dice.random_range(0..=whole);
            let is_killed = tokio::select! {
                biased;
                () = async { for _ in 0..turns { yield_now().await } } => true,
                runs = backend.run_due_jobs() => { runs.expect("runs"); false }
            };
            killed += usize::from(is_killed);
            clock.advance(lease() + MARGIN);
        }
        backend.run_due_jobs().await.expect("runs");
        assert_eq!(made(&backend).await, 1, "round {round} of seed {SEED}");
        assert_eq!(row(backend.store()).await, None, "round {round} of seed {SEED}");
    }
    println!("{killed} runs killed, in the first of {whole} turns");
    assert!(killed > ROUNDS / 2, "{killed} runs were killed");
}

#[tokio::test]
async fn the_size_of_a_sealed_message_does_not_reveal_whether_it_has_a_recipient() {
    let backend = with_account(&clock()).await;
    let phone = PhoneNumber::parse("0987654321").expect("ten digits");
    let size = |to: Option<&PhoneNumber>| {
        let job = backend.sms("k".to_owned(), to, "text".to_owned(), Some(backend.clock().now())).expect("is sealed");
        job.payload.expect("a payload").len()
    };
    assert_eq!(size(Some(&phone)), size(None));
}

#[tokio::test]
async fn a_job_whose_process_dies_each_time_is_parked_too() {
    let clock = clock();
    let backend = with_account(&clock).await;
    notify(&backend).await;
    let key: Option<String> =
        backend.store().read("SELECT VALUE key FROM job", ()).await.expect("reads").rows(0).expect("keys").into_iter().next();
    let key = key.expect("a job");
    for _ in 0..KIND.rules().attempts.expect("a number") {
        LeasedJob::take(backend.store(), &clock, KIND, &key).await.expect("the store answers").expect("is due");
        clock.advance(lease() + MARGIN);
    }
    assert_eq!(backend.run_due_jobs().await.expect("runs"), 1);
    let jobs = backend.jobs().list().await.expect("lists");
    assert_eq!(jobs.len(), 1);
    assert_eq!((jobs[0].state, jobs[0].last_error.as_deref()), (JobState::Parked, Some("its process died while it ran")));
    assert_eq!(made(&backend).await, 0);
}

/// Another version of the program enqueued it.
#[tokio::test]
async fn a_job_of_an_unknown_kind_is_listed_and_not_changed() {
    let clock = clock();
    let backend = with_account(&clock).await;
    let (store, since) = (backend.store(), clock.now());
    for state in JobState::ALL {
        let sql = "CREATE $job SET kind = 'send_fax', key = $state, state = $state, due_at = $now, attempts = 1, lease = 'other', \
                   asked = 1, enqueued_at = $now RETURN NONE";
        let vars = vars! { job: pair("job", "send_fax", state.key()), state: state.key(), now: since };
        store.write(sql, vars).await.expect("writes");
    }
    clock.advance(TimeDelta::days(1));
    lease::end_all(store, &clock).await.expect("ends those of kinds it knows");
    assert_eq!(backend.run_due_jobs().await.expect("runs"), 0);
    for target in ["send_fax", "send_fax/parked"] {
        for refused in [backend.jobs().retry(target).await, backend.jobs().discard(target).await] {
            assert!(matches!(refused, Err(Error::NotFound)), "{target}: {refused:?}");
        }
    }
    let listed: Vec<JobEntry> = backend.jobs().list().await.expect("lists");
    let as_written = JobState::ALL.map(|state| JobEntry {
        id: format!("send_fax/{}", state.key()),
        kind: None,
        state,
        due_at: since,
        enqueued_at: since,
        attempts: 1,
        last_error: None,
    });
    assert_eq!(listed, as_written);
    let leases: Vec<Option<String>> = store.read("SELECT VALUE lease FROM job", ()).await.expect("reads").rows(0).expect("rows");
    assert_eq!(leases, ["other"; 3].map(|lease| Some(lease.to_owned())));
}
