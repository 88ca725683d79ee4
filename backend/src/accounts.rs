//! Accounts: sign-in, sign-out, sessions, preferences.
//!
//! A sign-in reveals nothing about an account except that ID and password match. For an ID that is unknown, locked, not activated
//! or not live, and for a wrong password, the response and the work are the same.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    Locale,
    accounts::{Office, Password, Preferences, TextSize, Theme, Viewer},
    events::{Event, EventBody, SignIn},
    forms::{FormReader, Problem},
    ids::{EventId, MemberId, SessionId},
    members::{NationalId, Standing},
    policy::{Grant, Role, Standpoint},
    units::UnitPath,
};
use ulid::Ulid;

use crate::{
    Backend, Clock, Error, Result,
    change::Change,
    events,
    keys::fingerprint,
    store::{RecordId, Row, StoreError, SurrealValue, Variables, record, vars},
    units::Tree,
};

mod activation;
mod change_password;
mod choose;
mod codes;
mod common_passwords;
mod devices;
mod federated;
mod known_device;
mod limits;
mod notify;
mod operator;
mod passwords;
mod proof;
mod sheet;
#[cfg(test)]
mod tests;
mod ways;

pub use change_password::PasswordForm;
pub use codes::IssuedCode;
pub use federated::{Departure, Vouched};
pub use limits::Origin;
pub use notify::NoticeWords;
pub(crate) use notify::{changes_of, tell};
pub use operator::{Admin, NewAdmin};

use limits::{COUNT_FAILURE, IN_A_ROW, Scope};

/// Idle timeout of a session.
const IDLE: TimeDelta = TimeDelta::days(30);

/// Minimum interval between two updates of the time a device was last seen, so that not every page causes a write.
const SEEN_EVERY: TimeDelta = TimeDelta::hours(1);

/// How long the rows of [`Accounts::commit_before_sign_in`] for unknown IDs are kept.
const STRANGERS_KEPT_FOR: TimeDelta = TimeDelta::hours(1);

/// Most characters stored of a device's description.
const DEVICE_MAX: usize = 120;

/// See [`Backend::accounts`].
pub struct Accounts<'a> {
    backend: &'a Backend,
    origin: Origin,
}

/// The sign-in form, as typed.
#[derive(Clone, Copy)]
pub struct SignInForm<'f> {
    pub national_id: &'f str,
    pub password: &'f str,
    /// A short description of the device, for the list of devices.
    pub device: &'f str,
}

/// A new session.
#[derive(Clone)]
pub struct SignedIn {
    /// The session token: 256 bits, base64url. Only its hash is stored.
    pub token: String,
    /// The secret that identifies this device later, so that rate limits never lock its owner out.
    pub device: String,
    pub preferences: Preferences,
}

/// The signed-in person and their preferences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub viewer: Viewer,
    pub preferences: Preferences,
}

impl<'a> Accounts<'a> {
    pub(crate) fn new(backend: &'a Backend) -> Self {
        Self { backend, origin: Origin::default() }
    }

    /// Sets the origin of the request, by which guessing is limited.
    #[must_use]
    pub fn at(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Signs in with national ID and password.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `sign_in`: [`Problem::WrongCredentials`] on `password` for any reason,
    /// [`Problem::TooManyTries`] regardless of whether the ID is a member's, or a problem of the format of a field.
    /// [`Error::NotLive`] after the correct password when the unit does not use the handbook yet.
    pub async fn sign_in(&self, typed: SignInForm<'_>) -> Result<SignedIn> {
        let mut form = FormReader::new("sign_in");
        let national_id = form.read("national_id", typed.national_id, NationalId::parse);
        let password = form.read_secret("password", typed.password, Password::attempt);
        let (Some(national_id), Some(password)) = (national_id, password) else {
            return Err(form.finish().err().map_or(Error::NotFound, Error::Invalid));
        };

        let id_hash = self.backend.keys().lookup("id", national_id.expose());
        let member = self.holder(&id_hash).await?;
        // Account and device are also looked up for an unknown ID.
        let owner = member.as_ref().map_or_else(nobody, |member| member.id.clone());
        let account = self.account(&owner).await?;
        let device = self.known_device(&owner).await?;
        let taken = match self.take_try(Scope::Password, &id_hash, device.as_ref().map(|device| device.name.as_str())).await? {
            Ok(taken) => taken,
            Err(problem) => return Err(form.refused("password", problem).into()),
        };
        let hash = account.as_ref().and_then(|account| account.password.clone());
        let matches = passwords::verify(self.backend.keys(), &password, hash).await?;

        let failures = device.as_ref().map(|device| device.failures);
        match (&member, &account) {
            (Some(member), Some(account)) if matches && failures.unwrap_or(account.failures) < IN_A_ROW => {
                if !self.backend.units().tree().phase(&member.id_and_path()?.1).is_open() {
                    return Err(Error::NotLive { activation: self.insert_activation(&id_hash, Some(&member.id)).await? });
                }
                self.enter(member, account.preferences()?, typed.device, taken.forgotten()).await
            }
            _ => {
                let failing = device.map_or_else(|| record("account", &owner), |device| device.record);
                self.note_refusal(member.as_ref(), failing).await?;
                Err(form.refused("password", Problem::WrongCredentials).into())
            }
        }
    }

    /// Deletes the session of `token`. Idempotent.
    pub async fn sign_out(&self, token: &str) -> Result<()> {
        let session = record("session", fingerprint(token));
        let Some(found) = self.session_row(&session).await? else { return Ok(()) };
        let member: Option<MemberRow> = self.by_id(MEMBER, "member", &found.member).await?;
        let Some(member) = member else { return Err(Error::Damaged(format!("member {}", found.member))) };
        let (actor, path) = member.id_and_path()?;
        let handle: SessionId = found.handle.parse().map_err(|_| Error::Damaged(format!("session {}", found.handle)))?;
        let change = Change::new("DELETE $opened RETURN NONE;", vars! { opened: session });
        let change = change.event(self.backend.clock(), Some(actor), &path, EventBody::SignedOut(handle));
        self.backend.transact(change).await?;
        Ok(())
    }

    /// The session of `token`; none when it is unknown or expired, or its owner is no longer a member.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub async fn session(&self, token: &str) -> Result<Option<Session>> {
        let id = record("session", fingerprint(token));
        let now = self.backend.clock().now();
        let Some(session) = self.session_row(&id).await?.filter(|session| session.expires_at > now) else {
            return Ok(None);
        };
        let mut found = self
            .backend
            .store()
            .read(
                format!("{MEMBER} FROM $member; {ACCOUNT} FROM $account; SELECT role, unit, from, until FROM office WHERE member = $id"),
                vars! {
                    member: record("member", &session.member),
                    account: record("account", &session.member),
                    id: session.member.clone(),
                },
            )
            .await?;
        let member: Option<MemberRow> = found.row(0)?;
        let account: Option<AccountRow> = found.row(1)?;
        let offices: Vec<OfficeRow> = found.rows(2)?;
        let (Some(member), Some(account)) = (member, account) else { return Ok(None) };
        if member.state != "active" {
            return Ok(None);
        }
        if now - session.seen_at >= SEEN_EVERY {
            self.mark_seen(id, now).await?;
        }
        let viewer = member.viewer(&offices, &self.backend.units().tree(), self.backend.clock().today())?;
        let viewer = if proof::is_fresh(session.proved_at, now) { viewer } else { viewer.at_rest() };
        Ok(Some(Session { viewer, preferences: account.preferences()? }))
    }

    /// Stores the viewer's preferences.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `preferences` when a value is not offered.
    pub async fn save_preferences(&self, viewer: &Viewer, locale: &str, text_size: &str, theme: &str) -> Result<Preferences> {
        let mut form = FormReader::new("preferences");
        let locale = form.read("locale", locale, |typed| Locale::from_tag(typed).ok_or(Problem::NotOffered));
        let text_size = form.read("text_size", text_size, |typed| TextSize::from_key(typed).ok_or(Problem::NotOffered));
        let theme = form.read("theme", theme, |typed| Theme::from_key(typed).ok_or(Problem::NotOffered));
        form.finish()?;
        let (Some(locale), Some(text_size), Some(theme)) = (locale, text_size, theme) else { return Err(Error::NotFound) };
        let preferences = Preferences { locale, text_size, theme };
        let vars = vars! {
            account: record("account", viewer.member),
            locale: locale.tag(),
            text_size: text_size.key(),
            theme: theme.key(),
        };
        let sql = "UPDATE $account SET locale = $locale, text_size = $text_size, theme = $theme RETURN NONE;";
        let (actor, path) = (Some(viewer.member), &viewer.standpoint.branch);
        let body = EventBody::PreferencesChanged(viewer.member);
        let change = Change::new(sql, vars).event(self.backend.clock(), actor, path, body);
        self.backend.transact(change).await?;
        Ok(preferences)
    }

    /// Deletes expired sessions, flashes and other rows with a time of expiry. Returns the number of deleted rows. Called by a
    /// job.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn purge(&self) -> Result<u64> {
        let now = self.backend.clock().now();
        let mut purged = 0;
        for table in ["session", "flash", "door", "attempt", "device", "code_sheet", "stranger", "sent_opinion"] {
            purged += self.backend.store().purge(table, "expires_at", now).await?;
        }
        Ok(purged)
    }

    /// The hash of a new password as a PHC string, to be stored.
    pub(crate) async fn hash_password(&self, password: &Password) -> Result<String> {
        passwords::hash(self.backend.keys(), self.backend.clock(), password).await
    }

    /// The active member with this national ID, given as its keyed hash.
    async fn holder(&self, id_hash: &str) -> Result<Option<MemberRow>> {
        let sql = format!("{MEMBER} FROM member WHERE id_hash = $hash LIMIT 1");
        let found: Option<MemberRow> = self.backend.store().read(sql, vars! { hash: id_hash.to_owned() }).await?.row(0)?;
        Ok(found.filter(|member| member.state == "active"))
    }

    async fn account(&self, owner: &str) -> Result<Option<AccountRow>> {
        self.by_id(ACCOUNT, "account", owner).await
    }

    async fn session_row(&self, id: &RecordId) -> Result<Option<SessionRow>> {
        let sql = "SELECT handle, member, seen_at, expires_at, proved_at FROM $opened";
        Ok(self.backend.store().read(sql, vars! { opened: id.clone() }).await?.row(0)?)
    }

    async fn by_id<T: Row>(&self, select: &str, table: &'static str, key: &str) -> Result<Option<T>> {
        Ok(self.backend.store().read(format!("{select} FROM $record"), vars! { record: record(table, key) }).await?.row(0)?)
    }

    /// Opens a session in one transaction with `before`.
    async fn enter(&self, member: &MemberRow, preferences: Preferences, device: &str, before: Change) -> Result<SignedIn> {
        let (change, entered) = self.entering(member, preferences, device, before).await?;
        self.backend.transact(change).await?;
        Ok(entered)
    }

    /// Adds the statements that open a session to `before`. Also returns the secrets to send to the device after the commit.
    async fn entering(
        &self,
        member: &MemberRow,
        preferences: Preferences,
        device: &str,
        before: Change,
    ) -> Result<(Change, SignedIn)> {
        let clock = self.backend.clock();
        let now = clock.now();
        let (actor, path) = member.id_and_path()?;
        let token = new_token(clock);
        let handle = SessionId::new(clock.ulid());
        let mut vars = vars! {
            opened: record("session", fingerprint(&token)),
            row: NewSession {
                handle: handle.to_string(),
                member: member.id.clone(),
                device: device.trim().chars().filter(|c| !c.is_control()).take(DEVICE_MAX).collect(),
                created_at: now,
                seen_at: now,
                expires_at: now + IDLE,
                proved_at: Some(now),
            },
            account: record("account", &member.id),
            // A sign-in replaces the previous session on the device.
            previous: self.origin.session.as_ref().map(|token| record("session", fingerprint(token))),
        };
        let remembered = self.remember_device(&mut vars, &member.id).await?;
        let change = before
            .then(
                "IF $previous != NONE { DELETE $previous RETURN NONE }; CREATE $opened CONTENT $row RETURN NONE;
                 UPDATE $account SET failures = 0 WHERE failures > 0 RETURN NONE;",
            )
            .then(known_device::REMEMBER)
            .bind(vars)
            .event(clock, Some(actor), &path, EventBody::SignedIn(SignIn::Opened(handle)));
        Ok((change, SignedIn { token, device: remembered, preferences }))
    }

    /// Records a refused sign-in. For an unknown ID it writes a row of the same size, because a faster response without a write
    /// would reveal who is a member.
    async fn note_refusal(&self, member: Option<&MemberRow>, failing: RecordId) -> Result<()> {
        let mut vars = vars! { failing: failing };
        self.failure(&mut vars);
        let change = Change::new("UPDATE $failing SET failures += 1 RETURN NONE;", vars).then(COUNT_FAILURE);
        self.commit_before_sign_in(change, member, |member| EventBody::SignInRefused { member, again: false }).await
    }

    /// Commits a change together with an event before sign-in: for a member in the log, for an unknown ID in a table with the
    /// same columns, which [`Self::purge`] empties.
    async fn commit_before_sign_in(
        &self,
        change: Change,
        member: Option<&MemberRow>,
        body: fn(MemberId) -> EventBody,
    ) -> Result<()> {
        let clock = self.backend.clock();
        // Nobody is signed in, so the event has no actor.
        if let Some(member) = member {
            let (id, path) = member.id_and_path()?;
            self.backend.transact(change.event(clock, None, &path, body(id))).await?;
            return Ok(());
        }
        let at = clock.now();
        let unit = UnitPath::parse("/0/").map_err(|error| Error::Internal(error.to_string()))?;
        let body = body(MemberId::new(Ulid::nil()));
        debug_assert!(body.detail().is_none(), "a row without a detail would differ from a member's");
        let event = Event { id: EventId::new(clock.ulid_at(at)), at, actor: None, unit, body };
        let mut vars = Variables::new();
        events::bind(&mut vars, "log", &event);
        vars.extend(vars! { log_id: record("stranger", event.id), log_expiry: at + STRANGERS_KEPT_FOR });
        self.backend.transact(change.then(CREATE_STRANGER).bind(vars)).await?;
        // The log has no new event, but the tail is woken as after an event of a member.
        self.backend.events().wake();
        Ok(())
    }

    /// Updates the time the device was last seen. A page makes several requests, which all find the time out of date: the first
    /// one updates it, and the condition makes the others, also those that are retried after a conflict, change nothing.
    async fn mark_seen(&self, session: RecordId, now: DateTime<Utc>) -> Result<()> {
        let vars = vars! { opened: session, now: now, due: now - SEEN_EVERY, expires_at: now + IDLE };
        let sql = "UPDATE $opened SET seen_at = $now, expires_at = $expires_at WHERE seen_at <= $due RETURN NONE";
        match self.backend.transact(Change::new(sql, vars)).await {
            // Concurrent requests of the same device have updated it.
            Ok(_) | Err(StoreError::Busy) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The placeholder id for an unknown person, so that the same look-ups and writes happen.
fn nobody() -> String {
    Ulid::nil().to_string()
}

fn new_token(clock: &Clock) -> String {
    let mut secret = [0; 32];
    clock.fill(&mut secret);
    BASE64_URL_SAFE_NO_PAD.encode(secret)
}

/// [`events::create`] for an unknown ID, of which no event is logged.
const CREATE_STRANGER: &str = "CREATE $log_id SET at = $log_at, kind = $log_kind, unit = $log_unit, subject = $log_subject, \
                               expires_at = $log_expiry RETURN NONE;";

const MEMBER: &str = "SELECT record::id(id) AS id, full_name, standing, state, unit, path";

const ACCOUNT: &str = "SELECT password, failures, locale, text_size, theme";

#[derive(Debug, SurrealValue)]
struct MemberRow {
    id: String,
    full_name: String,
    standing: String,
    state: String,
    unit: String,
    path: String,
}

impl MemberRow {
    /// Member and unit path for an event.
    fn id_and_path(&self) -> Result<(MemberId, UnitPath)> {
        let id = self.id.parse().map_err(|_| self.damaged())?;
        Ok((id, UnitPath::parse(&self.path).map_err(|_| self.damaged())?))
    }

    fn viewer(&self, offices: &[OfficeRow], tree: &Tree, today: NaiveDate) -> Result<Viewer> {
        let (member, _) = self.id_and_path()?;
        // During a merge of units, some rows of members still have the closed branch.
        let unit = tree.successor(&self.unit).filter(|unit| tree.get(unit.id).is_some()).ok_or_else(|| self.damaged())?;
        let offices = offices
            .iter()
            .filter(|office| office.is_held_on(today))
            .map(|office| office.office(tree).ok_or_else(|| self.damaged()))
            .collect::<Result<Vec<_>>>()?;
        let grants = offices.iter().map(|office| Grant { role: office.role, path: office.unit.path.clone() }).collect();
        let standing = Standing::from_key(&self.standing).ok_or_else(|| self.damaged())?;
        // The path from the tree: the member's own row is updated only some time after the move of a unit above.
        let standpoint = Standpoint { branch: unit.path.clone(), standing, grants };
        let branch = tree.home(unit).clone();
        Ok(Viewer { member, name: self.full_name.clone(), branch, standpoint, offices, resting: Vec::new() })
    }

    fn damaged(&self) -> Error {
        Error::Damaged(format!("member {}", self.id))
    }
}

#[derive(Debug, SurrealValue)]
struct AccountRow {
    password: Option<String>,
    /// Consecutive wrong passwords, except those typed on known devices.
    failures: i64,
    locale: String,
    text_size: String,
    theme: String,
}

impl AccountRow {
    fn preferences(&self) -> Result<Preferences> {
        let damaged = || Error::Damaged("the preferences of an account".to_owned());
        Ok(Preferences {
            locale: Locale::from_tag(&self.locale).ok_or_else(damaged)?,
            text_size: TextSize::from_key(&self.text_size).ok_or_else(damaged)?,
            theme: Theme::from_key(&self.theme).ok_or_else(damaged)?,
        })
    }
}

#[derive(Debug, SurrealValue)]
struct OfficeRow {
    role: String,
    unit: String,
    from: String,
    until: Option<String>,
}

impl OfficeRow {
    /// Days are stored as `2026-11-21`, so the text sorts in date order. The last day is inclusive.
    fn is_held_on(&self, today: NaiveDate) -> bool {
        let today = today.to_string();
        self.from <= today && self.until.as_ref().is_none_or(|until| *until >= today)
    }

    fn office(&self, tree: &Tree) -> Option<Office> {
        Some(Office { role: Role::from_key(&self.role)?, unit: tree.get(self.unit.parse().ok()?)?.clone() })
    }
}

#[derive(Debug, SurrealValue)]
struct SessionRow {
    handle: String,
    member: String,
    seen_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    proved_at: Option<DateTime<Utc>>,
}

#[derive(Debug, SurrealValue)]
struct NewSession {
    handle: String,
    member: String,
    device: String,
    created_at: DateTime<Utc>,
    seen_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    proved_at: Option<DateTime<Utc>>,
}
