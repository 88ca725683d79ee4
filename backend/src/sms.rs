//! Short messages, sent through the operator's gateway or, without one, written to a folder that the operator forwards.
//!
//! A message is a job ([`crate::jobs`]), enqueued in the transaction that causes it and sent at least once.
//!
//! Invariant: phone numbers and texts are never logged. No file contains a complete number, and the store contains only sealed
//! ones.

use std::{
    fmt, fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use domain::members::PhoneNumber;
use reqwest::{Client, Url, redirect::Policy};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Backend, Clock, Error, Result,
    jobs::{JobKind, NewJob, Outcome, lease::LeasedJob},
    keys::hex,
};

/// Timeout of a request to the gateway.
const PATIENCE: Duration = Duration::from_secs(10);

/// The transport of messages. Cheap to clone.
#[derive(Clone)]
pub struct Sms {
    way: Arc<Transport>,
}

enum Transport {
    Gateway { client: Client, url: Url, token: Option<String> },
    Outbox { folder: PathBuf, clock: Clock },
}

/// The JSON body of a request to the gateway.
#[derive(Serialize)]
struct Message<'f> {
    /// With the country code: `+84912345678`.
    to: &'f str,
    text: &'f str,
}

impl Sms {
    /// Sends through an HTTP gateway: a POST of `{"to": "+84…", "text": "…"}`, with the token, if any, as bearer token. The
    /// header `Idempotency-Key` is unique per message and the same in every retry. Any status from 200 to 299 means that the
    /// gateway has accepted the message.
    ///
    /// # Errors
    /// [`Error::Internal`] with a message for the operator when `url` is not an HTTP URL.
    pub fn gateway(url: &str, token: Option<String>) -> Result<Self> {
        let url: Url = url.parse().map_err(|error| Error::Internal(format!("the SMS gateway {url:?}: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::Internal("the SMS gateway must be an http or https address".to_owned()));
        }
        // A redirect would send numbers and codes to a host that the operator has not configured.
        let client = Client::builder().timeout(PATIENCE).redirect(Policy::none()).build();
        let client = client.map_err(|error| Error::Internal(format!("the SMS gateway: {error}")))?;
        Ok(Self { way: Arc::new(Transport::Gateway { client, url, token }) })
    }

    /// Writes each message to a file in a folder, readable only by the owner. The name of the file is the same in every retry.
    pub fn outbox(folder: &Path, clock: &Clock) -> Self {
        Self { way: Arc::new(Transport::Outbox { folder: folder.to_owned(), clock: clock.clone() }) }
    }

    /// Tries to send one message once. The job retries it.
    async fn send(&self, key: &str, to: &PhoneNumber, text: &str) -> Result<()> {
        match &*self.way {
            Transport::Gateway { client, url, token } => {
                let international = format!("+84{}", &to.expose()[1..]);
                hand_over(client, url, token.as_deref(), key, &Message { to: &international, text }).await?;
                tracing::info!("an SMS was handed to the gateway");
            }
            Transport::Outbox { folder, clock } => {
                let failed = |error: io::Error| Error::Internal(format!("cannot write into the SMS outbox: {error}"));
                lay_down(folder, key, clock, to, text).map_err(failed)?;
                tracing::info!("no SMS gateway is set; an SMS was written to the outbox");
            }
        }
        Ok(())
    }
}

/// The payload of a job of [`JobKind::SendSms`].
#[derive(Serialize, Deserialize)]
struct ShortMessage {
    /// Ten digits, or [`NOBODY`].
    to: String,
    text: String,
    /// The message is not sent after this time.
    until: Option<DateTime<Utc>>,
}

/// Stands for no number, with the length of one.
const NOBODY: &str = "----------";

impl Backend {
    /// The job that sends a message. Without a number the job sends nothing; its row has the same size.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be sealed.
    pub(crate) fn sms(
        &self,
        key: String,
        to: Option<&PhoneNumber>,
        text: String,
        until: Option<DateTime<Utc>>,
    ) -> Result<NewJob> {
        let letter = ShortMessage { to: to.map_or(NOBODY, PhoneNumber::expose).to_owned(), text, until };
        NewJob::now(self.keys(), self.clock(), JobKind::SendSms, key, &letter)
    }

    /// Runs a job created by [`Self::sms`]. A message is sent twice, with the same key, when the process dies after the gateway
    /// has accepted it or its file was written.
    pub(crate) async fn send_sms(&self, job: &LeasedJob) -> Result<Outcome> {
        let letter: ShortMessage = job.payload(self.keys())?;
        let Ok(to) = PhoneNumber::parse(&letter.to) else { return Ok(Outcome::Done) };
        if letter.until.is_some_and(|until| until <= self.clock().now()) {
            tracing::warn!("an SMS expired before it could be sent");
            return Ok(Outcome::Done);
        }
        let way = self.sms_way().ok_or_else(|| Error::Internal("the SMS transport is not set".to_owned()))?;
        way.send(job.key(), &to, &letter.text).await.map(|()| Outcome::Done)
    }
}

impl fmt::Debug for Sms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.way {
            Transport::Gateway { .. } => "Sms(gateway)",
            Transport::Outbox { .. } => "Sms(outbox)",
        })
    }
}

async fn hand_over(client: &Client, url: &Url, token: Option<&str>, key: &str, message: &Message<'_>) -> Result<()> {
    let mut request = client.post(url.clone()).header("idempotency-key", key).json(message);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let failure = match request.send().await {
        Ok(answer) if answer.status().is_success() => return Ok(()),
        Ok(answer) => format!("it answered {}", answer.status().as_u16()),
        // The URL may contain a secret in its query.
        Err(error) => error.without_url().to_string(),
    };
    Err(Error::Internal(format!("the SMS gateway failed: {failure}")))
}

/// Writes to a temporary file first, so that a program that watches the outbox never reads a partial message. The file is named
/// after the key, so a repeated message replaces its own file; the temporary one has a name of its own, as two runs of a job may
/// write at once. If the process dies, its temporary file stays.
fn lay_down(folder: &Path, key: &str, clock: &Clock, to: &PhoneNumber, text: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let name = file_name(key);
    let unfinished = folder.join(format!(".{name}.{}", clock.ulid()));
    let mut written = create_private(&unfinished)?;
    let text = format!("To: {}\nAt: {}\n\n{text}\n", to.masked(), clock.now().to_rfc3339());
    let finished = written
        .write_all(text.as_bytes())
        .and_then(|()| written.sync_all())
        .and_then(|()| fs::rename(&unfinished, folder.join(format!("{name}.txt"))));
    if finished.is_err() {
        // It is of no use; the error that is reported is the first one.
        let _ = fs::remove_file(&unfinished);
    }
    finished
}

/// The key, which is an id, or the hash of a key that cannot be a file name.
fn file_name(key: &str) -> String {
    let is_name = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_name { key.to_owned() } else { hex(&Sha256::digest(key).into()) }
}

/// A new file that only the owner can read.
#[cfg(unix)]
fn create_private(file: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

#[cfg(not(unix))]
fn create_private(file: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_message_that_is_sent_again_has_the_same_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::fixed(DateTime::UNIX_EPOCH, 1);
        let sms = Sms::outbox(folder.path(), &clock);
        let to = PhoneNumber::parse("0987654321").expect("ten digits");
        for _ in 0..2 {
            sms.send("01ARZ3NDEKTSV4RRFFQ69G5FAV", &to, "once").await.expect("writes");
        }
        sms.send("01ARZ3NDEKTSV4RRFFQ69G5FAW", &to, "another").await.expect("writes");
        assert_eq!(names(folder.path()), ["01ARZ3NDEKTSV4RRFFQ69G5FAV.txt", "01ARZ3NDEKTSV4RRFFQ69G5FAW.txt"]);
        let text = fs::read_to_string(folder.path().join("01ARZ3NDEKTSV4RRFFQ69G5FAV.txt")).expect("reads");
        assert!(text.starts_with("To: ") && text.ends_with("\n\nonce\n"), "{text}");
    }

    #[test]
    fn runs_of_one_job_may_write_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::fixed(DateTime::UNIX_EPOCH, 1);
        let to = PhoneNumber::parse("0987654321").expect("ten digits");
        std::thread::scope(|runs| {
            for _ in 0..8 {
                runs.spawn(|| lay_down(folder.path(), "key", &clock, &to, "once").expect("writes"));
            }
        });
        assert_eq!(names(folder.path()), ["key.txt"]);
        let text = fs::read_to_string(folder.path().join("key.txt")).expect("reads");
        assert!(text.ends_with("\n\nonce\n"), "{text}");
    }

    #[test]
    fn a_key_that_cannot_be_a_file_name_is_hashed() {
        assert_eq!(file_name("01ARZ3NDEKTSV4RRFFQ69G5FAV"), "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        for key in ["", "..", "a/b", "a b"] {
            assert_eq!(file_name(key).len(), 64, "{key}");
        }
    }
}
