//! Putting the program together: store, pages, address.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context, Result, anyhow};
use axum::Router;
use backend::{Backend, Clock, Error, Keys, Place};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    assets::Site,
    config::{Database, ServeSettings, StoreSettings},
    health, jobs, router,
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
        let backend = open(&settings.store).await?;
        Self::with_backend(backend, settings.addr, &settings.site).await
    }

    /// The same on a store that is open already.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn with_backend(backend: Backend, addr: SocketAddr, site: &Path) -> Result<Self> {
        let site = Site::read(site)?;
        let listener = TcpListener::bind(addr).await.with_context(|| format!("cannot listen on {addr}"))?;
        let address = listener.local_addr().context("the address has no name")?;
        let closing = watch::Sender::new(false);
        let router = router::build(&backend, &site, address, &closing.subscribe());
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
        let served = tokio::select! {
            served = axum::serve(listener, router).with_graceful_shutdown(asked).into_future() => served.context("the address failed"),
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
    Backend::open(&place, keys, clock).await.map_err(|error| match error {
        Error::InUse => anyhow!(
            "another process is using the data folder {}: stop it first, or choose another folder with --data",
            settings.data.display()
        ),
        other => anyhow::Error::new(other).context("cannot open the store"),
    })
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
