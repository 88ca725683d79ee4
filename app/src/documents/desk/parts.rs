//! Parts shared by all pages of the desk.

use domain::{Locale, documents::steps::DocumentState};
use leptos::prelude::*;

use crate::{
    terms, text,
    ui::{Breadcrumbs, Crumb, IconName, Line, Tag, Tone},
};

/// Breadcrumbs from the desk to this page; `above` are names and addresses of the pages between.
pub(super) fn way_back(l: Locale, above: Vec<(Line, String)>, here: impl Into<Line>) -> AnyView {
    let mut crumbs = vec![Crumb::link(text::frame::desk(l), "/desk")];
    crumbs.extend(above.into_iter().map(|(name, address)| Crumb::link(name, address)));
    crumbs.push(Crumb::here(here));
    view! { <Breadcrumbs label=text::desk::way(l) crumbs/> }.into_any()
}

pub(super) fn state_tag(l: Locale, state: DocumentState) -> AnyView {
    let (tone, icon) = match state {
        DocumentState::Draft => (Tone::Warn, IconName::Pencil),
        DocumentState::InReview => (Tone::Info, IconName::Eye),
        DocumentState::Scheduled => (Tone::Info, IconName::Clock),
        DocumentState::Published => (Tone::Ok, IconName::CheckCircle),
        DocumentState::Withdrawn => (Tone::Plain, IconName::Reply),
    };
    view! { <Tag tone icon label=terms::document_state(l, state)/> }.into_any()
}
