//! How the browser half leaves for a page of the server.

use leptos::prelude::*;

/// Loads the page from the server, in the place the router gives it in the history: it must not be there twice, or going back
/// leads to itself.
#[component]
pub(super) fn ByServer() -> impl IntoView {
    let here = leptos_router::hooks::use_location();
    Effect::new(move || {
        let address = format!("{}{}", here.pathname.get_untracked(), search(&here.search.get_untracked()));
        // Fails for an address the browser cannot parse; one it is at already never is.
        let _ = window().location().replace(&address);
    });
    crate::page::waiting()
}

fn search(query: &str) -> String {
    if query.is_empty() { String::new() } else { format!("?{}", query.trim_start_matches('?')) }
}
