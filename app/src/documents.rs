//! Documents: the library every member reads in, and the desk where editors write, publish and withdraw.
//!
//! Opinions on a document are `feedback`'s; from here a link leads there.

#[cfg(feature = "ssr")]
mod desk_page;
#[cfg(feature = "ssr")]
mod document_file;
mod document_row;
#[cfg(feature = "ssr")]
mod draft_page;
#[cfg(feature = "ssr")]
mod editor;
pub mod fns;
pub mod library_fns;
mod library_page;
#[cfg(feature = "ssr")]
mod library_view;
#[cfg(feature = "ssr")]
mod publish_page;
mod read_page;
#[cfg(feature = "ssr")]
mod read_view;
#[cfg(feature = "ssr")]
mod shelf_page;

#[cfg(feature = "ssr")]
pub(crate) use desk_page::DeskPage;
#[cfg(feature = "ssr")]
pub use document_file::document_file;
pub(crate) use document_row::document_row;
#[cfg(feature = "ssr")]
pub(crate) use draft_page::{DraftPage, NewDraftPage};
pub use library_page::LibraryPage;
#[cfg(feature = "ssr")]
pub(crate) use publish_page::PublishPage;
pub use read_page::ReadPage;
#[cfg(feature = "ssr")]
pub(crate) use shelf_page::ShelfPage;
