//! The library: documents that reach the viewer, newest first.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::library_fns::library;
use crate::rendered::show_rendered;

#[component]
pub fn LibraryPage() -> impl IntoView {
    let query = use_query_map();
    show_rendered(
        move || query.with(|query| ["kind", "level", "field", "unit", "year", "after"].map(|key| query.get(key))),
        |[kind, level, field, unit, year, after]| library(kind, level, field, unit, year, after),
    )
}
