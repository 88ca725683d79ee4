//! Notifies the owner of an account of changes to it: on the first page until they have opened their own record, and by a short
//! message to the phone on record, which a job creates. The log, which the owner can read, has the same changes. An open paper
//! code is shown on the first page separately.

use chrono::{DateTime, Utc};
use domain::{
    Locale,
    accounts::{AccountChange, AccountNotice},
    members::PhoneNumber,
};
use serde::{Deserialize, Serialize};

use super::{ACCOUNT, AccountRow};
use crate::{
    Backend, Clock, Error, Result,
    change::Change,
    jobs::{
        JobKind, NewJob, Outcome,
        lease::{LeasedJob, is_lost},
    },
    store::{RecordId, SurrealValue, Variables, pair, record, vars},
};

/// Returns the text of a notice in a language. The texts are defined with the pages.
pub type NoticeWords = fn(Locale, AccountNotice) -> String;

/// The statement that puts notices on the first page of an account's owner, for the transaction of the change. Adds its bindings
/// to `vars`. `office` is the id of the unit that made the change. It has no effect for an account that is not activated.
pub(crate) fn tell(
    vars: &mut Variables,
    clock: &Clock,
    owner: &str,
    notices: &[AccountNotice],
    office: Option<String>,
) -> &'static str {
    let told: Vec<RecordId> = notices.iter().map(|notice| pair("account_change", owner, notice.key())).collect();
    vars.extend(vars! { told_account: record("account", owner), told: told, told_at: clock.now(), told_office: office });
    TELL
}

const TELL: &str = "IF (SELECT VALUE activated_at FROM ONLY $told_account) != NONE { \
                        FOR $change IN $told { \
                            UPSERT $change SET kind = record::id($change)[1], at = $told_at, office = $told_office RETURN NONE \
                        } \
                    };";

/// The payload of a job of [`JobKind::NotifyOwner`].
#[derive(Serialize, Deserialize)]
struct Notice {
    member: String,
    /// Key of an [`AccountNotice`].
    kind: String,
    /// The number to notify; none for the number on record.
    phone: Option<String>,
}

impl Backend {
    /// The jobs that notify the owner of an account by short message, for the transaction of the change. They send nothing when
    /// the account is not activated by then or has no phone. `phone` is the number to notify instead of the one on record.
    ///
    /// # Errors
    /// [`Error::Internal`] when they cannot be sealed.
    pub(crate) fn notify(&self, member: &str, phone: Option<&PhoneNumber>, notices: &[AccountNotice]) -> Result<Vec<NewJob>> {
        let job = |notice: &AccountNotice| {
            let phone = phone.map(|phone| phone.expose().to_owned());
            let notice = Notice { member: member.to_owned(), kind: notice.key().to_owned(), phone };
            NewJob::now(self.keys(), self.clock(), JobKind::NotifyOwner, self.clock().ulid().to_string(), &notice)
        };
        notices.iter().map(job).collect()
    }

    /// Runs a job created by [`Self::notify`]. Enqueues the message and ends the job in one transaction, so there is exactly one
    /// message.
    pub(crate) async fn make_notice(&self, job: &LeasedJob) -> Result<Outcome> {
        let told: Notice = job.payload(self.keys())?;
        let notice = AccountNotice::from_key(&told.kind);
        let notice = notice.ok_or_else(|| Error::Damaged(format!("the payload of the job {job}")))?;
        let sql = format!("{ACCOUNT} FROM $account WHERE password != NONE; SELECT phone_cipher FROM $member");
        let vars = vars! { account: record("account", &told.member), member: record("member", &told.member) };
        let mut found = self.store().read(sql, vars).await?;
        let Some(account) = found.row::<AccountRow>(0)? else { return Ok(Outcome::Done) };
        let digits = match told.phone {
            Some(digits) => Some(digits),
            None => {
                let sealed = found.row::<PhoneRow>(1)?.and_then(|row| row.phone_cipher);
                sealed.map(|sealed| self.keys().open(&told.member, &sealed)).transpose()?
            }
        };
        let phone = digits.and_then(|digits| PhoneNumber::parse(&digits).ok());
        let (Some(phone), Some(words)) = (phone, self.notice_words()) else { return Ok(Outcome::Done) };
        let text = words(account.preferences()?.locale, notice);
        let mut vars = Variables::new();
        let end = job.end(&mut vars, None);
        let message = self.sms(job.key().to_owned(), Some(&phone), text, None)?;
        match self.transact(Change::new(end, vars).jobs(self.clock(), vec![message])).await {
            Ok(_) => Ok(Outcome::Ended),
            Err(error) if is_lost(&error) => Ok(Outcome::Lost),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes of an account that its owner has not seen, the newest first.
    pub(crate) async fn account_changes(&self, member: &str) -> Result<Vec<AccountChange>> {
        let sql = "SELECT kind, at, office FROM $changes ORDER BY at DESC";
        let rows: Vec<ChangeRow> = self.store().read(sql, vars! { changes: changes_of(member) }).await?.rows(0)?;
        let tree = self.units().tree();
        let decode = |row: ChangeRow| -> Result<AccountChange> {
            let damaged = || Error::Damaged(format!("a change of the account {member}"));
            let office = row.office.as_deref().and_then(|unit| tree.named(unit)).map(|unit| unit.name.clone());
            Ok(AccountChange { notice: AccountNotice::from_key(&row.kind).ok_or_else(damaged)?, at: row.at, office })
        };
        rows.into_iter().map(decode).collect()
    }

    /// Marks these changes as seen by the owner. Later changes are shown again.
    pub(crate) async fn note_changes_seen(&self, member: &str, seen: &[AccountChange]) -> Result<()> {
        let Some(newest) = seen.iter().map(|change| change.at).max() else { return Ok(()) };
        let vars = vars! { changes: changes_of(member), newest: newest };
        self.transact(Change::new("DELETE $changes WHERE at <= $newest RETURN NONE;", vars)).await?;
        Ok(())
    }
}

/// The ids of all possible rows of an account.
pub(crate) fn changes_of(member: &str) -> Vec<RecordId> {
    AccountNotice::CHANGES.iter().map(|notice| pair("account_change", member, notice.key())).collect()
}

#[derive(Debug, SurrealValue)]
struct ChangeRow {
    kind: String,
    at: DateTime<Utc>,
    office: Option<String>,
}

#[derive(Debug, SurrealValue)]
struct PhoneRow {
    phone_cipher: Option<String>,
}
