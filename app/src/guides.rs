//! Short illustrated guides: one for each role, and how to install the handbook on a phone. Public, also before the first
//! sign-in.
//!
//! Their texts stay on the server: they are fetched like the data of any other page and are not part of the WebAssembly.

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
    /// Audience and purpose, in a sentence.
    pub lead: String,
}

/// A guide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guide {
    pub title: String,
    pub lead: String,
    /// Sanitised HTML.
    pub html: String,
}
