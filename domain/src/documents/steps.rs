//! The way of a document from draft to withdrawal: its statuses, what can happen to it (`documents/table.rs` says where that leads), and
//! who may take which step.
//!
//! What is *in work* and what is *out* are two things: while a correction is written and reviewed, members go on reading the text
//! that was published. No step changes a published text in place; it is replaced by another one, with a note that says so.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::table::TABLE;

/// Where the text is that editors work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DraftState {
    /// Bản thảo.
    Draft,
    /// Chờ duyệt.
    InReview,
    /// Chờ phát hành: approved, waits for its time.
    Scheduled,
}

crate::keyed!(DraftState);

/// What became of the text that went out last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PublicationState {
    /// Đã phát hành: readable for the audience.
    Published,
    /// Đã thu hồi: readable for nobody but the editors.
    Withdrawn,
}

crate::keyed!(PublicationState);

/// The state an editor is told: that of the newest text.
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

/// Where a document is. Nothing in work and nothing out: there is no such document, or no longer.
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
    /// Throw the draft away. What is out stays as it is.
    Discard,
    /// Ask for review.
    Submit,
    /// Take it back from review or from the schedule, to write on.
    Recall,
    /// Send it back to its authors, with reasons.
    WantChanges,
    /// Approve it for a time to come.
    Schedule,
    /// Approve it, or not wait for its time: it goes out now.
    Publish,
    /// Begin a new draft of what went out.
    Revise,
    /// Take back what is out. What waits for approval or for its time lies on the desk again: nobody approved it for a document that
    /// was taken back.
    Withdraw,
}

crate::all_variants!(DocumentStep);

/// What can happen to a document: a step of somebody, or what time does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentEvent {
    Step(DocumentStep),
    /// The time of a scheduled text has come.
    Due,
    /// The time of a scheduled text has come, and it cannot go out: its number was given away, its audience is not below the issuer
    /// any more, or its own last day is over.
    Held,
    /// The last day of what is out is over.
    Over,
}

impl DocumentEvent {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        DocumentStep::ALL.into_iter().map(Self::Step).chain([Self::Due, Self::Held, Self::Over])
    }
}

/// The step does not lead on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a document with the status {from:?} cannot take the step {step:?}")]
pub struct StepRefused {
    pub from: DocumentStatus,
    pub step: DocumentStep,
}

impl DocumentStatus {
    pub const NEW: Self = Self { work: Some(DraftState::Draft), out: None };

    /// # Errors
    /// [`StepRefused`] when the step does not lead on from here.
    pub fn after(self, step: DocumentStep) -> Result<Self, StepRefused> {
        self.then(DocumentEvent::Step(step)).ok_or(StepRefused { from: self, step })
    }

    /// Where an event leads; none where it cannot happen.
    pub fn then(self, event: DocumentEvent) -> Option<Self> {
        let Self { work, out } = self;
        let row = TABLE.iter().find(|row| (row.0, row.1, row.2) == (work, out, event));
        row.map(|row| Self { work: row.3, out: row.4 })
    }

    /// Whether going out brings back what was taken from everybody: who approves it must say so.
    pub const fn comes_back(self) -> bool {
        matches!(self.out, Some(PublicationState::Withdrawn))
    }

    /// None when there is no such document.
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

/// What somebody is to a document at the desk: all that a step depends on besides the status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each one a column of the table of rights")]
pub struct EditorPermissions {
    /// Writes for the issuing unit.
    pub writes: bool,
    /// Publishes for the issuing unit: its chief editor, or one above.
    pub publishes: bool,
    /// Was asked to review this very text.
    pub reviews: bool,
    /// Was asked for comments on this very text, and decides nothing.
    pub comments: bool,
    /// Has saved a version of this very text.
    pub is_author: bool,
    /// The issuing unit lets authors approve what they wrote.
    pub own_approval: bool,
}

impl EditorPermissions {
    /// Whether somebody like this may take the step at all, whatever the status.
    pub const fn may(self, step: DocumentStep) -> bool {
        use DocumentStep as Step;

        match step {
            Step::Edit | Step::Discard | Step::Submit | Step::Revise => self.writes,
            // Stopping a text is always safe: whoever may write it or publish it may stop it.
            Step::Recall => self.writes || self.publishes,
            Step::WantChanges => self.publishes || self.reviews,
            Step::Schedule | Step::Publish => self.publishes && (self.own_approval || !self.is_author),
            Step::Withdraw => self.publishes,
        }
    }

    /// Whether the text in work is theirs to see.
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
