//! A flat intermediate model of imported documents, blocks of styled text, and its Markdown output.
//!
//! The model is flat on purpose: a list item stores its level, and no block contains another. So no input can cause deep nesting.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use domain::folding::fold;
use pulldown_cmark::{Event, Options, Parser};
use unicode_normalization::UnicodeNormalization;

/// Maximum number of list levels; deeper items are put on the last one.
pub(super) const LEVELS: u8 = 6;

/// A line longer than this many characters is not written as a heading, whatever its style.
const HEADING_MAX: usize = 300;

/// Maximum number of table columns.
const COLUMNS: usize = 30;

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

/// A table being read.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<Vec<Text>>>,
    /// For each column, how many of the next rows are covered by a cell above.
    taken: [u32; COLUMNS],
    cell: Option<Vec<Text>>,
}

impl Table {
    pub(super) fn row(&mut self) {
        self.end_cell();
        // If the row ended early, the remaining columns' spans must shrink by a row too.
        let reached = self.rows.last().map_or(COLUMNS, Vec::len).min(COLUMNS);
        for taken in &mut self.taken[reached..] {
            *taken = taken.saturating_sub(1);
        }
        self.rows.push(Vec::new());
    }

    /// Begins a cell that spans the given columns and rows.
    pub(super) fn cell(&mut self, columns: u32, rows: u32) {
        self.end_cell();
        if self.rows.is_empty() {
            self.rows.push(Vec::new());
        }
        self.skip_taken();
        let Some(row) = self.rows.last() else { return };
        let at = row.len();
        for column in at..(at + columns.clamp(1, 30) as usize).min(COLUMNS) {
            self.taken[column] = rows.max(1);
        }
        self.cell = Some(Vec::new());
    }

    /// Sets the column span of the current cell.
    pub(super) fn widen(&mut self, columns: u32) {
        let Some(row) = self.rows.last().filter(|_| self.cell.is_some()) else { return };
        let at = row.len() + 1;
        for taken in self.taken.iter_mut().take(row.len() + columns.clamp(1, 30) as usize).skip(at) {
            *taken = (*taken).max(1);
        }
    }

    /// Whether a cell is open for text.
    pub(super) fn takes_text(&self) -> bool {
        self.cell.is_some()
    }

    pub(super) fn paragraph(&mut self, text: Text) {
        if let Some(cell) = &mut self.cell {
            cell.push(text);
        }
    }

    pub(super) fn end_cell(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        let Some(row) = self.rows.last_mut() else { return };
        if row.len() >= COLUMNS {
            return;
        }
        // The cell's own row is done.
        let at = row.len();
        self.taken[at] -= 1;
        row.push(cell);
        self.skip_taken();
    }

    /// Fills the positions covered by an earlier cell's span with empty cells.
    fn skip_taken(&mut self) {
        let Some(row) = self.rows.last_mut() else { return };
        while let Some(taken) = self.taken.get_mut(row.len())
            && *taken > 0
        {
            *taken -= 1;
            row.push(Vec::new());
        }
    }

    /// A table with a single column becomes paragraphs.
    pub(super) fn finish(mut self) -> Vec<Block> {
        self.end_cell();
        let is_empty = |cell: &Vec<Text>| cell.iter().all(|text| is_blank(text));
        self.rows.retain(|row| !row.iter().all(is_empty));
        let columns =
            self.rows.iter().filter_map(|row| row.iter().rposition(|cell| !is_empty(cell))).max().map_or(0, |at| at + 1);
        if columns <= 1 {
            let texts = self.rows.into_iter().flatten().flatten().filter(|text| !is_blank(text));
            return texts.map(|text| Block::Paragraph { quoted: false, text }).collect();
        }
        let rows = self.rows.into_iter().map(|mut row| {
            row.resize(columns, Vec::new());
            row.into_iter().map(|cell| cell.join(&Inline::Break)).collect()
        });
        vec![Block::Table(rows.collect())]
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

/// Two consecutive breaks separate paragraphs.
fn divided(block: Block) -> Vec<Block> {
    let (text, again): (Text, Box<dyn Fn(Text) -> Block>) = match block {
        Block::Paragraph { quoted, text } => (text, Box::new(move |text| Block::Paragraph { quoted, text })),
        Block::More { level, text } => (text, Box::new(move |text| Block::More { level, text })),
        Block::Heading { ref text, .. } | Block::Item { ref text, .. } | Block::Note { ref text, .. } if is_blank(text) => {
            return vec![];
        }
        other => return vec![other],
    };
    let mut blocks = Vec::new();
    let mut open: Text = Vec::new();
    let mut breaks = 0;
    for inline in text {
        if inline == Inline::Break {
            breaks += 1;
            continue;
        }
        if is_blank(std::slice::from_ref(&inline)) && breaks > 0 {
            continue;
        }
        if breaks > 1 {
            blocks.push(again(std::mem::take(&mut open)));
        } else if breaks == 1 {
            open.push(Inline::Break);
        }
        breaks = 0;
        open.push(inline);
    }
    blocks.push(again(open));
    blocks.retain(|block| !matches!(block, Block::Paragraph { text, .. } | Block::More { text, .. } if is_blank(text)));
    blocks
}

/// A paragraph that begins with a typed bullet or number becomes an item.
fn marked(block: Block) -> Block {
    let Block::Paragraph { quoted: false, mut text } = block else { return block };
    if guessed_level(&text).is_some() {
        return Block::Paragraph { quoted: false, text };
    }
    if let Some(Inline::Text { text: first, .. }) = text.first_mut() {
        let line = first.trim_start();
        let rest = line.strip_prefix(['•', '·', '▪', '◦', '●', '○', '■', '□', '-', '–', '+', '\u{f0b7}', '\u{f0a7}']);
        let is_inner = line.starts_with('+');
        if let Some(rest) = rest.filter(|rest| rest.starts_with(char::is_whitespace)) {
            *first = rest.trim_start().to_owned();
            return Block::Item { level: u8::from(is_inner), marker: Marker::Bullet, text };
        }
        if let Some((number, rest)) = typed_number(line) {
            *first = rest.to_owned();
            return Block::Item { level: 0, marker: Marker::Number(number), text };
        }
    }
    Block::Paragraph { quoted: false, text }
}

/// `12. ` or `12) ` at the start of a line.
fn typed_number(line: &str) -> Option<(u32, &str)> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line[digits..].strip_prefix(['.', ')'])?;
    let number = line[..digits].parse().ok().filter(|number| (1..1_000).contains(number))?;
    rest.starts_with(char::is_whitespace).then(|| (number, rest.trim_start()))
}

/// Many authors use a bold line as a heading. If the document has no heading styles, such lines become headings.
fn with_headings(mut blocks: Vec<Block>) -> Vec<Block> {
    if blocks.iter().any(|block| matches!(block, Block::Heading { .. })) {
        return blocks;
    }
    for block in &mut blocks {
        if let Block::Paragraph { quoted: false, text } = block
            && let Some(level) = guessed_level(text)
        {
            *block = Block::Heading { level, text: std::mem::take(text) };
        }
    }
    blocks
}

/// The level of a bold line that begins like a heading of an official text: "Chương II", "IV.", "Điều 3.", "2.".
fn guessed_level(text: &[Inline]) -> Option<u8> {
    let mut line = String::new();
    for inline in text {
        match inline {
            Inline::Text { text, style, link: None } if style.bold || text.trim().is_empty() => line.push_str(text),
            Inline::Break => line.push(' '),
            _ => return None,
        }
    }
    let line = line.trim();
    if line.chars().count() > HEADING_MAX / 2 {
        return None;
    }
    let (first, rest) = line.split_once(char::is_whitespace)?;
    let number = |word: &str| word.trim_end_matches(['.', ':', ')', '-']).to_owned();
    let is_roman = |word: &str| !word.is_empty() && word.chars().all(|letter| "IVXLC".contains(letter));
    let is_counted = |word: &str| word.starts_with(|letter: char| letter.is_ascii_digit()) || is_roman(&number(word));
    match fold(first).as_str() {
        "phan" | "chuong" if rest.split_whitespace().next().is_some_and(is_counted) => Some(1),
        "muc" | "dieu" if rest.split_whitespace().next().is_some_and(is_counted) => Some(2),
        _ if first.ends_with(['.', '-', ')']) && is_roman(&number(first)) => Some(1),
        _ if typed_number(line).is_some() => Some(2),
        _ => None,
    }
}

/// Numbers the footnotes in the order of their references and moves them to the end. A reference without a note is dropped, a
/// note without a reference becomes a paragraph.
fn numbered_notes(blocks: Vec<Block>) -> Vec<Block> {
    let named = |block: &Block| if let Block::Note { name, .. } = block { Some(name.clone()) } else { None };
    let mut notes: HashSet<String> = blocks.iter().filter_map(named).collect();
    let mut order: HashMap<String, usize> = HashMap::new();
    let mut numbered = Vec::with_capacity(blocks.len());
    let mut ends = Vec::new();
    for mut block in blocks {
        let texts: Vec<&mut Text> = match &mut block {
            Block::Heading { text, .. } | Block::Paragraph { text, .. } | Block::Item { text, .. } | Block::More { text, .. } => {
                vec![text]
            }
            Block::Table(rows) => rows.iter_mut().flatten().collect(),
            Block::Rule | Block::Note { .. } => vec![],
        };
        for text in texts {
            text.retain(|inline| !matches!(inline, Inline::Note(name) if !notes.contains(name)));
            for inline in text {
                if let Inline::Note(name) = inline {
                    let next = order.len() + 1;
                    let number = *order.entry(name.clone()).or_insert(next);
                    *name = number.to_string();
                }
            }
        }
        if let Block::Note { name, text } = block {
            ends.push((name, text));
        } else {
            numbered.push(block);
        }
    }
    let mut placed: Vec<(usize, Block)> = Vec::new();
    for (name, text) in ends {
        // References inside notes are dropped: they would need an order of their own.
        let text: Text = text.into_iter().filter(|inline| !matches!(inline, Inline::Note(_))).collect();
        match order.get(&name) {
            Some(number) if notes.remove(&name) => placed.push((*number, Block::Note { name: number.to_string(), text })),
            _ => numbered.push(Block::Paragraph { quoted: false, text }),
        }
    }
    // A rule directly above the notes separates them.
    while numbered.last() == Some(&Block::Rule) {
        numbered.pop();
    }
    placed.sort_by_key(|(number, _)| *number);
    numbered.extend(placed.into_iter().map(|(_, note)| note));
    numbered
}

/// The Markdown written so far.
#[derive(Default)]
struct Page {
    text: String,
    /// The open items of the current list, each nested in the one before.
    items: Vec<Item>,
}

/// The last item written on its level.
#[derive(Clone, Copy)]
struct Item {
    /// The source's level; levels need not start at 0 or be consecutive: "Điều 1." may be outside the list.
    level: u8,
    /// Width of its marker, by which its text is indented.
    width: usize,
    number: Option<u32>,
    /// The delimiter after its number: another delimiter starts another list.
    closing: char,
}

impl Page {
    fn write(&mut self, block: &Block) {
        match block {
            Block::Heading { level, text } => {
                let sign = "#".repeat(usize::from(*level));
                let plain = without_marks(text);
                let is_long = plain.iter().map(letters).sum::<usize>() > HEADING_MAX;
                let line = if is_long { written(text, "") } else { written(&on_one_line(plain), "# ") };
                self.apart(&if is_long { line } else { format!("{sign} {line}") }, "");
            }
            Block::Paragraph { quoted, text } => self.apart(&written(text, ""), if *quoted { "> " } else { "" }),
            Block::Item { level, marker, text } => self.item(*level, *marker, text),
            Block::More { level, text } => {
                let within = self.items.iter().rposition(|item| item.level <= *level).map_or(0, |at| at + 1);
                self.items.truncate(within);
                let before = self.standing_in();
                let text = indented(&written(text, ""), before);
                self.separate("\n\n");
                self.text.push_str(&" ".repeat(before));
                self.text.push_str(&text);
            }
            Block::Table(rows) => self.table(rows),
            Block::Rule => self.apart("---", ""),
            Block::Note { name, text } => {
                let text = indented(&written(&on_one_line(text.clone()), ""), 4);
                self.apart(&format!("[^{name}]: {text}"), "");
            }
        }
    }

    fn item(&mut self, level: u8, marker: Marker, text: &[Inline]) {
        while self.items.last().is_some_and(|item| item.level > level) {
            self.items.pop();
        }
        let sibling = self.items.pop_if(|item| item.level == level);
        let number = if let Marker::Number(number) = marker { Some(number) } else { None };
        let follows = |item: &Item| match (item.number, number) {
            (Some(last), Some(number)) => last.checked_add(1) == Some(number),
            (last, number) => last.is_none() && number.is_none(),
        };
        // A number that does not follow starts another list, which needs another delimiter.
        let closing = match sibling {
            Some(item) if item.number.is_some() => {
                let goes_on = number.is_none() || follows(&item);
                let other = if item.closing == '.' { ')' } else { '.' };
                if goes_on { item.closing } else { other }
            }
            _ => '.',
        };
        let sign = number.map_or_else(|| "- ".to_owned(), |number| format!("{number}{closing} "));
        let before = self.standing_in();
        let text = indented(&written(text, ""), before + sign.len());
        // A list of another kind needs a blank line before it, and so does a nested one that does not begin with 1.
        let goes_on = match &sibling {
            Some(item) => follows(item),
            None => !self.items.is_empty() && number.is_none_or(|number| number == 1),
        };
        self.separate(if goes_on { "\n" } else { "\n\n" });
        self.text.push_str(&" ".repeat(before));
        self.text.push_str(&sign);
        self.text.push_str(&text);
        self.items.push(Item { level, width: sign.len(), number, closing });
    }

    /// Writes a block outside any list.
    fn apart(&mut self, text: &str, prefix: &str) {
        self.items.clear();
        self.separate("\n\n");
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                self.text.push('\n');
            }
            self.text.push_str(prefix);
            self.text.push_str(line);
        }
    }

    fn table(&mut self, rows: &[Vec<Text>]) {
        self.items.clear();
        self.separate("\n\n");
        for (at, row) in rows.iter().enumerate() {
            if at > 0 {
                self.text.push('\n');
            }
            for cell in row {
                self.text.push_str("| ");
                let cell = on_one_line(if at == 0 { without_marks(cell) } else { cell.clone() });
                if !is_blank(&cell) {
                    self.text.push_str(&written(&cell, "# "));
                    self.text.push(' ');
                }
            }
            self.text.push('|');
            if at == 0 {
                self.text.push('\n');
                self.text.push_str(&"| --- ".repeat(row.len()));
                self.text.push('|');
            }
        }
    }

    fn standing_in(&self) -> usize {
        self.items.iter().map(|item| item.width).sum()
    }

    fn separate(&mut self, by: &str) {
        if !self.text.is_empty() {
            self.text.push_str(by);
        }
    }
}

fn indented(text: &str, by: usize) -> String {
    text.replace('\n', &format!("\n{}", " ".repeat(by)))
}

fn letters(inline: &Inline) -> usize {
    if let Inline::Text { text, .. } = inline { text.chars().count() } else { 1 }
}

/// Removes bold and strikethrough: the stylesheet emphasises headings and table heads.
fn without_marks(text: &[Inline]) -> Text {
    let mut plain = Vec::with_capacity(text.len());
    for inline in text {
        match inline {
            Inline::Text { text, style, link } => {
                let style = Style { italic: style.italic, ..Style::PLAIN };
                push(&mut plain, text, style, link.as_ref());
            }
            other => plain.push(other.clone()),
        }
    }
    plain
}

fn on_one_line(text: Text) -> Text {
    let space = || Inline::Text { text: " ".to_owned(), style: Style::PLAIN, link: None };
    text.into_iter().map(|inline| if inline == Inline::Break { space() } else { inline }).collect()
}

/// A character with its style and link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Atom<'t> {
    what: AtomKind<'t>,
    style: Style,
    link: Option<&'t str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtomKind<'t> {
    Letter(char),
    Break,
    Note(&'t str),
}

/// How much of the styling is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escaping {
    /// Bold and italic; characters escaped where Markdown would interpret them.
    Styled,
    /// The same without bold and italic.
    Plain,
    /// Every punctuation character escaped: always parses back to the source text.
    Literal,
}

/// The text as Markdown that parses back to the same words; `start` is what precedes it on the line.
///
/// Invariant: the words are those of the source. Styles that Markdown would not parse are dropped instead.
fn written(text: &[Inline], start: &str) -> String {
    let text = composed(text);
    let atoms = collapsed(&text);
    let mut meant = String::new();
    for atom in &atoms {
        match atom.what {
            AtomKind::Letter(' ') | AtomKind::Break => {}
            AtomKind::Letter(letter) => meant.push(letter),
            AtomKind::Note(name) => meant.push_str(&format!("[^{name}]")),
        }
    }
    for escaping in [Escaping::Styled, Escaping::Plain] {
        let written = with_escaping(&atoms, escaping, start);
        if read(&format!("{start}{written}")) == meant {
            return written;
        }
    }
    with_escaping(&atoms, Escaping::Literal, start)
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

/// Collapses spaces to one between words and none at line ends. A space gets the style shared by both its neighbours.
fn collapsed(text: &[Inline]) -> Vec<Atom<'_>> {
    let mut atoms: Vec<Atom<'_>> = Vec::new();
    let mut space = false;
    for inline in text {
        let (style, link, note) = match inline {
            Inline::Text { text, style, link } => {
                for letter in text.chars() {
                    if letter == ' ' {
                        space = true;
                        continue;
                    }
                    let next = Atom { what: AtomKind::Letter(letter), style: *style, link: link.as_deref() };
                    between(&mut atoms, &mut space, next);
                    atoms.push(next);
                }
                continue;
            }
            Inline::Break => {
                space = false;
                if !atoms.is_empty() {
                    atoms.push(Atom { what: AtomKind::Break, style: Style::PLAIN, link: None });
                }
                continue;
            }
            Inline::Note(name) => (Style::PLAIN, None, name),
        };
        let next = Atom { what: AtomKind::Note(note), style, link };
        between(&mut atoms, &mut space, next);
        atoms.push(next);
    }
    while atoms.last().is_some_and(|atom| atom.what == AtomKind::Break) {
        atoms.pop();
    }
    atoms
}

fn between<'t>(atoms: &mut Vec<Atom<'t>>, space: &mut bool, next: Atom<'t>) {
    let waits = std::mem::take(space);
    if let Some(before) = atoms.last().copied().filter(|before| waits && before.what != AtomKind::Break) {
        let link = before.link.filter(|link| Some(*link) == next.link);
        atoms.push(Atom { what: AtomKind::Letter(' '), style: before.style.and(next.style), link });
    }
}

fn letter(what: AtomKind<'_>) -> Option<char> {
    if let AtomKind::Letter(letter) = what { Some(letter) } else { None }
}

/// The text a Markdown reader would show, without spaces.
fn read(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let mut read = String::new();
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                read.extend(text.chars().filter(|letter| !letter.is_whitespace()));
            }
            Event::FootnoteReference(name) => read.push_str(&format!("[^{name}]")),
            _ => {}
        }
    }
    read
}

fn with_escaping(atoms: &[Atom<'_>], escaping: Escaping, start: &str) -> String {
    let mut out = String::new();
    let mut rest = atoms;
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|atom| atom.link == first.link).count();
        let (linked, behind) = rest.split_at(same);
        match first.link.filter(|_| escaping != Escaping::Literal) {
            Some(address) => {
                let label = runs(linked, escaping, "x");
                let label = label.trim();
                if !label.is_empty() {
                    out.push_str(&format!("[{label}]({address})"));
                }
            }
            None => {
                let more = runs(linked, escaping, line(start, &out));
                out.push_str(&more);
            }
        }
        rest = behind;
    }
    out
}

/// The text before the next character, as far as escaping needs it.
fn line<'t>(before: &'t str, out: &'t str) -> &'t str {
    if out.is_empty() { before } else { out }
}

/// Writes each run of one style. Marks are placed next to the words; punctuation at the edge that would prevent `CommonMark` from
/// parsing them stays outside.
fn runs(atoms: &[Atom<'_>], escaping: Escaping, before: &str) -> String {
    let mut out = String::new();
    let mut rest = atoms;
    while let Some(first) = rest.first() {
        let style = first.style;
        let same = rest.iter().take_while(|atom| atom.style == style && !matches!(atom.what, AtomKind::Note(_))).count().max(1);
        let (run, behind) = rest.split_at(same);
        rest = behind;
        let mark = if escaping == Escaping::Styled { style.mark() } else { "" };
        let is_word = |atom: &Atom<'_>| letter(atom.what).is_some_and(char::is_alphanumeric);
        let from = run.iter().position(is_word).unwrap_or(run.len());
        let until = run.iter().rposition(is_word).map_or(from, |at| at + 1);
        if mark.is_empty() || from == until {
            let more = escaped(run, escaping, line(before, &out));
            out.push_str(&more);
            continue;
        }
        // Punctuation may be inside the mark if white space or nothing follows outside.
        let opens = run[..from].iter().position(|atom| letter(atom.what).is_some_and(|letter| letter != ' '));
        let is_free_before = out.chars().next_back().or(before.chars().next_back()).is_none_or(char::is_whitespace);
        let from = if is_free_before { opens.unwrap_or(from) } else { from };
        let closes = run[until..].iter().rposition(|atom| letter(atom.what).is_some_and(|letter| letter != ' '));
        let is_free_behind = rest.first().is_none_or(|atom| atom.what == AtomKind::Break || atom.what == AtomKind::Letter(' '))
            || run.len() > until + closes.map_or(0, |at| at + 1);
        let until = if is_free_behind { closes.map_or(until, |at| until + at + 1) } else { until };
        let more = escaped(&run[..from], escaping, line(before, &out));
        out.push_str(&more);
        out.push_str(mark);
        out.push_str(&escaped(&run[from..until], escaping, "x"));
        out.push_str(mark);
        out.push_str(&escaped(&run[until..], escaping, "x"));
    }
    out
}

/// The characters, escaped where Markdown would interpret them.
fn escaped(atoms: &[Atom<'_>], escaping: Escaping, before: &str) -> String {
    let mut out = String::new();
    // Whether the current line is entirely in `out`, and where it begins.
    let mut is_whole = before.is_empty() || before.ends_with('\n');
    let mut begin = 0;
    for (at, atom) in atoms.iter().enumerate() {
        let letter = match atom.what {
            AtomKind::Break => {
                out.push_str("  \n");
                is_whole = true;
                begin = out.len();
                continue;
            }
            AtomKind::Note(name) => {
                out.push_str(&format!("[^{name}]"));
                continue;
            }
            AtomKind::Letter(letter) => letter,
        };
        let line = line(before, &out);
        let next = atoms.get(at + 1).and_then(|atom| self::letter(atom.what));
        let whole = is_whole.then(|| &out[begin..]);
        if letter.is_ascii_punctuation() && (escaping == Escaping::Literal || means_something(letter, line, whole, next)) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// Whether Markdown would interpret `letter` here. `line` ends with the preceding text; `whole` is all of the line so far, if
/// available.
fn means_something(letter: char, line: &str, whole: Option<&str>, next: Option<char>) -> bool {
    let starts_line = line.is_empty() || line.ends_with('\n');
    match letter {
        '\\' | '*' | '`' | '[' | ']' | '~' | '|' => true,
        // Within a word it has no meaning.
        '_' => !(line.ends_with(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric)),
        '<' => next.is_none_or(|next| next.is_alphabetic() || matches!(next, '/' | '!' | '?')),
        '&' => next.is_some_and(|next| next.is_alphanumeric() || next == '#'),
        '#' => starts_line || line.ends_with([' ', '#']),
        '>' | '=' => starts_line,
        '-' | '+' | ':' => starts_line && next.is_none_or(|next| next == ' ' || next == letter || next == '-'),
        // After digits at the start of a line they would begin a list.
        '.' | ')' => {
            whole.is_some_and(|whole| !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()))
                && next.is_none_or(char::is_whitespace)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bold(text: &str) -> Inline {
        Inline::Text { text: text.to_owned(), style: Style { bold: true, ..Style::PLAIN }, link: None }
    }

    fn plain(text: &str) -> Inline {
        Inline::Text { text: text.to_owned(), style: Style::PLAIN, link: None }
    }

    fn paragraph(text: Text) -> Block {
        Block::Paragraph { quoted: false, text }
    }

    #[test]
    fn marks_are_placed_where_markdown_parses_them() {
        for (text, expected) in [
            (vec![bold("Điều 1."), plain(" Phạm vi")], "**Điều 1.** Phạm vi"),
            (vec![bold("Điều 1. "), plain("Phạm vi")], "**Điều 1.** Phạm vi"),
            // Punctuation before the closing mark and a letter after it: CommonMark would not close the mark there.
            (vec![bold("Lưu ý:"), plain("nộp đúng hạn")], "**Lưu ý**:nộp đúng hạn"),
            (vec![bold("(a)"), plain("b")], "**(a**)b"),
            (vec![bold("  "), plain("a"), bold("...")], "a..."),
            (vec![bold("một"), bold(" "), bold("hai")], "**một hai**"),
        ] {
            assert_eq!(written(&text, ""), expected);
        }
    }

    #[test]
    fn punctuation_of_the_source_is_escaped() {
        for (typed, expected) in [
            ("# 1", "\\# 1"),
            ("a # b", "a \\# b"),
            ("- x", "\\- x"),
            ("-x", "-x"),
            ("2026. Năm mới", "2026\\. Năm mới"),
            ("5 * 3 = 15_000", "5 \\* 3 = 15_000"),
            ("<script>alert(1)</script>", "\\<script>alert(1)\\</script>"),
            ("a < b & c", "a < b & c"),
            ("&lt;", "\\&lt;"),
            ("[1] xem", "\\[1\\] xem"),
            ("---", "\\---"),
            ("=====", "\\====="),
            ("> a", "\\> a"),
            ("a\u{a0}\u{a0}b\u{200b}c\u{202e}d", "a bcd"),
            ("e\u{302}\u{301}", "ế"),
        ] {
            assert_eq!(written(&[plain(typed)], ""), expected, "{typed}");
        }
    }

    #[test]
    fn unsafe_addresses_are_dropped() {
        assert_eq!(address(" https://vi.du/a (b) ").as_deref(), Some("https://vi.du/a%20%28b%29"));
        assert_eq!(address("MAILTO:a@vi.du").as_deref(), Some("MAILTO:a@vi.du"));
        for evil in
            ["javascript:alert(1)", "java\nscript:x", "data:text/html,x", "//vi.du", "file:///c:/a", "#a", "", "https://a\u{1}b"]
        {
            assert_eq!(address(evil), None, "{evil}");
        }
    }

    #[test]
    fn nested_items_are_indented_by_their_markers() {
        let item = |level, marker, text: &str| Block::Item { level, marker, text: vec![plain(text)] };
        let blocks = vec![
            item(0, Marker::Number(10), "mười"),
            Block::More { level: 0, text: vec![plain("thêm")] },
            item(1, Marker::Bullet, "trong"),
            item(5, Marker::Bullet, "sâu hơn"),
            item(0, Marker::Number(11), "mười một"),
            paragraph(vec![plain("hết")]),
        ];
        let expected = "10. mười\n\n    thêm\n    - trong\n      - sâu hơn\n11. mười một\n\nhết";
        assert_eq!(markdown(blocks), expected);
    }

    #[test]
    fn bold_lines_numbered_like_headings_become_headings() {
        let blocks = vec![
            paragraph(vec![bold("I. MỤC TIÊU")]),
            paragraph(vec![bold("1. Mục tiêu chung")]),
            paragraph(vec![plain("Đến năm 2030.")]),
            paragraph(vec![bold("Nơi nhận:")]),
            paragraph(vec![bold("Điều 2."), plain(" Tổ chức")]),
        ];
        let expected = "## I. MỤC TIÊU\n\n### 1. Mục tiêu chung\n\nĐến năm 2030.\n\n**Nơi nhận:**\n\n**Điều 2.** Tổ chức";
        assert_eq!(markdown(blocks), expected);
    }

    #[test]
    fn headings_start_at_the_second_level() {
        let heading = |level, text: &str| Block::Heading { level, text: vec![bold(text)] };
        assert_eq!(markdown(vec![heading(3, "a"), heading(4, "b"), heading(9, "c")]), "## a\n\n### b\n\n###### c");
    }

    #[test]
    fn footnotes_are_numbered_in_order_of_reference() {
        let note = |name: &str, text: &str| Block::Note { name: name.to_owned(), text: vec![plain(text)] };
        let refers = |name: &str| Inline::Note(name.to_owned());
        let blocks = vec![
            paragraph(vec![plain("Một"), refers("b"), plain(" và hai"), refers("a"), refers("lost")]),
            note("a", "chú thích a"),
            note("b", "chú thích b"),
            note("c", "không ai nhắc"),
        ];
        let expected = "Một[^1] và hai[^2]\n\nkhông ai nhắc\n\n[^1]: chú thích b\n\n[^2]: chú thích a";
        assert_eq!(markdown(blocks), expected);
    }

    #[test]
    fn spanning_cells_leave_covered_positions_empty() {
        let mut table = Table::default();
        let cell = |table: &mut Table, columns, rows, text: &str| {
            table.cell(columns, rows);
            table.paragraph(vec![plain(text)]);
        };
        table.row();
        cell(&mut table, 1, 2, "TT");
        cell(&mut table, 2, 1, "Số|lượng");
        table.row();
        cell(&mut table, 1, 1, "nam");
        cell(&mut table, 1, 1, "nữ");
        table.row();
        cell(&mut table, 1, 1, "1");
        assert_eq!(markdown(table.finish()), "| TT | Số\\|lượng | |\n| --- | --- | --- |\n| | nam | nữ |\n| 1 | | |");
    }
}
