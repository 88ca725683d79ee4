//! Taking a DOCX file in: its text becomes what the person has typed and not saved, so that nothing stored is ever overwritten by it.

use domain::{
    accounts::Viewer,
    documents::{Body, Title},
    forms::{FormReader, Problem},
    ids::DocumentId,
};

use super::{Documents, TypedForm};
use crate::{Error, Result};

/// The form of a file, beside the file itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct TakeInForm<'f> {
    pub id: &'f str,
    /// `0` for a document not stored yet.
    pub version: &'f str,
    /// `replace` or `append`; needed where there is a text already.
    pub mode: &'f str,
    pub file_name: &'f str,
}

impl Documents<'_> {
    /// Puts the text of a DOCX file into the person's unsaved writing of the draft.
    ///
    /// # Errors
    /// As [`Self::keep_typed`] and [`Self::from_docx`]; [`Error::Invalid`] on `mode` when there is a text and nobody said what becomes
    /// of it.
    pub async fn take_in(&self, viewer: &Viewer, form: TakeInForm<'_>, file: Vec<u8>) -> Result<DocumentId> {
        let id: DocumentId = form.id.parse().map_err(|_| Error::NotFound)?;
        let version: u32 = form.version.parse().map_err(|_| Error::NotFound)?;
        let (title, before, version) = self.at_hand(viewer, id, version).await?;
        let mut reader = FormReader::new("take_in");
        reader.read("mode", form.mode, |mode| match mode {
            _ if before.trim().is_empty() => Ok(()),
            "replace" | "append" => Ok(()),
            "" => Err(Problem::Required),
            _ => Err(Problem::NotOffered),
        });
        reader.finish()?;
        let taken = self.from_docx(viewer, file).await?;
        let title = if title.trim().is_empty() { title_of(&taken, form.file_name) } else { title };
        let body = if form.mode == "append" { format!("{}\n\n{taken}", before.trim_end()) } else { taken };
        let mut reader = FormReader::new("take_in");
        reader.read("file", "", |_| Body::parse(&body));
        reader.finish()?;
        let typed = TypedForm { id: form.id, version: &version.to_string(), title: &title, body: &body };
        self.keep_typed(viewer, typed).await?;
        Ok(id)
    }

    /// Title and text as the person has them: typed, or else stored; and the version they started from.
    async fn at_hand(&self, viewer: &Viewer, id: DocumentId, version: u32) -> Result<(String, String, u32)> {
        let unsaved = if version == 0 {
            let unfinished = self.unfinished(viewer).await?.unsaved;
            unfinished.into_iter().find(|unsaved| unsaved.document == id)
        } else {
            self.begin_writing(viewer, id).await?.unsaved.pop()
        };
        match unsaved {
            Some(unsaved) => Ok((unsaved.title, unsaved.body, unsaved.version)),
            None if version == 0 => Ok((String::new(), String::new(), 0)),
            None => {
                let draft = self.draft(viewer, id).await?.draft;
                Ok((draft.title, draft.body, draft.version))
            }
        }
    }
}

/// The first heading, or else the file's name.
fn title_of(taken: &str, file_name: &str) -> String {
    let heading = taken.lines().take(3).find_map(|line| line.strip_prefix("## "));
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).replace('_', " ");
    [heading.unwrap_or_default(), &stem]
        .into_iter()
        .map(|title| title.replace(['\\', '*'], ""))
        .find_map(|title| Title::parse(&title).ok())
        .map_or_else(String::new, |title| title.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::title_of;

    #[test]
    fn a_text_is_called_by_its_first_heading_or_by_its_file() {
        assert_eq!(title_of("## Kế hoạch *năm*\n\nchữ", "a.docx"), "Kế hoạch năm");
        assert_eq!(title_of("chữ", "C:\\Văn bản\\Ke_hoach 2026.docx"), "Ke hoach 2026");
        assert_eq!(title_of("", ""), "");
    }
}
