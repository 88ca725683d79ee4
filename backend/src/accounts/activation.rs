//! Activation of an account, at the first sign-in or after a forgotten password: the person proves their identity by a code.
//!
//! Invariant: until an activation is proved, responses and writes are the same for every ID: of a member or not, with or without
//! an account, a phone or a live unit. A job sends the message and is enqueued for unknown IDs too, so response times reveal
//! nothing either.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    accounts::codes::{ActivationView, Later, TypedCode},
    events::EventBody,
    forms::{FormReader, Problem},
    members::{NationalId, PhoneNumber},
};

use super::{
    Accounts, MemberRow, codes,
    limits::{COUNT_FAILURE, Scope},
    new_token, nobody,
};
use crate::{
    Error, Result,
    change::Change,
    keys::fingerprint,
    offices::Holder,
    quota::{self, Quotas},
    store::{StoreError, SurrealValue, record, vars},
};

/// Time limit of an activation, from the ID to the new password.
const ACTIVATION_TIME: TimeDelta = TimeDelta::minutes(30);

/// Validity of a code sent by SMS.
const SMS_CODE: TimeDelta = TimeDelta::minutes(10);

/// Wrong codes after which the sent code becomes invalid.
const SMS_TRIES: i64 = 5;

/// Most activations per half hour of one network. On the first day of a roll-out a whole town may share one address of a mobile
/// network.
const NETWORK_ACTIVATIONS: i64 = 3_000;

/// Most activations per half hour in total.
const ALL_ACTIVATIONS: i64 = 400_000;

/// An open activation.
#[derive(Debug, SurrealValue)]
pub(super) struct ActivationRow {
    pub(super) id_hash: String,
    code_hash: Option<String>,
    code_until: Option<DateTime<Utc>>,
    failures: i64,
    pub(super) proved: Option<String>,
    pub(super) paper_code: Option<String>,
    expires_at: DateTime<Utc>,
}

impl ActivationRow {
    /// Whether this is the sent code, which has not expired or had too many wrong tries.
    fn was_sent(&self, hash: &str, now: DateTime<Utc>) -> bool {
        self.code_hash.as_deref() == Some(hash) && self.code_until.is_some_and(|until| until > now) && self.failures < SMS_TRIES
    }
}

impl Accounts<'_> {
    /// Starts an activation for this national ID and returns its secret: 256 bits, base64url.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `welcome`, field `national_id`: for an invalid ID, or [`Problem::TooManyTries`] when too
    /// many activations were started from one network or in total.
    pub async fn begin_activation(&self, national_id: &str) -> Result<String> {
        let mut form = FormReader::new("welcome");
        let national_id = form.read("national_id", national_id, NationalId::parse);
        let Some(national_id) = national_id else { return Err(form.finish().err().map_or(Error::NotFound, Error::Invalid)) };
        match self.insert_activation(&self.backend.keys().lookup("id", national_id.expose()), None).await {
            Err(error) if quota::is_used_up(&error) => {
                let problem = Problem::TooManyTries { minutes: quota::minutes() };
                Err(FormReader::new("welcome").refused("national_id", problem).into())
            }
            opened => Ok(opened?),
        }
    }

    /// The state of an activation. An unknown activation is reported like an expired one.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub async fn activation(&self, token: &str) -> Result<ActivationView> {
        let Some(activation) = self.activation_row(token).await? else { return Ok(ActivationView::default()) };
        let later = match &activation.proved {
            Some(member) => self.later(member).await?,
            None => None,
        };
        Ok(ActivationView { is_open: true, is_proved: activation.proved.is_some(), later })
    }

    /// Enqueues a message with a code to the phone on record, if there is one; `words` creates the text from the code. A message
    /// that expires before it can be sent is dropped.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `way`: [`Problem::TooManyTries`] on `way` after three in an hour. [`Error::NotFound`] when
    /// the activation has expired.
    pub async fn send_code(&self, token: &str, words: impl FnOnce(&str) -> String) -> Result<()> {
        let form = FormReader::new("way");
        let activation = self.activation_row(token).await?.ok_or(Error::NotFound)?;
        let member = self.holder(&activation.id_hash).await?;
        let phone = self.phone(member.as_ref()).await?;
        if let Err(problem) = self.take_try(Scope::Sms, &activation.id_hash, None).await? {
            return Err(form.refused("way", problem).into());
        }
        let clock = self.backend.clock();
        let (code, until) = (codes::digits(clock), clock.now() + SMS_CODE);
        let vars = vars! {
            door: record("door", fingerprint(token)),
            hash: self.sms_hash(token, &code),
            until: until,
        };
        // For an unknown ID a job of the same size is enqueued and run.
        let message = self.backend.sms(clock.ulid().to_string(), phone.as_ref(), words(&code), Some(until))?;
        let sql = "UPDATE $door SET code_hash = $hash, code_until = $until, failures = 0 RETURN NONE;";
        let change = Change::new(sql, vars).jobs(clock, vec![message]);
        // A member without a phone is logged like an unknown ID: no code was sent.
        let told = member.as_ref().filter(|_| phone.is_some());
        self.commit_before_sign_in(change, told, EventBody::SignInCodeSent).await
    }

    /// Tries an SMS code or a paper code. Afterwards [`Self::activation`] returns the next step.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `code`, field `code`: [`Problem::CodeRefused`] for any reason, [`Problem::TooManyTries`].
    /// [`Error::NotFound`] when the activation has expired.
    pub async fn try_code(&self, token: &str, typed: &str) -> Result<()> {
        let mut form = FormReader::new("code");
        let code = form.read_secret("code", typed, TypedCode::parse);
        let Some(code) = code else { return Err(form.finish().err().map_or(Error::NotFound, Error::Invalid)) };
        let activation = self.activation_row(token).await?.ok_or(Error::NotFound)?;
        let member = self.holder(&activation.id_hash).await?;
        let owner = member.as_ref().map_or_else(nobody, |member| member.id.clone());
        let device = self.known_device(&owner).await?;
        let attempt =
            match self.take_try(Scope::Code, &activation.id_hash, device.as_ref().map(|device| device.name.as_str())).await? {
                Ok(attempt) => attempt,
                Err(problem) => return Err(form.refused("code", problem).into()),
            };
        // Both kinds are looked up, whatever was typed.
        let paper = self.open_paper_code(&owner, code.expose()).await?;
        let paper = match paper {
            Some(paper) if self.may_open(&paper, &self.backend.offices().holder(&owner).await?) => Some(paper.id),
            _ => None,
        };
        let was_sent = activation.was_sent(&self.sms_hash(token, code.expose()), self.backend.clock().now());
        let opens = was_sent || paper.is_some();
        let Some(member) = member.filter(|_| opens) else {
            let mut vars = vars! { door: record("door", fingerprint(token)) };
            self.failure(&mut vars);
            let change = Change::new("UPDATE $door SET failures += 1 RETURN NONE;", vars).then(COUNT_FAILURE);
            self.backend.transact(change).await?;
            return Err(form.refused("code", Problem::CodeRefused).into());
        };
        let vars = vars! {
            door: record("door", fingerprint(token)),
            member: member.id.clone(),
            // A paper code is used up when the password is chosen, so it can be typed again after an interruption.
            paper: paper,
        };
        let sql = "UPDATE $door SET proved = $member, paper_code = $paper, code_hash = NONE, code_until = NONE RETURN NONE;";
        self.backend.transact(attempt.forgotten().then(sql).bind(vars)).await?;
        Ok(())
    }

    /// Creates an activation, already proved when `member` is given, and returns its secret.
    pub(super) async fn insert_activation(&self, id_hash: &str, member: Option<&str>) -> Result<String, StoreError> {
        let clock = self.backend.clock();
        let token = new_token(clock);
        let row = ActivationRow {
            id_hash: id_hash.to_owned(),
            code_hash: None,
            code_until: None,
            failures: 0,
            proved: member.map(str::to_owned),
            paper_code: None,
            expires_at: clock.now() + ACTIVATION_TIME,
        };
        let mut vars = vars! { door: record("door", fingerprint(&token)), row: row };
        // Activations of people who have already proved their identity are counted elsewhere.
        let quotas = Quotas::new(self.backend, "visits", 1);
        match member {
            Some(_) => quotas,
            None => quotas.of_network(self.origin.address, NETWORK_ACTIVATIONS).of_all(ALL_ACTIVATIONS),
        }
        .bind(&mut vars);
        let change = Change::new(quota::TAKE, vars).then("CREATE $door CONTENT $row RETURN NONE;");
        self.backend.transact(change).await?;
        Ok(token)
    }

    pub(super) async fn activation_row(&self, token: &str) -> Result<Option<ActivationRow>> {
        let sql = "SELECT id_hash, code_hash, code_until, failures, proved, paper_code, expires_at FROM $door";
        let vars = vars! { door: record("door", fingerprint(token)) };
        let found: Option<ActivationRow> = self.backend.store().read(sql, vars).await?.row(0)?;
        Ok(found.filter(|activation| activation.expires_at > self.backend.clock().now()))
    }

    /// Details for a member whose unit is not live yet; none if it is.
    async fn later(&self, member: &str) -> Result<Option<Later>> {
        let found: Option<MemberRow> = self.by_id(super::MEMBER, "member", member).await?;
        let (_, path) = found.ok_or_else(|| Error::Damaged(format!("member {member}")))?.id_and_path()?;
        let tree = self.backend.units().tree();
        let opening = tree.opening(&path);
        let unit = tree.at(&path).map(|unit| unit.name.clone()).unwrap_or_default();
        let later = Later { unit, live_from: opening.live_from, contact: opening.contact };
        Ok((!opening.phase.is_open()).then_some(later))
    }

    /// The phone number on record. The look-up also runs for an unknown ID.
    async fn phone(&self, member: Option<&MemberRow>) -> Result<Option<PhoneNumber>> {
        let owner = member.map_or_else(nobody, |member| member.id.clone());
        let vars = vars! { member: record("member", &owner) };
        let found: Option<PhoneRow> = self.backend.store().read("SELECT phone_cipher FROM $member", vars).await?.row(0)?;
        let Some(sealed) = found.and_then(|row| row.phone_cipher) else { return Ok(None) };
        let digits = self.backend.keys().open(&owner, &sealed)?;
        // An invalid number gets no message; the registry reports it as a quality issue.
        Ok(PhoneNumber::parse(&digits).ok())
    }

    /// The keyed hash of an SMS code, bound to its activation, so that it is invalid in another browser.
    fn sms_hash(&self, token: &str, code: &str) -> String {
        self.backend.keys().lookup("sms code", &format!("{} {code}", fingerprint(token)))
    }

    /// Whether a code may activate the account of `holder`: a code issued from a unit may not activate an account with a role
    /// above or outside that unit, whenever the role was granted. A code issued from a closed unit may only activate accounts
    /// without roles, because neither the unit nor its successor inherits the right.
    pub(super) fn may_open(&self, code: &PaperRow, holder: &Holder) -> bool {
        // Issued on the command line: the operator already has full access to the data.
        let Some(issuer) = code.issuer() else { return true };
        match self.backend.units().tree().named(issuer) {
            Some(unit) => holder.is_within(&unit.path),
            None => !holder.holds_any(),
        }
    }

    /// A valid paper code of `owner`.
    async fn open_paper_code(&self, owner: &str, code: &str) -> Result<Option<PaperRow>> {
        let sql = "SELECT record::id(id) AS id, unit, issued_by, issued_from FROM paper_code WHERE member = $member AND code_hash = $hash AND used_at = NONE \
                   AND revoked_at = NONE AND expires_at > $now LIMIT 1";
        let vars = vars! {
            member: owner.to_owned(),
            hash: codes::paper_hash(self.backend.keys(), owner, code),
            now: self.backend.clock().now(),
        };
        Ok(self.backend.store().read(sql, vars).await?.row(0)?)
    }
}

/// The issuer of a paper code and the unit it was issued from.
#[derive(Debug, SurrealValue)]
pub(super) struct PaperRow {
    id: String,
    unit: String,
    issued_by: Option<String>,
    issued_from: Option<String>,
}

impl PaperRow {
    /// The unit it was issued from; none for the command line.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.issued_from.as_deref().or_else(|| self.issued_by.as_ref().map(|_| self.unit.as_str()))
    }
}

#[derive(Debug, SurrealValue)]
struct PhoneRow {
    phone_cipher: Option<String>,
}
