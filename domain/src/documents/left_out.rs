//! What a text taken over from a file does not have, and the file has: said, so that nobody misses it unawares.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// A part of a DOCX file that is left out of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
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

crate::keyed!(LeftOut);
