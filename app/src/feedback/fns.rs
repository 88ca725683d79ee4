//! Server functions of opinions.

use domain::{
    documents::OpinionInvitation,
    feedback::{BranchOpinions, Opinion, OpinionList},
    forms::Outcome,
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;
#[cfg(feature = "ssr")]
use crate::error::known;

/// Data shown before an opinion on `document` is written.
#[server(prefix = "/api", endpoint = "feedback/invitation", input = GetUrl)]
pub async fn invitation(document: String) -> Result<OpinionInvitation, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let document = known(&document)?;
        Ok::<_, AppError>(backend()?.documents().invitation(&viewer, document).await?)
    };
    respond(result.await)
}

/// Sends an opinion. Idempotent: the same `opinion` id with the same text is stored once.
#[server(prefix = "/api", endpoint = "feedback/send")]
pub async fn send_opinion(
    #[server(default)] opinion: String,
    #[server(default)] document: String,
    #[server(default)] audience: String,
    #[server(default)] text: String,
) -> Result<Outcome, AppError> {
    use backend::feedback::OpinionForm;

    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    // The id is returned with the text, so that a corrected form is still the same opinion.
    let form = Submitted::new("opinion", &[("opinion", &opinion), ("audience", &audience), ("text", &text)]);
    let result = async {
        let typed = OpinionForm { opinion: &opinion, document: &document, audience: &audience, text: &text };
        let id = backend()?.feedback().send(&viewer()?, typed).await?;
        Ok(Outcome::Done { to: format!("/opinions/{id}?sent=1"), reload: false })
    }
    .await;
    form.settle(result).await
}

/// One of the viewer's own opinions.
#[server(prefix = "/api", endpoint = "feedback/receipt", input = GetUrl)]
pub async fn receipt(opinion: String) -> Result<Opinion, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let opinion = known(&opinion)?;
        Ok::<_, AppError>(backend()?.feedback().receipt(&viewer, opinion).await?)
    };
    respond(result.await)
}

/// The viewer's own opinions, newest first, older than `after`.
#[server(prefix = "/api", endpoint = "feedback/own", input = GetUrl)]
pub async fn own_opinions(after: Option<String>) -> Result<OpinionList, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let after = after.as_deref().map(known).transpose()?;
        Ok::<_, AppError>(backend()?.feedback().own(&viewer, after).await?)
    };
    respond(result.await)
}

/// The opinions received by the viewer's office: the unanswered ones, oldest first, or with `show=all` all of them, newest first.
/// `after` is the cursor of the previous page.
#[server(prefix = "/api", endpoint = "feedback/received", input = GetUrl)]
pub async fn received_opinions(show: Option<String>, after: Option<String>) -> Result<BranchOpinions, AppError> {
    use domain::feedback::ReceivedShown;

    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let shown = ReceivedShown::from_key(show.as_deref());
        let after = after.as_deref().map(known).transpose()?;
        Ok::<_, AppError>(backend()?.feedback().received(&viewer, shown, after).await?)
    };
    respond(result.await)
}

/// An opinion received by the viewer's office. Marks it as seen for its author; idempotent.
#[server(prefix = "/api", endpoint = "feedback/open", input = GetUrl)]
pub async fn open_opinion(opinion: String) -> Result<Opinion, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };

    let result = async {
        let viewer = viewer()?;
        let opinion = known(&opinion)?;
        Ok::<_, AppError>(backend()?.feedback().open(&viewer, opinion).await?)
    };
    respond(result.await)
}

#[server(prefix = "/api", endpoint = "feedback/answer")]
pub async fn answer_opinion(#[server(default)] opinion: String, #[server(default)] text: String) -> Result<Outcome, AppError> {
    use crate::{
        context::request::{backend, viewer},
        forms::Submitted,
    };

    let form = Submitted::new("answer", &[("text", &text)]);
    let result = async {
        let id = backend()?.feedback().answer(&viewer()?, &opinion, &text).await?;
        Ok(Outcome::Done { to: format!("/branch/{id}?answered=1"), reload: true })
    }
    .await;
    form.settle(result).await
}
