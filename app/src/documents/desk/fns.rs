//! Server functions of the desk.

use std::collections::BTreeSet;

use domain::{
    accounts::Viewer,
    documents::desk::{ApprovalPage, DeskPage, DeskRules, DraftPage, ReviewPage, RevisionsPage},
    forms::{FormErrors, Outcome},
    ids::DocumentId,
    units::{PickedUnits, UnitKind},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::{
    documents::library_fns::server::{document_id, known_part},
    error::{AppError, known},
    units::picker,
};

/// The desk of the viewer's units, and the reviews requested from them.
#[server(prefix = "/api", endpoint = "documents/desk", input = GetUrl)]
pub async fn desk() -> Result<DeskPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.documents().desk(&viewer()?).await?) }.await)
}

/// A new draft that is not stored yet, with the units picked in its form so far.
#[server(prefix = "/api", endpoint = "documents/blank", input = GetUrl)]
pub async fn blank(picked: Option<PickedUnits>) -> Result<DraftPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.documents().blank_picking(&viewer()?, picked.as_ref()).await?) }.await)
}

/// A document as its editors see it, in any state, with the units picked in a form that is not saved.
#[server(prefix = "/api", endpoint = "documents/draft", input = GetUrl)]
pub async fn draft(id: String, picked: Option<PickedUnits>) -> Result<DraftPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let (backend, viewer, id) = (backend()?, viewer()?, document_id(&id)?);
            let page = match picked {
                Some(picked) => backend.documents().draft_picking(&viewer, id, &picked).await?,
                None => backend.documents().draft(&viewer, id).await?,
            };
            Ok::<_, AppError>(page)
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
    #[server(default)] signer: String,
    #[server(default)] field: String,
    issuer: String,
    audience: String,
    #[server(default)] parts: Vec<String>,
    #[server(default)] except: Vec<String>,
    #[server(default)] standings: String,
    #[server(default)] supersedes: String,
    #[server(default)] amends: String,
    #[server(default)] guides: String,
    #[server(default)] must_read_by: String,
    #[server(default)] expires_on: String,
    #[server(default)] pinned: String,
    #[server(default)] correction: String,
    body: String,
    #[server(default)] then: String,
    #[server(default)] find: String,
) -> Result<Outcome, AppError> {
    use backend::documents::DraftForm;
    use leptos_router::params::ParamsMap;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let (chosen, left_out) = (parts.join(" "), except.join(" "));
    let typed = DraftForm {
        id: &id,
        version: &version,
        kind: &kind,
        number: &number,
        title: &title,
        signer: &signer,
        field: &field,
        issuer: &issuer,
        audience: &audience,
        parts: &parts,
        except: &except,
        standings: &standings,
        supersedes: &supersedes,
        amends: &amends,
        guides: &guides,
        must_read_by: &must_read_by,
        expires_on: &expires_on,
        pinned: &pinned,
        correction: &correction,
        body: &body,
    };
    let mut fields = typed.fields();
    fields.extend([("parts", chosen.as_str()), ("except", &left_out), ("find", &find)]);
    let form = Submitted::new("draft", &fields);
    let result = async {
        let viewer = viewer()?;
        // A search for units comes back with all that was typed. Without words it is the default button: the form is saved.
        if then == picker::FIND && !find.trim().is_empty() {
            return Ok(Outcome::Invalid(FormErrors::default()));
        }
        if then == "review" && matches!(backend()?.documents().is_as_saved(&viewer, typed).await, Ok(true)) {
            return Ok(Outcome::Done { to: format!("/desk/{id}/review"), reload: true });
        }
        match backend()?.documents().save_draft(&viewer, typed).await {
            Ok(saved) if then == "review" => Ok(Outcome::Done { to: format!("/desk/{saved}/review"), reload: true }),
            Ok(saved) => {
                let mut told = ParamsMap::new();
                told.insert("saved", "1".to_owned());
                if let Some((what, count)) = changed_parts(&viewer, saved, &parts).await {
                    told.insert(what, count);
                }
                // Later saves return to the same page, which must reload.
                Ok(Outcome::Done { to: format!("/desk/{saved}{}", told.to_query_string()), reload: version != "0" })
            }
            Err(error) => match backend()?.documents().keep_late(&viewer, typed, &error).await? {
                // The document exists but is not editable any more: its page says so.
                Some(kept) if matches!(error, backend::Error::Step(_)) => {
                    Ok(Outcome::Done { to: format!("/desk/{id}?kept={kept}"), reload: true })
                }
                Some(kept) => Ok(Outcome::Done { to: format!("/desk/new?resume={kept}"), reload: true }),
                None => Err(on_newest_version(error.into(), &viewer, &id).await?),
            },
        }
    }
    .await;
    form.settle(result).await
}

/// The page for review requests, remarks and the decision.
#[server(prefix = "/api", endpoint = "documents/review", input = GetUrl)]
pub async fn review(id: String) -> Result<ReviewPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let viewer = viewer()?;
            Ok::<_, AppError>(backend()?.documents().review(&viewer, document_id(&id)?).await?)
        }
        .await,
    )
}

/// Data for the confirmation of a publication, with its whole content.
#[server(prefix = "/api", endpoint = "documents/approval", input = GetUrl)]
pub async fn approval(id: String) -> Result<ApprovalPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let viewer = viewer()?;
            Ok::<_, AppError>(backend()?.documents().approval(&viewer, document_id(&id)?).await?)
        }
        .await,
    )
}

/// Requests a review of a draft.
#[allow(clippy::too_many_arguments, reason = "one for each field of the form")]
#[server(prefix = "/api", endpoint = "documents/submit")]
pub async fn submit(
    id: String,
    version: String,
    #[server(default)] reviewer: String,
    #[server(default)] colleague: String,
    #[server(default)] commenter: String,
    #[server(default)] due: String,
    #[server(default)] note: String,
    #[server(default)] warned: String,
) -> Result<Outcome, AppError> {
    use backend::documents::SubmitForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let typed = [
        ("reviewer", &*reviewer),
        ("colleague", &colleague),
        ("commenter", &commenter),
        ("due", &due),
        ("note", &note),
        ("warned", &warned),
    ];
    let form = Submitted::new("submit", &typed);
    let result = async {
        let viewer = viewer()?;
        let typed = SubmitForm {
            id: &id,
            version: &version,
            reviewer: &reviewer,
            colleague: &colleague,
            commenter: &commenter,
            due: &due,
            note: &note,
            warned: &warned,
        };
        backend()?.documents().submit(&viewer, typed).await?;
        Ok(Outcome::Done { to: format!("/desk/{}?submitted=1", document_id(&id)?), reload: false })
    }
    .await;
    form.settle(result).await
}

/// Adds a remark on a passage.
#[server(prefix = "/api", endpoint = "documents/remark")]
pub async fn remark(
    id: String,
    #[server(default)] passage: String,
    #[server(default)] quote: String,
    #[server(default)] text: String,
) -> Result<Outcome, AppError> {
    use backend::documents::RemarkForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("remark", &[("passage", &passage), ("quote", &quote), ("text", &text)]);
    let result = async {
        let viewer = viewer()?;
        let typed = RemarkForm { id: &id, passage: &passage, quote: &quote, text: &text };
        backend()?.documents().remark(&viewer, typed).await?;
        Ok(Outcome::Done { to: format!("/desk/{}/review?remarked=1", document_id(&id)?), reload: true })
    }
    .await;
    form.settle(result).await
}

/// Marks a remark as resolved (`settled` is not empty), or reopens it (`settled` is empty).
#[server(prefix = "/api", endpoint = "documents/settle")]
pub async fn settle(id: String, remark: String, #[server(default)] settled: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let viewer = viewer()?;
        let id = document_id(&id)?;
        backend()?.documents().settle(&viewer, id, &remark, !settled.is_empty()).await?;
        Ok(Outcome::Done { to: format!("/desk/{id}/review"), reload: true })
    }
    .await;
    Submitted::new("settle", &[]).settle(result).await
}

/// Approves a text for publication, now or at a later time.
#[server(prefix = "/api", endpoint = "documents/publish")]
pub async fn publish(
    id: String,
    version: String,
    #[server(default)] review: String,
    #[server(default)] when: String,
    #[server(default)] at: String,
    #[server(default)] again: String,
) -> Result<Outcome, AppError> {
    use backend::documents::PublishForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("publish", &[("version", &version), ("when", &when), ("at", &at), ("again", &again)]);
    let result = async {
        let viewer = viewer()?;
        let typed = PublishForm { id: &id, version: &version, review: &review, when: &when, at: &at, again: &again };
        let scheduled = backend()?.documents().publish(&viewer, typed).await?.is_some();
        let done = if scheduled { "scheduled" } else { "published" };
        Ok(Outcome::Done { to: format!("/desk/{}?{done}=1", document_id(&id)?), reload: false })
    }
    .await;
    form.settle(result).await
}

/// Returns a text to its authors, with reasons.
#[server(prefix = "/api", endpoint = "documents/want_changes")]
pub async fn want_changes(id: String, #[server(default)] reason: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let viewer = viewer()?;
        backend()?.documents().want_changes(&viewer, document_id(&id)?, &reason).await?;
        Ok(Outcome::Done { to: "/desk?returned=1".to_owned(), reload: false })
    }
    .await;
    Submitted::new("changes", &[("reason", &reason)]).settle(result).await
}

/// Withdraws a published document.
#[server(prefix = "/api", endpoint = "documents/withdraw")]
pub async fn withdraw(id: String, #[server(default)] reason: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let viewer = viewer()?;
        let id = document_id(&id)?;
        backend()?.documents().withdraw(&viewer, id, &reason).await?;
        Ok(Outcome::Done { to: format!("/desk/{id}"), reload: true })
    }
    .await;
    Submitted::new("withdraw", &[("reason", &reason)]).settle(result).await
}

/// Returns a text from review or from the schedule to draft.
#[server(prefix = "/api", endpoint = "documents/recall")]
pub async fn recall(id: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let viewer = viewer()?;
        let id = document_id(&id)?;
        backend()?.documents().recall(&viewer, id).await?;
        Ok(Outcome::Done { to: format!("/desk/{id}"), reload: true })
    }
    .await;
    Submitted::new("recall", &[]).settle(result).await
}

/// Starts a new draft from the text that was published last.
#[server(prefix = "/api", endpoint = "documents/revise")]
pub async fn revise(id: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let viewer = viewer()?;
        let id = document_id(&id)?;
        backend()?.documents().revise(&viewer, id).await?;
        Ok(Outcome::Done { to: format!("/desk/{id}"), reload: true })
    }
    .await;
    Submitted::new("revise", &[]).settle(result).await
}

/// Discards a draft.
#[server(prefix = "/api", endpoint = "documents/discard")]
pub async fn discard(id: String, #[server(default)] version: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let viewer = viewer()?;
        let id = document_id(&id)?;
        backend()?.documents().discard(&viewer, id, &version).await?;
        Ok(Outcome::Done { to: "/desk?discarded=1".to_owned(), reload: true })
    }
    .await;
    Submitted::new("discard", &[]).settle(result).await
}

/// The saved versions of a document; `version` to show one, `with` to compare it with another.
#[server(prefix = "/api", endpoint = "documents/revisions", input = GetUrl)]
pub async fn revisions(id: String, version: Option<String>, with: Option<String>) -> Result<RevisionsPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let viewer = viewer()?;
            let number = |text: Option<String>| known_part(text, |text| text.parse::<u32>().ok());
            let (version, with) = (number(version)?, number(with)?);
            Ok::<_, AppError>(backend()?.documents().revisions(&viewer, document_id(&id)?, version, with).await?)
        }
        .await,
    )
}

/// Saves an earlier version as the newest one.
#[server(prefix = "/api", endpoint = "documents/restore")]
pub async fn restore(id: String, version: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let viewer = viewer()?;
        let id = document_id(&id)?;
        backend()?.documents().restore(&viewer, id, known(&version)?).await?;
        Ok(Outcome::Done { to: format!("/desk/{id}?restored=1"), reload: true })
    }
    .await;
    Submitted::new("restore", &[]).settle(result).await
}

/// The rules of a unit's desk.
#[server(prefix = "/api", endpoint = "documents/rules", input = GetUrl)]
pub async fn rules(unit: String) -> Result<DeskRules, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let viewer = viewer()?;
            Ok::<_, AppError>(backend()?.documents().rules(&viewer, known(&unit)?).await?)
        }
        .await,
    )
}

/// Sets whether authors may approve their own texts (`own_approval` is `yes`).
#[server(prefix = "/api", endpoint = "documents/set_rules")]
pub async fn set_rules(unit: String, #[server(default)] own_approval: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let viewer = viewer()?;
        let unit = known(&unit)?;
        backend()?.documents().set_rules(&viewer, unit, own_approval == "yes").await?;
        Ok(Outcome::Done { to: format!("/desk/rules/{unit}?saved=1"), reload: true })
    }
    .await;
    Submitted::new("rules", &[]).settle(result).await
}

/// The query parameter that explains why the stored parts of the audience differ from the selected ones: `whole` if all were
/// selected, or the number `nested` in another selected part.
async fn changed_parts(viewer: &Viewer, id: DocumentId, typed: &[String]) -> Option<(&'static str, String)> {
    use crate::context::request::backend;

    if typed.is_empty() {
        return None;
    }
    // The text is saved; an error here only hides the explanation.
    let draft = backend().ok()?.documents().draft(viewer, id).await.ok()?.draft;
    // Parts that are excepted as well are left out on purpose.
    if !draft.except.is_empty() {
        return None;
    }
    let stored = draft.parts;
    if stored.is_empty() {
        return Some(("whole", "1".to_owned()));
    }
    let is_stored = |typed: &str| stored.iter().any(|part| part.id.to_string() == typed);
    let units = typed.iter().filter(|typed| UnitKind::from_key(typed).is_none());
    let nested = units.filter(|typed| !is_stored(typed)).collect::<BTreeSet<_>>().len();
    (nested > 0).then(|| ("nested", nested.to_string()))
}

/// After `Problem::Stale` the form is based on the newest version: once the editor has compared the two, as the message asks, the
/// same button saves.
async fn on_newest_version(mut error: AppError, viewer: &Viewer, id: &str) -> Result<AppError, AppError> {
    use crate::context::request::backend;

    if let Some(form) = &mut error.form
        && form.is_stale()
    {
        let newest = backend()?.documents().draft(viewer, document_id(id)?).await?.draft.version;
        form.values.insert("version".to_owned(), newest.to_string());
    }
    Ok(error)
}
