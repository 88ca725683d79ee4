//! The current request: what the server passes to pages and server functions.

use std::{net::IpAddr, sync::Arc};

use backend::{Backend, accounts::Origin};
use domain::{accounts::Viewer, home::Pending};
use http::request::Parts;
use leptos::prelude::*;

use super::PageContext;
use crate::{
    acting::actions_at,
    error::{AppError, Kind},
};

/// Data of one request, inserted into its extensions by the server before routing.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    pub page: PageContext,
    /// The session token, for signing out.
    pub token: Option<String>,
    /// The public address without a trailing slash: from the configuration, never from the request.
    pub site: Arc<str>,
    /// Short form of `User-Agent`, for the list of sessions.
    pub device: String,
    /// Client address; `None` when the request did not arrive over a network.
    pub address: Option<IpAddr>,
    /// The secret of a device with an earlier sign-in.
    pub known_device: Option<String>,
    /// The secret of an activation.
    pub activation: Option<String>,
    /// The secret of the sheet of codes that was just issued.
    pub sheet: Option<String>,
    /// The person's pending items, if the requested page shows them in its frame.
    pub pending: Option<Pending>,
}

impl RequestContext {
    /// The keys of the rate limits.
    pub fn origin(&self) -> Origin {
        Origin { address: self.address, device: self.known_device.clone(), session: self.token.clone() }
    }
}

pub fn request_context() -> Option<RequestContext> {
    use_context::<Parts>()?.extensions.get::<RequestContext>().cloned()
}

/// # Errors
/// [`Kind::Internal`] outside a request, which is a programming error.
pub fn backend() -> Result<Backend, AppError> {
    use_context::<Backend>().ok_or_else(|| AppError::new(Kind::Internal))
}

/// The token of the current session.
///
/// # Errors
/// [`Kind::NotSignedIn`].
pub fn token() -> Result<String, AppError> {
    request_context().and_then(|context| context.token).ok_or_else(|| AppError::new(Kind::NotSignedIn))
}

/// The viewer's pending items: those in the frame of the page, or counted now.
///
/// # Errors
/// Those of the use-case.
pub async fn pending(viewer: &Viewer) -> Result<Pending, AppError> {
    match request_context().and_then(|context| context.pending) {
        Some(pending) => Ok(pending),
        None => Ok(backend()?.home().count_pending(viewer).await?),
    }
}

/// The signed-in person; on list pages of their offices limited to the acting unit.
///
/// # Errors
/// [`Kind::NotSignedIn`].
pub fn viewer() -> Result<Viewer, AppError> {
    let page = request_context().map(|context| context.page).unwrap_or_default();
    let viewer = page.viewer.ok_or_else(|| AppError::new(Kind::NotSignedIn))?;
    let Some((unit, request)) = page.acting_for.zip(use_context::<Parts>()) else { return Ok(viewer) };
    let path = match request.uri.path() {
        // Server functions that the browser calls for the data of these pages.
        "/api/feedback/received" => "/branch",
        "/api/statistics/page" => "/committee",
        path => path,
    };
    let actions = actions_at(path, request.uri.query().unwrap_or_default()).unwrap_or_default();
    Ok(viewer.acting_for(actions, unit))
}
