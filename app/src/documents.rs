//! Documents: the library for all members, and the desk where editors write, publish and withdraw.
//!
//! Opinions on a document are in `feedback`; the document's page links to them.

#[cfg(feature = "ssr")]
pub(crate) mod desk;
#[cfg(feature = "ssr")]
mod document_file;
mod document_row;
pub mod library_fns;
mod library_page;
#[cfg(feature = "ssr")]
mod library_view;
#[cfg(feature = "ssr")]
mod official_sheet;
#[cfg(feature = "ssr")]
mod own_receipt;
#[cfg(feature = "ssr")]
mod personal_list_page;
mod read_page;
#[cfg(feature = "ssr")]
mod read_view;
#[cfg(feature = "ssr")]
pub(crate) mod readers;

#[cfg(feature = "ssr")]
pub use document_file::document_file;
#[cfg(feature = "ssr")]
pub(crate) use document_row::document_meta;
pub(crate) use document_row::document_row;
pub use library_page::LibraryPage;
#[cfg(feature = "ssr")]
pub(crate) use personal_list_page::PersonalListPage;
pub use read_page::ReadPage;
