//! Small files of every kind that can be attached, built byte by byte, so that the content is known.

#![allow(dead_code, reason = "each of the test programs uses a part of them")]

use std::fmt::Write as _;

/// A one-page PDF with a line for each line of the text, in any script.
pub(crate) fn pdf(text: &str) -> Vec<u8> {
    let mut content = "BT /F0 14 Tf 60 760 Td 20 TL\n".to_owned();
    for line in text.lines() {
        let codes = line.encode_utf16().fold(String::new(), |mut codes, unit| {
            let _ = write!(codes, "{unit:04X}");
            codes
        });
        let _ = writeln!(content, "<{codes}> Tj T*");
    }
    content += "ET";
    // A code stands for the letter with the same number.
    let ranges = (0..0x21).fold(String::new(), |mut ranges, high| {
        let _ = writeln!(ranges, "<{high:02X}00> <{high:02X}FF> <{high:02X}00>");
        ranges
    });
    let letters = format!(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Letters def /CMapType 2 def\n\
         1 begincodespacerange <0000> <FFFF> endcodespacerange\n33 beginbfrange\n{ranges}endbfrange\nendcmap end end"
    );
    let stream = |content: &str| format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len());
    objects(&[
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F0 5 0 R >> >> /Contents 4 0 R >>"
            .to_owned(),
        stream(&content),
        "<< /Type /Font /Subtype /Type0 /BaseFont /Helvetica /Encoding /Identity-H /DescendantFonts [6 0 R] /ToUnicode 7 0 R >>"
            .to_owned(),
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Helvetica /DW 600 /FontDescriptor 8 0 R \
         /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>"
            .to_owned(),
        stream(&letters),
        "<< /Type /FontDescriptor /FontName /Helvetica /Flags 32 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 900 \
         /Descent -200 /CapHeight 700 /StemV 80 >>"
            .to_owned(),
    ])
}

/// A PDF whose page tree contains itself: a naive walk never ends.
pub(crate) fn endless_pdf() -> Vec<u8> {
    objects(&["<< /Type /Catalog /Pages 2 0 R >>".to_owned(), "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9 >>".to_owned()])
}

/// A PDF with this number of pages, "Trang 1", "Trang 2" and so on.
pub(crate) fn long_pdf(pages: usize) -> Vec<u8> {
    let contents: Vec<_> = (1..=pages).map(|page| format!("BT /F0 14 Tf 60 760 Td (Trang {page}) Tj ET")).collect();
    pages_of(&contents)
}

/// A PDF of three pages; the second one uses a missing font.
pub(crate) fn broken_page_pdf() -> Vec<u8> {
    let page = |text: &str| format!("BT /F0 14 Tf 60 760 Td ({text}) Tj ET");
    pages_of(&[page("Trang 1"), "BT /Nothing 14 Tf 60 760 Td (Trang 2) Tj ET".to_owned(), page("Trang 3")])
}

/// A one-page PDF with a stamp above the text.
pub(crate) fn stamped_pdf(stamp: &str) -> Vec<u8> {
    let words = stamp.encode_utf16().fold("FEFF".to_owned(), |mut words, unit| {
        let _ = write!(words, "{unit:04X}");
        words
    });
    let content = "BT /F0 14 Tf 60 760 Td (Trang 1) Tj ET";
    objects(&[
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [4 0 R] /Count 1 >>".to_owned(),
        FONT.to_owned(),
        format!("{PAGE} /Contents 5 0 R /Annots [6 0 R] >>"),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        format!("<< /Type /Annot /Subtype /Stamp /Rect [0 0 99 99] /Contents <{words}> >>"),
    ])
}

const FONT: &str = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";
const PAGE: &str = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F0 3 0 R >> >>";

/// One page per content. Objects: catalog, tree, font, then page and content in turn.
fn pages_of(contents: &[String]) -> Vec<u8> {
    let kids: Vec<_> = (0..contents.len()).map(|at| format!("{} 0 R", 4 + 2 * at)).collect();
    let mut all = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), kids.len()),
        FONT.to_owned(),
    ];
    for (at, content) in contents.iter().enumerate() {
        all.push(format!("{PAGE} /Contents {} 0 R >>", 5 + 2 * at));
        all.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    objects(&all)
}

fn objects(objects: &[String]) -> Vec<u8> {
    let mut file = "%PDF-1.7\n".to_owned();
    let mut places = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        places.push(file.len());
        let _ = writeln!(file, "{} 0 obj\n{object}\nendobj", at + 1);
    }
    let directory = file.len();
    let _ = writeln!(file, "xref\n0 {}\n0000000000 65535 f ", places.len() + 1);
    for place in &places {
        let _ = writeln!(file, "{place:010} 00000 n ");
    }
    let _ = write!(file, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{directory}\n%%EOF\n", places.len() + 1);
    file.into_bytes()
}

/// A text document with a paragraph for each line.
pub(crate) fn docx(text: &str) -> Vec<u8> {
    let paragraphs = text.lines().fold(String::new(), |mut all, line| {
        let _ = write!(all, "<w:p><w:r><w:t xml:space=\"preserve\">{}</w:t></w:r></w:p>", escaped(line));
        all
    });
    zip(&[
        (
            "[Content_Types].xml",
            r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#,
        ),
        (
            "_rels/.rels",
            r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#,
        ),
        (
            "word/document.xml",
            &format!(
                r#"<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{paragraphs}</w:body></w:document>"#
            ),
        ),
    ])
}

/// A spreadsheet with a row for each text, in its first column.
pub(crate) fn xlsx(rows: &[&str]) -> Vec<u8> {
    let cells = rows.iter().enumerate().fold(String::new(), |mut all, (at, text)| {
        let row = at + 1;
        let _ = write!(all, "<row r=\"{row}\"><c r=\"A{row}\" t=\"inlineStr\"><is><t>{}</t></is></c></row>", escaped(text));
        all
    });
    zip(&[
        (
            "[Content_Types].xml",
            r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#,
        ),
        (
            "_rels/.rels",
            r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
        ),
        (
            "xl/workbook.xml",
            r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Danh sách" sheetId="1" r:id="r1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
        ),
        (
            "xl/worksheets/sheet1.xml",
            &format!(
                r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{cells}</sheetData></worksheet>"#
            ),
        ),
    ])
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// A zip file with uncompressed parts.
pub(crate) fn zip(parts: &[(&str, &str)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    let short = |number: usize| u16::try_from(number).expect("small").to_le_bytes();
    let long = |number: usize| u32::try_from(number).expect("small").to_le_bytes();
    for (name, content) in parts {
        let place = file.len();
        let sum = crc(content.as_bytes()).to_le_bytes();
        // Version, flags, method, time, date, checksum, both sizes, length of the name, extra length.
        let told =
            [&short(20)[..], &[0; 8], &sum, &long(content.len()), &long(content.len()), &short(name.len()), &[0; 2]].concat();
        file.extend([b"PK\x03\x04", &told[..], name.as_bytes(), content.as_bytes()].concat());
        directory.extend([b"PK\x01\x02\x14\0", &told[..], &[0; 10], &long(place), name.as_bytes()].concat());
    }
    let (place, count) = (file.len(), short(parts.len()));
    file.extend_from_slice(&directory);
    file.extend([b"PK\x05\x06\0\0\0\0", &count[..], &count, &long(directory.len()), &long(place), &[0; 2]].concat());
    file
}

/// A picture of one colour, with a text chunk that says where it was taken.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], content: &[u8]| {
        let named = [kind, content].concat();
        file.extend(u32::try_from(content.len()).expect("small").to_be_bytes());
        file.extend_from_slice(&named);
        file.extend(crc(&named).to_be_bytes());
    };
    chunk(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat());
    chunk(b"tEXt", b"Location\0at home, Ganh Da");
    let points = usize::try_from(u64::from(height) * (u64::from(width) + 1)).expect("fits");
    chunk(b"IDAT", &stored(&vec![0; points.min(1 << 16)]));
    chunk(b"IEND", b"");
    file
}

/// Bytes as a deflate stream without compression.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = bytes.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).expect("small");
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
        stream.extend_from_slice(block);
    }
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (a + b) % 65_521)
    });
    stream.extend((b << 16 | a).to_be_bytes());
    stream
}

pub(crate) fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0xedb8_8320 })
    })
}

/// Two frames of silence after an empty tag.
pub(crate) fn mp3() -> Vec<u8> {
    let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
    frame.resize(417, 0);
    [&b"ID3\x04\0\0\0\0\0\0"[..], &frame, &frame].concat()
}
