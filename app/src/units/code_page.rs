//! Leads from a code to the unit that has or had it.

use domain::{Locale, units::ByCode};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{address, fns::by_code, unit_row};
use crate::{
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Breadcrumbs, Crumb, PageHeader, RowList},
};

#[component]
pub fn CodePage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let data = Resource::new(move || params.read().get("code").unwrap_or_default(), by_code);
    show(data, move |page| {
        if let [only] = page.units.as_slice() {
            go_to(&address(&only.unit));
        }
        shown(l, page)
    })
}

/// Of several units, the viewer chooses one.
fn shown(l: Locale, page: ByCode) -> AnyView {
    let title = text::units::by_code_title(l, &page.code);
    let crumbs = vec![Crumb::link(text::units::title(l), "/units"), Crumb::here(title.clone())];
    let rows = page.units.into_iter().map(|row| unit_row(l, row)).collect_view();
    let more = page.more.then(|| view! { <p class="muted">{text::units::more_found(l)}</p> });
    view! {
        <Title text=title.clone()/>
        <div class="page">
            <Breadcrumbs label=text::units::trail(l) crumbs/>
            <PageHeader title lead=text::units::by_code_lead(l)/>
            <RowList>{rows}</RowList>
            {more}
        </div>
    }
    .into_any()
}

/// Redirects: the page is rendered by the server only.
#[cfg(feature = "ssr")]
fn go_to(address: &str) {
    leptos_axum::redirect(address);
}

#[cfg(not(feature = "ssr"))]
fn go_to(_: &str) {}
