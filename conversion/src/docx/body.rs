//! The body text, its notes, and the content of its text boxes.

use std::{collections::BTreeSet, rc::Rc};

use domain::{
    documents::{Body as Limit, LeftOut},
    legacy_letters,
};

use super::{
    Attributes, Failure, Label, Read, Rels, Visitor,
    numbering::Numbering,
    short,
    styles::{Styles, font_named},
    symbols,
};
use crate::blocks::{self, Block, Inline, LEVELS, Marker, Style, Table, Text};

/// Maximum depth of nested fields, e.g. a link in a table of contents.
const FIELDS: usize = 16;

/// Maximum depth of nested text boxes.
const BOXES: usize = 4;

/// Maximum length of a footnote's name (a number), in characters.
const NAME_MAX: usize = 20;

/// Maximum length of a field's instruction (an address), in bytes.
const INSTRUCTION_MAX: usize = 4_000;

/// Length of the separator between two blocks.
const GAP: usize = 2;

/// The properties of a paragraph, read before its text.
#[derive(Default)]
struct Paragraph {
    style: String,
    num: Option<String>,
    level: Option<u8>,
    outline: Option<u8>,
    /// Its paragraph mark was deleted: it continues in the next one.
    goes_on: bool,
    /// Index in `held` where the text boxes anchored in it begin.
    boxes: Option<usize>,
}

#[derive(Default)]
struct Run {
    style: Style,
    named: String,
    raised: Option<bool>,
    hidden: Option<bool>,
    font: Option<String>,
}

/// A field, which Word computes: an instruction, then its result.
#[derive(Default)]
struct Field {
    instruction: String,
    is_result: bool,
    link: Option<Rc<str>>,
    hidden: bool,
    /// A check box.
    ticked: Option<bool>,
}

/// The state saved when a text box begins.
struct SavedState {
    text: Text,
    paragraph: Paragraph,
    link: Option<Rc<str>>,
    fields: Vec<Field>,
    goes_on: bool,
    tables: u32,
}

pub(super) struct Body<'p> {
    pub(super) rels: &'p Rels,
    styles: &'p Styles,
    numbering: Numbering,
    blocks: Vec<Block>,
    left_out: BTreeSet<LeftOut>,
    text: Text,
    paragraph: Paragraph,
    /// The paragraph mark before was deleted.
    goes_on: bool,
    run: Run,
    link: Option<Rc<str>>,
    fields: Vec<Field>,
    /// Fields nested too deeply, which are skipped.
    fields_below: usize,
    table: Option<Table>,
    tables: u32,
    note: Option<String>,
    /// Open text boxes.
    boxes: Vec<SavedState>,
    /// Their content, until the end of the paragraph they are anchored in.
    held: Vec<Block>,
    /// For each open `AlternateContent`, whether an alternative was taken.
    chosen: Vec<bool>,
    /// Superscript or subscript of a formula.
    script: Option<bool>,
    /// Remaining output length, including labels and addresses: a few in the file can become many in the text.
    room: usize,
    takes_text: bool,
    takes_instruction: bool,
}

impl<'p> Body<'p> {
    pub(super) fn new(rels: &'p Rels, styles: &'p Styles, numbering: Numbering) -> Self {
        Self {
            rels,
            styles,
            numbering,
            blocks: Vec::new(),
            left_out: BTreeSet::new(),
            text: Vec::new(),
            paragraph: Paragraph::default(),
            goes_on: false,
            run: Run::default(),
            link: None,
            fields: Vec::new(),
            fields_below: 0,
            table: None,
            tables: 0,
            note: None,
            boxes: Vec::new(),
            held: Vec::new(),
            chosen: Vec::new(),
            script: None,
            room: 4 * Limit::MAX as usize,
            takes_text: false,
            takes_instruction: false,
        }
    }

    /// Ends a part.
    pub(super) fn end(&mut self) {
        self.end_paragraph();
        self.note = None;
    }

    pub(super) fn finish(self) -> Result<Read, Failure> {
        if self.room == 0 { Err(Failure::TooLong) } else { Ok(Read { blocks: self.blocks, left_out: self.left_out }) }
    }
}

impl Visitor for Body<'_> {
    fn open(&mut self, name: &str, attributes: &Attributes<'_>, around: &[String]) -> bool {
        let parent = around.last().map_or("", String::as_str);
        match name {
            "del" | "moveFrom" if parent == "rPr" => {
                let of_mark = around.iter().rev().nth(1).is_some_and(|around| around == "pPr");
                self.paragraph.goes_on |= of_mark;
                return false;
            }
            // Deleted content, and the page setup.
            "del" | "moveFrom" | "delText" | "delInstrText" | "sectPr" | "pPrChange" | "rPrChange" | "tblPrChange"
            | "tcPrChange" | "trPrChange" | "sdtPr" | "tabs" => return false,
            // Alternatives of the same content: the first is the one Word shows.
            "AlternateContent" => self.chosen.push(false),
            "Choice" | "Fallback" => return self.chosen.last_mut().is_none_or(|chosen| !std::mem::replace(chosen, true)),
            "txbxContent" | "txBody" => return self.open_box(),
            "p" => {
                if !std::mem::take(&mut self.goes_on) {
                    self.end_paragraph();
                }
                self.paragraph = Paragraph::default();
            }
            "r" => self.run = Run::default(),
            "t" => self.takes_text = true,
            "instrText" => self.takes_instruction = true,
            "hyperlink" => self.link = attributes.get("id").and_then(|id| self.rels.link(id)),
            "fldSimple" => self.link = linked(attributes.get("instr").unwrap_or_default()),
            "footnote" | "endnote" => return self.open_note(name, attributes),
            "tbl" | "tr" | "tc" | "gridSpan" => self.open_table(name, attributes),
            _ if parent == "pPr" || parent == "numPr" => self.paragraph_property(name, attributes),
            _ if parent == "rPr" && around.iter().rev().nth(1).is_some_and(|around| around == "r") => {
                self.run_property(name, attributes);
            }
            _ if parent == "r" && self.run_sign(name, attributes) => {}
            _ => self.open_other(name, attributes, parent),
        }
        true
    }

    fn close(&mut self, name: &str) {
        match name {
            "p" if self.paragraph.goes_on => {
                self.paragraph = Paragraph::default();
                self.goes_on = true;
            }
            "p" => self.end_paragraph(),
            "t" => self.takes_text = false,
            "instrText" => self.takes_instruction = false,
            "hyperlink" | "fldSimple" => self.link = None,
            "AlternateContent" => {
                self.chosen.pop();
            }
            "txbxContent" | "txBody" => self.close_box(),
            "tc" if self.tables == 1 => {
                self.end_paragraph();
                self.in_table(Table::end_cell);
            }
            "tbl" => {
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0
                    && let Some(table) = self.table.take()
                {
                    let blocks = table.finish();
                    if self.boxes.is_empty() { self.blocks.extend(blocks) } else { self.held.extend(blocks) }
                }
            }
            "footnote" | "endnote" => {
                self.end_paragraph();
                self.note = None;
            }
            "sup" | "sub" => self.script = None,
            "f" => self.add(")"),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.takes_instruction {
            if let Some(field) = self.fields.last_mut() {
                let room = INSTRUCTION_MAX.saturating_sub(field.instruction.len());
                field.instruction.push_str(&text[..text.floor_char_boundary(room)]);
            }
        } else if self.takes_text {
            self.add(text);
        }
    }
}

impl Body<'_> {
    fn add(&mut self, text: &str) {
        if text.is_empty() || self.fields_below > 0 || self.fields.iter().any(|field| !field.is_result || field.hidden) {
            return;
        }
        if self.is_hidden() {
            if !text.trim().is_empty() {
                self.left_out.insert(LeftOut::Hidden);
            }
            return;
        }
        let text = self.lettered(text);
        self.room = self.room.saturating_sub(text.len());
        if self.room == 0 {
            return;
        }
        let shifted = self.run.raised.or(self.script).and_then(|raised| blocks::shifted(&text, raised));
        let link = self.link.as_ref().or_else(|| self.fields.iter().rev().find_map(|field| field.link.as_ref()));
        let address = blocks::push(&mut self.text, shifted.as_deref().unwrap_or(&text), self.run.style, link);
        self.room = self.room.saturating_sub(address);
    }

    /// Set by the run, by its style, or by the paragraph's style.
    fn is_hidden(&self) -> bool {
        let of_run = || Some(&self.run.named).filter(|style| !style.is_empty()).and_then(|style| self.styles.hides(style));
        self.run.hidden.or_else(of_run).or_else(|| self.styles.hides(&self.paragraph.style)).unwrap_or(false)
    }

    fn font(&self) -> Option<&str> {
        let of_run = || Some(&self.run.named).filter(|style| !style.is_empty()).and_then(|style| self.styles.font(style));
        let of_style = || self.styles.font(&self.paragraph.style).or_else(|| self.styles.default_font());
        self.run.font.as_deref().or_else(of_run).or_else(of_style)
    }

    /// The characters that the font displays: legacy Vietnamese fonts and symbol fonts show other characters than the file
    /// stores.
    fn lettered(&mut self, text: &str) -> String {
        let font = self.font().unwrap_or_default();
        if let Some(old) = legacy_letters::of_font(font) {
            return old.convert(text);
        }
        let is_pictorial = symbols::is_pictorial(font);
        if !is_pictorial && !text.contains(is_placed) {
            return text.to_owned();
        }
        let signs: Vec<_> = text
            .chars()
            .map(|letter| {
                let is_sign = is_placed(letter) || (is_pictorial && u32::from(letter) < 0x100);
                if is_sign { symbols::sign(font, letter) } else { Some(letter) }
            })
            .collect();
        if signs.contains(&None) {
            self.left_out.insert(LeftOut::Symbols);
        }
        signs.into_iter().flatten().collect()
    }

    fn sign(&mut self, sign: Inline) {
        self.room = self.room.saturating_sub(1);
        if self.room > 0 {
            self.text.push(sign);
        }
    }

    fn open_table(&mut self, name: &str, attributes: &Attributes<'_>) {
        match name {
            "tbl" => {
                self.goes_on = false;
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
            _ => {}
        }
    }

    /// Drawings, formulas and other elements between the text.
    fn open_other(&mut self, name: &str, attributes: &Attributes<'_>, parent: &str) {
        match name {
            "blip" | "imagedata" => {
                self.left_out.insert(LeftOut::Pictures);
            }
            "altChunk" | "OLEObject" | "chart" | "relIds" | "subDoc" => {
                self.left_out.insert(LeftOut::Objects);
            }
            // WordArt, often a watermark across the page.
            "textpath" => self.hold(attributes.get("string").unwrap_or_default()),
            "checkBox" => {
                if let Some(field) = self.fields.last_mut() {
                    field.ticked = Some(false);
                }
            }
            "checked" | "default" if parent == "checkBox" => {
                if let Some(field) = self.fields.last_mut() {
                    field.ticked = Some(attributes.is_on());
                }
            }
            "num" if parent == "f" => self.add("("),
            "den" if parent == "f" => self.add(")/("),
            "sup" | "sub" => self.script = Some(name == "sup"),
            _ => {}
        }
    }

    fn hold(&mut self, words: &str) {
        self.room = self.room.saturating_sub(words.len() + GAP);
        if !words.trim().is_empty() && self.room > 0 {
            let text = vec![Inline::Text { text: words.to_owned(), style: Style::default(), link: None }];
            self.held.push(Block::Paragraph { quoted: false, text });
        }
    }

    fn open_box(&mut self) -> bool {
        if self.boxes.len() >= BOXES {
            self.left_out.insert(LeftOut::Objects);
            return false;
        }
        self.paragraph.boxes.get_or_insert(self.held.len());
        self.boxes.push(SavedState {
            text: std::mem::take(&mut self.text),
            paragraph: std::mem::take(&mut self.paragraph),
            link: self.link.take(),
            fields: std::mem::take(&mut self.fields),
            goes_on: std::mem::take(&mut self.goes_on),
            tables: self.tables,
        });
        true
    }

    fn close_box(&mut self) {
        self.end_paragraph();
        let Some(outside) = self.boxes.pop() else { return };
        self.text = outside.text;
        self.paragraph = outside.paragraph;
        self.link = outside.link;
        self.fields = outside.fields;
        self.goes_on = outside.goes_on;
    }

    fn paragraph_property(&mut self, name: &str, attributes: &Attributes<'_>) {
        match name {
            "pStyle" => self.paragraph.style = short(attributes.val()),
            "numId" => self.paragraph.num = Some(short(attributes.val())),
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
            "vanish" => self.run.hidden = Some(attributes.is_on()),
            "rFonts" => self.run.font = font_named(attributes),
            "vertAlign" => self.run.raised = Some(attributes.val() == "superscript").filter(|_| attributes.val() != "baseline"),
            "rStyle" => {
                self.run.named = short(attributes.val());
                for style in self.styles.line(&self.run.named) {
                    self.run.style.bold |= style.bold;
                    self.run.style.italic |= style.italic;
                }
            }
            _ => {}
        }
    }

    /// Handles an element of a run that is not text; returns whether it is one.
    fn run_sign(&mut self, name: &str, attributes: &Attributes<'_>) -> bool {
        match name {
            "tab" | "ptab" => self.add(" "),
            "noBreakHyphen" => self.add("-"),
            "cr" => self.sign(Inline::Break),
            "br" if attributes.get("type").is_none_or(|kind| kind == "textWrapping") => self.sign(Inline::Break),
            "sym" => self.symbol(attributes),
            "footnoteReference" => self.sign(Inline::Note(note_name("footnote", attributes))),
            "endnoteReference" => self.sign(Inline::Note(note_name("endnote", attributes))),
            "commentReference" => {
                self.left_out.insert(LeftOut::Comments);
            }
            "fldChar" => self.field(attributes.get("fldCharType").unwrap_or_default()),
            _ => return false,
        }
        true
    }

    fn symbol(&mut self, attributes: &Attributes<'_>) {
        let code = attributes.get("char").and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        let font = attributes.get("font").unwrap_or_default();
        let sign = match code {
            Some(letter) if symbols::is_pictorial(font) || is_placed(letter) => symbols::sign(font, letter),
            letter => letter,
        };
        match sign {
            Some(sign) => {
                // A symbol has a font of its own.
                let font = self.run.font.replace(String::new());
                self.add(sign.encode_utf8(&mut [0; 4]));
                self.run.font = font;
            }
            None => {
                self.left_out.insert(LeftOut::Symbols);
            }
        }
    }

    fn field(&mut self, step: &str) {
        match step {
            "begin" if self.fields.len() >= FIELDS => self.fields_below += 1,
            "begin" => self.fields.push(Field::default()),
            "end" if self.fields_below > 0 => self.fields_below -= 1,
            "end" => {
                if let Some(ticked) = self.fields.pop().and_then(|field| field.ticked) {
                    self.add(if ticked { "☒" } else { "☐" });
                }
            }
            "separate" if self.fields_below == 0 => {
                if let Some(field) = self.fields.last_mut() {
                    field.is_result = true;
                    field.link = linked(&field.instruction);
                    // The reader generates its own table of contents.
                    field.hidden = field.instruction.trim_start().starts_with("TOC");
                }
            }
            _ => {}
        }
    }

    fn open_note(&mut self, kind: &str, attributes: &Attributes<'_>) -> bool {
        // Separators between text and notes are stored as notes too.
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
        self.goes_on = false;
        let text = std::mem::take(&mut self.text);
        let paragraph = std::mem::take(&mut self.paragraph);
        if !blocks::is_blank(&text) {
            self.room = self.room.saturating_sub(GAP);
            match self.boxes.last().map(|outside| outside.tables) {
                Some(0) | None if self.tables > 0 => self.push_block(Block::Paragraph { quoted: false, text }),
                Some(_) => {
                    let block =
                        if self.tables > 0 { Block::Paragraph { quoted: false, text } } else { self.block(&paragraph, text) };
                    self.held.insert(paragraph.boxes.unwrap_or(self.held.len()).min(self.held.len()), block);
                }
                None if self.note.is_some() => self.push_block(Block::Paragraph { quoted: false, text }),
                None => {
                    let block = self.block(&paragraph, text);
                    self.push_block(block);
                }
            }
        }
        if self.boxes.is_empty() {
            for block in std::mem::take(&mut self.held) {
                self.push_block(block);
            }
        }
    }

    /// Appends a block at the current position: to a cell, to a note, or to the document.
    fn push_block(&mut self, block: Block) {
        if self.table.as_ref().is_some_and(Table::takes_text) {
            for text in block.into_texts() {
                self.in_table(|table| table.paragraph(text));
            }
            return;
        }
        let Some(name) = self.note.clone() else { return self.blocks.push(block) };
        for text in block.into_texts() {
            if let Some(Block::Note { name: open, text: before }) = self.blocks.last_mut()
                && *open == name
            {
                before.push(Inline::Break);
                before.extend(text);
            } else {
                self.blocks.push(Block::Note { name: name.clone(), text });
            }
        }
    }

    fn block(&mut self, paragraph: &Paragraph, mut text: Text) -> Block {
        let heading = match paragraph.outline {
            Some(outline) => (outline < 9).then_some(outline + 1),
            None => self.styles.heading(&paragraph.style),
        };
        let of_style = self.styles.list(&paragraph.style);
        let num = paragraph.num.as_deref().or(of_style.map(|(num, _)| num));
        let level = paragraph.level.or_else(|| match (&paragraph.num, of_style) {
            (None, Some((num, level))) => level.or_else(|| self.numbering.level_of(num, self.styles.ids(&paragraph.style))),
            _ => None,
        });
        let level = level.unwrap_or(0);
        let label = num.and_then(|num| self.numbering.next(num, level));
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
            // "a)" is a list item, "Điều 3." begins a paragraph.
            (None, Some(Label::Words(words))) if words.chars().count() <= 6 => {
                Block::Item { level, marker: Marker::Bullet, text }
            }
            _ => Block::Paragraph { quoted: self.styles.is_quote(&paragraph.style), text },
        }
    }
}

/// Whether this is a private-use code point where Word stores symbol-font characters.
fn is_placed(letter: char) -> bool {
    ('\u{f020}'..='\u{f0ff}').contains(&letter)
}

fn note_name(kind: &str, attributes: &Attributes<'_>) -> String {
    let id: String = attributes.get("id").unwrap_or_default().chars().take(NAME_MAX).collect();
    format!("{kind} {id}")
}

/// The address in `HYPERLINK "https://…"`.
fn linked(instruction: &str) -> Option<Rc<str>> {
    let rest = instruction.trim_start().strip_prefix("HYPERLINK")?.trim_start();
    blocks::address(rest.strip_prefix('"')?.split('"').next()?)
}
