//! Reorganisation of units by file: files are read and planned, the plan is shown and confirmed, and a job carries it out.
//!
//! - **Rows** of the files are stored (`reorganisation_rows`); the files are not kept.
//! - **Plan** ([`plan`]): a pure function of the tree, the rows and the day. A preview is planned again whenever it is shown, so it
//!   is always that of today's tree.
//! - **Confirm** stores the version of the plan that was seen. The job plans again and does nothing if the version differs.
//! - **Carry out**: one transaction changes all units with their history, offices and the queue, and starts the operation whose
//!   batches `moving.rs` continues.

use domain::{
    accounts::Viewer,
    ids::{ReassignmentId, ReorganisationId, UnitId},
    units::reorganisation::{
        AssignedFile, FileRefusal, PlanList, ReassignmentState, ReassignmentsPage, RefusedRow, ReorganisationNotice,
        ReorganisationPage, ReorganisationProgress, ReorganisationsPage,
    },
};

use crate::{Backend, Error, Result};

/// See [`Backend::reorganisations`].
#[derive(Clone, Copy)]
pub struct Reorganisations<'a> {
    backend: &'a Backend,
}

/// The form that announces a file.
#[derive(Debug, Clone, Copy)]
pub struct ReceiveForm<'f> {
    /// First day of the new tree. For another file of a reorganisation it is ignored.
    pub on: &'f str,
    /// Id of the reorganisation that gets another file; empty for a new one.
    pub reorganisation: &'f str,
    pub file_name: &'f str,
}

/// Selects rows of the queue.
#[derive(Debug, Clone, Copy, Default)]
pub struct QueueQuery {
    pub reorganisation: Option<ReorganisationId>,
    /// `None` for those that wait.
    pub state: Option<ReassignmentState>,
    /// Counted from 1. Clamped to the existing pages.
    pub page: u32,
}

/// A decision about a unit of the queue.
#[derive(Debug, Clone, Copy)]
pub struct AssignForm<'f> {
    /// Id of the row of the queue.
    pub reassignment: &'f str,
    /// Id of a candidate, or of the current parent to keep the unit there.
    pub target: &'f str,
}

/// Result of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    Accepted(ReorganisationId),
    Refused(FileRefusal),
}

/// A file being uploaded.
pub struct ReorganisationUpload {
    backend: Backend,
}

impl ReorganisationUpload {
    /// Writes the next bytes.
    ///
    /// # Errors
    /// [`Error::Internal`] when writing fails.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<()> {
        let _ = (&self.backend, bytes);
        Err(Error::NotFound)
    }

    /// Reads the file and stores its rows.
    ///
    /// # Errors
    /// Those of the store; [`Error::NotAllowed`] when the reorganisation is no longer open.
    pub async fn finish(self) -> Result<Received> {
        Err(Error::NotFound)
    }
}

/// A file with assignments being uploaded.
pub struct AssignmentUpload {
    backend: Backend,
}

impl AssignmentUpload {
    /// Writes the next bytes.
    ///
    /// # Errors
    /// [`Error::Internal`] when writing fails.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<()> {
        let _ = (&self.backend, bytes);
        Err(Error::NotFound)
    }

    /// Reads the file and carries out its assignments, if no row is refused.
    ///
    /// # Errors
    /// Those of the store; [`Error::Busy`] while another change of the tree is unfinished.
    pub async fn finish(self) -> Result<Result<AssignedFile, FileRefusal>> {
        Err(Error::NotFound)
    }
}

impl<'a> Reorganisations<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// The reorganisations of the viewer's subtrees.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may manage no unit.
    pub async fn list(&self, viewer: &Viewer) -> Result<ReorganisationsPage> {
        Err(Error::NotFound)
    }

    /// Starts the upload of a file.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may manage no unit, and for an unknown reorganisation; [`Error::NotAllowed`] for one
    /// that is not open; [`Error::Invalid`] of the form `reorganisation` with the field `on`.
    pub async fn receive(&self, viewer: &Viewer, typed: ReceiveForm<'_>) -> Result<ReorganisationUpload> {
        Err(Error::NotFound)
    }

    /// Like [`Self::receive`], for the operator on the command line.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub async fn receive_from_operator(&self, typed: ReceiveForm<'_>) -> Result<ReorganisationUpload> {
        Err(Error::NotFound)
    }

    /// Changes the day.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub async fn set_day(&self, viewer: &Viewer, id: ReorganisationId, on: &str) -> Result<()> {
        Err(Error::NotFound)
    }

    /// The page of a reorganisation.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it does not exist, or the viewer may not read it.
    pub async fn preview(&self, viewer: &Viewer, id: ReorganisationId, list: PlanList, page: u32) -> Result<ReorganisationPage> {
        Err(Error::NotFound)
    }

    /// Like [`Self::preview`], for the operator.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn preview_for_operator(&self, id: ReorganisationId, list: PlanList, page: u32) -> Result<ReorganisationPage> {
        Err(Error::NotFound)
    }

    /// All refused rows, for download.
    ///
    /// # Errors
    /// As [`Self::preview`].
    pub async fn refused(&self, viewer: &Viewer, id: ReorganisationId) -> Result<Vec<RefusedRow>> {
        Err(Error::NotFound)
    }

    /// Like [`Self::refused`], for the operator.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn refused_for_operator(&self, id: ReorganisationId) -> Result<Vec<RefusedRow>> {
        Err(Error::NotFound)
    }

    /// Confirms the plan with this version, so that a job carries it out.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `reorganisation_confirm`, on `version`: [`domain::forms::Problem::Stale`] when the plan is another one
    /// now, [`domain::forms::Problem::DateRange`] when the day is in the future, [`domain::forms::Problem::Undecided`] when rows are refused or there is
    /// nothing to do. [`Error::Busy`] while another change of the tree is unfinished. [`Error::NotAllowed`] when it is not open.
    pub async fn confirm(&self, viewer: &Viewer, id: ReorganisationId, version: &str) -> Result<()> {
        Err(Error::NotFound)
    }

    /// Like [`Self::confirm`], for the operator.
    ///
    /// # Errors
    /// As [`Self::confirm`].
    pub async fn confirm_for_operator(&self, id: ReorganisationId, version: &str) -> Result<()> {
        Err(Error::NotFound)
    }

    /// For the operator: carries out a confirmed reorganisation and waits until all is done.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn carry_out_for_operator(&self, id: ReorganisationId) -> Result<ReorganisationProgress> {
        Err(Error::NotFound)
    }

    /// The progress.
    ///
    /// # Errors
    /// As [`Self::preview`].
    pub async fn progress(&self, viewer: &Viewer, id: ReorganisationId) -> Result<ReorganisationProgress> {
        Err(Error::NotFound)
    }

    /// Like [`Self::progress`], for the operator.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn progress_for_operator(&self, id: ReorganisationId) -> Result<ReorganisationProgress> {
        Err(Error::NotFound)
    }

    /// Cancels a reorganisation before the tree has changed.
    ///
    /// # Errors
    /// [`Error::NotAllowed`] when it is too late.
    pub async fn cancel(&self, viewer: &Viewer, id: ReorganisationId) -> Result<()> {
        Err(Error::NotFound)
    }

    /// Like [`Self::cancel`], for the operator.
    ///
    /// # Errors
    /// As [`Self::cancel`].
    pub async fn cancel_for_operator(&self, id: ReorganisationId) -> Result<()> {
        Err(Error::NotFound)
    }

    /// Units below divided units, within the viewer's subtrees.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may manage no unit.
    pub async fn queue(&self, viewer: &Viewer, query: QueueQuery) -> Result<ReassignmentsPage> {
        Err(Error::NotFound)
    }

    /// Moves a unit of the queue to a candidate, or keeps it where it is. Idempotent. Returns the unit.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] of the form `assign`, on `target`: [`domain::forms::Problem::Unknown`] for a unit that is not a
    /// candidate, [`domain::forms::Problem::Stale`] when it was decided meanwhile. [`Error::Busy`] while another change of the tree is
    /// unfinished. [`Error::NotAllowed`] without the right on the unit above and the target.
    pub async fn assign(&self, viewer: &Viewer, form: AssignForm<'_>) -> Result<UnitId> {
        Err(Error::NotFound)
    }

    /// Starts the upload of a file with assignments: columns with the code or path of the unit and of the target.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a viewer who may manage no unit.
    pub async fn assign_file(&self, viewer: &Viewer, file_name: &str) -> Result<AssignmentUpload> {
        Err(Error::NotFound)
    }

    /// What to tell the viewer about the units above the own branch; `None` when nothing changed lately or it was dismissed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn notice(&self, viewer: &Viewer) -> Result<Option<ReorganisationNotice>> {
        Err(Error::NotFound)
    }

    /// Records that the viewer has seen the notice. Idempotent.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn dismiss(&self, viewer: &Viewer, id: ReorganisationId) -> Result<()> {
        Err(Error::NotFound)
    }
}
