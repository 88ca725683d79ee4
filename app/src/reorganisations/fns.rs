//! Server functions of reorganisations. Uploads, templates and the list of refused rows have addresses of their own.

use domain::{
    forms::Outcome,
    units::reorganisation::{self, ReassignmentsPage, ReorganisationsPage},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::{AppError, known};

/// The reorganisations of the viewer's units.
#[server(prefix = "/api", endpoint = "reorganisations/list", input = GetUrl)]
pub async fn list() -> Result<ReorganisationsPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.reorganisations().list(&viewer()?).await?) }.await)
}

/// One reorganisation with its preview or result, and a page of one of its lists; the refused rows by default.
#[server(prefix = "/api", endpoint = "reorganisations/page", input = GetUrl)]
pub async fn page(id: String, list: Option<String>, number: Option<u32>) -> Result<reorganisation::ReorganisationPage, AppError> {
    use domain::units::reorganisation::PlanList;

    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let list = list.as_deref().and_then(PlanList::from_key).unwrap_or_default();
        Ok::<_, AppError>(backend()?.reorganisations().preview(&viewer()?, known(&id)?, list, number.unwrap_or(1)).await?)
    };
    respond(result.await)
}

/// Changes the day from which the new organisation is in effect.
#[server(prefix = "/api", endpoint = "reorganisations/set_day")]
pub async fn set_day(#[server(default)] id: String, #[server(default)] on: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("reorganisation_day", &[("on", &on)]);
    let result = async {
        let reorganisation = known(&id)?;
        backend()?.reorganisations().set_day(&viewer()?, reorganisation, &on).await?;
        Ok(Outcome::Done { to: format!("/reorganisations/{reorganisation}"), reload: true })
    }
    .await;
    form.settle(result).await
}

/// Confirms the plan with this version.
#[server(prefix = "/api", endpoint = "reorganisations/confirm")]
pub async fn confirm(#[server(default)] id: String, #[server(default)] version: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("reorganisation_confirm", &[]);
    let result = async {
        let reorganisation = known(&id)?;
        backend()?.reorganisations().confirm(&viewer()?, reorganisation, &version).await?;
        Ok(Outcome::Done { to: format!("/reorganisations/{reorganisation}"), reload: true })
    }
    .await;
    form.settle(result).await
}

/// Cancels a reorganisation before anything has changed.
#[server(prefix = "/api", endpoint = "reorganisations/cancel")]
pub async fn cancel(#[server(default)] id: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("reorganisation_cancel", &[]);
    let result = async {
        let reorganisation = known(&id)?;
        backend()?.reorganisations().cancel(&viewer()?, reorganisation).await?;
        Ok(Outcome::Done { to: format!("/reorganisations/{reorganisation}"), reload: true })
    }
    .await;
    form.settle(result).await
}

/// Units below divided ones, in this state (by default those that wait); of one reorganisation or one divided unit, and with a
/// search for words or a code.
#[server(prefix = "/api", endpoint = "reorganisations/queue", input = GetUrl)]
pub async fn queue(
    reorganisation: Option<String>,
    from: Option<String>,
    q: Option<String>,
    state: Option<String>,
    number: Option<u32>,
) -> Result<ReassignmentsPage, AppError> {
    use backend::units::QueueQuery;
    use domain::units::reorganisation::ReassignmentState;

    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let query = QueueQuery {
            reorganisation: reorganisation.as_deref().map(known).transpose()?,
            from: from.as_deref().map(known).transpose()?,
            words: q.as_deref(),
            state: state.as_deref().and_then(ReassignmentState::from_key),
            page: number.unwrap_or(1),
        };
        Ok::<_, AppError>(backend()?.reorganisations().queue(&viewer, query).await?)
    };
    respond(result.await)
}

/// Moves a unit of the queue to a candidate, or keeps it where it is. `back` is the page of the queue that was open.
#[server(prefix = "/api", endpoint = "reorganisations/assign")]
pub async fn assign(
    #[server(default)] id: String,
    #[server(default)] target: String,
    #[server(default)] back: String,
) -> Result<Outcome, AppError> {
    use backend::units::AssignForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("assign", &[("id", &id), ("target", &target)]);
    let result = async {
        let typed = AssignForm { reassignment: &id, target: &target };
        backend()?.reorganisations().assign(&viewer()?, typed).await?;
        let to = if back.starts_with("/reorganisations/queue?") {
            format!("{back}&done=1")
        } else {
            "/reorganisations/queue?done=1".to_owned()
        };
        Ok(Outcome::Done { to, reload: true })
    }
    .await;
    form.settle(result).await
}

/// Records that the member has seen where the own branch belongs now.
#[server(prefix = "/api", endpoint = "reorganisations/dismiss")]
pub async fn dismiss(#[server(default)] id: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("reorganisation_seen", &[]);
    let result = async {
        backend()?.reorganisations().dismiss(&viewer()?, known(&id)?).await?;
        Ok(Outcome::Done { to: "/".to_owned(), reload: true })
    }
    .await;
    form.settle(result).await
}
