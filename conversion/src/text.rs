//! Converts external texts to Markdown: HTML pasted from Word, Google Docs or a web page, and whole DOCX files.
//!
//! Invariant: the output is Markdown like any an editor types. It is sanitised when rendered, not here.

use domain::documents::{Body, LeftOut, Title};

use crate::{
    blocks,
    docx::{self, Read},
    html,
};

pub use crate::docx::Failure;

/// The result of a conversion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Converted {
    /// The title, if the text begins with one.
    pub title: Option<String>,
    /// The text after the title.
    pub text: String,
    /// The text with the title as a heading.
    pub whole: String,
    /// Content that was not converted.
    pub left_out: Vec<LeftOut>,
}

/// Converts text copied from another program. What cannot be read is left out.
pub fn from_html(html: &str) -> Converted {
    converted(Read { blocks: html::blocks(html), ..Read::default() })
}

/// Converts a DOCX file.
///
/// # Errors
/// [`Failure`] when the file is no readable DOCX file, or too long.
pub fn from_docx(file: &[u8]) -> Result<Converted, Failure> {
    docx::read(file).map(converted)
}

fn converted(read: Read) -> Converted {
    let whole = blocks::markdown(read.blocks.clone());
    let (title, rest) = docx::titled(read.blocks);
    let text = blocks::markdown(rest);
    let title = title.and_then(|title| Title::parse(&blocks::plain(&title)).ok()).filter(|_| Body::parse(&text).is_ok());
    Converted {
        text: if title.is_some() { text } else { whole.clone() },
        title: title.map(|title| title.as_str().to_owned()),
        whole,
        left_out: read.left_out.into_iter().collect(),
    }
}
