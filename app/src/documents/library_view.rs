//! The view of the library page: links to lists, filters, rows.

use domain::{
    Locale,
    documents::{DocumentField, DocumentKind, LibraryPage, LibraryQuery, PersonalList},
    policy::Action,
    units::UnitKind,
};
use leptos::prelude::*;

use super::document_row::document_row;
use crate::{
    context::request::viewer,
    terms, text,
    ui::{Button, ButtonKind, Chip, Chips, Choice, EmptyState, IconName, LinkButton, PageHeader, Pager, RowList, Select},
};

pub(super) fn library_view(l: Locale, page: LibraryPage, asked: &LibraryQuery) -> AnyView {
    view! {
        <PageHeader title=text::frame::library(l)/>
        {search_box(l)}
        <Chips label=text::reading::lists(l) chips=list_chips(l, None)/>
        <div class="stack-tight">
            <Chips label=text::documents::kinds(l) chips=kind_chips(l, asked)/>
            {filters(l, &page, asked)}
        </div>
        {results(l, page, asked)}
    }
    .into_any()
}

/// Links to the search page, which the server renders.
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

/// The member's personal lists; for leaders of a unit also the readers of documents.
pub(super) fn list_chips(l: Locale, current: Option<PersonalList>) -> Vec<Chip> {
    let chip = |list: PersonalList| Chip {
        label: list_name(l, list).to_owned(),
        href: format!("/shelf/{}", list.key()),
        current: current == Some(list),
    };
    let follows = viewer().is_ok_and(|viewer| !viewer.standpoint.top_units(Action::ReadStatistics).is_empty());
    let followed = Chip { label: text::readers::title(l).to_owned(), href: "/readers".to_owned(), current: false };
    PersonalList::ALL.map(chip).into_iter().chain(follows.then_some(followed)).collect()
}

pub(super) fn list_name(l: Locale, list: PersonalList) -> &'static str {
    match list {
        PersonalList::MustRead => text::reading::must_read(l),
        PersonalList::Unread => text::reading::unread(l),
        PersonalList::Continue => text::reading::go_on(l),
        PersonalList::Bookmarks => text::reading::bookmarks(l),
        PersonalList::Recent => text::reading::recent(l),
    }
}

/// A kind keeps the other filters and resets the cursor.
fn kind_chips(l: Locale, asked: &LibraryQuery) -> Vec<Chip> {
    let chip = |kind: Option<DocumentKind>, label: &str| Chip {
        label: label.to_owned(),
        href: address(&LibraryQuery { kind, after: None, ..asked.clone() }),
        current: asked.kind == kind,
    };
    let all = chip(None, text::documents::all_kinds(l));
    let kinds = DocumentKind::ALL.map(|kind| chip(Some(kind), terms::document_kind(l, kind)));
    [all].into_iter().chain(kinds).collect()
}

/// Expanded while a filter is set, so that active filters are always visible.
fn filters(l: Locale, page: &LibraryPage, asked: &LibraryQuery) -> AnyView {
    let all = |label: &str| Choice::new("", label);
    let with = |first: Choice, others: Vec<Choice>| [first].into_iter().chain(others).collect::<Vec<_>>();
    let levels = terms::issuing_levels(l).collect();
    let fields = DocumentField::ALL.map(|field| Choice::new(field.key(), terms::document_field(l, field))).into();
    let units = page.units.iter().map(|unit| Choice::name(unit.id.to_string(), unit.name.clone())).collect();
    let years = page.years.iter().map(|year| Choice::new(year.to_string(), l.digits(&year.to_string()))).collect();
    let is_open = LibraryQuery { kind: None, ..asked.clone() }.is_filtered();
    let kind = asked.kind.map(|kind| view! { <input type="hidden" name="kind" value=kind.key()/> });
    view! {
        <details class="search-filters" open=is_open>
            <summary>{text::search::filters(l)}</summary>
            <form class="search-choices" method="get" action="/library">
                {kind}
                <Select
                    label=text::search::level(l)
                    name="level"
                    choices=with(all(text::documents::all_levels(l)), levels)
                    value=asked.level.map(UnitKind::key)
                />
                <Select
                    label=text::reading::field(l)
                    name="field"
                    choices=with(all(text::reading::all_fields(l)), fields)
                    value=asked.field.map(DocumentField::key)
                />
                <Select
                    label=text::reading::unit(l)
                    name="unit"
                    choices=with(all(text::reading::all_units(l)), units)
                    value=asked.unit.map(|unit| unit.to_string())
                />
                <Select
                    label=text::search::year(l)
                    name="year"
                    choices=with(all(text::search::all_years(l)), years)
                    value=asked.year.map(|year| year.to_string())
                />
                <Button kind=ButtonKind::Secondary>{text::search::apply(l)}</Button>
            </form>
        </details>
    }
    .into_any()
}

fn results(l: Locale, page: LibraryPage, asked: &LibraryQuery) -> AnyView {
    if page.pinned.is_empty() && page.documents.is_empty() {
        return nothing(l, asked);
    }
    let next = page.next.map(|after| address(&LibraryQuery { after: Some(after), ..asked.clone() }));
    let back = asked.after.is_some().then(|| {
        let href = address(&LibraryQuery { after: None, ..asked.clone() });
        view! {
            <p>
                <LinkButton href kind=ButtonKind::Quiet icon=IconName::ArrowLeft>
                    {text::documents::to_newest(l)}
                </LinkButton>
            </p>
        }
    });
    let rows = page.pinned.into_iter().chain(page.documents).map(|document| document_row(l, document)).collect_view();
    view! {
        {back}
        <RowList>{rows}</RowList>
        <Pager next_href=next label=text::documents::show_more(l)/>
    }
    .into_any()
}

fn nothing(l: Locale, asked: &LibraryQuery) -> AnyView {
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

fn address(query: &LibraryQuery) -> String {
    let parts: Vec<String> = [
        query.kind.map(|kind| format!("kind={}", kind.key())),
        query.level.map(|level| format!("level={}", level.key())),
        query.field.map(|field| format!("field={}", field.key())),
        query.unit.map(|unit| format!("unit={unit}")),
        query.year.map(|year| format!("year={year}")),
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
    fn an_address_has_only_the_set_parameters() {
        assert_eq!(address(&LibraryQuery::default()), "/library");
        let query = LibraryQuery {
            kind: Some(DocumentKind::Resolution),
            field: Some(DocumentField::Digital),
            year: Some(2026),
            ..LibraryQuery::default()
        };
        assert_eq!(address(&query), "/library?kind=resolution&field=digital&year=2026");
    }

    #[test]
    fn a_filter_keeps_the_others_and_starts_from_the_newest() {
        let after = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().ok();
        let asked = LibraryQuery {
            kind: Some(DocumentKind::News),
            level: UnitKind::from_key("commune"),
            after,
            ..LibraryQuery::default()
        };
        let chips = kind_chips(Locale::En, &asked);
        assert_eq!(chips[0].href, "/library?level=commune");
        assert_eq!(chips[1].href, "/library?kind=resolution&level=commune");
        let current: Vec<_> = chips.iter().filter(|chip| chip.current).map(|chip| chip.label.as_str()).collect();
        assert_eq!(current, ["News"]);
    }
}
