//! Server functions of the registry.

use std::fmt;

use domain::{
    forms::Outcome,
    members::{
        CorrectionsPage, MemberFormPage, MembersPage, MergePage, QualityPage, RecordPage, StatePage, TransferPage, TransfersPage,
    },
};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::error::{AppError, known};

/// Members of the viewer's subtree, or of `unit` in it, that match `q`; the number of rows as in a table of units.
#[server(prefix = "/api", endpoint = "members/search", input = GetUrl)]
pub async fn search(
    q: Option<String>,
    unit: Option<String>,
    after: Option<String>,
    rows: Option<String>,
) -> Result<MembersPage, AppError> {
    use domain::tables::TableQuery;

    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let unit = unit.as_deref().map(known).transpose()?;
        let typed = q.unwrap_or_default();
        let rows = TableQuery::parse(None, None, rows.as_deref()).rows;
        Ok::<_, AppError>(backend()?.members().search_rows(&viewer, &typed, unit, after.as_deref(), rows).await?)
    };
    respond(result.await)
}

/// The record of a member of the viewer's subtree. The access is logged.
#[server(prefix = "/api", endpoint = "members/record", input = GetUrl)]
pub async fn record(id: String) -> Result<RecordPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let id = known(&id)?;
        Ok::<_, AppError>(backend()?.members().record(&viewer, id).await?)
    };
    respond(result.await)
}

/// The viewer's own record, complete.
#[server(prefix = "/api", endpoint = "members/own", input = GetUrl)]
pub async fn own_record() -> Result<RecordPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async { Ok::<_, AppError>(backend()?.members().own(&viewer()?).await?) };
    respond(result.await)
}

/// The form of a new member, for `unit` or for a branch that matches `q`.
#[server(prefix = "/api", endpoint = "members/blank", input = GetUrl)]
pub async fn blank(unit: Option<String>, q: Option<String>) -> Result<MemberFormPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let unit = unit.as_deref().map(known).transpose()?;
        let typed = q.unwrap_or_default();
        Ok::<_, AppError>(backend()?.members().blank(&viewer, unit, &typed).await?)
    };
    respond(result.await)
}

/// The form of a record.
#[server(prefix = "/api", endpoint = "members/form", input = GetUrl)]
pub async fn form(id: String) -> Result<MemberFormPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let id = known(&id)?;
        Ok::<_, AppError>(backend()?.members().form(&viewer, id).await?)
    };
    respond(result.await)
}

/// The submitted form of a record. Missing fields are empty.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TypedMember {
    id: String,
    version: String,
    full_name: String,
    card: String,
    sex: String,
    birth_date: String,
    admitted_on: String,
    official_on: String,
    standing: String,
    national_id: String,
    phone: String,
    unit: String,
}

/// Prints no values, because the national ID is among them.
impl fmt::Debug for TypedMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedMember").finish_non_exhaustive()
    }
}

impl TypedMember {
    fn as_form(&self) -> backend::members::MemberForm<'_> {
        backend::members::MemberForm {
            id: &self.id,
            version: &self.version,
            full_name: &self.full_name,
            card: &self.card,
            sex: &self.sex,
            birth_date: &self.birth_date,
            admitted_on: &self.admitted_on,
            official_on: &self.official_on,
            standing: &self.standing,
            national_id: &self.national_id,
            phone: &self.phone,
            unit: &self.unit,
        }
    }

    fn submitted(&self) -> crate::forms::Submitted {
        let typed = [
            ("id", self.id.as_str()),
            ("version", &self.version),
            ("full_name", &self.full_name),
            ("card", &self.card),
            ("sex", &self.sex),
            ("birth_date", &self.birth_date),
            ("admitted_on", &self.admitted_on),
            ("official_on", &self.official_on),
            ("standing", &self.standing),
            ("national_id", &self.national_id),
            ("phone", &self.phone),
            ("unit", &self.unit),
        ];
        crate::forms::Submitted::new("member", &typed)
    }
}

/// Registers a new member.
#[server(prefix = "/api", endpoint = "members/register")]
pub async fn register_member(#[server(flatten)] typed: TypedMember) -> Result<Outcome, AppError> {
    use crate::context::request::{backend, viewer};

    let result = async {
        let id = backend()?.members().register(&viewer()?, typed.as_form()).await?;
        Ok(Outcome::Done { to: format!("/members/{id}?saved=new"), reload: false })
    }
    .await;
    typed.submitted().settle(result).await
}

/// Saves changes of a record.
#[server(prefix = "/api", endpoint = "members/change")]
pub async fn change_member(#[server(flatten)] typed: TypedMember) -> Result<Outcome, AppError> {
    use crate::context::request::{backend, viewer};

    let result = async {
        let id = backend()?.members().change(&viewer()?, typed.as_form()).await?;
        Ok(Outcome::Done { to: format!("/members/{id}?saved=changed"), reload: false })
    }
    .await;
    typed.submitted().settle(result).await
}

/// Data for the confirmation of a change of state.
#[server(prefix = "/api", endpoint = "members/state", input = GetUrl)]
pub async fn read_state(id: String) -> Result<StatePage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let id = known(&id)?;
        Ok::<_, AppError>(backend()?.members().state_page(&viewer, id).await?)
    };
    respond(result.await)
}

/// Sets the state of a member.
#[server(prefix = "/api", endpoint = "members/set_state")]
pub async fn set_state(
    #[server(default)] id: String,
    #[server(default)] version: String,
    #[server(default)] state: String,
    #[server(default)] day: String,
) -> Result<Outcome, AppError> {
    use backend::members::StateForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("state", &[("id", &id), ("version", &version), ("state", &state), ("day", &day)]);
    let result = async {
        let typed = StateForm { id: &id, version: &version, state: &state, day: &day };
        let id = backend()?.members().set_state(&viewer()?, typed).await?;
        Ok(Outcome::Done { to: format!("/members/{id}?saved=state"), reload: false })
    }
    .await;
    form.settle(result).await
}

/// Requests a correction of the viewer's own record.
#[server(prefix = "/api", endpoint = "members/request_correction")]
pub async fn request_correction(
    #[server(default)] field: String,
    #[server(default)] wanted: String,
    #[server(default)] reason: String,
) -> Result<Outcome, AppError> {
    use backend::members::CorrectionForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("correction", &[("field", &field), ("wanted", &wanted), ("reason", &reason)]);
    let result = async {
        let typed = CorrectionForm { field: &field, wanted: &wanted, reason: &reason };
        backend()?.members().request_correction(&viewer()?, typed).await?;
        Ok(Outcome::Done { to: "/record?asked=1".to_owned(), reload: false })
    }
    .await;
    form.settle(result).await
}

/// Pending corrections for the registrar.
#[server(prefix = "/api", endpoint = "members/corrections", input = GetUrl)]
pub async fn corrections() -> Result<CorrectionsPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async { Ok::<_, AppError>(backend()?.members().corrections(&viewer()?).await?) };
    respond(result.await)
}

/// Accepts or declines a correction.
#[server(prefix = "/api", endpoint = "members/decide_correction")]
pub async fn decide_correction(
    #[server(default)] id: String,
    #[server(default)] decision: String,
    #[server(default)] note: String,
) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("decision", &[("id", &id), ("decision", &decision), ("note", &note)]);
    let result = async {
        backend()?.members().decide_correction(&viewer()?, &id, &decision, &note).await?;
        let done = if decision == "accept" { "accepted" } else { "declined" };
        Ok(Outcome::Done { to: format!("/corrections?done={done}"), reload: true })
    }
    .await;
    form.settle(result).await
}

/// The form to request a transfer of `id`, with the branches that match `q`.
#[server(prefix = "/api", endpoint = "members/transfer_form", input = GetUrl)]
pub async fn transfer_form(id: String, q: Option<String>) -> Result<TransferPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let id = known(&id)?;
        let typed = q.unwrap_or_default();
        Ok::<_, AppError>(backend()?.members().transfer_form(&viewer, id, &typed).await?)
    };
    respond(result.await)
}

/// Requests a transfer.
#[server(prefix = "/api", endpoint = "members/request_transfer")]
pub async fn request_transfer(
    #[server(default)] member: String,
    #[server(default)] to: String,
    #[server(default)] reason: String,
) -> Result<Outcome, AppError> {
    use backend::members::TransferForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("transfer", &[("member", &member), ("to", &to), ("reason", &reason)]);
    let result = async {
        let typed = TransferForm { member: &member, to: &to, reason: &reason };
        backend()?.members().request_transfer(&viewer()?, typed).await?;
        Ok(Outcome::Done { to: "/transfers?done=asked".to_owned(), reload: false })
    }
    .await;
    form.settle(result).await
}

/// Pending transfers in both directions.
#[server(prefix = "/api", endpoint = "members/transfers", input = GetUrl)]
pub async fn transfers() -> Result<TransfersPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async { Ok::<_, AppError>(backend()?.members().transfers(&viewer()?).await?) };
    respond(result.await)
}

/// Accepts, declines or withdraws a transfer.
#[server(prefix = "/api", endpoint = "members/decide_transfer")]
pub async fn decide_transfer(
    #[server(default)] id: String,
    #[server(default)] decision: String,
    #[server(default)] note: String,
) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("decision", &[("id", &id), ("decision", &decision), ("note", &note)]);
    let result = async {
        backend()?.members().decide_transfer(&viewer()?, &id, &decision, &note).await?;
        // Only these keys are valid; anything else was rejected before.
        let done = match decision.as_str() {
            "accept" => "accepted",
            "decline" => "declined",
            _ => "withdrawn",
        };
        Ok(Outcome::Done { to: format!("/transfers?done={done}"), reload: true })
    }
    .await;
    form.settle(result).await
}

/// Records of the viewer's subtree with one kind of issue.
#[server(prefix = "/api", endpoint = "members/quality", input = GetUrl)]
pub async fn quality(kind: Option<String>, after: Option<String>) -> Result<QualityPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let unknown = || AppError::new(crate::error::Kind::NotFound);
        let kind = kind.map(|kind| domain::members::QualityIssue::from_key(&kind).ok_or_else(unknown)).transpose()?;
        let after = after.as_deref().map(known).transpose()?;
        Ok::<_, AppError>(backend()?.members().quality(&viewer, kind, after).await?)
    };
    respond(result.await)
}

/// Two records, to compare them.
#[server(prefix = "/api", endpoint = "members/merge_form", input = GetUrl)]
pub async fn merge_form(keep: String, with: String) -> Result<MergePage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let (keep, other) = (known(&keep)?, known(&with)?);
        Ok::<_, AppError>(backend()?.members().merge_form(&viewer, keep, other).await?)
    };
    respond(result.await)
}

/// Merges two records.
#[server(prefix = "/api", endpoint = "members/merge")]
pub async fn merge(#[server(default)] keep: String, #[server(default)] with: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("merge", &[("keep", &keep), ("with", &with)]);
    let result = async {
        let (kept, other) = (known(&keep)?, known(&with)?);
        backend()?.members().merge(&viewer()?, kept, other).await?;
        Ok(Outcome::Done { to: format!("/members/{kept}?saved=merged"), reload: false })
    }
    .await;
    form.settle(result).await
}

/// Records that two records are of different people.
#[server(prefix = "/api", endpoint = "members/keep_apart")]
pub async fn keep_apart(#[server(default)] keep: String, #[server(default)] with: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("merge", &[("keep", &keep), ("with", &with)]);
    let result = async {
        let (kept, other) = (known(&keep)?, known(&with)?);
        backend()?.members().keep_apart(&viewer()?, kept, other).await?;
        Ok(Outcome::Done { to: format!("/members/{kept}?saved=apart"), reload: false })
    }
    .await;
    form.settle(result).await
}
