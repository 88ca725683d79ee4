//! Server functions of the account.

use domain::{
    accounts::{Preferences, Viewer},
    forms::Outcome,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::{error::AppError, frame::Badge};

/// The signed-in person, and their display settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnAccount {
    pub viewer: Viewer,
    pub preferences: Preferences,
}

/// The content of the page with the menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnMenu {
    pub account: OwnAccount,
    /// Pending work at the navigation entries of their offices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub badges: Vec<Badge>,
}

#[server(prefix = "/api", endpoint = "account/own", input = GetUrl)]
pub async fn read_own_account() -> Result<OwnAccount, AppError> {
    use crate::error::respond;

    // Server functions must be async, so the ready value is wrapped.
    respond(std::future::ready(own_account()).await)
}

#[server(prefix = "/api", endpoint = "account/menu", input = GetUrl)]
pub async fn read_own_menu() -> Result<OwnMenu, AppError> {
    use crate::{context::request::pending, error::respond, frame::badges};

    let result = async {
        let account = own_account()?;
        let badges = badges(account.preferences.locale, &pending(&account.viewer).await?);
        Ok::<_, AppError>(OwnMenu { account, badges })
    };
    respond(result.await)
}

#[cfg(feature = "ssr")]
fn own_account() -> Result<OwnAccount, AppError> {
    use crate::context::request::{request_context, viewer};

    let preferences = request_context().map(|context| context.page.preferences).unwrap_or_default();
    Ok(OwnAccount { viewer: viewer()?, preferences })
}

/// Opens a session on this device and continues at `next`, a path of this site.
#[server(prefix = "/api", endpoint = "account/sign_in")]
pub async fn sign_in(
    #[server(default)] national_id: String,
    #[server(default)] password: String,
    #[server(default)] next: String,
) -> Result<Outcome, AppError> {
    use backend::accounts::SignInForm;

    use crate::{
        context::request::{backend, request_context},
        cookies::{ACTIVATION, DEVICE, SESSION},
        forms::{Submitted, local},
    };

    let form = Submitted::new("sign_in", &[("national_id", &national_id)]);
    let result = async {
        let context = request_context().unwrap_or_default();
        let typed = SignInForm { national_id: &national_id, password: &password, device: &context.device };
        let signed_in = match backend()?.accounts().at(context.origin()).sign_in(typed).await {
            Ok(signed_in) => signed_in,
            Err(backend::Error::NotLive { activation }) => {
                ACTIVATION.give(&activation)?;
                return Ok(Outcome::Done { to: "/welcome/later".to_owned(), reload: false });
            }
            Err(error) => return Err(error.into()),
        };
        SESSION.give(&signed_in.token)?;
        DEVICE.give(&signed_in.device)?;
        Ok(Outcome::Done { to: local(&next), reload: true })
    }
    .await;
    form.settle(result).await
}

/// Ends the session of this device. Idempotent.
#[server(prefix = "/api", endpoint = "account/sign_out")]
pub async fn sign_out() -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, request_context},
        cookies::SESSION,
        forms::Submitted,
    };

    let form = Submitted::new("sign_out", &[]);
    let result = async {
        if let Some(token) = request_context().and_then(|context| context.token) {
            backend()?.accounts().sign_out(&token).await?;
        }
        SESSION.take_back()?;
        Ok(Outcome::Done { to: "/sign-in".to_owned(), reload: true })
    }
    .await;
    form.settle(result).await
}

/// Saves language, text size and theme; settings missing in the form are kept.
#[server(prefix = "/api", endpoint = "account/save_preferences")]
pub async fn save_preferences(
    #[server(default)] locale: String,
    #[server(default)] text_size: String,
    #[server(default)] theme: String,
) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, request_context, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("preferences", &[("locale", &locale), ("text_size", &text_size), ("theme", &theme)]);
    let result = async {
        let now = request_context().map(|context| context.page.preferences).unwrap_or_default();
        let said = |typed: &str, now: &'static str| if typed.is_empty() { now.to_owned() } else { typed.to_owned() };
        let locale = said(&locale, now.locale.tag());
        let (text_size, theme) = (said(&text_size, now.text_size.key()), said(&theme, now.theme.key()));
        backend()?.accounts().save_preferences(&viewer()?, &locale, &text_size, &theme).await?;
        Ok(Outcome::Done { to: "/more?saved=1".to_owned(), reload: true })
    }
    .await;
    form.settle(result).await
}

/// Sets the text size from a document's page. Redirects to `next`, a path of this site.
#[server(prefix = "/api", endpoint = "account/set_text_size")]
pub async fn set_text_size(#[server(default)] text_size: String, #[server(default)] next: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, request_context, viewer},
        forms::{Submitted, local},
    };

    let form = Submitted::new("text_size", &[]);
    let result = async {
        let Preferences { locale, theme, .. } = request_context().map(|context| context.page.preferences).unwrap_or_default();
        backend()?.accounts().save_preferences(&viewer()?, locale.tag(), &text_size, theme.key()).await?;
        Ok(Outcome::Done { to: local(&next), reload: true })
    };
    form.settle(result.await).await
}
