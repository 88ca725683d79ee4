//! The work of each kind of job.

use super::{JobKind, lease::LeasedJob};
use crate::{Backend, Result};

/// Result of a successful run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// Done, and the transaction of the effect has removed the job: see [`LeasedJob::end`].
    Ended,
    /// That transaction failed because another process has taken the job: see [`super::lease::is_lost`].
    Lost,
    /// A part is done; the rest follows immediately.
    Again,
    /// Nothing could be done yet: it runs again after a pause. Not a failed attempt, so the job is never parked for it.
    Later,
}

pub(super) async fn perform(backend: &Backend, job: &LeasedJob) -> Result<Outcome> {
    match job.kind {
        JobKind::SendSms => Box::pin(backend.send_sms(job)).await,
        JobKind::NotifyOwner => Box::pin(backend.make_notice(job)).await,
        JobKind::PublishDue => {
            let documents = Box::pin(backend.documents().publish_due()).await?;
            if documents > 0 {
                tracing::info!(documents, "published or withdrew documents on schedule");
            }
            Ok(Outcome::Done)
        }
        JobKind::SealEvents => Box::pin(backend.audit().seal()).await.map(|_| Outcome::Done),
        JobKind::FollowMoves => {
            let is_done = Box::pin(backend.unit_desk().follow_moves()).await?;
            Ok(if is_done { Outcome::Done } else { Outcome::Again })
        }
        JobKind::Reorganise => Box::pin(backend.reorganisations().run(job)).await,
        JobKind::PurgeExpired => {
            let rows = Box::pin(backend.accounts().purge()).await?;
            if rows > 0 {
                tracing::info!(rows, "deleted expired sessions and forms");
            }
            Ok(Outcome::Done)
        }
        JobKind::PurgeWriting => Box::pin(backend.documents().purge_writing()).await.map(|_| Outcome::Done),
        JobKind::PurgeFiles => {
            let files = Box::pin(backend.files().purge()).await?;
            if files > 0 {
                tracing::info!(files, "purged files and uploads");
            }
            Ok(Outcome::Done)
        }
    }
}
