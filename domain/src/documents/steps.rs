//! The life cycle of a document from draft to withdrawal: its statuses, the events (`documents/table.rs` has the transitions),
//! and who may take which step.
//!
//! The text *in work* and the text that is *out* are separate: while a correction is written and reviewed, members keep reading
//! the published text. No step changes a published text in place; it is replaced by another one, with a note that says so.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::table::TABLE;

/// State of the text in work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DraftState {
    /// Bản thảo.
    Draft,
    /// Chờ duyệt.
    InReview,
    /// Chờ phát hành: approved, to be published at a set time.
    Scheduled,
}

crate::keyed!(DraftState);

/// State of the text that was published last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PublicationState {
    /// Đã phát hành: readable for the audience.
    Published,
    /// Đã thu hồi: readable for its editors only.
    Withdrawn,
}

crate::keyed!(PublicationState);

/// The state shown to editors: that of the newest text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum DocumentState {
    Draft,
    InReview,
    Scheduled,
    Published,
    Withdrawn,
}

crate::all_variants!(DocumentState);

/// The status of a document. With nothing in work and nothing out the document does not exist, or no longer exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DocumentStatus {
    pub work: Option<DraftState>,
    pub out: Option<PublicationState>,
}

/// A step of an editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, VariantArray)]
pub enum DocumentStep {
    /// Save another version of the draft.
    Edit,
    /// Delete the draft. The published text is not affected.
    Discard,
    /// Request a review.
    Submit,
    /// Return it from review or from the schedule to draft.
    Recall,
    /// Return it to its authors, with reasons.
    WantChanges,
    /// Approve it for publication at a later time.
    Schedule,
    /// Publish it now: approve it, or skip the rest of the schedule.
    Publish,
    /// Start a new draft from the text that was published last.
    Revise,
    /// Withdraw the published text. A text in review or scheduled returns to draft: it was not approved as the correction of a
    /// withdrawn document.
    Withdraw,
}

crate::all_variants!(DocumentStep);

/// An event in the life cycle: a step of a person, or an effect of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentEvent {
    Step(DocumentStep),
    /// The time of a scheduled text has come.
    Due,
    /// The time of a scheduled text has come, and it cannot be published: its number was given to another document, its audience
    /// is no longer below the issuer, or its own last day has passed.
    Held,
    /// The last day of the published text has passed.
    Over,
}

impl DocumentEvent {
    /// All events.
    pub fn all() -> impl Iterator<Item = Self> {
        DocumentStep::ALL.into_iter().map(Self::Step).chain([Self::Due, Self::Held, Self::Over])
    }
}

/// The step is not allowed in this status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a document with the status {from:?} cannot take the step {step:?}")]
pub struct StepRefused {
    pub from: DocumentStatus,
    pub step: DocumentStep,
}

impl DocumentStatus {
    pub const NEW: Self = Self { work: Some(DraftState::Draft), out: None };

    /// # Errors
    /// [`StepRefused`] when the step is not allowed in this status.
    pub fn after(self, step: DocumentStep) -> Result<Self, StepRefused> {
        self.then(DocumentEvent::Step(step)).ok_or(StepRefused { from: self, step })
    }

    /// The status after an event; `None` where the event cannot happen.
    pub fn then(self, event: DocumentEvent) -> Option<Self> {
        let Self { work, out } = self;
        let row = TABLE.iter().find(|row| (row.0, row.1, row.2) == (work, out, event));
        row.map(|row| Self { work: row.3, out: row.4 })
    }

    /// Whether a publication brings back a withdrawn document: the approver must confirm that.
    pub const fn comes_back(self) -> bool {
        matches!(self.out, Some(PublicationState::Withdrawn))
    }

    /// `None` when the document does not exist.
    pub const fn state(self) -> Option<DocumentState> {
        Some(match self {
            Self { work: Some(DraftState::Draft), .. } => DocumentState::Draft,
            Self { work: Some(DraftState::InReview), .. } => DocumentState::InReview,
            Self { work: Some(DraftState::Scheduled), .. } => DocumentState::Scheduled,
            Self { work: None, out: Some(PublicationState::Published) } => DocumentState::Published,
            Self { work: None, out: Some(PublicationState::Withdrawn) } => DocumentState::Withdrawn,
            Self { work: None, out: None } => return None,
        })
    }

    pub const fn is_out(self) -> bool {
        matches!(self.out, Some(PublicationState::Published))
    }
}

/// What a person may do with a document at the desk: all that a step depends on besides the status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each one a column of the table of rights")]
pub struct EditorPermissions {
    /// Writes for the issuing unit.
    pub writes: bool,
    /// Publishes for the issuing unit: its chief editor, or one above.
    pub publishes: bool,
    /// Was asked to review this text.
    pub reviews: bool,
    /// Was asked for comments on this text, without a decision.
    pub comments: bool,
    /// Has saved a version of this text.
    pub is_author: bool,
    /// The issuing unit lets authors approve their own texts.
    pub own_approval: bool,
}

impl EditorPermissions {
    /// Whether the permissions allow the step, in any status.
    pub const fn may(self, step: DocumentStep) -> bool {
        use DocumentStep as Step;

        match step {
            Step::Edit | Step::Discard | Step::Submit | Step::Revise => self.writes,
            // Stopping a text is always safe, so both roles may do it.
            Step::Recall => self.writes || self.publishes,
            Step::WantChanges => self.publishes || self.reviews,
            Step::Schedule | Step::Publish => self.publishes && (self.own_approval || !self.is_author),
            Step::Withdraw => self.publishes,
        }
    }

    /// Whether they may read the text in work.
    pub const fn may_read(self) -> bool {
        self.writes || self.publishes || self.reviews || self.comments
    }

    /// Whether they may remark on passages.
    pub const fn may_comment(self) -> bool {
        self.may_read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses() -> impl Iterator<Item = DocumentStatus> {
        let works = [None, Some(DraftState::Draft), Some(DraftState::InReview), Some(DraftState::Scheduled)];
        let outs = [None, Some(PublicationState::Published), Some(PublicationState::Withdrawn)];
        works.into_iter().flat_map(move |work| outs.into_iter().map(move |out| DocumentStatus { work, out }))
    }

    #[test]
    fn nothing_goes_out_unreviewed() {
        for from in statuses() {
            if from.work.is_none() || from.work == Some(DraftState::Draft) {
                assert!(from.after(DocumentStep::Publish).is_err(), "{from:?}");
            }
        }
    }

    /// Who may take which step, one row for each kind of person at the desk.
    #[test]
    fn permissions_follow_the_table() {
        use DocumentStep::{Discard, Edit, Publish, Recall, Revise, Schedule, Submit, WantChanges, Withdraw};

        let nobody = EditorPermissions::default();
        let editor = EditorPermissions { writes: true, ..nobody };
        let chief = EditorPermissions { publishes: true, ..editor };
        let reviewer = EditorPermissions { reviews: true, ..nobody };
        let table: [(&str, EditorPermissions, &[DocumentStep]); 9] = [
            ("a member", nobody, &[]),
            ("who was asked for comments", EditorPermissions { comments: true, ..nobody }, &[]),
            ("who was asked to review", reviewer, &[WantChanges]),
            ("an editor", editor, &[Edit, Discard, Submit, Recall, Revise]),
            ("the author", EditorPermissions { is_author: true, ..editor }, &[Edit, Discard, Submit, Recall, Revise]),
            (
                "an editor asked to review",
                EditorPermissions { reviews: true, ..editor },
                &[Edit, Discard, Submit, Recall, WantChanges, Revise],
            ),
            ("the chief editor", chief, &DocumentStep::ALL),
            (
                "the chief editor who wrote it",
                EditorPermissions { is_author: true, ..chief },
                &[Edit, Discard, Submit, Recall, WantChanges, Revise, Withdraw],
            ),
            (
                "the same where the unit allows it",
                EditorPermissions { is_author: true, own_approval: true, ..chief },
                &DocumentStep::ALL,
            ),
        ];
        for (who, permissions, allowed) in table {
            let may: Vec<_> = DocumentStep::ALL.into_iter().filter(|step| permissions.may(*step)).collect();
            assert_eq!(may, allowed, "{who}");
        }
        assert!(
            [Publish, Schedule].iter().all(|step| !EditorPermissions { own_approval: true, ..editor }.may(*step)),
            "no editor approves"
        );
    }
}
