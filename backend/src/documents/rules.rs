//! The rules of a unit's desk: whether authors may approve their own text. Set by its chief editors or those of units above.

use std::collections::BTreeSet;

use domain::{accounts::Viewer, documents::desk::DeskRules, events::EventBody, ids::UnitId, policy::Action, units::UnitRef};

use super::Documents;
use crate::{
    Error, Result,
    change::Change,
    store::{SurrealValue, record, vars},
};

#[derive(Debug, Default, SurrealValue)]
struct RuleRow {
    own_approval: bool,
    version: i64,
}

impl Documents<'_> {
    /// # Errors
    /// [`Error::NotFound`] for an unknown unit and for a person who may not publish there.
    pub async fn rules(&self, viewer: &Viewer, unit: UnitId) -> Result<DeskRules> {
        let unit = self.ruled(viewer, unit)?;
        let row = self.rule(unit.id).await?;
        let version = u32::try_from(row.version).map_err(|_| Error::Damaged(format!("rules of the desk of {}", unit.id)))?;
        Ok(DeskRules { unit, own_approval: row.own_approval, version })
    }

    /// Sets whether authors may approve their own text. Idempotent.
    ///
    /// # Errors
    /// As [`Self::rules`].
    pub async fn set_rules(&self, viewer: &Viewer, unit: UnitId, own_approval: bool) -> Result<()> {
        let unit = self.ruled(viewer, unit)?;
        if self.rule(unit.id).await?.own_approval == own_approval {
            return Ok(());
        }
        let vars = vars! { rule: record("desk_rule", unit.id), own_approval: own_approval };
        let sql = "UPSERT $rule SET own_approval = $own_approval, version = (version ?? 0) + 1 RETURN NONE";
        let changed = EventBody::DeskRulesChanged { unit: unit.id, own_approval: Some(own_approval) };
        let change = Change::new(sql, vars).event(self.backend.clock(), Some(viewer.member), &unit.path, changed);
        self.backend.transact(change).await?;
        Ok(())
    }

    /// Whether the unit lets authors approve their own text.
    pub(super) async fn own_approval(&self, unit: UnitId) -> Result<bool> {
        Ok(self.rule(unit).await?.own_approval)
    }

    /// Which of the units do so, in one query.
    pub(super) async fn with_own_approval(&self, units: &BTreeSet<UnitId>) -> Result<BTreeSet<UnitId>> {
        let rules: Vec<_> = units.iter().map(|unit| record("desk_rule", unit)).collect();
        let sql = "SELECT VALUE record::id(id) FROM $rules WHERE own_approval = true";
        let found: Vec<String> = self.backend.store().read(sql, vars! { rules: rules }).await?.rows(0)?;
        let ids = found.into_iter().map(|id| id.parse().map_err(|_| Error::Damaged(format!("rules of the desk of {id}"))));
        ids.collect()
    }

    async fn rule(&self, unit: UnitId) -> Result<RuleRow> {
        let sql = "SELECT own_approval, version FROM ONLY $rule";
        let row: Option<RuleRow> = self.backend.store().read(sql, vars! { rule: record("desk_rule", unit) }).await?.row(0)?;
        Ok(row.unwrap_or_default())
    }

    fn ruled(&self, viewer: &Viewer, unit: UnitId) -> Result<UnitRef> {
        let tree = self.backend.units().tree();
        let unit = tree.get(unit).filter(|unit| viewer.standpoint.may_by_office(Action::PublishDocument, &unit.path));
        unit.cloned().ok_or(Error::NotFound)
    }
}
