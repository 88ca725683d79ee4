//! Responds while the store is migrated, which may take minutes, so that a supervisor that checks liveness does not kill the
//! process.
//!
//! Listens only once a migration has begun: before, and without a migration, nothing responds from a half-started program.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::listen::{self, Limits};

/// Progress of the migrations; `None` while there are none.
type Line = watch::Receiver<Option<String>>;

/// How long requests in flight may take once the store is open.
const FAREWELL: Duration = Duration::from_secs(2);

/// `Retry-After` in seconds.
const ASK_AGAIN: &str = "30";

/// Waits for the store and responds at these addresses meanwhile. They are free again when it returns.
pub(crate) async fn answer_until<T>(opened: impl Future<Output = T>, addresses: &[SocketAddr], line: Line) -> T {
    let closing = watch::Sender::new(false);
    let opened = async {
        let opened = opened.await;
        closing.send_replace(true);
        opened
    };
    tokio::join!(opened, answer(addresses, line, closing.subscribe())).0
}

async fn answer(addresses: &[SocketAddr], mut line: Line, mut closing: watch::Receiver<bool>) {
    tokio::select! {
        () = listen::closed(&mut closing) => return,
        () = begun(&mut line) => {}
    }
    let router = router(line);
    let mut served = JoinSet::new();
    for &address in addresses {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                served.spawn(listen::serve(listener, router.clone(), Limits::few(), closing.clone()));
            }
            Err(error) => {
                tracing::warn!(%address, %error, "cannot listen; the migrations continue, and the start will fail after them");
            }
        }
    }
    listen::closed(&mut closing).await;
    // Requests that take longer are cut off.
    let _ = tokio::time::timeout(FAREWELL, async { while served.join_next().await.is_some() {} }).await;
}

async fn begun(line: &mut Line) {
    if line.wait_for(Option::is_some).await.is_err() {
        // The sender is dropped: no migration will begin.
        std::future::pending::<()>().await;
    }
}

fn router(line: Line) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .fallback(|| async { (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, ASK_AGAIN)]) })
        .with_state(line)
}

async fn ready(State(line): State<Line>) -> impl IntoResponse {
    let line = line.borrow().clone();
    (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", line.as_deref().unwrap_or("starting")))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        sync::oneshot,
        time::timeout,
    };

    use super::*;

    /// A generous timeout for slow machines.
    const PATIENCE: Duration = Duration::from_secs(30);

    async fn get(address: SocketAddr, path: &str) -> String {
        let ask = async {
            let mut stream = loop {
                match TcpStream::connect(address).await {
                    Ok(stream) => break stream,
                    Err(_) => tokio::task::yield_now().await,
                }
            };
            let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.expect("is taken");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            answer
        };
        timeout(PATIENCE, ask).await.expect("in time")
    }

    #[tokio::test]
    async fn a_migration_is_reported_until_the_store_is_open_and_the_address_is_free_afterwards() {
        let address = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("a name");
        let (open, opened) = oneshot::channel();
        let (tell, line) = watch::channel(None);
        let starting = tokio::spawn(async move { answer_until(opened, &[address], line).await });
        tell.send_replace(Some("migrating 0014_readers: read_receipt_place, 43 %".to_owned()));
        let answer = get(address, "/readyz").await;
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("read_receipt_place, 43 %\n"), "{answer}");
        assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200 "));
        let page = get(address, "/library").await;
        assert!(page.starts_with("HTTP/1.1 503 ") && page.contains("retry-after: 30"), "{page}");
        open.send(7).expect("waits");
        assert_eq!(timeout(PATIENCE, starting).await.expect("in time").expect("runs"), Ok(7));
        TcpListener::bind(address).await.expect("is free");
    }

    #[tokio::test]
    async fn without_a_migration_nobody_listens() {
        let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = taken.local_addr().expect("a name");
        drop(taken);
        let (tell, line) = watch::channel(None);
        let looked = async {
            // Give the listening side time to run first.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            TcpStream::connect(address).await.is_err()
        };
        assert!(answer_until(looked, &[address], line).await, "the address refuses connections");
        drop(tell);
    }
}
