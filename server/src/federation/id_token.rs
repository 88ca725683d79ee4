//! The ID token: its signature, and the few claims that are used.
//!
//! The library reads all standard claims strictly and refuses a token over the form of one that nobody asks for, such as an `amr` that
//! is a text. So the token is read here; its signature is checked by the library's keys. The steps are those of `OpenID` Connect Core,
//! 3.1.3.7.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::{
    JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeyUse, JwsSigningAlgorithm,
    core::{CoreJsonWebKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm},
};
use serde::Deserialize;
use serde_json::Value;

/// Signatures by a key pair. One by a shared secret would prove nothing to a third party, and none at all nothing to anybody.
const SIGNATURES: [CoreJwsSigningAlgorithm; 7] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// How far the provider's clock may be ahead of ours.
const AHEAD_MAX: TimeDelta = TimeDelta::seconds(60);

/// What a token must be made for.
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    pub(super) client: &'e str,
    pub(super) nonce: &'e str,
    pub(super) now: DateTime<Utc>,
}

/// Why a token proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No key that is published fits; the provider may have new ones.
    NoKey,
    /// The words are for the log and hold nothing personal.
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
    /// Those that are not checked here, in whatever form.
    #[serde(flatten)]
    others: HashMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Several(Vec<String>),
}

/// The other claims of a token that is signed by one of the keys and made for this sign-in.
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
    // What the header says is not trusted: it only chooses among the keys and ways that are allowed.
    if header.crit.is_some() || header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("jwt")) {
        return Err(Refusal::Because("the ID token is of another kind"));
    }
    let algorithm =
        serde_json::from_value::<CoreJwsSigningAlgorithm>(header.alg).ok().filter(|algorithm| SIGNATURES.contains(algorithm));
    let algorithm = algorithm.ok_or(Refusal::Because("the ID token is not signed in an allowed way"))?;
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
            return Err("the ID token is from somebody else");
        }
        let (is_for_us, several) = match &self.aud {
            Audiences::One(one) => (one == expected.client, false),
            Audiences::Several(all) => (all.iter().any(|one| one == expected.client), all.len() > 1),
        };
        // Made for several, it says whom it was handed to: that must be us.
        let handed_to_us = match &self.azp {
            Some(party) => party == expected.client,
            None => !several,
        };
        if !is_for_us || !handed_to_us {
            return Err("the ID token is for somebody else");
        }
        if seconds(expected.now) >= self.exp {
            return Err("the ID token has expired");
        }
        if self.iat > seconds(expected.now + AHEAD_MAX) {
            return Err("the ID token is of a time to come");
        }
        if self.nonce.as_deref() != Some(expected.nonce) {
            return Err("the ID token belongs to another sign-in");
        }
        Ok(())
    }
}

/// Dates of tokens are seconds, with or without a fraction; far fewer than a float counts exactly.
#[expect(clippy::cast_precision_loss, reason = "seconds of this millennium have 34 bits")]
fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1_000.0
}
