//! What writing at the desk needs besides the text: what was typed and not saved, who else is at it, how it will look.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::DocumentId;

/// A text as its readers will see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Sanitised HTML.
    pub html: String,
    pub words: u32,
    pub characters: u32,
    /// Minutes an unhurried reader needs.
    pub minutes: u32,
}

/// Words as a reader counts them.
pub fn words(text: &str) -> u32 {
    // Signs of Markdown stand by themselves and are no words.
    let words = text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count();
    u32::try_from(words).unwrap_or(u32::MAX)
}

/// What somebody typed and has not saved, kept by the server meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsaved {
    pub document: DocumentId,
    pub title: String,
    pub body: String,
    /// The version it started from; `0` for a document that was never saved.
    pub version: u32,
    pub at: DateTime<Utc>,
}

/// What an editor finds on opening a draft.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writing {
    /// Of this person: of the draft, or of documents never saved. The newest first.
    pub unsaved: Vec<Unsaved>,
    /// Names of others who are at this draft right now.
    pub others: Vec<String>,
}

/// That what was typed is kept by the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub at: DateTime<Utc>,
    /// The version of the draft in the store: a higher one than the editor's means somebody saved meanwhile.
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
