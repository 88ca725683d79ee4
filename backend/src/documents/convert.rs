//! Texts that were written elsewhere, as Markdown: what is pasted from Word, Google Docs or a page, and whole DOCX files.
//!
//! Invariant: what comes out is Markdown like any that an editor types. It is sanitised where it is rendered, not here.

use std::time::Duration;

use domain::{
    accounts::Viewer,
    documents::{Body, LeftOut, Title},
    forms::{FieldProblem, FormErrors, Problem},
    policy::Action,
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use self::docx::{Failure, Read};
use super::Documents;
use crate::{Error, Result};

mod blocks;
mod docx;
mod html;

/// The largest HTML that is taken from a clipboard.
pub const HTML_BYTES_MAX: usize = 2 << 20;

/// The largest DOCX file.
pub const DOCX_BYTES_MAX: usize = 20 << 20;

/// Texts converted at a time: each may take some hundred megabytes for a moment.
static ROOM: Semaphore = Semaphore::const_new(2);

/// Longer than any text that is short enough takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was taken of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConvertedFile {
    /// The title, where the file begins with one.
    pub title: Option<String>,
    /// Everything behind the title.
    pub text: String,
    /// The same with the title as a heading.
    pub whole: String,
    /// What the file has and the text has not.
    pub left_out: Vec<LeftOut>,
}

impl Documents<'_> {
    /// Whether the person writes for some unit: whoever does not is told nothing of the desk.
    pub fn writes(&self, viewer: &Viewer) -> bool {
        writes_somewhere(viewer).is_ok()
    }

    /// What was copied from another program, as Markdown.
    ///
    /// # Errors
    /// [`Error::NotFound`] for who writes nowhere; [`Error::Invalid`] on `html` for what is too long.
    pub async fn from_html(&self, viewer: &Viewer, html: String) -> Result<String> {
        writes_somewhere(viewer)?;
        if html.len() > HTML_BYTES_MAX {
            return Err(refused("html", Problem::TooLong { max: Body::MAX }));
        }
        let read = move || Ok(Read { blocks: html::blocks(&html), ..Read::default() });
        Ok(converted("html", read).await?.whole)
    }

    /// What is written in a DOCX file, as Markdown, and what of it is not there.
    ///
    /// # Errors
    /// [`Error::NotFound`] for who writes nowhere; [`Error::Invalid`] on `file` for what cannot be read, is empty or too long.
    pub async fn from_docx(&self, viewer: &Viewer, file: Vec<u8>) -> Result<ConvertedFile> {
        writes_somewhere(viewer)?;
        if file.is_empty() {
            return Err(refused("file", Problem::Required));
        }
        if file.len() > DOCX_BYTES_MAX {
            return Err(refused("file", Problem::TooLong { max: Body::MAX }));
        }
        converted("file", move || docx::read(&file)).await
    }
}

pub(super) fn writes_somewhere(viewer: &Viewer) -> Result<()> {
    if viewer.standpoint.top_units(Action::WriteDocument).is_empty() { Err(Error::NotFound) } else { Ok(()) }
}

/// Converts beside the server's own work. A panic ends the conversion, not the server.
async fn converted(
    field: &'static str,
    read: impl FnOnce() -> std::result::Result<Read, Failure> + Send + 'static,
) -> Result<ConvertedFile> {
    let work = async {
        // Never closed.
        let room = ROOM.acquire().await.map_err(|_| Error::Busy)?;
        // The place goes with the work: that cannot be stopped, whoever has no patience any more.
        let work = move || {
            let done = read().map(taken);
            drop(room);
            done
        };
        Ok::<_, Error>(spawn_blocking(work).await)
    };
    let taken = match timeout(PATIENCE, work).await.map_err(|_| Error::Busy)?? {
        Ok(Ok(taken)) => taken,
        Ok(Err(Failure::TooLong)) => return Err(refused(field, Problem::TooLong { max: Body::MAX })),
        Ok(Err(Failure::Unreadable)) | Err(_) => return Err(refused(field, Problem::Unreadable)),
    };
    match Body::parse(&taken.whole) {
        Ok(body) => Ok(ConvertedFile { whole: body.as_str().to_owned(), ..taken }),
        // Somebody copied a picture.
        Err(Problem::Required) if field == "html" => Ok(ConvertedFile::default()),
        // Other office files are packed alike, and have no such text.
        Err(Problem::Required) => Err(refused(field, Problem::NoWordText)),
        Err(problem) => Err(refused(field, problem)),
    }
}

fn taken(read: Read) -> ConvertedFile {
    let whole = blocks::markdown(read.blocks.clone());
    let (title, rest) = docx::titled(read.blocks);
    let text = blocks::markdown(rest);
    let title = title.and_then(|title| Title::parse(&blocks::plain(&title)).ok()).filter(|_| Body::parse(&text).is_ok());
    ConvertedFile {
        text: if title.is_some() { text } else { whole.clone() },
        title: title.map(|title| title.as_str().to_owned()),
        whole,
        left_out: read.left_out.into_iter().collect(),
    }
}

fn refused(field: &str, problem: Problem) -> Error {
    Error::Invalid(FormErrors {
        form: "convert".to_owned(),
        problems: vec![FieldProblem::new(field, problem)],
        ..FormErrors::default()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_conversion_keeps_its_place_until_it_ends_whoever_waits_for_it() {
        let (begun, has_begun) = mpsc::channel();
        let (end, may_end) = mpsc::channel::<()>();
        let read = move || {
            begun.send(()).expect("is waited for");
            may_end.recv().expect("is told");
            Ok(Read::default())
        };
        let waiting = tokio::spawn(converted("file", read));
        has_begun.recv().expect("begins");
        let free = ROOM.available_permits();
        waiting.abort();
        assert!(waiting.await.is_err_and(|ended| ended.is_cancelled()));
        assert_eq!(ROOM.available_permits(), free, "it is still at work");
        end.send(()).expect("listens");
        let both = tokio::time::timeout(PATIENCE, ROOM.acquire_many(2)).await;
        assert!(both.is_ok_and(|both| both.is_ok()), "and then it is not");
    }
}
