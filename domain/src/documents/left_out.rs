//! What a text taken over from a file does not have, and the file has: said, so that nobody misses it unawares.

use serde::{Deserialize, Serialize};

/// A part of a DOCX file that is left out of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// The top and the foot of every page (đầu trang, chân trang).
    Edges,
    Comments,
    Pictures,
    /// Charts, diagrams, other files and boxes too deep within each other.
    Objects,
    Hidden,
    /// Signs of fonts that are not known.
    Symbols,
}

impl LeftOut {
    pub const ALL: [Self; 6] = [Self::Edges, Self::Comments, Self::Pictures, Self::Objects, Self::Hidden, Self::Symbols];

    pub const fn key(self) -> &'static str {
        match self {
            Self::Edges => "edges",
            Self::Comments => "comments",
            Self::Pictures => "pictures",
            Self::Objects => "objects",
            Self::Hidden => "hidden",
            Self::Symbols => "symbols",
        }
    }

    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.key() == key)
    }
}
