//! Server functions of imports. Uploads and reports have addresses of their own.

use domain::{forms::Outcome, imports};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::{AppError, known};

/// The imports of the viewer's units.
#[server(prefix = "/api", endpoint = "imports/list", input = GetUrl)]
pub async fn list() -> Result<imports::ImportsPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.imports().list(&viewer()?).await?) }.await)
}

/// The choices for a new import: `unit` is the selected unit, `find` a search for others.
#[server(prefix = "/api", endpoint = "imports/blank", input = GetUrl)]
pub async fn blank(unit: Option<String>, find: Option<String>) -> Result<imports::NewImportPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let (unit, find) = (unit.unwrap_or_default(), find.unwrap_or_default());
    respond(async { Ok::<_, AppError>(backend()?.imports().blank(&viewer()?, &unit, &find).await?) }.await)
}

/// One import with its preview or result.
#[server(prefix = "/api", endpoint = "imports/page", input = GetUrl)]
pub async fn page(id: String) -> Result<imports::ImportPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.imports().page(&viewer()?, known(&id)?).await?) }.await)
}

/// Sets the meanings of the columns: one key for each, in their order.
#[server(prefix = "/api", endpoint = "imports/remap")]
pub async fn remap(#[server(default)] id: String, #[server(default)] columns: Vec<String>) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let chosen = columns.join(",");
    let form = Submitted::new("mapping", &[("columns", &chosen)]);
    let result = async {
        let import = known(&id)?;
        backend()?.imports().remap(&viewer()?, import, &columns).await?;
        Ok(Outcome::Done { to: format!("/imports/{import}"), reload: true })
    }
    .await;
    form.settle(result).await
}

/// Confirms the import and starts writing.
#[server(prefix = "/api", endpoint = "imports/confirm")]
pub async fn confirm(#[server(default)] id: String, #[server(default)] as_of: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("confirm", &[("as_of", &as_of)]);
    let result = async {
        let import = known(&id)?;
        backend()?.imports().confirm(&viewer()?, import, &as_of).await?;
        Ok(Outcome::Done { to: format!("/imports/{import}"), reload: true })
    }
    .await;
    form.settle(result).await
}

/// Cancels an import before anything is written.
#[server(prefix = "/api", endpoint = "imports/cancel")]
pub async fn cancel(#[server(default)] id: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("cancel", &[]);
    let result = async {
        let import = known(&id)?;
        backend()?.imports().cancel(&viewer()?, import).await?;
        Ok(Outcome::Done { to: format!("/imports/{import}"), reload: true })
    }
    .await;
    form.settle(result).await
}
