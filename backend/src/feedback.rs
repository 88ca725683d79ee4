//! Opinions: sent idempotently, read only by the readers named in advance, and answered.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::{
    accounts::Viewer,
    feedback::{Answer, Opinion, OpinionAudience, OpinionState, ReceiptCode},
    ids::{OpinionId, UnitId},
    policy::{Action, Role},
    units::{UnitPath, UnitRef},
};

mod answer;
mod lists;
mod send;

pub use send::OpinionForm;

use crate::{
    Backend, Error, Result,
    store::{SurrealValue, record, vars},
    units::Tree,
};

/// The use-cases on opinions.
#[derive(Clone, Copy)]
pub struct Feedback<'a> {
    backend: &'a Backend,
}

impl<'a> Feedback<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// The viewer's own opinion, as the receipt shows it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an opinion of another author.
    pub async fn receipt(&self, viewer: &Viewer, id: OpinionId) -> Result<Opinion> {
        let row = self.row(id).await?;
        if row.member == viewer.member.to_string() { row.decode(&self.backend.units().tree()) } else { Err(Error::NotFound) }
    }

    async fn row(&self, id: OpinionId) -> Result<OpinionRow> {
        let sql = format!("SELECT {COLUMNS} FROM ONLY $opinion");
        self.backend.store().read(sql, vars! { opinion: record("opinion", id) }).await?.row(0)?.ok_or(Error::NotFound)
    }
}

/// The columns of [`OpinionRow`].
const COLUMNS: &str = "record::id(id) AS id, member, author, unit, path, committee_path, document, document_title, issuer_path, text, \
                       body_hash, audience, state, received, sent_at, seen_at, answer";

/// The stored row of an opinion.
#[derive(Debug, SurrealValue)]
struct OpinionRow {
    id: String,
    member: String,
    author: String,
    unit: String,
    path: String,
    committee_path: String,
    document: String,
    document_title: String,
    issuer_path: String,
    text: String,
    body_hash: String,
    audience: String,
    state: String,
    received: String,
    sent_at: DateTime<Utc>,
    seen_at: Option<DateTime<Utc>>,
    answer: Option<AnswerRow>,
}

#[derive(Debug, SurrealValue)]
struct AnswerRow {
    text: String,
    by: String,
    at: DateTime<Utc>,
}

impl OpinionRow {
    fn decode(self, tree: &Tree) -> Result<Opinion> {
        let damaged = || Error::Damaged(format!("opinion {}", self.id));
        let id: OpinionId = self.id.parse().map_err(|_| damaged())?;
        Ok(Opinion {
            id,
            code: ReceiptCode::of(id),
            branch: tree.successor_as_named(&self.unit).ok_or_else(damaged)?,
            document: self.document.parse().map_err(|_| damaged())?,
            audience: OpinionAudience::from_key(&self.audience).ok_or_else(damaged)?,
            state: OpinionState::from_key(&self.state).ok_or_else(damaged)?,
            author: self.author,
            document_title: self.document_title,
            text: self.text,
            sent_at: self.sent_at,
            seen_at: self.seen_at,
            answer: self.answer.map(|answer| Answer { text: answer.text, by: answer.by, at: answer.at }),
        })
    }
}

/// A group of readers of opinions, to which a person belongs by an office.
///
/// Invariant: a [`Desk`] gives access exactly to the opinions whose authors were shown this desk before writing. An office above
/// or beside the named committee gives no access.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Desk {
    /// Secretary and deputies of a unit, for everything its own members send.
    Own(UnitPath),
    /// The same people, for what members of the branches below addressed to their committee.
    Committee(UnitPath),
    /// Editors of a unit, for what was addressed to them about its documents.
    Editors(UnitPath),
}

impl Desk {
    /// All desks of the viewer.
    fn of(viewer: &Viewer) -> Vec<Self> {
        let mut desks = Vec::new();
        for grant in &viewer.standpoint.grants {
            let mut add = |desk: Self| {
                if !desks.contains(&desk) {
                    desks.push(desk);
                }
            };
            if grant.role.covers(Action::ReadOpinions) {
                add(Self::Own(grant.path.clone()));
                add(Self::Committee(grant.path.clone()));
            }
            if grant.role.covers(Action::WriteDocument) {
                add(Self::Editors(grant.path.clone()));
            }
        }
        desks
    }

    fn path(&self) -> &UnitPath {
        match self {
            Self::Own(path) | Self::Committee(path) | Self::Editors(path) => path,
        }
    }

    /// The SQL condition of the desk's opinions, which uses an index; `parameter` is the desk's path.
    fn condition(&self, parameter: &str) -> String {
        match self {
            Self::Own(_) => format!("path = {parameter}"),
            Self::Committee(_) => format!("committee_path = {parameter} AND audience = 'committee'"),
            Self::Editors(_) => format!("issuer_path = {parameter} AND audience = 'editors'"),
        }
    }

    /// The condition of [`Self::condition`] on a row in memory.
    fn holds(&self, row: &OpinionRow) -> bool {
        match self {
            Self::Own(path) => path.as_str() == row.path,
            Self::Committee(path) => path.as_str() == row.committee_path && row.audience == OpinionAudience::Committee.key(),
            Self::Editors(path) => path.as_str() == row.issuer_path && row.audience == OpinionAudience::Editors.key(),
        }
    }
}

/// The unit whose committee is responsible for a branch: its parent. A root unit is its own.
pub(crate) fn committee_of<'t>(tree: &'t Tree, branch: &'t UnitRef) -> &'t UnitRef {
    let above = branch.path.ancestors_and_self().filter(|path| *path != branch.path).last();
    above.and_then(|path| tree.at(&path)).unwrap_or(branch)
}

/// Names of the readers of opinions that are sent to a unit, the secretary first.
pub(crate) async fn readers_of(backend: &Backend, unit: UnitId) -> Result<Vec<String>> {
    let mut readers = holders(backend, unit, Action::ReadOpinions).await?;
    readers.sort_by_key(|(role, _)| *role);
    readers.dedup_by(|(_, next), (_, first)| next == first);
    let members: Vec<String> = readers.into_iter().map(|(_, member)| member).collect();
    let names = backend.members().names(members.iter().map(String::as_str)).await?;
    Ok(members.iter().filter_map(|member| names.get(member).cloned()).collect())
}

/// Whether a unit has editors, who read opinions. A branch has none.
pub(crate) async fn has_editors(backend: &Backend, unit: UnitId) -> Result<bool> {
    Ok(!holders(backend, unit, Action::WriteDocument).await?.is_empty())
}

#[derive(Debug, SurrealValue)]
struct Holder {
    member: String,
    role: String,
}

/// The offices of a unit that are current today.
const HOLDERS: &str =
    "SELECT member, role FROM office WHERE unit = $unit AND from <= $today AND (until = NONE OR until >= $today)";

/// For each unit the members whose office there covers `action`. Sends one request for any number of units.
pub(crate) async fn holders_of(
    backend: &Backend,
    units: &BTreeSet<UnitId>,
    action: Action,
) -> Result<BTreeMap<UnitId, BTreeSet<String>>> {
    let (mut sql, mut vars) = (String::new(), vars! { today: backend.clock().today().to_string() });
    for (at, unit) in units.iter().enumerate() {
        let variable = format!("unit_{at}");
        sql += &HOLDERS.replace("$unit", &format!("${variable}"));
        sql.push(';');
        vars.insert(variable, unit.to_string());
    }
    let mut held = BTreeMap::new();
    if units.is_empty() {
        return Ok(held);
    }
    let mut answers = backend.store().read(sql, vars).await?;
    for (at, unit) in units.iter().enumerate() {
        let rows: Vec<Holder> = answers.rows(at)?;
        let covering = rows.into_iter().filter(|row| Role::from_key(&row.role).is_some_and(|role| role.covers(action)));
        held.insert(*unit, covering.map(|row| row.member).collect());
    }
    Ok(held)
}

/// The roles of a unit that cover `action`, with the ids of the members who hold them.
pub(crate) async fn holders(backend: &Backend, unit: UnitId, action: Action) -> Result<Vec<(Role, String)>> {
    let vars = vars! { unit: unit.to_string(), today: backend.clock().today().to_string() };
    let rows: Vec<Holder> = backend.store().read(HOLDERS, vars).await?.rows(0)?;
    let held = rows.into_iter().filter_map(|row| Some((Role::from_key(&row.role)?, row.member)));
    Ok(held.filter(|(role, _)| role.covers(action)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn the_offices_of_a_unit_are_found_by_index() {
        let store = migrated().await;
        store.assert_no_scan(HOLDERS, vars! { unit: "01ARZ3NDEKTSV4RRFFQ69G5FAV", today: "2026-11-21" }).await;
    }
}
