//! The viewer's personal lists: must-read, unread, begun, bookmarked, recent.

use domain::{
    Locale,
    documents::{PersonalList, PersonalListPage as Page, PersonalListRow},
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    document_row::document_meta,
    library_fns::read_personal_list,
    library_view::{list_chips, list_name},
};
use crate::{
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{Breadcrumbs, Chips, Crumb, EmptyState, IconName, LinkButton, ListRow, PageHeader, Pager, RowList, Tag, Tone},
};

#[component]
pub(crate) fn PersonalListPage() -> impl IntoView {
    let l = use_locale();
    let (params, query) = (use_params_map(), use_query_map());
    let data = Resource::new(
        move || (params.read().get("list").unwrap_or_default(), query.read().get("after")),
        |(list, after)| read_personal_list(list, after),
    );
    show(data, move |page| {
        let name = list_name(l, page.list);
        let crumbs = vec![Crumb::link(text::frame::library(l), "/library"), Crumb::here(name)];
        view! {
            <Title text=name/>
            <div class="page">
                <Breadcrumbs label=text::documents::way(l) crumbs/>
                <PageHeader title=name lead=lead(l, page.list)/>
                <Chips label=text::reading::lists(l) chips=list_chips(l, Some(page.list))/>
                {rows(l, page)}
            </div>
        }
        .into_any()
    })
}

fn rows(l: Locale, page: Page) -> AnyView {
    let Page { list, rows, next, today } = page;
    if rows.is_empty() {
        let (title, explained) = nothing(l, list);
        return view! {
            <EmptyState title=title text=explained icon=IconName::Book>
                <LinkButton href="/library">{text::reading::to_library(l)}</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    let next = next.map(|after| format!("/shelf/{}?after={after}", list.key()));
    let rows = rows.into_iter().map(|row| list_row(l, list, row, today)).collect_view();
    view! {
        <RowList>{rows}</RowList>
        <Pager next_href=next label=text::documents::show_more(l)/>
    }
    .into_any()
}

fn list_row(l: Locale, list: PersonalList, row: PersonalListRow, today: chrono::NaiveDate) -> AnyView {
    let PersonalListRow { document, percent, on, withdrawn } = row;
    let when = on.map(|day| match list {
        PersonalList::Bookmarks => text::reading::marked_on(l, l.date(day)),
        _ => text::reading::opened_on(l, l.date(day)),
    });
    let meta = document_meta(l, &document).and(when);
    let must = document.must_read_by.filter(|_| !withdrawn).map(|day| {
        let is_late = !document.read && day < today;
        let label =
            if is_late { text::reading::must_read_since(l, l.date(day)) } else { text::reading::must_read_by(l, l.date(day)) };
        let tone = if document.is_read() { Tone::Plain } else { Tone::Warn };
        view! { <Tag tone icon=IconName::Clock label/> }
    });
    let part = percent.map(|percent| view! { <Tag tone=Tone::Info label=text::reading::read_part(l, l.number(percent))/> });
    let done = (document.is_read() && list == PersonalList::MustRead)
        .then(|| view! { <Tag tone=Tone::Ok icon=IconName::Check label=text::reading::was_read(l)/> });
    let gone = withdrawn.then(|| view! { <Tag tone=Tone::Warn icon=IconName::Info label=text::reading::withdrawn(l)/> });
    let asked = document.reminded.as_ref().map(|reminded| {
        view! { <Tag tone=Tone::Warn icon=IconName::Clock label=text::readers::reminded_by(l, l.date(reminded.on), &reminded.by)/> }
    });
    let corrected = document.corrected_on.map(|day| {
        view! { <Tag tone=Tone::Warn icon=IconName::Pencil label=text::documents::corrected_on(l, l.date(day))/> }
    });
    let marks = corrected.is_some() || asked.is_some() || must.is_some() || part.is_some() || done.is_some() || gone.is_some();
    let marks = marks.then(|| view! { {corrected} {asked} {must} {done} {part} {gone} });
    let (href, eyebrow) = (format!("/library/{}", document.id), terms::document_kind(l, document.kind));
    let unread = !document.read;
    match marks {
        Some(marks) => view! { <ListRow href title=document.title eyebrow meta unread>{marks}</ListRow> }.into_any(),
        None => view! { <ListRow href title=document.title eyebrow meta unread/> }.into_any(),
    }
}

fn lead(l: Locale, list: PersonalList) -> &'static str {
    match list {
        PersonalList::MustRead => text::reading::must_read_lead(l),
        PersonalList::Unread => text::reading::unread_lead(l),
        PersonalList::Continue => text::reading::go_on_lead(l),
        PersonalList::Bookmarks => text::reading::bookmarks_lead(l),
        PersonalList::Recent => text::reading::recent_lead(l),
    }
}

fn nothing(l: Locale, list: PersonalList) -> (&'static str, &'static str) {
    match list {
        PersonalList::MustRead => (text::reading::must_read_none(l), text::reading::must_read_none_text(l)),
        PersonalList::Unread => (text::reading::unread_none(l), text::reading::unread_none_text(l)),
        PersonalList::Continue => (text::reading::go_on_none(l), text::reading::go_on_none_text(l)),
        PersonalList::Bookmarks => (text::reading::bookmarks_none(l), text::reading::bookmarks_none_text(l)),
        PersonalList::Recent => (text::reading::recent_none(l), text::reading::recent_none_text(l)),
    }
}
