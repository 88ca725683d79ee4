//! Accepts connections, with limits on what one client, or all of them, can hold.
//!
//! `axum::serve` limits neither the time for a request head nor the number of connections, so a few hundred clients that never
//! finish a request would block everybody else.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tower::ServiceExt;

use crate::proxy::{TrustedProxies, network};

/// How long a request head may take to arrive, and how long a connection may be idle between two requests.
const HEAD_TIME: Duration = Duration::from_secs(20);

/// Pause after a system error, such as no free file handle.
const PAUSE: Duration = Duration::from_secs(1);

/// Files and sockets reserved for the process itself: store, uploads, providers.
const OWN_FILES: u64 = 2_048;

/// Upper limit of open connections: each takes memory.
const CONNECTIONS_MAX: u64 = 16_384;

/// Wanted limit of open files; few systems grant as many.
const FILES_WANTED: u64 = 65_536;

/// Limits of open connections.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// In total. Further ones wait to be accepted.
    pub(crate) all: usize,
    /// From one network: see [`network`]. Further ones are closed.
    pub(crate) of_network: usize,
    pub(crate) head_time: Duration,
    /// Exempt from the limit of a network, because all their clients share their address; proxies must limit clients themselves.
    pub(crate) proxies: TrustedProxies,
}

impl Limits {
    /// As many as this process may open, a quarter of them from one network: a village or a mobile network shares an address.
    pub(crate) fn of_process(proxies: &TrustedProxies) -> Self {
        let all = connections(files());
        Self { all, of_network: (all / 4).max(1), head_time: HEAD_TIME, proxies: proxies.clone() }
    }

    /// For an address that only operators can reach, or that is used briefly.
    pub(crate) fn few() -> Self {
        Self { all: 64, of_network: 64, head_time: HEAD_TIME, proxies: TrustedProxies::default() }
    }
}

fn connections(files: u64) -> usize {
    let left = files.saturating_sub(OWN_FILES).max(files / 2);
    usize::try_from(left.clamp(1, CONNECTIONS_MAX)).unwrap_or(1)
}

/// Raises the number of open files to what the system allows, and returns it.
#[cfg(unix)]
fn files() -> u64 {
    rlimit::increase_nofile_limit(FILES_WANTED).unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot raise the limit of open files");
        OWN_FILES
    })
}

#[cfg(not(unix))]
fn files() -> u64 {
    FILES_WANTED
}

/// Serves until `closing` is true, then lets open requests finish. Idle connections are closed at once.
pub(crate) async fn serve(listener: TcpListener, router: Router, limits: Limits, mut closing: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let networks = Networks::default();
    loop {
        let has_room = connections.len() < limits.all;
        tokio::select! {
            accepted = listener.accept(), if has_room => match accepted {
                Ok((stream, peer)) => {
                    let Some(permit) = networks.enter(peer.ip(), &limits) else {
                        metrics::counter!("handbook_connections_refused_total").increment(1);
                        continue;
                    };
                    let served = connection(stream, peer, router.clone(), limits.head_time, closing.clone());
                    connections.spawn(async move {
                        served.await;
                        drop(permit);
                    });
                }
                Err(error) => rest_after(&error).await,
            },
            Some(_) = connections.join_next() => {}
            () = closed(&mut closing) => break,
        }
        metrics::gauge!("handbook_connections").set(f64::from(u32::try_from(connections.len()).unwrap_or(u32::MAX)));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Pauses after an error of the system; a client that has disconnected already needs no pause.
async fn rest_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};

    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "cannot accept connections");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    head_time: Duration,
    mut closing: watch::Receiver<bool>,
) {
    // Responses are written as a whole; Nagle's algorithm would only delay them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.clone().oneshot(request);
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(head_time);
    let mut served = pin!(server.serve_connection(TokioIo::new(stream), service));
    // Errors of the client and disconnects are not logged.
    tokio::select! {
        _ = served.as_mut() => return,
        () = closed(&mut closing) => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = served.await;
}

/// Resolves when the program is asked to stop.
pub(crate) async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means that the sender is dropped, and so the program ends.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Number of open connections by network.
#[derive(Debug, Clone, Default)]
struct Networks(Arc<Mutex<HashMap<IpNet, usize>>>);

impl Networks {
    /// `None` if the network has reached its limit.
    fn enter(&self, peer: IpAddr, limits: &Limits) -> Option<ConnectionPermit> {
        if limits.proxies.trusts(peer) {
            return Some(ConnectionPermit { networks: self.clone(), network: None });
        }
        let network = network(peer);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(network).or_default();
        if *count >= limits.of_network {
            return None;
        }
        *count += 1;
        Some(ConnectionPermit { networks: self.clone(), network: Some(network) })
    }
}

/// Counts as a connection until it is dropped.
struct ConnectionPermit {
    networks: Networks,
    network: Option<IpNet>,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let Some(network) = &self.network else { return };
        let mut open = self.networks.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                open.remove(network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::timeout,
    };

    use super::*;

    /// A generous timeout for slow machines.
    const PATIENCE: Duration = Duration::from_secs(30);

    struct Served {
        address: SocketAddr,
        stop: watch::Sender<bool>,
        task: tokio::task::JoinHandle<()>,
    }

    async fn served(limits: Limits) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("a name");
        let (stop, closing) = watch::channel(false);
        let router = Router::new().route("/", get(|| async { "here" }));
        Served { address, stop, task: tokio::spawn(serve(listener, router, limits, closing)) }
    }

    fn limits(all: usize, of_network: usize, head_time: Duration) -> Limits {
        Limits { all, of_network, head_time, proxies: TrustedProxies::default() }
    }

    /// Sends these bytes and returns what is received until the connection is closed.
    async fn answer(stream: &mut TcpStream, sent: &str) -> String {
        let mut told = String::new();
        // Sending to a closed connection may fail.
        let _ = stream.write_all(sent.as_bytes()).await;
        let _ = timeout(PATIENCE, stream.read_to_string(&mut told)).await.expect("is closed");
        told
    }

    const REQUEST: &str = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

    #[tokio::test]
    async fn a_client_that_never_finishes_its_request_is_disconnected_and_others_are_served() {
        let served = served(limits(2, 2, Duration::from_millis(200))).await;
        let connect = || TcpStream::connect(served.address);
        let (mut first, mut second) = (connect().await.expect("connects"), connect().await.expect("connects"));
        first.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.expect("is taken");
        second.write_all(b"GET").await.expect("is taken");
        // Both connections are in use; this one waits until they are closed.
        let mut third = connect().await.expect("connects");
        assert!(answer(&mut third, REQUEST).await.ends_with("here"));
        assert!(!answer(&mut first, "").await.contains("200 OK"));
        assert!(!answer(&mut second, "").await.contains("200 OK"));
    }

    #[tokio::test]
    async fn one_network_does_not_take_all_places() {
        let served = served(limits(10, 1, PATIENCE)).await;
        let mut first = TcpStream::connect(served.address).await.expect("connects");
        first.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("is taken");
        let mut head = [0; 15];
        first.read_exact(&mut head).await.expect("an answer");
        assert_eq!(&head, b"HTTP/1.1 200 OK");
        let mut second = TcpStream::connect(served.address).await.expect("connects");
        assert_eq!(answer(&mut second, REQUEST).await, "", "closed without an answer");
    }

    #[tokio::test]
    async fn an_idle_connection_does_not_delay_the_stop() {
        let served = served(limits(10, 10, PATIENCE)).await;
        let mut idle = TcpStream::connect(served.address).await.expect("connects");
        idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("is taken");
        let mut head = [0; 15];
        idle.read_exact(&mut head).await.expect("an answer");
        served.stop.send_replace(true);
        timeout(Duration::from_secs(10), served.task).await.expect("stops in time").expect("does not panic");
    }

    #[test]
    fn some_files_are_left_for_the_store() {
        assert_eq!(connections(1_024), 512);
        assert_eq!(connections(4_096), 2_048);
        assert_eq!(connections(65_536), 16_384);
    }
}
