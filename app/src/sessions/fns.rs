//! Server functions of sessions and the password.

use domain::{accounts::OpenSession, forms::Outcome};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// The devices on which the person is signed in.
#[server(prefix = "/api", endpoint = "account/devices", input = GetUrl)]
pub async fn read_devices() -> Result<Vec<OpenSession>, AppError> {
    use crate::{
        context::request::{backend, token, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.accounts().devices(&viewer()?, &token()?).await?) }.await)
}

/// Ends the session of one of the viewer's devices.
#[server(prefix = "/api", endpoint = "account/revoke_session")]
pub async fn revoke_session(#[server(default)] session: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::known,
        forms::Submitted,
    };

    let form = Submitted::new("devices", &[]);
    let result = async {
        let viewer = viewer()?;
        backend()?.accounts().revoke(&viewer, known(&session)?).await?;
        Ok(Outcome::Done { to: "/devices?revoked=1".to_owned(), reload: true })
    }
    .await;
    form.settle(result).await
}

/// Ends all of the viewer's sessions except this one.
#[server(prefix = "/api", endpoint = "account/revoke_other_sessions")]
pub async fn revoke_other_sessions() -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, token, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("devices", &[]);
    let result = async {
        backend()?.accounts().revoke_others(&viewer()?, &token()?).await?;
        Ok(Outcome::Done { to: "/devices?others_revoked=1".to_owned(), reload: true })
    }
    .await;
    form.settle(result).await
}

#[server(prefix = "/api", endpoint = "account/change_password")]
pub async fn change_password(
    #[server(default)] current_password: String,
    #[server(default)] new_password: String,
) -> Result<Outcome, AppError> {
    use backend::accounts::PasswordForm;

    use crate::{
        context::request::{backend, token, viewer},
        cookies::SESSION,
        forms::Submitted,
    };

    let form = Submitted::new("password", &[]);
    let result = async {
        let typed = PasswordForm { current: &current_password, new: &new_password };
        let renewed = backend()?.accounts().change_password(&viewer()?, &token()?, typed).await?;
        SESSION.give(&renewed)?;
        Ok(Outcome::Done { to: "/devices?changed=1".to_owned(), reload: true })
    }
    .await;
    form.settle(result).await
}

/// Reactivates the viewer's suspended offices and continues at `next`, a path of this site.
#[server(prefix = "/api", endpoint = "account/confirm_password")]
pub async fn confirm_password(#[server(default)] password: String, #[server(default)] next: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, token, viewer},
        cookies::SESSION,
        forms::{Submitted, local},
    };

    let form = Submitted::new("confirm", &[]);
    let result = async {
        let renewed = backend()?.accounts().confirm(&viewer()?, &token()?, &password).await?;
        SESSION.give(&renewed)?;
        Ok(Outcome::Done { to: local(&next), reload: true })
    }
    .await;
    form.settle(result).await
}
