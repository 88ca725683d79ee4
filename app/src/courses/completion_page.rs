//! Completion of a course by unit, level by level.

use domain::{
    Locale,
    courses::{AnotherTry, CompletionPage as Found, LearnerRow, Tries},
    forms::FormErrors,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{fns::completion, words};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    statistics::{
        shares::{self, TableAddress},
        unit_table,
    },
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Card, Cell, CheckGroup, Choice, Column, Crumb, DataTable, ErrorSummary, Form, IconName,
        Line, Notice, NoticeKind, PageHeader, RowHead, Whose,
    },
};

const LABELS: Labels = &[("members", text::courses::without_tries)];

#[component]
pub(crate) fn CompletionPage() -> impl IntoView {
    let l = use_locale();
    let (params, query) = (use_params_map(), use_query_map());
    let errors = RwSignal::new(take_echo("another_try"));
    let data = Resource::new(
        move || (params.read().get("id").unwrap_or_default(), query.read().get("unit")),
        |(id, unit)| completion(id, unit),
    );
    show(data, move |page| {
        let due = text::courses::due_on(l, l.long_date_within(page.due_on));
        let unit = page.total.unit.name.clone();
        let given = query.with_untracked(|query| query.get_str("given").map(|given| given != "0"));
        let confirmation = given.map(|is_given| {
            let (kind, title, hint) = if is_given {
                (NoticeKind::Ok, text::courses::given_now(l), text::courses::given_now_hint(l))
            } else {
                (NoticeKind::Info, text::courses::given_nobody(l), text::courses::given_nobody_hint(l))
            };
            view! { <Notice kind title><p>{hint}</p></Notice> }
        });
        let offer = another_try(l, &page, errors);
        let place = format!("/courses/{}/results", page.course);
        let table = TableAddress { id: unit_table::MAIN, page: place, query: query.with_untracked(unit_table::asked) };
        view! {
            <Title text=format!("{} · {unit}", page.title)/>
            <div class="page">
                <Breadcrumbs label=text::courses::way(l) crumbs=crumbs(l, &page)/>
                <PageHeader title=page.title.clone() whose=Whose::Content eyebrow=Line::name(unit) lead=due>
                    {words::state_tag(l, page.state)}
                </PageHeader>
                <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
                {confirmation}
                {shares::total(l, &page.total, text::courses::completed_by(l))}
                {shares::children(l, &page.total, &page.children, text::courses::done(l), table)}
                {learners(l, page.learners)}
                {offer}
            </div>
        }
        .into_any()
    })
}

fn crumbs(l: Locale, page: &Found) -> Vec<Crumb> {
    let mut crumbs =
        vec![Crumb::link(text::courses::title(l), "/courses"), Crumb::link(text::courses::following(l), "/courses/results")];
    let above = page.trail.len().saturating_sub(1);
    crumbs.extend(page.trail.iter().take(above).map(|unit| Crumb::link(Line::name(&unit.name), address(page, unit))));
    crumbs.push(Crumb::here(Line::name(&page.total.unit.name)));
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
                <RowHead whose=Whose::Name>{row.name}</RowHead>
                <Cell label=text::courses::progress(l)>{words::tries_tag(l, row.tries, row.progress)}</Cell>
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

/// Grants another try to members who have none left: to selected ones where names are shown, otherwise to all of the unit.
fn another_try(l: Locale, page: &Found, errors: RwSignal<Option<FormErrors>>) -> Option<AnyView> {
    let offered = page.another_try.as_ref()?;
    let (who, label) = if offered.by_name {
        (chosen(l, &page.learners, errors)?, text::courses::give_chosen(l))
    } else {
        (all(l, page, offered), text::courses::give_all(l))
    };
    let (course, unit, act) = (page.course.to_string(), page.total.unit.id.to_string(), offered.act.clone());
    Some(
        view! {
            <Card title=text::courses::another_try(l)>
                <p>{text::courses::another_try_hint(l)}</p>
                <Form action="/api/courses/give_try" failed=text::frame::network_failed(l) errors>
                    <input type="hidden" name="course" value=course/>
                    <input type="hidden" name="unit" value=unit/>
                    <input type="hidden" name="act" value=act/>
                    {who}
                    <div class="actions">
                        <Button kind=ButtonKind::Secondary icon=IconName::Refresh wide=true>{label}</Button>
                    </div>
                </Form>
            </Card>
        }
        .into_any(),
    )
}

/// The members of the branch who have no try left, all preselected; `None` when everybody has one.
fn chosen(l: Locale, learners: &[LearnerRow], errors: RwSignal<Option<FormErrors>>) -> Option<AnyView> {
    let failed: Vec<&LearnerRow> = learners.iter().filter(|row| row.tries == Tries::UsedUp).collect();
    if failed.is_empty() {
        return None;
    }
    let checked = failed.iter().map(|row| row.member.to_string()).collect();
    let choices = failed.into_iter().map(|row| Choice::name(row.member.to_string(), row.name.clone())).collect();
    let error = field_error(l, errors, LABELS, "members");
    Some(
        view! {
            <input type="hidden" name="to" value="chosen"/>
            <CheckGroup legend=text::courses::without_tries(l) name="members[]" id="members" choices checked error/>
        }
        .into_any(),
    )
}

/// Their number is not shown: in small units it would identify them.
fn all(l: Locale, page: &Found, offered: &AnotherTry) -> AnyView {
    let last = offered.given_at.map(|at| view! { <p class="muted small">{text::courses::given_last(l, l.date_time(at))}</p> });
    view! {
        <p>{text::courses::give_all_hint(l, &page.total.unit.name)}</p>
        {last}
    }
    .into_any()
}
