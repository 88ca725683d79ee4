//! An `OpenID` Connect provider with configurable behaviour.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use backend::Clock;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use openidconnect::{
    JsonWebKeyId, PkceCodeChallenge, PkceCodeVerifier, PrivateSigningKey,
    core::{CoreEdDsaPrivateSigningKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm},
    url::Url,
};
use serde::Deserialize;
use serde_json::{Value, json};
use server::federation::Settings;
use tokio::{net::TcpListener, task::JoinHandle};

/// Keys of one repeated byte, for tests only.
const KEYS: [&str; 2] = [
    "MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH",
    "MC4CAQAwBQYDK2VwBCIEIAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI",
];

pub(crate) const CLIENT: &str = "handbook";
const SECRET: &str = "open sesame & more";

/// Its behaviour; conforming by default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manners {
    /// Delay before each response.
    pub(crate) slow: Duration,
    /// Answers every request with this status.
    pub(crate) failing: Option<u16>,
    /// Announces its authorisation or token endpoint on this other host.
    pub(crate) pages_at: Option<String>,
    pub(crate) tokens_at: Option<String>,
    /// Index of the published key, and of the signing key.
    pub(crate) published: usize,
    pub(crate) signing: usize,
}

/// Wrong content of an ID token.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lies {
    pub(crate) nonce: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) issuer: Option<String>,
    /// Expired this long ago.
    pub(crate) expired: Option<TimeDelta>,
    /// Omits the claim.
    pub(crate) nameless: bool,
    /// Issued this far in the future.
    pub(crate) issued_in: Option<TimeDelta>,
    /// Additional or replaced claims.
    pub(crate) claims: serde_json::Map<String, Value>,
}

struct Grant {
    nonce: String,
    challenge: String,
    redirect_uri: String,
    national_id: String,
    lies: Lies,
}

#[derive(Clone)]
struct Shared {
    issuer: String,
    clock: Clock,
    manners: Arc<Mutex<Manners>>,
    /// By code; removed when the code is used.
    grants: Arc<Mutex<BTreeMap<String, Grant>>>,
}

pub(crate) struct FakeProvider {
    shared: Shared,
    served: JoinHandle<()>,
}

impl FakeProvider {
    /// Tokens are issued by `clock`.
    pub(crate) async fn start(clock: Clock) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("listens");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Shared { issuer, clock, manners: Arc::default(), grants: Arc::default() };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(shared.clone());
        let served = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serves");
        });
        Self { shared, served }
    }

    /// The content of the operator's file.
    pub(crate) fn settings(&self) -> Settings {
        let provider = json!({
            "key": "vneid", "name": "VNeID", "issuer": self.shared.issuer, "client_id": CLIENT, "client_secret": SECRET,
            "scopes": ["profile"],
        });
        serde_json::from_value(json!({ "provider": [provider] })).expect("settings")
    }

    pub(crate) fn behave(&self, manners: Manners) {
        *self.shared.manners.lock().unwrap_or_else(PoisonError::into_inner) = manners;
    }

    /// Stops responding.
    pub(crate) async fn stop(self) {
        self.served.abort();
        let _ = self.served.await;
    }

    /// A person opens `page` and proves to have `national_id`. Returns the path of the redirect back.
    pub(crate) fn vouch(&self, page: &str, national_id: &str, lies: Lies) -> String {
        let asked = parameters(page);
        let code = format!("code-{}", self.shared.clock.ulid());
        let grant = Grant {
            nonce: asked["nonce"].clone(),
            challenge: asked["code_challenge"].clone(),
            redirect_uri: asked["redirect_uri"].clone(),
            national_id: national_id.to_owned(),
            lies,
        };
        self.shared.grants.lock().unwrap_or_else(PoisonError::into_inner).insert(code.clone(), grant);
        let back = Url::parse(&asked["redirect_uri"]).expect("an address");
        format!("{}?code={code}&state={}", back.path(), asked["state"])
    }
}

/// The query parameters of an address.
pub(crate) fn parameters(address: &str) -> BTreeMap<String, String> {
    Url::parse(address).expect("an address").query_pairs().into_owned().collect()
}

impl Shared {
    async fn manners(&self) -> Result<Manners, StatusCode> {
        let manners = self.manners.lock().unwrap_or_else(PoisonError::into_inner).clone();
        tokio::time::sleep(manners.slow).await;
        match manners.failing {
            Some(status) => Err(StatusCode::from_u16(status).expect("a status")),
            None => Ok(manners),
        }
    }
}

fn key(number: usize) -> CoreEdDsaPrivateSigningKey {
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", KEYS[number]);
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(format!("key-{number}")))).expect("a key")
}

async fn describe(State(shared): State<Shared>) -> Result<Json<Value>, StatusCode> {
    let manners = shared.manners().await?;
    let at = |other: Option<String>, path: &str| format!("{}{path}", other.unwrap_or_else(|| shared.issuer.clone()));
    Ok(Json(json!({
        "issuer": shared.issuer,
        "authorization_endpoint": at(manners.pages_at, "/authorize"),
        "token_endpoint": at(manners.tokens_at, "/token"),
        "jwks_uri": at(None, "/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    })))
}

async fn keys(State(shared): State<Shared>) -> Result<Json<CoreJsonWebKeySet>, StatusCode> {
    let manners = shared.manners().await?;
    Ok(Json(CoreJsonWebKeySet::new(vec![key(manners.published).as_verification_key()])))
}

#[derive(Debug, Deserialize)]
struct Exchange {
    grant_type: String,
    code: String,
    code_verifier: String,
    redirect_uri: String,
}

async fn token(State(shared): State<Shared>, headers: HeaderMap, Form(asked): Form<Exchange>) -> Response {
    let manners = match shared.manners().await {
        Ok(manners) => manners,
        Err(status) => return status.into_response(),
    };
    assert!(headers["authorization"].to_str().expect("text").starts_with("Basic "), "the client proves who it is");
    assert_eq!(asked.grant_type, "authorization_code");
    let refused = (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant", "error_description": "about 951000000001" })));
    let grant = shared.grants.lock().unwrap_or_else(PoisonError::into_inner).remove(&asked.code);
    let Some(grant) = grant else { return refused.into_response() };
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(asked.code_verifier));
    if challenge.as_str() != grant.challenge || asked.redirect_uri != grant.redirect_uri {
        return refused.into_response();
    }
    let id_token = id_token(&shared, &manners, grant);
    Json(json!({ "access_token": "unused", "token_type": "Bearer", "id_token": id_token })).into_response()
}

fn id_token(shared: &Shared, manners: &Manners, grant: Grant) -> String {
    let Grant { nonce, national_id, lies, .. } = grant;
    let now = shared.clock.now();
    let expires = lies.expired.map_or(now + TimeDelta::minutes(5), |ago| now - ago);
    let mut claims = json!({
        "iss": lies.issuer.unwrap_or_else(|| shared.issuer.clone()),
        "aud": lies.audience.unwrap_or_else(|| CLIENT.to_owned()),
        "exp": expires.timestamp(),
        "iat": (now + lies.issued_in.unwrap_or_default()).timestamp(),
        "sub": format!("subject-of-{national_id}"),
        "nonce": lies.nonce.unwrap_or(nonce),
    });
    let told = claims.as_object_mut().expect("an object");
    if !lies.nameless {
        told.insert("national_id".to_owned(), json!(national_id));
    }
    told.extend(lies.claims);
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": format!("key-{}", manners.signing) });
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = key(manners.signing).sign(&CoreJwsSigningAlgorithm::EdDsa, signed.as_bytes()).expect("signs");
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}
