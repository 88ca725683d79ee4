//! Server functions for writing: preview, conversion of pasted content, unsaved input.
//!
//! Most are called by the desk's script during typing, and by nothing else.

use domain::{
    difference::DiffPiece,
    forms::Outcome,
    writing::{self, Kept, Writing},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::{documents::library_fns::server::document_id, error::AppError};

/// A text as readers will see it.
#[server(prefix = "/api", endpoint = "documents/preview")]
pub async fn preview(#[server(default)] body: String) -> Result<writing::Preview, AppError> {
    use crate::context::request::{backend, viewer};

    respond_with_message(async { Ok::<_, AppError>(backend()?.documents().preview(&viewer()?, body).await?) }.await)
}

/// The audience of an unsaved form, as a sentence.
#[server(prefix = "/api", endpoint = "documents/reach")]
pub async fn reach(
    audience: String,
    #[server(default)] parts: Vec<String>,
    #[server(default)] except: Vec<String>,
    #[server(default)] standings: String,
) -> Result<String, AppError> {
    use backend::documents::ReachForm;

    use crate::{
        context::request::{backend, request_context, viewer},
        terms, text,
    };

    respond_with_message(
        async {
            let form = ReachForm { audience: &audience, parts: &parts, except: &except, standings: &standings };
            let reach = backend()?.documents().reach_of(&viewer()?, form).await?;
            let l = request_context().map(|context| context.page.preferences.locale).unwrap_or_default();
            Ok::<_, AppError>(text::desk::reach_now(l, terms::reach(l, reach)))
        }
        .await,
    )
}

/// Converts pasted HTML to Markdown.
#[server(prefix = "/api", endpoint = "documents/convert_html")]
pub async fn convert_html(#[server(default)] html: String) -> Result<String, AppError> {
    use crate::context::request::{backend, viewer};

    respond_with_message(async { Ok::<_, AppError>(backend()?.documents().from_html(&viewer()?, html).await?) }.await)
}

/// Stores the current values of the form.
#[server(prefix = "/api", endpoint = "documents/keep_typed")]
pub async fn keep_typed(
    id: String,
    version: String,
    #[server(default)] title: String,
    #[server(default)] body: String,
) -> Result<Kept, AppError> {
    use backend::documents::TypedForm;

    use crate::context::request::{backend, viewer};

    let form = TypedForm { id: &id, version: &version, title: &title, body: &body };
    respond_with_message(async { Ok::<_, AppError>(backend()?.documents().keep_typed(&viewer()?, form).await?) }.await)
}

/// Records that the viewer still has a draft open.
#[server(prefix = "/api", endpoint = "documents/still_writing")]
pub async fn still_writing(id: String) -> Result<Kept, AppError> {
    use crate::context::request::{backend, viewer};

    respond_with_message(
        async {
            let viewer = viewer()?;
            Ok::<_, AppError>(backend()?.documents().still_writing(&viewer, document_id(&id)?).await?)
        }
        .await,
    )
}

/// The viewer's unsaved input for a draft, and its concurrent editors.
#[server(prefix = "/api", endpoint = "documents/begin_writing", input = GetUrl)]
pub async fn begin_writing(id: String) -> Result<Writing, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let viewer = viewer()?;
            Ok::<_, AppError>(backend()?.documents().begin_writing(&viewer, document_id(&id)?).await?)
        }
        .await,
    )
}

/// The viewer's unsaved input for documents that were never saved.
#[server(prefix = "/api", endpoint = "documents/unfinished", input = GetUrl)]
pub async fn unfinished() -> Result<Writing, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.documents().unfinished(&viewer()?).await?) }.await)
}

/// The viewer's unsaved input for all documents.
#[server(prefix = "/api", endpoint = "documents/unsaved", input = GetUrl)]
pub async fn unsaved() -> Result<Vec<writing::Unsaved>, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(async { Ok::<_, AppError>(backend()?.documents().unsaved(&viewer()?).await?) }.await)
}

/// Whether the viewer has unsaved input: for the document, or for any if none is named.
#[server(prefix = "/api", endpoint = "documents/has_unsaved", input = GetUrl)]
pub async fn has_unsaved(document: Option<String>) -> Result<bool, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let viewer = viewer()?;
            let document = document.as_deref().map(document_id).transpose()?;
            Ok::<_, AppError>(backend()?.documents().has_unsaved(&viewer, document).await?)
        }
        .await,
    )
}

/// The difference between the typed and the stored text of a draft.
#[server(prefix = "/api", endpoint = "documents/conflict")]
pub async fn conflict(id: String, #[server(default)] body: String) -> Result<Vec<DiffPiece>, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    respond(
        async {
            let viewer = viewer()?;
            Ok::<_, AppError>(backend()?.documents().conflict(&viewer, document_id(&id)?, body).await?)
        }
        .await,
    )
}

/// Discards the viewer's unsaved input. `from` is the page with the form: `new`, `unsaved`, or empty for the draft.
#[server(prefix = "/api", endpoint = "documents/forget_typed")]
pub async fn forget_typed(id: String, #[server(default)] from: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let result = async {
        let viewer = viewer()?;
        let id = document_id(&id)?;
        backend()?.documents().forget_typed(&viewer, id).await?;
        let to = match &*from {
            "new" => "/desk/new".to_owned(),
            "unsaved" => "/desk/unsaved".to_owned(),
            _ => format!("/desk/{id}"),
        };
        Ok(Outcome::Done { to, reload: true })
    }
    .await;
    Submitted::new("forget", &[]).settle(result).await
}

/// As `respond`, with a message that says what is wrong, because the script shows it unchanged.
fn respond_with_message<T>(result: Result<T, AppError>) -> Result<T, AppError> {
    use crate::{context::request::request_context, error::respond, terms};

    respond(result).map_err(|mut error| {
        let locale = request_context().map(|context| context.page.preferences.locale).unwrap_or_default();
        if let Some(found) = error.fields.first() {
            error.message = terms::problem(locale, &found.problem);
        }
        error
    })
}
