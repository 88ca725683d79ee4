//! The name list of a branch, for its leaders.

use domain::{
    ids::MemberId,
    members::Standing,
    units::{UnitPath, UnitRef},
};

use super::Members;
use crate::{Error, Result, store::SurrealValue};

/// Maximum number of members in the list.
const LISTED: usize = 1_000;

/// A member of a branch.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) id: MemberId,
    pub(crate) name: String,
    standing: Standing,
    pub(crate) has_phone: bool,
    /// The unit in which the member is registered: the branch, or one below it.
    pub(crate) unit: UnitPath,
}

impl Listed {
    /// Whether the member is in an audience of these standings; an empty slice means all but the exempt.
    pub(crate) fn is_asked(&self, standings: &[Standing]) -> bool {
        if standings.is_empty() { self.standing != Standing::Exempt } else { standings.contains(&self.standing) }
    }
}

impl Members<'_> {
    /// The active members of a branch, in name order. The caller checks the permission.
    pub(crate) async fn roster(&self, branch: &UnitRef) -> Result<Vec<Listed>> {
        let tree = self.backend.units().tree();
        let (sql, vars, units) = tree.in_each_registering(branch, &roster());
        let mut answers = self.backend.store().read(sql, vars).await?;
        let mut rows: Vec<(ListedRow, &UnitRef)> = Vec::new();
        for (at, unit) in units.into_iter().enumerate() {
            rows.extend(answers.rows::<ListedRow>(at)?.into_iter().map(|row| (row, unit)));
        }
        rows.sort_by(|(one, _), (other, _)| one.sort_key.cmp(&other.sort_key));
        rows.truncate(LISTED);
        rows.into_iter().map(|(row, unit)| row.decode(unit)).collect()
    }
}

#[derive(Debug, SurrealValue)]
struct ListedRow {
    id: String,
    full_name: String,
    standing: String,
    has_phone: bool,
    sort_key: String,
}

impl ListedRow {
    fn decode(self, unit: &UnitRef) -> Result<Listed> {
        let damaged = || Error::Damaged(format!("member {}", self.id));
        let standing = Standing::from_key(&self.standing).ok_or_else(damaged)?;
        Ok(Listed {
            id: self.id.parse().map_err(|_| damaged())?,
            name: self.full_name,
            standing,
            has_phone: self.has_phone,
            unit: unit.path.clone(),
        })
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
    use crate::store::{tests::migrated, vars};

    #[tokio::test]
    async fn the_roster_query_uses_an_index() {
        migrated().await.assert_no_scan(&roster(), vars! { unit: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
    }
}
