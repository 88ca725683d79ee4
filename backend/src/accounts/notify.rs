//! Tells the owner of an account what was done to it, by a short message to the phone on file. The same stands in the log, which the
//! owner reads at the own record, and an open paper code on the first page.

use domain::{Locale, accounts::AccountNotice, members::PhoneNumber};

use super::{ACCOUNT, AccountRow, Accounts};
use crate::{
    Backend, Result,
    store::{SurrealValue, record, vars},
};

/// The text of a notice in a language. The words belong to the pages.
pub type NoticeWords = fn(Locale, AccountNotice) -> String;

impl Accounts<'_> {
    /// Sends a notice in the background. What was done stands, so a failure is the operator's to know.
    pub(super) async fn notify(&self, member: &str, notice: AccountNotice) {
        if let Err(error) = self.backend.notify(member, None, notice).await {
            tracing::error!(%error, "the owner of an account could not be told what was done to it");
        }
    }
}

impl Backend {
    /// Sends a notice to the phone on file, or to the one given; to nobody when there is none, or no account in use.
    pub(crate) async fn notify(&self, member: &str, phone: Option<PhoneNumber>, notice: AccountNotice) -> Result<()> {
        let sql = format!("{ACCOUNT} FROM $account WHERE password != NONE; SELECT phone_cipher FROM $member");
        let vars = vars! { account: record("account", member), member: record("member", member) };
        let mut found = self.store().read(sql, vars).await?;
        let Some(account) = found.row::<AccountRow>(0)? else { return Ok(()) };
        let phone = match phone {
            Some(phone) => Some(phone),
            None => {
                let sealed = found.row::<PhoneRow>(1)?.and_then(|row| row.phone_cipher);
                let digits = sealed.map(|sealed| self.keys().open(member, &sealed)).transpose()?;
                digits.and_then(|digits| PhoneNumber::parse(&digits).ok())
            }
        };
        if let (Some(phone), Some(words)) = (phone, self.notice_words()) {
            self.send_message(phone, words(account.preferences()?.locale, notice));
        }
        Ok(())
    }
}

#[derive(Debug, SurrealValue)]
struct PhoneRow {
    phone_cipher: Option<String>,
}
