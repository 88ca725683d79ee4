//! Reads clipboard HTML for its structure and text.
//!
//! This is not the browser's parsing algorithm: there, unclosed formatting tags are reopened in each block, and the work grows
//! with every level of nesting. Here every tag is read once and the stack of open elements is bounded. Word's conventions are
//! handled: its lists are paragraphs with a style, its footnotes are links. Only the source's words, a few styles and allowed
//! addresses are kept.
//!
//! html5ever's tokenizer is not used: it keeps all attributes of a tag and compares each with those before it (`finish_attribute`
//! in 0.40), so a pasted tag with hundreds of thousands of attributes takes quadratic time, and it has no limit. Here unused
//! attributes are skipped.

use std::{borrow::Cow, collections::HashMap, rc::Rc};

use domain::documents::Body as Limit;
use pulldown_cmark::{Event, Parser};

use super::blocks::{self, Block, Inline, LEVELS, Marker, Style, Table, Text};

/// Maximum depth of open elements. Deeper ones still separate paragraphs.
const DEPTH: usize = 100;

/// Maximum length of an attribute value that is read, in bytes.
const ATTRIBUTE_MAX: usize = 2_000;

/// Maximum total length of link addresses, in bytes; beyond it, links become text. One link may span many paragraphs.
const ADDRESSES_MAX: usize = 4 * Limit::MAX as usize;

pub(super) fn blocks(html: &str) -> Vec<Block> {
    let mut reader = Reader::default();
    let mut rest = html;
    // Where to search for the next `<`: those before it are text, added in one piece.
    let mut from = 0;
    while let Some(at) = rest[from..].find('<').map(|at| from + at) {
        let token = token(&rest[at..]);
        if !matches!(token, Token::Text) {
            reader.text(&rest[..at]);
        }
        (rest, from) = match token {
            Token::Open(tag, behind) => {
                let hidden = hidden_until(&tag.name);
                reader.open(tag);
                (hidden.map_or(behind, |name| behind_close(behind, name)), 0)
            }
            Token::Close(name, behind) => {
                reader.close(&name);
                (behind, 0)
            }
            Token::Nothing(behind) => (behind, 0),
            Token::Text => (rest, at + 1),
        };
    }
    reader.text(rest);
    reader.finish()
}

enum Token<'h> {
    Open(Tag<'h>, &'h str),
    Close(String, &'h str),
    Nothing(&'h str),
    /// Not a tag: a literal `<`.
    Text,
}

struct Tag<'h> {
    name: String,
    attributes: HashMap<String, Cow<'h, str>>,
}

impl Tag<'_> {
    fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", |value| value.as_ref())
    }

    fn number(&self, name: &str) -> u32 {
        self.get(name).trim().parse().unwrap_or(1)
    }
}

/// The token at the start of `html`, which begins with `<`, and the rest.
fn token(html: &str) -> Token<'_> {
    if let Some(comment) = html.strip_prefix("<!--") {
        return Token::Nothing(comment.find("-->").map_or("", |end| &comment[end + 3..]));
    }
    if html.starts_with("<!") || html.starts_with("<?") {
        return Token::Nothing(html.find('>').map_or("", |end| &html[end + 1..]));
    }
    let is_close = html.starts_with("</");
    let start = if is_close { 2 } else { 1 };
    let length = html[start..].bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-')).count();
    if length == 0 || !html.as_bytes()[start].is_ascii_alphabetic() {
        return Token::Text;
    }
    let name = html[start..start + length].to_ascii_lowercase();
    let (attributes, behind) = attributes(&html[start + length..]);
    if is_close { Token::Close(name, behind) } else { Token::Open(Tag { name, attributes }, behind) }
}

/// The attributes up to the end of the tag, and the rest.
fn attributes(mut html: &str) -> (HashMap<String, Cow<'_, str>>, &str) {
    const KNOWN: [&str; 9] = ["class", "colspan", "href", "id", "name", "rowspan", "start", "style", "value"];
    let mut attributes = HashMap::new();
    loop {
        html = html.trim_start_matches(|letter: char| letter.is_ascii_whitespace() || letter == '/');
        let Some(first) = html.chars().next() else { return (attributes, "") };
        if first == '>' {
            return (attributes, &html[1..]);
        }
        let length =
            html.find(|letter: char| letter.is_ascii_whitespace() || matches!(letter, '=' | '>' | '/')).unwrap_or(html.len());
        // A name may begin with `=`.
        let (name, rest) = html.split_at(length.max(first.len_utf8()));
        let (value, rest) = value(rest);
        if let Some(known) = KNOWN.iter().find(|known| name.eq_ignore_ascii_case(known)) {
            attributes.entry((*known).to_owned()).or_insert_with(|| decoded(shortened(value)));
        }
        html = rest;
    }
}

/// The value after `=`, if any, and the rest.
fn value(html: &str) -> (&str, &str) {
    let Some(rest) = html.trim_ascii_start().strip_prefix('=') else { return ("", html) };
    let rest = rest.trim_ascii_start();
    for quote in ['"', '\''] {
        if let Some(rest) = rest.strip_prefix(quote) {
            return rest.split_once(quote).unwrap_or((rest, ""));
        }
    }
    let length = rest.find(|letter: char| letter.is_ascii_whitespace() || letter == '>').unwrap_or(rest.len());
    rest.split_at(length)
}

fn shortened(value: &str) -> &str {
    let end = (0..=value.len().min(ATTRIBUTE_MAX)).rev().find(|at| value.is_char_boundary(*at)).unwrap_or(0);
    &value[..end]
}

/// Elements whose content is never shown.
fn hidden_until(name: &str) -> Option<&'static str> {
    const HIDDEN: [&str; 17] = [
        "script", "style", "xml", "title", "svg", "math", "template", "iframe", "object", "noscript", "textarea", "select",
        "audio", "video", "canvas", "datalist", "noframes",
    ];
    HIDDEN.into_iter().find(|hidden| *hidden == name)
}

/// The text after the closing tag; empty when there is none.
fn behind_close<'h>(html: &'h str, name: &str) -> &'h str {
    let mut rest = html;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        let Some((found, behind)) = rest.split_at_checked(name.len()) else { continue };
        let ends = behind.starts_with(|next: char| next.is_ascii_whitespace() || matches!(next, '>' | '/'));
        if ends && found.eq_ignore_ascii_case(name) {
            return behind.find('>').map_or("", |end| &behind[end + 1..]);
        }
    }
    ""
}

/// The text with its entities decoded.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = rest[1..].bytes().take(40).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#').count();
        let is_entity = length > 0 && rest[1 + length..].starts_with(';');
        let (entity, behind) = rest.split_at(if is_entity { length + 2 } else { 1 });
        if is_entity {
            // The Markdown parser decodes the same entities. It yields no text for a space.
            let signs = Parser::new(entity).filter_map(|event| if let Event::Text(sign) = event { Some(sign) } else { None });
            let before = decoded.len();
            signs.for_each(|sign| decoded.push_str(&sign));
            if decoded.len() == before {
                decoded.push(' ');
            }
        } else {
            decoded.push_str(entity);
        }
        rest = behind;
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// The formatting at the current position.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent properties of a place")]
struct InlineContext {
    style: Style,
    link: Option<Rc<str>>,
    raised: Option<bool>,
    /// 0 outside headings.
    heading: u8,
    quoted: bool,
    /// Number of enclosing lists.
    level: u8,
    tables: u8,
    lines: bool,
    hidden: bool,
    /// Inside a list marker, which Word writes as text.
    marker: bool,
}

struct Open {
    name: String,
    context: InlineContext,
}

struct List {
    ordered: bool,
    next: u32,
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    open: Vec<Open>,
    text: Text,
    lists: Vec<List>,
    /// The marker of an item without text yet.
    marker: Option<Marker>,
    table: Option<Table>,
    /// The list level of a Word paragraph, and its marker.
    word_level: Option<u8>,
    word_marker: String,
    /// The footnote that this paragraph defines.
    note: Option<String>,
    /// Total length of the addresses so far, in bytes.
    addresses: usize,
}

impl Reader {
    fn context(&self) -> InlineContext {
        self.open.last().map(|open| open.context.clone()).unwrap_or_default()
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let text = decoded(text);
        let context = self.context();
        if context.hidden {
            return;
        }
        if context.marker {
            self.word_marker.push_str(text.trim());
            return;
        }
        let text = match context.raised.and_then(|raised| blocks::shifted(&text, raised)) {
            Some(shifted) => Cow::Owned(shifted),
            None => text,
        };
        if !context.lines {
            return self.add(&text, &context);
        }
        for (at, line) in text.lines().enumerate() {
            if at > 0 {
                self.text.push(Inline::Break);
            }
            self.add(line, &context);
        }
    }

    fn add(&mut self, text: &str, context: &InlineContext) {
        let link = context.link.as_ref().filter(|link| self.addresses + link.len() <= ADDRESSES_MAX);
        self.addresses += blocks::push(&mut self.text, text, context.style, link);
    }

    fn open(&mut self, tag: Tag<'_>) {
        if is_block(&tag.name) {
            self.close_implied(&tag.name);
            self.end_paragraph();
        }
        let mut context = self.context();
        styled(&mut context, &tag);
        match tag.name.as_str() {
            "br" => return self.line_break(),
            "hr" => return self.blocks.push(Block::Rule),
            "img" | "input" | "col" | "link" | "meta" | "base" | "wbr" | "area" | "embed" | "source" | "track" => return,
            _ if self.open.len() >= DEPTH => return,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => context.heading = tag.name.as_bytes()[1] - b'0',
            "p" | "div" => self.word_paragraph(&tag, &mut context),
            "blockquote" => context.quoted = true,
            "pre" => context.lines = true,
            "ul" | "ol" | "menu" | "dir" => {
                context.level = context.level.saturating_add(1).min(LEVELS);
                self.lists.push(List { ordered: tag.name == "ol", next: tag.number("start") });
            }
            "li" => self.item(&tag, &mut context),
            "a" => self.anchor(&tag, &mut context),
            "table" => {
                context.tables = context.tables.saturating_add(1);
                if context.tables == 1 {
                    self.table = Some(Table::default());
                }
            }
            "tr" if context.tables == 1 => self.in_table(Table::row),
            "td" | "th" if context.tables == 1 => {
                let (columns, rows) = (tag.number("colspan"), tag.number("rowspan"));
                self.in_table(|table| table.cell(columns, rows));
            }
            _ => {}
        }
        self.open.push(Open { name: tag.name, context });
    }

    /// Closes the innermost element of this name and everything open inside it.
    fn close(&mut self, name: &str) {
        if is_block(name) {
            self.end_paragraph();
        }
        if let Some(at) = self.open.iter().rposition(|open| open.name == name) {
            self.close_from(at);
        }
    }

    fn close_from(&mut self, at: usize) {
        while self.open.len() > at {
            if self.open.last().is_some_and(|open| is_block(&open.name)) {
                self.end_paragraph();
            }
            let Some(Open { name, context }) = self.open.pop() else { return };
            match name.as_str() {
                "ul" | "ol" | "menu" | "dir" => {
                    self.lists.pop();
                }
                // An item that ends without text leaves no marker for what follows.
                "li" => self.marker = None,
                "p" | "div" => (self.word_level, self.note) = (None, None),
                "td" | "th" if context.tables == 1 => self.in_table(Table::end_cell),
                "table" if context.tables == 1 => {
                    let table = self.table.take().map(Table::finish);
                    self.blocks.extend(table.unwrap_or_default());
                }
                _ => {}
            }
        }
    }

    /// Closes elements that the new one ends implicitly.
    fn close_implied(&mut self, name: &str) {
        let (ended, within): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "menu", "dir", "table"]),
            "tr" => (&["tr"], &["table"]),
            "td" | "th" => (&["td", "th"], &["tr", "table"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl", "table"]),
            _ => (&["p"], &["td", "th", "li", "blockquote", "div", "table"]),
        };
        for at in (0..self.open.len()).rev() {
            let open = self.open[at].name.as_str();
            if ended.contains(&open) {
                return self.close_from(at);
            }
            if within.contains(&open) {
                return;
            }
        }
    }

    fn in_table(&mut self, change: impl FnOnce(&mut Table)) {
        if let Some(table) = &mut self.table {
            change(table);
        }
    }

    fn line_break(&mut self) {
        if !self.context().hidden {
            self.text.push(Inline::Break);
        }
    }

    /// The role of a Word paragraph: a title, a quotation, a list item.
    fn word_paragraph(&mut self, tag: &Tag<'_>, context: &mut InlineContext) {
        let class = tag.get("class").to_ascii_lowercase();
        if class.contains("msotitle") {
            context.heading = 1;
        }
        if class.contains("quote") && class.contains("mso") {
            context.quoted = true;
        }
        let style = compact(tag.get("style"));
        if let Some((_, list)) = style.split_once("mso-list:")
            && let Some((_, level)) = list.split_once("level")
            && let Some(level) = level.chars().next().and_then(|digit| digit.to_digit(10))
        {
            self.word_level = u8::try_from(level).ok().map(|level| level.clamp(1, LEVELS) - 1);
            self.word_marker.clear();
        }
    }

    fn item(&mut self, tag: &Tag<'_>, context: &mut InlineContext) {
        context.level = context.level.max(1);
        let marker = match self.lists.last_mut() {
            Some(list) if list.ordered => {
                if !tag.get("value").is_empty() {
                    list.next = tag.number("value");
                }
                let number = list.next;
                list.next = list.next.saturating_add(1);
                Marker::Number(number.min(999_999))
            }
            _ => Marker::Bullet,
        };
        self.marker = Some(marker);
    }

    /// A link with an allowed address; a link to or from a footnote becomes the footnote's reference.
    fn anchor(&mut self, tag: &Tag<'_>, context: &mut InlineContext) {
        let href = tag.get("href");
        let Some((before, fragment)) = href.split_once('#') else {
            context.link = blocks::address(href);
            return;
        };
        match note_name(fragment) {
            Some((name, true)) => {
                context.hidden = true;
                self.note.get_or_insert(name);
            }
            Some((name, false)) => {
                if !context.hidden {
                    self.text.push(Inline::Note(name));
                }
                context.hidden = true;
            }
            None => context.link = if before.is_empty() { None } else { blocks::address(href) },
        }
    }

    fn end_paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        let word = self.word_level.take().map(|level| (level, std::mem::take(&mut self.word_marker)));
        if blocks::is_blank(&text) {
            // Word's paragraphs contain inner blocks; the level still applies to those.
            self.word_level = word.map(|(level, marker)| {
                self.word_marker = marker;
                level
            });
            return;
        }
        let context = self.context();
        if let Some(table) = self.table.as_mut().filter(|table| table.takes_text()) {
            self.marker = None;
            return table.paragraph(text);
        }
        let level = context.level.saturating_sub(1);
        let block = match (self.note.take(), context.heading, word, self.marker.take()) {
            (Some(name), ..) => Block::Note { name, text },
            (_, 0, Some((level, marker)), _) => word_item(level, &marker, text),
            (_, 0, None, Some(marker)) => Block::Item { level, marker, text },
            (_, 0, None, None) if context.level > 0 => Block::More { level, text },
            (_, 0, None, None) => Block::Paragraph { quoted: context.quoted, text },
            (_, level, ..) => Block::Heading { level, text },
        };
        self.blocks.push(block);
    }

    fn finish(mut self) -> Vec<Block> {
        self.end_paragraph();
        self.close_from(0);
        self.blocks
    }
}

/// An item of a Word list. A label that is neither a bullet nor a plain number, "a)" or "1.2.", stays in the text.
fn word_item(level: u8, marker: &str, mut text: Text) -> Block {
    let digits = marker.trim_end_matches(['.', ')']);
    if let Some(number) = digits.parse().ok().filter(|number| *number < 1_000) {
        return Block::Item { level, marker: Marker::Number(number), text };
    }
    let is_bullet = marker.chars().count() <= 1 || !marker.chars().any(char::is_alphanumeric);
    if !is_bullet {
        let label = Inline::Text { text: format!("{marker} "), style: Style::default(), link: None };
        text.insert(0, label);
    }
    Block::Item { level, marker: Marker::Bullet, text }
}

/// The footnote that a fragment belongs to, and whether it is the back reference.
fn note_name(fragment: &str) -> Option<(String, bool)> {
    let name: String = fragment.chars().filter(char::is_ascii_alphanumeric).take(60).collect::<String>().to_ascii_lowercase();
    let is_note = ["ftn", "edn", "fn", "sdfootnote", "sdendnote", "footnote", "endnote", "citenote", "citeref", "note"]
        .iter()
        .any(|start| name.strip_prefix(start).is_some_and(|rest| rest.contains(|letter: char| letter.is_ascii_digit())));
    let is_back = name.contains("ref") || name.ends_with("anc");
    let name = name.replace("ref", "").replace("anc", "").replace("sym", "").replace("citenote", "cite");
    is_note.then_some((name, is_back))
}

fn compact(style: &str) -> String {
    style.chars().filter(|letter| !letter.is_whitespace()).collect::<String>().to_ascii_lowercase()
}

/// Applies the formatting of the tag and of its `style`.
fn styled(context: &mut InlineContext, tag: &Tag<'_>) {
    match tag.name.as_str() {
        "b" | "strong" => context.style.bold = true,
        "i" | "em" | "cite" | "dfn" | "var" => context.style.italic = true,
        "s" | "strike" | "del" => context.style.struck = true,
        "sup" => context.raised = Some(true),
        "sub" => context.raised = Some(false),
        _ => {}
    }
    if tag.get("style").is_empty() {
        return;
    }
    for declaration in compact(tag.get("style")).split(';') {
        let Some((property, value)) = declaration.split_once(':') else { continue };
        match (property, value) {
            ("font-weight", "bold" | "bolder" | "600" | "700" | "800" | "900") => context.style.bold = true,
            ("font-weight", _) => context.style.bold = false,
            ("font-style", value) => context.style.italic = value == "italic" || value == "oblique",
            ("text-decoration" | "text-decoration-line", value) => context.style.struck |= value.contains("line-through"),
            ("vertical-align", "super") => context.raised = Some(true),
            ("vertical-align", "sub") => context.raised = Some(false),
            ("display", "none") | ("visibility", "hidden") | ("mso-hide", "all") => context.hidden = true,
            ("mso-list", "ignore") => context.marker = true,
            _ => {}
        }
    }
}

/// Block-level elements.
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "head"
            | "header"
            | "hr"
            | "html"
            | "legend"
            | "li"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
}

#[cfg(test)]
mod tests;
