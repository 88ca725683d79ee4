//! Meetings of branches and committees (sinh hoạt chi bộ, họp cấp ủy).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{
    documents::DocumentKind,
    ids::{DocumentId, MeetingId},
    units::UnitRef,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MeetingKind {
    /// Thường kỳ.
    Regular,
    /// Chuyên đề.
    Thematic,
    /// Cấp ủy.
    Committee,
}

crate::keyed!(MeetingKind);

impl MeetingKind {
    /// Whether the members of the unit meet. The meeting of a committee is for the people with an office there.
    pub const fn is_for_members(self) -> bool {
        match self {
            Self::Regular | Self::Thematic => true,
            Self::Committee => false,
        }
    }
}

/// The form of a meeting. HD 03-HD/TW allows a meeting online where most members are far away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MeetingForm {
    /// Trực tiếp.
    InPerson,
    /// Trực tuyến.
    Online,
    /// Kết hợp.
    Mixed,
}

crate::keyed!(MeetingForm);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MeetingState {
    /// Đã thông báo.
    Announced,
    /// Đang họp.
    InSession,
    /// Đã họp.
    Closed,
    /// Đã có biên bản, nghị quyết.
    Reported,
    /// Hoãn, hủy.
    Cancelled,
}

crate::keyed!(MeetingState);

/// A paper of an agenda item: a document of the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    pub document: DocumentId,
    pub kind: DocumentKind,
    pub title: String,
    pub minutes: u32,
    /// Whether the viewer has read it, and has opened it again if it was corrected since.
    pub read: bool,
    /// Whether it was corrected since the viewer opened it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub corrected: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgendaItem {
    pub title: String,
    /// Planned duration.
    pub minutes: u32,
    pub papers: Vec<Paper>,
}

/// Number of the invited who attended; set once attendance is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turnout {
    pub present: u32,
    pub remote: u32,
    pub excused: u32,
    pub absent: u32,
}

impl Turnout {
    pub const fn invited(self) -> u32 {
        self.present + self.remote + self.excused + self.absent
    }
}

/// The viewer's own attendance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AttendanceKind {
    /// Có mặt.
    Present,
    /// Dự từ xa.
    Remote,
    /// Vắng có lý do.
    Excused,
    /// Vắng không lý do.
    Absent,
}

crate::keyed!(AttendanceKind);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingSummary {
    pub id: MeetingId,
    pub kind: MeetingKind,
    pub form: MeetingForm,
    pub state: MeetingState,
    pub title: String,
    pub unit: UnitRef,
    pub starts_at: DateTime<Utc>,
    pub venue: String,
    pub papers: u32,
    pub papers_read: u32,
    /// Whole days from today to the day of the meeting, in the organisation's time zone; negative when it is past.
    pub days_away: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingsPage {
    /// Soonest first.
    pub coming: Vec<MeetingSummary>,
    /// Latest first.
    pub past: Vec<MeetingSummary>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingPage {
    pub summary: MeetingSummary,
    pub chair: Option<String>,
    pub agenda: Vec<AgendaItem>,
    pub turnout: Option<Turnout>,
    pub own_attendance: Option<AttendanceKind>,
}
