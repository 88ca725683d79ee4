//! Finding a unit.

use domain::{Locale, units};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{fns::list, unit_row};
use crate::{
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{Button, ButtonKind, EmptyState, IconName, PageHeader, RowList},
};

#[component]
pub fn UnitsPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let words = Memo::new(move |_| query.read().get("q").filter(|words| !words.trim().is_empty()));
    let data = Resource::new(move || words.get(), list);
    show(data, move |page| {
        let asked = words.get_untracked();
        view! {
            <Title text=text::units::title(l)/>
            <div class="page">
                <PageHeader title=text::units::title(l) lead=text::units::lead(l)/>
                {search(l, "/units", text::units::search(l), asked.clone())}
                {found(l, page, asked)}
            </div>
        }
        .into_any()
    })
}

/// A search that is an address: it works without script and can be kept as a bookmark.
pub(super) fn search(l: Locale, action: &str, label: &'static str, asked: Option<String>) -> AnyView {
    view! {
        <form class="search" role="search" method="get" action=action.to_owned()>
            <label class="visually-hidden" for="q">{label}</label>
            <input class="input" type="search" name="q" id="q" value=asked.unwrap_or_default() placeholder=label/>
            <Button kind=ButtonKind::Secondary icon=IconName::Search>{text::units::go_search(l)}</Button>
        </form>
    }
    .into_any()
}

fn found(l: Locale, page: units::UnitsPage, asked: Option<String>) -> AnyView {
    if page.units.is_empty() {
        return view! {
            <EmptyState title=text::units::none_found_title(l) text=text::units::none_found(l) icon=IconName::Layers/>
        }
        .into_any();
    }
    let heading = asked.map(|words| view! { <h2>{text::units::found(l, words)}</h2> });
    let rows = page.units.into_iter().map(|row| unit_row(l, row)).collect_view();
    let more = page.more.then(|| view! { <p class="muted">{text::units::more_found(l)}</p> });
    view! {
        <section class="stack-tight">
            {heading}
            <RowList>{rows}</RowList>
            {more}
        </section>
    }
    .into_any()
}
