//! The application: what stands around the page, and the page.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::Router;

use crate::{context::provide_page, frame::Frame, i18n::use_locale, pages::routes, text, title::TitleFormat, ui::RefusedForms};

/// The root of both halves: rendered by the server, hydrated by the browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_page();
    let name = text::frame::product(use_locale());
    provide_context(RefusedForms::default());
    // Effects run in the browser only: styles and tests can tell that the page has been taken over.
    Effect::new(|| {
        if let Some(root) = document().document_element() {
            // Refused for an ill-formed name only.
            let _ = root.set_attribute("data-hydrated", "true");
        }
    });
    view! {
        <TitleFormat product=name/>
        <Router>
            <Frame>
                {routes()}
            </Frame>
        </Router>
    }
}
