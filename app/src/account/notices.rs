//! The words of the messages that tell the owner of an account what was done to it.

use domain::{Locale, accounts::AccountNotice};

use crate::text;

/// A short message about an account; of one part where the alphabet allows.
pub fn notice_words(l: Locale, notice: AccountNotice) -> String {
    match notice {
        AccountNotice::CodeIssued => text::welcome::sms_code_issued(l),
        AccountNotice::PasswordChanged => text::welcome::sms_password_changed(l),
        AccountNotice::PhoneChanged => text::welcome::sms_phone_changed(l),
        AccountNotice::IdChanged => text::welcome::sms_id_changed(l),
    }
    .to_owned()
}
