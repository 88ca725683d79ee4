//! Documents that reach the viewer's whole unit, with the number of readers.

use domain::{
    Locale,
    documents::readers::{FollowedPage as Found, FollowedRow},
};
use leptos::prelude::*;

use super::fns::followed;
use crate::{
    documents::document_meta,
    i18n::use_locale,
    page::show,
    statistics::shares,
    terms, text,
    title::Title,
    ui::{Breadcrumbs, Crumb, EmptyState, IconName, Line, ListRow, PageHeader, RowList, Tag, Tone},
};

#[component]
pub(crate) fn FollowedPage() -> impl IntoView {
    let l = use_locale();
    let data = Resource::new(|| (), |()| followed());
    show(data, move |page| {
        let crumbs = vec![Crumb::link(text::frame::library(l), "/library"), Crumb::here(text::readers::title(l))];
        let unit = page.unit.name.clone();
        view! {
            <Title text=text::readers::title(l)/>
            <div class="page">
                <Breadcrumbs label=text::readers::way(l) crumbs/>
                <PageHeader title=text::readers::title(l) eyebrow=Line::name(unit) lead=text::readers::lead(l)/>
                {rows(l, page)}
            </div>
        }
        .into_any()
    })
}

fn rows(l: Locale, page: Found) -> AnyView {
    if page.rows.is_empty() {
        let (title, told) = (text::readers::none_title(l), text::readers::none(l));
        return view! { <EmptyState title text=told icon=IconName::Book/> }.into_any();
    }
    let some_hidden = page.rows.iter().any(|row| row.share.is_none());
    let explained = some_hidden.then(|| view! { <p class="muted small">{shares::hidden_because(l)}</p> });
    let rows = page.rows.into_iter().map(|row| row_of(l, row)).collect_view();
    view! {
        <RowList>{rows}</RowList>
        {explained}
    }
    .into_any()
}

fn row_of(l: Locale, FollowedRow { document, share }: FollowedRow) -> AnyView {
    let href = format!("/readers/{}", document.id);
    let meta = document_meta(l, &document);
    let must = document.must_read_by.map(|day| {
        view! { <Tag tone=Tone::Warn icon=IconName::Clock label=text::reading::must_read_by(l, l.date(day))/> }
    });
    let figure = share.map_or_else(
        || text::statistics::hidden(l).to_owned(),
        |share| format!("{}: {}", text::readers::have_read(l), shares::share_text(l, share)),
    );
    let tone = if share.is_some_and(|share| share.members > 0 && share.done == share.members) { Tone::Ok } else { Tone::Info };
    view! {
        <ListRow href title=document.title eyebrow=terms::document_kind(l, document.kind) meta>
            <Tag tone label=figure/>
            {must}
        </ListRow>
    }
    .into_any()
}
