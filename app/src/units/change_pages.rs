//! Form pages of one operation each: create, rename, roll-out, close.

use domain::{
    Locale,
    forms::FormErrors,
    units::{Phase, UnitPage, UnitStep},
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{address, fns::page, phase_name, question, some_members};
use crate::{
    context::take_echo,
    error::{AppError, Kind},
    i18n::use_locale,
    page::{PageData, show},
    terms::{self, Labels, all_errors, field_error},
    text,
    ui::{
        Button, ButtonKind, Choice, ErrorSummary, Field, FieldKind, Form, IconName, LinkButton, Notice, NoticeKind, RadioGroup,
        Select,
    },
};

const LABELS: Labels = &[
    ("kind", text::units::kind),
    ("code", text::units::code),
    ("name", text::units::name),
    ("on", text::units::on),
    ("phase", text::units::phase_choice),
    ("live_from", text::units::live_from_label),
    ("contact", text::units::contact_label),
];

/// State of a form: the rejected values, and the current problems.
#[derive(Clone)]
pub(super) struct Sheet {
    pub(super) l: Locale,
    pub(super) errors: RwSignal<Option<FormErrors>>,
    labels: Labels,
    echo: Option<FormErrors>,
}

impl Sheet {
    /// Must be called in the body of the page's component, before any await.
    pub(super) fn new(form: &str, labels: Labels) -> Self {
        let echo = take_echo(form);
        Self { l: use_locale(), errors: RwSignal::new(echo.clone()), labels, echo }
    }

    /// The typed value of a rejected form, otherwise the current one.
    pub(super) fn value(&self, field: &str, now: impl Into<String>) -> String {
        self.typed(field).map_or_else(|| now.into(), str::to_owned)
    }

    pub(super) fn typed(&self, field: &str) -> Option<&str> {
        self.echo.as_ref().and_then(|echo| echo.value(field))
    }

    pub(super) fn error(&self, field: &'static str) -> Signal<Option<String>> {
        field_error(self.l, self.errors, self.labels, field)
    }

    pub(super) fn summary(&self) -> AnyView {
        let l = self.l;
        view! { <ErrorSummary title=text::frame::errors_title(l) items=all_errors(l, self.errors, self.labels)/> }.into_any()
    }

    /// The field for the day of the decision.
    pub(super) fn day(&self, today: impl ToString) -> AnyView {
        let l = self.l;
        view! {
            <Field
                label=text::units::on(l)
                name="on"
                kind=FieldKind::Date
                value=self.value("on", today.to_string())
                hint=text::units::on_hint(l)
                error=self.error("on")
            />
        }
        .into_any()
    }

    pub(super) fn code(&self, label: &'static str, now: &str) -> AnyView {
        let l = self.l;
        view! {
            <Field
                label
                name="code"
                value=self.value("code", now)
                hint=text::units::code_hint(l)
                error=self.error("code")
                autocomplete="off"
            />
        }
        .into_any()
    }

    pub(super) fn name(&self, now: &str) -> AnyView {
        let l = self.l;
        view! {
            <Field
                label=text::units::name(l)
                name="name"
                value=self.value("name", now)
                hint=text::units::name_hint(l)
                error=self.error("name")
                autocomplete="off"
            />
        }
        .into_any()
    }
}

/// The submit button, and the link back.
pub(super) fn buttons(l: Locale, back: String, kind: ButtonKind, icon: IconName, label: &'static str) -> AnyView {
    view! {
        <div class="actions">
            <Button kind wide=true icon>{label}</Button>
            <LinkButton href=back kind=ButtonKind::Secondary icon=IconName::ArrowLeft wide=true>{text::units::back(l)}</LinkButton>
        </div>
    }
    .into_any()
}

/// The unit of the address, for the form of this step.
fn asked(step: UnitStep) -> PageData<UnitPage> {
    let params = use_params_map();
    Resource::new(
        move || params.with(|params| params.get("id").unwrap_or_default()),
        move |unit| async move {
            let found = page(unit, None, None, None).await?;
            // A form that the viewer may not send is not shown either.
            if found.steps.contains(&step) { Ok(found) } else { Err(AppError::new(Kind::NotAllowed)) }
        },
    )
}

#[component]
pub fn NewUnitPage() -> impl IntoView {
    let sheet = Sheet::new("unit_new", LABELS);
    show(asked(UnitStep::New), move |page| new_unit(&sheet, &page))
}

fn new_unit(sheet: &Sheet, page: &UnitPage) -> AnyView {
    let l = sheet.l;
    let kinds = page.unit.kind.levels_below(page.today);
    let kinds: Vec<Choice> = kinds.map(|kind| Choice::new(kind.key(), terms::unit_kind(l, kind))).collect();
    // As the units that are there already; else the highest level.
    let beside = page.children.rows.first().map(|row| row.unit.kind.key());
    let usual = kinds.iter().find(|choice| Some(choice.value.as_str()) == beside).or(kinds.first());
    let usual = usual.map(|choice| choice.value.clone()).unwrap_or_default();
    let title = text::units::new_title(l, &page.unit.name);
    let errors = sheet.errors;
    let fields = view! {
        <input type="hidden" name="parent" value=page.unit.id.to_string()/>
        <Select
            label=text::units::kind(l)
            name="kind"
            choices=kinds
            value=sheet.value("kind", usual)
            error=sheet.error("kind")
        />
        {sheet.name("")}
        {sheet.code(text::units::code(l), "")}
        {sheet.day(page.today)}
        {buttons(l, address(&page.unit), ButtonKind::Primary, IconName::Plus, text::units::new_button(l))}
    }
    .into_any();
    view! {
        <div class="page page-narrow">
            {question(l, &page.unit, title, UnitStep::New, None)}
            {sheet.summary()}
            <Form action="/api/units/create" failed=text::frame::network_failed(l) errors>{fields}</Form>
        </div>
    }
    .into_any()
}

#[component]
pub fn RenamePage() -> impl IntoView {
    let sheet = Sheet::new("unit_rename", LABELS);
    show(asked(UnitStep::Rename), move |page| rename(&sheet, &page))
}

fn rename(sheet: &Sheet, page: &UnitPage) -> AnyView {
    let (l, errors) = (sheet.l, sheet.errors);
    let title = text::units::rename_title(l, &page.unit.name);
    let lead = text::units::rename_lead(l).to_owned();
    let fields = view! {
        {identity(page)}
        {sheet.name(&page.unit.name)}
        {sheet.day(page.today)}
        {buttons(l, address(&page.unit), ButtonKind::Primary, IconName::Check, text::units::rename_button(l))}
    }
    .into_any();
    view! {
        <div class="page page-narrow">
            {question(l, &page.unit, title, UnitStep::Rename, Some(lead))}
            {sheet.summary()}
            <Form action="/api/units/rename" failed=text::frame::network_failed(l) errors>{fields}</Form>
        </div>
    }
    .into_any()
}

#[component]
pub fn PhasePage() -> impl IntoView {
    let sheet = Sheet::new("unit_phase", LABELS);
    show(asked(UnitStep::Phase), move |page| phase(&sheet, &page))
}

fn phase(sheet: &Sheet, page: &UnitPage) -> AnyView {
    let (l, errors) = (sheet.l, sheet.errors);
    let title = text::units::phase_heading(l, &page.unit.name);
    let lead = text::units::phase_lead(l).to_owned();
    let follow = page.unit.path.parent().map(|_| {
        let hint = match page.own_phase {
            None => Some(text::units::phase_follow_hint(l, phase_name(l, page.opening.phase))),
            Some(_) => None,
        };
        let choice = Choice::new("", text::units::phase_follow(l));
        match hint {
            Some(hint) => choice.hint(hint),
            None => choice,
        }
    });
    let phases = Phase::ALL.map(|phase| {
        let hint = match phase {
            Phase::Planned => text::units::phase_planned_hint(l),
            Phase::Pilot => text::units::phase_pilot_hint(l),
            Phase::Live => text::units::phase_live_hint(l),
        };
        Choice::new(phase.key(), phase_name(l, phase)).hint(hint)
    });
    let choices = follow.into_iter().chain(phases).collect();
    // Day and contact of the unit's own phase only; an inherited phase is changed on the unit it is set on.
    let own = Some(&page.opening).filter(|_| page.own_phase.is_some());
    let now = page.own_phase.or_else(|| page.unit.path.parent().is_none().then_some(page.opening.phase));
    let live_from = own.and_then(|own| own.live_from).map(|day| day.to_string()).unwrap_or_default();
    let contact = own.and_then(|own| own.contact.clone()).unwrap_or_default();
    let fields = view! {
        {identity(page)}
        <RadioGroup
            legend=text::units::phase_choice(l)
            name="phase"
            choices
            value=sheet.value("phase", now.map_or("", Phase::key))
            error=sheet.error("phase")
        />
        <Field
            label=text::units::live_from_label(l)
            name="live_from"
            kind=FieldKind::Date
            note=text::frame::optional(l)
            value=sheet.value("live_from", live_from)
            hint=text::units::live_from_hint(l)
            error=sheet.error("live_from")
        />
        <Field
            label=text::units::contact_label(l)
            name="contact"
            note=text::frame::optional(l)
            value=sheet.value("contact", contact)
            hint=text::units::contact_hint(l)
            error=sheet.error("contact")
        />
        {buttons(l, address(&page.unit), ButtonKind::Primary, IconName::Check, text::units::phase_button(l))}
    }
    .into_any();
    view! {
        <div class="page page-narrow">
            {question(l, &page.unit, title, UnitStep::Phase, Some(lead))}
            {sheet.summary()}
            <Form action="/api/units/phase" failed=text::frame::network_failed(l) errors>{fields}</Form>
        </div>
    }
    .into_any()
}

#[component]
pub fn ClosePage() -> impl IntoView {
    let sheet = Sheet::new("unit_close", LABELS);
    show(asked(UnitStep::Close), move |page| close(&sheet, &page))
}

fn close(sheet: &Sheet, page: &UnitPage) -> AnyView {
    let (l, errors) = (sheet.l, sheet.errors);
    let title = text::units::close_title(l, &page.unit.name);
    let lead = text::units::close_lead(l).to_owned();
    let content = in_the_way(l, page).unwrap_or_else(|| {
        let fields = view! {
            {identity(page)}
            {sheet.day(page.today)}
            {buttons(l, address(&page.unit), ButtonKind::Danger, IconName::Close, text::units::close_button(l))}
        }
        .into_any();
        view! { <Form action="/api/units/close" failed=text::frame::network_failed(l) errors>{fields}</Form> }.into_any()
    });
    view! {
        <div class="page page-narrow">
            {question(l, &page.unit, title, UnitStep::Close, Some(lead))}
            {sheet.summary()}
            {content}
        </div>
    }
    .into_any()
}

/// Reasons why the unit cannot be closed, shown before the form is sent, with links to what to do.
fn in_the_way(l: Locale, page: &UnitPage) -> Option<AnyView> {
    let units = u64::from(page.children.all);
    // A hidden number is not zero.
    let has_members = page.closing.is_none() && page.members != Some(0);
    let title = if units > 0 {
        text::units::still_units(l, text::units::units_count(l, units))
    } else if has_members {
        text::units::still_members(l, some_members(l, page.members))
    } else {
        return None;
    };
    let here = address(&page.unit);
    let merge = format!("{here}/merge");
    Some(
        view! {
            <Notice kind=NoticeKind::Warn title/>
            <div class="actions">
                <LinkButton href=merge icon=IconName::Layers wide=true>{text::units::step_merge(l)}</LinkButton>
                <LinkButton href=here kind=ButtonKind::Secondary icon=IconName::ArrowLeft wide=true>{text::units::back(l)}</LinkButton>
            </div>
        }
        .into_any(),
    )
}

/// Hidden fields: the unit and the version the form is based on.
fn identity(page: &UnitPage) -> AnyView {
    view! {
        <input type="hidden" name="unit" value=page.unit.id.to_string()/>
        <input type="hidden" name="version" value=page.version.to_string()/>
    }
    .into_any()
}
