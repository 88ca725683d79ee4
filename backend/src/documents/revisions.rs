//! Saved versions: listed, read, compared, and restored as a new version.

use chrono::{DateTime, Utc};
use domain::{
    accounts::Viewer,
    documents::{
        Body,
        desk::{RevisionRow, RevisionsPage, Shown},
        steps::{DocumentStep, PublicationState},
    },
    events::EventBody,
    ids::DocumentId,
};

use super::{Documents, difference, spawn_blocking};
use crate::{
    Error, Result,
    change::Change,
    markdown,
    store::{StoreError, SurrealValue, pair, pairs_of, record, vars},
};

/// Versions of one document that are listed; older ones remain stored.
const LISTED: usize = 200;

#[derive(Debug, SurrealValue)]
struct ListedRow {
    number: String,
    title: String,
    by: String,
    at: DateTime<Utc>,
}

/// The text of one version.
#[derive(Debug, SurrealValue)]
struct Revision {
    title: String,
    body: String,
}

impl Documents<'_> {
    /// The saved versions, newest first; `version` reads one of them, `with` compares it with another one.
    ///
    /// # Errors
    /// As [`Documents::draft`]; [`Error::NotAllowed`] for a person who neither writes nor publishes here; [`Error::NotFound`]
    /// when there is no such version.
    pub async fn revisions(
        &self,
        viewer: &Viewer,
        id: DocumentId,
        version: Option<u32>,
        with: Option<u32>,
    ) -> Result<RevisionsPage> {
        let desk = self.on_desk(viewer, id).await?;
        // A reviewer was asked about one version only.
        if !(desk.permissions.writes || desk.permissions.publishes) {
            return Err(Error::NotAllowed);
        }
        let sql =
            format!("SELECT record::id(id)[1] AS number, title, by, at FROM $revisions ORDER BY number DESC LIMIT {LISTED}");
        let rows: Vec<ListedRow> =
            self.backend.store().read(sql, vars! { revisions: pairs_of("document_revision", id) }).await?.rows(0)?;
        let names = self.names(rows.iter().map(|row| row.by.clone())).await?;
        let out = desk.out.as_ref().filter(|out| out.out == PublicationState::Published).map(|out| out.version);
        let newest = rows.first().map(|row| row.number.clone());
        let revisions = rows.into_iter().map(|row| {
            let version = row.number.parse().map_err(|_| Error::Damaged(format!("revision of {id}")))?;
            Ok(RevisionRow {
                version,
                is_out: out == Some(version),
                is_newest: newest.as_ref() == Some(&row.number),
                title: row.title,
                by: names.get(&row.by).cloned().unwrap_or_default(),
                at: row.at,
            })
        });
        let revisions = revisions.collect::<Result<_>>()?;
        let shown = self.shown(id, version, with).await?;
        Ok(RevisionsPage {
            document: id,
            title: desk.title(),
            permissions: desk.permissions,
            status: desk.status(),
            revisions,
            shown,
        })
    }

    /// Restores the title and text of a version as the next one. Overwrites no version.
    ///
    /// # Errors
    /// As [`Documents::draft`]; [`Error::Step`] when there is no draft; [`Error::NotFound`] when there is no such version;
    /// [`Error::Busy`] on a concurrent save.
    pub async fn restore(&self, viewer: &Viewer, id: DocumentId, version: u32) -> Result<()> {
        let desk = self.on_desk(viewer, id).await?;
        desk.step(DocumentStep::Edit)?;
        let work = desk.work.as_ref().ok_or(Error::NotFound)?;
        let revision = self.stored_revision(id, version).await?;
        let next = i64::from(work.version) + 1;
        let clock = self.backend.clock();
        let vars = vars! {
            draft: record("draft", id),
            draft_text: record("draft_text", id),
            revision: pair("document_revision", id, format!("{next:06}")),
            version: i64::from(work.version),
            next: next,
            minutes: i64::from(Body::parse(&revision.body).map_or(1, |body| body.minutes())),
            title: revision.title,
            body: revision.body,
            now: clock.now(),
            editor: viewer.member.to_string(),
        };
        let restored = EventBody::DocumentSaved { document: id, restored: Some(version) };
        let change = Change::new(RESTORE, vars).event(clock, Some(viewer.member), &work.particulars.issuer.path, restored);
        match self.backend.transact(change).await {
            Ok(_) => Ok(()),
            Err(StoreError::Thrown(_) | StoreError::Exists) => Err(Error::Busy),
            Err(error) => Err(error.into()),
        }
    }

    async fn shown(&self, id: DocumentId, version: Option<u32>, with: Option<u32>) -> Result<Shown> {
        Ok(match (version, with) {
            (None, _) => Shown::List,
            (Some(version), None) => {
                let revision = self.stored_revision(id, version).await?;
                let Revision { title, body } = revision;
                let html = spawn_blocking(move || markdown::render(&body).html).await?;
                Shown::Version { version, title, html }
            }
            (Some(one), Some(other)) => {
                let (old, new) = (one.min(other), one.max(other));
                let text = |revision: Revision| format!("{}\n{}", revision.title, revision.body);
                let (before, after) = (self.stored_revision(id, old).await?, self.stored_revision(id, new).await?);
                let pieces = spawn_blocking(move || difference(&text(before), &text(after))).await?;
                Shown::Difference { old, new, pieces }
            }
        })
    }

    async fn stored_revision(&self, id: DocumentId, version: u32) -> Result<Revision> {
        let vars = vars! { revision: pair("document_revision", id, format!("{version:06}")) };
        let found: Option<Revision> = self.backend.store().read("SELECT title, body FROM ONLY $revision", vars).await?.row(0)?;
        found.ok_or(Error::NotFound)
    }
}

const RESTORE: &str = "LET $found = (SELECT version, stage FROM ONLY $draft); \
                       IF $found.version != $version OR $found.stage != 'draft' { THROW 'changed' }; \
                       UPDATE $draft SET title = $title, version = $next, minutes = $minutes, saved_at = $now, saved_by = $editor, \
                       authors = array::union(authors, [$editor]) RETURN NONE; \
                       UPSERT $draft_text SET body = $body RETURN NONE; \
                       CREATE $revision SET title = $title, body = $body, at = $now, by = $editor RETURN NONE;";
