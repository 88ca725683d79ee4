//! Load shedding: a limited number of requests runs, a limited number waits, all others get 503 at once with `Retry-After`.
//! Running all requests at once would finish none in time.
//!
//! Invariant: a refused request costs no query.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use app::{
    cookies::{SESSION, sent},
    text,
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use backend::keys::fingerprint;
use domain::Locale;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::yield_now,
    time::timeout,
};
use tokio_stream::StreamExt;

use crate::cookies::chosen_locale;

/// Time limit of a response, after which the reader has left.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(15);

/// Longest wait for a free place; the response takes time as well.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// Running requests per processor. Some of them wait for the disk.
const RUNNING_PER_PROCESSOR: usize = 4;

/// Waiting requests per running one.
const WAITING_PER_RUNNING: usize = 8;

/// Requests per session, including waiting ones. A browser that restores its tabs requests all of them at once, and a page
/// refused here is plain text, which does not retry by itself.
const PER_SESSION: usize = 32;

/// Bytes of a form. The longest text field takes 200,000 characters; in Bengali, form-encoded, each is nine bytes.
const BODY_MAX: usize = 2 * 1024 * 1024;

/// Kilobytes of forms buffered in memory at a time.
const BODIES_MAX: usize = 256 * 1024;

/// Values of `Retry-After` in seconds, used in turn, so that clients do not all return at once.
const BACK_AFTER: [u8; 4] = [2, 3, 4, 5];

/// Admits requests up to the limits.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    running: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    waiting_max: usize,
    wait_max: Duration,
    bodies: Arc<Semaphore>,
    sessions: Sessions,
    refused: Arc<AtomicUsize>,
}

impl Gate {
    pub(crate) fn of_machine() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let running = processors * RUNNING_PER_PROCESSOR;
        Self::new(running, running * WAITING_PER_RUNNING, PER_SESSION, WAIT_MAX)
    }

    fn new(running: usize, waiting_max: usize, per_session: usize, wait_max: Duration) -> Self {
        Self {
            running: Arc::new(Semaphore::new(running)),
            waiting: Arc::default(),
            waiting_max,
            wait_max,
            bodies: Arc::new(Semaphore::new(BODIES_MAX)),
            sessions: Sessions { most: per_session, open: Arc::default() },
            refused: Arc::default(),
        }
    }

    async fn enter(&self, session: Option<&str>) -> Option<RequestPermit> {
        let permit = match session {
            Some(token) => Some(self.sessions.enter(fingerprint(token))?),
            None => None,
        };
        let running = self.wait().await?;
        Some(RequestPermit { _running: running, _permit: permit })
    }

    /// Buffers the form before the request takes a place, so that a slow sender does not block others.
    async fn receive(&self, request: Request) -> Result<Received, StatusCode> {
        let (parts, body) = request.into_parts();
        let (mut whole, mut kept) = (Vec::new(), None::<OwnedSemaphorePermit>);
        let mut pieces = body.into_data_stream();
        // A broken connection leaves an incomplete form, which is rejected.
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| StatusCode::BAD_REQUEST)?;
            if whole.len() + piece.len() > BODY_MAX {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            // Account for buffered bytes, not for the number of pieces: a slow connection sends many small ones.
            let held = kept.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
            let more = (whole.len() + piece.len()).div_ceil(1024).saturating_sub(held);
            if more > 0 {
                let more = u32::try_from(more).unwrap_or(u32::MAX);
                let room = Arc::clone(&self.bodies).try_acquire_many_owned(more);
                let room = room.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
                match &mut kept {
                    Some(kept) => kept.merge(room),
                    None => kept = Some(room),
                }
            }
            whole.extend_from_slice(&piece);
        }
        Ok(Received { request: Request::from_parts(parts, Body::from(whole)), _kept: kept })
    }

    /// Rendering does not yield, so requests would wait uncounted in the queue of the runtime: yielding here counts all that have
    /// arrived before the next one runs, and the wait is measured here.
    async fn wait(&self) -> Option<OwnedSemaphorePermit> {
        let arrived = Instant::now();
        let _waiting = Waiting::enter(&self.waiting, self.waiting_max)?;
        yield_now().await;
        let permit = timeout(self.wait_max, Arc::clone(&self.running).acquire_owned()).await.ok()?.ok()?;
        (arrived.elapsed() <= self.wait_max).then_some(permit)
    }

    fn come_back(&self, locale: Locale) -> Response {
        metrics::counter!("handbook_requests_refused_total").increment(1);
        let after = BACK_AFTER[self.refused.fetch_add(1, Relaxed) % BACK_AFTER.len()];
        let headers = [(header::RETRY_AFTER, after.to_string()), (header::CACHE_CONTROL, "no-store".to_owned())];
        (StatusCode::SERVICE_UNAVAILABLE, headers, text::server::too_slow(locale)).into_response()
    }
}

/// Runs before anything is read from the store.
pub(crate) async fn guard(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let locale = chosen_locale(request.headers());
    let received = match timeout(TIME_MAX, gate.receive(request)).await {
        Ok(Ok(received)) => received,
        Ok(Err(StatusCode::PAYLOAD_TOO_LARGE)) => {
            return (StatusCode::PAYLOAD_TOO_LARGE, text::server::too_large(locale)).into_response();
        }
        Ok(Err(StatusCode::BAD_REQUEST)) => return StatusCode::BAD_REQUEST.into_response(),
        Ok(Err(_)) | Err(_) => return gate.come_back(locale),
    };
    let session = sent(received.request.headers(), SESSION.name);
    let Some(inside) = gate.enter(session).await else { return gate.come_back(locale) };
    let Received { request, _kept } = received;
    let response = next.run(request).await;
    // Writing the body to a slow connection takes none of our work, so the place is freed first.
    drop(inside);
    response
}

/// A request with its form buffered.
struct Received {
    request: Request,
    /// Permits for the memory of the form.
    _kept: Option<OwnedSemaphorePermit>,
}

/// Place of a running request.
struct RequestPermit {
    _running: OwnedSemaphorePermit,
    _permit: Option<SessionPermit>,
}

/// Counts waiting requests; on drop also releases those that give up.
struct Waiting<'g>(&'g AtomicUsize);

impl<'g> Waiting<'g> {
    fn enter(waiting: &'g AtomicUsize, most: usize) -> Option<Self> {
        let counted = Self(waiting);
        (waiting.fetch_add(1, Relaxed) < most).then_some(counted)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Limits what each session has open at a time.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    most: usize,
    open: Arc<Mutex<HashMap<String, usize>>>,
}

impl Sessions {
    pub(crate) fn at_most(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// `None` if the session has reached its limit. `session` is the hash of its token.
    pub(crate) fn enter(&self, session: String) -> Option<SessionPermit> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(session.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(SessionPermit { sessions: self.clone(), session })
    }
}

/// Counts until it is dropped.
#[derive(Debug)]
pub(crate) struct SessionPermit {
    sessions: Sessions,
    session: String,
}

impl Drop for SessionPermit {
    fn drop(&mut self) {
        let mut open = self.sessions.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, middleware::from_fn_with_state, routing::get};
    use tower::ServiceExt;

    use super::*;

    /// A generous timeout for slow machines.
    const PATIENCE: Duration = Duration::from_secs(30);

    struct Slow {
        router: Router,
        began: Arc<Semaphore>,
        go_on: Arc<Semaphore>,
    }

    /// A gate whose handler reports when it starts, and responds when released.
    fn slow(gate: Gate) -> Slow {
        let (began, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let page = {
            let (began, go_on) = (Arc::clone(&began), Arc::clone(&go_on));
            move || async move {
                began.add_permits(1);
                go_on.acquire().await.expect("is open").forget();
                "done"
            }
        };
        Slow { router: Router::new().route("/", get(page)).layer(from_fn_with_state(gate, guard)), began, go_on }
    }

    impl Slow {
        fn ask(&self, session: Option<&str>) -> tokio::task::JoinHandle<Response> {
            let cookie = session.map(|token| format!("{}={token}", SESSION.name)).unwrap_or_default();
            let request = Request::get("/").header("cookie", cookie).body(Body::empty()).expect("a request");
            let answer = self.router.clone().oneshot(request);
            tokio::spawn(async move { answer.await.expect("an answer") })
        }

        async fn begun(&self, count: u32) {
            timeout(PATIENCE, self.began.acquire_many(count)).await.expect("in time").expect("is open").forget();
        }
    }

    async fn status(asked: tokio::task::JoinHandle<Response>) -> u16 {
        timeout(PATIENCE, asked).await.expect("in time").expect("no panic").status().as_u16()
    }

    #[tokio::test]
    async fn requests_beyond_the_limit_wait_and_those_beyond_the_queue_are_refused_at_once() {
        let gate = Gate::new(1, 1, 9, PATIENCE);
        let slow = slow(gate.clone());
        let first = slow.ask(None);
        slow.begun(1).await;
        let second = slow.ask(None);
        let waits = async {
            while gate.waiting.load(Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, waits).await.expect("the second one waits");
        let third = timeout(PATIENCE, slow.ask(None)).await.expect("at once").expect("no panic");
        assert_eq!(third.status(), 503);
        let after: u8 = third.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((1..=10).contains(&after));
        slow.go_on.add_permits(1);
        assert_eq!(status(first).await, 200);
        slow.begun(1).await;
        slow.go_on.add_permits(1);
        assert_eq!(status(second).await, 200, "the waiting request is served");
        assert_eq!(gate.waiting.load(Relaxed), 0);
    }

    #[tokio::test]
    async fn a_form_takes_the_memory_of_its_bytes_in_however_many_pieces_it_comes() {
        let gate = Gate::new(1, 1, 9, PATIENCE);
        let pieces = tokio_stream::iter(std::iter::repeat_n("x", 1_500)).map(Ok::<_, std::convert::Infallible>);
        let request = Request::post("/").body(Body::from_stream(pieces)).expect("a request");
        let received = gate.receive(request).await.expect("is taken in");
        assert_eq!(BODIES_MAX - gate.bodies.available_permits(), 2);
        drop(received);
        assert_eq!(gate.bodies.available_permits(), BODIES_MAX);
    }

    #[tokio::test]
    async fn a_browser_may_open_many_pages_at_once() {
        let slow = slow(Gate::new(1, 64, PER_SESSION, PATIENCE));
        let asked: Vec<_> = (0..20).map(|_| slow.ask(Some("a"))).collect();
        slow.go_on.add_permits(20);
        for asked in asked {
            assert_eq!(status(asked).await, 200);
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let slow = slow(Gate::new(1, 5, 9, Duration::from_millis(20)));
        let first = slow.ask(None);
        slow.begun(1).await;
        assert_eq!(status(slow.ask(None)).await, 503);
        slow.go_on.add_permits(1);
        assert_eq!(status(first).await, 200);
    }

    #[tokio::test]
    async fn one_session_does_not_take_all_places() {
        let gate = Gate::new(9, 9, 2, PATIENCE);
        let slow = slow(gate.clone());
        let (first, second) = (slow.ask(Some("a")), slow.ask(Some("a")));
        slow.begun(2).await;
        assert_eq!(status(slow.ask(Some("a"))).await, 503);
        let other = slow.ask(Some("b"));
        slow.begun(1).await;
        slow.go_on.add_permits(3);
        for asked in [first, second, other] {
            assert_eq!(status(asked).await, 200);
        }
        assert!(gate.sessions.open.lock().expect("is whole").is_empty(), "no session is counted any more");
    }
}
