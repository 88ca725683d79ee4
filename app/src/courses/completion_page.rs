//! How far the units have come with a course, level by level.

use domain::{
    Locale,
    courses::{CompletionPage as Found, LearnerRow},
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{fns::completion, words};
use crate::{
    i18n::use_locale,
    page::show,
    statistics::shares,
    text,
    title::Title,
    ui::{Breadcrumbs, Cell, Column, Crumb, DataTable, PageHeader, RowHead},
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
        let due = text::courses::due_on(l, l.long_date_within(page.due_on));
        let unit = page.total.unit.name.clone();
        view! {
            <Title text=format!("{} · {unit}", page.title)/>
            <div class="page">
                <Breadcrumbs label=text::courses::way(l) crumbs=crumbs(l, &page)/>
                <PageHeader title=page.title.clone() content=true eyebrow=unit lead=due>
                    {words::state_tag(l, page.state)}
                </PageHeader>
                {shares::total(l, &page.total, text::courses::completed_by(l))}
                {shares::children(l, &page.children, text::courses::done(l), |unit| address(&page, unit))}
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
