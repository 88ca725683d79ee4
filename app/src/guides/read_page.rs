//! One guide.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::fns::read;
use crate::{
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Breadcrumbs, Crumb, PageHeader},
};

#[component]
pub fn GuidePage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let data = Resource::new(
        move || params.with(|params| params.get("slug").unwrap_or_default()),
        move |slug| read(slug, l.tag().to_owned()),
    );
    show(data, move |guide| {
        let crumbs = vec![Crumb::link(text::guides::title(l), "/guides"), Crumb::here(guide.title.clone())];
        view! {
            <Title text=guide.title.clone()/>
            <div class="page">
                <Breadcrumbs label=text::guides::way(l) crumbs/>
                <PageHeader title=guide.title lead=guide.lead/>
                <div class="prose guide" inner_html=guide.html></div>
            </div>
        }
        .into_any()
    })
}
