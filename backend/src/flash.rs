//! What was typed into a form that could not be accepted, kept for the page shown next: for browsers without script.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use domain::forms::FormErrors;

use crate::{
    Backend, Error, Result,
    keys::fingerprint,
    store::{SurrealValue, record, vars},
};

/// Time enough to be called away from the phone.
const KEPT_FOR: TimeDelta = TimeDelta::minutes(30);

/// Most bytes of one form: the longest text of a draft fits, also where each letter takes three bytes.
const SIZE_MAX: usize = 700 * 1024;

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
    /// A form beyond 256 KiB loses its longest texts: the problems are told in any case.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn put(&self, errors: &FormErrors) -> Result<String> {
        let clock = self.backend.clock();
        let mut secret = [0; 32];
        clock.fill(&mut secret);
        let token = BASE64_URL_SAFE_NO_PAD.encode(secret);
        let id = fingerprint(&token);
        let content = self.backend.keys().seal(clock, &id, &fitting(errors.clone())?)?;
        let row = FlashRow { content, expires_at: clock.now() + KEPT_FOR };
        let vars = vars! { flash: record("flash", &id), row: row };
        self.backend.store().write("CREATE $flash CONTENT $row RETURN NONE;", vars).await?;
        Ok(token)
    }

    /// Hands the form out once; none when it was taken before, has expired or never was.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub async fn take(&self, token: &str) -> Result<Option<FormErrors>> {
        let id = fingerprint(token);
        let vars = vars! { flash: record("flash", &id) };
        // `BEGIN` has the first answer.
        let found: Option<FlashRow> = self.backend.store().write("DELETE $flash RETURN BEFORE;", vars).await?.row(1)?;
        let Some(row) = found.filter(|row| row.expires_at > self.backend.clock().now()) else { return Ok(None) };
        let text = self.backend.keys().open(&id, &row.content)?;
        serde_json::from_str(&text).map(Some).map_err(|error| Error::Damaged(format!("a flash: {error}")))
    }
}

fn fitting(mut errors: FormErrors) -> Result<String> {
    loop {
        let text = serde_json::to_string(&errors).map_err(|error| Error::Internal(error.to_string()))?;
        if text.len() <= SIZE_MAX {
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
        let text = fitting(errors).expect("fits");
        let kept: FormErrors = serde_json::from_str(&text).expect("reads");
        assert_eq!(kept.value("title"), Some("Nghị quyết"));
        assert_eq!(kept.value("body"), None);
        assert_eq!(kept.problem("body"), Some(&Problem::TooLong { max: 10 }));
    }
}
