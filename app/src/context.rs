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

#[cfg(feature = "ssr")]
pub mod request;

/// What the frame of a page needs. Sent with the page, so that the browser's first render equals the server's.
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

/// Puts the page's context in place; once, at the root.
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
    request::request_context().map(|context| context.page).unwrap_or_default()
}
