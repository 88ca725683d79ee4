//! Re-authentication: a signed-in person enters the password again.
//!
//! A session lasts for weeks, but the rights of an office only for twelve hours after the last proof. Each proof gives the device
//! a new session token, so that a copy of the old one becomes invalid (OWASP ASVS 5.0, 7.2.4).

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::{Password, Viewer},
    events::{EventBody, SignIn},
    forms::{FormReader, Problem},
    ids::MemberId,
};

use super::{Accounts, NewSession, new_token, passwords};
use crate::{
    Error, Result,
    change::Change,
    keys::fingerprint,
    store::{RecordId, StoreError, SurrealValue, Variables, pair, record, vars},
};

/// How long the rights of offices are active after a proof.
const FRESH_FOR: TimeDelta = TimeDelta::hours(12);

/// Wrong passwords within [`WINDOW`] after which the person must wait, so that the holder of a stolen session cannot guess the
/// password.
const TRIES: i64 = 10;

const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Whether the rights of offices are active.
pub(super) fn is_fresh(proved_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    proved_at.is_some_and(|proved_at| now - proved_at < FRESH_FOR)
}

/// Run before a session gets a new token: aborts when the session was ended concurrently.
pub(super) const STILL_OPEN: &str = "IF !record::exists($old) { THROW 'gone' };";

/// Stores the session under its new token.
pub(super) const OPEN_RENEWED: &str = "CREATE $renewed CONTENT $row RETURN NONE;";

/// Counts one try. The window starts with the first one. Tries beyond the limit are not counted.
const TAKE: &str = "LET $before = (SELECT count, expires_at FROM $attempts)[0];
     LET $goes_on = $before != NONE AND $before.expires_at > $now;
     LET $count = IF $goes_on { $before.count + 1 } ELSE { 1 };
     LET $ends = IF $goes_on { $before.expires_at } ELSE { $until };
     IF $count <= $most { UPSERT $attempts SET count = $count, expires_at = $ends RETURN NONE };
     RETURN { count: $count, expires_at: $ends }";

#[derive(Debug, SurrealValue)]
struct Attempts {
    count: i64,
    expires_at: DateTime<Utc>,
}

impl Accounts<'_> {
    /// Activates the rights of the person's offices on this device for another twelve hours. Returns the new session token; the
    /// old one becomes invalid.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `confirm`, field `password`; [`Error::NotSignedIn`] when the session was ended
    /// concurrently.
    pub async fn confirm(&self, viewer: &Viewer, token: &str, password: &str) -> Result<String> {
        let mut form = FormReader::new("confirm");
        let Some(password) = form.read_secret("password", password, Password::attempt) else {
            return Err(form.finish().err().map_or(Error::NotFound, Error::Invalid));
        };
        if let Some(problem) = self.check_own_password(viewer, &password).await? {
            return Err(form.refused("password", problem).into());
        }
        let (renewed, vars) = self.renewal(token).await?;
        let (clock, branch) = (self.backend.clock(), &viewer.standpoint.branch);
        let change = Change::new(STILL_OPEN, vars).then("DELETE $old RETURN NONE;").then(OPEN_RENEWED).event(
            clock,
            Some(viewer.member),
            branch,
            EventBody::SignedIn(SignIn::Again(viewer.member)),
        );
        self.renew(change).await?;
        Ok(renewed)
    }

    /// Checks the password of the signed-in person. None when it is correct.
    pub(super) async fn check_own_password(&self, viewer: &Viewer, password: &Password) -> Result<Option<Problem>> {
        let now = self.backend.clock().now();
        let attempts = self.attempts_of(viewer.member);
        // Counted before the check, so that concurrent tries cannot exceed the limit.
        let vars = vars! { attempts: attempts.clone(), now: now, until: now + WINDOW, most: TRIES };
        // The answer at position 0 is that of `BEGIN`.
        let taken: Option<Attempts> = self.backend.transact(Change::new(TAKE, vars)).await?.row(6)?;
        let taken = taken.unwrap_or(Attempts { count: i64::MAX, expires_at: now + WINDOW });
        if taken.count > TRIES {
            return Ok(Some(Problem::TooManyTries { minutes: minutes_until(taken.expires_at, now) }));
        }
        let hash = self.account(&viewer.member.to_string()).await?.and_then(|account| account.password);
        if passwords::verify(self.backend.keys(), password, hash).await? {
            let change = Change::new("DELETE $attempts RETURN NONE;", vars! { attempts: attempts });
            self.backend.transact(change).await?;
            return Ok(None);
        }
        let (clock, branch) = (self.backend.clock(), &viewer.standpoint.branch);
        let refused = EventBody::SignInRefused { member: viewer.member, again: true };
        self.backend.transact(Change::default().event(clock, None, branch, refused)).await?;
        Ok(Some(Problem::WrongPassword))
    }

    /// A new token for the session of `token`, and the bindings of [`STILL_OPEN`] and [`OPEN_RENEWED`].
    pub(super) async fn renewal(&self, token: &str) -> Result<(String, Variables)> {
        let clock = self.backend.clock();
        let old = record("session", fingerprint(token));
        let sql = "SELECT handle, member, device, created_at, seen_at, expires_at, proved_at FROM $old";
        let row: Option<NewSession> = self.backend.store().read(sql, vars! { old: old.clone() }).await?.row(0)?;
        let row = NewSession { proved_at: Some(clock.now()), ..row.ok_or(Error::NotSignedIn)? };
        let renewed = new_token(clock);
        let vars = vars! { old: old, renewed: record("session", fingerprint(&renewed)), row: row };
        Ok((renewed, vars))
    }

    /// Commits a change that starts with [`STILL_OPEN`].
    pub(super) async fn renew(&self, change: Change) -> Result<()> {
        match self.backend.transact(change).await {
            Ok(_) => Ok(()),
            Err(StoreError::Thrown(reason)) if reason == "gone" => Err(Error::NotSignedIn),
            Err(error) => Err(error.into()),
        }
    }

    fn attempts_of(&self, member: MemberId) -> RecordId {
        pair("attempt", "own_password", self.backend.keys().lookup("own password", &member.to_string()))
    }
}

/// Minutes until a time, rounded up, so that a retry is not too early.
fn minutes_until(until: DateTime<Utc>, now: DateTime<Utc>) -> u32 {
    u32::try_from((until - now).num_minutes() + 1).unwrap_or(1)
}
