//! Server functions of the first page.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

#[server(prefix = "/api", endpoint = "home/page", input = GetUrl)]
pub async fn home_page() -> Result<domain::home::HomePage, AppError> {
    use crate::{
        context::server::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.home().page(&viewer()?).await?) }.await)
}
