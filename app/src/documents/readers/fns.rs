//! Server functions of those who follow readers.

use domain::{
    documents::readers::{FollowedPage, ReadersPage},
    forms::Outcome,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::{AppError, known};

/// Readers of a document in a unit and in its children; without `unit`, in the viewer's highest unit.
#[server(prefix = "/api", endpoint = "documents/readers", input = GetUrl)]
pub async fn readers(id: String, unit: Option<String>) -> Result<ReadersPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let viewer = viewer()?;
            let unit = unit.as_deref().map(known).transpose()?;
            Ok::<_, AppError>(backend()?.documents().readers(&viewer, known(&id)?, unit).await?)
        }
        .await,
    )
}

/// Documents that reach the viewer's whole unit, with the number of readers.
#[server(prefix = "/api", endpoint = "documents/followed", input = GetUrl)]
pub async fn followed() -> Result<FollowedPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.documents().followed(&viewer()?).await?) }.await)
}

/// Sends a reminder to members of a unit who have not read a document.
#[server(prefix = "/api", endpoint = "documents/remind")]
pub async fn remind(document: String, unit: String) -> Result<Outcome, AppError> {
    use domain::documents::readers::Reminding;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let (document, unit) = (known(&document)?, known(&unit)?);
        let told = match backend()?.documents().remind(&viewer()?, document, unit).await? {
            Reminding::Done => "reminded",
            Reminding::TooSoon => "too_soon",
        };
        Ok(Outcome::Done { to: format!("/readers/{document}?unit={unit}&done={told}"), reload: true })
    }
    .await;
    Submitted::new("remind", &[]).settle(result).await
}
