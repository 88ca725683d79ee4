//! SMS through a gateway that is not always available.

use std::{collections::BTreeSet, sync::Arc};

use backend::sms::Sms;
use chrono::TimeDelta;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

use crate::{
    activation::{PHONE, UNKNOWN, WITH_PHONE, register},
    support::{PATIENCE, organisation},
};

/// A gateway that returns these responses in turn, and passes on the requests.
async fn gateway(answers: &'static [&'static str]) -> (String, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/send", listener.local_addr().expect("an address"));
    let (sender, received) = unbounded_channel();
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a request");
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !is_whole(&request) {
                let read = stream.read(&mut buffer).await.expect("reads");
                assert!(read > 0, "the request is incomplete");
                request.extend_from_slice(&buffer[..read]);
            }
            let response = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(response.as_bytes()).await.expect("answers");
            let _ = sender.send(String::from_utf8(request).expect("text"));
        }
    });
    (url, received)
}

/// The next request to the gateway.
async fn next(received: &mut UnboundedReceiver<String>) -> String {
    timeout(PATIENCE, received.recv()).await.expect("the gateway is asked").expect("a request")
}

/// Whether head and body are complete.
pub(crate) fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().to_owned()));
    length.is_some_and(|length| body.len() >= length.parse::<usize>().expect("a number"))
}

#[tokio::test]
async fn a_gateway_that_fails_twice_is_tried_a_third_time() {
    let (backend, clock, org) = organisation().await;
    register(&backend, WITH_PHONE, Some(PHONE), &org.harbour).await;
    let (url, mut received) = gateway(&["503 Service Unavailable", "500 Internal Server Error", "202 Accepted"]).await;
    backend.send_messages_by(Sms::gateway(&url, Some("let-me-in".to_owned())).expect("an address"));

    let activation = backend.accounts().begin_activation(WITH_PHONE).await.expect("an activation");
    let code = Arc::new(std::sync::Mutex::new(String::new()));
    let words = |made: &str| {
        made.clone_into(&mut code.lock().expect("not poisoned"));
        format!("Sổ tay: {made}")
    };
    backend.accounts().send_code(&activation, words).await.expect("does not wait for the gateway");
    let mut keys = BTreeSet::new();
    for _ in 0..3 {
        assert_eq!(backend.run_due_jobs().await.expect("runs"), 1);
        // Longer than the delay between these attempts.
        clock.advance(TimeDelta::seconds(5));
        let request = next(&mut received).await;
        let (head, body) = request.split_once("\r\n\r\n").expect("head and body");
        assert!(head.starts_with("POST /send HTTP/1.1"), "{head}");
        assert!(head.to_ascii_lowercase().contains("authorization: bearer let-me-in"), "{head}");
        let key = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("idempotency-key: ").map(str::to_owned));
        keys.insert(key.expect("a key"));
        let code = code.lock().expect("not poisoned").clone();
        assert_eq!(body, format!(r#"{{"to":"+84987654321","text":"Sổ tay: {code}"}}"#));
    }
    assert_eq!(keys.len(), 1, "it is the same message each time");
    assert_eq!(backend.jobs().list().await.expect("lists"), [], "it was accepted");
    let code = code.lock().expect("not poisoned").clone();
    backend.accounts().try_code(&activation, &code).await.expect("is right");
}

#[tokio::test]
async fn nothing_is_sent_without_a_phone_or_for_an_unknown_id() {
    let (backend, _, org) = organisation().await;
    let (url, mut received) = gateway(&["200 OK"]).await;
    backend.send_messages_by(Sms::gateway(&url, None).expect("an address"));
    for national_id in [UNKNOWN, &org.not_activated.national_id] {
        let activation = backend.accounts().begin_activation(national_id).await.expect("an activation");
        backend.accounts().send_code(&activation, str::to_owned).await.expect("the same answer");
    }
    register(&backend, WITH_PHONE, Some(PHONE), &org.harbour).await;
    let activation = backend.accounts().begin_activation(WITH_PHONE).await.expect("an activation");
    backend.accounts().send_code(&activation, |_| "the only one".to_owned()).await.expect("sends");
    let waiting = backend.jobs().list().await.expect("lists");
    assert_eq!(waiting.len(), 3, "the same rows are written for everybody");
    assert_eq!(backend.run_due_jobs().await.expect("runs"), 3);
    assert!(next(&mut received).await.contains("the only one"));
}

#[test]
fn an_invalid_gateway_address_is_refused_at_the_start() {
    for url in ["", "gateway", "ftp://gateway.example", "file:///etc/passwd"] {
        assert!(Sms::gateway(url, None).is_err(), "{url}");
    }
}
