//! Writes blocks as Markdown.

use super::{Block, HEADING_MAX, Inline, Marker, Style, Text, inline::written, is_blank, push};

/// The Markdown written so far.
#[derive(Default)]
pub(super) struct Page {
    pub(super) text: String,
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
    pub(super) fn write(&mut self, block: &Block) {
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
