//! Signing in on the word of another organisation about a national ID.
//!
//! Who the person is was established by the provider; whether they may come in is decided here, as for a password.

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

/// Time enough to type a password and wait for a message at the provider's.
const AWAY_FOR: TimeDelta = TimeDelta::minutes(10);

/// Binds a sealed departure to its purpose.
const SEALED_AS: &str = "federation";

/// Where a provider's word about a national ID leads to.
pub enum Vouched {
    SignedIn(SignedIn),
    /// The person has no password yet: the secret of an activation that goes on with choosing one.
    Activation(String),
    /// The person's unit does not use the handbook yet: the secret of an activation that says when it will.
    NotLive(String),
    /// No member has this national ID.
    Unknown,
}

/// Somebody on the way to a provider and back. The browser keeps it, sealed; nothing is stored before anybody is known.
#[derive(Clone, Serialize, Deserialize)]
pub struct Departure {
    pub provider: String,
    /// Comes back with the person: that it is the same browser that left.
    pub state: String,
    /// Comes back inside the ID token: that it was made for this departure.
    pub nonce: String,
    /// Of PKCE (RFC 7636): that who brings the code is who asked for it.
    pub verifier: String,
    /// Where to go on afterwards, a path of this site.
    pub next: String,
    until: DateTime<Utc>,
}

impl Accounts<'_> {
    /// Begins a sign-in at `provider` and returns it with its sealed form for the browser.
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

    /// The departure of a browser that comes back; none when it is not ours, altered, too long ago, or has been used: it is good for
    /// one return, so that a copy of the cookie is worth nothing afterwards.
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
            // It has come back before.
            Err(StoreError::Exists) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Signs in whom a provider vouches for. Wrong passwords typed before do not matter: this is another proof.
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
