//! Search of documents, meetings and courses (tìm kiếm): queries and results.

use std::{fmt, str::FromStr};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};
use ulid::Ulid;

use crate::{
    courses::CourseState,
    documents::{DocumentField, DocumentKind, DocumentSummary},
    ids::{CourseId, UnitId},
    meetings::MeetingSummary,
    units::{UnitKind, UnitRef},
};

/// Kinds of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SearchKind {
    Documents,
    Meetings,
    Courses,
}

crate::keyed!(SearchKind);

/// The query of a search page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchQuery {
    /// As typed: words, a number, phrases in quotes.
    pub typed: String,
    pub what: Option<SearchKind>,
    /// This and the following filters apply to documents only: meetings and courses have none of these values.
    pub kind: Option<DocumentKind>,
    /// Level of the issuing unit.
    pub level: Option<UnitKind>,
    pub field: Option<DocumentField>,
    /// The issuing unit itself, not those below it.
    pub issuer: Option<UnitId>,
    /// Year of publication.
    pub year: Option<u16>,
    /// Cursor (exclusive): the `next` of the previous page.
    pub after: Option<SearchPlace>,
}

impl SearchQuery {
    /// Maximum characters of a query; the rest is ignored.
    pub const TYPED_MAX: usize = 200;

    /// Whether a filter for documents is set.
    pub const fn is_filtered(&self) -> bool {
        self.kind.is_some() || self.level.is_some() || self.field.is_some() || self.issuer.is_some() || self.year.is_some()
    }
}

/// A position in the order of results: by weight, then newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SearchPlace {
    pub weight: u64,
    /// The id of the document, meeting or course.
    pub item: Ulid,
}

/// The text is not a position in a list of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place in a list of results")]
pub struct NotAPlace;

impl fmt::Display for SearchPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.weight, self.item)
    }
}

impl FromStr for SearchPlace {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let (weight, item) = text.split_once('-').ok_or(NotAPlace)?;
        Ok(Self { weight: u64::from_str_radix(weight, 16).map_err(|_| NotAPlace)?, item: item.parse().map_err(|_| NotAPlace)? })
    }
}

impl From<SearchPlace> for String {
    fn from(place: SearchPlace) -> Self {
        place.to_string()
    }
}

impl TryFrom<String> for SearchPlace {
    type Error = NotAPlace;

    fn try_from(text: String) -> Result<Self, NotAPlace> {
        text.parse()
    }
}

/// How closely the words were matched. Each step is only tried when the one before found little or nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closeness {
    /// Every word occurs as typed, diacritics aside.
    #[default]
    AllWords,
    /// Some words occur with one letter changed.
    SimilarWords,
    /// Some words do not occur.
    MostWords,
}

/// A piece of a displayed text, and whether it matches the query. Plain text: the page escapes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub text: String,
    pub found: bool,
}

/// A course in the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundCourse {
    pub id: CourseId,
    pub title: String,
    /// The unit that gives the course.
    pub issuer: UnitRef,
    pub due_on: NaiveDate,
    pub state: CourseState,
    /// Whether it is assigned to the viewer; a course manager is sent to another page.
    pub is_own: bool,
}

/// A result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchItem {
    Document(DocumentSummary),
    Meeting(MeetingSummary),
    Course(FoundCourse),
}

impl SearchItem {
    pub fn id(&self) -> Ulid {
        match self {
            Self::Document(document) => document.id.ulid(),
            Self::Meeting(meeting) => meeting.id.ulid(),
            Self::Course(course) => course.id.ulid(),
        }
    }

    pub fn title(&self) -> &str {
        match self {
            Self::Document(document) => &document.title,
            Self::Meeting(meeting) => &meeting.title,
            Self::Course(course) => &course.title,
        }
    }

    /// The unit that issued the document, holds the meeting, or gives the course.
    pub const fn unit(&self) -> &UnitRef {
        match self {
            Self::Document(document) => &document.issuer,
            Self::Meeting(meeting) => &meeting.unit,
            Self::Course(course) => &course.issuer,
        }
    }

    pub const fn document(&self) -> Option<&DocumentSummary> {
        if let Self::Document(document) = self { Some(document) } else { None }
    }
}

/// A result, and why it matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    pub item: SearchItem,
    pub title: Vec<Piece>,
    /// The passage with the most matches; empty when the text has none.
    pub excerpt: Vec<Piece>,
    /// The name of the attached file with the passage; `None` when it is from the document's own text.
    pub attachment: Option<String>,
}

/// One page of results, best first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchPage {
    /// The query: the typed text, cut to [`SearchQuery::TYPED_MAX`] characters.
    pub typed: String,
    /// Whether the typed text was cut.
    pub is_cut: bool,
    /// Whether the query contains a word; punctuation alone is not searched for.
    pub is_asked: bool,
    /// Whether the index is complete; results are missing while it is built.
    pub is_ready: bool,
    pub closeness: Closeness,
    /// Number of results on all pages.
    pub total: u32,
    pub hits: Vec<SearchHit>,
    /// Cursor of the next page; `None` on the last.
    pub next: Option<SearchPlace>,
    /// The query in words that were found, if some of the typed ones were not.
    pub instead: Option<String>,
    /// Years of publication of items the viewer may read, newest first.
    pub years: Vec<u16>,
    /// Issuers of items the viewer may read, with their names at that time: the [`SearchPage::ISSUERS_MAX`] with the most
    /// documents, in tree order.
    pub issuers: Vec<UnitRef>,
}

impl SearchPage {
    /// Maximum length of the list of issuers.
    pub const ISSUERS_MAX: usize = 40;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_from_an_address() {
        let item = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("an id");
        let place = SearchPlace { weight: 30_000_481, item };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in ["", "-", "1", "x-01ARZ3NDEKTSV4RRFFQ69G5FAV", "1-2", "1ffffffffffffffff-01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
            assert_eq!(text.parse::<SearchPlace>(), Err(NotAPlace), "{text}");
        }
    }
}
