//! Attachments of documents (tệp đính kèm): what is accepted, what is stored about a file, how it is uploaded.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};
use unicode_normalization::UnicodeNormalization;

use crate::{
    forms::{Problem, bounded_text, is_unseen},
    guard::{Coverage, Warning},
    ids::{AttachmentId, DocumentId, UploadId},
    units::UnitRef,
};

/// Maximum file size.
pub const FILE_BYTES_MAX: u64 = 50 << 20;

/// Maximum files of a document.
pub const FILES_MAX: u32 = 20;

/// Maximum concurrent uploads of one person.
pub const OPEN_UPLOADS_MAX: u32 = 10;

/// The type of a file, detected from its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FileKind {
    Pdf,
    Docx,
    Xlsx,
    Png,
    Jpeg,
    Mp3,
    Mp4,
}

crate::keyed!(FileKind);

impl FileKind {
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Mp3 => "audio/mpeg",
            Self::Mp4 => "video/mp4",
        }
    }

    /// File name extensions of this type; the first is the default.
    pub const fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Docx => &["docx"],
            Self::Xlsx => &["xlsx"],
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Mp3 => &["mp3"],
            Self::Mp4 => &["mp4", "m4v"],
        }
    }

    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg)
    }

    /// Whether the type contains text that can be searched.
    pub const fn has_text(self) -> bool {
        matches!(self, Self::Pdf | Self::Docx | Self::Xlsx)
    }
}

/// A file's name for display and download: one line without characters that hide or reorder others, with an extension that
/// matches the content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileName(String);

impl FileName {
    /// Maximum characters, without the extension.
    const MAX: usize = 120;

    /// Sanitises a name. It never fails: a bad name is no reason to reject a file.
    ///
    /// A PDF called `C:\\báo.cáo.exe` becomes `báo.cáo.exe.pdf`: path separators and direction marks are removed, and the
    /// extension matches the content.
    pub fn clean(typed: &str, kind: FileKind) -> Self {
        let (stem, ending) = split(&plain(typed), kind);
        let stem: String = stem.chars().take(Self::MAX).collect();
        let stem = stem.trim_matches(['.', ' ']);
        Self(format!("{}.{ending}", if stem.is_empty() { "file" } else { stem }))
    }

    /// The same for a file that has not been received yet, so that its type is unknown.
    pub fn announced(typed: &str) -> String {
        let name: String = plain(typed).chars().take(Self::MAX).collect();
        if name.is_empty() { "file".to_owned() } else { name }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The last segment of a path, on one line, without invisible characters and those that file systems refuse.
fn plain(typed: &str) -> String {
    let name = typed.rsplit(['/', '\\']).next().unwrap_or_default();
    let seen: String = name
        .nfc()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_unseen(*c))
        .map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c })
        .collect();
    seen.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn split(name: &str, kind: FileKind) -> (String, &'static str) {
    let endings = kind.endings();
    if let Some((stem, ending)) = name.rsplit_once('.')
        && let Some(known) = endings.iter().find(|known| ending.eq_ignore_ascii_case(known))
    {
        return (stem.to_owned(), known);
    }
    (name.to_owned(), endings[0])
}

/// Why a file is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FileRefused {
    /// No file was chosen, or it is empty.
    Empty,
    /// Larger than [`FILE_BYTES_MAX`].
    TooBig,
    /// None of [`FileKind`].
    Kind,
    /// SVG, HTML and other markup that a browser would execute.
    Markup,
    /// An office file with macros.
    Macros,
    /// An office format from before 2007.
    OldOffice,
    /// It has the signature of a [`FileKind`] and cannot be read as one.
    Broken,
    /// Its unpacked size is too large.
    Unpacks,
    /// A picture with too many pixels.
    Dimensions,
    /// The document already has [`FILES_MAX`] files.
    TooMany,
    /// The person already has [`OPEN_UPLOADS_MAX`] open uploads.
    TooManyOpen,
    /// The document is not a draft: it is in review or published.
    Closed,
}

crate::keyed!(FileRefused);

/// Why a file has no searchable text, only part of it, or no preview of its first page. The file itself is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Missing {
    /// It contains no text: usually a scan.
    Nothing,
    /// It is protected by a password.
    Protected,
    /// The extraction failed.
    Failed,
    /// Only part of the text was read: it is too long, or some pages are damaged.
    Part,
}

crate::keyed!(Missing);

/// A file as readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentSummary {
    pub id: AttachmentId,
    pub name: String,
    pub kind: FileKind,
    pub bytes: u64,
    /// For a PDF.
    pub pages: Option<u32>,
    /// Whether there is a preview picture.
    pub has_preview: bool,
}

/// Why a person kept a file in spite of warnings (lý do giữ): at most 500 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepReason(String);

impl KeepReason {
    pub const MAX: u32 = 500;

    /// # Errors
    /// As [`bounded_text`].
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        bounded_text(typed, Self::MAX).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The decision on a file with warnings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub by: String,
    pub at: DateTime<Utc>,
    pub reason: String,
}

/// A file as editors see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskFile {
    pub file: AttachmentSummary,
    pub added_by: String,
    pub added_at: DateTime<Utc>,
    pub text_missing: Option<Missing>,
    pub preview_missing: Option<Missing>,
    /// Warnings of the guard.
    pub warnings: Vec<Warning>,
    /// `None` while a decision is pending.
    pub kept: Option<Kept>,
}

impl DeskFile {
    /// How much of it the guard could check.
    pub fn coverage(&self) -> Coverage {
        Coverage::of(self.file.kind, self.text_missing)
    }

    /// Whether it is added to the document only after a decision.
    pub fn is_waiting(&self) -> bool {
        !self.warnings.is_empty() && self.kept.is_none()
    }
}

/// An incomplete upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenUpload {
    pub id: UploadId,
    pub name: String,
    pub size: u64,
    pub received: u64,
    pub began_at: DateTime<Utc>,
}

/// The files of one document at the desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesPage {
    pub document: DocumentId,
    pub title: String,
    pub issuer: UnitRef,
    /// Whether files can be added and removed: only while the text is a draft.
    pub is_open: bool,
    /// In the order readers see them.
    pub files: Vec<DeskFile>,
    /// Files with a pending decision.
    pub waiting: Vec<DeskFile>,
    /// The viewer's open uploads.
    pub uploads: Vec<OpenUpload>,
}

/// Progress of an upload in chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    pub size: u64,
    pub received: u64,
}

/// The chunk does not continue the received bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OffsetRefused {
    /// It starts at another offset: resume at `received`.
    #[error("the next byte is {received}")]
    Elsewhere { received: u64 },
    /// It exceeds the announced size.
    #[error("more bytes than announced")]
    Beyond,
}

impl Arrival {
    /// How many bytes are accepted at `offset`; `announced` is the length of the chunk, if the client sent one.
    ///
    /// # Errors
    /// [`OffsetRefused`]; nothing is accepted then.
    pub const fn room(self, offset: u64, announced: Option<u64>) -> Result<u64, OffsetRefused> {
        if offset != self.received {
            return Err(OffsetRefused::Elsewhere { received: self.received });
        }
        let room = self.size.saturating_sub(self.received);
        match announced {
            Some(length) if length > room => Err(OffsetRefused::Beyond),
            _ => Ok(room),
        }
    }

    pub const fn is_whole(self) -> bool {
        self.received >= self.size
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cleaned(typed: &str, kind: FileKind) -> String {
        FileName::clean(typed, kind).as_str().to_owned()
    }

    #[test]
    fn a_name_shows_what_it_is_and_nothing_else() {
        for (typed, expected) in [
            ("Nghị quyết 57.pdf", "Nghị quyết 57.pdf"),
            ("C:\\Users\\bien\\Báo cáo.PDF", "Báo cáo.pdf"),
            ("../../etc/passwd", "passwd.pdf"),
            ("ke\u{202e}fdp.exe", "kefdp.exe.pdf"),
            ("a\u{200b}b\u{feff}c.pdf", "abc.pdf"),
            ("dòng\r\nmới\t.pdf", "dòng mới.pdf"),
            ("", "file.pdf"),
            ("...", "file.pdf"),
            (".pdf", "file.pdf"),
            ("a<b>\"c\".pdf", "a_b__c_.pdf"),
            ("bao cao.docx", "bao cao.docx.pdf"),
        ] {
            assert_eq!(cleaned(typed, FileKind::Pdf), expected, "{typed:?}");
        }
        assert_eq!(cleaned("ảnh.JPEG", FileKind::Jpeg), "ảnh.jpeg");
        assert_eq!(cleaned("ảnh.png", FileKind::Jpeg), "ảnh.png.jpg");
        let decomposed: String = "Tệp.pdf".nfd().collect();
        assert_eq!(cleaned(&decomposed, FileKind::Pdf), "Tệp.pdf");
    }

    #[test]
    fn bytes_are_accepted_only_at_the_received_offset() {
        let half = Arrival { size: 100, received: 40 };
        for (offset, announced, expected) in [
            (40, None, Ok(60)),
            (40, Some(60), Ok(60)),
            (40, Some(0), Ok(60)),
            (40, Some(61), Err(OffsetRefused::Beyond)),
            (0, Some(10), Err(OffsetRefused::Elsewhere { received: 40 })),
            (41, None, Err(OffsetRefused::Elsewhere { received: 40 })),
            (u64::MAX, Some(u64::MAX), Err(OffsetRefused::Elsewhere { received: 40 })),
        ] {
            assert_eq!(half.room(offset, announced), expected, "{offset} {announced:?}");
        }
    }

    proptest! {
        #[test]
        fn no_name_is_a_path_or_hides_a_letter(typed in any::<String>(), kind in 0..FileKind::ALL.len()) {
            let kind = FileKind::ALL[kind];
            let name = cleaned(&typed, kind);
            prop_assert!(!name.contains(['/', '\\']) && !name.chars().any(|c| c.is_control() || is_unseen(c)), "{name:?}");
            prop_assert!(kind.endings().iter().any(|ending| name.ends_with(&format!(".{ending}"))), "{name:?}");
            prop_assert!(!name.starts_with('.') && name.chars().count() <= 130, "{name:?}");
            prop_assert_eq!(&cleaned(&name, kind), &name, "cleaning again changes nothing");
        }

        /// However the bytes are split, and however often a chunk is sent again, the result is the file.
        #[test]
        fn pieces_of_any_length_end_in_the_whole(size in 1_u64..500, cuts in prop::collection::vec((0_u64..60, any::<bool>()), 1..200)) {
            let mut arrival = Arrival { size, received: 0 };
            for (length, again) in cuts {
                if again && arrival.received > 0 {
                    prop_assert!(arrival.room(arrival.received - 1, Some(length)).is_err());
                }
                let length = length.min(size - arrival.received);
                let room = arrival.room(arrival.received, Some(length));
                prop_assert_eq!(room, Ok(size - arrival.received));
                arrival.received += length;
                prop_assert_eq!(arrival.is_whole(), arrival.received == size);
            }
        }
    }
}
