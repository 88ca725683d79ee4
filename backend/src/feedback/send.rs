//! Sends an opinion exactly once, even over an unreliable connection.

use chrono::TimeDelta;
use domain::{
    accounts::Viewer,
    events::EventBody,
    feedback::{OpinionAudience, OpinionText},
    forms::{FormReader, Problem},
    ids::{DocumentId, OpinionId},
    members::Standing,
};
use sha2::{Digest, Sha256};

use super::{Feedback, has_editors};
use crate::{
    Error, Result,
    change::Change,
    store::{RecordId, StoreError, SurrealValue, pair, record, vars},
};

/// How long the same text about the same document, to the same readers, counts as the opinion already sent: a second tab has an
/// id of its own.
const SAME_FOR: TimeDelta = TimeDelta::days(1);

/// The form as typed.
#[derive(Debug, Clone, Copy)]
pub struct OpinionForm<'f> {
    /// Generated when the form is shown, so that submitting it twice stores one opinion.
    pub opinion: &'f str,
    pub document: &'f str,
    pub audience: &'f str,
    pub text: &'f str,
}

#[derive(Debug, SurrealValue)]
struct Sent {
    member: String,
    body_hash: String,
}

impl Feedback<'_> {
    /// Stores the opinion. Submitting the same form again, even concurrently, changes nothing and returns the same id; so does
    /// another form with the same content within a day.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the document is hidden from the person, [`Error::NotAllowed`] when they are not in its audience
    /// as a member; [`Error::Invalid`] for problems they can fix, [`Problem::NotOffered`] on `audience` for editors where there
    /// are none, [`Problem::Stale`] on `text` when the form was submitted before with another text.
    pub async fn send(&self, viewer: &Viewer, form: OpinionForm<'_>) -> Result<OpinionId> {
        let id: OpinionId = form.opinion.parse().map_err(|_| Error::NotFound)?;
        let document: DocumentId = form.document.parse().map_err(|_| Error::NotFound)?;
        let documents = self.backend.documents();
        let mut reader = FormReader::new("opinion");
        let audience = reader.read("audience", form.audience, OpinionAudience::parse);
        let text = reader.read("text", form.text, OpinionText::parse);
        let (Some(audience), Some(text)) = (audience, text) else {
            // An incomplete form must not reveal whether a document exists.
            documents.addressed(viewer, document).await?;
            return Err(reader.finish().err().unwrap_or_default().into());
        };
        let body_hash = hash(document, audience, &text);
        let is_same = |sent: &Sent| sent.member == viewer.member.to_string() && sent.body_hash == body_hash;
        match self.before(id).await? {
            // Also when the document was withdrawn meanwhile: a received opinion stays received.
            Some(sent) if is_same(&sent) => return Ok(id),
            Some(_) => return Err(reader.refused("text", Problem::Stale).into()),
            None => {}
        }
        let about = documents.addressed(viewer, document).await?;
        if audience == OpinionAudience::Editors && !has_editors(self.backend, about.issuer.id).await? {
            return Err(reader.refused("audience", Problem::NotOffered).into());
        }
        let clock = self.backend.clock();
        // The leaders of the branch read it, also if the member is registered in a unit below the branch.
        let branch = &viewer.branch.path;
        let sent = pair("sent_opinion", viewer.member, &body_hash);
        let counts = viewer.standpoint.standing != Standing::Exempt;
        let vars = vars! {
            opinion: record("opinion", id),
            key: id.to_string(),
            sent: sent.clone(),
            until: clock.now() + SAME_FOR,
            member: viewer.member.to_string(),
            author: viewer.name.as_str(),
            unit: viewer.branch.id.to_string(),
            path: branch.to_string(),
            document: document.to_string(),
            document_title: about.title,
            issuer_path: about.issuer.path.to_string(),
            text: text.as_str(),
            body_hash: body_hash.as_str(),
            audience: audience.key(),
            received: clock.ulid().to_string(),
            counted: counts,
        };
        let body = EventBody::OpinionSent { opinion: id, counted: Some(counts) };
        let change = Change::new(ONCE, vars).then(CREATE).event(clock, Some(viewer.member), branch, body);
        match self.backend.transact(change).await {
            Ok(_) => Ok(id),
            // The same form, concurrently.
            Err(StoreError::Exists) => match self.before(id).await? {
                Some(sent) if is_same(&sent) => Ok(id),
                _ => Err(reader.refused("text", Problem::Stale).into()),
            },
            // Another form with the same content.
            Err(StoreError::Thrown(_)) => self.same_as(sent).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The opinion sent before with the same content.
    async fn same_as(&self, sent: RecordId) -> Result<OpinionId> {
        let sql = "SELECT VALUE opinion FROM ONLY $sent";
        let opinion: Option<String> = self.backend.store().read(sql, vars! { sent: sent }).await?.row(0)?;
        // Purged concurrently: a retry sends a new one.
        let opinion = opinion.ok_or(Error::Busy)?;
        opinion.parse().map_err(|_| Error::Damaged(format!("sent opinion {opinion}")))
    }

    /// The opinion stored under this id.
    async fn before(&self, id: OpinionId) -> Result<Option<Sent>> {
        let sql = "SELECT member, body_hash FROM ONLY $opinion";
        Ok(self.backend.store().read(sql, vars! { opinion: record("opinion", id) }).await?.row(0)?)
    }
}

/// Concurrent transactions with the same content write this row, so that the second sees the first. `$log_at` is the time of the
/// event: a recount takes an opinion either from its row or from its event, depending on that time.
const ONCE: &str = "LET $same = (SELECT opinion, expires_at FROM ONLY $sent); \
                    IF $same != NONE AND $same.expires_at > $log_at AND $same.opinion != $key { THROW 'sent' }; \
                    UPSERT $sent SET opinion = $key, expires_at = $until RETURN NONE;";

const CREATE: &str = "CREATE $opinion SET member = $member, author = $author, unit = $unit, path = $path, document = $document, \
                      document_title = $document_title, issuer_path = $issuer_path, text = $text, body_hash = $body_hash, \
                      audience = $audience, state = 'received', received = $received, sent_at = $log_at, \
                      counted = $counted RETURN NONE;";

/// The content that makes two forms equal. The id has a fixed length and the audience has no line break, so the parts cannot be
/// confused.
fn hash(document: DocumentId, audience: OpinionAudience, text: &OpinionText) -> String {
    let mut digest = Sha256::new();
    for part in [document.to_string().as_str(), audience.key(), "\n", text.as_str()] {
        digest.update(part.as_bytes());
    }
    crate::keys::hex(&digest.finalize().into())
}
