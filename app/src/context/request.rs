//! The request that is answered: what the server hands to pages and server functions.

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

/// What is known of one request, put into its extensions by the server before any route runs.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    pub page: PageContext,
    /// The session's secret, for signing out.
    pub token: Option<String>,
    /// The address people use, without a slash at the end: never what a request claims.
    pub site: Arc<str>,
    /// `User-Agent` in a few words, for the list of sessions.
    pub device: String,
    /// Where the request comes from; none when it came through no network.
    pub address: Option<IpAddr>,
    /// The secret of a device on which somebody has signed in before.
    pub known_device: Option<String>,
    /// The secret of an activation.
    pub activation: Option<String>,
    /// The secret of the sheet of codes that was just issued.
    pub sheet: Option<String>,
    /// What waits for the person, where a page is asked for that tells it in its frame.
    pub pending: Option<Pending>,
}

impl RequestContext {
    /// By what guessing is limited.
    pub fn origin(&self) -> Origin {
        Origin { address: self.address, device: self.known_device.clone(), session: self.token.clone() }
    }
}

pub fn request_context() -> Option<RequestContext> {
    use_context::<Parts>()?.extensions.get::<RequestContext>().cloned()
}

/// # Errors
/// [`Kind::Internal`] outside a request; that is a mistake in the wiring.
pub fn backend() -> Result<Backend, AppError> {
    use_context::<Backend>().ok_or_else(|| AppError::new(Kind::Internal))
}

/// The secret of the device's session.
///
/// # Errors
/// [`Kind::NotSignedIn`].
pub fn token() -> Result<String, AppError> {
    request_context().and_then(|context| context.token).ok_or_else(|| AppError::new(Kind::NotSignedIn))
}

/// What waits for this person: what the frame of the page tells, or counted now.
///
/// # Errors
/// Those of the use-case.
pub async fn pending(viewer: &Viewer) -> Result<Pending, AppError> {
    match request_context().and_then(|context| context.pending) {
        Some(pending) => Ok(pending),
        None => Ok(backend()?.home().count_pending(viewer).await?),
    }
}

/// The signed-in person; at a place of their offices, acting for the unit they chose.
///
/// # Errors
/// [`Kind::NotSignedIn`].
pub fn viewer() -> Result<Viewer, AppError> {
    let page = request_context().map(|context| context.page).unwrap_or_default();
    let viewer = page.viewer.ok_or_else(|| AppError::new(Kind::NotSignedIn))?;
    let Some((unit, request)) = page.acting_for.zip(use_context::<Parts>()) else { return Ok(viewer) };
    let path = match request.uri.path() {
        // Where the browser half asks for what these pages show.
        "/api/feedback/received" => "/branch",
        "/api/statistics/page" => "/committee",
        path => path,
    };
    let actions = actions_at(path, request.uri.query().unwrap_or_default()).unwrap_or_default();
    Ok(viewer.acting_for(actions, unit))
}
