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
    lines: u64,
}

impl ReportWriter {
    pub(super) fn create(path: &Path, name: &str, keys: &Keys, clock: &Clock) -> Result<Self> {
        Ok(Self { file: BufWriter::new(SealedWriter::create(path, name, keys, clock)?), lines: 0 })
    }

    pub(super) fn add(&mut self, lines: &[RefusedLine]) -> Result<()> {
        for line in lines {
            let told = |error: &dyn std::fmt::Display| Error::Internal(format!("cannot write the report of an import: {error}"));
            serde_json::to_writer(&mut self.file, line).map_err(|error| told(&error))?;
            self.file.write_all(b"\n").map_err(|error| told(&error))?;
            self.lines += 1;
        }
        Ok(())
    }

    /// How many lines there are.
    pub(super) fn finish(self) -> Result<u64> {
        let file =
            self.file.into_inner().map_err(|error| Error::Internal(format!("cannot write the report of an import: {error}")))?;
        file.finish()?;
        Ok(self.lines)
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

/// A line of a file that spreadsheets open. A cell that one would take for a formula (OWASP, "CSV injection") is made a text by an
/// apostrophe in front.
pub fn csv_line(cells: &[&str]) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
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
        for formula in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(csv_line(&[formula]), format!("\"'{formula}\"\r\n"));
        }
    }
}
