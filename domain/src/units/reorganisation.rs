//! Reorganisation of the tree by file (sắp xếp đơn vị hành chính theo tệp): what the rows of a file say, the numbers and lists of
//! a preview, the queue of units to assign after a division, and what members are told.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::{Leader, Phase, UnitKind, UnitRef};
use crate::{
    ids::{ReassignmentId, ReorganisationId, UnitId},
    imports::{Failure, Reason},
    policy::Role,
};

/// Maximum size of one file.
pub const FILE_BYTES_MAX: u64 = 20 << 20;

/// Maximum number of rows of all files of a reorganisation.
pub const ROWS_MAX: u32 = 50_000;

/// Maximum number of files of a reorganisation.
pub const FILES_MAX: u32 = 10;

/// Rows on a page of a list.
pub const ROWS_SHOWN: usize = 50;

/// Days for which members are told where their branch is now.
pub const TOLD_DAYS: i64 = 90;

/// What becomes of an old unit in a new one (Phần).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Part {
    /// Toàn bộ: the whole unit.
    #[default]
    Whole,
    /// Phần chính: of a divided unit, the part that succeeds it.
    Main,
    /// Một phần: another part of a divided unit.
    Part,
}

crate::keyed!(Part);

/// What becomes of the offices on a unit that ends (Chức vụ).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OfficesRule {
    /// They end on the day before.
    #[default]
    End,
    /// They go on at the successor.
    Keep,
}

crate::keyed!(OfficesRule);

/// A column of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ReorganisationColumn {
    /// Mã cũ: the code of the old unit, or its path where the code is ambiguous.
    OldCode,
    /// Mã mới.
    NewCode,
    /// Mã cấp trên mới: code or path of the new parent. Empty: the unit that the old parent becomes.
    NewParent,
    /// Tên mới. Empty: the unit keeps its name.
    NewName,
    /// Phần: see [`Part`].
    Part,
    /// Chức vụ: see [`OfficesRule`].
    Offices,
    /// Mã đơn vị, in a file that assigns units of the queue.
    Unit,
    /// Mã đơn vị nhận, in the same file. The code of the current parent: the unit stays there.
    Target,
}

crate::keyed!(ReorganisationColumn);

/// Why a file is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileRefusal {
    /// It cannot be read, is empty or larger than [`FILE_BYTES_MAX`].
    File(Failure),
    /// No header with this column was found.
    Missing(ReorganisationColumn),
    /// More rows than `max` in all files of the reorganisation.
    TooManyRows { max: u32 },
    /// More files than `max`.
    TooManyFiles { max: u32 },
}

/// State of a reorganisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ReorganisationState {
    /// Waits for a confirmation.
    Previewed,
    /// Confirmed; a job will change the tree.
    Confirmed,
    /// The tree or the rights changed after the confirmation, so nothing was done: look at the preview again.
    Changed,
    /// The tree is changed; the paths in other rows are being updated.
    Following,
    Done,
    /// Cancelled before anything was changed.
    Cancelled,
}

crate::keyed!(ReorganisationState);

impl ReorganisationState {
    /// Whether the state changes without user action, so that the page should poll.
    pub const fn is_at_work(self) -> bool {
        matches!(self, Self::Confirmed | Self::Following)
    }

    /// Whether it can be confirmed or cancelled.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Previewed | Self::Changed)
    }

    /// Whether the tree is changed.
    pub const fn is_carried_out(self) -> bool {
        matches!(self, Self::Following | Self::Done)
    }
}

/// A file of a reorganisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReorganisationFile {
    pub name: String,
    pub rows: u32,
}

/// A reorganisation in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReorganisationSummary {
    pub id: ReorganisationId,
    pub state: ReorganisationState,
    /// First day of the new tree.
    pub on: NaiveDate,
    pub files: Vec<ReorganisationFile>,
    /// `None` when the operator started it on the command line.
    pub started_by: Option<String>,
    pub started_at: DateTime<Utc>,
    pub confirmed_by: Option<String>,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// The reorganisations of the viewer's subtrees, newest first, and how many units of the queue wait for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReorganisationsPage {
    pub today: NaiveDate,
    pub reorganisations: Vec<ReorganisationSummary>,
    pub waiting: u32,
}

/// The numbers of a preview.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanNumbers {
    /// Rows of all files.
    pub rows: u32,
    /// Rows that are carried out already.
    pub already: u32,
    pub refused: u32,
    /// Open units of the whole tree, before and after.
    pub units_before: u32,
    pub units_after: u32,
    pub ended: u32,
    pub begun: u32,
    /// Units that continue with another name.
    pub renamed: u32,
    /// Units that continue with another code.
    pub recoded: u32,
    /// Units that continue below another unit, those not in the file included.
    pub moved: u32,
    /// Units that continue and get a phase of their own, because members could no longer sign in without it.
    #[serde(default)]
    pub phased: u32,
    /// Units that are divided, and units below them that must be assigned.
    pub divided: u32,
    pub queued: u32,
    /// Units of a closed level that stay open because something remains in them.
    pub undecided: u32,
    /// Branches below the units concerned.
    pub branches: u32,
    /// Their active members; `None` where hidden from the viewer.
    pub members: Option<u32>,
    pub offices_kept: u32,
    pub offices_ended: u32,
}

/// The lists of a preview.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PlanList {
    /// Rows that are refused; see [`ReorganisationPage::refused`].
    #[default]
    Refused,
    Ended,
    /// Units whose offices end with them.
    Offices,
    Begun,
    Renamed,
    Recoded,
    Moved,
    /// See [`PlanNumbers::phased`].
    Phased,
    /// Units below divided units, which must be assigned.
    Queued,
    Undecided,
}

crate::keyed!(PlanList);

/// A unit before or after a reorganisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedUnit {
    pub kind: UnitKind,
    pub code: String,
    pub name: String,
    /// Name of the parent unit.
    pub parent: Option<String>,
}

/// An office that ends with its unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedOffice {
    pub role: Role,
    /// Name of the person; `None` where hidden from the viewer.
    pub name: Option<String>,
}

/// A row of a list of the preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRow {
    /// The unit today, as a link; `None` for one that begins.
    pub unit: Option<UnitId>,
    pub before: Option<PlannedUnit>,
    /// The unit afterwards; for one that ends, its successor. `None` for [`PlanList::Undecided`].
    pub after: Option<PlannedUnit>,
    /// For [`PlanList::Queued`]: names of the other units it can be assigned to.
    pub candidates: Vec<String>,
    /// For [`PlanList::Offices`].
    #[serde(default)]
    pub offices: Vec<PlannedOffice>,
}

/// Why a row is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowProblem {
    /// The cell of this column cannot be read.
    Cell { column: ReorganisationColumn, reason: Reason },
    /// No unit has the old code.
    UnknownCode,
    /// Several units have the old code: the path is needed.
    AmbiguousCode,
    /// An earlier row says what becomes of the whole unit.
    WholeTwice { row: u64 },
    /// The unit is divided, but no row has its main part.
    NoMainPart,
    /// Another row has the main part too.
    TwoMainParts { row: u64 },
    /// Another row has the whole unit, or a part of it.
    PartsAndWhole { row: u64 },
    /// Another row has the same part for the same new unit.
    PartTwice { row: u64 },
    /// A unit with members of its own is not divided by a file.
    HoldsMembers,
    /// The root of the tree cannot end.
    Root,
    /// Neither the tree nor the file has the new parent.
    UnknownParent,
    /// Several units have the code of the new parent: the path is needed.
    AmbiguousParent,
    /// The new parent ends on that day, or gets another code.
    ParentEnds,
    /// The unit cannot hang below a unit of that level.
    WrongLevel,
    /// The units that make up the new one are of different levels.
    LevelsDiffer,
    /// The unit would be below itself.
    Cycle,
    /// Another row has another name for the same new unit.
    NamesDiffer { row: u64 },
    /// The new unit needs a name.
    NameMissing,
    /// The new code is or was used by another unit below the new parent.
    CodeTaken,
    /// A unit concerned was changed after the day of the reorganisation, last on `since`.
    ChangedLater { since: NaiveDate },
    /// A unit concerned is not within the viewer's rights.
    NotAllowed,
}

/// A refused row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// Index of the file, from 0.
    pub file: u32,
    /// As spreadsheets and editors count: the header is row 1.
    pub row: u64,
    /// As in the file.
    pub old_code: String,
    pub new_code: String,
    pub new_name: String,
    pub problem: RowProblem,
    /// Index of the file of the row that the problem names, if it is another file.
    pub other_file: Option<u32>,
}

/// Why a reorganisation cannot be confirmed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Hindrance {
    /// Rows are refused. All of a file is carried out, or nothing.
    Refused,
    /// Every row is carried out already.
    Nothing,
    /// The day has not come yet.
    InFuture,
    /// Another change of the tree is not finished.
    Busy,
    /// An import is writing rows with paths of today's tree.
    Importing,
}

crate::keyed!(Hindrance);

/// The progress of the updates after the tree has changed, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReorganisationProgress {
    pub state: ReorganisationState,
    pub done: u64,
    /// Estimated number of all rows, at least `done`; 0 before the tree has changed.
    pub estimate: u64,
}

/// The page of one reorganisation: the preview, or the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReorganisationPage {
    pub reorganisation: ReorganisationSummary,
    pub progress: ReorganisationProgress,
    /// Identifies the plan; the confirmation names it.
    pub version: String,
    pub today: NaiveDate,
    /// As planned on today's tree; of one that was carried out, as planned then.
    pub numbers: PlanNumbers,
    /// `None` where it can be confirmed, or is not open.
    pub hindrance: Option<Hindrance>,
    pub list: PlanList,
    /// A page of the list; empty for [`PlanList::Refused`] and when the reorganisation is not open.
    pub rows: Vec<PlanRow>,
    /// A page of the refused rows, for [`PlanList::Refused`].
    pub refused: Vec<RefusedRow>,
    /// Counted from 1.
    pub page: u32,
    /// At least 1.
    pub pages: u32,
}

/// State of a unit in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ReassignmentState {
    /// It is below the successor of the divided unit until somebody decides.
    Waiting,
    /// Moved to another unit.
    Assigned,
    /// Stays where it is.
    Kept,
}

crate::keyed!(ReassignmentState);

/// A unit below a divided one, to be assigned to one of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reassignment {
    pub id: ReassignmentId,
    pub reorganisation: ReorganisationId,
    /// First day of the new tree.
    pub on: NaiveDate,
    pub unit: UnitRef,
    /// Name of the divided unit.
    pub from: String,
    /// The divided unit itself, to filter by it.
    pub from_unit: UnitId,
    /// The unit it is below now.
    pub parent: UnitRef,
    /// The other units it can be moved to.
    pub candidates: Vec<UnitRef>,
    /// The phase of the unit.
    pub phase: Phase,
    /// Those of the candidates where its members could no longer sign in, so that it gets this phase as its own.
    pub phased: Vec<UnitId>,
    pub state: ReassignmentState,
    /// Active members; `None` where hidden from the viewer.
    pub members: Option<u32>,
    /// Who decided, and when.
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
}

/// A page of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReassignmentsPage {
    pub rows: Vec<Reassignment>,
    /// Name of the divided unit, if only those below it are listed.
    pub from: Option<String>,
    /// Number of all rows of the viewer's units that wait.
    pub waiting: u32,
    /// Counted from 1.
    pub page: u32,
    /// At least 1.
    pub pages: u32,
}

/// Why a row of a file that assigns units is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignProblem {
    /// The cell of this column cannot be read.
    Cell { column: ReorganisationColumn, reason: Reason },
    /// No unit of the queue has this code.
    UnknownUnit,
    /// Several units of the queue have this code: the path is needed.
    AmbiguousUnit,
    /// An earlier row has the same unit.
    UnitTwice { row: u64 },
    /// The target is neither the current parent nor a candidate.
    UnknownTarget,
    /// Several of them have this code: the path is needed.
    AmbiguousTarget,
    /// The unit or the target is not within the viewer's rights.
    NotAllowed,
}

/// A refused row of such a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedAssignment {
    pub row: u64,
    /// As in the file.
    pub unit: String,
    pub target: String,
    pub problem: AssignProblem,
}

/// The result of a file that assigns units. With refused rows nothing is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignedFile {
    pub assigned: u32,
    pub kept: u32,
    /// Units moved that got a phase of their own, because their members could no longer sign in without it.
    #[serde(default)]
    pub phased: u32,
    pub refused: Vec<RefusedAssignment>,
}

/// What a member is told after a reorganisation of the units above the own branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReorganisationNotice {
    pub reorganisation: ReorganisationId,
    pub branch: UnitRef,
    /// Names of the units above the branch before that day, the highest first; without the root.
    pub before: Vec<String>,
    /// The same since that day.
    pub after: Vec<String>,
    pub since: NaiveDate,
    /// Secretary and deputies of the unit above the branch.
    pub leaders: Vec<Leader>,
}
