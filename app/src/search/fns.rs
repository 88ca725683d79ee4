//! The server function of the search.

use domain::search;
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// A page of results; the arguments are the query of the page's address. Unknown filter values are ignored.
#[server(prefix = "/api", endpoint = "search/find", input = GetUrl)]
pub async fn find(
    q: Option<String>,
    what: Option<String>,
    kind: Option<String>,
    level: Option<String>,
    field: Option<String>,
    issuer: Option<String>,
    year: Option<String>,
    after: Option<String>,
) -> Result<search::SearchPage, AppError> {
    use domain::{
        documents::{DocumentField, DocumentKind},
        search::SearchKind,
        units::UnitKind,
    };

    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let query = search::SearchQuery {
                typed: q.unwrap_or_default(),
                what: what.as_deref().and_then(SearchKind::from_key),
                kind: kind.as_deref().and_then(DocumentKind::from_key),
                level: level.as_deref().and_then(UnitKind::from_key),
                field: field.as_deref().and_then(DocumentField::from_key),
                issuer: issuer.and_then(|unit| unit.parse().ok()),
                year: year.and_then(|year| year.parse().ok()),
                after: after.and_then(|place| place.parse().ok()),
            };
            Ok::<_, AppError>(backend()?.search().find(&viewer()?, &query).await?)
        }
        .await,
    )
}
