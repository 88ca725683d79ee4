use std::cmp::Reverse;

use domain::{
    Locale,
    statistics::{Figures as Counts, SMALLEST_GROUP, StatisticsPage, UnitFigures},
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::fns::page;
use crate::{
    i18n::use_locale,
    page::show,
    terms, text,
    title::Title,
    ui::{Bar, BarChart, BigFigure, Breadcrumbs, Card, Cell, Column, Crumb, DataTable, Figures, PageHeader, RowHead},
    units::phase_tag,
};

/// Most rows of the list of those who need help: more would be a table again.
const HELP_MAX: usize = 5;

/// A unit's figures with its children's, to look into level by level.
#[component]
pub fn CommitteePage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let data = Resource::new(move || params.read().get("unit"), page);
    show(data, move |page| dashboard(l, page))
}

fn dashboard(l: Locale, page: StatisticsPage) -> AnyView {
    let unit = page.total.unit.clone();
    let crumbs = crumbs(&page);
    let figures = RwSignal::new(page);
    let connected = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    super::live::follow(unit.id, figures, connected);
    view! {
        <Title text=format!("{} · {}", text::statistics::title(l), unit.name)/>
        <div class="page">
            {crumbs.map(|crumbs| view! { <Breadcrumbs label=text::statistics::trail(l) crumbs/> })}
            <PageHeader title=unit.name eyebrow=text::statistics::title(l)>
                {move || figures.with(|page| phase_tag(l, page.total.phase))}
            </PageHeader>
            {live_mark(l, figures, connected)}
            {totals(l, figures)}
            {move || figures.with(|page| needing_help(l, page))}
            {children_table(l, figures)}
        </div>
    }
    .into_any()
}

/// None at the top: a trail of one place leads nowhere.
fn crumbs(page: &StatisticsPage) -> Option<Vec<Crumb>> {
    let (here, above) = page.trail.split_last()?;
    (!above.is_empty()).then(|| {
        let links = above.iter().map(|unit| Crumb::link(unit.name.clone(), format!("/committee/{}", unit.id)));
        links.chain([Crumb::here(here.name.clone())]).collect()
    })
}

/// Whether the figures follow what happens, and when they last changed. The only place that speaks up by itself.
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

/// The units where the largest part of the members has no account in use; nothing where all have. What is missing is drawn: the
/// longest bar is where most is to be done.
fn needing_help(l: Locale, page: &StatisticsPage) -> Option<AnyView> {
    let bars: Vec<Bar> = least_activated(&page.children)
        .into_iter()
        .map(|(row, counts)| {
            let missing = counts.members - counts.activated;
            let share = l.percent(missing.into(), counts.members.into());
            Bar {
                label: row.unit.name.clone(),
                value: missing_per_mille(counts),
                text: format!("{} ({share})", text::statistics::not_activated(l, missing.into())),
                // Its page names whom to call.
                href: Some(format!("/units/{}", row.unit.id)),
            }
        })
        .collect();
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

fn least_activated(children: &[UnitFigures]) -> Vec<(&UnitFigures, Counts)> {
    let mut rows: Vec<_> = children
        .iter()
        .filter_map(|row| row.figures.map(|counts| (row, counts)))
        .filter(|(_, counts)| counts.activated < counts.members)
        .collect();
    rows.sort_by_key(|(_, counts)| Reverse(missing_per_mille(*counts)));
    rows.truncate(HELP_MAX);
    rows
}

fn missing_per_mille(counts: Counts) -> u64 {
    u64::from(counts.members.saturating_sub(counts.activated)) * 1000 / u64::from(counts.members.max(1))
}

fn children_table(l: Locale, figures: RwSignal<StatisticsPage>) -> Option<AnyView> {
    // Whether there is a level below does not change while the page is open; its figures do.
    if figures.with_untracked(|page| page.children.is_empty()) {
        return None;
    }
    let columns = vec![
        Column::text(text::statistics::unit(l)),
        Column::number(terms::members(l)),
        Column::number(text::statistics::activated(l)),
        Column::number(text::statistics::active(l)),
        Column::number(text::statistics::documents(l)),
        Column::number(text::statistics::reads(l)),
        Column::number(text::statistics::opinions(l)),
    ];
    let rows = move || figures.with(|page| page.children.iter().map(|row| child_row(l, row)).collect_view());
    let some_hidden = move || figures.with(|page| page.children.iter().any(|row| row.figures.is_none()));
    let explained = move || {
        some_hidden().then(|| {
            let told = text::statistics::hidden_because(l, l.number(SMALLEST_GROUP));
            view! { <p class="muted small">{told}</p> }
        })
    };
    Some(
        view! {
            <section class="stack-tight">
                <DataTable caption=text::statistics::children(l) columns>
                    {rows}
                </DataTable>
                {explained}
            </section>
        }
        .into_any(),
    )
}

fn child_row(l: Locale, row: &UnitFigures) -> AnyView {
    let name = row.unit.name.clone();
    let name = if row.has_children {
        view! { <a href=format!("/committee/{}", row.unit.id)>{name}</a> }.into_any()
    } else {
        view! { <span>{name}</span> }.into_any()
    };
    let phase = phase_tag(l, row.phase).map(|tag| view! { " " {tag} });
    let counts = row.figures;
    let cell = move |label: &'static str, read: fn(&Counts) -> u32| {
        let value = counts.map_or_else(|| text::statistics::hidden(l).to_owned(), |counts| l.number(read(&counts)));
        view! { <Cell label numeric=true>{value}</Cell> }
    };
    view! {
        <tr>
            <RowHead>{name} {phase}</RowHead>
            {cell(terms::members(l), |counts| counts.members)}
            {cell(text::statistics::activated(l), |counts| counts.activated)}
            {cell(text::statistics::active(l), |counts| counts.active)}
            {cell(text::statistics::documents(l), |counts| counts.documents)}
            {cell(text::statistics::reads(l), |counts| counts.reads)}
            {cell(text::statistics::opinions(l), |counts| counts.opinions)}
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::{
        ids::UnitId,
        units::{Phase, UnitKind, UnitPath, UnitRef},
    };

    use super::*;

    fn row(name: &str, figures: Option<(u32, u32)>) -> UnitFigures {
        let id: UnitId = "01JD0000000000000000000000".parse().unwrap();
        let path = UnitPath::parse("/51/001/").unwrap();
        UnitFigures {
            unit: UnitRef { id, kind: UnitKind::Branch, name: name.to_owned(), path },
            figures: figures.map(|(activated, members)| Counts { members, activated, ..Counts::default() }),
            has_children: false,
            phase: Phase::default(),
        }
    }

    #[test]
    fn those_with_the_lowest_share_are_named_first_and_the_complete_and_the_hidden_never() {
        let rows = [
            row("half", Some((10, 20))),
            row("all", Some((20, 20))),
            row("hidden", None),
            row("few", Some((1, 20))),
            row("empty", Some((0, 0))),
            row("most", Some((19, 20))),
        ];
        let named: Vec<&str> = least_activated(&rows).into_iter().map(|(row, _)| row.unit.name.as_str()).collect();
        assert_eq!(named, ["few", "half", "most"]);
    }

    #[test]
    fn the_list_stays_short() {
        let rows: Vec<UnitFigures> = (0..20).map(|n| row("unit", Some((n, 20)))).collect();
        assert_eq!(least_activated(&rows).len(), HELP_MAX);
    }
}
