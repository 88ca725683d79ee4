//! Data that every page has: the viewer and the display settings. The same on the server and, after hydration, in the browser.

use domain::{
    accounts::{Preferences, Provider, Viewer},
    forms::FormErrors,
    ids::UnitId,
    terms::Pack,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{frame::Badge, i18n::content_lang};

#[cfg(feature = "ssr")]
pub mod request;

/// Data for the frame of a page. Sent with the page, so that the browser's first render equals the server's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageContext {
    pub viewer: Option<Viewer>,
    pub preferences: Preferences,
    /// A rejected form, when script is off.
    pub echo: Option<FormErrors>,
    /// External identity providers, for visitors who are not signed in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<Provider>,
    /// The acting unit, as chosen by a person with offices on several units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<UnitId>,
    /// Numbers of pending items for the navigation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub badges: Vec<Badge>,
}

/// Provides the page's context; called once, at the root.
pub fn provide_page() {
    // First, because the page names levels of the pack. The server has set its own at the start.
    let pack = SharedValue::new(read_pack).into_inner();
    #[cfg(not(feature = "ssr"))]
    crate::text::use_pack(pack);
    #[cfg(feature = "ssr")]
    drop(pack);
    let page = SharedValue::new(read_page).into_inner();
    provide_context(StoredValue::new(page.echo.clone()));
    provide_context(content_lang(page.preferences.locale));
    provide_context(page);
}

/// # Panics
/// Never: the root component provides the context before any page renders.
pub fn use_page() -> PageContext {
    use_context().unwrap_or_default()
}

pub fn use_viewer() -> Option<Viewer> {
    use_page().viewer
}

/// The problems of a form that was sent without script. Returned once: a later page does not show them again.
pub fn take_echo(form: &str) -> Option<FormErrors> {
    let echo = use_context::<StoredValue<Option<FormErrors>>>()?;
    let fits = echo.with_value(|found| found.as_ref().is_some_and(|found| found.form == form));
    if fits { echo.try_update_value(Option::take).flatten() } else { None }
}

#[cfg(not(feature = "ssr"))]
fn read_pack() -> Pack {
    Pack::default()
}

#[cfg(feature = "ssr")]
fn read_pack() -> Pack {
    crate::text::installed_pack()
}

#[cfg(not(feature = "ssr"))]
fn read_page() -> PageContext {
    PageContext::default()
}

#[cfg(feature = "ssr")]
fn read_page() -> PageContext {
    request::request_context().map(|context| context.page).unwrap_or_default()
}
