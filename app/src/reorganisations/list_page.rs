//! The reorganisations of the viewer's units.

use domain::{
    Locale,
    units::reorganisation::{self, ReorganisationState, ReorganisationSummary},
};
use leptos::prelude::*;

use super::{fns::list, state_name};
use crate::{
    frame::way_back,
    i18n::use_locale,
    page::show,
    text,
    title::Title,
    ui::{ButtonKind, EmptyState, HERE, IconName, Line, LinkButton, ListRow, PageHeader, RowList, Tag, Tone, Whose},
};

#[component]
pub fn ReorganisationsPage() -> impl IntoView {
    let l = use_locale();
    let data = Resource::new(|| (), |()| list());
    show(data, move |reorganisation::ReorganisationsPage { reorganisations, waiting, .. }| {
        let queue = if waiting == 0 {
            text::reorganisations::queue_title(l).to_owned()
        } else {
            text::reorganisations::waiting(l, waiting.into())
        };
        view! {
            <Title text=text::reorganisations::title(l)/>
            <div class="page">
                {way_back(text::frame::units(l), "/units", text::reorganisations::title(l))}
                <PageHeader title=text::reorganisations::title(l) lead=text::reorganisations::lead(l)>
                    <LinkButton href="/reorganisations/new" icon=IconName::Upload>{text::reorganisations::new(l)}</LinkButton>
                    <LinkButton href="/reorganisations/queue" kind=ButtonKind::Secondary icon=IconName::Inbox>{queue}</LinkButton>
                </PageHeader>
                {rows(l, reorganisations)}
            </div>
        }
        .into_any()
    })
}

fn rows(l: Locale, reorganisations: Vec<ReorganisationSummary>) -> AnyView {
    if reorganisations.is_empty() {
        return view! {
            <EmptyState
                title=text::reorganisations::none_title(l)
                text=text::reorganisations::none(l)
                icon=IconName::Layers
            />
        }
        .into_any();
    }
    let rows = reorganisations
        .into_iter()
        .map(|one| {
            let title = text::reorganisations::heading(l, l.date(one.on));
            view! {
                <ListRow
                    href=format!("/reorganisations/{}", one.id)
                    eyebrow=files(&one)
                    title
                    whose=Whose::Ours
                    meta=started(l, &one)
                >
                    {listed_tag(l, one.state)}
                </ListRow>
            }
        })
        .collect_view();
    view! { <RowList>{rows}</RowList> }.into_any()
}

/// The names of its files.
pub(super) fn files(reorganisation: &ReorganisationSummary) -> Line {
    let names: Vec<&str> = reorganisation.files.iter().map(|file| file.name.as_str()).collect();
    Line::content(names.join(", "))
}

/// By whom and when it was prepared.
pub(super) fn started(l: Locale, reorganisation: &ReorganisationSummary) -> Line {
    let name = reorganisation.started_by.as_ref().map_or_else(|| Line::from(text::imports::operator(l)), Line::name);
    Line::around(text::imports::started(l, HERE, l.date_time(reorganisation.started_at)), &name)
}

/// By whom and when it was confirmed; `None` before.
pub(super) fn confirmed(l: Locale, reorganisation: &ReorganisationSummary) -> Option<Line> {
    let at = reorganisation.confirmed_at?;
    let name = reorganisation.confirmed_by.as_ref().map_or_else(|| Line::from(text::imports::operator(l)), Line::name);
    Some(Line::around(text::reorganisations::confirmed(l, HERE, l.date_time(at)), &name))
}

/// The state in the list, where the files are not planned: whether a preview can be confirmed is only on its page.
fn listed_tag(l: Locale, state: ReorganisationState) -> AnyView {
    match state {
        ReorganisationState::Previewed => {
            view! { <Tag tone=Tone::Warn icon=IconName::Eye label=text::reorganisations::state_prepared(l)/> }.into_any()
        }
        _ => state_tag(l, state),
    }
}

pub(super) fn state_tag(l: Locale, state: ReorganisationState) -> AnyView {
    let (tone, icon) = match state {
        ReorganisationState::Confirmed | ReorganisationState::Following => (Tone::Info, IconName::Refresh),
        ReorganisationState::Previewed => (Tone::Warn, IconName::Eye),
        ReorganisationState::Changed => (Tone::Warn, IconName::Alert),
        ReorganisationState::Done => (Tone::Ok, IconName::CheckCircle),
        ReorganisationState::Cancelled => (Tone::Plain, IconName::Close),
    };
    view! { <Tag tone icon label=state_name(l, state)/> }.into_any()
}
