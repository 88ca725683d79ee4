//! The form of a record: for a new member, and to change one.

use domain::{
    Locale,
    forms::FormErrors,
    members::{BranchChoice, MemberFormPage, Sex, Standing},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    fns::{blank, form},
    words::{self, typed_day},
};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    ui::{
        Breadcrumbs, Button, ButtonKind, Choice, Crumb, ErrorSummary, Field, Form, IconName, LinkButton, PageHeader, RadioGroup,
        Select,
    },
};

const LABELS: Labels = &[
    ("full_name", text::members::full_name),
    ("card", text::members::card),
    ("sex", text::members::sex),
    ("birth_date", text::members::birth_date),
    ("standing", text::members::standing),
    ("admitted_on", text::members::admitted_on),
    ("official_on", text::members::official_on),
    ("national_id", text::members::national_id),
    ("phone", text::members::phone),
    ("unit", text::members::branch),
];

#[component]
pub fn NewMemberPage() -> impl IntoView {
    let l = use_locale();
    let query = use_query_map();
    let echo = take_echo("member");
    let errors = RwSignal::new(echo.clone());
    let data = Resource::new(move || query.with(|query| (query.get("unit"), query.get("q"))), |(unit, q)| blank(unit, q));
    show(data, move |page| {
        let q = query.with_untracked(|query| query.get("q"));
        let unit = query.with_untracked(|query| query.get("unit"));
        let narrow = (page.more_branches || q.is_some()).then(|| branch_search(l, "/members/new", q, unit));
        let crumbs = vec![Crumb::link(text::frame::members(l), "/members"), Crumb::here(text::members::register(l))];
        view! {
            <Title text=text::members::register(l)/>
            <div class="page page-narrow">
                <Breadcrumbs label=text::members::way(l) crumbs/>
                <PageHeader title=text::members::register(l) lead=text::members::register_lead(l)/>
                {narrow}
                <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
                {member_form(l, page, echo.clone(), errors)}
            </div>
        }
        .into_any()
    })
}

#[component]
pub fn EditMemberPage() -> impl IntoView {
    let l = use_locale();
    let params = use_params_map();
    let echo = take_echo("member");
    let errors = RwSignal::new(echo.clone());
    let data = Resource::new(move || params.read().get("id").unwrap_or_default(), form);
    show(data, move |page| {
        let back = format!("/members/{}", page.draft.id);
        let crumbs = vec![
            Crumb::link(text::frame::members(l), "/members"),
            Crumb::link(page.draft.full_name.clone(), back),
            Crumb::here(text::members::edit(l)),
        ];
        view! {
            <Title text=text::members::edit(l)/>
            <div class="page page-narrow">
                <Breadcrumbs label=text::members::way(l) crumbs/>
                <PageHeader title=text::members::edit(l) lead=text::members::edit_lead(l)/>
                <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, errors, LABELS)/>
                {member_form(l, page, echo.clone(), errors)}
            </div>
        }
        .into_any()
    })
}

/// A search that narrows the branches offered.
pub(super) fn branch_search(l: Locale, action: &str, q: Option<String>, unit: Option<String>) -> AnyView {
    view! {
        <form class="search" role="search" method="get" action=action.to_owned()>
            <label class="visually-hidden" for="q">{text::members::find_branch(l)}</label>
            <input class="input" type="search" name="q" id="q" value=q placeholder=text::members::find_branch(l) autocomplete="off"/>
            {unit.map(|unit| view! { <input type="hidden" name="unit" value=unit/> })}
            <Button kind=ButtonKind::Secondary icon=IconName::Search>{text::members::search(l)}</Button>
        </form>
    }
    .into_any()
}

pub(super) fn branch_choices(branches: Vec<BranchChoice>) -> Vec<Choice> {
    branches.into_iter().map(|branch| Choice::new(branch.id.to_string(), branch.name).hint(branch.place)).collect()
}

fn member_form(l: Locale, page: MemberFormPage, echo: Option<FormErrors>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let draft = page.draft;
    let typed =
        move |field: &str, stored: String| echo.as_ref().and_then(|echo| echo.value(field)).map_or(stored, ToOwned::to_owned);
    let day = |stored: Option<chrono::NaiveDate>| stored.map(typed_day).unwrap_or_default();
    let error = move |field: &'static str| field_error(l, errors, field);
    let (action, save) = if page.is_new {
        ("/api/members/register", text::members::save_new(l))
    } else {
        ("/api/members/change", text::members::save_changes(l))
    };
    let back = if page.is_new { "/members".to_owned() } else { format!("/members/{}", draft.id) };
    let sexes = Sex::ALL.map(|sex| Choice::new(sex.key(), words::sex(l, sex)));
    let standings = Standing::ALL.map(|standing| Choice::new(standing.key(), words::standing(l, standing)));
    let id_hint = match &draft.national_id {
        Some(masked) => text::members::national_id_kept(l, masked),
        None => text::members::national_id_hint(l).to_owned(),
    };
    let unit = page.is_new.then(|| {
        let chosen = typed("unit", draft.unit.map(|unit| unit.to_string()).unwrap_or_default());
        let label = |branch: &BranchChoice| {
            if branch.place.is_empty() { branch.name.clone() } else { format!("{} — {}", branch.name, branch.place) }
        };
        let offered = page.branches.iter().map(|branch| Choice::new(branch.id.to_string(), label(branch)));
        let choices = [Choice::new("", text::members::choose(l))].into_iter().chain(offered).collect();
        view! { <Select label=text::members::branch(l) name="unit" choices value=chosen error=error("unit")/> }
    });
    view! {
        <Form action failed=text::frame::network_failed(l) errors>
            <input type="hidden" name="id" value=typed("id", draft.id.to_string())/>
            <input type="hidden" name="version" value=typed("version", draft.version.to_string())/>
            {unit}
            <Field
                label=text::members::full_name(l)
                name="full_name"
                value=typed("full_name", draft.full_name)
                error=error("full_name")
                autocomplete="off"
                required=true
            />
            <Field
                label=text::members::birth_date(l)
                name="birth_date"
                value=typed("birth_date", day(draft.birth_date))
                hint=text::members::day_hint(l)
                error=error("birth_date")
                autocomplete="off"
                required=true
            />
            <RadioGroup
                legend=text::members::sex(l)
                name="sex"
                choices=sexes.into()
                value=typed("sex", draft.sex.map(|sex| sex.key().to_owned()).unwrap_or_default())
                error=error("sex")
            />
            <Field
                label=text::members::national_id(l)
                name="national_id"
                note=text::frame::optional(l)
                value=typed("national_id", String::new())
                hint=id_hint
                error=error("national_id")
                inputmode="numeric"
                autocomplete="off"
            />
            <Field
                label=text::members::phone(l)
                name="phone"
                note=text::frame::optional(l)
                value=typed("phone", draft.phone.unwrap_or_default())
                hint=text::members::phone_hint(l)
                error=error("phone")
                inputmode="tel"
                autocomplete="off"
            />
            <Field
                label=text::members::card(l)
                name="card"
                value=typed("card", draft.card)
                error=error("card")
                autocomplete="off"
                required=true
            />
            <Field
                label=text::members::admitted_on(l)
                name="admitted_on"
                value=typed("admitted_on", day(draft.admitted_on))
                hint=text::members::day_hint(l)
                error=error("admitted_on")
                autocomplete="off"
                required=true
            />
            <Field
                label=text::members::official_on(l)
                name="official_on"
                note=text::frame::optional(l)
                value=typed("official_on", day(draft.official_on))
                hint=text::members::official_hint(l)
                error=error("official_on")
                autocomplete="off"
            />
            <RadioGroup
                legend=text::members::standing(l)
                name="standing"
                choices=standings.into()
                value=typed("standing", draft.standing.key().to_owned())
                error=error("standing")
            />
            <div class="actions">
                <Button wide=true icon=IconName::Check>{save}</Button>
                <LinkButton href=back kind=ButtonKind::Quiet>{text::members::back(l)}</LinkButton>
            </div>
        </Form>
    }
    .into_any()
}
