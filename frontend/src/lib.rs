//! The WebAssembly entry: takes over the page that the server sent.

use leptos::{
    mount::hydrate_from,
    prelude::document,
    wasm_bindgen::{JsCast as _, prelude::wasm_bindgen},
};

/// Called by `scripts/start.js` once the module is there.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    // Never missing in a page of ours; without it the page stays as the server sent it.
    if let Some(root) = document().get_element_by_id(app::ROOT) {
        hydrate_from(root.unchecked_into(), app::App).forget();
    }
}
