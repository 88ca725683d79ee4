//! Documents: the library every member reads in, and the desk where editors write, publish and withdraw.
//!
//! Opinions on a document are `feedback`'s; from here a link leads there.

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
pub(crate) use desk_page::DeskPage;
#[cfg(feature = "ssr")]
pub(crate) use draft_page::{DraftPage, NewDraftPage};
pub use library_page::LibraryPage;
pub(crate) use library_page::document_row;
#[cfg(feature = "ssr")]
pub(crate) use publish_page::PublishPage;
pub use read_page::ReadPage;
