//! What a member sees of the library (thư viện): what it is asked for, its lists, the page of a document.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::{DocumentField, DocumentKind, DocumentSummary, Heading, Relation, reading::Recording};
use crate::{
    files::AttachmentSummary,
    ids::{DocumentId, PublishedKey, UnitId},
    units::{UnitKind, UnitRef},
};

/// What a library page asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryQuery {
    pub kind: Option<DocumentKind>,
    /// Level of the issuing unit.
    pub level: Option<UnitKind>,
    pub field: Option<DocumentField>,
    /// The issuing unit.
    pub unit: Option<UnitId>,
    /// The year it was published in, in the organisation's zone.
    pub year: Option<i32>,
    /// Continue below this place (exclusive): the `next` of the page before. It stays a place when the document is gone.
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
    /// What editors pinned (ghim); it stands above the first page while nothing is filtered, and nowhere else in that list.
    pub pinned: Vec<DocumentSummary>,
    pub documents: Vec<DocumentSummary>,
    /// Units that can have issued what reaches the member: the own line, from the top.
    pub units: Vec<UnitRef>,
    /// Years there are documents of, the newest first.
    pub years: Vec<i32>,
    /// Where the next page starts; none on the last.
    pub next: Option<PublishedKey>,
}

/// A list of a member's own. The key is the last part of the page's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PersonalList {
    /// Phải đọc: to be read by a day; the most urgent first.
    #[strum(to_string = "must-read")]
    MustRead,
    /// Chưa đọc: published within a year and not read; the newest first.
    Unread,
    /// Đọc tiếp: begun and not read to the end; opened last first.
    Continue,
    /// Đã đánh dấu; marked last first.
    Bookmarks,
    /// Vừa đọc; opened last first.
    Recent,
}

crate::keyed!(PersonalList);

/// A row of such a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalListRow {
    pub document: DocumentSummary,
    /// How far it was read, in percent; none when it was not begun.
    pub percent: Option<u8>,
    /// When it was opened or marked, in the lists that are ordered so.
    pub on: Option<NaiveDate>,
    /// Taken back by its editors: its page says why.
    pub withdrawn: bool,
}

/// A page of such a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalListPage {
    pub list: PersonalList,
    pub rows: Vec<PersonalListRow>,
    /// Where the next page starts (exclusive); none on the last.
    pub next: Option<PublishedKey>,
    pub today: NaiveDate,
}

/// How much of a text lies before a place, in thousandths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Part(u16);

/// More than the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a part of a text")]
pub struct NotAPart;

impl Part {
    pub const WHOLE: u16 = 1000;

    /// From here on a text was read to its end: what follows are footnotes and the signature.
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

/// Where a reader has come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingPlace {
    /// The heading above it, when the text still has it.
    pub heading: Option<Heading>,
    pub part: Part,
}

/// A document named by another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelatedDocument {
    pub relation: Relation,
    /// Whether the other document names this one: it supersedes, amends or guides it.
    pub is_newer: bool,
    pub id: DocumentId,
    pub number: Option<String>,
    pub title: String,
}

/// That a text was published again, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionNote {
    pub on: NaiveDate,
    pub note: Option<String>,
}

/// The particulars that readers are told besides those of a [`DocumentSummary`], on the page and in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imprint {
    pub signer: Option<String>,
    pub audience: UnitRef,
    /// Of the audience, only members of these units and of those below them; empty for all.
    pub parts: Vec<UnitRef>,
}

/// Everything a read page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentPage {
    pub summary: DocumentSummary,
    pub imprint: Imprint,
    /// Members it is for.
    pub reach: u32,
    /// Sanitised HTML.
    pub html: String,
    pub contents: Vec<Heading>,
    /// Whether the reader may send an opinion on it.
    pub takes_opinions: bool,
    pub correction: Option<CorrectionNote>,
    pub related: Vec<RelatedDocument>,
    /// Where the reader had come to; none when it was not begun.
    pub place: Option<ReadingPlace>,
    pub bookmarked: bool,
    /// Files that go with it.
    pub attachments: Vec<AttachmentSummary>,
    /// Whether the reader may look at who else has read it.
    pub shows_readers: bool,
    /// What is recorded of the reader.
    pub recording: Recording,
}

/// What is left of a document for those who had opened or marked it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawnDocument {
    pub summary: DocumentSummary,
    pub on: Option<NaiveDate>,
    /// In the words of its editors.
    pub because: Option<String>,
    /// What took its place, as far as the reader may know it.
    pub related: Vec<RelatedDocument>,
    pub bookmarked: bool,
}

/// A document as a file of its own.
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
