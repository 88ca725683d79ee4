//! Support for writing at the desk: unsaved input, concurrent editors, preview.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::DocumentId;

/// A text as readers will see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Sanitised HTML.
    pub html: String,
    pub words: u32,
    pub characters: u32,
    /// Minutes an unhurried reader needs.
    pub minutes: u32,
}

/// Counts the words of a text.
pub fn words(text: &str) -> u32 {
    // Isolated Markdown syntax is not a word.
    let words = text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count();
    u32::try_from(words).unwrap_or(u32::MAX)
}

/// Most unsaved texts of all documents that are listed for one person.
pub const UNSAVED_LISTED: usize = 50;

/// Input that was not saved, kept by the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsaved {
    pub document: DocumentId,
    pub title: String,
    pub body: String,
    /// The version it started from; `0` for a document that was never saved.
    pub version: u32,
    pub at: DateTime<Utc>,
}

/// What an editor is shown on opening a draft.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writing {
    /// The viewer's unsaved input: of this draft, or of documents never saved. Newest first.
    pub unsaved: Vec<Unsaved>,
    /// Names of other editors who have this draft open.
    pub others: Vec<String>,
}

/// Confirms that the server stored unsaved input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub at: DateTime<Utc>,
    /// The stored version of the draft: a higher one than the editor's means that somebody else saved meanwhile.
    pub version: u32,
    pub others: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn signs_are_no_words() {
        assert_eq!(words("## Mục tiêu\n\n- một **hai**\n| ba | --- |"), 5);
        assert_eq!(words(" \n# "), 0);
    }
}
