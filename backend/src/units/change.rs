//! Changes of one unit: create, rename, phase, close. Each is one transaction on the tree it was checked against.

use chrono::NaiveDate;
use domain::{
    accounts::Viewer,
    events::EventBody,
    forms::{FormErrors, FormReader, Problem, bounded_line, day, optional},
    ids::UnitId,
    policy::Action,
    units::{Opening, Phase, UnitChange, UnitCode, UnitKind, UnitName, UnitRef},
};

use super::{
    Tree, UnitDesk,
    history::{END, NewVersion, OPEN, REFORM, day_before, first},
};
use crate::{
    Error, Result,
    change::Change,
    store::{StoreError, Variables, record, vars},
};

/// Fails if the tree has changed since the checks, and increments its version.
pub(crate) const SAME_TREE: &str = "IF ((SELECT VALUE version FROM ONLY tree:units) ?? 0) != $tree { THROW 'tree' }; \
     UPSERT tree:units SET version = $tree + 1 RETURN NONE;";

/// Fails if the unit was changed since the form was shown.
const SAME_UNIT: &str = "IF ((SELECT VALUE version FROM ONLY $unit) ?? 0) != $version { THROW 'stale' };";

/// Ends the offices held on a unit that ends.
///
/// The period of an office that began on the day the unit ends, or later, ends before it begins: see [`Term::Over`](domain::offices::Term::Over). It never
/// counted, and neither did those that were taken back before, which are left as they are.
pub(super) const END_OFFICES: &str = "LET $held = (SELECT VALUE id FROM office WHERE unit = $unit_key); \
     UPDATE $held SET until = $last, ended_by = $actor WHERE until = NONE OR (until > $last AND until >= `from`) RETURN NONE;";

/// Attempts of a change on newer trees.
const TRIES: usize = 5;

/// Error of an attempt.
#[derive(Debug)]
pub(super) enum Failed {
    /// The transaction failed. A `THROW` of [`SAME_TREE`] is handled by [`UnitDesk::again`], others by the form.
    Write(StoreError),
    /// A check refused the change, or the new tree could not be read.
    Otherwise(Error),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Write(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Otherwise(error)
    }
}

impl From<FormErrors> for Failed {
    fn from(errors: FormErrors) -> Self {
        Self::Otherwise(errors.into())
    }
}

/// The typed values of a new unit.
#[derive(Debug, Clone, Copy)]
pub struct NewUnitForm<'f> {
    pub parent: &'f str,
    pub kind: &'f str,
    pub code: &'f str,
    pub name: &'f str,
    pub on: &'f str,
}

/// The typed values of a renaming.
#[derive(Debug, Clone, Copy)]
pub struct RenameForm<'f> {
    pub unit: &'f str,
    pub version: &'f str,
    pub name: &'f str,
    pub on: &'f str,
}

/// The chosen values of the roll-out.
#[derive(Debug, Clone, Copy)]
pub struct PhaseForm<'f> {
    pub unit: &'f str,
    pub version: &'f str,
    /// Empty: inherit the phase of the unit above.
    pub phase: &'f str,
    pub live_from: &'f str,
    pub contact: &'f str,
}

/// The typed values of a closing.
#[derive(Debug, Clone, Copy)]
pub struct CloseForm<'f> {
    pub unit: &'f str,
    pub version: &'f str,
    pub on: &'f str,
}

impl UnitDesk<'_> {
    /// Creates a unit below another.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `unit_new`: [`Problem::CodeTaken`] for a code that another unit has or had,
    /// [`Problem::WrongPlace`] for a level that is not allowed below the parent, [`Problem::LevelEnded`] for one that had ended by
    /// the day. [`Error::NotFound`] when the viewer may not see the parent, [`Error::NotAllowed`] when they may not change it.
    pub async fn create(&self, viewer: &Viewer, form: NewUnitForm<'_>) -> Result<UnitId> {
        self.again(|| self.try_create(viewer, form)).await
    }

    /// Renames a unit from a day on.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `unit_rename`; [`Problem::Stale`] on `name` when the unit was changed meanwhile.
    /// [`Error::NotFound`] and [`Error::NotAllowed`] as [`Self::create`].
    pub async fn rename(&self, viewer: &Viewer, form: RenameForm<'_>) -> Result<UnitId> {
        self.again(|| self.try_rename(viewer, form)).await
    }

    /// Sets the phase of the roll-out in a unit, or makes it inherit that of the unit above.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `unit_phase`; [`Problem::Stale`] on `phase`. Otherwise as [`Self::rename`].
    pub async fn set_phase(&self, viewer: &Viewer, form: PhaseForm<'_>) -> Result<UnitId> {
        self.again(|| self.try_set_phase(viewer, form)).await
    }

    /// Closes a unit that has neither members nor units.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `unit_close`, on `on`: [`Problem::HasMembers`], [`Problem::HasUnits`], [`Problem::Stale`].
    /// Otherwise as [`Self::rename`]; requires the right to manage the unit above.
    pub async fn close(&self, viewer: &Viewer, form: CloseForm<'_>) -> Result<UnitId> {
        self.again(|| self.try_close(viewer, form)).await
    }

    async fn try_create(&self, viewer: &Viewer, form: NewUnitForm<'_>) -> Result<UnitId, Failed> {
        let tree = self.backend.units().tree();
        let parent = managed(viewer, &tree, form.parent)?;
        let mut reader = FormReader::new("unit_new");
        // The level depends on the day, and a problem of the day is reported at its own field.
        let day = day(form.on).ok();
        let kind = reader.read("kind", form.kind, |typed| {
            let kind = UnitKind::from_key(typed).ok_or(Problem::NotOffered)?;
            if !kind.hangs_on(parent.kind) {
                return Err(Problem::WrongPlace);
            }
            match kind.closed_after().filter(|last| day.is_some_and(|day| day > *last)) {
                Some(last) => Err(Problem::LevelEnded { last }),
                None => Ok(kind),
            }
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
        let vars = vars! {
            tree: tree.version,
            form: first(self.backend, &unit, parent.id, UnitChange::Created, on),
            path: unit.path.to_string(),
        };
        let (clock, body) = (self.backend.clock(), EventBody::UnitCreated(unit.id));
        let change = Change::new(SAME_TREE, vars).then(OPEN).event(clock, Some(viewer.member), &unit.path, body);
        match self.settle(change).await {
            Err(Failed::Write(StoreError::Taken { .. })) => Err(reader.refused("code", Problem::CodeTaken).into()),
            settled => settled.map(|()| unit.id),
        }
    }

    async fn try_rename(&self, viewer: &Viewer, form: RenameForm<'_>) -> Result<UnitId, Failed> {
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
        let next = NewVersion {
            unit: unit.id,
            name: name.as_str(),
            code: unit.path.code(),
            parent: tree.parent(&unit.path).map(|parent| parent.id),
            change: UnitChange::Renamed,
            on,
        };
        let change = unit_change(&tree, unit.id, form.version)?
            .then(REFORM)
            .bind(vars! { forms: vec![next.row(self.backend, &tree)?] })
            .event(self.backend.clock(), Some(viewer.member), &unit.path, EventBody::UnitRenamed(unit.id));
        self.settle(change).await.map_err(|failed| stale(failed, reader, "name"))?;
        Ok(unit.id)
    }

    async fn try_set_phase(&self, viewer: &Viewer, form: PhaseForm<'_>) -> Result<UnitId, Failed> {
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
        // Day and contact require a phase of the unit's own.
        let (live_from, contact) = if phase.is_some() { (live_from, contact) } else { (None, None) };
        let vars = vars! {
            phase: phase.map(|phase| phase.key().to_owned()),
            live_from: live_from.map(|day| day.to_string()),
            contact: contact,
        };
        let sql =
            "UPDATE $unit SET phase = $phase, live_from = $live_from, contact = $contact, version = $version + 1 RETURN NONE;";
        let body = EventBody::UnitPhaseChanged { unit: unit.id, phase };
        let change = unit_change(&tree, unit.id, form.version)?.then(sql).bind(vars).event(
            self.backend.clock(),
            Some(viewer.member),
            &unit.path,
            body,
        );
        self.settle(change).await.map_err(|failed| stale(failed, reader, "phase"))?;
        Ok(unit.id)
    }

    async fn try_close(&self, viewer: &Viewer, form: CloseForm<'_>) -> Result<UnitId, Failed> {
        let tree = self.backend.units().tree();
        let unit = managed(viewer, &tree, form.unit)?;
        let parent = managed_parent(viewer, &tree, unit)?;
        let mut reader = FormReader::new("unit_close");
        let on = reader.read("on", form.on, |typed| self.day(typed, since(&tree, unit.id)));
        let Some(on) = on else { return Err(reader.finish().err().unwrap_or_default().into()) };
        if tree.children(&unit.path).next().is_some() {
            return Err(reader.refused("on", Problem::HasUnits).into());
        }
        let sql = "IF array::len((SELECT VALUE id FROM member WHERE unit = $unit_key AND state = 'active' LIMIT 1)) > 0 \
                       { THROW 'members' }; \
                   UPDATE $unit SET closed_on = $on, parent = $parent, version = $version + 1 RETURN NONE;";
        let change = unit_change(&tree, unit.id, form.version)?
            .then(sql)
            .then(END)
            .then(END_OFFICES)
            .bind(self.ending(viewer, &tree, unit, parent, on)?)
            .event(self.backend.clock(), Some(viewer.member), &unit.path, EventBody::UnitClosed(unit.id));
        match self.settle(change).await {
            Ok(()) => Ok(unit.id),
            Err(Failed::Write(StoreError::Thrown(reason))) if reason == "members" => {
                Err(reader.refused("on", Problem::HasMembers).into())
            }
            Err(failed) => Err(stale(failed, reader, "on")),
        }
    }

    /// Bindings of [`END`] and [`END_OFFICES`].
    pub(super) fn ending(
        &self,
        viewer: &Viewer,
        tree: &Tree,
        unit: &UnitRef,
        parent: &UnitRef,
        on: NaiveDate,
    ) -> Result<Variables> {
        // Only the end of the current version is written, so the change is not used.
        let form = NewVersion {
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

    /// Commits a change and reloads the tree.
    pub(super) async fn settle(&self, change: Change) -> Result<(), Failed> {
        self.backend.transact(change).await?;
        self.backend.units().reload(self.backend.store()).await?;
        Ok(())
    }

    /// Retries a change when the tree was changed between the checks and the transaction.
    pub(super) async fn again<T, F>(&self, attempt: impl Fn() -> F + Send) -> Result<T>
    where
        F: Future<Output = Result<T, Failed>> + Send,
    {
        for _ in 0..TRIES {
            match attempt().await {
                Ok(done) => return Ok(done),
                Err(Failed::Write(StoreError::Thrown(reason))) if reason == "tree" => {
                    self.backend.units().reload(self.backend.store()).await?;
                }
                Err(Failed::Write(error)) => return Err(error.into()),
                Err(Failed::Otherwise(error)) => return Err(error),
            }
        }
        Err(Error::Busy)
    }

    /// Parses the first day of a change: not before the start of the version it ends, and not in the future.
    pub(super) fn day(&self, typed: &str, earliest: NaiveDate) -> Result<NaiveDate, Problem> {
        let on = day(typed)?;
        if (earliest..=self.backend.clock().today()).contains(&on) { Ok(on) } else { Err(Problem::DateRange) }
    }
}

/// An open unit that the viewer may change.
pub(super) fn managed<'t>(viewer: &Viewer, tree: &'t Tree, id: &str) -> Result<&'t UnitRef> {
    let standpoint = &viewer.standpoint;
    let unit = tree.named(id).filter(|unit| standpoint.may(Action::ReadUnit, &unit.path)).ok_or(Error::NotFound)?;
    if standpoint.may_by_office(Action::ManageUnit, &unit.path) { Ok(unit) } else { Err(Error::NotAllowed) }
}

/// The parent, for changes that require the right on it: a viewer cannot end or move the unit they act for.
pub(super) fn managed_parent<'t>(viewer: &Viewer, tree: &'t Tree, unit: &UnitRef) -> Result<&'t UnitRef> {
    let parent = tree.parent(&unit.path).ok_or(Error::NotAllowed)?;
    if viewer.standpoint.may_by_office(Action::ManageUnit, &parent.path) { Ok(parent) } else { Err(Error::NotAllowed) }
}

/// A change that fails by [`SAME_UNIT`] and [`SAME_TREE`]; `version` is the version of the unit in the form.
///
/// # Errors
/// [`Error::Busy`] while the version of the unit's new place is not written yet.
pub(super) fn unit_change(tree: &Tree, unit: UnitId, version: &str) -> Result<Change> {
    let version: u32 = version.parse().map_err(|_| Error::NotFound)?;
    if tree.get(unit).is_some_and(|unit| tree.lacks_version(unit)) {
        return Err(Error::Busy);
    }
    let vars = vars! { tree: tree.version, unit: record("unit", unit), version: i64::from(version) };
    Ok(Change::new(SAME_UNIT, vars).then(SAME_TREE))
}

/// First day of the unit's current version.
pub(super) fn since(tree: &Tree, unit: UnitId) -> NaiveDate {
    tree.node(unit).map_or(NaiveDate::MIN, |node| node.since)
}

/// First day of the unit.
pub(super) fn opened(tree: &Tree, unit: UnitId) -> NaiveDate {
    tree.node(unit).map_or(NaiveDate::MIN, |node| node.opened_on)
}

/// Turns a conflict with a change made after the form was shown into [`Problem::Stale`].
pub(super) fn stale(failed: Failed, reader: FormReader, field: &str) -> Failed {
    match failed {
        Failed::Write(StoreError::Thrown(reason)) if reason == "stale" => reader.refused(field, Problem::Stale).into(),
        other => other,
    }
}
