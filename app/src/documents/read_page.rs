//! Reading one document.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::library_fns::read;
use crate::rendered::show_rendered;

#[component]
pub fn ReadPage() -> impl IntoView {
    let params = use_params_map();
    show_rendered(move || params.with(|params| params.get("id").unwrap_or_default()), read)
}
