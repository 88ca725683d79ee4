//! Short messages: through the operator's gateway, or, without one, into a folder for the operator to carry on.
//!
//! Invariant: neither a phone number nor a text is ever logged; no file of ours holds a whole number.

use std::{
    fmt, fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use domain::members::PhoneNumber;
use reqwest::{Client, Url, redirect::Policy};
use serde::Serialize;

use crate::{Clock, Error, Result};

/// A gateway that has not answered by then is asked again.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a message is handed to the gateway before it is given up.
const TRIES: u32 = 5;

/// Before the second try; doubled before each later one, so all are made within half a minute.
const PAUSE: Duration = Duration::from_secs(2);

/// The way messages go out. Cheap to clone.
#[derive(Clone)]
pub struct Sms {
    way: Arc<Way>,
}

enum Way {
    Gateway { client: Client, url: Url, token: Option<String>, pause: Duration },
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
    /// Through an HTTP gateway: a POST of `{"to": "+84…", "text": "…"}`, with the token as bearer if there is one. Any status of
    /// 200 to 299 means that the message is taken over.
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
        Ok(Self { way: Arc::new(Way::Gateway { client, url, token, pause: PAUSE }) })
    }

    /// Into a folder, a file for each message, which only the owner may read.
    pub fn outbox(folder: &Path, clock: &Clock) -> Self {
        Self { way: Arc::new(Way::Outbox { folder: folder.to_owned(), clock: clock.clone() }) }
    }

    /// The same gateway with another pause before the second try.
    #[must_use]
    pub fn pausing(self, pause: Duration) -> Self {
        match &*self.way {
            Way::Gateway { client, url, token, .. } => {
                Self { way: Arc::new(Way::Gateway { client: client.clone(), url: url.clone(), token: token.clone(), pause }) }
            }
            Way::Outbox { .. } => self,
        }
    }

    /// Sends in the background: nobody waits for a gateway, and how long it takes tells nobody anything.
    pub(crate) fn send(&self, to: PhoneNumber, text: String) {
        let way = Arc::clone(&self.way);
        tokio::spawn(async move {
            match way.deliver(&to, &text).await {
                Ok(told) => tracing::info!("{told}"),
                Err(error) => tracing::error!(%error, "an SMS could not be sent and is given up"),
            }
        });
    }
}

impl fmt::Debug for Sms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.way {
            Way::Gateway { .. } => "Sms(gateway)",
            Way::Outbox { .. } => "Sms(outbox)",
        })
    }
}

impl Way {
    async fn deliver(&self, to: &PhoneNumber, text: &str) -> Result<&'static str> {
        match self {
            Self::Gateway { client, url, token, pause } => {
                let international = format!("+84{}", &to.expose()[1..]);
                let message = Message { to: &international, text };
                hand_over(client, url, token.as_deref(), *pause, &message).await?;
                Ok("an SMS was handed to the gateway")
            }
            Self::Outbox { folder, clock } => {
                let told = |error: io::Error| Error::Internal(format!("cannot write into the SMS outbox: {error}"));
                lay_down(folder, clock, to, text).map_err(told)?;
                Ok("no SMS gateway is set: an SMS lies in the outbox")
            }
        }
    }
}

async fn hand_over(client: &Client, url: &Url, token: Option<&str>, pause: Duration, message: &Message<'_>) -> Result<()> {
    let mut pause = pause;
    let mut tries = 1;
    loop {
        let mut request = client.post(url.clone()).json(message);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let failure = match request.send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => format!("it answered {}", answer.status().as_u16()),
            // The address may carry a secret in its query.
            Err(error) => error.without_url().to_string(),
        };
        if tries == TRIES {
            return Err(Error::Internal(format!("the SMS gateway failed {TRIES} times; at last {failure}")));
        }
        tracing::warn!(tries, failure, "the SMS gateway failed; will try again");
        tokio::time::sleep(pause).await;
        pause *= 2;
        tries += 1;
    }
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
