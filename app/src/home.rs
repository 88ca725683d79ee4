//! The first page of a member.

pub mod fns;
mod home_page;

pub use home_page::HomePage;
