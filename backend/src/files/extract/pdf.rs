//! The text of a PDF, page by page, as far as it can be read in time.

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

/// Bytes of remarks and stamps that are kept.
const REMARKS_MAX: usize = 1 << 20;

/// Objects of a file whose list of objects is made anew.
const OBJECTS_MAX: usize = 500_000;

/// What the reading thread has to say, in this order.
enum Step {
    Unreadable(Missing),
    Opened {
        pages: usize,
        /// What was written across or beside the pages.
        remarks: String,
    },
    /// None when it cannot be read: it takes the others' text with it no more than it must.
    Page(Option<String>),
}

/// What can be read until the time is over; the thread that reads is left to the end of the process.
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

/// What the steps say until there are none, because the time is over.
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
    // Nobody listens any more when enough was read.
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
    // Mail programs put lines before it; what the file says of its own places counts from here.
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

/// The reader looks for its page from the first one on, each time anew. So it is shown a document of this page only.
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

/// Stamps and remarks lie above the pages, as objects of their own.
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

/// The file with a list of its objects behind it, found by looking for them: the own list of a file that was cut or changed on its way
/// leads nowhere. None for what has no root, and for what is encrypted.
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

/// The numbers of `12 0 obj`, and where it begins.
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
    use crate::files::samples::long_pdf;

    #[test]
    fn pages_that_were_read_before_the_time_was_over_are_kept() {
        let steps = begin(long_pdf(2_500));
        // Its list of pages, and a thousand of them.
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
        assert!(text.starts_with("Trang 1\n") && text.ends_with("Trang 1000"), "the first of them");
    }
}
