//! Purges abandoned uploads, files removed from drafts, and unused contents.

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::DocumentId;
use ulid::Ulid;

use super::{AttachmentRow, COLUMNS, Files, receive};
use crate::{
    Result,
    change::Change,
    store::{RecordId, record, vars},
};

/// Retention of an incomplete upload.
const UPLOAD_KEPT: TimeDelta = TimeDelta::days(3);

/// Retention of a removed file.
const REMOVED_KEPT: TimeDelta = TimeDelta::days(30);

/// Maximum number of each that one call removes.
const AT_ONCE: usize = 200;

/// Marks the files of a discarded draft as removed. Files of the published text stay.
const DISCARD_FILES: &str = "LET $out = type::record('document', $discarded); \
                                        LET $kept = (SELECT VALUE attachments FROM ONLY $out) ?? []; \
                                        UPDATE attachment SET state = 'removed', removed_at = $discarded_at \
                                        WHERE document = $discarded AND state != 'removed' AND record::id(id) NOT IN $kept \
                                        RETURN NONE;";

/// Adds [`DISCARD_FILES`] to the change that discards the draft of this document.
pub(crate) fn discard_files(change: Change, document: DocumentId, now: DateTime<Utc>) -> Change {
    change.then(DISCARD_FILES).bind(vars! { discarded: document.to_string(), discarded_at: now })
}

impl Files<'_> {
    /// Purges what is past its retention. Returns the number of files and uploads.
    ///
    /// # Errors
    /// [`crate::Error::Store`], [`crate::Error::Internal`]; the next call continues.
    pub async fn purge(&self) -> Result<usize> {
        let now = self.backend.clock().now();
        Ok(self.purge_uploads(now - UPLOAD_KEPT).await? + self.purge_removed(now).await?)
    }

    async fn purge_uploads(&self, before: DateTime<Utc>) -> Result<usize> {
        let left: Vec<receive::UploadRow> = self.backend.store().read(left_sql(), vars! { before: before }).await?.rows(0)?;
        for row in &left {
            self.forget(row).await?;
        }
        // Pieces without a row: the process ended in between. Their folder is named by the upload's ULID, which has its time.
        let oldest = u64::try_from(before.timestamp_millis()).unwrap_or_default();
        for upload in self.storage().uploads().await? {
            if upload.parse::<Ulid>().is_ok_and(|id| id.timestamp_ms() < oldest) {
                self.storage().remove_pieces(&upload).await?;
            }
        }
        Ok(left.len())
    }

    async fn purge_removed(&self, now: DateTime<Utc>) -> Result<usize> {
        let vars = vars! { before: now - REMOVED_KEPT };
        let removed: Vec<AttachmentRow> = self.backend.store().read(removed_sql(), vars).await?.rows(0)?;
        let mut count = 0;
        for row in &removed {
            count += usize::from(self.purge_file(row, now).await?);
        }
        Ok(count)
    }

    /// Files named by a draft or a published text stay, whatever their state at the desk. They are checked again later: each
    /// checked file leaves the range, or else the files that stay would fill it.
    async fn purge_file(&self, row: &AttachmentRow, now: DateTime<Utc>) -> Result<bool> {
        let vars = vars! {
            attachment: record("attachment", &row.id),
            text: record("attachment_text", &row.id),
            draft: record("draft", &row.document),
            document: record("document", &row.document),
            key: row.id.clone(),
            contents: [Some(row.sha256.clone()), row.preview.clone()].into_iter().flatten().collect::<Vec<_>>(),
            now: now,
        };
        let sql = "LET $named = array::concat((SELECT VALUE attachments FROM ONLY $draft) ?? [], \
                                              (SELECT VALUE attachments FROM ONLY $document) ?? []); \
                   IF $key IN $named { \
                       UPDATE $attachment SET removed_at = $now RETURN NONE; \
                   } ELSE { \
                       DELETE $attachment RETURN NONE; DELETE $text RETURN NONE; \
                   }; \
                   RETURN IF $key IN $named { [] } ELSE { $contents }";
        let mut answers = self.backend.transact(Change::new(sql, vars)).await?;
        // Results of the transaction: BEGIN, LET, IF, RETURN.
        let loose: Vec<String> = answers.rows(3)?;
        for content in &loose {
            if !self.is_used(content).await? {
                self.storage().remove(content).await?;
            }
        }
        Ok(!loose.is_empty())
    }

    /// Whether any file has this content or this preview.
    async fn is_used(&self, content: &str) -> Result<bool> {
        let mut answers = self.backend.store().read(USED, vars! { content: content.to_owned() }).await?;
        let found = answers.rows::<RecordId>(0)?.len() + answers.rows::<RecordId>(1)?.len();
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
    use crate::{Backend, Clock, Keys, StoreLocation, store::tests::migrated};

    #[tokio::test]
    async fn purge_queries_use_an_index() {
        let store = migrated().await;
        for sql in [left_sql(), removed_sql()] {
            store.assert_no_scan(&sql, vars! { before: DateTime::<Utc>::UNIX_EPOCH }).await;
        }
        store.assert_no_scan(USED, vars! { content: "a" }).await;
    }

    #[tokio::test]
    async fn files_that_stay_do_not_block_the_purge() {
        let now: DateTime<Utc> = "2026-11-21T05:00:00Z".parse().expect("a moment");
        let clock = Clock::fixed(now, 1);
        let backend = Backend::open(&StoreLocation::Memory, Keys::from_master(&[7; 32]), clock).await.expect("opens");
        let fill = "CREATE document:D SET kind = 'news', title = 't', issuer = 'U', issuer_path = '/01/', issuer_level = 'central', \
                    audience = 'U', audience_path = '/01/', state = 'published', version = 1, minutes = 1, saved_at = $now, \
                    saved_by = 'M', attachments = $kept; \
                    FOR $n IN 1000..=1200 { CREATE type::record('attachment', <string>$n) SET document = 'D', state = 'removed', \
                    name = 'a', kind = 'mp3', bytes = 1, sha256 = <string>$n, warnings = [], added_by = 'M', added_at = $now, \
                    removed_at = IF $n < 1100 { NONE } ELSE { $now - 40d } }";
        let kept: Vec<String> = (1000..1200).map(|n: u32| n.to_string()).collect();
        backend.store().write(fill, vars! { now: now, kept: kept }).await.expect("fills");
        let files = backend.files();
        assert_eq!(files.purge().await.expect("purges") + files.purge().await.expect("purges"), 1);
        let left = "SELECT VALUE record::id(id) FROM attachment WHERE record::id(id) > '1198'";
        let left: Vec<String> = backend.store().read(left, ()).await.expect("reads").rows(0).expect("rows");
        assert_eq!(left, ["1199"], "a file named by a text stays");
    }
}
