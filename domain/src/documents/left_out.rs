//! Parts of a source file that an imported text does not have. They are reported to the editor.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// A part of a DOCX file that is left out of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LeftOut {
    /// Headers and footers of pages (đầu trang, chân trang).
    Edges,
    Comments,
    Pictures,
    /// Charts, diagrams, embedded files, and text boxes nested too deeply.
    Objects,
    Hidden,
    /// Symbols of unknown fonts.
    Symbols,
}

crate::keyed!(LeftOut);
