//! Detects the kind of a file from its content. Its name and its declared media type are ignored.

use std::io::Cursor;

use domain::files::{FileKind, FileRefused};

use crate::unpacked::{Part, parts, size};

/// Maximum unpacked size of an office file, in bytes.
const UNPACKED_MAX: u64 = 200 << 20;

/// Maximum size of `[Content_Types].xml`, in bytes.
const CONTENTS_MAX: u64 = 1 << 20;

/// MP4 brands that browsers play. Other brands are pictures or vendor formats.
const MP4_BRANDS: [&[u8]; 13] =
    [b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"M4V ", b"M4VP", b"MSNV"];

/// The kind of a file.
///
/// # Errors
/// The reason for which the file is refused.
pub fn detect(content: &[u8]) -> Result<FileKind, FileRefused> {
    within(content, UNPACKED_MAX)
}

fn within(content: &[u8], unpacked_max: u64) -> Result<FileKind, FileRefused> {
    match content {
        [] => Err(FileRefused::Empty),
        [b'%', b'P', b'D', b'F', b'-', ..] => Ok(FileKind::Pdf),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(FileKind::Png),
        [0xff, 0xd8, 0xff, ..] => Ok(FileKind::Jpeg),
        [b'P', b'K', 3, 4, ..] => office(content, unpacked_max),
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => Err(FileRefused::OldOffice),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] if brand.len() >= 4 => {
            if MP4_BRANDS.contains(&&brand[..4]) {
                Ok(FileKind::Mp4)
            } else {
                Err(FileRefused::Kind)
            }
        }
        _ if is_mp3(content) => Ok(FileKind::Mp3),
        _ if is_markup(content) => Err(FileRefused::Markup),
        _ if is_pdf_behind_text(content) => Ok(FileKind::Pdf),
        _ => Err(FileRefused::Kind),
    }
}

/// A zip file is an office file if it has the required parts with the matching content types.
fn office(content: &[u8], unpacked_max: u64) -> Result<FileKind, FileRefused> {
    let mut file = Cursor::new(content);
    let parts = parts(&mut file).map_err(|_| FileRefused::Broken)?;
    let part = |name: &str| parts.iter().find(|part| part.name == name);
    let Some(contents) = part("[Content_Types].xml") else { return Err(FileRefused::Kind) };
    let contents = contents.content(&mut file, CONTENTS_MAX).map_err(|_| FileRefused::Broken)?;
    let contents = String::from_utf8_lossy(&contents).to_lowercase();
    if parts.iter().any(is_macro)
        || ["macroenabled", "vbaproject", "activex", "macrosheet"].iter().any(|sign| contents.contains(sign))
    {
        return Err(FileRefused::Macros);
    }
    // Word for the web names the part `document2.xml`.
    let is_text = |part: &Part| part.name.strip_prefix("word/document").is_some_and(|rest| rest.strip_suffix(".xml").is_some());
    let kind = if parts.iter().any(is_text) && contents.contains("wordprocessingml.document.main+xml") {
        FileKind::Docx
    } else if part("xl/workbook.xml").is_some() && contents.contains("spreadsheetml.sheet.main+xml") {
        FileKind::Xlsx
    } else {
        return Err(FileRefused::Kind);
    };
    match size(&mut file, unpacked_max) {
        Ok(size) if size > unpacked_max => Err(FileRefused::Unpacks),
        Ok(_) => Ok(kind),
        Err(_) => Err(FileRefused::Broken),
    }
}

/// PDF readers accept a header that comes a little later, after lines of a mail or of a server. An executable is never a PDF.
fn is_pdf_behind_text(content: &[u8]) -> bool {
    let start = &content[..content.len().min(1024 + 5)];
    let Some(begin) = start.windows(5).position(|window| window == b"%PDF-") else { return false };
    start[..begin].iter().all(|byte| *byte >= b' ' || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c)) && !start.starts_with(b"MZ")
}

fn is_macro(part: &Part) -> bool {
    let name = part.name.to_lowercase();
    name.ends_with("vbaproject.bin") || name.contains("/activex/") || name.contains("/macrosheets/")
}

/// An ID3 tag followed by sound, or two consecutive frames where the second begins at the end of the first.
fn is_mp3(content: &[u8]) -> bool {
    let sound = match content {
        [b'I', b'D', b'3', 2..=4, _, flags, a, b, c, d, ..] if [a, b, c, d].iter().all(|byte| **byte < 0x80) => {
            let length = [a, b, c, d].iter().fold(0_usize, |length, byte| length << 7 | usize::from(**byte));
            10 + length + if flags & 0x10 == 0 { 0 } else { 10 }
        }
        _ => 0,
    };
    let Some(first) = content.get(sound..).and_then(frame) else { return false };
    content.get(sound + first..).and_then(frame).is_some()
}

/// Length of the MPEG layer III frame at this position.
fn frame(at: &[u8]) -> Option<usize> {
    const V1: [usize; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const V2: [usize; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let [0xff, second, third, ..] = *at else { return None };
    let (version, layer) = (second >> 3 & 3, second >> 1 & 3);
    if second & 0xe0 != 0xe0 || version == 1 || layer != 1 {
        return None;
    }
    let rate = [44_100, 48_000, 32_000].get(usize::from(third >> 2 & 3)).copied()?;
    let (table, rate, factor) = match version {
        3 => (V1, rate, 144_000),
        2 => (V2, rate / 2, 72_000),
        _ => (V2, rate / 4, 72_000),
    };
    let bits = table.get(usize::from(third >> 4)).copied().filter(|bits| *bits > 0)?;
    Some(factor * bits / rate + usize::from(third >> 1 & 1))
}

/// Whether a browser might treat it as markup: the first tag is enough.
fn is_markup(content: &[u8]) -> bool {
    let start = &content[..content.len().min(1024)];
    let text = String::from_utf8_lossy(start).to_lowercase();
    let text = text.trim_start_matches(|c: char| c == '\u{feff}' || c == '\u{fffd}' || c == '\0' || c.is_whitespace());
    ["<?xml", "<!doctype", "<!--", "<html", "<svg", "<head", "<body", "<script"].iter().any(|tag| text.starts_with(tag))
        || text.contains("<svg")
        || text.contains("<script")
        || text.contains("<html")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples::{docx, mp3, pdf, png, xlsx, zip};

    const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";

    fn office_file(name: &str, content_type: &str, more: &[(&str, &str)]) -> Vec<u8> {
        let types = format!(r#"<Types><Override PartName="/{name}" ContentType="{content_type}"/></Types>"#);
        let mut parts = vec![("[Content_Types].xml", types.as_str()), (name, "<w:document/>")];
        parts.extend_from_slice(more);
        zip(&parts)
    }

    #[test]
    fn the_kind_of_a_file_is_detected_from_its_content() {
        for (content, expected) in [
            (pdf("Nghị quyết"), Ok(FileKind::Pdf)),
            (docx("Nghị quyết"), Ok(FileKind::Docx)),
            (xlsx(&["Nghị quyết"]), Ok(FileKind::Xlsx)),
            (png(4, 4), Ok(FileKind::Png)),
            (b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec(), Ok(FileKind::Jpeg)),
            (mp3(), Ok(FileKind::Mp3)),
            (b"\0\0\0\x18ftypmp42\0\0\0\0".to_vec(), Ok(FileKind::Mp4)),
            (b"\0\0\0\x18ftypheic\0\0\0\0".to_vec(), Err(FileRefused::Kind)),
            (b"\0\0\0\x18ftypqt  \0\0\0\0".to_vec(), Err(FileRefused::Kind)),
            (b"\0\0\0\x18ftyp".to_vec(), Err(FileRefused::Kind)),
            (Vec::new(), Err(FileRefused::Empty)),
            (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec(), Err(FileRefused::Markup)),
            (b"\xef\xbb\xbf \n<?xml version='1.0'?><svg/>".to_vec(), Err(FileRefused::Markup)),
            (b"<!DOCTYPE html><script>alert(1)</script>".to_vec(), Err(FileRefused::Markup)),
            (b"hello <script>alert(1)</script>".to_vec(), Err(FileRefused::Markup)),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old word".to_vec(), Err(FileRefused::OldOffice)),
            (b"MZ\x90\0".to_vec(), Err(FileRefused::Kind)),
            (b"\x7fELF".to_vec(), Err(FileRefused::Kind)),
            (b"GIF89a".to_vec(), Err(FileRefused::Kind)),
            (b"a,b,c\n1,2,3\n".to_vec(), Err(FileRefused::Kind)),
            (b"ID3\x04\0\0\0\0\0\0<html>".to_vec(), Err(FileRefused::Markup)),
            (b" %PDF-1.7".to_vec(), Ok(FileKind::Pdf)),
            (b"\xef\xbb\xbf\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.4".to_vec(), Ok(FileKind::Pdf)),
            (include_bytes!("../tests/files/leading-bytes.pdf").to_vec(), Ok(FileKind::Pdf)),
            (b"MZ %PDF-1.7".to_vec(), Err(FileRefused::Kind)),
            (b"\x7fELF\x02\x01 %PDF-1.7".to_vec(), Err(FileRefused::Kind)),
            (b"<html>%PDF-1.7".to_vec(), Err(FileRefused::Markup)),
            ([vec![b' '; 2_000], b"%PDF-1.7".to_vec()].concat(), Err(FileRefused::Kind)),
            (office_file("word/document2.xml", WORD, &[]), Ok(FileKind::Docx)),
            (b"PK\x03\x04 nothing follows".to_vec(), Err(FileRefused::Broken)),
            (zip(&[("a.txt", "hello")]), Err(FileRefused::Kind)),
        ] {
            let shown = String::from_utf8_lossy(&content[..content.len().min(40)]).into_owned();
            assert_eq!(detect(&content), expected, "{shown:?}");
        }
    }

    #[test]
    fn macros_are_found_under_any_name() {
        assert_eq!(detect(&office_file("word/document.xml", WORD, &[])), Ok(FileKind::Docx));
        let macro_type = "application/vnd.ms-word.document.macroEnabled.main+xml";
        let hidden = r#"<Types><Override PartName="/word/document.xml" ContentType="WORD"/><Override PartName="/word/x.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>"#;
        let hidden = hidden.replace("WORD", WORD);
        for content in [
            office_file("word/document.xml", macro_type, &[]),
            office_file("word/document.xml", WORD, &[("word/vbaProject.bin", "x")]),
            office_file("word/document.xml", WORD, &[("word/activeX/activeX1.xml", "x")]),
            zip(&[("[Content_Types].xml", &hidden), ("word/document.xml", "<w:document/>"), ("word/x.bin", "x")]),
        ] {
            assert_eq!(detect(&content), Err(FileRefused::Macros));
        }
    }

    #[test]
    fn a_zip_bomb_is_refused_before_it_is_unpacked() {
        let mut packed = office_file("word/document.xml", WORD, &[("word/media/a.txt", &"0".repeat(9_000))]);
        assert_eq!(within(&packed, 10_000), Ok(FileKind::Docx));
        assert_eq!(within(&packed, 9_000), Err(FileRefused::Unpacks));
        packed.truncate(packed.len() / 2);
        assert_eq!(within(&packed, 10_000), Err(FileRefused::Broken));
    }

    proptest! {
        #[test]
        fn no_content_panics(start in 0..6_usize, rest in prop::collection::vec(any::<u8>(), 0..400)) {
            let starts: [&[u8]; 6] = [b"", b"PK\x03\x04", b"ID3\x03\0\0\x7f\x7f\x7f\x7f", b"\xff\xfb\x90", b"\0\0\0\x18ftyp", b"%PDF-"];
            let content = [starts[start], &rest].concat();
            let _ = detect(&content);
        }
    }
}
