//! The phases that units get because the tree changes: members who can sign in before a change can sign in afterwards.

use domain::{
    events::EventBody,
    ids::{MemberId, UnitId},
    units::{Phase, UnitPath, UnitRef},
};

use super::Tree;
use crate::{
    Clock,
    change::Change,
    store::{RecordId, SurrealValue, record, vars},
};

/// A unit that gets a phase of its own, because members could no longer sign in without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phased {
    pub(crate) unit: UnitId,
    pub(crate) phase: Phase,
}

impl Phased {
    /// The row for [`set_phases`].
    pub(crate) fn row(&self) -> PhasedRow {
        PhasedRow { id: record("unit", self.unit), phase: self.phase.key().to_owned() }
    }

    pub(super) fn event(&self) -> EventBody {
        EventBody::UnitPhaseChanged { unit: self.unit, phase: Some(self.phase) }
    }
}

impl Tree {
    /// The phase that a unit gets when it moves below another one.
    pub(super) fn phase_when_moved(&self, unit: &UnitRef, below: &UnitRef) -> Option<Phased> {
        let own = self.node(unit.id).and_then(|node| node.phase);
        let otherwise = own.unwrap_or_else(|| self.phase(&below.path));
        let phase = self.phase(&unit.path).kept(otherwise)?;
        Some(Phased { unit: unit.id, phase })
    }

    /// The phase that a new unit below `parent` gets when members of another one are posted to it.
    pub(super) fn phase_when_split(&self, unit: &UnitRef, parent: &UnitRef) -> Option<Phase> {
        self.phase(&unit.path).kept(self.phase(&parent.path))
    }

    /// The phase that a unit gets when another one is merged into it.
    pub(super) fn phase_when_merged(&self, unit: &UnitRef, into: &UnitRef) -> Option<Phased> {
        let phase = self.phase(&unit.path).kept(self.phase(&into.path))?;
        Some(Phased { unit: into.id, phase })
    }
}

#[derive(Debug, Clone, SurrealValue)]
pub(crate) struct PhasedRow {
    id: RecordId,
    phase: String,
}

/// Sets the phases of units; `rows` is the name of the bound [`PhasedRow`]s.
pub(crate) fn set_phases(rows: &str) -> String {
    format!(
        "FOR $given IN ${rows} {{ LET $id = $given.id; \
             UPDATE $id SET phase = $given.phase, version = (version ?? 0) + 1 RETURN NONE; }};"
    )
}

/// Adds the phase that a unit gets, with its event. `path` is that of the unit after the change.
pub(super) fn with_phase(change: Change, phased: Option<&Phased>, clock: &Clock, actor: MemberId, path: &UnitPath) -> Change {
    let Some(phased) = phased else { return change };
    change.then(&set_phases("phased")).bind(vars! { phased: vec![phased.row()] }).event(clock, Some(actor), path, phased.event())
}
