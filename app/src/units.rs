//! The tree of units: search, the page of a unit, and a page for each operation.

use domain::{
    Locale,
    units::{Opening, Phase, UnitRef, UnitRow, UnitStep},
};
use leptos::prelude::*;

mod became_page;
mod change_pages;
mod code_page;
pub mod fns;
mod list_page;
#[cfg(feature = "ssr")]
pub(crate) mod picker;
mod split_page;
mod target_pages;
mod unit_page;

pub use became_page::BecamePage;
pub use change_pages::{ClosePage, NewUnitPage, PhasePage, RenamePage};
pub use code_page::CodePage;
pub use list_page::UnitsPage;
pub use split_page::SplitPage;
pub use target_pages::{MergePage, MovePage};
pub use unit_page::UnitPage;

use crate::{
    terms, text,
    title::Title,
    ui::{Breadcrumbs, Button, ButtonKind, Crumb, HERE, IconName, Line, ListRow, PageHeader, Tag, Tone, Whose},
};

fn address(unit: &UnitRef) -> String {
    format!("/units/{}", unit.id)
}

/// The address by the codes from the root down, which leads to the unit wherever it is.
fn address_by_code(unit: &UnitRef) -> String {
    format!("/units/code/{}", unit.path.as_str().trim_matches('/').replace('/', "."))
}

pub(crate) fn phase_name(l: Locale, phase: Phase) -> &'static str {
    match phase {
        Phase::Planned => text::units::phase_planned(l),
        Phase::Pilot => text::units::phase_pilot(l),
        Phase::Live => text::units::phase_live(l),
    }
}

/// The tag of a unit that is not live yet; `None` for a live one.
pub(crate) fn phase_tag(l: Locale, phase: Phase) -> Option<AnyView> {
    let tone = match phase {
        Phase::Planned => Tone::Warn,
        Phase::Pilot => Tone::Info,
        Phase::Live => return None,
    };
    Some(view! { <Tag tone label=phase_name(l, phase)/> }.into_any())
}

/// The state of the roll-out, one sentence each.
fn opening_lines(l: Locale, opening: &Opening) -> Vec<String> {
    let day = opening.live_from.filter(|_| opening.phase != Phase::Live);
    [
        day.map(|day| text::units::live_from(l, l.long_date_within(day))),
        opening.contact.as_ref().map(|contact| text::units::contact(l, contact)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn step_name(l: Locale, step: UnitStep) -> &'static str {
    match step {
        UnitStep::New => text::units::step_new(l),
        UnitStep::Rename => text::units::step_rename(l),
        UnitStep::Phase => text::units::step_phase(l),
        UnitStep::Move => text::units::step_move(l),
        UnitStep::Merge => text::units::step_merge(l),
        UnitStep::Split => text::units::step_split(l),
        UnitStep::Close => text::units::step_close(l),
    }
}

/// A search for units in the address: it works without script and can be bookmarked. `id` is that of the field, `along` are the
/// other query parameters.
pub(crate) fn search(
    l: Locale,
    id: &str,
    action: &str,
    label: &'static str,
    asked: Option<String>,
    along: Vec<(&'static str, String)>,
) -> AnyView {
    let along = along.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view();
    view! {
        <form class="search" role="search" method="get" action=action.to_owned()>
            <label class="visually-hidden" for=id.to_owned()>{label}</label>
            <input class="input" type="search" name="q" id=id.to_owned() value=asked.unwrap_or_default() placeholder=label/>
            {along}
            <Button kind=ButtonKind::Secondary icon=IconName::Search>{text::units::go_search(l)}</Button>
        </form>
    }
    .into_any()
}

/// A unit in a list, in its current form.
fn unit_row(l: Locale, row: UnitRow) -> AnyView {
    unit_row_at(l, row, "")
}

/// The same, with a link to the page of the day in the address.
fn unit_row_at(l: Locale, row: UnitRow, query: &str) -> AnyView {
    let formerly = formerly(l, &row);
    let meta = Line::from(row.parent.map(|parent| part_of(l, &parent)))
        .and(row.members.map(|members| terms::members_count(l, members.into())))
        .and(code_of(l, &row.unit))
        .and(formerly);
    view! {
        <ListRow
            href=format!("{}{query}", address(&row.unit))
            eyebrow=terms::short_unit_kind(l, row.unit.kind)
            meta
            title=row.unit.name
            whose=Whose::Name
        >
            {phase_tag(l, row.phase)}
        </ListRow>
    }
    .into_any()
}

/// The earlier name and code by which a unit was found.
fn formerly(l: Locale, row: &UnitRow) -> Option<Line> {
    let former = row.formerly.as_ref()?;
    Some(Line::around(text::units::formerly_was(l, HERE, &former.code), &Line::name(&former.name)))
}

/// The number of members for use within a sentence; without a number where it is hidden.
fn some_members(l: Locale, members: Option<u32>) -> String {
    members.map_or_else(|| text::units::some_members(l).to_owned(), |members| terms::members_count(l, members.into()))
}

/// The parent unit, in words.
fn part_of(l: Locale, parent: &str) -> Line {
    Line::around(text::units::part_of(l, HERE), &Line::name(parent))
}

/// The code of a unit, in words.
fn code_of(l: Locale, unit: &UnitRef) -> Line {
    Line::around(text::units::code_of(l, HERE), &Line::name(unit.path.code()))
}

/// The header of a form page: the link back to the unit, the question, and an explanation.
fn question(l: Locale, unit: &UnitRef, title: String, step: UnitStep, lead: Option<String>) -> AnyView {
    let crumbs = vec![
        Crumb::link(text::units::title(l), "/units"),
        Crumb::link(Line::name(&unit.name), address(unit)),
        Crumb::here(step_name(l, step)),
    ];
    view! {
        <Title text=title.clone()/>
        <Breadcrumbs label=text::units::trail(l) crumbs/>
        <PageHeader title eyebrow=terms::short_unit_kind(l, unit.kind) lead/>
    }
    .into_any()
}
