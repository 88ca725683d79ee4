//! What is wrong with a file, line by line: written while the file is read, kept sealed beside it, read back line by line.
//!
//! Invariant: however many rows are refused, no more than one line is in memory.

use std::{
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
};

use domain::imports::RefusedLine;

use super::sealed::{SealedReader, SealedWriter};
use crate::{Clock, Error, Keys, Result};

pub(super) struct ReportWriter {
    file: BufWriter<SealedWriter>,
    told: Told,
}

/// How much a report says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Lines on rows that are refused.
    pub(super) lines: u64,
    /// Lines on others.
    pub(super) remarks: u64,
    /// Rows with nothing in the columns that are imported.
    pub(super) passed: u64,
}

impl ReportWriter {
    pub(super) fn create(path: &Path, name: &str, keys: &Keys, clock: &Clock) -> Result<Self> {
        Ok(Self { file: BufWriter::new(SealedWriter::create(path, name, keys, clock)?), told: Told::default() })
    }

    pub(super) fn add(&mut self, lines: &[RefusedLine]) -> Result<()> {
        for line in lines {
            let told = |error: &dyn std::fmt::Display| Error::Internal(format!("cannot write the report of an import: {error}"));
            serde_json::to_writer(&mut self.file, line).map_err(|error| told(&error))?;
            self.file.write_all(b"\n").map_err(|error| told(&error))?;
            let count = if line.reason.is_remark() { &mut self.told.remarks } else { &mut self.told.lines };
            *count += 1;
        }
        Ok(())
    }

    /// A row that is passed over, and what is to be told of it.
    pub(super) fn pass(&mut self, line: Option<&RefusedLine>) -> Result<()> {
        self.told.passed += 1;
        line.map_or(Ok(()), |line| self.add(std::slice::from_ref(line)))
    }

    /// How much it says.
    pub(super) fn finish(self) -> Result<Told> {
        let file =
            self.file.into_inner().map_err(|error| Error::Internal(format!("cannot write the report of an import: {error}")))?;
        file.finish()?;
        Ok(self.told)
    }
}

/// The lines of a report, in the order of rows.
pub struct Report {
    lines: std::io::Lines<BufReader<SealedReader>>,
}

impl Report {
    pub(super) fn open(path: &Path, name: &str, keys: &Keys) -> Result<Self> {
        Ok(Self { lines: BufReader::with_capacity(64 * 1024, SealedReader::open(path, name, keys)?).lines() })
    }

    /// The first lines on rows that are refused, and the first remarks on others, at most `wanted` of each. In a very long report
    /// they are not looked for to its end.
    pub(super) fn first(self, wanted: usize) -> Result<(Vec<RefusedLine>, Vec<RefusedLine>)> {
        const LOOKED_AT: usize = 20_000;
        let (mut refused, mut remarks) = (Vec::new(), Vec::new());
        for line in self.take(LOOKED_AT) {
            let line = line?;
            let lines = if line.reason.is_remark() { &mut remarks } else { &mut refused };
            if lines.len() < wanted {
                lines.push(line);
            }
            if refused.len() == wanted && remarks.len() == wanted {
                break;
            }
        }
        Ok((refused, remarks))
    }
}

impl Iterator for Report {
    type Item = Result<RefusedLine>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        Some(line.map_err(|error| Error::Damaged(format!("the report of an import: {error}"))).and_then(|line| {
            serde_json::from_str(&line).map_err(|error| Error::Damaged(format!("the report of an import: {error}")))
        }))
    }
}

/// With what a formula begins. Spreadsheets of East Asia take the full-width signs for the others, and some take U+2212 for a minus.
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠', '−'];

/// A line of a file that spreadsheets open. A cell that one would take for a formula (OWASP, "CSV injection") is made a text by an
/// apostrophe in front.
pub fn csv_line(cells: &[&str]) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        let is_formula = cell.starts_with(FORMULA_STARTS);
        let apostrophe = if is_formula { "'" } else { "" };
        if is_formula || cell.contains([',', ';', '"', '\n', '\r', '\t']) {
            line.push_str(&format!("\"{apostrophe}{}\"", cell.replace('"', "\"\"")));
        } else {
            line.push_str(cell);
        }
    }
    line.push_str("\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_becomes_a_text() {
        assert_eq!(csv_line(&["12", "Họ và tên", "a,b", "say \"x\""]), "12,Họ và tên,\"a,b\",\"say \"\"x\"\"\"\r\n");
        for formula in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1+1", "＋1", "－1", "＠SUM(A1)", "−1"]
        {
            assert_eq!(csv_line(&[formula]), format!("\"'{formula}\"\r\n"));
        }
    }
}
