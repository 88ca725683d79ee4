//! Extracts the text of a PDF, page by page, within a time limit.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

use domain::files::Missing;
use pdf_extract::{Dictionary, Document, Object, ObjectId};

use super::{Extracted, TEXT_MAX};

/// Maximum number of bytes of annotations kept.
const REMARKS_MAX: usize = 1 << 20;

/// Maximum number of objects of a file whose xref table is rebuilt.
const OBJECTS_MAX: usize = 500_000;

/// Messages of the reading thread, in this order.
enum Step {
    Unreadable(Missing),
    Opened {
        pages: usize,
        /// Text of the annotations.
        remarks: String,
    },
    /// `None` if the page cannot be read; the others are not affected.
    Page(Option<String>),
}

/// Reads until the time limit. The reading thread is then left to the end of the process.
pub(super) fn text(content: Vec<u8>, time: Duration) -> Result<Extracted, Missing> {
    let until = Instant::now() + time;
    let steps = begin(content);
    gather(|| steps.recv_timeout(until.saturating_duration_since(Instant::now())).ok())
}

fn begin(content: Vec<u8>) -> Receiver<Step> {
    let (sender, steps) = mpsc::channel();
    thread::spawn(move || read(&content, &sender));
    steps
}

/// Collects the steps until there are none left, or none in time.
fn gather(mut next: impl FnMut() -> Option<Step>) -> Result<Extracted, Missing> {
    let (pages, remarks) = match next() {
        Some(Step::Opened { pages, remarks }) => (pages, remarks),
        Some(Step::Unreadable(missing)) => return Err(missing),
        Some(Step::Page(_)) | None => return Err(Missing::Failed),
    };
    let (mut text, mut done) = (String::new(), 0);
    for _ in 0..pages {
        let Some(Step::Page(page)) = next() else { break };
        done += usize::from(page.is_some());
        text.push_str(&page.unwrap_or_default());
        text.push('\n');
        if text.len() > TEXT_MAX {
            break;
        }
    }
    let mut extracted = Extracted::text(&text);
    extracted.aside = Some(remarks).filter(|remarks| !remarks.is_empty());
    if done < pages || pages == 0 {
        extracted.missing = Some(if extracted.text.is_some() { Missing::Part } else { Missing::Failed });
    }
    Ok(extracted)
}

fn read(content: &[u8], steps: &Sender<Step>) {
    let mut document = match open(content) {
        Ok(document) => document,
        Err(missing) => {
            let _ = steps.send(Step::Unreadable(missing));
            return;
        }
    };
    let pages: Vec<ObjectId> = document.get_pages().into_values().collect();
    // The receiver is dropped once enough was read.
    if steps.send(Step::Opened { pages: pages.len(), remarks: remarks(&document) }).is_err() {
        return;
    }
    for page in pages {
        if steps.send(Step::Page(page_text(&mut document, page))).is_err() {
            return;
        }
    }
}

fn open(content: &[u8]) -> Result<Document, Missing> {
    // Mail programs add lines before the header; the offsets in the file count from the header.
    let start = content.windows(5).position(|window| window == b"%PDF-").unwrap_or(0);
    let content = content.get(start..).unwrap_or_default();
    let loaded = Document::load_mem(content).ok().filter(|document| document.is_encrypted() || !document.get_pages().is_empty());
    let repaired = || Document::load_mem(&with_list_of_objects(content)?).ok();
    let mut document = loaded.or_else(repaired).ok_or(Missing::Failed)?;
    if document.is_encrypted() && document.decrypt("").is_err() {
        return Err(Missing::Protected);
    }
    Ok(document)
}

/// The reader searches a page from the first one on, in quadratic time. So it is given a document with this page only.
fn page_text(document: &mut Document, page: ObjectId) -> Option<String> {
    let mut alone = Dictionary::new();
    alone.set("Type", Object::Name(b"Pages".to_vec()));
    alone.set("Kids", Object::Array(vec![Object::Reference(page)]));
    alone.set("Count", Object::Integer(1));
    let alone = document.add_object(alone);
    document.catalog_mut().ok()?.set("Pages", Object::Reference(alone));
    let read = catch_unwind(AssertUnwindSafe(|| {
        let mut read = String::new();
        let mut output = pdf_extract::PlainTextOutput::new(&mut read);
        pdf_extract::output_doc_page(document, &mut output, 1).map(|()| read).ok()
    }));
    document.objects.remove(&alone);
    read.ok().flatten()
}

/// Stamps and comments are annotations, which are objects of their own.
fn remarks(document: &Document) -> String {
    let mut remarks = String::new();
    for object in document.objects.values() {
        let Ok(dictionary) = object.as_dict() else { continue };
        let is_remark = dictionary.get(b"Subtype").and_then(Object::as_name).is_ok_and(|kind| {
            matches!(kind, b"FreeText" | b"Stamp" | b"Text" | b"Highlight" | b"Watermark" | b"Square" | b"Redact")
        });
        let words = dictionary.get(b"Contents").and_then(pdf_extract::decode_text_string);
        if let (true, Ok(words)) = (is_remark, words) {
            remarks.push_str(&words);
            remarks.push_str("\n\n");
        }
        if remarks.len() > REMARKS_MAX {
            break;
        }
    }
    remarks
}

/// The file with a new xref table, rebuilt by scanning for objects, for a file that was cut or changed in transit. `None` if it
/// has no root or is encrypted.
fn with_list_of_objects(content: &[u8]) -> Option<Vec<u8>> {
    let mut objects: BTreeMap<u32, (usize, u32)> = BTreeMap::new();
    let mut root = None;
    for at in places(content, b" obj") {
        let Some((number, generation, start)) = header_before(content, at) else { continue };
        let body = content.get(at + 4..content.len().min(at + 4 + 400)).unwrap_or_default();
        let body = body.windows(6).position(|window| window == b"endobj").map_or(body, |end| &body[..end]);
        if contains(body, b"/Catalog") {
            root = Some((number, generation));
        }
        objects.insert(number, (start, generation));
        if objects.len() > OBJECTS_MAX {
            return None;
        }
    }
    let (root, generation) = root?;
    if contains(content, b"/Encrypt") {
        return None;
    }
    let mut whole = content.to_vec();
    whole.push(b'\n');
    let list = whole.len();
    whole.extend_from_slice(b"xref\n0 1\n0000000000 65535 f \n");
    for (number, (start, generation)) in &objects {
        whole.extend_from_slice(format!("{number} 1\n{start:010} {generation:05} n \n").as_bytes());
    }
    let size = objects.keys().last()? + 1;
    whole.extend_from_slice(
        format!("trailer\n<< /Size {size} /Root {root} {generation} R >>\nstartxref\n{list}\n%%EOF\n").as_bytes(),
    );
    Some(whole)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn places<'c>(content: &'c [u8], wanted: &'c [u8]) -> impl Iterator<Item = usize> + 'c {
    content.windows(wanted.len()).enumerate().filter(move |(_, window)| *window == wanted).map(|(at, _)| at)
}

/// The object and generation numbers of `12 0 obj`, and its offset.
fn header_before(content: &[u8], at: usize) -> Option<(u32, u32, usize)> {
    let digits_before = |end: usize| {
        let from = content[..end].iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |before| before + 1);
        let number = std::str::from_utf8(&content[from..end]).ok()?.parse::<u32>().ok()?;
        Some((number, from))
    };
    let (generation, from) = digits_before(at)?;
    let end = from.checked_sub(1).filter(|space| content[*space] == b' ')?;
    let (number, start) = digits_before(end)?;
    (generation < 65_536 && number < 8_388_608).then_some((number, generation, start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::long_pdf;

    #[test]
    fn pages_read_before_the_time_limit_are_kept() {
        let steps = begin(long_pdf(2_500));
        // The page count and a thousand pages.
        let mut left = 1_001_u32;
        let read = gather(|| {
            let step = if left == 0 { None } else { steps.recv().ok() };
            left = left.saturating_sub(1);
            step
        });
        let read = read.expect("is read");
        assert_eq!(read.missing, Some(Missing::Part));
        let text = read.text.expect("the pages that were read");
        assert_eq!(text.matches("Trang").count(), 1_000);
        assert!(text.starts_with("Trang 1\n") && text.ends_with("Trang 1000"), "the first pages");
    }
}
