//! Background jobs through the public interface: `kill -9`, panics, hanging gateways, several processes and clock skew.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use backend::{
    Backend, Clock, Error,
    documents::PublishForm,
    jobs::{JobEntry, JobKind, JobState, Runner},
    sms::Sms,
};
use chrono::TimeDelta;
use domain::{Locale, accounts::AccountNotice};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::{
        mpsc::{UnboundedReceiver, unbounded_channel},
        oneshot,
    },
    task::yield_now,
    time::timeout,
};

use crate::{
    activation::{ActivationFixture, NEW_PASSWORD, PHONE, UNKNOWN, WITH_PHONE, messages, register},
    documents::{chief, form, review, submit},
    sms::is_whole,
    support::{Fixture, PATIENCE, on_disk, organisation, reopened, start},
};

/// Longer than the lease of any kind plus the margin.
const LAPSED: TimeDelta = TimeDelta::seconds(151);

/// Runs `work` for this many turns of the test's thread, then drops it with everything it spawned, as `kill -9` would. None if it
/// had not ended by then.
async fn killed_after<T>(turns: usize, work: impl Future<Output = T>) -> Option<T> {
    let turns = async {
        for _ in 0..turns {
            yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = turns => None,
        done = work => Some(done),
    }
}

/// Number of turns of the test's thread that `work` takes.
async fn turns_of<T>(work: impl Future<Output = T>) -> usize {
    let turns = Cell::new(0);
    tokio::select! {
        biased;
        () = count(&turns) => {}
        _ = work => {}
    }
    turns.get()
}

async fn count(turns: &Cell<usize>) {
    loop {
        yield_now().await;
        turns.set(turns.get() + 1);
    }
}

async fn jobs(backend: &Backend) -> Vec<JobEntry> {
    backend.jobs().list().await.expect("lists")
}

async fn run(runner: &Runner) -> usize {
    runner.run_due().await.expect("runs")
}

async fn has_code_sent(backend: &Backend, national_id: &str, text: &str) {
    let activation = backend.accounts().begin_activation(national_id).await.expect("an activation");
    backend.accounts().send_code(&activation, |_| text.to_owned()).await.expect("is enqueued");
}

/// Activates the newcomer's account, so that the owner is notified of each code issued from now on.
async fn activate(fixture: &ActivationFixture) {
    let code = fixture.paper_code().await;
    let activation = fixture.begin_activation(WITH_PHONE).await;
    fixture.try_code(&activation, &code).await.expect("is right");
    fixture.choose(&activation, NEW_PASSWORD).await.expect("chooses");
}

/// The next request to the gateway.
async fn next(requests: &mut UnboundedReceiver<oneshot::Sender<&'static str>>) -> oneshot::Sender<&'static str> {
    timeout(PATIENCE, requests.recv()).await.expect("the gateway is asked").expect("a request")
}

/// A gateway that passes on each request with a channel for its response.
async fn gateway() -> (String, UnboundedReceiver<oneshot::Sender<&'static str>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/send", listener.local_addr().expect("an address"));
    let (sender, requests) = unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a request");
            let sender = sender.clone();
            tokio::spawn(async move {
                let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
                while !is_whole(&request) {
                    let read = stream.read(&mut buffer).await.expect("reads");
                    request.extend_from_slice(&buffer[..read]);
                }
                let (answer, answered) = oneshot::channel();
                let _ = sender.send(answer);
                if let Ok(answer) = answered.await {
                    let response = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                    // The client may have disconnected.
                    let _ = stream.write_all(response.as_bytes()).await;
                }
            });
        }
    });
    (url, requests)
}

#[tokio::test]
async fn every_message_is_sent_however_often_the_process_is_killed() {
    const ROUNDS: usize = 100;
    const SEED: u64 = 20_261_121;
    let fixture = ActivationFixture::open().await;
    let mut dice = StdRng::seed_from_u64(SEED);
    let mut killed = 0;
    has_code_sent(&fixture.backend, WITH_PHONE, "not killed").await;
    let whole = turns_of(fixture.backend.run_due_jobs()).await;
    fixture.clock.advance(TimeDelta::minutes(61));
    for round in 0..ROUNDS {
        has_code_sent(&fixture.backend, WITH_PHONE, &format!("message {round} of seed {SEED}")).await;
        let turns = dice.random_range(0..=whole + whole / 4);
        killed += usize::from(killed_after(turns, fixture.backend.run_due_jobs()).await.is_none());
        fixture.clock.advance(LAPSED);
        if round % 3 == 2 {
            // At most this many messages per hour.
            fixture.backend.run_due_jobs().await.expect("runs");
            fixture.clock.advance(TimeDelta::minutes(61));
        }
    }
    fixture.backend.run_due_jobs().await.expect("runs");
    println!("{killed} of {ROUNDS} runs killed, in the first of {whole} turns");
    assert!(killed > ROUNDS / 4 && killed < ROUNDS, "{killed} of {ROUNDS} runs were killed");
    assert_eq!(jobs(&fixture.backend).await, []);
    let sent: Vec<String> = messages(fixture.outbox()).iter().map(|file| std::fs::read_to_string(file).expect("reads")).collect();
    for round in 0..ROUNDS {
        let text = format!("message {round} of seed {SEED}\n");
        let times = sent.iter().filter(|sent| sent.ends_with(&text)).count();
        // A message that is sent again after a kill replaces its own file.
        assert_eq!(times, 1, "message {round}");
    }
}

#[tokio::test]
async fn a_message_survives_a_restart_even_while_it_is_sent() {
    let (backend, clock, folder) = on_disk().await;
    let org = Fixture::insert(&backend).await;
    register(&backend, WITH_PHONE, Some(PHONE), &org.harbour).await;
    has_code_sent(&backend, WITH_PHONE, "first").await;
    has_code_sent(&backend, WITH_PHONE, "second").await;
    let (url, mut requests) = gateway().await;
    backend.send_messages_by(Sms::gateway(&url, None).expect("an address"));
    let mut asked = Vec::new();
    tokio::select! {
        biased;
        () = async {
            for _ in 0..2 {
                asked.push(next(&mut requests).await);
            }
        } => {}
        _ = backend.run_due_jobs() => panic!("waits for the gateway"),
    }
    assert!(jobs(&backend).await.iter().all(|job| job.state == JobState::Running));
    drop(backend);

    let backend = reopened(folder.path(), &clock).await;
    let outbox = tempfile::tempdir().expect("a folder");
    backend.send_messages_by(Sms::outbox(outbox.path(), &clock));
    assert_eq!(backend.run_due_jobs().await.expect("runs"), 2, "without waiting for leases of the previous process");
    let texts: String = messages(outbox.path()).iter().map(|file| std::fs::read_to_string(file).expect("reads")).collect();
    assert!(texts.contains("first") && texts.contains("second"), "{texts}");
    assert_eq!(jobs(&backend).await, []);
}

#[tokio::test]
async fn an_expired_code_is_not_sent() {
    let fixture = ActivationFixture::open().await;
    has_code_sent(&fixture.backend, WITH_PHONE, "late").await;
    fixture.clock.advance(TimeDelta::minutes(10));
    assert_eq!(fixture.backend.run_due_jobs().await.expect("runs"), 1);
    assert!(messages(fixture.outbox()).is_empty() && jobs(&fixture.backend).await.is_empty());
}

#[tokio::test]
async fn members_and_unknown_ids_get_the_same_job_but_only_members_a_message() {
    let fixture = ActivationFixture::open().await;
    let mut seen = Vec::new();
    for national_id in [WITH_PHONE, UNKNOWN, &fixture.org.not_activated.national_id] {
        has_code_sent(&fixture.backend, national_id, "code").await;
        let mut waiting = jobs(&fixture.backend).await;
        assert_eq!(waiting.len(), 1, "{national_id}");
        let mut job = waiting.remove(0);
        job.id.clear();
        seen.push(job);
        assert_eq!(fixture.backend.run_due_jobs().await.expect("runs"), 1);
    }
    assert!(seen.iter().all(|job| *job == seen[0]), "{seen:?}");
    assert_eq!(messages(fixture.outbox()).len(), 1);
}

static BROKEN: AtomicBool = AtomicBool::new(true);

/// A notice of a new code whose job panics until [`BROKEN`] is unset.
async fn with_a_broken_notice() -> ActivationFixture {
    let fixture = ActivationFixture::open().await;
    activate(&fixture).await;
    fixture.backend.word_notices_by(|_: Locale, notice: AccountNotice| {
        assert!(!BROKEN.load(Relaxed), "of Trần Thị Lựu, 0987654321");
        format!("{notice:?}")
    });
    fixture.paper_code().await;
    fixture
}

/// Runs the only job until it is parked, and returns it with the number of runs.
async fn until_parked(fixture: &ActivationFixture) -> (JobEntry, usize) {
    let mut attempts = 0;
    loop {
        attempts += fixture.backend.run_due_jobs().await.expect("runs");
        let all = jobs(&fixture.backend).await;
        let [job] = &all[..] else { panic!("{all:?}") };
        assert_eq!(job.last_error.as_deref(), Some("it panicked"), "and nothing of its payload");
        assert_eq!(usize::try_from(job.attempts).expect("a few"), attempts);
        if job.state == JobState::Parked {
            return (job.clone(), attempts);
        }
        assert!(attempts < 100, "it is never parked");
        let wait = job.due_at - fixture.clock.now();
        assert!(wait > TimeDelta::zero() && wait <= TimeDelta::minutes(15), "{wait}");
        fixture.clock.advance(wait);
    }
}

/// The number of parked jobs at the last count.
async fn parked(fixture: &ActivationFixture) -> u64 {
    fixture.backend.jobs().figures().await.expect("counts");
    fixture.backend.jobs().parked()
}

#[tokio::test]
async fn a_panicking_job_is_retried_parked_and_run_on_request_of_the_operator() {
    let fixture = with_a_broken_notice().await;
    let (job, attempts) = until_parked(&fixture).await;
    assert_eq!((job.kind, attempts), (Some(JobKind::NotifyOwner), 12));
    fixture.clock.advance(TimeDelta::days(1));
    assert_eq!(fixture.backend.run_due_jobs().await.expect("runs"), 0, "it is parked");
    assert_eq!(parked(&fixture).await, 1);

    for unknown in ["", "other", "send_sms", "notify_owner/other", "other/one"] {
        for refused in [fixture.backend.jobs().retry(unknown).await, fixture.backend.jobs().discard(unknown).await] {
            assert!(matches!(refused, Err(Error::NotFound)), "{unknown}: {refused:?}");
        }
    }
    assert_eq!(fixture.backend.jobs().retry(&job.id).await.expect("is due"), 1);
    assert_eq!(until_parked(&fixture).await.1, 12, "its attempts are reset");
    BROKEN.store(false, Relaxed);
    assert_eq!(fixture.backend.jobs().retry(JobKind::NotifyOwner.key()).await.expect("all of its kind are due"), 1);
    assert!(fixture.sent().await.contains("CodeIssued"));
    assert_eq!(jobs(&fixture.backend).await, []);
    assert_eq!(parked(&fixture).await, 0);
}

#[tokio::test]
async fn the_operator_deletes_parked_jobs_and_nothing_else() {
    let fixture = with_a_broken_notice().await;
    let waiting = jobs(&fixture.backend).await;
    let refused = fixture.backend.jobs().discard(&waiting[0].id).await;
    assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
    let (job, _) = until_parked(&fixture).await;
    assert_eq!(fixture.backend.jobs().discard(JobKind::NotifyOwner.key()).await.expect("is deleted"), 1);
    assert_eq!(jobs(&fixture.backend).await, []);
    let refused = fixture.backend.jobs().discard(&job.id).await;
    assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
}

#[tokio::test]
async fn a_hanging_job_is_ended_and_the_others_continue() {
    let (backend, clock, org) = organisation().await;
    register(&backend, WITH_PHONE, Some(PHONE), &org.harbour).await;
    let (url, mut requests) = gateway().await;
    backend.send_messages_by(Sms::gateway(&url, None).expect("an address"));
    has_code_sent(&backend, WITH_PHONE, "hangs").await;
    has_code_sent(&backend, UNKNOWN, "for nobody").await;
    let impatient = Runner::new(&backend).with_limit(Duration::from_millis(300));
    assert_eq!(run(&impatient).await, 2);
    let left = jobs(&backend).await;
    let [hung] = &left[..] else { panic!("{left:?}") };
    assert_eq!((hung.state, hung.last_error.as_deref()), (JobState::Waiting, Some("it was not done within 300ms")));

    let _never = next(&mut requests).await;
    clock.advance(TimeDelta::seconds(2));
    let patient = Runner::new(&backend);
    let (runs, ()) = tokio::join!(run(&patient), async {
        next(&mut requests).await.send("200 OK").expect("waits");
    });
    assert_eq!(runs, 1);
    assert_eq!(jobs(&backend).await, []);
}

#[tokio::test]
async fn two_processes_with_clocks_a_minute_apart_run_a_job_once_and_take_over_abandoned_ones() {
    let (backend, clock, org) = organisation().await;
    register(&backend, WITH_PHONE, Some(PHONE), &org.harbour).await;
    let (url, mut requests) = gateway().await;
    backend.send_messages_by(Sms::gateway(&url, None).expect("an address"));
    let ahead = Clock::fixed(start() + TimeDelta::minutes(1), 2);
    let (here, elsewhere) = (Runner::new(&backend), Runner::new(&backend).by_clock(ahead.clone()));

    // One after the other, in both orders.
    for (first, other) in [(&here, &elsewhere), (&elsewhere, &here)] {
        has_code_sent(&backend, WITH_PHONE, "one").await;
        let (runs, ()) = tokio::join!(run(first), async {
            let answer = next(&mut requests).await;
            assert_eq!(run(other).await, 0, "the other one holds the lease");
            answer.send("200 OK").expect("waits");
        });
        assert_eq!(runs, 1);
        assert_eq!(jobs(&backend).await, []);
    }

    // One is suspended in the middle of it; the other takes over, but not too early.
    has_code_sent(&backend, WITH_PHONE, "two").await;
    let suspended = tokio::spawn({
        let here = here.clone();
        async move { here.run_due().await.expect("runs") }
    });
    let late = next(&mut requests).await;
    for clock in [&clock, &ahead] {
        clock.advance(TimeDelta::seconds(60));
    }
    assert_eq!(run(&elsewhere).await, 0, "by the other clock the lease ends just now");
    for clock in [&clock, &ahead] {
        clock.advance(TimeDelta::seconds(31));
    }
    let (runs, ()) = tokio::join!(run(&elsewhere), async {
        next(&mut requests).await.send("200 OK").expect("waits");
    });
    assert_eq!(runs, 1);
    late.send("500 Internal Server Error").expect("waits");
    assert_eq!(timeout(PATIENCE, suspended).await.expect("ends").expect("runs"), 1);
    assert_eq!(jobs(&backend).await, [], "the late result changes nothing");
}

#[tokio::test]
async fn a_scheduled_text_is_published_within_five_seconds_of_its_time() {
    let (backend, clock, org) = organisation().await;
    let (documents, editor) = (backend.documents(), &org.coast_editor.viewer);
    let id = documents.blank(editor).await.expect("a form").draft.id;
    let (key, coast) = (id.to_string(), org.coast.id.to_string());
    documents.save_draft(editor, form(&key, "0", &coast, &coast)).await.expect("is saved");
    submit(&backend, editor, id).await;
    let review = review(&backend, editor, id).await;
    let later = PublishForm { id: &key, version: "1", review: &review, when: "later", at: "2026-11-22T08:00", again: "" };
    let due = documents.publish(&chief(editor), later).await.expect("is scheduled").expect("a time");

    let (one, other) = (Runner::new(&backend), Runner::new(&backend));
    for runner in [&one, &other] {
        runner.enqueue_periodic().await.expect("is there once");
    }
    let periodic = jobs(&backend).await;
    assert!(periodic.len() > 4 && periodic.iter().all(|job| job.due_at == clock.now()), "{periodic:?}");
    clock.advance(due - clock.now() - TimeDelta::milliseconds(1));
    let (first, second) = tokio::join!(run(&one), run(&other));
    assert_eq!(first + second, periodic.len(), "each by one of them");
    assert!(documents.read(&org.fisherman.viewer, id).await.is_err(), "not yet");
    // The runner polls every second.
    for _ in 0..4 {
        clock.advance(TimeDelta::seconds(1));
        run(&one).await;
    }
    assert!(documents.read(&org.fisherman.viewer, id).await.is_ok());
    assert!(jobs(&backend).await.iter().all(|job| job.state == JobState::Waiting && job.attempts == 0));
}

#[tokio::test]
async fn periodic_jobs_continue_after_the_clock_was_set_back() {
    let (backend, clock, _) = organisation().await;
    let runner = Runner::new(&backend);
    runner.enqueue_periodic().await.expect("is there");
    let kinds = run(&runner).await;
    clock.advance(-TimeDelta::hours(7));
    assert!(jobs(&backend).await.iter().all(|job| job.due_at > clock.now() + TimeDelta::hours(6)), "written before");
    runner.keep_periodic().await.expect("is mended");
    assert_eq!(run(&runner).await, 0, "none is due before its period ends");
    clock.advance(TimeDelta::minutes(10));
    assert_eq!(run(&runner).await, kinds);
}

#[tokio::test]
async fn a_stopped_runner_lets_jobs_end_and_a_running_one_runs_enqueued_jobs() {
    let fixture = ActivationFixture::open().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let runner = Runner::new(&fixture.backend);
    let running = tokio::spawn(async move {
        runner
            .run(async {
                let _ = stopped.await;
            })
            .await;
    });
    has_code_sent(&fixture.backend, WITH_PHONE, "soon").await;
    let sent = async {
        while messages(fixture.outbox()).is_empty() {
            yield_now().await;
        }
    };
    timeout(PATIENCE, sent).await.expect("a message in the outbox");
    stop.send(()).expect("runs");
    timeout(PATIENCE, running).await.expect("stops").expect("ends");
    assert!(jobs(&fixture.backend).await.iter().all(|job| job.kind != Some(JobKind::SendSms) && job.state == JobState::Waiting));
}
