//! Searching documents, meetings and courses. The page is the server's alone: a plain form that comes back with its results.

pub mod fns;
#[cfg(feature = "ssr")]
mod search_page;

#[cfg(feature = "ssr")]
pub(crate) use search_page::SearchPage;
