//! Changing the own password. It ends every other session, activation and paper code, so that the old password gives no more
//! access.

use domain::{
    accounts::{AccountNotice, Password, Viewer},
    events::EventBody,
    forms::FormReader,
};

use super::{
    Accounts, MEMBER, MemberRow, common_passwords, notify,
    proof::{OPEN_RENEWED, STILL_OPEN},
    ways::CLOSE_WAYS,
};
use crate::{
    Error, Result,
    change::Change,
    store::{record, vars},
};

/// The form that changes the password, as typed.
#[derive(Clone, Copy)]
pub struct PasswordForm<'f> {
    pub current: &'f str,
    pub new: &'f str,
}

impl Accounts<'_> {
    /// Changes the password, ends all sessions of the person except that of `token`, and returns a new token for this session.
    ///
    /// # Errors
    /// [`Error::Invalid`] of the form `password`, fields `current_password` and `new_password`; [`Error::NotSignedIn`] when the
    /// session was ended concurrently.
    pub async fn change_password(&self, viewer: &Viewer, token: &str, typed: PasswordForm<'_>) -> Result<String> {
        let member: MemberRow = self.by_id(MEMBER, "member", &viewer.member.to_string()).await?.ok_or(Error::NotSignedIn)?;
        let known = self.known(&member).await?;
        let mut form = FormReader::new("password");
        let current = form.read_secret("current_password", typed.current, Password::attempt);
        let new = form.read_secret("new_password", typed.new, |typed| {
            Password::parse(typed).and_then(|password| common_passwords::refuse_for(password, &known))
        });
        let (Some(current), Some(new)) = (current, new) else {
            return Err(form.finish().err().map_or(Error::NotFound, Error::Invalid));
        };
        if let Some(problem) = self.check_own_password(viewer, &current).await? {
            return Err(form.refused("current_password", problem).into());
        }
        let hash = self.hash_password(&new).await?;
        let (renewed, mut vars) = self.renewal(token).await?;
        vars.extend(vars! {
            account: record("account", viewer.member),
            hash: hash,
            member: viewer.member.to_string(),
        });
        self.ways(&mut vars, &viewer.member.to_string());
        let owner = viewer.member.to_string();
        let (clock, branch) = (self.backend.clock(), &viewer.standpoint.branch);
        let told = notify::tell(&mut vars, clock, &owner, &[AccountNotice::PasswordChanged], None);
        let notify = self.backend.notify(&owner, None, &[AccountNotice::PasswordChanged])?;
        let change = Change::new(STILL_OPEN, vars)
            .then("DELETE session WHERE member = $member RETURN NONE;")
            .then(OPEN_RENEWED)
            .then(CLOSE_WAYS)
            .then(told)
            .jobs(clock, notify)
            .then("UPDATE $account SET password = $hash, failures = 0 RETURN NONE;")
            .event(clock, Some(viewer.member), branch, EventBody::PasswordChanged(viewer.member));
        self.renew(change).await?;
        Ok(renewed)
    }
}
