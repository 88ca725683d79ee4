//! Server functions of the library.

use domain::documents;
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// A page of the library; the arguments are those of the page's address.
#[server(prefix = "/api", endpoint = "documents/library", input = GetUrl)]
pub async fn library(
    kind: Option<String>,
    level: Option<String>,
    after: Option<String>,
) -> Result<documents::LibraryPage, AppError> {
    use domain::units::UnitKind;

    use crate::{
        context::server::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let viewer = viewer()?;
            let query = documents::LibraryQuery {
                kind: known(kind, documents::DocumentKind::from_key)?,
                level: known(level, UnitKind::from_key)?,
                after: known(after, |id| id.parse().ok())?,
            };
            Ok::<_, AppError>(backend()?.documents().shelf(&viewer, &query).await?)
        }
        .await,
    )
}

/// A document to read. The use-case remembers the first time.
#[server(prefix = "/api", endpoint = "documents/read", input = GetUrl)]
pub async fn read(id: String) -> Result<documents::DocumentPage, AppError> {
    use crate::{
        context::server::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let viewer = viewer()?;
            Ok::<_, AppError>(backend()?.documents().read(&viewer, document_id(&id)?).await?)
        }
        .await,
    )
}

#[cfg(feature = "ssr")]
use server::{document_id, known};

#[cfg(feature = "ssr")]
pub(super) mod server {
    use domain::ids::DocumentId;

    use crate::error::{AppError, Kind};

    pub(crate) fn document_id(text: &str) -> Result<DocumentId, AppError> {
        text.parse().map_err(|_| AppError::new(Kind::NotFound))
    }

    /// A part of an address that may be missing but must not be something we never wrote there.
    pub(crate) fn known<T>(text: Option<String>, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, AppError> {
        match text.filter(|text| !text.is_empty()) {
            Some(text) => parse(&text).map(Some).ok_or_else(|| AppError::new(Kind::NotFound)),
            None => Ok(None),
        }
    }
}
