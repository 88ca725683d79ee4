//! The first page of a member.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

use crate::{
    accounts::AccountChange, courses::CourseReminder, documents::DocumentSummary, feedback::Opinion, meetings::MeetingSummary,
    units::reorganisation::ReorganisationNotice,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomePage {
    /// The next meeting the member is invited to.
    pub next_meeting: Option<MeetingSummary>,
    /// The newest documents that reach the member.
    pub newest: Vec<DocumentSummary>,
    /// The member's latest opinions.
    pub opinions: Vec<Opinion>,
    /// Must-read documents that are unread.
    pub must_read: u32,
    /// Texts the member was asked to review or to remark on.
    pub asked: u32,
    /// The course that is due next.
    pub course: Option<CourseReminder>,
    /// Decided corrections of the member's record that they have not seen.
    pub corrections_decided: u32,
    /// A valid paper code exists that resets the member's account.
    #[serde(default)]
    pub code_open: bool,
    /// Changes of the member's account that they have not seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account_changes: Vec<AccountChange>,
    /// Pending work of the member's offices (việc của tôi); empty without offices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub work: Vec<WorkItem>,
    /// Where the member's branch belongs since a reorganisation, until they have dismissed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reorganised: Option<ReorganisationNotice>,
}

/// A kind of work that offices have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// Opinions without an answer.
    Answers,
    /// Texts in review that the person may approve.
    Reviews,
    /// Must-read documents that some members of the person's branch have not read.
    Unread,
    /// Transfers into the person's units.
    Transfers,
    /// Requested corrections of records.
    Corrections,
    /// Records with quality issues.
    QualityIssues,
    /// Members without a password, for whom a code can be issued.
    Codes,
    /// Units below a divided one, to be assigned to a part of it.
    Reassignments,
}

crate::all_variants!(WorkKind);

impl WorkKind {
    /// The page where the work is done.
    pub const fn href(self) -> &'static str {
        match self {
            Self::Answers => "/branch",
            Self::Reviews => "/desk",
            Self::Unread => "/readers",
            Self::Transfers => "/transfers",
            Self::Corrections => "/corrections",
            Self::QualityIssues => "/quality",
            Self::Codes => "/codes",
            Self::Reassignments => "/reorganisations/queue",
        }
    }

    /// The entry of the offices' menu that leads to it.
    pub const fn place(self) -> &'static str {
        match self {
            Self::Transfers | Self::Corrections | Self::QualityIssues => "/members",
            Self::Reassignments => "/units",
            other => other.href(),
        }
    }
}

/// The current amount of one kind of work; may be 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkItem {
    pub kind: WorkKind,
    pub count: u64,
}

/// A person's pending items, counted for the badges in the frame.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// As [`HomePage::must_read`].
    pub must_read: u32,
    /// As [`HomePage::work`].
    pub work: Vec<WorkItem>,
}

impl Pending {
    /// The amount of pending work at one entry of the offices' menu.
    pub fn at(&self, place: &str) -> u64 {
        self.work.iter().filter(|item| item.kind.place() == place).map(|item| item.count).sum()
    }

    /// The amount of pending work at all of them.
    pub fn all_work(&self) -> u64 {
        self.work.iter().map(|item| item.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_work_of_the_registry_is_one_number() {
        let work = WorkKind::ALL.into_iter().zip(1..).map(|(kind, count)| WorkItem { kind, count }).collect();
        let pending = Pending { must_read: 9, work };
        assert_eq!(
            ["/branch", "/desk", "/readers", "/members", "/codes", "/units", "/library"].map(|place| pending.at(place)),
            [1, 2, 3, 15, 7, 8, 0]
        );
        assert_eq!(pending.all_work(), 36);
    }
}
