//! Assembles the program: store, pages, addresses.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use axum::Router;
use backend::{
    Backend, Clock, Error, KeySource, Keys, Progress, StoreLocation,
    files::{Extractor, FileStorage},
    sms::Sms,
};
use openidconnect::url::Url;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    assets::Site,
    config::{Database, ServeSettings, StoreSettings},
    data_folder,
    federation::{self, Federation},
    health,
    jobs::{self, Background},
    listen::{self, Limits},
    proxy::TrustedProxies,
    router, starting,
    state::Shared,
};

/// How long requests in flight may take to finish at a stop.
const FAREWELL: Duration = Duration::from_secs(10);

/// The program, ready to serve.
pub struct Application {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    /// Listener and router of the metrics.
    numbers: Option<(TcpListener, Router)>,
    limits: Limits,
    backend: Backend,
    closing: watch::Sender<bool>,
}

/// Network settings of the program.
pub struct Edge {
    pub addr: SocketAddr,
    /// Address of the metrics.
    pub metrics_addr: Option<SocketAddr>,
    pub site: PathBuf,
    pub proxies: TrustedProxies,
    pub federation: federation::Settings,
    /// The address people use; by default that of the federation, else the listening address.
    pub origin: Option<Url>,
}

impl Edge {
    /// For this machine only, with defaults for everything else.
    pub fn here(addr: SocketAddr, site: &Path) -> Self {
        Self {
            addr,
            metrics_addr: None,
            site: site.to_owned(),
            proxies: TrustedProxies::default(),
            federation: federation::Settings::default(),
            origin: None,
        }
    }

    fn of(settings: &ServeSettings) -> Result<Self> {
        Ok(Self {
            addr: settings.addr,
            metrics_addr: settings.metrics_addr,
            site: settings.site.clone(),
            proxies: settings.trusted_proxy.clone(),
            federation: settings.oidc.as_deref().map(federation::Settings::read).transpose()?.unwrap_or_default(),
            origin: settings.origin.clone(),
        })
    }

    fn origin(&self, address: SocketAddr) -> Result<Url> {
        match self.origin.as_ref().or(self.federation.origin.as_ref()) {
            Some(origin) => Ok(origin.clone()),
            None => Url::parse(&format!("http://{address}")).context("the listening address"),
        }
    }

    /// Warns about settings that are often forgotten behind a proxy.
    fn warn(&self) {
        let is_behind_another = self.addr.ip().is_loopback() && self.origin.is_some();
        if is_behind_another && !self.proxies.are_named() {
            tracing::warn!(
                "all clients seem to come from the proxy, so their sign-in attempts count as one network: list it in HANDBOOK_TRUSTED_PROXY"
            );
        }
        if self.origin.is_none() && self.federation.origin.is_none() && !self.addr.ip().is_loopback() {
            tracing::warn!("sheets of codes show the listening address: set the one people use with HANDBOOK_ORIGIN");
        }
    }
}

impl Application {
    /// Opens the store, then listens, so that nothing is served by a half-started program. While the store is migrated, the
    /// address reports the progress (`starting.rs`).
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn build(settings: &ServeSettings) -> Result<Self> {
        let edge = Edge::of(settings)?;
        let progress = Progress::default();
        let addresses: Vec<_> = [Some(edge.addr), edge.metrics_addr].into_iter().flatten().collect();
        let opened = open_telling(&settings.store, &progress);
        let backend = starting::answer_until(opened, &addresses, progress.subscribe()).await?;
        backend.send_messages_by(sms(settings, &backend)?);
        backend.word_notices_by(app::account::notice_words);
        edge.warn();
        Self::on(backend, &edge).await
    }

    /// Builds the program on a store that is already open.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn on(backend: Backend, edge: &Edge) -> Result<Self> {
        // Install the recorder before anything is measured.
        health::recorder();
        let site = Site::read(&edge.site)?;
        let (listener, address) = listen(edge.addr).await?;
        let origin = edge.origin(address)?;
        let federation = Federation::new(&edge.federation, &origin)?;
        let closing = watch::Sender::new(false);
        let shared = Shared::new(&backend, address, &edge.proxies, federation, origin.as_str(), &closing.subscribe());
        let numbers = match edge.metrics_addr {
            Some(address) => Some((listen(address).await?.0, router::numbers(&shared))),
            None => None,
        };
        let router = router::build(&shared, &site);
        let limits = Limits::of_process(&edge.proxies);
        Ok(Self { listener, address, router, numbers, limits, backend, closing })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the metrics.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.numbers.as_ref().and_then(|(listener, _)| listener.local_addr().ok())
    }

    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Serves until `stop` resolves, then lets open requests finish.
    ///
    /// # Errors
    /// If the store has stopped accepting writes and only a restart helps.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let Self { listener, router, numbers, limits, backend, closing, .. } = self;
        let background = Background::start(&backend, health::recorder());
        let stopping = closing.subscribe();
        let mut closed = closing.subscribe();
        let served = async {
            let numbers = async {
                if let Some((listener, router)) = numbers {
                    listen::serve(listener, router, Limits::few(), stopping.clone()).await;
                }
            };
            tokio::join!(listen::serve(listener, router, limits, stopping.clone()), numbers);
        };
        let asked = async move {
            stop.await;
            // This ends idle connections and live streams; other connections end by themselves.
            closing.send_replace(true);
            // The sender must live until serving has ended.
            std::future::pending::<()>().await;
        };
        let late = async move {
            listen::closed(&mut closed).await;
            tokio::time::sleep(FAREWELL).await;
        };
        let outcome = tokio::select! {
            () = served => Ok(()),
            () = asked => Ok(()),
            stuck = jobs::watch_store(&backend) => stuck,
            () = late => {
                tracing::warn!("some requests did not finish in time and were cut off");
                Ok(())
            }
        };
        background.stop().await;
        backend.imports().stop().await;
        if outcome.is_ok() {
            jobs::save_counters_at_the_end(&backend).await;
        }
        outcome
    }
}

async fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(addr).await.with_context(|| format!("cannot listen on {addr}"))?;
    let address = listener.local_addr().context("the address has no name")?;
    Ok((listener, address))
}

/// Opens the store of the settings.
///
/// # Errors
/// A sentence for the operator.
pub async fn open(settings: &StoreSettings) -> Result<Backend> {
    open_telling(settings, &Progress::default()).await
}

async fn open_telling(settings: &StoreSettings, progress: &Progress) -> Result<Backend> {
    // Before the store, whose units have levels of the pack. Not only pages use its words: the report of an import does too.
    app::text::use_pack(settings.terms.read()?);
    let clock = settings.clock();
    let location = settings.location();
    if !matches!(location, StoreLocation::Memory) {
        data_folder::prepare(&settings.data)?;
    }
    let file = settings.data.join("secret.key");
    let keys = match keys(settings, &clock) {
        Some(keys) => KeySource::Given(keys),
        None => {
            data_folder::check_key_permissions(&file);
            KeySource::File(&file)
        }
    };
    let opened = Backend::open_with(&location, keys, clock, progress).await;
    let backend = opened.map_err(|error| match error {
        Error::InUse => anyhow!(
            "another process is using the data folder {}: stop it first, or choose another folder with --data",
            settings.data.display()
        ),
        other => anyhow::Error::new(other).context("cannot open the store"),
    })?;
    if let Some(storage) = file_storage(settings, &location)? {
        backend.keep_files_in(storage);
    }
    if matches!(location, StoreLocation::Server { .. }) {
        backend.keep_imports_in(&settings.data);
    }
    match std::env::current_exe() {
        Ok(program) => backend.read_files_by(Extractor::process(&program)),
        Err(error) => tracing::error!(%error, "cannot find the program's own path: files will have no text and no preview"),
    }
    Ok(backend)
}

/// The object store of document files; `None` to keep them beside the embedded store.
fn file_storage(settings: &StoreSettings, location: &StoreLocation) -> Result<Option<FileStorage>> {
    match (&settings.files_url, location) {
        (Some(url), _) => Ok(Some(FileStorage::bucket(url)?)),
        (None, StoreLocation::Server { .. }) => {
            tracing::warn!(
                "files are stored in the data folder of this server; several servers need a bucket, see HANDBOOK_FILES_URL"
            );
            Ok(Some(FileStorage::folder(&settings.data)?))
        }
        (None, StoreLocation::Folder(_) | StoreLocation::Memory) => Ok(None),
    }
}

/// The operator's gateway, else a folder beside the store.
fn sms(settings: &ServeSettings, backend: &Backend) -> Result<Sms> {
    match &settings.sms_url {
        Some(url) => Ok(Sms::gateway(url, settings.sms_token.as_ref().map(|token| token.expose().to_owned()))?),
        None => Ok(Sms::outbox(&settings.store.data.join("outbox"), backend.clock())),
    }
}

/// The key of the settings; `None` if it is in the data folder.
fn keys(settings: &StoreSettings, clock: &Clock) -> Option<Keys> {
    match (&settings.secret, &settings.db) {
        (Some(keys), _) => Some(keys.clone()),
        // Sealed data is lost with the process, so the key may be too.
        (None, Some(Database::Memory)) => {
            let mut master = [0; 32];
            clock.fill(&mut master);
            Some(Keys::from_master(&master))
        }
        (None, _) => None,
    }
}
