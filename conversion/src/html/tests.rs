//! Clipboard content from Word, Google Docs and web pages.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::blocks;
use crate::{blocks::markdown, markdown::render};

fn converted(html: &str) -> String {
    markdown(blocks(html))
}

#[test]
fn word_content_keeps_its_structure() {
    let word = r##"<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta name=Generator content="Microsoft Word 15">
<style><!-- p.MsoNormal {margin:0cm;} <script> --></style>
<!--[if gte mso 9]><xml><w:WordDocument><w:View>Normal</w:View></w:WordDocument></xml><![endif]--></head>
<body lang=VI style='tab-interval:36.0pt'><!--StartFragment-->
<h1 style='margin-top:12.0pt'><span lang=EN-US style='color:windowtext'>I. Mục tiêu<o:p></o:p></span></h1>
<p class=MsoNormal><b><span lang=VI>Đến năm 2030</span></b><span lang=VI>, toàn tỉnh có&nbsp;95%
chi bộ dùng <i>Sổ tay</i>; diện tích 12 km<sup>2</sup>.<o:p></o:p></span></p>
<p class=MsoNormal><o:p>&nbsp;</o:p></p>
<p class=MsoListParagraphCxSpFirst style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'><![if !supportLists]><span
style='font-family:Symbol'><span style='mso-list:Ignore'>·<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp;
</span></span></span><![endif]>Việc thứ nhất<o:p></o:p></p>
<p class=MsoListParagraphCxSpMiddle style='mso-list:l0 level2 lfo1'><![if !supportLists]><span style='font-family:"Courier New"'><span
style='mso-list:Ignore'>o<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp; </span></span></span><![endif]>Việc nhỏ</p>
<p class=MsoListParagraphCxSpLast style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>·</span>Việc thứ hai</p>
<p class=MsoListParagraph style='mso-list:l1 level1 lfo2'><span style='mso-list:Ignore'>3.<span>&nbsp;</span></span>Việc số ba</p>
<p class=MsoListParagraph style='mso-list:l2 level1 lfo3'><span style='mso-list:Ignore'>a)<span>&nbsp;</span></span>Điểm a</p>
<p class=MsoNormal>Theo Quy định<a style='mso-footnote-id:ftn1' href="#_ftn1" name="_ftnref1" title=""><span
class=MsoFootnoteReference><span style='mso-special-character:footnote'><![if !supportFootnotes]>[1]<![endif]></span></span></a>
và <a href="https://vi.du/qd?a=1&amp;b=2">trang này</a>, <a href="javascript:alert(1)">không phải đây</a>.</p>
<p class=MsoNormal style='mso-hide:all'>ẩn</p>
<div style='mso-element:footnote-list'><hr align=left size=1 width="33%">
<div style='mso-element:footnote' id=ftn1><p class=MsoFootnoteText><a style='mso-footnote-id:ftn1' href="#_ftnref1" name="_ftn1"
title=""><span class=MsoFootnoteReference>[1]</span></a> Quy định 339-QĐ/TW.</p></div></div><!--EndFragment--></body></html>"##;
    let expected = "## I. Mục tiêu

**Đến năm 2030**, toàn tỉnh có 95% chi bộ dùng *Sổ tay*; diện tích 12 km².

- Việc thứ nhất
  - Việc nhỏ
- Việc thứ hai

3. Việc số ba

- a) Điểm a

Theo Quy định[^1] và [trang này](https://vi.du/qd?a=1&b=2), không phải đây.

[^1]: Quy định 339-QĐ/TW.";
    assert_eq!(converted(word), expected);
}

#[test]
fn tables_of_word_keep_their_cells() {
    let word = "<table class=MsoTableGrid border=1><tr style='mso-yfti-irow:0'><td width=60><p class=MsoNormal><b>TT<o:p></o:p></b></p></td>\
                <td colspan=2><p class=MsoNormal><b>Chỉ tiêu | năm</b></p></td></tr>\
                <tr><td><p>1</p></td><td><p>Kết nạp</p><p>đảng viên</p></td><td><p align=right>12</p></td></tr></table>";
    let expected = "| TT | Chỉ tiêu \\| năm | |\n| --- | --- | --- |\n| 1 | Kết nạp đảng viên | 12 |";
    assert_eq!(converted(word), expected);
    assert!(render(&converted(word)).html.contains("<td>Kết nạp đảng viên</td>"));
}

#[test]
fn google_docs_styles_are_read_like_tags() {
    let docs = r#"<meta charset="utf-8"><b style="font-weight:normal;" id="docs-internal-guid-1"><h2 dir="ltr"><span
style="font-size:16pt;font-weight:400;">Kế hoạch</span></h2><h3 dir="ltr"><span>Chi tiết</span></h3><p dir="ltr"><span
style="font-weight:700;font-style:italic">Khẩn</span><span style="font-weight:400;white-space:pre-wrap;"> gửi các chi bộ</span></p>
<ul style="margin-top:0;"><li dir="ltr" aria-level="1"><p dir="ltr" role="presentation"><span>Một</span></p></li><ul><li><p>Trong
một</p></li></ul><li><p>Hai</p></li></ul><ol start="4"><li>Bốn</li><li>Năm<p>thêm</p></li></ol><br /></b>"#;
    let expected =
        "## Kế hoạch\n\n### Chi tiết\n\n***Khẩn*** gửi các chi bộ\n\n- Một\n  - Trong một\n- Hai\n\n4. Bốn\n5. Năm\n\n   thêm";
    assert_eq!(converted(docs), expected);
}

#[test]
fn scripts_and_controls_of_web_pages_are_dropped() {
    for (html, expected) in [
        ("a<br>b<br><br>c", "a  \nb\n\nc"),
        ("<p>một<p>hai", "một\n\nhai"),
        ("<blockquote><p>Lời Bác</p></blockquote>", "> Lời Bác"),
        ("<pre>dòng 1\ndòng 2</pre>", "dòng 1  \ndòng 2"),
        ("<table><tr><td><p>Chỉ để dàn trang</p><ul><li>x</ul></table>", "Chỉ để dàn trang\n\nx"),
        ("1 < 2 &amp;&amp; 3 &gt; 2 &euml; &#7879; &khongco; &", "1 < 2 && 3 > 2 ë ệ \\&khongco; &"),
        ("<p>- gạch tay</p><p>+ gạch trong</p><p>2) đánh số</p>", "- gạch tay\n  - gạch trong\n\n2. đánh số"),
        ("<img src=x onerror=alert(1)>chữ<svg><text>không</text></svg>", "chữ"),
        ("<script>alert('</p>')</script><style>p{}</style>chữ<title>x</title>", "chữ"),
        ("<a href='mailto:a@vi.du'>thư</a> <a href='#muc'>mục</a> <a href=/x>trang</a>", "[thư](mailto:a@vi.du) mục trang"),
        (
            "<sup><a href=\"#cite_note-3\">[3]</a></sup><ol><li id=cite_note-3><a href=\"#cite_ref-3\">^</a> nguồn</li></ol>",
            "[^1]\n\n[^1]: nguồn",
        ),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>d", "- a\n- b\n  - c\n\nd"),
        ("<h4>x</h4><h6>y</h6>", "## x\n\n#### y"),
        ("", ""),
        ("<", "\\<"),
        ("<!-- không đóng", ""),
        ("<p title=\"a>b\" class=x>c</p", "c"),
    ] {
        assert_eq!(converted(html), expected, "{html}");
    }
}

/// Inputs that take a browser's parser minutes: tags never closed, formatting reopened in each paragraph, unterminated comments
/// and scripts.
#[test]
fn a_megabyte_of_hostile_input_takes_bounded_time_and_depth() {
    let mib = |unit: &str| unit.repeat((1 << 20) / unit.len());
    let many = |unit: fn(usize) -> String| {
        let mut html = String::new();
        for n in 0.. {
            html.push_str(&unit(n));
            if html.len() > 1 << 20 {
                return html;
            }
        }
        html
    };
    for (case, html) in [
        ("nested lists", mib("<ul><li>a")),
        ("nested quotes", mib("<blockquote>a")),
        ("nested divisions", mib("<div>")),
        ("nested tables", mib("<table><tr><td>a")),
        ("one row after the other", mib("<tr><td>a")),
        ("marks that never end", many(|n| format!("<p><b a={n}><i>x"))),
        ("letters of every style", mib("a<b>b</b><i>c</i>")),
        ("tables as wide as they can be", format!("<table>{}", mib("<tr><td colspan=30 rowspan=9999>a"))),
        ("scripts without an end", mib("<script>")),
        ("signs without a tag", mib("<")),
        ("entities", mib("&abcd;")),
        ("ampersands", mib("&")),
        ("attributes", format!("<p {}>", mib("a=1 "))),
        ("attributes of different names", format!("<p {}>", many(|n| format!("a{n} ")))),
        ("links", mib("<a href=http://a>b</a> ")),
        ("a link around many paragraphs", format!("<a href=http://a/{}>{}", "(".repeat(1_900), mib("<p>a"))),
        ("a link around many lines", format!("<a href=http://a/{}>{}", "(".repeat(1_900), mib("a<br>"))),
        ("footnotes", many(|n| format!("<a href=#fn{n}>x</a><p><a href=#fnref{n}>y</a>z"))),
        ("lines", mib("a<br>")),
        ("brackets", mib("[](")),
    ] {
        let start = Instant::now();
        let markdown = converted(&html);
        assert!(start.elapsed() < Duration::from_secs(20), "{case}: {:?}", start.elapsed());
        assert!(markdown.len() < 20 << 20, "{case}: {} bytes", markdown.len());
    }
}

/// The text a browser would show for rendered Markdown, without spaces.
fn shown(html: &str) -> String {
    let text = html
        .split('<')
        .enumerate()
        .map(|(at, piece)| if at == 0 { piece } else { piece.split_once('>').map_or("", |(_, text)| text) });
    let text = text.collect::<String>().replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

fn as_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

proptest! {
    #[test]
    fn every_word_is_kept(words in prop::collection::vec("[a-cệ0-9*_`~#|&<>=+.:;!()\\[\\]\\\\-]{1,6}", 1..8), bold in any::<u8>(), italic in any::<u8>()) {
        let mut html = String::from("<p>x");
        for (at, word) in words.iter().enumerate() {
            let (open, close) = match (bold >> (at % 8) & 1, italic >> (at % 8) & 1) {
                (1, 1) => ("<b><i>", "</i></b>"),
                (1, _) => ("<b>", "</b>"),
                (_, 1) => ("<i>", "</i>"),
                _ => ("", ""),
            };
            let space = if (bold ^ italic) >> (at % 8) & 1 == 1 { " " } else { "" };
            html.push_str(&format!("{open}{}{close}{space}", as_html(word)));
        }
        let markdown = converted(&html);
        prop_assert_eq!(shown(&render(&markdown).html), format!("x{}", words.concat()), "{}", markdown);
    }

    #[test]
    fn no_pasted_html_becomes_harmful(html in "(<(/?(p|b|i|ul|ol|li|table|tr|td|a|h[1-6]|script|style|pre|blockquote|br|svg|img)|!--|!\\[if )( (href|style|class|id|onclick|src)=('|\"|)(javascript:alert\\(1\\)|#_ftn1|#_ftnref1|mso-list:l0 level2|mso-list:Ignore|https://a b|<|&lt;)('|\"|))?( |/)?>?|[a-z &;#\n'\"-]{0,6}|<|>|ệ|&lt;script&gt;|\\[x\\]\\(javascript:1\\)|\u{0}|\u{202e}){0,40}") {
        let markdown = converted(&html);
        let page = render(&markdown).html.to_lowercase();
        for evil in ["<script", "<style", "<img", "<svg", "onclick", "javascript:"] {
            let harms = page.split('<').skip(1).filter_map(|tag| tag.split('>').next()).any(|tag| format!("<{tag}").contains(evil));
            prop_assert!(!harms, "{evil} in {page}");
        }
        let unseen = ['\u{0}', '\u{202e}'];
        prop_assert!(!markdown.contains(unseen));
    }
}
