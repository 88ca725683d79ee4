//! Short guides with drawings: one for each role, and how to put the handbook on a phone. Everybody may read them, also before the
//! first sign-in.
//!
//! Their text stays on the server: it is fetched like any other page's data and is no part of what a browser loads first.

mod fns;
mod index;
mod list_page;
mod read_page;

#[cfg(test)]
pub(crate) use index::texts;
pub use list_page::GuidesPage;
pub use read_page::GuidePage;

use serde::{Deserialize, Serialize};

/// A guide in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuideSummary {
    pub slug: String,
    pub title: String,
    /// For whom and what it is good for, in a sentence.
    pub lead: String,
}

/// A guide to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guide {
    pub title: String,
    pub lead: String,
    /// Sanitised.
    pub html: String,
}
