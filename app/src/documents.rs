//! Documents: the library every member reads in, and the desk where editors write, publish and withdraw.
//!
//! Opinions on a document are `feedback`'s; from here a link leads there.

pub mod desk_fns;
#[cfg(feature = "ssr")]
mod desk_page;
#[cfg(feature = "ssr")]
mod difference;
#[cfg(feature = "ssr")]
mod draft_page;
#[cfg(feature = "ssr")]
mod editor;
pub mod fns;
mod library_page;
#[cfg(feature = "ssr")]
mod publish_page;
mod read_page;
#[cfg(feature = "ssr")]
mod review_page;
#[cfg(feature = "ssr")]
mod revisions_page;
#[cfg(feature = "ssr")]
mod rules_page;
#[cfg(feature = "ssr")]
mod writing;
pub mod writing_fns;

#[cfg(feature = "ssr")]
pub(crate) use desk_page::DeskPage;
#[cfg(feature = "ssr")]
pub(crate) use draft_page::{DraftPage, NewDraftPage};
pub use library_page::LibraryPage;
pub(crate) use library_page::document_row;
#[cfg(feature = "ssr")]
pub(crate) use publish_page::PublishPage;
pub use read_page::ReadPage;
#[cfg(feature = "ssr")]
pub(crate) use review_page::ReviewPage;
#[cfg(feature = "ssr")]
pub(crate) use revisions_page::RevisionsPage;
#[cfg(feature = "ssr")]
pub(crate) use rules_page::RulesPage;

#[cfg(feature = "ssr")]
use desk_parts::{state_tag, way_back};

/// What all pages of the desk have.
#[cfg(feature = "ssr")]
mod desk_parts {
    use domain::{Locale, documents::steps::DocumentState};
    use leptos::prelude::*;

    use crate::{
        terms, text,
        ui::{Breadcrumbs, Crumb, IconName, Tag, Tone},
    };

    /// The way from the desk to here; `above` are names and addresses of pages between.
    pub(super) fn way_back(l: Locale, above: Vec<(String, String)>, here: &str) -> AnyView {
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
}
