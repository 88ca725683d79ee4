//! Server functions of the audit trail.

use domain::audit::{AuditPage, OwnTrail};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// The trail of a subtree. `member` is an id or a card number; `before` is the cursor of the previous page.
#[server(name = ReadTrail, prefix = "/api", endpoint = "audit/page", input = GetUrl)]
pub async fn page(
    unit: Option<String>,
    group: Option<String>,
    member: Option<String>,
    before: Option<String>,
) -> Result<AuditPage, AppError> {
    use backend::audit::AuditQuery;
    use domain::audit::AuditGroup;

    use crate::{
        context::request::{backend, viewer},
        error::{Kind, known, respond},
    };

    let result = async {
        let viewer = viewer()?;
        let unknown = || AppError::new(Kind::NotFound);
        let query = AuditQuery {
            unit: unit.as_deref().map(known).transpose()?,
            group: group.map(|group| AuditGroup::from_key(&group).ok_or_else(unknown)).transpose()?,
            // An empty search field means no filter.
            member: member.as_deref().filter(|member| !member.trim().is_empty()),
            before: before.as_deref().map(known).transpose()?,
        };
        Ok::<_, AppError>(backend()?.audit().page(&viewer, query).await?)
    };
    respond(result.await)
}

/// Events of the viewer's own record.
#[server(name = ReadOwnTrail, prefix = "/api", endpoint = "audit/own", input = GetUrl)]
pub async fn own(before: Option<String>) -> Result<OwnTrail, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::{known, respond},
    };

    let result = async {
        let viewer = viewer()?;
        let before = before.as_deref().map(known).transpose()?;
        Ok::<_, AppError>(backend()?.audit().own(&viewer, before).await?)
    };
    respond(result.await)
}
