//! Server functions of the desk's files. Uploads and downloads have addresses of their own.

use domain::{files, forms::Outcome};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::{AppError, known};

/// The files of a document at the desk.
#[server(prefix = "/api", endpoint = "files/page", input = GetUrl)]
pub async fn page(id: String) -> Result<files::FilesPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.files().page(&viewer()?, known(&id)?).await?) }.await)
}

/// Keeps a file the guard warned of.
#[server(prefix = "/api", endpoint = "files/keep")]
pub async fn keep(#[server(default)] file: String, #[server(default)] reason: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("keep", &[("file", &file), ("reason", &reason)]);
    let result = async {
        let document = backend()?.files().keep_file(&viewer()?, known(&file)?, &reason).await?;
        Ok(done(document))
    }
    .await;
    form.settle(result).await
}

/// Removes a file from the draft, or rejects a file with a pending decision.
#[server(prefix = "/api", endpoint = "files/remove")]
pub async fn remove(#[server(default)] file: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("remove", &[]);
    let result = async { Ok(done(backend()?.files().remove(&viewer()?, known(&file)?).await?)) }.await;
    form.settle(result).await
}

/// Cancels an incomplete upload.
#[server(prefix = "/api", endpoint = "files/give_up")]
pub async fn cancel(#[server(default)] upload: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("give_up", &[]);
    let result = async { Ok(done(backend()?.files().cancel(&viewer()?, known(&upload)?).await?)) }.await;
    form.settle(result).await
}

/// Retries to attach a complete upload that could not be attached before.
#[server(prefix = "/api", endpoint = "files/finish")]
pub async fn finish(#[server(default)] upload: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("finish", &[]);
    let result = async { Ok(done(backend()?.files().finish(&viewer()?, known(&upload)?).await?.document)) }.await;
    form.settle(result).await
}

fn done(document: domain::ids::DocumentId) -> Outcome {
    Outcome::Done { to: format!("/desk/{document}/files"), reload: true }
}
