//! The roles a member holds, as far as they limit what others may do with the record and the account.
//!
//! Invariant: only a person whose own role covers the unit of a held role, current or future, may give its holder a code, another
//! number, branch or state, or merge the record. Otherwise a ward's registrar could take over the account of the province's
//! leader.

use std::collections::BTreeMap;

use domain::{
    accounts::Viewer,
    policy::{Action, Grant, Role},
    units::UnitPath,
};

use super::Offices;
use crate::{
    Result,
    change::Change,
    store::{SurrealValue, Variables, record, vars},
};

/// The units on which a member holds roles, today or from a later day.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holder {
    member: String,
    today: String,
    /// Ids of the rows, sorted.
    offices: Vec<String>,
    units: Vec<UnitPath>,
}

impl Holder {
    /// Whether the viewer may do `action` with the record or the account.
    pub(crate) fn is_in_hands_of(&self, viewer: &Viewer, action: Action) -> bool {
        viewer.standpoint.may_with_holder(action, &self.units)
    }

    /// Whether these grants, of a person other than the viewer, allow it.
    pub(crate) fn is_covered_by(&self, grants: &[Grant], action: Action) -> bool {
        self.units.iter().all(|unit| grants.iter().any(|grant| grant.role.covers(action) && grant.path.contains(unit)))
    }

    pub(crate) fn holds_any(&self) -> bool {
        !self.offices.is_empty()
    }

    /// Whether all roles are held within a subtree.
    pub(crate) fn is_within(&self, subtree: &UnitPath) -> bool {
        self.units.iter().all(|unit| subtree.contains(unit))
    }

    /// Adds a guard to the change that aborts it when the person was given a role or lost one since this was read. It precedes
    /// statements that change roles; `name` separates the bindings of several people.
    pub(crate) fn hold_still(&self, change: Change, name: &str) -> Change {
        let mut vars = Variables::new();
        let sql = self.unchanged(&mut vars, name);
        change.then(&sql).bind(vars)
    }

    /// Statements that abort a transaction when the person was given a role or lost one since this was read. They precede any
    /// that change roles. `name` separates the bindings of several people.
    pub(crate) fn unchanged(&self, vars: &mut Variables, name: &str) -> String {
        let bind = |what: &str| format!("{name}_{what}");
        vars.insert(bind("turn"), record("office_turn", &self.member));
        vars.insert(bind("member"), self.member.clone());
        vars.insert(bind("today"), self.today.clone());
        vars.insert(bind("held"), self.offices.clone());
        // Granting a role writes the same row: of two concurrent transactions, one is retried.
        format!(
            "UPSERT ${name}_turn SET n = (n ?? 0) + 1 RETURN NONE; \
             LET ${name}_now = (SELECT VALUE record::id(id) FROM office WHERE member = ${name}_member \
                 AND (until = NONE OR until >= ${name}_today)); \
             IF array::sort(${name}_now) != ${name}_held {{ THROW 'offices' }};"
        )
    }
}

impl Offices<'_> {
    /// The roles of one member.
    pub(crate) async fn holder(&self, member: &str) -> Result<Holder> {
        let mut found = self.holders(&[member]).await?;
        Ok(found.remove(member).unwrap_or_default())
    }

    /// The grants of one member today.
    pub(crate) async fn grants(&self, member: &str) -> Result<Vec<Grant>> {
        let vars = vars! { member: member.to_owned(), today: self.backend.clock().today().to_string() };
        let rows: Vec<GrantRow> = self.backend.store().read(GRANTS, vars).await?.rows(0)?;
        let tree = self.backend.units().tree();
        let grant = |row: GrantRow| Some(Grant { role: Role::from_key(&row.role)?, path: tree.named(&row.unit)?.path.clone() });
        Ok(rows.into_iter().filter_map(grant).collect())
    }

    /// The roles of several members; the result has an entry for each of them.
    pub(crate) async fn holders(&self, members: &[&str]) -> Result<BTreeMap<String, Holder>> {
        let today = self.backend.clock().today().to_string();
        let vars = vars! { members: members.iter().map(|member| (*member).to_owned()).collect::<Vec<_>>(), today: today.clone() };
        let rows: Vec<HeldRow> = self.backend.store().read(HELD, vars).await?.rows(0)?;
        let of = |member: &str| Holder { member: member.to_owned(), today: today.clone(), ..Holder::default() };
        let mut holders: BTreeMap<String, Holder> = members.iter().map(|member| ((*member).to_owned(), of(member))).collect();
        let tree = self.backend.units().tree();
        for row in rows {
            let Some(holder) = holders.get_mut(&row.member) else { continue };
            holder.offices.push(row.id);
            // A role on a unit that no longer exists grants nothing.
            holder.units.extend(tree.named(&row.unit).map(|unit| unit.path.clone()));
        }
        for holder in holders.values_mut() {
            holder.offices.sort_unstable();
        }
        Ok(holders)
    }
}

const HELD: &str = "SELECT record::id(id) AS id, member, unit FROM office WHERE member IN $members \
                    AND (until = NONE OR until >= $today)";

const GRANTS: &str =
    "SELECT role, unit FROM office WHERE member = $member AND from <= $today AND (until = NONE OR until >= $today)";

#[derive(Debug, SurrealValue)]
struct GrantRow {
    role: String,
    unit: String,
}

#[derive(Debug, SurrealValue)]
struct HeldRow {
    id: String,
    member: String,
    unit: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn roles_are_found_by_index() {
        let members = vec!["01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(), "01ARZ3NDEKTSV4RRFFQ69G5FAW".to_owned()];
        let store = migrated().await;
        store.assert_no_scan(GRANTS, vars! { member: members[0].clone(), today: "2026-11-21" }).await;
        store.assert_no_scan(HELD, vars! { members: members, today: "2026-11-21" }).await;
    }
}
