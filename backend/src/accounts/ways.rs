//! Activations and paper codes that a password change invalidates, since they rely on credentials that may be compromised.

use super::Accounts;
use crate::store::{Variables, record, vars};

/// Ends the activations of the account's owner, proved or not, and revokes their unused paper codes. For the transaction that
/// changes the password; [`Accounts::ways`] adds its bindings.
pub(super) const CLOSE_WAYS: &str = "LET $ways_id = (SELECT VALUE id_hash FROM ONLY $ways_member);
     LET $ways_proved = (SELECT VALUE id FROM door WHERE proved = $ways_owner); DELETE $ways_proved RETURN NONE;
     LET $ways_asked = (SELECT VALUE id FROM door WHERE id_hash = $ways_id AND $ways_id != NONE); DELETE $ways_asked RETURN NONE;
     LET $ways_codes = (SELECT VALUE id FROM paper_code WHERE member = $ways_owner AND used_at = NONE AND revoked_at = NONE
         AND expires_at > $ways_at);
     UPDATE $ways_codes SET revoked_at = $ways_at RETURN NONE;";

impl Accounts<'_> {
    /// Adds the bindings of [`CLOSE_WAYS`].
    pub(super) fn ways(&self, vars: &mut Variables, owner: &str) {
        vars.extend(vars! {
            ways_member: record("member", owner),
            ways_owner: owner.to_owned(),
            ways_at: self.backend.clock().now(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn ways_are_found_by_index() {
        let store = migrated().await;
        let selects =
            CLOSE_WAYS.split("LET ").filter_map(|part| part.split_once("= (")?.1.split_once(");")).map(|(select, _)| select);
        for select in selects.filter(|select| !select.contains("FROM ONLY")) {
            let vars = vars! { ways_owner: "01ARZ3NDEKTSV4RRFFQ69G5FAV", ways_id: "a", ways_at: chrono::Utc::now() };
            store.assert_no_scan(select, vars).await;
        }
    }
}
