//! Splitting a branch: the new one's name, and who goes over.

use std::collections::BTreeSet;

use domain::units::{Roster, UnitStep};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{
    address,
    change_pages::{Sheet, buttons},
    fns::roster,
    question,
};
use crate::{
    page::show,
    terms::Labels,
    text,
    ui::{ButtonKind, Checkbox, EmptyState, Form, Icon, IconName},
};

const LABELS: Labels =
    &[("name", text::units::name), ("code", text::units::code), ("on", text::units::on), ("members", text::units::split_members)];

#[component]
pub fn SplitPage() -> impl IntoView {
    let sheet = Sheet::new("unit_split");
    let params = use_params_map();
    let data = Resource::new(move || params.with(|params| params.get("id").unwrap_or_default()), roster);
    show(data, move |page| splitting(&sheet, page))
}

fn splitting(sheet: &Sheet, page: Roster) -> AnyView {
    let (l, errors) = (sheet.l, sheet.errors);
    let title = text::units::split_title(l, &page.unit.name);
    let lead = text::units::split_lead(l).to_owned();
    let back = address(&page.unit);
    let form = if page.members.is_empty() {
        view! { <EmptyState title=text::units::split_nobody(l) text=text::units::split_lead(l) icon=IconName::People/> }
            .into_any()
    } else {
        let fields = view! {
            <input type="hidden" name="unit" value=page.unit.id.to_string()/>
            <input type="hidden" name="version" value=page.version.to_string()/>
            {sheet.name("")}
            {sheet.code(text::units::code(l), "")}
            {sheet.day(page.today)}
            {people(sheet, &page)}
            {buttons(l, back, ButtonKind::Primary, IconName::People, text::units::split_button(l))}
        }
        .into_any();
        view! {
            <Form action="/api/units/split" failed=text::frame::network_failed(l) errors>{fields}</Form>
        }
        .into_any()
    };
    view! {
        <div class="page page-narrow">
            {question(l, &page.unit, title, UnitStep::Split, Some(lead))}
            {sheet.summary(LABELS)}
            {form}
        </div>
    }
    .into_any()
}

fn people(sheet: &Sheet, page: &Roster) -> AnyView {
    let chosen: BTreeSet<&str> = sheet.typed("members").unwrap_or_default().split(' ').collect();
    let boxes = page
        .members
        .iter()
        .enumerate()
        .map(|(index, row)| {
            let member = row.member.to_string();
            // The first one is where the summary of what is wrong leads.
            let id = if index == 0 { "members".to_owned() } else { format!("members-{index}") };
            let checked = chosen.contains(member.as_str());
            view! { <Checkbox label=row.name.clone() name="members[]" id value=member checked/> }
        })
        .collect_view();
    let error = sheet.error("members");
    let message = move || {
        error.get().map(
            |message| view! { <p class="field-error" id="members-error"><Icon name=IconName::Alert/><span>{message}</span></p> },
        )
    };
    view! {
        <fieldset class="field choices">
            <legend class="label">{text::units::split_members(sheet.l)}</legend>
            {message}
            {boxes}
        </fieldset>
    }
    .into_any()
}
