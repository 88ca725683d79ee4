//! Choosing a password at the end of an activation, for a new or an existing account.

use domain::{
    accounts::{AccountNotice, Password, Preferences},
    events::EventBody,
    forms::{FormReader, Problem},
};

use super::{
    ACCOUNT, AccountRow, Accounts, MEMBER, MemberRow, SignedIn,
    activation::PaperRow,
    common_passwords::{self, PersonalData},
    notify,
    ways::CLOSE_WAYS,
};
use crate::{
    Error, Result,
    change::Change,
    keys::fingerprint,
    store::{StoreError, SurrealValue, record, vars},
};

/// Thrown when the code of the activation was used concurrently.
const SPENT: &str = "the code was spent";

/// Thrown when the activation has expired or was never proved.
const GONE: &str = "the visit is over";

impl Accounts<'_> {
    /// Sets the password of a member with a proved activation, ends all their sessions and opens one on this device. A new
    /// account gets `preferences`. `device` describes the device.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `choose`, field `password`: [`Problem::TooShort`], [`Problem::CommonPassword`], or
    /// [`Problem::CodeRefused`] when the paper code was used elsewhere concurrently. [`Error::NotLive`] when the unit does not
    /// use the handbook yet; [`Error::NotFound`] when the activation has expired or is not proved.
    pub async fn choose_password(&self, token: &str, password: &str, device: &str, preferences: Preferences) -> Result<SignedIn> {
        let activation = self.activation_row(token).await?.ok_or(Error::NotFound)?;
        let proved = activation.proved.clone().ok_or(Error::NotFound)?;
        let member: MemberRow = self.by_id(MEMBER, "member", &proved).await?.ok_or(Error::NotFound)?;
        if member.state != "active" {
            return Err(Error::NotFound);
        }
        let (actor, path) = member.id_and_path()?;
        if !self.backend.units().tree().phase(&path).is_open() {
            return Err(Error::NotLive { activation: token.to_owned() });
        }

        let known = self.known(&member).await?;
        let mut form = FormReader::new("choose");
        let password = form.read_secret("password", password, |typed| {
            Password::parse(typed).and_then(|password| common_passwords::refuse_for(password, &known))
        });
        let Some(password) = password else { return Err(form.finish().err().map_or(Error::NotFound, Error::Invalid)) };
        let hash = self.hash_password(&password).await?;

        let account: Option<AccountRow> = self.by_id(ACCOUNT, "account", &member.id).await?;
        let is_new = account.as_ref().is_none_or(|account| account.password.is_none());
        let preferences = account.map_or(Ok(preferences), |account| account.preferences())?;
        let holder = self.backend.offices().holder(&member.id).await?;
        let mut office = None;
        if let Some(code) = &activation.paper_code {
            // A role may have been granted since the code was tried.
            let sql = "SELECT record::id(id) AS id, unit, issued_by, issued_from FROM $code";
            let paper: Option<PaperRow> =
                self.backend.store().read(sql, vars! { code: record("paper_code", code) }).await?.row(0)?;
            let Some(paper) = paper.filter(|paper| self.may_open(paper, &holder)) else {
                return Err(form.refused("password", Problem::CodeRefused).into());
            };
            office = paper.issuer().map(str::to_owned);
        }
        let clock = self.backend.clock();
        let mut vars = vars! {
            door: record("door", fingerprint(token)),
            paper: activation.paper_code.map(|code| record("paper_code", code)),
            account: record("account", &member.id),
            owner: member.id.clone(),
            now: clock.now(),
            hash: hash,
            locale: preferences.locale.tag(),
            text_size: preferences.text_size.key(),
            theme: preferences.theme.key(),
        };
        let told =
            if is_new { "" } else { notify::tell(&mut vars, clock, &member.id, &[AccountNotice::PasswordChanged], office) };
        let notify =
            if is_new { Vec::new() } else { self.backend.notify(&member.id, None, &[AccountNotice::PasswordChanged])? };
        self.ways(&mut vars, &member.id);
        let sql = format!(
            "IF array::len((SELECT VALUE id FROM $door WHERE proved = $owner)) = 0 {{ THROW '{GONE}' }};
             DELETE $door RETURN NONE;
             IF $paper != NONE {{
                 LET $spent = (UPDATE $paper SET used_at = $now WHERE used_at = NONE AND revoked_at = NONE RETURN AFTER);
                 IF array::len($spent) = 0 {{ THROW '{SPENT}' }};
             }};
             {CLOSE_WAYS} {told}
             UPSERT $account SET password = $hash, activated_at = activated_at ?? $now, failures = 0, locale = $locale,
                 text_size = $text_size, theme = $theme RETURN NONE;
             DELETE session WHERE member = $owner RETURN NONE;"
        );
        let chosen = if is_new { EventBody::AccountActivated(actor) } else { EventBody::PasswordChanged(actor) };
        let change = holder.hold_still(Change::default(), "holder").then(&sql).bind(vars).jobs(clock, notify);
        let change = change.event(clock, Some(actor), &path, chosen);
        let (change, entered) = self.entering(&member, preferences, device, change).await?;
        match self.backend.transact(change).await {
            Ok(_) => Ok(entered),
            Err(StoreError::Thrown(why)) if why == SPENT => Err(form.refused("password", Problem::CodeRefused).into()),
            Err(StoreError::Thrown(why)) if why == GONE => Err(Error::NotFound),
            // A role was granted or ended concurrently; a retry sees the change.
            Err(StoreError::Thrown(_)) => Err(Error::Busy),
            Err(error) => Err(error.into()),
        }
    }

    /// Personal data of the member that others may know, and that is refused as a password.
    pub(super) async fn known(&self, member: &MemberRow) -> Result<PersonalData> {
        let sql = "SELECT birth_date, id_cipher, phone_cipher FROM $member";
        let found: Option<KnownRow> =
            self.backend.store().read(sql, vars! { member: record("member", &member.id) }).await?.row(0)?;
        let row = found.ok_or(Error::NotFound)?;
        let open = |sealed: Option<String>| sealed.map(|sealed| self.backend.keys().open(&member.id, &sealed)).transpose();
        let numbers = [open(row.id_cipher)?, open(row.phone_cipher)?].into_iter().flatten().collect();
        Ok(PersonalData { full_name: member.full_name.clone(), birth_date: row.birth_date, numbers })
    }
}

#[derive(Debug, SurrealValue)]
struct KnownRow {
    birth_date: String,
    id_cipher: Option<String>,
    phone_cipher: Option<String>,
}
