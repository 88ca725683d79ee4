//! What nobody needs any more: uploads that were left, files taken out of drafts long ago, and contents no file has.

use chrono::{DateTime, TimeDelta, Utc};
use ulid::Ulid;

use super::{AttachmentRow, COLUMNS, Files, receive};
use crate::{
    Result,
    store::{record, vars},
};

/// How long a file that has not arrived whole waits for the rest.
const UPLOAD_KEPT: TimeDelta = TimeDelta::days(3);

/// How long a file that was taken out is kept.
const REMOVED_KEPT: TimeDelta = TimeDelta::days(30);

/// Most of each that one call removes.
const AT_ONCE: usize = 200;

/// The files of a draft that is thrown away; part of that transaction, whose event names the document. What is out keeps its own.
pub(crate) const DISCARD_FILES: &str = "UPDATE attachment SET state = 'removed', removed_at = $log_at \
                                        WHERE document = $log_subject AND state != 'removed' RETURN NONE;";

impl Files<'_> {
    /// Removes what nobody needs any more, and says how many files and uploads that were.
    ///
    /// # Errors
    /// [`crate::Error::Store`], [`crate::Error::Internal`]; the next call goes on.
    pub async fn purge(&self) -> Result<usize> {
        let now = self.backend.clock().now();
        Ok(self.purge_uploads(now - UPLOAD_KEPT).await? + self.purge_removed(now - REMOVED_KEPT).await?)
    }

    async fn purge_uploads(&self, before: DateTime<Utc>) -> Result<usize> {
        let left: Vec<receive::UploadRow> = self.backend.store().read(left_sql(), vars! { before: before }).await?.rows(0)?;
        for row in &left {
            self.forget(row).await?;
        }
        // Pieces whose row is gone: the process died in between. Their folder is named by the upload, which tells its age.
        let oldest = u64::try_from(before.timestamp_millis()).unwrap_or_default();
        for upload in self.storage().uploads().await? {
            if upload.parse::<Ulid>().is_ok_and(|id| id.timestamp_ms() < oldest) {
                self.storage().remove_pieces(&upload).await?;
            }
        }
        Ok(left.len())
    }

    async fn purge_removed(&self, before: DateTime<Utc>) -> Result<usize> {
        let removed: Vec<AttachmentRow> = self.backend.store().read(removed_sql(), vars! { before: before }).await?.rows(0)?;
        let mut count = 0;
        for row in &removed {
            count += usize::from(self.purge_file(row, before).await?);
        }
        Ok(count)
    }

    /// A text that is out, or in work, keeps its files whatever became of them at the desk.
    async fn purge_file(&self, row: &AttachmentRow, before: DateTime<Utc>) -> Result<bool> {
        let vars = vars! {
            attachment: record("attachment", &row.id),
            text: record("attachment_text", &row.id),
            draft: record("draft", &row.document),
            document: record("document", &row.document),
            key: row.id.clone(),
            contents: [Some(row.sha256.clone()), row.preview.clone()].into_iter().flatten().collect::<Vec<_>>(),
            before: before,
        };
        let sql = "LET $named = array::concat((SELECT VALUE attachments FROM ONLY $draft) ?? [], \
                                              (SELECT VALUE attachments FROM ONLY $document) ?? []); \
                   IF $key IN $named { \
                       UPDATE $attachment SET removed_at = NONE RETURN NONE; \
                   } ELSE { \
                       DELETE $attachment RETURN NONE; DELETE $text RETURN NONE; \
                   }; \
                   RETURN IF $key IN $named { [] } ELSE { $contents }";
        let mut answers = self.backend.store().write(sql, vars).await?;
        // Of the transaction: BEGIN, LET, IF, RETURN.
        let loose: Vec<String> = answers.rows(3)?;
        for content in &loose {
            if !self.is_used(content).await? {
                self.storage().remove(content).await?;
            }
        }
        Ok(!loose.is_empty())
    }

    /// Whether any file has this content, or this small picture.
    async fn is_used(&self, content: &str) -> Result<bool> {
        let mut answers = self.backend.store().read(USED, vars! { content: content.to_owned() }).await?;
        let found = answers.rows::<crate::store::RecordId>(0)?.len() + answers.rows::<crate::store::RecordId>(1)?.len();
        Ok(found > 0)
    }
}

fn left_sql() -> String {
    format!("SELECT {} FROM upload WHERE began_at < $before ORDER BY began_at LIMIT {AT_ONCE}", receive::COLUMNS)
}

fn removed_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM attachment WHERE state = 'removed' AND removed_at < $before ORDER BY removed_at LIMIT {AT_ONCE}"
    )
}

const USED: &str = "SELECT VALUE id FROM attachment WHERE sha256 = $content LIMIT 1; \
                    SELECT VALUE id FROM attachment WHERE preview = $content LIMIT 1;";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::migrated;

    #[tokio::test]
    async fn what_is_left_is_found_in_an_index() {
        let store = migrated().await;
        for sql in [left_sql(), removed_sql()] {
            store.assert_no_scan(&sql, vars! { before: DateTime::<Utc>::UNIX_EPOCH }).await;
        }
        store.assert_no_scan(USED, vars! { content: "a" }).await;
    }
}
