//! Search of documents, meetings and courses. Rendered by the server only: a plain form that returns the page with its results.

pub mod fns;
mod search_page;

pub(crate) use search_page::SearchPage;
