//! Documents: the library every member reads in, and the desk where editors write, publish and withdraw.
//!
//! Opinions on a document are `feedback`'s; from here a link leads there.

mod desk_page;
mod draft_page;
mod editor;
pub mod fns;
mod library_page;
mod publish_page;
mod read_page;

pub use desk_page::DeskPage;
pub use draft_page::{DraftPage, NewDraftPage};
pub use library_page::LibraryPage;
pub(crate) use library_page::document_row;
pub use publish_page::PublishPage;
pub use read_page::ReadPage;
