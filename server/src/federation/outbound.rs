//! HTTP client for requests to a provider: only to its hosts, without following redirects, limited in time and size.

use std::{error::Error, fmt, pin::Pin, time::Duration};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, url::Url};
use reqwest::{Client, redirect::Policy};

/// A person is waiting for the response.
const TIME_MAX: Duration = Duration::from_secs(5);

/// Metadata and keys are a few kilobytes.
const ANSWER_MAX: usize = 256 * 1024;

/// Why a request failed. The text is not personal.
#[derive(Debug)]
pub(super) enum OutboundError {
    /// The address is not on one of the provider's hosts.
    Elsewhere,
    NoAnswer(reqwest::Error),
    Failing(u16),
    TooLong,
    Unreadable(http::Error),
}

impl fmt::Display for OutboundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elsewhere => f.write_str("the address is not on one of its hosts"),
            Self::NoAnswer(_) => f.write_str("no answer"),
            Self::Failing(status) => write!(f, "it answers {status}"),
            Self::TooLong => f.write_str("its answer is too long"),
            Self::Unreadable(_) => f.write_str("its answer cannot be read"),
        }
    }
}

impl Error for OutboundError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoAnswer(error) => Some(error),
            Self::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Outbound {
    client: Client,
    allowed: Vec<Url>,
}

impl Outbound {
    /// # Errors
    /// If the system has no trusted certificates.
    pub(super) fn to(allowed: Vec<Url>) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(Policy::none())
            .timeout(TIME_MAX)
            // Requests are rare: an idle connection would mostly be dead when it is used again.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { client, allowed })
    }

    /// Whether `url` is on one of the provider's hosts.
    pub(super) fn reaches(&self, url: &Url) -> bool {
        self.allowed.iter().any(|allowed| allowed.origin() == url.origin())
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, OutboundError> {
        let request = reqwest::Request::try_from(request).map_err(OutboundError::NoAnswer)?;
        if !self.reaches(request.url()) {
            return Err(OutboundError::Elsewhere);
        }
        // The address of a token request holds no secret, but is not logged either.
        let failed = |error: reqwest::Error| OutboundError::NoAnswer(error.without_url());
        let mut answer = self.client.execute(request).await.map_err(failed)?;
        if answer.status().is_server_error() {
            return Err(OutboundError::Failing(answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > ANSWER_MAX {
                return Err(OutboundError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answer.headers());
        }
        response.body(body).map_err(OutboundError::Unreadable)
    }
}

impl<'c> AsyncHttpClient<'c> for Outbound {
    type Error = OutboundError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
