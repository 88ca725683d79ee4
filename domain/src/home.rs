//! What a member finds when opening the handbook.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

use crate::{
    accounts::AccountChange, courses::CourseReminder, documents::DocumentSummary, feedback::Opinion, meetings::MeetingSummary,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomePage {
    /// The next meeting the member is called to.
    pub next_meeting: Option<MeetingSummary>,
    /// The newest documents that reach the member.
    pub newest: Vec<DocumentSummary>,
    /// The member's latest opinions.
    pub opinions: Vec<Opinion>,
    /// Documents that must be read by a day and were not read yet.
    pub must_read: u32,
    /// Texts the member was asked to review or to remark on.
    pub asked: u32,
    /// The course that is due next.
    pub course: Option<CourseReminder>,
    /// Decisions on corrections of the own record that the member has not seen.
    pub corrections_decided: u32,
    /// A paper code was issued that opens the member's account anew, and can still be used.
    #[serde(default)]
    pub code_open: bool,
    /// What was done to the member's account that they have not seen yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account_changes: Vec<AccountChange>,
    /// What waits for the member by their offices (việc của tôi); empty for who holds none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub work: Vec<WorkItem>,
}

/// A kind of work that offices bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// Opinions that wait for an answer.
    Answers,
    /// Texts in review, for who may approve them.
    Reviews,
    /// Documents with a day to be read by that somebody of the own branch has not read.
    Unread,
    /// Transfers on their way into the own units.
    Transfers,
    /// Wishes to have a record corrected.
    Corrections,
    /// Records to be checked.
    QualityIssues,
    /// Members without a password, to whom a code may be issued.
    Codes,
}

crate::all_variants!(WorkKind);

impl WorkKind {
    /// The page where it is done.
    pub const fn href(self) -> &'static str {
        match self {
            Self::Answers => "/branch",
            Self::Reviews => "/desk",
            Self::Unread => "/readers",
            Self::Transfers => "/transfers",
            Self::Corrections => "/corrections",
            Self::QualityIssues => "/quality",
            Self::Codes => "/codes",
        }
    }

    /// The place among those of one's offices through which it is reached.
    pub const fn place(self) -> &'static str {
        match self {
            Self::Transfers | Self::Corrections | Self::QualityIssues => "/members",
            other => other.href(),
        }
    }
}

/// How much of it waits now; may be 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkItem {
    pub kind: WorkKind,
    pub count: u64,
}

/// What waits for a person, in numbers, for the places in the frame.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// As [`HomePage::must_read`].
    pub must_read: u32,
    /// As [`HomePage::work`].
    pub work: Vec<WorkItem>,
}

impl Pending {
    /// How much waits at one of the places of one's offices.
    pub fn at(&self, place: &str) -> u64 {
        self.work.iter().filter(|item| item.kind.place() == place).map(|item| item.count).sum()
    }

    /// How much waits at all of them.
    pub fn all_work(&self) -> u64 {
        self.work.iter().map(|item| item.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_in_the_registry_is_one_number() {
        let work = WorkKind::ALL.into_iter().zip(1..).map(|(kind, count)| WorkItem { kind, count }).collect();
        let pending = Pending { must_read: 9, work };
        assert_eq!(
            ["/branch", "/desk", "/readers", "/members", "/codes", "/library"].map(|place| pending.at(place)),
            [1, 2, 3, 15, 7, 0]
        );
        assert_eq!(pending.all_work(), 28);
    }
}
