//! The styles of a document by id: the formatting that a paragraph or run inherits.

use std::collections::HashMap;

use domain::folding::fold;

use super::{Attributes, Visitor, short};

/// Maximum length of a chain of base styles.
const BASES: usize = 12;

#[derive(Default)]
pub(super) struct Styles {
    rows: HashMap<String, Row>,
    /// The style of paragraphs that name none.
    normal: String,
    /// The default font of the document.
    font: Option<String>,
    open: String,
}

#[derive(Default)]
pub(super) struct Row {
    id: String,
    name: String,
    based_on: String,
    outline: Option<u8>,
    num: Option<String>,
    level: Option<u8>,
    pub(super) bold: bool,
    pub(super) italic: bool,
    hidden: Option<bool>,
    font: Option<String>,
}

impl Visitor for Styles {
    fn open(&mut self, name: &str, attributes: &Attributes<'_>, around: &[String]) -> bool {
        if name == "style" {
            self.open = short(attributes.get("styleId").unwrap_or_default());
            let is_normal = matches!(attributes.get("default"), Some("1" | "true" | "on"));
            if is_normal && attributes.get("type") == Some("paragraph") {
                self.normal.clone_from(&self.open);
            }
            self.rows.insert(self.open.clone(), Row { id: self.open.clone(), ..Row::default() });
            return true;
        }
        if name == "rFonts" && around.iter().any(|around| around == "docDefaults") {
            self.font = font_named(attributes);
        }
        let Some(style) = self.rows.get_mut(&self.open) else { return true };
        match name {
            "name" => style.name = fold(&short(attributes.val())),
            "basedOn" => style.based_on = short(attributes.val()),
            "outlineLvl" => style.outline = attributes.val().parse().ok(),
            "numId" => style.num = Some(short(attributes.val())),
            "ilvl" => style.level = attributes.val().parse().ok(),
            "b" => style.bold = attributes.is_on(),
            "i" => style.italic = attributes.is_on(),
            "vanish" => style.hidden = Some(attributes.is_on()),
            "rFonts" => style.font = font_named(attributes),
            _ => {}
        }
        true
    }

    fn close(&mut self, name: &str) {
        if name == "style" {
            self.open.clear();
        }
    }
}

/// The font of Latin text. A theme font has no name here, and is never a legacy Vietnamese font.
pub(super) fn font_named(attributes: &Attributes<'_>) -> Option<String> {
    if attributes.get("asciiTheme").is_some() {
        return Some(String::new());
    }
    attributes.get("ascii").or_else(|| attributes.get("hAnsi")).map(short)
}

impl Styles {
    /// The style and the styles it is based on, nearest first.
    pub(super) fn line(&self, id: &str) -> impl Iterator<Item = &Row> {
        let first = self.rows.get(if id.is_empty() { self.normal.as_str() } else { id });
        std::iter::successors(first, |style| self.rows.get(&style.based_on)).take(BASES)
    }

    /// The heading level of paragraphs with this style, from 1; 0 for the document title.
    pub(super) fn heading(&self, id: &str) -> Option<u8> {
        let of_style = |style: &Row| match style.outline {
            // 9 is Word's "body text".
            Some(outline) => (outline < 9).then_some(outline + 1),
            None => heading_named(&style.name),
        };
        self.line(id).find_map(of_style)
    }

    pub(super) fn is_quote(&self, id: &str) -> bool {
        self.line(id).any(|style| matches!(style.name.as_str(), "quote" | "intense quote" | "trich dan" | "doan trich dan"))
    }

    /// The list of paragraphs with this style, and their level if a style sets it.
    pub(super) fn list(&self, id: &str) -> Option<(&str, Option<u8>)> {
        let num = self.line(id).find_map(|style| style.num.as_deref())?;
        Some((num, self.line(id).find_map(|style| style.level)))
    }

    /// The ids of the style and of the styles it is based on.
    pub(super) fn ids(&self, id: &str) -> impl Iterator<Item = &str> {
        self.line(id).map(|style| style.id.as_str())
    }

    /// Whether text with this style is hidden; `None` if no style says so.
    pub(super) fn hides(&self, id: &str) -> Option<bool> {
        self.line(id).find_map(|style| style.hidden)
    }

    pub(super) fn font(&self, id: &str) -> Option<&str> {
        self.line(id).find_map(|style| style.font.as_deref())
    }

    pub(super) fn default_font(&self) -> Option<&str> {
        self.font.as_deref()
    }
}

/// "heading 2", in Vietnamese "Đầu đề 2", "Tiêu đề 2"; a title is above them all.
fn heading_named(name: &str) -> Option<u8> {
    if matches!(name, "title" | "tieu de" | "ten van ban" | "dau de") {
        return Some(0);
    }
    let digit = ["heading ", "dau de ", "tieu de ", "de muc "].iter().find_map(|start| name.strip_prefix(start))?;
    digit.parse().ok().filter(|level| (1..=9).contains(level))
}
