//! What a member finds when opening the handbook.

use serde::{Deserialize, Serialize};

use crate::{courses::CourseReminder, documents::DocumentSummary, feedback::Opinion, meetings::MeetingSummary};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomePage {
    /// The next meeting the member is called to.
    pub next_meeting: Option<MeetingSummary>,
    /// The newest documents that reach the member.
    pub newest: Vec<DocumentSummary>,
    /// The member's latest opinions.
    pub opinions: Vec<Opinion>,
    /// Documents that must be read by a day and were not opened yet.
    pub must_read: u32,
    /// Texts the member was asked to review or to remark on.
    pub asked: u32,
    /// The course that is due next.
    pub course: Option<CourseReminder>,
    /// Decisions on corrections of the own record that the member has not seen.
    pub corrections_decided: u32,
}
