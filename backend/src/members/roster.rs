//! The name list of a branch, for its leaders.

use domain::{
    ids::{MemberId, UnitId},
    members::Standing,
};

use super::Members;
use crate::{
    Error, Result,
    store::{SurrealValue, vars},
};

/// Maximum number of members in the list.
const LISTED: usize = 1_000;

/// A member of a branch.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) id: MemberId,
    pub(crate) name: String,
    standing: Standing,
    pub(crate) has_phone: bool,
}

impl Listed {
    /// Whether the member is in an audience of these standings; an empty slice means all but the exempt.
    pub(crate) fn is_asked(&self, standings: &[Standing]) -> bool {
        if standings.is_empty() { self.standing != Standing::Exempt } else { standings.contains(&self.standing) }
    }
}

impl Members<'_> {
    /// The active members of a branch, in name order. The caller checks the permission.
    pub(crate) async fn roster(&self, branch: UnitId) -> Result<Vec<Listed>> {
        let rows: Vec<ListedRow> = self.backend.store().read(roster(), vars! { unit: branch.to_string() }).await?.rows(0)?;
        rows.into_iter().map(ListedRow::decode).collect()
    }
}

#[derive(Debug, SurrealValue)]
struct ListedRow {
    id: String,
    full_name: String,
    standing: String,
    has_phone: bool,
}

impl ListedRow {
    fn decode(self) -> Result<Listed> {
        let damaged = || Error::Damaged(format!("member {}", self.id));
        let standing = Standing::from_key(&self.standing).ok_or_else(damaged)?;
        Ok(Listed { id: self.id.parse().map_err(|_| damaged())?, name: self.full_name, standing, has_phone: self.has_phone })
    }
}

fn roster() -> String {
    format!(
        "SELECT record::id(id) AS id, full_name, standing, phone_hash != NONE AS has_phone, sort_key FROM member WHERE unit = $unit AND state = 'active' \
         ORDER BY sort_key LIMIT {LISTED}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn the_roster_query_uses_an_index() {
        migrated().await.assert_no_scan(&roster(), vars! { unit: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
    }
}
