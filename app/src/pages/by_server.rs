//! How the browser half loads a page of the server.

use leptos::prelude::*;

/// Loads the page from the server and replaces the history entry that the router creates: with two entries, going back would lead
/// to the same page.
#[component]
pub(super) fn ByServer() -> impl IntoView {
    let here = leptos_router::hooks::use_location();
    Effect::new(move || {
        let address = format!("{}{}", here.pathname.get_untracked(), search(&here.search.get_untracked()));
        // Fails for an address the browser cannot parse, which the current one never is.
        let _ = window().location().replace(&address);
    });
    crate::page::waiting()
}

fn search(query: &str) -> String {
    if query.is_empty() { String::new() } else { format!("?{}", query.trim_start_matches('?')) }
}
