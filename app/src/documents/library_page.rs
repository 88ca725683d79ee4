//! The library: what reaches the viewer, newest first.

use domain::{
    Locale,
    documents::{self, DocumentKind, DocumentSummary, LibraryQuery},
    units::UnitKind,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{hooks::use_query_map, params::ParamsMap};

use super::fns::library;
use crate::{
    i18n::use_locale,
    page::show,
    terms, text,
    ui::{Button, ButtonKind, Chip, Chips, EmptyState, IconName, LinkButton, ListRow, PageHeader, Pager, RowList, Tag, Tone},
};

#[component]
pub fn LibraryPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let data = Resource::new(
        move || query.with(|query| (query.get("kind"), query.get("level"), query.get("after"))),
        |(kind, level, after)| library(kind, level, after),
    );
    show(data, move |page| {
        let asked = query.with_untracked(asked);
        view! {
            <Title text=text::frame::library(l)/>
            <div class="page">
                <PageHeader title=text::frame::library(l)/>
                {search_box(l)}
                <div class="stack-tight">
                    <Chips label=text::documents::kinds(l) chips=kind_chips(l, &asked)/>
                    <Chips label=text::documents::levels(l) chips=level_chips(l, &asked)/>
                </div>
                {results(l, page, &asked)}
            </div>
        }
        .into_any()
    })
}

/// Leads to the page of the server that searches.
fn search_box(l: Locale) -> AnyView {
    view! {
        <form class="search" role="search" method="get" action="/search">
            <label class="visually-hidden" for="q">{text::search::label(l)}</label>
            <input class="input" type="search" name="q" id="q" autocomplete="off" placeholder=text::search::title(l)/>
            <Button kind=ButtonKind::Secondary icon=IconName::Search>{text::search::submit(l)}</Button>
        </form>
    }
    .into_any()
}

fn results(l: Locale, page: documents::LibraryPage, asked: &LibraryQuery) -> AnyView {
    let newest = LibraryQuery { after: None, ..asked.clone() };
    if page.documents.is_empty() {
        return nothing(l, asked).into_any();
    }
    let next = page.next.map(|after| address(&LibraryQuery { after: Some(after), ..asked.clone() }));
    let back = asked.after.is_some().then(|| {
        view! {
            <p>
                <LinkButton href=address(&newest) kind=ButtonKind::Quiet icon=IconName::ArrowLeft>
                    {text::documents::to_newest(l)}
                </LinkButton>
            </p>
        }
    });
    let rows = page.documents.into_iter().map(|document| document_row(l, document)).collect_view();
    view! {
        {back}
        <RowList>{rows}</RowList>
        <Pager next_href=next label=text::documents::show_more(l)/>
    }
    .into_any()
}

/// A document in a list, here and on the first page.
pub(crate) fn document_row(l: Locale, document: DocumentSummary) -> AnyView {
    let href = format!("/library/{}", document.id);
    let eyebrow = terms::document_kind(l, document.kind);
    let meta = [
        document.number.map(|number| text::documents::number(l, number)),
        Some(document.issuer.name),
        document.published_on.map(|day| l.date(day)),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ");
    if document.read {
        view! { <ListRow href title=document.title eyebrow meta/> }.into_any()
    } else {
        view! {
            <ListRow href title=document.title eyebrow meta unread=true>
                <Tag tone=Tone::Accent label=text::documents::unread(l)/>
            </ListRow>
        }
        .into_any()
    }
}

fn nothing(l: Locale, asked: &LibraryQuery) -> impl IntoView {
    if *asked == LibraryQuery::default() {
        return view! { <EmptyState title=text::documents::empty_title(l) text=text::documents::empty(l) icon=IconName::Book/> }
            .into_any();
    }
    view! {
        <EmptyState title=text::documents::no_match_title(l) text=text::documents::no_match(l) icon=IconName::Book>
            <LinkButton href="/library" kind=ButtonKind::Secondary>{text::documents::show_all(l)}</LinkButton>
        </EmptyState>
    }
    .into_any()
}

/// Each filter keeps the other; a new filter starts from the newest again.
fn kind_chips(l: Locale, asked: &LibraryQuery) -> Vec<Chip> {
    let chip = |kind: Option<DocumentKind>, label: &str| Chip {
        label: label.to_owned(),
        href: address(&LibraryQuery { kind, level: asked.level, after: None }),
        current: asked.kind == kind,
    };
    let all = chip(None, text::documents::all_kinds(l));
    let kinds = DocumentKind::ALL.map(|kind| chip(Some(kind), terms::document_kind(l, kind)));
    [all].into_iter().chain(kinds).collect()
}

fn level_chips(l: Locale, asked: &LibraryQuery) -> Vec<Chip> {
    let chip = |level: Option<UnitKind>, label: &str| Chip {
        label: label.to_owned(),
        href: address(&LibraryQuery { kind: asked.kind, level, after: None }),
        current: asked.level == level,
    };
    let all = chip(None, text::documents::all_levels(l));
    let levels = UnitKind::ALL.map(|level| chip(Some(level), terms::unit_kind(l, level)));
    [all].into_iter().chain(levels).collect()
}

/// What the address asks for. What it should not contain, the server function has refused before.
fn asked(query: &ParamsMap) -> LibraryQuery {
    LibraryQuery {
        kind: query.get_str("kind").and_then(DocumentKind::from_key),
        level: query.get_str("level").and_then(UnitKind::from_key),
        after: query.get_str("after").and_then(|id| id.parse().ok()),
    }
}

fn address(query: &LibraryQuery) -> String {
    let parts: Vec<String> = [
        query.kind.map(|kind| format!("kind={}", kind.key())),
        query.level.map(|level| format!("level={}", level.key())),
        query.after.map(|after| format!("after={after}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() { "/library".to_owned() } else { format!("/library?{}", parts.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_only_what_is_asked_for() {
        assert_eq!(address(&LibraryQuery::default()), "/library");
        let both = LibraryQuery { kind: Some(DocumentKind::Resolution), level: Some(UnitKind::Province), after: None };
        assert_eq!(address(&both), "/library?kind=resolution&level=province");
    }

    #[test]
    fn a_filter_keeps_the_other_and_starts_from_the_newest() {
        let after = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().ok();
        let asked = LibraryQuery { kind: Some(DocumentKind::News), level: Some(UnitKind::Commune), after };
        let chips = kind_chips(Locale::En, &asked);
        assert_eq!(chips[0].href, "/library?level=commune");
        assert_eq!(chips[1].href, "/library?kind=resolution&level=commune");
        let current: Vec<_> = chips.iter().filter(|chip| chip.current).map(|chip| chip.label.as_str()).collect();
        assert_eq!(current, ["News"]);
        assert_eq!(level_chips(Locale::En, &asked)[0].href, "/library?kind=news");
    }
}
