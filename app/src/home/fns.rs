//! Server functions of the first page.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::{error::AppError, frame::Badge};

#[server(prefix = "/api", endpoint = "home/page", input = GetUrl)]
pub async fn home_page() -> Result<domain::home::HomePage, AppError> {
    use crate::{
        context::request::{backend, pending, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let pending = pending(&viewer).await?;
        Ok::<_, AppError>(backend()?.home().page_with(&viewer, pending).await?)
    };
    respond(result.await)
}

/// The badges of the navigation, for `scripts/places.js`.
#[server(prefix = "/api", endpoint = "home/badges", input = GetUrl)]
pub async fn home_badges() -> Result<Vec<Badge>, AppError> {
    use crate::{
        context::request::{backend, request_context, viewer},
        error::respond,
        frame::badges,
    };

    let result = async {
        let pending = backend()?.home().pending(&viewer()?).await?;
        let locale = request_context().map(|context| context.page.preferences.locale).unwrap_or_default();
        Ok::<_, AppError>(badges(locale, &pending))
    };
    respond(result.await)
}
