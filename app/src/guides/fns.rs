//! Server functions of the guides. The address contains the language, so that a browser never shows a cached response in another
//! language.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::{Guide, GuideSummary};
use crate::error::AppError;

#[server(name = ListGuides, prefix = "/api", endpoint = "guides/list", input = GetUrl)]
pub async fn list(#[server(default)] language: String) -> Result<Vec<GuideSummary>, AppError> {
    use domain::Locale;

    use super::index;
    use crate::error::respond;

    respond(async { Ok::<_, AppError>(index::list(Locale::from_tag(&language).unwrap_or_default())) }.await)
}

#[server(name = ReadGuide, prefix = "/api", endpoint = "guides/read", input = GetUrl)]
pub async fn read(#[server(default)] slug: String, #[server(default)] language: String) -> Result<Guide, AppError> {
    use domain::Locale;

    use super::index;
    use crate::error::{Kind, respond};

    let language = Locale::from_tag(&language).unwrap_or_default();
    respond(async { index::read(&slug, language).ok_or_else(|| AppError::new(Kind::NotFound)) }.await)
}
