//! The page of a document.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::library_fns::read;
use crate::rendered::show_rendered;

#[component]
pub fn ReadPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let asked = move || (params.read().get("id").unwrap_or_default(), query.read().get("look"));
    show_rendered(asked, |(id, look)| read(id, look))
}
