//! Changes of one unit: create, rename, phase, close. Each is one transaction on the tree it was checked against.

use chrono::NaiveDate;
use domain::{
    accounts::Viewer,
    events::EventKind,
    forms::{FormReader, Problem, bounded_line, day, optional},
    ids::UnitId,
    policy::Action,
    units::{Opening, Phase, UnitChange, UnitCode, UnitKind, UnitName, UnitRef},
};

use super::{
    Tree, UnitDesk,
    history::{END, OPEN, REFORM, Reform, day_before, first},
};
use crate::{
    Error, Result, events,
    store::{Variables, record, vars},
};

/// Refuses when the tree is not the one that was looked at, and makes it another one.
pub(super) const SAME_TREE: &str = "IF ((SELECT VALUE version FROM ONLY tree:units) ?? 0) != $tree { THROW 'tree' }; \
     UPSERT tree:units SET version = $tree + 1 RETURN NONE;";

/// Refuses when somebody changed the unit since the form was shown.
pub(super) const SAME_UNIT: &str = "IF ((SELECT VALUE version FROM ONLY $unit) ?? 0) != $version { THROW 'stale' };";

/// Ends the offices held on a unit that is no more.
pub(super) const END_OFFICES: &str = "LET $held = (SELECT VALUE id FROM office WHERE unit = $unit_key); \
     UPDATE $held SET until = $last, ended_by = $actor WHERE until = NONE OR until > $last RETURN NONE;";

/// How often a change is tried again on a newer tree.
const TRIES: usize = 5;

/// What was typed to create a unit.
#[derive(Debug, Clone, Copy)]
pub struct NewUnitForm<'f> {
    pub parent: &'f str,
    pub kind: &'f str,
    pub code: &'f str,
    pub name: &'f str,
    pub on: &'f str,
}

/// What was typed to rename one.
#[derive(Debug, Clone, Copy)]
pub struct RenameForm<'f> {
    pub unit: &'f str,
    pub version: &'f str,
    pub name: &'f str,
    pub on: &'f str,
}

/// What was chosen for the roll-out.
#[derive(Debug, Clone, Copy)]
pub struct PhaseForm<'f> {
    pub unit: &'f str,
    pub version: &'f str,
    /// Empty: the phase of the unit above.
    pub phase: &'f str,
    pub live_from: &'f str,
    pub contact: &'f str,
}

/// What was typed to close one.
#[derive(Debug, Clone, Copy)]
pub struct CloseForm<'f> {
    pub unit: &'f str,
    pub version: &'f str,
    pub on: &'f str,
}

impl UnitDesk<'_> {
    /// A new unit below another.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `unit_new`: [`Problem::CodeTaken`] for a code that is or was another unit's,
    /// [`Problem::WrongPlace`] for a level that cannot hang there. [`Error::NotFound`] when the person may not see the unit
    /// above, [`Error::NotAllowed`] when they may not change it.
    pub async fn create(&self, viewer: &Viewer, form: NewUnitForm<'_>) -> Result<UnitId> {
        self.again(|| self.try_create(viewer, form)).await
    }

    /// Gives a unit another name, from a day on.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `unit_rename`; [`Problem::Stale`] on `name` when somebody changed the unit meanwhile.
    /// [`Error::NotFound`] and [`Error::NotAllowed`] as [`Self::create`].
    pub async fn rename(&self, viewer: &Viewer, form: RenameForm<'_>) -> Result<UnitId> {
        self.again(|| self.try_rename(viewer, form)).await
    }

    /// Sets how far the roll-out has come in a unit, or lets it follow the unit above again.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `unit_phase`; [`Problem::Stale`] on `phase`. Otherwise as [`Self::rename`].
    pub async fn set_phase(&self, viewer: &Viewer, form: PhaseForm<'_>) -> Result<UnitId> {
        self.again(|| self.try_set_phase(viewer, form)).await
    }

    /// Ends a unit that has neither members nor units.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `unit_close`, on `on`: [`Problem::HasMembers`], [`Problem::HasUnits`], [`Problem::Stale`].
    /// Otherwise as [`Self::rename`]; it takes the right on the unit above.
    pub async fn close(&self, viewer: &Viewer, form: CloseForm<'_>) -> Result<UnitId> {
        self.again(|| self.try_close(viewer, form)).await
    }

    async fn try_create(&self, viewer: &Viewer, form: NewUnitForm<'_>) -> Result<UnitId> {
        let tree = self.backend.units().tree();
        let parent = managed(viewer, &tree, form.parent)?;
        let mut reader = FormReader::new("unit_new");
        let kind = reader.read("kind", form.kind, |typed| match UnitKind::from_key(typed) {
            Some(kind) if kind.hangs_on(parent.kind) => Ok(kind),
            Some(_) => Err(Problem::WrongPlace),
            None => Err(Problem::NotOffered),
        });
        let name = reader.read("name", form.name, UnitName::parse);
        let code = reader.read("code", form.code, |typed| {
            let code = UnitCode::parse(typed)?;
            if tree.owner(parent.id, code.as_str()).is_some() { Err(Problem::CodeTaken) } else { Ok(code) }
        });
        let on = reader.read("on", form.on, |typed| self.day(typed, opened(&tree, parent.id)));
        let (Some(kind), Some(code), Some(name), Some(on)) = (kind, code, name, on) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let path = parent.path.child(code.as_str()).map_err(|_| Error::NotFound)?;
        let unit = UnitRef { id: UnitId::new(self.backend.clock().ulid()), kind, name: name.as_str().to_owned(), path };
        match self.open(viewer, &tree, &unit, parent.id, on).await {
            Err(Error::Taken { .. }) => Err(reader.refused("code", Problem::CodeTaken).into()),
            settled => settled.map(|()| unit.id),
        }
    }

    async fn open(&self, viewer: &Viewer, tree: &Tree, unit: &UnitRef, parent: UnitId, on: NaiveDate) -> Result<()> {
        let mut vars = vars! {
            tree: tree.version,
            form: first(self.backend, unit, parent, UnitChange::Created, on),
            path: unit.path.to_string(),
        };
        events::append(&mut vars, self.backend.clock(), EventKind::UnitCreated, Some(viewer.member), &unit.path, unit.id);
        self.settle(&format!("{SAME_TREE} {OPEN} {}", events::APPEND), vars).await
    }

    async fn try_rename(&self, viewer: &Viewer, form: RenameForm<'_>) -> Result<UnitId> {
        let tree = self.backend.units().tree();
        let unit = managed(viewer, &tree, form.unit)?;
        let mut reader = FormReader::new("unit_rename");
        let name = reader.read("name", form.name, UnitName::parse);
        let on = reader.read("on", form.on, |typed| self.day(typed, since(&tree, unit.id)));
        let (Some(name), Some(on)) = (name, on) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        if name.as_str() == unit.name {
            return Ok(unit.id);
        }
        let next = Reform {
            unit: unit.id,
            name: name.as_str(),
            code: unit.path.code(),
            parent: tree.parent(&unit.path).map(|parent| parent.id),
            change: UnitChange::Renamed,
            on,
        };
        let mut vars = unit_vars(&tree, unit.id, form.version)?;
        vars.extend(vars! { forms: vec![next.row(self.backend, &tree)?] });
        let clock = self.backend.clock();
        events::append(&mut vars, clock, EventKind::UnitRenamed, Some(viewer.member), &unit.path, unit.id);
        let sql = format!("{SAME_UNIT} {SAME_TREE} {REFORM} {}", events::APPEND);
        self.settle(&sql, vars).await.map_err(|error| stale(error, reader, "name"))?;
        Ok(unit.id)
    }

    async fn try_set_phase(&self, viewer: &Viewer, form: PhaseForm<'_>) -> Result<UnitId> {
        let tree = self.backend.units().tree();
        let unit = managed(viewer, &tree, form.unit)?;
        let mut reader = FormReader::new("unit_phase");
        let known = |typed: &str| Phase::from_key(typed).ok_or(Problem::NotOffered);
        let phase = reader.read("phase", form.phase, |typed| optional(typed, known));
        let live_from = reader.read("live_from", form.live_from, |typed| optional(typed, day));
        let line = |typed: &str| bounded_line(typed, Opening::CONTACT_MAX);
        let contact = reader.read("contact", form.contact, |typed| optional(typed, line));
        let (Some(phase), Some(live_from), Some(contact)) = (phase, live_from, contact) else {
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        // Day and contact belong to a phase of the unit's own.
        let (live_from, contact) = if phase.is_some() { (live_from, contact) } else { (None, None) };
        let mut vars = unit_vars(&tree, unit.id, form.version)?;
        let key = phase.map(|phase| phase.key().to_owned());
        vars.extend(vars! { phase: key.clone(), live_from: live_from.map(|day| day.to_string()), contact: contact });
        let (clock, kind) = (self.backend.clock(), EventKind::UnitPhaseChanged);
        events::append_with(&mut vars, clock, kind, Some(viewer.member), &unit.path, unit.id, key);
        let sql = format!(
            "{SAME_UNIT} {SAME_TREE} UPDATE $unit SET phase = $phase, live_from = $live_from, contact = $contact, \
             version = $version + 1 RETURN NONE; {}",
            events::APPEND
        );
        self.settle(&sql, vars).await.map_err(|error| stale(error, reader, "phase"))?;
        Ok(unit.id)
    }

    async fn try_close(&self, viewer: &Viewer, form: CloseForm<'_>) -> Result<UnitId> {
        let tree = self.backend.units().tree();
        let unit = managed(viewer, &tree, form.unit)?;
        let parent = managed_parent(viewer, &tree, unit)?;
        let mut reader = FormReader::new("unit_close");
        let on = reader.read("on", form.on, |typed| self.day(typed, since(&tree, unit.id)));
        let Some(on) = on else { return Err(reader.finish().err().unwrap_or_default().into()) };
        if tree.children(&unit.path).next().is_some() {
            return Err(reader.refused("on", Problem::HasUnits).into());
        }
        let mut vars = unit_vars(&tree, unit.id, form.version)?;
        vars.extend(self.ending(viewer, &tree, unit, parent, on)?);
        events::append(&mut vars, self.backend.clock(), EventKind::UnitClosed, Some(viewer.member), &unit.path, unit.id);
        let sql = format!(
            "{SAME_UNIT} {SAME_TREE} \
             IF array::len((SELECT VALUE id FROM member WHERE unit = $unit_key AND state = 'active' LIMIT 1)) > 0 \
                 {{ THROW 'members' }}; \
             UPDATE $unit SET closed_on = $on, parent = $parent, version = $version + 1 RETURN NONE; \
             {END} {END_OFFICES} {}",
            events::APPEND
        );
        match self.settle(&sql, vars).await {
            Ok(()) => Ok(unit.id),
            Err(Error::Thrown(reason)) if reason == "members" => Err(reader.refused("on", Problem::HasMembers).into()),
            Err(error) => Err(stale(error, reader, "on")),
        }
    }

    /// What [`END`] and [`END_OFFICES`] need.
    pub(super) fn ending(
        &self,
        viewer: &Viewer,
        tree: &Tree,
        unit: &UnitRef,
        parent: &UnitRef,
        on: NaiveDate,
    ) -> Result<Variables> {
        // The form it will not have any more: only its end is written.
        let form = Reform {
            unit: unit.id,
            name: &unit.name,
            code: unit.path.code(),
            parent: Some(parent.id),
            change: UnitChange::Merged,
            on,
        };
        Ok(vars! {
            ending: form.row(self.backend, tree)?,
            unit_key: unit.id.to_string(),
            parent: parent.id.to_string(),
            on: on.to_string(),
            last: day_before(on).to_string(),
            actor: viewer.member.to_string(),
        })
    }

    /// Writes a change, and reads the tree it made.
    pub(super) async fn settle(&self, sql: &str, vars: Variables) -> Result<()> {
        self.backend.store().write(sql, vars).await?;
        self.backend.events().wake();
        self.backend.units().reload(self.backend.store()).await
    }

    /// Tries a change again when the tree was changed between the checks and the transaction.
    pub(super) async fn again<T, F>(&self, attempt: impl Fn() -> F + Send) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send,
    {
        for _ in 0..TRIES {
            match attempt().await {
                Err(Error::Thrown(reason)) if reason == "tree" => self.backend.units().reload(self.backend.store()).await?,
                settled => return settled,
            }
        }
        Err(Error::Busy)
    }

    /// A day on which a change can begin: not before the form it ends, not in the future.
    pub(super) fn day(&self, typed: &str, earliest: NaiveDate) -> Result<NaiveDate, Problem> {
        let on = day(typed)?;
        if (earliest..=self.backend.clock().today()).contains(&on) { Ok(on) } else { Err(Problem::DateRange) }
    }
}

/// An open unit the person may change.
pub(super) fn managed<'t>(viewer: &Viewer, tree: &'t Tree, id: &str) -> Result<&'t UnitRef> {
    let standpoint = &viewer.standpoint;
    let unit = tree.named(id).filter(|unit| standpoint.may(Action::ReadUnit, &unit.path)).ok_or(Error::NotFound)?;
    if standpoint.may_by_office(Action::ManageUnit, &unit.path) { Ok(unit) } else { Err(Error::NotAllowed) }
}

/// The unit above, for changes that take the right on it: nobody ends or moves the unit they act for.
pub(super) fn managed_parent<'t>(viewer: &Viewer, tree: &'t Tree, unit: &UnitRef) -> Result<&'t UnitRef> {
    let parent = tree.parent(&unit.path).ok_or(Error::NotAllowed)?;
    if viewer.standpoint.may_by_office(Action::ManageUnit, &parent.path) { Ok(parent) } else { Err(Error::NotAllowed) }
}

/// What [`SAME_TREE`] and [`SAME_UNIT`] compare.
pub(super) fn unit_vars(tree: &Tree, unit: UnitId, version: &str) -> Result<Variables> {
    let version: u32 = version.parse().map_err(|_| Error::NotFound)?;
    Ok(vars! { tree: tree.version, unit: record("unit", unit), version: i64::from(version) })
}

/// Since when the unit has the form it has.
pub(super) fn since(tree: &Tree, unit: UnitId) -> NaiveDate {
    tree.node(unit).map_or(NaiveDate::MIN, |node| node.since)
}

fn opened(tree: &Tree, unit: UnitId) -> NaiveDate {
    tree.node(unit).map_or(NaiveDate::MIN, |node| node.opened_on)
}

/// A transaction refused because the form was shown before another change.
pub(super) fn stale(error: Error, reader: FormReader, field: &str) -> Error {
    match error {
        Error::Thrown(reason) if reason == "stale" => reader.refused(field, Problem::Stale).into(),
        other => other,
    }
}
