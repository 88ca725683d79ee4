//! Documents (văn bản, tài liệu) and what members see of them. Editing and publication are in [`desk`] and [`steps`].

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{
    forms::{Problem, bounded_line, bounded_text},
    ids::{DocumentId, OpinionId},
    units::UnitRef,
};

mod left_out;
mod library;

pub use left_out::LeftOut;
pub use library::{
    CorrectionNote, DocumentCopy, DocumentPage, Imprint, LibraryPage, LibraryQuery, NotAPart, Part, PersonalList,
    PersonalListPage, PersonalListRow, ReadingPlace, RelatedDocument, WithdrawnDocument,
};

pub mod desk;
pub mod readers;
pub mod reading;
pub mod steps;
mod table;

/// The type of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DocumentKind {
    /// Nghị quyết.
    Resolution,
    /// Chỉ thị.
    Directive,
    /// Quy định, quy chế.
    Regulation,
    /// Hướng dẫn.
    Guidance,
    /// Tài liệu học tập, sinh hoạt.
    StudyMaterial,
    /// Tin tức, thông báo.
    News,
    /// Biểu mẫu.
    Form,
}

crate::keyed!(DocumentKind);

/// The subject area of a document (lĩnh vực).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DocumentField {
    /// Xây dựng tổ chức.
    Organisation,
    /// Kiểm tra, giám sát.
    Inspection,
    /// Tuyên giáo.
    Propaganda,
    /// Kinh tế.
    Economy,
    /// Văn hóa, xã hội.
    Culture,
    /// Tài nguyên, môi trường.
    Environment,
    /// Quốc phòng, an ninh.
    Security,
    /// Chuyển đổi số.
    Digital,
    /// Thanh niên.
    Youth,
}

crate::keyed!(DocumentField);

/// The relation of a document to an earlier one it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Relation {
    /// Thay thế.
    Supersedes,
    /// Sửa đổi, bổ sung.
    Amends,
    /// Hướng dẫn thực hiện.
    Guides,
}

crate::keyed!(Relation);

/// A title (trích yếu): one line, at most 300 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Title(String);

impl Title {
    pub const MAX: u32 = 300;

    /// # Errors
    /// As [`bounded_line`].
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        bounded_line(typed, Self::MAX).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Number and sign (số, ký hiệu), e.g. `339-QĐ/TW`. May be absent: news and study material have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentNumber(String);

impl DocumentNumber {
    pub const MAX: u32 = 40;

    /// `None` for an empty field.
    ///
    /// # Errors
    /// [`Problem::TooLong`], [`Problem::Characters`] for anything but letters, digits, spaces and `-/.`.
    pub fn parse_optional(typed: &str) -> Result<Option<Self>, Problem> {
        if typed.trim().is_empty() {
            return Ok(None);
        }
        let line = bounded_line(typed, Self::MAX)?;
        if line.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '/' | '.' | ' ')) {
            Ok(Some(Self(line)))
        } else {
            Err(Problem::Characters)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text in Markdown, at most 200,000 characters (about 80 printed pages).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body(String);

impl Body {
    pub const MAX: u32 = 200_000;

    /// # Errors
    /// As [`bounded_text`].
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        bounded_text(typed, Self::MAX).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Minutes an unhurried reader needs, at least 1.
    pub fn minutes(&self) -> u32 {
        reading::Length::of(&self.0).minutes()
    }
}

/// A document in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentSummary {
    pub id: DocumentId,
    pub kind: DocumentKind,
    pub number: Option<String>,
    pub title: String,
    pub issuer: UnitRef,
    pub published_on: Option<NaiveDate>,
    pub minutes: u32,
    /// Whether the viewer has read it, as opposed to opened it: see [`reading`].
    pub read: bool,
    /// The day by which members must have read it (hạn đọc).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must_read_by: Option<NaiveDate>,
    /// Whether it is pinned to the top of the library.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// Set when the viewer was reminded to read it and has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded: Option<readers::Reminded>,
    /// Day of the correction, until a viewer who had read the earlier text opens the new one (đã đính chính).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_on: Option<NaiveDate>,
}

impl DocumentSummary {
    /// Whether nothing is left to do for the viewer: read, and opened again if it was corrected since.
    pub const fn is_read(&self) -> bool {
        self.read && self.corrected_on.is_none()
    }
}

/// A heading of the text, for the table of contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// The `id` in the HTML.
    pub anchor: String,
    pub title: String,
    /// 2 or 3; level 1 is the title of the document.
    pub level: u8,
}

/// Data for the page that writes an opinion: the audience is shown before the field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpinionInvitation {
    pub document: DocumentSummary,
    pub branch: UnitRef,
    /// Names of the readers at the branch.
    pub branch_readers: Vec<String>,
    /// The unit whose committee reads the opinion if the member chooses so.
    pub committee: UnitRef,
    /// The issuing unit, whose editors read the opinion if the member chooses so; `None` when nobody there holds that office.
    pub editors: Option<UnitRef>,
    /// Idempotency key, new for each rendered form.
    pub opinion: OpinionId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_they_are_written_on_paper() {
        for typed in ["339-QĐ/TW", " 12-HD/BTGDVTW ", "03.NQ/CB"] {
            assert!(DocumentNumber::parse_optional(typed).is_ok_and(|number| number.is_some()), "{typed}");
        }
        assert_eq!(DocumentNumber::parse_optional("  "), Ok(None));
        assert_eq!(DocumentNumber::parse_optional("<b>1</b>"), Err(Problem::Characters));
    }

    #[test]
    fn reading_time_is_never_zero() {
        assert_eq!(Body::parse("một chữ").map(|body| body.minutes()), Ok(1));
        assert_eq!(Body::parse(&"từ ".repeat(181)).map(|body| body.minutes()), Ok(2));
    }
}
