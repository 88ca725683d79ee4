//! What is wrong with a file, line by line: written while the file is read, kept sealed beside it, read back line by line.
//!
//! Each reading of a file writes a report of its own, which takes the place of the one before when it is whole.
//!
//! Invariant: however many rows are refused, no more than one line is in memory.

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

/// A report that is being written. Dropped before [`Self::finish`], it leaves nothing behind.
pub(super) struct ReportWriter {
    file: BufWriter<SealedWriter>,
    counts: ReportCounts,
    part: Part,
    path: PathBuf,
}

/// A file that is removed when nobody has put it in its place.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// How much a report says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ReportCounts {
    /// Lines on rows that are refused.
    pub(super) lines: u64,
    /// Lines on others.
    pub(super) remarks: u64,
    /// Rows with nothing in the columns that are imported.
    pub(super) passed: u64,
}

impl ReportWriter {
    pub(super) fn create(path: &Path, name: &str, keys: &Keys, clock: &Clock) -> Result<Self> {
        // A name of its own: two readings of one file may overlap.
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

    /// A row that is passed over, and what is to be told of it.
    pub(super) fn pass(&mut self, line: Option<&RefusedLine>) -> Result<()> {
        self.counts.passed += 1;
        line.map_or(Ok(()), |line| self.add(std::slice::from_ref(line)))
    }

    /// Puts it in the place of the report before. Returns how much it says.
    ///
    /// A thread waits for the disk. That thread goes on when nobody waits for it any more, so it does not put anything in its place.
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
    use domain::imports::Reason;

    use super::*;

    fn line(row: u64) -> RefusedLine {
        RefusedLine { row, name: String::new(), column: None, value: String::new(), reason: Reason::IdTaken }
    }

    #[tokio::test]
    async fn two_who_write_one_report_do_not_mix_their_lines() {
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
        assert!(matches!(Report::open(&path, "one report", &keys), Err(Error::NotFound)), "none of them is whole");
        first.finish().await.expect("finishes");
        assert_eq!(rows(), (0..5_000).collect::<Vec<_>>());
        drop(dropped);
        assert_eq!(rows(), (0..5_000).collect::<Vec<_>>());
        second.finish().await.expect("finishes");
        assert_eq!(rows(), (1..5_001).collect::<Vec<_>>());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "one file is left");
    }

    #[test]
    fn a_report_is_finished_by_another_thread_and_only_for_who_waits() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, keys) = (folder.path().join("one.report"), Keys::from_master(&[7; 32]));
        let mut report = ReportWriter::create(&path, "one report", &keys, &Clock::system()).expect("creates");
        report.add(&[line(1)]).expect("writes");
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().expect("a runtime");
        runtime.block_on(async {
            let (go_on, held) = std::sync::mpsc::channel::<()>();
            // The only thread is busy until then.
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
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "nobody waited");
    }

    #[test]
    fn what_a_spreadsheet_would_run_becomes_a_text() {
        assert_eq!(csv_line(&["12", "Họ và tên", "a,b", "say \"x\""]), "12,Họ và tên,\"a,b\",\"say \"\"x\"\"\"\r\n");
        for formula in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1+1", "＋1", "－1", "＠SUM(A1)", "−1"]
        {
            assert_eq!(csv_line(&[formula]), format!("\"'{formula}\"\r\n"));
        }
    }
}
