use domain::meetings::{MeetingPage, MeetingsPage};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::error::AppError;

/// The meetings of the viewer's units.
#[server(name = ListMeetings, prefix = "/api", endpoint = "meetings/list", input = GetUrl)]
pub async fn list() -> Result<MeetingsPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::respond,
    };
    respond(async { Ok::<_, AppError>(backend()?.meetings().list(&viewer()?).await?) }.await)
}

/// One meeting with its agenda.
#[server(name = ReadMeeting, prefix = "/api", endpoint = "meetings/read", input = GetUrl)]
pub async fn read(id: String) -> Result<MeetingPage, AppError> {
    use crate::{
        context::request::{backend, viewer},
        error::{known, respond},
    };
    respond(
        async {
            let viewer = viewer()?;
            Ok::<_, AppError>(backend()?.meetings().read(&viewer, known(&id)?).await?)
        }
        .await,
    )
}
