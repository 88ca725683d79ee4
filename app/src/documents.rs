//! Documents: the library every member reads in, and the desk where editors write, publish and withdraw.
//!
//! Opinions on a document are `feedback`'s; from here a link leads there.

#[cfg(feature = "ssr")]
mod approval;
pub mod desk_fns;
#[cfg(feature = "ssr")]
mod desk_page;
#[cfg(feature = "ssr")]
mod desk_parts;
#[cfg(feature = "ssr")]
mod difference;
#[cfg(feature = "ssr")]
mod document_file;
mod document_row;
#[cfg(feature = "ssr")]
mod draft_page;
#[cfg(feature = "ssr")]
mod editor;
#[cfg(feature = "ssr")]
mod followed_page;
pub mod library_fns;
mod library_page;
#[cfg(feature = "ssr")]
mod library_view;
#[cfg(feature = "ssr")]
mod official_sheet;
#[cfg(feature = "ssr")]
mod own_receipt;
#[cfg(feature = "ssr")]
mod particulars;
#[cfg(feature = "ssr")]
mod publish_page;
mod read_page;
#[cfg(feature = "ssr")]
mod read_view;
pub mod readers_fns;
#[cfg(feature = "ssr")]
mod readers_page;
#[cfg(feature = "ssr")]
mod review_page;
#[cfg(feature = "ssr")]
mod revisions_page;
#[cfg(feature = "ssr")]
mod rules_page;
#[cfg(feature = "ssr")]
mod shelf_page;
#[cfg(feature = "ssr")]
mod writing;
pub mod writing_fns;

#[cfg(feature = "ssr")]
pub(crate) use desk_page::DeskPage;
#[cfg(feature = "ssr")]
pub use document_file::document_file;
#[cfg(feature = "ssr")]
pub(crate) use document_row::document_meta;
pub(crate) use document_row::document_row;
#[cfg(feature = "ssr")]
pub(crate) use draft_page::{DraftPage, NewDraftPage};
#[cfg(feature = "ssr")]
pub(crate) use followed_page::FollowedPage;
pub use library_page::LibraryPage;
#[cfg(feature = "ssr")]
pub(crate) use publish_page::PublishPage;
pub use read_page::ReadPage;
#[cfg(feature = "ssr")]
pub(crate) use readers_page::ReadersPage;
#[cfg(feature = "ssr")]
pub(crate) use review_page::ReviewPage;
#[cfg(feature = "ssr")]
pub(crate) use revisions_page::RevisionsPage;
#[cfg(feature = "ssr")]
pub(crate) use rules_page::RulesPage;
#[cfg(feature = "ssr")]
pub(crate) use shelf_page::ShelfPage;
