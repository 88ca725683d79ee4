//! Files as Word and other programs write them, and crafted ones.

use std::time::{Duration, Instant};

use docx_rs::{
    AbstractNumbering, Docx, Hyperlink, HyperlinkType, IndentLevel, Level as DocxLevel, LevelJc, LevelText, NumberFormat,
    Numbering as DocxNumbering, NumberingId, Paragraph as DocxParagraph, Run as DocxRun, Start, Style as DocxStyle, StyleType,
    Table as DocxTable, TableCell, TableRow,
};
use proptest::prelude::*;

use super::{
    Failure,
    numbering::{lettered, roman},
    read, titled,
};
use crate::blocks::{Block, markdown, plain};
use domain::documents::LeftOut;

fn converted(file: &[u8]) -> Result<String, Failure> {
    read(file).map(|read| markdown(read.blocks))
}

/// The content that was left out of the text.
fn left_out(file: &[u8]) -> Vec<LeftOut> {
    read(file).expect("is read").left_out.into_iter().collect()
}

/// A zip file with uncompressed parts.
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
fn a_document_written_by_a_library_is_read() {
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
fn ids_of_any_length_name_their_styles() {
    let long = "x".repeat(50_000);
    let styles = format!(
        "<w:styles><w:style w:type=\"paragraph\" w:styleId=\"{long}\"><w:name w:val=\"heading 1\"/></w:style>\
         <w:style w:type=\"paragraph\" w:styleId=\"rieng\"><w:basedOn w:val=\"{long}\"/></w:style></w:styles>"
    );
    let body = format!(
        "<w:document><w:body><w:p><w:pPr><w:pStyle w:val=\"{long}\"/></w:pPr><w:r><w:t>Một</w:t></w:r></w:p>\
         <w:p><w:pPr><w:pStyle w:val=\"rieng\"/></w:pPr><w:r><w:t>Hai</w:t></w:r></w:p>\
         <w:p><w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText>HYPERLINK \"https://vi.du/{long}ệ\"</w:instrText></w:r>\
         <w:r><w:fldChar w:fldCharType=\"separate\"/></w:r><w:r><w:t>Ba</w:t></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r></w:p>\
         </w:body></w:document>"
    );
    let rels =
        r#"<Relationships><Relationship Id="rId2" Type="http://x/relationships/styles" Target="styles.xml"/></Relationships>"#;
    let parts = [
        ("_rels/.rels", RELS),
        ("word/_rels/document.xml.rels", rels),
        ("word/styles.xml", &*styles),
        ("word/document.xml", &*body),
    ];
    let read = converted(&zip(&parts)).expect("is read");
    assert!(read.starts_with("## Một\n\n## Hai\n\n") && read.contains("Ba") && read.len() < 5_000, "{read}");
}

#[test]
fn markup_added_by_word_is_understood() {
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
fn files_that_are_no_documents_are_reported_as_unreadable() {
    let whole = document("<w:p><w:r><w:t>chữ</w:t></w:r></w:p>");
    assert_eq!(converted(&whole), Ok("chữ".to_owned()));
    let cut = zip(&[("_rels/.rels", RELS), ("word/document.xml", "<w:document><w:body><w:p><w:r><w:instrText>")]);
    let crossed = document("<w:p></w:r></w:p>");
    let without = zip(&[("_rels/.rels", RELS), ("xl/workbook.xml", "<workbook/>")]);
    let laughs = zip(&[
        ("_rels/.rels", RELS),
        ("word/document.xml", "<!DOCTYPE x [<!ENTITY a \"&b;&b;\">]><w:document><w:body><w:p><w:r><w:t>&a;"),
    ]);
    let no_xml = zip(&[("_rels/.rels", RELS), ("word/document.xml", "%PDF-1.7")]);
    for file in
        [&b""[..], b"%PDF-1.7", b"\xd0\xcf\x11\xe0", &whole[..whole.len() / 2], &cut, &crossed, &without, &laughs, &no_xml]
    {
        assert_eq!(converted(file), Err(Failure::Unreadable));
    }
}

#[test]
fn xml_is_read_in_all_its_forms() {
    for (case, body, expected) in [
        (
            "references, sections, comments",
            "<w:p><w:r><w:t>a &amp; &#x111;&#273;<![CDATA[ & b]]><!-- c --> d</w:t></w:r></w:p>",
            "a & đđ & b d",
        ),
        ("line breaks of Windows", "<w:p>\r\n<w:r><w:t>a</w:t></w:r >\r\n</w:p>", "a"),
        ("another prefix", "<x:p><x:r><x:t>a</x:t></x:r></x:p>", "a"),
        ("no prefix", "<p><r><t>a</t></r></p>", "a"),
        ("one quote", "<w:p><w:r><w:rPr><w:b w:val='0'/></w:rPr><w:t>a</w:t></w:r></w:p>", "a"),
        (
            "a value on two lines",
            "<w:p><w:r><w:t>a</w:t></w:r><w:r><w:pict><v:textpath string=\"b\nc &amp; d\"/></w:pict></w:r></w:p>",
            "a\n\nb c & d",
        ),
    ] {
        assert_eq!(converted(&document(body)).as_deref(), Ok(expected), "{case}");
    }
    for malformed in
        ["&nbsp;", "&#0;", "a & b", "<w:b w:val=0/>", "<w:b w:val=\"&x;\"/>", "<w:b w:val=\"0/>", "<![CDATA[a", "<!-- a"]
    {
        let body = format!("<w:p><w:r><w:t>a</w:t>{malformed}</w:r></w:p>");
        assert_eq!(converted(&document(&body)), Err(Failure::Unreadable), "{malformed}");
    }
}

#[test]
fn zip_bombs_and_expansions_are_bounded() {
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
        assert_eq!(read(&file).err(), Some(Failure::TooLong), "{case}");
        assert!(start.elapsed() < Duration::from_secs(30), "{case}: {:?}", start.elapsed());
    }
    let long = "x".repeat(500_000);
    let numbering = format!(
        "<w:numbering><w:abstractNum w:abstractNumId=\"{long}\"><w:lvl><w:numFmt w:val=\"{long}\"/><w:lvlText w:val=\"%1/\"/></w:lvl></w:abstractNum>\
         <w:num w:numId=\"7\"><w:abstractNumId w:val=\"{long}\"/></w:num></w:numbering>"
    );
    let styles = format!("<w:styles><w:docDefaults><w:rFonts w:ascii=\"{long}\"/></w:docDefaults></w:styles>");
    let item = "<w:p><w:pPr><w:numPr><w:numId w:val=\"7\"/></w:numPr></w:pPr><w:r><w:t>a</w:t></w:r></w:p>";
    let file = with_parts(&item.repeat(30_000), &[("numbering", "numbering.xml", &numbering), ("styles", "styles.xml", &styles)]);
    let start = Instant::now();
    assert!(read(&file).is_ok_and(|read| read.blocks.len() == 30_000));
    assert!(start.elapsed() < Duration::from_secs(30), "long names that are looked up often: {:?}", start.elapsed());
    let fields = "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r>".repeat(100_000);
    assert_eq!(converted(&document(&format!("<w:p>{fields}<w:r><w:t>chữ</w:t></w:r></w:p>"))), Ok(String::new()));
}

/// Files with a long string that is referenced many times.
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
fn the_name_of_a_note_is_truncated_everywhere() {
    let rels =
        "<Relationships><Relationship Id=\"r\" Type=\"http://x/relationships/footnotes\" Target=\"notes.xml\"/></Relationships>";
    let part = "<w:p><w:r><w:t>a</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>";
    let note = format!("<w:footnotes><w:footnote w:id=\"{}\">{}</w:footnote></w:footnotes>", "1".repeat(9_000), part.repeat(3));
    let main = "<w:document><w:body/></w:document>";
    let parts =
        [("_rels/.rels", RELS), ("word/_rels/document.xml.rels", rels), ("word/notes.xml", &note), ("word/document.xml", main)];
    let blocks = read(&zip(&parts)).expect("is read").blocks;
    let names: Vec<&str> =
        blocks.iter().filter_map(|block| if let Block::Note { name, .. } = block { Some(name.as_str()) } else { None }).collect();
    assert!(names.len() == 3 && names.iter().all(|name| name.len() < 40), "{names:?}");
}

/// A document with further parts: type of relationship, name, content.
fn with_parts(body: &str, more: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut rels = "<Relationships>".to_owned();
    for (at, (kind, name, _)) in more.iter().enumerate() {
        rels += &format!("<Relationship Id=\"r{at}\" Type=\"http://x/relationships/{kind}\" Target=\"{name}\"/>");
    }
    rels += "</Relationships>";
    let main = format!("<w:document><w:body>{body}</w:body></w:document>");
    let names: Vec<String> = more.iter().map(|(_, name, _)| format!("word/{name}")).collect();
    let mut parts = vec![("_rels/.rels", RELS), ("word/_rels/document.xml.rels", &*rels), ("word/document.xml", &*main)];
    parts.extend(names.iter().zip(more).map(|(name, (_, _, content))| (name.as_str(), *content)));
    zip(&parts)
}

fn line(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

#[test]
fn text_boxes_follow_the_paragraph_they_are_anchored_in() {
    let box_ = include_bytes!("../../tests/files/box.docx");
    let expected = "ĐẢNG BỘ TỈNH TRÀ KHÚC\n\nTỐI MẬT\n\nBáo cáo về công tác tổ chức quý III.\n\n\
                    Đoạn có khung:\n\nChữ ở trong khung phải còn.";
    assert_eq!(converted(box_).as_deref(), Ok(expected));
    assert_eq!(left_out(box_), []);
    let boxed =
        |inside: &str| format!("<w:r><w:pict><v:textbox><w:txbxContent>{inside}</w:txbxContent></v:textbox></w:pict></w:r>");
    let table = format!("<w:tbl><w:tr><w:tc>{}</w:tc><w:tc>{}</w:tc></w:tr></w:tbl>", line("x"), line("y"));
    for (case, body, expected) in [
        ("old drawings", format!("<w:p>{}<w:r><w:t>sau</w:t></w:r></w:p>", boxed(&line("trong"))), "sau\n\ntrong"),
        ("a table in a box", format!("<w:p><w:r><w:t>a</w:t></w:r>{}</w:p>", boxed(&table)), "a\n\n| x | y |\n| --- | --- |"),
        (
            "a box in a table",
            format!("<w:tbl><w:tr><w:tc><w:p>{}<w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc>{}</w:tc></w:tr></w:tbl>", boxed(&line("trong")), line("b")),
            "| a trong | b |\n| --- | --- |",
        ),
        ("a box in a box", format!("<w:p><w:r><w:t>a</w:t></w:r>{}</w:p>", boxed(&format!("<w:p><w:r><w:t>b</w:t></w:r>{}</w:p>", boxed(&line("c"))))), "a\n\nb\n\nc"),
        (
            "letters of a drawing",
            "<w:p><w:r><w:t>a</w:t></w:r><w:r><w:drawing><wps:txBody><a:p><a:r><a:t>b</a:t></a:r></a:p></wps:txBody></w:drawing></w:r></w:p>".to_owned(),
            "a\n\nb",
        ),
        ("letters as a picture", "<w:p><w:r><w:t>a</w:t></w:r><w:r><w:pict><v:shape><v:textpath string=\"TUYỆT MẬT\"/></v:shape></w:pict></w:r></w:p>".to_owned(), "a\n\nTUYỆT MẬT"),
    ] {
        assert_eq!(converted(&document(&body)).as_deref(), Ok(expected), "{case}");
    }
}

#[test]
fn headers_and_footers_are_reported_as_left_out_unless_they_are_secrecy_marks() {
    let edge = |text: &str| format!("<w:hdr>{}</w:hdr>", line(text));
    for (header, expected, out) in [
        ("Trang 3/12", "chữ", vec![]),
        ("- 3 -", "chữ", vec![]),
        ("Đảng bộ tỉnh Trà Khúc", "chữ", vec![LeftOut::Edges]),
        ("TÀI LIỆU MẬT", "TÀI LIỆU MẬT\n\nchữ", vec![]),
    ] {
        let header = edge(header);
        let file = with_parts(&line("chữ"), &[("header", "header1.xml", &header), ("footer", "footer1.xml", &header)]);
        assert_eq!((converted(&file).as_deref(), left_out(&file)), (Ok(expected), out), "{header}");
    }
    let watermark = "<w:hdr><w:p><w:r><w:pict><v:shape><v:textpath string=\"TỐI MẬT\"/></v:shape></w:pict></w:r></w:p></w:hdr>";
    let file = with_parts(&line("chữ"), &[("header", "header1.xml", watermark)]);
    assert_eq!(converted(&file).as_deref(), Ok("TỐI MẬT\n\nchữ"), "a watermark");
}

#[test]
fn lists_are_numbered_as_word_shows_them() {
    let start = include_bytes!("../../tests/files/start-override.docx");
    assert_eq!(converted(start).as_deref(), Ok("1. Một\n2. Hai\n\nMục sau đây bắt đầu ở số 7.\n\n7. Bảy\n8. Tám"));
    let shared = include_bytes!("../../tests/files/shared-abstract.docx");
    assert_eq!(converted(shared).as_deref(), Ok("1. Một\n2. Hai\n\nGiữa hai phần.\n\n3. Ba\n4. Bốn"));
    let articles = include_bytes!("../../tests/files/articles.docx");
    let expected = "Điều 1. Phạm vi\n\n1. Khoản một\n   - a) Điểm a\n   - b) Điểm b\n2. Khoản hai\n\n\
                    Điều 2. Đối tượng\n\n1. Khoản một của Điều 2";
    assert_eq!(converted(articles).as_deref(), Ok(expected));
}

/// Lists as Word can make them: the numbering, the items as list and level, and the expected labels.
#[test]
fn lists_start_continue_and_format_as_defined() {
    let level = |at: u32, format: &str, text: &str, more: &str| {
        format!(
            "<w:lvl w:ilvl=\"{at}\"><w:start w:val=\"1\"/><w:numFmt w:val=\"{format}\"/>{more}<w:lvlText w:val=\"{text}\"/></w:lvl>"
        )
    };
    let num =
        |id: u32, kind: u32, more: &str| format!("<w:num w:numId=\"{id}\"><w:abstractNumId w:val=\"{kind}\"/>{more}</w:num>");
    let kind = |id: u32, inside: &str| format!("<w:abstractNum w:abstractNumId=\"{id}\">{inside}</w:abstractNum>");
    let over = "<w:lvlOverride w:ilvl=\"0\"><w:startOverride w:val=\"5\"/></w:lvlOverride>";
    let own = format!("<w:lvlOverride w:ilvl=\"0\">{}</w:lvlOverride>", level(0, "upperRoman", "%1/", ""));
    let legal = level(1, "decimal", "%1.%2.", "<w:isLgl/>");
    let numbering = [
        "<w:numbering>".to_owned(),
        kind(0, &level(0, "decimal", "%1.", "")),
        kind(1, &(level(0, "upperRoman", "Chương %1", "") + &legal)),
        kind(2, &(level(0, "decimal", "%1)", "") + &level(1, "lowerLetter", "(%2)", "<w:lvlRestart w:val=\"0\"/>"))),
        kind(3, "<w:numStyleLink w:val=\"DS\"/>"),
        kind(4, &("<w:styleLink w:val=\"DS\"/>".to_owned() + &level(0, "decimalZero", "%1/", ""))),
        num(1, 0, ""),
        num(2, 0, over),
        num(3, 0, &own),
        num(4, 1, ""),
        num(5, 2, ""),
        num(6, 3, ""),
        "</w:numbering>".to_owned(),
    ]
    .concat();
    let item = |(num, level): (u32, u32)| {
        format!(
            "<w:p><w:pPr><w:numPr><w:ilvl w:val=\"{level}\"/><w:numId w:val=\"{num}\"/></w:numPr></w:pPr><w:r><w:t>x</w:t></w:r></w:p>"
        )
    };
    for (case, items, expected) in [
        ("begins once", vec![(1, 0), (2, 0), (2, 0), (1, 0)], "1. x\n\n5) x\n6) x\n7) x"),
        ("a level of its own", vec![(1, 0), (3, 0)], "1. x\n\n- II/ x"),
        (
            "digits in law",
            vec![(4, 0), (4, 1), (4, 1), (4, 0), (4, 1)],
            "Chương I x\n\n- 1.1. x\n- 1.2. x\n\nChương II x\n\n- 2.1. x",
        ),
        ("goes on below another", vec![(5, 0), (5, 1), (5, 0), (5, 1)], "1. x\n   - (a) x\n2. x\n   - (b) x"),
        ("a style of lists", vec![(6, 0), (6, 0)], "- 01/ x\n- 02/ x"),
        ("no list at all", vec![(0, 0), (99, 0)], "x\n\nx"),
    ] {
        let body: String = items.into_iter().map(item).collect();
        let file = with_parts(&body, &[("numbering", "numbering.xml", &numbering)]);
        assert_eq!(converted(&file).as_deref(), Ok(expected), "{case}");
    }
}

#[test]
fn a_style_assigns_a_list_level_to_its_paragraphs() {
    let numbering = "<w:numbering><w:abstractNum w:abstractNumId=\"0\"><w:lvl w:ilvl=\"0\"><w:pStyle w:val=\"Dieu\"/><w:lvlText w:val=\"Điều %1.\"/></w:lvl>\
                     <w:lvl w:ilvl=\"1\"><w:pStyle w:val=\"Khoan\"/><w:numFmt w:val=\"decimal\"/><w:lvlText w:val=\"%2.\"/></w:lvl></w:abstractNum>\
                     <w:num w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num></w:numbering>";
    let numbered = "<w:pPr><w:numPr><w:numId w:val=\"1\"/></w:numPr></w:pPr>";
    let styles = format!(
        "<w:styles><w:style w:styleId=\"Dieu\">{numbered}</w:style><w:style w:styleId=\"Khoan\">{numbered}</w:style></w:styles>"
    );
    let item = |style: &str| format!("<w:p><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr><w:r><w:t>x</w:t></w:r></w:p>");
    let body = ["Dieu", "Khoan", "Khoan", "Dieu", "Khoan"].map(item).concat();
    let file = with_parts(&body, &[("numbering", "numbering.xml", numbering), ("styles", "styles.xml", &styles)]);
    assert_eq!(converted(&file).as_deref(), Ok("Điều 1. x\n\n1. x\n2. x\n\nĐiều 2. x\n\n1. x"));
}

#[test]
fn symbols_are_converted_or_reported() {
    let symbols = include_bytes!("../../tests/files/symbols.docx");
    assert_eq!(converted(symbols).as_deref(), Ok("☑ Đồng ý ☐ Không đồng ý\n\nMức chi ≤ 5 triệu đồng"));
    assert_eq!(left_out(symbols), []);
    let font = |name: &str, text: &str| {
        format!("<w:r><w:rPr><w:rFonts w:ascii=\"{name}\" w:hAnsi=\"{name}\"/></w:rPr><w:t>{text}</w:t></w:r>")
    };
    let body =
        format!("<w:p>{}{}{}</w:p>", font("Symbol", "a \u{f0b3} 5"), font("Wingdings", "\u{f0fc}"), font("Arial", "\u{f0b0}C"));
    assert_eq!(converted(&document(&body)).as_deref(), Ok("α ≥ 5✔°C"));
    let unknown = document(
        "<w:p><w:r><w:t>a</w:t><w:sym w:font=\"Wingdings 3\" w:char=\"F041\"/><w:sym w:font=\"x\" w:char=\"nonsense\"/></w:r></w:p>",
    );
    assert_eq!((converted(&unknown).as_deref(), left_out(&unknown)), (Ok("a"), vec![LeftOut::Symbols]));
    let ticked = |value: &str| {
        format!(
            "<w:r><w:fldChar w:fldCharType=\"begin\"><w:ffData><w:checkBox><w:sizeAuto/><w:default w:val=\"{value}\"/></w:checkBox></w:ffData></w:fldChar></w:r><w:r><w:instrText> FORMCHECKBOX </w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r>"
        )
    };
    let form = document(&format!(
        "<w:p>{}<w:r><w:t xml:space=\"preserve\"> có </w:t></w:r>{}<w:r><w:t> không</w:t></w:r></w:p>",
        ticked("1"),
        ticked("0")
    ));
    assert_eq!(converted(&form).as_deref(), Ok("☒ có ☐ không"));
}

#[test]
fn hidden_text_is_left_out_and_reported() {
    let hidden = include_bytes!("../../tests/files/hidden.docx");
    assert_eq!((converted(hidden).as_deref(), left_out(hidden)), (Ok("Thấy. Hết."), vec![LeftOut::Hidden]));
    let styles = "<w:styles><w:style w:styleId=\"An\"><w:rPr><w:vanish/></w:rPr></w:style><w:style w:styleId=\"Con\"><w:basedOn w:val=\"An\"/></w:style></w:styles>";
    let body = "<w:p><w:pPr><w:pStyle w:val=\"Con\"/></w:pPr><w:r><w:t>ẩn</w:t></w:r><w:r><w:rPr><w:vanish w:val=\"0\"/></w:rPr><w:t>thấy</w:t></w:r></w:p>";
    assert_eq!(
        converted(&with_parts(body, &[("styles", "styles.xml", styles)])).as_deref(),
        Ok("thấy"),
        "by the style of the paragraph"
    );
}

#[test]
fn a_paragraph_with_a_deleted_mark_continues_in_the_next() {
    let tracked = include_bytes!("../../tests/files/tracked.docx");
    assert_eq!(converted(tracked).as_deref(), Ok("Nghị quyết có hiệu lực từ ngày ký.\n\nngày 15 tháng 9 là hạn.\n\nchỗ mới"));
    let open = |text: &str| format!("<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>");
    let cells = format!("<w:tbl><w:tr><w:tc>{}</w:tc><w:tc>{}</w:tc></w:tr></w:tbl>", open("a"), line("b"));
    for (body, expected) in [
        (open("a") + &open("b") + &line("c") + &line("d"), "abc\n\nd"),
        (open("a"), "a"),
        (cells, "| a | b |\n| --- | --- |"),
        (open("a") + "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>", "a\n\nb"),
    ] {
        assert_eq!(converted(&document(&body)).as_deref(), Ok(expected), "{body}");
    }
}

#[test]
fn legacy_font_text_is_converted_to_unicode() {
    let old = include_bytes!("../../tests/files/tcvn3.docx");
    assert_eq!(converted(old).as_deref(), Ok("Cộng hòa xã hội chủ nghĩa Việt Nam\n\nĐảng bộ tỉnh họp thường kỳ"));
    let styles = "<w:styles><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii=\".VnTime\"/></w:rPr></w:rPrDefault></w:docDefaults>\
                  <w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"Normal\"/><w:style w:styleId=\"H\"><w:rPr><w:rFonts w:ascii=\".VnTimeH\"/></w:rPr></w:style></w:styles>";
    let body = line("ViÖt Nam")
        + "<w:p><w:pPr><w:pStyle w:val=\"H\"/></w:pPr><w:r><w:t>tuyÖt mËt</w:t></w:r><w:r><w:rPr><w:rFonts w:ascii=\"Arial\"/></w:rPr><w:t xml:space=\"preserve\"> Ünal</w:t></w:r></w:p>";
    assert_eq!(converted(&with_parts(&body, &[("styles", "styles.xml", styles)])).as_deref(), Ok("Việt Nam\n\nTUYỆT MẬT Ünal"));
}

#[test]
fn unusual_parts_are_converted_or_reported() {
    let fraction = "<w:p><m:oMath><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f><m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup></m:oMath></w:p>";
    assert_eq!(converted(&document(fraction)).as_deref(), Ok("(1)/(2)x²"));
    let parts = "e\u{302}\u{323}";
    assert_eq!(converted(&document(&line(&format!("vi{parts}t")))).as_deref(), Ok("việt"), "composed characters");
    for (body, out) in [
        ("<w:altChunk r:id=\"r1\"/>", LeftOut::Objects),
        ("<w:p><w:r><w:object><o:OLEObject/></w:object></w:r></w:p>", LeftOut::Objects),
        (
            "<w:p><w:r><w:drawing><a:graphic><pic:pic><a:blip r:embed=\"r1\"/></pic:pic></a:graphic></w:drawing></w:r></w:p>",
            LeftOut::Pictures,
        ),
        ("<w:p><w:r><w:drawing><a:graphic><c:chart r:id=\"r1\"/></a:graphic></w:drawing></w:r></w:p>", LeftOut::Objects),
        ("<w:p><w:r><w:commentReference w:id=\"1\"/></w:r></w:p>", LeftOut::Comments),
    ] {
        assert_eq!(left_out(&document(&format!("{body}{}", line("chữ")))), [out], "{body}");
    }
}

#[test]
fn the_depth_of_nested_text_boxes_is_bounded() {
    let open = "<w:p><w:r><w:pict><v:textbox><w:txbxContent>";
    let close = "</w:txbxContent></v:textbox></w:pict></w:r></w:p>";
    let file = document(&format!("{}{}{}{}", open.repeat(30), line("trong"), close.repeat(30), line("ngoài")));
    assert_eq!((converted(&file).as_deref(), left_out(&file)), (Ok("ngoài"), vec![LeftOut::Objects]));
}

#[test]
fn a_leading_title_is_returned_apart() {
    let styled =
        |style: &str, text: &str| format!("<w:p><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>");
    let styles = "<w:styles><w:style w:styleId=\"T\"><w:name w:val=\"Title\"/></w:style><w:style w:styleId=\"1\"><w:name w:val=\"heading 1\"/></w:style></w:styles>";
    for (body, title, rest) in [
        (
            styled("T", "Kế hoạch") + &styled("1", "Một") + &line("a") + &styled("1", "Hai") + &line("b"),
            Some("Kế hoạch"),
            "## Một\n\na\n\n## Hai\n\nb",
        ),
        (styled("1", "Kế hoạch") + &line("a"), Some("Kế hoạch"), "a"),
        (styled("1", "Một") + &line("a") + &styled("1", "Hai") + &line("b"), None, "## Một\n\na\n\n## Hai\n\nb"),
        (line("a") + &styled("T", "Kế hoạch"), None, "a\n\n## Kế hoạch"),
        (styled("T", "Kế hoạch"), None, "## Kế hoạch"),
    ] {
        let (found, blocks) = titled(read(&with_parts(&body, &[("styles", "styles.xml", styles)])).expect("is read").blocks);
        assert_eq!((found.map(|title| plain(&title)).as_deref(), markdown(blocks).as_str()), (title, rest));
    }
}

proptest! {
    #[test]
    fn no_file_causes_a_panic(
        body in "(<w:(p|r|t|tbl|tr|tc|b|br|pPr|rPr|numPr|instrText|hyperlink|footnote|gridSpan|fldChar|del|sym|txbxContent|Choice|Fallback|AlternateContent|f|sup|checkBox|pStyle)( w:(val|id|fldCharType)=\"(begin|separate|end|9|-1|)\")?/?>|</w:(p|r|t|tbl|tr|tc|pPr|rPr|txbxContent|AlternateContent|f)>|[a-zệ &;]{0,4}){0,40}",
        flipped in any::<prop::sample::Index>(),
    ) {
        let mut file = document(&body);
        let _ = converted(&file);
        let at = flipped.index(file.len());
        file[at] ^= 0x41;
        let _ = converted(&file);
    }
}
