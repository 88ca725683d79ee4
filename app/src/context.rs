//! What every page knows: who is looking and how they want it. The same on the server and, after hydration, in the browser.

use domain::{
    accounts::{Preferences, Provider, Viewer},
    forms::FormErrors,
    ids::UnitId,
    terms::Terms,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{frame::Badge, i18n::content_lang};

/// The frame of a visit. Sent with the page, so that the browser's first render equals the server's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageContext {
    pub viewer: Option<Viewer>,
    pub preferences: Preferences,
    /// What the organisation calls its levels, roles and members.
    #[serde(default, skip_serializing_if = "Terms::is_default")]
    pub terms: Terms,
    /// A form that came back with problems, when script is off.
    pub echo: Option<FormErrors>,
    /// Who else vouches for people who are not signed in yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<Provider>,
    /// The unit the person chose to act for, of those they hold an office on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<UnitId>,
    /// How much waits at the places in the frame.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub badges: Vec<Badge>,
}

/// Puts the visit's context in place; once, at the root.
pub fn provide_page() {
    let page = SharedValue::new(read_page).into_inner();
    provide_context(StoredValue::new(page.echo.clone()));
    // The server chose it at its start.
    #[cfg(not(feature = "ssr"))]
    crate::text::use_pack(page.terms);
    provide_context(content_lang(page.preferences.locale));
    provide_context(page);
}

/// # Panics
/// Never: the root component provides it before any page runs.
pub fn use_page() -> PageContext {
    use_context().unwrap_or_default()
}

pub fn use_viewer() -> Option<Viewer> {
    use_page().viewer
}

/// The problems of this form when it came back without script. Each is shown once: a later page does not find them.
pub fn take_echo(form: &str) -> Option<FormErrors> {
    let echo = use_context::<StoredValue<Option<FormErrors>>>()?;
    let fits = echo.with_value(|found| found.as_ref().is_some_and(|found| found.form == form));
    if fits { echo.try_update_value(Option::take).flatten() } else { None }
}

#[cfg(not(feature = "ssr"))]
fn read_page() -> PageContext {
    PageContext::default()
}

#[cfg(feature = "ssr")]
fn read_page() -> PageContext {
    server::visit().map(|visit| visit.page).unwrap_or_default()
}

/// What the server hands to pages and server functions.
#[cfg(feature = "ssr")]
pub mod server {
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

    /// One request's visit, put into its extensions by the server before any route runs.
    #[derive(Debug, Clone, Default)]
    pub struct Visit {
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
        /// The secret of a visit to a door of the first sign-in.
        pub door: Option<String>,
        /// The secret of the sheet of codes that was just issued.
        pub sheet: Option<String>,
        /// What waits for the person, where a page is asked for that tells it in its frame.
        pub pending: Option<Pending>,
    }

    impl Visit {
        /// By what guessing is limited.
        pub fn origin(&self) -> Origin {
            Origin { address: self.address, device: self.known_device.clone(), session: self.token.clone() }
        }
    }

    pub fn visit() -> Option<Visit> {
        use_context::<Parts>()?.extensions.get::<Visit>().cloned()
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
        visit().and_then(|visit| visit.token).ok_or_else(|| AppError::new(Kind::NotSignedIn))
    }

    /// What waits for this person: what the frame of the page tells, or counted now.
    ///
    /// # Errors
    /// Those of the use-case.
    pub async fn pending(viewer: &Viewer) -> Result<Pending, AppError> {
        match visit().and_then(|visit| visit.pending) {
            Some(pending) => Ok(pending),
            None => Ok(backend()?.home().count_pending(viewer).await?),
        }
    }

    /// The signed-in person; at a place of their offices, acting for the unit they chose.
    ///
    /// # Errors
    /// [`Kind::NotSignedIn`].
    pub fn viewer() -> Result<Viewer, AppError> {
        let page = visit().map(|visit| visit.page).unwrap_or_default();
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
}
