//! Validation of the ID token: its signature, and the few claims that are used.
//!
//! The library parses all standard claims strictly and rejects a token because of an unused claim, such as an `amr` that is a
//! string. So the token is parsed here; its signature is verified with the library's keys. The steps are those of `OpenID`
//! Connect Core, 3.1.3.7.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::{
    JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeyUse, JwsSigningAlgorithm,
    core::{CoreJsonWebKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm},
};
use serde::Deserialize;
use serde_json::Value;

/// Asymmetric signatures only. A signature by a shared secret proves nothing to a third party, and an unsigned token proves nothing.
const SIGNATURES: [CoreJwsSigningAlgorithm; 7] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Tolerated clock skew of the provider.
const AHEAD_MAX: TimeDelta = TimeDelta::seconds(60);

/// Expected values of the claims.
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    pub(super) client: &'e str,
    pub(super) nonce: &'e str,
    pub(super) now: DateTime<Utc>,
}

/// Why a token is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No published key fits; the provider may have rotated its keys.
    NoKey,
    /// The text is for the log and not personal.
    Because(&'static str),
}

#[derive(Deserialize)]
struct Header {
    alg: Value,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audiences,
    exp: f64,
    iat: f64,
    nonce: Option<String>,
    azp: Option<Value>,
    /// Claims that are not checked here, in whatever form.
    #[serde(flatten)]
    others: HashMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Several(Vec<String>),
}

/// Verifies signature and claims, and returns the other claims.
pub(super) fn verified(
    token: &str,
    keys: &CoreJsonWebKeySet,
    expected: &Expected<'_>,
) -> Result<HashMap<String, Value>, Refusal> {
    const UNREADABLE: Refusal = Refusal::Because("the ID token cannot be read");
    let (signed, signature) = token.rsplit_once('.').ok_or(UNREADABLE)?;
    let (header, payload) = signed.split_once('.').ok_or(UNREADABLE)?;
    let bytes = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| UNREADABLE);
    let header: Header = serde_json::from_slice(&bytes(header)?).map_err(|_| UNREADABLE)?;
    // The header is not trusted: it only selects among the allowed keys and algorithms.
    if header.crit.is_some() || header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("jwt")) {
        return Err(Refusal::Because("the ID token is of another kind"));
    }
    let algorithm =
        serde_json::from_value::<CoreJwsSigningAlgorithm>(header.alg).ok().filter(|algorithm| SIGNATURES.contains(algorithm));
    let algorithm = algorithm.ok_or(Refusal::Because("the algorithm of the ID token's signature is not allowed"))?;
    check_signature(keys, &algorithm, header.kid.as_deref(), signed.as_bytes(), &bytes(signature)?)?;
    let claims: Claims = serde_json::from_slice(&bytes(payload)?).map_err(|_| UNREADABLE)?;
    claims.check(expected).map_err(Refusal::Because)?;
    Ok(claims.others)
}

fn check_signature(
    keys: &CoreJsonWebKeySet,
    algorithm: &CoreJwsSigningAlgorithm,
    id: Option<&str>,
    signed: &[u8],
    signature: &[u8],
) -> Result<(), Refusal> {
    let fits = |key: &&CoreJsonWebKey| {
        let known = key.key_id().map(|id| id.as_str());
        algorithm.key_type().as_ref() == Some(key.key_type())
            && id.is_none_or(|id| known == Some(id))
            && key.key_use().is_none_or(JsonWebKeyUse::allows_signature)
            && match key.signing_alg() {
                JsonWebKeyAlgorithm::Algorithm(only) => only == algorithm,
                JsonWebKeyAlgorithm::Unspecified => true,
                JsonWebKeyAlgorithm::Unsupported => false,
            }
    };
    let fitting: Vec<&CoreJsonWebKey> = keys.keys().iter().filter(fits).collect();
    if fitting.is_empty() {
        return Err(Refusal::NoKey);
    }
    let is_signed = fitting.iter().any(|key| key.verify_signature(algorithm, signed, signature).is_ok());
    if is_signed { Ok(()) } else { Err(Refusal::Because("the signature of the ID token is wrong")) }
}

impl Claims {
    fn check(&self, expected: &Expected<'_>) -> Result<(), &'static str> {
        if self.iss != expected.issuer {
            return Err("the ID token has another issuer");
        }
        let (is_for_us, several) = match &self.aud {
            Audiences::One(one) => (one == expected.client, false),
            Audiences::Several(all) => (all.iter().any(|one| one == expected.client), all.len() > 1),
        };
        // A token with several audiences must name this client as the authorized party.
        let handed_to_us = match &self.azp {
            Some(party) => party == expected.client,
            None => !several,
        };
        if !is_for_us || !handed_to_us {
            return Err("the ID token is for another client");
        }
        if seconds(expected.now) >= self.exp {
            return Err("the ID token has expired");
        }
        if self.iat > seconds(expected.now + AHEAD_MAX) {
            return Err("the ID token is from the future");
        }
        if self.nonce.as_deref() != Some(expected.nonce) {
            return Err("the ID token belongs to another sign-in");
        }
        Ok(())
    }
}

/// Dates of tokens are in seconds, with or without a fraction; an `f64` represents them exactly.
#[expect(clippy::cast_precision_loss, reason = "seconds of this millennium have 34 bits")]
fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1_000.0
}
