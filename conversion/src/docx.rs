//! Reads DOCX files (ECMA-376) as far as a text needs it: headings, bold and italic, lists, tables, links, footnotes.
//!
//! The parts are read as a stream of events into our own flat blocks. A tree parser recurses for each level of nesting, which a
//! crafted file makes arbitrarily deep, and waits for end tags that a truncated file does not have. Pictures and other parts of
//! the archive are not unpacked.

use std::{
    collections::{BTreeSet, HashMap},
    io::Cursor,
    rc::Rc,
};

use domain::{
    documents::LeftOut,
    guard::{self, WarningKind},
};
use quick_xml::{
    Reader,
    escape::{resolve_predefined_entity, unescape},
    events::{BytesRef, BytesStart, Event},
};

use self::{body::Body, numbering::Numbering, styles::Styles};
use super::blocks::{self, Block, Marker, Text};
use crate::unpacked;

mod body;
mod numbering;
mod styles;
mod symbols;

/// Maximum unpacked size of the main text and of any other part, in bytes. Word writes several hundred bytes per word.
const TEXT_MAX: u64 = 24 << 20;
const PART_MAX: u64 = 4 << 20;

/// Maximum element depth. Word needs about twenty.
const DEPTH: usize = 256;

/// Headers and footers read at most: a document has a few for each of its sections.
const EDGES: usize = 20;

/// Maximum length of an id or of a name of fonts and formats, in characters. They are looked up for every item or run.
const NAME_MAX: usize = 100;

/// Why a file was not converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It is no DOCX file, or it is damaged.
    Unreadable,
    TooLong,
}

fn short(name: &str) -> String {
    name.chars().take(NAME_MAX).collect()
}

/// What precedes a list item.
enum Label {
    Marker(Marker),
    Words(String),
}

/// The result of reading a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) blocks: Vec<Block>,
    /// Content of the file that is missing from the blocks.
    pub(super) left_out: BTreeSet<LeftOut>,
}

pub(super) fn read(file: &[u8]) -> Result<Read, Failure> {
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
    body.end();
    // Links in footnotes have a relationship part of their own, which is not read.
    body.rels = &none;
    for kind in ["footnotes", "endnotes"] {
        if let Some(part) = at(&format!("/{kind}")) {
            package.walk(&part, PART_MAX, &mut body)?;
            body.end();
        }
    }
    let mut read = body.finish()?;
    edges(&package, &rels, folder, &styles, &mut read);
    Ok(read)
}

/// Headers and footers are not part of the text, unless they mark the document as secret.
fn edges(package: &Package<'_>, rels: &Rels, folder: &str, styles: &Styles, read: &mut Read) {
    let none = Rels::default();
    let mut marks: Vec<Block> = Vec::new();
    let mut parts = rels.all_of_type("/header");
    parts.extend(rels.all_of_type("/footer"));
    for target in parts.into_iter().take(EDGES) {
        let mut edge = Body::new(&none, styles, Numbering::default());
        let seen = package.walk(&resolved(folder, target), PART_MAX, &mut edge);
        edge.end();
        let (Ok(_), Ok(edge)) = (seen, edge.finish()) else {
            read.left_out.insert(LeftOut::Edges);
            continue;
        };
        read.left_out.extend(edge.left_out);
        for text in edge.blocks.into_iter().flat_map(Block::into_texts) {
            let words = blocks::plain(&text);
            // A page number.
            if words.chars().filter(|letter| letter.is_alphabetic()).count() < 2 || fold_is_page(&words) {
                continue;
            }
            if guard::scan(&words).iter().any(|warning| warning.kind == WarningKind::SecrecyMark) {
                let mark = Block::Paragraph { quoted: false, text };
                if !marks.contains(&mark) {
                    marks.push(mark);
                }
            } else {
                read.left_out.insert(LeftOut::Edges);
            }
        }
    }
    read.blocks.splice(..0, marks);
}

/// "Trang 3/12", "Page 3".
fn fold_is_page(words: &str) -> bool {
    let letters: String = words.chars().filter(|letter| letter.is_alphabetic()).collect::<String>().to_lowercase();
    matches!(letters.as_str(), "trang" | "page" | "tr")
}

/// The title and the other blocks, if the document begins with a heading above all others.
pub(super) fn titled(blocks: Vec<Block>) -> (Option<Text>, Vec<Block>) {
    let mut blocks = blocks;
    let title = match blocks.split_first() {
        Some((Block::Heading { level, .. }, rest)) if !rest.is_empty() => {
            rest.iter().all(|block| !matches!(block, Block::Heading { level: other, .. } if other <= level))
        }
        _ => false,
    };
    match title.then(|| blocks.remove(0)) {
        Some(Block::Heading { text, .. }) => (Some(text), blocks),
        _ => (None, blocks),
    }
}

/// The name of a target in the package.
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

    /// Streams a part to the visitor; `None` when the file has no part of this name.
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

    /// The relationships of a part; empty if unreadable, since the text can be read without them.
    fn rels(&self, name: &str) -> Rels {
        self.read(Some(name.to_owned()), PART_MAX).unwrap_or_default()
    }
}

/// Receives the elements of a part in order.
trait Visitor {
    /// Whether to visit the element's content. `around` are its ancestors.
    fn open(&mut self, name: &str, attributes: &Attributes<'_>, around: &[String]) -> bool;
    fn close(&mut self, _name: &str) {}
    fn text(&mut self, _text: &str) {}
}

/// Names without prefix, and values.
struct Attributes<'e>(&'e [(String, String)]);

impl Attributes<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn val(&self) -> &str {
        self.get("val").unwrap_or_default()
    }

    fn number(&self, name: &str) -> u32 {
        self.get(name).and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    }

    /// A property that is present is on, unless its value is false.
    fn is_on(&self) -> bool {
        !matches!(self.val(), "0" | "false" | "off" | "none")
    }
}

fn unreadable<E>(_: E) -> Failure {
    Failure::Unreadable
}

fn walk(part: &[u8], visitor: &mut impl Visitor) -> Result<(), Failure> {
    let mut xml = Reader::from_reader(part);
    xml.config_mut().expand_empty_elements = true;
    let mut around: Vec<String> = Vec::new();
    let (mut hidden_from, mut has_root) = (usize::MAX, false);
    // References, CDATA sections and comments divide the text between two tags into several events.
    let mut text = String::new();
    loop {
        let event = xml.read_event().map_err(unreadable)?;
        if matches!(event, Event::Start(_) | Event::End(_) | Event::Eof) && !text.is_empty() {
            if around.len() <= hidden_from {
                visitor.text(&text);
            }
            text.clear();
        }
        match event {
            Event::Start(element) => {
                has_root = true;
                if around.len() >= DEPTH {
                    return Err(Failure::Unreadable);
                }
                let name = xml.decoder().decode(element.local_name().into_inner()).map_err(unreadable)?.into_owned();
                let attributes = attributes(&element)?;
                if around.len() < hidden_from && !visitor.open(&name, &Attributes(&attributes), &around) {
                    hidden_from = around.len();
                }
                around.push(name);
            }
            Event::End(_) => {
                let name = around.pop().ok_or(Failure::Unreadable)?;
                if around.len() < hidden_from {
                    visitor.close(&name);
                } else if around.len() == hidden_from {
                    hidden_from = usize::MAX;
                }
            }
            Event::Text(content) => text.push_str(&content.xml10_content().map_err(unreadable)?),
            Event::CData(content) => text.push_str(&content.xml10_content().map_err(unreadable)?),
            Event::GeneralRef(reference) => push_referenced(&mut text, &reference)?,
            // A truncated part, or no XML at all.
            Event::Eof if !around.is_empty() || !has_root => return Err(Failure::Unreadable),
            Event::Eof => return Ok(()),
            // The reader turns an empty element into a start and an end.
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn attributes(element: &BytesStart<'_>) -> Result<Vec<(String, String)>, Failure> {
    let mut attributes = element.attributes();
    let decoder = attributes.decoder();
    // The check for duplicates compares each name with all before it.
    attributes
        .with_checks(false)
        .map(|attribute| {
            let attribute = attribute.map_err(unreadable)?;
            let name = decoder.decode(attribute.key.local_name().into_inner()).map_err(unreadable)?.into_owned();
            let value = decoder.decode(&attribute.value).map_err(unreadable)?;
            // XML reads line breaks and tabs in a value as spaces, except those written as references.
            let value = value.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ");
            Ok((name, unescape(&value).map_err(unreadable)?.into_owned()))
        })
        .collect()
}

/// Appends the character of `&amp;` or `&#38;`. Entities that the file defines itself are not expanded.
fn push_referenced(text: &mut String, reference: &BytesRef<'_>) -> Result<(), Failure> {
    if let Some(letter) = reference.resolve_char_ref().map_err(unreadable)? {
        text.push(letter);
    } else {
        let name = reference.decode().map_err(unreadable)?;
        text.push_str(resolve_predefined_entity(&name).ok_or(Failure::Unreadable)?);
    }
    Ok(())
}

/// The relationships of a part, by id.
#[derive(Default)]
struct Rels {
    targets: HashMap<String, (String, String)>,
    /// Each address is converted once, however many links use it.
    links: HashMap<String, Rc<str>>,
}

impl Rels {
    fn of_type(&self, kind: &str) -> Option<&str> {
        self.all_of_type(kind).first().copied()
    }

    fn all_of_type(&self, kind: &str) -> Vec<&str> {
        let mut targets: Vec<&str> =
            self.targets.values().filter(|(found, _)| found.ends_with(kind)).map(|(_, target)| target.as_str()).collect();
        targets.sort_unstable();
        targets
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

#[cfg(test)]
mod tests;
