//! Extracts the text of office files from their XML parts.

use std::io::Cursor;

use calamine::{DataRef, Reader, Xlsx};
use domain::files::Missing;

use super::{Extracted, TEXT_MAX};
use crate::unpacked::parts;

/// Maximum size of an unpacked part of a text document, in bytes.
const PART_MAX: u64 = 64 << 20;

/// Maximum length of a name between `&` and `;`, in bytes: `#x10ffff`.
const ENTITY_MAX: usize = 8;

/// The body, its notes, and the headers and footers, which often have secrecy marks. Aside: text that readers do not see at
/// first, but can find in the file.
pub(super) fn docx(content: &[u8]) -> Result<Extracted, Missing> {
    let of_text = |name: &str| {
        name.strip_prefix("word/").and_then(|name| name.strip_suffix(".xml")).is_some_and(|name| {
            matches!(name, "footnotes" | "endnotes")
                || ["document", "header", "footer", "diagrams/data", "charts/chart"].iter().any(|start| name.starts_with(start))
        })
    };
    let of_aside = |name: &str| name.starts_with("word/comments") || name.starts_with("docProps/");
    let (text, deleted) = words_of(content, of_text)?;
    let (aside, _) = words_of(content, of_aside)?;
    Ok(Extracted { aside: joined(&[&deleted, &aside]), ..Extracted::text(&text) })
}

fn joined(texts: &[&str]) -> Option<String> {
    let joined = texts.join("\n\n");
    (!joined.trim().is_empty()).then_some(joined)
}

/// The words of the wanted parts, and the deleted words in them.
fn words_of(content: &[u8], wanted: impl Fn(&str) -> bool) -> Result<(String, String), Missing> {
    let mut file = Cursor::new(content);
    let parts = parts(&mut file).map_err(|_| Missing::Failed)?;
    let mut words = Words::default();
    for part in parts.iter().filter(|part| wanted(&part.name)) {
        let xml = part.content(&mut file, PART_MAX).map_err(|_| Missing::Failed)?;
        words.read(&decoded(&xml));
        if words.is_full() {
            break;
        }
    }
    Ok((words.text, words.deleted))
}

/// XML is UTF-8 unless it begins with a byte order mark of UTF-16.
fn decoded(xml: &[u8]) -> String {
    let pair: fn([u8; 2]) -> u16 = match xml {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return String::from_utf8_lossy(xml).into_owned(),
    };
    let units = xml.chunks_exact(2).map(|bytes| pair([bytes[0], bytes[1]]));
    char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Text of XML: the content of elements named `t` in any namespace, with breaks at the ends of paragraphs, lines and cells.
#[derive(Default)]
pub(super) struct Words {
    pub(super) text: String,
    deleted: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Capture {
    Nothing,
    Text,
    Deleted,
}

impl Words {
    fn is_full(&self) -> bool {
        self.text.len() > TEXT_MAX || self.deleted.len() > TEXT_MAX
    }

    fn take(&mut self, takes: Capture, letters: &str, is_escaped: bool) {
        let sink = match takes {
            Capture::Nothing => return,
            Capture::Text => &mut self.text,
            Capture::Deleted => &mut self.deleted,
        };
        if is_escaped { unescape(letters, sink) } else { sink.push_str(letters) }
    }

    pub(super) fn read(&mut self, xml: &str) {
        let mut rest = xml;
        let mut takes = Capture::Nothing;
        while let Some((before, tag)) = rest.split_once('<') {
            self.take(takes, before, true);
            if let Some(literal) = tag.strip_prefix("![CDATA[") {
                let Some((literal, after)) = literal.split_once("]]>") else { break };
                self.take(takes, literal, false);
                rest = after;
                continue;
            }
            if let Some(remark) = tag.strip_prefix("!--") {
                let Some((_, after)) = remark.split_once("-->") else { break };
                rest = after;
                continue;
            }
            let Some((tag, after)) = tag.split_once('>') else { break };
            takes = self.tag(tag, takes);
            if self.is_full() {
                return;
            }
            rest = after;
        }
    }

    fn tag(&mut self, tag: &str, takes: Capture) -> Capture {
        let name = tag.split([' ', '\n', '\t', '\r']).next().unwrap_or_default().trim_end_matches('/');
        let (is_end, name) = name.strip_prefix('/').map_or((false, name), |name| (true, name));
        let name = name.split_once(':').map_or(name, |(_, name)| name);
        let opens = !is_end && !tag.ends_with('/');
        match name {
            // All but `t` are properties of the file.
            "t" | "title" | "subject" | "description" | "keywords" | "category" | "lpwstr" => {
                self.text.push_str(if name == "t" || opens { "" } else { "\n" });
                return if opens { Capture::Text } else { Capture::Nothing };
            }
            "delText" => return if opens { Capture::Deleted } else { Capture::Nothing },
            // Text drawn as a picture, often across the page.
            "textpath" => {
                if let Some((words, _)) = tag.split_once(" string=\"").and_then(|(_, words)| words.split_once('"')) {
                    self.text.push('\n');
                    unescape(words, &mut self.text);
                    self.text.push('\n');
                }
            }
            "tab" if !is_end => self.text.push('\t'),
            "tc" if is_end => self.text.push('\t'),
            "br" | "cr" if !is_end => self.text.push('\n'),
            "p" if is_end || tag.ends_with('/') => {
                self.text.push('\n');
                self.deleted.push_str(if self.deleted.is_empty() { "" } else { "\n" });
            }
            // A text box is separate from its paragraph.
            "txbxContent" => self.text.push('\n'),
            _ => {}
        }
        takes
    }
}

/// Decodes the five entities of XML and numeric references; anything else stays unchanged.
fn unescape(escaped: &str, text: &mut String) {
    let mut rest = escaped;
    while let Some((before, entity)) = rest.split_once('&') {
        text.push_str(before);
        let end = entity.bytes().take(ENTITY_MAX + 1).position(|b| b == b';');
        let named = end.map(|end| (&entity[..end], &entity[end + 1..]));
        let letter = named.and_then(|(name, _)| match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match (name.strip_prefix("#x"), name.strip_prefix('#')) {
                (Some(hex), _) => u32::from_str_radix(hex, 16).ok().and_then(char::from_u32),
                (None, Some(number)) => number.parse().ok().and_then(char::from_u32),
                _ => None,
            },
        });
        match (letter, named) {
            (Some(letter), Some((_, after))) => {
                text.push(letter);
                rest = after;
            }
            _ => {
                text.push('&');
                rest = entity;
            }
        }
    }
    text.push_str(rest);
}

/// All sheets, one line per row. Cells are read as a stream, so that a sheet with two distant cells stays small. Aside: comments,
/// text boxes, headers and footers.
pub(super) fn xlsx(content: &[u8]) -> Result<Extracted, Missing> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(content)).map_err(|error| match error {
        calamine::XlsxError::Password => Missing::Protected,
        _ => Missing::Failed,
    })?;
    let mut text = String::new();
    let mut is_whole = true;
    for sheet in book.sheet_names() {
        // Charts and dialogs are sheets without cells.
        let Ok(mut cells) = book.worksheet_cells_reader(&sheet) else { continue };
        text.push_str(&sheet);
        let mut row = None;
        loop {
            let cell = match cells.next_cell() {
                Ok(Some(cell)) => cell,
                Ok(None) => break,
                Err(_) => {
                    is_whole = false;
                    break;
                }
            };
            let at = cell.get_position().0;
            text.push(if row == Some(at) { '\t' } else { '\n' });
            row = Some(at);
            match cell.get_value() {
                DataRef::SharedString(value) => text.push_str(value),
                DataRef::Int(number) => text.push_str(&number.to_string()),
                // Long numbers, such as national IDs, are written with all their digits.
                DataRef::Float(number) => text.push_str(&number.to_string()),
                DataRef::String(value) | DataRef::DateTimeIso(value) | DataRef::DurationIso(value) => text.push_str(value),
                DataRef::Bool(_) | DataRef::DateTime(_) | DataRef::Error(_) | DataRef::Empty => {}
            }
            if text.len() > TEXT_MAX {
                break;
            }
        }
        text.push('\n');
    }
    let mut extracted = Extracted::text(&text);
    if !is_whole && extracted.missing.is_none() {
        extracted.missing = Some(Missing::Part);
    }
    let beside = |name: &str| {
        ["xl/comments", "xl/threadedComments", "xl/drawings/", "xl/charts/", "docProps/"]
            .iter()
            .any(|start| name.starts_with(start))
    };
    let (beside, _) = words_of(content, beside).unwrap_or_default();
    extracted.aside = joined(&[&beside, &edges(content)]);
    Ok(extracted)
}

/// Headers and footers of a sheet: `&C&"Arial,Bold"&14TỐI MẬT`.
fn edges(content: &[u8]) -> String {
    let mut file = Cursor::new(content);
    let mut edges = String::new();
    for part in parts(&mut file).unwrap_or_default().iter().filter(|part| part.name.starts_with("xl/worksheets/")) {
        let Ok(xml) = part.content(&mut file, PART_MAX) else { continue };
        let xml = decoded(&xml);
        for name in ["oddHeader>", "oddFooter>", "evenHeader>", "evenFooter>", "firstHeader>", "firstFooter>"] {
            let inside = xml.split_once(name).and_then(|(_, rest)| rest.split_once("</")).map_or("", |(inside, _)| inside);
            let mut codes = String::new();
            unescape(inside, &mut codes);
            without_codes(&codes, &mut edges);
        }
        if edges.len() > TEXT_MAX {
            break;
        }
    }
    edges
}

fn without_codes(codes: &str, text: &mut String) {
    let mut rest = codes;
    while let Some((before, code)) = rest.split_once('&') {
        text.push_str(before);
        rest = match code.chars().next() {
            Some('"') => code.get(1..).and_then(|font| font.split_once('"')).map_or("", |(_, after)| after),
            Some(first) if first.is_ascii_digit() => code.trim_start_matches(|c: char| c.is_ascii_digit()),
            Some('L' | 'C' | 'R') => {
                text.push('\n');
                &code[1..]
            }
            Some(first) => &code[first.len_utf8()..],
            None => "",
        };
    }
    text.push_str(rest);
    text.push_str("\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(xml: &str) -> Words {
        let mut words = Words::default();
        words.read(xml);
        words
    }

    #[test]
    fn xml_entities_are_decoded() {
        let read = words(
            "<w:p><w:r><w:t>a &amp;&lt;&#272;&#x1ea3;&unknown; &</w:t><w:tab/><w:instrText>PAGE</w:instrText></w:r></w:p><w:t/>x<w:p/>",
        );
        assert_eq!(read.text, "a &<Đả&unknown; &\t\n\n");
        assert_eq!(words("<t>&#x10ffff;&0#x10ffff;&độ;&;&&&amp</t>").text, "\u{10ffff}&0#x10ffff;&độ;&;&&&amp");
    }

    #[test]
    fn text_is_found_in_every_form_of_xml() {
        for (xml, expected) in [
            ("<x:p><x:t>TỐI MẬT</x:t></x:p>", "TỐI MẬT"),
            ("<p><t>TỐI MẬT</t></p>", "TỐI MẬT"),
            ("<w:p><w:t><![CDATA[TỐI <MẬT>]]></w:t></w:p>", "TỐI <MẬT>"),
            ("<w:p><!-- <w:t>không</w:t> --><w:t>có</w:t></w:p>", "có"),
            ("<w:pict><v:shape><v:textpath style=\"x\" string=\"TUYỆT MẬT\"/></v:shape></w:pict>", "TUYỆT MẬT"),
            ("<a:p><a:r><a:t>trong hình</a:t></a:r></a:p>", "trong hình"),
            ("<w:p><w:t>cắt", ""),
        ] {
            assert_eq!(words(xml).text.trim(), expected, "{xml}");
        }
        assert_eq!(words("<w:p><w:del><w:r><w:delText>TỐI MẬT</w:delText></w:r></w:del></w:p>").deleted.trim(), "TỐI MẬT");
        let wide: Vec<u8> = "\u{feff}<w:t>MẬT</w:t>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(words(&decoded(&wide)).text, "MẬT");
    }

    #[test]
    fn codes_of_headers_and_footers_are_removed() {
        let mut text = String::new();
        without_codes("&L&\"Arial,Bold\"&14TỐI MẬT&CTrang &P/&N&R&K00-014x", &mut text);
        assert_eq!(text.split_whitespace().collect::<Vec<_>>().join(" "), "TỐI MẬT Trang / 00-014x");
    }
}
