//! Server functions of paper codes.

use domain::{
    accounts::codes::{BranchCodes, CodeBranches, CodeSheet, MemberCodes},
    forms::Outcome,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;
#[cfg(feature = "ssr")]
use crate::error::known;

/// The branches for which the viewer may issue codes.
#[server(prefix = "/api", endpoint = "account/code_branches", input = GetUrl)]
pub async fn list_code_branches(q: Option<String>, after: Option<String>) -> Result<CodeBranches, AppError> {
    use domain::units::UnitPath;

    use crate::{
        context::request::{backend, viewer},
        error::{Kind, respond},
    };

    let result = async {
        let viewer = viewer()?;
        let after = after.map(|path| UnitPath::parse(&path)).transpose().map_err(|_| AppError::new(Kind::NotFound))?;
        Ok::<_, AppError>(backend()?.accounts().code_branches(&viewer, q.as_deref().unwrap_or_default(), after.as_ref())?)
    };
    respond(result.await)
}

/// The members of a branch and the codes issued there.
#[server(prefix = "/api", endpoint = "account/branch_codes", input = GetUrl)]
pub async fn read_branch_codes(unit: String) -> Result<BranchCodes, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async { Ok::<_, AppError>(backend()?.accounts().branch_codes(&viewer()?, known(&unit)?).await?) };
    respond(result.await)
}

/// The codes issued for one member.
#[server(prefix = "/api", endpoint = "account/member_codes", input = GetUrl)]
pub async fn read_member_codes(member: String) -> Result<MemberCodes, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async { Ok::<_, AppError>(backend()?.accounts().member_codes(&viewer()?, known(&member)?).await?) };
    respond(result.await)
}

/// The cards of the codes that this device has just issued.
#[server(prefix = "/api", endpoint = "account/code_sheet", input = GetUrl)]
pub async fn open_code_sheet() -> Result<CodeSheet, AppError> {
    use crate::{
        context::request::{backend, request_context, viewer},
        error::respond,
    };

    let result = async {
        let token = request_context().and_then(|context| context.sheet).unwrap_or_default();
        Ok::<_, AppError>(backend()?.accounts().sheet(&viewer()?, &token, &request_context().unwrap_or_default().site).await?)
    };
    respond(result.await)
}

/// Issues codes for members of a branch, and redirects to the sheet.
#[server(prefix = "/api", endpoint = "account/issue_codes")]
pub async fn issue_codes(#[server(default)] unit: String, #[server(default)] members: Vec<String>) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let chosen = members.join(" ");
    let form = Submitted::new("codes", &[("members", &chosen)]);
    let result = async {
        let (backend, viewer) = (backend()?, viewer()?);
        let issued = backend.accounts().issue_paper_codes(&viewer, known(&unit)?, &members).await?;
        server::to_sheet(&backend, &viewer, &issued).await
    }
    .await;
    form.settle(result).await
}

/// Issues a code for one member, and redirects to the sheet.
#[server(prefix = "/api", endpoint = "account/issue_code")]
pub async fn issue_code(#[server(default)] member: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("code", &[]);
    let result = async {
        let (backend, viewer) = (backend()?, viewer()?);
        let issued = backend.accounts().issue_paper_code(&viewer, known(&member)?).await?;
        server::to_sheet(&backend, &viewer, &[issued]).await
    }
    .await;
    form.settle(result).await
}

/// Revokes a code. `back` is `member` on the member's page; otherwise the response leads to the branch.
#[server(prefix = "/api", endpoint = "account/revoke_code")]
pub async fn revoke_code(#[server(default)] code: String, #[server(default)] back: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("revoke", &[]);
    let result = async {
        let (member, unit) = backend()?.accounts().revoke_paper_code(&viewer()?, known(&code)?).await?;
        let to =
            if back == "member" { format!("/members/{member}/code?revoked=1") } else { format!("/units/{unit}/codes?revoked=1") };
        Ok(Outcome::Done { to, reload: true })
    }
    .await;
    form.settle(result).await
}

#[cfg(feature = "ssr")]
mod server {
    use backend::{Backend, accounts::IssuedCode};
    use domain::{accounts::Viewer, forms::Outcome};

    use crate::{cookies::SHEET, error::AppError};

    pub(super) async fn to_sheet(backend: &Backend, viewer: &Viewer, issued: &[IssuedCode]) -> Result<Outcome, AppError> {
        SHEET.give(&backend.accounts().keep_sheet(viewer, issued).await?)?;
        Ok(Outcome::Done { to: "/codes/sheet".to_owned(), reload: true })
    }
}
