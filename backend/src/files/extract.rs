//! What can be read out of a file: its text for the search and the guard, a picture of its first page.
//!
//! Files are hostile, and the readers of PDF are large. So this runs in a process of its own that can crash, hang or swell without
//! harm ([`super::extractor`]). Nothing here asks the store or anything else of this program.

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use calamine::{DataRef, Reader, Xlsx};
use domain::files::{FileKind, Missing};
use hayro::{
    PixmapSettings, RenderCache, RenderSettings,
    hayro_interpret::InterpreterSettings,
    hayro_syntax::{DecryptionError, LoadPdfError, Pdf},
    render,
    vello_cpu::color::palette::css::WHITE,
};
use serde::{Deserialize, Serialize};

use super::pictures::{PREVIEW_HEIGHT, PREVIEW_WIDTH};
use crate::unpacked::parts;

/// Most bytes of text kept: more than any document people read.
const TEXT_MAX: usize = 2 << 20;

/// Largest part of a text document, unpacked.
const PART_MAX: u64 = 64 << 20;

/// Pages of a PDF whose text is read.
const PAGES_MAX: u32 = 2_000;

/// What is to be read out of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Text,
    Preview,
}

impl Wanted {
    pub const ALL: [Self; 2] = [Self::Text, Self::Preview];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Preview => "preview",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wanted| wanted.key() == key)
    }
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    pub text: Option<String>,
    /// A picture (PNG) in base64.
    pub preview: Option<String>,
    pub pages: Option<u32>,
    /// Why what was wanted is not there.
    pub missing: Option<Missing>,
}

impl Extracted {
    pub const fn missing(why: Missing) -> Self {
        Self { text: None, preview: None, pages: None, missing: Some(why) }
    }

    fn text(text: &str) -> Self {
        let text = tidy(text);
        if text.is_empty() { Self::missing(Missing::Nothing) } else { Self { text: Some(text), ..Self::default() } }
    }

    pub(super) fn picture(&self) -> Option<Vec<u8>> {
        BASE64_STANDARD.decode(self.preview.as_ref()?).ok()
    }
}

/// Reads a file. May panic, hang, overflow the stack or use all memory: see the module.
pub fn extract(wanted: Wanted, kind: FileKind, content: Vec<u8>) -> Extracted {
    let extracted = match (wanted, kind) {
        (Wanted::Text, FileKind::Pdf) => pdf_text(&content),
        (Wanted::Text, FileKind::Docx) => docx_text(&content).map(|text| Extracted::text(&text)),
        (Wanted::Text, FileKind::Xlsx) => xlsx_text(&content).map(|text| Extracted::text(&text)),
        (Wanted::Preview, FileKind::Pdf) => pdf_preview(content),
        _ => Err(Missing::Nothing),
    };
    extracted.unwrap_or_else(Extracted::missing)
}

/// Page by page: one that cannot be read takes the others' text with it no more than it must.
fn pdf_text(content: &[u8]) -> Result<Extracted, Missing> {
    let mut document = pdf_extract::Document::load_mem(content).map_err(|_| Missing::Failed)?;
    if document.is_encrypted() && document.decrypt("").is_err() {
        return Err(Missing::Protected);
    }
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    let mut text = String::new();
    let mut failed = false;
    for page in pages.iter().copied().take(PAGES_MAX as usize) {
        let read = catch_unwind(AssertUnwindSafe(|| {
            let mut read = String::new();
            let mut output = pdf_extract::PlainTextOutput::new(&mut read);
            pdf_extract::output_doc_page(&document, &mut output, page).map(|()| read).ok()
        }));
        match read {
            Ok(Some(read)) => text.push_str(&read),
            _ => failed = true,
        }
        text.push('\n');
        if text.len() > TEXT_MAX {
            break;
        }
    }
    let mut extracted = Extracted::text(&text);
    if failed {
        extracted.missing = Some(Missing::Failed);
    }
    Ok(extracted)
}

fn pdf_preview(content: Vec<u8>) -> Result<Extracted, Missing> {
    let pdf = Pdf::new(Arc::new(content)).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Missing::Protected,
        _ => Missing::Failed,
    })?;
    let pages = u32::try_from(pdf.pages().len()).ok();
    let Some(page) = pdf.pages().first() else { return Err(Missing::Nothing) };
    let (width, height) = page.render_dimensions();
    // A page may claim any size; what it is drawn on has ours.
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let scale = (PREVIEW_WIDTH as f32 / width).min(PREVIEW_HEIGHT as f32 / height);
    if !scale.is_finite() || scale <= 0.0 || width * scale < 1.0 || height * scale < 1.0 {
        return Ok(Extracted { pages, ..Extracted::missing(Missing::Failed) });
    }
    let settings = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
    let drawn = render(page, &RenderCache::new(), &InterpreterSettings::default(), &RenderSettings::default(), &settings);
    let picture = drawn.into_png().map_err(|_| Missing::Failed)?;
    Ok(Extracted { preview: Some(BASE64_STANDARD.encode(picture)), pages, ..Extracted::default() })
}

/// The text itself, its notes, and what stands at the top and the foot of pages: marks of secrecy are often there.
fn docx_text(content: &[u8]) -> Result<String, Missing> {
    let mut file = Cursor::new(content);
    let parts = parts(&mut file).map_err(|_| Missing::Failed)?;
    let wanted = |name: &str| {
        name.strip_prefix("word/").and_then(|name| name.strip_suffix(".xml")).is_some_and(|name| {
            matches!(name, "document" | "footnotes" | "endnotes") || name.starts_with("header") || name.starts_with("footer")
        })
    };
    let mut text = String::new();
    for part in parts.iter().filter(|part| wanted(&part.name)) {
        let xml = part.content(&mut file, PART_MAX).map_err(|_| Missing::Failed)?;
        words(&String::from_utf8_lossy(&xml), &mut text);
        if text.len() > TEXT_MAX {
            break;
        }
    }
    Ok(text)
}

/// The letters of a word processor's XML: what stands in `w:t`, with breaks where paragraphs, lines and cells end.
fn words(xml: &str, text: &mut String) {
    let mut rest = xml;
    let mut is_text = false;
    while let Some((before, tag)) = rest.split_once('<') {
        if is_text {
            unescape(before, text);
        }
        let Some((tag, after)) = tag.split_once('>') else { break };
        let name = tag.split([' ', '\n', '\t', '\r']).next().unwrap_or_default().trim_end_matches('/');
        match name {
            "w:t" => is_text = !tag.ends_with('/'),
            "/w:t" => is_text = false,
            "w:tab" | "/w:tc" => text.push('\t'),
            "w:br" | "w:cr" | "/w:p" => text.push('\n'),
            _ => {}
        }
        if text.len() > TEXT_MAX {
            return;
        }
        rest = after;
    }
}

/// The five entities of XML and numbered letters; anything else stays as it is.
fn unescape(escaped: &str, text: &mut String) {
    let mut rest = escaped;
    while let Some((before, entity)) = rest.split_once('&') {
        text.push_str(before);
        let named = entity.split_once(';').filter(|(name, _)| name.len() <= 8);
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

/// All sheets, a line for each row. Cells are taken as they come: a sheet that is empty but for its corners is a small one here.
fn xlsx_text(content: &[u8]) -> Result<String, Missing> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(content)).map_err(|error| match error {
        calamine::XlsxError::Password => Missing::Protected,
        _ => Missing::Failed,
    })?;
    let mut text = String::new();
    for sheet in book.sheet_names() {
        // Charts and dialogs are sheets too, without cells.
        let Ok(mut cells) = book.worksheet_cells_reader(&sheet) else { continue };
        text.push_str(&sheet);
        let mut row = None;
        while let Ok(Some(cell)) = cells.next_cell() {
            let at = cell.get_position().0;
            if row.is_none_or(|row| row != at) {
                text.push('\n');
                row = Some(at);
            } else {
                text.push('\t');
            }
            match cell.get_value() {
                DataRef::SharedString(value) => text.push_str(value),
                DataRef::Int(number) => text.push_str(&number.to_string()),
                // Long numbers, of citizens for one, as their digits.
                DataRef::Float(number) => text.push_str(&number.to_string()),
                DataRef::String(value) | DataRef::DateTimeIso(value) | DataRef::DurationIso(value) => text.push_str(value),
                DataRef::Bool(_) | DataRef::DateTime(_) | DataRef::Error(_) | DataRef::Empty => {}
            }
            if text.len() > TEXT_MAX {
                return Ok(text);
            }
        }
        text.push('\n');
    }
    Ok(text)
}

/// Without what no reader sees, at most [`TEXT_MAX`] bytes.
fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.dedup_by(|next, line| next.is_empty() && line.is_empty());
    let mut text: String = lines.join("\n").chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    text.truncate(text.floor_char_boundary(TEXT_MAX));
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::samples::{docx, pdf, xlsx};

    const TEXT: &str = "Nghị quyết số 57-NQ/TW\nvề chuyển đổi số & đổi mới";

    #[test]
    fn texts_are_read_out_of_every_kind_that_has_one() {
        for (kind, content) in
            [(FileKind::Pdf, pdf(TEXT)), (FileKind::Docx, docx(TEXT)), (FileKind::Xlsx, xlsx(&TEXT.lines().collect::<Vec<_>>()))]
        {
            let extracted = extract(Wanted::Text, kind, content);
            let text = extracted.text.unwrap_or_default();
            for line in TEXT.lines() {
                assert!(text.contains(line), "{kind:?}: {text:?} {:?}", extracted.missing);
            }
        }
        for kind in [FileKind::Png, FileKind::Mp4] {
            assert_eq!(extract(Wanted::Text, kind, Vec::new()), Extracted::missing(Missing::Nothing));
        }
    }

    #[test]
    fn the_first_page_of_a_pdf_becomes_a_picture() {
        let extracted = extract(Wanted::Preview, FileKind::Pdf, pdf(TEXT));
        assert_eq!((extracted.pages, extracted.missing), (Some(1), None));
        let picture = image::load_from_memory(&extracted.picture().expect("a picture")).expect("a PNG");
        assert_eq!((picture.width(), picture.height()), (480, 679));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for (wanted, kind) in [
            (Wanted::Text, FileKind::Pdf),
            (Wanted::Preview, FileKind::Pdf),
            (Wanted::Text, FileKind::Docx),
            (Wanted::Text, FileKind::Xlsx),
        ] {
            let broken = extract(wanted, kind, b"%PDF-1.7\n1 0 obj\n<< broken".to_vec());
            assert_eq!(broken, Extracted::missing(Missing::Failed), "{wanted:?} {kind:?}");
        }
        let empty = extract(Wanted::Text, FileKind::Pdf, pdf(""));
        assert_eq!(empty.missing, Some(Missing::Nothing), "a scan has no text: {empty:?}");
    }

    #[test]
    fn letters_of_xml_are_letters_again() {
        let mut text = String::new();
        words(
            "<w:p><w:r><w:t>a &amp;&lt;&#272;&#x1ea3;&unknown; &</w:t><w:tab/><w:instrText>PAGE</w:instrText></w:r></w:p><w:t/>x<w:p/>",
            &mut text,
        );
        assert_eq!(text, "a &<Đả&unknown; &\t\n");
    }
}
