//! Searching documents, meetings and courses (tìm kiếm): what can be asked, and what comes back.

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

/// What can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SearchKind {
    Documents,
    Meetings,
    Courses,
}

crate::keyed!(SearchKind);

/// What a search page asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchQuery {
    /// As it was typed: words, a number, phrases in quotes.
    pub typed: String,
    pub what: Option<SearchKind>,
    /// This and all below but `after` are asked of documents: meetings and courses have none of them.
    pub kind: Option<DocumentKind>,
    /// Level of the issuing unit.
    pub level: Option<UnitKind>,
    pub field: Option<DocumentField>,
    /// The issuing unit itself, not those below it.
    pub issuer: Option<UnitId>,
    /// Year of publication.
    pub year: Option<u16>,
    /// Continue after this place (exclusive): the `next` of the page before.
    pub after: Option<SearchPlace>,
}

impl SearchQuery {
    /// Characters of a query that are looked at; what is typed beyond them is left out.
    pub const TYPED_MAX: usize = 200;

    /// Whether something narrows the documents.
    pub const fn is_filtered(&self) -> bool {
        self.kind.is_some() || self.level.is_some() || self.field.is_some() || self.issuer.is_some() || self.year.is_some()
    }
}

/// A place in the order of results: by weight, the newest of equal weight first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SearchPlace {
    pub weight: u64,
    /// The id of the document, meeting or course.
    pub item: Ulid,
}

/// The text is not a place in a list of results.
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

/// How far the words were met. Each step is only gone when the one before found little or nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closeness {
    /// Every word occurs as it was typed, marks aside.
    #[default]
    AllWords,
    /// Some words occur with another letter than typed.
    SimilarWords,
    /// Some words do not occur.
    MostWords,
}

/// A piece of a text that is shown, and whether it is what was searched for. Plain text: the page escapes it as any other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub text: String,
    pub found: bool,
}

/// A course that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundCourse {
    pub id: CourseId,
    pub title: String,
    /// The unit that gives it.
    pub issuer: UnitRef,
    pub due_on: NaiveDate,
    pub state: CourseState,
    /// Whether the reader has it to study; who only gives it has another page of it.
    pub is_own: bool,
}

/// What was found.
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

    /// The unit that issued the document, meets, or gives the course.
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

/// An item that was found, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    pub item: SearchItem,
    pub title: Vec<Piece>,
    /// The passage where most of the words are; empty when none is in the text.
    pub excerpt: Vec<Piece>,
    /// The name of the attached file the passage is from; none when it is the document's own.
    pub attachment: Option<String>,
}

/// One page of results, the best first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchPage {
    /// What was searched for: what was typed, at most [`SearchQuery::TYPED_MAX`] characters of it.
    pub typed: String,
    /// Whether more was typed than was looked at.
    pub is_cut: bool,
    /// Whether there was anything to search for: signs alone are nothing.
    pub is_asked: bool,
    /// Whether the index is complete; while it is built, results are missing.
    pub is_ready: bool,
    pub closeness: Closeness,
    /// Items found, on all pages together.
    pub total: u32,
    pub hits: Vec<SearchHit>,
    /// Where the next page starts; none on the last.
    pub next: Option<SearchPlace>,
    /// The query in words that were found, when some of those typed were not.
    pub instead: Option<String>,
    /// Years in which something the reader may read was published, the newest first.
    pub years: Vec<u16>,
    /// Units that issued something the reader may read, as they were called then: at most [`SearchPage::ISSUERS_MAX`], those with the
    /// most documents, in the order of the tree.
    pub issuers: Vec<UnitRef>,
}

impl SearchPage {
    /// Longer lists to choose from help nobody.
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
