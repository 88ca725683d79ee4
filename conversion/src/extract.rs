//! Extracts data from files: text for the search and the guard, and a picture of the first page.
//!
//! Files may be malicious, and PDF readers are large. So extraction runs in a process of its own, which may crash, hang or
//! exhaust its memory without harm (`backend::files::Extractor`).

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use domain::{
    files::{FileKind, Missing},
    legacy_letters,
};
use hayro::{
    PixmapSettings, RenderCache, RenderSettings,
    hayro_interpret::InterpreterSettings,
    hayro_syntax::{DecryptionError, LoadPdfError, Pdf},
    render,
    vello_cpu::color::palette::css::WHITE,
};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::pictures::{PREVIEW_HEIGHT, PREVIEW_WIDTH};

mod office;
mod pdf;

/// Maximum number of bytes of text kept: more than any document for readers.
const TEXT_MAX: usize = 2 << 20;

/// Time limit for the pages of a PDF; the text read by then is kept. Shorter than the limit of the process.
const PAGES_TIME: Duration = Duration::from_secs(12);

/// The data to extract from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Wanted {
    Text,
    Preview,
}

domain::keyed!(Wanted);

/// Result of an extraction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    pub text: Option<String>,
    /// Text that is not part of the body and is only checked by the guard: comments, deleted text, properties.
    #[serde(default)]
    pub aside: Option<String>,
    /// A picture (PNG) in base64.
    pub preview: Option<String>,
    pub pages: Option<u32>,
    /// The reason when the wanted data is missing or incomplete.
    pub missing: Option<Missing>,
}

impl Extracted {
    pub const fn missing(why: Missing) -> Self {
        Self { text: None, aside: None, preview: None, pages: None, missing: Some(why) }
    }

    fn text(text: &str) -> Self {
        let missing = (text.len() > TEXT_MAX).then_some(Missing::Part);
        let text = tidy(text);
        // With fonts from before Unicode, the letters in the file are not those on the page.
        let text = legacy_letters::detect(&text).map_or(text.clone(), |letters| legacy_letters::convert(&text, letters));
        if text.is_empty() { Self::missing(Missing::Nothing) } else { Self { text: Some(text), missing, ..Self::default() } }
    }

    /// The preview, decoded.
    pub fn picture(&self) -> Option<Vec<u8>> {
        BASE64_STANDARD.decode(self.preview.as_ref()?).ok()
    }
}

/// Extracts data from a file. May panic, hang, overflow the stack or exhaust the memory: see the module.
pub fn extract(wanted: Wanted, kind: FileKind, content: Vec<u8>) -> Extracted {
    let extracted = match (wanted, kind) {
        (Wanted::Text, FileKind::Pdf) => pdf::text(content, PAGES_TIME),
        (Wanted::Text, FileKind::Docx) => office::docx(&content),
        (Wanted::Text, FileKind::Xlsx) => office::xlsx(&content),
        (Wanted::Preview, FileKind::Pdf) => pdf_preview(content),
        _ => Err(Missing::Nothing),
    };
    extracted.unwrap_or_else(Extracted::missing)
}

fn pdf_preview(content: Vec<u8>) -> Result<Extracted, Missing> {
    let pdf = Pdf::new(Arc::new(content)).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Missing::Protected,
        _ => Missing::Failed,
    })?;
    let pages = u32::try_from(pdf.pages().len()).ok();
    let Some(page) = pdf.pages().first() else { return Err(Missing::Nothing) };
    let (width, height) = page.render_dimensions();
    // A page may declare any size; the picture has a fixed one.
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

/// The text without invisible characters, at most [`TEXT_MAX`] bytes.
fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.dedup_by(|next, line| next.is_empty() && line.is_empty());
    let mut text: String = lines.join("\n").chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    text.truncate(text.floor_char_boundary(TEXT_MAX));
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use domain::guard;

    use super::*;
    use crate::samples::{broken_page_pdf, docx, long_pdf, pdf, stamped_pdf, xlsx, zip};

    const TEXT: &str = "Nghị quyết số 57-NQ/TW\nvề chuyển đổi số & đổi mới";

    #[test]
    fn text_is_extracted_from_every_kind_that_has_one() {
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
    fn unreadable_files_return_a_reason() {
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
    fn a_pdf_with_leading_bytes_or_a_broken_xref_table_is_read() {
        for (case, content) in [
            ("bytes before", include_bytes!("../tests/files/leading-bytes.pdf").as_slice()),
            ("a broken xref table", include_bytes!("../tests/files/secret-broken-xref.pdf").as_slice()),
        ] {
            let extracted = extract(Wanted::Text, FileKind::Pdf, content.to_vec());
            assert!(extracted.text.as_deref().is_some_and(|text| !text.trim().is_empty()), "{case}: {extracted:?}");
            assert_eq!(extracted.missing, None, "{case}");
        }
        let secret = extract(Wanted::Text, FileKind::Pdf, include_bytes!("../tests/files/secret-broken-xref.pdf").to_vec());
        assert!(!guard::scan(secret.text.as_deref().unwrap_or_default()).is_empty(), "{secret:?}");
        let mut cut = pdf(TEXT);
        cut.truncate(cut.len() - 60);
        assert!(
            extract(Wanted::Text, FileKind::Pdf, cut).text.is_some_and(|text| text.contains("57-NQ/TW")),
            "the end was cut off"
        );
    }

    #[test]
    fn text_of_a_long_pdf_read_within_the_time_limit_is_kept() {
        let long = long_pdf(2_500);
        let whole = pdf::text(long.clone(), Duration::from_mins(10)).expect("is read");
        assert_eq!(whole.missing, None);
        assert_eq!(whole.text.unwrap_or_default().matches("Trang").count(), 2_500);
        let none = pdf::text(long, Duration::ZERO);
        assert_eq!(none, Err(Missing::Failed), "no time at all");
    }

    #[test]
    fn an_unreadable_page_does_not_lose_the_others() {
        let extracted = extract(Wanted::Text, FileKind::Pdf, broken_page_pdf());
        assert_eq!(extracted.missing, Some(Missing::Part));
        let text = extracted.text.unwrap_or_default();
        assert!(text.contains("Trang 1") && text.contains("Trang 3"), "{text}");
    }

    #[test]
    fn stamps_comments_deletions_and_properties_are_checked_by_the_guard() {
        let stamped = extract(Wanted::Text, FileKind::Pdf, stamped_pdf("TỐI MẬT"));
        assert_eq!(stamped.aside.as_deref().map(str::trim), Some("TỐI MẬT"));
        let main = "<w:document><w:p><w:t>a</w:t><w:delText>MẬT</w:delText></w:p></w:document>";
        let parts = [
            ("word/document2.xml", main),
            ("word/header1.xml", "<w:p><w:t>đầu trang</w:t></w:p>"),
            ("word/comments.xml", "<w:p><w:t>TUYỆT MẬT</w:t></w:p>"),
            ("docProps/core.xml", "<dc:title>Kế hoạch</dc:title><dc:creator>An</dc:creator>"),
        ];
        let read = extract(Wanted::Text, FileKind::Docx, zip(&parts));
        assert_eq!(read.text.as_deref(), Some("a\nđầu trang"));
        let aside: Vec<_> = read.aside.as_deref().unwrap_or_default().split_whitespace().collect();
        assert_eq!(aside.join(" "), "MẬT TUYỆT MẬT Kế hoạch");
    }

    #[test]
    fn ids_stored_as_numbers_are_found_by_the_guard() {
        let read = extract(Wanted::Text, FileKind::Xlsx, include_bytes!("../tests/files/ids-as-numbers.xlsx").to_vec());
        let warnings = guard::scan_file("danh-sach.xlsx", read.text.as_deref().unwrap_or_default());
        assert_eq!(guard::kinds(&warnings), "id_numbers", "{read:?}");
    }

    #[test]
    fn text_of_legacy_fonts_is_converted() {
        let read = extract(Wanted::Text, FileKind::Docx, include_bytes!("../tests/files/tcvn3.docx").to_vec());
        assert_eq!(read.text.as_deref(), Some("Cộng hòa xã hội chủ nghĩa Việt Nam\nĐảng bộ tỉnh họp thường kỳ"));
    }

    #[test]
    fn words_in_text_boxes_are_checked_by_the_guard() {
        let read = extract(Wanted::Text, FileKind::Docx, include_bytes!("../tests/files/box.docx").to_vec());
        assert_eq!(guard::kinds(&guard::scan(read.text.as_deref().unwrap_or_default())), "secrecy_mark", "{read:?}");
    }
}
