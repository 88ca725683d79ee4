//! Attachments of a document at the desk: listed, kept despite a warning, removed.

use std::collections::BTreeMap;

use domain::{
    accounts::Viewer,
    events::EventBody,
    files::{DeskFile, FilesPage, KeepReason, Kept, OpenUpload},
    forms::FormReader,
    guard,
    ids::{AttachmentId, DocumentId},
};

use super::{
    AttachmentRow, DeskText, Files,
    finish::{APPEND_TO_DRAFT, OPEN, most, refusal},
    missing, on_desk,
    receive::{self, UploadRow},
    row, rows, writing,
};
use crate::{
    Error, Result,
    change::Change,
    store::{StoreError, record, vars},
};

impl Files<'_> {
    /// # Errors
    /// [`Error::NotFound`] when the viewer may not see the draft, [`Error::NotAllowed`] for readers of the published text.
    pub async fn page(&self, viewer: &Viewer, document: DocumentId) -> Result<FilesPage> {
        let work = on_desk(self.backend, viewer, document).await?;
        let vars = vars! { document: document.to_string(), member: viewer.member.to_string() };
        let mut answers = self.backend.store().read(page_sql(), vars).await?;
        let mut waiting: Vec<AttachmentRow> = answers.rows(0)?;
        waiting.retain(|row| row.state == "waiting");
        let uploads: Vec<UploadRow> = answers.rows(1)?;
        let files = rows(self.backend, &work.attachments).await?;
        let names = self.names(files.iter().chain(&waiting)).await?;
        let desk_files = |rows: &[AttachmentRow]| rows.iter().map(|row| desk_file(row, &names)).collect::<Result<Vec<_>>>();
        Ok(FilesPage {
            document,
            files: desk_files(&files)?,
            waiting: desk_files(&waiting)?,
            uploads: uploads
                .iter()
                .filter(|row| row.resumable && row.document == document.to_string())
                .map(|row| {
                    let arrival = row.arrival();
                    let (name, began_at) = (row.name.clone(), row.began_at);
                    Ok(OpenUpload { id: row.upload()?, name, size: arrival.size, received: arrival.received, began_at })
                })
                .collect::<Result<_>>()?,
            title: work.title,
            issuer: work.issuer,
            is_open: work.is_open && work.permissions.writes,
        })
    }

    /// Attaches a file despite warnings of the guard. The event names the member and the kinds of the warnings; the reason is
    /// shown at the desk only.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `keep` with the field `reason`; [`Error::File`] when the text is no longer being written;
    /// [`Error::NotFound`] as [`Self::page`], and when the file does not wait for a decision.
    pub async fn keep_file(&self, viewer: &Viewer, attachment: AttachmentId, reason: &str) -> Result<DocumentId> {
        let (row, work) = self.at_desk(viewer, attachment).await?;
        if row.state != "waiting" {
            return Err(Error::NotFound);
        }
        let mut form = FormReader::new("keep");
        let Some(reason) = form.read("reason", reason, KeepReason::parse) else {
            return Err(form.finish().err().unwrap_or_default().into());
        };
        let document = row.document()?;
        let clock = self.backend.clock();
        let vars = vars! {
            attachment: record("attachment", attachment),
            draft: record("draft", document),
            key: attachment.to_string(),
            most: most(),
            member: viewer.member.to_string(),
            reason: reason.as_str(),
            now: clock.now(),
        };
        let sql = format!(
            "IF (SELECT VALUE state FROM ONLY $attachment) != 'waiting' {{ THROW 'decided' }}; {OPEN} {APPEND_TO_DRAFT} \
             UPDATE $attachment SET state = 'attached', decided_by = $member, decided_at = $now, reason = $reason RETURN NONE;"
        );
        let overruled = EventBody::WarningOverruled { document, warnings: Some(guard::kinds(&row.warnings()?)) };
        self.commit(Change::new(&sql, vars).event(clock, Some(viewer.member), &work.issuer.path, overruled)).await?;
        Ok(document)
    }

    /// Removes a file from the draft, or rejects one that waits for a decision. A published text keeps its files.
    ///
    /// # Errors
    /// [`Error::File`] when the text is no longer being written; [`Error::NotFound`] as [`Self::page`].
    pub async fn remove(&self, viewer: &Viewer, attachment: AttachmentId) -> Result<DocumentId> {
        let (row, work) = self.at_desk(viewer, attachment).await?;
        let is_there = row.state == "waiting" || work.attachments.contains(&row.id);
        if !is_there {
            return Err(Error::NotFound);
        }
        let document = row.document()?;
        let clock = self.backend.clock();
        let vars = vars! {
            attachment: record("attachment", attachment),
            draft: record("draft", document),
            key: attachment.to_string(),
            member: viewer.member.to_string(),
            now: clock.now(),
        };
        let sql = "IF (SELECT VALUE stage FROM ONLY $draft) != 'draft' { THROW 'closed' }; \
                   UPDATE $draft SET attachments = array::complement(attachments ?? [], [$key]), \
                   authors = array::union(authors, [$member]) RETURN NONE; \
                   UPDATE $attachment SET state = 'removed', removed_at = $now RETURN NONE;";
        let removed = EventBody::FileRemoved(document);
        self.commit(Change::new(sql, vars).event(clock, Some(viewer.member), &work.issuer.path, removed)).await?;
        Ok(document)
    }

    async fn commit(&self, change: Change) -> Result<()> {
        match self.backend.transact(change).await {
            Ok(_) => Ok(()),
            Err(StoreError::Thrown(reason)) if reason == "decided" => Err(Error::NotFound),
            Err(StoreError::Thrown(reason)) => Err(refusal(&reason).into()),
            Err(error) => Err(error.into()),
        }
    }

    async fn at_desk(&self, viewer: &Viewer, attachment: AttachmentId) -> Result<(AttachmentRow, DeskText)> {
        let row = row(self.backend, attachment).await?;
        let work = writing(self.backend, viewer, row.document()?).await?;
        Ok((row, work))
    }

    async fn names(&self, files: impl Iterator<Item = &AttachmentRow>) -> Result<BTreeMap<String, String>> {
        let mut members: Vec<String> =
            files.flat_map(|row| std::iter::once(&row.added_by).chain(&row.decided_by)).cloned().collect();
        members.sort_unstable();
        members.dedup();
        self.backend.members().names(members.iter().map(String::as_str)).await
    }
}

fn desk_file(row: &AttachmentRow, names: &BTreeMap<String, String>) -> Result<DeskFile> {
    let name = |member: &str| names.get(member).cloned().unwrap_or_default();
    let kept = match (&row.decided_by, row.decided_at, &row.reason) {
        (Some(by), Some(at), Some(reason)) => Some(Kept { by: name(by), at, reason: reason.clone() }),
        _ => None,
    };
    Ok(DeskFile {
        file: row.summary()?,
        added_by: name(&row.added_by),
        added_at: row.added_at,
        text_missing: missing(row.text_missing.as_deref()),
        preview_missing: missing(row.preview_missing.as_deref()),
        warnings: row.warnings()?,
        kept,
    })
}

/// The attachments of a document, and the open uploads of a member.
fn page_sql() -> String {
    format!(
        "SELECT {} FROM attachment WHERE document = $document ORDER BY added_at; \
         SELECT {} FROM upload WHERE member = $member ORDER BY began_at;",
        super::COLUMNS,
        receive::COLUMNS
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn the_files_of_a_document_are_an_index_range() {
        migrated().await.assert_no_scan(&page_sql(), vars! { document: "a", member: "b" }).await;
    }
}
