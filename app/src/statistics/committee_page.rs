use domain::{
    Locale,
    statistics::{Figures as Counts, StatisticsPage, UnitFigures},
    tables::{TableQuery, UnitColumn},
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    fns::page,
    unit_table::{MAIN, UnitTable, asked, hidden_because, row_id},
};
use crate::{
    frame::way_to_more,
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{
        Bar, BarChart, BigFigure, Breadcrumbs, Card, Cell, Column, Crumb, Figures, Line, PageHeader, RowHead, ShareBar, Whose,
        content_lang,
    },
    units::phase_tag,
};

/// The figures of a unit and its children, as a drill-down.
#[component]
pub fn CommitteePage() -> impl IntoView {
    let l = use_locale();
    let (params, query) = (use_params_map(), use_query_map());
    let data = Resource::new(
        move || {
            let query = query.read();
            (params.read().get("unit"), query.get("q"), query.get("sort"), query.get("rows"))
        },
        |(unit, words, order, rows)| page(unit, words, order, rows),
    );
    show(data, move |page| dashboard(l, page, query.with_untracked(asked)))
}

fn dashboard(l: Locale, page: StatisticsPage, query: TableQuery) -> AnyView {
    let unit = page.total.unit.clone();
    let way = way(l, &page);
    #[cfg(feature = "hydrate")]
    let live = live_address(unit.id, &query);
    let figures = RwSignal::new(page);
    let connected = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    super::live::follow(&live, figures, connected);
    view! {
        <Title text=format!("{} · {}", text::statistics::title(l), unit.name)/>
        <div class="page">
            {way}
            <PageHeader title=unit.name whose=Whose::Name eyebrow=text::statistics::title(l)>
                {move || figures.with(|page| phase_tag(l, page.total.phase))}
            </PageHeader>
            {live_mark(l, figures, connected)}
            {totals(l, figures)}
            {move || figures.with(|page| needing_help(l, page))}
            {children_table(l, figures, query)}
        </div>
    }
    .into_any()
}

/// The address of the event stream; its data has the rows that the page shows.
#[cfg(feature = "hydrate")]
fn live_address(unit: domain::ids::UnitId, query: &TableQuery) -> String {
    let unit = std::iter::once(("unit", unit.to_string()));
    let query: leptos_router::params::ParamsMap = unit.chain(super::unit_table::parts(query)).collect();
    format!("/live{}", query.to_query_string())
}

/// Breadcrumbs from the viewer's top unit; the top itself is a navigation entry.
fn way(l: Locale, page: &StatisticsPage) -> AnyView {
    match page.trail.split_last() {
        Some((here, above)) if !above.is_empty() => {
            let links = above.iter().map(|unit| Crumb::link(Line::name(&unit.name), format!("/committee/{}", unit.id)));
            let crumbs = links.chain([Crumb::here(Line::name(&here.name))]).collect();
            view! { <Breadcrumbs label=text::statistics::trail(l) crumbs/> }.into_any()
        }
        _ => way_to_more(text::statistics::title(l)),
    }
}

/// Whether the figures are live, and when they last changed. The only live region of the page.
fn live_mark(l: Locale, figures: RwSignal<StatisticsPage>, connected: RwSignal<bool>) -> AnyView {
    let class = move || if connected.get() { "live" } else { "live live-off" };
    let told = move || {
        let changed = figures.with(|page| page.changed_at).map(|at| l.date_time(at));
        match (connected.get(), changed) {
            (true, Some(at)) => text::statistics::live(l, at),
            (false, Some(at)) => text::statistics::as_of(l, at),
            (true, None) => text::statistics::live_unchanged(l).to_owned(),
            (false, None) => text::statistics::unchanged(l).to_owned(),
        }
    };
    view! {
        <p class=class aria-live="polite">
            <span class="live-dot"></span>
            <span>{told}</span>
        </p>
    }
    .into_any()
}

fn totals(l: Locale, figures: RwSignal<StatisticsPage>) -> AnyView {
    let count = move |read: fn(&Counts) -> u32| {
        Signal::derive(move || {
            let counts = figures.with(|page| page.total.figures);
            counts.map_or_else(|| text::statistics::hidden(l).to_owned(), |counts| l.number(read(&counts)))
        })
    };
    let share = move |read: fn(&Counts) -> u32| {
        Signal::derive(move || {
            let counts = figures.with(|page| page.total.figures)?;
            Some(text::statistics::share_of_members(l, l.percent(read(&counts).into(), counts.members.into())))
        })
    };
    let nothing = Signal::derive(|| None::<String>);
    let figure = move |label: &'static str, read: fn(&Counts) -> u32, note: Signal<Option<String>>| {
        view! { <BigFigure label value=count(read) note/> }
    };
    view! {
        <Figures>
            {figure(terms::members(l), |counts| counts.members, nothing)}
            {figure(text::statistics::activated(l), |counts| counts.activated, share(|counts| counts.activated))}
            {figure(text::statistics::active(l), |counts| counts.active, share(|counts| counts.active))}
            {figure(text::statistics::documents(l), |counts| counts.documents, nothing)}
            {figure(text::statistics::reads(l), |counts| counts.reads, nothing)}
            {figure(text::statistics::opinions(l), |counts| counts.opinions, nothing)}
        </Figures>
    }
    .into_any()
}

/// The units with the largest shares of members without an activated account; empty where all have one. The bars show the missing
/// share, so the longest bar is where most is to be done.
fn needing_help(l: Locale, page: &StatisticsPage) -> Option<AnyView> {
    let bar = |row: &UnitFigures| {
        let counts = row.figures?;
        let missing = counts.members.saturating_sub(counts.activated);
        let share = l.percent(missing.into(), counts.members.into());
        Some(Bar {
            label: Line::name(&row.unit.name),
            value: counts.missing_per_mille(),
            text: format!("{} ({share})", text::statistics::not_activated(l, missing.into())),
            // The unit's page names its contacts.
            href: Some(format!("/units/{}", row.unit.id)),
        })
    };
    let bars: Vec<Bar> = page.help.iter().filter_map(bar).collect();
    (!bars.is_empty()).then(|| {
        view! {
            <Card>
                <BarChart
                    title=text::statistics::help_title(l)
                    summary=text::statistics::help_summary(l)
                    bars
                    max=Some(1000)
                    warn=true
                />
            </Card>
        }
        .into_any()
    })
}

fn children_table(l: Locale, figures: RwSignal<StatisticsPage>, query: TableQuery) -> Option<AnyView> {
    // The rows of the children are fixed while the page is open; only their figures change.
    let (all, found, listed) = figures.with_untracked(|page| (page.all, page.found, page.children.len()));
    if all == 0 {
        return None;
    }
    let page = figures.with_untracked(|page| format!("/committee/{}", page.total.unit.id));
    let table = UnitTable { l, id: MAIN, page, along: Vec::new(), query, all, found, listed };
    let number = |by: UnitColumn, label: &'static str| table.column(by, Column::number(label).wide());
    let columns = vec![
        table.column(UnitColumn::Name, Column::text(text::statistics::unit(l))),
        number(UnitColumn::Members, terms::members(l)),
        table.column(UnitColumn::Share, Column::number(text::statistics::activated(l))),
        number(UnitColumn::Active, text::statistics::active(l)),
        number(UnitColumn::Documents, text::statistics::documents(l)),
        number(UnitColumn::Reads, text::statistics::reads(l)),
        number(UnitColumn::Opinions, text::statistics::opinions(l)),
    ];
    let rows = move || {
        let row = |(at, row): (usize, &UnitFigures)| child_row(l, row, row_id(MAIN, at + 1));
        figures.with(|page| page.children.iter().enumerate().map(row).collect_view())
    };
    let some_hidden = move || figures.with(|page| page.children.iter().any(|row| row.figures.is_none()));
    let explained = move || some_hidden().then(|| view! { <p class="muted small">{hidden_because(l)}</p> });
    let table = table.show(columns, rows.into_any());
    Some(view! { {table} {explained} }.into_any())
}

fn child_row(l: Locale, row: &UnitFigures, id: String) -> AnyView {
    let name = text::together(&row.unit.name);
    // A unit without children has no page of figures; its own page names its contacts.
    let place = if row.has_children { "committee" } else { "units" };
    let href = format!("/{place}/{}", row.unit.id);
    let phase = phase_tag(l, row.phase).map(|tag| view! { " " {tag} });
    let counts = row.figures;
    let cell = move |label: &'static str, read: fn(&Counts) -> u32| {
        let value = counts.map_or_else(|| text::statistics::hidden(l).to_owned(), |counts| l.number(read(&counts)));
        view! { <Cell label numeric=true wide=true>{value}</Cell> }
    };
    let activated = match counts {
        None => text::statistics::hidden(l).to_owned().into_any(),
        Some(counts) => {
            let (done, members) = (u64::from(counts.activated), u64::from(counts.members));
            let (number, share) = (l.number(done), l.percent(done, members));
            view! { <span class="wide">{number}" · "</span> <ShareBar value=done max=members/> " " {share} }.into_any()
        }
    };
    view! {
        <tr id=id>
            <RowHead><a href=href lang=content_lang() translate="no">{name}</a> {phase}</RowHead>
            {cell(terms::members(l), |counts| counts.members)}
            <Cell label=text::statistics::activated(l) numeric=true>{activated}</Cell>
            {cell(text::statistics::active(l), |counts| counts.active)}
            {cell(text::statistics::documents(l), |counts| counts.documents)}
            {cell(text::statistics::reads(l), |counts| counts.reads)}
            {cell(text::statistics::opinions(l), |counts| counts.opinions)}
        </tr>
    }
    .into_any()
}
