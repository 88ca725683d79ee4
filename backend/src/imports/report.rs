//! The report of an import: one line per problem of the file. It is written while the file is read, sealed next to it, and read
//! back line by line.
//!
//! Each run over a file writes a new report, which replaces the previous one once it is complete.
//!
//! Invariant: at most one line is in memory, however many rows are refused.

use std::{
    fs,
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use domain::imports::RefusedLine;
use tokio::task::spawn_blocking;

use super::{
    remove,
    sealed::{SealedReader, SealedWriter},
};
use crate::{Clock, Error, Keys, Result};

/// A report being written. If dropped before [`Self::finish`], it is removed.
pub(super) struct ReportWriter {
    file: BufWriter<SealedWriter>,
    counts: ReportCounts,
    part: Part,
    path: PathBuf,
}

/// A temporary file, removed unless it is renamed.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Counts of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ReportCounts {
    /// Lines on refused rows.
    pub(super) lines: u64,
    /// Lines on other rows.
    pub(super) remarks: u64,
    /// Rows without values in the imported columns.
    pub(super) passed: u64,
}

impl ReportWriter {
    pub(super) fn create(path: &Path, name: &str, keys: &Keys, clock: &Clock) -> Result<Self> {
        // A unique name: two runs over one file may overlap.
        let part = Part(path.with_extension(format!("{:016x}.part", rand::random::<u64>())));
        let file = BufWriter::new(SealedWriter::create(&part.0, name, keys, clock)?);
        Ok(Self { file, counts: ReportCounts::default(), part, path: path.to_owned() })
    }

    pub(super) fn add(&mut self, lines: &[RefusedLine]) -> Result<()> {
        for line in lines {
            let write_error =
                |error: &dyn std::fmt::Display| Error::Internal(format!("cannot write the report of an import: {error}"));
            serde_json::to_writer(&mut self.file, line).map_err(|error| write_error(&error))?;
            self.file.write_all(b"\n").map_err(|error| write_error(&error))?;
            let count = if line.reason.is_remark() { &mut self.counts.remarks } else { &mut self.counts.lines };
            *count += 1;
        }
        Ok(())
    }

    /// Counts a row without values, and adds its line if it has one.
    pub(super) fn pass(&mut self, line: Option<&RefusedLine>) -> Result<()> {
        self.counts.passed += 1;
        line.map_or(Ok(()), |line| self.add(std::slice::from_ref(line)))
    }

    /// Replaces the previous report. Returns the counts.
    ///
    /// A blocking thread waits for the disk. That thread also runs when this future is dropped, so the file is renamed here and
    /// not there.
    pub(super) async fn finish(self) -> Result<ReportCounts> {
        let failed = |error: &dyn std::fmt::Display| Error::Internal(format!("cannot write the report of an import: {error}"));
        let Self { file, counts, part, path } = self;
        let written = spawn_blocking(move || match file.into_inner() {
            Ok(sealed) => sealed.finish(),
            Err(error) => Err(failed(&error)),
        });
        written.await.map_err(|stopped| failed(&stopped))??;
        fs::rename(&part.0, &path).map_err(|error| failed(&error))?;
        Ok(counts)
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

    /// The first lines on refused rows and the first remarks, at most `wanted` of each. A very long report is not searched to its
    /// end.
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

/// First characters of a formula. East Asian spreadsheets accept the full-width signs too, and some accept U+2212 as a minus.
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠', '−'];

/// A line of a CSV file for spreadsheets. An apostrophe before a cell that would be taken for a formula (OWASP, "CSV injection")
/// makes it a text.
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
    use domain::imports::Reason;

    use super::*;

    fn line(row: u64) -> RefusedLine {
        RefusedLine { row, name: String::new(), column: None, value: String::new(), reason: Reason::IdTaken }
    }

    #[tokio::test]
    async fn two_writers_of_one_report_do_not_mix_their_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, keys, clock) = (folder.path().join("one.report"), Keys::from_master(&[7; 32]), Clock::system());
        let begin = || ReportWriter::create(&path, "one report", &keys, &clock).expect("creates");
        let rows = || {
            let report = Report::open(&path, "one report", &keys).expect("opens");
            report.map(|line| line.expect("is whole").row).collect::<Vec<_>>()
        };
        let (mut first, mut second, mut dropped) = (begin(), begin(), begin());
        for row in 0..5_000 {
            first.add(&[line(row)]).expect("writes");
            second.add(&[line(row + 1)]).expect("writes");
            dropped.add(&[line(row + 2)]).expect("writes");
        }
        assert!(matches!(Report::open(&path, "one report", &keys), Err(Error::NotFound)), "none of them is complete");
        first.finish().await.expect("finishes");
        assert_eq!(rows(), (0..5_000).collect::<Vec<_>>());
        drop(dropped);
        assert_eq!(rows(), (0..5_000).collect::<Vec<_>>());
        second.finish().await.expect("finishes");
        assert_eq!(rows(), (1..5_001).collect::<Vec<_>>());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "one file is left");
    }

    #[test]
    fn a_report_is_finished_by_a_blocking_thread_and_only_while_awaited() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, keys) = (folder.path().join("one.report"), Keys::from_master(&[7; 32]));
        let mut report = ReportWriter::create(&path, "one report", &keys, &Clock::system()).expect("creates");
        report.add(&[line(1)]).expect("writes");
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().expect("a runtime");
        runtime.block_on(async {
            let (go_on, held) = std::sync::mpsc::channel::<()>();
            // Blocks the only thread of the pool.
            let busy = spawn_blocking(move || held.recv().is_err());
            tokio::select! {
                biased;
                done = report.finish() => panic!("does not wait: {done:?}"),
                () = std::future::ready(()) => {}
            }
            drop(go_on);
            assert!(busy.await.expect("runs"));
        });
        drop(runtime);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "the future was dropped");
    }

    #[test]
    fn formulas_become_text() {
        assert_eq!(csv_line(&["12", "Họ và tên", "a,b", "say \"x\""]), "12,Họ và tên,\"a,b\",\"say \"\"x\"\"\"\r\n");
        for formula in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1+1", "＋1", "－1", "＠SUM(A1)", "−1"]
        {
            assert_eq!(csv_line(&[formula]), format!("\"'{formula}\"\r\n"));
        }
    }
}
