//! Server functions of the library and the desk.

use domain::{documents, forms::Outcome};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// The desk of the viewer's units.
#[server(prefix = "/api", endpoint = "documents/desk", input = GetUrl)]
pub async fn desk() -> Result<documents::DeskPage, AppError> {
    use crate::{
        context::server::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.documents().desk(&viewer()?).await?) }.await)
}

/// A draft not stored yet.
#[server(prefix = "/api", endpoint = "documents/blank", input = GetUrl)]
pub async fn blank() -> Result<documents::DraftPage, AppError> {
    use crate::{
        context::server::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.documents().blank(&viewer()?).await?) }.await)
}

/// A document as its editors see it, in any state.
#[server(prefix = "/api", endpoint = "documents/draft", input = GetUrl)]
pub async fn draft(id: String) -> Result<documents::DraftPage, AppError> {
    use crate::{
        context::server::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let viewer = viewer()?;
            Ok::<_, AppError>(backend()?.documents().draft(&viewer, document_id(&id)?).await?)
        }
        .await,
    )
}

/// Stores a new draft (version `0`) or the next version of one.
#[allow(clippy::too_many_arguments, reason = "one for each field of the form")]
#[server(prefix = "/api", endpoint = "documents/save_draft")]
pub async fn save_draft(
    id: String,
    version: String,
    kind: String,
    number: String,
    title: String,
    issuer: String,
    audience: String,
    body: String,
) -> Result<Outcome, AppError> {
    use backend::documents::DraftForm;

    use crate::{
        context::server::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new(
        "draft",
        &[
            ("id", &id),
            ("version", &version),
            ("kind", &kind),
            ("number", &number),
            ("title", &title),
            ("issuer", &issuer),
            ("audience", &audience),
            ("body", &body),
        ],
    );
    let result = async {
        let viewer = viewer()?;
        let typed = DraftForm {
            id: &id,
            version: &version,
            kind: &kind,
            number: &number,
            title: &title,
            issuer: &issuer,
            audience: &audience,
            body: &body,
        };
        match backend()?.documents().save_draft(&viewer, typed).await {
            // Later saves come from the very page they lead to.
            Ok(saved) => Ok(Outcome::Done { to: format!("/desk/{saved}?saved=1"), reload: version != "0" }),
            Err(error) => Err(on_newest_version(error.into(), &viewer, &id).await?),
        }
    }
    .await;
    form.settle(result).await
}

/// Sends a draft out to its audience.
#[server(prefix = "/api", endpoint = "documents/publish")]
pub async fn publish(id: String) -> Result<Outcome, AppError> {
    use crate::{
        context::server::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let viewer = viewer()?;
        let id = document_id(&id)?;
        backend()?.documents().publish(&viewer, id).await?;
        Ok(Outcome::Done { to: format!("/desk/{id}?published=1"), reload: false })
    }
    .await;
    Submitted::new("publish", &[]).settle(result).await
}

/// Takes a published document back.
#[server(prefix = "/api", endpoint = "documents/withdraw")]
pub async fn withdraw(id: String) -> Result<Outcome, AppError> {
    use crate::{
        context::server::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let viewer = viewer()?;
        let id = document_id(&id)?;
        backend()?.documents().withdraw(&viewer, id).await?;
        Ok(Outcome::Done { to: format!("/desk/{id}"), reload: true })
    }
    .await;
    Submitted::new("withdraw", &[]).settle(result).await
}

#[cfg(feature = "ssr")]
use server::{document_id, on_newest_version};

#[cfg(feature = "ssr")]
mod server {
    use domain::{accounts::Viewer, forms::Problem, ids::DocumentId};

    use crate::{
        context::server::backend,
        error::{AppError, Kind},
    };

    pub(super) fn document_id(text: &str) -> Result<DocumentId, AppError> {
        text.parse().map_err(|_| AppError::new(Kind::NotFound))
    }

    /// After [`Problem::Stale`] the form goes on from the newest version: once its editor has compared the two, as the message
    /// asks, the same button saves.
    pub(super) async fn on_newest_version(mut error: AppError, viewer: &Viewer, id: &str) -> Result<AppError, AppError> {
        if let Some(form) = &mut error.form
            && form.problems.iter().any(|found| found.problem == Problem::Stale)
        {
            let newest = backend()?.documents().draft(viewer, document_id(id)?).await?.draft.version;
            form.values.insert("version".to_owned(), newest.to_string());
        }
        Ok(error)
    }
}
