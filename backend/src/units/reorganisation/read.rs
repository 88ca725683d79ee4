//! Reads the rows of the files: finds the columns by their headers, and parses codes, names and words.

use domain::{
    folding::fold,
    forms::Problem,
    imports::{Failure, Reason},
    units::{
        UnitCode, UnitName, is_code,
        reorganisation::{FileRefusal, OfficesRule, Part, ReorganisationColumn, RowProblem},
    },
};

use super::plan::{Entry, Row};
use crate::imports::{TextCell, TextRow};

use ReorganisationColumn as Column;

/// Rows searched for a header. Lists often have a title above it.
pub(super) const HEADER_WITHIN: usize = 20;

/// Header words of each column, folded to ASCII letters and digits.
const WORDS: &[(Column, &[&str])] = &[
    (Column::OldCode, &["macu", "madonvicu", "madonvitruocsapxep", "donvicu", "oldcode", "oldunit", "old"]),
    (Column::NewCode, &["mamoi", "madonvimoi", "madonvisausapxep", "donvimoi", "newcode", "newunit", "new"]),
    (
        Column::NewParent,
        &["macaptrenmoi", "madonvicaptrenmoi", "captrenmoi", "macaptren", "newparent", "newparentcode", "parent", "parentcode"],
    ),
    (Column::NewName, &["tenmoi", "tendonvimoi", "newname", "name"]),
    (Column::Part, &["phan", "part", "share"]),
    (Column::Offices, &["chucvu", "vaitro", "offices", "roles"]),
];

/// The columns of a file that assigns units of the queue.
const ASSIGNMENT_WORDS: &[(Column, &[&str])] = &[
    (Column::Unit, &["madonvi", "machibo", "ma", "donvi", "chibo", "unit", "unitcode", "branch", "branchcode", "code"]),
    (
        Column::Target,
        &["madonvinhan", "donvinhan", "madich", "macaptrenmoi", "madonvicaptrenmoi", "target", "targetcode", "newparent"],
    ),
];

const WHOLE: &[&str] = &["toan bo", "whole", "all", "ca don vi"];
const MAIN: &[&str] = &["phan chinh", "phan lon", "main part", "main"];
const PART: &[&str] = &["mot phan", "phan con lai", "phan", "part", "rest"];
const KEEP: &[&str] = &["giu", "giu nguyen", "giu lai", "tiep tuc", "keep"];
const END: &[&str] = &["ket thuc", "thoi giu", "end"];

/// The table of a file with a header, and the index of each column.
struct Table<'t> {
    rows: &'t [TextRow],
    columns: Vec<(Column, usize)>,
}

impl<'t> Table<'t> {
    /// The first table with all required columns.
    fn find(tables: &'t [Vec<TextRow>], words: &[(Column, &[&str])], required: &[Column]) -> Result<Self, FileRefusal> {
        if tables.iter().all(Vec::is_empty) {
            return Err(FileRefusal::File(Failure::Empty));
        }
        let mut missing = required.first().copied().unwrap_or(Column::OldCode);
        let mut best = 0;
        for rows in tables {
            for (at, row) in rows.iter().enumerate().take(HEADER_WITHIN) {
                let columns = columns(row, words);
                let is_known = |column: &&Column| columns.iter().any(|(known, _)| known == *column);
                match required.iter().find(|column| !is_known(column)) {
                    None => {
                        let rows = rows.get(at + 1..).unwrap_or_default();
                        return if rows.is_empty() { Err(FileRefusal::File(Failure::Empty)) } else { Ok(Self { rows, columns }) };
                    }
                    Some(column) if columns.len() > best => (missing, best) = (*column, columns.len()),
                    Some(_) => {}
                }
            }
        }
        Err(FileRefusal::Missing(missing))
    }

    fn cell<'r>(&self, row: &'r TextRow, column: Column) -> Option<&'r TextCell> {
        let (_, at) = self.columns.iter().find(|(known, _)| *known == column)?;
        row.cells.get(*at).filter(|cell| !cell.is_empty())
    }

    /// The text of a cell as in the file.
    fn shown(&self, row: &TextRow, column: Column) -> String {
        let text = self.cell(row, column).map_or("", |cell| cell.text.as_str());
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
    }

    /// Rows with a value in one of the columns.
    fn filled(&self) -> impl Iterator<Item = &'t TextRow> {
        let rows = self.rows;
        rows.iter().filter(|row| self.columns.iter().any(|(column, _)| self.cell(row, *column).is_some()))
    }
}

/// The columns that the cells of a header stand for. Of several cells for one column the first wins.
fn columns(header: &TextRow, words: &[(Column, &[&str])]) -> Vec<(Column, usize)> {
    let mut found: Vec<(Column, usize)> = Vec::new();
    for (at, cell) in header.cells.iter().enumerate() {
        // Text in brackets is an explanation.
        let named = cell.text.split(['(', '[']).next().unwrap_or_default();
        let word: String = fold(named).chars().filter(char::is_ascii_alphanumeric).collect();
        let column = words.iter().find(|(_, known)| known.contains(&word.as_str())).map(|(column, _)| *column);
        if let Some(column) = column.filter(|column| !found.iter().any(|(known, _)| known == column)) {
            found.push((column, at));
        }
    }
    found
}

/// The rows of a file of a reorganisation; `file` is its index.
pub(super) fn rows(tables: &[Vec<TextRow>], file: u32) -> Result<Vec<Row>, FileRefusal> {
    let table = Table::find(tables, WORDS, &[Column::OldCode, Column::NewCode])?;
    let row = |row: &TextRow| Row {
        file,
        row: row.row,
        old_code: table.shown(row, Column::OldCode),
        new_code: table.shown(row, Column::NewCode),
        new_name: table.shown(row, Column::NewName),
        read: entry(&table, row),
    };
    Ok(table.filled().map(row).collect())
}

fn entry(table: &Table<'_>, row: &TextRow) -> Result<Entry, RowProblem> {
    let old = required(table, row, Column::OldCode, codes)?;
    let mut new = required(table, row, Column::NewCode, codes)?;
    let code = new.pop().unwrap_or_default();
    UnitCode::parse(&code).map_err(|problem| refused(Column::NewCode, Reason::Value(problem)))?;
    // A path as the new code names the parent too.
    let above = (!new.is_empty()).then_some(new);
    let parent = optional(table, row, Column::NewParent, codes)?.or(above);
    let name = optional(table, row, Column::NewName, name)?;
    let part =
        optional(table, row, Column::Part, |cell| one_of(cell, &[(WHOLE, Part::Whole), (MAIN, Part::Main), (PART, Part::Part)]))?;
    let offices =
        optional(table, row, Column::Offices, |cell| one_of(cell, &[(KEEP, OfficesRule::Keep), (END, OfficesRule::End)]))?;
    Ok(Entry { old, code, parent, name, part: part.unwrap_or_default(), offices: offices.unwrap_or_default() })
}

fn refused(column: Column, reason: Reason) -> RowProblem {
    RowProblem::Cell { column, reason }
}

fn optional<T>(
    table: &Table<'_>,
    row: &TextRow,
    column: Column,
    read: impl FnOnce(&TextCell) -> Result<T, Reason>,
) -> Result<Option<T>, RowProblem> {
    table.cell(row, column).map(read).transpose().map_err(|reason| refused(column, reason))
}

fn required<T>(
    table: &Table<'_>,
    row: &TextRow,
    column: Column,
    read: impl FnOnce(&TextCell) -> Result<T, Reason>,
) -> Result<T, RowProblem> {
    optional(table, row, column, read)?.ok_or_else(|| refused(column, Reason::Value(Problem::Required)))
}

/// One or more codes, from the highest unit down.
fn codes(cell: &TextCell) -> Result<Vec<String>, Reason> {
    if let Some(reason) = &cell.problem {
        return Err(reason.clone());
    }
    let codes: Vec<String> = cell.text.trim().trim_matches('/').split('/').map(|code| code.trim().to_owned()).collect();
    if codes.iter().all(|code| is_code(code)) { Ok(codes) } else { Err(Reason::Value(Problem::Characters)) }
}

fn name(cell: &TextCell) -> Result<String, Reason> {
    if let Some(reason) = &cell.letters {
        return Err(reason.clone());
    }
    let name = UnitName::parse(&cell.text).map_err(Reason::Value)?;
    if name.as_str().chars().any(char::is_alphabetic) {
        Ok(name.as_str().to_owned())
    } else {
        Err(Reason::Value(Problem::NoLetters))
    }
}

fn one_of<T: Copy>(cell: &TextCell, words: &[(&[&str], T)]) -> Result<T, Reason> {
    let said = fold(&cell.text);
    let found = words.iter().find(|(known, _)| known.contains(&said.as_str()));
    found.map(|(_, value)| *value).ok_or(Reason::Value(Problem::NotOffered))
}

/// A row of a file that assigns units of the queue.
pub(super) struct Assignment {
    pub(super) row: u64,
    /// As in the file.
    pub(super) unit_text: String,
    pub(super) target_text: String,
    /// The codes of the unit and of the target.
    pub(super) read: Result<(Vec<String>, Vec<String>), (Column, Reason)>,
}

/// The rows of a file that assigns units of the queue.
pub(super) fn assignments(tables: &[Vec<TextRow>]) -> Result<Vec<Assignment>, FileRefusal> {
    let table = Table::find(tables, ASSIGNMENT_WORDS, &[Column::Unit, Column::Target])?;
    let read = |row: &TextRow| -> Result<(Vec<String>, Vec<String>), (Column, Reason)> {
        let of = |column| match required(&table, row, column, codes) {
            Err(RowProblem::Cell { column, reason }) => Err((column, reason)),
            Err(_) => Err((column, Reason::UnknownUnit)),
            Ok(codes) => Ok(codes),
        };
        Ok((of(Column::Unit)?, of(Column::Target)?))
    };
    let row = |row: &TextRow| Assignment {
        row: row.row,
        unit_text: table.shown(row, Column::Unit),
        target_text: table.shown(row, Column::Target),
        read: read(row),
    };
    Ok(table.filled().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> TextCell {
        TextCell { text: text.to_owned(), problem: None, letters: None }
    }

    /// A table of lines whose cells are separated by bars.
    fn table(lines: &[&str]) -> Vec<Vec<TextRow>> {
        let row = |(row, line): (u64, &&str)| TextRow { row, cells: line.split('|').map(cell).collect() };
        vec![(1..).zip(lines).map(row).collect()]
    }

    #[test]
    fn columns_and_words_are_known_in_both_languages() {
        let vietnamese = table(&[
            "Phương án sắp xếp",
            "STT|Mã cũ|Mã mới|Mã cấp trên mới|Tên mới|Phần|Chức vụ",
            "1|X00007|X00008|T01|Đảng bộ phường Ngọc Hà|Phần chính|Giữ",
            "2|X00007|T01/X00025|||một phần|",
            "||||||",
        ]);
        let english = table(&[
            "Old code|New code|New parent|New name|Part|Offices",
            "X00007|X00008|T01|Đảng bộ phường Ngọc Hà|main part|keep",
        ]);
        let rows = rows(&vietnamese, 3).expect("has a header");
        assert_eq!(rows.len(), 2, "the last line is blank");
        assert_eq!((rows[0].file, rows[0].row, rows[1].row), (3, 3, 4));
        let first = rows[0].read.as_ref().expect("is read");
        assert_eq!((first.old.as_slice(), first.code.as_str()), (["X00007".to_owned()].as_slice(), "X00008"));
        assert_eq!((first.part, first.offices), (Part::Main, OfficesRule::Keep));
        let second = rows[1].read.as_ref().expect("is read");
        assert_eq!((second.parent.as_deref(), second.code.as_str()), (Some(["T01".to_owned()].as_slice()), "X00025"));
        assert_eq!((second.part, second.offices, &second.name), (Part::Part, OfficesRule::End, &None));
        let same = super::rows(&english, 3).expect("has a header");
        assert_eq!(same[0].read, rows[0].read);
    }

    #[test]
    fn a_cell_that_cannot_be_read_is_a_problem_of_its_row() {
        let lines = table(&[
            "Mã cũ|Mã mới|Tên mới|Phần",
            "|X1||",
            "X 1|X1||",
            "X1|||",
            "X1|X1|12|",
            "X1|X1||nửa",
            "X1|123456789012345678901||",
        ]);
        let rows = rows(&lines, 0).expect("has a header");
        let found: Vec<_> = rows.iter().map(|row| row.read.clone().expect_err("is refused")).collect();
        let value = |column, problem| RowProblem::Cell { column, reason: Reason::Value(problem) };
        let expected = [
            value(Column::OldCode, Problem::Required),
            value(Column::OldCode, Problem::Characters),
            value(Column::NewCode, Problem::Required),
            value(Column::NewName, Problem::NoLetters),
            value(Column::Part, Problem::NotOffered),
            value(Column::NewCode, Problem::TooLong { max: UnitCode::MAX }),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_without_a_column_or_a_row_is_refused() {
        assert_eq!(rows(&table(&["Mã cũ|Tên mới", "1|2"]), 0), Err(FileRefusal::Missing(Column::NewCode)));
        assert_eq!(rows(&table(&["Mã cũ|Mã mới"]), 0), Err(FileRefusal::File(Failure::Empty)));
        assert_eq!(rows(&[Vec::new()], 0), Err(FileRefusal::File(Failure::Empty)));
        let found = assignments(&table(&["Mã chi bộ|Mã đơn vị nhận", "X1/07|X2", "07|"])).expect("has a header");
        assert_eq!(found[0].read, Ok((vec!["X1".to_owned(), "07".to_owned()], vec!["X2".to_owned()])));
        assert_eq!(found[1].read, Err((Column::Target, Reason::Value(Problem::Required))));
    }
}
