//! Server functions of the activation.

use domain::{accounts::codes::ActivationView, forms::Outcome};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// The progress of this device's activation.
#[server(prefix = "/api", endpoint = "account/door", input = GetUrl)]
pub async fn read_activation() -> Result<ActivationView, AppError> {
    use crate::{
        context::request::{backend, request_context},
        error::respond,
    };

    let result = async {
        let token = request_context().and_then(|context| context.activation).unwrap_or_default();
        Ok::<_, AppError>(backend()?.accounts().activation(&token).await?)
    };
    respond(result.await)
}

/// Starts an activation. `code` comes from a paper card's QR code, and is tried immediately.
#[server(prefix = "/api", endpoint = "account/welcome")]
pub async fn begin(#[server(default)] national_id: String, #[server(default)] code: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, request_context},
        cookies::ACTIVATION,
        forms::Submitted,
    };

    let form = Submitted::new("welcome", &[("national_id", &national_id), ("code", &code)]);
    let result = async {
        let backend = backend()?;
        let accounts = backend.accounts().at(request_context().unwrap_or_default().origin());
        let token = accounts.begin_activation(&national_id).await?;
        if code.trim().is_empty() {
            ACTIVATION.give(&token)?;
            return Ok(server::to("/welcome/way"));
        }
        accounts.try_code(&token, &code).await?;
        ACTIVATION.give(&token)?;
        Ok(server::onward(&accounts.activation(&token).await?))
    }
    .await;
    form.settle(result).await
}

/// Chooses how to prove the identity; for SMS a code is sent.
#[server(prefix = "/api", endpoint = "account/way")]
pub async fn choose_way(#[server(default)] way: String) -> Result<Outcome, AppError> {
    use domain::forms::{FormReader, Problem};

    use crate::{context::request::request_context, forms::Submitted, text};

    let form = Submitted::new("way", &[("way", &way)]);
    let result = async {
        match way.as_str() {
            "sms" => {
                let l = request_context().map(|context| context.page.preferences.locale).unwrap_or_default();
                server::in_activation(async |accounts, token| {
                    accounts.send_code(token, |code| text::welcome::sms(l, code)).await?;
                    // The form may be on the target page itself: only a reload shows that another code was sent.
                    Ok(Outcome::Done { to: "/welcome/code?way=sms".to_owned(), reload: true })
                })
                .await
            }
            "paper" => Ok(server::to("/welcome/code?way=paper")),
            "phone" => Ok(server::to("/welcome/phone")),
            _ => {
                let problem = if way.is_empty() { Problem::Required } else { Problem::NotOffered };
                Ok(Outcome::Invalid(FormReader::new("way").refused("way", problem)))
            }
        }
    }
    .await;
    form.settle(result).await
}

/// Tries a code from an SMS or from paper.
#[server(prefix = "/api", endpoint = "account/code")]
pub async fn try_code(#[server(default)] code: String) -> Result<Outcome, AppError> {
    use crate::forms::Submitted;

    let form = Submitted::new("code", &[("code", &code)]);
    let result = server::in_activation(async |accounts, token| {
        accounts.try_code(token, &code).await?;
        Ok(server::onward(&accounts.activation(token).await?))
    })
    .await;
    form.settle(result).await
}

/// Sets the password of a person whose identity is proved, and signs them in.
#[server(prefix = "/api", endpoint = "account/choose_password")]
pub async fn choose_password(#[server(default)] password: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::request_context,
        cookies::{ACTIVATION, DEVICE, SESSION},
        forms::Submitted,
    };

    let form = Submitted::new("choose", &[]);
    let result = server::in_activation(async |accounts, token| {
        let context = request_context().unwrap_or_default();
        let chosen = accounts.choose_password(token, &password, &context.device, context.page.preferences).await;
        let signed_in = match chosen {
            Ok(signed_in) => signed_in,
            Err(backend::Error::NotLive { .. }) => return Ok(server::to("/welcome/later")),
            Err(error) => return Err(error.into()),
        };
        SESSION.give(&signed_in.token)?;
        DEVICE.give(&signed_in.device)?;
        ACTIVATION.take_back()?;
        Ok(Outcome::Done { to: "/".to_owned(), reload: true })
    })
    .await;
    form.settle(result).await
}

#[cfg(feature = "ssr")]
mod server {
    use backend::accounts::Accounts;
    use domain::{accounts::codes::ActivationView, forms::Outcome};

    use crate::{
        context::request::{backend, request_context},
        error::{AppError, Kind},
    };

    pub(super) fn to(page: &str) -> Outcome {
        Outcome::Done { to: page.to_owned(), reload: false }
    }

    /// The next page after the proof.
    pub(super) fn onward(activation: &ActivationView) -> Outcome {
        to(if activation.later.is_some() { "/welcome/later" } else { "/welcome/password" })
    }

    /// Runs a step of this device's activation; redirects to the start when it has expired.
    pub(super) async fn in_activation<'f, F>(take: F) -> Result<Outcome, AppError>
    where
        F: AsyncFnOnce(&Accounts<'_>, &str) -> Result<Outcome, AppError> + 'f,
    {
        let context = request_context().unwrap_or_default();
        let Some(token) = &context.activation else { return Ok(to("/welcome?over=1")) };
        let backend = backend()?;
        match take(&backend.accounts().at(context.origin()), token).await {
            Err(error) if error.kind == Kind::NotFound => Ok(to("/welcome?over=1")),
            answer => answer,
        }
    }
}
