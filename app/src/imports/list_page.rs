//! The imports of the viewer's units.

use domain::{
    Locale,
    imports::{self, ImportState, ImportSummary},
    policy::Action,
};
use leptos::prelude::*;

use super::{fns::list, kind_name, state_name};
use crate::{
    context::use_viewer,
    frame::way_back,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{ButtonKind, EmptyState, HERE, IconName, Line, LinkButton, ListRow, PageHeader, RowList, Tag, Tone},
};

#[component]
pub fn ImportsPage() -> impl IntoView {
    let l = use_locale();
    let data = Resource::new(|| (), |()| list());
    show(data, move |imports::ImportsPage { imports }| {
        view! {
            <Title text=text::imports::title(l)/>
            <div class="page">
                {way_back(text::frame::members(l), "/members", text::imports::title(l))}
                <PageHeader title=text::imports::title(l) lead=text::imports::lead(l)>
                    <LinkButton href="/imports/new" icon=IconName::Upload>{text::imports::new(l)}</LinkButton>
                    {to_reorganisations(l)}
                </PageHeader>
                {rows(l, imports)}
            </div>
        }
        .into_any()
    })
}

/// A link for those who manage units: what becomes of old units is said by another kind of file.
fn to_reorganisations(l: Locale) -> Option<AnyView> {
    let manages = use_viewer()?.office_held(|role| role.covers(Action::ManageUnit)).is_some();
    manages.then(|| {
        view! {
            <LinkButton href="/reorganisations" kind=ButtonKind::Secondary icon=IconName::Layers>
                {text::reorganisations::title(l)}
            </LinkButton>
        }
        .into_any()
    })
}

fn rows(l: Locale, imports: Vec<ImportSummary>) -> AnyView {
    if imports.is_empty() {
        return view! { <EmptyState title=text::imports::none_title(l) text=text::imports::none(l) icon=IconName::Upload/> }
            .into_any();
    }
    let rows = imports
        .into_iter()
        .map(|import| {
            let eyebrow = Line::from(kind_name(l, import.kind)).and(import.unit.as_ref().map(|unit| Line::name(&unit.name)));
            let meta = started(l, &import);
            view! {
                <ListRow href=format!("/imports/{}", import.id) eyebrow title=import.file_name.clone() meta>
                    {state_tag(l, import.state)}
                    {counts(l, &import)}
                </ListRow>
            }
        })
        .collect_view();
    view! { <RowList>{rows}</RowList> }.into_any()
}

/// By whom and when it was started.
pub(super) fn started(l: Locale, import: &ImportSummary) -> Line {
    let name = import.started_by.as_ref().map_or_else(|| Line::from(text::imports::operator(l)), Line::name);
    Line::around(text::imports::started(l, HERE, l.date_time(import.started_at)), &name)
}

pub(super) fn state_tag(l: Locale, state: ImportState) -> AnyView {
    let (tone, icon) = match state {
        ImportState::Checking | ImportState::Running => (Tone::Info, IconName::Refresh),
        ImportState::Previewed => (Tone::Warn, IconName::Eye),
        ImportState::Done => (Tone::Ok, IconName::CheckCircle),
        ImportState::Cancelled => (Tone::Plain, IconName::Close),
        ImportState::Failed => (Tone::Warn, IconName::Alert),
    };
    view! { <Tag tone icon label=state_name(l, state)/> }.into_any()
}

fn counts(l: Locale, import: &ImportSummary) -> Option<AnyView> {
    let counts = import.counts;
    let is_known = matches!(import.state, ImportState::Previewed | ImportState::Done) && counts.total() > 0;
    is_known.then(|| {
        let told = text::imports::counts(l, l.number(counts.fresh), l.number(counts.changed), l.number(counts.refused));
        let is_wrong = import.unaccounted() > 0;
        let wrong =
            is_wrong.then(|| view! { <Tag tone=Tone::Warn icon=IconName::Alert label=text::imports::sum_wrong_title(l)/> });
        view! {
            <Tag label=told/>
            {wrong}
        }
        .into_any()
    })
}
