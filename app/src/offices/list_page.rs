//! The roles of a unit: current and past ones, and, for those who may, granting and ending.

use domain::{
    Locale,
    forms::FormErrors,
    offices::{self, HeldOffice, Term},
    units::UnitRef,
};
use leptos::prelude::*;
use leptos_router::{
    hooks::{use_params_map, use_query_map},
    params::ParamsMap,
};

use super::fns::list;
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{self, Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Card, Choice, Crumb, EmptyState, ErrorSummary, Field, FieldKind, Form, IconName, Line,
        LinkButton, Notice, NoticeKind, PageHeader, Select, Tag, Tone, content_lang,
    },
};

const LABELS: Labels = &[
    ("card", text::offices::card),
    ("role", text::offices::role),
    ("from", text::offices::from),
    ("until", text::offices::until),
];

#[component]
pub fn OfficesPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let query = use_query_map();
    let echo = take_echo("office");
    let errors = RwSignal::new(echo.clone());
    let data = Resource::new(
        move || (params.with(|params| params.get("id").unwrap_or_default()), query.with(|query| query.get("member"))),
        |(unit, member)| list(unit, member),
    );
    let asks = move |key: &'static str| query.with(|query| query.get_str(key).is_some());
    let asked = move || query.with(|query| query.get("end"));
    show(data, move |page| {
        let notice = move || {
            let title = match (asks("granted"), asks("ended")) {
                (true, _) => text::offices::granted(l),
                (_, true) => text::offices::ended(l),
                _ => return None,
            };
            // Hidden as soon as there are problems to correct.
            errors.with(Option::is_none).then(|| view! { <Notice kind=NoticeKind::Ok title/> })
        };
        let unit = page.unit.clone();
        let current = page.current.clone();
        let question = move || {
            let asked = asked()?;
            let office = current.iter().find(|office| office.may_end && office.id.to_string() == asked)?;
            Some(ending(l, &unit, office))
        };
        view! {
            <Title text=format!("{} · {}", text::offices::title(l), page.unit.name)/>
            <div class="page">
                {way_back(l, &page.unit)}
                <PageHeader title=text::offices::title(l) eyebrow=Line::name(&page.unit.name) lead=text::offices::lead(l)/>
                {notice}
                {question}
                {(!page.gives.is_empty()).then(|| to_other_unit(l, query.with_untracked(|query| query.get("member"))))}
                {current_offices(l, &page)}
                {(!page.gives.is_empty()).then(|| grant_form(l, &page, echo.clone(), errors))}
                {past_offices(l, &page)}
            </div>
        }
        .into_any()
    })
}

fn way_back(l: Locale, unit: &UnitRef) -> AnyView {
    let crumbs = vec![Crumb::link(Line::name(&unit.name), format!("/units/{}", unit.id)), Crumb::here(text::offices::title(l))];
    view! { <Breadcrumbs label=text::offices::way(l) crumbs/> }.into_any()
}

/// A link to the choice of another unit, for the same person if they came from a record.
fn to_other_unit(l: Locale, member: Option<String>) -> AnyView {
    let query: ParamsMap = member.into_iter().map(|member| ("member", member)).collect();
    let href = format!("/units/roles{}", query.to_query_string());
    view! {
        <div class="actions">
            <LinkButton href kind=ButtonKind::Quiet icon=IconName::Search>{text::offices::other_unit(l)}</LinkButton>
        </div>
    }
    .into_any()
}

fn current_offices(l: Locale, page: &offices::OfficesPage) -> AnyView {
    if page.current.is_empty() {
        return view! { <EmptyState title=text::offices::none_title(l) text=text::offices::none(l) icon=IconName::People/> }
            .into_any();
    }
    let rows = page.current.iter().map(|office| row(l, &page.unit, office)).collect_view();
    view! {
        <Card title=text::offices::current(l)>
            <ul class="rows" role="list">{rows}</ul>
        </Card>
    }
    .into_any()
}

fn past_offices(l: Locale, page: &offices::OfficesPage) -> Option<AnyView> {
    (!page.over.is_empty()).then(|| {
        let rows = page.over.iter().map(|office| row(l, &page.unit, office)).collect_view();
        view! {
            <Card title=text::offices::over(l)>
                <ul class="rows" role="list">{rows}</ul>
            </Card>
        }
        .into_any()
    })
}

fn row(l: Locale, unit: &UnitRef, office: &HeldOffice) -> AnyView {
    let given = office
        .given_by
        .as_ref()
        .map_or_else(|| text::offices::given_before(l).to_owned(), |name| text::offices::given_by(l, name));
    let ended = office.ended_by.as_ref().map(|name| text::offices::ended_by(l, name));
    let branch = Line::from(office.branch.as_ref().map(Line::name));
    let meta = branch.and(period(l, office)).and(given).and(ended);
    let coming = (office.term == Term::Coming).then(
        || view! { <div class="row-marks"><Tag tone=Tone::Info icon=IconName::Clock label=text::offices::coming(l)/></div> },
    );
    let end = office.may_end.then(|| {
        let href = format!("/units/{}/roles?end={}", unit.id, office.id);
        let spoken = text::offices::end_of(l, terms::role_at(l, office.role, unit.kind), &office.name);
        view! {
            <div class="actions">
                <a class="button button-secondary" href=href aria-label=spoken><span>{text::offices::end(l)}</span></a>
            </div>
        }
    });
    view! {
        <li class="row row-plain">
            <div class="row-text">
                <p class="row-eyebrow">{terms::role_at(l, office.role, unit.kind)}</p>
                <p class="row-title" lang=content_lang() translate="no">{office.name.clone()}</p>
                <p class="row-meta">{meta.show()}</p>
                {coming}
            </div>
            {end}
        </li>
    }
    .into_any()
}

fn period(l: Locale, office: &HeldOffice) -> String {
    let from = l.date(office.period.from);
    match office.period.until {
        None => text::offices::since(l, from),
        Some(until) if until < office.period.from => text::offices::taken_back(l, from),
        Some(until) => text::offices::between(l, from, l.date(until)),
    }
}

/// Confirmation before a role is ended.
fn ending(l: Locale, unit: &UnitRef, office: &HeldOffice) -> AnyView {
    let title = text::offices::end_title(l, terms::role_at(l, office.role, unit.kind), &office.name);
    let hint = text::offices::end_hint(l, &office.name);
    let (id, back) = (office.id.to_string(), format!("/units/{}/roles", unit.id));
    view! {
        <Card title strong=true>
            <div class="stack">
                <p>{hint}</p>
                <Form action="/api/offices/end" failed=text::frame::network_failed(l)>
                    <input type="hidden" name="office" value=id/>
                    <div class="actions">
                        <Button kind=ButtonKind::Danger icon=IconName::Close>{text::offices::end_now(l)}</Button>
                        <LinkButton href=back kind=ButtonKind::Secondary>{text::offices::keep(l)}</LinkButton>
                    </div>
                </Form>
            </div>
        </Card>
    }
    .into_any()
}

fn grant_form(l: Locale, page: &offices::OfficesPage, echo: Option<FormErrors>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let typed = |field: &str| echo.as_ref().and_then(|echo| echo.value(field)).map(str::to_owned);
    let candidate = page.candidate.as_ref();
    let card = typed("card").or_else(|| candidate.map(|candidate| candidate.card.clone()));
    let hint =
        candidate.map_or_else(|| text::offices::card_hint(l).to_owned(), |candidate| text::offices::card_of(l, &candidate.name));
    let choose = Choice::new("", text::offices::choose(l));
    let roles = [choose]
        .into_iter()
        .chain(page.gives.iter().map(|role| Choice::new(role.key(), terms::role_at(l, *role, page.unit.kind))));
    let roles: Vec<_> = roles.collect();
    let from = typed("from").unwrap_or_else(|| page.today.to_string());
    let (role, until) = (typed("role"), typed("until"));
    let unit = page.unit.id.to_string();
    view! {
        <Card title=text::offices::give_title(l)>
            <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
            <Form action="/api/offices/grant" failed=text::frame::network_failed(l) errors>
                <input type="hidden" name="unit" value=unit/>
                <Field
                    label=text::offices::card(l)
                    name="card"
                    value=card
                    hint
                    error=field_error(l, errors, LABELS, "card")
                    autocomplete="off"
                    required=true
                />
                <Select
                    label=text::offices::role(l)
                    name="role"
                    choices=roles
                    value=role
                    error=field_error(l, errors, LABELS, "role")
                />
                <Field
                    label=text::offices::from(l)
                    name="from"
                    kind=FieldKind::Date
                    value=from
                    error=field_error(l, errors, LABELS, "from")
                    required=true
                />
                <Field
                    label=text::offices::until(l)
                    name="until"
                    kind=FieldKind::Date
                    value=until
                    hint=text::offices::until_hint(l)
                    note=text::frame::optional(l)
                    error=field_error(l, errors, LABELS, "until")
                />
                <p class="muted">{text::offices::at_once(l)}</p>
                <div class="actions">
                    <Button wide=true icon=IconName::Check>{text::offices::give(l)}</Button>
                </div>
            </Form>
        </Card>
    }
    .into_any()
}
