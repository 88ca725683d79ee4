//! Files on their way into the registry (nhập dữ liệu): what their columns mean, how far they are, what is wrong with their rows.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{
    forms::Problem,
    ids::{ImportId, UnitId},
    units::UnitRef,
};

/// Largest CSV file taken. It is read row by row.
pub const CSV_BYTES_MAX: u64 = 1 << 30;

/// Largest spreadsheet taken, as it lies on the disk: its texts are held in memory while it is read.
pub const XLSX_BYTES_MAX: u64 = 100 << 20;

/// Largest spreadsheet taken, unpacked.
pub const XLSX_UNPACKED_MAX: u64 = 300 << 20;

/// Rows a worksheet can have.
pub const XLSX_ROWS_MAX: u64 = 1_048_576;

/// Columns of a file that are read; those beyond are not looked at.
pub const COLUMNS_MAX: usize = 200;

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ImportKind {
    Members,
    Units,
}

crate::keyed!(ImportKind);

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ImportState {
    /// Every row is being looked at; nothing is written.
    Checking,
    /// Checked, and waits for a confirmation.
    Previewed,
    /// Confirmed and being written; an interruption is made up for.
    Running,
    Done,
    /// Given up before anything was written.
    Cancelled,
    /// The file cannot be read, or is not one of the kind.
    Failed,
}

crate::keyed!(ImportState);

impl ImportState {
    /// Whether something happens by itself, so that looking again is worth while.
    pub const fn is_at_work(self) -> bool {
        matches!(self, Self::Checking | Self::Running)
    }

    /// Whether nothing will happen any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed)
    }
}

/// Why a whole file cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Failure {
    /// Neither a table of texts nor a spreadsheet, or broken.
    Unreadable,
    /// Larger than [`CSV_BYTES_MAX`] or [`XLSX_BYTES_MAX`].
    TooBig,
    /// A spreadsheet that unpacks to more than [`XLSX_UNPACKED_MAX`].
    UnpacksTooBig,
    /// No row below the header.
    Empty,
    /// A row longer than any row of people can be: most often a quotation mark that is never closed.
    EndlessRow,
    /// A spreadsheet full of formulas that were never calculated.
    NotCalculated,
    /// The file is gone before it was written to the end. Sent again, it is gone on with.
    Lost,
    /// What was kept of the file does not open any more. Sent again, it is gone on with.
    Damaged,
}

crate::keyed!(Failure);

/// What a column of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Column {
    /// Số thẻ đảng viên: the key by which a person is known again.
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
    /// Mã chi bộ: the path of codes, or the branch's own code where it is the only one.
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
    /// Nam: the birth date of a man, or a mark for one.
    Male,
    /// Nữ: the same for women.
    Female,
}

crate::keyed!(Column);

impl Column {
    /// The kind of file it belongs to.
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

    /// The columns a file of this kind can have.
    pub fn of(kind: ImportKind) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |column| column.belongs_to() == kind)
    }
}

/// Why a row cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The value is not what the column takes.
    Value(Problem),
    /// Bytes that are not in the encoding of the rest of the file.
    Undecodable,
    /// A formula of the spreadsheet that ended in an error.
    CellError,
    /// A formula whose value was never saved.
    Unvalued,
    /// A year, or a month and a year, where a whole date is needed.
    PartOfDate,
    /// The month stands before the day: other dates of the file may be read the wrong way round.
    MonthFirst,
    /// Letters were replaced by question marks when the file was saved.
    LostLetters,
    /// Letters of an encoding that could not be told.
    ForeignLetters,
    /// Both the column for men and the one for women are filled in.
    BothSexes,
    /// Several records have this card number but for the zeros in front.
    AmbiguousCard,
    /// A quotation mark opens a cell and is not closed: what belongs to the row cannot be told.
    OpenQuote,
    /// The phone cannot be read: the row is taken over without it.
    PhoneLeftOut,
    /// A number of which a spreadsheet has dropped digits, so that it cannot be restored.
    LostDigits,
    /// The same card number stands in an earlier row.
    CardTwice {
        row: u64,
    },
    /// The same national ID stands in an earlier row.
    IdTwice {
        row: u64,
    },
    /// Another record of the own subtree has this national ID.
    IdTaken,
    /// The national ID is for those above to look at. It does not say whether and where it is known.
    ToBeVerified,
    /// The record belongs to a unit outside the subtree of who imports.
    Elsewhere,
    /// The person holds a role outside the subtree the import is for: numbers and branch are changed by those above.
    HeldAbove,
    /// The person has left, has died, or was merged with another record.
    NotActive,
    /// No such unit in the subtree of who imports.
    UnknownUnit,
    /// Several branches have this code: the path is needed.
    AmbiguousUnit,
    ClosedUnit,
    /// Members belong to branches only.
    NotABranch,
    /// The same unit stands in an earlier row.
    UnitTwice {
        row: u64,
    },
    /// The unit above is refused itself, or is not there.
    UnknownParent,
    /// Above itself, or not on a higher level.
    WrongLevel,
    /// Another unit had this code at this place before.
    PathUsed,
    /// The unit exists, on another level.
    KindDiffers,
    /// Remark: a day after today.
    InFuture,
    /// Remark: admitted before the age at which one can be.
    TooYoung,
    /// Remark: official before admitted.
    BeforeAdmission,
    /// Remark: nothing stands in the columns that are imported, e.g. a total below the list.
    NothingToRead,
}

impl Reason {
    /// Whether it is only worth a look: the row is taken over all the same, or has nothing to take over.
    pub const fn is_remark(&self) -> bool {
        matches!(self, Self::PhoneLeftOut | Self::InFuture | Self::TooYoung | Self::BeforeAdmission | Self::NothingToRead)
    }
}

/// One thing that is wrong with one row, or worth a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedLine {
    /// As spreadsheets and editors count: the header is row 1.
    pub row: u64,
    /// The person or the unit of the row, as far as it says.
    #[serde(default)]
    pub name: String,
    pub column: Option<Column>,
    /// As it stands in the file; of secrets only the last digits.
    pub value: String,
    pub reason: Reason,
}

/// Rows by what would become, or became, of them.
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

    /// Rows that something is written for.
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

/// Rows of the file as they were counted while it was read, whatever became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRows {
    /// Below the header, with something in them.
    pub rows: u64,
    /// With nothing in the columns that are imported.
    pub passed: u64,
    /// Written in letters of the years before Unicode, and converted.
    pub converted: u64,
}

impl FileRows {
    /// How many rows are counted nowhere, or twice. Anything but 0 is a fault of the program.
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
    /// The unit whose subtree the file may touch.
    pub unit: Option<UnitRef>,
    /// None when the operator started it on the command line.
    pub started_by: Option<String>,
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    /// Of the check, and at the end of what was written.
    pub counts: Counts,
    /// None before the file was read, and for imports of older versions.
    pub rows: Option<FileRows>,
}

impl ImportSummary {
    /// How many rows of the file are counted nowhere: 0, or the figures cannot be trusted.
    pub fn unaccounted(&self) -> u64 {
        self.rows.map_or(0, |rows| rows.difference(self.counts))
    }
}

/// How far the work is: rows done of all. `total` is 0 while the file is read for the first time.
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
    /// The columns of the file: the words of the header, and what they were taken for.
    pub headers: Vec<(String, Option<Column>)>,
    /// Required columns that were not found: nothing can be confirmed before they are. In a file with [`COLUMNS_MAX`] columns they may
    /// stand beyond.
    pub missing: Vec<Column>,
    /// The first lines of the report.
    pub refused: Vec<RefusedLine>,
    /// All lines of the report that say why a row is refused.
    pub refused_lines: u64,
    /// The first remarks on rows that are taken over.
    pub remarks: Vec<RefusedLine>,
    /// All remarks.
    pub remark_lines: u64,
    /// Of a spreadsheet with several sheets: the one that is read.
    pub sheet: Option<String>,
    /// Sheets that are not read.
    pub unread_sheets: Vec<String>,
    /// The day the file speaks of.
    pub as_of: NaiveDate,
}

/// The imports of the viewer's subtrees, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportsPage {
    pub imports: Vec<ImportSummary>,
}

/// What can be chosen for a new import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewImportPage {
    pub kinds: Vec<ImportKind>,
    /// The highest units whose subtree the viewer keeps.
    pub units: Vec<UnitRef>,
    /// The one proposed.
    pub unit: UnitId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_the_file_agrees_or_says_by_how_much_it_does_not() {
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
