//! The roles somebody holds, as far as they limit what others may do with the record and the account.
//!
//! Invariant: whoever holds a role, or will, is given a code, another number, another branch or another state, and merged, only by
//! somebody whose own role covers the unit it is held on. Else who keeps a ward's records could act as who leads the province.

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

/// Who holds roles on which units, today or from a later day on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holder {
    member: String,
    today: String,
    /// Ids of the rows, in their order.
    offices: Vec<String>,
    units: Vec<UnitPath>,
}

impl Holder {
    /// Whether the viewer may do `action` with the record or the account.
    pub(crate) fn is_in_hands_of(&self, viewer: &Viewer, action: Action) -> bool {
        viewer.standpoint.may_with_holder(action, &self.units)
    }

    /// Whether somebody who is not the viewer may do it, by the roles that give them rights.
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

    /// The change, stopped when the person was given a role or lost one since this was read. Comes before statements that change roles;
    /// `name` keeps the bindings of several people apart.
    pub(crate) fn hold_still(&self, change: Change, name: &str) -> Change {
        let mut vars = Variables::new();
        let sql = self.unchanged(&mut vars, name);
        change.then(&sql).bind(vars)
    }

    /// Statements that stop a transaction when the person was given a role or lost one since this was read. They come before any that
    /// change roles. `name` keeps the bindings of several people apart.
    pub(crate) fn unchanged(&self, vars: &mut Variables, name: &str) -> String {
        let bind = |what: &str| format!("{name}_{what}");
        vars.insert(bind("turn"), record("office_turn", &self.member));
        vars.insert(bind("member"), self.member.clone());
        vars.insert(bind("today"), self.today.clone());
        vars.insert(bind("held"), self.offices.clone());
        // Whoever gives a role writes the same row: of two at once, one is tried again.
        format!(
            "UPSERT ${name}_turn SET n = (n ?? 0) + 1 RETURN NONE; \
             LET ${name}_now = (SELECT VALUE record::id(id) FROM office WHERE member = ${name}_member \
                 AND (until = NONE OR until >= ${name}_today)); \
             IF array::sort(${name}_now) != ${name}_held {{ THROW 'offices' }};"
        )
    }
}

impl Offices<'_> {
    /// The roles one member holds.
    pub(crate) async fn holder(&self, member: &str) -> Result<Holder> {
        let mut found = self.holders(&[member]).await?;
        Ok(found.remove(member).unwrap_or_default())
    }

    /// The roles one member holds today, as they give rights.
    pub(crate) async fn grants(&self, member: &str) -> Result<Vec<Grant>> {
        let vars = vars! { member: member.to_owned(), today: self.backend.clock().today().to_string() };
        let rows: Vec<GrantRow> = self.backend.store().read(GRANTS, vars).await?.rows(0)?;
        let tree = self.backend.units().tree();
        let grant = |row: GrantRow| Some(Grant { role: Role::from_key(&row.role)?, path: tree.named(&row.unit)?.path.clone() });
        Ok(rows.into_iter().filter_map(grant).collect())
    }

    /// The roles some members hold; everybody asked for is in the answer.
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
            // A role on a unit that is no more gives no right.
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
