//! The name list of a branch, for who leads it.

use domain::{
    ids::{MemberId, UnitId},
    members::Standing,
};

use super::Members;
use crate::{
    Error, Result,
    store::{SurrealValue, vars},
};

/// Members of a branch that are listed.
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
    /// Whether something is asked of the member that is asked of these standings; of all but the exempt when there are none.
    pub(crate) fn is_asked(&self, standings: &[Standing]) -> bool {
        if standings.is_empty() { self.standing != Standing::Exempt } else { standings.contains(&self.standing) }
    }
}

impl Members<'_> {
    /// The active members of a branch, in the order of a name list. Whether the viewer may see it is for the caller to ask.
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
    async fn a_name_list_is_read_by_index() {
        migrated().await.assert_no_scan(&roster(), vars! { unit: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
    }
}
