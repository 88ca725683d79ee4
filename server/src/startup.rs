//! Putting the program together: store, pages, address.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context, Result, anyhow};
use axum::{Extension, Router};
use backend::{
    Backend, Clock, Error, Keys, Place,
    files::{Extractor, FileStorage},
    sms::Sms,
};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    assets::Site,
    config::{Database, ServeSettings, StoreSettings},
    federation::{self, Federation},
    health, jobs,
    proxy::TrustedProxies,
    router,
};

/// How long requests that are under way may take to finish when the program is asked to stop.
const FAREWELL: Duration = Duration::from_secs(10);

/// The program, ready to serve.
pub struct Application {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    backend: Backend,
    closing: watch::Sender<bool>,
}

impl Application {
    /// Opens the store, then the address: nobody is served by half a program.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn build(settings: &ServeSettings) -> Result<Self> {
        let federation = settings.oidc.as_deref().map(federation::Settings::read).transpose()?.unwrap_or_default();
        let backend = open(&settings.store).await?;
        backend.send_messages_by(sms(settings, &backend)?);
        let mut application =
            Self::assemble(backend, settings.addr, &settings.site, &settings.trusted_proxy, &federation).await?;
        app::text::use_pack(settings.terms);
        application.router = application.router.layer(Extension(settings.terms));
        Ok(application)
    }

    /// The same on a store that is open already, with providers that vouch for people.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn with_federation(
        backend: Backend,
        addr: SocketAddr,
        site: &Path,
        federation: &federation::Settings,
    ) -> Result<Self> {
        Self::assemble(backend, addr, site, &TrustedProxies::default(), federation).await
    }

    async fn assemble(
        backend: Backend,
        addr: SocketAddr,
        site: &Path,
        proxies: &TrustedProxies,
        federation: &federation::Settings,
    ) -> Result<Self> {
        let site = Site::read(site)?;
        let listener = TcpListener::bind(addr).await.with_context(|| format!("cannot listen on {addr}"))?;
        let address = listener.local_addr().context("the address has no name")?;
        let closing = watch::Sender::new(false);
        let federation = Federation::new(federation, address)?;
        let router = router::build(&backend, &site, address, proxies, federation, &closing.subscribe());
        Ok(Self { listener, address, router, backend, closing })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Serves until `stop` is over, then lets open requests finish.
    ///
    /// # Errors
    /// When the address fails.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let Self { listener, router, backend, closing, .. } = self;
        let mut jobs = jobs::start(&backend, health::recorder());
        let mut closed = closing.subscribe();
        let asked = async move {
            stop.await;
            // Live streams end by this; others end by themselves.
            closing.send_replace(true);
        };
        let late = async move {
            // An error means that the sender is gone: then the serving is over anyway.
            let _ = closed.wait_for(|closing| *closing).await.map(|_| ());
            tokio::time::sleep(FAREWELL).await;
        };
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let served = tokio::select! {
            served = axum::serve(listener, service).with_graceful_shutdown(asked).into_future() => served.context("the address failed"),
            () = late => {
                tracing::warn!("some requests did not finish in time and were cut off");
                Ok(())
            }
        };
        jobs.shutdown().await;
        backend.imports().stop().await;
        served
    }
}

/// Opens the store of the settings.
///
/// # Errors
/// A sentence for the operator.
pub async fn open(settings: &StoreSettings) -> Result<Backend> {
    let clock = Clock::system();
    let place = settings.place();
    if !matches!(place, Place::Memory) {
        fs::create_dir_all(&settings.data).with_context(|| format!("cannot make the data folder {}", settings.data.display()))?;
    }
    let keys = keys(settings, &clock)?;
    let backend = Backend::open(&place, keys, clock).await.map_err(|error| match error {
        Error::InUse => anyhow!(
            "another process is using the data folder {}: stop it first, or choose another folder with --data",
            settings.data.display()
        ),
        other => anyhow::Error::new(other).context("cannot open the store"),
    })?;
    if let Some(storage) = file_storage(settings, &place)? {
        backend.keep_files_in(storage);
    }
    match std::env::current_exe() {
        Ok(program) => backend.read_files_by(Extractor::process(&program)),
        Err(error) => tracing::error!(%error, "the program does not know where it lies: files will have no text and no preview"),
    }
    Ok(backend)
}

/// Where the files of documents lie, unless it is beside the embedded store.
fn file_storage(settings: &StoreSettings, place: &Place) -> Result<Option<FileStorage>> {
    match (&settings.files_url, place) {
        (Some(url), _) => Ok(Some(FileStorage::bucket(url)?)),
        (None, Place::Server { .. }) => {
            tracing::warn!("files lie in the data folder of this server; several servers need a bucket, see HANDBOOK_FILES_URL");
            Ok(Some(FileStorage::folder(&settings.data)?))
        }
        (None, Place::Folder(_) | Place::Memory) => Ok(None),
    }
}

/// Through the operator's gateway, else into a folder beside the store.
fn sms(settings: &ServeSettings, backend: &Backend) -> Result<Sms> {
    match &settings.sms_url {
        Some(url) => Ok(Sms::gateway(url, settings.sms_token.as_ref().map(|token| token.expose().to_owned()))?),
        None => Ok(Sms::outbox(&settings.store.data.join("outbox"), backend.clock())),
    }
}

fn keys(settings: &StoreSettings, clock: &Clock) -> Result<Keys> {
    match (&settings.secret, &settings.db) {
        (Some(keys), _) => Ok(keys.clone()),
        // What is sealed is gone with the process, so may be its key.
        (None, Some(Database::Memory)) => {
            let mut master = [0; 32];
            clock.fill(&mut master);
            Ok(Keys::from_master(&master))
        }
        (None, _) => Ok(Keys::from_file(&settings.data.join("secret.key"), clock)?),
    }
}
