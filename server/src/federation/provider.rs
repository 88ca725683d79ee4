//! One provider: its metadata, the redirect to its sign-in page, and the exchange of a code for a national ID.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use backend::{Clock, accounts::Departure};
use domain::{Locale, members::NationalId};
use openidconnect::{
    AdditionalClaims, AuthType, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, ExtraTokenFields, IdToken, IssuerUrl, LanguageTag, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, StandardErrorResponse, StandardTokenResponse, TokenResponse,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
    url::Url,
};
use serde::{Deserialize, Serialize};
use tokio::{sync::Mutex, time::timeout};

use super::{
    id_token::{self, Expected, Refusal},
    outbound::Outbound,
    settings::{ProviderSettings, Settings},
};

/// Before a redirect the provider must have responded within this time; also limits how often it is queried.
const SEEN_WITHIN: Duration = Duration::from_secs(5);

/// How long metadata and keys are cached for returning browsers.
const KEPT_FOR: Duration = Duration::from_hours(1);

/// Time limit for fetching metadata and keys together.
const TIME_MAX: Duration = Duration::from_secs(5);

/// Why a sign-in failed. The text is for the log and not personal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The provider fails; the other ways to sign in work.
    Unreachable(String),
    /// What the browser brought back proves nothing.
    Refused(&'static str),
}

/// Stands in for the library's claims; [`super::id_token`] parses them.
#[derive(Debug, Deserialize, Serialize)]
struct Unread {}

impl AdditionalClaims for Unread {}

/// The token response, with the ID token as received.
#[derive(Debug, Deserialize, Serialize)]
struct Answered {
    id_token: Option<String>,
}

impl ExtraTokenFields for Answered {}

type Tokens = StandardTokenResponse<Answered, CoreTokenType>;

impl TokenResponse<Unread, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm> for Tokens {
    fn id_token(&self) -> Option<&IdToken<Unread, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>> {
        None
    }
}

type Described = Client<
    Unread,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The metadata of a provider, with its keys.
type Description = Arc<CoreProviderMetadata>;

/// The last query: its result, unless the provider did not respond.
struct DiscoveryState {
    at: Instant,
    found: Option<Description>,
}

pub(super) struct Provider {
    pub(super) key: String,
    pub(super) name: String,
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    scopes: Vec<Scope>,
    claim: String,
    returns_to: RedirectUrl,
    outbound: Outbound,
    /// Locked during a query, so that concurrent requests share it.
    asked: Mutex<Option<DiscoveryState>>,
}

impl Provider {
    /// # Errors
    /// A sentence for the operator.
    pub(super) fn new(settings: &ProviderSettings, origin: &Url) -> Result<Self> {
        let returns_to = origin.join(&format!("/sign-in/callback/{}", settings.key)).context("the redirect URI")?;
        Ok(Self {
            key: settings.key.clone(),
            name: settings.name.clone(),
            issuer: settings.issuer.clone(),
            client_id: ClientId::new(settings.client_id.clone()),
            client_secret: settings.client_secret.clone().map(ClientSecret::new),
            scopes: settings.scopes.iter().cloned().map(Scope::new).collect(),
            claim: settings.claim.clone(),
            returns_to: RedirectUrl::from_url(returns_to),
            outbound: Outbound::to(settings.origins()?).context("cannot prepare requests to providers")?,
            asked: Mutex::default(),
        })
    }

    /// The address of the provider's sign-in page.
    pub(super) async fn sign_in_page(&self, departure: &Departure, locale: Locale) -> Result<Url, Failure> {
        let description = self.description(SEEN_WITHIN).await?;
        if !self.outbound.reaches(description.authorization_endpoint().url()) {
            return Err(Failure::Unreachable("its sign-in page is not on one of its hosts".to_owned()));
        }
        let (state, nonce) = (departure.state.clone(), departure.nonce.clone());
        let verifier = PkceCodeVerifier::new(departure.verifier.clone());
        let client = self.client(&description);
        let request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state.clone()),
                move || Nonce::new(nonce.clone()),
            )
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            // Phones are shared: the provider must not reuse the session of the previous user.
            .add_prompt(CoreAuthPrompt::Login)
            .add_ui_locale(LanguageTag::new(locale.tag().to_owned()))
            .add_scopes(self.scopes.iter().cloned());
        Ok(request.url().0)
    }

    /// Exchanges the code from the browser for the national ID.
    pub(super) async fn identify(&self, code: String, departure: &Departure, clock: &Clock) -> Result<NationalId, Failure> {
        let description = self.description(KEPT_FOR).await?;
        let tokens = self.exchange(&description, code, departure).await?;
        let token = tokens.extra_fields().id_token.as_deref().ok_or(Failure::Refused("there is no ID token"))?;
        let expected =
            Expected { issuer: self.issuer.as_str(), client: self.client_id.as_str(), nonce: &departure.nonce, now: clock.now() };
        let mut verified = id_token::verified(token, description.jwks(), &expected);
        if verified == Err(Refusal::NoKey) {
            // The provider has rotated its keys.
            verified = id_token::verified(token, self.described_anew(&description).await?.jwks(), &expected);
        }
        let claims = verified.map_err(|refusal| match refusal {
            Refusal::NoKey => Failure::Refused("the signature of the ID token is wrong"),
            Refusal::Because(reason) => Failure::Refused(reason),
        })?;
        let typed = claims.get(&self.claim).and_then(|claim| claim.as_str());
        let typed = typed.ok_or(Failure::Refused("the ID token lacks the claim with the national ID"))?;
        NationalId::parse(typed).map_err(|_| Failure::Refused("the claim is not a national ID"))
    }

    async fn exchange(&self, description: &CoreProviderMetadata, code: String, departure: &Departure) -> Result<Tokens, Failure> {
        let client = self.client(description);
        let request = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| Failure::Unreachable("its metadata has no token endpoint".to_owned()))?
            .set_pkce_verifier(PkceCodeVerifier::new(departure.verifier.clone()));
        request.request_async(&self.outbound).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(told) if *told.error() == CoreErrorResponseType::InvalidGrant => {
                Failure::Refused("the provider does not accept the code")
            }
            // Its error description may be personal; its error code is not.
            RequestTokenError::ServerResponse(told) => Failure::Unreachable(format!("it refuses the client: {}", told.error())),
            RequestTokenError::Request(silence) => Failure::Unreachable(chain(&silence)),
            RequestTokenError::Parse(..) => Failure::Unreachable("its answer for a code cannot be read".to_owned()),
            RequestTokenError::Other(_) => Failure::Unreachable("its answer for a code is empty".to_owned()),
        })
    }

    fn client(&self, description: &CoreProviderMetadata) -> Described {
        let client = Described::from_provider_metadata(description.clone(), self.client_id.clone(), self.client_secret.clone());
        let client = client.set_redirect_uri(self.returns_to.clone());
        let only_post = description.token_endpoint_auth_methods_supported().is_some_and(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        if only_post { client.set_auth_type(AuthType::RequestBody) } else { client }
    }

    /// The metadata, not older than `age`.
    async fn description(&self, age: Duration) -> Result<Description, Failure> {
        let mut asked = self.asked.lock().await;
        match &*asked {
            Some(DiscoveryState { at, found: Some(found) }) if at.elapsed() < age => Ok(Arc::clone(found)),
            Some(DiscoveryState { at, found: None }) if at.elapsed() < SEEN_WITHIN => {
                Err(Failure::Unreachable("it did not respond a moment ago".to_owned()))
            }
            _ => self.ask(&mut asked).await,
        }
    }

    /// Metadata newer than `old`, whose keys are outdated.
    async fn described_anew(&self, old: &Description) -> Result<Description, Failure> {
        let mut asked = self.asked.lock().await;
        match &*asked {
            Some(DiscoveryState { found: Some(found), .. }) if !Arc::ptr_eq(found, old) => Ok(Arc::clone(found)),
            _ => self.ask(&mut asked).await,
        }
    }

    async fn ask(&self, asked: &mut Option<DiscoveryState>) -> Result<Description, Failure> {
        let answer = timeout(TIME_MAX, CoreProviderMetadata::discover_async(self.issuer.clone(), &self.outbound)).await;
        let found = match answer {
            Ok(Ok(description)) => Ok(Arc::new(description)),
            Ok(Err(error)) => Err(Failure::Unreachable(chain(&error))),
            Err(_) => Err(Failure::Unreachable("it did not respond in time".to_owned())),
        };
        *asked = Some(DiscoveryState { at: Instant::now(), found: found.as_ref().ok().cloned() });
        found
    }
}

/// The error with its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    told
}

/// The providers of the settings, in the order of the file.
///
/// # Errors
/// A sentence for the operator.
pub(super) fn all(settings: &Settings, origin: &Url) -> Result<Vec<Provider>> {
    settings
        .providers
        .iter()
        .map(|one| Provider::new(one, origin).with_context(|| format!("the provider {:?}", one.key)))
        .collect()
}
