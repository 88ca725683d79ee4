//! Server functions of roles.

use domain::{
    forms::Outcome,
    offices::{ChooseUnitPage, OfficesPage},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// The roles of a unit. `member` preselects the member whose record led here.
#[server(name = ListOffices, prefix = "/api", endpoint = "offices/list", input = GetUrl)]
pub async fn list(unit: String, member: Option<String>) -> Result<OfficesPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::{known, respond},
    };

    let result = async {
        let viewer = viewer()?;
        let member = member.as_deref().map(known).transpose()?;
        Ok::<_, AppError>(backend()?.offices().list(&viewer, known(&unit)?, member).await?)
    };
    respond(result.await)
}

/// Units on which the viewer may grant roles: those found by `find`, and the selected one, which `is_final` requires. `member` is the
/// member whose record led here.
#[server(name = ChooseOfficeUnit, prefix = "/api", endpoint = "offices/choose_unit", input = GetUrl)]
pub async fn choose_unit(
    unit: Option<String>,
    find: Option<String>,
    member: Option<String>,
    #[server(default)] is_final: bool,
) -> Result<ChooseUnitPage, AppError> {
    use backend::offices::UnitChoiceForm;

    use crate::{
        context::request::{backend, viewer},
        error::{known, respond},
    };

    let result = async {
        let viewer = viewer()?;
        let member = member.as_deref().map(known).transpose()?;
        let (unit, find) = (unit.unwrap_or_default(), find.unwrap_or_default());
        let typed = UnitChoiceForm { unit: &unit, find: &find, member, is_final };
        Ok::<_, AppError>(backend()?.offices().choose_unit(&viewer, typed).await?)
    };
    respond(result.await)
}

#[server(name = GrantOffice, prefix = "/api", endpoint = "offices/grant")]
pub async fn grant(
    #[server(default)] unit: String,
    #[server(default)] card: String,
    #[server(default)] role: String,
    #[server(default)] from: String,
    #[server(default)] until: String,
) -> Result<Outcome, AppError> {
    use backend::offices::GrantForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("office", &[("card", &card), ("role", &role), ("from", &from), ("until", &until)]);
    let result = async {
        let typed = GrantForm { unit: &unit, card: &card, role: &role, from: &from, until: &until };
        backend()?.offices().grant(&viewer()?, typed).await?;
        // The viewer's own rights may have changed, and with them the frame.
        Ok(Outcome::Done { to: format!("/units/{unit}/roles?granted=1"), reload: true })
    }
    .await;
    form.settle(result).await
}

/// Ends a role with immediate effect.
#[server(name = EndOffice, prefix = "/api", endpoint = "offices/end")]
pub async fn end(#[server(default)] office: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::known,
        forms::Submitted,
    };

    let form = Submitted::new("end_office", &[]);
    let result = async {
        let viewer = viewer()?;
        let unit = backend()?.offices().end(&viewer, known(&office)?).await?;
        Ok(Outcome::Done { to: format!("/units/{unit}/roles?ended=1"), reload: true })
    }
    .await;
    form.settle(result).await
}
