//! Rejected forms with their problems and typed values, stored for the next page. For browsers without script.

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

/// Long enough for an interruption.
const KEPT_FOR: TimeDelta = TimeDelta::minutes(30);

/// Most bytes of one form: the longest text of a draft fits, even with three bytes per letter.
const SIZE_MAX: usize = 700 * 1024;

/// Most bytes of a form of a stranger: the forms of sign-in and activation fit.
const SMALL_MAX: usize = 4 * 1024;

/// Most bytes per half hour of one person or one known device.
const OWN_BYTES: i64 = 8 * 1024 * 1024;

/// Most bytes per half hour of the strangers of one network.
const NETWORK_BYTES: i64 = 1024 * 1024;

/// Most bytes per half hour of all strangers.
const ALL_BYTES: i64 = 64 * 1024 * 1024;

/// The sender of a form.
#[derive(Debug, Clone)]
pub enum Sender {
    Member(MemberId),
    /// Somebody who is not signed in. On a device on which members have signed in before, the session may have expired during
    /// typing.
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

    /// Stores the form and returns the token that opens it. Typed values may be personal, so the form is stored encrypted.
    ///
    /// A form above 700 KiB, or 4 KiB for a stranger, loses its longest values. The problems are always kept.
    ///
    /// # Errors
    /// [`Error::Busy`] when the quota of the sender, their network or all strangers is exhausted; [`Error::Store`].
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

    /// The id of the sender: the member, or a device on which some member has signed in before.
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

    /// Returns the form and deletes it; none when it was already taken, has expired or never existed.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub async fn take(&self, token: &str) -> Result<Option<FormErrors>> {
        let id = fingerprint(token);
        let vars = vars! { flash: record("flash", &id) };
        // The answer at position 0 is that of `BEGIN`.
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
    fn a_form_too_large_to_store_keeps_its_problems() {
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
