//! The desk, where editors write, publish and withdraw. Rendered by the server only.

mod approval;
mod desk_page;
mod difference;
mod draft_page;
mod editor;
mod fns;
mod particulars;
mod parts;
mod publish_page;
mod review_page;
mod revisions_page;
mod rules_page;
mod unsaved_page;
mod writing;
mod writing_fns;

pub(crate) use desk_page::DeskPage;
pub(crate) use draft_page::{DraftPage, NewDraftPage};
pub(crate) use publish_page::PublishPage;
pub(crate) use review_page::ReviewPage;
pub(crate) use revisions_page::RevisionsPage;
pub(crate) use rules_page::RulesPage;
pub(crate) use unsaved_page::{UnsavedPage, unsaved_notice};
pub(crate) use writing_fns::has_unsaved;
