//! Moving a unit below another, and merging it into another: search, choice, confirmation of what moves along. A merge cannot be
//! undone, so it is confirmed once more with both names.

use domain::{
    Locale,
    units::{Phase, UnitRow, UnitStep, UnitTargets},
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    address,
    change_pages::{Sheet, buttons},
    code_of,
    fns::targets,
    formerly, part_of, phase_name, question, search, some_members,
};
use crate::{
    page::show,
    terms::{self, Labels},
    text,
    ui::{Button, ButtonKind, Choice, EmptyState, Form, IconName, LinkButton, Notice, NoticeKind, RadioGroup},
};

const MOVE_LABELS: Labels = &[("target", text::units::move_target), ("code", text::units::move_code), ("on", text::units::on)];
const MERGE_LABELS: Labels = &[("target", text::units::merge_target), ("on", text::units::on)];

#[component]
pub fn MovePage() -> impl IntoView {
    let sheet = Sheet::new("unit_move", MOVE_LABELS);
    chosen(UnitStep::Move, sheet, moving)
}

#[component]
pub fn MergePage() -> impl IntoView {
    let sheet = Sheet::new("unit_merge", MERGE_LABELS);
    chosen(UnitStep::Merge, sheet, merging)
}

type View = fn(&Sheet, UnitTargets, Option<String>, Option<Chosen>) -> AnyView;

/// The choices made before the final confirmation.
#[derive(Clone)]
struct Chosen {
    target: String,
    on: String,
}

fn chosen(step: UnitStep, sheet: Sheet, view: View) -> AnyView {
    let params = use_params_map();
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let unit = params.read().get("id").unwrap_or_default();
        (unit, query.read().get("q").filter(|words| !words.trim().is_empty()))
    });
    let data = Resource::new(move || asked.get(), move |(unit, q)| targets(unit, step.key().to_owned(), q));
    show(data, move |page| {
        let chosen = query.with_untracked(|query| Some(Chosen { target: query.get("target")?, on: query.get("on")? }));
        view(&sheet, page, asked.get_untracked().1, chosen)
    })
}

fn moving(sheet: &Sheet, page: UnitTargets, asked: Option<String>, _: Option<Chosen>) -> AnyView {
    let (l, errors) = (sheet.l, sheet.errors);
    let title = text::units::move_title(l, &page.unit.name);
    let lead = text::units::move_lead(l).to_owned();
    let here = format!("{}/move", address(&page.unit));
    let form = (!page.found.is_empty()).then(|| {
        let fields = view! {
            {identity(&page)}
            {choices(sheet, &page.found, text::units::move_target(l))}
            {sheet.code(text::units::move_code(l), &page.code)}
            {sheet.day(page.today)}
            {goes_along(l, &page)}
            {phased(&page, text::units::move_phased(l, &page.unit.name, phase_name(l, page.phase)))}
            {buttons(l, address(&page.unit), ButtonKind::Primary, IconName::ArrowRight, text::units::move_button(l))}
        }
        .into_any();
        view! {
            <Form action="/api/units/move" failed=text::frame::network_failed(l) errors>{fields}</Form>
        }
    });
    view! {
        <div class="page page-narrow">
            {question(l, &page.unit, title, UnitStep::Move, Some(lead))}
            {sheet.summary()}
            {search(l, "q", &here, text::units::move_search(l), asked, Vec::new())}
            {around(l, &page)}
            {form}
        </div>
    }
    .into_any()
}

fn merging(sheet: &Sheet, page: UnitTargets, asked: Option<String>, chosen: Option<Chosen>) -> AnyView {
    let l = sheet.l;
    if let Some((chosen, target)) =
        chosen.and_then(|chosen| page.found.iter().find(|row| row.unit.id.to_string() == chosen.target).map(|row| (chosen, row)))
    {
        return merging_for_sure(sheet, &page, &chosen, target);
    }
    let title = text::units::merge_title(l, &page.unit.name);
    let lead = text::units::merge_lead(l, &page.unit.name);
    let here = format!("{}/merge", address(&page.unit));
    let form = (!page.found.is_empty()).then(|| {
        let fields = view! {
            {choices(sheet, &page.found, text::units::merge_target(l))}
            {sheet.day(page.today)}
            {goes_along(l, &page)}
            {phased(&page, text::units::merge_phased(l, &page.unit.name, phase_name(l, page.phase)))}
            {buttons(l, address(&page.unit), ButtonKind::Primary, IconName::ArrowRight, text::units::merge_next(l))}
        }
        .into_any();
        // No change yet: the next page asks for confirmation.
        view! {
            <form class="form" method="get" action=here.clone()>
                {asked.clone().map(|words| view! { <input type="hidden" name="q" value=words/> })}
                {fields}
            </form>
        }
    });
    view! {
        <div class="page page-narrow">
            {question(l, &page.unit, title, UnitStep::Merge, Some(lead))}
            {sheet.summary()}
            {search(l, "q", &here, text::units::merge_search(l), asked, Vec::new())}
            {around(l, &page)}
            {form}
        </div>
    }
    .into_any()
}

/// The final confirmation, which names the unit that is merged and the one it is merged into.
fn merging_for_sure(sheet: &Sheet, page: &UnitTargets, chosen: &Chosen, into: &UnitRow) -> AnyView {
    let (l, errors) = (sheet.l, sheet.errors);
    let title = text::units::merge_sure(l, &page.unit.name, &into.unit.name);
    let members = page.members.map_or_else(|| terms::members(l).to_owned(), |members| terms::members_count(l, members.into()));
    let day = domain::forms::day(&chosen.on).map_or_else(|_| chosen.on.clone(), |day| l.date(day));
    let told = text::units::merge_sure_text(l, members, &into.unit.name, day, &page.unit.name);
    let back = format!("{}/merge", address(&page.unit));
    let identity = identity(page);
    let phased = page.phased.contains(&into.unit.id).then(|| {
        let title = text::units::merge_sure_phased(l, &into.unit.name, phase_name(l, page.phase), &page.unit.name);
        view! { <Notice kind=NoticeKind::Info title/> }
    });
    let Chosen { target, on } = chosen.clone();
    view! {
        <div class="page page-narrow">
            {question(l, &page.unit, title, UnitStep::Merge, Some(told))}
            {sheet.summary()}
            {goes_along(l, page)}
            {phased}
            <Form action="/api/units/merge" failed=text::frame::network_failed(l) errors>
                {identity}
                <input type="hidden" name="target" value=target/>
                <input type="hidden" name="on" value=on/>
                <div class="actions">
                    <Button kind=ButtonKind::Danger wide=true icon=IconName::Layers>{text::units::merge_sure_button(l)}</Button>
                    <LinkButton href=back kind=ButtonKind::Secondary icon=IconName::ArrowLeft wide=true>
                        {text::units::merge_again(l)}
                    </LinkButton>
                </div>
            </Form>
        </div>
    }
    .into_any()
}

fn choices(sheet: &Sheet, found: &[UnitRow], legend: &'static str) -> AnyView {
    let l = sheet.l;
    let choices = found
        .iter()
        .map(|row| {
            let phase = (row.phase != Phase::Live).then(|| phase_name(l, row.phase));
            let parent = row.parent.as_ref().map(|parent| part_of(l, parent));
            let hint = code_of(l, &row.unit).and(parent).and(formerly(l, row)).and(phase);
            Choice::name(row.unit.id.to_string(), row.unit.name.clone()).hint(hint)
        })
        .collect();
    view! {
        <RadioGroup legend name="target" choices value=sheet.value("target", "") error=sheet.error("target")/>
    }
    .into_any()
}

/// Notice that the results are truncated, or that there are none.
fn around(l: Locale, page: &UnitTargets) -> AnyView {
    if page.found.is_empty() {
        return view! {
            <EmptyState title=text::units::no_target_title(l) text=text::units::no_target(l) icon=IconName::Layers/>
        }
        .into_any();
    }
    page.more.then(|| view! { <p class="muted">{text::units::more_found(l)}</p> }).into_any()
}

/// The members and units concerned, shown before the change.
fn goes_along(l: Locale, page: &UnitTargets) -> AnyView {
    let members = some_members(l, page.members);
    let title = match page.units {
        0 => text::units::goes_along_members(l, members),
        units => text::units::goes_along(l, members, text::units::units_count(l, units.into())),
    };
    view! { <Notice kind=NoticeKind::Info title/> }.into_any()
}

/// Tells that a unit gets a phase of its own, if that depends on the choice.
fn phased(page: &UnitTargets, title: String) -> Option<AnyView> {
    (!page.phased.is_empty()).then(|| view! { <Notice kind=NoticeKind::Info title/> }.into_any())
}

fn identity(page: &UnitTargets) -> AnyView {
    view! {
        <input type="hidden" name="unit" value=page.unit.id.to_string()/>
        <input type="hidden" name="version" value=page.version.to_string()/>
    }
    .into_any()
}
