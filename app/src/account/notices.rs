//! Texts of the SMS that notify the owner of an account of changes.

use domain::{Locale, accounts::AccountNotice};

use crate::text;

/// An SMS about an account; a single segment where the alphabet allows it.
pub fn notice_words(l: Locale, notice: AccountNotice) -> String {
    match notice {
        AccountNotice::CodeIssued => text::welcome::sms_code_issued(l),
        AccountNotice::PasswordChanged => text::welcome::sms_password_changed(l),
        AccountNotice::PhoneChanged => text::welcome::sms_phone_changed(l),
        AccountNotice::IdChanged => text::welcome::sms_id_changed(l),
    }
    .to_owned()
}
