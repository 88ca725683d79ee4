//! Splits delimited text into rows (RFC 4180 and common spreadsheet variants), each with the number of its first line.
//!
//! The `csv` crate is not used, for two reasons: it counts the line feed of a CR LF to the next row, so that its line numbers are
//! one too low, and after an unclosed quotation mark it returns the rest of the file as one row. Both lose members.
//!
//! Invariant: every line of the file belongs to exactly one row, and at most [`ROW_BYTES_MAX`] of the file and one buffer are in
//! memory.

use std::{
    collections::VecDeque,
    io::{self, BufRead},
};

/// A row of a member list is a few hundred bytes.
const ROW_BYTES_MAX: usize = 1024 * 1024;

/// Maximum number of lines of a row: a cell with more line breaks is an unclosed quotation mark.
const ROW_LINES_MAX: usize = 100;

/// Number of rows from which the usual number of cells is taken.
const LEARNT_FROM: u32 = 20;

/// One row of the file.
#[derive(Debug, Default)]
pub(super) struct CsvRow {
    /// Its first line, counted from 1.
    pub(super) line: u64,
    /// The cell with an unclosed quotation mark. It holds the rest of its line up to the next separator.
    pub(super) open: Option<usize>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl CsvRow {
    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|at| {
            let start = if at == 0 { 0 } else { self.ends[at - 1] };
            &self.bytes[start..self.ends[at]]
        })
    }

    fn clear(&mut self) {
        self.open = None;
        self.bytes.clear();
        self.ends.clear();
    }

    fn end_cell(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// Appends the bytes of `line` from `from` up to the first `stop`. Returns the position of the latter.
    fn copy_until(&mut self, line: &[u8], from: usize, stop: u8) -> usize {
        let end = line[from..].iter().position(|byte| *byte == stop).map_or(line.len(), |length| from + length);
        self.bytes.extend_from_slice(&line[from..end]);
        end
    }
}

/// Reader of rows.
pub(super) struct CsvRows<R> {
    lines: Lines<R>,
    delimiter: u8,
    /// Lines read ahead; the first one has the number `line`.
    ahead: VecDeque<Vec<u8>>,
    line: u64,
    seen: u32,
    /// Separators in a usual row.
    usual: usize,
}

/// State of the scanner within a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    /// After a quotation mark inside a quoted cell: either its end, or the first of an escaped pair.
    Mark,
    /// A quotation mark opened on an earlier line is closed before something other than a separator.
    Broken,
}

impl<R: BufRead> CsvRows<R> {
    pub(super) fn new(reader: R, delimiter: u8) -> Self {
        let lines = Lines { reader, is_first: true, is_behind_cr: false, spare: Vec::new() };
        Self { lines, delimiter, ahead: VecDeque::new(), line: 1, seen: 0, usual: 0 }
    }

    /// Reads the next row into `row`; `false` at the end of the file.
    ///
    /// # Errors
    /// Those of the reader; [`io::ErrorKind::FileTooLarge`] for a line longer than [`ROW_BYTES_MAX`].
    pub(super) fn next_row(&mut self, row: &mut CsvRow) -> io::Result<bool> {
        if !self.fill(1)? {
            return Ok(false);
        }
        row.clear();
        row.line = self.line;
        let mut used = 1;
        if self.scan(0, usize::MAX, row) == State::Quoted {
            let open = row.ends.len();
            if let Some(lines) = self.later_lines(row)? {
                used = lines;
            } else {
                row.clear();
                self.scan(0, open, row);
                row.open = Some(open);
            }
        }
        row.end_cell();
        if used == 1 && row.open.is_none() && self.seen < LEARNT_FROM {
            self.seen += 1;
            self.usual = self.usual.max(row.ends.len() - 1);
        }
        for _ in 0..used {
            self.lines.reuse(self.ahead.pop_front());
        }
        self.line += used as u64;
        Ok(true)
    }

    /// Continues a quoted cell on the following lines. Returns how many lines the row has; `None` when the quotation mark counts
    /// as unclosed.
    fn later_lines(&mut self, row: &mut CsvRow) -> io::Result<Option<usize>> {
        let before = row.ends.len();
        let within = self.separators(&row.bytes[row.ends.last().copied().unwrap_or_default()..]);
        // The rest of the line has the separators of a usual row, so the mark is not a quotation.
        if self.usual >= before + 2 && within >= self.usual - before {
            return Ok(None);
        }
        for used in 1..ROW_LINES_MAX {
            if row.bytes.len() > ROW_BYTES_MAX || !self.fill(used + 1)? {
                return Ok(None);
            }
            let (from, cells) = (row.bytes.len(), row.ends.len());
            row.bytes.push(b'\n');
            let state = self.scan_later(used, row);
            let end = row.ends.get(cells).copied().unwrap_or(row.bytes.len());
            // A whole row inside a cell.
            let holds_a_row = self.separators(&row.bytes[from..end]) >= 2.max(self.usual.saturating_sub(1));
            if state == State::Broken || holds_a_row {
                return Ok(None);
            }
            if state != State::Quoted {
                return Ok(Some(used + 1));
            }
        }
        Ok(None)
    }

    fn separators(&self, text: &[u8]) -> usize {
        text.split(|byte| *byte == self.delimiter).count() - 1
    }

    /// Reads ahead until there are `count` lines; `false` when the file has fewer.
    fn fill(&mut self, count: usize) -> io::Result<bool> {
        while self.ahead.len() < count {
            match self.lines.next_line()? {
                Some(line) => self.ahead.push_back(line),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Scans the first line of a row. From the cell `plain_from` on, quotation marks are ordinary characters. Leaves the last
    /// cell open.
    fn scan(&self, at: usize, plain_from: usize, row: &mut CsvRow) -> State {
        scan(&self.ahead[at], self.delimiter, State::Start, plain_from, row)
    }

    /// The same for a line that begins inside a quoted cell.
    fn scan_later(&self, at: usize, row: &mut CsvRow) -> State {
        scan(&self.ahead[at], self.delimiter, State::Quoted, usize::MAX, row)
    }
}

fn scan(line: &[u8], delimiter: u8, begin: State, plain_from: usize, row: &mut CsvRow) -> State {
    let (mut state, mut at) = (begin, 0);
    // In a cell that began on an earlier line, a mark in the middle of text shows that the first mark was no quotation.
    let mut is_strict = begin == State::Quoted;
    while let Some(byte) = line.get(at).copied() {
        at += 1;
        state = match state {
            State::Start if byte == b'"' && row.ends.len() < plain_from => State::Quoted,
            State::Mark if byte == b'"' => {
                row.bytes.push(byte);
                State::Quoted
            }
            State::Start | State::Plain | State::Mark if byte == delimiter => {
                row.end_cell();
                is_strict = false;
                State::Start
            }
            State::Mark if is_strict && byte == b' ' => State::Mark,
            State::Mark if is_strict => State::Broken,
            State::Start | State::Plain | State::Mark => {
                at = row.copy_until(line, at - 1, delimiter);
                State::Plain
            }
            State::Quoted if byte == b'"' => State::Mark,
            State::Quoted => {
                at = row.copy_until(line, at - 1, b'"');
                State::Quoted
            }
            State::Broken => return State::Broken,
        };
    }
    state
}

/// Splits bytes at LF, CR LF and CR, in any mixture, and drops the byte order mark.
struct Lines<R> {
    reader: R,
    is_first: bool,
    /// The last line ended with CR: a LF that follows belongs to it.
    is_behind_cr: bool,
    /// Buffers to reuse.
    spare: Vec<Vec<u8>>,
}

impl<R: BufRead> Lines<R> {
    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        if std::mem::take(&mut self.is_behind_cr) && self.reader.fill_buf()?.first() == Some(&b'\n') {
            self.reader.consume(1);
        }
        let mut line = self.spare.pop().unwrap_or_default();
        line.clear();
        let mut is_end = true;
        loop {
            let bytes = self.reader.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            is_end = false;
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            if line.len() > ROW_BYTES_MAX {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the line is too long"));
            }
            self.is_behind_cr = end.is_some_and(|end| bytes[end] == b'\r');
            let used = end.map_or(bytes.len(), |end| end + 1);
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        if is_end {
            return Ok(None);
        }
        if std::mem::take(&mut self.is_first) && line.starts_with("\u{feff}".as_bytes()) {
            line.drain(..3);
        }
        Ok(Some(line))
    }

    fn reuse(&mut self, line: Option<Vec<u8>>) {
        if self.spare.len() < 2 {
            self.spare.extend(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    /// The first line, the cells and the open cell of each row. Reads in small pieces, so that line ends are split.
    fn rows(content: &[u8], delimiter: u8) -> Vec<(u64, Vec<String>, Option<usize>)> {
        let mut reader = CsvRows::new(BufReader::with_capacity(3, content), delimiter);
        let (mut row, mut all) = (CsvRow::default(), Vec::new());
        while reader.next_row(&mut row).expect("reads") {
            let cells = row.cells().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            all.push((row.line, cells, row.open));
        }
        all
    }

    /// The non-empty rows, as the importer reads them.
    fn filled(content: &[u8], delimiter: u8) -> Vec<(u64, Vec<String>)> {
        let is_filled = |cells: &[String]| cells.iter().any(|cell| !cell.is_empty());
        rows(content, delimiter).into_iter().filter(|row| is_filled(&row.1)).map(|(line, cells, _)| (line, cells)).collect()
    }

    #[test]
    fn every_line_end_ends_a_row_and_counts_as_one_line() {
        let expected: Vec<(u64, Vec<String>)> = [(1, "a,b"), (2, "1,2"), (4, "3,4")]
            .map(|(line, cells)| (line, cells.split(',').map(str::to_owned).collect()))
            .into();
        for end in ["\n", "\r\n", "\r"] {
            for content in ["a,b|1,2||3,4", "a,b|1,2||3,4|", "a,b|1,2||3,4|||", "\u{feff}a,b|1,2||3,4|"] {
                assert_eq!(filled(content.replace('|', end).as_bytes(), b','), expected, "{content} {end:?}");
            }
        }
        assert_eq!(filled(b"a,b\r\n1,2\n\r3,4\r", b','), expected, "mixed");
        assert_eq!(filled(b"one\r\ntwo\r\nthree", b',').len(), 3, "one column");
    }

    #[test]
    fn quoted_cells_hold_separators_marks_and_line_ends() {
        let content = b"id,note,end\r\n1,\"a, \"\"b\"\"\r\nc\",x\r\n2,\"\",y\r\n3,5\" pipe,z\r\n4,\"q\" r,w";
        let cells = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let expected = [
            (1, cells(&["id", "note", "end"]), None),
            (2, cells(&["1", "a, \"b\"\nc", "x"]), None),
            (4, cells(&["2", "", "y"]), None),
            (5, cells(&["3", "5\" pipe", "z"]), None),
            (6, cells(&["4", "q r", "w"]), None),
        ];
        assert_eq!(rows(content, b','), expected);
    }

    #[test]
    fn a_mark_that_is_not_closed_costs_its_own_row_only() {
        let row = |number: u32| format!("{number},Cao Ha {number},Nu,1981,02");
        let good = |numbers: &[u32]| numbers.iter().map(|number| u64::from(*number) + 1).collect::<Vec<_>>();
        let table = [
            // To the end of the file.
            ("3,\"Cao Ha 3,Nu,1981,02", 3, 1),
            // Up to an opening mark further down.
            ("3,\"Cao Ha 3,Nu,1981,02\n4,\"Cao Ha 4\",Nu,1981,02\n5,\"Cao Ha 5\",Nu,1981,02", 3, 1),
            // Up to another stray closing mark.
            ("3,\"Cao Ha 3,Nu,1981,02\n4,Cao Ha 4\",Nu,1981,02\n5,Cao Ha 5,Nu,1981,02", 3, 1),
            ("3,\"Cao Ha 3,Nu,1981,02\n4,Cao Ha 4,Nu,1981,02\n5,Cao Ha 5\",Nu,1981,02", 3, 1),
            // In the last cell.
            ("3,Cao Ha 3,Nu,1981,\"02\n4,Cao Ha 4,Nu,1981,02\n5,Cao Ha 5,Nu,1981,02\"", 3, 4),
        ];
        for (middle, line, open) in table {
            let content = ["id,name,sex,born,branch", &row(1), &row(2), middle, &row(6), &row(7)].join("\n");
            let found = rows(content.as_bytes(), b',');
            let opened: Vec<(u64, usize)> = found.iter().filter_map(|(line, _, open)| open.map(|open| (*line, open))).collect();
            assert_eq!(opened.first(), Some(&(line + 1, open)), "{content}");
            let whole: Vec<u64> =
                found.iter().filter(|(_, cells, open)| open.is_none() && cells.len() == 5).map(|row| row.0).collect();
            let last = u32::try_from(content.lines().count()).expect("few");
            assert!(
                good(&[0, 1, 2]).iter().chain(&[u64::from(last) - 1, u64::from(last)]).all(|line| whole.contains(line)),
                "{content}"
            );
            assert_eq!(found.len(), content.lines().count(), "no line is lost: {content}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_an_error() {
        let content = vec![b'x'; 2 * ROW_BYTES_MAX];
        let mut reader = CsvRows::new(BufReader::new(&content[..]), b',');
        let error = reader.next_row(&mut CsvRow::default()).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    /// Writes and reads a million rows.
    #[test]
    fn a_million_rows_are_a_million_rows() {
        let content = "7,x\r\n".repeat(1_000_000);
        let mut reader = CsvRows::new(content.as_bytes(), b',');
        let (mut row, mut count) = (CsvRow::default(), 0_u64);
        while reader.next_row(&mut row).expect("reads") {
            count += 1;
            assert_eq!(row.line, count);
        }
        assert_eq!(count, 1_000_000);
    }

    /// A cell of a usual list: with separators, marks and line breaks, but without a whole row in it.
    fn cell() -> impl Strategy<Value = String> {
        prop_oneof![4 => "[a-zđ0-9 ]{1,8}", 1 => Just(String::new()), 1 => "[a-z]{1,3}[,;\"\\n][a-z\"]{1,3}"]
    }

    proptest! {
        #[test]
        fn rows_read_are_rows_written(
            table in prop::collection::vec(prop::collection::vec(cell(), 4), 1..12),
            title in prop::option::of("[a-z ]{1,12}"),
            ends in prop::collection::vec(0..3_usize, 40),
            has_mark in any::<bool>(),
            last in 0..4_usize,
            delimiter in prop::sample::select(vec![b',', b';', b'\t']),
        ) {
            let mut content = if has_mark { "\u{feff}".to_owned() } else { String::new() };
            let (mut line, mut expected, mut ends) = (1, Vec::new(), ends.into_iter().cycle());
            let mut end = || ["\n", "\r\n", "\r"][ends.next().unwrap_or_default()];
            let title = title.map(|title| vec![title]);
            for row in title.into_iter().chain(table) {
                let mut writer = csv::WriterBuilder::new().delimiter(delimiter).flexible(true).from_writer(Vec::new());
                writer.write_record(&row).expect("writes");
                let text = String::from_utf8(writer.into_inner().expect("ends")).expect("a text");
                let text = text.trim_end_matches('\n');
                if row.iter().any(|cell| !cell.is_empty()) {
                    expected.push((line, row));
                }
                line += 1 + text.matches('\n').count() as u64;
                content += text;
                content += end();
            }
            // Empty lines at the end, or no line end at all.
            if last == 0 {
                content.truncate(content.trim_end_matches(['\r', '\n']).len());
            }
            content += &"\r\n".repeat(last);
            prop_assert_eq!(filled(content.as_bytes(), delimiter), expected);
        }
    }
}
