//! The notice to members after a reorganisation of the units above their branch. No row is written for a member until they
//! dismiss it: what changed follows from the versions of the units.

use std::sync::{Arc, PoisonError};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
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
    store::{RecordId, SurrealValue, pair, vars},
    units::{Tree, Units, history::day_before},
};

/// The newest reorganisations that are looked at.
const LATEST: &str = "SELECT record::id(id) AS id, effective_on, started_at FROM unit_operation \
     WHERE kind = 'reorganise' AND started_at > $since ORDER BY started_at DESC LIMIT 100";

#[derive(Debug, SurrealValue)]
struct LatestRow {
    id: String,
    effective_on: String,
    started_at: DateTime<Utc>,
}

/// The newest reorganisations, first the last one. They are read again when the tree has another version, not for every page.
#[derive(Debug)]
pub(in crate::units) struct Latest {
    version: i64,
    reorganisations: Arc<Vec<CarriedOut>>,
}

#[derive(Debug)]
struct CarriedOut {
    id: ReorganisationId,
    on: NaiveDate,
    started_at: DateTime<Utc>,
}

impl LatestRow {
    fn decode(self) -> Result<CarriedOut> {
        let damaged = || Error::Damaged(format!("the operation {}", self.id));
        Ok(CarriedOut {
            id: self.id.parse().map_err(|_| damaged())?,
            on: self.effective_on.parse().map_err(|_| damaged())?,
            started_at: self.started_at,
        })
    }
}

impl Units {
    fn latest_of(&self, version: i64) -> Option<Arc<Vec<CarriedOut>>> {
        let held = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|latest| latest.version == version).map(|latest| Arc::clone(&latest.reorganisations))
    }
}

/// A unit above a branch, and its name.
type Step = (UnitId, String);

impl Reorganisations<'_> {
    /// What to tell the viewer about the units above the own branch; `None` when nothing changed lately or it was dismissed.
    ///
    /// Several reorganisations may be effective on the same day, such as one for each province. The versions of units do not say
    /// which of them changed a unit, so a member is told once for each day.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn notice(&self, viewer: &Viewer) -> Result<Option<ReorganisationNotice>> {
        let since = self.backend.clock().now() - TimeDelta::days(TOLD_DAYS);
        let tree = self.backend.units().tree();
        let latest = self.latest(&tree, since).await?;
        let Some(branch) = tree.get(viewer.branch.id) else { return Ok(None) };
        let mut after: Vec<Step> = tree.trail(&branch.path).map(|unit| (unit.id, unit.name.clone())).collect();
        after.pop();
        let Some((parent, _)) = after.last() else { return Ok(None) };
        let mut days: Vec<(NaiveDate, Vec<ReorganisationId>)> = Vec::new();
        for CarriedOut { id, on, .. } in latest.iter().filter(|carried_out| carried_out.started_at > since) {
            match days.iter_mut().find(|(day, _)| day == on) {
                Some((_, ids)) => ids.push(*id),
                None => days.push((*on, vec![*id])),
            }
        }
        for (on, ids) in days {
            let before = line(&tree, branch.id, day_before(on));
            // A branch that began on that day had no units above it before.
            if before.is_empty() || before == after || self.is_seen(viewer, &ids).await? {
                continue;
            }
            let Some(newest) = ids.first() else { continue };
            let leads = |leader: &Leader| matches!(leader.role, Role::Secretary | Role::Deputy);
            let leaders = self.backend.unit_desk().leaders(*parent, self.backend.clock().today()).await?;
            let names = |line: &[Step]| line.iter().skip(1).map(|(_, name)| name.clone()).collect();
            return Ok(Some(ReorganisationNotice {
                reorganisation: *newest,
                branch: branch.clone(),
                before: names(&before),
                after: names(&after),
                since: on,
                leaders: leaders.into_iter().filter(leads).collect(),
            }));
        }
        Ok(None)
    }

    async fn latest(&self, tree: &Tree, since: DateTime<Utc>) -> Result<Arc<Vec<CarriedOut>>> {
        let (units, version) = (self.backend.units(), tree.version());
        if let Some(held) = units.latest_of(version) {
            return Ok(held);
        }
        let rows: Vec<LatestRow> = self.backend.store().read(LATEST, vars! { since: since }).await?.rows(0)?;
        let found = Arc::new(rows.into_iter().map(LatestRow::decode).collect::<Result<Vec<_>>>()?);
        let latest = Latest { version, reorganisations: Arc::clone(&found) };
        *units.latest.write().unwrap_or_else(PoisonError::into_inner) = Some(latest);
        Ok(found)
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

    /// Whether the viewer has dismissed the notice of one of these reorganisations.
    async fn is_seen(&self, viewer: &Viewer, of: &[ReorganisationId]) -> Result<bool> {
        let seen: Vec<RecordId> = of.iter().map(|id| pair("reorganisation_seen", viewer.member, id)).collect();
        let sql = "SELECT VALUE <string> at FROM $seen";
        let found: Vec<String> = self.backend.store().read(sql, vars! { seen: seen }).await?.rows(0)?;
        Ok(!found.is_empty())
    }
}

/// The units above a branch on a day, from the root down; none when the branch did not exist.
fn line(tree: &Tree, branch: UnitId, day: NaiveDate) -> Vec<Step> {
    let mut line = tree.line_on(branch, day);
    if line.last().is_none_or(|(_, top)| top.parent.is_some()) {
        return Vec::new();
    }
    line.reverse();
    line.pop();
    line.into_iter().map(|(unit, form)| (unit, form.name.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn the_query_of_the_notice_uses_an_index() {
        let store = migrated().await;
        let since = "2026-11-21T08:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().expect("a moment");
        store.assert_no_scan(LATEST, vars! { since: since }).await;
    }
}
