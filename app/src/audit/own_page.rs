//! Events of the viewer's own record.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{fns::own, trail_page::entries};
use crate::{
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Breadcrumbs, Crumb, PageHeader, Pager},
};

#[component]
pub fn OwnTrailPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let data = Resource::new(move || query.with(|query| query.get("before")), own);
    show(data, move |trail| {
        let next = trail.next.map(|next| format!("/record/trail?before={next}"));
        let crumbs = vec![Crumb::link(text::audit::own_record(l), "/record"), Crumb::here(text::audit::own_title(l))];
        view! {
            <Title text=text::audit::own_title(l)/>
            <div class="page">
                <Breadcrumbs label=text::audit::way(l) crumbs/>
                <PageHeader title=text::audit::own_title(l) lead=text::audit::own_lead(l)/>
                {entries(l, trail.entries, false)}
                <Pager next_href=next label=text::audit::show_more(l)/>
            </div>
        }
        .into_any()
    })
}
