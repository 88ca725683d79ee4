//! Details of a workbook that the spreadsheet reader does not return: the first day of its calendar, and the formulas without a
//! value.

use std::{
    borrow::Cow,
    collections::HashSet,
    io::{BufRead, BufReader, Read, Seek},
};

use quick_xml::{
    Reader,
    escape::unescape,
    events::{BytesStart, Event, attributes::Attribute},
};
use zip::ZipArchive;

/// Maximum number of formulas without a value. A file with more is malicious, or was never calculated.
const UNVALUED_MAX: usize = 1_000_000;

/// Size limit of the parts that describe the workbook, in bytes.
const PART_MAX: u64 = 4 << 20;

/// A workbook as its parts describe it.
pub(super) struct Workbook<R> {
    parts: ZipArchive<R>,
    /// Dates are counted from 1904, as in spreadsheets of early Macintosh versions.
    pub(super) is_1904: bool,
    /// Names of the sheets and of their parts.
    sheets: Vec<(String, String)>,
}

impl<R: Read + Seek> Workbook<R> {
    /// `None` if this is not a workbook.
    pub(super) fn open(file: R) -> Option<Self> {
        let mut parts = ZipArchive::new(file).ok()?;
        let targets = relations(part(&mut parts, "xl/_rels/workbook.xml.rels")?);
        let (is_1904, named) = described(part(&mut parts, "xl/workbook.xml")?);
        let path = |id: &String| {
            let (_, target) = targets.iter().find(|(known, _)| known == id)?;
            let target = target.strip_prefix('/').unwrap_or(target);
            Some(if target.starts_with("xl/") { target.to_owned() } else { format!("xl/{target}") })
        };
        let sheets = named.iter().filter_map(|(name, id)| Some((name.clone(), path(id)?))).collect();
        Some(Self { parts, is_1904, sheets })
    }

    /// The cells of a sheet, by row and column from 0, whose formula has no saved value. `None` when there are too many.
    pub(super) fn unvalued(&mut self, sheet: &str) -> Option<HashSet<(u32, u32)>> {
        let Some((_, path)) = self.sheets.iter().find(|(name, _)| name == sheet) else { return Some(HashSet::new()) };
        let Some(at) = index(&self.parts, path) else { return Some(HashSet::new()) };
        let Ok(content) = self.parts.by_index(at) else { return Some(HashSet::new()) };
        unvalued(BufReader::new(content))
    }
}

/// Some programs write the names of parts in another case.
fn index<R: Read + Seek>(parts: &ZipArchive<R>, path: &str) -> Option<usize> {
    parts.index_for_name(path).or_else(|| {
        let name = parts.file_names().find(|name| name.eq_ignore_ascii_case(path))?;
        parts.index_for_name(name)
    })
}

fn part<'p, R: Read + Seek>(parts: &'p mut ZipArchive<R>, path: &str) -> Option<impl BufRead + use<'p, R>> {
    let at = index(parts, path)?;
    Some(BufReader::new(parts.by_index(at).ok()?.take(PART_MAX)))
}

fn reader<B: BufRead>(content: B) -> Reader<B> {
    let mut xml = Reader::from_reader(content);
    xml.config_mut().check_end_names = false;
    xml.config_mut().expand_empty_elements = true;
    xml
}

fn attribute(element: &BytesStart<'_>, name: &[u8]) -> Option<String> {
    element.attributes().flatten().find(|attribute| attribute.key.as_ref() == name).and_then(|found| value(&found))
}

fn value(attribute: &Attribute<'_>) -> Option<String> {
    unescape(std::str::from_utf8(&attribute.value).ok()?).ok().map(Cow::into_owned)
}

/// Visits the start of each element, until the part ends or is malformed.
fn each_element(content: impl BufRead, mut visit: impl FnMut(&BytesStart<'_>)) {
    let (mut xml, mut buffer) = (reader(content), Vec::new());
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(element)) => visit(&element),
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn relations(content: impl BufRead) -> Vec<(String, String)> {
    let mut targets = Vec::new();
    each_element(content, |element| {
        if let (b"Relationship", Some(id), Some(target)) =
            (element.local_name().as_ref(), attribute(element, b"Id"), attribute(element, b"Target"))
        {
            targets.push((id, target));
        }
    });
    targets
}

/// Whether dates are counted from 1904, and the sheets with their relationship ids.
fn described(content: impl BufRead) -> (bool, Vec<(String, String)>) {
    let (mut is_1904, mut sheets) = (false, Vec::new());
    each_element(content, |element| match element.local_name().as_ref() {
        b"workbookPr" => is_1904 |= matches!(attribute(element, b"date1904").as_deref(), Some("1" | "true")),
        b"sheet" => {
            let id = element.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == b"id");
            let id = id.and_then(|id| value(&id));
            if let (Some(name), Some(id)) = (attribute(element, b"name"), id) {
                sheets.push((name, id));
            }
        }
        _ => {}
    });
    (is_1904, sheets)
}

/// State of the cell being read.
#[derive(Default)]
struct Seen {
    has_formula: bool,
    has_value: bool,
    /// The formula's value is an empty text.
    is_text: bool,
}

fn unvalued(content: impl BufRead) -> Option<HashSet<(u32, u32)>> {
    let (mut xml, mut buffer) = (reader(content), Vec::new());
    let (mut found, mut seen, mut in_value) = (HashSet::new(), Seen::default(), false);
    // Cells without an address follow the previous one.
    let (mut row, mut column) = (0_u32, 0_u32);
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(element)) => match element.local_name().as_ref() {
                b"row" => {
                    let number = attribute(&element, b"r").and_then(|number| number.parse::<u32>().ok());
                    row = number.map_or(row, |number| number.saturating_sub(1));
                }
                b"c" => {
                    if let Some((at_row, at_column)) = attribute(&element, b"r").as_deref().and_then(cell_address) {
                        (row, column) = (at_row, at_column);
                    }
                    let is_text = attribute(&element, b"t").as_deref() == Some("str");
                    seen = Seen { is_text, ..Seen::default() };
                }
                b"f" => seen.has_formula = true,
                b"v" => in_value = true,
                _ => {}
            },
            Ok(Event::Text(_) | Event::GeneralRef(_) | Event::CData(_)) => seen.has_value |= in_value,
            Ok(Event::End(element)) => match element.local_name().as_ref() {
                b"v" => in_value = false,
                b"c" => {
                    if seen.has_formula && !seen.has_value && !seen.is_text {
                        found.insert((row, column));
                        if found.len() > UNVALUED_MAX {
                            return None;
                        }
                    }
                    column = column.saturating_add(1);
                }
                b"row" => (row, column) = (row.saturating_add(1), 0),
                b"sheetData" => return Some(found),
                _ => {}
            },
            // The reader of the cells reports malformed parts.
            Ok(Event::Eof) | Err(_) => return Some(found),
            Ok(_) => {}
        }
    }
}

/// `B3` is row 2, column 1.
fn cell_address(name: &str) -> Option<(u32, u32)> {
    let digits = name.find(|c: char| c.is_ascii_digit())?;
    let (letters, number) = name.split_at(digits);
    let column = letters.bytes().try_fold(0_u32, |column, letter| {
        let value = letter.is_ascii_alphabetic().then(|| u32::from(letter.to_ascii_uppercase() - b'A') + 1)?;
        column.checked_mul(26)?.checked_add(value)
    })?;
    Some((number.parse::<u32>().ok()?.checked_sub(1)?, column.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cell_addresses_are_parsed() {
        assert_eq!(cell_address("A1"), Some((0, 0)));
        assert_eq!(cell_address("Z10"), Some((9, 25)));
        assert_eq!(cell_address("AA3"), Some((2, 26)));
        for name in ["", "A", "1", "A0", "Đ1", "A99999999999"] {
            assert_eq!(cell_address(name), None, "{name}");
        }
    }

    #[test]
    fn formulas_without_a_value_are_found() {
        let sheet = r#"<x:worksheet><x:sheetData>
            <x:row r="2"><x:c r="B2"><x:f>1+1</x:f><x:v></x:v></x:c><x:c><x:f>1+1</x:f><x:v>2</x:v></x:c><x:c/></x:row>
            <x:row><x:c><x:f>A1</x:f></x:c><x:c t="str"><x:f>IF(A1,"","")</x:f><x:v></x:v></x:c></x:row>
            <x:row><x:c t="n"><x:v>5</x:v></x:c><x:c s="1"/></x:row></x:sheetData></x:worksheet>"#;
        assert_eq!(unvalued(sheet.as_bytes()), Some(HashSet::from([(1, 1), (2, 0)])));
        assert_eq!(unvalued(&b"<worksheet><sheetData><row><c><f>"[..]), Some(HashSet::new()));
    }
}
