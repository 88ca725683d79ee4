//! The phases that units get because the tree changes: members who can sign in before a change can sign in afterwards.

use domain::{events::EventBody, ids::UnitId, units::Phase};

use crate::store::{RecordId, SurrealValue, record};

/// A unit that gets a phase of its own, because members could no longer sign in without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phased {
    pub(super) unit: UnitId,
    pub(super) phase: Phase,
}

impl Phased {
    /// The row for [`set_phases`].
    pub(super) fn row(&self) -> PhasedRow {
        PhasedRow { id: record("unit", self.unit), phase: self.phase.key().to_owned() }
    }

    pub(super) fn event(&self) -> EventBody {
        EventBody::UnitPhaseChanged { unit: self.unit, phase: Some(self.phase) }
    }
}

#[derive(Debug, Clone, SurrealValue)]
pub(super) struct PhasedRow {
    id: RecordId,
    phase: String,
}

/// Sets the phases of units; `rows` is the name of the bound [`PhasedRow`]s.
pub(super) fn set_phases(rows: &str) -> String {
    format!(
        "FOR $given IN ${rows} {{ LET $id = $given.id; \
             UPDATE $id SET phase = $given.phase, version = (version ?? 0) + 1 RETURN NONE; }};"
    )
}
