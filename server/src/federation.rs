//! Federated sign-in: `OpenID` Connect, authorization code flow with PKCE, state and nonce.
//!
//! `GET /sign-in/with/{provider}` redirects the browser to the provider with a sealed cookie; `GET /sign-in/callback/{provider}`
//! is the redirect URI. Every failure ends on the sign-in page, which reports it and offers the other ways to sign in.
//!
//! Invariant: nothing received from a provider is logged except the kind of error.

use std::sync::Arc;

use anyhow::Result;
use app::{
    context::request::RequestContext,
    cookies::{ACTIVATION, DEVICE, SESSION, SecretCookie, sent},
    error::{AppError, Kind},
    forms::local,
};
use axum::{
    Extension,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use backend::{
    Backend,
    accounts::{Departure, Vouched},
};
use cookie::time::Duration;
use openidconnect::url::Url;
use serde::Deserialize;

use self::provider::{Failure, Provider};
use crate::{
    answers::{problem, see_other},
    cookies,
};

mod id_token;
mod outbound;
mod provider;
mod settings;

pub(crate) use settings::is_protected;
pub use settings::{ProviderSettings, Settings};

/// Holds the sealed departure. Browsers send it with the redirect from the provider, because that is a top-level navigation
/// (`Lax`).
const DEPARTURE: SecretCookie = SecretCookie { name: "__Host-handbook-federation", max_age: Duration::minutes(10) };

/// No address of this site is longer; a cookie holds at most four kilobytes.
const NEXT_MAX: usize = 1_000;

/// The configured providers.
#[derive(Default)]
pub(crate) struct Federation {
    providers: Vec<Provider>,
}

impl Federation {
    /// # Errors
    /// A sentence for the operator.
    pub(crate) fn new(settings: &Settings, origin: &Url) -> Result<Self> {
        Ok(Self { providers: provider::all(settings, origin)? })
    }

    /// Names for the sign-in buttons.
    pub(crate) fn names(&self) -> Vec<domain::accounts::Provider> {
        let shown = |one: &Provider| domain::accounts::Provider { key: one.key.clone(), name: one.name.clone() };
        self.providers.iter().map(shown).collect()
    }

    fn find(&self, key: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.key == key)
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct QueryParams {
    next: Option<String>,
}

/// Redirects to the provider.
pub(crate) async fn leave(
    State(federation): State<Arc<Federation>>,
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    Path(key): Path<String>,
    asked: Result<Query<QueryParams>, QueryRejection>,
) -> Response {
    let locale = context.page.preferences.locale;
    let Some(provider) = federation.find(&key) else { return problem(locale, Kind::NotFound) };
    let next = asked.ok().and_then(|Query(asked)| asked.next).filter(|next| next.len() <= NEXT_MAX);
    let next = next.map_or_else(|| "/".to_owned(), |next| local(&next));
    if context.page.viewer.is_some() {
        return see_other(&next);
    }
    let (departure, sealed) = match backend.accounts().depart(&key, &next) {
        Ok(departure) => departure,
        Err(error) => return failed(error),
    };
    match provider.sign_in_page(&departure, locale).await {
        Ok(page) => {
            // The only redirect to another site; the address is made from the operator's settings.
            let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, page.as_str())]).into_response();
            cookies::append(response.headers_mut(), &DEPARTURE.holding(&sealed));
            response
        }
        Err(failure) => explain(provider, &next, &failure),
    }
}

/// Query parameters of the redirect URI.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct CallbackParams {
    code: Option<String>,
    state: Option<String>,
    /// Set if the person or the provider cancelled.
    error: Option<String>,
}

/// Handles the redirect from the provider.
pub(crate) async fn arrive(
    State(federation): State<Arc<Federation>>,
    State(backend): State<Backend>,
    Extension(context): Extension<RequestContext>,
    Path(key): Path<String>,
    headers: HeaderMap,
    brought: Result<Query<CallbackParams>, QueryRejection>,
) -> Response {
    let Some(provider) = federation.find(&key) else { return problem(context.page.preferences.locale, Kind::NotFound) };
    let departure = match sent(&headers, DEPARTURE.name) {
        Some(sealed) => match backend.accounts().returned(sealed).await {
            Ok(departure) => departure,
            Err(error) => return failed(error),
        },
        None => None,
    };
    let Query(brought) = brought.unwrap_or_default();
    let next = departure.as_ref().map_or_else(|| "/".to_owned(), |departure| departure.next.clone());
    let mut response = match admitted(provider, departure, brought) {
        Ok((departure, code)) => match provider.identify(code, &departure, backend.clock()).await {
            Ok(national_id) => {
                match backend.accounts().at(context.origin()).sign_in_federated(&national_id, &context.device).await {
                    Ok(vouched) => welcome(provider, &next, vouched),
                    Err(error) => failed(error),
                }
            }
            Err(failure) => explain(provider, &next, &failure),
        },
        Err(failure) => explain(provider, &next, &failure),
    };
    // A departure is used once.
    cookies::append(response.headers_mut(), &DEPARTURE.removed());
    response
}

/// Checks that the browser is the one that left, and that it has a code.
fn admitted(provider: &Provider, departure: Option<Departure>, brought: CallbackParams) -> Result<(Departure, String), Failure> {
    let departure = departure.filter(|departure| departure.provider == provider.key);
    let departure = departure.ok_or(Failure::Refused("no departure of this browser, or it has expired"))?;
    if brought.state.as_ref() != Some(&departure.state) {
        return Err(Failure::Refused("the state does not match"));
    }
    match (brought.error, brought.code) {
        (None, Some(code)) => Ok((departure, code)),
        _ => Err(Failure::Refused("the provider or the person cancelled")),
    }
}

fn welcome(provider: &Provider, next: &str, vouched: Vouched) -> Response {
    match vouched {
        Vouched::SignedIn(signed_in) => {
            let mut response = see_other(next);
            cookies::append(response.headers_mut(), &SESSION.holding(&signed_in.token));
            cookies::append(response.headers_mut(), &DEVICE.holding(&signed_in.device));
            response
        }
        Vouched::Activation(token) => {
            let mut response = see_other("/welcome/password");
            cookies::append(response.headers_mut(), &ACTIVATION.holding(&token));
            response
        }
        Vouched::NotLive(token) => {
            let mut response = see_other("/welcome/later");
            cookies::append(response.headers_mut(), &ACTIVATION.holding(&token));
            response
        }
        Vouched::Unknown => sign_in_page(provider, next, "unknown"),
    }
}

fn explain(provider: &Provider, next: &str, failure: &Failure) -> Response {
    match failure {
        Failure::Unreachable(reason) => {
            tracing::warn!(provider = provider.key, reason, "a provider cannot be reached");
            sign_in_page(provider, next, "unreachable")
        }
        Failure::Refused(reason) => {
            tracing::warn!(provider = provider.key, reason, "a sign-in with a provider was refused");
            sign_in_page(provider, next, "unfinished")
        }
    }
}

/// The sign-in page with a message about this attempt.
fn sign_in_page(provider: &Provider, next: &str, told: &str) -> Response {
    let query = openidconnect::url::form_urlencoded::Serializer::new(String::new())
        .append_pair("with", &provider.key)
        .append_pair("told", told)
        .append_pair("next", next)
        .finish();
    see_other(&format!("/sign-in?{query}"))
}

fn failed(error: backend::Error) -> Response {
    see_other(&format!("/problem/{}", AppError::from(error).kind.key()))
}
