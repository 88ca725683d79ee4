//! Searching documents, meetings and courses. The page is the server's alone: a plain form that comes back with its results.

pub mod fns;
mod search_page;

pub(crate) use search_page::SearchPage;
