//! How far the units have come with a course, level by level.

use domain::{
    Locale,
    courses::{CompletionPage as Found, LearnerRow, UnitCompletion},
    statistics::SMALLEST_GROUP,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{fns::completion, words};
use crate::{
    i18n::use_locale,
    page::show,
    terms, text,
    ui::{Breadcrumbs, Card, Cell, Column, Crumb, DataTable, PageHeader, Progress, RowHead},
};

#[component]
pub(crate) fn CompletionPage() -> impl IntoView {
    let l = use_locale();
    let (params, query) = (use_params_map(), use_query_map());
    let data = Resource::new(
        move || (params.read().get("id").unwrap_or_default(), query.read().get("unit")),
        |(id, unit)| completion(id, unit),
    );
    show(data, move |page| {
        let due = text::courses::due_on(l, l.long_date(page.due_on));
        let unit = page.total.unit.name.clone();
        view! {
            <Title text=format!("{} · {unit}", page.title)/>
            <div class="page">
                <Breadcrumbs label=text::courses::way(l) crumbs=crumbs(l, &page)/>
                <PageHeader title=page.title.clone() eyebrow=unit lead=due>
                    {words::state_tag(l, page.state)}
                </PageHeader>
                {total(l, &page.total)}
                {children(l, &page)}
                {learners(l, page.learners)}
            </div>
        }
        .into_any()
    })
}

fn crumbs(l: Locale, page: &Found) -> Vec<Crumb> {
    let mut crumbs =
        vec![Crumb::link(text::courses::title(l), "/courses"), Crumb::link(text::courses::following(l), "/courses/results")];
    let above = page.trail.len().saturating_sub(1);
    crumbs.extend(page.trail.iter().take(above).map(|unit| Crumb::link(unit.name.clone(), address(page, unit))));
    crumbs.push(Crumb::here(page.total.unit.name.clone()));
    crumbs
}

fn address(page: &Found, unit: &domain::units::UnitRef) -> String {
    format!("/courses/{}/results?unit={}", page.course, unit.id)
}

fn total(l: Locale, total: &UnitCompletion) -> AnyView {
    let Some(completion) = total.completion else {
        return view! { <Card strong=true><p>{hidden_because(l)}</p></Card> }.into_any();
    };
    let share = l.percent(completion.done.into(), completion.members.into());
    let told = text::courses::score(l, l.number(completion.done), l.number(completion.members), share);
    view! {
        <Card strong=true>
            <Progress
                value=completion.done.into()
                max=completion.members.into()
                label=text::courses::completed_by(l)
                text=told
            />
        </Card>
    }
    .into_any()
}

fn children(l: Locale, page: &Found) -> Option<AnyView> {
    let columns = vec![
        Column::text(text::statistics::unit(l)),
        Column::number(terms::members(l)),
        Column::number(text::courses::done(l)),
        Column::number(text::courses::share(l)),
    ];
    let rows = page.children.iter().map(|row| child(l, page, row)).collect_view();
    let some_hidden = page.children.iter().any(|row| row.completion.is_none());
    let explained = some_hidden.then(|| view! { <p class="muted small">{hidden_because(l)}</p> });
    (!page.children.is_empty()).then(|| {
        view! {
            <section class="stack-tight">
                <DataTable caption=text::statistics::children(l) columns>{rows}</DataTable>
                {explained}
            </section>
        }
        .into_any()
    })
}

fn child(l: Locale, page: &Found, row: &UnitCompletion) -> AnyView {
    let name = row.unit.name.clone();
    let name = if row.opens {
        view! { <a href=address(page, &row.unit)>{name}</a> }.into_any()
    } else {
        view! { <span>{name}</span> }.into_any()
    };
    let hidden = || text::statistics::hidden(l).to_owned();
    let counted = row.completion;
    let members = counted.map_or_else(hidden, |counted| l.number(counted.members));
    let done = counted.map_or_else(hidden, |counted| l.number(counted.done));
    let share = counted.map_or_else(hidden, |counted| l.percent(counted.done.into(), counted.members.into()));
    view! {
        <tr>
            <RowHead>{name}</RowHead>
            <Cell label=terms::members(l) numeric=true>{members}</Cell>
            <Cell label=text::courses::done(l) numeric=true>{done}</Cell>
            <Cell label=text::courses::share(l) numeric=true>{share}</Cell>
        </tr>
    }
    .into_any()
}

fn learners(l: Locale, learners: Vec<LearnerRow>) -> Option<AnyView> {
    let columns =
        vec![Column::text(text::courses::name(l)), Column::text(text::courses::progress(l)), Column::text(text::courses::day(l))];
    let row = |row: LearnerRow| {
        let day = row.done_on.map_or_else(|| "–".to_owned(), |day| l.date(day));
        view! {
            <tr>
                <RowHead>{row.name}</RowHead>
                <Cell label=text::courses::progress(l)>{words::progress_tag(l, row.progress)}</Cell>
                <Cell label=text::courses::day(l)>{day}</Cell>
            </tr>
        }
    };
    (!learners.is_empty()).then(|| {
        let rows = learners.into_iter().map(row).collect_view();
        view! {
            <section class="stack-tight">
                <DataTable caption=text::courses::learners(l) columns>{rows}</DataTable>
                <p class="muted small">{text::courses::learners_hint(l)}</p>
            </section>
        }
        .into_any()
    })
}

fn hidden_because(l: Locale) -> String {
    text::statistics::hidden_because(l, l.number(SMALLEST_GROUP))
}
