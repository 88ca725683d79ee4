//! Updates the rows of the quality queue in the transaction that changes a record.

use domain::{ids::MemberId, members::QualityIssue};

use super::{
    MemberRow, Members,
    rows::{self, NewMember, NewQualityIssue, quality_issue_id},
};
use crate::{
    Result,
    change::Change,
    store::{SurrealValue, Variables, vars},
};

/// A record that shares a twin key with others.
#[derive(Debug, Clone, SurrealValue)]
pub(super) struct Duplicate {
    pub(super) id: String,
    pub(super) path: String,
    pub(super) distinct_from: Option<Vec<String>>,
}

impl Duplicate {
    /// Whether the two may be one person: nobody has recorded that they are different.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        let knows = |one: &Self, other: &Self| one.distinct_from.iter().flatten().any(|id| *id == other.id);
        self.id != other.id && !knows(self, other) && !knows(other, self)
    }
}

/// The active records with a twin key.
pub(super) const DUPLICATES: &str =
    "SELECT record::id(id) AS id, path, distinct_from FROM member WHERE twin_key = $twin_key AND state = 'active'";

impl Members<'_> {
    pub(super) async fn duplicates(&self, twin_key: &str) -> Result<Vec<Duplicate>> {
        Ok(self.backend.store().read(DUPLICATES, vars! { twin_key: twin_key }).await?.rows(0)?)
    }

    /// The rows of the queue once `after` is stored for a record whose twin key was `before`. Only active records have issues.
    pub(super) async fn settled_issues(&self, before: Option<&str>, after: &MemberRow) -> Result<Vec<IssueState>> {
        let mut states = self.own_issues(after)?;
        let own = Duplicate { id: after.id.clone(), path: after.path.clone(), distinct_from: after.distinct_from.clone() };
        let now = after.twin_key.as_deref().filter(|_| after.is_active());
        if now.is_none() {
            states.push(IssueState::new(QualityIssue::Twin, &own.id, &own.path, false));
        }
        let mut keys: Vec<&str> = before.into_iter().chain(now).collect();
        keys.dedup();
        for key in keys {
            let mut group = self.duplicates(key).await?;
            group.retain(|duplicate| duplicate.id != own.id);
            if Some(key) == now {
                group.push(own.clone());
            }
            states.extend(duplicate_issues(&group));
        }
        Ok(states)
    }

    /// The issues of a record apart from duplicates, each with whether it exists.
    pub(super) fn own_issues(&self, row: &MemberRow) -> Result<Vec<IssueState>> {
        let found = if row.is_active() {
            let today = self.backend.clock().today();
            let (born, admitted, official) = (row.birth_date()?, row.admitted_on()?, row.official_on()?);
            rows::quality_issues(row.id_hash.is_some(), row.phone_hash.is_some(), born, admitted, official, today)
        } else {
            Vec::new()
        };
        let kinds = QualityIssue::ALL.into_iter().filter(|kind| *kind != QualityIssue::Twin);
        Ok(kinds.map(|kind| IssueState::new(kind, &row.id, &row.path, found.contains(&kind))).collect())
    }

    /// The issues of a new record: those in `found`, and the duplicates it makes.
    pub(super) async fn new_issues(&self, id: MemberId, new: &NewMember, found: &[QualityIssue]) -> Result<Vec<IssueState>> {
        let own = Duplicate { id: id.to_string(), path: new.path.clone(), distinct_from: None };
        let mut states: Vec<IssueState> = found.iter().map(|kind| IssueState::new(*kind, &own.id, &own.path, true)).collect();
        let mut group = self.duplicates(&new.twin_key).await?;
        group.push(own);
        states.extend(duplicate_issues(&group));
        Ok(states)
    }
}

/// For each record with one twin key, whether [`QualityIssue::Twin`] exists.
pub(super) fn duplicate_issues(group: &[Duplicate]) -> impl Iterator<Item = IssueState> {
    let holds = move |duplicate: &Duplicate| group.iter().any(|other| duplicate.may_be(other));
    group.iter().map(move |duplicate| IssueState::new(QualityIssue::Twin, &duplicate.id, &duplicate.path, holds(duplicate)))
}

/// Target state of a row of the queue: it exists or not.
#[derive(Debug)]
pub(super) struct IssueState {
    kind: QualityIssue,
    member: String,
    path: String,
    holds: bool,
}

impl IssueState {
    fn new(kind: QualityIssue, member: &str, path: &str, holds: bool) -> Self {
        Self { kind, member: member.to_owned(), path: path.to_owned(), holds }
    }
}

impl Change {
    /// Writes and deletes rows of the quality queue; the last of several states of a row applies. At most once per change.
    pub(super) fn quality_issues(self, states: &[IssueState]) -> Self {
        let (mut sql, mut vars) = (String::new(), Variables::new());
        for (at, IssueState { kind, member, path, holds }) in states.iter().enumerate() {
            vars.insert(format!("flaw_{at}"), quality_issue_id(*kind, member));
            if *holds {
                vars.insert(format!("flawed_{at}"), NewQualityIssue::new(*kind, member, path));
                sql += &format!("UPSERT $flaw_{at} CONTENT $flawed_{at} RETURN NONE; ");
            } else {
                sql += &format!("DELETE $flaw_{at} RETURN NONE; ");
            }
        }
        self.then(&sql).bind(vars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn duplicate_queries_use_an_index() {
        migrated().await.assert_no_scan(DUPLICATES, vars! { twin_key: "a" }).await;
    }
}
