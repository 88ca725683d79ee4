//! The text of a document without markup, for indexing and for excerpts.

use pulldown_cmark::{Event, Options, Parser, TagEnd};

use super::words::is_invisible;

/// Plain text: no markup, no HTML, no zero-width characters and no bidirectional controls. One line per block.
pub(super) fn plain(body: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let mut text = String::with_capacity(body.len());
    for event in Parser::new_ext(body, options) {
        match event {
            Event::Text(words) | Event::Code(words) => text.extend(words.chars().filter(|c| is_shown(*c))),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            Event::End(TagEnd::TableCell) => text.push_str(" · "),
            Event::End(end) if ends_a_block(end) => text.push('\n'),
            _ => {}
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// A line of untrusted text, such as a title, without characters that hide or reorder letters. In Indic scripts a joiner is part
/// of the spelling and is kept.
pub(super) fn shown(line: &str) -> String {
    let mut before = ' ';
    let mut shown = String::with_capacity(line.len());
    for c in line.chars() {
        let is_joiner = matches!(c, '\u{200c}' | '\u{200d}') && matches!(before, '\u{900}'..='\u{dff}');
        if is_shown(c) || is_joiner {
            shown.push(c);
        }
        before = c;
    }
    shown
}

pub(super) fn is_shown(c: char) -> bool {
    !c.is_control() && !is_invisible(c)
}

const fn ends_a_block(end: TagEnd) -> bool {
    matches!(
        end,
        TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::Item
            | TagEnd::CodeBlock
            | TagEnd::BlockQuote(_)
            | TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::FootnoteDefinition
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_left_out_and_words_stay_apart() {
        let body =
            "# Điều 1\n\nĐảng viên **có** [quyền](https://a.b)\nvà nghĩa vụ.\n\n- một\n- hai\n\n| A | B |\n|---|---|\n| c | d |";
        assert_eq!(plain(body), "Điều 1\nĐảng viên có quyền và nghĩa vụ.\nmột\nhai\nA · B · \nc · d ·");
    }

    #[test]
    fn a_title_hides_and_reorders_nothing() {
        assert_eq!(shown("Quy\u{200b}ết \u{202e}định\u{2066} 1\u{feff}"), "Quyết định 1");
        assert_eq!(shown("র\u{200d}্যাব"), "র\u{200d}্যাব");
        assert_eq!(shown("a\u{200d}b"), "ab");
    }

    #[test]
    fn html_and_unseen_characters_are_no_words() {
        let text = plain("a <script>alert(1)</script> b\u{202e}c\u{200b}d");
        assert_eq!(text, "a alert(1) bcd");
    }
}
