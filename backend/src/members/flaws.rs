//! Keeps the rows of the quality queue true to the records, in the transaction that changes a record.

use domain::{ids::MemberId, members::Flaw};

use super::{
    MemberRow, Members, Step,
    rows::{self, NewFlaw, NewMember, flaw_id},
};
use crate::{
    Result,
    store::{SurrealValue, vars},
};

/// A record that shares a twin key with others.
#[derive(Debug, Clone, SurrealValue)]
pub(super) struct Twin {
    pub(super) id: String,
    pub(super) path: String,
    pub(super) distinct_from: Option<Vec<String>>,
}

impl Twin {
    /// Whether the two may be one person, as far as nobody has found otherwise.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        let knows = |one: &Self, other: &Self| one.distinct_from.iter().flatten().any(|id| *id == other.id);
        self.id != other.id && !knows(self, other) && !knows(other, self)
    }
}

/// The active records of one twin key.
pub(super) const TWINS: &str =
    "SELECT record::id(id) AS id, path, distinct_from FROM member WHERE twin_key = $twin_key AND state = 'active'";

impl Members<'_> {
    pub(super) async fn twins(&self, twin_key: &str) -> Result<Vec<Twin>> {
        self.backend.store().read(TWINS, vars! { twin_key: twin_key }).await?.rows(0)
    }

    /// Adds what makes the queue fit once `after` is stored in place of a record with the twin key `before`. Only active records
    /// have flaws.
    pub(super) async fn settle_flaws(&self, step: &mut Step, before: Option<&str>, after: &MemberRow) -> Result<()> {
        let found = if after.is_active() {
            let today = self.backend.clock().today();
            let (born, admitted, official) = (after.birth_date()?, after.admitted_on()?, after.official_on()?);
            rows::flaws(after.id_hash.is_some(), after.phone_hash.is_some(), born, admitted, official, today)
        } else {
            Vec::new()
        };
        for kind in Flaw::ALL.into_iter().filter(|kind| *kind != Flaw::Twin) {
            step.flaw(kind, &after.id, &after.path, found.contains(&kind));
        }
        let own = Twin { id: after.id.clone(), path: after.path.clone(), distinct_from: after.distinct_from.clone() };
        let now = after.twin_key.as_deref().filter(|_| after.is_active());
        if now.is_none() {
            step.flaw(Flaw::Twin, &own.id, &own.path, false);
        }
        let mut keys: Vec<&str> = before.into_iter().chain(now).collect();
        keys.dedup();
        for key in keys {
            let mut group = self.twins(key).await?;
            group.retain(|twin| twin.id != own.id);
            if Some(key) == now {
                group.push(own.clone());
            }
            step.twin_flaws(&group);
        }
        Ok(())
    }

    /// Adds the flaws of a new record, which are `found` in it alone, and the twins it makes.
    pub(super) async fn note_flaws(&self, step: &mut Step, id: MemberId, new: &NewMember, found: &[Flaw]) -> Result<()> {
        let own = Twin { id: id.to_string(), path: new.path.clone(), distinct_from: None };
        for kind in found {
            step.flaw(*kind, &own.id, &own.path, true);
        }
        let mut group = self.twins(&new.twin_key).await?;
        group.push(own);
        step.twin_flaws(&group);
        Ok(())
    }
}

impl Step {
    /// Writes or deletes the row of one flaw.
    pub(super) fn flaw(&mut self, kind: Flaw, member: &str, path: &str, holds: bool) {
        let at = self.flaws;
        self.flaws += 1;
        self.vars.insert(format!("flaw_{at}"), flaw_id(kind, member));
        if holds {
            self.vars.insert(format!("flawed_{at}"), NewFlaw::new(kind, member, path));
            self.then(&format!("UPSERT $flaw_{at} CONTENT $flawed_{at} RETURN NONE;"));
        } else {
            self.then(&format!("DELETE $flaw_{at} RETURN NONE;"));
        }
    }

    /// The same for all records of one twin key.
    pub(super) fn twin_flaws(&mut self, group: &[Twin]) {
        for twin in group {
            let holds = group.iter().any(|other| twin.may_be(other));
            self.flaw(Flaw::Twin, &twin.id, &twin.path, holds);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn twins_are_found_by_index() {
        migrated().await.assert_no_scan(TWINS, vars! { twin_key: "a" }).await;
    }
}
