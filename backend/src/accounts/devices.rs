//! The devices on which a person is signed in: listing them, signing one out, signing all others out.

use chrono::{DateTime, Utc};
use domain::{
    accounts::{OpenSession, Viewer},
    events::{EventBody, Revoked},
    ids::SessionId,
};

use super::Accounts;
use crate::{
    Error, Result,
    change::Change,
    keys::fingerprint,
    store::{RecordId, SurrealValue, record, vars},
};

/// Most devices shown.
const SHOWN: usize = 100;

#[derive(Debug, SurrealValue)]
struct DeviceRow {
    id: String,
    handle: String,
    device: String,
    created_at: DateTime<Utc>,
    seen_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl Accounts<'_> {
    /// The devices on which the person is signed in: first the one with `token`, then by last use.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub async fn devices(&self, viewer: &Viewer, token: &str) -> Result<Vec<OpenSession>> {
        let now = self.backend.clock().now();
        let vars = vars! { member: viewer.member.to_string() };
        let rows: Vec<DeviceRow> =
            self.backend.store().read(DEVICES.replace("$shown", &SHOWN.to_string()), vars).await?.rows(0)?;
        let here = fingerprint(token);
        let mut devices = rows
            .into_iter()
            .filter(|row| row.expires_at > now)
            .map(|row| {
                Ok(OpenSession {
                    id: row.handle.parse().map_err(|_| Error::Damaged(format!("session {}", row.handle)))?,
                    device: row.device,
                    opened_at: row.created_at,
                    seen_at: row.seen_at,
                    is_here: row.id == here,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        devices.sort_by_key(|device| !device.is_here);
        Ok(devices)
    }

    /// Signs one of the person's own devices out. Its cookie becomes invalid.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the session does not exist, was already ended, or belongs to somebody else.
    pub async fn revoke(&self, viewer: &Viewer, session: SessionId) -> Result<()> {
        let vars = vars! { member: viewer.member.to_string(), handle: session.to_string() };
        let found: Option<RecordId> = self.backend.store().read(NAMED, vars).await?.row(0)?;
        let ended = found.ok_or(Error::NotFound)?;
        self.end(viewer, vec![ended], Revoked::One(session)).await
    }

    /// Signs out every device of the person except the one with `token`. Returns their number.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn revoke_others(&self, viewer: &Viewer, token: &str) -> Result<usize> {
        let here = record("session", fingerprint(token));
        let vars = vars! { member: viewer.member.to_string() };
        let mut ended: Vec<RecordId> = self.backend.store().read(ALL, vars).await?.rows(0)?;
        ended.retain(|session| *session != here);
        let count = ended.len();
        if count > 0 {
            self.end(viewer, ended, Revoked::Others { member: viewer.member, count: count as u64 }).await?;
        }
        Ok(count)
    }

    async fn end(&self, viewer: &Viewer, ended: Vec<RecordId>, revoked: Revoked) -> Result<()> {
        let (clock, branch) = (self.backend.clock(), &viewer.standpoint.branch);
        let change = Change::new("DELETE $ended RETURN NONE;", vars! { ended: ended });
        let change = change.event(clock, Some(viewer.member), branch, EventBody::SessionRevoked(revoked));
        self.backend.transact(change).await?;
        Ok(())
    }
}

const DEVICES: &str = "SELECT record::id(id) AS id, handle, device, created_at, seen_at, expires_at FROM session \
                       WHERE member = $member ORDER BY seen_at DESC LIMIT $shown";
const NAMED: &str = "SELECT VALUE id FROM session WHERE member = $member AND handle = $handle LIMIT 1";
const ALL: &str = "SELECT VALUE id FROM session WHERE member = $member";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn no_query_scans_all_sessions() {
        let store = migrated().await;
        let devices = DEVICES.replace("$shown", &SHOWN.to_string());
        let vars = vars! { member: "01ARZ3NDEKTSV4RRFFQ69G5FAV", handle: "01ARZ3NDEKTSV4RRFFQ69G5FAV" };
        store.assert_no_scan(&format!("{devices}; {NAMED}; {ALL}"), vars).await;
    }
}
