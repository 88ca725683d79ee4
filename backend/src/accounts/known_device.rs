//! Devices a member has signed in on before. What others try elsewhere never locks them out.

use chrono::TimeDelta;

use super::{Accounts, new_token};
use crate::{
    Result,
    keys::fingerprint,
    store::{RecordId, SurrealValue, Variables, pair, vars},
};

/// As long as browsers keep a cookie at most.
const REMEMBERED: TimeDelta = TimeDelta::days(400);

/// To be part of the transaction that opens a session; its bindings come from [`Accounts::remember_device`].
pub(super) const REMEMBER: &str =
    "UPSERT $known_device SET member = $known_member, failures = 0, expires_at = $known_until RETURN NONE;";

/// A device of the member who tries to sign in.
#[derive(Debug, Clone)]
pub(super) struct KnownDevice {
    pub(super) record: RecordId,
    /// Names its counters.
    pub(super) name: String,
    /// Wrong passwords in a row.
    pub(super) failures: i64,
}

#[derive(Debug, SurrealValue)]
struct DeviceRow {
    failures: i64,
}

impl Accounts<'_> {
    /// The device in use, when `owner` has signed in on it before.
    pub(super) async fn known_device(&self, owner: &str) -> Result<Option<KnownDevice>> {
        let name = fingerprint(self.origin.device.as_deref().unwrap_or_default());
        let record = pair("device", &name, owner);
        let sql = "SELECT failures FROM $device WHERE expires_at > $now";
        let vars = vars! { device: record.clone(), now: self.backend.clock().now() };
        let found: Option<DeviceRow> = self.backend.store().read(sql, vars).await?.row(0)?;
        Ok(found.map(|row| KnownDevice { record, name, failures: row.failures }))
    }

    /// Binds what [`REMEMBER`] writes and returns the device's secret: a new one, unless the member has used the device before.
    pub(super) async fn remember_device(&self, vars: &mut Variables, member: &str) -> Result<String> {
        let known = self.known_device(member).await?;
        let token = match &self.origin.device {
            Some(token) if known.is_some() => token.clone(),
            // Never one that the browser brings along: somebody else might know it.
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
