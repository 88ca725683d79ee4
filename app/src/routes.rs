//! The application: the frame and the page.

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
    // Effects run in the browser only: styles and tests can detect that the page is hydrated.
    Effect::new(|| {
        if let Some(root) = document().document_element() {
            // Fails for an invalid attribute name only.
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
