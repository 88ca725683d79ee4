//! A member's view of the library (thư viện): its query, its lists, the page of a document.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::{DocumentField, DocumentKind, DocumentSummary, Heading, Relation, reading::Recording};
use crate::{
    files::AttachmentSummary,
    ids::{DocumentId, PublishedKey, UnitId},
    units::{UnitKind, UnitRef},
};

/// The query of a library page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryQuery {
    pub kind: Option<DocumentKind>,
    /// Level of the issuing unit.
    pub level: Option<UnitKind>,
    pub field: Option<DocumentField>,
    /// The issuing unit.
    pub unit: Option<UnitId>,
    /// The year of publication, in the organisation's time zone.
    pub year: Option<i32>,
    /// Cursor (exclusive): the `next` of the previous page. It stays valid when the document is deleted.
    pub after: Option<PublishedKey>,
}

impl LibraryQuery {
    pub const fn is_filtered(&self) -> bool {
        self.kind.is_some() || self.level.is_some() || self.field.is_some() || self.unit.is_some() || self.year.is_some()
    }
}

/// One page of the library, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryPage {
    /// Pinned documents (ghim): shown above the first page while no filter is set, and not repeated in that list.
    pub pinned: Vec<DocumentSummary>,
    pub documents: Vec<DocumentSummary>,
    /// Units that can be the issuer of a document for the member: the member's own line, from the top.
    pub units: Vec<UnitRef>,
    /// Years with documents, newest first.
    pub years: Vec<i32>,
    /// Cursor of the next page; `None` on the last.
    pub next: Option<PublishedKey>,
}

/// A personal list of a member. The key is the last segment of the page's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PersonalList {
    /// Phải đọc: with a due day; most urgent first.
    #[strum(to_string = "must-read")]
    MustRead,
    /// Chưa đọc: published within a year and unread; newest first.
    Unread,
    /// Đọc tiếp: begun and not read to the end; last opened first.
    Continue,
    /// Đã đánh dấu; last marked first.
    Bookmarks,
    /// Vừa đọc; last opened first.
    Recent,
}

crate::keyed!(PersonalList);

/// A row of a personal list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalListRow {
    pub document: DocumentSummary,
    /// Reading progress in percent; `None` when not begun.
    pub percent: Option<u8>,
    /// When it was opened or marked, in lists with that order.
    pub on: Option<NaiveDate>,
    /// Withdrawn by its editors: its page gives the reason.
    pub withdrawn: bool,
}

/// A page of a personal list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalListPage {
    pub list: PersonalList,
    pub rows: Vec<PersonalListRow>,
    /// Cursor of the next page (exclusive); `None` on the last.
    pub next: Option<PublishedKey>,
    pub today: NaiveDate,
}

/// The share of a text before a position, in thousandths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Part(u16);

/// The value is greater than 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a part of a text")]
pub struct NotAPart;

impl Part {
    pub const WHOLE: u16 = 1000;

    /// From here on a text counts as read to its end: only footnotes and the signature follow.
    const END: u16 = 970;

    pub const fn thousandths(self) -> u16 {
        self.0
    }

    pub fn percent(self) -> u8 {
        u8::try_from(self.0 / 10).unwrap_or(100)
    }

    pub const fn is_begun(self) -> bool {
        self.0 > 0
    }

    pub const fn is_end(self) -> bool {
        self.0 >= Self::END
    }
}

impl TryFrom<u16> for Part {
    type Error = NotAPart;

    fn try_from(thousandths: u16) -> Result<Self, NotAPart> {
        if thousandths <= Self::WHOLE { Ok(Self(thousandths)) } else { Err(NotAPart) }
    }
}

impl From<Part> for u16 {
    fn from(part: Part) -> Self {
        part.0
    }
}

/// A reader's position in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingPlace {
    /// The heading above the position, if the text still has it.
    pub heading: Option<Heading>,
    pub part: Part,
}

/// A document referred to by another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelatedDocument {
    pub relation: Relation,
    /// Whether the other document refers to this one: it supersedes, amends or guides it.
    pub is_newer: bool,
    pub id: DocumentId,
    pub number: Option<String>,
    pub title: String,
}

/// When and why a text was published again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionNote {
    pub on: NaiveDate,
    pub note: Option<String>,
}

/// Particulars shown to readers besides those of a [`DocumentSummary`], on the page and in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imprint {
    pub signer: Option<String>,
    pub audience: UnitRef,
    /// Limits the audience to the subtrees of these units; empty for no limit.
    pub parts: Vec<UnitRef>,
    /// Leaves out the subtrees of these units.
    pub except: Vec<UnitRef>,
}

/// The content of a document's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentPage {
    pub summary: DocumentSummary,
    pub imprint: Imprint,
    /// Number of members in the audience; none where the person may not know it.
    pub reach: Option<u32>,
    /// Sanitised HTML.
    pub html: String,
    pub contents: Vec<Heading>,
    /// Whether the viewer may send an opinion on it.
    pub takes_opinions: bool,
    pub correction: Option<CorrectionNote>,
    pub related: Vec<RelatedDocument>,
    /// The reader's position; `None` when not begun.
    pub place: Option<ReadingPlace>,
    pub bookmarked: bool,
    /// Attached files.
    pub attachments: Vec<AttachmentSummary>,
    /// Whether the viewer may see who else has read it.
    pub shows_readers: bool,
    /// What is recorded about the viewer's reading.
    pub recording: Recording,
}

/// The page of a withdrawn document, for members who had opened or marked it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawnDocument {
    pub summary: DocumentSummary,
    pub on: Option<NaiveDate>,
    /// The reason, in the words of its editors.
    pub because: Option<String>,
    /// The documents that replaced it, if the viewer may read them.
    pub related: Vec<RelatedDocument>,
    pub bookmarked: bool,
}

/// A document as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentCopy {
    pub summary: DocumentSummary,
    pub imprint: Imprint,
    /// Sanitised HTML.
    pub html: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_at_most_the_whole() {
        assert_eq!(Part::try_from(1001), Err(NotAPart));
        let parts: Vec<_> = [0, 1, 500, 969, 970, 1000].into_iter().filter_map(|n| Part::try_from(n).ok()).collect();
        let told: Vec<_> = parts.iter().map(|part| (part.percent(), part.is_begun(), part.is_end())).collect();
        let expected =
            [(0, false, false), (0, true, false), (50, true, false), (96, true, false), (97, true, true), (100, true, true)];
        assert_eq!(told, expected);
    }
}
