//! The WebAssembly entry point: hydrates the page sent by the server.

use leptos::{
    mount::hydrate_from,
    prelude::document,
    wasm_bindgen::{JsCast as _, prelude::wasm_bindgen},
};

/// Called by `scripts/start.js` once the module is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    // Always present in a page of this program; without it the page stays as the server sent it.
    if let Some(root) = document().get_element_by_id(app::ROOT) {
        hydrate_from(root.unchecked_into(), app::App).forget();
    }
}
