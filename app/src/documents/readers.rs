//! Readers of a document, for those who follow them. Rendered by the server only.

mod fns;
mod followed_page;
mod readers_page;

pub(crate) use followed_page::FollowedPage;
pub(crate) use readers_page::ReadersPage;
