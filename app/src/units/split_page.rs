//! Splitting a branch: the name of the new one, and the members who move.

use domain::units::{Roster, UnitStep};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{
    address,
    change_pages::{Sheet, buttons},
    fns::roster,
    phase_name, question,
};
use crate::{
    page::show,
    terms::Labels,
    text,
    ui::{ButtonKind, CheckGroup, Choice, EmptyState, Form, IconName, Notice, NoticeKind},
};

const LABELS: Labels =
    &[("name", text::units::name), ("code", text::units::code), ("on", text::units::on), ("members", text::units::split_members)];

#[component]
pub fn SplitPage() -> impl IntoView {
    let sheet = Sheet::new("unit_split", LABELS);
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
        let phase = page.phase.map(|phase| {
            let title = text::units::split_phased(l, phase_name(l, phase));
            view! { <Notice kind=NoticeKind::Info title/> }
        });
        let fields = view! {
            <input type="hidden" name="unit" value=page.unit.id.to_string()/>
            <input type="hidden" name="version" value=page.version.to_string()/>
            {sheet.name("")}
            {sheet.code(text::units::code(l), "")}
            {sheet.day(page.today)}
            {people(sheet, &page)}
            {phase}
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
            {sheet.summary()}
            {form}
        </div>
    }
    .into_any()
}

fn people(sheet: &Sheet, page: &Roster) -> AnyView {
    let choices = page.members.iter().map(|row| Choice::name(row.member.to_string(), row.name.clone())).collect();
    let checked = sheet.typed("members").unwrap_or_default().split(' ').map(str::to_owned).collect();
    let error = sheet.error("members");
    let legend = text::units::split_members(sheet.l);
    view! { <CheckGroup legend name="members[]" id="members" choices checked error/> }.into_any()
}
