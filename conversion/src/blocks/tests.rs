//! The Markdown written for blocks.

use super::{Block, Inline, Marker, Style, Table, Text, address, inline::written, markdown};

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
