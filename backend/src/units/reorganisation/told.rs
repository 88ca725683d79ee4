//! What members are told after a reorganisation of the units above their branch. No row is written for a member until they dismiss
//! the notice: what changed follows from the versions of the units.

use chrono::{NaiveDate, TimeDelta};
use domain::{
    accounts::Viewer,
    ids::{ReorganisationId, UnitId},
    policy::Role,
    units::{
        Leader,
        reorganisation::{ReorganisationNotice, TOLD_DAYS},
    },
};

use super::Reorganisations;
use crate::{
    Error, Result,
    change::Change,
    store::{SurrealValue, pair, vars},
    units::{Tree, history::day_before},
};

/// Most levels above a branch.
const LEVELS: usize = 16;

/// The newest reorganisations that are looked at.
const LATEST: &str = "SELECT record::id(id) AS id, effective_on, started_at FROM unit_operation \
     WHERE kind = 'reorganise' AND started_at > $since ORDER BY started_at DESC LIMIT 5";

const VERSIONS: &str = "SELECT name, parent, from, until FROM unit_version WHERE unit = $unit";

#[derive(Debug, SurrealValue)]
struct LatestRow {
    id: String,
    effective_on: String,
}

#[derive(Debug, SurrealValue)]
struct VersionRow {
    name: String,
    parent: Option<String>,
    from: String,
    until: Option<String>,
}

/// A unit above a branch, and its name.
type Step = (UnitId, String);

impl Reorganisations<'_> {
    /// What to tell the viewer about the units above the own branch; `None` when nothing changed lately or it was dismissed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn notice(&self, viewer: &Viewer) -> Result<Option<ReorganisationNotice>> {
        let since = self.backend.clock().now() - TimeDelta::days(TOLD_DAYS);
        let latest: Vec<LatestRow> = self.backend.store().read(LATEST, vars! { since: since }).await?.rows(0)?;
        let tree = self.backend.units().tree();
        for row in latest {
            let damaged = || Error::Damaged(format!("the operation {}", row.id));
            let reorganisation: ReorganisationId = row.id.parse().map_err(|_| damaged())?;
            let on: NaiveDate = row.effective_on.parse().map_err(|_| damaged())?;
            let (Some(branch), false) = (tree.get(viewer.branch.id), self.is_seen(viewer, reorganisation).await?) else {
                continue;
            };
            let before = self.line(&tree, branch.id, day_before(on)).await?;
            let mut after: Vec<Step> = tree.trail(&branch.path).map(|unit| (unit.id, unit.name.clone())).collect();
            after.pop();
            // A branch that began on that day had no units above it before.
            if before.is_empty() || before == after {
                continue;
            }
            let Some((parent, _)) = after.last() else { continue };
            let leads = |leader: &Leader| matches!(leader.role, Role::Secretary | Role::Deputy);
            let leaders = self.backend.unit_desk().leaders(*parent, self.backend.clock().today()).await?;
            let names = |line: Vec<Step>| line.into_iter().skip(1).map(|(_, name)| name).collect();
            return Ok(Some(ReorganisationNotice {
                reorganisation,
                branch: branch.clone(),
                before: names(before),
                after: names(after),
                since: on,
                leaders: leaders.into_iter().filter(leads).collect(),
            }));
        }
        Ok(None)
    }

    /// Records that the viewer has seen the notice. Idempotent.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such reorganisation; those of the store.
    pub async fn dismiss(&self, viewer: &Viewer, id: ReorganisationId) -> Result<()> {
        self.row(id).await?;
        let seen = pair("reorganisation_seen", viewer.member, id);
        let sql = "UPSERT $seen SET at = $now RETURN NONE;";
        self.backend.transact(Change::new(sql, vars! { seen: seen, now: self.backend.clock().now() })).await?;
        Ok(())
    }

    async fn is_seen(&self, viewer: &Viewer, id: ReorganisationId) -> Result<bool> {
        let seen = vars! { seen: pair("reorganisation_seen", viewer.member, id) };
        let found: Vec<String> = self.backend.store().read("SELECT VALUE <string> at FROM $seen", seen).await?.rows(0)?;
        Ok(!found.is_empty())
    }

    /// The units above a branch on a day, from the root down; none when the branch did not exist.
    async fn line(&self, tree: &Tree, branch: UnitId, day: NaiveDate) -> Result<Vec<Step>> {
        let date = day.to_string();
        let (mut line, mut unit): (Vec<Step>, UnitId) = (Vec::new(), branch);
        for _ in 0..LEVELS {
            let rows: Vec<VersionRow> = self.backend.store().read(VERSIONS, vars! { unit: unit.to_string() }).await?.rows(0)?;
            let is_unchanged = rows.is_empty();
            let then = rows.into_iter().find(|row| row.from <= date && row.until.as_ref().is_none_or(|until| *until >= date));
            let (name, parent) = match then {
                Some(row) => (row.name, row.parent.and_then(|parent| parent.parse().ok())),
                // A unit that never changed may have no version.
                None if is_unchanged => {
                    let Some(node) = tree.node(unit).filter(|node| node.opened_on <= day) else { break };
                    (node.unit.name.clone(), tree.parent(&node.unit.path).map(|parent| parent.id))
                }
                None => break,
            };
            if unit != branch {
                line.push((unit, name));
            }
            match parent {
                Some(parent) => unit = parent,
                None => {
                    line.reverse();
                    return Ok(line);
                }
            }
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn the_queries_of_the_notice_use_an_index() {
        let store = migrated().await;
        let since = "2026-11-21T08:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().expect("a moment");
        store.assert_no_scan(LATEST, vars! { since: since }).await;
        store.assert_no_scan(VERSIONS, vars! { unit: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }).await;
    }
}
