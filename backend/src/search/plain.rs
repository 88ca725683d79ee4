//! The text of a document without its markup: what is indexed, and what excerpts are cut from.

use pulldown_cmark::{Event, Options, Parser, TagEnd};

use super::words::is_invisible;

/// Words only: no markup, no HTML, nothing without width and nothing that turns the direction of writing. A line for each block.
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
    fn html_and_unseen_characters_are_no_words() {
        let text = plain("a <script>alert(1)</script> b\u{202e}c\u{200b}d");
        assert_eq!(text, "a alert(1) bcd");
    }
}
