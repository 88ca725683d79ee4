//! Server functions of the library: its pages, and a member's reading state.

use domain::forms::Outcome;
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::{error::AppError, rendered::Rendered};

/// A page of the library; the arguments are the query of the page's address.
#[server(prefix = "/api", endpoint = "documents/library", input = GetUrl)]
pub async fn library(
    kind: Option<String>,
    level: Option<String>,
    field: Option<String>,
    unit: Option<String>,
    year: Option<String>,
    after: Option<String>,
) -> Result<Rendered, AppError> {
    use domain::{
        documents::{DocumentField, DocumentKind, LibraryQuery},
        units::UnitKind,
    };

    use super::library_view::library_view;
    use crate::{
        context::request::{backend, viewer},
        error::respond,
        text,
    };

    respond(
        async {
            let (viewer, l) = (viewer()?, asked_language());
            let query = LibraryQuery {
                kind: known_part(kind, DocumentKind::from_key)?,
                level: known_part(level, UnitKind::from_key)?,
                field: known_part(field, DocumentField::from_key)?,
                unit: known_part(unit, |id| id.parse().ok())?,
                year: known_part(year, |year| year.parse().ok())?,
                after: known_part(after, |id| id.parse().ok())?,
            };
            let page = backend()?.documents().list(&viewer, &query).await?;
            Ok::<_, AppError>(Rendered::of(text::frame::library(l), || library_view(l, page, &query)))
        }
        .await,
    )
}

/// A document to read. The use-case records the opening, except for a look on behalf of an office.
#[server(prefix = "/api", endpoint = "documents/read", input = GetUrl)]
pub async fn read(id: String, look: Option<String>) -> Result<Rendered, AppError> {
    use super::read_view::{document_view, withdrawn_view};
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let (viewer, l) = (viewer()?, asked_language());
            let (backend, id) = (backend()?, document_id(&id)?);
            let documents = backend.documents();
            let found =
                if look.is_some() { documents.read_without_trace(&viewer, id).await } else { documents.read(&viewer, id).await };
            match found {
                Ok(page) => {
                    let (title, address) = (page.summary.title.clone(), public_address(&format!("/library/{id}")));
                    let (today, branch) = (backend.clock().today(), &viewer.branch);
                    Ok(Rendered::of(title, || document_view(l, page, today, address, branch)))
                }
                Err(backend::Error::NotFound) => {
                    let page = backend.documents().withdrawn(&viewer, id).await?;
                    Ok(Rendered::of(page.summary.title.clone(), || withdrawn_view(l, page)))
                }
                Err(error) => Err(AppError::from(error)),
            }
        }
        .await,
    )
}

/// A page of one of the viewer's personal lists.
#[server(prefix = "/api", endpoint = "documents/shelf", input = GetUrl)]
pub async fn read_personal_list(list: String, after: Option<String>) -> Result<domain::documents::PersonalListPage, AppError> {
    use domain::documents::PersonalList;

    use crate::{
        context::request::{backend, viewer},
        error::{Kind, respond},
    };

    respond(
        async {
            let viewer = viewer()?;
            let list = PersonalList::from_key(&list).ok_or_else(|| AppError::new(Kind::NotFound))?;
            let after = known_part(after, |key| key.parse().ok())?;
            Ok::<_, AppError>(backend()?.documents().personal(&viewer, list, after).await?)
        }
        .await,
    )
}

/// Stores the viewer's reading position. Sent by the page's script.
#[server(prefix = "/api", endpoint = "documents/progress")]
pub async fn progress(id: String, #[server(default)] heading: String, part: u16) -> Result<(), AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let viewer = viewer()?;
            Ok::<_, AppError>(backend()?.documents().note_progress(&viewer, document_id(&id)?, &heading, part).await?)
        }
        .await,
    )
}

/// Records that the viewer has read a document: by their own statement, or as observed by the page's script.
#[server(prefix = "/api", endpoint = "documents/mark_read")]
pub async fn mark_read(id: String, #[server(default)] seen: String) -> Result<Outcome, AppError> {
    use domain::documents::reading::Seen;

    use super::own_receipt;
    use crate::{
        context::request::{backend, viewer},
        error::Kind,
        forms::Submitted,
    };

    let result = async {
        let (viewer, id) = (viewer()?, document_id(&id)?);
        let is_told_by_script = !seen.is_empty();
        let seen = known_part(Some(seen), Seen::from_key)?.unwrap_or(Seen::Said);
        let is_recorded = backend()?.documents().mark_read(&viewer, id, seen).await?;
        if !is_recorded && is_told_by_script {
            // The script confirms a recorded read on the page, and falls back to the form.
            return Err(AppError::new(Kind::NotAllowed));
        }
        let to = format!("/library/{id}");
        // A later correction is announced at the top of the page.
        Ok(Outcome::Done { to: if is_recorded { format!("{to}#{}", own_receipt::PLACE) } else { to }, reload: true })
    }
    .await;
    Submitted::new("mark_read", &[]).settle(result).await
}

/// Bookmarks a document.
#[server(prefix = "/api", endpoint = "documents/bookmark")]
pub async fn bookmark(id: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let (viewer, id) = (viewer()?, document_id(&id)?);
        backend()?.documents().bookmark(&viewer, id).await?;
        Ok(Outcome::Done { to: format!("/library/{id}"), reload: true })
    }
    .await;
    Submitted::new("bookmark", &[]).settle(result).await
}

/// Removes the bookmark.
#[server(prefix = "/api", endpoint = "documents/remove_bookmark")]
pub async fn remove_bookmark(id: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let (viewer, id) = (viewer()?, document_id(&id)?);
        backend()?.documents().remove_bookmark(&viewer, id).await?;
        // A withdrawn document without a bookmark may have no page.
        let is_there = backend()?.documents().has_page(&viewer, id).await?;
        let to = if is_there { format!("/library/{id}") } else { "/shelf/bookmarks".to_owned() };
        Ok(Outcome::Done { to, reload: true })
    }
    .await;
    Submitted::new("bookmark", &[]).settle(result).await
}

#[cfg(feature = "ssr")]
use server::{asked_language, document_id, known_part, public_address};

#[cfg(feature = "ssr")]
pub(super) mod server {
    use domain::{Locale, ids::DocumentId};

    use crate::{
        context::request::request_context,
        error::{AppError, Kind, known},
    };

    pub(crate) fn document_id(text: &str) -> Result<DocumentId, AppError> {
        known(text)
    }

    /// Parses an optional part of an address; a value that we never write there is an error.
    pub(crate) fn known_part<T>(text: Option<String>, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, AppError> {
        match text.filter(|text| !text.is_empty()) {
            Some(text) => parse(&text).map(Some).ok_or_else(|| AppError::new(Kind::NotFound)),
            None => Ok(None),
        }
    }

    /// The viewer's language, also for requests made by scripts.
    pub(super) fn asked_language() -> Locale {
        request_context().map(|context| context.page.preferences.locale).unwrap_or_default()
    }

    /// The absolute address of a page, for sharing.
    pub(super) fn public_address(path: &str) -> String {
        format!("{}{path}", request_context().unwrap_or_default().site)
    }
}
