//! What was typed into a form that could not be accepted, kept for the page shown next: for browsers without script.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{forms::FormErrors, ids::MemberId};

use crate::{
    Backend, Error, Result,
    accounts::Origin,
    change::Change,
    keys::fingerprint,
    quota::{self, Quotas},
    store::{KEYS, SurrealValue, pairs_of, record, vars},
};

/// Time enough to be called away from the phone.
const KEPT_FOR: TimeDelta = TimeDelta::minutes(30);

/// Most bytes of one form: the longest text of a draft fits, also where each letter takes three bytes.
const SIZE_MAX: usize = 700 * 1024;

/// Most bytes of the form of somebody nobody knows: those of the ways in fit.
const SMALL_MAX: usize = 4 * 1024;

/// Bytes of one person, or of one known device, in half an hour.
const OWN_BYTES: i64 = 8 * 1024 * 1024;

/// Bytes of the strangers of one network in half an hour.
const NETWORK_BYTES: i64 = 1024 * 1024;

/// Bytes of all strangers together in half an hour.
const ALL_BYTES: i64 = 64 * 1024 * 1024;

/// Whose form it is.
#[derive(Debug, Clone)]
pub enum Sender {
    Member(MemberId),
    /// Somebody who is not signed in. On a device that members have signed in on before, their session may have ended while they wrote.
    Stranger(Origin),
}

/// See [`Backend::flashes`].
pub struct Flashes<'a> {
    backend: &'a Backend,
}

#[derive(Debug, SurrealValue)]
struct FlashRow {
    content: String,
    expires_at: DateTime<Utc>,
}

impl<'a> Flashes<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend }
    }

    /// Keeps the form and returns the secret that opens it. What was typed may be personal, so it is stored encrypted.
    ///
    /// A form beyond 700 KiB, of a stranger beyond 4 KiB, loses its longest texts: the problems are told in any case.
    ///
    /// # Errors
    /// [`Error::Busy`] when the sender, their network or all strangers together have left too much already; [`Error::Store`].
    pub async fn put(&self, errors: &FormErrors, sender: &Sender) -> Result<String> {
        let owner = self.owner(sender).await?;
        let text = fitting(errors.clone(), if owner.is_some() { SIZE_MAX } else { SMALL_MAX })?;
        let clock = self.backend.clock();
        let mut secret = [0; 32];
        clock.fill(&mut secret);
        let token = BASE64_URL_SAFE_NO_PAD.encode(secret);
        let id = fingerprint(&token);
        let content = self.backend.keys().seal(clock, &id, &text)?;
        let quotas = Quotas::new(self.backend, "forms", i64::try_from(content.len()).unwrap_or(i64::MAX));
        let quotas = match (&owner, sender) {
            (Some(owner), _) => quotas.of_one(owner, OWN_BYTES),
            (None, Sender::Stranger(Origin { address, .. })) => quotas.of_network(*address, NETWORK_BYTES).of_all(ALL_BYTES),
            (None, Sender::Member(member)) => quotas.of_one(&member.to_string(), OWN_BYTES),
        };
        let row = FlashRow { content, expires_at: clock.now() + KEPT_FOR };
        let mut vars = vars! { flash: record("flash", &id), row: row };
        quotas.bind(&mut vars);
        match self.backend.transact(Change::new(quota::TAKE, vars).then("CREATE $flash CONTENT $row RETURN NONE;")).await {
            Ok(_) => Ok(token),
            Err(error) if quota::is_used_up(&error) => Err(Error::Busy),
            Err(error) => Err(error.into()),
        }
    }

    /// By what somebody is known: as a member, or by a device on which some member has signed in before.
    async fn owner(&self, sender: &Sender) -> Result<Option<String>> {
        let origin = match sender {
            Sender::Member(member) => return Ok(Some(member.to_string())),
            Sender::Stranger(origin) => origin,
        };
        let Some(secret) = &origin.device else { return Ok(None) };
        let name = fingerprint(secret);
        let sql = format!("SELECT VALUE expires_at FROM {KEYS} WHERE expires_at > $now LIMIT 1");
        let vars = vars! { keys: pairs_of("device", &name), now: self.backend.clock().now() };
        let known: Option<DateTime<Utc>> = self.backend.store().read(sql, vars).await?.row(0)?;
        Ok(known.map(|_| name))
    }

    /// Hands the form out once; none when it was taken before, has expired or never was.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub async fn take(&self, token: &str) -> Result<Option<FormErrors>> {
        let id = fingerprint(token);
        let vars = vars! { flash: record("flash", &id) };
        // `BEGIN` has the first answer.
        let found: Option<FlashRow> = self.backend.transact(Change::new("DELETE $flash RETURN BEFORE;", vars)).await?.row(1)?;
        let Some(row) = found.filter(|row| row.expires_at > self.backend.clock().now()) else { return Ok(None) };
        let text = self.backend.keys().open(&id, &row.content)?;
        serde_json::from_str(&text).map(Some).map_err(|error| Error::Damaged(format!("a flash: {error}")))
    }
}

fn fitting(mut errors: FormErrors, most: usize) -> Result<String> {
    loop {
        let text = serde_json::to_string(&errors).map_err(|error| Error::Internal(error.to_string()))?;
        if text.len() <= most {
            return Ok(text);
        }
        let longest = errors.values.iter().max_by_key(|(_, value)| value.len()).map(|(field, _)| field.clone());
        match longest {
            Some(field) => errors.values.remove(&field),
            None => return Err(Error::Internal("a form has too many problems to be kept".to_owned())),
        };
    }
}

#[cfg(test)]
mod tests {
    use domain::forms::{FormReader, Problem, bounded_text};

    use super::*;

    #[test]
    fn a_form_too_big_to_keep_still_tells_its_problems() {
        let mut form = FormReader::new("draft");
        form.read("title", "Nghị quyết", |typed| bounded_text(typed, 300));
        form.read("body", &"ộ".repeat(SIZE_MAX), |typed| bounded_text(typed, 10));
        let errors = form.finish().expect_err("too long");
        let text = fitting(errors, SIZE_MAX).expect("fits");
        let kept: FormErrors = serde_json::from_str(&text).expect("reads");
        assert_eq!(kept.value("title"), Some("Nghị quyết"));
        assert_eq!(kept.value("body"), None);
        assert_eq!(kept.problem("body"), Some(&Problem::TooLong { max: 10 }));
    }
}
