//! Files as Word and others write them, and such as nobody's program writes.

use std::time::{Duration, Instant};

use docx_rs::{
    AbstractNumbering, Docx, Hyperlink, HyperlinkType, IndentLevel, Level as DocxLevel, LevelJc, LevelText, NumberFormat,
    Numbering as DocxNumbering, NumberingId, Paragraph as DocxParagraph, Run as DocxRun, Start, Style as DocxStyle, StyleType,
    Table as DocxTable, TableCell, TableRow,
};
use proptest::prelude::*;

use super::{Failure, blocks, lettered, roman};
use crate::documents::convert::blocks::{Block, markdown};

fn converted(file: &[u8]) -> Result<String, Failure> {
    blocks(file).map(markdown)
}

/// A zip file of parts that are not packed.
fn zip(parts: &[(&str, &str)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in parts {
        let offset = u32::try_from(file.len()).expect("small");
        let sizes = [u32::try_from(content.len()).expect("small").to_le_bytes(); 2].concat();
        let length = u16::try_from(name.len()).expect("short").to_le_bytes();
        file.extend_from_slice(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0");
        file.extend_from_slice(&sizes);
        file.extend_from_slice(&length);
        file.extend_from_slice(b"\0\0");
        file.extend_from_slice(name.as_bytes());
        file.extend_from_slice(content.as_bytes());
        directory.extend_from_slice(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\0");
        directory.extend_from_slice(&sizes);
        directory.extend_from_slice(&length);
        directory.extend_from_slice(&[0; 12]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let (offset, count) = (u32::try_from(file.len()).expect("small"), u16::try_from(parts.len()).expect("few"));
    file.extend_from_slice(&directory);
    file.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    file.extend_from_slice(&[count.to_le_bytes(); 2].concat());
    file.extend_from_slice(&u32::try_from(directory.len()).expect("small").to_le_bytes());
    file.extend_from_slice(&offset.to_le_bytes());
    file.extend_from_slice(b"\0\0");
    file
}

const RELS: &str = r#"<Relationships><Relationship Id="rId1" Type="http://schemas/officeDocument/2006/relationships/officeDocument"
Target="/word/document.xml"/></Relationships>"#;

fn document(body: &str) -> Vec<u8> {
    zip(&[("_rels/.rels", RELS), ("word/document.xml", &format!("<w:document><w:body>{body}</w:body></w:document>"))])
}

#[test]
fn a_document_of_a_library_is_read() {
    let bold = |text: &str| DocxRun::new().add_text(text).bold();
    let run = |text: &str| DocxRun::new().add_text(text);
    let item = |text: &str, level: usize| {
        DocxParagraph::new().add_run(run(text)).numbering(NumberingId::new(2), IndentLevel::new(level))
    };
    let level = |at: usize, format: &str, text: &str| {
        DocxLevel::new(at, Start::new(1), NumberFormat::new(format), LevelText::new(text), LevelJc::new("left"))
    };
    let cell = |text: &str| TableCell::new().add_paragraph(DocxParagraph::new().add_run(run(text)));
    let docx = Docx::new()
        .add_style(DocxStyle::new("Heading1", StyleType::Paragraph).name("heading 1"))
        .add_style(DocxStyle::new("2", StyleType::Paragraph).name("Đầu đề 2"))
        .add_abstract_numbering(AbstractNumbering::new(5).add_level(level(0, "decimal", "%1.")).add_level(level(
            1,
            "lowerLetter",
            "%2)",
        )))
        .add_numbering(DocxNumbering::new(2, 5))
        .add_paragraph(DocxParagraph::new().add_run(bold("Kế hoạch năm")).style("Heading1"))
        .add_paragraph(DocxParagraph::new().add_run(run("Mục đích")).style("2"))
        .add_paragraph(
            DocxParagraph::new()
                .add_run(bold("Khẩn:"))
                .add_run(run(" nộp trước "))
                .add_run(DocxRun::new().add_text("ngày 5").italic())
                .add_run(run(", xem "))
                .add_hyperlink(Hyperlink::new("https://vi.du/a", HyperlinkType::External).add_run(run("trang"))),
        )
        .add_paragraph(item("Một", 0))
        .add_paragraph(item("Điểm a", 1))
        .add_paragraph(item("Điểm b", 1))
        .add_paragraph(item("Hai", 0))
        .add_paragraph(DocxParagraph::new())
        .add_table(DocxTable::new(vec![
            TableRow::new(vec![cell("TT"), cell("Việc")]),
            TableRow::new(vec![cell("1"), cell("Họp | bàn")]),
        ]));
    let mut file = std::io::Cursor::new(Vec::new());
    docx.build().pack(&mut file).expect("is packed");
    let expected = "## Kế hoạch năm

### Mục đích

**Khẩn:** nộp trước *ngày 5*, xem [trang](https://vi.du/a)

1. Một
   - a) Điểm a
   - b) Điểm b
2. Hai

| TT | Việc |
| --- | --- |
| 1 | Họp \\| bàn |";
    assert_eq!(converted(file.get_ref()), Ok(expected.to_owned()));
}

#[test]
fn what_word_adds_is_understood() {
    let parts = [
        ("_rels/.rels", RELS),
        (
            "word/_rels/document.xml.rels",
            r#"<Relationships><Relationship Id="rId1" Type="http://x/relationships/footnotes" Target="footnotes.xml"/>
            <Relationship Id="rId2" Type="http://x/relationships/styles" Target="styles.xml"/>
            <Relationship Id="rId3" Type="http://x/relationships/numbering" Target="numbering.xml"/>
            <Relationship Id="rId4" Type="http://x/relationships/hyperlink" Target="javascript:alert(1)" TargetMode="External"/></Relationships>"#,
        ),
        (
            "word/styles.xml",
            r#"<w:styles><w:style w:type="paragraph" w:styleId="u1"><w:name w:val="Đầu đề 1"/></w:style>
            <w:style w:type="paragraph" w:styleId="rieng"><w:name w:val="Chương của tôi"/><w:basedOn w:val="u1"/></w:style>
            <w:style w:type="paragraph" w:styleId="vong"><w:basedOn w:val="vong"/></w:style>
            <w:style w:type="character" w:styleId="Manh"><w:rPr><w:b/></w:rPr></w:style></w:styles>"#,
        ),
        (
            "word/numbering.xml",
            r#"<w:numbering><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="upperRoman"/>
            <w:lvlText w:val="Chương %1."/></w:lvl></w:abstractNum><w:num w:numId="7"><w:abstractNumId w:val="0"/></w:num></w:numbering>"#,
        ),
        (
            "word/footnotes.xml",
            r#"<w:footnotes><w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:t>vạch</w:t></w:r></w:p></w:footnote>
            <w:footnote w:id="2"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t xml:space="preserve"> Quy định 339.</w:t></w:r></w:p>
            <w:p><w:r><w:t>Điều 4.</w:t></w:r></w:p></w:footnote></w:footnotes>"#,
        ),
        (
            "word/document.xml",
            r#"<w:document><w:body>
            <w:p><w:pPr><w:pStyle w:val="rieng"/><w:numPr><w:numId w:val="7"/></w:numPr></w:pPr><w:r><w:t>Tổ chức</w:t></w:r></w:p>
            <w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> TOC \o "1-3" </w:instrText></w:r>
              <w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>Mục lục ..... 3</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>
            <w:p><w:pPr><w:pStyle w:val="vong"/><w:rPr><w:b/></w:rPr></w:pPr><w:r><w:t xml:space="preserve">Theo </w:t></w:r>
              <w:r><w:rPr><w:rStyle w:val="Manh"/></w:rPr><w:t>Quy định</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r>
              <w:del><w:r><w:delText>đã bỏ</w:delText></w:r></w:del><w:ins><w:r><w:t xml:space="preserve"> mới </w:t></w:r></w:ins>
              <w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK "https://vi.du"</w:instrText></w:r>
              <w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>trang</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>
              <w:hyperlink r:id="rId4"><w:r><w:t xml:space="preserve"> xấu</w:t></w:r></w:hyperlink>
              <w:r><w:rPr><w:vanish/></w:rPr><w:t>ẩn</w:t></w:r><w:r><w:t xml:space="preserve"> 5 m</w:t></w:r>
              <w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>2</w:t></w:r><w:r><w:br/><w:t>dòng sau &amp; hết</w:t></w:r></w:p>
            <w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>Chung</w:t></w:r></w:p></w:tc></w:tr>
              <w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:tbl><w:tr><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
              <w:p><w:r><w:t>c</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
            </w:body></w:document>"#,
        ),
    ];
    let expected = "## Chương III. Tổ chức

Theo **Quy định**[^1] mới [trang](https://vi.du) xấu 5 m²  \ndòng sau & hết

| Chung | |
| --- | --- |
| a | b c |

[^1]: Quy định 339. Điều 4.";
    assert_eq!(converted(&zip(&parts)), Ok(expected.to_owned()));
}

#[test]
fn numbers_are_written_as_word_does() {
    for (number, letters, figures) in
        [(1, "a", "I"), (4, "d", "IV"), (26, "z", "XXVI"), (27, "aa", "XXVII"), (1994, "rrrr", "MCMXCIV")]
    {
        assert_eq!((lettered(number).as_str(), roman(number).as_str()), (letters, figures));
    }
    assert_eq!((lettered(0).as_str(), roman(4_000).as_str()), ("", "4000"));
}

#[test]
fn files_that_are_no_documents_are_said_to_be_unreadable() {
    let whole = document("<w:p><w:r><w:t>chữ</w:t></w:r></w:p>");
    assert_eq!(converted(&whole), Ok("chữ".to_owned()));
    let cut = zip(&[("_rels/.rels", RELS), ("word/document.xml", "<w:document><w:body><w:p><w:r><w:instrText>")]);
    let crossed = document("<w:p></w:r></w:p>");
    let without = zip(&[("_rels/.rels", RELS), ("xl/workbook.xml", "<workbook/>")]);
    let laughs = zip(&[
        ("_rels/.rels", RELS),
        ("word/document.xml", "<!DOCTYPE x [<!ENTITY a \"&b;&b;\">]><w:document><w:body><w:p><w:r><w:t>&a;"),
    ]);
    for file in [&b""[..], b"%PDF-1.7", b"\xd0\xcf\x11\xe0", &whole[..whole.len() / 2], &cut, &crossed, &without, &laughs] {
        assert_eq!(converted(file), Err(Failure::Unreadable));
    }
}

#[test]
fn bombs_do_not_go_off() {
    let nested = |open: &str, close: &str| document(&format!("{}<w:p/>{}", open.repeat(100_000), close.repeat(100_000)));
    for (case, file, expected) in [
        ("nested tables", nested("<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>"), Failure::Unreadable),
        ("nested controls", nested("<w:sdt><w:sdtContent>", "</w:sdtContent></w:sdt>"), Failure::Unreadable),
        ("too many words", document(&format!("<w:p><w:r><w:t>{}</w:t></w:r></w:p>", "chữ ".repeat(200_000))), Failure::TooLong),
        ("too many paragraphs", document(&"<w:p><w:r><w:t>chữ</w:t></w:r></w:p>".repeat(200_000)), Failure::TooLong),
        ("more than is unpacked", document(&" ".repeat(25 << 20)), Failure::Unreadable),
    ] {
        let start = Instant::now();
        assert_eq!(converted(&file), Err(expected), "{case}");
        assert!(start.elapsed() < Duration::from_secs(30), "{case}: {:?}", start.elapsed());
    }
    for (case, file) in repeated() {
        let start = Instant::now();
        let blocks = blocks(&file);
        assert_eq!(blocks.err(), Some(Failure::TooLong), "{case}");
        assert!(start.elapsed() < Duration::from_secs(30), "{case}: {:?}", start.elapsed());
    }
    let fields = "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r>".repeat(100_000);
    assert_eq!(converted(&document(&format!("<w:p>{fields}<w:r><w:t>chữ</w:t></w:r></w:p>"))), Ok(String::new()));
}

/// Files that say something long once and mean it many times.
fn repeated() -> [(&'static str, Vec<u8>); 4] {
    let main = |body: &str| format!("<w:document><w:body>{body}</w:body></w:document>");
    let rels = |of: &str| {
        let kind = "http://x/relationships";
        format!("<Relationships><Relationship Id=\"r\" Type=\"{kind}/{of}\"/></Relationships>")
    };
    let numbering = format!(
        "<w:numbering><w:abstractNum w:abstractNumId=\"0\"><w:lvl><w:lvlText w:val=\"{}\"/></w:lvl></w:abstractNum>\
         <w:num w:numId=\"7\"><w:abstractNumId w:val=\"0\"/></w:num></w:numbering>",
        "x".repeat(100_000)
    );
    let item = "<w:p><w:pPr><w:numPr><w:numId w:val=\"7\"/></w:numPr></w:pPr><w:r><w:t>a</w:t></w:r></w:p>";
    let target = format!("hyperlink\" Target=\"https://vi.du/{}", "(".repeat(1_900));
    let run = "<w:r><w:t>a</w:t></w:r>";
    let package = |rels: String, more: Option<(&str, &str)>, body: &str| {
        let main = main(body);
        let mut parts = vec![("_rels/.rels", RELS), ("word/_rels/document.xml.rels", &*rels), ("word/document.xml", &*main)];
        parts.extend(more);
        zip(&parts)
    };
    let around = |inside: &str| format!("<w:hyperlink r:id=\"r\">{inside}</w:hyperlink>");
    [
        (
            "a label of many items",
            package(rels("numbering\" Target=\"numbering.xml"), Some(("word/numbering.xml", &numbering)), &item.repeat(30_000)),
        ),
        ("an address of many links", package(rels(&target), None, &format!("<w:p>{}</w:p>", around(run)).repeat(3_000))),
        (
            "a link around many lines",
            package(rels(&target), None, &format!("<w:p>{}</w:p>", around(&format!("{run}<w:r><w:br/></w:r>").repeat(3_000)))),
        ),
        ("many lines", document(&format!("<w:p>{}</w:p>", "<w:r><w:br/></w:r>".repeat(900_000)))),
    ]
}

#[test]
fn the_name_of_a_note_is_short_in_each_of_its_parts() {
    let rels =
        "<Relationships><Relationship Id=\"r\" Type=\"http://x/relationships/footnotes\" Target=\"notes.xml\"/></Relationships>";
    let part = "<w:p><w:r><w:t>a</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>";
    let note = format!("<w:footnotes><w:footnote w:id=\"{}\">{}</w:footnote></w:footnotes>", "1".repeat(9_000), part.repeat(3));
    let main = "<w:document><w:body/></w:document>";
    let parts =
        [("_rels/.rels", RELS), ("word/_rels/document.xml.rels", rels), ("word/notes.xml", &note), ("word/document.xml", main)];
    let blocks = blocks(&zip(&parts)).expect("is read");
    let names: Vec<&str> =
        blocks.iter().filter_map(|block| if let Block::Note { name, .. } = block { Some(name.as_str()) } else { None }).collect();
    assert!(names.len() == 3 && names.iter().all(|name| name.len() < 40), "{names:?}");
}

proptest! {
    #[test]
    fn nothing_in_a_file_makes_it_panic(
        body in "(<w:(p|r|t|tbl|tr|tc|b|br|pPr|rPr|numPr|instrText|hyperlink|footnote|gridSpan|fldChar)( w:(val|id|fldCharType)=\"(begin|separate|end|9|-1|)\")?/?>|</w:(p|r|t|tbl|tr|tc|pPr|rPr)>|[a-zệ &;]{0,4}){0,40}",
        flipped in any::<prop::sample::Index>(),
    ) {
        let mut file = document(&body);
        let _ = converted(&file);
        let at = flipped.index(file.len());
        file[at] ^= 0x41;
        let _ = converted(&file);
    }
}
