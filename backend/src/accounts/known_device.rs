//! Devices on which a member has signed in before. Tries on other devices never lock them out.

use chrono::TimeDelta;

use super::{Accounts, new_token};
use crate::{
    Result,
    keys::fingerprint,
    store::{RecordId, SurrealValue, Variables, pair, vars},
};

/// The longest time that browsers keep a cookie.
const REMEMBERED: TimeDelta = TimeDelta::days(400);

/// The statement that remembers the device, for the transaction that opens a session. [`Accounts::remember_device`] adds its
/// bindings.
pub(super) const REMEMBER: &str =
    "UPSERT $known_device SET member = $known_member, failures = 0, expires_at = $known_until RETURN NONE;";

/// A known device of the member who is signing in.
#[derive(Debug, Clone)]
pub(super) struct KnownDevice {
    pub(super) record: RecordId,
    /// The name of its counters.
    pub(super) name: String,
    /// Consecutive wrong passwords.
    pub(super) failures: i64,
}

#[derive(Debug, SurrealValue)]
struct DeviceRow {
    failures: i64,
}

impl Accounts<'_> {
    /// The current device, if `owner` has signed in on it before.
    pub(super) async fn known_device(&self, owner: &str) -> Result<Option<KnownDevice>> {
        let name = fingerprint(self.origin.device.as_deref().unwrap_or_default());
        let record = pair("device", &name, owner);
        let sql = "SELECT failures FROM $device WHERE expires_at > $now";
        let vars = vars! { device: record.clone(), now: self.backend.clock().now() };
        let found: Option<DeviceRow> = self.backend.store().read(sql, vars).await?.row(0)?;
        Ok(found.map(|row| KnownDevice { record, name, failures: row.failures }))
    }

    /// Adds the bindings of [`REMEMBER`] and returns the device's secret: a new one, unless the member has used the device
    /// before.
    pub(super) async fn remember_device(&self, vars: &mut Variables, member: &str) -> Result<String> {
        let known = self.known_device(member).await?;
        let token = match &self.origin.device {
            Some(token) if known.is_some() => token.clone(),
            // An unknown secret sent by the browser is never adopted: somebody else may have a copy.
            _ => new_token(self.backend.clock()),
        };
        vars.extend(vars! {
            known_device: pair("device", fingerprint(&token), member),
            known_member: member.to_owned(),
            known_until: self.backend.clock().now() + REMEMBERED,
        });
        Ok(token)
    }
}
