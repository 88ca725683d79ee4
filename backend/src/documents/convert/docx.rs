//! DOCX files (ECMA-376), read as far as a text needs it: headings, bold and italic, lists, tables, links, footnotes.
//!
//! The parts are walked event by event and nothing is built of them but our own flat blocks. A reader that makes a tree calls itself
//! for each level of nesting, which a crafted file makes as deep as it likes, and waits for ends that a cut file does not have.
//! Pictures and whatever else is packed in the file are not even unpacked.

use std::{collections::HashMap, io::Cursor, rc::Rc};

use docx_rs::{EventReader, OwnedAttribute, XmlEvent};
use domain::{documents::Body as Limit, folding::fold};

use super::blocks::{self, Block, Inline, LEVELS, Marker, Style, Table, Text};
use crate::unpacked;

/// The largest text and the largest other part, unpacked. Word writes some hundred bytes for a word.
const TEXT_MAX: u64 = 24 << 20;
const PART_MAX: u64 = 4 << 20;

/// Elements within each other. Word needs some twenty.
const DEPTH: usize = 256;

/// Fields within each other, e.g. a link in a table of contents.
const FIELDS: usize = 16;

/// Styles a style is based on.
const BASES: usize = 12;

/// Letters of what stands before the items of a list, e.g. "Điều %1."; Word takes no more. It is repeated with each of them.
const LABEL_MAX: usize = 60;

/// Letters of a footnote's name, which is a number.
const NAME_MAX: usize = 20;

/// What stands between two blocks.
const GAP: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Unreadable,
    TooLong,
}

pub(super) fn blocks(file: &[u8]) -> Result<Vec<Block>, Failure> {
    let package = Package::open(file)?;
    let rels = package.rels("_rels/.rels");
    let main = rels.of_type("/officeDocument").unwrap_or("word/document.xml").trim_start_matches('/').to_owned();
    let (folder, name) = main.rsplit_once('/').unwrap_or(("", &main));
    let rels = package.rels(&format!("{folder}/_rels/{name}.rels"));
    let at = |kind: &str| rels.of_type(kind).map(|target| resolved(folder, target));
    let styles: Styles = package.read(at("/styles"), PART_MAX)?;
    let numbering: Numbering = package.read(at("/numbering"), PART_MAX)?;
    let none = Rels::default();
    let mut body = Body::new(&rels, &styles, numbering);
    package.walk(&main, TEXT_MAX, &mut body)?.ok_or(Failure::Unreadable)?;
    // Links of footnotes have a list of their own, which nobody misses.
    body.rels = &none;
    for kind in ["footnotes", "endnotes"] {
        if let Some(part) = at(&format!("/{kind}")) {
            package.walk(&part, PART_MAX, &mut body)?;
        }
    }
    if body.room == 0 { Err(Failure::TooLong) } else { Ok(body.blocks) }
}

/// A target as the package names it.
fn resolved(folder: &str, target: &str) -> String {
    match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None if folder.is_empty() => target.to_owned(),
        None => format!("{folder}/{target}"),
    }
}

struct Package<'f> {
    file: &'f [u8],
    parts: Vec<unpacked::Part>,
}

impl<'f> Package<'f> {
    fn open(file: &'f [u8]) -> Result<Self, Failure> {
        let parts = unpacked::parts(&mut Cursor::new(file)).map_err(|_| Failure::Unreadable)?;
        Ok(Self { file, parts })
    }

    /// Shows a part to the visitor; `None` when the file has none of this name.
    fn walk(&self, name: &str, limit: u64, visitor: &mut impl Visitor) -> Result<Option<()>, Failure> {
        let Some(part) = self.parts.iter().find(|part| part.name.eq_ignore_ascii_case(name)) else { return Ok(None) };
        let content = part.content(&mut Cursor::new(self.file), limit).map_err(|_| Failure::Unreadable)?;
        walk(&content, visitor).map(Some)
    }

    fn read<V: Visitor + Default>(&self, name: Option<String>, limit: u64) -> Result<V, Failure> {
        let mut read = V::default();
        if let Some(name) = name {
            self.walk(&name, limit, &mut read)?;
        }
        Ok(read)
    }

    /// Without its relations a text can still be read.
    fn rels(&self, name: &str) -> Rels {
        self.read(Some(name.to_owned()), PART_MAX).unwrap_or_default()
    }
}

/// Sees the elements of a part in their order.
trait Visitor {
    /// Whether what is inside is to be seen. `around` are the elements it stands in.
    fn open(&mut self, name: &str, attributes: &Attributes<'_>, around: &[String]) -> bool;
    fn close(&mut self, _name: &str) {}
    fn text(&mut self, _text: &str) {}
}

struct Attributes<'e>(&'e [OwnedAttribute]);

impl Attributes<'_> {
    /// By its name without the namespace.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|attribute| attribute.name.local_name == name).map(|attribute| attribute.value.as_str())
    }

    fn val(&self) -> &str {
        self.get("val").unwrap_or_default()
    }

    fn number(&self, name: &str) -> u32 {
        self.get(name).and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    }

    /// A property that is there is on, unless it says no.
    fn is_on(&self) -> bool {
        !matches!(self.val(), "0" | "false" | "off" | "none")
    }
}

fn walk(part: &[u8], visitor: &mut impl Visitor) -> Result<(), Failure> {
    let mut events = EventReader::new(part);
    let mut around: Vec<String> = Vec::new();
    let mut hidden_from = usize::MAX;
    loop {
        match events.next_event().map_err(|_| Failure::Unreadable)? {
            XmlEvent::StartElement { name, attributes, .. } => {
                if around.len() >= DEPTH {
                    return Err(Failure::Unreadable);
                }
                let is_seen = around.len() < hidden_from;
                if is_seen && !visitor.open(&name.local_name, &Attributes(&attributes), &around) {
                    hidden_from = around.len();
                }
                around.push(name.local_name);
            }
            XmlEvent::EndElement { name } => {
                around.pop().ok_or(Failure::Unreadable)?;
                if around.len() < hidden_from {
                    visitor.close(&name.local_name);
                } else if around.len() == hidden_from {
                    hidden_from = usize::MAX;
                }
            }
            XmlEvent::Characters(text) | XmlEvent::Whitespace(text) if around.len() <= hidden_from => visitor.text(&text),
            XmlEvent::Characters(_) | XmlEvent::Whitespace(_) => {}
            // A part that was cut.
            XmlEvent::EndDocument if !around.is_empty() => return Err(Failure::Unreadable),
            XmlEvent::EndDocument => return Ok(()),
        }
    }
}

/// What a part refers to, by the id it uses.
#[derive(Default)]
struct Rels {
    targets: HashMap<String, (String, String)>,
    /// Written as an address once, however many places lead there.
    links: HashMap<String, Rc<str>>,
}

impl Rels {
    fn of_type(&self, kind: &str) -> Option<&str> {
        self.targets.values().find(|(found, _)| found.ends_with(kind)).map(|(_, target)| target.as_str())
    }

    fn link(&self, id: &str) -> Option<Rc<str>> {
        self.links.get(id).cloned()
    }
}

impl Visitor for Rels {
    fn open(&mut self, name: &str, attributes: &Attributes<'_>, _: &[String]) -> bool {
        if name == "Relationship"
            && let (Some(id), Some(kind), Some(target)) = (attributes.get("Id"), attributes.get("Type"), attributes.get("Target"))
        {
            if kind.ends_with("/hyperlink") {
                self.links.extend(blocks::address(target).map(|address| (id.to_owned(), address)));
            } else {
                self.targets.insert(id.to_owned(), (kind.to_owned(), target.to_owned()));
            }
        }
        true
    }
}

/// The styles by their id.
#[derive(Default)]
struct Styles {
    styles: HashMap<String, StyleRow>,
    open: String,
}

#[derive(Default)]
struct StyleRow {
    name: String,
    based_on: String,
    outline: Option<u8>,
    num: Option<String>,
    level: u8,
    bold: bool,
    italic: bool,
}

impl Visitor for Styles {
    fn open(&mut self, name: &str, attributes: &Attributes<'_>, _: &[String]) -> bool {
        if name == "style" {
            attributes.get("styleId").unwrap_or_default().clone_into(&mut self.open);
            self.styles.insert(self.open.clone(), StyleRow::default());
            return true;
        }
        let Some(style) = self.styles.get_mut(&self.open) else { return true };
        match name {
            "name" => style.name = fold(attributes.val()),
            "basedOn" => attributes.val().clone_into(&mut style.based_on),
            "outlineLvl" => style.outline = attributes.val().parse().ok(),
            "numId" => style.num = Some(attributes.val().to_owned()),
            "ilvl" => style.level = attributes.val().parse().unwrap_or(0),
            "b" => style.bold = attributes.is_on(),
            "i" => style.italic = attributes.is_on(),
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

impl Styles {
    /// The style and those it is based on, nearest first.
    fn line(&self, id: &str) -> impl Iterator<Item = &StyleRow> {
        let first = self.styles.get(id);
        std::iter::successors(first, |style| self.styles.get(&style.based_on)).take(BASES)
    }

    /// The level of the heading that paragraphs of this style are, from 1.
    fn heading(&self, id: &str) -> Option<u8> {
        let of_style = |style: &StyleRow| match style.outline {
            // 9 is Word's "body text".
            Some(outline) => (outline < 9).then_some(outline + 1),
            None => heading_named(&style.name),
        };
        self.line(id).find_map(of_style)
    }

    fn is_quote(&self, id: &str) -> bool {
        self.line(id).any(|style| matches!(style.name.as_str(), "quote" | "intense quote" | "trich dan" | "doan trich dan"))
    }

    fn list(&self, id: &str) -> Option<(String, u8)> {
        self.line(id).find_map(|style| style.num.clone().map(|num| (num, style.level)))
    }
}

/// "heading 2", in Vietnamese "Đầu đề 2", "Tiêu đề 2"; a title is the highest.
fn heading_named(name: &str) -> Option<u8> {
    if matches!(name, "title" | "tieu de" | "ten van ban" | "dau de") {
        return Some(1);
    }
    let digit = ["heading ", "dau de ", "tieu de ", "de muc "].iter().find_map(|start| name.strip_prefix(start))?;
    digit.parse().ok().filter(|level| (1..=9).contains(level))
}

/// How lists are numbered, and how far each has come.
#[derive(Default)]
struct Numbering {
    kinds: HashMap<String, Vec<Level>>,
    nums: HashMap<String, String>,
    counts: HashMap<String, [u32; 9]>,
    open: String,
}

#[derive(Clone)]
struct Level {
    format: String,
    /// E.g. `%1.%2.`: the numbers of the levels stand for their places.
    text: String,
    start: u32,
}

/// What stands before an item.
enum Label {
    Marker(Marker),
    Words(String),
}

impl Visitor for Numbering {
    fn open(&mut self, name: &str, attributes: &Attributes<'_>, around: &[String]) -> bool {
        match name {
            "abstractNum" => {
                attributes.get("abstractNumId").unwrap_or_default().clone_into(&mut self.open);
                self.kinds.insert(self.open.clone(), Vec::new());
            }
            "num" => attributes.get("numId").unwrap_or_default().clone_into(&mut self.open),
            "abstractNumId" => {
                self.nums.insert(self.open.clone(), attributes.val().to_owned());
            }
            // What only this list has otherwise.
            "lvlOverride" => return false,
            "lvl" => {
                if let Some(levels) = self.kinds.get_mut(&self.open).filter(|levels| levels.len() < 9) {
                    levels.push(Level { format: String::new(), text: String::new(), start: 1 });
                }
            }
            "numFmt" | "lvlText" | "start" if around.last().is_some_and(|around| around == "lvl") => {
                if let Some(level) = self.kinds.get_mut(&self.open).and_then(|levels| levels.last_mut()) {
                    match name {
                        "numFmt" => attributes.val().clone_into(&mut level.format),
                        "lvlText" => level.text = attributes.val().chars().take(LABEL_MAX).collect(),
                        _ => level.start = attributes.number("val"),
                    }
                }
            }
            _ => {}
        }
        true
    }
}

impl Numbering {
    /// Counts an item of a list and tells what stands before it.
    fn next(&mut self, num: &str, level: u8) -> Option<Label> {
        let levels = self.nums.get(num).and_then(|kind| self.kinds.get(kind))?;
        let at = usize::from(level);
        let own = levels.get(at)?;
        if own.format == "bullet" {
            return Some(Label::Marker(Marker::Bullet));
        }
        let counts = self.counts.entry(num.to_owned()).or_default();
        for (above, level) in levels.iter().enumerate().take(at) {
            if counts[above] == 0 {
                counts[above] = level.start;
            }
        }
        counts[at] = if counts[at] == 0 { own.start } else { counts[at].saturating_add(1) };
        counts[at + 1..].fill(0);
        let place = format!("%{}", at + 1);
        let is_plain = own.text.strip_prefix(&place).is_some_and(|rest| matches!(rest, "." | ")" | ""));
        if is_plain && (own.format == "decimal" || own.format.is_empty()) && counts[at] < 1_000_000 {
            return Some(Label::Marker(Marker::Number(counts[at])));
        }
        let mut words = own.text.clone();
        for (at, level) in levels.iter().enumerate() {
            words = words.replace(&format!("%{}", at + 1), &in_format(counts[at], &level.format));
        }
        let words = words.trim();
        (!words.is_empty()).then(|| Label::Words(words.to_owned()))
    }
}

fn in_format(number: u32, format: &str) -> String {
    match format {
        "lowerLetter" => lettered(number),
        "upperLetter" => lettered(number).to_uppercase(),
        "lowerRoman" => roman(number).to_lowercase(),
        "upperRoman" => roman(number),
        "none" => String::new(),
        _ => number.to_string(),
    }
}

/// a, b … z, aa, bb …, as Word counts.
fn lettered(number: u32) -> String {
    let Some(at) = number.checked_sub(1) else { return String::new() };
    let letter = u8::try_from(at % 26).map_or('a', |at| char::from(b'a' + at));
    letter.to_string().repeat((at / 26 + 1).min(4) as usize)
}

fn roman(number: u32) -> String {
    const SIGNS: [(u32, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if number >= 4_000 {
        return number.to_string();
    }
    let mut rest = number;
    let mut roman = String::new();
    for (value, sign) in SIGNS {
        while rest >= value {
            roman.push_str(sign);
            rest -= value;
        }
    }
    roman
}

/// What is known of a paragraph before its text.
#[derive(Default)]
struct Paragraph {
    style: String,
    num: Option<String>,
    level: Option<u8>,
    outline: Option<u8>,
}

#[derive(Default)]
struct Run {
    style: Style,
    raised: Option<bool>,
    hidden: bool,
}

/// Something that Word works out: its instruction, then its result.
#[derive(Default)]
struct Field {
    instruction: String,
    is_result: bool,
    link: Option<Rc<str>>,
    hidden: bool,
}

/// The text, its notes too.
struct Body<'p> {
    rels: &'p Rels,
    styles: &'p Styles,
    numbering: Numbering,
    blocks: Vec<Block>,
    text: Text,
    paragraph: Paragraph,
    run: Run,
    link: Option<Rc<str>>,
    fields: Vec<Field>,
    /// Fields too deep to be looked at.
    fields_below: usize,
    table: Option<Table>,
    tables: u32,
    note: Option<String>,
    /// Letters that may still come, those of labels and addresses too: a few of them in the file become many in the text.
    room: usize,
    takes_text: bool,
    takes_instruction: bool,
}

impl<'p> Body<'p> {
    fn new(rels: &'p Rels, styles: &'p Styles, numbering: Numbering) -> Self {
        Self {
            rels,
            styles,
            numbering,
            blocks: Vec::new(),
            text: Vec::new(),
            paragraph: Paragraph::default(),
            run: Run::default(),
            link: None,
            fields: Vec::new(),
            fields_below: 0,
            table: None,
            tables: 0,
            note: None,
            room: 4 * Limit::MAX as usize,
            takes_text: false,
            takes_instruction: false,
        }
    }
}

impl Visitor for Body<'_> {
    fn open(&mut self, name: &str, attributes: &Attributes<'_>, around: &[String]) -> bool {
        let parent = around.last().map_or("", String::as_str);
        match name {
            // What was taken out, pictures and drawings, older forms of what is there already, the page's set-up.
            "del" | "moveFrom" | "delText" | "drawing" | "pict" | "object" | "Fallback" | "sectPr" | "pPrChange"
            | "rPrChange" | "tblPrChange" | "tcPrChange" | "trPrChange" | "sdtPr" | "tabs" => return false,
            "p" => {
                self.end_paragraph();
                self.paragraph = Paragraph::default();
            }
            "r" => self.run = Run::default(),
            "t" => self.takes_text = true,
            "instrText" => self.takes_instruction = true,
            "tbl" => {
                self.end_paragraph();
                self.tables += 1;
                if self.tables == 1 {
                    self.table = Some(Table::default());
                }
            }
            "tr" if self.tables == 1 => self.in_table(Table::row),
            "tc" if self.tables == 1 => self.in_table(|table| table.cell(1, 1)),
            "gridSpan" if self.tables == 1 => {
                let columns = attributes.number("val");
                self.in_table(|table| table.widen(columns));
            }
            "hyperlink" => self.link = attributes.get("id").and_then(|id| self.rels.link(id)),
            "fldSimple" => self.link = linked(attributes.get("instr").unwrap_or_default()),
            "footnote" | "endnote" => return self.open_note(name, attributes),
            _ if parent == "pPr" || parent == "numPr" => self.paragraph_property(name, attributes),
            _ if parent == "rPr" && around.iter().rev().nth(1).is_some_and(|around| around == "r") => {
                self.run_property(name, attributes);
            }
            _ if parent == "r" => self.run_sign(name, attributes),
            _ => {}
        }
        true
    }

    fn close(&mut self, name: &str) {
        match name {
            "p" => self.end_paragraph(),
            "t" => self.takes_text = false,
            "instrText" => self.takes_instruction = false,
            "hyperlink" | "fldSimple" => self.link = None,
            "tc" if self.tables == 1 => self.in_table(Table::end_cell),
            "tbl" => {
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0
                    && let Some(table) = self.table.take()
                {
                    self.blocks.extend(table.finish());
                }
            }
            "footnote" | "endnote" => self.note = None,
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.takes_instruction {
            if let Some(field) = self.fields.last_mut().filter(|field| field.instruction.len() < 4_000) {
                field.instruction.push_str(text);
            }
        } else if self.takes_text {
            self.add(text);
        }
    }
}

impl Body<'_> {
    fn add(&mut self, text: &str) {
        let is_seen =
            !self.run.hidden && self.fields_below == 0 && self.fields.iter().all(|field| field.is_result && !field.hidden);
        self.room = self.room.saturating_sub(text.len());
        if !is_seen || self.room == 0 {
            return;
        }
        let shifted = self.run.raised.and_then(|raised| blocks::shifted(text, raised));
        let link = self.link.as_ref().or_else(|| self.fields.iter().rev().find_map(|field| field.link.as_ref()));
        let address = blocks::push(&mut self.text, shifted.as_deref().unwrap_or(text), self.run.style, link);
        self.room = self.room.saturating_sub(address);
    }

    fn sign(&mut self, sign: Inline) {
        self.room = self.room.saturating_sub(1);
        if self.room > 0 {
            self.text.push(sign);
        }
    }

    fn paragraph_property(&mut self, name: &str, attributes: &Attributes<'_>) {
        match name {
            "pStyle" => attributes.val().clone_into(&mut self.paragraph.style),
            "numId" => self.paragraph.num = Some(attributes.val().to_owned()),
            "ilvl" => self.paragraph.level = attributes.val().parse().ok(),
            "outlineLvl" => self.paragraph.outline = attributes.val().parse().ok(),
            _ => {}
        }
    }

    fn run_property(&mut self, name: &str, attributes: &Attributes<'_>) {
        match name {
            "b" => self.run.style.bold = attributes.is_on(),
            "i" => self.run.style.italic = attributes.is_on(),
            "strike" | "dstrike" => self.run.style.struck = attributes.is_on(),
            "vanish" => self.run.hidden = attributes.is_on(),
            "vertAlign" => self.run.raised = Some(attributes.val() == "superscript").filter(|_| attributes.val() != "baseline"),
            "rStyle" => {
                for style in self.styles.line(attributes.val()) {
                    self.run.style.bold |= style.bold;
                    self.run.style.italic |= style.italic;
                }
            }
            _ => {}
        }
    }

    /// What stands in the text without being letters.
    fn run_sign(&mut self, name: &str, attributes: &Attributes<'_>) {
        match name {
            "tab" => self.add(" "),
            "noBreakHyphen" => self.add("-"),
            "cr" => self.sign(Inline::Break),
            "br" if attributes.get("type").is_none_or(|kind| kind == "textWrapping") => self.sign(Inline::Break),
            "footnoteReference" => self.sign(Inline::Note(note_name("footnote", attributes))),
            "endnoteReference" => self.sign(Inline::Note(note_name("endnote", attributes))),
            "fldChar" => self.field(attributes.get("fldCharType").unwrap_or_default()),
            _ => {}
        }
    }

    fn field(&mut self, step: &str) {
        match step {
            "begin" if self.fields.len() >= FIELDS => self.fields_below += 1,
            "begin" => self.fields.push(Field::default()),
            "end" if self.fields_below > 0 => self.fields_below -= 1,
            "end" => {
                self.fields.pop();
            }
            "separate" if self.fields_below == 0 => {
                if let Some(field) = self.fields.last_mut() {
                    field.is_result = true;
                    field.link = linked(&field.instruction);
                    // The reader has a list of contents of our own.
                    field.hidden = field.instruction.trim_start().starts_with("TOC");
                }
            }
            _ => {}
        }
    }

    fn open_note(&mut self, kind: &str, attributes: &Attributes<'_>) -> bool {
        // Lines between text and notes are notes too.
        let is_note = attributes.get("type").is_none_or(|kind| kind == "normal");
        self.note = is_note.then(|| note_name(kind, attributes));
        is_note
    }

    fn in_table(&mut self, change: impl FnOnce(&mut Table)) {
        if let Some(table) = &mut self.table {
            change(table);
        }
    }

    fn end_paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        let paragraph = std::mem::take(&mut self.paragraph);
        if blocks::is_blank(&text) {
            return;
        }
        self.room = self.room.saturating_sub(GAP);
        if let Some(table) = self.table.as_mut().filter(|table| table.takes_text()) {
            return table.paragraph(text);
        }
        if let Some(name) = &self.note {
            if let Some(Block::Note { name: open, text: before }) = self.blocks.last_mut()
                && open == name
            {
                before.push(Inline::Break);
                before.extend(text);
            } else {
                self.blocks.push(Block::Note { name: name.clone(), text });
            }
            return;
        }
        let block = self.block(&paragraph, text);
        self.blocks.push(block);
    }

    fn block(&mut self, paragraph: &Paragraph, mut text: Text) -> Block {
        let heading = match paragraph.outline {
            Some(outline) => (outline < 9).then_some(outline + 1),
            None => self.styles.heading(&paragraph.style),
        };
        let of_style = || self.styles.list(&paragraph.style);
        let (num, level) = match &paragraph.num {
            Some(num) => (Some(num.clone()), paragraph.level.unwrap_or(0)),
            None => of_style().map_or((None, 0), |(num, level)| (Some(num), paragraph.level.unwrap_or(level))),
        };
        let label = num.and_then(|num| self.numbering.next(&num, level));
        let level = level.min(LEVELS - 1);
        let words = match (&label, heading) {
            (Some(Label::Words(words)), _) => Some(words.clone()),
            (Some(Label::Marker(Marker::Number(number))), Some(_)) => Some(format!("{number}.")),
            _ => None,
        };
        if let Some(words) = &words {
            self.room = self.room.saturating_sub(words.len());
            text.insert(0, Inline::Text { text: format!("{words} "), style: Style::default(), link: None });
        }
        match (heading, label) {
            (Some(level), _) => Block::Heading { level, text },
            (None, Some(Label::Marker(marker))) => Block::Item { level, marker, text },
            // "a)" is an item of a list, "Điều 3." begins a paragraph.
            (None, Some(Label::Words(words))) if words.chars().count() <= 6 => {
                Block::Item { level, marker: Marker::Bullet, text }
            }
            _ => Block::Paragraph { quoted: self.styles.is_quote(&paragraph.style), text },
        }
    }
}

fn note_name(kind: &str, attributes: &Attributes<'_>) -> String {
    let id: String = attributes.get("id").unwrap_or_default().chars().take(NAME_MAX).collect();
    format!("{kind} {id}")
}

/// Where `HYPERLINK "https://…"` leads.
fn linked(instruction: &str) -> Option<Rc<str>> {
    let rest = instruction.trim_start().strip_prefix("HYPERLINK")?.trim_start();
    blocks::address(rest.strip_prefix('"')?.split('"').next()?)
}

#[cfg(test)]
mod tests;
