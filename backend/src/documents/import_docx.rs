//! Imports a DOCX file into the person's unsaved text, so that it never overwrites anything stored.

use domain::{
    accounts::Viewer,
    documents::{Body, LeftOut, Title},
    folding::fold,
    forms::{FormReader, Problem},
    ids::DocumentId,
};

use super::{Documents, TypedForm};
use crate::{Error, Result};

/// The form fields sent with the file.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportDocxForm<'f> {
    pub id: &'f str,
    /// `0` for a document not yet stored.
    pub version: &'f str,
    /// `replace` or `append`; required when there is a text already.
    pub mode: &'f str,
    pub file_name: &'f str,
}

impl Documents<'_> {
    /// Puts the text of a DOCX file into the person's unsaved text of the draft.
    ///
    /// # Errors
    /// As [`Self::keep_typed`] and [`Self::from_docx`]; [`Error::Invalid`] on `mode` when there is a text already and `mode` is
    /// empty.
    pub async fn import_docx(
        &self,
        viewer: &Viewer,
        form: ImportDocxForm<'_>,
        file: Vec<u8>,
    ) -> Result<(DocumentId, Vec<LeftOut>)> {
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
        let is_title = |found: &String| title.trim().is_empty() || fold(found) == fold(&title);
        let (text, title) = match taken.title.as_ref().filter(|found| form.mode != "append" && is_title(found)) {
            Some(found) => (taken.text, found.clone()),
            None if title.trim().is_empty() => (taken.whole, title_of(taken.title.as_deref(), form.file_name)),
            None => (taken.whole, title),
        };
        let body = if form.mode == "append" { format!("{}\n\n{text}", before.trim_end()) } else { text };
        let mut reader = FormReader::new("take_in");
        reader.read("file", "", |_| Body::parse(&body));
        reader.finish()?;
        let typed = TypedForm { id: form.id, version: &version.to_string(), title: &title, body: &body };
        self.keep_typed(viewer, typed).await?;
        Ok((id, taken.left_out))
    }

    /// The person's current title and body, unsaved or else stored, and the version they started from.
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

/// The title found in the text, or else the file name.
fn title_of(found: Option<&str>, file_name: &str) -> String {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).replace('_', " ");
    let titles = [found.unwrap_or_default(), &stem];
    let title = titles.into_iter().find_map(|title| Title::parse(title).ok());
    title.map_or_else(String::new, |title| title.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::title_of;

    #[test]
    fn a_text_takes_the_title_it_has_or_the_name_of_its_file() {
        assert_eq!(title_of(Some("Kế hoạch năm"), "a.docx"), "Kế hoạch năm");
        assert_eq!(title_of(None, "C:\\Văn bản\\Ke_hoach 2026.docx"), "Ke hoach 2026");
        assert_eq!(title_of(None, ""), "");
    }
}
