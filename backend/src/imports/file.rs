//! Reads uploaded files row by row: text delimited by commas, semicolons, tabs or bars, and spreadsheets.
//!
//! Invariant: a text file is never in memory as a whole, whatever its size and content.

use std::{
    borrow::Cow,
    fmt,
    io::{self, BufRead, BufReader},
    ops::ControlFlow,
    str::FromStr,
};

use chrono::{Days, NaiveDate};
use conversion::unpacked;
use domain::{
    folding::compose,
    imports::{COLUMNS_MAX, Failure, XLSX_UNPACKED_MAX},
    legacy_letters::{self, LegacyLetters},
};
use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252, WINDOWS_1258};
use encoding_rs_io::DecodeReaderBytesBuilder;

use super::{
    csv_rows::{CsvRow, CsvRows},
    sealed::SealedReader,
    sheets::each_xlsx_row,
};
use crate::{Error, Result, store::StoreError};

/// Buffer of a text file, in bytes.
const BUFFER: usize = 64 * 1024;

/// How the bytes of a file are decoded. Detected during the upload, and stored as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv { encoding: Encoding, delimiter: u8 },
    Xlsx,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
pub(super) enum Encoding {
    #[strum(to_string = "utf-8")]
    Utf8,
    /// Saved by spreadsheet programs as "Unicode text".
    #[strum(to_string = "utf-16le")]
    Utf16Le,
    #[strum(to_string = "utf-16be")]
    Utf16Be,
    /// Written by Vietnamese programs from before Unicode.
    #[strum(to_string = "windows-1258")]
    Windows1258,
    /// Vietnamese letters at the code points of Western ones, see [`legacy_letters`].
    Tcvn3,
    Vni,
}

impl Encoding {
    /// Encodings of two bytes per code unit are decoded before lines are split.
    fn wide(self) -> Option<&'static encoding_rs::Encoding> {
        match self {
            Self::Utf16Le => Some(UTF_16LE),
            Self::Utf16Be => Some(UTF_16BE),
            _ => None,
        }
    }

    /// Decodes an encoding of one byte per letter.
    fn decode_narrow(self, bytes: &[u8]) -> String {
        let western = || WINDOWS_1252.decode_without_bom_handling(bytes).0;
        match self {
            Self::Tcvn3 => legacy_letters::convert(&western(), LegacyLetters::Tcvn3),
            Self::Vni => legacy_letters::convert(&western(), LegacyLetters::Vni),
            _ => compose(&WINDOWS_1258.decode_without_bom_handling(bytes).0),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Csv { encoding, delimiter } => write!(f, "csv {encoding} {delimiter}"),
            Self::Xlsx => f.write_str("xlsx"),
        }
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let damaged = || Error::Damaged(format!("format {text:?} of an import"));
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            ["xlsx"] => Ok(Self::Xlsx),
            ["csv", encoding, delimiter] => Ok(Self::Csv {
                encoding: encoding.parse().map_err(|_| damaged())?,
                delimiter: delimiter.parse().map_err(|_| damaged())?,
            }),
            _ => Err(damaged()),
        }
    }
}

/// Detects the format of a file while it is uploaded.
#[derive(Debug, Default)]
pub(super) struct Detector {
    /// The first bytes, with the signature of the file kind, the header and its delimiters.
    head: Vec<u8>,
    /// First bytes of a letter that the next piece completes.
    carry: Vec<u8>,
    /// Multi-byte letters that are well-formed UTF-8, and bytes that are not.
    letters: u64,
    strays: u64,
    has_nul: bool,
}

impl Detector {
    const HEAD: usize = 64 * 1024;

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let room = Self::HEAD - self.head.len();
        self.head.extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.has_nul |= bytes.contains(&0);
        let joined;
        let mut rest = if self.carry.is_empty() {
            bytes
        } else {
            joined = [&self.carry, bytes].concat();
            &joined
        };
        let mut carry = Vec::new();
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.letters += letters(text.as_bytes());
                    break;
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    self.letters += letters(good);
                    let Some(length) = error.error_len() else {
                        carry = bad.to_vec();
                        break;
                    };
                    self.strays += 1;
                    rest = &bad[length..];
                }
            }
        }
        self.carry = carry;
    }

    /// # Errors
    /// [`Failure::Unreadable`] for anything but text or a spreadsheet, [`Failure::Empty`].
    pub(super) fn finish(mut self) -> Result<Format, Failure> {
        self.strays += self.carry.len() as u64;
        if self.head.is_empty() {
            return Err(Failure::Empty);
        }
        if self.head.starts_with(b"PK\x03\x04") {
            return Ok(Format::Xlsx);
        }
        if let Some(encoding) = wide(&self.head) {
            let text = encoding.wide().map(|wide| wide.decode(&self.head).0.into_owned()).unwrap_or_default();
            return Ok(Format::Csv { encoding, delimiter: delimiter(text.as_bytes()) });
        }
        // Some programs save web pages under the name of a spreadsheet.
        let is_page = self
            .head
            .trim_ascii_start()
            .strip_prefix("\u{feff}".as_bytes())
            .unwrap_or(&self.head)
            .trim_ascii_start()
            .starts_with(b"<");
        if self.has_nul || is_page || self.head.starts_with(b"\xD0\xCF\x11\xE0") || self.head.starts_with(b"%PDF") {
            return Err(Failure::Unreadable);
        }
        // In legacy encodings, letters rarely form valid UTF-8. A UTF-8 file may have a few broken rows pasted from elsewhere;
        // these are reported.
        let encoding = if self.strays > self.letters { narrow(&self.head) } else { Encoding::Utf8 };
        Ok(Format::Csv { encoding, delimiter: delimiter(&self.head) })
    }
}

/// Detects UTF-16 by its byte order mark, or by the NULs in every other byte of digits and separators.
fn wide(head: &[u8]) -> Option<Encoding> {
    if head.starts_with(b"\xFF\xFE\0\0") {
        return None;
    }
    if head.starts_with(b"\xFF\xFE") {
        return Some(Encoding::Utf16Le);
    }
    if head.starts_with(b"\xFE\xFF") {
        return Some(Encoding::Utf16Be);
    }
    let nuls = |first: usize| head.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let enough = head.len() / 8;
    let likely = match (nuls(0), nuls(1)) {
        (0, odd) if odd > enough => Encoding::Utf16Le,
        (even, 0) if even > enough => Encoding::Utf16Be,
        _ => return None,
    };
    let text = likely.wide()?.decode_without_bom_handling(head).0;
    let is_text = text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\r' | '\n'));
    is_text.then_some(likely)
}

/// The encoding of one byte per letter in which most words are Vietnamese syllables.
fn narrow(head: &[u8]) -> Encoding {
    let judge = |encoding: Encoding| legacy_letters::syllables(&encoding.decode_narrow(head)).1;
    // Of equals, `max_by_key` returns the last.
    [Encoding::Vni, Encoding::Tcvn3, Encoding::Windows1258]
        .into_iter()
        .max_by_key(|encoding| judge(*encoding))
        .unwrap_or(Encoding::Utf8)
}

fn letters(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte >= 0xC0).count() as u64
}

/// The most frequent separator of the first lines, outside quotation marks.
fn delimiter(head: &[u8]) -> u8 {
    const LINES: usize = 20;
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0), (b'|', 0)];
    for line in head.split(|byte| matches!(byte, b'\n' | b'\r')).take(2 * LINES) {
        // An unclosed mark affects its own line only.
        let mut is_quoted = false;
        for byte in line {
            is_quoted ^= *byte == b'"';
            for (delimiter, count) in counts.iter_mut().filter(|_| !is_quoted) {
                *count += usize::from(delimiter == byte);
            }
        }
    }
    // The first of equals, so that a file of one column is read as such.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| delimiter)
}

/// A cell of the file. Texts are trimmed and composed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'r> {
    Empty,
    Text(Cow<'r, str>),
    Number(f64, Epoch),
    Day(NaiveDate),
    /// Bytes that are invalid in the file's encoding, decoded lossily.
    Undecodable(String),
    /// A formula that resulted in an error.
    Error,
    /// A formula without a saved value.
    Unvalued,
    /// An unclosed quotation mark, and the text after it.
    OpenQuote(String),
}

impl Cell<'_> {
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The cell as a spreadsheet shows it.
    pub(super) fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number, _) => Cow::Owned(plain(*number)),
            Self::Day(day) => Cow::Owned(day.format("%d/%m/%Y").to_string()),
            Self::Undecodable(text) | Self::OpenQuote(text) => Cow::Borrowed(text),
            Self::Error => Cow::Borrowed("#"),
            Self::Unvalued => Cow::Borrowed("="),
        }
    }
}

/// A number of a spreadsheet without exponent; whole numbers without a decimal point.
fn plain(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.0}") } else { format!("{number}") }
}

/// The first day of a spreadsheet's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Epoch {
    Of1900,
    Of1904,
}

impl Epoch {
    /// The date of a number: days since 30 December 1899, or since 1 January 1904.
    pub(super) fn day(self, number: f64) -> Option<NaiveDate> {
        /// 31 December 9999.
        const LAST: f64 = 2_958_465.0;
        if !(1.0..=LAST).contains(&number) {
            return None;
        }
        let first = match self {
            Self::Of1900 => NaiveDate::from_ymd_opt(1899, 12, 30)?,
            Self::Of1904 => NaiveDate::from_ymd_opt(1904, 1, 1)?,
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within 1..=LAST; the part of a day is dropped"
        )]
        first.checked_add_days(Days::new(number as u64))
    }
}

/// Whether a number formatted as a date was meant as a year: a spreadsheet shows 1960 as a day of 1905.
pub(super) fn is_year(number: f64) -> bool {
    number.fract() == 0.0 && (1_800.0..=2_200.0).contains(&number)
}

/// Why reading stopped.
#[derive(Debug)]
pub(super) enum ImportError {
    /// The file is the cause.
    File(Failure),
    /// The file is not the cause.
    Other(Error),
}

impl From<Error> for ImportError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

impl From<Failure> for ImportError {
    fn from(failure: Failure) -> Self {
        Self::File(failure)
    }
}

/// Called with the number of a row, as spreadsheets count, and its cells. Empty rows are skipped.
pub(super) type RowVisitor<'v> = dyn FnMut(u64, &[Cell<'_>]) -> Result<ControlFlow<()>> + 'v;

/// Opens the file at its beginning.
pub(super) type Open<'o> = dyn Fn() -> Result<SealedReader> + 'o;

/// Counts of the rows read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReadRows {
    /// Non-empty rows.
    pub(super) rows: u64,
    /// Of these, rows above the first one visited.
    pub(super) above: u64,
    /// Rows converted from a legacy encoding.
    pub(super) converted: u64,
}

/// Reads all rows below row `after`, or until `visit` breaks. `sheet` is the sheet of a spreadsheet. The returned counts include
/// the rows down to `after`.
pub(super) fn each_row(
    open: &Open<'_>,
    format: Format,
    sheet: &str,
    after: u64,
    visit: &mut RowVisitor<'_>,
) -> Result<ReadRows, ImportError> {
    let mut met = ReadRows::default();
    let is_old = matches!(format, Format::Csv { encoding: Encoding::Tcvn3 | Encoding::Vni, .. });
    let mut visit_filled = |row: u64, cells: &[Cell<'_>]| {
        if cells.iter().all(Cell::is_empty) {
            return Ok(ControlFlow::Continue(()));
        }
        met.rows += 1;
        let converted = legacy_of(cells).map(|letters| in_unicode(cells, letters));
        if row <= after {
            met.above += 1;
            return Ok(ControlFlow::Continue(()));
        }
        met.converted += u64::from(is_old || converted.is_some());
        visit(row, converted.as_deref().unwrap_or(cells))
    };
    match format {
        Format::Csv { encoding, delimiter } => each_csv_row(open()?, encoding, delimiter, &mut visit_filled)?,
        Format::Xlsx => each_xlsx_row(open, sheet, &mut visit_filled)?,
    }
    Ok(met)
}

/// The legacy encoding of a row, if it has one.
fn legacy_of(cells: &[Cell<'_>]) -> Option<LegacyLetters> {
    let is_western = |text: &str| text.bytes().any(|byte| matches!(byte, 0xC2 | 0xC3));
    let texts = cells.iter().filter_map(|cell| if let Cell::Text(text) = cell { Some(text.as_ref()) } else { None });
    if texts.clone().any(is_western) { legacy_letters::detect_alone(&texts.collect::<Vec<_>>().join("\n")) } else { None }
}

fn in_unicode(cells: &[Cell<'_>], letters: LegacyLetters) -> Vec<Cell<'static>> {
    let convert = |cell: &Cell<'_>| match cell {
        Cell::Empty => Cell::Empty,
        Cell::Text(text) => Cell::Text(Cow::Owned(legacy_letters::convert(text, letters))),
        Cell::Number(number, epoch) => Cell::Number(*number, *epoch),
        Cell::Day(day) => Cell::Day(*day),
        Cell::Undecodable(text) => Cell::Undecodable(text.clone()),
        Cell::Error => Cell::Error,
        Cell::Unvalued => Cell::Unvalued,
        Cell::OpenQuote(text) => Cell::OpenQuote(text.clone()),
    };
    cells.iter().map(convert).collect()
}

/// # Errors
/// [`Failure::UnpacksTooBig`] for a spreadsheet that would exhaust the memory, whatever sizes it declares.
pub(super) fn check_size(mut reader: SealedReader, format: Format) -> Result<(), ImportError> {
    match format {
        Format::Csv { .. } => Ok(()),
        Format::Xlsx => match unpacked::size(&mut reader, XLSX_UNPACKED_MAX) {
            Ok(size) if size > XLSX_UNPACKED_MAX => Err(Failure::UnpacksTooBig.into()),
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::Unreadable.into()),
        },
    }
}

fn each_csv_row(reader: SealedReader, encoding: Encoding, delimiter: u8, visit: &mut RowVisitor<'_>) -> Result<(), ImportError> {
    let Some(wide) = encoding.wide() else {
        return each_row_of(BufReader::with_capacity(BUFFER, reader), encoding, delimiter, visit);
    };
    let decoded = DecodeReaderBytesBuilder::new().encoding(Some(wide)).bom_override(true).build(reader);
    each_row_of(BufReader::with_capacity(BUFFER, decoded), Encoding::Utf8, delimiter, visit)
}

fn each_row_of(reader: impl BufRead, encoding: Encoding, delimiter: u8, visit: &mut RowVisitor<'_>) -> Result<(), ImportError> {
    let mut rows = CsvRows::new(reader, delimiter);
    let mut row = CsvRow::default();
    while rows.next_row(&mut row).map_err(|error| csv_error(&error))? {
        let mut cells: Vec<Cell<'_>> = row.cells().take(COLUMNS_MAX).map(|field| csv_cell(field, encoding)).collect();
        if let Some(open) = row.open.and_then(|open| cells.get_mut(open)) {
            *open = Cell::OpenQuote(open.shown().into_owned());
        }
        if visit(row.line, &cells)?.is_break() {
            break;
        }
    }
    Ok(())
}

fn csv_error(error: &io::Error) -> ImportError {
    match error.kind() {
        io::ErrorKind::FileTooLarge => ImportError::File(Failure::EndlessRow),
        _ => ImportError::Other(Error::Internal(format!("cannot read the file of an import: {error}"))),
    }
}

fn csv_cell(field: &[u8], encoding: Encoding) -> Cell<'_> {
    let is_utf8 = std::str::from_utf8(field);
    match (encoding, is_utf8) {
        (_, Ok(text)) if field.is_ascii() => text_cell(Cow::Borrowed(text)),
        // Another program replaced a letter that it could not decode.
        (Encoding::Utf8, Ok(text)) if text.contains('\u{fffd}') => Cell::Undecodable(text.to_owned()),
        (Encoding::Utf8, Ok(text)) => text_cell(composed(text)),
        (Encoding::Utf8, Err(_)) => Cell::Undecodable(String::from_utf8_lossy(field).into_owned()),
        // Valid UTF-8 was pasted from elsewhere: decoded as Windows-1258 it would become a wrong name.
        (Encoding::Windows1258, Ok(text)) => Cell::Undecodable(text.to_owned()),
        (encoding, _) => text_cell(Cow::Owned(encoding.decode_narrow(field))),
    }
}

/// Most texts are composed already, and combining marks begin with one of two bytes.
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| matches!(byte, 0xCC | 0xCD)) { Cow::Owned(compose(text)) } else { Cow::Borrowed(text) }
}

pub(super) fn text_cell(text: Cow<'_, str>) -> Cell<'_> {
    // Some programs write a byte order mark before the first header.
    let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    if text.trim_matches(blank).is_empty() {
        return Cell::Empty;
    }
    Cell::Text(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(blank)),
        Cow::Owned(text) => Cow::Owned(text.trim_matches(blank).to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(content: &[u8]) -> Result<Format, Failure> {
        // In small pieces, so that letters are split.
        let mut detector = Detector::default();
        for piece in content.chunks(3) {
            detector.feed(piece);
        }
        detector.finish()
    }

    #[test]
    fn encodings_and_delimiters_are_told_apart() {
        use Encoding::{Utf8, Windows1258};
        let csv = |encoding, delimiter| Ok(Format::Csv { encoding, delimiter });
        assert_eq!(detected("Số thẻ,Họ và tên\n1,Nguyễn".as_bytes()), csv(Utf8, b','));
        assert_eq!(detected("\u{feff}Số thẻ;Họ và tên\n1;\"a,b,c,d\"".as_bytes()), csv(Utf8, b';'));
        assert_eq!(detected("so the\tho ten\n".as_bytes()), csv(Utf8, b'\t'));
        let (old, _, _) = WINDOWS_1258.encode("Họ tên;Đơn vị");
        assert!(!old.is_empty());
        assert_eq!(detected(b"H\xF2 t\xEAn;\xD0\xF5n v\xF2\nL\xEA\xECn;\xE2\xF5"), csv(Windows1258, b';'));
        assert_eq!(
            detected(
                "Họ và tên của đảng viên\n".repeat(3).as_bytes().iter().copied().chain([0xFF]).collect::<Vec<_>>().as_slice()
            ),
            csv(Utf8, b',')
        );
        assert_eq!(detected(b"PK\x03\x04...."), Ok(Format::Xlsx));
        assert_eq!(detected(b""), Err(Failure::Empty));
        assert_eq!(detected(b"\x00\x01\x02\x03"), Err(Failure::Unreadable));
        assert_eq!(detected(b"\r\n <html><table><tr><td>so the</td></tr></table>"), Err(Failure::Unreadable));
        assert_eq!(detected(b"so the|ho ten\n1|An\n"), csv(Utf8, b'|'));
        // An unclosed mark hides the separators of its own line only.
        assert_eq!(detected(b"so the;\"ho ten;phai\r\n1;a, b;2\r\n3;a, b;4\r\n"), csv(Utf8, b';'));
    }

    #[test]
    fn utf_16_is_known_with_and_without_its_mark() {
        let wide = |text: &str, to_bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to_bytes).collect::<Vec<u8>>();
        let format = |encoding| Ok(Format::Csv { encoding, delimiter: b'\t' });
        for text in ["\u{feff}Số thẻ\tHọ và tên\r\n77.1\tLý Hai Byte\r\n", "Số thẻ\tHọ và tên\r\n77.1\tLý Hai Byte\r\n"]
        {
            assert_eq!(detected(&wide(text, u16::to_le_bytes)), format(Encoding::Utf16Le));
            assert_eq!(detected(&wide(text, u16::to_be_bytes)), format(Encoding::Utf16Be));
        }
    }

    #[test]
    fn letters_of_the_years_before_unicode_are_told_apart() {
        let csv = |encoding| Ok(Format::Csv { encoding, delimiter: b',' });
        let tcvn3 = b"So the,Ho va ten\n1,Ph\xB9m \xA7\xD7nh To\xB6n\n";
        let vni = b"So the,Ho va ten\n1,Nguye\xE3n Va\xEAn \xD1\xF6\xF9c\n";
        assert_eq!(detected(tcvn3), csv(Encoding::Tcvn3));
        assert_eq!(detected(vni), csv(Encoding::Vni));
        assert_eq!(csv_cell(b"To\xB6n", Encoding::Tcvn3), Cell::Text(Cow::Borrowed("Toản")));
        assert_eq!(csv_cell(b"\xD1\xF6\xF9c", Encoding::Vni), Cell::Text(Cow::Borrowed("Đức")));
    }

    #[test]
    fn the_text_form_of_a_format_stays_what_it_is() {
        let csv = |encoding, delimiter| Format::Csv { encoding, delimiter };
        for (format, text) in [
            (csv(Encoding::Utf8, b';'), "csv utf-8 59"),
            (csv(Encoding::Utf8, b'\t'), "csv utf-8 9"),
            (csv(Encoding::Utf16Le, b';'), "csv utf-16le 59"),
            (csv(Encoding::Utf16Be, b';'), "csv utf-16be 59"),
            (csv(Encoding::Windows1258, b';'), "csv windows-1258 59"),
            (csv(Encoding::Tcvn3, b';'), "csv tcvn3 59"),
            (csv(Encoding::Vni, b';'), "csv vni 59"),
            (Format::Xlsx, "xlsx"),
        ] {
            assert_eq!(format.to_string(), text);
            assert_eq!(text.parse::<Format>().expect("parses"), format);
        }
    }

    #[test]
    fn legacy_letters_are_converted_to_unicode() {
        // ê and a combining tilde, as in Windows-1258.
        let cell = csv_cell(b" Nguy\xEA\xDEn ", Encoding::Windows1258);
        assert_eq!(cell, Cell::Text(Cow::Borrowed("Nguyễn")));
        assert_eq!(csv_cell(b"\xEF\xBB\xBFso the", Encoding::Utf8), Cell::Text(Cow::Borrowed("so the")));
        assert!(matches!(csv_cell("Nguyễn".as_bytes(), Encoding::Windows1258), Cell::Undecodable(_)));
        assert!(matches!(csv_cell(b"Nguy\xEA\xDEn", Encoding::Utf8), Cell::Undecodable(_)));
        assert!(matches!(csv_cell("Nguy\u{fffd}n".as_bytes(), Encoding::Utf8), Cell::Undecodable(_)), "lost by another program");
    }

    #[test]
    fn the_days_of_spreadsheets() {
        let day = |number| Epoch::Of1900.day(number);
        assert_eq!(day(45_000.0), NaiveDate::from_ymd_opt(2023, 3, 15));
        assert_eq!(day(29_657.75), NaiveDate::from_ymd_opt(1981, 3, 12));
        assert_eq!(Epoch::Of1904.day(28_195.0), NaiveDate::from_ymd_opt(1981, 3, 12));
        assert_eq!(day(0.5), None);
        assert_eq!(day(1e12), None);
    }
}
