//! Short messages: through the operator's gateway, or, without one, into a folder for the operator to carry on.
//!
//! A message is a job ([`crate::jobs`]), enqueued in the transaction that makes it necessary and sent at least once.
//!
//! Invariant: neither a phone number nor a text is ever logged; no file of ours holds a whole number, and the store only a sealed one.

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

use crate::{
    Backend, Clock, Error, Result,
    jobs::{JobKind, NewJob, Outcome, lease::LeasedJob},
};

/// A gateway that has not answered by then has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way messages go out. Cheap to clone.
#[derive(Clone)]
pub struct Sms {
    way: Arc<Transport>,
}

enum Transport {
    Gateway { client: Client, url: Url, token: Option<String> },
    Outbox { folder: PathBuf, clock: Clock },
}

/// What the gateway is sent, as JSON.
#[derive(Serialize)]
struct Message<'f> {
    /// With the country's code: `+84912345678`.
    to: &'f str,
    text: &'f str,
}

impl Sms {
    /// Through an HTTP gateway: a POST of `{"to": "+84…", "text": "…"}`, with the token as bearer if there is one. The header
    /// `Idempotency-Key` is the same whenever a message is sent again, and another one for each message. Any status of 200 to 299 means
    /// that the message is taken over.
    ///
    /// # Errors
    /// [`Error::Internal`] with a sentence for the operator when `url` is not one of HTTP.
    pub fn gateway(url: &str, token: Option<String>) -> Result<Self> {
        let url: Url = url.parse().map_err(|error| Error::Internal(format!("the SMS gateway {url:?}: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::Internal("the SMS gateway must be an http or https address".to_owned()));
        }
        // A redirect would carry numbers and codes to somebody the operator has not named.
        let client = Client::builder().timeout(PATIENCE).redirect(Policy::none()).build();
        let client = client.map_err(|error| Error::Internal(format!("the SMS gateway: {error}")))?;
        Ok(Self { way: Arc::new(Transport::Gateway { client, url, token }) })
    }

    /// Into a folder, a file for each message, which only the owner may read.
    pub fn outbox(folder: &Path, clock: &Clock) -> Self {
        Self { way: Arc::new(Transport::Outbox { folder: folder.to_owned(), clock: clock.clone() }) }
    }

    /// Hands over one message, once: to be sure that it goes out is the job's to do.
    async fn send(&self, key: &str, to: &PhoneNumber, text: &str) -> Result<()> {
        match &*self.way {
            Transport::Gateway { client, url, token } => {
                let international = format!("+84{}", &to.expose()[1..]);
                hand_over(client, url, token.as_deref(), key, &Message { to: &international, text }).await?;
                tracing::info!("an SMS was handed to the gateway");
            }
            Transport::Outbox { folder, clock } => {
                let told = |error: io::Error| Error::Internal(format!("cannot write into the SMS outbox: {error}"));
                lay_down(folder, clock, to, text).map_err(told)?;
                tracing::info!("no SMS gateway is set: an SMS lies in the outbox");
            }
        }
        Ok(())
    }
}

/// What a job of [`JobKind::SendSms`] holds.
#[derive(Serialize, Deserialize)]
struct ShortMessage {
    /// Ten digits, or [`NOBODY`].
    to: String,
    text: String,
    /// A message that is of no use any more is not sent.
    until: Option<DateTime<Utc>>,
}

/// As long as a number, and none.
const NOBODY: &str = "----------";

impl Backend {
    /// The job that sends a message; without a number one that sends none, and that nobody can tell apart by its size.
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

    /// Runs a job made by [`Self::sms`]. A message is handed over twice when the process dies after the gateway took it; the second time
    /// it has the same key.
    pub(crate) async fn send_sms(&self, job: &LeasedJob) -> Result<Outcome> {
        let letter: ShortMessage = job.payload(self.keys())?;
        let Ok(to) = PhoneNumber::parse(&letter.to) else { return Ok(Outcome::Done) };
        if letter.until.is_some_and(|until| until <= self.clock().now()) {
            tracing::warn!("an SMS is not sent: what it says expired before it could go out");
            return Ok(Outcome::Done);
        }
        let way = self.sms_way().ok_or_else(|| Error::Internal("nobody has said how short messages go out".to_owned()))?;
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
        // The address may carry a secret in its query.
        Err(error) => error.without_url().to_string(),
    };
    Err(Error::Internal(format!("the SMS gateway failed: {failure}")))
}

/// Writes beside the outbox first, so that whoever watches the folder never sees half a message.
fn lay_down(folder: &Path, clock: &Clock, to: &PhoneNumber, text: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let name = clock.ulid().to_string();
    let (unfinished, file) = (folder.join(format!(".{name}")), folder.join(format!("{name}.txt")));
    let mut written = create_private(&unfinished)?;
    write!(written, "To: {}\nAt: {}\n\n{text}\n", to.masked(), clock.now().to_rfc3339())?;
    written.sync_all()?;
    fs::rename(unfinished, file)
}

#[cfg(unix)]
fn create_private(file: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

#[cfg(not(unix))]
fn create_private(file: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(file)
}
