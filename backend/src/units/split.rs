//! Splits a branch: creates a new one next to it and posts the chosen members to it.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::{
    accounts::Viewer,
    events::EventBody,
    forms::{FormReader, Problem},
    ids::{MemberId, UnitId},
    policy::Action,
    units::{Roster, RosterRow, UnitChange, UnitCode, UnitName, UnitRef},
};

use super::{
    Tree, UnitDesk,
    change::{Failed, managed, managed_parent, since, stale, unit_change},
    history::{OPEN, first},
    moving::{repost, repost_vars, reposts},
    phases::{Phased, with_phase},
};
use crate::{
    Error, Result,
    store::{StoreError, SurrealValue, record, vars},
};

/// Maximum number of members in the form; a longer list would not be usable.
const ROSTER: usize = 1_000;

/// The chosen values of a split.
#[derive(Debug, Clone, Copy)]
pub struct SplitForm<'f> {
    pub unit: &'f str,
    pub version: &'f str,
    pub code: &'f str,
    pub name: &'f str,
    pub on: &'f str,
    /// Ids of the members to post to the new branch.
    pub members: &'f [String],
}

#[derive(Debug, SurrealValue)]
struct NameRow {
    id: String,
    full_name: String,
}

impl UnitDesk<'_> {
    /// The members of a branch, to choose from.
    ///
    /// # Errors
    /// As [`Self::split`].
    pub async fn roster(&self, viewer: &Viewer, unit: &str) -> Result<Roster> {
        let tree = self.backend.units().tree();
        let (unit, parent) = splittable(viewer, &tree, unit)?;
        let members = self.names(unit.id).await?;
        let version = tree.node(unit.id).map_or(0, |node| node.version);
        let phase = tree.phase_when_split(unit, parent);
        Ok(Roster { unit: unit.clone(), version, today: self.backend.clock().today(), phase, members })
    }

    /// Creates a new branch next to this one and posts the chosen members to it. If they could then no longer sign in, the new branch
    /// gets the phase of this one as its own.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `unit_split`: [`Problem::CodeTaken`] on `code`, [`Problem::Required`] on `members` when
    /// none is chosen, [`Problem::Unknown`] when one of them is not in this branch, [`Problem::Stale`] on `name`.
    /// [`Error::Busy`] while an import is running. [`Error::NotFound`], [`Error::NotAllowed`] without the right on the parent and
    /// on the records of the members.
    pub async fn split(&self, viewer: &Viewer, form: SplitForm<'_>) -> Result<UnitId> {
        self.again(|| self.try_split(viewer, form)).await
    }

    async fn try_split(&self, viewer: &Viewer, form: SplitForm<'_>) -> Result<UnitId, Failed> {
        let tree = self.backend.units().tree();
        let (unit, parent) = splittable(viewer, &tree, form.unit)?;
        let own: BTreeSet<MemberId> = self.names(unit.id).await?.into_iter().map(|row| row.member).collect();
        let mut reader = FormReader::new("unit_split");
        let name = reader.read("name", form.name, UnitName::parse);
        let code = reader.read("code", form.code, |typed| {
            let code = UnitCode::parse(typed)?;
            if tree.owner(parent.id, code.as_str()).is_some() { Err(Problem::CodeTaken) } else { Ok(code) }
        });
        let on = reader.read("on", form.on, |typed| self.day(typed, since(&tree, unit.id)));
        let members = reader.read("members", &form.members.join(" "), |_| chosen(form.members, &own));
        let (Some(name), Some(code), Some(on), Some(members)) = (name, code, on, members) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        if self.backend.reorganisations().is_importing().await? {
            return Err(Error::Busy.into());
        }
        let path = parent.path.child(code.as_str()).map_err(|_| Error::NotFound)?;
        let id = UnitId::new(self.backend.clock().ulid());
        let fresh = UnitRef { id, kind: unit.kind, name: name.as_str().to_owned(), path };
        self.write_split(viewer, &tree, (unit, parent, &fresh), form.version, on, members).await.map_err(
            |failed| match failed {
                Failed::Write(StoreError::Taken { .. }) => reader.refused("code", Problem::CodeTaken).into(),
                failed => stale(failed, reader, "name"),
            },
        )?;
        Ok(id)
    }

    async fn write_split(
        &self,
        viewer: &Viewer,
        tree: &Tree,
        (unit, parent, fresh): (&UnitRef, &UnitRef, &UnitRef),
        version: &str,
        on: NaiveDate,
        members: BTreeSet<MemberId>,
    ) -> Result<(), Failed> {
        let members: Vec<String> = members.into_iter().map(String::from).collect();
        let vars = vars! {
            form: first(self.backend, fresh, parent.id, UnitChange::Split, on),
            path: fresh.path.to_string(),
            chosen: members.iter().map(|member| record("member", member)).collect::<Vec<_>>(),
            unit_key: unit.id.to_string(),
        };
        let (clock, body) = (self.backend.clock(), EventBody::UnitSplit { unit: fresh.id, from: Some(unit.path.clone()) });
        let phased = tree.phase_when_split(unit, parent).map(|phase| Phased { unit: fresh.id, phase });
        let change = unit_change(tree, unit.id, version)?
            .then(THOSE_WHO_GO)
            .then(OPEN)
            .then(&repost())
            .bind(vars)
            .bind(repost_vars(reposts(self.backend, members), unit.id, fresh, on))
            .event(clock, Some(viewer.member), &fresh.path, body);
        self.settle(with_phase(change, phased.as_ref(), clock, viewer.member, &fresh.path)).await
    }

    /// Active members of a branch, in name order.
    async fn names(&self, unit: UnitId) -> Result<Vec<RosterRow>> {
        let sql = format!(
            "SELECT record::id(id) AS id, full_name, sort_key FROM member WHERE unit = $unit AND state = 'active' \
             ORDER BY sort_key LIMIT {ROSTER}"
        );
        let rows: Vec<NameRow> = self.backend.store().read(sql, vars! { unit: unit.to_string() }).await?.rows(0)?;
        rows.into_iter()
            .map(|row| {
                let member = row.id.parse().map_err(|_| Error::Damaged(format!("member {}", row.id)))?;
                Ok(RosterRow { member, name: row.full_name })
            })
            .collect()
    }
}

/// Fails if a chosen member is no longer active in the branch.
const THOSE_WHO_GO: &str = "\
     IF array::len((SELECT VALUE id FROM $chosen WHERE unit = $unit_key AND state = 'active')) != array::len($chosen) \
         { THROW 'stale' }; \
     UPDATE $unit SET version = $version + 1 RETURN NONE;";

/// A branch that the viewer may split, and its parent.
fn splittable<'t>(viewer: &Viewer, tree: &'t Tree, id: &str) -> Result<(&'t UnitRef, &'t UnitRef)> {
    let unit = managed(viewer, tree, id)?;
    let parent = managed_parent(viewer, tree, unit)?;
    let may = unit.kind.splits() && viewer.standpoint.may_by_office(Action::ManageMembers, &unit.path);
    if may { Ok((unit, parent)) } else { Err(Error::NotAllowed) }
}

fn chosen(typed: &[String], own: &BTreeSet<MemberId>) -> Result<BTreeSet<MemberId>, Problem> {
    if typed.is_empty() {
        return Err(Problem::Required);
    }
    let member = |text: &String| text.parse().ok().filter(|member| own.contains(member)).ok_or(Problem::Unknown);
    typed.iter().map(member).collect()
}
