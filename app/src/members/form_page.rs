//! The form of a record: for a new member, and for changes.

use chrono::NaiveDate;
use domain::{
    Locale,
    forms::FormErrors,
    ids::MemberId,
    members::{BranchChoice, MemberDraft, MemberFormPage, RECORD_HOLDER, RECORD_HOLDER_NAME, Sex, Standing},
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    fns::{blank, form},
    words,
};
use crate::{
    context::take_echo,
    i18n::use_locale,
    page::show,
    terms::{Labels, all_errors, field_error},
    text,
    title::Title,
    ui::{
        Breadcrumbs, Button, ButtonKind, Choice, Crumb, ErrorSummary, Field, FieldKind, Form, IconName, Line, LinkButton, Notice,
        PageHeader, RadioGroup, Select, content_lang,
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
            Crumb::link(Line::name(&page.draft.full_name), back),
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

/// A search that narrows the offered branches.
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

pub(super) fn branch_choices(l: Locale, branches: Vec<BranchChoice>) -> Vec<Choice> {
    let choice = |branch: BranchChoice| {
        let planned = (!branch.phase.is_open()).then(|| text::members::branch_planned(l));
        Choice::name(branch.id.to_string(), branch.name).hint(Line::name(branch.place).and(planned))
    };
    branches.into_iter().map(choice).collect()
}

/// State shared by all controls of the form: language, typed values, problems.
struct Controls {
    l: Locale,
    echo: Option<FormErrors>,
    errors: RwSignal<Option<FormErrors>>,
}

impl Controls {
    /// The typed value of a rejected form, otherwise the stored one.
    fn value(&self, field: &str, stored: Option<String>) -> String {
        let typed = self.echo.as_ref().and_then(|echo| echo.value(field)).map(str::to_owned);
        typed.or(stored).unwrap_or_default()
    }

    fn error(&self, field: &'static str) -> Signal<Option<String>> {
        field_error(self.l, self.errors, LABELS, field)
    }

    fn day(
        &self,
        name: &'static str,
        label: &'static str,
        stored: Option<NaiveDate>,
        hint: &'static str,
        optional: bool,
    ) -> AnyView {
        let note = optional.then(|| text::frame::optional(self.l));
        let (value, error) = (self.value(name, stored.map(|day| day.to_string())), self.error(name));
        view! { <Field label name kind=FieldKind::Date value hint note error required=!optional/> }.into_any()
    }
}

/// The record that already has the typed number, with a link.
pub(super) fn number_holder(l: Locale, echo: Option<&FormErrors>) -> Option<AnyView> {
    let id = echo?.value(RECORD_HOLDER)?.parse::<MemberId>().ok()?;
    let name = echo?.value(RECORD_HOLDER_NAME).unwrap_or_default().to_owned();
    let holder = view! {
        <Notice title=text::members::number_holder(l)>
            <p><a href=format!("/members/{id}") lang=content_lang() translate="no">{name}</a></p>
        </Notice>
    };
    Some(holder.into_any())
}

fn member_form(l: Locale, page: MemberFormPage, echo: Option<FormErrors>, errors: RwSignal<Option<FormErrors>>) -> AnyView {
    let holder = number_holder(l, echo.as_ref());
    let controls = Controls { l, echo, errors };
    let draft = page.draft;
    let (action, save, back) = if page.is_new {
        ("/api/members/register", text::members::save_new(l), "/members".to_owned())
    } else {
        ("/api/members/change", text::members::save_changes(l), format!("/members/{}", draft.id))
    };
    let id = controls.value("id", Some(draft.id.to_string()));
    let newest = Some(draft.version.to_string());
    // After a notice that the record has changed, the form continues with the current version: the one sent before would always
    // be refused.
    let is_stale = controls.echo.as_ref().is_some_and(FormErrors::is_stale);
    let version = newest.clone().filter(|_| is_stale).unwrap_or_else(|| controls.value("version", newest));
    let branch = page.is_new.then(|| branch_field(&controls, &draft, page.branches));
    let (person, membership) = (person_fields(&controls, &draft), membership_fields(&controls, &draft));
    view! {
        {holder}
        <Form action failed=text::frame::network_failed(l) errors>
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="version" value=version/>
            {branch}
            {person}
            {membership}
            <div class="actions">
                <Button wide=true icon=IconName::Check>{save}</Button>
                <LinkButton href=back kind=ButtonKind::Quiet>{text::members::back(l)}</LinkButton>
            </div>
        </Form>
    }
    .into_any()
}

/// The branch of a new member.
fn branch_field(controls: &Controls, draft: &MemberDraft, branches: Vec<BranchChoice>) -> AnyView {
    let l = controls.l;
    let value = controls.value("unit", draft.unit.map(|unit| unit.to_string()));
    let offered = branches.into_iter().map(|branch| {
        let label = if branch.place.is_empty() { branch.name } else { format!("{} — {}", branch.name, branch.place) };
        Choice::name(branch.id.to_string(), label)
    });
    let choices = [Choice::new("", text::members::choose(l))].into_iter().chain(offered).collect();
    let error = controls.error("unit");
    view! { <Select label=text::members::branch(l) name="unit" choices value error/> }.into_any()
}

/// Identity and contact fields.
fn person_fields(controls: &Controls, draft: &MemberDraft) -> AnyView {
    let l = controls.l;
    let name = controls.value("full_name", Some(draft.full_name.clone()));
    let birth_date =
        controls.day("birth_date", text::members::birth_date(l), draft.birth_date, text::members::day_hint(l), false);
    let sexes = Sex::ALL.map(|sex| Choice::new(sex.key(), words::sex(l, sex)));
    let sex = controls.value("sex", draft.sex.map(|sex| sex.key().to_owned()));
    // The stored number is never sent to the form: a new one replaces it, and an empty field keeps it.
    let national_id = controls.value("national_id", None);
    let id_hint = match &draft.national_id {
        Some(masked) => text::members::national_id_kept(l, masked),
        None => text::members::national_id_hint(l).to_owned(),
    };
    let phone = controls.value("phone", draft.phone.clone());
    let [name_error, sex_error, id_error, phone_error] =
        ["full_name", "sex", "national_id", "phone"].map(|field| controls.error(field));
    view! {
        <Field
            label=text::members::full_name(l)
            name="full_name"
            value=name
            error=name_error
            autocomplete="off"
            required=true
        />
        {birth_date}
        <RadioGroup legend=text::members::sex(l) name="sex" choices=sexes.into() value=sex error=sex_error/>
        <Field
            label=text::members::national_id(l)
            name="national_id"
            note=text::frame::optional(l)
            value=national_id
            hint=id_hint
            error=id_error
            inputmode="numeric"
            autocomplete="off"
        />
        <Field
            label=text::members::phone(l)
            name="phone"
            note=text::frame::optional(l)
            value=phone
            hint=text::members::phone_hint(l)
            error=phone_error
            inputmode="tel"
            autocomplete="off"
        />
    }
    .into_any()
}

/// Membership: dates and standing.
fn membership_fields(controls: &Controls, draft: &MemberDraft) -> AnyView {
    let l = controls.l;
    let card = controls.value("card", Some(draft.card.clone()));
    let admitted_on =
        controls.day("admitted_on", text::members::admitted_on(l), draft.admitted_on, text::members::day_hint(l), false);
    let official_on =
        controls.day("official_on", text::members::official_on(l), draft.official_on, text::members::official_hint(l), true);
    let standings = Standing::ALL.map(|standing| Choice::new(standing.key(), words::standing(l, standing)));
    let standing = controls.value("standing", Some(draft.standing.key().to_owned()));
    let [card_error, standing_error] = ["card", "standing"].map(|field| controls.error(field));
    view! {
        <Field label=text::members::card(l) name="card" value=card error=card_error autocomplete="off" required=true/>
        {admitted_on}
        {official_on}
        <RadioGroup
            legend=text::members::standing(l)
            name="standing"
            choices=standings.into()
            value=standing
            error=standing_error
        />
    }
    .into_any()
}
