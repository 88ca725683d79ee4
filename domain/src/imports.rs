//! Imports of files into the registry (nhập dữ liệu): columns, progress, and problems of rows.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{
    forms::Problem,
    ids::ImportId,
    units::{OneUnitChoices, UnitRef},
};

/// Maximum size of a CSV file. It is read row by row.
pub const CSV_BYTES_MAX: u64 = 1 << 30;

/// Maximum size of a spreadsheet file: its texts are held in memory while it is read.
pub const XLSX_BYTES_MAX: u64 = 100 << 20;

/// Maximum unpacked size of a spreadsheet.
pub const XLSX_UNPACKED_MAX: u64 = 300 << 20;

/// Maximum rows of a worksheet.
pub const XLSX_ROWS_MAX: u64 = 1_048_576;

/// Maximum columns that are read; the others are ignored.
pub const COLUMNS_MAX: usize = 200;

/// The entity in the rows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ImportKind {
    Members,
    Units,
}

crate::keyed!(ImportKind);

/// State of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ImportState {
    /// All rows are being checked; nothing is written.
    Checking,
    /// Checked, and waiting for a confirmation.
    Previewed,
    /// Confirmed and being written; resumed after an interruption.
    Running,
    Done,
    /// Cancelled before anything was written.
    Cancelled,
    /// The file cannot be read, or is not of the expected kind.
    Failed,
}

crate::keyed!(ImportState);

impl ImportState {
    /// Whether the state changes without user action, so that the page should poll.
    pub const fn is_at_work(self) -> bool {
        matches!(self, Self::Checking | Self::Running)
    }

    /// Whether the state is final.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed)
    }
}

/// Why a whole file is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Failure {
    /// Neither a text table nor a spreadsheet, or damaged.
    Unreadable,
    /// Larger than [`CSV_BYTES_MAX`] or [`XLSX_BYTES_MAX`].
    TooBig,
    /// A spreadsheet that unpacks to more than [`XLSX_UNPACKED_MAX`].
    UnpacksTooBig,
    /// No row below the header.
    Empty,
    /// A row that is too long: usually because of an unclosed quotation mark.
    EndlessRow,
    /// A spreadsheet with many formulas that were never calculated.
    NotCalculated,
    /// The file was lost before all of it was written. The import resumes when it is sent again.
    Lost,
    /// The stored file cannot be decrypted. The import resumes when it is sent again.
    Damaged,
}

crate::keyed!(Failure);

/// The meaning of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Column {
    /// Số thẻ đảng viên: the key that identifies a person.
    CardNumber,
    /// Họ và tên.
    FullName,
    /// Giới tính.
    Sex,
    /// Ngày sinh.
    BirthDate,
    /// Ngày vào Đảng.
    AdmittedOn,
    /// Ngày chính thức.
    OfficialOn,
    /// Diện đảng viên.
    Standing,
    /// Số định danh cá nhân (căn cước).
    NationalId,
    /// Số điện thoại.
    Phone,
    /// Mã chi bộ: the path of codes, or the branch's own code where it is unique.
    Branch,
    /// Mã đơn vị.
    Code,
    /// Mã đơn vị cấp trên.
    Parent,
    /// Cấp.
    Kind,
    /// Tên đơn vị.
    Name,
    /// Ngày thành lập.
    OpenedOn,
    /// Giai đoạn triển khai.
    Phase,
    /// Nam: the birth date of a man, or a tick for male.
    Male,
    /// Nữ: the same for women.
    Female,
}

crate::keyed!(Column);

impl Column {
    /// The kind of file the column belongs to.
    pub const fn belongs_to(self) -> ImportKind {
        match self {
            Self::Code | Self::Parent | Self::Kind | Self::Name | Self::OpenedOn | Self::Phase => ImportKind::Units,
            _ => ImportKind::Members,
        }
    }

    /// Whether a file without it cannot be imported.
    pub const fn is_required(self) -> bool {
        matches!(
            self,
            Self::CardNumber
                | Self::FullName
                | Self::Sex
                | Self::BirthDate
                | Self::AdmittedOn
                | Self::Branch
                | Self::Code
                | Self::Kind
                | Self::Name
        )
    }

    /// The columns of a kind of file.
    pub fn of(kind: ImportKind) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |column| column.belongs_to() == kind)
    }
}

/// Why a row is refused or remarked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The value is not valid in the column.
    Value(Problem),
    /// Bytes that are invalid in the encoding of the file.
    Undecodable,
    /// A spreadsheet formula with an error as its result.
    CellError,
    /// A formula without a stored value.
    Unvalued,
    /// A year, or a month and a year, where a full date is needed.
    PartOfDate,
    /// The month is before the day: other dates of the file may be misread.
    MonthFirst,
    /// Letters were replaced by question marks when the file was saved.
    LostLetters,
    /// Letters of an unknown encoding.
    ForeignLetters,
    /// Both the column for men and the one for women are filled in.
    BothSexes,
    /// Several records have this card number, leading zeros aside.
    AmbiguousCard,
    /// An unclosed quotation mark: the extent of the row is unknown.
    OpenQuote,
    /// The phone cannot be parsed: the row is imported without it.
    PhoneLeftOut,
    /// A number of which a spreadsheet dropped digits, so that it cannot be restored.
    LostDigits,
    /// An earlier row has the same card number.
    CardTwice {
        row: u64,
    },
    /// An earlier row has the same national ID.
    IdTwice {
        row: u64,
    },
    /// Another record of the viewer's subtree has this national ID.
    IdTaken,
    /// The national ID must be verified by the units above. The reason does not reveal whether and where it is known.
    ToBeVerified,
    /// The record belongs to a unit outside the importer's subtree.
    Elsewhere,
    /// The person holds a role outside the import's subtree: only the units above may change numbers and branch.
    HeldAbove,
    /// The person has left, has died, or was merged with another record.
    NotActive,
    /// No such unit in the importer's subtree.
    UnknownUnit,
    /// Several branches have this code: the path is needed.
    AmbiguousUnit,
    ClosedUnit,
    /// No members are registered in units of its level.
    NotABranch,
    /// An earlier row has the same unit.
    UnitTwice {
        row: u64,
    },
    /// The parent unit is refused itself, or does not exist.
    UnknownParent,
    /// The parent is the unit itself, or of a level on which this one may not hang.
    WrongLevel,
    /// Units of this level could begin until `last` only.
    LevelEnded {
        last: NaiveDate,
    },
    /// The current version of the unit began on `since`, after the day of the file.
    ChangedLater {
        since: NaiveDate,
    },
    /// Another unit had this path before.
    PathUsed,
    /// The unit exists on another level.
    KindDiffers,
    /// Remark: a day in the future.
    InFuture,
    /// Remark: admitted before the minimum age.
    TooYoung,
    /// Remark: official before the admission.
    BeforeAdmission,
    /// Remark: the imported columns are empty, e.g. in a total below the list.
    NothingToRead,
}

impl Reason {
    /// Whether it is a remark: the row is imported all the same, or has nothing to import.
    pub const fn is_remark(&self) -> bool {
        matches!(self, Self::PhoneLeftOut | Self::InFuture | Self::TooYoung | Self::BeforeAdmission | Self::NothingToRead)
    }
}

/// A problem of a row, or a remark on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedLine {
    /// As spreadsheets and editors count: the header is row 1.
    pub row: u64,
    /// The person or the unit of the row, if it names one.
    #[serde(default)]
    pub name: String,
    pub column: Option<Column>,
    /// The value in the file; only the last digits of a secret.
    pub value: String,
    pub reason: Reason,
}

/// Rows by their result, expected or actual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub fresh: u64,
    pub changed: u64,
    pub unchanged: u64,
    pub refused: u64,
}

impl Counts {
    pub const fn total(self) -> u64 {
        self.fresh + self.changed + self.unchanged + self.refused
    }

    /// Rows that cause a write.
    pub const fn to_write(self) -> u64 {
        self.fresh + self.changed
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.fresh += other.fresh;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.refused += other.refused;
    }
}

/// Rows of the file, counted while it is read and independent of their results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRows {
    /// Rows below the header that are not empty.
    pub rows: u64,
    /// Rows with empty imported columns.
    pub passed: u64,
    /// Rows in a legacy encoding that were converted to Unicode.
    pub converted: u64,
}

impl FileRows {
    /// How many rows are missing in `counts`, or counted twice. Anything but 0 is a bug.
    pub const fn difference(self, counts: Counts) -> u64 {
        self.rows.abs_diff(counts.total() + self.passed)
    }
}

/// An import in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSummary {
    pub id: ImportId,
    pub kind: ImportKind,
    pub state: ImportState,
    pub failure: Option<Failure>,
    pub file_name: String,
    /// The unit whose subtree the import may change.
    pub unit: Option<UnitRef>,
    /// `None` when the operator started it on the command line.
    pub started_by: Option<String>,
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    /// Results of the check; at the end, of the writes.
    pub counts: Counts,
    /// `None` before the file was read, and for imports of older versions.
    pub rows: Option<FileRows>,
}

impl ImportSummary {
    /// How many rows of the file are missing in the counts: unless 0, the figures cannot be trusted.
    pub fn unaccounted(&self) -> u64 {
        self.rows.map_or(0, |rows| rows.difference(self.counts))
    }
}

/// Progress in rows. `total` is 0 while the file is read for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub state: ImportState,
    pub done: u64,
    pub total: u64,
}

/// The page of one import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPage {
    pub import: ImportSummary,
    pub progress: Progress,
    /// The columns of the file: the header texts, and the detected meanings.
    pub headers: Vec<(String, Option<Column>)>,
    /// Required columns that were not found: the import cannot be confirmed without them. In a file with [`COLUMNS_MAX`] columns
    /// they may be beyond that limit.
    pub missing: Vec<Column>,
    /// The first lines of the report.
    pub refused: Vec<RefusedLine>,
    /// Number of lines in the report of refused rows.
    pub refused_lines: u64,
    /// The first remarks on rows that are imported.
    pub remarks: Vec<RefusedLine>,
    /// Number of all remarks.
    pub remark_lines: u64,
    /// The sheet that is read, of a spreadsheet with several sheets.
    pub sheet: Option<String>,
    /// Sheets that are not read.
    pub unread_sheets: Vec<String>,
    /// The day for which the data of the file is valid.
    pub as_of: NaiveDate,
}

/// The imports of the viewer's subtrees, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportsPage {
    pub imports: Vec<ImportSummary>,
}

/// Choices for a new import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewImportPage {
    pub kinds: Vec<ImportKind>,
    /// Units whose registry the viewer keeps; one is always selected.
    pub units: OneUnitChoices,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_the_number_of_rows_not_counted_once() {
        let counts = Counts { fresh: 2, changed: 1, unchanged: 3, refused: 1 };
        let rows = |rows| FileRows { rows, passed: 2, converted: 0 };
        assert_eq!(rows(9).difference(counts), 0);
        assert_eq!(rows(10).difference(counts), 1, "a row that is counted nowhere");
        assert_eq!(rows(8).difference(counts), 1, "a row that is counted twice");
    }

    #[test]
    fn every_column_belongs_to_one_kind_of_file() {
        let of = |kind| Column::of(kind).count();
        assert_eq!(of(ImportKind::Members) + of(ImportKind::Units), Column::ALL.len());
    }
}
