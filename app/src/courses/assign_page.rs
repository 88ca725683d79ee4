//! The confirmation page of an assignment: unit, number of members, due day.

use domain::{
    Locale,
    courses::{AssignPage as Page, UnitChoice},
    forms::FormErrors,
    units::{PickPurpose, PickedUnits},
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::desk_fns::assignment;
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{self, Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Card, CheckGroup, Choice, Crumb, DescriptionList, EmptyState, ErrorSummary, Fact, Field,
        FieldKind, Form, IconName, Line, LinkButton, ListRow, Notice, NoticeKind, PageHeader, RowList, Whose, content_lang,
    },
    units::picker::{PickerWords, Picking, picker},
};

const LABELS: Labels = &[
    ("unit", text::courses::audience),
    ("parts", text::courses::parts),
    ("except", text::units::except),
    ("standings", text::courses::standings),
    ("due_on", text::courses::due),
];

#[component]
pub(crate) fn AssignPage() -> impl IntoView {
    let l = use_locale();
    let (params, query) = (use_params_map(), use_query_map());
    let echo = take_echo("assign");
    let errors = RwSignal::new(echo.clone());
    let asked = move || query.with(|query| (query.get("unit"), query.get("q")));
    let picked = echo.as_ref().map(picked);
    let data = Resource::new(
        move || (params.read().get("id").unwrap_or_default(), asked()),
        move |(id, (unit, q))| assignment(id, unit, q, picked.clone()),
    );
    show(data, move |page| {
        let q = query.with_untracked(|query| query.get("q"));
        let title = text::courses::assign_title(l, &page.course.title);
        view! {
            <Title text=title.clone()/>
            <div class="page page-narrow">
                <Breadcrumbs label=text::courses::way(l) crumbs=crumbs(l, &page)/>
                <PageHeader title eyebrow=Line::name(&page.course.issuer.name)/>
                <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
                {body(l, &page, echo.as_ref(), errors)}
                {units(l, &page, q)}
            </div>
        }
        .into_any()
    })
}

/// The units of a form that came back.
fn picked(echo: &FormErrors) -> PickedUnits {
    let value = |field: &str| echo.value(field).unwrap_or_default().to_owned();
    PickedUnits { find: value("find"), parts: value("parts"), except: value("except"), ..PickedUnits::default() }
}

fn crumbs(l: Locale, page: &Page) -> Vec<Crumb> {
    vec![
        Crumb::link(text::courses::desk(l), "/courses/manage"),
        Crumb::link(Line::content(&page.course.title), format!("/courses/manage/{}", page.course.id)),
        Crumb::here(text::courses::assignment(l)),
    ]
}

fn body(l: Locale, page: &Page, echo: Option<&FormErrors>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    if page.documents == 0 && page.questions == 0 {
        let (title, told) = (text::courses::empty_course(l), text::courses::empty_course_hint(l));
        let back = format!("/courses/manage/{}", page.course.id);
        return view! {
            <EmptyState title text=told icon=IconName::Book>
                <LinkButton href=back>{text::courses::back(l)}</LinkButton>
            </EmptyState>
        }
        .into_any();
    }
    let holds = text::courses::holds(l, l.number(page.documents), l.number(page.questions));
    let (audience, reach) = (page.chosen.name.clone(), terms::reach(l, page.reach));
    let hint = terms::reach_hint(l, page.reach).map(|hint| view! { <p class="small muted">{hint}</p> });
    let facts = view! {
        <Card strong=true>
            <DescriptionList>
                <Fact label=text::courses::audience(l) whose=Whose::Name>{audience}</Fact>
                <Fact label=text::desk::reach_label(l)><strong>{reach}</strong></Fact>
                <Fact label=text::courses::content(l)>{holds}</Fact>
            </DescriptionList>
            {hint}
        </Card>
    };
    let form = assign_form(l, page, echo, errors);
    if !page.out_of_reach.is_empty() {
        let names = page
            .out_of_reach
            .iter()
            .map(|document| view! { <li lang=content_lang()>{document.title.clone()}</li> })
            .collect_view();
        return view! {
            {facts}
            <Notice kind=NoticeKind::Warn title=text::courses::out_of_reach(l)>
                <ul>{names}</ul>
                <p>{text::courses::out_of_reach_hint(l)}</p>
            </Notice>
            {form}
        }
        .into_any();
    }
    view! { {facts} {form} }.into_any()
}

fn assign_form(l: Locale, page: &Page, echo: Option<&FormErrors>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let typed = |field: &str| echo.and_then(|echo| echo.value(field)).unwrap_or_default().to_owned();
    let standings = page.standings.iter().map(|standing| Choice::new(standing.key(), terms::standing(l, *standing))).collect();
    let checked = typed("standings").split(' ').map(ToOwned::to_owned).collect();
    let label = text::courses::assign(l, terms::member_count(l, page.reach.members));
    let unit_error = field_error(l, errors, LABELS, "unit");
    let unit_error = move || unit_error.get().map(|told| view! { <p class="field-error" id="unit-error">{told}</p> });
    let back = format!("/courses/manage/{}", page.course.id);
    let words = PickerWords {
        summary: text::courses::parts_summary(l),
        hint: text::courses::parts_hint(l),
        only: text::courses::parts(l),
        all: text::desk::parts_all(l),
        pick: text::courses::parts_pick(l),
    };
    let picking = Picking {
        purpose: PickPurpose::Course,
        within: "unit",
        choices: page.parts.clone(),
        parts: typed("parts"),
        except: typed("except"),
        find: typed("find"),
        parts_error: field_error(l, errors, LABELS, "parts"),
        except_error: field_error(l, errors, LABELS, "except"),
    };
    let parts = picker(l, words, picking);
    let fields = view! {
            <input type="hidden" name="course" value=page.course.id.to_string()/>
            <input type="hidden" name="version" value=page.course.version.to_string()/>
            <input type="hidden" name="unit" id="unit" value=page.chosen.id.to_string()/>
            {unit_error}
            <div class="stack-tight" data-reach="/api/courses/reach" data-fields="course unit parts[] except[] standings[]">
                {parts}
                <p class="small" role="status" data-part="reach"></p>
            </div>
            <Field
                label=text::courses::due(l)
                name="due_on"
                kind=FieldKind::Date
                value=typed("due_on")
                hint=text::courses::due_hint(l)
                error=field_error(l, errors, LABELS, "due_on")
                required=true
            />
            <CheckGroup
                legend=text::courses::standings(l)
                name="standings[]"
                id="standings"
                choices=standings
                checked
                hint=text::courses::standings_hint(l)
                error=field_error(l, errors, LABELS, "standings")
            />
    };
    view! {
        <Form action="/api/courses/assign" failed=text::frame::network_failed(l) errors>
            {fields}
            <Notice kind=NoticeKind::Warn title=text::courses::assign_warning_title(l)>
                <p>{text::courses::assign_warning(l)}</p>
            </Notice>
            <div class="actions">
                <Button icon=IconName::Send wide=true>{label}</Button>
                <LinkButton href=back kind=ButtonKind::Quiet>
                    {text::courses::back(l)}
                </LinkButton>
            </div>
        </Form>
    }
    .into_any()
}

/// Links to other units: those above, those one level below, and search results.
fn units(l: Locale, page: &Page, q: Option<String>) -> AnyView {
    let address = format!("/courses/manage/{}/assign", page.course.id);
    let asked = q.as_deref().is_some_and(|q| !q.trim().is_empty());
    let above = page.trail.len().saturating_sub(1);
    let above = page.trail.iter().take(above).map(|unit| {
        view! {
            <li>
                <a class="chip" href=format!("{address}?unit={}", unit.id) lang=content_lang() translate="no">
                    {unit.name.clone()}
                </a>
            </li>
        }
    });
    let above = (page.trail.len() > 1).then(|| {
        view! { <nav class="chips" aria-label=text::courses::units_above(l)><ul role="list">{above.collect_view()}</ul></nav> }
    });
    let rows = page.units.iter().map(|choice| unit_row(l, &address, choice)).collect_view();
    let list = if page.units.is_empty() && asked {
        view! { <p class="muted">{text::courses::no_unit_found(l)}</p> }.into_any()
    } else {
        view! { <RowList>{rows}</RowList> }.into_any()
    };
    view! {
        <section class="stack-tight">
            <h2>{text::courses::other_unit(l)}</h2>
            <form class="search" role="search" method="get" action=address.clone()>
                <label class="visually-hidden" for="q">{text::units::search(l)}</label>
                <input class="input" type="search" name="q" id="q" value=q placeholder=text::units::search(l) autocomplete="off"/>
                <Button kind=ButtonKind::Secondary icon=IconName::Search>{text::units::go_search(l)}</Button>
            </form>
            {above}
            {list}
        </section>
    }
    .into_any()
}

fn unit_row(l: Locale, address: &str, choice: &UnitChoice) -> AnyView {
    let meta = choice.members.map(|members| terms::members_count(l, members.into())).unwrap_or_default();
    view! {
        <ListRow
            href=format!("{address}?unit={}", choice.unit.id)
            title=choice.unit.name.clone()
            whose=Whose::Name
            eyebrow=terms::short_unit_kind(l, choice.unit.kind)
            meta
        />
    }
    .into_any()
}
