//! Converts external texts to Markdown for editors: pasted HTML and whole DOCX files. The crate `conversion` reads them; here are
//! the permission, the limits and the errors.

use std::time::Duration;

use conversion::text::{self, Converted, Failure};
use domain::{
    accounts::Viewer,
    documents::Body,
    forms::{FieldProblem, FormErrors, Problem},
    policy::Action,
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use super::Documents;
use crate::{Error, Result};

/// Maximum size of pasted HTML, in bytes.
pub const HTML_BYTES_MAX: usize = 2 << 20;

/// Maximum size of a DOCX file, in bytes.
pub const DOCX_BYTES_MAX: usize = 20 << 20;

/// Concurrent conversions: each may use several hundred megabytes for a moment.
static ROOM: Semaphore = Semaphore::const_new(2);

/// Time limit of a conversion. Any text within the length limit takes less.
const PATIENCE: Duration = Duration::from_secs(20);

impl Documents<'_> {
    /// Whether the person writes for some unit. The desk is hidden from everybody else.
    pub fn writes(&self, viewer: &Viewer) -> bool {
        writes_somewhere(viewer).is_ok()
    }

    /// Converts text copied from another program to Markdown.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person who writes for no unit; [`Error::Invalid`] on `html` when it is too long.
    pub async fn from_html(&self, viewer: &Viewer, html: String) -> Result<String> {
        writes_somewhere(viewer)?;
        if html.len() > HTML_BYTES_MAX {
            return Err(refused("html", Problem::TooLong { max: Body::MAX }));
        }
        Ok(converted("html", move || Ok(text::from_html(&html))).await?.whole)
    }

    /// Converts a DOCX file to Markdown, and reports what was left out.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a person who writes for no unit; [`Error::Invalid`] on `file` when it is unreadable, empty or too
    /// long.
    pub async fn from_docx(&self, viewer: &Viewer, file: Vec<u8>) -> Result<Converted> {
        writes_somewhere(viewer)?;
        if file.is_empty() {
            return Err(refused("file", Problem::Required));
        }
        if file.len() > DOCX_BYTES_MAX {
            return Err(refused("file", Problem::TooLong { max: Body::MAX }));
        }
        converted("file", move || text::from_docx(&file)).await
    }
}

pub(super) fn writes_somewhere(viewer: &Viewer) -> Result<()> {
    if viewer.standpoint.top_units(Action::WriteDocument).is_empty() { Err(Error::NotFound) } else { Ok(()) }
}

/// Runs a conversion on the blocking pool. A panic fails the conversion, not the server.
async fn converted(
    field: &'static str,
    read: impl FnOnce() -> std::result::Result<Converted, Failure> + Send + 'static,
) -> Result<Converted> {
    let work = async {
        // The semaphore is never closed.
        let room = ROOM.acquire().await.map_err(|_| Error::Busy)?;
        // The permit moves into the closure: blocking work cannot be cancelled, so it holds its permit after the timeout.
        let work = move || {
            let done = read();
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
        Ok(body) => Ok(Converted { whole: body.as_str().to_owned(), ..taken }),
        // The clipboard held only an image.
        Err(Problem::Required) if field == "html" => Ok(Converted::default()),
        // Other Office files use the same ZIP container, but have no document body.
        Err(Problem::Required) => Err(refused(field, Problem::NoWordText)),
        Err(problem) => Err(refused(field, problem)),
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
    async fn a_cancelled_conversion_keeps_its_permit_until_it_ends() {
        let (begun, has_begun) = mpsc::channel();
        let (end, may_end) = mpsc::channel::<()>();
        let read = move || {
            begun.send(()).expect("the test receives");
            may_end.recv().expect("the test sends");
            Ok(Converted::default())
        };
        let waiting = tokio::spawn(converted("file", read));
        has_begun.recv().expect("the conversion begins");
        let free = ROOM.available_permits();
        waiting.abort();
        assert!(waiting.await.is_err_and(|ended| ended.is_cancelled()));
        assert_eq!(ROOM.available_permits(), free, "the conversion still runs");
        end.send(()).expect("the conversion receives");
        let both = tokio::time::timeout(PATIENCE, ROOM.acquire_many(2)).await;
        assert!(both.is_ok_and(|both| both.is_ok()), "both permits are free");
    }
}
