//! Federated sign-in: an identity provider asserts a national ID.
//!
//! The provider authenticates the person; this module authorises the sign-in, as for a password.

use chrono::{DateTime, TimeDelta, Utc};
use domain::members::NationalId;
use serde::{Deserialize, Serialize};

use super::{Accounts, SignedIn, new_token};
use crate::{
    Error, Result,
    change::Change,
    keys::fingerprint,
    store::{StoreError, pair, vars},
};

/// Time limit for the sign-in at the provider, which may include waiting for a message.
const AWAY_FOR: TimeDelta = TimeDelta::minutes(10);

/// Binds a sealed departure to its purpose.
const SEALED_AS: &str = "federation";

/// The outcome of a provider's assertion of a national ID.
pub enum Vouched {
    SignedIn(SignedIn),
    /// The person has no password yet: the secret of a proved activation, in which they choose one.
    Activation(String),
    /// The person's unit does not use the handbook yet: the secret of an activation that shows when the unit goes live.
    NotLive(String),
    /// No member has this national ID.
    Unknown,
}

/// The state of a sign-in at a provider, kept sealed in a cookie. Nothing is stored on the server before the person is
/// identified.
#[derive(Clone, Serialize, Deserialize)]
pub struct Departure {
    pub provider: String,
    /// Returned in the redirect; proves that it is the same browser.
    pub state: String,
    /// Returned in the ID token; proves that the token was issued for this sign-in.
    pub nonce: String,
    /// The PKCE verifier (RFC 7636); proves that the code is redeemed by the client that requested it.
    pub verifier: String,
    /// The path on this site to open after the sign-in.
    pub next: String,
    until: DateTime<Utc>,
}

impl Accounts<'_> {
    /// Starts a sign-in at `provider`. Returns its state and the sealed state for the cookie.
    ///
    /// # Errors
    /// [`Error::Internal`] when the cipher fails.
    pub fn depart(&self, provider: &str, next: &str) -> Result<(Departure, String)> {
        let clock = self.backend.clock();
        let departure = Departure {
            provider: provider.to_owned(),
            state: new_token(clock),
            nonce: new_token(clock),
            verifier: new_token(clock),
            next: next.to_owned(),
            until: clock.now() + AWAY_FOR,
        };
        let text = serde_json::to_string(&departure).map_err(|error| Error::Internal(error.to_string()))?;
        let sealed = self.backend.keys().seal(clock, SEALED_AS, &text)?;
        Ok((departure, sealed))
    }

    /// Opens the sealed state of a returning browser; none when it is invalid, expired or already used. It can be used once, so
    /// that a copy of the cookie is useless afterwards.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn returned(&self, sealed: &str) -> Result<Option<Departure>> {
        let Ok(text) = self.backend.keys().open(SEALED_AS, sealed) else { return Ok(None) };
        let departure: Option<Departure> = serde_json::from_str(&text).ok();
        let Some(departure) = departure.filter(|departure| departure.until > self.backend.clock().now()) else { return Ok(None) };
        let vars = vars! { used: pair("attempt", "departure", fingerprint(&departure.state)), until: departure.until };
        let change = Change::new("CREATE $used SET count = 1, expires_at = $until RETURN NONE;", vars);
        match self.backend.transact(change).await {
            Ok(_) => Ok(Some(departure)),
            // It was already used.
            Err(StoreError::Exists) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Signs in the person asserted by a provider. Earlier wrong passwords do not block it, since it is another kind of proof.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub async fn sign_in_federated(&self, national_id: &NationalId, device: &str) -> Result<Vouched> {
        let id_hash = self.backend.keys().lookup("id", national_id.expose());
        let Some(member) = self.holder(&id_hash).await? else { return Ok(Vouched::Unknown) };
        if !self.backend.units().tree().phase(&member.id_and_path()?.1).is_open() {
            return Ok(Vouched::NotLive(self.insert_activation(&id_hash, Some(&member.id)).await?));
        }
        match self.account(&member.id).await?.filter(|account| account.password.is_some()) {
            Some(account) => {
                let entered = self.enter(&member, account.preferences()?, device, Change::default()).await;
                entered.map(Vouched::SignedIn)
            }
            None => Ok(Vouched::Activation(self.insert_activation(&id_hash, Some(&member.id)).await?)),
        }
    }
}
