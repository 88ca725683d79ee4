//! The structure that authors typed instead of marking it up: paragraphs, items and headings. Numbers the footnotes.

use std::collections::{HashMap, HashSet};

use domain::folding::fold;

use super::{Block, HEADING_MAX, Inline, Marker, Text, is_blank};

/// Two consecutive breaks separate paragraphs.
pub(super) fn divided(block: Block) -> Vec<Block> {
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
pub(super) fn marked(block: Block) -> Block {
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
pub(super) fn with_headings(mut blocks: Vec<Block>) -> Vec<Block> {
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
pub(super) fn numbered_notes(blocks: Vec<Block>) -> Vec<Block> {
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
