//! Who has read a document, for those who follow it. All of it is rendered by the server alone.

mod fns;
mod followed_page;
mod readers_page;

pub(crate) use followed_page::FollowedPage;
pub(crate) use readers_page::ReadersPage;
