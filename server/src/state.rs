//! State shared by the handlers. Handlers that need only a part of it extract that, by `FromRef`.
//!
//! Invariant: this module does not depend on routes, so every module with routes may use it.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use axum::extract::FromRef;
use backend::Backend;
use leptos::config::{Env, LeptosOptions};
use tokio::sync::{Mutex, watch};

use crate::{
    federation::Federation,
    overload::{Gate, Sessions},
    proxy::TrustedProxies,
};

/// Open live pages per session.
const STREAMS_PER_SESSION: usize = 8;

/// Time and result of the last check whether the store accepts writes.
pub(crate) type Readiness = Option<(Instant, bool)>;

#[derive(Clone, FromRef)]
pub(crate) struct Shared {
    pub(crate) backend: Backend,
    pub(crate) proxies: TrustedProxies,
    pub(crate) federation: Arc<Federation>,
    /// The address people use, without a trailing slash.
    pub(crate) origin: Arc<str>,
    pub(crate) options: LeptosOptions,
    pub(crate) gate: Gate,
    pub(crate) streams: Sessions,
    pub(crate) readiness: Arc<Mutex<Readiness>>,
    pub(crate) closing: watch::Receiver<bool>,
}

impl Shared {
    pub(crate) fn new(
        backend: &Backend,
        address: SocketAddr,
        proxies: &TrustedProxies,
        federation: Federation,
        origin: &str,
        closing: &watch::Receiver<bool>,
    ) -> Self {
        Self {
            backend: backend.clone(),
            proxies: proxies.clone(),
            federation: Arc::new(federation),
            origin: origin.trim_end_matches('/').into(),
            options: LeptosOptions::builder().output_name("handbook").site_addr(address).env(Env::PROD).build(),
            gate: Gate::of_machine(),
            streams: Sessions::at_most(STREAMS_PER_SESSION),
            readiness: Arc::default(),
            closing: closing.clone(),
        }
    }
}
