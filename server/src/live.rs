//! `GET /live?unit=…`: streams the figures of a unit's page (SSE) whenever something in its subtree changes.

use std::{convert::Infallible, time::Duration};

use app::{context::request::RequestContext, error::AppError, error::Kind, terms};
use axum::{
    Extension,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{self, KeepAlive},
    },
};
use backend::{Backend, keys::fingerprint};
use domain::{
    accounts::Viewer,
    events::{Event, EventKind, Subject},
    ids::UnitId,
    statistics::StatisticsPage,
    tables::TableQuery,
    units::UnitPath,
};
use serde::Deserialize;
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        mpsc, watch,
    },
    time::{Instant, sleep, sleep_until},
};
use tokio_stream::wrappers::ReceiverStream;

use crate::{answers::problem as refused, listen::closed, overload::SessionPermit, state::Shared};

/// An open page is updated at most once in this time.
const FRAME: Duration = Duration::from_secs(1);

/// Keeps proxies from closing an idle connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How often the session is checked.
const CHECK_EVERY: Duration = Duration::from_mins(1);

#[derive(Debug, Deserialize)]
pub(crate) struct QueryParams {
    unit: Option<String>,
    // Query of the table on the page.
    q: Option<String>,
    sort: Option<String>,
    rows: Option<String>,
}

pub(crate) async fn live(
    State(shared): State<Shared>,
    Extension(context): Extension<RequestContext>,
    Query(asked): Query<QueryParams>,
) -> Response {
    let locale = context.page.preferences.locale;
    let (Some(viewer), Some(token)) = (context.page.viewer, context.token) else {
        return refused(locale, Kind::NotSignedIn);
    };
    let Some(permit) = shared.streams.enter(fingerprint(&token)) else {
        let headers = [(header::RETRY_AFTER, "30")];
        return (StatusCode::TOO_MANY_REQUESTS, headers, terms::error_text(locale, Kind::Busy)).into_response();
    };
    let Ok(unit) = asked.unit.as_deref().map(str::parse::<UnitId>).transpose() else {
        return refused(locale, Kind::NotFound);
    };
    let query = TableQuery::parse(asked.q.as_deref(), asked.sort.as_deref(), asked.rows.as_deref());
    // Subscribe before reading the first figures, so that no event is missed.
    let events = shared.backend.events().listen();
    let page = match shared.backend.statistics().table(&viewer, unit, &query).await {
        Ok(page) => page,
        Err(error) => return refused(locale, AppError::from(error).kind.for_viewer(Some(&viewer))),
    };
    let (frames, stream) = mpsc::channel(1);
    let open = OpenPage {
        unit: page.total.unit.id,
        path: page.total.unit.path.clone(),
        query,
        backend: shared.backend,
        viewer,
        token,
        events,
        closing: shared.closing,
        frames,
        check_at: Instant::now() + CHECK_EVERY,
        _permit: permit,
    };
    tokio::spawn(open.keep_up(page));
    Sse::new(ReceiverStream::new(stream)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// An open page.
struct OpenPage {
    backend: Backend,
    viewer: Viewer,
    token: String,
    unit: UnitId,
    path: UnitPath,
    query: TableQuery,
    events: broadcast::Receiver<Event>,
    closing: watch::Receiver<bool>,
    frames: mpsc::Sender<Result<sse::Event, Infallible>>,
    check_at: Instant,
    /// Counts against the session's limit.
    _permit: SessionPermit,
}

/// Why the loop continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    /// Something in the subtree changed.
    Changed,
    /// The session may have ended.
    Check,
    /// The client disconnected, or the program stops.
    Over,
}

/// Result of checking the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checked {
    Same,
    /// Offices were added, ended or suspended.
    Changed,
    Ended,
}

impl OpenPage {
    async fn keep_up(mut self, first: StatisticsPage) {
        metrics::gauge!("handbook_live_pages").increment(1.0);
        self.send_until_over(first).await;
        metrics::gauge!("handbook_live_pages").decrement(1.0);
    }

    async fn send_until_over(&mut self, first: StatisticsPage) {
        let mut shown = first;
        if !self.send(&shown).await {
            return;
        }
        loop {
            let wake = self.wake().await;
            match wake {
                Wake::Over => return,
                Wake::Check => match self.check().await {
                    Checked::Ended => return,
                    Checked::Same => continue,
                    // The next read checks the permissions again.
                    Checked::Changed => {}
                },
                Wake::Changed => {}
            }
            match self.backend.statistics().table(&self.viewer, Some(self.unit), &self.query).await {
                Ok(page) if page != shown => {
                    if !self.send(&page).await {
                        return;
                    }
                    shown = page;
                }
                Ok(_) => {}
                // The unit is no longer visible; the page learns that when it reconnects.
                Err(error) => {
                    tracing::debug!(%error, "closing a live page");
                    return;
                }
            }
            // Events meanwhile are buffered in the channel and part of the next frame.
            sleep(FRAME).await;
        }
    }

    async fn wake(&mut self) -> Wake {
        loop {
            let event = tokio::select! {
                event = self.events.recv() => event,
                () = self.frames.closed() => return Wake::Over,
                () = closed(&mut self.closing) => return Wake::Over,
                () = sleep_until(self.check_at) => return Wake::Check,
            };
            match event {
                Ok(event) if self.may_end_session(&event) => return Wake::Check,
                Ok(event) if self.path.contains(&event.unit) => return self.drain(),
                Ok(_) => {}
                // The channel overflowed: read all figures.
                Err(RecvError::Lagged(_)) => return Wake::Changed,
                Err(RecvError::Closed) => return Wake::Over,
            }
        }
    }

    /// Drains all pending events: one frame shows them together.
    fn drain(&mut self) -> Wake {
        while let Ok(event) = self.events.try_recv() {
            if self.may_end_session(&event) {
                // Check at the next iteration, after this frame.
                self.check_at = Instant::now();
            }
        }
        Wake::Changed
    }

    /// Whether the event may end one of the reader's sessions.
    fn may_end_session(&self, event: &Event) -> bool {
        let member = self.viewer.member;
        matches!(event.kind(), EventKind::SignedOut | EventKind::SessionRevoked | EventKind::PasswordChanged)
            && (event.actor == Some(member) || event.body.subject() == Subject::Member(member))
    }

    async fn check(&mut self) -> Checked {
        self.check_at = Instant::now() + CHECK_EVERY;
        match self.backend.accounts().session(&self.token).await {
            Ok(Some(session)) if session.viewer == self.viewer => Checked::Same,
            Ok(Some(session)) => {
                self.viewer = session.viewer;
                Checked::Changed
            }
            Ok(None) => Checked::Ended,
            Err(error) => {
                tracing::warn!(%error, "cannot check the session of a live page; will retry");
                Checked::Same
            }
        }
    }

    /// Returns false if the client disconnected.
    async fn send(&self, page: &StatisticsPage) -> bool {
        match sse::Event::default().json_data(page) {
            Ok(frame) => self.frames.send(Ok(frame)).await.is_ok(),
            Err(error) => {
                tracing::error!(%error, "cannot encode the figures as JSON");
                false
            }
        }
    }
}
