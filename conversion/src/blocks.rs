//! A flat intermediate model of imported documents, blocks of styled text, and its Markdown output.
//!
//! The model is flat on purpose: a list item stores its level, and no block contains another. So no input can cause deep nesting.

use std::rc::Rc;

use unicode_normalization::UnicodeNormalization;

use self::{
    page::Page,
    structure::{divided, marked, numbered_notes, with_headings},
};

mod inline;
mod page;
mod structure;
mod table;

pub(super) use self::table::Table;

/// Maximum number of list levels; deeper items are put on the last one.
pub(super) const LEVELS: u8 = 6;

/// A line longer than this many characters is not written as a heading, whatever its style.
const HEADING_MAX: usize = 300;

/// Maximum length of a link address, in bytes. A longer one is dropped; the text of the link is kept.
const ADDRESS_MAX: usize = 2_000;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) struck: bool,
}

impl Style {
    const PLAIN: Self = Self { bold: false, italic: false, struck: false };

    /// The properties set in both.
    const fn and(self, other: Self) -> Self {
        Self { bold: self.bold && other.bold, italic: self.italic && other.italic, struck: self.struck && other.struck }
    }

    const fn mark(self) -> &'static str {
        match (self.struck, self.bold, self.italic) {
            (false, false, false) => "",
            (false, false, true) => "*",
            (false, true, false) => "**",
            (false, true, true) => "***",
            // Strikethrough takes precedence: all three marks together would be unreadable.
            (true, ..) => "~~",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Inline {
    Text {
        text: String,
        style: Style,
        link: Option<Rc<str>>,
    },
    Break,
    /// A reference to a footnote, by its name in the source.
    Note(String),
}

pub(super) type Text = Vec<Inline>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Bullet,
    Number(u32),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    Heading {
        level: u8,
        text: Text,
    },
    Paragraph {
        quoted: bool,
        text: Text,
    },
    Item {
        level: u8,
        marker: Marker,
        text: Text,
    },
    /// A further paragraph of the preceding item.
    More {
        level: u8,
        text: Text,
    },
    Table(Vec<Vec<Text>>),
    Rule,
    /// A footnote.
    Note {
        name: String,
        text: Text,
    },
}

impl Block {
    /// The texts of the block, without its kind.
    pub(super) fn into_texts(self) -> Vec<Text> {
        match self {
            Self::Heading { text, .. }
            | Self::Paragraph { text, .. }
            | Self::Item { text, .. }
            | Self::More { text, .. }
            | Self::Note { text, .. } => vec![text],
            Self::Table(rows) => rows.into_iter().flatten().collect(),
            Self::Rule => Vec::new(),
        }
    }
}

/// The characters of a text on one line, without styles.
pub(super) fn plain(text: &[Inline]) -> String {
    let mut plain = String::new();
    for inline in composed(text) {
        match inline {
            Inline::Text { text, .. } => plain.push_str(&text),
            Inline::Break => plain.push(' '),
            Inline::Note(_) => {}
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Appends to the text, extending its last piece if that has the same style and link. Returns the length of the address if the
/// link was stored again: one link may span any number of paragraphs.
pub(super) fn push(text: &mut Text, more: &str, style: Style, link: Option<&Rc<str>>) -> usize {
    if more.is_empty() {
        return 0;
    }
    if let Some(Inline::Text { text: last, style: before, link: leads }) = text.last_mut()
        && *before == style
        && leads.as_ref() == link
    {
        last.push_str(more);
        return 0;
    }
    text.push(Inline::Text { text: more.to_owned(), style, link: link.cloned() });
    link.map_or(0, |link| link.len())
}

pub(super) fn is_blank(text: &[Inline]) -> bool {
    text.iter().all(|inline| match inline {
        Inline::Text { text, .. } => text.chars().all(|letter| letter.is_whitespace() || kept(letter).is_none()),
        Inline::Break => true,
        Inline::Note(_) => false,
    })
}

/// An allowed link address, escaped for Markdown.
pub(super) fn address(typed: &str) -> Option<Rc<str>> {
    let typed = typed.trim();
    let is_allowed = ["http://", "https://", "mailto:"]
        .iter()
        .any(|scheme| typed.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    if !is_allowed || typed.len() > ADDRESS_MAX || typed.chars().any(char::is_control) {
        return None;
    }
    let mut address = String::with_capacity(typed.len());
    for letter in typed.chars() {
        match letter {
            ' ' | '(' | ')' | '<' | '>' | '\\' | '|' | '"' | '\'' | '`' | '*' | '[' | ']' | '^' | '{' | '}' => {
                address.push_str(&format!("%{:02X}", u32::from(letter)));
            }
            letter if letter.is_whitespace() => return None,
            letter => address.push(letter),
        }
    }
    Some(address.into())
}

/// A superscript or subscript number as Unicode digits: m2 is not m².
pub(super) fn shifted(text: &str, raised: bool) -> Option<String> {
    let digits = if raised { "⁰¹²³⁴⁵⁶⁷⁸⁹" } else { "₀₁₂₃₄₅₆₇₈₉" };
    text.trim().chars().map(|letter| digits.chars().nth(letter.to_digit(10)? as usize)).collect::<Option<String>>()
}

/// Normalises to NFC: letters and diacritics as one code point, as Vietnamese keyboards write them.
fn composed(text: &[Inline]) -> Text {
    text.iter()
        .map(|inline| match inline {
            Inline::Text { text, style, link } => {
                Inline::Text { text: text.nfc().filter_map(kept).collect(), style: *style, link: link.clone() }
            }
            other => other.clone(),
        })
        .collect()
}

/// Drops invisible and bidirectional control characters; turns all white space into spaces.
fn kept(letter: char) -> Option<char> {
    match letter {
        '\u{ad}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2060}'
        | '\u{feff}'
        | '\u{fffc}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{e0000}'..='\u{e007f}' => None,
        letter if letter.is_whitespace() => Some(' '),
        letter if letter.is_control() => None,
        letter => Some(letter),
    }
}

/// The blocks as Markdown, with headings from `##` down, and numbered footnotes at the end.
pub(super) fn markdown(blocks: Vec<Block>) -> String {
    let blocks = blocks.into_iter().flat_map(divided).map(marked).collect();
    let mut blocks = numbered_notes(with_headings(blocks));
    let highest =
        blocks.iter().filter_map(|block| if let Block::Heading { level, .. } = block { Some(*level) } else { None }).min();
    for block in &mut blocks {
        if let Block::Heading { level, .. } = block {
            *level = (*level - highest.unwrap_or(*level) + 2).min(6);
        }
    }
    let mut page = Page::default();
    for block in &blocks {
        page.write(block);
    }
    page.text
}

#[cfg(test)]
mod tests;
